#include "central/carbon/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *zh, *en;
} invariants[CARBON_INVARIANTS] = {
	[CARBON_ONCE] = { "carbon_once", "碳积分：每一行为只计分一次", "carbon: each activity is credited once" },
	[CARBON_ISSUE] = { "carbon_issue", "碳积分：每笔发放带标准版本与数量",
			   "carbon: each issue carries the standard's version and the quantity" },
	[CARBON_ALIAS] = { "carbon_alias", "碳积分：合并只是别名，积分不在主体间转移",
			   "carbon: merging is an alias, no points move between subjects" },
};

const char *carbon_invariant_name(enum carbon_invariant i)
{
	return invariants[i].name;
}

const char *carbon_invariant_zh(enum carbon_invariant i)
{
	return invariants[i].zh;
}

const char *carbon_invariant_en(enum carbon_invariant i)
{
	return invariants[i].en;
}

bool carbon_verdict_is_clean(const struct carbon_verdict *v)
{
	for (size_t i = 0; i < CARBON_INVARIANTS; i++)
		if (v->broken[i] > 0)
			return false;
	return true;
}

struct walk {
	struct carbon_verdict *v;
	uint16_t *codes; /* owned; by account number: its code, 0 when it is of another ledger */
	uint32_t accounts;
	struct id128 *earned; /* owned */
	size_t earned_len, earned_room;
};

PRINTF(4, 5) static void look(struct walk *w, enum carbon_invariant i, bool holds, const char *fmt, ...)
{
	va_list ap;
	w->v->looked[i]++;
	if (holds || w->v->broken[i]++ > 0)
		return;
	va_start(ap, fmt);
	vsnprintf(w->v->first[i], sizeof(w->v->first[i]), fmt, ap);
	va_end(ap);
}

/* --- rows --- */

static bool codes_load(struct walk *w, struct db *db, struct err *e)
{
	struct db_query *q = db_query(db, "SELECT no, code FROM account WHERE ledger = ? AND no BETWEEN 1 AND ?", e);
	bool row = false;
	bool ok = q != NULL && db_bind_int(q, 1, CARBON_LEDGER, e) && db_bind_int(q, 2, w->accounts, e);
	while (ok && (ok = db_next(q, &row, e)) && row)
		w->codes[db_int(q, 0)] = (uint16_t)db_int(q, 1);
	db_finish(q);
	return ok;
}

static void earned_add(struct walk *w, struct id128 id)
{
	if (w->earned_len == w->earned_room) {
		w->earned_room = w->earned_room * 2 + 1024;
		w->earned = realloc(w->earned, w->earned_room * sizeof(*w->earned));
		if (w->earned == NULL)
			abort();
	}
	w->earned[w->earned_len++] = id;
}

static void row_look(struct walk *w, const struct ledger_row *r)
{
	uint16_t from = w->codes[r->debit], to = w->codes[r->credit];
	if (from == 0 || to == 0)
		return;
	look(w, CARBON_ALIAS, from != CARBON_SUBJECT || to != CARBON_SUBJECT, "row %u moves points between subjects",
	     r->seq);
	if (from != CARBON_ISSUED || r->kind == TRANSFER_REVERSAL)
		return;
	look(w, CARBON_ISSUE,
	     r->kind == TRANSFER_SINGLE && r->code == CARBON_EARN && to == CARBON_SUBJECT &&
		     (uint32_t)r->data.hi > 0 && r->data.lo > 0 && (r->flags & TRANSFER_EFFECTIVE_GIVEN) != 0,
	     "row %u issues points without the standard's version, the quantity or the activity's day", r->seq);
	earned_add(w, r->id);
}

static bool rows_walk(struct walk *w, struct db *db, struct err *e)
{
	struct db_query *q = db_query(db, LEDGER_SELECT_ROWS "ORDER BY seq", e);
	struct ledger_row r;
	bool row = false, ok = q != NULL;
	while (ok && (ok = db_next(q, &row, e)) && row) {
		ok = ledger_row_read(q, &r, e);
		if (ok && r.debit <= w->accounts && r.credit <= w->accounts)
			row_look(w, &r);
	}
	db_finish(q);
	return ok;
}

static int id_compare(const void *left, const void *right)
{
	const struct id128 *a = left, *b = right;
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	return (a->lo > b->lo) - (a->lo < b->lo);
}

static void earned_look(struct walk *w)
{
	char text[33];
	if (w->earned_len > 0)
		qsort(w->earned, w->earned_len, sizeof(*w->earned), id_compare);
	for (size_t i = 0; i < w->earned_len; i++) {
		id128_format(w->earned[i], text);
		look(w, CARBON_ONCE, i == 0 || !id128_same(w->earned[i - 1], w->earned[i]),
		     "activity %s is credited twice", text);
	}
}

/* --- aliases --- */

static bool aliases_look(struct walk *w, struct db *central, struct err *e)
{
	struct db_query *q =
		db_query(central,
			 "SELECT a.id, a.holder = a.target, (SELECT COUNT(*) FROM carbon_alias b WHERE b.holder "
			 "= a.holder"
			 " AND b.ended_s = 0), (SELECT COUNT(*) FROM carbon_alias b WHERE b.holder = a.target AND "
			 "b.ended_s = 0)"
			 " FROM carbon_alias a WHERE a.ended_s = 0",
			 e);
	bool row = false, ok = q != NULL;
	while (ok && (ok = db_next(q, &row, e)) && row)
		look(w, CARBON_ALIAS, db_int(q, 1) == 0 && db_int(q, 2) == 1 && db_int(q, 3) == 0,
		     "alias %lld: into himself, merged twice, or into one who is merged", (long long)db_int(q, 0));
	db_finish(q);
	return ok;
}

bool carbon_check(struct ledger_reader *r, struct db *central, struct carbon_verdict *v, struct err *e)
{
	struct walk w = { .v = v };
	uint32_t rows;
	struct db *db = ledger_reader_db(r);
	memset(v, 0, sizeof(*v));
	if (!ledger_reader_count(r, &w.accounts, &rows, e))
		return false;
	w.codes = calloc((size_t)w.accounts + 1, sizeof(*w.codes));
	if (w.codes == NULL)
		abort();
	bool ok = codes_load(&w, db, e) && rows_walk(&w, db, e) && (central == NULL || aliases_look(&w, central, e));
	if (ok)
		earned_look(&w);
	free(w.codes);
	free(w.earned);
	return ok;
}
