/* Scans over the API: answered after their row is durable, found again, and looked at again when they were accepted on an old list. */
#include "tests/support/certificates.h"
#include "tests/support/checks.h"
#include "tests/support/lan_box.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct lan_box b;
static struct certificates certs;
static int64_t now_s;

static void setup(void)
{
	lan_box_open(&b, false);
	certificates_open(&certs, "", "['*']");
	certificates_apply(&certs, b.documents);
	now_s = clock_now_s(&b.clock, loop_now_ms());
}

static void teardown(void)
{
	certificates_close(&certs);
	lan_box_close(&b);
}

/* The request, its text escaped; static. */
static const char *scan_of(const char *request_id, const char *serial, const char *more)
{
	static char json[16384];
	struct ecert cert = certificate_of(CERT_TYPE, serial, now_s - 60, &b.key);
	struct buf text, out;
	buf_init(&text, ECERT_TEXT_MAX);
	certificate_text(&certs, &cert, &text);
	buf_init(&out, sizeof(json));
	struct json_out w = { &out, false };
	json_open(&w, NULL, '{');
	json_put_text(&w, "request_id", request_id);
	json_put_text_n(&w, "text", buf_bytes(&text));
	snprintf(json, sizeof(json), "%s%s}", buf_str(&out), more);
	buf_clear(&text);
	buf_clear(&out);
	return json;
}
#define WHOLE ",\"business\":\"open_account\",\"holder\":{\"kind\":\"resident_id\",\"number\":\"" ADULT "\"}"

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

/* The last row, decoded into *s; borrows from body. */
static void last_scan(struct buf *body, struct scan *s)
{
	struct journal_row row;
	struct err e = { 0 };
	struct db_query *q = db_query(b.db, "SELECT row FROM journal ORDER BY seq DESC LIMIT 1", &e);
	bool there = false;
	CU_ASSERT_TRUE_FATAL(q != NULL && db_next(q, &there, &e) && there);
	buf_add(body, db_bytes(q, 0).data, db_bytes(q, 0).len);
	db_finish(q);
	CU_ASSERT_TRUE_FATAL(journal_row_decode(buf_bytes(body), &row, &e));
	CU_ASSERT_EQUAL(row.kind, JOURNAL_SCAN);
	CU_ASSERT_TRUE_FATAL(scan_decode(row.body, s, &e));
}

static void a_good_certificate_is_accepted_and_its_row_names_nobody(void)
{
	struct buf body;
	struct scan s;
	buf_init(&body, JOURNAL_ROW_MAX);
	struct lan_box_answer *a = lan_box_ask(&b, "POST", "/v1/scans", b.token, scan_of("s-1", "1", WHOLE));
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_TRUE(has(a, "\"code\":\"ACCEPTED\"") && has(a, "\"outcome\":\"accept\"") &&
		       has(a, "\"duty\":null"));
	CU_ASSERT_TRUE(has(a, "\"certificate\":{\"profile\":\"xb1\"") && has(a, "示例1号"));
	CU_ASSERT_EQUAL(rows(), 1);
	last_scan(&body, &s);
	CU_ASSERT_TRUE(s.code == SCAN_ACCEPTED && s.outcome == SCAN_ACCEPT);
	CU_ASSERT_STRING_EQUAL(s.business, "open_account");
	CU_ASSERT_STRING_EQUAL(s.type, CERT_TYPE);
	CU_ASSERT_STRING_EQUAL(s.terminal, "kiosk-1");
	CU_ASSERT_PTR_NULL(memmem(body.data, body.len, ADULT, strlen(ADULT)));
	CU_ASSERT_PTR_NULL(memmem(body.data, body.len, "XB1:", 4));
	CU_ASSERT_PTR_NULL(memmem(body.data, body.len, "示例甲", strlen("示例甲")));
	buf_clear(&body);
}

static void a_repeated_request_gets_the_stored_answer_and_another_body_none(void)
{
	char first[65536];
	const char *json = scan_of("s-1", "1", WHOLE);
	struct lan_box_answer *a = lan_box_ask(&b, "POST", "/v1/scans", b.token, json);
	CU_ASSERT_EQUAL_FATAL(a->status, 200);
	snprintf(first, sizeof(first), "%.65000s", a->body);
	char same[16384];
	snprintf(same, sizeof(same), "%s", json);
	a = lan_box_ask(&b, "POST", "/v1/scans", b.token, same);
	CU_ASSERT_STRING_EQUAL(a->body, first);
	CU_ASSERT_EQUAL(rows(), 1);
	a = lan_box_ask(&b, "POST", "/v1/scans", b.token, scan_of("s-1", "2", WHOLE));
	CU_ASSERT_EQUAL(a->status, 409);
	a = lan_box_ask(&b, "POST", "/v1/checks", b.token, lan_box_check("s-1", "\"verified_online\":true"));
	CU_ASSERT_EQUAL(a->status, 409); /* a check is another body too */
	a = lan_box_ask(&b, "POST", "/v1/scans", b.other, same);
	CU_ASSERT_EQUAL(a->status, 200); /* another terminal's ids are its own */
	CU_ASSERT_EQUAL(rows(), 2);
	char path[128];
	const char *id = strstr(first, "\"scan_id\":\"");
	CU_ASSERT_PTR_NOT_NULL_FATAL(id);
	snprintf(path, sizeof(path), "/v1/scans/%.32s", id + 11);
	a = lan_box_ask(&b, "GET", path, b.token, NULL);
	CU_ASSERT_STRING_EQUAL(a->body, first);
	snprintf(path, sizeof(path), "/v1/decisions/%.32s", id + 11);
	CU_ASSERT_EQUAL(lan_box_ask(&b, "GET", path, b.token, NULL)->status, 404);
	CU_ASSERT_EQUAL(lan_box_ask(&b, "GET", "/v1/scans/00", b.token, NULL)->status, 404);
}

static void a_malformed_request_names_the_field(void)
{
	static const char *const bad[][2] = {
		{ "{\"request_id\":\"r\"}", "text" },
		{ "{\"request_id\":\"r\",\"text\":\"a\",\"image\":\"AA==\"}", "text" },
		{ "{\"request_id\":\"r\",\"text\":7}", "text" },
		{ "{\"request_id\":\"r\",\"image\":\"!\"}", "image" },
		{ "{\"text\":\"a\"}", "request_id" },
		{ "{\"request_id\":\"r r\",\"text\":\"a\"}", "request_id" },
		{ "{\"request_id\":\"r\",\"text\":\"a\",\"business\":\"A b\"}", "business" },
		{ "{\"request_id\":\"r\",\"text\":\"a\",\"holder\":{\"kind\":\"ecert\",\"number\":\"1\"}}",
		  "holder.kind" },
		{ "{\"request_id\":\"r\",\"text\":\"a\",\"more\":1}", "more" },
		{ "[]", "object" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lan_box_answer *a = lan_box_ask(&b, "POST", "/v1/scans", b.token, bad[i][0]);
		CU_ASSERT_EQUAL(a->status, 400);
		CU_ASSERT_TRUE(has(a, bad[i][1]));
	}
	CU_ASSERT_EQUAL(rows(), 0);
	CU_ASSERT_EQUAL(lan_box_ask(&b, "POST", "/v1/scans", NULL, "{}")->status, 401);
	CU_ASSERT_EQUAL(lan_box_ask(&b, "GET", "/v1/scans", b.token, NULL)->status, 405);
}

static void a_damaged_scan_is_recorded_with_its_hint(void)
{
	struct lan_box_answer *a =
		lan_box_ask(&b, "POST", "/v1/scans", b.token, "{\"request_id\":\"r\",\"text\":\"XB1:ABC\"}");
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_TRUE(has(a, "\"code\":\"SCAN_DAMAGED\"") && has(a, "\"name\":\"letters\"") &&
		       has(a, "\"outcome\":\"refer\""));
	CU_ASSERT_FALSE(has(a, "\"certificate\""));
	a = lan_box_ask(&b, "POST", "/v1/scans", b.token, "{\"request_id\":\"r2\",\"text\":\"XB1\\u00d6AB\\u2603\"}");
	CU_ASSERT_TRUE(has(a, "\"code\":\"SCAN_DAMAGED\"") && has(a, "\"name\":\"layout\""));
	CU_ASSERT_EQUAL(rows(), 2);
}

static void nothing_is_answered_while_the_journal_cannot_be_written(void)
{
	CU_ASSERT_TRUE_FATAL(db_exec(b.db, "PRAGMA query_only = ON", NULL));
	CU_ASSERT_EQUAL(lan_box_ask(&b, "POST", "/v1/scans", b.token, scan_of("s-1", "1", WHOLE))->status, 503);
	CU_ASSERT_TRUE_FATAL(db_exec(b.db, "PRAGMA query_only = OFF", NULL));
	CU_ASSERT_EQUAL(rows(), 0);
	CU_ASSERT_EQUAL(lan_box_ask(&b, "POST", "/v1/scans", b.token, scan_of("s-1", "1", WHOLE))->status, 200);
	CU_ASSERT_EQUAL(rows(), 1);
}

/* Turns the loop until no duty is open, or a few seconds have gone. */
static void duties_wait(void)
{
	for (int i = 0; i < 60; i++) {
		int64_t open = 0;
		CU_ASSERT_TRUE_FATAL(db_run_int(b.db, &open, NULL, "SELECT COUNT(*) FROM duty WHERE code = 0", ""));
		if (open == 0)
			return;
		loop_once(b.loop, 100);
	}
}

static void accepted_on_an_old_list_is_looked_at_again_and_the_teller_is_told(void)
{
	b.confirmed_s = now_s - 5 * 3600;
	char id[40];
	struct lan_box_answer *a = lan_box_ask(&b, "POST", "/v1/scans", b.token, scan_of("s-1", "1", WHOLE));
	CU_ASSERT_EQUAL_FATAL(a->status, 200);
	CU_ASSERT_TRUE(has(a, "\"outcome\":\"accept_with_duty\"") && has(a, "\"state\":\"open\""));
	snprintf(id, sizeof(id), "%.32s", strstr(a->body, "\"scan_id\":\"") + 11);
	a = lan_box_ask(&b, "GET", "/v1/duties", b.token, NULL);
	CU_ASSERT_TRUE(has(a, id) && has(a, "\"state\":\"open\""));
	CU_ASSERT_FALSE(has(lan_box_ask(&b, "GET", "/v1/duties", b.other, NULL), id));
	/* a head confirms the list, which has it now */
	b.found = LOOKUP_HIT;
	b.confirmed_s = clock_now_s(&b.clock, loop_now_ms()) + 3600;
	duties_wait();
	char path[80];
	snprintf(path, sizeof(path), "/v1/scans/%s", id);
	a = lan_box_ask(&b, "GET", path, b.token, NULL);
	CU_ASSERT_TRUE(has(a, "\"state\":\"turned\",\"code\":\"REVOKED\""));
	CU_ASSERT_TRUE(has(lan_box_ask(&b, "GET", "/v1/duties", b.token, NULL), "\"code\":\"REVOKED\""));
	CU_ASSERT_EQUAL(rows(), 2);
	uint64_t n = 0;
	CU_ASSERT_TRUE(record_verify(b.record, &n, NULL));
}

static void one_that_holds_is_closed_without_a_word(void)
{
	b.confirmed_s = now_s - 5 * 3600;
	CU_ASSERT_EQUAL_FATAL(lan_box_ask(&b, "POST", "/v1/scans", b.token, scan_of("s-1", "1", WHOLE))->status, 200);
	b.confirmed_s = clock_now_s(&b.clock, loop_now_ms()) + 3600;
	duties_wait();
	CU_ASSERT_FALSE(has(lan_box_ask(&b, "GET", "/v1/duties", b.token, NULL), "scan_id"));
	CU_ASSERT_EQUAL(rows(), 2);
}

static CU_TestInfo tests[] = {
	{ "a good certificate is accepted, and its row names nobody",
	  a_good_certificate_is_accepted_and_its_row_names_nobody },
	{ "a repeated request gets the stored answer, and another body none",
	  a_repeated_request_gets_the_stored_answer_and_another_body_none },
	{ "a malformed request names the field", a_malformed_request_names_the_field },
	{ "a damaged scan is recorded with its hint", a_damaged_scan_is_recorded_with_its_hint },
	{ "nothing is answered while the journal cannot be written",
	  nothing_is_answered_while_the_journal_cannot_be_written },
	{ "accepted on an old list is looked at again, and the teller is told",
	  accepted_on_an_old_list_is_looked_at_again_and_the_teller_is_told },
	{ "one that holds is closed without a word", one_that_holds_is_closed_without_a_word },
	CU_TEST_INFO_NULL,
};
SUITE(lan_scan, setup, teardown, tests);
