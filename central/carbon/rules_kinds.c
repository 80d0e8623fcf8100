/* What points buy, of the standard. */
#include "central/carbon/rules.h"

#include "protocol/head.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *zh;
} units[CARBON_UNIT_LAST + 1] = {
	[CARBON_BASIS_POINT] = { "basis_point", "基点" },
	[CARBON_FEN] = { "fen", "分" },
	[CARBON_TREE] = { "tree", "棵" },
	[CARBON_TIME] = { "time", "次" },
};

const char *carbon_unit_name(enum carbon_unit u)
{
	return units[u].name;
}

const char *carbon_unit_zh(enum carbon_unit u)
{
	return units[u].zh;
}

static bool unit_take(const struct json *j, enum carbon_unit *out, struct err *e)
{
	const char *text;
	if (!json_text(j, "unit", 16, &text, e))
		return false;
	for (unsigned u = 0; u <= CARBON_UNIT_LAST; u++)
		if (strcmp(text, units[u].name) == 0) {
			*out = (enum carbon_unit)u;
			return true;
		}
	return err_set(e, ERR_INPUT, "unit: expected basis_point, fen, tree or time");
}

static bool kind_take(const struct json *j, struct carbon_kind *k, struct err *e)
{
	const char *code;
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "expected an object");
	if (!json_only(j, "code zh en unit points per most yearly_most wait_days partly from to", e) ||
	    !json_text(j, "code", NAME_MAX_LEN, &code, e) || !carbon_word_take(j, "zh", k->zh, e) ||
	    !carbon_word_take(j, "en", k->en, e) || !unit_take(j, &k->unit, e) ||
	    !json_int(j, "points", 1, CARBON_QUANTITY_MAX, &k->points, e) ||
	    !json_int(j, "per", 1, CARBON_QUANTITY_MAX, &k->per, e) ||
	    !json_int(j, "most", k->per, CARBON_QUANTITY_MAX, &k->most, e) ||
	    !carbon_most_take(j, "yearly_most", &k->yearly_most, e) ||
	    !json_int(j, "wait_days", 1, CARBON_WAIT_DAYS_MAX, &k->wait_days, e) ||
	    !json_bool(j, "partly", &k->partly, e))
		return false;
	snprintf(k->code, sizeof(k->code), "%s", code);
	if (!name_is_valid(code))
		return err_set(e, ERR_INPUT, "code: '%.40s' is no name", code);
	return carbon_days_take(j, &k->from_day, &k->to_day, e);
}

bool carbon_kinds_take(const struct json *all, struct carbon_rules *r, struct err *e)
{
	if (all == NULL)
		return true;
	if (json_kind(all) != JSON_KIND_ARRAY || json_len(all) > CARBON_KINDS_MAX)
		return err_set(e, ERR_INPUT, "redemptions: expected at most %d", CARBON_KINDS_MAX);
	for (size_t i = 0; i < json_len(all); i++) {
		if (!kind_take(json_at(all, i), &r->kinds[i], e))
			return err_wrap(e, "redemptions[%zu]", i);
		for (size_t k = 0; k < i; k++)
			if (strcmp(r->kinds[k].code, r->kinds[i].code) == 0)
				return err_set(e, ERR_INPUT, "redemptions[%zu]: '%s' stands there twice", i,
					       r->kinds[i].code);
	}
	r->kinds_len = json_len(all);
	return true;
}

const struct carbon_kind *carbon_rules_kind(const struct carbon_rules *r, const char *code, int64_t day,
					    struct err *e)
{
	for (size_t i = 0; i < r->kinds_len; i++)
		if (strcmp(r->kinds[i].code, code) == 0 && day >= r->kinds[i].from_day && day <= r->kinds[i].to_day)
			return &r->kinds[i];
	(void)err_set(e, ERR_MISSING, "今日标准无此兑换项目 / the standard has no redemption '%.40s' today", code);
	return NULL;
}

bool carbon_kind_price(const struct carbon_kind *k, int64_t quantity, int64_t *points, struct err *e)
{
	if (quantity <= 0 || quantity % k->per != 0)
		return err_set(e, ERR_INPUT, "quantity: a multiple of %lld", (long long)k->per);
	if (quantity > k->most)
		return err_set(e, ERR_INPUT, "quantity: at most %lld at once", (long long)k->most);
	*points = quantity / k->per * k->points; /* both below 2^30 */
	return true;
}
