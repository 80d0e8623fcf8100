#include "protocol/cbor.h"

#include "protocol/base/limits.h"
#include "protocol/base/utf8.h"

#include <math.h>
#include <string.h>

enum { MAJOR_UINT, MAJOR_NINT, MAJOR_BYTES, MAJOR_TEXT, MAJOR_ARRAY, MAJOR_MAP, MAJOR_TAG, MAJOR_SIMPLE };
enum { SIMPLE_FALSE = 0xf4, SIMPLE_TRUE = 0xf5, SIMPLE_NULL = 0xf6, REAL_16 = 0xf9, REAL_32 = 0xfa, REAL_64 = 0xfb };

static void put_be(struct buf *b, uint64_t v, size_t len)
{
	for (size_t i = len; i-- > 0;)
		buf_add_u8(b, (uint8_t)(v >> 8 * i));
}

static void put_head(struct buf *b, unsigned major, uint64_t v)
{
	if (v < 24) {
		buf_add_u8(b, (uint8_t)(major << 5 | v));
		return;
	}
	unsigned power = v <= UINT8_MAX ? 0 : v <= UINT16_MAX ? 1 : v <= UINT32_MAX ? 2 : 3;
	buf_add_u8(b, (uint8_t)(major << 5 | (24 + power)));
	put_be(b, v, (size_t)1 << power);
}

void cbor_put_uint(struct buf *b, uint64_t v)
{
	put_head(b, MAJOR_UINT, v);
}

void cbor_put_int(struct buf *b, int64_t v)
{
	if (v >= 0)
		put_head(b, MAJOR_UINT, (uint64_t)v);
	else
		put_head(b, MAJOR_NINT, (uint64_t)(-1 - v));
}

void cbor_put_bytes(struct buf *b, struct bytes v)
{
	put_head(b, MAJOR_BYTES, v.len);
	buf_add(b, v.data, v.len);
}

void cbor_put_text_n(struct buf *b, struct bytes v)
{
	put_head(b, MAJOR_TEXT, v.len);
	buf_add(b, v.data, v.len);
}

void cbor_put_text(struct buf *b, const char *v)
{
	cbor_put_text_n(b, bytes_of(v));
}

void cbor_put_array(struct buf *b, size_t len)
{
	put_head(b, MAJOR_ARRAY, len);
}

void cbor_put_map(struct buf *b, size_t pairs)
{
	put_head(b, MAJOR_MAP, pairs);
}

void cbor_put_tag(struct buf *b, uint64_t tag)
{
	put_head(b, MAJOR_TAG, tag);
}

void cbor_put_bool(struct buf *b, bool v)
{
	buf_add_u8(b, v ? SIMPLE_TRUE : SIMPLE_FALSE);
}

void cbor_put_null(struct buf *b)
{
	buf_add_u8(b, SIMPLE_NULL);
}

void cbor_put_raw(struct buf *b, struct bytes v)
{
	buf_add(b, v.data, v.len);
}

/* IEEE 754 binary16 → binary64. */
static double half_value(uint16_t h)
{
	int exponent = h >> 10 & 31;
	double m = h & 1023, v;
	if (exponent == 0)
		v = ldexp(m, -24);
	else if (exponent < 31)
		v = ldexp(m + 1024, exponent - 25);
	else
		v = m > 0 ? (double)NAN : (double)INFINITY;
	return h & 0x8000 ? -v : v;
}

/* Zeros of both signs differ. */
static uint64_t real_bits(double v)
{
	uint64_t bits = 0;
	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

/* The half that is exactly this float's value, if there is one. Infinities included, not NaN. */
static bool half_of(float f, uint16_t *half)
{
	uint32_t x = 0;
	memcpy(&x, &f, sizeof(x));
	uint16_t sign = (uint16_t)(x >> 16 & 0x8000);
	int exponent = (int)(x >> 23 & 255) - 127;
	uint32_t m = x & 0x7fffff;
	if (exponent == 128)
		*half = sign | 0x7c00;
	else if (exponent >= -14 && exponent <= 15)
		*half = (uint16_t)(sign | (uint32_t)(exponent + 15) << 10 | m >> 13);
	else if (exponent >= -24 && exponent < -14)
		*half = (uint16_t)(sign | (m | 0x800000) >> (-exponent - 1));
	else
		*half = sign;
	return real_bits(half_value(*half)) == real_bits((double)f);
}

/* The shortest form that keeps the value: its bits, and its length in bytes. */
static size_t real_form(double v, uint64_t *bits)
{
	uint16_t half = 0;
	uint32_t single = 0;
	if (isnan(v)) {
		*bits = 0x7e00;
		return 2;
	}
	float f = (float)v;
	if (real_bits((double)f) != real_bits(v)) {
		*bits = real_bits(v);
		return 8;
	}
	if (half_of(f, &half)) {
		*bits = half;
		return 2;
	}
	memcpy(&single, &f, sizeof(single));
	*bits = single;
	return 4;
}

void cbor_put_real(struct buf *b, double v)
{
	uint64_t bits = 0;
	size_t len = real_form(v, &bits);
	buf_add_u8(b, len == 2 ? REAL_16 : len == 4 ? REAL_32 : REAL_64);
	put_be(b, bits, len);
}

/* Reading */

struct cbor cbor_over(struct bytes data)
{
	static const uint8_t none;
	const uint8_t *start = data.data != NULL ? data.data : &none;
	return (struct cbor){ start, start, start + data.len };
}

static size_t left(const struct cbor *c)
{
	return (size_t)(c->end - c->at);
}

static bool refuse(const struct cbor *c, struct err *e, const char *why)
{
	return err_set(e, ERR_INPUT, "CBOR: %s at byte %zu", why, (size_t)(c->at - c->start));
}

bool cbor_peek(const struct cbor *c, enum cbor_type *t)
{
	if (left(c) == 0)
		return false;
	unsigned major = *c->at >> 5;
	if (major != MAJOR_SIMPLE) {
		*t = (enum cbor_type)major; /* the first seven types stand in the order of the majors */
		return true;
	}
	switch (*c->at) {
	case SIMPLE_FALSE:
	case SIMPLE_TRUE: *t = CBOR_BOOL; return true;
	case SIMPLE_NULL: *t = CBOR_NULL; return true;
	case REAL_16:
	case REAL_32:
	case REAL_64: *t = CBOR_REAL; return true;
	default: return false;
	}
}

static uint64_t get_be(const uint8_t *at, size_t len)
{
	uint64_t v = 0;
	for (size_t i = 0; i < len; i++)
		v = v << 8 | at[i];
	return v;
}

static bool get_head(struct cbor *c, unsigned major, uint64_t *v, struct err *e)
{
	if (left(c) == 0)
		return refuse(c, e, "ends too early");
	if (*c->at >> 5 != major)
		return refuse(c, e, "another type was expected");
	unsigned info = *c->at & 31;
	if (info > 27)
		return refuse(c, e, "indefinite or reserved length");
	if (info < 24) {
		*v = info;
		c->at++;
		return true;
	}
	size_t len = (size_t)1 << (info - 24);
	if (left(c) <= len)
		return refuse(c, e, "ends too early");
	uint64_t value = get_be(c->at + 1, len);
	if (len == 1 ? value < 24 : value >> 4 * len == 0)
		return refuse(c, e, "not the shortest form");
	*v = value;
	c->at += 1 + len;
	return true;
}

bool cbor_get_uint(struct cbor *c, uint64_t *v, struct err *e)
{
	return get_head(c, MAJOR_UINT, v, e);
}

bool cbor_get_int(struct cbor *c, int64_t *v, struct err *e)
{
	struct cbor next = *c;
	uint64_t u = 0;
	bool negative = left(c) > 0 && *c->at >> 5 == MAJOR_NINT;
	if (!get_head(&next, negative ? MAJOR_NINT : MAJOR_UINT, &u, e))
		return false;
	if (u > INT64_MAX)
		return refuse(c, e, "an integer beyond 64 bits");
	*v = negative ? -1 - (int64_t)u : (int64_t)u;
	*c = next;
	return true;
}

static bool get_run(struct cbor *c, unsigned major, struct bytes *v, struct err *e)
{
	struct cbor next = *c;
	uint64_t len = 0;
	if (!get_head(&next, major, &len, e))
		return false;
	if (len > left(&next))
		return refuse(c, e, "ends too early");
	*v = (struct bytes){ next.at, (size_t)len };
	next.at += len;
	*c = next;
	return true;
}

bool cbor_get_bytes(struct cbor *c, struct bytes *v, struct err *e)
{
	return get_run(c, MAJOR_BYTES, v, e);
}

bool cbor_get_text(struct cbor *c, struct bytes *v, struct err *e)
{
	struct cbor next = *c;
	struct bytes text;
	if (!get_run(&next, MAJOR_TEXT, &text, e))
		return false;
	if (!utf8_is_valid(text))
		return refuse(c, e, "text that is not UTF-8");
	*v = text;
	*c = next;
	return true;
}

static bool get_count(struct cbor *c, unsigned major, size_t max, size_t *len, struct err *e)
{
	struct cbor next = *c;
	uint64_t n = 0;
	if (!get_head(&next, major, &n, e))
		return false;
	if (n > max)
		return refuse(c, e, "more items than allowed");
	if (n > left(&next) / (major == MAJOR_MAP ? 2 : 1))
		return refuse(c, e, "ends too early");
	*len = (size_t)n;
	*c = next;
	return true;
}

bool cbor_get_array(struct cbor *c, size_t max, size_t *len, struct err *e)
{
	return get_count(c, MAJOR_ARRAY, max, len, e);
}

bool cbor_get_map(struct cbor *c, size_t max, size_t *pairs, struct err *e)
{
	return get_count(c, MAJOR_MAP, max, pairs, e);
}

bool cbor_get_tag(struct cbor *c, uint64_t *tag, struct err *e)
{
	return get_head(c, MAJOR_TAG, tag, e);
}

bool cbor_get_bool(struct cbor *c, bool *v, struct err *e)
{
	if (left(c) == 0 || (*c->at != SIMPLE_FALSE && *c->at != SIMPLE_TRUE))
		return refuse(c, e, "true or false was expected");
	*v = *c->at++ == SIMPLE_TRUE;
	return true;
}

bool cbor_get_null(struct cbor *c, struct err *e)
{
	if (left(c) == 0 || *c->at != SIMPLE_NULL)
		return refuse(c, e, "null was expected");
	c->at++;
	return true;
}

static double real_value(uint64_t bits, size_t len)
{
	double d = 0;
	float f = 0;
	uint32_t single = (uint32_t)bits;
	if (len == 2)
		return half_value((uint16_t)bits);
	if (len == 4) {
		memcpy(&f, &single, sizeof(f));
		return (double)f;
	}
	memcpy(&d, &bits, sizeof(d));
	return d;
}

bool cbor_get_real(struct cbor *c, double *v, struct err *e)
{
	enum cbor_type t = CBOR_NULL;
	int64_t integer = 0;
	uint64_t again = 0;
	if (!cbor_peek(c, &t) || (t != CBOR_REAL && t != CBOR_UINT && t != CBOR_NINT))
		return refuse(c, e, "a number was expected");
	if (t != CBOR_REAL) {
		if (!cbor_get_int(c, &integer, e))
			return false;
		*v = (double)integer;
		return true;
	}
	size_t len = (size_t)2 << (*c->at - REAL_16);
	if (left(c) <= len)
		return refuse(c, e, "ends too early");
	uint64_t bits = get_be(c->at + 1, len);
	double value = real_value(bits, len);
	if (real_form(value, &again) != len || again != bits)
		return refuse(c, e, "not the shortest form");
	*v = value;
	c->at += 1 + len;
	return true;
}

static bool skip(struct cbor *c, unsigned depth, struct err *e);

static bool skip_map(struct cbor *c, unsigned depth, struct err *e)
{
	size_t pairs = 0;
	struct bytes last = { c->at, 0 };
	if (!cbor_get_map(c, SIZE_MAX, &pairs, e))
		return false;
	for (; pairs > 0; pairs--) {
		const uint8_t *from = c->at;
		if (!skip(c, depth + 1, e))
			return false;
		struct bytes key = { from, (size_t)(c->at - from) };
		size_t common = key.len < last.len ? key.len : last.len;
		int order = common == 0 ? -1 : memcmp(last.data, key.data, common);
		if (order > 0 || (order == 0 && last.len >= key.len))
			return refuse(c, e, "map keys out of order or twice");
		last = key;
		if (!skip(c, depth + 1, e))
			return false;
	}
	return true;
}

static bool skip_array(struct cbor *c, unsigned depth, struct err *e)
{
	size_t len = 0;
	if (!cbor_get_array(c, SIZE_MAX, &len, e))
		return false;
	for (; len > 0; len--)
		if (!skip(c, depth + 1, e))
			return false;
	return true;
}

static bool skip(struct cbor *c, unsigned depth, struct err *e)
{
	enum cbor_type t = CBOR_NULL;
	struct bytes run;
	uint64_t u = 0;
	double d = 0;
	if (depth > CBOR_DEPTH_MAX)
		return refuse(c, e, "nested too deep");
	if (!cbor_peek(c, &t))
		return refuse(c, e, "no item");
	switch (t) {
	case CBOR_UINT: return get_head(c, MAJOR_UINT, &u, e);
	case CBOR_NINT: return get_head(c, MAJOR_NINT, &u, e);
	case CBOR_BYTES: return cbor_get_bytes(c, &run, e);
	case CBOR_TEXT: return cbor_get_text(c, &run, e);
	case CBOR_TAG: return get_head(c, MAJOR_TAG, &u, e) && skip(c, depth + 1, e);
	case CBOR_BOOL:
	case CBOR_NULL: c->at++; return true;
	case CBOR_REAL: return cbor_get_real(c, &d, e);
	case CBOR_ARRAY: return skip_array(c, depth, e);
	case CBOR_MAP: return skip_map(c, depth, e);
	}
	return false;
}

bool cbor_get_item(struct cbor *c, struct bytes *item, struct err *e)
{
	struct cbor next = *c;
	if (!skip(&next, 1, e))
		return false;
	*item = (struct bytes){ c->at, (size_t)(next.at - c->at) };
	*c = next;
	return true;
}

bool cbor_end(const struct cbor *c, struct err *e)
{
	return left(c) == 0 || refuse(c, e, "bytes behind the end");
}

bool cbor_check(struct bytes data, struct err *e)
{
	struct cbor c = cbor_over(data);
	return skip(&c, 1, e) && cbor_end(&c, e);
}

bool cbor_expect_key(struct cbor *c, uint64_t key, struct err *e)
{
	struct cbor next = *c;
	uint64_t got = 0;
	if (!cbor_get_uint(&next, &got, e))
		return false;
	if (got != key)
		return err_set(e, ERR_INPUT, "CBOR: key %llu where %llu was expected", (unsigned long long)got,
			       (unsigned long long)key);
	*c = next;
	return true;
}

bool cbor_expect_map(struct cbor *c, size_t pairs, struct err *e)
{
	struct cbor next = *c;
	size_t found = 0;
	if (!cbor_get_map(&next, SIZE_MAX, &found, e))
		return false;
	if (found != pairs)
		return refuse(c, e, "a map of another length than expected");
	*c = next;
	return true;
}

bool cbor_expect_array(struct cbor *c, size_t len, struct err *e)
{
	struct cbor next = *c;
	size_t found = 0;
	if (!cbor_get_array(&next, SIZE_MAX, &found, e))
		return false;
	if (found != len)
		return refuse(c, e, "an array of another length than expected");
	*c = next;
	return true;
}

bool cbor_get_uint_max(struct cbor *c, uint64_t max, uint64_t *v, struct err *e)
{
	struct cbor next = *c;
	if (!cbor_get_uint(&next, v, e))
		return false;
	if (*v > max)
		return refuse(c, e, "a number above its maximum");
	*c = next;
	return true;
}

bool cbor_get_time(struct cbor *c, int64_t *time_s, struct err *e)
{
	uint64_t v = 0;
	if (!cbor_get_uint_max(c, TIME_MAX_S, &v, e))
		return false;
	*time_s = (int64_t)v;
	return true;
}

bool cbor_get_bytes_exact(struct cbor *c, uint8_t *out, size_t len, struct err *e)
{
	struct cbor next = *c;
	struct bytes v;
	if (!cbor_get_bytes(&next, &v, e))
		return false;
	if (v.len != len)
		return refuse(c, e, "bytes of another length");
	memcpy(out, v.data, len);
	*c = next;
	return true;
}

bool cbor_get_string(struct cbor *c, char *out, size_t size, struct err *e)
{
	struct cbor next = *c;
	struct bytes v;
	if (!cbor_get_text(&next, &v, e))
		return false;
	if (v.len >= size || memchr(v.data, 0, v.len) != NULL)
		return refuse(c, e, "text too long, or with a NUL");
	memcpy(out, v.data, v.len);
	out[v.len] = 0;
	*c = next;
	return true;
}

bool cbor_key_uint(struct cbor *c, uint64_t key, uint64_t max, uint64_t *v, struct err *e)
{
	return cbor_expect_key(c, key, e) && cbor_get_uint_max(c, max, v, e);
}

bool cbor_key_time(struct cbor *c, uint64_t key, int64_t *time_s, struct err *e)
{
	return cbor_expect_key(c, key, e) && cbor_get_time(c, time_s, e);
}

bool cbor_key_bool(struct cbor *c, uint64_t key, bool *v, struct err *e)
{
	return cbor_expect_key(c, key, e) && cbor_get_bool(c, v, e);
}

bool cbor_key_bytes(struct cbor *c, uint64_t key, struct bytes *v, struct err *e)
{
	return cbor_expect_key(c, key, e) && cbor_get_bytes(c, v, e);
}

bool cbor_key_bytes_exact(struct cbor *c, uint64_t key, uint8_t *out, size_t len, struct err *e)
{
	return cbor_expect_key(c, key, e) && cbor_get_bytes_exact(c, out, len, e);
}

bool cbor_key_string(struct cbor *c, uint64_t key, char *out, size_t size, struct err *e)
{
	return cbor_expect_key(c, key, e) && cbor_get_string(c, out, size, e);
}

bool cbor_key_array(struct cbor *c, uint64_t key, size_t max, size_t *len, struct err *e)
{
	return cbor_expect_key(c, key, e) && cbor_get_array(c, max, len, e);
}

bool cbor_find(struct bytes map, const char *key, struct bytes *value, struct err *e)
{
	struct cbor c = cbor_over(map);
	size_t pairs = 0;
	*value = (struct bytes){ NULL, 0 };
	if (!cbor_get_map(&c, SIZE_MAX, &pairs, e))
		return false;
	for (; pairs > 0; pairs--) {
		struct bytes name, item;
		if (!cbor_get_text(&c, &name, e) || !cbor_get_item(&c, &item, e))
			return false;
		if (bytes_equal(name, bytes_of(key)))
			*value = item;
	}
	return true;
}
