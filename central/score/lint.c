#include "central/score/lint.h"

#include "central/score/cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *lint_kind_name(enum lint_kind k)
{
	static const char *const names[LINT_KINDS] = { "gap",     "overlap", "unreachable", "trend",
						       "missing", "other",   "unchecked" };
	return k < LINT_KINDS ? names[k] : "?";
}

const char *lint_kind_zh(enum lint_kind k)
{
	static const char *const names[LINT_KINDS] = { "空档",     "重叠",       "不可达", "趋势不符",
						       "未列缺失", "未列其他值", "未检查" };
	return k < LINT_KINDS ? names[k] : "?";
}

bool lint_is_fault(enum lint_kind k)
{
	return k <= LINT_TREND;
}

/* One characteristic under the glass. */
struct glass {
	const struct card *card;
	size_t at;
	const struct card_characteristic *h;
	struct predicate **predicates;
	size_t places_len;
	uint32_t places[LINT_PLACES_MAX];
	struct cells cells[LINT_PLACES_MAX];
	bool *reached; /* attributes that were the one somewhere */
	void (*each)(void *arg, const struct lint_finding *f);
	void *arg;
	size_t faults;
};

/* Which attributes hold in a cell: the first two, -1 none. */
struct held {
	int first, second;
};

static void found(struct glass *g, enum lint_kind kind, const char *where, const char *zh, const char *en)
{
	struct lint_finding f = { .kind = kind, .characteristic = g->at };
	snprintf(f.where, sizeof(f.where), "%s", where);
	snprintf(f.what, sizeof(f.what), "%s", en);
	snprintf(f.what_zh, sizeof(f.what_zh), "%s", zh);
	g->faults += lint_is_fault(kind);
	g->each(g->arg, &f);
}

/* The cell's value as the predicates see it; false when no input gives it. */
static bool cell_possible(const struct glass *g, size_t i, size_t cell)
{
	const struct card_field *f = &g->card->fields[g->places[i]];
	const struct cell *c = &g->cells[i].cells[cell];
	struct value out;
	if (c->empty)
		return false;
	if (c->value.kind == VALUE_MISSING) /* missing, or invalid and taken as missing, and nothing in its place */
		return f->missing == CARD_MISSING_AS_IS && f->missing_replacement.kind == VALUE_MISSING;
	return score_prepare(f, &c->value, &out) == INPUT_VALID;
}

/* A last attribute that is always true says "otherwise", and is meant to hold where others do. */
static bool is_otherwise(const struct card_characteristic *h, size_t k)
{
	const struct predicate *p = h->attributes[k].when;
	return k + 1 == h->attributes_len && k > 0 && predicate_len(p) == 1 &&
	       predicate_at(p, 0).op == PREDICATE_TRUE;
}

static struct held held_by(struct glass *g, const struct value *values)
{
	struct held h = { -1, -1 };
	for (size_t k = 0; k < g->h->attributes_len && h.second < 0; k++) {
		if (predicate_eval_places(g->h->attributes[k].when, values) != TRUTH_TRUE)
			continue;
		if (h.first < 0)
			h.first = (int)k;
		else if (!is_otherwise(g->h, k))
			h.second = (int)k;
	}
	if (h.first >= 0)
		g->reached[h.first] = true;
	return h;
}

/* --- one field: neighbouring cells with the same finding are one --- */

static void where_of(const struct glass *g, size_t from, size_t to, char out[256])
{
	char cells[160];
	cells_describe(&g->cells[0], from, to, cells, sizeof(cells));
	snprintf(out, 256, "%.80s %s", g->card->fields[g->places[0]].name, cells);
}

static enum lint_kind gap_kind(const struct glass *g, size_t cell)
{
	const struct cells *v = &g->cells[0];
	if (v->cells[cell].value.kind == VALUE_MISSING)
		return LINT_MISSING;
	return v->kind == VALUE_TEXT && cell + 2 == v->cells_len ? LINT_OTHER : LINT_GAP;
}

static void held_report(struct glass *g, enum lint_kind gap, struct held h, const char *where)
{
	char zh[96], en[96];
	snprintf(zh, sizeof(zh), "属性 %d 与 %d 同时适用，以前者为准", h.first + 1, h.second + 1);
	snprintf(en, sizeof(en), "attributes %d and %d both hold; the first counts", h.first + 1, h.second + 1);
	if (h.first < 0)
		found(g, gap, where, "无一属性适用，评分将无效", "no attribute holds; the score would be invalid");
	else if (h.second >= 0)
		found(g, LINT_OVERLAP, where, zh, en);
}

static bool joins(const struct glass *g, const struct held *held, size_t a, size_t b)
{
	return g->cells[0].kind == VALUE_NUMBER && g->cells[0].cells[b].value.kind != VALUE_MISSING &&
	       held[a].first == held[b].first && held[a].second == held[b].second;
}

/* The last cell of the run of cells with the same attributes from i on. An empty cell ends none: whole numbers have nothing between
   3 and 4. */
static size_t run_end(const struct glass *g, const bool *possible, const struct held *held, size_t i)
{
	const struct cells *v = &g->cells[0];
	size_t last = i;
	for (size_t k = i + 1; k < v->cells_len; k++) {
		if (!v->cells[k].empty && !(possible[k] && joins(g, held, i, k)))
			break;
		if (!v->cells[k].empty)
			last = k;
	}
	return last;
}

static void runs_report(struct glass *g, const bool *possible, const struct held *held)
{
	char where[256];
	for (size_t i = 0, last; i < g->cells[0].cells_len; i = last + 1) {
		last = i;
		if (!possible[i])
			continue;
		last = run_end(g, possible, held, i);
		where_of(g, i, last, where);
		held_report(g, gap_kind(g, i), held[i], where);
	}
}

/* A missing value for which "otherwise" was perhaps not meant. */
static void otherwise_report(struct glass *g, const bool *possible, const struct held *held)
{
	char where[256];
	size_t missing = g->cells[0].cells_len - 1;
	if (!possible[missing] || held[missing].first < 0 || !is_otherwise(g->h, (size_t)held[missing].first))
		return;
	where_of(g, missing, missing, where);
	found(g, LINT_MISSING, where, "缺失值归入最后一个“其他”属性",
	      "a missing value falls to the last attribute, \"otherwise\"");
}

static void trend_report(struct glass *g, const bool *possible, const struct held *held)
{
	const struct card_attribute *a = g->h->attributes;
	char where[256], zh[96], en[96];
	int before = -1;
	for (size_t i = 0; i + 1 < g->cells[0].cells_len; i++) { /* the last is missing */
		int now = possible[i] ? held[i].first : -1;
		if (now < 0)
			continue;
		double step = before < 0 ? 0 : a[now].points - a[before].points;
		if (g->h->trend == CARD_RISING ? step < 0 : step > 0) {
			where_of(g, i, run_end(g, possible, held, i), where);
			snprintf(zh, sizeof(zh), "属性 %d 之后的属性 %d 与所声明的趋势相反", before + 1, now + 1);
			snprintf(en, sizeof(en), "attribute %d, then %d: the points go against the declared trend",
				 before + 1, now + 1);
			found(g, LINT_TREND, where, zh, en);
		}
		before = now;
	}
}

/* What the mining schema puts in place of others need lie in no cell that is possible. */
static void replacement_check(struct glass *g, const struct value *replacement)
{
	struct value values[CARD_FIELDS_MAX];
	if (replacement->kind == VALUE_MISSING)
		return;
	values[g->places[0]] = *replacement;
	struct held h = held_by(g, values);
	if (h.first < 0)
		held_report(g, LINT_GAP, h, "替代值 replacement");
}

static void single_check(struct glass *g)
{
	const struct cells *v = &g->cells[0];
	const struct card_field *f = &g->card->fields[g->places[0]];
	struct value values[CARD_FIELDS_MAX];
	struct held *held = calloc(v->cells_len, sizeof(*held));
	bool *possible = calloc(v->cells_len, sizeof(*possible));
	if (held == NULL || possible == NULL)
		abort();
	for (size_t i = 0; i < v->cells_len; i++) {
		possible[i] = cell_possible(g, 0, i);
		values[g->places[0]] = v->cells[i].value;
		if (possible[i])
			held[i] = held_by(g, values);
	}
	runs_report(g, possible, held);
	otherwise_report(g, possible, held);
	if (g->h->trend != CARD_ANY && v->kind == VALUE_NUMBER)
		trend_report(g, possible, held);
	else if (g->h->trend != CARD_ANY)
		found(g, LINT_UNCHECKED, "", "非数值字段，未检查趋势",
		      "its field is no number: the trend was not looked at");
	replacement_check(g, &f->missing_replacement);
	replacement_check(g, &f->invalid_replacement);
	free(held);
	free(possible);
}

/* --- several fields: every combination; only the first of each finding is given --- */

static void combination_describe(const struct glass *g, const size_t *at, char out[256])
{
	size_t len = 0;
	out[0] = '\0';
	for (size_t i = 0; i < g->places_len && len < 250; i++) {
		char cells[100];
		cells_describe(&g->cells[i], at[i], at[i], cells, sizeof(cells));
		len += (size_t)snprintf(out + len, 256 - len, "%s%.60s %s", i > 0 ? " · " : "",
					g->card->fields[g->places[i]].name, cells);
	}
}

static bool combination_next(const struct glass *g, size_t *at)
{
	for (size_t i = 0; i < g->places_len; i++) {
		if (++at[i] < g->cells[i].cells_len)
			return true;
		at[i] = 0;
	}
	return false;
}

static enum lint_kind combination_kind(const struct glass *g, const size_t *at)
{
	enum lint_kind kind = LINT_GAP;
	for (size_t i = 0; i < g->places_len; i++) {
		const struct cells *v = &g->cells[i];
		if (at[i] + 1 == v->cells_len)
			return LINT_MISSING;
		if (v->kind == VALUE_TEXT && at[i] + 2 == v->cells_len)
			kind = LINT_OTHER;
	}
	return kind;
}

static void several_check(struct glass *g)
{
	size_t at[LINT_PLACES_MAX] = { 0 };
	struct value values[CARD_FIELDS_MAX];
	bool told[LINT_KINDS] = { false };
	char where[256];
	do {
		bool possible = true;
		for (size_t i = 0; i < g->places_len && possible; i++) {
			possible = cell_possible(g, i, at[i]);
			values[g->places[i]] = g->cells[i].cells[at[i]].value;
		}
		if (!possible)
			continue;
		struct held h = held_by(g, values);
		enum lint_kind kind = h.first < 0 ? combination_kind(g, at) : LINT_OVERLAP;
		if ((h.first >= 0 && h.second < 0) || told[kind])
			continue;
		told[kind] = true;
		combination_describe(g, at, where);
		held_report(g, kind, h, where);
	} while (combination_next(g, at));
	if (g->h->trend != CARD_ANY)
		found(g, LINT_UNCHECKED, "", "多个字段，未检查趋势",
		      "it asks about several fields: the trend was not looked at");
}

/* --- all --- */

/* Values that come in otherwise than as a cell: kept though invalid, or put in place of others. */
static bool has_other_values(const struct glass *g)
{
	for (size_t i = 0; i < g->places_len; i++) {
		const struct card_field *f = &g->card->fields[g->places[i]];
		bool replaced = f->missing_replacement.kind != VALUE_MISSING || f->invalid == CARD_AS_VALUE;
		if (f->invalid == CARD_AS_IS || (g->places_len > 1 && replaced))
			return true;
	}
	return false;
}

static void unreachable_report(struct glass *g)
{
	char zh[64], en[64];
	for (size_t k = 0; k < g->h->attributes_len && !has_other_values(g); k++) {
		snprintf(zh, sizeof(zh), "属性 %zu 永不适用", k + 1);
		snprintf(en, sizeof(en), "attribute %zu can never be the one", k + 1);
		if (!g->reached[k])
			found(g, LINT_UNREACHABLE, "", zh, en);
	}
}

static void combinations_check(struct glass *g)
{
	double work = cells_steps(g->predicates, g->h->attributes_len);
	for (size_t i = 0; i < g->places_len; i++) {
		cells_init(&g->cells[i], g->card, g->places[i], g->predicates, g->h->attributes_len);
		const struct card_field *d = &g->card->fields[g->places[i]];
		work = (work + (double)(d->intervals_len + d->values_len)) * (double)g->cells[i].cells_len;
	}
	if (work > CELLS_WORK_MAX) {
		found(g, LINT_UNCHECKED, "", "组合过多，未检查",
		      "too many values or combinations of its fields to look at");
	} else {
		if (g->places_len == 1)
			single_check(g);
		else
			several_check(g);
		unreachable_report(g);
	}
	for (size_t i = 0; i < g->places_len; i++)
		cells_clear(&g->cells[i]);
}

static void characteristic_check(struct glass *g)
{
	size_t len = g->h->attributes_len;
	g->predicates = calloc(len, sizeof(struct predicate *));
	g->reached = calloc(len, sizeof(*g->reached));
	if (g->predicates == NULL || g->reached == NULL)
		abort();
	for (size_t k = 0; k < len; k++)
		g->predicates[k] = g->h->attributes[k].when;
	g->places_len = cells_places(g->predicates, len, g->places, LINT_PLACES_MAX);
	if (g->places_len > LINT_PLACES_MAX)
		found(g, LINT_UNCHECKED, "", "字段过多，未检查", "it asks about too many fields to look at");
	else
		combinations_check(g);
	free(g->predicates);
	free(g->reached);
}

size_t lint_run(const struct card *c, void (*each)(void *arg, const struct lint_finding *f), void *arg)
{
	size_t faults = 0;
	for (size_t i = 0; i < c->characteristics_len; i++) {
		struct glass g = { .card = c, .at = i, .h = &c->characteristics[i], .each = each, .arg = arg };
		characteristic_check(&g);
		faults += g.faults;
	}
	return faults;
}
