/* The verdict on one transfer, in the order of status.h. Nothing here changes the state. */
#include "central/ledger/core_inner.h"

#include "protocol/base/utf8.h"

#include <string.h>

static enum ledger_status shape_of_new(const struct ledger_transfer *t)
{
	if (!id128_is_zero(t->ref))
		return LEDGER_REF_NOT_ZERO;
	if (id128_is_zero(t->debit))
		return LEDGER_DEBIT_ZERO;
	if (id128_is_zero(t->credit))
		return LEDGER_CREDIT_ZERO;
	if (id128_same(t->debit, t->credit))
		return LEDGER_SAME_ACCOUNT;
	if (t->kind != TRANSFER_PENDING && t->timeout_s != 0)
		return LEDGER_TIMEOUT_RESERVED;
	if (t->ledger == 0)
		return LEDGER_LEDGER_ZERO;
	return t->amount > 0 ? LEDGER_OK : LEDGER_AMOUNT_RANGE;
}

static enum ledger_status shape_of_referring(const struct ledger_transfer *t)
{
	if (id128_is_zero(t->ref))
		return LEDGER_REF_ZERO;
	if (id128_same(t->ref, t->id))
		return LEDGER_REF_SELF;
	if (t->timeout_s != 0)
		return LEDGER_TIMEOUT_RESERVED;
	return t->amount >= 0 ? LEDGER_OK : LEDGER_AMOUNT_RANGE;
}

static enum ledger_status shape_of(const struct ledger_transfer *t)
{
	if (id128_is_zero(t->id))
		return LEDGER_ID_ZERO;
	if (t->kind == TRANSFER_SINGLE || t->kind == TRANSFER_PENDING)
		return shape_of_new(t);
	if (t->kind == TRANSFER_POST || t->kind == TRANSFER_VOID || t->kind == TRANSFER_REVERSAL)
		return shape_of_referring(t);
	return LEDGER_KIND_UNKNOWN;
}

/* --- the same identifier again --- */

/* What "as in the one referred to" stood for when it was recorded. */
static int64_t amount_meant(const struct ledger_transfer *t, const struct ledger_row *ref)
{
	return t->amount == 0 ? ref->amount : t->amount;
}

static bool account_same(const struct ledger_core *c, struct id128 given, uint32_t was, bool referring)
{
	return (referring && id128_is_zero(given)) || id128_same(c->accounts[was].id, given);
}

static enum ledger_status details_compare(const struct ledger_core *c, const struct ledger_transfer *t,
					  const struct ledger_row *was, const struct ledger_row *ref)
{
	bool referring = ref->seq != 0;
	uint32_t ledger = c->accounts[was->debit].ledger;
	if (t->timeout_s != was->timeout_s)
		return LEDGER_DIFFERENT_TIMEOUT;
	if (!account_same(c, t->debit, was->debit, referring))
		return LEDGER_DIFFERENT_DEBIT;
	if (!account_same(c, t->credit, was->credit, referring))
		return LEDGER_DIFFERENT_CREDIT;
	if ((referring ? amount_meant(t, ref) : t->amount) != was->amount)
		return LEDGER_DIFFERENT_AMOUNT;
	if (!id128_same(t->data, was->data))
		return LEDGER_DIFFERENT_DATA;
	if ((t->flags & TRANSFER_EFFECTIVE_GIVEN) != 0 && t->effective_day != was->effective_day)
		return LEDGER_DIFFERENT_EFFECTIVE;
	if (t->ledger != ledger && !(referring && t->ledger == 0))
		return LEDGER_DIFFERENT_LEDGER;
	return t->code == was->code || (referring && t->code == 0) ? LEDGER_EXISTS : LEDGER_DIFFERENT_CODE;
}

static bool compare(struct ledger_core *c, const struct ledger_transfer *t, const struct ledger_row *was,
		    enum ledger_status *status, struct err *e)
{
	struct ledger_row ref = { .seq = 0 };
	*status = LEDGER_OK;
	if (t->kind != was->kind)
		*status = LEDGER_DIFFERENT_KIND;
	else if (t->flags != was->flags)
		*status = LEDGER_DIFFERENT_FLAGS;
	if (*status != LEDGER_OK)
		return true;
	if (!id128_is_zero(t->ref)) {
		if (!core_find(c, t->ref, &ref, e))
			return false;
		if (ref.seq != was->ref) {
			*status = LEDGER_DIFFERENT_REF;
			return true;
		}
	}
	*status = details_compare(c, t, was, &ref);
	return true;
}

/* --- limits --- */

/* Posted and pending together stay within 64 bits, on each side. */
static bool overflows(int64_t posted, int64_t pending, int64_t amount)
{
	return pending > INT64_MAX - amount || posted > INT64_MAX - pending - amount;
}

static enum ledger_status limits_check(const struct ledger_core *c, const struct ledger_row *r)
{
	struct ledger_sums debit = c->accounts[r->debit].sums, credit = c->accounts[r->credit].sums;
	if (overflows(debit.debits_posted, debit.debits_pending, r->amount) ||
	    overflows(credit.credits_posted, credit.credits_pending, r->amount))
		return LEDGER_OVERFLOWS;
	ledger_sums_debit(&debit, r, 1);
	ledger_sums_credit(&credit, r, 1);
	/* Only the side this row makes worse; it can but help the other. */
	if (!ledger_sums_allowed(&debit, c->accounts[r->debit].flags & ACCOUNT_NO_OVERDRAFT))
		return LEDGER_EXCEEDS_CREDITS;
	return ledger_sums_allowed(&credit, c->accounts[r->credit].flags & ACCOUNT_NO_OVERPAY)
		       ? LEDGER_OK
		       : LEDGER_EXCEEDS_DEBITS;
}

/* --- single and pending --- */

static enum ledger_status judge_new(const struct ledger_core *c, const struct ledger_transfer *t,
				    struct ledger_row *r)
{
	r->debit = core_account_number(c, t->debit);
	r->credit = core_account_number(c, t->credit);
	if (r->debit == 0)
		return LEDGER_DEBIT_MISSING;
	if (r->credit == 0)
		return LEDGER_CREDIT_MISSING;
	if (c->accounts[r->debit].ledger != c->accounts[r->credit].ledger)
		return LEDGER_LEDGERS_DIFFER;
	if (c->accounts[r->debit].ledger != t->ledger)
		return LEDGER_LEDGER_WRONG;
	r->amount = t->amount;
	r->timeout_s = t->timeout_s;
	r->code = t->code;
	return limits_check(c, r);
}

/* --- what refers to an earlier one --- */

static enum ledger_status ended_status(uint8_t state)
{
	switch (state & STATE_ENDED) {
	case PENDING_POSTED: return LEDGER_PENDING_POSTED;
	case PENDING_VOIDED: return LEDGER_PENDING_VOIDED;
	case PENDING_EXPIRED: return LEDGER_PENDING_EXPIRED;
	default: return LEDGER_OK;
	}
}

/* What is given must be what it will be. */
static enum ledger_status given_check(const struct ledger_core *c, const struct ledger_transfer *t,
				      const struct ledger_row *r)
{
	if (!id128_is_zero(t->debit) && !id128_same(t->debit, c->accounts[r->debit].id))
		return LEDGER_REF_DEBIT;
	if (!id128_is_zero(t->credit) && !id128_same(t->credit, c->accounts[r->credit].id))
		return LEDGER_REF_CREDIT;
	if (t->ledger != 0 && t->ledger != c->accounts[r->debit].ledger)
		return LEDGER_REF_LEDGER;
	return t->code == 0 || t->code == r->code ? LEDGER_OK : LEDGER_REF_CODE;
}

static enum ledger_status judge_ending(const struct ledger_core *c, const struct ledger_transfer *t,
				       const struct ledger_row *pending, struct ledger_row *r)
{
	if (pending->seq == 0)
		return LEDGER_PENDING_MISSING;
	if (pending->kind != TRANSFER_PENDING)
		return LEDGER_PENDING_NOT;
	r->debit = pending->debit;
	r->credit = pending->credit;
	r->released = pending->amount;
	r->amount = amount_meant(t, pending);
	r->code = pending->code;
	enum ledger_status status = given_check(c, t, r);
	if (status != LEDGER_OK)
		return status;
	if (r->amount > pending->amount)
		return LEDGER_EXCEEDS_PENDING;
	if (t->kind == TRANSFER_VOID && r->amount != pending->amount)
		return LEDGER_REF_AMOUNT;
	return ended_status(core_state(c, pending->seq));
}

static enum ledger_status judge_reversal(const struct ledger_core *c, const struct ledger_transfer *t,
					 const struct ledger_row *original, struct ledger_row *r)
{
	if (original->seq == 0)
		return LEDGER_ORIGINAL_MISSING;
	if (original->kind != TRANSFER_SINGLE && original->kind != TRANSFER_POST)
		return LEDGER_ORIGINAL_UNFIT;
	r->debit = original->credit;
	r->credit = original->debit;
	r->amount = original->amount;
	r->code = t->code != 0 ? t->code : original->code; /* a reversal may say by its code why */
	enum ledger_status status = given_check(c, t, r);
	if (status != LEDGER_OK)
		return status;
	if (t->amount != 0 && t->amount != original->amount)
		return LEDGER_REF_AMOUNT;
	if ((core_state(c, original->seq) & STATE_REVERSED) != 0)
		return LEDGER_REVERSED;
	return limits_check(c, r);
}

static bool judge_referring(struct ledger_core *c, const struct ledger_transfer *t, enum ledger_status *status,
			    struct ledger_row *r, struct err *e)
{
	struct ledger_row ref;
	if (!core_find(c, t->ref, &ref, e))
		return false;
	r->ref = ref.seq;
	*status = t->kind == TRANSFER_REVERSAL ? judge_reversal(c, t, &ref, r) : judge_ending(c, t, &ref, r);
	return true;
}

bool core_judge(struct ledger_core *c, const struct ledger_transfer *t, enum ledger_status *status,
		struct ledger_row *r, struct err *e)
{
	*status = shape_of(t);
	if (*status != LEDGER_OK)
		return true;
	if (!core_find(c, t->id, r, e))
		return false;
	if (r->seq != 0) {
		const struct ledger_row was = *r;
		return compare(c, t, &was, status, e);
	}
	*r = (struct ledger_row){ .id = t->id, .data = t->data, .kind = t->kind, .flags = t->flags };
	r->effective_day = (t->flags & TRANSFER_EFFECTIVE_GIVEN) != 0 ? t->effective_day : ledger_day_of(c->batch_s);
	if (t->kind == TRANSFER_SINGLE || t->kind == TRANSFER_PENDING)
		*status = judge_new(c, t, r);
	else if (!judge_referring(c, t, status, r, e))
		return false;
	if (*status == LEDGER_OK && c->rows_len + c->new_len >= LEDGER_ROWS_MAX)
		*status = LEDGER_BOOK_FULL;
	return true;
}

static bool name_is_fine(const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)name[i] < 0x20 || name[i] == 0x7f || name[i] == ';')
			return false;
	return utf8_is_valid(bytes_of(name));
}

enum ledger_status core_judge_account(const struct ledger_account *a)
{
	const uint8_t both = ACCOUNT_NO_OVERDRAFT | ACCOUNT_NO_OVERPAY;
	if (id128_is_zero(a->id))
		return LEDGER_ID_ZERO;
	if (a->class < ACCOUNT_ISSUE || a->class > ACCOUNT_RETIRE)
		return LEDGER_CLASS_UNKNOWN;
	if ((a->flags & both) == both || (a->flags & ~both) != 0)
		return LEDGER_FLAGS_EXCLUSIVE;
	if (!name_is_fine(a->name))
		return LEDGER_NAME_UNFIT;
	return a->ledger != 0 ? LEDGER_OK : LEDGER_LEDGER_ZERO;
}
