#include "central/release/document.h"

#include "central/carbon/rules.h"
#include "central/fund/guarantee_rules.h"
#include "central/score/facts.h"
#include "protocol/base/json.h"
#include "protocol/base/limits.h"
#include "protocol/catalogue.h"
#include "protocol/cbor.h"
#include "protocol/issuers.h"
#include "protocol/kinds.h"
#include "protocol/rule.h"
#include "protocol/update.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_MAX 9007199254740992.0 /* 2^53: up to here every whole number is a double */

static bool value_put(const struct json *j, unsigned depth, struct buf *out, struct err *e);

/* CBOR's order of text keys: the shorter first, then bytewise. */
static int key_order(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t x_len = strlen(x), y_len = strlen(y);
	if (x_len != y_len)
		return x_len < y_len ? -1 : 1;
	return memcmp(x, y, x_len);
}

static bool object_put(const struct json *j, unsigned depth, struct buf *out, struct err *e)
{
	size_t len = json_len(j), i = 0;
	const char **keys = calloc(len + 1, sizeof(*keys));
	if (keys == NULL)
		abort();
	for (i = 0; i < len; i++)
		(void)json_member(j, i, &keys[i]);
	qsort(keys, len, sizeof(*keys), key_order);
	cbor_put_map(out, len);
	for (i = 0; i < len; i++) {
		cbor_put_text(out, keys[i]);
		if (!value_put(json_get(j, keys[i]), depth + 1, out, e)) {
			(void)err_wrap(e, "%s", keys[i]);
			break;
		}
	}
	free(keys);
	return i == len;
}

static bool array_put(const struct json *j, unsigned depth, struct buf *out, struct err *e)
{
	cbor_put_array(out, json_len(j));
	for (size_t i = 0; i < json_len(j); i++)
		if (!value_put(json_at(j, i), depth + 1, out, e))
			return err_wrap(e, "[%zu]", i);
	return true;
}

static void real_put(double v, struct buf *out)
{
	if (fabs(v) <= WHOLE_MAX && floor(v) >= v)
		cbor_put_int(out, (int64_t)v);
	else
		cbor_put_real(out, v);
}

static bool value_put(const struct json *j, unsigned depth, struct buf *out, struct err *e)
{
	if (depth > CBOR_DEPTH_MAX)
		return err_set(e, ERR_INPUT, "nested deeper than %d", CBOR_DEPTH_MAX);
	switch (json_kind(j)) {
	case JSON_KIND_NULL: return err_set(e, ERR_INPUT, "null: leave the field out instead");
	case JSON_KIND_BOOL: cbor_put_bool(out, json_bool_value(j)); break;
	case JSON_KIND_INT: cbor_put_int(out, json_int_value(j)); break;
	case JSON_KIND_REAL: real_put(json_double_value(j), out); break;
	case JSON_KIND_TEXT: cbor_put_text_n(out, json_text_value(j)); break;
	case JSON_KIND_ARRAY: return array_put(j, depth, out, e);
	case JSON_KIND_OBJECT: return object_put(j, depth, out, e);
	}
	return true;
}

static bool inputs_check(struct bytes cbor, struct err *e)
{
	struct buf json;
	struct facts_map *m = NULL;
	buf_init(&json, (size_t)8 * DOCUMENT_MAX);
	if (document_to_json(cbor, &json, e))
		m = facts_map_parse(buf_bytes(&json), e);
	buf_clear(&json);
	facts_map_free(m);
	return m != NULL;
}

bool document_check(struct bytes cbor, const char *type, struct err *e)
{
	if (strcmp(type, "rules") == 0) {
		struct rule_set *s = rule_set_parse(cbor, e);
		rule_set_free(s);
		return s != NULL;
	}
	if (strcmp(type, "catalogue") == 0) {
		struct catalogue *c = catalogue_parse(cbor, e);
		catalogue_free(c);
		return c != NULL;
	}
	if (strcmp(type, "issuers") == 0) {
		struct issuers *i = issuers_parse(cbor, e);
		issuers_free(i);
		return i != NULL;
	}
	if (strcmp(type, "kinds") == 0) {
		struct kinds *k = kinds_parse(cbor, e);
		kinds_free(k);
		return k != NULL;
	}
	if (strcmp(type, "update") == 0) {
		struct update u;
		if (!update_parse(cbor, &u, e))
			return false;
		update_clear(&u);
		return true;
	}
	if (strcmp(type, "carbon") == 0) {
		struct carbon_rules *r = carbon_rules_decode(cbor, e);
		free(r);
		return r != NULL;
	}
	if (strcmp(type, "guarantee") == 0) {
		struct guarantee_rules *r = guarantee_rules_decode(cbor, e);
		free(r);
		return r != NULL;
	}
	if (strcmp(type, "inputs") == 0)
		return inputs_check(cbor, e);
	return err_set(e, ERR_INPUT, "there is no document type '%s'", type);
}

bool document_from_json(struct bytes json, const char *type, struct buf *cbor, struct err *e)
{
	size_t from = cbor->len;
	struct json *j = json_parse(json, e);
	if (j == NULL)
		return false;
	bool ok = value_put(j, 1, cbor, e) && buf_ok(cbor, "document", e);
	json_free(j);
	if (!ok)
		return false;
	return type == NULL || document_check((struct bytes){ cbor->data + from, cbor->len - from }, type, e);
}

static bool item_write(struct cbor *c, const char *key, struct json_out *w, struct err *e);

static bool map_write(struct cbor *c, struct json_out *w, struct err *e)
{
	size_t pairs;
	if (!cbor_get_map(c, SIZE_MAX, &pairs, e))
		return false;
	for (; pairs > 0; pairs--) {
		char key[256];
		if (!cbor_get_string(c, key, sizeof(key), e) || !item_write(c, key, w, e))
			return false;
	}
	return true;
}

static bool array_write(struct cbor *c, struct json_out *w, struct err *e)
{
	size_t len;
	if (!cbor_get_array(c, SIZE_MAX, &len, e))
		return false;
	for (; len > 0; len--)
		if (!item_write(c, NULL, w, e))
			return false;
	return true;
}

static bool number_write(struct cbor *c, enum cbor_type type, const char *key, struct json_out *w, struct err *e)
{
	int64_t whole = 0;
	double real = 0;
	if (type == CBOR_REAL ? !cbor_get_real(c, &real, e) : !cbor_get_int(c, &whole, e))
		return false;
	if (!isfinite(real))
		return err_set(e, ERR_INPUT, "a number that JSON has no way to write");
	if (type == CBOR_REAL)
		json_put_real(w, key, real);
	else
		json_put_int(w, key, whole);
	return true;
}

/* Recursion is bounded: the item was checked, so it nests CBOR_DEPTH_MAX deep at most. */
static bool item_write(struct cbor *c, const char *key, struct json_out *w, struct err *e)
{
	enum cbor_type type;
	struct bytes text;
	bool truth, ok;
	if (!cbor_peek(c, &type))
		return err_set(e, ERR_INPUT, "the document ends too early");
	switch (type) {
	case CBOR_MAP:
	case CBOR_ARRAY:
		json_open(w, key, type == CBOR_MAP ? '{' : '[');
		ok = type == CBOR_MAP ? map_write(c, w, e) : array_write(c, w, e);
		json_close(w, type == CBOR_MAP ? '}' : ']');
		return ok;
	case CBOR_TEXT:
		if (!cbor_get_text(c, &text, e))
			return false;
		json_put_text_n(w, key, text);
		return true;
	case CBOR_BOOL:
		if (!cbor_get_bool(c, &truth, e))
			return false;
		json_put_bool(w, key, truth);
		return true;
	case CBOR_UINT:
	case CBOR_NINT:
	case CBOR_REAL: return number_write(c, type, key, w, e);
	case CBOR_BYTES:
	case CBOR_TAG:
	case CBOR_NULL: break;
	}
	return err_set(e, ERR_INPUT, "an item that documents do not have");
}

static void newline(struct buf *out, unsigned depth)
{
	buf_add_u8(out, '\n');
	for (; depth > 0; depth--)
		buf_add_u8(out, '\t');
}

/* A whole string, quotes included; returns the index of its closing quote. */
static size_t string_copy(struct bytes in, size_t from, struct buf *out)
{
	size_t i = from + 1;
	while (i + 1 < in.len && in.data[i] != '"')
		i += in.data[i] == '\\' ? 2 : 1;
	buf_add(out, in.data + from, i + 1 - from);
	return i;
}

/* Compact JSON in, one member a line out. */
static void indent(struct bytes in, struct buf *out)
{
	unsigned depth = 0;
	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.data[i];
		bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
		bool empty = i > 0 && (in.data[i - 1] == '{' || in.data[i - 1] == '[');
		depth -= closes;
		if (empty != closes)
			newline(out, depth);
		depth += opens;
		if (c == '"')
			i = string_copy(in, i, out);
		else
			buf_add_u8(out, c);
		if (c == ',')
			newline(out, depth);
		if (c == ':')
			buf_add_u8(out, ' ');
	}
	buf_add_u8(out, '\n');
}

bool document_to_json(struct bytes cbor, struct buf *json, struct err *e)
{
	struct cbor c = cbor_over(cbor);
	struct buf compact;
	if (!cbor_check(cbor, e))
		return false;
	buf_init(&compact, (size_t)8 * DOCUMENT_MAX); /* a control character of one byte is written with six */
	struct json_out w = { .out = &compact };
	bool ok = item_write(&c, NULL, &w, e) && buf_ok(&compact, "document", e);
	if (ok) {
		indent(buf_bytes(&compact), json);
		ok = buf_ok(json, "document", e);
	}
	buf_clear(&compact);
	return ok;
}
