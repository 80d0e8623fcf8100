/*
 * What branches' scans of certificates come to: rows of kinds JOURNAL_SCAN, JOURNAL_RECHECK and JOURNAL_LOOKUP as columns, and
 * the count of use per business. The row as it came stays in journal_row; neither a number nor a name is in the columns unmasked.
 *
 * Counted by business: scans, accepted (outright or with a duty), turned (accepted with a duty, and at the second look it was no
 * longer in force) and substitutions: accepted less turned, each a paper that nobody had to bring. A scan for no stated
 * business substitutes nothing.
 */
#ifndef CENTRAL_BRANCH_USES_H
#define CENTRAL_BRANCH_USES_H

#include "protocol/base/db.h"
#include "protocol/journal.h"
#include "protocol/scan.h"

/* A row read; which member holds is told by the row's kind. Borrows from the row. */
union use {
	struct scan scan;
	struct scan_recheck recheck;
	struct scan_lookup lookup;
};
bool uses_is(enum journal_kind kind);
/* Of a row that uses_is; ERR_INPUT is a poison row. */
bool uses_read(const struct journal_row *r, union use *u, struct err *e) CHECKED;

/* Where a row stands. */
struct use_place {
	const char *branch;
	int64_t epoch_id;
	uint64_t seq;
	int64_t time_s;
};
/* Inside the caller's transaction. */
bool uses_add(struct db *db, const struct use_place *at, enum journal_kind kind, const union use *u,
	      struct err *e) CHECKED;

struct use_filter {
	int64_t from_s, to_s; /* from_s ≤ time < to_s */
	const char *branch;   /* NULL: all */
};
struct use_count {
	char business[NAME_MAX_LEN + 1]; /* "" not said */
	int64_t scans, accepted, turned, substitutions;
	int64_t last_s; /* of the last substitution's scan; 0 none */
};
/* Businesses that had a scan, by code. */
bool uses_each(struct db *db, const struct use_filter *f, void (*each)(void *arg, const struct use_count *u),
	       void *arg, struct err *e) CHECKED;

#endif
