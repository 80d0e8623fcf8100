#include "central/ingest/expire.h"

#include "central/store/store.h"

#include <stdio.h>
#include <string.h>

#define BATCHES_A_STEP 100
#define BLOCKS_A_STEP  2000 /* of each table; about 50 ms */
#define WHY_MAX        150

struct due {
	int64_t ids[BATCHES_A_STEP];
	size_t len;
};

static bool due_find(struct release_context *c, const struct expiry *x, int64_t now_s, struct due *due, struct err *e)
{
	struct db_query *q = db_query(
		c->db,
		"SELECT id FROM (SELECT b.id, b.superseded_s, coalesce((SELECT CASE WHEN s.keep_days > 0 THEN "
		"s.keep_days"
		" ELSE ? END FROM source s WHERE s.code = b.source ORDER BY s.version DESC LIMIT 1), 0) AS days"
		" FROM batch b WHERE b.state = 5 AND b.erased_s = 0 AND b.superseded_s > 0 AND (b.source = ? OR ? = "
		"'')"
		" AND NOT EXISTS (SELECT 1 FROM objection o WHERE o.batch = b.id AND o.state IN (1, 2))) AS old"
		" WHERE days > 0 AND superseded_s + days * 86400 <= ? ORDER BY id LIMIT ?",
		e);
	bool row = false;
	due->len = 0;
	bool ok = q != NULL && db_bind_int(q, 1, x->older_days, e) && db_bind_text(q, 2, x->source, e) &&
		  db_bind_text(q, 3, x->source, e) && db_bind_int(q, 4, now_s, e) &&
		  db_bind_int(q, 5, BATCHES_A_STEP, e);
	while (ok && (ok = db_next(q, &row, e)) && row)
		due->ids[due->len++] = db_int(q, 0);
	db_finish(q);
	return ok;
}

static bool mark(struct release_context *c, const struct batch *b, const char *why, const char *operator,
		 int64_t now_s, struct err *e)
{
	char subject[64], detail[WHY_MAX + 64];
	snprintf(subject, sizeof(subject), "%s %s", b->source, b->period);
	snprintf(detail, sizeof(detail), "batch %lld, %lld rows: %.150s", (long long)b->id, (long long)batch_rows(b),
		 why);
	return db_run(c->db, e, "UPDATE batch SET erased_s = ? WHERE id = ?", "ii", now_s, b->id) &&
	       audit_add(c->db, now_s, operator, "batch.expire", subject, detail, e);
}

/* Of one batch that is marked; *left: there may be more of it, or of another. */
static bool rows_erase(struct release_context *c, bool *left, struct err *e)
{
	static const char *const erase[] = {
		"DELETE FROM batch_block WHERE batch = ? AND first_row IN (SELECT first_row FROM batch_block WHERE "
		"batch = ?"
		" LIMIT ?)",
		"DELETE FROM batch_index WHERE batch = ? AND seq IN (SELECT seq FROM batch_index WHERE batch = ? "
		"LIMIT ?)",
		"DELETE FROM batch_reject WHERE batch = ? AND row IN (SELECT row FROM batch_reject WHERE batch = ? "
		"LIMIT ?)",
	};
	int64_t id = 0;
	*left = false;
	if (!db_run_int(c->db, &id, e,
			"SELECT coalesce(min(b.id), 0) FROM batch b WHERE b.erased_s > 0 AND"
			" (EXISTS (SELECT 1 FROM batch_block k WHERE k.batch = b.id)"
			" OR EXISTS (SELECT 1 FROM batch_index i WHERE i.batch = b.id)"
			" OR EXISTS (SELECT 1 FROM batch_reject r WHERE r.batch = b.id))",
			""))
		return false;
	*left = id != 0;
	for (size_t i = 0; id != 0 && i < sizeof(erase) / sizeof(erase[0]); i++) {
		if (!db_run(c->db, e, erase[i], "iii", id, id, (int64_t)BLOCKS_A_STEP))
			return false;
	}
	return true;
}

static bool step(struct release_context *c, const struct expiry *x, const struct due *due, const char *why,
		 const char *operator, int64_t now_s, void (*each)(void *arg, const struct batch *b), void *arg,
		 bool *more, struct err *e)
{
	bool left = false;
	for (size_t i = 0; i < due->len; i++) {
		struct batch b;
		if (!batch_load(c, due->ids[i], &b, e) || (!x->look && !mark(c, &b, why, operator, now_s, e)))
			return false;
		each(arg, &b);
	}
	if (!x->look && !rows_erase(c, &left, e))
		return false;
	*more = !x->look && (left || due->len == BATCHES_A_STEP);
	return true;
}

bool batch_expire(struct release_context *c, const struct expiry *x, const char *why, const char *operator,
		  int64_t now_s, void (*each)(void *arg, const struct batch *b), void *arg, bool *more, struct err *e)
{
	struct due due;
	if (!x->look && (why == NULL || why[0] == '\0' || strlen(why) > WHY_MAX))
		return err_set(e, ERR_INPUT, "reason: say why, in at most %d bytes (--reason TEXT)", WHY_MAX);
	if (!due_find(c, x, now_s, &due, e) || !db_begin(c->db, e))
		return false;
	if (step(c, x, &due, why, operator, now_s, each, arg, more, e) && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}
