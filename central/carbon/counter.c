#include "central/carbon/counter.h"

#include "central/carbon/redemption.h"
#include "central/carbon/statement.h"
#include "central/registry/holdings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t positive(int64_t v)
{
	return v > 0 ? (uint64_t)v : 0;
}

static bool consent_check(struct carbon *c, const char *branch, const struct account_query *q, struct err *e)
{
	uint8_t holder[HASH_LEN];
	int64_t to_s = 0;
	registry_holder_hash(c->release->vault_key, q->holder_kind, q->holder, holder);
	return consent_find(c->release, holder, branch, ACCOUNT_CONSENT, q->purpose, c->now_s, &to_s, e) &&
	       (to_s > 0 ||
		err_set(e, ERR_DENIED, "客户未授权 / the holder has not consented to this purpose and branch"));
}

/* --- what he has --- */

static bool offers_make(struct carbon *c, const struct carbon_group *g, const struct carbon_rules *rules,
			struct account_answer *a, struct err *e)
{
	int64_t today = ledger_day_of(c->now_s);
	for (size_t i = 0; i < rules->kinds_len && a->offers_len < ACCOUNT_OFFERS_MAX; i++) {
		const struct carbon_kind *k = &rules->kinds[i];
		struct account_offer *o = &a->offers[a->offers_len];
		int64_t left = 0;
		if (today < k->from_day || today > k->to_day)
			continue;
		if (!carbon_buy_left(c, g, k, (int64_t)a->points, &left, e))
			return false;
		snprintf(o->kind, sizeof(o->kind), "%s", k->code);
		snprintf(o->zh, sizeof(o->zh), "%s", k->zh);
		snprintf(o->en, sizeof(o->en), "%s", k->en);
		snprintf(o->unit, sizeof(o->unit), "%s", carbon_unit_name(k->unit));
		o->points = positive(k->points);
		o->per = positive(k->per);
		o->left = positive(left);
		a->offers_len++;
	}
	return true;
}

static bool account_tell(struct carbon *c, const struct account_query *q, struct account_answer *a, struct err *e)
{
	struct carbon_standing s;
	struct carbon_group g;
	int64_t expiring = 0;
	struct carbon_rules *rules = carbon_rules_current(c, e);
	bool ok = rules != NULL && carbon_standing(c, q->holder_kind, q->holder, &s, e) &&
		  carbon_group_load(c, q->holder_kind, q->holder, &g, e) &&
		  statement_expiring(c, &g, rules->valid_days, COUNTER_EXPIRING_DAYS, &expiring, e);
	if (ok) {
		a->points = positive(s.points);
		a->pending = positive(s.pending);
		a->accounts = s.accounts;
		a->rules_version = positive(s.rules_version);
		a->expiring = positive(expiring);
		a->expiring_days = COUNTER_EXPIRING_DAYS;
		snprintf(a->level_zh, sizeof(a->level_zh), "%s", s.level.zh);
		snprintf(a->level_en, sizeof(a->level_en), "%s", s.level.en);
		ok = offers_make(c, &g, rules, a, e);
	}
	free(rules);
	return ok;
}

/* --- redemptions --- */

/* What central calls it: of the branch and the branch's request. */
static void request_name(const char *branch, const struct account_query *q, char out[REQUEST_ID_MAX_LEN + 1])
{
	struct sha256_stream s;
	uint8_t hash[HASH_LEN];
	char hex[2 * HASH_LEN + 1];
	sha256_start(&s);
	sha256_add(&s, (struct bytes){ (const uint8_t *)branch, strlen(branch) + 1 });
	sha256_add(&s, (struct bytes){ q->request, sizeof(q->request) });
	sha256_finish(&s, hash);
	hex_encode(hash, sizeof(hash), hex);
	snprintf(out, REQUEST_ID_MAX_LEN + 1, "br.%.48s", hex);
}

static bool redeem(struct carbon *c, const char *branch, const struct account_query *q, struct carbon_redemption *r,
		   struct err *e)
{
	struct carbon_purchase p = { .holder_kind = q->holder_kind, .quantity = (int64_t)q->quantity };
	request_name(branch, q, p.request);
	memcpy(p.holder, q->holder, sizeof(p.holder));
	snprintf(p.kind, sizeof(p.kind), "%s", q->kind);
	snprintf(p.bank, sizeof(p.bank), "%s", branch);
	snprintf(p.reference, sizeof(p.reference), "%s", q->reference);
	bool ok = carbon_buy(c, &p, r, e);
	explicit_bzero(&p, sizeof(p));
	return ok;
}

static void redemption_tell(const struct carbon_redemption *r, struct account_answer *a)
{
	a->rules_version = positive(r->rules_version);
	snprintf(a->redemption, sizeof(a->redemption), "%.*s", ACCOUNT_REDEMPTION, r->request);
	snprintf(a->state, sizeof(a->state), "%s", carbon_state_name(r->state));
	snprintf(a->state_zh, sizeof(a->state_zh), "%s", carbon_state_zh(r->state));
	snprintf(a->kind, sizeof(a->kind), "%s", r->kind);
	snprintf(a->unit, sizeof(a->unit), "%s", r->unit);
	snprintf(a->reference, sizeof(a->reference), "%s", r->reference);
	a->quantity = positive(r->quantity);
	a->cost = positive(r->points);
	a->posted_quantity = positive(r->posted_quantity);
	a->posted_points = positive(r->posted_points);
	a->made_s = r->made_s;
	a->expires_s = r->expires_s;
}

static bool step_run(struct carbon *c, const char *branch, const struct account_query *q, struct account_answer *a,
		     struct err *e)
{
	struct carbon_redemption r = { 0 };
	bool ok = false;
	switch (q->step) {
	case ACCOUNT_SHOW: return consent_check(c, branch, q, e) && account_tell(c, q, a, e);
	case ACCOUNT_REDEEM: ok = consent_check(c, branch, q, e) && redeem(c, branch, q, &r, e); break;
	case ACCOUNT_POST: ok = carbon_buy_post(c, q->redemption, branch, (int64_t)q->quantity, &r, e); break;
	case ACCOUNT_VOID: ok = carbon_buy_void(c, q->redemption, branch, &r, e); break;
	}
	if (ok)
		redemption_tell(&r, a);
	return ok;
}

/* Of postings and voidings, which name nobody, the redemption is what was asked about. */
static bool access_put(struct carbon *c, const char *branch, const struct account_query *q, enum err_code result,
		       struct err *e)
{
	struct db *db = c->release->db;
	struct body_query b = { .holder_kind = q->holder_kind != 0 ? q->holder_kind : IDENTIFIER_NAME };
	snprintf(b.holder, sizeof(b.holder), "%s", q->holder_kind != 0 ? q->holder : q->redemption);
	snprintf(b.type, sizeof(b.type), "%s", account_step_name(q->step));
	snprintf(b.purpose, sizeof(b.purpose), "%s", q->purpose);
	snprintf(b.terminal, sizeof(b.terminal), "%s", q->terminal);
	if (!db_begin(db, e))
		return false;
	bool ok = access_add(c->release, branch, &b, result, result == ERR_NONE, c->now_s, e) && db_commit(db, e);
	explicit_bzero(&b, sizeof(b));
	if (!ok)
		db_rollback(db);
	return ok;
}

bool counter_answer(struct carbon *c, const char *branch, const struct account_query *q, struct account_answer *a,
		    struct err *e)
{
	char operator[NAME_MAX_LEN + 1];
	struct err why = { 0 };
	/* No operator can be called so. */
	snprintf(operator, sizeof(operator), "@%.*s", NAME_MAX_LEN - 1, branch);
	c->operator= operator;
	*a = (struct account_answer){ .step = q->step };
	memcpy(a->id, q->id, sizeof(a->id));
	bool given = step_run(c, branch, q, a, &why);
	bool told = access_put(c, branch, q, given ? ERR_NONE : why.code, e);
	c->operator= "";
	if (told && !given)
		return err_set(e, why.code, "%s", why.text);
	return told;
}
