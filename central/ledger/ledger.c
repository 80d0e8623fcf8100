#include "central/ledger/ledger.h"

#include "central/ledger/snapshot.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct ledger {
	struct db *db;
	struct ledger_core *core;
	struct ledger_head head;
	char snapshot[SNAPSHOT_PATH_MAX];
	struct err passed_over;
	uint64_t saved, saving; /* rows and accounts in the newest snapshot, and in the one being written */
	pid_t writer;           /* 0: none */
};

#define INSERT_ONLY(table)                                                                                           \
	"CREATE TRIGGER " table "_stays BEFORE UPDATE ON " table                                                     \
	" BEGIN SELECT RAISE(ABORT, 'the ledger is insert-only'); END;"                                              \
	"CREATE TRIGGER " table "_remains BEFORE DELETE ON " table                                                   \
	" BEGIN SELECT RAISE(ABORT, 'the ledger is insert-only'); END;"

static const char *const scripts[] = {
	"CREATE TABLE batch (no INTEGER PRIMARY KEY, kind INTEGER NOT NULL, first BIGINT NOT NULL, rows INTEGER NOT "
	"NULL,"
	" time_s BIGINT NOT NULL, operator TEXT NOT NULL, hash BLOB NOT NULL);"
	"CREATE TABLE account (no INTEGER PRIMARY KEY, id BLOB NOT NULL, ledger BIGINT NOT NULL, code INTEGER NOT "
	"NULL,"
	" class INTEGER NOT NULL, flags INTEGER NOT NULL, name TEXT NOT NULL);"
	"CREATE TABLE transfer (seq INTEGER PRIMARY KEY, id BLOB, data BLOB, kind INTEGER NOT NULL, flags INTEGER "
	"NOT NULL,"
	" code INTEGER NOT NULL, debit BIGINT NOT NULL, credit BIGINT NOT NULL, amount BIGINT NOT NULL,"
	" released BIGINT NOT NULL, ref BIGINT NOT NULL, timeout_s BIGINT NOT NULL, effective_day INTEGER NOT NULL,"
	" prev_debit BIGINT NOT NULL, prev_credit BIGINT NOT NULL);"
	/* No index: identifiers are found in memory, an account's rows by their links (prev_debit, prev_credit). */
	INSERT_ONLY("batch") INSERT_ONLY("account") INSERT_ONLY("transfer"),
	/* dailies.h */
	"CREATE TABLE daily (day INTEGER PRIMARY KEY, payload BLOB NOT NULL);"
	"CREATE TABLE daily_signed (day INTEGER PRIMARY KEY, message BLOB NOT NULL);" INSERT_ONLY("daily")
		INSERT_ONLY("daily_signed"),
};

struct ledger *ledger_open(const char *path, struct err *e)
{
	struct ledger *l = calloc(1, sizeof(*l));
	struct ledger_restored how = { .saved = 0 };
	if (l == NULL)
		abort();
	snapshot_path(path, l->snapshot);
	l->db = db_open(path, DB_WRITE, e);
	if (l->db != NULL && db_migrate(l->db, scripts, sizeof(scripts) / sizeof(scripts[0]), e))
		l->core = ledger_restore(l->db, path, &how, e);
	if (l->core != NULL) {
		l->head = how.head;
		l->saved = how.saved;
		l->passed_over = how.passed_over;
		return l;
	}
	ledger_close(l);
	return NULL;
}

/* --- snapshots --- */

static uint64_t entries(const struct ledger *l)
{
	return (uint64_t)core_rows_len(l->core) + core_accounts_len(l->core);
}

uint64_t ledger_unsaved(const struct ledger *l)
{
	return entries(l) - l->saved;
}

const struct err *ledger_passed_over(const struct ledger *l)
{
	return &l->passed_over;
}

bool ledger_snapshot(struct ledger *l, struct err *e)
{
	if (!snapshot_write(l->snapshot, l->core, &l->head, e))
		return false;
	l->saved = entries(l);
	return true;
}

/* It has the parent's memory as it was, and none of its files: not its lock either. */
static void writer_main(const struct ledger *l)
{
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	int niceness = nice(10);
	(void)niceness;
	if (close_range(3, ~0U, 0) != 0)
		_exit(1);
	_exit(snapshot_write(l->snapshot, l->core, &l->head, NULL) ? 0 : 1);
}

/* False when it failed; wait: until it has ended. */
static bool writer_collect(struct ledger *l, bool wait, struct err *e)
{
	int status = 0;
	pid_t got = 0;
	if (l->writer == 0)
		return true;
	do
		got = waitpid(l->writer, &status, wait ? 0 : WNOHANG);
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return true;
	l->writer = 0;
	if (got < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, ERR_IO, "%.180s was not written: is the disk full?", l->snapshot);
	l->saved = l->saving;
	return true;
}

bool ledger_snapshot_run(struct ledger *l, struct err *e)
{
	if (!writer_collect(l, false, e))
		return false;
	if (l->writer != 0 || ledger_unsaved(l) < LEDGER_SNAPSHOT_ROWS)
		return true;
	l->saving = entries(l);
	pid_t pid = fork();
	if (pid == 0)
		writer_main(l);
	if (pid < 0)
		return err_set(e, ERR_IO, "no process for a snapshot of the ledger");
	l->writer = pid;
	return true;
}

/* A snapshot that cannot be written costs the next opening time and nothing else. */
static void leave_snapshot(struct ledger *l)
{
	bool written = writer_collect(l, true, NULL);
	if (!written || ledger_unsaved(l) >= LEDGER_SNAPSHOT_ROWS / 10)
		written = ledger_snapshot(l, NULL);
	(void)written;
}

void ledger_close(struct ledger *l)
{
	if (l == NULL)
		return;
	if (l->core != NULL)
		leave_snapshot(l);
	core_free(l->core);
	db_close(l->db);
	free(l);
}

struct ledger_core *ledger_core(struct ledger *l)
{
	return l->core;
}

struct db *ledger_db(struct ledger *l)
{
	return l->db;
}

struct ledger_head ledger_head(const struct ledger *l)
{
	return l->head;
}

/* --- storing --- */

static bool id_bind(struct db_query *q, int at, struct id128 id, struct err *e)
{
	uint8_t bytes[16];
	if (id128_is_zero(id))
		return db_bind_null(q, at, e);
	id128_encode(id, bytes);
	return db_bind_bytes(q, at, (struct bytes){ bytes, sizeof(bytes) }, e);
}

static bool row_insert(struct db_query *q, const struct ledger_row *r, struct err *e)
{
	const int64_t numbers[] = { r->seq,           r->kind,       r->flags,      r->code, r->debit,
				    r->credit,        r->amount,     r->released,   r->ref,  r->timeout_s,
				    r->effective_day, r->prev_debit, r->prev_credit };
	bool row = false;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!db_bind_int(q, (int)i + 1, numbers[i], e))
			return false;
	if (!id_bind(q, 14, r->id, e) || !id_bind(q, 15, r->data, e) || !db_next(q, &row, e))
		return false;
	db_again(q);
	return true;
}

static bool rows_insert(struct ledger *l, const struct ledger_row *rows, size_t n, struct sha256_stream *s,
			struct err *e)
{
	uint8_t bytes[ROW_LEN];
	struct db_query *q =
		db_query(l->db,
			 "INSERT INTO transfer (seq, kind, flags, code, debit, credit, amount, released, ref,"
			 " timeout_s, effective_day, prev_debit, prev_credit, id, data)"
			 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			 e);
	bool ok = q != NULL;
	for (size_t i = 0; ok && i < n; i++) {
		ledger_row_encode(&rows[i], bytes);
		sha256_add(s, (struct bytes){ bytes, sizeof(bytes) });
		ok = row_insert(q, &rows[i], e);
	}
	db_finish(q);
	return ok;
}

static bool accounts_insert(struct ledger *l, const struct ledger_account *a, const uint32_t *which, size_t n,
			    struct sha256_stream *s, struct err *e)
{
	uint8_t bytes[ACCOUNT_LEN_MAX];
	int64_t no = core_accounts_len(l->core);
	bool ok = true;
	for (size_t i = 0; ok && i < n; i++) {
		const struct ledger_account *x = &a[which[i]];
		size_t len = ledger_account_encode(x, bytes);
		sha256_add(s, (struct bytes){ bytes, len });
		ok = db_run(
			l->db, e,
			"INSERT INTO account (no, id, ledger, code, class, flags, name) VALUES (?, ?, ?, ?, ?, ?, ?)",
			"ibiiiit", ++no, (struct bytes){ bytes, 16 }, (int64_t)x->ledger, (int64_t)x->code,
			(int64_t)x->class, (int64_t)x->flags, x->name);
	}
	return ok;
}

static bool batch_insert(struct ledger *l, const struct ledger_batch *b, const uint8_t hash[HASH_LEN], struct err *e)
{
	return db_run(
		l->db, e,
		"INSERT INTO batch (no, kind, first, rows, time_s, operator, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
		"iiiiitb", (int64_t)b->no, (int64_t)b->kind, (int64_t)b->first, (int64_t)b->rows, b->time_s,
		b->operator,(struct bytes){ hash, HASH_LEN });
}

/* What the core has found, in one transaction; a is NULL for a batch of transfers. */
static bool batch_store(struct ledger *l, const char *operator, const struct ledger_account * a,
			struct ledger_head *head, struct err *e)
{
	struct ledger_batch b = { .no = l->head.batches + 1, .time_s = core_time(l->core) };
	struct sha256_stream s;
	const uint32_t *which;
	const struct ledger_row *rows;
	size_t created = core_new_accounts(l->core, &which), n = core_new_rows(l->core, &rows);
	b.kind = a != NULL ? BATCH_ACCOUNTS : BATCH_TRANSFERS;
	b.first = (uint64_t)(a != NULL ? core_accounts_len(l->core) : core_rows_len(l->core)) + 1;
	b.rows = (uint32_t)(a != NULL ? created : n);
	memcpy(b.operator, operator, strlen(operator) + 1);
	ledger_chain_start(&s, l->head.hash, &b);
	*head = (struct ledger_head){ .batches = b.no, .time_s = b.time_s };
	if (!db_begin(l->db, e))
		return false;
	bool ok = a != NULL ? accounts_insert(l, a, which, created, &s, e) : rows_insert(l, rows, n, &s, e);
	sha256_finish(&s, head->hash);
	if (ok && batch_insert(l, &b, head->hash, e) && db_commit(l->db, e))
		return true;
	db_rollback(l->db);
	return false;
}

static bool batch_is_fine(const char *operator, size_t n, struct err *e)
{
	if (n > LEDGER_BATCH_MAX)
		return err_set(e, ERR_INPUT, "a batch has at most %d entries; this has %zu: split it",
			       LEDGER_BATCH_MAX, n);
	return strlen(operator) <= NAME_MAX_LEN || err_set(e, ERR_INPUT, "the operator's name is too long");
}

/* Judged already: stored, and only then true in memory. */
static bool batch_finish(struct ledger *l, bool judged, const char *operator, const struct ledger_account * a,
			 struct err *e)
{
	struct ledger_head head = l->head;
	const uint32_t *which;
	const struct ledger_row *rows;
	size_t created = core_new_accounts(l->core, &which), n = core_new_rows(l->core, &rows);
	bool ok = judged && (created + n == 0 || batch_store(l, operator, a, &head, e));
	if (!ok || created + n == 0) {
		core_rollback(l->core);
		return ok;
	}
	core_commit(l->core);
	l->head = head;
	for (size_t i = 0; ok && i < created; i++)
		ok = core_replay_account(l->core, &a[which[i]], e);
	return ok;
}

bool ledger_accounts(struct ledger *l, int64_t now_s, const char *operator, const struct ledger_account * a, size_t n,
		     enum ledger_status *status, struct err *e)
{
	if (!batch_is_fine(operator, n, e))
		return false;
	return batch_finish(l, core_accounts(l->core, now_s, a, n, status, e), operator, a, e);
}

bool ledger_transfers(struct ledger *l, int64_t now_s, const char *operator, const struct ledger_transfer * t,
		      size_t n, enum ledger_status *status, struct err *e)
{
	if (!batch_is_fine(operator, n, e))
		return false;
	return batch_finish(l, core_transfers(l->core, now_s, t, n, status, e), operator, NULL, e);
}

bool ledger_expire(struct ledger *l, int64_t now_s, struct err *e)
{
	return ledger_transfers(l, now_s, "(time)", NULL, 0, NULL, e);
}
