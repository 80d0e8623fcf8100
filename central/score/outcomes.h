/*
 * How scored subjects turned out, and a model's scores by month for monitoring (score/months.h). An outcome is of a subject and the
 * month it was scored in; given again it replaces. Months are China's.
 *
 * A table of outcomes is CSV: subject (the identifier), month (2026-10), outcome (good or bad).
 */
#ifndef CENTRAL_SCORE_OUTCOMES_H
#define CENTRAL_SCORE_OUTCOMES_H

#include "central/score/scores.h"

struct outcomes_run {
	const char *family, *operator;
	enum identifier_kind kind; /* of the subjects */
	int64_t now_s;
};
struct outcomes_summary {
	uint64_t rows, goods, bads,
		unscored; /* unscored: no score of that subject in that month; kept all the same */
};
/* At most SCORES_RUN_MAX rows, all or none. ERR_INPUT names the row; ERR_MISSING when the family has no model. */
bool outcomes_import(struct release_context *c, const struct outcomes_run *r, struct bytes csv,
		     struct outcomes_summary *out, struct err *e) CHECKED;

/* Rows of CSV without a header: id, month, score ("" none), outcome ("good", "bad", "" unknown). Of one model in the family, scores above
   after, at most SCORES_REPLAY_MAX. hash NULL: of the champion. *last is the last row's id, or after; model: its whole hash. */
bool outcomes_csv(struct release_context *c, const char *family, const char *hash, int64_t after, struct buf *out,
		  int64_t *last, char model[MODEL_HEX + 1], struct err *e) CHECKED;

#endif
