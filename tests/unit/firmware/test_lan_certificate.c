/* Look-ups over the API: from central or kept here, in the journal before anything is shown. */
#include "tests/support/certificates.h"
#include "tests/support/checks.h"
#include "tests/support/lan_box.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH "/v1/certificates?holder=" ADULT "&kind=" CERT_TYPE "&purpose=" CERT_BUSINESS

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

/* Each test begins with an empty cache and the line down. */
static void fresh(void)
{
	b.line_up = false;
	b.found = LOOKUP_NOT_LISTED;
	CU_ASSERT_TRUE_FATAL(cache_wipe(&b.cache, NULL));
}

static bool has(const struct lan_box_answer *a, const char *part)
{
	return strstr(a->body, part) != NULL;
}

/* The last row of the journal, which must be a look-up's. */
static struct scan_lookup last_row(void)
{
	struct scan_lookup l = { .result = ERR_IO };
	struct journal_row row = { 0 };
	struct db_query *q = db_query(b.db, "SELECT row FROM journal ORDER BY seq DESC LIMIT 1", NULL);
	bool found = false;
	CU_ASSERT_PTR_NOT_NULL_FATAL(q);
	CU_ASSERT_TRUE_FATAL(db_next(q, &found, NULL) && found);
	CU_ASSERT_TRUE_FATAL(journal_row_decode(db_bytes(q, 0), &row, NULL));
	CU_ASSERT_EQUAL_FATAL(row.kind, JOURNAL_LOOKUP);
	CU_ASSERT_TRUE(scan_lookup_decode(row.body, &l, NULL));
	db_finish(q);
	CU_ASSERT_PTR_NULL(strstr(l.holder_masked, ADULT));
	return l;
}

static uint64_t rows(void)
{
	struct record_info i;
	record_info(b.record, &i);
	return i.last;
}

/* One certificate as central would give it; its bytes live until the next call. */
static struct body_reply reply_of(const struct ecert *cert)
{
	static struct buf cose;
	struct body_reply r = { .bodies_len = 1 };
	buf_clear(&cose);
	buf_init(&cose, ECERT_COSE_MAX);
	certificate_sign(&certs, cert, &cose);
	r.bodies[0] = (struct body){ .cose = buf_bytes(&cose), .consent_to_s = INT64_MAX, .status = ECERT_VALID };
	return r;
}

static struct lan_box_answer *online(const struct body_reply *r, enum err_code code)
{
	struct err why = { 0 };
	if (r == NULL)
		(void)err_set(&why, code, "central's words");
	b.line_up = true;
	struct lan_box_answer *a = lan_box_look_up(&b, PATH, r, &why);
	b.line_up = false;
	return a;
}

static struct lan_box_answer *offline(void)
{
	return lan_box_ask(&b, "GET", PATH, b.token, NULL);
}

static void nothing_kept_and_no_line_is_503_and_stands_in_the_journal(void)
{
	fresh();
	uint64_t before = rows();
	const struct lan_box_answer *a = offline();
	CU_ASSERT_EQUAL(a->status, 503);
	CU_ASSERT_TRUE(has(a, "the line is down"));
	CU_ASSERT_EQUAL(rows(), before + 1);
	struct scan_lookup l = last_row();
	CU_ASSERT_STRING_EQUAL(l.source, "none");
	CU_ASSERT_STRING_EQUAL(l.terminal, "kiosk-1");
	CU_ASSERT_STRING_EQUAL(l.purpose, CERT_BUSINESS);
	CU_ASSERT_EQUAL(l.result, ERR_IO);
	CU_ASSERT_EQUAL(l.given, 0);
}

static void what_central_gives_is_shown_kept_and_comes_out_of_the_cache_with_the_line_down(void)
{
	struct ecert cert = certificate_of(CERT_TYPE, "1", now_s - 60, &b.key);
	const struct body_reply r = reply_of(&cert);
	fresh();
	const struct lan_box_answer *a = online(&r, ERR_NONE);
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_TRUE(has(a, "\"source\":\"central\",\"offline\":false"));
	CU_ASSERT_TRUE(has(a, "\"code\":\"ACCEPTED\"") && has(a, "示例1号"));
	CU_ASSERT_STRING_EQUAL(b.asked.holder, ADULT);
	CU_ASSERT_STRING_EQUAL(b.asked.type, CERT_TYPE);
	CU_ASSERT_STRING_EQUAL(b.asked.terminal, "kiosk-1");
	CU_ASSERT_STRING_EQUAL(last_row().source, "central");
	CU_ASSERT_EQUAL(last_row().given, 1);
	CU_ASSERT_EQUAL(b.cache.items, 1);
	a = offline();
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_TRUE(has(a, "\"source\":\"cache\",\"offline\":true"));
	CU_ASSERT_TRUE(has(a, "线路不通") && has(a, "The line is down"));
	CU_ASSERT_TRUE(has(a, "\"code\":\"ACCEPTED\"") && has(a, "示例1号"));
	CU_ASSERT_STRING_EQUAL(last_row().source, "cache");
	CU_ASSERT_EQUAL(last_row().result, ERR_NONE);
	CU_ASSERT_TRUE(lan_box_metric(&b, "xinbian_cache_items") == 1);
}

static void one_without_end_is_kept_until_its_consents_end(void)
{
	struct ecert cert = certificate_of(CERT_TYPE, "1", now_s - 60, &b.key);
	cert.to_s = ECERT_NO_END;
	struct body_reply r = reply_of(&cert);
	fresh();
	CU_ASSERT_TRUE(has(online(&r, ERR_NONE), "\"to\":null"));
	CU_ASSERT_TRUE(has(offline(), "\"to\":null"));
	r.bodies[0].consent_to_s = now_s - 1; /* it ended on the way */
	CU_ASSERT_EQUAL(online(&r, ERR_NONE)->status, 200);
	CU_ASSERT_EQUAL(offline()->status, 503);
}

static void another_purpose_or_kind_is_not_given_what_was_kept_for_this_one(void)
{
	struct ecert cert = certificate_of(CERT_TYPE, "1", now_s - 60, &b.key);
	const struct body_reply r = reply_of(&cert);
	fresh();
	CU_ASSERT_EQUAL(online(&r, ERR_NONE)->status, 200);
	const struct lan_box_answer *a = lan_box_ask(
		&b, "GET", "/v1/certificates?holder=" ADULT "&kind=" CERT_TYPE "&purpose=loan", b.token, NULL);
	CU_ASSERT_EQUAL(a->status, 503);
	a = lan_box_ask(&b, "GET", "/v1/certificates?holder=" ADULT "&kind=" CERT_MASKED "&purpose=" CERT_BUSINESS,
			b.token, NULL);
	CU_ASSERT_EQUAL(a->status, 503);
	a = lan_box_ask(&b, "GET", "/v1/certificates?holder=" OTHER "&kind=" CERT_TYPE "&purpose=" CERT_BUSINESS,
			b.token, NULL);
	CU_ASSERT_EQUAL(a->status, 503);
	CU_ASSERT_EQUAL(offline()->status, 200);
}

static void centrals_no_erases_what_is_kept_and_its_silence_does_not(void)
{
	struct ecert cert = certificate_of(CERT_TYPE, "1", now_s - 60, &b.key);
	const struct body_reply r = reply_of(&cert);
	static const struct {
		enum err_code code;
		int status;
		uint64_t kept;
	} cases[] = {
		{ ERR_DENIED, 403, 0 }, { ERR_MISSING, 404, 0 }, { ERR_IO, 200, 1 },
		{ ERR_INPUT, 200, 1 },  { ERR_FULL, 200, 1 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fresh();
		CU_ASSERT_EQUAL(online(&r, ERR_NONE)->status, 200);
		const struct lan_box_answer *a = online(NULL, cases[i].code);
		CU_ASSERT_EQUAL(a->status, cases[i].status);
		CU_ASSERT_EQUAL(b.cache.items, cases[i].kept);
		CU_ASSERT_EQUAL(has(a, "示例1号"), cases[i].kept == 1);
		CU_ASSERT_EQUAL(last_row().result, cases[i].kept == 1 ? ERR_NONE : cases[i].code);
	}
}

static void somebody_elses_another_kinds_and_a_forged_one_are_neither_shown_nor_kept(void)
{
	struct ecert cert = certificate_of(CERT_TYPE, "1", now_s - 60, &b.key);
	struct identifier other;
	fresh();
	CU_ASSERT_TRUE_FATAL(identifier_parse(IDENTIFIER_RESIDENT_ID, OTHER, strlen(OTHER), 0, &other, NULL, NULL));
	cert.holder_tag = tag_of(&b.key, &other);
	struct body_reply r = reply_of(&cert);
	CU_ASSERT_EQUAL(online(&r, ERR_NONE)->status, 404);
	struct ecert kind = certificate_of(CERT_MASKED, "1", now_s - 60, NULL);
	r = reply_of(&kind);
	CU_ASSERT_EQUAL(online(&r, ERR_NONE)->status, 404);
	struct ecert good = certificate_of(CERT_TYPE, "2", now_s - 60, &b.key);
	r = reply_of(&good);
	uint8_t *forged = malloc(r.bodies[0].cose.len);
	if (forged == NULL)
		abort();
	memcpy(forged, r.bodies[0].cose.data, r.bodies[0].cose.len);
	forged[r.bodies[0].cose.len - 1] ^= 1;
	r.bodies[0].cose.data = forged;
	const struct lan_box_answer *a = online(&r, ERR_NONE);
	CU_ASSERT_EQUAL(a->status, 404);
	CU_ASSERT_FALSE(has(a, "示例"));
	CU_ASSERT_EQUAL(last_row().given, 0);
	CU_ASSERT_EQUAL(b.cache.items, 0);
	free(forged);
}

static void a_revoked_one_is_said_to_be_so_and_not_kept(void)
{
	struct ecert cert = certificate_of(CERT_TYPE, "1", now_s - 60, &b.key);
	const struct body_reply r = reply_of(&cert);
	fresh();
	b.found = LOOKUP_HIT;
	const struct lan_box_answer *a = online(&r, ERR_NONE);
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_TRUE(has(a, "\"code\":\"REVOKED\"") && has(a, "\"outcome\":\"refuse\""));
	CU_ASSERT_EQUAL(b.cache.items, 0);
	/* Nor one that central calls suspended before its list says so. */
	struct body_reply suspended = r;
	b.found = LOOKUP_NOT_LISTED;
	suspended.bodies[0].status = ECERT_SUSPENDED;
	CU_ASSERT_EQUAL(online(&suspended, ERR_NONE)->status, 200);
	CU_ASSERT_EQUAL(b.cache.items, 0);
}

static void a_file_is_shown_only_when_it_is_what_was_signed(void)
{
	static uint8_t file[] = "made-up picture";
	struct ecert cert = certificate_of(CERT_TYPE, "1", now_s - 60, &b.key);
	cert.has_digest = true;
	sha256((struct bytes){ file, sizeof(file) }, cert.digest);
	struct body_reply r = reply_of(&cert);
	struct body *body = &r.bodies[0];
	fresh();
	CU_ASSERT_TRUE(has(online(&r, ERR_NONE), "\"file_state\":\"none\",\"file\":null"));
	strcpy(body->media_type, "image/png");
	body->file_left_out = true;
	CU_ASSERT_TRUE(has(online(&r, ERR_NONE), "\"file_state\":\"left_out\",\"file\":null"));
	CU_ASSERT_TRUE(has(offline(), "\"file_state\":\"left_out\",\"file\":null"));
	body->file_left_out = false;
	body->file = (struct bytes){ file, sizeof(file) };
	CU_ASSERT_TRUE(has(online(&r, ERR_NONE), "\"file_state\":\"whole\",\"file\":{\"media_type\":\"image/png\""));
	CU_ASSERT_TRUE(has(offline(), "\"file_state\":\"whole\""));
	file[0] ^= 1;
	const struct lan_box_answer *a = online(&r, ERR_NONE);
	file[0] ^= 1;
	CU_ASSERT_TRUE(has(a, "\"file_state\":\"damaged\",\"file\":null"));
}

static void what_is_missing_or_malformed_is_named(void)
{
	static const struct {
		const char *path, *field;
	} cases[] = {
		{ "/v1/certificates?kind=A&purpose=p", "\"field\":\"holder\"" },
		{ "/v1/certificates?holder=" ADULT "&purpose=p", "\"field\":\"kind\"" },
		{ "/v1/certificates?holder=" ADULT "&kind=A", "\"field\":\"purpose\"" },
		{ "/v1/certificates?holder=" ADULT "&kind=A&purpose=", "\"field\":\"purpose\"" },
		{ "/v1/certificates?holder=" ADULT "&kind=A&purpose=%ff", "\"field\":\"purpose\"" },
		{ "/v1/certificates?holder=330802185001010014&kind=A&purpose=p", "\"field\":\"holder\"" },
		{ "/v1/certificates?holder=" ADULT "&kind=A&purpose=p&holder_kind=ecert",
		  "\"field\":\"holder_kind\"" },
		{ "/v1/certificates?holder=" ADULT "&kind=A&purpose=p&holder_kind=x", "\"field\":\"holder_kind\"" },
		{ "/v1/certificates?holder=" ADULT "&kind=012345678901234567890123456789012&purpose=p",
		  "\"field\":\"kind\"" },
	};
	uint64_t before = rows();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct lan_box_answer *a = lan_box_ask(&b, "GET", cases[i].path, b.token, NULL);
		CU_ASSERT_EQUAL(a->status, 400);
		CU_ASSERT_TRUE(has(a, cases[i].field));
		CU_ASSERT_FALSE(has(a, "330802"));
	}
	CU_ASSERT_EQUAL(lan_box_ask(&b, "GET", PATH, NULL, NULL)->status, 401);
	CU_ASSERT_EQUAL(rows(), before);
}

static void nothing_is_shown_while_the_journal_cannot_be_written(void)
{
	struct ecert cert = certificate_of(CERT_TYPE, "1", now_s - 60, &b.key);
	const struct body_reply r = reply_of(&cert);
	fresh();
	CU_ASSERT_TRUE_FATAL(db_exec(b.db,
				     "CREATE TEMP TRIGGER no BEFORE INSERT ON journal BEGIN SELECT "
				     "RAISE(ABORT, 'no'); END",
				     NULL));
	const struct lan_box_answer *a = online(&r, ERR_NONE);
	CU_ASSERT_EQUAL(a->status, 503);
	CU_ASSERT_FALSE(has(a, "示例"));
	CU_ASSERT_TRUE_FATAL(db_exec(b.db, "DROP TRIGGER no", NULL));
	CU_ASSERT_EQUAL(online(&r, ERR_NONE)->status, 200);
}

/* Leaks are the sanitizers' to find. */
static void a_client_that_has_gone_and_a_close_leave_nothing_behind(void)
{
	struct ecert cert = certificate_of(CERT_TYPE, "1", now_s - 60, &b.key);
	const struct body_reply r = reply_of(&cert);
	struct err none = { 0 };
	fresh();
	b.line_up = true;
	int fd = lan_box_connect(&b, NULL);
	lan_box_request(fd, "GET", PATH, b.token, NULL);
	lan_box_asked_wait(&b);
	close(fd);
	for (int i = 0; i < 5; i++)
		loop_once(b.loop, 5);
	uint64_t before = rows();
	sync_bodies_done *done = b.asked_done;
	b.asked_done = NULL;
	done(b.asked_arg, &r, &none);
	for (int i = 0; i < 5; i++)
		loop_once(b.loop, 5);
	CU_ASSERT_EQUAL(rows(), before + 1); /* it was looked at, whoever sees it */
	fd = lan_box_connect(&b, NULL);
	lan_box_request(fd, "GET", PATH, b.token, NULL);
	lan_box_asked_wait(&b);
	lan_close(b.lan);
	CU_ASSERT_EQUAL(b.forgotten, 1);
	CU_ASSERT_PTR_NULL(b.asked_done);
	close(fd);
	b.line_up = false;
}

static CU_TestInfo tests[] = {
	{ "nothing kept and no line is 503 and stands in the journal",
	  nothing_kept_and_no_line_is_503_and_stands_in_the_journal },
	{ "what central gives is shown, kept, and comes out of the cache with the line down",
	  what_central_gives_is_shown_kept_and_comes_out_of_the_cache_with_the_line_down },
	{ "one without end is kept until its consent's end", one_without_end_is_kept_until_its_consents_end },
	{ "another purpose or kind is not given what was kept for this one",
	  another_purpose_or_kind_is_not_given_what_was_kept_for_this_one },
	{ "central's no erases what is kept, its silence does not",
	  centrals_no_erases_what_is_kept_and_its_silence_does_not },
	{ "somebody else's, another kind's and a forged one are neither shown nor kept",
	  somebody_elses_another_kinds_and_a_forged_one_are_neither_shown_nor_kept },
	{ "a revoked one is said to be so and not kept", a_revoked_one_is_said_to_be_so_and_not_kept },
	{ "a file is shown only when it is what was signed", a_file_is_shown_only_when_it_is_what_was_signed },
	{ "what is missing or malformed is named", what_is_missing_or_malformed_is_named },
	{ "nothing is shown while the journal cannot be written",
	  nothing_is_shown_while_the_journal_cannot_be_written },
	{ "a client that has gone and a close leave nothing behind",
	  a_client_that_has_gone_and_a_close_leave_nothing_behind },
	CU_TEST_INFO_NULL,
};
SUITE(lan_certificate, setup, teardown, tests);
