/*
 * Text-keyed CBOR maps of documents, read strictly: the caller names every key there may be, and any other is
 * refused by name, because what cannot be understood must not be skipped.
 */
#ifndef PROTOCOL_FIELDS_H
#define PROTOCOL_FIELDS_H

#include "protocol/cbor.h"

#define FIELDS_MAX     16
#define FIELD_TEXT_MAX 1024 /* wording of a rule or a title */

/* The map item (checked before) has no keys but the n named; values[i] is the item of keys[i], data NULL when
 * missing. */
bool fields_read(struct bytes map, const char *const *keys, size_t n, struct bytes *values, struct err *e) CHECKED;
/* One value that must be there; `what` names it in the error. */
bool field_text(struct bytes item, const char *what, char *out, size_t size, struct err *e) CHECKED;
bool field_bool(struct bytes item, const char *what, bool *out, struct err *e) CHECKED;
/* { "zh", "en" }, both there and not empty; two allocated strings, or none on failure. */
bool field_zh_en(struct bytes item, const char *what, char **zh, char **en, struct err *e) CHECKED;
/* The document's "type" is type. */
bool field_type(struct bytes item, const char *type, struct err *e) CHECKED;

#endif
