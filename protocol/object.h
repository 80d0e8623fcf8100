/*
 * Objects: immutable bytes named by their SHA-256, moved in chunks of OBJECT_CHUNK. The chunk list is the chunks' SHA-256s
 * one behind the other; its own hash stands in the reference, so a broken chunk is noticed and fetched again alone.
 * Topics: xb/1/o/<hex of hash>/list and xb/1/o/<hex of hash>/<chunk number>.
 */
#ifndef PROTOCOL_OBJECT_H
#define PROTOCOL_OBJECT_H

#include "protocol/cbor.h"
#include "protocol/crypto.h"
#include "protocol/base/limits.h"

struct object_ref {
	uint8_t hash[HASH_LEN];
	uint8_t chunks_hash[HASH_LEN]; /* SHA-256 of the chunk list */
	uint64_t size;                 /* bytes, 1 … OBJECT_MAX */
};

uint32_t object_chunks(uint64_t size);
uint32_t object_chunk_size(uint64_t size, uint32_t chunk);
/* The reference and (chunk_list may be NULL) the chunk list of these bytes. */
void object_refer(struct bytes data, struct object_ref *ref, struct buf *chunk_list);
/* list is ref's chunk list. */
bool object_list_check(const struct object_ref *ref, struct bytes list, struct err *e) CHECKED;
/* data is chunk number chunk of ref, by the checked list. */
bool object_chunk_check(const struct object_ref *ref, struct bytes list, uint32_t chunk, struct bytes data,
			struct err *e) CHECKED;

/* CBOR array [hash, chunks_hash, size]. */
void object_ref_put(struct buf *b, const struct object_ref *ref);
bool object_ref_get(struct cbor *c, struct object_ref *ref, struct err *e) CHECKED;

/* chunk < 0: the list's topic. out holds OBJECT_TOPIC_MAX bytes. */
#define OBJECT_TOPIC_MAX 96
void object_topic(const uint8_t hash[HASH_LEN], int64_t chunk, char *out);
bool object_topic_parse(const char *topic, uint8_t hash[HASH_LEN], int64_t *chunk);

#endif
