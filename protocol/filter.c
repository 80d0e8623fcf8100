#include "protocol/filter.h"

#include <assert.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define LINE_BITS 512
#define TAG_BITS  12 /* for a tag: 0.42 % wrong yeses when full; more would cost more in cache misses than it saves */

static uint64_t lines_needed(uint64_t capacity)
{
	return capacity * TAG_BITS / LINE_BITS + 1;
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
	*f = (struct filter){ .lines = words + LINE_BITS / 64,
			      .lines_len = lines_needed(capacity),
			      .capacity = capacity,
			      .count = words };
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

static bool add_all(struct filter *f, const struct segment *s, bool removals, struct err *e)
{
	uint64_t count = s->head.entries - (removals ? 0 : s->head.removals);
	if (count > f->capacity || *f->count > f->capacity - count)
		return err_set(e, ERR_FULL, "filter: no room for %llu more tags, capacity %llu",
			       (unsigned long long)count, (unsigned long long)f->capacity);
	struct segment_cursor c;
	struct entry entry;
	segment_cursor_init(&c, s);
	while (segment_cursor_next(&c, &entry))
		if (removals || !entry_is_removal(entry))
			set(f, entry.tag);
	*f->count += count;
	return true;
}

bool filter_add_segment(struct filter *f, const struct segment *s, struct err *e)
{
	return add_all(f, s, false, e);
}

bool filter_add_changes(struct filter *f, const struct segment *s, struct err *e)
{
	return add_all(f, s, true, e);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) bool filter_may_contain_avx2(const struct filter *f, uint64_t tag)
{
	const __m256i *line = (const void *)(f->lines + filter_line(f, tag));
	const __m256i six = _mm256_set1_epi64x(63), one = _mm256_set1_epi64x(1);
	__m256i h = _mm256_set1_epi64x((long long)filter_hash(tag));
	__m256i low = _mm256_srlv_epi64(h, _mm256_setr_epi64x(58, 52, 46, 40));
	__m256i high = _mm256_srlv_epi64(h, _mm256_setr_epi64x(34, 28, 22, 16));
	low = _mm256_srlv_epi64(_mm256_load_si256(line), _mm256_and_si256(low, six));
	high = _mm256_srlv_epi64(_mm256_load_si256(line + 1), _mm256_and_si256(high, six));
	return _mm256_testc_si256(_mm256_and_si256(low, high), one);
}
#endif
