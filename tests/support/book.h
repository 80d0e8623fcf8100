/* Ledgers of tests. */
#ifndef TESTS_SUPPORT_BOOK_H
#define TESTS_SUPPORT_BOOK_H

#include "central/ledger/ledger.h"

/* Opens it, or says why not and ends the run: nothing after it would mean anything. */
struct ledger *book_must_open(const char *path);

#endif
