/* What carbon points buy. */
#include "central/carbon/push.h"
#include "central/ctl/carbon.h"
#include "protocol/base/http.h"
#include "protocol/base/limits.h"

#include <stdio.h>
#include <string.h>

static const struct bytes nothing = { NULL, 0 };

/* It goes into an address. */
static bool request_is_fine(const char *request, struct err *e)
{
	static const char fine[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-_";
	size_t len = strlen(request);
	return (len > 0 && len <= REQUEST_ID_MAX_LEN && strspn(request, fine) == len) ||
	       err_set(e, ERR_INPUT, "'%.64s' is no request's name: letters, digits, '.', '-' and '_', at most %d",
		       request, REQUEST_ID_MAX_LEN);
}

static bool option_needed(struct ctl *c, const char *name, const char **out, struct err *e)
{
	*out = ctl_option(c, name);
	return *out != NULL || err_set(e, ERR_INPUT, "--%s is missing", name);
}

static bool redeem_send(struct ctl *c, struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	const char *bank, *reference;
	int64_t quantity;
	if (!ctl_number(c->argv[3], "quantity", &quantity, e) || !request_is_fine(c->argv[0], e) ||
	    !option_needed(c, "bank", &bank, e) || !option_needed(c, "reference", &reference, e))
		return false;
	buf_init(&body, 4096);
	json_open(&w, NULL, '{');
	json_put_text(&w, "request", c->argv[0]);
	ctl_holder_put(c, &w, "holder", c->argv[1]);
	json_put_text(&w, "kind", c->argv[2]);
	json_put_int(&w, "quantity", quantity);
	json_put_text(&w, "bank", bank);
	json_put_text(&w, "reference", reference);
	json_close(&w, '}');
	bool ok = buf_ok(&body, "the request", e) &&
		  ctl_post(c, "/v1/carbon/redemptions", buf_bytes(&body),
			   "已预留 / held. 下一步 / next: centralctl carbon post|void REQUEST", e);
	buf_clear(&body);
	return ok;
}

static bool redemption_end(struct ctl *c, const char *step, struct bytes body, const char *done, struct err *e)
{
	char path[160];
	const char *request = c->argv[0];
	if (!request_is_fine(request, e))
		return false;
	snprintf(path, sizeof(path), "/v1/carbon/redemptions/%s/%s", request, step);
	return ctl_post(c, path, body, done, e);
}

static bool post_send(struct ctl *c, struct err *e)
{
	char body[64];
	int64_t quantity;
	const char *text = ctl_option(c, "quantity");
	if (text == NULL)
		return redemption_end(c, "post", nothing, "已兑换 / redeemed", e);
	if (!ctl_number(text, "quantity", &quantity, e))
		return false;
	snprintf(body, sizeof(body), "{\"quantity\": %lld}", (long long)quantity);
	return redemption_end(c, "post", bytes_of(body), "已部分兑换 / redeemed in part, the rest is given back", e);
}

static bool void_send(struct ctl *c, struct err *e)
{
	return redemption_end(c, "void", nothing, "已退回 / given back", e);
}

static bool carbon_redemptions(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	buf_init(&path, 4096);
	buf_add_str(&path, "/v1/carbon/redemptions");
	http_query_add(&path, "holder", c->argv[0]);
	http_query_add(&path, "purpose", c->argv[1]);
	if (ctl_option(c, "holder-kind") != NULL)
		http_query_add(&path, "holder_kind", ctl_option(c, "holder-kind"));
	struct json *j = ctl_call(c, "GET", buf_str(&path), nothing, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "redemptions");
	for (size_t i = 0; !printed && all != NULL && i < json_len(all); i++) {
		const struct json *r = json_at(all, i);
		printf("%s\t%s %s\t%s %lld / %lld %s\t%lld / %lld 积分 points\t%s %s\t%s\n", ctl_text(r, "request"),
		       ctl_text(r, "state_zh"), ctl_text(r, "state"), ctl_text(r, "kind"),
		       (long long)ctl_int(r, "posted_quantity"), (long long)ctl_int(r, "quantity"),
		       ctl_text(r, "unit"), (long long)ctl_int(r, "posted_points"), (long long)ctl_int(r, "points"),
		       ctl_text(r, "bank"), ctl_text(r, "reference"), ctl_time(ctl_int(r, "made_s")));
	}
	json_free(j);
	return true;
}

/* --- the push to the personal score --- */

static bool carbon_push_send(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, "POST", "/v1/carbon/pushes", nothing, &printed, e);
	if (j == NULL)
		return false;
	if (!printed)
		printf("%s水位 / watermark %lld · 账户 / accounts %lld · 变动 / changed %lld · 合计 / points in all "
		       "%lld\n",
		       json_bool_value(json_get(j, "again")) ? "已推送过 / pushed before: " : "",
		       (long long)ctl_int(j, "watermark"), (long long)ctl_int(j, "accounts"),
		       (long long)ctl_int(j, "changed"), (long long)ctl_int(j, "points"));
	json_free(j);
	return true;
}

static bool proofs_print(struct ctl *c, const struct carbon_proven *v, struct err *e)
{
	bool clean = true;
	for (unsigned i = 0; i < CARBON_PROOFS; i++) {
		clean = clean && v->broken[i] == 0;
		if (c->json)
			continue;
		printf("%s\t%s\t%s\t%llu\t%s\n", v->broken[i] == 0 ? "通过 holds" : "不符 BROKEN",
		       carbon_proof_name(i), carbon_proof_zh(i), (unsigned long long)v->looked[i], v->first[i]);
	}
	if (c->json)
		printf("{\"clean\": %s}\n", clean ? "true" : "false");
	return clean || err_set(e, ERR_CONFLICT, "碳账户与账本不符 / carbon accounts and the ledger differ");
}

/* Beside the daemon, which is not asked. */
static bool carbon_verify(struct ctl *c, struct err *e)
{
	char path[300];
	struct carbon_proven v;
	snprintf(path, sizeof(path), "%.280s/ledger.db", c->dir);
	struct ledger_reader *r = ledger_reader_open(path, e);
	if (r == NULL)
		return false;
	snprintf(path, sizeof(path), "%.280s/central.db", c->dir);
	struct db *central = db_open(path, DB_READ, e);
	bool ok = central != NULL && db_begin(central, e) && carbon_push_check(r, central, &v, e);
	if (central != NULL)
		db_rollback(central);
	db_close(central);
	ledger_reader_close(r);
	return ok && proofs_print(c, &v, e);
}

const struct ctl_command ctl_carbon_use_commands[] = {
	{ "carbon", "redeem", 4,
	  "REQUEST HOLDER KIND QUANTITY --bank BANK --reference TEXT [--holder-kind resident_id]",
	  "bank reference holder-kind", redeem_send },
	{ "carbon", "post", 1, "REQUEST [--quantity N]", "quantity", post_send },
	{ "carbon", "void", 1, "REQUEST", "", void_send },
	{ "carbon", "redemptions", 2, "HOLDER PURPOSE [--holder-kind resident_id]", "holder-kind",
	  carbon_redemptions },
	{ "carbon", "statement", 2, "HOLDER PURPOSE --as-of DAY --out FILE.html|FILE.csv [--holder-kind resident_id]",
	  "as-of out holder-kind", ctl_carbon_statement },
	{ "carbon", "push", 0, "", "", carbon_push_send },
	{ "carbon", "verify", 0, "", "", carbon_verify },
	{ 0 },
};
