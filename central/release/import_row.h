/* Between import.c and the two formats: what one row becomes. Nothing else includes this. */
#ifndef CENTRAL_RELEASE_IMPORT_ROW_H
#define CENTRAL_RELEASE_IMPORT_ROW_H

#include "central/csv.h"
#include "central/release/import.h"

#define OFAC_FIELDS    12
#define IMPORT_COLUMNS "kind,number,name,reason,until,note"

enum import_column { COLUMN_KIND, COLUMN_NUMBER, COLUMN_NAME, COLUMN_REASON, COLUMN_UNTIL, COLUMN_NOTE, COLUMNS_LEN };

struct import {
	const struct import_sink *sink;
	struct import_summary *summary;
	uint8_t reason;
	int64_t today;
	size_t labels_len;
	size_t columns[COLUMNS_LEN]; /* 1 + index of the field, 0 when the file has none */
};

/* zh and en without the place, which is put in front. */
bool import_reject_row(struct import *im, const struct csv_row *row, uint32_t field, const char *code, const char *zh,
		       const char *en, struct err *e) CHECKED;
bool import_emit(struct import *im, const struct csv_row *row, const struct identifier *id, uint32_t value,
		 struct err *e) CHECKED;

bool import_csv_header(struct import *im, const struct csv_row *row, struct err *e) CHECKED;
bool import_csv_row(struct import *im, const struct csv_row *row, struct err *e) CHECKED;
bool import_ofac_row(struct import *im, const struct csv_row *row, struct err *e) CHECKED;

#endif
