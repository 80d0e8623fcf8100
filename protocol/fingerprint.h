/*
 * A 128-bit fingerprint of a set of entries: two 64-bit sums, modulo 2^64, of a strong mix of each (tag, value). Adding
 * and taking away commute, so a delta moves it in the time of the delta. The signed head carries the fingerprint of each
 * list version: a branch moves its own by the delta and knows that the result is right before it switches. It guards
 * against mistakes (a delta built from another set), not against forgery: that is the signature's work.
 *
 * The mix: sum 0 adds m(tag + value · 0x9e3779b97f4a7c15), sum 1 adds m(~tag + value · 0xd1342543de82ef95), where m(x) is
 *   x ^= x >> 30, x *= 0xbf58476d1ce4e5b9, x ^= x >> 27, x *= 0x94d049bb133111eb, x ^= x >> 31.
 * On the wire: sum 0, then sum 1, each little-endian. The empty set is all zeros.
 */
#ifndef PROTOCOL_FINGERPRINT_H
#define PROTOCOL_FINGERPRINT_H

#include "protocol/segment.h"

#define FINGERPRINT_BYTES 16

struct fingerprint {
	uint64_t sum[2];
};

void fingerprint_add(struct fingerprint *f, uint64_t tag, uint32_t value);
void fingerprint_remove(struct fingerprint *f, uint64_t tag, uint32_t value);
/* Moves it by every entry of the segment: a snapshot's entries are added, a delta's are added or removed. */
void fingerprint_apply(struct fingerprint *f, const struct segment *s);
bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b);
void fingerprint_encode(const struct fingerprint *f, uint8_t out[FINGERPRINT_BYTES]);
void fingerprint_decode(const uint8_t in[FINGERPRINT_BYTES], struct fingerprint *f);

#endif
