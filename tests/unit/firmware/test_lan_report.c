/* Credit reports over the API: never without central, in the journal before anything is shown. */
#include "tests/support/lan_box.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#define COMPANY "91330800MA2DH00A72" /* nobody's */
#define BODY                                                                                                         \
	"{\"request_id\":\"%s\",\"subject\":{\"kind\":\"uscc\",\"number\":\"" COMPANY                                \
	"\"},\"purpose\":\"贷款审查\",\"officer\":\"E1024\"%s}"

static struct lan_box b;

static void setup(void)
{
	lan_box_open(&b, false);
}

static void teardown(void)
{
	lan_box_close(&b);
}

static const char *body(const char *id, const char *more)
{
	static char text[1024];
	snprintf(text, sizeof(text), BODY, id, more);
	return text;
}

static bool has(const struct lan_box_answer *a, const char *part)
{
	return strstr(a->body, part) != NULL;
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
	CU_ASSERT_PTR_NULL(strstr(l.holder_masked, COMPANY));
	return l;
}

static void a_report_is_handed_on_as_central_gave_it_and_stands_in_the_journal(void)
{
	uint64_t before = rows();
	const struct lan_box_answer *a =
		lan_box_report(&b, body("r-1", ",\"as_of\":\"2026-01-31\",\"format\":\"pdf\""), "%PDF-made-up", NULL);
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_STRING_EQUAL(a->body, "%PDF-made-up");
	CU_ASSERT_PTR_NOT_NULL(strstr(a->head, "Content-Type: application/pdf"));
	CU_ASSERT_PTR_NOT_NULL(strstr(a->head, "Report-Number: XB"));
	CU_ASSERT_PTR_NOT_NULL(strstr(a->head, "Cache-Control: no-store"));
	CU_ASSERT_EQUAL(rows(), before + 1);
	struct scan_lookup l = last_row();
	CU_ASSERT_STRING_EQUAL(l.type, "credit-report");
	CU_ASSERT_STRING_EQUAL(l.source, "central");
	CU_ASSERT_STRING_EQUAL(l.terminal, "kiosk-1");
	CU_ASSERT_TRUE(l.given == 1 && l.result == ERR_NONE);
	CU_ASSERT_EQUAL(b.inquired.day, 20484);
	CU_ASSERT_EQUAL(b.inquired.format, INQUIRY_PDF);
	CU_ASSERT_STRING_EQUAL(b.inquired.officer, "E1024");
	CU_ASSERT_STRING_EQUAL(b.inquired.terminal, "kiosk-1");
}

static void with_the_line_down_it_says_what_it_cannot_do_and_the_try_is_in_the_journal(void)
{
	uint64_t before = rows();
	const struct lan_box_answer *a = lan_box_ask(&b, "POST", "/v1/reports", b.token, body("r-2", ""));
	CU_ASSERT_EQUAL(a->status, 503);
	CU_ASSERT_TRUE(has(a, "信用报告只由中心出具，本机不存不猜") && has(a, "the line is down") &&
		       has(a, "same request_id"));
	CU_ASSERT_EQUAL(rows(), before + 1);
	struct scan_lookup l = last_row();
	CU_ASSERT_STRING_EQUAL(l.source, "none");
	CU_ASSERT_TRUE(l.given == 0 && l.result == ERR_IO);
}

static void the_same_request_is_the_same_question_and_another_terminal_s_is_not(void)
{
	uint8_t first[INQUIRY_REQUEST_LEN];
	char mine[sizeof(b.token)];
	lan_box_report(&b, body("r-3", ""), "x", NULL);
	memcpy(first, b.inquired.request, sizeof(first));
	lan_box_report(&b, body("r-3", ""), "x", NULL);
	CU_ASSERT_EQUAL(memcmp(first, b.inquired.request, sizeof(first)), 0);
	lan_box_report(&b, body("r-4", ""), "x", NULL);
	CU_ASSERT_NOT_EQUAL(memcmp(first, b.inquired.request, sizeof(first)), 0);
	memcpy(mine, b.token, sizeof(mine));
	memcpy(b.token, b.other, sizeof(b.token));
	lan_box_report(&b, body("r-3", ""), "x", NULL);
	CU_ASSERT_NOT_EQUAL(memcmp(first, b.inquired.request, sizeof(first)), 0);
	memcpy(b.token, mine, sizeof(mine));
}

static void a_question_without_purpose_officer_or_a_number_that_can_be_is_refused_here(void)
{
	static const char *const bad[] = {
		"{\"request_id\":\"r\",\"subject\":{\"kind\":\"uscc\",\"number\":\"" COMPANY
		"\"},\"purpose\":\"\",\"officer\":\"E\"}",
		"{\"request_id\":\"r\",\"subject\":{\"kind\":\"uscc\",\"number\":\"" COMPANY
		"\"},\"purpose\":\"loan\"}",
		"{\"request_id\":\"r\",\"subject\":{\"kind\":\"uscc\",\"number\":\"91330800MA2DH00A73\"},\"purpose\":"
		"\"loan\",\"officer\":\"E\"}",
		"{\"request_id\":\"r\",\"subject\":{\"kind\":\"resident_id\",\"number\":\"330802185001010013\"},"
		"\"purpose\":\"l\",\"officer\":\"E\"}",
		"{\"request_id\":\"r\",\"subject\":7,\"purpose\":\"loan\",\"officer\":\"E\"}",
		"{\"request_id\":\"a b\",\"subject\":{\"kind\":\"uscc\",\"number\":\"" COMPANY
		"\"},\"purpose\":\"l\",\"officer\":\"E\"}",
		"{\"request_id\":\"r\",\"subject\":{\"kind\":\"uscc\",\"number\":\"" COMPANY
		"\"},\"purpose\":\"l\",\"officer\":\"E\\nF\"}",
		"{\"request_id\":\"r\",\"subject\":{\"kind\":\"uscc\",\"number\":\"" COMPANY
		"\"},\"purpose\":\"l\",\"officer\":\"E\",\"format\":\"doc\"}",
		"{\"request_id\":\"r\",\"subject\":{\"kind\":\"uscc\",\"number\":\"" COMPANY
		"\"},\"purpose\":\"l\",\"officer\":\"E\",\"as_of\":\"2026-02-30\"}",
		"[]",
	};
	uint64_t before = rows();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(lan_box_ask(&b, "POST", "/v1/reports", b.token, bad[i])->status, 400);
	CU_ASSERT_EQUAL(rows(), before);
}

static void a_box_that_was_opened_gives_none(void)
{
	snprintf(b.around.locked, sizeof(b.around.locked), "the box was opened");
	CU_ASSERT_EQUAL(lan_box_ask(&b, "POST", "/v1/reports", b.token, body("r-5", ""))->status, 503);
	b.around.locked[0] = '\0';
}

static CU_TestInfo tests[] = {
	{ "a report is handed on as central gave it, and stands in the journal",
	  a_report_is_handed_on_as_central_gave_it_and_stands_in_the_journal },
	{ "with the line down it says what it cannot do, and the try is in the journal",
	  with_the_line_down_it_says_what_it_cannot_do_and_the_try_is_in_the_journal },
	{ "the same request is the same question, and another terminal's is not",
	  the_same_request_is_the_same_question_and_another_terminal_s_is_not },
	{ "a question without purpose, officer or a number that can be is refused here",
	  a_question_without_purpose_officer_or_a_number_that_can_be_is_refused_here },
	{ "a box that was opened gives none", a_box_that_was_opened_gives_none },
	CU_TEST_INFO_NULL,
};
SUITE(lan_report, setup, teardown, tests);
