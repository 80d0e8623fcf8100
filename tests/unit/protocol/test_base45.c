#include "protocol/base45.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <string.h>

static struct err e;
static struct buf out;

static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&out, 1 << 16);
}

static void teardown(void)
{
	buf_clear(&out);
}

/* RFC 9285, sections 4.3 and 4.4, and what can be worked out by hand. */
static const struct {
	const char *data, *text;
} examples[] = {
	{ "AB", "BB8" },
	{ "Hello!!", "%69 VD92EX0" },
	{ "base-45", "UJCLQE7W581" },
	{ "ietf!", "QED8WEX0" },
	{ "", "" },
	{ "\xff\xff", "FGW" },
	{ "\xff", "U5" },
	{ "\x2c", ":0" },
	{ "-", "01" },
};

static void the_standards_examples_go_both_ways(void)
{
	size_t bad_at = 0;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		buf_reset(&out);
		base45_encode(bytes_of(examples[i].data), &out);
		CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), bytes_of(examples[i].text)));
		buf_reset(&out);
		CU_ASSERT_TRUE(base45_decode(bytes_of(examples[i].text), &out, &bad_at, &e));
		CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), bytes_of(examples[i].data)));
	}
}

static void every_pair_of_bytes_comes_back(void)
{
	size_t bad_at = 0;
	struct buf back;
	buf_init(&back, 16);
	for (unsigned n = 0; n < 0x10100; n++) {
		uint8_t data[2] = { (uint8_t)(n >> 8), (uint8_t)n };
		struct bytes given = { n < 0x10000 ? data : data + 1, n < 0x10000 ? 2 : 1 };
		buf_reset(&out);
		buf_reset(&back);
		base45_encode(given, &out);
		CU_ASSERT_TRUE(base45_decode(buf_bytes(&out), &back, &bad_at, &e));
		CU_ASSERT_TRUE(bytes_equal(buf_bytes(&back), given));
	}
	buf_clear(&back);
}

/* So a text has one meaning and bytes have one text. */
static void every_group_of_three_is_what_an_encoder_writes_or_is_refused(void)
{
	static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
	struct buf back;
	unsigned taken = 0;
	buf_init(&back, 16);
	for (unsigned n = 0; n < 45 * 45 * 45; n++) {
		uint8_t text[3] = { (uint8_t)alphabet[n % 45], (uint8_t)alphabet[n / 45 % 45],
				    (uint8_t)alphabet[n / 2025] };
		size_t bad_at = 9;
		buf_reset(&out);
		buf_reset(&back);
		bool ok = base45_decode((struct bytes){ text, 3 }, &out, &bad_at, &e);
		CU_ASSERT_EQUAL(ok, n <= 0xffff);
		taken += ok;
		if (ok)
			base45_encode(buf_bytes(&out), &back);
		CU_ASSERT_TRUE(ok ? bytes_equal(buf_bytes(&back), (struct bytes){ text, 3 }) : bad_at == 0);
	}
	CU_ASSERT_EQUAL(taken, 0x10000);
	buf_clear(&back);
}

static const struct {
	const char *text;
	size_t bad_at;
} wrong[] = {
	{ "GGW", 0 },                                                /* 65,536, as in section 6 */
	{ ":::", 0 }, { "BB8GGW", 3 }, { "V5", 0 },                  /* 256 */
	{ "::", 0 },  { "BB8::", 3 },  { "B", 1 },    { "BB8B", 4 }, /* length 1 mod 3 */
	{ "bB8", 0 }, { "BB8BbB", 4 }, { "BB\n", 2 }, { "BB8a", 3 }, { "BB8B,", 4 }, { "BB8\xef\xbc\xa1", 3 },
};

static void what_no_encoder_writes_is_refused_with_its_place(void)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		size_t bad_at = 99;
		e = (struct err){ 0 };
		buf_reset(&out);
		buf_add_str(&out, "before");
		CU_ASSERT_FALSE(base45_decode(bytes_of(wrong[i].text), &out, &bad_at, &e));
		CU_ASSERT_EQUAL(bad_at, wrong[i].bad_at);
		CU_ASSERT_TRUE(e.code == ERR_INPUT && e.text[0] != '\0');
		CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), bytes_of("before")));
	}
}

static void only_forty_five_characters_are_taken(void)
{
	unsigned taken = 0;
	for (unsigned c = 0; c < 256; c++) {
		uint8_t text[2] = { (uint8_t)c, '0' };
		size_t bad_at = 9;
		bool ok = base45_decode((struct bytes){ text, 2 }, &out, &bad_at, NULL);
		CU_ASSERT_EQUAL(ok, base45_has((uint8_t)c));
		CU_ASSERT_TRUE(ok || bad_at == 0);
		taken += ok;
	}
	CU_ASSERT_EQUAL(taken, 45);
	CU_ASSERT_FALSE(base45_has('\0') || base45_has('a') || base45_has('_'));
}

static void a_blank_is_a_character_like_others(void)
{
	size_t bad_at = 0;
	CU_ASSERT_TRUE(base45_decode(bytes_of("  0"), &out, &bad_at, &e));
	CU_ASSERT_TRUE(out.len == 2 && (out.data[0] << 8 | out.data[1]) == 36 + 36 * 45);
	CU_ASSERT_FALSE(base45_decode(bytes_of("BB8 "), &out, &bad_at, &e));
}

static void more_than_there_is_room_for_is_full(void)
{
	size_t bad_at = 0;
	struct buf small;
	buf_init(&small, 3);
	CU_ASSERT_FALSE(base45_decode(bytes_of("BB8BB8"), &small, &bad_at, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	buf_reset(&small);
	base45_encode(bytes_of("AB"), &small);
	CU_ASSERT_TRUE(buf_ok(&small, "text", &e));
	base45_encode(bytes_of("A"), &small);
	CU_ASSERT_FALSE(buf_ok(&small, "text", &e));
	buf_clear(&small);
}

static CU_TestInfo tests[] = {
	{ "the standard's examples go both ways", the_standards_examples_go_both_ways },
	{ "every pair of bytes comes back", every_pair_of_bytes_comes_back },
	{ "every group of three is what an encoder writes, or is refused",
	  every_group_of_three_is_what_an_encoder_writes_or_is_refused },
	{ "what no encoder writes is refused, with its place", what_no_encoder_writes_is_refused_with_its_place },
	{ "only forty-five characters are taken", only_forty_five_characters_are_taken },
	{ "a blank is a character like others", a_blank_is_a_character_like_others },
	{ "more than there is room for is full", more_than_there_is_room_for_is_full },
	CU_TEST_INFO_NULL,
};
SUITE(base45, setup, teardown, tests);
