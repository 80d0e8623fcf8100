/* Carbon accounts at a branch: a real broker, centrald and branchd; a redemption from its question to its end, killed in between, offline. */
#include "protocol/base/file.h"
#include "tests/support/world.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BILLS 60 /* 300 points */

static struct world w;
static struct world_branch *quay;
static struct buf out;
static char anna[20], name[64];

static bool says(const char *what)
{
	bool there = strstr(buf_str(&out), what) != NULL;
	if (!there)
		printf("\n    not said: %s\n%.600s", what, buf_str(&out));
	return there;
}

static const char *today(void)
{
	static char day[16];
	time_t now = time(NULL) + 28800;
	struct tm tm;
	if (gmtime_r(&now, &tm) == NULL)
		abort();
	strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	return day;
}

static void earn(void)
{
	char path[160];
	struct buf file;
	buf_init(&file, 1 << 16);
	for (unsigned i = 0; i < BILLS; i++)
		buf_add_fmt(&file,
			    "{\"holder\":{\"number\":\"%s\"},\"activity\":\"online_bill\",\"occurred\":\"%s\","
			    "\"reference\":\"b%u\",\"quantity\":1}\n",
			    anna, today(), i);
	snprintf(path, sizeof(path), "%s/bills.ndjson", w.dir);
	CU_ASSERT_TRUE_FATAL(file_write(path, buf_bytes(&file), 0600, NULL));
	buf_clear(&file);
	CU_ASSERT_EQUAL(world_ctl(&w, "alice", &out, "carbon report %s", path), 0);
}

static void setup(void)
{
	int64_t id = 0;
	buf_init(&out, 1U << 24);
	if (quay != NULL)
		return;
	world_open(&w);
	world_number(1, anna);
	struct json *j = world_ctl_json(&w, "alice", "document import carbon central/sample/carbon.json");
	CU_ASSERT_TRUE_FATAL(json_int(j, "id", 1, INT64_MAX, &id, NULL));
	json_free(j);
	CU_ASSERT_EQUAL(world_release(&w, id), 1);
	earn();
	quay = world_branch_add(&w, "quay");
}

static void teardown(void)
{
	buf_clear(&out);
}

static int ask(const char *path, const char *rest, const char *id)
{
	char body[700];
	snprintf(body, sizeof(body), "{\"request_id\":\"%s\",\"officer\":\"E1024\",%s}", id, rest);
	buf_reset(&out);
	return world_https(&w, quay, "POST", path, body, &out);
}

static const char *whose(const char *more)
{
	static char text[400];
	snprintf(text, sizeof(text),
		 "\"holder\":{\"kind\":\"resident_id\",\"number\":\"%s\"},\"purpose\":\"redeem\"%s", anna, more);
	return text;
}

static int show(const char *id)
{
	return ask("/v1/carbon/account", whose(""), id);
}

static int redeem(const char *id, unsigned trees)
{
	char more[120];
	snprintf(more, sizeof(more), ",\"kind\":\"tree_planting\",\"quantity\":%u,\"reference\":\"order %s\"", trees,
		 id);
	return ask("/v1/carbon/redemptions", whose(more), id);
}

static int end(const char *id, const char *rest)
{
	char path[120];
	snprintf(path, sizeof(path), "/v1/carbon/redemptions/%s", name);
	return ask(path, rest, id);
}

static void name_take(void)
{
	struct json *j = json_parse(buf_bytes(&out), NULL);
	const char *text = "";
	CU_ASSERT_TRUE(j != NULL && json_text(j, "redemption", 60, &text, NULL));
	snprintf(name, sizeof(name), "%s", text);
	json_free(j);
}

/* Until it is that; central is there a moment after the broker. */
static int show_becomes(const char *id, int status)
{
	int got = 0;
	for (int i = 0; i < 60 && (got = show(id)) != status; i++)
		usleep(250000);
	return got;
}

/* How often this stands in the subject's log. */
static unsigned reads(const char *what)
{
	unsigned n = 0;
	buf_reset(&out);
	CU_ASSERT_EQUAL(world_ctl(&w, "alice", &out, "subject reads %s --kind resident_id", anna), 0);
	for (const char *at = buf_str(&out); (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

static void without_the_customer_s_consent_nothing_is_told(void)
{
	CU_ASSERT_EQUAL_FATAL(show_becomes("c-0", 403), 403);
	CU_ASSERT_TRUE(says("未授权"));
	CU_ASSERT_EQUAL(redeem("c-0r", 1), 403);
	CU_ASSERT_EQUAL(
		world_ctl(&w, "alice", &out, "consent add %s redeem --kinds carbon-account --branches quay", anna),
		0);
}

static void a_teller_sees_the_account_and_central_names_him(void)
{
	CU_ASSERT_EQUAL_FATAL(show_becomes("c-1", 200), 200);
	CU_ASSERT_TRUE(says("\"points\":300") && says("一星") && says("\"expires_next\":{\"points\":300") &&
		       says("\"left\":6"));
	CU_ASSERT_PTR_NULL(strstr(buf_str(&out), anna));
	CU_ASSERT_EQUAL(show("c-1"), 200);
	CU_ASSERT_EQUAL(reads("E1024"), 1);
	buf_reset(&out);
	CU_ASSERT_EQUAL(world_ctl(&w, "alice", &out, "audit --limit 20"), 0);
	CU_ASSERT_TRUE(says("carbon-show") && says("branch quay / ") && says("carbon-refused"));
}

static void a_redemption_is_made_once_even_when_central_was_killed_between(void)
{
	char first[64];
	int status = 0;
	CU_ASSERT_EQUAL(redeem("c-2", 3), 200);
	CU_ASSERT_TRUE(says("待入账") && says("\"points\":150"));
	name_take();
	memcpy(first, name, sizeof(first));
	world_central_stop(&w, SIGKILL);
	world_central_start(&w);
	for (int i = 0; i < 60 && status != 200; i++) {
		status = redeem("c-2", 3);
		usleep(100000);
	}
	CU_ASSERT_EQUAL(status, 200);
	name_take();
	CU_ASSERT_STRING_EQUAL(name, first);
	CU_ASSERT_EQUAL(redeem("c-2", 2), 409);
	CU_ASSERT_EQUAL(redeem("c-3", 9), 409);
	CU_ASSERT_TRUE(says("积分不足"));
	CU_ASSERT_EQUAL(show("c-4"), 200);
	CU_ASSERT_TRUE(says("\"points\":150,\"pending\":150"));
	CU_ASSERT_EQUAL(end("c-5", "\"end\":\"post\",\"quantity\":2"), 200);
	CU_ASSERT_TRUE(says("已兑换") && says("\"posted_quantity\":2"));
	world_central_stop(&w, SIGKILL);
	world_central_start(&w);
	status = 0;
	for (int i = 0; i < 60 && status != 200; i++) {
		status = end("c-5", "\"end\":\"post\",\"quantity\":2");
		usleep(100000);
	}
	CU_ASSERT_EQUAL(status, 200);
	CU_ASSERT_EQUAL(end("c-6", "\"end\":\"void\""), 409);
	CU_ASSERT_EQUAL(show("c-7"), 200);
	CU_ASSERT_TRUE(says("\"points\":200,\"pending\":0"));
	CU_ASSERT_EQUAL(world_ctl(&w, "alice", &out, "carbon redemptions %s test", anna), 0);
	CU_ASSERT_TRUE(says("tree_planting 2 / 3 tree") && says("quay order c-2"));
	CU_ASSERT_EQUAL(world_ctl(&w, NULL, &out, "ledger verify"), 0);
	CU_ASSERT_EQUAL(world_ctl(&w, NULL, &out, "carbon verify"), 0);
}

static void the_tool_does_the_same_for_an_officer(void)
{
	buf_reset(&out);
	CU_ASSERT_EQUAL(world_branchctl(quay, &out, "carbon show %s redeem --officer E7", anna), 0);
	CU_ASSERT_TRUE(says("积分 points 200") && says("最近到期 expires next") && says("认养植树"));
	buf_reset(&out);
	CU_ASSERT_EQUAL(world_branchctl(quay, &out,
					"carbon redeem resident_id:%s redeem consumption 500 till-9 --officer E7 "
					"--request-id t-1",
					anna),
			0);
	CU_ASSERT_TRUE(says("待入账 pending") && says("till-9"));
	const char *at = strstr(buf_str(&out), "br.");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "\t"), at);
	buf_reset(&out);
	CU_ASSERT_EQUAL(world_branchctl(quay, &out, "carbon void %s --officer E7", name), 0);
	CU_ASSERT_TRUE(says("已退回 voided"));
	CU_ASSERT_NOT_EQUAL(world_branchctl(quay, &out, "carbon post %s --officer E7", name), 0);
	CU_ASSERT_EQUAL(world_branchctl(quay, &out, "carbon show %s redeem", anna), 2);
	CU_ASSERT_EQUAL(reads("/ local / E7"), 2);
}

static void offline_it_says_what_it_cannot_do_and_guesses_nothing(void)
{
	world_broker_stop(&w, SIGTERM);
	int status = 0;
	for (int i = 0; i < 40 && status != 503; i++)
		status = show("c-8");
	CU_ASSERT_EQUAL(status, 503);
	CU_ASSERT_TRUE(says("碳账户只在中心，断线不能查询、兑换或入账") && says("same request_id"));
	CU_ASSERT_EQUAL(redeem("c-9", 1), 503);
	CU_ASSERT_NOT_EQUAL(world_branchctl(quay, &out, "carbon show %s redeem --officer E8", anna), 0);
	CU_ASSERT_TRUE(says("--request-id"));
	world_broker_start(&w);
	CU_ASSERT_EQUAL(show_becomes("c-8", 200), 200);
	CU_ASSERT_TRUE(says("\"points\":200,\"pending\":0")); /* nothing was redeemed meanwhile */
}

static void a_statement_is_the_same_bytes_for_the_same_question_and_its_read_is_logged(void)
{
	struct buf first, again;
	char path[160];
	buf_init(&first, 1U << 22);
	buf_init(&again, 1U << 22);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/statement%u.html", w.dir, i);
		CU_ASSERT_EQUAL(world_ctl(&w, "alice", &out, "carbon statement %s review --as-of %s --out %s", anna,
					  today(), path),
				0);
		CU_ASSERT_TRUE(file_read(path, i == 0 ? &first : &again, NULL));
	}
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&first), buf_bytes(&again)));
	CU_ASSERT_TRUE(strstr(buf_str(&first), "<svg") != NULL && strstr(buf_str(&first), "线上缴费") != NULL);
	CU_ASSERT_TRUE(strstr(buf_str(&first), "tree_planting · 已兑换 posted") != NULL);
	CU_ASSERT_PTR_NULL(strstr(buf_str(&first), anna));
	snprintf(path, sizeof(path), "%s/statement.csv", w.dir);
	buf_reset(&first);
	CU_ASSERT_EQUAL(
		world_ctl(&w, "alice", &out, "carbon statement %s review --as-of %s --out %s", anna, today(), path),
		0);
	CU_ASSERT_TRUE(file_read(path, &first, NULL) && strstr(buf_str(&first), "\"-100\",\"200\"") != NULL);
	CU_ASSERT_EQUAL(
		world_ctl(&w, "alice", &out, "carbon statement %s review --as-of 2099-01-01 --out %s", anna, path),
		1);
	CU_ASSERT_EQUAL(
		world_ctl(&w, NULL, &out, "carbon statement %s review --as-of %s --out %s", anna, today(), path), 1);
	CU_ASSERT_EQUAL(reads("review"), 4);
	buf_clear(&first);
	buf_clear(&again);
	world_close(&w);
	quay = NULL;
}

static CU_TestInfo tests[] = {
	{ "without the customer's consent nothing is told", without_the_customer_s_consent_nothing_is_told },
	{ "a teller sees the account, and central names him", a_teller_sees_the_account_and_central_names_him },
	{ "a redemption is made once, even when central was killed between",
	  a_redemption_is_made_once_even_when_central_was_killed_between },
	{ "the tool does the same for an officer", the_tool_does_the_same_for_an_officer },
	{ "offline it says what it cannot do and guesses nothing",
	  offline_it_says_what_it_cannot_do_and_guesses_nothing },
	{ "a statement is the same bytes for the same question, and its read is logged",
	  a_statement_is_the_same_bytes_for_the_same_question_and_its_read_is_logged },
	CU_TEST_INFO_NULL,
};
SUITE(branch_carbon, setup, teardown, tests);
