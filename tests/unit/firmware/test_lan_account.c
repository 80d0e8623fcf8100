/* Carbon accounts over the API: never without central, in the journal before anything is shown. */
#include "tests/support/lan_box.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#define SHOW   "/v1/carbon/account"
#define REDEEM "/v1/carbon/redemptions"
#define NAME   "br.0123456789abcdef"
#define END    REDEEM "/" NAME
#define HOLDER "\"holder\":{\"kind\":\"resident_id\",\"number\":\"" BOX_NUMBER "\"}"
#define ASKED  HOLDER ",\"purpose\":\"redeem\",\"officer\":\"E1024\""
#define BOUGHT ASKED ",\"kind\":\"tree_planting\",\"quantity\":2,\"reference\":\"order 7\""

static struct lan_box b;

static void setup(void)
{
	lan_box_open(&b, false);
}

static void teardown(void)
{
	lan_box_close(&b);
}

static const char *body(const char *id, const char *rest)
{
	static char text[1024];
	snprintf(text, sizeof(text), "{\"request_id\":\"%s\",%s}", id, rest);
	return text;
}

static bool has(const struct lan_box_answer *a, const char *part)
{
	bool there = strstr(a->body, part) != NULL;
	if (!there)
		printf("\n    not in %.500s: %s", a->body, part);
	return there;
}

static uint64_t rows(void)
{
	struct record_info i;
	record_info(b.record, &i);
	return i.last;
}

static struct scan_lookup last_row(void)
{
	struct scan_lookup l = { .result = ERR_IO };
	struct journal_row row = { 0 };
	struct db_query *q = db_query(b.db, "SELECT row FROM journal ORDER BY seq DESC LIMIT 1", NULL);
	bool found = false;
	CU_ASSERT_PTR_NOT_NULL_FATAL(q);
	CU_ASSERT_TRUE_FATAL(db_next(q, &found, NULL) && found && journal_row_decode(db_bytes(q, 0), &row, NULL));
	CU_ASSERT_EQUAL_FATAL(row.kind, JOURNAL_LOOKUP);
	CU_ASSERT_TRUE(scan_lookup_decode(row.body, &l, NULL));
	db_finish(q);
	CU_ASSERT_PTR_NULL(strstr(l.holder_masked, BOX_NUMBER));
	return l;
}

static struct account_answer account(void)
{
	return (struct account_answer){ .step = ACCOUNT_SHOW,
					.points = 120,
					.pending = 30,
					.accounts = 2,
					.expiring = 7,
					.expires_day = 20484,
					.level_zh = "一星",
					.level_en = "one star",
					.rules_version = 3,
					.offers_len = 1,
					.offers = { { "tree_planting", "认养植树", "a tree", "tree", 50, 1, 2 } } };
}

static struct account_answer redemption(enum account_step step)
{
	return (struct account_answer){ .step = step,
					.redemption = NAME,
					.state = "pending",
					.state_zh = "待入账",
					.kind = "tree_planting",
					.unit = "tree",
					.reference = "order 7",
					.quantity = 2,
					.cost = 100,
					.made_s = 1795500000,
					.expires_s = 1795586400 };
}

static void an_account_is_told_as_central_tells_it_and_stands_in_the_journal(void)
{
	uint64_t before = rows();
	struct account_answer told = account();
	const struct lan_box_answer *a = lan_box_account(&b, SHOW, body("c-1", ASKED), &told, NULL);
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_TRUE(has(a, "\"points\":120") && has(a, "\"pending\":30") && has(a, "一星") &&
		       has(a, "\"expires_next\":{\"points\":7,\"day\":\"2026-01-31\"}") && has(a, "\"left\":2"));
	CU_ASSERT_PTR_NULL(strstr(a->body, BOX_NUMBER));
	CU_ASSERT_EQUAL(rows(), before + 1);
	struct scan_lookup l = last_row();
	CU_ASSERT_STRING_EQUAL(l.type, "carbon-show");
	CU_ASSERT_STRING_EQUAL(l.source, "central");
	CU_ASSERT_STRING_EQUAL(l.purpose, "redeem");
	CU_ASSERT_STRING_EQUAL(l.terminal, "kiosk-1");
	CU_ASSERT_TRUE(l.given == 1 && l.result == ERR_NONE);
	CU_ASSERT_STRING_EQUAL(b.accounted.officer, "E1024");
	CU_ASSERT_STRING_EQUAL(b.accounted.terminal, "kiosk-1");
	CU_ASSERT_STRING_EQUAL(b.accounted.holder, BOX_NUMBER);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_carbon_total{step=\"carbon-show\"}"), 1);
	told.expiring = 0;
	a = lan_box_account(&b, SHOW, body("c-2", ASKED), &told, NULL);
	CU_ASSERT_PTR_NULL(strstr(a->body, "expires_next"));
}

static void points_are_held_and_the_redemption_is_ended_by_its_name(void)
{
	struct account_answer told = redemption(ACCOUNT_REDEEM);
	const struct lan_box_answer *a = lan_box_account(&b, REDEEM, body("c-3", BOUGHT), &told, NULL);
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_TRUE(has(a, "\"redemption\":\"" NAME "\"") && has(a, "待入账") && has(a, "\"points\":100"));
	CU_ASSERT_TRUE(b.accounted.step == ACCOUNT_REDEEM && b.accounted.quantity == 2 &&
		       strcmp(b.accounted.kind, "tree_planting") == 0 &&
		       strcmp(b.accounted.reference, "order 7") == 0);
	CU_ASSERT_STRING_EQUAL(last_row().type, "carbon-redeem");
	told = redemption(ACCOUNT_POST);
	a = lan_box_account(&b, END, body("c-4", "\"officer\":\"E1\",\"end\":\"post\",\"quantity\":1"), &told, NULL);
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_TRUE(b.accounted.step == ACCOUNT_POST && b.accounted.quantity == 1 &&
		       strcmp(b.accounted.redemption, NAME) == 0 && b.accounted.holder[0] == '\0');
	CU_ASSERT_STRING_EQUAL(last_row().type, "carbon-post");
	CU_ASSERT_STRING_EQUAL(last_row().holder_masked, NAME);
	told.step = ACCOUNT_VOID;
	a = lan_box_account(&b, END, body("c-5", "\"officer\":\"E1\",\"end\":\"void\""), &told, NULL);
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_TRUE(b.accounted.step == ACCOUNT_VOID && b.accounted.quantity == 0);
	CU_ASSERT_STRING_EQUAL(last_row().type, "carbon-void");
}

static void with_the_line_down_it_says_what_it_cannot_do_and_the_try_is_in_the_journal(void)
{
	static const struct {
		const char *path, *rest;
	} asked[] = { { SHOW, ASKED }, { REDEEM, BOUGHT }, { END, "\"officer\":\"E1\",\"end\":\"post\"" } };
	for (size_t i = 0; i < 3; i++) {
		uint64_t before = rows();
		const struct lan_box_answer *a =
			lan_box_ask(&b, "POST", asked[i].path, b.token, body("c-6", asked[i].rest));
		CU_ASSERT_EQUAL(a->status, 503);
		CU_ASSERT_TRUE(has(a, "碳账户只在中心，断线不能查询、兑换或入账") && has(a, "the line is down") &&
			       has(a, "same request_id"));
		CU_ASSERT_EQUAL(rows(), before + 1);
		struct scan_lookup l = last_row();
		CU_ASSERT_STRING_EQUAL(l.source, "none");
		CU_ASSERT_TRUE(l.given == 0 && l.result == ERR_IO);
	}
}

static void what_central_refuses_is_said_in_its_words(void)
{
	static const struct {
		enum err_code code;
		int status;
	} refusals[] = { { ERR_INPUT, 400 },    { ERR_DENIED, 403 }, { ERR_MISSING, 404 },
			 { ERR_CONFLICT, 409 }, { ERR_FULL, 409 },   { ERR_IO, 503 } };
	struct err why = { 0 };
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		uint64_t before = rows();
		(void)err_set(&why, refusals[i].code, "central's words");
		const struct lan_box_answer *a = lan_box_account(&b, REDEEM, body("c-7", BOUGHT), NULL, &why);
		CU_ASSERT_EQUAL(a->status, refusals[i].status);
		CU_ASSERT_TRUE(has(a, "central's words"));
		CU_ASSERT_EQUAL(rows(), before + 1);
		CU_ASSERT_EQUAL(last_row().given, 0);
		CU_ASSERT_EQUAL(last_row().result, refusals[i].code);
	}
}

static void the_same_request_is_the_same_question_and_another_terminal_s_is_not(void)
{
	uint8_t first[ACCOUNT_REQUEST_LEN];
	char mine[sizeof(b.token)];
	struct account_answer told = account();
	lan_box_account(&b, SHOW, body("c-8", ASKED), &told, NULL);
	memcpy(first, b.accounted.request, sizeof(first));
	lan_box_account(&b, SHOW, body("c-8", ASKED), &told, NULL);
	CU_ASSERT_EQUAL(memcmp(first, b.accounted.request, sizeof(first)), 0);
	memcpy(mine, b.token, sizeof(mine));
	memcpy(b.token, b.other, sizeof(b.token));
	lan_box_account(&b, SHOW, body("c-8", ASKED), &told, NULL);
	CU_ASSERT_NOT_EQUAL(memcmp(first, b.accounted.request, sizeof(first)), 0);
	memcpy(b.token, mine, sizeof(mine));
}

static void a_question_that_leaves_something_out_is_refused_here(void)
{
	static const struct {
		const char *path, *rest;
	} bad[] = {
		{ SHOW, HOLDER ",\"purpose\":\"redeem\"" },
		{ SHOW, HOLDER ",\"purpose\":\"\",\"officer\":\"E\"" },
		{ SHOW, HOLDER ",\"purpose\":\"a\\nb\",\"officer\":\"E\"" },
		{ SHOW, "\"holder\":{\"kind\":\"resident_id\",\"number\":\"330802185001010014\"},\"purpose\":\"r\","
			"\"officer\":"
			"\"E\"" },
		{ SHOW, "\"holder\":{\"kind\":\"name\",\"number\":\"x\"},\"purpose\":\"r\",\"officer\":\"E\"" },
		{ SHOW, "\"holder\":7,\"purpose\":\"r\",\"officer\":\"E\"" },
		{ SHOW, BOUGHT },
		{ REDEEM, ASKED },
		{ REDEEM, ASKED ",\"kind\":\"tree_planting\",\"quantity\":0,\"reference\":\"o\"" },
		{ REDEEM, ASKED ",\"kind\":\"tree_planting\",\"quantity\":1,\"reference\":\"\"" },
		{ END, "\"officer\":\"E\",\"end\":\"keep\"" },
		{ END, "\"officer\":\"E\",\"end\":\"void\",\"quantity\":1" },
		{ END, "\"officer\":\"E\",\"end\":\"post\",\"quantity\":0" },
		{ END, "\"end\":\"post\"" },
		{ REDEEM "/no%20name", "\"officer\":\"E\",\"end\":\"post\"" },
	};
	uint64_t before = rows();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(lan_box_ask(&b, "POST", bad[i].path, b.token, body("c", bad[i].rest))->status, 400);
	CU_ASSERT_EQUAL(lan_box_ask(&b, "POST", SHOW, b.token, body("a b", ASKED))->status, 400);
	CU_ASSERT_EQUAL(lan_box_ask(&b, "POST", SHOW, b.token, "[]")->status, 400);
	CU_ASSERT_EQUAL(rows(), before);
	snprintf(b.around.locked, sizeof(b.around.locked), "the box was opened");
	CU_ASSERT_EQUAL(lan_box_ask(&b, "POST", SHOW, b.token, body("c-9", ASKED))->status, 503);
	b.around.locked[0] = '\0';
}

static CU_TestInfo tests[] = {
	{ "an account is told as central tells it, and stands in the journal",
	  an_account_is_told_as_central_tells_it_and_stands_in_the_journal },
	{ "points are held, and the redemption is ended by its name",
	  points_are_held_and_the_redemption_is_ended_by_its_name },
	{ "with the line down it says what it cannot do, and the try is in the journal",
	  with_the_line_down_it_says_what_it_cannot_do_and_the_try_is_in_the_journal },
	{ "what central refuses is said in its words", what_central_refuses_is_said_in_its_words },
	{ "the same request is the same question, and another terminal's is not",
	  the_same_request_is_the_same_question_and_another_terminal_s_is_not },
	{ "a question that leaves something out is refused here",
	  a_question_that_leaves_something_out_is_refused_here },
	CU_TEST_INFO_NULL,
};
SUITE(lan_account, setup, teardown, tests);
