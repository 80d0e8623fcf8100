/* The decisions of branches as operators ask for them: routes of api/branch.c. */
#ifndef CENTRAL_API_DECISION_H
#define CENTRAL_API_DECISION_H

#include "central/api/api.h"

/* GET ?branch= &outcome= &limit=: { "decisions": [ … ] }, newest first. */
bool api_decision_list(struct api_call *call, struct err *e) CHECKED;
/* GET ?branch=: one with all its evidence; the subject masked. */
bool api_decision_show(struct api_call *call, struct err *e) CHECKED;
/* POST: who it was, unsealed; an operator's step, in the audit before the answer leaves. */
bool api_decision_subject(struct api_call *call, struct err *e) CHECKED;

#endif
