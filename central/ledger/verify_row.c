/* The rules of a row, stated anew: nothing of core_judge.c is used here. */
#include "central/ledger/verify_inner.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN_ENDED = 1, SEEN_REVERSED = 2 };

bool walk_look(struct walk *w, enum ledger_invariant i, bool holds, const char *fmt, ...)
{
	va_list ap;
	w->v->looked[i]++;
	if (holds)
		return true;
	if (w->v->broken[i]++ == 0) {
		va_start(ap, fmt);
		vsnprintf(w->v->first[i], sizeof(w->v->first[i]), fmt, ap);
		va_end(ap);
	}
	return false;
}

/* --- issued = held + retired --- */

static bool classes_balance(const struct seen_classes *c)
{
	return c->net[ACCOUNT_ISSUE] == c->net[ACCOUNT_HOLD] + c->net[ACCOUNT_RETIRE];
}

static void classes_add(struct seen_classes *c, uint8_t class, int64_t amount, bool is_debit)
{
	c->net[class] += is_debit == (class == ACCOUNT_ISSUE) ? amount : -(int128)amount;
}

static int day_compare(const struct seen_day *d, uint32_t ledger, int32_t day)
{
	if (d->ledger != ledger)
		return d->ledger < ledger ? -1 : 1;
	return (d->day > day) - (d->day < day);
}

static struct seen_classes *day_find(struct walk *w, uint32_t ledger, int32_t day)
{
	size_t low = 0, high = w->days_len;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (day_compare(&w->days[middle], ledger, day) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < w->days_len && day_compare(&w->days[low], ledger, day) == 0)
		return &w->days[low].delta;
	if (w->days_len == w->days_room) {
		w->days_room = w->days_room * 2 + 64;
		w->days = realloc(w->days, w->days_room * sizeof(*w->days));
		if (w->days == NULL)
			abort();
	}
	memmove(&w->days[low + 1], &w->days[low], (w->days_len++ - low) * sizeof(*w->days));
	w->days[low] = (struct seen_day){ .ledger = ledger, .day = day };
	return &w->days[low].delta;
}

static bool moves(const struct ledger_row *r)
{
	return r->kind == TRANSFER_SINGLE || r->kind == TRANSFER_POST || r->kind == TRANSFER_REVERSAL;
}

static void issued_look(struct walk *w, const struct ledger_row *r)
{
	const struct seen_account *d = &w->accounts[r->debit], *k = &w->accounts[r->credit];
	struct seen_classes *now = &w->ledgers[d->ledger].now, *day = day_find(w, d->ledger, r->effective_day);
	classes_add(now, d->class, r->amount, true);
	classes_add(now, k->class, r->amount, false);
	classes_add(day, d->class, r->amount, true);
	classes_add(day, k->class, r->amount, false);
	walk_look(w, INVARIANT_ISSUED, classes_balance(now), "row %u: issued is not held + retired", r->seq);
}

/* --- rows that refer to others --- */

static void ending_look(struct walk *w, const struct ledger_row *r, const struct ledger_row *p, int64_t time_s)
{
	int64_t due = w->due[p->seq];
	bool in_time = r->kind == TRANSFER_EXPIRE ? due != 0 && time_s >= due : due == 0 || time_s < due;
	bool same = r->debit == p->debit && r->credit == p->credit && r->released == p->amount;
	bool amount = r->kind == TRANSFER_POST ? r->amount <= p->amount : r->amount == p->amount;
	walk_look(w, INVARIANT_PENDING,
		  p->kind == TRANSFER_PENDING && in_time && same && amount && (w->ended[p->seq] & SEEN_ENDED) == 0,
		  "row %u ends row %u, which is not open, not pending, or not the same", r->seq, p->seq);
	w->ended[p->seq] |= SEEN_ENDED;
}

static void reversal_look(struct walk *w, const struct ledger_row *r, const struct ledger_row *o)
{
	walk_look(w, INVARIANT_REVERSAL,
		  (o->kind == TRANSFER_SINGLE || o->kind == TRANSFER_POST) && r->debit == o->credit &&
			  r->credit == o->debit && r->amount == o->amount && (w->ended[o->seq] & SEEN_REVERSED) == 0,
		  "row %u does not mirror row %u, or it was reversed before", r->seq, o->seq);
	w->ended[o->seq] |= SEEN_REVERSED;
}

static bool referred_look(struct walk *w, const struct ledger_row *r, int64_t time_s, struct err *e)
{
	struct ledger_row earlier;
	if (r->ref == 0)
		return true;
	if (!ledger_source_row(w->db, r->ref, &earlier, e))
		return false;
	if (r->kind == TRANSFER_REVERSAL)
		reversal_look(w, r, &earlier);
	else
		ending_look(w, r, &earlier, time_s);
	return true;
}

/* --- one row --- */

static bool shape_is_fine(const struct ledger_row *r)
{
	bool refers = r->kind >= TRANSFER_POST;
	bool ends = refers && r->kind != TRANSFER_REVERSAL;
	return r->kind >= TRANSFER_SINGLE && r->kind <= TRANSFER_EXPIRE && r->amount > 0 && refers == (r->ref != 0) &&
	       r->ref < r->seq && ends == (r->released > 0) && (r->timeout_s == 0 || r->kind == TRANSFER_PENDING) &&
	       id128_is_zero(r->id) == (r->kind == TRANSFER_EXPIRE);
}

static bool limits_hold(const struct seen_account *a)
{
	const struct ledger_sums *s = &a->sums;
	int128 debits = (int128)s->debits_posted + s->debits_pending,
	       credits = (int128)s->credits_posted + s->credits_pending;
	if ((a->flags & ACCOUNT_NO_OVERDRAFT) != 0 && debits > s->credits_posted)
		return false;
	return ((a->flags & ACCOUNT_NO_OVERPAY) == 0 || credits <= s->debits_posted) && s->debits_pending >= 0 &&
	       s->credits_pending >= 0 && debits <= INT64_MAX && credits <= INT64_MAX;
}

static void side_take(struct walk *w, uint32_t number, const struct ledger_row *r)
{
	struct seen_account *a = &w->accounts[number];
	bool is_debit = number == r->debit;
	int64_t *posted = is_debit ? &a->sums.debits_posted : &a->sums.credits_posted;
	int64_t *pending = is_debit ? &a->sums.debits_pending : &a->sums.credits_pending;
	int128 sum = (int128)*posted + (moves(r) ? r->amount : 0),
	       held = (int128)*pending + (r->kind == TRANSFER_PENDING ? r->amount : 0) - r->released;
	*posted = sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
	*pending = held > INT64_MAX ? INT64_MAX : (int64_t)held;
	walk_look(w, INVARIANT_LIMITS, sum <= INT64_MAX && held <= INT64_MAX && limits_hold(a),
		  "row %u takes account number %u past its limit", r->seq, number);
	a->last = r->seq;
}

/* Two accounts there are, of one ledger, whose newest rows it names. */
static bool links_are_fine(const struct walk *w, const struct ledger_row *r)
{
	const uint32_t n = w->v->accounts;
	if (r->debit == 0 || r->debit > n || r->credit == 0 || r->credit > n || r->debit == r->credit)
		return false;
	const struct seen_account *d = &w->accounts[r->debit], *k = &w->accounts[r->credit];
	return d->ledger == k->ledger && r->prev_debit == d->last && r->prev_credit == k->last;
}

bool walk_row(struct walk *w, const struct ledger_row *r, int64_t time_s, struct err *e)
{
	if (!walk_look(w, INVARIANT_ROWS, links_are_fine(w, r) && shape_is_fine(r), "row %u is malformed", r->seq))
		return true;
	if (!id128_is_zero(r->id))
		w->ids[w->ids_len++] = r->id;
	if (r->kind == TRANSFER_PENDING && r->timeout_s != 0)
		w->due[r->seq] = time_s + r->timeout_s;
	if (!referred_look(w, r, time_s, e))
		return false;
	side_take(w, r->debit, r);
	side_take(w, r->credit, r);
	w->ledgers[w->accounts[r->debit].ledger].now.pending +=
		(int128)(r->kind == TRANSFER_PENDING ? r->amount : 0) - r->released;
	if (moves(r))
		issued_look(w, r);
	return true;
}

/* --- the end --- */

static int id_compare(const void *left, const void *right)
{
	const struct id128 *a = left, *b = right;
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	return (a->lo > b->lo) - (a->lo < b->lo);
}

static void ids_look(struct walk *w)
{
	char text[33];
	qsort(w->ids, w->ids_len, sizeof(*w->ids), id_compare);
	for (size_t i = 0; i < w->ids_len; i++) {
		id128_format(w->ids[i], text);
		walk_look(w, INVARIANT_IDS, i == 0 || !id128_same(w->ids[i - 1], w->ids[i]), "%s is used twice",
			  text);
	}
}

static void days_look(struct walk *w)
{
	struct seen_classes sum;
	memset(&sum, 0, sizeof(sum));
	for (size_t i = 0; i < w->days_len; i++) {
		if (i > 0 && w->days[i - 1].ledger != w->days[i].ledger)
			memset(&sum, 0, sizeof(sum));
		for (size_t k = ACCOUNT_ISSUE; k <= ACCOUNT_RETIRE; k++)
			sum.net[k] += w->days[i].delta.net[k];
		walk_look(w, INVARIANT_ISSUED, classes_balance(&sum),
			  "as of effective day %d: issued is not held + retired", w->days[i].day);
	}
}

static void zero_look(struct walk *w)
{
	int128 *sums = calloc(w->ledgers_len + 1, sizeof(*sums));
	if (sums == NULL)
		abort();
	for (uint32_t i = 1; i <= w->v->accounts; i++) {
		const struct ledger_sums *s = &w->accounts[i].sums;
		sums[w->accounts[i].ledger] += (int128)s->debits_posted - s->credits_posted;
	}
	for (size_t i = 0; i < w->ledgers_len; i++)
		walk_look(w, INVARIANT_ZERO, sums[i] == 0, "ledger %u does not sum to zero", w->ledgers[i].number);
	free(sums);
}

void walk_end(struct walk *w)
{
	ids_look(w);
	days_look(w);
	zero_look(w);
}
