/* The guarantee fund. */
#include "central/ctl.h"
#include "protocol/base/http.h"

#include <stdio.h>
#include <stdlib.h>

static const struct bytes nothing = { NULL, 0 };

/* Members in the order of the arguments; the last is a number of fen. */
static bool step_send(struct ctl *c, const char *path, const char *const *keys, int n, const char *done,
		      struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	char *end = NULL;
	bool printed = false;
	long long fen = strtoll(c->argv[n - 1], &end, 10);
	if (end == c->argv[n - 1] || *end != '\0')
		return err_set(e, ERR_INPUT, "'%.40s' is no number of fen", c->argv[n - 1]);
	buf_init(&body, 4096);
	json_open(&w, NULL, '{');
	for (int i = 0; i + 1 < n; i++)
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

static bool capital_add(struct ctl *c, struct err *e)
{
	static const char *const keys[] = { "request", "programme", "party" };
	return step_send(c, "/v1/guarantee/capital", keys, 4, "出资已记 / capital recorded", e);
}

static bool commit_add(struct ctl *c, struct err *e)
{
	static const char *const keys[] = { "name", "programme", "enterprise" };
	return step_send(c, "/v1/guarantee/commit", keys, 4, "已承保 / committed", e);
}

static const char *const step_keys[] = { "request", "name" };

static bool release_add(struct ctl *c, struct err *e)
{
	return step_send(c, "/v1/guarantee/release", step_keys, 3, "责任已解除 / released", e);
}

static bool compensate_add(struct ctl *c, struct err *e)
{
	return step_send(c, "/v1/guarantee/compensate", step_keys, 3, "已代偿 / compensated", e);
}

static bool recover_add(struct ctl *c, struct err *e)
{
	return step_send(c, "/v1/guarantee/recover", step_keys, 3, "已追偿 / recovered", e);
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
