/*
 * How metered energy becomes an enterprise's colour label 碳效标识: the document "carbon-label", published like any other (two operators,
 * versions, rollback). JSON:
 *   {"type": "carbon-label", "title": {"zh","en"}, "sample": bool, "months": 12,
 *    "readings": "energy-meter", "outputs": "output",        indicators of the sources; label.h has their fields
 *    "carriers": [{"code": "electricity", "zh", "en", "unit": "kWh", "grams": 570, "per": 1, "must": true, "source": "…"}, …]
 *    "industries": [{"code": "C17", "zh", "en", "unit": "万元", "benchmark": 100000, "source": "…"}, …]
 *    "labels": [{"code": "dark_green", "zh", "en", "up_to": 700}, …, {"code": "red", "zh", "en"}]}        the best first
 * grams of CO2e for each `per` units of the carrier; must: who reports none of it has no label. benchmark: grams of CO2e for each unit of
 * output. up_to: thousandths of the benchmark, inclusive, ascending; only the last has none. source: where the number is from, for whoever approves it.
 */
#ifndef CENTRAL_GREEN_LABEL_RULES_H
#define CENTRAL_GREEN_LABEL_RULES_H

#include "central/green/parts.h"

#define CARBON_LABEL_DOCUMENT "carbon-label"
#define LABEL_CARRIERS_MAX    32
#define LABEL_INDUSTRIES_MAX  256
#define LABEL_LABELS_MAX      8
#define LABEL_UNIT_MAX        16
#define LABEL_SOURCE_MAX      320
#define LABEL_MONTHS_MAX      12

struct label_carrier {
	struct green_word word;
	char unit[LABEL_UNIT_MAX + 1];
	int64_t grams, per; /* at most LABEL_FACTOR_MAX of label_rules.c */
	bool must;
};
struct label_industry {
	struct green_word word;
	char unit[LABEL_UNIT_MAX + 1];
	int64_t benchmark;
};
struct label_colour {
	struct green_word word;
	int64_t up_to; /* INT64_MAX: the last */
};
struct label_rules {
	bool sample;
	int64_t months;
	char readings[NAME_MAX_LEN + 1], outputs[NAME_MAX_LEN + 1];
	size_t carriers_len, industries_len, labels_len;
	struct label_carrier carriers[LABEL_CARRIERS_MAX];
	struct label_industry industries[LABEL_INDUSTRIES_MAX];
	struct label_colour labels[LABEL_LABELS_MAX];
};
/* Allocated; release with free. NULL on failure. */
struct label_rules *label_rules_decode(struct bytes cbor, struct err *e) CHECKED;
/* NULL when there is none so called. */
const struct label_carrier *label_carrier_find(const struct label_rules *r, const char *code);
const struct label_industry *label_industry_find(const struct label_rules *r, const char *code);

#endif
