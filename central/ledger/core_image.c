/*
 * The state between two batches as one run of bytes, and back. In this machine's order and layout: a file of it is of use to the program that wrote it
 * and to nobody else (snapshot.h). Everything is 8 bytes aligned: head, accounts, row states (padded), expiries, the two indexes.
 */
#include "central/ledger/core_inner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct image_head {
	uint64_t accounts, rows, expiries;
	int64_t last_s;
};

struct image_expiry {
	int64_t time_s;
	uint64_t seq;
};

static size_t padded(size_t len)
{
	return (len + 7) / 8 * 8;
}

static size_t fixed_len(const struct image_head *h)
{
	return sizeof(*h) + h->accounts * sizeof(struct core_slot) + padded(h->rows) +
	       h->expiries * sizeof(struct image_expiry);
}

static struct image_head head_of(const struct ledger_core *c)
{
	return (struct image_head){ c->accounts_len, c->rows_len, c->heap.len, c->last_s };
}

size_t core_image_len(const struct ledger_core *c)
{
	const struct image_head h = head_of(c);
	return fixed_len(&h) + id_index_image_len(c->account_ids) + id_index_image_len(c->ids);
}

void core_image_put(const struct ledger_core *c, uint8_t *out)
{
	const struct image_head h = head_of(c);
	assert(c->new_len == 0 && c->created_len == 0);
	memcpy(out, &h, sizeof(h));
	out += sizeof(h);
	if (h.accounts > 0)
		memcpy(out, &c->accounts[1], h.accounts * sizeof(struct core_slot));
	out += h.accounts * sizeof(struct core_slot);
	if (h.rows > 0)
		memcpy(out, &c->states[1], h.rows);
	memset(out + h.rows, 0, padded(h.rows) - h.rows);
	out += padded(h.rows);
	for (size_t i = 0; i < c->heap.len; i++, out += sizeof(struct image_expiry)) {
		const struct image_expiry x = { c->heap.at[i].time_s, c->heap.at[i].seq };
		memcpy(out, &x, sizeof(x));
	}
	id_index_image_put(c->account_ids, out);
	id_index_image_put(c->ids, out + id_index_image_len(c->account_ids));
}

static void *copy_of(const uint8_t *from, size_t before, size_t len, size_t room)
{
	uint8_t *p = malloc(room);
	if (p == NULL)
		abort();
	memset(p, 0, before);
	if (len > 0)
		memcpy(p + before, from, len);
	return p;
}

static bool accounts_are_fine(const struct ledger_core *c)
{
	for (uint32_t i = 1; i <= c->accounts_len; i++) {
		const struct core_slot *s = &c->accounts[i];
		if (s->class < ACCOUNT_ISSUE || s->class > ACCOUNT_RETIRE || s->last > c->rows_len)
			return false;
	}
	return true;
}

static bool expiries_take(struct ledger_core *c, const uint8_t *in, uint64_t n)
{
	c->heap.room = c->heap.len = (size_t)n;
	c->heap.at = calloc((size_t)n + 1, sizeof(*c->heap.at));
	if (c->heap.at == NULL)
		abort();
	for (size_t i = 0; i < n; i++, in += sizeof(struct image_expiry)) {
		struct image_expiry x;
		memcpy(&x, in, sizeof(x));
		if (x.seq == 0 || x.seq > c->rows_len || (i > 0 && c->heap.at[(i - 1) / 2].time_s > x.time_s))
			return false;
		c->heap.at[i] = (struct core_expiry){ x.time_s, (uint32_t)x.seq };
	}
	return true;
}

bool core_image_take(struct ledger_core *c, struct bytes in)
{
	struct image_head h;
	assert(c->accounts_len == 0 && c->rows_len == 0 && c->accounts == NULL && c->states == NULL);
	if (in.len < sizeof(h))
		return false;
	memcpy(&h, in.data, sizeof(h));
	if (h.accounts > LEDGER_ACCOUNTS_MAX || h.rows > LEDGER_ROWS_MAX || h.expiries > h.rows ||
	    fixed_len(&h) > in.len)
		return false;
	const uint8_t *accounts = in.data + sizeof(h), *states = accounts + h.accounts * sizeof(struct core_slot),
		      *expiries = states + padded(h.rows);
	c->accounts_len = (uint32_t)h.accounts;
	c->accounts_room = c->accounts_len + 1;
	c->accounts = copy_of(accounts, sizeof(struct core_slot), h.accounts * sizeof(struct core_slot),
			      (h.accounts + 1) * sizeof(struct core_slot));
	c->rows_len = (uint32_t)h.rows;
	c->rows_room = c->rows_len + 1;
	c->states = copy_of(states, 1, h.rows, h.rows + 1);
	core_replay_time(c, h.last_s);
	struct bytes rest = { in.data + fixed_len(&h), in.len - fixed_len(&h) };
	return accounts_are_fine(c) && expiries_take(c, expiries, h.expiries) &&
	       id_index_image_take(c->account_ids, &rest, c->accounts_len) &&
	       id_index_image_take(c->ids, &rest, c->rows_len) && rest.len == 0;
}

uint64_t core_ids_sum(const struct ledger_core *c)
{
	return id_index_sum(c->ids) * 3 + id_index_sum(c->account_ids);
}
