#include "central/green/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	bool (*take)(void *arg, const struct bytes *cells, enum sheet_outcome *outcome, struct sheet_fault *fault,
		     struct err *e);
	void *arg;
	struct sheet_result *out;
	struct intake_state *state;
	const struct schema *schema;
	enum intake_format format;
};

static void reject_add(struct reading *r, uint32_t row, const struct sheet_fault *f)
{
	struct sheet_result *o = r->out;
	if (o->rejects_len == SHEET_REJECTS_KEPT)
		return;
	struct sheet_reject *x = &o->rejects[o->rejects_len++];
	*x = (struct sheet_reject){ .row = row, .code = f->code, .zh = f->zh, .en = f->en };
	snprintf(x->field, sizeof(x->field), "%s", f->field);
}

static bool row_room(const struct reading *r, struct err *e)
{
	return r->out->accepted + r->out->repeated + r->out->rejected < SHEET_ROWS_MAX ||
	       err_set(e, ERR_FULL, "more than %d rows: split the file", SHEET_ROWS_MAX);
}

static bool on_accept(void *arg, const struct intake_row *row, struct err *e)
{
	struct reading *r = arg;
	enum sheet_outcome outcome = SHEET_REJECTED;
	struct sheet_fault f = { "", "", "", "" };
	if (!row_room(r, e) || !r->take(r->arg, row->cells, &outcome, &f, e))
		return false;
	r->out->accepted += outcome == SHEET_ACCEPTED;
	r->out->repeated += outcome == SHEET_REPEATED;
	r->out->rejected += outcome == SHEET_REJECTED;
	if (outcome == SHEET_REJECTED)
		reject_add(r, row->number, &f);
	return true;
}

/* What the field is called, of a column of the file. */
static const char *field_name(const struct reading *r, uint32_t column)
{
	int field = column == 0                      ? -1
		    : r->format == INTAKE_NDJSON     ? (int)column - 1
		    : column <= r->state->labels_len ? r->state->map[column - 1]
						     : -1;
	return field >= 0 && (size_t)field < r->schema->fields_len ? r->schema->fields[field].name : "";
}

static bool on_reject(void *arg, uint32_t number, const struct row_fault *faults, size_t faults_len, struct bytes raw,
		      struct err *e)
{
	struct reading *r = arg;
	(void)raw;
	if (!row_room(r, e))
		return false;
	r->out->rejected++;
	for (size_t i = 0; i < faults_len; i++) {
		const struct sheet_fault f = { field_name(r, faults[i].field), fault_code(faults[i].fault),
					       fault_zh(faults[i].fault), fault_en(faults[i].fault) };
		reject_add(r, number, &f);
	}
	return true;
}

bool sheet_read(const char *schema_json, enum intake_format format, struct bytes file, int64_t today,
		bool (*take)(void *arg, const struct bytes *cells, enum sheet_outcome *outcome,
			     struct sheet_fault *fault, struct err *e),
		void *arg, struct sheet_result *out, struct err *e)
{
	size_t used = 0;
	struct schema *schema = schema_parse_text(bytes_of(schema_json), e);
	if (schema == NULL)
		return false;
	struct intake_state *state = calloc(1, sizeof(*state));
	struct intake *in = intake_new(schema, format, today);
	if (state == NULL)
		abort();
	intake_state_init(state, ENCODING_AUTO);
	memset(out, 0, sizeof(*out));
	struct reading r = { take, arg, out, state, schema, format };
	const struct intake_sink sink = { on_accept, on_reject, &r };
	bool ok = intake_feed(in, state, file, true, &sink, &used, e);
	intake_free(in);
	schema_free(schema);
	free(state);
	return ok;
}

enum sheet_outcome sheet_refuse(struct sheet_fault *f, const char *field, const char *zh, const char *en)
{
	*f = (struct sheet_fault){ field, "constraint-error", zh, en };
	return SHEET_REJECTED;
}

bool sheet_text(struct bytes cell, char *out, size_t size)
{
	out[0] = '\0';
	if (cell.len >= size || (cell.len > 0 && memchr(cell.data, '\0', cell.len) != NULL))
		return false;
	if (cell.len > 0)
		memcpy(out, cell.data, cell.len);
	out[cell.len] = '\0';
	return true;
}
