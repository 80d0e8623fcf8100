/*
 * A growing run of bytes with a maximum. Writing past the maximum fails and stays failed, so a builder may add piece
 * after piece and look at buf_ok once at the end. Out of memory aborts.
 */
#ifndef PROTOCOL_BASE_BUF_H
#define PROTOCOL_BASE_BUF_H

#include "protocol/base/err.h"

#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes. */
struct bytes {
	const uint8_t *data;
	size_t len;
};

struct buf {
	uint8_t *data; /* owned; not NUL-terminated */
	size_t len;
	size_t cap;
	size_t max; /* len never exceeds this */
	bool failed;
};

/* An empty buffer that may hold up to max bytes. Release with buf_clear. */
void buf_init(struct buf *b, size_t max);
void buf_clear(struct buf *b);
/* What held a secret: overwritten first. */
void buf_wipe(struct buf *b);
/* Empties it, keeping the memory and the maximum. */
void buf_reset(struct buf *b);
/* Appends; false (and buf_ok turns false) past the maximum. */
bool buf_add(struct buf *b, const void *data, size_t len);
bool buf_add_str(struct buf *b, const char *s);
bool buf_add_u8(struct buf *b, uint8_t v);
bool buf_add_fmt(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* Appends len bytes for the caller to fill and returns where they start, or NULL past the maximum. */
uint8_t *buf_grow(struct buf *b, size_t len);
/* The text with a NUL behind it, which does not count in len. Valid until the next change. */
const char *buf_str(struct buf *b);
/* True while every append has fitted; otherwise ERR_FULL naming what (e.g. "reply"). */
bool buf_ok(const struct buf *b, const char *what, struct err *e) CHECKED;
struct bytes buf_bytes(const struct buf *b);
struct bytes bytes_of(const char *s);
bool bytes_equal(struct bytes a, struct bytes b);

#endif
