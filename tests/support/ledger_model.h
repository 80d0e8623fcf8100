/*
 * The ledger's rules once more, as slowly and plainly as they can be written: a list of what was recorded, searched from the
 * start for every question. It shares the types with the core and nothing else.
 */
#ifndef TESTS_SUPPORT_LEDGER_MODEL_H
#define TESTS_SUPPORT_LEDGER_MODEL_H

#include "central/ledger/ledger.h"

#define MODEL_ROWS     4096
#define MODEL_ACCOUNTS 8

struct model_row {
	struct ledger_transfer t; /* what "as in the one referred to" means filled in */
	int64_t time_s;
	int32_t day;
};

struct ledger_model {
	struct ledger_account accounts[MODEL_ACCOUNTS];
	size_t accounts_len;
	struct model_row rows[MODEL_ROWS];
	size_t len;
	int64_t now_s, known_s;
};

void model_init(struct ledger_model *m);
void model_batch(struct ledger_model *m, int64_t now_s, const struct ledger_transfer *t, size_t n,
		 enum ledger_status *status);
/* As of: rows known by then and effective by then. */
struct ledger_sums model_sums(const struct ledger_model *m, struct id128 account, int64_t known_s, int32_t day);

#endif
