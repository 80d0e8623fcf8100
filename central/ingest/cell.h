/*
 * One cell against its field: its canonical text, or what is wrong with it. What has one reading only is repaired and flagged; what has
 * two, or has lost digits, is refused. No allocation, no clock, no file.
 *
 *   number, integer   decimal digits without exponent; 1,234.5 and full-width digits repaired; 1.5万元 converted to the field's unit
 *   date, yearmonth   2026-01-31, 2026-01; 2026/1/31, 2026.1.31, 2026年1月31日, 20260131 and a midnight behind it repaired
 *   boolean           true or false; TRUE, 1, 是 are true
 *   identifier        identifier.h's canonical form
 */
#ifndef CENTRAL_INGEST_CELL_H
#define CENTRAL_INGEST_CELL_H

#include "central/ingest/fault.h"
#include "central/ingest/schema.h"

struct cell {
	struct bytes text; /* canonical: in what was given, or in own */
	enum repair repair;
	double value; /* of a number; the day of a date, the first day of a month */
	char own[PERSON_NAME_MAX + 1];
};

/* given: UTF-8, trimmed, not empty. today: days since 1970-01-01. Returns an enum fault, or FAULT_IDENTIFIER and more; FAULT_NONE: out
   is filled. */
unsigned cell_check(const struct schema_field *f, struct bytes given, int64_t today, struct cell *out);

#endif
