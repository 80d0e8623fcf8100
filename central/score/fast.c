#include "central/score/fast.h"

#include "central/score/cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

enum shape { SHAPE_PREDICATES, SHAPE_NUMBER, SHAPE_TEXT };

struct characteristic {
	enum shape shape;
	uint32_t place;
	uint32_t bounds, bounds_len; /* into fast.bounds */
	uint32_t table; /* into fast.table: by cell, the last for missing; text: by code, then other and missing */
	uint32_t missing;
	uint32_t attributes; /* into fast.attributes */
};
struct attribute {
	double points, difference;
	uint32_t reason; /* into fast.codes */
};
/* Texts of one field, by hash; codes count from 0 as the cells do. */
struct texts {
	uint32_t slots, mask, len; /* slots: into fast.slots; len: also the code of any other */
	struct cells cells;
};
struct fast {
	const struct card *card;
	struct characteristic *characteristics;
	struct attribute *attributes;
	double *bounds;
	int16_t *table;
	uint32_t *slots;
	struct texts *texts; /* by characteristic */
	const char **codes;
	size_t attributes_len, bounds_len, table_len, slots_len, codes_len;
	bool codes_shared; /* a code of more than one characteristic */
	bool stays_missing[CARD_FIELDS_MAX];
	bool plain[CARD_FIELDS_MAX]; /* a value of the right kind is valid as it is */
	enum value_kind kinds[CARD_FIELDS_MAX];
};

static void *resized(void *array, size_t len, size_t size)
{
	array = realloc(array, (len > 0 ? len : 1) * size);
	if (array == NULL)
		abort();
	return array;
}

/* --- making it --- */

static uint32_t code_of(struct fast *f, const char *code)
{
	for (uint32_t i = 0; i < f->codes_len; i++)
		if (strcmp(f->codes[i], code) == 0)
			return i;
	f->codes = resized(f->codes, f->codes_len + 1, sizeof(*f->codes));
	f->codes[f->codes_len++] = code;
	return (uint32_t)f->codes_len - 1;
}

static void attributes_add(struct fast *f, const struct card_characteristic *h)
{
	const struct card *c = f->card;
	f->attributes = resized(f->attributes, f->attributes_len + h->attributes_len, sizeof(*f->attributes));
	for (size_t k = 0; k < h->attributes_len; k++) {
		const struct card_attribute *a = &h->attributes[k];
		const char *code = a->reason != NULL ? a->reason : h->reason;
		f->attributes[f->attributes_len++] = (struct attribute){ a->points, score_difference(c, h, a->points),
									 c->use_reasons ? code_of(f, code) : 0 };
	}
}

static int16_t first_true(const struct card_characteristic *h, const struct value *values)
{
	for (size_t k = 0; k < h->attributes_len; k++)
		if (predicate_eval_places(h->attributes[k].when, values) == TRUTH_TRUE)
			return (int16_t)k;
	return -1;
}

static void table_add(struct fast *f, const struct card_characteristic *h, uint32_t place, const struct cells *cells)
{
	struct value values[CARD_FIELDS_MAX];
	f->table = resized(f->table, f->table_len + cells->cells_len, sizeof(*f->table));
	for (size_t i = 0; i < cells->cells_len; i++) {
		values[place] = cells->cells[i].value;
		int16_t first = -1;
		if (!cells->cells[i].empty)
			first = first_true(h, values);
		f->table[f->table_len++] = first;
	}
}

static uint32_t hash_of(struct bytes text)
{
	uint32_t h = 2166136261U;
	for (size_t i = 0; i < text.len; i++)
		h = (h ^ text.data[i]) * 16777619U;
	return h ^ h >> 15;
}

static void texts_add(struct fast *f, struct texts *t)
{
	t->len = (uint32_t)t->cells.cells_len - 2;
	for (t->mask = 7; t->mask < 2 * t->len; t->mask = 2 * t->mask + 1)
		;
	t->slots = (uint32_t)f->slots_len;
	f->slots = resized(f->slots, f->slots_len + t->mask + 1, sizeof(*f->slots));
	for (uint32_t i = 0; i <= t->mask; i++)
		f->slots[f->slots_len++] = NONE;
	for (uint32_t i = 0; i < t->len; i++) {
		uint32_t at = hash_of(t->cells.cells[i].value.text) & t->mask;
		while (f->slots[t->slots + at] != NONE)
			at = (at + 1) & t->mask;
		f->slots[t->slots + at] = i;
	}
}

static void characteristic_add(struct fast *f, size_t i)
{
	const struct card_characteristic *h = &f->card->characteristics[i];
	struct characteristic *out = &f->characteristics[i];
	struct cells *cells = &f->texts[i].cells;
	struct predicate **predicates = calloc(h->attributes_len, sizeof(struct predicate *));
	uint32_t place = 0;
	if (predicates == NULL)
		abort();
	for (size_t k = 0; k < h->attributes_len; k++)
		predicates[k] = h->attributes[k].when;
	*out = (struct characteristic){ .attributes = (uint32_t)f->attributes_len };
	attributes_add(f, h);
	bool one = cells_places(predicates, h->attributes_len, &place, 1) == 1;
	if (one && f->kinds[place] != VALUE_BOOL)
		cells_init(cells, f->card, place, predicates, h->attributes_len);
	if (cells->cells_len > 0 &&
	    cells_steps(predicates, h->attributes_len) * (double)cells->cells_len > CELLS_WORK_MAX)
		cells_clear(cells);
	if (cells->cells_len > 0) {
		out->shape = cells->kind == VALUE_NUMBER ? SHAPE_NUMBER : SHAPE_TEXT;
		out->place = place;
		out->table = (uint32_t)f->table_len;
		out->missing = (uint32_t)(f->table_len + cells->cells_len - 1);
		out->bounds = (uint32_t)f->bounds_len;
		out->bounds_len = (uint32_t)cells->bounds_len;
		f->bounds = resized(f->bounds, f->bounds_len + cells->bounds_len, sizeof(*f->bounds));
		if (cells->bounds_len > 0)
			memcpy(f->bounds + f->bounds_len, cells->bounds, cells->bounds_len * sizeof(*f->bounds));
		f->bounds_len += cells->bounds_len;
		table_add(f, h, place, cells);
		if (out->shape == SHAPE_TEXT)
			texts_add(f, &f->texts[i]);
	}
	free(predicates);
}

struct fast *fast_new(const struct card *c)
{
	struct fast *f = calloc(1, sizeof(*f));
	if (f == NULL)
		abort();
	f->card = c;
	f->characteristics = calloc(c->characteristics_len, sizeof(*f->characteristics));
	f->texts = calloc(c->characteristics_len, sizeof(*f->texts));
	if (f->characteristics == NULL || f->texts == NULL)
		abort();
	for (size_t i = 0; i < c->fields_len; i++) {
		const struct card_field *d = &c->fields[i];
		bool number = card_type_is_number(d->type);
		f->kinds[i] = number ? VALUE_NUMBER : d->type == CARD_BOOLEAN ? VALUE_BOOL : VALUE_TEXT;
		f->plain[i] =
			d->usage == CARD_ACTIVE && d->intervals_len + d->values_len == 0 && d->type != CARD_INTEGER;
	}
	for (size_t i = 0; i < c->characteristics_len; i++) {
		size_t codes = f->codes_len, first = f->attributes_len;
		characteristic_add(f, i);
		for (size_t k = first; c->use_reasons && k < f->attributes_len; k++)
			f->codes_shared |= f->attributes[k].reason < codes;
	}
	return f;
}

void fast_free(struct fast *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->card->characteristics_len; i++)
		cells_clear(&f->texts[i].cells);
	free(f->characteristics);
	free(f->attributes);
	free(f->bounds);
	free(f->table);
	free(f->slots);
	free(f->texts);
	free(f->codes);
	free(f);
}

size_t fast_tables(const struct fast *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->card->characteristics_len; i++)
		n += f->characteristics[i].shape != SHAPE_PREDICATES;
	return n;
}

/* --- using it --- */

/* The cell of v: twice the number of bounds below it, and one more when it is a bound itself. */
static uint32_t cell_of(const double *bounds, uint32_t len, double v)
{
	uint32_t low = 0;
	if (len <= 8) /* counted without a branch to be guessed */
		for (uint32_t i = 0; i < len; i++)
			low += bounds[i] < v;
	for (uint32_t n = len <= 8 ? 0 : len; n > 0;) {
		uint32_t half = n / 2;
		bool above = bounds[low + half] < v;
		low = above ? low + half + 1 : low;
		n = above ? n - half - 1 : half;
	}
	return 2 * low + (low < len && bounds[low] <= v);
}

static uint32_t text_code(const struct fast *f, const struct texts *t, struct bytes text)
{
	for (uint32_t at = hash_of(text) & t->mask;; at = (at + 1) & t->mask) {
		uint32_t code = f->slots[t->slots + at];
		if (code == NONE)
			return t->len;
		if (bytes_equal(t->cells.cells[code].value.text, text))
			return code;
	}
}

/* What is invalid and kept as it is may lie in no cell. */
static bool is_of_cells(const struct fast *f, uint32_t place, const struct value *v)
{
	if (v->kind != f->kinds[place])
		return false;
	bool whole = f->card->fields[place].type == CARD_INTEGER;
	return v->kind != VALUE_NUMBER ||
	       (isfinite(v->number) && (!whole || (v->number >= floor(v->number) && v->number <= floor(v->number))));
}

static int16_t attribute_of(const struct fast *f, size_t i, const struct value *values)
{
	const struct characteristic *h = &f->characteristics[i];
	const struct value *v = &values[h->place];
	if (h->shape == SHAPE_PREDICATES)
		return first_true(&f->card->characteristics[i], values);
	if (v->kind == VALUE_MISSING)
		return f->table[h->missing];
	if (!is_of_cells(f, h->place, v))
		return first_true(&f->card->characteristics[i], values);
	if (h->shape == SHAPE_NUMBER)
		return f->table[h->table + cell_of(f->bounds + h->bounds, h->bounds_len, v->number)];
	return f->table[h->table + text_code(f, &f->texts[i], v->text)];
}

/* Most inputs are used as given, and then nothing is copied. Returns what the predicates see: given, or values. */
static const struct value *inputs_prepare(const struct fast *f, const struct value *given, struct value *values,
					  struct score *out)
{
	const struct card *c = f->card;
	const struct value *seen = given;
	for (size_t i = 0; i < c->fields_len; i++) {
		const struct value *v = &given[i];
		if (f->plain[i] && v->kind == f->kinds[i] && (v->kind != VALUE_NUMBER || isfinite(v->number))) {
			out->inputs[i] = INPUT_VALID;
			continue;
		}
		if (f->stays_missing[i] && v->kind == VALUE_MISSING) {
			out->inputs[i] = INPUT_MISSING;
			continue;
		}
		if (seen == given)
			memcpy(values, given, c->fields_len * sizeof(*values));
		seen = values;
		enum input_state s = score_prepare(&c->fields[i], v, &values[i]);
		out->inputs[i] = (uint8_t)s;
		if (!score_is_refused(s) || out->fault != SCORE_OK)
			continue;
		out->fault = SCORE_INPUT_REFUSED;
		out->fault_at = (uint32_t)i;
	}
	return seen;
}

/* Where each code belongs to one characteristic there is nothing to add up. Each reason's place is counted, without a branch that
   depends on the data: a sort of a dozen numbers in no order costs more in branches guessed wrongly than in comparisons. */
static void reasons_rank_apart(const struct fast *f, const uint32_t *at, struct score *out)
{
	double d[CARD_CHARACTERISTICS_MAX];
	uint32_t codes[CARD_CHARACTERISTICS_MAX], place[CARD_CHARACTERISTICS_MAX];
	size_t len = 0;
	for (size_t i = 0; i < f->card->characteristics_len; i++) {
		const struct attribute *a = &f->attributes[at[i]];
		uint32_t behind = 0;
		if (a->difference <= 0)
			continue;
		for (size_t k = 0; k < len; k++) {
			uint32_t before = d[k] >= a->difference;
			behind += before;
			place[k] += 1 - before;
		}
		d[len] = a->difference;
		codes[len] = a->reason;
		place[len++] = behind;
	}
	for (size_t i = 0; i < len; i++)
		out->reasons[place[i]] = (struct score_reason){ f->codes[codes[i]], d[i] };
	out->reasons_len = len;
}

/* Sums by code in the order in which codes first come, as the interpreter does. */
static void reasons_rank(const struct fast *f, const uint32_t *at, struct score *out)
{
	uint32_t order[CARD_CHARACTERISTICS_MAX];
	double sums[CARD_CHARACTERISTICS_MAX];
	size_t len = 0, n = f->card->characteristics_len;
	for (size_t i = 0; i < n; i++) {
		const struct attribute *a = &f->attributes[at[i]];
		size_t k = 0;
		while (k < len && order[k] != a->reason)
			k++;
		if (k == len) {
			order[len++] = a->reason;
			sums[k] = 0;
		}
		sums[k] += a->difference;
	}
	for (size_t k = 0; k < len; k++)
		score_reason_insert(out, f->codes[order[k]], sums[k]);
	score_reasons_cut(out);
}

void fast_run(const struct fast *f, const struct value *given, struct score *out)
{
	const struct card *c = f->card;
	struct value values[CARD_FIELDS_MAX];
	uint32_t at[CARD_CHARACTERISTICS_MAX];
	double sum = c->initial;
	out->fault = SCORE_OK;
	out->fault_at = 0;
	out->value = (double)NAN;
	out->reasons_len = 0;
	const struct value *seen = inputs_prepare(f, given, values, out);
	score_knockouts(c, seen, out);
	bool refused = out->fault != SCORE_OK;
	for (size_t i = 0; i < c->characteristics_len; i++) {
		int16_t k = -1;
		if (!refused)
			k = attribute_of(f, i, seen);
		at[i] = 0;
		out->attributes[i] = k;
		if (k >= 0) {
			at[i] = f->characteristics[i].attributes + (uint16_t)k;
			out->points[i] = f->attributes[at[i]].points;
			sum += out->points[i];
			continue;
		}
		out->points[i] = (double)NAN;
		if (out->fault != SCORE_OK)
			continue;
		out->fault = SCORE_NO_MATCH;
		out->fault_at = (uint32_t)i;
	}
	if (out->fault != SCORE_OK)
		return;
	out->value = sum;
	if (c->use_reasons && f->codes_shared)
		reasons_rank(f, at, out);
	else if (c->use_reasons)
		reasons_rank_apart(f, at, out);
}
