#include "protocol/base/worker.h"
#include "tests/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIG      3000000U /* many times a pipe's buffer */
#define STRAY_FD 77
#define LIMIT_MS 20000

static struct loop *loop;
static struct workers *pool;
static char secret[16] = "a secret key";

/* What each job became. */
struct seen {
	unsigned ends;
	bool ok;
	struct err why;
	size_t len;
	char text[128];
	unsigned order;
};
static unsigned ended; /* jobs in all */

static void on_done(void *arg, struct bytes out, const struct err *why)
{
	struct seen *s = arg;
	s->ends++;
	s->ok = why == NULL;
	s->order = ++ended;
	s->len = out.len;
	if (why != NULL)
		s->why = *why;
	else
		snprintf(s->text, sizeof(s->text), "%.*s", (int)out.len, (const char *)out.data);
}

static bool says_hello(void *arg, struct buf *out, struct err *e)
{
	(void)arg, (void)e;
	return buf_add_fmt(out, "hello from %d", (int)getppid());
}

static bool says_much(void *arg, struct buf *out, struct err *e)
{
	(void)arg, (void)e;
	uint8_t *at = buf_grow(out, BIG);
	if (at != NULL)
		memset(at, 'x', BIG);
	return at != NULL;
}

static bool fails(void *arg, struct buf *out, struct err *e)
{
	(void)arg, (void)out;
	return err_set(e, ERR_CONFLICT, "row 7: the list has moved on");
}

static bool sleeps(void *arg, struct buf *out, struct err *e)
{
	(void)arg, (void)out, (void)e;
	worker_progress(3, 10);
	while (pause() != 0)
		;
	return true;
}

static bool waits_a_little(void *arg, struct buf *out, struct err *e)
{
	(void)arg, (void)e;
	usleep(100000);
	return buf_add_str(out, "done");
}

static bool aborts(void *arg, struct buf *out, struct err *e)
{
	(void)arg, (void)out, (void)e;
	abort();
}

static bool leaves(void *arg, struct buf *out, struct err *e)
{
	(void)arg, (void)out, (void)e;
	_exit(0);
}

/* Open descriptors above the report's, and whether the key can still be read. */
static bool looks_around(void *arg, struct buf *out, struct err *e)
{
	int open_fds = 0;
	(void)arg, (void)e;
	for (int fd = 4; fd < 1024; fd++)
		open_fds += fcntl(fd, F_GETFD) >= 0;
	return buf_add_fmt(out, "%d %s %d", open_fds, secret, nice(0));
}

static void forget(void *arg)
{
	memset(arg, 0, sizeof(secret));
}

static bool input_turned(struct bytes input, struct buf *out, struct err *e)
{
	if (input.len == 0 || input.data[0] == '!')
		return err_set(e, ERR_DENIED, "not this one");
	for (size_t i = input.len; i > 0; i--)
		buf_add_u8(out, input.data[i - 1]);
	return buf_add_u8(out, fcntl(STRAY_FD, F_GETFD) >= 0 ? '!' : '.');
}
static int turner_main(void)
{
	return worker_main(BIG, input_turned);
}
ROLE(worker_turner, "test-turner", turner_main);

static void setup(void)
{
	const struct workers_config c = {
		.running_max = 2, .waiting_max = 3, .forget = forget, .forget_arg = secret
	};
	loop = loop_new();
	pool = workers_new(loop, &c);
	ended = 0;
}

static void teardown(void)
{
	workers_free(pool);
	loop_free(loop);
}

static struct worker_job job_of(bool (*work)(void *arg, struct buf *out, struct err *e), struct seen *s)
{
	*s = (struct seen){ 0 };
	return (struct worker_job){
		.what = "a test", .work = work, .done = on_done, .arg = s, .out_max = 4096, .limit_ms = LIMIT_MS
	};
}

static void start(const struct worker_job *job)
{
	struct err e = { 0 };
	CU_ASSERT_TRUE_FATAL(workers_start(pool, job, &e));
}

static void until_ended(const struct seen *s)
{
	int64_t end = loop_now_ms() + LIMIT_MS;
	while (s->ends == 0 && loop_now_ms() < end)
		loop_once(loop, 20);
	CU_ASSERT_EQUAL_FATAL(s->ends, 1);
}

static int the_pid;
static uint64_t the_progress;
static void first_keep(void *arg, const struct worker_view *v)
{
	(void)arg;
	if (the_pid == 0 && v->pid != 0) {
		the_pid = v->pid;
		the_progress = v->all != 0 ? 100 * v->done / v->all : 0;
	}
}

/* The pid of the first that runs, once it has said how far it is. */
static int pid_of_first(void)
{
	int64_t end = loop_now_ms() + LIMIT_MS;
	do {
		the_pid = 0;
		loop_once(loop, 20);
		workers_each(pool, first_keep, NULL);
	} while ((the_pid == 0 || the_progress == 0) && loop_now_ms() < end);
	return the_pid;
}

static void a_workers_bytes_come_back(void)
{
	struct seen s;
	char want[64];
	struct worker_job job = job_of(says_hello, &s);
	start(&job);
	CU_ASSERT_EQUAL(s.ends, 0);
	until_ended(&s);
	snprintf(want, sizeof(want), "hello from %d", (int)getpid());
	CU_ASSERT_STRING_EQUAL(s.text, want);
	CU_ASSERT_TRUE(workers_are_idle(pool));
	CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
}

static void an_answer_larger_than_a_pipes_buffer_comes_back_whole(void)
{
	struct seen s;
	struct worker_job job = job_of(says_much, &s);
	job.out_max = BIG;
	start(&job);
	until_ended(&s);
	CU_ASSERT_TRUE(s.ok);
	CU_ASSERT_EQUAL(s.len, BIG);
}

static void more_than_it_may_say_is_a_failure(void)
{
	struct seen s;
	struct worker_job job = job_of(says_much, &s);
	job.out_max = BIG - 1;
	start(&job);
	until_ended(&s);
	CU_ASSERT_FALSE(s.ok);
}

static void a_workers_own_error_comes_back_as_it_was(void)
{
	struct seen s;
	struct worker_job job = job_of(fails, &s);
	job.out_max = 0;
	start(&job);
	until_ended(&s);
	CU_ASSERT_FALSE(s.ok);
	CU_ASSERT_EQUAL(s.why.code, ERR_CONFLICT);
	CU_ASSERT_STRING_EQUAL(s.why.text, "row 7: the list has moved on");
}

static void a_worker_that_is_killed_or_dies_is_an_error_that_says_so(void)
{
	static const struct {
		bool (*work)(void *arg, struct buf *out, struct err *e);
		int signo;
		const char *says;
	} cases[] = {
		{ sleeps, SIGKILL, "a test: the worker was killed (signal 9)" },
		{ sleeps, SIGTERM, "a test: the worker was ended by signal 15" },
		{ aborts, 0, "a test: the worker ran out of memory" },
		{ leaves, 0, "a test: the worker came to no end" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen s;
		struct worker_job job = job_of(cases[i].work, &s);
		start(&job);
		if (cases[i].signo != 0)
			kill(pid_of_first(), cases[i].signo);
		until_ended(&s);
		CU_ASSERT_FALSE(s.ok);
		CU_ASSERT_EQUAL(s.why.code, ERR_IO);
		CU_ASSERT_PTR_NOT_NULL(strstr(s.why.text, cases[i].says));
	}
}

static void a_worker_that_is_stuck_is_stopped(void)
{
	struct seen s;
	struct worker_job job = job_of(sleeps, &s);
	job.limit_ms = 1000;
	start(&job);
	until_ended(&s);
	CU_ASSERT_EQUAL(s.why.code, ERR_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(s.why.text, "took longer than 1 s"));
}

static void two_run_at_once_and_the_others_wait_their_turn(void)
{
	struct seen s[5], refused;
	struct err e = { 0 };
	struct worker_job job;
	for (size_t i = 0; i < 5; i++) {
		job = job_of(i == 0 ? sleeps : waits_a_little, &s[i]);
		start(&job);
	}
	job = job_of(says_hello, &refused);
	CU_ASSERT_FALSE(workers_start(pool, &job, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	int sleeper = pid_of_first();
	until_ended(&s[4]); /* one after the other beside the sleeper */
	CU_ASSERT_TRUE(s[1].order < s[2].order && s[2].order < s[3].order && s[3].order < s[4].order);
	CU_ASSERT_EQUAL(s[0].ends, 0);
	CU_ASSERT_EQUAL(the_progress, 30);
	kill(sleeper, SIGKILL);
	until_ended(&s[0]);
	CU_ASSERT_EQUAL(refused.ends, 0);
}

static void at_the_end_those_that_run_and_wait_are_stopped_and_told(void)
{
	struct seen s[3];
	for (size_t i = 0; i < 3; i++) {
		struct worker_job job = job_of(sleeps, &s[i]);
		start(&job);
	}
	int pid = pid_of_first();
	workers_free(pool);
	pool = NULL;
	for (size_t i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(s[i].ends, 1);
		CU_ASSERT_EQUAL(s[i].why.code, ERR_STALE);
	}
	CU_ASSERT_NOT_EQUAL(kill(pid, 0), 0);
}

static void a_worker_has_no_descriptor_and_no_key_of_its_parents(void)
{
	struct seen s;
	struct worker_job job = job_of(looks_around, &s);
	int stray = open("/dev/null", O_RDONLY); /* not closed by exec */
	CU_ASSERT_EQUAL_FATAL(dup2(stray, STRAY_FD), STRAY_FD);
	start(&job);
	until_ended(&s);
	CU_ASSERT_STRING_EQUAL(s.text, "0  10");
	CU_ASSERT_STRING_EQUAL(secret, "a secret key");
	close(stray);
	close(STRAY_FD);
}

static void a_role_gets_its_input_and_an_empty_memory(void)
{
	struct seen s;
	struct worker_job job = job_of(NULL, &s);
	job.role = "test-turner";
	job.input = bytes_of("abc");
	dup2(0, STRAY_FD);
	start(&job);
	until_ended(&s);
	CU_ASSERT_STRING_EQUAL(s.text, "cba.");
	job = job_of(NULL, &s);
	job.role = "test-turner";
	job.input = bytes_of("!");
	start(&job);
	until_ended(&s);
	CU_ASSERT_EQUAL(s.why.code, ERR_DENIED);
	CU_ASSERT_STRING_EQUAL(s.why.text, "not this one");
	close(STRAY_FD);
}

#if !defined(__SANITIZE_ADDRESS__)
static bool takes_much(void *arg, struct buf *out, struct err *e)
{
	(void)arg, (void)e;
	uint8_t *at = buf_grow(out, 200 << 20);
	if (at != NULL)
		memset(at, 1, 200 << 20);
	return at != NULL;
}

static void a_worker_that_takes_too_much_memory_ends_and_says_so(void)
{
	struct seen s;
	struct worker_job job = job_of(takes_much, &s);
	job.out_max = 1 << 30;
	job.memory_max = 64 << 20;
	start(&job);
	until_ended(&s);
	CU_ASSERT_PTR_NOT_NULL(strstr(s.why.text, "ran out of memory"));
}
#endif

static CU_TestInfo tests[] = {
	{ "a worker's bytes come back", a_workers_bytes_come_back },
	{ "an answer larger than a pipe's buffer comes back whole",
	  an_answer_larger_than_a_pipes_buffer_comes_back_whole },
	{ "more than it may say is a failure", more_than_it_may_say_is_a_failure },
	{ "a worker's own error comes back as it was", a_workers_own_error_comes_back_as_it_was },
	{ "a worker that is killed or dies is an error that says so",
	  a_worker_that_is_killed_or_dies_is_an_error_that_says_so },
	{ "a worker that is stuck is stopped", a_worker_that_is_stuck_is_stopped },
	{ "two run at once and the others wait their turn", two_run_at_once_and_the_others_wait_their_turn },
	{ "at the end those that run and wait are stopped and told",
	  at_the_end_those_that_run_and_wait_are_stopped_and_told },
	{ "a worker has no descriptor and no key of its parent's",
	  a_worker_has_no_descriptor_and_no_key_of_its_parents },
	{ "a role gets its input and an empty memory", a_role_gets_its_input_and_an_empty_memory },
#if !defined(__SANITIZE_ADDRESS__)
	{ "a worker that takes too much memory ends and says so",
	  a_worker_that_takes_too_much_memory_ends_and_says_so },
#endif
	CU_TEST_INFO_NULL,
};
SUITE(worker, setup, teardown, tests);
