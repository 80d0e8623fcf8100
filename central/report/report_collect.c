/* What a report is made of, gathered as of the end of a day. */
#include "central/report/report.h"
#include "central/score/scores.h"
#include "central/store/store.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_S      86400
#define CHINA_S    28800
#define SCORES_MAX 1000
#define DIGEST_HEX 16 /* digits of the content's hash in a report's number */

struct collecting {
	struct release_context *c;
	struct report *r;
	struct credit_rules rules;
	struct subject_group group;
	int64_t end_s;   /* of the day */
	struct buf late; /* "seconds:inputs\n" of objections that hold inputs */
	bool green_found;
};

static void day_of_s(int64_t time_s, char out[11])
{
	day_format((time_s + CHINA_S) / DAY_S, out);
}

/* As text, with its end marked. */
static void text_add(struct buf *out, struct bytes t)
{
	const uint8_t *end = t.len > 0 ? memchr(t.data, '\0', t.len) : NULL;
	buf_add(out, t.data, end != NULL ? (size_t)(end - t.data) : t.len);
	buf_add_u8(out, 0);
}

/* --- facts --- */

/* As a person reads it; any number somebody is known by is masked. */
static void value_add(struct buf *out, const struct schema_field *f, struct bytes v)
{
	char text[PERSON_NAME_MAX + 32] = "********";
	struct identifier id;
	if (v.data == NULL) {
		text_add(out, bytes_of("-"));
	} else if (f->identifier != 0) {
		if (identifier_parse(f->identifier, (const char *)v.data, v.len, 0, &id, NULL, NULL))
			identifier_mask(&id, text, sizeof(text));
		text_add(out, bytes_of(text));
	} else if (f->type == SCHEMA_BOOLEAN) {
		text_add(out, bytes_of(bytes_equal(v, bytes_of("true")) ? "是 / yes" : "否 / no"));
	} else if (f->unit == 0 || v.len > 64) {
		text_add(out, v);
	} else {
		snprintf(text, sizeof(text), "%.*s %s", (int)v.len, (const char *)v.data,
			 f->unit == 1 ? "元" : "万元");
		text_add(out, bytes_of(text));
	}
}

static void fields_keep(struct report_fact *f, const struct subject_record *r)
{
	buf_init(&f->fields, (size_t)2 * SCHEMA_FIELDS_MAX * SCHEMA_TITLE_MAX + (size_t)12 * CSV_ROW_MAX);
	for (; f->fields_len < r->schema->fields_len; f->fields_len++) {
		const struct schema_field *s = &r->schema->fields[f->fields_len];
		text_add(&f->fields, bytes_of(s->title[0] != '\0' ? s->title : s->name));
		value_add(&f->fields, s, r->record->cells[f->fields_len]);
	}
}

static void objections_keep(struct collecting *g, struct report_fact *f, const struct objection_view *v)
{
	for (size_t i = 0; i < v->marks_len; i++) {
		const struct objection_mark *m = v->marks[i];
		struct report_objection *o = &f->objections[f->objections_len++];
		o->id = m->id;
		o->open = m->state == OBJECTION_OPEN;
		o->hold = m->hold;
		snprintf(o->field, sizeof(o->field), "%s", m->field);
		day_of_s(m->opened_s, o->opened);
		day_format(m->due_day, o->due);
		if (!o->open)
			day_of_s(m->decided_s, o->decided);
		if (o->open && m->hold && m->inputs[0] != '\0')
			buf_add_fmt(&g->late, "%lld:%s\n", (long long)m->opened_s, m->inputs);
	}
}

static void rated(struct collecting *g, const struct subject_record *record)
{
	struct report *r = g->r;
	struct bytes name = credit_rules_value(&g->rules, "name", record);
	struct bytes green = credit_rules_value(&g->rules, "green", record);
	if (name.data != NULL)
		snprintf(r->name, sizeof(r->name), "%.*s", (int)name.len, (const char *)name.data);
	if (green.data == NULL || record->objections->held)
		return;
	snprintf(r->green, sizeof(r->green), "%.*s", (int)green.len, (const char *)green.data);
	r->green_from = r->facts_len - 1;
	g->green_found = true;
}

static void fact_add(void *arg, const struct subject_record *record)
{
	struct collecting *g = arg;
	struct report *r = g->r;
	char hex[2 * HASH_LEN + 1];
	struct report_fact *f = (void *)buf_grow(&r->store, sizeof(*f));
	if (f == NULL)
		abort(); /* subject_read gives no more than there is room for */
	r->facts = (void *)r->store.data;
	r->facts_len++;
	*f = (struct report_fact){ .source = *record->source,
				   .batch = record->batch->id,
				   .row = record->record->row,
				   .nature = credit_rules_nature(&g->rules, record),
				   .held = record->objections->held,
				   .withdrawn = record->objections->withdrawn,
				   .corrected = record->objections->corrected };
	f->source.schema = NULL;
	snprintf(f->period, sizeof(f->period), "%s", record->batch->period);
	snprintf(f->claimed, sizeof(f->claimed), "%s", record->batch->as_of);
	hex_encode(record->batch->sha256, HASH_LEN, hex);
	snprintf(f->file, sizeof(f->file), "%.16s", hex);
	fields_keep(f, record);
	objections_keep(g, f, record->objections);
	r->sample |= record->source->sample;
	if (!f->withdrawn)
		rated(g, record);
}

/* --- score --- */

/* Inputs that were objected to after it was scored. */
static void late_keep(struct collecting *g, int64_t scored_s, struct buf *late)
{
	for (const char *at = buf_str(&g->late); *at != '\0';) {
		char *inputs = NULL;
		int64_t opened_s = strtoll(at, &inputs, 10);
		size_t len = strcspn(inputs, "\n");
		if (opened_s > scored_s && len > 1)
			buf_add_fmt(late, "%s%.*s", late->len > 0 ? "," : "", (int)len - 1, inputs + 1);
		at = inputs + len + (inputs[len] == '\n');
	}
	buf_add_u8(late, 0);
}

static void score_clear(struct report_score *k)
{
	buf_clear(&k->held);
	buf_clear(&k->late);
	json_free(k->result);
}

static void score_keep(void *arg, const struct score_row *s)
{
	struct collecting *g = arg;
	struct report_score *k = &g->r->score;
	if (s->role != MODEL_CHAMPION || strcmp(s->family, REPORT_FAMILY) != 0 || s->scored_s >= g->end_s ||
	    (k->there && k->id > s->id))
		return;
	score_clear(k);
	*k = (struct report_score){ .there = true, .id = s->id, .input = s->input };
	snprintf(k->value, sizeof(k->value), "%s", s->value);
	snprintf(k->hash, sizeof(k->hash), "%s", s->hash);
	day_of_s(s->scored_s, k->scored);
	day_format(s->oldest_day, k->oldest);
	buf_init(&k->held, strlen(s->held) + 1);
	text_add(&k->held, bytes_of(s->held));
	k->result = json_parse(bytes_of(s->result), &(struct err){ 0 });
	buf_init(&k->late, g->late.max);
	late_keep(g, s->scored_s, &k->late);
}

static bool score_find(struct collecting *g, struct err *e)
{
	for (size_t i = 0; i < g->group.len; i++) {
		const struct identifier *id = &g->group.members[i];
		if (!scores_each(g->c, id->kind, id->canonical, SCORES_MAX, score_keep, g, e))
			return false;
	}
	int64_t sample = 0;
	if (!g->r->score.there)
		return true;
	if (g->r->score.result == NULL)
		return err_set(e, ERR_IO, "score %lld is damaged", (long long)g->r->score.id);
	if (!db_run_int(g->c->db, &sample, e, "SELECT sample FROM model WHERE hash = ?", "t", g->r->score.hash))
		return false;
	g->r->sample |= sample != 0;
	return true;
}

/* --- who read --- */

static void read_keep(struct report *r, const struct db_query *q)
{
	struct tm tm;
	time_t t = (time_t)(db_int(q, 0) + CHINA_S);
	struct report_read *k = &r->reads[r->reads_len++];
	gmtime_r(&t, &tm);
	strftime(k->time, sizeof(k->time), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(k->who, sizeof(k->who), "%s", db_text(q, 1));
	snprintf(k->purpose, sizeof(k->purpose), "%s", db_text(q, 2));
}

static bool reads_find(struct collecting *g, int64_t tag, struct err *e)
{
	bool row = false;
	struct db_query *q =
		db_query(g->c->db,
			 "SELECT time_s, who, purpose FROM subject_read WHERE tag = ? AND time_s < ? ORDER BY"
			 " id DESC LIMIT ?",
			 e);
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, tag, e) && db_bind_int(q, 2, g->end_s - DAY_S, e) &&
		  db_bind_int(q, 3, REPORT_READS_MAX, e);
	while (ok && (ok = db_next(q, &row, e)) && row)
		read_keep(g->r, q);
	db_finish(q);
	return ok;
}

static bool reads_of(struct collecting *g, const struct identifier *id, struct err *e)
{
	for (size_t i = 0; i < g->group.len; i++)
		if (g->group.members[i].kind == id->kind && strcmp(g->group.members[i].canonical, id->canonical) == 0)
			return reads_find(g, g->group.tags[i], e);
	return true;
}

/* --- all of it --- */

static void digest_add(void *arg, enum report_block kind, const char *a, const char *b)
{
	struct sha256_stream *s = arg;
	uint8_t k = (uint8_t)kind;
	sha256_add(s, (struct bytes){ &k, 1 });
	sha256_add(s, (struct bytes){ (const uint8_t *)a, strlen(a) + 1 });
	sha256_add(s, (struct bytes){ (const uint8_t *)b, strlen(b) + 1 });
}

/* The same content has the same number, other content another. */
static void number_make(struct report *r)
{
	struct sha256_stream s;
	uint8_t hash[HASH_LEN];
	char hex[2 * HASH_LEN + 1];
	sha256_start(&s);
	report_walk(r, digest_add, &s);
	sha256_finish(&s, hash);
	hex_encode(hash, HASH_LEN, hex);
	snprintf(r->number, sizeof(r->number), "XB%.4s%.2s%.2s-%.*s", r->as_of, r->as_of + 5, r->as_of + 8,
		 DIGEST_HEX, hex);
}

static bool given_out(struct collecting *g, const struct report_request *q, int64_t now_s, struct err *e)
{
	char detail[REPORT_TEXT_MAX + 64];
	snprintf(detail, sizeof(detail), "%s as of %s: %.200s", g->r->number, g->r->as_of, q->purpose);
	if (db_begin(g->c->db, e) &&
	    audit_add(g->c->db, now_s, q->who, "report.enterprise", g->r->masked[0], detail, e) &&
	    db_commit(g->c->db, e))
		return true;
	db_rollback(g->c->db);
	return false;
}

/* That read is logged, unless it has become another report. */
static bool given_again(struct collecting *g, const struct report_request *q, int64_t now_s, struct err *e)
{
	return strcmp(g->r->number, q->given) == 0 ||
	       (subject_read_log(g->c, &g->group, q->purpose, q->who, now_s, e) && given_out(g, q, now_s, e));
}

static bool facts_read(struct collecting *g, const struct report_request *q, bool again, int64_t now_s, struct err *e)
{
	return (again || subject_read_log(g->c, &g->group, q->purpose, q->who, now_s, e)) &&
	       subject_records(g->c, &g->group, fact_add, g, &g->r->more, e);
}

static bool collect(struct collecting *g, const struct report_request *q, int64_t now_s, struct err *e)
{
	struct report *r = g->r;
	if (!subject_group_at(g->c, q->subject, g->end_s, &g->group, e) ||
	    !credit_rules_load(g->c, g->end_s, &g->rules, NULL, e))
		return false;
	r->rules = g->rules.id;
	r->sample = g->rules.sample;
	bool again = q->given != NULL && q->given[0] != '\0';
	if (!facts_read(g, q, again, now_s, e))
		return false;
	if (!g->green_found)
		r->green_from = r->facts_len;
	for (; r->masked_len < g->group.len; r->masked_len++)
		identifier_mask(&g->group.members[r->masked_len], r->masked[r->masked_len], sizeof(r->masked[0]));
	if (!score_find(g, e) || !reads_of(g, q->subject, e) || !buf_ok(&g->late, "the objections", e))
		return false;
	number_make(r);
	return !again ? given_out(g, q, now_s, e) : given_again(g, q, now_s, e);
}

struct report *report_collect(struct release_context *c, const struct report_request *q, int64_t now_s, struct err *e)
{
	if (q->day > (now_s + CHINA_S) / DAY_S) {
		(void)!err_set(e, ERR_INPUT, "as_of: this day is still to come");
		return NULL;
	}
	struct collecting *g = calloc(1, sizeof(*g));
	struct report *r = calloc(1, sizeof(*r));
	if (g == NULL || r == NULL)
		abort();
	*g = (struct collecting){ .c = c, .r = r, .end_s = (q->day + 1) * DAY_S - CHINA_S };
	buf_init(&r->store, SUBJECT_ROWS_MAX * sizeof(struct report_fact));
	buf_init(&g->late, (size_t)OBJECTION_MARKS_MAX * OBJECTION_INPUTS_MAX);
	day_format(q->day, r->as_of);
	snprintf(r->who, sizeof(r->who), "%s", q->who);
	snprintf(r->purpose, sizeof(r->purpose), "%s", q->purpose);
	bool ok = collect(g, q, now_s, e);
	credit_rules_clear(&g->rules);
	buf_clear(&g->late);
	explicit_bzero(g, sizeof(*g));
	free(g);
	if (ok)
		return r;
	report_free(r);
	return NULL;
}

void report_free(struct report *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->facts_len; i++)
		buf_wipe(&r->facts[i].fields);
	buf_clear(&r->store);
	score_clear(&r->score);
	free(r);
}
