/* Signed daily heads against the chain as it is walked. */
#include "central/ledger/verify_inner.h"

#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ledger_signed_init(struct ledger_signed *s, const uint8_t point[POINT_LEN])
{
	memset(s, 0, sizeof(*s));
	memcpy(s->point, point, POINT_LEN);
}

void ledger_signed_clear(struct ledger_signed *s)
{
	free(s->heads);
	s->heads = NULL;
	s->len = s->room = 0;
}

bool ledger_signed_add(void *arg, struct bytes message, struct err *e)
{
	struct ledger_signed *s = arg;
	struct daily_head h;
	struct err why = { 0 };
	(void)e;
	if (!daily_open(message, s->point, &h, &why)) {
		if (s->bad++ == 0)
			snprintf(s->why, sizeof(s->why), "%.150s", why.text);
		return true;
	}
	for (size_t i = s->len; i-- > 0 && s->heads[i].day >= h.day;)
		if (daily_same(&s->heads[i], &h))
			return true; /* from ledger.db and from a copy */
	if (s->len == s->room) {
		s->room = s->room * 2 + 16;
		s->heads = realloc(s->heads, s->room * sizeof(*s->heads));
		if (s->heads == NULL)
			abort();
	}
	s->heads[s->len++] = h;
	return true;
}

static int position_compare(const void *left, const void *right)
{
	const struct daily_head *a = left, *b = right;
	if (a->batches != b->batches)
		return a->batches < b->batches ? -1 : 1;
	return (a->day > b->day) - (a->day < b->day);
}

void heads_start(struct walk *w, struct ledger_signed *s)
{
	w->heads = s;
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->bad; i++)
		walk_look(w, INVARIANT_SIGNED, false, "%s", s->why);
	if (s->len > 0)
		qsort(s->heads, s->len, sizeof(*s->heads), position_compare);
	for (size_t i = 1; i < s->len; i++)
		if (s->heads[i].day <= s->heads[i - 1].day)
			walk_look(w, INVARIANT_SIGNED, false,
				  "two heads were signed on a day, or a later one stands before an earlier one");
}

static int ledger_compare(const void *left, const void *right)
{
	const struct seen_ledger *a = *(const struct seen_ledger *const *)left,
				 *b = *(const struct seen_ledger *const *)right;
	return (a->number > b->number) - (a->number < b->number);
}

static bool sums_hold(const struct walk *w, const struct daily_head *h)
{
	// NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are sorted
	const struct seen_ledger **sorted = calloc(w->ledgers_len + 1, sizeof(*sorted));
	size_t n = w->ledgers_len < DAILY_LEDGERS_MAX ? w->ledgers_len : DAILY_LEDGERS_MAX;
	if (sorted == NULL)
		abort();
	for (size_t i = 0; i < w->ledgers_len; i++)
		sorted[i] = &w->ledgers[i];
	// NOLINTNEXTLINE(bugprone-sizeof-expression)
	qsort(sorted, w->ledgers_len, sizeof(sorted[0]), ledger_compare);
	bool ok = h->sums_len == n;
	for (size_t i = 0; ok && i < n; i++) {
		const struct daily_sums *s = &h->sums[i];
		const struct seen_classes *now = &sorted[i]->now;
		ok = s->ledger == sorted[i]->number && s->issued == daily_clamp(now->net[ACCOUNT_ISSUE]) &&
		     s->held == daily_clamp(now->net[ACCOUNT_HOLD]) &&
		     s->retired == daily_clamp(now->net[ACCOUNT_RETIRE]) && s->pending == daily_clamp(now->pending);
	}
	free(sorted);
	return ok;
}

void heads_look(struct walk *w, uint64_t accounts, uint64_t rows)
{
	const struct ledger_head *at = &w->v->head;
	for (; w->heads != NULL && w->heads_next < w->heads->len; w->heads_next++) {
		const struct daily_head *h = &w->heads->heads[w->heads_next];
		char day[11];
		if (h->batches > at->batches)
			return;
		day_format(h->day, day);
		walk_look(w, INVARIANT_SIGNED,
			  h->batches == at->batches && memcmp(h->hash, at->hash, HASH_LEN) == 0 &&
				  h->accounts == accounts && h->rows == rows && h->day >= ledger_day_of(at->time_s) &&
				  sums_hold(w, h),
			  "batch %llu is not what was signed on %s: what stands before it was rewritten",
			  (unsigned long long)h->batches, day);
	}
}

void heads_end(struct walk *w)
{
	for (; w->heads != NULL && w->heads_next < w->heads->len; w->heads_next++) {
		const struct daily_head *h = &w->heads->heads[w->heads_next];
		char day[11];
		day_format(h->day, day);
		walk_look(w, INVARIANT_SIGNED, false,
			  "batch %llu was signed on %s and the chain ends at %llu: this ledger is an older copy",
			  (unsigned long long)h->batches, day, (unsigned long long)w->v->head.batches);
	}
}
