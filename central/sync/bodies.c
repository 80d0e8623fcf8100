/* Certificates' bodies for a branch that asks: opened from what it sealed to central, sealed to it again. */
#include "central/registry/holdings.h"
#include "central/sync/inner.h"

#include <stdio.h>
#include <string.h>

static struct bytes context_of(const char *what, const struct branch *b, char text[96])
{
	snprintf(text, 96, "%s%s", what, b->name);
	return bytes_of(text);
}

static bool query_open(struct central_sync *s, const struct branch *b, const struct query *q, struct body_query *out,
		       struct err *e)
{
	struct cbor c = cbor_over(q->body);
	struct bytes sealed;
	struct buf plain;
	char context[96];
	buf_init(&plain, QUERY_BODY_MAX);
	bool ok = cbor_get_bytes(&c, &sealed, e) && cbor_end(&c, e) &&
		  seal_open(s->config.seal_scalar, s->config.seal_point, context_of(BODY_QUERY_CONTEXT, b, context),
			    sealed, &plain, e) &&
		  body_query_decode(buf_bytes(&plain), out, e);
	if (ok && memcmp(out->id, q->id, sizeof(q->id)) != 0)
		ok = err_set(e, ERR_DENIED, "the question was sealed for another query");
	buf_wipe(&plain);
	return ok;
}

static bool answer_seal(struct central_sync *s, const struct branch *b, const char *what, const struct buf *plain,
			struct buf *out, struct err *e)
{
	struct buf sealed;
	char context[96];
	buf_init(&sealed, MQTT_PACKET_MAX);
	bool ok = seal_to(b->seal_key, s->config.release->random, context_of(what, b, context), buf_bytes(plain),
			  &sealed, e);
	if (ok)
		cbor_put_bytes(out, buf_bytes(&sealed));
	buf_clear(&sealed);
	return ok && buf_ok(out, "the answer", e);
}

bool sync_certificate(struct central_sync *s, const struct branch *b, const struct query *q, struct instant now,
		      struct buf *out, struct err *e)
{
	struct body_query asked;
	struct buf plain;
	buf_init(&plain, MQTT_PACKET_MAX);
	bool ok = query_open(s, b, q, &asked, e) &&
		  holdings_answer(s->config.release, b->name, &asked, now.s, &plain, e) &&
		  answer_seal(s, b, BODY_REPLY_CONTEXT, &plain, out, e);
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
		  answer_seal(s, b, BODY_PREFETCH_CONTEXT, &plain, out, e);
	buf_wipe(&plain);
	return ok;
}
