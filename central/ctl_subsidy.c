/* Subsidy budgets. */
#include "central/ctl.h"
#include "protocol/base/http.h"

#include <stdio.h>
#include <stdlib.h>

/* Members in the order of the arguments, then the fen ("0" where none are asked for). */
static bool step_send(struct ctl *c, const char *path, const char *const *keys, int n, const char *fen_text,
		      const char *done, struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	char *end = NULL;
	bool printed = false;
	long long fen = strtoll(fen_text, &end, 10);
	if (end == fen_text || *end != '\0')
		return err_set(e, ERR_INPUT, "'%.40s' is no number of fen", fen_text);
	buf_init(&body, 4096);
	json_open(&w, NULL, '{');
	for (int i = 0; i < n; i++)
		json_put_text(&w, keys[i], c->argv[i]);
	json_put_int(&w, "fen", fen);
	json_close(&w, '}');
	struct json *j =
		buf_ok(&body, "the request", e) ? ctl_call(c, "POST", path, buf_bytes(&body), &printed, e) : NULL;
	buf_clear(&body);
	if (j == NULL)
		return false;
	if (!printed)
		printf("%s\n", done);
	json_free(j);
	return true;
}

static bool appropriate(struct ctl *c, struct err *e)
{
	static const char *const keys[] = { "request", "budget" };
	return step_send(c, "/v1/subsidy/appropriate", keys, 2, c->argv[2], "已拨入 / appropriated", e);
}

static bool claim_add(struct ctl *c, struct err *e)
{
	static const char *const keys[] = { "claim", "budget", "payee" };
	return step_send(c, "/v1/subsidy/claim", keys, 3, c->argv[3], "已预留 / held", e);
}

static const char *const claim_keys[] = { "claim" };

static bool claim_pay(struct ctl *c, struct err *e)
{
	const char *fen = ctl_option(c, "fen");
	return step_send(c, "/v1/subsidy/pay", claim_keys, 1, fen != NULL ? fen : "0", "已支付 / paid", e);
}

static bool claim_release(struct ctl *c, struct err *e)
{
	return step_send(c, "/v1/subsidy/release", claim_keys, 1, "0", "已释放 / released", e);
}

static bool budget_show(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	buf_init(&path, 4096);
	buf_add_str(&path, "/v1/subsidy");
	http_query_add(&path, "budget", c->argv[0]);
	struct json *j = ctl_call(c, "GET", buf_str(&path), (struct bytes){ NULL, 0 }, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	if (!printed)
		printf("  拨入 / appropriated %lld 分 · 预留 / held %lld 分 · 已付 / paid %lld 分 · 可用 / left %lld "
		       "分\n",
		       (long long)ctl_int(j, "appropriated"), (long long)ctl_int(j, "held"),
		       (long long)ctl_int(j, "paid"), (long long)ctl_int(j, "left"));
	json_free(j);
	return true;
}

const struct ctl_command ctl_subsidy_commands[] = {
	{ "subsidy", "appropriate", 3, "REQUEST BUDGET FEN", "", appropriate },
	{ "subsidy", "claim", 4, "CLAIM BUDGET PAYEE FEN", "", claim_add },
	{ "subsidy", "pay", 1, "CLAIM [--fen LESS]", "fen", claim_pay },
	{ "subsidy", "release", 1, "CLAIM", "", claim_release },
	{ "subsidy", "show", 1, "BUDGET", "", budget_show },
	{ 0 },
};
