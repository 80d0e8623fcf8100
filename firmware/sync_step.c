/*
 * One target's way: a document is fetched and applied. A list first needs the key of its epoch; then its index says which
 * deltas lead from what we have to what the head names, and the cheaper of them and the snapshot is fetched, applied, and so
 * on until we are there. The entry is the one the way began with: a head that moves on in the meantime is the next way's.
 */
#include "firmware/sync_state.h"
#include "protocol/base/file.h"
#include "protocol/segment.h"

#include <stdlib.h>
#include <string.h>

#define APPLYING_MS 20 /* how often to look whether a child has come to an end */
#define KEY_ASKS    6

static void step_fail(struct sync *s, enum err_code code, const char *why)
{
	struct err e = { 0 };
	err_set(&e, code, "%s", why);
	target_end(s, &e);
}

static void step_fetch(struct sync *s, enum step step, const struct object_ref *ref)
{
	struct err e = { 0 };
	s->work.step = step;
	if (!fetch_start(s, ref, &e))
		target_end(s, &e);
}

static void step_snapshot(struct sync *s)
{
	const struct head_entry *entry = &s->work.entry;
	s->work.is_delta = false;
	if (entry->count > LIST_ENTRIES_MAX ||
	    entry->object.size != segment_layout((uint32_t)entry->count, false).size)
		step_fail(s, ERR_INPUT, "a snapshot cannot have this size for this many entries");
	else
		step_fetch(s, STEP_SNAPSHOT, &entry->object);
}

static void step_hop(struct sync *s)
{
	s->work.is_delta = true;
	step_fetch(s, STEP_DELTA, &s->work.index.edges[s->work.plan.edges[s->work.hop]].object);
}

/* With the key at hand. */
static void step_way(struct sync *s)
{
	const struct head_entry *entry = &s->work.entry;
	const struct target *t = target_find(s, entry->name);
	uint32_t epoch = 0;
	uint64_t have = lists_version(s->config.lists, entry->name, &epoch);
	bool snapshot_only = t != NULL && t->snapshot_only;
	if (have == entry->version && epoch == entry->epoch && !snapshot_only)
		target_end(s, NULL); /* only the key was missing */
	else if (have == 0 || have > entry->version || epoch != entry->epoch || snapshot_only ||
		 entry->object.size <= entry->index.size)
		step_snapshot(s);
	else {
		s->work.is_delta = true; /* a snapshot needs no index */
		step_fetch(s, STEP_INDEX, &entry->index);
	}
}

void step_start(struct sync *s)
{
	const struct head_entry *entry = &s->work.entry;
	struct err e = { 0 };
	if (entry->kind == HEAD_DOCUMENT && entry->object.size > DOCUMENT_MAX)
		step_fail(s, ERR_INPUT, "a document of this size");
	else if (entry->kind == HEAD_DOCUMENT)
		step_fetch(s, STEP_DOCUMENT, &entry->object);
	else if (!lists_guard(s->config.lists, entry, &e))
		target_end(s, &e);
	else if (lists_has_epoch(s->config.lists, entry->epoch))
		step_way(s);
	else
		s->work.step = STEP_KEY;
}

/* The key */

static int64_t step_ask_key(struct sync *s)
{
	struct work *w = &s->work;
	struct buf body;
	if (!s->info.up)
		return SYNC_NEVER;
	if (s->now_ms < w->asked_ms)
		return w->asked_ms;
	if (w->asks == KEY_ASKS) {
		step_fail(s, ERR_MISSING, "central does not send the key of the epoch");
		return s->now_ms;
	}
	buf_init(&body, 16);
	cbor_put_uint(&body, w->entry.epoch);
	bool sent = ask_send(s, QUERY_EPOCH_KEY, buf_bytes(&body));
	buf_clear(&body);
	w->asked_ms = s->now_ms + (sent ? sync_backoff(s, SYNC_WAIT_MS, w->asks++, SYNC_WAIT_MAX_MS) : 1000);
	return w->asked_ms;
}

static bool key_take(struct sync *s, struct bytes sealed, struct err *e)
{
	const struct sync_identity *me = &s->config.identity;
	uint32_t epoch, iterations;
	uint8_t secret[32];
	if (!tag_key_unseal(sealed, me->branch, me->seal_scalar, me->seal_point, &epoch, &iterations, secret, e))
		return false;
	bool ok = epoch == s->work.entry.epoch || err_set(e, ERR_CONFLICT, "it is the key of epoch %u", epoch);
	ok = ok && lists_add_epoch(s->config.lists, epoch, iterations, secret, e);
	explicit_bzero(secret, sizeof(secret));
	return ok;
}

void step_key(struct sync *s, const struct reply *r)
{
	struct err e = { 0 };
	if (s->work.step != STEP_KEY)
		return;
	if (r->status != ERR_NONE)
		err_set(&e, ERR_MISSING, "central does not give the key of the epoch: %.150s", r->text);
	else if (!key_take(s, r->body, &e))
		e.code = ERR_MISSING; /* another answer may be better */
	if (e.code != ERR_NONE)
		target_end(s, &e);
	else
		step_way(s);
}

/* What has been fetched */

static bool fetched(struct sync *s, struct buf *out, struct err *e)
{
	buf_init(out, DOCUMENT_MAX);
	if (!file_read(s->fetch.part, out, e))
		return false;
	uint8_t hash[HASH_LEN];
	sha256(buf_bytes(out), hash);
	if (out->len != s->fetch.ref.size || memcmp(hash, s->fetch.ref.hash, HASH_LEN) != 0)
		return err_set(e, ERR_INPUT, "the object's SHA-256 is not the one signed");
	return true;
}

static void step_document(struct sync *s)
{
	struct buf bytes;
	struct err e = { 0 };
	const struct head_entry *entry = &s->work.entry;
	bool ok = fetched(s, &bytes, &e) &&
		  documents_apply(s->config.documents, entry->name, entry->version, buf_bytes(&bytes), &e) &&
		  (s->work.issued_s < 0 ||
		   documents_confirm(s->config.documents, entry->name, entry->version, s->work.issued_s, &e));
	buf_clear(&bytes);
	target_end(s, ok ? NULL : &e);
}

/* The index is of this list, version and epoch, and says which way to go. */
static bool index_plan(struct sync *s, struct err *e)
{
	struct work *w = &s->work;
	const struct list_index *x = &w->index;
	uint32_t epoch = 0;
	if (strcmp(x->name, w->entry.name) != 0 || x->version != w->entry.version || x->epoch != w->entry.epoch)
		return err_set(e, ERR_INPUT, "the index is of another list, version or epoch");
	struct plan_edge *edges = calloc(x->edges_len + 1, sizeof(*edges));
	if (edges == NULL)
		abort();
	for (size_t i = 0; i < x->edges_len; i++)
		edges[i] = (struct plan_edge){ x->edges[i].from, x->edges[i].to, x->edges[i].object.size };
	w->plan = plan_choose(edges, x->edges_len, lists_version(s->config.lists, w->entry.name, &epoch),
			      w->entry.version, w->entry.object.size);
	free(edges);
	return true;
}

static void step_index(struct sync *s)
{
	struct buf bytes;
	struct err e = { 0 };
	struct work *w = &s->work;
	bool ok = fetched(s, &bytes, &e) && list_index_decode(buf_bytes(&bytes), &w->index, &e) && index_plan(s, &e);
	buf_clear(&bytes);
	if (!ok) {
		target_end(s, &e);
		return;
	}
	fetch_stop(s, true);
	if (w->plan.kind == PLAN_DELTAS)
		step_hop(s);
	else if (w->plan.kind == PLAN_SNAPSHOT)
		step_snapshot(s);
	else
		target_end(s, NULL);
}

/* Applying */

static void step_applied(void *arg, const struct err *e)
{
	struct sync *s = arg;
	s->work.applied = *e;
	s->work.is_applied = true;
}

static int64_t step_apply(struct sync *s)
{
	struct work *w = &s->work;
	if (!lists_ready(s->config.lists, w->entry.name))
		return s->now_ms + APPLYING_MS;
	struct lists_step step = { .entry = &w->entry,
				   .edge = w->is_delta ? &w->index.edges[w->plan.edges[w->hop]] : NULL,
				   .issued_s = w->issued_s,
				   .path = s->fetch.part,
				   .done = step_applied,
				   .arg = s };
	w->step = STEP_APPLYING;
	lists_apply(s->config.lists, &step);
	return s->now_ms;
}

static int64_t step_end_apply(struct sync *s)
{
	struct work *w = &s->work;
	if (!w->is_applied)
		return s->now_ms + APPLYING_MS;
	w->is_applied = false;
	if (w->applied.code != ERR_NONE) {
		struct err e = w->applied;
		target_end(s, &e);
		return s->now_ms;
	}
	s->info.deltas += w->is_delta;
	s->info.snapshots += !w->is_delta;
	if (w->is_delta && ++w->hop < w->plan.edges_len) {
		fetch_stop(s, true);
		step_hop(s);
	} else {
		target_end(s, NULL);
	}
	return s->now_ms;
}

static int64_t step_fetching(struct sync *s)
{
	int64_t due_ms;
	enum step step = s->work.step;
	switch (fetch_run(s, &due_ms)) {
	case FETCH_GOING: return due_ms;
	case FETCH_FAILED: {
		struct err e = s->fetch.err;
		target_end(s, &e);
		return s->now_ms;
	}
	case FETCH_DONE: break;
	}
	if (step == STEP_DOCUMENT)
		step_document(s);
	else if (step == STEP_INDEX)
		step_index(s);
	else
		s->work.step = STEP_READY;
	return s->now_ms;
}

int64_t step_run(struct sync *s)
{
	switch (s->work.step) {
	case STEP_NONE: return SYNC_NEVER;
	case STEP_KEY: return step_ask_key(s);
	case STEP_INDEX:
	case STEP_DELTA:
	case STEP_SNAPSHOT:
	case STEP_DOCUMENT: return step_fetching(s);
	case STEP_READY: return step_apply(s);
	case STEP_APPLYING: return step_end_apply(s);
	case STEP_IMAGE:
	case STEP_IMAGE_CHECK: return image_run(s);
	}
	return SYNC_NEVER;
}
