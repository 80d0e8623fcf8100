#include "central/score/cells.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All values that the card compares the field with; room for them is made at once. */
struct gathered {
	struct value *values;
	size_t len;
};

/* Those of one predicate; g NULL: they are only counted. */
static size_t gather_predicate(struct gathered *g, const struct predicate *p, uint32_t place)
{
	size_t n = 0;
	for (uint32_t i = 0; i < predicate_len(p); i++) {
		struct predicate_node node = predicate_at(p, i);
		if (node.op >= PREDICATE_AND || node.place != place)
			continue;
		for (size_t k = 0; g != NULL && k < node.values_len; k++)
			g->values[g->len++] = node.values[k];
		n += node.values_len;
	}
	return n;
}

static void gather_number(struct gathered *g, double v)
{
	if (isfinite(v))
		g->values[g->len++] = (struct value){ .kind = VALUE_NUMBER, .number = v };
}

static int order(const void *a, const void *b)
{
	const struct value *x = a, *y = b;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->kind == VALUE_NUMBER)
		return (x->number > y->number) - (x->number < y->number);
	if (x->kind == VALUE_BOOL)
		return (int)x->boolean - (int)y->boolean;
	size_t least = x->text.len < y->text.len ? x->text.len : y->text.len;
	int o = least > 0 ? memcmp(x->text.data, y->text.data, least) : 0;
	return o != 0 ? o : (x->text.len > y->text.len) - (x->text.len < y->text.len);
}

static void sort_unique(struct gathered *g)
{
	size_t kept = 0;
	if (g->len > 1)
		qsort(g->values, g->len, sizeof(*g->values), order);
	for (size_t i = 0; i < g->len; i++)
		if (kept == 0 || order(&g->values[kept - 1], &g->values[i]) != 0)
			g->values[kept++] = g->values[i];
	g->len = kept;
}

/* One number strictly between; NAN when there is none. The sides may be infinite. */
static double between(double left, double right, bool whole)
{
	double v = 0;
	if (isinf(left) && isinf(right))
		return 0;
	if (isinf(left))
		v = right - fabs(right) - 1;
	else if (isinf(right))
		v = left + fabs(left) + 1;
	else
		v = left + (right - left) / 2;
	if (whole)
		v = isinf(left) ? ceil(right) - 1 : floor(left) + 1;
	if (!(v > left && v < right) && !whole)
		v = nextafter(left, right);
	return v > left && v < right && isfinite(v) ? v : (double)NAN;
}

static struct cell number_cell(double v)
{
	return (struct cell){ { .kind = VALUE_NUMBER, .number = v }, isnan(v) };
}

static void number_cells(struct cells *out, const struct gathered *g, bool whole)
{
	out->bounds = calloc(g->len + 1, sizeof(*out->bounds));
	if (out->bounds == NULL)
		abort();
	for (size_t i = 0; i < g->len; i++)
		if (g->values[i].kind == VALUE_NUMBER)
			out->bounds[out->bounds_len++] = g->values[i].number;
	for (size_t i = 0; i <= out->bounds_len; i++) {
		double left = i == 0 ? -(double)INFINITY : out->bounds[i - 1];
		double right = i == out->bounds_len ? (double)INFINITY : out->bounds[i];
		out->cells[out->cells_len++] = number_cell(between(left, right, whole));
		if (i == out->bounds_len)
			break;
		bool fits = !whole || (right >= floor(right) && right <= floor(right));
		out->cells[out->cells_len++] = number_cell(right);
		out->cells[out->cells_len - 1].empty = !fits;
	}
}

static void text_cells(struct cells *out, const struct gathered *g)
{
	static const char other[] = "\x01"; /* no text of a document: XML has no such character */
	for (size_t i = 0; i < g->len; i++)
		if (g->values[i].kind == VALUE_TEXT)
			out->cells[out->cells_len++] = (struct cell){ g->values[i], false };
	out->cells[out->cells_len++] =
		(struct cell){ { .kind = VALUE_TEXT, .text = { (const uint8_t *)other, 1 } }, false };
}

void cells_init(struct cells *out, const struct card *c, uint32_t place, struct predicate *const *predicates,
		size_t predicates_len)
{
	const struct card_field *f = &c->fields[place];
	size_t most = 2 * f->intervals_len + f->values_len + 1;
	for (size_t i = 0; i < predicates_len; i++)
		most += gather_predicate(NULL, predicates[i], place);
	struct gathered g = { calloc(most, sizeof(*g.values)), 0 };
	if (g.values == NULL)
		abort();
	for (size_t i = 0; i < predicates_len; i++)
		gather_predicate(&g, predicates[i], place);
	for (size_t i = 0; i < f->intervals_len; i++) {
		gather_number(&g, f->intervals[i].left);
		gather_number(&g, f->intervals[i].right);
	}
	for (size_t i = 0; i < f->values_len; i++)
		g.values[g.len++] = f->values[i].value;
	sort_unique(&g);
	*out = (struct cells){ .kind = VALUE_TEXT };
	out->cells = calloc(2 * g.len + 4, sizeof(*out->cells));
	if (out->cells == NULL)
		abort();
	if (card_type_is_number(f->type)) {
		out->kind = VALUE_NUMBER;
		number_cells(out, &g, f->type == CARD_INTEGER);
	} else if (f->type == CARD_BOOLEAN) {
		out->kind = VALUE_BOOL;
		out->cells[out->cells_len++] = (struct cell){ { .kind = VALUE_BOOL, .boolean = false }, false };
		out->cells[out->cells_len++] = (struct cell){ { .kind = VALUE_BOOL, .boolean = true }, false };
	} else {
		text_cells(out, &g);
	}
	out->cells[out->cells_len++] = (struct cell){ { .kind = VALUE_MISSING }, false };
	free(g.values);
}

void cells_clear(struct cells *v)
{
	free(v->bounds);
	free(v->cells);
	*v = (struct cells){ 0 };
}

static void describe_numbers(const struct cells *v, size_t from, size_t to, char *out, size_t size)
{
	char left[32] = "-∞", right[32] = "∞";
	bool point = from == to && from % 2 == 1;
	if (from > 0)
		card_number_format(v->bounds[from % 2 == 1 ? from / 2 : from / 2 - 1], left);
	if (to < 2 * v->bounds_len)
		card_number_format(v->bounds[to / 2], right);
	if (point)
		snprintf(out, size, "%s", left);
	else
		snprintf(out, size, "%c%s, %s%c", from % 2 == 1 ? '[' : '(', left, right, to % 2 == 1 ? ']' : ')');
}

void cells_describe(const struct cells *v, size_t from, size_t to, char *out, size_t size)
{
	const struct value *first = &v->cells[from].value;
	assert(from <= to && to < v->cells_len);
	if (first->kind == VALUE_MISSING)
		snprintf(out, size, "缺失 missing");
	else if (v->kind == VALUE_NUMBER)
		describe_numbers(v, from, to, out, size);
	else if (v->kind == VALUE_BOOL)
		snprintf(out, size, "%s", from < to ? "false, true" : first->boolean ? "true" : "false");
	else if (from + 2 == v->cells_len)
		snprintf(out, size, "其他任何值 any other");
	else
		snprintf(out, size, "'%.*s'", first->text.len > 80 ? 80 : (int)first->text.len,
			 (const char *)first->text.data);
}

double cells_steps(struct predicate *const *predicates, size_t predicates_len)
{
	double steps = 0;
	for (size_t i = 0; i < predicates_len; i++)
		for (uint32_t k = 0; k < predicate_len(predicates[i]); k++)
			steps += 1 + (double)predicate_at(predicates[i], k).values_len;
	return steps;
}

size_t cells_places(struct predicate *const *predicates, size_t predicates_len, uint32_t *places, size_t max)
{
	bool asked[CARD_FIELDS_MAX] = { false };
	size_t len = 0;
	for (size_t i = 0; i < predicates_len; i++) {
		for (uint32_t k = 0; k < predicate_len(predicates[i]); k++) {
			struct predicate_node n = predicate_at(predicates[i], k);
			if (n.op < PREDICATE_AND && n.place < CARD_FIELDS_MAX)
				asked[n.place] = true;
		}
	}
	for (uint32_t i = 0; i < CARD_FIELDS_MAX; i++) {
		if (!asked[i])
			continue;
		if (len < max)
			places[len] = i;
		len++;
	}
	return len;
}
