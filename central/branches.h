/*
 * The branches central knows: enrolled with a certificate and a seal key, spoken to until revoked, and what each says it really
 * has. A branch exists from its first token on; it may speak from its enrolment to its revocation. A revoked name is never
 * used again: its old certificate still carries it.
 */
#ifndef CENTRAL_BRANCHES_H
#define CENTRAL_BRANCHES_H

#include "protocol/base/db.h"
#include "protocol/message.h"

struct branch {
	char name[NAME_MAX_LEN + 1];
	int64_t enrolled_s, revoked_s, last_seen_s; /* 0: not (yet) */
	uint8_t seal_key[POINT_LEN];
};

/* False for what must never be a branch's name: one that is none, or "central". */
bool branch_name_check(const char *name, struct err *e) CHECKED;
/* ERR_MISSING when there is none of this name. */
bool branches_find(struct db *db, const char *name, struct branch *out, struct err *e) CHECKED;
/* Enrolled and not revoked; otherwise ERR_DENIED. */
bool branches_may_speak(struct db *db, const char *name, struct branch *out, struct err *e) CHECKED;

/* A one-time enrolment token, stored hashed; a transaction of its own, audited. ERR_CONFLICT when the branch is revoked. */
#define BRANCH_TOKEN_LEN 64 /* hex digits */
#define BRANCH_TOKEN_S   86400
bool branches_token_new(struct db *db, const struct random *random, const char *name, const char *operator,
			int64_t now_s, int64_t valid_s, char token[BRANCH_TOKEN_LEN + 1], struct err *e) CHECKED;
/* From the commit on none of its messages is taken. Unused tokens are void. A transaction of its own, audited. */
bool branches_revoke(struct db *db, const char *name, const char *operator, int64_t now_s, struct err *e) CHECKED;
/* The names of revoked branches, one a line, appended to out. */
bool branches_revoked(struct db *db, struct buf *out, struct err *e) CHECKED;

/* What a branch reported; a transaction of its own. key: its journal key, unsealed, NULL without one. Alarms: rows that are gone
   there and were never received here. */
struct status_vault {
	const uint8_t *vault_key;
	const struct random *random;
};
bool branches_status(struct db *db, const char *name, const struct status *s, const uint8_t key[32],
		     const struct status_vault *v, int64_t now_s, struct err *e) CHECKED;

#endif
