/*
 * The invariant: journal_epoch.seq and .hash are those of the last row of journal_row, and change in the transaction that adds
 * rows. A batch is judged by the chain alone: the hash before it and the hash at the end of what it shares with us.
 */
#include "central/branch/journals.h"

#include "central/alarm.h"
#include "central/branch/branches.h"
#include "central/branch/uses.h"

#include <stdio.h>
#include <string.h>

struct line {
	int64_t id; /* of journal_epoch */
	uint64_t seq;
	uint8_t hash[HASH_LEN];
};

static bool hash_take(const struct db_query *q, int at, uint8_t hash[HASH_LEN], struct err *e)
{
	struct bytes b = db_bytes(q, at);
	if (b.len != HASH_LEN)
		return err_set(e, ERR_IO, "the database holds a hash of %zu bytes", b.len);
	memcpy(hash, b.data, HASH_LEN);
	return true;
}

static bool line_find(struct db *db, const char *branch, const uint8_t epoch[JOURNAL_EPOCH_LEN], struct line *l,
		      bool *found, struct err *e)
{
	*l = (struct line){ 0 };
	*found = false;
	struct db_query *q =
		db_query(db, "SELECT id, seq, hash FROM journal_epoch WHERE branch = ? AND epoch = ?", e);
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, branch, e) &&
		  db_bind_bytes(q, 2, (struct bytes){ epoch, JOURNAL_EPOCH_LEN }, e) && db_next(q, found, e);
	if (ok && *found) {
		l->id = db_int(q, 0);
		l->seq = (uint64_t)db_int(q, 1);
		ok = hash_take(q, 2, l->hash, e);
	}
	db_finish(q);
	if (ok && !*found)
		journal_start_hash(epoch, l->hash);
	return ok;
}

/* The epoch this branch spoke in last, if any. */
static bool epoch_current(struct db *db, const char *branch, const uint8_t epoch[JOURNAL_EPOCH_LEN], bool *none,
			  bool *same, struct err *e)
{
	bool row = false;
	struct db_query *q = db_query(db, "SELECT epoch FROM branch WHERE name = ?", e);
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, branch, e) && db_next(q, &row, e);
	if (ok && row) {
		*none = db_is_null(q, 0);
		*same = bytes_equal(db_bytes(q, 0), (struct bytes){ epoch, JOURNAL_EPOCH_LEN });
	}
	db_finish(q);
	return ok && (row || err_set(e, ERR_MISSING, "no branch %s", branch));
}

/* The line of this epoch, begun if need be; a change of epochs is noticed here. */
static bool line_enter(struct db *db, const char *branch, const uint8_t epoch[JOURNAL_EPOCH_LEN], int64_t now_s,
		       struct line *l, struct err *e)
{
	bool none = false, same = false, known = false;
	struct bytes epoch_bytes = { epoch, JOURNAL_EPOCH_LEN };
	if (!epoch_current(db, branch, epoch, &none, &same, e) || !line_find(db, branch, epoch, l, &known, e))
		return false;
	if (!same) {
		char hex[2 * JOURNAL_EPOCH_LEN + 1], detail[160];
		hex_encode(epoch, JOURNAL_EPOCH_LEN, hex);
		snprintf(detail, sizeof(detail),
			 known ? "an earlier journal is back (a restored or cloned box): epoch %s"
			       : "another journal begins (a replaced, restored or cloned box): epoch %s",
			 hex);
		if (!none &&
		    !alarm_raise(db, now_s, branch, known ? "journal.epoch_back" : "journal.epoch_new", detail, e))
			return false;
		if (!db_run(db, e, "UPDATE branch SET epoch = ? WHERE name = ?", "bt", epoch_bytes, branch))
			return false;
	}
	if (known)
		return true;
	return db_run(db, e,
		      "INSERT INTO journal_epoch (branch, epoch, seq, hash, first_s, last_s) VALUES (?, ?, 0, ?, ?, "
		      "?)",
		      "tbbii", branch, epoch_bytes, (struct bytes){ l->hash, HASH_LEN }, now_s, now_s) &&
	       db_run_int(db, &l->id, e, "SELECT id FROM journal_epoch WHERE branch = ? AND epoch = ?", "tb", branch,
			  epoch_bytes);
}

/* The hash of row seq ≤ l->seq. */
static bool line_hash(struct db *db, const struct line *l, const uint8_t epoch[JOURNAL_EPOCH_LEN], uint64_t seq,
		      uint8_t hash[HASH_LEN], struct err *e)
{
	bool row = false;
	if (seq == l->seq) {
		memcpy(hash, l->hash, HASH_LEN);
		return true;
	}
	if (seq == 0) {
		journal_start_hash(epoch, hash);
		return true;
	}
	struct db_query *q = db_query(db, "SELECT hash FROM journal_row WHERE epoch_id = ? AND seq = ?", e);
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, l->id, e) && db_bind_int(q, 2, (int64_t)seq, e) && db_next(q, &row, e) &&
		  (row || err_set(e, ERR_IO, "journal row %llu is gone", (unsigned long long)seq)) &&
		  hash_take(q, 0, hash, e);
	db_finish(q);
	return ok;
}

/* Whether the batch says what is here as far as both go. */
static bool batch_fits(struct db *db, const struct line *l, const struct journal_batch *b, bool *fits, struct err *e)
{
	uint8_t ours[HASH_LEN], theirs[HASH_LEN];
	if (!line_hash(db, l, b->epoch, b->first - 1, ours, e))
		return false;
	*fits = memcmp(ours, b->before, HASH_LEN) == 0;
	uint64_t last = b->first + b->rows_len - 1, shared = last < l->seq ? last : l->seq;
	if (!*fits || shared < b->first)
		return true;
	memcpy(theirs, b->before, HASH_LEN);
	for (uint64_t seq = b->first; seq <= shared; seq++)
		journal_next_hash(theirs, b->rows[seq - b->first], theirs);
	if (!line_hash(db, l, b->epoch, shared, ours, e))
		return false;
	*fits = memcmp(ours, theirs, HASH_LEN) == 0;
	return true;
}

/* Comma-separated, each name once. */
static void reasons_text(const struct decision *d, char *out, size_t size)
{
	size_t len = 0;
	out[0] = '\0';
	for (size_t i = 0; i < d->reasons_len && len < size - 1; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s", i > 0 ? "," : "", d->reasons[i].code);
}

static bool decision_add(struct db *db, const char *branch, const struct line *l, uint64_t seq,
			 const struct decision *d, struct err *e)
{
	char masked[DECISION_PARTIES_MAX * 100], reasons[DECISION_REASONS_MAX * 50];
	size_t len = 0;
	masked[0] = '\0';
	for (size_t i = 0; i < d->parties_len; i++)
		len += (size_t)snprintf(masked + len, sizeof(masked) - len, "%s%s", i > 0 ? " / " : "",
					d->parties[i].masked);
	reasons_text(d, reasons, sizeof(reasons));
	return db_run(
		db, e,
		"INSERT INTO decision (epoch_id, seq, id, branch, time_s, terminal, business, outcome, follow_up,"
		" masked, reasons) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"iibtittiitt", l->id, (int64_t)seq, (struct bytes){ d->id, DECISION_ID_LEN }, branch, d->time_s,
		d->terminal, d->business, (int64_t)d->outcome, (int64_t)d->follow_up, masked, reasons);
}

/* What stands in a row of one of the kinds that are read; borrows from the row. */
union row_body {
	struct decision decision;
	struct journal_event event;
	union use use;
};

/* Reads a row; what is wrong with it is no failure but *bad's text. */
static bool row_read(struct bytes data, uint64_t seq, struct journal_row *r, union row_body *body, struct err *bad)
{
	if (!journal_row_decode(data, r, bad))
		return false;
	if (r->seq != seq)
		return err_set(bad, ERR_INPUT, "the row calls itself %llu", (unsigned long long)r->seq);
	if (r->kind == JOURNAL_DECISION)
		return decision_decode(r->body, &body->decision, bad);
	if (r->kind == JOURNAL_EVENT)
		return journal_event_decode(r->body, &body->event, bad);
	return !uses_is(r->kind) || uses_read(r, &body->use, bad);
}

static bool body_add(struct db *db, const char *branch, const struct line *l, const struct journal_row *r,
		     const union row_body *body, int64_t now_s, struct err *e)
{
	const struct use_place at = { branch, l->id, l->seq, r->time_s };
	if (r->kind == JOURNAL_DECISION)
		return decision_add(db, branch, l, l->seq, &body->decision, e);
	if (r->kind == JOURNAL_EVENT && bytes_equal(body->event.code, bytes_of(JOURNAL_EVENT_TAMPER)))
		return branches_tampered(db, branch, body->event.detail, r->time_s, now_s, e);
	return !uses_is(r->kind) || uses_add(db, &at, r->kind, &body->use, e);
}

static bool row_add(struct db *db, const char *branch, struct line *l, struct bytes data, int64_t now_s,
		    uint64_t *dead, struct err *e)
{
	struct journal_row r = { 0 };
	union row_body body;
	struct err bad = { 0 };
	uint64_t seq = l->seq + 1;
	bool readable = row_read(data, seq, &r, &body, &bad);
	journal_next_hash(l->hash, data, l->hash);
	l->seq = seq;
	if (!db_run(db, e,
		    "INSERT INTO journal_row (epoch_id, seq, time_s, kind, hash, row, received_s)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?)",
		    "iiiibbi", l->id, (int64_t)seq, readable ? r.time_s : 0, readable ? (int64_t)r.kind : 0,
		    (struct bytes){ l->hash, HASH_LEN }, data, now_s))
		return false;
	if (readable)
		return body_add(db, branch, l, &r, &body, now_s, e);
	(*dead)++;
	return db_run(db, e, "INSERT INTO journal_dead (epoch_id, seq, reason) VALUES (?, ?, ?)", "iit", l->id,
		      (int64_t)seq, bad.text) &&
	       alarm_raise(db, now_s, branch, "journal.dead", bad.text, e);
}

static bool rows_add(struct db *db, const char *branch, struct line *l, const struct journal_batch *b, int64_t now_s,
		     struct journals_result *out, struct err *e)
{
	for (size_t i = (size_t)(l->seq + 1 - b->first); i < b->rows_len; i++) {
		if (!row_add(db, branch, l, b->rows[i], now_s, &out->dead, e))
			return false;
		out->stored++;
	}
	return db_run(db, e, "UPDATE journal_epoch SET seq = ?, hash = ?, last_s = ? WHERE id = ?", "ibii",
		      (int64_t)l->seq, (struct bytes){ l->hash, HASH_LEN }, now_s, l->id) &&
	       db_run(db, e, "UPDATE branch SET last_seen_s = ? WHERE name = ?", "it", now_s, branch);
}

static bool batch_store(struct db *db, const char *branch, const struct journal_batch *b, int64_t now_s,
			struct journals_result *out, struct err *e)
{
	struct line l;
	bool fits = false;
	if (!line_enter(db, branch, b->epoch, now_s, &l, e))
		return false;
	if (b->first > l.seq + 1) {
		out->verdict = JOURNALS_GAP;
	} else if (!batch_fits(db, &l, b, &fits, e)) {
		return false;
	} else if (!fits) {
		char detail[160];
		snprintf(detail, sizeof(detail), "rows %llu to %llu contradict what is stored; nothing was taken",
			 (unsigned long long)b->first, (unsigned long long)(b->first + b->rows_len - 1));
		out->verdict = JOURNALS_CONFLICT;
		if (!alarm_raise(db, now_s, branch, "journal.conflict", detail, e))
			return false;
	} else if (b->first + b->rows_len - 1 <= l.seq) {
		out->verdict = JOURNALS_DUPLICATE;
	} else {
		out->verdict = JOURNALS_STORED;
		if (!rows_add(db, branch, &l, b, now_s, out, e))
			return false;
	}
	out->ack.seq = l.seq;
	memcpy(out->ack.epoch, b->epoch, JOURNAL_EPOCH_LEN);
	memcpy(out->ack.hash, l.hash, HASH_LEN);
	return true;
}

bool journals_store(struct db *db, const char *branch, const struct journal_batch *b, int64_t now_s,
		    struct journals_result *out, struct err *e)
{
	*out = (struct journals_result){ 0 };
	if (!db_begin(db, e))
		return false;
	if (batch_store(db, branch, b, now_s, out, e) && db_commit(db, e))
		return true;
	db_rollback(db);
	return err_wrap(e, "journal of %s", branch);
}

bool journals_ack(struct db *db, const char *branch, const uint8_t epoch[JOURNAL_EPOCH_LEN], struct journal_ack *out,
		  struct err *e)
{
	struct line l;
	bool known = false;
	if (!line_find(db, branch, epoch, &l, &known, e))
		return false;
	memcpy(out->epoch, epoch, JOURNAL_EPOCH_LEN);
	memcpy(out->hash, l.hash, HASH_LEN);
	out->seq = l.seq;
	return true;
}

/* What ties a stored key to its line. */
static struct bytes key_context(int64_t epoch_id, char text[64])
{
	snprintf(text, 64, "journal-key/%lld", (long long)epoch_id);
	return bytes_of(text);
}

/* ERR_MISSING when no key came yet. */
static bool key_load(struct db *db, int64_t epoch_id, const uint8_t vault_key[32], uint8_t key[32], struct err *e)
{
	bool row = false;
	char text[64];
	struct buf plain;
	struct db_query *q =
		db_query(db, "SELECT sealed_key FROM journal_epoch WHERE id = ? AND sealed_key IS NOT NULL", e);
	if (q == NULL)
		return false;
	buf_init(&plain, 32);
	bool ok = db_bind_int(q, 1, epoch_id, e) && db_next(q, &row, e) &&
		  (row || err_set(e, ERR_MISSING, "the branch never sent the key of this journal")) &&
		  aead_open(vault_key, key_context(epoch_id, text), db_bytes(q, 0), &plain, e) &&
		  (plain.len == 32 || err_set(e, ERR_IO, "a stored journal key of %zu bytes", plain.len));
	if (ok)
		memcpy(key, plain.data, 32);
	buf_wipe(&plain);
	db_finish(q);
	return ok;
}

static bool key_store(struct db *db, int64_t epoch_id, const uint8_t key[32], const uint8_t vault_key[32],
		      const struct random *random, struct err *e)
{
	char text[64];
	struct buf sealed;
	buf_init(&sealed, 32 + AEAD_OVERHEAD);
	bool ok = aead_seal(vault_key, random, key_context(epoch_id, text), (struct bytes){ key, 32 }, &sealed, e) &&
		  db_run(db, e, "UPDATE journal_epoch SET sealed_key = ? WHERE id = ?", "bi", buf_bytes(&sealed),
			 epoch_id);
	buf_clear(&sealed);
	return ok;
}

bool journals_hello(struct db *db, const char *branch, const uint8_t epoch[JOURNAL_EPOCH_LEN], const uint8_t key[32],
		    const uint8_t vault_key[32], const struct random *random, int64_t now_s, struct err *e)
{
	struct line l;
	uint8_t stored[32];
	struct err why = { 0 };
	if (!line_enter(db, branch, epoch, now_s, &l, e))
		return false;
	if (key == NULL)
		return true;
	bool ok = true;
	if (key_load(db, l.id, vault_key, stored, &why)) {
		if (!bytes_same_secret(key, stored, 32))
			ok = alarm_raise(db, now_s, branch, "journal.key_changed",
					 "another key for the same journal; the first one is kept", e);
		explicit_bzero(stored, sizeof(stored));
	} else if (why.code == ERR_MISSING) {
		ok = key_store(db, l.id, key, vault_key, random, e);
	} else {
		ok = err_set(e, why.code, "%s", why.text);
	}
	return ok;
}

bool journals_decision(struct db *db, const uint8_t id[DECISION_ID_LEN], const char *branch, struct buf *row,
		       int64_t *epoch_id, struct err *e)
{
	bool found = false, more = false;
	struct db_query *q = db_query(
		db,
		"SELECT r.row, r.epoch_id FROM decision d JOIN journal_row r"
		" ON r.epoch_id = d.epoch_id AND r.seq = d.seq WHERE d.id = ? AND (? IS NULL OR d.branch = ?)",
		e);
	if (q == NULL)
		return false;
	bool ok = db_bind_bytes(q, 1, (struct bytes){ id, DECISION_ID_LEN }, e) && db_bind_text(q, 2, branch, e) &&
		  db_bind_text(q, 3, branch, e) && db_next(q, &found, e) &&
		  (found || err_set(e, ERR_MISSING, "no decision of this id was received"));
	if (ok) {
		struct bytes data = db_bytes(q, 0);
		buf_add(row, data.data, data.len);
		*epoch_id = db_int(q, 1);
		ok = buf_ok(row, "journal row", e) && db_next(q, &more, e) &&
		     (!more || err_set(e, ERR_CONFLICT, "several decisions have this id: name the branch"));
	}
	db_finish(q);
	return ok;
}

bool journals_unseal(struct db *db, int64_t epoch_id, const struct decision *d, const uint8_t vault_key[32],
		     struct buf *plain, struct err *e)
{
	uint8_t key[32];
	if (!key_load(db, epoch_id, vault_key, key, e))
		return false;
	bool ok = aead_open(key, (struct bytes){ d->id, DECISION_ID_LEN }, d->sealed_subject, plain, e);
	explicit_bzero(key, sizeof(key));
	return ok;
}
