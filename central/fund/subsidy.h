/*
 * Subsidy budgets on the ledger (ledger 300, fen). A budget is what was appropriated to it; a claim holds its amount in it, and is then paid, whole or
 * in part, or released. A budget is never exceeded: claims that are held count. A claim is named by the caller and is paid at most once.
 */
#ifndef CENTRAL_FUND_SUBSIDY_H
#define CENTRAL_FUND_SUBSIDY_H

#include "central/fund/book.h"

#define SUBSIDY_LEDGER 300

/* Puts money into a budget, and makes it the first time; a request counts once. */
bool subsidy_appropriate(const struct book *b, const char *request, const char *budget, int64_t fen,
			 struct err *e) CHECKED;
/* ERR_MISSING: no such budget; ERR_CONFLICT: not enough in it, or the claim's name was used for another. payee is hashed. */
bool subsidy_claim(const struct book *b, const char *claim, const char *budget, const char *payee, int64_t fen,
		   struct err *e) CHECKED;
/* fen 0: all of it; less releases the rest. ERR_MISSING: no such claim; ERR_CONFLICT: it was released, or paid otherwise. */
bool subsidy_pay(const struct book *b, const char *claim, int64_t fen, struct err *e) CHECKED;
bool subsidy_release(const struct book *b, const char *claim, struct err *e) CHECKED;

struct subsidy_budget {
	int64_t appropriated, held, paid, left;
};
/* ERR_MISSING when there is none. */
bool subsidy_show(const struct book *b, const char *budget, struct subsidy_budget *out, struct err *e) CHECKED;

#endif
