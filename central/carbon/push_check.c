/* What must hold between central's own tables of carbon accounts and the ledger. */
#include "central/carbon/push.h"
#include "central/fund/book.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *zh;
} proofs[CARBON_PROOFS] = {
	[CARBON_PROOF_PUSHED] = { "carbon_pushed", "碳积分：推送个人评分的合计等于水位处的余额" },
	[CARBON_PROOF_BOUGHT] = { "carbon_bought", "碳积分：每笔兑换都记有所购内容" },
};

const char *carbon_proof_name(enum carbon_proof p)
{
	return proofs[p].name;
}

const char *carbon_proof_zh(enum carbon_proof p)
{
	return proofs[p].zh;
}

/* Of the carbon ledger, sorted by identifier. */
struct account {
	struct id128 id;
	uint32_t number;
	int64_t pushed;
	bool was_pushed, is_subject;
};

struct proof {
	struct carbon_proven *out;
	struct db *central, *ledger;
	struct account *accounts; /* owned */
	uint32_t *place;          /* owned; by number: one above its index in accounts, 0 none */
	int64_t *balance;         /* owned; by index in accounts */
	size_t len;
	struct id128 *holds; /* owned; sorted: what rows of redemptions call theirs */
	size_t holds_len;
};

PRINTF(4, 5) static void look(struct proof *p, enum carbon_proof i, bool holds, const char *fmt, ...)
{
	va_list ap;
	p->out->looked[i]++;
	if (holds || p->out->broken[i]++ > 0)
		return;
	va_start(ap, fmt);
	vsnprintf(p->out->first[i], sizeof(p->out->first[i]), fmt, ap);
	va_end(ap);
}

static int id_compare(const void *left, const void *right)
{
	const struct id128 *a = left, *b = right; /* first in struct account, too */
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	return (a->lo > b->lo) - (a->lo < b->lo);
}

static void *room(void *p, size_t len, size_t size)
{
	p = (len & (len - 1)) != 0 ? p : realloc(p, (len == 0 ? 1 : len * 2) * size);
	if (p == NULL)
		abort();
	return p;
}

/* --- accounts and rows --- */

static bool accounts_load(struct proof *p, uint32_t accounts, struct err *e)
{
	struct db_query *q = db_query(p->ledger, "SELECT no, id, code FROM account WHERE ledger = ? AND no <= ?", e);
	bool row = false;
	bool ok = q != NULL && db_bind_int(q, 1, CARBON_LEDGER, e) && db_bind_int(q, 2, accounts, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		if (db_bytes(q, 1).len != 16)
			continue;
		p->accounts = room(p->accounts, p->len, sizeof(*p->accounts));
		p->accounts[p->len++] = (struct account){ .id = id128_decode(db_bytes(q, 1).data),
							  .number = (uint32_t)db_int(q, 0),
							  .is_subject = db_int(q, 2) == CARBON_SUBJECT };
	}
	db_finish(q);
	if (p->len > 0)
		qsort(p->accounts, p->len, sizeof(*p->accounts), id_compare);
	p->place = calloc((size_t)accounts + 1, sizeof(*p->place));
	p->balance = calloc(p->len + 1, sizeof(*p->balance));
	if (p->place == NULL || p->balance == NULL)
		abort();
	for (size_t i = 0; i < p->len; i++)
		p->place[p->accounts[i].number] = (uint32_t)i + 1;
	return ok;
}

static bool rows_add(struct proof *p, struct db_query *q, uint32_t accounts, struct err *e)
{
	struct ledger_row r;
	struct ledger_sums s;
	if (!ledger_row_read(q, &r, e))
		return false;
	if (r.debit > accounts || r.credit > accounts || p->place[r.debit] == 0 || p->place[r.credit] == 0)
		return true;
	s = (struct ledger_sums){ 0 };
	ledger_sums_debit(&s, &r, 1);
	p->balance[p->place[r.debit] - 1] -= s.debits_posted;
	s = (struct ledger_sums){ 0 };
	ledger_sums_credit(&s, &r, 1);
	p->balance[p->place[r.credit] - 1] += s.credits_posted;
	if (r.kind == TRANSFER_PENDING && r.code == CARBON_REDEEM && r.data.hi > 0)
		look(p, CARBON_PROOF_BOUGHT,
		     p->holds_len > 0 && bsearch(&r.id, p->holds, p->holds_len, sizeof(r.id), id_compare) != NULL,
		     "row %u holds points, and nothing says for what", r.seq);
	return true;
}

/* --- pushes --- */

static bool pushed_take(struct proof *p, int64_t watermark, struct err *e)
{
	struct db_query *q = db_query(p->central, "SELECT account, points FROM carbon_pushed WHERE watermark = ?", e);
	bool row = false, ok = q != NULL && db_bind_int(q, 1, watermark, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		struct account *a = NULL;
		if (db_bytes(q, 0).len == 16 && p->len > 0) {
			const struct id128 id = id128_decode(db_bytes(q, 0).data);
			a = bsearch(&id, p->accounts, p->len, sizeof(*p->accounts), id_compare);
		}
		look(p, CARBON_PROOF_PUSHED, a != NULL && a->is_subject,
		     "the push at row %lld is of an account that the ledger does not have", (long long)watermark);
		if (a == NULL)
			continue;
		a->pushed = db_int(q, 1);
		a->was_pushed = true;
	}
	db_finish(q);
	return ok;
}

static void push_look(struct proof *p, int64_t watermark, int64_t points)
{
	int64_t sum = 0, held = 0;
	for (size_t i = 0; i < p->len; i++) {
		const struct account *a = &p->accounts[i];
		if (!a->is_subject)
			continue;
		sum += a->pushed;
		held += p->balance[i];
		look(p, CARBON_PROOF_PUSHED, a->pushed == p->balance[i],
		     "the push at row %lld says %lld of account %u, which had %lld", (long long)watermark,
		     (long long)a->pushed, a->number, (long long)p->balance[i]);
	}
	look(p, CARBON_PROOF_PUSHED, sum == points && held == points,
	     "the push at row %lld says %lld in all, %lld were pushed, and %lld held", (long long)watermark,
	     (long long)points, (long long)sum, (long long)held);
}

/* Pushes in their order, and the rows between them. */
static bool pushes_walk(struct proof *p, uint32_t accounts, struct err *e)
{
	struct db_query *rows = db_query(p->ledger, LEDGER_SELECT_ROWS "ORDER BY seq", e);
	struct db_query *pushes =
		db_query(p->central, "SELECT watermark, points FROM carbon_push ORDER BY watermark", e);
	bool row = false, push = false, ok = rows != NULL && pushes != NULL;
	int64_t seq = 0;
	while (ok && (ok = db_next(pushes, &push, e)) && push) {
		int64_t watermark = db_int(pushes, 0);
		while (ok && seq < watermark && (ok = db_next(rows, &row, e)) && row) {
			ok = rows_add(p, rows, accounts, e);
			seq++;
		}
		look(p, CARBON_PROOF_PUSHED, seq == watermark, "the push at row %lld is behind the ledger's end",
		     (long long)watermark);
		ok = ok && pushed_take(p, watermark, e);
		if (ok)
			push_look(p, watermark, db_int(pushes, 1));
	}
	while (ok && (ok = db_next(rows, &row, e)) && row)
		ok = rows_add(p, rows, accounts, e);
	db_finish(rows);
	db_finish(pushes);
	return ok;
}

/* --- redemptions --- */

static void hold_add(struct proof *p, const char *request, size_t part)
{
	char text[32];
	snprintf(text, sizeof(text), "hold/%zu", part);
	p->holds = room(p->holds, p->holds_len, sizeof(*p->holds));
	p->holds[p->holds_len++] = book_id("carbon/redemption", bytes_of(text), request);
}

static bool holds_load(struct proof *p, struct err *e)
{
	struct db_query *q = db_query(p->central, "SELECT request FROM carbon_redemption", e);
	bool row = false, ok = q != NULL;
	while (ok && (ok = db_next(q, &row, e)) && row)
		for (size_t part = 0; part < CARBON_GROUP_MAX; part++)
			hold_add(p, db_text(q, 0), part);
	db_finish(q);
	if (p->holds_len > 0)
		qsort(p->holds, p->holds_len, sizeof(*p->holds), id_compare);
	return ok;
}

bool carbon_push_check(struct ledger_reader *r, struct db *central, struct carbon_proven *out, struct err *e)
{
	struct proof p = { .out = out, .central = central, .ledger = ledger_reader_db(r) };
	uint32_t accounts, rows;
	memset(out, 0, sizeof(*out));
	bool ok = ledger_reader_count(r, &accounts, &rows, e) && accounts_load(&p, accounts, e) &&
		  holds_load(&p, e) && pushes_walk(&p, accounts, e);
	free(p.accounts);
	free(p.place);
	free(p.balance);
	free(p.holds);
	return ok;
}
