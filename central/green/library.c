#include "central/green/library.h"

#include "central/alarm.h"
#include "central/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what is known of one --- */

static void rating_read(const struct db_query *q, struct green_rating *r)
{
	*r = (struct green_rating){ .id = db_int(q, 0),
				    .rank = db_int(q, 3),
				    .ordinal = db_int(q, 5),
				    .from_day = db_int(q, 10),
				    .until_day = db_int(q, 11),
				    .rules = db_int(q, 14),
				    .recorded_s = db_int(q, 16),
				    .sample = db_int(q, 17) != 0,
				    .withdrawn_day = db_is_null(q, 18) ? GREEN_NEVER : db_int(q, 18) };
	snprintf(r->project, sizeof(r->project), "%s", db_text(q, 1));
	snprintf(r->rater, sizeof(r->rater), "%s", db_text(q, 2));
	snprintf(r->grade, sizeof(r->grade), "%s", db_text(q, 4));
	snprintf(r->level.word.code, sizeof(r->level.word.code), "%s", db_text(q, 6));
	snprintf(r->level.word.zh, sizeof(r->level.word.zh), "%s", db_text(q, 7));
	snprintf(r->level.word.en, sizeof(r->level.word.en), "%s", db_text(q, 8));
	r->level.green = db_int(q, 9) != 0;
	snprintf(r->reference, sizeof(r->reference), "%s", db_text(q, 12));
	if (db_bytes(q, 13).len == HASH_LEN)
		memcpy(r->digest, db_bytes(q, 13).data, HASH_LEN);
	snprintf(r->recorded_by, sizeof(r->recorded_by), "%s", db_text(q, 15));
}

static bool ratings_load(struct release_context *c, int64_t tag, const char *project, int64_t known_s,
			 struct green_facts *out, struct err *e)
{
	struct db_query *q = db_query(
		c->db,
		"SELECT r.id, project, rater, rank, grade, ordinal, level, level_zh, level_en, green, from_day, "
		"until_day,"
		" reference, r.digest, rules, r.recorded_by, r.recorded_s, sample, (SELECT MIN(day) FROM "
		"green_withdrawal w "
		"WHERE"
		" w.digest = r.digest AND w.recorded_s < ?) FROM green_rating r WHERE tag = ? AND project = ? AND"
		" r.recorded_s < ? ORDER BY r.id",
		e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, known_s, e) && db_bind_int(q, 2, tag, e) && db_bind_text(q, 3, project, e) &&
		  db_bind_int(q, 4, known_s, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		if (out->ratings_len == GREEN_RATINGS_MAX)
			ok = err_set(e, ERR_FULL, "more than %d ratings of one enterprise or project",
				     GREEN_RATINGS_MAX);
		else
			rating_read(q, &out->ratings[out->ratings_len++]);
	}
	db_finish(q);
	return ok;
}

static void resolution_read(const struct db_query *q, struct green_resolution *r)
{
	*r = (struct green_resolution){ .resolved_s = db_int(q, 4) };
	if (db_bytes(q, 0).len == HASH_LEN && db_bytes(q, 1).len == HASH_LEN) {
		memcpy(r->conflict, db_bytes(q, 0).data, HASH_LEN);
		memcpy(r->choice, db_bytes(q, 1).data, HASH_LEN);
	}
	snprintf(r->why, sizeof(r->why), "%s", db_text(q, 2));
	snprintf(r->resolved_by, sizeof(r->resolved_by), "%s", db_text(q, 3));
}

static bool resolutions_load(struct release_context *c, int64_t tag, const char *project, int64_t known_s,
			     struct green_facts *out, struct err *e)
{
	struct db_query *q =
		db_query(c->db,
			 "SELECT conflict, choice, why, resolved_by, resolved_s FROM green_resolution WHERE"
			 " tag = ? AND project = ? AND resolved_s < ? ORDER BY id",
			 e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, tag, e) && db_bind_text(q, 2, project, e) && db_bind_int(q, 3, known_s, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		if (out->resolutions_len == GREEN_RATINGS_MAX)
			ok = err_set(e, ERR_FULL, "more than %d resolutions of one enterprise or project",
				     GREEN_RATINGS_MAX);
		else
			resolution_read(q, &out->resolutions[out->resolutions_len++]);
	}
	db_finish(q);
	return ok;
}

bool green_facts_load(struct release_context *c, const struct subject_group *g, const char *project, int64_t known_s,
		      struct green_facts *out, struct err *e)
{
	out->ratings_len = out->resolutions_len = 0;
	for (size_t i = 0; i < g->len; i++)
		if (!ratings_load(c, g->tags[i], project, known_s, out, e) ||
		    !resolutions_load(c, g->tags[i], project, known_s, out, e))
			return false;
	return true;
}

static struct green_facts *facts_new(void)
{
	struct green_facts *f = calloc(1, sizeof(*f));
	if (f == NULL)
		abort();
	return f;
}

void green_grade_of(const struct green_standing *s, struct green_grade *out)
{
	const struct green_rating *r = s->rating;
	*out = (struct green_grade){ .there = r != NULL,
				     .conflict = s->basis == GREEN_BASIS_PRECEDENCE,
				     .resolved = s->resolution != NULL };
	if (r == NULL)
		return;
	out->green = r->level.green;
	out->level = r->level.word;
	out->ordinal = r->ordinal;
	out->from_day = r->from_day;
	out->until_day = r->until_day;
	out->rating = r->id;
	out->rules = r->rules;
	out->sample = r->sample;
	snprintf(out->origin, sizeof(out->origin), "%s %s %s", r->rater, r->grade, r->reference);
}

bool green_grade(struct release_context *c, const struct subject_group *g, int64_t day, int64_t known_s,
		 struct green_grade *out, struct err *e)
{
	struct green_standing s;
	struct green_facts *f = facts_new();
	*out = (struct green_grade){ 0 };
	bool ok = green_facts_load(c, g, "", known_s, f, e);
	if (ok) {
		green_standing(f, day, &s);
		green_grade_of(&s, out);
	}
	free(f);
	return ok;
}

bool green_projects(struct release_context *c, const struct subject_group *g, int64_t known_s,
		    void (*each)(void *arg, const char *project), void *arg, struct err *e)
{
	bool row = false, ok = true;
	for (size_t i = 0; ok && i < g->len; i++) {
		struct db_query *q =
			db_query(c->db,
				 "SELECT DISTINCT project FROM green_rating WHERE tag = ? AND project <> ''"
				 " AND recorded_s < ? ORDER BY project",
				 e);
		if (q == NULL)
			return false;
		ok = db_bind_int(q, 1, g->tags[i], e) && db_bind_int(q, 2, known_s, e);
		while (ok && (ok = db_next(q, &row, e)) && row)
			each(arg, db_text(q, 0));
		db_finish(q);
	}
	return ok;
}

/* --- everybody --- */

struct walking {
	struct release_context *c;
	int64_t day, known_s;
	struct subject_group group;
	struct green_facts facts;
	struct green_standing standing;
	bool (*each)(void *arg, const struct green_entry *entry, struct err *e);
	void *arg;
};

static bool subject_open(struct walking *w, int64_t tag, int64_t kind, struct bytes sealed, struct err *e)
{
	struct buf plain;
	struct identifier id;
	buf_init(&plain, PERSON_NAME_MAX + 1);
	bool ok =
		green_open(w->c, "green", tag, 0, sealed, &plain, e) &&
		identifier_parse((enum identifier_kind)kind, (const char *)plain.data, plain.len, 0, &id, NULL, e) &&
		subject_group_at(w->c, &id, w->known_s, &w->group, e);
	buf_wipe(&plain);
	return ok;
}

/* Of merged numbers that all have ratings, the one with the lowest tag stands for them. */
static bool is_listed(struct walking *w, int64_t tag, const char *project, bool *listed, struct err *e)
{
	*listed = true;
	for (size_t i = 0; i < w->group.len && *listed; i++) {
		int64_t n = 0;
		if (w->group.tags[i] >= tag)
			continue;
		if (!db_run_int(w->c->db, &n, e,
				"SELECT COUNT(*) FROM green_rating WHERE tag = ? AND project = ? AND recorded_s < ?",
				"iti", w->group.tags[i], project, w->known_s))
			return false;
		*listed = n == 0;
	}
	return true;
}

static bool entry_give(struct walking *w, const struct db_query *q, struct err *e)
{
	struct green_entry entry = { &w->group, "", db_text(q, 1), &w->facts, &w->standing };
	bool listed = false;
	if (!subject_open(w, db_int(q, 0), db_int(q, 2), db_bytes(q, 3), e) ||
	    !is_listed(w, db_int(q, 0), entry.project, &listed, e))
		return false;
	if (!listed)
		return true;
	if (!green_facts_load(w->c, &w->group, entry.project, w->known_s, &w->facts, e))
		return false;
	green_standing(&w->facts, w->day, &w->standing);
	identifier_mask(&w->group.members[0], entry.masked, sizeof(entry.masked));
	return w->each(w->arg, &entry, e);
}

static bool walk(struct walking *w, int64_t import, struct err *e)
{
	struct db_query *q =
		db_query(w->c->db,
			 "SELECT s.tag, r.project, s.kind, s.sealed FROM (SELECT DISTINCT tag, project FROM"
			 " green_rating WHERE recorded_s < ? AND (? = 0 OR import = ?)) r JOIN green_subject s"
			 " ON s.tag = r.tag ORDER BY s.tag, r.project",
			 e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, w->known_s, e) && db_bind_int(q, 2, import, e) && db_bind_int(q, 3, import, e);
	while (ok && (ok = db_next(q, &row, e)) && row)
		ok = entry_give(w, q, e);
	db_finish(q);
	return ok;
}

bool green_each(struct release_context *c, int64_t import, int64_t day, int64_t known_s,
		bool (*each)(void *arg, const struct green_entry *entry, struct err *e), void *arg, struct err *e)
{
	struct err own = { 0 };
	struct walking *w = calloc(1, sizeof(*w));
	if (w == NULL)
		abort();
	w->c = c;
	w->day = day;
	w->known_s = known_s;
	w->each = each;
	w->arg = arg;
	bool ok = walk(w, import, &own);
	explicit_bzero(w, sizeof(*w));
	free(w);
	return ok || err_set(e, own.code, "%s", own.text);
}

/* --- conflicts --- */

struct resolving {
	const char *conflict;
	int64_t rating, tag;
	bool found;
	char project[GREEN_PROJECT_MAX + 1], masked[96];
	uint8_t key[HASH_LEN], choice[HASH_LEN];
};

static bool conflict_match(void *arg, const struct green_entry *entry, struct err *e)
{
	struct resolving *r = arg;
	const struct green_standing *s = entry->standing;
	char hex[2 * HASH_LEN + 1];
	hex_encode(s->key, HASH_LEN, hex);
	if (!s->conflict || strncmp(hex, r->conflict, GREEN_KEY_HEX) != 0)
		return true;
	bool in = r->rating == 0;
	for (size_t i = 0; i < s->among_len; i++)
		if (s->among[i]->id == r->rating) {
			memcpy(r->choice, s->among[i]->digest, HASH_LEN);
			in = true;
		}
	r->found = true;
	r->tag = entry->group->tags[0];
	memcpy(r->key, s->key, HASH_LEN);
	snprintf(r->project, sizeof(r->project), "%s", entry->project);
	snprintf(r->masked, sizeof(r->masked), "%s", entry->masked);
	return in ||
	       err_set(e, ERR_INPUT, "rating %lld is not in this conflict: green conflicts lists those that are",
		       (long long)r->rating);
}

static bool resolution_put(struct release_context *c, const struct resolving *r, const char *why,
			   const char *operator, int64_t now_s, struct err *e)
{
	char detail[GREEN_WHY_MAX + 80];
	snprintf(detail, sizeof(detail), "%s: rating %lld: %.150s", r->conflict, (long long)r->rating, why);
	bool ok = db_begin(c->db, e) &&
		  db_run(c->db, e,
			 "INSERT INTO green_resolution (tag, project, conflict, choice, why, resolved_by, "
			 "resolved_s) VALUES"
			 " (?, ?, ?, ?, ?, ?, ?)",
			 "itbbtti", r->tag, r->project, (struct bytes){ r->key, HASH_LEN },
			 (struct bytes){ r->choice, HASH_LEN }, why, operator, now_s) &&
		  audit_add(c->db, now_s, operator, "green.resolve", r->masked, detail, e);
	return green_finish(c, ok, e);
}

bool green_resolve(struct release_context *c, const char *conflict, int64_t rating, const char *why,
		   const char *operator, int64_t now_s, struct err *e)
{
	struct resolving r = { .conflict = conflict, .rating = rating };
	if (strlen(conflict) != GREEN_KEY_HEX || strspn(conflict, "0123456789abcdef") != GREEN_KEY_HEX)
		return err_set(e, ERR_INPUT, "a conflict is named by %d digits: green conflicts lists them",
			       GREEN_KEY_HEX);
	if (why == NULL || why[0] == '\0' || strlen(why) > GREEN_WHY_MAX)
		return err_set(e, ERR_INPUT, "reason: say why, in at most %d bytes (--reason TEXT)", GREEN_WHY_MAX);
	if (!green_each(c, 0, green_day_of_s(now_s), GREEN_NEVER, conflict_match, &r, e))
		return false;
	if (!r.found)
		return err_set(e, ERR_MISSING, "there is no conflict %s today: green conflicts lists them", conflict);
	return resolution_put(c, &r, why, operator, now_s, e);
}

/* --- watching --- */

bool green_warn_days(struct release_context *c, int64_t *days, struct err *e)
{
	struct green_document d;
	bool ok = green_document_current(c, "green", &d, e);
	struct green_rules *rules = ok ? green_rules_decode(buf_bytes(&d.cbor), e) : NULL;
	if (rules != NULL)
		*days = rules->warn_days;
	green_rules_free(rules);
	green_document_clear(&d);
	return rules != NULL;
}

struct watching {
	int64_t until_day;
	uint64_t expiring, conflicts;
};

static bool watch_entry(void *arg, const struct green_entry *entry, struct err *e)
{
	struct watching *w = arg;
	const struct green_standing *s = entry->standing;
	(void)e;
	w->expiring += s->rating != NULL && s->rating->until_day < w->until_day;
	w->conflicts += s->basis == GREEN_BASIS_PRECEDENCE;
	return true;
}

static bool alarm_put(struct release_context *c, const char *code, uint64_t n, const char *what, int64_t now_s,
		      struct err *e)
{
	char detail[120];
	snprintf(detail, sizeof(detail), "%llu %s", (unsigned long long)n, what);
	return n == 0 || alarm_raise(c->db, now_s, "(central)", code, detail, e);
}

bool green_watch(struct release_context *c, int64_t now_s, struct err *e)
{
	int64_t today = green_day_of_s(now_s), days = 0, last = 0;
	struct watching w = { 0 };
	struct err none = { 0 };
	if (!db_run_int(c->db, &last, e, "SELECT COALESCE((SELECT day FROM green_watch), 0)", "") || last >= today)
		return last >= today;
	if (!green_warn_days(c, &days, &none))
		return none.code == ERR_MISSING || err_set(e, none.code, "%s", none.text);
	w.until_day = today + days;
	bool ok =
		green_each(c, 0, today, GREEN_NEVER, watch_entry, &w, e) && db_begin(c->db, e) &&
		alarm_put(c, GREEN_ALARM_EXPIRING, w.expiring, "green ratings end soon: green expiring", now_s, e) &&
		alarm_put(c, GREEN_ALARM_CONFLICT, w.conflicts,
			  "green ratings contradict each other: green conflicts", now_s, e) &&
		db_run(c->db, e, "DELETE FROM green_watch", "") &&
		db_run(c->db, e, "INSERT INTO green_watch (day) VALUES (?)", "i", today);
	return green_finish(c, ok, e);
}
