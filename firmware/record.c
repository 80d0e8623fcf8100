/*
 * Invariants: the rows kept are base_seq+1 … last without a gap; each row's stored hash is that of the chain;
 * base_hash is the chain's hash before the first of them. base_seq ≤ acknowledged_seq ≤ last. Memory follows
 * the database: it is written after the statement has succeeded, and read back after a rollback.
 */
#include "firmware/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ROW_OVERHEAD 16 /* what a row costs in an upload besides its bytes */
#define DAY_S        86400

struct record {
	struct db *db;             /* borrowed, as the rest */
	const struct vault *vault; /* NULL: nobody needs the key */
	const struct random *random;
	uint8_t epoch[JOURNAL_EPOCH_LEN];
	bool has_key;
	uint8_t key[VAULT_SECRET_LEN];
	uint64_t base, acknowledged, last;
	uint8_t base_hash[HASH_LEN], acknowledged_hash[HASH_LEN], last_hash[HASH_LEN];
};

static bool copy_exact(struct bytes from, uint8_t *to, size_t len)
{
	if (from.len != len)
		return false;
	memcpy(to, from.data, len);
	return true;
}

#define KEY_CONTEXT "journal/key"

/* The first state of a journal, inside the caller's transaction. Without a vault's key it has none. */
static bool record_begin(struct record *r, struct err *e)
{
	uint8_t epoch[JOURNAL_EPOCH_LEN], key[VAULT_SECRET_LEN], hash[HASH_LEN];
	struct buf sealed;
	r->random->fill(r->random->arg, epoch, sizeof(epoch));
	r->random->fill(r->random->arg, key, sizeof(key));
	journal_start_hash(epoch, hash);
	struct bytes h = { hash, sizeof(hash) };
	buf_init(&sealed, sizeof(key) + AEAD_OVERHEAD);
	bool ok = r->vault == NULL || !r->vault->has_key || vault_seal_secret(r->vault, KEY_CONTEXT, key, &sealed, e);
	ok = ok && db_run(r->db, e, "INSERT OR REPLACE INTO journal_state VALUES (1, ?, ?, 0, ?, 0, ?)", "bbbb",
			  (struct bytes){ epoch, sizeof(epoch) }, buf_bytes(&sealed), h, h);
	explicit_bzero(key, sizeof(key));
	buf_clear(&sealed);
	return ok;
}

static bool record_create(struct record *r, struct err *e)
{
	if (!db_begin(r->db, e))
		return false;
	if (record_begin(r, e) && db_commit(r->db, e))
		return true;
	db_rollback(r->db);
	return false;
}

/* One that was sealed under another vault's key is gone. *plain: it stands there unsealed. */
static void key_take(struct record *r, struct bytes stored, bool *plain)
{
	*plain = false;
	explicit_bzero(r->key, sizeof(r->key));
	r->has_key = r->vault != NULL && stored.len > 0 &&
		     vault_unseal_secret(r->vault, KEY_CONTEXT, stored, r->key, plain, NULL);
}

static bool key_seal(struct record *r, struct err *e)
{
	struct buf sealed;
	buf_init(&sealed, sizeof(r->key) + AEAD_OVERHEAD);
	bool ok = vault_seal_secret(r->vault, KEY_CONTEXT, r->key, &sealed, e) &&
		  db_run(r->db, e, "UPDATE journal_state SET key = ?", "b", buf_bytes(&sealed));
	buf_clear(&sealed);
	return ok;
}

static bool record_load_state(struct record *r, struct err *e)
{
	bool ok = false, row = false, plain = false;
	struct db_query *q = db_query(r->db,
				      "SELECT epoch, key, base_seq, base_hash, acknowledged_seq, acknowledged_hash"
				      " FROM journal_state",
				      e);
	if (q == NULL)
		return false;
	if (!db_next(q, &row, e))
		goto out;
	ok = row && copy_exact(db_bytes(q, 0), r->epoch, sizeof(r->epoch)) &&
	     copy_exact(db_bytes(q, 3), r->base_hash, HASH_LEN) &&
	     copy_exact(db_bytes(q, 5), r->acknowledged_hash, HASH_LEN);
	if (!ok) {
		err_set(e, ERR_IO, "journal: its state is damaged");
		goto out;
	}
	r->base = (uint64_t)db_int(q, 2);
	r->acknowledged = (uint64_t)db_int(q, 4);
	key_take(r, db_bytes(q, 1), &plain);
out:
	db_finish(q);
	return ok && (!plain || key_seal(r, e));
}

static bool record_load_last(struct record *r, struct err *e)
{
	bool ok = false, row = false;
	struct db_query *q = db_query(r->db, "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1", e);
	if (q == NULL)
		return false;
	r->last = r->base;
	memcpy(r->last_hash, r->base_hash, HASH_LEN);
	if (!db_next(q, &row, e))
		goto out;
	ok = true;
	if (!row)
		goto out;
	r->last = (uint64_t)db_int(q, 0);
	ok = copy_exact(db_bytes(q, 1), r->last_hash, HASH_LEN);
	if (!ok)
		err_set(e, ERR_IO, "journal: its last row is damaged");
out:
	db_finish(q);
	return ok;
}

bool record_reload(struct record *r, struct err *e)
{
	return record_load_state(r, e) && record_load_last(r, e);
}

struct record *record_open(struct db *db, const struct vault *vault, const struct random *random, struct err *e)
{
	int64_t there = 0;
	struct record *r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	*r = (struct record){ .db = db, .vault = vault, .random = random };
	if (db_run_int(db, &there, e, "SELECT count(*) FROM journal_state", "") &&
	    (there > 0 || record_create(r, e)) && record_reload(r, e))
		return r;
	record_close(r);
	return NULL;
}

void record_close(struct record *r)
{
	if (r == NULL)
		return;
	explicit_bzero(r->key, sizeof(r->key));
	free(r);
}

const uint8_t *record_key(const struct record *r)
{
	return r->key;
}

bool record_has_key(const struct record *r)
{
	return r->has_key;
}

void record_forget_key(struct record *r)
{
	explicit_bzero(r->key, sizeof(r->key));
	r->has_key = false;
}

bool record_renew(struct record *r, struct err *e)
{
	if (r->acknowledged != r->last)
		return err_set(e, ERR_STALE, "%llu rows of the journal are not at central yet",
			       (unsigned long long)(r->last - r->acknowledged));
	if (!db_begin(r->db, e))
		return false;
	if (db_run(r->db, e, "DELETE FROM journal", "") && record_begin(r, e) && db_commit(r->db, e))
		return record_reload(r, e);
	db_rollback(r->db);
	return false;
}

void record_info(const struct record *r, struct record_info *out)
{
	memcpy(out->epoch, r->epoch, sizeof(out->epoch));
	memcpy(out->hash, r->last_hash, HASH_LEN);
	out->first = r->base + 1;
	out->last = r->last;
	out->acknowledged = r->acknowledged;
}

static bool record_insert(struct record *r, const struct journal_row *row, struct bytes bytes, struct bytes hash,
			  const struct record_name *name, struct err *e)
{
	if (name == NULL)
		return db_run(r->db, e, "INSERT INTO journal (seq, time_s, row, hash) VALUES (?, ?, ?, ?)", "iibb",
			      (int64_t)row->seq, row->time_s, bytes, hash);
	struct bytes id = { name->id, DECISION_ID_LEN };
	if (name->request_id[0] == '\0')
		return db_run(
			r->db, e,
			"INSERT INTO journal (seq, time_s, row, hash, decision, terminal) VALUES (?, ?, ?, ?, ?, ?)",
			"iibbbt", (int64_t)row->seq, row->time_s, bytes, hash, id, name->terminal);
	return db_run(r->db, e, "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?)", "iibbbttb", (int64_t)row->seq,
		      row->time_s, bytes, hash, id, name->terminal, name->request_id,
		      (struct bytes){ name->request_hash, HASH_LEN });
}

bool record_append(struct record *r, int64_t time_s, enum journal_kind kind, struct bytes body,
		   const struct record_name *name, struct err *e)
{
	assert(db_in_transaction(r->db));
	uint8_t hash[HASH_LEN];
	struct buf bytes;
	struct journal_row row = { .seq = r->last + 1, .time_s = time_s, .kind = kind, .body = body };
	buf_init(&bytes, JOURNAL_ROW_MAX);
	bool ok = cbor_check(body, e) && journal_row_encode(&row, &bytes, e);
	if (!ok)
		goto out;
	journal_next_hash(r->last_hash, buf_bytes(&bytes), hash);
	ok = record_insert(r, &row, buf_bytes(&bytes), (struct bytes){ hash, HASH_LEN }, name, e);
	if (!ok)
		goto out;
	r->last = row.seq;
	memcpy(r->last_hash, hash, HASH_LEN);
out:
	buf_clear(&bytes);
	return ok;
}

/* The body of the row that q gives (kind 0: of any), and its request hash when asked for. Finishes q. */
static bool record_take(struct db_query *q, enum journal_kind kind, struct buf *out, uint8_t *request_hash,
			struct err *e)
{
	bool ok = false, there = false;
	struct journal_row row;
	if (!db_next(q, &there, e))
		goto out;
	if (!there) {
		err_set(e, ERR_MISSING, "no such decision");
		goto out;
	}
	if (!journal_row_decode(db_bytes(q, 0), &row, e))
		goto out;
	if (kind != 0 && row.kind != kind) {
		err_set(e, ERR_MISSING, "no such decision");
		goto out;
	}
	if (request_hash != NULL && !copy_exact(db_bytes(q, 1), request_hash, HASH_LEN)) {
		err_set(e, ERR_IO, "journal: a request's hash is damaged");
		goto out;
	}
	buf_add(out, row.body.data, row.body.len);
	ok = buf_ok(out, "decision", e);
out:
	db_finish(q);
	return ok;
}

bool record_find(struct record *r, enum journal_kind kind, const uint8_t id[DECISION_ID_LEN], struct buf *out,
		 struct err *e)
{
	struct db_query *q = db_query(r->db, "SELECT row FROM journal WHERE decision = ?", e);
	if (q == NULL)
		return false;
	if (db_bind_bytes(q, 1, (struct bytes){ id, DECISION_ID_LEN }, e))
		return record_take(q, kind, out, NULL, e);
	db_finish(q);
	return false;
}

bool record_find_request(struct record *r, const char *terminal, const char *request_id, struct buf *out,
			 uint8_t request_hash[HASH_LEN], struct err *e)
{
	struct db_query *q =
		db_query(r->db, "SELECT row, request_hash FROM journal WHERE terminal = ? AND request_id = ?", e);
	if (q == NULL)
		return false;
	if (db_bind_text(q, 1, terminal, e) && db_bind_text(q, 2, request_id, e))
		return record_take(q, 0, out, request_hash, e);
	db_finish(q);
	return false;
}

/* Upload */

bool record_batch(struct record *r, struct journal_batch *b, struct buf *memory, struct err *e)
{
	bool ok = false, row = false;
	size_t lens[JOURNAL_BATCH], spent = 0;
	struct db_query *q = db_query(r->db, "SELECT row FROM journal WHERE seq > ? ORDER BY seq LIMIT ?", e);
	if (q == NULL)
		return false;
	memcpy(b->epoch, r->epoch, sizeof(b->epoch));
	memcpy(b->before, r->acknowledged_hash, HASH_LEN);
	b->first = r->acknowledged + 1;
	b->rows_len = 0;
	buf_reset(memory);
	if (!db_bind_int(q, 1, (int64_t)r->acknowledged, e) || !db_bind_int(q, 2, JOURNAL_BATCH, e))
		goto out;
	while ((ok = db_next(q, &row, e)) && row && b->rows_len < JOURNAL_BATCH) {
		struct bytes bytes = db_bytes(q, 0);
		spent += bytes.len + ROW_OVERHEAD;
		if (spent > RECORD_BATCH_BYTES)
			break;
		buf_add(memory, bytes.data, bytes.len);
		lens[b->rows_len++] = bytes.len;
	}
	ok = ok && buf_ok(memory, "journal batch", e);
	/* Only now does the memory stay where it is. */
	for (size_t i = 0, at = 0; ok && i < b->rows_len; at += lens[i++])
		b->rows[i] = (struct bytes){ memory->data + at, lens[i] };
out:
	db_finish(q);
	return ok;
}

/* The chain's hash after row seq, as far as we know it. */
static bool record_hash_at(struct record *r, uint64_t seq, uint8_t hash[HASH_LEN], struct err *e)
{
	bool ok = false, row = false;
	if (seq == r->base)
		memcpy(hash, r->base_hash, HASH_LEN);
	if (seq == r->base)
		return true;
	struct db_query *q = db_query(r->db, "SELECT hash FROM journal WHERE seq = ?", e);
	if (q == NULL)
		return false;
	if (!db_bind_int(q, 1, (int64_t)seq, e) || !db_next(q, &row, e))
		goto out;
	ok = row && copy_exact(db_bytes(q, 0), hash, HASH_LEN);
	if (!ok)
		err_set(e, ERR_MISSING, "journal: row %llu is no longer kept", (unsigned long long)seq);
out:
	db_finish(q);
	return ok;
}

/* That the acknowledgement is of our chain. */
static bool record_proven(struct record *r, const struct journal_ack *a, struct err *e)
{
	uint8_t hash[HASH_LEN];
	if (memcmp(a->epoch, r->epoch, sizeof(r->epoch)) != 0)
		return err_set(e, ERR_CONFLICT, "journal: acknowledgement of another epoch");
	if (a->seq > r->last)
		return err_set(e, ERR_CONFLICT, "journal: central has row %llu, ours end at %llu",
			       (unsigned long long)a->seq, (unsigned long long)r->last);
	if (!record_hash_at(r, a->seq, hash, e))
		return false;
	if (memcmp(a->hash, hash, HASH_LEN) != 0)
		return err_set(e, ERR_CONFLICT, "journal: central has another row %llu", (unsigned long long)a->seq);
	return true;
}

static bool record_set_acknowledged(struct record *r, const struct journal_ack *a, struct err *e)
{
	if (!db_begin(r->db, e))
		return false;
	if (!db_run(r->db, e, "UPDATE journal_state SET acknowledged_seq = ?, acknowledged_hash = ?", "ib",
		    (int64_t)a->seq, (struct bytes){ a->hash, HASH_LEN }) ||
	    !db_commit(r->db, e)) {
		db_rollback(r->db);
		return false;
	}
	r->acknowledged = a->seq;
	memcpy(r->acknowledged_hash, a->hash, HASH_LEN);
	return true;
}

bool record_acknowledge(struct record *r, const struct journal_ack *a, struct err *e)
{
	if (a->seq < r->base && memcmp(a->epoch, r->epoch, sizeof(r->epoch)) == 0)
		return true; /* late: the row is gone, because it has long been acknowledged */
	if (!record_proven(r, a, e))
		return false;
	return a->seq <= r->acknowledged || record_set_acknowledged(r, a, e);
}

bool record_rewind(struct record *r, const struct journal_ack *a, struct err *e)
{
	if (!record_proven(r, a, e))
		return false;
	return a->seq >= r->acknowledged || record_set_acknowledged(r, a, e);
}

/* Keeping */

static bool record_verify_row(uint64_t seq, struct bytes bytes, struct bytes stored, uint8_t hash[HASH_LEN],
			      int64_t found_seq, struct err *e)
{
	uint8_t next[HASH_LEN];
	struct journal_row row;
	if (found_seq != (int64_t)seq)
		return err_set(e, ERR_CONFLICT, "journal: row %llu is missing", (unsigned long long)seq);
	journal_next_hash(hash, bytes, next);
	if (!bytes_equal(stored, (struct bytes){ next, HASH_LEN }))
		return err_set(e, ERR_CONFLICT, "journal: row %llu does not fit the chain", (unsigned long long)seq);
	if (!journal_row_decode(bytes, &row, e) || row.seq != seq)
		return err_set(e, ERR_CONFLICT, "journal: row %llu is malformed", (unsigned long long)seq);
	memcpy(hash, next, HASH_LEN);
	return true;
}

bool record_verify(struct record *r, uint64_t *rows, struct err *e)
{
	bool ok, row = false;
	uint8_t hash[HASH_LEN];
	struct db_query *q = db_query(r->db, "SELECT seq, row, hash FROM journal ORDER BY seq", e);
	if (q == NULL)
		return false;
	*rows = 0;
	memcpy(hash, r->base_hash, HASH_LEN);
	while ((ok = db_next(q, &row, e)) && row) {
		ok = record_verify_row(r->base + 1 + *rows, db_bytes(q, 1), db_bytes(q, 2), hash, db_int(q, 0), e);
		if (!ok)
			break;
		++*rows;
	}
	db_finish(q);
	if (ok && (r->base + *rows != r->last || memcmp(hash, r->last_hash, HASH_LEN) != 0))
		return err_set(e, ERR_CONFLICT, "journal: row %llu is missing",
			       (unsigned long long)(r->base + *rows + 1));
	return ok;
}

/* How far rows can go, and the chain's hash there. */
static bool record_prune_bound(struct record *r, int64_t now_s, uint64_t *seq, uint8_t hash[HASH_LEN], struct err *e)
{
	bool ok = false, row = false;
	struct db_query *q =
		db_query(r->db, "SELECT seq, time_s, hash FROM journal WHERE seq <= ? ORDER BY seq LIMIT ?", e);
	if (q == NULL)
		return false;
	*seq = r->base;
	if (!db_bind_int(q, 1, (int64_t)r->acknowledged, e) || !db_bind_int(q, 2, RECORD_PRUNE_ROWS, e))
		goto out;
	while ((ok = db_next(q, &row, e)) && row) {
		if (db_int(q, 1) > now_s - (int64_t)RECORD_KEEP_DAYS * DAY_S ||
		    !copy_exact(db_bytes(q, 2), hash, HASH_LEN))
			break;
		*seq = (uint64_t)db_int(q, 0);
	}
out:
	db_finish(q);
	return ok;
}

bool record_prune(struct record *r, int64_t now_s, uint64_t *removed, struct err *e)
{
	uint64_t seq;
	uint8_t hash[HASH_LEN];
	if (removed != NULL)
		*removed = 0;
	if (!record_prune_bound(r, now_s, &seq, hash, e))
		return false;
	if (seq == r->base)
		return true;
	if (!db_begin(r->db, e))
		return false;
	if (!db_run(r->db, e, "DELETE FROM journal WHERE seq <= ?", "i", (int64_t)seq) ||
	    !db_run(r->db, e, "UPDATE journal_state SET base_seq = ?, base_hash = ?", "ib", (int64_t)seq,
		    (struct bytes){ hash, HASH_LEN }) ||
	    !db_commit(r->db, e)) {
		db_rollback(r->db);
		return false;
	}
	if (removed != NULL)
		*removed = seq - r->base;
	r->base = seq;
	memcpy(r->base_hash, hash, HASH_LEN);
	return true;
}
