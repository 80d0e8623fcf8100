/* The whole system of real parts: what a branch answers, whom it lets in, and that real publications arrive. One world for all. */
#include "tests/support/world.h"
#include "tests/test.h"

#include "protocol/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct world w;
static struct world_branch *branch;
static bool opened;

static void setup(void)
{
	if (opened)
		return;
	opened = true;
	world_open(&w);
	branch = world_branch_add(&w, "quay");
	CU_ASSERT_EQUAL_FATAL(world_publish(&w, "black-fraud", "central/sample/black-fraud.csv", ""), 1);
	CU_ASSERT_TRUE_FATAL(world_wait_version(branch, "black-fraud", 1, 20000));
}

#define HIT   "330802185001010013" /* of the sample list */
#define CLEAR "11010519491231002X" /* the specimen of GB 11643 */

static void a_listed_number_is_refused_and_one_that_is_not_is_enhanced(void)
{
	char outcome[16];
	CU_ASSERT_EQUAL(world_check(&w, branch, "s-1", "resident_id", HIT, outcome), 200);
	CU_ASSERT_STRING_EQUAL(outcome, "refuse");
	CU_ASSERT_EQUAL(world_check(&w, branch, "s-2", "resident_id", CLEAR, outcome), 200);
	CU_ASSERT_STRING_EQUAL(outcome, "enhanced");
	CU_ASSERT_EQUAL(world_check(&w, branch, "s-3", "resident_id", "110105194912310021", outcome), 200);
	CU_ASSERT_STRING_EQUAL(outcome, "refer");
	CU_ASSERT_TRUE(world_wait_decisions(&w, branch, 3, 20000));
}

static void central_shows_what_the_branch_applied_and_not_what_it_sent(void)
{
	CU_ASSERT_TRUE(world_wait_applied(&w, branch, "black-fraud", 1, 20000));
	struct json *j = world_ctl_json(&w, NULL, "branch list");
	const struct json *b = json_at(json_get(j, "branches"), 0);
	int64_t seen = 0;
	CU_ASSERT_TRUE(json_int(b, "last_seen_s", 1, INT64_MAX, &seen, NULL));
	json_free(j);
}

static void malformed_requests_are_refused_with_the_field_and_change_nothing(void)
{
	static const struct {
		const char *body;
		int status;
		const char *says;
	} cases[] = {
		{ "{", 400, "JSON" },
		{ "[]", 400, "object" },
		{ "{\"request_id\":\"b-1\"}", 400, "business" },
		{ "{\"request_id\":5,\"business\":\"open_account\",\"subject\":{\"kind\":\"resident_id\",\"number\":"
		  "\"1\"}}",
		  400, "request_id" },
		{ "{\"request_id\":\"b-2\",\"business\":\"open_account\",\"subject\":{\"kind\":\"resident_id\","
		  "\"number\":17}}",
		  400, "subject.number" },
		{ "{\"request_id\":\"b-3\",\"business\":\"open_account\",\"subject\":{\"kind\":\"resident_id\","
		  "\"number\":\"1\",\"x\":1}}",
		  400, "unknown field" },
		{ "{\"request_id\":\"a'; DROP TABLE journal; "
		  "--\",\"business\":\"open_account\",\"subject\":{\"kind\":\"resident_id\",\"number\":\"1\"}}",
		  400, "request_id" },
		{ "{\"request_id\":\"xb/1/"
		  "#\",\"business\":\"open_account\",\"subject\":{\"kind\":\"resident_id\",\"number\":\"1\"}}",
		  400, "request_id" },
		{ "{\"request_id\":\"b-4\",\"business\":\"open_account\",\"subject\":{\"kind\":\"name\",\"name\":"
		  "\"\xff\xfe\"}}",
		  400, "decode byte 0xff" },
	};
	int64_t before = world_decisions(&w, branch);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;
		buf_init(&out, 65536);
		int status = world_https(&w, branch, "POST", "/v1/checks", cases[i].body, &out);
		if (status != cases[i].status || strstr(buf_str(&out), cases[i].says) == NULL)
			printf("\n    %s → %d %s", cases[i].body, status, buf_str(&out));
		CU_ASSERT_EQUAL(status, cases[i].status);
		CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), cases[i].says));
		buf_clear(&out);
	}
	CU_ASSERT_EQUAL(world_decisions(&w, branch), before);
}

static void a_body_of_ten_megabytes_is_refused(void)
{
	char *body = malloc(10485761);
	if (body == NULL)
		abort();
	memset(body, ' ', 10485760);
	body[10485760] = '\0';
	int status = world_https(&w, branch, "POST", "/v1/checks", body, NULL);
	CU_ASSERT_TRUE(status == 413 || status == 0); /* curl may see the closed line before the answer */
	free(body);
	CU_ASSERT_EQUAL(world_https(&w, branch, "GET", "/healthz", NULL, NULL), 200);
}

static void only_a_known_terminal_is_answered(void)
{
	char good[128], outcome[16];
	snprintf(good, sizeof(good), "%s", branch->terminal_token);
	snprintf(branch->terminal_token, sizeof(branch->terminal_token),
		 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	CU_ASSERT_EQUAL(world_check(&w, branch, "t-1", "resident_id", CLEAR, outcome), 401);
	branch->terminal_token[0] = '\0';
	CU_ASSERT_EQUAL(world_check(&w, branch, "t-2", "resident_id", CLEAR, outcome), 401);
	CU_ASSERT_EQUAL(world_https(&w, branch, "GET", "/v1/status", NULL, NULL), 401);
	struct json *j = world_branchctl_json(branch, "terminal add kiosk-2");
	const char *token = "";
	CU_ASSERT_TRUE(json_text(j, "token", 120, &token, NULL));
	snprintf(branch->terminal_token, sizeof(branch->terminal_token), "%s", token);
	json_free(j);
	CU_ASSERT_EQUAL(world_check(&w, branch, "t-3", "resident_id", CLEAR, outcome), 200);
	CU_ASSERT_EQUAL(world_branchctl(branch, NULL, "terminal revoke kiosk-2"), 0);
	CU_ASSERT_EQUAL(world_check(&w, branch, "t-4", "resident_id", CLEAR, outcome), 401);
	snprintf(branch->terminal_token, sizeof(branch->terminal_token), "%s", good);
	CU_ASSERT_EQUAL(world_check(&w, branch, "t-5", "resident_id", CLEAR, outcome), 200);
}

static void a_repeated_request_gets_the_stored_answer_and_another_body_a_conflict(void)
{
	struct buf first, second;
	const char *body = "{\"request_id\":\"r-1\",\"business\":\"open_account\",\"subject\":{\"kind\":\"resident_"
			   "id\",\"number\":\"" CLEAR "\"}}";
	const char *other = "{\"request_id\":\"r-1\",\"business\":\"open_account\",\"subject\":{\"kind\":\"resident_"
			    "id\",\"number\":\"" HIT "\"}}";
	buf_init(&first, 65536);
	buf_init(&second, 65536);
	CU_ASSERT_EQUAL(world_https(&w, branch, "POST", "/v1/checks", body, &first), 200);
	CU_ASSERT_EQUAL(world_https(&w, branch, "POST", "/v1/checks", body, &second), 200);
	CU_ASSERT_STRING_EQUAL(buf_str(&first), buf_str(&second));
	CU_ASSERT_EQUAL(world_https(&w, branch, "POST", "/v1/checks", other, NULL), 409);
	buf_reset(&second);
	CU_ASSERT_EQUAL(world_https(&w, branch, "POST", "/v1/checks", body, &second), 200);
	CU_ASSERT_STRING_EQUAL(buf_str(&first), buf_str(&second));
	struct json *j = json_parse(buf_bytes(&first), NULL);
	const char *id = NULL;
	char path[120];
	CU_ASSERT_TRUE_FATAL(j != NULL && json_text(j, "decision_id", 64, &id, NULL));
	snprintf(path, sizeof(path), "/v1/decisions/%s", id);
	buf_reset(&second);
	CU_ASSERT_EQUAL(world_https(&w, branch, "GET", path, NULL, &second), 200);
	CU_ASSERT_STRING_EQUAL(buf_str(&first), buf_str(&second));
	json_free(j);
	buf_clear(&first);
	buf_clear(&second);
	CU_ASSERT_EQUAL(world_https(&w, branch, "GET", "/v1/decisions/00000000000000000000000000000000", NULL, NULL),
			404);
}

static void a_foreign_client_certificate_is_not_let_in(void)
{
	struct buf out;
	char dir[100];
	snprintf(dir, sizeof(dir), "%s/foreign", w.dir);
	buf_init(&out, 1 << 20);
	char command[900];
	snprintf(command, sizeof(command),
		 "mkdir -p %s && openssl ecparam -name prime256v1 -genkey -noout -out %s/k.pem &&"
		 " openssl req -x509 -new -key %s/k.pem -subj /CN=kiosk-1 -days 30 -out %s/c.pem",
		 dir, dir, dir, dir);
	if (child_run((const char *const[]){ "/bin/sh", "-c", command, NULL }, &out) != 0) {
		test_skip("openssl");
		buf_clear(&out);
		return;
	}
	snprintf(command, sizeof(command),
		 "curl -s --max-time 10 --cacert %s/ca.pem --cert %s/c.pem --key %s/k.pem "
		 "https://127.0.0.1:%d/healthz",
		 w.central_dir, dir, dir, branch->api_port);
	CU_ASSERT_NOT_EQUAL(child_run((const char *const[]){ "/bin/sh", "-c", command, NULL }, &out), 0);
	buf_clear(&out);
	CU_ASSERT_EQUAL(world_https(&w, branch, "GET", "/healthz", NULL, NULL), 200);
}

static void metrics_are_prometheus_text(void)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	CU_ASSERT_EQUAL(world_https(&w, branch, "GET", "/metrics", NULL, &out), 200);
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "# TYPE "));
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "black-fraud"));
	buf_clear(&out);
}

/* Asks the branch for each number another program finds in the publications: those of the newer are stopped, the rest not. */
static void ofac_ask(const char *former, const char *published, unsigned *listed, unsigned *dropped)
{
	struct buf out;
	static unsigned n;
	buf_init(&out, 1 << 20);
	CU_ASSERT_EQUAL_FATAL(
		child_run_words(&out, "/usr/bin/python3 tests/tools/ofac_expected.py %s %s", former, published), 0);
	*listed = *dropped = 0;
	for (const char *at = buf_str(&out), *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		char line[300], what[16], kind[64], number[200], id[40];
		snprintf(line, sizeof(line), "%.*s", (int)(end - at), at);
		if (sscanf(line, "%15s %63[a-z_] %199[^\n]", what, kind, number) != 3 || strcmp(kind, "name") == 0)
			continue; /* several kinds, or a name: the unit test of releases has these */
		struct buf answer;
		char body[500];
		buf_init(&answer, 65536);
		snprintf(id, sizeof(id), "ofac-%s-%u", what, n++);
		snprintf(body, sizeof(body),
			 "{\"request_id\":\"%s\",\"business\":\"open_account\",\"subject\":{\"kind\":\"%s\","
			 "\"number\":\"%s\"}}",
			 id, kind, number);
		CU_ASSERT_EQUAL(world_https(&w, branch, "POST", "/v1/checks", body, &answer), 200);
		bool valid = strstr(buf_str(&answer), "IDENTIFIER_INVALID") == NULL;
		bool hit = strstr(buf_str(&answer), "LISTED_SANCTIONS") != NULL;
		bool want = strcmp(what, "newer") == 0;
		if (valid && hit != want)
			printf("\n    %s: %s", line, buf_str(&answer));
		CU_ASSERT_TRUE(!valid || hit == want);
		*listed += valid && want;
		*dropped += valid && !want;
		buf_clear(&answer);
	}
	buf_clear(&out);
}

static int64_t deltas_applied(void)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	CU_ASSERT_EQUAL(world_https(&w, branch, "GET", "/metrics", NULL, &out), 200);
	const char *at = strstr(buf_str(&out), "\nxinbian_deltas_total ");
	int64_t n = at != NULL ? strtoll(at + strlen("\nxinbian_deltas_total "), NULL, 10) : -1;
	buf_clear(&out);
	return n;
}

static void two_real_publications_reach_the_branch_the_second_by_a_delta(void)
{
	char older[512], newer[512];
	const char *path = test_vectors("ofac/sdn-older.csv");
	unsigned listed = 0, dropped = 0;
	if (path == NULL)
		return;
	snprintf(older, sizeof(older), "%s", path);
	path = test_vectors("ofac/sdn-newer.csv");
	if (path == NULL)
		return;
	snprintf(newer, sizeof(newer), "%s", path);
	CU_ASSERT_EQUAL(world_publish(&w, "sanctions", older, ""), 2);
	CU_ASSERT_TRUE_FATAL(world_wait_version(branch, "sanctions", 2, 20000));
	int64_t before = deltas_applied();
	CU_ASSERT_EQUAL(world_publish(&w, "sanctions", newer, ""), 3);
	CU_ASSERT_TRUE_FATAL(world_wait_version(branch, "sanctions", 3, 20000));
	CU_ASSERT_EQUAL(deltas_applied(), before + 1);
	ofac_ask(older, newer, &listed, &dropped);
	CU_ASSERT_TRUE(listed > 60);
	CU_ASSERT_EQUAL(world_publish(&w, "sanctions", older, ""), 4);
	CU_ASSERT_TRUE_FATAL(world_wait_version(branch, "sanctions", 4, 20000));
	ofac_ask(newer, older, &listed, &dropped);
	CU_ASSERT_TRUE(listed > 20 && dropped > 30);
	printf("(%u listed, %u dropped) ", listed, dropped);
}

static void everything_ends_cleanly(void)
{
	CU_ASSERT_EQUAL(world_branchctl(branch, NULL, "journal verify"), 0);
	world_close(&w);
}

static CU_TestInfo tests[] = {
	{ "a listed number is refused and one that is not is enhanced",
	  a_listed_number_is_refused_and_one_that_is_not_is_enhanced },
	{ "central shows what the branch applied and not what it sent",
	  central_shows_what_the_branch_applied_and_not_what_it_sent },
	{ "malformed requests are refused with the field and change nothing",
	  malformed_requests_are_refused_with_the_field_and_change_nothing },
	{ "a body of ten megabytes is refused", a_body_of_ten_megabytes_is_refused },
	{ "only a known terminal is answered", only_a_known_terminal_is_answered },
	{ "a repeated request gets the stored answer and another body a conflict",
	  a_repeated_request_gets_the_stored_answer_and_another_body_a_conflict },
	{ "a foreign client certificate is not let in", a_foreign_client_certificate_is_not_let_in },
	{ "metrics are Prometheus text", metrics_are_prometheus_text },
	{ "two real publications reach the branch, the second by a delta",
	  two_real_publications_reach_the_branch_the_second_by_a_delta },
	{ "everything ends cleanly", everything_ends_cleanly },
	CU_TEST_INFO_NULL,
};
SUITE(whole_system, setup, NULL, tests);
