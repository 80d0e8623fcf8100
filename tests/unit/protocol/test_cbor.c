#include "protocol/cbor.h"
#include "protocol/base/limits.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <math.h>
#include <stdint.h>
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

static void check_out(const char *want, size_t len)
{
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), (struct bytes){ (const uint8_t *)want, len }));
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	buf_reset(&out);
}
#define CHECK_OUT(want) check_out(want, sizeof(want) - 1)

/* RFC 8949, appendix A */
static void items_are_written_as_the_standard_shows(void)
{
	cbor_put_uint(&out, 23);
	CHECK_OUT("\x17");
	cbor_put_uint(&out, 24);
	CHECK_OUT("\x18\x18");
	cbor_put_uint(&out, 1000000000000U);
	CHECK_OUT("\x1b\x00\x00\x00\xe8\xd4\xa5\x10\x00");
	cbor_put_int(&out, -1000);
	CHECK_OUT("\x39\x03\xe7");
	cbor_put_text(&out, "IETF");
	CHECK_OUT("\x64IETF");
	cbor_put_bytes(&out, bytes_of("\1\2\3\4"));
	CHECK_OUT("\x44\1\2\3\4");
	cbor_put_real(&out, 1.5);
	CHECK_OUT("\xf9\x3e\x00");
	cbor_put_real(&out, 65504.0);
	CHECK_OUT("\xf9\x7b\xff");
	cbor_put_real(&out, 100000.0);
	CHECK_OUT("\xfa\x47\xc3\x50\x00");
	cbor_put_real(&out, 1.1);
	CHECK_OUT("\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a");
	cbor_put_real(&out, 5.960464477539063e-8);
	CHECK_OUT("\xf9\x00\x01");
	cbor_put_real(&out, 0.00006103515625);
	CHECK_OUT("\xf9\x04\x00");
	cbor_put_real(&out, -4.0);
	CHECK_OUT("\xf9\xc4\x00");
	cbor_put_real(&out, (double)INFINITY);
	CHECK_OUT("\xf9\x7c\x00");
	cbor_put_real(&out, (double)NAN);
	CHECK_OUT("\xf9\x7e\x00");
	cbor_put_map(&out, 2);
	cbor_put_text(&out, "a");
	cbor_put_bool(&out, true);
	cbor_put_text(&out, "b");
	cbor_put_array(&out, 1);
	cbor_put_null(&out);
	CHECK_OUT("\xa2\x61"
		  "a\xf5\x61"
		  "b\x81\xf6");
}

static void every_half_and_its_neighbours_come_back_as_they_went(void)
{
	for (unsigned h = 0; h < 0x7c00; h++) {
		uint8_t bytes[3] = { 0xf9, (uint8_t)(h >> 8), (uint8_t)h };
		struct cbor c = cbor_over((struct bytes){ bytes, 3 });
		double v = -1, back = 0;
		CU_ASSERT_TRUE(cbor_get_real(&c, &v, &e));
		float up = nextafterf((float)v, INFINITY);
		buf_reset(&out);
		cbor_put_real(&out, (double)up);
		c = cbor_over(buf_bytes(&out));
		if (out.len != 5 || !cbor_get_real(&c, &back, &e) || back != (double)up)
			CU_FAIL("a float between halves was lost");
	}
}

static bool refused(const char *data, size_t len)
{
	return !cbor_check((struct bytes){ (const uint8_t *)data, len }, &e) && e.code == ERR_INPUT;
}
#define REFUSED(data) refused(data, sizeof(data) - 1)

static void everything_but_the_deterministic_form_is_refused(void)
{
	CU_ASSERT_TRUE(REFUSED(""));
	CU_ASSERT_TRUE(REFUSED("\x18\x17"));             /* 23 in two bytes */
	CU_ASSERT_TRUE(REFUSED("\x19\x00\xff"));         /* 255 in three */
	CU_ASSERT_TRUE(REFUSED("\x1a\x00\x00\xff\xff")); /* 65535 in five */
	CU_ASSERT_TRUE(REFUSED("\x1b\x00\x00\x00\x00\xff\xff\xff\xff"));
	CU_ASSERT_TRUE(REFUSED("\x9f\xff"));             /* indefinite array */
	CU_ASSERT_TRUE(REFUSED("\x5f\x41\x01\xff"));     /* indefinite bytes */
	CU_ASSERT_TRUE(REFUSED("\x1c"));                 /* reserved */
	CU_ASSERT_TRUE(REFUSED("\xf7"));                 /* undefined */
	CU_ASSERT_TRUE(REFUSED("\x00\x00"));             /* something behind */
	CU_ASSERT_TRUE(REFUSED("\xa2\x01\x00\x01\x00")); /* a key twice */
	CU_ASSERT_TRUE(REFUSED("\xa2\x02\x00\x01\x00")); /* keys out of order */
	CU_ASSERT_TRUE(REFUSED("\x62\xc3\x28"));         /* not UTF-8 */
	CU_ASSERT_TRUE(REFUSED("\xfa\x3f\xc0\x00\x00")); /* 1.5 as binary32 */
	CU_ASSERT_TRUE(REFUSED("\xf9\x7e\x01"));         /* another NaN */
	CU_ASSERT_TRUE(REFUSED("\x9b\xff\xff\xff\xff\xff\xff\xff\xff"));
	CU_ASSERT_TRUE(REFUSED("\x5b\xff\xff\xff\xff\xff\xff\xff\xff"));
}

static void nesting_past_the_limit_is_refused(void)
{
	char deep[CBOR_DEPTH_MAX + 1];
	memset(deep, '\x81', sizeof(deep));
	deep[CBOR_DEPTH_MAX - 1] = 0;
	CU_ASSERT_TRUE(cbor_check((struct bytes){ (uint8_t *)deep, CBOR_DEPTH_MAX }, &e));
	deep[CBOR_DEPTH_MAX - 1] = '\x81';
	deep[CBOR_DEPTH_MAX] = 0;
	CU_ASSERT_TRUE(refused(deep, sizeof(deep)));
}

static void a_document_cut_at_any_byte_is_refused(void)
{
	cbor_put_map(&out, 3);
	cbor_put_text(&out, "a");
	cbor_put_real(&out, 1.1);
	cbor_put_text(&out, "b");
	cbor_put_bytes(&out, bytes_of("bytes"));
	cbor_put_text(&out, "c");
	cbor_put_array(&out, 2);
	cbor_put_int(&out, INT64_MIN);
	cbor_put_uint(&out, UINT64_MAX);
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	for (size_t n = 0; n < out.len; n++)
		CU_ASSERT_TRUE(refused((char *)out.data, n));
	struct bytes v;
	CU_ASSERT_TRUE(cbor_find(buf_bytes(&out), "b", &v, &e));
	CU_ASSERT_EQUAL(v.len, 6);
	CU_ASSERT_TRUE(cbor_find(buf_bytes(&out), "x", &v, &e));
	CU_ASSERT_PTR_NULL(v.data);
}

static void a_get_that_fails_does_not_move(void)
{
	struct cbor c = cbor_over(bytes_of("\x42"
					   "ab"));
	uint64_t u = 0;
	struct bytes v;
	uint8_t one[1];
	char s[8];
	CU_ASSERT_FALSE(cbor_get_uint(&c, &u, NULL));
	CU_ASSERT_FALSE(cbor_get_text(&c, &v, NULL));
	CU_ASSERT_FALSE(cbor_get_bytes_exact(&c, one, 1, NULL));
	CU_ASSERT_FALSE(cbor_get_string(&c, s, sizeof(s), NULL));
	CU_ASSERT_FALSE(cbor_expect_key(&c, 1, NULL));
	CU_ASSERT_PTR_EQUAL(c.at, c.start);
	CU_ASSERT_TRUE(cbor_get_bytes(&c, &v, &e));
	CU_ASSERT_TRUE(cbor_end(&c, &e));
}

static struct cbor over_hex(const char *hex)
{
	buf_reset(&out);
	hex_read(bytes_of(hex), &out);
	return cbor_over(buf_bytes(&out));
}

static void what_was_expected_must_come_exactly(void)
{
	uint64_t u = 0;
	int64_t t = 0;
	size_t len = 0;
	struct cbor c = over_hex("a1 01 05");
	CU_ASSERT_FALSE(cbor_expect_map(&c, 0, &e));
	CU_ASSERT_FALSE(cbor_expect_map(&c, 2, &e));
	CU_ASSERT_FALSE(cbor_expect_array(&c, 1, &e));
	CU_ASSERT_TRUE(cbor_expect_map(&c, 1, &e));
	CU_ASSERT_FALSE(cbor_expect_key(&c, 2, &e));
	CU_ASSERT_TRUE(cbor_key_uint(&c, 1, 5, &u, &e));
	CU_ASSERT_EQUAL(u, 5);
	c = over_hex("01 05");
	CU_ASSERT_FALSE(cbor_key_uint(&c, 1, 4, &u, &e));
	c = over_hex("82 01 02");
	CU_ASSERT_FALSE(cbor_expect_array(&c, 1, &e));
	CU_ASSERT_FALSE(cbor_expect_array(&c, 3, &e));
	CU_ASSERT_TRUE(cbor_expect_array(&c, 2, &e));
	c = over_hex("04 82 01 02");
	CU_ASSERT_FALSE(cbor_key_array(&c, 4, 1, &len, &e));
	c = over_hex("1b 0000003afff4417f"); /* TIME_MAX_S */
	CU_ASSERT_TRUE(cbor_get_time(&c, &t, &e));
	CU_ASSERT_EQUAL(t, TIME_MAX_S);
	c = over_hex("1b 0000003afff44180");
	CU_ASSERT_FALSE(cbor_get_time(&c, &t, &e));
	c = over_hex("20");
	CU_ASSERT_FALSE(cbor_get_time(&c, &t, &e));
}

static CU_TestInfo tests[] = {
	{ "items are written as the standard shows", items_are_written_as_the_standard_shows },
	{ "every half and its neighbours come back as they went",
	  every_half_and_its_neighbours_come_back_as_they_went },
	{ "everything but the deterministic form is refused", everything_but_the_deterministic_form_is_refused },
	{ "nesting past the limit is refused", nesting_past_the_limit_is_refused },
	{ "a document cut at any byte is refused", a_document_cut_at_any_byte_is_refused },
	{ "a get that fails does not move", a_get_that_fails_does_not_move },
	{ "what was expected must come exactly", what_was_expected_must_come_exactly },
	CU_TEST_INFO_NULL,
};

SUITE(cbor, setup, teardown, tests);
