#include "central/score/fast.h"
#include "central/score/pmml.h"
#include "tests/support/cards.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

static struct score plain, fast;

static bool same_number(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0 || (isnan(a) && isnan(b));
}

static bool same(const struct card *c)
{
	bool ok = plain.fault == fast.fault && plain.fault_at == fast.fault_at &&
		  same_number(plain.value, fast.value) && plain.knocked_out == fast.knocked_out &&
		  plain.unsure == fast.unsure && plain.reasons_len == fast.reasons_len &&
		  memcmp(plain.inputs, fast.inputs, c->fields_len) == 0 &&
		  memcmp(plain.knockouts, fast.knockouts, c->knockouts_len) == 0;
	for (size_t i = 0; ok && i < c->characteristics_len; i++)
		ok = plain.attributes[i] == fast.attributes[i] && same_number(plain.points[i], fast.points[i]);
	for (size_t i = 0; ok && i < plain.reasons_len; i++)
		ok = strcmp(plain.reasons[i].code, fast.reasons[i].code) == 0 &&
		     same_number(plain.reasons[i].difference, fast.reasons[i].difference);
	return ok;
}

static void tables_score_as_the_plain_text_does_bit_by_bit(void)
{
	uint64_t state = 1, scored = 0, unscored = 0, tables = 0, others = 0;
	for (uint64_t seed = 1; seed <= 600; seed++) {
		struct card *c = card_random(seed);
		struct fast *f = fast_new(c);
		tables += fast_tables(f);
		others += c->characteristics_len - fast_tables(f);
		for (int i = 0; i < 200; i++) {
			struct value given[CARD_FIELDS_MAX];
			card_random_inputs(c, &state, given);
			score_run(c, given, &plain);
			fast_run(f, given, &fast);
			*(plain.fault == SCORE_OK ? &scored : &unscored) += 1;
			if (same(c))
				continue;
			printf("\n    seed %llu, input %d\n", (unsigned long long)seed, i);
			CU_FAIL_FATAL("the two differ");
		}
		fast_free(f);
		card_free(c);
	}
	/* Or it would prove nothing. */
	CU_ASSERT_TRUE(scored > 20000 && unscored > 20000 && tables > 500 && others > 200);
}

static void numbers_beside_a_bound_fall_on_their_own_side(void)
{
	struct card *c =
		card_of("<DataField name='n' optype='continuous' dataType='double'/>", "useReasonCodes='false'",
			"<MiningField name='n'/>",
			"<Characteristic><Attribute partialScore='1'><SimplePredicate field='n' operator='lessThan' "
			"value='0.1'/></Attribute><Attribute partialScore='2'><SimplePredicate field='n' "
			"operator='equal' value='0.1'/></Attribute><Attribute partialScore='3'><True/></Attribute>"
			"</Characteristic>");
	struct fast *f = fast_new(c);
	const double at[] = { nextafter(0.1, 0), 0.1, nextafter(0.1, 1), -1e308, 1e308 };
	const double want[] = { 1, 2, 3, 1, 3 };
	for (size_t i = 0; i < 5; i++) {
		struct value v = { .kind = VALUE_NUMBER, .number = at[i] };
		fast_run(f, &v, &fast);
		CU_ASSERT_EQUAL(fast.value, want[i]);
	}
	fast_free(f);
	card_free(c);
}

static CU_TestInfo tests[] = {
	{ "tables score as the plain text does, bit by bit", tables_score_as_the_plain_text_does_bit_by_bit },
	{ "numbers beside a bound fall on their own side", numbers_beside_a_bound_fall_on_their_own_side },
	CU_TEST_INFO_NULL,
};
SUITE(score_fast, NULL, NULL, tests);
