/*
 * The lists the branch holds: files under DIR/lists, mapped as they came, and rows that say which base and
 * deltas are in force. A switch is one transaction; a file becomes visible only by its row. What does not
 * verify never serves; what serves is never taken away by a failure. After every switch and at opening the
 * head's canaries are looked up. Compaction and the validation of snapshots run in a forked child (its
 * result: a file and a filled filter in shared memory).
 */
#ifndef FIRMWARE_LISTS_H
#define FIRMWARE_LISTS_H

#include "firmware/check.h"
#include "protocol/base/db.h"
#include "protocol/base/loop.h"
#include "protocol/head.h"

struct lists;

/* A list whose files are damaged opens with a fault and answers LOOKUP_ERROR until sync has fetched it
 * afresh. */
struct lists *lists_open(struct db *db, const char *dir, struct loop *l, struct err *e) CHECKED;
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
};
/* Sorted by name; fills up to LISTS_MAX, returns how many. */
size_t lists_info(const struct lists *l, struct list_info out[LISTS_MAX]);

#endif
