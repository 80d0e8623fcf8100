/*
 * The values of one field, cut into cells in which no predicate of a card changes its mind: lint asks each cell which attributes hold
 * there, fast.c makes its tables of them. Of a number field with bounds b0 < b1 < …: below b0, b0, between b0 and b1, b1, …, above the
 * last. Of text: each text that is named, then any other. Of a boolean: false, true. Missing is the last cell of all.
 */
#ifndef CENTRAL_SCORE_CELLS_H
#define CENTRAL_SCORE_CELLS_H

#include "central/score/score.h"

struct cell {
	struct value value; /* one value of the cell */
	bool empty;         /* there is none: no number of the type lies between the bounds */
};
struct cells {
	enum value_kind kind; /* of the field */
	double *bounds;       /* numbers: ascending, no two the same */
	size_t bounds_len;
	struct cell *cells;
	size_t cells_len;
};

/* From the predicates and the field's own intervals and values. Release with cells_clear; texts belong to the card. */
void cells_init(struct cells *out, const struct card *c, uint32_t place, struct predicate *const *predicates,
		size_t predicates_len);
void cells_clear(struct cells *v);
/* Cells from..to (inclusive) for people: "[8, 16)", "'rent'", "any other", "missing". */
void cells_describe(const struct cells *v, size_t from, size_t to, char *out, size_t size);
/* Steps that asking all the predicates once takes at most: nodes and values. What asks them for each cell multiplies, and gives up
   beyond CELLS_WORK_MAX, so that no file of a megabyte keeps a process busy for hours. */
#define CELLS_WORK_MAX 5e7
double cells_steps(struct predicate *const *predicates, size_t predicates_len);
/* Fields that the predicates ask about, each once, ascending; at most max. Returns how many there are. */
size_t cells_places(struct predicate *const *predicates, size_t predicates_len, uint32_t *places, size_t max);

#endif
