/*
 * Scores that last: the inputs of a subject are stored once, sealed under the vault key, and scored by the family's champion and all its
 * challengers in the same transaction. Each score keeps its model's hash, the reasons, knock-outs, points and the state of
 * each input, and the inputs keep the day of the oldest of them: so that a score can be explained, and recomputed, years later.
 *
 * A table of subjects is CSV: a column "subject" with the identifier, a column for each field, and days (2026-01-31): "FIELD@date" is
 * that field's, "@date" the row's for fields without one. A column that no model of the family has as a field is refused, and so is
 * a value whose day nobody says. What an open objection holds (objections.h) is left out, as if it were missing, and named.
 */
#ifndef CENTRAL_SCORE_SCORES_H
#define CENTRAL_SCORE_SCORES_H

#include "central/score/models.h"
#include "protocol/identifier.h"

#define SCORES_RUN_MAX    2000 /* rows in one call: a transaction of a quarter of a second at most; the caller slices */
#define SCORES_REPLAY_MAX 5000 /* scores in one call */
#define SCORES_NO_DAY     INT64_MIN

struct scores_run {
	const char *family, *operator;
	enum identifier_kind kind; /* of the subjects */
	int64_t day;               /* of inputs for which the table says none; SCORES_NO_DAY: then they are refused */
	int64_t now_s;
};
struct scores_summary {
	uint64_t rows, scores, models;
	uint64_t champion_valid, champion_invalid, knocked_out;
};
/* All rows or none. ERR_INPUT names the row; ERR_MISSING when the family has no model. */
bool scores_run(struct release_context *c, const struct scores_run *r, struct bytes csv, struct scores_summary *out,
		struct err *e) CHECKED;

/* The same for a table made of facts (facts.h): which mapping made it is kept with each row, and its column "@held" names the inputs that a fact
   under an objection is part of, with commas between. */
bool scores_run_made(struct release_context *c, const struct scores_run *r, const char *made_by, struct bytes csv,
		     struct scores_summary *out, struct err *e) CHECKED;

struct score_row {
	int64_t id, input;
	const char *family, *hash, *masked, *value, *result; /* valid inside each */
	enum model_role role;                                /* when it was scored */
	int64_t oldest_day, scored_s;
	const char *scored_by;
	const char *held;    /* inputs left out since they were under objection, with commas between */
	const char *made_by; /* "": a table; otherwise which mapping of facts */
};
/* Of one subject, newest first. */
bool scores_each(struct release_context *c, enum identifier_kind kind, const char *canonical, size_t limit,
		 void (*each)(void *arg, const struct score_row *r), void *arg, struct err *e) CHECKED;

/* Rows of CSV, without a header: id, input, subject (masked), model, role, score, oldest_input, scored_s. Of the family, above after, at
   most SCORES_REPLAY_MAX; hash NULL: of all models. *last is the last row's id, or after. */
#define SCORES_CSV_HEAD "id,input,subject,model,role,score,oldest_input,scored_s\n"
bool scores_csv(struct release_context *c, const char *family, const char *hash, int64_t after, struct buf *out,
		int64_t *last, struct err *e) CHECKED;

/* Recomputes scores with an id above after, at most limit, by the plain interpreter from the stored model and inputs. */
struct scores_replay {
	int64_t last; /* id; after when there was none */
	uint64_t checked, different;
	int64_t first_different; /* id, 0 none */
	char first_what[200];    /* model, subject masked, both values */
};
bool scores_replay(struct release_context *c, int64_t after, size_t limit, struct scores_replay *out,
		   struct err *e) CHECKED;

/* A model that came later, on inputs that are stored already: scores those of the family above after that it has not scored, at most
   SCORES_RUN_MAX, in one transaction. It must be in use in the family. */
struct scores_backfill {
	int64_t last; /* input; after when there was none */
	uint64_t scored;
};
bool scores_backfill(struct release_context *c, const char *family, const char *hash, int64_t after,
		     const char *operator, int64_t now_s, struct scores_backfill *out, struct err *e) CHECKED;

#endif
