#include "board/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
	struct board *board;
	enum board_in in;
	bool active; /* as it was last reported */
	struct loop_fd *ready;
	struct loop_timer *still; /* debounce */
};

struct board {
	struct loop *loop;
	struct board_config config;
	struct board_events events;
	void *arg;
	const struct board_backend *backend;
	void *self; /* the backend's; NULL while it is not there */
	bool on[BOARD_OUTS];
	struct input ins[BOARD_INS];
	struct loop_timer *retry, *poll;
	int64_t unreadable_ms; /* since when the tamper line could not be read; -1 it can */
	char fault[160];
};

static void input_report(struct input *i, bool active)
{
	struct board *b = i->board;
	if (active == i->active)
		return;
	i->active = active;
	b->events.input(b->arg, i->in, active);
}

static void fault_say(struct board *b, const char *why)
{
	if (strcmp(b->fault, why) == 0)
		return;
	snprintf(b->fault, sizeof(b->fault), "%s", why);
	b->events.fault(b->arg, b->fault);
}

static void backend_close(struct board *b)
{
	for (size_t i = 0; i < BOARD_INS; i++) {
		loop_fd_free(b->ins[i].ready);
		b->ins[i].ready = NULL;
		loop_timer_stop(b->ins[i].still);
	}
	if (b->self != NULL)
		b->backend->close(b->self);
	b->self = NULL;
	loop_timer_stop(b->poll);
}

/* The tamper line cannot be read: what the board file says. */
static void unreadable(struct board *b)
{
	if (!b->config.ins[BOARD_TAMPER].used)
		return;
	if (b->unreadable_ms < 0)
		b->unreadable_ms = loop_now_ms();
	if (!b->config.tamper_open && loop_now_ms() - b->unreadable_ms >= BOARD_UNREADABLE_MS)
		input_report(&b->ins[BOARD_TAMPER], true);
}

static void backend_gone(struct board *b, const struct err *e)
{
	backend_close(b);
	fault_say(b, e->text);
	unreadable(b);
	loop_timer_set(b->retry, BOARD_RETRY_MS);
}

/* False: the backend is gone. */
static bool input_read(struct input *i)
{
	struct board *b = i->board;
	struct err e = { 0 };
	bool active = false;
	if (!b->backend->read(b->self, i->in, &active, &e)) {
		backend_gone(b, &e);
		return false;
	}
	if (i->in == BOARD_TAMPER)
		b->unreadable_ms = -1;
	/* A change is believed when it has kept still. */
	if (active != i->active && !loop_timer_is_set(i->still))
		loop_timer_set(i->still, b->config.ins[i->in].debounce_ms);
	return true;
}

static void on_still(void *arg)
{
	struct input *i = arg;
	struct board *b = i->board;
	struct err e = { 0 };
	bool active = false;
	if (!b->backend->read(b->self, i->in, &active, &e))
		backend_gone(b, &e);
	else
		input_report(i, active);
}

static void on_ready(void *arg, unsigned what)
{
	struct input *i = arg;
	struct board *b = i->board;
	struct err e = { 0 };
	(void)what;
	if (!b->backend->take(b->self, i->in, &e)) {
		backend_gone(b, &e);
		return;
	}
	/* It has moved: the time in which it has to keep still begins again. */
	loop_timer_stop(i->still);
	for (size_t k = 0; b->self != NULL && k < BOARD_INS; k++)
		if (b->config.ins[k].used)
			(void)!input_read(&b->ins[k]);
}

static void on_poll(void *arg)
{
	struct board *b = arg;
	for (size_t k = 0; k < BOARD_INS; k++)
		if (b->config.ins[k].used && !input_read(&b->ins[k]))
			return;
	loop_timer_set(b->poll, BOARD_POLL_MS);
}

static bool outs_restore(struct board *b, struct err *e)
{
	for (enum board_out o = 0; o < BOARD_OUTS; o++)
		if (b->config.outs[o].used && !b->backend->set(b->self, o, b->on[o], e))
			return false;
	return true;
}

static void on_retry(void *arg)
{
	struct board *b = arg;
	struct err e = { 0 };
	b->self = b->backend->open(&b->config, &e);
	if (b->self == NULL || !outs_restore(b, &e)) {
		backend_gone(b, &e);
		return;
	}
	for (size_t k = 0; k < BOARD_INS; k++) {
		int fd = b->config.ins[k].used ? b->backend->fd(b->self, (enum board_in)k) : -1;
		if (fd >= 0)
			b->ins[k].ready = loop_fd_new(b->loop, fd, LOOP_READ, on_ready, &b->ins[k]);
	}
	on_poll(b);
	if (b->self != NULL)
		fault_say(b, "");
}

struct board *board_open(struct loop *l, const struct board_config *config, const struct board_events *events,
			 void *arg)
{
	struct board *b = calloc(1, sizeof(*b));
	if (b == NULL)
		abort();
	*b = (struct board){ .loop = l, .config = *config, .events = *events, .arg = arg, .unreadable_ms = -1 };
	b->backend = config->backend == BOARD_GPIOD ? &board_gpiod : &board_simulated;
	b->retry = loop_timer_new(l, on_retry, b);
	b->poll = loop_timer_new(l, on_poll, b);
	for (size_t k = 0; k < BOARD_INS; k++) {
		b->ins[k] = (struct input){ .board = b, .in = (enum board_in)k };
		b->ins[k].still = loop_timer_new(l, on_still, &b->ins[k]);
	}
	loop_timer_set(b->retry, 0);
	return b;
}

void board_close(struct board *b)
{
	if (b == NULL)
		return;
	for (enum board_out o = 0; b->self != NULL && o < BOARD_OUTS; o++)
		if (b->config.outs[o].used)
			(void)!b->backend->set(b->self, o, false, NULL);
	backend_close(b);
	loop_timer_free(b->retry);
	loop_timer_free(b->poll);
	for (size_t k = 0; k < BOARD_INS; k++)
		loop_timer_free(b->ins[k].still);
	free(b);
}

void board_set(struct board *b, enum board_out out, bool on)
{
	struct err e = { 0 };
	if (b->on[out] == on)
		return;
	b->on[out] = on;
	if (b->self != NULL && b->config.outs[out].used && !b->backend->set(b->self, out, on, &e))
		backend_gone(b, &e);
}

bool board_is_on(const struct board *b, enum board_out out)
{
	return b->on[out];
}

bool board_is_active(const struct board *b, enum board_in in)
{
	return b->ins[in].active;
}

const char *board_fault(const struct board *b)
{
	return b->fault;
}
