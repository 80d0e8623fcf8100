/*
 * Decision rules: ordered predicates in three-valued logic over named facts. Predicates and their truth tables are those of
 * PMML 4.4 (Simple, SimpleSet, Compound with and/or/xor/surrogate, True, False): a comparison with a missing fact is unknown.
 * A comparison of values of different kinds (a number with text) is unknown too. Text and bools are only equal or not.
 * Every rule that fires is reported; the most severe outcome wins. A rule has a first and a last day; outside them it is not asked.
 *
 * A rule document is CBOR with text keys, made by central from the operator's JSON of the same shape:
 *   { "type": "rules", "title": {"zh","en"}, "sample": bool, "rules": [ { "id", "outcome": "refuse", "code": "LISTED_DISHONEST",
 *     "from": "2026-01-01", "to": "2030-12-31" (optional), "basis": {"zh","en"}, "text": {"zh","en"}, "when": P } ] }
 *   P = {"op":"equal|not_equal|less|less_or_equal|greater|greater_or_equal","field":"age_years","value":18}
 *     | {"op":"missing|not_missing","field":f} | {"op":"in|not_in","field":f,"values":[…]}
 *     | {"op":"and|or|xor|surrogate","of":[P, …]} | {"op":"true"} | {"op":"false"}
 * Unknown keys, operators and outcomes are refused by name: what cannot be understood must not be skipped.
 */
#ifndef PROTOCOL_RULE_H
#define PROTOCOL_RULE_H

#include "protocol/predicate.h"

enum outcome { OUTCOME_PASS = 1, OUTCOME_ENHANCED, OUTCOME_REFER, OUTCOME_REFUSE }; /* ascending severity */
const char *outcome_name(enum outcome o); /* "pass", "enhanced", "refer", "refuse" */
const char *outcome_zh(enum outcome o);   /* 通过 加强核查 转人工 拒绝 */
bool outcome_of(const char *name, enum outcome *o);

/* Kept for reasons the program gives itself; no rule of a document may be called so. */
#define RULE_BUILTIN "builtin"

/* True for [A-Z][A-Z0-9_]*. */
bool rule_code_is_valid(const char *code);

struct rule {
	char id[NAME_MAX_LEN + 1];
	enum outcome outcome;
	char code[48];
	int64_t from_day, to_day; /* days since 1970-01-01; INT64_MAX = no end */
	char *basis_zh, *basis_en, *text_zh, *text_en;
	struct predicate *when;
};
struct rule_set {
	bool sample;
	size_t rules_len;
	struct rule *rules;
};
#define RULES_MAX 256
struct rule_set *rule_set_parse(struct bytes document, struct err *e) CHECKED;
void rule_set_free(struct rule_set *s);
/* Indexes of the rules that fire on day, in order, at most max; facts sorted. The outcome is the most severe of all that
   fire, OUTCOME_PASS when none. */
size_t rule_set_eval(const struct rule_set *s, const struct rule_fact *facts, size_t facts_len, int64_t day,
		     size_t *fired, size_t max, enum outcome *outcome);

/* "2026-01-31" ↔ days since 1970-01-01; refuses dates that are none. */
bool day_parse(struct bytes text, int64_t *day, struct err *e) CHECKED;
void day_format(int64_t day, char out[11]);

#endif
