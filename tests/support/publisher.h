/* One list as central publishes it, for tests of the branch's side: releases, their snapshots, deltas and
 * indexes as objects, and the head's entry. Made with the real encoders. */
#ifndef TESTS_SUPPORT_PUBLISHER_H
#define TESTS_SUPPORT_PUBLISHER_H

#include "protocol/head.h"
#include "protocol/tag.h"
#include "tests/support/sets.h"

struct published_object {
	struct object_ref ref;
	struct buf data, chunks; /* chunks: the chunk list */
};

struct edition {
	struct set set; /* with the canary */
	struct made snapshot;
	struct head_entry entry;
	struct list_index index;
};

struct publisher {
	char name[NAME_MAX_LEN + 1];
	uint32_t epoch;
	uint8_t secret[32];
	struct tag_key key;
	uint64_t forced_version;
	size_t editions_len;
	struct edition *editions; /* version i + 1 */
	size_t objects_len;
	struct published_object *objects;
};

void publisher_init(struct publisher *p, const char *name, uint32_t epoch);
void publisher_clear(struct publisher *p);
/* A new release of this content (the canary is added), with its deltas and index; its entry. */
const struct head_entry *publisher_release(struct publisher *p, const struct set *content);
/* Pointers to entries and objects are good until the next release. The content of the newest release with
 * about n entries gone, n new, n changed; released. */
const struct head_entry *publisher_change(struct publisher *p, size_t n, uint64_t seed);
const struct head_entry *publisher_entry(const struct publisher *p, uint64_t version);
const struct published_object *publisher_object(const struct publisher *p, const uint8_t hash[HASH_LEN]);
/* Any bytes as an object. */
const struct published_object *publisher_put(struct publisher *p, struct bytes data);
/* The edge of a version's index, or NULL. */
const struct index_edge *publisher_edge(const struct publisher *p, uint64_t version, uint64_t from, uint64_t to);
/* Writes an object to a file. */
void publisher_write(const struct publisher *p, const uint8_t hash[HASH_LEN], const char *path);

#endif
