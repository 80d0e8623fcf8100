/* Pages that need nothing else: no script, no font, no picture from anywhere; what stands in them is escaped. They print on A4. */
#ifndef CENTRAL_REPORT_HTML_H
#define CENTRAL_REPORT_HTML_H

#include "central/report/report.h"

/* Up to the first block. mark: the watermark, on every page. */
void html_begin(struct buf *out, const char *title, const char *mark);
/* arg: the struct buf *; for report_walk. */
void html_block(void *arg, enum report_block kind, const char *a, const char *b);
/* For what a page has beside blocks: text, escaped. */
void html_text(struct buf *out, const char *text);
void html_end(struct buf *out, const char *mark);

#endif
