#include "central/score/lint.h"
#include "tests/support/cards.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static char findings[2000];

static void note(void *arg, const struct lint_finding *f)
{
	(void)arg;
	size_t len = strlen(findings);
	snprintf(findings + len, sizeof(findings) - len, "%s%s %zu %s", len > 0 ? "|" : "", lint_kind_name(f->kind),
		 f->characteristic + 1, f->where);
	CU_ASSERT_TRUE(f->what[0] != '\0' && f->what_zh[0] != '\0');
}

static void check(const char *dictionary, const char *schema, const char *body, size_t faults, const char *want)
{
	struct card *c = card_of(dictionary, "useReasonCodes='false'", schema, body);
	findings[0] = '\0';
	size_t got = lint_run(c, note, NULL);
	if (strcmp(findings, want) != 0)
		printf("\n    wanted '%s'\n    got    '%s'", want, findings);
	CU_ASSERT_STRING_EQUAL(findings, want);
	CU_ASSERT_EQUAL(got, faults);
	card_free(c);
}

#define N "<DataField name='n' optype='continuous' dataType='double'/>"
#define I "<DataField name='n' optype='continuous' dataType='integer'/>"
#define R                                                                                                            \
	"<DataField name='n' optype='continuous' dataType='double'><Interval closure='closedClosed' leftMargin='0' " \
	"rightMargin='9'/></DataField>"
#define T "<DataField name='t' optype='categorical' dataType='string'/>"
#define L                                                                                                            \
	"<DataField name='t' optype='categorical' dataType='string'><Value value='a'/><Value "                       \
	"value='b'/></DataField>"
#define NEEDED           "<MiningField name='n' missingValueTreatment='returnInvalid'/>"
#define T_NEEDED         "<MiningField name='t' missingValueTreatment='returnInvalid'/>"
#define P(field, op, v)  "<SimplePredicate field='" field "' operator='" op "' value='" v "'/>"
#define BELOW(v, points) "<Attribute partialScore='" points "'>" P("n", "lessThan", v) "</Attribute>"
#define ABOVE(v, points) "<Attribute partialScore='" points "'>" P("n", "greaterOrEqual", v) "</Attribute>"
#define FROM_TO(a, b, points)                                                                                        \
	"<Attribute partialScore='" points "'><CompoundPredicate booleanOperator='and'>" P("n", "greaterOrEqual", a) \
		P("n", "lessThan", b) "</CompoundPredicate></Attribute>"
#define IS(v, points)    "<Attribute partialScore='" points "'>" P("t", "equal", v) "</Attribute>"
#define CARD(attributes) "<Characteristic>" attributes "</Characteristic>"
#define RISING           "<Extension extender='xinbian' name='trend' value='increasing'/>"
#define FALLING          "<Extension extender='xinbian' name='trend' value='decreasing'/>"

static void a_card_without_faults_has_none(void)
{
	check(N, NEEDED, CARD(BELOW("5", "1") FROM_TO("5", "9", "2") ABOVE("9", "3")), 0, "");
	check(L, T_NEEDED, CARD(IS("a", "1") IS("b", "2")), 0, "");
}

static void gaps_are_named_by_their_interval(void)
{
	check(N, NEEDED, CARD(BELOW("5", "1") ABOVE("9", "3")), 1, "gap 1 n [5, 9)");
	check(N, NEEDED,
	      CARD("<Attribute partialScore='1'>" P(
		      "n", "lessThan", "5") "</Attribute><Attribute partialScore='1'>" P("n", "greaterThan",
											 "5") "</Attribute>"),
	      1, "gap 1 n 5");
	check(N, NEEDED, CARD(FROM_TO("1", "2", "1")), 2, "gap 1 n (-∞, 1)|gap 1 n [2, ∞)");
	check(L, T_NEEDED, CARD(IS("a", "1")), 1, "gap 1 t 'b'");
}

static void only_values_that_can_come_are_looked_at(void)
{
	check(R, NEEDED, CARD(FROM_TO("0", "9", "1")), 1, "gap 1 n 9");
	check(R, NEEDED, CARD(BELOW("5", "1") FROM_TO("5", "9.5", "1")), 0, "");
	/* Whole numbers: nothing lies between 4 and 5. */
	check(I, NEEDED,
	      CARD("<Attribute partialScore='1'>" P("n", "lessOrEqual", "4") "</Attribute>" ABOVE("5", "2")), 0, "");
	check(N, NEEDED,
	      CARD("<Attribute partialScore='1'>" P("n", "lessOrEqual", "4") "</Attribute>" ABOVE("5", "2")), 1,
	      "gap 1 n (4, 5)");
	check(R, NEEDED, CARD(BELOW("5", "1") ABOVE("5", "1") ABOVE("20", "7")), 1, "unreachable 1 ");
}

static void overlaps_and_what_is_never_reached_are_named(void)
{
	check(N, NEEDED, CARD(BELOW("7", "1") ABOVE("5", "2")), 1, "overlap 1 n [5, 7)");
	check(N, NEEDED, CARD(BELOW("7", "1") BELOW("5", "9") ABOVE("7", "2")), 2,
	      "overlap 1 n (-∞, 5)|unreachable 1 ");
	check(L, T_NEEDED, CARD(IS("a", "1") IS("b", "2") IS("a", "3")), 2, "overlap 1 t 'a'|unreachable 1 ");
}

static void a_last_true_means_otherwise(void)
{
	check(N, NEEDED, CARD(BELOW("5", "1") "<Attribute partialScore='2'><True/></Attribute>"), 0, "");
	check(N, NEEDED, CARD("<Attribute partialScore='2'><True/></Attribute>" BELOW("5", "1")), 2,
	      "overlap 1 n (-∞, 5)|unreachable 1 ");
	check(N, NEEDED, CARD(BELOW("5", "1") ABOVE("5", "2") "<Attribute partialScore='2'><True/></Attribute>"), 1,
	      "unreachable 1 ");
}

static void what_is_missing_or_unheard_of_is_a_note_and_no_fault(void)
{
	check(N, "<MiningField name='n'/>", CARD(BELOW("5", "1") ABOVE("5", "2")), 0, "missing 1 n 缺失 missing");
	check(N, "<MiningField name='n'/>", CARD(BELOW("5", "1") "<Attribute partialScore='2'><True/></Attribute>"),
	      0, "missing 1 n 缺失 missing");
	check(T, T_NEEDED, CARD(IS("a", "1")), 0, "other 1 t 其他任何值 any other");
	check(N, "<MiningField name='n' missingValueReplacement='6'/>", CARD(BELOW("5", "1") ABOVE("5", "2")), 0, "");
	check(R, "<MiningField name='n' missingValueReplacement='-1'/>", CARD(FROM_TO("0", "10", "1")), 1,
	      "gap 1 替代值 replacement");
}

static void points_against_the_declared_trend_are_named(void)
{
	check(N, NEEDED, CARD(RISING BELOW("5", "1") FROM_TO("5", "9", "2") ABOVE("9", "3")), 0, "");
	check(N, NEEDED, CARD(RISING BELOW("5", "1") FROM_TO("5", "9", "4") ABOVE("9", "3")), 1, "trend 1 n [9, ∞)");
	check(N, NEEDED, CARD(FALLING BELOW("5", "3") FROM_TO("5", "9", "3") ABOVE("9", "2")), 0, "");
	check(N, NEEDED, CARD(FALLING BELOW("5", "1") FROM_TO("5", "9", "4") ABOVE("9", "3")), 1, "trend 1 n [5, 9)");
	/* In whatever order they are written. */
	check(N, NEEDED, CARD(RISING ABOVE("9", "3") FROM_TO("5", "9", "4") BELOW("5", "1")), 1, "trend 1 n [9, ∞)");
	check(L, T_NEEDED, CARD(RISING IS("a", "1") IS("b", "2")), 0, "unchecked 1 ");
}

static void several_fields_are_looked_at_in_all_combinations(void)
{
	check(N L, NEEDED T_NEEDED,
	      CARD("<Attribute partialScore='1'><CompoundPredicate booleanOperator='and'>" P("n", "lessThan", "5")
			   P("t", "equal", "a") "</CompoundPredicate></Attribute>" ABOVE("5", "2")),
	      1, "gap 1 n (-∞, 5) · t 'b'");
	check(N L, NEEDED T_NEEDED, CARD(BELOW("5", "1") ABOVE("5", "2") IS("a", "3")), 2,
	      "overlap 1 n (-∞, 5) · t 'a'|unreachable 1 ");
	check(N L, NEEDED T_NEEDED, CARD("<Attribute partialScore='1'><True/></Attribute>"), 0, "");
}

/* 60 sets of 600 values: 72,000 cells, each asked of 36,000 values. */
static void what_would_take_hours_is_not_begun(void)
{
	struct buf body;
	buf_init(&body, 1 << 20);
	buf_add_str(&body, "<Characteristic>");
	for (int i = 0; i < 60; i++) {
		buf_add_str(&body, "<Attribute partialScore='1'><SimpleSetPredicate field='n' "
				   "booleanOperator='isIn'><Array type='int'>");
		for (int k = 0; k < 600; k++)
			buf_add_fmt(&body, "%d ", i * 600 + k);
		buf_add_str(&body, "</Array></SimpleSetPredicate></Attribute>");
	}
	buf_add_str(&body, "</Characteristic>");
	check(N, NEEDED, buf_str(&body), 0, "unchecked 1 ");
	buf_clear(&body);
}

static CU_TestInfo tests[] = {
	{ "a card without faults has none", a_card_without_faults_has_none },
	{ "gaps are named by their interval", gaps_are_named_by_their_interval },
	{ "only values that can come are looked at", only_values_that_can_come_are_looked_at },
	{ "overlaps and what is never reached are named", overlaps_and_what_is_never_reached_are_named },
	{ "a last true means otherwise", a_last_true_means_otherwise },
	{ "what is missing or unheard of is a note and no fault",
	  what_is_missing_or_unheard_of_is_a_note_and_no_fault },
	{ "points against the declared trend are named", points_against_the_declared_trend_are_named },
	{ "several fields are looked at in all combinations", several_fields_are_looked_at_in_all_combinations },
	{ "what would take hours is not begun", what_would_take_hours_is_not_begun },
	CU_TEST_INFO_NULL,
};
SUITE(score_lint, NULL, NULL, tests);
