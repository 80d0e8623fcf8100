/*
 * Reading an operator's list file: rows become entries or rejects, in one pass and constant memory; nothing is stored here.
 * Formats: our own CSV (header: kind,number,name,reason,until,note, or 证件类型,证件号码,姓名,原因,截止日期,备注, in any
 * order), and the US OFAC's SDN.CSV (12 columns, no header, "-0-" for null, a trailing 0x1A), of which the Chinese
 * identifiers in the remarks are taken. UTF-8 with or without BOM; RFC 4180 quoting. Error names are those of the
 * frictionless framework (missing-cell, extra-cell …). Messages name row and field, never a value.
 */
#ifndef CENTRAL_RELEASE_IMPORT_H
#define CENTRAL_RELEASE_IMPORT_H

#include "protocol/base/buf.h"
#include "protocol/entry.h"
#include "protocol/identifier.h"

enum import_format { IMPORT_AUTO, IMPORT_CSV, IMPORT_OFAC };
bool import_format_of(const char *name, enum import_format *f); /* "auto", "csv", "ofac-sdn" */

struct import_entry {
	uint64_t row; /* from 1; the header is row 1 */
	struct identifier id;
	uint32_t value; /* entry_value() */
};

struct import_reject {
	uint64_t row;
	uint32_t field; /* column from 1; 0 the whole row */
	const char *
		code; /* "missing-cell", "extra-cell", "blank-row", "type-error", "constraint-error", "encoding-error" … */
	char zh[160], en[160];
	struct bytes raw; /* the row as it stood in the file, without its line end; borrowed */
};

struct import_sink {
	/* Either may stop the import by returning false with e set. */
	bool (*entry)(void *arg, const struct import_entry *v, struct err *e);
	bool (*reject)(void *arg, const struct import_reject *v, struct err *e);
	void *arg;
};

struct import_summary {
	enum import_format format; /* found */
	uint64_t rows;             /* data rows read */
	uint64_t entries; /* handed to the sink; a row may give several (a number and a name) or, from OFAC, none */
	uint64_t rejects;
	uint64_t ignored; /* OFAC rows without a Chinese identifier */
};

/*
 * value_reason: the reason code (1…255) of entries whose file says none; today: days since 1970-01-01, for dates. A file
 * that cannot be read as the format at all (no known header, not text) is ERR_INPUT and says what was expected.
 */
bool import_run(struct bytes file, enum import_format format, uint8_t value_reason, int64_t today,
		const struct import_sink *sink, struct import_summary *out, struct err *e) CHECKED;

#endif
