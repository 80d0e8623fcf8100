/* Which accounts are one person's: his own first, then those merged into it. */
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

#endif
