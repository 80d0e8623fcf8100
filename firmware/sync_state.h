/* What the files sync*.c share; nobody else includes it. */
#ifndef FIRMWARE_SYNC_STATE_H
#define FIRMWARE_SYNC_STATE_H

#include "firmware/sync.h"
#include "protocol/object.h"
#include "protocol/plan.h"

#define SYNC_PATH_MAX 256
#define SYNC_NEVER    INT64_MAX

/* How long an answer is waited for before it is asked for again, doubling, with jitter. */
#define SYNC_WAIT_MS     5000
#define SYNC_WAIT_MAX_MS 60000
/* A step that failed is tried again after this, doubling. */
#define SYNC_RETRY_MS     5000
#define SYNC_RETRY_MAX_MS 600000

/* --- one object being fetched --- */

struct fetch {
	bool active;
	struct object_ref ref;
	char part[SYNC_PATH_MAX], list[SYNC_PATH_MAX]; /* DIR/fetch/<hash>.part and .list */
	bool in_place;                                 /* part is a slot, which is there and stays */
	int fd;                                        /* of the part; -1 not open */
	uint32_t chunks, got;
	uint32_t scanned;            /* chunks looked at that an earlier attempt left; = chunks: all */
	uint8_t *hashes;             /* the chunk list; owned */
	bool has_list;               /* hashes are there and proven */
	uint8_t *have;               /* one byte a chunk; owned */
	uint32_t missing;            /* no chunk below is missing */
	uint32_t window;             /* chunks asked for at once: starts at one, doubles with each that comes */
	int64_t slots[FETCH_WINDOW]; /* chunks subscribed to (-1 the list); FETCH_NO_SLOT: free */
	bool asking;                 /* not on the broker: central is asked besides */
	unsigned lacks;              /* times the broker did not have what was asked of it alone */
	int64_t asked_ms, wait_ms, progress_ms, wrong_ms;
	struct err err; /* why it cannot go on */
};
#define FETCH_NO_SLOT (-2)

enum fetch_state { FETCH_GOING, FETCH_DONE, FETCH_FAILED };

/* --- what the head wants of us --- */

struct target {
	struct head_entry want;
	int64_t issued_s; /* of the newest unexpired head that names it; -1 none */
	int64_t retry_ms; /* not before */
	unsigned failures;
	bool held;          /* refused for good; until the head wants something else */
	bool snapshot_only; /* the way by deltas has failed */
	bool is_seen;       /* in the head at hand */
};

enum step {
	STEP_NONE,
	STEP_KEY,
	STEP_INDEX,
	STEP_DELTA,
	STEP_SNAPSHOT,
	STEP_DOCUMENT,
	STEP_READY,
	STEP_APPLYING,
	STEP_IMAGE,      /* into a slot; no target */
	STEP_IMAGE_CHECK /* read back */
};

/* The target being worked on: with the entry it had when the work began, also if the head has moved on since. */
struct work {
	enum step step;
	struct head_entry entry;
	int64_t issued_s;
	struct list_index index;
	struct plan plan;
	size_t hop;      /* of the plan */
	bool is_delta;   /* what is to be applied */
	bool is_applied; /* lists_apply has ended; with what, in applied */
	struct err applied;
	int64_t asked_ms; /* the key */
	unsigned asks;
};

/* --- the box's image --- */

struct image {
	int64_t retry_ms; /* not before */
	unsigned failures;
	/* What had come when something else came first: taken up again without another look at each chunk. */
	uint8_t hash[HASH_LEN];
	uint8_t *have; /* owned; NULL: nothing */
};

/* --- the rest --- */

struct ask {
	uint8_t id[16]; /* of the newest query of its type */
	bool is_open;
};

struct upload {
	bool in_flight;
	int64_t due_ms;
	unsigned tries;
	uint64_t lower_seq; /* that central said it ends at, below what it once acknowledged */
	unsigned lowers;
};

struct report {
	int64_t due_ms;
	int64_t look_ms;
	/* Still to come, with new heads: those show that central is there, which may have missed the first. */
	unsigned repeats;
	uint8_t said[HASH_LEN]; /* of what was said last */
};

struct asked_bodies {
	uint8_t id[16];
	int64_t until_ms;
	sync_bodies_done *done; /* NULL: free */
	void *arg;
};

struct asked_part {
	bool is_open;
	uint8_t id[16];
	uint64_t part;
	int64_t again_ms;
};

struct asked_inquiry {
	struct inquiry inquiry;
	sync_inquiry_done *done; /* NULL: free */
	void *arg;
	int64_t until_ms, end_ms;
	struct asked_part open[SYNC_INQUIRY_WINDOW];
	unsigned restarts;
	uint64_t size, next, have; /* bytes, 0 not known yet; part to be asked for; bytes */
	uint8_t hash[HASH_LEN];
	char number[INQUIRY_NUMBER_MAX + 1];
	struct buf data; /* owned */
};

struct asked_account {
	struct account_query query;
	int64_t until_ms, again_ms;
	sync_account_done *done; /* NULL: free */
	void *arg;
};

struct prefetch {
	bool open;
	uint8_t id[16];
	int64_t due_ms;
	unsigned tries;
};

struct sync {
	struct sync_config config;
	struct sync_info info;
	char dir[SYNC_PATH_MAX - 80]; /* DIR/fetch */
	char ack_topic[TOPIC_MAX], reply_topic[TOPIC_MAX], command_topic[TOPIC_MAX];
	struct asked_bodies bodies[SYNC_BODIES_MAX];
	struct asked_inquiry inquiries[SYNC_INQUIRIES_MAX];
	struct asked_account accounts[SYNC_ACCOUNTS_MAX];
	struct prefetch prefetch;
	int64_t now_ms;
	int64_t subscribe_ms; /* when to subscribe again, should no head have come */
	bool has_head;        /* targets are those of the head of info.head_sequence */
	size_t targets_len;
	struct target *targets; /* owned; in the head's order */
	int64_t look_ms;        /* when to look for work */
	struct work work;
	struct fetch fetch;
	struct image image;
	struct ask asks[QUERY_ACK + 1]; /* by type */
	struct upload upload;
	struct report report;
	int64_t prune_ms, clock_ms;
};

/* sync.c */
void sync_note(struct sync *s, const char *what, const struct err *e);
/* wait_ms doubled failures times up to max_ms, and up to half of that again at random. */
int64_t sync_backoff(struct sync *s, int64_t wait_ms, unsigned failures, int64_t max_ms);
bool sync_publish(struct sync *s, const char *what, struct bytes payload);

/* sync_head.c */
bool sync_load_head(struct sync *s, struct err *e) CHECKED;
void sync_take_head(struct sync *s, struct bytes message);

/* sync_target.c */
void targets_set(struct sync *s, const struct head *h, bool expired);
struct target *target_find(const struct sync *s, const char *name);
/* Starts work on the next target that is due; the image waits for it, and has its turn when there is none. */
void target_next(struct sync *s);
/* Ends the work: e NULL, or why it failed. */
void target_end(struct sync *s, const struct err *e);

/* sync_step.c: the work at hand, one step after the other; returns when to go on. */
int64_t step_run(struct sync *s);
void step_start(struct sync *s);
void step_key(struct sync *s, const struct reply *r);

/* sync_fetch.c */
bool fetch_start(struct sync *s, const struct object_ref *ref, struct err *e) CHECKED;
/* Straight into path, which has room for it: a slot. */
bool fetch_start_in(struct sync *s, const struct object_ref *ref, const char *path, struct err *e) CHECKED;
enum fetch_state fetch_run(struct sync *s, int64_t *due_ms);
void fetch_message(struct sync *s, const uint8_t hash[HASH_LEN], int64_t chunk, struct bytes data);
/* The line has come back: everything asked for is forgotten there. */
void fetch_up(struct sync *s);
/* Lets go of it; what has come stays for another attempt, or is removed. */
void fetch_stop(struct sync *s, bool remove);
/* Removes what is left of earlier fetches. Nothing is being fetched. */
void fetch_sweep(struct sync *s);

/* sync_image.c */
void image_next(struct sync *s);
int64_t image_run(struct sync *s);
/* Something else comes first. */
void image_pause(struct sync *s);

/* sync_ask.c */
bool ask_send(struct sync *s, enum query_type type, struct bytes body);
/* The same under an id of the caller's, who takes the reply. */
bool ask_query(struct sync *s, enum query_type type, const uint8_t id[16], struct bytes body);
/* A reply's body that central sealed to this branch as `what` (protocol/sealed.h). */
bool ask_reply_open(const struct sync *s, const char *what, const struct reply *r, struct buf *plain,
		    struct err *e) CHECKED;
void ask_object(struct sync *s, const uint8_t hash[HASH_LEN], int64_t first, uint32_t count);
void ask_reply(struct sync *s, struct bytes payload);

/* sync_bodies.c */
bool bodies_take_reply(struct sync *s, const struct reply *r);
void bodies_command(struct sync *s, struct bytes payload);
void bodies_up(struct sync *s);
void bodies_down(struct sync *s);
int64_t bodies_run(struct sync *s);

/* sync_inquiry.c */
bool inquiries_take_reply(struct sync *s, const struct reply *r);
void inquiries_down(struct sync *s);
void inquiries_free(struct sync *s);
int64_t inquiries_run(struct sync *s);

/* sync_account.c */
bool accounts_take_reply(struct sync *s, const struct reply *r);
void accounts_down(struct sync *s);
void accounts_free(struct sync *s);
int64_t accounts_run(struct sync *s);

/* sync_upload.c */
int64_t upload_run(struct sync *s);
void upload_ack(struct sync *s, struct bytes payload);
void upload_up(struct sync *s);

/* sync_report.c */
int64_t report_run(struct sync *s);
void report_up(struct sync *s);
/* A new head has come. */
void report_head(struct sync *s);

#endif
