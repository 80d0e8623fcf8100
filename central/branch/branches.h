/*
 * The branches central knows: enrolled with a certificate and a seal key, spoken to until revoked, and what each says it really
 * has. A branch exists from its first token on; it may speak from its enrolment to its revocation. A revoked name is never
 * used again: its old certificate still carries it.
 */
#ifndef CENTRAL_BRANCH_BRANCHES_H
#define CENTRAL_BRANCH_BRANCHES_H

#include "protocol/base/db.h"
#include "protocol/message.h"

struct branch {
	char name[NAME_MAX_LEN + 1];
	int64_t enrolled_s, revoked_s, last_seen_s; /* 0: not (yet) */
	int64_t tampered_s; /* 0: no; its box was opened since it enrolled, and is given no keys and no bodies until it enrols again */
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

/* The branch's journal says that its box was opened. point_hex: the seal point it lost; one it no longer has was enrolled over. Raises the
   alarm "board.tamper". Inside the caller's transaction. */
bool branches_tampered(struct db *db, const char *name, struct bytes point_hex, int64_t time_s, int64_t now_s,
		       struct err *e) CHECKED;
/* ERR_DENIED for one whose box was opened. */
bool branches_may_hold_keys(const struct branch *b, struct err *e) CHECKED;

/* What a branch reported; a transaction of its own. key: its journal key, unsealed, NULL without one. Alarms: rows that are gone
   there and were never received here. */
struct status_vault {
	const uint8_t *vault_key;
	const struct random *random;
};
bool branches_status(struct db *db, const char *name, const struct status *s, const uint8_t key[32],
		     const struct status_vault *v, int64_t now_s, struct err *e) CHECKED;

#endif
