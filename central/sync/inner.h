/* Between the files of sync: the core's state. Nothing else includes this. */
#ifndef CENTRAL_SYNC_INNER_H
#define CENTRAL_SYNC_INNER_H

#include "central/branch/branches.h"
#include "central/report/requests.h"
#include "central/sync/sync.h"

#define OUTBOX_MAX        256       /* answers waiting; what finds no room is asked for again */
#define ASKED_MAX         512       /* chunks that were asked for and wait */
#define RECENT_MAX        512       /* chunks published a moment ago */
#define REPORTS_MAX       8         /* that branches are fetching */
#define REPORTS_AWAITED   32        /* being made */
#define REPORTS_OF_BRANCH 4         /* of them, so that one branch does not keep the others waiting */
#define REPORTS_BYTES_MAX 33554432U /* of all of them */
#define REPORT_KEPT_MS    60000     /* behind the last part asked for */

struct outgoing {
	char topic[TOPIC_MAX];
	uint8_t *data; /* owned */
	size_t len;
};

struct chunk_id {
	uint8_t hash[HASH_LEN];
	int64_t chunk; /* -1: the list */
};

struct recent {
	struct chunk_id id;
	int64_t ms;
};

/* An object the head needs on the broker. */
struct push {
	uint8_t hash[HASH_LEN];
	int64_t next, end; /* chunks still to go; next -1 begins with the list */
	int64_t done_ms;   /* INT64_MIN: not yet */
};

/* A report that a branch fetches part by part. */
struct sent_report {
	bool there;
	char branch[NAME_MAX_LEN + 1], number[REPORT_NUMBER];
	uint8_t question[HASH_LEN], hash[HASH_LEN];
	struct buf data; /* owned; wiped behind use */
	int64_t used_ms;
};

/* A report that is being made: the newest question for it is answered, the older ones have been given up. */
struct awaited_report {
	bool there;
	char branch[NAME_MAX_LEN + 1];
	uint8_t question[HASH_LEN], id[16];
};

struct central_sync {
	struct central_sync_config config;
	struct central_sync_info info;
	bool up, subscribed;
	int64_t refused_ms; /* when an alarm last said that a revoked branch speaks; INT64_MIN never */

	/* head */
	bool head_due;        /* at once: something was released, or the line is up */
	int64_t head_next_ms; /* otherwise then */
	int64_t signing_ms;   /* since when the signer has `payload`; INT64_MIN: it has nothing */
	struct buf payload;   /* what it was asked to sign */
	struct buf head;      /* the last signed message */
	bool head_unsent;     /* `head` still has to go out */
	uint64_t signing_sequence;
	int64_t signing_issued_s;

	/* objects */
	struct push *pushes; /* owned */
	size_t pushes_len;
	bool pushes_stale; /* the head has changed since */
	int64_t pushes_next_ms;
	struct chunk_id asked[ASKED_MAX]; /* a ring */
	size_t asked_at, asked_len;
	struct recent recent[RECENT_MAX]; /* a ring */
	size_t recent_at;

	struct sent_report reports[REPORTS_MAX];
	struct awaited_report awaited[REPORTS_AWAITED];

	/* answers, a ring */
	struct outgoing outbox[OUTBOX_MAX];
	size_t outbox_at, outbox_len;
};

/* Counts it and keeps its text for those who look. */
void sync_fault(struct central_sync *s, const struct err *e, const char *what);

/* sync/head.c: signs and publishes when due. False while the transport takes no more. */
bool sync_head_run(struct central_sync *s, struct instant now);
int64_t sync_head_next_ms(const struct central_sync *s);

/* sync/objects.c: at most budget publications. False while the transport takes no more. */
bool sync_objects_run(struct central_sync *s, struct instant now, unsigned budget);
bool sync_objects_waiting(const struct central_sync *s);
/* The broker may have lost its memory. */
void sync_objects_forget(struct central_sync *s);
/* ERR_MISSING when no branch may have it or it has no such chunk; ERR_FULL when too much waits. */
bool sync_objects_ask(struct central_sync *s, const uint8_t hash[HASH_LEN], int64_t first, uint32_t count,
		      struct instant now, struct err *e) CHECKED;

/* sync/up.c: one message of a branch that may speak. */
void sync_up_message(struct central_sync *s, const struct branch *b, const char *what, struct bytes payload,
		     struct instant now);

/* sync/sealed.c: questions that branches sealed to central, and answers sealed to them; what: the context (protocol/sealed.h). */
bool sync_question_open(const struct central_sync *s, const struct branch *b, const char *what, const struct query *q,
			struct buf *plain, struct err *e) CHECKED;
/* The id inside is the query's own; ERR_DENIED when not. */
bool sync_question_is(const struct query *q, const uint8_t id[16], struct err *e) CHECKED;
bool sync_answer_seal(const struct central_sync *s, const struct branch *b, const char *what, const struct buf *plain,
		      struct buf *out, struct err *e) CHECKED;

/* sync/bodies.c: certificates' bodies, sealed both ways; out: the reply's body. */
bool sync_certificate(struct central_sync *s, const struct branch *b, const struct query *q, struct instant now,
		      struct buf *out, struct err *e) CHECKED;
bool sync_prefetch(struct central_sync *s, const struct branch *b, const struct query *q, struct instant now,
		   struct buf *out, struct err *e) CHECKED;

/* sync/reports.c: credit reports in parts, sealed both ways. *later: central_sync_reported answers. */
bool sync_report(struct central_sync *s, const struct branch *b, const struct query *q, struct instant now,
		 struct buf *out, bool *later, struct err *e) CHECKED;
/* Wipes those that nobody has asked for since then. */
void sync_reports_drop(struct central_sync *s, int64_t since_ms);

/* sync/up.c: the reply to a query, with its body or why not (ERR_NONE: neither). */
void sync_reply(struct central_sync *s, const char *branch, const uint8_t id[16], struct bytes body,
		const struct err *why);

/* sync/accounts.c: customers' carbon accounts, sealed both ways. */
bool sync_account(struct central_sync *s, const struct branch *b, const struct query *q, struct instant now,
		  struct buf *out, struct err *e) CHECKED;

/* sync.c: queues an answer. */
void sync_answer(struct central_sync *s, const char *branch, const char *what, struct bytes payload);

#endif
