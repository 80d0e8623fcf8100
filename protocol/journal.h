/*
 * The branch's append-only record. Row n's hash is SHA-256(hash of row n-1 ‖ row bytes); row 0's stands for the epoch:
 * SHA-256("xb/1/journal" ‖ epoch). The epoch is 16 random bytes made with the database, so a restored or cloned box is noticed.
 * A batch carries rows first … first+len-1 without a gap; central commits them, then acknowledges epoch, sequence and hash; the
 * branch prunes only what that hash proves.
 */
#ifndef PROTOCOL_JOURNAL_H
#define PROTOCOL_JOURNAL_H

#include "protocol/cbor.h"
#include "protocol/crypto.h"
#include "protocol/base/limits.h"

#define JOURNAL_EPOCH_LEN 16

enum journal_kind {
	JOURNAL_DECISION = 1, /* body: struct decision */
	JOURNAL_FOLLOW_UP =
		2,         /* body: map {1: the decision's id, 2: text, what is to be verified ("verified_online")} */
	JOURNAL_EVENT = 3, /* body: map {1: code text, 2: detail text} */
	JOURNAL_SCAN = 4,  /* body: struct scan (scan.h) */
	JOURNAL_RECHECK = 5, /* body: struct scan_recheck */
	JOURNAL_LOOKUP = 6,  /* body: struct scan_lookup */
};
#define JOURNAL_KIND_LAST JOURNAL_LOOKUP

struct journal_row {
	uint64_t seq; /* from 1 */
	int64_t time_s;
	enum journal_kind kind;
	struct bytes body; /* CBOR; borrowed */
};

void journal_start_hash(const uint8_t epoch[JOURNAL_EPOCH_LEN], uint8_t hash[HASH_LEN]);
void journal_next_hash(const uint8_t before[HASH_LEN], struct bytes row, uint8_t after[HASH_LEN]);
/* CBOR array [seq, time, kind, body as byte string]. */
bool journal_row_encode(const struct journal_row *r, struct buf *out, struct err *e) CHECKED;
bool journal_row_decode(struct bytes data, struct journal_row *r, struct err *e) CHECKED;

/* The body of a JOURNAL_EVENT. Texts borrow from the body. */
#define JOURNAL_EVENT_TAMPER                                                                                         \
	"board.tamper" /* detail: hex of the branch's seal point, whose private half went; which of its enrolments */
struct journal_event {
	struct bytes code, detail;
};
bool journal_event_encode(const struct journal_event *v, struct buf *out, struct err *e) CHECKED;
bool journal_event_decode(struct bytes body, struct journal_event *v, struct err *e) CHECKED;

struct journal_batch {
	uint8_t epoch[JOURNAL_EPOCH_LEN];
	uint64_t first;
	uint8_t before[HASH_LEN]; /* hash of row first-1 */
	size_t rows_len;
	struct bytes rows[JOURNAL_BATCH]; /* encoded rows; borrowed */
};
/* Whether one more row still fits: JOURNAL_BATCH rows, and OBJECT_CHUNK bytes encoded, since a batch is one message. */
bool journal_batch_fits(const struct journal_batch *b, struct bytes row);
bool journal_batch_encode(const struct journal_batch *b, struct buf *out, struct err *e) CHECKED;
/* Rows are not looked into: a poison row must not take its batch along. */
bool journal_batch_decode(struct bytes data, struct journal_batch *b, struct err *e) CHECKED;

struct journal_ack {
	uint8_t epoch[JOURNAL_EPOCH_LEN];
	uint64_t seq; /* everything up to here is stored */
	uint8_t hash[HASH_LEN];
};
bool journal_ack_encode(const struct journal_ack *a, struct buf *out, struct err *e) CHECKED;
bool journal_ack_decode(struct bytes data, struct journal_ack *a, struct err *e) CHECKED;

#endif
