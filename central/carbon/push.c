#include "central/carbon/push.h"

#include "central/carbon/group.h"
#include "central/store/store.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS "SELECT watermark, day, accounts, changed, points, pushed_s FROM carbon_push "
#define NEVER   INT64_MIN

static void push_read(const struct db_query *q, struct carbon_push *out)
{
	*out = (struct carbon_push){ .watermark = db_int(q, 0),
				     .day = (int32_t)db_int(q, 1),
				     .accounts = db_int(q, 2),
				     .changed = db_int(q, 3),
				     .points = db_int(q, 4),
				     .pushed_s = db_int(q, 5) };
}

bool carbon_push_at(struct db *central, int32_t day, struct carbon_push *out, struct err *e)
{
	bool row = false;
	*out = (struct carbon_push){ 0 };
	struct db_query *q = db_query(central, COLUMNS "WHERE day <= ? ORDER BY watermark DESC LIMIT 1", e);
	bool ok = q != NULL && db_bind_int(q, 1, day, e) && db_next(q, &row, e);
	if (ok && row)
		push_read(q, out);
	db_finish(q);
	return ok;
}

/* By account number: what was pushed last. */
static bool last_load(struct carbon *c, int64_t *last, struct err *e)
{
	struct db_query *q =
		db_query(c->release->db, "SELECT account, points FROM carbon_pushed ORDER BY account, watermark", e);
	bool row = false, ok = q != NULL;
	while (ok && (ok = db_next(q, &row, e)) && row) {
		if (db_bytes(q, 0).len != 16)
			continue;
		last[core_account_find(ledger_core(c->ledger), id128_decode(db_bytes(q, 0).data)).number] =
			db_int(q, 1);
	}
	db_finish(q);
	return ok;
}

static bool balances_put(struct carbon *c, const int64_t *last, struct carbon_push *p, struct err *e)
{
	const struct ledger_core *core = ledger_core(c->ledger);
	for (uint32_t i = 1; i <= core_accounts_len(core); i++) {
		const struct core_account a = core_account_at(core, i);
		uint8_t id[16];
		if (a.ledger != CARBON_LEDGER || a.code != CARBON_SUBJECT)
			continue;
		int64_t points = a.sums.credits_posted - a.sums.debits_posted;
		p->accounts++;
		p->points += points;
		if (points == last[i])
			continue;
		id128_encode(a.id, id);
		if (!db_run(c->release->db, e,
			    "INSERT INTO carbon_pushed (account, watermark, points) VALUES (?, ?, ?)", "bii",
			    (struct bytes){ id, sizeof(id) }, p->watermark, points))
			return false;
		p->changed++;
	}
	return true;
}

static bool push_put(struct carbon *c, const int64_t *last, struct carbon_push *p, struct err *e)
{
	char detail[64];
	struct db *db = c->release->db;
	if (!db_begin(db, e))
		return false;
	bool ok = db_run(db, e,
			 "INSERT INTO carbon_push (watermark, day, accounts, changed, points, pushed_by, pushed_s)"
			 " VALUES (?, ?, 0, 0, 0, ?, ?)",
			 "iiti", p->watermark, (int64_t)p->day, c->operator, p->pushed_s) &&
		  balances_put(c, last, p, e) &&
		  db_run(db, e, "UPDATE carbon_push SET accounts = ?, changed = ?, points = ? WHERE watermark = ?",
			 "iiii", p->accounts, p->changed, p->points, p->watermark);
	snprintf(detail, sizeof(detail), "row %lld: %lld points", (long long)p->watermark, (long long)p->points);
	ok = ok && audit_add(db, c->now_s, c->operator, "carbon.push", "", detail, e);
	if (ok && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

bool carbon_push_run(struct carbon *c, struct carbon_push *out, struct err *e)
{
	if (!ledger_expire(c->ledger, c->now_s, e) || !carbon_push_at(c->release->db, INT32_MAX, out, e))
		return false;
	int64_t watermark = core_rows_len(ledger_core(c->ledger));
	if (watermark < out->watermark)
		return err_set(e, ERR_CONFLICT,
			       "the ledger ends at row %lld, and was pushed at row %lld: it is an older copy",
			       (long long)watermark, (long long)out->watermark);
	out->again = watermark == out->watermark;
	if (out->again)
		return watermark > 0 || err_set(e, ERR_MISSING, "the ledger has no row yet");
	size_t n = (size_t)core_accounts_len(ledger_core(c->ledger)) + 1;
	int64_t *last = calloc(n, sizeof(*last));
	if (last == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		last[i] = NEVER;
	*out = (struct carbon_push){ .watermark = watermark, .day = ledger_day_of(c->now_s), .pushed_s = c->now_s };
	bool ok = last_load(c, last, e) && push_put(c, last, out, e);
	free(last);
	return ok;
}

bool carbon_pushed(struct carbon *c, enum identifier_kind kind, const char *holder, int32_t day, int64_t *points,
		   struct carbon_push *of, struct err *e)
{
	struct carbon_group g;
	*points = 0;
	if (!carbon_push_at(c->release->db, day, of, e) || !carbon_group_load(c, kind, holder, &g, e))
		return false;
	if (of->watermark == 0)
		return err_set(e, ERR_MISSING, "carbon accounts were not pushed yet (centralctl carbon push)");
	for (size_t i = 0; i < g.len; i++) {
		uint8_t id[16];
		int64_t v = 0;
		id128_encode(g.accounts[i], id);
		if (!db_run_int(
			    c->release->db, &v, e,
			    "SELECT COALESCE((SELECT points FROM carbon_pushed WHERE account = ? AND watermark <= ?"
			    " ORDER BY watermark DESC LIMIT 1), 0)",
			    "bi", (struct bytes){ id, sizeof(id) }, of->watermark))
			return false;
		*points += v;
	}
	return true;
}
