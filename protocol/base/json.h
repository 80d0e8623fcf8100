/*
 * JSON in and out over jansson; json.c alone includes jansson.h. Reading is strict: UTF-8, no duplicate keys, nothing
 * behind the value, bounded depth; a reader names the field in its error ("subject.number: expected text").
 */
#ifndef PROTOCOL_BASE_JSON_H
#define PROTOCOL_BASE_JSON_H

#include "protocol/base/buf.h"

struct json; /* a jansson value */

struct json *json_parse(struct bytes text, struct err *e) CHECKED;
void json_free(struct json *j);

bool json_is_object(const struct json *j);
/* NULL when the key is missing (or j is no object). Borrowed. */
const struct json *json_get(const struct json *j, const char *key);
/* Refuses keys not in the space-separated list: ERR_INPUT "unknown field 'x'". */
bool json_only(const struct json *j, const char *keys, struct err *e) CHECKED;

enum json_kind {
	JSON_KIND_NULL,
	JSON_KIND_BOOL,
	JSON_KIND_INT,
	JSON_KIND_REAL,
	JSON_KIND_TEXT,
	JSON_KIND_ARRAY,
	JSON_KIND_OBJECT
};
enum json_kind json_kind(const struct json *j);
size_t json_len(const struct json *j);                      /* of an array or an object */
const struct json *json_at(const struct json *j, size_t i); /* of an array */
const struct json *json_member(const struct json *j, size_t i,
			       const char **key); /* of an object, keys sorted bytewise */
/* Values of a fitting kind (asserted). */
bool json_bool_value(const struct json *j);
int64_t json_int_value(const struct json *j);
double json_double_value(const struct json *j); /* of a real; jansson has a json_real_value of its own */
struct bytes json_text_value(const struct json *j);

/* Required members. Text is borrowed, has no NUL inside, and at most max bytes. */
bool json_text(const struct json *j, const char *key, size_t max, const char **out, struct err *e) CHECKED;
bool json_int(const struct json *j, const char *key, int64_t least, int64_t most, int64_t *out,
	      struct err *e) CHECKED;
bool json_bool(const struct json *j, const char *key, bool *out, struct err *e) CHECKED;
/* Optional text: *out is NULL when missing. */
bool json_text_opt(const struct json *j, const char *key, size_t max, const char **out, struct err *e) CHECKED;

/* Writing: a small streaming writer onto a buf, no tree. key is NULL inside arrays. Text that is not UTF-8 has each bad
   byte replaced by U+FFFD. */
struct json_out {
	struct buf *out;
	bool comma;
};
void json_open(struct json_out *w, const char *key, char bracket);      /* '{' or '[' */
void json_close(struct json_out *w, char bracket);                      /* '}' or ']' */
void json_put_text(struct json_out *w, const char *key, const char *v); /* NULL writes null */
void json_put_text_n(struct json_out *w, const char *key, struct bytes v);
void json_put_int(struct json_out *w, const char *key, int64_t v);
void json_put_real(struct json_out *w, const char *key, double v);
void json_put_bool(struct json_out *w, const char *key, bool v);
void json_put_null(struct json_out *w, const char *key);
/* A value that is JSON already. */
void json_put_raw(struct json_out *w, const char *key, struct bytes json);

#endif
