/*
 * What a box shows and feels: lamps, a buzzer, a heartbeat for a watchdog outside, a tamper line and a button, as its board file says.
 *
 * A fault of the board never stops anything: it is said in board_fault, tried again each BOARD_RETRY_MS, and what should be shown is shown
 * once it is back. Only the tamper line is different: while it cannot be read it counts as the board file says (fail = closed: as
 * tripped, after BOARD_UNREADABLE_MS; fail = open: as quiet). Inputs are reported when they have kept still for their debounce time.
 */
#ifndef BOARD_BOARD_H
#define BOARD_BOARD_H

#include "protocol/base/err.h"
#include "protocol/base/loop.h"

#include <stddef.h>

#define BOARD_RETRY_MS      1000
#define BOARD_POLL_MS       500  /* inputs are read again so often: an edge may be lost, a chip may go away */
#define BOARD_UNREADABLE_MS 3000 /* longer than a chip takes to appear */
#define BOARD_DEBOUNCE_MS   50
#define BOARD_OFFSET_MAX    511
#define BOARD_CHIP_MAX      96

enum board_out { BOARD_GREEN, BOARD_AMBER, BOARD_RED, BOARD_LINK, BOARD_BUZZER, BOARD_HEARTBEAT, BOARD_OUTS };
enum board_in { BOARD_TAMPER, BOARD_CONFIRM, BOARD_INS };
const char *board_out_name(enum board_out o); /* "green" … "heartbeat": the board file's sections */
const char *board_in_name(enum board_in i);   /* "tamper", "confirm" */

struct board_line {
	bool used;
	int offset;
	bool active_low;
	int debounce_ms; /* inputs */
};
enum board_backend_kind { BOARD_GPIOD, BOARD_SIMULATED };
struct board_config {
	enum board_backend_kind backend;
	char chip[BOARD_CHIP_MAX]; /* "/dev/gpiochip0"; simulated: a directory (board/simulated.c) */
	struct board_line outs[BOARD_OUTS], ins[BOARD_INS];
	bool tamper_open; /* fail = open */
};
/*
 * A board file:
 *   [board] backend = gpiod|simulated, chip = /dev/gpiochip0
 *   [green] [amber] [red] [link] [buzzer] [heartbeat]  line = 0 … 511, active = high|low; a section that is missing: the box has none
 *   [tamper] [confirm]  the same, and debounce_ms = 0 … 1000;  [tamper] fail = closed|open
 * ERR_INPUT names file, section and key: unknown ones, numbers out of range, the same line twice.
 */
bool board_config_load(const char *path, struct board_config *c, struct err *e) CHECKED;

struct board;
/* Both are called in turns of the loop. Inputs begin as not active. */
struct board_events {
	void (*input)(void *arg, enum board_in in, bool active);
	void (*fault)(void *arg, const char *why); /* "" it is back */
};
/* config and events are copied. */
struct board *board_open(struct loop *l, const struct board_config *config, const struct board_events *events,
			 void *arg);
/* Lamps, buzzer and heartbeat go off. */
void board_close(struct board *b); /* NULL is fine */
void board_set(struct board *b, enum board_out out, bool on);
bool board_is_on(const struct board *b, enum board_out out); /* what should be shown */
bool board_is_active(const struct board *b, enum board_in in);
const char *board_fault(const struct board *b); /* "" none */

#endif
