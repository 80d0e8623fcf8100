/*
 * A branch's question about a customer's carbon account (protocol/account.h), answered. Nothing is told and nothing redeemed without the
 * holder's consent to "carbon-account" for that purpose and branch; the row of body_access is committed before the answer leaves, a refused
 * one's too. A branch is the bank of what it redeems: it posts and voids its own alone, and needs no consent for that any more.
 */
#ifndef CENTRAL_CARBON_COUNTER_H
#define CENTRAL_CARBON_COUNTER_H

#include "central/carbon/carbon.h"
#include "protocol/account.h"

#define COUNTER_EXPIRING_DAYS 90

/* c's operator is set here. ERR_DENIED without consent; otherwise as redemption.h says. */
bool counter_answer(struct carbon *c, const char *branch, const struct account_query *q, struct account_answer *a,
		    struct err *e) CHECKED;

#endif
