#include "central/branch/branches.h"

#include "central/alarm.h"
#include "central/branch/journals.h"
#include "central/release/updates.h"
#include "central/store/store.h"

#include <stdio.h>
#include <string.h>

bool branch_name_check(const char *name, struct err *e)
{
	if (!name_is_valid(name))
		return err_set(e, ERR_INPUT, "a branch is named with a-z, 0-9, - and _, at most %d", NAME_MAX_LEN);
	/* The broker knows central by this name. */
	if (strcmp(name, "central") == 0)
		return err_set(e, ERR_DENIED, "no branch may be called central");
	return true;
}

bool branches_find(struct db *db, const char *name, struct branch *out, struct err *e)
{
	bool row = false;
	*out = (struct branch){ 0 };
	struct db_query *q = db_query(
		db, "SELECT enrolled_s, revoked_s, last_seen_s, seal_key, tampered_s FROM branch WHERE name = ?", e);
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, name, e) && db_next(q, &row, e) &&
		  (row || err_set(e, ERR_MISSING, "no branch of this name"));
	if (ok) {
		snprintf(out->name, sizeof(out->name), "%s", name);
		out->enrolled_s = db_int(q, 0);
		out->revoked_s = db_int(q, 1);
		out->last_seen_s = db_int(q, 2);
		out->tampered_s = db_int(q, 4);
		struct bytes key = db_bytes(q, 3);
		if (key.len == POINT_LEN)
			memcpy(out->seal_key, key.data, POINT_LEN);
	}
	db_finish(q);
	return ok;
}

bool branches_may_speak(struct db *db, const char *name, struct branch *out, struct err *e)
{
	struct err why = { 0 };
	if (!branches_find(db, name, out, &why))
		return err_set(e, why.code == ERR_MISSING ? ERR_DENIED : why.code, "%s", why.text);
	if (out->revoked_s != 0)
		return err_set(e, ERR_DENIED, "branch %s is revoked", name);
	return out->enrolled_s != 0 || err_set(e, ERR_DENIED, "branch %s is not enrolled", name);
}

bool branches_may_hold_keys(const struct branch *b, struct err *e)
{
	return b->tampered_s == 0 ||
	       err_set(e, ERR_DENIED, "the box of branch %s was opened: look at it, then enrol it again", b->name);
}

bool branches_tampered(struct db *db, const char *name, struct bytes point_hex, int64_t time_s, int64_t now_s,
		       struct err *e)
{
	struct branch b;
	char hex[2 * POINT_LEN + 1];
	if (!branches_find(db, name, &b, e))
		return false;
	hex_encode(b.seal_key, POINT_LEN, hex);
	/* Rows may come after the box has been enrolled again: the mark is for the enrolment they speak of. */
	bool still = bytes_equal(point_hex, bytes_of(hex));
	return alarm_raise(db, now_s, name, JOURNAL_EVENT_TAMPER,
			   still ? "the box was opened and has wiped its keys; look at it, then enrol it again"
				 : "the box was opened and had wiped its keys before it was enrolled again",
			   e) &&
	       (!still || db_run(db, e, "UPDATE branch SET tampered_s = ? WHERE name = ?", "it",
				 time_s > 0 ? time_s : now_s, name));
}

static bool token_add(struct db *db, const char *name, const uint8_t hash[HASH_LEN], const char *operator,
		      int64_t now_s, int64_t valid_s, struct err *e)
{
	struct branch b;
	struct err why = { 0 };
	if (!branches_find(db, name, &b, &why) && why.code != ERR_MISSING)
		return err_set(e, why.code, "%s", why.text);
	if (b.revoked_s != 0)
		return err_set(e, ERR_CONFLICT,
			       "branch %s is revoked: its certificate still carries this name, take a new one", name);
	return db_run(db, e,
		      "INSERT INTO branch (name, enrolled_s, revoked_s, last_seen_s, software, clock_s, "
		      "head_sequence,"
		      " journal_first, journal_last, checks, faults, status_s)"
		      " VALUES (?, 0, 0, 0, '', 0, 0, 0, 0, 0, 0, 0) ON CONFLICT (name) DO NOTHING",
		      "t", name) &&
	       db_run(db, e,
		      "INSERT INTO enrol_token (hash, branch, made_s, expires_s, used_s) VALUES (?, ?, ?, ?, 0)",
		      "btii", (struct bytes){ hash, HASH_LEN }, name, now_s, now_s + valid_s) &&
	       audit_add(db, now_s, operator, "branch.token", name, "an enrolment token was made", e);
}

bool branches_token_new(struct db *db, const struct random *random, const char *name, const char *operator,
			int64_t now_s, int64_t valid_s, char token[BRANCH_TOKEN_LEN + 1], struct err *e)
{
	uint8_t secret[BRANCH_TOKEN_LEN / 2], hash[HASH_LEN];
	if (!branch_name_check(name, e))
		return false;
	random->fill(random->arg, secret, sizeof(secret));
	hex_encode(secret, sizeof(secret), token);
	explicit_bzero(secret, sizeof(secret));
	sha256(bytes_of(token), hash);
	if (!db_begin(db, e))
		return false;
	if (token_add(db, name, hash, operator, now_s, valid_s, e) && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

static bool revoke(struct db *db, const char *name, const char *operator, int64_t now_s, struct err *e)
{
	struct branch b;
	if (!branches_find(db, name, &b, e))
		return false;
	if (b.revoked_s != 0)
		return err_set(e, ERR_CONFLICT, "branch %s is revoked already", name);
	return db_run(db, e, "UPDATE branch SET revoked_s = ? WHERE name = ?", "it", now_s, name) &&
	       db_run(db, e, "DELETE FROM enrol_token WHERE branch = ? AND used_s = 0", "t", name) &&
	       audit_add(db, now_s, operator, "branch.revoke", name, "the branch was revoked", e);
}

bool branches_revoke(struct db *db, const char *name, const char *operator, int64_t now_s, struct err *e)
{
	if (!db_begin(db, e))
		return false;
	if (revoke(db, name, operator, now_s, e) && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

bool branches_revoked(struct db *db, struct buf *out, struct err *e)
{
	bool row = false, ok = false;
	struct db_query *q = db_query(db, "SELECT name FROM branch WHERE revoked_s <> 0 ORDER BY name", e);
	if (q == NULL)
		return false;
	while ((ok = db_next(q, &row, e)) && row)
		buf_add_fmt(out, "%s\n", db_text(q, 0));
	db_finish(q);
	return ok && buf_ok(out, "revoked branches", e);
}

static bool list_put(struct db *db, const char *branch, const struct status_list *l, struct err *e)
{
	return db_run(db, e,
		      "INSERT INTO branch_list (branch, list, version, hash, count, confirmed_s, fault)"
		      " VALUES (?, ?, ?, ?, ?, ?, ?)",
		      "ttibiit", branch, l->name, (int64_t)l->version, (struct bytes){ l->hash, HASH_LEN },
		      (int64_t)l->count, l->confirmed_s, l->fault);
}

/* Rows that the branch no longer has and that never came. */
static bool lost_check(struct db *db, const char *name, const struct status *s, int64_t now_s, struct err *e)
{
	struct journal_ack stored;
	if (!journals_ack(db, name, s->journal_epoch, &stored, e))
		return false;
	if (s->journal_first <= s->journal_last && s->journal_first > stored.seq + 1) {
		char detail[160];
		snprintf(detail, sizeof(detail), "rows %llu to %llu are gone at the branch and were never received",
			 (unsigned long long)stored.seq + 1, (unsigned long long)s->journal_first - 1);
		return alarm_raise(db, now_s, name, "journal.lost", detail, e);
	}
	return true;
}

static bool status_put(struct db *db, const char *name, const struct status *s, const uint8_t key[32],
		       const struct status_vault *v, int64_t now_s, struct err *e)
{
	if (!journals_hello(db, name, s->journal_epoch, key, v->vault_key, v->random, now_s, e) ||
	    !lost_check(db, name, s, now_s, e) ||
	    !db_run(db, e,
		    "UPDATE branch SET last_seen_s = ?, status_s = ?, software = ?, clock_s = ?, head_sequence = ?,"
		    " journal_first = ?, journal_last = ?, checks = ?, faults = ? WHERE name = ?",
		    "iitiiiiiit", now_s, now_s, s->software, s->clock_s, (int64_t)s->head_sequence,
		    (int64_t)s->journal_first, (int64_t)s->journal_last, (int64_t)s->checks, (int64_t)s->faults,
		    name) ||
	    !db_run(db, e, "DELETE FROM branch_list WHERE branch = ?", "t", name))
		return false;
	for (size_t i = 0; i < s->lists_len; i++) {
		if (!list_put(db, name, &s->lists[i], e))
			return false;
	}
	return updates_status(db, name, &s->update, now_s, e);
}

bool branches_status(struct db *db, const char *name, const struct status *s, const uint8_t key[32],
		     const struct status_vault *v, int64_t now_s, struct err *e)
{
	if (!db_begin(db, e))
		return false;
	if (status_put(db, name, s, key, v, now_s, e) && db_commit(db, e))
		return true;
	db_rollback(db);
	return err_wrap(e, "status of %s", name);
}
