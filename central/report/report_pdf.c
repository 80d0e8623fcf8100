/* A report as PDF pages: the same blocks as the HTML, from top to bottom, with the watermark under each page. */
#include "central/report/pdf.h"
#include "central/report/report.h"

#include <stdio.h>
#include <string.h>

#define LEFT      52.0F
#define RIGHT     (PDF_WIDTH - 52.0F)
#define TOP       (PDF_HEIGHT - 56.0F)
#define BOTTOM    58.0F
#define VALUES_X  205.0F /* where a pair's value begins */
#define LEADING   1.5F
#define MARK_MAX  1200
#define MARK_X    16.0F
#define MARK_Y    (-60.0F)
#define MARK_GAP  118.0F
#define MARK_ROWS 8
#define SLOPE     0.3F

static const struct pdf_pen pen_title = { 19, 0.1F, 0.1F, 0.1F }, pen_section = { 13, 0.12F, 0.31F, 0.47F },
			    pen_fact = { 10.5F, 0.1F, 0.1F, 0.1F }, pen_label = { 9.5F, 0.35F, 0.35F, 0.35F },
			    pen_value = { 9.5F, 0.1F, 0.1F, 0.1F }, pen_fine = { 8, 0.4F, 0.4F, 0.4F },
			    pen_alarm = { 9.5F, 0.63F, 0.07F, 0.07F }, pen_mark = { 15, 0.91F, 0.91F, 0.91F },
			    pen_rule = { 0.8F, 0.12F, 0.31F, 0.47F };

struct flow {
	struct pdf *pdf;
	float y;
	unsigned pages;
	char mark[MARK_MAX];
};

static void page_begin(struct flow *f)
{
	char foot[MARK_MAX + 64];
	pdf_page(f->pdf);
	f->pages++;
	float step = pdf_width(f->pdf, pen_mark.size, bytes_of(f->mark)) + 60;
	int across = (int)(PDF_WIDTH / step) + 1;
	for (int i = 0; i < MARK_ROWS * across; i++) {
		int row = i / across, column = i % across;
		float x = MARK_X + (float)column * step, y = MARK_Y + (float)row * MARK_GAP;
		pdf_text(f->pdf, x, y + x * SLOPE, &pen_mark, bytes_of(f->mark), SLOPE);
	}
	snprintf(foot, sizeof(foot), "第 %u 页 / page %u · %s", f->pages, f->pages, f->mark);
	struct bytes text = bytes_of(foot);
	text.len = pdf_fit(f->pdf, pen_fine.size, RIGHT - LEFT, text);
	pdf_text(f->pdf, LEFT, 34, &pen_fine, text, 0);
	f->y = TOP;
}

/* A new page, when less than this is left. */
static void room(struct flow *f, float height)
{
	if (f->y - height < BOTTOM)
		page_begin(f);
}

/* A paragraph in a column that is x to the right edge; f->y is where it ends. */
static void paragraph(struct flow *f, float x, const struct pdf_pen *pen, const char *text)
{
	struct bytes left = bytes_of(text);
	do {
		size_t n = pdf_fit(f->pdf, pen->size, RIGHT - x, left);
		room(f, pen->size * LEADING);
		f->y -= pen->size * LEADING;
		pdf_text(f->pdf, x, f->y, pen, (struct bytes){ left.data, n }, 0);
		left.data += n;
		left.len -= n;
		for (; left.len > 0 && left.data[0] == ' '; left.len--)
			left.data++;
	} while (left.len > 0);
}

static void pair(struct flow *f, const char *label, const char *value)
{
	struct bytes name = bytes_of(label);
	room(f, pen_value.size * LEADING);
	name.len = pdf_fit(f->pdf, pen_label.size, VALUES_X - LEFT - 6, name);
	pdf_text(f->pdf, LEFT, f->y - pen_label.size * LEADING, &pen_label, name, 0);
	paragraph(f, VALUES_X, &pen_value, value);
}

static void centred(struct flow *f, const struct pdf_pen *pen, const char *text)
{
	f->y -= pen->size * LEADING;
	pdf_text(f->pdf, (PDF_WIDTH - pdf_width(f->pdf, pen->size, bytes_of(text))) / 2, f->y, pen, bytes_of(text),
		 0);
}

static void section(struct flow *f, const char *zh, const char *en)
{
	room(f, 90);
	f->y -= 14;
	float x = LEFT + pdf_width(f->pdf, pen_section.size, bytes_of(zh)) + 8;
	f->y -= pen_section.size * LEADING;
	pdf_text(f->pdf, LEFT, f->y, &pen_section, bytes_of(zh), 0);
	pdf_text(f->pdf, x, f->y, &pen_fine, bytes_of(en), 0);
	f->y -= 5;
	pdf_line(f->pdf, LEFT, f->y, RIGHT - LEFT, &pen_rule);
	f->y -= 3;
}

static void block_put(void *arg, enum report_block kind, const char *a, const char *b)
{
	struct flow *f = arg;
	switch (kind) {
	case REPORT_TITLE:
		centred(f, &pen_title, a);
		centred(f, &pen_label, b);
		f->y -= 10;
		break;
	case REPORT_SECTION: section(f, a, b); break;
	case REPORT_PAIR: pair(f, a, b); break;
	case REPORT_FACT:
		room(f, 70);
		f->y -= 6;
		paragraph(f, LEFT, &pen_fact, a);
		break;
	case REPORT_FINE: paragraph(f, LEFT, &pen_fine, a); break;
	case REPORT_MARK: paragraph(f, LEFT, &pen_alarm, a); break;
	case REPORT_NOTE: paragraph(f, LEFT, &pen_value, a); break;
	}
}

bool report_pdf(const struct report *r, const char *font_path, struct buf *out, struct err *e)
{
	struct flow f = { .pdf = pdf_new(font_path, r->number, r->as_of, e) };
	if (f.pdf == NULL)
		return false;
	report_watermark(r, f.mark, sizeof(f.mark));
	page_begin(&f);
	report_walk(r, block_put, &f);
	bool ok = pdf_finish(f.pdf, out, e);
	pdf_free(f.pdf);
	return ok;
}
