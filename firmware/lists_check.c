#include "firmware/lists_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DIFF_SLICE 512

/* Durable before it is renamed. */
static bool file_flush(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, ERR_IO, "open %.120s: %s", path, strerror(errno));
	bool ok = fsync(fd) == 0 ||
		  err_set(e, errno == ENOSPC ? ERR_FULL : ERR_IO, "sync %.120s: %s", path, strerror(errno));
	close(fd);
	return ok;
}

/* The file is the object, byte for byte. */
static bool object_is(struct bytes bytes, const struct object_ref *ref, struct err *e)
{
	uint8_t hash[HASH_LEN];
	if (bytes.len != ref->size)
		return err_set(e, ERR_INPUT, "it has %zu bytes instead of %llu", bytes.len,
			       (unsigned long long)ref->size);
	sha256(bytes, hash);
	if (memcmp(hash, ref->hash, HASH_LEN) != 0)
		return err_set(e, ERR_INPUT, "its SHA-256 is not what the head names");
	return true;
}

/* What the segment says of itself is what it was fetched as. */
static bool segment_is(const struct segment *s, const struct head_entry *entry, uint64_t version, bool delta,
		       struct err *e)
{
	if (s->head.delta != delta || strcmp(s->head.name, entry->name) != 0)
		return err_set(e, ERR_INPUT, "it is no %s of this list", delta ? "delta" : "snapshot");
	if (s->head.epoch != entry->epoch || s->head.version != version)
		return err_set(e, ERR_INPUT, "it gives version %llu of epoch %u", (unsigned long long)s->head.version,
			       s->head.epoch);
	return true;
}

static bool result_is(const struct lists_result *r, uint64_t count, const uint8_t fingerprint[FINGERPRINT_BYTES],
		      struct err *e)
{
	struct fingerprint promised;
	fingerprint_decode(fingerprint, &promised);
	if (r->count != count)
		return err_set(e, ERR_CONFLICT, "it leads to %llu entries, the head says %llu",
			       (unsigned long long)r->count, (unsigned long long)count);
	if (!fingerprint_equal(&promised, &r->fingerprint))
		return err_set(e, ERR_CONFLICT, "it leads to another content than the head says");
	return true;
}

/* Tags that a delta changes: one whose value it replaces counts once. */
static uint64_t delta_changes(const struct segment *s)
{
	struct segment_cursor c;
	struct entry entry;
	uint64_t changes = 0, last = 0;
	segment_cursor_init(&c, s);
	while (segment_cursor_next(&c, &entry)) {
		if (changes == 0 || entry.tag != last)
			changes++;
		last = entry.tag;
	}
	return changes;
}

static bool check_delta(struct lists *l, const struct segment *s, struct lists_result *r)
{
	const struct lists_work *w = &l->work;
	struct list_view *v = w->list->view;
	struct err *e = &r->err;
	if (!segment_is(s, &w->entry, w->edge.to, true, e) || !segment_check(s, e) ||
	    !layers_check_delta(&v->layers, s, e))
		return false;
	r->fingerprint = w->list->fingerprint;
	fingerprint_apply(&r->fingerprint, s);
	r->count = w->list->count + s->head.entries - 2 * (uint64_t)s->head.removals;
	r->changes = w->list->start_changes + delta_changes(s);
	if (!result_is(r, w->edge.count_to, w->edge.fingerprint_to, e))
		return false;
	if (w->edge.to == w->entry.version && !result_is(r, w->entry.count, w->entry.fingerprint, e))
		return false;
	if (!list_guard(w->list, &w->entry, w->edge.to, r->count, r->changes, e) || !file_flush(w->path, e))
		return false;
	/* Tags more in a filter than there need be do no harm should the switch fail. */
	list_view_fill(v, s);
	r->crowded = v->crowded;
	return true;
}

void lists_check_delta(struct lists *l, struct lists_result *r)
{
	struct file_map map;
	struct segment s;
	if (!file_map(l->work.path, &map, &r->err))
		return;
	if (object_is(map.bytes, &l->work.edge.object, &r->err) && segment_open(map.bytes, &s, &r->err) &&
	    !check_delta(l, &s, r))
		err_wrap(&r->err, "delta to version %llu", (unsigned long long)l->work.edge.to);
	file_unmap(&map);
}

/* Tags added, taken away or of another value, between what serves and a snapshot. */
static uint64_t snapshot_changes(const struct layers *old, const struct segment *new)
{
	struct layers_merge merge;
	struct segment_cursor c;
	struct entry slice[DIFF_SLICE], next = { 0, 0 };
	size_t got;
	uint64_t changes = 0;
	layers_merge_init(&merge, old);
	segment_cursor_init(&c, new);
	bool more = segment_cursor_next(&c, &next);
	while (layers_merge_next(&merge, slice, DIFF_SLICE, &got)) {
		for (size_t i = 0; i < got; i++) {
			for (; more && next.tag < slice[i].tag; more = segment_cursor_next(&c, &next))
				changes++;
			bool kept = more && next.tag == slice[i].tag;
			if (!kept || next.value != slice[i].value)
				changes++;
			if (kept)
				more = segment_cursor_next(&c, &next);
		}
	}
	for (; more; more = segment_cursor_next(&c, &next))
		changes++;
	return changes;
}

static bool check_snapshot(struct lists *l, const struct segment *s, struct lists_result *r)
{
	const struct lists_work *w = &l->work;
	const struct list *list = w->list;
	struct err *e = &r->err;
	if (!segment_is(s, &w->entry, w->entry.version, false, e) || !segment_check(s, e))
		return false;
	fingerprint_apply(&r->fingerprint, s);
	r->count = s->head.entries;
	if (!result_is(r, w->entry.count, w->entry.fingerprint, e))
		return false;
	/* Under another epoch's key every tag is another one. */
	if (list->view != NULL && list->epoch == w->entry.epoch)
		r->changes = snapshot_changes(&list->view->layers, s);
	if (!list_guard(list, &w->entry, w->entry.version, r->count, r->changes, e) || !file_flush(w->path, e))
		return false;
	return filter_add_segment(&w->next->filter, s, e);
}

void lists_check_snapshot(struct lists *l, struct lists_result *r)
{
	struct file_map map;
	struct segment s;
	if (!file_map(l->work.path, &map, &r->err))
		return;
	if (object_is(map.bytes, &l->work.entry.object, &r->err) && segment_open(map.bytes, &s, &r->err) &&
	    !check_snapshot(l, &s, r))
		err_wrap(&r->err, "snapshot of version %llu", (unsigned long long)l->work.entry.version);
	file_unmap(&map);
}
