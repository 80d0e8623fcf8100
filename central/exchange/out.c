/* The outbox: records are made once and keep their bytes. */
#include "central/exchange/exchange.h"

#include "central/store/store.h"
#include "protocol/base/json.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_HEX   32 /* digits of a record's key behind its name */
#define WHOSE_MAX (PERSON_NAME_MAX + 64)

struct pushing {
	struct release_context *c;
	struct exchange *x;
	struct exchange_agreement agreement;
	struct exchange_pushed *out;
	int64_t now_s;
	int rows;
};

static bool finish(struct release_context *c, bool ok, struct err *e)
{
	if (ok && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

/* --- records --- */

/* The key is of what the record says, so that a record's number that came back with an old database is no record's twice. */
static void key_make(const char *name, int64_t number, struct bytes content, char out[96])
{
	uint8_t hash[HASH_LEN];
	char hex[2 * HASH_LEN + 1];
	sha256(content, hash);
	hex_encode(hash, HASH_LEN, hex);
	snprintf(out, 96, "%.40s-%lld-%.*s", name, (long long)number, KEY_HEX, hex);
}

static bool record_queue(struct pushing *p, const char *key, struct buf *body, struct err *e)
{
	bool ok = buf_ok(body, "the record", e) &&
		  db_run(p->c->db, e,
			 "INSERT INTO exchange_out (exchange, key, body, state, batch, tries, fault, made_s, done_s)"
			 " VALUES (?, ?, ?, 1, 0, 0, '', ?, 0) ON CONFLICT (exchange, key) DO NOTHING",
			 "ttti", p->x->name, key, buf_str(body), p->now_s);
	if (ok)
		p->out->queued += db_changes(p->c->db);
	return ok;
}

/* whose: "uscc:9133…". */
static bool subject_put(const struct pushing *p, struct json_out *w, const char *whose, struct err *e)
{
	uint8_t hash[HASH_LEN];
	char text[2 * HASH_LEN + 1];
	struct buf sealed, base64;
	json_put_text_n(w, "subject_kind", (struct bytes){ (const uint8_t *)whose, strcspn(whose, ":") });
	if (p->agreement.subject == EXCHANGE_SUBJECT_HASH) {
		hmac_sha256((struct bytes){ p->agreement.key, HASH_LEN }, bytes_of(whose), hash);
		hex_encode(hash, HASH_LEN, text);
		json_put_text(w, "subject_hash", text);
		return true;
	}
	buf_init(&sealed, WHOSE_MAX + SEAL_OVERHEAD);
	buf_init(&base64, 2 * (size_t)(WHOSE_MAX + SEAL_OVERHEAD));
	bool ok = seal_to(p->agreement.point, p->c->random, bytes_of("xb/1/exchange"), bytes_of(whose), &sealed, e);
	if (ok) {
		base64_encode(buf_bytes(&sealed), &base64);
		json_put_text_n(w, "subject_sealed", buf_bytes(&base64));
		ok = buf_ok(&base64, "the subject", e);
	}
	buf_clear(&sealed);
	buf_clear(&base64);
	return ok;
}

/* Columns: id, value, model, oldest_day, scored_s, subject, number. */
static bool score_record(struct pushing *p, const struct db_query *q, const char *whose, struct err *e)
{
	char key[96], day[11], content[512], subject[2 * HASH_LEN + 1] = "";
	struct buf body;
	struct bytes hash = db_bytes(q, 5);
	if (hash.len == HASH_LEN)
		hex_encode(hash.data, HASH_LEN, subject);
	snprintf(content, sizeof(content), "%s %s %s %s %lld", p->x->what, db_text(q, 2), subject, db_text(q, 1),
		 (long long)db_int(q, 4));
	key_make("score", db_int(q, 0), bytes_of(content), key);
	day_format(db_int(q, 3), day);
	buf_init(&body, EXCHANGE_RECORD_MAX - 1);
	struct json_out w = { &body, false };
	json_open(&w, NULL, '{');
	json_put_text(&w, "key", key);
	json_put_text(&w, "kind", "score");
	json_put_text(&w, "family", p->x->what);
	json_put_text(&w, "model", db_text(q, 2));
	bool ok = subject_put(p, &w, whose, e);
	json_put_text(&w, "score", db_text(q, 1));
	json_put_text(&w, "oldest_input", day);
	json_put_int(&w, "scored_s", db_int(q, 4));
	json_close(&w, '}');
	ok = ok && record_queue(p, key, &body, e);
	buf_clear(&body);
	return ok;
}

static bool score_take(struct pushing *p, const struct db_query *q, struct err *e)
{
	uint8_t subject[HASH_LEN];
	struct buf whose;
	struct bytes hash = db_bytes(q, 5);
	p->x->after = db_int(q, 0);
	if (db_is_null(q, 6) || hash.len != HASH_LEN) {
		p->out->skipped++;
		return true;
	}
	memcpy(subject, hash.data, HASH_LEN);
	buf_init(&whose, WHOSE_MAX);
	bool ok = aead_open(p->c->vault_key, (struct bytes){ subject, HASH_LEN }, db_bytes(q, 6), &whose, e) &&
		  score_record(p, q, buf_str(&whose), e);
	buf_wipe(&whose);
	return ok || err_wrap(e, "score %lld", (long long)p->x->after);
}

static bool scores_queue(struct pushing *p, struct err *e)
{
	struct db_query *q = db_query(p->c->db,
				      "SELECT s.id, s.value, s.hash, i.oldest_day, i.scored_s, i.subject, i.number "
				      "FROM score s JOIN score_input i"
				      " ON i.id = s.input WHERE i.family = ? AND s.role = 1 AND s.value <> '' AND "
				      "s.id > ? ORDER BY s.id LIMIT ?",
				      e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, p->x->what, e) && db_bind_int(q, 2, p->x->after, e) &&
		  db_bind_int(q, 3, EXCHANGE_PUSH_MAX, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		p->rows++;
		ok = score_take(p, q, e);
	}
	db_finish(q);
	p->out->more = p->rows == EXCHANGE_PUSH_MAX;
	return ok;
}

/* Columns: name, version, count, added, removed, changed, published_s, content. */
static bool release_record(struct pushing *p, const struct db_query *q, struct err *e)
{
	char key[96], hex[2 * HASH_LEN + 1] = "";
	struct buf body;
	struct bytes content = db_bytes(q, 7);
	if (content.len == HASH_LEN)
		hex_encode(content.data, HASH_LEN, hex);
	key_make(db_text(q, 0), db_int(q, 1), content, key);
	buf_init(&body, EXCHANGE_RECORD_MAX - 1);
	struct json_out w = { &body, false };
	json_open(&w, NULL, '{');
	json_put_text(&w, "key", key);
	json_put_text(&w, "kind", "release");
	json_put_text(&w, "list", db_text(q, 0));
	json_put_int(&w, "version", db_int(q, 1));
	json_put_int(&w, "entries", db_int(q, 2));
	json_put_int(&w, "added", db_int(q, 3));
	json_put_int(&w, "removed", db_int(q, 4));
	json_put_int(&w, "changed", db_int(q, 5));
	json_put_int(&w, "published_s", db_int(q, 6));
	json_put_text(&w, "content", hex);
	json_close(&w, '}');
	bool ok = record_queue(p, key, &body, e);
	buf_clear(&body);
	return ok;
}

/* Versions are published in no order of their rows, and are few: all are looked at, and those that went before are known by their key. */
static bool releases_queue(struct pushing *p, struct err *e)
{
	struct db_query *q =
		db_query(p->c->db,
			 "SELECT name, version, count, added, removed, changed, published_s, content FROM release"
			 " WHERE state = 4 AND kind = 1 AND (name = ? OR ? = '') ORDER BY published_s, id",
			 e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, p->x->what, e) && db_bind_text(q, 2, p->x->what, e);
	while (ok && (ok = db_next(q, &row, e)) && row)
		ok = release_record(p, q, e);
	db_finish(q);
	return ok;
}

static bool push_all(struct pushing *p, const char *operator, struct err * e)
{
	char detail[80];
	bool ok = p->x->kind == EXCHANGE_SCORES ? scores_queue(p, e) : releases_queue(p, e);
	snprintf(detail, sizeof(detail), "%lld queued, %lld skipped", (long long)p->out->queued,
		 (long long)p->out->skipped);
	if (p->x->batch == 0 && p->x->tries == 0)
		p->x->next_s = p->now_s;
	return ok && exchange_save(p->c, p->x, e) &&
	       (p->out->queued + p->out->skipped == 0 ||
		audit_add(p->c->db, p->now_s, operator, "exchange.push", p->x->name, detail, e));
}

bool exchange_push(struct release_context *c, const char *dir, const char *name, const char *operator, int64_t now_s,
		   struct exchange_pushed *out, struct err *e)
{
	struct exchange x;
	struct pushing p = { .c = c, .x = &x, .out = out, .now_s = now_s };
	*out = (struct exchange_pushed){ 0 };
	if (!exchange_load(c, name, &x, e))
		return false;
	if (x.direction != EXCHANGE_PUSH)
		return err_set(e, ERR_CONFLICT, "%s: nothing is pushed to it; it is pulled from", name);
	if (!exchange_agreement_load(&x, dir, &p.agreement, e))
		return false;
	bool ok = db_begin(c->db, e) && finish(c, push_all(&p, operator, e), e);
	explicit_bzero(&p.agreement, sizeof(p.agreement));
	return ok;
}

/* --- what waits, what is dead --- */

bool exchange_count(struct release_context *c, const char *name, struct exchange_counts *out, struct err *e)
{
	static const char sql[] = "SELECT count(*) FROM exchange_out WHERE exchange = ? AND state = ?";
	return db_run_int(c->db, &out->waiting, e, sql, "ti", name, (int64_t)EXCHANGE_WAITING) &&
	       db_run_int(c->db, &out->taken, e, sql, "ti", name, (int64_t)EXCHANGE_TAKEN) &&
	       db_run_int(c->db, &out->dead, e, sql, "ti", name, (int64_t)EXCHANGE_DEAD);
}

bool exchange_dead_each(struct release_context *c, const char *name, size_t limit,
			void (*each)(void *arg, int64_t id, const char *key, int64_t tries, const char *fault,
				     int64_t made_s),
			void *arg, struct err *e)
{
	struct exchange x;
	bool row = false;
	if (!exchange_load(c, name, &x, e))
		return false;
	struct db_query *q =
		db_query(c->db,
			 "SELECT id, key, tries, fault, made_s FROM exchange_out WHERE exchange = ? AND state = 3"
			 " ORDER BY id LIMIT ?",
			 e);
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, name, e) && db_bind_int(q, 2, (int64_t)limit, e);
	while (ok && (ok = db_next(q, &row, e)) && row)
		each(arg, db_int(q, 0), db_text(q, 1), db_int(q, 2), db_text(q, 3), db_int(q, 4));
	db_finish(q);
	return ok;
}

static bool requeue(struct release_context *c, struct exchange *x, int64_t id, const char *operator, int64_t now_s,
		    int64_t *n, struct err *e)
{
	char detail[64];
	if (!db_run(c->db, e,
		    "UPDATE exchange_out SET state = 1, batch = 0, tries = 0 WHERE exchange = ? AND state = 3 AND "
		    "(id = ? OR "
		    "? = 0)",
		    "tii", x->name, id, id))
		return false;
	*n = db_changes(c->db);
	if (id != 0 && *n == 0)
		return err_set(e, ERR_MISSING, "%s has no dead record %lld; see: centralctl exchange dead %s",
			       x->name, (long long)id, x->name);
	snprintf(detail, sizeof(detail), "%lld records", (long long)*n);
	x->next_s = now_s;
	return exchange_save(c, x, e) && audit_add(c->db, now_s, operator, "exchange.requeue", x->name, detail, e);
}

bool exchange_requeue(struct release_context *c, const char *name, int64_t id, const char *operator, int64_t now_s,
		      int64_t *n, struct err *e)
{
	struct exchange x;
	*n = 0;
	return exchange_load(c, name, &x, e) && db_begin(c->db, e) &&
	       finish(c, requeue(c, &x, id, operator, now_s, n, e), e);
}
