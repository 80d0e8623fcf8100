#include "protocol/zip.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#define ROOM (1 << 22)

static struct err e;
static struct buf packed, out;
static enum zip_fault fault;

static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&packed, ROOM);
	buf_init(&out, ROOM);
}

static void teardown(void)
{
	buf_clear(&packed);
	buf_clear(&out);
}

/* It stops at max, and what was in out stays. */
static enum zip_fault inflate_of(struct bytes data, size_t max)
{
	e = (struct err){ 0 };
	buf_reset(&out);
	buf_add_str(&out, "before");
	bool ok = zip_inflate(data, max, &out, &fault, &e);
	CU_ASSERT_EQUAL(ok, fault == ZIP_OK);
	CU_ASSERT_TRUE(ok ? e.code == ERR_NONE : e.code == (fault == ZIP_TOO_LARGE ? ERR_FULL : ERR_INPUT));
	CU_ASSERT_TRUE(ok ? out.len <= 6 + max : out.len == 6);
	CU_ASSERT_EQUAL(memcmp(out.data, "before", 6), 0);
	return fault;
}

static enum zip_fault inflate_hex(const char *hex)
{
	buf_reset(&packed);
	hex_read(bytes_of(hex), &packed);
	return inflate_of(buf_bytes(&packed), 4096);
}

static void zeros_pack(size_t len)
{
	uint8_t *zeros = calloc(len, 1);
	if (zeros == NULL)
		abort();
	buf_reset(&packed);
	CU_ASSERT_TRUE_FATAL(zip_deflate((struct bytes){ zeros, len }, &packed, &e));
	free(zeros);
}

static void what_is_deflated_comes_back(void)
{
	static const size_t sizes[] = { 0, 1, 2, 300, 4095, 4096, 4097, 8192, 70000 };
	uint64_t seed = 1950;
	struct random seeded = random_seeded(&seed);
	struct buf data;
	buf_init(&data, ROOM);
	for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t len = sizes[i / 2];
		buf_reset(&data);
		buf_reset(&packed);
		uint8_t *at = buf_grow(&data, len);
		if (i % 2 == 0)
			seeded.fill(seeded.arg, at, len);
		else
			memset(at, 'x', len);
		CU_ASSERT_TRUE(zip_deflate(buf_bytes(&data), &packed, &e));
		CU_ASSERT_EQUAL(inflate_of(buf_bytes(&packed), len), ZIP_OK);
		CU_ASSERT_TRUE(bytes_equal((struct bytes){ out.data + 6, out.len - 6 }, buf_bytes(&data)));
		CU_ASSERT_TRUE(len == 0 || inflate_of(buf_bytes(&packed), len - 1) == ZIP_TOO_LARGE);
	}
	buf_clear(&data);
}

/* By hand, after RFC 1950 and 1951: "abc" stored, with fixed codes, at every level's header. */
static void what_others_write_is_taken(void)
{
	static const char *const streams[] = {
		"7801 01 0300 fcff 616263 024d0127",
		"789c 01 0300 fcff 616263 024d0127",
		"78da 01 0300 fcff 616263 024d0127",
		"785e 01 0300 fcff 616263 024d0127",
		"081d 01 0300 fcff 616263 024d0127",
		"789c 4b4c4a06 00 024d0127",
		"789c 00 0100 feff 61 01 0200 fdff 6263 024d0127",
	};
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		CU_ASSERT_EQUAL(inflate_hex(streams[i]), ZIP_OK);
		CU_ASSERT_TRUE(out.len == 9 && memcmp(out.data, "beforeabc", 9) == 0);
	}
}

static void what_does_not_begin_as_zlib_is_named_so(void)
{
	static const char *const bad[] = {
		"1f8b0800000000000003", /* gzip */
		"d28443a10126",         /* a message that nobody compressed */
		"789d 4b4c4a0600",      /* check bits */
		"8804 4b4c4a0600",      /* a window of 64 KiB */
		"7820 024d0127 4b4c",   /* a dictionary */
		"78bb 024d0127 4b4c",   /* a dictionary, at another level */
		"0000",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(inflate_hex(bad[i]), ZIP_NOT_ZLIB);
}

static void a_stream_cut_anywhere_is_cut_off(void)
{
	zeros_pack(5000);
	for (size_t len = 0; len < packed.len; len++) {
		uint8_t *copy = malloc(len + 1);
		if (copy == NULL)
			abort();
		memcpy(copy, packed.data, len);
		CU_ASSERT_EQUAL(inflate_of((struct bytes){ copy, len }, 8192), ZIP_CUT_OFF);
		free(copy);
	}
}

static void anything_behind_the_stream_is_refused(void)
{
	zeros_pack(5000);
	buf_add_u8(&packed, 0);
	CU_ASSERT_EQUAL(inflate_of(buf_bytes(&packed), 8192), ZIP_TRAILING);
	CU_ASSERT_EQUAL(inflate_of(buf_bytes(&packed), 5000), ZIP_TRAILING);
}

/* But for the up to seven bits between the last block and the checksum, which nothing reads. */
static void no_changed_bit_changes_the_data(void)
{
	unsigned unread = 0;
	uint64_t seed = 7;
	struct random seeded = random_seeded(&seed);
	uint8_t data[200];
	seeded.fill(seeded.arg, data, sizeof(data) / 2);
	memset(data + sizeof(data) / 2, 'a', sizeof(data) / 2);
	CU_ASSERT_TRUE_FATAL(zip_deflate((struct bytes){ data, sizeof(data) }, &packed, &e));
	for (size_t bit = 16; bit < packed.len * 8; bit++) {
		packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		bool ok = inflate_of(buf_bytes(&packed), 4096) == ZIP_OK;
		CU_ASSERT_TRUE(fault != ZIP_NOT_ZLIB);
		CU_ASSERT_TRUE(!ok || (out.len == 6 + sizeof(data) && memcmp(out.data + 6, data, sizeof(data)) == 0));
		unread += ok;
		packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CU_ASSERT_TRUE(unread < 8);
	packed.data[packed.len - 1] ^= 1; /* of the checksum alone */
	CU_ASSERT_EQUAL(inflate_of(buf_bytes(&packed), 4096), ZIP_DAMAGED);
}

/* 2 MiB out of 2 KiB: neither unpacked nor allocated. */
static void a_bomb_stops_at_the_maximum(void)
{
	zeros_pack(1 << 21);
	CU_ASSERT_TRUE(packed.len < 2500);
	CU_ASSERT_EQUAL(inflate_of(buf_bytes(&packed), 8192), ZIP_TOO_LARGE);
	CU_ASSERT_TRUE(out.cap <= 4 * 8192);
	CU_ASSERT_EQUAL(inflate_of(buf_bytes(&packed), 0), ZIP_TOO_LARGE);
	/* out's own maximum holds too */
	struct buf small;
	buf_init(&small, 100);
	CU_ASSERT_FALSE(zip_inflate(buf_bytes(&packed), 8192, &small, &fault, &e));
	CU_ASSERT_TRUE(fault == ZIP_TOO_LARGE && small.len == 0);
	buf_clear(&small);
}

static CU_TestInfo tests[] = {
	{ "what is deflated comes back", what_is_deflated_comes_back },
	{ "what others write is taken", what_others_write_is_taken },
	{ "what does not begin as zlib is named so", what_does_not_begin_as_zlib_is_named_so },
	{ "a stream cut anywhere is cut off", a_stream_cut_anywhere_is_cut_off },
	{ "anything behind the stream is refused", anything_behind_the_stream_is_refused },
	{ "no changed bit changes the data", no_changed_bit_changes_the_data },
	{ "a bomb stops at the maximum", a_bomb_stops_at_the_maximum },
	CU_TEST_INFO_NULL,
};
SUITE(zip, setup, teardown, tests);
