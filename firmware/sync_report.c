/* What the branch really has, told to central: all of it after connecting and from time to time, and whenever it changes. */
#include "firmware/sync_state.h"

#include <stdlib.h>
#include <string.h>

#ifndef XINBIAN_VERSION
#define XINBIAN_VERSION "0.1.0"
#endif

#define REPORT_EVERY_MS 600000 /* central may have missed the last one */
#define REPORT_LOOK_MS  1000
#define REPORT_REPEATS  2 /* the broker may still keep one head from before */
#define REPORT_LATER_MS 2000

/* What is worth a report of its own when it differs: not the times and counters, which always do. */
static void report_digest(const struct status *t, uint8_t out[HASH_LEN])
{
	struct sha256_stream h;
	sha256_start(&h);
	sha256_add(&h, (struct bytes){ t->journal_epoch, JOURNAL_EPOCH_LEN });
	for (size_t i = 0; i < t->lists_len; i++) {
		const struct status_list *l = &t->lists[i];
		sha256_add(&h, (struct bytes){ (const uint8_t *)l->name, sizeof(l->name) });
		sha256_add(&h, (struct bytes){ (const uint8_t *)&l->version, sizeof(l->version) });
		sha256_add(&h, (struct bytes){ l->hash, HASH_LEN });
		sha256_add(&h, bytes_of(l->fault));
	}
	sha256_add(&h, (struct bytes){ (const uint8_t *)&t->update, sizeof(t->update) });
	sha256_finish(&h, out);
}

static void report_update(const struct updates *u, struct status_update *to)
{
	struct updates_info i;
	updates_info(u, &i);
	/* Field by field: what lies between them is zero, and counts in the digest. */
	to->state = i.status.state;
	to->slot_b = i.status.slot_b;
	to->version = i.status.version;
	to->wanted = i.status.wanted;
	to->failed = i.status.failed;
	memcpy(to->fault, i.status.fault, sizeof(to->fault));
}

static void report_fill(const struct sync *s, struct status *t)
{
	struct list_info lists[LISTS_MAX];
	struct record_info record;
	record_info(s->config.record, &record);
	memset(t, 0, sizeof(*t));
	memcpy(t->software, XINBIAN_VERSION, sizeof(XINBIAN_VERSION));
	t->clock_s = clock_now_s(s->config.clock, s->now_ms);
	t->head_sequence = s->info.head_sequence;
	memcpy(t->journal_epoch, record.epoch, JOURNAL_EPOCH_LEN);
	t->journal_first = record.first;
	t->journal_last = record.last;
	t->checks = s->config.checks != NULL ? *s->config.checks : 0;
	t->faults = s->info.faults;
	t->lists_len = lists_info(s->config.lists, lists);
	for (size_t i = 0; i < t->lists_len; i++) {
		struct status_list *to = &t->lists[i];
		memcpy(to->name, lists[i].name, sizeof(to->name));
		to->version = lists[i].damaged ? 0 : lists[i].version;
		memcpy(to->hash, lists[i].hash, HASH_LEN);
		to->count = lists[i].count;
		to->confirmed_s = lists[i].confirmed_s;
		memcpy(to->fault, lists[i].fault, sizeof(to->fault));
	}
	if (s->config.updates != NULL)
		report_update(s->config.updates, &t->update);
}

/* The journal's key, sealed to central: so that central can read the subjects of decisions. */
static bool report_key(const struct sync *s, struct buf *sealed, struct err *e)
{
	char context[NAME_MAX_LEN + 32];
	struct buf text;
	buf_init(&text, sizeof(context));
	buf_add_fmt(&text, "xb/1/journal-key/%s", s->config.identity.branch);
	bool ok = buf_ok(&text, "context", e) &&
		  seal_to(s->config.identity.central_seal_key, s->config.random, buf_bytes(&text),
			  (struct bytes){ record_key(s->config.record), 32 }, sealed, e);
	buf_clear(&text);
	return ok;
}

static bool report_send(struct sync *s, struct status *t, bool hello)
{
	struct buf out, sealed;
	struct err e = { 0 };
	bool ok = false;
	buf_init(&out, MQTT_PACKET_MAX);
	buf_init(&sealed, 32 + SEAL_OVERHEAD);
	if (hello && !report_key(s, &sealed, &e)) {
		sync_note(s, "status", &e);
		goto out;
	}
	t->hello = hello;
	t->journal_key = buf_bytes(&sealed);
	if (status_encode(t, &out, &e))
		ok = sync_publish(s, "status", buf_bytes(&out));
	else
		sync_note(s, "status", &e);
out:
	buf_clear(&out);
	buf_clear(&sealed);
	return ok;
}

int64_t report_run(struct sync *s)
{
	struct report *r = &s->report;
	uint8_t digest[HASH_LEN];
	if (!s->info.up)
		return SYNC_NEVER;
	if (s->now_ms < r->look_ms && s->now_ms < r->due_ms)
		return r->look_ms < r->due_ms ? r->look_ms : r->due_ms;
	struct status *t = malloc(sizeof(*t));
	if (t == NULL)
		abort();
	report_fill(s, t);
	report_digest(t, digest);
	r->look_ms = s->now_ms + REPORT_LOOK_MS;
	bool due = s->now_ms >= r->due_ms;
	if (due || memcmp(digest, r->said, HASH_LEN) != 0) {
		if (report_send(s, t, due)) {
			memcpy(r->said, digest, HASH_LEN);
			r->due_ms =
				due ? s->now_ms + sync_backoff(s, REPORT_EVERY_MS, 0, REPORT_EVERY_MS) : r->due_ms;
			r->look_ms = s->now_ms + REPORT_LATER_MS;
		} else {
			r->due_ms = due ? s->now_ms + REPORT_LATER_MS : r->due_ms;
		}
	}
	free(t);
	return r->look_ms < r->due_ms ? r->look_ms : r->due_ms;
}

void report_up(struct sync *s)
{
	s->report.due_ms = s->now_ms;
	s->report.look_ms = s->now_ms;
	s->report.repeats = REPORT_REPEATS;
}

void report_head(struct sync *s)
{
	if (s->report.repeats == 0)
		return;
	s->report.repeats--;
	s->report.due_ms = s->now_ms;
}
