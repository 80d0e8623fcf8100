/*
 * PMML Scorecards (https://dmg.org/pmml/v4-4/Scorecard.html) in and out. Read are versions 4.1 to 4.4, written is 4.4. What is taken:
 *   Header (description, copyright) · DataDictionary with Interval and Value; double, float, integer, string, boolean ·
 *   MiningSchema: active, supplementary, target (predicted); missing and invalid treatments and replacements · Output: predictedValue,
 *   reasonCode · Scorecard with Characteristic, Attribute, partialScore, and the predicates of predicate.h.
 * Anything else, element, attribute or value, is refused by name and line: what is skipped would change a score in silence. Taken
 * and not kept, since they only describe: Application, Timestamp, Annotation, modelVersion, displayValue, importance.
 *
 * Ours, as Extension elements with extender="xinbian" (other programs pass over them):
 *   in Header          name="sample" value="true"               a sample, no city's table
 *   in Characteristic  name="trend" value="increasing"          or "decreasing": lint holds the points to it
 *   in Scorecard       name="knockout" value="CODE" with one predicate inside
 * In an Array, \" is a quote and \\ a backslash.
 */
#ifndef CENTRAL_SCORE_PMML_H
#define CENTRAL_SCORE_PMML_H

#include "central/score/card.h"
#include "protocol/crypto.h"

/* A checked card, or NULL: ERR_INPUT "line 12: …". Release with card_free. */
struct card *pmml_read(struct bytes document, struct err *e) CHECKED;
/* Canonical: the same card gives the same bytes, and reading them gives the same card. Appends to out. */
bool pmml_write(const struct card *c, struct buf *out, struct err *e) CHECKED;
/* SHA-256 of what pmml_write gives: the card's name for all time. */
bool pmml_hash(const struct card *c, uint8_t out[HASH_LEN], struct err *e) CHECKED;

#endif
