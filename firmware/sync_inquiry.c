/*
 * Credit reports from central, part by part: the first part says how long the report is and by which hash it is known, the others are asked
 * for in a window, and what does not come is asked for again under the same request. Two reports' parts never mix: another hash, or
 * central having let go of it, begins again, a few times. Progress counts, with an end to it all.
 */
#include "firmware/sync_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_MS     3000 /* central makes a large one in about a second */
#define RESTARTS_MAX 3

static void asked_clear(struct asked_inquiry *a)
{
	buf_wipe(&a->data);
	explicit_bzero(a, sizeof(*a));
}

static void asked_end(struct asked_inquiry *a, const struct err *why)
{
	sync_inquiry_done *done = a->done;
	void *arg = a->arg;
	const struct sync_inquiry r = { a->number, buf_bytes(&a->data) };
	a->done = NULL; /* no second time, whatever it does */
	done(arg, why == NULL ? &r : NULL, why);
	asked_clear(a);
}

static void asked_fail(struct asked_inquiry *a, enum err_code code, const char *text)
{
	struct err e = { 0 };
	(void)err_set(&e, code, "%.190s", text);
	asked_end(a, &e);
}

/* --- asking --- */

static bool part_ask(struct sync *s, struct asked_inquiry *a, struct asked_part *p, struct err *e)
{
	struct buf plain, body;
	s->config.random->fill(s->config.random->arg, p->id, sizeof(p->id));
	memcpy(a->inquiry.id, p->id, sizeof(p->id));
	a->inquiry.part = p->part;
	p->again_ms = s->now_ms + AGAIN_MS;
	buf_init(&plain, QUERY_BODY_MAX);
	buf_init(&body, QUERY_BODY_MAX);
	bool ok = inquiry_encode(&a->inquiry, &plain, e) &&
		  sealed_put(s->config.identity.central_seal_key, s->config.random, INQUIRY_QUERY_CONTEXT,
			     s->config.identity.branch, buf_bytes(&plain), &body, e) &&
		  (ask_query(s, QUERY_REPORT, p->id, buf_bytes(&body)) ||
		   err_set(e, ERR_IO, "the line takes nothing now"));
	buf_wipe(&plain);
	buf_clear(&body);
	return ok;
}

static struct asked_part *part_free(struct asked_inquiry *a)
{
	for (size_t i = 0; i < SYNC_INQUIRY_WINDOW; i++)
		if (!a->open[i].is_open)
			return &a->open[i];
	return NULL;
}

/* What the line does not take now is asked for with the next wait. */
static void parts_ask(struct sync *s, struct asked_inquiry *a)
{
	struct err e = { 0 };
	struct asked_part *p;
	uint64_t len = a->size == 0 ? 1 : (a->size + INQUIRY_PART - 1) / INQUIRY_PART;
	while (a->next < len && (p = part_free(a)) != NULL) {
		*p = (struct asked_part){ .is_open = true, .part = a->next++ };
		(void)!part_ask(s, a, p, &e);
	}
}

/* Nothing is known of the report yet, or no longer. */
static void asked_start(struct sync *s, struct asked_inquiry *a)
{
	buf_wipe(&a->data);
	buf_init(&a->data, INQUIRY_BYTES_MAX);
	memset(a->open, 0, sizeof(a->open));
	a->size = a->next = a->have = 0;
	parts_ask(s, a);
}

bool sync_ask_inquiry(struct sync *s, const struct inquiry *q, int64_t now_ms, sync_inquiry_done *done, void *arg,
		      struct err *e)
{
	struct asked_inquiry *a = NULL;
	s->now_ms = now_ms;
	for (size_t i = 0; i < SYNC_INQUIRIES_MAX && a == NULL; i++)
		a = s->inquiries[i].done == NULL ? &s->inquiries[i] : NULL;
	if (!s->info.up)
		return err_set(e, ERR_IO, "the line is down");
	if (a == NULL)
		return err_set(e, ERR_FULL, "%d reports are on their way", SYNC_INQUIRIES_MAX);
	*a = (struct asked_inquiry){ .inquiry = *q,
				     .done = done,
				     .arg = arg,
				     .until_ms = now_ms + SYNC_INQUIRY_WAIT_MS,
				     .end_ms = now_ms + SYNC_INQUIRY_END_MS };
	asked_start(s, a);
	return true;
}

void sync_forget_inquiry(struct sync *s, const void *arg)
{
	for (size_t i = 0; i < SYNC_INQUIRIES_MAX; i++)
		if (s->inquiries[i].done != NULL && s->inquiries[i].arg == arg)
			asked_clear(&s->inquiries[i]);
}

/* --- taking --- */

static void restart(struct sync *s, struct asked_inquiry *a)
{
	if (++a->restarts > RESTARTS_MAX)
		asked_fail(a, ERR_IO, "the report changed again and again while it was fetched");
	else
		asked_start(s, a);
}

static bool part_open(struct sync *s, const struct reply *r, struct buf *plain, struct inquiry_part *p, struct err *e)
{
	return ask_reply_open(s, INQUIRY_REPLY_CONTEXT, r, plain, e) && inquiry_part_decode(buf_bytes(plain), p, e) &&
	       (memcmp(p->id, r->id, sizeof(p->id)) == 0 ||
		err_set(e, ERR_INPUT, "the answer is another question's"));
}

static void asked_finish(struct asked_inquiry *a)
{
	uint8_t hash[HASH_LEN];
	sha256(buf_bytes(&a->data), hash);
	if (memcmp(hash, a->hash, HASH_LEN) == 0)
		asked_end(a, NULL);
	else
		asked_fail(a, ERR_IO, "the report is not what its parts say it is");
}

static void part_take(struct sync *s, struct asked_inquiry *a, struct asked_part *asked, const struct inquiry_part *p)
{
	if (a->size == 0) {
		a->size = p->size;
		memcpy(a->hash, p->hash, HASH_LEN);
		snprintf(a->number, sizeof(a->number), "%s", p->number);
		if (buf_grow(&a->data, (size_t)a->size) == NULL)
			abort(); /* the decoder holds size to INQUIRY_BYTES_MAX */
	}
	if (a->size != p->size || memcmp(a->hash, p->hash, HASH_LEN) != 0) {
		restart(s, a);
		return;
	}
	memcpy(a->data.data + p->part * INQUIRY_PART, p->data.data, p->data.len);
	a->have += p->data.len;
	a->until_ms = s->now_ms + SYNC_INQUIRY_WAIT_MS;
	asked->is_open = false;
	if (a->have == a->size)
		asked_finish(a);
	else
		parts_ask(s, a);
}

static void part_reply(struct sync *s, struct asked_inquiry *a, struct asked_part *asked, const struct reply *r)
{
	struct inquiry_part p;
	struct buf plain;
	struct err e = { 0 };
	if (r->status == ERR_MISSING && asked->part > 0) {
		restart(s, a);
		return;
	}
	if (r->status != ERR_NONE) {
		asked_fail(a, r->status, r->text);
		return;
	}
	buf_init(&plain, MQTT_PACKET_MAX);
	if (!part_open(s, r, &plain, &p, &e))
		asked_fail(a, ERR_IO, e.text); /* refused is central's word alone */
	else if (p.part != asked->part)
		asked_fail(a, ERR_IO, "the answer is another part's");
	else
		part_take(s, a, asked, &p);
	buf_wipe(&plain);
}

bool inquiries_take_reply(struct sync *s, const struct reply *r)
{
	for (size_t i = 0; i < SYNC_INQUIRIES_MAX; i++) {
		struct asked_inquiry *a = &s->inquiries[i];
		for (size_t k = 0; a->done != NULL && k < SYNC_INQUIRY_WINDOW; k++) {
			if (!a->open[k].is_open || memcmp(a->open[k].id, r->id, sizeof(r->id)) != 0)
				continue;
			part_reply(s, a, &a->open[k], r);
			return true;
		}
	}
	return false;
}

/* Whoever waits is told at once. */
void inquiries_down(struct sync *s)
{
	for (size_t i = 0; i < SYNC_INQUIRIES_MAX; i++)
		if (s->inquiries[i].done != NULL)
			asked_fail(&s->inquiries[i], ERR_IO, "the line went down");
}

void inquiries_free(struct sync *s)
{
	for (size_t i = 0; i < SYNC_INQUIRIES_MAX; i++)
		asked_clear(&s->inquiries[i]);
}

static int64_t asked_run(struct sync *s, struct asked_inquiry *a)
{
	struct err e = { 0 };
	int64_t due_ms = a->until_ms < a->end_ms ? a->until_ms : a->end_ms;
	if (s->now_ms >= due_ms) {
		asked_fail(a, ERR_IO, "central did not answer in time");
		return SYNC_NEVER;
	}
	for (size_t i = 0; i < SYNC_INQUIRY_WINDOW; i++) {
		struct asked_part *p = &a->open[i];
		if (!p->is_open)
			continue;
		if (s->now_ms >= p->again_ms)
			(void)!part_ask(s, a, p, &e);
		due_ms = p->again_ms < due_ms ? p->again_ms : due_ms;
	}
	return due_ms;
}

int64_t inquiries_run(struct sync *s)
{
	int64_t due_ms = SYNC_NEVER;
	for (size_t i = 0; i < SYNC_INQUIRIES_MAX; i++) {
		if (s->inquiries[i].done == NULL)
			continue;
		int64_t next_ms = asked_run(s, &s->inquiries[i]);
		due_ms = next_ms < due_ms ? next_ms : due_ms;
	}
	return due_ms;
}
