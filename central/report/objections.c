#include "central/report/objections.h"

#include "central/ingest/cell.h"
#include "central/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S          86400
#define CHINA_S        28800
#define CORRECTION_MAX 65536U

static bool finish(struct release_context *c, bool ok, struct err *e)
{
	if (ok && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

static bool why_is_fine(const char *why, struct err *e)
{
	return (why != NULL && why[0] != '\0' && strlen(why) <= OBJECTION_WHY_MAX) ||
	       err_set(e, ERR_INPUT, "reason: say why, in at most %d bytes (--reason TEXT)", OBJECTION_WHY_MAX);
}

/* --- opening --- */

struct opening {
	const struct objection_new *n;
	struct credit_rules rules;
	struct buf inputs;
	char source[NAME_MAX_LEN + 1], period[12], masked[96], field[SCHEMA_NAME_MAX + 1];
	int64_t tag;
	bool found, field_known, about_subject, keyed, hold;
};

static void fact_find(void *arg, const struct subject_record *r)
{
	struct opening *o = arg;
	if (r->batch->id != o->n->batch || (int64_t)r->record->row != o->n->row)
		return;
	int at = schema_find(r->schema, bytes_of(o->n->field));
	o->found = true;
	o->field_known = o->n->field[0] == '\0' || at >= 0;
	o->about_subject = at >= 0 && at == r->schema->subject;
	o->keyed = r->schema->keyed;
	o->tag = r->tag;
	snprintf(o->source, sizeof(o->source), "%s", r->source->code);
	snprintf(o->period, sizeof(o->period), "%s", r->batch->period);
	snprintf(o->field, sizeof(o->field), "%s", at >= 0 ? r->schema->fields[at].name : "");
	o->hold = credit_rules_hold(&o->rules, r->source->indicator, o->field, &o->inputs);
}

static bool fact_read(struct release_context *c, struct opening *o, int64_t now_s, struct err *e)
{
	bool more = false;
	struct subject_group *g = calloc(1, sizeof(*g));
	if (g == NULL)
		abort();
	bool ok = subject_group(c, o->n->subject, g, e) &&
		  subject_read(c, g, "异议登记 / objection", o->n->operator, now_s, fact_find, o, &more, e);
	explicit_bzero(g, sizeof(*g));
	free(g);
	if (!ok)
		return false;
	if (!o->found)
		return err_set(e, ERR_MISSING,
			       "nothing that counts of this subject is batch %lld row %lld: subject show",
			       (long long)o->n->batch, (long long)o->n->row);
	if (!o->field_known || o->about_subject)
		return err_set(e, ERR_INPUT, "field: %.60s is %s", o->n->field,
			       o->field_known ? "whom the row is about; object to the whole row"
					      : "no column of the row");
	return true;
}

static bool objection_store(struct release_context *c, struct opening *o, int64_t now_s, int64_t *id, struct err *e)
{
	uint8_t key[OBJECTION_KEY_LEN];
	char detail[200];
	int64_t same = 0, day = (now_s + CHINA_S) / DAY_S;
	const struct objection_new *n = o->n;
	if ((o->keyed && !rows_key(c->db, n->batch, (uint32_t)n->row, key, e)) ||
	    !db_run_int(
		    c->db, &same, e,
		    "SELECT COUNT(*) FROM objection WHERE batch = ? AND row = ? AND field = ? AND state IN (1, 2)",
		    "iit", n->batch, n->row, o->field))
		return false;
	if (same > 0)
		return err_set(e, ERR_CONFLICT, "this is under objection already: objection list");
	if (!db_run_int(
		    c->db, id, e,
		    "INSERT INTO objection (tag, masked, source, period, batch, row, key, field, why, hold, inputs, "
		    "rules,"
		    " state, opened_by, opened_s, due_day, withdraw, proposed_by, proposed_s, decided_by, decided_s,"
		    " decided_why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, 0, '', 0, '', 0, '')"
		    " RETURNING id",
		    "itttiibttititii", o->tag, o->masked, o->source, o->period, n->batch, n->row,
		    (struct bytes){ key, o->keyed ? sizeof(key) : 0 }, o->field, n->why, (int64_t)o->hold,
		    buf_str(&o->inputs), o->rules.id, n->operator, now_s, credit_rules_due(&o->rules, day)))
		return false;
	snprintf(detail, sizeof(detail), "objection %lld: %s %s batch %lld row %lld", (long long)*id, o->source,
		 o->period, (long long)n->batch, (long long)n->row);
	return audit_add(c->db, now_s, n->operator, "objection.open", o->masked, detail, e);
}

bool objection_open(struct release_context *c, const struct objection_new *n, int64_t now_s, int64_t *id,
		    struct err *e)
{
	struct opening o = { .n = n };
	if (!why_is_fine(n->why, e))
		return false;
	identifier_mask(n->subject, o.masked, sizeof(o.masked));
	buf_init(&o.inputs, CREDIT_INPUTS_MAX);
	bool ok = credit_rules_load(c, INT64_MAX, &o.rules, NULL, e) && fact_read(c, &o, now_s, e) &&
		  buf_ok(&o.inputs, "the inputs held", e) && db_begin(c->db, e) &&
		  finish(c, objection_store(c, &o, now_s, id, e), e);
	credit_rules_clear(&o.rules);
	buf_clear(&o.inputs);
	return ok;
}

/* --- deciding --- */

struct deciding {
	int64_t batch, row, tag;
	enum objection_state state;
	char masked[96], proposed_by[NAME_MAX_LEN + 1];
	uint8_t key[OBJECTION_KEY_LEN];
	bool keyed;
};

static bool deciding_load(struct release_context *c, int64_t id, struct deciding *d, struct err *e)
{
	bool row = false;
	struct db_query *q = db_query(
		c->db, "SELECT batch, row, tag, state, masked, proposed_by, key FROM objection WHERE id = ?", e);
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, id, e) && db_next(q, &row, e);
	if (row) {
		*d = (struct deciding){ .batch = db_int(q, 0),
					.row = db_int(q, 1),
					.tag = db_int(q, 2),
					.state = (enum objection_state)db_int(q, 3) };
		d->keyed = db_bytes(q, 6).len == OBJECTION_KEY_LEN;
		if (d->keyed)
			memcpy(d->key, db_bytes(q, 6).data, OBJECTION_KEY_LEN);
		snprintf(d->masked, sizeof(d->masked), "%s", db_text(q, 4));
		snprintf(d->proposed_by, sizeof(d->proposed_by), "%s", db_text(q, 5));
	}
	db_finish(q);
	return ok && (row || err_set(e, ERR_MISSING, "there is no objection %lld", (long long)id));
}

static void cell_put(struct json_out *w, const char *key, struct bytes v)
{
	if (v.data == NULL)
		json_put_null(w, key);
	else
		json_put_text_n(w, key, v);
}

static bool change_put(struct json_out *w, const struct schema *s, const struct rows_record *r,
		       const struct objection_change *change, int64_t today, struct err *e)
{
	struct cell cell = { 0 };
	int at = schema_find(s, bytes_of(change->field));
	if (at < 0 || at == s->subject || s->fields[at].key)
		return err_set(e, ERR_INPUT, "%.60s %s", change->field,
			       at < 0 ? "is no column of the row"
				      : "is what the row is known by; withdraw the row instead (--withdraw)");
	const struct schema_field *f = &s->fields[at];
	if (change->value[0] == '\0' && f->required)
		return err_set(e, ERR_INPUT, "%.60s must not be empty", f->name);
	if (change->value[0] != '\0' && cell_check(f, bytes_of(change->value), today, &cell) != FAULT_NONE)
		return err_set(e, ERR_INPUT, "%.60s: this is no value of the column (source show)", f->name);
	json_open(w, f->name, '{');
	cell_put(w, "was", r->cells[at]);
	cell_put(w, "now", cell.text);
	json_close(w, '}');
	return true;
}

/* What the row says now of all columns that change: with what earlier objections corrected. */
static bool record_corrected(struct release_context *c, const struct rows_keys *k, const struct deciding *at,
			     const struct batch *b, const struct schema *s, struct rows_record *r,
			     struct objection_marks *marks, struct err *e)
{
	const struct objection_place place = { c->db, b->source, b->period, b->id, at->row, at->tag };
	struct objection_view view;
	return objection_marks_load(c->db, k, &at->tag, 1, INT64_MAX, marks, e) &&
	       objection_marks_apply(marks, &place, s, r, &view, e);
}

/* The row of that key in a batch of the subject; 0 none. */
static bool row_of_key(struct release_context *c, int64_t batch, const struct deciding *at, int64_t *row,
		       struct err *e)
{
	uint8_t key[OBJECTION_KEY_LEN];
	size_t len = 0;
	uint32_t *rows = calloc(SUBJECT_ROWS_MAX, sizeof(*rows));
	if (rows == NULL)
		abort();
	*row = 0;
	bool ok = rows_of_subject(c->db, batch, at->tag, rows, SUBJECT_ROWS_MAX, &len, e);
	for (size_t i = 0; ok && i < len && *row == 0; i++) {
		ok = rows_key(c->db, batch, rows[i], key, e);
		if (ok && memcmp(key, at->key, sizeof(key)) == 0)
			*row = rows[i];
	}
	free(rows);
	return ok;
}

/* Where the fact stands now: the period may have been sent again since it was objected to. */
static bool fact_now(struct release_context *c, struct deciding *at, struct batch *b, struct err *e)
{
	struct err none = { 0 };
	struct batch now;
	int64_t row = 0;
	if (!batch_load(c, at->batch, b, e))
		return false;
	if (b->state == BATCH_CURRENT || !at->keyed)
		return true;
	if (!batch_current(c, b->source, b->period, &now, &none))
		return none.code == ERR_MISSING || err_set(e, none.code, "%s", none.text);
	if (strcmp(now.period, b->period) != 0)
		return true;
	if (!row_of_key(c, now.id, at, &row, e))
		return false;
	if (row == 0)
		return true;
	at->batch = now.id;
	at->row = row;
	*b = now;
	return true;
}

static bool changes_write(struct release_context *c, const struct rows_keys *k, struct deciding *at,
			  const struct objection_decision *d, int64_t now_s, struct buf *out, struct err *e)
{
	struct batch b;
	struct source source;
	struct schema *s = NULL;
	struct rows_record *r = calloc(1, sizeof(*r));
	struct objection_marks marks = { 0 };
	struct buf memory;
	struct json_out w = { out, false };
	if (r == NULL)
		abort();
	buf_init(&memory, (size_t)16 * CSV_ROW_MAX);
	bool ok = fact_now(c, at, &b, e) && source_load(c->db, b.source, b.source_version, &source, &s, NULL, e) &&
		  rows_load(c->db, k, b.id, (uint32_t)at->row, s->fields_len, &memory, r, e) &&
		  record_corrected(c, k, at, &b, s, r, &marks, e);
	json_open(&w, NULL, '{');
	for (size_t i = 0; ok && i < d->changes_len; i++)
		ok = change_put(&w, s, r, &d->changes[i], (now_s + CHINA_S) / DAY_S, e);
	json_close(&w, '}');
	objection_marks_clear(&marks);
	schema_free(s);
	buf_wipe(&memory);
	free(r);
	return ok && buf_ok(out, "the correction", e);
}

static bool propose(struct release_context *c, struct deciding *at, const struct objection_decision *d, int64_t now_s,
		    struct err *e)
{
	char aad[48];
	struct rows_keys keys;
	struct buf plain, sealed;
	size_t len = objection_aad(aad, d->id);
	if (d->withdraw == (d->changes_len > 0))
		return err_set(e, ERR_INPUT,
			       "say what is right instead, or that the fact is withdrawn: --correct FIELD=VALUE"
			       " or --withdraw");
	rows_keys_make(c->vault_key, &keys);
	buf_init(&plain, CORRECTION_MAX);
	buf_init(&sealed, CORRECTION_MAX + AEAD_OVERHEAD);
	bool ok = d->withdraw || (changes_write(c, &keys, at, d, now_s, &plain, e) &&
				  aead_seal(keys.identity, c->random, (struct bytes){ (const uint8_t *)aad, len },
					    buf_bytes(&plain), &sealed, e));
	ok = ok &&
	     db_run(c->db, e,
		    "UPDATE objection SET state = 2, withdraw = ?, correction = ?, proposed_by = ?, proposed_s = ?,"
		    " decided_why = ? WHERE id = ?",
		    "ibtiti", (int64_t)d->withdraw, buf_bytes(&sealed), d->operator, now_s, d->why, d->id);
	buf_wipe(&plain);
	buf_clear(&sealed);
	rows_keys_wipe(&keys);
	return ok;
}

static bool confirm(struct release_context *c, const struct deciding *at, const struct objection_decision *d,
		    int64_t now_s, struct err *e)
{
	if (strcmp(at->proposed_by, d->operator) == 0)
		return err_set(e, ERR_DENIED, "%s proposed it: a correction takes a second operator", d->operator);
	if (d->withdraw || d->changes_len > 0)
		return err_set(e, ERR_CONFLICT,
			       "%s proposed what is right: confirm it without --correct or --withdraw, or"
			       " reject it",
			       at->proposed_by);
	return db_run(c->db, e,
		      "UPDATE objection SET state = 3, decided_by = ?, decided_s = ?, decided_why = ? WHERE id = ?",
		      "titi", d->operator, now_s, d->why, d->id);
}

static bool reject(struct release_context *c, const struct deciding *at, const struct objection_decision *d,
		   int64_t now_s, struct err *e)
{
	if (at->state == OBJECTION_PROPOSED)
		return db_run(c->db, e,
			      "UPDATE objection SET state = 1, withdraw = 0, correction = NULL, proposed_by = '', "
			      "proposed_s ="
			      " 0, decided_why = '' WHERE id = ?",
			      "i", d->id);
	return db_run(c->db, e,
		      "UPDATE objection SET state = 4, decided_by = ?, decided_s = ?, decided_why = ? WHERE id = ?",
		      "titi", d->operator, now_s, d->why, d->id);
}

static bool decide(struct release_context *c, const struct objection_decision *d, int64_t now_s,
		   enum objection_state *state, struct err *e)
{
	char detail[240];
	struct deciding at = { 0 };
	if (!deciding_load(c, d->id, &at, e))
		return false;
	bool proposed = at.state == OBJECTION_PROPOSED;
	if (at.state != OBJECTION_OPEN && !proposed)
		return err_set(e, ERR_CONFLICT, "objection %lld is %s already", (long long)d->id,
			       objection_state_name(at.state));
	if (d->upheld)
		*state = proposed ? OBJECTION_UPHELD : OBJECTION_PROPOSED;
	else
		*state = proposed ? OBJECTION_OPEN : OBJECTION_REJECTED;
	if (!(!d->upheld ? reject(c, &at, d, now_s, e)
	      : proposed ? confirm(c, &at, d, now_s, e)
			 : propose(c, &at, d, now_s, e)))
		return false;
	snprintf(detail, sizeof(detail), "objection %lld: %s", (long long)d->id, d->why);
	static const char *const what[] = { "", "objection.reopen", "objection.propose", "objection.uphold",
					    "objection.reject" };
	return audit_add(c->db, now_s, d->operator, what[*state], at.masked, detail, e);
}

bool objection_decide(struct release_context *c, const struct objection_decision *d, int64_t now_s,
		      enum objection_state *state, struct err *e)
{
	return why_is_fine(d->why, e) && db_begin(c->db, e) && finish(c, decide(c, d, now_s, state, e), e);
}
