/* A credit report and an objection by the operators' own commands, on a real centrald with the shipped samples. */
#include "protocol/base/file.h"
#include "tests/support/department.h"
#include "tests/support/lone_central.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static struct lone_central central;
static struct buf out, first, second;
static char bob[140], code[19], csv[160], day[11];

static bool says(const char *what)
{
	bool there = strstr(buf_str(&out), what) != NULL;
	if (!there)
		printf("\n    not said: %s\n%s", what, buf_str(&out));
	return there;
}

/* A second operator, whose token is in the file `bob`. */
static void bob_add(void)
{
	const char *token = NULL;
	struct json *j = lone_central_json(&central, "operator add bob");
	snprintf(bob, sizeof(bob), "%s.bob", central.dir);
	CU_ASSERT_TRUE_FATAL(j != NULL && json_text(j, "token", 128, &token, NULL) &&
			     file_write(bob, bytes_of(token), 0600, NULL));
	json_free(j);
}

static void load(const char *source, const char *head, const char *row)
{
	char text[1024];
	snprintf(text, sizeof(text), "%s\n%s,%s\n", head, code, row);
	CU_ASSERT_TRUE_FATAL(file_write(csv, bytes_of(text), 0600, NULL));
	CU_ASSERT_EQUAL_FATAL(lone_central_ctl(&central, &out, "batch load %s %s --period 2026-10", source, csv), 0);
}

static void setup(void)
{
	time_t now = time(NULL) + 28800;
	struct tm tm;
	buf_init(&out, 1U << 24);
	buf_init(&first, 1U << 24);
	buf_init(&second, 1U << 24);
	if (central.pid != 0)
		return;
	lone_central_open(&central);
	bob_add();
	department_uscc(7, code);
	snprintf(csv, sizeof(csv), "%s.csv", central.dir);
	strftime(day, sizeof(day), "%Y-%m-%d", gmtime_r(&now, &tm));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "source import central/sample/sources.json"), 0);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "report rules central/sample/credit-rules.json"), 0);
	CU_ASSERT_TRUE(says("样例 / sample") && says("20 个工作日"));
	load("market-registration", "统一社会信用代码,企业名称,登记状态,注册资本,成立日期,变更日期",
	     "样例<b>制造</b>有限公司,存续,500,2015-03-01,2026-10-09");
	load("tax-revenue", "统一社会信用代码,月份,营业收入,实缴税额,纳税信用等级", "2026-10,800000,24000,D");
}

static void teardown(void)
{
	buf_clear(&out);
	buf_clear(&first);
	buf_clear(&second);
}

static void report_make(const char *form, struct buf *into)
{
	char path[200];
	struct stat st;
	snprintf(path, sizeof(path), "%s.report.%s", central.dir, form);
	CU_ASSERT_EQUAL(
		lone_central_ctl(&central, &out, "report enterprise %s loan --as-of %s --out %s", code, day, path),
		0);
	CU_ASSERT_TRUE(says("报告已写入"));
	buf_reset(into);
	CU_ASSERT_TRUE_FATAL(file_read(path, into, NULL));
	CU_ASSERT_TRUE(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
}

static bool html_says(const char *what)
{
	return strstr(buf_str(&first), what) != NULL;
}

static void a_report_comes_twice_the_same_and_the_reads_are_logged(void)
{
	report_make("html", &first);
	report_make("html", &second);
	CU_ASSERT_TRUE(first.len > 2000 && bytes_equal(buf_bytes(&first), buf_bytes(&second)));
	CU_ASSERT_TRUE(html_says("样例&lt;b&gt;制造&lt;/b&gt;有限公司") && !html_says("<b>") && !html_says(code));
	CU_ASSERT_TRUE(html_says("纳税信用等级") && html_says("样例 SAMPLE · alice · loan"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "subject reads %s", code), 0);
	CU_ASSERT_TRUE(says("alice · loan"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "report enterprise %s loan --as-of 2026-02-30 --out %s.html",
					 code, central.dir),
			1);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "report enterprise %s loan --as-of %s", code, day), 1);
	CU_ASSERT_TRUE(says("--out"));
}

static void the_pdf_says_what_the_page_says(void)
{
	char path[200];
	report_make("pdf", &first);
	report_make("pdf", &second);
	CU_ASSERT_TRUE(first.len > 10000 && bytes_equal(buf_bytes(&first), buf_bytes(&second)));
	if (child_run_words(&out, "pdftotext -v") != 0) {
		test_skip("pdftotext");
		return;
	}
	snprintf(path, sizeof(path), "%s.report.pdf", central.dir);
	buf_reset(&out);
	CU_ASSERT_EQUAL(child_run_words(&out, "pdftotext -q -layout %s -", path), 0);
	CU_ASSERT_TRUE(says("企业综合信用报告") && says("样例<b>制造</b>有限公司") && says("负面信息") &&
		       says("24000 元") && says("第 1 页 / page 1") && strstr(buf_str(&out), code) == NULL);
}

static void an_objection_is_opened_listed_and_decided_by_two(void)
{
	CU_ASSERT_EQUAL(
		lone_central_ctl(&central, &out, "objection open %s 2 2 --reason grade-is-old --field grade", code),
		0);
	CU_ASSERT_TRUE(says("处理中"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "objection list"), 0);
	CU_ASSERT_TRUE(says("grade-is-old") && says("暂停使用") && says("tax_rating") &&
		       !strstr(buf_str(&out), code));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "subject show %s look", code), 0);
	CU_ASSERT_TRUE(says("异议 / objection 1 处理中") && says("暂停使用"));
	report_make("html", &first);
	CU_ASSERT_TRUE(html_says("暂停使用"));
	CU_ASSERT_EQUAL(
		lone_central_ctl(&central, &out, "objection decide 1 upheld --reason looked-up --correct grade=A"),
		0);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "objection decide 1 upheld --reason looked-up"), 1);
	CU_ASSERT_TRUE(says("second operator"));
	CU_ASSERT_EQUAL(child_run_words(&out,
					"centralctl -d %s --token-file %s objection decide 1 upheld --reason agreed",
					central.dir, bob),
			0);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "subject show %s look", code), 0);
	CU_ASSERT_TRUE(says("grade=A") && says("已更正"));
	report_make("html", &first);
	CU_ASSERT_TRUE(html_says("已按异议 1 更正") && !html_says("暂停使用"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "objection list"), 0);
	CU_ASSERT_TRUE(says("没有异议"));
}

static CU_TestInfo tests[] = {
	{ "a report comes twice the same and the reads are logged",
	  a_report_comes_twice_the_same_and_the_reads_are_logged },
	{ "the PDF says what the page says", the_pdf_says_what_the_page_says },
	{ "an objection is opened, listed and decided by two", an_objection_is_opened_listed_and_decided_by_two },
	CU_TEST_INFO_NULL,
};

SUITE(report_commands, setup, teardown, tests);
