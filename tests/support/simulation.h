/*
 * One branch and its central over a line of our making, in simulated time, all from one seed: for tests of the branch's sync.
 * Central here is a few lines that publish what publishers hold, answer queries and store journals; the branch is the real one
 * on real SQLite and files. The broker keeps retained messages. Lists' children run in real time: sim_run lets them.
 */
#ifndef TESTS_SUPPORT_SIMULATION_H
#define TESTS_SUPPORT_SIMULATION_H

#include "firmware/sync.h"
#include "tests/support/publisher.h"

#define SIM_START_S 1790000000 /* central's clock when the simulation starts */

struct sim_message {
	int64_t at_ms;
	bool to_branch;
	char topic[TOPIC_MAX];
	struct buf payload;
};

struct sim_retained {
	char topic[TOPIC_MAX];
	struct buf payload;
};

struct sim_row {
	struct buf bytes;
	uint8_t hash[HASH_LEN]; /* of the chain behind it */
};

struct sim {
	uint64_t seed;
	int64_t now_ms, next_head_ms, next_run_ms;
	/* The line. Odds in a hundred, of each message. */
	unsigned lose, twice, bend;
	int64_t delay_ms; /* at most */
	int64_t chunk_ms; /* a slow line: what one chunk takes; 0 none */
	int64_t busy_until_ms;
	bool up;
	size_t messages_len;
	struct sim_message *messages;
	size_t filters_len;
	char (*filters)[TOPIC_MAX];
	size_t retained_len;
	struct sim_retained *retained;
	/* Central */
	size_t publishers_len;
	struct publisher *publishers[4];
	size_t documents_len;
	struct head_entry documents[4];
	struct publisher objects; /* of documents */
	uint64_t sequence;
	bool silent;      /* publishes no head by itself */
	bool no_retained; /* puts objects on the broker only when asked */
	bool deaf;        /* hears nothing: not back yet after the broker was away */
	bool no_keys;     /* does not give epochs' keys */
	uint8_t head_scalar[SCALAR_LEN], head_point[POINT_LEN];
	uint8_t seal_scalar[SCALAR_LEN], seal_point[POINT_LEN];
	size_t rows_len;
	struct sim_row *rows;
	uint8_t epoch[JOURNAL_EPOCH_LEN];
	uint64_t doubled; /* rows that came again */
	unsigned conflicts;
	struct status status; /* the last one heard; journal_key is not kept */
	uint8_t journal_key[32];
	uint64_t statuses, queries, asked_chunks;
	uint64_t chunks_sent; /* to the branch, also in vain */
	/* Another central instead of all this, on the same line; NULL: none */
	void *central;
	void (*central_message)(void *central, const char *topic, struct bytes payload);
	int64_t (*central_run)(void *central); /* what is due; when to call again */
	int64_t next_central_ms;
	/* As sync_config's, with central's arg; NULL: none are asked for. Set before sim_restart. */
	bool (*prefetched)(void *central, const struct prefetch_item *item, struct err *e);
	/* The branch */
	char dir[128];
	struct db *db;
	struct loop *loop;
	struct lists *lists;
	struct documents *documents_held;
	struct record *record;
	struct vault vault;
	struct clock clock;
	struct sync *sync;
	/* A box with slots, when boot is set before sim_restart. */
	struct updates_config slots;
	struct updates *updates;
	struct random random;
	uint8_t branch_scalar[SCALAR_LEN], branch_point[POINT_LEN];
};

void sim_init(struct sim *s, const char *dir, uint64_t seed);
void sim_clear(struct sim *s);
/* Lets go of the branch and opens it again, the system's clock standing at system_s. */
void sim_restart(struct sim *s, int64_t system_s);
void sim_line(struct sim *s, bool up);
void sim_run(struct sim *s, int64_t ms);
/* Until holds says so; false after ms. */
bool sim_until(struct sim *s, bool (*holds)(struct sim *s), int64_t ms);

void sim_add(struct sim *s, struct publisher *p);
void sim_document(struct sim *s, const char *name, uint64_t version, struct bytes data);
/* What the next head would say; free with head_clear. */
struct head sim_head(struct sim *s);
/* Signs under scalar and sends it to the branch at once. */
void sim_send_head(struct sim *s, const struct head *h, const uint8_t scalar[SCALAR_LEN]);
/* Publishes every object of the list not yet on the broker, and a head. */
void sim_publish(struct sim *s);
/* From central to whoever has subscribed; keep: retained. */
void sim_broadcast(struct sim *s, const char *topic, struct bytes payload, bool keep);
/* The broker has lost its memory. */
void sim_forget(struct sim *s);
/* An object's chunk as the broker keeps it, to be spoiled; NULL when it is not there. */
struct buf *sim_retained_chunk(struct sim *s, const uint8_t hash[HASH_LEN], int64_t chunk);
/* Appends rows to the branch's journal. */
void sim_record(struct sim *s, unsigned rows);

struct sync_info sim_info(const struct sim *s);
struct list_info sim_list(const struct sim *s, const char *name);
bool sim_is_current(struct sim *s); /* every list and document is at its newest version */
bool sim_is_acknowledged(struct sim *s);

#endif
