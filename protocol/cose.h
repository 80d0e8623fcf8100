/*
 * Messages that central itself signs (heads): sign1.h's strict form, ES256 (RFC 9053 section 2.1) only, a kid of 8 bytes, and a
 * context that keeps uses apart.
 */
#ifndef PROTOCOL_COSE_H
#define PROTOCOL_COSE_H

#include "protocol/cbor.h"
#include "protocol/sign1.h"

/* kid: first 8 bytes of SHA-256 over the public point. */
#define COSE_KID_LEN 8
void cose_kid(const uint8_t point[POINT_LEN], uint8_t kid[COSE_KID_LEN]);

/* context separates uses: it is the external_aad of the Sig_structure, e.g. "xb/1/head". */
bool cose_sign(const uint8_t scalar[SCALAR_LEN], const uint8_t point[POINT_LEN], const struct random *r,
	       const char *context, struct bytes payload, struct buf *out, struct err *e) CHECKED;

/* Parsed, not yet believed. The message's bytes are borrowed. */
struct cose {
	uint8_t kid[COSE_KID_LEN];
	struct bytes payload;
	struct sign1 message;
};
bool cose_parse(struct bytes data, struct cose *out, struct err *e) CHECKED;
bool cose_verify(const struct cose *c, const uint8_t point[POINT_LEN], const char *context, struct err *e) CHECKED;

#endif
