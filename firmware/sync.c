#include "firmware/sync_state.h"
#include "protocol/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUBSCRIBE_MS 300000 /* without a head since: the subscription may have been lost */
#define PRUNE_MS     3600000
#define CLOCK_MS     10000
#define TURN_STEPS   8 /* of the work at hand, in one call of sync_run */

/* Opening */

struct sync *sync_new(const struct sync_config *c, struct err *e)
{
	struct sync *s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	s->config = *c;
	s->fetch.fd = -1;
	s->subscribe_ms = SYNC_NEVER;
	topic_down(c->identity.branch, "ack", s->ack_topic);
	topic_down(c->identity.branch, "reply", s->reply_topic);
	topic_down(c->identity.branch, "command", s->command_topic);
	if (snprintf(s->dir, sizeof(s->dir), "%s/fetch", c->dir) >= (int)sizeof(s->dir)) {
		err_set(e, ERR_INPUT, "the directory's name is too long: %.100s", c->dir);
		goto out;
	}
	if (file_make_dir(s->dir, e) && sync_load_head(s, e))
		return s;
out:
	sync_free(s);
	return NULL;
}

void sync_forget_seal(struct sync *s)
{
	explicit_bzero(s->config.identity.seal_scalar, SCALAR_LEN);
}

void sync_free(struct sync *s)
{
	if (s == NULL)
		return;
	s->info.up = false;
	inquiries_free(s);
	accounts_free(s);
	fetch_stop(s, false);
	if (s->config.lists != NULL)
		lists_disown(s->config.lists, s);
	list_index_clear(&s->work.index);
	free(s->targets);
	free(s->image.have);
	explicit_bzero(&s->config.identity, sizeof(s->config.identity));
	free(s);
}

/* What the other files lean on */

void sync_note(struct sync *s, const char *what, const struct err *e)
{
	s->info.faults++;
	snprintf(s->info.last_fault, sizeof(s->info.last_fault), "%s: %.150s", what, e->text);
}

int64_t sync_backoff(struct sync *s, int64_t wait_ms, unsigned failures, int64_t max_ms)
{
	uint32_t roll;
	const struct random *r = s->config.random;
	for (; failures > 0 && wait_ms < max_ms; failures--)
		wait_ms *= 2;
	if (wait_ms > max_ms)
		wait_ms = max_ms;
	r->fill(r->arg, (uint8_t *)&roll, sizeof(roll));
	return wait_ms + (int64_t)(roll % (uint32_t)(wait_ms / 2 + 1));
}

bool sync_publish(struct sync *s, const char *what, struct bytes payload)
{
	char topic[TOPIC_MAX];
	const struct transport *t = &s->config.transport;
	topic_up(s->config.identity.branch, what, topic);
	return t->publish(t->arg, topic, payload, false, 0, NULL);
}

/* The line */

static void sync_subscribe(struct sync *s)
{
	const struct transport *t = &s->config.transport;
	const char *topics[] = { TOPIC_HEAD, s->ack_topic, s->reply_topic, s->command_topic };
	s->subscribe_ms = s->now_ms + SUBSCRIBE_MS;
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
		if (!t->subscribe(t->arg, topics[i], NULL))
			s->subscribe_ms = s->now_ms + 1000;
}

void sync_up(struct sync *s, int64_t now_ms)
{
	s->now_ms = now_ms;
	s->info.up = true;
	sync_subscribe(s);
	fetch_up(s);
	upload_up(s);
	report_up(s);
	bodies_up(s);
	s->work.asked_ms = now_ms;
}

void sync_down(struct sync *s, int64_t now_ms)
{
	s->now_ms = now_ms;
	s->info.up = false;
	s->subscribe_ms = SYNC_NEVER;
	bodies_down(s);
	inquiries_down(s);
	accounts_down(s);
}

void sync_message(struct sync *s, const char *topic, struct bytes payload, int64_t now_ms)
{
	uint8_t hash[HASH_LEN];
	int64_t chunk;
	s->now_ms = now_ms;
	if (strcmp(topic, TOPIC_HEAD) == 0)
		sync_take_head(s, payload);
	else if (strcmp(topic, s->ack_topic) == 0)
		upload_ack(s, payload);
	else if (strcmp(topic, s->reply_topic) == 0)
		ask_reply(s, payload);
	else if (strcmp(topic, s->command_topic) == 0)
		bodies_command(s, payload);
	else if (object_topic_parse(topic, hash, &chunk))
		fetch_message(s, hash, chunk, payload);
}

void sync_recorded(struct sync *s, int64_t now_ms)
{
	s->now_ms = now_ms;
	if (!s->upload.in_flight)
		s->upload.due_ms = now_ms;
}

/* Turns */

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Parts are kept as long as somebody may still want them: until all the head names is here. */
static void sync_sweep(struct sync *s)
{
	if (!s->has_head || s->work.step != STEP_NONE)
		return;
	for (size_t i = 0; i < s->targets_len; i++)
		if (s->targets[i].failures > 0 && !s->targets[i].held)
			return;
	fetch_sweep(s);
}

static int64_t sync_keep_house(struct sync *s)
{
	struct err e = { 0 };
	uint64_t removed = 0;
	if (s->now_ms >= s->clock_ms) {
		s->clock_ms = s->now_ms + CLOCK_MS;
		if (!clock_tick(s->config.clock, s->config.db, s->now_ms, &e))
			sync_note(s, "clock", &e);
	}
	if (s->now_ms >= s->prune_ms) {
		if (!record_prune(s->config.record, clock_now_s(s->config.clock, s->now_ms), &removed, &e))
			sync_note(s, "journal", &e);
		s->prune_ms = s->now_ms + (removed == RECORD_PRUNE_ROWS ? 1000 : PRUNE_MS);
		sync_sweep(s);
	}
	return sooner(s->clock_ms, s->prune_ms);
}

int64_t sync_run(struct sync *s, int64_t now_ms)
{
	int64_t due_ms = SYNC_NEVER;
	s->now_ms = now_ms;
	int64_t house_ms = sync_keep_house(s);
	if (s->info.up && now_ms >= s->subscribe_ms)
		sync_subscribe(s);
	for (int i = 0; i < TURN_STEPS; i++) {
		target_next(s);
		due_ms = step_run(s);
		if (due_ms > now_ms)
			break;
	}
	if ((s->work.step == STEP_NONE || s->work.step == STEP_IMAGE) && s->targets_len > 0)
		due_ms = sooner(due_ms, s->look_ms);
	due_ms = sooner(due_ms, upload_run(s));
	due_ms = sooner(due_ms, report_run(s));
	due_ms = sooner(due_ms, bodies_run(s));
	due_ms = sooner(due_ms, inquiries_run(s));
	due_ms = sooner(due_ms, accounts_run(s));
	return sooner(due_ms, sooner(house_ms, s->subscribe_ms));
}

void sync_info(const struct sync *s, struct sync_info *out)
{
	*out = s->info;
}
