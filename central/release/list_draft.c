/*
 * A draft of a list: the file's rows become tags at once, so plain numbers stand nowhere but in the operator's file. Ten
 * million entries take 160 MB while this runs.
 */
#include "central/release/release.h"

#include "central/store/store.h"
#include "protocol/delta.h"
#include "protocol/segment_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REJECTS_KEPT 100000U /* all are counted */
#define DAY_S        86400
#define CHINA_S      28800

struct drafted {
	uint64_t tag;
	uint32_t value;
	uint32_t order;
};

struct kept_reject {
	uint64_t row;
	uint32_t field;
	const char *code; /* static */
	char zh[160], en[160];
	uint8_t *raw;
	size_t raw_len;
};

struct kept_shown {
	uint64_t tag;
	char masked[96];
};

struct drafting {
	struct release_context *c;
	const struct list_draft *d;
	struct release r;
	struct tag_key key;
	struct file_map base_map;
	bool has_base;
	struct segment base;
	uint64_t canary;
	struct drafted *entries;
	size_t entries_len, entries_cap;
	struct kept_reject *rejects;
	size_t rejects_len, rejects_cap;
	struct kept_shown *shown;
	size_t shown_len, shown_cap;
};

/* Room for one more; aborts without memory. */
static void *grown(void *items, size_t len, size_t *cap, size_t size)
{
	if (len < *cap)
		return items;
	*cap = *cap > 0 ? 2 * *cap : 256;
	items = realloc(items, *cap * size);
	if (items == NULL)
		abort();
	return items;
}

static void shown_keep(struct drafting *g, const struct import_entry *v, uint64_t tag)
{
	uint32_t held = 0;
	bool there = g->has_base && segment_find(&g->base, tag, &held);
	bool changes = g->d->mode == DRAFT_REMOVE ? there : !there || held != v->value;
	if (!changes || g->shown_len == RELEASE_SHOWN_MAX)
		return;
	g->shown = grown(g->shown, g->shown_len, &g->shown_cap, sizeof(*g->shown));
	struct kept_shown *s = &g->shown[g->shown_len++];
	s->tag = tag;
	identifier_mask(&v->id, s->masked, sizeof(s->masked));
}

static bool entry_take(void *arg, const struct import_entry *v, struct err *e)
{
	struct drafting *g = arg;
	if (g->entries_len == LIST_ENTRIES_MAX)
		return err_set(e, ERR_FULL, "more than %u entries", LIST_ENTRIES_MAX);
	uint64_t tag = tag_of(&g->key, &v->id);
	shown_keep(g, v, tag);
	g->entries = grown(g->entries, g->entries_len, &g->entries_cap, sizeof(*g->entries));
	g->entries[g->entries_len] = (struct drafted){ tag, v->value, (uint32_t)g->entries_len };
	g->entries_len++;
	return true;
}

static bool reject_take(void *arg, const struct import_reject *v, struct err *e)
{
	struct drafting *g = arg;
	(void)e;
	if (g->rejects_len == REJECTS_KEPT)
		return true;
	g->rejects = grown(g->rejects, g->rejects_len, &g->rejects_cap, sizeof(*g->rejects));
	struct kept_reject *k = &g->rejects[g->rejects_len++];
	*k = (struct kept_reject){ .row = v->row, .field = v->field, .code = v->code, .raw_len = v->raw.len };
	snprintf(k->zh, sizeof(k->zh), "%s", v->zh);
	snprintf(k->en, sizeof(k->en), "%s", v->en);
	k->raw = malloc(v->raw.len + 1);
	if (k->raw == NULL)
		abort();
	memcpy(k->raw, v->raw.data, v->raw.len);
	return true;
}

static int drafted_compare(const void *a, const void *b)
{
	const struct drafted *x = a, *y = b;
	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* Sorts and keeps the last of each tag. */
static void entries_settle(struct drafting *g)
{
	size_t to = 0;
	if (g->entries_len > 0)
		qsort(g->entries, g->entries_len, sizeof(*g->entries), drafted_compare);
	for (size_t i = 0; i < g->entries_len; i++) {
		if (i + 1 < g->entries_len && g->entries[i + 1].tag == g->entries[i].tag)
			g->r.duplicates++;
		else
			g->entries[to++] = g->entries[i];
	}
	g->entries_len = to;
}

/* The next entry of the base but its canary. */
static bool base_next(const struct drafting *g, struct segment_cursor *at, struct entry *out)
{
	bool more = segment_cursor_next(at, out);
	return more && out->tag == g->canary ? segment_cursor_next(at, out) : more;
}

/* The base without the file's entries. */
static size_t content_without(const struct drafting *g, struct entry *out)
{
	struct segment_cursor at;
	struct entry held;
	size_t i = 0, n = 0;
	segment_cursor_init(&at, &g->base);
	while (base_next(g, &at, &held)) {
		while (i < g->entries_len && g->entries[i].tag < held.tag)
			i++;
		if (i == g->entries_len || g->entries[i].tag != held.tag)
			out[n++] = held;
	}
	return n;
}

/* The file's entries, and of the base, unless it is replaced, what the file does not speak of. */
static size_t content_with(const struct drafting *g, struct entry *out)
{
	struct segment_cursor at;
	struct entry held = { 0 };
	size_t n = 0;
	bool more = g->has_base && g->d->mode == DRAFT_ADD;
	if (more) {
		segment_cursor_init(&at, &g->base);
		more = base_next(g, &at, &held);
	}
	for (size_t i = 0; i < g->entries_len; i++) {
		struct entry mine = { .tag = g->entries[i].tag, .value = g->entries[i].value };
		for (; more && held.tag < mine.tag; more = base_next(g, &at, &held))
			out[n++] = held;
		if (more && held.tag == mine.tag)
			more = base_next(g, &at, &held);
		out[n++] = mine;
	}
	for (; more; more = base_next(g, &at, &held))
		out[n++] = held;
	return n;
}

/* What the list holds afterwards. */
static struct entry *content_make(const struct drafting *g, size_t *len)
{
	struct entry *out = malloc((g->entries_len + (g->has_base ? g->base.head.entries : 0) + 1) * sizeof(*out));
	if (out == NULL)
		abort();
	*len = g->d->mode == DRAFT_REMOVE ? content_without(g, out) : content_with(g, out);
	return out;
}

static bool snapshot_write(struct release_context *c, const struct release *r, const struct draft_content *content,
			   struct entry canary, struct object_ref *ref, struct err *e)
{
	struct segment_head head = { .epoch = r->epoch,
				     .version = r->version,
				     .entries = (uint32_t)content->entries_len + 1 };
	struct segment_writer w;
	struct file_create file;
	char path[256];
	snprintf(head.name, sizeof(head.name), "%s", r->name);
	snprintf(path, sizeof(path), "%.200s/draft.tmp", c->objects->dir);
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
	return file_create_finish(&file, e) && objects_adopt(c->objects, path, ref, e);
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
static bool delta_make(struct release_context *c, struct release *r, const struct segment *new,
		       const uint8_t *base_hash, struct err *e)
{
	struct file_map map;
	struct segment base, delta;
	struct buf out;
	if (!objects_map(c->objects, base_hash, &map, e))
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
		ok = segment_open(buf_bytes(&out), &delta, e) &&
		     objects_put(c->objects, buf_bytes(&out), &r->delta, e);
		if (ok)
			delta_count(&delta, r);
	}
	buf_clear(&out);
	file_unmap(&map);
	return ok;
}

bool list_draft_store(struct release_context *c, struct release *r, const struct draft_content *content,
		      struct err *e)
{
	struct release now;
	struct tag_key key;
	struct file_map map;
	struct segment snapshot;
	uint32_t iterations = 0;
	uint8_t secret[32];
	if (!release_current(c, r->name, &now, e) || !release_epoch_load(c, r->epoch, &iterations, secret, e))
		return false;
	tag_key_init(&key, r->epoch, iterations, secret);
	explicit_bzero(secret, sizeof(secret));
	struct entry canary = { .tag = tag_canary(&key, r->name, 0), .value = entry_value(0, ENTRY_NO_END) };
	uint64_t miss = tag_canary(&key, r->name, 1);
	tag_key_wipe(&key);
	r->base_version = now.version;
	r->version = now.version + 1;
	r->count = content->entries_len + 1;
	if (!snapshot_write(c, r, content, canary, &r->content, e) ||
	    !objects_map(c->objects, r->content.hash, &map, e))
		return false;
	bool ok = segment_open(map.bytes, &snapshot, e);
	if (ok) {
		struct fingerprint f = { { 0, 0 } };
		fingerprint_apply(&f, &snapshot);
		fingerprint_encode(&f, r->fingerprint);
		if (now.version > 0)
			ok = delta_make(c, r, &snapshot, now.content.hash, e);
		else
			r->added = r->count;
	}
	file_unmap(&map);
	return ok && release_insert(c, r, e) &&
	       db_run(c->db, e, "UPDATE release SET canary_hit = ?, canary_miss = ? WHERE id = ?", "iii",
		      (int64_t)canary.tag, (int64_t)miss, r->id);
}

static bool reject_store(struct release_context *c, int64_t release, const struct kept_reject *k, struct err *e)
{
	struct buf sealed;
	buf_init(&sealed, k->raw_len + AEAD_OVERHEAD);
	bool ok = aead_seal(c->vault_key, c->random, bytes_of("xb/1/vault/reject"),
			    (struct bytes){ k->raw, k->raw_len }, &sealed, e) &&
		  db_run(c->db, e,
			 "INSERT INTO reject (release, row, field, code, zh, en, raw) VALUES (?, ?, ?, ?, ?, ?, ?)",
			 "iiitttb", release, (int64_t)k->row, (int64_t)k->field, k->code, k->zh, k->en,
			 buf_bytes(&sealed));
	buf_clear(&sealed);
	return ok;
}

static bool extras_store(struct drafting *g, struct err *e)
{
	for (size_t i = 0; i < g->rejects_len; i++) {
		if (!reject_store(g->c, g->r.id, &g->rejects[i], e))
			return false;
	}
	for (size_t i = 0; i < g->shown_len; i++) {
		if (!db_run(g->c->db, e,
			    "INSERT INTO shown (release, tag, masked) VALUES (?, ?, ?) ON CONFLICT (release, tag) DO "
			    "NOTHING",
			    "iit", g->r.id, (int64_t)g->shown[i].tag, g->shown[i].masked))
			return false;
	}
	return true;
}

static void drafting_clear(struct drafting *g)
{
	for (size_t i = 0; i < g->rejects_len; i++)
		free(g->rejects[i].raw);
	free(g->rejects);
	free(g->shown);
	free(g->entries);
	if (g->has_base)
		file_unmap(&g->base_map);
	tag_key_wipe(&g->key);
}

static bool drafting_start(struct drafting *g, struct err *e)
{
	const struct list_draft *d = g->d;
	struct release now;
	uint8_t secret[32];
	uint32_t iterations = 0;
	if (!name_is_valid(d->name))
		return err_set(e, ERR_INPUT, "a list's name is made of a-z, 0-9, - and _, at most %d of them",
			       NAME_MAX_LEN);
	g->r = (struct release){ .kind = RELEASE_LIST, .created_s = d->now_s };
	snprintf(g->r.name, sizeof(g->r.name), "%s", d->name);
	snprintf(g->r.source, sizeof(g->r.source), "%s", d->source);
	snprintf(g->r.created_by, sizeof(g->r.created_by), "%s", d->operator);
	if (!release_epoch_of(g->c, d->name, d->now_s, &g->r.epoch, e) ||
	    !release_epoch_load(g->c, g->r.epoch, &iterations, secret, e) || !release_current(g->c, d->name, &now, e))
		return false;
	tag_key_init(&g->key, g->r.epoch, iterations, secret);
	explicit_bzero(secret, sizeof(secret));
	g->canary = tag_canary(&g->key, d->name, 0);
	if (now.version == 0)
		return d->mode != DRAFT_REMOVE ||
		       err_set(e, ERR_MISSING, "list %s is not published yet: nothing to remove from", d->name);
	if (now.kind != RELEASE_LIST)
		return err_set(e, ERR_CONFLICT, "%s is a document, not a list", d->name);
	if (!objects_map(g->c->objects, now.content.hash, &g->base_map, e))
		return false;
	g->has_base = true;
	return segment_open(g->base_map.bytes, &g->base, e);
}

static bool draft_run(struct drafting *g, struct bytes file, struct err *e)
{
	const struct import_sink sink = { entry_take, reject_take, g };
	const struct list_draft *d = g->d;
	if (!drafting_start(g, e) ||
	    !import_run(file, d->format, d->reason, (d->now_s + CHINA_S) / DAY_S, &sink, &g->r.import, e))
		return false;
	if (g->entries_len == 0)
		return err_set(e, ERR_INPUT,
			       "the file gives no entry at all (%llu rows, %llu rejected): nothing is imported",
			       (unsigned long long)g->r.import.rows, (unsigned long long)g->r.import.rejects);
	entries_settle(g);
	struct draft_content content = { 0 };
	struct entry *merged = content_make(g, &content.entries_len);
	content.entries = merged;
	bool ok = list_draft_store(g->c, &g->r, &content, e) && extras_store(g, e);
	free(merged);
	return ok;
}

bool list_draft_import(struct release_context *c, const struct list_draft *d, struct bytes file, int64_t *id,
		       struct err *e)
{
	struct drafting g = { .c = c, .d = d };
	if (!db_begin(c->db, e))
		return false;
	bool ok = draft_run(&g, file, e) && db_commit(c->db, e);
	if (!ok)
		db_rollback(c->db);
	*id = g.r.id;
	drafting_clear(&g);
	return ok;
}

bool draft_mode_of(const char *name, enum draft_mode *m)
{
	static const char *const names[] = { "replace", "add", "remove" };
	for (size_t i = 0; i < 3; i++) {
		if (strcmp(name, names[i]) == 0) {
			*m = (enum draft_mode)(i + 1);
			return true;
		}
	}
	return false;
}
