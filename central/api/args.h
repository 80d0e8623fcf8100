/* What several areas of the API read in the same way. Errors name the field. */
#ifndef CENTRAL_API_ARGS_H
#define CENTRAL_API_ARGS_H

#include "central/api/api.h"
#include "protocol/identifier.h"

/* A JSON array of words, or ["*"], appended to out as a set: with commas between. A word is at most word_max bytes and has no comma. */
bool api_set(const struct json *j, const char *key, size_t word_max, struct buf *out, struct err *e) CHECKED;
/* The request's body, an object with these keys only (separated by spaces); NULL on failure. Release with json_free. */
struct json *api_body(struct api_call *call, const char *keys, struct err *e) CHECKED;
/* {"kind", "number"}; kind is resident_id when missing. */
bool api_holder(const struct json *j, const char *key, struct identifier *out, struct err *e) CHECKED;
/* The same from the query: holder, holder_kind, and purpose, which are in the audit as `what` before this returns. */
bool api_holder_asked(struct api_call *call, const char *what, struct identifier *out, struct err *e) CHECKED;

#endif
