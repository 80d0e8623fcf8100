#include "central/ingest/subject.h"

#include "central/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX    150
#define MEMORY_MAX ((size_t)16 * CSV_ROW_MAX)

static bool finish(struct release_context *c, bool ok, struct err *e)
{
	if (ok && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

static int64_t tag_of_id(const struct rows_keys *k, const struct identifier *id)
{
	return rows_subject_tag(k, id->kind, bytes_of(id->canonical));
}

/* --- groups --- */

/* The number it stands for, through however many; itself when for none. */
static bool root_of(struct release_context *c, int64_t tag, int64_t at_s, int64_t *root, struct err *e)
{
	struct err none = { 0 };
	*root = tag;
	for (int i = 0; i < SUBJECT_MEMBERS_MAX; i++) {
		if (!db_run_int(
			    c->db, root, &none,
			    "SELECT root FROM subject_alias WHERE alias = ? AND created_s < ? AND (ended_s IS NULL OR"
			    " ended_s >= ?) ORDER BY id DESC LIMIT 1",
			    "iii", *root, at_s, at_s))
			return none.code == ERR_MISSING || err_set(e, none.code, "%s", none.text);
	}
	return err_set(e, ERR_IO, "the aliases of a subject lead round in a circle");
}

static size_t tag_aad(char out[48], int64_t tag)
{
	return (size_t)snprintf(out, 48, "subject/%lld", (long long)tag);
}

static bool member_open(const struct rows_keys *k, int64_t tag, const struct db_query *q, struct identifier *out,
			struct err *e)
{
	char aad[48];
	struct buf plain;
	size_t len = tag_aad(aad, tag);
	buf_init(&plain, PERSON_NAME_MAX + 1);
	bool ok = aead_open(k->identity, (struct bytes){ (const uint8_t *)aad, len }, db_bytes(q, 2), &plain, e) &&
		  identifier_parse((enum identifier_kind)db_int(q, 1), (const char *)plain.data, plain.len, 0, out,
				   NULL, e);
	buf_wipe(&plain);
	return ok;
}

/* root and all that stand for it as of g->at_s, the root first. */
static bool members_load(struct release_context *c, const struct rows_keys *k, int64_t root, struct subject_group *g,
			 struct err *e)
{
	struct db_query *q =
		db_query(c->db,
			 "WITH RECURSIVE m (tag, depth) AS (SELECT CAST(? AS BIGINT), 0 UNION ALL SELECT a.alias,"
			 " m.depth + 1 FROM subject_alias a JOIN m ON a.root = m.tag WHERE a.created_s < ? AND "
			 "(a.ended_s IS NULL"
			 " OR a.ended_s >= ?) AND m.depth < 32) SELECT m.tag, s.kind, s.sealed FROM m JOIN subject s "
			 "ON s.tag = m.tag"
			 " ORDER BY m.depth, m.tag LIMIT 32",
			 e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, root, e) && db_bind_int(q, 2, g->at_s, e) && db_bind_int(q, 3, g->at_s, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		g->tags[g->len] = db_int(q, 0);
		ok = member_open(k, db_int(q, 0), q, &g->members[g->len], e);
		g->len++;
	}
	db_finish(q);
	return ok;
}

bool subject_group(struct release_context *c, const struct identifier *id, struct subject_group *out, struct err *e)
{
	return subject_group_at(c, id, INT64_MAX, out, e);
}

bool subject_group_at(struct release_context *c, const struct identifier *id, int64_t at_s, struct subject_group *out,
		      struct err *e)
{
	struct rows_keys keys;
	int64_t root = 0;
	out->len = 0;
	out->at_s = at_s;
	rows_keys_make(c->vault_key, &keys);
	int64_t tag = tag_of_id(&keys, id);
	bool ok = root_of(c, tag, at_s, &root, e) && members_load(c, &keys, root, out, e);
	if (ok && out->len == 0) {
		out->members[0] = *id;
		out->tags[0] = tag;
		out->len = 1;
	}
	rows_keys_wipe(&keys);
	return ok;
}

/* --- merge and unmerge --- */

static bool subject_keep(struct release_context *c, const struct rows_keys *k, const struct identifier *id,
			 int64_t tag, struct err *e)
{
	char aad[48];
	struct buf sealed;
	size_t len = tag_aad(aad, tag);
	buf_init(&sealed, PERSON_NAME_MAX + AEAD_OVERHEAD);
	bool ok = aead_seal(k->identity, c->random, (struct bytes){ (const uint8_t *)aad, len },
			    bytes_of(id->canonical), &sealed, e) &&
		  db_run(c->db, e,
			 "INSERT INTO subject (tag, kind, sealed) VALUES (?, ?, ?) ON CONFLICT (tag) DO NOTHING",
			 "iib", tag, (int64_t)id->kind, buf_bytes(&sealed));
	buf_clear(&sealed);
	return ok;
}

static bool why_is_fine(const char *why, struct err *e)
{
	return (why != NULL && why[0] != '\0' && strlen(why) <= WHY_MAX) ||
	       err_set(e, ERR_INPUT, "reason: say why, in at most %d bytes (--reason TEXT)", WHY_MAX);
}

static bool audit_put(struct release_context *c, const char *what, const struct identifier *id, const char *why,
		      const char *operator, int64_t now_s, struct err *e)
{
	char masked[96];
	identifier_mask(id, masked, sizeof(masked));
	return audit_add(c->db, now_s, operator, what, masked, why, e);
}

static bool fits(struct release_context *c, const struct rows_keys *k, int64_t one, int64_t other, struct err *e)
{
	struct subject_group *g = calloc(1, sizeof(*g));
	if (g == NULL)
		abort();
	g->at_s = INT64_MAX;
	bool ok = members_load(c, k, one, g, e);
	size_t mine = g->len;
	g->len = 0;
	ok = ok && members_load(c, k, other, g, e) &&
	     (mine + g->len <= SUBJECT_MEMBERS_MAX ||
	      err_set(e, ERR_FULL, "a subject has at most %d numbers", SUBJECT_MEMBERS_MAX));
	explicit_bzero(g, sizeof(*g));
	free(g);
	return ok;
}

static bool merge(struct release_context *c, const struct rows_keys *k, const struct identifier *id,
		  const struct identifier *alias, const char *why, const char *operator, int64_t now_s, struct err *e)
{
	int64_t tag = tag_of_id(k, id), other = tag_of_id(k, alias), root = 0, joined = 0;
	bool ok = subject_keep(c, k, id, tag, e) && subject_keep(c, k, alias, other, e) &&
		  root_of(c, tag, INT64_MAX, &root, e) && root_of(c, other, INT64_MAX, &joined, e) &&
		  (root != joined || err_set(e, ERR_CONFLICT, "both numbers are one subject already")) &&
		  fits(c, k, root, joined, e);
	return ok &&
	       db_run(c->db, e,
		      "INSERT INTO subject_alias (alias, root, why, created_by, created_s) VALUES (?, ?, ?, ?, ?)",
		      "iitti", joined, root, why, operator, now_s) &&
	       audit_put(c, "subject.merge", id, why, operator, now_s, e) &&
	       audit_put(c, "subject.alias", alias, why, operator, now_s, e);
}

bool subject_merge(struct release_context *c, const struct identifier *id, const struct identifier *alias,
		   const char *why, const char *operator, int64_t now_s, struct err *e)
{
	struct rows_keys keys;
	if (!why_is_fine(why, e) || !db_begin(c->db, e))
		return false;
	rows_keys_make(c->vault_key, &keys);
	bool ok = finish(c, merge(c, &keys, id, alias, why, operator, now_s, e), e);
	rows_keys_wipe(&keys);
	return ok;
}

bool subject_unmerge(struct release_context *c, const struct identifier *alias, const char *why, const char *operator,
		     int64_t now_s, struct err *e)
{
	struct rows_keys keys;
	if (!why_is_fine(why, e) || !db_begin(c->db, e))
		return false;
	rows_keys_make(c->vault_key, &keys);
	int64_t tag = tag_of_id(&keys, alias);
	rows_keys_wipe(&keys);
	bool ok = db_run(c->db, e,
			 "UPDATE subject_alias SET ended_by = ?, ended_s = ? WHERE alias = ? AND ended_s IS NULL",
			 "tii", operator, now_s, tag) &&
		  (db_changes(c->db) == 1 ||
		   err_set(e, ERR_MISSING, "this number stands for itself; unmerge the alias")) &&
		  audit_put(c, "subject.unmerge", alias, why, operator, now_s, e);
	return finish(c, ok, e);
}

/* --- reading --- */

struct reading {
	struct release_context *c;
	const struct subject_group *g;
	struct rows_keys keys;
	struct buf memory, text;
	struct rows_record record;
	struct objection_marks marks;
	uint32_t rows[SUBJECT_ROWS_MAX];
	void (*each)(void *arg, const struct subject_record *r);
	void *arg;
	size_t given;
	bool more;
};

/* A key given twice counts once. */
static bool is_rejected(struct release_context *c, int64_t batch, uint32_t row, bool *out, struct err *e)
{
	int64_t n = 0;
	*out = false;
	if (!db_run_int(c->db, &n, e, "SELECT COUNT(*) FROM batch_reject WHERE batch = ? AND row = ?", "ii", batch,
			(int64_t)row))
		return false;
	*out = n > 0;
	return true;
}

static bool row_give(struct reading *r, const struct source *s, const struct schema *schema, const struct batch *b,
		     size_t member, uint32_t row, struct err *e)
{
	bool rejected = false;
	const struct identifier *id = &r->g->members[member];
	if (!is_rejected(r->c, b->id, row, &rejected, e))
		return false;
	if (rejected)
		return true;
	if (!rows_load(r->c->db, &r->keys, b->id, row, schema->fields_len, &r->memory, &r->record, e))
		return false;
	/* 64 bits may meet by chance; the number itself decides. */
	if (schema->subject < 0 || schema->fields[schema->subject].identifier != id->kind ||
	    !bytes_equal(r->record.cells[schema->subject], bytes_of(id->canonical)))
		return true;
	if (r->given == SUBJECT_ROWS_MAX) {
		r->more = true;
		return true;
	}
	const struct objection_place at = { r->c->db, b->source, b->period, b->id, row, r->g->tags[member] };
	struct objection_view view;
	if (!objection_marks_apply(&r->marks, &at, schema, &r->record, &view, e))
		return false;
	const struct subject_record out = { s, schema, b, &r->record, member, at.tag, &view };
	r->given++;
	r->each(r->arg, &out);
	return true;
}

static bool batch_read_rows(struct reading *r, const struct batch *b, size_t member, size_t len, struct err *e)
{
	struct source s;
	struct schema *schema = NULL;
	buf_reset(&r->text);
	bool ok = source_load(r->c->db, b->source, b->source_version, &s, &schema, &r->text, e);
	for (size_t i = 0; ok && i < len && !r->more; i++)
		ok = row_give(r, &s, schema, b, member, r->rows[i], e);
	schema_free(schema);
	return ok;
}

/* The batches that count, or counted then: of each period the newest that did; one held and never released is none. */
static struct db_query *batches_query(struct reading *r, struct err *e)
{
	int64_t at_s = r->g->at_s;
	if (at_s == INT64_MAX)
		return db_query(r->c->db, "SELECT id FROM batch WHERE state = 4 ORDER BY source, period", e);
	struct db_query *q = db_query(
		r->c->db,
		"SELECT MAX(id) FROM batch WHERE state IN (4, 5) AND (held = 0 OR decided_s > 0) AND finished_s < ?"
		" AND decided_s < ? GROUP BY source, period ORDER BY source, period",
		e);
	if (q != NULL && db_bind_int(q, 1, at_s, e) && db_bind_int(q, 2, at_s, e))
		return q;
	db_finish(q);
	return NULL;
}

static bool current_read(struct reading *r, struct err *e)
{
	struct db_query *q = batches_query(r, e);
	bool row = false, ok = q != NULL;
	while (ok && (ok = db_next(q, &row, e)) && row) {
		for (size_t m = 0; ok && m < r->g->len; m++) {
			struct batch b;
			size_t len = 0;
			ok = rows_of_subject(r->c->db, db_int(q, 0), r->g->tags[m], r->rows, SUBJECT_ROWS_MAX, &len,
					     e) &&
			     (len == 0 ||
			      (batch_load(r->c, db_int(q, 0), &b, e) && batch_read_rows(r, &b, m, len, e)));
		}
	}
	db_finish(q);
	return ok;
}

bool subject_read_note(struct release_context *c, const struct subject_group *g, const char *purpose, const char *who,
		       int64_t now_s, struct err *e)
{
	if (purpose == NULL || purpose[0] == '\0' || strlen(purpose) > WHY_MAX)
		return err_set(e, ERR_INPUT, "purpose: say what for, in at most %d bytes", WHY_MAX);
	bool ok = true;
	for (size_t i = 0; ok && i < g->len; i++)
		ok = db_run(c->db, e, "INSERT INTO subject_read (tag, time_s, who, purpose) VALUES (?, ?, ?, ?)",
			    "iitt", g->tags[i], now_s, who, purpose);
	return ok;
}

bool subject_read_log(struct release_context *c, const struct subject_group *g, const char *purpose, const char *who,
		      int64_t now_s, struct err *e)
{
	return db_begin(c->db, e) &&
	       finish(c,
		      subject_read_note(c, g, purpose, who, now_s, e) &&
			      audit_put(c, "subject.show", &g->members[0], purpose, who, now_s, e),
		      e);
}

bool subject_records(struct release_context *c, const struct subject_group *g,
		     void (*each)(void *arg, const struct subject_record *r), void *arg, bool *more, struct err *e)
{
	struct reading *r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	r->c = c;
	r->g = g;
	r->each = each;
	r->arg = arg;
	rows_keys_make(c->vault_key, &r->keys);
	buf_init(&r->memory, MEMORY_MAX);
	buf_init(&r->text, 65536);
	bool ok = objection_marks_load(c->db, &r->keys, g->tags, g->len, g->at_s, &r->marks, e) && current_read(r, e);
	*more = r->more;
	objection_marks_clear(&r->marks);
	buf_wipe(&r->memory);
	buf_clear(&r->text);
	rows_keys_wipe(&r->keys);
	free(r);
	return ok;
}

bool subject_read(struct release_context *c, const struct subject_group *g, const char *purpose, const char *who,
		  int64_t now_s, void (*each)(void *arg, const struct subject_record *r), void *arg, bool *more,
		  struct err *e)
{
	return subject_read_log(c, g, purpose, who, now_s, e) && subject_records(c, g, each, arg, more, e);
}

bool subject_reads(struct release_context *c, const struct identifier *id, size_t limit,
		   void (*each)(void *arg, int64_t time_s, const char *who, const char *purpose), void *arg,
		   struct err *e)
{
	struct db_query *q = db_query(
		c->db, "SELECT time_s, who, purpose FROM subject_read WHERE tag = ? ORDER BY id DESC LIMIT ?", e);
	struct rows_keys keys;
	bool row = false;
	if (q == NULL)
		return false;
	rows_keys_make(c->vault_key, &keys);
	bool ok = db_bind_int(q, 1, tag_of_id(&keys, id), e) && db_bind_int(q, 2, (int64_t)limit, e);
	while (ok && (ok = db_next(q, &row, e)) && row)
		each(arg, db_int(q, 0), db_text(q, 1), db_text(q, 2));
	db_finish(q);
	rows_keys_wipe(&keys);
	return ok;
}
