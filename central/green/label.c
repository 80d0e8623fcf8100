#include "central/green/label.h"

#include <string.h>

#define GRAMS_MAX 1000000000000000 /* a thousand million tonnes: more is a mistake in a unit */

__extension__ typedef __int128 int128;

static const struct label_fault faults[] = {
#define NO_READINGS 0
	{ "no-readings", "没有用能数据", "there is no reading", "", 0 },
#define NO_OUTPUT 1
	{ "no-output", "没有产出数据", "there is no output", "", 0 },
#define MISSING 2
	{ "missing", "该月缺数据", "this month is missing", "", 0 },
#define TWICE 3
	{ "twice", "同一月份有两个不同的数", "this month is there twice, differently", "", 0 },
#define CARRIER 4
	{ "carrier", "规则中没有这个能源品种", "the rules know no such carrier", "", 0 },
#define UNIT 5
	{ "unit", "计量单位缺失或与规则不符", "the unit is missing or not the one of the rules", "", 0 },
#define NUMBER 6
	{ "number", "读数或用量缺失、为负或小数超过三位",
	  "a number is missing, below zero or has more than three decimals", "", 0 },
#define RESET 7
	{ "reset", "表底数倒走：换表或归零须填旧表止码",
	  "the counter runs backwards: a change needs its last reading", "", 0 },
#define BREAK 8
	{ "break", "起码与上月止码不一致", "it does not begin where it ended the month before", "", 0 },
#define CHANGED 9
	{ "changed", "期间内能源品种或行业有变化", "the carrier or industry changed within the months", "", 0 },
#define INDUSTRY 10
	{ "industry", "规则中没有这个行业", "the rules know no such industry", "", 0 },
#define ZERO 11
	{ "zero", "产出为零，无法计算强度", "the output is zero", "", 0 },
#define MUST 12
	{ "must", "缺少规则要求的能源品种", "the rules want readings of this carrier", "", 0 },
#define HELD 13
	{ "held", "异议处理中", "under an objection", "", 0 },
#define LARGE 14
	{ "large", "数值过大，请核对单位", "too large: check the unit", "", 0 },
};

static void fault_add(struct label_result *x, size_t fault, const char *of, int32_t month)
{
	if (x->faults_len++ >= LABEL_FAULTS_MAX)
		return;
	struct label_fault *f = &x->faults[x->faults_len - 1];
	*f = faults[fault];
	memcpy(f->of, of, strnlen(of, LABEL_METER_MAX));
	f->month = month;
}

/* a × b / c, rounded half up; none is below zero. False: it is above GRAMS_MAX. */
static bool ratio(int64_t a, int64_t b, int64_t c, int64_t *out)
{
	const int128 q = ((int128)a * b + c / 2) / c;
	*out = (int64_t)(q > GRAMS_MAX ? GRAMS_MAX : q);
	return q <= GRAMS_MAX;
}

/* --- readings --- */

static bool number_is_good(const struct label_reading *m)
{
	if (m->quantity != LABEL_NONE)
		return m->quantity >= 0 && m->before == LABEL_NONE && m->after == LABEL_NONE && m->last == LABEL_NONE;
	return m->before >= 0 && m->after >= 0 && m->last != LABEL_BAD;
}

static bool runs_backwards(const struct label_reading *m)
{
	if (m->quantity != LABEL_NONE)
		return false;
	return m->last == LABEL_NONE ? m->after < m->before : m->last < m->before;
}

static int64_t use_of(const struct label_reading *m)
{
	if (m->quantity != LABEL_NONE)
		return m->quantity;
	return m->last == LABEL_NONE ? m->after - m->before : m->last - m->before + m->after;
}

/* By itself. */
static bool reading_check(const struct label_rules *r, const struct label_reading *m, struct label_result *x)
{
	const struct label_carrier *c = label_carrier_find(r, m->carrier);
	const size_t before = x->faults_len;
	if (c == NULL)
		fault_add(x, CARRIER, m->meter, m->month);
	else if (strcmp(c->unit, m->unit) != 0)
		fault_add(x, UNIT, m->meter, m->month);
	if (!number_is_good(m))
		fault_add(x, NUMBER, m->meter, m->month);
	else if (runs_backwards(m))
		fault_add(x, RESET, m->meter, m->month);
	if (m->held)
		fault_add(x, HELD, m->meter, m->month);
	return x->faults_len == before;
}

/* Against the one of the month before. */
static void pair_check(const struct label_reading *a, const struct label_reading *b, struct label_result *x)
{
	if (strcmp(a->carrier, b->carrier) != 0)
		fault_add(x, CHANGED, b->meter, b->month);
	if (a->quantity == LABEL_NONE && b->quantity == LABEL_NONE && a->after != b->before)
		fault_add(x, BREAK, b->meter, b->month);
}

/* Months that lack from `from` up to before `to`. */
static void lacking(struct label_result *x, const char *of, int32_t from, int32_t to)
{
	for (int32_t m = from; m < to; m++)
		fault_add(x, MISSING, of, m);
}

/* The rows of one meter, from i on; returns how many. */
static size_t meter_check(const struct label_rules *r, const struct label_inputs *in, size_t i,
			  struct label_result *x)
{
	const struct label_reading *first = &in->readings[i];
	int32_t next = in->month - (int32_t)r->months + 1;
	size_t n = 0;
	for (; i + n < in->readings_len && strcmp(first[n].meter, first->meter) == 0; n++) {
		const struct label_reading *m = &first[n];
		if (n > 0 && m->month == m[-1].month) {
			fault_add(x, TWICE, m->meter, m->month);
			continue;
		}
		lacking(x, m->meter, next, m->month);
		if (n > 0 && next == m->month)
			pair_check(&m[-1], m, x);
		next = m->month + 1;
		if (reading_check(r, m, x))
			x->used[label_carrier_find(r, m->carrier) - r->carriers] += use_of(m);
	}
	lacking(x, first->meter, next, in->month + 1);
	return n;
}

static bool has_carrier(const struct label_inputs *in, const char *code)
{
	for (size_t i = 0; i < in->readings_len; i++)
		if (strcmp(in->readings[i].carrier, code) == 0)
			return true;
	return false;
}

static void energy_judge(const struct label_rules *r, const struct label_inputs *in, struct label_result *x)
{
	if (in->readings_len == 0)
		fault_add(x, NO_READINGS, "", 0);
	for (size_t i = 0; i < in->readings_len;)
		i += meter_check(r, in, i, x);
	for (size_t i = 0; i < r->carriers_len; i++) {
		const struct label_carrier *c = &r->carriers[i];
		if (in->readings_len > 0 && c->must && !has_carrier(in, c->word.code))
			fault_add(x, MUST, c->word.code, 0);
		if (!ratio(x->used[i], c->grams, 1000 * c->per, &x->emitted[i]))
			fault_add(x, LARGE, c->word.code, 0);
		x->grams += x->emitted[i];
	}
}

/* --- output --- */

static void output_check(const struct label_rules *r, const struct label_output *o, struct label_result *x)
{
	const struct label_industry *industry = label_industry_find(r, o->industry);
	if (industry == NULL)
		fault_add(x, INDUSTRY, o->industry, o->month);
	else if (x->industry != NULL && x->industry != industry)
		fault_add(x, CHANGED, o->industry, o->month);
	else if (strcmp(industry->unit, o->unit) != 0)
		fault_add(x, UNIT, "", o->month);
	if (industry != NULL && x->industry == NULL)
		x->industry = industry;
	if (o->quantity < 0)
		fault_add(x, NUMBER, "", o->month);
	else
		x->output += o->quantity;
	if (o->held)
		fault_add(x, HELD, "", o->month);
}

static void outputs_judge(const struct label_rules *r, const struct label_inputs *in, struct label_result *x)
{
	int32_t next = in->month - (int32_t)r->months + 1;
	if (in->outputs_len == 0) {
		fault_add(x, NO_OUTPUT, "", 0);
		return;
	}
	for (size_t i = 0; i < in->outputs_len; i++) {
		const struct label_output *o = &in->outputs[i];
		if (i > 0 && o->month == o[-1].month) {
			fault_add(x, TWICE, "", o->month);
			continue;
		}
		lacking(x, "", next, o->month);
		next = o->month + 1;
		output_check(r, o, x);
	}
	lacking(x, "", next, in->month + 1);
	if (x->output == 0)
		fault_add(x, ZERO, "", 0);
}

/* --- all of it --- */

static void colour_find(const struct label_rules *r, struct label_result *x)
{
	const int64_t benchmark = x->industry->benchmark;
	size_t i = 0;
	if (!ratio(x->grams, 1000, x->output, &x->intensity) ||
	    !ratio(x->intensity, 1000, benchmark, &x->thousandths)) {
		fault_add(x, LARGE, "", 0);
		return;
	}
	while (i + 1 < r->labels_len && (int128)x->intensity * 1000 > (int128)r->labels[i].up_to * benchmark)
		i++;
	x->colour = &r->labels[i];
}

void label_judge(const struct label_rules *r, const struct label_inputs *in, struct label_result *out)
{
	*out = (struct label_result){ 0 };
	energy_judge(r, in, out);
	outputs_judge(r, in, out);
	if (out->faults_len == 0)
		colour_find(r, out);
}
