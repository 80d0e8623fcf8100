/*
 * Subjects: a person or an enterprise across all sources, by an identifier. A subject is a keyed hash (rows_subject_tag) and what the batches
 * that count hold under it; nothing is copied. Two numbers of one subject (a passport renewed, an organisation code that became a credit code)
 * are joined by an alias: one stands for the other until it is taken apart again, and the rows stay where they are. Whoever reads says what
 * for, and the row that says so is committed before anything is handed out.
 */
#ifndef CENTRAL_INGEST_SUBJECT_H
#define CENTRAL_INGEST_SUBJECT_H

#include "central/ingest/batch.h"
#include "central/ingest/rows.h"
#include "central/report/objection_marks.h"

#define SUBJECT_MEMBERS_MAX 32   /* numbers of one subject */
#define SUBJECT_ROWS_MAX    1000 /* records of one number in one batch, and of one answer */

/* Numbers that stand for one subject; the first is the one the others stand for. */
struct subject_group {
	struct identifier members[SUBJECT_MEMBERS_MAX];
	int64_t tags[SUBJECT_MEMBERS_MAX];
	size_t len;
	int64_t at_s; /* as of just before; INT64_MAX now */
};
/* An identifier that is nobody's alias is a group of its own. */
bool subject_group(struct release_context *c, const struct identifier *id, struct subject_group *out,
		   struct err *e) CHECKED;
/* As it was, and as its records were, just before at_s. */
bool subject_group_at(struct release_context *c, const struct identifier *id, int64_t at_s, struct subject_group *out,
		      struct err *e) CHECKED;

/* alias's subject becomes one with id's. ERR_CONFLICT when they are one already. Audited, with the reason. */
bool subject_merge(struct release_context *c, const struct identifier *id, const struct identifier *alias,
		   const char *why, const char *operator, int64_t now_s, struct err *e) CHECKED;
/* alias stands for itself again, and what was joined to it goes with it. ERR_MISSING when it stood for nobody. */
bool subject_unmerge(struct release_context *c, const struct identifier *alias, const char *why, const char *operator,
		     int64_t now_s, struct err *e) CHECKED;

/* Valid during the call. */
struct subject_record {
	const struct source *source;
	const struct schema *schema;
	const struct batch *batch;
	const struct rows_record *record;
	size_t member; /* of the group: whose number it stands under */
	int64_t tag;
	const struct objection_view
		*objections; /* record is as corrected; what was withdrawn comes too, and counts for nothing */
};
/* The records of batches that count, by source and period; *len of them, more: there would be others. The read is logged, committed,
   first. */
bool subject_read(struct release_context *c, const struct subject_group *g, const char *purpose, const char *who,
		  int64_t now_s, void (*each)(void *arg, const struct subject_record *r), void *arg, bool *more,
		  struct err *e) CHECKED;

/* The two halves of it, for who logs otherwise: the row of the log, audited in a transaction of its own, or unaudited in the caller's; and
   the records, for a read that is logged already. */
bool subject_read_log(struct release_context *c, const struct subject_group *g, const char *purpose, const char *who,
		      int64_t now_s, struct err *e) CHECKED;
bool subject_read_note(struct release_context *c, const struct subject_group *g, const char *purpose, const char *who,
		       int64_t now_s, struct err *e) CHECKED;
bool subject_records(struct release_context *c, const struct subject_group *g,
		     void (*each)(void *arg, const struct subject_record *r), void *arg, bool *more,
		     struct err *e) CHECKED;

/* Who read about the subject when this was one of its numbers, newest first. */
bool subject_reads(struct release_context *c, const struct identifier *id, size_t limit,
		   void (*each)(void *arg, int64_t time_s, const char *who, const char *purpose), void *arg,
		   struct err *e) CHECKED;

#endif
