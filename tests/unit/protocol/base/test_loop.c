#include "protocol/base/loop.h"
#include "tests/test.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static struct loop *loop;
static char order[64];
static size_t order_len;

static void setup(void)
{
	loop = loop_new();
	order_len = 0;
}

static void teardown(void)
{
	loop_free(loop);
}

static void note(char c)
{
	if (order_len + 1 < sizeof(order))
		order[order_len++] = c;
	order[order_len] = '\0';
}

static char letters[] = "abcCs";
#define LETTER(i) (&letters[i])

static void fire_note(void *arg)
{
	note(*(const char *)arg);
}

static void turn(int times)
{
	for (int i = 0; i < times; i++)
		loop_once(loop, 20);
}

static void timers_fire_in_order_and_once(void)
{
	struct loop_timer *a = loop_timer_new(loop, fire_note, LETTER(0)),
			  *b = loop_timer_new(loop, fire_note, LETTER(1));
	struct loop_timer *c = loop_timer_new(loop, fire_note, LETTER(2));
	loop_timer_set(a, 30);
	loop_timer_set(b, 0);
	loop_timer_set(c, 10);
	loop_timer_stop(c);
	CU_ASSERT_TRUE(loop_timer_is_set(a) && !loop_timer_is_set(c));
	turn(6);
	CU_ASSERT_STRING_EQUAL(order, "ba");
	CU_ASSERT_FALSE(loop_timer_is_set(a));
	loop_timer_free(a);
	loop_timer_free(b);
	loop_timer_free(c);
	loop_timer_free(NULL);
}

struct pair {
	int fd;
	struct loop_fd *watch;
	char name;
};

static void ready_note(void *arg, unsigned what)
{
	struct pair *p = arg;
	char byte;
	if ((what & LOOP_READ) != 0 && read(p->fd, &byte, 1) == 1)
		note(p->name);
}

static void ready_free(void *arg, unsigned what)
{
	struct pair *p = arg;
	(void)what;
	loop_fd_free(p->watch);
	p->watch = NULL;
	note(p->name);
}

static void what_a_turn_shares_runs_after_all_that_was_ready(void)
{
	int a[2], b[2];
	if (pipe(a) != 0 || pipe(b) != 0)
		abort();
	struct pair pa = { .fd = a[0], .name = 'r' }, pb = { .fd = b[0], .name = 'r' };
	struct loop_timer *after = loop_after_turn_new(loop, fire_note, LETTER(3));
	pa.watch = loop_fd_new(loop, a[0], LOOP_READ, ready_note, &pa);
	pb.watch = loop_fd_new(loop, b[0], LOOP_READ, ready_note, &pb);
	CU_ASSERT_EQUAL(write(a[1], "x", 1), 1);
	CU_ASSERT_EQUAL(write(b[1], "x", 1), 1);
	loop_timer_set(after, 0);
	turn(1);
	CU_ASSERT_STRING_EQUAL(order, "rrC");
	loop_fd_set(pa.watch, 0); /* paused */
	CU_ASSERT_EQUAL(write(a[1], "x", 1), 1);
	turn(2);
	CU_ASSERT_STRING_EQUAL(order, "rrC");
	loop_fd_set(pa.watch, LOOP_READ);
	turn(1);
	CU_ASSERT_STRING_EQUAL(order, "rrCr");
	loop_fd_free(pa.watch);
	loop_fd_free(pb.watch);
	loop_timer_free(after);
	close(a[0]), close(a[1]), close(b[0]), close(b[1]);
}

static void a_handle_may_be_freed_inside_its_own_callback(void)
{
	int a[2];
	if (pipe(a) != 0)
		abort();
	struct pair pa = { .fd = a[0], .name = 'f' };
	pa.watch = loop_fd_new(loop, a[0], LOOP_READ, ready_free, &pa);
	CU_ASSERT_EQUAL(write(a[1], "x", 1), 1);
	turn(3);
	CU_ASSERT_STRING_EQUAL(order, "f");
	close(a[0]), close(a[1]);
}

static void again(void *arg)
{
	static int times;
	struct loop_timer **t = arg;
	note('t');
	if (++times < 3)
		loop_timer_set(*t, 0);
	else
		loop_stop(loop);
}

static void a_timer_set_inside_its_callback_repeats_and_stop_ends_the_run(void)
{
	struct loop_timer *t = NULL;
	t = loop_timer_new(loop, again, &t);
	loop_timer_set(t, 0);
	loop_run(loop);
	CU_ASSERT_STRING_EQUAL(order, "ttt");
	loop_timer_free(t);
}

static void a_signal_comes_as_an_event(void)
{
	struct loop_signal *s = loop_signal_new(loop, SIGUSR1, fire_note, LETTER(4));
	kill(getpid(), SIGUSR1);
	turn(3);
	CU_ASSERT_STRING_EQUAL(order, "s");
	loop_signal_free(s);
	signal(SIGUSR1, SIG_DFL);
}

static CU_TestInfo tests[] = {
	{ "timers fire in order and once", timers_fire_in_order_and_once },
	{ "what a turn shares runs after all that was ready", what_a_turn_shares_runs_after_all_that_was_ready },
	{ "a handle may be freed inside its own callback", a_handle_may_be_freed_inside_its_own_callback },
	{ "a timer set inside its callback repeats, and stop ends the run",
	  a_timer_set_inside_its_callback_repeats_and_stop_ends_the_run },
	{ "a signal comes as an event", a_signal_comes_as_an_event },
	CU_TEST_INFO_NULL,
};
SUITE(loop, setup, teardown, tests);
