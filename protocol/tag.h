/*
 * How an identifier is listed: the first 8 bytes, big-endian, of HMAC-SHA-256 under the list epoch's key over
 * kind(1) ‖ canonical identifier. With iterations above 1, of PBKDF2-HMAC-SHA-256 (password = key, salt = the same bytes).
 * An unkeyed hash of an ID number is worth nothing: all of one city's enumerate in minutes.
 */
#ifndef PROTOCOL_TAG_H
#define PROTOCOL_TAG_H

#include "protocol/crypto.h"
#include "protocol/identifier.h"

struct tag_key {
	uint32_t epoch;
	uint32_t iterations; /* 1 … 100000 */
	struct hmac_key hmac;
};

void tag_key_init(struct tag_key *k, uint32_t epoch, uint32_t iterations, const uint8_t secret[32]);
void tag_key_wipe(struct tag_key *k);
uint64_t tag_of(const struct tag_key *k, const struct identifier *id);
/* A tag that no identifier has (kind byte 0), for canaries: n-th known hit of the list named. */
uint64_t tag_canary(const struct tag_key *k, const char *list, unsigned n);

/* An epoch key travels sealed to a branch's sealing key: plain = epoch u32 ‖ iterations u32 ‖ secret(32), big-endian, context
   "xb/1/epoch/" ‖ branch. */
bool tag_key_seal(uint32_t epoch, uint32_t iterations, const uint8_t secret[32], const char *branch,
		  const uint8_t point[POINT_LEN], const struct random *r, struct buf *out, struct err *e) CHECKED;
bool tag_key_unseal(struct bytes sealed, const char *branch, const uint8_t scalar[SCALAR_LEN],
		    const uint8_t point[POINT_LEN], uint32_t *epoch, uint32_t *iterations, uint8_t secret[32],
		    struct err *e) CHECKED;

#endif
