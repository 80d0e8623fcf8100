#include "central/score/table.h"

#include "central/csv.h"
#include "central/score/fast.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct table {
	const struct card *card;
	const struct table_options *options;
	struct fast *fast;
	struct buf *out;
	size_t columns;                  /* of the header */
	uint32_t fields[CSV_FIELDS_MAX]; /* by column; CARD_FIELDS_MAX none */
	size_t kept[CSV_FIELDS_MAX], kept_len;
	struct score score;
};

void table_put(struct buf *out, struct bytes field)
{
	bool quotes = false;
	for (size_t i = 0; i < field.len && !quotes; i++)
		quotes = field.data[i] == ',' || field.data[i] == '"' || field.data[i] == '\r' ||
			 field.data[i] == '\n';
	if (!quotes) {
		buf_add(out, field.data, field.len);
		return;
	}
	buf_add_u8(out, '"');
	for (size_t i = 0; i < field.len; i++) {
		if (field.data[i] == '"')
			buf_add_u8(out, '"');
		buf_add_u8(out, field.data[i]);
	}
	buf_add_u8(out, '"');
}

static void number_put(struct buf *out, double v)
{
	char digits[32] = "";
	if (!isnan(v))
		card_number_format(v, digits);
	buf_add_str(out, digits);
}

/* --- the header --- */

static bool keep_read(struct table *t, const struct csv_row *row, struct err *e)
{
	for (const char *at = t->options->keep; at != NULL && *at != '\0';) {
		size_t len = strcspn(at, ","), i = 0;
		while (i < row->fields_len &&
		       !bytes_equal(row->fields[i], (struct bytes){ (const uint8_t *)at, len }))
			i++;
		if (i == row->fields_len)
			return err_set(e, ERR_INPUT, "the file has no column '%.*s'", len > 60 ? 60 : (int)len, at);
		if (t->kept_len == CSV_FIELDS_MAX)
			return err_set(e, ERR_FULL, "more than %d columns to keep", CSV_FIELDS_MAX);
		t->kept[t->kept_len++] = i;
		at += len + (at[len] == ',');
	}
	return true;
}

static bool head_read(struct table *t, const struct csv_row *row, struct err *e)
{
	if (row->fault != CSV_OK)
		return err_set(e, ERR_INPUT, "row 1: expected the names of the columns");
	t->columns = row->fields_len;
	for (size_t i = 0; i < row->fields_len; i++) {
		t->fields[i] = card_field_find(t->card, row->fields[i]);
		for (size_t k = 0; k < i && t->fields[i] != CARD_FIELDS_MAX; k++)
			if (t->fields[k] == t->fields[i])
				return err_set(e, ERR_INPUT, "row 1: two columns are '%.80s'",
					       t->card->fields[t->fields[i]].name);
	}
	return keep_read(t, row, e);
}

static void head_write(struct table *t, const struct csv_row *row)
{
	buf_add_str(t->out, "row");
	for (size_t i = 0; i < t->kept_len; i++) {
		buf_add_u8(t->out, ',');
		table_put(t->out, row->fields[t->kept[i]]);
	}
	buf_add_str(t->out, ",score,status,knockouts,inputs");
	for (size_t i = 0; i < t->options->reasons; i++)
		buf_add_fmt(t->out, ",reason%zu", i + 1);
	for (size_t i = 0; t->options->points && i < t->card->characteristics_len; i++) {
		const char *name = t->card->characteristics[i].name;
		buf_add_u8(t->out, ',');
		table_put(t->out, bytes_of(name != NULL ? name : ""));
	}
	buf_add_u8(t->out, '\n');
}

/* --- a row --- */

static void knockouts_write(struct table *t)
{
	struct buf codes;
	buf_init(&codes, 65536);
	for (size_t i = 0; i < t->card->knockouts_len; i++) {
		if (t->score.knockouts[i] == TRUTH_FALSE)
			continue;
		buf_add_str(&codes, codes.len > 0 ? ";" : "");
		buf_add_str(&codes, t->card->knockouts[i].reason);
		buf_add_str(&codes, t->score.knockouts[i] == TRUTH_UNKNOWN ? "?" : "");
	}
	table_put(t->out, buf_bytes(&codes));
	buf_clear(&codes);
}

static void inputs_write(struct table *t)
{
	struct buf states;
	buf_init(&states, 1 << 19);
	for (size_t i = 0; i < t->card->fields_len; i++) {
		enum input_state s = t->score.inputs[i];
		if (s == INPUT_UNUSED || s == INPUT_VALID)
			continue;
		buf_add_str(&states, states.len > 0 ? ";" : "");
		buf_add_str(&states, t->card->fields[i].name);
		buf_add_str(&states, "=");
		buf_add_str(&states, input_state_name(s));
	}
	table_put(t->out, buf_bytes(&states));
	buf_clear(&states);
}

static void row_write(struct table *t, const struct csv_row *row)
{
	char why[300];
	buf_add_fmt(t->out, "%llu", (unsigned long long)row->number - 1);
	for (size_t i = 0; i < t->kept_len; i++) {
		buf_add_u8(t->out, ',');
		table_put(t->out, row->fields[t->kept[i]]);
	}
	buf_add_u8(t->out, ',');
	number_put(t->out, t->score.value);
	buf_add_u8(t->out, ',');
	score_why(t->card, &t->score, true, why, sizeof(why));
	table_put(t->out, bytes_of(why[0] != '\0' ? why : "ok"));
	buf_add_u8(t->out, ',');
	knockouts_write(t);
	buf_add_u8(t->out, ',');
	inputs_write(t);
	for (size_t i = 0; i < t->options->reasons; i++) {
		buf_add_u8(t->out, ',');
		table_put(t->out, bytes_of(i < t->score.reasons_len ? t->score.reasons[i].code : ""));
	}
	for (size_t i = 0; t->options->points && i < t->card->characteristics_len; i++) {
		buf_add_u8(t->out, ',');
		number_put(t->out, t->score.points[i]);
	}
	buf_add_u8(t->out, '\n');
}

static bool row_score(struct table *t, const struct csv_row *row, struct err *e)
{
	struct value given[CARD_FIELDS_MAX] = { 0 };
	bool blank = row->fault == CSV_BLANK && row->fields_len == t->columns; /* all of it is missing */
	if (row->fault != CSV_OK && !blank)
		return err_set(e, ERR_INPUT, "row %llu is not well formed", (unsigned long long)row->number);
	if (row->fields_len != t->columns)
		return err_set(e, ERR_INPUT, "row %llu has %zu fields, the header %zu",
			       (unsigned long long)row->number, row->fields_len, t->columns);
	for (size_t i = 0; i < row->fields_len; i++)
		if (t->fields[i] != CARD_FIELDS_MAX)
			given[t->fields[i]] = score_input(&t->card->fields[t->fields[i]], row->fields[i]);
	fast_run(t->fast, given, &t->score);
	row_write(t, row);
	return true;
}

bool table_score(const struct card *c, struct bytes data, const struct table_options *o, struct buf *out,
		 uint64_t *rows, uint64_t *invalid, struct err *e)
{
	struct table *t = calloc(1, sizeof(*t));
	struct csv csv;
	struct csv_row row;
	if (t == NULL)
		abort();
	t->card = c;
	t->options = o;
	t->out = out;
	t->fast = fast_new(c);
	*rows = *invalid = 0;
	csv_init(&csv, data);
	bool ok = csv_next(&csv, &row) ? head_read(t, &row, e) : err_set(e, ERR_INPUT, "the file is empty");
	if (ok)
		head_write(t, &row);
	while (ok && csv_next(&csv, &row)) {
		if (row.raw.len == 0 && t->columns > 1)
			continue; /* an empty line, and no row */
		ok = row_score(t, &row, e);
		++*rows;
		*invalid += ok && t->score.fault != SCORE_OK;
	}
	csv_clear(&csv);
	fast_free(t->fast);
	free(t);
	return ok && buf_ok(out, "the scores", e);
}
