/* JSON Schema (2020-12, as OpenAPI 3.1 uses it): the keywords our own documents use, and no other. */
#ifndef TESTS_SUPPORT_SCHEMA_H
#define TESTS_SUPPORT_SCHEMA_H

#include "protocol/base/json.h"

/* Whether value is as schema says; why not, with the place, is appended to why. References are looked up in root. A keyword
   that is not known here aborts: a schema must not promise what nobody checks. */
bool schema_holds(const struct json *root, const struct json *schema, const struct json *value, struct buf *why);

#endif
