#include "central/report/credit_rules.h"

#include "central/store/store.h"
#include "protocol/rule.h"

#include <string.h>

#define WORD_MAX 128
#define DAYS_MAX 366
#define LIST_MAX 512

static const char builtin[] =
	"{\"type\":\"credit-rules\",\"title\":{\"zh\":\"内置样例\",\"en\":\"built-in sample\"},\"sample\":true,"
	"\"objections\":{\"due_working_days\":20,\"holidays\":[],\"working_days\":[],\"holds\":[]},\"facts\":[]}";

/* --- what is understood --- */

static const struct json *list_get(const struct json *j, const char *key, struct err *e)
{
	const struct json *l = json_get(j, key);
	if (l != NULL && json_kind(l) == JSON_KIND_ARRAY && json_len(l) <= LIST_MAX)
		return l;
	(void)!err_set(e, ERR_INPUT, "%s: expected a list of at most %d", key, LIST_MAX);
	return NULL;
}

static bool words_check(const struct json *j, const char *key, struct err *e)
{
	const struct json *l = list_get(j, key, e);
	for (size_t i = 0; l != NULL && i < json_len(l); i++)
		if (json_kind(json_at(l, i)) != JSON_KIND_TEXT || json_text_value(json_at(l, i)).len > WORD_MAX)
			return err_set(e, ERR_INPUT, "%s: expected texts of at most %d bytes", key, WORD_MAX);
	return l != NULL;
}

static bool days_check(const struct json *j, const char *key, struct err *e)
{
	int64_t day = 0;
	const struct json *l = words_check(j, key, e) ? json_get(j, key) : NULL;
	if (l == NULL)
		return false;
	if (json_len(l) > DAYS_MAX)
		return err_set(e, ERR_INPUT, "%s: at most %d days", key, DAYS_MAX);
	for (size_t i = 0; i < json_len(l); i++)
		if (!day_parse(json_text_value(json_at(l, i)), &day, e))
			return err_wrap(e, "%s", key);
	return true;
}

static bool hold_check(const struct json *h, struct err *e)
{
	const char *text = NULL;
	if (!json_only(h, "indicator field inputs", e) || !json_text(h, "indicator", NAME_MAX_LEN, &text, e) ||
	    !json_text_opt(h, "field", SCHEMA_NAME_MAX, &text, e) || !words_check(h, "inputs", e))
		return false;
	const struct json *inputs = json_get(h, "inputs");
	for (size_t i = 0; i < json_len(inputs); i++) {
		struct bytes w = json_text_value(json_at(inputs, i));
		if (w.len == 0 || memchr(w.data, ',', w.len) != NULL)
			return err_set(e, ERR_INPUT, "inputs: expected names without commas");
	}
	return true;
}

static bool fact_check(const struct json *f, struct err *e)
{
	const char *indicator = NULL, *nature = NULL, *field = NULL;
	if (!json_only(f, "indicator nature field in not_in", e) ||
	    !json_text(f, "indicator", NAME_MAX_LEN, &indicator, e) || !json_text(f, "nature", 16, &nature, e) ||
	    !json_text_opt(f, "field", SCHEMA_NAME_MAX, &field, e))
		return false;
	bool in = json_get(f, "in") != NULL, not_in = json_get(f, "not_in") != NULL;
	if (strcmp(nature, "positive") != 0 && strcmp(nature, "negative") != 0)
		return err_set(e, ERR_INPUT, "nature: expected positive or negative");
	if ((field != NULL) != (in != not_in) || (in && not_in))
		return err_set(e, ERR_INPUT, "a field goes with either in or not_in");
	return field == NULL || words_check(f, in ? "in" : "not_in", e);
}

static bool each_check(const struct json *j, const char *key, bool (*check)(const struct json *one, struct err *e),
		       struct err *e)
{
	const struct json *l = list_get(j, key, e);
	for (size_t i = 0; l != NULL && i < json_len(l); i++)
		if (!check(json_at(l, i), e))
			return err_wrap(e, "%s %zu", key, i + 1);
	return l != NULL;
}

static bool place_check(const struct json *j, const char *key, struct err *e)
{
	const char *text = NULL;
	const struct json *p = json_get(j, key);
	return p == NULL ||
	       (json_only(p, "indicator field", e) && json_text(p, "indicator", NAME_MAX_LEN, &text, e) &&
		json_text(p, "field", SCHEMA_NAME_MAX, &text, e)) ||
	       err_wrap(e, "%s", key);
}

static bool objections_read(const struct json *j, struct credit_rules *r, struct err *e)
{
	const struct json *o = json_get(j, "objections");
	if (o == NULL)
		return err_set(e, ERR_INPUT, "objections is missing");
	return json_only(o, "due_working_days holidays working_days holds", e) &&
	       json_int(o, "due_working_days", 1, 250, &r->due_working_days, e) && days_check(o, "holidays", e) &&
	       days_check(o, "working_days", e) && each_check(o, "holds", hold_check, e);
}

static bool rules_read(struct bytes text, struct credit_rules *r, struct err *e)
{
	const char *type = NULL, *word = NULL;
	const struct json *j = r->document = json_parse(text, e);
	if (j == NULL || !json_only(j, "type title sample objections facts name green", e) ||
	    !json_text(j, "type", 32, &type, e) || !json_bool(j, "sample", &r->sample, e))
		return false;
	if (strcmp(type, "credit-rules") != 0)
		return err_set(e, ERR_INPUT, "type: expected credit-rules");
	const struct json *title = json_get(j, "title");
	if (title == NULL)
		return err_set(e, ERR_INPUT, "title is missing");
	return json_only(title, "zh en", e) && json_text(title, "zh", WORD_MAX, &word, e) &&
	       json_text(title, "en", WORD_MAX, &word, e) && objections_read(j, r, e) &&
	       each_check(j, "facts", fact_check, e) && place_check(j, "name", e) && place_check(j, "green", e);
}

void credit_rules_clear(struct credit_rules *r)
{
	json_free(r->document);
	*r = (struct credit_rules){ 0 };
}

/* --- stored --- */

bool credit_rules_import(struct release_context *c, struct bytes json, const char *operator, int64_t now_s,
			 struct err *e)
{
	struct credit_rules r = { 0 };
	struct buf text;
	if (json.len > CREDIT_RULES_MAX)
		return err_set(e, ERR_INPUT, "rules of credit reports have at most %u bytes", CREDIT_RULES_MAX);
	bool ok = rules_read(json, &r, e);
	credit_rules_clear(&r);
	if (!ok)
		return err_wrap(e, "rules of credit reports");
	buf_init(&text, CREDIT_RULES_MAX);
	buf_add(&text, json.data, json.len);
	ok = db_begin(c->db, e) &&
	     db_run(c->db, e, "INSERT INTO credit_rules (document, imported_by, imported_s) VALUES (?, ?, ?)", "tti",
		    buf_str(&text), operator, now_s) &&
	     audit_add(c->db, now_s, operator, "credit-rules.import", "", "", e) && db_commit(c->db, e);
	if (!ok)
		db_rollback(c->db);
	buf_clear(&text);
	return ok;
}

bool credit_rules_load(struct release_context *c, int64_t at_s, struct credit_rules *out, struct buf *text,
		       struct err *e)
{
	bool row = false;
	*out = (struct credit_rules){ 0 };
	struct db_query *q = db_query(
		c->db, "SELECT id, document FROM credit_rules WHERE imported_s < ? ORDER BY id DESC LIMIT 1", e);
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, at_s, e) && db_next(q, &row, e);
	const char *document = row ? db_text(q, 1) : builtin;
	out->id = row ? db_int(q, 0) : 0;
	ok = ok && rules_read(bytes_of(document), out, e);
	if (ok && text != NULL)
		buf_add_str(text, document);
	db_finish(q);
	return ok;
}

/* --- asked --- */

static bool text_is(const struct json *j, const char *key, struct bytes v)
{
	const struct json *t = json_get(j, key);
	return t != NULL && json_kind(t) == JSON_KIND_TEXT && bytes_equal(json_text_value(t), v);
}

static bool list_has(const struct json *l, struct bytes v)
{
	for (size_t i = 0; l != NULL && i < json_len(l); i++)
		if (bytes_equal(json_text_value(json_at(l, i)), v))
			return true;
	return false;
}

static bool is_working_day(const struct json *objections, int64_t day)
{
	char text[11];
	day_format(day, text);
	if (list_has(json_get(objections, "working_days"), bytes_of(text)))
		return true;
	int64_t weekday = ((day + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday; 0 is Sunday */
	return weekday != 0 && weekday != 6 && !list_has(json_get(objections, "holidays"), bytes_of(text));
}

int64_t credit_rules_due(const struct credit_rules *r, int64_t day)
{
	const struct json *o = json_get(r->document, "objections");
	for (int64_t left = r->due_working_days; left > 0;)
		left -= is_working_day(o, ++day);
	return day;
}

bool credit_rules_hold(const struct credit_rules *r, const char *indicator, const char *field, struct buf *inputs)
{
	bool hold = false;
	const struct json *all = json_get(json_get(r->document, "objections"), "holds");
	for (size_t i = 0; i < json_len(all); i++) {
		const struct json *h = json_at(all, i), *names = json_get(h, "inputs");
		if (!text_is(h, "indicator", bytes_of(indicator)) ||
		    (field[0] != '\0' && json_get(h, "field") != NULL && !text_is(h, "field", bytes_of(field))))
			continue;
		hold = true;
		for (size_t k = 0; k < json_len(names); k++) {
			if (inputs->len > 0)
				buf_add_u8(inputs, ',');
			buf_add(inputs, json_text_value(json_at(names, k)).data,
				json_text_value(json_at(names, k)).len);
		}
	}
	return hold;
}

static struct bytes cell_of(const struct subject_record *r, const struct json *place)
{
	const struct json *field = json_get(place, "field");
	int at = field != NULL ? schema_find(r->schema, json_text_value(field)) : -1;
	return at >= 0 ? r->record->cells[at] : (struct bytes){ NULL, 0 };
}

enum fact_nature credit_rules_nature(const struct credit_rules *r, const struct subject_record *record)
{
	const struct json *all = json_get(r->document, "facts");
	for (size_t i = 0; i < json_len(all); i++) {
		const struct json *f = json_at(all, i), *in = json_get(f, "in"), *not_in = json_get(f, "not_in");
		if (!text_is(f, "indicator", bytes_of(record->source->indicator)))
			continue;
		struct bytes v = cell_of(record, f);
		if (json_get(f, "field") != NULL &&
		    (v.data == NULL || list_has(in != NULL ? in : not_in, v) != (in != NULL)))
			continue;
		return text_is(f, "nature", bytes_of("positive")) ? FACT_POSITIVE : FACT_NEGATIVE;
	}
	return FACT_NEUTRAL;
}

struct bytes credit_rules_value(const struct credit_rules *r, const char *what, const struct subject_record *record)
{
	const struct json *place = json_get(r->document, what);
	if (place == NULL || !text_is(place, "indicator", bytes_of(record->source->indicator)))
		return (struct bytes){ NULL, 0 };
	return cell_of(record, place);
}
