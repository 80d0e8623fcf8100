/* A statement as a page and as a table. */
#include "central/carbon/statement.h"
#include "central/csv_out.h"
#include "central/report/html.h"
#include "protocol/rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LISTED_MAX 1000 /* rows on the page, the newest; the table has all */
#define DAY_S      86400
#define CHINA_S    28800

static const char *day_text(int64_t day, char out[11])
{
	day_format(day, out);
	return out;
}

static const char *day_of_time(int64_t time_s, char out[11])
{
	return day_text((time_s + CHINA_S) / DAY_S, out);
}

PRINTF(4, 5)
static void line(struct buf *out, enum report_block kind, const char *name, const char *fmt, ...)
{
	char text[STATEMENT_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (name != NULL)
		html_block(out, kind, name, text);
	else
		html_block(out, kind, text, "");
}

static const char *unit_zh(const char *unit)
{
	for (unsigned u = 0; u <= CARBON_UNIT_LAST; u++)
		if (strcmp(carbon_unit_name((enum carbon_unit)u), unit) == 0)
			return carbon_unit_zh((enum carbon_unit)u);
	return "";
}

/* --- the page --- */

static void head_put(const struct statement *s, const struct statement_head *h, struct buf *out)
{
	char day[11], until[11];
	html_block(out, REPORT_TITLE, "个人碳账户对账单", "Statement of a personal carbon account");
	line(out, REPORT_PAIR, "户主 / holder", "%s", h->masked);
	line(out, REPORT_PAIR, "截至日终 / as of the end of", "%s", day_text(s->day, day));
	line(out, REPORT_PAIR, "查询人 / asked by", "%s", h->who);
	line(out, REPORT_PAIR, "用途 / purpose", "%s", h->purpose);
	html_block(out, REPORT_SECTION, "余额", "balance");
	line(out, REPORT_PAIR, "余额 / balance", "%lld", (long long)s->balance);
	line(out, REPORT_PAIR, "其中兑换中 / held by redemptions", "%lld", (long long)s->pending);
	line(out, REPORT_PAIR, "等级 / level", "%s %s", s->level.zh, s->level.en);
	if (s->expiring > 0)
		line(out, REPORT_PAIR, "最近到期 / expires next", "%lld · %s", (long long)s->expiring,
		     day_text(s->expires_day, until));
	for (unsigned k = 0; k < STATEMENT_KINDS; k++) {
		char name[64];
		snprintf(name, sizeof(name), "%s / %s", statement_kind_zh(k), statement_kind_en(k));
		line(out, REPORT_PAIR, name, "%+lld", (long long)s->totals[k]);
	}
	line(out, REPORT_PAIR, "账户数 / accounts", "%zu", s->accounts);
	line(out, REPORT_PAIR, "赋值标准 / standard", "%lld", (long long)s->rules_version);
}

static void plots_put(const struct statement *s, struct buf *out)
{
	if (s->len == 0) {
		html_block(out, REPORT_NOTE, "没有记录 / there are no rows", "");
		return;
	}
	html_block(out, REPORT_SECTION, "余额走势", "balance over time");
	statement_plot_balance(s, out);
	if (s->activities_len == 0)
		return;
	html_block(out, REPORT_SECTION, "按行为", "earned by activity");
	statement_plot_activities(s, out);
	for (size_t i = 0; i < s->activities_len; i++) {
		const struct statement_activity *a = &s->activities[i];
		if (a->code[0] != '\0')
			line(out, REPORT_NOTE, NULL, "%s %s：%lld 分 points · %lld 次 times", a->zh, a->en,
			     (long long)a->points, (long long)a->times);
		else
			line(out, REPORT_NOTE, NULL,
			     "现行标准已无的行为 / what the standard has no longer：%lld 分 points · %lld 次 times",
			     (long long)a->points, (long long)a->times);
	}
}

static void bought_put(const struct statement *s, struct buf *out)
{
	char made[11], until[11];
	if (s->bought_len == 0)
		return;
	html_block(out, REPORT_SECTION, "兑换", "what points bought");
	for (size_t i = 0; i < s->bought_len; i++) {
		const struct carbon_redemption *r = &s->bought[i];
		line(out, REPORT_FACT, NULL, "%s · %s · %s %s", day_of_time(r->made_s, made), r->kind,
		     carbon_state_zh(r->state), carbon_state_name(r->state));
		line(out, REPORT_NOTE, NULL,
		     "申请 asked for %lld %s %s · %lld 分 points；入账 posted %lld %s · %lld 分 points",
		     (long long)r->quantity, unit_zh(r->unit), r->unit, (long long)r->points,
		     (long long)r->posted_quantity, r->unit, (long long)r->posted_points);
		line(out, REPORT_FINE, NULL, "银行 bank %s · 业务号 reference %s · 编号 %s%s%s", r->bank,
		     r->reference, r->request, r->state == CARBON_PENDING ? " · 逾期退回 lapses " : "",
		     r->state == CARBON_PENDING ? day_of_time(r->expires_s, until) : "");
	}
}

/* What a row is of, in words and as a code. */
static void row_what(const struct statement *s, const struct statement_row *r, const char **zh, const char **en,
		     const char **code)
{
	*zh = *en = *code = "";
	if (r->kind == STATEMENT_EARNED) {
		*zh = s->activities[r->what].zh;
		*en = s->activities[r->what].en;
		*code = s->activities[r->what].code;
	} else if (r->kind == STATEMENT_REDEEMED && r->what < s->bought_len) {
		*zh = s->bought[r->what].reference;
		*code = s->bought[r->what].kind;
	}
}

static void row_put(const struct statement *s, const struct statement_row *r, struct buf *out)
{
	char day[11], quantity[32] = "";
	const char *zh, *en, *code;
	row_what(s, r, &zh, &en, &code);
	if (r->quantity > 0)
		snprintf(quantity, sizeof(quantity), " × %lld", (long long)r->quantity);
	line(out, REPORT_NOTE, NULL, "%s · %s %s · %s %s%s · %+lld · 余额 balance %lld", day_text(r->day, day),
	     statement_kind_zh(r->kind), statement_kind_en(r->kind), r->kind == STATEMENT_REDEEMED ? code : zh,
	     r->kind == STATEMENT_REDEEMED ? zh : en, quantity, (long long)r->points, (long long)r->balance);
}

/* The newest first. */
static void rows_put(const struct statement *s, struct buf *out)
{
	html_block(out, REPORT_SECTION, "明细", "rows");
	for (size_t i = 0; i < s->len && i < LISTED_MAX; i++)
		row_put(s, &s->rows[s->len - 1 - i], out);
	if (s->len > LISTED_MAX)
		line(out, REPORT_FINE, NULL, "更早的 %zu 行见 CSV / earlier rows stand in the CSV",
		     s->len - LISTED_MAX);
}

bool statement_html(const struct statement *s, const struct statement_head *h, struct buf *out, struct err *e)
{
	char mark[STATEMENT_TEXT_MAX], day[11];
	snprintf(mark, sizeof(mark), "%s · %s · 截至 %s", h->who, h->purpose, day_text(s->day, day));
	html_begin(out, "个人碳账户对账单", mark);
	head_put(s, h, out);
	plots_put(s, out);
	bought_put(s, out);
	rows_put(s, out);
	html_end(out, mark);
	return buf_ok(out, "the statement", e);
}

/* --- the table --- */

#define CELLS 10

bool statement_csv(const struct statement *s, struct buf *out, struct err *e)
{
	static const char *const heads[CELLS] = { "日期 day",         "类别 kind",    "类别代码 kind code",
						  "事项代码 of code", "事项 of",      "数量 quantity",
						  "积分 points",      "余额 balance", "标准 standard",
						  "账本行 row" };
	buf_add_str(out, CSV_OUT_BOM);
	csv_out_line(out, heads, CELLS);
	for (size_t i = 0; i < s->len; i++) {
		const struct statement_row *r = &s->rows[i];
		const char *zh, *en, *code;
		char day[11], n[5][24];
		const int64_t numbers[5] = { r->quantity, r->points, r->balance, r->rules_version, r->seq };
		row_what(s, r, &zh, &en, &code);
		for (size_t k = 0; k < 5; k++)
			snprintf(n[k], sizeof(n[k]), "%lld", (long long)numbers[k]);
		const char *const cells[CELLS] = { day_text(r->day, day),
						   statement_kind_zh(r->kind),
						   statement_kind_en(r->kind),
						   code,
						   zh,
						   r->quantity > 0 ? n[0] : "",
						   n[1],
						   n[2],
						   r->rules_version > 0 ? n[3] : "",
						   n[4] };
		csv_out_line(out, cells, CELLS);
	}
	return buf_ok(out, "the statement", e);
}
