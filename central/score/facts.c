/* A mapping, and what it makes of one subject's facts. */
#include "central/score/facts.h"

#include "protocol/base/json.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX   128
#define TITLE_MAX  512
#define VALUE_MAX  96
#define WINDOW_MAX 36600
#define YEAR_LEAST 360 /* days: where a year before is looked for */
#define YEAR_MOST  371

enum facts_take { TAKE_LATEST, TAKE_MAX, TAKE_MIN, TAKE_SUM, TAKE_COUNT, TAKE_ANY, TAKE_GROWTH, TAKES };
static const char *const takes[TAKES] = { "latest", "max", "min", "sum", "count", "any", "growth" };

struct facts_input {
	const char *input, *indicator, *field, *date, *absent; /* into the document; NULL none */
	const struct json *sources, *where;                    /* the same */
	bool account; /* the carbon account's points, and nothing of the rest */
	enum facts_take take;
	int64_t within_days; /* 0: any */
};
struct facts_map {
	struct json *document;
	size_t len;
	struct facts_input inputs[FACTS_INPUTS_MAX];
};

struct gathered {
	bool held;
	size_t n;
	int64_t day, oldest;   /* of the latest; of all */
	char value[VALUE_MAX]; /* of the latest */
	double sum, least, most;
	size_t series_len;
	struct {
		int64_t day;
		double value;
		bool held;
	} series[FACTS_SERIES_MAX]; /* of growth */
	bool has_points;            /* of an account */
	int64_t points;
	/* its sources */
	size_t sources;
	bool uncovered; /* one of them has nothing in force */
	int64_t known;  /* the oldest of their newest days */
};
struct facts_gathering {
	const struct facts_map *map;
	int64_t day;
	struct gathered found[FACTS_INPUTS_MAX];
};

/* --- the mapping --- */

static bool words_check(const struct json *j, const char *key, size_t most, struct err *e)
{
	const struct json *l = json_get(j, key);
	if (l == NULL || json_kind(l) != JSON_KIND_ARRAY || json_len(l) == 0 || json_len(l) > most)
		return err_set(e, ERR_INPUT, "%s: expected a list of 1 to %zu", key, most);
	for (size_t i = 0; i < json_len(l); i++)
		if (json_kind(json_at(l, i)) != JSON_KIND_TEXT || json_text_value(json_at(l, i)).len > WORD_MAX)
			return err_set(e, ERR_INPUT, "%s: expected texts of at most %d bytes", key, WORD_MAX);
	return true;
}

static bool where_check(const struct json *w, struct err *e)
{
	const char *field = NULL;
	bool in = json_get(w, "in") != NULL, not_in = json_get(w, "not_in") != NULL;
	if (!json_is_object(w) || in == not_in)
		return err_set(e, ERR_INPUT, "where: expected a field with either in or not_in");
	return (json_only(w, "field in not_in", e) && json_text(w, "field", SCHEMA_NAME_MAX, &field, e) &&
		words_check(w, in ? "in" : "not_in", SCHEMA_ENUM_MAX, e)) ||
	       err_wrap(e, "where");
}

static bool take_read(const struct json *j, struct facts_input *n, struct err *e)
{
	const char *word = NULL;
	if (!json_text(j, "take", 16, &word, e) || !json_text_opt(j, "field", SCHEMA_NAME_MAX, &n->field, e))
		return false;
	unsigned take = 0;
	while (take < TAKES && strcmp(takes[take], word) != 0)
		take++;
	if (take == TAKES)
		return err_set(e, ERR_INPUT, "take: expected latest, max, min, sum, count, any or growth");
	n->take = (enum facts_take)take;
	bool wants = n->take != TAKE_COUNT && n->take != TAKE_ANY;
	return wants == (n->field != NULL) ||
	       err_set(e, ERR_INPUT, "field: %s %s", word, wants ? "wants one" : "has none");
}

static bool sources_read(const struct json *j, struct facts_input *n, struct err *e)
{
	n->sources = json_get(j, "sources");
	if (!json_text_opt(j, "indicator", NAME_MAX_LEN, &n->indicator, e))
		return false;
	if ((n->indicator != NULL) == (n->sources != NULL))
		return err_set(e, ERR_INPUT, "expected either indicator or sources");
	return n->sources == NULL || words_check(j, "sources", FACTS_SOURCES_MAX, e);
}

static bool name_check(const struct facts_input *n, struct err *e)
{
	return (n->input[0] != '\0' && strpbrk(n->input, "\",@") == NULL) ||
	       err_set(e, ERR_INPUT, "input: expected a name without quotes, commas and @");
}

static bool account_read(const struct json *j, struct facts_input *n, struct err *e)
{
	const char *account = NULL;
	if (!json_only(j, "input account", e) || !json_text(j, "input", WORD_MAX, &n->input, e) ||
	    !json_text(j, "account", 16, &account, e))
		return false;
	n->account = true;
	return strcmp(account, "carbon") == 0 ? name_check(n, e) : err_set(e, ERR_INPUT, "account: expected carbon");
}

static bool input_read(const struct json *j, struct facts_input *n, struct err *e)
{
	if (json_is_object(j) && json_get(j, "account") != NULL)
		return account_read(j, n, e);
	if (!json_is_object(j) ||
	    !json_only(j, "input indicator sources take field date within_days where absent", e) ||
	    !json_text(j, "input", WORD_MAX, &n->input, e) || !sources_read(j, n, e) || !take_read(j, n, e) ||
	    !json_text_opt(j, "date", SCHEMA_NAME_MAX, &n->date, e) ||
	    !json_text_opt(j, "absent", VALUE_MAX - 1, &n->absent, e))
		return false;
	if (!name_check(n, e))
		return false;
	if (json_get(j, "within_days") != NULL && !json_int(j, "within_days", 1, WINDOW_MAX, &n->within_days, e))
		return false;
	n->where = json_get(j, "where");
	return n->where == NULL || where_check(n->where, e);
}

static bool inputs_read(struct facts_map *m, struct err *e)
{
	const struct json *l = json_get(m->document, "inputs");
	if (l == NULL || json_kind(l) != JSON_KIND_ARRAY || json_len(l) == 0 || json_len(l) > FACTS_INPUTS_MAX)
		return err_set(e, ERR_INPUT, "inputs: expected a list of 1 to %d", FACTS_INPUTS_MAX);
	for (; m->len < json_len(l); m->len++) {
		struct facts_input *n = &m->inputs[m->len];
		if (!input_read(json_at(l, m->len), n, e))
			return err_wrap(e, "input %zu", m->len + 1);
		for (size_t i = 0; i < m->len; i++)
			if (strcmp(m->inputs[i].input, n->input) == 0)
				return err_set(e, ERR_INPUT, "input %zu: %.60s is there already", m->len + 1,
					       n->input);
	}
	return true;
}

static bool map_read(struct facts_map *m, struct err *e)
{
	const char *word = NULL;
	bool sample = false;
	const struct json *j = m->document, *title = json_get(j, "title");
	if (!json_is_object(j) || !json_only(j, "type title sample inputs", e) ||
	    !json_text(j, "type", 32, &word, e) || !json_bool(j, "sample", &sample, e))
		return false;
	if (strcmp(word, "score-inputs") != 0)
		return err_set(e, ERR_INPUT, "type: expected score-inputs");
	if (title == NULL)
		return err_set(e, ERR_INPUT, "title is missing");
	return json_only(title, "zh en", e) && json_text(title, "zh", TITLE_MAX, &word, e) &&
	       json_text(title, "en", TITLE_MAX, &word, e) && inputs_read(m, e);
}

struct facts_map *facts_map_parse(struct bytes json, struct err *e)
{
	struct facts_map *m = calloc(1, sizeof(*m));
	if (m == NULL)
		abort();
	m->document = json_parse(json, e);
	if (m->document != NULL && map_read(m, e))
		return m;
	facts_map_free(m);
	return NULL;
}

void facts_map_free(struct facts_map *m)
{
	if (m == NULL)
		return;
	json_free(m->document);
	free(m);
}

/* --- one subject --- */

struct facts_gathering *facts_gathering_new(const struct facts_map *m, int64_t day)
{
	struct facts_gathering *g = calloc(1, sizeof(*g));
	if (g == NULL)
		abort();
	g->map = m;
	g->day = day;
	for (size_t i = 0; i < m->len; i++)
		g->found[i].known = INT64_MAX;
	return g;
}

void facts_gathering_free(struct facts_gathering *g)
{
	if (g != NULL)
		explicit_bzero(g, sizeof(*g));
	free(g);
}

void facts_gathering_reset(struct facts_gathering *g)
{
	for (size_t i = 0; i < g->map->len; i++) {
		struct gathered *f = &g->found[i];
		f->held = f->has_points = false;
		f->n = f->series_len = 0;
		f->sum = 0;
	}
}

static bool list_has(const struct json *l, struct bytes word)
{
	for (size_t i = 0; i < json_len(l); i++)
		if (bytes_equal(json_text_value(json_at(l, i)), word))
			return true;
	return false;
}

static bool is_of(const struct facts_input *n, const char *source, const char *indicator)
{
	if (n->account)
		return false;
	return n->indicator != NULL ? strcmp(n->indicator, indicator) == 0 : list_has(n->sources, bytes_of(source));
}

void facts_source_add(struct facts_gathering *g, const char *source, const char *indicator, bool there, int64_t day)
{
	for (size_t i = 0; i < g->map->len; i++) {
		struct gathered *f = &g->found[i];
		if (!is_of(&g->map->inputs[i], source, indicator))
			continue;
		f->sources++;
		f->uncovered |= !there;
		if (there && day < f->known)
			f->known = day;
	}
}

bool facts_map_wants_points(const struct facts_map *m)
{
	for (size_t i = 0; i < m->len; i++)
		if (m->inputs[i].account)
			return true;
	return false;
}

void facts_gathering_points(struct facts_gathering *g, int64_t points)
{
	for (size_t i = 0; i < g->map->len; i++) {
		g->found[i].has_points = g->map->inputs[i].account;
		g->found[i].points = points;
	}
}

static struct bytes cell_of(const struct subject_record *r, const char *field)
{
	int at = schema_find(r->schema, bytes_of(field));
	return at >= 0 ? r->record->cells[at] : (struct bytes){ NULL, 0 };
}

static bool where_holds(const struct json *w, const struct subject_record *r)
{
	const char *field = NULL;
	struct err e = { 0 };
	if (w == NULL)
		return true;
	if (!json_text(w, "field", SCHEMA_NAME_MAX, &field, &e))
		return false;
	struct bytes cell = cell_of(r, field);
	const struct json *in = json_get(w, "in");
	return in != NULL ? list_has(in, cell) : !list_has(json_get(w, "not_in"), cell);
}

/* A day, or a month's last. */
static bool day_read(struct bytes text, int64_t *day)
{
	char first[11];
	struct err e = { 0 };
	if (day_parse(text, day, &e))
		return true;
	if (text.len != 7)
		return false;
	snprintf(first, sizeof(first), "%.7s-01", (const char *)text.data);
	if (!day_parse(bytes_of(first), day, &e))
		return false;
	day_format(*day + 31, first); /* in the next month */
	first[8] = '0';
	first[9] = '1';
	if (!day_parse(bytes_of(first), day, &e))
		return false;
	*day -= 1;
	return true;
}

/* The day that the row says, but none after the one its file claims. */
static bool fact_day(const struct facts_input *n, const struct subject_record *r, int64_t *day)
{
	int64_t claimed = 0, own = 0;
	if (!day_read(bytes_of(r->batch->as_of), &claimed))
		return false;
	*day = claimed;
	if (n->date == NULL)
		return true;
	struct bytes cell = cell_of(r, n->date);
	if (cell.data == NULL || !day_read(cell, &own))
		return false;
	*day = own < claimed ? own : claimed;
	return true;
}

static bool number_of(struct bytes text, double *v)
{
	struct value value;
	if (text.data == NULL || !card_value_parse(CARD_DOUBLE, text, &value, NULL))
		return false;
	*v = value.number;
	return true;
}

static bool wants_number(enum facts_take t)
{
	return t == TAKE_MAX || t == TAKE_MIN || t == TAKE_SUM || t == TAKE_GROWTH;
}

static void number_add(struct gathered *f, enum facts_take take, int64_t day, double v, bool held)
{
	f->least = f->n == 0 || v < f->least ? v : f->least;
	f->most = f->n == 0 || v > f->most ? v : f->most;
	f->sum += v;
	if (take != TAKE_GROWTH || f->series_len == FACTS_SERIES_MAX)
		return;
	f->series[f->series_len].day = day;
	f->series[f->series_len].held = held;
	f->series[f->series_len++].value = v;
}

/* It counts for the input, with this value and of this day. */
static bool fact_fits(const struct facts_gathering *g, const struct facts_input *n, const struct subject_record *r,
		      struct bytes *cell, int64_t *day, double *v)
{
	if (!is_of(n, r->source->code, r->source->indicator) || !where_holds(n->where, r) || !fact_day(n, r, day) ||
	    *day > g->day || (n->within_days > 0 && *day <= g->day - n->within_days))
		return false;
	*cell = n->field != NULL ? cell_of(r, n->field) : bytes_of("");
	return cell->data != NULL && cell->len < VALUE_MAX && (!wants_number(n->take) || number_of(*cell, v));
}

static void fact_add(const struct facts_input *n, struct gathered *f, bool held, struct bytes cell, int64_t day,
		     double v)
{
	bool latest = f->n == 0 || day >= f->day;
	if (wants_number(n->take))
		number_add(f, n->take, day, v, held);
	if (n->take == TAKE_LATEST)
		f->held = latest ? held : f->held;
	else if (n->take != TAKE_GROWTH)
		f->held |= held;
	if (latest) {
		snprintf(f->value, sizeof(f->value), "%.*s", (int)cell.len, (const char *)cell.data);
		f->day = day;
	}
	f->oldest = f->n == 0 || day < f->oldest ? day : f->oldest;
	f->n++;
}

void facts_gathering_add(struct facts_gathering *g, const struct subject_record *r)
{
	struct bytes cell;
	int64_t day = 0;
	double v = 0;
	for (size_t i = 0; i < g->map->len && !r->objections->withdrawn; i++)
		if (fact_fits(g, &g->map->inputs[i], r, &cell, &day, &v))
			fact_add(&g->map->inputs[i], &g->found[i], r->objections->held, cell, day, v);
}

/* --- as a row --- */

/* Of the last given of one day. */
static bool growth_of(const struct gathered *f, double *out, int64_t *oldest, bool *held)
{
	size_t last = f->series_len, before = f->series_len;
	for (size_t i = 0; i < f->series_len; i++)
		if (last == f->series_len || f->series[i].day >= f->series[last].day)
			last = i;
	for (size_t i = 0; i < f->series_len; i++) {
		int64_t back = f->series[last].day - f->series[i].day;
		if (back >= YEAR_LEAST && back <= YEAR_MOST)
			before = i;
	}
	if (before == f->series_len || f->series[before].value <= 0)
		return false;
	*out = (f->series[last].value - f->series[before].value) / f->series[before].value * 100;
	*oldest = f->series[before].day;
	*held = f->series[last].held || f->series[before].held;
	return true;
}

static bool absent_of(const struct facts_input *n, const struct gathered *f, char out[VALUE_MAX], int64_t *day)
{
	if (n->absent == NULL || f->sources == 0 || f->uncovered)
		return false;
	snprintf(out, VALUE_MAX, "%s", n->absent);
	*day = f->known;
	return true;
}

/* False: missing. */
static bool value_of(const struct facts_input *n, const struct gathered *f, char out[VALUE_MAX], int64_t *day,
		     bool *held)
{
	double v = 0;
	*held = f->n > 0 && f->held;
	if (f->n == 0)
		return absent_of(n, f, out, day);
	*day = f->oldest;
	switch (n->take) {
	case TAKE_LATEST:
		snprintf(out, VALUE_MAX, "%s", f->value);
		*day = f->day;
		return true;
	case TAKE_COUNT: snprintf(out, VALUE_MAX, "%zu", f->n); return true;
	case TAKE_ANY: snprintf(out, VALUE_MAX, "true"); return true;
	case TAKE_GROWTH:
		if (!growth_of(f, &v, day, held))
			return false;
		break;
	case TAKE_MAX: v = f->most; break;
	case TAKE_MIN: v = f->least; break;
	case TAKE_SUM: v = f->sum; break;
	case TAKES: return false;
	}
	card_number_format(v, out);
	return true;
}

static bool points_of(const struct facts_gathering *g, const struct gathered *f, char out[VALUE_MAX], int64_t *day)
{
	snprintf(out, VALUE_MAX, "%lld", (long long)f->points);
	*day = g->day;
	return f->has_points;
}

static void quoted(struct buf *out, const char *text)
{
	buf_add_u8(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buf_add_u8(out, '"');
		buf_add_u8(out, (uint8_t)*text);
	}
	buf_add_u8(out, '"');
}

void facts_head_write(const struct facts_map *m, struct buf *out)
{
	for (size_t i = 0; i < m->len; i++)
		buf_add_fmt(out, ",%s,%s@date", m->inputs[i].input, m->inputs[i].input);
	buf_add_str(out, ",@held");
}

void facts_row_write(const struct facts_gathering *g, struct buf *out)
{
	struct buf held;
	buf_init(&held, (size_t)FACTS_INPUTS_MAX * (WORD_MAX + 1) + 1);
	for (size_t i = 0; i < g->map->len; i++) {
		char value[VALUE_MAX], day[11] = "";
		int64_t of = 0;
		const struct facts_input *n = &g->map->inputs[i];
		bool is_held = false, there = n->account ? points_of(g, &g->found[i], value, &of)
							 : value_of(n, &g->found[i], value, &of, &is_held);
		if (there)
			day_format(of, day);
		if (is_held)
			buf_add_fmt(&held, "%s%s", held.len > 0 ? "," : "", g->map->inputs[i].input);
		buf_add_u8(out, ',');
		quoted(out, there ? value : "");
		buf_add_fmt(out, ",%s", day);
	}
	buf_add_fmt(out, ",\"%s\"", buf_str(&held));
	buf_clear(&held);
}
