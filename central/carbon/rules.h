/*
 * 统一碳积分赋值标准, the one document that says what an activity is worth: published like any other document under the name "carbon" (two operators,
 * versions, rollback), so no reporter values anything. JSON:
 *   {"type": "carbon", "title": {"zh","en"}, "sample": bool, "valid_days": 730,
 *    "daily_most": 200                                  optional: points of one person for one day's activities
 *    "levels": [{"from": 0, "zh", "en"}, …]            by points held, ascending, the first from 0
 *    "activities": [{"code": "bus_ride", "zh", "en", "unit", "points": 2, "per": 1, "most": 20, "from": "2026-01-01", "to": "2030-12-31",
 *                    "daily_most": 40}]                  optional: of this kind, of one person and day
 *    "redemptions": [{"code": "rate_discount", "zh", "en", "unit": "basis_point|fen|tree|time", "points": 100, "per": 5, "most": 50, "yearly_most": 100,
 *                     "wait_days": 15, "partly": true, "from", "to"}]}
 * points for each whole `per` of the quantity, at most `most` for one activity; `to` (inclusive) may be missing. A redemption buys whole `per`
 * of its unit, up to `most` at once and (optional) `yearly_most` a person and calendar year; it is posted within wait_days or lapses; partly:
 * the bank may post less than was asked for. Without redemptions points can only be held.
 */
#ifndef CENTRAL_CARBON_RULES_H
#define CENTRAL_CARBON_RULES_H

#include "protocol/base/json.h"
#include "protocol/base/limits.h"

#define CARBON_ACTIVITIES_MAX 256
#define CARBON_LEVELS_MAX     16
#define CARBON_KINDS_MAX      16
#define CARBON_WAIT_DAYS_MAX  90
#define CARBON_WORD_MAX       96
#define CARBON_QUANTITY_MAX   1000000000 /* metres, kWh, pieces: of one activity */

struct carbon_activity {
	char code[NAME_MAX_LEN + 1];
	char zh[CARBON_WORD_MAX + 1], en[CARBON_WORD_MAX + 1];
	int64_t points, per, most; /* above 0 */
	int64_t daily_most;        /* INT64_MAX: none */
	int64_t from_day, to_day;
};
struct carbon_level {
	int64_t from; /* points held */
	char zh[CARBON_WORD_MAX + 1], en[CARBON_WORD_MAX + 1];
};
/* What points buy. */
enum carbon_unit { CARBON_BASIS_POINT, CARBON_FEN, CARBON_TREE, CARBON_TIME };
#define CARBON_UNIT_LAST CARBON_TIME
const char *carbon_unit_name(enum carbon_unit u); /* "basis_point" */
const char *carbon_unit_zh(enum carbon_unit u);
struct carbon_kind {
	char code[NAME_MAX_LEN + 1];
	char zh[CARBON_WORD_MAX + 1], en[CARBON_WORD_MAX + 1];
	enum carbon_unit unit;
	int64_t points, per, most; /* above 0 */
	int64_t yearly_most;       /* INT64_MAX: none */
	int64_t wait_days;
	int64_t from_day, to_day;
	bool partly;
};
struct carbon_rules {
	int64_t version; /* the caller's to set */
	int64_t valid_days;
	int64_t daily_most; /* INT64_MAX: none */
	size_t activities_len, levels_len, kinds_len;
	struct carbon_activity activities[CARBON_ACTIVITIES_MAX];
	struct carbon_level levels[CARBON_LEVELS_MAX];
	struct carbon_kind kinds[CARBON_KINDS_MAX];
};
/* Allocated; release with free. NULL on failure. */
struct carbon_rules *carbon_rules_parse(const struct json *j, struct err *e) CHECKED;
/* The same from the document's CBOR. */
struct carbon_rules *carbon_rules_decode(struct bytes cbor, struct err *e) CHECKED;
/* ERR_MISSING: no such activity, or none on that day; ERR_INPUT: the quantity earns nothing. */
bool carbon_rules_points(const struct carbon_rules *r, const char *activity, int64_t quantity, int64_t day,
			 int64_t *points, struct err *e) CHECKED;
/* NULL: the standard has none of this code. */
const struct carbon_activity *carbon_rules_activity(const struct carbon_rules *r, const char *code);
/* Some activity, or all together, may earn only so much a day. */
bool carbon_rules_capped(const struct carbon_rules *r);
/* In force on that day. ERR_MISSING when there is none. */
const struct carbon_kind *carbon_rules_kind(const struct carbon_rules *r, const char *code, int64_t day,
					    struct err *e) CHECKED;
/* What a quantity of it costs. ERR_INPUT when it is no whole `per`, or above `most`. */
bool carbon_kind_price(const struct carbon_kind *k, int64_t quantity, int64_t *points, struct err *e) CHECKED;
const struct carbon_level *carbon_rules_level(const struct carbon_rules *r, int64_t points);

/* rules_kinds.c: the array "redemptions". */
bool carbon_kinds_take(const struct json *all, struct carbon_rules *r, struct err *e) CHECKED;
bool carbon_word_take(const struct json *j, const char *key, char out[CARBON_WORD_MAX + 1], struct err *e) CHECKED;
bool carbon_days_take(const struct json *j, int64_t *from, int64_t *to, struct err *e) CHECKED;
bool carbon_most_take(const struct json *j, const char *key, int64_t *out, struct err *e) CHECKED;

#endif
