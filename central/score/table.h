/*
 * Score tables as CSV. In: a header row whose columns are fields of a card (others are passed over; a field without a column is missing in all
 * rows). Out: row, the columns asked to be kept, score, status, knockouts, inputs, reason1 …:
 *   score      empty unless the score is valid
 *   status     "ok", or why there is none
 *   knockouts  codes of rules that fired, ';' between; a code with '?' could not be judged
 *   inputs     what was not used as given: field=missing_replaced; …
 * Every row of the input gives one row, or is refused by its number: a row that is not well formed is never skipped. Empty lines are no rows
 * where there are several columns.
 */
#ifndef CENTRAL_SCORE_TABLE_H
#define CENTRAL_SCORE_TABLE_H

#include "central/score/card.h"

#define TABLE_REASONS_MAX 32

struct table_options {
	const char *keep; /* columns with commas between, or NULL */
	size_t reasons;   /* columns of reasons */
	bool points;      /* a column for each characteristic */
};
/* Appends to out. *invalid counts rows without a score. */
bool table_score(const struct card *c, struct bytes csv, const struct table_options *o, struct buf *out,
		 uint64_t *rows, uint64_t *invalid, struct err *e) CHECKED;
/* A field, between quotes where it needs them. */
void table_put(struct buf *out, struct bytes field);

#endif
