/*
 * What the box in the branch shows, over board.h: the last decision on the lamps (green: passes; amber: look closer; red and a short
 * sound: stop) until BOX_SHOW_MS have passed or somebody presses the button; the line to the broker on the link lamp; amber blinking
 * slowly while a list is missing, damaged or old; red blinking fast while the box is locked; and a heartbeat for a watchdog outside,
 * which stops with the loop.
 */
#ifndef FIRMWARE_BOX_H
#define FIRMWARE_BOX_H

#include "board/board.h"

#define BOX_SHOW_MS 6000
#define BOX_BUZZ_MS 400
#define BOX_TICK_MS 500 /* the heartbeat's half period, and a blink's */

enum box_sign { BOX_NONE, BOX_PASS, BOX_CARE, BOX_STOP };
/* Asked for each tick. */
struct box_state {
	bool link_up, lists_old, locked;
};
struct box_hooks {
	void (*state)(void *arg, struct box_state *out);
	void (*tampered)(void *arg); /* the tamper line has tripped */
	void *arg;
};
struct box;
/* config and hooks are copied. */
struct box *box_open(struct loop *l, const struct board_config *config, const struct box_hooks *hooks);
void box_close(struct box *b); /* NULL is fine */
void box_show(struct box *b, enum box_sign s);
bool box_is_tampered(const struct box *b);  /* the line, at this moment */
const char *box_fault(const struct box *b); /* board_fault */

#endif
