/*
 * PDF pages of Chinese and Latin text over libharu; pdf.c alone includes hpdf.h. The font is Debian's fonts-wqy-zenhei; what is used of it is
 * embedded, so that a page looks the same everywhere. No clock: the same calls give the same bytes. A character that the font's encoder
 * cannot take (beyond the basic plane) is drawn as a box, a control character as a space.
 */
#ifndef CENTRAL_REPORT_PDF_H
#define CENTRAL_REPORT_PDF_H

#include "protocol/base/buf.h"

#define PDF_FONT   "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc" /* of fonts-wqy-zenhei; its first face */
#define PDF_WIDTH  595.0F                                         /* A4, points */
#define PDF_HEIGHT 842.0F

struct pdf;

/* NULL on failure: ERR_MISSING without the font. title: ASCII. day: "2026-01-31", what the document says it was made. Release with
   pdf_free. */
struct pdf *pdf_new(const char *font_path, const char *title, const char *day, struct err *e) CHECKED;
void pdf_free(struct pdf *p);

struct pdf_pen {
	float size;             /* points */
	float red, green, blue; /* 0 to 1 */
};
/* What follows is drawn on a new page. The first call must be this. */
void pdf_page(struct pdf *p);
/* One line from x, its foot at y from the page's lower edge. text need not end with a NUL. slope: rise over run. */
void pdf_text(struct pdf *p, float x, float y, const struct pdf_pen *pen, struct bytes text, float slope);
void pdf_line(struct pdf *p, float x, float y, float width, const struct pdf_pen *pen);
float pdf_width(struct pdf *p, float size, struct bytes text);
/* How many bytes of text fit into width, broken where a line may be; at least one character. */
size_t pdf_fit(struct pdf *p, float size, float width, struct bytes text);
/* The document, appended to out. ERR_IO when anything failed before. */
bool pdf_finish(struct pdf *p, struct buf *out, struct err *e) CHECKED;

#endif
