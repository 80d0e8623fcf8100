#include "central/fund/subsidy.h"
#include "tests/test.h"

#include <assert.h>
#include <stdio.h>

static struct book book;

static void setup(void)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/ledger.db", test_dir());
	book = (struct book){ ledger_open(path, NULL), "alice", 1795500000 };
	assert(book.ledger != NULL);
}

static void teardown(void)
{
	ledger_close(book.ledger);
}

static void budget_is(int64_t appropriated, int64_t held, int64_t paid)
{
	struct subsidy_budget s;
	CU_ASSERT_TRUE_FATAL(subsidy_show(&book, "loans-2026", &s, NULL));
	CU_ASSERT(s.appropriated == appropriated && s.held == held && s.paid == paid &&
		  s.left == appropriated - held - paid);
}

static void a_budget_is_never_exceeded(void)
{
	struct err e = { 0 };
	CU_ASSERT_FALSE(subsidy_claim(&book, "k1", "loans-2026", "firm", 1, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_TRUE(subsidy_appropriate(&book, "a1", "loans-2026", 1000, &e));
	CU_ASSERT_TRUE(subsidy_appropriate(&book, "a1", "loans-2026", 1000, &e)); /* once */
	CU_ASSERT_FALSE(subsidy_appropriate(&book, "a1", "loans-2026", 2000, &e));
	CU_ASSERT_TRUE(subsidy_claim(&book, "k1", "loans-2026", "firm", 600, &e));
	CU_ASSERT_FALSE(subsidy_claim(&book, "k2", "loans-2026", "firm", 401, &e)); /* what is held counts */
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_TRUE(subsidy_claim(&book, "k2", "loans-2026", "other", 400, &e));
	CU_ASSERT_FALSE(subsidy_claim(&book, "k3", "loans-2026", "firm", 0, &e));
	budget_is(1000, 1000, 0);
	CU_ASSERT_TRUE(subsidy_release(&book, "k2", &e));
	budget_is(1000, 600, 0);
	CU_ASSERT_TRUE(subsidy_appropriate(&book, "a2", "loans-2026", 50, &e));
	CU_ASSERT_TRUE(subsidy_claim(&book, "k3", "loans-2026", "firm", 450, &e));
	budget_is(1050, 1050, 0);
}

static void a_claim_is_never_paid_twice(void)
{
	struct err e = { 0 };
	CU_ASSERT_TRUE(subsidy_appropriate(&book, "a1", "loans-2026", 1000, &e));
	CU_ASSERT_TRUE(subsidy_claim(&book, "k1", "loans-2026", "firm", 600, &e));
	CU_ASSERT_TRUE(subsidy_claim(&book, "k1", "loans-2026", "firm", 600, &e));   /* the same claim */
	CU_ASSERT_FALSE(subsidy_claim(&book, "k1", "loans-2026", "other", 600, &e)); /* its name for another */
	CU_ASSERT_FALSE(subsidy_claim(&book, "k1", "loans-2026", "firm", 601, &e));
	CU_ASSERT_FALSE(subsidy_pay(&book, "k1", 601, &e));
	CU_ASSERT_TRUE(subsidy_pay(&book, "k1", 500, &e)); /* the rest goes back */
	CU_ASSERT_TRUE(subsidy_pay(&book, "k1", 500, &e));
	CU_ASSERT_FALSE(subsidy_pay(&book, "k1", 100, &e));
	CU_ASSERT_FALSE(subsidy_pay(&book, "k1", 0, &e));
	CU_ASSERT_FALSE(subsidy_release(&book, "k1", &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	budget_is(1000, 0, 500);
	CU_ASSERT_TRUE(subsidy_claim(&book, "k2", "loans-2026", "firm", 500, &e));
	CU_ASSERT_TRUE(subsidy_release(&book, "k2", &e));
	CU_ASSERT_FALSE(subsidy_pay(&book, "k2", 0, &e));
	CU_ASSERT_FALSE(subsidy_pay(&book, "k9", 0, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	budget_is(1000, 0, 500);
}

static CU_TestInfo tests[] = {
	{ "a budget is never exceeded", a_budget_is_never_exceeded },
	{ "a claim is never paid twice", a_claim_is_never_paid_twice },
	CU_TEST_INFO_NULL,
};
SUITE(subsidy, setup, teardown, tests);
