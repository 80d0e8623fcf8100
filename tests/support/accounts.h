/* A central with the sample standard of carbon points published, and its ledger. Any failure aborts. */
#ifndef TESTS_SUPPORT_ACCOUNTS_H
#define TESTS_SUPPORT_ACCOUNTS_H

#include "central/carbon/carbon.h"
#include "tests/support/centre.h"

struct accounts {
	struct centre centre;
	struct carbon carbon;
	char path[128];
};
void accounts_open(struct accounts *a);
/* Ledger and central are closed and opened again, as after a kill. */
void accounts_reopen(struct accounts *a);
/* Asserts that the ledger verifies. */
void accounts_close(struct accounts *a);
/* The n-th made-up resident. */
const char *accounts_holder(unsigned n);
struct carbon_result accounts_credit(struct accounts *a, const char *holder, const char *activity, int32_t days_ago,
				     const char *reference, int64_t quantity);
/* So many points, by bills of 5 paid days ago (below 400 a day and person). */
void accounts_earn(struct accounts *a, const char *holder, int64_t points, int32_t days_ago);
struct carbon_standing accounts_standing(struct accounts *a, const char *holder);
/* A new version of the standard: the sample with one text in another's place. */
void accounts_standard(struct accounts *a, const char *from, const char *to);

#endif
