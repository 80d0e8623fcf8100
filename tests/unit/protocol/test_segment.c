#include "protocol/segment.h"
#include "protocol/bits.h"
#include "protocol/segment_write.h"
#include "tests/support/sets.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const size_t sizes[] = { 0, 1, 2, 3, 127, 128, 129, 255, 256, 257, 511, 4095, 65535, 65536, 65537 };

static bool same(const struct made *a, const struct made *b)
{
	return bytes_equal(a->segment.bytes, b->segment.bytes);
}

static void holds_exactly(const struct segment *s, const struct set *set)
{
	struct segment_cursor c;
	struct entry entry;
	size_t i = 0;
	segment_cursor_init(&c, s);
	for (; segment_cursor_next(&c, &entry) && i < set->len; i++)
		if (entry.tag != set->entries[i].tag || entry.value != set->entries[i].value)
			break;
	CU_ASSERT_EQUAL(i, set->len);
	CU_ASSERT_FALSE(segment_cursor_next(&c, &entry));
	for (i = 0; i < set->len; i++) {
		uint32_t value = 0;
		if (!segment_find(s, set->entries[i].tag, &value) || value != set->entries[i].value)
			break;
	}
	CU_ASSERT_EQUAL(i, set->len);
}

static void misses_what_is_absent(const struct segment *s, const struct set *set)
{
	uint64_t seed = 99;
	uint32_t value;
	size_t wrong = 0;
	for (int i = 0; i < 20000; i++) {
		uint64_t tag = set_random(&seed);
		wrong += segment_find(s, tag, &value) != (set_find(set, tag) != UINT32_MAX);
	}
	for (size_t i = 0; i < set->len; i++) { /* the nearest neighbours are the hardest */
		uint64_t tag = set->entries[i].tag;
		wrong += segment_find(s, tag + 1, &value) != (set_find(set, tag + 1) != UINT32_MAX);
		wrong += segment_find(s, tag - 1, &value) != (set_find(set, tag - 1) != UINT32_MAX);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void every_entry_is_found_and_nothing_else(void)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct set set = set_new(sizes[i], i);
		struct made m = made_snapshot(&set, 1);
		holds_exactly(&m.segment, &set);
		misses_what_is_absent(&m.segment, &set);
		made_free(&m);
		set_free(&set);
	}
}

static void shuffle(struct set *s, uint64_t seed)
{
	for (size_t i = s->len; i > 1; i--) {
		size_t j = set_random(&seed) % i;
		struct entry swap = s->entries[i - 1];
		s->entries[i - 1] = s->entries[j];
		s->entries[j] = swap;
	}
}

static void any_order_of_insertion_gives_the_same_bytes(void)
{
	struct set set = set_new(5000, 3);
	struct made first = made_snapshot(&set, 1);
	for (uint64_t seed = 0; seed < 5; seed++) {
		shuffle(&set, seed);
		entry_sort(set.entries, set.len);
		struct made again = made_snapshot(&set, 1);
		CU_ASSERT_TRUE(same(&first, &again));
		made_free(&again);
	}
	made_free(&first);
	set_free(&set);
}

static void ten_million_entries_take_at_most_8_6_bytes_each(void)
{
	CU_ASSERT_TRUE((double)segment_layout(10000000, false).size / 1e7 <= 8.6);
	CU_ASSERT_TRUE(segment_layout(50000, true).size <= 500000);
	CU_ASSERT_TRUE(segment_layout(LIST_ENTRIES_MAX, false).size <= OBJECT_MAX);
}

/* Sets that no HMAC would give: all tags in one bucket, at both ends, in a row. */
static struct set skewed(int kind, size_t len)
{
	struct set s = set_new(len, 5);
	for (size_t i = 0; i < s.len; i++)
		s.entries[i].tag = kind == 0   ? i
				   : kind == 1 ? UINT64_MAX - (s.len - 1 - i)
					       : UINT64_C(1) << 63 | i << 3;
	return s;
}

static void tags_crowded_into_one_bucket_are_found_quickly(void)
{
	for (int kind = 0; kind < 3; kind++) {
		struct set set = skewed(kind, 100000);
		struct made m = made_snapshot(&set, 1);
		struct timespec from, to;
		clock_gettime(CLOCK_MONOTONIC, &from);
		holds_exactly(&m.segment, &set);
		misses_what_is_absent(&m.segment, &set);
		clock_gettime(CLOCK_MONOTONIC, &to);
		CU_ASSERT_TRUE(to.tv_sec - from.tv_sec <
			       20); /* one by one would take half a minute, a sanitizer aside */
		made_free(&m);
		set_free(&set);
	}
}

static void the_lowest_and_the_highest_tag_are_found(void)
{
	struct entry entries[] = { { 0, 1 }, { 1, 2 }, { UINT64_MAX - 1, 3 }, { UINT64_MAX, ENTRY_VALUE_MAX } };
	struct set set = { entries, 4, 4 };
	for (set.len = 1; set.len <= 4; set.len++) {
		struct made m = made_snapshot(&set, 1);
		holds_exactly(&m.segment, &set);
		made_free(&m);
	}
	set = (struct set){ entries + 3, 1, 1 };
	struct made m = made_snapshot(&set, 1);
	holds_exactly(&m.segment, &set);
	made_free(&m);
}

/* The example in the specification: three entries of version 1 of list "a". */
static void the_bytes_are_those_of_the_specification(void)
{
	static const struct entry entries[] = { { 0x1111111111111111, 0x01ffff },
						{ 0x9999999999999999, 0x020001 },
						{ 0x9999999999999fff, 0x030002 } };
	struct segment_head head = { .name = "a", .epoch = 1, .version = 1, .entries = 3 };
	struct err e = { 0 };
	struct buf out;
	buf_init(&out, 4096);
	CU_ASSERT_TRUE_FATAL(segment_build(&head, entries, &out, &e));
	static const uint8_t start[] = { 'X', 'B', 'S', 'G', 1, 0, 24, 0, 3, 0, 0, 0, 0,
					 0,   0,   0,   1,   0, 0, 0,  0, 0, 0, 0, 1 };
	CU_ASSERT_EQUAL(memcmp(out.data, start, sizeof(start)), 0);
	CU_ASSERT_EQUAL(out.data[40], 'a');
	/* k = 2: buckets 0, 2, 2; one directory cell; unary 1 0 0 1 1 0 0 = 0x19; records of 62 + 24 bits. */
	CU_ASSERT_EQUAL(out.len, 128 + 64 + 64 + (3 * 86 + 7) / 8 + 16);
	CU_ASSERT_EQUAL(bits_load32(out.data + 128), 0);
	CU_ASSERT_EQUAL(out.data[192], 0x19);
	CU_ASSERT_EQUAL(bits_read(out.data + 256, 0, 62), 0x1111111111111111);
	CU_ASSERT_EQUAL(bits_read(out.data + 256, 62, 24), 0x01ffff);
	CU_ASSERT_EQUAL(bits_read(out.data + 256, 86, 62), 0x1999999999999999);
	CU_ASSERT_EQUAL(bits_read(out.data + 256, 172 + 62, 24), 0x030002);
	buf_clear(&out);
}

static bool writes(struct segment_head head, const struct entry *entries, size_t len, struct err *e)
{
	struct segment_writer w;
	uint8_t *memory = malloc(segment_layout(head.entries, head.delta).size);
	bool ok = memory != NULL && segment_writer_init(&w, &head, memory, e);
	for (size_t i = 0; ok && i < len; i++)
		ok = segment_writer_add(&w, entries[i], e);
	ok = ok && segment_writer_finish(&w, e);
	free(memory);
	return ok;
}

static void the_writer_refuses_wrong_order_repeats_wide_values_and_wrong_counts(void)
{
	struct segment_head head = { .name = "test", .version = 2, .entries = 2 };
	struct err e = { 0 };
	CU_ASSERT_TRUE(writes(head, (struct entry[]){ { 1, 1 }, { 2, 1 } }, 2, &e));
	CU_ASSERT_FALSE(writes(head, (struct entry[]){ { 2, 1 }, { 1, 1 } }, 2, &e));
	CU_ASSERT_FALSE(writes(head, (struct entry[]){ { 1, 1 }, { 1, 2 } }, 2, &e));
	CU_ASSERT_FALSE(writes(head, (struct entry[]){ { 1, 1 }, { 2, ENTRY_VALUE_MAX + 1 } }, 2, &e));
	CU_ASSERT_FALSE(writes(head, (struct entry[]){ { 1, 1 } }, 1, &e));
	CU_ASSERT_FALSE(writes(head, (struct entry[]){ { 1, 1 }, { 2, 1 }, { 3, 1 } }, 3, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	head.delta = true;
	head.from = 1;
	CU_ASSERT_TRUE(writes(head, (struct entry[]){ { 1, 1 }, { 1, 2 | ENTRY_REMOVED } }, 2, &e));
	CU_ASSERT_FALSE(writes(head, (struct entry[]){ { 1, 1 | ENTRY_REMOVED }, { 1, 2 } }, 2, &e));
	CU_ASSERT_FALSE(writes(head, (struct entry[]){ { 1, 1 }, { 1, 1 | ENTRY_REMOVED } }, 2, &e));
	head.from = 2;
	CU_ASSERT_FALSE(writes(head, (struct entry[]){ { 1, 1 }, { 2, 1 } }, 2, &e));
	head = (struct segment_head){ .name = "No name", .version = 1, .entries = 0 };
	CU_ASSERT_FALSE(writes(head, NULL, 0, &e));
	struct segment_writer w;
	head = (struct segment_head){ .name = "test", .version = 1, .entries = LIST_ENTRIES_MAX + 1 };
	CU_ASSERT_FALSE(segment_writer_init(&w, &head, NULL, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
}

/* Opens, checks and uses bytes that may be anything; whether they are accepted. They are copied to the byte. */
static bool survives(const uint8_t *data, size_t len)
{
	struct segment s;
	uint8_t *copy = malloc(len > 0 ? len : 1);
	if (copy == NULL)
		abort();
	memcpy(copy, data, len);
	bool opened = segment_open((struct bytes){ copy, len }, &s, NULL), checked = false;
	if (opened) {
		checked = segment_check(&s, NULL);
		struct segment_cursor c;
		struct entry entry;
		uint32_t value[2];
		uint64_t seed = 1;
		segment_cursor_init(&c, &s);
		while (segment_cursor_next(&c, &entry))
			segment_find_all(&s, entry.tag, value);
		for (int i = 0; i < 20; i++)
			segment_find_all(&s, set_random(&seed), value);
	}
	free(copy);
	return checked;
}

static void a_segment_cut_or_extended_anywhere_is_refused(void)
{
	struct set set = set_new(300, 8);
	struct made m = made_snapshot(&set, 1);
	size_t len = m.segment.bytes.len, accepted = 0;
	for (size_t i = 0; i < len; i++)
		accepted += survives(m.bytes, i);
	uint8_t *longer = calloc(1, len + 64);
	if (longer == NULL)
		abort();
	memcpy(longer, m.bytes, len);
	for (size_t i = 1; i <= 64; i++)
		accepted += survives(longer, len + i);
	CU_ASSERT_EQUAL(accepted, 0);
	CU_ASSERT_TRUE(survives(longer, len));
	free(longer);
	made_free(&m);
	set_free(&set);
}

static struct made made_delta(void)
{
	struct entry entries[] = {
		{ 5, 1 }, { 5, 2 | ENTRY_REMOVED }, { UINT64_C(1) << 62, 9 | ENTRY_REMOVED }, { UINT64_MAX, 3 }
	};
	struct segment_head head = { .name = "test", .delta = true, .version = 9, .from = 8, .entries = 4 };
	struct buf out;
	buf_init(&out, 4096);
	CU_ASSERT_TRUE_FATAL(segment_build(&head, entries, &out, NULL));
	struct made m = made_from(buf_bytes(&out));
	buf_clear(&out);
	return m;
}

/* Rebuilds accepted bytes from what they say: a canonical encoding has no second form. */
static bool rebuilds(const uint8_t *data, size_t len)
{
	struct segment s;
	struct segment_cursor c;
	struct segment_writer w;
	struct entry entry;
	if (!segment_open((struct bytes){ data, len }, &s, NULL))
		return false;
	uint8_t *again = malloc(len);
	bool ok = again != NULL && segment_writer_init(&w, &s.head, again, NULL);
	segment_cursor_init(&c, &s);
	while (ok && segment_cursor_next(&c, &entry))
		ok = segment_writer_add(&w, entry, NULL);
	ok = ok && segment_writer_finish(&w, NULL) && memcmp(again, data, len) == 0;
	free(again);
	return ok;
}

static void flip_every_bit(struct made *m, size_t step)
{
	size_t not_canonical = 0, refused = 0;
	for (size_t bit = 0; bit < m->segment.bytes.len * 8; bit += step) {
		m->bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		if (!survives(m->bytes, m->segment.bytes.len))
			refused++;
		else if (!rebuilds(m->bytes, m->segment.bytes.len))
			not_canonical++;
		m->bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	CU_ASSERT_EQUAL(not_canonical, 0);
	CU_ASSERT_TRUE(refused > 0);
}

static void a_flipped_bit_is_refused_or_gives_another_canonical_segment(void)
{
	static const size_t lens[] = { 0, 1, 2, 7, 300 };
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct set set = set_new(lens[i], i + 40);
		struct made m = made_snapshot(&set, 1);
		flip_every_bit(&m, 1);
		made_free(&m);
		set_free(&set);
	}
	struct made delta = made_delta();
	flip_every_bit(&delta, 1);
	made_free(&delta);
	struct set set = set_new(3000, 77);
	struct made m = made_snapshot(&set, 1);
	flip_every_bit(&m, 97);
	made_free(&m);
	set_free(&set);
}

/* A mapped file may change after it was checked: answers may be wrong, reads stay inside. */
static void a_segment_altered_after_its_check_is_never_read_outside(void)
{
	struct set set = set_new(3000, 78);
	struct made m = made_snapshot(&set, 1);
	uint64_t seed = 1;
	uint32_t value[2];
	for (int round = 0; round < 300; round++) {
		uint8_t *parts = m.bytes + SEGMENT_HEADER;
		for (int i = 0; i < 20; i++)
			parts[set_random(&seed) % (m.segment.bytes.len - SEGMENT_HEADER)] =
				(uint8_t)set_random(&seed);
		if (round % 3 == 0) /* directory and unary bits all ones */
			memset(parts, 0xff, m.segment.layout.records - SEGMENT_HEADER);
		for (int i = 0; i < 200; i++)
			segment_find_all(&m.segment, set_random(&seed), value);
		segment_find_all(&m.segment, UINT64_MAX, value);
		struct segment_cursor c;
		struct entry entry;
		segment_cursor_init(&c, &m.segment);
		size_t read = 0;
		while (segment_cursor_next(&c, &entry))
			read++;
		CU_ASSERT_TRUE(read <= set.len);
	}
	made_free(&m);
	set_free(&set);
}

static void a_head_that_lies_is_refused(void)
{
	struct set set = set_new(100, 4);
	struct made m = made_snapshot(&set, 1);
	size_t len = m.segment.bytes.len;
	static const struct {
		size_t at;
		uint8_t byte;
	} lies[] = { { 0, 'Y' },  { 4, 2 },     { 5, 1 },    { 5, 2 },    { 6, 25 }, { 7, 1 },  { 8, 99 },
		     { 8, 101 },  { 11, 0xff }, { 12, 1 },   { 20, 1 },   { 24, 0 }, { 32, 1 }, { 40, 0 },
		     { 40, 'T' }, { 40, '_' },  { 45, 'x' }, { 71, 'x' }, { 72, 1 }, { 127, 1 } };
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		uint8_t kept = m.bytes[lies[i].at];
		m.bytes[lies[i].at] = lies[i].byte;
		CU_ASSERT_FALSE(survives(m.bytes, len));
		m.bytes[lies[i].at] = kept;
	}
	CU_ASSERT_TRUE(survives(m.bytes, len));
	made_free(&m);
	set_free(&set);
}

static void in_a_delta_the_new_value_comes_first_and_the_old_one_behind_it(void)
{
	struct made m = made_delta();
	uint32_t value[2];
	CU_ASSERT_EQUAL(m.segment.head.removals, 2);
	CU_ASSERT_EQUAL_FATAL(segment_find_all(&m.segment, 5, value), 2);
	CU_ASSERT_EQUAL(value[0], 1);
	CU_ASSERT_EQUAL(value[1], 2 | ENTRY_REMOVED);
	CU_ASSERT_TRUE(segment_find(&m.segment, 5, value) && value[0] == 1);
	CU_ASSERT_EQUAL(segment_find_all(&m.segment, UINT64_C(1) << 62, value), 1);
	CU_ASSERT_EQUAL(value[0], 9 | ENTRY_REMOVED);
	CU_ASSERT_EQUAL(segment_find_all(&m.segment, 6, value), 0);
	made_free(&m);
}

static CU_TestInfo tests[] = {
	{ "every entry is found and nothing else", every_entry_is_found_and_nothing_else },
	{ "any order of insertion gives the same bytes", any_order_of_insertion_gives_the_same_bytes },
	{ "ten million entries take at most 8.6 bytes each", ten_million_entries_take_at_most_8_6_bytes_each },
	{ "tags crowded into one bucket are found quickly", tags_crowded_into_one_bucket_are_found_quickly },
	{ "the lowest and the highest tag are found", the_lowest_and_the_highest_tag_are_found },
	{ "the bytes are those of the specification", the_bytes_are_those_of_the_specification },
	{ "the writer refuses wrong order, repeats, wide values and wrong counts",
	  the_writer_refuses_wrong_order_repeats_wide_values_and_wrong_counts },
	{ "a segment cut or extended anywhere is refused", a_segment_cut_or_extended_anywhere_is_refused },
	{ "a flipped bit is refused or gives another canonical segment",
	  a_flipped_bit_is_refused_or_gives_another_canonical_segment },
	{ "a segment altered after its check is never read outside",
	  a_segment_altered_after_its_check_is_never_read_outside },
	{ "a head that lies is refused", a_head_that_lies_is_refused },
	{ "in a delta the new value comes first and the old one behind it",
	  in_a_delta_the_new_value_comes_first_and_the_old_one_behind_it },
	CU_TEST_INFO_NULL,
};

SUITE(segment, NULL, NULL, tests);
