/*
 * Invariants:
 * 1. Between batches new_len, created_len, undo_len and popped_len are 0 and local is empty.
 * 2. A committed row's identifier is in ids exactly once; a row of the batch is in local only, until core_commit.
 * 3. states has an entry for each row, committed or of the batch; that of an appended row starts at 0.
 */
#include "central/ledger/core_inner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct core_slot) == 64, "an account is one cache line");

static void *room_for(void *array, size_t item, size_t len, size_t *room)
{
	if (len < *room)
		return array;
	*room = *room * 2 + 256;
	array = realloc(array, *room * item);
	if (array == NULL)
		abort();
	return array;
}

struct ledger_core *core_new(const struct core_source *s)
{
	struct ledger_core *c = calloc(1, sizeof(*c));
	if (c == NULL)
		abort();
	c->source = *s;
	c->account_ids = id_index_new();
	c->ids = id_index_new();
	c->last_s = INT64_MIN;
	return c;
}

void core_free(struct ledger_core *c)
{
	if (c == NULL)
		return;
	id_index_free(c->account_ids);
	id_index_free(c->ids);
	free(c->accounts);
	free(c->states);
	free(c->heap.at);
	free(c->rows);
	free(c->undo);
	free(c->popped);
	free(c);
}

/* --- the heap of expiries --- */

static bool earlier(const struct core_expiry *a, const struct core_expiry *b)
{
	return a->time_s < b->time_s || (a->time_s == b->time_s && a->seq < b->seq);
}

static void heap_push(struct core_heap *h, struct core_expiry x)
{
	h->at = room_for(h->at, sizeof(*h->at), h->len, &h->room);
	size_t i = h->len++;
	for (; i > 0 && earlier(&x, &h->at[(i - 1) / 2]); i = (i - 1) / 2)
		h->at[i] = h->at[(i - 1) / 2];
	h->at[i] = x;
}

static struct core_expiry heap_pop(struct core_heap *h)
{
	struct core_expiry top = h->at[0], x = h->at[--h->len];
	size_t i = 0;
	for (size_t child; (child = 2 * i + 1) < h->len; i = child) {
		if (child + 1 < h->len && earlier(&h->at[child + 1], &h->at[child]))
			child++;
		if (!earlier(&h->at[child], &x))
			break;
		h->at[i] = h->at[child];
	}
	h->at[i] = x;
	return top;
}

/* --- finding --- */

static uint32_t local_slot(struct id128 id)
{
	uint64_t x = (id.lo ^ id.hi * 0x9e3779b97f4a7c15U) * 0xbf58476d1ce4e5b9U;
	return (uint32_t)(x >> 40) & (LOCAL_SLOTS - 1);
}

/* Where the identifier stands, or would. */
static uint32_t local_find(const struct ledger_core *c, struct id128 id)
{
	uint32_t at = local_slot(id);
	while (c->local[at] != 0 && !id128_same(c->rows[c->local[at] - 1].id, id))
		at = (at + 1) & (LOCAL_SLOTS - 1);
	return at;
}

bool core_find(struct ledger_core *c, struct id128 id, struct ledger_row *out, struct err *e)
{
	struct id_probe p;
	uint32_t at = local_find(c, id);
	if (c->local[at] != 0) {
		*out = c->rows[c->local[at] - 1];
		return true;
	}
	for (uint32_t n = id_index_first(c->ids, id, &p); n != 0; n = id_index_next(&p)) {
		if (!c->source.row(c->source.arg, n, out, e))
			return false;
		if (id128_same(out->id, id))
			return true;
	}
	out->seq = 0;
	return true;
}

uint32_t core_account_number(const struct ledger_core *c, struct id128 id)
{
	struct id_probe p;
	for (uint32_t n = id_index_first(c->account_ids, id, &p); n != 0; n = id_index_next(&p))
		if (id128_same(c->accounts[n].id, id))
			return n;
	return 0;
}

uint8_t core_state(const struct ledger_core *c, uint32_t seq)
{
	return c->states[seq];
}

/* --- changes, which can be taken back --- */

static struct core_undo *undo_add(struct ledger_core *c)
{
	c->undo = room_for(c->undo, sizeof(*c->undo), c->undo_len, &c->undo_room);
	return &c->undo[c->undo_len++];
}

static void slot_remember(struct ledger_core *c, uint32_t number)
{
	const struct core_slot *a = &c->accounts[number];
	*undo_add(c) = (struct core_undo){ .number = number, .last = a->last, .sums = a->sums };
}

static void state_set(struct ledger_core *c, uint32_t seq, uint8_t bits)
{
	*undo_add(c) = (struct core_undo){ .is_state = true, .number = seq, .state = c->states[seq] };
	c->states[seq] |= bits;
}

static void states_reserve(struct ledger_core *c, uint32_t seq)
{
	if (seq < c->rows_room)
		return;
	size_t room = (size_t)c->rows_room * 2 + 4096;
	c->rows_room = room > LEDGER_ROWS_MAX ? LEDGER_ROWS_MAX + 1U : (uint32_t)room;
	c->states = realloc(c->states, c->rows_room);
	if (c->states == NULL)
		abort();
}

static uint8_t ending_of(uint8_t kind)
{
	switch (kind) {
	case TRANSFER_POST: return PENDING_POSTED;
	case TRANSFER_VOID: return PENDING_VOIDED;
	case TRANSFER_EXPIRE: return PENDING_EXPIRED;
	case TRANSFER_REVERSAL: return STATE_REVERSED;
	default: return 0;
	}
}

void core_append(struct ledger_core *c, struct ledger_row *r)
{
	struct core_slot *debit = &c->accounts[r->debit], *credit = &c->accounts[r->credit];
	r->seq = c->rows_len + (uint32_t)c->new_len + 1;
	states_reserve(c, r->seq);
	c->states[r->seq] = 0;
	slot_remember(c, r->debit);
	slot_remember(c, r->credit);
	r->prev_debit = debit->last;
	r->prev_credit = credit->last;
	ledger_sums_debit(&debit->sums, r, 1);
	ledger_sums_credit(&credit->sums, r, 1);
	debit->last = credit->last = r->seq;
	if (r->ref != 0)
		state_set(c, r->ref, ending_of(r->kind));
	c->rows = room_for(c->rows, sizeof(*c->rows), c->new_len, &c->new_room);
	c->rows[c->new_len++] = *r;
	if (!id128_is_zero(r->id))
		c->local[local_find(c, r->id)] = (uint32_t)c->new_len;
}

/* Back to when the batch had this many rows and changes. */
static void undo_to(struct ledger_core *c, size_t rows, size_t changes)
{
	while (c->undo_len > changes) {
		const struct core_undo *u = &c->undo[--c->undo_len];
		if (u->is_state) {
			c->states[u->number] = u->state;
		} else {
			c->accounts[u->number].sums = u->sums;
			c->accounts[u->number].last = u->last;
		}
	}
	/* Newest first, so nothing was put behind the place that becomes free. */
	for (; c->new_len > rows; c->new_len--)
		if (!id128_is_zero(c->rows[c->new_len - 1].id))
			c->local[local_find(c, c->rows[c->new_len - 1].id)] = 0;
}

/* --- batches --- */

static void batch_start(struct ledger_core *c, int64_t now_s)
{
	assert(c->new_len == 0 && c->created_len == 0 && c->undo_len == 0 && c->popped_len == 0);
	c->batch_s = now_s > c->last_s ? now_s : c->last_s;
}

/* A committed pending row whose time is up. */
static bool expire_one(struct ledger_core *c, uint32_t seq, struct err *e)
{
	struct ledger_row p, r = { .kind = TRANSFER_EXPIRE, .ref = seq };
	if ((c->states[seq] & STATE_ENDED) != PENDING_OPEN)
		return true;
	if (!c->source.row(c->source.arg, seq, &p, e))
		return false;
	r.debit = p.debit;
	r.credit = p.credit;
	r.amount = r.released = p.amount;
	r.code = p.code;
	r.effective_day = ledger_day_of(c->batch_s);
	core_append(c, &r);
	return true;
}

static bool expire_due(struct ledger_core *c, struct err *e)
{
	while (c->heap.len > 0 && c->heap.at[0].time_s <= c->batch_s) {
		struct core_expiry x = heap_pop(&c->heap);
		c->popped = room_for(c->popped, sizeof(*c->popped), c->popped_len, &c->popped_room);
		c->popped[c->popped_len++] = x;
		if (!expire_one(c, x.seq, e))
			return false;
	}
	return true;
}

/* t[first..last] succeed together. */
static bool chain_run(struct ledger_core *c, const struct ledger_transfer *t, size_t first, size_t last,
		      enum ledger_status *status, struct err *e)
{
	size_t rows = c->new_len, changes = c->undo_len, at = first;
	struct ledger_row r;
	for (; at <= last; at++) {
		if (!core_judge(c, &t[at], &status[at], &r, e))
			return false;
		if (status[at] == LEDGER_OK)
			core_append(c, &r);
		else if (status[at] != LEDGER_EXISTS)
			break;
	}
	if (at > last)
		return true;
	undo_to(c, rows, changes);
	for (size_t i = first; i <= last; i++)
		if (i > at || (i < at && status[i] == LEDGER_OK))
			status[i] = LEDGER_LINKED_FAILED;
	return true;
}

static void prefetch(const struct ledger_core *c, const struct ledger_transfer *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		id_index_prefetch(c->ids, t[i].id);
		id_index_prefetch(c->account_ids, t[i].debit);
		id_index_prefetch(c->account_ids, t[i].credit);
	}
}

#define AHEAD 16 /* transfers whose memory is on its way while one is judged */

bool core_transfers(struct ledger_core *c, int64_t now_s, const struct ledger_transfer *t, size_t n,
		    enum ledger_status *status, struct err *e)
{
	assert(n <= LEDGER_BATCH_MAX);
	batch_start(c, now_s);
	if (!expire_due(c, e))
		return false;
	prefetch(c, t, n < AHEAD ? n : AHEAD);
	for (size_t first = 0, last; first < n; first = last + 1) {
		for (last = first; last < n && (t[last].flags & TRANSFER_LINKED) != 0; last++)
			;
		if (last == n) {
			for (size_t i = first; i < n; i++)
				status[i] = i + 1 == n ? LEDGER_LINKED_OPEN : LEDGER_LINKED_FAILED;
			return true;
		}
		if (first + AHEAD < n)
			prefetch(c, t + first + AHEAD,
				 n - first - AHEAD < last - first + 1 ? n - first - AHEAD : last - first + 1);
		if (!chain_run(c, t, first, last, status, e))
			return false;
	}
	return true;
}

static void account_put(struct ledger_core *c, const struct ledger_account *a)
{
	size_t room = c->accounts_room;
	c->accounts = room_for(c->accounts, sizeof(*c->accounts), (size_t)c->accounts_len + 1, &room);
	c->accounts_room = (uint32_t)room;
	struct core_slot *s = &c->accounts[++c->accounts_len];
	*s = (struct core_slot){
		.id = a->id, .ledger = a->ledger, .code = a->code, .class = a->class, .flags = a->flags
	};
	id_index_add(c->account_ids, a->id, c->accounts_len);
}

/* Where in local an account that the batch creates stands (1 + its place in created), or would. */
static uint32_t created_slot(const struct ledger_core *c, const struct ledger_account *a, struct id128 id)
{
	uint32_t at = local_slot(id);
	while (c->local[at] != 0 && !id128_same(a[c->created[c->local[at] - 1]].id, id))
		at = (at + 1) & (LOCAL_SLOTS - 1);
	return at;
}

static enum ledger_status account_same(const struct core_slot *s, const struct ledger_account *a)
{
	if (s->ledger != a->ledger)
		return LEDGER_DIFFERENT_LEDGER;
	if (s->code != a->code)
		return LEDGER_DIFFERENT_CODE;
	if (s->class != a->class)
		return LEDGER_DIFFERENT_CLASS;
	return s->flags == a->flags ? LEDGER_EXISTS : LEDGER_DIFFERENT_FLAGS;
}

static bool account_one(struct ledger_core *c, const struct ledger_account *a, size_t at, enum ledger_status *status,
			struct err *e)
{
	uint32_t number, slot = created_slot(c, a, a[at].id);
	bool same = false;
	*status = core_judge_account(&a[at]);
	if (*status != LEDGER_OK)
		return true;
	if ((number = core_account_number(c, a[at].id)) != 0) {
		*status = account_same(&c->accounts[number], &a[at]);
		if (*status != LEDGER_EXISTS)
			return true;
		if (!c->source.named(c->source.arg, number, a[at].name, &same, e))
			return false;
	} else if (c->local[slot] != 0) {
		const struct ledger_account *b = &a[c->created[c->local[slot] - 1]];
		const struct core_slot s = {
			.ledger = b->ledger, .code = b->code, .class = b->class, .flags = b->flags
		};
		*status = account_same(&s, &a[at]);
		same = strcmp(a[at].name, b->name) == 0;
	} else if (c->accounts_len + c->created_len >= LEDGER_ACCOUNTS_MAX) {
		*status = LEDGER_BOOK_FULL;
	} else {
		c->created[c->created_len++] = (uint32_t)at;
		c->local[slot] = (uint32_t)c->created_len;
	}
	if (*status == LEDGER_EXISTS && !same)
		*status = LEDGER_DIFFERENT_NAME;
	return true;
}

bool core_accounts(struct ledger_core *c, int64_t now_s, const struct ledger_account *a, size_t n,
		   enum ledger_status *status, struct err *e)
{
	assert(n <= LEDGER_BATCH_MAX);
	batch_start(c, now_s);
	for (size_t i = 0; i < n; i++)
		if (!account_one(c, a, i, &status[i], e))
			return false;
	return true;
}

size_t core_new_accounts(const struct ledger_core *c, const uint32_t **indices)
{
	*indices = c->created;
	return c->created_len;
}

size_t core_new_rows(const struct ledger_core *c, const struct ledger_row **rows)
{
	*rows = c->rows;
	return c->new_len;
}

int64_t core_time(const struct ledger_core *c)
{
	return c->batch_s;
}

static void batch_end(struct ledger_core *c)
{
	if (c->created_len > 0)
		memset(c->local, 0, sizeof(c->local));
	c->new_len = c->created_len = c->undo_len = c->popped_len = 0;
}

/* local is emptied through the rows. Created accounts come back through core_replay_account. */
void core_commit(struct ledger_core *c)
{
	if (c->new_len > 0 || c->created_len > 0)
		c->last_s = c->batch_s;
	for (size_t i = c->new_len; i-- > 0;) /* newest first, as in undo_to */
		if (!id128_is_zero(c->rows[i].id))
			c->local[local_find(c, c->rows[i].id)] = 0;
	for (size_t i = 0; i < c->new_len; i++) {
		const struct ledger_row *r = &c->rows[i];
		if (!id128_is_zero(r->id))
			id_index_add(c->ids, r->id, r->seq);
		if (r->kind == TRANSFER_PENDING && r->timeout_s != 0)
			heap_push(&c->heap, (struct core_expiry){ c->batch_s + r->timeout_s, r->seq });
	}
	c->rows_len += (uint32_t)c->new_len;
	batch_end(c);
}

void core_rollback(struct ledger_core *c)
{
	undo_to(c, 0, 0);
	for (size_t i = 0; i < c->popped_len; i++)
		if ((c->states[c->popped[i].seq] & STATE_ENDED) == PENDING_OPEN) /* the others had ended before */
			heap_push(&c->heap, c->popped[i]);
	c->batch_s = c->last_s;
	batch_end(c);
}

/* --- what is stored --- */

bool core_replay_account(struct ledger_core *c, const struct ledger_account *a, struct err *e)
{
	if (core_judge_account(a) != LEDGER_OK || core_account_number(c, a->id) != 0)
		return err_set(e, ERR_IO, "account %u of the ledger is damaged: restore ledger.db from a backup",
			       c->accounts_len + 1);
	account_put(c, a);
	return true;
}

bool core_replay_row(struct ledger_core *c, const struct ledger_row *r, int64_t time_s, struct err *e)
{
	uint32_t seq = c->rows_len + 1;
	if (r->seq != seq || r->debit == 0 || r->debit > c->accounts_len || r->credit == 0 ||
	    r->credit > c->accounts_len || r->debit == r->credit || r->ref >= seq || r->amount <= 0 ||
	    r->prev_debit != c->accounts[r->debit].last || r->prev_credit != c->accounts[r->credit].last)
		return err_set(e, ERR_IO, "row %u of the ledger is damaged: restore ledger.db from a backup", seq);
	states_reserve(c, seq);
	c->states[seq] = 0;
	ledger_sums_debit(&c->accounts[r->debit].sums, r, 1);
	ledger_sums_credit(&c->accounts[r->credit].sums, r, 1);
	c->accounts[r->debit].last = c->accounts[r->credit].last = seq;
	if (r->ref != 0)
		c->states[r->ref] |= ending_of(r->kind);
	if (!id128_is_zero(r->id))
		id_index_add(c->ids, r->id, seq);
	if (r->kind == TRANSFER_PENDING && r->timeout_s != 0)
		heap_push(&c->heap, (struct core_expiry){ time_s + r->timeout_s, seq });
	c->rows_len = seq;
	core_replay_time(c, time_s);
	return true;
}

void core_replay_time(struct ledger_core *c, int64_t time_s)
{
	c->last_s = c->batch_s = time_s > c->last_s ? time_s : c->last_s;
}
