#include "central/carbon/rules.h"

#include "central/release/document.h"
#include "protocol/head.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool carbon_word_take(const struct json *j, const char *key, char out[CARBON_WORD_MAX + 1], struct err *e)
{
	const char *text;
	if (!json_text(j, key, CARBON_WORD_MAX, &text, e))
		return false;
	snprintf(out, CARBON_WORD_MAX + 1, "%s", text);
	return text[0] != '\0' || err_set(e, ERR_INPUT, "%s: it is empty", key);
}

static bool day_take(const struct json *j, const char *key, int64_t *out, struct err *e)
{
	const char *text;
	return json_text(j, key, 10, &text, e) && (day_parse(bytes_of(text), out, e) || err_wrap(e, "%s", key));
}

bool carbon_days_take(const struct json *j, int64_t *from, int64_t *to, struct err *e)
{
	*to = INT32_MAX;
	if (!day_take(j, "from", from, e))
		return false;
	return json_get(j, "to") == NULL ||
	       (day_take(j, "to", to, e) && (*to >= *from || err_set(e, ERR_INPUT, "to: before from")));
}

bool carbon_most_take(const struct json *j, const char *key, int64_t *out, struct err *e)
{
	*out = INT64_MAX;
	return json_get(j, key) == NULL || json_int(j, key, 1, CARBON_QUANTITY_MAX, out, e);
}

static bool activity_take(const struct json *j, struct carbon_activity *a, struct err *e)
{
	char word[CARBON_WORD_MAX + 1];
	const char *code;
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "expected an object");
	if (!json_only(j, "code zh en unit points per most daily_most from to", e) ||
	    !json_text(j, "code", NAME_MAX_LEN, &code, e) || !carbon_word_take(j, "zh", a->zh, e) ||
	    !carbon_word_take(j, "en", a->en, e) || !carbon_word_take(j, "unit", word, e) ||
	    !json_int(j, "points", 1, CARBON_QUANTITY_MAX, &a->points, e) ||
	    !json_int(j, "per", 1, CARBON_QUANTITY_MAX, &a->per, e) ||
	    !json_int(j, "most", 1, CARBON_QUANTITY_MAX, &a->most, e) ||
	    !carbon_most_take(j, "daily_most", &a->daily_most, e))
		return false;
	snprintf(a->code, sizeof(a->code), "%s", code);
	if (!name_is_valid(code))
		return err_set(e, ERR_INPUT, "code: '%.40s' is no name", code);
	return carbon_days_take(j, &a->from_day, &a->to_day, e);
}

static bool activities_take(const struct json *all, struct carbon_rules *r, struct err *e)
{
	if (all == NULL || json_kind(all) != JSON_KIND_ARRAY || json_len(all) == 0 ||
	    json_len(all) > CARBON_ACTIVITIES_MAX)
		return err_set(e, ERR_INPUT, "activities: expected 1 to %d", CARBON_ACTIVITIES_MAX);
	for (size_t i = 0; i < json_len(all); i++) {
		if (!activity_take(json_at(all, i), &r->activities[i], e))
			return err_wrap(e, "activities[%zu]", i);
		for (size_t k = 0; k < i; k++)
			if (strcmp(r->activities[k].code, r->activities[i].code) == 0)
				return err_set(e, ERR_INPUT, "activities[%zu]: '%s' stands there twice", i,
					       r->activities[i].code);
	}
	r->activities_len = json_len(all);
	return true;
}

static bool levels_take(const struct json *all, struct carbon_rules *r, struct err *e)
{
	if (all == NULL || json_kind(all) != JSON_KIND_ARRAY || json_len(all) == 0 ||
	    json_len(all) > CARBON_LEVELS_MAX)
		return err_set(e, ERR_INPUT, "levels: expected 1 to %d", CARBON_LEVELS_MAX);
	for (size_t i = 0; i < json_len(all); i++) {
		const struct json *j = json_at(all, i);
		struct carbon_level *l = &r->levels[i];
		int64_t least = i == 0 ? 0 : r->levels[i - 1].from + 1, most = i == 0 ? 0 : INT64_MAX;
		if (!json_is_object(j) || !json_only(j, "from zh en", e) ||
		    !json_int(j, "from", least, most, &l->from, e) || !carbon_word_take(j, "zh", l->zh, e) ||
		    !carbon_word_take(j, "en", l->en, e))
			return err_wrap(e, "levels[%zu]", i);
	}
	r->levels_len = json_len(all);
	return true;
}

static bool head_take(const struct json *j, struct carbon_rules *r, struct err *e)
{
	const char *type;
	bool sample;
	char word[CARBON_WORD_MAX + 1];
	const struct json *title = json_get(j, "title");
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "expected an object");
	if (!json_only(j, "type title sample valid_days daily_most levels activities redemptions", e) ||
	    !json_text(j, "type", 16, &type, e) || !json_bool(j, "sample", &sample, e) ||
	    !json_int(j, "valid_days", 1, 36500, &r->valid_days, e) ||
	    !carbon_most_take(j, "daily_most", &r->daily_most, e))
		return false;
	if (strcmp(type, "carbon") != 0)
		return err_set(e, ERR_INPUT, "type: expected carbon");
	if (title == NULL || !json_is_object(title))
		return err_set(e, ERR_INPUT, "title: expected {\"zh\", \"en\"}");
	return json_only(title, "zh en", e) && carbon_word_take(title, "zh", word, e) &&
	       carbon_word_take(title, "en", word, e);
}

struct carbon_rules *carbon_rules_parse(const struct json *j, struct err *e)
{
	struct carbon_rules *r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	if (head_take(j, r, e) && levels_take(json_get(j, "levels"), r, e) &&
	    activities_take(json_get(j, "activities"), r, e) && carbon_kinds_take(json_get(j, "redemptions"), r, e))
		return r;
	free(r);
	return NULL;
}

struct carbon_rules *carbon_rules_decode(struct bytes cbor, struct err *e)
{
	struct buf text;
	struct carbon_rules *r = NULL;
	buf_init(&text, (size_t)8 * DOCUMENT_MAX);
	struct json *j = document_to_json(cbor, &text, e) ? json_parse(buf_bytes(&text), e) : NULL;
	if (j != NULL)
		r = carbon_rules_parse(j, e);
	json_free(j);
	buf_clear(&text);
	return r;
}

const struct carbon_activity *carbon_rules_activity(const struct carbon_rules *r, const char *code)
{
	for (size_t i = 0; i < r->activities_len; i++)
		if (strcmp(r->activities[i].code, code) == 0)
			return &r->activities[i];
	return NULL;
}

bool carbon_rules_capped(const struct carbon_rules *r)
{
	for (size_t i = 0; i < r->activities_len; i++)
		if (r->activities[i].daily_most != INT64_MAX)
			return true;
	return r->daily_most != INT64_MAX;
}

bool carbon_rules_points(const struct carbon_rules *r, const char *activity, int64_t quantity, int64_t day,
			 int64_t *points, struct err *e)
{
	const struct carbon_activity *a = carbon_rules_activity(r, activity);
	if (a == NULL)
		return err_set(e, ERR_MISSING, "the standard has no activity '%.40s'", activity);
	if (day < a->from_day || day > a->to_day)
		return err_set(e, ERR_MISSING, "%s earns nothing on that day", activity);
	*points = quantity / a->per * a->points; /* both below 2^30 */
	if (*points > a->most)
		*points = a->most;
	return *points > 0 || err_set(e, ERR_INPUT, "%s: less than %lld earns nothing", activity, (long long)a->per);
}

const struct carbon_level *carbon_rules_level(const struct carbon_rules *r, int64_t points)
{
	const struct carbon_level *l = &r->levels[0];
	for (size_t i = 1; i < r->levels_len && r->levels[i].from <= points; i++)
		l = &r->levels[i];
	return l;
}
