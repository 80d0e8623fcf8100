/*
 * Credit reports for a branch that asks, part by part: made and logged by others (sync.h: report_maker) when the first part is asked for,
 * kept in memory alone while the rest is fetched, the least used going first. A part that is no longer here is refused, and the branch begins again under the same request, which
 * is no second read.
 */
#include "central/sync/inner.h"

#include <stdio.h>
#include <string.h>

static bool question_open(struct central_sync *s, const struct branch *b, const struct query *q, struct inquiry *out,
			  struct err *e)
{
	struct buf plain;
	buf_init(&plain, QUERY_BODY_MAX);
	bool ok = sync_question_open(s, b, INQUIRY_QUERY_CONTEXT, q, &plain, e) &&
		  inquiry_decode(buf_bytes(&plain), out, e) && sync_question_is(q, out->id, e);
	buf_wipe(&plain);
	return ok;
}

static void report_drop(struct sent_report *r)
{
	if (r->there)
		buf_wipe(&r->data);
	*r = (struct sent_report){ 0 };
}

void sync_reports_drop(struct central_sync *s, int64_t since_ms)
{
	for (size_t i = 0; i < REPORTS_MAX; i++)
		if (s->reports[i].there && s->reports[i].used_ms <= since_ms)
			report_drop(&s->reports[i]);
}

static struct sent_report *report_find(struct central_sync *s, const struct branch *b,
				       const uint8_t question[HASH_LEN])
{
	for (size_t i = 0; i < REPORTS_MAX; i++) {
		struct sent_report *r = &s->reports[i];
		if (r->there && strcmp(r->branch, b->name) == 0 && memcmp(r->question, question, HASH_LEN) == 0)
			return r;
	}
	return NULL;
}

/* A free place, and room for so many bytes more. */
static struct sent_report *place_make(struct central_sync *s, size_t len)
{
	for (;;) {
		struct sent_report *free_one = NULL, *oldest = NULL;
		size_t sum = len;
		for (size_t i = 0; i < REPORTS_MAX; i++) {
			struct sent_report *r = &s->reports[i];
			if (!r->there) {
				free_one = r;
				continue;
			}
			sum += r->data.len;
			if (oldest == NULL || r->used_ms < oldest->used_ms)
				oldest = r;
		}
		if (oldest == NULL || (free_one != NULL && sum <= REPORTS_BYTES_MAX))
			return free_one;
		report_drop(oldest);
	}
}

/* Takes data over. */
static struct sent_report *report_keep(struct central_sync *s, const struct awaited_report *a, struct buf *data,
				       const char *number)
{
	struct sent_report *r = place_make(s, data->len);
	*r = (struct sent_report){ .there = true, .data = *data };
	snprintf(r->branch, sizeof(r->branch), "%s", a->branch);
	snprintf(r->number, sizeof(r->number), "%s", number);
	memcpy(r->question, a->question, HASH_LEN);
	sha256(buf_bytes(&r->data), r->hash);
	return r;
}

static bool part_seal(struct central_sync *s, const struct branch *b, const struct sent_report *r,
		      const uint8_t id[16], uint64_t part, struct buf *out, struct err *e)
{
	struct inquiry_part p = { .size = r->data.len, .part = part };
	struct buf plain;
	memcpy(p.id, id, sizeof(p.id));
	memcpy(p.hash, r->hash, HASH_LEN);
	snprintf(p.number, sizeof(p.number), "%s", r->number);
	p.data = (struct bytes){ r->data.data + part * INQUIRY_PART, inquiry_part_len(r->data.len, part) };
	buf_init(&plain, MQTT_PACKET_MAX);
	bool ok = inquiry_part_encode(&p, &plain, e) && sync_answer_seal(s, b, INQUIRY_REPLY_CONTEXT, &plain, out, e);
	buf_wipe(&plain);
	return ok;
}

/* --- while it is made --- */

static struct awaited_report *awaited_find(struct central_sync *s, const char *branch,
					   const uint8_t question[HASH_LEN])
{
	for (size_t i = 0; i < REPORTS_AWAITED; i++) {
		struct awaited_report *a = &s->awaited[i];
		if (a->there && strcmp(a->branch, branch) == 0 && memcmp(a->question, question, HASH_LEN) == 0)
			return a;
	}
	return NULL;
}

/* A place, unless the branch or all of them have as many at work as they may. */
static struct awaited_report *awaited_free(struct central_sync *s, const char *branch, struct err *e)
{
	struct awaited_report *place = NULL;
	size_t its = 0;
	for (size_t i = 0; i < REPORTS_AWAITED; i++) {
		struct awaited_report *a = &s->awaited[i];
		if (!a->there)
			place = a;
		else if (strcmp(a->branch, branch) == 0)
			its++;
	}
	if (its >= REPORTS_OF_BRANCH)
		(void)err_set(e, ERR_FULL, "%zu reports for this branch are being made: ask again in a while", its);
	else if (place == NULL)
		(void)err_set(e, ERR_FULL, "%d reports are being made: ask again in a while", REPORTS_AWAITED);
	return its < REPORTS_OF_BRANCH ? place : NULL;
}

/* Once, however often it is asked for meanwhile. */
static bool report_order(struct central_sync *s, const struct branch *b, const struct inquiry *q,
			 const uint8_t question[HASH_LEN], struct instant now, struct err *e)
{
	const struct report_maker *m = &s->config.reports;
	struct awaited_report *a = awaited_find(s, b->name, question);
	if (a != NULL) {
		memcpy(a->id, q->id, sizeof(a->id));
		return true;
	}
	if (m->make == NULL)
		return err_set(e, ERR_MISSING, "this central makes no reports");
	if ((a = awaited_free(s, b->name, e)) == NULL)
		return false;
	a->there = true;
	snprintf(a->branch, sizeof(a->branch), "%s", b->name);
	memcpy(a->question, question, HASH_LEN);
	memcpy(a->id, q->id, sizeof(a->id));
	if (m->make(m->arg, b->name, q, question, now.s, e))
		return true;
	*a = (struct awaited_report){ 0 };
	return false;
}

/* The branch may have been revoked or opened meanwhile: the one gets no answer, the other a refusal. */
static void report_arrived(struct central_sync *s, const struct awaited_report *a, struct sent_report *r,
			   const struct err *why, struct instant now)
{
	struct branch b;
	struct buf body;
	struct err e = why != NULL ? *why : (struct err){ 0 };
	if (!branches_may_speak(s->config.release->db, a->branch, &b, NULL))
		return;
	buf_init(&body, MQTT_PACKET_MAX);
	if (r != NULL && branches_may_hold_keys(&b, &e) && part_seal(s, &b, r, a->id, 0, &body, &e))
		r->used_ms = now.ms;
	sync_reply(s, a->branch, a->id, buf_bytes(&body), &e);
	buf_clear(&body);
	if (s->config.wake != NULL)
		s->config.wake(s->config.wake_arg);
}

void central_sync_reported(struct central_sync *s, const char *branch, const uint8_t question[HASH_LEN],
			   struct bytes data, const char *number, const struct err *why, struct instant now)
{
	struct awaited_report *found = awaited_find(s, branch, question);
	struct buf copy;
	if (found == NULL)
		return;
	const struct awaited_report a = *found;
	*found = (struct awaited_report){ 0 };
	if (!s->up)
		return; /* the branch asks again */
	buf_init(&copy, data.len);
	if (data.data != NULL)
		buf_add(&copy, data.data, data.len);
	report_arrived(s, &a, data.data != NULL ? report_keep(s, &a, &copy, number) : NULL, why, now);
}

/* --- its parts --- */

static bool part_answer(struct central_sync *s, const struct branch *b, const struct inquiry *q, struct instant now,
			struct buf *out, bool *later, struct err *e)
{
	uint8_t question[HASH_LEN];
	if (!report_question_hash(q, question, e))
		return false;
	struct sent_report *r = report_find(s, b, question);
	if (r == NULL && q->part > 0)
		return err_set(e, ERR_MISSING, "the report is no longer here: begin again with its first part");
	if (r == NULL) {
		*later = true;
		return report_order(s, b, q, question, now, e);
	}
	r->used_ms = now.ms;
	if (inquiry_part_len(r->data.len, q->part) == 0)
		return err_set(e, ERR_INPUT, "the report has no part %llu", (unsigned long long)q->part);
	return part_seal(s, b, r, q->id, q->part, out, e);
}

bool sync_report(struct central_sync *s, const struct branch *b, const struct query *q, struct instant now,
		 struct buf *out, bool *later, struct err *e)
{
	struct inquiry asked;
	bool ok = question_open(s, b, q, &asked, e) && part_answer(s, b, &asked, now, out, later, e);
	explicit_bzero(&asked, sizeof(asked));
	return ok;
}
