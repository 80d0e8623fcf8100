/*
 * Clients of centrald that want the same limit at the same time: processes that all begin at one moment and send until it is used up, each step
 * also under names that others use. What was answered with success must be what the books say, to the fen, and never above the limit.
 */
#include "protocol/base/file.h"
#include "protocol/base/http.h"
#include "tests/support/world.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS 8
#define NAMES   60 /* of each client's own, and as many that all share */

/* Made up; its check character is right. */
#define FIRM "91330802MA0000103C"

static struct world w;
static bool opened;
static char token[200];

static void setup(void)
{
	struct buf b;
	char path[120];
	int64_t id = 0;
	if (opened)
		return;
	opened = true;
	world_open(&w);
	struct json *j = world_ctl_json(&w, "alice", "document import guarantee central/sample/guarantee.json");
	CU_ASSERT_TRUE_FATAL(json_int(j, "id", 1, INT64_MAX, &id, NULL));
	json_free(j);
	CU_ASSERT_EQUAL(world_release(&w, id), 1);
	snprintf(path, sizeof(path), "%s/alice.token", w.dir);
	buf_init(&b, sizeof(token) - 1);
	CU_ASSERT_TRUE_FATAL(file_read(path, &b, NULL));
	snprintf(token, sizeof(token), "%s", buf_str(&b));
	token[strcspn(token, "\r\n")] = '\0';
	buf_clear(&b);
}

/* The HTTP status of one POST. */
static int post(const char *path, const char *body)
{
	char socket_path[160], headers[260];
	struct buf out;
	int status = 0;
	snprintf(socket_path, sizeof(socket_path), "%s/ctl.sock", w.central_dir);
	snprintf(headers, sizeof(headers), "Authorization: Bearer %s\r\n", token);
	buf_init(&out, 1U << 20);
	bool ok = http_call(socket_path, "POST", path, headers, bytes_of(body), 60000, &status, &out, NULL);
	buf_clear(&out);
	return ok ? status : -1;
}

/* What the clients were told, in memory they share. */
struct told {
	int go;
	int bad;                        /* answers that are neither success nor conflict */
	long long fen[CLIENTS];         /* of own names, by client */
	int shared[NAMES][CLIENTS];     /* of shared names: who was told success */
	long long paid[NAMES][CLIENTS]; /* what each was told is paid of a claim */
	int released[NAMES][CLIENTS];
};

static struct told *race(void (*client)(struct told *t, int n))
{
	pid_t pids[CLIENTS];
	struct told *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_FATAL(t != MAP_FAILED);
	for (int i = 0; i < CLIENTS; i++) {
		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		while (__atomic_load_n(&t->go, __ATOMIC_ACQUIRE) == 0)
			;
		client(t, i);
		_exit(0);
	}
	__atomic_store_n(&t->go, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < CLIENTS; i++) {
		int status = 0;
		CU_ASSERT(pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i] && status == 0);
	}
	CU_ASSERT_EQUAL(t->bad, 0);
	return t;
}

static bool told(struct told *t, int status)
{
	if (status != 200 && status != 409)
		__atomic_add_fetch(&t->bad, 1, __ATOMIC_RELAXED);
	return status == 200;
}

static int64_t number(const char *command, const char *key)
{
	int64_t v = -1;
	struct json *j = world_ctl_json(&w, NULL, "%s", command);
	CU_ASSERT_TRUE(json_int(j, key, 0, INT64_MAX, &v, NULL));
	json_free(j);
	return v;
}

/* --- the guarantee fund --- */

#define CAPITAL 400000 /* of each funded party: liable for ten times as much, of which the fund takes 40 % */
#define STEP    99990  /* a guarantee; 100 of them are below the leverage and the 101st is above it */

static void committer(struct told *t, int n)
{
	char body[200];
	for (int i = 0; i < NAMES; i++) {
		snprintf(body, sizeof(body),
			 "{\"name\":\"own-%d-%d\",\"programme\":\"small_firms\",\"enterprise\":\"" FIRM
			 "\",\"fen\":%d}",
			 n, i, STEP);
		if (told(t, post("/v1/guarantee/commit", body)))
			t->fen[n] += STEP;
		snprintf(body, sizeof(body),
			 "{\"name\":\"shared-%d\",\"programme\":\"small_firms\",\"enterprise\":\"" FIRM
			 "\",\"fen\":%d}",
			 i, STEP);
		t->shared[i][n] = told(t, post("/v1/guarantee/commit", body));
	}
}

static void guarantees_committed_at_once_never_pass_the_leverage(void)
{
	char body[160];
	long long sum = 0;
	for (int i = 0; i < 2; i++) {
		snprintf(body, sizeof(body),
			 "{\"request\":\"c%d\",\"programme\":\"small_firms\",\"party\":\"%s\",\"fen\":%d}", i,
			 i == 0 ? "fund" : "reguarantee", CAPITAL);
		CU_ASSERT_EQUAL(post("/v1/guarantee/capital", body), 200);
	}
	struct told *t = race(committer);
	for (int i = 0; i < CLIENTS; i++)
		sum += t->fen[i];
	for (int i = 0; i < NAMES; i++) {
		int success = 0;
		for (int k = 0; k < CLIENTS; k++)
			success += t->shared[i][k];
		sum += success > 0 ? STEP : 0; /* the same name counts once, whoever was told */
	}
	int64_t liable = number("guarantee party small_firms fund", "liable");
	CU_ASSERT_EQUAL(sum, 100LL * STEP); /* all that fits, and nothing more */
	CU_ASSERT(liable <= 10LL * CAPITAL && liable > 10LL * CAPITAL - STEP * 4 / 10);
	CU_ASSERT_EQUAL(liable, sum * 4 / 10);
	munmap(t, sizeof(*t));
	world_expect(&w, 0, "通过", NULL, "ledger verify");
}

/* --- subsidies --- */

#define BUDGET 10000
#define CLAIM  70 /* 142 fit */

static void claimer(struct told *t, int n)
{
	char body[200];
	for (int i = 0; i < NAMES; i++) {
		snprintf(body, sizeof(body),
			 "{\"claim\":\"own-%d-%d\",\"budget\":\"race\",\"payee\":\"firm-%d\",\"fen\":%d}", n, i, n,
			 CLAIM);
		if (told(t, post("/v1/subsidy/claim", body)))
			t->fen[n] += CLAIM;
		/* One name, another payee each: one of them has it. */
		snprintf(body, sizeof(body),
			 "{\"claim\":\"shared-%d\",\"budget\":\"race\",\"payee\":\"firm-%d\",\"fen\":%d}", i, n,
			 CLAIM);
		t->shared[i][n] = told(t, post("/v1/subsidy/claim", body));
	}
}

static void claims_made_at_once_never_pass_the_budget_and_a_name_has_one_payee(void)
{
	long long sum = 0;
	CU_ASSERT_EQUAL(post("/v1/subsidy/appropriate", "{\"request\":\"a1\",\"budget\":\"race\",\"fen\":10000}"),
			200);
	struct told *t = race(claimer);
	for (int i = 0; i < CLIENTS; i++)
		sum += t->fen[i];
	for (int i = 0; i < NAMES; i++) {
		int success = 0;
		for (int k = 0; k < CLIENTS; k++)
			success += t->shared[i][k];
		CU_ASSERT(success <= 1);
		sum += success * CLAIM;
	}
	CU_ASSERT_EQUAL(sum, BUDGET / CLAIM * CLAIM);
	CU_ASSERT_EQUAL(number("subsidy show race", "held"), sum);
	CU_ASSERT_EQUAL(number("subsidy show race", "left"), BUDGET - sum);
	munmap(t, sizeof(*t));
}

/* Each of the same claims: paid in full, paid in part, or released, by all at once. */
static void payer(struct told *t, int n)
{
	char body[120];
	for (int i = 0; i < NAMES; i++) {
		long long fen = n % 4 == 0 ? CLAIM : CLAIM - n;
		bool releases = n % 4 == 3;
		snprintf(body, sizeof(body), "{\"claim\":\"pay-%d\",\"fen\":%lld}", i, releases ? 0 : fen);
		bool ok = told(t, post(releases ? "/v1/subsidy/release" : "/v1/subsidy/pay", body));
		t->released[i][n] = ok && releases;
		t->paid[i][n] = ok && !releases ? fen : 0;
	}
}

static void a_claim_that_all_pay_at_once_is_paid_once(void)
{
	char body[160];
	long long sum = 0;
	CU_ASSERT_EQUAL(post("/v1/subsidy/appropriate", "{\"request\":\"a2\",\"budget\":\"pays\",\"fen\":100000}"),
			200);
	for (int i = 0; i < NAMES; i++) {
		snprintf(body, sizeof(body),
			 "{\"claim\":\"pay-%d\",\"budget\":\"pays\",\"payee\":\"firm\",\"fen\":%d}", i, CLAIM);
		CU_ASSERT_EQUAL(post("/v1/subsidy/claim", body), 200);
	}
	struct told *t = race(payer);
	for (int i = 0; i < NAMES; i++) {
		long long paid = 0;
		int released = 0, ways = 0;
		for (int k = 0; k < CLIENTS; k++) {
			released |= t->released[i][k];
			if (t->paid[i][k] > 0 && t->paid[i][k] != paid) {
				paid = t->paid[i][k]; /* the same payment sent again is a success too */
				ways++;
			}
		}
		CU_ASSERT_EQUAL(ways + released, 1);
		sum += paid;
	}
	CU_ASSERT_EQUAL(number("subsidy show pays", "paid"), sum);
	CU_ASSERT_EQUAL(number("subsidy show pays", "held"), 0);
	munmap(t, sizeof(*t));
	world_expect(&w, 0, "通过", NULL, "ledger verify");
	world_close(&w);
}

static CU_TestInfo tests[] = {
	{ "guarantees committed at once never pass the leverage",
	  guarantees_committed_at_once_never_pass_the_leverage },
	{ "claims made at once never pass the budget, and a name has one payee",
	  claims_made_at_once_never_pass_the_budget_and_a_name_has_one_payee },
	{ "a claim that all pay at once is paid once", a_claim_that_all_pay_at_once_is_paid_once },
	CU_TEST_INFO_NULL,
};
SUITE(race_system, setup, NULL, tests);
