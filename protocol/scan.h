/*
 * A certificate that was scanned: the verdict's words and its journal rows. Numbers on the wire never change their meaning.
 */
#ifndef PROTOCOL_SCAN_H
#define PROTOCOL_SCAN_H

#include "protocol/body.h"
#include "protocol/decision.h"

/* The verdict's codes in the order in which they are asked: the first that fails is the verdict's. */
enum scan_code {
	SCAN_DAMAGED = 1, /* the text did not come as it stands in the code */
	SCAN_NOT_OURS,    /* another code than a certificate's */
	SCAN_FORMAT,      /* a certificate's, malformed: which layer stands beside it */
	SCAN_ALG_REFUSED, /* the algorithm is not in the protected header, not one of ours, or not the key's */
	SCAN_ISSUER_UNKNOWN,
	SCAN_SIGNATURE_BAD,
	SCAN_ISSUER_NOT_ENTITLED,
	SCAN_KEY_OUT_OF_PERIOD,
	SCAN_KEY_COMPROMISED,
	SCAN_CLOCK_UNTRUSTED,
	SCAN_NOT_YET_VALID,
	SCAN_EXPIRED,
	SCAN_REVOKED,
	SCAN_SUSPENDED,
	SCAN_SUPERSEDED,
	SCAN_STATUS_STALE,
	SCAN_HOLDER_MISMATCH,
	SCAN_HOLDER_NOT_CHECKED,
	SCAN_NOT_ACCEPTED_FOR_BUSINESS,
	SCAN_ACCEPTED,
};
#define SCAN_CODE_LAST SCAN_ACCEPTED
const char *scan_code_name(enum scan_code c); /* "SCAN_DAMAGED", "NOT_OURS", … "ACCEPTED" */

/* Ascending severity. */
enum scan_outcome { SCAN_ACCEPT = 1, SCAN_ACCEPT_WITH_DUTY, SCAN_REFER, SCAN_REFUSE };
const char *scan_outcome_name(enum scan_outcome o); /* "accept", "accept_with_duty", "refer", "refuse" */
const char *scan_outcome_zh(enum scan_outcome o);
const char *scan_outcome_en(enum scan_outcome o);
bool scan_outcome_of(const char *name, enum scan_outcome *o);

/* --- journal --- */

/* JOURNAL_SCAN. Neither the scanned text nor an unmasked number stands in it. */
#define SCAN_ID_LEN       DECISION_ID_LEN
#define SCAN_FINDINGS_MAX SCAN_CODE_LAST
#define SCAN_SEALED_MAX   8192
struct scan {
	uint8_t id[SCAN_ID_LEN];
	char request_id[REQUEST_ID_MAX_LEN + 1]; /* "" from a scanner */
	char terminal[NAME_MAX_LEN + 1];
	char source[NAME_MAX_LEN + 1];   /* "text", "image", or the scanner's name */
	char business[NAME_MAX_LEN + 1]; /* "" not said */
	int64_t time_s;                  /* trusted clock */
	enum scan_code code;
	enum scan_outcome outcome;
	size_t findings_len; /* all that failed, the verdict's own among them, in order; none when accepted */
	struct scan_finding {
		enum scan_code code;
		enum scan_outcome outcome;
	} findings[SCAN_FINDINGS_MAX];
	unsigned hint, layer; /* of damaged and malformed ones: numbers of the branch's own words, 0 none */
	char detail[200]; /* what the first failure adds to its code: a sentence without personal data; "" nothing */
	/* Of a certificate whose signature holds; otherwise 0 and "". */
	enum ecert_profile profile;
	char issuer[ECERT_PART_MAX + 1];
	char type[ECERT_PART_MAX + 1];
	uint32_t epoch;         /* of the revocation list … */
	uint64_t tag;           /* … and the certificate's tag under it; 0 when the list is not held */
	int64_t issued_s, to_s; /* INT64_MAX: no end */
	size_t kid_len;
	uint8_t kid[ECERT_KID_MAX]; /* of the key that verified */
	/* What it rests on. */
	uint64_t issuers_version, kinds_version, list_version; /* 0: none */
	int64_t issuers_age_s, list_age_s;                     /* -1: never confirmed */
	char holder_kind[NAME_MAX_LEN + 1];                    /* of the customer as the terminal said; "" not said */
	char holder_masked[96];
	/* Borrowed. aead_seal under the journal key, additional data = id, of the CBOR array [the customer's number and name as the terminal
	   said them, the certificate as it was shown: JSON]; "" what there is not. */
	struct bytes sealed;
};
bool scan_encode(const struct scan *s, struct buf *out, struct err *e) CHECKED;
/* Borrows from data. */
bool scan_decode(struct bytes data, struct scan *s, struct err *e) CHECKED;

/* JOURNAL_RECHECK: an accepted scan of old status was looked at again. code SCAN_ACCEPTED: it holds; otherwise it turned. */
struct scan_recheck {
	uint8_t id[SCAN_ID_LEN]; /* the scan's */
	enum scan_code code;
	uint64_t list_version;
};
bool scan_recheck_encode(const struct scan_recheck *r, struct buf *out, struct err *e) CHECKED;
bool scan_recheck_decode(struct bytes data, struct scan_recheck *r, struct err *e) CHECKED;

/* JOURNAL_LOOKUP: bodies were asked for. */
struct scan_lookup {
	char terminal[NAME_MAX_LEN + 1];
	char holder_kind[NAME_MAX_LEN + 1];
	char holder_masked[96];
	char type[ECERT_PART_MAX + 1];
	char purpose[PURPOSE_MAX + 1];
	char source[NAME_MAX_LEN + 1]; /* "central", "cache", "none" */
	enum err_code result;          /* ERR_NONE: given out */
	uint64_t given;                /* bodies */
};
bool scan_lookup_encode(const struct scan_lookup *l, struct buf *out, struct err *e) CHECKED;
bool scan_lookup_decode(struct bytes data, struct scan_lookup *l, struct err *e) CHECKED;

#endif
