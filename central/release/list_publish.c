/*
 * The deltas of doubling spans by merging: version n has the delta from n − 1 (made with the draft); if 2^k divides n, the one
 * from n − 2^k is that from n − 2^k to n − 2^(k−1), which exists, followed by that from there. So no old snapshot is needed.
 */
#include "central/release/release.h"

#include "protocol/delta.h"
#include "protocol/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool delta_row(struct release_context *c, const struct release *r, uint64_t from, const struct object_ref *ref,
		      struct err *e)
{
	return db_run(
		c->db, e,
		"INSERT INTO delta (name, from_version, to_version, hash, chunks, size, count_to, fingerprint_to)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		"tiibbiib", r->name, (int64_t)from, (int64_t)r->version, (struct bytes){ ref->hash, HASH_LEN },
		(struct bytes){ ref->chunks_hash, HASH_LEN }, (int64_t)ref->size, (int64_t)r->count,
		(struct bytes){ r->fingerprint, FINGERPRINT_BYTES });
}

/* ERR_MISSING when there is none. */
static bool delta_hash(struct release_context *c, const char *name, uint64_t from, uint64_t to,
		       uint8_t hash[HASH_LEN], struct err *e)
{
	struct db_query *q =
		db_query(c->db, "SELECT hash FROM delta WHERE name = ? AND from_version = ? AND to_version = ?", e);
	bool row = false, ok = false;
	if (q == NULL)
		return false;
	if (!db_bind_text(q, 1, name, e) || !db_bind_int(q, 2, (int64_t)from, e) ||
	    !db_bind_int(q, 3, (int64_t)to, e) || !db_next(q, &row, e))
		goto out;
	struct bytes h = row ? db_bytes(q, 0) : (struct bytes){ NULL, 0 };
	ok = h.len == HASH_LEN || err_set(e, ERR_MISSING, "no delta of %s from %llu to %llu", name,
					  (unsigned long long)from, (unsigned long long)to);
	if (ok)
		memcpy(hash, h.data, HASH_LEN);
out:
	db_finish(q);
	return ok;
}

static bool delta_join(struct objects *o, const uint8_t first[HASH_LEN], const uint8_t second[HASH_LEN],
		       struct object_ref *ref, struct err *e)
{
	struct file_map a_map, b_map = { 0 };
	struct segment a, b;
	struct buf out;
	if (!objects_map(o, first, &a_map, e))
		return false;
	if (!objects_map(o, second, &b_map, e)) {
		file_unmap(&a_map);
		return false;
	}
	buf_init(&out, OBJECT_MAX);
	bool ok = segment_open(a_map.bytes, &a, e) && segment_open(b_map.bytes, &b, e) &&
		  delta_merge(&a, &b, &out, e) && objects_put(o, buf_bytes(&out), ref, e);
	buf_clear(&out);
	file_unmap(&a_map);
	file_unmap(&b_map);
	return ok;
}

bool list_joins_of(struct release_context *c, const struct release *r, struct list_joins *j, struct err *e)
{
	*j = (struct list_joins){ 0 };
	size_t spans = r->base_version > 0 && r->delta.size > 0 ? plan_spans(r->version, j->from) : 0;
	if (spans > 0)
		j->made[j->len++] = r->delta;
	for (size_t i = 1; i < spans; i++) {
		struct err missing;
		if (!delta_hash(c, r->name, j->from[i], j->from[i - 1], j->older[i], &missing))
			return missing.code == ERR_MISSING || err_set(e, missing.code, "%s", missing.text);
		j->len++;
	}
	return true;
}

bool list_joins_make(struct objects *o, struct list_joins *j, struct err *e)
{
	for (size_t i = 1; i < j->len; i++)
		if (!delta_join(o, j->older[i], j->made[i - 1].hash, &j->made[i], e))
			return false;
	return true;
}

static bool deltas_store(struct release_context *c, const struct release *r, const struct list_joins *j,
			 struct err *e)
{
	for (size_t i = 0; i < j->len; i++)
		if (!delta_row(c, r, j->from[i], &j->made[i], e))
			return false;
	return true;
}

/* Deltas that would not fit the index any more: those to the oldest versions. Their files go when the objects are swept. */
static bool deltas_drop(struct release_context *c, const char *name, struct err *e)
{
	int64_t edges = 0, oldest = 0;
	while (db_run_int(c->db, &edges, e, "SELECT COUNT(*) FROM delta WHERE name = ?", "t", name) &&
	       edges > RELEASE_EDGES_KEPT) {
		if (!db_run_int(c->db, &oldest, e, "SELECT MIN(to_version) FROM delta WHERE name = ?", "t", name) ||
		    !db_run(c->db, e, "DELETE FROM delta WHERE name = ? AND to_version = ?", "ti", name, oldest))
			return false;
	}
	return edges <= RELEASE_EDGES_KEPT;
}

static void edge_of(const struct db_query *q, struct index_edge *edge)
{
	struct bytes hash = db_bytes(q, 2), chunks = db_bytes(q, 3), fingerprint = db_bytes(q, 6);
	*edge = (struct index_edge){ .from = (uint64_t)db_int(q, 0), .to = (uint64_t)db_int(q, 1) };
	if (hash.len == HASH_LEN && chunks.len == HASH_LEN && fingerprint.len == FINGERPRINT_BYTES) {
		memcpy(edge->object.hash, hash.data, HASH_LEN);
		memcpy(edge->object.chunks_hash, chunks.data, HASH_LEN);
		memcpy(edge->fingerprint_to, fingerprint.data, FINGERPRINT_BYTES);
	}
	edge->object.size = (uint64_t)db_int(q, 4);
	edge->count_to = (uint64_t)db_int(q, 5);
}

static bool index_read(struct release_context *c, struct list_index *x, struct err *e)
{
	struct db_query *q =
		db_query(c->db,
			 "SELECT from_version, to_version, hash, chunks, size, count_to, fingerprint_to FROM delta"
			 " WHERE name = ? ORDER BY from_version, to_version",
			 e);
	bool row = false, ok = false;
	if (q == NULL)
		return false;
	x->edges = calloc(INDEX_EDGES_MAX, sizeof(*x->edges));
	if (x->edges == NULL)
		abort();
	if (!db_bind_text(q, 1, x->name, e))
		goto out;
	while ((ok = db_next(q, &row, e)) && row && x->edges_len < INDEX_EDGES_MAX)
		edge_of(q, &x->edges[x->edges_len++]);
out:
	db_finish(q);
	return ok;
}

static bool index_make(struct release_context *c, const struct release *r, struct object_ref *ref, struct err *e)
{
	struct list_index x = { .version = r->version, .epoch = r->epoch };
	struct buf out;
	snprintf(x.name, sizeof(x.name), "%s", r->name);
	buf_init(&out, DOCUMENT_MAX);
	bool ok = index_read(c, &x, e) && list_index_encode(&x, &out, e) &&
		  objects_put(c->objects, buf_bytes(&out), ref, e);
	list_index_clear(&x);
	buf_clear(&out);
	return ok;
}

bool list_publish(struct release_context *c, const struct release *r, const struct list_joins *j, struct err *e)
{
	struct object_ref index;
	return deltas_store(c, r, j, e) && deltas_drop(c, r->name, e) && index_make(c, r, &index, e) &&
	       db_run(c->db, e, "UPDATE release SET index_hash = ?, index_chunks = ?, index_size = ? WHERE id = ?",
		      "bbii", (struct bytes){ index.hash, HASH_LEN }, (struct bytes){ index.chunks_hash, HASH_LEN },
		      (int64_t)index.size, r->id);
}
