#include "protocol/segment.h"
#include "protocol/bits.h"

#include <string.h>

#define SCAN_MAX 8 /* records of a bucket read one by one; longer buckets are halved first */

static size_t round_up(uint64_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

struct segment_layout segment_layout(uint32_t entries, bool delta)
{
	struct segment_layout l = { .bucket_bits = 0 };
	uint64_t buckets = 0;
	if (entries > 0) {
		l.bucket_bits = (uint8_t)(32 - __builtin_clz(entries));
		buckets = UINT64_C(1) << l.bucket_bits;
	}
	l.cells = (uint32_t)((buckets + 255) >> 8);
	l.tag_bits = (uint8_t)(64 - l.bucket_bits);
	l.value_bits = LIST_VALUE_BITS + (delta ? 1 : 0);
	l.record_bits = (uint8_t)(l.tag_bits + l.value_bits);
	l.unary = SEGMENT_HEADER + round_up(UINT64_C(4) * l.cells);
	l.records = l.unary + round_up((entries + buckets + 7) >> 3);
	l.size = l.records + ((uint64_t)entries * l.record_bits + 7) / 8 + 16;
	return l;
}

static bool name_is_valid(const char *name)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789",
			  rest[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t len = strnlen(name, NAME_MAX_LEN + 1);
	return len > 0 && len <= NAME_MAX_LEN && strchr(first, name[0]) != NULL && strspn(name, rest) == len;
}

bool segment_head_check(const struct segment_head *head, struct err *e)
{
	if (!name_is_valid(head->name))
		return err_set(e, ERR_INPUT, "segment: malformed list name");
	if (head->entries > LIST_ENTRIES_MAX)
		return err_set(e, ERR_INPUT, "segment: %u entries, at most %u allowed", head->entries,
			       LIST_ENTRIES_MAX);
	if (head->removals > (head->delta ? head->entries : 0))
		return err_set(e, ERR_INPUT, "segment: %u removals among %u entries", head->removals, head->entries);
	if (head->version == 0)
		return err_set(e, ERR_INPUT, "segment: version 0");
	if (head->delta ? head->from == 0 || head->from >= head->version : head->from != 0)
		return err_set(e, ERR_INPUT, "segment: from version %llu to %llu", (unsigned long long)head->from,
			       (unsigned long long)head->version);
	return true;
}

static bool all_zero(const uint8_t *from, const uint8_t *to)
{
	while (from < to && *from == 0)
		from++;
	return from >= to;
}

static bool head_decode(const uint8_t *p, struct segment_head *head, struct err *e)
{
	if (memcmp(p, "XBSG", 4) != 0)
		return err_set(e, ERR_INPUT, "segment: not a segment");
	if (p[4] != 1)
		return err_set(e, ERR_INPUT, "segment: format version %u is not known", p[4]);
	if (p[5] > 1 || p[6] != LIST_VALUE_BITS + p[5])
		return err_set(e, ERR_INPUT, "segment: kind %u with values of %u bits", p[5], p[6]);
	head->delta = p[5] == 1;
	head->entries = bits_load32(p + 8);
	head->epoch = bits_load32(p + 16);
	head->removals = bits_load32(p + 20);
	head->version = bits_load64(p + 24);
	head->from = bits_load64(p + 32);
	memcpy(head->name, p + 40, NAME_MAX_LEN);
	head->name[NAME_MAX_LEN] = '\0';
	if (p[7] != 0 || bits_load32(p + 12) != 0 || !all_zero(p + 40 + strlen(head->name), p + SEGMENT_HEADER))
		return err_set(e, ERR_INPUT, "segment: reserved bytes are not zero");
	return segment_head_check(head, e);
}

bool segment_open(struct bytes bytes, struct segment *s, struct err *e)
{
	memset(s, 0, sizeof(*s));
	if (bytes.len < SEGMENT_HEADER)
		return err_set(e, ERR_INPUT, "segment: %zu bytes are too few", bytes.len);
	if (!head_decode(bytes.data, &s->head, e))
		return false;
	s->layout = segment_layout(s->head.entries, s->head.delta);
	if (bytes.len != s->layout.size)
		return err_set(e, ERR_INPUT, "segment: %u entries take %zu bytes, not %zu", s->head.entries,
			       s->layout.size, bytes.len);
	s->bytes = bytes;
	s->directory = bytes.data + SEGMENT_HEADER;
	s->unary = bytes.data + s->layout.unary;
	s->records = bytes.data + s->layout.records;
	s->unary_words = (uint32_t)((s->layout.records - s->layout.unary) >> 3);
	return true;
}

/* Searching */

static uint64_t unary_word(const struct segment *s, uint64_t at)
{
	return at < s->unary_words ? bits_load64(s->unary + 8 * at) : 0;
}

/* The bit after the given number of zeros that follow bit from. */
static uint64_t unary_skip(const struct segment *s, uint64_t from, uint64_t zeros)
{
	if (zeros == 0)
		return from;
	uint64_t at = from >> 6;
	uint64_t word = ~unary_word(s, at) & UINT64_MAX << (from & 63);
	uint64_t counts = bits_prefix_counts(word);
	while (counts >> 56 < zeros) { /* ends: past the last word all bits are zeros */
		zeros -= counts >> 56;
		word = ~unary_word(s, ++at);
		counts = bits_prefix_counts(word);
	}
	return (at << 6) + bits_select(word, counts, zeros - 1) + 1;
}

/* How many ones stand from this bit on. */
static uint64_t unary_ones(const struct segment *s, uint64_t from)
{
	uint64_t at = from >> 6;
	uint64_t zeros = ~unary_word(s, at) & UINT64_MAX << (from & 63);
	while (zeros == 0)
		zeros = ~unary_word(s, ++at);
	return (at << 6) + (uint64_t)__builtin_ctzll(zeros) - from;
}

static uint64_t tag_at(const struct segment *s, uint32_t at)
{
	return bits_read(s->records, (uint64_t)at * s->layout.record_bits, s->layout.tag_bits);
}

static uint32_t value_at(const struct segment *s, uint32_t at)
{
	uint64_t bit = (uint64_t)at * s->layout.record_bits + s->layout.tag_bits;
	return (uint32_t)bits_read(s->records, bit, s->layout.value_bits);
}

/* The first record in [lo, hi) whose tag is not below low; hi if none is. */
static uint32_t bucket_search(const struct segment *s, uint32_t lo, uint32_t hi, uint64_t low)
{
	while (hi - lo > SCAN_MAX) {
		uint32_t middle = lo + (hi - lo) / 2;
		if (tag_at(s, middle) < low)
			lo = middle + 1;
		else
			hi = middle;
	}
	while (lo < hi && tag_at(s, lo) < low)
		lo++;
	return lo;
}

/* The tag's first record and, in *end, the end of its bucket; *end if there is none. */
static uint32_t record_search(const struct segment *s, uint64_t tag, uint32_t *end)
{
	*end = 0;
	if (s->head.entries == 0)
		return 0;
	uint32_t n = s->head.entries;
	uint64_t bucket = tag >> s->layout.tag_bits, block = bucket >> 8;
	uint32_t rank = bits_load32(s->directory + 4 * block);
	uint64_t start = 256 * block + (rank < n ? rank : n);
	uint64_t bit = unary_skip(s, start, bucket & 255);
	uint64_t lo = bit - bucket, hi = lo + unary_ones(s, bit);
	hi = hi < n ? hi : n;
	lo = lo < hi ? lo : hi;
	uint64_t low = tag & UINT64_MAX >> s->layout.bucket_bits;
	uint32_t at = bucket_search(s, (uint32_t)lo, (uint32_t)hi, low);
	*end = (uint32_t)hi;
	return at < *end && tag_at(s, at) == low ? at : *end;
}

bool segment_find(const struct segment *s, uint64_t tag, uint32_t *value)
{
	uint32_t end, at = record_search(s, tag, &end);
	if (at == end)
		return false;
	*value = value_at(s, at);
	return true;
}

size_t segment_find_all(const struct segment *s, uint64_t tag, uint32_t value[2])
{
	uint32_t end, at = record_search(s, tag, &end);
	if (at == end)
		return 0;
	value[0] = value_at(s, at);
	if (at + 1 == end || tag_at(s, at + 1) != tag_at(s, at))
		return 1;
	value[1] = value_at(s, at + 1);
	return 2;
}

/* Reading in order */

void segment_cursor_init(struct segment_cursor *c, const struct segment *s)
{
	*c = (struct segment_cursor){ .segment = s, .word = unary_word(s, 0) };
}

static inline bool cursor_next(struct segment_cursor *c, struct entry *out)
{
	const struct segment *s = c->segment;
	if (c->at >= s->head.entries)
		return false;
	while (c->word == 0) {
		if (++c->word_at >= s->unary_words)
			return false;
		c->word = bits_load64(s->unary + 8 * (size_t)c->word_at);
	}
	uint64_t bucket = ((uint64_t)c->word_at << 6) + (uint64_t)__builtin_ctzll(c->word) - c->at;
	c->word &= c->word - 1;
	out->tag = bucket << s->layout.tag_bits | bits_read(s->records, c->bit, s->layout.tag_bits);
	out->value = (uint32_t)bits_read(s->records, c->bit + s->layout.tag_bits, s->layout.value_bits);
	c->bit += s->layout.record_bits;
	c->at++;
	return true;
}

bool segment_cursor_next(struct segment_cursor *c, struct entry *out)
{
	return cursor_next(c, out);
}

/* Checking */

static bool directory_check(const struct segment *s, uint32_t from, uint32_t to, uint32_t rank, struct err *e)
{
	for (uint32_t i = from; i < to; i++)
		if (bits_load32(s->directory + 4 * (size_t)i) != rank)
			return err_set(e, ERR_INPUT, "segment: directory cell %u is wrong", i);
	return true;
}

/* No ones but those read, and the last bucket ended by its zero: no bucket beyond 2^k. */
static bool unary_end_check(const struct segment *s, const struct segment_cursor *c, struct err *e)
{
	if (s->head.entries == 0)
		return true;
	uint64_t last = s->head.entries + (UINT64_C(1) << s->layout.bucket_bits) - 1;
	const uint8_t *rest = s->unary + 8 * ((size_t)c->word_at + 1);
	if (c->word != 0 || c->word_at > last >> 6 || unary_word(s, last >> 6) >> (last & 63) != 0 ||
	    !all_zero(rest, s->records))
		return err_set(e, ERR_INPUT, "segment: unary bits past the last entry");
	return true;
}

/* Walks the entries: their order, the directory above them, and how many are removals. */
static bool entries_check(const struct segment *s, struct err *e)
{
	struct segment_cursor c;
	struct entry last = { 0 }, entry;
	uint32_t cells = 0, removals = 0;
	segment_cursor_init(&c, s);
	while (cursor_next(&c, &entry)) {
		if (c.at > 1 && !entry_ascends(last, entry))
			return err_set(e, ERR_INPUT, "segment: entry %u is out of order", c.at - 1);
		uint32_t block = (uint32_t)(entry.tag >> s->layout.tag_bits >> 8);
		if (block >= cells) {
			if (!directory_check(s, cells, block + 1, c.at - 1, e))
				return false;
			cells = block + 1;
		}
		removals += entry_is_removal(entry);
		last = entry;
	}
	if (c.at != s->head.entries || removals != s->head.removals)
		return err_set(e, ERR_INPUT, "segment: counts do not agree with the header");
	return unary_end_check(s, &c, e) && directory_check(s, cells, s->layout.cells, c.at, e);
}

bool segment_check(const struct segment *s, struct err *e)
{
	const uint8_t *directory_end = s->directory + 4 * (size_t)s->layout.cells;
	uint64_t record_bits = (uint64_t)s->head.entries * s->layout.record_bits;
	const uint8_t *records_end = s->records + (record_bits >> 3);
	if (!all_zero(directory_end, s->unary))
		return err_set(e, ERR_INPUT, "segment: padding of the directory is not zero");
	if (*records_end >> (record_bits & 7) != 0 || !all_zero(records_end + 1, s->bytes.data + s->bytes.len))
		return err_set(e, ERR_INPUT, "segment: padding of the records is not zero");
	return entries_check(s, e);
}
