#include "central/ingest/intake_row.h"

#include "protocol/base/utf8.h"

#include <math.h>
#include <string.h>

void intake_fault_add(struct intake *in, size_t field, unsigned fault)
{
	if (in->faults_len < INTAKE_FAULTS_MAX)
		in->faults[in->faults_len++] = (struct row_fault){ (uint32_t)field, fault };
}

static bool is_ascii(struct bytes t)
{
	for (size_t i = 0; i < t.len; i++) {
		if (t.data[i] >= 0x80)
			return false;
	}
	return true;
}

bool intake_text(struct intake *in, struct bytes cell, struct bytes *out)
{
	*out = cell;
	if (in->state->encoding != ENCODING_GB18030 || is_ascii(cell))
		return true;
	size_t from = in->text.len;
	if (!transcoder_utf8(in->transcoder, cell, &in->text))
		return false;
	*out = (struct bytes){ in->text.data + from, in->text.len - from };
	return true;
}

static void row_begin(struct intake *in)
{
	buf_reset(&in->text);
	in->faults_len = in->repairs_len = 0;
	for (size_t i = 0; i < in->schema->fields_len; i++)
		in->cells[i] = (struct bytes){ NULL, 0 };
}

/* column: of the file, from 1. */
static void cell_take(struct intake *in, size_t column, size_t field, struct bytes raw)
{
	const struct schema_field *f = &in->schema->fields[field];
	struct bytes given;
	struct cell c;
	if (!intake_text(in, raw, &given)) {
		intake_fault_add(in, column, FAULT_ENCODING);
		return;
	}
	if (schema_is_null(in->schema, given)) {
		if (f->required)
			intake_fault_add(in, column, FAULT_REQUIRED);
		return;
	}
	unsigned fault = cell_check(f, given, in->today, &c);
	if (fault != FAULT_NONE) {
		intake_fault_add(in, column, fault);
		return;
	}
	if (c.text.data == (const uint8_t *)c.own) {
		size_t from = in->text.len;
		buf_add(&in->text, c.own, c.text.len);
		c.text.data = in->text.data + from;
	}
	if (c.repair != REPAIR_NONE)
		in->repairs[in->repairs_len++] = (struct row_repair){ field, c.repair, given };
	in->cells[field] = c.text;
	in->values[field] = c.value;
}

static void scale_add(struct intake_scale *s, double value)
{
	int exponent = 0;
	if (value == 0)
		return;
	(void)frexp(value, &exponent);
	s->n++;
	s->sum += exponent;
}

/* What an accepted row shows of the whole file. */
static void figures_add(struct intake *in)
{
	struct intake_state *s = in->state;
	for (size_t i = 0; i < in->schema->fields_len; i++) {
		enum schema_type t = in->schema->fields[i].type;
		if (in->cells[i].data != NULL && (t == SCHEMA_NUMBER || t == SCHEMA_INTEGER))
			scale_add(&s->scale[i], in->values[i]);
	}
	int as_of = in->schema->as_of;
	if (as_of < 0 || in->cells[as_of].data == NULL || in->values[as_of] > (double)in->today)
		return;
	int64_t day = (int64_t)in->values[as_of];
	s->content_from = day < s->content_from ? day : s->content_from;
	s->content_to = day > s->content_to ? day : s->content_to;
}

static bool row_end(struct intake *in, uint32_t number, struct bytes raw, struct err *e)
{
	struct intake_state *s = in->state;
	if (in->faults_len > 0) {
		s->rejected++;
		return in->sink->reject(in->sink->arg, number, in->faults, in->faults_len, raw, e);
	}
	const struct intake_row row = { number, in->cells, in->repairs, in->repairs_len };
	s->accepted++;
	s->repaired += in->repairs_len > 0;
	figures_add(in);
	return in->sink->accept(in->sink->arg, &row, e);
}

static unsigned fault_of(enum csv_fault fault)
{
	switch (fault) {
	case CSV_OK: return FAULT_NONE;
	case CSV_BLANK: return FAULT_BLANK_ROW;
	case CSV_OPEN:
	case CSV_QUOTE: return FAULT_QUOTE;
	case CSV_TOO_LONG: return FAULT_TOO_LONG;
	case CSV_TOO_MANY: return FAULT_TOO_MANY;
	case CSV_ENCODING: return FAULT_ENCODING;
	}
	return FAULT_QUOTE;
}

/* A last row that has no end and lacks something was cut off; what its last character lacks is said as such. */
static void cut_judge(struct intake *in)
{
	for (size_t i = 0; i < in->faults_len; i++) {
		unsigned f = in->faults[i].fault;
		if (f != FAULT_ENCODING && f != FAULT_QUOTE && f != FAULT_MISSING_CELL && f != FAULT_JSON)
			continue;
		in->state->cut = true;
		if (f == FAULT_ENCODING)
			in->faults[i].fault = FAULT_CUT;
	}
}

/* Cells behind the last label: empty ones are separators too many, others are faults. */
static void extra_judge(struct intake *in, const struct csv_row *row)
{
	size_t len = row->fields_len, labels = in->state->labels_len;
	while (len > labels && row->fields[len - 1].len == 0)
		len--;
	for (size_t i = labels; i < len; i++)
		intake_fault_add(in, i + 1, FAULT_EXTRA_CELL);
	if (len < row->fields_len)
		in->repairs[in->repairs_len++] =
			(struct row_repair){ SCHEMA_FIELDS_MAX, REPAIR_TRAILING, { NULL, 0 } };
}

bool intake_csv_row(struct intake *in, const struct csv_row *row, bool unended, struct err *e)
{
	const struct intake_state *s = in->state;
	row_begin(in);
	if (row->fault != CSV_OK) {
		intake_fault_add(in, 0, fault_of(row->fault));
	} else {
		size_t shared = row->fields_len < s->labels_len ? row->fields_len : s->labels_len;
		for (size_t i = 0; i < shared; i++) {
			if (s->map[i] >= 0)
				cell_take(in, i + 1, (size_t)s->map[i], row->fields[i]);
		}
		for (size_t i = shared; i < s->labels_len; i++)
			intake_fault_add(in, i + 1, FAULT_MISSING_CELL);
		extra_judge(in, row);
	}
	if (unended)
		cut_judge(in);
	return row_end(in, (uint32_t)row->number, row->raw, e);
}

static struct bytes trimmed(struct bytes t)
{
	while (t.len > 0 && (t.data[0] == ' ' || t.data[0] == '\t'))
		t.data++, t.len--;
	while (t.len > 0 && (t.data[t.len - 1] == ' ' || t.data[t.len - 1] == '\t'))
		t.len--;
	return t;
}

static bool line_text(struct intake *in, struct bytes line, struct bytes *out)
{
	*out = line;
	if (in->state->encoding != ENCODING_GB18030)
		return utf8_is_valid(line);
	buf_reset(&in->line);
	if (memchr(line.data, 0, line.len) != NULL || !transcoder_utf8(in->transcoder, line, &in->line))
		return false;
	*out = buf_bytes(&in->line);
	return true;
}

static void json_cells(struct intake *in, struct bytes line)
{
	size_t len = 0;
	bool there[SCHEMA_FIELDS_MAX] = { false };
	if (!ndjson_parse(line, &in->json, in->members, &len)) {
		intake_fault_add(in, 0, FAULT_JSON);
		return;
	}
	/* Already UTF-8: cell_take must not convert again. */
	enum encoding file = in->state->encoding;
	in->state->encoding = ENCODING_UTF8;
	for (size_t i = 0; i < len; i++) {
		int field = schema_find(in->schema, in->members[i].key);
		if (field < 0 || there[field]) {
			intake_fault_add(in, 0, FAULT_EXTRA_CELL);
			continue;
		}
		there[field] = true;
		cell_take(in, (size_t)field + 1, (size_t)field, trimmed(in->members[i].value));
	}
	in->state->encoding = file;
	for (size_t i = 0; i < in->schema->fields_len; i++) {
		if (!there[i] && in->schema->fields[i].required)
			intake_fault_add(in, i + 1, FAULT_MISSING_CELL);
	}
}

bool intake_json_row(struct intake *in, uint32_t number, struct bytes line, bool unended, struct err *e)
{
	struct bytes text;
	row_begin(in);
	if (line.len > CSV_ROW_MAX)
		intake_fault_add(in, 0, FAULT_TOO_LONG);
	else if (!line_text(in, line, &text))
		intake_fault_add(in, 0, FAULT_ENCODING);
	else if (trimmed(text).len == 0)
		intake_fault_add(in, 0, FAULT_BLANK_ROW);
	else
		json_cells(in, text);
	if (unended)
		cut_judge(in);
	return row_end(in, number, line, e);
}
