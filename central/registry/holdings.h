/*
 * Certificates' bodies given to branches. A holder consents: to kinds, for purposes, at branches, until a day; without that nothing is given
 * out, and what was is taken back when the consent is withdrawn. A branch asks for a customer who stands there (QUERY_CERTIFICATE),
 * or a customer is booked at a branch and his certificates are set aside for it beforehand (prefetch): a sequence of items for each branch,
 * asked for one by one. Every giving out and every refusal is a row of body_access; holders stand there as keyed hashes.
 */
#ifndef CENTRAL_REGISTRY_HOLDINGS_H
#define CENTRAL_REGISTRY_HOLDINGS_H

#include "central/registry/registry.h"

#define HOLDINGS_SET_MAX 4096 /* bytes of a set: codes, purposes or names with commas between, or "*" */

/* Whose, and of what. */
struct consent_new {
	enum identifier_kind holder_kind;
	char holder[PERSON_NAME_MAX + 1];        /* canonical */
	const char *kinds, *purposes, *branches; /* sets */
	int64_t from_s, to_s;                    /* INT64_MAX: until withdrawn */
};
bool consent_add(struct release_context *c, const struct consent_new *n, const char *operator, int64_t now_s,
		 int64_t *id, struct err *e) CHECKED;
/* A branch has something new to fetch: once for each certificate there, inside the transaction. */
typedef void holdings_touched(void *arg, const char *branch);
/* Ends it now; what branches hold by it is to be erased. ERR_MISSING, ERR_CONFLICT when it has ended. */
bool consent_withdraw(struct release_context *c, int64_t id, const char *operator, int64_t now_s,
		      holdings_touched *touched, void *arg, struct err *e) CHECKED;

struct consent_row {
	int64_t id;
	const char *kinds, *purposes, *branches;
	int64_t from_s, to_s; /* as above */
	const char *created_by;
	int64_t created_s;
};
/* Of a holder, ended ones too, newest first; borrowed for the call. */
bool consent_each(struct release_context *c, enum identifier_kind kind, const char *canonical,
		  void (*each)(void *arg, const struct consent_row *r), void *arg, struct err *e) CHECKED;

/* Until when a holder's consent covers this; 0 when none does. holder: registry_holder_hash. */
bool consent_find(struct release_context *c, const uint8_t holder[HASH_LEN], const char *branch, const char *kind,
		  const char *purpose, int64_t now_s, int64_t *to_s, struct err *e) CHECKED;

struct booking_new {
	const char *branch;
	enum identifier_kind holder_kind;
	char holder[PERSON_NAME_MAX + 1];
	const char *kinds; /* a set; "*" all he has */
	const char *purpose;
	int64_t until_s; /* then the branch erases it */
};
/* *items: set aside for the branch. ERR_DENIED when no consent covers any of it. */
bool booking_add(struct release_context *c, const struct booking_new *n, const char *operator, int64_t now_s,
		 uint64_t *items, struct err *e) CHECKED;

struct access_row {
	int64_t time_s;
	const char *branch, *terminal, *kind, *purpose;
	enum err_code result; /* ERR_NONE given, ERR_DENIED no consent, ERR_MISSING he has none */
	int64_t given;        /* certificates */
};
/* What branches were given of a holder when they asked, and what they were refused: newest first. */
bool access_each(struct release_context *c, enum identifier_kind kind, const char *canonical, size_t limit,
		 void (*each)(void *arg, const struct access_row *r), void *arg, struct err *e) CHECKED;

/* The answer to a branch's QUERY_CERTIFICATE, unsealed on both sides; appended to out (body_reply_encode). ERR_DENIED: no consent;
   ERR_MISSING: he has none. The row of body_access is committed in either case. */
bool holdings_answer(struct release_context *c, const char *branch, const struct body_query *q, int64_t now_s,
		     struct buf *out, struct err *e) CHECKED;
/* The next item behind `after` for the branch; appended to out (prefetch_item_encode). */
bool holdings_prefetch(struct release_context *c, const char *branch, const uint8_t id[16], uint64_t after,
		       int64_t now_s, struct buf *out, struct err *e) CHECKED;

#endif
