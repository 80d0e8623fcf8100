/* Elements and attributes in general; Header, DataDictionary, MiningSchema and Output. */
#include "central/score/pmml_inner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- elements and attributes --- */

bool pmml_is(const struct xml_node *n, const char *name)
{
	return strcmp(n->name, name) == 0;
}

static bool word_in(const char *list, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = list; len > 0 && (at = strstr(at, word)) != NULL; at++)
		if ((at == list || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' '))
			return true;
	return false;
}

bool pmml_only(const struct xml_node *n, const char *attributes, struct err *e)
{
	for (size_t i = 0; i < n->attributes_len; i++) {
		if (!word_in(attributes, n->attributes[i].name))
			return err_set(e, ERR_INPUT, "line %u: attribute '%.80s' of %s is not supported", n->line,
				       n->attributes[i].name, n->name);
		if (strlen(n->attributes[i].value) > CARD_TEXT_MAX)
			return err_set(e, ERR_FULL, "line %u: %s is longer than %d bytes", n->line,
				       n->attributes[i].name, CARD_TEXT_MAX);
	}
	return !xml_has_text(n) ||
	       err_set(e, ERR_INPUT, "line %u: text inside %s is not supported", n->line, n->name);
}

bool pmml_unsupported(const struct xml_node *n, const struct xml_node *in, struct err *e)
{
	return err_set(e, ERR_INPUT, "line %u: element '%.60s' in %.60s is not supported", n->line, n->name,
		       in->name);
}

bool pmml_need(const struct xml_node *n, const char *name, const char **out, struct err *e)
{
	*out = xml_attribute(n, name);
	return *out != NULL || err_set(e, ERR_INPUT, "line %u: %s needs the attribute '%s'", n->line, n->name, name);
}

/* NULL when it is missing or empty. */
const char *pmml_text(struct card *c, const struct xml_node *n, const char *name)
{
	const char *v = xml_attribute(n, name);
	return v != NULL && *v != '\0' ? card_text(c, bytes_of(v)) : NULL;
}

/* The attribute as one of names[0..len); otherwise when it is missing. */
bool pmml_choice(const struct xml_node *n, const char *name, const char *const *names, int len, int otherwise,
		 int *out, struct err *e)
{
	const char *v = xml_attribute(n, name);
	*out = otherwise;
	if (v == NULL && otherwise >= 0)
		return true;
	if (v == NULL)
		return pmml_need(n, name, &v, e);
	for (int i = 0; i < len; i++) {
		if (names[i][0] != '\0' && strcmp(names[i], v) == 0) {
			*out = i;
			return true;
		}
	}
	return err_set(e, ERR_INPUT, "line %u: %s '%.60s' is not supported", n->line, name, v);
}

/* *has false when it is missing. */
bool pmml_number(const struct xml_node *n, const char *name, bool *has, double *out, struct err *e)
{
	struct value v = { 0 };
	const char *text = xml_attribute(n, name);
	*has = text != NULL;
	if (text == NULL)
		return true;
	if (!card_value_parse(CARD_DOUBLE, bytes_of(text), &v, e))
		return err_wrap(e, "line %u: %s", n->line, name);
	*out = v.number;
	return true;
}

bool pmml_value(struct card *c, const struct xml_node *n, const struct card_field *f, struct bytes text,
		struct value *out, struct err *e)
{
	if (!card_value_parse(f->type, text, out, e))
		return err_wrap(e, "line %u: field '%.80s'", n->line, f->name);
	if (out->kind == VALUE_TEXT)
		out->text = (struct bytes){ (const uint8_t *)card_text(c, text), text.len };
	return true;
}

/* An Extension of ours: its name, and its value. Those of others are refused like any element. */
bool pmml_extension(const struct xml_node *n, const struct xml_node *in, const char *name, const char **value,
		    struct err *e)
{
	const char *by = xml_attribute(n, "extender"), *what = xml_attribute(n, "name");
	if (by == NULL || strcmp(by, PMML_EXTENDER) != 0)
		return err_set(e, ERR_INPUT, "line %u: the Extension of '%.40s' in %s is not supported", n->line,
			       by != NULL ? by : "", in->name);
	if (what == NULL || strcmp(what, name) != 0)
		return err_set(e, ERR_INPUT, "line %u: the Extension '%.40s' is not known in %s", n->line,
			       what != NULL ? what : "", in->name);
	return pmml_only(n, "extender name value", e) && pmml_need(n, "value", value, e);
}

bool pmml_childless(const struct xml_node *n, struct err *e)
{
	return n->first == NULL || pmml_unsupported(n->first, n, e);
}

/* --- Header and DataDictionary --- */

bool pmml_header_read(struct card *c, const struct xml_node *n, struct err *e)
{
	const char *value = NULL;
	if (!pmml_only(n, "copyright description modelVersion", e))
		return false;
	c->description = pmml_text(c, n, "description");
	c->copyright = pmml_text(c, n, "copyright");
	for (const struct xml_node *m = n->first; m != NULL; m = m->next) {
		if (pmml_is(m, "Application") || pmml_is(m, "Timestamp") || pmml_is(m, "Annotation")) {
			if (!pmml_childless(m, e))
				return false;
			continue;
		}
		if (!pmml_is(m, "Extension"))
			return pmml_unsupported(m, n, e);
		if (!pmml_extension(m, n, "sample", &value, e) || !pmml_childless(m, e))
			return false;
		if (strcmp(value, "true") != 0)
			return err_set(e, ERR_INPUT, "line %u: sample is true, or left out", m->line);
		c->sample = true;
	}
	return true;
}

static bool interval_read(const struct xml_node *n, struct card_field *f, struct err *e)
{
	static const char *const closures[] = { "openOpen", "openClosed", "closedOpen", "closedClosed" };
	struct card_interval v = { -(double)INFINITY, (double)INFINITY, false, false };
	int closure = 0;
	bool has = false;
	if (!pmml_only(n, "closure leftMargin rightMargin", e) || !pmml_childless(n, e) ||
	    !pmml_choice(n, "closure", closures, 4, -1, &closure, e) ||
	    !pmml_number(n, "leftMargin", &has, &v.left, e))
		return false;
	v.left_closed = has && closure >= 2;
	if (!pmml_number(n, "rightMargin", &has, &v.right, e))
		return false;
	v.right_closed = has && closure % 2 == 1;
	return card_add_interval(f, v, e) || err_wrap(e, "line %u", n->line);
}

static bool value_read(struct card *c, const struct xml_node *n, struct card_field *f, struct err *e)
{
	struct card_value v = { .property = CARD_VALID };
	const char *text = NULL;
	int property = 0;
	if (!pmml_only(n, "value displayValue property", e) || !pmml_childless(n, e) ||
	    !pmml_need(n, "value", &text, e) ||
	    !pmml_choice(n, "property", card_property_names, CARD_PROPERTIES, CARD_VALID, &property, e))
		return false;
	v.property = (enum card_property)property;
	/* What stands for missing or invalid need be no value of the type: "NA" among numbers. */
	if (v.property != CARD_VALID && !card_value_parse(f->type, bytes_of(text), &v.value, NULL))
		v.value = (struct value){ .kind = VALUE_TEXT };
	else if (!pmml_value(c, n, f, bytes_of(text), &v.value, e))
		return false;
	if (v.value.kind == VALUE_TEXT)
		v.value.text = bytes_of(card_text(c, bytes_of(text)));
	return card_add_value(f, v, e) || err_wrap(e, "line %u", n->line);
}

static bool field_read(struct card *c, const struct xml_node *n, struct err *e)
{
	const char *name = NULL, *cyclic = xml_attribute(n, "isCyclic");
	int type = 0, optype = 0;
	if (!pmml_only(n, "name displayName optype dataType isCyclic", e) || !pmml_need(n, "name", &name, e) ||
	    !pmml_choice(n, "dataType", card_type_names, CARD_TYPES, -1, &type, e) ||
	    !pmml_choice(n, "optype", card_optype_names, CARD_OPTYPES, -1, &optype, e))
		return false;
	if (*name == '\0')
		return err_set(e, ERR_INPUT, "line %u: a field's name is empty", n->line);
	if (cyclic != NULL && strcmp(cyclic, "0") != 0)
		return err_set(e, ERR_INPUT, "line %u: isCyclic '%.20s' is not supported", n->line, cyclic);
	struct card_field *f = card_add_field(c, e);
	if (f == NULL)
		return err_wrap(e, "line %u", n->line);
	f->name = card_text(c, bytes_of(name));
	f->display = pmml_text(c, n, "displayName");
	f->type = (enum card_type)type;
	f->optype = (enum card_optype)optype;
	for (const struct xml_node *m = n->first; m != NULL; m = m->next) {
		bool ok = pmml_is(m, "Interval") ? interval_read(m, f, e)
			  : pmml_is(m, "Value")  ? value_read(c, m, f, e)
						 : pmml_unsupported(m, n, e);
		if (!ok)
			return false;
	}
	return true;
}

bool pmml_dictionary_read(struct card *c, const struct xml_node *n, struct err *e)
{
	const char *count = xml_attribute(n, "numberOfFields");
	char digits[24];
	if (!pmml_only(n, "numberOfFields", e))
		return false;
	for (const struct xml_node *m = n->first; m != NULL; m = m->next)
		if (!(pmml_is(m, "DataField") ? field_read(c, m, e) : pmml_unsupported(m, n, e)))
			return false;
	snprintf(digits, sizeof(digits), "%zu", c->fields_len);
	return count == NULL || strcmp(count, digits) == 0 ||
	       err_set(e, ERR_INPUT, "line %u: numberOfFields is '%.20s', and there are %s", n->line, count, digits);
}

/* --- MiningSchema and Output --- */

static bool replacement(struct card *c, const struct xml_node *n, const char *name, const struct card_field *f,
			struct value *out, struct err *e)
{
	const char *text = xml_attribute(n, name);
	return text == NULL || pmml_value(c, n, f, bytes_of(text), out, e) || err_wrap(e, "%s", name);
}

/* The schema may say optype again, and outliers="asIs", which is the default. */
static bool mining_same(const struct xml_node *n, const struct card_field *f, struct err *e)
{
	const char *optype = xml_attribute(n, "optype"), *outliers = xml_attribute(n, "outliers");
	if (optype != NULL && strcmp(optype, card_optype_names[f->optype]) != 0)
		return err_set(e, ERR_INPUT, "line %u: another optype than in the data dictionary is not supported",
			       n->line);
	return outliers == NULL || strcmp(outliers, "asIs") == 0 ||
	       err_set(e, ERR_INPUT, "line %u: outliers '%.40s' is not supported", n->line, outliers);
}

static bool mining_read(struct card *c, const struct xml_node *n, struct err *e)
{
	const char *name = NULL, *given = xml_attribute(n, "usageType");
	int usage = CARD_TARGET, invalid = 0, missing = 0;
	if (!pmml_only(n,
		       "name usageType optype importance outliers missingValueReplacement missingValueTreatment "
		       "invalidValueTreatment invalidValueReplacement",
		       e) ||
	    !pmml_childless(n, e) || !pmml_need(n, "name", &name, e))
		return false;
	uint32_t at = card_field_find(c, bytes_of(name));
	if (at == CARD_FIELDS_MAX || c->fields[at].usage != CARD_UNUSED)
		return err_set(e, ERR_INPUT, "line %u: field '%.80s' is %s", n->line, name,
			       at == CARD_FIELDS_MAX ? "not in the data dictionary" : "in the mining schema twice");
	struct card_field *f = &c->fields[at];
	bool predicted = given != NULL && strcmp(given, "predicted") == 0; /* "target" before 4.2 */
	if ((!predicted && !pmml_choice(n, "usageType", card_usage_names, CARD_USAGES, CARD_ACTIVE, &usage, e)) ||
	    !pmml_choice(n, "invalidValueTreatment", card_invalid_names, CARD_INVALIDS, CARD_RETURN_INVALID, &invalid,
			 e) ||
	    !pmml_choice(n, "missingValueTreatment", card_missing_names, CARD_MISSINGS, CARD_MISSING_AS_IS, &missing,
			 e))
		return false;
	f->usage = (enum card_usage)usage;
	f->invalid = (enum card_invalid)invalid;
	f->missing = (enum card_missing)missing;
	return mining_same(n, f, e) && replacement(c, n, "missingValueReplacement", f, &f->missing_replacement, e) &&
	       replacement(c, n, "invalidValueReplacement", f, &f->invalid_replacement, e);
}

bool pmml_schema_read(struct card *c, const struct xml_node *n, struct err *e)
{
	if (!pmml_only(n, "", e))
		return false;
	for (const struct xml_node *m = n->first; m != NULL; m = m->next)
		if (!(pmml_is(m, "MiningField") ? mining_read(c, m, e) : pmml_unsupported(m, n, e)))
			return false;
	return true;
}

static bool output_field_read(struct card *c, const struct xml_node *n, struct err *e)
{
	const char *name = NULL;
	int feature = 0, type = 0, optype = 0;
	double rank = 1;
	bool has = false;
	if (!pmml_only(n, "name feature rank dataType optype", e) || !pmml_childless(n, e) ||
	    !pmml_need(n, "name", &name, e) ||
	    !pmml_choice(n, "feature", card_feature_names, CARD_FEATURES, CARD_PREDICTED, &feature, e) ||
	    !pmml_number(n, "rank", &has, &rank, e))
		return false;
	bool reason = feature == CARD_REASON;
	if (!pmml_choice(n, "dataType", card_type_names, CARD_TYPES, reason ? CARD_STRING : CARD_DOUBLE, &type, e) ||
	    !pmml_choice(n, "optype", card_optype_names, CARD_OPTYPES, reason ? CARD_CATEGORICAL : CARD_CONTINUOUS,
			 &optype, e))
		return false;
	if (!(rank >= 1 && rank <= CARD_CHARACTERISTICS_MAX && rank <= floor(rank)))
		return err_set(e, ERR_INPUT, "line %u: rank is a whole number from 1 to %d", n->line,
			       CARD_CHARACTERISTICS_MAX);
	struct card_output *o = card_add_output(c, e);
	if (o == NULL)
		return err_wrap(e, "line %u", n->line);
	*o = (struct card_output){ card_text(c, bytes_of(name)), (enum card_feature)feature,
				   reason ? (unsigned)rank : 1, (enum card_type)type, (enum card_optype)optype };
	return true;
}

bool pmml_output_read(struct card *c, const struct xml_node *n, struct err *e)
{
	if (!pmml_only(n, "", e))
		return false;
	for (const struct xml_node *m = n->first; m != NULL; m = m->next)
		if (!(pmml_is(m, "OutputField") ? output_field_read(c, m, e) : pmml_unsupported(m, n, e)))
			return false;
	return true;
}
