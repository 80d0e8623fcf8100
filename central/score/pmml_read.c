#include "central/score/pmml_inner.h"

#include <string.h>

#define SPACE "http://www.dmg.org/PMML-4_"
#define XSI   "http://www.w3.org/2001/XMLSchema-instance schemaLocation"

/* --- Scorecard --- */

/* The one predicate among the element's children. */
static bool predicate_of(struct card *c, const struct xml_node *n, struct predicate **out, struct err *e)
{
	*out = predicate_new();
	if (n->first == NULL)
		return err_set(e, ERR_INPUT, "line %u: %s needs a predicate", n->line, n->name);
	for (const struct xml_node *m = n->first; m != NULL; m = m->next)
		if (!pmml_predicate_read(c, m, *out, e))
			return false;
	return true;
}

static bool attribute_read(struct card *c, struct card_characteristic *h, const struct xml_node *n, struct err *e)
{
	bool has = false;
	double points = 0;
	if (!pmml_only(n, "partialScore reasonCode", e) || !pmml_number(n, "partialScore", &has, &points, e))
		return false;
	for (const struct xml_node *m = n->first; m != NULL; m = m->next)
		if (pmml_is(m, "ComplexPartialScore"))
			return pmml_unsupported(m, n, e);
	if (!has)
		return err_set(e, ERR_INPUT, "line %u: Attribute needs the attribute 'partialScore'", n->line);
	struct card_attribute *a = card_add_attribute(h, e);
	if (a == NULL)
		return err_wrap(e, "line %u", n->line);
	a->points = points;
	a->reason = pmml_text(c, n, "reasonCode");
	return predicate_of(c, n, &a->when, e);
}

static bool characteristic_read(struct card *c, const struct xml_node *n, struct err *e)
{
	const char *trend = NULL;
	struct card_characteristic *h = card_add_characteristic(c, e);
	if (h == NULL)
		return err_wrap(e, "line %u", n->line);
	if (!pmml_only(n, "name reasonCode baselineScore", e) ||
	    !pmml_number(n, "baselineScore", &h->has_baseline, &h->baseline, e))
		return false;
	h->name = pmml_text(c, n, "name");
	h->reason = pmml_text(c, n, "reasonCode");
	for (const struct xml_node *m = n->first; m != NULL; m = m->next) {
		if (pmml_is(m, "Attribute")) {
			if (!attribute_read(c, h, m, e))
				return false;
			continue;
		}
		if (!pmml_is(m, "Extension"))
			return pmml_unsupported(m, n, e);
		if (!pmml_extension(m, n, "trend", &trend, e) || !pmml_childless(m, e))
			return false;
		for (h->trend = CARD_RISING; h->trend < CARD_TRENDS; h->trend++)
			if (strcmp(card_trend_names[h->trend], trend) == 0)
				break;
		if (h->trend == CARD_TRENDS)
			return err_set(e, ERR_INPUT, "line %u: trend is increasing or decreasing", m->line);
	}
	return true;
}

static bool characteristics_read(struct card *c, const struct xml_node *n, struct err *e)
{
	if (!pmml_only(n, "", e))
		return false;
	for (const struct xml_node *m = n->first; m != NULL; m = m->next)
		if (!(pmml_is(m, "Characteristic") ? characteristic_read(c, m, e) : pmml_unsupported(m, n, e)))
			return false;
	return true;
}

static bool knockout_read(struct card *c, const struct xml_node *n, const struct xml_node *in, struct err *e)
{
	const char *code = NULL;
	if (!pmml_extension(n, in, "knockout", &code, e))
		return false;
	if (*code == '\0')
		return err_set(e, ERR_INPUT, "line %u: a knock-out needs its reason as value", n->line);
	struct card_knockout *k = card_add_knockout(c, e);
	if (k == NULL)
		return err_wrap(e, "line %u", n->line);
	k->reason = card_text(c, bytes_of(code));
	return predicate_of(c, n, &k->when, e);
}

static bool card_head_read(struct card *c, const struct xml_node *n, struct err *e)
{
	static const char *const functions[] = { "regression" }, *const scorable[] = { "true" },
				 *const yes_no[] = { "true", "false" },
				 *const methods[] = { "max", "min", "mean", "neutral", "other" };
	int function = 0, one = 0, reasons = 0, algorithm = 0, method = 0;
	bool has = false;
	if (!pmml_only(n,
		       "modelName functionName algorithmName initialScore useReasonCodes reasonCodeAlgorithm "
		       "baselineScore baselineMethod isScorable",
		       e) ||
	    !pmml_choice(n, "functionName", functions, 1, -1, &function, e) ||
	    !pmml_choice(n, "isScorable", scorable, 1, 0, &one, e) ||
	    !pmml_choice(n, "useReasonCodes", yes_no, 2, 0, &reasons, e) ||
	    !pmml_choice(n, "reasonCodeAlgorithm", card_algorithm_names, CARD_ALGORITHMS, CARD_POINTS_BELOW,
			 &algorithm, e) ||
	    !pmml_choice(n, "baselineMethod", methods, 5, 4, &method, e) ||
	    !pmml_number(n, "initialScore", &has, &c->initial, e) ||
	    !pmml_number(n, "baselineScore", &c->has_baseline, &c->baseline, e))
		return false;
	c->use_reasons = reasons == 0;
	c->reasons = (enum card_algorithm)algorithm;
	c->baseline_method = methods[method];
	c->name = pmml_text(c, n, "modelName");
	c->algorithm = pmml_text(c, n, "algorithmName");
	return true;
}

/* The parts that stand once in a Scorecard, and how often they were met. */
static const struct {
	const char *name;
	bool (*read)(struct card *c, const struct xml_node *n, struct err *e);
	bool needed;
} parts[] = {
	{ "MiningSchema", pmml_schema_read, true },
	{ "Output", pmml_output_read, false },
	{ "Characteristics", characteristics_read, true },
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static bool part_read(struct card *c, const struct xml_node *m, const struct xml_node *in, unsigned met[PARTS],
		      struct err *e)
{
	for (size_t i = 0; i < PARTS; i++)
		if (pmml_is(m, parts[i].name))
			return (met[i]++ == 0 || err_set(e, ERR_INPUT, "line %u: a second %s", m->line, m->name)) &&
			       parts[i].read(c, m, e);
	return pmml_is(m, "Extension") ? knockout_read(c, m, in, e) : pmml_unsupported(m, in, e);
}

static bool scorecard_read(struct card *c, const struct xml_node *n, struct err *e)
{
	unsigned met[PARTS] = { 0 };
	if (!card_head_read(c, n, e))
		return false;
	for (const struct xml_node *m = n->first; m != NULL; m = m->next)
		if (!part_read(c, m, n, met, e))
			return false;
	for (size_t i = 0; i < PARTS; i++)
		if (parts[i].needed && met[i] == 0)
			return err_set(e, ERR_INPUT, "line %u: Scorecard needs %s", n->line, parts[i].name);
	return true;
}

/* --- the document --- */

static bool spaces_check(const struct xml_node *n, const char *space, struct err *e)
{
	for (; n != NULL; n = n->next)
		if ((strcmp(n->space, space) != 0 &&
		     !err_set(e, ERR_INPUT, "line %u: element '%.60s' of the namespace '%.80s' is not supported",
			      n->line, n->name, n->space)) ||
		    !spaces_check(n->first, space, e))
			return false;
	return true;
}

static bool root_check(const struct xml_node *n, struct err *e)
{
	size_t len = strlen(SPACE);
	const char *version = NULL;
	if (!pmml_is(n, "PMML") || strncmp(n->space, SPACE, len) != 0 || strlen(n->space) != len + 1 ||
	    n->space[len] < '1' || n->space[len] > '4')
		return err_set(e, ERR_INPUT, "line %u: expected PMML in a namespace from %s1 to %s4", n->line, SPACE,
			       SPACE);
	for (size_t i = 0; i < n->attributes_len; i++)
		if (strcmp(n->attributes[i].name, "version") != 0 && strcmp(n->attributes[i].name, XSI) != 0)
			return err_set(e, ERR_INPUT, "line %u: attribute '%.80s' of PMML is not supported", n->line,
				       n->attributes[i].name);
	if (!pmml_need(n, "version", &version, e))
		return false;
	if (strncmp(version, "4.", 2) != 0 || version[2] != n->space[len] ||
	    (version[3] != '\0' && version[3] != '.'))
		return err_set(e, ERR_INPUT, "line %u: version '%.20s' is not the namespace's", n->line, version);
	return spaces_check(n, n->space, e);
}

static bool document_read(struct card *c, const struct xml_node *root, struct err *e)
{
	static const char *const names[] = { "Header", "DataDictionary", "Scorecard" };
	static bool (*const read[])(struct card *, const struct xml_node *,
				    struct err *) = { pmml_header_read, pmml_dictionary_read, scorecard_read };
	const struct xml_node *m = root->first;
	if (!root_check(root, e))
		return false;
	for (size_t i = 0; i < 3; i++, m = m->next) {
		if (m == NULL)
			return err_set(e, ERR_INPUT, "line %u: PMML needs %s", root->line, names[i]);
		if (!pmml_is(m, names[i]))
			return pmml_unsupported(m, root, e);
		if (!read[i](c, m, e))
			return false;
	}
	return (m == NULL || pmml_unsupported(m, root, e)) && card_check(c, e);
}

struct card *pmml_read(struct bytes document, struct err *e)
{
	struct xml *x = xml_parse(document, e);
	if (x == NULL)
		return NULL;
	struct card *c = card_new();
	bool ok = document_read(c, xml_root(x), e);
	xml_free(x);
	if (ok)
		return c;
	card_free(c);
	return NULL;
}
