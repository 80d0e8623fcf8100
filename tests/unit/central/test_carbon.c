#include "central/carbon/carbon.h"
#include "central/ingest/subject.h"
#include "central/ledger/verify.h"
#include "protocol/base/file.h"
#include "tests/support/centre.h"
#include "tests/test.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

static struct centre centre;
static struct carbon carbon;
static char path[128];

static const char anna[] = "330802199001010011", bob[] = "330802199202020022", carl[] = "330802199303030033";

static void setup(void)
{
	struct err e = { 0 };
	centre_open(&centre);
	snprintf(path, sizeof(path), "%s/ledger.db", centre.dir);
	carbon = (struct carbon){ &centre.release, ledger_open(path, &e), path, "alice", CENTRE_NOW_S };
	assert(carbon.ledger != NULL);
	centre_publish_document(&centre, "carbon");
}

static void teardown(void)
{
	struct ledger_verdict v;
	struct ledger_reader *r = ledger_reader_open(path, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_TRUE(ledger_verify(r, &v, NULL) && ledger_verdict_is_clean(&v));
	ledger_reader_close(r);
	ledger_close(carbon.ledger);
	centre_close(&centre);
}

/* days: before now */
static struct carbon_report report(const char *who, const char *activity, int32_t days, const char *reference,
				   int64_t quantity)
{
	struct carbon_report r = { .holder_kind = IDENTIFIER_RESIDENT_ID, .quantity = quantity };
	snprintf(r.holder, sizeof(r.holder), "%s", who);
	snprintf(r.activity, sizeof(r.activity), "%s", activity);
	snprintf(r.reference, sizeof(r.reference), "%s", reference);
	r.day = ledger_day_of(carbon.now_s) - days;
	return r;
}

static struct carbon_result credit(const char *who, const char *activity, int32_t days, const char *reference,
				   int64_t quantity)
{
	const struct carbon_report r = report(who, activity, days, reference, quantity);
	struct carbon_result out;
	CU_ASSERT_TRUE_FATAL(carbon_report(&carbon, &r, 1, &out, NULL));
	return out;
}

static struct carbon_standing standing(const char *who)
{
	struct carbon_standing s;
	CU_ASSERT_TRUE_FATAL(carbon_standing(&carbon, IDENTIFIER_RESIDENT_ID, who, &s, NULL));
	return s;
}

static bool redeem(const char *request, const char *who, int64_t points, struct err *e)
{
	return carbon_redeem(&carbon, request, IDENTIFIER_RESIDENT_ID, who, points, e);
}

static void activities_are_worth_what_the_standard_says(void)
{
	static const struct {
		const char *activity;
		int64_t quantity, points; /* 0: refused */
		enum err_code why;
	} cases[] = {
		{ "green_payment", 1, 1, ERR_NONE },     { "online_bill", 1, 5, ERR_NONE },
		{ "bus_ride", 1, 4, ERR_NONE },          { "bicycle_ride", 999, 0, ERR_INPUT },
		{ "bicycle_ride", 1000, 3, ERR_NONE },   { "bicycle_ride", 2999, 6, ERR_NONE },
		{ "bicycle_ride", 90000, 15, ERR_NONE }, /* at most */
		{ "bus_ride", 0, 0, ERR_INPUT },         { "bus_ride", -1, 0, ERR_INPUT },
		{ "space_flight", 1, 0, ERR_MISSING },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char reference[16];
		snprintf(reference, sizeof(reference), "r%zu", i);
		struct carbon_result r = credit(anna, cases[i].activity, 1, reference, cases[i].quantity);
		CU_ASSERT_EQUAL(r.points, cases[i].points);
		CU_ASSERT_EQUAL(r.outcome, cases[i].points > 0 ? CARBON_CREDITED : CARBON_REFUSED);
		CU_ASSERT(cases[i].points > 0 || r.why.code == cases[i].why);
	}
	CU_ASSERT_EQUAL(standing(anna).points, 1 + 5 + 4 + 3 + 6 + 15);
	CU_ASSERT_EQUAL(credit(anna, "bus_ride", -1, "tomorrow", 1).why.code, ERR_INPUT);
	CU_ASSERT_EQUAL(credit(anna, "bus_ride", 730, "too old", 1).why.code, ERR_STALE);
	CU_ASSERT_EQUAL(credit(anna, "bus_ride", 400, "before the standard", 1).why.code, ERR_MISSING);
	CU_ASSERT_EQUAL(credit(anna, "bus_ride", 1, "", 1).why.code, ERR_INPUT);
}

static void an_activity_is_credited_once_though_two_banks_report_it(void)
{
	struct carbon_report twice[3] = { report(anna, "bus_ride", 1, "trip 77", 1),
					  report(anna, "bus_ride", 1, "trip 77", 1),
					  report(anna, "bus_ride", 2, "trip 77", 1) };
	struct carbon_result out[3];
	CU_ASSERT_TRUE(carbon_report(&carbon, twice, 3, out, NULL));
	CU_ASSERT_EQUAL(out[0].outcome, CARBON_CREDITED);
	CU_ASSERT_EQUAL(out[1].outcome, CARBON_REPEATED);
	CU_ASSERT_EQUAL(out[2].outcome, CARBON_CREDITED); /* another day, another trip */
	carbon.operator= "the other bank";
	carbon.now_s += 5;
	CU_ASSERT_EQUAL(credit(anna, "bus_ride", 1, "trip 77", 1).outcome, CARBON_REPEATED);
	CU_ASSERT_EQUAL(credit(bob, "bus_ride", 1, "trip 77", 1).outcome, CARBON_REPEATED); /* nor for another */
	CU_ASSERT_EQUAL(credit(anna, "bicycle_ride", 1, "ride 1", 2000).outcome, CARBON_CREDITED);
	CU_ASSERT_EQUAL(credit(anna, "bicycle_ride", 1, "ride 1", 9000).outcome, CARBON_REPEATED); /* nor for more */
	CU_ASSERT_EQUAL(standing(anna).points, 4 + 4 + 6);
	CU_ASSERT_EQUAL(standing(bob).points, 0);
}

static void a_redemption_is_held_then_posted_or_voided(void)
{
	struct err e = { 0 };
	for (int i = 0; i < 10; i++)
		credit(anna, "online_bill", 1, (char[]){ (char)('a' + i), '\0' }, 1);
	CU_ASSERT_TRUE(redeem("gift-1", anna, 30, &e));
	CU_ASSERT_EQUAL(standing(anna).points, 20);
	CU_ASSERT_EQUAL(standing(anna).pending, 30);
	CU_ASSERT_TRUE(redeem("gift-1", anna, 30, &e)); /* once */
	CU_ASSERT_EQUAL(standing(anna).pending, 30);
	CU_ASSERT_FALSE(redeem("gift-1", anna, 31, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_FALSE(redeem("gift-1", bob, 30, &e));
	CU_ASSERT_FALSE(redeem("gift-2", anna, 21, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_FALSE(redeem("gift-2", anna, 0, &e));
	CU_ASSERT_TRUE(carbon_redeem_end(&carbon, "gift-1", true, &e));
	CU_ASSERT_TRUE(carbon_redeem_end(&carbon, "gift-1", true, &e));
	CU_ASSERT_FALSE(carbon_redeem_end(&carbon, "gift-1", false, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_EQUAL(standing(anna).points, 20);
	CU_ASSERT_EQUAL(standing(anna).pending, 0);
	CU_ASSERT_TRUE(redeem("gift-2", anna, 20, &e));
	CU_ASSERT_TRUE(carbon_redeem_end(&carbon, "gift-2", false, &e));
	CU_ASSERT_EQUAL(standing(anna).points, 20);
	CU_ASSERT_TRUE(redeem("gift-3", anna, 20, &e));
	carbon.now_s += CARBON_WAIT_S; /* nobody came for it */
	CU_ASSERT_EQUAL(standing(anna).points, 20);
	CU_ASSERT_FALSE(carbon_redeem_end(&carbon, "gift-3", true, &e));
	CU_ASSERT_FALSE(carbon_redeem_end(&carbon, "gift-9", true, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
}

static void points_expire_by_the_standard_the_oldest_are_spent_first(void)
{
	uint64_t accounts = 0;
	int64_t points = 0;
	credit(anna, "online_bill", 300, "old", 1);
	credit(anna, "bicycle_ride", 0, "new", 5000);
	credit(bob, "online_bill", 300, "bob's", 1);
	CU_ASSERT_TRUE(redeem("gift", anna, 2, NULL));
	CU_ASSERT_TRUE(carbon_redeem_end(&carbon, "gift", true, NULL));
	CU_ASSERT_TRUE(carbon_expire(&carbon, &accounts, &points, NULL));
	CU_ASSERT_EQUAL(accounts, 0);
	carbon.now_s += 430 * DAY_S; /* 730 days after the old ones */
	CU_ASSERT_TRUE(carbon_expire(&carbon, &accounts, &points, NULL));
	CU_ASSERT_EQUAL(accounts, 2);
	CU_ASSERT_EQUAL(points, 3 + 5);
	CU_ASSERT_EQUAL(standing(anna).points, 15);
	CU_ASSERT_EQUAL(standing(bob).points, 0);
	CU_ASSERT_TRUE(carbon_expire(&carbon, &accounts, &points, NULL)); /* again is nothing */
	CU_ASSERT_EQUAL(accounts, 0);
	carbon.now_s += 300 * DAY_S;
	CU_ASSERT_TRUE(carbon_expire(&carbon, &accounts, &points, NULL));
	CU_ASSERT_EQUAL(points, 15);
	CU_ASSERT_EQUAL(standing(anna).points, 0);
}

static void levels_follow_the_points_held(void)
{
	CU_ASSERT_STRING_EQUAL(standing(anna).level.zh, "一星");
	for (int i = 0; i < 3; i++)
		credit(anna, "home_solar", 1, (char[]){ (char)('a' + i), '\0' }, 400000);
	CU_ASSERT_EQUAL(standing(anna).points, 600);
	CU_ASSERT_STRING_EQUAL(standing(anna).level.zh, "二星");
	CU_ASSERT_TRUE(redeem("gift", anna, 101, NULL));
	CU_ASSERT_STRING_EQUAL(standing(anna).level.zh, "二星"); /* held is still his */
	CU_ASSERT_TRUE(carbon_redeem_end(&carbon, "gift", true, NULL));
	CU_ASSERT_STRING_EQUAL(standing(anna).level.zh, "一星");
	CU_ASSERT_EQUAL(standing(anna).rules_version, 1);
}

static bool merge(const char *who, const char *into, struct err *e)
{
	return carbon_merge(&carbon, IDENTIFIER_RESIDENT_ID, who, IDENTIFIER_RESIDENT_ID, into, e);
}

static void merged_subjects_are_one_and_un_merging_restores_both(void)
{
	struct err e = { 0 };
	credit(anna, "online_bill", 1, "a", 1);
	credit(bob, "bus_ride", 1, "b", 1);
	CU_ASSERT_TRUE(merge(anna, bob, &e));
	CU_ASSERT_EQUAL(standing(anna).points, 9);
	CU_ASSERT_EQUAL(standing(bob).points, 9);
	CU_ASSERT_EQUAL(standing(bob).accounts, 2);
	CU_ASSERT_FALSE(merge(anna, carl, &e)); /* merged already */
	CU_ASSERT_FALSE(merge(bob, carl, &e));  /* others are merged into him */
	CU_ASSERT_FALSE(merge(carl, anna, &e)); /* merged himself */
	CU_ASSERT_FALSE(merge(carl, carl, &e));
	CU_ASSERT_TRUE(carbon_unmerge(&carbon, IDENTIFIER_RESIDENT_ID, anna, &e));
	CU_ASSERT_EQUAL(standing(anna).points, 5);
	CU_ASSERT_EQUAL(standing(bob).points, 4);
	CU_ASSERT_FALSE(carbon_unmerge(&carbon, IDENTIFIER_RESIDENT_ID, anna, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_TRUE(merge(anna, bob, &e));
	CU_ASSERT_TRUE(redeem("gift", anna, 8, &e)); /* out of both */
	CU_ASSERT_EQUAL(standing(bob).points, 1);
	CU_ASSERT_TRUE(carbon_redeem_end(&carbon, "gift", true, &e));
	CU_ASSERT_EQUAL(standing(anna).points, 1);
	CU_ASSERT_TRUE(carbon_unmerge(&carbon, IDENTIFIER_RESIDENT_ID, anna, &e));
	CU_ASSERT_EQUAL(standing(anna).points + standing(bob).points, 1);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE what LIKE 'carbon.%'"), 4);
}

/* With a check digit: a subject's number is read back. */
static void number_of(unsigned n, char out[20])
{
	static const int weights[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
	int sum = 0;
	snprintf(out, 20, "33080219900101%03u", n);
	for (int i = 0; i < 17; i++)
		sum += (out[i] - '0') * weights[i];
	out[17] = "10X98765432"[sum % 11];
	out[18] = '\0';
}

static void numbers_made_one_subject_are_one_account_until_they_are_taken_apart(void)
{
	struct identifier one = { .kind = IDENTIFIER_RESIDENT_ID }, other = one;
	char third[20];
	number_of(1, one.canonical);
	number_of(2, other.canonical);
	number_of(3, third);
	credit(one.canonical, "online_bill", 1, "a", 1);
	credit(other.canonical, "bus_ride", 1, "b", 1);
	credit(third, "bus_ride", 1, "c", 1);
	CU_ASSERT_TRUE(subject_merge(&centre.release, &one, &other, "a new document", "alice", carbon.now_s, NULL));
	CU_ASSERT_EQUAL(standing(one.canonical).points, 9);
	CU_ASSERT_EQUAL(standing(other.canonical).points, 9);
	CU_ASSERT_TRUE(merge(third, other.canonical, NULL));
	CU_ASSERT_EQUAL(standing(one.canonical).points, 13);
	CU_ASSERT_EQUAL(standing(one.canonical).accounts, 3);
	CU_ASSERT_TRUE(redeem("gift", other.canonical, 13, NULL)); /* out of all three */
	CU_ASSERT_TRUE(redeem("gift", one.canonical, 13, NULL));
	CU_ASSERT_TRUE(carbon_redeem_end(&carbon, "gift", false, NULL));
	CU_ASSERT_TRUE(carbon_unmerge(&carbon, IDENTIFIER_RESIDENT_ID, third, NULL));
	CU_ASSERT_TRUE(subject_unmerge(&centre.release, &other, "two persons", "alice", carbon.now_s, NULL));
	CU_ASSERT_EQUAL(standing(one.canonical).points, 5);
	CU_ASSERT_EQUAL(standing(other.canonical).points, 4);
	CU_ASSERT_EQUAL(standing(third).points, 4);
}

static void a_standard_that_nobody_could_use_is_refused_with_its_place(void)
{
	static const struct {
		const char *from, *to, *says;
	} cases[] = {
		{ "\"valid_days\": 730", "\"valid_days\": 0", "valid_days" },
		{ "\"from\": 500", "\"from\": 0", "levels[1]" },
		{ "\"code\": \"bus_ride\"", "\"code\": \"online_bill\"", "twice" },
		{ "\"code\": \"bus_ride\"", "\"code\": \"Bus Ride\"", "code" },
		{ "\"per\": 1000", "\"per\": 0", "activities[4]" },
		{ "\"to\": \"2030-12-31\"", "\"to\": \"2025-12-31\"", "before from" },
		{ "\"unit\": \"次 / rides\", ", "", "unit" },
		{ "\"sample\": true,", "", "sample" },
		{ "\"most\": 4", "\"mist\": 4", "mist" },
	};
	struct buf file;
	buf_init(&file, 65536);
	CU_ASSERT_TRUE_FATAL(file_read("central/sample/carbon.json", &file, NULL));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf bent;
		struct err e = { 0 };
		int64_t id = 0;
		const char *text = buf_str(&file), *at = strstr(text, cases[i].from);
		buf_init(&bent, 65536);
		CU_ASSERT_PTR_NOT_NULL_FATAL(at);
		buf_add(&bent, text, (size_t)(at - text));
		buf_add_str(&bent, cases[i].to);
		buf_add_str(&bent, at + strlen(cases[i].from));
		CU_ASSERT_FALSE(document_draft_import(&centre.release, "carbon", "x", buf_bytes(&bent), "alice",
						      CENTRE_NOW_S, &id, &e));
		if (strstr(e.text, cases[i].says) == NULL)
			printf("\n  %s: %s", cases[i].says, e.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, cases[i].says));
		buf_clear(&bent);
	}
	buf_clear(&file);
}

static CU_TestInfo tests[] = {
	{ "activities are worth what the standard says", activities_are_worth_what_the_standard_says },
	{ "an activity is credited once though two banks report it",
	  an_activity_is_credited_once_though_two_banks_report_it },
	{ "a redemption is held, then posted or voided", a_redemption_is_held_then_posted_or_voided },
	{ "points expire by the standard, the oldest are spent first",
	  points_expire_by_the_standard_the_oldest_are_spent_first },
	{ "levels follow the points held", levels_follow_the_points_held },
	{ "merged subjects are one, and un-merging restores both",
	  merged_subjects_are_one_and_un_merging_restores_both },
	{ "numbers made one subject are one account, until they are taken apart",
	  numbers_made_one_subject_are_one_account_until_they_are_taken_apart },
	{ "a standard that nobody could use is refused with its place",
	  a_standard_that_nobody_could_use_is_refused_with_its_place },
	CU_TEST_INFO_NULL,
};
SUITE(carbon, setup, teardown, tests);
