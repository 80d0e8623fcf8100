#include "central/carbon/push.h"
#include "central/carbon/redemption.h"
#include "tests/support/accounts.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static struct accounts a;
static struct err e;

static void setup(void)
{
	accounts_open(&a);
	e = (struct err){ 0 };
}

static void teardown(void)
{
	accounts_close(&a);
}

static struct carbon_push push(void)
{
	struct carbon_push p;
	CU_ASSERT_TRUE_FATAL(carbon_push_run(&a.carbon, &p, &e));
	return p;
}

static int64_t pushed(const char *holder, int32_t day)
{
	int64_t points = -1;
	struct carbon_push of;
	CU_ASSERT_TRUE(carbon_pushed(&a.carbon, IDENTIFIER_RESIDENT_ID, holder, day, &points, &of, &e));
	return points;
}

static bool proven(struct carbon_proven *v)
{
	struct ledger_reader *r = ledger_reader_open(a.path, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_TRUE_FATAL(carbon_push_check(r, a.centre.db, v, &e));
	ledger_reader_close(r);
	return v->broken[CARBON_PROOF_PUSHED] == 0 && v->broken[CARBON_PROOF_BOUGHT] == 0;
}

static void buy(const char *request, const char *holder, int64_t trees)
{
	struct carbon_purchase p = { .holder_kind = IDENTIFIER_RESIDENT_ID, .quantity = trees };
	struct carbon_redemption r;
	snprintf(p.request, sizeof(p.request), "%s", request);
	snprintf(p.holder, sizeof(p.holder), "%s", holder);
	snprintf(p.kind, sizeof(p.kind), "tree_planting");
	snprintf(p.bank, sizeof(p.bank), "bank-a");
	snprintf(p.reference, sizeof(p.reference), "r");
	CU_ASSERT_TRUE(carbon_buy(&a.carbon, &p, &r, &e));
}

static void what_is_pushed_is_the_balance_at_the_watermark_and_pushed_again_adds_nothing(void)
{
	const char *anna = accounts_holder(1), *bob = accounts_holder(2);
	struct carbon_push p;
	int64_t points;
	int32_t today = ledger_day_of(a.carbon.now_s);
	CU_ASSERT_FALSE(carbon_pushed(&a.carbon, IDENTIFIER_RESIDENT_ID, anna, INT32_MAX, &points, &p, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	accounts_earn(&a, anna, 100, 1);
	accounts_earn(&a, bob, 30, 1);
	p = push();
	CU_ASSERT(p.accounts == 2 && p.changed == 2 && p.points == 130 && !p.again && p.watermark == 26);
	p = push();
	CU_ASSERT(p.again && p.points == 130);
	CU_ASSERT_EQUAL(centre_count(&a.centre, "SELECT COUNT(*) FROM carbon_pushed"), 2);
	CU_ASSERT_EQUAL(centre_count(&a.centre, "SELECT COUNT(*) FROM carbon_push"), 1);
	a.carbon.now_s += 86400;
	buy("r", anna, 1); /* held is his still */
	accounts_earn(&a, bob, 5, 1);
	p = push();
	CU_ASSERT(p.changed == 1 && p.points == 135);
	CU_ASSERT_EQUAL(pushed(anna, INT32_MAX), 100);
	CU_ASSERT_EQUAL(pushed(bob, INT32_MAX), 35);
	CU_ASSERT_EQUAL(pushed(bob, today), 30); /* as of the day before */
	CU_ASSERT_EQUAL(pushed(accounts_holder(3), INT32_MAX), 0);
	CU_ASSERT_FALSE(carbon_pushed(&a.carbon, IDENTIFIER_RESIDENT_ID, anna, today - 1, &points, &p, &e));
	struct carbon_redemption r;
	CU_ASSERT_TRUE(carbon_buy_post(&a.carbon, "r", NULL, 0, &r, &e));
	CU_ASSERT_EQUAL(pushed(anna, INT32_MAX), 100); /* until the next push */
	p = push();
	CU_ASSERT_EQUAL(p.points, 85);
	CU_ASSERT_EQUAL(pushed(anna, INT32_MAX), 50);
	/* Sums are the same whoever is merged. */
	CU_ASSERT_TRUE(carbon_merge(&a.carbon, IDENTIFIER_RESIDENT_ID, anna, IDENTIFIER_RESIDENT_ID, bob, NULL));
	CU_ASSERT_EQUAL(pushed(anna, INT32_MAX), 85);
	CU_ASSERT_EQUAL(pushed(bob, INT32_MAX), 85);
	accounts_reopen(&a);
	CU_ASSERT_TRUE(push().again);
	struct carbon_proven v;
	CU_ASSERT_TRUE(proven(&v));
	CU_ASSERT(v.looked[CARBON_PROOF_PUSHED] > 8);
	CU_ASSERT_EQUAL(v.looked[CARBON_PROOF_BOUGHT], 1);
}

static void a_push_or_a_redemption_that_was_touched_is_found(void)
{
	static const struct {
		const char *sql;
		enum carbon_proof broken;
	} cases[] = {
		{ "UPDATE carbon_pushed SET points = points + 1 WHERE points = 30", CARBON_PROOF_PUSHED },
		{ "UPDATE carbon_push SET points = points + 1 WHERE id = 1", CARBON_PROOF_PUSHED },
		{ "DELETE FROM carbon_pushed WHERE points = 35", CARBON_PROOF_PUSHED },
		{ "UPDATE carbon_pushed SET points = CASE points WHEN 100 THEN 101 WHEN 30 THEN 29 ELSE points END",
		  CARBON_PROOF_PUSHED },
		{ "UPDATE carbon_pushed SET account = zeroblob(16) WHERE points = 35", CARBON_PROOF_PUSHED },
		{ "UPDATE carbon_push SET watermark = watermark + 100 WHERE id = 2", CARBON_PROOF_PUSHED },
		{ "DELETE FROM carbon_redemption", CARBON_PROOF_BOUGHT },
		{ "UPDATE carbon_redemption SET request = 'x'", CARBON_PROOF_BOUGHT },
	};
	struct carbon_proven v;
	accounts_earn(&a, accounts_holder(1), 100, 1);
	accounts_earn(&a, accounts_holder(2), 30, 1);
	(void)push();
	accounts_earn(&a, accounts_holder(2), 5, 1);
	buy("r", accounts_holder(1), 1);
	(void)push();
	CU_ASSERT_TRUE(proven(&v));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_TRUE(db_exec(a.centre.db, "PRAGMA foreign_keys = OFF", &e) && db_begin(a.centre.db, &e));
		CU_ASSERT_TRUE(db_exec(a.centre.db, cases[i].sql, &e));
		CU_ASSERT_FALSE(proven(&v));
		if (v.broken[cases[i].broken] == 0)
			printf("\n  not found: %s", cases[i].sql);
		CU_ASSERT(v.broken[cases[i].broken] > 0 && v.first[cases[i].broken][0] != '\0');
		db_rollback(a.centre.db);
	}
	CU_ASSERT_TRUE(proven(&v));
}

static CU_TestInfo tests[] = {
	{ "what is pushed is the balance at the watermark, and pushed again adds nothing",
	  what_is_pushed_is_the_balance_at_the_watermark_and_pushed_again_adds_nothing },
	{ "a push or a redemption that was touched is found", a_push_or_a_redemption_that_was_touched_is_found },
	CU_TEST_INFO_NULL,
};
SUITE(carbon_push, setup, teardown, tests);
