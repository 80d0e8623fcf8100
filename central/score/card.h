/*
 * A scorecard in memory: what PMML 4.4 calls DataDictionary, MiningSchema, Output and Scorecard, and two things of our own,
 * knock-out rules and declared trends. It is made by pmml_read (or card_new and the adders), checked once by card_check, and then
 * never changed. It owns all it points to. Points are in the card's own unit; names and codes are UTF-8, at most CARD_TEXT_MAX bytes.
 */
#ifndef CENTRAL_SCORE_CARD_H
#define CENTRAL_SCORE_CARD_H

#include "protocol/predicate.h"

#define CARD_TEXT_MAX            1024 /* names, codes, descriptions */
#define CARD_POINTS_MAX          1e12 /* either way: sums of the most there can be stay exact to a thousandth */
#define CARD_FIELDS_MAX          256
#define CARD_CHARACTERISTICS_MAX 256
#define CARD_ATTRIBUTES_MAX      1024 /* of one characteristic */
#define CARD_KNOCKOUTS_MAX       64
#define CARD_OUTPUTS_MAX         64
#define CARD_VALUES_MAX          4096 /* values, and intervals, of one field */

enum card_type { CARD_DOUBLE, CARD_FLOAT, CARD_INTEGER, CARD_STRING, CARD_BOOLEAN, CARD_TYPES };
enum card_optype { CARD_CONTINUOUS, CARD_CATEGORICAL, CARD_ORDINAL, CARD_OPTYPES };
enum card_usage {
	CARD_UNUSED /* not in the mining schema */,
	CARD_ACTIVE,
	CARD_SUPPLEMENTARY,
	CARD_TARGET,
	CARD_USAGES
};
enum card_invalid { CARD_RETURN_INVALID, CARD_AS_IS, CARD_AS_MISSING, CARD_AS_VALUE, CARD_INVALIDS };
/* How a missing value was or is to be replaced. All but the first and the last say only where the replacement came from. */
enum card_missing {
	CARD_MISSING_AS_IS,
	CARD_MISSING_MEAN,
	CARD_MISSING_MODE,
	CARD_MISSING_MEDIAN,
	CARD_MISSING_VALUE,
	CARD_MISSING_INVALID,
	CARD_MISSINGS
};
enum card_property { CARD_VALID, CARD_INVALID, CARD_MISSING, CARD_PROPERTIES };
enum card_algorithm { CARD_POINTS_ABOVE, CARD_POINTS_BELOW, CARD_ALGORITHMS };
enum card_trend { CARD_ANY, CARD_RISING, CARD_FALLING, CARD_TRENDS };
enum card_feature { CARD_PREDICTED, CARD_REASON, CARD_FEATURES };

/* As PMML spells them. */
extern const char *const card_type_names[CARD_TYPES],
	*const card_optype_names[CARD_OPTYPES],
		*const card_usage_names[CARD_USAGES],
			*const card_invalid_names[CARD_INVALIDS],
				*const card_missing_names[CARD_MISSINGS],
					*const card_property_names[CARD_PROPERTIES],
						*const card_algorithm_names[CARD_ALGORITHMS],
							*const card_trend_names[CARD_TRENDS],
								*const card_feature_names[CARD_FEATURES];

struct card_interval {
	double left, right; /* -INFINITY, INFINITY: open to that side */
	bool left_closed, right_closed;
};
struct card_value {
	struct value value; /* of a missing one the text as it comes */
	enum card_property property;
};
struct card_field {
	const char *name, *display; /* display may be NULL */
	enum card_type type;
	enum card_optype optype;
	size_t intervals_len, values_len;
	struct card_interval *intervals; /* with any, a number outside all of them is invalid */
	struct card_value *values;       /* with any valid one, another value is invalid */
	bool has_valid;
	enum card_usage usage;
	enum card_invalid invalid;
	enum card_missing missing;
	struct value invalid_replacement, missing_replacement; /* VALUE_MISSING: none */
};
struct card_attribute {
	double points;
	const char *reason;     /* NULL: the characteristic's */
	struct predicate *when; /* places are indexes of fields */
};
struct card_characteristic {
	const char *name, *reason; /* NULL: none */
	bool has_baseline;
	double baseline;
	enum card_trend trend; /* declared: points as the field's value rises */
	size_t attributes_len;
	struct card_attribute *attributes; /* in order; the first that is true counts */
};
struct card_knockout {
	const char *reason;
	struct predicate *when;
};
struct card_output {
	const char *name;
	enum card_feature feature;
	unsigned rank; /* of reasons, from 1 */
	enum card_type type;
	enum card_optype optype;
};

struct card_arena;
struct card {
	struct card_arena *arena;
	const char *name, *description, *copyright, *algorithm; /* NULL: none */
	bool sample;
	bool use_reasons;
	enum card_algorithm reasons;
	const char *baseline_method; /* NULL: none */
	double initial;
	bool has_baseline;
	double baseline;
	size_t fields_len, characteristics_len, knockouts_len, outputs_len;
	struct card_field *fields;
	struct card_characteristic *characteristics;
	struct card_knockout *knockouts;
	struct card_output *outputs;
};

struct card *card_new(void);
void card_free(struct card *c);
/* A copy that lives as long as the card, with a NUL behind it. */
const char *card_text(struct card *c, struct bytes text);
/* Each gives a zeroed one at the end, or NULL when the maximum is reached. What they gave before may have moved. */
struct card_field *card_add_field(struct card *c, struct err *e) CHECKED;
struct card_characteristic *card_add_characteristic(struct card *c, struct err *e) CHECKED;
struct card_attribute *card_add_attribute(struct card_characteristic *h, struct err *e) CHECKED;
struct card_knockout *card_add_knockout(struct card *c, struct err *e) CHECKED;
struct card_output *card_add_output(struct card *c, struct err *e) CHECKED;
bool card_add_interval(struct card_field *f, struct card_interval v, struct err *e) CHECKED;
bool card_add_value(struct card_field *f, struct card_value v, struct err *e) CHECKED;

/* Index of the field of that name, or CARD_FIELDS_MAX. */
uint32_t card_field_find(const struct card *c, struct bytes name);
bool card_type_is_number(enum card_type t);
/* Text as a value of the type: numbers in decimal (XML Schema's double without INF and NaN), integers whole, booleans true, false,
   1, 0. Its text is borrowed. */
bool card_value_parse(enum card_type t, struct bytes text, struct value *out, struct err *e) CHECKED;
/* Shortest decimal that reads back as the same number; into at least 32 bytes. */
void card_number_format(double v, char out[32]);

/* What the standard asks of a card as a whole: characteristics and attributes, reason codes and baselines where reasons are used,
   predicates over active fields alone, no name twice. */
bool card_check(const struct card *c, struct err *e) CHECKED;

#endif
