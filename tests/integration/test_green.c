/* Green ratings by the operators' own commands, on a real centrald with the shipped samples. */
#include "protocol/base/file.h"
#include "tests/support/department.h"
#include "tests/support/lone_central.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static struct lone_central central;
static struct buf out;
static char bob[140], firm[19], other[19], path[160], day[11];

static bool says(const char *what)
{
	bool there = strstr(buf_str(&out), what) != NULL;
	if (!there)
		printf("\n    not said: %s\n%s", what, buf_str(&out));
	return there;
}

static void bob_add(void)
{
	const char *token = NULL;
	struct json *j = lone_central_json(&central, "operator add bob");
	snprintf(bob, sizeof(bob), "%s.bob", central.dir);
	CU_ASSERT_TRUE_FATAL(j != NULL && json_text(j, "token", 128, &token, NULL) &&
			     file_write(bob, bytes_of(token), 0600, NULL));
	json_free(j);
}

static int bob_ctl(const char *words)
{
	return child_run_words(&out, "centralctl -d %s --token-file %s %s", central.dir, bob, words);
}

static void publish(const char *name)
{
	int64_t id = 0;
	char words[80];
	struct json *j = lone_central_json(&central, "document import %s central/sample/%s.json", name, name);
	CU_ASSERT_TRUE_FATAL(j != NULL && json_int(j, "id", 1, INT64_MAX, &id, NULL));
	json_free(j);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "release submit %lld", (long long)id), 0);
	snprintf(words, sizeof(words), "release approve %lld", (long long)id);
	CU_ASSERT_EQUAL(bob_ctl(words), 0);
	snprintf(words, sizeof(words), "release publish %lld", (long long)id);
	CU_ASSERT_EQUAL(bob_ctl(words), 0);
}

static void setup(void)
{
	time_t now = time(NULL) + 28800;
	struct tm tm;
	buf_init(&out, 1U << 24);
	if (central.pid != 0)
		return;
	lone_central_open(&central);
	bob_add();
	department_uscc(7, firm);
	department_uscc(8, other);
	strftime(day, sizeof(day), "%Y-%m-%d", gmtime_r(&now, &tm));
	snprintf(path, sizeof(path), "%s.ratings.csv", central.dir);
}

static void teardown(void)
{
	buf_clear(&out);
}

static int import(const char *text)
{
	CU_ASSERT_TRUE_FATAL(file_write(path, bytes_of(text), 0600, NULL));
	return lone_central_ctl(&central, &out, "green import %s", path);
}

static void ratings_are_imported_contradict_each_other_and_are_resolved_with_a_reason(void)
{
	char text[1024], conflict[17];
	snprintf(
		text, sizeof(text),
		"评级机构,统一社会信用代码,项目代码,评级,有效期起,有效期止,文号,撤销日期\n"
		"sample-agency-a,%s,,G1,2020-01-01,2029-12-31,=R1,\nsample-agency-b,%s,,B,2020-06-01,2029-12-31,R2,\n"
		"sample-agency-b,%s,P-9,A,2020-06-01,2029-12-31,R3,\nnobody,%s,,A,2020-06-01,2029-12-31,R4,\n",
		firm, firm, other, other);
	CU_ASSERT_EQUAL(import(text), 1);
	CU_ASSERT_TRUE(says("no document 'green' was published"));
	publish("green");
	CU_ASSERT_EQUAL(import(text), 1);
	CU_ASSERT_TRUE(says("收录 / taken 3") && says("行 / row 5 rater constraint-error") &&
		       says("open conflicts 1"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green conflicts"), 0);
	CU_ASSERT_TRUE(says("黄") && says("深绿") && strstr(buf_str(&out), firm) == NULL);
	const char *at = strstr(buf_str(&out), "conflict ");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	snprintf(conflict, sizeof(conflict), "%s", at + strlen("conflict "));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green resolve %s 1", conflict), 1);
	CU_ASSERT_TRUE(says("say why"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green resolve %s 1 --reason plant-was-visited", conflict),
			0);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green conflicts"), 0);
	CU_ASSERT_TRUE(says("没有 / none"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green show %s loan", firm), 0);
	CU_ASSERT_TRUE(says("深绿") && says("plant-was-visited") && says("2020-01-01 — 2020-05-31"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "subject reads %s", firm), 0);
	CU_ASSERT_TRUE(says("alice · loan"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green expiring --days 3650"), 0);
	CU_ASSERT_TRUE(says("P-9"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green expiring --days 1"), 0);
	CU_ASSERT_TRUE(says("没有 / none"));
}

static void the_history_is_a_page_and_a_table_and_the_library_a_table(void)
{
	char file[200];
	struct stat st;
	snprintf(file, sizeof(file), "%s.green.html", central.dir);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green show %s loan --as-of %s --out %s", firm, day, file),
			0);
	buf_reset(&out);
	CU_ASSERT_TRUE_FATAL(file_read(file, &out, NULL) && stat(file, &st) == 0);
	CU_ASSERT((st.st_mode & 0777) == 0600);
	CU_ASSERT_TRUE(says("企业绿色评价历史") && says("样例 SAMPLE · alice · loan") && says("plant-was-visited") &&
		       strstr(buf_str(&out), firm) == NULL && strstr(buf_str(&out), "<script") == NULL);
	snprintf(file, sizeof(file), "%s.green.csv", central.dir);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green show %s loan --out %s", firm, file), 0);
	buf_reset(&out);
	CU_ASSERT_TRUE_FATAL(file_read(file, &out, NULL));
	CU_ASSERT_TRUE(says("\"'=R1\"") && says("\"dark_green\""));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green list audit --out %s", file), 0);
	buf_reset(&out);
	CU_ASSERT_TRUE_FATAL(file_read(file, &out, NULL));
	CU_ASSERT_TRUE(says("\"P-9\"") && says("\"浅绿\"") && strstr(buf_str(&out), other) == NULL);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green list audit --as-of 2019-01-01"), 0);
	CU_ASSERT_TRUE(says("没有 / none")); /* nothing was known then */
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green list audit --as-of 2999-01-01"), 1);
	CU_ASSERT_TRUE(says("still to come"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "audit"), 0);
	CU_ASSERT_TRUE(says("green.library") && says("green.import") && says("green.resolve"));
}

static CU_TestInfo tests[] = {
	{ "ratings are imported, contradict each other and are resolved with a reason",
	  ratings_are_imported_contradict_each_other_and_are_resolved_with_a_reason },
	{ "the history is a page and a table and the library a table",
	  the_history_is_a_page_and_a_table_and_the_library_a_table },
	CU_TEST_INFO_NULL,
};

SUITE(green_commands, setup, teardown, tests);
