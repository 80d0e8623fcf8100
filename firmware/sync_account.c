/*
 * Carbon accounts from central: a question sealed, said again under its id until an answer comes, and an answer that only this branch can
 * open. Central takes what it hears twice as one.
 */
#include "firmware/sync_state.h"

#include <stdio.h>
#include <string.h>

#define AGAIN_MS 2500

/* What the line does not take now goes out with the next wait. */
static void account_send(struct sync *s, struct asked_account *a)
{
	struct buf plain, body;
	struct err e = { 0 };
	a->again_ms = s->now_ms + AGAIN_MS;
	buf_init(&plain, QUERY_BODY_MAX);
	buf_init(&body, QUERY_BODY_MAX);
	if (account_query_encode(&a->query, &plain, &e) &&
	    sealed_put(s->config.identity.central_seal_key, s->config.random, ACCOUNT_QUERY_CONTEXT,
		       s->config.identity.branch, buf_bytes(&plain), &body, &e))
		(void)ask_query(s, QUERY_ACCOUNT, a->query.id, buf_bytes(&body));
	else
		sync_note(s, "account", &e);
	buf_wipe(&plain);
	buf_clear(&body);
}

static void asked_end(struct asked_account *a, const struct account_answer *answer, const struct err *why)
{
	sync_account_done *done = a->done;
	void *arg = a->arg;
	explicit_bzero(a, sizeof(*a));
	done(arg, answer, why);
}

static void asked_fail(struct asked_account *a, enum err_code code, const char *text)
{
	struct err e = { 0 };
	(void)err_set(&e, code, "%.190s", text);
	asked_end(a, NULL, &e);
}

bool sync_ask_account(struct sync *s, const struct account_query *q, int64_t now_ms, sync_account_done *done,
		      void *arg, struct err *e)
{
	struct asked_account *a = NULL;
	s->now_ms = now_ms;
	for (size_t i = 0; i < SYNC_ACCOUNTS_MAX && a == NULL; i++)
		a = s->accounts[i].done == NULL ? &s->accounts[i] : NULL;
	if (!s->info.up)
		return err_set(e, ERR_IO, "the line is down");
	if (a == NULL)
		return err_set(e, ERR_FULL, "%d questions are open", SYNC_ACCOUNTS_MAX);
	*a = (struct asked_account){
		.query = *q, .until_ms = now_ms + SYNC_ACCOUNT_WAIT_MS, .done = done, .arg = arg
	};
	s->config.random->fill(s->config.random->arg, a->query.id, sizeof(a->query.id));
	account_send(s, a);
	return true;
}

void sync_forget_account(struct sync *s, const void *arg)
{
	for (size_t i = 0; i < SYNC_ACCOUNTS_MAX; i++)
		if (s->accounts[i].done != NULL && s->accounts[i].arg == arg)
			explicit_bzero(&s->accounts[i], sizeof(s->accounts[i]));
}

static bool answer_open(struct sync *s, const struct asked_account *a, const struct reply *r,
			struct account_answer *answer, struct err *e)
{
	struct buf plain;
	buf_init(&plain, MQTT_PACKET_MAX);
	bool ok = ask_reply_open(s, ACCOUNT_REPLY_CONTEXT, r, &plain, e) &&
		  account_answer_decode(buf_bytes(&plain), answer, e);
	buf_wipe(&plain);
	return ok && ((memcmp(answer->id, r->id, sizeof(r->id)) == 0 && answer->step == a->query.step) ||
		      err_set(e, ERR_INPUT, "the answer is another question's"));
}

static void answer_take(struct sync *s, struct asked_account *a, const struct reply *r)
{
	struct account_answer answer = { 0 };
	struct err e = { 0 };
	if (r->status != ERR_NONE)
		asked_fail(a, r->status, r->text);
	else if (!answer_open(s, a, r, &answer, &e))
		asked_fail(a, ERR_IO, e.text); /* refused is central's word alone */
	else
		asked_end(a, &answer, NULL);
	explicit_bzero(&answer, sizeof(answer));
}

bool accounts_take_reply(struct sync *s, const struct reply *r)
{
	for (size_t i = 0; i < SYNC_ACCOUNTS_MAX; i++) {
		struct asked_account *a = &s->accounts[i];
		if (a->done == NULL || memcmp(a->query.id, r->id, sizeof(r->id)) != 0)
			continue;
		answer_take(s, a, r);
		return true;
	}
	return false;
}

/* Whoever waits is told at once. */
void accounts_down(struct sync *s)
{
	for (size_t i = 0; i < SYNC_ACCOUNTS_MAX; i++)
		if (s->accounts[i].done != NULL)
			asked_fail(&s->accounts[i], ERR_IO, "the line went down");
}

void accounts_free(struct sync *s)
{
	explicit_bzero(s->accounts, sizeof(s->accounts));
}

int64_t accounts_run(struct sync *s)
{
	int64_t due_ms = SYNC_NEVER;
	for (size_t i = 0; i < SYNC_ACCOUNTS_MAX; i++) {
		struct asked_account *a = &s->accounts[i];
		if (a->done != NULL && s->now_ms >= a->until_ms)
			asked_fail(a, ERR_IO, "central did not answer in time");
		if (a->done == NULL)
			continue;
		if (s->now_ms >= a->again_ms)
			account_send(s, a);
		int64_t next_ms = a->again_ms < a->until_ms ? a->again_ms : a->until_ms;
		due_ms = next_ms < due_ms ? next_ms : due_ms;
	}
	return due_ms;
}
