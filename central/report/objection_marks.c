#include "central/report/objection_marks.h"

#include "protocol/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CORRECTION_MAX 65536U

const char *objection_state_name(enum objection_state s)
{
	static const char *const names[] = { "", "open", "proposed", "upheld", "rejected" };
	return names[s];
}

const char *objection_state_zh(enum objection_state s)
{
	static const char *const names[] = { "", "处理中", "拟成立待复核", "成立", "不成立" };
	return names[s];
}

size_t objection_aad(char out[48], int64_t id)
{
	return (size_t)snprintf(out, 48, "objection/%lld", (long long)id);
}

/* --- loading --- */

static bool correction_open(const struct rows_keys *k, int64_t id, struct bytes sealed, struct json **out,
			    struct err *e)
{
	char aad[48];
	struct buf plain;
	size_t len = objection_aad(aad, id);
	buf_init(&plain, CORRECTION_MAX);
	bool ok = aead_open(k->identity, (struct bytes){ (const uint8_t *)aad, len }, sealed, &plain, e) &&
		  (*out = json_parse(buf_bytes(&plain), e)) != NULL;
	buf_wipe(&plain);
	return ok;
}

static bool mark_add(struct objection_marks *m, const struct rows_keys *k, const struct db_query *q, struct err *e)
{
	if (m->len == OBJECTION_MARKS_MAX)
		return err_set(e, ERR_FULL, "a subject has at most %d objections", OBJECTION_MARKS_MAX);
	m->all = realloc(m->all, (m->len + 1) * sizeof(*m->all));
	if (m->all == NULL)
		abort();
	struct objection_mark *n = &m->all[m->len++];
	struct bytes key = db_bytes(q, 5), correction = db_bytes(q, 9);
	*n = (struct objection_mark){ .id = db_int(q, 0),
				      .batch = db_int(q, 3),
				      .row = db_int(q, 4),
				      .hold = db_int(q, 7) != 0,
				      .withdraw = db_int(q, 8) != 0,
				      .opened_s = db_int(q, 10),
				      .due_day = db_int(q, 11),
				      .decided_s = db_int(q, 12),
				      .tag = db_int(q, 13),
				      .state = db_int(q, 14) != 0 ? OBJECTION_UPHELD : OBJECTION_OPEN };
	snprintf(n->source, sizeof(n->source), "%s", db_text(q, 1));
	snprintf(n->period, sizeof(n->period), "%s", db_text(q, 2));
	snprintf(n->field, sizeof(n->field), "%s", db_text(q, 6));
	snprintf(n->inputs, sizeof(n->inputs), "%s", db_text(q, 15));
	n->keyed = key.len == OBJECTION_KEY_LEN;
	if (n->keyed)
		memcpy(n->key, key.data, OBJECTION_KEY_LEN);
	return n->state != OBJECTION_UPHELD || correction.len == 0 ||
	       correction_open(k, n->id, correction, &n->correction, e);
}

static bool marks_of_tag(struct db *db, const struct rows_keys *k, int64_t tag, int64_t at_s,
			 struct objection_marks *m, struct err *e)
{
	bool row = false;
	struct db_query *q =
		db_query(db,
			 "SELECT id, source, period, batch, row, key, field, hold, withdraw, "
			 "correction, opened_s, due_day, decided_s,"
			 " tag, CASE WHEN state = 3 AND decided_s < ? THEN 1 ELSE 0 END, inputs FROM objection "
			 "WHERE tag = ? AND opened_s < ?"
			 " AND NOT (state = 4 AND decided_s < ?) ORDER BY id",
			 e);
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, at_s, e) && db_bind_int(q, 2, tag, e) && db_bind_int(q, 3, at_s, e) &&
		  db_bind_int(q, 4, at_s, e);
	while (ok && (ok = db_next(q, &row, e)) && row)
		ok = mark_add(m, k, q, e);
	db_finish(q);
	return ok;
}

static int mark_compare(const void *a, const void *b)
{
	const struct objection_mark *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

bool objection_marks_load(struct db *db, const struct rows_keys *k, const int64_t *tags, size_t tags_len,
			  int64_t at_s, struct objection_marks *out, struct err *e)
{
	*out = (struct objection_marks){ 0 };
	for (size_t i = 0; i < tags_len; i++)
		if (!marks_of_tag(db, k, tags[i], at_s, out, e))
			return false;
	if (out->len > 1)
		qsort(out->all, out->len, sizeof(*out->all), mark_compare);
	return true;
}

void objection_marks_clear(struct objection_marks *m)
{
	for (size_t i = 0; i < m->len; i++)
		json_free(m->all[i].correction);
	free(m->all);
	*m = (struct objection_marks){ 0 };
}

/* --- applying --- */

static bool is_about(const struct objection_mark *m, const struct objection_place *at, bool *out, struct err *e)
{
	uint8_t key[OBJECTION_KEY_LEN];
	*out = m->batch == at->batch && m->row == at->row;
	if (*out || !m->keyed || m->tag != at->tag || strcmp(m->source, at->source) != 0 ||
	    strcmp(m->period, at->period) != 0)
		return true;
	if (!rows_key(at->db, at->batch, (uint32_t)at->row, key, e))
		return false;
	*out = memcmp(key, m->key, sizeof(key)) == 0;
	return true;
}

static struct bytes text_or_missing(const struct json *j)
{
	return j != NULL && json_kind(j) == JSON_KIND_TEXT ? json_text_value(j) : (struct bytes){ NULL, 0 };
}

static bool cell_is(struct bytes cell, struct bytes other)
{
	return (cell.data == NULL) == (other.data == NULL) && bytes_equal(cell, other);
}

/* Whether the row still says what the correction is of; set: then it says what it should. */
static bool correction_fits(const struct json *correction, const struct schema *s, struct rows_record *r, bool set)
{
	for (size_t i = 0; i < json_len(correction); i++) {
		const char *name = NULL;
		const struct json *v = json_member(correction, i, &name);
		int at = schema_find(s, bytes_of(name));
		if (at < 0 || (!set && !cell_is(r->cells[at], text_or_missing(json_get(v, "was")))))
			return false;
		if (set)
			r->cells[at] = text_or_missing(json_get(v, "now"));
	}
	return true;
}

static bool mark_holds(const struct objection_mark *m, const struct schema *s, struct rows_record *r,
		       struct objection_view *v)
{
	if (m->state == OBJECTION_OPEN) {
		v->held |= m->hold;
		return true;
	}
	if (m->correction != NULL && !correction_fits(m->correction, s, r, false))
		return false;
	if (m->withdraw)
		v->withdrawn = true;
	else if (m->correction != NULL)
		v->corrected |= correction_fits(m->correction, s, r, true);
	return true;
}

bool objection_marks_apply(const struct objection_marks *m, const struct objection_place *at, const struct schema *s,
			   struct rows_record *record, struct objection_view *out, struct err *e)
{
	*out = (struct objection_view){ 0 };
	for (size_t i = 0; i < m->len; i++) {
		bool about = false;
		if (!is_about(&m->all[i], at, &about, e))
			return false;
		if (about && mark_holds(&m->all[i], s, record, out) &&
		    out->marks_len < sizeof(out->marks) / sizeof(out->marks[0]))
			out->marks[out->marks_len++] = &m->all[i];
	}
	return true;
}
