/*
 * The branches' journals as received. Each (branch, epoch, seq) is stored exactly once, in one transaction a batch, chained to
 * what is here already; what is acknowledged is committed. A row that does not decode is a dead letter and keeps its place
 * in the chain. Decisions are read into columns of their own, scans, rechecks and look-ups too (uses.h); the row as it came is
 * kept for ever.
 *
 * One branch has one epoch. A second one, or the coming back of an earlier one, is a restored or cloned box: an alarm, and
 * both lines are kept.
 */
#ifndef CENTRAL_BRANCH_JOURNALS_H
#define CENTRAL_BRANCH_JOURNALS_H

#include "protocol/base/db.h"
#include "protocol/decision.h"
#include "protocol/journal.h"

enum journals_verdict {
	JOURNALS_STORED,
	JOURNALS_DUPLICATE, /* all of it was here */
	JOURNALS_GAP,       /* it begins behind what is here: nothing stored */
	JOURNALS_CONFLICT,  /* it contradicts what is here: nothing stored, an alarm */
};

struct journals_result {
	enum journals_verdict verdict;
	struct journal_ack
		ack;           /* what is committed: to be sent whatever the verdict, the branch goes on from there */
	uint64_t stored, dead; /* rows */
};

/* In a transaction of its own. The branch is enrolled (a foreign key). On failure nothing is stored and nothing may be
   acknowledged. */
bool journals_store(struct db *db, const char *branch, const struct journal_batch *b, int64_t now_s,
		    struct journals_result *out, struct err *e) CHECKED;
/* What is committed of an epoch; of one never heard of seq 0 and its start hash. */
bool journals_ack(struct db *db, const char *branch, const uint8_t epoch[JOURNAL_EPOCH_LEN], struct journal_ack *out,
		  struct err *e) CHECKED;

/* A branch's hello: its epoch and, unless NULL, the key its decisions seal their subjects under, kept sealed under the vault key.
   Inside the caller's transaction. A second key for one epoch is an alarm and not stored. */
bool journals_hello(struct db *db, const char *branch, const uint8_t epoch[JOURNAL_EPOCH_LEN], const uint8_t key[32],
		    const uint8_t vault_key[32], const struct random *random, int64_t now_s, struct err *e) CHECKED;

/* The row of a decision, appended to row, and the line it stands in; decode with journal_row_decode and decision_decode, which
   borrow from row. ERR_MISSING; ERR_CONFLICT when several have this id and branch is NULL. */
bool journals_decision(struct db *db, const uint8_t id[DECISION_ID_LEN], const char *branch, struct buf *row,
		       int64_t *epoch_id, struct err *e) CHECKED;
/* What the decision's subject was sealed from (see firmware's check: CBOR), appended to plain; the caller has audited it. */
bool journals_unseal(struct db *db, int64_t epoch_id, const struct decision *d, const uint8_t vault_key[32],
		     struct buf *plain, struct err *e) CHECKED;

#endif
