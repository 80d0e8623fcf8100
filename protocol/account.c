#include "protocol/account.h"

#include <string.h>

const char *account_step_name(enum account_step s)
{
	static const char *const names[] = { [ACCOUNT_SHOW] = "carbon-show",
					     [ACCOUNT_REDEEM] = "carbon-redeem",
					     [ACCOUNT_POST] = "carbon-post",
					     [ACCOUNT_VOID] = "carbon-void" };
	return names[s];
}

static void put_bytes(struct buf *out, uint64_t key, const uint8_t *data, size_t len)
{
	cbor_put_uint(out, key);
	cbor_put_bytes(out, (struct bytes){ data, len });
}

static void put_text(struct buf *out, uint64_t key, const char *text)
{
	cbor_put_uint(out, key);
	cbor_put_text(out, text);
}

static void put_uint(struct buf *out, uint64_t key, uint64_t v)
{
	cbor_put_uint(out, key);
	cbor_put_uint(out, v);
}

/* --- the question --- */

/* map 1 id · 2 step · 3 holder's kind, 0 none · 4 holder · 5 purpose · 6 terminal · 7 officer · 8 request · 9 kind · 10 quantity ·
   11 reference · 12 redemption */
bool account_query_encode(const struct account_query *q, struct buf *out, struct err *e)
{
	cbor_put_map(out, 12);
	put_bytes(out, 1, q->id, sizeof(q->id));
	put_uint(out, 2, q->step);
	put_uint(out, 3, q->holder_kind);
	put_text(out, 4, q->holder);
	put_text(out, 5, q->purpose);
	put_text(out, 6, q->terminal);
	put_text(out, 7, q->officer);
	put_bytes(out, 8, q->request, sizeof(q->request));
	put_text(out, 9, q->kind);
	put_uint(out, 10, q->quantity);
	put_text(out, 11, q->reference);
	put_text(out, 12, q->redemption);
	return buf_ok(out, "account query", e);
}

static bool step_is_whole(const struct account_query *q, struct err *e)
{
	bool holder = q->holder_kind != 0 && q->holder[0] != '\0', named = q->redemption[0] != '\0';
	bool bought = q->kind[0] != '\0' && q->quantity > 0 && q->reference[0] != '\0';
	bool whole = false;
	switch (q->step) {
	case ACCOUNT_SHOW: whole = holder; break;
	case ACCOUNT_REDEEM: whole = holder && bought; break;
	case ACCOUNT_POST:
	case ACCOUNT_VOID: whole = named; break;
	}
	return (whole && q->purpose[0] != '\0' && q->terminal[0] != '\0' && q->officer[0] != '\0') ||
	       err_set(e, ERR_INPUT, "account query: what this step needs is missing");
}

bool account_query_decode(struct bytes data, struct account_query *q, struct err *e)
{
	struct cbor c = cbor_over(data);
	uint64_t step = 0, kind = 0;
	memset(q, 0, sizeof(*q));
	if (!cbor_expect_map(&c, 12, e) || !cbor_key_bytes_exact(&c, 1, q->id, sizeof(q->id), e) ||
	    !cbor_key_uint(&c, 2, ACCOUNT_STEP_LAST, &step, e) ||
	    !cbor_key_uint(&c, 3, IDENTIFIER_PARTY_LAST, &kind, e) ||
	    !cbor_key_string(&c, 4, q->holder, sizeof(q->holder), e) ||
	    !cbor_key_string(&c, 5, q->purpose, sizeof(q->purpose), e) ||
	    !cbor_key_string(&c, 6, q->terminal, sizeof(q->terminal), e) ||
	    !cbor_key_string(&c, 7, q->officer, sizeof(q->officer), e) ||
	    !cbor_key_bytes_exact(&c, 8, q->request, sizeof(q->request), e) ||
	    !cbor_key_string(&c, 9, q->kind, sizeof(q->kind), e) ||
	    !cbor_key_uint(&c, 10, INT32_MAX, &q->quantity, e) ||
	    !cbor_key_string(&c, 11, q->reference, sizeof(q->reference), e) ||
	    !cbor_key_string(&c, 12, q->redemption, sizeof(q->redemption), e) || !cbor_end(&c, e))
		return err_wrap(e, "account query");
	q->step = (enum account_step)step;
	q->holder_kind = (enum identifier_kind)kind;
	return step_is_whole(q, e);
}

/* --- the answer --- */

static void offer_put(const struct account_offer *o, struct buf *out)
{
	cbor_put_map(out, 7);
	put_text(out, 1, o->kind);
	put_text(out, 2, o->zh);
	put_text(out, 3, o->en);
	put_text(out, 4, o->unit);
	put_uint(out, 5, o->points);
	put_uint(out, 6, o->per);
	put_uint(out, 7, o->left);
}

static bool offer_get(struct cbor *c, struct account_offer *o, struct err *e)
{
	return cbor_expect_map(c, 7, e) && cbor_key_string(c, 1, o->kind, sizeof(o->kind), e) &&
	       cbor_key_string(c, 2, o->zh, sizeof(o->zh), e) && cbor_key_string(c, 3, o->en, sizeof(o->en), e) &&
	       cbor_key_string(c, 4, o->unit, sizeof(o->unit), e) && cbor_key_uint(c, 5, INT64_MAX, &o->points, e) &&
	       cbor_key_uint(c, 6, INT64_MAX, &o->per, e) && cbor_key_uint(c, 7, INT64_MAX, &o->left, e);
}

/* map 1 points · 2 held · 3 expiring · 4 on which day · 5 accounts · 6 level, Chinese · 7 English · 8 offers */
static void standing_put(const struct account_answer *a, struct buf *out)
{
	cbor_put_map(out, 8);
	put_uint(out, 1, a->points);
	put_uint(out, 2, a->pending);
	put_uint(out, 3, a->expiring);
	cbor_put_uint(out, 4);
	cbor_put_int(out, a->expires_day);
	put_uint(out, 5, a->accounts);
	put_text(out, 6, a->level_zh);
	put_text(out, 7, a->level_en);
	cbor_put_uint(out, 8);
	cbor_put_array(out, a->offers_len);
	for (size_t i = 0; i < a->offers_len; i++)
		offer_put(&a->offers[i], out);
}

static bool standing_get(struct cbor *c, struct account_answer *a, struct err *e)
{
	bool ok = cbor_expect_map(c, 8, e) && cbor_key_uint(c, 1, INT64_MAX, &a->points, e) &&
		  cbor_key_uint(c, 2, INT64_MAX, &a->pending, e) && cbor_key_uint(c, 3, INT64_MAX, &a->expiring, e) &&
		  cbor_key_time(c, 4, &a->expires_day, e) && cbor_key_uint(c, 5, INT32_MAX, &a->accounts, e) &&
		  cbor_key_string(c, 6, a->level_zh, sizeof(a->level_zh), e) &&
		  cbor_key_string(c, 7, a->level_en, sizeof(a->level_en), e) &&
		  cbor_key_array(c, 8, ACCOUNT_OFFERS_MAX, &a->offers_len, e);
	for (size_t i = 0; ok && i < a->offers_len; i++)
		ok = offer_get(c, &a->offers[i], e);
	return ok;
}

static void redemption_put(const struct account_answer *a, struct buf *out)
{
	cbor_put_map(out, 12);
	put_text(out, 1, a->redemption);
	put_text(out, 2, a->state);
	put_text(out, 3, a->state_zh);
	put_text(out, 4, a->kind);
	put_text(out, 5, a->unit);
	put_text(out, 6, a->reference);
	put_uint(out, 7, a->quantity);
	put_uint(out, 8, a->cost);
	put_uint(out, 9, a->posted_quantity);
	put_uint(out, 10, a->posted_points);
	cbor_put_uint(out, 11);
	cbor_put_int(out, a->made_s);
	cbor_put_uint(out, 12);
	cbor_put_int(out, a->expires_s);
}

static bool redemption_get(struct cbor *c, struct account_answer *a, struct err *e)
{
	return cbor_expect_map(c, 12, e) && cbor_key_string(c, 1, a->redemption, sizeof(a->redemption), e) &&
	       cbor_key_string(c, 2, a->state, sizeof(a->state), e) &&
	       cbor_key_string(c, 3, a->state_zh, sizeof(a->state_zh), e) &&
	       cbor_key_string(c, 4, a->kind, sizeof(a->kind), e) &&
	       cbor_key_string(c, 5, a->unit, sizeof(a->unit), e) &&
	       cbor_key_string(c, 6, a->reference, sizeof(a->reference), e) &&
	       cbor_key_uint(c, 7, INT64_MAX, &a->quantity, e) && cbor_key_uint(c, 8, INT64_MAX, &a->cost, e) &&
	       cbor_key_uint(c, 9, INT64_MAX, &a->posted_quantity, e) &&
	       cbor_key_uint(c, 10, INT64_MAX, &a->posted_points, e) && cbor_key_time(c, 11, &a->made_s, e) &&
	       cbor_key_time(c, 12, &a->expires_s, e);
}

/* map 1 id · 2 step · 3 the standard's version · 4 the account, or the redemption */
bool account_answer_encode(const struct account_answer *a, struct buf *out, struct err *e)
{
	cbor_put_map(out, 4);
	put_bytes(out, 1, a->id, sizeof(a->id));
	put_uint(out, 2, a->step);
	put_uint(out, 3, a->rules_version);
	cbor_put_uint(out, 4);
	if (a->step == ACCOUNT_SHOW)
		standing_put(a, out);
	else
		redemption_put(a, out);
	return buf_ok(out, "account", e);
}

bool account_answer_decode(struct bytes data, struct account_answer *a, struct err *e)
{
	struct cbor c = cbor_over(data);
	uint64_t step = 0, key = 0;
	memset(a, 0, sizeof(*a));
	if (!cbor_expect_map(&c, 4, e) || !cbor_key_bytes_exact(&c, 1, a->id, sizeof(a->id), e) ||
	    !cbor_key_uint(&c, 2, ACCOUNT_STEP_LAST, &step, e) ||
	    !cbor_key_uint(&c, 3, INT64_MAX, &a->rules_version, e) || !cbor_get_uint_max(&c, 4, &key, e))
		return err_wrap(e, "account");
	a->step = (enum account_step)step;
	if (key != 4 || step == 0)
		return err_set(e, ERR_INPUT, "account: not what was asked for");
	if (!(a->step == ACCOUNT_SHOW ? standing_get(&c, a, e) : redemption_get(&c, a, e)) || !cbor_end(&c, e))
		return err_wrap(e, "account");
	return true;
}
