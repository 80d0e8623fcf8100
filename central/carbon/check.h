/*
 * What must hold of carbon accounts beyond what holds of any ledger (central/ledger/verify.h), looked at in the rows by code that shares nothing with
 * what wrote them. Read-only, beside the running daemon.
 */
#ifndef CENTRAL_CARBON_CHECK_H
#define CENTRAL_CARBON_CHECK_H

#include "central/carbon/carbon.h"

enum carbon_invariant {
	CARBON_ONCE,  /* each activity is credited once */
	CARBON_ISSUE, /* each issue of points carries the standard's version and the quantity, and goes to a subject */
	CARBON_ALIAS, /* merging is an alias: no points move between subjects, and nobody is merged twice or through another */
	CARBON_INVARIANTS
};
const char *carbon_invariant_name(enum carbon_invariant i); /* "carbon_once" */
const char *carbon_invariant_zh(enum carbon_invariant i);
const char *carbon_invariant_en(enum carbon_invariant i);

struct carbon_verdict {
	uint64_t looked[CARBON_INVARIANTS], broken[CARBON_INVARIANTS];
	char first[CARBON_INVARIANTS][160]; /* the first break, in words */
};
/* central: central.db, where the aliases are; NULL: they are not looked at. False only when a file cannot be read. */
bool carbon_check(struct ledger_reader *r, struct db *central, struct carbon_verdict *v, struct err *e) CHECKED;
bool carbon_verdict_is_clean(const struct carbon_verdict *v);

#endif
