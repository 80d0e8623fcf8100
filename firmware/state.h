/*
 * The branch's database, DIR/branch.db: all state that must survive. One connection, one writer. The tables
 * of every module stand in state.c, one migration script a change; a module touches its own tables alone.
 */
#ifndef FIRMWARE_STATE_H
#define FIRMWARE_STATE_H

#include "protocol/base/db.h"

/* Makes DIR (0700) and the database when they are not there. NULL on failure. Release with db_close. */
struct db *state_open(const char *dir, struct err *e) CHECKED;

/* A small value by name, e.g. "branch.name", appended to out; ERR_MISSING. */
bool state_get(struct db *db, const char *key, struct buf *out, struct err *e) CHECKED;
/* Inside a transaction. */
bool state_put(struct db *db, const char *key, struct bytes value, struct err *e) CHECKED;
/* The same for a number, kept as decimal text. */
bool state_get_int(struct db *db, const char *key, int64_t *out, struct err *e) CHECKED;
bool state_put_int(struct db *db, const char *key, int64_t value, struct err *e) CHECKED;

#endif
