#include "central/fund/subsidy.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 64

enum { CODE_BUDGET = 1, CODE_APPROPRIATED, CODE_PAID, CODE_CLAIM };

static struct id128 made(const char *kind, const char *word)
{
	return book_id(kind, bytes_of(word), "");
}

static bool word_is_fine(const char *what, const char *word, struct err *e)
{
	size_t len = strlen(word);
	return (len > 0 && len <= WORD_MAX) || err_set(e, ERR_INPUT, "%s: 1 to %d characters", what, WORD_MAX);
}

bool subsidy_appropriate(const struct book *b, const char *request, const char *budget, int64_t fen, struct err *e)
{
	struct ledger_account own[] = {
		{ made("subsidy/appropriated", ""), SUBSIDY_LEDGER, CODE_APPROPRIATED, ACCOUNT_ISSUE, 0,
		  "补贴 拨入 appropriated" },
		{ made("subsidy/paid", ""), SUBSIDY_LEDGER, CODE_PAID, ACCOUNT_RETIRE, 0, "补贴 已付 paid" },
		{ made("subsidy/budget", budget), SUBSIDY_LEDGER, CODE_BUDGET, ACCOUNT_HOLD, ACCOUNT_NO_OVERDRAFT,
		  "" },
	};
	if (!word_is_fine("request", request, e) || !word_is_fine("budget", budget, e))
		return false;
	snprintf(own[2].name, sizeof(own[2].name), "%s", budget);
	struct ledger_transfer t = { .id = made("subsidy/appropriation", request),
				     .debit = own[0].id,
				     .credit = own[2].id,
				     .amount = fen,
				     .ledger = SUBSIDY_LEDGER,
				     .code = CODE_APPROPRIATED,
				     .kind = TRANSFER_SINGLE };
	return book_accounts(b, own, 3, e) && book_chain(b, &t, 1, e);
}

bool subsidy_claim(const struct book *b, const char *claim, const char *budget, const char *payee, int64_t fen,
		   struct err *e)
{
	struct ledger_transfer t = { .id = made("subsidy/claim", claim),
				     .debit = made("subsidy/budget", budget),
				     .credit = made("subsidy/paid", ""),
				     .data = made("subsidy/payee", payee),
				     .amount = fen,
				     .ledger = SUBSIDY_LEDGER,
				     .code = CODE_CLAIM,
				     .kind = TRANSFER_PENDING };
	if (!word_is_fine("claim", claim, e) || !word_is_fine("payee", payee, e))
		return false;
	if (core_account_find(ledger_core(b->ledger), t.debit).number == 0)
		return err_set(e, ERR_MISSING, "there is no budget '%.64s'", budget);
	return book_chain(b, &t, 1, e);
}

/* pay: to post it; otherwise to release it. */
static bool claim_end(const struct book *b, const char *claim, bool pay, int64_t fen, struct err *e)
{
	struct ledger_row held;
	struct ledger_transfer t = { .id = made(pay ? "subsidy/pay" : "subsidy/release", claim),
				     .ref = made("subsidy/claim", claim),
				     .amount = fen,
				     .kind = pay ? TRANSFER_POST : TRANSFER_VOID };
	if (!word_is_fine("claim", claim, e) || !core_transfer_find(ledger_core(b->ledger), t.ref, &held, e))
		return false;
	if (held.seq == 0)
		return err_set(e, ERR_MISSING, "there is no claim '%.64s'", claim);
	return book_chain(b, &t, 1, e);
}

bool subsidy_pay(const struct book *b, const char *claim, int64_t fen, struct err *e)
{
	return claim_end(b, claim, true, fen, e);
}

bool subsidy_release(const struct book *b, const char *claim, struct err *e)
{
	return claim_end(b, claim, false, 0, e);
}

bool subsidy_show(const struct book *b, const char *budget, struct subsidy_budget *out, struct err *e)
{
	const struct core_account a = core_account_find(ledger_core(b->ledger), made("subsidy/budget", budget));
	if (a.number == 0)
		return err_set(e, ERR_MISSING, "there is no budget '%.64s'", budget);
	*out = (struct subsidy_budget){ a.sums.credits_posted, a.sums.debits_pending, a.sums.debits_posted,
					a.sums.credits_posted - a.sums.debits_posted - a.sums.debits_pending };
	return true;
}
