#include "protocol/public_key.h"
#include "tests/support/keys.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#define TEXT "signed text"

/* Made once by openssl for these tests; their private keys are thrown away. */

/* "signed text" under it: a salt of 32 bytes, one of 20, and PKCS #1 v1.5 */
static const char pss_hex[] =
	"4ffb6167ff4d5fd2c3d127367d29ffc94e736bf3da43cf047c99b4ac250bc2bcf696f749784e60a3d5998c172a883c9a4079"
	"3fa69bec3e507aab5919a0c8736c41d446f2d9dd9c89a0373f525c2bdfe807766cf6900c54541378da6c7b1daa0024da73b7"
	"c09f8560e6649ca21e7d2d6764112490b367e43ad66023dd7fff1584f5d404c9d3ecf877a9a5895ca377b569d9f81ae89006"
	"66d9f71375935982682eeecf65ac3ab2a139d661e4c609cc682e2403dad1a524b8a5f69cf4538ed97873b038ab190cb0d414"
	"120f679f91f8257a46e1bcc53fdbbf1345122a7bcaf5bc99d2d04253c7a04abbc2b07c7496ed1ffc9a19559b668617ab88e1"
	"a64c14face3e";
static const char pss_salt_20_hex[] =
	"38f11b23ebf2b68d20661ba5321d027fd8da0436006516176c05448264db2b664fa4282d1d0bbb4d12d567ff8adf9c4f3e9d"
	"41d5858020e4cfd5b94c3ca0481d4d1cb6bb251b7287479cc39cfdc0890a3886fa30d850bc16444b103e76d830df4caa17d1"
	"cda558ab622ba0da48d08365c3a21a2c24caaa750304c7702655b6768193efbdee5f164e617950f064d96aa98813060de224"
	"238e77c429cc19e01e4be3657135ae60ea96bc61ab1d584d846c50d857f9ef4fcbb02365c06b76137545f2719b876b95266b"
	"e35c49fb323f4e1b37e04de354ecdff7c2a23cdcb37766acfd7081610bb46934b4ce52f4e09ab35f26cab4664ef4eeb4fa1d"
	"5357fac0c77c";
static const char pkcs1_hex[] =
	"acde8686bab0f0940ffbf39d3810798df37957241416a7463a87daf974e58faab8d297dace646d21a9635897bd8480101ee8"
	"a94d350163ca11e18d241f681570cefca04a64afdf5ff52a6b2f98309cb255edce4073cf5a4f44017e00f082bd44cc75d0c9"
	"747ea3b48a8156d05861b7683dcc3626d3941751036ac0eee4020e14b3413cad6070367ea8fd9d068089719f921b913d2366"
	"77cb7eaad12d56e3c890debabbf189e20f3488efab6bef845309031d0c4a1e88a3a56c2a3948abce44fd68c32408fa838a66"
	"073888f1d851de5b559b05547136709ce90543e9462994e306a12f3f27ab51a04a90b47c8ea594fbce68e54d4a6f6dc47b80"
	"29fc86dde8c1";
/* P-384, and the same text signed, with SHA-256 */
static const char p384_hex[] =
	"3076301006072a8648ce3d020106052b810400220362000484fec5eb65f7e7d88b26462aba03ea3a82f4f92c8d66989660b5"
	"87b880d8b98b6fed37ac2028b59100a06f7fde34c2256de20370917c5c6f86097205a98e8ff8bd213905bc8f094bbf2ec3d8"
	"cbee25aaa8418bbf573033509b86df274648002c";
static const char p384_signature_hex[] =
	"dde1c359eedc6aff362c21670a9ab1aa7b0910dbc922fb6131ee727d756380c2927fb5d98175852dd9c41996d7704b3fcfef"
	"c743dba50d72fe4c47067045fa9067fe7edab98cd4109a702021a0e7bb601c853bbda711af7f4737d9d7894125f2";
/* P-521 */
static const char p521_hex[] =
	"30819b301006072a8648ce3d020106052b81040023038186000400053544b6bdf66f5316546b35f8d2a45781051a8c57d502"
	"e29df4e1be6436f8bebd4387255ed4128ecd7678577cbdc887cfd8869464121e9b4252fd31c7677ed07f01a2d1738b42ba69"
	"4d919a22f5f4e4aca9605299abacdc0396591df1915da45ac66ee87cf1fc52ed70b024590ec8b2848f2807021d387753e103"
	"f5c1d4462bd91691";
static const char p521_signature_hex[] =
	"01a57820823ce02c271cb794c32ce1a6a9543a492582c6578259f01a62cbae0a515d9097964139e7726bd222e27ff7078217"
	"b5b86b47836983026a25b8f0b852e18c011a5029c926194ecf1cb932b19b8efdbc1044406e04a17e48a1ba2fb6ea9d91f4bb"
	"76d917acc3d725210a1691852eeda8242da4af3cd89adce2d89128c4dac89e50";
/* Curves and kinds of key that are not taken */
static const char secp256k1_hex[] =
	"3056301006072a8648ce3d020106052b8104000a03420004b36291847a1d3ae6a4d180366d2e5e793e7c3776f6741615f98f"
	"203563b9ec32b72e9bddc39981f24e98615aea443dd77b9afbd69030f431bc103a8ac1820862";
static const char brainpool_hex[] =
	"305a301406072a8648ce3d020106092b2403030208010107034200047a83911cdbcde686ed4ebfd71978200381ab44dcc77b"
	"26ee7cabadd1db6672f47d9dce47ca6ee7e28df93c71731e38dbe2b2a707c40fe7f5ccd0d24aa7ff8d2d";
static const char ed25519_hex[] =
	"302a300506032b6570032100db14c90174aabe8b29c8971b39f674cafe0fd7a3c260b687be2eb0fd219e9400";

static struct err e;
static struct buf der, signature;

static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&der, 8192);
	buf_init(&signature, 1024);
}

static void teardown(void)
{
	buf_clear(&der);
	buf_clear(&signature);
}

static struct bytes read_into(struct buf *b, const char *hex)
{
	buf_reset(b);
	hex_read(bytes_of(hex), b);
	return buf_bytes(b);
}

/* A key in a block of its own, so that the sanitizer sees a read behind it. */
static bool parse(struct bytes data, struct err *why)
{
	struct public_key *k = public_key_parse(data, why);
	bool ok = k != NULL;
	public_key_free(k);
	return ok;
}

static bool parse_certificate(struct bytes data, struct err *why)
{
	struct key_certificate c;
	struct public_key *k = public_key_of_certificate(data, &c, why);
	bool ok = k != NULL;
	public_key_free(k);
	return ok;
}

static bool verifies(struct public_key *k, const char *text, const char *signature_hex)
{
	e = (struct err){ 0 };
	bool ok = public_key_verify(k, bytes_of(text), read_into(&signature, signature_hex), &e);
	CU_ASSERT_TRUE(ok || e.code == ERR_DENIED);
	return ok;
}

static void a_signature_of_pss_verifies_with_a_salt_as_long_as_the_hash(void)
{
	struct public_key *k = public_key_parse(read_into(&der, keys_rsa_2048_hex), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(k);
	CU_ASSERT_EQUAL(public_key_alg(k), ALG_PS256);
	for (int again = 0; again < 2; again++) {
		CU_ASSERT_TRUE(verifies(k, TEXT, pss_hex));
		CU_ASSERT_FALSE(verifies(k, "other text", pss_hex));
		CU_ASSERT_FALSE(verifies(k, TEXT, pss_salt_20_hex)); /* RFC 8230, section 2 */
		CU_ASSERT_FALSE(verifies(k, TEXT, pkcs1_hex));
	}
	read_into(&signature, pss_hex);
	CU_ASSERT_FALSE(public_key_verify(k, bytes_of(TEXT), (struct bytes){ signature.data, 255 }, &e));
	CU_ASSERT_FALSE(public_key_verify(k, bytes_of(TEXT), (struct bytes){ NULL, 0 }, &e));
	buf_add_u8(&signature, 0);
	CU_ASSERT_FALSE(public_key_verify(k, bytes_of(TEXT), buf_bytes(&signature), &e));
	public_key_free(k);
}

static void es256_verifies_on_the_three_curves(void)
{
	static const char *const pairs[][2] = { { p384_hex, p384_signature_hex }, { p521_hex, p521_signature_hex } };
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct public_key *k = public_key_parse(read_into(&der, pairs[i][0]), &e);
		CU_ASSERT_PTR_NOT_NULL_FATAL(k);
		CU_ASSERT_EQUAL(public_key_alg(k), ALG_ES256);
		CU_ASSERT_TRUE(verifies(k, TEXT, pairs[i][1]));
		CU_ASSERT_FALSE(verifies(k, "other text", pairs[i][1]));
		CU_ASSERT_FALSE(verifies(k, TEXT, pss_hex));
		public_key_free(k);
	}
}

/* RFC 6979, A.2.5: its key, and "sample" signed with SHA-256. */
static void a_published_signature_verifies_and_no_changed_bit_of_it(void)
{
	static const char signed_hex[] = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
					 "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
	uint8_t point[POINT_LEN];
	CU_ASSERT_TRUE_FATAL(hex_decode("0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
					"7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
					point, POINT_LEN));
	struct public_key *k = public_key_of_point(point, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(k);
	CU_ASSERT_TRUE(verifies(k, "sample", signed_hex));
	for (size_t bit = 0; bit < 512; bit += 7) {
		signature.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_FALSE(public_key_verify(k, bytes_of("sample"), buf_bytes(&signature), &e));
		signature.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	memset(signature.data, 0, 32); /* r = 0 */
	CU_ASSERT_FALSE(public_key_verify(k, bytes_of("sample"), buf_bytes(&signature), &e));
	/* in DER it is the same key */
	buf_reset(&der);
	CU_ASSERT_TRUE(public_key_der(point, &der, &e));
	struct public_key *same = public_key_parse(buf_bytes(&der), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(same);
	CU_ASSERT_TRUE(verifies(same, "sample", signed_hex));
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&der), parse));
	public_key_free(same);
	public_key_free(k);
	point[64] ^= 1;
	CU_ASSERT_PTR_NULL(public_key_of_point(point, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
}

static void a_certificate_gives_its_key_period_and_uses(void)
{
	struct key_certificate c;
	struct public_key *k = public_key_of_certificate(read_into(&der, keys_certificate_hex), &c, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(k);
	CU_ASSERT_EQUAL(public_key_alg(k), ALG_ES256);
	CU_ASSERT_EQUAL(c.from_s, 1767225600);
	CU_ASSERT_EQUAL(c.to_s, 1830297599);
	CU_ASSERT_EQUAL_FATAL(c.uses_len, 2);
	CU_ASSERT_STRING_EQUAL(c.uses[0], "1.3.6.1.4.1.1847.2021.1.1");
	CU_ASSERT_STRING_EQUAL(c.uses[1], "1.3.6.1.4.1.0.1847.2021.1.2");
	public_key_free(k);
	CU_ASSERT_TRUE(parse(buf_bytes(&der), &e)); /* where either will do */
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&der), parse_certificate));
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&der), parse));
}

/* Whatever a byte is changed to, it is read within its bounds; the key is then either none or one that could be used. */
static void a_bent_certificate_is_read_within_its_bounds(void)
{
	read_into(&der, keys_certificate_hex);
	for (size_t i = 0; i < der.len; i++) {
		static const uint8_t bends[] = { 0x01, 0x80, 0xff };
		for (size_t j = 0; j < sizeof(bends); j++) {
			der.data[i] ^= bends[j];
			e = (struct err){ 0 };
			CU_ASSERT_TRUE(parse_certificate(buf_bytes(&der), &e) || e.code == ERR_INPUT);
			der.data[i] ^= bends[j];
		}
	}
}

static void der_wrap(struct buf *b, size_t from, uint8_t tag)
{
	size_t len = b->len - from;
	CU_ASSERT_TRUE_FATAL(buf_grow(b, 4) != NULL);
	memmove(b->data + from + 4, b->data + from, len);
	memcpy(b->data + from, (uint8_t[4]){ tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len }, 4);
}

/* Of this many bits, every one of them set; e is 65,537. */
static bool rsa_is_taken(size_t bits)
{
	buf_reset(&der);
	buf_add_u8(&der, 0);
	if (bits % 8 != 0)
		buf_add_u8(&der, (uint8_t)((1 << bits % 8) - 1));
	memset(buf_grow(&der, bits / 8), 0xff, bits / 8);
	if (bits % 8 != 0) {
		der.len--;
		memmove(der.data, der.data + 1, der.len); /* no zero in front where the first bit is none */
	}
	der_wrap(&der, 0, 0x02);
	hex_read(bytes_of("0203010001"), &der);
	der_wrap(&der, 0, 0x30);
	CU_ASSERT_TRUE_FATAL(buf_grow(&der, 1) != NULL);
	memmove(der.data + 1, der.data, der.len - 1);
	der.data[0] = 0;
	der_wrap(&der, 0, 0x03);
	size_t len = der.len;
	hex_read(bytes_of("300d06092a864886f70d0101010500"), &der);
	uint8_t algorithm[15];
	memcpy(algorithm, der.data + len, sizeof(algorithm));
	memmove(der.data + sizeof(algorithm), der.data, len);
	memcpy(der.data, algorithm, sizeof(algorithm));
	der_wrap(&der, 0, 0x30);
	e = (struct err){ 0 };
	return parse(buf_bytes(&der), &e);
}

static void rsa_keys_are_of_2048_to_4096_bits(void)
{
	CU_ASSERT_FALSE(rsa_is_taken(1024));
	CU_ASSERT_TRUE(e.code == ERR_INPUT && strstr(e.text, "1024") != NULL);
	CU_ASSERT_FALSE(rsa_is_taken(2047));
	CU_ASSERT_TRUE(rsa_is_taken(2048));
	CU_ASSERT_TRUE(rsa_is_taken(3072));
	CU_ASSERT_TRUE(rsa_is_taken(4096));
	CU_ASSERT_FALSE(rsa_is_taken(4104));
	CU_ASSERT_FALSE(rsa_is_taken(8192));
}

static void keys_of_other_kinds_and_curves_are_refused(void)
{
	CU_ASSERT_TRUE(refuses(read_into(&der, secp256k1_hex), parse));
	CU_ASSERT_TRUE(refuses(read_into(&der, brainpool_hex), parse));
	CU_ASSERT_TRUE(refuses(read_into(&der, ed25519_hex), parse));
	CU_ASSERT_TRUE(refuses(read_into(&der, "3000"), parse));
	CU_ASSERT_TRUE(refuses(bytes_of("-----BEGIN PUBLIC KEY-----"), parse));
	CU_ASSERT_TRUE(refuses((struct bytes){ NULL, 0 }, parse));
	/* a point that is not on its curve */
	read_into(&der, p384_hex);
	der.data[der.len - 1] ^= 1;
	CU_ASSERT_TRUE(refuses(buf_bytes(&der), parse));
	CU_ASSERT_TRUE(refuses_cut_and_longer(read_into(&der, keys_rsa_2048_hex), parse));
}

static void algorithms_are_named(void)
{
	static const struct {
		int64_t alg;
		const char *name;
	} known[] = { { ALG_ES256, "ES256" }, { -35, "ES384" },  { -36, "ES512" }, { -8, "EdDSA" },
		      { ALG_PS256, "PS256" }, { -257, "RS256" }, { -65535, "RS1" } };
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		CU_ASSERT_STRING_EQUAL(alg_name(known[i].alg), known[i].name);
	CU_ASSERT_STRING_EQUAL(alg_name(0), "unknown algorithm");
	CU_ASSERT_STRING_EQUAL(alg_name(INT64_MIN), "unknown algorithm");
}

static CU_TestInfo tests[] = {
	{ "a signature of PSS verifies with a salt as long as the hash",
	  a_signature_of_pss_verifies_with_a_salt_as_long_as_the_hash },
	{ "ES256 verifies on the three curves", es256_verifies_on_the_three_curves },
	{ "a published signature verifies, and no changed bit of it",
	  a_published_signature_verifies_and_no_changed_bit_of_it },
	{ "a certificate gives its key, period and uses", a_certificate_gives_its_key_period_and_uses },
	{ "a bent certificate is read within its bounds", a_bent_certificate_is_read_within_its_bounds },
	{ "RSA keys are of 2,048 to 4,096 bits", rsa_keys_are_of_2048_to_4096_bits },
	{ "keys of other kinds and curves are refused", keys_of_other_kinds_and_curves_are_refused },
	{ "algorithms are named", algorithms_are_named },
	CU_TEST_INFO_NULL,
};
SUITE(public_key, setup, teardown, tests);
