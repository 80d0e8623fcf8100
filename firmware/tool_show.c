/* The API's answers as text for people. */
#include "firmware/tool.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* China's time. */
static const char *when(long long s)
{
	static char text[32];
	time_t china = (time_t)(s + 28800);
	struct tm tm;
	if (s <= 0 || gmtime_r(&china, &tm) == NULL)
		return "-";
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	return text;
}

static const char *yes_no(bool v)
{
	return v ? "是 yes" : "否 no";
}

static void show_list(const struct json *l)
{
	bool never = json_get(l, "age_s") == NULL || json_kind(json_get(l, "age_s")) == JSON_KIND_NULL;
	char age[32] = "-";
	if (!never)
		snprintf(age, sizeof(age), "%lld s", tool_int(l, "age_s"));
	printf("  %-24s 版本 version %lld · 条目 entries %lld · 确认于 confirmed %s%s\n", tool_text(l, "name"),
	       tool_int(l, "version"), tool_int(l, "count"), age, never ? "" : " 前 ago");
	if (*tool_text(l, "fault") != '\0')
		printf("  %-24s 故障 fault: %s\n", "", tool_text(l, "fault"));
}

static void show_list_more(const struct json *l)
{
	printf("  密钥期 epoch %lld · 增量层 layers %lld · %lld KiB\n", tool_int(l, "epoch"), tool_int(l, "layers"),
	       (tool_int(l, "size_bytes") + 1023) / 1024);
	printf("  快照 snapshot SHA-256 %s\n", tool_text(l, "hash"));
}

size_t tool_show_lists(const struct json *j, const char *wanted)
{
	const struct json *l;
	size_t shown = 0;
	for (size_t i = 0; (l = tool_item(j, "lists", i)) != NULL; i++) {
		if (wanted != NULL && strcmp(wanted, tool_text(l, "name")) != 0)
			continue;
		shown++;
		show_list(l);
		if (wanted != NULL)
			show_list_more(l);
	}
	return shown;
}

static void show_central(const struct json *c)
{
	printf("连通中心 Central: %s\n", tool_bool(c, "up") ? "在线 up" : "离线 down");
	printf("最新目录 Head: %lld, %s\n", tool_int(c, "head_sequence"), when(tool_int(c, "head_issued_s")));
	if (*tool_text(c, "last_fault") != '\0')
		printf("最近故障 Last fault: %s\n", tool_text(c, "last_fault"));
}

/* Nothing of a box that has no slots. */
static void show_update(const struct json *u)
{
	if (u == NULL || json_kind(u) != JSON_KIND_OBJECT)
		return;
	printf("镜像 Image: 版本 version %lld · 分区 slot %s · %s", tool_int(u, "version"), tool_text(u, "slot"),
	       tool_text(u, "state"));
	if (tool_int(u, "wanted") != 0)
		printf(" · 现行 in force %lld", tool_int(u, "wanted"));
	if (strcmp(tool_text(u, "state"), "fetching") == 0)
		printf(" · %lld/%lld", tool_int(u, "chunks_got"), tool_int(u, "chunks"));
	if (tool_int(u, "failed") != 0)
		printf(" · 已回退 fell back from %lld", tool_int(u, "failed"));
	printf("\n");
	if (*tool_text(u, "fault") != '\0')
		printf("更新故障 Update fault: %s\n", tool_text(u, "fault"));
}

void tool_show_status(const struct json *j)
{
	const struct json *journal = json_get(j, "journal"), *checks = json_get(j, "checks");
	const struct json *documents = json_get(j, "documents");
	bool enrolled = tool_bool(j, "enrolled");
	printf("网点 Branch: %s\n", enrolled ? tool_text(j, "branch") : "未注册 not enrolled");
	printf("软件 Software: %s%s\n", tool_text(j, "software"), tool_bool(j, "loading") ? " (载入中 loading)" : "");
	printf("时间 Time: %s (可信 trusted: %s)\n", when(tool_int(j, "time_s")),
	       yes_no(tool_bool(j, "clock_trusted")));
	show_central(json_get(j, "central"));
	printf("文件 Documents: 规则 rules %lld · 目录 catalogue %lld\n", tool_int(documents, "rules"),
	       tool_int(documents, "catalogue"));
	printf("日志 Journal: %lld … %lld · 中心已收 acknowledged %lld · 可写 writable: %s\n",
	       tool_int(journal, "first"), tool_int(journal, "last"), tool_int(journal, "acknowledged"),
	       yes_no(tool_bool(journal, "writable")));
	printf("核查 Checks: 通过 pass %lld · 加强核查 enhanced %lld · 转人工 refer %lld · 拒绝 refuse %lld\n",
	       tool_int(checks, "pass"), tool_int(checks, "enhanced"), tool_int(checks, "refer"),
	       tool_int(checks, "refuse"));
	if (enrolled)
		printf("证书至 Certificate until: %s\n", when(tool_int(j, "certificate_to_s")));
	printf("终端 Terminals: %lld\n", tool_int(j, "terminals"));
	if (*tool_text(j, "gate_fault") != '\0')
		printf("网络进程 Gate: %s\n", tool_text(j, "gate_fault"));
	show_update(json_get(j, "update"));
	printf("名单 Lists:\n");
	if (tool_show_lists(j, NULL) == 0)
		printf("  无 none\n");
}

static void show_zh_en(const struct json *j, const char *key, const char *label)
{
	const struct json *text = json_get(j, key);
	if (text != NULL)
		printf("    %s%s\n    %s%s\n", label, tool_text(text, "zh"), label, tool_text(text, "en"));
}

static void show_evidence(const struct json *l)
{
	const struct json *text = json_get(l, "reason_text");
	printf("  %-24s %-12s %s · 版本 version %lld", tool_text(l, "name"), tool_text(l, "role"),
	       tool_text(l, "result"), tool_int(l, "version"));
	if (text != NULL)
		printf(" · %s %s", tool_text(text, "zh"), tool_text(text, "en"));
	printf("\n");
}

void tool_show_decision(const struct json *j)
{
	const struct json *outcome = json_get(j, "outcome_text"), *subject = json_get(j, "subject"), *item;
	printf("结论 Outcome: %s %s\n", tool_text(outcome, "zh"), tool_text(outcome, "en"));
	printf("决定编号 Decision: %s\n", tool_text(j, "decision_id"));
	printf("请求编号 Request: %s · 终端 terminal %s · 业务 business %s\n", tool_text(j, "request_id"),
	       tool_text(j, "terminal"), tool_text(j, "business"));
	printf("时间 Time: %s\n", tool_text(j, "time"));
	printf("对象 Subject: %s %s\n", tool_text(subject, "kind"), tool_text(subject, "masked"));
	printf("理由 Reasons:%s\n", tool_item(j, "reasons", 0) == NULL ? " 无 none" : "");
	for (size_t i = 0; (item = tool_item(j, "reasons", i)) != NULL; i++) {
		printf("  %s (%s, %s)\n", tool_text(item, "code"), tool_text(item, "rule"),
		       tool_text(item, "outcome"));
		show_zh_en(item, "text", "");
		show_zh_en(item, "basis", "依据 basis: ");
	}
	printf("名单 Lists:\n");
	for (size_t i = 0; (item = tool_item(j, "lists", i)) != NULL; i++)
		show_evidence(item);
	if (tool_bool(j, "follow_up"))
		printf("待中心核实 To be verified by central\n");
}

void tool_show_terminals(const struct json *j)
{
	const struct json *t;
	for (size_t i = 0; (t = tool_item(j, "terminals", i)) != NULL; i++)
		printf("%-32s %s · %s · %s\n", tool_text(t, "name"),
		       tool_bool(t, "enabled") ? "启用 enabled" : "已撤销 revoked",
		       tool_bool(t, "certificate") ? "证书 certificate" : "令牌 token", when(tool_int(t, "added_s")));
}
