/* Customers' carbon accounts for a branch that asks: opened from what it sealed to central, answered by central/carbon, sealed to it again. */
#include "central/carbon/counter.h"
#include "central/sync/inner.h"

#include <string.h>

static bool question_open(struct central_sync *s, const struct branch *b, const struct query *q,
			  struct account_query *out, struct err *e)
{
	struct buf plain;
	buf_init(&plain, QUERY_BODY_MAX);
	bool ok = sync_question_open(s, b, ACCOUNT_QUERY_CONTEXT, q, &plain, e) &&
		  account_query_decode(buf_bytes(&plain), out, e) && sync_question_is(q, out->id, e);
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
	struct account_answer a = { 0 };
	struct buf plain;
	buf_init(&plain, MQTT_PACKET_MAX);
	bool ok = question_open(s, b, q, &asked, e) && answer_make(s, b, &asked, now, &a, e) &&
		  account_answer_encode(&a, &plain, e) &&
		  sync_answer_seal(s, b, ACCOUNT_REPLY_CONTEXT, &plain, out, e);
	explicit_bzero(&asked, sizeof(asked));
	explicit_bzero(&a, sizeof(a));
	buf_wipe(&plain);
	return ok;
}
