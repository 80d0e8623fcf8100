#include "firmware/cache.h"

#include "protocol/tag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEALED_MAX    (ECERT_COSE_MAX + BODY_FILE_MAX + 1024U)
#define SEAL_BODY     "cache/body"
#define SEAL_NAMED    "cache/named"
#define TAG_HOLDER    "cache/holder"
#define TAG_IDENTITY  "cache/identity"
#define IDENTITY_ROOM (PERSON_NAME_MAX + 1)

static bool totals_load(struct cache *c, struct err *e)
{
	int64_t items = 0;
	bool ok = db_run_int(c->db, &items, e, "SELECT COUNT(*) FROM body", "") &&
		  db_run_int(c->db, &c->size, e, "SELECT COALESCE(SUM(LENGTH(sealed)), 0) FROM body", "");
	c->items = (uint64_t)items;
	return ok;
}

/* The counts in memory are those of the database again, whichever way it ends. */
static bool finish(struct cache *c, bool ok, struct err *e)
{
	if (ok && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	(void)!totals_load(c, NULL);
	return false;
}

bool cache_open(struct cache *c, struct db *db, const struct vault *vault, int64_t size_max, struct err *e)
{
	*c = (struct cache){ .db = db, .vault = vault, .size_max = size_max };
	return db_exec(db, "PRAGMA secure_delete = ON", e) && totals_load(c, e);
}

static bool holder_tag(const struct cache *c, const struct cache_key *k, uint8_t out[HASH_LEN], struct err *e)
{
	char text[PERSON_NAME_MAX + 32];
	snprintf(text, sizeof(text), "%d/%s", (int)k->holder_kind, k->holder);
	bool ok = vault_tag(c->vault, TAG_HOLDER, text, out, e);
	explicit_bzero(text, sizeof(text));
	return ok;
}

/* --- writing: inside a transaction, with the counts kept --- */

/* Runs a DELETE … RETURNING LENGTH(sealed) whose parameters are bound when ok. *gone NULL: nobody asks. */
static bool rows_delete(struct cache *c, struct db_query *q, bool ok, uint64_t *gone, struct err *e)
{
	bool row = false;
	while (ok && (ok = db_next(q, &row, e)) && row) {
		c->items--;
		c->size -= db_int(q, 0);
		if (gone != NULL)
			(*gone)++;
	}
	if (q != NULL)
		db_finish(q);
	return ok;
}

static bool oldest_delete(struct cache *c, struct err *e)
{
	struct db_query *q = db_query(c->db,
				      "DELETE FROM body WHERE id = (SELECT id FROM body ORDER BY used_s, id LIMIT 1)"
				      " RETURNING LENGTH(sealed)",
				      e);
	return rows_delete(c, q, q != NULL, &c->evicted, e);
}

static bool row_put(struct cache *c, const struct cache_key *k, const uint8_t holder[HASH_LEN],
		    const uint8_t identity[HASH_LEN], struct bytes named, struct bytes sealed, int64_t ends_s,
		    int64_t now_s, struct err *e)
{
	const struct bytes tag = { identity, HASH_LEN };
	struct db_query *q =
		db_query(c->db, "DELETE FROM body WHERE identity = ? AND purpose = ? RETURNING LENGTH(sealed)", e);
	bool ok = q != NULL && db_bind_bytes(q, 1, tag, e) && db_bind_text(q, 2, k->purpose, e);
	ok = rows_delete(c, q, ok, NULL, e) &&
	     db_run(c->db, e,
		    "INSERT INTO body (holder, identity, named, type, purpose, ends_s, fetched_s, used_s, sealed)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		    "bbbttiiib", (struct bytes){ holder, HASH_LEN }, tag, named, k->type, k->purpose, ends_s, now_s,
		    now_s, sealed);
	c->items += ok;
	c->size += ok ? (int64_t)sealed.len : 0;
	while (ok && c->size > c->size_max)
		ok = oldest_delete(c, e);
	return ok;
}

bool cache_put(struct cache *c, const struct cache_key *key, const char *identity, const struct body *body,
	       int64_t to_s, int64_t now_s, struct err *e)
{
	uint8_t holder[HASH_LEN], tag[HASH_LEN];
	struct buf plain, named, sealed;
	buf_init(&plain, SEALED_MAX);
	buf_init(&named, IDENTITY_ROOM + AEAD_OVERHEAD);
	buf_init(&sealed, SEALED_MAX + AEAD_OVERHEAD);
	body_put(body, &plain);
	bool ok = buf_ok(&plain, "a body", e) && holder_tag(c, key, holder, e) &&
		  vault_tag(c->vault, TAG_IDENTITY, identity, tag, e) &&
		  vault_seal(c->vault, SEAL_NAMED, bytes_of(identity), &named, e) &&
		  vault_seal(c->vault, SEAL_BODY, buf_bytes(&plain), &sealed, e) && db_begin(c->db, e);
	if (ok)
		ok = finish(c,
			    row_put(c, key, holder, tag, buf_bytes(&named), buf_bytes(&sealed),
				    to_s < body->consent_to_s ? to_s : body->consent_to_s, now_s, e),
			    e);
	buf_wipe(&plain);
	buf_clear(&named);
	buf_clear(&sealed);
	return ok;
}

bool cache_drop(struct cache *c, const struct cache_key *key, struct err *e)
{
	uint8_t holder[HASH_LEN];
	if (!holder_tag(c, key, holder, e) || !db_begin(c->db, e))
		return false;
	struct db_query *q = db_query(
		c->db, "DELETE FROM body WHERE holder = ? AND type = ? AND purpose = ? RETURNING LENGTH(sealed)", e);
	bool ok = q != NULL && db_bind_bytes(q, 1, (struct bytes){ holder, HASH_LEN }, e) &&
		  db_bind_text(q, 2, key->type, e) && db_bind_text(q, 3, key->purpose, e);
	return finish(c, rows_delete(c, q, ok, &c->erased, e), e);
}

bool cache_erase(struct cache *c, const char *identity, struct err *e)
{
	uint8_t tag[HASH_LEN];
	if (!vault_tag(c->vault, TAG_IDENTITY, identity, tag, e) || !db_begin(c->db, e))
		return false;
	struct db_query *q = db_query(c->db, "DELETE FROM body WHERE identity = ? RETURNING LENGTH(sealed)", e);
	bool ok = q != NULL && db_bind_bytes(q, 1, (struct bytes){ tag, HASH_LEN }, e);
	return finish(c, rows_delete(c, q, ok, &c->erased, e), e);
}

bool cache_wipe(struct cache *c, struct err *e)
{
	if (!db_begin(c->db, e))
		return false;
	struct db_query *q = db_query(c->db, "DELETE FROM body RETURNING LENGTH(sealed)", e);
	return finish(c, rows_delete(c, q, q != NULL, &c->erased, e), e) &&
	       db_exec(c->db, "PRAGMA wal_checkpoint(TRUNCATE)", e); /* the log has them too */
}

/* --- giving out --- */

struct found {
	int64_t id, fetched_s;
	struct buf plain; /* owned */
};

static bool found_load(struct cache *c, const struct cache_key *k, int64_t now_s, struct found *found, size_t *len,
		       struct err *e)
{
	uint8_t holder[HASH_LEN];
	bool row = false;
	struct db_query *q;
	if (!holder_tag(c, k, holder, e))
		return false;
	q = db_query(
		c->db,
		"SELECT id, fetched_s, sealed FROM body WHERE holder = ? AND type = ? AND purpose = ? AND ends_s > ?"
		" ORDER BY fetched_s DESC, id DESC LIMIT ?",
		e);
	if (q == NULL)
		return false;
	bool ok = db_bind_bytes(q, 1, (struct bytes){ holder, HASH_LEN }, e) && db_bind_text(q, 2, k->type, e) &&
		  db_bind_text(q, 3, k->purpose, e) && db_bind_int(q, 4, now_s, e) &&
		  db_bind_int(q, 5, BODIES_MAX, e);
	while (ok && (ok = db_next(q, &row, e)) && row && *len < BODIES_MAX) {
		struct found *f = &found[*len];
		*f = (struct found){ .id = db_int(q, 0), .fetched_s = db_int(q, 1) };
		buf_init(&f->plain, SEALED_MAX);
		/* One that does not open is as good as none; it goes with its end. */
		if (vault_unseal(c->vault, SEAL_BODY, db_bytes(q, 2), &f->plain, NULL))
			(*len)++;
		else
			buf_clear(&f->plain);
	}
	db_finish(q);
	return ok;
}

static bool found_used(struct cache *c, const struct found *found, size_t len, int64_t now_s, struct err *e)
{
	if (len == 0)
		return true;
	if (!db_begin(c->db, e))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i < len; i++)
		ok = db_run(c->db, e, "UPDATE body SET used_s = ? WHERE id = ?", "ii", now_s, found[i].id);
	return finish(c, ok, e);
}

bool cache_each(struct cache *c, const struct cache_key *key, int64_t now_s,
		void (*each)(void *arg, const struct body *body, int64_t fetched_s), void *arg, struct err *e)
{
	struct found found[BODIES_MAX];
	size_t len = 0;
	bool ok = found_load(c, key, now_s, found, &len, e) && found_used(c, found, len, now_s, e);
	for (size_t i = 0; i < len; i++) {
		struct cbor in = cbor_over(buf_bytes(&found[i].plain));
		struct body b;
		if (ok && body_get(&in, &b, NULL) && cbor_end(&in, NULL))
			each(arg, &b, found[i].fetched_s);
		buf_wipe(&found[i].plain);
	}
	return ok;
}

/* --- what has to go --- */

static bool is_listed(const struct cache *c, const struct check_source *source, const struct check_list *list,
		      struct bytes named)
{
	struct identifier id;
	struct buf plain;
	uint32_t value = 0;
	buf_init(&plain, IDENTITY_ROOM);
	/* What does not open is of no use to anybody. */
	bool goes = !vault_unseal(c->vault, SEAL_NAMED, named, &plain, NULL) ||
		    !identifier_parse(IDENTIFIER_ECERT, buf_str(&plain), plain.len, 0, &id, NULL, NULL) ||
		    source->find(source->arg, ECERT_LIST, tag_of(list->key, &id), &value) == LOOKUP_HIT;
	buf_wipe(&plain);
	return goes;
}

/* The next CACHE_TURN rows against the list; *looked: how many there were. */
static bool listed_find(struct cache *c, const struct check_source *source, const struct check_list *list,
			int64_t ids[CACHE_TURN], size_t *len, size_t *looked, struct err *e)
{
	struct db_query *q = db_query(c->db, "SELECT id, named FROM body WHERE id > ? ORDER BY id LIMIT ?", e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, c->cleaned_id, e) && db_bind_int(q, 2, CACHE_TURN, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		c->cleaned_id = db_int(q, 0);
		(*looked)++;
		if (is_listed(c, source, list, db_bytes(q, 1)))
			ids[(*len)++] = c->cleaned_id;
	}
	db_finish(q);
	return ok;
}

static bool ended_delete(struct cache *c, int64_t now_s, struct err *e)
{
	struct db_query *q = db_query(c->db,
				      "DELETE FROM body WHERE id IN (SELECT id FROM body WHERE ends_s <= ? LIMIT ?)"
				      " RETURNING LENGTH(sealed)",
				      e);
	bool ok = q != NULL && db_bind_int(q, 1, now_s, e) && db_bind_int(q, 2, CACHE_TURN, e);
	return rows_delete(c, q, ok, &c->erased, e);
}

static bool listed_delete(struct cache *c, const int64_t *ids, size_t len, struct err *e)
{
	bool ok = true;
	for (size_t i = 0; ok && i < len; i++) {
		struct db_query *q = db_query(c->db, "DELETE FROM body WHERE id = ? RETURNING LENGTH(sealed)", e);
		ok = rows_delete(c, q, q != NULL && db_bind_int(q, 1, ids[i], e), &c->erased, e);
	}
	return ok;
}

/* Whether something has ended, asked without a write. */
static bool ended_count(struct cache *c, int64_t now_s, int64_t *count, struct err *e)
{
	return db_run_int(c->db, count, e, "SELECT COUNT(*) FROM body WHERE ends_s <= ?", "i", now_s);
}

bool cache_clean(struct cache *c, const struct check_source *source, int64_t now_s, bool *more, struct err *e)
{
	struct check_list list = { .confirmed_s = -1 };
	int64_t ids[CACHE_TURN], ended = 0, from = c->cleaned_id;
	size_t len = 0, looked = 0;
	*more = false;
	if (c->items == 0)
		return true;
	bool asked = source != NULL && source->list(source->arg, ECERT_LIST, &list) == LOOKUP_NOT_LISTED;
	if (asked && list.version != c->cleaned_version) {
		c->cleaned_version = list.version;
		c->cleaned_id = 0;
	}
	if (!ended_count(c, now_s, &ended, e) || (asked && !listed_find(c, source, &list, ids, &len, &looked, e)))
		return false;
	*more = looked == CACHE_TURN || ended > CACHE_TURN;
	if (ended == 0 && len == 0)
		return true;
	if (!db_begin(c->db, e) || !finish(c, ended_delete(c, now_s, e) && listed_delete(c, ids, len, e), e)) {
		c->cleaned_id = from; /* looked at again */
		return false;
	}
	return true;
}
