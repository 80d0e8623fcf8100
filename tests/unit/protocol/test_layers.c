#include "protocol/layers.h"
#include "protocol/delta.h"
#include "protocol/segment_write.h"
#include "tests/support/sets.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#define VERSIONS 12

/* A list's history: the sets of versions 1 … VERSIONS and their snapshots, at index version - 1. */
struct history {
	struct set sets[VERSIONS];
	struct made snapshots[VERSIONS];
};

static struct history history_new(size_t len, size_t change, uint64_t seed)
{
	struct history h;
	for (size_t i = 0; i < VERSIONS; i++) {
		h.sets[i] = i == 0 ? set_new(len, seed) : set_change(&h.sets[i - 1], change, seed + i);
		h.snapshots[i] = made_snapshot(&h.sets[i], i + 1);
	}
	return h;
}

static void history_free(struct history *h)
{
	for (size_t i = 0; i < VERSIONS; i++) {
		made_free(&h->snapshots[i]);
		set_free(&h->sets[i]);
	}
}

static struct made history_delta(const struct history *h, size_t from, size_t to)
{
	struct buf out;
	buf_init(&out, OBJECT_MAX);
	CU_ASSERT_TRUE_FATAL(delta_build(&h->snapshots[from].segment, &h->snapshots[to].segment, &out, NULL));
	struct made m = made_from(buf_bytes(&out));
	buf_clear(&out);
	return m;
}

/* Merges in slices and writes the result as compaction does. */
static struct made compacted(const struct layers *l, size_t slice)
{
	struct layers_merge merge;
	struct segment_writer w;
	struct entry entries[100];
	struct buf out;
	size_t got;
	struct segment_head head = l->base.head;
	head.entries = (uint32_t)layers_count(l);
	head.version = layers_version(l);
	buf_init(&out, OBJECT_MAX);
	uint8_t *memory = buf_grow(&out, segment_layout(head.entries, false).size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
	CU_ASSERT_TRUE_FATAL(segment_writer_init(&w, &head, memory, NULL));
	layers_merge_init(&merge, l);
	while (layers_merge_next(&merge, entries, slice, &got)) {
		CU_ASSERT_TRUE(got <= slice);
		for (size_t i = 0; i < got; i++)
			CU_ASSERT_TRUE_FATAL(segment_writer_add(&w, entries[i], NULL));
	}
	CU_ASSERT_TRUE_FATAL(segment_writer_finish(&w, NULL));
	struct made m = made_from(buf_bytes(&out));
	buf_clear(&out);
	return m;
}

static bool finds_exactly(const struct layers *l, const struct set *set, const struct set *before)
{
	uint32_t value;
	uint64_t seed = 5;
	for (size_t i = 0; i < set->len; i++)
		if (!layers_find(l, set->entries[i].tag, &value) || value != set->entries[i].value)
			return false;
	for (size_t i = 0; i < before->len; i++) {
		uint64_t tag = before->entries[i].tag;
		if (layers_find(l, tag, &value) != (set_find(set, tag) != UINT32_MAX))
			return false;
	}
	for (int i = 0; i < 1000; i++)
		if (layers_find(l, set_random(&seed), &value))
			return false;
	return true;
}

/* A base and the deltas of random spans up to the last version. */
static void climb(const struct history *h, uint64_t seed, struct layers *l, struct made *deltas)
{
	size_t at = set_random(&seed) % VERSIONS;
	CU_ASSERT_TRUE_FATAL(layers_init(l, &h->snapshots[at].segment, NULL));
	while (at + 1 < VERSIONS) {
		size_t to = at + 1 + set_random(&seed) % (VERSIONS - 1 - at);
		struct made delta = history_delta(h, at, to);
		CU_ASSERT_TRUE(layers_check_delta(l, &delta.segment, NULL));
		deltas[l->deltas_len] = delta;
		CU_ASSERT_TRUE_FATAL(layers_push(l, &delta.segment, NULL));
		at = to;
	}
}

static void any_path_of_deltas_gives_centrals_snapshot_byte_for_byte(void)
{
	static const size_t lens[] = { 0, 1, 20, 3000 };
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct history h = history_new(lens[seed % 4], lens[seed % 4] / 10 + 1, seed * 100);
		const struct made *last = &h.snapshots[VERSIONS - 1];
		struct layers l;
		struct made deltas[LIST_LAYERS_MAX];
		struct fingerprint moved, straight = { { 0, 0 } };
		climb(&h, seed, &l, deltas);
		struct made result = compacted(&l, 1 + seed % 100);
		CU_ASSERT_TRUE(bytes_equal(result.segment.bytes, last->segment.bytes));
		CU_ASSERT_TRUE(finds_exactly(&l, &h.sets[VERSIONS - 1], &h.sets[0]));
		layers_fingerprint(&l, &moved);
		fingerprint_apply(&straight, &last->segment);
		CU_ASSERT_TRUE(fingerprint_equal(&moved, &straight));
		for (size_t i = 0; i < l.deltas_len; i++)
			made_free(&deltas[i]);
		made_free(&result);
		history_free(&h);
	}
}

static void merged_deltas_are_the_direct_delta_byte_for_byte(void)
{
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct history h = history_new(seed % 3 == 0 ? 3 : 500, seed % 3 == 0 ? 3 : 60, seed * 31);
		if (seed % 5 == 0) { /* there and back again */
			set_free(&h.sets[5]);
			h.sets[5] = set_copy(&h.sets[2]);
			made_free(&h.snapshots[5]);
			h.snapshots[5] = made_snapshot(&h.sets[5], 6);
		}
		struct made ab = history_delta(&h, 2, 4), bc = history_delta(&h, 4, 5), ac = history_delta(&h, 2, 5);
		struct buf out;
		buf_init(&out, OBJECT_MAX);
		CU_ASSERT_TRUE(delta_merge(&ab.segment, &bc.segment, &out, NULL));
		CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), ac.segment.bytes));
		CU_ASSERT_TRUE(seed % 5 != 0 || ac.segment.head.entries == 0);
		buf_clear(&out);
		made_free(&ab), made_free(&bc), made_free(&ac);
		history_free(&h);
	}
}

static void a_delta_for_another_list_epoch_or_version_is_refused(void)
{
	struct history h = history_new(100, 10, 1);
	struct made delta = history_delta(&h, 2, 3);
	struct layers l;
	struct err e = { 0 };
	CU_ASSERT_TRUE_FATAL(layers_init(&l, &h.snapshots[1].segment, NULL));
	CU_ASSERT_FALSE(layers_push(&l, &delta.segment, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_FALSE(layers_push(&l, &h.snapshots[2].segment, &e));
	CU_ASSERT_FALSE(layers_init(&l, &delta.segment, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	CU_ASSERT_TRUE_FATAL(layers_init(&l, &h.snapshots[2].segment, NULL));
	struct segment other = delta.segment;
	other.head.epoch++;
	CU_ASSERT_FALSE(layers_push(&l, &other, &e));
	other = delta.segment;
	other.head.name[0] = 'x';
	CU_ASSERT_FALSE(layers_push(&l, &other, &e));
	CU_ASSERT_TRUE(layers_push(&l, &delta.segment, &e));
	CU_ASSERT_EQUAL(layers_version(&l), 4);
	made_free(&delta);
	history_free(&h);
}

static void a_delta_made_from_another_set_is_refused_and_moves_the_fingerprint_elsewhere(void)
{
	struct history h = history_new(1000, 20, 1), other = history_new(1000, 20, 50);
	struct made right = history_delta(&h, 0, 1), wrong = history_delta(&other, 0, 1);
	struct layers l;
	struct err e = { 0 };
	struct fingerprint f, expected = { { 0, 0 } };
	CU_ASSERT_TRUE_FATAL(layers_init(&l, &h.snapshots[0].segment, NULL));
	CU_ASSERT_TRUE(layers_check_delta(&l, &right.segment, &e));
	CU_ASSERT_FALSE(layers_check_delta(&l, &wrong.segment, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	fingerprint_apply(&expected, &h.snapshots[1].segment);
	layers_fingerprint(&l, &f);
	fingerprint_apply(&f, &wrong.segment);
	CU_ASSERT_FALSE(fingerprint_equal(&f, &expected));
	layers_fingerprint(&l, &f);
	fingerprint_apply(&f, &right.segment);
	CU_ASSERT_TRUE(fingerprint_equal(&f, &expected));
	made_free(&right), made_free(&wrong);
	history_free(&h);
	history_free(&other);
}

/* Small deltas over the set { 10: 1, 20: 2 }. */
static struct made small_delta(const struct entry *entries, uint32_t len, uint64_t from)
{
	struct segment_head head = {
		.name = "test", .delta = true, .epoch = 7, .version = from + 1, .from = from, .entries = len
	};
	struct buf out;
	buf_init(&out, 4096);
	CU_ASSERT_TRUE_FATAL(segment_build(&head, entries, &out, NULL));
	struct made m = made_from(buf_bytes(&out));
	buf_clear(&out);
	return m;
}

static void every_way_a_delta_can_disagree_with_the_set_is_noticed(void)
{
	struct entry base[] = { { 10, 1 }, { 20, 2 } };
	struct made snapshot = made_snapshot(&(struct set){ base, 2, 2 }, 1);
	static const struct {
		struct entry entries[2];
		uint32_t len;
		bool fits;
	} cases[] = {
		{ { { 10, 1 | ENTRY_REMOVED } }, 1, true },
		{ { { 10, 2 | ENTRY_REMOVED } }, 1, false }, /* another old value */
		{ { { 11, 1 | ENTRY_REMOVED } }, 1, false }, /* is not there */
		{ { { 11, 1 } }, 1, true },
		{ { { 10, 1 } }, 1, false }, /* is there already */
		{ { { 10, 5 }, { 10, 1 | ENTRY_REMOVED } }, 2, true },
		{ { { 10, 5 }, { 10, 2 | ENTRY_REMOVED } }, 2, false },
		{ { { 11, 1 }, { 20, 2 } }, 2, false }, /* the last one counts too */
		{ { { 11, 1 }, { 12, 2 } }, 2, true },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct layers l;
		struct made delta = small_delta(cases[i].entries, cases[i].len, 1);
		CU_ASSERT_TRUE_FATAL(layers_init(&l, &snapshot.segment, NULL));
		CU_ASSERT_EQUAL(layers_check_delta(&l, &delta.segment, NULL), cases[i].fits);
		made_free(&delta);
	}
	made_free(&snapshot);
}

static void the_newest_layer_decides_removals_included(void)
{
	struct entry base[] = { { 10, 1 }, { 20, 2 } };
	struct made snapshot = made_snapshot(&(struct set){ base, 2, 2 }, 1);
	struct made steps[] = {
		small_delta((struct entry[]){ { 10, 1 | ENTRY_REMOVED }, { 30, 3 } }, 2, 1),
		small_delta((struct entry[]){ { 10, 7 }, { 30, 3 | ENTRY_REMOVED } }, 2, 2),
		small_delta((struct entry[]){ { 10, 8 }, { 10, 7 | ENTRY_REMOVED } }, 2, 3),
	};
	static const uint32_t ten[] = { UINT32_MAX, 7, 8 }, thirty[] = { 3, UINT32_MAX, UINT32_MAX };
	struct layers l;
	CU_ASSERT_TRUE_FATAL(layers_init(&l, &snapshot.segment, NULL));
	for (size_t i = 0; i < 3; i++) {
		uint32_t value;
		CU_ASSERT_TRUE(layers_push(&l, &steps[i].segment, NULL));
		CU_ASSERT_EQUAL(layers_find(&l, 10, &value) ? value : UINT32_MAX, ten[i]);
		CU_ASSERT_EQUAL(layers_find(&l, 30, &value) ? value : UINT32_MAX, thirty[i]);
		CU_ASSERT_TRUE(layers_find(&l, 20, &value) && value == 2);
	}
	CU_ASSERT_EQUAL(layers_count(&l), 2);
	for (size_t i = 0; i < 3; i++)
		made_free(&steps[i]);
	made_free(&snapshot);
}

static struct filter filter_of(uint64_t capacity)
{
	struct filter f;
	size_t size_bytes = filter_size(capacity);
	void *memory = aligned_alloc(FILTER_ALIGN, size_bytes);
	CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
	memset(memory, 0, size_bytes);
	filter_init(&f, memory, capacity);
	return f;
}

static void filters_never_hide_an_entry_or_a_removal_of_any_layer(void)
{
	struct history h = history_new(5000, 300, 9);
	struct layers l;
	struct made deltas[LIST_LAYERS_MAX];
	struct filter filter = filter_of(20000), changed = filter_of(20000);
	climb(&h, 5, &l, deltas);
	CU_ASSERT_TRUE(l.deltas_len > 1);
	CU_ASSERT_TRUE(filter_add_segment(&filter, &l.base, NULL));
	for (size_t i = 0; i < l.deltas_len; i++) {
		CU_ASSERT_TRUE(filter_add_segment(&filter, &l.deltas[i], NULL));
		CU_ASSERT_TRUE(filter_add_changes(&changed, &l.deltas[i], NULL));
	}
	l.filter = &filter;
	CU_ASSERT_TRUE(finds_exactly(&l, &h.sets[VERSIONS - 1], &h.sets[0]));
	l.changed = &changed;
	CU_ASSERT_TRUE(finds_exactly(&l, &h.sets[VERSIONS - 1], &h.sets[0]));
	l.filter = NULL;
	CU_ASSERT_TRUE(finds_exactly(&l, &h.sets[VERSIONS - 1], &h.sets[0]));
	for (size_t i = 0; i < l.deltas_len; i++)
		made_free(&deltas[i]);
	free(filter.count);
	free(changed.count);
	history_free(&h);
}

static void no_more_layers_than_the_limit(void)
{
	struct made snapshot = made_snapshot(&(struct set){ NULL, 0, 0 }, 1);
	struct made deltas[LIST_LAYERS_MAX + 1];
	struct layers l;
	struct err e = { 0 };
	CU_ASSERT_TRUE_FATAL(layers_init(&l, &snapshot.segment, NULL));
	for (size_t i = 0; i <= LIST_LAYERS_MAX; i++) {
		deltas[i] = small_delta(&(struct entry){ i, 1 }, 1, i + 1);
		CU_ASSERT_EQUAL(layers_push(&l, &deltas[i].segment, &e), i < LIST_LAYERS_MAX);
	}
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	CU_ASSERT_EQUAL(layers_count(&l), LIST_LAYERS_MAX);
	for (size_t i = 0; i <= LIST_LAYERS_MAX; i++)
		made_free(&deltas[i]);
	made_free(&snapshot);
}

static CU_TestInfo tests[] = {
	{ "any path of deltas gives central's snapshot byte for byte",
	  any_path_of_deltas_gives_centrals_snapshot_byte_for_byte },
	{ "merged deltas are the direct delta byte for byte", merged_deltas_are_the_direct_delta_byte_for_byte },
	{ "a delta for another list, epoch or version is refused",
	  a_delta_for_another_list_epoch_or_version_is_refused },
	{ "a delta made from another set is refused and moves the fingerprint elsewhere",
	  a_delta_made_from_another_set_is_refused_and_moves_the_fingerprint_elsewhere },
	{ "every way a delta can disagree with the set is noticed",
	  every_way_a_delta_can_disagree_with_the_set_is_noticed },
	{ "the newest layer decides, removals included", the_newest_layer_decides_removals_included },
	{ "filters never hide an entry or a removal of any layer",
	  filters_never_hide_an_entry_or_a_removal_of_any_layer },
	{ "no more layers than the limit", no_more_layers_than_the_limit },
	CU_TEST_INFO_NULL,
};

SUITE(layers, NULL, NULL, tests);
