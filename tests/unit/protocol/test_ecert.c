#include "protocol/ecert.h"
#include "protocol/ecert_id.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ISSUED 1780286400 /* 2026-06-01T04:00:00Z */
#define TYPE   "11100000000013338W009"
#define ISSUER "11330800002500000X"

static struct err e;
static struct buf out;

static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&out, 4096);
}

static void teardown(void)
{
	buf_clear(&out);
}

static struct ecert plain(void)
{
	struct ecert c = { .profile = ECERT_XB1,
			   .issuer = ISSUER,
			   .type = TYPE,
			   .version = "001",
			   .issued_s = ISSUED,
			   .from_s = ISSUED,
			   .to_s = ECERT_NO_END };
	struct ecert_id id = { TYPE, ISSUER, "0000000001", "001", 0 };
	CU_ASSERT_TRUE_FATAL(ecert_id_compose(&id, c.id, &e));
	return c;
}

/* With everything a certificate can say. */
static struct ecert full(bool tagged)
{
	struct ecert c = plain();
	c.to_s = ISSUED + 31536000;
	snprintf(c.number, sizeof(c.number), "示例1号");
	snprintf(c.holder_name, sizeof(c.holder_name), "示例甲");
	c.holder_kind = IDENTIFIER_RESIDENT_ID;
	c.holder_is_tagged = tagged;
	if (tagged) {
		c.holder_epoch = 7;
		c.holder_tag = 0xfedcba9876543210;
	} else {
		snprintf(c.holder_masked, sizeof(c.holder_masked), "330802********0013");
	}
	c.has_digest = true;
	bytes_fill(c.digest, sizeof(c.digest), 1);
	return c;
}

static bool decode(struct bytes data, struct err *why)
{
	struct ecert c;
	bool ok = ecert_decode(data, &c, why);
	CU_ASSERT_TRUE(ok || c.id[0] == '\0');
	return ok;
}

static void check_comes_back(const struct ecert *c)
{
	struct ecert back;
	buf_reset(&out);
	CU_ASSERT_TRUE_FATAL(ecert_encode(c, &out, &e));
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE_FATAL(ecert_decode(buf_bytes(&out), &back, &e));
	CU_ASSERT_STRING_EQUAL(back.id, c->id);
	CU_ASSERT_STRING_EQUAL(back.issuer, c->issuer);
	CU_ASSERT_STRING_EQUAL(back.type, TYPE);
	CU_ASSERT_STRING_EQUAL(back.version, "001");
	CU_ASSERT_STRING_EQUAL(back.number, c->number);
	CU_ASSERT_STRING_EQUAL(back.holder_name, c->holder_name);
	CU_ASSERT_STRING_EQUAL(back.holder_masked, c->holder_masked);
	CU_ASSERT_TRUE(back.profile == ECERT_XB1 && back.holder_kind == c->holder_kind);
	CU_ASSERT_TRUE(back.holder_is_tagged == c->holder_is_tagged && back.holder_epoch == c->holder_epoch &&
		       back.holder_tag == c->holder_tag);
	CU_ASSERT_TRUE(back.issued_s == c->issued_s && back.from_s == c->from_s && back.to_s == c->to_s);
	CU_ASSERT_TRUE(back.has_digest == c->has_digest && memcmp(back.digest, c->digest, HASH_LEN) == 0);
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), decode));
}

static void what_a_certificate_says_comes_back(void)
{
	struct ecert some[] = { plain(), full(true), full(false) };
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		check_comes_back(&some[i]);
}

static void what_no_decoder_would_take_is_not_encoded(void)
{
	struct ecert bad[14];
	for (size_t i = 0; i < 14; i++)
		bad[i] = full(true);
	snprintf(bad[0].issuer, sizeof(bad[0].issuer), "11330800002500001X"); /* not the identifier's */
	bad[1].id[strlen(bad[1].id) - 1] ^= 1;
	bad[2].id[0] = '\0';
	bad[3].to_s = bad[3].from_s;
	bad[4].to_s = INT64_MAX - 1;
	bad[5].issued_s = -1;
	bad[6].from_s = TIME_MAX_S + 1;
	bad[7].holder_kind = 0;
	bad[8].holder_kind = IDENTIFIER_ECERT;
	bad[9].holder_kind = IDENTIFIER_KIND_LAST + 1;
	snprintf(bad[10].holder_masked, sizeof(bad[10].holder_masked), "3*"); /* both */
	bad[11].holder_is_tagged = false;                                     /* neither */
	snprintf(bad[12].number, sizeof(bad[12].number), "\xff");
	snprintf(bad[13].holder_name, sizeof(bad[13].holder_name), "\xe8\xaf");
	for (size_t i = 0; i < 14; i++) {
		e = (struct err){ 0 };
		buf_reset(&out);
		CU_ASSERT_FALSE(ecert_encode(&bad[i], &out, &e));
		CU_ASSERT_TRUE(e.code == ERR_INPUT && e.text[0] != '\0');
	}
}

/* A CWT with these parts behind iss; cti and the private claims in hex. */
static struct bytes made(const char *before_cti, const char *cti, const char *own, uint8_t pairs)
{
	buf_reset(&out);
	buf_add_u8(&out, (uint8_t)(0xa0 | pairs));
	cbor_put_uint(&out, 1);
	cbor_put_text(&out, ISSUER);
	hex_read(bytes_of(before_cti), &out);
	cbor_put_uint(&out, 7);
	cbor_put_bytes(&out, bytes_of(cti));
	hex_read(bytes_of(own), &out);
	return buf_bytes(&out);
}

#define TIMES "051a6a1d03c0 061a6a1d03c0"
#define OWN   "3a00011170"

static void a_claim_that_is_odd_unknown_or_there_twice_refuses(void)
{
	struct ecert sample = plain();
	const char *cti = sample.id + strlen(ECERT_ID_OID);
	static const struct {
		const char *times, *own;
		uint8_t pairs;
	} bad[] = {
		{ TIMES, OWN "a0 08 00", 6 },                                   /* a claim behind ours */
		{ "0200" TIMES, OWN "a0", 6 },                                  /* sub */
		{ "051a6a1d03c0", OWN "a0", 4 },                                /* no iat */
		{ "041a6a1d03bf" TIMES, OWN "a0", 6 },                          /* ends before it begins */
		{ "0420" TIMES, OWN "a0", 6 },                                  /* before 1970 */
		{ "04fb41da8740f0000000" TIMES, OWN "a0", 6 },                  /* a float */
		{ TIMES, "3a00011171a0", 5 },                                   /* another private claim */
		{ TIMES, OWN "a1 00 00", 5 },                                   /* unknown ones of ours */
		{ TIMES, OWN "a1 07 00", 5 },                                   /* … */
		{ TIMES, OWN "a2 01 6161 01 6162", 5 },                         /* twice */
		{ TIMES, OWN "a1 01 60", 5 },                                   /* an empty text */
		{ TIMES, OWN "a1 01 4161", 5 },                                 /* bytes for a text */
		{ TIMES, OWN "a1 01 6100", 5 },                                 /* NUL */
		{ TIMES, OWN "a1 02 01", 5 },                                   /* a kind without a document */
		{ TIMES, OWN "a2 02 00 04 612a", 5 },                           /* kind 0 */
		{ TIMES, OWN "a2 02 0f 04 612a", 5 },                           /* an e-certificate as holder */
		{ TIMES, OWN "a2 02 10 04 612a", 5 },                           /* no kind at all */
		{ TIMES, OWN "a1 04 612a", 5 },                                 /* a document without its kind */
		{ TIMES, OWN "a3 02 01 04 612a 05 8207480102030405060708", 5 }, /* masked and tagged */
		{ TIMES, OWN "a2 02 01 05 820747 01020304050607", 5 },          /* seven bytes */
		{ TIMES, OWN "a2 02 01 05 821b0000000100000000480102030405060708", 5 }, /* the epoch too large */
		{ TIMES, OWN "a1 06 4100", 5 },                                         /* a digest of one byte */
	};
	CU_ASSERT_TRUE(decode(made(TIMES, cti, OWN "a0", 5), &e));
	CU_ASSERT_TRUE(decode(made("041a6a1d03c1" TIMES, cti, OWN "a2 02 01 04 612a", 6), &e));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CU_ASSERT_TRUE(refuses(made(bad[i].times, cti, bad[i].own, bad[i].pairs), decode));
		if (decode(buf_bytes(&out), NULL))
			printf(" [%s] ", bad[i].own);
	}
}

static void an_identifier_that_is_none_or_anothers_refuses(void)
{
	struct ecert sample = plain();
	char cti[ECERT_ID_MAX + 1], too_long[ECERT_ID_MAX + 1];
	snprintf(cti, sizeof(cti), "%s", sample.id + strlen(ECERT_ID_OID));
	CU_ASSERT_TRUE(refuses(made(TIMES, sample.id, OWN "a0", 5), decode)); /* with its OID */
	CU_ASSERT_TRUE(refuses(made(TIMES, "", OWN "a0", 5), decode));
	memset(too_long, 'A', ECERT_ID_MAX);
	too_long[ECERT_ID_MAX] = '\0';
	CU_ASSERT_TRUE(refuses(made(TIMES, too_long, OWN "a0", 5), decode));
	cti[strlen(TYPE) + 1] ^= 1; /* another issuer; the check character no longer fits either */
	CU_ASSERT_TRUE(refuses(made(TIMES, cti, OWN "a0", 5), decode));
	struct ecert_id other = { TYPE, "11330800002500001X", "0000000001", "001", 0 };
	CU_ASSERT_TRUE_FATAL(ecert_id_compose(&other, sample.id, &e));
	CU_ASSERT_TRUE(refuses(made(TIMES, sample.id + strlen(ECERT_ID_OID), OWN "a0", 5), decode));
}

/* --- who it is --- */

static struct ecert foreign(const char *issuer, const char *id)
{
	struct ecert c = { .profile = ECERT_HC1 };
	snprintf(c.issuer, sizeof(c.issuer), "%s", issuer);
	snprintf(c.id, sizeof(c.id), "%s", id);
	return c;
}

static struct identifier identity(const struct ecert *c)
{
	struct identifier id = { 0 };
	CU_ASSERT_TRUE(ecert_identity(c, &id, &e));
	CU_ASSERT_EQUAL(id.kind, IDENTIFIER_ECERT);
	return id;
}

static void an_identity_is_issuer_and_id_whatever_else_changes(void)
{
	struct ecert a = plain(), b = full(true);
	struct identifier x = identity(&a), y = identity(&b);
	CU_ASSERT_STRING_EQUAL(x.canonical, y.canonical);
	CU_ASSERT_TRUE(strncmp(x.canonical, ISSUER "/" TYPE "." ISSUER ".0000000001.001.", 65) == 0);
	struct ecert c = foreign("XX", "URN:UVCI:01:XX:ABC#9"), d = foreign("XX", "urn:uvci:01:xx:abc#9"),
		     f = foreign("XX", "01:XX:ABC#9"), g = foreign("YY", "01:XX:ABC#9");
	struct identifier ci = identity(&c), di = identity(&d), fi = identity(&f), gi = identity(&g);
	CU_ASSERT_STRING_EQUAL(ci.canonical, "XX/01:XX:ABC#9");
	CU_ASSERT_STRING_EQUAL(ci.canonical, di.canonical);
	CU_ASSERT_STRING_EQUAL(ci.canonical, fi.canonical);
	CU_ASSERT_STRING_NOT_EQUAL(ci.canonical, gi.canonical);
}

static void an_id_that_is_no_plain_text_goes_by_its_hash(void)
{
	struct ecert a = foreign("XX", "01:XX:\xc3\x84"), b = foreign("XX", "01:XX:\xc3\x85"),
		     c = foreign("XX", "01:XX: A");
	struct identifier x = identity(&a), y = identity(&b), z = identity(&c);
	CU_ASSERT_EQUAL(strlen(x.canonical), 7 + 64);
	CU_ASSERT_EQUAL(strncmp(x.canonical, "SHA256/", 7), 0);
	CU_ASSERT_STRING_NOT_EQUAL(x.canonical, y.canonical);
	CU_ASSERT_EQUAL(strlen(z.canonical), 7 + 64);
}

static void names_and_statuses_have_words(void)
{
	CU_ASSERT_STRING_EQUAL(ecert_profile_name(ECERT_XB1), "xb1");
	CU_ASSERT_STRING_EQUAL(ecert_profile_name(ECERT_HC1), "hc1");
	for (enum ecert_status s = ECERT_VALID; s <= ECERT_STATUS_LAST; s++)
		CU_ASSERT_TRUE(strcmp(ecert_status_name(s), "unknown") != 0 && ecert_status_zh(s)[0] != '\0');
	CU_ASSERT_STRING_EQUAL(ecert_status_name(ECERT_STATUS_LAST + 1), "unknown");
}

static CU_TestInfo tests[] = {
	{ "what a certificate says comes back", what_a_certificate_says_comes_back },
	{ "what no decoder would take is not encoded", what_no_decoder_would_take_is_not_encoded },
	{ "a claim that is odd, unknown or there twice refuses", a_claim_that_is_odd_unknown_or_there_twice_refuses },
	{ "an identifier that is none, or another's, refuses", an_identifier_that_is_none_or_anothers_refuses },
	{ "an identity is issuer and id, whatever else changes", an_identity_is_issuer_and_id_whatever_else_changes },
	{ "an id that is no plain text goes by its hash", an_id_that_is_no_plain_text_goes_by_its_hash },
	{ "names and statuses have words", names_and_statuses_have_words },
	CU_TEST_INFO_NULL,
};
SUITE(ecert, setup, teardown, tests);
