/* Subjects scored by what is stored of them: their facts become a table, and that is scored like one that came in a file. */
#include "central/score/facts.h"

#include "central/csv.h"
#include "central/ingest/source.h"
#include "central/ingest/subject.h"
#include "central/release/document.h"
#include "protocol/base/limits.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S     86400
#define CHINA_S   28800
#define TABLE_MAX 4194304U

struct facts_run {
	struct release_context *c;
	const struct scores_run *r;
	int64_t end_s;                         /* of the day */
	const struct facts_accounts *accounts; /* NULL: of a day that is past, or none is asked for */
	struct facts_map *map;
	struct facts_gathering *gathering;
	char made_by[NAME_MAX_LEN + 64], purpose[NAME_MAX_LEN + 32];
	size_t len;
	struct subject_group *subjects; /* owned */
	struct identifier given[FACTS_SUBJECTS_MAX];
	struct err err; /* of the sources */
	struct buf table;
};

static bool map_load(struct facts_run *f, const char *day, struct err *e)
{
	struct release now;
	struct file_map content;
	struct buf json;
	char name[NAME_MAX_LEN + sizeof(RELEASE_INPUTS)];
	snprintf(name, sizeof(name), RELEASE_INPUTS "%s", f->r->family);
	if (!release_current(f->c, name, &now, e))
		return false;
	if (now.version == 0)
		return err_set(e, ERR_MISSING,
			       "no mapping is published: document import %s FILE.json, then release it", name);
	if (!objects_map(f->c->objects, now.content.hash, &content, e))
		return false;
	buf_init(&json, (size_t)8 * DOCUMENT_MAX);
	if (document_to_json(content.bytes, &json, e))
		f->map = facts_map_parse(buf_bytes(&json), e);
	buf_clear(&json);
	file_unmap(&content);
	snprintf(f->made_by, sizeof(f->made_by), "%s/%llu as of %s", name, (unsigned long long)now.version, day);
	return f->map != NULL;
}

/* --- which sources have anything --- */

static void source_add(void *arg, const struct source *s)
{
	struct facts_run *f = arg;
	int64_t day = 0;
	bool row = false;
	struct db_query *q =
		db_query(f->c->db,
			 "SELECT COALESCE(MAX(as_of), '') FROM batch WHERE source = ? AND state IN (4, 5)"
			 " AND (held = 0 OR decided_s > 0) AND finished_s < ? AND decided_s < ?",
			 &f->err);
	if (q == NULL)
		return;
	if (db_bind_text(q, 1, s->code, &f->err) && db_bind_int(q, 2, f->end_s, &f->err) &&
	    db_bind_int(q, 3, f->end_s, &f->err) && db_next(q, &row, &f->err) && row) {
		struct err none = { 0 };
		bool there = day_parse(bytes_of(db_text(q, 0)), &day, &none);
		facts_source_add(f->gathering, s->code, s->indicator, there, day);
	}
	db_finish(q);
}

/* --- subjects --- */

static bool subject_add(struct facts_run *f, const struct csv_row *row, struct err *e)
{
	struct identifier id;
	if (f->len == FACTS_SUBJECTS_MAX)
		return err_set(e, ERR_FULL, "more than %d subjects in one call", FACTS_SUBJECTS_MAX);
	if (row->fault != CSV_OK || row->fields_len != 1)
		return err_set(e, ERR_INPUT, "expected one subject");
	if (!identifier_parse(f->r->kind, (const char *)row->fields[0].data, row->fields[0].len, 0, &id, NULL, e))
		return err_wrap(e, "subject");
	bool ok = subject_group_at(f->c, &id, f->end_s, &f->subjects[f->len], e);
	f->given[f->len] = id;
	explicit_bzero(&id, sizeof(id));
	f->len += ok;
	return ok;
}

static bool subjects_take(struct facts_run *f, struct bytes table, struct err *e)
{
	struct csv csv;
	struct csv_row row;
	csv_init(&csv, table);
	bool ok = (csv_next(&csv, &row) && row.fault == CSV_OK && row.fields_len == 1 &&
		   bytes_equal(row.fields[0], bytes_of("subject"))) ||
		  err_set(e, ERR_INPUT, "row 1: expected the one column 'subject'");
	while (ok && csv_next(&csv, &row))
		if (row.raw.len > 0)
			ok = subject_add(f, &row, e) || err_wrap(e, "row %llu", (unsigned long long)row.number);
	csv_clear(&csv);
	return ok;
}

static bool reads_log(struct facts_run *f, struct err *e)
{
	if (!db_begin(f->c->db, e))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i < f->len; i++)
		ok = subject_read_note(f->c, &f->subjects[i], f->purpose, f->r->operator, f->r->now_s, e);
	if (ok && db_commit(f->c->db, e))
		return true;
	db_rollback(f->c->db);
	return false;
}

static void record_add(void *arg, const struct subject_record *r)
{
	facts_gathering_add(arg, r);
}

static bool points_take(struct facts_run *f, const struct identifier *subject, struct err *e)
{
	int64_t points = 0;
	if (f->accounts == NULL || !facts_map_wants_points(f->map))
		return true;
	if (!f->accounts->points(f->accounts->arg, subject, &points, e))
		return false;
	facts_gathering_points(f->gathering, points);
	return true;
}

static bool row_write(struct facts_run *f, size_t i, struct err *e)
{
	bool more = false;
	facts_gathering_reset(f->gathering);
	if (!subject_records(f->c, &f->subjects[i], record_add, f->gathering, &more, e))
		return false;
	if (more)
		return err_set(e, ERR_FULL, "it has more than %d facts, so that some would not count",
			       SUBJECT_ROWS_MAX);
	if (!points_take(f, &f->given[i], e))
		return false;
	buf_add_fmt(&f->table, "\n%s", f->given[i].canonical);
	facts_row_write(f->gathering, &f->table);
	return buf_ok(&f->table, "the table of inputs", e);
}

static bool run(struct facts_run *f, int64_t day, struct bytes csv, struct scores_summary *out, struct err *e)
{
	char text[11];
	day_format(day, text);
	if (!map_load(f, text, e))
		return false;
	f->gathering = facts_gathering_new(f->map, day);
	if (!source_each(f->c->db, source_add, f, e) || !subjects_take(f, csv, e))
		return false;
	if (f->err.code != ERR_NONE)
		return err_set(e, f->err.code, "%s", f->err.text);
	if (!reads_log(f, e))
		return false;
	buf_add_str(&f->table, "subject");
	facts_head_write(f->map, &f->table);
	for (size_t i = 0; i < f->len; i++)
		if (!row_write(f, i, e))
			return err_wrap(e, "subject %zu", i + 1);
	return scores_run_made(f->c, f->r, f->made_by, buf_bytes(&f->table), out, e);
}

bool facts_score(struct release_context *c, const struct scores_run *r, int64_t day,
		 const struct facts_accounts *accounts, struct bytes csv, struct scores_summary *out, struct err *e)
{
	const int64_t today = (r->now_s + CHINA_S) / DAY_S;
	if (day > today)
		return err_set(e, ERR_INPUT, "as_of: this day is still to come");
	struct facts_run *f = calloc(1, sizeof(*f));
	if (f == NULL)
		abort();
	*f = (struct facts_run){
		.c = c, .r = r, .end_s = (day + 1) * DAY_S - CHINA_S, .accounts = day == today ? accounts : NULL
	};
	f->subjects = calloc(FACTS_SUBJECTS_MAX, sizeof(*f->subjects));
	if (f->subjects == NULL)
		abort();
	snprintf(f->purpose, sizeof(f->purpose), "评分 score %s", r->family);
	buf_init(&f->table, TABLE_MAX);
	bool ok = run(f, day, csv, out, e);
	buf_wipe(&f->table);
	explicit_bzero(f->subjects, FACTS_SUBJECTS_MAX * sizeof(*f->subjects));
	free(f->subjects);
	explicit_bzero(f->given, sizeof(f->given));
	facts_gathering_free(f->gathering);
	facts_map_free(f->map);
	free(f);
	return ok;
}
