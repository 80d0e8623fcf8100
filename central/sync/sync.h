/*
 * Central's side of syncing, without sockets: time, randomness, transport and signer are parameters. Publishes the head, re-signed
 * every minute under a strictly rising sequence that is durable before the signer sees it, and the small objects it needs;
 * large ones when a branch asks. Takes journals, queries and statuses. Never assumes that a message arrives: everything
 * that is lost is asked for again by the branch, or said again with the next head.
 *
 * A branch is who the topic says: the broker's ACL ties it to the certificate. Whether it may speak at all is asked of the
 * database on every message, since the broker lets a revoked branch's session live on.
 */
#ifndef CENTRAL_SYNC_SYNC_H
#define CENTRAL_SYNC_SYNC_H

#include "central/centrald.h"
#include "protocol/inquiry.h"
#include "protocol/message.h"
#include "protocol/transport.h"

#define CENTRAL_HEAD_EVERY_MS 60000
#define CENTRAL_HEAD_S        86400    /* a head is good for a day: a branch older than that says so */
#define CENTRAL_PUSH_SIZE_MAX 1048576U /* larger objects go out when asked for */
#define CENTRAL_PUSH_EXPIRY_S 172800   /* what is pushed stands on the broker for two days … */
#define CENTRAL_PUSH_EVERY_MS 43200000 /* … and is said again twice a day */
#define CENTRAL_ASK_EXPIRY_S  3600     /* what was asked for: long enough for the other branches that want it too */
#define CENTRAL_ASK_AGAIN_MS  3000     /* a chunk just published is not published again */
#define CENTRAL_SIGN_WAIT_MS  10000    /* the signer is asked again after that */
#define CENTRAL_BURST         24       /* publications in one turn; replies and acknowledgements first */
#define CENTRAL_STEP_MS       20

struct instant {
	int64_t ms; /* monotonic */
	int64_t s;  /* since 1970-01-01, UTC */
};

struct head_signer {
	void *arg;
	/* Answered by central_sync_signed, in a later turn or within. ERR_IO while it is down. */
	bool (*sign)(void *arg, struct bytes payload, struct err *e);
};

struct report_maker {
	void *arg;
	/* Answered by central_sync_reported with the same branch and question (central/report/requests.h), in a later turn or within. */
	bool (*make)(void *arg, const char *branch, const struct inquiry *q, const uint8_t question[HASH_LEN],
		     int64_t now_s, struct err *e);
};

struct central_sync_config {
	struct release_context *release;
	struct transport transport;
	struct head_signer signer;
	struct report_maker reports; /* make NULL: a branch that asks is told that there are none */
	void (*wake)(void *arg);     /* something was released: run soon; NULL is fine */
	void *wake_arg;
	uint64_t push_size_max;                  /* 0: CENTRAL_PUSH_SIZE_MAX */
	const uint8_t *seal_scalar, *seal_point; /* central's; journal keys come sealed to it */
	/* The ledger and its file, borrowed; NULL on failure. No function: there is none. */
	struct ledger *(*ledger)(void *arg, const char **path, struct err *e);
	void *ledger_arg;
};

struct central_sync *central_sync_new(const struct central_sync_config *c);
void central_sync_free(struct central_sync *s);

void central_sync_up(struct central_sync *s, struct instant now);
void central_sync_down(struct central_sync *s, struct instant now);
void central_sync_message(struct central_sync *s, const char *topic, struct bytes payload, struct instant now);
/* The signed head, or why not (message.data NULL). */
void central_sync_signed(struct central_sync *s, struct bytes message, const struct err *why, struct instant now);
/* A report and its number, or why not (data.data NULL). Whoever waits for it is answered. */
void central_sync_reported(struct central_sync *s, const char *branch, const uint8_t question[HASH_LEN],
			   struct bytes data, const char *number, const struct err *why, struct instant now);
/* Does what is due; returns the ms at which to call again (now: at once; INT64_MAX: never). */
int64_t central_sync_run(struct central_sync *s, struct instant now);

struct central_sync_info {
	bool up;
	uint64_t head_sequence;
	int64_t head_issued_s; /* of the last one published; 0 none yet */
	uint64_t heads, sign_failures;
	uint64_t pushed, asked;               /* chunks and chunk lists published by ourselves, on request */
	uint64_t batches, rows, dead;         /* stored */
	uint64_t duplicates, gaps, conflicts; /* batches */
	uint64_t queries, statuses;
	uint64_t refused;   /* messages of branches that may not speak */
	uint64_t malformed; /* messages that nobody could read */
	uint64_t dropped;   /* answers that found no room */
	uint64_t faults;    /* database or disk said no */
	char last_fault[240];
};
void central_sync_info(const struct central_sync *s, struct central_sync_info *out);

#endif
