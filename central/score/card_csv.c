#include "central/score/card_csv.h"

#include "central/csv.h"

#include <math.h>
#include <string.h>

#define JOIN     "%,%"
#define JOIN_LEN 3

/* Cuts the next category off the front; false at the end. */
static bool category_next(struct bytes *rest, struct bytes *one)
{
	if (rest->data == NULL)
		return false;
	const uint8_t *join = memmem(rest->data, rest->len, JOIN, JOIN_LEN);
	*one = (struct bytes){ rest->data, join != NULL ? (size_t)(join - rest->data) : rest->len };
	if (join == NULL)
		*rest = (struct bytes){ NULL, 0 };
	else
		*rest = (struct bytes){ join + JOIN_LEN, rest->len - one->len - JOIN_LEN };
	return true;
}

static bool is_missing(struct bytes category)
{
	return bytes_equal(category, bytes_of("missing"));
}

static bool end_read(struct bytes text, double *out)
{
	struct value v = { 0 };
	bool low = bytes_equal(text, bytes_of("-inf")), high = bytes_equal(text, bytes_of("inf"));
	if (low || high)
		*out = low ? -(double)INFINITY : (double)INFINITY;
	else if (card_value_parse(CARD_DOUBLE, text, &v, NULL))
		*out = v.number;
	else
		return false;
	return true;
}

static bool interval_read(struct bytes text, double *left, double *right)
{
	const uint8_t *comma = text.len > 2 ? memchr(text.data, ',', text.len) : NULL;
	if (comma == NULL || text.data[0] != '[' || text.data[text.len - 1] != ')')
		return false;
	size_t at = (size_t)(comma - text.data);
	return end_read((struct bytes){ text.data + 1, at - 1 }, left) &&
	       end_read((struct bytes){ comma + 1, text.len - at - 2 }, right) && *left < *right;
}

/* A variable is a number when one of its bins is an interval. */
static bool bin_is_number(struct bytes bin)
{
	struct bytes one;
	double left = 0, right = 0;
	while (category_next(&bin, &one))
		if (interval_read(one, &left, &right))
			return true;
	return false;
}

static bool interval_add(struct predicate *p, uint32_t place, struct bytes text, struct err *e)
{
	struct value left = { .kind = VALUE_NUMBER }, right = { .kind = VALUE_NUMBER };
	if (!interval_read(text, &left.number, &right.number))
		return err_set(e, ERR_INPUT, "'%.*s' is no interval like [8.0,16.0)",
			       text.len > 60 ? 60 : (int)text.len, (const char *)text.data);
	bool has_left = isfinite(left.number), has_right = isfinite(right.number);
	if (!has_left && !has_right)
		return predicate_leaf(p, PREDICATE_NOT_MISSING, place, NULL, 0, e);
	if (has_left && has_right && !predicate_open(p, PREDICATE_AND, e))
		return false;
	return (!has_left || predicate_leaf(p, PREDICATE_GREATER_OR_EQUAL, place, &left, 1, e)) &&
	       (!has_right || predicate_leaf(p, PREDICATE_LESS, place, &right, 1, e)) &&
	       (!has_left || !has_right || predicate_close(p, e));
}

static bool category_add(struct card *c, struct predicate *p, uint32_t place, struct bytes text, struct err *e)
{
	struct card_value v = { { .kind = VALUE_TEXT, .text = bytes_of(card_text(c, text)) }, CARD_VALID };
	return predicate_leaf(p, PREDICATE_EQUAL, place, &v.value, 1, e) && card_add_value(&c->fields[place], v, e);
}

/* One bin: its categories, with or between where there are several. */
static bool bin_add(struct card *c, struct predicate *p, uint32_t place, struct bytes bin, struct err *e)
{
	bool several = memmem(bin.data, bin.len, JOIN, JOIN_LEN) != NULL;
	bool number = c->fields[place].type == CARD_DOUBLE;
	struct bytes one;
	if (several && !predicate_open(p, PREDICATE_OR, e))
		return false;
	while (category_next(&bin, &one)) {
		bool ok = is_missing(one) ? predicate_leaf(p, PREDICATE_MISSING, place, NULL, 0, e)
			  : number        ? interval_add(p, place, one, e)
					  : category_add(c, p, place, one, e);
		if (!ok)
			return false;
	}
	return !several || predicate_close(p, e);
}

static struct card_characteristic *variable_of(struct card *c, struct bytes name, uint32_t *place, struct err *e)
{
	*place = card_field_find(c, name);
	if (*place != CARD_FIELDS_MAX)
		return &c->characteristics[*place]; /* fields and characteristics are added together */
	struct card_field *f = card_add_field(c, e);
	struct card_characteristic *h = f != NULL ? card_add_characteristic(c, e) : NULL;
	if (h == NULL)
		return NULL;
	f->name = h->name = h->reason = card_text(c, name);
	f->usage = CARD_ACTIVE;
	f->type = CARD_STRING;
	f->optype = CARD_CATEGORICAL;
	h->has_baseline = true;
	h->baseline = -(double)INFINITY;
	*place = (uint32_t)c->fields_len - 1;
	return h;
}

/* A variable is text until one of its bins is an interval, and may have no categories then. */
static bool type_settle(struct card_field *f, bool number, struct err *e)
{
	if (!number)
		return true;
	f->type = CARD_DOUBLE;
	f->optype = CARD_CONTINUOUS;
	return f->values_len == 0 || err_set(e, ERR_INPUT, "an interval among categories");
}

static bool row_take(struct card *c, const struct csv_row *row, struct err *e)
{
	struct value points = { 0 };
	uint32_t place = 0;
	if (row->fault != CSV_OK || row->fields_len != 3)
		return err_set(e, ERR_INPUT, "expected variable,bin,points");
	if (!card_value_parse(CARD_DOUBLE, row->fields[2], &points, e))
		return err_wrap(e, "points");
	if (bytes_equal(row->fields[0], bytes_of("basepoints"))) {
		c->initial = points.number;
		return true;
	}
	if (row->fields[0].len == 0 || row->fields[0].len > CARD_TEXT_MAX || row->fields[1].len == 0)
		return err_set(e, ERR_INPUT, "variable and bin are needed");
	struct card_characteristic *h = variable_of(c, row->fields[0], &place, e);
	if (h == NULL)
		return false;
	if (!type_settle(&c->fields[place], bin_is_number(row->fields[1]), e))
		return false;
	struct card_attribute *a = card_add_attribute(h, e);
	if (a == NULL)
		return false;
	a->points = points.number;
	a->when = predicate_new();
	h->baseline = fmax(h->baseline, points.number);
	return bin_add(c, a->when, place, row->fields[1], e);
}

static bool head_take(const struct csv_row *row, struct err *e)
{
	static const char *const names[] = { "variable", "bin", "points" };
	for (size_t i = 0; i < 3; i++)
		if (row->fields_len != 3 || !bytes_equal(row->fields[i], bytes_of(names[i])))
			return err_set(e, ERR_INPUT, "row 1: expected the columns variable,bin,points");
	return true;
}

struct card *card_from_csv(struct bytes data, const char *name, struct err *e)
{
	struct card *c = card_new();
	struct csv csv;
	struct csv_row row;
	bool ok = true, any = false;
	c->name = card_text(c, bytes_of(name));
	c->baseline_method = "max";
	csv_init(&csv, data);
	while (ok && csv_next(&csv, &row)) {
		if (row.fault == CSV_BLANK)
			continue;
		ok = any ? row_take(c, &row, e) || err_wrap(e, "row %llu", (unsigned long long)row.number)
			 : head_take(&row, e);
		any = true;
	}
	csv_clear(&csv);
	if (ok && card_check(c, e))
		return c;
	card_free(c);
	return NULL;
}
