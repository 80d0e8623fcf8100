#include "protocol/object.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#define SIZE (2 * OBJECT_CHUNK + 5)

static struct err e;
static uint8_t *data;
static struct object_ref ref;
static struct buf list, out;

static void setup(void)
{
	e = (struct err){ 0 };
	data = malloc(SIZE);
	if (data == NULL)
		abort();
	bytes_fill(data, SIZE, 3);
	buf_init(&list, 1024);
	buf_init(&out, 1024);
	object_refer((struct bytes){ data, SIZE }, &ref, &list);
}

static void teardown(void)
{
	free(data);
	buf_clear(&list);
	buf_clear(&out);
}

static void sizes_fall_into_chunks(void)
{
	CU_ASSERT_EQUAL(object_chunks(1), 1);
	CU_ASSERT_EQUAL(object_chunks(OBJECT_CHUNK), 1);
	CU_ASSERT_EQUAL(object_chunks(OBJECT_CHUNK + 1), 2);
	CU_ASSERT_EQUAL(object_chunks(OBJECT_MAX), 3072);
	CU_ASSERT_EQUAL(object_chunk_size(SIZE, 0), OBJECT_CHUNK);
	CU_ASSERT_EQUAL(object_chunk_size(SIZE, 2), 5);
	CU_ASSERT_EQUAL(object_chunk_size(OBJECT_CHUNK, 0), OBJECT_CHUNK);
}

static void a_reference_holds_the_hash_of_the_bytes_and_of_the_chunk_list(void)
{
	uint8_t hash[HASH_LEN];
	struct object_ref again;
	CU_ASSERT_EQUAL(ref.size, SIZE);
	CU_ASSERT_EQUAL(list.len, 3 * HASH_LEN);
	sha256((struct bytes){ data, SIZE }, hash);
	CU_ASSERT_EQUAL(memcmp(hash, ref.hash, HASH_LEN), 0);
	sha256(buf_bytes(&list), hash);
	CU_ASSERT_EQUAL(memcmp(hash, ref.chunks_hash, HASH_LEN), 0);
	sha256((struct bytes){ data + (size_t)2 * OBJECT_CHUNK, 5 }, hash);
	CU_ASSERT_EQUAL(memcmp(hash, list.data + (size_t)2 * HASH_LEN, HASH_LEN), 0);
	object_refer((struct bytes){ data, SIZE }, &again, NULL);
	CU_ASSERT_EQUAL(memcmp(&again, &ref, sizeof(ref)), 0);
}

static bool list_check(struct bytes b, struct err *why)
{
	return object_list_check(&ref, b, why);
}

static void a_chunk_list_cut_or_altered_is_refused(void)
{
	CU_ASSERT_TRUE(object_list_check(&ref, buf_bytes(&list), &e));
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&list), list_check));
	for (size_t i = 0; i < list.len; i++) {
		list.data[i] ^= 0x10;
		CU_ASSERT_FALSE(object_list_check(&ref, buf_bytes(&list), &e));
		CU_ASSERT_EQUAL(e.code, ERR_DENIED);
		list.data[i] ^= 0x10;
	}
}

static bool chunk_check(uint32_t chunk, size_t from, size_t len)
{
	return object_chunk_check(&ref, buf_bytes(&list), chunk, (struct bytes){ data + from, len }, &e);
}

static void a_chunk_of_wrong_place_length_or_bytes_is_refused(void)
{
	for (uint32_t i = 0; i < 3; i++)
		CU_ASSERT_TRUE(chunk_check(i, (size_t)i * OBJECT_CHUNK, i < 2 ? OBJECT_CHUNK : 5));
	CU_ASSERT_FALSE(chunk_check(3, 0, OBJECT_CHUNK));
	CU_ASSERT_FALSE(chunk_check(UINT32_MAX, 0, OBJECT_CHUNK));
	for (size_t len = 0; len < 5; len++)
		CU_ASSERT_FALSE(chunk_check(2, (size_t)2 * OBJECT_CHUNK, len));
	CU_ASSERT_FALSE(chunk_check(2, 0, 6));
	CU_ASSERT_FALSE(chunk_check(0, 0, OBJECT_CHUNK - 1));
	CU_ASSERT_FALSE(chunk_check(0, 0, OBJECT_CHUNK + 1));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	data[OBJECT_CHUNK] ^= 1;
	CU_ASSERT_TRUE(chunk_check(0, 0, OBJECT_CHUNK));
	CU_ASSERT_FALSE(chunk_check(1, OBJECT_CHUNK, OBJECT_CHUNK));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
}

static bool ref_decode(struct bytes b, struct err *why)
{
	struct cbor c = cbor_over(b);
	struct object_ref got;
	return object_ref_get(&c, &got, why) && cbor_end(&c, why);
}

static bool ref_refused(uint64_t size)
{
	ref.size = size;
	buf_reset(&out);
	object_ref_put(&out, &ref);
	return refuses(buf_bytes(&out), ref_decode);
}

static void a_reference_comes_back_as_it_went(void)
{
	struct object_ref got;
	object_ref_put(&out, &ref);
	struct cbor c = cbor_over(buf_bytes(&out));
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE(object_ref_get(&c, &got, &e));
	CU_ASSERT_EQUAL(memcmp(&got, &ref, sizeof(ref)), 0);
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), ref_decode));
	CU_ASSERT_FALSE(ref_refused(OBJECT_MAX));
	CU_ASSERT_TRUE(ref_refused(0));
	CU_ASSERT_TRUE(ref_refused((uint64_t)OBJECT_MAX + 1));
}

static void a_topic_says_which_object_and_chunk(void)
{
	static const int64_t chunks[] = { -1, 0, 7, 16383 };
	char topic[OBJECT_TOPIC_MAX];
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
		uint8_t hash[HASH_LEN] = { 0 };
		int64_t chunk = 99;
		object_topic(ref.hash, chunks[i], topic);
		CU_ASSERT_TRUE(object_topic_parse(topic, hash, &chunk));
		CU_ASSERT_EQUAL(memcmp(hash, ref.hash, HASH_LEN), 0);
		CU_ASSERT_EQUAL(chunk, chunks[i]);
	}
	object_topic(ref.hash, 7, topic);
	for (size_t len = strlen(topic); len > 0; len--) {
		uint8_t hash[HASH_LEN];
		int64_t chunk = 0;
		topic[len - 1] = '\0';
		CU_ASSERT_FALSE(object_topic_parse(topic, hash, &chunk));
	}
}

static bool topic_taken(const char *tail)
{
	char topic[256] = "xb/1/o/", hex[2 * HASH_LEN + 1];
	uint8_t hash[HASH_LEN];
	int64_t chunk = 0;
	hex_encode(ref.hash, HASH_LEN, hex);
	memcpy(topic + 7, hex, sizeof(hex));
	memcpy(topic + 7 + 2 * HASH_LEN, tail, strlen(tail) + 1);
	return object_topic_parse(topic, hash, &chunk);
}

static void other_topics_are_none(void)
{
	static const char *const bad[] = { "",    "/",    "/01",    "/-1",    "/+",       "/#",
					   "/1/", "/ 1",  "/lists", "/list/", "/1234567", "/99999999999999999999",
					   "x/1", "00/1", "/0x1",   "//1" };
	uint8_t hash[HASH_LEN];
	int64_t chunk = 0;
	CU_ASSERT_TRUE(topic_taken("/1"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_FALSE(topic_taken(bad[i]));
	CU_ASSERT_FALSE(object_topic_parse("", hash, &chunk));
	CU_ASSERT_FALSE(object_topic_parse("xb/1/head", hash, &chunk));
	CU_ASSERT_FALSE(object_topic_parse(
		"xb/1/o/ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789/1", hash, &chunk));
}

static CU_TestInfo tests[] = {
	{ "sizes fall into chunks", sizes_fall_into_chunks },
	{ "a reference holds the hash of the bytes and of the chunk list",
	  a_reference_holds_the_hash_of_the_bytes_and_of_the_chunk_list },
	{ "a chunk list cut or altered is refused", a_chunk_list_cut_or_altered_is_refused },
	{ "a chunk of wrong place, length or bytes is refused", a_chunk_of_wrong_place_length_or_bytes_is_refused },
	{ "a reference comes back as it went", a_reference_comes_back_as_it_went },
	{ "a topic says which object and chunk", a_topic_says_which_object_and_chunk },
	{ "other topics are none", other_topics_are_none },
	CU_TEST_INFO_NULL,
};

SUITE(object, setup, teardown, tests);
