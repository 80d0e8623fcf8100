/*
 * Which accounts are one person's: those of all numbers that `subject merge` made one subject (central/ingest/subject.h), and those that `carbon
 * merge` joined. The first is the one to use: it counts for facts and accounts alike. The second joins accounts alone; its table has keyed
 * hashes and no numbers, so it cannot become the first by itself.
 */
#ifndef CENTRAL_CARBON_GROUP_H
#define CENTRAL_CARBON_GROUP_H

#include "central/carbon/carbon.h"

struct carbon_group {
	size_t len;
	struct id128 accounts[CARBON_GROUP_MAX];
};
/* The account of a holder's hash. */
struct id128 carbon_account(const uint8_t holder[HASH_LEN]);
/* Asked for by any of the merged ones. */
bool carbon_group_load(struct carbon *c, enum identifier_kind kind, const char *holder, struct carbon_group *g,
		       struct err *e) CHECKED;
/* As it was just before at_s; INT64_MAX: now. */
bool carbon_group_at(struct carbon *c, enum identifier_kind kind, const char *holder, int64_t at_s,
		     struct carbon_group *g, struct err *e) CHECKED;

#endif
