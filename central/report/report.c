/* What a report says, block by block. */
#include "central/report/report.h"
#include "protocol/rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_LEN 2048

struct walk {
	const struct report *r;
	void (*put)(void *arg, enum report_block kind, const char *a, const char *b);
	void *arg;
};

static void put(const struct walk *w, enum report_block kind, const char *a, const char *b)
{
	w->put(w->arg, kind, a, b != NULL ? b : "");
}

static void PRINTF(3, 4) line(const struct walk *w, enum report_block kind, const char *fmt, ...)
{
	char text[LINE_MAX_LEN];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(w, kind, text, NULL);
}

void report_watermark(const struct report *r, char *out, size_t size)
{
	snprintf(out, size, "%s%s · %s · 截至 %s · %s", r->sample ? "样例 SAMPLE · " : "", r->who, r->purpose,
		 r->as_of, r->number);
}

/* --- facts --- */

static void from_put(const struct walk *w, const struct report_fact *f)
{
	line(w, REPORT_FINE,
	     "来源 / source %s · 期间 / period %s · 数据日期 / as of %s · 批次 / batch %lld 行 / row %lld · 文件 / "
	     "file %s…",
	     f->source.code, f->period, f->claimed, (long long)f->batch, (long long)f->row, f->file);
}

static void marks_put(const struct walk *w, const struct report_fact *f)
{
	for (size_t i = 0; i < f->objections_len; i++) {
		const struct report_objection *o = &f->objections[i];
		const char *field = o->field[0] != '\0' ? o->field : "整行 whole row";
		if (o->open)
			line(w, REPORT_MARK,
			     "异议 %lld 处理中：%s，%s 提出，%s 前办结%s / objection %lld pending: due %s%s",
			     (long long)o->id, field, o->opened, o->due, o->hold ? "，暂停使用" : "",
			     (long long)o->id, o->due, o->hold ? ", held" : "");
		else
			line(w, REPORT_MARK, "已按异议 %lld 更正（%s）：%s / corrected by objection %lld",
			     (long long)o->id, o->decided, field, (long long)o->id);
	}
}

static void fact_put(const struct walk *w, const struct report_fact *f)
{
	line(w, REPORT_FACT, "%s · %s / %s · %s", f->source.indicator_zh, f->source.department_zh,
	     f->source.indicator_en, f->source.department_en);
	const char *at = (const char *)f->fields.data;
	for (size_t i = 0; i < f->fields_len; i++) {
		const char *value = at + strlen(at) + 1;
		put(w, REPORT_PAIR, at, value);
		at = value + strlen(value) + 1;
	}
	from_put(w, f);
	marks_put(w, f);
}

static bool is_pending(const struct report_fact *f)
{
	for (size_t i = 0; i < f->objections_len; i++)
		if (f->objections[i].open)
			return true;
	return false;
}

static void facts_put(const struct walk *w, enum fact_nature nature, const char *zh, const char *en)
{
	size_t n = 0;
	put(w, REPORT_SECTION, zh, en);
	for (size_t i = 0; i < w->r->facts_len; i++) {
		const struct report_fact *f = &w->r->facts[i];
		if (f->nature != nature || f->held || f->withdrawn)
			continue;
		fact_put(w, f);
		n++;
	}
	if (n == 0)
		put(w, REPORT_NOTE, "无记录 / none", NULL);
}

static void pending_put(const struct walk *w)
{
	size_t n = 0;
	put(w, REPORT_SECTION, "处理中的异议", "objections pending");
	for (size_t i = 0; i < w->r->facts_len; i++) {
		const struct report_fact *f = &w->r->facts[i];
		if (!is_pending(f) || f->withdrawn)
			continue;
		n++;
		if (f->held) {
			fact_put(w, f);
			continue;
		}
		line(w, REPORT_FACT, "%s · %s / %s · %s", f->source.indicator_zh, f->source.department_zh,
		     f->source.indicator_en, f->source.department_en);
		from_put(w, f);
		marks_put(w, f);
	}
	if (n == 0)
		put(w, REPORT_NOTE, "无 / none", NULL);
}

static void withdrawn_put(const struct walk *w)
{
	bool any = false;
	for (size_t i = 0; i < w->r->facts_len; i++) {
		const struct report_fact *f = &w->r->facts[i];
		if (!f->withdrawn)
			continue;
		if (!any)
			put(w, REPORT_SECTION, "经异议撤销的信息", "withdrawn after an objection");
		any = true;
		line(w, REPORT_FACT, "%s · %s / %s · %s", f->source.indicator_zh, f->source.department_zh,
		     f->source.indicator_en, f->source.department_en);
		from_put(w, f);
	}
}

/* --- score and rating --- */

static const char *text_of(const struct json *j, const char *key)
{
	const char *v = NULL;
	return json_text_opt(j, key, 1024, &v, &(struct err){ 0 }) && v != NULL ? v : "";
}

static void reasons_put(const struct walk *w, const struct json *result)
{
	const struct json *reasons = json_get(result, "reasons"), *knockouts = json_get(result, "knockouts"),
			  *inputs = json_get(result, "inputs");
	for (size_t i = 0; knockouts != NULL && i < json_len(knockouts); i++)
		line(w, REPORT_MARK, "一票否决项 / knock-out: %s%s", text_of(json_at(knockouts, i), "code"),
		     json_get(json_at(knockouts, i), "sure") != NULL &&
				     json_bool_value(json_get(json_at(knockouts, i), "sure"))
			     ? ""
			     : "（未能判断 / could not be judged）");
	for (size_t i = 0; reasons != NULL && i < json_len(reasons); i++)
		line(w, REPORT_NOTE, "扣分原因 / reason %zu: %s（%s 分 / points）", i + 1,
		     text_of(json_at(reasons, i), "code"), text_of(json_at(reasons, i), "difference"));
	for (size_t i = 0; inputs != NULL && i < json_len(inputs); i++) {
		const char *name = NULL;
		(void)json_member(inputs, i, &name);
		line(w, REPORT_FINE, "输入 / input %s: %s", name, text_of(inputs, name));
	}
}

static void score_put(const struct walk *w)
{
	const struct report_score *s = &w->r->score;
	put(w, REPORT_SECTION, "综合评分", "score");
	if (!s->there) {
		put(w, REPORT_NOTE, "截至该日没有评分 / no score as of this day", NULL);
		return;
	}
	put(w, REPORT_PAIR, "分数 / score", s->value[0] != '\0' ? s->value : "无效 / none");
	if (text_of(s->result, "why_zh")[0] != '\0')
		line(w, REPORT_MARK, "%s / %s", text_of(s->result, "why_zh"), text_of(s->result, "why"));
	reasons_put(w, s->result);
	if (s->held.len > 1)
		line(w, REPORT_MARK, "异议处理中未使用的输入 / left out, under objection: %s",
		     (const char *)s->held.data);
	if (s->late.len > 1)
		line(w, REPORT_MARK, "评分之后提出异议，该评分仍含此输入，重新评分后不再使用 / objected to since: %s",
		     (const char *)s->late.data);
	line(w, REPORT_FINE,
	     "评分日期 / scored %s · 最早输入 / oldest input %s · 评分 / score %lld · 输入 / input %lld · 模型 / "
	     "model %.16s…",
	     s->scored, s->oldest, (long long)s->id, (long long)s->input, s->hash);
}

static void grade_put(const struct walk *w, const struct green_grade *g)
{
	char text[2 * GREEN_WORD_MAX + 8], from[11], until[11];
	if (!g->there) {
		put(w, REPORT_NOTE,
		    g->resolved ? "绿色库中的评级相互冲突，已裁决为不采用 / ratings contradicted each other, and "
				  "none counts"
				: "截至该日绿色库中没有有效评级 / no rating in the library as of this day",
		    NULL);
		return;
	}
	snprintf(text, sizeof(text), "%s / %s", g->level.zh, g->level.en);
	put(w, REPORT_PAIR, "绿色评级 / rating", text);
	day_format(g->from_day, from);
	day_format(g->until_day, until);
	line(w, REPORT_FINE, "%s%s · %s 至 / to %s · 评级 / rating %lld · 规则 / rules %lld",
	     strncmp(g->origin, GREEN_OWN " ", sizeof(GREEN_OWN)) == 0 ? "自评 / our own: " : "", g->origin, from,
	     until, (long long)g->rating, (long long)g->rules);
	if (g->conflict)
		put(w, REPORT_MARK,
		    "评级冲突未裁决，按规则的优先次序 / ratings contradict each other; the rules' order decides",
		    NULL);
	else if (g->resolved)
		put(w, REPORT_FINE, "评级冲突已裁决 / ratings contradicted each other; a person decided", NULL);
}

static void label_put(const struct walk *w)
{
	const struct label_kept *k = &w->r->label;
	char text[2 * GREEN_WORD_MAX + 8], month[8];
	if (!w->r->labelled) {
		put(w, REPORT_NOTE, "截至该日没有碳效标识 / no carbon label as of this day", NULL);
		return;
	}
	snprintf(text, sizeof(text), "%s / %s", k->word.zh, k->word.en);
	put(w, REPORT_PAIR, "碳效标识 / carbon label", text);
	green_month_format(k->month, month);
	line(w, REPORT_FINE, "截至月份 / months up to %s · 标识 / label %lld · 规则 / document %lld %.16s…", month,
	     (long long)k->id, (long long)k->version, k->document);
}

static void green_put(const struct walk *w)
{
	const struct report *r = w->r;
	put(w, REPORT_SECTION, "绿色评级", "green rating and carbon label");
	grade_put(w, &r->grade);
	label_put(w);
	if (r->green_from >= r->facts_len)
		return;
	put(w, REPORT_PAIR, "来源评级 / a source's own", r->green);
	from_put(w, &r->facts[r->green_from]);
}

/* --- the rest --- */

static void head_put(const struct walk *w)
{
	const struct report *r = w->r;
	put(w, REPORT_TITLE, "企业综合信用报告", "credit report of an enterprise");
	if (r->sample)
		put(w, REPORT_MARK,
		    "样例：数据、规则或模型为样例，不得用于业务 / sample: data, rules or model are samples, not for "
		    "use",
		    NULL);
	put(w, REPORT_PAIR, "企业名称 / name", r->name[0] != '\0' ? r->name : "-");
	for (size_t i = 0; i < r->masked_len; i++)
		put(w, REPORT_PAIR, i == 0 ? "证件号码 / number" : "别名 / alias", r->masked[i]);
	put(w, REPORT_PAIR, "截至日期 / as of", r->as_of);
	put(w, REPORT_PAIR, "查询人 / asked by", r->who);
	put(w, REPORT_PAIR, "用途 / purpose", r->purpose);
	put(w, REPORT_PAIR, "报告编号 / report number", r->number);
	line(w, REPORT_FINE, "规则 / rules %lld%s", (long long)r->rules,
	     r->rules == 0 ? "（内置样例 / built-in sample）" : "");
	if (r->more)
		put(w, REPORT_MARK, "记录过多，本报告未全部列出 / there are more records than stand here", NULL);
}

static bool same_batch(const struct report *r, size_t i)
{
	return i > 0 && r->facts[i - 1].batch == r->facts[i].batch;
}

static void sources_put(const struct walk *w)
{
	put(w, REPORT_SECTION, "数据来源与日期", "sources and dates");
	for (size_t i = 0; i < w->r->facts_len; i++) {
		const struct report_fact *f = &w->r->facts[i];
		if (!same_batch(w->r, i))
			line(w, REPORT_NOTE, "%s · %s · %s · %s · 批次 / batch %lld%s", f->source.department_zh,
			     f->source.indicator_zh, f->period, f->claimed, (long long)f->batch,
			     f->source.sample ? " · 样例 / sample" : "");
	}
	if (w->r->facts_len == 0)
		put(w, REPORT_NOTE, "无 / none", NULL);
}

static void reads_put(const struct walk *w)
{
	put(w, REPORT_SECTION, "截至前一日的查询记录", "who read of it, up to the day before");
	for (size_t i = 0; i < w->r->reads_len; i++)
		line(w, REPORT_NOTE, "%s · %s · %s", w->r->reads[i].time, w->r->reads[i].who, w->r->reads[i].purpose);
	if (w->r->reads_len == 0)
		put(w, REPORT_NOTE, "无 / none", NULL);
}

void report_walk(const struct report *r,
		 void (*each)(void *arg, enum report_block kind, const char *a, const char *b), void *arg)
{
	const struct walk w = { r, each, arg };
	head_put(&w);
	score_put(&w);
	green_put(&w);
	facts_put(&w, FACT_NEGATIVE, "负面信息", "facts against");
	facts_put(&w, FACT_POSITIVE, "正面信息", "facts for");
	pending_put(&w);
	withdrawn_put(&w);
	facts_put(&w, FACT_NEUTRAL, "其他信息", "other facts");
	sources_put(&w);
	reads_put(&w);
	put(&w, REPORT_SECTION, "说明", "notes");
	put(&w, REPORT_NOTE,
	    "本报告以截至日期当日二十四时前生效的数据为准；当日尚未结束的，以出具时为准。对所列信息有异议的，可向归集"
	    "单位提出。",
	    NULL);
	put(&w, REPORT_NOTE,
	    "What counted at the end of the day it is as of, in China's time; on that day itself, when it was made. "
	    "Whoever finds a fact"
	    " wrong may object.",
	    NULL);
}
