/*
 * Is this certificate genuine, in force, not revoked, this customer's, and accepted for this piece of business? A core like
 * check.h: no globals, sockets, database or clock; the trust list, the kinds, the lists and the time are parameters.
 *
 * The checks are made in the order of enum scan_code. The first that fails is the verdict's code; what else can be known is listed
 * beside it as findings, and the outcome is the most severe of them all:
 *
 *   SCAN_DAMAGED refer, with a hint · NOT_OURS refer · FORMAT refuse, with the layer · ALG_REFUSED refuse ·
 *   ISSUER_UNKNOWN refer (with the age of the key list; it says nothing about forgery) · SIGNATURE_BAD refuse ·
 *   ISSUER_NOT_ENTITLED refuse · KEY_OUT_OF_PERIOD refuse · KEY_COMPROMISED refuse; refer when issued before that ·
 *   CLOCK_UNTRUSTED refer · NOT_YET_VALID refuse (VERIFY_SKEW_S allowed) · EXPIRED refuse · REVOKED refuse · SUSPENDED refer ·
 *   SUPERSEDED refuse · STATUS_STALE accept_with_duty, refer when there is no list to ask at all · HOLDER_MISMATCH refuse ·
 *   HOLDER_NOT_CHECKED refer · NOT_ACCEPTED_FOR_BUSINESS refuse; refer when no business was said
 *
 * Up to SIGNATURE_BAD nothing of what the certificate says is believed, shown or judged, so those stand alone. A list that is old
 * never stops a branch (accept_with_duty: looked at again when the line is back), and never stays so: see duties.
 * The clock is the trusted one. A certificate is looked up by issuer and id, never by text or signature.
 */
#ifndef FIRMWARE_VERIFY_H
#define FIRMWARE_VERIFY_H

#include "firmware/check.h"
#include "firmware/scan_text.h"
#include "protocol/base/json.h"
#include "protocol/envelope.h"
#include "protocol/issuers.h"
#include "protocol/kinds.h"
#include "protocol/scan.h"

#define VERIFY_SKEW_S  300  /* clocks of issuers may be ahead so much */
#define VERIFY_FRESH_S 3600 /* a revocation list confirmed this long ago is fresh; central confirms each minute */

#define VERIFY_CERTIFICATE_MAX 6144 /* a certificate as JSON: every text at its longest, escaped, is under 5 KiB */

/* The documents in force; NULL when there is none yet. */
struct verify_policy {
	const struct issuers *issuers;
	uint64_t issuers_version;
	int64_t issuers_confirmed_s; /* issue time of the newest head that named this version; -1 never */
	const struct kinds *kinds;
	uint64_t kinds_version;
};

struct verify_setting {
	const struct verify_policy *policy;
	const struct check_source *source; /* of the revocation list; NULL: none is held */
	int64_t now_s;                     /* the trusted clock */
	bool clock_trusted;
};

struct verify_request {
	struct bytes text;    /* repaired; see scan_text.h */
	const char *business; /* "" not said */
	bool has_holder;      /* the customer as the terminal knows him */
	struct check_party holder;
};

enum verify_layer { LAYER_NONE, LAYER_TEXT, LAYER_ZLIB, LAYER_COSE, LAYER_CWT, LAYER_CLAIMS };
const char *verify_layer_name(enum verify_layer l); /* "none", "text", "zlib", "cose", "cwt", "claims" */

struct verify_finding {
	enum scan_code code;
	enum scan_outcome outcome;
};

struct verdict {
	enum scan_code code; /* SCAN_ACCEPTED: nothing failed */
	enum scan_outcome outcome;
	size_t findings_len;
	struct verify_finding findings[SCAN_FINDINGS_MAX];
	enum verify_layer layer;  /* of SCAN_FORMAT */
	enum scan_text_hint hint; /* of SCAN_DAMAGED */
	char detail[200]; /* what the first failure adds to its code: a sentence without personal data; "" nothing */
	bool authentic;   /* the signature holds: from here on the rest is filled */
	struct ecert cert;
	struct identifier identity;
	const struct issuer_key *key; /* that verified; borrowed from the policy */
	const struct kind *kind;      /* borrowed; NULL: not in the document */
	bool has_tag;
	uint32_t epoch; /* of the revocation list, and the certificate's tag under it */
	uint64_t tag;
	uint64_t issuers_version, kinds_version, list_version; /* 0: none */
	int64_t issuers_age_s, list_age_s;                     /* -1: never confirmed */
};

/* Never fails: what cannot be known is a finding. */
void verify_run(const struct verify_setting *s, const struct verify_request *r, struct verdict *out);
/* The same for a signed message without its text (a body from central or the cache). r->text is not looked at. */
void verify_cose(const struct verify_setting *s, enum ecert_profile profile, struct bytes cose,
		 const struct verify_request *r, struct verdict *out);
/* A text that could not be repaired. */
void verify_damaged(enum scan_text_hint hint, struct verdict *out);

/* Wording for the teller; what to do next stands in it. */
const char *verify_code_zh(enum scan_code c);
const char *verify_code_en(enum scan_code c);
const char *verify_hint_name(enum scan_text_hint h); /* "cut_off" … */
const char *verify_hint_zh(enum scan_text_hint h);
const char *verify_hint_en(enum scan_text_hint h);

/*
 * The verdict's members, written into an object that the caller has open (he adds id, time, terminal …):
 *   "code", "outcome", "outcome_text": {zh,en}, "text": {zh,en}, "hint" {name,zh,en} (damaged), "layer" (format), "detail" (where there is one),
 *   "findings": [ {"code","outcome","text":{zh,en}} ], "issuers": {"version","age_s"}, "status": {"version","age_s"},
 *   "certificate": { "profile","issuer","issuer_name":{zh,en},"id","type","kind":{zh,en},"number","holder_name","holder_kind","holder_masked",
 *     "issued","from","to" (null: 长期),"version","digest" } only when authentic
 */
void verify_json(const struct verdict *v, struct json_out *j);
/* Without "certificate", and that alone: an object. */
void verify_words_json(const struct verdict *v, struct json_out *j);
void verify_certificate_json(const struct verdict *v, struct json_out *j);

#endif
