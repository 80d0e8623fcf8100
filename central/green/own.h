/*
 * Our own rating 自主评价 of an enterprise or a project, by the rules of the document "green" (rules.h): facts out of the rows in force and the colour
 * label, the first rule that is true, and a row of the library by the rater GREEN_OWN from today on. It counts where no third party's does
 * (standing.h). Kept with it are the document's version, the facts with where they are from, and what came of them, so that it can be computed once more.
 * Where no rule decides, the rating of our own that was there ends today: what is not known makes nobody greener.
 */
#ifndef CENTRAL_GREEN_OWN_H
#define CENTRAL_GREEN_OWN_H

#include "central/green/library.h"

#define OWN_FACTS_MAX (GREEN_INDICATORS_MAX + 1) /* and the label */
#define OWN_TEXT_MAX  96
#define OWN_JSON_MAX  262144U

struct own_fact {
	char name[NAME_MAX_LEN + 1];
	enum value_kind kind;
	bool boolean, held; /* held: an objection's, and so missing */
	double number;
	char text[OWN_TEXT_MAX + 1];
	uint64_t rows; /* it is made of */
	char from[96]; /* the latest of them: "source/batch/row"; a label's "label/ID" */
	int64_t day;   /* of the latest */
};
struct own_facts {
	int64_t day;
	char project[GREEN_PROJECT_MAX + 1];
	size_t len;
	struct own_fact facts[OWN_FACTS_MAX];
};
/* The rule that decides; NULL none. *stuck: the one that could not be decided, or NULL. Pure. */
const struct green_rule *own_judge(const struct green_rules *r, const struct own_facts *f,
				   const struct green_rule **stuck);
/* One row into the facts it is part of: to begin with own_facts_init, to end with own_facts_end. */
void own_facts_init(struct own_facts *f, const struct green_rules *r, int64_t day, const char *project);
void own_facts_add(struct own_facts *f, const struct green_rules *r, const struct subject_record *record);
/* covered[i]: each source of indicator i has sent something. */
void own_facts_end(struct own_facts *f, const struct green_rules *r, const bool *covered);

struct own_ask {
	const struct identifier *subject;
	const char *project; /* "" the enterprise itself */
	const char *purpose, *who;
};
struct own_rating {
	bool rated, fresh, ended; /* fresh: a row more; ended: the one before counts no more */
	int64_t rating;           /* its number */
	struct green_word level, rule;
};
/* The read is logged first. json (may be NULL): {"facts", "result"}. ERR_MISSING without a document. */
bool own_rate(struct release_context *c, const struct own_ask *q, int64_t now_s, struct own_rating *out,
	      struct buf *json, struct err *e) CHECKED;
/* As labels_verify (labels.h). */
bool own_verify(struct release_context *c, int64_t *after, uint64_t *n,
		void (*wrong)(void *arg, int64_t rating, const char *why), void *arg, struct err *e) CHECKED;
/* What a rating of our own was found by: {"facts", "result"}, or nothing where it is another's. */
bool own_show(struct release_context *c, int64_t rating, struct buf *json, struct err *e) CHECKED;

/* As JSON: a member of an open object. */
void own_facts_json(const struct own_facts *f, struct json_out *w, const char *key);
/* ERR_IO: it is not what own_facts_json wrote. */
bool own_facts_read(const struct json *j, struct own_facts *out, struct err *e) CHECKED;
void own_result_json(const struct green_rules *r, const struct own_facts *f, struct json_out *w, const char *key);

#endif
