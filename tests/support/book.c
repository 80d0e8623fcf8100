#include "tests/support/book.h"

#include <stdio.h>
#include <stdlib.h>

struct ledger *book_must_open(const char *path)
{
	struct err e = { 0 };
	struct ledger *l = ledger_open(path, &e);
	if (l != NULL)
		return l;
	printf("%s: %s\n", path, e.text);
	abort();
}
