#include "central/score/card_csv.h"
#include "central/csv.h"
#include "central/score/fast.h"
#include "central/score/lint.h"
#include "central/score/monitor.h"
#include "central/score/pmml.h"
#include "protocol/base/file.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct score score;

static bool vector(const char *name, struct buf *out)
{
	const char *file = test_vectors(name);
	buf_init(out, 1 << 20);
	if (file == NULL)
		return false;
	CU_ASSERT_TRUE_FATAL(file_read(file, out, NULL));
	return true;
}

static double number_of(struct bytes text)
{
	struct value v = { 0 };
	CU_ASSERT_TRUE(card_value_parse(CARD_DOUBLE, text, &v, NULL));
	return v.number;
}

/* The card through PMML and back, as an operator has it. */
static struct card *german_card(struct bytes csv)
{
	struct err e = { 0 };
	struct buf text;
	struct card *c = card_from_csv(csv, "germancredit", &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	buf_init(&text, DOCUMENT_MAX);
	CU_ASSERT_TRUE_FATAL(pmml_write(c, &text, &e));
	card_free(c);
	c = pmml_read(buf_bytes(&text), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	buf_clear(&text);
	return c;
}

static void note(void *arg, const struct lint_finding *f)
{
	(void)arg;
	CU_ASSERT_EQUAL(f->kind, LINT_MISSING);
}

/* Points of each characteristic and the sum, in the columns' order. */
static bool same_points(const struct card *c, const struct csv_row *want)
{
	bool ok = score.fault == SCORE_OK && want->fields_len == c->characteristics_len + 1;
	for (size_t i = 0; ok && i < c->characteristics_len; i++)
		ok = fabs(score.points[i] - number_of(want->fields[i])) < 1e-9;
	return ok && fabs(score.value - number_of(want->fields[want->fields_len - 1])) < 1e-9;
}

static size_t german_rows(const struct card *c, struct bytes data, struct bytes scores, struct monitor_row *rows)
{
	struct csv in, out;
	struct csv_row a, b;
	uint32_t places[CSV_FIELDS_MAX];
	size_t same = 0;
	struct fast *f = fast_new(c);
	csv_init(&in, data);
	csv_init(&out, scores);
	CU_ASSERT_TRUE_FATAL(csv_next(&in, &a) && csv_next(&out, &b));
	for (size_t i = 0; i < a.fields_len; i++)
		places[i] = card_field_find(c, a.fields[i]);
	for (size_t n = 0; n < 1000 && csv_next(&in, &a) && csv_next(&out, &b); n++) {
		struct value given[CARD_FIELDS_MAX] = { 0 };
		for (size_t i = 0; i < a.fields_len; i++)
			if (places[i] != CARD_FIELDS_MAX)
				given[places[i]] = score_input(&c->fields[places[i]], a.fields[i]);
		score_run(c, given, &score);
		bool plain = same_points(c, &b);
		fast_run(f, given, &score);
		same += plain && same_points(c, &b);
		rows[n] =
			(struct monitor_row){ score.value, bytes_equal(a.fields[a.fields_len - 1], bytes_of("bad")) };
	}
	csv_clear(&in);
	csv_clear(&out);
	fast_free(f);
	return same;
}

static void a_fitted_card_scores_1000_of_1000_applicants_as_published(void)
{
	static struct monitor_row rows[1000];
	struct monitor_power power;
	struct buf card, data, scores;
	unsigned there = vector("credit/germancredit-card.csv", &card);
	there += vector("credit/germancredit.csv", &data);
	there += vector("credit/germancredit-scores.csv", &scores);
	if (there == 3) {
		struct card *c = german_card(buf_bytes(&card));
		CU_ASSERT_EQUAL(c->characteristics_len, 13);
		CU_ASSERT_EQUAL(lint_run(c, note, NULL), 0);
		CU_ASSERT_EQUAL(german_rows(c, buf_bytes(&data), buf_bytes(&scores), rows), 1000);
		monitor_sort(rows, 1000);
		CU_ASSERT_TRUE(monitor_power(rows, 1000, &power, NULL));
		CU_ASSERT_EQUAL(power.bads, 300);
		CU_ASSERT_TRUE(fabs(power.auc - 0.82685) < 5e-6 && fabs(power.ks - 0.52190) < 5e-6);
		card_free(c);
	}
	buf_clear(&card);
	buf_clear(&data);
	buf_clear(&scores);
}

static double score_of(const struct card *c, const char *text)
{
	struct value given = score_input(&c->fields[0], bytes_of(text));
	score_run(c, &given, &score);
	return score.value;
}

static void a_bin_may_join_the_missing_with_others(void)
{
	struct err e = { 0 };
	struct card *c =
		card_from_csv(bytes_of("variable,bin,points\nbasepoints,,100\nage,\"missing%,%[-inf,26.0)\",-3\n"
				       "age,\"[26.0,inf)\",4.5\n"),
			      "small", &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL(score_of(c, ""), 97);
	CU_ASSERT_EQUAL(score_of(c, "25.99"), 97);
	CU_ASSERT_EQUAL(score.reasons_len, 1);
	CU_ASSERT_STRING_EQUAL(score.reasons[0].code, "age"); /* its most points are the baseline */
	CU_ASSERT_EQUAL(score_of(c, "26"), 104.5);
	CU_ASSERT_EQUAL(score.reasons_len, 0);
	card_free(c);
	c = card_from_csv(bytes_of("variable,bin,points\nhome,missing,1\nhome,\"own%,%rent\",2\n"), "small", &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL(score_of(c, ""), 1);
	CU_ASSERT_EQUAL(score_of(c, "rent"), 2);
	CU_ASSERT_TRUE(isnan(score_of(c, "tent")));
	card_free(c);
}

static void a_card_that_is_none_is_refused_with_its_row(void)
{
	const char *const rows[][2] = {
		{ "", "no characteristic" },
		{ "variable,bin,woe\n", "row 1: expected the columns" },
		{ "variable,bin,points\nage,\"[1,2)\"\n", "row 2: expected variable,bin,points" },
		{ "variable,bin,points\nage,\"[1,2)\",many\n", "row 2: points: 'many' is no number" },
		{ "variable,bin,points\nage,\"[1,2)\",1\nage,old,1\n", "row 3: 'old' is no interval" },
		{ "variable,bin,points\nage,\"[2,1)\",1\nage,\"[1,2)\",1\n", "row 3: an interval among categories" },
		{ "variable,bin,points\n,a,1\n", "row 2: variable and bin are needed" },
		{ "variable,bin,points\nbasepoints,,1\n", "no characteristic" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };
		struct card *c = card_from_csv(bytes_of(rows[i][0]), "x", &e);
		CU_ASSERT_PTR_NULL(c);
		card_free(c);
		if (strstr(e.text, rows[i][1]) == NULL)
			printf("\n    wanted '%s', got '%s'", rows[i][1], e.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, rows[i][1]));
	}
}

static CU_TestInfo tests[] = {
	{ "a fitted card scores 1000 of 1000 applicants as published",
	  a_fitted_card_scores_1000_of_1000_applicants_as_published },
	{ "a bin may join the missing with others", a_bin_may_join_the_missing_with_others },
	{ "a card that is none is refused with its row", a_card_that_is_none_is_refused_with_its_row },
	CU_TEST_INFO_NULL,
};
SUITE(score_card_csv, NULL, NULL, tests);
