#include "central/fund/book.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct id128 book_id(const char *kind, struct bytes a, const char *b)
{
	struct sha256_stream s;
	uint8_t hash[HASH_LEN];
	char head[96];
	snprintf(head, sizeof(head), "xb/%.40s/%zu/%zu/", kind, a.len, strlen(b));
	sha256_start(&s);
	sha256_add(&s, bytes_of(head));
	sha256_add(&s, a);
	sha256_add(&s, bytes_of(b));
	sha256_finish(&s, hash);
	return id128_decode(hash);
}

bool book_accounts(const struct book *b, const struct ledger_account *a, size_t n, struct err *e)
{
	size_t missing = 0;
	for (size_t i = 0; i < n; i++)
		missing += core_account_find(ledger_core(b->ledger), a[i].id).number == 0;
	if (missing == 0)
		return true;
	enum ledger_status *status = calloc(n, sizeof(*status));
	if (status == NULL)
		abort();
	bool ok = ledger_accounts(b->ledger, b->now_s, b->operator, a, n, status, e);
	for (size_t i = 0; ok && i < n; i++)
		if (status[i] != LEDGER_OK && status[i] != LEDGER_EXISTS)
			ok = err_set(e, ERR_CONFLICT, "an account could not be made: %s (%s)",
				     ledger_status_zh(status[i]), ledger_status_name(status[i]));
	free(status);
	return ok;
}

bool book_chain(const struct book *b, struct ledger_transfer *t, size_t n, struct err *e)
{
	enum ledger_status status[BOOK_CHAIN_MAX];
	assert(n > 0 && n <= BOOK_CHAIN_MAX);
	for (size_t i = 0; i + 1 < n; i++)
		t[i].flags |= TRANSFER_LINKED;
	if (!ledger_transfers(b->ledger, b->now_s, b->operator, t, n, status, e))
		return false;
	for (size_t i = 0; i < n; i++)
		if (status[i] != LEDGER_OK && status[i] != LEDGER_EXISTS && status[i] != LEDGER_LINKED_FAILED)
			return err_set(e, ERR_CONFLICT, "%s (%s)", ledger_status_zh(status[i]),
				       ledger_status_name(status[i]));
	return true;
}

int64_t book_free(const struct book *b, struct id128 account)
{
	const struct core_account a = core_account_find(ledger_core(b->ledger), account);
	return a.sums.credits_posted - a.sums.debits_posted - a.sums.debits_pending;
}
