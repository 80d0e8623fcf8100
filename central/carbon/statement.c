#include "central/carbon/statement.h"

#include "central/carbon/caps.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *zh, *en;
} kinds[STATEMENT_KINDS] = {
	[STATEMENT_EARNED] = { "获得", "earned" },
	[STATEMENT_REDEEMED] = { "兑换", "redeemed" },
	[STATEMENT_EXPIRED] = { "过期", "expired" },
	[STATEMENT_REVERSED] = { "冲正", "reversed" },
};

const char *statement_kind_zh(enum statement_kind k)
{
	return kinds[k].zh;
}

const char *statement_kind_en(enum statement_kind k)
{
	return kinds[k].en;
}

const struct carbon_activity *statement_activity(const struct carbon_rules *rules, uint32_t mark)
{
	for (size_t i = 0; i < rules->activities_len; i++)
		if (carbon_activity_mark(rules->activities[i].code) == mark)
			return &rules->activities[i];
	return NULL;
}

/* An account's rows, newest first, by their links: nothing of anybody else is read. */
static bool rows_each(struct ledger_reader *r, const struct core_account *a,
		      bool (*each)(void *arg, const struct ledger_row *row, bool in, struct err *e), void *arg,
		      struct err *e)
{
	struct ledger_row row;
	for (uint32_t seq = a->number == 0 ? 0 : a->last; seq != 0;) {
		if (!ledger_source_row(ledger_reader_db(r), seq, &row, e) ||
		    !each(arg, &row, row.credit == a->number, e))
			return false;
		seq = row.debit == a->number ? row.prev_debit : row.prev_credit;
		if (seq >= row.seq)
			return err_set(e, ERR_IO, "row %u of the ledger is damaged", row.seq);
	}
	return true;
}

static enum statement_kind kind_of(const struct ledger_row *row)
{
	if (row->kind == TRANSFER_REVERSAL)
		return STATEMENT_REVERSED;
	return row->code == CARBON_EARN     ? STATEMENT_EARNED
	       : row->code == CARBON_EXPIRE ? STATEMENT_EXPIRED
					    : STATEMENT_REDEEMED;
}

/* What moved points; holds and their ends without posting move none. */
static bool row_take(void *arg, const struct ledger_row *row, bool in, struct err *e)
{
	struct statement *s = arg;
	if (row->kind != TRANSFER_SINGLE && row->kind != TRANSFER_POST && row->kind != TRANSFER_REVERSAL)
		return true;
	if (s->len == STATEMENT_ROWS_MAX)
		return err_set(e, ERR_FULL, "more than %d rows: no statement is made", STATEMENT_ROWS_MAX);
	if ((s->len & (s->len - 1)) == 0) {
		s->rows = realloc(s->rows, (s->len == 0 ? 1 : s->len * 2) * sizeof(*s->rows));
		if (s->rows == NULL)
			abort();
	}
	struct statement_row *out = &s->rows[s->len++];
	*out = (struct statement_row){ .seq = row->seq,
				       .day = row->effective_day,
				       .kind = kind_of(row),
				       .points = in ? row->amount : -row->amount };
	if (out->kind == STATEMENT_EARNED) {
		out->mark = (uint32_t)(row->data.hi >> 32);
		out->rules_version = (uint32_t)row->data.hi;
		out->quantity = (int64_t)row->data.lo;
	}
	s->totals[out->kind] += out->points;
	return true;
}

static int row_compare(const void *left, const void *right)
{
	const struct statement_row *a = left, *b = right;
	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

static bool totals_check(struct statement *s, int64_t ledger, struct err *e)
{
	int64_t balance = 0, totals = 0;
	if (s->len > 0)
		qsort(s->rows, s->len, sizeof(*s->rows), row_compare);
	for (size_t i = 0; i < s->len; i++) {
		balance += s->rows[i].points;
		s->rows[i].balance = balance;
	}
	for (size_t k = 0; k < STATEMENT_KINDS; k++)
		totals += s->totals[k];
	s->balance = balance;
	return (balance == ledger && totals == ledger) ||
	       err_set(e, ERR_IO, "the rows add up to %lld and the ledger says %lld: no statement is made",
		       (long long)balance, (long long)ledger);
}

bool statement_load(struct carbon *c, const struct carbon_group *g, struct statement *s, struct err *e)
{
	int64_t ledger = 0;
	*s = (struct statement){ .day = ledger_day_of(c->now_s) };
	if (!ledger_expire(c->ledger, c->now_s, e))
		return false;
	struct ledger_reader *r = ledger_reader_open(c->ledger_path, e);
	bool ok = r != NULL;
	for (size_t i = 0; ok && i < g->len; i++) {
		const struct core_account a = core_account_find(ledger_core(c->ledger), g->accounts[i]);
		s->accounts += a.number != 0;
		ledger += a.sums.credits_posted - a.sums.debits_posted;
		s->pending += a.sums.debits_pending;
		ok = rows_each(r, &a, row_take, s, e);
	}
	ledger_reader_close(r);
	if (ok && totals_check(s, ledger, e))
		return true;
	statement_clear(s);
	return false;
}

void statement_clear(struct statement *s)
{
	free(s->rows);
	*s = (struct statement){ 0 };
}

/* --- about to expire --- */

struct until {
	int32_t cutoff;
	int64_t earned;
};

/* As carbon_expire counts: all that came in by that day. */
static bool until_add(void *arg, const struct ledger_row *row, bool in, struct err *e)
{
	struct until *u = arg;
	(void)e;
	if (in && row->effective_day <= u->cutoff && row->kind != TRANSFER_PENDING)
		u->earned += row->amount;
	return true;
}

bool statement_expiring(struct carbon *c, const struct carbon_group *g, int64_t valid_days, int64_t within_days,
			int64_t *points, struct err *e)
{
	int64_t cutoff = ledger_day_of(c->now_s) + within_days - valid_days;
	*points = 0;
	struct ledger_reader *r = ledger_reader_open(c->ledger_path, e);
	bool ok = r != NULL;
	for (size_t i = 0; ok && i < g->len; i++) {
		struct until u = { (int32_t)cutoff, 0 };
		const struct core_account a = core_account_find(ledger_core(c->ledger), g->accounts[i]);
		ok = rows_each(r, &a, until_add, &u, e);
		int64_t left = u.earned - a.sums.debits_posted - a.sums.debits_pending;
		*points += left > 0 ? left : 0;
	}
	ledger_reader_close(r);
	return ok;
}
