/* Shared by scores.c and scores_replay.c. */
#ifndef CENTRAL_SCORE_SCORES_INNER_H
#define CENTRAL_SCORE_SCORES_INNER_H

#include "central/score/score.h"
#include "central/score/scores.h"

#define SCORE_INPUTS_MAX 65536
#define SCORE_RESULT_MAX 262144

/* Everything said of a score but its value, as JSON; and the value as text, "" when there is none. */
void score_result_write(const struct card *c, const struct score *s, struct buf *out);
void score_value_write(const struct score *s, char out[32]);
/* The row of one score, in the caller's transaction. */
bool score_insert(struct release_context *c, const struct card *card, const struct score *s, int64_t input,
		  const char *hash, enum model_role role, struct err *e) CHECKED;
/* The inputs of one subject under the vault key, bound to it. */
bool score_inputs_seal(struct release_context *c, const uint8_t subject[HASH_LEN], struct bytes plain,
		       struct buf *out, struct err *e) CHECKED;
bool score_inputs_open(struct release_context *c, const uint8_t subject[HASH_LEN], struct bytes sealed,
		       struct buf *plain, struct err *e) CHECKED;

#endif
