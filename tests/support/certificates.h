/*
 * Certificates for tests: an issuer's key from a fixed seed, the two documents that speak of it, and certificates signed with it.
 * Everybody and everything in them is made up.
 */
#ifndef TESTS_SUPPORT_CERTIFICATES_H
#define TESTS_SUPPORT_CERTIFICATES_H

#include "firmware/documents.h"
#include "firmware/verify.h"

#define CERT_ISSUER   "11330800002500000X"    /* shaped like a credit code; nobody's */
#define CERT_TYPE     "11100000000013338W009" /* holder by tag; accepted for open_account and loan */
#define CERT_MASKED   "11100000000013338W011" /* holder masked; accepted for loan */
#define CERT_NOBODY   "11100000000013338W032" /* no holder; accepted for loan */
#define CERT_BUSINESS "open_account"

struct certificates {
	uint8_t scalar[SCALAR_LEN], point[POINT_LEN], kid[8];
	struct buf issuers_cbor, kinds_cbor; /* the documents as they travel */
	struct issuers *issuers;
	struct kinds *kinds;
};
/* key_members: JSON members for the key besides kid, alg and key, with ' for ", each with a comma before it, e.g.
   ",'to_s':1000"; "" none. issuer_kinds: e.g. "['*']". */
void certificates_open(struct certificates *c, const char *key_members, const char *issuer_kinds);
void certificates_close(struct certificates *c);
/* The issuers document with these; appended to out, as CBOR. */
void certificates_issuers(const struct certificates *c, const char *key_members, const char *issuer_kinds,
			  struct buf *out);

/* Both documents come into force there, as version 2. */
void certificates_apply(const struct certificates *c, struct documents *d);

/* Issued at now_s of this type for this serial, in force for a year, holder of the tests' ADULT (checks.h) tagged under key, masked
   when key is NULL, none for CERT_NOBODY. */
struct ecert certificate_of(const char *type, const char *serial, int64_t now_s, const struct tag_key *key);
/* Signed message and text. */
void certificate_sign(const struct certificates *c, const struct ecert *cert, struct buf *cose);
void certificate_text(const struct certificates *c, const struct ecert *cert, struct buf *text);
/* A document's CBOR from JSON with ' for ". */
void document_of(const char *json, const char *type, struct buf *cbor);

#endif
