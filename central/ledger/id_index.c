/* Linear probing; a shard is at most three quarters full. The tag alone says where an entry belongs, so growing needs no identifier. */
#include "central/ledger/id_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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

uint64_t id_index_sum(const struct id_index *x)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < SHARDS; i++)
		for (uint32_t k = 0; k <= x->shards[i].mask; k++) {
			const struct id_slot *s = &x->shards[i].slots[k];
			if (s->number != 0)
				sum += mix((struct id128){ i, (uint64_t)s->tag << 32 | s->number });
		}
	return sum;
}

/* --- as bytes: of each shard its mask, how many are used, its places --- */

size_t id_index_image_len(const struct id_index *x)
{
	size_t n = 0;
	for (size_t i = 0; i < SHARDS; i++)
		n += 8 + ((size_t)x->shards[i].mask + 1) * sizeof(struct id_slot);
	return n;
}

void id_index_image_put(const struct id_index *x, uint8_t *out)
{
	for (size_t i = 0; i < SHARDS; i++) {
		const struct shard *s = &x->shards[i];
		const uint32_t head[2] = { s->mask, s->used };
		size_t len = ((size_t)s->mask + 1) * sizeof(struct id_slot);
		memcpy(out, head, sizeof(head));
		memcpy(out + 8, s->slots, len);
		out += 8 + len;
	}
}

/* As many are used as it says, so that a search always meets a free place. */
static bool shard_is_fine(const struct shard *s, uint32_t most)
{
	uint32_t used = 0;
	for (uint32_t i = 0; i <= s->mask; i++) {
		used += s->slots[i].number != 0;
		if (s->slots[i].number > most)
			return false;
	}
	return used == s->used;
}

static bool shard_take(struct shard *s, struct bytes *in, uint32_t most)
{
	uint32_t head[2];
	if (in->len < 8)
		return false;
	memcpy(head, in->data, sizeof(head));
	uint64_t count = (uint64_t)head[0] + 1, len = count * sizeof(struct id_slot);
	if (count < SLOTS_LEAST || (count & (count - 1)) != 0 || head[1] > head[0] / 4 * 3 || len > in->len - 8)
		return false;
	struct id_slot *slots = realloc(s->slots, len);
	if (slots == NULL)
		abort();
	memcpy(slots, in->data + 8, len);
	s->slots = slots;
	s->mask = head[0];
	s->used = head[1];
	*in = (struct bytes){ in->data + 8 + len, in->len - 8 - len };
	return shard_is_fine(s, most);
}

bool id_index_image_take(struct id_index *x, struct bytes *in, uint32_t most)
{
	for (struct shard *s = x->shards; s < x->shards + SHARDS; s++)
		if (!shard_take(s, in, most))
			return false;
	return true;
}
