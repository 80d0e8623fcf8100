/* Objections as they stand: listed, overdue, and what they hold. */
#include "central/alarm.h"
#include "central/report/objections.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S   86400
#define CHINA_S 28800

bool objection_each(struct release_context *c, bool all, size_t limit,
		    void (*each)(void *arg, const struct objection_row *r), void *arg, struct err *e)
{
	bool row = false;
	struct db_query *q = db_query(
		c->db,
		"SELECT id, batch, row, rules, opened_s, due_day, proposed_s, decided_s, masked, source, period,"
		" field, why, inputs, opened_by, proposed_by, decided_by, decided_why, hold, withdraw, state"
		" FROM objection WHERE ? = 1 OR state IN (1, 2) ORDER BY due_day, id LIMIT ?",
		e);
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, all, e) && db_bind_int(q, 2, (int64_t)limit, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		const struct objection_row r = {
			db_int(q, 0),       db_int(q, 1),       db_int(q, 2),
			db_int(q, 3),       db_int(q, 4),       db_int(q, 5),
			db_int(q, 6),       db_int(q, 7),       db_text(q, 8),
			db_text(q, 9),      db_text(q, 10),     db_text(q, 11),
			db_text(q, 12),     db_text(q, 13),     db_text(q, 14),
			db_text(q, 15),     db_text(q, 16),     db_text(q, 17),
			db_int(q, 18) != 0, db_int(q, 19) != 0, (enum objection_state)db_int(q, 20)
		};
		each(arg, &r);
	}
	db_finish(q);
	return ok;
}

static bool alarm_is_told(struct release_context *c, const char *detail, int64_t from_s, bool *out, struct err *e)
{
	int64_t n = 0;
	bool ok = db_run_int(
		c->db, &n, e,
		"SELECT COUNT(*) FROM alarm WHERE branch = '(central)' AND code = ? AND detail = ? AND last_s >= ?",
		"tti", OBJECTION_ALARM, detail, from_s);
	*out = n > 0;
	return ok;
}

bool objection_overdue(struct release_context *c, int64_t now_s, struct err *e)
{
	int64_t n = 0, first = 0, today = (now_s + CHINA_S) / DAY_S;
	char detail[160];
	bool told = false;
	if (!db_run_int(c->db, &n, e, "SELECT COUNT(*) FROM objection WHERE state IN (1, 2) AND due_day < ?", "i",
			today))
		return false;
	if (n == 0)
		return true;
	if (!db_run_int(c->db, &first, e,
			"SELECT id FROM objection WHERE state IN (1, 2) AND due_day < ? ORDER BY due_day, id LIMIT 1",
			"i", today))
		return false;
	snprintf(detail, sizeof(detail), "%lld objections are past their day, the oldest is %lld: objection list",
		 (long long)n, (long long)first);
	if (!alarm_is_told(c, detail, today * DAY_S - CHINA_S, &told, e) || told)
		return told;
	if (db_begin(c->db, e) && alarm_raise(c->db, now_s, "(central)", OBJECTION_ALARM, detail, e) &&
	    db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

/* --- what is held --- */

bool objection_any(struct release_context *c, bool *out, struct err *e)
{
	int64_t n = 0;
	bool ok =
		db_run_int(c->db, &n, e,
			   "SELECT COUNT(*) FROM objection WHERE state IN (1, 2) AND hold = 1 AND inputs <> ''", "");
	*out = n > 0;
	return ok;
}

static bool held_of_tag(struct release_context *c, int64_t tag, struct buf *out, struct err *e)
{
	bool row = false;
	struct db_query *q =
		db_query(c->db,
			 "SELECT inputs FROM objection WHERE tag = ? AND state IN (1, 2) AND hold = 1 AND"
			 " inputs <> '' ORDER BY id",
			 e);
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, tag, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		if (out->len > 0)
			buf_add_u8(out, ',');
		buf_add_str(out, db_text(q, 0));
	}
	db_finish(q);
	return ok;
}

bool objection_held_inputs(struct release_context *c, const struct identifier *subject, struct buf *out,
			   struct err *e)
{
	struct subject_group *g = calloc(1, sizeof(*g));
	if (g == NULL)
		abort();
	bool ok = subject_group(c, subject, g, e);
	for (size_t i = 0; ok && i < g->len; i++)
		ok = held_of_tag(c, g->tags[i], out, e);
	explicit_bzero(g, sizeof(*g));
	free(g);
	return ok && buf_ok(out, "the inputs held", e);
}

bool objection_list_has(const char *list, struct bytes name)
{
	for (const char *at = list; *at != '\0';) {
		size_t len = strcspn(at, ",");
		if (bytes_equal((struct bytes){ (const uint8_t *)at, len }, name))
			return true;
		at += len + (at[len] == ',');
	}
	return false;
}
