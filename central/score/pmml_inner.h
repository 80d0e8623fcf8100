/* Shared by the files that read and write PMML. */
#ifndef CENTRAL_SCORE_PMML_INNER_H
#define CENTRAL_SCORE_PMML_INNER_H

#include "central/score/pmml.h"
#include "central/score/xml.h"

#define PMML_EXTENDER "xinbian"

bool pmml_is(const struct xml_node *n, const char *name);
/* Refuses attributes not in the space-separated list, and text in an element. */
bool pmml_only(const struct xml_node *n, const char *attributes, struct err *e) CHECKED;
/* Always false. */
bool pmml_unsupported(const struct xml_node *n, const struct xml_node *in, struct err *e) CHECKED;
bool pmml_childless(const struct xml_node *n, struct err *e) CHECKED;
bool pmml_need(const struct xml_node *n, const char *name, const char **out, struct err *e) CHECKED;
/* NULL when it is missing or empty. */
const char *pmml_text(struct card *c, const struct xml_node *n, const char *name);
/* The attribute as one of names[0..len); otherwise when it is missing, which is refused where otherwise is -1. */
bool pmml_choice(const struct xml_node *n, const char *name, const char *const *names, int len, int otherwise,
		 int *out, struct err *e) CHECKED;
/* *has false, and *out as it was, when it is missing. */
bool pmml_number(const struct xml_node *n, const char *name, bool *has, double *out, struct err *e) CHECKED;
/* Text as a value of the field, its text kept by the card. */
bool pmml_value(struct card *c, const struct xml_node *n, const struct card_field *f, struct bytes text,
		struct value *out, struct err *e) CHECKED;
/* An Extension of ours of that name, and its value. Those of others are refused like any element. */
bool pmml_extension(const struct xml_node *n, const struct xml_node *in, const char *name, const char **value,
		    struct err *e) CHECKED;

bool pmml_header_read(struct card *c, const struct xml_node *n, struct err *e) CHECKED;
bool pmml_dictionary_read(struct card *c, const struct xml_node *n, struct err *e) CHECKED;
bool pmml_schema_read(struct card *c, const struct xml_node *n, struct err *e) CHECKED;
bool pmml_output_read(struct card *c, const struct xml_node *n, struct err *e) CHECKED;
/* Appends the element to p. */
bool pmml_predicate_read(struct card *c, const struct xml_node *n, struct predicate *p, struct err *e) CHECKED;
void pmml_predicate_write(const struct card *c, const struct predicate *p, int indent, struct buf *out);

#endif
