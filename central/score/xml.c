#include "central/score/xml.h"

#include "protocol/base/limits.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

struct xml {
	XML_Parser parser; /* while it reads */
	struct xml_node *root;
	struct xml_node *open[XML_DEPTH_MAX], *last[XML_DEPTH_MAX]; /* and the last child of each */
	size_t depth, nodes;
	struct err err; /* set by a handler that stopped the parser */
};

static void node_free(struct xml_node *n)
{
	while (n != NULL) {
		struct xml_node *next = n->next;
		node_free(n->first);
		buf_clear(&n->text);
		free(n);
		n = next;
	}
}

static unsigned line_of(const struct xml *x)
{
	return (unsigned)XML_GetCurrentLineNumber(x->parser);
}

static void stop(struct xml *x, const char *why)
{
	if (x->err.code == ERR_NONE)
		err_set(&x->err, ERR_INPUT, "line %u: %s", line_of(x), why);
	XML_StopParser(x->parser, XML_FALSE);
}

/* Copies a text to *at, which moves behind its NUL. */
static const char *put(char **at, const char *text, size_t len)
{
	char *here = *at;
	memcpy(here, text, len);
	here[len] = '\0';
	*at = here + len + 1;
	return here;
}

/* A node, its attributes and their texts are one allocation. */
static struct xml_node *node_new(const struct xml *x, const char *name, const char **attributes)
{
	size_t len = 0, size = strlen(name) + 2;
	for (; attributes[2 * len] != NULL; len++)
		size += strlen(attributes[2 * len]) + strlen(attributes[2 * len + 1]) + 2;
	struct xml_node *n = calloc(1, sizeof(*n) + len * sizeof(n->attributes[0]) + size);
	if (n == NULL)
		abort();
	const char *gap = strrchr(name, ' '), *local = gap != NULL ? gap + 1 : name;
	n->line = line_of(x);
	buf_init(&n->text, DOCUMENT_MAX);
	n->attributes = (struct xml_attribute *)(n + 1);
	n->attributes_len = len;
	char *at = (char *)(n->attributes + len);
	n->space = put(&at, name, gap != NULL ? (size_t)(gap - name) : 0);
	n->name = put(&at, local, strlen(local));
	for (size_t i = 0; i < len; i++) {
		n->attributes[i].name = put(&at, attributes[2 * i], strlen(attributes[2 * i]));
		n->attributes[i].value = put(&at, attributes[2 * i + 1], strlen(attributes[2 * i + 1]));
	}
	return n;
}

static void on_start(void *arg, const char *name, const char **attributes)
{
	struct xml *x = arg;
	if (x->err.code != ERR_NONE)
		return;
	if (x->depth == XML_DEPTH_MAX || x->nodes == XML_NODES_MAX) {
		stop(x, x->depth == XML_DEPTH_MAX ? "elements nest too deep" : "too many elements");
		return;
	}
	struct xml_node *n = node_new(x, name, attributes);
	x->nodes++;
	if (x->depth == 0)
		x->root = n;
	else if (x->last[x->depth - 1] == NULL)
		x->open[x->depth - 1]->first = n;
	else
		x->last[x->depth - 1]->next = n;
	if (x->depth > 0)
		x->last[x->depth - 1] = n;
	x->open[x->depth] = n;
	x->last[x->depth++] = NULL;
}

static void on_end(void *arg, const char *name)
{
	struct xml *x = arg;
	(void)name;
	if (x->err.code == ERR_NONE)
		x->depth--;
}

static void on_text(void *arg, const char *text, int len)
{
	struct xml *x = arg;
	if (x->err.code == ERR_NONE && x->depth > 0)
		buf_add(&x->open[x->depth - 1]->text, text, (size_t)len);
}

static void on_doctype(void *arg, const char *name, const char *system, const char *public, int internal)
{
	(void)name, (void)system, (void)public, (void)internal;
	stop(arg, "a document type (DOCTYPE) is not taken");
}

struct xml *xml_parse(struct bytes document, struct err *e)
{
	if (document.len > DOCUMENT_MAX) {
		err_set(e, ERR_FULL, "more than %u bytes", DOCUMENT_MAX);
		return NULL;
	}
	struct xml *x = calloc(1, sizeof(*x));
	if (x == NULL)
		abort();
	x->parser = XML_ParserCreateNS(NULL, ' ');
	if (x->parser == NULL)
		abort();
	XML_SetUserData(x->parser, x);
	XML_SetElementHandler(x->parser, on_start, on_end);
	XML_SetCharacterDataHandler(x->parser, on_text);
	XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
	XML_SetParamEntityParsing(x->parser, XML_PARAM_ENTITY_PARSING_NEVER);
	bool ok = XML_Parse(x->parser, (const char *)document.data, (int)document.len, 1) == XML_STATUS_OK;
	if (!ok && x->err.code == ERR_NONE)
		err_set(&x->err, ERR_INPUT, "line %u: XML: %s", line_of(x),
			XML_ErrorString(XML_GetErrorCode(x->parser)));
	XML_ParserFree(x->parser);
	x->parser = NULL;
	if (ok && x->err.code == ERR_NONE)
		return x;
	err_set(e, x->err.code, "%s", x->err.text);
	xml_free(x);
	return NULL;
}

const struct xml_node *xml_root(const struct xml *x)
{
	return x->root;
}

void xml_free(struct xml *x)
{
	if (x == NULL)
		return;
	node_free(x->root);
	free(x);
}

const char *xml_attribute(const struct xml_node *n, const char *name)
{
	for (size_t i = 0; i < n->attributes_len; i++)
		if (strcmp(n->attributes[i].name, name) == 0)
			return n->attributes[i].value;
	return NULL;
}

static bool is_gap(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool xml_has_text(const struct xml_node *n)
{
	for (size_t i = 0; i < n->text.len; i++)
		if (!is_gap(n->text.data[i]))
			return true;
	return false;
}

void xml_put(struct buf *out, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		switch (c) {
		case '&': buf_add_str(out, "&amp;"); break;
		case '<': buf_add_str(out, "&lt;"); break;
		case '>': buf_add_str(out, "&gt;"); break;
		case '"': buf_add_str(out, "&quot;"); break;
		case '\t':
		case '\n':
		case '\r': buf_add_fmt(out, "&#%u;", c); break;
		default: buf_add_u8(out, c);
		}
	}
}
