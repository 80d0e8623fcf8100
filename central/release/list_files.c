/*
 * The objects of a list's draft: its snapshot, and the delta from the version in force. They are on disk before any row names them.
 */
#include "central/release/list_inner.h"

#include "protocol/delta.h"
#include "protocol/segment_write.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool snapshot_write(struct objects *o, const struct release *r, const struct draft_content *content,
			   struct entry canary, struct object_ref *ref, struct err *e)
{
	struct segment_head head = { .epoch = r->epoch,
				     .version = r->version,
				     .entries = (uint32_t)content->entries_len + 1 };
	struct segment_writer w;
	struct file_create file;
	char path[256];
	snprintf(head.name, sizeof(head.name), "%s", r->name);
	/* A worker may make another list meanwhile. */
	snprintf(path, sizeof(path), "%.200s/draft-%d.tmp", o->dir, (int)getpid());
	if (!file_create(path, segment_layout(head.entries, false).size, &file, e))
		return false;
	bool ok = segment_writer_init(&w, &head, file.data, e), placed = false;
	for (size_t i = 0; ok && i < content->entries_len; i++) {
		if (!placed && content->entries[i].tag > canary.tag) {
			ok = segment_writer_add(&w, canary, e);
			placed = true;
		}
		ok = ok && segment_writer_add(&w, content->entries[i], e);
	}
	ok = ok && (placed || segment_writer_add(&w, canary, e)) && segment_writer_finish(&w, e);
	if (!ok) {
		file_create_abort(&file);
		return false;
	}
	return file_create_finish(&file, e) && objects_adopt(o, path, ref, e);
}

static void delta_count(const struct segment *delta, struct release *r)
{
	struct segment_cursor at;
	struct entry v, before = { 0 };
	bool first = true;
	segment_cursor_init(&at, delta);
	while (segment_cursor_next(&at, &v)) {
		if (!entry_is_removal(v)) {
			r->added++;
		} else if (!first && before.tag == v.tag) {
			r->added--;
			r->changed++;
		} else {
			r->removed++;
		}
		before = v;
		first = false;
	}
}

/* The delta from the published version, its object and counts. Between lists so large and so different that it would not fit an
   object there is none: branches then take the snapshot, and to the guard all of it changes. */
static bool delta_make(struct objects *o, struct release *r, const struct segment *new, const uint8_t *base_hash,
		       struct err *e)
{
	struct file_map map;
	struct segment base, delta;
	struct buf out;
	if (!objects_map(o, base_hash, &map, e))
		return false;
	buf_init(&out, OBJECT_MAX);
	struct err why = { 0 };
	bool ok = segment_open(map.bytes, &base, e);
	r->base_count = ok ? base.head.entries : 0;
	if (ok && !delta_build(&base, new, &out, &why)) {
		r->added = r->count;
		r->removed = r->base_count;
		ok = why.code == ERR_FULL || err_set(e, why.code, "%s", why.text);
	} else if (ok) {
		ok = segment_open(buf_bytes(&out), &delta, e) && objects_put(o, buf_bytes(&out), &r->delta, e);
		if (ok)
			delta_count(&delta, r);
	}
	buf_clear(&out);
	file_unmap(&map);
	return ok;
}

bool list_files_make(struct objects *o, const struct list_base *b, struct release *r,
		     const struct draft_content *content, struct err *e)
{
	struct entry canary = { .tag = b->canary_hit, .value = entry_value(0, ENTRY_NO_END) };
	struct file_map map;
	struct segment snapshot;
	r->base_version = b->now.version;
	r->version = b->now.version + 1;
	r->count = content->entries_len + 1;
	if (!snapshot_write(o, r, content, canary, &r->content, e) || !objects_map(o, r->content.hash, &map, e))
		return false;
	bool ok = segment_open(map.bytes, &snapshot, e);
	if (ok) {
		struct fingerprint f = { { 0, 0 } };
		fingerprint_apply(&f, &snapshot);
		fingerprint_encode(&f, r->fingerprint);
		if (b->now.version > 0)
			ok = delta_make(o, r, &snapshot, b->now.content.hash, e);
		else
			r->added = r->count;
	}
	file_unmap(&map);
	return ok;
}

bool list_base_load(struct release_context *c, const struct release *r, struct list_base *b, struct err *e)
{
	uint32_t iterations = 0;
	uint8_t secret[32];
	if (!release_current(c, r->name, &b->now, e) || !release_epoch_load(c, r->epoch, &iterations, secret, e))
		return false;
	tag_key_init(&b->key, r->epoch, iterations, secret);
	explicit_bzero(secret, sizeof(secret));
	b->canary_hit = tag_canary(&b->key, r->name, 0);
	b->canary_miss = tag_canary(&b->key, r->name, 1);
	return true;
}

bool list_draft_store(struct release_context *c, struct release *r, const struct draft_content *content,
		      struct err *e)
{
	struct list_base b;
	if (!list_base_load(c, r, &b, e))
		return false;
	tag_key_wipe(&b.key);
	return list_files_make(c->objects, &b, r, content, e) &&
	       release_insert(c, r, b.canary_hit, b.canary_miss, false, e);
}
