/* Enrolment: the judging alone, and over a real socket with a real signer. */
#include "central/branch/enrol_port.h"
#include "central/init.h"
#include "central/store/store.h"
#include "protocol/base/json.h"
#include "protocol/base/pki.h"
#include "tests/test.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW_S 1795500000

struct scene {
	char dir[64];
	struct db *db;
	char token[BRANCH_TOKEN_LEN + 1];
};

static void scene_open(struct scene *s)
{
	*s = (struct scene){ 0 };
	snprintf(s->dir, sizeof(s->dir), "%s", test_dir());
	s->db = store_open(s->dir, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s->db);
	CU_ASSERT_TRUE_FATAL(branches_token_new(s->db, &random_system, "b1", "alice", NOW_S, 3600, s->token, NULL));
}

static void scene_close(struct scene *s)
{
	db_close(s->db);
}

/* A sound request for a token; extra is put behind its members. */
static struct buf request(const char *token, const char *extra)
{
	struct buf key, csr, pem, body;
	uint8_t scalar[SCALAR_LEN], point[POINT_LEN];
	char seal_key[2 * POINT_LEN + 1];
	buf_init(&key, PKI_KEY_MAX);
	buf_init(&csr, PKI_CERT_MAX);
	buf_init(&pem, 8192);
	buf_init(&body, 16384);
	CU_ASSERT_TRUE_FATAL(pki_key_new(&key, NULL) && pki_csr_new(buf_bytes(&key), "any", &csr, NULL) &&
			     pki_to_pem(buf_bytes(&csr), "CERTIFICATE REQUEST", &pem, NULL));
	key_new(&random_system, scalar, point);
	hex_encode(point, POINT_LEN, seal_key);
	struct json_out w = { &body, false };
	json_open(&w, NULL, '{');
	json_put_text(&w, "token", token);
	json_put_text_n(&w, "csr", buf_bytes(&pem));
	json_put_text(&w, "seal_key", seal_key);
	buf_add_str(&body, extra);
	json_close(&w, '}');
	buf_clear(&key);
	buf_clear(&csr);
	buf_clear(&pem);
	return body;
}

static enum err_code begin(struct scene *s, struct bytes body, int64_t now_s, struct enrolment *r, struct buf *cert)
{
	struct err e = { 0 };
	buf_init(cert, PKI_CERT_MAX);
	return enrol_begin(s->db, &random_system, body, now_s, r, cert, &e) ? ERR_NONE : e.code;
}

static void end(struct enrolment *r, struct buf *cert)
{
	enrolment_clear(r);
	buf_clear(cert);
}

static void test_a_token_buys_one_certificate_under_the_name_it_was_made_for(void)
{
	struct scene s;
	struct enrolment r, other;
	struct buf cert, other_cert;
	struct branch b;
	scene_open(&s);
	struct buf body = request(s.token, ",\"sans\":[\"10.0.0.7\",\"branch.example\"]"),
		   second = request(s.token, "");
	CU_ASSERT_EQUAL_FATAL(begin(&s, buf_bytes(&body), NOW_S, &r, &cert), ERR_NONE);
	CU_ASSERT_STRING_EQUAL(r.branch, "b1");
	CU_ASSERT_EQUAL(r.sans_len, 2);
	CU_ASSERT_STRING_EQUAL(r.sans[1], "branch.example");
	CU_ASSERT_EQUAL(cert.len, 0);
	CU_ASSERT_EQUAL(begin(&s, buf_bytes(&second), NOW_S, &other, &other_cert),
			ERR_NONE); /* a race: both got this far */
	CU_ASSERT_TRUE(enrol_finish(s.db, &r, bytes_of("first certificate"), NOW_S, NULL));
	struct err e = { 0 };
	CU_ASSERT_FALSE(enrol_finish(s.db, &other, bytes_of("second certificate"), NOW_S, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_TRUE(branches_may_speak(s.db, "b1", &b, NULL));
	CU_ASSERT_EQUAL(memcmp(b.seal_key, r.seal_key, POINT_LEN), 0);
	end(&other, &other_cert);
	CU_ASSERT_EQUAL(begin(&s, buf_bytes(&second), NOW_S, &other, &other_cert), ERR_DENIED);
	end(&r, &cert);
	end(&other, &other_cert);
	buf_clear(&body);
	buf_clear(&second);
	scene_close(&s);
}

static void test_an_answer_that_was_lost_may_be_fetched_again_by_the_same_request(void)
{
	struct scene s;
	struct enrolment r, again;
	struct buf cert, again_cert;
	scene_open(&s);
	struct buf body = request(s.token, "");
	CU_ASSERT_EQUAL_FATAL(begin(&s, buf_bytes(&body), NOW_S, &r, &cert), ERR_NONE);
	CU_ASSERT_TRUE(enrol_finish(s.db, &r, bytes_of("the certificate"), NOW_S, NULL));
	CU_ASSERT_EQUAL(begin(&s, buf_bytes(&body), NOW_S + 10, &again, &again_cert), ERR_NONE);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&again_cert), bytes_of("the certificate")));
	end(&again, &again_cert);
	CU_ASSERT_EQUAL(begin(&s, buf_bytes(&body), NOW_S + 3600, &again, &again_cert), ERR_DENIED);
	end(&again, &again_cert);
	end(&r, &cert);
	buf_clear(&body);
	scene_close(&s);
}

static void test_a_token_that_is_unknown_or_expired_or_voided_buys_nothing(void)
{
	struct scene s;
	struct enrolment r;
	struct buf cert;
	scene_open(&s);
	struct buf unknown = request("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "");
	struct buf good = request(s.token, "");
	CU_ASSERT_EQUAL(begin(&s, buf_bytes(&unknown), NOW_S, &r, &cert), ERR_DENIED);
	end(&r, &cert);
	CU_ASSERT_EQUAL(begin(&s, buf_bytes(&good), NOW_S + 3600, &r, &cert), ERR_DENIED);
	end(&r, &cert);
	CU_ASSERT_EQUAL(begin(&s, buf_bytes(&good), NOW_S, &r, &cert), ERR_NONE);
	CU_ASSERT_TRUE(branches_revoke(s.db, "b1", "alice", NOW_S, NULL)); /* while the signer is at it */
	CU_ASSERT_FALSE(enrol_finish(s.db, &r, bytes_of("certificate"), NOW_S, NULL));
	end(&r, &cert);
	CU_ASSERT_EQUAL(begin(&s, buf_bytes(&good), NOW_S, &r, &cert), ERR_DENIED);
	end(&r, &cert);
	buf_clear(&unknown);
	buf_clear(&good);
	scene_close(&s);
}

static void test_tokens_are_kept_only_as_hashes_and_each_step_is_in_the_audit(void)
{
	struct scene s;
	int64_t n = -1;
	scene_open(&s);
	CU_ASSERT_TRUE(db_run_int(s.db, &n, NULL, "SELECT count(*) FROM enrol_token WHERE hash = ?", "b",
				  bytes_of(s.token)));
	CU_ASSERT_EQUAL(n, 0);
	CU_ASSERT_TRUE(branches_revoke(s.db, "b1", "bob", NOW_S, NULL));
	CU_ASSERT_TRUE(db_run_int(
		s.db, &n, NULL,
		"SELECT count(*) FROM audit WHERE subject = 'b1' AND ((what = 'branch.token' AND operator ="
		" 'alice') OR (what = 'branch.revoke' AND operator = 'bob'))",
		""));
	CU_ASSERT_EQUAL(n, 2);
	scene_close(&s);
}

static void test_a_name_that_is_revoked_or_none_or_central_gets_no_token(void)
{
	static const char *const names[] = { "central", "", "B1", "a/b", "+", "#", "x'y", "a b" };
	struct scene s;
	char token[BRANCH_TOKEN_LEN + 1];
	struct err e = { 0 };
	scene_open(&s);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CU_ASSERT_FALSE(branches_token_new(s.db, &random_system, names[i], "alice", NOW_S, 60, token, NULL));
	CU_ASSERT_TRUE(branches_revoke(s.db, "b1", "alice", NOW_S, NULL));
	CU_ASSERT_FALSE(branches_token_new(s.db, &random_system, "b1", "alice", NOW_S, 60, token, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_FALSE(branches_revoke(s.db, "b1", "alice", NOW_S, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_FALSE(branches_revoke(s.db, "nobody", "alice", NOW_S, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	scene_close(&s);
}

static void test_a_request_that_is_not_sound_is_refused_before_the_token_is_looked_at(void)
{
	static const char *const extras[] = { ",\"more\":1",
					      ",\"sans\":1",
					      ",\"sans\":[1]",
					      ",\"sans\":[\"a b\"]",
					      ",\"sans\":[\"\"]",
					      ",\"sans\":[\"*.example\"]",
					      ",\"sans\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]",
					      ",\"token\":\"x\"" };
	static const char *const bodies[] = { "",
					      "{}",
					      "[]",
					      "null",
					      "{\"token\":\"x\"}",
					      "{\"token\":1,\"csr\":\"\",\"seal_key\":\"\"}",
					      "{\"token\":\"x\",\"csr\":\"no PEM\",\"seal_key\":\"04\"}" };
	struct scene s;
	struct enrolment r;
	struct buf cert;
	scene_open(&s);
	for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++) {
		struct buf body = request(s.token, extras[i]);
		CU_ASSERT_EQUAL(begin(&s, buf_bytes(&body), NOW_S, &r, &cert), ERR_INPUT);
		end(&r, &cert);
		buf_clear(&body);
	}
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		CU_ASSERT_EQUAL(begin(&s, bytes_of(bodies[i]), NOW_S, &r, &cert), ERR_INPUT);
		end(&r, &cert);
	}
	struct buf body = request(s.token, "");
	char *at = memmem(body.data, body.len, "\"seal_key\":\"04", 14);
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	if (at != NULL)
		at[40] = at[40] == '0' ? '1' : '0'; /* no point of the curve any more */
	CU_ASSERT_EQUAL(begin(&s, buf_bytes(&body), NOW_S, &r, &cert), ERR_INPUT);
	end(&r, &cert);
	buf_clear(&body);
	scene_close(&s);
}

static void test_no_branch_gets_a_certificate_that_passes_for_central(void)
{
	struct enrolment r = { .branch = "b1", .sans_len = 2, .sans = { "10.0.0.7", "Central.Bank.Example" } };
	struct err e = { 0 };
	CU_ASSERT_FALSE(enrol_names_check(&r, "central.bank.example", &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	snprintf(r.sans[1], sizeof(r.sans[1]), "central.bank.example.");
	CU_ASSERT_FALSE(enrol_names_check(&r, "central.bank.example", NULL));
	CU_ASSERT_FALSE(enrol_names_check(&r, "10.0.0.7", NULL));
	CU_ASSERT_FALSE(enrol_names_check(&r, "b1", NULL)); /* without other names a client goes by this one */
	CU_ASSERT_TRUE(enrol_names_check(&r, "other.bank.example", NULL));
	snprintf(r.sans[1], sizeof(r.sans[1]), "127.0.0.1");
	CU_ASSERT_TRUE(enrol_names_check(&r, "127.0.0.1", NULL));
}

static void test_strangers_cannot_keep_the_signer_busy(void)
{
	struct enrol_limit l = { 0 };
	int64_t now_ms = 1000000;
	unsigned taken = 0;
	for (int i = 0; i < 1000; i++)
		taken += enrol_limit_take(&l, now_ms);
	CU_ASSERT_EQUAL(taken, ENROL_BURST);
	CU_ASSERT_TRUE(enrol_limit_take(&l, now_ms + 2000));
	CU_ASSERT_FALSE(enrol_limit_take(&l, now_ms + 2001));
	for (taken = 0; enrol_limit_take(&l, now_ms + 1000000); taken++) {
	}
	CU_ASSERT_EQUAL(taken, ENROL_BURST);
}

/* --- over the socket --- */

static int64_t fixed_now_s(void)
{
	return NOW_S;
}

struct port {
	struct scene scene;
	struct loop *loop;
	struct signer *signer;
	struct enrol_port *port;
	char path[96];
	struct buf ca;
	uint8_t seal_point[POINT_LEN];
	unsigned enrolled;
	bool ready;
};

static void on_ready(void *arg, const char *how)
{
	struct port *p = arg;
	(void)how;
	p->ready = true;
}

static void on_stopped(void *arg, const char *why)
{
	struct port *p = arg;
	(void)why;
	p->ready = false;
}

static void on_enrolled(void *arg, const char *branch)
{
	struct port *p = arg;
	CU_ASSERT_STRING_EQUAL(branch, "b1");
	p->enrolled++;
}

static void port_open(struct port *p)
{
	static const struct signer_events events = { on_ready, on_stopped };
	*p = (struct port){ .loop = loop_new() };
	scene_open(&p->scene);
	struct init_options o = {
		.dir = p->scene.dir, .host = "127.0.0.1", .broker_port = 8883, .api_port = 8444, .now_s = NOW_S
	};
	CU_ASSERT_TRUE_FATAL(init_run(&o, NULL));
	p->signer = signer_start(p->loop, "signer", p->scene.dir, &events, p);
	snprintf(p->path, sizeof(p->path), "%s/enrol.sock", p->scene.dir);
	struct enrol_port_config c = {
		.path = p->path,
		.db = p->scene.db,
		.random = &random_system,
		.signer = p->signer,
		.ca = bytes_of("a certificate"),
		.seal_key = p->seal_point,
		.broker_host = "127.0.0.1",
		.broker_port = 8883,
		.now_s = fixed_now_s,
		.enrolled = on_enrolled,
		.arg = p,
	};
	p->port = enrol_port_open(p->loop, &c, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p->port);
	for (int i = 0; i < 500 && !p->ready; i++)
		loop_once(p->loop, 20);
	CU_ASSERT_TRUE_FATAL(p->ready);
}

static void port_close(struct port *p)
{
	enrol_port_close(p->port);
	signer_stop(p->signer);
	loop_free(p->loop);
	scene_close(&p->scene);
}

/* A client of its own process; its exit status is the HTTP status / 10, plus 1 when the answer names the branch. */
static pid_t client(const char *path, const char *method, const char *where, struct bytes body)
{
	pid_t pid = fork();
	assert(pid >= 0);
	if (pid > 0)
		return pid;
	struct buf out;
	int status = 0;
	buf_init(&out, 65536);
	bool ok = http_call(path, method, where, "", body, 10000, &status, &out, NULL);
	_exit(ok ? status / 10 + (status == 200 && strstr(buf_str(&out), "\"branch\":\"b1\"") != NULL) : 1);
}

static int client_wait(struct port *p, pid_t pid)
{
	int status = 0;
	for (int i = 0; i < 1000; i++) {
		loop_once(p->loop, 10);
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	}
	return -1;
}

static void test_of_two_who_come_at_once_with_one_token_one_is_enrolled(void)
{
	struct port p;
	port_open(&p);
	struct buf first = request(p.scene.token, ""), second = request(p.scene.token, "");
	pid_t one = client(p.path, "POST", "/v1/enrol", buf_bytes(&first));
	pid_t two = client(p.path, "POST", "/v1/enrol", buf_bytes(&second));
	int a = client_wait(&p, one), b = client_wait(&p, two);
	CU_ASSERT_TRUE((a == 21 && b == 40) || (a == 40 && b == 21));
	CU_ASSERT_EQUAL(p.enrolled, 1);
	/* The winner's answer once more. */
	one = client(p.path, "POST", "/v1/enrol", buf_bytes(a == 21 ? &first : &second));
	CU_ASSERT_EQUAL(client_wait(&p, one), 21);
	CU_ASSERT_EQUAL(p.enrolled, 1);
	buf_clear(&first);
	buf_clear(&second);
	port_close(&p);
}

static void test_nothing_else_is_served_there(void)
{
	struct port p;
	port_open(&p);
	CU_ASSERT_EQUAL(client_wait(&p, client(p.path, "GET", "/v1/enrol", (struct bytes){ NULL, 0 })), 40);
	CU_ASSERT_EQUAL(client_wait(&p, client(p.path, "GET", "/v1/branches", (struct bytes){ NULL, 0 })), 40);
	CU_ASSERT_EQUAL(client_wait(&p, client(p.path, "GET", "/healthz", (struct bytes){ NULL, 0 })), 20);
	struct buf large;
	buf_init(&large, 1 << 20);
	while (buf_add_str(&large, "                                "))
		continue;
	CU_ASSERT_EQUAL(client_wait(&p, client(p.path, "POST", "/v1/enrol", buf_bytes(&large))), 41);
	buf_clear(&large);
	port_close(&p);
}

static CU_TestInfo tests[] = {
	{ "a token buys one certificate, under the name it was made for",
	  test_a_token_buys_one_certificate_under_the_name_it_was_made_for },
	{ "an answer that was lost may be fetched again by the same request",
	  test_an_answer_that_was_lost_may_be_fetched_again_by_the_same_request },
	{ "a token that is unknown or expired or voided buys nothing",
	  test_a_token_that_is_unknown_or_expired_or_voided_buys_nothing },
	{ "tokens are kept only as hashes, and each step is in the audit",
	  test_tokens_are_kept_only_as_hashes_and_each_step_is_in_the_audit },
	{ "a name that is revoked, or none, or central, gets no token",
	  test_a_name_that_is_revoked_or_none_or_central_gets_no_token },
	{ "a request that is not sound is refused before the token is looked at",
	  test_a_request_that_is_not_sound_is_refused_before_the_token_is_looked_at },
	{ "no branch gets a certificate that passes for central",
	  test_no_branch_gets_a_certificate_that_passes_for_central },
	{ "strangers cannot keep the signer busy", test_strangers_cannot_keep_the_signer_busy },
	{ "of two who come at once with one token one is enrolled",
	  test_of_two_who_come_at_once_with_one_token_one_is_enrolled },
	{ "nothing else is served there", test_nothing_else_is_served_there },
	CU_TEST_INFO_NULL,
};
SUITE(enrol, NULL, NULL, tests);
