/*
 * Exchange with other platforms (a province's, a city's, a nation's): one way of speaking for all, and each platform a row. Records are
 * NDJSON over HTTPS with mutual TLS; no cities' interface is imitated, a platform that speaks otherwise stands behind an adapter of its own.
 *
 *   push  POST URL, a batch of records, "Idempotency-Key" (IETF httpapi draft) over the records' own keys: the same batch, sent again after
 *         a broken line, has the same bytes and the same key. The answer has one line for each record, {"key", "status", "error"?}, or is
 *         204 when all are taken. 2xx: taken (also when it was there before). 4xx: dead, the others go on. 408, 409, 425, 429, 5xx, or no
 *         line: again later. A whole batch that is refused (400, 413, 415, 422) is halved until the record is found.
 *   pull  GET URL?period=P&limit=N&cursor=C, a page of flat records and a last line {"records", "more", "cursor"} that tells whether all came.
 *         The pages of one period become one batch of a source (ingest/batch.h), which a period that is pulled again supersedes.
 *
 * What fails is tried again after 5 s doubled up to an hour, less up to half of it at random, never before Retry-After; after
 * EXCHANGE_TRIES a record is a dead letter, kept and shown until an operator requeues it, and a pull waits to be asked for again.
 * What a platform learns of a subject's number is agreed with it: HMAC-SHA-256 under a key that both have, or sealed to its certificate.
 */
#ifndef CENTRAL_EXCHANGE_EXCHANGE_H
#define CENTRAL_EXCHANGE_EXCHANGE_H

#include "central/release/release.h"

#define EXCHANGES_MAX       16 /* GATE_PORTS_MAX */
#define EXCHANGE_TRIES      24 /* 7 to 15 hours */
#define EXCHANGE_BATCH_MAX  200
#define EXCHANGE_PUSH_MAX   200 /* records in one call of exchange_push: sealing takes 1 ms each */
#define EXCHANGE_RECORD_MAX 4096
#define EXCHANGE_BODY_MAX   819200U /* EXCHANGE_BATCH_MAX records of EXCHANGE_RECORD_MAX */
#define EXCHANGE_PAGE_MAX   4194304U
#define EXCHANGE_PULL_MAX   16777216U /* all pages of a period; more comes as a file: centralctl batch load */
#define EXCHANGE_PAGE_ROWS  1000
#define EXCHANGE_PATH_MAX   200
#define EXCHANGE_CURSOR_MAX 200
#define EXCHANGE_FAULT_MAX  200
#define EXCHANGE_OPERATOR   "exchange" /* who lands what was pulled, in the audit */
#define EXCHANGE_NEVER_S    INT64_MAX

/* Stored. */
enum exchange_direction { EXCHANGE_PUSH = 1, EXCHANGE_PULL };
enum exchange_kind { EXCHANGE_SCORES = 1, EXCHANGE_RELEASES, EXCHANGE_RECORDS };
enum exchange_subject { EXCHANGE_SUBJECT_NONE, EXCHANGE_SUBJECT_HASH, EXCHANGE_SUBJECT_SEALED };
enum exchange_state { EXCHANGE_WAITING = 1, EXCHANGE_TAKEN, EXCHANGE_DEAD };
const char *exchange_kind_name(enum exchange_kind k); /* "scores", "releases", "records" */
const char *exchange_subject_name(enum exchange_subject s);

struct exchange {
	char name[NAME_MAX_LEN + 1];
	char url[256]; /* https://host[:port][/path] */
	char certificate[EXCHANGE_PATH_MAX], key[EXCHANGE_PATH_MAX],
		ca[EXCHANGE_PATH_MAX]; /* PEM; relative: to central's directory */
	enum exchange_direction direction;
	enum exchange_kind kind;
	char what[NAME_MAX_LEN + 1]; /* scores: the family; releases: a list, "" all; records: the source */
	enum exchange_subject subject;
	char subject_key[EXCHANGE_PATH_MAX]; /* hash: a file of 64 hex digits; sealed: the platform's certificate */
	int64_t after, batch_max, batch, batches, tries, next_s;
	char period[11], cursor[EXCHANGE_CURSOR_MAX + 1]; /* of the pull under way; "" none */
	int64_t pages;
	char asked_by[NAME_MAX_LEN + 1];
	int64_t ok_s; /* it last answered as it should */
	char fault[EXCHANGE_FAULT_MAX];
	char created_by[NAME_MAX_LEN + 1];
	int64_t created_s;
};

struct exchange_url {
	char host[256], path[256]; /* path with its query, "/" at least */
	int port;
};
bool exchange_url_read(const char *url, struct exchange_url *out, struct err *e) CHECKED;

/* What gate needs of a platform, DER. */
struct exchange_identity {
	struct buf certificate, key, ca;
};
bool exchange_identity_load(const struct exchange *x, const char *dir, struct exchange_identity *out,
			    struct err *e) CHECKED;
void exchange_identity_clear(struct exchange_identity *i);

/* How a platform is told whose record it is. Wipe with explicit_bzero. */
struct exchange_agreement {
	enum exchange_subject subject;
	uint8_t key[HASH_LEN];    /* hash */
	uint8_t point[POINT_LEN]; /* sealed */
};
bool exchange_agreement_load(const struct exchange *x, const char *dir, struct exchange_agreement *out,
			     struct err *e) CHECKED;

/* Takes name, url, the files, direction, kind, what and the subject's agreement; the files are read once to see that they are good. */
bool exchange_add(struct release_context *c, const char *dir, const struct exchange *x, const char *operator,
		  int64_t now_s, struct err *e) CHECKED;
/* Nothing more is exchanged; its rows stay, and its name is not used again. */
bool exchange_end(struct release_context *c, const char *name, const char *operator, int64_t now_s,
		  struct err *e) CHECKED;
bool exchange_load(struct release_context *c, const char *name, struct exchange *out, struct err *e) CHECKED;
/* Those that have not ended, by name. *len at most EXCHANGES_MAX. */
bool exchange_all(struct release_context *c, struct exchange out[EXCHANGES_MAX], size_t *len, struct err *e) CHECKED;
bool exchange_save(struct release_context *c, const struct exchange *x,
		   struct err *e) CHECKED; /* what changes while it runs */

/* --- out --- */

struct exchange_pushed {
	int64_t queued, skipped; /* skipped: scores older than the numbers that are kept, which nobody could name */
	bool more;               /* call again */
};
/* What is new goes to the outbox, at most EXCHANGE_PUSH_MAX of it, in one transaction. */
bool exchange_push(struct release_context *c, const char *dir, const char *name, const char *operator, int64_t now_s,
		   struct exchange_pushed *out, struct err *e) CHECKED;

struct exchange_counts {
	int64_t waiting, taken, dead;
};
bool exchange_count(struct release_context *c, const char *name, struct exchange_counts *out, struct err *e) CHECKED;
/* Oldest first. */
bool exchange_dead_each(struct release_context *c, const char *name, size_t limit,
			void (*each)(void *arg, int64_t id, const char *key, int64_t tries, const char *fault,
				     int64_t made_s),
			void *arg, struct err *e) CHECKED;
/* id 0: all of them. *n: how many. */
bool exchange_requeue(struct release_context *c, const char *name, int64_t id, const char *operator, int64_t now_s,
		      int64_t *n, struct err *e) CHECKED;

/* The batch that is under way, or a new one; appended to body. key: of the batch, "" when nothing waits. */
bool exchange_batch(struct release_context *c, struct exchange *x, struct buf *body, char key[2 * HASH_LEN + 1],
		    struct err *e) CHECKED;
/* What the platform said to it; status 0: nothing that can be read, and why stands in x->fault. Saves x. */
bool exchange_batch_answered(struct release_context *c, struct exchange *x, int status, struct bytes body,
			     int64_t now_s, struct err *e) CHECKED;

/* --- in --- */

/* Begins, or goes on when the same period is under way. */
bool exchange_pull(struct release_context *c, const char *name, const char *period, const char *operator,
		   int64_t now_s, struct err *e) CHECKED;
/* A page came: kept, and the last one lands. ERR_INPUT: it is no page, or was cut. */
bool exchange_page(struct release_context *c, struct exchange *x, struct bytes page, int64_t now_s,
		   struct err *e) CHECKED;

/* Seconds to wait after so many tries, with jitter. */
int64_t exchange_wait_s(const struct random *r, int64_t tries);

#endif
