/*
 * Deltas between versions of a list. Both ways of making one give the same bytes: the delta from a to c built from the two
 * sets is what merging a → b with b → c gives.
 */
#ifndef PROTOCOL_DELTA_H
#define PROTOCOL_DELTA_H

#include "protocol/segment.h"

/*
 * Appends to out the delta from one snapshot to another: same list name and epoch, a rising version; else ERR_CONFLICT.
 * ERR_FULL if it would have more than LIST_ENTRIES_MAX entries or not fit out.
 */
bool delta_build(const struct segment *old, const struct segment *new, struct buf *out, struct err *e) CHECKED;
/*
 * Appends to out the delta that does both steps. ERR_CONFLICT if b does not start where a ends, or if b removes what a did
 * not leave or adds what a did.
 */
bool delta_merge(const struct segment *a, const struct segment *b, struct buf *out, struct err *e) CHECKED;

#endif
