/*
 * From an identifier to the numbers that may have it, in memory: 8 bytes a place, 11 to 16 bytes an identifier. It holds a hash's 32 bits
 * and a number, so a find gives candidates that the caller compares with the real thing; a wrong candidate comes once in
 * thousands of finds. 256 shards grow by themselves, so that no single addition costs more than a shard's copying
 * and the cost of a find does not rise with the size: a database's index over random identifiers does.
 */
#ifndef CENTRAL_LEDGER_ID_INDEX_H
#define CENTRAL_LEDGER_ID_INDEX_H

#include "central/ledger/row.h"

struct id_index;

struct id_index *id_index_new(void);
void id_index_free(struct id_index *x);
/* number is above 0 and was not added before. */
void id_index_add(struct id_index *x, struct id128 id, uint32_t number);

/* for (n = id_index_first(x, id, &p); n != 0; n = id_index_next(&p)) */
struct id_probe {
	const struct id_slot *slots;
	uint32_t at, mask, tag;
};
uint32_t id_index_first(const struct id_index *x, struct id128 id, struct id_probe *p);
uint32_t id_index_next(struct id_probe *p);
/* Asks the processor to fetch what a find of id will touch. */
void id_index_prefetch(const struct id_index *x, struct id128 id);
size_t id_index_bytes(const struct id_index *x);
/* A sum over what is in it, in whatever order it came. */
uint64_t id_index_sum(const struct id_index *x);

/* As bytes of this machine's layout, a multiple of 8. */
size_t id_index_image_len(const struct id_index *x);
void id_index_image_put(const struct id_index *x, uint8_t *out);
/* Into an empty one, from the start of *in, which moves on. False when it is malformed or has a number above most. */
bool id_index_image_take(struct id_index *x, struct bytes *in, uint32_t most) CHECKED;

#endif
