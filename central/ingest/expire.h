/*
 * Retention: the rows of batches that were superseded are erased once they have been kept as long as their source says (keep_days in the
 * catalogue) or, where it says nothing, as an operator does. The batch's own row stays, with what it was, when it was superseded and when
 * erased; a read as of a moment at which it counted is an error from then on (subject_records). Never erased: what counts, and a batch a row
 * of which is under objection.
 */
#ifndef CENTRAL_INGEST_EXPIRE_H
#define CENTRAL_INGEST_EXPIRE_H

#include "central/ingest/batch.h"

#define EXPIRE_DAYS_MAX 36500

struct expiry {
	const char *source; /* "" all */
	int64_t older_days; /* for sources without a rule; 0: those are left alone */
	bool look;          /* nothing is erased */
};
/* One step: marks what is due, each batch in the audit with the reason, and erases so many rows that nobody waits long. each: what was
   marked (look: what would be). *more: call it again. */
bool batch_expire(struct release_context *c, const struct expiry *x, const char *why, const char *operator,
		  int64_t now_s, void (*each)(void *arg, const struct batch *b), void *arg, bool *more,
		  struct err *e) CHECKED;

#endif
