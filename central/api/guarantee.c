/* The guarantee fund, for operators. */
#include "central/api/args.h"
#include "central/api/ledger.h"
#include "central/centrald.h"
#include "central/fund/guarantee.h"

#include <string.h>

static bool desk_open(struct api_call *call, struct guarantee_desk *d, struct err *e)
{
	d->release = &call->central->release;
	return api_book(call, &d->book, e);
}

/* POST {"request", "programme", "party", "fen"} */
static bool capital_add(struct api_call *call, struct err *e)
{
	struct guarantee_desk d;
	const char *request, *programme, *party;
	int64_t fen;
	struct json *j = api_body(call, "request programme party fen", e);
	bool ok = j != NULL && json_text(j, "request", REQUEST_ID_MAX_LEN, &request, e) &&
		  json_text(j, "programme", NAME_MAX_LEN, &programme, e) &&
		  json_text(j, "party", NAME_MAX_LEN, &party, e) &&
		  json_int(j, "fen", 1, GUARANTEE_FEN_MAX, &fen, e) && desk_open(call, &d, e) &&
		  api_ledger_audit(call, "guarantee.capital", request, e) &&
		  guarantee_capital(&d, request, programme, party, fen, e);
	if (ok)
		api_done(call, request);
	json_free(j);
	return ok;
}

static bool enterprise_take(const struct json *j, struct identifier *out, struct err *e)
{
	const char *text;
	return json_text(j, "enterprise", IDENTIFIER_MAX_LEN, &text, e) &&
	       (identifier_parse(IDENTIFIER_USCC, text, strlen(text), 0, out, NULL, e) || err_wrap(e, "enterprise"));
}

/* POST {"name", "programme", "enterprise", "fen"} */
static bool commit_add(struct api_call *call, struct err *e)
{
	struct guarantee_desk d;
	struct identifier enterprise;
	const char *name, *programme;
	int64_t fen;
	struct json *j = api_body(call, "name programme enterprise fen", e);
	bool ok = j != NULL && json_text(j, "name", REQUEST_ID_MAX_LEN, &name, e) &&
		  json_text(j, "programme", NAME_MAX_LEN, &programme, e) && enterprise_take(j, &enterprise, e) &&
		  json_int(j, "fen", 1, GUARANTEE_FEN_MAX, &fen, e) && desk_open(call, &d, e) &&
		  api_ledger_audit(call, "guarantee.commit", name, e) &&
		  guarantee_commit(&d, name, programme, enterprise.canonical, fen, e);
	if (ok)
		api_done(call, name);
	json_free(j);
	return ok;
}

/* POST {"request", "name", "fen"} */
static bool step_add(struct api_call *call, enum guarantee_step step, const char *audit, struct err *e)
{
	struct guarantee_desk d;
	const char *request, *name;
	int64_t fen;
	struct json *j = api_body(call, "request name fen", e);
	bool ok = j != NULL && json_text(j, "request", REQUEST_ID_MAX_LEN, &request, e) &&
		  json_text(j, "name", REQUEST_ID_MAX_LEN, &name, e) &&
		  json_int(j, "fen", 1, GUARANTEE_FEN_MAX, &fen, e) && desk_open(call, &d, e) &&
		  api_ledger_audit(call, audit, name, e) && guarantee_step(&d, step, request, name, fen, e);
	if (ok)
		api_done(call, name);
	json_free(j);
	return ok;
}

static bool release_add(struct api_call *call, struct err *e)
{
	return step_add(call, GUARANTEE_RELEASE, "guarantee.release", e);
}

static bool compensate_add(struct api_call *call, struct err *e)
{
	return step_add(call, GUARANTEE_COMPENSATE, "guarantee.compensate", e);
}

static bool recover_add(struct api_call *call, struct err *e)
{
	return step_add(call, GUARANTEE_RECOVER, "guarantee.recover", e);
}

/* GET ?name= */
static bool guarantee_get(struct api_call *call, struct err *e)
{
	struct guarantee_desk d;
	struct guarantee_standing s;
	const char *name = http_query(call->request, "name");
	struct json_out *w = &call->json;
	if (name == NULL)
		return err_set(e, ERR_INPUT, "name: say which guarantee");
	if (!desk_open(call, &d, e) || !guarantee_show(&d, name, &s, e))
		return false;
	json_open(w, NULL, '{');
	json_put_text(w, "name", name);
	json_put_int(w, "committed", s.committed_sum);
	json_put_int(w, "compensated", s.compensated_sum);
	json_open(w, "parts", '[');
	for (size_t i = 0; i < s.len; i++) {
		json_open(w, NULL, '{');
		json_put_int(w, "committed", s.committed[i]);
		json_put_int(w, "compensated", s.compensated[i]);
		json_close(w, '}');
	}
	json_close(w, ']');
	json_close(w, '}');
	return true;
}

/* GET ?programme=&party= */
static bool party_get(struct api_call *call, struct err *e)
{
	struct guarantee_desk d;
	const char *programme = http_query(call->request, "programme"), *party = http_query(call->request, "party");
	int64_t capital, liable;
	if (programme == NULL || party == NULL)
		return err_set(e, ERR_INPUT, "programme and party: say whose");
	if (!desk_open(call, &d, e))
		return false;
	guarantee_party(&d, programme, party, &capital, &liable);
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "capital", capital);
	json_put_int(&call->json, "liable", liable);
	json_close(&call->json, '}');
	return true;
}

const struct api_route api_guarantee_routes[] = {
	{ "POST", "/v1/guarantee/capital", true, capital_add },
	{ "POST", "/v1/guarantee/commit", true, commit_add },
	{ "POST", "/v1/guarantee/release", true, release_add },
	{ "POST", "/v1/guarantee/compensate", true, compensate_add },
	{ "POST", "/v1/guarantee/recover", true, recover_add },
	{ "GET", "/v1/guarantee", false, guarantee_get },
	{ "GET", "/v1/guarantee/party", false, party_get },
	{ 0 },
};
