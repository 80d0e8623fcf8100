#include "central/score/months.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void months_init(struct months *m)
{
	m->len = 0;
}

void months_clear(struct months *m)
{
	for (size_t i = 0; i < m->len; i++) {
		free(m->all[i].scored);
		free(m->all[i].known);
	}
	m->len = 0;
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
	*new = (struct month){ .psi = (double)NAN, .auc = (double)NAN, .gini = (double)NAN, .ks = (double)NAN };
	snprintf(new->name, sizeof(new->name), "%.7s", name);
	return new;
}

static void row_add(struct monitor_row **rows, size_t len, size_t *cap, struct monitor_row row)
{
	if (len == *cap) {
		*cap = *cap == 0 ? 256 : 2 * *cap;
		*rows = realloc(*rows, *cap * sizeof(**rows));
		if (*rows == NULL)
			abort();
	}
	(*rows)[len] = row;
}

bool months_add(struct months *m, const char *name, double score, enum months_outcome outcome, struct err *e)
{
	struct month *to = month_of(m, name, e);
	struct monitor_row row = { score, outcome == MONTHS_BAD };
	if (to == NULL)
		return false;
	if (isnan(score)) {
		to->unscored++;
		return true;
	}
	if (to->scores == MONITOR_ROWS_MAX)
		return err_set(e, ERR_FULL, "more than %u scores in a month", MONITOR_ROWS_MAX);
	row_add(&to->scored, (size_t)to->scores++, &to->scored_cap, row);
	if (outcome != MONTHS_UNKNOWN) {
		row_add(&to->known, to->known_len++, &to->known_cap, row);
		*(row.bad ? &to->bads : &to->goods) += 1;
	}
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct month *)a)->name, ((const struct month *)b)->name);
}

static void counts_fill(const struct month *m, const double *edges, size_t bins, uint64_t out[MONITOR_BINS_MAX])
{
	memset(out, 0, MONITOR_BINS_MAX * sizeof(*out));
	for (size_t i = 0; i < m->scores; i++)
		out[monitor_bin(edges, bins, m->scored[i].score)]++;
}

static void month_judge(struct month *m)
{
	struct monitor_power p;
	monitor_sort(m->known, m->known_len);
	if (!monitor_power(m->known, m->known_len, &p, NULL))
		return;
	m->auc = p.auc;
	m->gini = p.gini;
	m->ks = p.ks;
}

void months_judge(struct months *m, size_t bins)
{
	double edges[MONITOR_BINS_MAX];
	uint64_t first[MONITOR_BINS_MAX], now[MONITOR_BINS_MAX];
	size_t len = 0;
	qsort(m->all, m->len, sizeof(m->all[0]), by_name);
	for (size_t i = 0; i < m->len; i++) {
		struct month *month = &m->all[i];
		month_judge(month);
		if (month->scores == 0)
			continue;
		if (len == 0) { /* the first month that has scores */
			monitor_sort(month->scored, (size_t)month->scores);
			len = monitor_edges(month->scored, (size_t)month->scores, bins, edges);
			counts_fill(month, edges, len, first);
		}
		counts_fill(month, edges, len, now);
		if (!monitor_divergence(now, first, len, &month->psi, NULL))
			month->psi = (double)NAN;
	}
}
