/* Subsidy budgets, for operators. */
#include "central/api/args.h"
#include "central/api/ledger.h"
#include "central/fund/subsidy.h"

/* POST {"request", "budget", "fen"} */
static bool appropriate(struct api_call *call, struct err *e)
{
	struct book b;
	const char *request, *budget;
	int64_t fen;
	struct json *j = api_body(call, "request budget fen", e);
	bool ok = j != NULL && json_text(j, "request", REQUEST_ID_MAX_LEN, &request, e) &&
		  json_text(j, "budget", REQUEST_ID_MAX_LEN, &budget, e) &&
		  json_int(j, "fen", 1, INT64_MAX, &fen, e) && api_book(call, &b, e) &&
		  api_ledger_audit(call, "subsidy.appropriate", budget, e) &&
		  subsidy_appropriate(&b, request, budget, fen, e);
	if (ok)
		api_done(call, budget);
	json_free(j);
	return ok;
}

/* POST {"claim", "budget", "payee", "fen"} */
static bool claim_add(struct api_call *call, struct err *e)
{
	struct book b;
	const char *claim, *budget, *payee;
	int64_t fen;
	struct json *j = api_body(call, "claim budget payee fen", e);
	bool ok = j != NULL && json_text(j, "claim", REQUEST_ID_MAX_LEN, &claim, e) &&
		  json_text(j, "budget", REQUEST_ID_MAX_LEN, &budget, e) &&
		  json_text(j, "payee", REQUEST_ID_MAX_LEN, &payee, e) && json_int(j, "fen", 1, INT64_MAX, &fen, e) &&
		  api_book(call, &b, e) && api_ledger_audit(call, "subsidy.claim", claim, e) &&
		  subsidy_claim(&b, claim, budget, payee, fen, e);
	if (ok)
		api_done(call, claim);
	json_free(j);
	return ok;
}

/* POST {"claim", "fen": 0 all of it} */
static bool claim_pay(struct api_call *call, struct err *e)
{
	struct book b;
	const char *claim;
	int64_t fen;
	struct json *j = api_body(call, "claim fen", e);
	bool ok = j != NULL && json_text(j, "claim", REQUEST_ID_MAX_LEN, &claim, e) &&
		  json_int(j, "fen", 0, INT64_MAX, &fen, e) && api_book(call, &b, e) &&
		  api_ledger_audit(call, "subsidy.pay", claim, e) && subsidy_pay(&b, claim, fen, e);
	if (ok)
		api_done(call, claim);
	json_free(j);
	return ok;
}

/* POST {"claim", "fen": 0} */
static bool claim_release(struct api_call *call, struct err *e)
{
	struct book b;
	const char *claim;
	int64_t fen;
	struct json *j = api_body(call, "claim fen", e);
	bool ok = j != NULL && json_text(j, "claim", REQUEST_ID_MAX_LEN, &claim, e) &&
		  json_int(j, "fen", 0, 0, &fen, e) && api_book(call, &b, e) &&
		  api_ledger_audit(call, "subsidy.release", claim, e) && subsidy_release(&b, claim, e);
	if (ok)
		api_done(call, claim);
	json_free(j);
	return ok;
}

/* GET ?budget= */
static bool budget_get(struct api_call *call, struct err *e)
{
	struct book b;
	struct subsidy_budget s;
	const char *budget = http_query(call->request, "budget");
	if (budget == NULL)
		return err_set(e, ERR_INPUT, "budget: say which");
	if (!api_book(call, &b, e) || !subsidy_show(&b, budget, &s, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "appropriated", s.appropriated);
	json_put_int(&call->json, "held", s.held);
	json_put_int(&call->json, "paid", s.paid);
	json_put_int(&call->json, "left", s.left);
	json_close(&call->json, '}');
	return true;
}

const struct api_route api_subsidy_routes[] = {
	{ "POST", "/v1/subsidy/appropriate", true, appropriate },
	{ "POST", "/v1/subsidy/claim", true, claim_add },
	{ "POST", "/v1/subsidy/pay", true, claim_pay },
	{ "POST", "/v1/subsidy/release", true, claim_release },
	{ "GET", "/v1/subsidy", false, budget_get },
	{ 0 },
};
