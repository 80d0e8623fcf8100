/*
 * Foreign CBOR made deterministic, so that everything behind it is read by the one strict reader (cbor.h). Takes what is well-formed
 * (RFC 8949): indefinite lengths, longer heads, floats of any width, keys in any order, undefined as null, a date's or a time's tag 0 or 1
 * left out. Refuses what leaves a meaning open: the same key twice, text that is not UTF-8, other simple values, reserved heads, a tag 0
 * or 1 before what is no date or time, bytes behind the item, and more than CBOR_DEPTH_MAX levels. The result has at most CBOR_NORMAL_MAX bytes. Time is at worst data.len · CBOR_DEPTH_MAX · log, so callers bound data.
 */
#ifndef PROTOCOL_CBOR_NORMAL_H
#define PROTOCOL_CBOR_NORMAL_H

#include "protocol/cbor.h"

/* Of len bytes. An open array or map costs two bytes, a counted one of 256 or more items, of a byte each at least, three to nine. */
#define CBOR_NORMAL_MAX(len) ((len) + (len) / 256)

/* Appends the item to out; ERR_INPUT with the offset. */
bool cbor_normalise(struct bytes data, struct buf *out, struct err *e) CHECKED;

#endif
