/* Scorecards for tests: small ones from pieces of PMML (single quotes will do), and random ones from a seed. */
#ifndef TESTS_SUPPORT_CARDS_H
#define TESTS_SUPPORT_CARDS_H

#include "central/score/models.h"
#include "central/score/score.h"

/* The whole document; head: attributes of Scorecard beside functionName. Static buffer. */
const char *card_pmml(const char *dictionary, const char *head, const char *schema, const char *characteristics);
/* The same, read; a test fails and ends when it is refused. */
struct card *card_of(const char *dictionary, const char *head, const char *schema, const char *characteristics);

/* A random card over the fields n1, n2 (double), i1 (integer), t1, t2 (string), b1 (boolean), with all treatments, predicates of all
   kinds, characteristics over one field and over several, shared reasons and knock-outs. Never NULL. */
struct card *card_random(uint64_t seed);
/* Values for it, some missing, some invalid; texts are static. */
void card_random_inputs(const struct card *c, uint64_t *state, struct value *given);
/* Imported by alice, faults and all: a challenger. Submitted by alice, approved and published by bob besides: the champion. */
bool card_challenge(struct release_context *c, const char *family, struct bytes pmml, char hash[MODEL_HEX + 1],
		    struct err *e);
bool card_crown(struct release_context *c, const char *family, struct bytes pmml, int64_t now_s,
		char hash[MODEL_HEX + 1], struct err *e);
uint64_t card_random_next(uint64_t *state);

#endif
