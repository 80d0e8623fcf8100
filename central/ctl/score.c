/* centralctl: models and scores at central: model import, list, show, export, retire; score run, show; replay. */
#include "central/csv.h"
#include "central/ctl/ctl.h"
#include "central/score/facts.h"
#include "protocol/base/file.h"
#include "protocol/base/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MAX 1073741824U

static const struct bytes nothing = { NULL, 0 };

static bool file_take(const char *path, size_t max, struct buf *out, struct err *e)
{
	buf_init(out, max);
	if (file_read(path, out, e))
		return true;
	buf_clear(out);
	return false;
}

static struct json *ask(struct ctl *c, const char *method, const char *path, const char *key, const char *value,
			struct bytes body, bool *printed, struct err *e)
{
	struct buf query;
	buf_init(&query, 4096);
	buf_add_str(&query, path);
	if (value != NULL)
		http_query_add(&query, key, value);
	struct json *j =
		buf_ok(&query, "the request", e) ? ctl_call(c, method, buf_str(&query), body, printed, e) : NULL;
	buf_clear(&query);
	return j;
}

/* --- models --- */

static void model_line(const struct json *m)
{
	printf("  %s · %s (%s) · %.16s… · %s · 导入 / imported by %s %s · 缺陷 / faults %lld\n",
	       ctl_text(m, "family"), ctl_text(m, "role_zh"), ctl_text(m, "role"), ctl_text(m, "hash"),
	       ctl_text(m, "name"), ctl_text(m, "imported_by"), ctl_time(ctl_int(m, "imported_s")),
	       (long long)ctl_int(m, "faults"));
}

static bool models_print(struct json *j, bool printed)
{
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "models");
	size_t len = all != NULL ? json_len(all) : 0;
	for (size_t i = 0; !printed && i < len; i++)
		model_line(json_at(all, i));
	if (!printed && len == 0)
		printf("  没有模型 / no models\n");
	json_free(j);
	return true;
}

static bool model_import_run(struct ctl *c, struct err *e)
{
	const char *slash = strrchr(c->argv[1], '/');
	struct buf document, path;
	if (!file_take(c->argv[1], DOCUMENT_MAX, &document, e))
		return false;
	buf_init(&path, 1024);
	buf_add_fmt(&path, "/v1/models/%.40s", c->argv[0]);
	http_query_add(&path, "source", slash != NULL ? slash + 1 : c->argv[1]);
	http_query_add(&path, "force", ctl_option(c, "force") != NULL ? "1" : "0");
	bool ok = buf_ok(&path, "the arguments", e) &&
		  ctl_release_call(c, "POST", buf_str(&path), buf_bytes(&document), e);
	if (ok && !c->json)
		printf("  已作为挑战模型；要成为现用模型须发布 / a challenger now; the champion once it is "
		       "published\n");
	buf_clear(&path);
	buf_clear(&document);
	return ok;
}

static bool model_list(struct ctl *c, struct err *e)
{
	bool printed = false;
	return models_print(ask(c, "GET", "/v1/models", "family", ctl_option(c, "family"), nothing, &printed, e),
			    c->json);
}

static bool model_retire_run(struct ctl *c, struct err *e)
{
	char path[96];
	bool printed = false;
	snprintf(path, sizeof(path), "/v1/models/%.40s/retire", c->argv[0]);
	return models_print(ask(c, "POST", path, "hash", c->argv[1], nothing, &printed, e), c->json);
}

static bool model_export(struct ctl *c, struct err *e)
{
	struct buf path, out;
	buf_init(&path, 1024);
	buf_init(&out, DOCUMENT_MAX + 1024);
	buf_add_str(&path, "/v1/model");
	http_query_add(&path, "hash", c->argv[0]);
	bool ok = buf_ok(&path, "the request", e) && ctl_fetch(c, "GET", buf_str(&path), nothing, &out, e);
	if (ok)
		fwrite(out.data, 1, out.len, stdout);
	buf_clear(&path);
	buf_clear(&out);
	return ok;
}

static bool model_show(struct ctl *c, struct err *e)
{
	bool printed = false, any = false;
	size_t len = strlen(c->argv[0]);
	struct json *j = ask(c, "GET", "/v1/models", NULL, NULL, nothing, &printed, e);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "models");
	for (size_t i = 0; all != NULL && i < json_len(all); i++) {
		const struct json *m = json_at(all, i);
		if (len < 8 || strncmp(ctl_text(m, "hash"), c->argv[0], len) != 0)
			continue;
		any = true;
		if (printed)
			continue;
		model_line(m);
		printf("    %s\n    %s\n    自 / since %s · %s\n", ctl_text(m, "hash"), ctl_text(m, "description"),
		       ctl_time(ctl_int(m, "set_s")), ctl_text(m, "set_by"));
	}
	json_free(j);
	return any || err_set(e, ERR_MISSING, "没有这个模型 / there is no such model: %.64s", c->argv[0]);
}

/* --- scores --- */

struct totals {
	int64_t rows, scores, valid, invalid, knocked_out, models;
};

static void totals_add(void *arg, const struct json *j)
{
	struct totals *t = arg;
	t->rows += ctl_int(j, "rows");
	t->scores += ctl_int(j, "scores");
	t->valid += ctl_int(j, "valid");
	t->invalid += ctl_int(j, "invalid");
	t->knocked_out += ctl_int(j, "knocked_out");
	t->models = ctl_int(j, "models");
}

static bool slice_send(struct ctl *c, const char *path, const struct buf *slice,
		       void (*answered)(void *arg, const struct json *j), void *arg, int64_t *rows, struct err *e)
{
	bool printed = false, json = c->json;
	c->json = false; /* one answer for all slices, by the caller */
	struct json *j = ctl_call(c, "POST", path, buf_bytes(slice), &printed, e);
	c->json = json;
	if (j == NULL)
		return false;
	*rows += ctl_int(j, "rows");
	answered(arg, j);
	json_free(j);
	return true;
}

bool ctl_slices_send(struct ctl *c, const char *path, struct bytes table, size_t slice_rows,
		     void (*answered)(void *arg, const struct json *j), void *arg, struct err *e)
{
	int64_t taken = 0;
	struct csv csv;
	struct csv_row row;
	struct buf slice;
	size_t head = 0, rows = 0;
	buf_init(&slice, HTTP_UPLOAD_MAX);
	csv_init(&csv, table);
	bool ok = csv_next(&csv, &row) || err_set(e, ERR_INPUT, "the table is empty");
	if (ok) {
		buf_add(&slice, row.raw.data, row.raw.len);
		buf_add_u8(&slice, '\n');
		head = slice.len;
	}
	while (ok && csv_next(&csv, &row)) {
		buf_add(&slice, row.raw.data, row.raw.len);
		buf_add_u8(&slice, '\n');
		if (++rows < slice_rows)
			continue;
		ok = buf_ok(&slice, "the table", e) && slice_send(c, path, &slice, answered, arg, &taken, e);
		slice.len = head;
		rows = 0;
	}
	if (ok && rows > 0)
		ok = buf_ok(&slice, "the table", e) && slice_send(c, path, &slice, answered, arg, &taken, e);
	if (!ok && taken > 0)
		err_wrap(e, "前 %lld 行已收下 / that many rows are taken; then", (long long)taken);
	csv_clear(&csv);
	buf_clear(&slice);
	return ok;
}

static void totals_print(const struct ctl *c, const struct totals *t)
{
	if (c->json)
		printf("{\"rows\":%lld,\"models\":%lld,\"scores\":%lld,\"valid\":%lld,\"invalid\":%lld,\"knocked_"
		       "out\":%lld}\n",
		       (long long)t->rows, (long long)t->models, (long long)t->scores, (long long)t->valid,
		       (long long)t->invalid, (long long)t->knocked_out);
	else
		printf("已评分 %lld 个主体 × %lld 个模型；现用模型：有效 %lld，无效 %lld，一票否决 %lld\n"
		       "  subjects × models scored; by the champion: valid, invalid, knocked out\n",
		       (long long)t->rows, (long long)t->models, (long long)t->valid, (long long)t->invalid,
		       (long long)t->knocked_out);
}

static bool score_run_run(struct ctl *c, struct err *e)
{
	struct buf table, path;
	struct totals t = { 0 };
	bool facts = ctl_option(c, "facts") != NULL;
	if (ctl_option(c, facts ? "date" : "as-of") != NULL)
		return err_set(
			e, ERR_INPUT,
			"--date 用于表格，--as-of 用于 --facts / --date goes with a table, --as-of with --facts");
	if (!file_take(c->argv[1], TABLE_MAX, &table, e))
		return false;
	buf_init(&path, 1024);
	buf_add_fmt(&path, "/v1/scores/%.40s%s", c->argv[0], facts ? "/facts" : "");
	if (ctl_option(c, "kind") != NULL)
		http_query_add(&path, "kind", ctl_option(c, "kind"));
	if (ctl_option(c, "date") != NULL)
		http_query_add(&path, "date", ctl_option(c, "date"));
	if (ctl_option(c, "as-of") != NULL)
		http_query_add(&path, "as_of", ctl_option(c, "as-of"));
	bool ok = buf_ok(&path, "the request", e) &&
		  ctl_slices_send(c, buf_str(&path), buf_bytes(&table), facts ? FACTS_SUBJECTS_MAX : SCORES_RUN_MAX,
				  totals_add, &t, e);
	buf_clear(&path);
	buf_clear(&table);
	if (ok)
		totals_print(c, &t);
	return ok;
}

static void score_line(const struct json *s)
{
	const struct json *result = json_get(s, "result"), *reasons = json_get(result, "reasons"),
			  *knockouts = json_get(result, "knockouts");
	printf("  %s · %s · %s (%s) · 分数 / score %s · 最早数据 / oldest input %s · %.16s… · %s\n",
	       ctl_time(ctl_int(s, "scored_s")), ctl_text(s, "masked"), ctl_text(s, "role_zh"), ctl_text(s, "role"),
	       ctl_text(s, "value")[0] != '\0' ? ctl_text(s, "value") : "无效 invalid", ctl_text(s, "oldest_input"),
	       ctl_text(s, "model"), ctl_text(s, "family"));
	if (ctl_text(s, "held")[0] != '\0')
		printf("    异议处理中未使用 / left out, under objection: %s\n", ctl_text(s, "held"));
	if (ctl_text(s, "made_by")[0] != '\0')
		printf("    数据来自已存事实 / inputs out of stored facts: %s\n", ctl_text(s, "made_by"));
	if (ctl_text(result, "why")[0] != '\0')
		printf("    %s / %s\n", ctl_text(result, "why_zh"), ctl_text(result, "why"));
	for (size_t i = 0; knockouts != NULL && i < json_len(knockouts); i++) {
		const struct json *sure = json_get(json_at(knockouts, i), "sure");
		printf("    一票否决 / knock-out %s%s\n", ctl_text(json_at(knockouts, i), "code"),
		       sure != NULL && json_bool_value(sure) ? "" : "（未能判断 / could not be judged）");
	}
	for (size_t i = 0; reasons != NULL && i < json_len(reasons); i++)
		printf("    原因 / reason %zu: %s (%s)\n", i + 1, ctl_text(json_at(reasons, i), "code"),
		       ctl_text(json_at(reasons, i), "difference"));
}

static bool score_show(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	const char *kind = ctl_option(c, "kind");
	buf_init(&path, 4096);
	buf_add_str(&path, "/v1/scores");
	http_query_add(&path, "holder", c->argv[0]);
	http_query_add(&path, "purpose", c->argv[1]);
	http_query_add(&path, "holder_kind", kind != NULL ? kind : "uscc");
	struct json *j =
		buf_ok(&path, "the request", e) ? ctl_call(c, "GET", buf_str(&path), nothing, &printed, e) : NULL;
	buf_clear(&path);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "scores");
	size_t len = all != NULL ? json_len(all) : 0;
	for (size_t i = 0; !printed && i < len; i++)
		score_line(json_at(all, i));
	if (!printed && len == 0)
		printf("  没有 / none\n");
	json_free(j);
	return true;
}

static bool score_backfill(struct ctl *c, struct err *e)
{
	int64_t last = 0, scored = 0;
	bool json = c->json;
	c->json = false;
	for (bool more = true; more;) {
		struct buf path;
		bool printed = false;
		buf_init(&path, 1024);
		buf_add_fmt(&path, "/v1/scores/%.40s/backfill", c->argv[0]);
		http_query_add(&path, "hash", c->argv[1]);
		buf_add_fmt(&path, "&after=%lld", (long long)last);
		struct json *j = buf_ok(&path, "the request", e)
					 ? ctl_call(c, "POST", buf_str(&path), nothing, &printed, e)
					 : NULL;
		buf_clear(&path);
		if (j == NULL)
			return false;
		more = ctl_int(j, "scored") > 0;
		last = ctl_int(j, "last");
		scored += ctl_int(j, "scored");
		json_free(j);
	}
	if (json)
		printf("{\"scored\":%lld}\n", (long long)scored);
	else
		printf("该模型补评 %lld 个已存主体 / stored subjects scored by this model as well\n",
		       (long long)scored);
	return true;
}

/* The id at the start of the last line, or 0 when there is none. */
static int64_t last_id(const struct buf *csv)
{
	size_t at = csv->len > 0 ? csv->len - 1 : 0;
	while (at > 0 && csv->data[at - 1] != '\n')
		at--;
	int64_t id = 0;
	for (; at < csv->len && csv->data[at] >= '0' && csv->data[at] <= '9'; at++)
		id = id * 10 + (csv->data[at] - '0');
	return id;
}

static bool score_export(struct ctl *c, struct err *e)
{
	struct buf path, out;
	int64_t last = 0;
	bool ok = true, more = true;
	buf_init(&path, 1024);
	buf_init(&out, 1 << 24);
	while (ok && more) {
		buf_reset(&path);
		buf_reset(&out);
		buf_add_fmt(&path, "/v1/scores/%.40s", c->argv[0]);
		if (ctl_option(c, "model") != NULL)
			http_query_add(&path, "hash", ctl_option(c, "model"));
		if (last > 0) /* what is asked first gives the header */
			buf_add_fmt(&path, "%cafter=%lld", ctl_option(c, "model") != NULL ? '&' : '?',
				    (long long)last);
		ok = buf_ok(&path, "the request", e) && ctl_fetch(c, "GET", buf_str(&path), nothing, &out, e);
		if (!ok)
			break;
		fwrite(out.data, 1, out.len, stdout);
		int64_t id = last_id(&out);
		more = id > last;
		last = id;
	}
	buf_clear(&path);
	buf_clear(&out);
	return ok;
}

static bool replay(struct ctl *c, struct err *e)
{
	int64_t last = 0, checked = 0, different = 0, first = 0;
	char what[256] = "", path[64];
	bool json = c->json;
	c->json = false;
	for (bool more = true; more;) {
		bool printed = false;
		snprintf(path, sizeof(path), "/v1/replay?after=%lld", (long long)last);
		struct json *j = ctl_call(c, "GET", path, nothing, &printed, e);
		if (j == NULL)
			return false;
		more = ctl_int(j, "checked") > 0;
		last = ctl_int(j, "last");
		checked += ctl_int(j, "checked");
		if (first == 0 && ctl_int(j, "different") > 0) {
			first = ctl_int(j, "first_different");
			snprintf(what, sizeof(what), "%s", ctl_text(j, "first"));
		}
		different += ctl_int(j, "different");
		json_free(j);
	}
	if (json)
		printf("{\"checked\":%lld,\"different\":%lld,\"first_different\":%lld}\n", (long long)checked,
		       (long long)different, (long long)first);
	else
		printf("重算 %lld 个分数，不同 %lld 个 / scores recomputed, and those that differ\n",
		       (long long)checked, (long long)different);
	return different == 0 || err_set(e, ERR_CONFLICT, "分数 / score %lld: %s", (long long)first, what);
}

const struct ctl_command ctl_score_commands[] = {
	{ "model", "import", 2, "NAME FILE.pmml [--force]", "|force", model_import_run },
	{ "model", "list", 0, "[--family NAME]", "family", model_list },
	{ "model", "show", 1, "HASH", "", model_show },
	{ "model", "export", 1, "HASH", "", model_export },
	{ "model", "retire", 2, "NAME HASH", "", model_retire_run },
	{ "score", "run", 2,
	  "NAME CSV [--kind uscc] [--date 2026-01-31], or NAME SUBJECTS.csv --facts [--kind uscc] [--as-of "
	  "2026-01-31]",
	  "kind date as-of|facts", score_run_run },
	{ "score", "backfill", 2, "NAME HASH", "", score_backfill },
	{ "score", "export", 1, "NAME [--model HASH]", "model", score_export },
	{ "score", "show", 2, "SUBJECT PURPOSE [--kind uscc]", "kind", score_show },
	{ "score", "outcome", 2, "NAME CSV [--kind uscc]", "kind", ctl_score_outcome },
	{ "replay", "", 0, "", "", replay },
	{ 0 },
};
