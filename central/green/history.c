#include "central/green/history.h"

#include "central/csv_out.h"
#include "central/store/store.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void green_day_put(int64_t day, char out[11])
{
	out[0] = '\0';
	if (day != GREEN_NEVER)
		day_format(day, out);
}

/* --- one enterprise --- */

static void project_keep(void *arg, const char *project)
{
	struct green_history *h = arg;
	for (size_t i = 0; i < h->len; i++)
		if (strcmp(h->projects[i], project) == 0)
			return;
	if (h->len > GREEN_PROJECTS_MAX)
		h->more = true;
	else
		snprintf(h->projects[h->len++], sizeof(h->projects[0]), "%s", project);
}

static bool sample_look(struct release_context *c, bool *sample, struct err *e)
{
	struct green_document d;
	struct err none = { 0 };
	bool ok = green_document_current(c, "green", &d, &none);
	struct green_rules *rules = ok ? green_rules_decode(buf_bytes(&d.cbor), &none) : NULL;
	*sample = rules != NULL && rules->sample;
	green_rules_free(rules);
	green_document_clear(&d);
	return rules != NULL || none.code == ERR_MISSING || err_set(e, none.code, "%s", none.text);
}

static bool own_load(struct release_context *c, struct green_history *h, const struct green_rating *r, struct err *e)
{
	struct green_found *f = &h->own[h->own_len];
	f->rating = r->id;
	buf_init(&f->json, OWN_JSON_MAX);
	h->own_len++;
	return own_show(c, r->id, &f->json, e);
}

static bool owns_load(struct release_context *c, struct green_history *h, struct err *e)
{
	size_t n = 0;
	for (size_t i = 0; i < h->len; i++)
		n += h->facts[i].ratings_len;
	h->own = calloc(n + 1, sizeof(*h->own));
	if (h->own == NULL)
		abort();
	for (size_t i = 0; i < h->len; i++)
		for (size_t k = 0; k < h->facts[i].ratings_len; k++)
			if (strcmp(h->facts[i].ratings[k].rater, GREEN_OWN) == 0 &&
			    !own_load(c, h, &h->facts[i].ratings[k], e))
				return false;
	return true;
}

static bool collect(struct release_context *c, const struct green_request *q, int64_t now_s, struct green_history *h,
		    struct err *e)
{
	int64_t known_s = green_day_end_s(q->day);
	h->len = 1;
	if (!subject_group_at(c, q->subject, known_s, &h->group, e) ||
	    !subject_read_log(c, &h->group, q->purpose, q->who, now_s, e) ||
	    !green_projects(c, &h->group, known_s, project_keep, h, e) || !sample_look(c, &h->sample, e))
		return false;
	h->facts = calloc(h->len, sizeof(*h->facts));
	if (h->facts == NULL)
		abort();
	for (size_t i = 0; i < h->len; i++)
		if (!green_facts_load(c, &h->group, h->projects[i], known_s, &h->facts[i], e))
			return false;
	identifier_mask(&h->group.members[0], h->masked, sizeof(h->masked));
	return owns_load(c, h, e) && labels_find(c, &h->group, h->day, known_s, &h->label, &h->labelled, e);
}

struct green_history *green_history(struct release_context *c, const struct green_request *q, int64_t now_s,
				    struct err *e)
{
	if (q->day > green_day_of_s(now_s)) {
		(void)err_set(e, ERR_INPUT, "as_of: this day is still to come");
		return NULL;
	}
	struct green_history *h = calloc(1, sizeof(*h));
	if (h == NULL)
		abort();
	h->day = q->day;
	day_format(q->day, h->as_of);
	snprintf(h->who, sizeof(h->who), "%s", q->who);
	snprintf(h->purpose, sizeof(h->purpose), "%s", q->purpose != NULL ? q->purpose : "");
	if (collect(c, q, now_s, h, e))
		return h;
	green_history_free(h);
	return NULL;
}

void green_history_free(struct green_history *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->own_len; i++)
		buf_wipe(&h->own[i].json);
	free(h->own);
	free(h->facts);
	explicit_bzero(&h->group, sizeof(h->group));
	free(h);
}

/* --- JSON --- */

static void day_json(struct json_out *w, const char *key, int64_t day)
{
	char text[11];
	green_day_put(day, text);
	json_put_text(w, key, text[0] != '\0' ? text : NULL);
}

static void rating_json(struct json_out *w, const char *key, const struct green_rating *r)
{
	json_open(w, key, '{');
	json_put_int(w, "rating", r->id);
	json_put_text(w, "rater", r->rater);
	json_put_text(w, "grade", r->grade);
	json_put_text(w, "level", r->level.word.code);
	json_put_text(w, "level_zh", r->level.word.zh);
	json_put_bool(w, "green", r->level.green);
	json_put_int(w, "rank", r->rank);
	day_json(w, "from", r->from_day);
	day_json(w, "until", r->until_day);
	day_json(w, "withdrawn", r->withdrawn_day);
	json_put_text(w, "reference", r->reference);
	json_put_int(w, "rules", r->rules);
	json_put_text(w, "recorded_by", r->recorded_by);
	json_put_int(w, "recorded_s", r->recorded_s);
	json_close(w, '}');
}

void green_standing_json(struct json_out *w, const struct green_standing *s)
{
	char hex[2 * HASH_LEN + 1];
	hex_encode(s->key, HASH_LEN, hex);
	hex[GREEN_KEY_HEX] = '\0';
	json_put_text(w, "basis", green_basis_name(s->basis));
	json_put_text(w, "basis_zh", green_basis_zh(s->basis));
	json_put_text(w, "conflict", s->conflict ? hex : NULL);
	if (s->rating != NULL)
		rating_json(w, "rating", s->rating);
	if (s->own != NULL)
		rating_json(w, "own_differs", s->own);
	if (s->resolution != NULL) {
		json_put_text(w, "resolved_by", s->resolution->resolved_by);
		json_put_text(w, "reason", s->resolution->why);
		json_put_int(w, "resolved_s", s->resolution->resolved_s);
	}
	if (!s->conflict)
		return;
	json_open(w, "among", '[');
	for (size_t i = 0; i < s->among_len; i++)
		rating_json(w, NULL, s->among[i]);
	json_close(w, ']');
}

static void span_json(void *arg, const struct green_span *s)
{
	struct json_out *w = arg;
	json_open(w, NULL, '{');
	day_json(w, "from", s->from_day);
	day_json(w, "until", s->until_day);
	green_standing_json(w, &s->standing);
	json_close(w, '}');
}

static void owns_json(const struct green_history *h, struct json_out *w)
{
	json_open(w, "own", '[');
	for (size_t i = 0; i < h->own_len; i++) {
		if (h->own[i].json.len == 0)
			continue;
		json_open(w, NULL, '{');
		json_put_int(w, "rating", h->own[i].rating);
		json_put_raw(w, "computed", buf_bytes(&h->own[i].json));
		json_close(w, '}');
	}
	json_close(w, ']');
}

bool green_history_json(const struct green_history *h, struct buf *out, struct err *e)
{
	struct json_out w = { out, false };
	struct green_standing s;
	json_open(&w, NULL, '{');
	json_put_text(&w, "masked", h->masked);
	json_put_text(&w, "as_of", h->as_of);
	json_put_bool(&w, "sample", h->sample);
	json_put_bool(&w, "more", h->more);
	json_put_text(&w, "label", h->labelled ? h->label.word.code : NULL);
	json_put_text(&w, "label_zh", h->labelled ? h->label.word.zh : NULL);
	json_put_int(&w, "label_id", h->labelled ? h->label.id : 0);
	json_open(&w, "subjects", '[');
	for (size_t i = 0; i < h->len; i++) {
		green_standing(&h->facts[i], h->day, &s);
		json_open(&w, NULL, '{');
		json_put_text(&w, "project", h->projects[i]);
		green_standing_json(&w, &s);
		json_open(&w, "history", '[');
		green_spans(&h->facts[i], span_json, &w);
		json_close(&w, ']');
		json_open(&w, "ratings", '[');
		for (size_t k = 0; k < h->facts[i].ratings_len; k++)
			rating_json(&w, NULL, &h->facts[i].ratings[k]);
		json_close(&w, ']');
		json_close(&w, '}');
	}
	json_close(&w, ']');
	owns_json(h, &w);
	json_close(&w, '}');
	return buf_ok(out, "the history", e);
}

/* --- CSV --- */

static const char *const head[] = { "号码 number",    "项目 project",  "自 from",        "至 until",   "等级 level",
				    "等级名称 name",  "绿色 green",    "依据 basis",     "机构 rater", "评级 grade",
				    "文号 reference", "冲突 conflict", "裁决理由 reason" };
#define COLUMNS (sizeof(head) / sizeof(head[0]))

static void line_put(struct buf *out, const char *masked, const char *project, int64_t from, int64_t until,
		     const struct green_standing *s)
{
	char days[2][11], hex[2 * HASH_LEN + 1];
	const struct green_rating *r = s->rating;
	green_day_put(from, days[0]);
	green_day_put(until, days[1]);
	hex_encode(s->key, HASH_LEN, hex);
	hex[GREEN_KEY_HEX] = '\0';
	const char *const cells[COLUMNS] = {
		masked,
		project,
		days[0],
		days[1],
		r != NULL ? r->level.word.code : "",
		r != NULL ? r->level.word.zh : "",
		r == NULL        ? ""
		: r->level.green ? "是"
				 : "否",
		green_basis_zh(s->basis),
		r != NULL ? r->rater : "",
		r != NULL ? r->grade : "",
		r != NULL ? r->reference : "",
		s->conflict ? hex : "",
		s->resolution != NULL ? s->resolution->why : "",
	};
	csv_out_line(out, cells, COLUMNS);
}

struct lines {
	const struct green_history *h;
	const char *project;
	struct buf *out;
};

static void span_csv(void *arg, const struct green_span *s)
{
	const struct lines *l = arg;
	line_put(l->out, l->h->masked, l->project, s->from_day, s->until_day, &s->standing);
}

bool green_history_csv(const struct green_history *h, struct buf *out, struct err *e)
{
	buf_add_str(out, CSV_OUT_BOM);
	csv_out_line(out, head, COLUMNS);
	for (size_t i = 0; i < h->len; i++) {
		struct lines l = { h, h->projects[i], out };
		green_spans(&h->facts[i], span_csv, &l);
	}
	return buf_ok(out, "the history", e);
}

/* --- everybody --- */

static bool library_log(struct release_context *c, const char *purpose, const char *who, int64_t day, int64_t now_s,
			struct err *e)
{
	char as_of[11];
	if (day > green_day_of_s(now_s))
		return err_set(e, ERR_INPUT, "as_of: this day is still to come");
	if (purpose == NULL || purpose[0] == '\0' || strlen(purpose) > GREEN_WHY_MAX)
		return err_set(e, ERR_INPUT, "purpose: say what for, in at most %d bytes", GREEN_WHY_MAX);
	day_format(day, as_of);
	return green_finish(c, db_begin(c->db, e) && audit_add(c->db, now_s, who, "green.library", as_of, purpose, e),
			    e);
}

static bool entry_json(void *arg, const struct green_entry *entry, struct err *e)
{
	struct json_out *w = arg;
	json_open(w, NULL, '{');
	json_put_text(w, "masked", entry->masked);
	json_put_text(w, "project", entry->project);
	green_standing_json(w, entry->standing);
	json_close(w, '}');
	return buf_ok(w->out, "the library", e);
}

bool green_library_json(struct release_context *c, const char *purpose, const char *who, int64_t day, int64_t now_s,
			struct buf *out, struct err *e)
{
	struct json_out w = { out, false };
	if (!library_log(c, purpose, who, day, now_s, e))
		return false;
	json_open(&w, NULL, '{');
	day_json(&w, "as_of", day);
	json_open(&w, "subjects", '[');
	bool ok = green_each(c, 0, day, green_day_end_s(day), entry_json, &w, e);
	json_close(&w, ']');
	json_close(&w, '}');
	return ok && buf_ok(out, "the library", e);
}

static bool entry_csv(void *arg, const struct green_entry *entry, struct err *e)
{
	const struct green_standing *s = entry->standing;
	line_put(arg, entry->masked, entry->project, s->rating != NULL ? s->rating->from_day : GREEN_NEVER,
		 s->rating != NULL ? s->rating->until_day : GREEN_NEVER, s);
	return buf_ok(arg, "the library", e);
}

bool green_library_csv(struct release_context *c, const char *purpose, const char *who, int64_t day, int64_t now_s,
		       struct buf *out, struct err *e)
{
	if (!library_log(c, purpose, who, day, now_s, e))
		return false;
	buf_add_str(out, CSV_OUT_BOM);
	csv_out_line(out, head, COLUMNS);
	return green_each(c, 0, day, green_day_end_s(day), entry_csv, out, e);
}
