/* Credit reports of made-up enterprises. */
#include "central/report/report.h"
#include "central/report/objections.h"
#include "central/report/pdf.h"
#include "central/score/scores.h"
#include "protocol/base/file.h"
#include "protocol/rule.h"
#include "tests/support/cards.h"
#include "tests/support/department.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW   CENTRE_NOW_S /* 2026-11-24, 14 o'clock in China */
#define DAY_S 86400

static const char rules[] =
	"{\"type\":\"credit-rules\",\"title\":{\"zh\":\"样例\",\"en\":\"sample\"},\"sample\":true,\"objections\":{"
	"\"due_working_days\":5,\"holidays\":[],\"working_days\":[],\"holds\":[{\"indicator\":\"revenue\",\"field\":"
	"\"revenue\",\"inputs\":[\"age\"]}]},\"facts\":[{\"indicator\":\"revenue\",\"field\":\"revenue\",\"in\":["
	"\"7\"],"
	"\"nature\":\"negative\"},{\"indicator\":\"revenue\",\"field\":\"revenue\",\"in\":[\"9000\"],\"nature\":"
	"\"positive\"}],"
	"\"name\":{\"indicator\":\"revenue\",\"field\":\"note\"},\"green\":{\"indicator\":\"revenue\",\"field\":"
	"\"note\"}}";
static struct identifier who;
static int64_t bad_batch, good_batch;
static struct buf html;

static void load(const char *period, const char *revenue, const char *note, int64_t *id)
{
	char text[1024], code[19];
	department_uscc(3, code);
	snprintf(text, sizeof(text), "统一社会信用代码,月份,营业收入,备注\n%s,%s,%s,%s\n", code, period, revenue,
		 note);
	*id = department_load_text(period, text);
	CU_ASSERT_TRUE(*id > 0);
}

static void setup(void)
{
	char code[19];
	department_open();
	buf_init(&html, REPORT_BYTES_MAX);
	department_uscc(3, code);
	CU_ASSERT_TRUE(identifier_parse(IDENTIFIER_USCC, code, 18, 0, &who, NULL, &department_err));
	load("2026-09", "7", "样例甲公司", &bad_batch);
	load("2026-10", "9000", "样例甲公司", &good_batch);
	CU_ASSERT_TRUE(credit_rules_import(department, bytes_of(rules), "alice", NOW - 10, &department_err));
}

static void teardown(void)
{
	buf_clear(&html);
	department_close();
}

static struct report *collect(const char *day, int64_t now_s)
{
	struct report_request q = { &who, "贷款审查", "alice", 0, NULL };
	department_err = (struct err){ 0 };
	CU_ASSERT_TRUE(day_parse(bytes_of(day), &q.day, &department_err));
	return report_collect(department, &q, now_s, &department_err);
}

static const char *page(const char *day, int64_t now_s)
{
	struct report *r = collect(day, now_s);
	buf_reset(&html);
	if (r == NULL)
		printf("\n    %s", department_err.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_TRUE(report_html(r, &html, &department_err));
	report_free(r);
	return buf_str(&html);
}

/* Between the section called so and the next. */
static bool section_says(const char *text, const char *section, const char *what)
{
	char head[120];
	snprintf(head, sizeof(head), "<h2>%s ", section);
	const char *from = strstr(text, head), *to = from != NULL ? strstr(from + 4, "<h2>") : NULL, *at = NULL;
	if (from != NULL)
		at = strstr(from, what);
	return at != NULL && (to == NULL || at < to);
}

static void facts_stand_for_and_against_each_with_batch_and_row(void)
{
	char want[64];
	const char *text = page("2026-11-24", NOW);
	CU_ASSERT_TRUE(section_says(text, "负面信息", "<dd>7 元</dd>"));
	snprintf(want, sizeof(want), "批次 / batch %lld 行 / row 2", (long long)bad_batch);
	CU_ASSERT_TRUE(section_says(text, "负面信息", want) && !section_says(text, "正面信息", want));
	snprintf(want, sizeof(want), "批次 / batch %lld 行 / row 2", (long long)good_batch);
	CU_ASSERT_TRUE(section_says(text, "正面信息", want) && section_says(text, "正面信息", "<dd>9000 元</dd>"));
	CU_ASSERT_TRUE(section_says(text, "绿色评级", "样例甲公司") && section_says(text, "绿色评级", want));
	CU_ASSERT_TRUE(section_says(text, "综合评分", "没有评分"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "<dd>样例甲公司</dd>"));
	CU_ASSERT_PTR_NULL(strstr(text, who.canonical));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "样例 SAMPLE · alice · 贷款审查 · 截至 2026-11-24 · XB20261124-"));
}

static void every_fact_of_a_report_is_a_row_that_counts(void)
{
	struct report *r = collect("2026-11-24", NOW);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_EQUAL(r->facts_len, 2);
	for (size_t i = 0; i < r->facts_len; i++) {
		struct batch b = department_batch(r->facts[i].batch);
		uint8_t key[16];
		CU_ASSERT_EQUAL(b.state, BATCH_CURRENT);
		CU_ASSERT_STRING_EQUAL(b.period, r->facts[i].period);
		CU_ASSERT_STRING_EQUAL(b.source, r->facts[i].source.code);
		CU_ASSERT_TRUE(rows_key(department->db, b.id, (uint32_t)r->facts[i].row, key, &department_err));
	}
	report_free(r);
}

static void the_same_request_gives_the_same_bytes_whatever_came_since(void)
{
	int64_t id = 0, objection = 0;
	char *first = strdup(page("2026-11-24", NOW));
	CU_ASSERT_STRING_EQUAL(page("2026-11-24", NOW + 60), first);
	int64_t later = NOW + 3 * DAY_S;
	/* A day later all of it changes; the report of that day does not. */
	struct batch_new n;
	char text[512];
	snprintf(text, sizeof(text), "统一社会信用代码,月份,营业收入,备注\n%s,2026-09,8,别名\n", who.canonical);
	n = department_new("2026-09", bytes_of(text));
	bool again = false;
	CU_ASSERT_TRUE(batch_open(department, &n, "alice", later, &id, &again, &department_err) &&
		       batch_part(department, id, 0, bytes_of(text), later, &department_err));
	while (department_batch(id).state == BATCH_CHECKING)
		CU_ASSERT_TRUE_FATAL(batch_check(department, id, later, &department_err));
	const struct objection_new o = { &who, good_batch, 2, "revenue", "wrong", "alice" };
	CU_ASSERT_TRUE(objection_open(department, &o, later, &objection, &department_err));
	CU_ASSERT_TRUE(credit_rules_import(department, bytes_of(rules), "bob", later, &department_err));
	CU_ASSERT_STRING_EQUAL(page("2026-11-24", later + 60), first);
	const char *now = page("2026-11-27", later + 60);
	CU_ASSERT_TRUE(section_says(now, "其他信息", "<dd>8 元</dd>") && section_says(now, "处理中的异议", "9000"));
	free(first);
}

static void an_objection_takes_a_fact_out_of_use_and_a_correction_puts_it_back(void)
{
	int64_t id = 0;
	enum objection_state state;
	const struct objection_new o = { &who, bad_batch, 2, "revenue", "wrong", "alice" };
	struct objection_decision d = { .upheld = true, .why = "looked up", .operator= "alice", .changes_len = 1 };
	d.changes[0] = (struct objection_change){ "revenue", "9000" };
	CU_ASSERT_TRUE(objection_open(department, &o, NOW, &id, &department_err));
	const char *text = page("2026-11-24", NOW + 1);
	CU_ASSERT_TRUE(section_says(text, "负面信息", "无记录") &&
		       section_says(text, "处理中的异议", "<dd>7 元</dd>") &&
		       section_says(text, "处理中的异议", "暂停使用"));
	d.id = id;
	CU_ASSERT_TRUE(objection_decide(department, &d, NOW + 2, &state, &department_err));
	d.changes_len = 0;
	d.operator= "bob";
	CU_ASSERT_TRUE(objection_decide(department, &d, NOW + 2, &state, &department_err));
	text = page("2026-11-24", NOW + 3);
	CU_ASSERT_TRUE(section_says(text, "负面信息", "无记录") && section_says(text, "处理中的异议", "无 / none") &&
		       section_says(text, "正面信息", "已按异议") && strstr(text, "<dd>7 元</dd>") == NULL);
}

static void nothing_in_a_name_is_taken_for_html(void)
{
	int64_t id = 0;
	load("2026-11", "5", "<script>alert('x')</script>&amp;\x01", &id);
	const char *text = page("2026-11-24", NOW);
	CU_ASSERT_PTR_NULL(strstr(text, "<script"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;"));
}

static void a_score_is_shown_with_reasons_and_what_it_does_without(void)
{
	char hash[MODEL_HEX + 1], csv[200];
	int64_t id = 0;
	struct scores_summary s;
	const struct scores_run run = { "enterprise", "alice", IDENTIFIER_USCC, 20000, NOW };
	const char *model = card_pmml("<DataField name='age' optype='continuous' dataType='integer'/>",
				      "initialScore='100'", "<MiningField name='age' missingValueReplacement='20'/>",
				      "<Characteristic name='age' reasonCode='YOUNG' baselineScore='9'><Attribute "
				      "partialScore='2'><SimplePredicate field='age' operator='lessThan' value='30'/>"
				      "</Attribute><Attribute partialScore='9'><True/></Attribute></Characteristic>");
	CU_ASSERT_TRUE_FATAL(card_crown(department, "enterprise", bytes_of(model), NOW, hash, &department_err));
	snprintf(csv, sizeof(csv), "subject,age\n%s,25\n", who.canonical);
	CU_ASSERT_TRUE(scores_run(department, &run, bytes_of(csv), &s, &department_err));
	const char *text = page("2026-11-24", NOW);
	CU_ASSERT_TRUE(section_says(text, "综合评分", "<dd>102</dd>") && section_says(text, "综合评分", "YOUNG") &&
		       section_says(text, "综合评分", "最早输入 / oldest input 2024-10-04") &&
		       !section_says(text, "综合评分", "评分之后提出异议"));
	const struct objection_new o = { &who, bad_batch, 2, "revenue", "wrong", "alice" };
	CU_ASSERT_TRUE(objection_open(department, &o, NOW + 5, &id, &department_err));
	CU_ASSERT_TRUE(section_says(page("2026-11-24", NOW + 6), "综合评分", "objected to since: age"));
	CU_ASSERT_TRUE(section_says(page("2026-11-23", NOW + 6), "综合评分", "没有评分"));
}

static void a_report_is_in_the_log_of_reads_and_none_goes_without_a_purpose_or_for_a_day_to_come(void)
{
	struct report_request q = { &who, "", "alice", 20780, NULL };
	(void)page("2026-11-24", NOW);
	CU_ASSERT_EQUAL(
		centre_count(&centre,
			     "SELECT COUNT(*) FROM subject_read WHERE purpose = '贷款审查' AND who = 'alice'"),
		1);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE what = 'report.enterprise'"), 1);
	CU_ASSERT_PTR_NULL(report_collect(department, &q, NOW, &department_err));
	CU_ASSERT_EQUAL(department_err.code, ERR_INPUT);
	CU_ASSERT_PTR_NULL(collect("2026-11-25", NOW));
	CU_ASSERT_EQUAL(department_err.code, ERR_INPUT);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE what = 'report.enterprise'"), 1);
	CU_ASSERT_TRUE(section_says(page("2026-11-24", NOW), "截至前一日的查询记录", "无 / none"));
	CU_ASSERT_TRUE(section_says(page("2026-11-25", NOW + DAY_S), "截至前一日的查询记录", "alice · 贷款审查"));
}

/* Some hundred records fill several pages. */
static void the_same_request_gives_the_same_pdf(void)
{
	struct buf again;
	int64_t id = 0;
	char month[8];
	if (access(PDF_FONT, R_OK) != 0) {
		test_skip(PDF_FONT);
		return;
	}
	for (int i = 1; i <= 40; i++) {
		snprintf(month, sizeof(month), "20%02d-%02d", 10 + i / 12, 1 + i % 12);
		load(month, "7",
		     "样例：一家名称很长的企业，用来看看一行写不下的时候是否换行，(括号) 与 <尖括号> 是否照样显示",
		     &id);
	}
	struct report *r = collect("2026-11-24", NOW);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	buf_init(&again, REPORT_BYTES_MAX);
	buf_reset(&html);
	CU_ASSERT_TRUE(report_pdf(r, PDF_FONT, &html, &department_err) &&
		       report_pdf(r, PDF_FONT, &again, &department_err));
	CU_ASSERT_TRUE(html.len > 10000 && bytes_equal(buf_bytes(&html), buf_bytes(&again)));
	CU_ASSERT_FALSE(report_pdf(r, "/nonexistent.ttc", &again, &department_err));
	CU_ASSERT_EQUAL(department_err.code, ERR_MISSING);
	const char *keep = getenv("XINBIAN_REPORT_PDF"); /* to be looked at */
	if (keep != NULL)
		CU_ASSERT_TRUE(file_write(keep, buf_bytes(&html), 0600, &department_err));
	buf_clear(&again);
	report_free(r);
}

static CU_TestInfo tests[] = {
	{ "the same request gives the same PDF", the_same_request_gives_the_same_pdf },
	{ "facts stand for and against each with batch and row",
	  facts_stand_for_and_against_each_with_batch_and_row },
	{ "every fact of a report is a row that counts", every_fact_of_a_report_is_a_row_that_counts },
	{ "the same request gives the same bytes whatever came since",
	  the_same_request_gives_the_same_bytes_whatever_came_since },
	{ "an objection takes a fact out of use and a correction puts it back",
	  an_objection_takes_a_fact_out_of_use_and_a_correction_puts_it_back },
	{ "nothing in a name is taken for HTML", nothing_in_a_name_is_taken_for_html },
	{ "a score is shown with reasons and what it does without",
	  a_score_is_shown_with_reasons_and_what_it_does_without },
	{ "a report is in the log of reads, and none goes without a purpose or for a day to come",
	  a_report_is_in_the_log_of_reads_and_none_goes_without_a_purpose_or_for_a_day_to_come },
	CU_TEST_INFO_NULL,
};

SUITE(report, setup, teardown, tests);
