/* Random sets of list entries and segments made from them, for tests. The same seed always gives the same. */
#ifndef TESTS_SUPPORT_SETS_H
#define TESTS_SUPPORT_SETS_H

#include "protocol/segment_write.h"

struct set {
	struct entry *entries; /* owned; ascending, no tag twice */
	size_t len;
	size_t cap;
};

uint64_t set_random(uint64_t *state);
struct set set_new(size_t len, uint64_t seed);
struct set set_copy(const struct set *s);
void set_free(struct set *s);
/* A copy in which some entries are gone, some are new and some have another value, each about n of them. */
struct set set_change(const struct set *s, size_t n, uint64_t seed);
/* The value of a tag, or UINT32_MAX. */
uint32_t set_find(const struct set *s, uint64_t tag);

/* A segment that owns its bytes, which end where the memory does, so that a sanitizer sees a read past them. */
struct made {
	struct segment segment;
	uint8_t *bytes;
};

/* The snapshot of a set as list "test", epoch 7. Aborts on failure. */
struct made made_snapshot(const struct set *s, uint64_t version);
/* Opens and checks a copy of the bytes; aborts if they are refused. */
struct made made_from(struct bytes bytes);
void made_free(struct made *m);

#endif
