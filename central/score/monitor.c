#include "central/score/monitor.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static int order(const void *a, const void *b)
{
	double x = ((const struct monitor_row *)a)->score, y = ((const struct monitor_row *)b)->score;
	return (x > y) - (x < y);
}

void monitor_sort(struct monitor_row *rows, size_t len)
{
	if (len > 1)
		qsort(rows, len, sizeof(*rows), order);
}

/* Behind the last row that has the score of rows[at]; counts its goods and bads. */
static size_t ties(const struct monitor_row *rows, size_t len, size_t at, uint64_t *goods, uint64_t *bads)
{
	double score = rows[at].score;
	*goods = *bads = 0;
	for (; at < len && rows[at].score <= score; at++)
		*(rows[at].bad ? bads : goods) += 1;
	return at;
}

bool monitor_power(const struct monitor_row *rows, size_t len, struct monitor_power *out, struct err *e)
{
	uint64_t goods = 0, bads = 0, twice_above = 0, gap = 0;
	*out = (struct monitor_power){ 0 };
	if (len > MONITOR_ROWS_MAX)
		return err_set(e, ERR_FULL, "more than %u rows", MONITOR_ROWS_MAX);
	for (size_t i = 0; i < len; i++)
		*(rows[i].bad ? &out->bads : &out->goods) += 1;
	if (out->goods == 0 || out->bads == 0)
		return err_set(e, ERR_INPUT, "%llu good and %llu bad: both are needed to tell them apart",
			       (unsigned long long)out->goods, (unsigned long long)out->bads);
	for (size_t i = 0; i < len;) {
		uint64_t g = 0, b = 0;
		double score = rows[i].score;
		i = ties(rows, len, i, &g, &b);
		twice_above += 2 * g * bads + g * b;
		goods += g;
		bads += b;
		uint64_t x = bads * out->goods, y = goods * out->bads, distance = x > y ? x - y : y - x;
		if (distance > gap) {
			gap = distance;
			out->ks_at = score;
		}
	}
	double pairs = (double)(out->goods * out->bads);
	out->auc = (double)twice_above / (2 * pairs);
	out->gini = 2 * out->auc - 1;
	out->ks = (double)gap / pairs;
	return true;
}

size_t monitor_edges(const struct monitor_row *rows, size_t len, size_t bins, double *edges)
{
	size_t n = 0;
	assert(len > 0 && bins > 0 && bins <= MONITOR_BINS_MAX);
	for (size_t i = 1; i < bins; i++) {
		size_t at = i * len / bins;
		if (at == 0 || rows[at - 1].score >= rows[len - 1].score)
			continue;
		if (n == 0 || rows[at - 1].score > edges[n - 1])
			edges[n++] = rows[at - 1].score;
	}
	edges[n++] = (double)INFINITY;
	return n;
}

size_t monitor_bin(const double *edges, size_t bins, double score)
{
	size_t i = 0;
	while (i + 1 < bins && score > edges[i])
		i++;
	return i;
}

bool monitor_divergence(const uint64_t *a, const uint64_t *b, size_t bins, double *out, struct err *e)
{
	uint64_t all_a = 0, all_b = 0;
	double sum = 0;
	for (size_t i = 0; i < bins; i++) {
		all_a += a[i];
		all_b += b[i];
	}
	if (all_a == 0 || all_b == 0)
		return err_set(e, ERR_INPUT, "one side has no rows");
	for (size_t i = 0; i < bins; i++) {
		if (a[i] + b[i] == 0)
			continue;
		double x = (a[i] > 0 ? (double)a[i] : 0.5) / (double)all_a;
		double y = (b[i] > 0 ? (double)b[i] : 0.5) / (double)all_b;
		sum += (x - y) * log(x / y);
	}
	*out = sum;
	return true;
}
