/* Drafts that come from no list file: documents, and rollbacks of either kind. Also what an operator looks at before deciding. */
#include "central/release/document.h"
#include "central/release/release.h"
#include "central/store/store.h"
#include "protocol/update.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The document type that a name's content must prove to be; other names are carried unread. */
static const char *document_type(const char *name)
{
	if (release_family_of(name, RELEASE_INPUTS) != NULL)
		return "inputs";
	static const char *const types[] = { "rules", "catalogue", "issuers", "kinds", "carbon", "guarantee" };
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(name, types[i]) == 0)
			return types[i];
	return NULL;
}

bool release_document_insert(struct release_context *c, struct release *r, struct err *e)
{
	struct release now;
	if (!release_current(c, r->name, &now, e))
		return false;
	if (now.version > 0 && now.kind != r->kind)
		return err_set(e, ERR_CONFLICT, "%s is %s: choose another name", r->name,
			       now.kind == RELEASE_LIST       ? "a list, not a document"
			       : now.kind == RELEASE_DOCUMENT ? "a document that branches have"
							      : "of central alone");
	r->base_version = now.version;
	r->version = now.version + 1;
	r->base_count = now.version > 0;
	r->count = 1;
	r->changed = now.version > 0 && memcmp(now.content.hash, r->content.hash, HASH_LEN) != 0;
	r->added = now.version == 0;
	return release_insert(c, r, e);
}

bool document_draft_import(struct release_context *c, const char *name, const char *source, struct bytes json,
			   const char *operator, int64_t now_s, int64_t *id, struct err *e)
{
	bool central = release_family_of(name, RELEASE_INPUTS) != NULL;
	struct release r = { .kind = central ? RELEASE_CENTRAL : RELEASE_DOCUMENT, .created_s = now_s };
	struct buf cbor;
	if (!name_is_valid(name))
		return err_set(e, ERR_INPUT, "a document's name is made of a-z, 0-9, - and _, at most %d of them",
			       NAME_MAX_LEN);
	if (update_arch_of(name) != NULL)
		return err_set(e, ERR_DENIED, "%s names an image, which comes with it: centralctl update import",
			       name);
	if (release_family_of(name, RELEASE_MODEL) != NULL)
		return err_set(e, ERR_DENIED, "%s is a model's: centralctl model import %s FILE.pmml", name,
			       release_family_of(name, RELEASE_MODEL));
	snprintf(r.name, sizeof(r.name), "%s", name);
	snprintf(r.source, sizeof(r.source), "%s", source);
	snprintf(r.created_by, sizeof(r.created_by), "%s", operator);
	buf_init(&cbor, DOCUMENT_MAX);
	bool ok = document_from_json(json, document_type(name), &cbor, e) &&
		  objects_put(c->objects, buf_bytes(&cbor), &r.content, e) && db_begin(c->db, e);
	if (ok) {
		ok = release_document_insert(c, &r, e) && db_commit(c->db, e);
		if (!ok)
			db_rollback(c->db);
	}
	buf_clear(&cbor);
	*id = r.id;
	return ok;
}

/* The entries of a snapshot but its canary. */
static struct entry *entries_of(const struct segment *s, uint64_t canary, size_t *len)
{
	struct segment_cursor at;
	struct entry v, *out = malloc(((size_t)s->head.entries + 1) * sizeof(*out));
	if (out == NULL)
		abort();
	*len = 0;
	segment_cursor_init(&at, s);
	while (segment_cursor_next(&at, &v)) {
		if (v.tag != canary)
			out[(*len)++] = v;
	}
	return out;
}

static bool list_again(struct release_context *c, struct release *r, const struct release *old, struct err *e)
{
	struct file_map map;
	struct segment s;
	int64_t canary = 0;
	r->epoch = old->epoch;
	if (!db_run_int(c->db, &canary, e, "SELECT canary_hit FROM release WHERE id = ?", "i", old->id) ||
	    !objects_map(c->objects, old->content.hash, &map, e))
		return false;
	bool ok = segment_open(map.bytes, &s, e);
	if (ok) {
		struct draft_content content = { 0 };
		struct entry *entries = entries_of(&s, (uint64_t)canary, &content.entries_len);
		content.entries = entries;
		ok = list_draft_store(c, r, &content, e);
		free(entries);
	}
	file_unmap(&map);
	return ok;
}

static bool rollback_make(struct release_context *c, const char *name, uint64_t version, struct release *r,
			  struct err *e)
{
	struct release old;
	int64_t id = 0;
	if (update_arch_of(name) != NULL)
		return err_set(e, ERR_DENIED,
			       "branches never go back: import the older image again, under a higher version");
	if (!db_run_int(c->db, &id, e,
			"SELECT id FROM release WHERE name = ? AND state = 4 AND version = ? AND dropped = 0", "ti",
			name, (int64_t)version))
		return e == NULL || e->code != ERR_MISSING ||
		       err_set(e, ERR_MISSING,
			       "version %llu of %s was never published, or its content is no longer kept (the last "
			       "%d are)",
			       (unsigned long long)version, name, RELEASE_SNAPSHOTS_KEPT);
	if (!release_load(c, id, &old, e))
		return false;
	snprintf(r->name, sizeof(r->name), "%s", old.name);
	snprintf(r->source, sizeof(r->source), "rollback to version %llu", (unsigned long long)version);
	r->kind = old.kind;
	if (old.kind == RELEASE_LIST)
		return list_again(c, r, &old, e);
	r->content = old.content;
	r->import.rejects = old.import.rejects;
	return release_document_insert(c, r, e);
}

bool release_rollback(struct release_context *c, const char *name, uint64_t version, const char *operator,
		      int64_t now_s, int64_t *id, struct err *e)
{
	struct release r = { .created_s = now_s };
	struct err why = { 0 };
	snprintf(r.created_by, sizeof(r.created_by), "%s", operator);
	if (!db_begin(c->db, e))
		return false;
	bool ok = rollback_make(c, name, version, &r, &why) && db_commit(c->db, &why);
	if (!ok) {
		db_rollback(c->db);
		return err_set(e, why.code, "%s", why.text);
	}
	*id = r.id;
	return true;
}

static void csv_field(struct buf *out, struct bytes text)
{
	buf_add_u8(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '"')
			buf_add_u8(out, '"');
		buf_add_u8(out, text.data[i]);
	}
	buf_add_u8(out, '"');
}

static bool reject_line(struct release_context *c, const struct db_query *q, struct buf *out, struct err *e)
{
	struct bytes sealed = db_bytes(q, 5);
	struct buf raw;
	buf_init(&raw, sealed.len + 1);
	bool ok = aead_open(c->vault_key, bytes_of("xb/1/vault/reject"), sealed, &raw, e);
	if (ok) {
		buf_add_fmt(out, "%lld,%lld,", (long long)db_int(q, 0), (long long)db_int(q, 1));
		for (int i = 2; i <= 4; i++) {
			csv_field(out, bytes_of(db_text(q, i)));
			buf_add_u8(out, ',');
		}
		csv_field(out, buf_bytes(&raw));
		buf_add_str(out, "\r\n");
	}
	buf_clear(&raw);
	return ok;
}

bool release_rejects_csv(struct release_context *c, int64_t id, struct buf *out, struct err *e)
{
	struct db_query *q = db_query(
		c->db, "SELECT row, field, code, zh, en, raw FROM reject WHERE release = ? ORDER BY row, field", e);
	bool row = false, ok = false;
	if (q == NULL)
		return false;
	buf_add_str(out, "行号 row,列号 field,代码 code,原因,reason,原行 raw\r\n");
	if (!db_bind_int(q, 1, id, e))
		goto out;
	while ((ok = db_next(q, &row, e)) && row && (ok = reject_line(c, q, out, e)))
		;
	ok = ok && buf_ok(out, "rejected rows", e);
out:
	db_finish(q);
	return ok;
}

/* A masked number: of this draft's rows, or, of what leaves, as an earlier release showed it. */
static void shown_find(struct release_context *c, int64_t id, uint64_t tag, char *out, size_t size)
{
	struct db_query *q = db_query(
		c->db, "SELECT masked FROM shown WHERE tag = ? ORDER BY release = ? DESC, release DESC LIMIT 1",
		NULL);
	bool row = false;
	out[0] = '\0';
	if (q == NULL)
		return;
	if (db_bind_int(q, 1, (int64_t)tag, NULL) && db_bind_int(q, 2, id, NULL) && db_next(q, &row, NULL) && row)
		snprintf(out, size, "%s", db_text(q, 0));
	db_finish(q);
}

bool release_diff(struct release_context *c, int64_t id, size_t limit,
		  void (*each)(void *arg, const struct release_change *v), void *arg, struct err *e)
{
	struct release r;
	struct file_map map;
	struct segment delta;
	struct segment_cursor at;
	if (!release_load(c, id, &r, e))
		return false;
	if (r.kind != RELEASE_LIST || r.delta.size == 0)
		return true; /* a document, or all of it is new */
	if (!objects_map(c->objects, r.delta.hash, &map, e))
		return false;
	bool ok = segment_open(map.bytes, &delta, e);
	struct release_change v = { 0 };
	struct entry n;
	if (ok)
		segment_cursor_init(&at, &delta);
	bool more = ok && segment_cursor_next(&at, &n);
	for (size_t i = 0; more && i < limit; i++) {
		v = (struct release_change){ .kind = entry_is_removal(n) ? CHANGE_REMOVED : CHANGE_ADDED,
					     .tag = n.tag,
					     .value = n.value & ENTRY_VALUE_MAX };
		more = segment_cursor_next(&at, &n);
		if (v.kind == CHANGE_ADDED && more && n.tag == v.tag) {
			v.kind = CHANGE_CHANGED;
			v.old_value = n.value & ENTRY_VALUE_MAX;
			more = segment_cursor_next(&at, &n);
		}
		shown_find(c, id, v.tag, v.shown, sizeof(v.shown));
		each(arg, &v);
	}
	file_unmap(&map);
	return ok;
}
