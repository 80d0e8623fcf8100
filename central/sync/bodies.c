/* Certificates' bodies for a branch that asks: opened from what it sealed to central, sealed to it again. */
#include "central/registry/holdings.h"
#include "central/sync/inner.h"

#include <string.h>

static bool query_open(struct central_sync *s, const struct branch *b, const struct query *q, struct body_query *out,
		       struct err *e)
{
	struct buf plain;
	buf_init(&plain, QUERY_BODY_MAX);
	bool ok = sync_question_open(s, b, BODY_QUERY_CONTEXT, q, &plain, e) &&
		  body_query_decode(buf_bytes(&plain), out, e) && sync_question_is(q, out->id, e);
	buf_wipe(&plain);
	return ok;
}

bool sync_certificate(struct central_sync *s, const struct branch *b, const struct query *q, struct instant now,
		      struct buf *out, struct err *e)
{
	struct body_query asked;
	struct buf plain;
	buf_init(&plain, MQTT_PACKET_MAX);
	bool ok = query_open(s, b, q, &asked, e) &&
		  holdings_answer(s->config.release, b->name, &asked, now.s, &plain, e) &&
		  sync_answer_seal(s, b, BODY_REPLY_CONTEXT, &plain, out, e);
	explicit_bzero(&asked, sizeof(asked));
	buf_wipe(&plain);
	return ok;
}

bool sync_prefetch(struct central_sync *s, const struct branch *b, const struct query *q, struct instant now,
		   struct buf *out, struct err *e)
{
	struct cbor c = cbor_over(q->body);
	uint64_t after = 0;
	struct buf plain;
	buf_init(&plain, MQTT_PACKET_MAX);
	bool ok = cbor_get_uint_max(&c, INT64_MAX, &after, e) && cbor_end(&c, e) &&
		  holdings_prefetch(s->config.release, b->name, q->id, after, now.s, &plain, e) &&
		  sync_answer_seal(s, b, BODY_PREFETCH_CONTEXT, &plain, out, e);
	buf_wipe(&plain);
	return ok;
}
