#include "central/carbon/counter.h"

#include "central/carbon/redemption.h"
#include "central/carbon/statement.h"
#include "central/ingest/subject.h"
#include "central/registry/holdings.h"
#include "central/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t positive(int64_t v)
{
	return v > 0 ? (uint64_t)v : 0;
}

/* --- who asks, logged once --- */

#define WHO_MAX 256

static bool question_hash(const struct carbon *c, const struct account_query *q, uint8_t hash[HASH_LEN],
			  struct err *e)
{
	struct account_query whole = *q;
	struct buf text;
	memset(whole.id, 0, sizeof(whole.id));
	buf_init(&text, QUERY_BODY_MAX);
	bool ok = account_query_encode(&whole, &text, e);
	/* A number can be found out from a plain hash. */
	if (ok)
		hmac_sha256((struct bytes){ c->release->vault_key, 32 }, buf_bytes(&text), hash);
	buf_wipe(&text);
	explicit_bzero(&whole, sizeof(whole));
	return ok;
}

static struct bytes request_of(const struct account_query *q)
{
	return (struct bytes){ q->request, sizeof(q->request) };
}

/* ERR_CONFLICT when it was another question. */
static bool question_find(const struct carbon *c, const char *branch, const struct account_query *q,
			  const uint8_t hash[HASH_LEN], bool *found, struct err *e)
{
	struct db_query *d =
		db_query(c->release->db, "SELECT question FROM carbon_question WHERE branch = ? AND request = ?", e);
	bool same = true;
	*found = false;
	bool ok = d != NULL && db_bind_text(d, 1, branch, e) && db_bind_bytes(d, 2, request_of(q), e) &&
		  db_next(d, found, e);
	if (ok && *found)
		same = db_bytes(d, 0).len == HASH_LEN && memcmp(db_bytes(d, 0).data, hash, HASH_LEN) == 0;
	db_finish(d);
	return ok && (same || err_set(e, ERR_CONFLICT, "request_id: used before with another question"));
}

static bool question_put(struct carbon *c, const char *branch, const struct account_query *q,
			 const uint8_t hash[HASH_LEN], struct err *e)
{
	struct db *db = c->release->db;
	return db_run(db, e, "DELETE FROM carbon_question WHERE asked_s < ?", "i", c->now_s - COUNTER_KEPT_S) &&
	       db_run(db, e, "INSERT INTO carbon_question (branch, request, question, asked_s) VALUES (?, ?, ?, ?)",
		      "tbbi", branch, request_of(q), (struct bytes){ hash, HASH_LEN }, c->now_s);
}

/* In the log of whoever's account it is. Of postings and voidings, which name nobody, the redemption is what was asked about. */
static bool read_note(struct carbon *c, const struct account_query *q, const char *who, struct err *e)
{
	struct identifier id = { .kind = q->holder_kind };
	struct subject_group *g = calloc(1, sizeof(*g));
	char about[96];
	if (g == NULL)
		abort();
	snprintf(id.canonical, sizeof(id.canonical), "%s", q->holder);
	snprintf(about, sizeof(about), "%s", q->redemption);
	bool ok = true;
	if (q->holder_kind != 0) {
		identifier_mask(&id, about, sizeof(about));
		ok = subject_group(c->release, &id, g, e) &&
		     subject_read_note(c->release, g, q->purpose, who, c->now_s, e);
	}
	ok = ok && audit_add(c->release->db, c->now_s, who, account_step_name(q->step), about, q->purpose, e);
	explicit_bzero(&id, sizeof(id));
	explicit_bzero(g, sizeof(*g));
	free(g);
	return ok;
}

static bool question_log(struct carbon *c, const char *branch, const struct account_query *q, const char *who,
			 const uint8_t hash[HASH_LEN], struct err *e)
{
	struct db *db = c->release->db;
	if (!db_begin(db, e))
		return false;
	if (question_put(c, branch, q, hash, e) && read_note(c, q, who, e) && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

static bool refusal_log(struct carbon *c, const struct account_query *q, const char *who, struct err *e)
{
	struct identifier id = { .kind = q->holder_kind };
	struct db *db = c->release->db;
	char about[96];
	snprintf(id.canonical, sizeof(id.canonical), "%s", q->holder);
	identifier_mask(&id, about, sizeof(about));
	explicit_bzero(&id, sizeof(id));
	if (!db_begin(db, e))
		return false;
	if (audit_add(db, c->now_s, who, "carbon-refused", about, q->purpose, e) && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

static bool consent_check(struct carbon *c, const char *branch, const struct account_query *q, const char *who,
			  struct err *e)
{
	uint8_t holder[HASH_LEN];
	int64_t to_s = 0;
	registry_holder_hash(c->release->vault_key, q->holder_kind, q->holder, holder);
	if (!consent_find(c->release, holder, branch, ACCOUNT_CONSENT, q->purpose, c->now_s, &to_s, e))
		return false;
	return to_s > 0 ||
	       (refusal_log(c, q, who, e) &&
		err_set(e, ERR_DENIED,
			"客户未授权本网点为此用途查询碳账户 / the holder has not consented to this purpose "
			"and branch"));
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
	int32_t expires_day = 0;
	struct carbon_rules *rules = carbon_rules_current(c, e);
	bool ok = rules != NULL && carbon_standing(c, q->holder_kind, q->holder, &s, e) &&
		  carbon_group_load(c, q->holder_kind, q->holder, &g, e) &&
		  statement_expiring(c, &g, rules->valid_days, &expiring, &expires_day, e);
	if (ok) {
		a->points = positive(s.points);
		a->pending = positive(s.pending);
		a->accounts = s.accounts;
		a->rules_version = positive(s.rules_version);
		a->expiring = positive(expiring);
		a->expires_day = expires_day;
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
	case ACCOUNT_SHOW: return account_tell(c, q, a, e);
	case ACCOUNT_REDEEM: ok = redeem(c, branch, q, &r, e); break;
	case ACCOUNT_POST: ok = carbon_buy_post(c, q->redemption, branch, (int64_t)q->quantity, &r, e); break;
	case ACCOUNT_VOID: ok = carbon_buy_void(c, q->redemption, branch, &r, e); break;
	}
	if (ok)
		redemption_tell(&r, a);
	return ok;
}

/* Needs nobody's consent: it ends a redemption, or is one already, whose answer was lost. */
static bool is_agreed(struct carbon *c, const char *branch, const struct account_query *q, bool again)
{
	char name[REQUEST_ID_MAX_LEN + 1];
	struct carbon_redemption r;
	struct err none = { 0 };
	if (q->step == ACCOUNT_POST || q->step == ACCOUNT_VOID)
		return true;
	request_name(branch, q, name);
	return q->step == ACCOUNT_REDEEM && again && carbon_buy_find(c, name, branch, &r, &none);
}

bool counter_answer(struct carbon *c, const char *branch, const struct account_query *q, struct account_answer *a,
		    struct err *e)
{
	char operator[NAME_MAX_LEN + 1], who[WHO_MAX];
	uint8_t hash[HASH_LEN];
	bool again = false;
	/* No operator can be called so. */
	snprintf(operator, sizeof(operator), "@%.*s", NAME_MAX_LEN - 1, branch);
	snprintf(who, sizeof(who), "branch %s / %s / %s", branch, q->terminal, q->officer);
	c->operator= operator;
	*a = (struct account_answer){ .step = q->step };
	memcpy(a->id, q->id, sizeof(a->id));
	bool ok = question_hash(c, q, hash, e) && question_find(c, branch, q, hash, &again, e) &&
		  (is_agreed(c, branch, q, again) || consent_check(c, branch, q, who, e)) &&
		  (again || question_log(c, branch, q, who, hash, e)) && step_run(c, branch, q, a, e);
	c->operator= "";
	return ok;
}
