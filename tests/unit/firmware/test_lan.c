#include "tests/support/lan_box.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ONLINE "\"verified_online\":true"

static struct lan_box b;

static void fresh(void)
{
	lan_box_open(&b, false);
}

static void done(void)
{
	lan_box_close(&b);
}

static struct lan_box_answer *post(const char *token, const char *json)
{
	return lan_box_ask(&b, "POST", "/v1/checks", token, json);
}

static bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

static uint64_t rows(void)
{
	struct record_info i;
	record_info(b.record, &i);
	return i.last;
}

static void journal_is_whole(uint64_t want)
{
	uint64_t n = 0;
	struct err e = { 0 };
	CU_ASSERT_TRUE(record_verify(b.record, &n, &e));
	CU_ASSERT_EQUAL(n, want);
}

/* The member's text as it stands in the answer. */
static void member(const char *json, const char *key, char *out, size_t size)
{
	char start[64];
	snprintf(start, sizeof(start), "\"%s\":\"", key);
	const char *at = strstr(json, start);
	out[0] = '\0';
	if (at == NULL)
		return;
	at += strlen(start);
	snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
}

static void a_check_is_answered_and_its_decision_can_be_read_again(void)
{
	char id[64], path[128];
	fresh();
	const struct lan_box_answer *made = post(b.token, lan_box_check("r-1", ONLINE));
	CU_ASSERT_EQUAL(made->status, 200);
	CU_ASSERT_TRUE(has(made->head, "Content-Type: application/json\r\n"));
	CU_ASSERT_TRUE(has(made->body, "\"outcome\":\"pass\""));
	CU_ASSERT_TRUE(has(made->body, "\"terminal\":\"kiosk-1\""));
	CU_ASSERT_FALSE(has(made->body, BOX_NUMBER));
	member(made->body, "decision_id", id, sizeof(id));
	snprintf(path, sizeof(path), "/v1/decisions/%s", id);
	const struct lan_box_answer *read = lan_box_ask(&b, "GET", path, b.other, NULL);
	CU_ASSERT_EQUAL(read->status, 200);
	CU_ASSERT_STRING_EQUAL(read->body, made->body);
	CU_ASSERT_EQUAL(b.recorded, 1);
	journal_is_whole(1);
	done();
}

static void a_hit_is_refused_and_one_not_verified_online_has_its_follow_up_in_the_journal(void)
{
	struct journal_batch batch;
	struct journal_row row;
	struct buf memory;
	fresh();
	CU_ASSERT_TRUE(has(post(b.token, lan_box_check("r-1", ""))->body, "\"outcome\":\"enhanced\""));
	CU_ASSERT_EQUAL(rows(), 2);
	b.found = LOOKUP_HIT;
	CU_ASSERT_TRUE(has(post(b.token, lan_box_check("r-2", ONLINE))->body, "\"outcome\":\"refuse\""));
	CU_ASSERT_EQUAL(rows(), 3);
	buf_init(&memory, RECORD_BATCH_BYTES);
	CU_ASSERT_TRUE_FATAL(record_batch(b.record, &batch, &memory, NULL));
	CU_ASSERT_EQUAL_FATAL(batch.rows_len, 3);
	CU_ASSERT_TRUE(journal_row_decode(batch.rows[1], &row, NULL));
	CU_ASSERT_EQUAL(row.kind, JOURNAL_FOLLOW_UP);
	CU_ASSERT_EQUAL(row.body.data[0], 0xa2);
	buf_clear(&memory);
	journal_is_whole(3);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_follow_ups_total"), 1);
	done();
}

static void what_is_malformed_is_400_by_field_and_leaves_no_row(void)
{
	static const struct {
		const char *json, *says;
	} bad[] = {
		{ "", "" },
		{ "{", "" },
		{ "[]", "" },
		{ "{}", "\"field\":\"request_id\"" },
		{ "{\"request_id\":7}", "\"field\":\"request_id\"" },
		{ "{\"request_id\":\"a\",\"request_id\":\"b\"}", "" },
		{ "{\"request_id\":\"r\",\"business\":\"open_account\",\"subject\":[]}", "\"field\":\"subject\"" },
		{ "{\"request_id\":\"r\",\"business\":\"open_account\",\"subject\":{\"kind\":\"resident_id\"}}",
		  "\"field\":\"subject.number\"" },
		{ "{\"request_id\":\"r\",\"business\":\"open_account\",\"subject\":{\"kind\":\"resident_id\","
		  "\"number\":1}}",
		  "\"field\":\"subject.number\"" },
		{ "{\"request_id\":\"r\",\"business\":\"open_account\",\"colour\":1}", "colour" },
		{ "{\"request_id\":\"r\",\"business\":\"open_account\",\"subject\":{\"kind\":\"name\",\"name\":"
		  "\"\xff\xfe\"}}",
		  "" },
		{ "{\"request_id\":\"r\",\"business\":\"open_account\",\"subject\":{\"kind\":\"name\",\"name\":"
		  "\"a\\u0000b\"}}",
		  "" },
		{ "{\"request_id\":\"%\",\"business\":\"open_account\"}", "\"field\":\"request_id\"" },
		{ "{\"request_id\":\"xb/1/#\",\"business\":\"open_account\"}", "\"field\":\"request_id\"" },
		{ "{\"request_id\":\"'; DROP TABLE journal;--\",\"business\":\"open_account\"}",
		  "\"field\":\"request_id\"" },
		{ "{\"request_id\":\"r\",\"business\":\"+/#\"}", "\"field\":\"business\"" },
	};
	fresh();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct lan_box_answer *a = post(b.token, bad[i].json);
		CU_ASSERT_EQUAL(a->status, 400);
		CU_ASSERT_TRUE(has(a->body, "\"error\":\"input\""));
		CU_ASSERT_TRUE(has(a->body, bad[i].says));
	}
	CU_ASSERT_EQUAL(rows(), 0);
	CU_ASSERT_EQUAL(post(b.token, lan_box_check("r-1", ONLINE))->status, 200);
	done();
}

static void a_body_that_is_too_big_is_413_and_the_next_request_is_served(void)
{
	static char big[HTTP_BODY_MAX + 2];
	fresh();
	memset(big, ' ', HTTP_BODY_MAX + 1);
	big[HTTP_BODY_MAX + 1] = '\0';
	CU_ASSERT_EQUAL(post(b.token, big)->status, 413);
	int fd = lan_box_connect(&b, NULL);
	lan_box_send(fd, bytes_of("POST /v1/checks HTTP/1.1\r\nHost: x\r\nContent-Length: 10485760\r\n\r\n{"));
	CU_ASSERT_EQUAL(lan_box_answer(&b, fd)->status, 413);
	close(fd);
	CU_ASSERT_EQUAL(rows(), 0);
	CU_ASSERT_EQUAL(post(b.token, lan_box_check("r-1", ONLINE))->status, 200);
	done();
}

static void an_id_is_only_ever_an_id(void)
{
	static const char *const ids[] = { "%25",
					   "%23",
					   "+",
					   "%27%20OR%201=1--",
					   "..%2f..%2fetc",
					   "0123456789abcdef0123456789abcde",
					   "0123456789ABCDEF0123456789ABCDEF",
					   "0123456789abcdef0123456789abcdef",
					   "0123456789abcdef0123456789abcdef/x",
					   "" };
	fresh();
	CU_ASSERT_EQUAL(post(b.token, lan_box_check("r-1", ONLINE))->status, 200);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		char path[128];
		snprintf(path, sizeof(path), "/v1/decisions/%s", ids[i]);
		CU_ASSERT_EQUAL(lan_box_ask(&b, "GET", path, b.token, NULL)->status, 404);
	}
	done();
}

static void without_a_valid_credential_nothing_is_answered_and_it_is_counted(void)
{
	char wrong[TERMINAL_TOKEN_LEN + 1];
	fresh();
	memset(wrong, '0', TERMINAL_TOKEN_LEN);
	wrong[TERMINAL_TOKEN_LEN] = '\0';
	const struct lan_box_answer *a = post(NULL, lan_box_check("r-1", ONLINE));
	CU_ASSERT_EQUAL(a->status, 401);
	CU_ASSERT_TRUE(has(a->head, "WWW-Authenticate: Bearer\r\n"));
	CU_ASSERT_TRUE(has(a->body, "\"error\":\"denied\""));
	CU_ASSERT_EQUAL(post(wrong, lan_box_check("r-1", ONLINE))->status, 401);
	CU_ASSERT_EQUAL(post("", lan_box_check("r-1", ONLINE))->status, 401);
	CU_ASSERT_EQUAL(post("kiosk-1", lan_box_check("r-1", ONLINE))->status, 401);
	CU_ASSERT_EQUAL(post(wrong, "{")->status, 401);
	CU_ASSERT_EQUAL(lan_box_ask(&b, "GET", "/v1/status", NULL, NULL)->status, 401);
	CU_ASSERT_EQUAL(lan_box_ask(&b, "GET", "/v1/decisions/x", wrong, NULL)->status, 401);
	CU_ASSERT_TRUE(terminal_revoke(b.terminals, "kiosk-1", 5, NULL));
	CU_ASSERT_EQUAL(post(b.token, lan_box_check("r-1", ONLINE))->status, 401);
	CU_ASSERT_EQUAL(post(b.other, lan_box_check("r-1", ONLINE))->status, 200);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_unauthorised_total"), 8);
	CU_ASSERT_EQUAL(rows(), 1);
	done();
}

static int by_card(const char *name, const char *token)
{
	char address[96];
	snprintf(address, sizeof(address), "xb-gate/%d-%u/%s", (int)getpid(), b.recorded, name);
	int fd = lan_box_connect(&b, address);
	lan_box_request(fd, "POST", "/v1/checks", token, lan_box_check("r-1", ONLINE));
	int status = lan_box_answer(&b, fd)->status;
	close(fd);
	return status;
}

static void a_certificate_stands_for_the_terminal_added_with_it_alone(void)
{
	char token[TERMINAL_TOKEN_LEN + 1];
	fresh();
	CU_ASSERT_TRUE_FATAL(terminal_add(b.terminals, "card", true, 1, &random_system, token, NULL));
	CU_ASSERT_EQUAL(by_card("kiosk-1", NULL), 401);
	CU_ASSERT_EQUAL(by_card("nobody", NULL), 401);
	CU_ASSERT_EQUAL(by_card("", NULL), 401);
	CU_ASSERT_EQUAL(by_card("card", "wrong"), 401);
	CU_ASSERT_EQUAL(by_card("card", NULL), 200);
	done();
}

static void what_is_not_there_is_404_405_or_415(void)
{
	fresh();
	CU_ASSERT_EQUAL(lan_box_ask(&b, "GET", "/", b.token, NULL)->status, 404);
	CU_ASSERT_EQUAL(lan_box_ask(&b, "GET", "/v1/checks/", b.token, NULL)->status, 404);
	CU_ASSERT_EQUAL(lan_box_ask(&b, "GET", "/v1/decisions", b.token, NULL)->status, 404);
	CU_ASSERT_EQUAL(lan_box_ask(&b, "GET", "/V1/status", b.token, NULL)->status, 404);
	CU_ASSERT_EQUAL(lan_box_ask(&b, "GET", "/healthz/", b.token, NULL)->status, 404);
	const struct lan_box_answer *a = lan_box_ask(&b, "GET", "/v1/checks", b.token, NULL);
	CU_ASSERT_EQUAL(a->status, 405);
	CU_ASSERT_TRUE(has(a->head, "Allow: POST\r\n"));
	CU_ASSERT_EQUAL(lan_box_ask(&b, "DELETE", "/v1/status", b.token, NULL)->status, 405);
	CU_ASSERT_EQUAL(lan_box_ask(&b, "POST", "/metrics", NULL, "{}")->status, 405);
	int fd = lan_box_connect(&b, NULL);
	char text[512];
	snprintf(text, sizeof(text),
		 "POST /v1/checks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: "
		 "application/jsonx\r\n"
		 "Content-Length: 2\r\n\r\n{}",
		 b.token);
	lan_box_send(fd, bytes_of(text));
	CU_ASSERT_EQUAL(lan_box_answer(&b, fd)->status, 415);
	close(fd);
	done();
}

static void a_repeated_request_gets_the_stored_answer_and_another_body_409(void)
{
	fresh();
	const struct lan_box_answer *first = post(b.token, lan_box_check("r-1", ONLINE));
	b.found = LOOKUP_HIT;
	const struct lan_box_answer *again = post(b.token, lan_box_check("r-1", ONLINE));
	CU_ASSERT_EQUAL(again->status, 200);
	CU_ASSERT_STRING_EQUAL(again->body, first->body);
	CU_ASSERT_EQUAL(rows(), 1);
	const struct lan_box_answer *other = post(b.token, lan_box_check("r-1", ""));
	CU_ASSERT_EQUAL(other->status, 409);
	CU_ASSERT_TRUE(has(other->body, "\"error\":\"conflict\""));
	CU_ASSERT_TRUE(has(other->body, "\"field\":\"request_id\""));
	const struct lan_box_answer *theirs = post(b.other, lan_box_check("r-1", ""));
	CU_ASSERT_EQUAL(theirs->status, 200);
	CU_ASSERT_TRUE(has(theirs->body, "\"outcome\":\"refuse\""));
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_check_repeats_total"), 1);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_check_conflicts_total"), 1);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_checks_total{outcome=\"pass\"}"), 1);
	done();
}

#define CLIENTS 32

/* Sends one check on each of n connections before the loop turns, so that all come in one turn. */
static void ask_at_once(int *fds, size_t n, bool same_id)
{
	for (size_t i = 0; i < n; i++)
		fds[i] = lan_box_connect(&b, NULL);
	for (int i = 0; i < 4; i++)
		loop_once(b.loop, 0); /* accepts them all */
	for (size_t i = 0; i < n; i++) {
		char id[32];
		snprintf(id, sizeof(id), "at-once-%zu", same_id ? 0 : i);
		lan_box_request(fds[i], "POST", "/v1/checks", b.token, lan_box_check(id, ONLINE));
	}
}

static size_t answered(const int *fds, size_t n, int status)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		count += lan_box_answer(&b, fds[i])->status == status;
		close(fds[i]);
	}
	return count;
}

static void duplicates_within_one_turn_are_one_decision(void)
{
	int fds[3];
	char first[64], id[64];
	fresh();
	ask_at_once(fds, 3, true);
	member(lan_box_answer(&b, fds[0])->body, "decision_id", first, sizeof(first));
	CU_ASSERT_EQUAL(strlen(first), 32);
	for (int i = 1; i < 3; i++) {
		member(lan_box_answer(&b, fds[i])->body, "decision_id", id, sizeof(id));
		CU_ASSERT_STRING_EQUAL(id, first);
	}
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	CU_ASSERT_EQUAL(rows(), 1);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_check_repeats_total"), 2);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_commits_total"), 1);
	done();
}

static void the_checks_of_one_turn_share_one_commit(void)
{
	int fds[CLIENTS];
	fresh();
	ask_at_once(fds, CLIENTS, false);
	CU_ASSERT_EQUAL(answered(fds, CLIENTS, 200), CLIENTS);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_commits_total"), 1);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_commit_checks_max"), CLIENTS);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_check_seconds_count"), CLIENTS);
	journal_is_whole(CLIENTS);
	done();
	lan_box_open(&b, true);
	ask_at_once(fds, CLIENTS, false);
	CU_ASSERT_EQUAL(answered(fds, CLIENTS, 200), CLIENTS);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_commits_total"), CLIENTS);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_commit_checks_max"), 1);
	journal_is_whole(CLIENTS);
	done();
}

static void when_the_commit_fails_the_turn_is_503_and_the_id_can_be_tried_again(void)
{
	int fds[CLIENTS];
	fresh();
	CU_ASSERT_EQUAL(post(b.token, lan_box_check("before", ONLINE))->status, 200);
	CU_ASSERT_TRUE_FATAL(db_exec(b.db, "PRAGMA query_only = ON", NULL));
	ask_at_once(fds, CLIENTS, false);
	CU_ASSERT_EQUAL(answered(fds, CLIENTS, 503), CLIENTS);
	CU_ASSERT_EQUAL(rows(), 1);
	CU_ASSERT_EQUAL(post(b.token, lan_box_check("before", ONLINE))->status, 200);
	const struct lan_box_answer *health = lan_box_ask(&b, "GET", "/healthz", NULL, NULL);
	CU_ASSERT_EQUAL(health->status, 503);
	CU_ASSERT_TRUE(has(health->body, "journal_not_writable"));
	CU_ASSERT_TRUE_FATAL(db_exec(b.db, "PRAGMA query_only = OFF", NULL));
	ask_at_once(fds, CLIENTS, false);
	CU_ASSERT_EQUAL(answered(fds, CLIENTS, 200), CLIENTS);
	CU_ASSERT_EQUAL(lan_box_ask(&b, "GET", "/healthz", NULL, NULL)->status, 200);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_commit_failures_total"), 2);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_checks_total{outcome=\"pass\"}"), CLIENTS + 1);
	journal_is_whole(CLIENTS + 1);
	done();
}

static void on_a_full_disk_nothing_is_half_there(void)
{
	int64_t pages = 0;
	char sql[64];
	uint64_t made = 0;
	int status = 200;
	fresh();
	CU_ASSERT_TRUE_FATAL(db_run_int(b.db, &pages, NULL, "PRAGMA page_count", ""));
	snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %lld", (long long)pages + 3);
	CU_ASSERT_TRUE_FATAL(db_exec(b.db, sql, NULL));
	for (int i = 0; i < 40 && status == 200; i++) {
		char id[32];
		snprintf(id, sizeof(id), "full-%d", i);
		status = post(b.token, lan_box_check(id, ""))->status;
		made += status == 200 ? 2 : 0;
	}
	CU_ASSERT_EQUAL(status, 503);
	journal_is_whole(made);
	CU_ASSERT_TRUE_FATAL(db_exec(b.db, "PRAGMA max_page_count = 100000", NULL));
	CU_ASSERT_EQUAL(post(b.token, lan_box_check("after", ""))->status, 200);
	journal_is_whole(made + 2);
	done();
}

static void a_slow_client_keeps_nobody_waiting(void)
{
	fresh();
	int slow = lan_box_connect(&b, NULL);
	lan_box_send(slow, bytes_of("POST /v1/checks HTTP/1.1\r\nHost: x\r\nContent-Le"));
	int mute = lan_box_connect(&b, NULL);
	for (int i = 0; i < 5; i++) {
		char id[16];
		snprintf(id, sizeof(id), "r-%d", i);
		CU_ASSERT_EQUAL(post(b.token, lan_box_check(id, ONLINE))->status, 200);
	}
	CU_ASSERT_EQUAL(rows(), 5);
	char part;
	int64_t until = loop_now_ms() + 5000;
	while (recv(slow, &part, 1, MSG_DONTWAIT) < 0 && loop_now_ms() < until)
		loop_once(b.loop, 50);
	CU_ASSERT_TRUE(loop_now_ms() < until);
	close(slow);
	close(mute);
	done();
}

static void who_leaves_before_the_answer_finds_it_later(void)
{
	fresh();
	int fd = lan_box_connect(&b, NULL);
	lan_box_request(fd, "POST", "/v1/checks", b.token, lan_box_check("r-1", ONLINE));
	shutdown(fd, SHUT_RDWR);
	close(fd);
	for (int i = 0; i < 10; i++)
		loop_once(b.loop, 1);
	const struct lan_box_answer *a = post(b.token, lan_box_check("r-1", ONLINE));
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_EQUAL(rows(), 1);
	done();
}

static struct lan_well well(void)
{
	struct lan_well w;
	lan_well(b.lan, &w);
	return w;
}

static void an_image_on_trial_is_told_how_the_branch_does(void)
{
	fresh();
	CU_ASSERT_TRUE(well().well && well().ready);
	CU_ASSERT_STRING_EQUAL(well().why, "");
	snprintf(b.around.locked, sizeof(b.around.locked), "it was opened");
	CU_ASSERT_TRUE(well().well && !well().ready); /* no image's fault */
	CU_ASSERT_STRING_EQUAL(well().why, "locked");
	b.around.locked[0] = '\0';
	b.around.cert_to_s -= 390 * 86400LL;
	CU_ASSERT_TRUE(well().well && well().ready); /* a warning */
	CU_ASSERT_TRUE_FATAL(db_exec(b.db, "PRAGMA query_only = ON", NULL));
	CU_ASSERT_EQUAL(post(b.token, lan_box_check("full", ONLINE))->status, 503);
	CU_ASSERT_TRUE(!well().well && !well().ready);
	CU_ASSERT_STRING_EQUAL(well().why, "journal_not_writable");
	CU_ASSERT_TRUE_FATAL(db_exec(b.db, "PRAGMA query_only = OFF", NULL));
	CU_ASSERT_EQUAL(post(b.token, lan_box_check("again", ONLINE))->status, 200);
	CU_ASSERT_TRUE(well().well);
	lan_ready(b.lan, NULL);
	CU_ASSERT_TRUE(!well().well && !well().ready);
	CU_ASSERT_STRING_EQUAL(well().why, "loading");
	done();
}

static void it_is_ready_only_when_it_can_answer(void)
{
	fresh();
	const struct lan_box_answer *a = lan_box_ask(&b, "GET", "/healthz", NULL, NULL);
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_STRING_EQUAL(a->body, "{\"ready\":true,\"reasons\":[],\"warnings\":[]}");
	b.around.cert_to_s -= 390 * 86400LL;
	a = lan_box_ask(&b, "GET", "/healthz", NULL, NULL);
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_TRUE(has(a->body, "\"warnings\":[\"certificate_ends\"]"));
	b.around.cert_to_s += 390 * 86400LL;
	b.confirmed_s -= 400 * 86400;
	a = lan_box_ask(&b, "GET", "/healthz", NULL, NULL);
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_TRUE(has(a->body, "\"warnings\":[\"list_stale:"));
	b.held = LOOKUP_NOT_COVERED;
	a = lan_box_ask(&b, "GET", "/healthz", NULL, NULL);
	CU_ASSERT_EQUAL(a->status, 503);
	CU_ASSERT_TRUE(has(a->body, "\"list_not_held:black-fraud\""));
	b.held = LOOKUP_ERROR;
	a = lan_box_ask(&b, "GET", "/healthz", NULL, NULL);
	CU_ASSERT_EQUAL(a->status, 503);
	CU_ASSERT_TRUE(has(a->body, "\"list_damaged:black-fraud\""));
	b.held = LOOKUP_NOT_LISTED;
	lan_ready(b.lan, NULL);
	a = lan_box_ask(&b, "GET", "/healthz", NULL, NULL);
	CU_ASSERT_EQUAL(a->status, 503);
	CU_ASSERT_TRUE(has(a->body, "\"loading\""));
	CU_ASSERT_EQUAL(post(b.token, lan_box_check("r-1", ONLINE))->status, 503);
	lan_ready(b.lan, &b.source);
	b.around.branch[0] = '\0';
	a = lan_box_ask(&b, "GET", "/healthz", NULL, NULL);
	CU_ASSERT_EQUAL(a->status, 503);
	CU_ASSERT_TRUE(has(a->body, "\"not_enrolled\""));
	CU_ASSERT_EQUAL(post(b.token, lan_box_check("r-1", ONLINE))->status, 503);
	CU_ASSERT_EQUAL(rows(), 0);
	done();
}

static void metrics_and_status_say_what_is_held(void)
{
	fresh();
	b.around.gate_restarts = 3;
	b.around.sync.up = true;
	b.around.sync.heads_refused = 4;
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_list_version{list=\"black-a\"}"), 42);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_list_fault{list=\"black-b\"}"), 1);
	CU_ASSERT_TRUE(lan_box_metric(&b, "xinbian_list_age_seconds{list=\"black-a\"}") >= 60);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_gate_restarts_total"), 3);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_mqtt_up"), 1);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_heads_refused_total"), 4);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_journal_backlog"), 0);
	CU_ASSERT_EQUAL(post(b.token, lan_box_check("r-1", ""))->status, 200);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_journal_backlog"), 2);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_build_info{software=\"" LAN_SOFTWARE "\"}"), 1);
	const struct lan_box_answer *a = lan_box_ask(&b, "GET", "/v1/status", b.token, NULL);
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_TRUE(has(a->body, "\"branch\":\"haidian\""));
	CU_ASSERT_TRUE(has(a->body, "\"name\":\"black-b\",\"version\":0"));
	CU_ASSERT_TRUE(has(a->body, "\"checks\":{\"pass\":0,\"enhanced\":1,\"refer\":0,\"refuse\":0}"));
	CU_ASSERT_TRUE(has(a->body, "\"update\":null"));
	b.around.update.status = (struct status_update){ .state = UPDATE_REFUSED,
							 .slot_b = true,
							 .version = 3,
							 .wanted = 4,
							 .failed = 4,
							 .fault = "it fell back" };
	a = lan_box_ask(&b, "GET", "/v1/status", b.token, NULL);
	CU_ASSERT_TRUE(has(a->body,
			   "\"update\":{\"state\":\"refused\",\"slot\":\"b\",\"version\":3,\"wanted\":4,\"failed\":4,"
			   "\"fault\":\"it fell back\""));
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_update_failed_version"), 4);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_update_state{state=\"refused\"}"), 1);
	CU_ASSERT_EQUAL(lan_box_metric(&b, "xinbian_update_state{state=\"trial\"}"), 0);
	done();
}

static CU_TestInfo tests[] = {
	{ "a check is answered and its decision can be read again",
	  a_check_is_answered_and_its_decision_can_be_read_again },
	{ "a hit is refused, and one not verified online has its follow-up in the journal",
	  a_hit_is_refused_and_one_not_verified_online_has_its_follow_up_in_the_journal },
	{ "what is malformed is 400 by field and leaves no row",
	  what_is_malformed_is_400_by_field_and_leaves_no_row },
	{ "a body that is too big is 413 and the next request is served",
	  a_body_that_is_too_big_is_413_and_the_next_request_is_served },
	{ "an id is only ever an id", an_id_is_only_ever_an_id },
	{ "without a valid credential nothing is answered, and it is counted",
	  without_a_valid_credential_nothing_is_answered_and_it_is_counted },
	{ "a certificate stands for the terminal added with it alone",
	  a_certificate_stands_for_the_terminal_added_with_it_alone },
	{ "what is not there is 404, 405 or 415", what_is_not_there_is_404_405_or_415 },
	{ "a repeated request gets the stored answer, and another body 409",
	  a_repeated_request_gets_the_stored_answer_and_another_body_409 },
	{ "duplicates within one turn are one decision", duplicates_within_one_turn_are_one_decision },
	{ "the checks of one turn share one commit", the_checks_of_one_turn_share_one_commit },
	{ "when the commit fails the turn is 503, and the id can be tried again",
	  when_the_commit_fails_the_turn_is_503_and_the_id_can_be_tried_again },
	{ "on a full disk nothing is half there", on_a_full_disk_nothing_is_half_there },
	{ "a slow client keeps nobody waiting", a_slow_client_keeps_nobody_waiting },
	{ "who leaves before the answer finds it later", who_leaves_before_the_answer_finds_it_later },
	{ "an image on trial is told how the branch does", an_image_on_trial_is_told_how_the_branch_does },
	{ "it is ready only when it can answer", it_is_ready_only_when_it_can_answer },
	{ "metrics and status say what is held", metrics_and_status_say_what_is_held },
	CU_TEST_INFO_NULL,
};
SUITE(lan, NULL, NULL, tests);
