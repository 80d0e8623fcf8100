/*
 * COSE_Sign1 (RFC 9052 section 4.2) as certificates use it, in two forms:
 *
 *   SIGN1_STRICT  ours: tag 18, deterministic CBOR, exactly alg and kid in the protected header, nothing unprotected
 *   SIGN1_FOREIGN any well-formed message: tag 18 or none, either also under CWT's tag 61 (RFC 8392 section 6); more headers than we
 *                 read, but none that is critical (crit) and unknown to us
 *
 * The algorithm is what the protected header says and nothing else; the kid may stand unprotected when the protected header has
 * none. A foreign message is at most ECERT_COSE_MAX bytes; of a strict one, which is not copied, the caller bounds the size. Whether algorithm and key agree, and whether either is allowed, is for the caller to ask. The payload must be there.
 */
#ifndef PROTOCOL_SIGN1_H
#define PROTOCOL_SIGN1_H

#include "protocol/public_key.h"

enum sign1_form { SIGN1_STRICT = 1, SIGN1_FOREIGN };

/* Parsed, not yet believed. Borrows from the data, or (FOREIGN) from memory. */
struct sign1 {
	bool has_alg; /* protected */
	int64_t alg;
	bool has_outer_alg; /* unprotected: shown, never used */
	int64_t outer_alg;
	struct bytes kid; /* data NULL: none */
	struct bytes payload;
	struct bytes protected_header;
	struct bytes signature;
};
/* memory: a buf of the caller's, emptied here; lives as long as out. */
bool sign1_parse(struct bytes data, enum sign1_form form, struct buf *memory, struct sign1 *out,
		 struct err *e) CHECKED;
/* Under the key's own algorithm. aad: external_aad; certificates have none. ERR_DENIED when it does not match. */
bool sign1_verify(const struct sign1 *s, struct public_key *key, struct bytes aad, struct err *e) CHECKED;

/* What was signed, RFC 9052 section 4.4, for those who verify otherwise. out is initialised here. */
bool sign1_text(const struct sign1 *s, struct bytes aad, struct buf *out, struct err *e) CHECKED;

/* A message of the strict form, ES256, appended to out. */
bool sign1_sign(const uint8_t scalar[SCALAR_LEN], struct bytes kid, const struct random *r, struct bytes aad,
		struct bytes payload, struct buf *out, struct err *e) CHECKED;

#endif
