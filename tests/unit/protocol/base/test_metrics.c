#include "protocol/base/metrics.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void help_and_labels_are_escaped(void)
{
	struct buf out;
	buf_init(&out, 4096);
	metrics_head(&out, "x_total", "counter", "line\none \\ \"two\"");
	metrics_value(&out, "x_total", "name", "a\"b\\c\nd", 3);
	metrics_value(&out, "x_total", NULL, NULL, 0.5);
	CU_ASSERT_STRING_EQUAL(buf_str(&out), "# HELP x_total line\\none \\\\ \"two\"\n# TYPE x_total counter\n"
					      "x_total{name=\"a\\\"b\\\\c\\nd\"} 3\nx_total 0.5\n");
	buf_reset(&out);
	metrics_value(&out, "y", NULL, NULL, NAN);
	metrics_value(&out, "y", NULL, NULL, INFINITY);
	metrics_value(&out, "y", NULL, NULL, -INFINITY);
	metrics_value(&out, "y", NULL, NULL, 9007199254740991.0);
	CU_ASSERT_STRING_EQUAL(buf_str(&out), "y NaN\ny +Inf\ny -Inf\ny 9007199254740991\n");
	buf_clear(&out);
}

static void buckets_add_up(void)
{
	static const double seconds[] = { 0, 0.00005, 0.00006, 0.003, 0.3, 9.99, 10, 11, 1e9 };
	struct metrics_histogram h = { 0 };
	struct buf out;
	double sum = 0;
	buf_init(&out, 8192);
	for (size_t i = 0; i < 9; i++) {
		metrics_observe(&h, seconds[i]);
		sum += seconds[i];
	}
	metrics_histogram(&out, "t_seconds", "Time", &h);
	unsigned long long last = 0;
	unsigned buckets = 0;
	for (const char *at = buf_str(&out); (at = strstr(at, "_bucket{le=\"")) != NULL; at++) {
		double bound = 0;
		unsigned long long n = 0, want = 0;
		if (sscanf(at, "_bucket{le=\"%lf\"} %llu", &bound, &n) != 2)
			continue;
		for (size_t i = 0; i < 9; i++)
			want += seconds[i] <= bound;
		CU_ASSERT_TRUE(n == want && n >= last);
		last = n;
		buckets++;
	}
	CU_ASSERT_EQUAL(buckets, 18); /* sscanf reads +Inf, too */
	CU_ASSERT_EQUAL(last, 9);
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "t_seconds_count 9\n"));
	CU_ASSERT_TRUE(fabs(h.sum_s - sum) < 1e-6);
	buf_clear(&out);
}

static CU_TestInfo tests[] = {
	{ "help and labels are escaped", help_and_labels_are_escaped },
	{ "buckets add up", buckets_add_up },
	CU_TEST_INFO_NULL,
};
SUITE(metrics, NULL, NULL, tests);
