#include "firmware/scan_text.h"

#include "protocol/base/json.h"
#include "protocol/base/utf8.h"
#include "protocol/envelope.h"
#include "tests/support/certificates.h"
#include "tests/support/checks.h"
#include "tests/support/sets.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct certificates certs;
static struct buf text, out;
static struct scan_text result;

static bool plausible(void *arg, struct bytes candidate)
{
	struct buf cose;
	enum ecert_profile profile;
	enum envelope_fault fault;
	(void)arg;
	buf_init(&cose, ECERT_COSE_MAX);
	bool ok = envelope_open(candidate, &profile, &cose, &fault, NULL);
	buf_clear(&cose);
	return ok;
}
static const struct scan_text_judge judge = { plausible, NULL };

static void setup(void)
{
	checks_setup();
	checks_fresh();
	certificates_open(&certs, "", "['*']");
	buf_init(&text, ECERT_TEXT_MAX);
	buf_init(&out, SCAN_RAW_MAX);
	struct ecert cert = certificate_of(CERT_TYPE, "1", with.now_s, &with.lists.key);
	certificate_text(&certs, &cert, &text);
}

static void teardown(void)
{
	buf_clear(&text);
	buf_clear(&out);
	certificates_close(&certs);
	checks_teardown();
}

static enum scan_text_result repair(const void *data, size_t len)
{
	buf_reset(&out);
	scan_text_repair((struct bytes){ data, len }, &judge, &out, &result);
	return result.result;
}

/* between head and tail */
static enum scan_text_result repair_with(const char *head, const char *tail)
{
	struct buf raw;
	buf_init(&raw, SCAN_RAW_MAX);
	buf_add_str(&raw, head);
	buf_add(&raw, text.data, text.len);
	buf_add_str(&raw, tail);
	enum scan_text_result r = repair(raw.data, raw.len);
	buf_clear(&raw);
	return r;
}

static void what_scanners_put_around_the_text_is_taken_away(void)
{
	static const char *const heads[] = { "", "]Q1", "]d2", "]L0", "\xef\xbb\xbf", "\r\n", "\xef\xbb\xbf]Q1" };
	static const char *const tails[] = { "", "\r", "\n", "\r\n", "\r\r\n", "\n\n", "\t" };
	for (size_t h = 0; h < sizeof(heads) / sizeof(heads[0]); h++) {
		for (size_t t = 0; t < sizeof(tails) / sizeof(tails[0]); t++) {
			CU_ASSERT_EQUAL(repair_with(heads[h], tails[t]), SCAN_TEXT_CLEAN);
			CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), buf_bytes(&text)));
		}
	}
}

static void a_space_is_never_taken_away(void)
{
	CU_ASSERT_EQUAL(repair("XB1:AB C  ", 10), SCAN_TEXT_CLEAN);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), bytes_of("XB1:AB C  ")));
	CU_ASSERT_EQUAL(repair("XB1:  \r\n", 8), SCAN_TEXT_CLEAN);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), bytes_of("XB1:  ")));
	CU_ASSERT_EQUAL(repair("XB1:A\xc2\xa0"
			       "B\xe3\x80\x80",
			       11),
			SCAN_TEXT_REPAIRED);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), bytes_of("XB1:A B ")));
}

static void one_scan_twice_is_one_and_two_that_differ_are_damaged(void)
{
	struct buf raw;
	buf_init(&raw, SCAN_RAW_MAX);
	buf_add(&raw, text.data, text.len);
	buf_add_str(&raw, "\r\n");
	buf_add(&raw, text.data, text.len);
	buf_add_str(&raw, "\r\n");
	CU_ASSERT_EQUAL(repair(raw.data, raw.len), SCAN_TEXT_CLEAN);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), buf_bytes(&text)));
	raw.data[text.len + 10] ^= 1;
	CU_ASSERT_EQUAL(repair(raw.data, raw.len), SCAN_TEXT_DAMAGED);
	CU_ASSERT_EQUAL(result.hint, SCAN_HINT_TOO_LONG);
	buf_clear(&raw);
	CU_ASSERT_EQUAL(repair("", 0), SCAN_TEXT_DAMAGED);
	CU_ASSERT_EQUAL(result.hint, SCAN_HINT_EMPTY);
	CU_ASSERT_EQUAL(repair("\r\n", 2), SCAN_TEXT_DAMAGED);
	char *big = calloc(1, SCAN_RAW_MAX + 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(big);
	CU_ASSERT_EQUAL(repair(big, SCAN_RAW_MAX + 1), SCAN_TEXT_DAMAGED);
	CU_ASSERT_EQUAL(result.hint, SCAN_HINT_TOO_LONG);
	free(big);
}

static void another_code_is_handed_on_as_it_is(void)
{
	CU_ASSERT_EQUAL(repair("https://example.org/pay?x=1\n", 28), SCAN_TEXT_FOREIGN);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), bytes_of("https://example.org/pay?x=1")));
}

static void full_width_forms_come_back(void)
{
	struct buf raw;
	buf_init(&raw, SCAN_RAW_MAX);
	for (size_t i = 0; i < text.len; i++) {
		unsigned c = text.data[i] == ' ' ? 0x3000U : text.data[i] + 0xfee0U;
		buf_add_u8(&raw, (uint8_t)(0xe0 | c >> 12));
		buf_add_u8(&raw, (uint8_t)(0x80 | (c >> 6 & 63)));
		buf_add_u8(&raw, (uint8_t)(0x80 | (c & 63)));
	}
	CU_ASSERT_EQUAL(repair(raw.data, raw.len), SCAN_TEXT_REPAIRED);
	CU_ASSERT_EQUAL(result.hint, SCAN_HINT_FULL_WIDTH);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), buf_bytes(&text)));
	buf_clear(&raw);
}

/*
 * What a host with another layout makes of a US keyboard's keys, in the order of base45's alphabet: by the layouts of X's keyboard
 * database (xkeyboard-config's symbols de, ch, fr, it, es, pt, br, se, no, dk, jp, ru, ua), written down a second time and as text that
 * is typed, not as characters: a dead key's accent is joined below.
 */
static const struct {
	const char *name;
	const char *typed;
} layouts[] = {
	{ "de", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXZY $%(`ß.-Ö" },
	{ "ch", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXZY ç%(`'.-é" },
	{ "fr", "à&é\"'(-è_çQBCDEFGHIJKL?NOPARSTUVZXYW 458+):!M" },
	{ "it", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%(^'.-ç" },
	{ "es", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%(¿'.-Ñ" },
	{ "pt", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%(»'.-Ç" },
	{ "br", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-.;Ç" },
	{ "se", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ ¤%(`+.-Ö" },
	{ "no", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ ¤%(`+.-Ø" },
	{ "dk", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ ¤%(`+.-Æ" },
	{ "jp", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%(~-./+" },
	{ "ru", "0123456789ФИСВУАПРШОЛДЬТЩЗЙКЫЕГМЦЧНЯ ;%*+-ю.Ж" },
	{ "ua", "0123456789ФИСВУАПРШОЛДЬТЩЗЙКІЕГМЦЧНЯ ;%*+-ю.Ж" },
};
static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/* The character that key number n gives, as UTF-8 bytes. */
static struct bytes typed_key(const char *typed, size_t n)
{
	const char *at = typed, *end = typed + strlen(typed);
	for (; n > 0; n--)
		(void)utf8_next(&at, end);
	const char *from = at;
	(void)utf8_next(&at, end);
	return (struct bytes){ (const uint8_t *)from, (size_t)(at - from) };
}

static const char *joined(uint8_t letter)
{
	switch (letter) {
	case 'A': return "À";
	case 'E': return "È";
	case 'I': return "Ì";
	case 'O': return "Ò";
	case 'U': return "Ù";
	default: return NULL;
	}
}

static void type(const char *typed, bool dead, struct bytes in, struct buf *raw)
{
	buf_reset(raw);
	for (size_t i = 0; i < in.len; i++) {
		size_t n = (size_t)(strchr(alphabet, in.data[i]) - alphabet);
		struct bytes key = typed_key(typed, n);
		if (dead && in.data[i] == '+' && i + 1 < in.len) {
			if (joined(in.data[i + 1]) != NULL) {
				buf_add_str(raw, joined(in.data[++i]));
				continue;
			}
			if (in.data[i + 1] == ' ')
				i++; /* the accent alone */
		}
		buf_add(raw, key.data, key.len);
	}
}

/* A real text through each layout gives itself again, or is said to be damaged; never another text. */
static void text_typed_under_another_layout_comes_back(void)
{
	struct buf raw;
	unsigned repaired = 0, all = 0;
	buf_init(&raw, SCAN_RAW_MAX);
	for (int i = 0; i < 40; i++) {
		char serial[16];
		snprintf(serial, sizeof(serial), "%d", 1000 + i);
		struct ecert cert = certificate_of(CERT_TYPE, serial, with.now_s, &with.lists.key);
		buf_reset(&text);
		certificate_text(&certs, &cert, &text);
		for (size_t l = 0; l < sizeof(layouts) / sizeof(layouts[0]); l++) {
			bool dead = strchr(layouts[l].typed, '`') != NULL;
			type(layouts[l].typed, dead, buf_bytes(&text), &raw);
			all++;
			if (repair(raw.data, raw.len) == SCAN_TEXT_REPAIRED && plausible(NULL, buf_bytes(&out))) {
				repaired++;
				CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), buf_bytes(&text)));
				CU_ASSERT_EQUAL(result.hint, SCAN_HINT_LAYOUT);
			} else {
				/* only an accent and a space that became one are lost */
				CU_ASSERT_TRUE(dead);
				CU_ASSERT_TRUE(result.result == SCAN_TEXT_DAMAGED ||
					       !plausible(NULL, buf_bytes(&out)));
				CU_ASSERT_NOT_EQUAL(result.hint, SCAN_HINT_NONE);
			}
		}
	}
	printf(" [%u of %u repaired] ", repaired, all);
	CU_ASSERT_TRUE(repaired * 10 > all * 8);
	buf_clear(&raw);
}

static void every_character_of_base45_comes_back_from_every_layout(void)
{
	struct buf raw;
	char plain[sizeof("XB1:") + sizeof(alphabet)];
	buf_init(&raw, SCAN_RAW_MAX);
	snprintf(plain, sizeof(plain), "XB1:%s", alphabet);
	for (size_t l = 0; l < sizeof(layouts) / sizeof(layouts[0]); l++) {
		type(layouts[l].typed, false, bytes_of(plain), &raw);
		enum scan_text_result r = repair(raw.data, raw.len);
		/* Several layouts of one look give texts that differ: without a checksum that fits none is taken. */
		CU_ASSERT_TRUE(r == SCAN_TEXT_REPAIRED || r == SCAN_TEXT_DAMAGED);
		if (r == SCAN_TEXT_REPAIRED)
			CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), bytes_of(plain)));
	}
	buf_clear(&raw);
}

static void small_letters_come_back(void)
{
	struct buf raw;
	buf_init(&raw, SCAN_RAW_MAX);
	buf_add(&raw, text.data, text.len);
	for (size_t i = 0; i < raw.len; i++)
		if (raw.data[i] >= 'A' && raw.data[i] <= 'Z')
			raw.data[i] |= 0x20;
	CU_ASSERT_EQUAL(repair(raw.data, raw.len), SCAN_TEXT_REPAIRED);
	CU_ASSERT_EQUAL(result.hint, SCAN_HINT_CAPS_LOCK);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), buf_bytes(&text)));
	raw.data[30] = '#';
	CU_ASSERT_EQUAL(repair(raw.data, raw.len), SCAN_TEXT_DAMAGED);
	buf_clear(&raw);
}

static void letters_that_no_layout_explains_are_damaged(void)
{
	CU_ASSERT_EQUAL(repair("XB1:AB\xe4\xb8\xad"
			       "C",
			       10),
			SCAN_TEXT_DAMAGED);
	CU_ASSERT_EQUAL(result.hint, SCAN_HINT_LETTERS);
	CU_ASSERT_EQUAL(repair("XB1:ab#C", 8), SCAN_TEXT_DAMAGED);
	CU_ASSERT_EQUAL(repair("XB1\xc3\x96"
			       "AB#",
			       8),
			SCAN_TEXT_DAMAGED); /* German, then nothing German */
	CU_ASSERT_EQUAL(result.hint, SCAN_HINT_LAYOUT);
	CU_ASSERT_EQUAL(repair("\xff\xfe\xff", 3), SCAN_TEXT_FOREIGN);
}

static CU_TestInfo tests[] = {
	{ "what scanners put around the text is taken away", what_scanners_put_around_the_text_is_taken_away },
	{ "a space is never taken away", a_space_is_never_taken_away },
	{ "one scan twice is one, and two that differ are damaged",
	  one_scan_twice_is_one_and_two_that_differ_are_damaged },
	{ "another code is handed on as it is", another_code_is_handed_on_as_it_is },
	{ "full-width forms come back", full_width_forms_come_back },
	{ "text typed under another layout comes back", text_typed_under_another_layout_comes_back },
	{ "every character of base45 comes back from every layout",
	  every_character_of_base45_comes_back_from_every_layout },
	{ "small letters come back", small_letters_come_back },
	{ "letters that no layout explains are damaged", letters_that_no_layout_explains_are_damaged },
	CU_TEST_INFO_NULL,
};
SUITE(scan_text, setup, teardown, tests);
