#include "central/score/outcomes.h"

#include "central/csv.h"
#include "central/registry/registry.h"
#include "central/store/store.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <string.h>

#define DAY_S   86400
#define CHINA_S 28800

struct columns {
	size_t subject, month, outcome, all;
};

static bool columns_read(const struct csv_row *head, struct columns *c, struct err *e)
{
	c->all = head->fields_len;
	c->subject = c->month = c->outcome = c->all;
	for (size_t i = 0; i < c->all; i++) {
		if (bytes_equal(head->fields[i], bytes_of("subject")))
			c->subject = i;
		else if (bytes_equal(head->fields[i], bytes_of("month")))
			c->month = i;
		else if (bytes_equal(head->fields[i], bytes_of("outcome")))
			c->outcome = i;
		else
			return err_set(e, ERR_INPUT, "row 1: a column that is none of subject, month, outcome");
	}
	return (head->fault == CSV_OK && c->subject < c->all && c->month < c->all && c->outcome < c->all) ||
	       err_set(e, ERR_INPUT, "row 1: expected the columns subject, month, outcome");
}

static bool month_read(struct bytes text, int64_t now_s, char out[8], struct err *e)
{
	char day[11], today[11];
	int64_t n = 0;
	day_format((now_s + CHINA_S) / DAY_S, today);
	snprintf(out, 8, "%.*s", (int)(text.len < 7 ? text.len : 7), (const char *)text.data);
	snprintf(day, sizeof(day), "%.7s-01", out);
	if (text.len != 7 || !day_parse(bytes_of(day), &n, NULL))
		return err_set(e, ERR_INPUT, "month: expected one as 2026-10");
	return strncmp(out, today, 7) <= 0 || err_set(e, ERR_INPUT, "month: it is still to come");
}

/* Its first day and the next month's, as days since 1970. */
static bool month_bounds(const char *month, int64_t *first, int64_t *after, struct err *e)
{
	char day[16];
	snprintf(day, sizeof(day), "%.7s-01", month);
	if (!day_parse(bytes_of(day), first, e))
		return false;
	day_format(*first + 31, day); /* in the next month, whatever the month's length */
	snprintf(day + 8, sizeof(day) - 8, "01");
	return day_parse(bytes_of(day), after, e);
}

static bool row_store(struct release_context *c, const struct outcomes_run *r, const uint8_t hash[HASH_LEN],
		      const char *month, bool bad, struct outcomes_summary *s, struct err *e)
{
	struct bytes subject = { hash, HASH_LEN };
	int64_t first = 0, after = 0, scored = 0;
	if (!month_bounds(month, &first, &after, e) ||
	    !db_run(c->db, e,
		    "INSERT INTO score_outcome (family, subject, month, bad, set_by, set_s) VALUES (?, ?, ?, ?, ?, ?)"
		    " ON CONFLICT (family, subject, month) DO UPDATE SET bad = excluded.bad, set_by = "
		    "excluded.set_by,"
		    " set_s = excluded.set_s",
		    "tbtiti", r->family, subject, month, (int64_t)bad, r->operator, r->now_s))
		return false;
	if (!db_run_int(c->db, &scored, e,
			"SELECT count(*) FROM score_input WHERE subject = ? AND family = ? AND scored_s >= ? AND "
			"scored_s < ?",
			"btii", subject, r->family, first * DAY_S - CHINA_S, after * DAY_S - CHINA_S))
		return false;
	*(bad ? &s->bads : &s->goods) += 1;
	s->unscored += scored == 0;
	s->rows++;
	return true;
}

static bool row_take(struct release_context *c, const struct outcomes_run *r, const struct columns *at,
		     const struct csv_row *row, struct outcomes_summary *s, struct err *e)
{
	struct identifier subject;
	uint8_t hash[HASH_LEN];
	char month[8];
	if (row->fault != CSV_OK || row->fields_len != at->all)
		return err_set(e, ERR_INPUT, "it is not well formed");
	struct bytes number = row->fields[at->subject], outcome = row->fields[at->outcome];
	bool bad = bytes_equal(outcome, bytes_of("bad"));
	if (!bad && !bytes_equal(outcome, bytes_of("good")))
		return err_set(e, ERR_INPUT, "outcome: expected good or bad");
	if (!identifier_parse(r->kind, (const char *)number.data, number.len, 0, &subject, NULL, e))
		return err_wrap(e, "subject");
	registry_holder_hash(c->vault_key, subject.kind, subject.canonical, hash);
	return month_read(row->fields[at->month], r->now_s, month, e) && row_store(c, r, hash, month, bad, s, e);
}

static bool rows_take(struct release_context *c, const struct outcomes_run *r, struct bytes data,
		      struct outcomes_summary *s, struct err *e)
{
	struct csv csv;
	struct csv_row row;
	struct columns at;
	csv_init(&csv, data);
	bool ok = csv_next(&csv, &row) ? columns_read(&row, &at, e) : err_set(e, ERR_INPUT, "the table is empty");
	while (ok && csv_next(&csv, &row)) {
		if (row.raw.len == 0)
			continue;
		ok = row_take(c, r, &at, &row, s, e) || err_wrap(e, "row %llu", (unsigned long long)row.number);
		if (ok && s->rows > SCORES_RUN_MAX)
			ok = err_set(e, ERR_FULL, "more than %d rows in one call", SCORES_RUN_MAX);
	}
	csv_clear(&csv);
	return ok;
}

static bool family_is_there(struct release_context *c, const char *family, struct err *e)
{
	int64_t n = 0;
	return db_run_int(c->db, &n, e, "SELECT count(*) FROM model_role WHERE family = ?", "t", family) &&
	       (n > 0 || err_set(e, ERR_MISSING, "the family %.40s has no model", family));
}

bool outcomes_import(struct release_context *c, const struct outcomes_run *r, struct bytes csv,
		     struct outcomes_summary *out, struct err *e)
{
	char detail[80];
	*out = (struct outcomes_summary){ 0 };
	if (!family_is_there(c, r->family, e) || !db_begin(c->db, e))
		return false;
	bool ok = rows_take(c, r, csv, out, e);
	snprintf(detail, sizeof(detail), "%llu good, %llu bad", (unsigned long long)out->goods,
		 (unsigned long long)out->bads);
	if (ok && audit_add(c->db, r->now_s, r->operator, "score.outcome", r->family, detail, e) &&
	    db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

/* --- by month --- */

static bool model_of(struct release_context *c, const char *family, const char *hash, char out[MODEL_HEX + 1],
		     struct err *e)
{
	enum model_role role;
	bool row = false;
	if (hash != NULL)
		return model_find(c, family, hash, out, &role, e);
	struct db_query *q = db_query(c->db, "SELECT hash FROM model_role WHERE family = ? AND role = 1", e);
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, family, e) && db_next(q, &row, e) &&
		  (row || err_set(e, ERR_MISSING, "the family %.40s has no champion; say --model HASH", family));
	if (ok)
		snprintf(out, MODEL_HEX + 1, "%s", db_text(q, 0));
	db_finish(q);
	return ok;
}

/* "good", "bad" or ""; column 3 of q is the subject. */
static bool outcome_find(struct release_context *c, const char *family, const struct db_query *q, const char *month,
			 const char **out, struct err *e)
{
	struct err none = { 0 };
	int64_t bad = 0;
	*out = "";
	if (db_run_int(c->db, &bad, &none,
		       "SELECT bad FROM score_outcome WHERE family = ? AND subject = ? AND month = ?", "tbt", family,
		       db_bytes(q, 3), month))
		*out = bad != 0 ? "bad" : "good";
	else if (none.code != ERR_MISSING)
		return err_set(e, none.code, "%s", none.text);
	return true;
}

bool outcomes_csv(struct release_context *c, const char *family, const char *hash, int64_t after, struct buf *out,
		  int64_t *last, char model[MODEL_HEX + 1], struct err *e)
{
	bool row = false;
	*last = after;
	if (!model_of(c, family, hash, model, e))
		return false;
	struct db_query *q =
		db_query(c->db,
			 "SELECT s.id, s.value, i.scored_s, i.subject FROM score s JOIN score_input i ON i.id = "
			 "s.input WHERE s.id > ? AND i.family = ? AND s.hash = ? ORDER BY s.id LIMIT ?",
			 e);
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, after, e) && db_bind_text(q, 2, family, e) && db_bind_text(q, 3, model, e) &&
		  db_bind_int(q, 4, SCORES_REPLAY_MAX, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		char day[11];
		const char *outcome = "";
		*last = db_int(q, 0);
		day_format((db_int(q, 2) + CHINA_S) / DAY_S, day);
		day[7] = '\0';
		ok = outcome_find(c, family, q, day, &outcome, e);
		buf_add_fmt(out, "%lld,%s,%s,%s\n", (long long)*last, day, db_text(q, 1), outcome);
	}
	db_finish(q);
	return ok && buf_ok(out, "the scores", e);
}
