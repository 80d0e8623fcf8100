/*
 * CSV rows (RFC 4180) out of bytes that came from outside, one at a time, in constant memory. A row that is
 * damaged is handed out with its fault and its raw bytes, and reading goes on at the next line: one bad quote
 * never costs the rest of the file. Line ends are LF or CRLF; a byte order mark at the start and one 0x1A
 * (the DOS end-of-file) at the end are dropped.
 */
#ifndef CENTRAL_CSV_H
#define CENTRAL_CSV_H

#include "protocol/base/buf.h"

#define CSV_FIELDS_MAX 64
#define CSV_ROW_MAX    65536U /* a quote left open runs at most this far */

enum csv_fault {
	CSV_OK,
	CSV_BLANK, /* nothing but separators and spaces */
	CSV_QUOTE, /* a quote never closed, or something between a closing quote and the separator */
	CSV_TOO_LONG,
	CSV_TOO_MANY, /* fields */
	CSV_ENCODING, /* not UTF-8, or a NUL */
};

struct csv {
	struct bytes data; /* borrowed */
	size_t at;
	uint64_t row;
	char *scratch; /* owned: CSV_ROW_MAX bytes for unquoted fields */
};

struct csv_row {
	uint64_t number; /* from 1 */
	enum csv_fault fault;
	struct bytes raw; /* without the line end */
	size_t fields_len;
	struct bytes fields[CSV_FIELDS_MAX]; /* unquoted, surrounding spaces dropped; valid until the next row */
};

void csv_init(struct csv *c, struct bytes data);
void csv_clear(struct csv *c);
/* False at the end. */
bool csv_next(struct csv *c, struct csv_row *row);

#endif
