/*
 * Writes a segment (see segment.h) into memory of the caller's, a mapped file for instance, from entries that arrive in
 * ascending order. The number of entries must be known beforehand, because it fixes the layout.
 */
#ifndef PROTOCOL_SEGMENT_WRITE_H
#define PROTOCOL_SEGMENT_WRITE_H

#include "protocol/segment.h"

struct segment_writer {
	struct segment_head head;
	struct segment_layout layout;
	uint8_t *memory;   /* borrowed */
	uint8_t *next;     /* where the next word of records goes */
	uint64_t word;     /* record bits not yet stored */
	uint32_t word_len; /* how many: below 64 */
	uint32_t cells;    /* of the directory, written */
	uint32_t at;       /* entries written */
	struct entry last; /* the one written last */
};

/*
 * Starts a segment in memory, which holds segment_layout(head->entries, head->delta).size bytes; what they contain does not
 * matter. head says everything but removals, which are counted here. ERR_INPUT if it is no valid head (name, versions),
 * ERR_FULL above LIST_ENTRIES_MAX.
 */
bool segment_writer_init(struct segment_writer *w, const struct segment_head *head, uint8_t *memory,
			 struct err *e) CHECKED;
/* ERR_INPUT for an entry out of order, a tag twice, a value too wide, or more entries than announced. */
bool segment_writer_add(struct segment_writer *w, struct entry entry, struct err *e) CHECKED;
/* Completes header and directory. ERR_INPUT if fewer entries came than announced. */
bool segment_writer_finish(struct segment_writer *w, struct err *e) CHECKED;

/* A whole segment from entries in ascending order, appended to out. Any of the errors above, or ERR_FULL. */
bool segment_build(const struct segment_head *head, const struct entry *entries, struct buf *out,
		   struct err *e) CHECKED;

#endif
