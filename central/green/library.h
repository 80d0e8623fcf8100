/*
 * The library of green enterprises and projects: ratings as rows that are only ever added, found by the subject's tag (ingest/rows.h), and what
 * they make of somebody as of a day (standing.h). An enterprise's numbers that were merged are asked as one (ingest/subject.h). Nothing derived
 * is stored: the library as of a day, and its history, are recomputed from the rows, so that the order in which files came says nothing.
 *
 * day: whose state is asked. known_s: what was recorded before; GREEN_NEVER: all. A report of a day asks with green_day_end_s of that day, so that
 * what comes later changes nothing of it.
 */
#ifndef CENTRAL_GREEN_LIBRARY_H
#define CENTRAL_GREEN_LIBRARY_H

#include "central/green/sheet.h"
#include "central/green/standing.h"
#include "central/ingest/subject.h"

#define GREEN_ALARM_EXPIRING "green.expiring"
#define GREEN_ALARM_CONFLICT "green.conflict"
#define GREEN_KEY_HEX        16 /* of a conflict, for persons */

/*
 * Ratings of third parties, CSV or NDJSON, columns rater (评级机构), uscc (统一社会信用代码), project (项目代码; empty: of the enterprise itself),
 * grade (评级, on the rater's own scale), from (有效期起), until (有效期止, inclusive), reference (文号), withdrawn (撤销日期; empty: in force: from that day
 * on it does not count). The same row again is a repeat; with a day of withdrawal it withdraws the rating. One transaction, audited.
 */
struct green_import {
	struct sheet_result sheet;
	uint64_t conflicts; /* open, of the subjects in this file, as of today */
};
bool green_import(struct release_context *c, enum intake_format format, struct bytes file, const char *operator,
		  int64_t now_s, struct green_import *out, struct err *e) CHECKED;
/* One rating of id's, its content but for ids, times and digest as given; in the caller's transaction. *fresh: it was not there. */
bool green_record(struct release_context *c, const struct identifier *id, struct green_rating *r, int64_t import,
		  bool *fresh, struct err *e) CHECKED;

/* project "": the enterprise itself. ERR_FULL above GREEN_RATINGS_MAX. */
bool green_facts_load(struct release_context *c, const struct subject_group *g, const char *project, int64_t known_s,
		      struct green_facts *out, struct err *e) CHECKED;

/*
 * For others (score inputs, reports): what an enterprise is, in few words. The caller logs whose and what for. A conflict that nobody resolved
 * still gives the grade that precedence gives, and says so.
 */
struct green_grade {
	bool there, green, conflict, resolved;
	struct green_word level;
	int64_t ordinal;             /* 0 the greenest */
	int64_t from_day, until_day; /* of the rating that counts */
	char origin[160];            /* rater, grade, reference */
	int64_t rating;              /* its number */
	int64_t rules;               /* the version it was taken in under */
	bool sample;                 /* that was one */
};
bool green_grade(struct release_context *c, const struct subject_group *g, int64_t day, int64_t known_s,
		 struct green_grade *out, struct err *e) CHECKED;
void green_grade_of(const struct green_standing *s, struct green_grade *out);

/* Valid during the call. */
struct green_entry {
	const struct subject_group *group;
	char masked[96];
	const char *project;
	const struct green_facts *facts;
	const struct green_standing *standing;
};
/* Everybody of whom there is a rating; import above 0: in that file. */
bool green_each(struct release_context *c, int64_t import, int64_t day, int64_t known_s,
		bool (*each)(void *arg, const struct green_entry *entry, struct err *e), void *arg,
		struct err *e) CHECKED;
/* Codes of the projects there is a rating of. */
bool green_projects(struct release_context *c, const struct subject_group *g, int64_t known_s,
		    void (*each)(void *arg, const char *project), void *arg, struct err *e) CHECKED;

/* A person decides a conflict that is open today or was resolved: conflict: the first GREEN_KEY_HEX digits of its hash; rating: a number, 0
   none of them. ERR_MISSING: there is none so called. Audited, with the reason. */
bool green_resolve(struct release_context *c, const char *conflict, int64_t rating, const char *why,
		   const char *operator, int64_t now_s, struct err *e) CHECKED;
/* Raises the alarms of ratings that end within the rules' warn_days, and of open conflicts, once a day. No rules yet: does nothing. */
bool green_watch(struct release_context *c, int64_t now_s, struct err *e) CHECKED;
/* Days until a warning is due; the rules' own, or ERR_MISSING. */
bool green_warn_days(struct release_context *c, int64_t *days, struct err *e) CHECKED;

#endif
