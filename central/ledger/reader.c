#include "central/ledger/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ledger_reader {
	struct db *db;
	char path[300];
};

struct ledger_reader *ledger_reader_open(const char *path, struct err *e)
{
	struct ledger_reader *r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	snprintf(r->path, sizeof(r->path), "%s", path);
	r->db = db_open(path, DB_READ, e);
	/* One snapshot for all that is read. */
	if (r->db != NULL && db_begin(r->db, e))
		return r;
	if (r->db == NULL && e != NULL && e->code == ERR_MISSING)
		err_set(e, ERR_MISSING,
			"there is no ledger yet: the first account makes it (centralctl ledger create)");
	ledger_reader_close(r);
	return NULL;
}

void ledger_reader_close(struct ledger_reader *r)
{
	if (r == NULL)
		return;
	if (r->db != NULL)
		db_rollback(r->db);
	db_close(r->db);
	free(r);
}

struct db *ledger_reader_db(struct ledger_reader *r)
{
	return r->db;
}

const char *ledger_reader_path(const struct ledger_reader *r)
{
	return r->path;
}

bool ledger_reader_find(struct ledger_reader *r, struct id128 id, uint32_t *number, struct ledger_account *out,
			struct err *e)
{
	uint8_t bytes[16];
	int64_t no = 0;
	id128_encode(id, bytes);
	if (!db_run_int(r->db, &no, e, "SELECT COALESCE(MAX(no), 0) FROM account WHERE id = ?", "b",
			(struct bytes){ bytes, sizeof(bytes) }))
		return false;
	*number = (uint32_t)no;
	return no == 0 || ledger_reader_account(r, *number, out, e);
}

bool ledger_reader_account(struct ledger_reader *r, uint32_t number, struct ledger_account *out, struct err *e)
{
	struct db_query *q = db_query(r->db, LEDGER_SELECT_ACCOUNTS "WHERE no = ?", e);
	bool row = false;
	bool ok = q != NULL && db_bind_int(q, 1, number, e) && db_next(q, &row, e) &&
		  (row || err_set(e, ERR_MISSING, "the ledger has no account number %u", number)) &&
		  ledger_account_read(q, out, e);
	db_finish(q);
	return ok;
}

bool ledger_reader_count(struct ledger_reader *r, uint32_t *accounts, uint32_t *rows, struct err *e)
{
	int64_t a = 0, n = 0;
	bool ok = db_run_int(r->db, &a, e, "SELECT COALESCE(MAX(no), 0) FROM account", "") &&
		  db_run_int(r->db, &n, e, "SELECT COALESCE(MAX(seq), 0) FROM transfer", "");
	*accounts = (uint32_t)a;
	*rows = (uint32_t)n;
	return ok;
}

bool ledger_reader_known(struct ledger_reader *r, int64_t known_s, uint32_t *last, struct err *e)
{
	int64_t v = 0;
	bool ok = db_run_int(r->db, &v, e,
			     "SELECT COALESCE(MAX(first + rows - 1), 0) FROM batch WHERE kind = 2 AND time_s <= ?",
			     "i", known_s);
	*last = (uint32_t)v;
	return ok;
}

static void sums_take(struct ledger_sums *s, uint32_t number, const struct ledger_row *row)
{
	if (row->debit == number)
		ledger_sums_debit(s, row, 1);
	else
		ledger_sums_credit(s, row, 1);
}

/* An account's newest row at or before last; 0 when it has none. Nothing points forward, so it is searched from the end. */
static bool newest_row(struct ledger_reader *r, uint32_t number, uint32_t last, uint32_t *seq, struct err *e)
{
	struct db_query *q = db_query(r->db,
				      "SELECT seq FROM transfer WHERE seq <= ?1 AND (debit = ?2 OR credit = ?2)"
				      " ORDER BY seq DESC LIMIT 1",
				      e);
	bool row = false;
	bool ok = q != NULL && db_bind_int(q, 1, last, e) && db_bind_int(q, 2, number, e) && db_next(q, &row, e);
	*seq = ok && row ? (uint32_t)db_int(q, 0) : 0;
	db_finish(q);
	return ok;
}

bool ledger_reader_balance(struct ledger_reader *r, uint32_t number, const struct ledger_as_of *at,
			   struct ledger_sums *out, struct err *e)
{
	uint32_t last, seq;
	struct ledger_row row;
	*out = (struct ledger_sums){ 0 };
	if (!ledger_reader_known(r, at->known_s, &last, e) || !newest_row(r, number, last, &seq, e))
		return false;
	while (seq != 0) {
		if (!ledger_source_row(r->db, seq, &row, e))
			return false;
		if (row.effective_day <= at->effective_day)
			sums_take(out, number, &row);
		seq = row.debit == number ? row.prev_debit : row.prev_credit;
		if (seq >= row.seq)
			return err_set(e, ERR_IO, "row %u of the ledger is damaged", row.seq);
	}
	return true;
}

bool ledger_reader_balances(struct ledger_reader *r, const struct ledger_as_of *at, struct ledger_sums *out,
			    uint32_t accounts, struct err *e)
{
	uint32_t last;
	struct ledger_row row;
	bool more = false;
	memset(out, 0, ((size_t)accounts + 1) * sizeof(*out));
	if (!ledger_reader_known(r, at->known_s, &last, e))
		return false;
	struct db_query *q = db_query(r->db, LEDGER_SELECT_ROWS "WHERE seq <= ? ORDER BY seq", e);
	bool ok = q != NULL && db_bind_int(q, 1, last, e);
	while (ok && (ok = db_next(q, &more, e)) && more) {
		ok = ledger_row_read(q, &row, e);
		if (ok && (row.debit > accounts || row.credit > accounts))
			ok = err_set(e, ERR_IO, "row %u of the ledger is damaged", row.seq);
		if (ok && row.effective_day <= at->effective_day) {
			ledger_sums_debit(&out[row.debit], &row, 1);
			ledger_sums_credit(&out[row.credit], &row, 1);
		}
	}
	db_finish(q);
	return ok;
}

static bool time_of(struct ledger_reader *r, uint32_t seq, int64_t *time_s, struct err *e)
{
	return db_run_int(r->db, time_s, e,
			  "SELECT time_s FROM batch WHERE kind = 2 AND first <= ? ORDER BY no DESC LIMIT 1", "i",
			  (int64_t)seq);
}

bool ledger_reader_history(struct ledger_reader *r, uint32_t number,
			   bool (*each)(void *arg, const struct ledger_row *row, int64_t time_s), void *arg,
			   struct err *e)
{
	uint32_t seq;
	struct ledger_row row;
	int64_t time_s = 0;
	if (!newest_row(r, number, UINT32_MAX, &seq, e))
		return false;
	while (seq != 0) {
		if (!ledger_source_row(r->db, seq, &row, e) || !time_of(r, seq, &time_s, e))
			return false;
		if (!each(arg, &row, time_s))
			return true;
		seq = row.debit == number ? row.prev_debit : row.prev_credit;
		if (seq >= row.seq)
			return err_set(e, ERR_IO, "row %u of the ledger is damaged", row.seq);
	}
	return true;
}
