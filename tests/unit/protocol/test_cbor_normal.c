#include "protocol/cbor_normal.h"
#include "protocol/base/limits.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM (1 << 20)

static struct err e;
static struct buf in, out;
static uint64_t seed;

static void setup(void)
{
	e = (struct err){ 0 };
	seed = 8949;
	buf_init(&in, ROOM);
	buf_init(&out, ROOM);
}

static void teardown(void)
{
	buf_clear(&in);
	buf_clear(&out);
}

static bool normal(struct bytes data, struct err *why)
{
	struct buf to;
	buf_init(&to, ROOM);
	bool ok = cbor_normalise(data, &to, why);
	CU_ASSERT_TRUE(ok || to.len == 0);
	buf_clear(&to);
	return ok;
}

static struct bytes read_hex(const char *hex)
{
	buf_reset(&in);
	hex_read(bytes_of(hex), &in);
	return buf_bytes(&in);
}

/* Most of them from RFC 8949, appendix A. */
static const struct {
	const char *foreign, *deterministic;
} items[] = {
	{ "1800", "00" },
	{ "1b0000000000000017", "17" },
	{ "1a000000ff", "18ff" },
	{ "1bffffffffffffffff", "1bffffffffffffffff" },
	{ "3bffffffffffffffff", "3bffffffffffffffff" },
	{ "3809", "29" },
	{ "9fff", "80" },
	{ "9f018202039f0405ffff", "8301820203820405" },
	{ "83018202039f0405ff", "8301820203820405" },
	{ "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff",
	  "98190102030405060708090a0b0c0d0e0f101112131415161718181819" },
	{ "bfff", "a0" },
	{ "bf61610161629f0203ffff", "a26161016162820203" },
	{ "bf6346756ef563416d7421ff", "a263416d74216346756ef5" },
	{ "a3616101020304f5", "a3020304f5616101" },
	{ "a220010102", "a201022001" },
	{ "5f42010243030405ff", "450102030405" },
	{ "5fff", "40" },
	{ "7f657374726561646d696e67ff", "6973747265616d696e67" },
	{ "7fff", "60" },
	{ "fb3ff8000000000000", "f93e00" },
	{ "fb40f86a0000000000", "fa47c35000" },
	{ "fb3ff199999999999a", "fb3ff199999999999a" },
	{ "f90001", "f90001" },
	{ "f903ff", "f903ff" },
	{ "f90400", "f90400" },
	{ "fa80000000", "f98000" },
	{ "fbfff0000000000000", "f9fc00" },
	{ "fb7ff8000000000000", "f97e00" },
	{ "fa7fc00000", "f97e00" },
	{ "f7", "f6" },
	{ "c06161", "6161" }, /* a date's tag, and a time's */
	{ "c07f6161ff", "6161" },
	{ "d8006161", "6161" },
	{ "c11a00000001", "01" },
	{ "c120", "20" },
	{ "c1fb3ff8000000000000", "f93e00" },
	{ "a101c06161", "a1016161" },
	{ "d8126161", "d26161" },
	{ "d83dd29fff", "d83dd280" },
};

static void each_item_has_one_form(void)
{
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		struct buf want;
		buf_init(&want, ROOM);
		hex_read(bytes_of(items[i].deterministic), &want);
		buf_reset(&out);
		CU_ASSERT_TRUE(cbor_normalise(read_hex(items[i].foreign), &out, &e));
		CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), buf_bytes(&want)));
		CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
		if (!bytes_equal(buf_bytes(&out), buf_bytes(&want)))
			printf(" [%s] ", items[i].foreign);
		/* and what is in it stays so */
		buf_reset(&in);
		CU_ASSERT_TRUE(cbor_normalise(buf_bytes(&want), &in, &e));
		CU_ASSERT_TRUE(bytes_equal(buf_bytes(&in), buf_bytes(&want)));
		buf_clear(&want);
	}
}

static void every_item_cut_short_or_with_a_byte_behind_is_refused(void)
{
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		CU_ASSERT_TRUE(refuses_cut_and_longer(read_hex(items[i].foreign), normal));
}

static void what_has_no_meaning_or_two_is_refused(void)
{
	static const char *const bad[] = {
		"ff",     /* a break alone */
		"81ff",   /* a break where an item belongs */
		"a101ff", /* one where a value belongs */
		"bf01ff", /* a key without a value */
		"1c",     /* reserved heads */
		"5d",
		"9e",
		"dd",
		"fc", /* … */
		"1f",
		"3f",
		"dfff",         /* an open length where none may be */
		"5f6161ff",     /* a text in a byte string */
		"7f4161ff",     /* the other way round */
		"5f5f4101ffff", /* an open piece */
		"5f01ff",       /* a number as a piece */
		"61ff",
		"62c080",       /* no UTF-8 */
		"7f61e461bdff", /* a character cut by its pieces, RFC 8949 section 3.2.3 */
		"e0",
		"f3",
		"f820",
		"f8ff",
		"f814", /* simple values that are not registered, or in two bytes */
		"c001", /* a tag of time before what is none */
		"c16161",
		"c04161",
		"c0c060",
		"c1c101",
		"5bffffffffffffffff", /* longer than all there is */
		"9bffffffffffffffff",
		"bbffffffffffffffff",
		"",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CU_ASSERT_TRUE(refuses(read_hex(bad[i]), normal));
		if (normal(read_hex(bad[i]), NULL))
			printf(" [%s] ", bad[i]);
	}
}

static void a_key_is_in_a_map_once_however_it_is_written(void)
{
	static const char *const twice[] = {
		"a201000100",           "a20100180100",        "bf0100 1b000000000000000100ff",
		"a2616100 7f6161ff00",  "a2410000 5f4100ff00", "a2f93e0000 fb3ff800000000000000",
		"a2f600f700",           "a28101009f01ff00",    "a3 0100 0200 0100",
		"a2a1010200a118010200",
	};
	for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++)
		CU_ASSERT_TRUE(refuses(read_hex(twice[i]), normal));
	CU_ASSERT_TRUE(normal(read_hex("a4 0100 6131 00 413100 f93c00 00"), &e)); /* 1, "1", h'31', 1.0 */
}

static bool nested(unsigned levels, uint8_t head, bool is_open)
{
	buf_reset(&in);
	for (unsigned i = 1; i < levels; i++)
		buf_add_u8(&in, head);
	buf_add_u8(&in, 0);
	for (unsigned i = 1; is_open && i < levels; i++)
		buf_add_u8(&in, 0xff);
	return normal(buf_bytes(&in), &e);
}

static void depth_is_bounded_as_the_reader_bounds_it(void)
{
	CU_ASSERT_TRUE(nested(CBOR_DEPTH_MAX, 0x81, false) && cbor_check(buf_bytes(&in), &e));
	CU_ASSERT_FALSE(nested(CBOR_DEPTH_MAX + 1, 0x81, false) || cbor_check(buf_bytes(&in), &e));
	CU_ASSERT_TRUE(nested(CBOR_DEPTH_MAX, 0x9f, true));
	CU_ASSERT_FALSE(nested(CBOR_DEPTH_MAX + 1, 0x9f, true));
	CU_ASSERT_TRUE(nested(CBOR_DEPTH_MAX, 0xd2, false));
	CU_ASSERT_FALSE(nested(CBOR_DEPTH_MAX + 1, 0xd2, false));
	CU_ASSERT_FALSE(nested(ECERT_COSE_MAX, 0x9f, false));
}

/* Open arrays of 256 items are the one thing that becomes longer. */
static void the_result_is_never_longer_than_its_bound(void)
{
	buf_add_u8(&in, 0x9f);
	for (int i = 0; i < 40; i++) {
		buf_add_u8(&in, 0x9f);
		memset(buf_grow(&in, 256), 0, 256);
		buf_add_u8(&in, 0xff);
	}
	buf_add_u8(&in, 0xff);
	CU_ASSERT_TRUE(cbor_normalise(buf_bytes(&in), &out, &e));
	CU_ASSERT_TRUE(out.len > in.len && out.len <= CBOR_NORMAL_MAX(in.len));
	/* and where there is no room for it, it says so and leaves what was there */
	struct buf small;
	buf_init(&small, in.len);
	CU_ASSERT_FALSE(cbor_normalise(buf_bytes(&in), &small, &e));
	CU_ASSERT_TRUE(e.code == ERR_FULL && small.len == 0);
	buf_clear(&small);
}

/* --- a random item, and the same written as loosely as well-formed CBOR can be --- */

static uint64_t draw(uint64_t below)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (seed >> 33) % below;
}

static uint64_t draw_wide(void)
{
	return (draw(1 << 30) << 34 | draw(1 << 30) << 4) >> draw(64);
}

static void item_draw(struct buf *to, unsigned depth)
{
	static const double reals[] = { 0.5, -0.0, 1e300, 3.4e38, 65504, 1.1, 5.960464477539063e-8, 1e9 };
	static const char *const texts[] = { "", "a", "证照", "\xf0\x9f\x98\x80",
					     "a text that is rather longer than 23" };
	size_t n = draw(draw(8) == 0 ? 300 : 5);
	switch (draw(depth < 5 ? 9 : 6)) {
	case 0: cbor_put_uint(to, draw_wide()); break;
	case 1: cbor_put_int(to, -1 - (int64_t)(draw_wide() >> 1)); break;
	case 2: cbor_put_bytes(to, (struct bytes){ (const uint8_t *)texts[4], draw(30) }); break;
	case 3: cbor_put_text(to, texts[draw(5)]); break;
	case 4: cbor_put_real(to, reals[draw(8)]); break;
	case 5: draw(2) == 0 ? cbor_put_null(to) : cbor_put_bool(to, draw(2) == 0); break;
	case 6:
		cbor_put_tag(to, 2 + draw(100)); /* dates' and times' tags are left out */
		item_draw(to, depth + 1);
		break;
	case 7:
		cbor_put_array(to, n);
		for (size_t i = 0; i < n; i++)
			item_draw(to, depth + 2);
		break;
	default:
		cbor_put_map(to, n);
		for (uint64_t key = draw(3), i = 0; i < n; i++, key += 1 + draw(9)) {
			cbor_put_uint(to, key);
			item_draw(to, depth + 2);
		}
	}
}

static void head_loosen(struct buf *to, unsigned major, uint64_t value)
{
	unsigned least = value < 24 ? 0 : value < 0x100 ? 1 : value < 0x10000 ? 2 : value >> 32 == 0 ? 3 : 4;
	unsigned width = least + (unsigned)draw(5 - least);
	if (width == 0) {
		buf_add_u8(to, (uint8_t)(major << 5 | value));
		return;
	}
	buf_add_u8(to, (uint8_t)(major << 5 | (23 + width)));
	for (int shift = (8 << (width - 1)) - 8; shift >= 0; shift -= 8)
		buf_add_u8(to, (uint8_t)(value >> shift));
}

static void string_loosen(struct buf *to, unsigned major, struct bytes v)
{
	if (draw(2) == 0) {
		head_loosen(to, major, v.len);
		buf_add(to, v.data, v.len);
		return;
	}
	buf_add_u8(to, (uint8_t)(major << 5 | 31));
	while (v.len > 0) {
		size_t len = 1 + draw(v.len);
		while (major == 3 && len < v.len && (v.data[len] & 0xc0) == 0x80)
			len++;
		head_loosen(to, major, len);
		buf_add(to, v.data, len);
		v = (struct bytes){ v.data + len, v.len - len };
	}
	buf_add_u8(to, 0xff);
}

static void real_loosen(struct buf *to, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	buf_add_u8(to, 0xfb);
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_add_u8(to, (uint8_t)(bits >> shift));
}

static void loosen(struct cbor *c, struct buf *to);

static void container_loosen(struct cbor *c, struct buf *to, bool is_map)
{
	struct bytes items_of[600], whole;
	size_t n = 0;
	bool open = draw(2) == 0, ok = is_map ? cbor_get_map(c, 300, &n, &e) : cbor_get_array(c, 300, &n, &e);
	CU_ASSERT_TRUE_FATAL(ok);
	open ? (void)buf_add_u8(to, is_map ? 0xbf : 0x9f) : head_loosen(to, is_map ? 5 : 4, n);
	size_t each = is_map ? 2 : 1;
	for (size_t i = 0; i < n * each; i++)
		CU_ASSERT_TRUE_FATAL(cbor_get_item(c, &items_of[i], &e));
	for (size_t i = n; is_map && i > 1; i--) {
		size_t other = draw(i);
		struct bytes swapped[2];
		memcpy(swapped, &items_of[2 * other], sizeof(swapped));
		memcpy(&items_of[2 * other], &items_of[2 * (i - 1)], sizeof(swapped));
		memcpy(&items_of[2 * (i - 1)], swapped, sizeof(swapped));
	}
	for (size_t i = 0; i < n * each; i++) {
		whole = items_of[i];
		struct cbor inner = cbor_over(whole);
		loosen(&inner, to);
	}
	if (open)
		buf_add_u8(to, 0xff);
}

static void loosen(struct cbor *c, struct buf *to)
{
	enum cbor_type t = CBOR_NULL;
	uint64_t u = 0;
	int64_t i = 0;
	double d = 0;
	bool b, ok = true;
	struct bytes run = { NULL, 0 };
	CU_ASSERT_TRUE_FATAL(cbor_peek(c, &t));
	switch (t) {
	case CBOR_UINT: ok = cbor_get_uint(c, &u, &e), head_loosen(to, 0, u); break;
	case CBOR_NINT: ok = cbor_get_int(c, &i, &e), head_loosen(to, 1, (uint64_t)(-1 - i)); break;
	case CBOR_BYTES: ok = cbor_get_bytes(c, &run, &e), string_loosen(to, 2, run); break;
	case CBOR_TEXT: ok = cbor_get_text(c, &run, &e), string_loosen(to, 3, run); break;
	case CBOR_ARRAY:
	case CBOR_MAP: container_loosen(c, to, t == CBOR_MAP); break;
	case CBOR_TAG:
		ok = cbor_get_tag(c, &u, &e), head_loosen(to, 6, u);
		loosen(c, to);
		break;
	case CBOR_BOOL: ok = cbor_get_bool(c, &b, &e), buf_add_u8(to, b ? 0xf5 : 0xf4); break;
	case CBOR_NULL: ok = cbor_get_null(c, &e), buf_add_u8(to, draw(2) == 0 ? 0xf6 : 0xf7); break;
	case CBOR_REAL: ok = cbor_get_real(c, &d, &e), real_loosen(to, d); break;
	}
	CU_ASSERT_TRUE_FATAL(ok);
}

static void however_loosely_an_item_is_written_it_comes_back(void)
{
	struct buf strict;
	size_t longer = 0;
	buf_init(&strict, ROOM);
	for (int round = 0; round < 2000; round++) {
		buf_reset(&strict);
		buf_reset(&in);
		buf_reset(&out);
		item_draw(&strict, 1);
		CU_ASSERT_TRUE_FATAL(!strict.failed && cbor_check(buf_bytes(&strict), &e));
		struct cbor c = cbor_over(buf_bytes(&strict));
		loosen(&c, &in);
		CU_ASSERT_TRUE(cbor_normalise(buf_bytes(&in), &out, &e));
		CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), buf_bytes(&strict)));
		longer += in.len > strict.len;
	}
	CU_ASSERT_TRUE(longer > 500); /* the loose forms were indeed others */
	buf_clear(&strict);
}

static CU_TestInfo tests[] = {
	{ "each item has one form", each_item_has_one_form },
	{ "every item cut short, or with a byte behind it, is refused",
	  every_item_cut_short_or_with_a_byte_behind_is_refused },
	{ "what has no meaning, or two, is refused", what_has_no_meaning_or_two_is_refused },
	{ "a key is in a map once, however it is written", a_key_is_in_a_map_once_however_it_is_written },
	{ "depth is bounded as the reader bounds it", depth_is_bounded_as_the_reader_bounds_it },
	{ "the result is never longer than its bound", the_result_is_never_longer_than_its_bound },
	{ "however loosely an item is written, it comes back", however_loosely_an_item_is_written_it_comes_back },
	CU_TEST_INFO_NULL,
};
SUITE(cbor_normal, setup, teardown, tests);
