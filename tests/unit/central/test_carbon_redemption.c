#include "central/carbon/redemption.h"
#include "tests/support/accounts.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct accounts a;
static struct carbon_redemption r;
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

static struct carbon_purchase purchase(const char *request, const char *holder, const char *kind, int64_t quantity)
{
	struct carbon_purchase p = { .holder_kind = IDENTIFIER_RESIDENT_ID, .quantity = quantity };
	snprintf(p.request, sizeof(p.request), "%s", request);
	snprintf(p.holder, sizeof(p.holder), "%s", holder);
	snprintf(p.kind, sizeof(p.kind), "%s", kind);
	snprintf(p.bank, sizeof(p.bank), "bank-a");
	snprintf(p.reference, sizeof(p.reference), "loan 7");
	return p;
}

static bool buy(const char *request, const char *holder, const char *kind, int64_t quantity)
{
	const struct carbon_purchase p = purchase(request, holder, kind, quantity);
	return carbon_buy(&a.carbon, &p, &r, &e);
}

static void each_kind_costs_what_the_standard_says_in_its_own_unit(void)
{
	static const struct {
		const char *kind;
		int64_t quantity, points; /* 0: refused */
		const char *unit;
		enum err_code why;
	} cases[] = {
		{ "loan_quota", 200000, 200, "fen", ERR_NONE }, { "rate_discount", 10, 400, "basis_point", ERR_NONE },
		{ "fee_waiver", 2, 40, "time", ERR_NONE },      { "consumption", 990, 99, "fen", ERR_NONE },
		{ "tree_planting", 3, 150, "tree", ERR_NONE },  { "rate_discount", 7, 0, "", ERR_INPUT },
		{ "rate_discount", 25, 0, "", ERR_INPUT },      { "rate_discount", 0, 0, "", ERR_INPUT },
		{ "rate_discount", -5, 0, "", ERR_INPUT },      { "a_car", 1, 0, "", ERR_MISSING },
	};
	const char *anna = accounts_holder(1);
	int64_t had = 1200;
	for (int32_t day = 1; day <= 4; day++)
		accounts_earn(&a, anna, 300, day);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char request[16];
		snprintf(request, sizeof(request), "r%zu", i);
		bool ok = buy(request, anna, cases[i].kind, cases[i].quantity);
		CU_ASSERT_EQUAL(ok, cases[i].points > 0);
		CU_ASSERT(ok || e.code == cases[i].why);
		had -= cases[i].points;
		CU_ASSERT_EQUAL(accounts_standing(&a, anna).points, had);
		if (!ok)
			continue;
		CU_ASSERT_TRUE(carbon_buy_find(&a.carbon, request, "bank-a", &r, &e));
		CU_ASSERT_EQUAL(r.points, cases[i].points);
		CU_ASSERT_EQUAL(r.quantity, cases[i].quantity);
		CU_ASSERT_STRING_EQUAL(r.unit, cases[i].unit);
		CU_ASSERT_STRING_EQUAL(r.bank, "bank-a");
		CU_ASSERT_STRING_EQUAL(r.reference, "loan 7");
		CU_ASSERT_EQUAL(r.rules_version, 1);
		CU_ASSERT_EQUAL(r.state, CARBON_PENDING);
	}
	CU_ASSERT_FALSE(carbon_buy_find(&a.carbon, "r0", "bank-b", &r, &e)); /* another bank's */
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
}

static void a_request_said_again_is_one_redemption_and_another_content_is_refused(void)
{
	const char *anna = accounts_holder(1), *bob = accounts_holder(2);
	accounts_earn(&a, anna, 200, 1);
	accounts_earn(&a, bob, 200, 1);
	CU_ASSERT_TRUE(buy("r", anna, "tree_planting", 1));
	int64_t made_s = r.made_s;
	a.carbon.now_s += 60;
	accounts_standard(&a, "\"points\": 50,", "\"points\": 60,"); /* a price of later days */
	CU_ASSERT_TRUE(buy("r", anna, "tree_planting", 1));
	CU_ASSERT_EQUAL(r.made_s, made_s);
	CU_ASSERT_EQUAL(r.points, 50);
	CU_ASSERT_EQUAL(accounts_standing(&a, anna).pending, 50);
	CU_ASSERT_FALSE(buy("r", anna, "tree_planting", 2));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_FALSE(buy("r", anna, "fee_waiver", 1));
	CU_ASSERT_FALSE(buy("r", bob, "tree_planting", 1));
	CU_ASSERT_TRUE(carbon_buy_find(&a.carbon, "r", NULL, &r, &e)); /* and what it bought still stands */
	CU_ASSERT(r.quantity == 1 && r.points == 50 && strcmp(r.kind, "tree_planting") == 0);
	CU_ASSERT_TRUE(buy("s", anna, "tree_planting", 1));
	CU_ASSERT_EQUAL(r.points, 60);
	CU_ASSERT_EQUAL(r.rules_version, 2);
	/* One that failed burns nothing. */
	CU_ASSERT_FALSE(buy("t", anna, "tree_planting", 2));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_TRUE(buy("t", anna, "tree_planting", 1));
}

static void it_is_posted_in_part_where_the_standard_lets_it_once(void)
{
	const char *anna = accounts_holder(1), *bob = accounts_holder(2);
	accounts_earn(&a, anna, 60, 1);
	accounts_earn(&a, bob, 340, 1);
	CU_ASSERT_TRUE(carbon_merge(&a.carbon, IDENTIFIER_RESIDENT_ID, anna, IDENTIFIER_RESIDENT_ID, bob, NULL));
	CU_ASSERT_TRUE(buy("trees", anna, "tree_planting", 8)); /* out of both accounts */
	CU_ASSERT_FALSE(carbon_buy_post(&a.carbon, "trees", NULL, 9, &r, &e));
	CU_ASSERT_TRUE(carbon_buy_post(&a.carbon, "trees", NULL, 1, &r, &e));
	CU_ASSERT_EQUAL(r.state, CARBON_POSTED);
	CU_ASSERT_EQUAL(r.posted_quantity, 1);
	CU_ASSERT_EQUAL(r.posted_points, 50);
	CU_ASSERT_EQUAL(accounts_standing(&a, anna).points, 350);
	CU_ASSERT_EQUAL(accounts_standing(&a, anna).pending, 0);
	CU_ASSERT_TRUE(carbon_buy_post(&a.carbon, "trees", NULL, 1, &r, &e)); /* again */
	CU_ASSERT_FALSE(carbon_buy_post(&a.carbon, "trees", NULL, 2, &r, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_FALSE(carbon_buy_void(&a.carbon, "trees", NULL, &r, &e));
	CU_ASSERT_EQUAL(accounts_standing(&a, anna).points, 350);
	CU_ASSERT_TRUE(buy("rate", anna, "rate_discount", 5));
	CU_ASSERT_FALSE(carbon_buy_post(&a.carbon, "rate", "bank-b", 0, &r, &e)); /* not theirs */
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_TRUE(carbon_buy_void(&a.carbon, "rate", "bank-a", &r, &e));
	CU_ASSERT_EQUAL(r.state, CARBON_VOIDED);
	CU_ASSERT_TRUE(carbon_buy_void(&a.carbon, "rate", "bank-a", &r, &e));
	CU_ASSERT_FALSE(carbon_buy_post(&a.carbon, "rate", NULL, 0, &r, &e));
	CU_ASSERT_EQUAL(accounts_standing(&a, anna).points, 350);
	CU_ASSERT_TRUE(buy("rate-2", anna, "rate_discount", 5));
	CU_ASSERT_FALSE(carbon_buy_post(&a.carbon, "rate-2", NULL, 1, &r, &e)); /* no whole step */
	CU_ASSERT_TRUE(buy("fee", anna, "fee_waiver", 2));
	a.carbon.now_s += 7 * 86400; /* the bank did not come for it */
	CU_ASSERT_TRUE(carbon_buy_find(&a.carbon, "fee", NULL, &r, &e));
	CU_ASSERT_EQUAL(r.state, CARBON_LAPSED);
	CU_ASSERT_FALSE(carbon_buy_post(&a.carbon, "fee", NULL, 0, &r, &e));
	CU_ASSERT_EQUAL(accounts_standing(&a, anna).points, 150); /* the discount waits longer */
}

static void a_year_has_its_limit_over_all_of_a_persons_accounts(void)
{
	const char *anna = accounts_holder(1), *bob = accounts_holder(2);
	int64_t left = 0;
	struct carbon_group g;
	for (int32_t day = 1; day <= 8; day++)
		accounts_earn(&a, anna, 390, day);
	accounts_earn(&a, bob, 390, 1);
	CU_ASSERT_TRUE(buy("1", anna, "rate_discount", 20));
	CU_ASSERT_TRUE(buy("2", anna, "rate_discount", 15));
	CU_ASSERT_TRUE(carbon_merge(&a.carbon, IDENTIFIER_RESIDENT_ID, anna, IDENTIFIER_RESIDENT_ID, bob, NULL));
	CU_ASSERT_FALSE(buy("3", bob, "rate_discount", 10));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	struct carbon_rules *rules = carbon_rules_current(&a.carbon, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rules);
	const struct carbon_kind *k = carbon_rules_kind(rules, "rate_discount", ledger_day_of(a.carbon.now_s), NULL);
	CU_ASSERT_TRUE(carbon_group_load(&a.carbon, IDENTIFIER_RESIDENT_ID, bob, &g, NULL) &&
		       carbon_buy_left(&a.carbon, &g, k, 5000, &left, NULL));
	CU_ASSERT_EQUAL(left, 5);
	CU_ASSERT_TRUE(carbon_buy_left(&a.carbon, &g, k, 199, &left, NULL));
	CU_ASSERT_EQUAL(left, 0);
	free(rules);
	CU_ASSERT_TRUE(carbon_buy_void(&a.carbon, "2", NULL, &r, &e)); /* that was nothing bought */
	CU_ASSERT_TRUE(buy("3", bob, "rate_discount", 10));
	CU_ASSERT_TRUE(carbon_buy_post(&a.carbon, "1", NULL, 0, &r, &e));
	a.carbon.now_s += 40 * 86400; /* 2027 */
	CU_ASSERT_TRUE(buy("4", anna, "rate_discount", 20));
}

static void of_two_banks_that_want_the_same_points_one_gets_them(void)
{
	const char *anna = accounts_holder(1);
	accounts_earn(&a, anna, 100, 1);
	struct carbon_purchase one = purchase("one", anna, "tree_planting", 2),
			       other = purchase("other", anna, "consumption", 510);
	snprintf(other.bank, sizeof(other.bank), "bank-b");
	CU_ASSERT_TRUE(carbon_buy(&a.carbon, &one, &r, &e));
	CU_ASSERT_FALSE(carbon_buy(&a.carbon, &other, &r, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_EQUAL(accounts_standing(&a, anna).points, 0);
	CU_ASSERT_TRUE(carbon_buy_void(&a.carbon, "one", "bank-a", &r, &e));
	CU_ASSERT_TRUE(carbon_buy(&a.carbon, &other, &r, &e));
	CU_ASSERT_FALSE(carbon_buy_post(&a.carbon, "one", "bank-a", 0, &r, &e));
	CU_ASSERT_TRUE(carbon_buy_post(&a.carbon, "other", "bank-b", 0, &r, &e));
	CU_ASSERT_EQUAL(accounts_standing(&a, anna).points, 49);
}

/* A process that buys, with files opened by itself, and is killed; what it had committed stands. */
static void killed_behind_the_hold(void)
{
	pid_t pid = fork();
	CU_ASSERT_FATAL(pid >= 0);
	if (pid == 0) {
		accounts_reopen(&a);
		if (buy("r", accounts_holder(1), "tree_planting", 2))
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	int status = 0;
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void killed_between_pending_and_posting_it_is_still_pending_and_posted_once(void)
{
	const char *anna = accounts_holder(1);
	accounts_earn(&a, anna, 100, 1);
	killed_behind_the_hold();
	accounts_reopen(&a);
	CU_ASSERT_EQUAL(accounts_standing(&a, anna).pending, 100);
	CU_ASSERT_TRUE(buy("r", anna, "tree_planting", 2)); /* the answer was lost */
	CU_ASSERT_EQUAL(accounts_standing(&a, anna).pending, 100);
	CU_ASSERT_TRUE(carbon_buy_post(&a.carbon, "r", NULL, 0, &r, &e));
	accounts_reopen(&a);
	CU_ASSERT_TRUE(carbon_buy_post(&a.carbon, "r", NULL, 0, &r, &e));
	CU_ASSERT_EQUAL(r.posted_quantity, 2);
	CU_ASSERT_EQUAL(accounts_standing(&a, anna).points, 0);
}

static void a_row_without_a_hold_was_no_redemption(void)
{
	const char *anna = accounts_holder(1);
	accounts_earn(&a, anna, 100, 1);
	CU_ASSERT_TRUE(buy("r", anna, "tree_planting", 1));
	/* As if it had been killed before the hold: the row stands under a request that holds nothing. */
	CU_ASSERT_TRUE(db_exec(a.centre.db, "UPDATE carbon_redemption SET request = 's'", NULL));
	CU_ASSERT_FALSE(carbon_buy_find(&a.carbon, "s", NULL, &r, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_FALSE(carbon_buy_post(&a.carbon, "s", NULL, 0, &r, &e));
	CU_ASSERT_TRUE(buy("s", anna, "fee_waiver", 1));
	CU_ASSERT_STRING_EQUAL(r.kind, "fee_waiver");
	CU_ASSERT_EQUAL(accounts_standing(&a, anna).pending, 70);
	CU_ASSERT_EQUAL(centre_count(&a.centre, "SELECT COUNT(*) FROM carbon_redemption"), 1);
}

static CU_TestInfo tests[] = {
	{ "each kind costs what the standard says, in its own unit",
	  each_kind_costs_what_the_standard_says_in_its_own_unit },
	{ "a request said again is one redemption, and another content is refused",
	  a_request_said_again_is_one_redemption_and_another_content_is_refused },
	{ "it is posted in part where the standard lets it, once",
	  it_is_posted_in_part_where_the_standard_lets_it_once },
	{ "a year has its limit, over all of a person's accounts",
	  a_year_has_its_limit_over_all_of_a_persons_accounts },
	{ "of two banks that want the same points, one gets them",
	  of_two_banks_that_want_the_same_points_one_gets_them },
	{ "killed between pending and posting, it is still pending, and posted once",
	  killed_between_pending_and_posting_it_is_still_pending_and_posted_once },
	{ "a row without a hold was no redemption", a_row_without_a_hold_was_no_redemption },
	CU_TEST_INFO_NULL,
};
SUITE(carbon_redemption, setup, teardown, tests);
