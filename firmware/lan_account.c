/*
 * A customer's carbon account for a teller: asked of central while the line is up; offline it says that it cannot, and nothing of accounts is
 * kept here. Each question has a row in the journal before anything is shown, refused ones and those without an answer too. A redemption whose
 * answer was lost is asked for again under its request id, which central takes as the same one.
 */
#include "firmware/lan_inner.h"
#include "protocol/base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLY_MAX   16384U
#define ROW_ROOM    64 /* what a journal row adds to its body */
#define END_PURPOSE "redemption"
#define OFFLINE_503                                                                                                          \
	"碳账户只在中心，本机不存不猜 · accounts are at central alone, none is kept or guessed here: %.80s；请以同一 " \
	"request_id 重试 · try again with the same request_id"

struct lan_account {
	struct lan *lan;
	struct lan_pending *pending;
	struct lan_account *next; /* of those that wait for central */
	struct account_query query;
	struct scan_lookup row;
};

static bool account_decide(struct lan *l, struct lan_pending *p, struct err *e)
{
	struct lan_account *k = p->request;
	struct buf body;
	buf_init(&body, JOURNAL_ROW_MAX - ROW_ROOM);
	bool ok = true;
	if (!scan_lookup_encode(&k->row, &body, e)) {
		lan_pending_fail(p, 500, e);
	} else {
		ok = record_append(l->c.record, lan_clock_s(l), JOURNAL_LOOKUP, buf_bytes(&body), NULL, e);
		p->decided = ok;
	}
	buf_clear(&body);
	return ok;
}

/* Never asked for: what is asked again is asked of central. */
static bool account_show(struct lan *l, struct lan_pending *p, struct bytes body, struct err *e)
{
	(void)l, (void)p, (void)body;
	return err_set(e, ERR_MISSING, "an account is not kept");
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

static const struct lan_kind account_kind = { account_decide, account_show, account_done, account_free, NULL };

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
	json_open(w, "expiring", '{');
	json_put_int(w, "points", (int64_t)a->expiring);
	json_put_int(w, "within_days", (int64_t)a->expiring_days);
	json_close(w, '}');
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

static bool word_check(const char *key, const char *text, size_t max, char *out, struct err *e)
{
	if (text == NULL || text[0] == '\0')
		return err_set(e, ERR_INPUT, "%s: missing", key);
	if (strlen(text) > max || !utf8_is_valid(bytes_of(text)))
		return err_set(e, ERR_INPUT, "%s: longer than %zu bytes, or not UTF-8", key, max);
	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 127)
			return err_set(e, ERR_INPUT, "%s: a control character", key);
	snprintf(out, max + 1, "%s", text);
	return true;
}

static bool word_take(const struct json *j, const char *key, size_t max, char *out, struct err *e)
{
	const char *text = NULL;
	return json_text(j, key, max, &text, e) && word_check(key, text, max, out, e);
}

static bool holder_set(struct lan_account *k, const char *kind, const char *number, struct err *e)
{
	enum identifier_kind of = IDENTIFIER_RESIDENT_ID;
	struct identifier id;
	if (kind != NULL && (!identifier_kind_of(kind, &of) || of > IDENTIFIER_PARTY_LAST || of == IDENTIFIER_NAME))
		return err_set(e, ERR_INPUT, "holder_kind: there is no kind of document '%.32s'", kind);
	if (number == NULL || !identifier_parse(of, number, strlen(number), 0, &id, NULL, e))
		return number == NULL ? err_set(e, ERR_INPUT, "holder: missing") : err_wrap(e, "holder");
	k->query.holder_kind = of;
	memcpy(k->query.holder, id.canonical, sizeof(k->query.holder));
	snprintf(k->row.holder_kind, sizeof(k->row.holder_kind), "%s", identifier_kind_name(of));
	identifier_mask(&id, k->row.holder_masked, sizeof(k->row.holder_masked));
	explicit_bzero(&id, sizeof(id));
	return true;
}

static bool show_parse(struct lan_account *k, struct http_request *r, const char *rest, struct err *e)
{
	(void)rest;
	return holder_set(k, http_query(r, "holder_kind"), http_query(r, "holder"), e) &&
	       word_check("purpose", http_query(r, "purpose"), PURPOSE_MAX, k->query.purpose, e);
}

/* Of the terminal's request id, so that the same request is the same redemption at central. */
static void request_name(struct account_query *q, const char *terminal, const char *request_id)
{
	struct sha256_stream s;
	uint8_t hash[HASH_LEN];
	sha256_start(&s);
	sha256_add(&s, (struct bytes){ (const uint8_t *)terminal, strlen(terminal) + 1 });
	sha256_add(&s, bytes_of(request_id));
	sha256_finish(&s, hash);
	memcpy(q->request, hash, sizeof(q->request));
}

static bool redeem_take(struct lan_account *k, const struct json *j, struct err *e)
{
	struct account_query *q = &k->query;
	char request_id[REQUEST_ID_MAX_LEN + 1];
	const char *kind = NULL, *number = NULL;
	const struct json *holder = json_get(j, "holder");
	int64_t quantity = 0;
	if (!json_only(j, "request_id holder purpose kind quantity reference", e) ||
	    !word_take(j, "request_id", REQUEST_ID_MAX_LEN, request_id, e))
		return false;
	if (!request_id_is_valid(request_id))
		return err_set(e, ERR_INPUT, "request_id: 1 to %d of A-Z a-z 0-9 _ . : -", REQUEST_ID_MAX_LEN);
	if (holder == NULL || !json_is_object(holder))
		return err_set(e, ERR_INPUT, "holder: expected an object with kind and number");
	if (!json_only(holder, "kind number", e) || !json_text(holder, "kind", NAME_MAX_LEN, &kind, e) ||
	    !json_text(holder, "number", PERSON_NAME_MAX, &number, e))
		return err_wrap(e, "holder");
	if (!holder_set(k, kind, number, e) || !word_take(j, "purpose", PURPOSE_MAX, q->purpose, e) ||
	    !word_take(j, "kind", NAME_MAX_LEN, q->kind, e) ||
	    !word_take(j, "reference", ACCOUNT_REFERENCE_MAX, q->reference, e) ||
	    !json_int(j, "quantity", 1, INT32_MAX, &quantity, e))
		return false;
	q->quantity = (uint64_t)quantity;
	request_name(q, k->pending->terminal, request_id);
	return true;
}

static bool end_take(struct lan_account *k, const struct json *j, const char *id, struct err *e)
{
	struct account_query *q = &k->query;
	const char *end = NULL;
	int64_t quantity = 0;
	if (!json_only(j, "end quantity", e) || !json_text(j, "end", 8, &end, e))
		return false;
	bool post = strcmp(end, "post") == 0;
	if (!post && (strcmp(end, "void") != 0 || json_get(j, "quantity") != NULL))
		return err_set(e, ERR_INPUT, "end: post, with or without a quantity, or void");
	if (json_get(j, "quantity") != NULL && !json_int(j, "quantity", 1, INT32_MAX, &quantity, e))
		return false;
	q->step = post ? ACCOUNT_POST : ACCOUNT_VOID;
	q->quantity = (uint64_t)quantity;
	snprintf(q->purpose, sizeof(q->purpose), END_PURPOSE);
	snprintf(k->row.holder_kind, sizeof(k->row.holder_kind), "redemption");
	snprintf(k->row.holder_masked, sizeof(k->row.holder_masked), "%.52s", id);
	return word_check("redemption", id, ACCOUNT_REDEMPTION, q->redemption, e);
}

/* rest: the redemption that ends; NULL: a new one. */
static bool body_parse(struct lan_account *k, struct http_request *r, const char *rest, struct err *e)
{
	struct json *j = json_parse(http_body(r), e);
	bool ok = j != NULL && (json_is_object(j) || err_set(e, ERR_INPUT, "the request is no JSON object")) &&
		  (rest == NULL ? redeem_take(k, j, e) : end_take(k, j, rest, e));
	json_free(j);
	return ok;
}

static void account_ask(struct lan *l, struct http_request *r, const char *terminal, enum account_step step,
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
	snprintf(k->query.terminal, sizeof(k->query.terminal), "%s", terminal);
	snprintf(k->row.terminal, sizeof(k->row.terminal), "%s", terminal);
	bool ok = (step == ACCOUNT_SHOW ? show_parse(k, r, rest, &e) : body_parse(k, r, rest, &e)) &&
		  lan_can_answer(l, &e);
	snprintf(k->row.type, sizeof(k->row.type), "%s", account_step_name(k->query.step));
	snprintf(k->row.purpose, sizeof(k->row.purpose), "%s", k->query.purpose);
	if (!ok) {
		lan_reply_error(l, r, e.code == ERR_IO ? 503 : lan_status_of(e.code), &e);
		lan_pending_free(p);
	} else if (l->c.account(l->c.arg, &k->query, on_account, k, &e)) {
		k->next = l->accounts;
		l->accounts = k;
	} else {
		account_unanswered(k, &e);
	}
}

void lan_account(struct lan *l, struct http_request *r, const char *terminal)
{
	account_ask(l, r, terminal, ACCOUNT_SHOW, NULL);
}

void lan_redeem(struct lan *l, struct http_request *r, const char *terminal, const char *redemption)
{
	if (lan_is_json(l, r))
		account_ask(l, r, terminal, ACCOUNT_REDEEM, redemption);
}
