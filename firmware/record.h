/*
 * The branch's journal in SQLite: append-only, hash-chained (protocol/journal.h), found by decision id and by
 * (terminal, request id). The epoch is made with the database. Rows leave only when central's acknowledgement
 * proves epoch, sequence and hash; they are kept until they are RECORD_KEEP_DAYS old, so that a repeated
 * request id still gets its stored answer, and leave from the oldest on, so that what is kept is one unbroken
 * chain.
 */
#ifndef FIRMWARE_RECORD_H
#define FIRMWARE_RECORD_H

#include "firmware/vault.h"
#include "protocol/base/db.h"
#include "protocol/decision.h"
#include "protocol/journal.h"

#define RECORD_KEEP_DAYS 30

struct record;
/* vault: what the journal's key is sealed under; NULL to read the chain alone, without a key. Both are borrowed. */
struct record *record_open(struct db *db, const struct vault *vault, const struct random *random,
			   struct err *e) CHECKED;
void record_close(struct record *r);

/* What a row of an answer is found by. */
struct record_name {
	const uint8_t *id; /* DECISION_ID_LEN */
	const char *terminal;
	const char *request_id;      /* "" of an answer that nobody asked for by an id */
	const uint8_t *request_hash; /* SHA-256 of the request's body, for "same id, other body" */
};
/* Appends inside the caller's transaction (asserted); after a rollback call record_reload. name is NULL for
   rows that are no answer. ERR_CONFLICT when the id or the (terminal, request id) stands in the journal
   already. */
bool record_append(struct record *r, int64_t time_s, enum journal_kind kind, struct bytes body,
		   const struct record_name *name, struct err *e) CHECKED;
bool record_reload(struct record *r, struct err *e) CHECKED;

/* The stored answer's body (CBOR; decode with decision_decode or scan_decode, which borrow from out), appended to out.
 * ERR_MISSING when there is none of this kind. */
bool record_find(struct record *r, enum journal_kind kind, const uint8_t id[DECISION_ID_LEN], struct buf *out,
		 struct err *e) CHECKED;
bool record_find_request(struct record *r, const char *terminal, const char *request_id, struct buf *out,
			 uint8_t request_hash[HASH_LEN], struct err *e) CHECKED;

struct record_info {
	uint8_t epoch[JOURNAL_EPOCH_LEN];
	uint64_t first, last;   /* rows kept; first > last: none */
	uint64_t acknowledged;  /* sequence */
	uint8_t hash[HASH_LEN]; /* of the last row */
};
void record_info(const struct record *r, struct record_info *out);
/* The 32-byte key under which decisions seal their subject; made with the journal. Without one (the vault was wiped) rows can be read and
 * uploaded, but nothing may be sealed. */
const uint8_t *record_key(const struct record *r);
bool record_has_key(const struct record *r);
/* From memory; what is stored of it went with the vault. */
void record_forget_key(struct record *r);
/* Another journal, with an epoch and a key of its own, once central has acknowledged all of this one (ERR_STALE before). In a transaction of
 * its own. */
bool record_renew(struct record *r, struct err *e) CHECKED;

/* Rows behind the acknowledged one, as many as fit one message; rows_len 0 when there are none. Rows borrow
 * from memory, which is emptied first and holds at least RECORD_BATCH_BYTES. */
#define RECORD_BATCH_BYTES OBJECT_CHUNK
bool record_batch(struct record *r, struct journal_batch *b, struct buf *memory, struct err *e) CHECKED;
/* In a transaction of its own. ERR_CONFLICT when epoch or hash are not ours, or the sequence is one we never
 * had: nothing changes then. One below what is acknowledged already changes nothing either and is no failure.
 */
bool record_acknowledge(struct record *r, const struct journal_ack *a, struct err *e) CHECKED;
/* Central proves that it holds less than it once acknowledged (it was restored): what it lacks and we still
 * keep becomes unacknowledged again. ERR_CONFLICT as above, ERR_MISSING when the rows in between are gone
 * here. */
bool record_rewind(struct record *r, const struct journal_ack *a, struct err *e) CHECKED;
/* Reads every kept row and recomputes the chain; ERR_CONFLICT names the first row that does not fit. */
bool record_verify(struct record *r, uint64_t *rows, struct err *e) CHECKED;
/* Removes acknowledged rows past RECORD_KEEP_DAYS, a bounded number a call; *removed (may be NULL) says how
 * many. */
#define RECORD_PRUNE_ROWS 500
bool record_prune(struct record *r, int64_t now_s, uint64_t *removed, struct err *e) CHECKED;

#endif
