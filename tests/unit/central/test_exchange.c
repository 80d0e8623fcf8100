/* Contracts with platforms: recorded requests and answers, replayed without a socket. */
#include "central/exchange/line.h"
#include "central/score/scores.h"
#include "protocol/base/file.h"
#include "tests/support/cards.h"
#include "tests/support/department.h"
#include "tests/support/identity.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW     CENTRE_NOW_S
#define SOMEONE "330802185001010013" /* nobody's */
#define DOWN    NULL                 /* the connection breaks after the request was sent */

static struct err err;
static struct exchange_line *line;
static int64_t now_s;
static char sent[65536], to[NAME_MAX_LEN + 1];
static bool open_now, can_send;
static struct identity ca;

static bool send_stub(void *arg, const char *name, struct bytes request, struct err *e)
{
	(void)arg;
	if (!can_send)
		return err_set(e, ERR_IO, "gate is down");
	CU_ASSERT_FALSE(open_now);
	open_now = true;
	snprintf(to, sizeof(to), "%s", name);
	snprintf(sent, sizeof(sent), "%.*s", (int)request.len, (const char *)request.data);
	return true;
}

static void line_reopen(void)
{
	exchange_line_free(line);
	struct exchange_line_config c = { .release = department, .send = send_stub };
	line = exchange_line_new(&c);
	open_now = false;
}

static void setup(void)
{
	char path[128];
	department_open();
	if (ca.cert.len == 0)
		identity_ca(&ca, "Platform CA");
	identity_store(&ca, centre.dir, "p");
	snprintf(path, sizeof(path), "%s/agreed.key", centre.dir);
	CU_ASSERT_TRUE_FATAL(file_write(
		path, bytes_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"), 0600, &err));
	now_s = NOW;
	line = NULL;
	can_send = true;
	line_reopen();
}

static void teardown(void)
{
	exchange_line_free(line);
	department_close();
}

static struct exchange platform(enum exchange_kind kind)
{
	struct exchange x = { .name = "province",
			      .url = "https://exchange.example:8443/v1/in",
			      .certificate = "p.crt",
			      .key = "p.key",
			      .ca = "p.crt",
			      .direction = kind == EXCHANGE_RECORDS ? EXCHANGE_PULL : EXCHANGE_PUSH,
			      .kind = kind };
	if (kind == EXCHANGE_SCORES) {
		snprintf(x.what, sizeof(x.what), "personal");
		x.subject = EXCHANGE_SUBJECT_HASH;
		snprintf(x.subject_key, sizeof(x.subject_key), "agreed.key");
	}
	if (kind == EXCHANGE_RECORDS)
		snprintf(x.what, sizeof(x.what), "tax-revenue");
	return x;
}

static void platform_add(enum exchange_kind kind)
{
	struct exchange x = platform(kind);
	bool ok = exchange_add(department, centre.dir, &x, "alice", now_s, &err);
	if (!ok)
		printf("\n    %s", err.text);
	CU_ASSERT_TRUE_FATAL(ok);
}

static struct exchange platform_now(void)
{
	struct exchange x = { 0 };
	CU_ASSERT_TRUE(exchange_load(department, "province", &x, &err));
	return x;
}

static struct exchange_counts counts(void)
{
	struct exchange_counts n = { 0 };
	CU_ASSERT_TRUE(exchange_count(department, "province", &n, &err));
	return n;
}

static bool counts_are(int64_t waiting, int64_t taken, int64_t dead)
{
	struct exchange_counts n = counts();
	bool same = n.waiting == waiting && n.taken == taken && n.dead == dead;
	if (!same)
		printf("\n    waiting %lld taken %lld dead %lld", (long long)n.waiting, (long long)n.taken,
		       (long long)n.dead);
	return same;
}

static int64_t push(void)
{
	struct exchange_pushed p = { 0 };
	CU_ASSERT_TRUE(exchange_push(department, centre.dir, "province", "alice", now_s, &p, &err));
	return p.queued;
}

/* Steps; true when a request left. */
static bool leaves(void)
{
	sent[0] = '\0';
	exchange_line_step(line, now_s);
	return open_now;
}

/* The platform's answer as it came over the wire. */
static void answers(const char *text)
{
	struct http_answer a;
	struct err why = { 0 };
	http_answer_init(&a, EXCHANGE_PAGE_MAX);
	open_now = false;
	enum http_answer_step step = http_answer_read(bytes_of(text != DOWN ? text : ""), true, &a, &why);
	exchange_line_answered(line, to, step == HTTP_ANSWER_WHOLE ? &a : NULL, &why, now_s);
	http_answer_clear(&a);
}

static void answers_with(int status, const char *headers, const char *body)
{
	char text[8192];
	snprintf(text, sizeof(text), "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers,
		 strlen(body), body);
	answers(text);
}

/* The key of the n-th line of what was sent. */
static const char *key_sent(int n)
{
	static char key[96];
	const char *at = strstr(sent, "\r\n\r\n");
	for (int i = 0; at != NULL && i <= n; i++) {
		at = strstr(at, "{\"key\":\"");
		at = at != NULL ? at + 8 : NULL;
	}
	snprintf(key, sizeof(key), "%.*s", at != NULL ? (int)strcspn(at, "\"") : 0, at != NULL ? at : "");
	return key;
}

static char *results(char *out, size_t size, int n, const int *status)
{
	out[0] = '\0';
	for (int i = 0; i < n; i++)
		snprintf(out + strlen(out), size - strlen(out),
			 "{\"key\":\"%s\",\"status\":%d,\"error\":\"why %d\"}\n", key_sent(i), status[i], i);
	return out;
}

static void lists_publish(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		centre_publish_list(&centre, 1 + i, 10);
}

/* --- out --- */

static void a_release_leaves_as_it_was_recorded(void)
{
	char want[4000], key[96];
	lists_publish(1);
	platform_add(EXCHANGE_RELEASES);
	CU_ASSERT_FALSE(leaves());
	CU_ASSERT_EQUAL(push(), 1);
	CU_ASSERT_TRUE_FATAL(leaves());
	snprintf(key, sizeof(key), "%s", key_sent(0));
	CU_ASSERT_EQUAL(strncmp(key, "black-test-1-", 13), 0);
	CU_ASSERT_EQUAL(strlen(key), 13 + 32);
	const char *hex = strstr(sent, "Idempotency-Key: \""), *content = strstr(sent, "\"content\":\"");
	CU_ASSERT_TRUE_FATAL(hex != NULL && content != NULL);
	snprintf(want, sizeof(want),
		 "POST /v1/in HTTP/1.1\r\nHost: exchange.example:8443\r\nConnection: close\r\nAccept: "
		 "application/x-ndjson\r\nContent-Type: application/x-ndjson\r\nIdempotency-Key: \"%.64s\"\r\n"
		 "Content-Length: "
		 "%zu\r\n\r\n{\"key\":\"%s\",\"kind\":\"release\",\"list\":\"black-test\",\"version\":1,"
		 "\"entries\":11,\"added\":11,\"removed\":0,\"changed\":0,\"published_s\":1795500000,\"content\":\"%."
		 "64s\"}\n",
		 hex + 18, strlen(strstr(sent, "\r\n\r\n")) - 4, key, content + 11);
	CU_ASSERT_STRING_EQUAL(sent, want);
	answers_with(200, "", "");
	CU_ASSERT_TRUE(counts_are(1, 0, 0));
	CU_ASSERT_STRING_EQUAL(platform_now().fault, "1 records are to be sent again");
}

static void what_was_taken_is_not_sent_again(void)
{
	lists_publish(2);
	platform_add(EXCHANGE_RELEASES);
	CU_ASSERT_EQUAL(push(), 2);
	CU_ASSERT_TRUE(leaves());
	answers("HTTP/1.1 204 No Content\r\n\r\n");
	CU_ASSERT_TRUE(counts_are(0, 2, 0));
	CU_ASSERT_EQUAL(platform_now().ok_s, now_s);
	CU_ASSERT_EQUAL(push(), 0);
	CU_ASSERT_FALSE(leaves());
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT count(*) FROM exchange_out WHERE body <> ''"), 0);
}

static void a_broken_line_is_followed_by_the_same_bytes(void)
{
	static char first[65536];
	char text[1000];
	lists_publish(2);
	platform_add(EXCHANGE_RELEASES);
	push();
	CU_ASSERT_TRUE(leaves());
	snprintf(first, sizeof(first), "%s", sent);
	answers(DOWN);
	CU_ASSERT_PTR_NOT_NULL(strstr(platform_now().fault, "the connection ended before the answer"));
	lists_publish(1);
	push();
	CU_ASSERT_FALSE(leaves());
	line_reopen(); /* centrald starts again */
	now_s += 5;
	CU_ASSERT_TRUE(leaves());
	CU_ASSERT_STRING_EQUAL(sent, first);
	answers_with(200, "", results(text, sizeof(text), 2, (const int[]){ 200, 201 }));
	CU_ASSERT_TRUE(counts_are(1, 2, 0));
	CU_ASSERT_TRUE(leaves());
	CU_ASSERT_STRING_NOT_EQUAL(sent, first);
}

static void a_platform_that_asks_for_time_gets_it(void)
{
	static const struct {
		int status;
		const char *header;
		int64_t least;
	} cases[] = { { 429, "Retry-After: 90\r\n", 90 },
		      { 503, "Retry-After: Tue, 24 Nov 2026 07:22:30 GMT\r\n", 0 },
		      { 503, "", 3 } };
	lists_publish(1);
	platform_add(EXCHANGE_RELEASES);
	push();
	CU_ASSERT_TRUE(leaves());
	answers_with(cases[0].status, cases[0].header, "slow down");
	CU_ASSERT_EQUAL(platform_now().next_s, now_s + 90);
	CU_ASSERT_STRING_EQUAL(platform_now().fault, "HTTP 429");
	now_s += 89;
	CU_ASSERT_FALSE(leaves());
	now_s++;
	CU_ASSERT_TRUE(leaves());
	answers_with(cases[2].status, cases[2].header, "");
	CU_ASSERT_TRUE(platform_now().next_s >= now_s + 5 && platform_now().next_s <= now_s + 10);
	now_s += 10;
	CU_ASSERT_TRUE(leaves());
	answers("HTTP/1.1 204 X\r\n\r\n");
	CU_ASSERT_TRUE(counts_are(0, 1, 0));
	CU_ASSERT_EQUAL(platform_now().tries, 0);
}

static void one_refused_record_is_dead_and_the_others_go_on(void)
{
	char text[1000];
	lists_publish(3);
	platform_add(EXCHANGE_RELEASES);
	push();
	CU_ASSERT_TRUE(leaves());
	answers_with(200, "", results(text, sizeof(text), 3, (const int[]){ 201, 422, 503 }));
	CU_ASSERT_TRUE(counts_are(1, 1, 1));
	CU_ASSERT_EQUAL(
		centre_count(&centre, "SELECT count(*) FROM exchange_out WHERE state = 3 AND fault = '422 why 1'"),
		1);
	now_s += 5;
	CU_ASSERT_TRUE(leaves());
	CU_ASSERT_EQUAL(strncmp(key_sent(0), "black-test-3-", 13), 0);
	answers_with(200, "", results(text, sizeof(text), 1, (const int[]){ 200 }));
	CU_ASSERT_TRUE(counts_are(0, 2, 1));
	CU_ASSERT_FALSE(leaves());
}

static void a_batch_refused_whole_is_halved_until_the_record_is_found(void)
{
	lists_publish(4);
	platform_add(EXCHANGE_RELEASES);
	push();
	for (int i = 0; i < 10 && leaves(); i++) {
		if (strstr(sent, "\"version\":3,") != NULL)
			answers_with(400, "", "no");
		else
			answers("HTTP/1.1 204 X\r\n\r\n");
	}
	CU_ASSERT_TRUE(counts_are(0, 3, 1));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT count(*) FROM exchange_out WHERE state = 3 AND key LIKE "
					      "'black-test-3-%' AND fault LIKE 'HTTP 400%'"),
			1);
}

static void an_answer_that_is_no_ndjson_settles_nothing(void)
{
	char text[1000];
	lists_publish(2);
	platform_add(EXCHANGE_RELEASES);
	push();
	CU_ASSERT_TRUE(leaves());
	answers_with(200, "", "<html>welcome</html>");
	CU_ASSERT_TRUE(counts_are(2, 0, 0));
	CU_ASSERT_PTR_NOT_NULL(strstr(platform_now().fault, "no NDJSON"));
	now_s += 5;
	CU_ASSERT_TRUE(leaves());
	results(text, sizeof(text), 2, (const int[]){ 200, 200 });
	text[strlen(text) - 20] = '\0'; /* cut in its second line */
	answers_with(200, "", text);
	CU_ASSERT_TRUE(counts_are(1, 1, 0));
	now_s += 20;
	CU_ASSERT_TRUE(leaves());
	answers_with(200, "", "{\"key\":\"somebody-else-s\",\"status\":200}\n");
	CU_ASSERT_TRUE(counts_are(1, 1, 0));
}

static void a_platform_s_words_are_one_clean_line(void)
{
	char text[1000];
	lists_publish(1);
	platform_add(EXCHANGE_RELEASES);
	push();
	CU_ASSERT_TRUE(leaves());
	snprintf(text, sizeof(text), "{\"key\":\"%s\",\"status\":400,\"error\":\"a\\u001b[2Jb\\nc", key_sent(0));
	for (int i = 0; i < 60; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "错");
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "\"}\n");
	answers_with(200, "", text);
	CU_ASSERT_EQUAL(
		centre_count(&centre, "SELECT count(*) FROM exchange_out WHERE fault LIKE '400 a [2Jb c错%错'"), 1);
	/* "400 ", eight bytes, and 50 characters of three where 152 bytes were left */
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT length(CAST(fault AS BLOB)) FROM exchange_out"), 4 + 8 + 150);
}

static unsigned dead_seen;

static void dead_note(void *arg, int64_t id, const char *key, int64_t tries, const char *fault, int64_t made_s)
{
	(void)arg, (void)id;
	dead_seen++;
	CU_ASSERT_EQUAL(strncmp(key, "black-test-1-", 13), 0);
	CU_ASSERT_EQUAL(tries, EXCHANGE_TRIES);
	CU_ASSERT_STRING_EQUAL(fault, "gate is down");
	CU_ASSERT_EQUAL(made_s, NOW);
}

static void a_record_tried_too_often_is_dead_until_an_operator_requeues_it(void)
{
	int64_t n = 0;
	lists_publish(1);
	platform_add(EXCHANGE_RELEASES);
	push();
	can_send = false;
	for (int i = 0; i < EXCHANGE_TRIES; i++) {
		CU_ASSERT_TRUE(counts_are(1, 0, 0));
		leaves();
		now_s += 3600;
	}
	CU_ASSERT_TRUE(counts_are(0, 0, 1));
	dead_seen = 0;
	CU_ASSERT_TRUE(exchange_dead_each(department, "province", 10, dead_note, NULL, &err));
	CU_ASSERT_EQUAL(dead_seen, 1);
	CU_ASSERT_FALSE(exchange_requeue(department, "province", 999, "alice", now_s, &n, &err));
	CU_ASSERT_EQUAL(err.code, ERR_MISSING);
	CU_ASSERT_TRUE(exchange_requeue(department, "province", 0, "alice", now_s, &n, &err));
	CU_ASSERT_EQUAL(n, 1);
	can_send = true;
	CU_ASSERT_TRUE(leaves());
	answers("HTTP/1.1 204 X\r\n\r\n");
	CU_ASSERT_TRUE(counts_are(0, 1, 0));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT count(*) FROM audit WHERE what = 'exchange.requeue'"), 1);
}

static void waits_double_up_to_an_hour_and_differ(void)
{
	static const int64_t most[] = { 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600 };
	unsigned differ = 0;
	for (int64_t i = 0; i < 12; i++) {
		int64_t first = exchange_wait_s(&random_system, i + 1);
		for (int k = 0; k < 20; k++) {
			int64_t wait = exchange_wait_s(&random_system, i + 1);
			CU_ASSERT_TRUE(wait <= most[i] && wait >= most[i] - most[i] / 2);
			differ += wait != first;
		}
	}
	CU_ASSERT_TRUE(differ > 50);
}

/* --- whose --- */

static void score(void)
{
	char hash[MODEL_HEX + 1];
	struct scores_summary s;
	const struct scores_run r = { "personal", "alice", IDENTIFIER_RESIDENT_ID, 20000, NOW };
	const char *model =
		card_pmml("<DataField name='age' optype='continuous' dataType='integer'/>", "initialScore='100'",
			  "<MiningField name='age' missingValueReplacement='40'/>",
			  "<Characteristic name='age' reasonCode='AGE' baselineScore='9'><Attribute partialScore='2'>"
			  "<SimplePredicate field='age' operator='lessThan' value='30'/></Attribute><Attribute "
			  "partialScore='9'><True/></Attribute></Characteristic>");
	CU_ASSERT_TRUE_FATAL(card_crown(department, "personal", bytes_of(model), NOW, hash, &err));
	CU_ASSERT_TRUE_FATAL(
		scores_run(department, &r, bytes_of("subject,age\n" SOMEONE ",25\n" SOMEONE ",35\n"), &s, &err));
}

static void a_score_names_its_subject_by_the_agreed_hash(void)
{
	score();
	platform_add(EXCHANGE_SCORES);
	CU_ASSERT_EQUAL(push(), 2);
	CU_ASSERT_EQUAL(push(), 0);
	CU_ASSERT_TRUE(leaves());
	CU_ASSERT_PTR_NULL(strstr(sent, "330802"));
	CU_ASSERT_PTR_NOT_NULL(strstr(sent, "\"kind\":\"score\",\"family\":\"personal\",\"model\":\""));
	/* HMAC-SHA-256 of "resident_id:330802185001010013" under 00 01 … 1f, made elsewhere */
	CU_ASSERT_PTR_NOT_NULL(
		strstr(sent, "\"subject_kind\":\"resident_id\",\"subject_hash\":\""
			     "4e48e3c6e4d912454fb97850acf1fb72e5fb73e326c0968ab951bdd11b2b59ec"
			     "\",\"score\":\"102\",\"oldest_input\":\"2024-10-04\",\"scored_s\":1795500000}\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(sent, "\"score\":\"109\""));
}

static void a_score_sealed_to_the_platform_is_opened_by_its_key_alone(void)
{
	uint8_t scalar[SCALAR_LEN], point[POINT_LEN];
	struct exchange x = platform(EXCHANGE_SCORES);
	struct buf sealed, plain;
	score();
	x.subject = EXCHANGE_SUBJECT_SEALED;
	snprintf(x.subject_key, sizeof(x.subject_key), "p.crt");
	CU_ASSERT_TRUE_FATAL(exchange_add(department, centre.dir, &x, "alice", now_s, &err));
	push();
	CU_ASSERT_TRUE(leaves());
	CU_ASSERT_PTR_NULL(strstr(sent, "330802"));
	const char *at = strstr(sent, "\"subject_sealed\":\"");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	at += strlen("\"subject_sealed\":\"");
	buf_init(&sealed, 1024);
	buf_init(&plain, 1024);
	CU_ASSERT_TRUE(base64_decode((struct bytes){ (const uint8_t *)at, strcspn(at, "\"") }, &sealed, &err));
	CU_ASSERT_TRUE(pki_key_raw(buf_bytes(&ca.key), scalar, point, &err));
	CU_ASSERT_TRUE(seal_open(scalar, point, bytes_of("xb/1/exchange"), buf_bytes(&sealed), &plain, &err));
	CU_ASSERT_STRING_EQUAL(buf_str(&plain), "resident_id:" SOMEONE);
	buf_clear(&sealed);
	buf_clear(&plain);
}

/* --- in --- */

static char code1[19], code2[19];

static void pull(const char *period)
{
	department_uscc(1, code1);
	department_uscc(2, code2);
	CU_ASSERT_TRUE_FATAL(exchange_pull(department, "province", period, "alice", now_s, &err));
}

static const char *record(const char *code, int revenue)
{
	static char text[2][300];
	static int next;
	char *out = text[next++ % 2];
	snprintf(out, 300, "{\"uscc\":\"%s\",\"month\":\"2026-10\",\"revenue\":%d}\n", code, revenue);
	return out;
}

static void page(const char *code, int revenue, const char *tail)
{
	char body[1000];
	snprintf(body, sizeof(body), "%s%s\n", record(code, revenue), tail);
	answers_with(200, "Content-Type: application/x-ndjson\r\n", body);
}

#define BATCHES                                                                                                      \
	"SELECT count(*) FROM batch WHERE source = 'tax-revenue' AND period = '2026-10' AND state = 4 AND accepted " \
	"= "

static void pages_become_one_batch_of_the_source(void)
{
	platform_add(EXCHANGE_RECORDS);
	CU_ASSERT_FALSE(leaves());
	pull("2026-10");
	CU_ASSERT_TRUE_FATAL(leaves());
	CU_ASSERT_STRING_EQUAL(
		sent, "GET /v1/in?period=2026-10&limit=1000 HTTP/1.1\r\nHost: exchange.example:8443\r\nConnection: "
		      "close\r\nAccept: application/x-ndjson\r\n\r\n");
	page(code1, 10, "{\"records\":1,\"more\":true,\"cursor\":\"a=1&b\"}");
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT count(*) FROM batch"), 0);
	line_reopen();
	CU_ASSERT_TRUE_FATAL(leaves());
	CU_ASSERT_PTR_NOT_NULL(strstr(sent, "GET /v1/in?period=2026-10&limit=1000&cursor=a%3D1%26b HTTP/1.1\r\n"));
	page(code2, 20, "{\"records\":1,\"more\":false}");
	CU_ASSERT_EQUAL(centre_count(&centre, BATCHES "2"), 1);
	CU_ASSERT_STRING_EQUAL(platform_now().fault, "");
	CU_ASSERT_STRING_EQUAL(platform_now().period, "");
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT count(*) FROM exchange_page"), 0);
	CU_ASSERT_FALSE(leaves());
	pull("2026-10"); /* the same once more is the same batch */
	CU_ASSERT_TRUE(leaves());
	page(code1, 10, "{\"records\":1,\"more\":true,\"cursor\":\"x\"}");
	CU_ASSERT_TRUE(leaves());
	page(code2, 20, "{\"records\":1,\"more\":false}");
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT count(*) FROM batch"), 1);
}

static void a_page_that_was_cut_is_asked_for_again(void)
{
	char text[1000];
	platform_add(EXCHANGE_RECORDS);
	pull("2026-10");
	CU_ASSERT_TRUE(leaves());
	page(code1, 10, "{\"records\":1,\"more\":true,\"cursor\":\"2\"}");
	const char *cuts[] = { "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"a\":1}\n{\"rec",
			       "HTTP/1.1 200 OK\r\n\r\n{\"a\":\"1\"}\n{\"a\":\"2\"}\n",
			       "HTTP/1.1 200 OK\r\n\r\n",
			       "HTTP/1.1 200 OK\r\n\r\n<html></html>\n",
			       "HTTP/1.1 200 OK\r\n\r\n{\"a\":\"1\"}\n{\"records\":2,\"more\":false}\n",
			       "HTTP/1.1 200 OK\r\n\r\n{\"records\":0,\"more\":true,\"cursor\":\"2\"}\n",
			       "HTTP/1.1 500 No\r\n\r\n",
			       DOWN };
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		CU_ASSERT_TRUE(leaves());
		CU_ASSERT_PTR_NOT_NULL(strstr(sent, "&cursor=2 "));
		answers(cuts[i]);
		CU_ASSERT_STRING_NOT_EQUAL(platform_now().fault, "");
		CU_ASSERT_EQUAL(platform_now().tries, (int64_t)i + 1);
		CU_ASSERT_EQUAL(centre_count(&centre, "SELECT count(*) FROM exchange_page"), 1);
		CU_ASSERT_FALSE(leaves());
		now_s += 3600;
	}
	CU_ASSERT_TRUE(leaves());
	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n\r\n%s{\"records\":1,\"more\":false}", record(code2, 20));
	answers(text);
	CU_ASSERT_EQUAL(centre_count(&centre, BATCHES "2"), 1);
}

static void an_answer_to_a_period_that_nobody_wants_any_more_is_dropped(void)
{
	platform_add(EXCHANGE_RECORDS);
	pull("2026-09");
	CU_ASSERT_TRUE(leaves());
	pull("2026-10"); /* while that is under way */
	page(code1, 10, "{\"records\":1,\"more\":true,\"cursor\":\"9\"}");
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT count(*) FROM exchange_page"), 0);
	CU_ASSERT_TRUE(leaves());
	CU_ASSERT_PTR_NOT_NULL(strstr(sent, "period=2026-10&limit=1000 HTTP"));
	page(code2, 10, "{\"records\":1,\"more\":false}");
	CU_ASSERT_EQUAL(centre_count(&centre, BATCHES "1"), 1);
}

static void a_period_that_is_too_large_ends_the_pull(void)
{
	platform_add(EXCHANGE_RECORDS);
	pull("2026-10");
	CU_ASSERT_TRUE(leaves());
	page(code1, 10, "{\"records\":1,\"more\":true,\"cursor\":\"2\"}");
	CU_ASSERT_TRUE(db_exec(centre.db, "UPDATE exchange_page SET sealed = zeroblob(16777216)", &err));
	CU_ASSERT_TRUE(leaves());
	page(code2, 10, "{\"records\":1,\"more\":true,\"cursor\":\"3\"}");
	CU_ASSERT_PTR_NOT_NULL(strstr(platform_now().fault, "more than 16 MiB of one period"));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT count(*) FROM exchange_page"), 0);
	CU_ASSERT_FALSE(leaves());
}

static void pages_that_wait_are_sealed(void)
{
	char path[128];
	struct buf file;
	platform_add(EXCHANGE_RECORDS);
	pull("2026-10");
	CU_ASSERT_TRUE(leaves());
	page(code1, 10, "{\"records\":1,\"more\":true,\"cursor\":\"2\"}");
	CU_ASSERT_TRUE(db_exec(centre.db, "PRAGMA wal_checkpoint(TRUNCATE)", &err));
	snprintf(path, sizeof(path), "%s/central.db", centre.dir);
	buf_init(&file, 1 << 26);
	CU_ASSERT_TRUE_FATAL(file_read(path, &file, &err));
	CU_ASSERT_PTR_NULL(memmem(file.data, file.len, code1, 18));
	buf_clear(&file);
}

static void what_cannot_land_ends_the_pull_and_says_why(void)
{
	platform_add(EXCHANGE_RECORDS);
	pull("2026-10-31"); /* the source comes monthly */
	CU_ASSERT_TRUE(leaves());
	page(code1, 10, "{\"records\":1,\"more\":false}");
	CU_ASSERT_PTR_NOT_NULL(strstr(platform_now().fault, "period: tax-revenue comes"));
	CU_ASSERT_FALSE(leaves());
	pull("2026-10");
	CU_ASSERT_TRUE(leaves());
	page(code1, 10, "{\"records\":1,\"more\":false}");
	CU_ASSERT_EQUAL(centre_count(&centre, BATCHES "1"), 1);
}

/* --- rows --- */

static void refused(struct exchange x, const char *words)
{
	CU_ASSERT_FALSE(exchange_add(department, centre.dir, &x, "alice", now_s, &err));
	if (strstr(err.text, words) == NULL)
		printf("\n    wanted '%s', got '%s'", words, err.text);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
}

static void a_platform_that_cannot_work_is_refused_when_it_is_added(void)
{
	static const char *const urls[] = { "http://a.example/",     "https://",
					    "https://a.example:0/",  "https://a.example:99999/",
					    "https://A.example/",    "https://a b/",
					    "https://a.example/x y", "https://a.example?q",
					    "https://u@a.example/" };
	struct exchange x = platform(EXCHANGE_RELEASES);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		snprintf(x.url, sizeof(x.url), "%s", urls[i]);
		refused(x, "url: ");
	}
	x = platform(EXCHANGE_RELEASES);
	snprintf(x.key, sizeof(x.key), "p.crt");
	refused(x, "p.crt: ");
	x = platform(EXCHANGE_SCORES);
	x.subject = EXCHANGE_SUBJECT_NONE;
	refused(x, "by hash or sealed");
	x = platform(EXCHANGE_SCORES);
	snprintf(x.subject_key, sizeof(x.subject_key), "p.crt");
	refused(x, "expected 64 lower-case hexadecimal digits");
	x = platform(EXCHANGE_RECORDS);
	snprintf(x.what, sizeof(x.what), "no-such");
	refused(x, "there is no source 'no-such'");
	x.direction = EXCHANGE_PUSH;
	refused(x, "kind: records cannot be pushed");
	platform_add(EXCHANGE_RELEASES);
	refused(platform(EXCHANGE_RELEASES), "that name is or was in use");
	CU_ASSERT_TRUE(exchange_end(department, "province", "alice", now_s, &err));
	refused(platform(EXCHANGE_RELEASES), "that name is or was in use");
	CU_ASSERT_FALSE(exchange_end(department, "province", "alice", now_s, &err));
	CU_ASSERT_EQUAL(err.code, ERR_MISSING);
}

static CU_TestInfo tests[] = {
	{ "a release leaves as it was recorded", a_release_leaves_as_it_was_recorded },
	{ "what was taken is not sent again", what_was_taken_is_not_sent_again },
	{ "a broken line is followed by the same bytes", a_broken_line_is_followed_by_the_same_bytes },
	{ "a platform that asks for time gets it", a_platform_that_asks_for_time_gets_it },
	{ "one refused record is dead and the others go on", one_refused_record_is_dead_and_the_others_go_on },
	{ "a batch refused whole is halved until the record is found",
	  a_batch_refused_whole_is_halved_until_the_record_is_found },
	{ "an answer that is no NDJSON settles nothing", an_answer_that_is_no_ndjson_settles_nothing },
	{ "a platform's words are one clean line", a_platform_s_words_are_one_clean_line },
	{ "a record tried too often is dead until an operator requeues it",
	  a_record_tried_too_often_is_dead_until_an_operator_requeues_it },
	{ "waits double up to an hour and differ", waits_double_up_to_an_hour_and_differ },
	{ "a score names its subject by the agreed hash", a_score_names_its_subject_by_the_agreed_hash },
	{ "a score sealed to the platform is opened by its key alone",
	  a_score_sealed_to_the_platform_is_opened_by_its_key_alone },
	{ "pages become one batch of the source", pages_become_one_batch_of_the_source },
	{ "a page that was cut is asked for again", a_page_that_was_cut_is_asked_for_again },
	{ "an answer to a period that nobody wants any more is dropped",
	  an_answer_to_a_period_that_nobody_wants_any_more_is_dropped },
	{ "a period that is too large ends the pull", a_period_that_is_too_large_ends_the_pull },
	{ "pages that wait are sealed", pages_that_wait_are_sealed },
	{ "what cannot land ends the pull and says why", what_cannot_land_ends_the_pull_and_says_why },
	{ "a platform that cannot work is refused when it is added",
	  a_platform_that_cannot_work_is_refused_when_it_is_added },
	CU_TEST_INFO_NULL,
};
SUITE(exchange, setup, teardown, tests);
