#include "protocol/cbor_normal.h"

#include "protocol/base/limits.h"
#include "protocol/base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAJOR_UINT, MAJOR_NINT, MAJOR_BYTES, MAJOR_TEXT, MAJOR_ARRAY, MAJOR_MAP, MAJOR_TAG, MAJOR_SIMPLE };
enum { TAG_DATE_TEXT = 0, TAG_TIME = 1 };
#define INDEFINITE 31
#define BREAK      0xff

struct source {
	const uint8_t *start, *at, *end;
	struct buf *out;
	struct err *e;
};

struct head {
	unsigned major, info;
	uint64_t value; /* the argument; 0 when indefinite */
};

/* One pair of a map, as offsets in out, from the map's start. */
struct pair {
	uint32_t at, key_len, len;
};

static bool item(struct source *s, unsigned depth);

static bool refuse(const struct source *s, const char *why)
{
	return err_set(s->e, ERR_INPUT, "CBOR: %s at byte %zu", why, (size_t)(s->at - s->start));
}

static bool head_get(struct source *s, struct head *h)
{
	size_t left = (size_t)(s->end - s->at);
	if (left == 0)
		return refuse(s, "ends too early");
	*h = (struct head){ *s->at >> 5, *s->at & 31, *s->at & 31 };
	if (h->info < 24) {
		s->at++;
		return true;
	}
	if (h->info == INDEFINITE) {
		if (h->major < MAJOR_BYTES || h->major > MAJOR_MAP)
			return refuse(s, "a length that is open where none may be");
		h->value = 0;
		s->at++;
		return true;
	}
	if (h->info > 27)
		return refuse(s, "a reserved head");
	size_t len = (size_t)1 << (h->info - 24);
	if (left <= len)
		return refuse(s, "ends too early");
	h->value = 0;
	for (size_t i = 1; i <= len; i++)
		h->value = h->value << 8 | s->at[i];
	s->at += 1 + len;
	return true;
}

static bool at_break(struct source *s)
{
	if (s->at == s->end || *s->at != BREAK)
		return false;
	s->at++;
	return true;
}

static bool run_take(struct source *s, const struct head *h, struct bytes *run)
{
	if (h->value > (size_t)(s->end - s->at))
		return refuse(s, "ends too early");
	*run = (struct bytes){ s->at, (size_t)h->value };
	if (h->major == MAJOR_TEXT && !utf8_is_valid(*run))
		return refuse(s, "text that is not UTF-8");
	s->at += run->len;
	return true;
}

/* Puts a head before what stands in out behind `from`. */
static bool head_insert(struct source *s, size_t from, unsigned major, uint64_t value)
{
	uint8_t bytes[10]; /* a head and the NUL that buf keeps room for */
	struct buf head = { bytes, 0, sizeof(bytes), sizeof(bytes) - 1, false };
	cbor_put_array(&head, value);
	bytes[0] = (uint8_t)(major << 5 | (bytes[0] & 31));
	size_t body = s->out->len - from;
	if (buf_grow(s->out, head.len) == NULL)
		return refuse(s, "too large");
	memmove(s->out->data + from + head.len, s->out->data + from, body);
	memcpy(s->out->data + from, bytes, head.len);
	return true;
}

static bool string(struct source *s, const struct head *h)
{
	size_t from = s->out->len;
	struct head piece = *h;
	struct bytes run;
	if (h->info != INDEFINITE) {
		if (!run_take(s, h, &run) || !buf_add(s->out, run.data, run.len))
			return false;
		return head_insert(s, from, h->major, run.len);
	}
	while (!at_break(s)) {
		if (!head_get(s, &piece))
			return false;
		if (piece.major != h->major || piece.info == INDEFINITE)
			return refuse(s, "a piece of a string that is none");
		if (!run_take(s, &piece, &run) || !buf_add(s->out, run.data, run.len))
			return false;
	}
	return head_insert(s, from, h->major, s->out->len - from);
}

static bool array(struct source *s, const struct head *h, unsigned depth)
{
	size_t from = s->out->len;
	uint64_t n = 0;
	for (; h->info == INDEFINITE ? !at_break(s) : n < h->value; n++)
		if (!item(s, depth))
			return false;
	return head_insert(s, from, MAJOR_ARRAY, n);
}

static int pair_compare(const void *a, const void *b, void *base)
{
	const struct pair *p = a, *q = b;
	const uint8_t *data = base;
	int order = memcmp(data + p->at, data + q->at, p->key_len < q->key_len ? p->key_len : q->key_len);
	return order != 0 ? order : (p->key_len > q->key_len) - (p->key_len < q->key_len);
}

/* The map's pairs, which begin at from, into the order of their keys. */
static bool pairs_sort(struct source *s, size_t from, struct pair *pairs, size_t n)
{
	size_t len = s->out->len - from, to = 0;
	uint8_t *base = s->out->data + from;
	qsort_r(pairs, n, sizeof(*pairs), pair_compare, base);
	for (size_t i = 1; i < n; i++)
		if (pair_compare(&pairs[i - 1], &pairs[i], base) == 0)
			return refuse(s, "a map has the same key twice before the end");
	uint8_t *sorted = malloc(len + 1);
	if (sorted == NULL)
		abort();
	for (size_t i = 0; i < n; i++) {
		memcpy(sorted + to, base + pairs[i].at, pairs[i].len);
		to += pairs[i].len;
	}
	memcpy(base, sorted, to);
	free(sorted);
	return true;
}

static bool pair_read(struct source *s, size_t from, unsigned depth, struct pair *p)
{
	size_t at = s->out->len;
	if (!item(s, depth))
		return false;
	size_t value = s->out->len;
	if (!item(s, depth))
		return false;
	*p = (struct pair){ (uint32_t)(at - from), (uint32_t)(value - at), (uint32_t)(s->out->len - at) };
	return true;
}

static bool map(struct source *s, const struct head *h, unsigned depth)
{
	size_t from = s->out->len, n = 0, cap = 8;
	struct pair *pairs = malloc(cap * sizeof(*pairs));
	bool ok = pairs != NULL;
	while (ok && (h->info == INDEFINITE ? !at_break(s) : n < h->value)) {
		if (n == cap) {
			cap *= 2;
			struct pair *more = realloc(pairs, cap * sizeof(*pairs));
			if (more == NULL)
				abort();
			pairs = more;
		}
		ok = pair_read(s, from, depth, &pairs[n]);
		n++;
	}
	ok = ok && (n == 0 || pairs_sort(s, from, pairs, n));
	free(pairs);
	return ok && head_insert(s, from, MAJOR_MAP, n);
}

/* IEEE 754 of two, four or eight bytes. */
static double real_of(const struct head *h)
{
	double d;
	float f;
	uint32_t single = (uint32_t)h->value;
	if (h->info == 27) {
		memcpy(&d, &h->value, sizeof(d));
		return d;
	}
	if (h->info == 26) {
		memcpy(&f, &single, sizeof(f));
		return (double)f;
	}
	int exponent = (int)(h->value >> 10 & 31);
	double m = (double)(h->value & 1023);
	if (exponent == 0)
		d = ldexp(m, -24);
	else if (exponent < 31)
		d = ldexp(m + 1024, exponent - 25);
	else
		d = m > 0 ? (double)NAN : (double)INFINITY;
	return (h->value & 0x8000) != 0 ? -d : d;
}

static bool simple(struct source *s, const struct head *h)
{
	switch (h->info) {
	case 20:
	case 21: cbor_put_bool(s->out, h->info == 21); return true;
	case 22:
	case 23: cbor_put_null(s->out); return true;
	case 25:
	case 26:
	case 27: cbor_put_real(s->out, real_of(h)); return true;
	default: return refuse(s, "a simple value that means nothing before the end");
	}
}

/*
 * That a text is a date, or a number a time, is known to who reads it: some write these tags and some do not, so they are left out. Before
 * anything else they are not valid (RFC 8949 sections 3.4.1 and 3.4.2).
 */
static bool tagged(struct source *s, const struct head *h, unsigned depth)
{
	unsigned major = s->at < s->end ? *s->at >> 5 : MAJOR_TAG;
	if (h->value != TAG_DATE_TEXT && h->value != TAG_TIME)
		cbor_put_tag(s->out, h->value);
	else if (h->value == TAG_DATE_TEXT ? major != MAJOR_TEXT
					   : major != MAJOR_UINT && major != MAJOR_NINT && major != MAJOR_SIMPLE)
		return refuse(s, "a tag of time before what is none");
	return item(s, depth);
}

static bool item(struct source *s, unsigned depth)
{
	struct head h;
	if (depth > CBOR_DEPTH_MAX)
		return refuse(s, "nested too deep");
	if (!head_get(s, &h))
		return false;
	switch (h.major) {
	case MAJOR_UINT: cbor_put_uint(s->out, h.value); return true;
	case MAJOR_NINT: return head_insert(s, s->out->len, MAJOR_NINT, h.value);
	case MAJOR_BYTES:
	case MAJOR_TEXT: return string(s, &h);
	case MAJOR_ARRAY: return array(s, &h, depth + 1);
	case MAJOR_MAP: return map(s, &h, depth + 1);
	case MAJOR_TAG: return tagged(s, &h, depth + 1);
	default: return simple(s, &h);
	}
}

bool cbor_normalise(struct bytes data, struct buf *out, struct err *e)
{
	static const uint8_t none;
	size_t before = out->len;
	const uint8_t *start = data.data != NULL ? data.data : &none;
	struct source s = { start, start, start + data.len, out, e };
	bool ok = item(&s, 1);
	if (ok && s.at != s.end)
		ok = refuse(&s, "something stands behind the item");
	if (out->failed)
		ok = buf_ok(out, "CBOR", e);
	if (!ok)
		out->len = before;
	return ok;
}
