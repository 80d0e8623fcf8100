#include "central/ingest/cell_number.h"

#include <string.h>

#define DIGITS_MAX  34 /* decimal128 */
#define INTEGER_MAX 18 /* digits that 64 bits hold */

struct decimal {
	bool minus, plus, grouped, point, zeros; /* zeros: before the first digit that counts */
	char digits[DIGITS_MAX + 16];
	int len, scale; /* scale: how many of them stand behind the point */
	int unit;       /* the cell's own, as a power of ten; -1 none */
};

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Groups of three behind the first; *at is on a comma. */
static bool group_read(struct bytes t, size_t *at, struct decimal *d)
{
	d->grouped = true;
	for (size_t i = 1; i <= 3; i++) {
		if (*at + i >= t.len || !is_digit(t.data[*at + i]) || d->len == DIGITS_MAX)
			return false;
		d->digits[d->len++] = (char)t.data[*at + i];
	}
	*at += 4;
	return *at == t.len || !is_digit(t.data[*at]);
}

static bool whole_read(struct bytes t, size_t *at, struct decimal *d)
{
	size_t from = *at;
	for (; *at < t.len && is_digit(t.data[*at]); ++*at) {
		if (d->len == DIGITS_MAX)
			return false;
		d->digits[d->len++] = (char)t.data[*at];
	}
	size_t first = *at - from;
	d->zeros = first > 1 && t.data[from] == '0';
	while (*at < t.len && t.data[*at] == ',') {
		if (first == 0 || first > 3 || d->zeros || t.data[from] == '0' || !group_read(t, at, d))
			return false;
	}
	return true;
}

static bool fraction_read(struct bytes t, size_t *at, struct decimal *d)
{
	if (*at == t.len || t.data[*at] != '.')
		return true;
	d->point = true;
	for (++*at; *at < t.len && is_digit(t.data[*at]); ++*at) {
		if (d->len == DIGITS_MAX)
			return false;
		d->digits[d->len++] = (char)t.data[*at];
		d->scale++;
	}
	return d->scale > 0;
}

static bool unit_read(struct bytes rest, struct decimal *d)
{
	static const struct {
		const char *text;
		int power;
	} units[] = { { "元", 0 }, { "万元", 4 }, { "万", 4 }, { "亿元", 8 }, { "亿", 8 } };
	d->unit = -1;
	while (rest.len > 0 && rest.data[0] == ' ')
		rest.data++, rest.len--;
	if (rest.len == 0)
		return true;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (bytes_equal(rest, bytes_of(units[i].text))) {
			d->unit = units[i].power;
			return true;
		}
	}
	return false;
}

static bool decimal_read(struct bytes t, struct decimal *d)
{
	size_t at = 0;
	d->len = d->scale = 0;
	d->grouped = d->point = d->zeros = false;
	d->minus = t.len > 0 && t.data[0] == '-';
	d->plus = t.len > 0 && t.data[0] == '+';
	at += d->minus || d->plus;
	if (at == t.len || !is_digit(t.data[at]))
		return false;
	return whole_read(t, &at, d) && fraction_read(t, &at, d) &&
	       unit_read((struct bytes){ t.data + at, t.len - at }, d);
}

/* Times a power of ten, then without needless zeros. False when it has too many digits. */
static bool decimal_settle(struct decimal *d, int power)
{
	d->scale -= power;
	while (d->scale < 0) {
		if (d->len == DIGITS_MAX)
			return false;
		d->digits[d->len++] = '0';
		d->scale++;
	}
	while (d->scale > 0 && d->len > 0 && d->digits[d->len - 1] == '0')
		d->len--, d->scale--;
	int lead = 0;
	while (lead < d->len - d->scale && d->digits[lead] == '0')
		lead++;
	memmove(d->digits, d->digits + lead, (size_t)(d->len - lead));
	d->len -= lead;
	if (d->len == 0)
		d->minus = false;
	return true;
}

static double decimal_value(const struct decimal *d)
{
	double v = 0, by = 1;
	for (int i = 0; i < d->len; i++)
		v = v * 10 + (d->digits[i] - '0');
	for (int i = 0; i < d->scale; i++)
		by *= 10;
	return d->minus ? -v / by : v / by;
}

static size_t decimal_write(const struct decimal *d, char *out)
{
	size_t n = 0;
	int whole = d->len - d->scale;
	if (d->minus)
		out[n++] = '-';
	if (whole <= 0)
		out[n++] = '0';
	for (int i = 0; i < whole; i++)
		out[n++] = d->digits[i];
	if (d->scale > 0)
		out[n++] = '.';
	for (int i = whole; i < 0; i++)
		out[n++] = '0';
	for (int i = whole > 0 ? whole : 0; i < d->len; i++)
		out[n++] = d->digits[i];
	return n;
}

/* Digits alone, as nearly all are. */
static bool plain_integer(struct bytes t, struct cell *out)
{
	int64_t v = 0;
	if (t.len == 0 || t.len > 15 || (t.data[0] == '0' && t.len > 1))
		return false;
	for (size_t i = 0; i < t.len; i++) {
		if (!is_digit(t.data[i]))
			return false;
		v = v * 10 + (t.data[i] - '0');
	}
	out->value = (double)v;
	out->text = t;
	return true;
}

static int power_of(int unit)
{
	return unit == 10000 ? 4 : 0;
}

static enum repair repair_of(const struct decimal *d, enum schema_type type)
{
	if (d->unit >= 0)
		return REPAIR_UNIT;
	if (d->grouped)
		return REPAIR_GROUPED;
	return d->plus || d->zeros || (d->point && type == SCHEMA_INTEGER) ? REPAIR_NUMBER_FORM : REPAIR_NONE;
}

unsigned cell_number(const struct schema_field *f, struct bytes t, struct cell *out)
{
	struct decimal d;
	bool integer = f->type == SCHEMA_INTEGER;
	if (plain_integer(t, out))
		return FAULT_NONE;
	if (cell_is_scientific(t))
		return FAULT_SCIENTIFIC;
	bool ok = decimal_read(t, &d) && (d.unit < 0 || f->unit != 0);
	ok = ok && decimal_settle(&d, d.unit >= 0 ? d.unit - power_of(f->unit) : 0);
	if (!ok || (integer && (d.scale > 0 || d.len > INTEGER_MAX)))
		return integer ? FAULT_INTEGER : FAULT_NUMBER;
	out->value = decimal_value(&d);
	out->text = (struct bytes){ (const uint8_t *)out->own, decimal_write(&d, out->own) };
	out->repair = repair_of(&d, f->type);
	return FAULT_NONE;
}
