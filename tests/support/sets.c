#include "tests/support/sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t set_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15U;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return x ^ x >> 31;
}

static void *memory(size_t len, size_t size)
{
	void *p = calloc(len + 1, size);
	if (p == NULL)
		abort();
	return p;
}

static void drop_repeated(struct set *s)
{
	size_t kept = 0;
	entry_sort(s->entries, s->len);
	for (size_t i = 0; i < s->len; i++)
		if (kept == 0 || s->entries[kept - 1].tag != s->entries[i].tag)
			s->entries[kept++] = s->entries[i];
	s->len = kept;
}

struct set set_new(size_t len, uint64_t seed)
{
	struct set s = { memory(len, sizeof(struct entry)), len, len };
	for (size_t i = 0; i < len; i++)
		s.entries[i] = (struct entry){ set_random(&seed), (uint32_t)set_random(&seed) & ENTRY_VALUE_MAX };
	drop_repeated(&s);
	return s;
}

struct set set_copy(const struct set *s)
{
	struct set copy = { memory(s->len, sizeof(struct entry)), s->len, s->len };
	memcpy(copy.entries, s->entries, s->len * sizeof(struct entry));
	return copy;
}

void set_free(struct set *s)
{
	free(s->entries);
	*s = (struct set){ NULL, 0, 0 };
}

struct set set_change(const struct set *s, size_t n, uint64_t seed)
{
	struct set c = { memory(s->len + n, sizeof(struct entry)), 0, s->len + n };
	uint64_t odds = s->len / (n + 1) + 1;
	for (size_t i = 0; i < s->len; i++) {
		struct entry entry = s->entries[i];
		uint64_t roll = set_random(&seed);
		if (roll % (2 * odds) == 0)
			continue;
		if (roll % (2 * odds) == 1)
			entry.value = (entry.value + 1 + (uint32_t)(roll >> 40)) & ENTRY_VALUE_MAX;
		c.entries[c.len++] = entry;
	}
	for (size_t i = 0; i < n; i++)
		c.entries[c.len++] =
			(struct entry){ set_random(&seed), (uint32_t)set_random(&seed) & ENTRY_VALUE_MAX };
	drop_repeated(&c);
	return c;
}

uint32_t set_find(const struct set *s, uint64_t tag)
{
	size_t lo = 0, hi = s->len;
	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;
		if (s->entries[middle].tag < tag)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo < s->len && s->entries[lo].tag == tag ? s->entries[lo].value : UINT32_MAX;
}

static void must(bool ok, const struct err *e)
{
	if (ok)
		return;
	fprintf(stderr, "a test's segment: %s\n", e->text);
	abort();
}

struct made made_from(struct bytes bytes)
{
	struct err e = { 0 };
	struct made m = { .bytes = malloc(bytes.len) };
	if (m.bytes == NULL)
		abort();
	memcpy(m.bytes, bytes.data, bytes.len);
	must(segment_open((struct bytes){ m.bytes, bytes.len }, &m.segment, &e), &e);
	must(segment_check(&m.segment, &e), &e);
	return m;
}

struct made made_snapshot(const struct set *s, uint64_t version)
{
	struct err e = { 0 };
	struct buf out;
	struct segment_head head = { .name = "test", .epoch = 7, .version = version, .entries = (uint32_t)s->len };
	buf_init(&out, OBJECT_MAX);
	must(segment_build(&head, s->entries, &out, &e), &e);
	struct made m = made_from(buf_bytes(&out));
	buf_clear(&out);
	return m;
}

void made_free(struct made *m)
{
	free(m->bytes);
	m->bytes = NULL;
}
