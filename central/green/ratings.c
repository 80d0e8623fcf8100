/* Ratings as they come in: the file, and one row of the library each. */
#include "central/green/library.h"
#include "central/store/store.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALID_MAX_DAYS 3660 /* a year mistyped is more likely than a rating for ten years */

enum column { RATER, USCC, PROJECT, GRADE, FROM, UNTIL, REFERENCE, WITHDRAWN };
static const char schema[] =
	"{\"fields\":["
	"{\"name\":\"rater\",\"title\":\"评级机构\",\"constraints\":{\"required\":true}},"
	"{\"name\":\"uscc\",\"title\":\"统一社会信用代码\",\"identifier\":\"uscc\",\"subject\":true,\"constraints\":"
	"{\"required\":true}},"
	"{\"name\":\"project\",\"title\":\"项目代码\"},"
	"{\"name\":\"grade\",\"title\":\"评级\",\"constraints\":{\"required\":true}},"
	"{\"name\":\"from\",\"title\":\"有效期起\",\"type\":\"date\",\"constraints\":{\"required\":true,\"minimum\":"
	"\"1990-01-01\"}},"
	"{\"name\":\"until\",\"title\":\"有效期止\",\"type\":\"date\",\"constraints\":{\"required\":true,\"minimum\":"
	"\"1990-01-01\"}},"
	"{\"name\":\"reference\",\"title\":\"文号\",\"constraints\":{\"required\":true}},"
	"{\"name\":\"withdrawn\",\"title\":\"撤销日期\",\"type\":\"date\",\"constraints\":{\"minimum\":"
	"\"1990-01-01\"}}],"
	"\"missingValues\":[\"\",\"-\",\"NULL\"]}";

struct importing {
	struct release_context *c;
	const struct green_rules *rules;
	int64_t version, import, now_s;
	const char *who;
};

static bool day_of(struct bytes cell, int64_t *day, struct err *e)
{
	*day = GREEN_NEVER;
	return cell.data == NULL || day_parse(cell, day, e);
}

/* --- one row --- */

static bool withdrawal_put(struct release_context *c, const struct green_rating *r, bool *fresh, struct err *e)
{
	if (r->withdrawn_day == GREEN_NEVER)
		return true;
	if (!db_run(c->db, e,
		    "INSERT INTO green_withdrawal (digest, day, recorded_by, recorded_s) VALUES (?, ?, ?, ?) ON "
		    "CONFLICT (digest, day) DO NOTHING",
		    "biti", (struct bytes){ r->digest, HASH_LEN }, r->withdrawn_day, r->recorded_by, r->recorded_s))
		return false;
	*fresh |= db_changes(c->db) == 1;
	return true;
}

bool green_record(struct release_context *c, const struct identifier *id, struct green_rating *r, int64_t import,
		  bool *fresh, struct err *e)
{
	int64_t tag = 0;
	if (!green_subject_keep(c, id, &tag, e))
		return false;
	green_digest(tag, r, r->digest);
	bool ok = db_run(
		c->db, e,
		"INSERT INTO green_rating (tag, project, rater, rank, grade, ordinal, level, level_zh, "
		"level_en,"
		" green, sample, from_day, until_day, reference, digest, rules, import, recorded_by, recorded_s) "
		"VALUES"
		" (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
		"ittititttiiiitbiiti", tag, r->project, r->rater, r->rank, r->grade, r->ordinal, r->level.word.code,
		r->level.word.zh, r->level.word.en, (int64_t)r->level.green, (int64_t)r->sample, r->from_day,
		r->until_day, r->reference, (struct bytes){ r->digest, HASH_LEN }, r->rules, import, r->recorded_by,
		r->recorded_s);
	*fresh = ok && db_changes(c->db) == 1;
	ok = ok &&
	     db_run_int(c->db, &r->id, e, "SELECT id FROM green_rating WHERE digest = ?", "b",
			(struct bytes){ r->digest, HASH_LEN }) &&
	     withdrawal_put(c, r, fresh, e);
	return ok;
}

static enum sheet_outcome scale_check(const struct green_rules *rules, const struct bytes *cells,
				      struct green_rating *r, struct sheet_fault *f)
{
	const struct green_rater *rater = green_rater_find(rules, cells[RATER]);
	if (rater == NULL)
		return sheet_refuse(f, "rater", "规则中没有这个评级机构", "the rules know no such rater");
	const struct green_grade_map *grade = green_grade_find(rater, cells[GRADE]);
	if (grade == NULL)
		return sheet_refuse(f, "grade", "不在该机构的评级等级之中", "no grade on this rater's scale");
	snprintf(r->rater, sizeof(r->rater), "%s", rater->word.code);
	snprintf(r->grade, sizeof(r->grade), "%s", grade->grade);
	r->level = rules->levels[grade->level];
	r->ordinal = (int64_t)grade->level;
	r->rank = rater->rank;
	return SHEET_ACCEPTED;
}

static enum sheet_outcome row_check(const struct bytes *cells, struct green_rating *r, struct sheet_fault *f)
{
	if (!sheet_text(cells[PROJECT], r->project, sizeof(r->project)))
		return sheet_refuse(f, "project", "项目代码过长（40 字节）", "longer than 40 bytes");
	if (!sheet_text(cells[REFERENCE], r->reference, sizeof(r->reference)))
		return sheet_refuse(f, "reference", "文号过长（64 字节）", "longer than 64 bytes");
	if (r->until_day < r->from_day)
		return sheet_refuse(f, "until", "有效期止早于有效期起", "ends before it begins");
	if (r->until_day - r->from_day > VALID_MAX_DAYS)
		return sheet_refuse(f, "until", "有效期超过十年，请核对年份",
				    "valid for more than ten years; check the year");
	return SHEET_ACCEPTED;
}

static bool rating_take(void *arg, const struct bytes *cells, enum sheet_outcome *outcome, struct sheet_fault *f,
			struct err *e)
{
	struct importing *m = arg;
	struct identifier id;
	struct green_rating r = { .rules = m->version, .sample = m->rules->sample, .recorded_s = m->now_s };
	bool fresh = false;
	snprintf(r.recorded_by, sizeof(r.recorded_by), "%s", m->who);
	if (!day_of(cells[FROM], &r.from_day, e) || !day_of(cells[UNTIL], &r.until_day, e) ||
	    !day_of(cells[WITHDRAWN], &r.withdrawn_day, e) ||
	    !identifier_parse(IDENTIFIER_USCC, (const char *)cells[USCC].data, cells[USCC].len, 0, &id, NULL, e))
		return false;
	*outcome = scale_check(m->rules, cells, &r, f);
	if (*outcome == SHEET_ACCEPTED)
		*outcome = row_check(cells, &r, f);
	if (*outcome != SHEET_ACCEPTED)
		return true;
	if (!green_record(m->c, &id, &r, m->import, &fresh, e))
		return false;
	*outcome = fresh ? SHEET_ACCEPTED : SHEET_REPEATED;
	return true;
}

/* --- a file --- */

static bool conflict_count(void *arg, const struct green_entry *entry, struct err *e)
{
	uint64_t *n = arg;
	(void)e;
	*n += entry->standing->basis == GREEN_BASIS_PRECEDENCE;
	return true;
}

static bool file_take(struct importing *m, enum intake_format format, struct bytes file, struct green_import *out,
		      struct err *e)
{
	char detail[96];
	struct release_context *c = m->c;
	bool ok = db_begin(c->db, e) &&
		  db_run_int(c->db, &m->import, e, "SELECT COALESCE(MAX(import), 0) + 1 FROM green_rating", "") &&
		  sheet_read(schema, format, file, green_day_of_s(m->now_s), rating_take, m, &out->sheet, e);
	snprintf(detail, sizeof(detail), "%llu taken, %llu repeated, %llu rejected",
		 (unsigned long long)out->sheet.accepted, (unsigned long long)out->sheet.repeated,
		 (unsigned long long)out->sheet.rejected);
	return green_finish(c, ok && audit_add(c->db, m->now_s, m->who, "green.import", "", detail, e), e);
}

bool green_import(struct release_context *c, enum intake_format format, struct bytes file, const char *operator,
		  int64_t now_s, struct green_import *out, struct err *e)
{
	struct green_document d;
	struct importing m = { .c = c, .now_s = now_s, .who = operator};
	memset(out, 0, sizeof(*out));
	bool ok = green_document_current(c, "green", &d, e);
	struct green_rules *rules = ok ? green_rules_decode(buf_bytes(&d.cbor), e) : NULL;
	m.rules = rules;
	m.version = d.version;
	ok = rules != NULL && file_take(&m, format, file, out, e) &&
	     green_each(c, m.import, green_day_of_s(now_s), GREEN_NEVER, conflict_count, &out->conflicts, e);
	green_rules_free(rules);
	green_document_clear(&d);
	return ok;
}
