#include "protocol/base/utf8.h"

#include <string.h>

/* Bytes of the character that starts with lead, 0 when none does. */
static size_t utf8_len(uint8_t lead)
{
	if (lead < 0x80)
		return lead == 0 ? 0 : 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* Eight bytes of ASCII, none of them NUL. */
static bool utf8_is_plain(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return ((v | (v - 0x0101010101010101U)) & 0x8080808080808080U) == 0;
}

/* Bytes of the character at p, of which there are left ≥ 1; 0 when it is none (RFC 3629, section 4). */
static size_t utf8_char(const uint8_t *p, size_t left)
{
	size_t n = utf8_len(p[0]);
	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	bool is_none = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		       (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f);
	return is_none ? 0 : n;
}

bool utf8_is_valid(struct bytes text)
{
	for (size_t at = 0, n; at < text.len; at += n) {
		bool plain = text.len - at >= 8 && utf8_is_plain(text.data + at);
		n = plain ? 8 : utf8_char(text.data + at, text.len - at);
		if (n == 0)
			return false;
	}
	return true;
}

int32_t utf8_next(const char **at, const char *end)
{
	static const int32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)*(*at)++;
	if (first < 0x80)
		return first;
	int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
	if (first < 0xC2 || first > 0xF4 || end - *at < more)
		return -1;
	int32_t c = first & (0x3F >> more);
	for (int i = 0; i < more; i++) {
		unsigned char next = (unsigned char)*(*at)++;
		if ((next & 0xC0) != 0x80)
			return -1;
		c = c << 6 | (next & 0x3F);
	}
	bool surrogate = c >= 0xD800 && c <= 0xDFFF;
	return c < least[more] || c > 0x10FFFF || surrogate ? -1 : c;
}
