#include "central/ctl/ctl.h"

#include "protocol/base/file.h"
#include "protocol/base/http.h"
#include "protocol/base/limits.h"

#include <stdio.h>
#include <string.h>

#define FILE_MAX HTTP_UPLOAD_MAX

static void release_line(const struct json *r)
{
	printf("  发布单 %lld · %s 第 %lld 版 · %s (%s)", (long long)ctl_int(r, "id"), ctl_text(r, "name"),
	       (long long)ctl_int(r, "version"), ctl_text(r, "state_zh"), ctl_text(r, "state"));
	if (strcmp(ctl_text(r, "kind"), "model") == 0)
		printf(" · 模型 / model %.16s… · 缺陷 / faults %lld · %s", ctl_text(r, "content_sha256"),
		       (long long)ctl_int(r, "rejects"), ctl_text(r, "created_by"));
	else
		printf(" · 条目 %lld · 新增 %lld 移除 %lld 变更 %lld · %s", (long long)ctl_int(r, "count"),
		       (long long)ctl_int(r, "added"), (long long)ctl_int(r, "removed"),
		       (long long)ctl_int(r, "changed"), ctl_text(r, "created_by"));
	if (ctl_text(r, "decided_by")[0] != '\0')
		printf(" → %s", ctl_text(r, "decided_by"));
	printf(" · %s\n", ctl_text(r, "source"));
}

bool ctl_release_call(struct ctl *c, const char *method, const char *path, struct bytes body, struct err *e)
{
	bool printed = false;
	struct json *r = ctl_call(c, method, path, body, &printed, e);
	if (r == NULL)
		return false;
	if (!printed) {
		release_line(r);
		if (strcmp(ctl_text(r, "state"), "draft") == 0 && ctl_text(r, "guard")[0] != '\0')
			printf("  注意 / note: %s\n", ctl_text(r, "guard"));
	}
	json_free(r);
	return true;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

static bool rejects_save(struct ctl *c, int64_t id, const char *to, struct err *e)
{
	char path[80];
	struct buf out;
	snprintf(path, sizeof(path), "/v1/releases/%lld/rejects", (long long)id);
	buf_init(&out, 67108864U);
	bool ok = ctl_fetch(c, "GET", path, (struct bytes){ NULL, 0 }, &out, e) &&
		  file_write(to, buf_bytes(&out), 0600, e);
	buf_clear(&out);
	return ok;
}

static void import_print(const struct json *r)
{
	printf("已导入为草稿 / imported as a draft\n");
	release_line(r);
	printf("  读取 %lld 行，条目 %lld，退回 %lld，重复 %lld，忽略 %lld\n", (long long)ctl_int(r, "rows"),
	       (long long)ctl_int(r, "imported"), (long long)ctl_int(r, "rejects"),
	       (long long)ctl_int(r, "duplicates"), (long long)ctl_int(r, "ignored"));
	printf("  read %lld rows: %lld entries, %lld rejected, %lld given twice, %lld ignored\n",
	       (long long)ctl_int(r, "rows"), (long long)ctl_int(r, "imported"), (long long)ctl_int(r, "rejects"),
	       (long long)ctl_int(r, "duplicates"), (long long)ctl_int(r, "ignored"));
	if (ctl_text(r, "guard")[0] != '\0')
		printf("  注意 / note: %s\n", ctl_text(r, "guard"));
}

static bool import_send(struct ctl *c, const char *path, struct bytes file, struct err *e)
{
	bool printed = false;
	const char *rejects = ctl_option(c, "rejects");
	struct json *r = ctl_call(c, "POST", path, file, &printed, e);
	if (r == NULL)
		return false;
	if (!printed)
		import_print(r);
	int64_t id = ctl_int(r, "id");
	json_free(r);
	return rejects == NULL || rejects_save(c, id, rejects, e);
}

static bool list_import(struct ctl *c, struct err *e)
{
	static const char *const options[] = { "format", "mode", "reason" };
	struct buf path, file;
	buf_init(&path, 2048);
	buf_init(&file, FILE_MAX);
	buf_add_fmt(&path, "/v1/lists/%s/import", c->argv[0]);
	http_query_add(&path, "source", base_name(c->argv[1]));
	for (size_t i = 0; i < 3; i++) {
		if (ctl_option(c, options[i]) != NULL)
			http_query_add(&path, options[i], ctl_option(c, options[i]));
	}
	bool ok = buf_ok(&path, "the arguments", e) && file_read(c->argv[1], &file, e);
	struct bytes body = file.data != NULL ? buf_bytes(&file) : bytes_of("");
	ok = ok && import_send(c, buf_str(&path), body, e);
	buf_clear(&path);
	buf_clear(&file);
	return ok;
}

static bool document_import(struct ctl *c, struct err *e)
{
	struct buf path, file;
	buf_init(&path, 2048);
	buf_init(&file, DOCUMENT_MAX);
	buf_add_fmt(&path, "/v1/documents/%s/import", c->argv[0]);
	http_query_add(&path, "source", base_name(c->argv[1]));
	bool ok = buf_ok(&path, "the arguments", e) && file_read(c->argv[1], &file, e) &&
		  ctl_release_call(c, "POST", buf_str(&path), buf_bytes(&file), e);
	buf_clear(&path);
	buf_clear(&file);
	return ok;
}

static bool release_list(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct buf path;
	buf_init(&path, 1024);
	buf_add_str(&path, "/v1/releases");
	http_query_add(&path, "limit", ctl_option(c, "limit") != NULL ? ctl_option(c, "limit") : "20");
	if (ctl_option(c, "name") != NULL)
		http_query_add(&path, "name", ctl_option(c, "name"));
	struct json *j = ctl_call(c, "GET", buf_str(&path), (struct bytes){ NULL, 0 }, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "releases");
	for (size_t i = 0; !printed && all != NULL && i < json_len(all); i++)
		release_line(json_at(all, i));
	json_free(j);
	return true;
}

static bool step(struct ctl *c, const char *method, const char *verb, struct err *e)
{
	char path[160];
	snprintf(path, sizeof(path), "/v1/releases/%.40s%s", c->argv[0], verb);
	return ctl_release_call(c, method, path, (struct bytes){ NULL, 0 }, e);
}

static bool release_show(struct ctl *c, struct err *e)
{
	return step(c, "GET", "", e);
}

static bool release_submit(struct ctl *c, struct err *e)
{
	return step(c, "POST", ctl_option(c, "force") != NULL ? "/submit?force=1" : "/submit", e);
}

static bool release_approve(struct ctl *c, struct err *e)
{
	return step(c, "POST", "/approve", e);
}

static bool release_reject(struct ctl *c, struct err *e)
{
	return step(c, "POST", "/reject", e);
}

static bool release_publish(struct ctl *c, struct err *e)
{
	return step(c, "POST", "/publish", e);
}

static bool release_rollback(struct ctl *c, struct err *e)
{
	struct buf path;
	buf_init(&path, 512);
	buf_add_fmt(&path, "/v1/rollback/%.60s", c->argv[0]);
	http_query_add(&path, "version", c->argv[1]);
	bool ok = ctl_release_call(c, "POST", buf_str(&path), (struct bytes){ NULL, 0 }, e);
	buf_clear(&path);
	return ok;
}

static void lines_print(const char *text, char sign)
{
	while (*text != '\0') {
		int len = (int)strcspn(text, "\n");
		printf("%c %.*s\n", sign, len, text);
		text += len + (text[len] == '\n');
	}
}

/* Where two texts first and last differ, as whole lines. */
static void document_diff_print(const char *before, const char *after)
{
	size_t same = 0, line = 0;
	while (before[same] != '\0' && before[same] == after[same]) {
		same++;
		if (before[same - 1] == '\n')
			line = same;
	}
	size_t b = strlen(before), a = strlen(after);
	while (b > line && a > line && before[b - 1] == after[a - 1])
		b--, a--;
	while (before[b] != '\0' && before[b] != '\n')
		b++;
	while (after[a] != '\0' && after[a] != '\n')
		a++;
	char part[65536];
	snprintf(part, sizeof(part), "%.*s", b > line ? (int)(b - line) : 0, before + line);
	lines_print(part, '-');
	snprintf(part, sizeof(part), "%.*s", a > line ? (int)(a - line) : 0, after + line);
	lines_print(part, '+');
}

static void diff_print(const struct json *j)
{
	const struct json *changes = json_get(j, "changes");
	printf("%s 第 %lld 版 → 第 %lld 版：条目 %lld → %lld，新增 %lld，移除 %lld，变更 %lld\n", ctl_text(j, "name"),
	       (long long)ctl_int(j, "base_version"), (long long)ctl_int(j, "version"),
	       (long long)ctl_int(j, "base_count"), (long long)ctl_int(j, "count"), (long long)ctl_int(j, "added"),
	       (long long)ctl_int(j, "removed"), (long long)ctl_int(j, "changed"));
	for (size_t i = 0; changes != NULL && i < json_len(changes); i++) {
		const struct json *v = json_at(changes, i);
		const char *kind = ctl_text(v, "change"), *shown = ctl_text(v, "shown");
		printf("  %c %s · 原因 %lld\n",
		       kind[0] == 'a'   ? '+'
		       : kind[0] == 'r' ? '-'
					: '~',
		       shown[0] != '\0' ? shown : ctl_text(v, "tag"), (long long)ctl_int(v, "reason"));
	}
	if (changes == NULL)
		document_diff_print(ctl_text(j, "before"), ctl_text(j, "after"));
	if (ctl_text(j, "guard")[0] != '\0')
		printf("  注意 / note: %s\n", ctl_text(j, "guard"));
}

static bool release_diff(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct buf path;
	buf_init(&path, 512);
	buf_add_fmt(&path, "/v1/releases/%.40s/diff", c->argv[0]);
	if (ctl_option(c, "limit") != NULL)
		http_query_add(&path, "limit", ctl_option(c, "limit"));
	struct json *j = ctl_call(c, "GET", buf_str(&path), (struct bytes){ NULL, 0 }, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	if (!printed)
		diff_print(j);
	json_free(j);
	return true;
}

static bool release_rejects(struct ctl *c, struct err *e)
{
	char path[80];
	struct buf out;
	snprintf(path, sizeof(path), "/v1/releases/%.40s/rejects", c->argv[0]);
	buf_init(&out, 67108864U);
	bool ok = ctl_fetch(c, "GET", path, (struct bytes){ NULL, 0 }, &out, e);
	if (ok)
		fwrite(out.data, 1, out.len, stdout);
	buf_clear(&out);
	return ok;
}

const struct ctl_command ctl_release_commands[] = {
	{ "list", "import", 2,
	  "NAME FILE [--format auto|csv|ofac-sdn] [--mode replace|add|remove] [--reason N] [--rejects OUT.csv]",
	  "format mode reason rejects", list_import },
	{ "document", "import", 2, "rules|catalogue|NAME FILE.json", "", document_import },
	{ "release", "list", 0, "[--name NAME] [--limit N]", "name limit", release_list },
	{ "release", "show", 1, "ID", "", release_show },
	{ "release", "diff", 1, "ID [--limit N]", "limit", release_diff },
	{ "release", "rejects", 1, "ID", "", release_rejects },
	{ "release", "submit", 1, "ID [--force]", "|force", release_submit },
	{ "release", "approve", 1, "ID", "", release_approve },
	{ "release", "reject", 1, "ID", "", release_reject },
	{ "release", "publish", 1, "ID", "", release_publish },
	{ "release", "rollback", 2, "NAME VERSION", "", release_rollback },
	{ 0 },
};
