/*
 * Objections (异议): somebody says that a stored fact of theirs is wrong. From then on every read shows it, and where the rules say so
 * (credit_rules.h) the fact is of no use, in a report and as an input of a score, until it is decided.
 *
 *   open ─rejected, with a reason→ rejected
 *    │ ↑└───────────────refused by another────────────────┐
 *    └─upheld: a correction, or the fact withdrawn→ proposed ─upheld by another operator→ upheld
 *
 * A correction never touches the row that a department sent: it stands beside it (objection_marks.h). Each step is audited, without the
 * number and without values.
 */
#ifndef CENTRAL_REPORT_OBJECTIONS_H
#define CENTRAL_REPORT_OBJECTIONS_H

#include "central/report/credit_rules.h"

#define OBJECTION_WHY_MAX     150
#define OBJECTION_CHANGES_MAX 8
#define OBJECTION_ALARM       "objection.overdue"

struct objection_new {
	const struct identifier *subject;
	int64_t batch, row; /* as subject show gives them */
	const char *field;  /* a column; "" the whole row */
	const char *why;    /* no number of a person: it is shown, and in the audit */
	const char *operator;
};
/* The subject is read for it, and that is logged. ERR_MISSING: what counts of the subject has no such row; ERR_CONFLICT: that has an open
   objection already. */
bool objection_open(struct release_context *c, const struct objection_new *n, int64_t now_s, int64_t *id,
		    struct err *e) CHECKED;

struct objection_change {
	const char *field;
	const char *value; /* as a file would have it; "" missing */
};
struct objection_decision {
	int64_t id;
	bool upheld;
	const char *why, *operator;
	/* Of the first who upholds; the second gives none. */
	bool withdraw; /* the fact counts no more */
	struct objection_change changes[OBJECTION_CHANGES_MAX];
	size_t changes_len;
};
/* Upheld by one it is proposed, by another it is upheld; rejected while proposed it is open again. ERR_DENIED: by the same operator;
   ERR_CONFLICT: it is decided. */
bool objection_decide(struct release_context *c, const struct objection_decision *d, int64_t now_s,
		      enum objection_state *state, struct err *e) CHECKED;

struct objection_row {
	int64_t id, batch, row, rules, opened_s, due_day, proposed_s, decided_s;
	const char *masked, *source, *period, *field, *why, *inputs, *opened_by, *proposed_by, *decided_by,
		*decided_why; /* valid inside each */
	bool hold, withdraw;
	enum objection_state state;
};
/* By due day; all: decided ones too. The query is open meanwhile. */
bool objection_each(struct release_context *c, bool all, size_t limit,
		    void (*each)(void *arg, const struct objection_row *r), void *arg, struct err *e) CHECKED;

/* Raises OBJECTION_ALARM when open ones are past their day, once a day of China's for the same number of them. */
bool objection_overdue(struct release_context *c, int64_t now_s, struct err *e) CHECKED;

/* Whether anybody's open objection holds an input: looked at once, before asking for many subjects. */
bool objection_any(struct release_context *c, bool *out, struct err *e) CHECKED;
/* Inputs of scores that the subject's open objections hold, appended to out with commas between. */
bool objection_held_inputs(struct release_context *c, const struct identifier *subject, struct buf *out,
			   struct err *e) CHECKED;
/* Whether name is in such a list. */
bool objection_list_has(const char *list, struct bytes name);

#endif
