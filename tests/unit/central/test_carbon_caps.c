#include "tests/support/accounts.h"
#include "tests/test.h"

#include <stdio.h>

static struct accounts a;

static void setup(void)
{
	accounts_open(&a);
}

static void teardown(void)
{
	accounts_close(&a);
}

static struct carbon_result pay(const char *holder, int32_t days_ago, unsigned n)
{
	char reference[16];
	snprintf(reference, sizeof(reference), "p%u", n);
	return accounts_credit(&a, holder, "green_payment", days_ago, reference, 1);
}

static void one_kind_earns_so_much_a_day_and_person(void)
{
	const char *anna = accounts_holder(1), *bob = accounts_holder(2);
	for (unsigned n = 0; n < 20; n++)
		CU_ASSERT_EQUAL(pay(anna, 1, n).points, 1);
	struct carbon_result r = pay(anna, 1, 20);
	CU_ASSERT_EQUAL(r.outcome, CARBON_REFUSED);
	CU_ASSERT_EQUAL(r.why.code, ERR_FULL);
	CU_ASSERT_EQUAL(pay(anna, 1, 3).outcome, CARBON_REPEATED); /* known still, though the day is full */
	CU_ASSERT_EQUAL(pay(anna, 2, 21).points, 1);               /* another day */
	CU_ASSERT_EQUAL(pay(bob, 1, 22).points, 1);                /* another person */
	CU_ASSERT_EQUAL(accounts_credit(&a, anna, "bus_ride", 1, "b", 1).points, 4);
	/* What is left of the day is given: 120 a day, 40 at once. */
	CU_ASSERT_EQUAL(accounts_credit(&a, anna, "recycling", 1, "1", 20000).points, 40);
	CU_ASSERT_EQUAL(accounts_credit(&a, anna, "recycling", 1, "2", 20000).points, 40);
	CU_ASSERT_EQUAL(accounts_credit(&a, anna, "recycling", 1, "3", 7500).points, 30);
	CU_ASSERT_EQUAL(accounts_credit(&a, anna, "recycling", 1, "4", 20000).points, 10);
	CU_ASSERT_EQUAL(accounts_credit(&a, anna, "recycling", 1, "5", 20000).outcome, CARBON_REFUSED);
	a.carbon.now_s += 5 * 86400; /* said days later, it is of that day */
	CU_ASSERT_EQUAL(accounts_credit(&a, anna, "recycling", 6, "6", 20000).outcome, CARBON_REFUSED);
}

static void all_kinds_together_earn_so_much_also_within_one_batch(void)
{
	static struct carbon_report reports[16];
	static struct carbon_result out[16];
	int64_t sum = 0;
	for (size_t i = 0; i < 16; i++) {
		struct carbon_report *r = &reports[i];
		*r = (struct carbon_report){ .holder_kind = IDENTIFIER_RESIDENT_ID,
					     .day = ledger_day_of(a.carbon.now_s),
					     .quantity = 310000 }; /* 155 points each */
		snprintf(r->holder, sizeof(r->holder), "%s", accounts_holder(1));
		snprintf(r->activity, sizeof(r->activity), "home_solar");
		snprintf(r->reference, sizeof(r->reference), "s%zu", i == 5 ? 4 : i); /* one of them twice */
	}
	CU_ASSERT_TRUE_FATAL(carbon_report(&a.carbon, reports, 16, out, NULL));
	for (size_t i = 0; i < 16; i++)
		sum += out[i].points;
	CU_ASSERT_EQUAL(sum, 2000);
	CU_ASSERT_EQUAL(out[5].outcome, CARBON_REPEATED);
	CU_ASSERT_EQUAL(out[13].points, 2000 - 12 * 155);
	CU_ASSERT_EQUAL(out[14].outcome, CARBON_REFUSED);
	CU_ASSERT_EQUAL(accounts_standing(&a, accounts_holder(1)).points, 2000);
}

static void the_cap_is_a_persons_over_merged_accounts_and_what_is_reversed_does_not_count(void)
{
	const char *anna = accounts_holder(1), *bob = accounts_holder(2);
	enum ledger_status status = LEDGER_OK;
	for (unsigned n = 0; n < 12; n++)
		(void)pay(anna, 1, n);
	for (unsigned n = 12; n < 20; n++)
		(void)pay(bob, 1, n);
	CU_ASSERT_TRUE(carbon_merge(&a.carbon, IDENTIFIER_RESIDENT_ID, anna, IDENTIFIER_RESIDENT_ID, bob, NULL));
	CU_ASSERT_EQUAL(pay(anna, 1, 30).outcome, CARBON_REFUSED);
	CU_ASSERT_EQUAL(pay(bob, 1, 30).outcome, CARBON_REFUSED);
	struct ledger_row row;
	struct db *db = db_open(a.path, DB_READ, NULL);
	CU_ASSERT_TRUE_FATAL(db != NULL && ledger_source_row(db, 1, &row, NULL));
	db_close(db);
	const struct ledger_transfer back = { .id = { 1, 1 }, .ref = row.id, .kind = TRANSFER_REVERSAL };
	CU_ASSERT_TRUE(ledger_transfers(a.carbon.ledger, a.carbon.now_s, "alice", &back, 1, &status, NULL));
	CU_ASSERT_EQUAL(status, LEDGER_OK);
	CU_ASSERT_EQUAL(pay(bob, 1, 30).points, 1);
	CU_ASSERT_EQUAL(pay(bob, 1, 31).outcome, CARBON_REFUSED);
	CU_ASSERT_TRUE(carbon_unmerge(&a.carbon, IDENTIFIER_RESIDENT_ID, anna, NULL));
	CU_ASSERT_EQUAL(pay(bob, 1, 31).points, 1);
}

static CU_TestInfo tests[] = {
	{ "one kind earns so much a day and person", one_kind_earns_so_much_a_day_and_person },
	{ "all kinds together earn so much, also within one batch",
	  all_kinds_together_earn_so_much_also_within_one_batch },
	{ "the cap is a person's over merged accounts, and what is reversed does not count",
	  the_cap_is_a_persons_over_merged_accounts_and_what_is_reversed_does_not_count },
	CU_TEST_INFO_NULL,
};
SUITE(carbon_caps, setup, teardown, tests);
