/*
 * The bytes of a department's file become rows that are accepted, in their canonical form, or rejected with reasons. Nothing is stored
 * here. The file comes in windows of any size; between two windows all there is to know is struct intake_state, so that a load that was
 * cut short goes on where it was committed.
 *
 * CSV (RFC 4180, first row labels) and NDJSON (one flat object a line); UTF-8 with or without a byte order mark, or GB18030. Labels are
 * names or titles of the schema's fields, in any order; every label that is not where the schema has it is reported (drift), and without
 * a required one nothing is read. Rows count from 1, the labels being row 1 of a CSV file, as in the Frictionless framework.
 *
 * Memory: one row (CSV_ROW_MAX) and the tables of struct intake, whatever the file's length. Nothing is allocated a cell.
 */
#ifndef CENTRAL_INGEST_INTAKE_H
#define CENTRAL_INGEST_INTAKE_H

#include "central/csv.h"
#include "central/ingest/cell.h"
#include "central/ingest/encoding.h"

#define INTAKE_FAULTS_MAX (2 * SCHEMA_FIELDS_MAX + 1)
#define INTAKE_ROWS_MAX   1000000000U
#define INTAKE_WINDOW_MIN CSV_WINDOW_MIN /* a window of so many bytes always gets on */

enum intake_format { INTAKE_CSV = 1, INTAKE_NDJSON };
bool intake_format_of(const char *name, enum intake_format *out) CHECKED; /* "csv", "ndjson" */
const char *intake_format_name(enum intake_format f);

struct row_fault {
	uint32_t field; /* column of the file (of NDJSON: field of the schema) from 1; 0 the whole row */
	unsigned fault;
};

struct row_repair {
	size_t field; /* of the schema, from 0 */
	enum repair repair;
	struct bytes given; /* as it came, in UTF-8 */
};

/* Valid during the call. */
struct intake_row {
	uint32_t number;
	const struct bytes *cells; /* a field of the schema each; data NULL: missing */
	const struct row_repair *repairs;
	size_t repairs_len;
};

struct intake_sink {
	bool (*accept)(void *arg, const struct intake_row *row, struct err *e);
	/* raw: as it stood in the file, in its encoding. */
	bool (*reject)(void *arg, uint32_t number, const struct row_fault *faults, size_t faults_len,
		       struct bytes raw, struct err *e);
	void *arg;
};

/* Of a column of numbers: what shows a change of unit. */
struct intake_scale {
	uint64_t n;  /* numbers other than 0 */
	int64_t sum; /* of their binary exponents */
};

struct intake_state {
	uint64_t offset; /* where the next window begins */
	uint32_t row;
	bool skip; /* inside a row that was too long */
	bool labelled;
	bool cut; /* the file ends in the middle of a row */
	enum encoding encoding;
	size_t labels_len;
	int16_t map[CSV_FIELDS_MAX]; /* label → field, -1 none */
	struct row_fault drift[INTAKE_FAULTS_MAX];
	size_t drift_len;
	uint64_t accepted, rejected, repaired; /* rows */
	int64_t content_from, content_to;      /* days of the asOf field, none after today; from > to: none */
	struct intake_scale scale[SCHEMA_FIELDS_MAX];
};
void intake_state_init(struct intake_state *s, enum encoding encoding);
/* As JSON, to be stored, and back. */
void intake_state_put(const struct intake_state *s, struct buf *out);
bool intake_state_parse(struct bytes json, struct intake_state *s, struct err *e) CHECKED;

struct intake;
/* schema is borrowed; NULL: each column is any text, as the labels are. today: days since 1970-01-01, where the owner lives. */
struct intake *intake_new(const struct schema *schema, enum intake_format format, int64_t today);
void intake_free(struct intake *in);
/* The window that begins at s->offset; last: nothing follows. *used bytes of it are done; the next window begins behind them. ERR_INPUT:
   the file as a whole is not what the source sends. */
bool intake_feed(struct intake *in, struct intake_state *s, struct bytes window, bool last,
		 const struct intake_sink *sink, size_t *used, struct err *e) CHECKED;
/* The schema in use: the one given, or what the labels made. */
const struct schema *intake_schema(const struct intake *in);

#endif
