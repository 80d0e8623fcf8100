#include "protocol/body.h"

#include <string.h>

static bool kind_get(struct cbor *c, uint64_t key, enum identifier_kind *kind, struct err *e)
{
	uint64_t v;
	if (!cbor_key_uint(c, key, IDENTIFIER_KIND_LAST, &v, e))
		return false;
	*kind = (enum identifier_kind)v;
	return v != 0 || err_set(e, ERR_INPUT, "a holder of kind 0");
}

bool body_query_encode(const struct body_query *q, struct buf *out, struct err *e)
{
	cbor_put_map(out, 6);
	cbor_put_uint(out, 1);
	cbor_put_bytes(out, (struct bytes){ q->id, sizeof(q->id) });
	cbor_put_uint(out, 2);
	cbor_put_uint(out, q->holder_kind);
	cbor_put_uint(out, 3);
	cbor_put_text(out, q->holder);
	cbor_put_uint(out, 4);
	cbor_put_text(out, q->type);
	cbor_put_uint(out, 5);
	cbor_put_text(out, q->purpose);
	cbor_put_uint(out, 6);
	cbor_put_text(out, q->terminal);
	return buf_ok(out, "certificate query", e);
}

bool body_query_decode(struct bytes data, struct body_query *q, struct err *e)
{
	struct cbor c = cbor_over(data);
	memset(q, 0, sizeof(*q));
	if (!cbor_expect_map(&c, 6, e) || !cbor_key_bytes_exact(&c, 1, q->id, sizeof(q->id), e) ||
	    !kind_get(&c, 2, &q->holder_kind, e) || !cbor_key_string(&c, 3, q->holder, sizeof(q->holder), e) ||
	    !cbor_key_string(&c, 4, q->type, sizeof(q->type), e) ||
	    !cbor_key_string(&c, 5, q->purpose, sizeof(q->purpose), e) ||
	    !cbor_key_string(&c, 6, q->terminal, sizeof(q->terminal), e) || !cbor_end(&c, e))
		return err_wrap(e, "certificate query");
	return true;
}

void body_put(const struct body *b, struct buf *out)
{
	cbor_put_array(out, 6);
	cbor_put_bytes(out, b->cose);
	cbor_put_text(out, b->media_type);
	if (b->file.data != NULL)
		cbor_put_bytes(out, b->file);
	else
		cbor_put_null(out);
	cbor_put_bool(out, b->file_left_out);
	if (b->consent_to_s == INT64_MAX)
		cbor_put_null(out);
	else
		cbor_put_int(out, b->consent_to_s);
	cbor_put_uint(out, b->status);
}

static bool is_null(const struct cbor *c)
{
	enum cbor_type t;
	return cbor_peek(c, &t) && t == CBOR_NULL;
}

bool body_get(struct cbor *c, struct body *b, struct err *e)
{
	uint64_t status;
	memset(b, 0, sizeof(*b));
	if (!cbor_expect_array(c, 6, e) || !cbor_get_bytes(c, &b->cose, e) ||
	    !cbor_get_string(c, b->media_type, sizeof(b->media_type), e) ||
	    !(is_null(c) ? cbor_get_null(c, e) : cbor_get_bytes(c, &b->file, e)) ||
	    !cbor_get_bool(c, &b->file_left_out, e))
		return false;
	b->consent_to_s = INT64_MAX;
	if (!(is_null(c) ? cbor_get_null(c, e) : cbor_get_time(c, &b->consent_to_s, e)) ||
	    !cbor_get_uint_max(c, ECERT_STATUS_LAST, &status, e))
		return false;
	b->status = (enum ecert_status)status;
	if (b->cose.len == 0 || b->cose.len > ECERT_COSE_MAX || b->file.len > BODY_FILE_MAX)
		return err_set(e, ERR_INPUT, "a body of %zu and %zu bytes", b->cose.len, b->file.len);
	return true;
}

bool body_reply_encode(const struct body_reply *r, struct buf *out, struct err *e)
{
	cbor_put_map(out, 3);
	cbor_put_uint(out, 1);
	cbor_put_bytes(out, (struct bytes){ r->id, sizeof(r->id) });
	cbor_put_uint(out, 2);
	cbor_put_bool(out, r->more);
	cbor_put_uint(out, 3);
	cbor_put_array(out, r->bodies_len);
	for (size_t i = 0; i < r->bodies_len; i++)
		body_put(&r->bodies[i], out);
	return buf_ok(out, "certificate reply", e);
}

bool body_reply_decode(struct bytes data, struct body_reply *r, struct err *e)
{
	struct cbor c = cbor_over(data);
	memset(r, 0, sizeof(*r));
	if (!cbor_expect_map(&c, 3, e) || !cbor_key_bytes_exact(&c, 1, r->id, sizeof(r->id), e) ||
	    !cbor_key_bool(&c, 2, &r->more, e) || !cbor_key_array(&c, 3, BODIES_MAX, &r->bodies_len, e))
		return err_wrap(e, "certificate reply");
	for (size_t i = 0; i < r->bodies_len; i++)
		if (!body_get(&c, &r->bodies[i], e))
			return err_wrap(e, "certificate reply: body %zu", i);
	return cbor_end(&c, e) || err_wrap(e, "certificate reply");
}

/* none: 3 fields · put: holder's kind, holder, type, purpose, body behind them · erase: identity */
bool prefetch_item_encode(const struct prefetch_item *p, struct buf *out, struct err *e)
{
	cbor_put_map(out, p->kind == PREFETCH_PUT ? 8 : p->kind == PREFETCH_ERASE ? 4 : 3);
	cbor_put_uint(out, 1);
	cbor_put_bytes(out, (struct bytes){ p->id, sizeof(p->id) });
	cbor_put_uint(out, 2);
	cbor_put_uint(out, p->kind);
	cbor_put_uint(out, 3);
	cbor_put_uint(out, p->seq);
	if (p->kind == PREFETCH_PUT) {
		cbor_put_uint(out, 4);
		cbor_put_uint(out, p->holder_kind);
		cbor_put_uint(out, 5);
		cbor_put_text(out, p->holder);
		cbor_put_uint(out, 6);
		cbor_put_text(out, p->type);
		cbor_put_uint(out, 7);
		cbor_put_text(out, p->purpose);
		cbor_put_uint(out, 8);
		body_put(&p->body, out);
	} else if (p->kind == PREFETCH_ERASE) {
		cbor_put_uint(out, 4);
		cbor_put_text(out, p->identity);
	}
	return buf_ok(out, "prefetch", e);
}

static bool prefetch_rest(struct cbor *c, struct prefetch_item *p, struct err *e)
{
	switch (p->kind) {
	case PREFETCH_NONE: return true;
	case PREFETCH_ERASE: return cbor_key_string(c, 4, p->identity, sizeof(p->identity), e);
	case PREFETCH_PUT: break;
	}
	return kind_get(c, 4, &p->holder_kind, e) && cbor_key_string(c, 5, p->holder, sizeof(p->holder), e) &&
	       cbor_key_string(c, 6, p->type, sizeof(p->type), e) &&
	       cbor_key_string(c, 7, p->purpose, sizeof(p->purpose), e) && cbor_expect_key(c, 8, e) &&
	       body_get(c, &p->body, e);
}

bool prefetch_item_decode(struct bytes data, struct prefetch_item *p, struct err *e)
{
	static const size_t pairs[] = { [PREFETCH_NONE] = 3, [PREFETCH_PUT] = 8, [PREFETCH_ERASE] = 4 };
	struct cbor c = cbor_over(data);
	size_t found;
	uint64_t kind;
	memset(p, 0, sizeof(*p));
	if (!cbor_get_map(&c, 8, &found, e) || !cbor_key_bytes_exact(&c, 1, p->id, sizeof(p->id), e) ||
	    !cbor_key_uint(&c, 2, PREFETCH_ERASE, &kind, e) || !cbor_key_uint(&c, 3, COUNTER_MAX, &p->seq, e))
		return err_wrap(e, "prefetch");
	p->kind = (enum prefetch_kind)kind;
	if (found != pairs[kind])
		return err_set(e, ERR_INPUT, "prefetch: %zu fields", found);
	return (prefetch_rest(&c, p, e) && cbor_end(&c, e)) || err_wrap(e, "prefetch");
}

bool down_command_encode(enum down_command c, struct buf *out, struct err *e)
{
	cbor_put_uint(out, c);
	return buf_ok(out, "command", e);
}

bool down_command_decode(struct bytes data, enum down_command *c, struct err *e)
{
	struct cbor in = cbor_over(data);
	uint64_t v;
	if (!cbor_get_uint_max(&in, COMMAND_PREFETCH, &v, e) || !cbor_end(&in, e))
		return err_wrap(e, "command");
	*c = (enum down_command)v;
	return v != 0 || err_set(e, ERR_INPUT, "command 0");
}
