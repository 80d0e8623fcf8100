/*
 * SQLite. Invariants:
 * 1. A cached statement is in the table exactly once, reset and without bindings while nobody uses it.
 * 2. db->begun is what the caller believes, sqlite3_get_autocommit what SQLite did. SQLite ends a transaction by itself
 *    on a full disk or an I/O error; from then until db_rollback or db_commit every step fails, so that no later
 *    statement of a lost transaction is committed on its own.
 */
#include "protocol/base/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CACHE_SETS      32
#define CACHE_WAYS      4
#define BUSY_TIMEOUT_MS 5000

struct db_query {
	struct db *db;
	sqlite3_stmt *stmt;
	char *sql;     /* of a cached one, else NULL */
	uint64_t used; /* when it was last handed out */
	bool in_use;
};

struct db {
	sqlite3 *handle;
	enum db_mode mode;
	bool begun;
	enum err_code undone_by; /* why SQLite ended the transaction by itself */
	uint64_t uses;
	size_t open_queries;
	struct db_query *cache[CACHE_SETS][CACHE_WAYS];
};

static enum err_code db_code(sqlite3 *handle, int rc)
{
	int sys = sqlite3_system_errno(handle);
	switch (rc & 0xff) {
	case SQLITE_FULL: return ERR_FULL;
	case SQLITE_CONSTRAINT: return ERR_CONFLICT;
	case SQLITE_IOERR: return sys == ENOSPC || sys == EDQUOT || sys == EFBIG ? ERR_FULL : ERR_IO;
	case SQLITE_CANTOPEN: return sys == ENOENT ? ERR_MISSING : ERR_IO;
	default: return ERR_IO;
	}
}

static bool db_fail(struct db *db, int rc, const char *what, struct err *e)
{
	enum err_code code = db_code(db->handle, rc);
	if (db->begun && db->undone_by == ERR_NONE && sqlite3_get_autocommit(db->handle))
		db->undone_by = code;
	const char *advice = "";
	if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
		advice = "; the file is damaged: stop the program and restore the database from a backup";
	return err_set(e, code, "database: %.80s: %.80s%s", what, sqlite3_errmsg(db->handle), advice);
}

static bool db_is_undone(const struct db *db)
{
	return db->begun && sqlite3_get_autocommit(db->handle) != 0;
}

static bool db_fail_undone(const struct db *db, struct err *e)
{
	enum err_code code = db->undone_by == ERR_NONE ? ERR_IO : db->undone_by;
	return err_set(e, code, "database: an earlier failure has undone the transaction");
}

/* The WAL and its index take the mode of the database file. An existing file is not opened here: closing it would drop
   the locks of another connection of this process. */
static void db_create_private(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
}

static bool db_set_up(struct db *db, struct err *e)
{
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	if (db->mode == DB_READ)
		return db_exec(db, "PRAGMA query_only=on; SELECT count(*) FROM sqlite_schema", e);
	/* Closing leaves the (empty) log and its index where they are: a full disk has no room to make them anew. */
	int persist = 1;
	sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
	return db_exec(db,
		       "PRAGMA journal_mode=wal; PRAGMA synchronous=full; PRAGMA foreign_keys=on;"
		       "PRAGMA journal_size_limit=16777216",
		       e);
}

struct db *db_open(const char *path, enum db_mode mode, struct err *e)
{
	struct db *db = calloc(1, sizeof(*db));
	if (db == NULL)
		abort();
	db->mode = mode;
	if (mode == DB_WRITE && path[0] != ':' && path[0] != 0)
		db_create_private(path);
	int flags = mode == DB_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	int rc = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		db_fail(db, rc, path, e);
	else if (db_set_up(db, e))
		return db;
	else
		err_wrap(e, "%s", path);
	db_close(db);
	return NULL;
}

static void query_free(struct db_query *q)
{
	if (q == NULL)
		return;
	sqlite3_finalize(q->stmt);
	free(q->sql);
	free(q);
}

void db_close(struct db *db)
{
	if (db == NULL)
		return;
	assert(db->open_queries == 0);
	for (size_t i = 0; i < CACHE_SETS; i++)
		for (size_t k = 0; k < CACHE_WAYS; k++)
			query_free(db->cache[i][k]);
	int rc = sqlite3_close(db->handle);
	assert(rc == SQLITE_OK);
	(void)rc;
	free(db);
}

static bool db_migrate_step(struct db *db, const char *const *scripts, size_t scripts_len, int64_t *version,
			    struct err *e)
{
	if (!db_begin(db, e))
		return false;
	/* Read again under the lock: another process may have come first. */
	if (!db_run_int(db, version, e, "PRAGMA user_version", ""))
		goto out;
	if (*version >= (int64_t)scripts_len) {
		db_rollback(db);
		return true;
	}
	char set[64];
	sqlite3_snprintf(sizeof(set), set, "PRAGMA user_version=%lld", (long long)*version + 1);
	if (!db_exec(db, scripts[*version], e) || !db_exec(db, set, e)) {
		err_wrap(e, "migration %lld", (long long)*version + 1);
		goto out;
	}
	++*version;
	return db_commit(db, e);
out:
	db_rollback(db);
	return false;
}

bool db_migrate(struct db *db, const char *const *scripts, size_t scripts_len, struct err *e)
{
	int64_t version = 0;
	if (!db_run_int(db, &version, e, "PRAGMA user_version", ""))
		return false;
	while (version < (int64_t)scripts_len)
		if (!db_migrate_step(db, scripts, scripts_len, &version, e))
			return false;
	if (version > (int64_t)scripts_len)
		return err_set(e, ERR_STALE,
			       "database: its version %lld is newer than this program's %zu; update the program",
			       (long long)version, scripts_len);
	return true;
}

bool db_exec(struct db *db, const char *sql, struct err *e)
{
	if (db_is_undone(db))
		return db_fail_undone(db, e);
	int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK || db_fail(db, rc, sql, e);
}

bool db_begin(struct db *db, struct err *e)
{
	/* A reader takes a snapshot; it cannot turn into a writer. */
	if (!db_exec(db, db->mode == DB_READ ? "BEGIN" : "BEGIN IMMEDIATE", e))
		return false;
	db->begun = true;
	db->undone_by = ERR_NONE;
	return true;
}

bool db_commit(struct db *db, struct err *e)
{
	if (db_exec(db, "COMMIT", e)) {
		db->begun = false;
		return true;
	}
	db_rollback(db);
	return false;
}

void db_rollback(struct db *db)
{
	if (sqlite3_get_autocommit(db->handle) == 0)
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	db->begun = false;
}

bool db_in_transaction(const struct db *db)
{
	return db->begun || sqlite3_get_autocommit(db->handle) == 0;
}

int64_t db_changes(const struct db *db)
{
	return sqlite3_changes64(db->handle);
}

/* FNV-1a. */
static struct db_query **cache_set(struct db *db, const char *sql)
{
	uint32_t h = 2166136261U;
	for (const char *p = sql; *p != 0; p++)
		h = (h ^ (uint8_t)*p) * 16777619U;
	return db->cache[(h ^ h >> 16) % CACHE_SETS];
}

/* An idle statement with this text, or NULL. */
static struct db_query *cache_find(struct db_query **set, const char *sql, bool *is_cached)
{
	for (size_t i = 0; i < CACHE_WAYS; i++)
		if (set[i] != NULL && strcmp(set[i]->sql, sql) == 0) {
			*is_cached = true;
			return set[i]->in_use ? NULL : set[i];
		}
	*is_cached = false;
	return NULL;
}

/* Takes a free place or that of the idle statement unused for longest; q stays outside when all are in use. */
static void cache_add(struct db_query **set, struct db_query *q, const char *sql)
{
	struct db_query **place = NULL;
	for (size_t i = 0; i < CACHE_WAYS; i++) {
		if (set[i] == NULL) {
			place = &set[i];
			break;
		}
		if (!set[i]->in_use && (place == NULL || set[i]->used < (*place)->used))
			place = &set[i];
	}
	if (place == NULL)
		return;
	query_free(*place);
	*place = q;
	q->sql = strdup(sql);
	if (q->sql == NULL)
		abort();
}

struct db_query *db_query(struct db *db, const char *sql, struct err *e)
{
	struct db_query **set = cache_set(db, sql);
	bool is_cached;
	struct db_query *q = cache_find(set, sql, &is_cached);
	if (q == NULL) {
		sqlite3_stmt *stmt = NULL;
		int rc = sqlite3_prepare_v3(db->handle, sql, -1, is_cached ? 0 : SQLITE_PREPARE_PERSISTENT, &stmt,
					    NULL);
		if (rc != SQLITE_OK) {
			db_fail(db, rc, sql, e);
			return NULL;
		}
		q = calloc(1, sizeof(*q));
		if (q == NULL)
			abort();
		q->db = db;
		q->stmt = stmt;
		if (!is_cached)
			cache_add(set, q, sql);
	}
	q->used = ++db->uses;
	q->in_use = true;
	db->open_queries++;
	return q;
}

void db_finish(struct db_query *q)
{
	if (q == NULL)
		return;
	assert(q->in_use && q->db->open_queries > 0);
	q->db->open_queries--;
	q->in_use = false;
	if (q->sql == NULL) {
		query_free(q);
		return;
	}
	sqlite3_reset(q->stmt);
	sqlite3_clear_bindings(q->stmt);
}

static bool bind_result(struct db_query *q, int rc, struct err *e)
{
	return rc == SQLITE_OK || db_fail(q->db, rc, sqlite3_sql(q->stmt), e);
}

bool db_bind_int(struct db_query *q, int at, int64_t v, struct err *e)
{
	return bind_result(q, sqlite3_bind_int64(q->stmt, at, v), e);
}

bool db_bind_text(struct db_query *q, int at, const char *v, struct err *e)
{
	return bind_result(q, sqlite3_bind_text(q->stmt, at, v, -1, SQLITE_TRANSIENT), e);
}

bool db_bind_bytes(struct db_query *q, int at, struct bytes v, struct err *e)
{
	const void *data = v.data == NULL ? (const void *)"" : v.data;
	return bind_result(q, sqlite3_bind_blob64(q->stmt, at, data, v.len, SQLITE_TRANSIENT), e);
}

bool db_bind_null(struct db_query *q, int at, struct err *e)
{
	return bind_result(q, sqlite3_bind_null(q->stmt, at), e);
}

bool db_next(struct db_query *q, bool *row, struct err *e)
{
	*row = false;
	if (db_is_undone(q->db))
		return db_fail_undone(q->db, e);
	int rc = sqlite3_step(q->stmt);
	*row = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE || db_fail(q->db, rc, sqlite3_sql(q->stmt), e);
}

void db_again(struct db_query *q)
{
	sqlite3_reset(q->stmt);
}

int64_t db_int(const struct db_query *q, int at)
{
	return sqlite3_column_int64(q->stmt, at);
}

const char *db_text(const struct db_query *q, int at)
{
	const unsigned char *text = sqlite3_column_text(q->stmt, at);
	return text == NULL ? "" : (const char *)text;
}

struct bytes db_bytes(const struct db_query *q, int at)
{
	const void *data = sqlite3_column_blob(q->stmt, at);
	return (struct bytes){ data, (size_t)sqlite3_column_bytes(q->stmt, at) };
}

bool db_is_null(const struct db_query *q, int at)
{
	return sqlite3_column_type(q->stmt, at) == SQLITE_NULL;
}

static bool run_bind(struct db_query *q, const char *types, va_list ap, struct err *e)
{
	for (int at = 1; *types != 0; types++, at++) {
		bool ok = false;
		switch (*types) {
		case 'i': ok = db_bind_int(q, at, va_arg(ap, int64_t), e); break;
		case 't': ok = db_bind_text(q, at, va_arg(ap, const char *), e); break;
		case 'b': ok = db_bind_bytes(q, at, va_arg(ap, struct bytes), e); break;
		default: abort(); /* an unknown letter in types */
		}
		if (!ok)
			return false;
	}
	return true;
}

bool db_run(struct db *db, struct err *e, const char *sql, const char *types, ...)
{
	struct db_query *q = db_query(db, sql, e);
	if (q == NULL)
		return false;
	va_list ap;
	va_start(ap, types);
	bool row, ok = run_bind(q, types, ap, e) && db_next(q, &row, e);
	va_end(ap);
	db_finish(q);
	return ok;
}

bool db_run_int(struct db *db, int64_t *out, struct err *e, const char *sql, const char *types, ...)
{
	struct db_query *q = db_query(db, sql, e);
	if (q == NULL)
		return false;
	va_list ap;
	va_start(ap, types);
	bool row = false, ok = run_bind(q, types, ap, e) && db_next(q, &row, e);
	va_end(ap);
	if (ok && !row)
		ok = err_set(e, ERR_MISSING, "database: no row for %.160s", sql);
	if (ok)
		*out = db_int(q, 0);
	db_finish(q);
	return ok;
}
