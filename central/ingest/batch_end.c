/* How a batch ends otherwise than by its check: given up by its sender, released or discarded by a person. */
#include "central/ingest/batch.h"

#include "central/store/store.h"

#include <stdio.h>
#include <string.h>

static bool finish(struct release_context *c, bool ok, struct err *e)
{
	if (ok && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

/* --- by whoever sends without staying --- */

bool batch_unfinished(struct release_context *c, const char *by, enum batch_state state, int64_t *id, struct err *e)
{
	return db_run_int(c->db, id, e,
			  "SELECT coalesce(min(id), 0) FROM batch WHERE state = ? AND substr(created_by, 1, ?) = ?",
			  "iit", (int64_t)state, (int64_t)strlen(by), by);
}

bool batch_abandon(struct release_context *c, int64_t id, const char *why, int64_t now_s, struct err *e)
{
	struct batch b;
	char subject[64];
	if (!batch_load(c, id, &b, e))
		return false;
	if (b.state != BATCH_LOADING)
		return true;
	snprintf(subject, sizeof(subject), "%s %s", b.source, b.period);
	return db_begin(c->db, e) && finish(c,
					    batch_erase(c, id, e) && audit_add(c->db, now_s, b.created_by,
									       "batch.abandoned", subject, why, e),
					    e);
}

/* --- by a person --- */

static bool why_is_fine(const char *why, struct err *e)
{
	return (why != NULL && why[0] != '\0' && strlen(why) < sizeof(((struct batch *)0)->decided_why)) ||
	       err_set(e, ERR_INPUT, "reason: say why, in at most 150 bytes (--reason TEXT)");
}

static bool decide(struct release_context *c, struct batch *b, enum batch_state to, const char *why,
		   const char *operator, int64_t now_s, struct err *e)
{
	const char *what = to == BATCH_CURRENT ? "batch.release" : "batch.discard";
	char subject[64];
	b->state = to;
	b->decided_s = now_s;
	snprintf(b->decided_by, sizeof(b->decided_by), "%s", operator);
	snprintf(b->decided_why, sizeof(b->decided_why), "%s", why);
	snprintf(subject, sizeof(subject), "%s %s", b->source, b->period);
	return (to != BATCH_CURRENT ||
		db_run(c->db, e,
		       "UPDATE batch SET state = 5, superseded_s = ? WHERE source = ? AND period = ?"
		       " AND state IN (3, 4) AND id < ?",
		       "itti", now_s, b->source, b->period, b->id)) &&
	       (to != BATCH_DISCARDED || batch_rows_drop(c, b->id, e)) && batch_save(c, b, e) &&
	       audit_add(c->db, now_s, operator, what, subject, why, e);
}

bool batch_release(struct release_context *c, int64_t id, const char *why, const char *operator, int64_t now_s,
		   struct err *e)
{
	struct batch b;
	if (!why_is_fine(why, e) || !batch_load(c, id, &b, e))
		return false;
	if (b.state != BATCH_HELD)
		return err_set(e, ERR_CONFLICT, "batch %lld is %s; only a held one is released", (long long)id,
			       batch_state_name(b.state));
	if (batch_rows(&b) == 0)
		return err_set(e, ERR_CONFLICT, "batch %lld has no row that counts; discard it", (long long)id);
	return db_begin(c->db, e) && finish(c, decide(c, &b, BATCH_CURRENT, why, operator, now_s, e), e);
}

bool batch_discard(struct release_context *c, int64_t id, const char *why, const char *operator, int64_t now_s,
		   struct err *e)
{
	struct batch b;
	if (!why_is_fine(why, e) || !batch_load(c, id, &b, e))
		return false;
	if (b.state > BATCH_HELD)
		return err_set(e, ERR_CONFLICT, "batch %lld is %s; send the period again to replace it",
			       (long long)id, batch_state_name(b.state));
	return db_begin(c->db, e) && finish(c, decide(c, &b, BATCH_DISCARDED, why, operator, now_s, e), e);
}
