/*
 * A turn: answers first, then the head, then objects, never more than CENTRAL_BURST publications, so that a large push holds up
 * neither an acknowledgement nor the loop. What does not fit the transport waits for the next turn.
 */
#include "central/alarm.h"
#include "central/sync/inner.h"
#include "protocol/body.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UP_FILTER        "xb/1/up/+/+"
#define REFUSED_EVERY_MS 60000

struct central_sync *central_sync_new(const struct central_sync_config *c)
{
	struct central_sync *s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	s->config = *c;
	if (s->config.push_size_max == 0)
		s->config.push_size_max = CENTRAL_PUSH_SIZE_MAX;
	s->signing_ms = INT64_MIN;
	s->refused_ms = INT64_MIN;
	s->pushes_next_ms = INT64_MAX;
	buf_init(&s->payload, COSE_MAX);
	buf_init(&s->head, COSE_MAX);
	return s;
}

static void outbox_drop(struct central_sync *s)
{
	struct outgoing *o = &s->outbox[s->outbox_at];
	assert(s->outbox_len > 0);
	free(o->data);
	o->data = NULL;
	s->outbox_at = (s->outbox_at + 1) % OUTBOX_MAX;
	s->outbox_len--;
}

void central_sync_free(struct central_sync *s)
{
	if (s == NULL)
		return;
	while (s->outbox_len > 0)
		outbox_drop(s);
	sync_reports_drop(s, INT64_MAX);
	free(s->pushes);
	buf_clear(&s->payload);
	buf_clear(&s->head);
	free(s);
}

void sync_fault(struct central_sync *s, const struct err *e, const char *what)
{
	s->info.faults++;
	snprintf(s->info.last_fault, sizeof(s->info.last_fault), "%s: %.200s", what, e->text);
}

void sync_answer(struct central_sync *s, const char *branch, const char *what, struct bytes payload)
{
	if (s->outbox_len == OUTBOX_MAX) {
		s->info.dropped++;
		return;
	}
	struct outgoing *o = &s->outbox[(s->outbox_at + s->outbox_len) % OUTBOX_MAX];
	topic_down(branch, what, o->topic);
	o->data = malloc(payload.len + 1);
	if (o->data == NULL)
		abort();
	if (payload.len > 0)
		memcpy(o->data, payload.data, payload.len);
	o->len = payload.len;
	s->outbox_len++;
}

void central_sync_up(struct central_sync *s, struct instant now)
{
	s->up = true;
	s->subscribed = false;
	s->head_due = true;
	s->head_unsent = s->head.len > 0;
	s->head_next_ms = now.ms;
	sync_objects_forget(s);
}

void central_sync_down(struct central_sync *s, struct instant now)
{
	(void)now;
	sync_reports_drop(s, INT64_MAX);
	s->up = false;
	while (s->outbox_len > 0)
		outbox_drop(s);
}

void central_sync_released(struct central_sync *s)
{
	s->head_due = true;
	s->pushes_stale = true;
	if (s->config.wake != NULL)
		s->config.wake(s->config.wake_arg);
}

void central_sync_nudge(struct central_sync *s, const char *branch)
{
	struct buf out;
	if (!s->up)
		return;
	buf_init(&out, 16);
	if (down_command_encode(COMMAND_PREFETCH, &out, NULL))
		sync_answer(s, branch, "command", buf_bytes(&out));
	buf_clear(&out);
	if (s->config.wake != NULL)
		s->config.wake(s->config.wake_arg);
}

/* An alarm at most once a minute, over all branches: whoever was shut out must not keep the disk busy. */
static void refuse(struct central_sync *s, const struct branch *b, struct instant now)
{
	struct db *db = s->config.release->db;
	struct err e = { 0 };
	s->info.refused++;
	if (b->revoked_s == 0 || (s->refused_ms != INT64_MIN && now.ms - s->refused_ms < REFUSED_EVERY_MS))
		return;
	s->refused_ms = now.ms;
	if (!db_begin(db, &e)) {
		sync_fault(s, &e, "alarm");
		return;
	}
	if (alarm_raise(db, now.s, b->name, "branch.revoked_speaks",
			"a revoked branch still has a session at the broker", &e) &&
	    db_commit(db, &e))
		return;
	sync_fault(s, &e, "alarm");
	db_rollback(db);
}

void central_sync_message(struct central_sync *s, const char *topic, struct bytes payload, struct instant now)
{
	char name[NAME_MAX_LEN + 1];
	const char *what = NULL;
	struct branch b;
	struct err why = { 0 };
	if (!topic_up_parse(topic, name, &what)) {
		s->info.malformed++;
		return;
	}
	if (branches_may_speak(s->config.release->db, name, &b, &why)) {
		sync_up_message(s, &b, what, payload, now);
		return;
	}
	if (why.code == ERR_DENIED)
		refuse(s, &b, now);
	else
		sync_fault(s, &why, "branch");
}

/* False while the transport takes no more. */
static bool outbox_run(struct central_sync *s, unsigned *budget)
{
	while (s->outbox_len > 0 && *budget > 0) {
		struct outgoing *o = &s->outbox[s->outbox_at];
		const struct transport *t = &s->config.transport;
		if (!t->publish(t->arg, o->topic, (struct bytes){ o->data, o->len }, false, 0, NULL))
			return false;
		outbox_drop(s);
		(*budget)--;
	}
	return s->outbox_len == 0;
}

int64_t central_sync_run(struct central_sync *s, struct instant now)
{
	const struct transport *t = &s->config.transport;
	unsigned budget = CENTRAL_BURST;
	if (!s->up)
		return INT64_MAX;
	sync_reports_drop(s, now.ms - REPORT_KEPT_MS);
	if (!s->subscribed)
		s->subscribed = t->subscribe(t->arg, UP_FILTER, NULL);
	bool room =
		s->subscribed && outbox_run(s, &budget) && sync_head_run(s, now) && sync_objects_run(s, now, budget);
	if (!room || s->outbox_len > 0 || sync_objects_waiting(s))
		return now.ms + CENTRAL_STEP_MS;
	int64_t head = sync_head_next_ms(s);
	return head < s->pushes_next_ms ? head : s->pushes_next_ms;
}

void central_sync_info(const struct central_sync *s, struct central_sync_info *out)
{
	*out = s->info;
	out->up = s->up;
}
