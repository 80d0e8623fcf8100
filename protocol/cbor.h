/*
 * CBOR (RFC 8949), the deterministic encoding of its section 4.2.1 only: shortest heads, definite lengths, map keys sorted
 * bytewise by their encodings and never twice, floats in the shortest form that keeps the value, text in valid UTF-8. The
 * reader refuses everything else, with the offset in the error; it allocates nothing and never recurses deeper than
 * CBOR_DEPTH_MAX. Tags pass through cbor_get_tag alone.
 */
#ifndef PROTOCOL_CBOR_H
#define PROTOCOL_CBOR_H

#include "protocol/base/buf.h"

/* Writing: straight to a buf, whose stickiness carries failure. The caller gives map keys in order; cbor_check in the
   tests of every encoder proves it did. */
void cbor_put_uint(struct buf *b, uint64_t v);
void cbor_put_int(struct buf *b, int64_t v);
void cbor_put_bytes(struct buf *b, struct bytes v);
void cbor_put_text(struct buf *b, const char *v);
void cbor_put_text_n(struct buf *b, struct bytes v);
void cbor_put_array(struct buf *b, size_t len);
void cbor_put_map(struct buf *b, size_t pairs);
void cbor_put_tag(struct buf *b, uint64_t tag);
void cbor_put_bool(struct buf *b, bool v);
void cbor_put_null(struct buf *b);
void cbor_put_real(struct buf *b, double v);
/* Bytes that are CBOR already. */
void cbor_put_raw(struct buf *b, struct bytes v);

enum cbor_type {
	CBOR_UINT,
	CBOR_NINT,
	CBOR_BYTES,
	CBOR_TEXT,
	CBOR_ARRAY,
	CBOR_MAP,
	CBOR_TAG,
	CBOR_BOOL,
	CBOR_NULL,
	CBOR_REAL
};

/* Reading: a cursor. Each get moves past one item (of arrays and maps: the head) or fails without moving. */
struct cbor {
	const uint8_t *start, *at, *end;
};
struct cbor cbor_over(struct bytes data);
/* The next item's type; false at the end or on a byte that starts nothing we take. */
bool cbor_peek(const struct cbor *c, enum cbor_type *t);
bool cbor_get_uint(struct cbor *c, uint64_t *v, struct err *e) CHECKED;
bool cbor_get_int(struct cbor *c, int64_t *v, struct err *e) CHECKED;
bool cbor_get_bytes(struct cbor *c, struct bytes *v, struct err *e) CHECKED;
bool cbor_get_text(struct cbor *c, struct bytes *v, struct err *e) CHECKED;
/* *len is at most max, and at most what the remaining bytes could hold. */
bool cbor_get_array(struct cbor *c, size_t max, size_t *len, struct err *e) CHECKED;
bool cbor_get_map(struct cbor *c, size_t max, size_t *pairs, struct err *e) CHECKED;
bool cbor_get_tag(struct cbor *c, uint64_t *tag, struct err *e) CHECKED;
bool cbor_get_bool(struct cbor *c, bool *v, struct err *e) CHECKED;
bool cbor_get_null(struct cbor *c, struct err *e) CHECKED;
/* Takes integers too. */
bool cbor_get_real(struct cbor *c, double *v, struct err *e) CHECKED;
/* Moves past one whole item, checking it, and says which bytes it was. */
bool cbor_get_item(struct cbor *c, struct bytes *item, struct err *e) CHECKED;
/* Nothing behind. */
bool cbor_end(const struct cbor *c, struct err *e) CHECKED;
/* data is exactly one well-formed deterministic item. */
bool cbor_check(struct bytes data, struct err *e) CHECKED;

/* Fields of messages: maps with small unsigned keys (ascending), or text keys. */
/* The next key must be key: used by decoders of fixed maps, in order. */
bool cbor_expect_key(struct cbor *c, uint64_t key, struct err *e) CHECKED;
/* A map or an array of exactly so many. */
bool cbor_expect_map(struct cbor *c, size_t pairs, struct err *e) CHECKED;
bool cbor_expect_array(struct cbor *c, size_t len, struct err *e) CHECKED;
/* Unsigned, at most max. */
bool cbor_get_uint_max(struct cbor *c, uint64_t max, uint64_t *v, struct err *e) CHECKED;
/* Unix seconds, 0 … TIME_MAX_S. */
bool cbor_get_time(struct cbor *c, int64_t *time_s, struct err *e) CHECKED;
/* Exactly len bytes into out. */
bool cbor_get_bytes_exact(struct cbor *c, uint8_t *out, size_t len, struct err *e) CHECKED;
/* Text of at most size-1 bytes, no NUL inside, NUL-terminated into out. */
bool cbor_get_string(struct cbor *c, char *out, size_t size, struct err *e) CHECKED;
/* cbor_expect_key and the value behind it. */
bool cbor_key_uint(struct cbor *c, uint64_t key, uint64_t max, uint64_t *v, struct err *e) CHECKED;
bool cbor_key_time(struct cbor *c, uint64_t key, int64_t *time_s, struct err *e) CHECKED;
bool cbor_key_bool(struct cbor *c, uint64_t key, bool *v, struct err *e) CHECKED;
bool cbor_key_bytes(struct cbor *c, uint64_t key, struct bytes *v, struct err *e) CHECKED;
bool cbor_key_bytes_exact(struct cbor *c, uint64_t key, uint8_t *out, size_t len, struct err *e) CHECKED;
bool cbor_key_string(struct cbor *c, uint64_t key, char *out, size_t size, struct err *e) CHECKED;
bool cbor_key_array(struct cbor *c, uint64_t key, size_t max, size_t *len, struct err *e) CHECKED;
/* Finds key in the text-keyed map item m (checked before); *value is its item, or data NULL when missing. */
bool cbor_find(struct bytes map, const char *key, struct bytes *value, struct err *e) CHECKED;

#endif
