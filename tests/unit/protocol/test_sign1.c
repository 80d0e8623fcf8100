#include "protocol/sign1.h"

#include "protocol/base/file.h"
#include "protocol/base/json.h"
#include "protocol/base/limits.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct err e;
static struct buf message, memory;
static uint8_t scalar[SCALAR_LEN], point[POINT_LEN];
static struct public_key *key;
static uint64_t seed;
static struct random seeded;
static const struct bytes kid = { (const uint8_t *)"keynum01", 8 }, none = { NULL, 0 };

static void setup(void)
{
	e = (struct err){ 0 };
	seed = 7;
	seeded = random_seeded(&seed);
	key_new(&seeded, scalar, point);
	buf_init(&message, 1 << 16);
	buf_init(&memory, 1 << 16);
	key = public_key_of_point(point, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(key);
}

static void teardown(void)
{
	public_key_free(key);
	buf_clear(&message);
	buf_clear(&memory);
}

static bool parse_strict(struct bytes data, struct err *why)
{
	struct sign1 s;
	return sign1_parse(data, SIGN1_STRICT, &memory, &s, why);
}

static bool parse_foreign(struct bytes data, struct err *why)
{
	struct sign1 s;
	return sign1_parse(data, SIGN1_FOREIGN, &memory, &s, why);
}

static void what_was_signed_verifies_in_either_form(void)
{
	struct sign1 s;
	CU_ASSERT_TRUE_FATAL(sign1_sign(scalar, kid, &seeded, none, bytes_of("claims"), &message, &e));
	for (enum sign1_form form = SIGN1_STRICT; form <= SIGN1_FOREIGN; form++) {
		CU_ASSERT_TRUE_FATAL(sign1_parse(buf_bytes(&message), form, &memory, &s, &e));
		CU_ASSERT_TRUE(s.has_alg && s.alg == ALG_ES256 && !s.has_outer_alg);
		CU_ASSERT_TRUE(bytes_equal(s.kid, kid) && bytes_equal(s.payload, bytes_of("claims")));
		CU_ASSERT_TRUE(sign1_verify(&s, key, none, &e));
		CU_ASSERT_FALSE(sign1_verify(&s, key, bytes_of("other"), &e));
		CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	}
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&message), parse_strict));
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&message), parse_foreign));
}

static void no_flipped_bit_survives(void)
{
	CU_ASSERT_TRUE_FATAL(sign1_sign(scalar, kid, &seeded, none, bytes_of("p"), &message, &e));
	for (size_t bit = 0; bit < 8 * message.len; bit += 3) {
		struct sign1 s;
		message.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		/* a kid in another place, or another tag, is not signed and not believed either: it only finds the key */
		bool same = sign1_parse(buf_bytes(&message), SIGN1_STRICT, &memory, &s, NULL) &&
			    sign1_verify(&s, key, none, NULL);
		CU_ASSERT_FALSE(same);
		message.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* A message of the parts given in hex, with a payload and a signature of no importance. */
static struct bytes made(const char *tags, const char *header, const char *outer)
{
	buf_reset(&message);
	hex_read(bytes_of(tags), &message);
	hex_read(bytes_of("84"), &message);
	hex_read(bytes_of(header), &message);
	hex_read(bytes_of(outer), &message);
	hex_read(bytes_of("41 05 42 0102"), &message);
	return buf_bytes(&message);
}

static void the_algorithm_is_the_protected_headers_alone(void)
{
	struct sign1 s;
	CU_ASSERT_TRUE_FATAL(sign1_parse(made("d2", "40", "a1 01 26"), SIGN1_FOREIGN, &memory, &s, &e));
	CU_ASSERT_FALSE(s.has_alg);
	CU_ASSERT_TRUE(s.has_outer_alg && s.outer_alg == ALG_ES256);
	CU_ASSERT_TRUE_FATAL(sign1_parse(made("d2", "44 a1 01 3824", "a1 01 26"), SIGN1_FOREIGN, &memory, &s, &e));
	CU_ASSERT_TRUE(s.has_alg && s.alg == ALG_PS256 && s.outer_alg == ALG_ES256);
	CU_ASSERT_TRUE_FATAL(sign1_parse(made("d2", "46 a1 01 63 616263", "a0"), SIGN1_FOREIGN, &memory, &s, &e));
	CU_ASSERT_TRUE(s.has_alg && s.alg == 0);
}

static void the_protected_kid_goes_before_the_other(void)
{
	struct sign1 s;
	CU_ASSERT_TRUE_FATAL(
		sign1_parse(made("", "47 a2 01 26 04 42 0102", "a1 04 42 0304"), SIGN1_FOREIGN, &memory, &s, &e));
	CU_ASSERT_TRUE(s.kid.len == 2 && memcmp(s.kid.data, "\x01\x02", 2) == 0);
	CU_ASSERT_TRUE_FATAL(sign1_parse(made("", "43 a1 01 26", "a1 04 42 0304"), SIGN1_FOREIGN, &memory, &s, &e));
	CU_ASSERT_TRUE(s.kid.len == 2 && memcmp(s.kid.data, "\x03\x04", 2) == 0);
	CU_ASSERT_TRUE_FATAL(sign1_parse(made("", "43 a1 01 26", "a0"), SIGN1_FOREIGN, &memory, &s, &e));
	CU_ASSERT_PTR_NULL(s.kid.data);
}

static void a_critical_header_that_is_not_known_refuses(void)
{
	CU_ASSERT_TRUE(refuses(made("d2", "4a a3 01 26 02 81 1863 1863 00", "a0"), parse_foreign));
	CU_ASSERT_TRUE(parse_foreign(made("d2", "46 a2 01 26 02 81 01", "a0"), &e));
	CU_ASSERT_TRUE(refuses(made("d2", "45 a2 01 26 02 80", "a0"), parse_foreign)); /* an empty list */
	CU_ASSERT_TRUE(refuses(made("d2", "43 a1 01 26", "a1 02 81 01"), parse_foreign));
}

static void a_header_has_no_label_twice_and_only_known_tags_stand_before_it(void)
{
	static const char *const bad_tags[] = { "d2 d2", "d2 d8 3d", "d8 3d d8 3d d2", "d9 03e6", "d1" };
	CU_ASSERT_TRUE(refuses(made("d2", "45 a2 01 26 01 26", "a0"), parse_foreign));
	CU_ASSERT_TRUE(refuses(made("d2", "43 a1 01 26", "a2 04 41 01 04 41 02"), parse_foreign));
	CU_ASSERT_TRUE(parse_foreign(made("d8 3d d2", "43 a1 01 26", "a0"), &e));
	CU_ASSERT_TRUE(parse_foreign(made("d8 3d", "43 a1 01 26", "a0"), &e));
	for (size_t i = 0; i < sizeof(bad_tags) / sizeof(bad_tags[0]); i++)
		CU_ASSERT_TRUE(refuses(made(bad_tags[i], "43 a1 01 26", "a0"), parse_foreign));
}

static void foreign_lengths_may_be_open_and_keys_in_any_order(void)
{
	struct sign1 s;
	buf_reset(&message);
	/* an open array, an open header, a payload in two pieces */
	hex_read(bytes_of("d2 9f 48 bf 04 41 07 01 26 ff 00"), &message);
	message.data[2] = 0x47;
	message.len--;
	hex_read(bytes_of("bf ff 5f 41 61 42 6263 ff 41 00 ff"), &message);
	CU_ASSERT_TRUE_FATAL(sign1_parse(buf_bytes(&message), SIGN1_FOREIGN, &memory, &s, &e));
	CU_ASSERT_TRUE(s.alg == ALG_ES256 && s.kid.len == 1 && s.kid.data[0] == 7);
	CU_ASSERT_TRUE(bytes_equal(s.payload, bytes_of("abc")));
	CU_ASSERT_TRUE(refuses(buf_bytes(&message), parse_strict));
}

static void a_foreign_message_above_its_maximum_is_refused(void)
{
	memset(buf_grow(&message, ECERT_COSE_MAX + 1), 0, ECERT_COSE_MAX + 1);
	CU_ASSERT_FALSE(parse_foreign(buf_bytes(&message), &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
}

/* A header of open arrays, which become longer, beside a message that fills its memory: what is borrowed must not move. */
static void a_header_that_grows_moves_nothing(void)
{
	struct sign1 s;
	size_t start, end;
	buf_reset(&message);
	hex_read(bytes_of("d2 84 59 0000 bf 01 26 04 42 0102"), &message);
	start = 5;
	for (unsigned label = 0; label < 30; label++) {
		buf_add_u8(&message, 0x18);
		buf_add_u8(&message, (uint8_t)(100 + label));
		buf_add_u8(&message, 0x9f);
		memset(buf_grow(&message, 256), 0, 256);
		buf_add_u8(&message, 0xff);
	}
	hex_read(bytes_of("18c8 59 0180"),
		 &message); /* up to 8,190 bytes in all, so that twice that is just below a power of two */
	size_t rest = 8190 - message.len - 1 - 6;
	message.data[message.len - 2] = (uint8_t)(rest >> 8);
	message.data[message.len - 1] = (uint8_t)rest;
	memset(buf_grow(&message, rest), 0, rest);
	buf_add_u8(&message, 0xff);
	end = message.len;
	message.data[3] = (uint8_t)((end - start) >> 8);
	message.data[4] = (uint8_t)(end - start);
	hex_read(bytes_of("a0 41 05 42 0102"), &message);
	CU_ASSERT_EQUAL(message.len, 8190);
	CU_ASSERT_TRUE_FATAL(sign1_parse(buf_bytes(&message), SIGN1_FOREIGN, &memory, &s, &e));
	CU_ASSERT_TRUE(s.payload.len == 1 && s.payload.data[0] == 5 && s.kid.len == 2 && s.kid.data[0] == 1);
	CU_ASSERT_TRUE(bytes_equal(s.protected_header, (struct bytes){ message.data + start, end - start }));
	CU_ASSERT_TRUE(s.protected_header.data >= memory.data && s.protected_header.data < memory.data + memory.cap);
}

/* --- the COSE working group's examples --- */

enum expected { VERIFIES, FAILS, NO_MESSAGE, OTHER_ALG };
static const struct {
	const char *file;
	enum expected expected;
	const char *alg; /* what it is refused by */
} examples[] = {
	{ "ecdsa-sig-01", VERIFIES, "" },
	{ "ecdsa-sig-02", OTHER_ALG, "ES384" },
	{ "ecdsa-sig-03", OTHER_ALG, "ES512" },
	{ "ecdsa-sig-04", OTHER_ALG, "ES512" },
	{ "eddsa-sig-01", OTHER_ALG, "EdDSA" },
	{ "eddsa-sig-02", OTHER_ALG, "EdDSA" },
	{ "sign-fail-01", NO_MESSAGE, "" }, /* tag 998 */
	{ "sign-fail-02", FAILS, "" },
	{ "sign-fail-03", OTHER_ALG, "unknown algorithm" }, /* -999 */
	{ "sign-fail-04", OTHER_ALG, "unknown algorithm" }, /* a text */
	{ "sign-fail-06", FAILS, "" },
	{ "sign-fail-07", FAILS, "" },
	{ "sign-pass-01", VERIFIES,
	  "" }, /* with the algorithm unprotected: the signature holds, verify refuses it all the same */
	{ "sign-pass-02", VERIFIES, "" }, /* external data */
	{ "sign-pass-03", VERIFIES, "" }, /* no tag */
};

static void base64url_read(const char *text, uint8_t *to, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	size_t at = 0;
	for (size_t i = 0; text[i] != '\0' && at < len; i++) {
		const char *d = strchr(digits, text[i]);
		bits = bits << 6 | (uint32_t)(d != NULL ? d - digits : 0);
		if (i % 4 != 0)
			to[at++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
}

static const char *member(const struct json *j, const char *name)
{
	const char *v = NULL;
	return json_text_opt(j, name, 65536, &v, NULL) && v != NULL ? v : "";
}

/* The message, its external data behind it in aad, and its key when that is of P-256. */
static bool example_read(const char *name, struct buf *aad, struct public_key **its, bool *fails)
{
	char file[64];
	struct buf whole;
	uint8_t at[POINT_LEN] = { 4 };
	snprintf(file, sizeof(file), "cose/%s.json", name);
	const char *path = test_vectors(file);
	if (path == NULL)
		return false;
	buf_init(&whole, 1 << 20);
	CU_ASSERT_TRUE_FATAL(file_read(path, &whole, &e));
	struct json *j = json_parse(buf_bytes(&whole), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(j);
	const struct json *sign = json_get(json_get(j, "input"), "sign0"), *jwk = json_get(sign, "key");
	*fails = json_get(j, "fail") != NULL;
	*its = NULL;
	if (strcmp(member(jwk, "crv"), "P-256") == 0) {
		base64url_read(member(jwk, "x"), at + 1, 32);
		base64url_read(member(jwk, "y"), at + 33, 32);
		*its = public_key_of_point(at, &e);
		CU_ASSERT_PTR_NOT_NULL(*its);
	}
	buf_reset(&message);
	buf_reset(aad);
	hex_read(bytes_of(member(json_get(j, "output"), "cbor")), &message);
	hex_read(bytes_of(member(sign, "external")), aad);
	json_free(j);
	buf_clear(&whole);
	return true;
}

static enum expected example_run(const struct buf *aad, struct public_key *its, const char **alg)
{
	struct sign1 s;
	*alg = "";
	if (!sign1_parse(buf_bytes(&message), SIGN1_FOREIGN, &memory, &s, &e))
		return NO_MESSAGE;
	int64_t said = s.has_alg ? s.alg : s.outer_alg;
	if (said != ALG_ES256) {
		*alg = alg_name(said);
		return OTHER_ALG;
	}
	if (its == NULL)
		return OTHER_ALG;
	return sign1_verify(&s, its, buf_bytes(aad), &e) ? VERIFIES : FAILS;
}

static void the_public_examples_come_out_as_published(void)
{
	struct buf aad;
	buf_init(&aad, 1024);
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		struct public_key *its;
		const char *alg;
		bool fails;
		if (!example_read(examples[i].file, &aad, &its, &fails))
			break;
		enum expected got = example_run(&aad, its, &alg);
		CU_ASSERT_EQUAL(got, examples[i].expected);
		CU_ASSERT_STRING_EQUAL(alg, examples[i].alg);
		/* What is published as good is never taken for bad, nor the other way round. */
		CU_ASSERT_TRUE(got == OTHER_ALG || (got == VERIFIES) == !fails);
		if (got != examples[i].expected)
			printf(" [%s: %s] ", examples[i].file, e.text);
		public_key_free(its);
	}
	buf_clear(&aad);
}

static CU_TestInfo tests[] = {
	{ "what was signed verifies in either form", what_was_signed_verifies_in_either_form },
	{ "no flipped bit survives", no_flipped_bit_survives },
	{ "the algorithm is the protected header's alone", the_algorithm_is_the_protected_headers_alone },
	{ "the protected kid goes before the other", the_protected_kid_goes_before_the_other },
	{ "a critical header that is not known refuses", a_critical_header_that_is_not_known_refuses },
	{ "a header has no label twice, and only known tags stand before it",
	  a_header_has_no_label_twice_and_only_known_tags_stand_before_it },
	{ "foreign lengths may be open and keys in any order", foreign_lengths_may_be_open_and_keys_in_any_order },
	{ "a foreign message above its maximum is refused", a_foreign_message_above_its_maximum_is_refused },
	{ "a header that grows moves nothing", a_header_that_grows_moves_nothing },
	{ "the public examples come out as published", the_public_examples_come_out_as_published },
	CU_TEST_INFO_NULL,
};
SUITE(sign1, setup, teardown, tests);
