/*
 * 统一碳积分赋值标准, the one document that says what an activity is worth: published like any other document under the name "carbon" (two operators,
 * versions, rollback), so no reporter values anything. JSON:
 *   {"type": "carbon", "title": {"zh","en"}, "sample": bool, "valid_days": 730,
 *    "levels": [{"from": 0, "zh", "en"}, …]            by points held, ascending, the first from 0
 *    "activities": [{"code": "bus_ride", "zh", "en", "unit", "points": 2, "per": 1, "most": 20, "from": "2026-01-01", "to": "2030-12-31"}]}
 * points for each whole `per` of the quantity, at most `most` for one activity; `to` (inclusive) may be missing.
 */
#ifndef CENTRAL_CARBON_RULES_H
#define CENTRAL_CARBON_RULES_H

#include "protocol/base/json.h"
#include "protocol/base/limits.h"

#define CARBON_ACTIVITIES_MAX 256
#define CARBON_LEVELS_MAX     16
#define CARBON_WORD_MAX       96
#define CARBON_QUANTITY_MAX   1000000000 /* metres, kWh, pieces: of one activity */

struct carbon_activity {
	char code[NAME_MAX_LEN + 1];
	int64_t points, per, most; /* above 0 */
	int64_t from_day, to_day;
};
struct carbon_level {
	int64_t from; /* points held */
	char zh[CARBON_WORD_MAX + 1], en[CARBON_WORD_MAX + 1];
};
struct carbon_rules {
	int64_t version; /* the caller's to set */
	int64_t valid_days;
	size_t activities_len, levels_len;
	struct carbon_activity activities[CARBON_ACTIVITIES_MAX];
	struct carbon_level levels[CARBON_LEVELS_MAX];
};
/* Allocated; release with free. NULL on failure. */
struct carbon_rules *carbon_rules_parse(const struct json *j, struct err *e) CHECKED;
/* The same from the document's CBOR. */
struct carbon_rules *carbon_rules_decode(struct bytes cbor, struct err *e) CHECKED;
/* ERR_MISSING: no such activity, or none on that day; ERR_INPUT: the quantity earns nothing. */
bool carbon_rules_points(const struct carbon_rules *r, const char *activity, int64_t quantity, int64_t day,
			 int64_t *points, struct err *e) CHECKED;
const struct carbon_level *carbon_rules_level(const struct carbon_rules *r, int64_t points);

#endif
