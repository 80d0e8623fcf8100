/*
 * The rules of credit reports, a JSON document of the operator's (an example in central/sample/credit-rules.json): how long an objection
 * may take and what it holds meanwhile, which facts speak for and which against, where the name and the green rating stand.
 *
 *   { "type": "credit-rules", "title": {"zh","en"}, "sample": bool,
 *     "objections": { "due_working_days": 20, "holidays": [day …], "working_days": [day …],
 *                     "holds": [ {"indicator", "field" (optional: any), "inputs": [names of score inputs, may be empty]} ] },
 *     "facts": [ {"indicator", "nature": "positive|negative", "field", "in" or "not_in": [text …]} ],   the first that fits counts
 *     "name": {"indicator", "field"}, "green": {"indicator", "field"} }                                 both optional
 *
 * Working days are Monday to Friday without holidays, and working_days (weekends that are worked). Until a document is imported a built-in
 * one counts, marked as a sample: 20 working days, nothing held, nothing judged. Each import is kept: what a report of a past day says
 * goes by the rules of that day.
 */
#ifndef CENTRAL_REPORT_CREDIT_RULES_H
#define CENTRAL_REPORT_CREDIT_RULES_H

#include "central/ingest/subject.h"

#define CREDIT_RULES_MAX  65536U
#define CREDIT_INPUTS_MAX OBJECTION_INPUTS_MAX

enum fact_nature { FACT_NEUTRAL, FACT_POSITIVE, FACT_NEGATIVE };

struct credit_rules {
	int64_t id; /* 0: the built-in one */
	bool sample;
	int64_t due_working_days;
	struct json *document; /* owned */
};
/* ERR_INPUT names what is wrong. Audited. */
bool credit_rules_import(struct release_context *c, struct bytes json, const char *operator, int64_t now_s,
			 struct err *e) CHECKED;
/* Those in force just before at_s (INT64_MAX: the newest). text (may be NULL) takes the document as it came. Release with
   credit_rules_clear, whatever this returns. */
bool credit_rules_load(struct release_context *c, int64_t at_s, struct credit_rules *out, struct buf *text,
		       struct err *e) CHECKED;
void credit_rules_clear(struct credit_rules *r);

/* The day by which an objection of this day must be decided. */
int64_t credit_rules_due(const struct credit_rules *r, int64_t day);
/* Whether an objection to the field ("" the whole row) holds the fact; inputs are appended to out with commas between. */
bool credit_rules_hold(const struct credit_rules *r, const char *indicator, const char *field, struct buf *inputs);
enum fact_nature credit_rules_nature(const struct credit_rules *r, const struct subject_record *record);
/* what: "name" or "green". The record's value of it; data NULL when it has none. */
struct bytes credit_rules_value(const struct credit_rules *r, const char *what, const struct subject_record *record);

#endif
