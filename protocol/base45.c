#include "protocol/base45.h"

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/* One above the value, so that what is not named is 0. */
static const uint8_t values[256] = {
	['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,  ['8'] = 9,
	['9'] = 10, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16, ['G'] = 17, ['H'] = 18,
	['I'] = 19, ['J'] = 20, ['K'] = 21, ['L'] = 22, ['M'] = 23, ['N'] = 24, ['O'] = 25, ['P'] = 26, ['Q'] = 27,
	['R'] = 28, ['S'] = 29, ['T'] = 30, ['U'] = 31, ['V'] = 32, ['W'] = 33, ['X'] = 34, ['Y'] = 35, ['Z'] = 36,
	[' '] = 37, ['$'] = 38, ['%'] = 39, ['*'] = 40, ['+'] = 41, ['-'] = 42, ['.'] = 43, ['/'] = 44, [':'] = 45,
};

bool base45_has(uint8_t c)
{
	return values[c] != 0;
}

void base45_encode(struct bytes data, struct buf *out)
{
	uint8_t *to = buf_grow(out, data.len / 2 * 3 + data.len % 2 * 2);
	if (to == NULL)
		return;
	size_t i = 0;
	for (; i + 1 < data.len; i += 2) {
		unsigned n = (unsigned)data.data[i] << 8 | data.data[i + 1];
		*to++ = (uint8_t)alphabet[n % 45];
		*to++ = (uint8_t)alphabet[n / 45 % 45];
		*to++ = (uint8_t)alphabet[n / 2025];
	}
	if (i < data.len) {
		*to++ = (uint8_t)alphabet[data.data[i] % 45];
		*to = (uint8_t)alphabet[data.data[i] / 45];
	}
}

/* The group's value, or -1 with *bad_at. */
static int32_t group(struct bytes text, size_t at, size_t len, size_t *bad_at)
{
	static const int32_t weights[] = { 1, 45, 2025 };
	int32_t n = 0;
	for (size_t i = 0; i < len; i++) {
		int32_t v = values[text.data[at + i]];
		if (v == 0) {
			*bad_at = at + i;
			return -1;
		}
		n += (v - 1) * weights[i];
	}
	if (n <= (len == 3 ? 0xffff : 0xff))
		return n;
	*bad_at = at;
	return -1;
}

bool base45_decode(struct bytes text, struct buf *out, size_t *bad_at, struct err *e)
{
	size_t before = out->len, rest = text.len % 3;
	*bad_at = text.len;
	uint8_t *to = buf_grow(out, text.len / 3 * 2 + rest / 2);
	if (to == NULL)
		return err_set(e, ERR_FULL, "base45: %zu characters are too many", text.len);
	for (size_t i = 0; i + rest < text.len; i += 3) {
		int32_t n = group(text, i, 3, bad_at);
		if (n < 0)
			goto out;
		*to++ = (uint8_t)(n >> 8);
		*to++ = (uint8_t)n;
	}
	if (rest == 2) {
		int32_t n = group(text, text.len - 2, 2, bad_at);
		if (n < 0)
			goto out;
		*to = (uint8_t)n;
	}
	if (rest != 1)
		return true;
	if (!base45_has(text.data[text.len - 1]))
		*bad_at = text.len - 1;
out:
	out->len = before;
	return err_set(e, ERR_INPUT, "base45: wrong at character %zu of %zu", *bad_at, text.len);
}
