#include "protocol/cose.h"
#include "protocol/base/file.h"
#include "protocol/base/json.h"
#include "protocol/base/limits.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT "xb/1/test"

static struct err e;
static struct buf out;
static uint8_t scalar[SCALAR_LEN], point[POINT_LEN];
static uint64_t seed;
static struct random seeded;

static void setup(void)
{
	e = (struct err){ 0 };
	seed = 1;
	seeded = random_seeded(&seed);
	key_new(&seeded, scalar, point);
	buf_init(&out, 2 * COSE_MAX);
}

static void teardown(void)
{
	buf_clear(&out);
}

static void what_was_signed_verifies_under_its_key_and_context(void)
{
	struct cose c;
	uint8_t kid[COSE_KID_LEN], other_scalar[SCALAR_LEN], other[POINT_LEN];
	key_new(&seeded, other_scalar, other);
	CU_ASSERT_TRUE_FATAL(cose_sign(scalar, point, &seeded, CONTEXT, bytes_of("payload"), &out, &e));
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE_FATAL(cose_parse(buf_bytes(&out), &c, &e));
	cose_kid(point, kid);
	CU_ASSERT_EQUAL(memcmp(kid, c.kid, COSE_KID_LEN), 0);
	CU_ASSERT_TRUE(bytes_equal(c.payload, bytes_of("payload")));
	CU_ASSERT_TRUE(cose_verify(&c, point, CONTEXT, &e));
	CU_ASSERT_FALSE(cose_verify(&c, point, "xb/1/head", &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_FALSE(cose_verify(&c, other, CONTEXT, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
}

static void no_flipped_bit_survives(void)
{
	CU_ASSERT_TRUE_FATAL(cose_sign(scalar, point, &seeded, CONTEXT, bytes_of("p"), &out, &e));
	for (size_t bit = 0; bit < 8 * out.len; bit += 3) {
		struct cose c;
		out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_FALSE(cose_parse(buf_bytes(&out), &c, NULL) && cose_verify(&c, point, CONTEXT, NULL));
		out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static bool parse(struct bytes data, struct err *why)
{
	struct cose c;
	return cose_parse(data, &c, why);
}

static void a_message_cut_anywhere_is_refused(void)
{
	CU_ASSERT_TRUE_FATAL(cose_sign(scalar, point, &seeded, CONTEXT, bytes_of("payload"), &out, &e));
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), parse));
}

/* The parts of a message, each as CBOR in hex; what a test does not say is as it should be. */
struct parts {
	const char *tag, *header, *unprotected, *payload, *signature;
};

static bool parts_refused(struct parts p)
{
	static const char good_header[] = "4d a2 01 26 04 48 0102030405060708",
			  zeros[] = "00000000000000000000000000000000";
	buf_reset(&out);
	hex_read(bytes_of(p.tag != NULL ? p.tag : "d2 84"), &out);
	hex_read(bytes_of(p.header != NULL ? p.header : good_header), &out);
	hex_read(bytes_of(p.unprotected != NULL ? p.unprotected : "a0"), &out);
	hex_read(bytes_of(p.payload != NULL ? p.payload : "41 00"), &out);
	hex_read(bytes_of(p.signature != NULL ? p.signature : "5840"), &out);
	for (int i = 0; p.signature == NULL && i < 4; i++)
		hex_read(bytes_of(zeros), &out);
	return refuses(buf_bytes(&out), parse);
}

static void anything_but_the_profile_is_refused(void)
{
	CU_ASSERT_FALSE(parts_refused((struct parts){ 0 }));
	CU_ASSERT_TRUE(parts_refused((struct parts){ .tag = "84" }));    /* untagged */
	CU_ASSERT_TRUE(parts_refused((struct parts){ .tag = "d1 84" })); /* COSE_Mac0 */
	CU_ASSERT_TRUE(parts_refused((struct parts){ .tag = "d8 12 84" }));
	CU_ASSERT_TRUE(parts_refused((struct parts){ .tag = "d2 85" }));
	CU_ASSERT_TRUE(parts_refused((struct parts){ .tag = "d2 9f" }));
	CU_ASSERT_TRUE(parts_refused((struct parts){ .unprotected = "a1 04 41 31" }));
	CU_ASSERT_TRUE(parts_refused((struct parts){ .payload = "f6" })); /* detached */
	CU_ASSERT_TRUE(parts_refused((struct parts){ .payload = "61 61" }));
	CU_ASSERT_TRUE(parts_refused((struct parts){ .signature = "40" }));
	CU_ASSERT_TRUE(parts_refused((struct parts){ .signature = "583f 00" }));
}

static void the_protected_header_holds_alg_and_kid_and_nothing_else(void)
{
	static const char *const bad[] = {
		"40",                                       /* empty */
		"43 a1 01 26",                              /* no kid */
		"4b a1 04 48 0102030405060708",             /* no alg */
		"4d a2 01 27 04 48 0102030405060708",       /* EdDSA */
		"4e a2 01 38 22 04 48 0102030405060708",    /* ES384 */
		"4d a2 04 48 0102030405060708 01 26",       /* order */
		"4c a2 01 26 04 47 01020304050607",         /* a short kid */
		"4f a3 01 26 03 00 04 48 0102030405060708", /* a content type */
		"4e a2 01 26 04 48 0102030405060708 00",    /* bytes behind */
		"a2 01 26 04 48 0102030405060708",          /* not wrapped */
		"4d a2 01 06 04 48 0102030405060708",       /* 6 in place of -7 */
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_TRUE(parts_refused((struct parts){ .header = bad[i] }));
}

static void a_message_above_its_maximum_is_refused(void)
{
	memset(buf_grow(&out, COSE_MAX + 1), 0, COSE_MAX + 1);
	CU_ASSERT_FALSE(parse(buf_bytes(&out), &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
}

/* The public examples */

/* The message to out. */
static bool example_read(const char *name)
{
	char file[64];
	struct buf whole;
	const char *hex = NULL;
	snprintf(file, sizeof(file), "cose/%s.json", name);
	const char *path = test_vectors(file);
	if (path == NULL)
		return false;
	buf_init(&whole, 1 << 20);
	CU_ASSERT_TRUE_FATAL(file_read(path, &whole, &e));
	struct json *j = json_parse(buf_bytes(&whole), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(j);
	CU_ASSERT_TRUE_FATAL(json_text(json_get(j, "output"), "cbor", 65536, &hex, &e));
	buf_reset(&out);
	hex_read(bytes_of(hex), &out);
	json_free(j);
	buf_clear(&whole);
	return true;
}

/* They put the kid into the unprotected header, or use another algorithm, tag or header. */
static void the_public_examples_are_outside_our_profile(void)
{
	static const char *const names[] = { "ecdsa-sig-01", "ecdsa-sig-02", "ecdsa-sig-03", "ecdsa-sig-04",
					     "eddsa-sig-01", "eddsa-sig-02", "sign-pass-01", "sign-pass-02",
					     "sign-pass-03", "sign-fail-01", "sign-fail-02", "sign-fail-03",
					     "sign-fail-04", "sign-fail-06", "sign-fail-07" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!example_read(names[i]))
			return;
		CU_ASSERT_TRUE(refuses(buf_bytes(&out), parse));
	}
}

static CU_TestInfo tests[] = {
	{ "what was signed verifies under its key and context", what_was_signed_verifies_under_its_key_and_context },
	{ "no flipped bit survives", no_flipped_bit_survives },
	{ "a message cut anywhere is refused", a_message_cut_anywhere_is_refused },
	{ "anything but the profile is refused", anything_but_the_profile_is_refused },
	{ "the protected header holds alg and kid and nothing else",
	  the_protected_header_holds_alg_and_kid_and_nothing_else },
	{ "a message above its maximum is refused", a_message_above_its_maximum_is_refused },
	{ "the public examples are outside our profile", the_public_examples_are_outside_our_profile },
	CU_TEST_INFO_NULL,
};

SUITE(cose, setup, teardown, tests);
