#include "central/score/monitor.h"
#include "tests/test.h"

#include <math.h>

static struct monitor_power power;
static struct err err;

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-12;
}

static void a_score_that_parts_all_has_area_1_and_one_that_parts_none_a_half(void)
{
	struct monitor_row best[] = { { 1, true }, { 2, true }, { 3, false } };
	struct monitor_row worst[] = { { 1, false }, { 2, true } };
	struct monitor_row tied[] = { { 5, true }, { 5, false }, { 5, false } };
	CU_ASSERT_TRUE(monitor_power(best, 3, &power, &err));
	CU_ASSERT_TRUE(near(power.auc, 1) && near(power.gini, 1) && near(power.ks, 1) && near(power.ks_at, 2));
	CU_ASSERT_TRUE(monitor_power(worst, 2, &power, &err));
	CU_ASSERT_TRUE(near(power.auc, 0) && near(power.gini, -1) && near(power.ks, 1));
	CU_ASSERT_TRUE(monitor_power(tied, 3, &power, &err));
	CU_ASSERT_TRUE(near(power.auc, 0.5) && near(power.gini, 0) && near(power.ks, 0));
}

/* Pairs of good and bad, by hand: bads 1 2 2, goods 2 3 4. 2 against bads: 1 + ½ + ½; 3 and 4: 3 each. (2 + 3 + 3) / 9. */
static void ties_count_half_in_whatever_order_rows_come(void)
{
	struct monitor_row rows[] = {
		{ 2, false }, { 4, false }, { 2, true }, { 1, true }, { 3, false }, { 2, true }
	};
	monitor_sort(rows, 6);
	CU_ASSERT_TRUE(monitor_power(rows, 6, &power, &err));
	CU_ASSERT_TRUE(near(power.auc, 8.0 / 9));
	CU_ASSERT_TRUE(near(power.ks, 2.0 / 3)); /* at 2: all bads, a third of the goods */
	CU_ASSERT_TRUE(near(power.ks_at, 2));
	CU_ASSERT_EQUAL(power.goods, 3);
}

static void without_both_outcomes_nothing_is_told(void)
{
	struct monitor_row rows[] = { { 1, true }, { 2, true } };
	CU_ASSERT_FALSE(monitor_power(rows, 2, &power, &err));
	CU_ASSERT_EQUAL(err.code, ERR_INPUT);
	CU_ASSERT_FALSE(monitor_power(rows, 0, &power, &err));
}

/* (0.5-0.25) ln 2 + (0.3-0.25) ln 1.2 + (0.2-0.5) ln 0.4 */
static void divergence_is_the_sum_written_down(void)
{
	uint64_t a[] = { 50, 30, 20 }, b[] = { 25, 25, 50 };
	double v = 0;
	CU_ASSERT_TRUE(monitor_divergence(a, b, 3, &v, &err));
	CU_ASSERT_TRUE(fabs(v - 0.45729009) < 1e-8);
	CU_ASSERT_TRUE(monitor_divergence(a, a, 3, &v, &err));
	CU_ASSERT_TRUE(near(v, 0));
}

/* The bin that a lacks: (0.5/4 - 2/4) ln (0.5/2) = 0.519860; (4/4 - 2/4) ln 2 = 0.346574. */
static void an_empty_bin_counts_as_half_a_row(void)
{
	uint64_t a[] = { 0, 4, 0 }, b[] = { 2, 2, 0 }, none[] = { 0, 0, 0 };
	double v = 0;
	CU_ASSERT_TRUE(monitor_divergence(a, b, 3, &v, &err));
	CU_ASSERT_TRUE(fabs(v - 0.86643398) < 1e-8);
	CU_ASSERT_FALSE(monitor_divergence(a, none, 3, &v, &err));
}

static void equal_scores_never_part_into_two_bins(void)
{
	struct monitor_row rows[] = {
		{ 1, 0 }, { 1, 0 }, { 1, 0 }, { 1, 0 }, { 2, 0 }, { 3, 0 }, { 4, 0 }, { 5, 0 }
	};
	double edges[MONITOR_BINS_MAX];
	size_t n = monitor_edges(rows, 8, 4, edges);
	CU_ASSERT_EQUAL_FATAL(n, 3); /* 1 · 2, 3 · the rest */
	CU_ASSERT_TRUE(near(edges[0], 1) && near(edges[1], 3) && isinf(edges[2]));
	CU_ASSERT_EQUAL(monitor_bin(edges, n, 1), 0);
	CU_ASSERT_EQUAL(monitor_bin(edges, n, 1.5), 1);
	CU_ASSERT_EQUAL(monitor_bin(edges, n, 3), 1);
	CU_ASSERT_EQUAL(monitor_bin(edges, n, 99), 2);
	struct monitor_row one[] = { { 7, 0 } };
	CU_ASSERT_EQUAL(monitor_edges(one, 1, 10, edges), 1);
}

static CU_TestInfo tests[] = {
	{ "a score that parts all has area 1, one that parts none a half",
	  a_score_that_parts_all_has_area_1_and_one_that_parts_none_a_half },
	{ "ties count half, in whatever order rows come", ties_count_half_in_whatever_order_rows_come },
	{ "without both outcomes nothing is told", without_both_outcomes_nothing_is_told },
	{ "divergence is the sum written down", divergence_is_the_sum_written_down },
	{ "an empty bin counts as half a row", an_empty_bin_counts_as_half_a_row },
	{ "equal scores never part into two bins", equal_scores_never_part_into_two_bins },
	CU_TEST_INFO_NULL,
};
SUITE(score_monitor, NULL, NULL, tests);
