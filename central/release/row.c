/* Releases as rows. */
#include "central/release/release.h"

#include "central/store/store.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS                                                                                                      \
	"id, name, kind, state, base_version, version, epoch, forced, created_by, created_s, submitted_by, "         \
	"submitted_s,"                                                                                               \
	" decided_by, decided_s, published_by, published_s, source, format, rows_read, entries, rejects, ignored,"   \
	" duplicates, count, base_count, added, removed, changed, fingerprint, content, content_chunks, "            \
	"content_size,"                                                                                              \
	" delta, delta_chunks, delta_size"

static void text_copy(const struct db_query *q, int at, char *out, size_t size)
{
	snprintf(out, size, "%s", db_text(q, at));
}

static void bytes_copy(const struct db_query *q, int at, uint8_t *out, size_t len)
{
	struct bytes b = db_bytes(q, at);
	memset(out, 0, len);
	memcpy(out, b.data, b.len < len ? b.len : len);
}

static void ref_read(const struct db_query *q, int at, struct object_ref *ref)
{
	bytes_copy(q, at, ref->hash, HASH_LEN);
	bytes_copy(q, at + 1, ref->chunks_hash, HASH_LEN);
	ref->size = (uint64_t)db_int(q, at + 2);
}

static void release_read(const struct db_query *q, struct release *r)
{
	*r = (struct release){ .id = db_int(q, 0),
			       .kind = (enum release_kind)db_int(q, 2),
			       .state = (enum release_state)db_int(q, 3),
			       .base_version = (uint64_t)db_int(q, 4),
			       .version = (uint64_t)db_int(q, 5),
			       .epoch = (uint32_t)db_int(q, 6),
			       .forced = db_int(q, 7) != 0,
			       .created_s = db_int(q, 9),
			       .submitted_s = db_int(q, 11),
			       .decided_s = db_int(q, 13),
			       .published_s = db_int(q, 15),
			       .import = { .format = (enum import_format)db_int(q, 17),
					   .rows = (uint64_t)db_int(q, 18),
					   .entries = (uint64_t)db_int(q, 19),
					   .rejects = (uint64_t)db_int(q, 20),
					   .ignored = (uint64_t)db_int(q, 21) },
			       .duplicates = (uint64_t)db_int(q, 22),
			       .count = (uint64_t)db_int(q, 23),
			       .base_count = (uint64_t)db_int(q, 24),
			       .added = (uint64_t)db_int(q, 25),
			       .removed = (uint64_t)db_int(q, 26),
			       .changed = (uint64_t)db_int(q, 27) };
	text_copy(q, 1, r->name, sizeof(r->name));
	text_copy(q, 8, r->created_by, sizeof(r->created_by));
	text_copy(q, 10, r->submitted_by, sizeof(r->submitted_by));
	text_copy(q, 12, r->decided_by, sizeof(r->decided_by));
	text_copy(q, 14, r->published_by, sizeof(r->published_by));
	text_copy(q, 16, r->source, sizeof(r->source));
	bytes_copy(q, 28, r->fingerprint, FINGERPRINT_BYTES);
	ref_read(q, 29, &r->content);
	ref_read(q, 32, &r->delta);
}

bool release_load(struct release_context *c, int64_t id, struct release *out, struct err *e)
{
	struct db_query *q = db_query(c->db, "SELECT " COLUMNS " FROM release WHERE id = ?", e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, id, e) && db_next(q, &row, e);
	if (ok && row)
		release_read(q, out);
	db_finish(q);
	if (ok && !row)
		return err_set(e, ERR_MISSING, "there is no release %lld", (long long)id);
	return ok;
}

bool release_each(struct release_context *c, const char *name, size_t limit,
		  void (*each)(void *arg, const struct release *r), void *arg, struct err *e)
{
	struct db_query *q = db_query(
		c->db, "SELECT " COLUMNS " FROM release WHERE ?1 = '' OR name = ?1 ORDER BY id DESC LIMIT ?2", e);
	bool row = false, ok = false;
	if (q == NULL)
		return false;
	if (!db_bind_text(q, 1, name, e) || !db_bind_int(q, 2, (int64_t)limit, e))
		goto out;
	while ((ok = db_next(q, &row, e)) && row) {
		struct release r;
		release_read(q, &r);
		each(arg, &r);
	}
out:
	db_finish(q);
	return ok;
}

bool release_current(struct release_context *c, const char *name, struct release *out, struct err *e)
{
	struct db_query *q = db_query(
		c->db, "SELECT " COLUMNS " FROM release WHERE name = ? AND state = 4 ORDER BY version DESC LIMIT 1",
		e);
	bool row = false;
	*out = (struct release){ 0 };
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, name, e) && db_next(q, &row, e);
	if (ok && row)
		release_read(q, out);
	db_finish(q);
	return ok;
}

bool release_insert(struct release_context *c, struct release *r, struct err *e)
{
	if (!db_run(c->db, e,
		    "INSERT INTO release (name, kind, state, base_version, version, epoch, created_by, created_s, "
		    "source,"
		    " format, rows_read, entries, rejects, ignored, duplicates, count, base_count, added, removed, "
		    "changed,"
		    " fingerprint, content, content_chunks, content_size, delta, delta_chunks, delta_size)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		    "tiiiiitit"
		    "iiiiiiiiiii"
		    "bbbibbi",
		    r->name, (int64_t)r->kind, (int64_t)RELEASE_DRAFT, (int64_t)r->base_version, (int64_t)r->version,
		    (int64_t)r->epoch, r->created_by, r->created_s, r->source, (int64_t)r->import.format,
		    (int64_t)r->import.rows, (int64_t)r->import.entries, (int64_t)r->import.rejects,
		    (int64_t)r->import.ignored, (int64_t)r->duplicates, (int64_t)r->count, (int64_t)r->base_count,
		    (int64_t)r->added, (int64_t)r->removed, (int64_t)r->changed,
		    (struct bytes){ r->fingerprint, FINGERPRINT_BYTES }, (struct bytes){ r->content.hash, HASH_LEN },
		    (struct bytes){ r->content.chunks_hash, HASH_LEN }, (int64_t)r->content.size,
		    (struct bytes){ r->delta.hash, HASH_LEN }, (struct bytes){ r->delta.chunks_hash, HASH_LEN },
		    (int64_t)r->delta.size))
		return false;
	r->state = RELEASE_DRAFT;
	return db_run_int(c->db, &r->id, e, "SELECT MAX(id) FROM release", "") &&
	       audit_add(c->db, r->created_s, r->created_by, "release.draft", r->name, r->source, e);
}
