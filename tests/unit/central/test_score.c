#include "central/score/score.h"
#include "central/csv.h"
#include "central/score/fast.h"
#include "protocol/base/file.h"
#include "tests/support/cards.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct score score;

/* --- what the schema makes of a value --- */

static void check_treatment(const char *type, const char *inside, const char *attributes, const char *given,
			    enum input_state want, const char *wanted)
{
	char dictionary[800], schema[300], got[64] = "";
	struct value out;
	snprintf(dictionary, sizeof(dictionary), "<DataField name='f' %s>%s</DataField>", type, inside);
	snprintf(schema, sizeof(schema), "<MiningField name='f' %s/>", attributes);
	struct card *c = card_of(dictionary, "useReasonCodes='false'", schema,
				 "<Characteristic><Attribute partialScore='0'><True/></Attribute></Characteristic>");
	struct value in = score_input(&c->fields[0], bytes_of(given));
	enum input_state state = score_prepare(&c->fields[0], &in, &out);
	if (out.kind == VALUE_NUMBER)
		card_number_format(out.number, got);
	else if (out.kind == VALUE_TEXT)
		snprintf(got, sizeof(got), "%.*s", (int)out.text.len, (const char *)out.text.data);
	else if (out.kind == VALUE_BOOL)
		snprintf(got, sizeof(got), "%s", out.boolean ? "true" : "false");
	if (state != want || strcmp(got, wanted) != 0)
		printf("\n    %s %s '%s': %s '%s'", type, attributes, given, input_state_name(state), got);
	CU_ASSERT_EQUAL(state, want);
	CU_ASSERT_STRING_EQUAL(got, wanted);
	card_free(c);
}

#define NUMBER "optype='continuous' dataType='double'"
#define WHOLE  "optype='continuous' dataType='integer'"
#define TEXT   "optype='categorical' dataType='string'"
#define BOOL   "optype='categorical' dataType='boolean'"
#define RANGE                                                                                                        \
	"<Interval closure='closedOpen' leftMargin='0' rightMargin='10'/><Interval closure='openOpen' "              \
	"leftMargin='20'/>"
#define CODES                                                                                                        \
	"<Value value='-999' property='missing'/><Value value='NA' property='missing'/><Value value='7' "            \
	"property='invalid'/>"
#define LIST "<Value value='a'/><Value value='b'/><Value value='?' property='missing'/>"

static void each_value_is_treated_as_the_schema_says(void)
{
	const struct {
		const char *type, *inside, *attributes, *given;
		enum input_state state;
		const char *value;
	} rows[] = {
		{ NUMBER, "", "", "1.5", INPUT_VALID, "1.5" },
		{ NUMBER, "", "", "", INPUT_MISSING, "" },
		{ NUMBER, "", "", "high", INPUT_INVALID_REFUSED, "" },
		{ NUMBER, "", "", "inf", INPUT_INVALID_REFUSED, "" },
		{ NUMBER, "", "invalidValueTreatment='asMissing'", "high", INPUT_INVALID_MISSING, "" },
		{ NUMBER, "", "invalidValueTreatment='asIs'", "high", INPUT_INVALID_KEPT, "high" },
		{ NUMBER, "", "invalidValueTreatment='asValue' invalidValueReplacement='3'", "high",
		  INPUT_INVALID_REPLACED, "3" },
		{ NUMBER, RANGE, "", "0", INPUT_VALID, "0" },
		{ NUMBER, RANGE, "", "10", INPUT_INVALID_REFUSED, "" },
		{ NUMBER, RANGE, "", "20", INPUT_INVALID_REFUSED, "" },
		{ NUMBER, RANGE, "", "20.001", INPUT_VALID, "20.001" },
		{ NUMBER, RANGE, "invalidValueTreatment='asIs'", "-1", INPUT_INVALID_KEPT, "-1" },
		{ NUMBER, CODES, "", "-999", INPUT_MISSING, "" },
		{ NUMBER, CODES, "", "-999.0", INPUT_MISSING, "" },
		{ NUMBER, CODES, "", "NA", INPUT_MISSING, "" },
		{ NUMBER, CODES, "", "7", INPUT_INVALID_REFUSED, "" },
		{ NUMBER, CODES, "", "8", INPUT_VALID, "8" },
		{ NUMBER, CODES, "missingValueReplacement='4'", "NA", INPUT_MISSING_REPLACED, "4" },
		{ NUMBER, CODES, "missingValueReplacement='4' invalidValueTreatment='asMissing'", "7",
		  INPUT_INVALID_REPLACED, "4" },
		{ NUMBER, CODES, "missingValueTreatment='returnInvalid'", "-999", INPUT_MISSING_REFUSED, "" },
		{ NUMBER, CODES, "missingValueTreatment='returnInvalid' invalidValueTreatment='asMissing'", "7",
		  INPUT_INVALID_REFUSED, "" },
		{ WHOLE, "", "", "3", INPUT_VALID, "3" },
		{ WHOLE, "", "", "3.0", INPUT_VALID, "3" },
		{ WHOLE, "", "", "3.5", INPUT_INVALID_REFUSED, "" },
		{ TEXT, "", "", "anything", INPUT_VALID, "anything" },
		{ TEXT, LIST, "", "a", INPUT_VALID, "a" },
		{ TEXT, LIST, "", "c", INPUT_INVALID_REFUSED, "" },
		{ TEXT, LIST, "", "?", INPUT_MISSING, "" },
		{ TEXT, LIST, "invalidValueTreatment='asIs'", "c", INPUT_INVALID_KEPT, "c" },
		{ TEXT, LIST, "missingValueReplacement='b'", "", INPUT_MISSING_REPLACED, "b" },
		{ BOOL, "", "", "true", INPUT_VALID, "true" },
		{ BOOL, "", "", "0", INPUT_VALID, "false" },
		{ BOOL, "", "", "yes", INPUT_INVALID_REFUSED, "" },
		{ NUMBER, "", "usageType='supplementary'", "high", INPUT_UNUSED, "" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_treatment(rows[i].type, rows[i].inside, rows[i].attributes, rows[i].given, rows[i].state,
				rows[i].value);
}

/* --- points --- */

#define TWO        "<DataField name='n' " NUMBER "/><DataField name='t' " TEXT "/>"
#define TWO_ACTIVE "<MiningField name='n'/><MiningField name='t'/>"
#define AT_LEAST(n, points)                                                                                          \
	"<Attribute partialScore='" points "'><SimplePredicate field='n' operator='greaterOrEqual' value='" n        \
	"'/></Attribute>"
#define IS(v, points)                                                                                                \
	"<Attribute partialScore='" points "'><SimplePredicate field='t' operator='equal' value='" v "'/></"         \
	"Attribute>"

static void run(const struct card *c, const char *n, const char *t)
{
	struct value given[2] = { score_input(&c->fields[0], bytes_of(n)), score_input(&c->fields[1], bytes_of(t)) };
	score_run(c, given, &score);
}

static void no_match_is_invalid_and_never_a_number(void)
{
	char why[200];
	struct card *c =
		card_of(TWO, "useReasonCodes='false' initialScore='100'", TWO_ACTIVE,
			"<Characteristic name='size'>" AT_LEAST("10", "5")
				AT_LEAST("0", "3") "</Characteristic>"
						   "<Characteristic name='kind'>" IS("a", "1") "</Characteristic>");
	run(c, "12", "a");
	CU_ASSERT_EQUAL(score.fault, SCORE_OK);
	CU_ASSERT_EQUAL(score.value, 106);
	CU_ASSERT_EQUAL(score.attributes[0], 0); /* the first that is true, not the last */
	run(c, "-1", "a");
	CU_ASSERT_EQUAL(score.fault, SCORE_NO_MATCH);
	CU_ASSERT_TRUE(isnan(score.value) && isnan(score.points[0]));
	CU_ASSERT_EQUAL(score.points[1], 1);
	score_why(c, &score, true, why, sizeof(why));
	CU_ASSERT_STRING_EQUAL(why, "no attribute of characteristic 1 'size' matches");
	run(c, "", "a"); /* a comparison with what is missing is unknown, and unknown is no match */
	CU_ASSERT_EQUAL(score.fault, SCORE_NO_MATCH);
	run(c, "3", "z");
	CU_ASSERT_EQUAL(score.fault, SCORE_NO_MATCH);
	CU_ASSERT_EQUAL(score.fault_at, 1);
	run(c, "many", "a");
	CU_ASSERT_EQUAL(score.fault, SCORE_INPUT_REFUSED);
	CU_ASSERT_TRUE(isnan(score.value) && score.attributes[1] == -1);
	score_why(c, &score, false, why, sizeof(why));
	CU_ASSERT_STRING_EQUAL(why, "输入“n”无效");
	card_free(c);
}

static void check_reasons(const char *head, const char *want)
{
	char got[200] = "";
	struct card *c = card_of(
		TWO, head, TWO_ACTIVE,
		"<Characteristic reasonCode='A' baselineScore='10'>" AT_LEAST(
			"0", "4") "</Characteristic>"
				  "<Characteristic reasonCode='B'>" IS(
					  "a", "4") "</Characteristic>"
						    "<Characteristic reasonCode='C'><Attribute partialScore='-2' "
						    "reasonCode='C2'><True/></Attribute></Characteristic>"
						    "<Characteristic reasonCode='B'>" IS(
							    "a",
							    "1") "</Characteristic>"
								 "<Characteristic reasonCode='D'>" IS(
									 "a",
									 "50") "</Characteristic>"
									       "<Characteristic reasonCode='E'>" IS(
										       "a", "8") "</Characteristic>");
	run(c, "5", "a");
	for (size_t i = 0; i < score.reasons_len; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s:%g", i > 0 ? " " : "",
			 score.reasons[i].code, score.reasons[i].difference);
	CU_ASSERT_STRING_EQUAL(got, want);
	card_free(c);
}

/* Differences below the baseline: A 10-4, B (8-4)+(8-1), C2 8+2, D 8-50, E 0, which is no reason. */
static void reasons_rank_by_points_lost_and_codes_add_up(void)
{
	check_reasons("baselineScore='8' reasonCodeAlgorithm='pointsBelow'", "B:11 C2:10 A:6");
	check_reasons("baselineScore='8'", "B:11 C2:10 A:6");
	check_reasons("baselineScore='8' reasonCodeAlgorithm='pointsAbove'", "D:42");
	check_reasons("baselineScore='-2' reasonCodeAlgorithm='pointsAbove'", "D:52 E:10 B:9");
	check_reasons("baselineScore='8' useReasonCodes='false'", "");
}

static void at_one_difference_the_order_of_characteristics_ranks(void)
{
	struct card *c = card_of(TWO, "baselineScore='3'", TWO_ACTIVE,
				 "<Characteristic reasonCode='Z'>" AT_LEAST(
					 "0", "1") "</Characteristic>"
						   "<Characteristic reasonCode='Y'>" AT_LEAST(
							   "0", "1") "</Characteristic>"
								     "<Characteristic reasonCode='X'>" AT_LEAST(
									     "0", "0") "</Characteristic>");
	run(c, "5", "a");
	CU_ASSERT_EQUAL_FATAL(score.reasons_len, 3);
	CU_ASSERT_STRING_EQUAL(score.reasons[0].code, "X");
	CU_ASSERT_STRING_EQUAL(score.reasons[1].code, "Z");
	CU_ASSERT_STRING_EQUAL(score.reasons[2].code, "Y");
	card_free(c);
}

static void knock_outs_stand_apart_from_points_and_are_judged_without_a_score(void)
{
	struct card *c = card_of(TWO, "useReasonCodes='false'", TWO_ACTIVE,
				 "<Characteristic>" AT_LEAST("0", "5") "</Characteristic>");
	struct card_knockout *k = card_add_knockout(c, NULL);
	struct value listed = { .kind = VALUE_TEXT, .text = bytes_of("listed") };
	CU_ASSERT_PTR_NOT_NULL_FATAL(k);
	k->reason = "LISTED";
	k->when = predicate_new();
	CU_ASSERT_TRUE(predicate_leaf(k->when, PREDICATE_EQUAL, 1, &listed, 1, NULL) && card_check(c, NULL));
	run(c, "1", "listed");
	CU_ASSERT_TRUE(score.knocked_out && !score.unsure && score.value >= 5);
	run(c, "1", "free");
	CU_ASSERT_TRUE(!score.knocked_out && !score.unsure);
	run(c, "1", ""); /* what could not be judged is said */
	CU_ASSERT_TRUE(!score.knocked_out && score.unsure);
	run(c, "no number", "listed");
	CU_ASSERT_TRUE(score.knocked_out && isnan(score.value));
	card_free(c);
}

/* --- public data with missing values, against sums made here in another way --- */

static const char credit_dictionary[] =
	"<DataField name='Seniority' " WHOLE "/><DataField name='Home' " TEXT "/><DataField name='Age' " NUMBER "/>"
	"<DataField name='Income' " NUMBER "/><DataField name='Assets' " NUMBER "/><DataField name='Records' " TEXT
	"/>";
static const char credit_schema[] = "<MiningField name='Seniority'/><MiningField name='Home' "
				    "missingValueReplacement='other'/><MiningField name='Age'/>"
				    "<MiningField name='Income'/><MiningField name='Assets' "
				    "missingValueTreatment='returnInvalid'/><MiningField name='Records'/>";
static const char credit_body[] =
	"<Characteristic name='s'><Attribute partialScore='1'><SimplePredicate field='Seniority' operator='lessThan' "
	"value='2'/></Attribute>"
	"<Attribute partialScore='9'><SimplePredicate field='Seniority' operator='lessOrEqual' "
	"value='10'/></Attribute>"
	"<Attribute partialScore='20'><True/></Attribute></Characteristic>"
	"<Characteristic name='h'><Attribute partialScore='15'><SimpleSetPredicate field='Home' "
	"booleanOperator='isIn'><Array type='string'>"
	"owner priv</Array></SimpleSetPredicate></Attribute><Attribute partialScore='-4'><SimplePredicate "
	"field='Home' "
	"operator='equal' value='other'/></Attribute><Attribute partialScore='2'><True/></Attribute></Characteristic>"
	"<Characteristic name='i'><Attribute partialScore='-7'><SimplePredicate field='Income' "
	"operator='isMissing'/></Attribute>"
	"<Attribute partialScore='12'><CompoundPredicate booleanOperator='and'><SimplePredicate field='Income' "
	"operator='greaterThan' "
	"value='100'/><SimplePredicate field='Age' operator='greaterOrEqual' "
	"value='30'/></CompoundPredicate></Attribute>"
	"<Attribute partialScore='3'><SimplePredicate field='Income' operator='greaterThan' "
	"value='60'/></Attribute></Characteristic>"
	"<Characteristic name='r'><Attribute partialScore='-30'><CompoundPredicate "
	"booleanOperator='xor'><SimplePredicate field='Records' "
	"operator='equal' value='yes'/><SimplePredicate field='Assets' operator='greaterThan' "
	"value='5000'/></CompoundPredicate>"
	"</Attribute><Attribute partialScore='0'><True/></Attribute></Characteristic>";

/* Columns: 1 Seniority, 2 Home, 4 Age, 9 Income, 10 Assets, 6 Records. False: no score. */
static bool by_hand(const struct csv_row *r, double *sum)
{
	char home[32], income[32];
	snprintf(home, sizeof(home), "%.*s", (int)r->fields[2].len, (const char *)r->fields[2].data);
	snprintf(income, sizeof(income), "%.*s", (int)r->fields[9].len, (const char *)r->fields[9].data);
	long seniority = strtol((const char *)r->fields[1].data, NULL, 10),
	     age = strtol((const char *)r->fields[4].data, NULL, 10);
	bool records = r->fields[6].len == 3, rich = strtol((const char *)r->fields[10].data, NULL, 10) > 5000;
	if (r->fields[10].len == 0)
		return false;
	*sum = 50 + (seniority < 2 ? 1 : seniority <= 10 ? 9 : 20);
	*sum += strcmp(home, "owner") == 0 || strcmp(home, "priv") == 0 ? 15
		: home[0] == '\0' || strcmp(home, "other") == 0         ? -4
									: 2;
	if (income[0] == '\0')
		*sum -= 7;
	else if (strtol(income, NULL, 10) > 100 && age >= 30)
		*sum += 12;
	else if (strtol(income, NULL, 10) > 60)
		*sum += 3;
	else
		return false;
	*sum -= records != rich ? 30 : 0;
	return true;
}

static void public_data_with_gaps_scores_as_counted_by_hand(void)
{
	static const size_t columns[] = { 1, 2, 4, 9, 10, 6 };
	struct buf text;
	struct csv csv;
	struct csv_row row;
	unsigned rows = 0, scored = 0, wrong = 0;
	const char *file = test_vectors("credit/credit_data.csv");
	if (file == NULL)
		return;
	buf_init(&text, 1 << 20);
	CU_ASSERT_TRUE_FATAL(file_read(file, &text, NULL));
	struct card *c =
		card_of(credit_dictionary, "useReasonCodes='false' initialScore='50'", credit_schema, credit_body);
	struct fast *f = fast_new(c);
	csv_init(&csv, buf_bytes(&text));
	CU_ASSERT_TRUE(csv_next(&csv, &row));
	while (csv_next(&csv, &row)) {
		struct value given[6];
		double want = 0;
		for (size_t i = 0; i < 6; i++)
			given[i] = score_input(&c->fields[i], row.fields[columns[i]]);
		bool valid = by_hand(&row, &want);
		for (int engine = 0; engine < 2; engine++) {
			if (engine == 0)
				score_run(c, given, &score);
			else
				fast_run(f, given, &score);
			wrong += valid != (score.fault == SCORE_OK) ||
				 (valid && (score.value < want || score.value > want));
		}
		scored += valid;
		rows++;
	}
	CU_ASSERT_EQUAL(rows, 4454);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_TRUE(scored > 4000 && scored < 4454 - 47);
	csv_clear(&csv);
	fast_free(f);
	card_free(c);
	buf_clear(&text);
}

static CU_TestInfo tests[] = {
	{ "each value is treated as the schema says", each_value_is_treated_as_the_schema_says },
	{ "no match is invalid and never a number", no_match_is_invalid_and_never_a_number },
	{ "reasons rank by points lost, and codes add up", reasons_rank_by_points_lost_and_codes_add_up },
	{ "at one difference the order of characteristics ranks",
	  at_one_difference_the_order_of_characteristics_ranks },
	{ "knock-outs stand apart from points and are judged without a score",
	  knock_outs_stand_apart_from_points_and_are_judged_without_a_score },
	{ "public data with gaps scores as counted by hand", public_data_with_gaps_scores_as_counted_by_hand },
	CU_TEST_INFO_NULL,
};
SUITE(score_run, NULL, NULL, tests);
