/* What a label is computed from: out of rows, in order, and as JSON. */
#include "central/green/label.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_DIGITS 12 /* with three decimals, a thousand of them sum within 64 bits */
#define DECIMALS     3

/* --- out of rows --- */

static struct bytes cell_of(const struct subject_record *r, const char *field)
{
	int at = schema_find(r->schema, bytes_of(field));
	return at >= 0 ? r->record->cells[at] : (struct bytes){ NULL, 0 };
}

/* "" when it does not fit: no code, no unit and no meter's number is so long. */
static void text_of(const struct subject_record *r, const char *field, char *out, size_t size)
{
	struct bytes cell = cell_of(r, field);
	snprintf(out, size, "%.*s", cell.len < size ? (int)cell.len : 0, cell.len > 0 ? (const char *)cell.data : "");
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* The decimals behind the point, of which none is left out. */
static int64_t decimals_of(int64_t whole, struct bytes t)
{
	size_t n = 0;
	for (; n < t.len; n++) {
		if (!is_digit(t.data[n]) || (n >= DECIMALS && t.data[n] != '0'))
			return LABEL_BAD;
		if (n < DECIMALS)
			whole = whole * 10 + (t.data[n] - '0');
	}
	for (; n < DECIMALS; n++)
		whole *= 10;
	return whole;
}

int64_t label_thousandths(struct bytes t)
{
	int64_t v = 0;
	size_t at = 0;
	if (t.data == NULL || t.len == 0)
		return LABEL_NONE;
	for (; at < t.len && is_digit(t.data[at]); at++) {
		if (at == WHOLE_DIGITS)
			return LABEL_BAD;
		v = v * 10 + (t.data[at] - '0');
	}
	if (at == 0)
		return LABEL_BAD;
	if (at == t.len)
		return decimals_of(v, (struct bytes){ NULL, 0 });
	if (t.data[at] != '.' || at + 1 == t.len)
		return LABEL_BAD;
	return decimals_of(v, (struct bytes){ t.data + at + 1, t.len - at - 1 });
}

static void place_of(const struct subject_record *r, struct label_place *out)
{
	snprintf(out->source, sizeof(out->source), "%s", r->source->code);
	out->batch = r->batch->id;
	out->row = r->record->row;
}

static void lower(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

static void reading_take(const struct subject_record *r, int32_t month, struct label_reading *out)
{
	*out = (struct label_reading){ .month = month, .held = r->objections->held };
	text_of(r, "meter", out->meter, sizeof(out->meter));
	text_of(r, "carrier", out->carrier, sizeof(out->carrier));
	text_of(r, "unit", out->unit, sizeof(out->unit));
	out->before = label_thousandths(cell_of(r, "before"));
	out->after = label_thousandths(cell_of(r, "after"));
	out->last = label_thousandths(cell_of(r, "last"));
	out->quantity = label_thousandths(cell_of(r, "quantity"));
	place_of(r, &out->place);
}

static void output_take(const struct subject_record *r, int32_t month, struct label_output *out)
{
	*out = (struct label_output){ .month = month, .held = r->objections->held };
	text_of(r, "industry", out->industry, sizeof(out->industry));
	lower(out->industry); /* C17 of GB/T 4754 */
	text_of(r, "unit", out->unit, sizeof(out->unit));
	out->quantity = label_thousandths(cell_of(r, "quantity"));
	place_of(r, &out->place);
}

void label_inputs_add(struct label_inputs *in, const struct label_rules *r, const struct subject_record *record)
{
	char text[8];
	int32_t month = 0;
	struct err none = { 0 };
	const bool reading = strcmp(record->source->indicator, r->readings) == 0;
	if ((!reading && strcmp(record->source->indicator, r->outputs) != 0) || record->objections->withdrawn)
		return;
	text_of(record, "month", text, sizeof(text));
	if (!green_month_parse(text, &month, &none) || month > in->month || month <= in->month - (int32_t)r->months)
		return;
	if (reading && in->readings_len < LABEL_ROWS_MAX)
		reading_take(record, month, &in->readings[in->readings_len++]);
	else if (!reading && in->outputs_len < LABEL_ROWS_MAX)
		output_take(record, month, &in->outputs[in->outputs_len++]);
}

/* --- in order --- */

static int by_number(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_place(const struct label_place *a, const struct label_place *b)
{
	int d = strcmp(a->source, b->source);
	d = d != 0 ? d : by_number(a->batch, b->batch);
	return d != 0 ? d : by_number(a->row, b->row);
}

/* All but where it is from. */
static int reading_compare(const struct label_reading *a, const struct label_reading *b)
{
	const int64_t x[] = { a->before, a->after, a->last, a->quantity },
		      y[] = { b->before, b->after, b->last, b->quantity };
	int d = strcmp(a->meter, b->meter);
	d = d != 0 ? d : by_number(a->month, b->month);
	d = d != 0 ? d : strcmp(a->carrier, b->carrier);
	d = d != 0 ? d : strcmp(a->unit, b->unit);
	for (size_t i = 0; d == 0 && i < sizeof(x) / sizeof(x[0]); i++)
		d = by_number(x[i], y[i]);
	return d;
}

static int output_compare(const struct label_output *a, const struct label_output *b)
{
	int d = by_number(a->month, b->month);
	d = d != 0 ? d : strcmp(a->industry, b->industry);
	d = d != 0 ? d : strcmp(a->unit, b->unit);
	return d != 0 ? d : by_number(a->quantity, b->quantity);
}

static int by_reading(const void *a, const void *b)
{
	const struct label_reading *x = a, *y = b;
	int d = reading_compare(x, y);
	return d != 0 ? d : by_place(&x->place, &y->place);
}

static int by_output(const void *a, const void *b)
{
	const struct label_output *x = a, *y = b;
	int d = output_compare(x, y);
	return d != 0 ? d : by_place(&x->place, &y->place);
}

void label_inputs_order(struct label_inputs *in)
{
	size_t n = 0;
	qsort(in->readings, in->readings_len, sizeof(in->readings[0]), by_reading);
	qsort(in->outputs, in->outputs_len, sizeof(in->outputs[0]), by_output);
	for (size_t i = 0; i < in->readings_len; i++) {
		if (n > 0 && reading_compare(&in->readings[n - 1], &in->readings[i]) == 0)
			in->readings[n - 1].held |= in->readings[i].held;
		else
			in->readings[n++] = in->readings[i];
	}
	in->readings_len = n;
	n = 0;
	for (size_t i = 0; i < in->outputs_len; i++) {
		if (n > 0 && output_compare(&in->outputs[n - 1], &in->outputs[i]) == 0)
			in->outputs[n - 1].held |= in->outputs[i].held;
		else
			in->outputs[n++] = in->outputs[i];
	}
	in->outputs_len = n;
}

/* --- JSON --- */

static void place_json(struct json_out *w, int32_t month, bool held, const struct label_place *p)
{
	json_put_int(w, "month", month);
	json_put_bool(w, "held", held);
	json_put_text(w, "source", p->source);
	json_put_int(w, "batch", p->batch);
	json_put_int(w, "row", p->row);
	json_close(w, '}');
}

void label_inputs_json(const struct label_inputs *in, struct json_out *w, const char *key)
{
	json_open(w, key, '{');
	json_put_int(w, "month", in->month);
	json_open(w, "readings", '[');
	for (size_t i = 0; i < in->readings_len; i++) {
		const struct label_reading *m = &in->readings[i];
		json_open(w, NULL, '{');
		json_put_text(w, "meter", m->meter);
		json_put_text(w, "carrier", m->carrier);
		json_put_text(w, "unit", m->unit);
		json_put_int(w, "before", m->before);
		json_put_int(w, "after", m->after);
		json_put_int(w, "last", m->last);
		json_put_int(w, "quantity", m->quantity);
		place_json(w, m->month, m->held, &m->place);
	}
	json_close(w, ']');
	json_open(w, "outputs", '[');
	for (size_t i = 0; i < in->outputs_len; i++) {
		const struct label_output *o = &in->outputs[i];
		json_open(w, NULL, '{');
		json_put_text(w, "industry", o->industry);
		json_put_text(w, "unit", o->unit);
		json_put_int(w, "quantity", o->quantity);
		place_json(w, o->month, o->held, &o->place);
	}
	json_close(w, ']');
	json_close(w, '}');
}

static bool word_read(const struct json *j, const char *key, char *out, size_t size, struct err *e)
{
	const char *text = NULL;
	if (!json_text(j, key, size - 1, &text, e))
		return false;
	snprintf(out, size, "%s", text);
	return true;
}

static bool place_read(const struct json *j, int32_t *month, bool *held, struct label_place *p, struct err *e)
{
	int64_t m = 0;
	if (!json_int(j, "month", 0, 100000, &m, e) || !json_bool(j, "held", held, e) ||
	    !word_read(j, "source", p->source, sizeof(p->source), e) ||
	    !json_int(j, "batch", 0, INT64_MAX, &p->batch, e) || !json_int(j, "row", 0, INT64_MAX, &p->row, e))
		return false;
	*month = (int32_t)m;
	return true;
}

static bool reading_read(const struct json *j, struct label_reading *m, struct err *e)
{
	return word_read(j, "meter", m->meter, sizeof(m->meter), e) &&
	       word_read(j, "carrier", m->carrier, sizeof(m->carrier), e) &&
	       word_read(j, "unit", m->unit, sizeof(m->unit), e) &&
	       json_int(j, "before", LABEL_BAD, INT64_MAX, &m->before, e) &&
	       json_int(j, "after", LABEL_BAD, INT64_MAX, &m->after, e) &&
	       json_int(j, "last", LABEL_BAD, INT64_MAX, &m->last, e) &&
	       json_int(j, "quantity", LABEL_BAD, INT64_MAX, &m->quantity, e) &&
	       place_read(j, &m->month, &m->held, &m->place, e);
}

static bool output_read(const struct json *j, struct label_output *o, struct err *e)
{
	return word_read(j, "industry", o->industry, sizeof(o->industry), e) &&
	       word_read(j, "unit", o->unit, sizeof(o->unit), e) &&
	       json_int(j, "quantity", LABEL_BAD, INT64_MAX, &o->quantity, e) &&
	       place_read(j, &o->month, &o->held, &o->place, e);
}

static bool inputs_read(const struct json *j, struct label_inputs *out, struct err *e)
{
	int64_t month = 0;
	const struct json *readings = json_get(j, "readings"), *outputs = json_get(j, "outputs");
	memset(out, 0, sizeof(*out));
	if (!json_int(j, "month", 0, 100000, &month, e))
		return false;
	out->month = (int32_t)month;
	if (readings == NULL || outputs == NULL || json_len(readings) > LABEL_ROWS_MAX ||
	    json_len(outputs) > LABEL_ROWS_MAX)
		return err_set(e, ERR_IO, "it is not what was kept");
	for (; out->readings_len < json_len(readings); out->readings_len++)
		if (!reading_read(json_at(readings, out->readings_len), &out->readings[out->readings_len], e))
			return false;
	for (; out->outputs_len < json_len(outputs); out->outputs_len++)
		if (!output_read(json_at(outputs, out->outputs_len), &out->outputs[out->outputs_len], e))
			return false;
	return true;
}

bool label_inputs_read(const struct json *j, struct label_inputs *out, struct err *e)
{
	struct err why = { 0 };
	return inputs_read(j, out, &why) || err_set(e, ERR_IO, "the inputs of a label are damaged: %s", why.text);
}

/* --- what came of it --- */

static void fault_json(struct json_out *w, const struct label_fault *f)
{
	char month[8] = "";
	if (f->month != 0)
		green_month_format(f->month, month);
	json_open(w, NULL, '{');
	json_put_text(w, "code", f->code);
	json_put_text(w, "zh", f->zh);
	json_put_text(w, "en", f->en);
	json_put_text(w, "of", f->of);
	json_put_text(w, "month", month);
	json_close(w, '}');
}

static void carriers_json(const struct label_rules *r, const struct label_result *x, struct json_out *w)
{
	json_open(w, "carriers", '[');
	for (size_t i = 0; i < r->carriers_len; i++) {
		if (x->used[i] == 0)
			continue;
		json_open(w, NULL, '{');
		json_put_text(w, "carrier", r->carriers[i].word.code);
		json_put_text(w, "zh", r->carriers[i].word.zh);
		json_put_text(w, "unit", r->carriers[i].unit);
		json_put_int(w, "used_thousandths", x->used[i]);
		json_put_int(w, "grams", x->emitted[i]);
		json_close(w, '}');
	}
	json_close(w, ']');
}

void label_result_json(const struct label_rules *r, const struct label_inputs *in, const struct label_result *x,
		       struct json_out *w, const char *key)
{
	char from[8], to[8];
	green_month_format(in->month - (int32_t)r->months + 1, from);
	green_month_format(in->month, to);
	json_open(w, key, '{');
	json_put_text(w, "label", x->colour != NULL ? x->colour->word.code : NULL);
	json_put_text(w, "label_zh", x->colour != NULL ? x->colour->word.zh : NULL);
	json_put_text(w, "label_en", x->colour != NULL ? x->colour->word.en : NULL);
	json_put_bool(w, "sample", r->sample);
	json_put_text(w, "from", from);
	json_put_text(w, "to", to);
	json_put_text(w, "industry", x->industry != NULL ? x->industry->word.code : NULL);
	json_put_text(w, "industry_zh", x->industry != NULL ? x->industry->word.zh : NULL);
	json_put_text(w, "output_unit", x->industry != NULL ? x->industry->unit : NULL);
	json_put_int(w, "output_thousandths", x->output);
	json_put_int(w, "grams", x->grams);
	json_put_int(w, "intensity_grams", x->intensity);
	json_put_int(w, "benchmark_grams", x->industry != NULL ? x->industry->benchmark : 0);
	json_put_int(w, "of_benchmark_thousandths", x->thousandths);
	carriers_json(r, x, w);
	json_put_int(w, "faults_in_all", (int64_t)x->faults_len);
	json_open(w, "faults", '[');
	for (size_t i = 0; i < x->faults_len && i < LABEL_FAULTS_MAX; i++)
		fault_json(w, &x->faults[i]);
	json_close(w, ']');
	json_close(w, '}');
}
