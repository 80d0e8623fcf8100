#include "central/score/score.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *input_state_name(enum input_state s)
{
	static const char *const names[INPUT_STATES] = {
		"unused",       "valid",           "missing",          "missing_replaced", "missing_refused",
		"invalid_kept", "invalid_missing", "invalid_replaced", "invalid_refused",
	};
	return s < INPUT_STATES ? names[s] : "?";
}

const char *input_state_zh(enum input_state s)
{
	static const char *const names[INPUT_STATES] = {
		"未使用",     "有效",       "缺失",       "缺失已替代",   "缺失不予评分",
		"无效照原值", "无效按缺失", "无效已替代", "无效不予评分",
	};
	return s < INPUT_STATES ? names[s] : "?";
}

/* --- inputs --- */

struct value score_input(const struct card_field *f, struct bytes text)
{
	struct value v = { .kind = VALUE_MISSING };
	if (text.len == 0)
		return v;
	if (!card_value_parse(f->type, text, &v, NULL))
		v = (struct value){ .kind = VALUE_TEXT, .text = text };
	return v;
}

static bool value_equal(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case VALUE_NUMBER: return a->number >= b->number && a->number <= b->number;
	case VALUE_TEXT: return bytes_equal(a->text, b->text);
	case VALUE_BOOL: return a->boolean == b->boolean;
	case VALUE_MISSING: break;
	}
	return false;
}

static enum value_kind kind_of(enum card_type t)
{
	if (card_type_is_number(t))
		return VALUE_NUMBER;
	return t == CARD_BOOLEAN ? VALUE_BOOL : VALUE_TEXT;
}

static bool in_intervals(const struct card_field *f, double v)
{
	for (size_t i = 0; i < f->intervals_len; i++) {
		const struct card_interval *n = &f->intervals[i];
		bool left = n->left_closed ? v >= n->left : v > n->left;
		bool right = n->right_closed ? v <= n->right : v < n->right;
		if (left && right)
			return true;
	}
	return false;
}

static enum card_property property_of(const struct card_field *f, const struct value *v)
{
	if (v->kind == VALUE_MISSING)
		return CARD_MISSING;
	for (size_t i = 0; i < f->values_len; i++)
		if (value_equal(&f->values[i].value, v))
			return f->values[i].property;
	if (v->kind != kind_of(f->type))
		return CARD_INVALID;
	if (v->kind == VALUE_NUMBER) {
		if (!isfinite(v->number) ||
		    (f->type == CARD_INTEGER && (v->number < floor(v->number) || v->number > floor(v->number))))
			return CARD_INVALID;
		if (f->intervals_len > 0)
			return in_intervals(f, v->number) ? CARD_VALID : CARD_INVALID;
	}
	return f->has_valid ? CARD_INVALID : CARD_VALID;
}

static enum input_state missing_prepare(const struct card_field *f, bool was_invalid, struct value *out)
{
	*out = f->missing_replacement;
	if (f->missing == CARD_MISSING_INVALID)
		return was_invalid ? INPUT_INVALID_REFUSED : INPUT_MISSING_REFUSED;
	if (out->kind != VALUE_MISSING)
		return was_invalid ? INPUT_INVALID_REPLACED : INPUT_MISSING_REPLACED;
	return was_invalid ? INPUT_INVALID_MISSING : INPUT_MISSING;
}

enum input_state score_prepare(const struct card_field *f, const struct value *given, struct value *out)
{
	*out = (struct value){ .kind = VALUE_MISSING };
	if (f->usage != CARD_ACTIVE)
		return INPUT_UNUSED;
	enum card_property property = property_of(f, given);
	if (property == CARD_MISSING)
		return missing_prepare(f, false, out);
	if (property == CARD_VALID) {
		*out = *given;
		return INPUT_VALID;
	}
	switch (f->invalid) {
	case CARD_AS_IS: *out = *given; return INPUT_INVALID_KEPT;
	case CARD_AS_MISSING: return missing_prepare(f, true, out);
	case CARD_AS_VALUE: *out = f->invalid_replacement; return INPUT_INVALID_REPLACED;
	case CARD_RETURN_INVALID:
	case CARD_INVALIDS: break;
	}
	return INPUT_INVALID_REFUSED;
}

bool score_is_refused(enum input_state s)
{
	return s == INPUT_MISSING_REFUSED || s == INPUT_INVALID_REFUSED;
}

/* --- reasons --- */

double score_difference(const struct card *c, const struct card_characteristic *h, double points)
{
	double baseline = h->has_baseline ? h->baseline : c->baseline;
	return c->reasons == CARD_POINTS_ABOVE ? points - baseline : baseline - points;
}

void score_reasons_cut(struct score *out)
{
	while (out->reasons_len > 0 && out->reasons[out->reasons_len - 1].difference <= 0)
		out->reasons_len--;
}

static const char *reason_of(const struct card *c, const struct score *s, size_t i)
{
	const struct card_characteristic *h = &c->characteristics[i];
	const char *own = h->attributes[s->attributes[i]].reason;
	return own != NULL ? own : h->reason;
}

static void reasons_rank(const struct card *c, struct score *out)
{
	for (size_t i = 0; i < c->characteristics_len; i++) {
		const char *code = reason_of(c, out, i);
		double sum = 0;
		bool before = false;
		for (size_t k = 0; k < c->characteristics_len; k++) {
			if (strcmp(reason_of(c, out, k), code) != 0)
				continue;
			before |= k < i;
			sum += score_difference(c, &c->characteristics[k], out->points[k]);
		}
		if (!before)
			score_reason_insert(out, code, sum);
	}
	score_reasons_cut(out);
}

/* --- the score --- */

void score_knockouts(const struct card *c, const struct value *values, struct score *out)
{
	out->knocked_out = out->unsure = false;
	for (size_t i = 0; i < c->knockouts_len; i++) {
		enum truth t = predicate_eval_places(c->knockouts[i].when, values);
		out->knockouts[i] = (uint8_t)t;
		out->knocked_out |= t == TRUTH_TRUE;
		out->unsure |= t == TRUTH_UNKNOWN;
	}
}

static void characteristic_score(const struct card *c, size_t i, const struct value *values, struct score *out)
{
	const struct card_characteristic *h = &c->characteristics[i];
	for (size_t k = 0; k < h->attributes_len; k++) {
		if (predicate_eval_places(h->attributes[k].when, values) != TRUTH_TRUE)
			continue;
		out->attributes[i] = (int16_t)k;
		out->points[i] = h->attributes[k].points;
		return;
	}
	if (out->fault != SCORE_OK)
		return;
	out->fault = SCORE_NO_MATCH;
	out->fault_at = (uint32_t)i;
}

void score_run(const struct card *c, const struct value *given, struct score *out)
{
	struct value values[CARD_FIELDS_MAX];
	out->fault = SCORE_OK;
	out->fault_at = 0;
	out->value = NAN;
	out->reasons_len = 0;
	for (size_t i = 0; i < c->fields_len; i++) {
		enum input_state s = score_prepare(&c->fields[i], &given[i], &values[i]);
		out->inputs[i] = (uint8_t)s;
		if (!score_is_refused(s) || out->fault != SCORE_OK)
			continue;
		out->fault = SCORE_INPUT_REFUSED;
		out->fault_at = (uint32_t)i;
	}
	score_knockouts(c, values, out);
	for (size_t i = 0; i < c->characteristics_len; i++) {
		out->attributes[i] = -1;
		out->points[i] = NAN;
	}
	if (out->fault != SCORE_OK)
		return;
	for (size_t i = 0; i < c->characteristics_len; i++)
		characteristic_score(c, i, values, out);
	if (out->fault != SCORE_OK)
		return;
	out->value = c->initial;
	for (size_t i = 0; i < c->characteristics_len; i++)
		out->value += out->points[i];
	if (c->use_reasons)
		reasons_rank(c, out);
}

void score_why(const struct card *c, const struct score *s, bool english, char *out, size_t size)
{
	out[0] = '\0';
	if (s->fault == SCORE_INPUT_REFUSED) {
		enum input_state state = s->inputs[s->fault_at];
		bool missing = state == INPUT_MISSING_REFUSED;
		snprintf(out, size, english ? "input '%.80s' is %s" : "输入“%.80s”%s", c->fields[s->fault_at].name,
			 english ? (missing ? "missing" : "invalid") : (missing ? "缺失" : "无效"));
	} else if (s->fault == SCORE_NO_MATCH) {
		const char *name = c->characteristics[s->fault_at].name;
		snprintf(out, size,
			 english ? "no attribute of characteristic %u '%.80s' matches"
				 : "第 %u 项特征“%.80s”无一属性匹配",
			 s->fault_at + 1, name != NULL ? name : "");
	}
}
