/*
 * SQLite behind the project's error type; db.c alone includes sqlite3.h. A database is opened WAL, synchronous=FULL,
 * foreign keys on, one writer (this process, one connection). Every write runs inside db_begin/db_commit (BEGIN
 * IMMEDIATE: a deferred transaction that turns into a writer fails under load whatever the busy time-out says).
 * Closing leaves the log and its index beside the file, empty: a full disk has no room to make them again.
 * SQLITE_FULL is ERR_FULL, a constraint ERR_CONFLICT, anything else ERR_IO.
 */
#ifndef PROTOCOL_BASE_DB_H
#define PROTOCOL_BASE_DB_H

#include "protocol/base/buf.h"

struct db;
struct db_query;

enum db_mode { DB_WRITE, DB_READ };

struct db *db_open(const char *path, enum db_mode mode, struct err *e) CHECKED;
/* Asserts that no query is left open. NULL is fine. */
void db_close(struct db *db);

/* Runs scripts[i] (each one transaction) from the stored user_version on. ERR_STALE when the file is newer than us. */
bool db_migrate(struct db *db, const char *const *scripts, size_t scripts_len, struct err *e) CHECKED;

/* Plain SQL without results; several statements allowed. */
bool db_exec(struct db *db, const char *sql, struct err *e) CHECKED;
bool db_begin(struct db *db, struct err *e) CHECKED;
bool db_commit(struct db *db, struct err *e) CHECKED;
/* Ends the transaction, if one is open, without its changes. Cannot fail. */
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);

/* A statement, from a cache keyed by its text; finish gives it back. NULL on failure. Parameters count from 1,
   columns from 0. Bound bytes and text are copied. */
struct db_query *db_query(struct db *db, const char *sql, struct err *e) CHECKED;
bool db_bind_int(struct db_query *q, int at, int64_t v, struct err *e) CHECKED;
bool db_bind_text(struct db_query *q, int at, const char *v, struct err *e) CHECKED; /* NULL binds null */
bool db_bind_bytes(struct db_query *q, int at, struct bytes v,
		   struct err *e) CHECKED; /* data NULL and len 0 bind an empty blob */
bool db_bind_null(struct db_query *q, int at, struct err *e) CHECKED;
/* Steps; *row says whether there is a row to read. */
bool db_next(struct db_query *q, bool *row, struct err *e) CHECKED;
/* Back to before the first step, to run again; what is bound stays bound. */
void db_again(struct db_query *q);
int64_t db_int(const struct db_query *q, int at);
/* Valid until the next step or finish; "" for null. */
const char *db_text(const struct db_query *q, int at);
struct bytes db_bytes(const struct db_query *q, int at);
bool db_is_null(const struct db_query *q, int at);
void db_finish(struct db_query *q);

/* Prepare, bind, step once, finish. types has a letter a parameter: i (int64_t), t (const char *), b (struct bytes). */
bool db_run(struct db *db, struct err *e, const char *sql, const char *types, ...) CHECKED;
/* The same for a statement that gives one integer; ERR_MISSING when there is no row. */
bool db_run_int(struct db *db, int64_t *out, struct err *e, const char *sql, const char *types, ...) CHECKED;
/* Rows changed by the last statement. */
int64_t db_changes(const struct db *db);

#endif
