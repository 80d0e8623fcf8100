/*
 * A card as flat tables, for many scores: of a characteristic over one field which attribute holds is looked up by the value's cell
 * (a binary search among its bounds, or a text's code), others keep their predicates. The tables are made by asking the predicates once for each
 * cell (cells.h), and give what score_run gives, bit by bit: differences, order and the way a sum is rounded included.
 */
#ifndef CENTRAL_SCORE_FAST_H
#define CENTRAL_SCORE_FAST_H

#include "central/score/score.h"

struct fast;
/* The card is borrowed and must outlive it. */
struct fast *fast_new(const struct card *c);
void fast_free(struct fast *f);
void fast_run(const struct fast *f, const struct value *given, struct score *out);
/* Characteristics that are tables, for the curious: the rest keep their predicates. */
size_t fast_tables(const struct fast *f);

#endif
