/*
 * The lists the branch holds: files under DIR/lists named by their SHA-256, mapped as they came, and rows
 * that say which base and deltas are in force. A switch is one transaction; a file becomes visible only by
 * its row, and one without a row is removed at opening. What does not verify never serves; what serves is
 * never taken away by a failure. Before every switch and at opening the head's canaries are looked up. One
 * long piece of work at a time runs in a forked child, so that a check never waits for it: validating a large
 * snapshot or delta, compaction, proving by hash what deltas led to, verifying files at opening.
 */
#ifndef FIRMWARE_LISTS_H
#define FIRMWARE_LISTS_H

#include "firmware/check.h"
#include "firmware/vault.h"
#include "protocol/base/db.h"
#include "protocol/base/loop.h"
#include "protocol/head.h"

struct lists;

/* A list whose files are damaged opens with a fault and answers LOOKUP_ERROR until sync has fetched it
 * afresh. */
struct lists *lists_open(struct db *db, const struct vault *vault, const char *dir, struct loop *l,
			 struct err *e) CHECKED;
void lists_close(struct lists *l);

/* For check_run: lists, ages and tag keys. Borrowed. */
const struct check_source *lists_source(struct lists *l);

struct list_info {
	char name[NAME_MAX_LEN + 1];
	uint64_t version, count; /* 0: none yet */
	uint32_t epoch;
	int64_t confirmed_s;    /* issue time of the newest head that named this version; -1 never */
	uint8_t hash[HASH_LEN]; /* of the snapshot of that version as proven; zero while only the fingerprint
				   is */
	size_t layers;          /* deltas above the base */
	uint64_t size_bytes;    /* of the files */
	char fault[120];        /* why it is behind or damaged; "" when it is not */
	bool damaged;           /* held, but answers LOOKUP_ERROR until it has been fetched afresh */
};
/* Sorted by name; fills up to LISTS_MAX, returns how many. */
size_t lists_info(const struct lists *l, struct list_info out[LISTS_MAX]);

/* For sync. */

/* The version a delta can start from, and its epoch; 0 when there is none, or only a damaged one. */
uint64_t lists_version(const struct lists *l, const char *name, uint32_t *epoch);
/* Shown until the list is applied or confirmed. The name need not be held yet; one more than LISTS_MAX is not
 * kept. */
void lists_fault(struct lists *l, const char *name, const char *why);

bool lists_has_epoch(const struct lists *l, uint32_t epoch);
/* In a transaction of its own, sealed under the vault. Keys of epochs older than any list's are dropped when a list changes epoch. */
bool lists_add_epoch(struct lists *l, uint32_t epoch, uint32_t iterations, const uint8_t secret[32],
		     struct err *e) CHECKED;
/* The keys are gone from memory; what is stored of them went with the vault. No list answers until they are added again. */
void lists_wipe(struct lists *l);

/* A believed head names this entry. A list held in just that version is confirmed as of issued_s (-1: the
 * head has expired, which confirms nothing); one of the same version and another content is damaged from now
 * on. Inside the caller's transaction. */
bool lists_head(struct lists *l, const struct head_entry *entry, int64_t issued_s, struct err *e) CHECKED;

/* Whether lists_apply may be called for the list now: no child is at work, no compaction is due first. */
bool lists_ready(const struct lists *l, const char *name);
/* Whether entry's version would be refused for shrinking too much, before anything is fetched. ERR_DENIED. */
bool lists_guard(const struct lists *l, const struct head_entry *entry, struct err *e) CHECKED;

/*
 * Takes the fetched file over: a snapshot of entry's version, or (edge not NULL) a delta on the way there.
 * The file is moved on success and stays where it is on failure. done is called once, maybe before this
 * returns; e->code ERR_NONE is success. ERR_DENIED: the change is larger than an unforced release may make.
 * ERR_CONFLICT, ERR_INPUT: the file is not what the head promises. ERR_FULL, ERR_IO: worth another try.
 */
struct lists_step {
	const struct head_entry *entry;
	const struct index_edge *edge;
	int64_t issued_s; /* of the head, as for lists_head */
	const char *path; /* on the file system of DIR */
	void (*done)(void *arg, const struct err *e);
	void *arg;
};
void lists_apply(struct lists *l, const struct lists_step *step);
/* A step under way with this arg ends without its done. */
void lists_disown(struct lists *l, const void *arg);

struct lists_counters {
	uint64_t deltas, snapshots, compactions, proofs, faults;
};
void lists_counters(const struct lists *l, struct lists_counters *out);

#endif
