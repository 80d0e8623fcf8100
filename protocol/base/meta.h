/*
 * Small values by name in a database's own table, `meta` (META_TABLE in its first migration): identities, sequences, stamps.
 * Writing happens inside the caller's transaction.
 */
#ifndef PROTOCOL_BASE_META_H
#define PROTOCOL_BASE_META_H

#include "protocol/base/db.h"

#define META_TABLE "CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL);"

/* ERR_MISSING when it is not set. */
bool meta_get(struct db *db, const char *key, struct buf *out, struct err *e) CHECKED;
bool meta_put(struct db *db, const char *key, struct bytes value, struct err *e) CHECKED;
/* Numbers, kept as decimal text. */
bool meta_get_int(struct db *db, const char *key, int64_t *out, struct err *e) CHECKED;
bool meta_put_int(struct db *db, const char *key, int64_t value, struct err *e) CHECKED;

#endif
