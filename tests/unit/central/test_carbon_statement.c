#include "central/carbon/statement.h"
#include "tests/support/accounts.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

static struct accounts a;
static struct err e;
static struct buf page, table;

static void setup(void)
{
	accounts_open(&a);
	e = (struct err){ 0 };
	buf_init(&page, STATEMENT_BYTES);
	buf_init(&table, STATEMENT_BYTES);
}

static void teardown(void)
{
	buf_clear(&page);
	buf_clear(&table);
	accounts_close(&a);
}

static int32_t today(void)
{
	return ledger_day_of(a.carbon.now_s);
}

static struct statement *load(const char *holder, int32_t day)
{
	return statement_load(&a.carbon, IDENTIFIER_RESIDENT_ID, holder, day, &e);
}

static void buy(const char *request, const char *holder, const char *kind, int64_t quantity)
{
	struct carbon_redemption r;
	struct carbon_purchase p = { .holder_kind = IDENTIFIER_RESIDENT_ID, .quantity = quantity, .bank = "bank-a" };
	snprintf(p.request, sizeof(p.request), "%s", request);
	snprintf(p.holder, sizeof(p.holder), "%s", holder);
	snprintf(p.kind, sizeof(p.kind), "%s", kind);
	snprintf(p.reference, sizeof(p.reference), "=order %s", request);
	CU_ASSERT_TRUE_FATAL(carbon_buy(&a.carbon, &p, &r, &e));
}

static void post(const char *request, int64_t quantity)
{
	struct carbon_redemption r;
	CU_ASSERT_TRUE_FATAL(carbon_buy_post(&a.carbon, request, NULL, quantity, &r, &e));
}

static void write(const struct statement *s)
{
	const struct statement_head h = { "3308**********0013", "alice", "<对账>" };
	buf_reset(&page);
	buf_reset(&table);
	CU_ASSERT_TRUE_FATAL(statement_html(s, &h, &page, &e) && statement_csv(s, &table, &e));
}

static bool in(struct buf *b, const char *what)
{
	bool there = strstr(buf_str(b), what) != NULL;
	if (!there)
		printf("\n    not there: %s", what);
	return there;
}

static void it_has_every_row_that_moved_points_and_what_they_bought(void)
{
	const char *anna = accounts_holder(1), *bob = accounts_holder(2);
	accounts_credit(&a, anna, "bus_ride", 2, "r1", 1);    /* 4 */
	accounts_credit(&a, anna, "recycling", 1, "g1", 900); /* 2 */
	accounts_earn(&a, anna, 200, 1);
	accounts_earn(&a, bob, 50, 1);
	a.carbon.now_s += 10;
	buy("t1", anna, "tree_planting", 3);
	post("t1", 2);
	buy("t2", anna, "tree_planting", 1);
	struct statement *s = load(anna, today());
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(s->len, 43);
	CU_ASSERT_EQUAL(s->balance, 106);
	CU_ASSERT_EQUAL(s->pending, 50);
	CU_ASSERT_EQUAL(s->totals[STATEMENT_EARNED], 206);
	CU_ASSERT_EQUAL(s->totals[STATEMENT_REDEEMED], -100);
	CU_ASSERT_EQUAL(s->rows[0].balance, 4);
	CU_ASSERT_EQUAL(s->activities_len, 3);
	CU_ASSERT_STRING_EQUAL(s->activities[0].code, "online_bill");
	CU_ASSERT_TRUE(s->activities[0].points == 200 && s->activities[0].times == 40);
	CU_ASSERT_STRING_EQUAL(s->activities[s->rows[0].what].code, "bus_ride");
	CU_ASSERT_EQUAL_FATAL(s->bought_len, 2);
	CU_ASSERT_TRUE(s->bought[0].state == CARBON_POSTED && s->bought[0].posted_quantity == 2 &&
		       s->bought[0].posted_points == 100);
	CU_ASSERT_EQUAL(s->bought[1].state, CARBON_PENDING);
	/* 100 spent and 50 held: of the 4, the 202 of the day after, 56 are left */
	CU_ASSERT_TRUE(s->expiring == 56 && s->expires_day == today() - 1 + 730);
	write(s);
	CU_ASSERT_TRUE(in(&page, "个人碳账户对账单") && in(&page, "&lt;对账&gt;") && in(&page, "公交出行"));
	CU_ASSERT_TRUE(in(&page, "=order t1") && in(&page, "已兑换 posted") && in(&page, "待入账 pending"));
	CU_ASSERT_PTR_NULL(strstr(buf_str(&page), anna));
	CU_ASSERT_PTR_NULL(strstr(buf_str(&page), "<script"));
	CU_ASSERT_TRUE(in(&table, "\"bus_ride\",\"公交出行\",\"1\",\"4\",\"4\",\"1\",") &&
		       in(&table, "\"tree_planting\",\"'=order t1\",\"\",\"-100\",\"106\""));
	statement_free(s);
}

static void a_day_that_is_over_gives_the_same_bytes_ever_after(void)
{
	const char *anna = accounts_holder(1), *bob = accounts_holder(2);
	struct buf first;
	struct carbon_redemption r;
	buf_init(&first, STATEMENT_BYTES);
	accounts_earn(&a, anna, 200, 1);
	accounts_earn(&a, bob, 50, 1);
	buy("t1", anna, "tree_planting", 2);
	int32_t day = today();
	a.carbon.now_s += DAY_S;
	struct statement *s = load(anna, day);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_TRUE(s->balance == 200 && s->pending == 100 && s->bought[0].state == CARBON_PENDING);
	write(s);
	buf_add(&first, page.data, page.len);
	buf_add(&first, table.data, table.len);
	statement_free(s);
	post("t1", 2);
	accounts_credit(&a, anna, "bus_ride", 3, "late", 1); /* of a day before, told today */
	buy("t2", anna, "tree_planting", 1);
	CU_ASSERT_TRUE(carbon_buy_void(&a.carbon, "t2", NULL, &r, &e));
	CU_ASSERT_TRUE(carbon_merge(&a.carbon, IDENTIFIER_RESIDENT_ID, bob, IDENTIFIER_RESIDENT_ID, anna, &e));
	accounts_standard(&a, "公交出行", "乘坐公交");
	CU_ASSERT_TRUE(
		db_exec(a.centre.db, "UPDATE release SET published_s = published_s + 86400 WHERE version = 2", &e));
	accounts_reopen(&a);
	s = load(anna, day);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	write(s);
	CU_ASSERT_TRUE(first.len == page.len + table.len && memcmp(first.data, page.data, page.len) == 0 &&
		       memcmp(first.data + page.len, table.data, table.len) == 0);
	statement_free(s);
	s = load(anna, day + 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_TRUE(s->balance == 154 && s->pending == 0 && s->accounts == 2);
	CU_ASSERT_EQUAL(s->bought[0].state, CARBON_POSTED);
	CU_ASSERT_EQUAL(s->bought[1].state, CARBON_VOIDED);
	statement_free(s);
	buf_clear(&first);
}

static void what_lapsed_or_was_reversed_stands_as_that(void)
{
	const char *anna = accounts_holder(1);
	accounts_earn(&a, anna, 200, 1);
	buy("w1", anna, "consumption", 100); /* waits a day */
	a.carbon.now_s += 2 * DAY_S;
	struct statement *s = load(anna, today());
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_TRUE(s->balance == 200 && s->pending == 0 && s->bought[0].state == CARBON_LAPSED);
	statement_free(s);
	a.carbon.now_s += 800 * (int64_t)DAY_S;
	uint64_t accounts = 0;
	int64_t expired = 0;
	CU_ASSERT_TRUE(carbon_expire(&a.carbon, &accounts, &expired, &e));
	s = load(anna, today());
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_TRUE(s->balance == 0 && s->totals[STATEMENT_EXPIRED] == -200 && s->expiring == 0);
	statement_free(s);
}

static void a_day_to_come_or_before_the_standard_has_none_and_nobody_has_an_empty_one(void)
{
	struct statement *s = load(accounts_holder(1), today() + 1);
	CU_ASSERT_PTR_NULL(s);
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	accounts_earn(&a, accounts_holder(2), 5, 0);
	s = load(accounts_holder(1), today() - 400);
	CU_ASSERT_PTR_NULL(s);
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	s = load(accounts_holder(1), today());
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_TRUE(s->len == 0 && s->balance == 0 && s->accounts == 0);
	write(s);
	CU_ASSERT_TRUE(in(&page, "没有记录"));
	statement_free(s);
}

static void the_pictures_end_at_the_balance_and_show_each_activity(void)
{
	const char *anna = accounts_holder(1);
	accounts_credit(&a, anna, "bus_ride", 10, "r1", 1);
	accounts_earn(&a, anna, 100, 0);
	struct statement *s = load(anna, today());
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	statement_plot_balance(s, &page);
	CU_ASSERT_TRUE(in(&page, "<svg") && in(&page, "</svg>") && in(&page, ">104</text>"));
	/* 700 wide, 180 high: ten days on at the top */
	CU_ASSERT_TRUE(in(&page, "d=\"M70 194H70V188H770V14H770\""));
	buf_reset(&page);
	statement_plot_activities(s, &page);
	CU_ASSERT_TRUE(in(&page, "线上缴费") && in(&page, ">100</text>") && in(&page, "width=\"440\"") &&
		       in(&page, "width=\"17\""));
	statement_free(s);
}

static void tamper(const char *sql)
{
	struct db *db = db_open(a.path, DB_WRITE, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db);
	CU_ASSERT_TRUE_FATAL(db_exec(db, sql, &e));
	db_close(db);
}

static void rows_that_do_not_add_up_make_no_statement(void)
{
	const char *anna = accounts_holder(1);
	accounts_earn(&a, anna, 100, 0);
	struct statement *s = load(anna, today());
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	statement_free(s);
	tamper("DROP TRIGGER transfer_stays; UPDATE transfer SET prev_credit = 0 WHERE seq = 3");
	s = load(anna, today());
	CU_ASSERT_PTR_NULL(s);
	CU_ASSERT_EQUAL(e.code, ERR_IO);
	tamper("UPDATE transfer SET prev_credit = 2 WHERE seq = 3");
}

static CU_TestInfo tests[] = {
	{ "it has every row that moved points, and what they bought",
	  it_has_every_row_that_moved_points_and_what_they_bought },
	{ "a day that is over gives the same bytes ever after", a_day_that_is_over_gives_the_same_bytes_ever_after },
	{ "what lapsed or was reversed stands as that", what_lapsed_or_was_reversed_stands_as_that },
	{ "a day to come or before the standard has none, and nobody has an empty one",
	  a_day_to_come_or_before_the_standard_has_none_and_nobody_has_an_empty_one },
	{ "the pictures end at the balance and show each activity",
	  the_pictures_end_at_the_balance_and_show_each_activity },
	{ "rows that do not add up make no statement", rows_that_do_not_add_up_make_no_statement },
	CU_TEST_INFO_NULL,
};
SUITE(carbon_statement, setup, teardown, tests);
