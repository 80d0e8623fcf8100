/*
 * The terminals (kiosks, tellers' screens) that may ask for checks. A terminal proves itself by a bearer
 * token (32 random bytes in hex, shown once, stored as SHA-256) or, when it was added so, by a client
 * certificate whose common name is its name; never by both. All stand in memory, so that a request reads no
 * database; a token is compared with every one in constant time.
 */
#ifndef FIRMWARE_TERMINAL_H
#define FIRMWARE_TERMINAL_H

#include "protocol/base/db.h"
#include "protocol/base/limits.h"
#include "protocol/crypto.h"

#define TERMINAL_TOKEN_LEN 64
#define TERMINAL_LOCAL     "local" /* what branchctl's checks run as; no terminal may be called so */

struct terminals;

struct terminal_info {
	char name[NAME_MAX_LEN + 1];
	bool enabled, by_certificate;
	int64_t added_s, revoked_s; /* 0: never */
};

struct terminals *terminals_open(struct db *db, struct err *e) CHECKED;
void terminals_close(struct terminals *t);

/* A transaction of its own each. token is "" for one that shows a certificate. A revoked terminal may be
   added again and has a new token then. ERR_INPUT: no name; ERR_CONFLICT: it is there; ERR_FULL:
   TERMINALS_MAX. */
bool terminal_add(struct terminals *t, const char *name, bool by_certificate, int64_t now_s, const struct random *r,
		  char token[TERMINAL_TOKEN_LEN + 1], struct err *e) CHECKED;
/* From the next request on. ERR_MISSING when there is none; one revoked already stays so. */
bool terminal_revoke(struct terminals *t, const char *name, int64_t now_s, struct err *e) CHECKED;

/* The name of the enabled terminal, or NULL. Borrowed until the next change. */
const char *terminal_of_token(const struct terminals *t, const char *token);
const char *terminal_of_certificate(const struct terminals *t, const char *common_name);

/* Sorted by name. The i-th is borrowed until the next change. */
size_t terminals_len(const struct terminals *t);
const struct terminal_info *terminals_at(const struct terminals *t, size_t i);

#endif
