/* CSV cells that go out: quoted, and nothing that a spreadsheet would take for a formula (an apostrophe stands in front; not of a plain number). */
#ifndef CENTRAL_CSV_OUT_H
#define CENTRAL_CSV_OUT_H

#include "protocol/base/buf.h"

/* A byte order mark, so that a spreadsheet takes it for UTF-8. */
#define CSV_OUT_BOM "\xef\xbb\xbf"

/* first: of its line; a comma goes before all others. What is no UTF-8 becomes a question mark. */
void csv_out_cell(struct buf *line, bool first, struct bytes t);
/* One line of n texts, its end (CR LF) included. */
void csv_out_line(struct buf *out, const char *const *cells, size_t n);

#endif
