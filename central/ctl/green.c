/* centralctl: green. */
#include "central/ctl/subject.h"
#include "protocol/base/file.h"
#include "protocol/base/http.h"

#include <stdio.h>
#include <string.h>

#define FILE_BYTES_MAX 16777216U
#define ANSWER_MAX     67108864U

static const struct bytes nothing = { NULL, 0 };

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);
	return n >= m && strcmp(text + n - m, end) == 0;
}

/* --- files --- */

static void rejects_print(const struct json *j)
{
	const struct json *all = json_get(j, "rejects");
	for (size_t i = 0; all != NULL && i < json_len(all); i++) {
		const struct json *r = json_at(all, i);
		printf("  行 / row %lld %s %s · %s / %s\n", (long long)ctl_int(r, "row"), ctl_text(r, "field"),
		       ctl_text(r, "code"), ctl_text(r, "zh"), ctl_text(r, "en"));
	}
}

static struct json *sheet_send(struct ctl *c, const char *path, struct err *e)
{
	struct buf file;
	bool printed = false;
	struct json *j = NULL;
	char to[80];
	const char *name = c->argv[0];
	snprintf(to, sizeof(to), "%s?format=%s", path,
		 ends_with(name, ".ndjson") || ends_with(name, ".jsonl") ? "ndjson" : "csv");
	buf_init(&file, FILE_BYTES_MAX);
	if (file_read(name, &file, e))
		j = ctl_call(c, "POST", to, buf_bytes(&file), &printed, e);
	buf_wipe(&file);
	if (j != NULL && !printed) {
		printf("  收录 / taken %lld · 重复 / repeated %lld · 退回 / rejected %lld\n",
		       (long long)ctl_int(j, "accepted"), (long long)ctl_int(j, "repeated"),
		       (long long)ctl_int(j, "rejected"));
		rejects_print(j);
	}
	return j;
}

static bool rejects_judge(const struct json *j, struct err *e)
{
	return ctl_int(j, "rejected") == 0 ||
	       err_set(e, ERR_INPUT, "%lld 行被退回 / rows were rejected: see why; the others count",
		       (long long)ctl_int(j, "rejected"));
}

static bool green_import(struct ctl *c, struct err *e)
{
	struct json *j = sheet_send(c, "/v1/green/ratings", e);
	if (j == NULL)
		return false;
	if (!c->json && ctl_int(j, "conflicts") > 0)
		printf("  未裁决的冲突 / open conflicts %lld: centralctl green conflicts\n",
		       (long long)ctl_int(j, "conflicts"));
	bool ok = rejects_judge(j, e);
	json_free(j);
	return ok;
}

/* --- reading --- */

static void rating_print(const char *before, const struct json *r, bool counts)
{
	printf("%s%lld · %s %s → %s · %s 至 / to %s · %s%s\n", before, (long long)ctl_int(r, "rating"),
	       ctl_text(r, "rater"), ctl_text(r, "grade"), ctl_text(r, "level_zh"), ctl_text(r, "from"),
	       ctl_text(r, "until"), ctl_text(r, "reference"), counts ? " · 采用 / counts" : "");
}

static void among_print(const struct json *s)
{
	const struct json *all = json_get(s, "among");
	for (size_t i = 0; all != NULL && i < json_len(all); i++)
		rating_print("      ", json_at(all, i), false);
}

static void standing_print(const struct json *s)
{
	const struct json *rating = json_get(s, "rating"), *own = json_get(s, "own_differs");
	printf("  %s%s%s%s · %s\n", ctl_text(s, "masked"),
	       ctl_text(s, "project")[0] != '\0' ? " 项目 / project " : "", ctl_text(s, "project"),
	       rating != NULL ? "" : " 无评级 / no rating", ctl_text(s, "basis_zh"));
	if (rating != NULL)
		rating_print("    ", rating, true);
	if (own != NULL)
		printf("    自评不同 / our own rating differs: %s\n", ctl_text(own, "level_zh"));
	if (ctl_text(s, "conflict")[0] != '\0')
		printf("    冲突 / conflict %s%s%s\n", ctl_text(s, "conflict"),
		       ctl_text(s, "reason")[0] != '\0' ? " · 裁决理由 / reason: " : "", ctl_text(s, "reason"));
	among_print(s);
}

static void history_print(const struct json *s)
{
	const struct json *all = json_get(s, "history");
	for (size_t i = 0; all != NULL && i < json_len(all); i++) {
		const struct json *one = json_at(all, i), *rating = json_get(one, "rating");
		const char *until = ctl_text(one, "until");
		printf("    %s — %s: %s · %s\n", ctl_text(one, "from"), until[0] != '\0' ? until : "…",
		       rating != NULL ? ctl_text(rating, "level_zh") : "无评级 / none", ctl_text(one, "basis_zh"));
	}
}

static void subjects_print(const struct json *j)
{
	const struct json *all = json_get(j, "subjects");
	for (size_t i = 0; all != NULL && i < json_len(all); i++) {
		standing_print(json_at(all, i));
		history_print(json_at(all, i));
	}
	if (all == NULL || json_len(all) == 0)
		printf("  没有 / none\n");
}

/* The answer into a file of mode 0600. */
static bool file_save(struct ctl *c, const char *path, struct bytes body, const char *to, struct err *e)
{
	struct buf out;
	buf_init(&out, ANSWER_MAX);
	bool ok = ctl_fetch(c, "POST", path, body, &out, e) && file_write(to, buf_bytes(&out), 0600, e);
	if (ok)
		printf("  已写入 / written: %s（%zu 字节 / bytes）\n", to, out.len);
	buf_wipe(&out);
	return ok;
}

static bool asked_send(struct ctl *c, const char *path, struct buf *body, const char *to, struct err *e)
{
	bool printed = false;
	struct json *j = NULL;
	bool ok = buf_ok(body, "the request", e);
	if (ok && to != NULL) {
		ok = file_save(c, path, buf_bytes(body), to, e);
	} else if (ok) {
		j = ctl_call(c, "POST", path, buf_bytes(body), &printed, e);
		ok = j != NULL;
		if (ok && !printed)
			subjects_print(j);
	}
	json_free(j);
	buf_wipe(body);
	return ok;
}

static const char *format_of(const char *to)
{
	return to == NULL ? "json" : ends_with(to, ".html") ? "html" : ends_with(to, ".csv") ? "csv" : "json";
}

static void asked_put(const struct ctl *c, struct json_out *w, const char *purpose)
{
	json_put_text(w, "purpose", purpose);
	if (ctl_option(c, "as-of") != NULL)
		json_put_text(w, "as_of", ctl_option(c, "as-of"));
	json_put_text(w, "format", format_of(ctl_option(c, "out")));
}

static bool green_show(struct ctl *c, struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	buf_init(&body, 4096);
	json_open(&w, NULL, '{');
	ctl_subject_put(c, &w, "subject", "kind", c->argv[0]);
	asked_put(c, &w, c->argv[1]);
	json_close(&w, '}');
	return asked_send(c, "/v1/green/show", &body, ctl_option(c, "out"), e);
}

static bool green_list(struct ctl *c, struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	buf_init(&body, 4096);
	json_open(&w, NULL, '{');
	asked_put(c, &w, c->argv[0]);
	json_close(&w, '}');
	return asked_send(c, "/v1/green/library", &body, ctl_option(c, "out"), e);
}

static bool wanting_print(struct ctl *c, const char *path, struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, "GET", path, nothing, &printed, e);
	if (j == NULL)
		return false;
	if (!printed)
		subjects_print(j);
	json_free(j);
	return true;
}

static bool green_conflicts(struct ctl *c, struct err *e)
{
	return wanting_print(c, "/v1/green/conflicts", e);
}

static bool green_expiring(struct ctl *c, struct err *e)
{
	char path[80];
	int64_t days = 0;
	const char *given = ctl_option(c, "days");
	if (given != NULL && !ctl_number(given, "days", &days, e))
		return false;
	snprintf(path, sizeof(path), given != NULL ? "/v1/green/expiring?days=%lld" : "/v1/green/expiring",
		 (long long)days);
	return wanting_print(c, path, e);
}

static bool green_resolve(struct ctl *c, struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	char path[80];
	int64_t rating = 0;
	const char *conflict = c->argv[0];
	if (strlen(conflict) > 16 || strspn(conflict, "0123456789abcdef") != strlen(conflict))
		return err_set(e, ERR_INPUT, "'%.40s' is no conflict: centralctl green conflicts lists them",
			       conflict);
	if (strcmp(c->argv[1], "none") != 0 && !ctl_number(c->argv[1], "ratings", &rating, e))
		return false;
	buf_init(&body, 4096);
	json_open(&w, NULL, '{');
	json_put_int(&w, "rating", rating);
	json_put_text(&w, "reason", ctl_option(c, "reason") != NULL ? ctl_option(c, "reason") : "");
	json_close(&w, '}');
	snprintf(path, sizeof(path), "/v1/green/conflicts/%s", conflict);
	bool ok = buf_ok(&body, "the request", e) && ctl_post(c, path, buf_bytes(&body), "已裁决 / resolved", e);
	buf_clear(&body);
	return ok;
}

const struct ctl_command ctl_green_commands[] = {
	{ "green", "import", 1, "FILE.csv|FILE.ndjson", "", green_import },
	{ "green", "show", 2, "NUMBER PURPOSE [--as-of DAY] [--out FILE.html|FILE.csv] [--kind uscc|org_code]",
	  "as-of out kind", green_show },
	{ "green", "list", 1, "PURPOSE [--as-of DAY] [--out FILE.csv]", "as-of out", green_list },
	{ "green", "conflicts", 0, "", "", green_conflicts },
	{ "green", "resolve", 2, "CONFLICT RATING|none --reason TEXT", "reason", green_resolve },
	{ "green", "expiring", 0, "[--days N]", "days", green_expiring },
	{ 0 },
};
