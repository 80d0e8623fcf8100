#include "central/ingest/cell.h"

#include "central/ingest/cell_number.h"
#include "protocol/base/utf8.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <string.h>

#define EXCEL_DAY_ZERO (-25569) /* 1899-12-30, since Excel believes in a 29 February 1900 */
#define EXCEL_FIRST    20000    /* 1954-10-03 */
#define EXCEL_LAST     80000    /* 2119-01-10 */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t digits_end(struct bytes t, size_t at)
{
	while (at < t.len && is_digit((char)t.data[at]))
		at++;
	return at;
}

/* Digits, a point or a sign somewhere, and an E between them. */
bool cell_is_scientific(struct bytes t)
{
	size_t at = digits_end(t, 0);
	bool point = at < t.len && t.data[at] == '.';
	if (at == 0)
		return false;
	if (point)
		at = digits_end(t, at + 1);
	if (at == t.len || (t.data[at] != 'e' && t.data[at] != 'E'))
		return false;
	bool sign = ++at < t.len && (t.data[at] == '+' || t.data[at] == '-');
	size_t from = at + sign;
	return (point || sign) && from < t.len && digits_end(t, from) == t.len;
}

/* Full-width characters as ASCII; false when there are none, or it does not fit. */
static bool narrowed(struct bytes given, char *out, size_t size, struct bytes *text)
{
	const char *at = (const char *)given.data, *end = at + given.len;
	size_t len = 0;
	bool any = false;
	while (at < end) {
		const char *from = at;
		int32_t c = utf8_next(&at, end);
		if ((c >= 0xFF01 && c <= 0xFF5E) || c == 0x3000) {
			any = true;
			if (len == size)
				return false;
			out[len++] = (char)(c == 0x3000 ? ' ' : c - 0xFEE0);
			continue;
		}
		if ((size_t)(at - from) > size - len)
			return false;
		memcpy(out + len, from, (size_t)(at - from));
		len += (size_t)(at - from);
	}
	if (any)
		*text = (struct bytes){ (const uint8_t *)out, len };
	return any;
}

static bool has_high(struct bytes t)
{
	for (size_t i = 0; i < t.len; i++) {
		if (t.data[i] >= 0x80)
			return true;
	}
	return false;
}

static unsigned check_identifier(const struct schema_field *f, struct bytes given, int64_t today, struct cell *out)
{
	struct identifier id;
	enum identifier_fault fault = IDENTIFIER_FAULT_NONE;
	if (cell_is_scientific(given))
		return FAULT_SCIENTIFIC;
	if (!identifier_parse(f->identifier, (const char *)given.data, given.len, today, &id, &fault, NULL))
		return FAULT_IDENTIFIER + fault;
	size_t len = strlen(id.canonical);
	if (len == given.len && memcmp(id.canonical, given.data, len) == 0) {
		out->text = given;
		return FAULT_NONE;
	}
	memcpy(out->own, id.canonical, len + 1);
	out->text = (struct bytes){ (const uint8_t *)out->own, len };
	out->repair = (id.warnings & IDENTIFIER_WARN_UPGRADED_15) != 0      ? REPAIR_ID_15
		      : f->identifier != IDENTIFIER_NAME && has_high(given) ? REPAIR_WIDTH
									    : REPAIR_ID_FORM;
	return FAULT_NONE;
}

static size_t characters(struct bytes t)
{
	size_t n = 0;
	for (size_t i = 0; i < t.len; i++)
		n += (t.data[i] & 0xc0) != 0x80;
	return n;
}

static unsigned check_boolean(struct bytes t, struct cell *out)
{
	static const char *const words[] = {
		"true", "True", "TRUE", "1", "是", "false", "False", "FALSE", "0", "否"
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (bytes_equal(t, bytes_of(words[i]))) {
			out->value = i < 5;
			out->text = bytes_of(i < 5 ? "true" : "false");
			return FAULT_NONE;
		}
	}
	return FAULT_BOOLEAN;
}

/* The runs of digits of a date, and whether nothing stands between and behind them but what dates have. */
struct date_parts {
	int64_t value[7];
	size_t width[7];
	size_t len;
};

static bool is_between(const char *at, const char *end, size_t *len)
{
	static const char *const marks[] = { "/", "-", ".", "年", "月", "日", " ", "T", ":" };
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		*len = strlen(marks[i]);
		if ((size_t)(end - at) >= *len && memcmp(at, marks[i], *len) == 0)
			return true;
	}
	return false;
}

static bool date_split(struct bytes t, struct date_parts *p)
{
	const char *at = (const char *)t.data, *end = at + t.len;
	p->len = 0;
	while (at < end) {
		size_t mark = 0;
		if (!is_digit(*at) || p->len == 7)
			return false;
		const char *from = at;
		for (p->value[p->len] = 0; at < end && is_digit(*at) && at - from < 9; at++)
			p->value[p->len] = p->value[p->len] * 10 + (*at - '0');
		p->width[p->len++] = (size_t)(at - from);
		while (at < end && is_between(at, end, &mark))
			at += mark;
	}
	return p->len > 0;
}

/* 20260131 as three parts, 202601 as two. */
static void date_unpack(struct date_parts *p)
{
	int64_t v = p->value[0];
	if (p->len != 1 || (p->width[0] != 8 && p->width[0] != 6))
		return;
	bool day = p->width[0] == 8;
	*p = (struct date_parts){ .len = day ? 3 : 2, .width = { 4, 2, 2 } };
	p->value[0] = day ? v / 10000 : v / 100;
	p->value[1] = day ? v / 100 % 100 : v % 100;
	p->value[2] = v % 100;
}

static unsigned day_make(int64_t year, int64_t month, int64_t day, struct cell *out)
{
	int64_t n = 0;
	if (year < 1 || year > 9999 || month > 99 || day > 99)
		return FAULT_NO_SUCH_DAY;
	snprintf(out->own, sizeof(out->own), "%04d-%02d-%02d", (int)year, (int)month, (int)day);
	if (!day_parse(bytes_of(out->own), &n, NULL))
		return FAULT_NO_SUCH_DAY;
	out->value = (double)n;
	out->text = bytes_of(out->own);
	return FAULT_NONE;
}

static unsigned check_serial(const struct schema_field *f, int64_t serial, struct cell *out)
{
	if (serial < EXCEL_FIRST || serial > EXCEL_LAST)
		return FAULT_DATE;
	if (!f->excel_dates)
		return FAULT_EXCEL_SERIAL;
	out->value = (double)(serial + EXCEL_DAY_ZERO);
	day_format(serial + EXCEL_DAY_ZERO, out->own);
	out->text = bytes_of(out->own);
	out->repair = REPAIR_EXCEL_DATE;
	return FAULT_NONE;
}

static unsigned check_date(const struct schema_field *f, struct bytes t, struct cell *out)
{
	struct date_parts p;
	int64_t day = 0;
	if (t.len == 10 && day_parse(t, &day, NULL)) {
		out->text = t;
		out->value = (double)day;
		return FAULT_NONE;
	}
	if (!date_split(t, &p))
		return FAULT_DATE;
	if (p.len == 1 && p.width[0] == 5)
		return check_serial(f, p.value[0], out);
	date_unpack(&p);
	if (p.len >= 3 && p.width[0] <= 2 && p.width[2] == 4)
		return FAULT_DAY_OR_MONTH;
	if (p.len < 3 || p.width[0] != 4)
		return FAULT_DATE;
	for (size_t i = 3; i < p.len; i++) {
		if (p.value[i] != 0)
			return FAULT_DATE; /* a time of day, which the field has no room for */
	}
	out->repair = REPAIR_DATE_FORM;
	return day_make(p.value[0], p.value[1], p.value[2], out);
}

static unsigned check_month(struct bytes t, struct cell *out)
{
	struct date_parts p;
	int64_t day = 0;
	if (t.len == 7) {
		memcpy(out->own, t.data, 7);
		memcpy(out->own + 7, "-01", 4);
		if (day_parse(bytes_of(out->own), &day, NULL)) {
			out->text = t;
			out->value = (double)day;
			return FAULT_NONE;
		}
	}
	if (!date_split(t, &p))
		return FAULT_MONTH;
	date_unpack(&p);
	if (p.len != 2 || p.width[0] != 4)
		return FAULT_MONTH;
	unsigned fault = day_make(p.value[0], p.value[1], 1, out);
	if (fault != FAULT_NONE)
		return FAULT_MONTH;
	out->text.len = 7;
	out->repair = REPAIR_DATE_FORM;
	return FAULT_NONE;
}

static unsigned check_typed(const struct schema_field *f, struct bytes t, struct cell *out)
{
	switch (f->type) {
	case SCHEMA_STRING: out->text = t; return FAULT_NONE;
	case SCHEMA_INTEGER:
	case SCHEMA_NUMBER: return cell_number(f, t, out);
	case SCHEMA_BOOLEAN: return check_boolean(t, out);
	case SCHEMA_DATE: return check_date(f, t, out);
	case SCHEMA_YEARMONTH: return check_month(t, out);
	}
	return FAULT_NONE;
}

static unsigned check_constraints(const struct schema_field *f, const struct cell *c)
{
	if (f->has_min && c->value < f->min)
		return FAULT_MINIMUM;
	if (f->has_max && c->value > f->max)
		return FAULT_MAXIMUM;
	if (f->length_min > 0 && characters(c->text) < f->length_min)
		return FAULT_MIN_LENGTH;
	if (f->length_max != SIZE_MAX && c->text.len > f->length_max && characters(c->text) > f->length_max)
		return FAULT_MAX_LENGTH;
	return schema_allows(f, c->text) ? FAULT_NONE : FAULT_ENUM;
}

unsigned cell_check(const struct schema_field *f, struct bytes given, int64_t today, struct cell *out)
{
	char narrow[PERSON_NAME_MAX];
	unsigned fault = FAULT_NONE;
	bool wide = false;
	out->repair = REPAIR_NONE;
	out->value = 0;
	if (f->identifier != 0) {
		fault = check_identifier(f, given, today, out);
	} else {
		struct bytes t = given;
		wide = f->type != SCHEMA_STRING && has_high(given) && narrowed(given, narrow, sizeof(narrow), &t);
		fault = check_typed(f, t, out);
		if (fault == FAULT_NONE && wide && out->text.data == t.data) {
			memcpy(out->own, t.data, t.len);
			out->text.data = (const uint8_t *)out->own;
		}
		if (wide && out->repair == REPAIR_NONE)
			out->repair = REPAIR_WIDTH;
	}
	return fault == FAULT_NONE ? check_constraints(f, out) : fault;
}
