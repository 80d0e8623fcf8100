/* Subsidy budgets. */
#include "central/ctl/ctl.h"
#include "protocol/base/http.h"

#include <stdio.h>

static bool appropriate(struct ctl *c, struct err *e)
{
	static const char *const keys[] = { "request", "budget" };
	return ctl_post_fen(c, "/v1/subsidy/appropriate", keys, 2, c->argv[2], "已拨入 / appropriated", e);
}

static bool claim_add(struct ctl *c, struct err *e)
{
	static const char *const keys[] = { "claim", "budget", "payee" };
	return ctl_post_fen(c, "/v1/subsidy/claim", keys, 3, c->argv[3], "已预留 / held", e);
}

static const char *const claim_keys[] = { "claim" };

static bool claim_pay(struct ctl *c, struct err *e)
{
	const char *fen = ctl_option(c, "fen");
	return ctl_post_fen(c, "/v1/subsidy/pay", claim_keys, 1, fen != NULL ? fen : "0", "已支付 / paid", e);
}

static bool claim_release(struct ctl *c, struct err *e)
{
	return ctl_post_fen(c, "/v1/subsidy/release", claim_keys, 1, "0", "已释放 / released", e);
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
