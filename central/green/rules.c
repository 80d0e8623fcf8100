#include "central/green/rules.h"

#include "protocol/cbor.h"
#include "protocol/head.h"

#include <stdlib.h>
#include <string.h>

#define DAYS_MAX   3660
#define MONTHS_MAX 120
#define RANK_MAX   1000

static bool level_of(const struct green_rules *r, const struct json *j, size_t *out, struct err *e)
{
	char code[NAME_MAX_LEN + 1];
	if (!green_text_take(j, "level", code, sizeof(code), e))
		return false;
	for (*out = 0; *out < r->levels_len; (*out)++)
		if (strcmp(r->levels[*out].word.code, code) == 0)
			return true;
	return err_set(e, ERR_INPUT, "level: there is no level '%s'", code);
}

static bool levels_take(const struct json *j, struct green_rules *r, struct err *e)
{
	const struct json *all = green_array(j, "levels", 2, GREEN_LEVELS_MAX, e);
	if (all == NULL)
		return false;
	for (size_t i = 0; i < json_len(all); i++) {
		struct green_level *l = &r->levels[i];
		const struct json *one = json_at(all, i);
		if (!json_only(one, "code zh en green", e) || !green_word_take(one, &l->word, e) ||
		    !json_bool(one, "green", &l->green, e))
			return err_wrap(e, "levels[%zu]", i);
		if (i > 0 && l->green && !l[-1].green)
			return err_set(e, ERR_INPUT, "levels[%zu]: the greenest stand first", i);
		for (size_t k = 0; k < i; k++)
			if (strcmp(r->levels[k].word.code, l->word.code) == 0)
				return err_set(e, ERR_INPUT, "levels[%zu]: '%s' stands there twice", i, l->word.code);
	}
	r->levels_len = json_len(all);
	return true;
}

static bool grades_take(const struct json *j, const struct green_rules *r, struct green_rater *out, struct err *e)
{
	const struct json *all = green_array(j, "grades", 1, GREEN_GRADES_MAX, e);
	if (all == NULL)
		return false;
	for (; out->grades_len < json_len(all); out->grades_len++) {
		struct green_grade_map *g = &out->grades[out->grades_len];
		const struct json *one = json_at(all, out->grades_len);
		if (!json_only(one, "grade level", e) ||
		    !green_text_take(one, "grade", g->grade, sizeof(g->grade), e) || !level_of(r, one, &g->level, e))
			return err_wrap(e, "grades[%zu]", out->grades_len);
		if (green_grade_find(out, bytes_of(g->grade)) != NULL)
			return err_set(e, ERR_INPUT, "grades[%zu]: '%s' stands there twice", out->grades_len,
				       g->grade);
	}
	return true;
}

static bool raters_take(const struct json *j, struct green_rules *r, struct err *e)
{
	const struct json *all = green_array(j, "raters", 0, GREEN_RATERS_MAX, e);
	if (all == NULL)
		return false;
	for (; r->raters_len < json_len(all); r->raters_len++) {
		struct green_rater *one = &r->raters[r->raters_len];
		const struct json *at = json_at(all, r->raters_len);
		if (!json_only(at, "code zh en rank grades", e) || !green_word_take(at, &one->word, e) ||
		    !json_int(at, "rank", 1, RANK_MAX, &one->rank, e) || !grades_take(at, r, one, e))
			return err_wrap(e, "raters[%zu]", r->raters_len);
		if (strcmp(one->word.code, GREEN_OWN) == 0 || green_rater_find(r, bytes_of(one->word.code)) != NULL)
			return err_set(e, ERR_INPUT, "raters[%zu]: '%s' stands there twice, or is our own",
				       r->raters_len, one->word.code);
	}
	return true;
}

static bool take_of(const struct json *j, struct green_indicator *out, struct err *e)
{
	static const char *const words[] = { "latest", "sum", "any", "count" };
	const char *take = NULL, *field = NULL;
	if (!json_text(j, "take", 16, &take, e) || !json_text_opt(j, "field", GREEN_FIELD_MAX, &field, e))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i], take) != 0)
			continue;
		out->take = (enum green_take)i;
		if ((field == NULL) != (out->take == GREEN_COUNT))
			return err_set(e, ERR_INPUT, "field: count has none, all others have one");
		return field == NULL || green_text_take(j, "field", out->field, sizeof(out->field), e);
	}
	return err_set(e, ERR_INPUT, "take: expected latest, sum, any or count");
}

static bool indicators_take(const struct json *j, struct green_rules *r, struct err *e)
{
	const struct json *all = green_array(j, "indicators", 0, GREEN_INDICATORS_MAX, e);
	if (all == NULL)
		return false;
	for (size_t i = 0; i < json_len(all); i++) {
		struct green_indicator *one = &r->indicators[i];
		const struct json *at = json_at(all, i);
		if (!json_only(at, "name indicator field take months project", e) ||
		    !green_text_take(at, "name", one->name, sizeof(one->name), e) ||
		    !green_text_take(at, "indicator", one->indicator, sizeof(one->indicator), e) ||
		    !json_int(at, "months", 1, MONTHS_MAX, &one->months, e) || !take_of(at, one, e) ||
		    (json_get(at, "project") != NULL &&
		     !green_text_take(at, "project", one->project, sizeof(one->project), e)))
			return err_wrap(e, "indicators[%zu]", i);
		bool twice = strcmp(one->name, "label") == 0;
		for (size_t k = 0; k < i; k++)
			twice |= strcmp(r->indicators[k].name, one->name) == 0;
		if (twice)
			return err_set(e, ERR_INPUT, "indicators[%zu]: '%s' stands there twice", i, one->name);
	}
	r->indicators_len = json_len(all);
	return true;
}

static bool fact_is_known(const struct green_rules *r, struct bytes name)
{
	bool known = bytes_equal(name, bytes_of("label"));
	for (size_t i = 0; i < r->indicators_len; i++)
		known |= bytes_equal(name, bytes_of(r->indicators[i].name));
	return known;
}

/* Each fact a predicate asks for is one of the indicators: a typing error would else be a fact that is always missing. The document nests
   CBOR_DEPTH_MAX deep at most. */
static bool facts_check(const struct green_rules *r, const struct json *when, struct err *e)
{
	const struct json *field = json_get(when, "field"), *of = json_get(when, "of");
	if (field != NULL && json_kind(field) == JSON_KIND_TEXT && !fact_is_known(r, json_text_value(field)))
		return err_set(e, ERR_INPUT, "when: no indicator is called '%.40s'",
			       (const char *)json_text_value(field).data);
	for (size_t i = 0; of != NULL && json_kind(of) == JSON_KIND_ARRAY && i < json_len(of); i++)
		if (!facts_check(r, json_at(of, i), e))
			return false;
	return true;
}

/* A predicate is parsed from the document's own CBOR. */
static bool when_take(struct cbor *items, struct green_rule *out, struct err *e)
{
	struct bytes one, when;
	if (!cbor_get_item(items, &one, e) || !cbor_find(one, "when", &when, e))
		return false;
	if (when.data == NULL)
		return err_set(e, ERR_INPUT, "when is missing");
	out->when = predicate_parse(when, e);
	return out->when != NULL;
}

static bool of_take(const struct json *j, struct green_rule *out, struct err *e)
{
	const char *of = NULL;
	if (!json_text_opt(j, "of", 16, &of, e))
		return false;
	out->of_project = of != NULL && strcmp(of, "project") == 0;
	return of == NULL || out->of_project || strcmp(of, "enterprise") == 0 ||
	       err_set(e, ERR_INPUT, "of: expected enterprise or project");
}

static bool rules_take(const struct json *j, struct bytes cbor, struct green_rules *r, struct err *e)
{
	struct bytes item;
	size_t len = 0;
	const struct json *all = green_array(j, "rules", 0, GREEN_RULES_MAX, e);
	if (all == NULL || !cbor_find(cbor, "rules", &item, e))
		return false;
	struct cbor items = cbor_over(item);
	if (!cbor_get_array(&items, GREEN_RULES_MAX, &len, e))
		return false;
	for (; r->rules_len < len; r->rules_len++) {
		struct green_rule *one = &r->rules[r->rules_len];
		const struct json *at = json_at(all, r->rules_len);
		if (!json_only(at, "code zh en of level when", e) || !green_word_take(at, &one->word, e) ||
		    !of_take(at, one, e) || !level_of(r, at, &one->level, e) ||
		    !facts_check(r, json_get(at, "when"), e) || !when_take(&items, one, e))
			return err_wrap(e, "rules[%zu]", r->rules_len);
		for (size_t k = 0; k < r->rules_len; k++)
			if (strcmp(r->rules[k].word.code, one->word.code) == 0) {
				predicate_free(one->when);
				return err_set(e, ERR_INPUT, "rules[%zu]: '%s' stands there twice", r->rules_len,
					       one->word.code);
			}
	}
	return true;
}

struct green_rules *green_rules_decode(struct bytes cbor, struct err *e)
{
	struct green_rules *r = calloc(1, sizeof(*r));
	struct json *j = green_document_json(cbor, e);
	if (r == NULL)
		abort();
	bool ok = j != NULL &&
		  json_only(j, "type title sample warn_days own_days levels raters indicators rules", e) &&
		  green_head_take(j, "green", &r->sample, e) &&
		  json_int(j, "warn_days", 1, DAYS_MAX, &r->warn_days, e) &&
		  json_int(j, "own_days", 1, DAYS_MAX, &r->own_days, e) && levels_take(j, r, e) &&
		  raters_take(j, r, e) && indicators_take(j, r, e) && rules_take(j, cbor, r, e);
	json_free(j);
	if (ok)
		return r;
	green_rules_free(r);
	return NULL;
}

void green_rules_free(struct green_rules *r)
{
	for (size_t i = 0; r != NULL && i < r->rules_len; i++)
		predicate_free(r->rules[i].when);
	free(r);
}

const struct green_rater *green_rater_find(const struct green_rules *r, struct bytes code)
{
	for (size_t i = 0; i < r->raters_len; i++)
		if (bytes_equal(bytes_of(r->raters[i].word.code), code))
			return &r->raters[i];
	return NULL;
}

const struct green_grade_map *green_grade_find(const struct green_rater *r, struct bytes grade)
{
	for (size_t i = 0; i < r->grades_len; i++)
		if (bytes_equal(bytes_of(r->grades[i].grade), grade))
			return &r->grades[i];
	return NULL;
}
