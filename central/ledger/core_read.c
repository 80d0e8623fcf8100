/* What the core tells of its state. */
#include "central/ledger/core_inner.h"

struct core_account core_account_at(const struct ledger_core *c, uint32_t number)
{
	if (number == 0 || number > c->accounts_len)
		return (struct core_account){ 0 };
	const struct core_slot *s = &c->accounts[number];
	return (struct core_account){ number, s->ledger, s->code, s->class, s->flags, s->id, s->sums, s->last };
}

struct core_account core_account_find(const struct ledger_core *c, struct id128 id)
{
	return core_account_at(c, core_account_number(c, id));
}

uint32_t core_accounts_len(const struct ledger_core *c)
{
	return c->accounts_len;
}

uint32_t core_rows_len(const struct ledger_core *c)
{
	return c->rows_len;
}

bool core_transfer_find(struct ledger_core *c, struct id128 id, struct ledger_row *out, struct err *e)
{
	return core_find(c, id, out, e);
}

enum pending_state core_pending_state(const struct ledger_core *c, uint32_t seq)
{
	return (enum pending_state)(c->states[seq] & STATE_ENDED);
}

bool core_is_reversed(const struct ledger_core *c, uint32_t seq)
{
	return (c->states[seq] & STATE_REVERSED) != 0;
}

int64_t core_next_expiry(const struct ledger_core *c)
{
	return c->heap.len > 0 ? c->heap.at[0].time_s : INT64_MAX;
}

void core_digest(const struct ledger_core *c, uint8_t out[HASH_LEN])
{
	struct sha256_stream s;
	uint64_t local = 0, waiting = 0;
	for (size_t i = 0; i < LOCAL_SLOTS; i++)
		local += c->local[i] != 0;
	for (size_t i = 0; i < c->heap.len; i++) /* those that have ended otherwise wait there for nothing */
		waiting += (c->states[c->heap.at[i].seq] & STATE_ENDED) == PENDING_OPEN;
	const uint64_t sizes[] = { c->accounts_len, c->rows_len, (uint64_t)c->last_s, c->new_len, c->created_len,
				   local,           waiting };
	sha256_start(&s);
	sha256_add(&s, (struct bytes){ (const uint8_t *)sizes, sizeof(sizes) });
	if (c->accounts_len > 0)
		sha256_add(&s, (struct bytes){ (const uint8_t *)&c->accounts[1],
					       c->accounts_len * sizeof(struct core_slot) });
	if (c->rows_len > 0)
		sha256_add(&s, (struct bytes){ &c->states[1], c->rows_len });
	sha256_finish(&s, out);
}

size_t core_bytes(const struct ledger_core *c)
{
	return sizeof(*c) + c->accounts_room * sizeof(struct core_slot) + c->rows_room +
	       id_index_bytes(c->account_ids) + id_index_bytes(c->ids) + c->heap.room * sizeof(*c->heap.at) +
	       c->new_room * sizeof(*c->rows) + c->undo_room * sizeof(*c->undo);
}
