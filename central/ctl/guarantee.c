/* The guarantee fund. */
#include "central/ctl/ctl.h"
#include "protocol/base/http.h"

#include <stdio.h>

static const struct bytes nothing = { NULL, 0 };

static bool capital_add(struct ctl *c, struct err *e)
{
	static const char *const keys[] = { "request", "programme", "party" };
	return ctl_post_fen(c, "/v1/guarantee/capital", keys, 3, c->argv[3], "出资已记 / capital recorded", e);
}

static bool commit_add(struct ctl *c, struct err *e)
{
	static const char *const keys[] = { "name", "programme", "enterprise" };
	return ctl_post_fen(c, "/v1/guarantee/commit", keys, 3, c->argv[3], "已承保 / committed", e);
}

static const char *const step_keys[] = { "request", "name" };

static bool release_add(struct ctl *c, struct err *e)
{
	return ctl_post_fen(c, "/v1/guarantee/release", step_keys, 2, c->argv[2], "责任已解除 / released", e);
}

static bool compensate_add(struct ctl *c, struct err *e)
{
	return ctl_post_fen(c, "/v1/guarantee/compensate", step_keys, 2, c->argv[2], "已代偿 / compensated", e);
}

static bool recover_add(struct ctl *c, struct err *e)
{
	return ctl_post_fen(c, "/v1/guarantee/recover", step_keys, 2, c->argv[2], "已追偿 / recovered", e);
}

static bool guarantee_show(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	buf_init(&path, 4096);
	buf_add_str(&path, "/v1/guarantee");
	http_query_add(&path, "name", c->argv[0]);
	struct json *j = ctl_call(c, "GET", buf_str(&path), nothing, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	const struct json *parts = json_get(j, "parts");
	if (!printed)
		printf("  在保 / committed %lld 分 · 已代偿 / compensated %lld 分\n",
		       (long long)ctl_int(j, "committed"), (long long)ctl_int(j, "compensated"));
	for (size_t i = 0; !printed && parts != NULL && i < json_len(parts); i++)
		printf("    %zu: %lld · %lld\n", i + 1, (long long)ctl_int(json_at(parts, i), "committed"),
		       (long long)ctl_int(json_at(parts, i), "compensated"));
	json_free(j);
	return true;
}

static bool party_show(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	buf_init(&path, 4096);
	buf_add_str(&path, "/v1/guarantee/party");
	http_query_add(&path, "programme", c->argv[0]);
	http_query_add(&path, "party", c->argv[1]);
	struct json *j = ctl_call(c, "GET", buf_str(&path), nothing, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	if (!printed)
		printf("  资本 / capital %lld 分 · 责任 / liable %lld 分\n", (long long)ctl_int(j, "capital"),
		       (long long)ctl_int(j, "liable"));
	json_free(j);
	return true;
}

const struct ctl_command ctl_guarantee_commands[] = {
	{ "guarantee", "capital", 4, "REQUEST PROGRAMME PARTY FEN", "", capital_add },
	{ "guarantee", "commit", 4, "GUARANTEE PROGRAMME ENTERPRISE FEN", "", commit_add },
	{ "guarantee", "release", 3, "REQUEST GUARANTEE FEN", "", release_add },
	{ "guarantee", "compensate", 3, "REQUEST GUARANTEE FEN", "", compensate_add },
	{ "guarantee", "recover", 3, "REQUEST GUARANTEE FEN", "", recover_add },
	{ "guarantee", "show", 1, "GUARANTEE", "", guarantee_show },
	{ "guarantee", "party", 2, "PROGRAMME PARTY", "", party_show },
	{ 0 },
};
