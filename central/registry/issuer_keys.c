#include "central/registry/issuer_keys.h"

#include "central/registry/code_set.h"
#include "central/store/store.h"
#include "protocol/base/json.h"
#include "protocol/ecert_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool finish(struct db *db, bool ok, struct err *e)
{
	if (ok && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

static bool code_is_good(const char *code)
{
	size_t len = strlen(code);
	return len > 0 && len <= ECERT_PART_MAX && strspn(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == len;
}

/* "*", or codes that are none of them empty. */
static bool kinds_are_good(const char *kinds)
{
	size_t len = strlen(kinds);
	if (strcmp(kinds, "*") == 0)
		return true;
	return len > 0 && len <= ISSUER_KINDS_TEXT_MAX && kinds[0] != ',' && kinds[len - 1] != ',' &&
	       strstr(kinds, ",,") == NULL &&
	       strspn(kinds, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_,") == len;
}

bool issuer_add(struct db *db, const struct issuer_new *n, const char *operator, int64_t now_s, struct err *e)
{
	int64_t there = 0;
	if (!code_is_good(n->code))
		return err_set(e, ERR_INPUT, "code: an issuer's code is of 0-9 and A-Z, at most %d of them",
			       ECERT_PART_MAX);
	if (!kinds_are_good(n->kinds))
		return err_set(e, ERR_INPUT, "kinds: expected \"*\", or kind codes");
	if (n->name_zh[0] == '\0' || n->name_en[0] == '\0')
		return err_set(e, ERR_INPUT, "name: in Chinese and in English");
	if (!db_begin(db, e))
		return false;
	bool ok = db_run_int(db, &there, e, "SELECT COUNT(*) FROM issuer WHERE code = ?", "t", n->code);
	if (ok && there > 0)
		ok = err_set(e, ERR_CONFLICT, "there is an issuer %s already", n->code);
	ok = ok &&
	     db_run(db, e,
		    "INSERT INTO issuer (code, profile, name_zh, name_en, kinds, serial, created_s) VALUES (?, ?, ?, "
		    "?, ?, 0, ?)",
		    "ttttti", n->code, ecert_profile_name(n->profile), n->name_zh, n->name_en, n->kinds, now_s) &&
	     audit_add(db, now_s, operator, "issuer.add", n->code, n->name_zh, e);
	return finish(db, ok, e);
}

/* The key that signed until now goes on verifying for the overlap, and signs no more: the newest signs. */
static bool former_end(struct db *db, const struct issuer_key_new *n, int64_t now_s, struct err *e)
{
	return n->overlap_s < 0 || db_run(db, e,
					  "UPDATE issuer_key SET to_s = ? WHERE issuer = ? AND sealed IS NOT NULL "
					  "AND to_s IS NULL",
					  "it", now_s + n->overlap_s, n->issuer);
}

static bool key_insert(struct db *db, const struct issuer_key_new *n, const char *kid, int64_t now_s, struct err *e)
{
	struct db_query *q =
		db_query(db,
			 "INSERT INTO issuer_key (issuer, kid, alg, der, sealed, from_s, to_s, created_s)"
			 " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			 e);
	bool row;
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, n->issuer, e) && db_bind_text(q, 2, kid, e) && db_bind_text(q, 3, n->alg, e) &&
		  db_bind_bytes(q, 4, n->der, e) &&
		  (n->sealed.data != NULL ? db_bind_bytes(q, 5, n->sealed, e) : db_bind_null(q, 5, e)) &&
		  (n->from_s > 0 ? db_bind_int(q, 6, n->from_s, e) : db_bind_null(q, 6, e)) &&
		  (n->to_s != INT64_MAX ? db_bind_int(q, 7, n->to_s, e) : db_bind_null(q, 7, e)) &&
		  db_bind_int(q, 8, now_s, e) && db_next(q, &row, e);
	db_finish(q);
	return ok;
}

bool issuer_key_add(struct db *db, const struct issuer_key_new *n, const char *operator, int64_t now_s, struct err *e)
{
	char kid[2 * ECERT_KID_MAX + 1];
	int64_t issuers = 0, there = 0;
	if (n->kid_len == 0 || n->kid_len > ECERT_KID_MAX)
		return err_set(e, ERR_INPUT, "kid: 1 to %d bytes", ECERT_KID_MAX);
	hex_encode(n->kid, n->kid_len, kid);
	if (!db_begin(db, e))
		return false;
	bool ok = db_run_int(db, &issuers, e, "SELECT COUNT(*) FROM issuer WHERE code = ?", "t", n->issuer) &&
		  db_run_int(db, &there, e, "SELECT COUNT(*) FROM issuer_key WHERE issuer = ? AND kid = ?", "tt",
			     n->issuer, kid);
	if (ok && issuers == 0)
		ok = err_set(e, ERR_MISSING, "there is no issuer %.32s", n->issuer);
	if (ok && there > 0)
		ok = err_set(e, ERR_CONFLICT, "the issuer has a key %s already", kid);
	ok = ok && former_end(db, n, now_s, e) && key_insert(db, n, kid, now_s, e) &&
	     audit_add(db, now_s, operator, "issuer.key", n->issuer, kid, e);
	return finish(db, ok, e);
}

bool issuer_key_withdraw(struct db *db, const char *issuer, const char *kid, bool lost, int64_t since_s,
			 const char *operator, int64_t now_s, struct err *e)
{
	if (lost && (since_s < 0 || since_s > now_s))
		return err_set(e, ERR_INPUT, "since: a key is lost since a time that has been");
	if (!db_begin(db, e))
		return false;
	bool ok = lost ? db_run(db, e, "UPDATE issuer_key SET compromised_s = ? WHERE issuer = ? AND kid = ?", "itt",
				since_s, issuer, kid)
		       : db_run(db, e,
				"UPDATE issuer_key SET to_s = ? WHERE issuer = ? AND kid = ? AND (to_s IS NULL OR "
				"to_s > ?)",
				"itti", now_s, issuer, kid, now_s);
	if (ok && db_changes(db) == 0)
		ok = err_set(e, ERR_MISSING, "issuer %.32s has no key %.64s that could be withdrawn", issuer, kid);
	ok = ok && audit_add(db, now_s, operator, lost ? "issuer.key_lost" : "issuer.key_end", issuer, kid, e);
	return finish(db, ok, e);
}

bool issuer_signing(struct db *db, const char *issuer, int64_t now_s, struct issuer_signing *out, struct err *e)
{
	struct db_query *q = db_query(
		db,
		"SELECT kid, sealed FROM issuer_key WHERE issuer = ? AND sealed IS NOT NULL AND compromised_s"
		" IS NULL AND (from_s IS NULL OR from_s <= ?) AND to_s IS NULL"
		" ORDER BY id DESC LIMIT 1",
		e);
	bool row = false;
	if (q == NULL)
		return false;
	buf_init(&out->sealed, 512);
	bool ok = db_bind_text(q, 1, issuer, e) && db_bind_int(q, 2, now_s, e) && db_next(q, &row, e);
	if (ok && !row)
		ok = err_set(e, ERR_MISSING,
			     "issuer %.32s has no key that can sign now: make one with 'issuer rotate'", issuer);
	if (ok) {
		const char *kid = db_text(q, 0);
		out->kid_len = strlen(kid) / 2;
		ok = (out->kid_len <= ECERT_KID_MAX && hex_decode(kid, out->kid, out->kid_len)) ||
		     err_set(e, ERR_IO, "a key's identifier in the database is none");
		struct bytes sealed = db_bytes(q, 1);
		buf_add(&out->sealed, sealed.data, sealed.len);
	}
	db_finish(q);
	if (!ok)
		buf_clear(&out->sealed);
	return ok;
}

bool issuer_may(struct db *db, const char *issuer, const char *kind, struct err *e)
{
	struct db_query *q = db_query(db, "SELECT kinds FROM issuer WHERE code = ? AND profile = 'xb1'", e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, issuer, e) && db_next(q, &row, e);
	if (ok && !row)
		ok = err_set(e, ERR_MISSING, "issuer: there is no issuer %.32s", issuer);
	else if (ok && !code_set_has(db_text(q, 0), kind))
		ok = err_set(e, ERR_DENIED, "issuer %.32s may not issue kind %.32s", issuer, kind);
	db_finish(q);
	return ok;
}

/* --- the document --- */

static void kinds_put(struct json_out *w, const char *kinds)
{
	json_open(w, "kinds", '[');
	while (*kinds != '\0') {
		size_t len = strcspn(kinds, ",");
		json_put_text_n(w, NULL, (struct bytes){ (const uint8_t *)kinds, len });
		kinds += len + (kinds[len] == ',');
	}
	json_close(w, ']');
}

static void time_put(struct json_out *w, const char *key, const struct db_query *q, int at)
{
	if (!db_is_null(q, at))
		json_put_int(w, key, db_int(q, at));
}

static bool keys_put(struct db *db, const char *issuer, struct json_out *w, struct err *e)
{
	struct db_query *q = db_query(
		db, "SELECT kid, alg, der, from_s, to_s, compromised_s FROM issuer_key WHERE issuer = ? ORDER BY id",
		e);
	struct buf key;
	bool row = false;
	if (q == NULL)
		return false;
	buf_init(&key, 16384);
	json_open(w, "keys", '[');
	bool ok = db_bind_text(q, 1, issuer, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		buf_reset(&key);
		base64_encode(db_bytes(q, 2), &key);
		json_open(w, NULL, '{');
		json_put_text(w, "kid", db_text(q, 0));
		json_put_text(w, "alg", db_text(q, 1));
		json_put_text(w, "key", buf_str(&key));
		time_put(w, "from_s", q, 3);
		time_put(w, "to_s", q, 4);
		time_put(w, "compromised_s", q, 5);
		json_close(w, '}');
	}
	json_close(w, ']');
	db_finish(q);
	buf_clear(&key);
	return ok;
}

static void names_put(struct json_out *w, const char *key, const char *zh, const char *en)
{
	json_open(w, key, '{');
	json_put_text(w, "zh", zh);
	json_put_text(w, "en", en);
	json_close(w, '}');
}

bool issuers_document(struct db *db, struct buf *json, struct err *e)
{
	struct db_query *q =
		db_query(db, "SELECT code, profile, name_zh, name_en, kinds FROM issuer ORDER BY code", e);
	struct json_out w = { json, false };
	bool row = false, ok = true;
	if (q == NULL)
		return false;
	json_open(&w, NULL, '{');
	json_put_text(&w, "type", "issuers");
	names_put(&w, "title", "颁发机构与公钥", "Issuers and their keys");
	json_put_bool(&w, "sample", false);
	json_open(&w, "issuers", '[');
	while (ok && (ok = db_next(q, &row, e)) && row) {
		json_open(&w, NULL, '{');
		json_put_text(&w, "code", db_text(q, 0));
		json_put_text(&w, "profile", db_text(q, 1));
		names_put(&w, "name", db_text(q, 2), db_text(q, 3));
		kinds_put(&w, db_text(q, 4));
		ok = keys_put(db, db_text(q, 0), &w, e);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_close(&w, '}');
	db_finish(q);
	return ok;
}
