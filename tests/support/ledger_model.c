#include "tests/support/ledger_model.h"

#include <assert.h>
#include <string.h>

void model_init(struct ledger_model *m)
{
	memset(m, 0, sizeof(*m));
	m->known_s = m->now_s = INT64_MIN;
}

static const struct ledger_account *account(const struct ledger_model *m, struct id128 id)
{
	for (size_t i = 0; i < m->accounts_len; i++)
		if (id128_same(m->accounts[i].id, id))
			return &m->accounts[i];
	return NULL;
}

static const struct model_row *find(const struct ledger_model *m, struct id128 id)
{
	for (size_t i = 0; i < m->len && !id128_is_zero(id); i++)
		if (id128_same(m->rows[i].t.id, id))
			return &m->rows[i];
	return NULL;
}

/* What ended the pending row, or reversed the original. */
static const struct model_row *answer_to(const struct ledger_model *m, struct id128 ref)
{
	for (size_t i = 0; i < m->len; i++)
		if (id128_same(m->rows[i].t.ref, ref))
			return &m->rows[i];
	return NULL;
}

struct ledger_sums model_sums(const struct ledger_model *m, struct id128 id, int64_t known_s, int32_t day)
{
	struct ledger_sums s = { 0 };
	for (size_t i = 0; i < m->len; i++) {
		const struct model_row *r = &m->rows[i];
		bool debit = id128_same(r->t.debit, id);
		int64_t *posted = debit ? &s.debits_posted : &s.credits_posted;
		int64_t *pending = debit ? &s.debits_pending : &s.credits_pending;
		if ((!debit && !id128_same(r->t.credit, id)) || r->time_s > known_s || r->day > day)
			continue;
		if (r->t.kind == TRANSFER_PENDING)
			*pending += r->t.amount;
		else if (r->t.kind != TRANSFER_VOID && r->t.kind != TRANSFER_EXPIRE)
			*posted += r->t.amount;
		if (r->t.kind == TRANSFER_POST || r->t.kind == TRANSFER_VOID || r->t.kind == TRANSFER_EXPIRE)
			*pending -= find(m, r->t.ref)->t.amount;
	}
	return s;
}

static bool refers(const struct ledger_transfer *t)
{
	return t->kind == TRANSFER_POST || t->kind == TRANSFER_VOID || t->kind == TRANSFER_REVERSAL;
}

static enum ledger_status shape(const struct ledger_transfer *t)
{
	if (id128_is_zero(t->id))
		return LEDGER_ID_ZERO;
	if (t->kind < TRANSFER_SINGLE || t->kind > TRANSFER_REVERSAL)
		return LEDGER_KIND_UNKNOWN;
	if (refers(t)) {
		if (id128_is_zero(t->ref))
			return LEDGER_REF_ZERO;
		if (id128_same(t->ref, t->id))
			return LEDGER_REF_SELF;
		if (t->timeout_s != 0)
			return LEDGER_TIMEOUT_RESERVED;
		return t->amount < 0 ? LEDGER_AMOUNT_RANGE : LEDGER_OK;
	}
	if (!id128_is_zero(t->ref))
		return LEDGER_REF_NOT_ZERO;
	if (id128_is_zero(t->debit))
		return LEDGER_DEBIT_ZERO;
	if (id128_is_zero(t->credit))
		return LEDGER_CREDIT_ZERO;
	if (id128_same(t->debit, t->credit))
		return LEDGER_SAME_ACCOUNT;
	if (t->timeout_s != 0 && t->kind == TRANSFER_SINGLE)
		return LEDGER_TIMEOUT_RESERVED;
	if (t->ledger == 0)
		return LEDGER_LEDGER_ZERO;
	return t->amount <= 0 ? LEDGER_AMOUNT_RANGE : LEDGER_OK;
}

/* The transfer with what it leaves out filled in from the one it refers to, if that is there. */
static struct ledger_transfer filled(const struct ledger_model *m, const struct ledger_transfer *t)
{
	struct ledger_transfer f = *t;
	const struct model_row *ref = find(m, t->ref);
	if (!refers(t) || ref == NULL)
		return f;
	bool back = t->kind == TRANSFER_REVERSAL;
	if (id128_is_zero(f.debit))
		f.debit = back ? ref->t.credit : ref->t.debit;
	if (id128_is_zero(f.credit))
		f.credit = back ? ref->t.debit : ref->t.credit;
	if (f.amount == 0)
		f.amount = ref->t.amount;
	if (f.ledger == 0)
		f.ledger = ref->t.ledger;
	if (f.code == 0)
		f.code = ref->t.code;
	return f;
}

static enum ledger_status compare(const struct ledger_model *m, const struct ledger_transfer *t,
				  const struct model_row *was)
{
	const struct ledger_transfer f = filled(m, t), *w = &was->t;
	if (f.kind != w->kind)
		return LEDGER_DIFFERENT_KIND;
	if (f.flags != w->flags)
		return LEDGER_DIFFERENT_FLAGS;
	if (!id128_same(f.ref, w->ref))
		return LEDGER_DIFFERENT_REF;
	if (f.timeout_s != w->timeout_s)
		return LEDGER_DIFFERENT_TIMEOUT;
	if (!id128_same(f.debit, w->debit))
		return LEDGER_DIFFERENT_DEBIT;
	if (!id128_same(f.credit, w->credit))
		return LEDGER_DIFFERENT_CREDIT;
	if (f.amount != w->amount)
		return LEDGER_DIFFERENT_AMOUNT;
	if (!id128_same(f.data, w->data))
		return LEDGER_DIFFERENT_DATA;
	if ((f.flags & TRANSFER_EFFECTIVE_GIVEN) != 0 && f.effective_day != was->day)
		return LEDGER_DIFFERENT_EFFECTIVE;
	if (f.ledger != w->ledger)
		return LEDGER_DIFFERENT_LEDGER;
	return f.code != w->code ? LEDGER_DIFFERENT_CODE : LEDGER_EXISTS;
}

/* Both accounts after it, by trying. */
static enum ledger_status limits(struct ledger_model *m, const struct ledger_transfer *f)
{
	struct ledger_sums d = model_sums(m, f->debit, INT64_MAX, INT32_MAX),
			   k = model_sums(m, f->credit, INT64_MAX, INT32_MAX);
	uint64_t amount = (uint64_t)f->amount;
	if ((uint64_t)d.debits_posted + (uint64_t)d.debits_pending + amount > INT64_MAX ||
	    (uint64_t)k.credits_posted + (uint64_t)k.credits_pending + amount > INT64_MAX)
		return LEDGER_OVERFLOWS;
	if ((account(m, f->debit)->flags & ACCOUNT_NO_OVERDRAFT) != 0 &&
	    d.debits_posted + d.debits_pending + f->amount > d.credits_posted)
		return LEDGER_EXCEEDS_CREDITS;
	if ((account(m, f->credit)->flags & ACCOUNT_NO_OVERPAY) != 0 &&
	    k.credits_posted + k.credits_pending + f->amount > k.debits_posted)
		return LEDGER_EXCEEDS_DEBITS;
	return LEDGER_OK;
}

static enum ledger_status judge_new(struct ledger_model *m, const struct ledger_transfer *t)
{
	const struct ledger_account *d = account(m, t->debit), *k = account(m, t->credit);
	if (d == NULL)
		return LEDGER_DEBIT_MISSING;
	if (k == NULL)
		return LEDGER_CREDIT_MISSING;
	if (d->ledger != k->ledger)
		return LEDGER_LEDGERS_DIFFER;
	return d->ledger != t->ledger ? LEDGER_LEDGER_WRONG : limits(m, t);
}

static enum ledger_status match(const struct ledger_transfer *f, struct id128 debit, struct id128 credit,
				uint32_t ledger)
{
	if (!id128_same(f->debit, debit))
		return LEDGER_REF_DEBIT;
	if (!id128_same(f->credit, credit))
		return LEDGER_REF_CREDIT;
	return f->ledger != ledger ? LEDGER_REF_LEDGER : LEDGER_OK;
}

static enum ledger_status judge_ending(struct ledger_model *m, const struct ledger_transfer *t)
{
	const struct model_row *p = find(m, t->ref), *end;
	const struct ledger_transfer f = filled(m, t);
	if (p == NULL)
		return LEDGER_PENDING_MISSING;
	if (p->t.kind != TRANSFER_PENDING)
		return LEDGER_PENDING_NOT;
	enum ledger_status s = match(&f, p->t.debit, p->t.credit, p->t.ledger);
	if (s != LEDGER_OK)
		return s;
	if (f.code != p->t.code)
		return LEDGER_REF_CODE;
	if (f.amount > p->t.amount)
		return LEDGER_EXCEEDS_PENDING;
	if (f.kind == TRANSFER_VOID && f.amount != p->t.amount)
		return LEDGER_REF_AMOUNT;
	end = answer_to(m, t->ref);
	if (end == NULL)
		return LEDGER_OK;
	return end->t.kind == TRANSFER_POST   ? LEDGER_PENDING_POSTED
	       : end->t.kind == TRANSFER_VOID ? LEDGER_PENDING_VOIDED
					      : LEDGER_PENDING_EXPIRED;
}

static enum ledger_status judge_reversal(struct ledger_model *m, const struct ledger_transfer *t)
{
	const struct model_row *o = find(m, t->ref);
	const struct ledger_transfer f = filled(m, t);
	if (o == NULL)
		return LEDGER_ORIGINAL_MISSING;
	if (o->t.kind != TRANSFER_SINGLE && o->t.kind != TRANSFER_POST)
		return LEDGER_ORIGINAL_UNFIT;
	enum ledger_status s = match(&f, o->t.credit, o->t.debit, o->t.ledger);
	if (s != LEDGER_OK)
		return s;
	if (f.amount != o->t.amount)
		return LEDGER_REF_AMOUNT;
	return answer_to(m, t->ref) != NULL ? LEDGER_REVERSED : limits(m, &f);
}

static enum ledger_status judge(struct ledger_model *m, const struct ledger_transfer *t)
{
	enum ledger_status s = shape(t);
	if (s != LEDGER_OK)
		return s;
	const struct model_row *was = find(m, t->id);
	if (was != NULL)
		return compare(m, t, was);
	if (!refers(t))
		return judge_new(m, t);
	return t->kind == TRANSFER_REVERSAL ? judge_reversal(m, t) : judge_ending(m, t);
}

static void record(struct ledger_model *m, const struct ledger_transfer *t)
{
	assert(m->len < MODEL_ROWS);
	struct model_row *r = &m->rows[m->len];
	*r = (struct model_row){ .t = filled(m, t), .time_s = m->now_s };
	r->day = (t->flags & TRANSFER_EFFECTIVE_GIVEN) != 0 ? t->effective_day : ledger_day_of(m->now_s);
	m->len++;
}

static void expire(struct ledger_model *m)
{
	for (size_t i = 0, n = m->len; i < n; i++) {
		const struct model_row p = m->rows[i];
		if (p.t.kind != TRANSFER_PENDING || p.t.timeout_s == 0 || p.time_s + p.t.timeout_s > m->now_s ||
		    answer_to(m, p.t.id) != NULL)
			continue;
		struct ledger_transfer t = { .ref = p.t.id, .debit = p.t.debit, .credit = p.t.credit };
		t.amount = p.t.amount;
		t.kind = TRANSFER_EXPIRE;
		record(m, &t);
	}
}

static size_t chain_run(struct ledger_model *m, const struct ledger_transfer *t, size_t n, enum ledger_status *status)
{
	size_t last = 0, before = m->len, failed = SIZE_MAX;
	while (last < n && (t[last].flags & TRANSFER_LINKED) != 0)
		last++;
	for (size_t i = 0; last < n && i <= last && failed == SIZE_MAX; i++) {
		status[i] = judge(m, &t[i]);
		if (status[i] == LEDGER_OK)
			record(m, &t[i]);
		else if (status[i] != LEDGER_EXISTS)
			failed = i;
	}
	if (last == n) {
		last = failed = n - 1;
		for (size_t i = 0; i < n; i++)
			status[i] = LEDGER_OK;
		status[last] = LEDGER_LINKED_OPEN;
	}
	if (failed == SIZE_MAX)
		return last + 1;
	m->len = before;
	for (size_t i = 0; i <= last; i++)
		if (i > failed || (i < failed && status[i] == LEDGER_OK))
			status[i] = LEDGER_LINKED_FAILED;
	return last + 1;
}

void model_batch(struct ledger_model *m, int64_t now_s, const struct ledger_transfer *t, size_t n,
		 enum ledger_status *status)
{
	size_t before = m->len;
	m->now_s = now_s > m->known_s ? now_s : m->known_s;
	expire(m);
	for (size_t i = 0; i < n;)
		i += chain_run(m, t + i, n - i, status + i);
	if (m->len > before)
		m->known_s = m->now_s;
}
