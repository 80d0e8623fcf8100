/* A real child with real keys, in its sandbox. */
#include "central/init.h"
#include "central/ledger/daily.h"
#include "central/signer/signer.h"
#include "protocol/base/file.h"
#include "protocol/base/pki.h"
#include "protocol/head.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NOW_S 1795500000

ROLE(signer, "signer", signer_main);

struct scene {
	struct loop *loop;
	struct signer *signer;
	char dir[64];
	unsigned ready, stopped;
	/* the last answer */
	unsigned answers;
	struct buf result;
	struct err why;
};

static void on_ready(void *arg, const char *how)
{
	struct scene *s = arg;
	CU_ASSERT_TRUE(how[0] != '\0');
	s->ready++;
}

static void on_stopped(void *arg, const char *why)
{
	struct scene *s = arg;
	(void)why;
	s->stopped++;
}

static void on_answer(void *arg, struct bytes result, const struct err *why)
{
	struct scene *s = arg;
	s->answers++;
	buf_reset(&s->result);
	s->why = (struct err){ 0 };
	if (result.data != NULL)
		buf_add(&s->result, result.data, result.len);
	else
		s->why = *why;
}

static void run_until(struct scene *s, const unsigned *counter, unsigned n)
{
	for (int i = 0; i < 1000 && *counter < n; i++)
		loop_once(s->loop, 20);
	CU_ASSERT_EQUAL_FATAL(*counter, n);
}

static void scene_open(struct scene *s)
{
	static const struct signer_events events = { on_ready, on_stopped };
	struct err e = { 0 };
	*s = (struct scene){ .loop = loop_new() };
	snprintf(s->dir, sizeof(s->dir), "%s", test_dir());
	struct init_options o = {
		.dir = s->dir, .host = "127.0.0.1", .broker_port = 8883, .api_port = 8444, .now_s = NOW_S
	};
	CU_ASSERT_TRUE_FATAL(init_run(&o, &e));
	buf_init(&s->result, COSE_MAX);
	s->signer = signer_start(s->loop, "signer", s->dir, &events, s);
	run_until(s, &s->ready, 1);
}

static void scene_close(struct scene *s)
{
	signer_stop(s->signer);
	loop_free(s->loop);
	buf_clear(&s->result);
}

static void ask_head(struct scene *s, uint64_t sequence)
{
	struct head h = { .sequence = sequence, .issued_s = NOW_S, .expires_s = NOW_S + 10 };
	struct buf payload;
	unsigned before = s->answers;
	struct err e = { 0 };
	buf_init(&payload, 4096);
	CU_ASSERT_TRUE_FATAL(head_encode(&h, &payload, NULL));
	CU_ASSERT_TRUE_FATAL(signer_head(s->signer, buf_bytes(&payload), on_answer, s, &e));
	run_until(s, &s->answers, before + 1);
	buf_clear(&payload);
}

static void test_a_head_is_signed_only_above_the_last_sequence(void)
{
	struct scene s;
	struct head h;
	scene_open(&s);
	ask_head(&s, 10);
	CU_ASSERT_TRUE_FATAL(head_open(buf_bytes(&s.result), signer_head_key(s.signer), &h, NULL));
	CU_ASSERT_EQUAL(h.sequence, 10);
	head_clear(&h);
	ask_head(&s, 10);
	CU_ASSERT_EQUAL(s.why.code, ERR_STALE);
	ask_head(&s, 9);
	CU_ASSERT_EQUAL(s.why.code, ERR_STALE);
	ask_head(&s, 11);
	CU_ASSERT_EQUAL(s.why.code, ERR_NONE);
	scene_close(&s);
}

static void ask_daily(struct scene *s, const struct daily_head *h)
{
	struct buf payload;
	unsigned before = s->answers;
	buf_init(&payload, DAILY_PAYLOAD_MAX);
	CU_ASSERT_TRUE_FATAL(daily_encode(h, &payload, NULL));
	CU_ASSERT_TRUE_FATAL(signer_daily(s->signer, buf_bytes(&payload), on_answer, s, NULL));
	run_until(s, &s->answers, before + 1);
	buf_clear(&payload);
}

static void test_of_the_ledger_one_head_a_day_is_signed_and_none_from_before(void)
{
	struct scene s;
	struct daily_head h = { .day = ledger_day_of(NOW_S), .time_s = NOW_S, .batches = 5 }, got;
	scene_open(&s);
	ask_daily(&s, &h);
	CU_ASSERT_TRUE(daily_open(buf_bytes(&s.result), signer_head_key(s.signer), &got, NULL));
	CU_ASSERT_TRUE(daily_same(&h, &got));
	ask_daily(&s, &h); /* its signature was lost */
	CU_ASSERT_EQUAL(s.why.code, ERR_NONE);
	h.batches = 6;
	ask_daily(&s, &h);
	CU_ASSERT_EQUAL(s.why.code, ERR_CONFLICT);
	h.time_s -= 86400;
	h.day--;
	ask_daily(&s, &h);
	CU_ASSERT_EQUAL(s.why.code, ERR_STALE);
	h.time_s += 2 * 86400;
	h.day += 2;
	h.batches = 4;
	ask_daily(&s, &h);
	CU_ASSERT_EQUAL(s.why.code, ERR_STALE);
	h.batches = 6;
	ask_daily(&s, &h);
	CU_ASSERT_EQUAL(s.why.code, ERR_NONE);
	scene_close(&s);
}

static void test_what_is_no_head_is_not_signed(void)
{
	struct scene s;
	struct err e = { 0 };
	scene_open(&s);
	CU_ASSERT_TRUE_FATAL(signer_head(s.signer, bytes_of("pay the bearer"), on_answer, &s, &e));
	run_until(&s, &s.answers, 1);
	CU_ASSERT_EQUAL(s.why.code, ERR_INPUT);
	CU_ASSERT_EQUAL(s.result.len, 0);
	ask_head(&s, 1); /* and it lives on */
	CU_ASSERT_EQUAL(s.why.code, ERR_NONE);
	scene_close(&s);
}

static void ask_certificate(struct scene *s, const char *name, struct bytes csr)
{
	static const char *const sans[] = { "127.0.0.1", "branch.example" };
	struct signer_request r = { name, csr, sans, 2, NOW_S - 10, NOW_S + 1000 };
	unsigned before = s->answers;
	struct err e = { 0 };
	CU_ASSERT_TRUE_FATAL(signer_issue(s->signer, &r, on_answer, s, &e));
	run_until(s, &s->answers, before + 1);
}

static void pem_read(const char *dir, const char *name, struct buf *der)
{
	char path[128];
	struct buf pem;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	buf_init(&pem, 8192);
	CU_ASSERT_TRUE_FATAL(file_read(path, &pem, NULL) && pki_from_pem(buf_bytes(&pem), "CERTIFICATE", der, NULL));
	buf_clear(&pem);
}

static void test_a_certificate_carries_the_name_asked_for_and_descends_from_the_ca(void)
{
	struct scene s;
	struct buf key, csr, ca;
	struct pki_info info;
	uint8_t scalar[32], point[65];
	scene_open(&s);
	buf_init(&key, PKI_KEY_MAX);
	buf_init(&csr, PKI_CERT_MAX);
	buf_init(&ca, PKI_CERT_MAX);
	pem_read(s.dir, "ca.pem", &ca);
	CU_ASSERT_TRUE_FATAL(pki_key_new(&key, NULL) && pki_csr_new(buf_bytes(&key), "somebody-else", &csr, NULL));
	CU_ASSERT_TRUE_FATAL(pki_key_raw(buf_bytes(&key), scalar, point, NULL));
	ask_certificate(&s, "b1", buf_bytes(&csr));
	CU_ASSERT_EQUAL_FATAL(s.why.code, ERR_NONE);
	CU_ASSERT_TRUE(pki_read(buf_bytes(&s.result), &info, NULL));
	CU_ASSERT_STRING_EQUAL(info.name, "b1");
	CU_ASSERT_EQUAL(memcmp(info.point, point, sizeof(point)), 0);
	CU_ASSERT_FALSE(info.is_ca);
	CU_ASSERT_TRUE(pki_verify(buf_bytes(&s.result), buf_bytes(&ca), PKI_CLIENT, NOW_S, NULL));
	CU_ASSERT_TRUE(pki_verify(buf_bytes(&s.result), buf_bytes(&ca), PKI_SERVER, NOW_S, NULL));
	buf_clear(&key);
	buf_clear(&csr);
	buf_clear(&ca);
	scene_close(&s);
}

static void test_nobody_gets_a_certificate_called_central_nor_one_without_a_sound_request(void)
{
	struct scene s;
	struct buf key, csr;
	scene_open(&s);
	buf_init(&key, PKI_KEY_MAX);
	buf_init(&csr, PKI_CERT_MAX);
	CU_ASSERT_TRUE_FATAL(pki_key_new(&key, NULL) && pki_csr_new(buf_bytes(&key), "b1", &csr, NULL));
	ask_certificate(&s, "central", buf_bytes(&csr));
	CU_ASSERT_EQUAL(s.why.code, ERR_DENIED);
	ask_certificate(&s, "+", buf_bytes(&csr));
	CU_ASSERT_EQUAL(s.why.code, ERR_INPUT);
	ask_certificate(&s, "b1", (struct bytes){ csr.data, 0 });
	CU_ASSERT_EQUAL(s.why.code, ERR_INPUT);
	csr.data[csr.len - 1] ^= 1; /* of the signature */
	ask_certificate(&s, "b1", buf_bytes(&csr));
	CU_ASSERT_NOT_EQUAL(s.why.code, ERR_NONE);
	CU_ASSERT_EQUAL(s.result.len, 0);
	buf_clear(&key);
	buf_clear(&csr);
	scene_close(&s);
}

static void test_a_signer_that_dies_fails_what_it_was_asked_and_comes_back(void)
{
	struct scene s;
	struct head h = { .sequence = 1, .issued_s = NOW_S, .expires_s = NOW_S + 10 };
	struct buf payload;
	struct err e = { 0 };
	scene_open(&s);
	buf_init(&payload, 4096);
	CU_ASSERT_TRUE_FATAL(head_encode(&h, &payload, NULL));
	kill(signer_pid(s.signer), SIGSTOP);
	CU_ASSERT_TRUE_FATAL(signer_head(s.signer, buf_bytes(&payload), on_answer, &s, &e));
	kill(signer_pid(s.signer), SIGKILL);
	run_until(&s, &s.answers, 1);
	CU_ASSERT_EQUAL(s.why.code, ERR_IO);
	CU_ASSERT_FALSE(signer_is_ready(s.signer));
	CU_ASSERT_FALSE(signer_head(s.signer, buf_bytes(&payload), on_answer, &s, &e));
	CU_ASSERT_EQUAL(e.code, ERR_IO);
	run_until(&s, &s.ready, 2);
	ask_head(&s, 2);
	CU_ASSERT_EQUAL(s.why.code, ERR_NONE);
	buf_clear(&payload);
	scene_close(&s);
}

static void test_questions_have_a_limit_and_who_is_gone_hears_nothing(void)
{
	struct scene s;
	struct err e = { 0 };
	scene_open(&s);
	for (int i = 0; i < SIGNER_QUESTIONS_MAX; i++)
		CU_ASSERT_TRUE_FATAL(signer_head(s.signer, bytes_of("x"), on_answer, &s, &e));
	CU_ASSERT_FALSE(signer_head(s.signer, bytes_of("x"), on_answer, &s, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	signer_cancel(s.signer, &s);
	for (int i = 0; i < 20; i++)
		loop_once(s.loop, 10);
	CU_ASSERT_EQUAL(s.answers, 0);
	scene_close(&s);
}

/* --- the directory --- */

static void test_nothing_of_a_central_that_is_there_is_overwritten(void)
{
	struct init_options o = {
		.dir = test_dir(), .host = "127.0.0.1", .broker_port = 1, .api_port = 2, .now_s = NOW_S
	};
	char path[128];
	struct stat before, after;
	struct err e = { 0 };
	CU_ASSERT_TRUE_FATAL(init_run(&o, &e));
	snprintf(path, sizeof(path), "%s/ca.key", o.dir);
	CU_ASSERT_EQUAL_FATAL(stat(path, &before), 0);
	CU_ASSERT_EQUAL(before.st_mode & 0777, 0600);
	CU_ASSERT_FALSE(init_run(&o, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_EQUAL_FATAL(stat(path, &after), 0);
	CU_ASSERT_EQUAL(before.st_ino, after.st_ino);
}

static void test_a_bad_host_or_port_makes_nothing(void)
{
	static const char *const hosts[] = { "", "a b", "x\ny", "*", "host'" };
	struct init_options o = { .dir = test_dir(), .host = "ok", .broker_port = 0, .api_port = 2, .now_s = NOW_S };
	char path[128];
	struct stat st;
	CU_ASSERT_FALSE(init_run(&o, NULL));
	o.broker_port = 70000;
	CU_ASSERT_FALSE(init_run(&o, NULL));
	o.broker_port = 1;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		o.host = hosts[i];
		CU_ASSERT_FALSE(init_run(&o, NULL));
	}
	snprintf(path, sizeof(path), "%s/ca.key", o.dir);
	CU_ASSERT_NOT_EQUAL(stat(path, &st), 0);
}

static CU_TestInfo tests[] = {
	{ "of the ledger one head a day is signed, and none from before",
	  test_of_the_ledger_one_head_a_day_is_signed_and_none_from_before },
	{ "a head is signed only above the last sequence", test_a_head_is_signed_only_above_the_last_sequence },
	{ "what is no head is not signed", test_what_is_no_head_is_not_signed },
	{ "a certificate carries the name asked for and descends from the CA",
	  test_a_certificate_carries_the_name_asked_for_and_descends_from_the_ca },
	{ "nobody gets a certificate called central, nor one without a sound request",
	  test_nobody_gets_a_certificate_called_central_nor_one_without_a_sound_request },
	{ "a signer that dies fails what it was asked and comes back",
	  test_a_signer_that_dies_fails_what_it_was_asked_and_comes_back },
	{ "questions have a limit, and who is gone hears nothing",
	  test_questions_have_a_limit_and_who_is_gone_hears_nothing },
	{ "nothing of a central that is there is overwritten",
	  test_nothing_of_a_central_that_is_there_is_overwritten },
	{ "a bad host or port makes nothing", test_a_bad_host_or_port_makes_nothing },
	CU_TEST_INFO_NULL,
};
SUITE(signer, NULL, NULL, tests);
