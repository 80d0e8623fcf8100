/* Customers' carbon accounts for a branch that asks: opened from what it sealed to central, answered by central/carbon, sealed to it again. */
#include "central/carbon/counter.h"
#include "central/sync/inner.h"

#include <stdio.h>
#include <string.h>

static struct bytes context_of(const char *what, const struct branch *b, char text[96])
{
	snprintf(text, 96, "%s%s", what, b->name);
	return bytes_of(text);
}

static bool question_open(struct central_sync *s, const struct branch *b, const struct query *q,
			  struct account_query *out, struct err *e)
{
	struct cbor c = cbor_over(q->body);
	struct bytes sealed;
	struct buf plain;
	char context[96];
	buf_init(&plain, QUERY_BODY_MAX);
	bool ok = cbor_get_bytes(&c, &sealed, e) && cbor_end(&c, e) &&
		  seal_open(s->config.seal_scalar, s->config.seal_point,
			    context_of(ACCOUNT_QUERY_CONTEXT, b, context), sealed, &plain, e) &&
		  account_query_decode(buf_bytes(&plain), out, e);
	if (ok && memcmp(out->id, q->id, sizeof(q->id)) != 0)
		ok = err_set(e, ERR_DENIED, "the question was sealed for another query");
	buf_wipe(&plain);
	return ok;
}

static bool answer_make(struct central_sync *s, const struct branch *b, const struct account_query *q,
			struct instant now, struct account_answer *a, struct err *e)
{
	struct carbon c = { .release = s->config.release, .operator= "", .now_s = now.s };
	if (s->config.ledger == NULL)
		return err_set(e, ERR_IO, "this central has no ledger");
	c.ledger = s->config.ledger(s->config.ledger_arg, &c.ledger_path, e);
	return c.ledger != NULL && counter_answer(&c, b->name, q, a, e);
}

bool sync_account(struct central_sync *s, const struct branch *b, const struct query *q, struct instant now,
		  struct buf *out, struct err *e)
{
	struct account_query asked = { 0 };
	struct account_answer a;
	struct buf plain, sealed;
	char context[96];
	buf_init(&plain, MQTT_PACKET_MAX);
	buf_init(&sealed, MQTT_PACKET_MAX);
	bool ok = question_open(s, b, q, &asked, e) && answer_make(s, b, &asked, now, &a, e) &&
		  account_answer_encode(&a, &plain, e) &&
		  seal_to(b->seal_key, s->config.release->random, context_of(ACCOUNT_REPLY_CONTEXT, b, context),
			  buf_bytes(&plain), &sealed, e);
	if (ok)
		cbor_put_bytes(out, buf_bytes(&sealed));
	explicit_bzero(&asked, sizeof(asked));
	buf_wipe(&plain);
	buf_clear(&sealed);
	return ok && buf_ok(out, "the answer", e);
}
