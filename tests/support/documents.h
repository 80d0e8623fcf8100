/* Documents for tests: the shipped samples, and small ones out of JSON. All abort on failure unless said
 * otherwise. */
#ifndef TESTS_SUPPORT_DOCUMENTS_H
#define TESTS_SUPPORT_DOCUMENTS_H

#include "protocol/catalogue.h"
#include "protocol/rule.h"

/* A whole file; release with buf_clear. */
struct buf file_text(const char *path);
/* JSON with ' for ", to CBOR. type NULL takes any JSON, unproven. */
struct buf cbor_of(const char *json, const char *type);
/* central/sample/<name>.json as CBOR. */
struct buf sample_document(const char *type);
struct rule_set *sample_rules(void);
struct catalogue *sample_catalogue(void);

#endif
