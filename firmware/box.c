#include "firmware/box.h"

#include "protocol/base/log.h"

#include <stdlib.h>

#define SLOW_TICKS 4 /* one in so many: amber, for lists */

struct box {
	struct box_hooks hooks;
	struct board *board;
	struct loop_timer *tick, *shown_end, *buzz_end;
	enum box_sign shown;
	struct box_state state;
	unsigned ticks;
	bool quiet; /* the button was pressed since the box was locked */
};

static void lamps_set(struct box *b)
{
	bool beat = b->ticks % 2 == 0, slow = b->ticks % SLOW_TICKS == 0;
	bool locked = b->state.locked;
	board_set(b->board, BOARD_GREEN, !locked && b->shown == BOX_PASS);
	board_set(b->board, BOARD_AMBER,
		  !locked && (b->shown == BOX_CARE || (b->shown == BOX_NONE && b->state.lists_old && slow)));
	board_set(b->board, BOARD_RED, locked ? beat : b->shown == BOX_STOP);
	board_set(b->board, BOARD_LINK, b->state.link_up);
	board_set(b->board, BOARD_BUZZER, (locked && !b->quiet && beat) || loop_timer_is_set(b->buzz_end));
}

static void on_tick(void *arg)
{
	struct box *b = arg;
	b->ticks++;
	b->hooks.state(b->hooks.arg, &b->state);
	b->quiet = b->quiet && b->state.locked;
	board_set(b->board, BOARD_HEARTBEAT, b->ticks % 2 == 0);
	lamps_set(b);
	loop_timer_set(b->tick, BOX_TICK_MS);
}

static void on_shown_end(void *arg)
{
	struct box *b = arg;
	b->shown = BOX_NONE;
	lamps_set(b);
}

static void on_buzz_end(void *arg)
{
	lamps_set(arg);
}

void box_show(struct box *b, enum box_sign s)
{
	b->shown = s;
	loop_timer_set(b->shown_end, BOX_SHOW_MS);
	if (s == BOX_STOP)
		loop_timer_set(b->buzz_end, BOX_BUZZ_MS);
	else
		loop_timer_stop(b->buzz_end);
	lamps_set(b);
}

static void on_input(void *arg, enum board_in in, bool active)
{
	struct box *b = arg;
	log_info("board", "input=%s active=%d", board_in_name(in), active);
	if (!active)
		return;
	if (in == BOARD_TAMPER) {
		b->hooks.tampered(b->hooks.arg);
		b->hooks.state(b->hooks.arg, &b->state);
	} else {
		b->quiet = b->state.locked;
		b->shown = BOX_NONE;
		loop_timer_stop(b->buzz_end);
	}
	lamps_set(b);
}

static void on_fault(void *arg, const char *why)
{
	(void)arg;
	if (*why != '\0')
		log_warn("the board cannot be reached, checks go on", "why=\"%s\"", why);
	else
		log_info("the board can be reached", "fault=%s", "none");
}

struct box *box_open(struct loop *l, const struct board_config *config, const struct box_hooks *hooks)
{
	static const struct board_events on = { on_input, on_fault };
	struct box *b = calloc(1, sizeof(*b));
	if (b == NULL)
		abort();
	b->hooks = *hooks;
	b->board = board_open(l, config, &on, b);
	b->tick = loop_timer_new(l, on_tick, b);
	b->shown_end = loop_timer_new(l, on_shown_end, b);
	b->buzz_end = loop_timer_new(l, on_buzz_end, b);
	loop_timer_set(b->tick, 0);
	return b;
}

void box_close(struct box *b)
{
	if (b == NULL)
		return;
	loop_timer_free(b->tick);
	loop_timer_free(b->shown_end);
	loop_timer_free(b->buzz_end);
	board_close(b->board);
	free(b);
}

bool box_is_tampered(const struct box *b)
{
	return board_is_active(b->board, BOARD_TAMPER);
}

const char *box_fault(const struct box *b)
{
	return board_fault(b->board);
}
