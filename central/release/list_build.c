/*
 * A list's file, or an old version of it, becomes a draft's objects: by a worker, which has no database. The file's rows become tags at
 * once, so plain numbers stand nowhere but in the operator's file. Ten million entries take 160 MB while this runs, and their merge with
 * the version in force as much again.
 */
#include "central/release/list_inner.h"

#include "protocol/base/worker.h"
#include "protocol/cbor.h"
#include "protocol/segment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REJECTS_KEPT   100000U   /* all are counted */
#define REJECTS_BYTES  67108864U /* of rows kept, as they came */
#define PROGRESS_EVERY 65536U    /* rows */
#define DAY_S          86400
#define CHINA_S        28800

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
	const struct list_plan *p;
	struct release r;
	struct file_map base_map;
	bool has_base;
	struct segment base;
	uint64_t lines; /* of the file, about */
	struct drafted *entries;
	size_t entries_len, entries_cap;
	struct kept_reject *rejects;
	size_t rejects_len, rejects_cap, rejects_bytes;
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
	bool changes = g->p->mode == DRAFT_REMOVE ? there : !there || held != v->value;
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
	if (v->row % PROGRESS_EVERY == 0)
		worker_progress(v->row, g->lines);
	uint64_t tag = tag_of(&g->p->base.key, &v->id);
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
	if (g->rejects_len == REJECTS_KEPT || v->raw.len > REJECTS_BYTES - g->rejects_bytes)
		return true;
	g->rejects_bytes += v->raw.len;
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
	return more && out->tag == g->p->base.canary_hit ? segment_cursor_next(at, out) : more;
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
	bool more = g->has_base && g->p->mode == DRAFT_ADD;
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
	*len = g->p->mode == DRAFT_REMOVE ? content_without(g, out) : content_with(g, out);
	return out;
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
}

/* --- what is reported --- */

static bool reject_write(const struct drafting *g, const struct kept_reject *k, struct buf *out, struct err *e)
{
	struct buf sealed;
	buf_init(&sealed, k->raw_len + AEAD_OVERHEAD);
	bool ok = aead_seal(g->p->c->vault_key, g->p->c->random, bytes_of("xb/1/vault/reject"),
			    (struct bytes){ k->raw, k->raw_len }, &sealed, e);
	cbor_put_array(out, 6);
	cbor_put_uint(out, k->row);
	cbor_put_uint(out, k->field);
	cbor_put_text(out, k->code);
	cbor_put_text(out, k->zh);
	cbor_put_text(out, k->en);
	cbor_put_bytes(out, buf_bytes(&sealed));
	buf_clear(&sealed);
	return ok;
}

static bool built_write(const struct drafting *g, struct buf *out, struct err *e)
{
	const struct list_built head = { g->r, g->rejects_len, g->shown_len };
	buf_add(out, &head, sizeof(head));
	for (size_t i = 0; i < g->rejects_len; i++)
		if (!reject_write(g, &g->rejects[i], out, e))
			return false;
	for (size_t i = 0; i < g->shown_len; i++) {
		cbor_put_array(out, 2);
		cbor_put_uint(out, g->shown[i].tag);
		cbor_put_text(out, g->shown[i].masked);
	}
	return buf_ok(out, "the draft", e);
}

/* --- the two ways to a list's content --- */

static bool import_build(struct drafting *g, struct bytes file, struct err *e)
{
	const struct import_sink sink = { entry_take, reject_take, g };
	const struct list_plan *p = g->p;
	for (const uint8_t *at = file.data, *end = at + file.len;
	     at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
		g->lines++;
	if (!import_run(file, p->format, p->reason, (p->r.created_s + CHINA_S) / DAY_S, &sink, &g->r.import, e))
		return false;
	if (g->entries_len == 0)
		return err_set(e, ERR_INPUT,
			       "the file gives no entry at all (%llu rows, %llu rejected): nothing is imported",
			       (unsigned long long)g->r.import.rows, (unsigned long long)g->r.import.rejects);
	entries_settle(g);
	struct draft_content content = { 0 };
	struct entry *merged = content_make(g, &content.entries_len);
	content.entries = merged;
	bool ok = list_files_make(p->c->objects, &p->base, &g->r, &content, e);
	free(merged);
	return ok;
}

/* The entries of the old snapshot but its canary. */
static bool again_build(struct drafting *g, struct err *e)
{
	const struct list_plan *p = g->p;
	struct file_map map;
	struct segment old;
	struct segment_cursor at;
	struct entry v;
	struct draft_content content = { 0 };
	if (!objects_map(p->c->objects, p->old.content.hash, &map, e))
		return false;
	bool ok = segment_open(map.bytes, &old, e);
	if (ok) {
		struct entry *entries = malloc(((size_t)old.head.entries + 1) * sizeof(*entries));
		if (entries == NULL)
			abort();
		segment_cursor_init(&at, &old);
		while (segment_cursor_next(&at, &v))
			if (v.tag != p->old_canary)
				entries[content.entries_len++] = v;
		content.entries = entries;
		ok = list_files_make(p->c->objects, &p->base, &g->r, &content, e);
		free(entries);
	}
	file_unmap(&map);
	return ok;
}

static bool base_map(struct drafting *g, struct err *e)
{
	const struct list_plan *p = g->p;
	if (p->again || p->base.now.version == 0)
		return true;
	if (!objects_map(p->c->objects, p->base.now.content.hash, &g->base_map, e))
		return false;
	g->has_base = true;
	return segment_open(g->base_map.bytes, &g->base, e);
}

bool list_plan_build(const struct list_plan *p, struct bytes file, struct buf *out, struct err *e)
{
	struct drafting g = { .p = p, .r = p->r };
	bool ok = base_map(&g, e) && (p->again ? again_build(&g, e) : import_build(&g, file, e)) &&
		  built_write(&g, out, e);
	drafting_clear(&g);
	return ok;
}
