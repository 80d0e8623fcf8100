/*
 * What an e-certificate (电子证照) says, in whichever of two profiles it came:
 *
 *   XB1  ours: "XB1:" ‖ base45 ‖ zlib ‖ COSE_Sign1 (RFC 9052, tag 18, ES256) ‖ CWT (RFC 8392), deterministic CBOR
 *   HC1  the EU's "HC1:" (Electronic Health Certificate Specification, eHN v1.0.5): hcert.h reads its claims
 *
 * The claims of ours, a map:
 *   1 iss text, the issuer's code, equal to the identifier's issuer part · 4 exp uint Unix s, missing = 长期, no end ·
 *   5 nbf uint · 6 iat uint · 7 cti bytes, the identifier of GB/T 36904 in ASCII without its OID ·
 *   -70001 map { 1 number text, 2 holder's document kind uint, 3 holder's name text, 4 holder's document masked text,
 *                5 [epoch, tag bytes(8)] holder's document as a tag (tag.h), 6 digest bytes(32): SHA-256 of the file or photo }
 * 2 comes with exactly one of 4 and 5, each of 2 to 6 may be missing. Type and version stand in the identifier alone, so
 * that nothing can disagree with it.
 */
#ifndef PROTOCOL_ECERT_H
#define PROTOCOL_ECERT_H

#include "protocol/cbor.h"
#include "protocol/crypto.h"
#include "protocol/identifier.h"

enum ecert_profile { ECERT_XB1 = 1, ECERT_HC1 };
const char *ecert_profile_name(enum ecert_profile p); /* "xb1", "hc1" */

#define ECERT_CLAIM_PRIVATE (-70001)
#define ECERT_NO_END        INT64_MAX

struct ecert {
	enum ecert_profile profile;
	char issuer[ECERT_PART_MAX + 1]; /* iss */
	char id[ECERT_ID_MAX + 1];       /* XB1: the whole identifier, OID and dots; HC1: ci as it stands */
	char type[ECERT_PART_MAX +
		  1];    /* kind's code in kinds.h: the identifier's type, or "hc1-v", "hc1-t", "hc1-r" */
	char version[8]; /* the identifier's; HC1: the schema's "ver" */
	char number[ECERT_NUMBER_MAX + 1];       /* printed on it; "" none */
	char holder_name[PERSON_NAME_MAX + 1];   /* "" none */
	enum identifier_kind holder_kind;        /* 0: no document is named */
	char holder_masked[PERSON_NAME_MAX + 1]; /* "" when it is a tag */
	bool holder_is_tagged;
	uint32_t holder_epoch;
	uint64_t holder_tag;
	char birth_date[11];                     /* HC1: as it stands, "1998-02-26", "1998-02", "" */
	char standard_name[PERSON_NAME_MAX + 1]; /* HC1: fnt "<<" gnt, as in an MRZ */
	int64_t issued_s, from_s;                /* from_s: issued_s where the profile has none */
	int64_t to_s;                            /* not accepted from this second on (HC1: after it); ECERT_NO_END */
	bool has_digest;
	uint8_t digest[HASH_LEN];
};

/* The CWT of ours. ERR_INPUT names the claim that no decoder would take. profile, type, version are not looked at. */
bool ecert_encode(const struct ecert *c, struct buf *out, struct err *e) CHECKED;
bool ecert_decode(struct bytes cwt, struct ecert *out, struct err *e) CHECKED;

/* Who it is, for revocation and the cache: IDENTIFIER_ECERT, "<issuer>/<id>", upper case, without OID and "URN:UVCI:". Never the
   scanned text or the signature: both can be written in other ways. */
bool ecert_identity(const struct ecert *c, struct identifier *out, struct err *e) CHECKED;

/* Reason codes in the list of certificates that are not valid. */
#define ECERT_LIST "revoked-certificates"
enum ecert_status { ECERT_VALID, ECERT_REVOKED, ECERT_SUSPENDED, ECERT_SUPERSEDED };
#define ECERT_STATUS_LAST ECERT_SUPERSEDED
const char *ecert_status_name(enum ecert_status s); /* "valid" … */
const char *ecert_status_zh(enum ecert_status s);

#endif
