#include "central/report/pdf.h"

#include "protocol/base/utf8.h"

#include <hpdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN_MAX   1024 /* bytes drawn at once; a line is shorter */
#define BOX       "\xe2\x96\xa1"
#define CJK_FIRST 0x2e80U

struct pdf {
	HPDF_Doc doc;
	HPDF_Font font;
	HPDF_Page page;
	HPDF_STATUS fault; /* the first */
};

static void on_fault(HPDF_STATUS code, HPDF_STATUS detail, void *arg)
{
	struct pdf *p = arg;
	(void)detail;
	if (p->fault == HPDF_OK)
		p->fault = code;
}

static void title_set(struct pdf *p, const char *title, const char *day)
{
	HPDF_Date date = { (int)strtol(day, NULL, 10),
			   (int)strtol(day + 5, NULL, 10),
			   (int)strtol(day + 8, NULL, 10),
			   23,
			   59,
			   59,
			   '+',
			   8,
			   0 };
	HPDF_SetInfoAttr(p->doc, HPDF_INFO_TITLE, title);
	HPDF_SetInfoDateAttr(p->doc, HPDF_INFO_CREATION_DATE, date);
}

struct pdf *pdf_new(const char *font_path, const char *title, const char *day, struct err *e)
{
	if (access(font_path, R_OK) != 0) {
		(void)!err_set(e, ERR_MISSING, "the font %s is missing: apt install fonts-wqy-zenhei", font_path);
		return NULL;
	}
	struct pdf *p = calloc(1, sizeof(*p));
	if (p == NULL || (p->doc = HPDF_New(on_fault, p)) == NULL)
		abort();
	HPDF_UseUTFEncodings(p->doc);
	HPDF_SetCompressionMode(p->doc, HPDF_COMP_ALL);
	const char *name = HPDF_LoadTTFontFromFile2(p->doc, font_path, 0, HPDF_TRUE);
	p->font = name != NULL ? HPDF_GetFont(p->doc, name, "UTF-8") : NULL;
	title_set(p, title, day);
	if (p->font != NULL && p->fault == HPDF_OK)
		return p;
	(void)!err_set(e, ERR_IO, "the font %s cannot be read (libharu 0x%lx)", font_path, (unsigned long)p->fault);
	pdf_free(p);
	return NULL;
}

void pdf_free(struct pdf *p)
{
	if (p == NULL)
		return;
	HPDF_Free(p->doc);
	free(p);
}

void pdf_page(struct pdf *p)
{
	p->page = HPDF_AddPage(p->doc);
	HPDF_Page_SetWidth(p->page, PDF_WIDTH);
	HPDF_Page_SetHeight(p->page, PDF_HEIGHT);
}

/* --- characters --- */

struct glyph {
	uint32_t code;
	size_t len;   /* bytes of the text it stands for */
	char text[5]; /* as it is drawn */
};

/* The first character; len 0 at the end. */
static struct glyph glyph_next(struct bytes t)
{
	struct glyph g = { 0xfffd, t.len > 0, BOX };
	if (t.len == 0)
		return g;
	const char *at = (const char *)t.data;
	int32_t code = utf8_next(&at, at + t.len);
	if (code < 0)
		return g;
	size_t n = (size_t)(at - (const char *)t.data);
	g.code = (uint32_t)code;
	g.len = n;
	if (code < 0x20 || code == 0x7f)
		memcpy(g.text, " ", 2);
	else if (code <= 0xffff) {
		memcpy(g.text, t.data, n);
		g.text[n] = '\0';
	}
	return g;
}

static struct bytes after(struct bytes t, size_t n)
{
	return (struct bytes){ t.data + n, t.len - n };
}

float pdf_width(struct pdf *p, float size, struct bytes text)
{
	HPDF_UINT units = 0;
	for (struct glyph g = glyph_next(text); g.len > 0; g = glyph_next(text)) {
		units += HPDF_Font_TextWidth(p->font, (const HPDF_BYTE *)g.text, (HPDF_UINT)strlen(g.text)).width;
		text = after(text, g.len);
	}
	return (float)units * size / 1000.0F;
}

/* Never at the beginning of a line. */
static bool clings(uint32_t code)
{
	static const uint32_t marks[] = { 0x3001, 0x3002, 0xff0c, 0xff1a, 0xff1b, 0xff01,
					  0xff1f, 0xff09, 0x300d, 0x300b, 0x2026, ' ' };
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (code == marks[i])
			return true;
	return false;
}

static bool may_break(uint32_t before, uint32_t code)
{
	return !clings(code) &&
	       (before == ' ' || before == '-' || before == '/' || before >= CJK_FIRST || code >= CJK_FIRST);
}

size_t pdf_fit(struct pdf *p, float size, float width, struct bytes text)
{
	size_t at = 0, good = 0;
	float used = 0;
	uint32_t before = 0;
	for (struct glyph g = glyph_next(text); g.len > 0; g = glyph_next(after(text, at))) {
		if (at > 0 && may_break(before, g.code))
			good = at;
		used += pdf_width(p, size, (struct bytes){ text.data + at, g.len });
		if (used > width && at > 0)
			return good > 0 ? good : at;
		before = g.code;
		at += g.len;
	}
	return at;
}

/* --- drawing --- */

void pdf_text(struct pdf *p, float x, float y, const struct pdf_pen *pen, struct bytes text, float slope)
{
	struct buf run;
	float turn = sqrtf(1 + slope * slope);
	buf_init(&run, RUN_MAX);
	for (struct glyph g = glyph_next(text); g.len > 0 && run.len + sizeof(g.text) < RUN_MAX;
	     g = glyph_next(text)) {
		buf_add_str(&run, g.text);
		text = after(text, g.len);
	}
	HPDF_Page_BeginText(p->page);
	HPDF_Page_SetFontAndSize(p->page, p->font, pen->size);
	HPDF_Page_SetRGBFill(p->page, pen->red, pen->green, pen->blue);
	HPDF_Page_SetTextMatrix(p->page, 1 / turn, slope / turn, -slope / turn, 1 / turn, x, y);
	HPDF_Page_ShowText(p->page, buf_str(&run));
	HPDF_Page_EndText(p->page);
	buf_clear(&run);
}

void pdf_line(struct pdf *p, float x, float y, float width, const struct pdf_pen *pen)
{
	HPDF_Page_SetLineWidth(p->page, pen->size);
	HPDF_Page_SetRGBStroke(p->page, pen->red, pen->green, pen->blue);
	HPDF_Page_MoveTo(p->page, x, y);
	HPDF_Page_LineTo(p->page, x + width, y);
	HPDF_Page_Stroke(p->page);
}

bool pdf_finish(struct pdf *p, struct buf *out, struct err *e)
{
	if (p->fault == HPDF_OK)
		HPDF_SaveToStream(p->doc);
	HPDF_UINT32 size = p->fault == HPDF_OK ? HPDF_GetStreamSize(p->doc) : 0;
	if (p->fault != HPDF_OK)
		return err_set(e, ERR_IO, "the PDF cannot be made (libharu 0x%lx)", (unsigned long)p->fault);
	uint8_t *at = buf_grow(out, size);
	if (at == NULL)
		return buf_ok(out, "the PDF", e);
	HPDF_ResetStream(p->doc);
	if (HPDF_ReadFromStream(p->doc, at, &size) != HPDF_OK && p->fault != HPDF_STREAM_EOF)
		return err_set(e, ERR_IO, "the PDF cannot be made (libharu 0x%lx)", (unsigned long)p->fault);
	return true;
}
