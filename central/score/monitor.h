/*
 * How well a score still does: its power to tell good from bad, and whether those scored today are still those it was made for.
 * Counts are whole numbers and divided once, so that ties and order change nothing.
 *   AUC   the chance that a good scores above a bad, ties counting half (Mann and Whitney 1947)
 *   Gini  2 AUC - 1
 *   KS    the largest distance between the distributions of goods and bads (Kolmogorov and Smirnov), and the score where it is
 *   PSI   sum over bins of (a - e) ln(a / e), of shares of actual and expected
 *   IV    the same sum, of shares of goods and bads
 * In the last two a bin that one side lacks counts as half a row of that side; one that both lack counts nothing.
 */
#ifndef CENTRAL_SCORE_MONITOR_H
#define CENTRAL_SCORE_MONITOR_H

#include "protocol/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define MONITOR_ROWS_MAX 100000000U /* products of two counts fit 64 bits */
#define MONITOR_BINS_MAX 100

struct monitor_row {
	double score; /* finite; higher is better */
	bool bad;
};
struct monitor_power {
	uint64_t goods, bads;
	double auc, gini, ks, ks_at;
};

/* By score, ascending. */
void monitor_sort(struct monitor_row *rows, size_t len);
/* Rows sorted. ERR_INPUT when there is no good or no bad: then nothing can be told. */
bool monitor_power(const struct monitor_row *rows, size_t len, struct monitor_power *out, struct err *e) CHECKED;
/* Upper ends (each within its bin) of at most bins of about equal counts, ascending; equal scores never part. The last is INFINITY.
   Rows sorted, at least one. Returns how many bins there are. */
size_t monitor_edges(const struct monitor_row *rows, size_t len, size_t bins, double *edges);
size_t monitor_bin(const double *edges, size_t bins, double score);
/* ERR_INPUT when one side has no rows at all. Both sums are this. */
bool monitor_divergence(const uint64_t *a, const uint64_t *b, size_t bins, double *out, struct err *e) CHECKED;

#endif
