/*
 * What can be wrong with a row, a cell or a label, under the names of the Frictionless framework (frictionlessdata.io, "Errors"), and what
 * was repaired because there was only one way to read it. A message says what is wrong and what to do, and never a value.
 */
#ifndef CENTRAL_INGEST_FAULT_H
#define CENTRAL_INGEST_FAULT_H

#include "protocol/identifier.h"

/* Stored: a value never changes its meaning. */
enum fault {
	FAULT_NONE = 0,
	FAULT_MISSING_CELL = 1,
	FAULT_EXTRA_CELL,
	FAULT_BLANK_ROW,
	FAULT_QUOTE,
	FAULT_TOO_LONG,
	FAULT_TOO_MANY,
	FAULT_ENCODING,
	FAULT_CUT,  /* the file ends in the middle of this row */
	FAULT_JSON, /* no flat object */
	FAULT_INTEGER,
	FAULT_NUMBER,
	FAULT_BOOLEAN,
	FAULT_DATE,
	FAULT_MONTH,
	FAULT_NO_SUCH_DAY,
	FAULT_DAY_OR_MONTH, /* 03/02/2026 */
	FAULT_EXCEL_SERIAL,
	FAULT_SCIENTIFIC, /* 3.30801E+17: its last digits are lost */
	FAULT_REQUIRED,
	FAULT_MINIMUM,
	FAULT_MAXIMUM,
	FAULT_MIN_LENGTH,
	FAULT_MAX_LENGTH,
	FAULT_ENUM,
	FAULT_PRIMARY_KEY,
	FAULT_BLANK_LABEL,
	FAULT_DUPLICATE_LABEL,
	FAULT_MISSING_LABEL,
	FAULT_EXTRA_LABEL,
	FAULT_INCORRECT_LABEL,
	FAULT_IDENTIFIER = 64, /* and above: FAULT_IDENTIFIER + enum identifier_fault */
};
#define FAULT_LAST (FAULT_IDENTIFIER + IDENTIFIER_FAULT_LAST)

/* "type-error" … */
const char *fault_code(unsigned fault);
const char *fault_zh(unsigned fault);
const char *fault_en(unsigned fault);

/* Stored likewise, beside the cell as it came. */
enum repair {
	REPAIR_NONE = 0,
	REPAIR_WIDTH = 1,   /* full-width characters */
	REPAIR_ID_15,       /* 15 digits became 18 */
	REPAIR_ID_FORM,     /* spaces, hyphens, small letters */
	REPAIR_DATE_FORM,   /* 2026/3/1 */
	REPAIR_EXCEL_DATE,  /* of a field that says its files count from 1900 */
	REPAIR_GROUPED,     /* 1,234.5 */
	REPAIR_UNIT,        /* 1.5万元 where the field is in 元 */
	REPAIR_NUMBER_FORM, /* +5, 5.0 for a whole number */
	REPAIR_TRAILING,    /* of a row: empty cells behind the last label */
};
#define REPAIR_LAST REPAIR_TRAILING
const char *repair_name(unsigned repair);
const char *repair_zh(unsigned repair);

#endif
