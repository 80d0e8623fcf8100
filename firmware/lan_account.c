/*
 * A customer's carbon account for an officer at a terminal, and what its points buy: asked of central while the line is up, and never told or
 * done otherwise, since nothing of accounts is kept here. The question's row stands in the journal before anything is shown, refused ones
 * too. A request id asked again is the same question to central, which logs it once; the redemption it asks for is made once.
 */
#include "firmware/lan_inner.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLY_MAX   16384U
#define END_PURPOSE "redemption"
#define OFFLINE_503                                                                                                                            \
	"碳账户只在中心，断线不能查询、兑换或入账，本机不存不猜 · accounts are at central alone, none is kept or " \
	"guessed "                                                                                                                             \
	"here: %.60s；请以同一 request_id 重试 · try again with the same request_id"

struct lan_account {
	struct lan *lan;
	struct lan_pending *pending;
	struct lan_account *next; /* of those that wait for central */
	struct account_query query;
	struct scan_lookup row;
};

static bool account_decide(struct lan *l, struct lan_pending *p, struct err *e)
{
	const struct lan_account *k = p->request;
	return lan_lookup_record(l, p, &k->row, e);
}

static void account_done(struct lan *l, const struct lan_pending *p)
{
	const struct lan_account *k = p->request;
	if (p->decided && p->status == 200)
		l->n.accounts[k->query.step]++;
}

static void account_free(void *request)
{
	explicit_bzero(request, sizeof(struct lan_account));
	free(request);
}

static const struct lan_kind account_kind = { account_decide, NULL, account_done, account_free, NULL };

/* Joins the turn: the answer is in the reply, or why there is none. */
static void account_end(struct lan_account *k, int status, const char *source, const struct err *why)
{
	struct lan_pending *p = k->pending;
	snprintf(k->row.source, sizeof(k->row.source), "%s", source);
	k->row.result = why->code;
	k->row.given = status == 200;
	p->status = status;
	p->error = *why;
	lan_pending_add(k->lan, p);
}

static void account_unanswered(struct lan_account *k, const struct err *why)
{
	struct err e = { 0 };
	(void)err_set(&e, ERR_IO, OFFLINE_503, why->text);
	account_end(k, 503, "none", &e);
}

static void account_refused(struct lan_account *k, const struct err *why)
{
	switch (why->code) {
	case ERR_DENIED: account_end(k, 403, "central", why); return;
	case ERR_INPUT: account_end(k, 400, "central", why); return;
	case ERR_MISSING: account_end(k, 404, "central", why); return;
	case ERR_CONFLICT:
	case ERR_FULL: account_end(k, 409, "central", why); return;
	case ERR_NONE:
	case ERR_STALE:
	case ERR_IO: account_unanswered(k, why); return;
	}
}

/* --- the answer --- */

static void offers_put(const struct account_answer *a, struct json_out *w)
{
	json_open(w, "offers", '[');
	for (size_t i = 0; i < a->offers_len; i++) {
		const struct account_offer *o = &a->offers[i];
		json_open(w, NULL, '{');
		json_put_text(w, "kind", o->kind);
		json_put_text(w, "zh", o->zh);
		json_put_text(w, "en", o->en);
		json_put_text(w, "unit", o->unit);
		json_put_int(w, "points", (int64_t)o->points);
		json_put_int(w, "per", (int64_t)o->per);
		json_put_int(w, "left", (int64_t)o->left);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void standing_put(const struct lan_account *k, const struct account_answer *a, struct json_out *w)
{
	json_put_text(w, "holder_masked", k->row.holder_masked);
	json_put_text(w, "purpose", k->query.purpose);
	json_put_int(w, "points", (int64_t)a->points);
	json_put_int(w, "pending", (int64_t)a->pending);
	json_put_int(w, "accounts", (int64_t)a->accounts);
	json_open(w, "level", '{');
	json_put_text(w, "zh", a->level_zh);
	json_put_text(w, "en", a->level_en);
	json_close(w, '}');
	if (a->expiring > 0) {
		char day[11];
		day_format(a->expires_day, day);
		json_open(w, "expires_next", '{');
		json_put_int(w, "points", (int64_t)a->expiring);
		json_put_text(w, "day", day);
		json_close(w, '}');
	}
	offers_put(a, w);
}

static void redemption_put(const struct account_answer *a, struct json_out *w)
{
	json_put_text(w, "redemption", a->redemption);
	json_put_text(w, "state", a->state);
	json_put_text(w, "state_zh", a->state_zh);
	json_put_text(w, "kind", a->kind);
	json_put_int(w, "quantity", (int64_t)a->quantity);
	json_put_text(w, "unit", a->unit);
	json_put_int(w, "points", (int64_t)a->cost);
	json_put_int(w, "posted_quantity", (int64_t)a->posted_quantity);
	json_put_int(w, "posted_points", (int64_t)a->posted_points);
	json_put_text(w, "reference", a->reference);
	json_put_int(w, "made_s", a->made_s);
	json_put_int(w, "expires_s", a->expires_s);
}

static void account_given(struct lan_account *k, const struct account_answer *a)
{
	struct lan_pending *p = k->pending;
	struct json_out w = { &p->reply, false };
	struct err e = { 0 };
	buf_clear(&p->reply);
	buf_init(&p->reply, REPLY_MAX);
	json_open(&w, NULL, '{');
	if (a->step == ACCOUNT_SHOW)
		standing_put(k, a, &w);
	else
		redemption_put(a, &w);
	json_put_int(&w, "rules_version", (int64_t)a->rules_version);
	json_close(&w, '}');
	bool ok = buf_ok(&p->reply, "the answer", &e);
	account_end(k, ok ? 200 : 500, "central", &e);
}

static void on_account(void *arg, const struct account_answer *a, const struct err *why)
{
	struct lan_account *k = arg;
	struct lan_account **at = &k->lan->accounts;
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	if (a != NULL)
		account_given(k, a);
	else
		account_refused(k, why);
}

void lan_accounts_end(struct lan *l)
{
	while (l->accounts != NULL) {
		struct lan_account *k = l->accounts;
		l->accounts = k->next;
		l->c.forget(l->c.arg, k);
		lan_pending_free(k->pending);
	}
}

/* --- the questions --- */

static bool holder_take(struct lan_account *k, const struct json *j, struct err *e)
{
	struct identifier id;
	if (!lan_number_take(j, "holder", &id, &k->row, e))
		return false;
	bool fits = id.kind <= IDENTIFIER_PARTY_LAST;
	k->query.holder_kind = id.kind;
	memcpy(k->query.holder, id.canonical, sizeof(k->query.holder));
	explicit_bzero(&id, sizeof(id));
	return fits || err_set(e, ERR_INPUT, "holder.kind: nobody is known by a number of this kind");
}

static bool show_take(struct lan_account *k, const struct json *j, struct err *e)
{
	return json_only(j, "request_id holder purpose officer", e) && holder_take(k, j, e) &&
	       lan_word_take(j, "purpose", PURPOSE_MAX, k->query.purpose, e);
}

static bool redeem_take(struct lan_account *k, const struct json *j, struct err *e)
{
	struct account_query *q = &k->query;
	int64_t quantity = 0;
	if (!json_only(j, "request_id holder purpose officer kind quantity reference", e) || !holder_take(k, j, e) ||
	    !lan_word_take(j, "purpose", PURPOSE_MAX, q->purpose, e) ||
	    !lan_word_take(j, "kind", NAME_MAX_LEN, q->kind, e) ||
	    !lan_word_take(j, "reference", ACCOUNT_REFERENCE_MAX, q->reference, e) ||
	    !json_int(j, "quantity", 1, INT32_MAX, &quantity, e))
		return false;
	q->quantity = (uint64_t)quantity;
	return true;
}

static bool end_take(struct lan_account *k, const struct json *j, const char *id, struct err *e)
{
	struct account_query *q = &k->query;
	const char *end = NULL;
	int64_t quantity = 0;
	bool has_quantity = json_get(j, "quantity") != NULL;
	if (!json_only(j, "request_id officer end quantity", e) || !json_text(j, "end", 8, &end, e))
		return false;
	bool post = strcmp(end, "post") == 0;
	if (!post && (strcmp(end, "void") != 0 || has_quantity))
		return err_set(e, ERR_INPUT, "end: post, with or without a quantity, or void");
	if (has_quantity && !json_int(j, "quantity", 1, INT32_MAX, &quantity, e))
		return false;
	if (strlen(id) > ACCOUNT_REDEMPTION || !request_id_is_valid(id))
		return err_set(e, ERR_INPUT, "redemption: as central has called it when it was made");
	q->step = post ? ACCOUNT_POST : ACCOUNT_VOID;
	q->quantity = (uint64_t)quantity;
	snprintf(q->redemption, sizeof(q->redemption), "%s", id);
	snprintf(q->purpose, sizeof(q->purpose), END_PURPOSE);
	snprintf(k->row.holder_kind, sizeof(k->row.holder_kind), "redemption");
	snprintf(k->row.holder_masked, sizeof(k->row.holder_masked), "%s", id);
	return true;
}

static bool step_take(struct lan_account *k, const struct json *j, const char *rest, struct err *e)
{
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "the request is no JSON object");
	if (rest != NULL)
		return end_take(k, j, rest, e);
	return k->query.step == ACCOUNT_SHOW ? show_take(k, j, e) : redeem_take(k, j, e);
}

static bool account_parse(struct lan_account *k, const struct json *j, const char *terminal, const char *rest,
			  struct err *e)
{
	struct account_query *q = &k->query;
	if (!step_take(k, j, rest, e) || !lan_request_take(j, terminal, q->request, e) ||
	    !lan_word_take(j, "officer", INQUIRY_OFFICER_MAX, q->officer, e))
		return false;
	snprintf(q->terminal, sizeof(q->terminal), "%s", terminal);
	snprintf(k->row.terminal, sizeof(k->row.terminal), "%s", terminal);
	snprintf(k->row.type, sizeof(k->row.type), "%s", account_step_name(q->step));
	snprintf(k->row.purpose, sizeof(k->row.purpose), "%s", q->purpose);
	return lan_can_answer(k->lan, e);
}

void lan_account(struct lan *l, struct http_request *r, const char *terminal, enum account_step step,
		 const char *rest)
{
	struct err e = { 0 };
	struct lan_pending *p = lan_pending_new(r, &account_kind);
	struct lan_account *k = calloc(1, sizeof(*k));
	if (k == NULL)
		abort();
	*k = (struct lan_account){ .lan = l, .pending = p, .query.step = step };
	p->request = k;
	lan_pending_name(p, terminal, "");
	struct json *j = json_parse(http_body(r), &e);
	if (j == NULL || !account_parse(k, j, terminal, rest, &e)) {
		lan_reply_error(l, r, e.code == ERR_IO ? 503 : lan_status_of(e.code), &e);
		lan_pending_free(p);
	} else if (l->c.account(l->c.arg, &k->query, on_account, k, &e)) {
		k->next = l->accounts;
		l->accounts = k;
	} else {
		account_unanswered(k, &e);
	}
	json_free(j);
}
