/* What carbon points buy, for operators. */
#include "central/api/args.h"
#include "central/api/carbon.h"
#include "central/api/ledger.h"
#include "central/carbon/push.h"
#include "central/carbon/redemption.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTED_MAX 200

static void redemption_put(void *arg, const struct carbon_redemption *r)
{
	struct json_out *w = arg;
	json_open(w, NULL, '{');
	json_put_text(w, "request", r->request);
	json_put_text(w, "state", carbon_state_name(r->state));
	json_put_text(w, "state_zh", carbon_state_zh(r->state));
	json_put_text(w, "kind", r->kind);
	json_put_int(w, "quantity", r->quantity);
	json_put_text(w, "unit", r->unit);
	json_put_int(w, "points", r->points);
	json_put_int(w, "posted_quantity", r->posted_quantity);
	json_put_int(w, "posted_points", r->posted_points);
	json_put_text(w, "bank", r->bank);
	json_put_text(w, "reference", r->reference);
	json_put_int(w, "rules_version", r->rules_version);
	json_put_int(w, "made_s", r->made_s);
	json_put_int(w, "expires_s", r->expires_s);
	json_close(w, '}');
}

static bool word_take(const struct json *j, const char *key, size_t max, char *out, struct err *e)
{
	const char *text;
	if (!json_text(j, key, max, &text, e))
		return false;
	snprintf(out, max + 1, "%s", text);
	return true;
}

static bool purchase_parse(const struct json *j, struct carbon_purchase *p, struct err *e)
{
	struct identifier holder;
	*p = (struct carbon_purchase){ 0 };
	if (!word_take(j, "request", REQUEST_ID_MAX_LEN, p->request, e) || !api_holder(j, "holder", &holder, e) ||
	    !word_take(j, "kind", NAME_MAX_LEN, p->kind, e) || !word_take(j, "bank", CARBON_BANK_MAX, p->bank, e) ||
	    !word_take(j, "reference", CARBON_REFERENCE_MAX, p->reference, e) ||
	    !json_int(j, "quantity", 1, CARBON_QUANTITY_MAX, &p->quantity, e))
		return false;
	p->holder_kind = holder.kind;
	memcpy(p->holder, holder.canonical, sizeof(p->holder));
	return true;
}

/* POST {"request", "holder": {"kind","number"}, "kind", "quantity", "bank", "reference"} */
static bool redemption_create(struct api_call *call, struct err *e)
{
	struct carbon_desk d;
	struct carbon_purchase p;
	struct carbon_redemption r;
	struct json *j = api_body(call, "request holder kind quantity bank reference", e);
	bool ok = j != NULL && purchase_parse(j, &p, e) && api_carbon_open(call, &d, e) &&
		  api_ledger_audit(call, "carbon.redeem", p.request, e) && carbon_buy(&d.carbon, &p, &r, e);
	if (ok)
		redemption_put(&call->json, &r);
	json_free(j);
	return ok;
}

/* One from before kinds has no row: its points are posted or given back all the same. */
static bool plain_end(struct api_call *call, struct carbon *c, bool post, struct err *e)
{
	if (!carbon_redeem_end(c, call->path_rest, post, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, "request", call->path_rest);
	json_put_text(&call->json, "state", post ? "posted" : "voided");
	json_close(&call->json, '}');
	return true;
}

static bool redemption_end(struct api_call *call, bool post, int64_t quantity, struct err *e)
{
	struct carbon_desk d;
	struct carbon_redemption r;
	struct err why = { 0 };
	const char *request = call->path_rest;
	if (!api_carbon_open(call, &d, e) ||
	    !api_ledger_audit(call, post ? "carbon.post" : "carbon.void", request, e))
		return false;
	if (!carbon_buy_find(&d.carbon, request, NULL, &r, &why))
		return why.code == ERR_MISSING && quantity == 0 ? plain_end(call, &d.carbon, post, e)
								: err_set(e, why.code, "%s", why.text);
	if (!(post ? carbon_buy_post(&d.carbon, request, NULL, quantity, &r, e)
		   : carbon_buy_void(&d.carbon, request, NULL, &r, e)))
		return false;
	redemption_put(&call->json, &r);
	return true;
}

/* POST, nothing or {"quantity"}: less than was asked for. */
static bool redemption_post(struct api_call *call, struct err *e)
{
	int64_t quantity = 0;
	if (http_body(call->request).len == 0)
		return redemption_end(call, true, 0, e);
	struct json *j = api_body(call, "quantity", e);
	bool ok = j != NULL && json_int(j, "quantity", 1, CARBON_QUANTITY_MAX, &quantity, e) &&
		  redemption_end(call, true, quantity, e);
	json_free(j);
	return ok;
}

static bool redemption_void(struct api_call *call, struct err *e)
{
	return redemption_end(call, false, 0, e);
}

/* GET ?holder=&holder_kind=&purpose= */
static bool redemptions_list(struct api_call *call, struct err *e)
{
	struct carbon_desk d;
	struct identifier holder;
	struct carbon_group g;
	if (!api_holder_asked(call, "carbon.redemptions", &holder, e) || !api_carbon_open(call, &d, e) ||
	    !carbon_group_load(&d.carbon, holder.kind, holder.canonical, &g, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "redemptions", '[');
	bool ok = carbon_buy_each(&d.carbon, &g, LISTED_MAX, redemption_put, &call->json, e);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	return ok;
}

/* --- the push to the personal score --- */

static void push_put(struct json_out *w, const struct carbon_push *p)
{
	json_put_int(w, "watermark", p->watermark);
	json_put_int(w, "accounts", p->accounts);
	json_put_int(w, "changed", p->changed);
	json_put_int(w, "points", p->points);
	json_put_int(w, "pushed_s", p->pushed_s);
}

static bool balances_push(struct api_call *call, struct err *e)
{
	struct carbon_desk d;
	struct carbon_push p;
	if (!api_carbon_open(call, &d, e) || !carbon_push_run(&d.carbon, &p, e))
		return false;
	json_open(&call->json, NULL, '{');
	push_put(&call->json, &p);
	json_put_bool(&call->json, "again", p.again);
	json_close(&call->json, '}');
	return true;
}

/* GET ?holder=&holder_kind=&purpose= */
static bool pushed_show(struct api_call *call, struct err *e)
{
	struct carbon_desk d;
	struct identifier holder;
	struct carbon_push of;
	int64_t points;
	if (!api_holder_asked(call, "carbon.pushed", &holder, e) || !api_carbon_open(call, &d, e) ||
	    !carbon_pushed(&d.carbon, holder.kind, holder.canonical, INT32_MAX, &points, &of, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "balance", points);
	json_open(&call->json, "push", '{');
	push_put(&call->json, &of);
	json_close(&call->json, '}');
	json_close(&call->json, '}');
	return true;
}

const struct api_route api_carbon_use_routes[] = {
	{ "POST", "/v1/carbon/redemptions", true, redemption_create },
	{ "GET", "/v1/carbon/redemptions", true, redemptions_list },
	{ "POST", "/v1/carbon/redemptions/%/post", true, redemption_post },
	{ "POST", "/v1/carbon/redemptions/%/void", true, redemption_void },
	{ "POST", "/v1/carbon/statements", true, api_carbon_statement },
	{ "POST", "/v1/carbon/pushes", true, balances_push },
	{ "GET", "/v1/carbon/pushed", true, pushed_show },
	{ 0 },
};
