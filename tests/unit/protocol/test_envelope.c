#include "protocol/envelope.h"
#include "protocol/base45.h"
#include "protocol/zip.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static struct err e;
static struct buf text, cose, packed;
static enum envelope_fault fault;
static enum ecert_profile profile;

static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&text, (size_t)4 * ECERT_TEXT_MAX);
	buf_init(&cose, ECERT_COSE_MAX);
	buf_init(&packed, 1 << 21);
}

static void teardown(void)
{
	buf_clear(&text);
	buf_clear(&cose);
	buf_clear(&packed);
}

static enum envelope_fault open_of(struct bytes scanned)
{
	e = (struct err){ 0 };
	buf_reset(&cose);
	bool ok = envelope_open(scanned, &profile, &cose, &fault, &e);
	CU_ASSERT_EQUAL(ok, fault == ENVELOPE_OK);
	CU_ASSERT_TRUE(ok || (cose.len == 0 && e.code != ERR_NONE && e.text[0] != '\0'));
	return fault;
}

/* XB1: and base45 of these bytes, given in hex. */
static enum envelope_fault open_packed(const char *hex)
{
	buf_reset(&text);
	buf_reset(&packed);
	hex_read(bytes_of(hex), &packed);
	buf_add_str(&text, "XB1:");
	base45_encode(buf_bytes(&packed), &text);
	return open_of(buf_bytes(&text));
}

static void a_message_comes_back_under_its_profile(void)
{
	for (enum ecert_profile p = ECERT_XB1; p <= ECERT_HC1; p++) {
		buf_reset(&text);
		CU_ASSERT_TRUE_FATAL(envelope_seal(p, bytes_of("\xd2\x84 a message"), &text, &e));
		CU_ASSERT_EQUAL(memcmp(text.data, p == ECERT_XB1 ? "XB1:" : "HC1:", 4), 0);
		CU_ASSERT_EQUAL(open_of(buf_bytes(&text)), ENVELOPE_OK);
		CU_ASSERT_TRUE(profile == p && bytes_equal(buf_bytes(&cose), bytes_of("\xd2\x84 a message")));
	}
}

/* "abc", compressed by hand; see test_zip.c. */
static void each_layer_that_breaks_is_named(void)
{
	static const struct {
		const char *text;
		enum envelope_fault fault;
	} texts[] = {
		{ "", ENVELOPE_EMPTY },
		{ "X", ENVELOPE_NOT_OURS },
		{ "XB1", ENVELOPE_NOT_OURS },
		{ "xb1:ABC", ENVELOPE_NOT_OURS },
		{ " XB1:ABC", ENVELOPE_NOT_OURS },
		{ "XB1;ABC", ENVELOPE_NOT_OURS },
		{ "HC2:ABC", ENVELOPE_NOT_OURS },
		{ "https://example.org/pay?id=1", ENVELOPE_NOT_OURS },
		{ "XB1:BB8bB8", ENVELOPE_ALPHABET },
		{ "XB1:BB8\n", ENVELOPE_ALPHABET },
		{ "XB1:BB8\xef\xbc\xa2", ENVELOPE_ALPHABET },
		{ "XB1:GGW", ENVELOPE_BASE45 },
		{ "XB1:BB8B", ENVELOPE_BASE45 },
		{ "XB1:", ENVELOPE_CUT_OFF },
	};
	static const struct {
		const char *hex;
		enum envelope_fault fault;
	} streams[] = {
		{ "789c4b4c4a0600024d0127", ENVELOPE_OK },
		{ "789c4b4c4a0600024d01", ENVELOPE_CUT_OFF },
		{ "78", ENVELOPE_CUT_OFF },
		{ "789c4b4c4a0600024d0128", ENVELOPE_CHECKSUM },
		{ "789cff4c4a0600024d0127", ENVELOPE_CHECKSUM },
		{ "799c4b4c4a0600024d0127", ENVELOPE_CHECKSUM },
		{ "789c4b4c4a0600024d012700", ENVELOPE_TRAILING },
		{ "d28443a10126a04105420102", ENVELOPE_NOT_ZLIB },
		{ "8443a10126a04105420102", ENVELOPE_NOT_ZLIB },
		{ "d83dd28443a10126a0410542", ENVELOPE_NOT_ZLIB },
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_EQUAL(open_of(bytes_of(texts[i].text)), texts[i].fault);
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
		CU_ASSERT_EQUAL(open_packed(streams[i].hex), streams[i].fault);
}

static void a_text_is_no_longer_than_a_code_can_hold(void)
{
	char *longest = malloc(ECERT_TEXT_MAX + 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(longest);
	if (longest == NULL)
		return;
	memset(longest, '0', ECERT_TEXT_MAX + 1);
	memcpy(longest, "HC1:", 4);
	CU_ASSERT_EQUAL(open_of((struct bytes){ (uint8_t *)longest, ECERT_TEXT_MAX + 1 }), ENVELOPE_TOO_LONG);
	CU_ASSERT_NOT_EQUAL(open_of((struct bytes){ (uint8_t *)longest, ECERT_TEXT_MAX }), ENVELOPE_TOO_LONG);
	CU_ASSERT_EQUAL(profile, ECERT_HC1);
	free(longest);
}

static void a_bomb_is_too_large_and_what_just_fits_is_not(void)
{
	uint8_t *zeros = calloc(1, 1 << 20);
	if (zeros == NULL)
		abort();
	for (int more = 0; more < 2; more++) {
		buf_reset(&text);
		buf_reset(&packed);
		CU_ASSERT_TRUE(zip_deflate((struct bytes){ zeros, ECERT_COSE_MAX + (size_t)more }, &packed, &e));
		buf_add_str(&text, "XB1:");
		base45_encode(buf_bytes(&packed), &text);
		CU_ASSERT_EQUAL(open_of(buf_bytes(&text)), more ? ENVELOPE_TOO_LARGE : ENVELOPE_OK);
	}
	buf_reset(&packed);
	buf_reset(&text);
	CU_ASSERT_TRUE(zip_deflate((struct bytes){ zeros, 1 << 20 }, &packed, &e));
	buf_add_str(&text, "XB1:");
	base45_encode(buf_bytes(&packed), &text);
	CU_ASSERT_EQUAL(open_of(buf_bytes(&text)), ENVELOPE_TOO_LARGE);
	free(zeros);
}

static void what_does_not_fit_a_code_is_not_sealed(void)
{
	uint64_t seed = 9;
	struct random seeded = random_seeded(&seed);
	uint8_t *noise = malloc(ECERT_COSE_MAX + 1);
	if (noise == NULL)
		abort();
	seeded.fill(seeded.arg, noise, ECERT_COSE_MAX + 1);
	CU_ASSERT_FALSE(envelope_seal(ECERT_XB1, (struct bytes){ noise, ECERT_COSE_MAX + 1 }, &text, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	CU_ASSERT_FALSE(envelope_seal(ECERT_XB1, (struct bytes){ noise, 3000 }, &text, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	buf_reset(&text);
	CU_ASSERT_TRUE(envelope_seal(ECERT_XB1, (struct bytes){ noise, 2800 }, &text, &e));
	CU_ASSERT_EQUAL(open_of(buf_bytes(&text)), ENVELOPE_OK);
	free(noise);
}

static CU_TestInfo tests[] = {
	{ "a message comes back under its profile", a_message_comes_back_under_its_profile },
	{ "each layer that breaks is named", each_layer_that_breaks_is_named },
	{ "a text is no longer than a code can hold", a_text_is_no_longer_than_a_code_can_hold },
	{ "a bomb is too large, and what just fits is not", a_bomb_is_too_large_and_what_just_fits_is_not },
	{ "what does not fit a code is not sealed", what_does_not_fit_a_code_is_not_sealed },
	CU_TEST_INFO_NULL,
};
SUITE(envelope, setup, teardown, tests);
