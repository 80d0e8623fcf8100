#include "firmware/sync_state.h"

#include <string.h>

bool ask_query(struct sync *s, enum query_type type, const uint8_t id[16], struct bytes body)
{
	struct query q = { .type = type, .body = body };
	struct buf out;
	memcpy(q.id, id, sizeof(q.id));
	buf_init(&out, MQTT_PACKET_MAX);
	bool ok = query_encode(&q, &out, NULL) && sync_publish(s, "query", buf_bytes(&out));
	buf_clear(&out);
	return ok;
}

bool ask_reply_open(const struct sync *s, const char *what, const struct reply *r, struct buf *plain, struct err *e)
{
	const struct sync_identity *i = &s->config.identity;
	return sealed_get(i->seal_scalar, i->seal_point, what, i->branch, r->body, plain, e);
}

bool ask_send(struct sync *s, enum query_type type, struct bytes body)
{
	uint8_t id[16];
	s->config.random->fill(s->config.random->arg, id, sizeof(id));
	if (!ask_query(s, type, id, body))
		return false;
	memcpy(s->asks[type].id, id, sizeof(id));
	s->asks[type].is_open = true;
	return true;
}

/* Should it not go out, the wait for the chunks ends and asks again. */
void ask_object(struct sync *s, const uint8_t hash[HASH_LEN], int64_t first, uint32_t count)
{
	struct buf body;
	buf_init(&body, 64);
	if (!query_object_encode(hash, first, count, &body, NULL) || !ask_send(s, QUERY_OBJECT, buf_bytes(&body)))
		s->asks[QUERY_OBJECT].is_open = false;
	buf_clear(&body);
}

static void reply_object(struct sync *s, const struct reply *r)
{
	struct fetch *f = &s->fetch;
	/* Busy or in trouble: the wait goes on. Unknown to central: waiting is in vain. */
	if (f->active && r->status == ERR_MISSING && f->err.code == ERR_NONE)
		err_set(&f->err, ERR_MISSING, "central does not have it: %.150s", r->text);
}

static void reply_ack(struct sync *s, const struct reply *r)
{
	struct err e = { 0 };
	if (r->status == ERR_NONE)
		return;
	err_set(&e, r->status, "%.200s", r->text);
	sync_note(s, "journal", &e);
}

void ask_reply(struct sync *s, struct bytes payload)
{
	struct reply r;
	struct err e = { 0 };
	if (!reply_decode(payload, &r, &e)) {
		sync_note(s, "reply", &e);
		return;
	}
	if (bodies_take_reply(s, &r) || inquiries_take_reply(s, &r) || accounts_take_reply(s, &r))
		return;
	for (size_t type = QUERY_EPOCH_KEY; type <= QUERY_ACK; type++) {
		struct ask *a = &s->asks[type];
		if (!a->is_open || memcmp(a->id, r.id, sizeof(r.id)) != 0)
			continue;
		a->is_open = false;
		if (type == QUERY_EPOCH_KEY)
			step_key(s, &r);
		else if (type == QUERY_OBJECT)
			reply_object(s, &r);
		else
			reply_ack(s, &r);
		return;
	}
}
