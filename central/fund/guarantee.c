#include "central/fund/guarantee.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_TEXT_MAX 64

enum { CODE_CAPITAL = 1, CODE_COMMIT, CODE_STEP, CODE_MEMO };

static struct bytes text(const char *s)
{
	return bytes_of(s);
}

static struct id128 issued(uint32_t ledger)
{
	return book_id(ledger == GUARANTEE_MONEY ? "guarantee/paid-in" : "guarantee/liability", text(""), "");
}

static struct id128 ended(uint32_t ledger)
{
	return book_id(ledger == GUARANTEE_MONEY ? "guarantee/paid-out" : "guarantee/ended", text(""), "");
}

static struct id128 capital_of(const char *programme, const char *party)
{
	return book_id("guarantee/capital", text(programme), party);
}

static struct id128 liable_of(const char *programme, const char *party)
{
	return book_id("guarantee/liable", text(programme), party);
}

static struct id128 exposure_of(const char *programme, const char *enterprise)
{
	return book_id("guarantee/exposure", text(programme), enterprise);
}

/* Of a guarantee's i-th party. */
static struct id128 part_of(const char *what, const char *name, size_t i)
{
	char kind[48], number[8];
	snprintf(kind, sizeof(kind), "guarantee/%s", what);
	snprintf(number, sizeof(number), "%zu", i);
	return book_id(kind, text(name), number);
}

static struct ledger_account holder(struct id128 id, uint32_t ledger)
{
	return (struct ledger_account){ id, ledger, 1, ACCOUNT_HOLD, ACCOUNT_NO_OVERDRAFT, "" };
}

static bool own_accounts_make(const struct guarantee_desk *d, struct err *e)
{
	const struct ledger_account own[] = {
		{ issued(GUARANTEE_MONEY), GUARANTEE_MONEY, 2, ACCOUNT_ISSUE, 0, "信保基金 出资 paid in" },
		{ ended(GUARANTEE_MONEY), GUARANTEE_MONEY, 3, ACCOUNT_RETIRE, 0, "信保基金 代偿 paid out" },
		{ issued(GUARANTEE_LIABILITY), GUARANTEE_LIABILITY, 2, ACCOUNT_ISSUE, 0, "信保基金 责任 liability" },
		{ ended(GUARANTEE_LIABILITY), GUARANTEE_LIABILITY, 3, ACCOUNT_RETIRE, 0, "信保基金 责任终止 ended" },
	};
	return book_accounts(&d->book, own, 4, e);
}

static struct ledger_transfer move(struct id128 id, struct id128 from, struct id128 to, int64_t fen, uint32_t ledger,
				   uint16_t code)
{
	return (struct ledger_transfer){ .id = id,
					 .debit = from,
					 .credit = to,
					 .amount = fen,
					 .ledger = ledger,
					 .code = code,
					 .kind = TRANSFER_SINGLE };
}

static bool name_is_fine(const char *what, const char *name, struct err *e)
{
	size_t len = strlen(name);
	return (len > 0 && len <= NAME_TEXT_MAX) ||
	       err_set(e, ERR_INPUT, "%s: 1 to %d characters", what, NAME_TEXT_MAX);
}

static bool fen_is_fine(int64_t fen, struct err *e)
{
	return (fen > 0 && fen <= GUARANTEE_FEN_MAX) || err_set(e, ERR_INPUT, "fen: a whole number above zero");
}

static struct guarantee_rules *rules_current(struct guarantee_desk *d, struct err *e)
{
	struct release now;
	struct file_map map;
	if (!release_current(d->release, "guarantee", &now, e))
		return NULL;
	if (now.version == 0) {
		(void)err_set(e, ERR_MISSING, "no programmes were published yet (document import guarantee FILE)");
		return NULL;
	}
	if (!objects_map(d->release->objects, now.content.hash, &map, e))
		return NULL;
	struct guarantee_rules *r = guarantee_rules_decode(map.bytes, e);
	file_unmap(&map);
	return r;
}

/* --- capital --- */

static const struct guarantee_share *share_find(const struct guarantee_programme *p, const char *party, struct err *e)
{
	for (size_t i = 0; i < p->shares_len; i++)
		if (strcmp(p->shares[i].party, party) == 0 && p->shares[i].funded)
			return &p->shares[i];
	(void)err_set(e, ERR_MISSING, "'%.40s' is no funded party of %s", party, p->code);
	return NULL;
}

bool guarantee_capital(struct guarantee_desk *d, const char *request, const char *programme, const char *party,
		       int64_t fen, struct err *e)
{
	if (!name_is_fine("request", request, e) || !fen_is_fine(fen, e))
		return false;
	struct guarantee_rules *rules = rules_current(d, e);
	const struct guarantee_programme *p = rules != NULL ? guarantee_programme_find(rules, programme, e) : NULL;
	const struct ledger_account a = holder(capital_of(programme, party), GUARANTEE_MONEY);
	struct ledger_transfer t = move(book_id("guarantee/contribution", text(request), ""), issued(GUARANTEE_MONEY),
					a.id, fen, GUARANTEE_MONEY, CODE_CAPITAL);
	bool ok = p != NULL && share_find(p, party, e) != NULL && own_accounts_make(d, e) &&
		  book_accounts(&d->book, &a, 1, e) && book_chain(&d->book, &t, 1, e);
	free(rules);
	return ok;
}

void guarantee_party(struct guarantee_desk *d, const char *programme, const char *party, int64_t *capital,
		     int64_t *liable)
{
	*capital = book_free(&d->book, capital_of(programme, party));
	*liable = book_free(&d->book, liable_of(programme, party));
}

/* --- commitment --- */

static bool caps_check(struct guarantee_desk *d, const struct guarantee_programme *p, const char *enterprise,
		       int64_t fen, const int64_t *parts, struct err *e)
{
	if (book_free(&d->book, exposure_of(p->code, enterprise)) > p->enterprise_cap - fen)
		return err_set(e, ERR_CONFLICT, "超过单户限额 / above the enterprise's cap of %lld fen",
			       (long long)p->enterprise_cap);
	for (size_t i = 0; i < p->shares_len; i++) {
		int64_t capital, liable;
		guarantee_party(d, p->code, p->shares[i].party, &capital, &liable);
		if (p->shares[i].funded && (capital > GUARANTEE_FEN_MAX || liable + parts[i] > capital * p->leverage))
			return err_set(e, ERR_CONFLICT,
				       "超过放大倍数 / %s would be liable for more than %lld times its capital",
				       p->shares[i].party, (long long)p->leverage);
	}
	return true;
}

/* The liability of each party that has a part, and by party and enterprise in sum. */
static size_t commit_make(const struct guarantee_programme *p, const char *name, const char *enterprise, int64_t fen,
			  const int64_t *parts, struct ledger_account *a, struct ledger_transfer *t, size_t *a_len)
{
	size_t n = 0, part = 0;
	const struct id128 from = issued(GUARANTEE_LIABILITY);
	struct id128 exposure = exposure_of(p->code, enterprise);
	a[(*a_len)++] = holder(exposure, GUARANTEE_LIABILITY);
	t[n++] = move(book_id("guarantee/commit", text(name), ""), from, exposure, fen, GUARANTEE_LIABILITY,
		      CODE_COMMIT);
	for (size_t i = 0; i < p->shares_len; i++) {
		struct id128 own = part_of("committed", name, part), liable = liable_of(p->code, p->shares[i].party);
		if (parts[i] == 0)
			continue;
		a[(*a_len)++] = holder(own, GUARANTEE_LIABILITY);
		a[(*a_len)++] = holder(part_of("compensated", name, part), GUARANTEE_LIABILITY);
		a[(*a_len)++] = holder(liable, GUARANTEE_LIABILITY);
		t[n] = move(part_of("commit-part", name, part), from, own, parts[i], GUARANTEE_LIABILITY,
			    CODE_COMMIT);
		if (p->shares[i].funded) /* where its part is paid from, should it come to that */
			t[n].data = capital_of(p->code, p->shares[i].party);
		n++;
		t[n++] = move(part_of("commit-liable", name, part), from, liable, parts[i], GUARANTEE_LIABILITY,
			      CODE_MEMO);
		part++;
	}
	return n;
}

static bool commit_run(struct guarantee_desk *d, const struct guarantee_programme *p, const char *name,
		       const char *enterprise, int64_t fen, struct err *e)
{
	struct ledger_account a[3 * GUARANTEE_PARTIES_MAX + 1];
	struct ledger_transfer t[2 * GUARANTEE_PARTIES_MAX + 1];
	int64_t bps[GUARANTEE_PARTIES_MAX], parts[GUARANTEE_PARTIES_MAX];
	struct ledger_row was;
	size_t a_len = 0;
	for (size_t i = 0; i < p->shares_len; i++)
		bps[i] = p->shares[i].bps;
	guarantee_split(fen, bps, p->shares_len, parts);
	if (!core_transfer_find(ledger_core(d->book.ledger), book_id("guarantee/commit", text(name), ""), &was, e))
		return false;
	if (was.seq != 0) {
		const struct core_account to = core_account_at(ledger_core(d->book.ledger), was.credit);
		return (id128_same(to.id, exposure_of(p->code, enterprise)) && was.amount == fen) ||
		       err_set(e, ERR_CONFLICT, "name: it was used before for another guarantee");
	}
	size_t n = commit_make(p, name, enterprise, fen, parts, a, t, &a_len);
	return caps_check(d, p, enterprise, fen, parts, e) && own_accounts_make(d, e) &&
	       book_accounts(&d->book, a, a_len, e) && book_chain(&d->book, t, n, e);
}

bool guarantee_commit(struct guarantee_desk *d, const char *name, const char *programme, const char *enterprise,
		      int64_t fen, struct err *e)
{
	if (!name_is_fine("name", name, e) || !name_is_fine("enterprise", enterprise, e) || !fen_is_fine(fen, e))
		return false;
	struct guarantee_rules *rules = rules_current(d, e);
	const struct guarantee_programme *p = rules != NULL ? guarantee_programme_find(rules, programme, e) : NULL;
	bool ok = p != NULL && commit_run(d, p, name, enterprise, fen, e);
	free(rules);
	return ok;
}

/* --- later steps --- */

/* A guarantee as its commitment wrote it. */
struct loaded {
	size_t len;
	struct id128 exposure;
	struct id128 committed[GUARANTEE_PARTIES_MAX], compensated[GUARANTEE_PARTIES_MAX],
		liable[GUARANTEE_PARTIES_MAX], capital[GUARANTEE_PARTIES_MAX]; /* zero: not funded */
};

static bool part_load(struct guarantee_desk *d, const char *name, size_t i, struct loaded *g, bool *there,
		      struct err *e)
{
	struct ledger_core *c = ledger_core(d->book.ledger);
	struct ledger_row own, memo;
	*there = false;
	if (!core_transfer_find(c, part_of("commit-part", name, i), &own, e) ||
	    !core_transfer_find(c, part_of("commit-liable", name, i), &memo, e))
		return false;
	if (own.seq == 0 || memo.seq == 0)
		return true;
	*there = true;
	g->committed[i] = core_account_at(c, own.credit).id;
	g->compensated[i] = part_of("compensated", name, i);
	g->liable[i] = core_account_at(c, memo.credit).id;
	g->capital[i] = own.data;
	return true;
}

static bool guarantee_load(struct guarantee_desk *d, const char *name, struct loaded *g, struct err *e)
{
	struct ledger_row total;
	bool there = true;
	g->len = 0;
	if (!name_is_fine("name", name, e) ||
	    !core_transfer_find(ledger_core(d->book.ledger), book_id("guarantee/commit", text(name), ""), &total, e))
		return false;
	if (total.seq == 0)
		return err_set(e, ERR_MISSING, "there is no guarantee '%.64s'", name);
	g->exposure = core_account_at(ledger_core(d->book.ledger), total.credit).id;
	while (there && g->len < GUARANTEE_PARTIES_MAX) {
		if (!part_load(d, name, g->len, g, &there, e))
			return false;
		g->len += there;
	}
	return true;
}

static size_t part_step(const struct loaded *g, size_t i, enum guarantee_step step, const char *request, int64_t fen,
			struct ledger_transfer *t)
{
	const struct id128 end = ended(GUARANTEE_LIABILITY);
	bool recovers = step == GUARANTEE_RECOVER;
	struct id128 from = recovers ? g->compensated[i] : g->committed[i];
	struct id128 to = step == GUARANTEE_COMPENSATE ? g->compensated[i] : end;
	size_t n = 0;
	t[n++] = move(part_of("step-part", request, i), from, to, fen, GUARANTEE_LIABILITY, CODE_STEP);
	if (!recovers)
		t[n++] = move(part_of("step-liable", request, i), g->liable[i], end, fen, GUARANTEE_LIABILITY,
			      CODE_MEMO);
	if (step == GUARANTEE_RELEASE || id128_is_zero(g->capital[i]))
		return n;
	struct id128 out = ended(GUARANTEE_MONEY);
	t[n++] = move(part_of("step-money", request, i), recovers ? out : g->capital[i],
		      recovers ? g->capital[i] : out, fen, GUARANTEE_MONEY, CODE_STEP);
	return n;
}

/* What tells a request from another of the same name: which guarantee, which step, how much. */
static struct id128 step_data(enum guarantee_step step, const char *name, int64_t fen)
{
	char what[40];
	snprintf(what, sizeof(what), "%d/%lld", (int)step, (long long)fen);
	return book_id("guarantee/step-data", text(name), what);
}

static bool step_run(struct guarantee_desk *d, const struct loaded *g, enum guarantee_step step, const char *request,
		     const char *name, int64_t fen, struct err *e)
{
	struct ledger_transfer t[3 * GUARANTEE_PARTIES_MAX + 1];
	int64_t weights[GUARANTEE_PARTIES_MAX], parts[GUARANTEE_PARTIES_MAX], sum = 0;
	size_t n = 0;
	for (size_t i = 0; i < g->len; i++) {
		weights[i] = book_free(&d->book, step == GUARANTEE_RECOVER ? g->compensated[i] : g->committed[i]);
		sum += weights[i];
	}
	if (fen > sum)
		return err_set(e, ERR_CONFLICT, "超过余额 / only %lld fen are left for this", (long long)sum);
	guarantee_split(fen, weights, g->len, parts);
	for (size_t i = 0; i < g->len; i++)
		if (parts[i] > 0)
			n += part_step(g, i, step, request, parts[i], t + n);
	if (step != GUARANTEE_RECOVER)
		t[n++] = move(book_id("guarantee/step-exposure", text(request), ""), g->exposure,
			      ended(GUARANTEE_LIABILITY), fen, GUARANTEE_LIABILITY, CODE_MEMO);
	for (size_t i = 0; i < n; i++)
		t[i].data = step_data(step, name, fen);
	return book_chain(&d->book, t, n, e);
}

/* The row that a request has made, whichever party had a part in it. */
static bool step_find(struct guarantee_desk *d, const char *request, struct ledger_row *was, struct err *e)
{
	was->seq = 0;
	for (size_t i = 0; i < GUARANTEE_PARTIES_MAX && was->seq == 0; i++)
		if (!core_transfer_find(ledger_core(d->book.ledger), part_of("step-part", request, i), was, e))
			return false;
	return true;
}

bool guarantee_step(struct guarantee_desk *d, enum guarantee_step step, const char *request, const char *name,
		    int64_t fen, struct err *e)
{
	struct loaded g;
	struct ledger_row was;
	if (!name_is_fine("request", request, e) || !fen_is_fine(fen, e) || !guarantee_load(d, name, &g, e) ||
	    !step_find(d, request, &was, e))
		return false;
	if (was.seq != 0)
		return id128_same(was.data, step_data(step, name, fen)) ||
		       err_set(e, ERR_CONFLICT, "request: it was used before for another step");
	return step_run(d, &g, step, request, name, fen, e);
}

bool guarantee_show(struct guarantee_desk *d, const char *name, struct guarantee_standing *out, struct err *e)
{
	struct loaded g;
	memset(out, 0, sizeof(*out));
	if (!guarantee_load(d, name, &g, e))
		return false;
	out->len = g.len;
	for (size_t i = 0; i < g.len; i++) {
		out->committed_sum += out->committed[i] = book_free(&d->book, g.committed[i]);
		out->compensated_sum += out->compensated[i] = book_free(&d->book, g.compensated[i]);
	}
	return true;
}
