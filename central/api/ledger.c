/*
 * The ledger, for operators. A change is in the audit before the ledger is asked, and the operator's name is in the batch itself, under the
 * chain. What reads much (verify, export, balances as of a day) does not come here: centralctl reads the file beside us.
 */
#include "central/api/ledger.h"
#include "central/centrald.h"
#include "central/day_head.h"
#include "central/ledger/lines.h"
#include "central/store/store.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void api_ledger_path(const struct api_call *call, char out[300])
{
	snprintf(out, 300, "%.280s/ledger.db", call->central->dir);
}

struct ledger *api_ledger(struct api_call *call, struct err *e)
{
	char path[300];
	struct central *central = call->central;
	api_ledger_path(call, path);
	if (central->ledger == NULL)
		central->ledger = ledger_open(path, e);
	return central->ledger;
}

bool api_book(struct api_call *call, struct book *b, struct err *e)
{
	*b = (struct book){ api_ledger(call, e), call->operator, call->now_s };
	return b->ledger != NULL;
}

void api_done(struct api_call *call, const char *name)
{
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, "name", name);
	json_close(&call->json, '}');
}

bool api_ledger_audit(struct api_call *call, const char *what, const char *detail, struct err *e)
{
	struct db *db = call->central->release.db;
	uint8_t hash[HASH_LEN];
	char hex[2 * HASH_LEN + 1];
	sha256(http_body(call->request), hash);
	hex_encode(hash, sizeof(hash), hex);
	if (!db_begin(db, e))
		return false;
	if (audit_add(db, call->now_s, call->operator, what, hex, detail, e) && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

static bool audit_lines(struct api_call *call, const char *what, size_t n, struct err *e)
{
	char detail[48];
	snprintf(detail, sizeof(detail), "%zu lines", n);
	return api_ledger_audit(call, what, detail, e);
}

static void head_put(struct api_call *call, const struct ledger *l)
{
	char hex[2 * HASH_LEN + 1];
	struct ledger_head head = ledger_head(l);
	hex_encode(head.hash, sizeof(head.hash), hex);
	json_put_int(&call->json, "batches", (int64_t)head.batches);
	json_put_int(&call->json, "time_s", head.time_s);
	json_put_text(&call->json, "head", hex);
}

static void result_put(struct api_call *call, struct id128 id, enum ledger_status status)
{
	char hex[33];
	id128_format(id, hex);
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, "id", hex);
	json_put_text(&call->json, "status", ledger_status_name(status));
	json_put_text(&call->json, "zh", ledger_status_zh(status));
	json_close(&call->json, '}');
}

struct sent {
	size_t n;
	enum ledger_status status[LEDGER_BATCH_MAX];
	struct ledger_account accounts[LEDGER_BATCH_MAX];
	struct ledger_transfer transfers[LEDGER_BATCH_MAX];
};

static bool accounts_send(struct api_call *call, struct sent *s, struct err *e)
{
	struct ledger *l = api_ledger(call, e);
	return l != NULL && ledger_accounts_parse(http_body(call->request), s->accounts, &s->n, e) &&
	       audit_lines(call, "ledger.create", s->n, e) &&
	       ledger_accounts(l, call->now_s, call->operator, s->accounts, s->n, s->status, e);
}

static bool transfers_send(struct api_call *call, struct sent *s, struct err *e)
{
	struct ledger *l = api_ledger(call, e);
	return l != NULL && ledger_transfers_parse(http_body(call->request), s->transfers, &s->n, e) &&
	       audit_lines(call, "ledger.transfer", s->n, e) &&
	       ledger_transfers(l, call->now_s, call->operator, s->transfers, s->n, s->status, e);
}

static bool lines_send(struct api_call *call, bool are_accounts, struct err *e)
{
	struct sent *s = malloc(sizeof(*s));
	if (s == NULL)
		abort();
	bool ok = are_accounts ? accounts_send(call, s, e) : transfers_send(call, s, e);
	if (ok) {
		json_open(&call->json, NULL, '{');
		head_put(call, call->central->ledger);
		json_open(&call->json, "results", '[');
		for (size_t i = 0; i < s->n; i++)
			result_put(call, are_accounts ? s->accounts[i].id : s->transfers[i].id, s->status[i]);
		json_close(&call->json, ']');
		json_close(&call->json, '}');
	}
	free(s);
	return ok;
}

/* POST lines of accounts */
static bool accounts_create(struct api_call *call, struct err *e)
{
	return lines_send(call, true, e);
}

/* POST lines of transfers */
static bool transfers_create(struct api_call *call, struct err *e)
{
	return lines_send(call, false, e);
}

static bool account_show(struct api_call *call, struct err *e)
{
	struct id128 id;
	char hex[33];
	struct ledger *l = api_ledger(call, e);
	if (l == NULL || !id128_parse(call->path_rest, &id, e) || !ledger_expire(l, call->now_s, e))
		return false;
	const struct core_account a = core_account_find(ledger_core(l), id);
	if (a.number == 0)
		return err_set(e, ERR_MISSING, "the ledger has no account %.40s", call->path_rest);
	id128_format(a.id, hex);
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, "id", hex);
	json_put_int(&call->json, "number", a.number);
	json_put_int(&call->json, "ledger", a.ledger);
	json_put_int(&call->json, "code", a.code);
	json_put_text(&call->json, "class", ledger_class_name(a.class));
	json_put_text(&call->json, "limit", ledger_limit_name(a.flags));
	json_put_int(&call->json, "debits_posted", a.sums.debits_posted);
	json_put_int(&call->json, "debits_pending", a.sums.debits_pending);
	json_put_int(&call->json, "credits_posted", a.sums.credits_posted);
	json_put_int(&call->json, "credits_pending", a.sums.credits_pending);
	json_close(&call->json, '}');
	return true;
}

static bool newest_take(void *arg, struct bytes message, struct err *e)
{
	return daily_open(message, NULL, arg, e);
}

/* "signed": the newest signed head of a day, or null. */
static bool signed_put(struct api_call *call, struct ledger *l, struct err *e)
{
	struct daily_head h = { .batches = 0 };
	char day[11], hex[2 * HASH_LEN + 1];
	if (!dailies_each(ledger_db(l), newest_take, &h, e))
		return false;
	if (h.batches == 0) {
		json_put_null(&call->json, "signed");
		return true;
	}
	day_format(h.day, day);
	hex_encode(h.hash, HASH_LEN, hex);
	json_open(&call->json, "signed", '{');
	json_put_text(&call->json, "day", day);
	json_put_int(&call->json, "batches", (int64_t)h.batches);
	json_put_text(&call->json, "head", hex);
	json_close(&call->json, '}');
	return true;
}

/* POST: today's head is taken and sent to the signer now, if it was not; GET /v1/ledger tells when it is signed. */
static bool day_sign(struct api_call *call, struct err *e)
{
	char day[11];
	struct ledger *l = api_ledger(call, e);
	if (l == NULL)
		return false;
	if (ledger_head(l).batches == 0)
		return err_set(e, ERR_MISSING, "the ledger is empty: there is no head to sign");
	if (!api_ledger_audit(call, "ledger.sign", "", e) || !day_head_run(call->central->day_head, call->now_s, e))
		return false;
	day_format(ledger_day_of(call->now_s), day);
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, "day", day);
	json_close(&call->json, '}');
	return true;
}

static bool ledger_show(struct api_call *call, struct err *e)
{
	struct ledger *l = api_ledger(call, e);
	if (l == NULL)
		return false;
	json_open(&call->json, NULL, '{');
	if (!signed_put(call, l, e))
		return false;
	head_put(call, l);
	json_put_int(&call->json, "accounts", core_accounts_len(ledger_core(l)));
	json_put_int(&call->json, "transfers", core_rows_len(ledger_core(l)));
	json_put_int(&call->json, "memory_bytes", (int64_t)core_bytes(ledger_core(l)));
	json_close(&call->json, '}');
	return true;
}

const struct api_route api_ledger_routes[] = {
	{ "GET", "/v1/ledger", false, ledger_show },
	{ "POST", "/v1/ledger/accounts", true, accounts_create },
	{ "GET", "/v1/ledger/accounts/%", false, account_show },
	{ "POST", "/v1/ledger/transfers", true, transfers_create },
	{ "POST", "/v1/ledger/sign", true, day_sign },
	{ 0 },
};
