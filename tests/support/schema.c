#include "tests/support/schema.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
	const struct json *root;
	struct buf *why;
};

static bool fail(const struct check *c, const char *what, const char *key)
{
	buf_add_fmt(c->why, "%s %s; ", what, key);
	return false;
}

static bool text_is(const struct json *j, const char *text)
{
	return json_kind(j) == JSON_KIND_TEXT && bytes_equal(json_text_value(j), bytes_of(text));
}

static bool kind_is(const struct json *type, const struct json *v)
{
	switch (json_kind(v)) {
	case JSON_KIND_NULL: return text_is(type, "null");
	case JSON_KIND_BOOL: return text_is(type, "boolean");
	case JSON_KIND_INT: return text_is(type, "integer") || text_is(type, "number");
	case JSON_KIND_REAL: return text_is(type, "number");
	case JSON_KIND_TEXT: return text_is(type, "string");
	case JSON_KIND_ARRAY: return text_is(type, "array");
	case JSON_KIND_OBJECT: return text_is(type, "object");
	}
	return false;
}

static bool type_holds(const struct json *type, const struct json *v)
{
	if (json_kind(type) == JSON_KIND_TEXT)
		return kind_is(type, v);
	for (size_t i = 0; i < json_len(type); i++)
		if (kind_is(json_at(type, i), v))
			return true;
	return false;
}

static bool same(const struct json *a, const struct json *b)
{
	return json_kind(a) == JSON_KIND_TEXT && json_kind(b) == JSON_KIND_TEXT &&
	       bytes_equal(json_text_value(a), json_text_value(b));
}

static bool enum_holds(const struct json *all, const struct json *v)
{
	for (size_t i = 0; i < json_len(all); i++)
		if (same(json_at(all, i), v))
			return true;
	return false;
}

static bool pattern_holds(const struct json *pattern, const struct json *v)
{
	char expression[256], text[4096];
	regex_t re;
	struct bytes p = json_text_value(pattern), t = json_text_value(v);
	if (p.len >= sizeof(expression) || t.len >= sizeof(text))
		abort();
	snprintf(expression, sizeof(expression), "%.*s", (int)p.len, (const char *)p.data);
	snprintf(text, sizeof(text), "%.*s", (int)t.len, (const char *)t.data);
	if (regcomp(&re, expression, REG_EXTENDED | REG_NOSUB) != 0)
		abort();
	bool ok = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return ok;
}

static double number_of(const struct json *j)
{
	return json_kind(j) == JSON_KIND_INT ? (double)json_int_value(j) : json_double_value(j);
}

static bool required_holds(const struct check *c, const struct json *required, const struct json *v)
{
	for (size_t i = 0; i < json_len(required); i++) {
		const char *key = (const char *)json_text_value(json_at(required, i)).data;
		if (json_get(v, key) == NULL)
			return fail(c, "missing", key);
	}
	return true;
}

static bool schema_check(const struct check *c, const struct json *schema, const struct json *v);

static bool members_hold(const struct check *c, const struct json *schema, const struct json *v)
{
	const struct json *properties = json_get(schema, "properties"),
			  *more = json_get(schema, "additionalProperties");
	for (size_t i = 0; i < json_len(v); i++) {
		const char *key;
		const struct json *member = json_member(v, i, &key);
		const struct json *own = properties != NULL ? json_get(properties, key) : NULL;
		if (own == NULL && more != NULL && json_kind(more) == JSON_KIND_BOOL && !json_bool_value(more))
			return fail(c, "not allowed:", key);
		if (own == NULL && more != NULL && json_kind(more) == JSON_KIND_OBJECT)
			own = more;
		if (own != NULL && !schema_check(c, own, member))
			return fail(c, "in", key);
	}
	return true;
}

static bool items_hold(const struct check *c, const struct json *items, const struct json *v)
{
	for (size_t i = 0; i < json_len(v); i++)
		if (!schema_check(c, items, json_at(v, i)))
			return false;
	return true;
}

static const struct json *ref_find(const struct check *c, const struct json *ref)
{
	const struct json *at = c->root;
	char path[256], *rest = path, *part;
	struct bytes text = json_text_value(ref);
	snprintf(path, sizeof(path), "%.*s", (int)text.len, (const char *)text.data);
	if (strncmp(path, "#/", 2) != 0)
		abort();
	rest += 2;
	while (at != NULL && (part = strsep(&rest, "/")) != NULL)
		at = json_get(at, part);
	if (at == NULL)
		abort();
	return at;
}

/* A keyword says nothing of a value of another type than its own. */
static bool keyword_holds(const struct check *c, const struct json *schema, const char *key, const struct json *k,
			  const struct json *v)
{
	enum json_kind kind = json_kind(v);
	bool text = kind == JSON_KIND_TEXT, number = kind == JSON_KIND_INT || kind == JSON_KIND_REAL;
	bool object = kind == JSON_KIND_OBJECT;
	if (strcmp(key, "type") == 0)
		return type_holds(k, v);
	if (strcmp(key, "enum") == 0)
		return enum_holds(k, v);
	if (strcmp(key, "pattern") == 0)
		return !text || pattern_holds(k, v);
	if (strcmp(key, "minLength") == 0)
		return !text || json_text_value(v).len >= (size_t)json_int_value(k);
	if (strcmp(key, "maxLength") == 0) /* bytes here, stricter than characters */
		return !text || json_text_value(v).len <= (size_t)json_int_value(k);
	if (strcmp(key, "minimum") == 0)
		return !number || number_of(v) >= number_of(k);
	if (strcmp(key, "maximum") == 0)
		return !number || number_of(v) <= number_of(k);
	if (strcmp(key, "required") == 0)
		return !object || required_holds(c, k, v);
	if (strcmp(key, "maxProperties") == 0)
		return !object || json_len(v) <= (size_t)json_int_value(k);
	if (strcmp(key, "properties") == 0 || strcmp(key, "additionalProperties") == 0)
		return !object || members_hold(c, schema, v);
	if (strcmp(key, "items") == 0)
		return kind != JSON_KIND_ARRAY || items_hold(c, k, v);
	if (strcmp(key, "$ref") == 0)
		return schema_check(c, ref_find(c, k), v);
	if (strcmp(key, "description") != 0)
		abort();
	return true;
}

static bool schema_check(const struct check *c, const struct json *schema, const struct json *v)
{
	for (size_t i = 0; i < json_len(schema); i++) {
		const char *key;
		const struct json *k = json_member(schema, i, &key);
		if (!keyword_holds(c, schema, key, k, v))
			return fail(c, "not as it should be:", key);
	}
	return true;
}

bool schema_holds(const struct json *root, const struct json *schema, const struct json *value, struct buf *why)
{
	const struct check c = { root, why };
	return schema_check(&c, schema, value);
}
