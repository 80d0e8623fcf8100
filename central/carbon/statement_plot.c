/* The two pictures of a statement: whole pixels by whole-number arithmetic, so that they are the same on every machine. */
#include "central/carbon/statement.h"
#include "central/report/html.h"
#include "protocol/rule.h"

#include <stdio.h>

#define WIDTH   780
#define LEFT    70 /* room for the points' figures */
#define TOP     14
#define PLOT_W  (WIDTH - LEFT - 10)
#define PLOT_H  180
#define BAR_H   22
#define BARS    20 /* those of the most points; the rest are one bar */
#define NAMES   210
#define FIGURES 130

static void text_at(struct buf *out, int64_t x, int64_t y, const char *anchor, const char *text)
{
	buf_add_fmt(out, "<text x=\"%lld\" y=\"%lld\" font-size=\"12\" fill=\"#444\" text-anchor=\"%s\">",
		    (long long)x, (long long)y, anchor);
	html_text(out, text);
	buf_add_str(out, "</text>\n");
}

static void svg_begin(struct buf *out, int64_t height, const char *label)
{
	buf_add_fmt(out,
		    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %lld\" role=\"img\" width=\"100%%\" "
		    "aria-label=\"",
		    WIDTH, (long long)height);
	html_text(out, label);
	buf_add_str(out, "\">\n");
}

/* --- balance over time --- */

struct axes {
	int64_t first, last, most; /* days, points */
};

static int64_t x_of(const struct axes *a, int64_t day)
{
	return LEFT + (a->last > a->first ? (day - a->first) * PLOT_W / (a->last - a->first) : 0);
}

static int64_t y_of(const struct axes *a, int64_t points)
{
	return TOP + PLOT_H - points * PLOT_H / a->most;
}

static void axes_put(const struct axes *a, struct buf *out)
{
	char text[32];
	for (int64_t i = 0; i <= 2; i++) {
		int64_t points = a->most * i / 2;
		buf_add_fmt(out, "<line x1=\"%d\" y1=\"%lld\" x2=\"%d\" y2=\"%lld\" stroke=\"#ddd\"/>\n", LEFT,
			    (long long)y_of(a, points), LEFT + PLOT_W, (long long)y_of(a, points));
		snprintf(text, sizeof(text), "%lld", (long long)points);
		text_at(out, LEFT - 6, y_of(a, points) + 4, "end", text);
	}
	day_format(a->first, text);
	text_at(out, LEFT, TOP + PLOT_H + 18, "start", text);
	day_format(a->last, text);
	text_at(out, LEFT + PLOT_W, TOP + PLOT_H + 18, "end", text);
}

/* In steps; of the rows of one pixel the last counts. */
static void steps_put(const struct axes *a, const struct statement *s, struct buf *out)
{
	int64_t balance = 0;
	buf_add_fmt(out, "<path fill=\"none\" stroke=\"#1f6f43\" stroke-width=\"2\" d=\"M%d %lld", LEFT,
		    (long long)y_of(a, 0));
	for (size_t i = 0; i < s->len; i++) {
		int64_t x = x_of(a, s->rows[i].day);
		if (i + 1 < s->len && x_of(a, s->rows[i + 1].day) == x)
			continue;
		balance = s->rows[i].balance;
		buf_add_fmt(out, "H%lldV%lld", (long long)x, (long long)y_of(a, balance));
	}
	buf_add_fmt(out, "H%d\"/>\n", LEFT + PLOT_W);
}

void statement_plot_balance(const struct statement *s, struct buf *out)
{
	struct axes a = { 0, s->day, 1 };
	if (s->len == 0)
		return;
	a.first = s->rows[0].day < s->day ? s->rows[0].day : s->day - 1;
	for (size_t i = 0; i < s->len; i++)
		a.most = s->rows[i].balance > a.most ? s->rows[i].balance : a.most;
	svg_begin(out, TOP + PLOT_H + 28, "余额走势 balance over time");
	axes_put(&a, out);
	steps_put(&a, s, out);
	buf_add_str(out, "</svg>\n");
}

/* --- earned, by activity --- */

static void bar_put(int64_t at, const char *name, int64_t points, int64_t most, struct buf *out)
{
	char text[32];
	int64_t y = at * BAR_H, width = points * (WIDTH - NAMES - FIGURES) / most;
	text_at(out, NAMES - 8, y + 15, "end", name);
	buf_add_fmt(out, "<rect x=\"%d\" y=\"%lld\" width=\"%lld\" height=\"%d\" fill=\"#1f6f43\"/>\n", NAMES,
		    (long long)y + 3, (long long)(width > 0 ? width : 1), BAR_H - 6);
	snprintf(text, sizeof(text), "%lld", (long long)points);
	text_at(out, NAMES + width + 6, y + 15, "start", text);
}

void statement_plot_activities(const struct statement *s, struct buf *out)
{
	size_t shown = s->activities_len < BARS ? s->activities_len : BARS;
	int64_t rest = 0, most = 0;
	for (size_t i = 0; i < s->activities_len; i++) {
		rest += i >= shown ? s->activities[i].points : 0;
		most = s->activities[i].points > most ? s->activities[i].points : most;
	}
	most = rest > most ? rest : most;
	if (shown == 0 || most <= 0)
		return;
	svg_begin(out, ((int64_t)shown + (rest > 0)) * BAR_H + 4, "按行为获得的积分 points earned by activity");
	for (size_t i = 0; i < shown; i++)
		bar_put((int64_t)i, s->activities[i].code[0] != '\0' ? s->activities[i].zh : "其他 other",
			s->activities[i].points, most, out);
	if (rest > 0)
		bar_put((int64_t)shown, "其余 the rest", rest, most, out);
	buf_add_str(out, "</svg>\n");
}
