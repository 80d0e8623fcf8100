/*
 * A card applied to one set of inputs, by its plain text: treatments of the mining schema, knock-out rules, characteristics in order,
 * first true attribute of each, sum, ranked reasons (PMML 4.4, MiningSchema and Scorecard). fast.h does the same from tables and is
 * proven equal to this. A characteristic of which no attribute is true makes the score invalid, as does an input that
 * returns invalid; the value is NAN then, never a number. Knock-out rules are judged first and stand apart from the points.
 *
 * Reasons: each characteristic's attribute has a code (its own, or the characteristic's) and a difference: points less baseline
 * (pointsAbove) or baseline less points (pointsBelow). Differences of one code are added up; codes rank by difference, largest first,
 * at one difference by the order of the characteristics; what cost nothing is no reason.
 */
#ifndef CENTRAL_SCORE_SCORE_H
#define CENTRAL_SCORE_SCORE_H

#include "central/score/card.h"

enum input_state {
	INPUT_UNUSED,           /* not an active field */
	INPUT_VALID,            /* as given */
	INPUT_MISSING,          /* stays missing */
	INPUT_MISSING_REPLACED, /* by the schema's replacement */
	INPUT_MISSING_REFUSED,  /* the schema wants it: no score */
	INPUT_INVALID_KEPT,     /* outside its values, used as it is */
	INPUT_INVALID_MISSING,  /* taken as missing */
	INPUT_INVALID_REPLACED, /* by the schema's replacement */
	INPUT_INVALID_REFUSED,  /* no score */
	INPUT_STATES,
};
const char *input_state_name(enum input_state s); /* "valid", "missing_replaced" … */
const char *input_state_zh(enum input_state s);

enum score_fault { SCORE_OK, SCORE_INPUT_REFUSED, SCORE_NO_MATCH };

struct score_reason {
	const char *code;
	double difference;
};
/* Large; callers keep one and use it again. Arrays hold as many as the card has. */
struct score {
	enum score_fault fault;
	uint32_t fault_at; /* the first field refused, or the first characteristic without a match */
	double value;      /* NAN unless SCORE_OK */
	bool knocked_out;  /* a rule is true */
	bool unsure;       /* a rule is unknown: what it asks about was not given */
	size_t reasons_len;
	uint8_t inputs[CARD_FIELDS_MAX];              /* enum input_state */
	uint8_t knockouts[CARD_KNOCKOUTS_MAX];        /* enum truth */
	int16_t attributes[CARD_CHARACTERISTICS_MAX]; /* the one that was true; -1 none */
	double points[CARD_CHARACTERISTICS_MAX];      /* NAN where none was */
	struct score_reason reasons[CARD_CHARACTERISTICS_MAX];
};

/* A value as a person or a file gives it: "" is missing; what is no value of the field's type is kept as text, and so is invalid. */
struct value score_input(const struct card_field *f, struct bytes text);
/* What the schema makes of a given value, and how. Refused ones become missing. */
enum input_state score_prepare(const struct card_field *f, const struct value *given, struct value *out);
/* given[i] belongs to field i. */
void score_run(const struct card *c, const struct value *given, struct score *out);
/* "" for a score that is valid; otherwise why not, naming the field or the characteristic: Chinese, or English. */
void score_why(const struct card *c, const struct score *s, bool english, char *out, size_t size);

/* Used by fast.c too. */
double score_difference(const struct card *c, const struct card_characteristic *h, double points);
void score_knockouts(const struct card *c, const struct value *values, struct score *out);
bool score_is_refused(enum input_state s);
/* In its rank. */
static inline void score_reason_insert(struct score *out, const char *code, double difference)
{
	size_t at = out->reasons_len++;
	for (; at > 0 && out->reasons[at - 1].difference < difference; at--)
		out->reasons[at] = out->reasons[at - 1];
	out->reasons[at] = (struct score_reason){ code, difference };
}
/* Drops what is not above zero from the end. */
void score_reasons_cut(struct score *out);

#endif
