/* centralctl model monitor: what scores and outcomes in CSV files tell of a model. */
#include "central/ctl/ctl.h"

#include "central/csv.h"
#include "central/score/card.h"
#include "central/score/monitor.h"
#include "protocol/base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MAX 1073741824U

struct scores {
	struct monitor_row *rows; /* owned */
	size_t len, cap;
	uint64_t unscored;
	bool has_outcomes;
};

struct columns {
	const char *score, *outcome, *good; /* outcome NULL: none */
	size_t score_at, outcome_at, all;
};

static bool columns_find(struct columns *c, const struct csv_row *head, struct err *e)
{
	c->score_at = c->outcome_at = c->all = head->fields_len;
	for (size_t i = 0; i < head->fields_len; i++) {
		if (bytes_equal(head->fields[i], bytes_of(c->score)))
			c->score_at = i;
		if (c->outcome != NULL && bytes_equal(head->fields[i], bytes_of(c->outcome)))
			c->outcome_at = i;
	}
	if (c->score_at == c->all)
		return err_set(e, ERR_INPUT, "没有这一列 / there is no column '%.60s'", c->score);
	return c->outcome == NULL || c->outcome_at < c->all ||
	       err_set(e, ERR_INPUT, "没有这一列 / there is no column '%.60s'", c->outcome);
}

static bool row_take(struct scores *s, const struct columns *c, const struct csv_row *row, struct err *e)
{
	struct value v = { 0 };
	if (row->fault != CSV_OK || row->fields_len != c->all)
		return err_set(e, ERR_INPUT, "row %llu is not well formed", (unsigned long long)row->number);
	if (row->fields[c->score_at].len == 0) {
		s->unscored++;
		return true;
	}
	if (!card_value_parse(CARD_DOUBLE, row->fields[c->score_at], &v, e))
		return err_wrap(e, "row %llu", (unsigned long long)row->number);
	if (c->outcome != NULL && row->fields[c->outcome_at].len == 0)
		return err_set(e, ERR_INPUT, "row %llu has no outcome", (unsigned long long)row->number);
	if (s->len == s->cap) {
		s->cap = s->cap == 0 ? 1024 : 2 * s->cap;
		s->rows = realloc(s->rows, s->cap * sizeof(*s->rows));
		if (s->rows == NULL)
			abort();
	}
	bool bad = c->outcome != NULL && !bytes_equal(row->fields[c->outcome_at], bytes_of(c->good));
	s->rows[s->len++] = (struct monitor_row){ v.number, bad };
	return s->len < MONITOR_ROWS_MAX || err_set(e, ERR_FULL, "more than %u rows", MONITOR_ROWS_MAX);
}

static bool scores_read(const char *path, struct columns c, struct scores *out, struct err *e)
{
	struct buf text;
	struct csv csv;
	struct csv_row row;
	*out = (struct scores){ .has_outcomes = c.outcome != NULL };
	buf_init(&text, TABLE_MAX);
	if (!file_read(path, &text, e)) {
		buf_clear(&text);
		return false;
	}
	csv_init(&csv, buf_bytes(&text));
	bool ok = csv_next(&csv, &row) ? columns_find(&c, &row, e) : err_set(e, ERR_INPUT, "the file is empty");
	while (ok && csv_next(&csv, &row))
		ok = row.fault == CSV_BLANK || row_take(out, &c, &row, e);
	csv_clear(&csv);
	buf_clear(&text);
	if (ok && out->len == 0)
		ok = err_set(e, ERR_INPUT, "没有分数 / there are no scores");
	if (!ok)
		return err_wrap(e, "%.120s", path);
	monitor_sort(out->rows, out->len);
	return true;
}

/* Each figure: its name, what it is called, its value. */
static void figure(const struct ctl *c, struct json_out *w, const char *name, const char *zh, double v)
{
	if (c->json)
		json_put_real(w, name, v);
	else
		printf("  %s %s: %.5f\n", zh, name, v);
}

static void counts(const struct ctl *c, struct json_out *w, const char *name, const char *zh, uint64_t v)
{
	if (c->json)
		json_put_int(w, name, (int64_t)v);
	else
		printf("  %s %s: %llu\n", zh, name, (unsigned long long)v);
}

static void bin_print(const struct ctl *c, struct json_out *w, double edge, uint64_t a, uint64_t b)
{
	char digits[32] = "∞";
	if (isfinite(edge))
		card_number_format(edge, digits);
	if (!c->json) {
		printf("    ≤ %-12s %10llu %10llu\n", digits, (unsigned long long)a, (unsigned long long)b);
		return;
	}
	json_open(w, NULL, '{');
	if (isfinite(edge))
		json_put_real(w, "to", edge);
	else
		json_put_null(w, "to");
	json_put_int(w, "first", (int64_t)a);
	json_put_int(w, "second", (int64_t)b);
	json_close(w, '}');
}

struct bins {
	size_t len;
	double edges[MONITOR_BINS_MAX];
	uint64_t a[MONITOR_BINS_MAX], b[MONITOR_BINS_MAX];
};

static bool bins_show(const struct ctl *c, struct json_out *w, const struct bins *v, const char *name, const char *zh,
		      const char *sides, struct err *e)
{
	char array[32];
	double sum = 0;
	if (!monitor_divergence(v->a, v->b, v->len, &sum, e))
		return false;
	figure(c, w, name, zh, sum);
	snprintf(array, sizeof(array), "%s_bins", name);
	if (c->json)
		json_open(w, array, '[');
	else
		printf("    %s\n", sides);
	for (size_t i = 0; i < v->len; i++)
		bin_print(c, w, v->edges[i], v->a[i], v->b[i]);
	if (c->json)
		json_close(w, ']');
	return true;
}

static bool power_show(const struct ctl *c, struct json_out *w, const struct scores *s, size_t bins, struct err *e)
{
	struct monitor_power p;
	struct bins v = { 0 };
	if (!monitor_power(s->rows, s->len, &p, e))
		return false;
	counts(c, w, "goods", "好", p.goods);
	counts(c, w, "bads", "坏", p.bads);
	figure(c, w, "auc", "区分度", p.auc);
	figure(c, w, "gini", "基尼系数", p.gini);
	figure(c, w, "ks", "KS 值", p.ks);
	figure(c, w, "ks_at", "KS 所在分数", p.ks_at);
	v.len = monitor_edges(s->rows, s->len, bins, v.edges);
	for (size_t i = 0; i < s->len; i++)
		(s->rows[i].bad ? v.b : v.a)[monitor_bin(v.edges, v.len, s->rows[i].score)]++;
	return bins_show(c, w, &v, "iv", "信息值", "分数 score         好 goods    坏 bads", e);
}

static bool stability_show(const struct ctl *c, struct json_out *w, const struct scores *s,
			   const struct scores *reference, size_t bins, struct err *e)
{
	struct bins v = { 0 };
	v.len = monitor_edges(reference->rows, reference->len, bins, v.edges);
	for (size_t i = 0; i < s->len; i++)
		v.a[monitor_bin(v.edges, v.len, s->rows[i].score)]++;
	for (size_t i = 0; i < reference->len; i++)
		v.b[monitor_bin(v.edges, v.len, reference->rows[i].score)]++;
	return bins_show(c, w, &v, "psi", "稳定性", "分数 score       现在 actual 基准 expected", e);
}

static bool report(const struct ctl *c, const struct scores *s, const struct scores *reference, size_t bins,
		   struct err *e)
{
	struct buf out;
	struct json_out w = { &out, false };
	buf_init(&out, 65536);
	json_open(&w, NULL, '{');
	counts(c, &w, "scores", "分数", s->len);
	counts(c, &w, "unscored", "无有效分数", s->unscored);
	bool ok = (!s->has_outcomes || power_show(c, &w, s, bins, e)) &&
		  (reference == NULL || stability_show(c, &w, s, reference, bins, e));
	json_close(&w, '}');
	if (ok && c->json)
		printf("%s\n", buf_str(&out));
	buf_clear(&out);
	return ok;
}

static bool bins_read(const struct ctl *c, unsigned long *bins, struct err *e)
{
	const char *text = ctl_option(c, "bins");
	char *end = NULL;
	*bins = text != NULL ? strtoul(text, &end, 10) : 10;
	return text == NULL || (end != text && *end == '\0' && *bins >= 2 && *bins <= MONITOR_BINS_MAX) ||
	       err_set(e, ERR_INPUT, "--bins: 应为 2 到 %d 的整数 / a number from 2 to %d", MONITOR_BINS_MAX,
		       MONITOR_BINS_MAX);
}

bool ctl_model_monitor(struct ctl *c, struct err *e)
{
	struct columns columns = { ctl_option(c, "score"), ctl_option(c, "outcome"), ctl_option(c, "good"), 0, 0, 0 };
	const char *reference = ctl_option(c, "reference");
	unsigned long bins = 0;
	if (!bins_read(c, &bins, e))
		return false;
	if (ctl_option(c, "months") != NULL)
		return ctl_model_months(c, bins, e);
	if ((columns.outcome != NULL) != (columns.good != NULL))
		return err_set(e, ERR_INPUT, "--outcome 与 --good 须同时给出 / go together");
	if (columns.outcome == NULL && reference == NULL)
		return err_set(e, ERR_INPUT, "需要 --outcome 或 --reference / is needed: --outcome or --reference");
	if (columns.score == NULL)
		columns.score = "score";
	struct scores s = { 0 }, r = { 0 };
	bool ok = scores_read(c->argv[0], columns, &s, e);
	columns.outcome = NULL;
	ok = ok && (reference == NULL || scores_read(reference, columns, &r, e)) &&
	     report(c, &s, reference != NULL ? &r : NULL, bins, e);
	free(s.rows);
	free(r.rows);
	return ok;
}
