#include "central/ingest/intake_row.h"

#include "protocol/base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void drift_add(struct intake_state *s, size_t column, unsigned fault)
{
	if (s->drift_len < INTAKE_FAULTS_MAX)
		s->drift[s->drift_len++] = (struct row_fault){ (uint32_t)column, fault };
}

/* A schema out of the labels alone: each column any text. Names that come twice get their column's number. */
static void schema_make(struct intake *in, const struct csv_row *row)
{
	struct schema *s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	s->subject = s->as_of = -1;
	s->fields_len = row->fields_len;
	for (size_t i = 0; i < s->fields_len; i++) {
		s->fields[i].length_max = SIZE_MAX;
		snprintf(s->fields[i].name, sizeof(s->fields[i].name), "column-%zu", i + 1);
	}
	in->made = s;
	in->schema = s;
}

/* The labels in UTF-8; false when one is none. */
static bool labels_text(struct intake *in, const struct csv_row *row, struct bytes labels[CSV_FIELDS_MAX])
{
	buf_reset(&in->text);
	for (size_t i = 0; i < row->fields_len; i++) {
		if (!intake_text(in, row->fields[i], &labels[i]))
			return false;
	}
	return true;
}

static bool is_repeated(const struct bytes *labels, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (bytes_equal(labels[k], labels[i]))
			return true;
	}
	return false;
}

/* Blank and repeated names: the faults that need no schema. */
static bool label_stands(struct intake *in, const struct bytes *labels, size_t i)
{
	if (labels[i].len == 0)
		drift_add(in->state, i + 1, FAULT_BLANK_LABEL);
	else if (is_repeated(labels, i))
		drift_add(in->state, i + 1, FAULT_DUPLICATE_LABEL);
	else
		return true;
	return false;
}

static void labels_match(struct intake *in, const struct bytes *labels, bool found[SCHEMA_FIELDS_MAX])
{
	struct intake_state *s = in->state;
	bool claimed[SCHEMA_FIELDS_MAX] = { false }; /* fields whose place another name takes */
	for (size_t i = 0; i < s->labels_len; i++) {
		s->map[i] = -1;
		int field = label_stands(in, labels, i) ? schema_find(in->schema, labels[i]) : -2;
		if (field >= 0 && found[field])
			drift_add(s, i + 1, FAULT_DUPLICATE_LABEL); /* its name and its title */
		else if (field >= 0) {
			s->map[i] = (int16_t)field;
			found[field] = true;
			if ((size_t)field != i)
				drift_add(s, i + 1, FAULT_INCORRECT_LABEL);
		} else if (field == -1 && i < in->schema->fields_len) {
			claimed[i] = true;
			drift_add(s, i + 1, FAULT_INCORRECT_LABEL);
		} else if (field == -1) {
			drift_add(s, i + 1, FAULT_EXTRA_LABEL);
		}
	}
	for (size_t i = 0; i < in->schema->fields_len; i++) {
		if (!found[i] && !claimed[i])
			drift_add(s, i + 1, FAULT_MISSING_LABEL);
	}
}

/* Names fields of the schema, nothing of the file. */
static bool required_are_there(const struct schema *schema, const bool *found, struct err *e)
{
	char names[160] = "";
	size_t at = 0;
	for (size_t i = 0; i < schema->fields_len; i++) {
		const struct schema_field *f = &schema->fields[i];
		if (!f->required || found[i] || at >= sizeof(names))
			continue;
		int n = snprintf(names + at, sizeof(names) - at, "%s%s", at > 0 ? ", " : "", f->name);
		at += n > 0 ? (size_t)n : 0;
	}
	return names[0] == '\0' ||
	       err_set(e, ERR_INPUT, "missing-label: row 1 lacks columns that must be there: %.150s", names);
}

bool intake_labels(struct intake *in, const struct csv_row *row, struct err *e)
{
	struct intake_state *s = in->state;
	struct bytes labels[CSV_FIELDS_MAX] = { { NULL, 0 } };
	bool found[SCHEMA_FIELDS_MAX] = { false };
	if (row->fault != CSV_OK)
		return err_set(e, ERR_INPUT, "row 1 must name the columns, and cannot be read: %s",
			       row->fault == CSV_BLANK      ? "it is empty"
			       : row->fault == CSV_ENCODING ? "its encoding is neither UTF-8 nor what was said"
			       : row->fault == CSV_TOO_MANY ? "more than 64 columns"
							    : "check the double quotes");
	if (!labels_text(in, row, labels))
		return err_set(e, ERR_INPUT,
			       "row 1 is not in the encoding that was said; say --encoding utf-8 or gb18030");
	s->labels_len = row->fields_len;
	if (in->schema == NULL) {
		schema_make(in, row);
		for (size_t i = 0; i < s->labels_len; i++) {
			s->map[i] = (int16_t)i;
			(void)label_stands(in, labels, i);
		}
	} else {
		while (s->labels_len > 0 && labels[s->labels_len - 1].len == 0)
			s->labels_len--; /* a separator at the end of each row */
		labels_match(in, labels, found);
		if (!required_are_there(in->schema, found, e))
			return false;
	}
	s->labelled = true;
	return true;
}
