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

static void publish_of(const char *command)
{
	int64_t id = 0;
	char words[80];
	struct json *j = lone_central_json(&central, "%s", command);
	CU_ASSERT_TRUE_FATAL(j != NULL && json_int(j, "id", 1, INT64_MAX, &id, NULL));
	json_free(j);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "release submit %lld", (long long)id), 0);
	snprintf(words, sizeof(words), "release approve %lld", (long long)id);
	CU_ASSERT_EQUAL(bob_ctl(words), 0);
	snprintf(words, sizeof(words), "release publish %lld", (long long)id);
	CU_ASSERT_EQUAL(bob_ctl(words), 0);
}

static void publish(const char *name)
{
	char words[120];
	snprintf(words, sizeof(words), "document import %s central/sample/%s.json", name, name);
	publish_of(words);
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

/* The twelve months before this one: of electricity and output, as much each. */
static void energy_load(void)
{
	char meters[4096], output[2048], period[8] = "";
	int now = ((day[0] - '0') * 1000 + (day[1] - '0') * 100 + (day[2] - '0') * 10 + day[3] - '0') * 12 +
		  (day[5] - '0') * 10 + day[6] - '0' - 1;
	size_t a = (size_t)snprintf(
		       meters, sizeof(meters),
		       "统一社会信用代码,表计或台账编号,能源品种,计量单位,月份,起码,止码,旧表止码,用量\n"),
	       b = (size_t)snprintf(output, sizeof(output), "统一社会信用代码,行业代码,产出单位,月份,产出\n");
	for (int m = now - 12; m < now; m++) {
		snprintf(period, sizeof(period), "%04u-%02u", (unsigned)m / 12 % 10000, (unsigned)m % 12 + 1);
		a += (size_t)snprintf(meters + a, sizeof(meters) - a, "%s,E1,electricity,kWh,%s,%d,%d,,\n", firm,
				      period, (m + 12 - now) * 1000, (m + 13 - now) * 1000);
		b += (size_t)snprintf(output + b, sizeof(output) - b, "%s,C17,万元,%s,7.5\n", firm, period);
	}
	CU_ASSERT_TRUE_FATAL(file_write(path, bytes_of(meters), 0600, NULL));
	CU_ASSERT_EQUAL(
		lone_central_ctl(&central, &out, "batch load power-energy-meter %s --period %s", path, period), 0);
	CU_ASSERT_TRUE_FATAL(file_write(path, bytes_of(output), 0600, NULL));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "batch load statistics-output %s --period %s", path, period),
			0);
}

static void energy_becomes_a_label_and_facts_a_rating_of_our_own_with_reasons(void)
{
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "source import central/sample/sources.json"), 0);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "source import central/sample/energy-sources.json"), 0);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green label %s loan", firm), 1);
	CU_ASSERT_TRUE(says("no document 'carbon-label' was published"));
	publish("carbon-label");
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green label %s loan", firm), 1);
	CU_ASSERT_TRUE(says("no-readings") && says("没有用能数据") && says("no-output"));
	energy_load();
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green label %s loan", firm), 0);
	/* 12,000 kWh x 570 g = 6,840 kg; / 90 = 76 kg of 120: 633 */
	CU_ASSERT_TRUE(says("dark_green") && says("6840.000 kg CO2e") && says("76.000 kg/万元") && says("633‰"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green label %s loan --month 2999-01", firm), 1);
	CU_ASSERT_TRUE(says("not over yet"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green labels %s loan", firm), 0);
	CU_ASSERT_TRUE(says("现标识 / label: 深绿 dark_green") && says("no-readings") && says("633‰"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green rate %s loan", firm), 1);
	CU_ASSERT_TRUE(says("cannot be decided: emissions-exceeded") && says("缺少 / missing: exceeded"));
	char text[200];
	snprintf(text, sizeof(text),
		 "统一社会信用代码,月份,二氧化碳排放量（吨）,许可排放量（吨）,是否超标\n%s,%.7s,10,20,是\n", firm,
		 day);
	CU_ASSERT_TRUE_FATAL(file_write(path, bytes_of(text), 0600, NULL));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "batch load ecology-emissions %s --period %.7s", path, day),
			0);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green rate %s loan", firm), 0);
	CU_ASSERT_TRUE(says("自评 / our own rating: 红 red") &&
		       says("reason emissions-exceeded: 近十二个月排放超标"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green show %s loan", firm), 0);
	CU_ASSERT_TRUE(says("our own rating differs: 红"));
	snprintf(text, sizeof(text), "subject\n%s\n%s\nnobody\n", firm, other);
	CU_ASSERT_TRUE_FATAL(file_write(path, bytes_of(text), 0600, NULL));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green rate %s loan", path), 0);
	CU_ASSERT_TRUE(says("红 red") && says("行 / line 3: 没有评级") && says("行 / line 4: ") &&
		       says("有 / given 1 · 无 / none 2"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green verify"), 0);
	CU_ASSERT_TRUE(says("标识 / labels 2 · 自评 / own ratings 1 · 不符 / wrong 0"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "audit"), 0);
	CU_ASSERT_TRUE(says("green.label") && says("green.rate"));
}

static void report_and_score_have_them(void)
{
	char file[200], text[100];
	snprintf(file, sizeof(file), "%s.report.html", central.dir);
	CU_ASSERT_EQUAL(
		lone_central_ctl(&central, &out, "report enterprise %s loan --as-of %s --out %s", firm, day, file),
		0);
	buf_reset(&out);
	CU_ASSERT_TRUE_FATAL(file_read(file, &out, NULL));
	CU_ASSERT_TRUE(says("<dt>绿色评级 / rating</dt><dd>深绿 / dark green</dd>") &&
		       says("<dt>碳效标识 / carbon label</dt><dd>深绿 / dark green</dd>") &&
		       says("a person decided"));
	snprintf(file, sizeof(file), "%s.green.html", central.dir);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "green show %s loan --out %s", firm, file), 0);
	buf_reset(&out);
	CU_ASSERT_TRUE_FATAL(file_read(file, &out, NULL));
	CU_ASSERT_TRUE(says("碳效标识") && says("的理由 / reason: emissions-exceeded · 近十二个月排放超标"));
	publish_of("model import enterprise central/sample/enterprise-credit.pmml");
	publish_of("document import inputs-enterprise central/sample/enterprise-inputs.json");
	snprintf(text, sizeof(text), "subject\n%s\n", firm);
	CU_ASSERT_TRUE_FATAL(file_write(path, bytes_of(text), 0600, NULL));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "score run enterprise %s --facts", path), 0);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "--json score show %s review", firm), 0);
	/* its 30 points stand last, and it is not among what was missing */
	CU_ASSERT_TRUE(says("\"30\"],\"inputs\":{") && strstr(buf_str(&out), "green_rating") == NULL);
}

static CU_TestInfo tests[] = {
	{ "ratings are imported, contradict each other and are resolved with a reason",
	  ratings_are_imported_contradict_each_other_and_are_resolved_with_a_reason },
	{ "the history is a page and a table and the library a table",
	  the_history_is_a_page_and_a_table_and_the_library_a_table },
	{ "energy becomes a label and facts a rating of our own with reasons",
	  energy_becomes_a_label_and_facts_a_rating_of_our_own_with_reasons },
	{ "report and score have them", report_and_score_have_them },
	CU_TEST_INFO_NULL,
};

SUITE(green_commands, setup, teardown, tests);
