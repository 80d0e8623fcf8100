#include "firmware/sync_state.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_MS       1000 /* a list may turn out damaged at any time */
#define TURN_FAILURES 2    /* in vain, before something else is tried */

struct target *target_find(const struct sync *s, const char *name)
{
	for (size_t i = 0; i < s->targets_len; i++)
		if (strcmp(s->targets[i].want.name, name) == 0)
			return &s->targets[i];
	return NULL;
}

static bool wants_same(const struct head_entry *a, const struct head_entry *b)
{
	return a->version == b->version && a->epoch == b->epoch && a->forced_version == b->forced_version &&
	       memcmp(a->object.hash, b->object.hash, HASH_LEN) == 0 &&
	       memcmp(a->index.hash, b->index.hash, HASH_LEN) == 0;
}

/* What has been tried and failed counts only as long as the head wants the same. */
void targets_set(struct sync *s, const struct head *h, bool expired)
{
	struct target *next = calloc(h->entries_len + 1, sizeof(*next));
	if (next == NULL)
		abort();
	for (size_t i = 0; i < h->entries_len; i++) {
		const struct target *old = target_find(s, h->entries[i].name);
		next[i].issued_s = -1;
		if (old != NULL && wants_same(&old->want, &h->entries[i]))
			next[i] = *old;
		next[i].want = h->entries[i];
		if (!expired)
			next[i].issued_s = h->issued_s;
	}
	free(s->targets);
	s->targets = next;
	s->targets_len = h->entries_len;
	s->look_ms = s->now_ms;
}

static bool target_is_due(const struct sync *s, const struct target *t)
{
	uint32_t epoch = 0;
	if (t->held || t->retry_ms > s->now_ms)
		return false;
	if (t->want.kind == HEAD_DOCUMENT)
		return documents_version(s->config.documents, t->want.name) != t->want.version;
	return lists_version(s->config.lists, t->want.name, &epoch) != t->want.version || epoch != t->want.epoch ||
	       !lists_has_epoch(s->config.lists, epoch); /* wiped */
}

static const struct target *target_due(const struct sync *s, enum head_kind kind)
{
	for (size_t i = 0; i < s->targets_len; i++)
		if (s->targets[i].want.kind == kind && target_is_due(s, &s->targets[i]))
			return &s->targets[i];
	return NULL;
}

/* Documents first: they are small, and without rules and catalogue no list answers anything. */
void target_next(struct sync *s)
{
	bool image = s->work.step == STEP_IMAGE;
	if ((s->work.step != STEP_NONE && !image) || s->now_ms < s->look_ms)
		return;
	s->look_ms = s->now_ms + LOOK_MS;
	const struct target *t = target_due(s, HEAD_DOCUMENT);
	if (t == NULL)
		t = target_due(s, HEAD_LIST);
	if (t != NULL) {
		if (image)
			image_pause(s);
		s->work = (struct work){ .entry = t->want, .issued_s = t->issued_s };
		step_start(s);
	} else if (!image) {
		image_next(s);
	}
}

/* Content that is not what it should be comes out the same however often it is fetched. */
static bool is_final(enum err_code code)
{
	return code == ERR_DENIED || code == ERR_CONFLICT || code == ERR_INPUT;
}

/* The way by deltas does not lead there, or one of its objects is nowhere to be had: then the snapshot, and the other way round. */
static bool target_turns(const struct sync *s, const struct target *t, enum err_code code)
{
	if (code == ERR_MISSING)
		return t->failures >= TURN_FAILURES && s->work.is_delta != t->snapshot_only;
	return is_final(code) && s->work.is_delta && !t->snapshot_only;
}

static void target_failed(struct sync *s, struct target *t, const struct err *e)
{
	unsigned doublings = t->failures < 16 ? t->failures : 16;
	t->failures++;
	t->retry_ms = s->now_ms + sync_backoff(s, SYNC_RETRY_MS, doublings, SYNC_RETRY_MAX_MS);
	if (e->code == ERR_DENIED) {
		t->held = true;
	} else if (target_turns(s, t, e->code)) {
		t->snapshot_only = !t->snapshot_only;
		t->retry_ms = s->now_ms;
	} else if (is_final(e->code)) {
		t->retry_ms = s->now_ms + sync_backoff(s, SYNC_RETRY_MAX_MS, 0, SYNC_RETRY_MAX_MS);
	}
}

void target_end(struct sync *s, const struct err *e)
{
	struct target *t = target_find(s, s->work.entry.name);
	bool same = t != NULL && wants_same(&t->want, &s->work.entry);
	if (e != NULL) {
		sync_note(s, s->work.entry.name, e);
		if (s->work.entry.kind == HEAD_LIST)
			lists_fault(s->config.lists, s->work.entry.name, e->text);
		if (same)
			target_failed(s, t, e);
		/* For another attempt, unless the bytes are whole and wrong. */
		fetch_stop(s, is_final(e->code));
	} else {
		if (same)
			t->failures = 0;
		fetch_stop(s, true);
	}
	list_index_clear(&s->work.index);
	s->work = (struct work){ 0 };
	s->look_ms = s->now_ms;
}
