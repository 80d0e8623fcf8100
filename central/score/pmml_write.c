/*
 * Attributes stand in one order, those at their defaults are left out, numbers are the shortest that read back, fields and mining
 * fields stand in the data dictionary's order: so that one card has one text.
 */
#include "central/score/pmml_inner.h"

#include <math.h>

static void put(struct buf *out, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	buf_add_fmt(out, " %s=\"", name);
	xml_put(out, bytes_of(value));
	buf_add_str(out, "\"");
}

static void put_number(struct buf *out, const char *name, double v)
{
	char digits[32];
	card_number_format(v, digits);
	put(out, name, digits);
}

static void put_value(struct buf *out, const char *name, const struct value *v)
{
	if (v->kind == VALUE_NUMBER)
		put_number(out, name, v->number);
	else if (v->kind == VALUE_BOOL)
		put(out, name, v->boolean ? "true" : "false");
	if (v->kind != VALUE_TEXT)
		return;
	buf_add_fmt(out, " %s=\"", name); /* an empty text is a value too */
	xml_put(out, v->text);
	buf_add_str(out, "\"");
}

static void extension_put(struct buf *out, int indent, const char *name, const char *value, const char *end)
{
	buf_add_fmt(out, "%*s<Extension", indent, "");
	put(out, "extender", PMML_EXTENDER);
	put(out, "name", name);
	put(out, "value", value);
	buf_add_str(out, end);
}

static void header_put(const struct card *c, struct buf *out)
{
	buf_add_str(out, "  <Header");
	put(out, "copyright", c->copyright);
	put(out, "description", c->description);
	if (!c->sample) {
		buf_add_str(out, "/>\n");
		return;
	}
	buf_add_str(out, ">\n");
	extension_put(out, 4, "sample", "true", "/>\n");
	buf_add_str(out, "  </Header>\n");
}

static void interval_put(const struct card_interval *v, struct buf *out)
{
	buf_add_fmt(out, "      <Interval closure=\"%s%s\"", v->left_closed ? "closed" : "open",
		    v->right_closed ? "Closed" : "Open");
	if (isfinite(v->left))
		put_number(out, "leftMargin", v->left);
	if (isfinite(v->right))
		put_number(out, "rightMargin", v->right);
	buf_add_str(out, "/>\n");
}

static void field_put(const struct card_field *f, struct buf *out)
{
	buf_add_str(out, "    <DataField");
	put(out, "name", f->name);
	put(out, "displayName", f->display);
	put(out, "optype", card_optype_names[f->optype]);
	put(out, "dataType", card_type_names[f->type]);
	if (f->intervals_len + f->values_len == 0) {
		buf_add_str(out, "/>\n");
		return;
	}
	buf_add_str(out, ">\n");
	for (size_t i = 0; i < f->intervals_len; i++)
		interval_put(&f->intervals[i], out);
	for (size_t i = 0; i < f->values_len; i++) {
		buf_add_str(out, "      <Value");
		put_value(out, "value", &f->values[i].value);
		if (f->values[i].property != CARD_VALID)
			put(out, "property", card_property_names[f->values[i].property]);
		buf_add_str(out, "/>\n");
	}
	buf_add_str(out, "    </DataField>\n");
}

static void mining_put(const struct card_field *f, struct buf *out)
{
	if (f->usage == CARD_UNUSED)
		return;
	buf_add_str(out, "      <MiningField");
	put(out, "name", f->name);
	put(out, "usageType", card_usage_names[f->usage]);
	put_value(out, "missingValueReplacement", &f->missing_replacement);
	if (f->missing != CARD_MISSING_AS_IS)
		put(out, "missingValueTreatment", card_missing_names[f->missing]);
	put(out, "invalidValueTreatment", card_invalid_names[f->invalid]);
	put_value(out, "invalidValueReplacement", &f->invalid_replacement);
	buf_add_str(out, "/>\n");
}

static void outputs_put(const struct card *c, struct buf *out)
{
	if (c->outputs_len == 0)
		return;
	buf_add_str(out, "    <Output>\n");
	for (size_t i = 0; i < c->outputs_len; i++) {
		const struct card_output *o = &c->outputs[i];
		buf_add_str(out, "      <OutputField");
		put(out, "name", o->name);
		put(out, "optype", card_optype_names[o->optype]);
		put(out, "dataType", card_type_names[o->type]);
		put(out, "feature", card_feature_names[o->feature]);
		if (o->feature == CARD_REASON)
			put_number(out, "rank", o->rank);
		buf_add_str(out, "/>\n");
	}
	buf_add_str(out, "    </Output>\n");
}

static void characteristic_put(const struct card *c, const struct card_characteristic *h, struct buf *out)
{
	buf_add_str(out, "      <Characteristic");
	put(out, "name", h->name);
	put(out, "reasonCode", h->reason);
	if (h->has_baseline)
		put_number(out, "baselineScore", h->baseline);
	buf_add_str(out, ">\n");
	if (h->trend != CARD_ANY)
		extension_put(out, 8, "trend", card_trend_names[h->trend], "/>\n");
	for (size_t i = 0; i < h->attributes_len; i++) {
		buf_add_str(out, "        <Attribute");
		put_number(out, "partialScore", h->attributes[i].points);
		put(out, "reasonCode", h->attributes[i].reason);
		buf_add_str(out, ">\n");
		pmml_predicate_write(c, h->attributes[i].when, 10, out);
		buf_add_str(out, "        </Attribute>\n");
	}
	buf_add_str(out, "      </Characteristic>\n");
}

static void scorecard_put(const struct card *c, struct buf *out)
{
	buf_add_str(out, "  <Scorecard");
	put(out, "modelName", c->name);
	put(out, "functionName", "regression");
	put(out, "algorithmName", c->algorithm);
	put_number(out, "initialScore", c->initial);
	put(out, "useReasonCodes", c->use_reasons ? "true" : "false");
	put(out, "reasonCodeAlgorithm", card_algorithm_names[c->reasons]);
	if (c->has_baseline)
		put_number(out, "baselineScore", c->baseline);
	put(out, "baselineMethod", c->baseline_method);
	buf_add_str(out, ">\n");
	for (size_t i = 0; i < c->knockouts_len; i++) {
		extension_put(out, 4, "knockout", c->knockouts[i].reason, ">\n");
		pmml_predicate_write(c, c->knockouts[i].when, 6, out);
		buf_add_str(out, "    </Extension>\n");
	}
	buf_add_str(out, "    <MiningSchema>\n");
	for (size_t i = 0; i < c->fields_len; i++)
		mining_put(&c->fields[i], out);
	buf_add_str(out, "    </MiningSchema>\n");
	outputs_put(c, out);
	buf_add_str(out, "    <Characteristics>\n");
	for (size_t i = 0; i < c->characteristics_len; i++)
		characteristic_put(c, &c->characteristics[i], out);
	buf_add_str(out, "    </Characteristics>\n  </Scorecard>\n");
}

bool pmml_write(const struct card *c, struct buf *out, struct err *e)
{
	buf_add_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			 "<PMML xmlns=\"http://www.dmg.org/PMML-4_4\" version=\"4.4\">\n");
	header_put(c, out);
	buf_add_str(out, "  <DataDictionary");
	put_number(out, "numberOfFields", (double)c->fields_len);
	buf_add_str(out, ">\n");
	for (size_t i = 0; i < c->fields_len; i++)
		field_put(&c->fields[i], out);
	buf_add_str(out, "  </DataDictionary>\n");
	scorecard_put(c, out);
	buf_add_str(out, "</PMML>\n");
	return buf_ok(out, "the model", e);
}

bool pmml_hash(const struct card *c, uint8_t out[HASH_LEN], struct err *e)
{
	struct buf text;
	buf_init(&text, DOCUMENT_MAX);
	bool ok = pmml_write(c, &text, e);
	if (ok)
		sha256(buf_bytes(&text), out);
	buf_clear(&text);
	return ok;
}
