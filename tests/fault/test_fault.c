/*
 * Faults on the whole system of real parts: broker, daemons and children killed, stopped and brought back. After each: every
 * answered check is in the branch's journal and at central exactly once, the list is the old or the new version, nothing serves
 * that does not verify.
 */
#include "tests/support/world.h"
#include "tests/test.h"

#include "protocol/base/file.h"
#include "protocol/base/loop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENTRIES   4000
#define SETTLE_MS 60000
#define CLEAR     "11010519491231002X"

static struct world w;
static struct world_branch *branch;
static bool opened;
static unsigned asked; /* checks answered with 200 so far, each with an id of its own */
static char csv[160];
static unsigned entries;

static void setup(void)
{
	if (opened)
		return;
	opened = true;
	world_open(&w);
	branch = world_branch_add(&w, "quay");
	snprintf(csv, sizeof(csv), "%s/list.csv", w.dir);
	entries = ENTRIES;
	world_csv(csv, 0, entries);
	int64_t version = world_publish(&w, "black-fraud", csv, "");
	CU_ASSERT_TRUE_FATAL(world_wait_version(branch, "black-fraud", version, SETTLE_MS));
}

/* One check of a listed or of another number; true when it was answered. The answer must be right whenever there is one. */
static bool ask(bool listed)
{
	char id[40], number[20] = CLEAR, outcome[16];
	static unsigned tries;
	snprintf(id, sizeof(id), "f-%u", tries++);
	if (listed)
		world_number(tries % ENTRIES, number);
	int status = world_check(&w, branch, id, "resident_id", number, outcome);
	if (status != 200)
		return false;
	asked++;
	if (strcmp(outcome, listed ? "refuse" : "enhanced") != 0)
		printf("\n    %s %s → %s", id, number, outcome);
	CU_ASSERT_STRING_EQUAL(outcome, listed ? "refuse" : "enhanced");
	return true;
}

/* A release that adds a few entries; returns its version. */
static int64_t release_more(void)
{
	entries += 20;
	world_csv(csv, 0, entries);
	return world_publish(&w, "black-fraud", csv, "");
}

/* What the branch's journal holds and central has stored, once things have settled: as many as were answered, and each id once. A
   check that was written and whose answer was lost on the way is the only one there may be more. */
static void nothing_lost_nothing_twice(unsigned lost_answers)
{
	int64_t n = 0;
	for (int i = 0; i < SETTLE_MS / 500; i++) {
		struct json *j = world_branchctl_json(branch, "status");
		const struct json *journal = json_get(j, "journal");
		int64_t last = 0, acknowledged = -1;
		bool ok = journal != NULL && json_int(journal, "last", 0, INT64_MAX, &last, NULL) &&
			  json_int(journal, "acknowledged", 0, INT64_MAX, &acknowledged, NULL);
		json_free(j);
		n = world_decisions(&w, branch);
		if (ok && last == acknowledged && n >= asked)
			break;
		sleep_ms(500);
	}
	CU_ASSERT_TRUE(n >= asked && n <= asked + lost_answers);
	if (n < asked || n > asked + lost_answers)
		printf("\n    %u answered, %u answers lost, central has %lld", asked, lost_answers, (long long)n);
	asked = (unsigned)n;
	struct json *j = world_ctl_json(&w, NULL, "decision list --branch %s --limit 10000", branch->name);
	const struct json *all = json_get(j, "decisions");
	size_t twice = 0;
	for (size_t a = 0; a < json_len(all); a++) {
		const char *x = "", *y = "";
		for (size_t b = a + 1; b < json_len(all); b++)
			twice += json_text(json_at(all, a), "request_id", 64, &x, NULL) &&
				 json_text(json_at(all, b), "request_id", 64, &y, NULL) && strcmp(x, y) == 0;
	}
	CU_ASSERT_EQUAL(twice, 0);
	json_free(j);
	CU_ASSERT_EQUAL(world_branchctl(branch, NULL, "journal verify"), 0);
}

static void a_broker_that_restarts_or_dies_loses_nothing(void)
{
	static const int signals[] = { SIGTERM, SIGKILL };
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_TRUE(ask(true) && ask(false));
		world_broker_stop(&w, signals[i]);
		for (int k = 0; k < 5; k++)
			CU_ASSERT_TRUE(ask(k % 2 == 0));
		int64_t version = release_more();
		world_broker_start(&w);
		CU_ASSERT_TRUE(world_wait_version(branch, "black-fraud", version, SETTLE_MS));
		nothing_lost_nothing_twice(0);
	}
}

static void a_half_open_line_is_noticed_and_recovered_from(void)
{
	kill(w.broker, SIGSTOP);
	for (int k = 0; k < 3; k++)
		CU_ASSERT_TRUE(ask(true));
	sleep_ms(3000);
	kill(w.broker, SIGCONT);
	int64_t version = release_more();
	CU_ASSERT_TRUE(world_wait_version(branch, "black-fraud", version, SETTLE_MS));
	nothing_lost_nothing_twice(0);
}

static void a_broker_that_comes_up_last_is_found(void)
{
	world_branch_stop(branch, SIGTERM);
	world_central_stop(&w, SIGTERM);
	world_broker_stop(&w, SIGTERM);
	world_branch_start(&w, branch);
	CU_ASSERT_TRUE(ask(true) && ask(false));
	world_central_start(&w);
	int64_t version = release_more();
	sleep_ms(2000);
	world_broker_start(&w);
	CU_ASSERT_TRUE(world_wait_version(branch, "black-fraud", version, SETTLE_MS));
	nothing_lost_nothing_twice(0);
}

/* In a child, so that the check goes on while the branch dies under it. */
static void kill_branch_while(bool releasing, unsigned round, unsigned *lost_answers)
{
	if (releasing)
		release_more();
	for (int k = 0; k < 4; k++)
		ask(k % 2 == 0);
	unsigned delay_ms = (round * 37) % 180;
	pid_t killer = fork();
	if (killer == 0) {
		sleep_ms((int)delay_ms);
		kill(branch->pid, SIGKILL);
		_exit(0);
	}
	for (int k = 0; k < 40; k++) {
		if (!ask(k % 2 == 0)) {
			(*lost_answers)++;
			break;
		}
	}
	waitpid(killer, NULL, 0);
	world_branch_stop(branch, SIGKILL);
	world_branch_start(&w, branch);
}

static bool asks(void *arg)
{
	(void)arg;
	return ask(true);
}

static void a_branch_killed_at_any_moment_keeps_what_it_answered(void)
{
	unsigned lost_answers = 0;
	for (unsigned round = 0; round < 10; round++) {
		kill_branch_while(round % 2 == 0, round, &lost_answers);
		CU_ASSERT_TRUE_FATAL(wait_until(asks, NULL, SETTLE_MS));
	}
	int64_t version = release_more();
	CU_ASSERT_TRUE(world_wait_version(branch, "black-fraud", version, SETTLE_MS));
	nothing_lost_nothing_twice(lost_answers);
}

static void central_killed_at_any_moment_stores_each_row_once(void)
{
	int64_t version = 0;
	for (unsigned round = 0; round < 8; round++) {
		for (int k = 0; k < 6; k++)
			CU_ASSERT_TRUE(ask(k % 2 == 0));
		sleep_ms((int)(round * 53 % 300));
		world_central_stop(&w, SIGKILL);
		CU_ASSERT_TRUE(ask(true));
		world_central_start(&w);
		if (round % 2 == 1)
			version = release_more();
	}
	CU_ASSERT_TRUE(world_wait_version(branch, "black-fraud", version, SETTLE_MS));
	nothing_lost_nothing_twice(0);
}

/* The pid of the daemon's child that plays the role. */
static pid_t child_of(pid_t parent, const char *role)
{
	struct buf out;
	buf_init(&out, 65536);
	child_run_words(&out, "pgrep -P %d -f %s", (int)parent, role);
	pid_t pid = (pid_t)strtol(buf_str(&out), NULL, 10);
	buf_clear(&out);
	return pid;
}

static void a_child_that_dies_or_hangs_is_replaced_and_takes_no_parent_along(void)
{
	struct {
		pid_t parent;
		const char *role;
		int signo;
	} cases[] = {
		{ branch->pid, "gate", SIGKILL }, { w.central, "gate", SIGKILL },   { w.central, "signer", SIGKILL },
		{ branch->pid, "gate", SIGSTOP }, { w.central, "signer", SIGSTOP },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pid_t child = child_of(cases[i].parent, cases[i].role);
		CU_ASSERT_TRUE_FATAL(child > 0);
		kill(child, cases[i].signo);
		CU_ASSERT_TRUE(wait_until(asks, NULL, SETTLE_MS));
		int64_t version = release_more();
		CU_ASSERT_TRUE(world_wait_version(branch, "black-fraud", version, SETTLE_MS));
		CU_ASSERT_TRUE(child_is_running(cases[i].parent));
		pid_t now = child_of(cases[i].parent, cases[i].role);
		CU_ASSERT_TRUE(now > 0 && now != child);
	}
	nothing_lost_nothing_twice(8);
}

static void a_branch_away_for_two_hundred_releases_catches_up(void)
{
	world_branch_stop(branch, SIGTERM);
	int64_t version = 0;
	for (int i = 0; i < 200; i++)
		version = release_more();
	int64_t from = loop_now_ms();
	world_branch_start(&w, branch);
	CU_ASSERT_TRUE(ask(true));
	CU_ASSERT_TRUE(world_wait_version(branch, "black-fraud", version, SETTLE_MS));
	printf("(%lld ms) ", (long long)(loop_now_ms() - from));
	char number[20], outcome[16];
	world_number(entries - 1, number);
	CU_ASSERT_EQUAL(world_check(&w, branch, "after-200", "resident_id", number, outcome), 200);
	CU_ASSERT_STRING_EQUAL(outcome, "refuse");
	asked++;
	nothing_lost_nothing_twice(0);
}

static void everything_still_ends_cleanly(void)
{
	world_close(&w);
}

static CU_TestInfo tests[] = {
	{ "a broker that restarts or dies loses nothing", a_broker_that_restarts_or_dies_loses_nothing },
	{ "a half-open line is noticed and recovered from", a_half_open_line_is_noticed_and_recovered_from },
	{ "a broker that comes up last is found", a_broker_that_comes_up_last_is_found },
	{ "a branch killed at any moment keeps what it answered",
	  a_branch_killed_at_any_moment_keeps_what_it_answered },
	{ "central killed at any moment stores each row once", central_killed_at_any_moment_stores_each_row_once },
	{ "a child that dies or hangs is replaced and takes no parent along",
	  a_child_that_dies_or_hangs_is_replaced_and_takes_no_parent_along },
	{ "a branch away for two hundred releases catches up", a_branch_away_for_two_hundred_releases_catches_up },
	{ "everything still ends cleanly", everything_still_ends_cleanly },
	CU_TEST_INFO_NULL,
};
SUITE(fault, setup, NULL, tests);
