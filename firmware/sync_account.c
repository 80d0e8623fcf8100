/* Carbon accounts from central: a question sealed, said again until it is answered, and an answer that only this branch can open. */
#include "firmware/sync_state.h"

#include <stdio.h>
#include <string.h>

static struct bytes context_of(const struct sync *s, const char *what, char text[96])
{
	snprintf(text, 96, "%s%s", what, s->config.identity.branch);
	return bytes_of(text);
}

/* The whole query, ready to be said as often as needed. */
static bool message_make(struct sync *s, const struct account_query *q, struct buf *out, struct err *e)
{
	char context[96];
	struct buf plain, sealed, body;
	struct query query = { .type = QUERY_ACCOUNT };
	memcpy(query.id, q->id, sizeof(query.id));
	buf_init(&plain, QUERY_BODY_MAX);
	buf_init(&sealed, QUERY_BODY_MAX);
	buf_init(&body, QUERY_BODY_MAX);
	bool ok = account_query_encode(q, &plain, e) &&
		  seal_to(s->config.identity.central_seal_key, s->config.random,
			  context_of(s, ACCOUNT_QUERY_CONTEXT, context), buf_bytes(&plain), &sealed, e);
	if (ok) {
		cbor_put_bytes(&body, buf_bytes(&sealed));
		query.body = buf_bytes(&body);
		ok = buf_ok(&body, "query", e) && query_encode(&query, out, e);
	}
	buf_wipe(&plain);
	buf_clear(&sealed);
	buf_clear(&body);
	return ok;
}

static void asked_clear(struct asked_account *a)
{
	buf_clear(&a->message);
	*a = (struct asked_account){ 0 };
}

bool sync_ask_account(struct sync *s, struct account_query *q, int64_t now_ms, sync_account_done *done, void *arg,
		      struct err *e)
{
	struct asked_account *a = NULL;
	s->now_ms = now_ms;
	for (size_t i = 0; i < SYNC_ACCOUNTS_MAX && a == NULL; i++)
		a = s->accounts[i].done == NULL ? &s->accounts[i] : NULL;
	if (!s->info.up)
		return err_set(e, ERR_IO, "the line is down");
	if (a == NULL)
		return err_set(e, ERR_FULL, "%d questions are open", SYNC_ACCOUNTS_MAX);
	s->config.random->fill(s->config.random->arg, q->id, sizeof(q->id));
	*a = (struct asked_account){ .step = q->step,
				     .until_ms = now_ms + SYNC_ACCOUNT_WAIT_MS,
				     .again_ms = now_ms + SYNC_ACCOUNT_AGAIN_MS };
	memcpy(a->id, q->id, sizeof(a->id));
	buf_init(&a->message, MQTT_PACKET_MAX);
	if (!message_make(s, q, &a->message, e) || (!sync_publish(s, "query", buf_bytes(&a->message)) &&
						    !err_set(e, ERR_IO, "the line takes nothing now"))) {
		asked_clear(a);
		return false;
	}
	a->done = done;
	a->arg = arg;
	return true;
}

void sync_forget_account(struct sync *s, const void *arg)
{
	for (size_t i = 0; i < SYNC_ACCOUNTS_MAX; i++)
		if (s->accounts[i].done != NULL && s->accounts[i].arg == arg)
			asked_clear(&s->accounts[i]);
}

static void asked_end(struct asked_account *a, const struct account_answer *answer, const struct err *why)
{
	sync_account_done *done = a->done;
	void *arg = a->arg;
	asked_clear(a);
	done(arg, answer, why);
}

static bool reply_open(struct sync *s, const struct asked_account *a, const struct reply *r,
		       struct account_answer *answer, struct err *e)
{
	struct cbor c = cbor_over(r->body);
	struct bytes sealed;
	struct buf plain;
	char context[96];
	buf_init(&plain, MQTT_PACKET_MAX);
	bool ok = cbor_get_bytes(&c, &sealed, e) && cbor_end(&c, e) &&
		  seal_open(s->config.identity.seal_scalar, s->config.identity.seal_point,
			    context_of(s, ACCOUNT_REPLY_CONTEXT, context), sealed, &plain, e) &&
		  account_answer_decode(buf_bytes(&plain), answer, e);
	buf_wipe(&plain);
	return ok && ((memcmp(answer->id, r->id, sizeof(r->id)) == 0 && answer->step == a->step) ||
		      err_set(e, ERR_INPUT, "the answer is another question's"));
}

bool accounts_take_reply(struct sync *s, const struct reply *r)
{
	struct err e = { .code = r->status };
	struct account_answer answer;
	for (size_t i = 0; i < SYNC_ACCOUNTS_MAX; i++) {
		struct asked_account *a = &s->accounts[i];
		if (a->done == NULL || memcmp(a->id, r->id, sizeof(r->id)) != 0)
			continue;
		snprintf(e.text, sizeof(e.text), "%.199s", r->text);
		bool ok = r->status == ERR_NONE && reply_open(s, a, r, &answer, &e);
		/* An answer that cannot be read is none of central's words. */
		if (!ok && r->status == ERR_NONE)
			e.code = ERR_IO;
		asked_end(a, ok ? &answer : NULL, &e);
		explicit_bzero(&answer, sizeof(answer));
		return true;
	}
	return false;
}

/* Whoever waits is told at once. */
void accounts_down(struct sync *s)
{
	struct err e = { 0 };
	(void)err_set(&e, ERR_IO, "the line went down");
	for (size_t i = 0; i < SYNC_ACCOUNTS_MAX; i++)
		if (s->accounts[i].done != NULL)
			asked_end(&s->accounts[i], NULL, &e);
}

/* Nobody is told. */
void accounts_free(struct sync *s)
{
	for (size_t i = 0; i < SYNC_ACCOUNTS_MAX; i++)
		if (s->accounts[i].done != NULL)
			asked_clear(&s->accounts[i]);
}

int64_t accounts_run(struct sync *s)
{
	int64_t due_ms = SYNC_NEVER;
	struct err e = { 0 };
	(void)err_set(&e, ERR_IO, "central did not answer in time");
	for (size_t i = 0; i < SYNC_ACCOUNTS_MAX; i++) {
		struct asked_account *a = &s->accounts[i];
		if (a->done != NULL && s->now_ms >= a->until_ms)
			asked_end(a, NULL, &e);
		if (a->done == NULL)
			continue;
		if (s->now_ms >= a->again_ms) {
			(void)sync_publish(s, "query", buf_bytes(&a->message)); /* or the next time */
			a->again_ms = s->now_ms + SYNC_ACCOUNT_AGAIN_MS;
		}
		int64_t next_ms = a->again_ms < a->until_ms ? a->again_ms : a->until_ms;
		due_ms = next_ms < due_ms ? next_ms : due_ms;
	}
	return due_ms;
}
