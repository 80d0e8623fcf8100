/* A model's months: literals worked out by hand or by another program. */
#include "central/score/months.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct months months;
static struct err err;

static void setup(void)
{
	months_init(&months);
}

static void teardown(void)
{
	months_clear(&months);
}

static void add(const char *name, double score, enum months_outcome outcome)
{
	CU_ASSERT_TRUE(months_add(&months, name, score, outcome, &err));
}

/* n scores of each of four values. */
static void fill(const char *name, const unsigned n[4])
{
	for (unsigned k = 0; k < 4; k++)
		for (unsigned i = 0; i < n[k]; i++)
			add(name, 100 * (k + 1), MONTHS_UNKNOWN);
}

static bool near(double a, double b)
{
	if (fabs(a - b) < 1e-9)
		return true;
	printf("\n    got %.12f, wanted %.12f", a, b);
	return false;
}

static void each_month_is_held_against_the_first(void)
{
	fill("2026-03", (const unsigned[]){ 40, 30, 20, 10 }); /* out of order */
	fill("2026-01", (const unsigned[]){ 25, 25, 25, 25 });
	fill("2026-02", (const unsigned[]){ 50, 50, 50, 50 });
	fill("2026-04", (const unsigned[]){ 0, 0, 0, 10 });
	months_judge(&months, 4);
	CU_ASSERT_EQUAL_FATAL(months.len, 4);
	CU_ASSERT_STRING_EQUAL(months.all[0].name, "2026-01");
	CU_ASSERT_TRUE(near(months.all[0].psi, 0));
	CU_ASSERT_TRUE(near(months.all[1].psi, 0));
	/* .15 ln 1.6 + .05 ln 1.2 + -.05 ln .8 + -.15 ln .4 */
	CU_ASSERT_TRUE(near(months.all[2].psi, 0.228217409573));
	/* three bins of half a row of ten: 3 (.05 - .25) ln .2 + .75 ln 4 */
	CU_ASSERT_TRUE(near(months.all[3].psi, 2.005383518300));
	CU_ASSERT_TRUE(isnan(months.all[2].auc) && isnan(months.all[2].ks));
}

static void power_is_told_where_goods_and_bads_are_known(void)
{
	static const struct {
		double score;
		enum months_outcome outcome;
	} rows[] = { { 1, MONTHS_BAD },  { 2, MONTHS_GOOD }, { 2, MONTHS_BAD },
		     { 3, MONTHS_GOOD }, { 4, MONTHS_GOOD }, { 9, MONTHS_UNKNOWN } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		add("2026-01", rows[i].score, rows[i].outcome);
	add("2026-01", (double)NAN, MONTHS_BAD);
	add("2026-02", 5, MONTHS_GOOD);
	months_judge(&months, 10);
	const struct month *m = months.all;
	CU_ASSERT_EQUAL(m[0].scores, 6);
	CU_ASSERT_EQUAL(m[0].unscored, 1);
	CU_ASSERT_EQUAL(m[0].goods, 3);
	CU_ASSERT_EQUAL(m[0].bads, 2);
	CU_ASSERT_TRUE(near(m[0].auc, 5.5 / 6)); /* of six pairs one is a tie */
	CU_ASSERT_TRUE(near(m[0].gini, 2 * 5.5 / 6 - 1));
	CU_ASSERT_TRUE(near(m[0].ks, 2.0 / 3));
	/* bins 1 | 2 2 | 3 | 4, half a row where a side has none: ln 3 / 3 + ln 1.5 / 6 + 2 ln (4/3) / 12 */
	CU_ASSERT_TRUE(near(m[0].iv, 0.481728626316));
	CU_ASSERT_TRUE(isnan(m[1].iv));
	CU_ASSERT_EQUAL(m[1].goods, 1);
	CU_ASSERT_TRUE(isnan(m[1].auc)); /* no bad */
}

static void a_month_without_scores_has_no_figures_and_is_not_the_first(void)
{
	add("2026-01", (double)NAN, MONTHS_UNKNOWN);
	fill("2026-02", (const unsigned[]){ 5, 5, 5, 5 });
	months_judge(&months, 4);
	CU_ASSERT_TRUE(isnan(months.all[0].psi));
	CU_ASSERT_TRUE(near(months.all[1].psi, 0));
}

static void what_is_no_month_is_refused(void)
{
	static const char *const bad[] = { "",        "2026",    "2026-1",   "2026-13",
					   "2026-00", "2026/01", "2026-010", "x026-01" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CU_ASSERT_FALSE(months_add(&months, bad[i], 1, MONTHS_UNKNOWN, &err));
		CU_ASSERT_EQUAL(err.code, ERR_INPUT);
	}
	for (unsigned i = 0; i <= MONTHS_MAX; i++) {
		char name[24];
		snprintf(name, sizeof(name), "%04u-%02u", 2000 + i / 12, 1 + i % 12);
		CU_ASSERT_EQUAL(months_add(&months, name, 1, MONTHS_UNKNOWN, &err), i < MONTHS_MAX);
	}
	CU_ASSERT_EQUAL(err.code, ERR_FULL);
}

static void the_picture_has_the_same_bytes_each_time_and_gaps_where_nothing_is_known(void)
{
	struct buf one, two;
	buf_init(&one, 1 << 20);
	buf_init(&two, 1 << 20);
	fill("2026-01", (const unsigned[]){ 25, 25, 25, 25 });
	fill("2026-02", (const unsigned[]){ 40, 30, 20, 10 });
	add("2026-02", 100, MONTHS_BAD);
	add("2026-02", 400, MONTHS_GOOD);
	months_judge(&months, 4);
	months_svg(&months, "enterprise", "0123456789abcdef", &one);
	months_svg(&months, "enterprise", "0123456789abcdef", &two);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&one), buf_bytes(&two)));
	const char *svg = buf_str(&one);
	CU_ASSERT_EQUAL(strncmp(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"960\"", 50), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(svg, "模型监测 / model monitor · enterprise · 0123456789ab</text>"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(svg, "<circle cx=\"80.0\" cy=\"300.0\" r=\"3\" fill=\"#1f4e9c\"><title>2026-01: 0.00000"));
	CU_ASSERT_PTR_NOT_NULL(strstr(svg, "<title>2026-02: 1.00000</title>"));
	unsigned circles = 0;
	for (const char *at = svg; (at = strstr(at, "<circle")) != NULL; at++)
		circles++;
	CU_ASSERT_EQUAL(circles, 2 + 4); /* PSI of both months; AUC, Gini and KS of one */
	CU_ASSERT_PTR_NULL(strstr(svg, "nan"));
	CU_ASSERT_STRING_EQUAL(svg + one.len - 7, "</svg>\n");
	buf_clear(&one);
	buf_clear(&two);
}

static CU_TestInfo tests[] = {
	{ "each month is held against the first", each_month_is_held_against_the_first },
	{ "power is told where goods and bads are known", power_is_told_where_goods_and_bads_are_known },
	{ "a month without scores has no figures and is not the first",
	  a_month_without_scores_has_no_figures_and_is_not_the_first },
	{ "what is no month is refused", what_is_no_month_is_refused },
	{ "the picture has the same bytes each time, and gaps where nothing is known",
	  the_picture_has_the_same_bytes_each_time_and_gaps_where_nothing_is_known },
	CU_TEST_INFO_NULL,
};
SUITE(months, setup, teardown, tests);
