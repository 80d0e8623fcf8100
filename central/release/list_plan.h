/*
 * A draft of a list in three steps, so that the long one can be a worker's (protocol/base/worker.h):
 *   plan    reads what the list is now, and gives it an epoch when it has none
 *   build   the file's rows become tags, the snapshot and the delta objects on disk; no database
 *   store   rows, in transactions of at most LIST_STORE_ROWS; nobody sees the draft before the last of them
 * A crash leaves files that nothing names (release_sweep, release_unfinished_drop) and no draft. Of one number given twice the later row counts; the
 * earlier one is counted as a duplicate.
 */
#ifndef CENTRAL_RELEASE_LIST_PLAN_H
#define CENTRAL_RELEASE_LIST_PLAN_H

#include "central/release/release.h"

#define LIST_STORE_ROWS 2000        /* rejected and shown rows in one transaction: some 20 ms */
#define LIST_BUILT_MAX  134217728U  /* what build reports: mostly rejected rows, sealed */
#define LIST_MEMORY_MAX 3221225472U /* 15 M entries, their merge with as many, and a delta of OBJECT_MAX */

struct list_plan;
/* NULL on failure. All that d points to is copied. */
struct list_plan *list_plan_import(struct release_context *c, const struct list_draft *d, struct err *e) CHECKED;
/* What old, a published version of a list, held: a rollback. */
struct list_plan *list_plan_again(struct release_context *c, const struct release *old, const char *operator,
				  int64_t now_s, struct err *e) CHECKED;
void list_plan_free(struct list_plan *p); /* NULL is fine */

/* file: of an import; empty for a rollback. */
bool list_plan_build(const struct list_plan *p, struct bytes file, struct buf *out, struct err *e) CHECKED;
/* One transaction: again with the same bytes until *done. On failure nothing is to be seen, and nothing more is to be stored. */
bool list_plan_store(struct list_plan *p, struct bytes built, bool *done, struct err *e) CHECKED;
/* The draft's, once stored. */
int64_t list_plan_id(const struct list_plan *p);

/* All three at once. */
bool list_plan_run(struct list_plan *p, struct bytes file, int64_t *id, struct err *e) CHECKED;

#endif
