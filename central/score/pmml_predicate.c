/* The predicate elements of PMML. */
#include "central/score/pmml_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct named_op {
	const char *name;
	enum predicate_op op;
};
/* Each ends with a NULL name. */
static const struct named_op operators[] = {
	{ "equal", PREDICATE_EQUAL },
	{ "notEqual", PREDICATE_NOT_EQUAL },
	{ "lessThan", PREDICATE_LESS },
	{ "lessOrEqual", PREDICATE_LESS_OR_EQUAL },
	{ "greaterThan", PREDICATE_GREATER },
	{ "greaterOrEqual", PREDICATE_GREATER_OR_EQUAL },
	{ "isMissing", PREDICATE_MISSING },
	{ "isNotMissing", PREDICATE_NOT_MISSING },
	{ NULL, PREDICATE_OPS },
};
static const struct named_op sets[] = { { "isIn", PREDICATE_IN },
					{ "isNotIn", PREDICATE_NOT_IN },
					{ NULL, PREDICATE_OPS } };
static const struct named_op compounds[] = { { "and", PREDICATE_AND },
					     { "or", PREDICATE_OR },
					     { "xor", PREDICATE_XOR },
					     { "surrogate", PREDICATE_SURROGATE },
					     { NULL, PREDICATE_OPS } };

static bool op_read(const struct xml_node *n, const char *attribute, const struct named_op *table,
		    enum predicate_op *op, struct err *e)
{
	const char *name = NULL;
	if (!pmml_need(n, attribute, &name, e))
		return false;
	while (table->name != NULL && strcmp(table->name, name) != 0)
		table++;
	*op = table->op;
	return table->name != NULL ||
	       err_set(e, ERR_INPUT, "line %u: %s '%.40s' is not supported", n->line, attribute, name);
}

static bool field_read(const struct card *c, const struct xml_node *n, uint32_t *place, struct err *e)
{
	const char *name = NULL;
	if (!pmml_need(n, "field", &name, e))
		return false;
	*place = card_field_find(c, bytes_of(name));
	return *place != CARD_FIELDS_MAX ||
	       err_set(e, ERR_INPUT, "line %u: field '%.80s' is not in the data dictionary", n->line, name);
}

static bool simple_read(struct card *c, const struct xml_node *n, struct predicate *p, struct err *e)
{
	enum predicate_op op = PREDICATE_TRUE;
	uint32_t place = 0;
	struct value v;
	const char *text = xml_attribute(n, "value");
	if (!pmml_only(n, "field operator value", e) || !op_read(n, "operator", operators, &op, e) ||
	    !field_read(c, n, &place, e))
		return false;
	bool alone = op == PREDICATE_MISSING || op == PREDICATE_NOT_MISSING;
	if (alone && text != NULL)
		return err_set(e, ERR_INPUT, "line %u: isMissing and isNotMissing take no value", n->line);
	if (!alone && !pmml_need(n, "value", &text, e))
		return false;
	if (!alone && !pmml_value(c, n, &c->fields[place], bytes_of(text), &v, e))
		return false;
	return predicate_leaf(p, op, place, &v, alone ? 0 : 1, e) || err_wrap(e, "line %u", n->line);
}

static bool is_gap(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next word of an array, unquoted into word; false at the end. *at moves behind it. */
static bool word_next(const struct xml_node *n, size_t *at, struct buf *word, bool *bad)
{
	const uint8_t *d = n->text.data;
	size_t end = n->text.len, i = *at;
	while (i < end && is_gap(d[i]))
		i++;
	if (i == end)
		return false;
	buf_reset(word);
	bool quoted = d[i] == '"';
	for (i += quoted; i < end && (quoted ? d[i] != '"' : !is_gap(d[i])); i++) {
		if (quoted && d[i] == '\\' && i + 1 < end && (d[i + 1] == '"' || d[i + 1] == '\\'))
			i++;
		buf_add_u8(word, d[i]);
	}
	*bad = quoted && (i == end || (i + 1 < end && !is_gap(d[i + 1])));
	*at = i + quoted;
	return true;
}

static bool array_type_fits(const struct card_field *f, const char *type)
{
	if (card_type_is_number(f->type))
		return strcmp(type, "int") == 0 || strcmp(type, "real") == 0;
	return strcmp(type, "string") == 0;
}

static bool words_read(struct card *c, const struct xml_node *n, const struct card_field *f, struct value *values,
		       size_t *len, struct err *e)
{
	struct buf word;
	size_t at = 0;
	bool ok = true, bad = false;
	buf_init(&word, CARD_TEXT_MAX);
	while (ok && word_next(n, &at, &word, &bad)) {
		if (bad || !buf_ok(&word, "word", NULL))
			ok = err_set(e, ERR_INPUT, "line %u: value %zu of the Array is not well formed", n->line,
				     *len + 1);
		else if (*len == PREDICATE_SET_MAX)
			ok = err_set(e, ERR_FULL, "line %u: more than %d values", n->line, PREDICATE_SET_MAX);
		else
			ok = pmml_value(c, n, f, buf_bytes(&word), &values[(*len)++], e);
	}
	buf_clear(&word);
	return ok;
}

static bool array_read(struct card *c, const struct xml_node *n, const struct card_field *f, struct value *values,
		       size_t *len, struct err *e)
{
	const char *type = NULL, *count = xml_attribute(n, "n");
	if (strcmp(n->name, "Array") != 0 || n->next != NULL || n->first != NULL)
		return err_set(e, ERR_INPUT, "line %u: expected one Array", n->line);
	for (size_t i = 0; i < n->attributes_len; i++)
		if (strcmp(n->attributes[i].name, "n") != 0 && strcmp(n->attributes[i].name, "type") != 0)
			return err_set(e, ERR_INPUT, "line %u: attribute '%.60s' of Array is not supported", n->line,
				       n->attributes[i].name);
	if (!pmml_need(n, "type", &type, e))
		return false;
	if (!array_type_fits(f, type))
		return err_set(e, ERR_INPUT, "line %u: an Array of %.40s does not fit field '%.80s'", n->line, type,
			       f->name);
	if (!words_read(c, n, f, values, len, e))
		return false;
	char digits[24];
	snprintf(digits, sizeof(digits), "%zu", *len);
	return count == NULL || strcmp(count, digits) == 0 ||
	       err_set(e, ERR_INPUT, "line %u: n is '%.20s', and there are %zu values", n->line, count, *len);
}

static bool set_read(struct card *c, const struct xml_node *n, struct predicate *p, struct err *e)
{
	enum predicate_op op = PREDICATE_TRUE;
	uint32_t place = 0;
	size_t len = 0;
	if (!pmml_only(n, "field booleanOperator", e) || !op_read(n, "booleanOperator", sets, &op, e) ||
	    !field_read(c, n, &place, e))
		return false;
	if (n->first == NULL)
		return err_set(e, ERR_INPUT, "line %u: expected one Array", n->line);
	struct value *values = calloc(PREDICATE_SET_MAX, sizeof(*values));
	if (values == NULL)
		abort();
	bool ok = array_read(c, n->first, &c->fields[place], values, &len, e) &&
		  (predicate_leaf(p, op, place, values, len, e) || err_wrap(e, "line %u", n->line));
	free(values);
	return ok;
}

static bool compound_read(struct card *c, const struct xml_node *n, struct predicate *p, struct err *e)
{
	enum predicate_op op = PREDICATE_TRUE;
	if (!pmml_only(n, "booleanOperator", e) || !op_read(n, "booleanOperator", compounds, &op, e))
		return false;
	if (!predicate_open(p, op, e))
		return err_wrap(e, "line %u", n->line);
	for (const struct xml_node *child = n->first; child != NULL; child = child->next)
		if (!pmml_predicate_read(c, child, p, e))
			return false;
	return predicate_close(p, e) || err_wrap(e, "line %u", n->line);
}

bool pmml_predicate_read(struct card *c, const struct xml_node *n, struct predicate *p, struct err *e)
{
	if (strcmp(n->name, "SimplePredicate") == 0)
		return (n->first == NULL || pmml_unsupported(n->first, n, e)) && simple_read(c, n, p, e);
	if (strcmp(n->name, "SimpleSetPredicate") == 0)
		return set_read(c, n, p, e);
	if (strcmp(n->name, "CompoundPredicate") == 0)
		return compound_read(c, n, p, e);
	bool yes = strcmp(n->name, "True") == 0;
	if (!yes && strcmp(n->name, "False") != 0)
		return err_set(e, ERR_INPUT, "line %u: '%.60s' is no predicate that is supported", n->line, n->name);
	if (!pmml_only(n, "", e) || (n->first != NULL && !pmml_unsupported(n->first, n, e)))
		return false;
	return predicate_leaf(p, yes ? PREDICATE_TRUE : PREDICATE_FALSE, 0, NULL, 0, e) ||
	       err_wrap(e, "line %u", n->line);
}

/* --- out --- */

static const char *op_name(const struct named_op *table, enum predicate_op op)
{
	while (table->name != NULL && table->op != op)
		table++;
	return table->name;
}

static void value_write(const struct value *v, struct buf *out)
{
	char digits[32];
	if (v->kind == VALUE_NUMBER) {
		card_number_format(v->number, digits);
		buf_add_str(out, digits);
	} else if (v->kind == VALUE_BOOL) {
		buf_add_str(out, v->boolean ? "true" : "false");
	} else {
		xml_put(out, v->text);
	}
}

/* Text always between quotes, so that no value is torn at a space. */
static void word_write(const struct value *v, struct buf *out)
{
	if (v->kind != VALUE_TEXT) {
		value_write(v, out);
		return;
	}
	buf_add_str(out, "\"");
	for (size_t i = 0; i < v->text.len; i++) {
		if (v->text.data[i] == '"' || v->text.data[i] == '\\')
			buf_add_str(out, "\\");
		if (v->text.data[i] == '"')
			buf_add_str(out, "\"");
		else
			xml_put(out, (struct bytes){ v->text.data + i, 1 });
	}
	buf_add_str(out, "\"");
}

static void field_write(const struct card *c, uint32_t place, struct buf *out)
{
	buf_add_str(out, " field=\"");
	xml_put(out, bytes_of(c->fields[place].name));
	buf_add_str(out, "\"");
}

static void leaf_write(const struct card *c, const struct predicate_node *n, int indent, struct buf *out)
{
	const char *set = op_name(sets, n->op), *simple = op_name(operators, n->op);
	if (set != NULL) {
		buf_add_str(out, "<SimpleSetPredicate");
		field_write(c, n->place, out);
		buf_add_fmt(out, " booleanOperator=\"%s\">\n%*s<Array n=\"%zu\" type=\"%s\">", set, indent + 2, "",
			    n->values_len, card_type_is_number(c->fields[n->place].type) ? "real" : "string");
		for (size_t i = 0; i < n->values_len; i++) {
			buf_add_str(out, i > 0 ? " " : "");
			word_write(&n->values[i], out);
		}
		buf_add_fmt(out, "</Array>\n%*s</SimpleSetPredicate>\n", indent, "");
	} else if (simple != NULL) {
		buf_add_str(out, "<SimplePredicate");
		field_write(c, n->place, out);
		buf_add_fmt(out, " operator=\"%s\"", simple);
		if (n->values_len > 0) {
			buf_add_str(out, " value=\"");
			value_write(n->values, out);
			buf_add_str(out, "\"");
		}
		buf_add_str(out, "/>\n");
	} else {
		buf_add_str(out, n->op == PREDICATE_TRUE ? "<True/>\n" : "<False/>\n");
	}
}

static void node_write(const struct card *c, const struct predicate *p, uint32_t at, int indent, struct buf *out)
{
	struct predicate_node n = predicate_at(p, at);
	const char *compound = op_name(compounds, n.op);
	buf_add_fmt(out, "%*s", indent, "");
	if (compound == NULL) {
		leaf_write(c, &n, indent, out);
		return;
	}
	buf_add_fmt(out, "<CompoundPredicate booleanOperator=\"%s\">\n", compound);
	for (uint32_t i = at + 1; i < n.next; i = predicate_at(p, i).next)
		node_write(c, p, i, indent + 2, out);
	buf_add_fmt(out, "%*s</CompoundPredicate>\n", indent, "");
}

void pmml_predicate_write(const struct card *c, const struct predicate *p, int indent, struct buf *out)
{
	node_write(c, p, 0, indent, out);
}
