/* centralctl: department. */
#include "central/ctl/ctl.h"
#include "protocol/base/http.h"

#include <stdio.h>

static const struct bytes nothing = { NULL, 0 };

static bool token(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	buf_init(&path, 512);
	buf_add_fmt(&path, "/v1/departments/%.60s/token", c->argv[0]);
	if (ctl_option(c, "valid-hours") != NULL)
		http_query_add(&path, "valid_hours", ctl_option(c, "valid-hours"));
	struct json *j = ctl_call(c, "POST", buf_str(&path), nothing, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	if (!printed) {
		fprintf(stderr,
			"证书 %s 的一次性令牌，%s 前有效（只显示这一次），连同 ca.pem 交给该部门 / one-time token "
			"for "
			"this certificate, shown this once; give it to the department together with ca.pem:\n",
			ctl_text(j, "certificate"), ctl_time(ctl_int(j, "expires_s")));
		printf("%s\n", ctl_text(j, "token"));
		fprintf(stderr,
			"若该部门还要经消息总线报送，请向 mosquitto 发 SIGHUP / if it is to send messages too, "
			"send mosquitto SIGHUP\n");
	}
	json_free(j);
	return true;
}

static bool list(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, "GET", "/v1/departments", nothing, &printed, e);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "certificates");
	size_t len = all != NULL ? json_len(all) : 0;
	for (size_t i = 0; !printed && i < len; i++) {
		const struct json *one = json_at(all, i);
		const char *state = ctl_int(one, "revoked_s") != 0    ? "已吊销 revoked"
				    : ctl_int(one, "enrolled_s") != 0 ? "有效 enrolled"
								      : "待领取 waiting";
		printf("  %s · %s · %s · %s\n", ctl_text(one, "certificate"), state, ctl_text(one, "serial"),
		       ctl_time(ctl_int(one, "enrolled_s")));
	}
	if (!printed && len == 0)
		printf("  没有 / none\n");
	json_free(j);
	return true;
}

static bool revoke(struct ctl *c, struct err *e)
{
	char path[120];
	bool printed = false;
	snprintf(path, sizeof(path), "/v1/departments/certificates/%.60s", c->argv[0]);
	struct json *j = ctl_call(c, "DELETE", path, nothing, &printed, e);
	if (j == NULL)
		return false;
	if (!printed)
		printf("证书 %s 已吊销，中心不再接受它送来的任何数据 / revoked: nothing it sends is taken any more\n"
		       "请向 mosquitto 发 SIGHUP 使访问表生效 / send mosquitto SIGHUP\n",
		       ctl_text(j, "certificate"));
	json_free(j);
	return true;
}

const struct ctl_command ctl_department_commands[] = {
	{ "department", "token", 1, "CODE [--valid-hours 24]", "valid-hours", token },
	{ "department", "list", 0, "", "", list },
	{ "department", "revoke", 1, "CERTIFICATE", "", revoke },
	{ 0 },
};
