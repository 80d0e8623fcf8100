/*
 * One list as it is searched: a base snapshot and the deltas applied since. A search asks every layer, newest first; what
 * the newest one says of a tag, addition or removal, decides. A filter in memory answers most misses alone, a second, small
 * one keeps most hits in the base from asking every delta in vain.
 * The segments' bytes and the filter are borrowed and must outlive the layers.
 */
#ifndef PROTOCOL_LAYERS_H
#define PROTOCOL_LAYERS_H

#include "protocol/filter.h"
#include "protocol/fingerprint.h"
#include "protocol/segment.h"

struct layers {
	const struct filter
		*filter; /* NULL: every search reads the layers. Holds the tags of base and of all additions */
	const struct filter
		*changed; /* NULL: every search asks every delta. Holds the tags of all deltas, removals too */
	struct segment base;
	struct segment deltas[LIST_LAYERS_MAX]; /* oldest first */
	size_t deltas_len;
};

/* ERR_INPUT if the segment is not a snapshot. No filters yet. */
bool layers_init(struct layers *l, const struct segment *base, struct err *e) CHECKED;
/*
 * Puts a delta on top. ERR_CONFLICT if it belongs to another list, epoch or version, ERR_FULL above LIST_LAYERS_MAX.
 * The filters are not touched: first add the delta to them (filter_add_segment to filter, filter_add_changes to changed),
 * or set others.
 */
bool layers_push(struct layers *l, const struct segment *delta, struct err *e) CHECKED;
/*
 * Whether the delta fits the set it is to be applied to: every removal is there with that value, every addition is not
 * there or is removed in the same delta. ERR_CONFLICT otherwise. Some 10 ms for 50,000 entries over ten million.
 */
bool layers_check_delta(const struct layers *l, const struct segment *delta, struct err *e) CHECKED;
/* The version the layers give together. */
uint64_t layers_version(const struct layers *l);
/* The number of entries they give together. */
uint64_t layers_count(const struct layers *l);
/* Their fingerprint, reading everything. */
void layers_fingerprint(const struct layers *l, struct fingerprint *f);

/* layers_find without asking the filter. */
bool layers_search(const struct layers *l, uint64_t tag, uint32_t *value);

/* Whether the tag is in the list; its value goes to *value. */
static inline bool layers_find(const struct layers *l, uint64_t tag, uint32_t *value)
{
	if (l->filter != NULL && !filter_may_contain(l->filter, tag))
		return false;
	return layers_search(l, tag, value);
}

/*
 * The merged set in ascending order, in slices: compaction. Write it with segment_write.h under the base's name and epoch,
 * layers_version and layers_count: the bytes are those of central's snapshot of that version.
 */
struct layers_merge {
	const struct layers *layers;
	struct segment_cursor cursors[LIST_LAYERS_MAX + 1]; /* 0: base, then the deltas, oldest first */
	struct entry heads[LIST_LAYERS_MAX + 1];            /* the next entry of each */
	bool more[LIST_LAYERS_MAX + 1];                     /* whether there is one */
	uint64_t delta_tag;                                 /* the lowest tag at the head of a delta */
	bool delta_more;                                    /* whether any delta has more */
};

void layers_merge_init(struct layers_merge *m, const struct layers *l);
/* Writes up to max entries to out and their number to *got, which may be 0; does work for about max entries. False at the end. */
bool layers_merge_next(struct layers_merge *m, struct entry *out, size_t max, size_t *got);

#endif
