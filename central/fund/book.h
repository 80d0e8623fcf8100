/* What the business areas on the ledger share: identifiers made of words, accounts made when they are needed, chains that succeed as a whole. */
#ifndef CENTRAL_FUND_BOOK_H
#define CENTRAL_FUND_BOOK_H

#include "central/ledger/ledger.h"

struct book {
	struct ledger *ledger;
	const char *operator;
	int64_t now_s;
};

/* The first half of SHA-256 over "xb/", kind, and both words behind their lengths: the same words give the same identifier. */
struct id128 book_id(const char *kind, struct bytes a, const char *b);
/* Makes those that are not there. ERR_CONFLICT when one is there with other content. */
bool book_accounts(const struct book *b, const struct ledger_account *a, size_t n, struct err *e) CHECKED;
/* Links all but the last and sends them. ERR_CONFLICT with the reason, Chinese first, when it was not recorded; sent again it is a no-op. */
#define BOOK_CHAIN_MAX 64
bool book_chain(const struct book *b, struct ledger_transfer *t, size_t n, struct err *e) CHECKED;
/* Credits less debits, without what is held: what a holder's account can spend. 0 when it is not there. */
int64_t book_free(const struct book *b, struct id128 account);

#endif
