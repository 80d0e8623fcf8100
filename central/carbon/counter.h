/*
 * A branch's question about a customer's carbon account (protocol/account.h), answered. Nothing is told and nothing redeemed without the
 * holder's consent to "carbon-account" for that purpose and branch. Who asked stands in the log of reads and in the audit as "branch NAME /
 * TERMINAL / OFFICER", committed before anything is told or done; a question asked again under the same request is logged once, and a
 * redemption made once however often it is asked for. A branch is the bank of what it redeems: it posts and voids its own alone, and needs
 * no consent for that any more.
 */
#ifndef CENTRAL_CARBON_COUNTER_H
#define CENTRAL_CARBON_COUNTER_H

#include "central/carbon/carbon.h"
#include "protocol/account.h"

#define COUNTER_KEPT_S 604800 /* so long a question is known again; a redemption for ever */

/* c's operator is set here. ERR_DENIED without consent; ERR_CONFLICT: the request was used with another question; otherwise as
   redemption.h says. */
bool counter_answer(struct carbon *c, const char *branch, const struct account_query *q, struct account_answer *a,
		    struct err *e) CHECKED;

#endif
