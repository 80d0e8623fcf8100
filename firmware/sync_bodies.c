/*
 * Certificates' bodies from central: those a teller asks for, with a short time to wait, and those that central has set aside for this
 * branch, one after the other as long as there are some. Nothing of either is assumed to arrive.
 */
#include "firmware/sync_state.h"

#include "protocol/base/meta.h"

#include <stdio.h>
#include <string.h>

#define KEY_PREFETCH      "prefetch.seq"
#define PREFETCH_EVERY_MS 600000

/* --- asked for --- */

static bool query_seal(struct sync *s, const struct body_query *q, struct buf *body, struct err *e)
{
	struct buf plain;
	buf_init(&plain, QUERY_BODY_MAX);
	bool ok = body_query_encode(q, &plain, e) &&
		  sealed_put(s->config.identity.central_seal_key, s->config.random, BODY_QUERY_CONTEXT,
			     s->config.identity.branch, buf_bytes(&plain), body, e);
	buf_wipe(&plain);
	return ok;
}

bool sync_ask_bodies(struct sync *s, struct body_query *q, int64_t now_ms, sync_bodies_done *done, void *arg,
		     struct err *e)
{
	struct asked_bodies *a = NULL;
	struct buf body;
	s->now_ms = now_ms;
	for (size_t i = 0; i < SYNC_BODIES_MAX && a == NULL; i++)
		a = s->bodies[i].done == NULL ? &s->bodies[i] : NULL;
	if (!s->info.up)
		return err_set(e, ERR_IO, "the line is down");
	if (a == NULL)
		return err_set(e, ERR_FULL, "%d questions are open", SYNC_BODIES_MAX);
	s->config.random->fill(s->config.random->arg, q->id, sizeof(q->id));
	buf_init(&body, QUERY_BODY_MAX);
	bool ok = query_seal(s, q, &body, e) && (ask_query(s, QUERY_CERTIFICATE, q->id, buf_bytes(&body)) ||
						 err_set(e, ERR_IO, "the line takes nothing now"));
	buf_clear(&body);
	if (!ok)
		return false;
	*a = (struct asked_bodies){ .until_ms = now_ms + SYNC_BODIES_WAIT_MS, .done = done, .arg = arg };
	memcpy(a->id, q->id, sizeof(a->id));
	return true;
}

void sync_forget_bodies(struct sync *s, const void *arg)
{
	for (size_t i = 0; i < SYNC_BODIES_MAX; i++)
		if (s->bodies[i].done != NULL && s->bodies[i].arg == arg)
			s->bodies[i] = (struct asked_bodies){ 0 };
}

static void asked_end(struct asked_bodies *a, const struct body_reply *r, const struct err *why)
{
	struct asked_bodies ended = *a;
	*a = (struct asked_bodies){ 0 };
	ended.done(ended.arg, r, why);
}

static bool bodies_reply(struct sync *s, const struct reply *r)
{
	struct err e = { .code = r->status };
	struct buf plain;
	struct body_reply reply;
	for (size_t i = 0; i < SYNC_BODIES_MAX; i++) {
		struct asked_bodies *a = &s->bodies[i];
		if (a->done == NULL || memcmp(a->id, r->id, sizeof(r->id)) != 0)
			continue;
		snprintf(e.text, sizeof(e.text), "%.199s", r->text);
		buf_init(&plain, MQTT_PACKET_MAX);
		bool ok = r->status == ERR_NONE && ask_reply_open(s, BODY_REPLY_CONTEXT, r, &plain, &e) &&
			  body_reply_decode(buf_bytes(&plain), &reply, &e);
		if (ok && memcmp(reply.id, r->id, sizeof(r->id)) != 0)
			ok = err_set(&e, ERR_INPUT, "the answer is another question's");
		/* Refused and missing are central's words: an answer that cannot be read is neither. */
		if (!ok && r->status == ERR_NONE)
			e.code = ERR_IO;
		asked_end(a, ok ? &reply : NULL, &e);
		buf_wipe(&plain);
		return true;
	}
	return false;
}

/* --- set aside --- */

static void prefetch_ask(struct sync *s)
{
	struct prefetch *p = &s->prefetch;
	struct err e = { 0 };
	int64_t seq = 0;
	struct buf body;
	(void)!meta_get_int(s->config.db, KEY_PREFETCH, &seq, &e); /* none yet: from the beginning */
	s->config.random->fill(s->config.random->arg, p->id, sizeof(p->id));
	buf_init(&body, 16);
	cbor_put_uint(&body, seq > 0 ? (uint64_t)seq : 0);
	p->open = ask_query(s, QUERY_PREFETCH, p->id, buf_bytes(&body));
	p->due_ms = s->now_ms + sync_backoff(s, SYNC_WAIT_MS, p->tries++, SYNC_RETRY_MAX_MS);
	buf_clear(&body);
}

static bool sequence_put(struct sync *s, uint64_t seq, struct err *e)
{
	struct db *db = s->config.db;
	if (!db_begin(db, e))
		return false;
	if (meta_put_int(db, KEY_PREFETCH, (int64_t)seq, e) && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

/* An item is taken before its number is kept: a crash in between has it come again. */
static bool item_take(struct sync *s, const struct prefetch_item *i, struct err *e)
{
	int64_t seq = 0;
	struct err none = { 0 };
	(void)!meta_get_int(s->config.db, KEY_PREFETCH, &seq, &none);
	if (i->kind == PREFETCH_NONE)
		return i->seq >= (uint64_t)seq || sequence_put(s, 0, e); /* central was restored */
	return s->config.prefetched(s->config.arg, i, e) && sequence_put(s, i->seq, e);
}

static bool prefetch_reply(struct sync *s, const struct reply *r)
{
	struct prefetch *p = &s->prefetch;
	struct prefetch_item item;
	struct err e = { 0 };
	struct buf plain;
	if (!p->open || memcmp(p->id, r->id, sizeof(p->id)) != 0)
		return false;
	p->open = false;
	buf_init(&plain, MQTT_PACKET_MAX);
	bool ok = r->status == ERR_NONE || err_set(&e, r->status, "%.199s", r->text);
	ok = ok && ask_reply_open(s, BODY_PREFETCH_CONTEXT, r, &plain, &e) &&
	     prefetch_item_decode(buf_bytes(&plain), &item, &e) && item_take(s, &item, &e);
	if (ok) {
		p->tries = 0;
		p->due_ms = s->now_ms + (item.kind == PREFETCH_NONE ? PREFETCH_EVERY_MS : 0);
	} else {
		sync_note(s, "prefetch", &e); /* due again with the wait of its asking */
	}
	buf_wipe(&plain);
	return true;
}

/* --- between the rest of sync and these --- */

bool bodies_take_reply(struct sync *s, const struct reply *r)
{
	return bodies_reply(s, r) || prefetch_reply(s, r);
}

void bodies_command(struct sync *s, struct bytes payload)
{
	enum down_command c;
	if (down_command_decode(payload, &c, NULL) && c == COMMAND_PREFETCH)
		s->prefetch.due_ms = s->now_ms;
}

void bodies_up(struct sync *s)
{
	s->prefetch.open = false;
	s->prefetch.tries = 0;
	s->prefetch.due_ms = s->now_ms;
}

/* Whoever waits is told at once. */
void bodies_down(struct sync *s)
{
	struct err e = { 0 };
	(void)err_set(&e, ERR_IO, "the line went down");
	for (size_t i = 0; i < SYNC_BODIES_MAX; i++)
		if (s->bodies[i].done != NULL)
			asked_end(&s->bodies[i], NULL, &e);
}

int64_t bodies_run(struct sync *s)
{
	int64_t due_ms = SYNC_NEVER;
	struct err e = { 0 };
	(void)err_set(&e, ERR_IO, "central did not answer in time");
	for (size_t i = 0; i < SYNC_BODIES_MAX; i++) {
		struct asked_bodies *a = &s->bodies[i];
		if (a->done != NULL && s->now_ms >= a->until_ms)
			asked_end(a, NULL, &e);
		else if (a->done != NULL && a->until_ms < due_ms)
			due_ms = a->until_ms;
	}
	if (s->config.prefetched == NULL || !s->info.up)
		return due_ms;
	if (s->now_ms >= s->prefetch.due_ms)
		prefetch_ask(s);
	return s->prefetch.due_ms < due_ms ? s->prefetch.due_ms : due_ms;
}
