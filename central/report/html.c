#include "central/report/html.h"

#define MARK_COPIES 12 /* enough for a long page on a screen; in print they repeat on every page */

static const char style[] =
	"@page{size:A4;margin:18mm 16mm}"
	"body{font:14px/1.6 'Noto Sans CJK SC','WenQuanYi Zen Hei','Microsoft "
	"YaHei',sans-serif;color:#1a1a1a;max-width:820px;"
	"margin:24px auto;padding:0 20px;-webkit-print-color-adjust:exact;print-color-adjust:exact}"
	"h1{font-size:24px;text-align:center;margin:12px 0}h2{font-size:17px;border-bottom:2px solid "
	"#1f4e79;color:#1f4e79;"
	"margin:26px 0 8px;break-after:avoid}h3{font-size:14px;margin:14px 0 "
	"2px;break-after:avoid}small{font-weight:normal;"
	"color:#666;font-size:.75em}dl{display:flex;margin:0}dt{flex:0 0 "
	"15em;color:#555}dd{flex:1;margin:0;overflow-wrap:anywhere}"
	"p{margin:2px 0;overflow-wrap:anywhere}.fine{color:#666;font-size:12px}.mark{color:#a11;font-weight:600}"
	".wm{position:fixed;inset:0;overflow:hidden;pointer-events:none;z-index:9}.wm "
	"span{display:block;white-space:nowrap;"
	"transform:rotate(-18deg);color:rgba(0,0,0,.07);font-size:18px;margin:76px 0}"
	"footer{border-top:1px solid #bbb;color:#666;font-size:12px;margin-top:28px}";

static void escaped(struct buf *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		switch (*p) {
		case '&': buf_add_str(out, "&amp;"); break;
		case '<': buf_add_str(out, "&lt;"); break;
		case '>': buf_add_str(out, "&gt;"); break;
		case '"': buf_add_str(out, "&quot;"); break;
		case '\'': buf_add_str(out, "&#39;"); break;
		default: buf_add_u8(out, *p < 0x20 || *p == 0x7f ? ' ' : *p); break;
		}
	}
}

static void wrapped(struct buf *out, const char *before, const char *text, const char *behind)
{
	buf_add_str(out, before);
	escaped(out, text);
	buf_add_str(out, behind);
}

void html_block(void *arg, enum report_block kind, const char *a, const char *b)
{
	struct buf *out = arg;
	switch (kind) {
	case REPORT_TITLE:
		wrapped(out, "<h1>", a, "<br>");
		wrapped(out, "<small lang=\"en\">", b, "</small></h1>\n");
		break;
	case REPORT_SECTION:
		wrapped(out, "<h2>", a, " ");
		wrapped(out, "<small lang=\"en\">", b, "</small></h2>\n");
		break;
	case REPORT_PAIR:
		wrapped(out, "<dl><dt>", a, "</dt>");
		wrapped(out, "<dd>", b, "</dd></dl>\n");
		break;
	case REPORT_FACT: wrapped(out, "<h3>", a, "</h3>\n"); break;
	case REPORT_FINE: wrapped(out, "<p class=\"fine\">", a, "</p>\n"); break;
	case REPORT_MARK: wrapped(out, "<p class=\"mark\">", a, "</p>\n"); break;
	case REPORT_NOTE: wrapped(out, "<p>", a, "</p>\n"); break;
	}
}

void html_begin(struct buf *out, const char *title, const char *mark)
{
	buf_add_str(out, "<!DOCTYPE html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><meta http-equiv="
			 "\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
			 "'unsafe-inline'\"><meta name=\"robots\""
			 " content=\"noindex\"><title>");
	wrapped(out, "", title, "</title><style>");
	buf_add_str(out, style);
	buf_add_str(out, "</style></head><body>\n<div class=\"wm\" aria-hidden=\"true\">");
	for (int i = 0; i < MARK_COPIES; i++)
		wrapped(out, "<span>", mark, "</span>");
	buf_add_str(out, "</div>\n<main>\n");
}

void html_end(struct buf *out, const char *mark)
{
	wrapped(out, "</main>\n<footer>", mark, "</footer>\n</body></html>\n");
}

void html_text(struct buf *out, const char *text)
{
	escaped(out, text);
}
