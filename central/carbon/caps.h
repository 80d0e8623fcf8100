/*
 * What one person may earn for the activities of one day, altogether and of one kind, by the standard: over all his accounts, whoever
 * reports and whenever. What was credited stands in the ledger; a batch's own reports are added as they are judged.
 */
#ifndef CENTRAL_CARBON_CAPS_H
#define CENTRAL_CARBON_CAPS_H

#include "central/carbon/carbon.h"

struct caps;

/* For at most so many reports. c and rules are borrowed. NULL on failure; for standards without caps everything is let through. */
struct caps *caps_new(struct carbon *c, const struct carbon_rules *rules, size_t reports, struct err *e) CHECKED;
void caps_free(struct caps *x); /* NULL is fine */
/* Lowers points to what is left of the day, and counts them. ERR_FULL: nothing is left; any other error: nobody can tell. */
bool caps_take(struct caps *x, const struct carbon_report *r, struct id128 account, int64_t *points,
	       struct err *e) CHECKED;

/* A report of this batch, once it counts: the same activity again in the batch is a repeat. */
void caps_note(struct caps *x, struct id128 activity);
bool caps_noted(const struct caps *x, struct id128 activity);

/* Of an activity's code: what an issue carries of it, above the standard's version. Never 0. */
uint32_t carbon_activity_mark(const char *code);

#endif
