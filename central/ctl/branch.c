/* centralctl: branch, decision, journal, status. */
#include "central/ctl/ctl.h"
#include "protocol/base/http.h"

#include <stdio.h>

static const struct bytes nothing = { NULL, 0 };

/* Calls and, unless the JSON was printed, shows each member of the array named. */
static bool show(struct ctl *c, const char *path, const char *array, void (*one)(const struct json *j), struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, "GET", path, nothing, &printed, e);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, array);
	size_t len = all != NULL && json_kind(all) == JSON_KIND_ARRAY ? json_len(all) : 0;
	for (size_t i = 0; !printed && i < len; i++)
		one(json_at(all, i));
	if (!printed && len == 0)
		printf("  没有 / none\n");
	json_free(j);
	return true;
}

static bool flag(const struct json *j, const char *key)
{
	const struct json *v = json_get(j, key);
	return v != NULL && json_kind(v) == JSON_KIND_BOOL && json_bool_value(v);
}

static bool branch_token(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	buf_init(&path, 512);
	buf_add_fmt(&path, "/v1/branches/%.60s/token", c->argv[0]);
	if (ctl_option(c, "valid-hours") != NULL)
		http_query_add(&path, "valid_hours", ctl_option(c, "valid-hours"));
	struct json *j = ctl_call(c, "POST", buf_str(&path), nothing, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	if (!printed) {
		fprintf(stderr,
			"网点 %s 的一次性登记令牌，%s 前有效（只显示这一次）/ one-time enrolment token, shown this "
			"once:\n",
			ctl_text(j, "branch"), ctl_time(ctl_int(j, "expires_s")));
		printf("%s\n", ctl_text(j, "token"));
	}
	json_free(j);
	return true;
}

static bool branch_revoke(struct ctl *c, struct err *e)
{
	char path[120];
	bool printed = false;
	snprintf(path, sizeof(path), "/v1/branches/%.60s", c->argv[0]);
	struct json *j = ctl_call(c, "DELETE", path, nothing, &printed, e);
	if (j == NULL)
		return false;
	if (!printed)
		printf("网点 %s 已停用，中心不再接受它的任何消息。\n"
		       "请向 mosquitto 发 SIGHUP 使访问表生效；它若还连着，重启 mosquitto 断开。\n"
		       "Revoked. Send mosquitto SIGHUP; a session that is still open ends when the broker "
		       "restarts.\n",
		       ctl_text(j, "branch"));
	json_free(j);
	return true;
}

static void list_show(const struct json *l)
{
	const char *fault = ctl_text(l, "fault");
	printf("      名单 %s · 版本 %lld · %lld 条 · 确认于 %s%s%s\n", ctl_text(l, "name"),
	       (long long)ctl_int(l, "version"), (long long)ctl_int(l, "count"), ctl_time(ctl_int(l, "confirmed_s")),
	       fault[0] != '\0' ? " · 故障 / fault: " : "", fault);
}

static void update_show(const struct json *u)
{
	printf("      镜像 / image: 版本 %lld · 分区 / slot %s · %s %s", (long long)ctl_int(u, "version"),
	       ctl_text(u, "slot"), ctl_text(u, "state_zh"), ctl_text(u, "state"));
	if (ctl_int(u, "wanted") != 0)
		printf(" · 现行 / in force %lld", (long long)ctl_int(u, "wanted"));
	if (ctl_int(u, "failed") != 0)
		printf(" · 已回退 / fell back from %lld", (long long)ctl_int(u, "failed"));
	printf("%s%s\n", ctl_text(u, "fault")[0] != '\0' ? " · " : "", ctl_text(u, "fault"));
}

static void alarm_show(const struct json *a)
{
	printf("      警报 / alarm %s · %s · %s · %lld 次 · %s\n", ctl_time(ctl_int(a, "last_s")),
	       ctl_text(a, "branch"), ctl_text(a, "code"), (long long)ctl_int(a, "times"), ctl_text(a, "detail"));
}

static void each(const struct json *j, const char *array, void (*one)(const struct json *j))
{
	const struct json *all = json_get(j, array);
	for (size_t i = 0; all != NULL && i < json_len(all); i++)
		one(json_at(all, i));
}

static void branch_show(const struct json *b)
{
	const char *state = ctl_int(b, "revoked_s") != 0    ? "已停用 revoked"
			    : ctl_int(b, "tampered_s") != 0 ? "已被拆动 tampered"
			    : ctl_int(b, "enrolled_s") != 0 ? "已登记 enrolled"
							    : "待登记 waiting";
	printf("  %s · %s · 最近 / last seen %s · 头 / head %lld · 日志 / journal %lld–%lld · 核查 / checks %lld · "
	       "%s\n",
	       ctl_text(b, "name"), state, ctl_time(ctl_int(b, "last_seen_s")),
	       (long long)ctl_int(b, "head_sequence"), (long long)ctl_int(b, "journal_first"),
	       (long long)ctl_int(b, "journal_last"), (long long)ctl_int(b, "checks"), ctl_text(b, "software"));
	each(b, "lists", list_show);
	if (json_get(b, "update") != NULL)
		update_show(json_get(b, "update"));
	each(b, "alarms", alarm_show);
}

static bool branch_list(struct ctl *c, struct err *e)
{
	return show(c, "/v1/branches", "branches", branch_show, e);
}

static void decision_show_line(const struct json *d)
{
	printf("  %s · %s · %s · %s · %s · %s · %s%s\n", ctl_time(ctl_int(d, "time_s")), ctl_text(d, "branch"),
	       ctl_text(d, "outcome_zh"), ctl_text(d, "masked"), ctl_text(d, "business"), ctl_text(d, "reasons"),
	       ctl_text(d, "id"), flag(d, "follow_up") ? " · 待中心核实 / follow-up" : "");
}

static bool decision_list(struct ctl *c, struct err *e)
{
	static const char *const options[] = { "branch", "outcome", "limit" };
	struct buf path;
	buf_init(&path, 1024);
	buf_add_str(&path, "/v1/decisions");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (ctl_option(c, options[i]) != NULL)
			http_query_add(&path, options[i], ctl_option(c, options[i]));
	}
	bool ok = show(c, buf_str(&path), "decisions", decision_show_line, e);
	buf_clear(&path);
	return ok;
}

static void party_show(const struct json *p)
{
	printf("  当事人 / party %s · %s · %s%s%s\n", ctl_text(p, "role"), ctl_text(p, "kind"), ctl_text(p, "masked"),
	       ctl_text(p, "number"), ctl_text(p, "name"));
}

static void reason_show(const struct json *r)
{
	printf("  理由 / reason %s · %s · %s\n", ctl_text(r, "outcome"), ctl_text(r, "code"), ctl_text(r, "rule"));
}

static void evidence_show(const struct json *v)
{
	printf("  名单 / list %s · %s · %s · 版本 / version %lld · %lld s\n", ctl_text(v, "list"),
	       ctl_text(v, "role"), ctl_text(v, "result"), (long long)ctl_int(v, "version"),
	       (long long)ctl_int(v, "age_s"));
}

static bool decision_show(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false, unseal = ctl_option(c, "unseal") != NULL;
	buf_init(&path, 512);
	buf_add_fmt(&path, "/v1/decisions/%.64s%s", c->argv[0], unseal ? "/subject" : "");
	if (ctl_option(c, "branch") != NULL)
		http_query_add(&path, "branch", ctl_option(c, "branch"));
	struct json *j = ctl_call(c, unseal ? "POST" : "GET", buf_str(&path), nothing, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	if (!printed && !unseal)
		printf("  %s · %s · %s · %s · 规则 / rules %lld\n", ctl_text(j, "id"), ctl_time(ctl_int(j, "time_s")),
		       ctl_text(j, "outcome_zh"), ctl_text(j, "business"), (long long)ctl_int(j, "rules_version"));
	if (!printed) {
		each(j, "parties", party_show);
		each(j, "reasons", reason_show);
		each(j, "lists", evidence_show);
	}
	json_free(j);
	return true;
}

static void journal_show(const struct json *l)
{
	printf("  %s · %s · 已收到 / stored up to %lld · %s%s · 死信 / dead %lld\n", ctl_text(l, "branch"),
	       ctl_text(l, "epoch"), (long long)ctl_int(l, "stored"), ctl_time(ctl_int(l, "last_s")),
	       flag(l, "current") ? "" : " · 旧的 / not current", (long long)ctl_int(l, "dead"));
}

static bool journal_list(struct ctl *c, struct err *e)
{
	return show(c, "/v1/journals", "journals", journal_show, e);
}

static void dead_show(const struct json *d)
{
	printf("  %s · %s · %lld · %lld B · %s\n", ctl_text(d, "branch"), ctl_text(d, "epoch"),
	       (long long)ctl_int(d, "seq"), (long long)ctl_int(d, "size_bytes"), ctl_text(d, "reason"));
}

static bool journal_dead(struct ctl *c, struct err *e)
{
	return show(c, "/v1/journals/dead", "dead", dead_show, e);
}

static void work_show(const struct json *w)
{
	bool runs = ctl_int(w, "pid") != 0;
	printf("  %s: %s · %lld s", runs ? "在做 / at work" : "排队 / waiting", ctl_text(w, "what"),
	       (long long)ctl_int(w, "seconds"));
	if (json_get(w, "percent") != NULL)
		printf(" · %lld %%", (long long)ctl_int(w, "percent"));
	if (runs)
		printf(" · pid %lld", (long long)ctl_int(w, "pid"));
	printf("\n");
}

static bool status(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, "GET", "/v1/status", nothing, &printed, e);
	if (j == NULL)
		return false;
	if (!printed) {
		printf("  消息总线 / broker: %s · 签名进程 / signer: %s\n"
		       "  头 / head: %lld · %s · 网点 / branches: %lld · 决定 / decisions: %lld\n",
		       flag(j, "broker_up") ? "通 up" : "断 down", flag(j, "signer_up") ? "在 up" : "不在 down",
		       (long long)ctl_int(j, "head_sequence"), ctl_time(ctl_int(j, "head_issued_s")),
		       (long long)ctl_int(j, "branches"), (long long)ctl_int(j, "decisions"));
		const struct json *n = json_get(j, "counters");
		printf("  收到 / received: %lld 批 batches, %lld 行 rows · 重复 / again %lld · 不符 / conflicts %lld "
		       "· "
		       "拒收 / refused %lld · 看不懂 / unreadable %lld\n",
		       (long long)ctl_int(n, "batches"), (long long)ctl_int(n, "rows"),
		       (long long)ctl_int(n, "duplicates"), (long long)ctl_int(n, "conflicts"),
		       (long long)ctl_int(n, "refused"), (long long)ctl_int(n, "malformed"));
		if (ctl_text(j, "last_fault")[0] != '\0')
			printf("  最近故障 / last fault: %s\n", ctl_text(j, "last_fault"));
		each(j, "work", work_show);
		each(j, "alarms", alarm_show);
	}
	json_free(j);
	return true;
}

const struct ctl_command ctl_branch_commands[] = {
	{ "branch", "token", 1, "NAME [--valid-hours 24]", "valid-hours", branch_token },
	{ "branch", "list", 0, "", "", branch_list },
	{ "branch", "revoke", 1, "NAME", "", branch_revoke },
	{ "decision", "list", 0, "[--branch B] [--outcome O] [--limit N]", "branch outcome limit", decision_list },
	{ "decision", "show", 1, "ID [--branch B] [--unseal]", "branch|unseal", decision_show },
	{ "journal", "list", 0, "", "", journal_list },
	{ "journal", "dead", 0, "", "", journal_dead },
	{ "status", "", 0, "", "", status },
	{ 0 },
};
