#include "central/carbon/redemption.h"

#include "central/store/store.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S   86400
#define CHINA_S 28800
#define COLUMNS                                                                                                      \
	"SELECT request, account, kind, unit, quantity, points, per, price, partly, bank, reference, rules_version," \
	" made_s, expires_s FROM carbon_redemption "

static const struct {
	const char *name, *zh;
} states[] = {
	[CARBON_NONE] = { "none", "未成立" },       [CARBON_PENDING] = { "pending", "待入账" },
	[CARBON_POSTED] = { "posted", "已兑换" },   [CARBON_VOIDED] = { "voided", "已退回" },
	[CARBON_LAPSED] = { "lapsed", "逾期退回" }, [CARBON_REVERSED] = { "reversed", "已冲正" },
};

const char *carbon_state_name(enum carbon_state s)
{
	return states[s].name;
}

const char *carbon_state_zh(enum carbon_state s)
{
	return states[s].zh;
}

/* --- rows --- */

static bool row_read(struct carbon *c, const struct db_query *q, struct carbon_redemption *r, struct err *e)
{
	struct carbon_hold h;
	struct bytes account = db_bytes(q, 1);
	*r = (struct carbon_redemption){ .quantity = db_int(q, 4),
					 .points = db_int(q, 5),
					 .per = db_int(q, 6),
					 .price = db_int(q, 7),
					 .partly = db_int(q, 8) != 0,
					 .rules_version = db_int(q, 11),
					 .made_s = db_int(q, 12),
					 .expires_s = db_int(q, 13) };
	snprintf(r->request, sizeof(r->request), "%s", db_text(q, 0));
	snprintf(r->kind, sizeof(r->kind), "%s", db_text(q, 2));
	snprintf(r->unit, sizeof(r->unit), "%s", db_text(q, 3));
	snprintf(r->bank, sizeof(r->bank), "%s", db_text(q, 9));
	snprintf(r->reference, sizeof(r->reference), "%s", db_text(q, 10));
	if (account.len != 16 || r->price <= 0)
		return err_set(e, ERR_IO, "the row of redemption '%s' is damaged", r->request);
	r->account = id128_decode(account.data);
	if (!carbon_hold_read(c, r->request, &h, e))
		return false;
	r->state = h.state;
	r->posted_points = h.posted;
	r->posted_quantity = h.posted / r->price * r->per;
	return true;
}

static bool row_find(struct carbon *c, const char *request, bool *found, struct carbon_redemption *r, struct err *e)
{
	struct db_query *q = db_query(c->release->db, COLUMNS "WHERE request = ?", e);
	*found = false;
	bool ok = q != NULL && db_bind_text(q, 1, request, e) && db_next(q, found, e) &&
		  (!*found || row_read(c, q, r, e));
	db_finish(q);
	return ok;
}

static bool row_put(struct carbon *c, const struct carbon_redemption *r, struct err *e)
{
	uint8_t account[16];
	struct db *db = c->release->db;
	id128_encode(r->account, account);
	if (!db_begin(db, e))
		return false;
	/* One that was never held is begun anew. */
	bool ok = db_run(db, e, "DELETE FROM carbon_redemption WHERE request = ?", "t", r->request) &&
		  db_run(db, e,
			 "INSERT INTO carbon_redemption (request, account, kind, unit, quantity, points, per, price, "
			 "partly,"
			 " bank, reference, rules_version, made_by, made_s, expires_s)"
			 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			 "tbttiiiiittitii", r->request, (struct bytes){ account, sizeof(account) }, r->kind, r->unit,
			 r->quantity, r->points, r->per, r->price, (int64_t)r->partly, r->bank, r->reference,
			 r->rules_version, c->operator, r->made_s, r->expires_s);
	if (ok && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

bool carbon_buy_each(struct carbon *c, const struct carbon_group *g, size_t most,
		     void (*each)(void *arg, const struct carbon_redemption *r), void *arg, struct err *e)
{
	bool ok = true;
	for (size_t i = 0; ok && i < g->len; i++) {
		uint8_t account[16];
		bool row = false;
		struct carbon_redemption r;
		struct db_query *q = db_query(c->release->db,
					      COLUMNS "WHERE account = ? ORDER BY made_s DESC, request LIMIT ?", e);
		id128_encode(g->accounts[i], account);
		ok = q != NULL && db_bind_bytes(q, 1, (struct bytes){ account, sizeof(account) }, e) &&
		     db_bind_int(q, 2, (int64_t)most, e);
		while (ok && (ok = db_next(q, &row, e)) && row && (ok = row_read(c, q, &r, e)))
			each(arg, &r);
		db_finish(q);
	}
	return ok;
}

/* --- limits --- */

struct year {
	const char *kind;
	int64_t from_s, bought;
};

static void year_add(void *arg, const struct carbon_redemption *r)
{
	struct year *y = arg;
	if (r->made_s < y->from_s || strcmp(r->kind, y->kind) != 0)
		return;
	if (r->state == CARBON_PENDING)
		y->bought += r->quantity;
	else if (r->state == CARBON_POSTED)
		y->bought += r->posted_quantity;
}

static int64_t year_start_s(int64_t now_s)
{
	char text[11];
	int64_t day = 0;
	struct err none = { 0 };
	day_format(ledger_day_of(now_s), text);
	memcpy(text + 4, "-01-01", 7);
	(void)!day_parse(bytes_of(text), &day, &none); /* a year's first day is one */
	return day * DAY_S - CHINA_S;
}

static bool year_left(struct carbon *c, const struct carbon_group *g, const struct carbon_kind *k, int64_t *left,
		      struct err *e)
{
	struct year y = { k->code, year_start_s(c->now_s), 0 };
	*left = INT64_MAX;
	if (k->yearly_most == INT64_MAX)
		return true;
	if (!carbon_buy_each(c, g, INT32_MAX, year_add, &y, e))
		return false;
	*left = k->yearly_most > y.bought ? k->yearly_most - y.bought : 0;
	return true;
}

bool carbon_buy_left(struct carbon *c, const struct carbon_group *g, const struct carbon_kind *k, int64_t points,
		     int64_t *quantity, struct err *e)
{
	int64_t left = 0, can = points / k->points * k->per;
	if (!year_left(c, g, k, &left, e))
		return false;
	can = can < k->most ? can : k->most;
	can = can < left ? can : left;
	*quantity = can - can % k->per;
	return true;
}

static int64_t free_points(const struct carbon *c, const struct carbon_group *g)
{
	int64_t sum = 0;
	for (size_t i = 0; i < g->len; i++) {
		const struct ledger_sums s = core_account_find(ledger_core(c->ledger), g->accounts[i]).sums;
		sum += s.credits_posted - s.debits_posted - s.debits_pending;
	}
	return sum;
}

/* --- buying --- */

static bool purchase_check(const struct carbon_purchase *p, struct err *e)
{
	if (p->request[0] == '\0')
		return err_set(e, ERR_INPUT, "request: 1 to %d characters", REQUEST_ID_MAX_LEN);
	if (p->bank[0] == '\0')
		return err_set(e, ERR_INPUT, "bank: say which");
	return p->reference[0] != '\0' || err_set(e, ERR_INPUT, "reference: the bank's own number of what it is for");
}

static bool is_same(const struct carbon_purchase *p, const struct carbon_group *g, const struct carbon_redemption *r)
{
	for (size_t i = 0; i < g->len; i++)
		if (id128_same(g->accounts[i], r->account))
			return strcmp(p->kind, r->kind) == 0 && p->quantity == r->quantity &&
			       strcmp(p->bank, r->bank) == 0 && strcmp(p->reference, r->reference) == 0;
	return false;
}

static bool price_make(struct carbon *c, const struct carbon_rules *rules, const struct carbon_purchase *p,
		       const struct carbon_group *g, struct carbon_redemption *r, struct err *e)
{
	int64_t left = 0;
	uint8_t holder[HASH_LEN];
	const struct carbon_kind *k = carbon_rules_kind(rules, p->kind, ledger_day_of(c->now_s), e);
	if (k == NULL || !carbon_kind_price(k, p->quantity, &r->points, e) || !year_left(c, g, k, &left, e))
		return false;
	if (p->quantity > left)
		return err_set(e, ERR_FULL, "已达本年上限 / the year's limit leaves %lld", (long long)left);
	if (free_points(c, g) < r->points)
		return err_set(e, ERR_CONFLICT, "积分不足 / there are not enough points");
	registry_holder_hash(c->release->vault_key, p->holder_kind, p->holder, holder);
	r->account = carbon_account(holder);
	r->quantity = p->quantity;
	r->per = k->per;
	r->price = k->points;
	r->partly = k->partly;
	r->rules_version = rules->version;
	r->made_s = c->now_s;
	r->expires_s = c->now_s + k->wait_days * DAY_S;
	snprintf(r->request, sizeof(r->request), "%s", p->request);
	snprintf(r->kind, sizeof(r->kind), "%s", k->code);
	snprintf(r->unit, sizeof(r->unit), "%s", carbon_unit_name(k->unit));
	snprintf(r->bank, sizeof(r->bank), "%s", p->bank);
	snprintf(r->reference, sizeof(r->reference), "%s", p->reference);
	return true;
}

static bool buy_anew(struct carbon *c, const struct carbon_purchase *p, const struct carbon_group *g,
		     struct carbon_redemption *out, struct err *e)
{
	struct carbon_rules *rules = carbon_rules_current(c, e);
	*out = (struct carbon_redemption){ 0 };
	bool ok = rules != NULL && price_make(c, rules, p, g, out, e) && row_put(c, out, e);
	free(rules);
	if (!ok)
		return false;
	const struct carbon_hold_new h = { out->points, out->rules_version,
					   (uint32_t)(out->expires_s - out->made_s) };
	out->state = CARBON_PENDING;
	return carbon_hold(c, p->request, g, &h, e);
}

bool carbon_buy(struct carbon *c, const struct carbon_purchase *p, struct carbon_redemption *out, struct err *e)
{
	bool found = false;
	struct carbon_group g;
	struct carbon_hold held;
	if (!purchase_check(p, e) || !ledger_expire(c->ledger, c->now_s, e) ||
	    !carbon_group_load(c, p->holder_kind, p->holder, &g, e) || !row_find(c, p->request, &found, out, e) ||
	    !carbon_hold_read(c, p->request, &held, e))
		return false;
	if (held.state == CARBON_NONE)
		return buy_anew(c, p, &g, out, e);
	return (found && is_same(p, &g, out)) ||
	       err_set(e, ERR_CONFLICT, "request: it was used before for another redemption");
}

/* --- ending --- */

bool carbon_buy_find(struct carbon *c, const char *request, const char *bank, struct carbon_redemption *out,
		     struct err *e)
{
	bool found = false;
	if (!ledger_expire(c->ledger, c->now_s, e) || !row_find(c, request, &found, out, e))
		return false;
	return (found && out->state != CARBON_NONE && (bank == NULL || strcmp(bank, out->bank) == 0)) ||
	       err_set(e, ERR_MISSING, "there is no redemption '%.64s'", request);
}

bool carbon_buy_post(struct carbon *c, const char *request, const char *bank, int64_t quantity,
		     struct carbon_redemption *out, struct err *e)
{
	if (!carbon_buy_find(c, request, bank, out, e))
		return false;
	if (quantity == 0)
		quantity = out->quantity;
	if (quantity < 0 || quantity > out->quantity || quantity % out->per != 0)
		return err_set(e, ERR_INPUT, "quantity: at most %lld, in steps of %lld", (long long)out->quantity,
			       (long long)out->per);
	if (quantity < out->quantity && !out->partly)
		return err_set(e, ERR_INPUT, "quantity: %s is posted as a whole or not at all", out->kind);
	return carbon_hold_post(c, request, quantity / out->per * out->price, e) &&
	       carbon_buy_find(c, request, bank, out, e);
}

bool carbon_buy_void(struct carbon *c, const char *request, const char *bank, struct carbon_redemption *out,
		     struct err *e)
{
	return carbon_buy_find(c, request, bank, out, e) && carbon_redeem_end(c, request, false, e) &&
	       carbon_buy_find(c, request, bank, out, e);
}
