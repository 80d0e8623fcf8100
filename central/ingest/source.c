#include "central/ingest/source.h"

#include "central/store/store.h"
#include "protocol/head.h"

#include <stdio.h>
#include <string.h>

#define SCHEMA_TEXT_MAX 65536U
#define DROP_PERCENT    20
#define DUE_DAY         15
#define KEEP_DAYS_MAX   36500

#define COLUMNS                                                                                                      \
	"s.code, s.version, s.department, s.department_zh, s.department_en, s.category, s.category_zh, "             \
	"s.category_en,"                                                                                             \
	" s.indicator, s.indicator_zh, s.indicator_en, s.owner, s.cadence, s.drop_percent, s.due_day, s.sample, "    \
	"s.schema, s.keep_days"

static const char *const cadences[] = { [SOURCE_MONTHLY] = "monthly", [SOURCE_MESSAGE] = "message" };

const char *source_cadence_name(enum source_cadence c)
{
	return cadences[c];
}

/* --- the catalogue's JSON --- */

static void json_copy(struct json_out *w, const char *key, const struct json *j)
{
	switch (json_kind(j)) {
	case JSON_KIND_NULL: json_put_null(w, key); break;
	case JSON_KIND_BOOL: json_put_bool(w, key, json_bool_value(j)); break;
	case JSON_KIND_INT: json_put_int(w, key, json_int_value(j)); break;
	case JSON_KIND_REAL: json_put_real(w, key, json_double_value(j)); break;
	case JSON_KIND_TEXT: json_put_text_n(w, key, json_text_value(j)); break;
	case JSON_KIND_ARRAY:
		json_open(w, key, '[');
		for (size_t i = 0; i < json_len(j); i++)
			json_copy(w, NULL, json_at(j, i));
		json_close(w, ']');
		break;
	case JSON_KIND_OBJECT:
		json_open(w, key, '{');
		for (size_t i = 0; i < json_len(j); i++) {
			const char *name = NULL;
			const struct json *member = json_member(j, i, &name);
			json_copy(w, name, member);
		}
		json_close(w, '}');
		break;
	}
}

static bool array_of(const struct json *j, const char *key, size_t most, const struct json **out, struct err *e)
{
	*out = json_get(j, key);
	if (*out != NULL && json_kind(*out) == JSON_KIND_ARRAY && json_len(*out) > 0 && json_len(*out) <= most)
		return true;
	return err_set(e, ERR_INPUT, "%s: expected 1 to %zu objects", key, most);
}

/* The element so called; NULL none. */
static const struct json *coded(const struct json *all, const char *code)
{
	for (size_t i = 0; i < json_len(all); i++) {
		const char *v = NULL;
		if (json_text(json_at(all, i), "code", NAME_MAX_LEN, &v, NULL) && strcmp(v, code) == 0)
			return json_at(all, i);
	}
	return NULL;
}

/* Every element has a code of its own, and names. */
static bool codes_are_fine(const struct json *all, const char *what, const char *keys, bool named, struct err *e)
{
	for (size_t i = 0; i < json_len(all); i++) {
		const struct json *one = json_at(all, i);
		const char *code = NULL, *text = NULL;
		bool ok = (json_is_object(one) || err_set(e, ERR_INPUT, "expected an object")) &&
			  json_only(one, keys, e) && json_text(one, "code", NAME_MAX_LEN, &code, e) &&
			  (name_is_valid(code) ||
			   err_set(e, ERR_INPUT, "code: a name is made of a-z, 0-9, - and _, at most %d",
				   NAME_MAX_LEN)) &&
			  (!named || (json_text(one, "zh", SOURCE_TEXT_MAX, &text, e) &&
				      json_text(one, "en", SOURCE_TEXT_MAX, &text, e)));
		if (ok && coded(all, code) != one)
			ok = err_set(e, ERR_INPUT, "code: '%s' stands there twice", code);
		if (!ok)
			return err_wrap(e, "%s %zu", what, i + 1);
	}
	return true;
}

/* What a member of a source or an indicator names, with its texts. */
static bool named(const struct json *all, const struct json *from, const char *key, char code[NAME_MAX_LEN + 1],
		  char zh[SOURCE_TEXT_MAX + 1], char en[SOURCE_TEXT_MAX + 1], const struct json **found,
		  struct err *e)
{
	const char *name = NULL, *text = NULL;
	if (!json_text(from, key, NAME_MAX_LEN, &name, e))
		return false;
	*found = coded(all, name);
	if (*found == NULL)
		return err_set(e, ERR_INPUT, "%s: the catalogue has none called '%.32s'", key, name);
	snprintf(code, NAME_MAX_LEN + 1, "%s", name);
	if (json_text(*found, "zh", SOURCE_TEXT_MAX, &text, e))
		snprintf(zh, SOURCE_TEXT_MAX + 1, "%s", text);
	if (json_text(*found, "en", SOURCE_TEXT_MAX, &text, e))
		snprintf(en, SOURCE_TEXT_MAX + 1, "%s", text);
	return true;
}

static bool number_of(const struct json *j, const char *key, int64_t least, int64_t most, int64_t otherwise,
		      int64_t *out, struct err *e)
{
	*out = otherwise;
	return json_get(j, key) == NULL || json_int(j, key, least, most, out, e);
}

static bool cadence_of(const struct json *j, enum source_cadence *out, struct err *e)
{
	const char *name = NULL;
	if (!json_text(j, "cadence", 16, &name, e))
		return false;
	*out = strcmp(name, "message") == 0 ? SOURCE_MESSAGE : SOURCE_MONTHLY;
	return strcmp(name, cadences[*out]) == 0 || err_set(e, ERR_INPUT, "cadence: expected monthly or message");
}

struct catalogue {
	const struct json *departments, *categories, *indicators, *sources;
	bool sample;
};

/* schema: appended to. */
static bool source_of(const struct catalogue *c, const struct json *j, struct source *s, struct buf *schema,
		      struct err *e)
{
	const struct json *department = NULL, *indicator = NULL, *category = NULL;
	const char *code = NULL, *owner = NULL;
	*s = (struct source){ .sample = c->sample };
	if (!json_text(j, "code", NAME_MAX_LEN, &code, e) || !json_text(j, "owner", SOURCE_TEXT_MAX, &owner, e) ||
	    !cadence_of(j, &s->cadence, e) ||
	    !number_of(j, "drop_percent", 1, 100, DROP_PERCENT, &s->drop_percent, e) ||
	    !number_of(j, "due_day", 1, 28, DUE_DAY, &s->due_day, e) ||
	    !number_of(j, "keep_days", 1, KEEP_DAYS_MAX, 0, &s->keep_days, e) ||
	    !named(c->departments, j, "department", s->department, s->department_zh, s->department_en, &department,
		   e) ||
	    !named(c->indicators, j, "indicator", s->indicator, s->indicator_zh, s->indicator_en, &indicator, e) ||
	    !named(c->categories, indicator, "category", s->category, s->category_zh, s->category_en, &category, e))
		return false;
	snprintf(s->code, sizeof(s->code), "%s", code);
	snprintf(s->owner, sizeof(s->owner), "%s", owner);
	const struct json *own = json_get(j, "schema");
	if (own == NULL)
		own = json_get(indicator, "schema");
	if (own == NULL)
		return err_set(e, ERR_INPUT, "schema: neither the source nor its indicator has one");
	struct schema *parsed = schema_parse(own, e);
	if (parsed == NULL)
		return false;
	schema_free(parsed);
	buf_reset(schema);
	struct json_out w = { schema, false };
	json_copy(&w, NULL, own);
	s->schema = buf_str(schema);
	return buf_ok(schema, "the schema", e);
}

static bool catalogue_of(const struct json *j, struct catalogue *c, struct err *e)
{
	const char *type = NULL;
	return json_only(j, "type title sample departments categories indicators sources", e) &&
	       json_text(j, "type", 16, &type, e) &&
	       (strcmp(type, "sources") == 0 || err_set(e, ERR_INPUT, "type: expected 'sources'")) &&
	       (json_get(j, "sample") == NULL || json_bool(j, "sample", &c->sample, e)) &&
	       array_of(j, "departments", SOURCES_MAX, &c->departments, e) &&
	       array_of(j, "categories", SOURCES_MAX, &c->categories, e) &&
	       array_of(j, "indicators", SOURCES_MAX, &c->indicators, e) &&
	       array_of(j, "sources", SOURCES_MAX, &c->sources, e) &&
	       codes_are_fine(c->departments, "department", "code zh en", true, e) &&
	       codes_are_fine(c->categories, "category", "code zh en", true, e) &&
	       codes_are_fine(c->indicators, "indicator", "code category zh en schema", true, e) &&
	       codes_are_fine(c->sources, "source",
			      "code department indicator cadence owner drop_percent due_day keep_days schema", false,
			      e);
}

/* --- the table --- */

static void source_read(const struct db_query *q, struct source *s)
{
	*s = (struct source){ .version = db_int(q, 1),
			      .cadence = (enum source_cadence)db_int(q, 12),
			      .drop_percent = db_int(q, 13),
			      .due_day = db_int(q, 14),
			      .sample = db_int(q, 15) != 0,
			      .schema = db_text(q, 16),
			      .keep_days = db_int(q, 17) };
	snprintf(s->code, sizeof(s->code), "%s", db_text(q, 0));
	snprintf(s->department, sizeof(s->department), "%s", db_text(q, 2));
	snprintf(s->department_zh, sizeof(s->department_zh), "%s", db_text(q, 3));
	snprintf(s->department_en, sizeof(s->department_en), "%s", db_text(q, 4));
	snprintf(s->category, sizeof(s->category), "%s", db_text(q, 5));
	snprintf(s->category_zh, sizeof(s->category_zh), "%s", db_text(q, 6));
	snprintf(s->category_en, sizeof(s->category_en), "%s", db_text(q, 7));
	snprintf(s->indicator, sizeof(s->indicator), "%s", db_text(q, 8));
	snprintf(s->indicator_zh, sizeof(s->indicator_zh), "%s", db_text(q, 9));
	snprintf(s->indicator_en, sizeof(s->indicator_en), "%s", db_text(q, 10));
	snprintf(s->owner, sizeof(s->owner), "%s", db_text(q, 11));
}

bool source_load(struct db *db, const char *code, int64_t version, struct source *out, struct schema **schema,
		 struct buf *text, struct err *e)
{
	struct db_query *q = db_query(db,
				      "SELECT " COLUMNS " FROM source s WHERE s.code = ? AND (s.version = ? OR ? = 0)"
				      " ORDER BY s.version DESC LIMIT 1",
				      e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, code, e) && db_bind_int(q, 2, version, e) && db_bind_int(q, 3, version, e) &&
		  db_next(q, &row, e) &&
		  (row ||
		   err_set(e, ERR_MISSING, "there is no source called '%.32s'; see: centralctl source list", code));
	if (ok) {
		source_read(q, out);
		if (schema != NULL)
			*schema = schema_parse_text(bytes_of(out->schema), e);
		ok = schema == NULL || *schema != NULL;
		if (text != NULL)
			buf_add_str(text, out->schema);
		out->schema = text != NULL ? buf_str(text) : "";
	}
	db_finish(q);
	return ok;
}

bool source_each(struct db *db, void (*each)(void *arg, const struct source *s), void *arg, struct err *e)
{
	struct db_query *q =
		db_query(db,
			 "SELECT " COLUMNS " FROM source s WHERE s.version = (SELECT MAX(n.version) FROM source n"
			 " WHERE n.code = s.code) ORDER BY s.code",
			 e);
	bool row = false, ok = q != NULL;
	while (ok && (ok = db_next(q, &row, e)) && row) {
		struct source s;
		source_read(q, &s);
		each(arg, &s);
	}
	db_finish(q);
	return ok;
}

static bool names_are_same(const struct source *a, const struct source *b)
{
	return strcmp(a->department, b->department) == 0 && strcmp(a->department_zh, b->department_zh) == 0 &&
	       strcmp(a->department_en, b->department_en) == 0 && strcmp(a->category, b->category) == 0 &&
	       strcmp(a->category_zh, b->category_zh) == 0 && strcmp(a->category_en, b->category_en) == 0 &&
	       strcmp(a->indicator, b->indicator) == 0 && strcmp(a->indicator_zh, b->indicator_zh) == 0 &&
	       strcmp(a->indicator_en, b->indicator_en) == 0 && strcmp(a->owner, b->owner) == 0;
}

static bool is_same(const struct source *a, const struct source *b)
{
	return names_are_same(a, b) && a->cadence == b->cadence && a->drop_percent == b->drop_percent &&
	       a->due_day == b->due_day && a->keep_days == b->keep_days && a->sample == b->sample &&
	       strcmp(a->schema, b->schema) == 0;
}

static bool source_store(struct db *db, struct source *s, const char *operator, int64_t now_s,
			 struct source_changes *out, struct err *e)
{
	struct buf text;
	struct source held;
	struct err missing = { 0 };
	buf_init(&text, SCHEMA_TEXT_MAX);
	bool there = source_load(db, s->code, 0, &held, NULL, &text, &missing), same = there && is_same(&held, s);
	buf_clear(&text);
	if (!there && missing.code != ERR_MISSING) {
		if (e != NULL)
			*e = missing;
		return false;
	}
	s->version = there ? held.version + 1 : 1;
	out->same += same;
	out->changed += there && !same;
	out->added += !there;
	return same || db_run(db, e,
			      "INSERT INTO source (code, version, department, department_zh, department_en, category,"
			      " category_zh, category_en, indicator, indicator_zh, indicator_en, owner, cadence, "
			      "drop_percent,"
			      " due_day, keep_days, sample, schema, created_by, created_s)"
			      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			      "tittttttttttiiiiitti", s->code, s->version, s->department, s->department_zh,
			      s->department_en, s->category, s->category_zh, s->category_en, s->indicator,
			      s->indicator_zh, s->indicator_en, s->owner, (int64_t)s->cadence, s->drop_percent,
			      s->due_day, s->keep_days, (int64_t)s->sample, s->schema, operator, now_s);
}

static bool catalogue_store(struct db *db, const struct catalogue *c, const char *operator, int64_t now_s,
			    struct source_changes *out, struct err *e)
{
	struct buf schema;
	char detail[96];
	buf_init(&schema, SCHEMA_TEXT_MAX);
	bool ok = true;
	for (size_t i = 0; ok && i < json_len(c->sources); i++) {
		struct source s;
		ok = (source_of(c, json_at(c->sources, i), &s, &schema, e) &&
		      source_store(db, &s, operator, now_s, out, e)) ||
		     err_wrap(e, "source %zu", i + 1);
	}
	buf_clear(&schema);
	snprintf(detail, sizeof(detail), "%lld new, %lld changed, %lld as they were", (long long)out->added,
		 (long long)out->changed, (long long)out->same);
	return ok && audit_add(db, now_s, operator, "source.import", "sources", detail, e);
}

bool source_import(struct db *db, struct bytes catalogue, const char *operator, int64_t now_s,
		   struct source_changes *out, struct err *e)
{
	struct catalogue c = { 0 };
	struct json *j = json_parse(catalogue, e);
	*out = (struct source_changes){ 0 };
	if (j == NULL)
		return false;
	bool ok = catalogue_of(j, &c, e) && db_begin(db, e);
	if (ok) {
		ok = catalogue_store(db, &c, operator, now_s, out, e) && db_commit(db, e);
		if (!ok)
			db_rollback(db);
	}
	json_free(j);
	return ok;
}
