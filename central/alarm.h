/*
 * What an operator has to look at: a cloned box, a journal that does not fit, a revoked branch that still speaks. One row a
 * (branch, code); a repeat counts up and keeps the newest time and sentence, so that nobody can fill the table.
 */
#ifndef CENTRAL_ALARM_H
#define CENTRAL_ALARM_H

#include "protocol/base/db.h"

/* Inside the caller's transaction. code: "journal.conflict"; detail: a sentence without personal data. */
bool alarm_raise(struct db *db, int64_t time_s, const char *branch, const char *code, const char *detail,
		 struct err *e) CHECKED;

#endif
