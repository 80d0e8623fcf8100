#include "protocol/base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_clear(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_clear(b);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

/* Room for len more bytes and one NUL. */
static bool buf_reserve(struct buf *b, size_t len)
{
	if (b->failed || len > b->max - b->len) {
		b->failed = true;
		return false;
	}
	size_t need = b->len + len + 1;
	if (need <= b->cap)
		return true;
	size_t cap = b->cap < 64 ? 64 : b->cap;
	while (cap < need)
		cap *= 2;
	uint8_t *data = realloc(b->data, cap);
	if (data == NULL)
		abort();
	b->data = data;
	b->cap = cap;
	return true;
}

uint8_t *buf_grow(struct buf *b, size_t len)
{
	if (!buf_reserve(b, len))
		return NULL;
	uint8_t *at = b->data + b->len;
	b->len += len;
	return at;
}

bool buf_add(struct buf *b, const void *data, size_t len)
{
	uint8_t *at = buf_grow(b, len);
	if (at == NULL)
		return false;
	if (len > 0)
		memcpy(at, data, len);
	return true;
}

bool buf_add_str(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

bool buf_add_u8(struct buf *b, uint8_t v)
{
	return buf_add(b, &v, 1);
}

bool buf_add_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	if (buf_reserve(b, (size_t)n)) {
		vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
	return !b->failed;
}

const char *buf_str(struct buf *b)
{
	if (b->data == NULL)
		return "";
	b->data[b->len] = 0; /* every reserve leaves room for it */
	return (const char *)b->data;
}

bool buf_ok(const struct buf *b, const char *what, struct err *e)
{
	return !b->failed || err_set(e, ERR_FULL, "%s is larger than %zu bytes", what, b->max);
}

struct bytes buf_bytes(const struct buf *b)
{
	return (struct bytes){ b->data, b->len };
}

struct bytes bytes_of(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
