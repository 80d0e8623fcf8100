/* A report as one HTML page. */
#include "central/report/html.h"

#include <stdio.h>

#define MARK_MAX 512

bool report_html(const struct report *r, struct buf *out, struct err *e)
{
	char mark[MARK_MAX], title[REPORT_NUMBER + 32];
	report_watermark(r, mark, sizeof(mark));
	snprintf(title, sizeof(title), "%s 企业综合信用报告", r->number);
	html_begin(out, title, mark);
	report_walk(r, html_block, out);
	html_end(out, mark);
	return buf_ok(out, "the report", e);
}
