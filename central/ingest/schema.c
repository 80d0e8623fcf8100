#include "central/ingest/schema.h"

#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const types[] = {
	[SCHEMA_STRING] = "string",   [SCHEMA_INTEGER] = "integer", [SCHEMA_NUMBER] = "number",
	[SCHEMA_BOOLEAN] = "boolean", [SCHEMA_DATE] = "date",       [SCHEMA_YEARMONTH] = "yearmonth",
};
#define TYPES (sizeof(types) / sizeof(types[0]))

const char *schema_type_name(enum schema_type t)
{
	return types[t];
}

static bool type_of(const char *name, enum schema_type *out, struct err *e)
{
	for (size_t i = 0; i < TYPES; i++) {
		if (strcmp(types[i], name) == 0) {
			*out = (enum schema_type)i;
			return true;
		}
	}
	return err_set(e, ERR_INPUT, "type: '%.32s' is not one of string, integer, number, boolean, date, yearmonth",
		       name);
}

static bool flag(const struct json *j, const char *key, bool *out, struct err *e)
{
	*out = false;
	return json_get(j, key) == NULL || json_bool(j, key, out, e);
}

/* A bound as the type has it: a number, or the text of a day or a month. */
static bool bound_of(const struct json *c, const char *key, enum schema_type type, bool *has, double *out,
		     struct err *e)
{
	const struct json *v = json_get(c, key);
	*has = v != NULL;
	if (v == NULL)
		return true;
	bool is_day = type == SCHEMA_DATE || type == SCHEMA_YEARMONTH;
	if (is_day && json_kind(v) == JSON_KIND_TEXT) {
		char text[11] = "";
		int64_t day = 0;
		struct bytes t = json_text_value(v);
		if (t.len <= 10)
			snprintf(text, sizeof(text), "%.*s%s", (int)t.len, (const char *)t.data,
				 t.len == 7 ? "-01" : "");
		*out = 0;
		if (!day_parse(bytes_of(text), &day, NULL))
			return err_set(e, ERR_INPUT, "%s: expected a day, as 2026-01-31", key);
		*out = (double)day;
		return true;
	}
	if (!is_day && type != SCHEMA_INTEGER && type != SCHEMA_NUMBER)
		return err_set(e, ERR_INPUT, "%s: only numbers and dates have bounds", key);
	if (is_day || (json_kind(v) != JSON_KIND_INT && json_kind(v) != JSON_KIND_REAL))
		return err_set(e, ERR_INPUT, "%s: expected a number (of a date: the text of a day)", key);
	*out = json_kind(v) == JSON_KIND_INT ? (double)json_int_value(v) : json_double_value(v);
	return true;
}

static bool length_of(const struct json *c, const char *key, size_t otherwise, size_t *out, struct err *e)
{
	int64_t v = 0;
	*out = otherwise;
	if (json_get(c, key) == NULL)
		return true;
	if (!json_int(c, key, 0, 65536, &v, e))
		return false;
	*out = (size_t)v;
	return true;
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool enum_of(const struct json *c, struct schema_field *f, struct err *e)
{
	const struct json *all = json_get(c, "enum");
	if (all == NULL)
		return true;
	size_t n = json_kind(all) == JSON_KIND_ARRAY ? json_len(all) : 0;
	if (n == 0 || n > SCHEMA_ENUM_MAX)
		return err_set(e, ERR_INPUT, "enum: expected 1 to %d texts", SCHEMA_ENUM_MAX);
	f->allowed = calloc(n, sizeof(*f->allowed));
	if (f->allowed == NULL)
		abort();
	for (size_t i = 0; i < n; i++) {
		const struct json *one = json_at(all, i);
		struct bytes t = { NULL, 0 };
		if (json_kind(one) == JSON_KIND_TEXT)
			t = json_text_value(one);
		if (t.len == 0 || t.len > SCHEMA_VALUE_MAX)
			return err_set(e, ERR_INPUT, "enum: expected texts of at most %d bytes", SCHEMA_VALUE_MAX);
		memcpy(f->allowed[f->allowed_len++], t.data, t.len);
	}
	qsort(f->allowed, f->allowed_len, sizeof(*f->allowed), text_compare);
	return true;
}

static bool constraints_of(const struct json *j, struct schema_field *f, struct err *e)
{
	const struct json *c = json_get(j, "constraints");
	f->length_max = SIZE_MAX;
	if (c == NULL)
		return true;
	return json_only(c, "required minimum maximum minLength maxLength enum", e) &&
	       flag(c, "required", &f->required, e) && bound_of(c, "minimum", f->type, &f->has_min, &f->min, e) &&
	       bound_of(c, "maximum", f->type, &f->has_max, &f->max, e) &&
	       length_of(c, "minLength", 0, &f->length_min, e) &&
	       length_of(c, "maxLength", SIZE_MAX, &f->length_max, e) && enum_of(c, f, e);
}

static bool unit_of(const char *unit, struct schema_field *f, struct err *e)
{
	if (unit == NULL)
		return true;
	f->unit = strcmp(unit, "元") == 0 ? 1 : 10000;
	bool known = f->unit == 1 || strcmp(unit, "万元") == 0;
	return (known && (f->type == SCHEMA_NUMBER || f->type == SCHEMA_INTEGER)) ||
	       err_set(e, ERR_INPUT, "unit: expected 元 or 万元, of a number");
}

static bool identifier_of(const char *kind, struct schema_field *f, struct err *e)
{
	if (kind != NULL && (!identifier_kind_of(kind, &f->identifier) || f->type != SCHEMA_STRING))
		return err_set(e, ERR_INPUT, "identifier: there is no kind '%.32s', or the type is not string", kind);
	return !f->subject || f->identifier != 0 || err_set(e, ERR_INPUT, "subject: the field needs an identifier");
}

static bool own_members(const struct json *j, struct schema_field *f, struct err *e)
{
	const char *kind = NULL, *unit = NULL;
	if (!json_text_opt(j, "identifier", NAME_MAX_LEN, &kind, e) || !json_text_opt(j, "unit", 16, &unit, e) ||
	    !flag(j, "subject", &f->subject, e) || !flag(j, "asOf", &f->as_of, e) ||
	    !flag(j, "excelDates", &f->excel_dates, e) || !identifier_of(kind, f, e) || !unit_of(unit, f, e))
		return false;
	if (f->as_of && f->type != SCHEMA_DATE && f->type != SCHEMA_YEARMONTH)
		return err_set(e, ERR_INPUT, "asOf: the field is no date");
	return !f->excel_dates || f->type == SCHEMA_DATE || err_set(e, ERR_INPUT, "excelDates: the field is no date");
}

static bool field_of(const struct json *j, struct schema_field *f, struct err *e)
{
	const char *name = NULL, *title = NULL, *type = NULL, *unused = NULL;
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "expected an object");
	if (!json_only(j, "name title description type format constraints identifier subject asOf unit excelDates",
		       e) ||
	    !json_text(j, "name", SCHEMA_NAME_MAX, &name, e) ||
	    !json_text_opt(j, "title", SCHEMA_TITLE_MAX, &title, e) || !json_text_opt(j, "type", 16, &type, e) ||
	    !json_text_opt(j, "format", 16, &unused, e))
		return false;
	if (unused != NULL && strcmp(unused, "default") != 0)
		return err_set(e, ERR_INPUT, "format: only 'default' is understood");
	snprintf(f->name, sizeof(f->name), "%s", name);
	snprintf(f->title, sizeof(f->title), "%s", title != NULL ? title : "");
	return type_of(type != NULL ? type : "string", &f->type, e) && constraints_of(j, f, e) &&
	       own_members(j, f, e);
}

/* Of field i: its names are its own, and it alone is the subject, or asOf. */
static bool field_place(struct schema *s, size_t i, struct err *e)
{
	const struct schema_field *f = &s->fields[i];
	if (schema_find(s, bytes_of(f->name)) != (int)i ||
	    (f->title[0] != '\0' && schema_find(s, bytes_of(f->title)) != (int)i))
		return err_set(e, ERR_INPUT, "an earlier field has its name or title");
	if ((f->subject && s->subject >= 0) || (f->as_of && s->as_of >= 0))
		return err_set(e, ERR_INPUT, "only one field is the subject, and only one asOf");
	s->subject = f->subject ? (int)i : s->subject;
	s->as_of = f->as_of ? (int)i : s->as_of;
	return true;
}

static bool fields_of(const struct json *j, struct schema *s, struct err *e)
{
	const struct json *all = json_get(j, "fields");
	size_t n = all != NULL && json_kind(all) == JSON_KIND_ARRAY ? json_len(all) : 0;
	if (n == 0 || n > SCHEMA_FIELDS_MAX)
		return err_set(e, ERR_INPUT, "fields: expected 1 to %d of them", SCHEMA_FIELDS_MAX);
	for (size_t i = 0; i < n; i++) {
		s->fields_len = i + 1;
		if (!field_of(json_at(all, i), &s->fields[i], e) || !field_place(s, i, e))
			return err_wrap(e, "field %zu", i + 1);
	}
	return true;
}

static bool key_add(struct schema *s, const struct json *name, struct err *e)
{
	int at = json_kind(name) == JSON_KIND_TEXT ? schema_find(s, json_text_value(name)) : -1;
	if (at < 0)
		return err_set(e, ERR_INPUT, "primaryKey: names a field that is not there");
	s->fields[at].key = s->fields[at].required = s->keyed = true;
	return true;
}

static bool keys_of(const struct json *j, struct schema *s, struct err *e)
{
	const struct json *key = json_get(j, "primaryKey");
	if (key == NULL)
		return true;
	if (json_kind(key) != JSON_KIND_ARRAY)
		return key_add(s, key, e);
	for (size_t i = 0; i < json_len(key); i++) {
		if (!key_add(s, json_at(key, i), e))
			return false;
	}
	return true;
}

static bool nulls_of(const struct json *j, struct schema *s, struct err *e)
{
	const struct json *all = json_get(j, "missingValues");
	size_t n = all != NULL && json_kind(all) == JSON_KIND_ARRAY ? json_len(all) : 0;
	if (all != NULL && json_kind(all) != JSON_KIND_ARRAY)
		return err_set(e, ERR_INPUT, "missingValues: expected texts");
	for (size_t i = 0; i < n; i++) {
		const struct json *one = json_at(all, i);
		struct bytes t = { NULL, sizeof(s->nulls[0]) };
		if (json_kind(one) == JSON_KIND_TEXT)
			t = json_text_value(one);
		if (t.len >= sizeof(s->nulls[0]) || s->nulls_len == SCHEMA_NULLS_MAX)
			return err_set(e, ERR_INPUT, "missingValues: expected at most %d short texts",
				       SCHEMA_NULLS_MAX);
		if (t.len > 0)
			memcpy(s->nulls[s->nulls_len++], t.data, t.len);
	}
	return true;
}

struct schema *schema_parse(const struct json *j, struct err *e)
{
	struct schema *s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	s->subject = s->as_of = -1;
	bool ok = json_is_object(j) || err_set(e, ERR_INPUT, "expected an object with fields");
	if (ok && json_only(j, "fields primaryKey missingValues", e) && fields_of(j, s, e) && keys_of(j, s, e) &&
	    nulls_of(j, s, e))
		return s;
	(void)err_wrap(e, "schema");
	schema_free(s);
	return NULL;
}

struct schema *schema_parse_text(struct bytes json, struct err *e)
{
	struct json *j = json_parse(json, e);
	struct schema *s = j != NULL ? schema_parse(j, e) : NULL;
	json_free(j);
	return s;
}

void schema_free(struct schema *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->fields_len; i++)
		free(s->fields[i].allowed);
	free(s);
}

int schema_find(const struct schema *s, struct bytes label)
{
	for (size_t i = 0; i < s->fields_len; i++) {
		const struct schema_field *f = &s->fields[i];
		if (bytes_equal(label, bytes_of(f->name)) ||
		    (f->title[0] != '\0' && bytes_equal(label, bytes_of(f->title))))
			return (int)i;
	}
	return -1;
}

bool schema_is_null(const struct schema *s, struct bytes cell)
{
	if (cell.len == 0)
		return true;
	for (size_t i = 0; i < s->nulls_len; i++) {
		if (bytes_equal(cell, bytes_of(s->nulls[i])))
			return true;
	}
	return false;
}

static int value_compare(struct bytes value, const char *text)
{
	size_t len = strlen(text), same = value.len < len ? value.len : len;
	int d = memcmp(value.data, text, same);
	return d != 0 ? d : (value.len > len) - (value.len < len);
}

bool schema_allows(const struct schema_field *f, struct bytes value)
{
	size_t from = 0, to = f->allowed_len;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int d = value_compare(value, f->allowed[mid]);
		if (d == 0)
			return true;
		if (d < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return f->allowed == NULL;
}
