/*
 * Characters as people type them, names, and documents we know no rule for.
 * A name is compared as it is written: no conversion between traditional and simplified, no Unicode
 * composition.
 */
#include "protocol/base/utf8.h"
#include "protocol/identifier_kinds.h"

#include <string.h>

#define WIDE_FROM  0x2E80 /* the first CJK block; below it words are set apart by spaces */
#define MIDDLE_DOT 0xB7   /* between the parts of a transliterated name */

static size_t utf8_put(int32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = len - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3F));
	static const int lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
	out[0] = (char)(lead[len] | c);
	return len;
}

static bool char_is_space(int32_t c)
{
	return c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
	       c == 0x205F || c == 0x3000;
}

static bool char_is_dash(int32_t c)
{
	return (c >= 0x2010 && c <= 0x2015) || c == 0x2212;
}

/* Joiners, direction marks, soft hyphen, byte order mark: nobody sees them, so they may not make two names of
 * one. */
static bool char_is_invisible(int32_t c)
{
	return c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
	       (c >= 0x2060 && c <= 0x2069) || c == 0xFEFF;
}

int32_t identifier_char(const char **at, const char *end)
{
	int32_t c = utf8_next(at, end);
	if (c >= 0x20 && c < 0x7F)
		return c;
	if (c == '\t' || c == '\n' || c == '\r')
		return ' ';
	if (c < 0xA0)
		return -1;
	if (c >= 0xFF01 && c <= 0xFF5E)
		return c - 0xFEE0;
	if (char_is_space(c))
		return ' ';
	if (char_is_dash(c))
		return '-';
	return char_is_invisible(c) ? 0 : c;
}

static int32_t name_fold(int32_t c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 'A';
	if (c == 0x2022 || c == 0x2027 || c == 0x30FB || c == 0xFF65)
		return MIDDLE_DOT;
	return c;
}

/* Spaces count only between two characters that need them. */
static bool name_is_wide(int32_t c)
{
	return c >= WIDE_FROM || c == MIDDLE_DOT;
}

enum identifier_fault identifier_name(const struct identifier_text *t, struct identifier *out)
{
	const char *at = t->at, *end = t->at + t->len;
	size_t len = 0;
	bool space = false;
	int32_t last = 0;
	while (at < end) {
		int32_t c = identifier_char(&at, end);
		if (c < 0)
			return IDENTIFIER_FAULT_ALPHABET;
		if (c == 0)
			continue;
		if (c == ' ') {
			space = true;
			continue;
		}
		c = name_fold(c);
		char bytes[5];
		size_t n = 0;
		if (space && last != 0 && !name_is_wide(last) && !name_is_wide(c))
			bytes[n++] = ' ';
		n += utf8_put(c, bytes + n);
		if (n > PERSON_NAME_MAX - len)
			return IDENTIFIER_FAULT_LENGTH;
		memcpy(out->canonical + len, bytes, n);
		len += n;
		space = false;
		last = c;
	}
	return len == 0 ? IDENTIFIER_FAULT_EMPTY : IDENTIFIER_FAULT_NONE;
}

enum identifier_fault identifier_foreign(const struct identifier_text *t, struct identifier *out)
{
	if (t->len < 3 || t->len > 40)
		return IDENTIFIER_FAULT_LENGTH;
	memcpy(out->canonical, t->at, t->len);
	return IDENTIFIER_FAULT_NONE;
}

enum identifier_fault identifier_ecert(const struct identifier_text *t, struct identifier *out)
{
	if (t->len < 3 || t->len > IDENTIFIER_ECERT_MAX)
		return IDENTIFIER_FAULT_LENGTH;
	for (size_t i = 0; i < t->len; i++) {
		char c = t->at[i];
		if (c <= ' ' || c > '~')
			return IDENTIFIER_FAULT_ALPHABET;
		out->canonical[i] = c;
		if (c >= 'a' && c <= 'z')
			out->canonical[i] = (char)(c - 'a' + 'A');
	}
	return memchr(t->at, '/', t->len) != NULL ? IDENTIFIER_FAULT_NONE : IDENTIFIER_FAULT_PREFIX;
}
