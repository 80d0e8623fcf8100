/*
 * A segment is the canonical, searchable encoding of a set of entries: what is sent is mapped and searched as it is.
 * The same set under the same name, epoch and version always gives the same bytes. A snapshot holds a whole list; a delta
 * holds what changed between two versions, in the same form with one bit more an entry.
 *
 * Layout; all integers little-endian, all padding zero, nothing after the end:
 *
 *     0   4  magic "XBSG"                         16  4  epoch of the tag key
 *     4   1  format version, 1                    20  4  removals among the n entries (snapshot: 0)
 *     5   1  kind: 0 snapshot, 1 delta            24  8  list version this gives
 *     6   1  bits of a value: 24, in a delta 25   32  8  list version a delta starts from (snapshot: 0)
 *     7   1  0                                    40 32  list name, NUL-padded
 *     8   4  n, the number of entries             72 56  0
 *    12   4  0
 *   128      directory, unary bits, records, 16 zero bytes; the first two are padded to a multiple of 64 bytes
 *
 * Let k be the number of binary digits of n (0 for an empty set, which ends after its 16 zero bytes). The top k bits of a
 * tag are its bucket, so there are between n and 2n buckets of about one entry.
 * - Directory: for each block of 256 buckets, the number of entries before it, as 4 bytes.
 * - Unary bits, lowest bit of a byte first: for each bucket in order a 1 for each entry and a 0 to end it: n + 2^k bits.
 *   Block b therefore starts at bit 256·b + directory[b].
 * - Records, packed from the lowest bit of the first byte on, 64 − k + (bits of a value) bits each: the low 64 − k bits of
 *   the tag, then the value. Entries ascend by tag; no tag comes twice, but in a delta a changed value is the addition of
 *   the new one followed by the removal of the old one, so that the first record found for a tag decides.
 *
 * A search reads one directory cell, one or two cache lines of unary bits and mostly one cache line of records. With ten
 * million entries that is 8.36 bytes an entry (64 bits of record, 2.7 of unary, 0.2 of directory).
 *
 * segment_open checks the header and the length, in constant time; bytes from outside also go through segment_check, once.
 * After that no search or cursor leaves the bytes, even if they change underneath: indexes are clamped, answers may be wrong.
 */
#ifndef PROTOCOL_SEGMENT_H
#define PROTOCOL_SEGMENT_H

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/entry.h"

#define SEGMENT_HEADER 128

/* What a segment says of itself. */
struct segment_head {
	char name[NAME_MAX_LEN + 1]; /* of the list */
	bool delta;
	uint32_t epoch;
	uint64_t version;  /* the version of the list it gives; from 1 */
	uint64_t from;     /* a delta: the version it starts from, below version; a snapshot: 0 */
	uint32_t entries;  /* n */
	uint32_t removals; /* of those */
};

/* Where the parts lie, in bytes. A function of the number of entries and the kind alone. */
struct segment_layout {
	size_t unary;
	size_t records;
	size_t size;         /* of the whole */
	uint32_t cells;      /* of the directory */
	uint8_t bucket_bits; /* k */
	uint8_t tag_bits;    /* in a record: 64 - k */
	uint8_t value_bits;
	uint8_t record_bits;
};

/* At most LIST_ENTRIES_MAX entries. */
struct segment_layout segment_layout(uint32_t entries, bool delta);
/* A view of a segment's bytes, which it borrows. Copy it freely. Fields but head and bytes are for segment.c. */
struct segment {
	struct segment_head head;
	struct bytes bytes;
	struct segment_layout layout;
	const uint8_t *directory;
	const uint8_t *unary;
	const uint8_t *records;
	uint32_t unary_words; /* eight bytes each */
};

/* Whether a segment may say this of itself, whoever wrote it. ERR_INPUT. */
bool segment_head_check(const struct segment_head *head, struct err *e) CHECKED;

/* Views the bytes as a segment. ERR_INPUT if the header is malformed or the length is not exactly what it asks for. */
bool segment_open(struct bytes bytes, struct segment *s, struct err *e) CHECKED;
/* Reads everything: counts, order, padding. ERR_INPUT unless the bytes are the canonical encoding of some set. */
bool segment_check(const struct segment *s, struct err *e) CHECKED;

/* Whether the tag has a record; its value, in a delta with ENTRY_REMOVED, goes to *value. In a delta the addition wins. */
bool segment_find(const struct segment *s, uint64_t tag, uint32_t *value);
/* The same, also giving the removal that may stand behind an addition: fills up to two values, returns how many. */
size_t segment_find_all(const struct segment *s, uint64_t tag, uint32_t value[2]);

/* Reads all entries in order. */
struct segment_cursor {
	const struct segment *segment; /* borrowed */
	uint64_t word;                 /* unary bits not yet read; those read are cleared */
	uint64_t bit;                  /* where the next record starts */
	uint32_t word_at;              /* which word that is */
	uint32_t at;                   /* entries read */
};

void segment_cursor_init(struct segment_cursor *c, const struct segment *s);
/* False at the end. */
bool segment_cursor_next(struct segment_cursor *c, struct entry *out);

#endif
