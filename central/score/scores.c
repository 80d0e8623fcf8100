#include "central/score/scores.h"

#include "central/csv.h"
#include "central/registry/registry.h"
#include "central/report/objections.h"
#include "central/score/fast.h"
#include "central/score/scores_inner.h"
#include "central/store/store.h"
#include "protocol/base/json.h"
#include "protocol/rule.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

/* --- what is stored --- */

void score_value_write(const struct score *s, char out[32])
{
	out[0] = '\0';
	if (s->fault == SCORE_OK)
		card_number_format(s->value, out);
}

static void number_text(struct json_out *w, const char *key, double v)
{
	char digits[32] = "";
	if (!isnan(v))
		card_number_format(v, digits);
	json_put_text(w, key, digits);
}

void score_result_write(const struct card *c, const struct score *s, struct buf *out)
{
	struct json_out w = { out, false };
	char zh[300], en[300];
	score_why(c, s, false, zh, sizeof(zh));
	score_why(c, s, true, en, sizeof(en));
	json_open(&w, NULL, '{');
	json_put_text(&w, "why_zh", zh);
	json_put_text(&w, "why", en);
	json_open(&w, "knockouts", '[');
	for (size_t i = 0; i < c->knockouts_len; i++) {
		if (s->knockouts[i] == TRUTH_FALSE)
			continue;
		json_open(&w, NULL, '{');
		json_put_text(&w, "code", c->knockouts[i].reason);
		json_put_bool(&w, "sure", s->knockouts[i] == TRUTH_TRUE);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_open(&w, "reasons", '[');
	for (size_t i = 0; i < s->reasons_len; i++) {
		json_open(&w, NULL, '{');
		json_put_text(&w, "code", s->reasons[i].code);
		number_text(&w, "difference", s->reasons[i].difference);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_open(&w, "points", '[');
	for (size_t i = 0; i < c->characteristics_len; i++)
		number_text(&w, NULL, s->points[i]);
	json_close(&w, ']');
	json_open(&w, "inputs", '{'); /* those not used as they were given */
	for (size_t i = 0; i < c->fields_len; i++)
		if (s->inputs[i] != INPUT_VALID && s->inputs[i] != INPUT_UNUSED)
			json_put_text(&w, c->fields[i].name, input_state_name(s->inputs[i]));
	json_close(&w, '}');
	json_close(&w, '}');
}

bool score_inputs_seal(struct release_context *c, const uint8_t subject[HASH_LEN], struct bytes plain,
		       struct buf *out, struct err *e)
{
	return aead_seal(c->vault_key, c->random, (struct bytes){ subject, HASH_LEN }, plain, out, e);
}

bool score_inputs_open(struct release_context *c, const uint8_t subject[HASH_LEN], struct bytes sealed,
		       struct buf *plain, struct err *e)
{
	return aead_open(c->vault_key, (struct bytes){ subject, HASH_LEN }, sealed, plain, e);
}

bool score_insert(struct release_context *c, const struct card *card, const struct score *s, int64_t input,
		  const char *hash, enum model_role role, struct err *e)
{
	struct buf result;
	char value[32];
	buf_init(&result, SCORE_RESULT_MAX);
	score_result_write(card, s, &result);
	score_value_write(s, value);
	bool ok = buf_ok(&result, "the result", e) &&
		  db_run(c->db, e, "INSERT INTO score (input, hash, role, value, result) VALUES (?, ?, ?, ?, ?)",
			 "ititt", input, hash, (int64_t)role, value, buf_str(&result));
	buf_clear(&result);
	return ok;
}

/* --- a run --- */

struct active {
	char hash[MODEL_HEX + 1];
	enum model_role role;
	struct card *card;
	struct fast *fast;
	uint32_t fields[CSV_FIELDS_MAX]; /* by column */
};
enum column { COLUMN_SUBJECT, COLUMN_DAY, COLUMN_FIELD_DAY, COLUMN_FIELD, COLUMN_HELD };
struct run {
	struct release_context *c;
	const struct scores_run *r;
	size_t active_len;
	struct active active[MODEL_ACTIVE_MAX + 1];
	size_t columns;
	enum column kinds[CSV_FIELDS_MAX];
	size_t day_of[CSV_FIELDS_MAX];      /* of a field: the column with its day, or columns */
	char *names[CSV_FIELDS_MAX];        /* of fields */
	size_t subject_at, day_at, held_at; /* columns: none */
	const char *made_by;
	struct scores_summary *summary;
	struct score score;
	bool objections; /* somebody has one that holds an input */
	struct buf held; /* of the row: inputs that are left out, with commas between */
};

static void active_add(void *arg, const struct model *m)
{
	struct run *run = arg;
	if (m->role == MODEL_RETIRED || run->active_len > MODEL_ACTIVE_MAX)
		return;
	struct active *a = &run->active[run->active_len++];
	snprintf(a->hash, sizeof(a->hash), "%s", m->hash);
	a->role = m->role;
}

static bool models_load(struct run *run, struct err *e)
{
	if (!model_each(run->c, run->r->family, active_add, run, e))
		return false;
	if (run->active_len == 0)
		return err_set(e, ERR_MISSING, "the family %s has no model: model import %s FILE", run->r->family,
			       run->r->family);
	for (size_t i = 0; i < run->active_len; i++) {
		run->active[i].card = model_card(run->c, run->active[i].hash, e);
		if (run->active[i].card == NULL)
			return false;
		run->active[i].fast = fast_new(run->active[i].card);
	}
	run->summary->models = run->active_len;
	return true;
}

static bool field_known(struct run *run, size_t column, struct bytes name)
{
	bool known = false;
	for (size_t i = 0; i < run->active_len; i++) {
		run->active[i].fields[column] = card_field_find(run->active[i].card, name);
		known |= run->active[i].fields[column] != CARD_FIELDS_MAX;
	}
	return known;
}

/* The column called name, or all. */
static size_t column_find(const struct csv_row *head, const char *name, size_t len, const char *behind)
{
	char text[CARD_TEXT_MAX + 16];
	snprintf(text, sizeof(text), "%.*s%s", (int)len, name, behind);
	for (size_t i = 0; i < head->fields_len; i++)
		if (bytes_equal(head->fields[i], bytes_of(text)))
			return i;
	return head->fields_len;
}

static bool column_read(struct run *run, const struct csv_row *head, size_t i, struct err *e)
{
	static const char suffix[] = "@date";
	struct bytes name = head->fields[i];
	size_t cut = name.len >= sizeof(suffix) - 1 ? name.len - (sizeof(suffix) - 1) : name.len;
	int shown = name.len > 60 ? 60 : (int)name.len;
	run->day_of[i] = run->columns;
	if (name.len > CARD_TEXT_MAX || column_find(head, (const char *)name.data, name.len, "") != i)
		return err_set(e, ERR_INPUT, "two columns are '%.*s'", shown, (const char *)name.data);
	if (bytes_equal(name, bytes_of("subject"))) {
		run->kinds[i] = COLUMN_SUBJECT;
		run->subject_at = i;
	} else if (bytes_equal(name, bytes_of(suffix))) {
		run->kinds[i] = COLUMN_DAY;
		run->day_at = i;
	} else if (run->made_by[0] != '\0' && bytes_equal(name, bytes_of("@held"))) {
		run->kinds[i] = COLUMN_HELD;
		run->held_at = i;
	} else if (cut < name.len && memcmp(name.data + cut, suffix, sizeof(suffix) - 1) == 0) {
		run->kinds[i] = COLUMN_FIELD_DAY;
		if (column_find(head, (const char *)name.data, cut, "") == run->columns)
			return err_set(e, ERR_INPUT, "'%.*s': there is no such field beside it", shown,
				       (const char *)name.data);
	} else {
		run->kinds[i] = COLUMN_FIELD;
		run->names[i] = strndup((const char *)name.data, name.len);
		run->day_of[i] = column_find(head, (const char *)name.data, name.len, suffix);
		if (!field_known(run, i, name))
			return err_set(e, ERR_INPUT, "no model of %s has a field '%.*s'", run->r->family, shown,
				       (const char *)name.data);
	}
	return true;
}

static bool head_read(struct run *run, const struct csv_row *head, struct err *e)
{
	if (head->fault != CSV_OK)
		return err_set(e, ERR_INPUT, "row 1: expected the names of the columns");
	run->columns = run->subject_at = run->day_at = run->held_at = head->fields_len;
	for (size_t i = 0; i < head->fields_len; i++)
		if (!column_read(run, head, i, e))
			return err_wrap(e, "row 1");
	return run->subject_at < run->columns || err_set(e, ERR_INPUT, "row 1: there is no column 'subject'");
}

static bool day_of(const struct run *run, const struct csv_row *row, size_t i, int64_t *day, struct err *e)
{
	size_t own = run->day_of[i], at = own < run->columns && row->fields[own].len > 0 ? own : run->day_at;
	*day = run->r->day;
	if (at < run->columns && row->fields[at].len > 0 && !day_parse(row->fields[at], day, e))
		return err_wrap(e, "%.60s", run->names[i]);
	if (*day == SCORES_NO_DAY)
		return err_set(e, ERR_INPUT, "%.60s: of which day is it? Give a column @date or %.60s@date",
			       run->names[i], run->names[i]);
	return *day <= run->r->now_s / DAY_S + 1 || err_set(e, ERR_INPUT, "%.60s is of a day to come", run->names[i]);
}

static bool is_held(const struct run *run, size_t column)
{
	return run->held.len > 0 && objection_list_has((const char *)run->held.data, bytes_of(run->names[column]));
}

/* Those of the inputs given that are held, each once, in the table's order. */
static bool held_find(struct run *run, const struct csv_row *row, const struct identifier *subject, struct err *e)
{
	struct buf all;
	const bool own = run->held_at < run->columns && row->fields[run->held_at].len > 0;
	buf_reset(&run->held);
	if (!run->objections && !own)
		return true;
	buf_init(&all, (size_t)OBJECTION_MARKS_MAX * CREDIT_INPUTS_MAX);
	bool ok = objection_held_inputs(run->c, subject, &all, e);
	if (ok && own) {
		buf_add_str(&all, all.len > 0 ? "," : "");
		buf_add(&all, row->fields[run->held_at].data, row->fields[run->held_at].len);
	}
	for (size_t i = 0; ok && i < run->columns; i++) {
		if (run->kinds[i] != COLUMN_FIELD || row->fields[i].len == 0 ||
		    !objection_list_has(buf_str(&all), bytes_of(run->names[i])))
			continue;
		buf_add_fmt(&run->held, "%s%s", run->held.len > 0 ? "," : "", run->names[i]);
	}
	(void)buf_str(&run->held); /* its end is marked */
	buf_clear(&all);
	return ok && buf_ok(&run->held, "the inputs held", e);
}

/* {"field":"text"} of what is given, and the oldest day among it. */
static bool inputs_write(const struct run *run, const struct csv_row *row, struct buf *out, int64_t *oldest,
			 struct err *e)
{
	struct json_out w = { out, false };
	int64_t day = 0;
	*oldest = INT64_MAX;
	json_open(&w, NULL, '{');
	for (size_t i = 0; i < run->columns; i++) {
		if (run->kinds[i] != COLUMN_FIELD || row->fields[i].len == 0 || is_held(run, i))
			continue;
		if (!day_of(run, row, i, &day, e))
			return false;
		*oldest = day < *oldest ? day : *oldest;
		json_put_text_n(&w, run->names[i], row->fields[i]);
	}
	json_close(&w, '}');
	if (*oldest == INT64_MAX)
		return err_set(e, ERR_INPUT, "there is no input at all%s",
			       run->held.len > 0 ? ": what was given is under objection" : "");
	return buf_ok(out, "the inputs", e);
}

/* Kind and number, for platforms that are told whose score it is. */
static bool number_seal(struct release_context *c, const struct identifier *subject, const uint8_t hash[HASH_LEN],
			struct buf *out, struct err *e)
{
	char text[PERSON_NAME_MAX + 64];
	snprintf(text, sizeof(text), "%s:%s", identifier_kind_name(subject->kind), subject->canonical);
	bool ok = score_inputs_seal(c, hash, bytes_of(text), out, e);
	explicit_bzero(text, sizeof(text));
	return ok;
}

static bool input_insert(struct run *run, const struct csv_row *row, int64_t *id, struct err *e)
{
	struct identifier subject;
	uint8_t hash[HASH_LEN];
	char masked[96];
	struct bytes number = row->fields[run->subject_at];
	struct buf plain, sealed, whose;
	int64_t oldest = 0;
	if (!identifier_parse(run->r->kind, (const char *)number.data, number.len, 0, &subject, NULL, e))
		return err_wrap(e, "subject");
	registry_holder_hash(run->c->vault_key, subject.kind, subject.canonical, hash);
	identifier_mask(&subject, masked, sizeof(masked));
	buf_init(&plain, SCORE_INPUTS_MAX);
	buf_init(&sealed, SCORE_INPUTS_MAX + AEAD_OVERHEAD);
	buf_init(&whose, PERSON_NAME_MAX + 64 + AEAD_OVERHEAD);
	bool ok = held_find(run, row, &subject, e) && inputs_write(run, row, &plain, &oldest, e) &&
		  number_seal(run->c, &subject, hash, &whose, e) &&
		  score_inputs_seal(run->c, hash, buf_bytes(&plain), &sealed, e) &&
		  db_run_int(
			  run->c->db, id, e,
			  "INSERT INTO score_input (family, subject, masked, inputs, oldest_day, scored_by, scored_s,"
			  " number, held, made_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
			  "tbtbitibtt", run->r->family, (struct bytes){ hash, HASH_LEN }, masked, buf_bytes(&sealed),
			  oldest, run->r->operator, run->r->now_s, buf_bytes(&whose), buf_str(&run->held),
			  run->made_by);
	buf_wipe(&plain);
	buf_clear(&whose);
	buf_clear(&sealed);
	return ok;
}

static void summary_add(struct scores_summary *s, const struct active *a, const struct score *score)
{
	s->scores++;
	if (a->role != MODEL_CHAMPION)
		return;
	*(score->fault == SCORE_OK ? &s->champion_valid : &s->champion_invalid) += 1;
	s->knocked_out += score->knocked_out;
}

static bool model_score(struct run *run, const struct active *a, const struct csv_row *row, int64_t input,
			struct err *e)
{
	struct value given[CARD_FIELDS_MAX] = { 0 };
	for (size_t i = 0; i < run->columns; i++)
		if (run->kinds[i] == COLUMN_FIELD && a->fields[i] != CARD_FIELDS_MAX && !is_held(run, i))
			given[a->fields[i]] = score_input(&a->card->fields[a->fields[i]], row->fields[i]);
	fast_run(a->fast, given, &run->score);
	summary_add(run->summary, a, &run->score);
	return score_insert(run->c, a->card, &run->score, input, a->hash, a->role, e);
}

static bool row_score(struct run *run, const struct csv_row *row, struct err *e)
{
	int64_t input = 0;
	if (row->fault != CSV_OK || row->fields_len != run->columns)
		return err_set(e, ERR_INPUT, "it is not well formed");
	if (!input_insert(run, row, &input, e))
		return false;
	for (size_t i = 0; i < run->active_len; i++)
		if (!model_score(run, &run->active[i], row, input, e))
			return false;
	return true;
}

static bool rows_score(struct run *run, struct bytes data, struct err *e)
{
	struct csv csv;
	struct csv_row row;
	csv_init(&csv, data);
	bool ok = csv_next(&csv, &row) ? head_read(run, &row, e) : err_set(e, ERR_INPUT, "the table is empty");
	while (ok && csv_next(&csv, &row)) {
		if (row.raw.len == 0)
			continue;
		ok = row_score(run, &row, e) || err_wrap(e, "row %llu", (unsigned long long)row.number);
		if (ok && ++run->summary->rows > SCORES_RUN_MAX)
			ok = err_set(e, ERR_FULL, "more than %d rows in one call", SCORES_RUN_MAX);
	}
	csv_clear(&csv);
	return ok;
}

static bool run_all(struct run *run, struct bytes csv, struct err *e)
{
	struct db *db = run->c->db;
	char detail[80];
	if (!models_load(run, e) || !db_begin(db, e))
		return false;
	bool ok = rows_score(run, csv, e);
	snprintf(detail, sizeof(detail), "%llu subjects, %zu models", (unsigned long long)run->summary->rows,
		 run->active_len);
	if (ok && audit_add(db, run->r->now_s, run->r->operator, "score.run", run->r->family, detail, e) &&
	    db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

bool scores_run(struct release_context *c, const struct scores_run *r, struct bytes csv, struct scores_summary *out,
		struct err *e)
{
	return scores_run_made(c, r, "", csv, out, e);
}

bool scores_run_made(struct release_context *c, const struct scores_run *r, const char *made_by, struct bytes csv,
		     struct scores_summary *out, struct err *e)
{
	struct run *run = calloc(1, sizeof(*run));
	if (run == NULL)
		abort();
	*out = (struct scores_summary){ 0 };
	run->c = c;
	run->r = r;
	run->summary = out;
	run->made_by = made_by;
	buf_init(&run->held, SCORE_INPUTS_MAX);
	bool ok = objection_any(c, &run->objections, e) && run_all(run, csv, e);
	buf_clear(&run->held);
	for (size_t i = 0; i < run->active_len; i++) {
		fast_free(run->active[i].fast);
		card_free(run->active[i].card);
	}
	for (size_t i = 0; i < CSV_FIELDS_MAX; i++)
		free(run->names[i]);
	free(run);
	return ok;
}
