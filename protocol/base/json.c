/*
 * jansson parses; the result is copied into a tree of our own whose objects are sorted by key, so that members come in a
 * canonical order at no further cost and every value knows its path for the error text.
 */
#include "protocol/base/json.h"

#include "protocol/base/limits.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef json_is_object

struct json {
	const struct json *parent;
	char *key; /* owned; NULL in arrays and at the top */
	enum json_kind kind;
	union {
		bool truth;
		int64_t number;
		double real;
		struct {
			char *data; /* NUL-terminated */
			size_t len;
		} text;
		struct {
			struct json *items; /* of an object: sorted by key */
			size_t len;
		} list;
	} as;
};

static void *must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

static void tree_clear(struct json *j)
{
	if (j->kind == JSON_KIND_TEXT)
		free(j->as.text.data);
	if (j->kind == JSON_KIND_ARRAY || j->kind == JSON_KIND_OBJECT) {
		for (size_t i = 0; i < j->as.list.len; i++)
			tree_clear(&j->as.list.items[i]);
		free(j->as.list.items);
	}
	free(j->key);
}

void json_free(struct json *j)
{
	if (j == NULL)
		return;
	tree_clear(j);
	free(j);
}

struct pair {
	const char *key;
	json_t *value;
};

static int pair_compare(const void *a, const void *b)
{
	return strcmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

static void tree_copy(struct json *to, json_t *from);

static void tree_copy_object(struct json *to, json_t *from)
{
	size_t len = json_object_size(from), n = 0;
	struct pair *pairs = must(calloc(len + 1, sizeof(*pairs)));
	for (void *it = json_object_iter(from); it != NULL && n < len; it = json_object_iter_next(from, it))
		pairs[n++] = (struct pair){ json_object_iter_key(it), json_object_iter_value(it) };
	qsort(pairs, n, sizeof(*pairs), pair_compare);
	to->as.list.items = must(calloc(n + 1, sizeof(*to)));
	to->as.list.len = n;
	for (size_t i = 0; i < n; i++) {
		struct json *item = &to->as.list.items[i];
		item->parent = to;
		item->key = must(strdup(pairs[i].key));
		tree_copy(item, pairs[i].value);
	}
	free(pairs);
}

static void tree_copy_array(struct json *to, json_t *from)
{
	size_t len = json_array_size(from);
	to->as.list.items = must(calloc(len + 1, sizeof(*to)));
	to->as.list.len = len;
	for (size_t i = 0; i < len; i++) {
		to->as.list.items[i].parent = to;
		tree_copy(&to->as.list.items[i], json_array_get(from, i));
	}
}

static void tree_copy_text(struct json *to, json_t *from)
{
	size_t len = json_string_length(from);
	to->as.text.data = must(malloc(len + 1));
	memcpy(to->as.text.data, json_string_value(from), len + 1);
	to->as.text.len = len;
}

static void tree_copy(struct json *to, json_t *from)
{
	switch (json_typeof(from)) {
	case JSON_OBJECT:
		to->kind = JSON_KIND_OBJECT;
		tree_copy_object(to, from);
		break;
	case JSON_ARRAY:
		to->kind = JSON_KIND_ARRAY;
		tree_copy_array(to, from);
		break;
	case JSON_STRING:
		to->kind = JSON_KIND_TEXT;
		tree_copy_text(to, from);
		break;
	case JSON_INTEGER:
		to->kind = JSON_KIND_INT;
		to->as.number = json_integer_value(from);
		break;
	case JSON_REAL:
		to->kind = JSON_KIND_REAL;
		to->as.real = json_real_value(from);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		to->kind = JSON_KIND_BOOL;
		to->as.truth = json_is_true(from);
		break;
	case JSON_NULL: to->kind = JSON_KIND_NULL; break;
	}
}

/* Before the parser recurses over it. */
static bool depth_is_fine(struct bytes text)
{
	size_t depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '[') && ++depth > JSON_DEPTH_MAX)
			return false;
		else if (!quoted && (c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return true;
}

struct json *json_parse(struct bytes text, struct err *e)
{
	json_error_t why;
	if (!depth_is_fine(text)) {
		err_set(e, ERR_INPUT, "JSON: nested deeper than %d levels", JSON_DEPTH_MAX);
		return NULL;
	}
	json_t *parsed = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &why);
	if (parsed == NULL) {
		err_set(e, ERR_INPUT, "JSON: line %d, column %d: %.150s", why.line, why.column, why.text);
		return NULL;
	}
	struct json *j = must(calloc(1, sizeof(*j)));
	tree_copy(j, parsed);
	json_decref(parsed);
	return j;
}

/* "subject.names[2]"; nothing for the top. */
static void path_add(struct buf *path, const struct json *j)
{
	if (j == NULL || j->parent == NULL)
		return;
	path_add(path, j->parent);
	if (j->key != NULL)
		buf_add_fmt(path, "%s%.60s", path->len > 0 ? "." : "", j->key);
	else
		buf_add_fmt(path, "[%zu]", (size_t)(j - j->parent->as.list.items));
}

/* An error about j's member key, or about j itself when key is NULL. */
static bool fail_at(const struct json *j, const char *key, const char *problem, const char *what, struct err *e)
{
	struct buf path;
	buf_init(&path, 140);
	path_add(&path, j);
	if (key != NULL)
		buf_add_fmt(&path, "%s%.60s", path.len > 0 ? "." : "", key);
	err_set(e, ERR_INPUT, "%s: %s%s", path.len > 0 ? buf_str(&path) : "the request", problem, what);
	buf_clear(&path);
	return false;
}

static bool expected(const struct json *j, const char *key, const char *what, struct err *e)
{
	return fail_at(j, key, "expected ", what, e);
}

bool json_is_object(const struct json *j)
{
	return j != NULL && j->kind == JSON_KIND_OBJECT;
}

static int member_compare(const void *key, const void *member)
{
	return strcmp(key, ((const struct json *)member)->key);
}

const struct json *json_get(const struct json *j, const char *key)
{
	if (!json_is_object(j))
		return NULL;
	return bsearch(key, j->as.list.items, j->as.list.len, sizeof(*j), member_compare);
}

static bool list_has(const char *words, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = words; len > 0 && strchr(word, ' ') == NULL && (at = strstr(at, word)) != NULL; at++)
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == 0))
			return true;
	return false;
}

static bool unknown_field(const struct json *j, const char *key, struct err *e)
{
	char quoted[80];
	snprintf(quoted, sizeof(quoted), "'%.70s'", key);
	return fail_at(j, NULL, "unknown field ", quoted, e);
}

bool json_only(const struct json *j, const char *keys, struct err *e)
{
	if (!json_is_object(j))
		return expected(j, NULL, "an object", e);
	for (size_t i = 0; i < j->as.list.len; i++) {
		const char *key = j->as.list.items[i].key;
		if (!list_has(keys, key))
			return unknown_field(j, key, e);
	}
	return true;
}

enum json_kind json_kind(const struct json *j)
{
	return j->kind;
}

size_t json_len(const struct json *j)
{
	assert(j->kind == JSON_KIND_ARRAY || j->kind == JSON_KIND_OBJECT);
	return j->as.list.len;
}

const struct json *json_at(const struct json *j, size_t i)
{
	assert(j->kind == JSON_KIND_ARRAY && i < j->as.list.len);
	return &j->as.list.items[i];
}

const struct json *json_member(const struct json *j, size_t i, const char **key)
{
	assert(j->kind == JSON_KIND_OBJECT && i < j->as.list.len);
	*key = j->as.list.items[i].key;
	return &j->as.list.items[i];
}

bool json_bool_value(const struct json *j)
{
	assert(j->kind == JSON_KIND_BOOL);
	return j->as.truth;
}

int64_t json_int_value(const struct json *j)
{
	assert(j->kind == JSON_KIND_INT);
	return j->as.number;
}

double json_double_value(const struct json *j)
{
	assert(j->kind == JSON_KIND_REAL || j->kind == JSON_KIND_INT);
	return j->kind == JSON_KIND_INT ? (double)j->as.number : j->as.real;
}

struct bytes json_text_value(const struct json *j)
{
	assert(j->kind == JSON_KIND_TEXT);
	return (struct bytes){ (const uint8_t *)j->as.text.data, j->as.text.len };
}

bool json_text(const struct json *j, const char *key, size_t max, const char **out, struct err *e)
{
	char what[80];
	const struct json *v = json_get(j, key);
	if (v != NULL && v->kind == JSON_KIND_TEXT && v->as.text.len <= max &&
	    strlen(v->as.text.data) == v->as.text.len) {
		*out = v->as.text.data;
		return true;
	}
	snprintf(what, sizeof(what), "text of at most %zu bytes", max);
	return expected(j, key, what, e);
}

bool json_text_opt(const struct json *j, const char *key, size_t max, const char **out, struct err *e)
{
	*out = NULL;
	return json_get(j, key) == NULL || json_text(j, key, max, out, e);
}

bool json_int(const struct json *j, const char *key, int64_t least, int64_t most, int64_t *out, struct err *e)
{
	char what[80];
	const struct json *v = json_get(j, key);
	if (v != NULL && v->kind == JSON_KIND_INT && v->as.number >= least && v->as.number <= most) {
		*out = v->as.number;
		return true;
	}
	snprintf(what, sizeof(what), "a whole number from %lld to %lld", (long long)least, (long long)most);
	return expected(j, key, what, e);
}

bool json_bool(const struct json *j, const char *key, bool *out, struct err *e)
{
	const struct json *v = json_get(j, key);
	if (v == NULL || v->kind != JSON_KIND_BOOL)
		return expected(j, key, "true or false", e);
	*out = v->as.truth;
	return true;
}

/* Length of the UTF-8 character at s (RFC 3629: shortest form, no surrogates, up to U+10FFFF), 0 when it is none. */
static size_t utf8_len(const uint8_t *s, size_t len)
{
	uint8_t least = 0x80, most = 0xbf;
	size_t n;
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	switch (s[0]) {
	case 0xe0: least = 0xa0; break;
	case 0xed: most = 0x9f; break;
	case 0xf0: least = 0x90; break;
	case 0xf4: most = 0x8f; break;
	default: break;
	}
	if (n > len || s[1] < least || s[1] > most)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

static void write_escape(struct buf *out, uint8_t c)
{
	switch (c) {
	case '"': buf_add_str(out, "\\\""); break;
	case '\\': buf_add_str(out, "\\\\"); break;
	case '\n': buf_add_str(out, "\\n"); break;
	case '\r': buf_add_str(out, "\\r"); break;
	case '\t': buf_add_str(out, "\\t"); break;
	default:
		if (c < 0x20)
			buf_add_fmt(out, "\\u%04x", c);
		else
			buf_add_str(out, "\xef\xbf\xbd"); /* U+FFFD */
	}
}

static void write_text(struct buf *out, struct bytes v)
{
	size_t start = 0, i = 0;
	buf_add_u8(out, '"');
	while (i < v.len) {
		uint8_t c = v.data[i];
		size_t n = c < 0x20 || c == '"' || c == '\\' ? 0 : utf8_len(v.data + i, v.len - i);
		if (n > 0) {
			i += n;
			continue;
		}
		buf_add(out, v.data + start, i - start);
		write_escape(out, c);
		start = ++i;
	}
	if (v.len > start)
		buf_add(out, v.data + start, v.len - start);
	buf_add_u8(out, '"');
}

static void write_key(struct json_out *w, const char *key)
{
	if (w->comma)
		buf_add_u8(w->out, ',');
	w->comma = true;
	if (key != NULL) {
		write_text(w->out, bytes_of(key));
		buf_add_u8(w->out, ':');
	}
}

void json_open(struct json_out *w, const char *key, char bracket)
{
	write_key(w, key);
	buf_add_u8(w->out, (uint8_t)bracket);
	w->comma = false;
}

void json_close(struct json_out *w, char bracket)
{
	buf_add_u8(w->out, (uint8_t)bracket);
	w->comma = true;
}

void json_put_text(struct json_out *w, const char *key, const char *v)
{
	if (v == NULL)
		json_put_null(w, key);
	else
		json_put_text_n(w, key, bytes_of(v));
}

void json_put_text_n(struct json_out *w, const char *key, struct bytes v)
{
	write_key(w, key);
	write_text(w->out, v);
}

void json_put_int(struct json_out *w, const char *key, int64_t v)
{
	write_key(w, key);
	buf_add_fmt(w->out, "%lld", (long long)v);
}

/* The shortest digits that read back as the same number. */
void json_put_real(struct json_out *w, const char *key, double v)
{
	char digits[40];
	write_key(w, key);
	if (!isfinite(v)) {
		buf_add_str(w->out, "null");
		return;
	}
	for (int precision = 15; precision <= 17; precision++) {
		snprintf(digits, sizeof(digits), "%.*g", precision, v);
		if (strtod(digits, NULL) == v)
			break;
	}
	buf_add_str(w->out, digits);
	if (strpbrk(digits, ".e") == NULL)
		buf_add_str(w->out, ".0");
}

void json_put_bool(struct json_out *w, const char *key, bool v)
{
	write_key(w, key);
	buf_add_str(w->out, v ? "true" : "false");
}

void json_put_null(struct json_out *w, const char *key)
{
	write_key(w, key);
	buf_add_str(w->out, "null");
}

void json_put_raw(struct json_out *w, const char *key, struct bytes json)
{
	write_key(w, key);
	buf_add(w->out, json.data, json.len);
}
