/*
 * XML 1.0 with namespaces into a small tree, over expat; xml.c alone includes expat.h. Strict and bounded: a document type (and so any
 * entity but the five of the standard) is refused, so are more than XML_DEPTH_MAX levels, XML_NODES_MAX elements or
 * DOCUMENT_MAX bytes. Comments and processing instructions are passed over. Errors name the line.
 */
#ifndef CENTRAL_SCORE_XML_H
#define CENTRAL_SCORE_XML_H

#include "protocol/base/buf.h"

#define XML_DEPTH_MAX 24    /* PMML's predicates nest 6 within 7 levels of a scorecard */
#define XML_NODES_MAX 65536 /* DOCUMENT_MAX is no more than twice so many of the elements we read */

struct xml_attribute {
	const char *name, *value; /* of another namespace: "uri name" */
};
struct xml_node {
	const char *space, *name; /* namespace, "" none */
	unsigned line;
	size_t attributes_len;
	struct xml_attribute *attributes;
	struct xml_node *first, *next; /* child, sibling */
	struct buf text;               /* all of its own character data */
};

struct xml;
/* NULL on failure. Release with xml_free; the tree goes with it. */
struct xml *xml_parse(struct bytes document, struct err *e) CHECKED;
const struct xml_node *xml_root(const struct xml *x);
void xml_free(struct xml *x);

/* NULL when it is not there. */
const char *xml_attribute(const struct xml_node *n, const char *name);
/* Character data other than space, tab and line ends. */
bool xml_has_text(const struct xml_node *n);
/* Escapes for text, and for a value between double quotes. */
void xml_put(struct buf *out, struct bytes text);

#endif
