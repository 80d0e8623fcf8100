/* Three panels, one above the other: PSI with its two marks, then AUC, Gini and KS, then IV. Nothing is loaded from elsewhere. */
#include "central/score/months.h"

#include <math.h>

#define WIDTH  960
#define HEIGHT 880
#define LEFT   80.0
#define RIGHT  920.0
#define LABELS 12 /* months written below the axis */

struct panel {
	double top, bottom, least, most;
};

static double x_of(const struct months *m, size_t i)
{
	return m->len < 2 ? (LEFT + RIGHT) / 2 : LEFT + (RIGHT - LEFT) * (double)i / (double)(m->len - 1);
}

static double y_of(const struct panel *p, double v)
{
	double share = (v - p->least) / (p->most - p->least);
	share = share < 0 ? 0 : share > 1 ? 1 : share;
	return p->bottom - (p->bottom - p->top) * share;
}

static void mark(struct buf *out, const struct panel *p, double v, const char *colour, const char *text)
{
	double y = y_of(p, v);
	buf_add_fmt(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", LEFT, y, RIGHT, y,
		    colour);
	buf_add_fmt(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.2f</text>\n", LEFT - 8, y + 4, v);
	if (text[0] != '\0')
		buf_add_fmt(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" fill=\"%s\">%s</text>\n", RIGHT,
			    y - 4, colour, text);
}

enum series { SERIES_PSI, SERIES_AUC, SERIES_GINI, SERIES_KS, SERIES_IV };

static double value_of(const struct month *m, enum series s)
{
	switch (s) {
	case SERIES_PSI: return m->psi;
	case SERIES_AUC: return m->auc;
	case SERIES_GINI: return m->gini;
	case SERIES_KS: return m->ks;
	case SERIES_IV: return m->iv;
	}
	return (double)NAN;
}

/* A line from month to month; months without a figure leave a gap. */
static void series_draw(struct buf *out, const struct months *m, const struct panel *p, enum series s,
			const char *colour)
{
	for (size_t i = 0; i < m->len; i++) {
		double v = value_of(&m->all[i], s), before = i > 0 ? value_of(&m->all[i - 1], s) : (double)NAN;
		if (isnan(v))
			continue;
		if (!isnan(before))
			buf_add_fmt(out,
				    "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
				    "stroke-width=\"2\"/>\n",
				    x_of(m, i - 1), y_of(p, before), x_of(m, i), y_of(p, v), colour);
		buf_add_fmt(out,
			    "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"><title>%s: %.5f</title></circle>\n",
			    x_of(m, i), y_of(p, v), colour, m->all[i].name, v);
	}
}

static void months_write(struct buf *out, const struct months *m, double y)
{
	size_t each = (m->len + LABELS - 1) / LABELS;
	for (size_t i = 0; i < m->len; i += each)
		buf_add_fmt(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", x_of(m, i), y,
			    m->all[i].name);
}

static void psi_panel(struct buf *out, const struct months *m)
{
	struct panel p = { 90, 300, 0, 0.3 };
	for (size_t i = 0; i < m->len; i++)
		if (m->all[i].psi > p.most) /* not of NAN */
			p.most = m->all[i].psi;
	buf_add_fmt(out,
		    "<text x=\"%.1f\" y=\"74\" font-weight=\"bold\">稳定性 PSI（对首月）/ stability against the "
		    "first month</text>\n",
		    LEFT);
	mark(out, &p, 0, "#888888", "");
	mark(out, &p, MONTHS_PSI_LOOK, "#b8860b", "关注 / look");
	mark(out, &p, MONTHS_PSI_ACT, "#b22222", "须查明 / look into");
	mark(out, &p, p.most, "#dddddd", "");
	series_draw(out, m, &p, SERIES_PSI, "#1f4e9c");
	months_write(out, m, p.bottom + 18);
}

static void power_panel(struct buf *out, const struct months *m)
{
	static const struct {
		enum series series;
		const char *colour, *text;
	} lines[] = { { SERIES_AUC, "#1f4e9c", "区分度 AUC" },
		      { SERIES_GINI, "#2e7d32", "基尼系数 Gini" },
		      { SERIES_KS, "#b8860b", "KS 值 KS" } };
	struct panel p = { 390, 590, 0, 1 };
	for (size_t i = 0; i < m->len; i++)
		if (m->all[i].gini < p.least)
			p.least = -1;
	buf_add_fmt(out,
		    "<text x=\"%.1f\" y=\"374\" font-weight=\"bold\">区分能力（有结果的月份）/ power, months with "
		    "outcomes</text>\n",
		    LEFT);
	mark(out, &p, p.least, "#888888", "");
	mark(out, &p, 0.5, "#dddddd", "");
	mark(out, &p, 1, "#dddddd", "");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		buf_add_fmt(out, "<text x=\"%.1f\" y=\"374\" text-anchor=\"end\" fill=\"%s\">%s</text>\n",
			    RIGHT - 120 * (double)(2 - i), lines[i].colour, lines[i].text);
		series_draw(out, m, &p, lines[i].series, lines[i].colour);
	}
	months_write(out, m, p.bottom + 18);
}

static void iv_panel(struct buf *out, const struct months *m)
{
	struct panel p = { 680, 830, 0, 0.5 };
	for (size_t i = 0; i < m->len; i++)
		if (m->all[i].iv > p.most) /* not of NAN */
			p.most = m->all[i].iv;
	buf_add_fmt(out,
		    "<text x=\"%.1f\" y=\"664\" font-weight=\"bold\">信息值 IV（有结果的月份）/ information value, "
		    "months "
		    "with outcomes</text>\n",
		    LEFT);
	mark(out, &p, 0, "#888888", "");
	mark(out, &p, p.most, "#dddddd", "");
	series_draw(out, m, &p, SERIES_IV, "#6a1b9a");
	months_write(out, m, p.bottom + 18);
}

void months_svg(const struct months *m, const char *family, const char *hash, struct buf *out)
{
	buf_add_fmt(
		out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
		"font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n",
		WIDTH, HEIGHT, WIDTH, HEIGHT, WIDTH, HEIGHT);
	buf_add_fmt(out, "<text x=\"%.1f\" y=\"36\" font-size=\"18\">模型监测 / model monitor · %s · %.12s</text>\n",
		    LEFT, family, hash);
	psi_panel(out, m);
	power_panel(out, m);
	iv_panel(out, m);
	buf_add_str(out, "</svg>\n");
}
