/* The worked bytes of protocol/certificates.md; see test_spec.c. Run from the repository's root. */
#include "protocol/cose.h"
#include "protocol/ecert_id.h"
#include "protocol/envelope.h"
#include "protocol/scan.h"
#include "protocol/sign1.h"
#include "protocol/tag.h"
#include "tests/support/spec.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define ISSUED 1780286400 /* 2026-06-01T04:00:00Z */
#define TYPE   "11100000000013338W009"
#define ISSUER "11330800002500000X"
#define HOLDER "330802185001010013"

static struct err e;
static struct spec spec;
static struct tag_key key;
static uint8_t scalar[SCALAR_LEN], point[POINT_LEN], kid[COSE_KID_LEN], id[16];

/* The key and the epoch of README.md. */
static void setup(void)
{
	static const char open[] = "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
				   "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
	uint8_t secret[32];
	e = (struct err){ 0 };
	spec_open(&spec, "protocol/certificates.md");
	CU_ASSERT_TRUE_FATAL(
		hex_decode("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", scalar, SCALAR_LEN) &&
		hex_decode(open, point, POINT_LEN));
	cose_kid(point, kid);
	bytes_fill(secret, sizeof(secret), 0);
	bytes_fill(id, sizeof(id), 0x20);
	tag_key_init(&key, 7, 1, secret);
}

static void teardown(void)
{
	spec_close(&spec);
}

static void holder_of(struct identifier *out)
{
	bool ok = identifier_parse(IDENTIFIER_RESIDENT_ID, HOLDER, strlen(HOLDER), 0, out, NULL, &e);
	assert(ok);
}

static struct ecert sample(void)
{
	struct ecert c = { .profile = ECERT_XB1,
			   .issuer = ISSUER,
			   .number = "示例1号",
			   .holder_name = "示例甲",
			   .holder_kind = IDENTIFIER_RESIDENT_ID,
			   .holder_is_tagged = true,
			   .holder_epoch = 7,
			   .issued_s = ISSUED,
			   .from_s = ISSUED,
			   .to_s = ISSUED + 31536000 };
	struct ecert_id parts = { TYPE, ISSUER, "0000000001", "001", 0 };
	struct identifier holder;
	holder_of(&holder);
	c.holder_tag = tag_of(&key, &holder);
	bool ok = ecert_id_compose(&parts, c.id, &e);
	assert(ok);
	return c;
}

static void make_id(struct buf *out)
{
	struct ecert c = sample();
	buf_add_str(out, c.id);
}

static void make_claims(struct buf *out)
{
	struct ecert c = sample();
	bool ok = ecert_encode(&c, out, &e);
	assert(ok);
}

static void make_to_be_signed(struct buf *out)
{
	struct buf claims;
	buf_init(&claims, 4096);
	make_claims(&claims);
	cbor_put_array(out, 4);
	cbor_put_text(out, "Signature1");
	buf_add(out, "\x4d\xa2\x01\x26\x04\x48", 6);
	buf_add(out, kid, COSE_KID_LEN);
	cbor_put_bytes(out, (struct bytes){ NULL, 0 });
	cbor_put_bytes(out, buf_bytes(&claims));
	buf_clear(&claims);
}

static void identity_of(struct identifier *out)
{
	struct ecert c = sample();
	bool ok = ecert_identity(&c, out, &e);
	assert(ok);
}

static void make_identity(struct buf *out)
{
	struct identifier identity;
	identity_of(&identity);
	buf_add_u8(out, (uint8_t)identity.kind);
	buf_add_str(out, identity.canonical);
}

static void make_tag(struct buf *out)
{
	struct identifier identity;
	identity_of(&identity);
	uint64_t tag = tag_of(&key, &identity);
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_add_u8(out, (uint8_t)(tag >> shift));
}

static void make_scan(struct buf *out)
{
	static struct scan s;
	static const uint8_t sealed[AEAD_OVERHEAD + 1];
	struct identifier identity;
	identity_of(&identity);
	s = (struct scan){ .request_id = "r-1",
			   .terminal = "teller-1",
			   .source = "text",
			   .business = "open_account",
			   .time_s = ISSUED + 86400,
			   .code = SCAN_STATUS_STALE,
			   .outcome = SCAN_ACCEPT_WITH_DUTY,
			   .findings_len = 1,
			   .findings = { { SCAN_STATUS_STALE, SCAN_ACCEPT_WITH_DUTY } },
			   .detail = "the list was confirmed 7200 s ago",
			   .profile = ECERT_XB1,
			   .issuer = ISSUER,
			   .type = TYPE,
			   .epoch = 7,
			   .tag = tag_of(&key, &identity),
			   .issued_s = ISSUED,
			   .to_s = ISSUED + 31536000,
			   .kid_len = COSE_KID_LEN,
			   .issuers_version = 1,
			   .kinds_version = 1,
			   .list_version = 4,
			   .issuers_age_s = 7200,
			   .list_age_s = 7200,
			   .holder_kind = "resident_id",
			   .holder_masked = "330802********0013",
			   .sealed = { sealed, sizeof(sealed) } };
	memcpy(s.id, id, sizeof(id));
	memcpy(s.kid, kid, COSE_KID_LEN);
	bool ok = scan_encode(&s, out, &e);
	assert(ok);
}

static void make_recheck(struct buf *out)
{
	struct scan_recheck r = { .code = SCAN_REVOKED, .list_version = 5 };
	memcpy(r.id, id, sizeof(id));
	bool ok = scan_recheck_encode(&r, out, &e);
	assert(ok);
}

static void make_lookup(struct buf *out)
{
	struct scan_lookup l = { .terminal = "teller-1",
				 .holder_kind = "resident_id",
				 .holder_masked = "330802********0013",
				 .type = TYPE,
				 .purpose = "open_account",
				 .source = "cache",
				 .result = ERR_NONE,
				 .given = 1 };
	bool ok = scan_lookup_encode(&l, out, &e);
	assert(ok);
}

static void make_query(struct buf *out)
{
	struct body_query q = { .holder_kind = IDENTIFIER_RESIDENT_ID,
				.holder = HOLDER,
				.type = TYPE,
				.purpose = "open_account",
				.terminal = "teller-1" };
	memcpy(q.id, id, sizeof(id));
	bool ok = body_query_encode(&q, out, &e);
	assert(ok);
}

static const uint8_t any_message[] = { 0xd2, 0x84 };

static void make_reply(struct buf *out)
{
	static struct body_reply r;
	r = (struct body_reply){ .bodies_len = 1 };
	r.bodies[0] = (struct body){ .cose = { any_message, sizeof(any_message) },
				     .file_left_out = true,
				     .media_type = "application/pdf",
				     .consent_to_s = INT64_MAX,
				     .status = ECERT_VALID };
	memcpy(r.id, id, sizeof(id));
	bool ok = body_reply_encode(&r, out, &e);
	assert(ok);
}

static void make_erase(struct buf *out)
{
	static struct prefetch_item p;
	struct identifier identity;
	identity_of(&identity);
	p = (struct prefetch_item){ .kind = PREFETCH_ERASE, .seq = 3 };
	memcpy(p.id, id, sizeof(id));
	snprintf(p.identity, sizeof(p.identity), "%s", identity.canonical);
	bool ok = prefetch_item_encode(&p, out, &e);
	assert(ok);
}

static const struct spec_block blocks[] = {
	{ "hex-id", make_id },          { "hex-claims", make_claims }, { "hex-to-be-signed", make_to_be_signed },
	{ "hex-signed", NULL },         { "text-code", NULL },         { "hex-identity", make_identity },
	{ "hex-tag", make_tag },        { "hex-scan", make_scan },     { "hex-recheck", make_recheck },
	{ "hex-look-up", make_lookup }, { "hex-query", make_query },   { "hex-reply", make_reply },
	{ "hex-erase", make_erase },
};
#define BLOCKS (sizeof(blocks) / sizeof(blocks[0]))

static void every_worked_example_is_what_the_code_gives(void)
{
	spec_check(&spec, blocks, BLOCKS);
}

static void no_block_of_the_spec_goes_unchecked(void)
{
	spec_check_complete(&spec, blocks, BLOCKS);
}

/* Prints one that would do when the spec's does not. */
static void the_message_of_the_spec_verifies_and_says_its_claims(void)
{
	struct buf got, want, fresh, memory;
	struct sign1 message;
	spec_read(&spec, "hex-signed", &got);
	buf_init(&want, 4096);
	buf_init(&fresh, 4096);
	buf_init(&memory, 4096);
	make_claims(&want);
	CU_ASSERT_TRUE(sign1_sign(scalar, (struct bytes){ kid, COSE_KID_LEN }, &random_system,
				  (struct bytes){ NULL, 0 }, buf_bytes(&want), &fresh, &e));
	struct public_key *public = public_key_of_point(point, &e);
	if (public == NULL || !sign1_parse(buf_bytes(&got), SIGN1_STRICT, &memory, &message, &e) ||
	    !sign1_verify(&message, public, (struct bytes){ NULL, 0 }, &e)) {
		spec_show("hex-signed", buf_bytes(&fresh));
		CU_FAIL("the spec's certificate does not verify");
	} else {
		CU_ASSERT_TRUE(bytes_equal(message.payload, buf_bytes(&want)));
		CU_ASSERT_EQUAL(got.len, fresh.len);
	}
	public_key_free(public);
	buf_clear(&got);
	buf_clear(&want);
	buf_clear(&fresh);
	buf_clear(&memory);
}

static void the_code_of_the_spec_holds_its_message(void)
{
	struct buf want, got, fresh;
	enum ecert_profile profile = ECERT_HC1;
	enum envelope_fault fault;
	spec_read(&spec, "hex-signed", &want);
	buf_init(&got, ECERT_COSE_MAX);
	buf_init(&fresh, ECERT_TEXT_MAX);
	CU_ASSERT_TRUE(envelope_seal(ECERT_XB1, buf_bytes(&want), &fresh, &e));
	if (!envelope_open(spec_text(&spec, "text-code"), &profile, &got, &fault, &e) ||
	    !bytes_equal(buf_bytes(&got), buf_bytes(&want))) {
		printf("\n[text-code]\n%s\n", buf_str(&fresh));
		CU_FAIL("the spec's code does not hold its message");
	}
	CU_ASSERT_EQUAL(profile, ECERT_XB1);
	buf_clear(&want);
	buf_clear(&got);
	buf_clear(&fresh);
}

static CU_TestInfo tests[] = {
	{ "every worked example is what the code gives", every_worked_example_is_what_the_code_gives },
	{ "no block of the spec goes unchecked", no_block_of_the_spec_goes_unchecked },
	{ "the message of the spec verifies and says its claims",
	  the_message_of_the_spec_verifies_and_says_its_claims },
	{ "the code of the spec holds its message", the_code_of_the_spec_holds_its_message },
	CU_TEST_INFO_NULL,
};
SUITE(spec_certificates, setup, teardown, tests);
