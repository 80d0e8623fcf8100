/* Linear probing; a shard is at most three quarters full. The tag alone says where an entry belongs, so growing needs no identifier. */
#include "central/ledger/id_index.h"

#include <assert.h>
#include <stdlib.h>

#define SHARDS      256U
#define SLOTS_LEAST 16U

struct id_slot {
	uint32_t tag, number; /* number 0: free */
};

struct shard {
	struct id_slot *slots; /* owned */
	uint32_t mask, used;
};

struct id_index {
	struct shard shards[SHARDS];
};

static uint64_t mix(struct id128 id)
{
	uint64_t x = id.lo ^ (id.hi * 0x9e3779b97f4a7c15U);
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return x ^ x >> 31;
}

static struct id_slot *slots_new(uint32_t count)
{
	struct id_slot *s = calloc(count, sizeof(*s));
	if (s == NULL)
		abort();
	return s;
}

struct id_index *id_index_new(void)
{
	struct id_index *x = calloc(1, sizeof(*x));
	if (x == NULL)
		abort();
	for (size_t i = 0; i < SHARDS; i++) {
		x->shards[i].slots = slots_new(SLOTS_LEAST);
		x->shards[i].mask = SLOTS_LEAST - 1;
	}
	return x;
}

void id_index_free(struct id_index *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++)
		free(x->shards[i].slots);
	free(x);
}

static void slot_take(struct shard *s, uint32_t tag, uint32_t number)
{
	uint32_t at = tag & s->mask;
	while (s->slots[at].number != 0)
		at = (at + 1) & s->mask;
	s->slots[at] = (struct id_slot){ tag, number };
}

static void shard_grow(struct shard *s)
{
	struct id_slot *old = s->slots;
	uint32_t old_mask = s->mask;
	s->mask = old_mask * 2 + 1;
	s->slots = slots_new(s->mask + 1);
	for (uint32_t i = 0; i <= old_mask; i++)
		if (old[i].number != 0)
			slot_take(s, old[i].tag, old[i].number);
	free(old);
}

void id_index_add(struct id_index *x, struct id128 id, uint32_t number)
{
	uint64_t hash = mix(id);
	struct shard *s = &x->shards[hash >> 56];
	assert(number != 0);
	if (s->used >= s->mask / 4 * 3)
		shard_grow(s);
	slot_take(s, (uint32_t)hash, number);
	s->used++;
}

uint32_t id_index_first(const struct id_index *x, struct id128 id, struct id_probe *p)
{
	uint64_t hash = mix(id);
	const struct shard *s = &x->shards[hash >> 56];
	*p = (struct id_probe){ s->slots, (uint32_t)hash & s->mask, s->mask, (uint32_t)hash };
	return id_index_next(p);
}

uint32_t id_index_next(struct id_probe *p)
{
	while (p->slots[p->at].number != 0) {
		const struct id_slot *s = &p->slots[p->at];
		p->at = (p->at + 1) & p->mask;
		if (s->tag == p->tag)
			return s->number;
	}
	return 0;
}

void id_index_prefetch(const struct id_index *x, struct id128 id)
{
	uint64_t hash = mix(id);
	const struct shard *s = &x->shards[hash >> 56];
	__builtin_prefetch(&s->slots[(uint32_t)hash & s->mask]);
}

size_t id_index_bytes(const struct id_index *x)
{
	size_t n = sizeof(*x);
	for (size_t i = 0; i < SHARDS; i++)
		n += ((size_t)x->shards[i].mask + 1) * sizeof(struct id_slot);
	return n;
}
