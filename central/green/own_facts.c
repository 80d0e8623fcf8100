/* Rows into facts, facts into a rule, and both as JSON. */
#include "central/green/own.h"
#include "central/score/card.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void own_facts_init(struct own_facts *f, const struct green_rules *r, int64_t day, const char *project)
{
	*f = (struct own_facts){ .day = day, .len = r->indicators_len };
	snprintf(f->project, sizeof(f->project), "%s", project);
	for (size_t i = 0; i < f->len; i++)
		snprintf(f->facts[i].name, sizeof(f->facts[i].name), "%s", r->indicators[i].name);
}

static struct bytes cell_of(const struct subject_record *r, const char *field)
{
	int at = schema_find(r->schema, bytes_of(field));
	return at >= 0 ? r->record->cells[at] : (struct bytes){ NULL, 0 };
}

/* The row's own day (a month's is its first), or the one its file claims. */
static bool day_of(const struct subject_record *r, int64_t *day)
{
	char text[11];
	struct err none = { 0 };
	struct bytes cell = r->schema->as_of >= 0 ? r->record->cells[r->schema->as_of] : bytes_of(r->batch->as_of);
	if (cell.data == NULL || cell.len > 10)
		return false;
	snprintf(text, sizeof(text), cell.len == 7 ? "%.*s-01" : "%.*s", (int)cell.len, (const char *)cell.data);
	return day_parse(bytes_of(text), day, &none);
}

static bool is_of(const struct own_facts *f, const struct green_indicator *n, const struct subject_record *r,
		  int64_t day)
{
	const int32_t now = green_month_of_day(f->day), month = green_month_of_day(day);
	if (strcmp(n->indicator, r->source->indicator) != 0 || day > f->day || month <= now - (int32_t)n->months)
		return false;
	return f->project[0] == '\0' || n->project[0] == '\0' ||
	       bytes_equal(cell_of(r, n->project), bytes_of(f->project));
}

static bool bool_of(struct bytes cell, bool *out)
{
	*out = bytes_equal(cell, bytes_of("true"));
	return *out || bytes_equal(cell, bytes_of("false"));
}

/* As the schema has the cell. */
static bool latest_take(struct own_fact *x, const struct schema_field *s, struct bytes cell)
{
	struct value v;
	switch (s->type) {
	case SCHEMA_BOOLEAN: x->kind = VALUE_BOOL; return bool_of(cell, &x->boolean);
	case SCHEMA_INTEGER:
	case SCHEMA_NUMBER:
		if (!card_value_parse(CARD_DOUBLE, cell, &v, NULL))
			return false;
		x->kind = VALUE_NUMBER;
		x->number = v.number;
		return true;
	case SCHEMA_STRING:
	case SCHEMA_DATE:
	case SCHEMA_YEARMONTH: break;
	}
	if (cell.len > OWN_TEXT_MAX)
		return false;
	x->kind = VALUE_TEXT;
	snprintf(x->text, sizeof(x->text), "%.*s", (int)cell.len, (const char *)cell.data);
	return true;
}

static bool value_take(struct own_fact *x, const struct green_indicator *n, const struct subject_record *r,
		       int64_t day)
{
	struct value v;
	bool yes = false;
	int at = schema_find(r->schema, bytes_of(n->field));
	struct bytes cell = cell_of(r, n->field);
	if (n->take == GREEN_COUNT)
		return true;
	if (at < 0 || cell.data == NULL)
		return false;
	switch (n->take) {
	case GREEN_LATEST: return x->rows > 0 && day < x->day ? true : latest_take(x, &r->schema->fields[at], cell);
	case GREEN_ANY:
		if (!bool_of(cell, &yes))
			return false;
		x->kind = VALUE_BOOL;
		x->boolean |= yes;
		return true;
	case GREEN_SUM:
		if (!card_value_parse(CARD_DOUBLE, cell, &v, NULL))
			return false;
		x->kind = VALUE_NUMBER;
		x->number += v.number;
		return true;
	case GREEN_COUNT: break;
	}
	return true;
}

void own_facts_add(struct own_facts *f, const struct green_rules *r, const struct subject_record *record)
{
	int64_t day = 0;
	if (record->objections->withdrawn || !day_of(record, &day))
		return;
	for (size_t i = 0; i < r->indicators_len; i++) {
		struct own_fact *x = &f->facts[i];
		if (!is_of(f, &r->indicators[i], record, day) || !value_take(x, &r->indicators[i], record, day))
			continue;
		if (x->rows == 0 || day >= x->day) {
			x->day = day;
			snprintf(x->from, sizeof(x->from), "%s/%lld/%lld", record->source->code,
				 (long long)record->batch->id, (long long)record->record->row);
		}
		x->held |= record->objections->held;
		x->rows++;
	}
}

void own_facts_end(struct own_facts *f, const struct green_rules *r, const bool *covered)
{
	for (size_t i = 0; i < r->indicators_len; i++) {
		struct own_fact *x = &f->facts[i];
		if (r->indicators[i].take == GREEN_COUNT && (x->rows > 0 || covered[i])) {
			x->kind = VALUE_NUMBER;
			x->number = (double)x->rows;
		}
		if (x->held)
			x->kind = VALUE_MISSING;
	}
}

/* --- the rule --- */

static size_t facts_make(const struct own_facts *f, struct rule_fact *out)
{
	for (size_t i = 0; i < f->len; i++) {
		const struct own_fact *x = &f->facts[i];
		snprintf(out[i].name, sizeof(out[i].name), "%s", x->name);
		out[i].value = (struct value){
			.kind = x->kind, .boolean = x->boolean, .number = x->number, .text = bytes_of(x->text)
		};
	}
	rule_facts_sort(out, f->len);
	return f->len;
}

const struct green_rule *own_judge(const struct green_rules *r, const struct own_facts *f,
				   const struct green_rule **stuck)
{
	struct rule_fact facts[OWN_FACTS_MAX];
	const size_t len = facts_make(f, facts);
	*stuck = NULL;
	for (size_t i = 0; i < r->rules_len; i++) {
		const struct green_rule *rule = &r->rules[i];
		if (rule->of_project != (f->project[0] != '\0'))
			continue;
		switch (predicate_eval(rule->when, facts, len)) {
		case TRUTH_TRUE: return rule;
		case TRUTH_UNKNOWN: *stuck = rule; return NULL;
		case TRUTH_FALSE: break;
		}
	}
	return NULL;
}

/* --- JSON --- */

static void fact_json(const struct own_fact *x, struct json_out *w)
{
	char number[32];
	json_open(w, NULL, '{');
	json_put_text(w, "name", x->name);
	switch (x->kind) {
	case VALUE_BOOL: json_put_bool(w, "bool", x->boolean); break;
	case VALUE_NUMBER:
		card_number_format(x->number, number);
		json_put_text(w, "number", number);
		break;
	case VALUE_TEXT: json_put_text(w, "text", x->text); break;
	case VALUE_MISSING: break;
	}
	json_put_bool(w, "held", x->held);
	json_put_int(w, "rows", (int64_t)x->rows);
	json_put_text(w, "from", x->from);
	json_put_int(w, "day", x->day);
	json_close(w, '}');
}

void own_facts_json(const struct own_facts *f, struct json_out *w, const char *key)
{
	json_open(w, key, '{');
	json_put_int(w, "day", f->day);
	json_put_text(w, "project", f->project);
	json_open(w, "facts", '[');
	for (size_t i = 0; i < f->len; i++)
		fact_json(&f->facts[i], w);
	json_close(w, ']');
	json_close(w, '}');
}

static bool text_read(const struct json *j, const char *key, char *out, size_t size, struct err *e)
{
	const char *text = NULL;
	if (!json_text(j, key, size - 1, &text, e))
		return false;
	snprintf(out, size, "%s", text);
	return true;
}

static bool value_read(const struct json *j, struct own_fact *x, struct err *e)
{
	struct value v;
	const char *number = NULL;
	if (json_get(j, "bool") != NULL) {
		x->kind = VALUE_BOOL;
		return json_bool(j, "bool", &x->boolean, e);
	}
	if (json_get(j, "text") != NULL) {
		x->kind = VALUE_TEXT;
		return text_read(j, "text", x->text, sizeof(x->text), e);
	}
	if (json_get(j, "number") == NULL)
		return true;
	if (!json_text(j, "number", 32, &number, e) || !card_value_parse(CARD_DOUBLE, bytes_of(number), &v, e))
		return false;
	x->kind = VALUE_NUMBER;
	x->number = v.number;
	return true;
}

static bool fact_read(const struct json *j, struct own_fact *x, struct err *e)
{
	int64_t rows = 0;
	if (!text_read(j, "name", x->name, sizeof(x->name), e) || !value_read(j, x, e) ||
	    !json_bool(j, "held", &x->held, e) || !json_int(j, "rows", 0, INT64_MAX, &rows, e) ||
	    !text_read(j, "from", x->from, sizeof(x->from), e) ||
	    !json_int(j, "day", INT64_MIN, INT64_MAX, &x->day, e))
		return false;
	x->rows = (uint64_t)rows;
	return true;
}

bool own_facts_read(const struct json *j, struct own_facts *out, struct err *e)
{
	struct err why = { 0 };
	const struct json *all = json_get(j, "facts");
	*out = (struct own_facts){ 0 };
	bool ok = all != NULL && json_kind(all) == JSON_KIND_ARRAY && json_len(all) <= OWN_FACTS_MAX &&
		  json_int(j, "day", INT64_MIN, INT64_MAX, &out->day, &why) &&
		  text_read(j, "project", out->project, sizeof(out->project), &why);
	for (; ok && out->len < json_len(all); out->len += ok)
		ok = fact_read(json_at(all, out->len), &out->facts[out->len], &why);
	return ok || err_set(e, ERR_IO, "the facts of a rating are damaged: %s", why.text);
}

static void rule_json(struct json_out *w, const char *key, const struct green_rule *rule)
{
	if (rule == NULL) {
		json_put_null(w, key);
		return;
	}
	json_open(w, key, '{');
	json_put_text(w, "code", rule->word.code);
	json_put_text(w, "zh", rule->word.zh);
	json_put_text(w, "en", rule->word.en);
	json_close(w, '}');
}

void own_result_json(const struct green_rules *r, const struct own_facts *f, struct json_out *w, const char *key)
{
	const struct green_rule *stuck = NULL, *rule = own_judge(r, f, &stuck);
	json_open(w, key, '{');
	json_put_text(w, "level", rule != NULL ? r->levels[rule->level].word.code : NULL);
	json_put_text(w, "level_zh", rule != NULL ? r->levels[rule->level].word.zh : NULL);
	json_put_text(w, "level_en", rule != NULL ? r->levels[rule->level].word.en : NULL);
	json_put_bool(w, "sample", r->sample);
	rule_json(w, "rule", rule);
	rule_json(w, "undecided", stuck);
	json_open(w, "missing", '[');
	for (size_t i = 0; i < f->len; i++)
		if (f->facts[i].kind == VALUE_MISSING)
			json_put_text(w, NULL, f->facts[i].name);
	json_close(w, ']');
	json_close(w, '}');
}
