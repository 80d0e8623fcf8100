#include "central/score/table.h"
#include "tests/support/cards.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static struct card *card;
static struct buf out;
static uint64_t rows, invalid;
static struct err err;

static void setup(void)
{
	card = card_of(
		"<DataField name='age' optype='continuous' dataType='integer'/>"
		"<DataField name='home' optype='categorical' dataType='string'/>",
		"baselineScore='9'",
		"<MiningField name='age' missingValueReplacement='40'/><MiningField name='home'/>",
		"<Characteristic name='a' reasonCode='AGE'><Attribute partialScore='2'><SimplePredicate field='age' "
		"operator='lessThan' value='30'/></Attribute><Attribute "
		"partialScore='7.5'><True/></Attribute></Characteristic>"
		"<Characteristic name='h' reasonCode='HOME, OR NOT'><Attribute partialScore='1'><SimplePredicate "
		"field='home' "
		"operator='equal' value='own'/></Attribute></Characteristic>");
	struct card_knockout *k = card_add_knockout(card, NULL);
	struct value listed = { .kind = VALUE_TEXT, .text = bytes_of("listed") };
	CU_ASSERT_PTR_NOT_NULL_FATAL(k);
	k->reason = "KO";
	k->when = predicate_new();
	CU_ASSERT_TRUE(predicate_leaf(k->when, PREDICATE_EQUAL, 1, &listed, 1, NULL));
	buf_init(&out, 65536);
	err = (struct err){ 0 };
}

static void teardown(void)
{
	card_free(card);
	buf_clear(&out);
}

static bool score(const char *csv, const char *keep, size_t reasons, bool points)
{
	struct table_options o = { keep, reasons, points };
	buf_reset(&out);
	return table_score(card, bytes_of(csv), &o, &out, &rows, &invalid, &err);
}

static void each_row_comes_out_with_score_state_knock_outs_and_reasons(void)
{
	CU_ASSERT_TRUE(score("name,home,age\n\"Li, A\",own,25\nB,own,\nC,listed,50\nD,,old\n", "name", 2, true));
	CU_ASSERT_STRING_EQUAL(buf_str(&out),
			       "row,name,score,status,knockouts,inputs,reason1,reason2,a,h\n"
			       "1,\"Li, A\",3,ok,,,\"HOME, OR NOT\",AGE,2,1\n"
			       "2,B,8.5,ok,,age=missing_replaced,\"HOME, OR NOT\",AGE,7.5,1\n"
			       "3,C,,no attribute of characteristic 2 'h' matches,KO,,,,7.5,\n"
			       "4,D,,input 'age' is invalid,KO?,age=invalid_refused;home=missing,,,,\n");
	CU_ASSERT_EQUAL(rows, 4);
	CU_ASSERT_EQUAL(invalid, 2);
}

static void a_field_without_a_column_is_missing_in_all_rows(void)
{
	CU_ASSERT_TRUE(score("home\nown\n\n", NULL, 0, false));
	CU_ASSERT_STRING_EQUAL(buf_str(&out), "row,score,status,knockouts,inputs\n1,8.5,ok,,age=missing_replaced\n"
					      "2,,no attribute of characteristic 2 'h' matches,KO?,"
					      "age=missing_replaced;home=missing\n");
}

static void a_row_that_is_not_well_formed_is_named_and_not_skipped(void)
{
	const char *const bad[][2] = {
		{ "", "the file is empty" },
		{ "home,age\nown\n", "row 2 has 1 fields, the header 2" },
		{ "home,age\nown,1\n\"own,1\n", "row 3 is not well formed" },
		{ "home,age,home\n", "two columns are 'home'" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CU_ASSERT_FALSE(score(bad[i][0], NULL, 1, false));
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, bad[i][1]));
	}
	CU_ASSERT_FALSE(score("home\nown\n", "colour", 1, false));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no column 'colour'"));
	CU_ASSERT_TRUE(
		score("home,age\n,\n\nown,1\n", NULL, 0, false)); /* all missing is a row, an empty line none */
	CU_ASSERT_EQUAL(rows, 2);
}

static CU_TestInfo tests[] = {
	{ "each row comes out with score, state, knock-outs and reasons",
	  each_row_comes_out_with_score_state_knock_outs_and_reasons },
	{ "a field without a column is missing in all rows", a_field_without_a_column_is_missing_in_all_rows },
	{ "a row that is not well formed is named and not skipped",
	  a_row_that_is_not_well_formed_is_named_and_not_skipped },
	CU_TEST_INFO_NULL,
};
SUITE(score_table, setup, teardown, tests);
