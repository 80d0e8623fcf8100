/*
 * The head: one COSE_Sign1 message (context "xb/1/head") from central saying which version of every list and document is in
 * force, with a strictly rising sequence. The only thing a branch trusts by signature; all else hangs off it by hash: a
 * list's snapshot, and its index, which names the deltas that lead to it. Bytes: protocol/README.md, "Head".
 */
#ifndef PROTOCOL_HEAD_H
#define PROTOCOL_HEAD_H

#include "protocol/cose.h"
#include "protocol/fingerprint.h"
#include "protocol/object.h"

enum head_kind { HEAD_LIST = 1, HEAD_DOCUMENT = 2 };

struct head_entry {
	char name[NAME_MAX_LEN + 1];
	enum head_kind kind;
	uint64_t version;         /* ≥ 1, rises by one a release */
	struct object_ref object; /* the document, or the list's snapshot */
	/* lists only: */
	struct object_ref index;
	uint32_t epoch;
	uint64_t count; /* entries */
	uint8_t fingerprint[FINGERPRINT_BYTES];
	uint64_t forced_version;          /* newest version released with the operator's force flag, 0 none */
	uint64_t canary_hit, canary_miss; /* tags: the first is listed, the second never is */
};

struct head {
	uint64_t sequence;
	int64_t issued_s, expires_s; /* Unix seconds, central's clock */
	size_t entries_len;
	struct head_entry *entries; /* owned; sorted by name, each once */
};

void head_clear(struct head *h);
const struct head_entry *head_find(const struct head *h, const char *name);
/* Payload, unsigned. */
bool head_encode(const struct head *h, struct buf *out, struct err *e) CHECKED;
bool head_decode(struct bytes payload, struct head *h, struct err *e) CHECKED;
bool head_sign(const struct head *h, const uint8_t scalar[SCALAR_LEN], const uint8_t point[POINT_LEN],
	       const struct random *r, struct buf *out, struct err *e) CHECKED;
/* Signature under point first, then the payload. Does not judge sequence or expiry: the caller does, in that order. */
bool head_open(struct bytes message, const uint8_t point[POINT_LEN], struct head *h, struct err *e) CHECKED;

/* A list's index: the object that the head's entry names. */
struct index_edge {
	uint64_t from, to; /* versions */
	struct object_ref object;
	uint64_t count_to;                         /* entries of version to */
	uint8_t fingerprint_to[FINGERPRINT_BYTES]; /* of version to */
};
struct list_index {
	char name[NAME_MAX_LEN + 1];
	uint64_t version;
	uint32_t epoch;
	size_t edges_len;
	struct index_edge *edges; /* owned; sorted by (from, to) */
};
#define INDEX_EDGES_MAX 4096
void list_index_clear(struct list_index *x);
bool list_index_encode(const struct list_index *x, struct buf *out, struct err *e) CHECKED;
bool list_index_decode(struct bytes data, struct list_index *x, struct err *e) CHECKED;

/* True for [a-z0-9][a-z0-9_-]{0,31}: no topic wildcard, no path, no SQL. */
bool name_is_valid(const char *name);
/* Such a name, as CBOR text. */
bool name_get(struct cbor *c, char name[NAME_MAX_LEN + 1], struct err *e) CHECKED;

#endif
