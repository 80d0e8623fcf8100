#include "protocol/head.h"
#include "protocol/base/limits.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct err e;
static struct buf out, again;
static struct head_entry entries[HEAD_ENTRIES_MAX + 1];
static struct head head;
static struct index_edge edges[INDEX_EDGES_MAX + 1];
static struct list_index list;
static uint8_t scalar[SCALAR_LEN], point[POINT_LEN];

static struct object_ref ref_of(uint8_t n, uint64_t size)
{
	struct object_ref r = { .size = size };
	bytes_fill(r.hash, HASH_LEN, n);
	bytes_fill(r.chunks_hash, HASH_LEN, (uint8_t)(n + 100));
	return r;
}

/* Two lists and a document. Compared as memory, so nothing may stand behind a name. */
static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&out, 1 << 21);
	buf_init(&again, 1 << 21);
	memset(entries, 0, sizeof(entries));
	entries[0] = (struct head_entry){ .name = "black-dishonest",
					  .kind = HEAD_LIST,
					  .version = 12,
					  .object = ref_of(1, OBJECT_MAX),
					  .index = ref_of(2, 5000),
					  .epoch = UINT32_MAX,
					  .count = LIST_ENTRIES_MAX,
					  .forced_version = 12,
					  .canary_hit = UINT64_MAX,
					  .canary_miss = 0 };
	bytes_fill(entries[0].fingerprint, FINGERPRINT_BYTES, 9);
	entries[1] =
		(struct head_entry){ .name = "rules", .kind = HEAD_DOCUMENT, .version = 1, .object = ref_of(3, 1) };
	entries[2] = entries[0];
	memset(entries[2].name, 0, sizeof(entries[2].name));
	snprintf(entries[2].name, sizeof(entries[2].name), "white-3");
	head = (struct head){
		.sequence = 77, .issued_s = 1780286400, .expires_s = TIME_MAX_S, .entries_len = 3, .entries = entries
	};
	for (size_t i = 0; i < 3; i++)
		edges[i] = (struct index_edge){
			.from = 1 + i / 2, .to = 2 + i, .object = ref_of(4, 100), .count_to = 3
		};
	list = (struct list_index){
		.name = "black-dishonest", .version = 4, .epoch = 7, .edges_len = 3, .edges = edges
	};
	key_new(&random_system, scalar, point);
}

static void teardown(void)
{
	buf_clear(&out);
	buf_clear(&again);
}

static bool decode(struct bytes data, struct err *why)
{
	struct head h;
	bool ok = head_decode(data, &h, why);
	head_clear(&h);
	return ok;
}

static bool index_decode(struct bytes data, struct err *why)
{
	struct list_index x;
	bool ok = list_index_decode(data, &x, why);
	list_index_clear(&x);
	return ok;
}

static bool refused(void)
{
	buf_reset(&out);
	CU_ASSERT_TRUE(head_encode(&head, &out, &e));
	return refuses(buf_bytes(&out), decode);
}

static bool index_refused(void)
{
	buf_reset(&out);
	CU_ASSERT_TRUE(list_index_encode(&list, &out, &e));
	return refuses(buf_bytes(&out), index_decode);
}

static void a_head_comes_back_as_it_went(void)
{
	struct head h;
	CU_ASSERT_TRUE(head_encode(&head, &out, &e));
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE_FATAL(head_decode(buf_bytes(&out), &h, &e));
	CU_ASSERT_EQUAL(h.sequence, 77);
	CU_ASSERT_EQUAL(h.issued_s, 1780286400);
	CU_ASSERT_EQUAL(h.expires_s, TIME_MAX_S);
	CU_ASSERT_EQUAL(h.entries_len, 3);
	CU_ASSERT_EQUAL(memcmp(h.entries, entries, 3 * sizeof(entries[0])), 0);
	CU_ASSERT_TRUE(head_encode(&h, &again, &e));
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
	CU_ASSERT_PTR_EQUAL(head_find(&h, "rules"), &h.entries[1]);
	CU_ASSERT_PTR_NULL(head_find(&h, "rule"));
	head_clear(&h);
}

static void a_head_cut_anywhere_is_refused(void)
{
	CU_ASSERT_TRUE(head_encode(&head, &out, &e));
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), decode));
}

static void entries_stand_in_order_and_once(void)
{
	struct head_entry first = entries[0];
	entries[0] = entries[1];
	CU_ASSERT_TRUE(refused());
	entries[1] = first;
	CU_ASSERT_TRUE(refused());
	entries[0] = first;
	CU_ASSERT_TRUE(refused());
	head.entries_len = 0;
	CU_ASSERT_FALSE(refused());
}

static bool name_refused(const char *name)
{
	snprintf(entries[1].name, sizeof(entries[1].name), "%s", name);
	head.entries = entries + 1;
	head.entries_len = 1;
	return refused();
}

static void names_are_short_and_plain(void)
{
	static const char *const bad[] = { "", "-a", "_a", "A", "a b", "a/b", "a+", "#", "a'", "a.b", "\xc3\xa9" };
	CU_ASSERT_FALSE(name_refused("0-_z"));
	CU_ASSERT_FALSE(name_refused("a23456789012345678901234567890ab"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_TRUE(name_refused(bad[i]));
	CU_ASSERT_TRUE(name_is_valid("a23456789012345678901234567890ab"));
	CU_ASSERT_FALSE(name_is_valid("a23456789012345678901234567890abc"));
}

static void numbers_of_a_head_keep_to_their_bounds(void)
{
	struct head_entry good[3];
	memcpy(good, entries, sizeof(good));
#define REFUSED_WITH(change)                                                                                         \
	do {                                                                                                         \
		change;                                                                                              \
		CU_ASSERT_TRUE(refused());                                                                           \
		memcpy(entries, good, sizeof(good));                                                                 \
		head.sequence = 1;                                                                                   \
		head.issued_s = head.expires_s = 5;                                                                  \
		CU_ASSERT_FALSE(refused());                                                                          \
	} while (0)
	REFUSED_WITH(head.sequence = COUNTER_MAX + 1);
	REFUSED_WITH(head.issued_s = -1);
	REFUSED_WITH(head.issued_s = TIME_MAX_S + 1);
	REFUSED_WITH(head.expires_s = -1);
	REFUSED_WITH(head.expires_s = INT64_MAX);
	REFUSED_WITH(entries[0].version = 0);
	REFUSED_WITH(entries[0].version = COUNTER_MAX + 1);
	REFUSED_WITH(entries[0].object.size = 0);
	REFUSED_WITH(entries[0].object.size = (uint64_t)OBJECT_MAX + 1);
	REFUSED_WITH(entries[0].index.size = DOCUMENT_MAX + 1);
	REFUSED_WITH(entries[1].object.size = DOCUMENT_MAX + 1);
	REFUSED_WITH(entries[0].count = LIST_ENTRIES_MAX + 1);
	REFUSED_WITH(entries[0].forced_version = 13);
	REFUSED_WITH(entries[0].kind = HEAD_DOCUMENT + 1);
	REFUSED_WITH(entries[0].kind = 0);
}

/* Key and value for key and value: the map of a document, and what could pass for one. */
static void the_fields_of_a_head_are_fixed(void)
{
	static const char document[] = "a4 01 6161 02 02 03 01 04 83 5820 %s 5820 %s 01";
	static const struct {
		const char *head, *entry, *tail;
	} variants[] = {
		{ "a4 01 01 02 02 03 03 04 81", document, "" },                 /* good */
		{ "a5 01 01 02 02 03 03 04 81", document, "05 00" },            /* one more */
		{ "a3 01 01 02 02 04 81", document, "" },                       /* one less */
		{ "a4 02 02 01 01 03 03 04 81", document, "" },                 /* order */
		{ "a4 01 01 02 02 03 03 04 81", "a3 01 6161 02 02 03 01", "" }, /* no object */
		{ "a4 01 01 02 02 03 03 04 81", "a4 01 6161 02 01 03 01 04 83 5820 %s 5820 %s 01",
		  "" }, /* a list's kind */
		{ "a4 01 01 02 02 03 03 04 81", "a5 01 6161 02 02 03 01 04 83 5820 %s 5820 %s 01 05 00", "" },
		{ "a4 01 01 02 02 03 03 04 81", "a4 01 6161 02 18 02 03 01 04 83 5820 %s 5820 %s 01", "" },
		{ "a4 01 01 02 fb4000000000000000 03 03 04 81", document, "" }, /* a float as time */
	};
	static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		struct buf entry;
		buf_init(&entry, 1024);
		for (const char *at = variants[i].entry; *at != '\0'; at++) {
			if (*at == '%')
				buf_add_str(&entry, zeros);
			else if (*at != 's')
				buf_add_u8(&entry, (uint8_t)*at);
		}
		buf_reset(&out);
		hex_read(bytes_of(variants[i].head), &out);
		hex_read(buf_bytes(&entry), &out);
		hex_read(bytes_of(variants[i].tail), &out);
		CU_ASSERT_EQUAL(refuses(buf_bytes(&out), decode), i > 0);
		buf_clear(&entry);
	}
}

static void fill_entries(size_t lists, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		entries[i] = entries[i < lists ? 0 : HEAD_ENTRIES_MAX];
		snprintf(entries[i].name, sizeof(entries[i].name), "name-of-thirty-two-characters-%02zx", i);
	}
	head.entries_len = len;
}

static void the_fullest_head_fits_one_message_and_no_more_is_taken(void)
{
	entries[HEAD_ENTRIES_MAX] = entries[1];
	entries[HEAD_ENTRIES_MAX].object.size = DOCUMENT_MAX;
	entries[HEAD_ENTRIES_MAX].version = entries[0].version = entries[0].forced_version = COUNTER_MAX;
	head.sequence = COUNTER_MAX;
	fill_entries(LISTS_MAX, HEAD_ENTRIES_MAX);
	CU_ASSERT_TRUE(head_sign(&head, scalar, point, &random_system, &again, &e));
	CU_ASSERT_TRUE(again.len <= OBJECT_CHUNK);
	CU_ASSERT_FALSE(refused());
	entries[HEAD_ENTRIES_MAX] = entries[HEAD_ENTRIES_MAX - 1];
	fill_entries(LISTS_MAX + 1, HEAD_ENTRIES_MAX);
	CU_ASSERT_TRUE(refused());
	fill_entries(1, HEAD_ENTRIES_MAX + 1);
	CU_ASSERT_TRUE(refused());
}

static bool open_message(struct bytes data, struct err *why)
{
	struct head h;
	bool ok = head_open(data, point, &h, why);
	head_clear(&h);
	return ok;
}

static void a_head_opens_under_its_key_alone(void)
{
	struct head h;
	uint8_t other_scalar[SCALAR_LEN], other[POINT_LEN];
	CU_ASSERT_TRUE_FATAL(head_sign(&head, scalar, point, &random_system, &out, &e));
	CU_ASSERT_TRUE(head_open(buf_bytes(&out), point, &h, &e));
	CU_ASSERT_EQUAL(memcmp(h.entries, entries, 3 * sizeof(entries[0])), 0);
	head_clear(&h);
	key_new(&random_system, other_scalar, other);
	CU_ASSERT_FALSE(head_open(buf_bytes(&out), other, &h, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_PTR_NULL(h.entries);
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), open_message));
}

static void the_signature_is_looked_at_before_the_payload(void)
{
	struct head h;
	CU_ASSERT_TRUE(cose_sign(scalar, point, &random_system, "xb/1/head", bytes_of("no head"), &out, &e));
	CU_ASSERT_FALSE(head_open(buf_bytes(&out), point, &h, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	out.data[out.len - 1] ^= 1;
	CU_ASSERT_FALSE(head_open(buf_bytes(&out), point, &h, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	buf_reset(&out);
	CU_ASSERT_TRUE(head_encode(&head, &again, &e));
	CU_ASSERT_TRUE(cose_sign(scalar, point, &random_system, "xb/1/other", buf_bytes(&again), &out, &e));
	CU_ASSERT_FALSE(head_open(buf_bytes(&out), point, &h, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
}

static void an_index_comes_back_as_it_went(void)
{
	struct list_index x;
	CU_ASSERT_TRUE(list_index_encode(&list, &out, &e));
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE_FATAL(list_index_decode(buf_bytes(&out), &x, &e));
	CU_ASSERT_STRING_EQUAL(x.name, list.name);
	CU_ASSERT_EQUAL(x.version, 4);
	CU_ASSERT_EQUAL(x.epoch, 7);
	CU_ASSERT_EQUAL(x.edges_len, 3);
	CU_ASSERT_EQUAL(memcmp(x.edges, edges, 3 * sizeof(edges[0])), 0);
	CU_ASSERT_TRUE(list_index_encode(&x, &again, &e));
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
	list_index_clear(&x);
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), index_decode));
}

static void deltas_of_an_index_rise_and_stand_in_order(void)
{
	struct index_edge good[3];
	memcpy(good, edges, sizeof(good));
#define INDEX_REFUSED_WITH(change)                                                                                   \
	do {                                                                                                         \
		change;                                                                                              \
		CU_ASSERT_TRUE(index_refused());                                                                     \
		memcpy(edges, good, sizeof(good));                                                                   \
		list.version = 4;                                                                                    \
		CU_ASSERT_FALSE(index_refused());                                                                    \
	} while (0)
	INDEX_REFUSED_WITH(edges[0].from = 0);
	INDEX_REFUSED_WITH(edges[2].from = edges[2].to);
	INDEX_REFUSED_WITH(edges[2].to = 5);
	INDEX_REFUSED_WITH(edges[1] = edges[0]);
	INDEX_REFUSED_WITH(edges[0].to = 4);
	INDEX_REFUSED_WITH(edges[0].from = 3; edges[0].to = 4);
	INDEX_REFUSED_WITH(edges[0].count_to = LIST_ENTRIES_MAX + 1);
	INDEX_REFUSED_WITH(edges[0].object.size = 0);
	INDEX_REFUSED_WITH(list.version = COUNTER_MAX + 1);
	snprintf(list.name, sizeof(list.name), "A");
	CU_ASSERT_TRUE(index_refused());
}

static void the_fullest_index_is_a_document_and_no_more_is_taken(void)
{
	for (size_t i = 0; i <= INDEX_EDGES_MAX; i++) {
		edges[i] = edges[0];
		edges[i].from = COUNTER_MAX - 10000 + i;
		edges[i].to = edges[i].from + 1;
	}
	list.version = COUNTER_MAX;
	list.edges_len = INDEX_EDGES_MAX;
	CU_ASSERT_FALSE(index_refused());
	CU_ASSERT_TRUE(out.len <= DOCUMENT_MAX);
	list.edges_len++;
	CU_ASSERT_TRUE(index_refused());
}

static CU_TestInfo tests[] = {
	{ "a head comes back as it went", a_head_comes_back_as_it_went },
	{ "a head cut anywhere is refused", a_head_cut_anywhere_is_refused },
	{ "entries stand in order and once", entries_stand_in_order_and_once },
	{ "names are short and plain", names_are_short_and_plain },
	{ "numbers of a head keep to their bounds", numbers_of_a_head_keep_to_their_bounds },
	{ "the fields of a head are fixed", the_fields_of_a_head_are_fixed },
	{ "the fullest head fits one message and no more is taken",
	  the_fullest_head_fits_one_message_and_no_more_is_taken },
	{ "a head opens under its key alone", a_head_opens_under_its_key_alone },
	{ "the signature is looked at before the payload", the_signature_is_looked_at_before_the_payload },
	{ "an index comes back as it went", an_index_comes_back_as_it_went },
	{ "deltas of an index rise and stand in order", deltas_of_an_index_rise_and_stand_in_order },
	{ "the fullest index is a document and no more is taken",
	  the_fullest_index_is_a_document_and_no_more_is_taken },
	CU_TEST_INFO_NULL,
};

SUITE(head, setup, teardown, tests);
