/* Credit reports on their way from central to a branch, over a line of our making: both real sync cores, real sealing, simulated time. */
#include "central/branch/branches.h"
#include "central/report/pdf.h"
#include "tests/support/pair.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MINUTE  ((int64_t)60000)
#define COMPANY "91330800MA2DH00A72" /* nobody's */

static struct {
	unsigned calls;
	enum err_code code;
	char text[240], number[INQUIRY_NUMBER_MAX + 1];
	size_t len;
	uint8_t hash[HASH_LEN];
} told;

static void on_report(void *arg, const struct sync_inquiry *r, const struct err *why)
{
	(void)arg;
	told.calls++;
	told.code = why != NULL ? why->code : ERR_NONE;
	snprintf(told.text, sizeof(told.text), "%s", why != NULL ? why->text : "");
	if (r == NULL)
		return;
	told.len = r->report.len;
	sha256(r->report, told.hash);
	snprintf(told.number, sizeof(told.number), "%s", r->number);
}

/* PDF: half a megabyte, eight parts. */
static struct inquiry question(uint8_t request, enum inquiry_format format)
{
	struct inquiry q = { .request = { request },
			     .kind = IDENTIFIER_USCC,
			     .number = COMPANY,
			     .purpose = "贷款审查",
			     .day = INQUIRY_TODAY,
			     .format = format,
			     .terminal = "teller-1",
			     .officer = "E1024" };
	return q;
}

static bool ask(struct pair *p, const struct inquiry *q, struct err *e)
{
	bool ok = sync_ask_inquiry(p->sim.sync, q, p->sim.now_ms, on_report, p, e);
	p->sim.next_run_ms = p->sim.now_ms;
	return ok;
}

static struct pair *pair_up(uint64_t seed)
{
	struct pair *p = pair_new(seed);
	memset(&told, 0, sizeof(told));
	sim_line(&p->sim, true);
	sim_run(&p->sim, 5000);
	return p;
}

static enum inquiry_format large(void)
{
	if (access(PDF_FONT, R_OK) == 0)
		return INQUIRY_PDF;
	test_skip("fonts-wqy-zenhei");
	return INQUIRY_HTML;
}

static int64_t reads(struct pair *p)
{
	return centre_count(&p->centre,
			    "SELECT count(*) FROM subject_read WHERE who = 'branch haidian / teller-1 / E1024'"
			    " AND purpose = '贷款审查'");
}

static void a_report_comes_and_the_read_is_logged_with_branch_terminal_and_officer(void)
{
	struct pair *p = pair_up(1);
	struct err e = { 0 };
	struct inquiry q = question(1, large());
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, 3000);
	CU_ASSERT_EQUAL(told.calls, 1);
	CU_ASSERT_EQUAL(told.code, ERR_NONE);
	CU_ASSERT_TRUE(told.len > (q.format == INQUIRY_PDF ? 4 * INQUIRY_PART : 1000));
	CU_ASSERT_PTR_EQUAL(strstr(told.number, "XB2026"), told.number);
	CU_ASSERT_EQUAL(reads(p), 1);
	CU_ASSERT_EQUAL(centre_count(&p->centre, "SELECT count(*) FROM audit WHERE what = 'report.enterprise' AND"
						 " operator = 'branch haidian / teller-1 / E1024'"),
			1);
	pair_free(p);
}

static void asked_again_it_is_the_same_report_and_no_second_read(void)
{
	struct pair *p = pair_up(2);
	struct err e = { 0 };
	uint8_t first[HASH_LEN];
	struct inquiry q = question(1, INQUIRY_HTML);
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, 2000);
	memcpy(first, told.hash, HASH_LEN);
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, 2000);
	pair_central_restart(p); /* it holds the report no longer */
	sim_run(&p->sim, 5000);
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, 5000);
	CU_ASSERT_EQUAL(told.calls, 3);
	CU_ASSERT_EQUAL(told.code, ERR_NONE);
	CU_ASSERT_EQUAL(memcmp(first, told.hash, HASH_LEN), 0);
	CU_ASSERT_EQUAL(reads(p), 1);
	snprintf(q.purpose, sizeof(q.purpose), "其他");
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, 2000);
	CU_ASSERT_EQUAL(told.code, ERR_CONFLICT);
	q = question(2, INQUIRY_HTML); /* another request is another read */
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, 2000);
	CU_ASSERT_EQUAL(told.code, ERR_NONE);
	CU_ASSERT_EQUAL(reads(p), 2);
	pair_free(p);
}

static void a_report_comes_whole_over_a_line_that_loses_and_a_central_that_is_killed(void)
{
	unsigned whole = 0;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct pair *p = pair_up(seed * 17);
		struct err e = { 0 };
		struct inquiry q = question(1, large());
		p->sim.lose = 15;
		p->sim.twice = 20;
		p->sim.delay_ms = 300;
		for (unsigned i = 0; i < 4 && told.len == 0; i++) { /* as an officer would, under the same request */
			CU_ASSERT_TRUE(ask(p, &q, &e));
			sim_run(&p->sim, 700);
			if (seed % 2 == 0)
				pair_central_restart(p);
			sim_run(&p->sim, SYNC_INQUIRY_END_MS);
		}
		CU_ASSERT_EQUAL(told.code, ERR_NONE);
		whole += told.len > 0;
		CU_ASSERT_EQUAL(reads(p), 1);
		pair_free(p);
	}
	CU_ASSERT_EQUAL(whole, 6);
}

static void it_ends_in_time_and_at_once_when_the_line_goes_down(void)
{
	struct pair *p = pair_up(3);
	struct err e = { 0 };
	struct inquiry q = question(1, INQUIRY_HTML);
	p->sim.lose = 100;
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, SYNC_INQUIRY_WAIT_MS + 1000);
	CU_ASSERT_EQUAL(told.calls, 1);
	CU_ASSERT_EQUAL(told.code, ERR_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(told.text, "did not answer in time"));
	for (unsigned i = 0; i < SYNC_INQUIRIES_MAX; i++) {
		q = question((uint8_t)i, INQUIRY_HTML);
		CU_ASSERT_TRUE(ask(p, &q, &e));
	}
	CU_ASSERT_FALSE(ask(p, &q, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	sim_line(&p->sim, false);
	CU_ASSERT_EQUAL(told.calls, 1 + SYNC_INQUIRIES_MAX);
	CU_ASSERT_FALSE(ask(p, &q, &e));
	CU_ASSERT_EQUAL(e.code, ERR_IO);
	pair_free(p);
}

static void what_was_opened_is_denied_and_what_was_revoked_is_not_answered(void)
{
	struct pair *p = pair_up(4);
	struct err e = { 0 };
	struct inquiry q = question(1, INQUIRY_HTML);
	CU_ASSERT_TRUE(db_exec(p->centre.db, "UPDATE branch SET tampered_s = 1", &e));
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, 2000);
	CU_ASSERT_EQUAL(told.code, ERR_DENIED);
	CU_ASSERT_PTR_NOT_NULL(strstr(told.text, "was opened"));
	CU_ASSERT_TRUE(db_exec(p->centre.db, "UPDATE branch SET tampered_s = 0", &e));
	CU_ASSERT_TRUE(branches_revoke(p->centre.db, "haidian", "alice", CENTRE_NOW_S, &e));
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, SYNC_INQUIRY_WAIT_MS + 1000);
	CU_ASSERT_EQUAL(told.calls, 2);
	CU_ASSERT_EQUAL(told.code, ERR_IO);
	CU_ASSERT_EQUAL(reads(p), 0);
	pair_free(p);
}

static void what_central_cannot_make_is_said_in_its_words(void)
{
	struct pair *p = pair_up(5);
	struct err e = { 0 };
	struct inquiry q = question(1, INQUIRY_HTML);
	q.day = 40000; /* 2079 */
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, 2000);
	CU_ASSERT_EQUAL(told.code, ERR_INPUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(told.text, "still to come"));
	q = question(2, INQUIRY_HTML);
	snprintf(q.number, sizeof(q.number), "91330800MA2DH00A73");
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, 2000);
	CU_ASSERT_EQUAL(told.code, ERR_INPUT);
	CU_ASSERT_EQUAL(reads(p), 0);
	pair_free(p);
}

static void one_that_takes_long_is_made_once_and_answers_the_newest_question(void)
{
	struct pair *p = pair_up(6);
	struct err e = { 0 };
	struct inquiry q = question(1, large());
	p->hold_reports = true;
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, 10000); /* it has asked again, three times */
	CU_ASSERT_EQUAL(told.calls, 0);
	sim_line(&p->sim, false);
	central_sync_down(p->central, pair_instant(p));
	CU_ASSERT_EQUAL(told.code, ERR_IO);
	sim_line(&p->sim, true);
	central_sync_up(p->central, pair_instant(p));
	sim_run(&p->sim, 5000);
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, 5000);
	pair_report_give(p, NULL);
	sim_run(&p->sim, 5000);
	CU_ASSERT_EQUAL(told.calls, 2);
	CU_ASSERT_EQUAL(told.code, ERR_NONE);
	CU_ASSERT_EQUAL(p->ordered, 1);
	CU_ASSERT_EQUAL(reads(p), 1);
	pair_report_give(p, NULL); /* nobody waits */
	sim_run(&p->sim, 5000);
	CU_ASSERT_EQUAL(told.calls, 2);
	pair_free(p);
}

static void what_happens_while_it_is_made_counts(void)
{
	static const struct {
		const char *sql; /* meanwhile */
		struct err why;  /* it was not made */
		enum err_code code;
		const char *words;
	} rows[] = {
		{ "UPDATE branch SET tampered_s = 1", { 0 }, ERR_DENIED, "was opened" },
		{ "UPDATE branch SET revoked_s = 1", { 0 }, ERR_IO, "did not answer in time" },
		{ "SELECT 1", { ERR_IO, "the worker was killed: do it again" }, ERR_IO, "worker was killed" },
		{ "SELECT 1", { ERR_INPUT, "as_of: still to come" }, ERR_INPUT, "still to come" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair *p = pair_up(7 + i);
		struct err e = { 0 };
		struct inquiry q = question(1, INQUIRY_HTML);
		p->hold_reports = true;
		CU_ASSERT_TRUE(ask(p, &q, &e));
		sim_run(&p->sim, 1000);
		CU_ASSERT_TRUE(db_exec(p->centre.db, rows[i].sql, &e));
		pair_report_give(p, rows[i].why.code != ERR_NONE ? &rows[i].why : NULL);
		sim_run(&p->sim, SYNC_INQUIRY_WAIT_MS + 1000);
		CU_ASSERT_EQUAL(told.calls, 1);
		CU_ASSERT_EQUAL(told.code, rows[i].code);
		CU_ASSERT_PTR_NOT_NULL(strstr(told.text, rows[i].words));
		CU_ASSERT_EQUAL(told.len, 0);
		pair_free(p);
	}
}

static void one_branch_has_four_made_at_once_and_is_refused_more(void)
{
	struct pair *p = pair_up(12);
	struct err e = { 0 };
	unsigned refused = 0;
	p->hold_reports = true;
	for (unsigned i = 0; i < 40; i++) {
		struct inquiry q = question((uint8_t)i, INQUIRY_HTML);
		told.calls = 0;
		CU_ASSERT_TRUE(ask(p, &q, &e));
		sim_run(&p->sim, 1000);
		refused += told.calls == 1 && told.code == ERR_FULL;
		if (told.calls == 0)
			sync_forget_inquiry(p->sim.sync, p);
	}
	CU_ASSERT_EQUAL(p->ordered, 4);
	CU_ASSERT_EQUAL(refused, 36);
	pair_free(p);
}

/* --- a central of our making, with a report of five megabytes --- */

#define LARGE (5U * 1024 * 1024 + 77)

static struct {
	uint8_t *bytes;
	uint8_t hash[HASH_LEN];
	unsigned answers, changed_after; /* so many answers later it is another report; 0 never */
	bool lies;                       /* about the hash of the whole */
} large_report;

static void large_fill(uint8_t salt)
{
	for (size_t i = 0; i < LARGE; i++)
		large_report.bytes[i] = (uint8_t)(i * 31 + (i >> 13) + salt);
	sha256((struct bytes){ large_report.bytes, LARGE }, large_report.hash);
	large_report.hash[0] ^= large_report.lies;
}

static void part_give(struct pair *p, const struct inquiry *q)
{
	struct inquiry_part part = { .size = LARGE, .part = q->part, .number = "XB-large" };
	struct buf plain, sealed, body, out;
	struct reply r = { 0 };
	size_t len = inquiry_part_len(LARGE, q->part);
	CU_ASSERT_TRUE_FATAL(len > 0);
	if (large_report.changed_after > 0 && ++large_report.answers == large_report.changed_after)
		large_fill(9);
	memcpy(part.id, q->id, sizeof(part.id));
	memcpy(part.hash, large_report.hash, HASH_LEN);
	part.data = (struct bytes){ large_report.bytes + q->part * INQUIRY_PART, len };
	buf_init(&plain, MQTT_PACKET_MAX);
	buf_init(&sealed, MQTT_PACKET_MAX);
	buf_init(&body, MQTT_PACKET_MAX);
	buf_init(&out, MQTT_PACKET_MAX);
	CU_ASSERT_TRUE(inquiry_part_encode(&part, &plain, NULL) &&
		       seal_to(p->sim.branch_point, &random_system, bytes_of(INQUIRY_REPLY_CONTEXT "haidian"),
			       buf_bytes(&plain), &sealed, NULL));
	cbor_put_bytes(&body, buf_bytes(&sealed));
	memcpy(r.id, q->id, sizeof(r.id));
	r.body = buf_bytes(&body);
	CU_ASSERT_TRUE(reply_encode(&r, &out, NULL));
	sim_broadcast(&p->sim, "xb/1/down/haidian/reply", buf_bytes(&out), false);
	buf_clear(&plain);
	buf_clear(&sealed);
	buf_clear(&body);
	buf_clear(&out);
}

static void large_message(void *arg, const char *topic, struct bytes payload)
{
	struct pair *p = arg;
	struct query q;
	struct cbor c;
	struct bytes sealed;
	struct inquiry asked;
	struct buf plain;
	if (strstr(topic, "/query") == NULL || !query_decode(payload, &q, NULL) || q.type != QUERY_REPORT)
		return;
	c = cbor_over(q.body);
	buf_init(&plain, QUERY_BODY_MAX);
	CU_ASSERT_TRUE(cbor_get_bytes(&c, &sealed, NULL) &&
		       seal_open(p->centre.seal_scalar, p->centre.seal_point,
				 bytes_of(INQUIRY_QUERY_CONTEXT "haidian"), sealed, &plain, NULL) &&
		       inquiry_decode(buf_bytes(&plain), &asked, NULL));
	part_give(p, &asked);
	buf_clear(&plain);
}

static struct pair *large_pair(bool lies, unsigned changed_after)
{
	struct pair *p = pair_up(8);
	large_report.bytes = malloc(LARGE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(large_report.bytes);
	large_report.lies = lies;
	large_report.changed_after = changed_after;
	large_report.answers = 0;
	large_fill(1);
	p->sim.central_message = large_message;
	return p;
}

static void large_end(struct pair *p)
{
	free(large_report.bytes);
	pair_free(p);
}

static void one_of_several_megabytes_comes_whole_over_a_line_that_loses(void)
{
	struct pair *p = large_pair(false, 0);
	struct err e = { 0 };
	struct inquiry q = question(1, INQUIRY_PDF);
	p->sim.lose = 3;
	p->sim.twice = 10;
	p->sim.delay_ms = 50;
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, SYNC_INQUIRY_END_MS + 1000);
	CU_ASSERT_EQUAL(told.calls, 1);
	CU_ASSERT_EQUAL(told.len, LARGE);
	CU_ASSERT_EQUAL(memcmp(told.hash, large_report.hash, HASH_LEN), 0);
	large_end(p);
}

static void parts_of_two_reports_never_mix(void)
{
	struct pair *p = large_pair(false, 20); /* another report in the middle of the first */
	struct err e = { 0 };
	struct inquiry q = question(1, INQUIRY_PDF);
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, SYNC_INQUIRY_END_MS);
	CU_ASSERT_EQUAL(told.code, ERR_NONE);
	CU_ASSERT_EQUAL(memcmp(told.hash, large_report.hash, HASH_LEN), 0); /* wholly the second */
	large_end(p);
	p = large_pair(true, 0);
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, SYNC_INQUIRY_END_MS);
	CU_ASSERT_EQUAL(told.code, ERR_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(told.text, "not what its parts say"));
	large_end(p);
}

static CU_TestInfo tests[] = {
	{ "a report comes, and the read is logged with branch, terminal and officer",
	  a_report_comes_and_the_read_is_logged_with_branch_terminal_and_officer },
	{ "asked again it is the same report and no second read",
	  asked_again_it_is_the_same_report_and_no_second_read },
	{ "a report comes whole over a line that loses and a central that is killed",
	  a_report_comes_whole_over_a_line_that_loses_and_a_central_that_is_killed },
	{ "it ends in time, and at once when the line goes down",
	  it_ends_in_time_and_at_once_when_the_line_goes_down },
	{ "what was opened is denied, and what was revoked is not answered",
	  what_was_opened_is_denied_and_what_was_revoked_is_not_answered },
	{ "what central cannot make is said in its words", what_central_cannot_make_is_said_in_its_words },
	{ "one that takes long is made once and answers the newest question",
	  one_that_takes_long_is_made_once_and_answers_the_newest_question },
	{ "what happens while it is made counts", what_happens_while_it_is_made_counts },
	{ "one branch has four made at once and is refused more",
	  one_branch_has_four_made_at_once_and_is_refused_more },
	{ "one of several megabytes comes whole over a line that loses",
	  one_of_several_megabytes_comes_whole_over_a_line_that_loses },
	{ "parts of two reports never mix", parts_of_two_reports_never_mix },
	CU_TEST_INFO_NULL,
};
SUITE(sync_inquiry, NULL, NULL, tests);
