#include "central/score/months.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct months_row {
	char month[8];
	enum months_outcome outcome;
	double score;
};

void months_init(struct months *m)
{
	m->len = m->rows_len = m->rows_cap = 0;
	m->rows = NULL;
}

void months_clear(struct months *m)
{
	free(m->rows);
	months_init(m);
}

static bool is_month(const char *name)
{
	return strlen(name) == 7 && strspn(name, "0123456789") == 4 && name[4] == '-' &&
	       strspn(name + 5, "0123456789") == 2 && strcmp(name + 5, "01") >= 0 && strcmp(name + 5, "12") <= 0;
}

static struct month *month_of(struct months *m, const char *name, struct err *e)
{
	for (size_t i = m->len; i > 0; i--) /* rows come nearly in order */
		if (strcmp(m->all[i - 1].name, name) == 0)
			return &m->all[i - 1];
	if (!is_month(name)) {
		err_set(e, ERR_INPUT, "'%.20s' is no month, as 2026-10", name);
		return NULL;
	}
	if (m->len == MONTHS_MAX) {
		err_set(e, ERR_FULL, "more than %d months", MONTHS_MAX);
		return NULL;
	}
	struct month *new = &m->all[m->len++];
	*new = (struct month){
		.psi = (double)NAN, .auc = (double)NAN, .gini = (double)NAN, .ks = (double)NAN, .iv = (double)NAN
	};
	snprintf(new->name, sizeof(new->name), "%.7s", name);
	return new;
}

bool months_add(struct months *m, const char *name, double score, enum months_outcome outcome, struct err *e)
{
	struct month *to = month_of(m, name, e);
	if (to == NULL)
		return false;
	if (isnan(score)) {
		to->unscored++;
		return true;
	}
	if (m->rows_len == MONITOR_ROWS_MAX)
		return err_set(e, ERR_FULL, "more than %u scores", MONITOR_ROWS_MAX);
	if (m->rows_len == m->rows_cap) {
		m->rows_cap = m->rows_cap == 0 ? 1024 : 2 * m->rows_cap;
		m->rows = realloc(m->rows, m->rows_cap * sizeof(*m->rows));
		if (m->rows == NULL)
			abort();
	}
	struct months_row *row = &m->rows[m->rows_len++];
	*row = (struct months_row){ .outcome = outcome, .score = score };
	memcpy(row->month, to->name, sizeof(row->month));
	to->scores++;
	to->goods += outcome == MONTHS_GOOD;
	to->bads += outcome == MONTHS_BAD;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct month *)a)->name, ((const struct month *)b)->name);
}

static int by_month_and_score(const void *a, const void *b)
{
	const struct months_row *x = a, *y = b;
	int order = memcmp(x->month, y->month, sizeof(x->month));
	return order != 0 ? order : (x->score > y->score) - (x->score < y->score);
}

/* Rows of one month, sorted; known: those with an outcome alone. */
static size_t rows_pick(const struct months_row *rows, size_t len, bool known, struct monitor_row *out)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		if (!known || rows[i].outcome != MONTHS_UNKNOWN)
			out[n++] = (struct monitor_row){ rows[i].score, rows[i].outcome == MONTHS_BAD };
	return n;
}

/* Rows sorted. */
static void iv_fill(struct month *m, const struct monitor_row *rows, size_t len, size_t bins)
{
	double edges[MONITOR_BINS_MAX];
	uint64_t goods[MONITOR_BINS_MAX] = { 0 }, bads[MONITOR_BINS_MAX] = { 0 };
	size_t n = monitor_edges(rows, len, bins, edges);
	for (size_t i = 0; i < len; i++)
		(rows[i].bad ? bads : goods)[monitor_bin(edges, n, rows[i].score)]++;
	if (!monitor_divergence(goods, bads, n, &m->iv, NULL))
		m->iv = (double)NAN;
}

static void power_fill(struct month *m, const struct months_row *rows, size_t bins, struct monitor_row *scratch)
{
	struct monitor_power p;
	size_t len = rows_pick(rows, (size_t)m->scores, true, scratch);
	if (!monitor_power(scratch, len, &p, NULL))
		return;
	m->auc = p.auc;
	m->gini = p.gini;
	m->ks = p.ks;
	iv_fill(m, scratch, len, bins);
}

struct reference {
	size_t len; /* 0: no month had scores so far */
	double edges[MONITOR_BINS_MAX];
	uint64_t counts[MONITOR_BINS_MAX];
};

static void counts_fill(const struct reference *r, const struct monitor_row *rows, size_t len, uint64_t *out)
{
	for (size_t i = 0; i < len; i++)
		out[monitor_bin(r->edges, r->len, rows[i].score)]++;
}

static void psi_fill(struct month *m, const struct months_row *rows, size_t bins, struct reference *first,
		     struct monitor_row *scratch)
{
	uint64_t now[MONITOR_BINS_MAX] = { 0 };
	size_t len = rows_pick(rows, (size_t)m->scores, false, scratch);
	if (len == 0)
		return;
	if (first->len == 0) {
		first->len = monitor_edges(scratch, len, bins, first->edges);
		counts_fill(first, scratch, len, first->counts);
	}
	counts_fill(first, scratch, len, now);
	if (!monitor_divergence(now, first->counts, first->len, &m->psi, NULL))
		m->psi = (double)NAN;
}

void months_judge(struct months *m, size_t bins)
{
	struct reference first = { 0 };
	struct monitor_row *scratch = calloc(m->rows_len + 1, sizeof(*scratch));
	if (scratch == NULL)
		abort();
	qsort(m->all, m->len, sizeof(m->all[0]), by_name);
	if (m->rows_len > 1)
		qsort(m->rows, m->rows_len, sizeof(*m->rows), by_month_and_score);
	for (size_t i = 0, at = 0; m->rows_len > 0 && i < m->len; at += (size_t)m->all[i++].scores) {
		psi_fill(&m->all[i], m->rows + at, bins, &first, scratch);
		power_fill(&m->all[i], m->rows + at, bins, scratch);
	}
	free(scratch);
}
