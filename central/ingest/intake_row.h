/* What intake.c, intake_labels.c and intake_row.c share. */
#ifndef CENTRAL_INGEST_INTAKE_ROW_H
#define CENTRAL_INGEST_INTAKE_ROW_H

#include "central/ingest/intake.h"
#include "central/ingest/ndjson.h"

struct intake {
	const struct schema *schema; /* NULL until the labels have made one */
	struct schema *made;         /* owned */
	enum intake_format format;
	int64_t today;
	struct csv csv;
	struct csv_row row;
	struct transcoder *transcoder;
	struct buf text;       /* of this row: what was converted or repaired */
	struct buf json, line; /* NDJSON: unescaped; converted */
	struct ndjson_member members[NDJSON_MEMBERS_MAX];
	struct bytes cells[SCHEMA_FIELDS_MAX];
	double values[SCHEMA_FIELDS_MAX];
	struct row_fault faults[INTAKE_FAULTS_MAX];
	size_t faults_len;
	struct row_repair repairs[SCHEMA_FIELDS_MAX + 1];
	size_t repairs_len;
	/* of the window at hand */
	struct intake_state *state;
	const struct intake_sink *sink;
};

void intake_fault_add(struct intake *in, size_t field, unsigned fault);
/* A cell in the file's encoding, as UTF-8; false when it is none. */
bool intake_text(struct intake *in, struct bytes cell, struct bytes *out);
/* The labels' row. */
bool intake_labels(struct intake *in, const struct csv_row *row, struct err *e) CHECKED;
/* One row each: accepted or rejected. */
bool intake_csv_row(struct intake *in, const struct csv_row *row, bool unended, struct err *e) CHECKED;
bool intake_json_row(struct intake *in, uint32_t number, struct bytes line, bool unended, struct err *e) CHECKED;

#endif
