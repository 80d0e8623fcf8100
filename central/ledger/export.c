#include "central/ledger/export.h"

#include "central/ledger/lines.h"
#include "protocol/rule.h"

#include <stdlib.h>
#include <string.h>

void ledger_export_account(const struct ledger_account *a, char out[EXPORT_ACCOUNT_MAX])
{
	char id[33];
	id128_format(a->id, id);
	snprintf(out, EXPORT_ACCOUNT_MAX, "L%u:%s:%u:%s", a->ledger, ledger_class_name(a->class), a->code, id);
}

/* Names are needed for every row: held in memory, by number. */
struct names {
	struct ledger_account *at; /* owned */
	uint32_t len;
};

static bool names_load(struct ledger_reader *r, uint32_t ledger, struct names *n, FILE *out, struct err *e)
{
	char account[EXPORT_ACCOUNT_MAX];
	uint32_t rows;
	bool row = false;
	if (!ledger_reader_count(r, &n->len, &rows, e))
		return false;
	n->at = calloc((size_t)n->len + 1, sizeof(*n->at));
	if (n->at == NULL)
		abort();
	struct db_query *q = db_query(ledger_reader_db(r), LEDGER_SELECT_ACCOUNTS "ORDER BY no", e);
	bool ok = q != NULL;
	for (uint32_t i = 1; ok && i <= n->len && (ok = db_next(q, &row, e)) && row; i++) {
		ok = ledger_account_read(q, &n->at[i], e);
		if (!ok || (ledger != 0 && n->at[i].ledger != ledger))
			continue;
		ledger_export_account(&n->at[i], account);
		fprintf(out, "account %s%s%s\n", account, n->at[i].name[0] != '\0' ? "  ; " : "", n->at[i].name);
	}
	db_finish(q);
	return ok;
}

static void row_put(const struct names *n, const struct ledger_row *r, int64_t time_s, FILE *out)
{
	const struct ledger_account *debit = &n->at[r->debit], *credit = &n->at[r->credit];
	char account[EXPORT_ACCOUNT_MAX], day[11], known[11], id[33];
	day_format(r->effective_day, day);
	day_format(ledger_day_of(time_s), known);
	id128_format(r->id, id);
	fprintf(out, "\n%s=%s * (%u) %s %u  ; id:%s", day, known, r->seq, ledger_kind_name(r->kind), r->code, id);
	if (r->ref != 0)
		fprintf(out, ", ref:%u", r->ref);
	ledger_export_account(debit, account);
	fprintf(out, "\n    %s  %lld \"L%u\"", account, (long long)r->amount, debit->ledger);
	ledger_export_account(credit, account);
	fprintf(out, "\n    %s  -%lld \"L%u\"\n", account, (long long)r->amount, debit->ledger);
}

static bool rows_put(struct ledger_reader *r, uint32_t ledger, const struct names *n, FILE *out, struct err *e)
{
	struct ledger_row x;
	bool row = false;
	struct db_query *q = db_query(
		ledger_reader_db(r),
		"SELECT t.id, t.data, t.amount, t.released, t.seq, t.debit, t.credit, t.ref, t.prev_debit, "
		"t.prev_credit,"
		" t.timeout_s, t.effective_day, t.code, t.kind, t.flags, b.time_s FROM batch b JOIN transfer t"
		" ON t.seq >= b.first AND t.seq < b.first + b.rows WHERE b.kind = 2 AND t.kind IN (1, 3, 5)"
		" ORDER BY b.no, t.seq",
		e);
	bool ok = q != NULL;
	while (ok && (ok = db_next(q, &row, e)) && row) {
		ok = ledger_row_read(q, &x, e);
		if (ok && (x.debit > n->len || x.credit > n->len))
			ok = err_set(e, ERR_IO, "row %u of the ledger is damaged", x.seq);
		else if (ok && (ledger == 0 || n->at[x.debit].ledger == ledger))
			row_put(n, &x, db_int(q, 15), out);
	}
	db_finish(q);
	return ok;
}

bool ledger_export(struct ledger_reader *r, uint32_t ledger, FILE *out, struct err *e)
{
	struct names n = { 0 };
	fprintf(out, "; 借方为正，贷方为负；金额为账本最小单位；未入账的预留不在其中\n"
		     "; Debits are positive, credits negative, in the ledger's smallest unit; what is pending is not "
		     "here.\n");
	bool ok = names_load(r, ledger, &n, out, e) && rows_put(r, ledger, &n, out, e);
	free(n.at);
	if (ok && (fflush(out) != 0 || ferror(out)))
		ok = err_set(e, ERR_IO, "the journal was not written whole");
	return ok;
}
