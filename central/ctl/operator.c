#include "central/ctl/ctl.h"
#include "protocol/base/http.h"

#include <stdio.h>

static bool operator_add(struct ctl *c, struct err *e)
{
	char path[120];
	bool printed = false;
	snprintf(path, sizeof(path), "/v1/operators/%.60s", c->argv[0]);
	struct json *j = ctl_call(c, "POST", path, (struct bytes){ NULL, 0 }, &printed, e);
	if (j == NULL)
		return false;
	if (!printed) {
		fprintf(stderr, "操作员 %s 的令牌（只显示这一次）/ the token of %s, shown this once:\n",
			ctl_text(j, "name"), ctl_text(j, "name"));
		printf("%s\n", ctl_text(j, "token"));
	}
	json_free(j);
	return true;
}

static bool operator_revoke(struct ctl *c, struct err *e)
{
	char path[120];
	bool printed = false;
	snprintf(path, sizeof(path), "/v1/operators/%.60s", c->argv[0]);
	struct json *j = ctl_call(c, "DELETE", path, (struct bytes){ NULL, 0 }, &printed, e);
	if (j == NULL)
		return false;
	if (!printed)
		printf("操作员 %s 已停用 / operator revoked\n", ctl_text(j, "name"));
	json_free(j);
	return true;
}

static bool operator_list(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, "GET", "/v1/operators", (struct bytes){ NULL, 0 }, &printed, e);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "operators");
	for (size_t i = 0; !printed && all != NULL && i < json_len(all); i++) {
		const struct json *o = json_at(all, i);
		printf("  %s · 建立 %s · 停用 %s\n", ctl_text(o, "name"), ctl_time(ctl_int(o, "created_s")),
		       ctl_time(ctl_int(o, "revoked_s")));
	}
	json_free(j);
	return true;
}

static bool audit_list(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct buf path;
	buf_init(&path, 256);
	buf_add_str(&path, "/v1/audit");
	http_query_add(&path, "limit", ctl_option(c, "limit") != NULL ? ctl_option(c, "limit") : "50");
	struct json *j = ctl_call(c, "GET", buf_str(&path), (struct bytes){ NULL, 0 }, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "audit");
	for (size_t i = 0; !printed && all != NULL && i < json_len(all); i++) {
		const struct json *a = json_at(all, i);
		printf("  %s · %s · %s · %s · %s\n", ctl_time(ctl_int(a, "time_s")), ctl_text(a, "operator"),
		       ctl_text(a, "what"), ctl_text(a, "subject"), ctl_text(a, "detail"));
	}
	json_free(j);
	return true;
}

const struct ctl_command ctl_operator_commands[] = {
	{ "operator", "add", 1, "NAME", "", operator_add },
	{ "operator", "revoke", 1, "NAME", "", operator_revoke },
	{ "operator", "list", 0, "", "", operator_list },
	{ "audit", "", 0, "[--limit N]", "limit", audit_list },
	{ 0 },
};
