/*
 * Base45 (RFC 9285): two bytes as three, a last single one as two, of the 45 characters that a QR code packs best.
 */
#ifndef PROTOCOL_BASE45_H
#define PROTOCOL_BASE45_H

#include "protocol/base/buf.h"

void base45_encode(struct bytes data, struct buf *out);
/* Appends to out. ERR_INPUT; *bad_at is then the character (or the first of the group) that is wrong, text.len when the length is.
   Upper case only, and only what an encoder writes: a group above 65,535 or 255 is refused (section 6). */
bool base45_decode(struct bytes text, struct buf *out, size_t *bad_at, struct err *e) CHECKED;
/* Whether the alphabet has it. */
bool base45_has(uint8_t c);

#endif
