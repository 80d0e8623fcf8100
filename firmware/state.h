/*
 * The branch's database, DIR/branch.db: all state that must survive. One connection, one writer. The tables
 * of every module stand in state.c, one migration script a change; a module touches its own tables alone.
 */
#ifndef FIRMWARE_STATE_H
#define FIRMWARE_STATE_H

#include "protocol/base/db.h"

/* Makes DIR (0700) and the database when they are not there. NULL on failure. Release with db_close. */
struct db *state_open(const char *dir, struct err *e) CHECKED;

/* A small value by name, e.g. "branch.name"; ERR_MISSING. text: at most size-1 bytes. */
bool state_get(struct db *db, const char *key, struct buf *out, struct err *e) CHECKED;
/* Inside a transaction. */
bool state_put(struct db *db, const char *key, struct bytes value, struct err *e) CHECKED;

#endif
