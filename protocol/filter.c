#include "protocol/filter.h"

#include <assert.h>

#define LINE_BITS   512
#define TAG_BITS_10 128 /* tenths of a bit for a tag: 0.3 % wrong yeses when full */

static uint64_t lines_needed(uint64_t capacity)
{
	return capacity * TAG_BITS_10 / 10 / LINE_BITS + 1;
}

/* One line more in front holds the count. */
size_t filter_size(uint64_t capacity)
{
	return (lines_needed(capacity) + 1) * (LINE_BITS / 8);
}

void filter_init(struct filter *f, void *memory, uint64_t capacity)
{
	assert((uintptr_t)memory % FILTER_ALIGN == 0 && lines_needed(capacity) <= UINT32_MAX);
	uint64_t *words = memory;
	*f = (struct filter){
		.lines = words + LINE_BITS / 64, .lines_len = lines_needed(capacity), .capacity = capacity, .count = words
	};
}

static inline void set(struct filter *f, uint64_t tag)
{
	uint64_t *line = f->lines + filter_line(f, tag);
	uint64_t h = filter_hash(tag);
	for (unsigned i = 0; i < 8; i++)
		line[i] |= UINT64_C(1) << (h >> (58 - 6 * i) & 63);
}

bool filter_add(struct filter *f, uint64_t tag, struct err *e)
{
	if (*f->count >= f->capacity)
		return err_set(e, ERR_FULL, "filter: full at %llu tags", (unsigned long long)f->capacity);
	set(f, tag);
	++*f->count;
	return true;
}

bool filter_add_segment(struct filter *f, const struct segment *s, struct err *e)
{
	uint64_t additions = s->head.entries - s->head.removals;
	if (additions > f->capacity || *f->count > f->capacity - additions)
		return err_set(e, ERR_FULL, "filter: no room for %llu more tags, capacity %llu",
			       (unsigned long long)additions, (unsigned long long)f->capacity);
	struct segment_cursor c;
	struct entry entry;
	segment_cursor_init(&c, s);
	while (segment_cursor_next(&c, &entry))
		if (!entry_is_removal(entry))
			set(f, entry.tag);
	*f->count += additions;
	return true;
}
