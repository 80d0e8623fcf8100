/*
 * The rules of the green library 绿色评价, the document "green": levels, raters with their scales, and the rules of one's own rating. Published
 * like any other document (two operators, versions, rollback). JSON:
 *   {"type": "green", "title": {"zh","en"}, "sample": bool, "warn_days": 60, "own_days": 365,
 *    "levels": [{"code": "dark_green", "zh", "en", "green": true}, …]             the greenest first
 *    "raters": [{"code", "zh", "en", "rank": 1, "grades": [{"grade": "G1", "level": "dark_green"}, …]}]
 *    "indicators": [{"name": "carbon_t", "indicator": "emissions", "field": "carbon_t", "take": "sum", "months": 12, "project": …}, …]
 *    "rules": [{"code", "zh", "en", "of": "project", "level": "red", "when": P}, …]}               P as in protocol/rule.h
 * rank: of raters that disagree the lowest counts. warn_days: before a rating ends. own_days: how long an own rating is valid.
 * take, over the records of the last `months` months: "latest" value, "sum" of numbers, "any" of booleans, "count" of records (without field; 0
 * only where each source of the indicator has sent something, else missing). A fact that a row under an objection would be part of is missing.
 * of: "project" rules are of projects, all others of enterprises. project: the field that names the project, optional; of a project only its
 * rows are taken then, of an enterprise all.
 * The fact "label" is there too: the code of the newest colour label of not more than 12 months ago (label.h), missing without one.
 * Rules are asked in order and the first that is true decides; one that cannot be decided for want of a fact ends it: no rating, and what lacks.
 * So a fact that is missing never makes anybody greener, as long as what speaks against stands first.
 */
#ifndef CENTRAL_GREEN_RULES_H
#define CENTRAL_GREEN_RULES_H

#include "central/green/parts.h"
#include "protocol/predicate.h"

#define GREEN_LEVELS_MAX     8
#define GREEN_RATERS_MAX     64
#define GREEN_GRADES_MAX     32
#define GREEN_INDICATORS_MAX 32
#define GREEN_RULES_MAX      64
#define GREEN_GRADE_MAX      32
#define GREEN_FIELD_MAX      64
#define GREEN_OWN            "own" /* no rater may be called so */

struct green_level {
	struct green_word word;
	bool green;
};
struct green_grade_map {
	char grade[GREEN_GRADE_MAX + 1];
	size_t level;
};
struct green_rater {
	struct green_word word;
	int64_t rank;
	size_t grades_len;
	struct green_grade_map grades[GREEN_GRADES_MAX];
};
enum green_take { GREEN_LATEST, GREEN_SUM, GREEN_ANY, GREEN_COUNT };
struct green_indicator {
	char name[NAME_MAX_LEN + 1], indicator[NAME_MAX_LEN + 1], field[GREEN_FIELD_MAX + 1];
	char project[GREEN_FIELD_MAX + 1]; /* "" none */
	enum green_take take;
	int64_t months;
};
struct green_rule {
	struct green_word word;
	bool of_project;
	size_t level;
	struct predicate *when; /* owned */
};
struct green_rules {
	bool sample;
	int64_t warn_days, own_days;
	size_t levels_len, raters_len, indicators_len, rules_len;
	struct green_level levels[GREEN_LEVELS_MAX];
	struct green_rater raters[GREEN_RATERS_MAX];
	struct green_indicator indicators[GREEN_INDICATORS_MAX];
	struct green_rule rules[GREEN_RULES_MAX];
};
/* Allocated; NULL on failure. Release with green_rules_free (NULL is fine). */
struct green_rules *green_rules_decode(struct bytes cbor, struct err *e) CHECKED;
void green_rules_free(struct green_rules *r);

/* NULL when there is none so called. */
const struct green_rater *green_rater_find(const struct green_rules *r, struct bytes code);
const struct green_grade_map *green_grade_find(const struct green_rater *r, struct bytes grade);

#endif
