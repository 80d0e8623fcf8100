/*
 * The branch's database, DIR/branch.db: all state that must survive. One connection, one writer. The tables
 * of every module stand in state.c, one migration script a change; a module touches its own tables alone.
 * Small values by name are in meta.h.
 */
#ifndef FIRMWARE_STATE_H
#define FIRMWARE_STATE_H

#include "protocol/base/meta.h"

/* Makes DIR (0700) and the database when they are not there. NULL on failure. Release with db_close. */
struct db *state_open(const char *dir, struct err *e) CHECKED;

#endif
