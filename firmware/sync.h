/*
 * The branch's side of syncing, without sockets: time, randomness and transport are parameters. Believes a
 * head in this order: signature, sequence above the stored one (even when that is expired), then each entry;
 * plans (plan.h), fetches chunks with resume in windows of FETCH_WINDOW, applies, reports what is really
 * applied. Progress counts, not total time. Whatever fails is counted, shown in the list's fault and tried
 * again with back-off and jitter; the last good state serves. Never assumes that a message arrives:
 * everything outstanding is asked for again.
 */
#ifndef FIRMWARE_SYNC_H
#define FIRMWARE_SYNC_H

#include "firmware/clock.h"
#include "firmware/documents.h"
#include "firmware/lists.h"
#include "firmware/record.h"
#include "firmware/updates.h"
#include "protocol/account.h"
#include "protocol/body.h"
#include "protocol/inquiry.h"
#include "protocol/message.h"
#include "protocol/transport.h"

struct sync;

/* What enrolment gave; kept under state keys by the caller. */
struct sync_identity {
	char branch[NAME_MAX_LEN + 1];
	uint8_t head_key[POINT_LEN]; /* central's: heads are believed under it */
	uint8_t central_seal_key[POINT_LEN];
	uint8_t seal_scalar[SCALAR_LEN], seal_point[POINT_LEN]; /* ours */
};

struct sync_config {
	struct sync_identity identity;
	struct db *db;
	const char *dir; /* DIR; parts being fetched lie in DIR/fetch */
	struct lists *lists;
	struct documents *documents;
	struct record *record;
	struct clock *clock;
	const struct random *random;
	struct transport transport;
	const uint64_t *checks; /* counter shown in the status; borrowed */
	/* A body that central has set aside for this branch, or one to be erased; false: it comes again. NULL: none are asked for. */
	bool (*prefetched)(void *arg, const struct prefetch_item *item, struct err *e);
	void *arg;
	struct updates *
		updates; /* the box's image is kept current too, after all lists and documents; NULL: no box with slots */
};
struct sync *sync_new(const struct sync_config *c, struct err *e) CHECKED;
/* Says nothing over the transport any more. */
void sync_free(struct sync *s);

/* now_ms: monotonic. */
void sync_up(struct sync *s, int64_t now_ms);
void sync_down(struct sync *s, int64_t now_ms); /* from here to sync_up the transport is not used */
void sync_message(struct sync *s, const char *topic, struct bytes payload, int64_t now_ms);
/* Rows were appended and committed. */
void sync_recorded(struct sync *s, int64_t now_ms);
/*
 * Bodies of a holder's certificates from central, within SYNC_BODIES_WAIT_MS; q->id is filled here. done is called once, in a later call,
 * with r (borrowed) or why not: ERR_DENIED no consent, ERR_MISSING there is none, ERR_IO nobody answered. ERR_IO at once while the
 * line is down, ERR_FULL with too many open.
 */
#define SYNC_BODIES_WAIT_MS 2000
#define SYNC_BODIES_MAX     16
typedef void sync_bodies_done(void *arg, const struct body_reply *r, const struct err *why);
bool sync_ask_bodies(struct sync *s, struct body_query *q, int64_t now_ms, sync_bodies_done *done, void *arg,
		     struct err *e) CHECKED;
/* Whoever asked with this arg is gone. */
void sync_forget_bodies(struct sync *s, const void *arg);

/*
 * A credit report from central (sync_inquiry.c); q's id and part are filled here. done is called once, in a later call, with the report
 * (borrowed) or why not: central's own word (ERR_DENIED, ERR_INPUT, ERR_CONFLICT, ERR_FULL), or ERR_IO, nobody answered. ERR_IO at once while
 * the line is down, ERR_FULL with too many open. It ends SYNC_INQUIRY_WAIT_MS after the last part that came, and in any case after
 * SYNC_INQUIRY_END_MS: gate cuts a terminal off that hears nothing for a minute.
 */
#define SYNC_INQUIRY_WAIT_MS 15000
#define SYNC_INQUIRY_END_MS  50000
#define SYNC_INQUIRIES_MAX   4
#define SYNC_INQUIRY_WINDOW  4 /* parts asked for at once */
struct sync_inquiry {
	const char *number;
	struct bytes report;
};
typedef void sync_inquiry_done(void *arg, const struct sync_inquiry *r, const struct err *why);
bool sync_ask_inquiry(struct sync *s, const struct inquiry *q, int64_t now_ms, sync_inquiry_done *done, void *arg,
		      struct err *e) CHECKED;
/* Whoever asked with this arg is gone. */
void sync_forget_inquiry(struct sync *s, const void *arg);

/*
 * A customer's carbon account (sync_account.c); q's id is filled here. done is called once, in a later call, with the answer or why not:
 * central's own word, or ERR_IO: nobody answered, and what was asked for may have been done: the same request asked again tells. ERR_IO at
 * once while the line is down, ERR_FULL with too many open.
 */
#define SYNC_ACCOUNT_WAIT_MS 8000
#define SYNC_ACCOUNTS_MAX    8
typedef void sync_account_done(void *arg, const struct account_answer *a, const struct err *why);
bool sync_ask_account(struct sync *s, const struct account_query *q, int64_t now_ms, sync_account_done *done,
		      void *arg, struct err *e) CHECKED;
/* Whoever asked with this arg is gone. */
void sync_forget_account(struct sync *s, const void *arg);

/* What central seals to us can no longer be read. */
void sync_forget_seal(struct sync *s);

/* Does what is due, a slice at a time; returns when to call again (now_ms: at once; INT64_MAX: never). */
int64_t sync_run(struct sync *s, int64_t now_ms);

struct sync_info {
	bool up;
	uint64_t head_sequence;
	int64_t head_issued_s, head_expires_s; /* 0: no head yet */
	uint64_t heads, heads_refused, chunks, chunks_refused, deltas, snapshots, faults,
		acknowledgements; /* since start */
	char last_fault[200];
};
void sync_info(const struct sync *s, struct sync_info *out);

#endif
