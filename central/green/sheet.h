/* A file of rows for this area (CSV or NDJSON, read as ingest/intake.h reads them): each row is taken, known already, or rejected under the names of
   the Frictionless framework, as ingest/fault.h has them. Rejected rows never cost the good ones. */
#ifndef CENTRAL_GREEN_SHEET_H
#define CENTRAL_GREEN_SHEET_H

#include "central/ingest/intake.h"

#define SHEET_ROWS_MAX     10000 /* about a second of centrald's own time */
#define SHEET_REJECTS_KEPT 1000  /* all are counted */

struct sheet_reject {
	uint32_t row;
	char field[SCHEMA_NAME_MAX + 1]; /* "" the whole row */
	const char *code, *zh, *en;      /* static */
};
struct sheet_result {
	uint64_t accepted, repeated, rejected;
	size_t rejects_len;
	struct sheet_reject rejects[SHEET_REJECTS_KEPT];
};

enum sheet_outcome { SHEET_ACCEPTED, SHEET_REPEATED, SHEET_REJECTED };
/* What is wrong with a row whose cells are right each by itself. */
struct sheet_fault {
	const char *field, *code, *zh, *en; /* static */
};

/* take: returns false only when the whole import fails; cells are the schema's fields. Allocates nothing that is left. ERR_INPUT: the file
   as a whole cannot be read. */
bool sheet_read(const char *schema_json, enum intake_format format, struct bytes file, int64_t today,
		bool (*take)(void *arg, const struct bytes *cells, enum sheet_outcome *outcome,
			     struct sheet_fault *fault, struct err *e),
		void *arg, struct sheet_result *out, struct err *e) CHECKED;

/* "constraint-error" in both languages. Always SHEET_REJECTED. */
enum sheet_outcome sheet_refuse(struct sheet_fault *f, const char *field, const char *zh, const char *en);
/* A cell as text; false when it does not fit. A missing one is "". */
bool sheet_text(struct bytes cell, char *out, size_t size) CHECKED;

#endif
