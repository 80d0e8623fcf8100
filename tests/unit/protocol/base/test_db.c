#include "protocol/base/db.h"
#include "tests/support/child.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const scripts[] = {
	"CREATE TABLE a (id INTEGER PRIMARY KEY, name TEXT UNIQUE, body BLOB);",
	"CREATE TABLE b (a INTEGER NOT NULL REFERENCES a (id)); INSERT INTO a (id, name) VALUES (1, 'one');",
};
static char path[128];
static struct db *db;

static void open_db(size_t scripts_len)
{
	struct err e;
	db = db_open(path, DB_WRITE, &e);
	if (db == NULL || !db_migrate(db, scripts, scripts_len, &e))
		abort();
}

static void setup(void)
{
	snprintf(path, sizeof(path), "%s/x.db", test_dir());
	open_db(2);
}

static void teardown(void)
{
	db_close(db);
	db = NULL;
}

static int64_t count(struct db *of, const char *table)
{
	char sql[60];
	int64_t n = -1;
	struct err e;
	snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM %s", table);
	CU_ASSERT_TRUE(db_run_int(of, &n, &e, sql, ""));
	return n;
}

static void it_survives_a_power_cut_by_its_settings(void)
{
	struct err e;
	int64_t v = 0;
	struct stat st;
	struct db_query *q = db_query(db, "PRAGMA journal_mode", &e);
	bool row = false;
	CU_ASSERT_TRUE_FATAL(q != NULL && db_next(q, &row, &e) && row);
	CU_ASSERT_STRING_EQUAL(db_text(q, 0), "wal");
	db_finish(q);
	CU_ASSERT_TRUE(db_run_int(db, &v, &e, "PRAGMA synchronous", ""));
	CU_ASSERT_EQUAL(v, 2); /* FULL */
	CU_ASSERT_TRUE(db_run_int(db, &v, &e, "PRAGMA foreign_keys", ""));
	CU_ASSERT_EQUAL(v, 1);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
}

static void what_was_bound_comes_back(void)
{
	struct err e;
	const char *text = "名单 'x\"; --";
	const uint8_t bytes[] = { 0, 1, 255, 0 };
	bool row = false;
	CU_ASSERT_TRUE(db_run(db, &e, "INSERT INTO a (id, name, body) VALUES (?, ?, ?)", "itb", INT64_MIN, text,
			      (struct bytes){ bytes, 4 }));
	CU_ASSERT_TRUE(db_run(db, &e, "INSERT INTO a (id, name, body) VALUES (?, ?, ?)", "itb", INT64_MAX, NULL,
			      (struct bytes){ NULL, 0 }));
	struct db_query *q = db_query(db, "SELECT id, name, body FROM a WHERE id <> 1 ORDER BY id", &e);
	CU_ASSERT_TRUE_FATAL(q != NULL && db_next(q, &row, &e) && row);
	CU_ASSERT_EQUAL(db_int(q, 0), INT64_MIN);
	CU_ASSERT_STRING_EQUAL(db_text(q, 1), text);
	CU_ASSERT_TRUE(bytes_equal(db_bytes(q, 2), (struct bytes){ bytes, 4 }));
	CU_ASSERT_TRUE_FATAL(db_next(q, &row, &e) && row);
	CU_ASSERT_EQUAL(db_int(q, 0), INT64_MAX);
	CU_ASSERT_TRUE(db_is_null(q, 1));
	CU_ASSERT_STRING_EQUAL(db_text(q, 1), "");
	CU_ASSERT_FALSE(db_is_null(q, 2));
	CU_ASSERT_EQUAL(db_bytes(q, 2).len, 0);
	CU_ASSERT_TRUE(db_next(q, &row, &e) && !row);
	db_finish(q);
}

static void errors_say_what_the_caller_can_do(void)
{
	struct err e = { 0 };
	int64_t v;
	CU_ASSERT_FALSE(db_run(db, &e, "INSERT INTO a (name) VALUES ('one')", ""));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_FALSE(db_run(db, &e, "INSERT INTO b (a) VALUES (77)", ""));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_FALSE(db_run_int(db, &v, &e, "SELECT id FROM a WHERE id = 99", ""));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_PTR_NULL(db_query(db, "SELECT no FROM where", &e));
	CU_ASSERT_EQUAL(e.code, ERR_IO);
	CU_ASSERT_PTR_NULL(db_open("/nowhere/at/all.db", DB_WRITE, &e));
	CU_ASSERT_PTR_NULL(db_open("/nowhere/at/all.db", DB_READ, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
}

static void a_rollback_leaves_nothing(void)
{
	struct err e;
	CU_ASSERT_TRUE(db_begin(db, &e));
	CU_ASSERT_TRUE(db_in_transaction(db));
	CU_ASSERT_TRUE(db_run(db, &e, "INSERT INTO a (name) VALUES ('two')", ""));
	CU_ASSERT_EQUAL(db_changes(db), 1);
	db_rollback(db);
	CU_ASSERT_FALSE(db_in_transaction(db));
	CU_ASSERT_EQUAL(count(db, "a"), 1);
	db_rollback(db); /* harmless */
}

static void a_full_disk_undoes_the_whole_transaction(void)
{
	struct err e = { 0 };
	uint8_t big[4096] = { 0 };
	bool ok = true;
	CU_ASSERT_TRUE(db_exec(db, "PRAGMA max_page_count = 20", &e));
	CU_ASSERT_TRUE(db_begin(db, &e));
	for (int i = 0; i < 100 && ok; i++)
		ok = db_run(db, &e, "INSERT INTO a (body) VALUES (?)", "b", (struct bytes){ big, sizeof(big) });
	CU_ASSERT_FALSE(ok);
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	/* SQLite may have ended the transaction by itself: nothing after that may slip in on its own. */
	if (!db_run(db, &e, "INSERT INTO a (name) VALUES ('late')", ""))
		CU_ASSERT_EQUAL(e.code, ERR_FULL);
	db_rollback(db);
	CU_ASSERT_TRUE(db_exec(db, "PRAGMA max_page_count = 100000", &e));
	CU_ASSERT_EQUAL(count(db, "a"), 1);
	CU_ASSERT_TRUE(db_run(db, &e, "INSERT INTO a (name) VALUES ('room again')", ""));
}

static void migrations_run_once_and_a_newer_file_is_left_alone(void)
{
	struct err e = { 0 };
	db_close(db);
	open_db(2);
	CU_ASSERT_EQUAL(count(db, "a"), 1); /* the second script has not run again */
	CU_ASSERT_FALSE(db_migrate(db, scripts, 1, &e));
	CU_ASSERT_EQUAL(e.code, ERR_STALE);
	static const char *const broken[] = { "SELECT 1;", "SELECT 1;", "CREATE TABLE c (x); NONSENSE;" };
	CU_ASSERT_FALSE(db_migrate(db, broken, 3, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "migration 3"));
	int64_t n = -1;
	CU_ASSERT_TRUE(db_run_int(db, &n, &e, "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'c'", ""));
	CU_ASSERT_EQUAL(n, 0);
}

/* In a child of its own: adds so many rows, each in a transaction that first reads. */
static void write_rows(int rows)
{
	struct err e;
	struct db *mine = db_open(path, DB_WRITE, &e);
	for (int i = 0; mine != NULL && i < rows; i++) {
		int64_t n = 0;
		if (!db_begin(mine, &e) || !db_run_int(mine, &n, &e, "SELECT COUNT(*) FROM a", "") ||
		    !db_run(mine, &e, "INSERT INTO a (body) VALUES (NULL)", "") || !db_commit(mine, &e))
			_exit(1);
	}
	_exit(mine == NULL);
}

static void writers_of_several_processes_take_turns_and_readers_never_wait(void)
{
	enum { WRITERS = 3, ROWS = 60 };
	pid_t pids[WRITERS];
	struct err e;
	struct db *reader = db_open(path, DB_READ, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
	for (int i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			write_rows(ROWS);
	}
	int64_t n = 0, before = 0;
	for (int i = 0; i < 2000 && n < 1 + WRITERS * ROWS; i++) {
		n = count(reader, "a");
		CU_ASSERT_TRUE(n >= before);
		before = n;
		sleep_ms(2);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status = -1;
		waitpid(pids[i], &status, 0);
		CU_ASSERT_EQUAL(status, 0);
	}
	CU_ASSERT_EQUAL(count(reader, "a"), 1 + WRITERS * ROWS);
	CU_ASSERT_FALSE(db_run(reader, &e, "INSERT INTO a (body) VALUES (NULL)", ""));
	db_close(reader);
}

static void a_statement_is_reused_also_while_it_is_in_use(void)
{
	struct err e;
	bool row = false;
	for (int i = 0; i < 300; i++) { /* more texts than the cache holds */
		char sql[60];
		int64_t v = 0;
		snprintf(sql, sizeof(sql), "SELECT %d + id FROM a WHERE id = ?", i);
		CU_ASSERT_TRUE(db_run_int(db, &v, &e, sql, "i", (int64_t)1));
		CU_ASSERT_EQUAL(v, i + 1);
	}
	struct db_query *outer = db_query(db, "SELECT id FROM a", &e), *inner = db_query(db, "SELECT id FROM a", &e);
	CU_ASSERT_TRUE_FATAL(outer != NULL && inner != NULL && outer != inner);
	CU_ASSERT_TRUE(db_next(outer, &row, &e) && row && db_next(inner, &row, &e) && row);
	db_finish(inner);
	CU_ASSERT_EQUAL(db_int(outer, 0), 1);
	db_finish(outer);
}

static void closing_with_a_statement_open_is_a_programmers_error(void)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		struct rlimit none = { 0, 0 };
		struct db *mine = db_open(path, DB_READ, NULL);
		setrlimit(RLIMIT_CORE, &none);
		fclose(stderr);
		if (mine != NULL && db_query(mine, "SELECT 1", NULL) != NULL)
			db_close(mine);
		_exit(0);
	}
	int status = 0;
	waitpid(pid, &status, 0);
	CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static CU_TestInfo tests[] = {
	{ "it survives a power cut by its settings", it_survives_a_power_cut_by_its_settings },
	{ "what was bound comes back", what_was_bound_comes_back },
	{ "errors say what the caller can do", errors_say_what_the_caller_can_do },
	{ "a rollback leaves nothing", a_rollback_leaves_nothing },
	{ "a full disk undoes the whole transaction", a_full_disk_undoes_the_whole_transaction },
	{ "migrations run once and a newer file is left alone", migrations_run_once_and_a_newer_file_is_left_alone },
	{ "writers of several processes take turns and readers never wait",
	  writers_of_several_processes_take_turns_and_readers_never_wait },
	{ "a statement is reused, also while it is in use", a_statement_is_reused_also_while_it_is_in_use },
	{ "closing with a statement open is a programmer's error",
	  closing_with_a_statement_open_is_a_programmers_error },
	CU_TEST_INFO_NULL,
};
SUITE(db, setup, teardown, tests);
