/* The history as a page. */
#include "central/green/history.h"
#include "central/report/html.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_LEN 1024

static void PRINTF(3, 4) line(struct buf *out, enum report_block kind, const char *fmt, ...)
{
	char text[LINE_MAX_LEN];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	html_block(out, kind, text, "");
}

static const char *word_of(const struct json *j, const char *key)
{
	const char *text = NULL;
	struct err none = { 0 };
	return j != NULL && json_text(j, key, GREEN_WORD_MAX, &text, &none) ? text : "";
}

/* By which of our own rules. */
static void reason_put(struct buf *out, const struct green_history *h, int64_t rating)
{
	struct err none = { 0 };
	for (size_t i = 0; i < h->own_len; i++) {
		struct json *j = h->own[i].rating == rating && h->own[i].json.len > 0
					 ? json_parse(buf_bytes(&h->own[i].json), &none)
					 : NULL;
		const struct json *rule = j != NULL ? json_get(json_get(j, "result"), "rule") : NULL;
		if (rule != NULL)
			line(out, REPORT_FINE, "自评 %lld 的理由 / reason: %s · %s · %s", (long long)rating,
			     word_of(rule, "code"), word_of(rule, "zh"), word_of(rule, "en"));
		json_free(j);
	}
}

static void rating_put(struct buf *out, enum report_block kind, const struct green_rating *r)
{
	char from[11], until[11], gone[11], recorded[11];
	green_day_put(r->from_day, from);
	green_day_put(r->until_day, until);
	green_day_put(r->withdrawn_day, gone);
	green_day_put(green_day_of_s(r->recorded_s), recorded);
	line(out, kind,
	     "%lld · %s %s → %s %s · %s 至 / to %s%s%s · 文号 / reference %s · 规则 / rules %lld · %s 由 %s 录入 / "
	     "recorded",
	     (long long)r->id, r->rater, r->grade, r->level.word.zh, r->level.word.en, from, until,
	     gone[0] != '\0' ? " · 撤销 / withdrawn " : "", gone, r->reference, (long long)r->rules, recorded,
	     r->recorded_by);
}

static void why_put(struct buf *out, const struct green_standing *s)
{
	char day[11];
	if (s->rating != NULL)
		rating_put(out, REPORT_FINE, s->rating);
	if (s->resolution != NULL) {
		green_day_put(green_day_of_s(s->resolution->resolved_s), day);
		line(out, REPORT_NOTE, "裁决 / resolved %s · %s · 理由 / reason: %s", day, s->resolution->resolved_by,
		     s->resolution->why);
	}
	if (s->own != NULL)
		line(out, REPORT_MARK, "自评不同 / our own rating differs: %s %s", s->own->level.word.zh,
		     s->own->level.word.en);
	if (!s->conflict)
		return;
	line(out, REPORT_MARK, "%s / ratings contradict each other%s", green_basis_zh(s->basis),
	     s->resolution != NULL ? "" : ", open");
	for (size_t i = 0; i < s->among_len; i++)
		rating_put(out, REPORT_FINE, s->among[i]);
}

static const char *level_of(const struct green_standing *s)
{
	static char text[2 * GREEN_WORD_MAX + 8];
	if (s->rating == NULL)
		return "无评级 none";
	snprintf(text, sizeof(text), "%s %s", s->rating->level.word.zh, s->rating->level.word.en);
	return text;
}

static void span_put(void *arg, const struct green_span *s)
{
	char from[11], until[11];
	green_day_put(s->from_day, from);
	green_day_put(s->until_day, until);
	line(arg, REPORT_FACT, "%s 至 / to %s：%s", from, until[0] != '\0' ? until : "…", level_of(&s->standing));
	why_put(arg, &s->standing);
}

static void subject_put(const struct green_history *h, size_t i, struct buf *out)
{
	char title[GREEN_PROJECT_MAX + 16];
	struct green_standing s;
	const struct green_facts *f = &h->facts[i];
	snprintf(title, sizeof(title), i == 0 ? "企业" : "项目 %s", h->projects[i]);
	html_block(out, REPORT_SECTION, title, i == 0 ? "the enterprise itself" : "project");
	green_standing(f, h->day, &s);
	html_block(out, REPORT_PAIR, "绿色等级 / level", level_of(&s));
	html_block(out, REPORT_PAIR, "依据 / basis", green_basis_zh(s.basis));
	why_put(out, &s);
	html_block(out, REPORT_SECTION, "变更历史", "what held from when to when, and why");
	if (f->ratings_len == 0)
		html_block(out, REPORT_NOTE, "无记录 / none", "");
	green_spans(f, span_put, out);
	html_block(out, REPORT_SECTION, "全部评级", "all ratings");
	for (size_t k = 0; k < f->ratings_len; k++) {
		rating_put(out, REPORT_NOTE, &f->ratings[k]);
		reason_put(out, h, f->ratings[k].id);
	}
}

static void label_put(const struct green_history *h, struct buf *out)
{
	char text[2 * GREEN_WORD_MAX + 8], month[8];
	const struct label_kept *k = &h->label;
	snprintf(text, sizeof(text), "%s %s", k->word.zh, k->word.en);
	html_block(out, REPORT_PAIR, "碳效标识 / carbon label", h->labelled ? text : "无 none");
	if (!h->labelled)
		return;
	green_month_format(k->month, month);
	line(out, REPORT_FINE, "截至月份 / months up to %s · 标识 / label %lld · 规则 / document %lld", month,
	     (long long)k->id, (long long)k->version);
}

bool green_history_html(const struct green_history *h, struct buf *out, struct err *e)
{
	char mark[512];
	snprintf(mark, sizeof(mark), "%s%s · %s · 截至 %s", h->sample ? "样例 SAMPLE · " : "", h->who, h->purpose,
		 h->as_of);
	html_begin(out, "企业绿色评价历史", mark);
	html_block(out, REPORT_TITLE, "企业绿色评价历史", "green ratings of an enterprise and its projects");
	if (h->sample)
		html_block(out, REPORT_MARK,
			   "样例：规则为样例，不得用于业务 / sample: the rules are samples, not for use", "");
	html_block(out, REPORT_PAIR, "号码 / number", h->masked);
	html_block(out, REPORT_PAIR, "截至日期 / as of", h->as_of);
	html_block(out, REPORT_PAIR, "查询人 / asked by", h->who);
	html_block(out, REPORT_PAIR, "用途 / purpose", h->purpose);
	label_put(h, out);
	if (h->more)
		html_block(out, REPORT_MARK, "项目过多，未全部列出 / there are more projects than stand here", "");
	for (size_t i = 0; i < h->len; i++)
		subject_put(h, i, out);
	html_end(out, mark);
	return buf_ok(out, "the page", e);
}
