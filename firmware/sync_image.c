/*
 * The box's image: fetched into the slot that is not running while no list or document waits for its turn, read back, handed over to
 * be tried. What is decided stands in updates.c; here is when. A fetch that something else interrupts, or a restart, goes on
 * with the chunks that are there.
 */
#include "firmware/sync_state.h"

#include <stdlib.h>
#include <string.h>

/* The document for this box, once for each version of it. */
static void image_document(struct sync *s)
{
	struct updates *u = s->config.updates;
	const char *name = updates_name(u);
	uint64_t version = *name != '\0' ? documents_version(s->config.documents, name) : 0;
	struct buf bytes;
	struct err e = { 0 };
	if (version == 0 || version == updates_document_version(u))
		return;
	buf_init(&bytes, DOCUMENT_MAX);
	if (documents_read(s->config.documents, name, &bytes, &e)) {
		updates_document(u, version, buf_bytes(&bytes));
		s->image.failures = 0;
		s->image.retry_ms = s->now_ms;
	} else {
		sync_note(s, name, &e);
	}
	buf_clear(&bytes);
}

static void image_failed(struct sync *s, const struct err *e)
{
	struct image *m = &s->image;
	bool denied = e->code == ERR_DENIED || e->code == ERR_CONFLICT || e->code == ERR_INPUT;
	sync_note(s, "image", e);
	updates_wait(s->config.updates, e);
	m->retry_ms =
		s->now_ms + sync_backoff(s, SYNC_RETRY_MS, m->failures < 16 ? m->failures : 16, SYNC_RETRY_MAX_MS);
	m->failures++;
	fetch_stop(s, denied);
	s->work = (struct work){ 0 };
}

/* What had come of this very image before. */
static void image_take_up(struct sync *s)
{
	struct image *m = &s->image;
	struct fetch *f = &s->fetch;
	if (m->have != NULL && memcmp(m->hash, f->ref.hash, HASH_LEN) == 0) {
		memcpy(f->have, m->have, f->chunks);
		for (uint32_t i = 0; i < f->chunks; i++)
			f->got += f->have[i];
		f->scanned = f->chunks;
	}
	free(m->have);
	m->have = NULL;
}

void image_next(struct sync *s)
{
	struct updates *u = s->config.updates;
	struct err e = { 0 };
	const char *path;
	if (u == NULL)
		return;
	image_document(s);
	const struct object_ref *wanted = updates_wanted(u);
	/* Nothing is begun on the word of a head that is not the newest. */
	if (wanted == NULL || !s->has_head || !s->info.up || s->now_ms < s->image.retry_ms)
		return;
	s->work = (struct work){ .step = STEP_IMAGE };
	if (updates_begin(u, &path, &e) && fetch_start_in(s, wanted, path, &e))
		image_take_up(s);
	else
		image_failed(s, &e);
}

void image_pause(struct sync *s)
{
	struct image *m = &s->image;
	struct fetch *f = &s->fetch;
	if (f->scanned == f->chunks) {
		memcpy(m->hash, f->ref.hash, HASH_LEN);
		m->have = f->have;
		f->have = NULL;
	}
	updates_wait(s->config.updates, NULL);
	fetch_stop(s, false);
	s->work = (struct work){ 0 };
}

static int64_t image_fetching(struct sync *s)
{
	int64_t due_ms;
	struct err e;
	enum fetch_state state = fetch_run(s, &due_ms);
	updates_progress(s->config.updates, s->fetch.got, s->fetch.chunks);
	switch (state) {
	case FETCH_GOING: return due_ms > s->now_ms ? due_ms : s->now_ms + 1; /* hashing: a slice a turn */
	case FETCH_DONE: s->work.step = STEP_IMAGE_CHECK; return s->now_ms;
	case FETCH_FAILED: break;
	}
	e = s->fetch.err;
	image_failed(s, &e);
	return s->now_ms;
}

static int64_t image_checking(struct sync *s)
{
	struct updates *u = s->config.updates;
	struct err e = { 0 };
	bool done = false;
	if (!updates_check(u, &done, &e) || (done && !updates_install(u, &e))) {
		image_failed(s, &e);
	} else if (done) {
		s->image.failures = 0;
		fetch_stop(s, true);
		s->work = (struct work){ 0 };
	}
	return s->now_ms + 1; /* a slice a turn */
}

int64_t image_run(struct sync *s)
{
	return s->work.step == STEP_IMAGE ? image_fetching(s) : image_checking(s);
}
