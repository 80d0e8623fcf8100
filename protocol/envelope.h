/*
 * What is in the QR code ↔ the COSE message: "XB1:" or "HC1:", then base45 (RFC 9285) of zlib (RFC 1950). Bounded: a text of at most
 * ECERT_TEXT_MAX characters, ECERT_COSE_MAX bytes inflated. Says which layer broke, since a damaged scan and a malformed certificate
 * are answered differently: every letter that a scanner or a keyboard changes ends in one of the "damaged" faults here (base45 or
 * zlib's checksum), never at the signature.
 */
#ifndef PROTOCOL_ENVELOPE_H
#define PROTOCOL_ENVELOPE_H

#include "protocol/ecert.h"

enum envelope_fault {
	ENVELOPE_OK,
	ENVELOPE_EMPTY,
	ENVELOPE_TOO_LONG,
	ENVELOPE_NOT_OURS,  /* no prefix we know */
	ENVELOPE_ALPHABET,  /* damaged: a character base45 does not have */
	ENVELOPE_BASE45,    /* damaged: a group that no bytes give, or a length that cannot be */
	ENVELOPE_CUT_OFF,   /* damaged: the stream ends early */
	ENVELOPE_CHECKSUM,  /* damaged: zlib's data or checksum is wrong */
	ENVELOPE_NOT_ZLIB,  /* malformed: not compressed */
	ENVELOPE_TOO_LARGE, /* malformed: inflates beyond ECERT_COSE_MAX */
	ENVELOPE_TRAILING,  /* malformed: bytes behind the stream */
};

/* cose is appended to. *profile is set as soon as the prefix is known. On failure e (ERR_INPUT) has a sentence. */
bool envelope_open(struct bytes text, enum ecert_profile *profile, struct buf *cose, enum envelope_fault *fault,
		   struct err *e) CHECKED;
/* text is appended to. */
bool envelope_seal(enum ecert_profile profile, struct bytes cose, struct buf *text, struct err *e) CHECKED;

#endif
