/*
 * COSE_Sign1 (RFC 9052 section 4.2), tag 18, ES256 (RFC 9053 section 2.1) only: the algorithm is taken from the protected header, which must
 * hold exactly alg and kid; the unprotected header must be empty. Used for heads; certificates of customers bring their own profile.
 */
#ifndef PROTOCOL_COSE_H
#define PROTOCOL_COSE_H

#include "protocol/cbor.h"
#include "protocol/crypto.h"

/* kid: first 8 bytes of SHA-256 over the public point. */
#define COSE_KID_LEN 8
void cose_kid(const uint8_t point[POINT_LEN], uint8_t kid[COSE_KID_LEN]);

/* context separates uses: it is the external_aad of the Sig_structure, e.g. "xb/1/head". */
bool cose_sign(const uint8_t scalar[SCALAR_LEN], const uint8_t point[POINT_LEN], const struct random *r,
	       const char *context, struct bytes payload, struct buf *out, struct err *e) CHECKED;

/* Parsed, not yet believed. */
struct cose {
	uint8_t kid[COSE_KID_LEN];
	struct bytes payload; /* borrowed */
	struct bytes protected_header;
	uint8_t signature[SIGNATURE_LEN];
};
bool cose_parse(struct bytes data, struct cose *out, struct err *e) CHECKED;
bool cose_verify(const struct cose *c, const uint8_t point[POINT_LEN], const char *context, struct err *e) CHECKED;

#endif
