/*
 * Credit reports for a branch that asks, part by part: made and logged with the first part, kept in memory alone while the rest is
 * fetched, the least used going first. A part that is no longer here is refused, and the branch begins again under the same request, which
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

static struct sent_report *report_make(struct central_sync *s, const struct branch *b, const struct inquiry *q,
				       const uint8_t question[HASH_LEN], struct instant now, struct err *e)
{
	struct buf data;
	char number[REPORT_NUMBER] = "";
	buf_init(&data, REPORT_BYTES_MAX);
	if (!report_request_answer(s->config.release, b->name, q, now.s, &data, number, e)) {
		buf_wipe(&data);
		return NULL;
	}
	struct sent_report *r = place_make(s, data.len);
	*r = (struct sent_report){ .there = true, .data = data };
	snprintf(r->branch, sizeof(r->branch), "%s", b->name);
	snprintf(r->number, sizeof(r->number), "%s", number);
	memcpy(r->question, question, HASH_LEN);
	sha256(buf_bytes(&r->data), r->hash);
	return r;
}

static bool part_seal(struct central_sync *s, const struct branch *b, const struct sent_report *r,
		      const struct inquiry *q, struct buf *out, struct err *e)
{
	struct inquiry_part p = { .size = r->data.len, .part = q->part };
	struct buf plain;
	memcpy(p.id, q->id, sizeof(p.id));
	memcpy(p.hash, r->hash, HASH_LEN);
	snprintf(p.number, sizeof(p.number), "%s", r->number);
	p.data = (struct bytes){ r->data.data + q->part * INQUIRY_PART, inquiry_part_len(r->data.len, q->part) };
	buf_init(&plain, MQTT_PACKET_MAX);
	bool ok = inquiry_part_encode(&p, &plain, e) && sync_answer_seal(s, b, INQUIRY_REPLY_CONTEXT, &plain, out, e);
	buf_wipe(&plain);
	return ok;
}

static bool part_answer(struct central_sync *s, const struct branch *b, const struct inquiry *q, struct instant now,
			struct buf *out, struct err *e)
{
	uint8_t question[HASH_LEN];
	if (!report_question_hash(q, question, e))
		return false;
	struct sent_report *r = report_find(s, b, question);
	if (r == NULL && q->part > 0)
		return err_set(e, ERR_MISSING, "the report is no longer here: begin again with its first part");
	if (r == NULL && (r = report_make(s, b, q, question, now, e)) == NULL)
		return false;
	r->used_ms = now.ms;
	if (inquiry_part_len(r->data.len, q->part) == 0)
		return err_set(e, ERR_INPUT, "the report has no part %llu", (unsigned long long)q->part);
	return part_seal(s, b, r, q, out, e);
}

bool sync_report(struct central_sync *s, const struct branch *b, const struct query *q, struct instant now,
		 struct buf *out, struct err *e)
{
	struct inquiry asked;
	bool ok = question_open(s, b, q, &asked, e) && part_answer(s, b, &asked, now, out, e);
	explicit_bzero(&asked, sizeof(asked));
	return ok;
}
