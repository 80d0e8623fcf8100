#include "central/score/card.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const card_type_names[CARD_TYPES] = { "double", "float", "integer", "string", "boolean" };
const char *const card_optype_names[CARD_OPTYPES] = { "continuous", "categorical", "ordinal" };
const char *const card_usage_names[CARD_USAGES] = { "", "active", "supplementary", "target" };
const char *const card_invalid_names[CARD_INVALIDS] = { "returnInvalid", "asIs", "asMissing", "asValue" };
const char *const card_missing_names[CARD_MISSINGS] = { "asIs",     "asMean",  "asMode",
							"asMedian", "asValue", "returnInvalid" };
const char *const card_property_names[CARD_PROPERTIES] = { "valid", "invalid", "missing" };
const char *const card_algorithm_names[CARD_ALGORITHMS] = { "pointsAbove", "pointsBelow" };
const char *const card_trend_names[CARD_TRENDS] = { "", "increasing", "decreasing" };
const char *const card_feature_names[CARD_FEATURES] = { "predictedValue", "reasonCode" };

/* --- memory --- */

struct card_arena {
	struct card_arena *next;
	char text[];
};

struct card *card_new(void)
{
	struct card *c = calloc(1, sizeof(*c));
	if (c == NULL)
		abort();
	c->reasons = CARD_POINTS_BELOW;
	c->use_reasons = true;
	return c;
}

void card_free(struct card *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->fields_len; i++) {
		free(c->fields[i].intervals);
		free(c->fields[i].values);
	}
	for (size_t i = 0; i < c->characteristics_len; i++) {
		for (size_t k = 0; k < c->characteristics[i].attributes_len; k++)
			predicate_free(c->characteristics[i].attributes[k].when);
		free(c->characteristics[i].attributes);
	}
	for (size_t i = 0; i < c->knockouts_len; i++)
		predicate_free(c->knockouts[i].when);
	free(c->fields);
	free(c->characteristics);
	free(c->knockouts);
	free(c->outputs);
	for (struct card_arena *a = c->arena, *next; a != NULL; a = next) {
		next = a->next;
		free(a);
	}
	free(c);
}

const char *card_text(struct card *c, struct bytes text)
{
	struct card_arena *a = malloc(sizeof(*a) + text.len + 1);
	if (a == NULL)
		abort();
	if (text.len > 0)
		memcpy(a->text, text.data, text.len);
	a->text[text.len] = '\0';
	a->next = c->arena;
	c->arena = a;
	return a->text;
}

/* One more at the end of an array whose capacity is the next power of two; *len counts it. */
static void *one_more(void **array, size_t *len, size_t most, size_t size, const char *what, struct err *e)
{
	if (*len == most) {
		err_set(e, ERR_FULL, "more than %zu %s", most, what);
		return NULL;
	}
	if ((*len & (*len - 1)) == 0) {
		void *grown = realloc(*array, (*len == 0 ? 1 : *len * 2) * size);
		if (grown == NULL)
			abort();
		*array = grown;
	}
	void *at = (char *)*array + (*len)++ * size;
	memset(at, 0, size);
	return at;
}

struct card_field *card_add_field(struct card *c, struct err *e)
{
	void *array = c->fields;
	struct card_field *f = one_more(&array, &c->fields_len, CARD_FIELDS_MAX, sizeof(*c->fields), "fields", e);
	c->fields = array;
	return f;
}

struct card_characteristic *card_add_characteristic(struct card *c, struct err *e)
{
	void *array = c->characteristics;
	struct card_characteristic *h = one_more(&array, &c->characteristics_len, CARD_CHARACTERISTICS_MAX,
						 sizeof(*c->characteristics), "characteristics", e);
	c->characteristics = array;
	return h;
}

struct card_attribute *card_add_attribute(struct card_characteristic *h, struct err *e)
{
	void *array = h->attributes;
	struct card_attribute *a = one_more(&array, &h->attributes_len, CARD_ATTRIBUTES_MAX, sizeof(*h->attributes),
					    "attributes of one characteristic", e);
	h->attributes = array;
	return a;
}

struct card_knockout *card_add_knockout(struct card *c, struct err *e)
{
	void *array = c->knockouts;
	struct card_knockout *k =
		one_more(&array, &c->knockouts_len, CARD_KNOCKOUTS_MAX, sizeof(*c->knockouts), "knock-out rules", e);
	c->knockouts = array;
	return k;
}

struct card_output *card_add_output(struct card *c, struct err *e)
{
	void *array = c->outputs;
	struct card_output *o =
		one_more(&array, &c->outputs_len, CARD_OUTPUTS_MAX, sizeof(*c->outputs), "output fields", e);
	c->outputs = array;
	return o;
}

bool card_add_interval(struct card_field *f, struct card_interval v, struct err *e)
{
	void *array = f->intervals;
	struct card_interval *at = one_more(&array, &f->intervals_len, CARD_VALUES_MAX, sizeof(*f->intervals),
					    "intervals of one field", e);
	f->intervals = array;
	if (at == NULL)
		return false;
	*at = v;
	return v.left < v.right || (v.left <= v.right && v.left_closed && v.right_closed) ||
	       err_set(e, ERR_INPUT, "an interval that holds no number");
}

bool card_add_value(struct card_field *f, struct card_value v, struct err *e)
{
	void *array = f->values;
	struct card_value *at =
		one_more(&array, &f->values_len, CARD_VALUES_MAX, sizeof(*f->values), "values of one field", e);
	f->values = array;
	if (at == NULL)
		return false;
	*at = v;
	f->has_valid |= v.property == CARD_VALID;
	return true;
}

/* --- fields and values --- */

uint32_t card_field_find(const struct card *c, struct bytes name)
{
	for (uint32_t i = 0; i < c->fields_len; i++)
		if (bytes_equal(bytes_of(c->fields[i].name), name))
			return i;
	return CARD_FIELDS_MAX;
}

bool card_type_is_number(enum card_type t)
{
	return t == CARD_DOUBLE || t == CARD_FLOAT || t == CARD_INTEGER;
}

/* [+-] digits [. digits] [e [+-] digits]: no hexadecimal, no "inf", which strtod would take. */
static bool is_decimal(const char *s)
{
	s += *s == '+' || *s == '-';
	size_t whole = strspn(s, "0123456789");
	s += whole;
	size_t part = 0;
	if (*s == '.') {
		part = strspn(s + 1, "0123456789");
		s += 1 + part;
	}
	if (whole + part == 0)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '+' || *s == '-';
		size_t power = strspn(s, "0123456789");
		if (power == 0)
			return false;
		s += power;
	}
	return *s == '\0';
}

static bool number_parse(enum card_type t, struct bytes text, double *out, struct err *e)
{
	char digits[64];
	if (text.len == 0 || text.len >= sizeof(digits))
		return err_set(e, ERR_INPUT, "expected a number");
	memcpy(digits, text.data, text.len);
	digits[text.len] = '\0';
	if (!is_decimal(digits))
		return err_set(e, ERR_INPUT, "'%s' is no number", digits);
	double v = strtod(digits, NULL);
	if (!isfinite(v))
		return err_set(e, ERR_INPUT, "'%s' is too large a number", digits);
	if (t == CARD_INTEGER && (v < floor(v) || v > floor(v)))
		return err_set(e, ERR_INPUT, "'%s' is no whole number", digits);
	*out = v + 0.0; /* one zero, not two */
	return true;
}

bool card_value_parse(enum card_type t, struct bytes text, struct value *out, struct err *e)
{
	*out = (struct value){ .kind = VALUE_TEXT, .text = text };
	if (t == CARD_STRING)
		return true;
	if (t == CARD_BOOLEAN) {
		bool yes = bytes_equal(text, bytes_of("true")) || bytes_equal(text, bytes_of("1"));
		bool no = bytes_equal(text, bytes_of("false")) || bytes_equal(text, bytes_of("0"));
		*out = (struct value){ .kind = VALUE_BOOL, .boolean = yes };
		return yes || no ||
		       err_set(e, ERR_INPUT, "'%.*s' is neither true nor false", text.len > 40 ? 40 : (int)text.len,
			       (const char *)text.data);
	}
	*out = (struct value){ .kind = VALUE_NUMBER };
	return number_parse(t, text, &out->number, e);
}

void card_number_format(double v, char out[32])
{
	if (fabs(v) < 1e15 && v >= floor(v) && v <= floor(v)) {
		snprintf(out, 32, "%lld", (long long)v);
		return;
	}
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(out, 32, "%.*g", digits, v + 0.0);
		double again = strtod(out, NULL);
		if (again >= v && again <= v)
			return;
	}
}

/* --- the whole --- */

static bool places_check(const struct card *c, const struct predicate *p, struct err *e)
{
	if (!predicate_whole(p, e))
		return false;
	for (uint32_t i = 0; i < predicate_len(p); i++) {
		struct predicate_node n = predicate_at(p, i);
		if (n.op >= PREDICATE_AND)
			continue;
		if (n.place >= c->fields_len || c->fields[n.place].usage != CARD_ACTIVE)
			return err_set(e, ERR_INPUT, "field '%.80s' is not active in the mining schema",
				       n.place < c->fields_len ? c->fields[n.place].name : "?");
	}
	return true;
}

static bool points_check(double v, const char *what, struct err *e)
{
	return fabs(v) <= CARD_POINTS_MAX || err_set(e, ERR_INPUT, "%s is beyond %g", what, CARD_POINTS_MAX);
}

static bool characteristic_check(const struct card *c, const struct card_characteristic *h, struct err *e)
{
	if (h->attributes_len == 0)
		return err_set(e, ERR_INPUT, "it has no attribute");
	if (c->use_reasons && !h->has_baseline && !c->has_baseline)
		return err_set(e, ERR_INPUT,
			       "reason codes are used, and neither it nor the card has a baselineScore");
	if (!points_check(h->baseline, "baselineScore", e))
		return false;
	for (size_t i = 0; i < h->attributes_len; i++) {
		const struct card_attribute *a = &h->attributes[i];
		if (!points_check(a->points, "partialScore", e))
			return err_wrap(e, "attribute %zu", i + 1);
		if (c->use_reasons && a->reason == NULL && h->reason == NULL)
			return err_set(e, ERR_INPUT,
				       "reason codes are used, and neither it nor attribute %zu has a reasonCode",
				       i + 1);
		if (!places_check(c, a->when, e))
			return err_wrap(e, "attribute %zu", i + 1);
	}
	return true;
}

static bool field_check(const struct card *c, size_t at, struct err *e)
{
	const struct card_field *f = &c->fields[at];
	if (card_field_find(c, bytes_of(f->name)) != at)
		return err_set(e, ERR_INPUT, "there are two of this name");
	if (f->intervals_len > 0 && (f->optype != CARD_CONTINUOUS || !card_type_is_number(f->type)))
		return err_set(e, ERR_INPUT, "only a continuous number has intervals");
	if (f->optype == CARD_CONTINUOUS && !card_type_is_number(f->type))
		return err_set(e, ERR_INPUT, "what is continuous is a number");
	if ((f->invalid == CARD_AS_VALUE) != (f->invalid_replacement.kind != VALUE_MISSING))
		return err_set(e, ERR_INPUT, "invalidValueTreatment asValue and invalidValueReplacement go together");
	if (f->missing == CARD_MISSING_INVALID && f->missing_replacement.kind != VALUE_MISSING)
		return err_set(e, ERR_INPUT, "missingValueTreatment returnInvalid leaves nothing to replace");
	return true;
}

bool card_check(const struct card *c, struct err *e)
{
	for (size_t i = 0; i < c->fields_len; i++)
		if (!field_check(c, i, e))
			return err_wrap(e, "field '%.80s'", c->fields[i].name);
	if (!points_check(c->initial, "initialScore", e) || !points_check(c->baseline, "baselineScore", e))
		return false;
	if (c->characteristics_len == 0)
		return err_set(e, ERR_INPUT, "the card has no characteristic");
	for (size_t i = 0; i < c->characteristics_len; i++) {
		const char *name = c->characteristics[i].name;
		if (!characteristic_check(c, &c->characteristics[i], e))
			return err_wrap(e, "characteristic %zu '%.80s'", i + 1, name != NULL ? name : "");
	}
	for (size_t i = 0; i < c->knockouts_len; i++)
		if (!places_check(c, c->knockouts[i].when, e))
			return err_wrap(e, "knock-out '%.80s'", c->knockouts[i].reason);
	return true;
}
