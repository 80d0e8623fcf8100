#include "protocol/base/proc.h"
#include "tests/support/child.h"
#include "tests/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAY = 16, DIE, HANG, BREAK, STRAY };
#define STRAY_FD 77

/* The child: answers SAY with the same, and does what it is told. */

static struct channel *channel;

static void child_told(void *arg, uint8_t type, struct bytes payload)
{
	(void)arg;
	uint8_t is_open = fcntl(STRAY_FD, F_GETFD) >= 0;
	switch (type) {
	case DIE: exit(7);
	case HANG: raise(SIGSTOP); break;
	case BREAK:
		if (write(CHANNEL_FD, "\xff\xff\xff\xff", 4) != 4)
			exit(8);
		break;
	case STRAY: channel_send(channel, STRAY, (struct bytes){ &is_open, 1 }); break;
	default: channel_send(channel, type, payload);
	}
}

static int child_main(void)
{
	struct loop *l = loop_new();
	channel = channel_open(l, CHANNEL_FD, child_told, NULL);
	loop_run(l);
	return 0;
}
ROLE(proc_echo, "test-echo", child_main);

static int silent_main(void)
{
	pause();
	return 0;
}
ROLE(proc_silent, "test-silent", silent_main);

static int short_main(void)
{
	return 3;
}
ROLE(proc_short, "test-short", short_main);

/* The parent. */

static struct loop *loop;
static struct proc *proc;
static struct {
	unsigned started, stopped, frames;
	uint8_t type;
	char text[64], why[240];
	bool stop_when_stopped;
	int64_t started_ms[8];
} seen;

static void on_started(void *arg)
{
	(void)arg;
	if (seen.started < 8)
		seen.started_ms[seen.started] = loop_now_ms();
	seen.started++;
}

static void on_frame(void *arg, uint8_t type, struct bytes payload)
{
	(void)arg;
	seen.frames++;
	seen.type = type;
	snprintf(seen.text, sizeof(seen.text), "%.*s", (int)payload.len, (const char *)payload.data);
}

static void on_stopped(void *arg, const char *why)
{
	(void)arg;
	seen.stopped++;
	snprintf(seen.why, sizeof(seen.why), "%s", why);
	if (seen.stop_when_stopped) {
		proc_stop(proc);
		proc = NULL;
	}
}

static const struct proc_events events = { on_started, on_frame, on_stopped };
static const struct proc_options options = {
	.ping_ms = 100, .hang_ms = 400, .backoff_min_ms = 20, .backoff_max_ms = 200
};

static void setup(void)
{
	memset(&seen, 0, sizeof(seen));
	loop = loop_new();
	proc = NULL;
}

static void teardown(void)
{
	proc_stop(proc);
	loop_free(loop);
}

static bool until(const unsigned *counter, unsigned at_least, int ms)
{
	int64_t end = loop_now_ms() + ms;
	while (*counter < at_least && loop_now_ms() < end)
		loop_once(loop, 20);
	return *counter >= at_least;
}

static void start(const char *role)
{
	proc = proc_start_with(loop, role, &options, &events, NULL);
	CU_ASSERT_EQUAL(seen.started, 0);
	CU_ASSERT_EQUAL(proc_pid(proc), 0);
	CU_ASSERT_TRUE_FATAL(until(&seen.started, 1, 5000));
}

static void a_child_answers_over_its_channel(void)
{
	start("test-echo");
	CU_ASSERT_TRUE(proc_pid(proc) > 0);
	CU_ASSERT_TRUE(proc_send(proc, SAY, bytes_of("hello")));
	CU_ASSERT_TRUE(until(&seen.frames, 1, 5000));
	CU_ASSERT_EQUAL(seen.type, SAY);
	CU_ASSERT_STRING_EQUAL(seen.text, "hello");
	for (int64_t end = loop_now_ms() + 900; loop_now_ms() < end;)
		loop_once(loop, 50); /* longer than hang_ms: it answers its pings */
	CU_ASSERT_EQUAL(seen.stopped, 0);
	CU_ASSERT_EQUAL(proc_restarts(proc), 0);
}

static void a_child_inherits_no_descriptor_but_its_channel(void)
{
	CU_ASSERT_EQUAL_FATAL(dup2(2, STRAY_FD), STRAY_FD); /* without close-on-exec */
	start("test-echo");
	close(STRAY_FD);
	CU_ASSERT_TRUE(proc_send(proc, STRAY, bytes_of("")));
	CU_ASSERT_TRUE(until(&seen.frames, 1, 5000));
	CU_ASSERT_EQUAL(seen.type, STRAY);
	CU_ASSERT_EQUAL(seen.text[0], 0);
}

static void a_child_that_exits_is_started_again(void)
{
	start("test-echo");
	CU_ASSERT_TRUE(proc_send(proc, DIE, bytes_of("")));
	CU_ASSERT_TRUE(until(&seen.started, 2, 5000));
	CU_ASSERT_STRING_EQUAL(seen.why, "exited with status 7");
	CU_ASSERT_EQUAL(proc_restarts(proc), 1);
	CU_ASSERT_TRUE(proc_send(proc, SAY, bytes_of("again")));
	CU_ASSERT_TRUE(until(&seen.frames, 1, 5000));
}

static void a_child_killed_from_outside_is_started_again(void)
{
	start("test-echo");
	kill(proc_pid(proc), SIGTERM);
	CU_ASSERT_TRUE(until(&seen.started, 2, 5000));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen.why, "signal 15"));
	kill(proc_pid(proc), SIGKILL);
	CU_ASSERT_TRUE(until(&seen.started, 3, 5000));
}

static void a_child_that_hangs_is_killed_and_the_parent_goes_on(void)
{
	start("test-echo");
	CU_ASSERT_TRUE(proc_send(proc, HANG, bytes_of("")));
	int64_t begin = loop_now_ms(), longest = 0, last = begin;
	while (seen.stopped == 0 && loop_now_ms() - begin < 5000) {
		loop_once(loop, 10);
		longest = loop_now_ms() - last > longest ? loop_now_ms() - last : longest;
		last = loop_now_ms();
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(seen.why, "did not answer for"));
	CU_ASSERT_TRUE(loop_now_ms() - begin < 2500);
	CU_ASSERT_TRUE(longest < 500);
	CU_ASSERT_TRUE(until(&seen.started, 2, 5000));
}

static void a_child_that_never_answers_is_killed(void)
{
	start("test-silent");
	CU_ASSERT_TRUE(until(&seen.stopped, 1, 5000));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen.why, "did not answer"));
}

static void a_child_that_breaks_the_framing_is_killed(void)
{
	start("test-echo");
	CU_ASSERT_TRUE(proc_send(proc, BREAK, bytes_of("")));
	CU_ASSERT_TRUE(until(&seen.started, 2, 5000));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen.why, "no frame"));
}

static void the_back_off_doubles_to_its_most(void)
{
	start("test-short");
	CU_ASSERT_TRUE(until(&seen.started, 7, 8000));
	CU_ASSERT_STRING_EQUAL(seen.why, "exited with status 3");
	for (int i = 0; i < 6; i++) {
		int64_t least = 20LL << i < 200 ? 20LL << i : 200, gap = seen.started_ms[i + 1] - seen.started_ms[i];
		CU_ASSERT_TRUE(gap >= least - 2);
	}
}

static void a_program_that_is_not_there_is_tried_again(void)
{
	struct proc_options o = options;
	o.exe = "/nonexistent/program";
	proc = proc_start_with(loop, "x", &o, &events, NULL);
	CU_ASSERT_TRUE(until(&seen.stopped, 2, 5000));
	CU_ASSERT_STRING_EQUAL(seen.why, "exited with status 127");
}

static void a_restart_waits_for_no_back_off(void)
{
	start("test-echo");
	int old = proc_pid(proc);
	int64_t begin = loop_now_ms();
	proc_restart(proc);
	CU_ASSERT_FALSE(proc_send(proc, SAY, bytes_of("x"))); /* to the old one, in vain */
	CU_ASSERT_TRUE(until(&seen.started, 2, 5000));
	CU_ASSERT_TRUE(loop_now_ms() - begin < 1000);
	CU_ASSERT_NOT_EQUAL(proc_pid(proc), old);
}

static void a_proc_may_be_stopped_inside_its_callback(void)
{
	seen.stop_when_stopped = true;
	start("test-short");
	CU_ASSERT_TRUE(until(&seen.stopped, 1, 5000));
	CU_ASSERT_PTR_NULL(proc);
	loop_once(loop, 50);
	CU_ASSERT_EQUAL(seen.started, 1);
}

static void a_stopped_child_is_reaped(void)
{
	start("test-echo");
	int pid = proc_pid(proc);
	proc_stop(proc);
	proc = NULL;
	CU_ASSERT_NOT_EQUAL(kill(pid, 0), 0);
	CU_ASSERT_EQUAL(seen.stopped, 0);
}

static CU_TestInfo tests[] = {
	{ "a child answers over its channel, and its pings", a_child_answers_over_its_channel },
	{ "a child inherits no descriptor but its channel", a_child_inherits_no_descriptor_but_its_channel },
	{ "a child that exits is started again", a_child_that_exits_is_started_again },
	{ "a child killed from outside is started again", a_child_killed_from_outside_is_started_again },
	{ "a child that hangs is killed, and the parent goes on",
	  a_child_that_hangs_is_killed_and_the_parent_goes_on },
	{ "a child that never answers is killed", a_child_that_never_answers_is_killed },
	{ "a child that breaks the framing is killed", a_child_that_breaks_the_framing_is_killed },
	{ "the back-off doubles to its most", the_back_off_doubles_to_its_most },
	{ "a program that is not there is tried again", a_program_that_is_not_there_is_tried_again },
	{ "a restart waits for no back-off", a_restart_waits_for_no_back_off },
	{ "a proc may be stopped inside its callback", a_proc_may_be_stopped_inside_its_callback },
	{ "a stopped child is reaped", a_stopped_child_is_reaped },
	CU_TEST_INFO_NULL,
};
SUITE(proc, setup, teardown, tests);
