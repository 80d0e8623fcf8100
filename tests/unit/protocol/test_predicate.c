#include "protocol/predicate.h"
#include "tests/test.h"

#include <string.h>

static struct value values[3]; /* 0: number 5, 1: text "a", 2: missing */
static struct err err;

static void setup(void)
{
	values[0] = (struct value){ .kind = VALUE_NUMBER, .number = 5 };
	values[1] = (struct value){ .kind = VALUE_TEXT, .text = bytes_of("a") };
	values[2] = (struct value){ .kind = VALUE_MISSING };
	err = (struct err){ 0 };
}

static struct value number(double v)
{
	return (struct value){ .kind = VALUE_NUMBER, .number = v };
}

static enum truth leaf(enum predicate_op op, uint32_t place, double v)
{
	struct value n = number(v);
	bool alone = op == PREDICATE_MISSING || op == PREDICATE_NOT_MISSING;
	struct predicate *p = predicate_new();
	CU_ASSERT_TRUE(predicate_leaf(p, op, place, &n, alone ? 0 : 1, &err) && predicate_whole(p, &err));
	enum truth t = predicate_eval_places(p, values);
	predicate_free(p);
	return t;
}

static void leaves_look_at_the_fact_in_their_place(void)
{
	CU_ASSERT_EQUAL(leaf(PREDICATE_EQUAL, 0, 5), TRUTH_TRUE);
	CU_ASSERT_EQUAL(leaf(PREDICATE_LESS, 0, 5), TRUTH_FALSE);
	CU_ASSERT_EQUAL(leaf(PREDICATE_GREATER_OR_EQUAL, 0, 5), TRUTH_TRUE);
	CU_ASSERT_EQUAL(leaf(PREDICATE_EQUAL, 1, 5), TRUTH_UNKNOWN); /* text and a number */
	CU_ASSERT_EQUAL(leaf(PREDICATE_LESS, 2, 5), TRUTH_UNKNOWN);
	CU_ASSERT_EQUAL(leaf(PREDICATE_MISSING, 2, 0), TRUTH_TRUE);
	CU_ASSERT_EQUAL(leaf(PREDICATE_NOT_MISSING, 2, 0), TRUTH_FALSE);
	CU_ASSERT_EQUAL(leaf(PREDICATE_NOT_IN, 0, 6), TRUTH_TRUE);
}

/* op(equal 5 at 0, less 3 at `second`) */
static enum truth pair(enum predicate_op op, uint32_t second)
{
	struct value five = number(5), three = number(3);
	struct predicate *p = predicate_new();
	CU_ASSERT_TRUE(predicate_open(p, op, &err) && predicate_leaf(p, PREDICATE_EQUAL, 0, &five, 1, &err) &&
		       predicate_leaf(p, PREDICATE_LESS, second, &three, 1, &err) && predicate_close(p, &err) &&
		       predicate_whole(p, &err));
	CU_ASSERT_EQUAL(predicate_len(p), 3);
	CU_ASSERT_EQUAL(predicate_at(p, 0).next, 3);
	enum truth t = predicate_eval_places(p, values);
	predicate_free(p);
	return t;
}

static void compounds_join_as_those_of_documents_do(void)
{
	CU_ASSERT_EQUAL(pair(PREDICATE_AND, 0), TRUTH_FALSE);
	CU_ASSERT_EQUAL(pair(PREDICATE_AND, 2), TRUTH_UNKNOWN);
	CU_ASSERT_EQUAL(pair(PREDICATE_OR, 2), TRUTH_TRUE);
	CU_ASSERT_EQUAL(pair(PREDICATE_XOR, 0), TRUTH_TRUE);
	CU_ASSERT_EQUAL(pair(PREDICATE_XOR, 2), TRUTH_UNKNOWN);
	CU_ASSERT_EQUAL(pair(PREDICATE_SURROGATE, 2), TRUTH_TRUE);
}

static void what_is_not_one_whole_predicate_is_refused(void)
{
	struct value text = { .kind = VALUE_TEXT, .text = bytes_of("a") }, mixed[] = { number(1), text };
	struct predicate *p = predicate_new();
	CU_ASSERT_FALSE(predicate_whole(p, &err));
	CU_ASSERT_FALSE(predicate_leaf(p, PREDICATE_LESS, 0, &text, 1, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "compares numbers only"));
	CU_ASSERT_FALSE(predicate_leaf(p, PREDICATE_IN, 0, mixed, 2, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "of different kinds"));
	CU_ASSERT_FALSE(predicate_leaf(p, PREDICATE_IN, 0, NULL, 0, &err));
	CU_ASSERT_TRUE(predicate_leaf(p, PREDICATE_TRUE, 0, NULL, 0, &err) && predicate_whole(p, &err));
	CU_ASSERT_FALSE(predicate_leaf(p, PREDICATE_TRUE, 0, NULL, 0, &err));
	CU_ASSERT_FALSE(predicate_open(p, PREDICATE_AND, &err));
	predicate_free(p);
	p = predicate_new();
	for (int i = 0; i < PREDICATE_DEPTH_MAX; i++)
		CU_ASSERT_TRUE(predicate_open(p, PREDICATE_AND, &err));
	CU_ASSERT_FALSE(predicate_whole(p, &err)); /* open still */
	CU_ASSERT_FALSE(predicate_open(p, PREDICATE_AND, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "nest deeper"));
	CU_ASSERT_FALSE(predicate_close(p, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "'and' is empty"));
	predicate_free(p);
}

static CU_TestInfo tests[] = {
	{ "leaves look at the fact in their place", leaves_look_at_the_fact_in_their_place },
	{ "compounds join as those of documents do", compounds_join_as_those_of_documents_do },
	{ "what is not one whole predicate is refused", what_is_not_one_whole_predicate_is_refused },
	CU_TEST_INFO_NULL,
};
SUITE(predicate_places, setup, NULL, tests);
