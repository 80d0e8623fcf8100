/*
 * Inputs of scores out of stored facts: a mapping says which field of which sources is which input of a family's models, and of which day
 * it is. It is the document "inputs-FAMILY" of the release pipeline, which stays at central (an example: central/sample/enterprise-inputs.json):
 *
 *   { "type": "score-inputs", "title": {"zh","en"}, "sample": bool,
 *     "inputs": [ {"input": name of the models' field,
 *                  "indicator": code, or "sources": [codes],      whose facts
 *                  "take": "latest|max|min|sum|count|any|growth", "field": name (not of count and any),
 *                  "date": name of a date or yearmonth field,     optional: otherwise the day that the file claims
 *                  "within_days": 730,                            optional: older facts do not count
 *                  "where": {"field", "in" or "not_in": [text …]},   optional: only these facts
 *                  "absent": "0"},                               optional: what it is when there is no such fact
 *                 {"input", "account": "carbon"},               balance of the subject's carbon account, as last pushed
 *                 {"input", "account": "green"},                code of its level in the green library (green/library.h)
 *                 {"input", "account": "carbon-label"} ] }      code of its colour label (green/labels.h); both with
 *                                                               "values": {code: text, …}, optional: what the models call it
 *
 * latest is the value of the latest day (of one day, the later row); growth is the latest in per cent against that of a year before, and none
 * where that is not above zero. The day of an input is that of the facts it is made of, the oldest of several; a month's is its last day.
 * A carbon account is known as of today alone: for a day that is past that input is missing. Level and label are those of the day, as known then:
 * of the day on which the rating began, and of the last day of the label's months; a code that values does not name is missing.
 * What is absent counts as such only while each of the sources has a batch in force, and is of the day the oldest of their newest
 * claims: otherwise nobody knows, and the input is missing. An input that a fact under an objection would be part of is left out and
 * named, as in scores.h; a fact withdrawn counts for nothing.
 */
#ifndef CENTRAL_SCORE_FACTS_H
#define CENTRAL_SCORE_FACTS_H

#include "central/ingest/subject.h"
#include "central/score/scores.h"

#define FACTS_INPUTS_MAX   64
#define FACTS_SOURCES_MAX  64
#define FACTS_SERIES_MAX   1000 /* as many as a subject's facts (subject.h) */
#define FACTS_SUBJECTS_MAX 100  /* of one call: each is looked up in every batch */

struct facts_map;
/* NULL on failure: ERR_INPUT names the input and what is wrong with it. Release with facts_map_free (NULL is fine). */
struct facts_map *facts_map_parse(struct bytes json, struct err *e) CHECKED;
void facts_map_free(struct facts_map *m);

/* Balance of a subject's carbon account (central/carbon/push.h); ERR_MISSING: nothing was pushed yet. */
struct facts_accounts {
	bool (*points)(void *arg, const struct identifier *subject, int64_t *points, struct err *e);
	void *arg;
};
/* For subjects of the CSV's one column "subject": what counted at the end of `day` in China becomes their inputs, and those are scored and
   stored as scores_run does, all or none; each row keeps which mapping it was made by. Reading of each subject is logged first, by the
   operator for the purpose "评分 score FAMILY". ERR_MISSING without a published mapping; ERR_INPUT names the row. */
bool facts_score(struct release_context *c, const struct scores_run *r, int64_t day,
		 const struct facts_accounts *accounts, struct bytes csv, struct scores_summary *out,
		 struct err *e) CHECKED;

/* Between facts.c and facts_run.c: one subject's inputs gathered. */
struct facts_gathering;
struct facts_gathering *facts_gathering_new(const struct facts_map *m, int64_t day);
void facts_gathering_free(struct facts_gathering *g);
/* Forgets the last subject; facts are given one by one, then its row is written. */
void facts_gathering_reset(struct facts_gathering *g);
void facts_gathering_add(struct facts_gathering *g, const struct subject_record *r);
/* Of the subject's account. */
void facts_gathering_points(struct facts_gathering *g, int64_t points);
enum facts_account { ACCOUNT_NONE, ACCOUNT_CARBON, ACCOUNT_GREEN, ACCOUNT_LABEL, ACCOUNTS };
bool facts_map_wants(const struct facts_map *m, enum facts_account account);
void facts_gathering_code(struct facts_gathering *g, enum facts_account account, const char *code, int64_t day);
/* Names with their days, and "@held", each with a comma in front. */
void facts_head_write(const struct facts_map *m, struct buf *out);
void facts_row_write(const struct facts_gathering *g, struct buf *out);
/* Each source once, by code: when its newest batch in force claims to be of (day), or there is none. Before the first subject. */
void facts_source_add(struct facts_gathering *g, const char *source, const char *indicator, bool there, int64_t day);

#endif
