/* centralctl: source, batch. */
#include "central/ctl/ingest.h"
#include "protocol/base/file.h"
#include "protocol/base/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX 67108864U

static const struct bytes nothing = { NULL, 0 };

struct json *ctl_quiet(struct ctl *c, const char *method, const char *path, struct bytes body, struct err *e)
{
	struct buf out;
	struct json *j = NULL;
	buf_init(&out, ANSWER_MAX);
	if (ctl_fetch(c, method, path, body, &out, e))
		j = json_parse(buf_bytes(&out), e);
	buf_clear(&out);
	return j;
}

void ctl_option_send(struct ctl *c, struct buf *path, const char *option, const char *as)
{
	if (ctl_option(c, option) != NULL)
		http_query_add(path, as, ctl_option(c, option));
}

static bool number_is_fine(const char *text, struct err *e)
{
	return (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0' && strlen(text) < 19) ||
	       err_set(e, ERR_INPUT, "'%.40s': expected a batch's number; see: centralctl batch list", text);
}

static bool flag_of(const struct json *j, const char *key)
{
	const struct json *v = json_get(j, key);
	return v != NULL && json_kind(v) == JSON_KIND_BOOL && json_bool_value(v);
}

/* --- sources --- */

static bool source_import_file(struct ctl *c, struct err *e)
{
	struct buf file;
	bool printed = false;
	struct json *j = NULL;
	buf_init(&file, 16U << 20);
	if (file_read(c->argv[0], &file, e))
		j = ctl_call(c, "POST", "/v1/sources", buf_bytes(&file), &printed, e);
	buf_clear(&file);
	if (j == NULL)
		return false;
	if (!printed)
		printf("数据目录已导入 / catalogue imported: 新增 new %lld · 变更 changed %lld · 未变 same %lld\n",
		       (long long)ctl_int(j, "added"), (long long)ctl_int(j, "changed"),
		       (long long)ctl_int(j, "same"));
	json_free(j);
	return true;
}

static void source_line(const struct json *s)
{
	bool there = ctl_text(s, "period")[0] != '\0';
	printf("  %s · %s · %s · %s%s\n", ctl_text(s, "code"), ctl_text(s, "department_zh"),
	       ctl_text(s, "category_zh"), ctl_text(s, "indicator_zh"),
	       flag_of(s, "sample") ? " · 样例 / sample" : "");
	if (there)
		printf("    期间 / period %s · %lld 行 / rows · 申报截至 / claimed %s · 内容截至 / content %s · 载入 "
		       "/ loaded "
		       "%s",
		       ctl_text(s, "period"), (long long)ctl_int(s, "rows"), ctl_text(s, "claimed_day"),
		       ctl_text(s, "content_day")[0] != '\0' ? ctl_text(s, "content_day") : "-",
		       ctl_time(ctl_int(s, "loaded_s")));
	else
		printf("    尚无数据 / nothing yet");
	printf("%s\n", flag_of(s, "overdue") ? " · 逾期 / overdue" : "");
}

static bool source_list(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	buf_init(&path, 1024);
	buf_add_str(&path, "/v1/sources");
	ctl_option_send(c, &path, "category", "category");
	ctl_option_send(c, &path, "department", "department");
	struct json *j = ctl_call(c, "GET", buf_str(&path), nothing, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "sources");
	size_t len = all != NULL ? json_len(all) : 0;
	for (size_t i = 0; !printed && i < len; i++)
		source_line(json_at(all, i));
	if (!printed && len == 0)
		printf("  没有数据源 / no source; centralctl source import FILE.json\n");
	json_free(j);
	return true;
}

static void field_line(const struct json *f)
{
	const struct json *k = json_get(f, "constraints");
	printf("    %s (%s) · %s%s%s%s%s%s\n", ctl_text(f, "name"), ctl_text(f, "title"),
	       ctl_text(f, "type")[0] != '\0' ? ctl_text(f, "type") : "string",
	       ctl_text(f, "identifier")[0] != '\0' ? " · " : "", ctl_text(f, "identifier"),
	       ctl_text(f, "unit")[0] != '\0' ? " · " : "", ctl_text(f, "unit"),
	       k != NULL && flag_of(k, "required") ? " · 必填 / required" : "");
}

static bool source_show(struct ctl *c, struct err *e)
{
	char path[96];
	bool printed = false;
	snprintf(path, sizeof(path), "/v1/sources/%.40s", c->argv[0]);
	struct json *j = ctl_call(c, "GET", path, nothing, &printed, e);
	if (j == NULL)
		return false;
	const struct json *schema = json_get(j, "schema"),
			  *fields = schema != NULL ? json_get(schema, "fields") : NULL;
	if (!printed) {
		source_line(j);
		printf("    第 %lld 版 / version · %s · 负责 / owner %s\n", (long long)ctl_int(j, "version"),
		       ctl_text(j, "cadence"), ctl_text(j, "owner"));
	}
	for (size_t i = 0; !printed && fields != NULL && i < json_len(fields); i++)
		field_line(json_at(fields, i));
	json_free(j);
	return true;
}

/* --- batches --- */

static void batch_line(const struct json *b)
{
	printf("  批次 / batch %lld · %s %s · %s (%s) · 收录 / accepted %lld · 退回 / rejected %lld · 修复 / "
	       "repaired %lld "
	       "· %s · %s\n",
	       (long long)ctl_int(b, "id"), ctl_text(b, "source"), ctl_text(b, "period"), ctl_text(b, "state_zh"),
	       ctl_text(b, "state"), (long long)ctl_int(b, "accepted"), (long long)ctl_int(b, "rejected"),
	       (long long)ctl_int(b, "repaired"), ctl_text(b, "file"), ctl_text(b, "created_by"));
	const struct json *holds = json_get(b, "holds");
	bool held = strcmp(ctl_text(b, "state"), "held") == 0;
	for (size_t i = 0; held && holds != NULL && i < json_len(holds); i++)
		printf("    %s: %s / %s\n", ctl_text(json_at(holds, i), "code"), ctl_text(json_at(holds, i), "zh"),
		       ctl_text(json_at(holds, i), "en"));
	if (held)
		printf("    放行 / centralctl batch release %lld --reason TEXT · 作废 / centralctl batch discard "
		       "%lld --reason "
		       "TEXT\n",
		       (long long)ctl_int(b, "id"), (long long)ctl_int(b, "id"));
}

static void batch_more(const struct json *b)
{
	const struct json *drift = json_get(b, "drift");
	printf("    编码 / encoding %s · 重复 / duplicates %lld · 申报截至 / claimed %s · 内容 / content %s – %s\n",
	       ctl_text(b, "encoding"), (long long)ctl_int(b, "duplicates"), ctl_text(b, "claimed_day"),
	       ctl_text(b, "content_from"), ctl_text(b, "content_to"));
	for (size_t i = 0; drift != NULL && i < json_len(drift); i++)
		printf("    第 %lld 列 / column: %s · %s / %s\n", (long long)ctl_int(json_at(drift, i), "column"),
		       ctl_text(json_at(drift, i), "code"), ctl_text(json_at(drift, i), "zh"),
		       ctl_text(json_at(drift, i), "en"));
	if (ctl_int(b, "superseded_s") != 0)
		printf("    被替代于 / superseded %s · 行清除于 / rows erased %s\n",
		       ctl_time(ctl_int(b, "superseded_s")), ctl_time(ctl_int(b, "erased_s")));
	if (flag_of(b, "growing"))
		printf("    当天消息仍在并入 / grows by messages until the day is over\n");
	if (ctl_text(b, "decided_by")[0] != '\0')
		printf("    %s %s: %s\n", ctl_time(ctl_int(b, "decided_s")), ctl_text(b, "decided_by"),
		       ctl_text(b, "decided_why"));
	if (ctl_int(b, "rejects_kept") < ctl_int(b, "rejected"))
		printf("    退回行只保留前 %lld 行 / of the rejected rows the first so many are kept\n",
		       (long long)ctl_int(b, "rejects_kept"));
}

bool ctl_batch_call(struct ctl *c, const char *method, const char *path, bool more, struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, method, path, nothing, &printed, e);
	if (j == NULL)
		return false;
	if (!printed)
		batch_line(j);
	if (!printed && more)
		batch_more(j);
	json_free(j);
	return true;
}

bool ctl_rejects_save(struct ctl *c, int64_t id, const char *to, struct err *e)
{
	char path[80];
	struct buf out;
	snprintf(path, sizeof(path), "/v1/batches/%lld/rejects", (long long)id);
	buf_init(&out, ANSWER_MAX);
	bool ok = ctl_fetch(c, "GET", path, nothing, &out, e);
	if (ok && to != NULL)
		ok = file_write(to, buf_bytes(&out), 0600, e);
	else if (ok)
		fwrite(out.data, 1, out.len, stdout);
	buf_clear(&out);
	return ok;
}

static bool batch_list(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	buf_init(&path, 1024);
	buf_add_str(&path, "/v1/batches");
	ctl_option_send(c, &path, "source", "source");
	ctl_option_send(c, &path, "limit", "limit");
	struct json *j = ctl_call(c, "GET", buf_str(&path), nothing, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "batches");
	for (size_t i = 0; !printed && all != NULL && i < json_len(all); i++)
		batch_line(json_at(all, i));
	json_free(j);
	return true;
}

static bool batch_show(struct ctl *c, struct err *e)
{
	char path[80];
	snprintf(path, sizeof(path), "/v1/batches/%.20s", c->argv[0]);
	return number_is_fine(c->argv[0], e) && ctl_batch_call(c, "GET", path, true, e);
}

static bool batch_rejects_get(struct ctl *c, struct err *e)
{
	return number_is_fine(c->argv[0], e) &&
	       ctl_rejects_save(c, strtoll(c->argv[0], NULL, 10), ctl_option(c, "out"), e);
}

static bool decision(struct ctl *c, const char *verb, struct err *e)
{
	struct buf path;
	if (!number_is_fine(c->argv[0], e))
		return false;
	buf_init(&path, 2048);
	buf_add_fmt(&path, "/v1/batches/%s/%s", c->argv[0], verb);
	http_query_add(&path, "reason", ctl_option(c, "reason") != NULL ? ctl_option(c, "reason") : "");
	bool ok = buf_ok(&path, "the reason", e) && ctl_batch_call(c, "POST", buf_str(&path), true, e);
	buf_clear(&path);
	return ok;
}

static bool batch_release_ask(struct ctl *c, struct err *e)
{
	return decision(c, "release", e);
}

static bool batch_discard_ask(struct ctl *c, struct err *e)
{
	return decision(c, "discard", e);
}

static struct json *expire_step(struct ctl *c, bool look, struct err *e)
{
	struct buf path;
	buf_init(&path, 2048);
	buf_add_str(&path, "/v1/batches/expire");
	ctl_option_send(c, &path, "source", "source");
	ctl_option_send(c, &path, "older-than", "older_than");
	ctl_option_send(c, &path, "reason", "reason");
	if (look)
		http_query_add(&path, "look", "1");
	struct json *j = buf_ok(&path, "the arguments", e) ? ctl_quiet(c, "POST", buf_str(&path), nothing, e) : NULL;
	buf_clear(&path);
	return j;
}

/* Step by step, so that centrald does other things between. */
static bool batch_expire_ask(struct ctl *c, struct err *e)
{
	bool look = ctl_option(c, "dry-run") != NULL, more = true;
	size_t n = 0;
	while (more) {
		struct json *j = expire_step(c, look, e);
		const struct json *all = j != NULL ? json_get(j, "batches") : NULL;
		if (j == NULL)
			return false;
		for (size_t i = 0; all != NULL && i < json_len(all); i++, n++)
			if (!c->json)
				batch_line(json_at(all, i));
		more = flag_of(j, "more");
		json_free(j);
	}
	if (c->json)
		printf("{\"batches\":%zu}\n", n);
	else
		printf("  %s: %zu\n", look ? "到期 / due" : "已清除 / erased", n);
	return true;
}

const struct ctl_command ctl_ingest_commands[] = {
	{ "source", "import", 1, "FILE.json", "", source_import_file },
	{ "source", "list", 0, "[--category CODE] [--department CODE]", "category department", source_list },
	{ "source", "show", 1, "CODE", "", source_show },
	{ "batch", "check", 1, "FILE [--source CODE] [--format csv|ndjson] [--encoding auto|utf-8|gb18030]",
	  "source format encoding", ctl_batch_check },
	{ "batch", "load", 2,
	  "SOURCE FILE --period 2026-10 [--as-of 2026-10-31] [--format csv|ndjson] [--encoding auto|utf-8|gb18030] "
	  "[--rejects OUT.csv]",
	  "period as-of format encoding rejects", ctl_batch_load },
	{ "batch", "list", 0, "[--source CODE] [--limit N]", "source limit", batch_list },
	{ "batch", "show", 1, "ID", "", batch_show },
	{ "batch", "rejects", 1, "ID [--out FILE.csv]", "out", batch_rejects_get },
	{ "batch", "release", 1, "ID --reason TEXT", "reason", batch_release_ask },
	{ "batch", "discard", 1, "ID --reason TEXT", "reason", batch_discard_ask },
	{ "batch", "expire", 0, "[--source CODE] [--older-than DAYS] --reason TEXT | --dry-run",
	  "source older-than reason|dry-run", batch_expire_ask },
	{ 0 },
};
