/* The operators' API of branches, journals and decisions, over its socket. */
#include "central/api/api.h"
#include "central/branch/branches.h"
#include "central/centrald.h"
#include "central/init.h"
#include "central/branch/journals.h"
#include "central/signer/signer.h"
#include "protocol/base/file.h"
#include "protocol/base/json.h"
#include "tests/support/centre.h"
#include "tests/test.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct desk {
	struct centre centre;
	struct central central;
	struct loop *loop;
	struct api *api;
	char path[96], token[128];
};

static struct desk *desk;

static bool line_none(void *arg, const char *topic, struct bytes payload, bool retain, uint32_t expiry_s,
		      struct err *e)
{
	(void)arg, (void)topic, (void)payload, (void)retain, (void)expiry_s;
	return err_set(e, ERR_IO, "down");
}

static void on_ready(void *arg, const char *how)
{
	(void)arg, (void)how;
}

/* The answer's JSON and its status; a process of its own asks. Release with json_free. */
static struct json *ask(const char *method, const char *path, const char *token, int *status)
{
	char file[128], headers[200] = "";
	struct buf text;
	int ended = 0;
	snprintf(file, sizeof(file), "%s/answer", desk->centre.dir);
	if (token != NULL)
		snprintf(headers, sizeof(headers), "Authorization: Bearer %s\r\n", token);
	pid_t pid = fork();
	assert(pid >= 0);
	if (pid == 0) {
		struct buf out;
		int got = 0;
		buf_init(&out, 1 << 20);
		bool ok = http_call(desk->path, method, path, headers, (struct bytes){ NULL, 0 }, 10000, &got, &out,
				    NULL) &&
			  file_write(file, buf_bytes(&out), 0600, NULL);
		_exit(ok ? got / 100 * 10 + got % 100 : 1); /* 404 → 44, 409 → 49 */
	}
	for (int i = 0; i < 1000 && waitpid(pid, &ended, WNOHANG) == 0; i++)
		loop_once(desk->loop, 10);
	*status = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
	buf_init(&text, 1 << 20);
	struct json *j = file_read(file, &text, NULL) ? json_parse(buf_bytes(&text), NULL) : NULL;
	buf_clear(&text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(j);
	return j;
}

static struct json *get(const char *path)
{
	int status = 0;
	struct json *j = ask("GET", path, NULL, &status);
	CU_ASSERT_EQUAL(status, 20);
	return j;
}

static int status_of(const char *method, const char *path, const char *token)
{
	int status = 0;
	json_free(ask(method, path, token, &status));
	return status;
}

static const char *text(const struct json *j, const char *key)
{
	const char *v = "";
	CU_ASSERT_TRUE(json_text(j, key, 1 << 20, &v, NULL));
	return v;
}

static int64_t number(const struct json *j, const char *key)
{
	int64_t v = -1;
	CU_ASSERT_TRUE(json_int(j, key, INT64_MIN, INT64_MAX, &v, NULL));
	return v;
}

static void setup(void)
{
	static const struct signer_events events = { on_ready, on_ready };
	int status = 0;
	desk = calloc(1, sizeof(*desk));
	if (desk == NULL)
		abort();
	struct centre *c = &desk->centre;
	centre_open(c);
	struct init_options o = {
		.dir = c->dir, .host = "127.0.0.1", .broker_port = 1, .api_port = 2, .now_s = CENTRE_NOW_S
	};
	if (!init_run(&o, NULL))
		abort();
	desk->loop = loop_new();
	struct central_sync_config sync = { .release = &c->release, .transport = { .publish = line_none } };
	desk->central = (struct central){
		.release = c->release,
		.sync = central_sync_new(&sync),
		.signer = signer_start(desk->loop, "signer", c->dir, &events, desk),
		.dir = c->dir,
	};
	snprintf(desk->path, sizeof(desk->path), "%s/ctl.sock", c->dir);
	desk->api = api_open(desk->loop, &desk->central, desk->path, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(desk->api);
	struct json *j = ask("POST", "/v1/operators/alice", NULL, &status);
	snprintf(desk->token, sizeof(desk->token), "%s", text(j, "token"));
	json_free(j);
	centre_enrol(c, "b1", c->seal_point);
	centre_enrol(c, "b2", c->seal_point);
}

static void teardown(void)
{
	api_close(desk->api);
	signer_stop(desk->central.signer);
	central_sync_free(desk->central.sync);
	loop_free(desk->loop);
	centre_close(&desk->centre);
	free(desk);
	desk = NULL;
}

/* --- what branches sent --- */

static const uint8_t journal_key[32] = "the key of a branch's journal";

static void decision_encoded(uint8_t n, struct buf *body)
{
	static struct decision d;
	struct buf plain, sealed;
	d = (struct decision){ .id = { 0xab, n },
			       .time_s = CENTRE_NOW_S + n,
			       .outcome = n % 2 == 0 ? OUTCOME_PASS : OUTCOME_REFUSE };
	snprintf(d.terminal, sizeof(d.terminal), "kiosk-1");
	snprintf(d.business, sizeof(d.business), "open_account");
	snprintf(d.request_id, sizeof(d.request_id), "r%u", n);
	d.parties_len = 1;
	snprintf(d.parties[0].role, sizeof(d.parties[0].role), "subject");
	snprintf(d.parties[0].kind, sizeof(d.parties[0].kind), "resident_id");
	snprintf(d.parties[0].masked, sizeof(d.parties[0].masked), "330802********0013");
	d.reasons_len = 1;
	snprintf(d.reasons[0].rule, sizeof(d.reasons[0].rule), "rule-1");
	snprintf(d.reasons[0].code, sizeof(d.reasons[0].code), "LISTED");
	d.reasons[0].outcome = d.outcome;
	d.evidence_len = 1;
	snprintf(d.evidence[0].list, sizeof(d.evidence[0].list), "black-test");
	snprintf(d.evidence[0].role, sizeof(d.evidence[0].role), "subject");
	d.evidence[0].version = 3;
	d.evidence[0].result = LOOKUP_HIT;
	buf_init(&plain, 512);
	buf_init(&sealed, 1024);
	cbor_put_array(&plain, 1);
	cbor_put_map(&plain, 4);
	cbor_put_uint(&plain, 1);
	cbor_put_text(&plain, "subject");
	cbor_put_uint(&plain, 2);
	cbor_put_text(&plain, "resident_id");
	cbor_put_uint(&plain, 3);
	cbor_put_text(&plain, "330802185001010013");
	cbor_put_uint(&plain, 4);
	cbor_put_text(&plain, "示例甲");
	CU_ASSERT_TRUE_FATAL(aead_seal(journal_key, &random_system, (struct bytes){ d.id, DECISION_ID_LEN },
				       buf_bytes(&plain), &sealed, NULL));
	d.sealed_subject = buf_bytes(&sealed);
	CU_ASSERT_TRUE_FATAL(decision_encode(&d, body, NULL));
	buf_clear(&plain);
	buf_clear(&sealed);
}

/* len decisions and one row that nobody can read. */
static void journal_sent(const char *branch, uint8_t first, uint8_t len)
{
	struct journal_batch b = { .epoch = { first }, .first = 1, .rows_len = len + 1U };
	struct buf rows[16];
	struct journals_result result;
	struct db *db = desk->centre.db;
	journal_start_hash(b.epoch, b.before);
	for (uint8_t i = 0; i < len; i++) {
		struct buf body;
		buf_init(&body, JOURNAL_ROW_MAX);
		buf_init(&rows[i], JOURNAL_ROW_MAX);
		decision_encoded((uint8_t)(first + i), &body);
		struct journal_row r = { i + 1U, CENTRE_NOW_S, JOURNAL_DECISION, buf_bytes(&body) };
		CU_ASSERT_TRUE_FATAL(journal_row_encode(&r, &rows[i], NULL));
		b.rows[i] = buf_bytes(&rows[i]);
		buf_clear(&body);
	}
	b.rows[len] = bytes_of("poison");
	CU_ASSERT_TRUE_FATAL(journals_store(db, branch, &b, CENTRE_NOW_S, &result, NULL));
	CU_ASSERT_TRUE_FATAL(db_begin(db, NULL) &&
			     journals_hello(db, branch, b.epoch, journal_key, desk->centre.release.vault_key,
					    &random_system, CENTRE_NOW_S, NULL) &&
			     db_commit(db, NULL));
	for (uint8_t i = 0; i < len; i++)
		buf_clear(&rows[i]);
}

/* --- tests --- */

static void test_a_token_is_made_by_an_operator_alone(void)
{
	int status = 0;
	CU_ASSERT_EQUAL(status_of("POST", "/v1/branches/b3/token", NULL), 43);
	CU_ASSERT_EQUAL(status_of("POST", "/v1/branches/b3/token", "no such token"), 43);
	CU_ASSERT_EQUAL(status_of("POST", "/v1/branches/central/token", desk->token), 43);
	CU_ASSERT_EQUAL(status_of("POST", "/v1/branches/B%23/token", desk->token), 40);
	CU_ASSERT_EQUAL(status_of("POST", "/v1/branches/b3/token?valid_hours=0", desk->token), 40);
	struct json *j = ask("POST", "/v1/branches/b3/token?valid_hours=2", desk->token, &status);
	CU_ASSERT_EQUAL(status, 20);
	CU_ASSERT_EQUAL(strlen(text(j, "token")), BRANCH_TOKEN_LEN);
	json_free(j);
	CU_ASSERT_EQUAL(centre_count(&desk->centre,
				     "SELECT count(*) FROM audit WHERE operator = 'alice' AND what = 'branch.token'"
				     " AND subject = 'b3'"),
			1);
}

static void test_decisions_are_found_by_branch_and_outcome_newest_first(void)
{
	journal_sent("b1", 10, 6);
	journal_sent("b2", 30, 4);
	struct json *j = get("/v1/decisions");
	const struct json *all = json_get(j, "decisions");
	CU_ASSERT_EQUAL(json_len(all), 10);
	for (size_t i = 1; i < json_len(all); i++)
		CU_ASSERT_TRUE(number(json_at(all, i - 1), "time_s") >= number(json_at(all, i), "time_s"));
	json_free(j);
	j = get("/v1/decisions?branch=b1&outcome=refuse&limit=2");
	all = json_get(j, "decisions");
	CU_ASSERT_EQUAL(json_len(all), 2);
	CU_ASSERT_STRING_EQUAL(text(json_at(all, 0), "branch"), "b1");
	CU_ASSERT_STRING_EQUAL(text(json_at(all, 0), "outcome"), "refuse");
	CU_ASSERT_STRING_EQUAL(text(json_at(all, 0), "masked"), "330802********0013");
	CU_ASSERT_STRING_EQUAL(text(json_at(all, 0), "reasons"), "LISTED");
	json_free(j);
	j = get("/v1/decisions?branch=%27%20OR%201=1--");
	CU_ASSERT_EQUAL(json_len(json_get(j, "decisions")), 0);
	json_free(j);
	CU_ASSERT_EQUAL(status_of("GET", "/v1/decisions?outcome=maybe", NULL), 40);
	CU_ASSERT_EQUAL(status_of("GET", "/v1/decisions?limit=0", NULL), 40);
}

static void test_a_decision_is_shown_with_its_evidence_and_without_its_subject(void)
{
	journal_sent("b1", 10, 2);
	struct json *j = get("/v1/decisions/ab0a0000000000000000000000000000");
	CU_ASSERT_STRING_EQUAL(text(j, "request_id"), "r10");
	CU_ASSERT_STRING_EQUAL(text(json_at(json_get(j, "lists"), 0), "result"), "hit");
	CU_ASSERT_STRING_EQUAL(text(json_at(json_get(j, "reasons"), 0), "code"), "LISTED");
	CU_ASSERT_STRING_EQUAL(text(json_at(json_get(j, "parties"), 0), "masked"), "330802********0013");
	CU_ASSERT_PTR_NULL(json_get(json_at(json_get(j, "parties"), 0), "number"));
	json_free(j);
	CU_ASSERT_EQUAL(status_of("GET", "/v1/decisions/ab0a00000000000000000000000000ff", NULL), 44);
	CU_ASSERT_EQUAL(status_of("GET", "/v1/decisions/xyz", NULL), 40);
}

static void test_a_subject_is_shown_to_an_operator_alone_and_the_audit_says_so(void)
{
	static const char path[] = "/v1/decisions/ab0a0000000000000000000000000000/subject";
	int status = 0;
	journal_sent("b1", 10, 1);
	CU_ASSERT_EQUAL(status_of("POST", path, NULL), 43);
	CU_ASSERT_EQUAL(centre_count(&desk->centre, "SELECT count(*) FROM audit WHERE what = 'decision.unseal'"), 0);
	struct json *j = ask("POST", path, desk->token, &status);
	CU_ASSERT_EQUAL(status, 20);
	const struct json *party = json_at(json_get(j, "parties"), 0);
	CU_ASSERT_STRING_EQUAL(text(party, "number"), "330802185001010013");
	CU_ASSERT_STRING_EQUAL(text(party, "name"), "示例甲");
	json_free(j);
	CU_ASSERT_EQUAL(
		centre_count(&desk->centre,
			     "SELECT count(*) FROM audit WHERE what = 'decision.unseal' AND operator = 'alice'"
			     " AND subject = 'ab0a0000000000000000000000000000'"),
		1);
}

static void test_journals_and_dead_letters_are_shown(void)
{
	journal_sent("b1", 10, 3);
	struct json *j = get("/v1/journals");
	const struct json *one = json_at(json_get(j, "journals"), 0);
	CU_ASSERT_STRING_EQUAL(text(one, "branch"), "b1");
	CU_ASSERT_EQUAL(number(one, "stored"), 4);
	CU_ASSERT_EQUAL(number(one, "dead"), 1);
	json_free(j);
	j = get("/v1/journals/dead");
	one = json_at(json_get(j, "dead"), 0);
	CU_ASSERT_EQUAL(number(one, "seq"), 4);
	CU_ASSERT_EQUAL(number(one, "size_bytes"), 6);
	json_free(j);
}

static void test_a_revocation_takes_effect_in_the_access_list(void)
{
	char path[128];
	struct buf acl;
	CU_ASSERT_EQUAL(status_of("DELETE", "/v1/branches/b1", NULL), 43);
	CU_ASSERT_EQUAL(status_of("DELETE", "/v1/branches/nobody", desk->token), 44);
	CU_ASSERT_EQUAL(status_of("DELETE", "/v1/branches/b1", desk->token), 20);
	CU_ASSERT_EQUAL(status_of("DELETE", "/v1/branches/b1", desk->token), 49);
	CU_ASSERT_EQUAL(status_of("POST", "/v1/branches/b1/token", desk->token), 49);
	snprintf(path, sizeof(path), "%s/mosquitto.acl", desk->centre.dir);
	buf_init(&acl, 65536);
	CU_ASSERT_TRUE_FATAL(file_read(path, &acl, NULL));
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&acl), "user b1\ntopic deny #\n"));
	CU_ASSERT_PTR_NULL(strstr(buf_str(&acl), "user b2"));
	buf_clear(&acl);
}

static void test_branches_are_shown_with_what_they_really_have_and_their_alarms(void)
{
	struct status s = { .software = "test", .journal_first = 5, .journal_last = 9, .lists_len = 1 };
	struct status_vault v = { desk->centre.release.vault_key, &random_system };
	s.lists[0] = (struct status_list){ .name = "black-test", .version = 7, .count = 61, .fault = "disk full" };
	CU_ASSERT_TRUE_FATAL(branches_status(desk->centre.db, "b1", &s, NULL, &v, CENTRE_NOW_S, NULL));
	struct json *j = get("/v1/branches");
	const struct json *b1 = json_at(json_get(j, "branches"), 0);
	CU_ASSERT_STRING_EQUAL(text(b1, "name"), "b1");
	CU_ASSERT_EQUAL(number(b1, "last_seen_s"), CENTRE_NOW_S);
	CU_ASSERT_EQUAL(number(json_at(json_get(b1, "lists"), 0), "version"), 7);
	CU_ASSERT_STRING_EQUAL(text(json_at(json_get(b1, "lists"), 0), "fault"), "disk full");
	CU_ASSERT_STRING_EQUAL(text(json_at(json_get(b1, "alarms"), 0), "code"), "journal.lost");
	json_free(j);
	j = get("/v1/status");
	CU_ASSERT_EQUAL(number(j, "branches"), 2);
	CU_ASSERT_EQUAL(json_len(json_get(j, "alarms")), 1);
	json_free(j);
}

static CU_TestInfo tests[] = {
	{ "a token is made by an operator alone", test_a_token_is_made_by_an_operator_alone },
	{ "decisions are found by branch and outcome, newest first",
	  test_decisions_are_found_by_branch_and_outcome_newest_first },
	{ "a decision is shown with its evidence and without its subject",
	  test_a_decision_is_shown_with_its_evidence_and_without_its_subject },
	{ "a subject is shown to an operator alone, and the audit says so",
	  test_a_subject_is_shown_to_an_operator_alone_and_the_audit_says_so },
	{ "journals and dead letters are shown", test_journals_and_dead_letters_are_shown },
	{ "a revocation takes effect in the access list", test_a_revocation_takes_effect_in_the_access_list },
	{ "branches are shown with what they really have, and their alarms",
	  test_branches_are_shown_with_what_they_really_have_and_their_alarms },
	CU_TEST_INFO_NULL,
};
SUITE(api_branch, setup, teardown, tests);
