/*
 * Public keys that certificates are verified with: P-256, P-384, P-521 (RFC 5480) and RSA of 2,048 to 4,096 bits, out of a SubjectPublicKeyInfo or an
 * X.509 certificate (RFC 5280), DER. Parsed once, used many times: the curve stands ready in each key.
 */
#ifndef PROTOCOL_PUBLIC_KEY_H
#define PROTOCOL_PUBLIC_KEY_H

#include "protocol/crypto.h"

/* COSE's numbers of algorithms (RFC 9053 section 2, RFC 8230 section 2, IANA "COSE Algorithms"). */
#define ALG_ES256 (-7)
#define ALG_PS256 (-37)
/* "ES256", "ES384", "EdDSA", "PS256", "RS256" …; "unknown algorithm" otherwise. */
const char *alg_name(int64_t alg);

struct public_key;

/* What a certificate says besides its key. */
#define KEY_USES_MAX 8
struct key_certificate {
	int64_t from_s, to_s; /* its period; to_s is its last second */
	size_t uses_len;
	char uses[KEY_USES_MAX][48]; /* extended key usage, dotted; those past KEY_USES_MAX are left out */
};

/* NULL with ERR_INPUT when it is neither, or a key of another kind or size. */
struct public_key *public_key_parse(struct bytes der, struct err *e) CHECKED;
/* The same of a certificate, with what it says. Its signature is not looked at. */
struct public_key *public_key_of_certificate(struct bytes der, struct key_certificate *c, struct err *e) CHECKED;
struct public_key *public_key_of_point(const uint8_t point[POINT_LEN], struct err *e) CHECKED;
void public_key_free(struct public_key *k);
/* The algorithm it is used with: ALG_ES256 or ALG_PS256. */
int64_t public_key_alg(const struct public_key *k);
/* SubjectPublicKeyInfo of a P-256 point. */
#define PUBLIC_KEY_DER_MAX 128
bool public_key_der(const uint8_t point[POINT_LEN], struct buf *out, struct err *e) CHECKED;

/* data under the key's algorithm: r ‖ s for ES256 (RFC 9053 section 2.1); PSS with a salt of 32 bytes for PS256 (RFC 8230 section 2).
   ERR_DENIED: it does not match. */
bool public_key_verify(struct public_key *k, struct bytes data, struct bytes signature, struct err *e) CHECKED;

#endif
