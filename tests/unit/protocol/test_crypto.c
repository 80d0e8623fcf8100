#include "protocol/crypto.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static struct err e;
static struct buf out, plain;

static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&out, 1 << 16);
	buf_init(&plain, 1 << 16);
}

static void teardown(void)
{
	buf_clear(&out);
	buf_clear(&plain);
}

static void check_hex(const uint8_t *got, size_t len, const char *want)
{
	char hex[2 * 64 + 1];
	hex_encode(got, len, hex);
	CU_ASSERT_STRING_EQUAL(hex, want);
}

static void hashes_give_the_published_values(void)
{
	uint8_t h[HASH_LEN], okm[42], ikm[22];
	sha256(bytes_of("abc"), h); /* FIPS 180-4 */
	check_hex(h, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hmac_sha256(bytes_of("Jefe"), bytes_of("what do ya want for nothing?"), h); /* RFC 4231, case 2 */
	check_hex(h, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	struct hmac_key k;
	hmac_key_init(&k, bytes_of("passwd"));
	pbkdf2_block(&k, bytes_of("salt"), 1, h); /* RFC 7914, section 11 */
	check_hex(h, 32, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
	hmac_key_init(&k, bytes_of("password"));
	pbkdf2_block(&k, bytes_of("salt"), 4096, h);
	check_hex(h, 32, "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a");
	memset(ikm, 0x0b, sizeof(ikm)); /* RFC 5869, case 1 */
	hkdf_sha256((struct bytes){ ikm, 22 },
		    (struct bytes){ (const uint8_t *)"\0\1\2\3\4\5\6\7\10\11\12\13\14", 13 },
		    bytes_of("\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9"), okm, sizeof(okm));
	check_hex(okm, 42, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

static void a_long_hmac_key_is_hashed_first(void)
{
	uint8_t key[131], h[HASH_LEN]; /* RFC 4231, case 6 */
	memset(key, 0xaa, sizeof(key));
	hmac_sha256((struct bytes){ key, sizeof(key) },
		    bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"), h);
	check_hex(h, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void a_signature_holds_for_its_data_and_key_alone(void)
{
	uint8_t scalar[SCALAR_LEN], point[POINT_LEN], other[POINT_LEN], s[SIGNATURE_LEN];
	key_new(&random_system, scalar, other);
	key_new(&random_system, scalar, point);
	CU_ASSERT_TRUE(sign_es256(scalar, &random_system, bytes_of("data"), s, &e));
	CU_ASSERT_TRUE(verify_es256(point, bytes_of("data"), s, &e));
	CU_ASSERT_FALSE(verify_es256(point, bytes_of("date"), s, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_FALSE(verify_es256(other, bytes_of("data"), s, &e));
	for (size_t i = 0; i < SIGNATURE_LEN; i += 7) {
		s[i] ^= 1;
		CU_ASSERT_FALSE(verify_es256(point, bytes_of("data"), s, NULL));
		s[i] ^= 1;
	}
	memset(s, 0, sizeof(s));
	CU_ASSERT_FALSE(verify_es256(point, bytes_of("data"), s, NULL));
	point[40] ^= 1;
	CU_ASSERT_FALSE(verify_es256(point, bytes_of("data"), s, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
}

static void what_is_sealed_opens_with_its_key_and_context_alone(void)
{
	uint8_t key[32] = { 1 };
	CU_ASSERT_TRUE(aead_seal(key, &random_system, bytes_of("ctx"), bytes_of("secret"), &out, &e));
	CU_ASSERT_EQUAL(out.len, 6 + AEAD_OVERHEAD);
	CU_ASSERT_TRUE(aead_open(key, bytes_of("ctx"), buf_bytes(&out), &plain, &e));
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&plain), bytes_of("secret")));
	buf_reset(&plain);
	CU_ASSERT_FALSE(aead_open(key, bytes_of("ctY"), buf_bytes(&out), &plain, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_EQUAL(plain.len, 0);
	for (size_t n = 0; n < out.len; n++)
		CU_ASSERT_FALSE(aead_open(key, bytes_of("ctx"), (struct bytes){ out.data, n }, &plain, NULL));
}

static void what_is_sealed_to_a_receiver_opens_for_no_one_else(void)
{
	uint8_t scalar[SCALAR_LEN], point[POINT_LEN], scalar2[SCALAR_LEN], point2[POINT_LEN];
	key_new(&random_system, scalar, point);
	key_new(&random_system, scalar2, point2);
	CU_ASSERT_TRUE(seal_to(point, &random_system, bytes_of("ctx"), bytes_of("epoch key"), &out, &e));
	CU_ASSERT_EQUAL(out.len, 9 + SEAL_OVERHEAD);
	CU_ASSERT_TRUE(seal_open(scalar, point, bytes_of("ctx"), buf_bytes(&out), &plain, &e));
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&plain), bytes_of("epoch key")));
	CU_ASSERT_FALSE(seal_open(scalar2, point2, bytes_of("ctx"), buf_bytes(&out), &plain, NULL));
	CU_ASSERT_FALSE(seal_open(scalar, point, bytes_of("other"), buf_bytes(&out), &plain, NULL));
	for (size_t n = 0; n < out.len; n++)
		CU_ASSERT_FALSE(
			seal_open(scalar, point, bytes_of("ctx"), (struct bytes){ out.data, n }, &plain, NULL));
}

static void hex_takes_exactly_its_length_in_lower_case(void)
{
	uint8_t b[2];
	CU_ASSERT_TRUE(hex_decode("0aff", b, 2));
	CU_ASSERT_EQUAL(b[1], 0xff);
	CU_ASSERT_FALSE(hex_decode("0aF", b, 2));
	CU_ASSERT_FALSE(hex_decode("0aFF", b, 2));
	CU_ASSERT_FALSE(hex_decode("0aff0", b, 2));
}

static CU_TestInfo tests[] = {
	{ "hashes give the published values", hashes_give_the_published_values },
	{ "a long HMAC key is hashed first", a_long_hmac_key_is_hashed_first },
	{ "a signature holds for its data and key alone", a_signature_holds_for_its_data_and_key_alone },
	{ "what is sealed opens with its key and context alone",
	  what_is_sealed_opens_with_its_key_and_context_alone },
	{ "what is sealed to a receiver opens for no one else", what_is_sealed_to_a_receiver_opens_for_no_one_else },
	{ "hex takes exactly its length in lower case", hex_takes_exactly_its_length_in_lower_case },
	CU_TEST_INFO_NULL,
};

SUITE(crypto, setup, teardown, tests);
