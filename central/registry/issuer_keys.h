/*
 * Issuers of e-certificates and their keys. An issuer signs with one key at a time; rotating makes a new one and lets the old one go on
 * verifying for an overlap; withdrawing ends a key now, or says since when it must be taken for lost. The private half of a key made here
 * is known to the signer alone: the database has it sealed under a key of the signer's. Keys of issuers that sign elsewhere are
 * public halves only.
 *
 * From these the document `issuers` (protocol/issuers.h) is made; it reaches the branches through the release pipeline.
 */
#ifndef CENTRAL_REGISTRY_ISSUER_KEYS_H
#define CENTRAL_REGISTRY_ISSUER_KEYS_H

#include "protocol/base/db.h"
#include "protocol/issuers.h"

#define ISSUER_KINDS_TEXT_MAX 16384 /* kinds as stored: codes with a comma between, or "*" */

struct issuer_new {
	const char *code, *name_zh, *name_en;
	enum ecert_profile profile;
	const char *kinds; /* "*", or codes with commas between */
};
/* Each of these is one step in a transaction of its own, audited under the operator's name. */
bool issuer_add(struct db *db, const struct issuer_new *n, const char *operator, int64_t now_s,
		struct err *e) CHECKED;

struct issuer_key_new {
	const char *issuer;
	const uint8_t *kid;
	size_t kid_len;
	const char *alg;
	struct bytes der,
		sealed;       /* public half; private half as the signer sealed it, data NULL: it signs elsewhere */
	int64_t from_s, to_s; /* INT64_MAX: open */
	int64_t overlap_s;    /* of the key that signed until now; -1: leave that as it is */
};
/* ERR_CONFLICT when the issuer has this kid. */
bool issuer_key_add(struct db *db, const struct issuer_key_new *n, const char *operator, int64_t now_s,
		    struct err *e) CHECKED;
/* lost: it is compromised since since_s; otherwise its period ends at now_s. kid in hex. ERR_MISSING. */
bool issuer_key_withdraw(struct db *db, const char *issuer, const char *kid, bool lost, int64_t since_s,
			 const char *operator, int64_t now_s, struct err *e) CHECKED;

/* The key that signs at now_s: the newest of those made here whose period is open and that is not lost; one that only goes on verifying
   would have its certificates end with it. ERR_MISSING. */
struct issuer_signing {
	size_t kid_len;
	uint8_t kid[ECERT_KID_MAX];
	struct buf sealed; /* owned */
};
bool issuer_signing(struct db *db, const char *issuer, int64_t now_s, struct issuer_signing *out,
		    struct err *e) CHECKED;
/* Whether the issuer exists and may sign this kind; ERR_MISSING, ERR_DENIED. */
bool issuer_may(struct db *db, const char *issuer, const char *kind, struct err *e) CHECKED;

/* The document as JSON for document_draft_import; appended. */
bool issuers_document(struct db *db, struct buf *json, struct err *e) CHECKED;

#endif
