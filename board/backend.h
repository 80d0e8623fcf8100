/* Between board.c and the backends: one way to reach the lines. Nothing else includes this. */
#ifndef BOARD_BACKEND_H
#define BOARD_BACKEND_H

#include "board/board.h"

struct board_backend {
	/* All lines that are used, outputs off. NULL and why: it is tried again. */
	void *(*open)(const struct board_config *c, struct err *e);
	void (*close)(void *self);
	bool (*set)(void *self, enum board_out out, bool on, struct err *e);
	/* After active_low. */
	bool (*read)(void *self, enum board_in in, bool *active, struct err *e);
	/* Readable when something has happened on the input; -1 none. Several inputs may share one. */
	int (*fd)(const void *self, enum board_in in);
	/* Takes what has happened there. */
	bool (*take)(void *self, enum board_in in, struct err *e);
};
extern const struct board_backend board_gpiod, board_simulated;

#endif
