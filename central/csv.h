/*
 * CSV rows (RFC 4180) out of bytes that came from outside, one at a time, in constant memory. A row that is
 * damaged is handed out with its fault and its raw bytes, and reading goes on at the next line: one bad quote
 * never costs the rest of the file. Line ends are LF or CRLF; a byte order mark at the start and one 0x1A
 * (the DOS end-of-file) at the end are dropped.
 *
 * A file that is too long for memory comes in windows: csv_init_part says that more follows, csv_next then hands out whole rows only, and
 * what is behind c->at opens the next window. row and skip go from one window to the next; a window of CSV_WINDOW_MIN bytes always
 * gets on.
 */
#ifndef CENTRAL_CSV_H
#define CENTRAL_CSV_H

#include "protocol/base/buf.h"

#define CSV_FIELDS_MAX 64
#define CSV_ROW_MAX    131072U                /* a quote left open runs at most this far */
#define CSV_WINDOW_MIN (2 * CSV_ROW_MAX + 4U) /* the longest row, each quote of it doubled */

enum csv_fault {
	CSV_OK,
	CSV_BLANK, /* nothing but separators and spaces */
	CSV_QUOTE, /* a quote never closed, or something between a closing quote and the separator */
	CSV_TOO_LONG,
	CSV_TOO_MANY, /* fields */
	CSV_ENCODING, /* not UTF-8, or a NUL */
	CSV_OPEN,     /* never handed out: the data ended inside quotes */
};

struct csv {
	struct bytes data; /* borrowed */
	size_t at;
	uint64_t row;
	bool more;     /* the data goes on behind this window */
	bool skip;     /* inside a row that was too long: the next begins behind the next line feed */
	bool raw_text; /* not UTF-8: only NULs are refused here, whose ASCII bytes stand for themselves */
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
/* A window; first says that it is the file's beginning. The rest of c is as the last window left it, or zero. */
void csv_init_part(struct csv *c, struct bytes window, bool first, bool more);
void csv_clear(struct csv *c);
/* False at the end, or when the window holds no further whole row. */
bool csv_next(struct csv *c, struct csv_row *row);

#endif
