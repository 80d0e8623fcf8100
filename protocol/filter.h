/*
 * A blocked Bloom filter over tags: each tag sets eight bits of one cache line, one in each of its eight words, so a search
 * costs one memory access. "No" is certain, "yes" is wrong for less than 0.5 % of the tags that are not in. A filter takes
 * 12 bits for each entry of its capacity, and refuses to be filled above that: a filter filled past its capacity says yes
 * to everything. Tags are uniform already (HMAC output), so they need no hashing: their top bits choose the block, which
 * also makes filling in ascending order run through memory once.
 *
 * It lives in memory of the caller's, so a forked child can fill a shared mapping. With 10 M entries, ask for huge pages.
 */
#ifndef PROTOCOL_FILTER_H
#define PROTOCOL_FILTER_H

#include "protocol/segment.h"

#define FILTER_ALIGN 64 /* of the memory given */

struct filter {
	uint64_t *lines; /* eight words each; borrowed */
	uint64_t lines_len;
	uint64_t capacity; /* tags it may hold */
	uint64_t *count;   /* tags added; lives in the memory given, as a child may be the one that adds */
};

/* Bytes needed for so many tags. */
size_t filter_size(uint64_t capacity);
/* An empty filter in memory of filter_size(capacity) bytes, aligned to FILTER_ALIGN and zeroed by the caller. */
void filter_init(struct filter *f, void *memory, uint64_t capacity);
/* ERR_FULL at capacity. A tag added twice counts twice. */
bool filter_add(struct filter *f, uint64_t tag, struct err *e) CHECKED;
/* Adds every entry of the segment but removals. ERR_FULL, with nothing added, if they do not fit. */
bool filter_add_segment(struct filter *f, const struct segment *s, struct err *e) CHECKED;
/* The same for every entry of the segment, removals included. */
bool filter_add_changes(struct filter *f, const struct segment *s, struct err *e) CHECKED;

/* Where a tag's line starts, in words: its place among 2^64, scaled to the lines there are. */
static inline uint64_t filter_line(const struct filter *f, uint64_t tag)
{
	return (tag >> 32) * f->lines_len >> 32 << 3;
}

/* Six bits a word, from the top down. */
static inline uint64_t filter_hash(uint64_t tag)
{
	return tag * 0x9e3779b97f4a7c15U;
}

/* Fewer instructions let the processor have more searches under way at once, hence the early end. */
static inline bool filter_may_contain_plain(const struct filter *f, uint64_t tag)
{
	const uint64_t *line = f->lines + filter_line(f, tag);
	uint64_t h = filter_hash(tag);
	uint64_t in = line[0] >> (h >> 58);
	in &= line[1] >> (h >> 52 & 63);
	in &= line[2] >> (h >> 46 & 63);
	in &= line[3] >> (h >> 40 & 63);
	in &= line[4] >> (h >> 34 & 63);
	if ((in & 1) == 0)
		return false;
	in &= line[5] >> (h >> 28 & 63);
	in &= line[6] >> (h >> 22 & 63);
	in &= line[7] >> (h >> 16 & 63);
	return in & 1;
}

#ifdef __x86_64__
/* The same on processors that shift four words by four counts at once: a third faster. */
bool filter_may_contain_avx2(const struct filter *f, uint64_t tag);
#endif

static inline bool filter_may_contain(const struct filter *f, uint64_t tag)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return filter_may_contain_avx2(f, tag);
#endif
	return filter_may_contain_plain(f, tag);
}

#endif
