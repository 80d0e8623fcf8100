/*
 * A source's schema: a Frictionless Table Schema document (specs.frictionlessdata.io/table-schema), compiled into a flat table, a row a
 * column. What is understood: type string, integer, number, boolean, date, yearmonth; constraints required, minimum, maximum, minLength,
 * maxLength, enum; missingValues; primaryKey (its fields are required). Anything else is refused, never passed over. Members of our own,
 * which the standard allows:
 *
 *   identifier   the cell is one of identifier.h's kinds: "uscc", "resident_id" …
 *   subject      true: whom the row is about; one field, with an identifier
 *   asOf         true: a date or yearmonth that shows how fresh the content is; one field
 *   unit         "元" or "万元": a cell that says its own unit is converted
 *   excelDates   true: whole numbers are Excel's days from 1900; only the source's owner can know
 */
#ifndef CENTRAL_INGEST_SCHEMA_H
#define CENTRAL_INGEST_SCHEMA_H

#include "protocol/base/json.h"
#include "protocol/identifier.h"

#define SCHEMA_FIELDS_MAX 64 /* as CSV_FIELDS_MAX */
#define SCHEMA_NAME_MAX   64
#define SCHEMA_TITLE_MAX  96
#define SCHEMA_ENUM_MAX   256
#define SCHEMA_VALUE_MAX  95
#define SCHEMA_NULLS_MAX  8

enum schema_type {
	SCHEMA_STRING,
	SCHEMA_INTEGER,
	SCHEMA_NUMBER,
	SCHEMA_BOOLEAN,
	SCHEMA_DATE,
	SCHEMA_YEARMONTH,
};
const char *schema_type_name(enum schema_type t);

struct schema_field {
	char name[SCHEMA_NAME_MAX + 1], title[SCHEMA_TITLE_MAX + 1];
	enum schema_type type;
	enum identifier_kind identifier; /* 0: none */
	bool required, key, subject, as_of, excel_dates;
	int unit; /* 0 none, 1 元, 10000 万元 */
	bool has_min, has_max;
	double min, max;                       /* dates and months: the day, the month's first day */
	size_t length_min, length_max;         /* characters */
	char (*allowed)[SCHEMA_VALUE_MAX + 1]; /* owned; sorted; NULL any */
	size_t allowed_len;
};

struct schema {
	size_t fields_len;
	struct schema_field fields[SCHEMA_FIELDS_MAX];
	char nulls[SCHEMA_NULLS_MAX][16];
	size_t nulls_len;
	int subject, as_of; /* the field, or -1 */
	bool keyed;
};

/* NULL on failure: ERR_INPUT names the field. Release with schema_free (NULL is fine). */
struct schema *schema_parse(const struct json *j, struct err *e) CHECKED;
struct schema *schema_parse_text(struct bytes json, struct err *e) CHECKED;
void schema_free(struct schema *s);

/* The field so called, by name or title; -1 none. */
int schema_find(const struct schema *s, struct bytes label);
bool schema_is_null(const struct schema *s, struct bytes cell);
bool schema_allows(const struct schema_field *f, struct bytes value);

#endif
