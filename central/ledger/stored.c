/* Rows as SQLite keeps them. */
#include "central/ledger/ledger.h"

#include <stdio.h>
#include <string.h>

static bool damaged(struct err *e, const char *what, long long which)
{
	return err_set(e, ERR_IO, "%s %lld of the ledger is damaged: restore ledger.db from a backup", what, which);
}

static bool id_take(const struct db_query *q, int at, struct id128 *out)
{
	struct bytes b = db_bytes(q, at);
	*out = (struct id128){ 0, 0 };
	if (b.len == 16)
		*out = id128_decode(b.data);
	return b.len == 16 || db_is_null(q, at);
}

static bool u32_take(const struct db_query *q, int at, uint32_t *out)
{
	int64_t v = db_int(q, at);
	*out = (uint32_t)v;
	return v >= 0 && v <= UINT32_MAX;
}

static bool small_take(const struct db_query *q, int at, int64_t most, int64_t *out)
{
	*out = db_int(q, at);
	return *out >= 0 && *out <= most;
}

bool ledger_row_read(const struct db_query *q, struct ledger_row *r, struct err *e)
{
	int64_t code, kind, flags, day = db_int(q, 11);
	bool ok = id_take(q, 0, &r->id) && id_take(q, 1, &r->data) && u32_take(q, 4, &r->seq) &&
		  u32_take(q, 5, &r->debit) && u32_take(q, 6, &r->credit) && u32_take(q, 7, &r->ref) &&
		  u32_take(q, 8, &r->prev_debit) && u32_take(q, 9, &r->prev_credit) &&
		  u32_take(q, 10, &r->timeout_s) && day >= INT32_MIN && day <= INT32_MAX &&
		  small_take(q, 12, UINT16_MAX, &code) && small_take(q, 13, TRANSFER_EXPIRE, &kind) &&
		  small_take(q, 14, UINT8_MAX, &flags);
	if (!ok)
		return damaged(e, "row", db_int(q, 4));
	r->amount = db_int(q, 2);
	r->released = db_int(q, 3);
	r->effective_day = (int32_t)day;
	r->code = (uint16_t)code;
	r->kind = (uint8_t)kind;
	r->flags = (uint8_t)flags;
	return true;
}

bool ledger_account_read(const struct db_query *q, struct ledger_account *a, struct err *e)
{
	int64_t code, class, flags;
	size_t len = strlen(db_text(q, 5));
	if (!id_take(q, 0, &a->id) || !u32_take(q, 1, &a->ledger) || !small_take(q, 2, UINT16_MAX, &code) ||
	    !small_take(q, 3, UINT8_MAX, &class) || !small_take(q, 4, UINT8_MAX, &flags) || len > LEDGER_NAME_MAX)
		return err_set(e, ERR_IO, "an account of the ledger is damaged: restore ledger.db from a backup");
	a->code = (uint16_t)code;
	a->class = (uint8_t) class;
	a->flags = (uint8_t)flags;
	memcpy(a->name, db_text(q, 5), len + 1);
	return true;
}

bool ledger_batch_read(const struct db_query *q, struct ledger_batch *b, uint8_t hash[HASH_LEN], struct err *e)
{
	int64_t kind;
	struct bytes h = db_bytes(q, 6);
	if (db_int(q, 0) <= 0 || !small_take(q, 1, BATCH_TRANSFERS, &kind) || db_int(q, 2) <= 0 ||
	    !u32_take(q, 3, &b->rows) || strlen(db_text(q, 5)) > NAME_MAX_LEN || h.len != HASH_LEN)
		return damaged(e, "batch", db_int(q, 0));
	b->no = (uint64_t)db_int(q, 0);
	b->kind = (uint8_t)kind;
	b->first = (uint64_t)db_int(q, 2);
	b->time_s = db_int(q, 4);
	snprintf(b->operator, sizeof(b->operator), "%s", db_text(q, 5));
	memcpy(hash, h.data, HASH_LEN);
	return true;
}

bool ledger_source_row(void *arg, uint32_t seq, struct ledger_row *out, struct err *e)
{
	struct db_query *q = db_query(arg, LEDGER_SELECT_ROWS "WHERE seq = ?", e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, seq, e) && db_next(q, &row, e) &&
		  (row ? ledger_row_read(q, out, e) : damaged(e, "row", seq));
	db_finish(q);
	return ok;
}

bool ledger_source_named(void *arg, uint32_t account, const char *name, bool *same, struct err *e)
{
	struct db_query *q = db_query(arg, "SELECT name FROM account WHERE no = ?", e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, account, e) && db_next(q, &row, e) && (row || damaged(e, "account", account));
	if (ok)
		*same = strcmp(db_text(q, 0), name) == 0;
	db_finish(q);
	return ok;
}

/* --- all of it --- */

/* A query over what stands behind number at. NULL on failure. */
static struct db_query *behind(struct db *db, const char *sql, uint64_t at, struct err *e)
{
	struct db_query *q = db_query(db, sql, e);
	if (q == NULL || db_bind_int(q, 1, (int64_t)at, e))
		return q;
	db_finish(q);
	return NULL;
}

static bool accounts_load(struct db *db, struct ledger_core *c, struct err *e)
{
	struct db_query *q = behind(db, LEDGER_SELECT_ACCOUNTS "WHERE no > ? ORDER BY no", core_accounts_len(c), e);
	struct ledger_account a;
	bool row = false, ok = q != NULL;
	while (ok && (ok = db_next(q, &row, e)) && row)
		ok = ledger_account_read(q, &a, e) && core_replay_account(c, &a, e);
	db_finish(q);
	return ok;
}

static bool batch_load(struct db_query *rows, struct ledger_core *c, const struct ledger_batch *b, struct err *e)
{
	struct ledger_row r;
	bool row = false;
	for (uint32_t i = 0; i < b->rows; i++) {
		if (!db_next(rows, &row, e))
			return false;
		if (!row)
			return damaged(e, "batch", (long long)b->no);
		if (!ledger_row_read(rows, &r, e) || !core_replay_row(c, &r, b->time_s, e))
			return false;
	}
	return true;
}

bool ledger_load(struct db *db, struct ledger_core *c, struct ledger_head *head, struct err *e)
{
	*head = (struct ledger_head){ 0 };
	return ledger_load_rest(db, c, head, e);
}

bool ledger_load_rest(struct db *db, struct ledger_core *c, struct ledger_head *head, struct err *e)
{
	struct ledger_batch b = { 0 };
	bool row = false;
	if (!accounts_load(db, c, e))
		return false;
	struct db_query *batches = behind(db, LEDGER_SELECT_BATCHES "WHERE no > ? ORDER BY no", head->batches, e);
	struct db_query *rows =
		batches != NULL ? behind(db, LEDGER_SELECT_ROWS "WHERE seq > ? ORDER BY seq", core_rows_len(c), e)
				: NULL;
	bool ok = rows != NULL;
	while (ok && (ok = db_next(batches, &row, e)) && row) {
		ok = ledger_batch_read(batches, &b, head->hash, e) &&
		     (b.no == head->batches + 1 || damaged(e, "batch", (long long)b.no)) &&
		     (b.kind == BATCH_ACCOUNTS || batch_load(rows, c, &b, e));
		head->batches = b.no;
		head->time_s = b.time_s;
		core_replay_time(c, b.time_s);
	}
	if (ok && db_next(rows, &row, e) && row)
		ok = damaged(e, "row", db_int(rows, 4));
	db_finish(rows);
	db_finish(batches);
	return ok;
}
