/* centralctl: score outcome, and model monitor --months: what is stored of a model, month by month. */
#include "central/csv.h"
#include "central/ctl/ctl.h"
#include "central/score/card.h"
#include "central/score/months.h"
#include "central/score/scores.h"
#include "protocol/base/file.h"
#include "protocol/base/http.h"
#include "protocol/head.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MAX 1073741824U
#define SLICE_MAX 1048576U /* SCORES_REPLAY_MAX rows of four short columns */
#define SVG_MAX   1048576U

static const struct bytes nothing = { NULL, 0 };

/* --- outcomes --- */

struct totals {
	int64_t rows, goods, bads, unscored;
};

static void totals_add(void *arg, const struct json *j)
{
	struct totals *t = arg;
	t->rows += ctl_int(j, "rows");
	t->goods += ctl_int(j, "goods");
	t->bads += ctl_int(j, "bads");
	t->unscored += ctl_int(j, "unscored");
}

bool ctl_score_outcome(struct ctl *c, struct err *e)
{
	struct buf table, path;
	struct totals t = { 0 };
	buf_init(&table, TABLE_MAX);
	buf_init(&path, 1024);
	buf_add_fmt(&path, "/v1/scores/%.40s/outcomes", c->argv[0]);
	if (ctl_option(c, "kind") != NULL)
		http_query_add(&path, "kind", ctl_option(c, "kind"));
	bool ok = buf_ok(&path, "the request", e) && file_read(c->argv[1], &table, e) &&
		  ctl_slices_send(c, buf_str(&path), buf_bytes(&table), SCORES_RUN_MAX, totals_add, &t, e);
	buf_wipe(&table);
	buf_clear(&path);
	if (ok && c->json)
		printf("{\"rows\":%lld,\"goods\":%lld,\"bads\":%lld,\"unscored\":%lld}\n", (long long)t.rows,
		       (long long)t.goods, (long long)t.bads, (long long)t.unscored);
	else if (ok)
		printf("已收结果 / outcomes taken %lld：好 / good %lld，坏 / bad %lld；当月没有评分 / not scored in "
		       "that month %lld\n",
		       (long long)t.rows, (long long)t.goods, (long long)t.bads, (long long)t.unscored);
	return ok;
}

/* --- what is stored --- */

static bool row_take(struct months *m, const struct csv_row *row, int64_t *last, struct err *e)
{
	char text[4][40];
	struct value v = { .number = (double)NAN };
	if (row->fault != CSV_OK || row->fields_len != 4)
		return err_set(e, ERR_INPUT, "centrald's table is not understood");
	for (size_t i = 0; i < 4; i++)
		snprintf(text[i], sizeof(text[i]), "%.*s", (int)row->fields[i].len,
			 (const char *)row->fields[i].data);
	if (text[2][0] != '\0' && !card_value_parse(CARD_DOUBLE, row->fields[2], &v, e))
		return false;
	*last = strtoll(text[0], NULL, 10);
	return months_add(m, text[1], text[2][0] != '\0' ? v.number : (double)NAN,
			  strcmp(text[3], "bad") == 0    ? MONTHS_BAD
			  : strcmp(text[3], "good") == 0 ? MONTHS_GOOD
							 : MONTHS_UNKNOWN,
			  e);
}

static bool slice_take(struct months *m, struct bytes text, char model[MODEL_HEX + 1], int64_t *last, struct err *e)
{
	struct csv csv;
	struct csv_row row;
	csv_init(&csv, text);
	bool ok = csv_next(&csv, &row) || err_set(e, ERR_INPUT, "centrald's table is not understood");
	if (ok)
		snprintf(model, MODEL_HEX + 1, "%.*s", (int)row.raw.len, (const char *)row.raw.data);
	while (ok && csv_next(&csv, &row))
		ok = row.raw.len == 0 || row_take(m, &row, last, e);
	csv_clear(&csv);
	return ok;
}

static bool months_fetch(struct ctl *c, const char *hash, struct months *m, char model[MODEL_HEX + 1], struct err *e)
{
	struct buf path, out;
	int64_t last = 0;
	bool ok = true;
	buf_init(&path, 1024);
	buf_init(&out, SLICE_MAX);
	for (int64_t before = -1; ok && last > before;) {
		before = last;
		buf_reset(&path);
		buf_reset(&out);
		buf_add_fmt(&path, "/v1/scores/%.40s/months?after=%lld", c->argv[0], (long long)last);
		if (hash != NULL)
			http_query_add(&path, "hash", hash);
		ok = buf_ok(&path, "the request", e) && ctl_fetch(c, "GET", buf_str(&path), nothing, &out, e) &&
		     slice_take(m, buf_bytes(&out), model, &last, e);
	}
	buf_clear(&path);
	buf_clear(&out);
	return ok;
}

/* --- what is shown --- */

static void figure_put(struct json_out *w, const char *key, double v)
{
	if (isnan(v))
		json_put_null(w, key);
	else
		json_put_real(w, key, v);
}

static bool json_print(const struct months *m, const char *family, const char *model, struct err *e)
{
	struct buf out;
	struct json_out w = { &out, false };
	buf_init(&out, 65536);
	json_open(&w, NULL, '{');
	json_put_text(&w, "family", family);
	json_put_text(&w, "model", model);
	json_open(&w, "months", '[');
	for (size_t i = 0; i < m->len; i++) {
		const struct month *x = &m->all[i];
		json_open(&w, NULL, '{');
		json_put_text(&w, "month", x->name);
		json_put_int(&w, "scores", (int64_t)x->scores);
		json_put_int(&w, "unscored", (int64_t)x->unscored);
		figure_put(&w, "psi", x->psi);
		json_put_int(&w, "goods", (int64_t)x->goods);
		json_put_int(&w, "bads", (int64_t)x->bads);
		figure_put(&w, "auc", x->auc);
		figure_put(&w, "gini", x->gini);
		figure_put(&w, "ks", x->ks);
		figure_put(&w, "iv", x->iv);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_close(&w, '}');
	bool ok = buf_ok(&out, "the table", e);
	if (ok)
		printf("%s\n", buf_str(&out));
	buf_clear(&out);
	return ok;
}

static const char *figure_text(double v, char out[16])
{
	if (isnan(v))
		snprintf(out, 16, "-");
	else
		snprintf(out, 16, "%.5f", v);
	return out;
}

static void table_print(const struct months *m, const char *family, const char *model)
{
	char psi[16], auc[16], gini[16], ks[16], iv[16];
	printf("  %s · %.16s…\n  月份 month · 分数 scores · 无效 unscored · 稳定性 PSI · 好 goods · 坏 bads · 区分度 "
	       "AUC · "
	       "基尼系数 Gini · KS 值 KS · 信息值 IV\n",
	       family, model);
	for (size_t i = 0; i < m->len; i++) {
		const struct month *x = &m->all[i];
		printf("  %s %9llu %7llu %9s %7llu %7llu %9s %9s %9s %9s%s\n", x->name, (unsigned long long)x->scores,
		       (unsigned long long)x->unscored, figure_text(x->psi, psi), (unsigned long long)x->goods,
		       (unsigned long long)x->bads, figure_text(x->auc, auc), figure_text(x->gini, gini),
		       figure_text(x->ks, ks), figure_text(x->iv, iv),
		       x->psi > MONTHS_PSI_ACT    ? "  须查明 / look into"
		       : x->psi > MONTHS_PSI_LOOK ? "  关注 / look"
						  : "");
	}
}

static bool svg_save(const struct months *m, const char *family, const char *model, const char *path, struct err *e)
{
	struct buf out;
	buf_init(&out, SVG_MAX);
	months_svg(m, family, model, &out);
	bool ok = buf_ok(&out, "the picture", e) && file_write(path, buf_bytes(&out), 0644, e);
	buf_clear(&out);
	return ok;
}

/* hash NULL: the champion's; svg NULL: no picture. */
static bool model_months(struct ctl *c, const char *hash, size_t bins, const char *svg, struct err *e)
{
	struct months *m = calloc(1, sizeof(*m));
	char model[MODEL_HEX + 1] = "";
	if (m == NULL)
		abort();
	months_init(m);
	bool ok = months_fetch(c, hash, m, model, e) &&
		  (m->len > 0 || err_set(e, ERR_MISSING, "没有分数 / there are no scores"));
	if (ok) {
		months_judge(m, bins);
		if (c->json)
			ok = json_print(m, c->argv[0], model, e);
		else
			table_print(m, c->argv[0], model);
	}
	if (ok && svg != NULL)
		ok = svg_save(m, c->argv[0], model, svg, e);
	months_clear(m);
	free(m);
	return ok;
}

/* FILE.svg becomes FILE-0123456789ab.svg. */
static void svg_name(const char *given, const char *hash, char *out, size_t size)
{
	size_t len = strlen(given), end = len > 4 && strcmp(given + len - 4, ".svg") == 0 ? len - 4 : len;
	snprintf(out, size, "%.*s-%.12s.svg", (int)end, given, hash);
}

static struct json *models_fetch(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false, json = c->json;
	buf_init(&path, 512);
	buf_add_str(&path, "/v1/models");
	http_query_add(&path, "family", c->argv[0]);
	c->json = false;
	struct json *j = ctl_call(c, "GET", buf_str(&path), nothing, &printed, e);
	c->json = json;
	buf_clear(&path);
	return j;
}

/* *any: it has scores, and they were shown. */
static bool one_of_all(struct ctl *c, const struct json *m, size_t bins, const char *svg, bool *any, struct err *e)
{
	char file[4096];
	struct err why = { 0 };
	if (!c->json)
		printf("%s (%s)\n", ctl_text(m, "role_zh"), ctl_text(m, "role"));
	svg_name(svg != NULL ? svg : "", ctl_text(m, "hash"), file, sizeof(file));
	if (model_months(c, ctl_text(m, "hash"), bins, svg != NULL ? file : NULL, &why)) {
		*any = true;
		return true;
	}
	if (why.code != ERR_MISSING)
		return err_set(e, why.code, "%s", why.text);
	if (!c->json)
		printf("  没有分数 / no scores\n");
	return true;
}

/* The champion and each challenger, one after the other. */
static bool all_months(struct ctl *c, size_t bins, const char *svg, struct err *e)
{
	struct json *j = models_fetch(c, e);
	const struct json *all = j != NULL ? json_get(j, "models") : NULL;
	bool ok = j != NULL, any = false;
	for (size_t i = 0; ok && all != NULL && i < json_len(all); i++)
		if (strcmp(ctl_text(json_at(all, i), "role"), "retired") != 0)
			ok = one_of_all(c, json_at(all, i), bins, svg, &any, e);
	json_free(j);
	return ok && (any || err_set(e, ERR_MISSING, "没有分数 / there are no scores"));
}

bool ctl_model_months(struct ctl *c, size_t bins, struct err *e)
{
	bool all = ctl_option(c, "all") != NULL;
	if (!name_is_valid(c->argv[0]))
		return err_set(e, ERR_INPUT, "%.60s: 应为模型族名称 / expected a family's name", c->argv[0]);
	if (all && ctl_option(c, "model") != NULL)
		return err_set(e, ERR_INPUT, "--all 与 --model 只取其一 / either --all or --model");
	return all ? all_months(c, bins, ctl_option(c, "svg"), e)
		   : model_months(c, ctl_option(c, "model"), bins, ctl_option(c, "svg"), e);
}
