/*
 * The issuers document: whose certificates are believed, under which keys, for which kinds and times. CBOR with text keys, made
 * from JSON of the same shape:
 *   { "type": "issuers", "title": {"zh","en"}, "sample": bool, "issuers": [ { "code": "11330105002500287C", "profile": "xb1"|"hc1",
 *     "name": {"zh","en"}, "kinds": ["*"] or kind codes, "keys": [ { "kid": hex of 1 … 32 bytes, "alg": "ES256"|"PS256",
 *     "key": base64 of a SubjectPublicKeyInfo or an X.509 certificate, DER, "from_s": n (optional), "to_s": n (optional),
 *     "compromised_s": n (optional: since when it must be taken for lost), "kinds": [ … ] (optional: fewer than the issuer's) } ] } ] }
 * A key is good for certificates issued from from_s up to before to_s, and for the kinds given with it; an hc1 key without kinds, given as a
 * certificate that names what it is for (hcert_uses), for those alone. A key that cannot be used (unknown algorithm, not on the
 * curve, RSA under 2,048 bits, the same kid twice in one issuer) is left out and reported with its reason: one bad key never
 * costs the others. The kid need not be unique over issuers: all that match are tried.
 */
#ifndef PROTOCOL_ISSUERS_H
#define PROTOCOL_ISSUERS_H

#include "protocol/ecert.h"
#include "protocol/public_key.h"

/* Which kinds may be signed. */
struct entitlement {
	bool every_kind;
	size_t len;
	char (*kinds)[ECERT_PART_MAX + 1]; /* owned, sorted */
};
struct issuer {
	enum ecert_profile profile;
	char code[ECERT_PART_MAX + 1];
	char *name_zh, *name_en;
	struct entitlement may;
};
struct issuer_key {
	const struct issuer *issuer; /* borrowed from the document */
	size_t kid_len;
	uint8_t kid[ECERT_KID_MAX];
	struct public_key *key;
	int64_t from_s, to_s;   /* INT64_MIN, INT64_MAX: open */
	int64_t compromised_s;  /* INT64_MAX: never */
	struct entitlement may; /* beside the issuer's */
};
/* A key that was left out. */
struct issuer_fault {
	char issuer[ECERT_PART_MAX + 1];
	char kid[2 * ECERT_KID_MAX + 1]; /* as written, cut to fit */
	char why[160];
};
struct issuers {
	bool sample;
	size_t issuers_len;
	struct issuer *issuers;
	size_t keys_len;
	struct issuer_key *keys; /* the good ones, sorted by kid */
	size_t keys_total;       /* good or not */
	size_t faults_len;
	struct issuer_fault *faults; /* the first ISSUER_FAULTS_MAX */
};
#define ISSUERS_MAX       1024
#define ISSUER_KEYS_MAX   4096
#define ISSUER_KINDS_MAX  1024
#define ISSUER_FAULTS_MAX 64
struct issuers *issuers_parse(struct bytes document, struct err *e) CHECKED;
void issuers_free(struct issuers *s);
/* The next key of this profile and kid behind `after` (NULL: the first), or NULL. */
const struct issuer_key *issuers_next(const struct issuers *s, enum ecert_profile profile, struct bytes kid,
				      const struct issuer_key *after);
/* The issuer, and this key of his, may sign this kind. */
bool issuer_key_covers(const struct issuer_key *k, const char *type);

#endif
