#include "tests/support/documents.h"
#include "central/release/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok, const struct err *e)
{
	if (ok)
		return;
	fprintf(stderr, "%s\n", e->text);
	abort();
}

struct buf file_text(const char *path)
{
	struct buf out;
	struct err e = { 0 };
	buf_init(&out, DOCUMENT_MAX);
	FILE *f = fopen(path, "rb");
	must(f != NULL || err_set(&e, ERR_IO, "%s", path), &e);
	char piece[4096];
	for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0;)
		buf_add(&out, piece, n);
	fclose(f);
	must(buf_ok(&out, path, &e), &e);
	return out;
}

struct buf cbor_of(const char *json, const char *type)
{
	struct buf out;
	struct err e = { 0 };
	char *text = strdup(json);
	if (text == NULL)
		abort();
	for (char *at = strchr(text, '\''); at != NULL; at = strchr(at, '\''))
		*at = '"';
	buf_init(&out, DOCUMENT_MAX);
	must(document_from_json(bytes_of(text), type, &out, &e), &e);
	free(text);
	return out;
}

struct buf sample_document(const char *type)
{
	char path[64];
	struct buf out;
	struct err e = { 0 };
	snprintf(path, sizeof(path), "central/sample/%s.json", type);
	struct buf json = file_text(path);
	buf_init(&out, DOCUMENT_MAX);
	must(document_from_json(buf_bytes(&json), type, &out, &e), &e);
	buf_clear(&json);
	return out;
}

struct rule_set *sample_rules(void)
{
	struct err e = { 0 };
	struct buf document = sample_document("rules");
	struct rule_set *s = rule_set_parse(buf_bytes(&document), &e);
	must(s != NULL, &e);
	buf_clear(&document);
	return s;
}

struct catalogue *sample_catalogue(void)
{
	struct err e = { 0 };
	struct buf document = sample_document("catalogue");
	struct catalogue *c = catalogue_parse(buf_bytes(&document), &e);
	must(c != NULL, &e);
	buf_clear(&document);
	return c;
}
