/* Long work beside everything else: a real system whose central imports a list in a worker, which is stopped, killed, or ended with it. */
#include "protocol/base/db.h"
#include "protocol/base/loop.h"
#include "tests/support/world.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS     400000
#define BAD_ROWS 5000                 /* more than one transaction takes */
#define CLEAR    "11010519491231002X" /* the specimen of GB 11643 */
#define SOON_MS  1500                 /* the tools' own starts are in it */
#define IMPORTS  5

static struct world w;
static struct world_branch *branch;
static char list[160];
static int64_t decisions;

static void list_make(void)
{
	FILE *f = fopen(list, "w");
	if (f == NULL)
		abort();
	fprintf(f, "kind,number,name,reason,until,note\n");
	for (unsigned i = 0; i < ROWS; i++) {
		char number[20];
		world_number(i, number);
		fprintf(f, "resident_id,%s,,1,,\n", number);
	}
	for (unsigned i = 0; i < BAD_ROWS; i++)
		fprintf(f, "resident_id,%u,,1,,\n", i);
	fclose(f);
}

static void setup(void)
{
	if (branch != NULL)
		return;
	world_open(&w);
	branch = world_branch_add(&w, "quay");
	snprintf(list, sizeof(list), "%s/large.csv", w.dir);
	list_make();
}

/* --- an import in the background --- */

struct import {
	pid_t pid;
	char log[160];
};

static struct import import_start(unsigned n)
{
	struct import i;
	char token[160];
	snprintf(token, sizeof(token), "%s/alice.token", w.dir);
	snprintf(i.log, sizeof(i.log), "%s/import%u.log", w.dir, n);
	unlink(i.log);
	i.pid = child_start((const char *const[]){ "centralctl", "-d", w.central_dir, "--token-file", token, "list",
						   "import", "large", list, NULL },
			    i.log);
	return i;
}

static bool import_ended(void *arg)
{
	return !child_is_running(((const struct import *)arg)->pid);
}

/* It has ended, and has printed the words. */
static bool import_said(struct import *i, const char *words)
{
	struct buf said;
	CU_ASSERT_TRUE(wait_until(import_ended, i, 120000));
	buf_init(&said, 1 << 20);
	CU_ASSERT_EQUAL(child_run_words(&said, "cat %s", i->log), 0);
	bool there = strstr(buf_str(&said), words) != NULL;
	buf_clear(&said);
	return there;
}

static void import_says(struct import *i, const char *words)
{
	CU_ASSERT_TRUE(import_said(i, words));
	if (import_said(i, words))
		return;
	struct buf said;
	buf_init(&said, 1 << 20);
	child_run_words(&said, "cat %s", i->log);
	printf("\n    not said: %s\n%s", words, buf_str(&said));
	buf_clear(&said);
}

/* How many of central's jobs run (or wait), and the pid of the first that runs. */
static size_t work(const char *state, pid_t *pid)
{
	struct json *j = world_ctl_json(&w, NULL, "status");
	const struct json *all = json_get(j, "work");
	size_t n = 0;
	for (size_t i = 0; i < json_len(all); i++) {
		const char *is = "";
		int64_t p = 0;
		if (!json_text(json_at(all, i), "state", 20, &is, NULL) || strcmp(is, state) != 0)
			continue;
		n++;
		if (pid != NULL && *pid == 0 && json_int(json_at(all, i), "pid", 1, INT32_MAX, &p, NULL))
			*pid = (pid_t)p;
	}
	json_free(j);
	return n;
}

static bool work_runs(void *arg)
{
	pid_t *pid = arg;
	*pid = 0;
	return work("running", pid) > 0;
}

/* The worker, held where it is. */
static pid_t worker_held(void)
{
	pid_t pid = 0;
	CU_ASSERT_TRUE_FATAL(wait_until(work_runs, &pid, 20000));
	CU_ASSERT_EQUAL_FATAL(kill(pid, SIGSTOP), 0);
	return pid;
}

static bool pid_is_gone(void *arg)
{
	return kill(*(pid_t *)arg, 0) != 0;
}

static int64_t drafts(void)
{
	struct json *j = world_ctl_json(&w, NULL, "release list --name large");
	int64_t n = (int64_t)json_len(json_get(j, "releases"));
	json_free(j);
	return n;
}

static int64_t rows_of(const char *sql)
{
	char path[160];
	struct err e = { 0 };
	int64_t n = -1;
	snprintf(path, sizeof(path), "%s/central.db", w.central_dir);
	struct db *db = db_open(path, DB_READ, &e);
	CU_ASSERT_TRUE_FATAL(db != NULL && db_run_int(db, &n, &e, sql, ""));
	db_close(db);
	return n;
}

static void all_is_consistent(int64_t drafts_want)
{
	CU_ASSERT_EQUAL(rows_of("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
	CU_ASSERT_EQUAL(rows_of("SELECT count(*) FROM release WHERE name = 'large'"), drafts_want);
	CU_ASSERT_EQUAL(rows_of("SELECT count(*) FROM reject"), drafts_want * BAD_ROWS);
	CU_ASSERT_EQUAL(drafts(), drafts_want);
	struct buf said;
	buf_init(&said, 1 << 20);
	CU_ASSERT_NOT_EQUAL(child_run_words(&said, "find %s/objects -name *.tmp", w.central_dir), -1);
	CU_ASSERT_STRING_EQUAL(buf_str(&said), "");
	buf_clear(&said);
}

/* A check at the branch, and how long until central shows it. */
static int64_t acknowledged_ms(unsigned n)
{
	char request[32], outcome[16];
	snprintf(request, sizeof(request), "work-%u", n);
	int64_t start = loop_now_ms();
	CU_ASSERT_EQUAL(world_check(&w, branch, request, "resident_id", CLEAR, outcome), 200);
	CU_ASSERT_TRUE(world_wait_decisions(&w, branch, ++decisions, 60000));
	return loop_now_ms() - start;
}

/* --- tests --- */

static void a_branchs_journal_is_acknowledged_while_a_list_is_imported(void)
{
	struct import i = import_start(0);
	pid_t worker = worker_held();
	CU_ASSERT_TRUE(acknowledged_ms(0) < SOON_MS);
	CU_ASSERT_EQUAL(work("running", NULL), 1);
	CU_ASSERT_FALSE(import_ended(&i));
	world_expect(&w, 0, "在做 / at work: import of list large by alice", NULL, "status");
	CU_ASSERT_EQUAL(kill(worker, SIGCONT), 0);
	CU_ASSERT_TRUE(acknowledged_ms(1) < SOON_MS);
	import_says(&i, "已导入为草稿");
	all_is_consistent(1);
}

static void a_worker_that_is_killed_leaves_nothing_and_the_operator_is_told(void)
{
	int64_t before = drafts();
	struct import i = import_start(1);
	pid_t worker = worker_held();
	CU_ASSERT_EQUAL(kill(worker, SIGKILL), 0);
	import_says(&i, "import of list large by alice: the worker was killed (signal 9)");
	all_is_consistent(before);
	CU_ASSERT_TRUE(acknowledged_ms(2) < SOON_MS);
}

static void a_central_that_is_killed_takes_its_worker_along_and_starts_again(void)
{
	int64_t before = drafts();
	struct import i = import_start(2);
	pid_t worker = worker_held();
	world_central_stop(&w, SIGKILL);
	CU_ASSERT_TRUE(wait_until(pid_is_gone, &worker, 5000));
	import_says(&i, "closed without an answer");
	world_central_start(&w);
	all_is_consistent(before);
	CU_ASSERT_TRUE(acknowledged_ms(3) < 60000);
	i = import_start(3);
	import_says(&i, "已导入为草稿");
	all_is_consistent(before + 1);
}

static void a_central_that_is_ended_ends_its_worker_and_says_so(void)
{
	int64_t before = drafts(), start;
	struct import i = import_start(4);
	pid_t worker = worker_held();
	start = loop_now_ms();
	world_central_stop(&w, SIGTERM);
	CU_ASSERT_TRUE(loop_now_ms() - start < 5000);
	CU_ASSERT_TRUE(pid_is_gone(&worker));
	import_says(&i, "the program is ending and has stopped it: do it again");
	world_central_start(&w);
	all_is_consistent(before);
}

static void imports_wait_their_turn_and_too_many_are_refused(void)
{
	struct import all[IMPORTS];
	int64_t before = drafts();
	unsigned taken = 0;
	all[0] = import_start(10);
	pid_t worker = worker_held();
	for (unsigned i = 1; i < IMPORTS; i++)
		all[i] = import_start(10 + i);
	while (import_ended(&all[1]) + import_ended(&all[2]) + import_ended(&all[3]) + import_ended(&all[4]) == 0)
		sleep_ms(20);
	CU_ASSERT_EQUAL(work("waiting", NULL), 3);
	CU_ASSERT_EQUAL(kill(worker, SIGCONT), 0);
	for (unsigned i = 0; i < IMPORTS; i++) {
		bool is_taken = import_said(&all[i], "已导入为草稿");
		taken += is_taken;
		if (!is_taken)
			import_says(&all[i], "try again in a while");
	}
	CU_ASSERT_EQUAL(taken, IMPORTS - 1);
	all_is_consistent(before + IMPORTS - 1);
}

static void the_world_ends(void)
{
	world_close(&w);
}

static CU_TestInfo tests[] = {
	{ "a branch's journal is acknowledged while a list is imported",
	  a_branchs_journal_is_acknowledged_while_a_list_is_imported },
	{ "a worker that is killed leaves nothing and the operator is told",
	  a_worker_that_is_killed_leaves_nothing_and_the_operator_is_told },
	{ "a central that is killed takes its worker along and starts again",
	  a_central_that_is_killed_takes_its_worker_along_and_starts_again },
	{ "a central that is ended ends its worker and says so",
	  a_central_that_is_ended_ends_its_worker_and_says_so },
	{ "imports wait their turn and too many are refused", imports_wait_their_turn_and_too_many_are_refused },
	{ "all ends cleanly", the_world_ends },
	CU_TEST_INFO_NULL,
};
SUITE(work, setup, NULL, tests);
