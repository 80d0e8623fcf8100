/*
 * A turn is one pass of libevent over all that is ready, then the after-turn timers that are set. The turns are driven
 * from here and not by libevent's priorities, under which steady traffic would keep a low priority waiting for ever.
 */
#include "protocol/base/loop.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>

struct loop_timer {
	struct loop *loop;
	struct event *event;
	void (*fire)(void *arg);
	void *arg;
	bool is_after_turn;
	bool is_queued;
	uint64_t turn; /* in which it was queued */
	TAILQ_ENTRY(loop_timer) next;
};

struct loop {
	struct event_base *base;
	struct event *wait; /* ends loop_once */
	TAILQ_HEAD(timer_list, loop_timer) after_turn;
	uint64_t turn;
	bool stop;
};

struct loop_fd {
	struct loop *loop;
	struct event *event;
	int fd;
	unsigned what;
	void (*ready)(void *arg, unsigned what);
	void *arg;
};

struct loop_signal {
	struct event *event;
	void (*fire)(void *arg);
	void *arg;
};

static void *must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

static struct timeval milliseconds(int64_t ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

static void wait_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));
	struct event_config *config = event_config_new();
	if (l == NULL || config == NULL)
		abort();
	/* Without the cached time: a timer set at the end of long work counts from then. */
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_NO_CACHE_TIME);
	l->base = must(event_base_new_with_config(config));
	event_config_free(config);
	l->wait = must(evtimer_new(l->base, wait_over, NULL));
	TAILQ_INIT(&l->after_turn);
	signal(SIGPIPE, SIG_IGN);
	return l;
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	event_free(l->wait);
	event_base_free(l->base);
	free(l);
}

/* Those set by one of these callbacks wait for the next turn. */
static void run_after_turn(struct loop *l)
{
	uint64_t turn = l->turn++;
	struct loop_timer *t;
	while ((t = TAILQ_FIRST(&l->after_turn)) != NULL && t->turn <= turn) {
		TAILQ_REMOVE(&l->after_turn, t, next);
		t->is_queued = false;
		t->fire(t->arg);
	}
}

static void loop_turn(struct loop *l)
{
	int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;
	if (!TAILQ_EMPTY(&l->after_turn))
		flags |= EVLOOP_NONBLOCK;
	event_base_loop(l->base, flags);
	run_after_turn(l);
}

void loop_run(struct loop *l)
{
	while (!l->stop)
		loop_turn(l);
	l->stop = false;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}

void loop_once(struct loop *l, int wait_ms)
{
	struct timeval tv = milliseconds(wait_ms);
	evtimer_add(l->wait, &tv);
	loop_turn(l);
	evtimer_del(l->wait);
}

int64_t loop_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

static void fd_ready(evutil_socket_t fd, short what, void *arg)
{
	struct loop_fd *f = arg;
	(void)fd;
	unsigned is = ((what & EV_READ) != 0 ? LOOP_READ : 0U) | ((what & EV_WRITE) != 0 ? LOOP_WRITE : 0U);
	f->ready(f->arg, is);
}

struct loop_fd *loop_fd_new(struct loop *l, int fd, unsigned what, void (*ready)(void *arg, unsigned what), void *arg)
{
	struct loop_fd *f = must(calloc(1, sizeof(*f)));
	*f = (struct loop_fd){ .loop = l, .fd = fd, .ready = ready, .arg = arg };
	f->event = must(event_new(l->base, fd, EV_PERSIST, fd_ready, f));
	loop_fd_set(f, what);
	return f;
}

void loop_fd_set(struct loop_fd *f, unsigned what)
{
	if (what == f->what)
		return;
	event_del(f->event);
	f->what = what;
	if (what == 0)
		return;
	short flags = EV_PERSIST;
	if ((what & LOOP_READ) != 0)
		flags |= EV_READ;
	if ((what & LOOP_WRITE) != 0)
		flags |= EV_WRITE;
	event_assign(f->event, f->loop->base, f->fd, flags, fd_ready, f);
	event_add(f->event, NULL);
}

void loop_fd_free(struct loop_fd *f)
{
	if (f == NULL)
		return;
	event_free(f->event);
	free(f);
}

static void timer_queue(struct loop_timer *t)
{
	if (t->is_queued)
		return;
	t->is_queued = true;
	t->turn = t->loop->turn;
	TAILQ_INSERT_TAIL(&t->loop->after_turn, t, next);
}

static void timer_due(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;
	(void)fd, (void)what;
	if (t->is_after_turn)
		timer_queue(t);
	else
		t->fire(t->arg);
}

struct loop_timer *loop_timer_new(struct loop *l, void (*fire)(void *arg), void *arg)
{
	struct loop_timer *t = must(calloc(1, sizeof(*t)));
	*t = (struct loop_timer){ .loop = l, .fire = fire, .arg = arg };
	t->event = must(evtimer_new(l->base, timer_due, t));
	return t;
}

struct loop_timer *loop_after_turn_new(struct loop *l, void (*fire)(void *arg), void *arg)
{
	struct loop_timer *t = loop_timer_new(l, fire, arg);
	t->is_after_turn = true;
	return t;
}

void loop_timer_set(struct loop_timer *t, int64_t after_ms)
{
	if (t->is_after_turn && after_ms <= 0) {
		timer_queue(t);
		return;
	}
	struct timeval tv = milliseconds(after_ms > 0 ? after_ms : 0);
	evtimer_add(t->event, &tv);
}

void loop_timer_stop(struct loop_timer *t)
{
	evtimer_del(t->event);
	if (t->is_queued)
		TAILQ_REMOVE(&t->loop->after_turn, t, next);
	t->is_queued = false;
}

bool loop_timer_is_set(const struct loop_timer *t)
{
	return t->is_queued || evtimer_pending(t->event, NULL);
}

void loop_timer_free(struct loop_timer *t)
{
	if (t == NULL)
		return;
	loop_timer_stop(t);
	event_free(t->event);
	free(t);
}

static void signal_came(evutil_socket_t fd, short what, void *arg)
{
	struct loop_signal *s = arg;
	(void)fd, (void)what;
	s->fire(s->arg);
}

struct loop_signal *loop_signal_new(struct loop *l, int signo, void (*fire)(void *arg), void *arg)
{
	struct loop_signal *s = must(calloc(1, sizeof(*s)));
	*s = (struct loop_signal){ .fire = fire, .arg = arg };
	s->event = must(evsignal_new(l->base, signo, signal_came, s));
	evsignal_add(s->event, NULL);
	return s;
}

void loop_signal_free(struct loop_signal *s)
{
	if (s == NULL)
		return;
	event_free(s->event);
	free(s);
}
