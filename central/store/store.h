/*
 * Central's database, DIR/central.db, kept to what PostgreSQL also takes: that is where central goes when one
 * machine is not enough. One connection writes. The tables of every module stand in store.c, one migration
 * script a change. Small values by name are in meta.h.
 */
#ifndef CENTRAL_STORE_STORE_H
#define CENTRAL_STORE_STORE_H

#include "protocol/base/meta.h"

/* NULL on failure. Release with db_close. */
struct db *store_open(const char *dir, struct err *e) CHECKED;

/* Who did what: a row of the audit table, inside the caller's transaction. what: "release.approve"; detail: a
 * sentence. */
bool audit_add(struct db *db, int64_t time_s, const char *who, const char *what, const char *subject,
	       const char *detail, struct err *e) CHECKED;

#endif
