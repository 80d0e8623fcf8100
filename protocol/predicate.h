/*
 * Predicates in three-valued logic over facts. Predicates and their truth tables are those of PMML 4.4 (Simple, SimpleSet, Compound
 * with and/or/xor/surrogate, True, False): a comparison with a missing fact is unknown, and so is one of values of different
 * kinds (a number with text). Text and bools are only equal or not. Rules read theirs from documents (rule.h has the form) and find
 * facts by name; scorecards build theirs and find facts by place.
 */
#ifndef PROTOCOL_PREDICATE_H
#define PROTOCOL_PREDICATE_H

#include "protocol/cbor.h"
#include "protocol/base/limits.h"

enum truth { TRUTH_FALSE, TRUTH_TRUE, TRUTH_UNKNOWN };

enum value_kind { VALUE_MISSING, VALUE_BOOL, VALUE_NUMBER, VALUE_TEXT };
struct value {
	enum value_kind kind;
	bool boolean;
	double number;
	struct bytes text; /* borrowed */
};
struct rule_fact {
	char name[NAME_MAX_LEN * 2 + 1]; /* "list.black-dishonest", "age_years" */
	struct value value;
};

#define PREDICATE_DEPTH_MAX 6    /* compounds within compounds: what CBOR_DEPTH_MAX leaves inside a document */
#define PREDICATE_NODES_MAX 1024 /* of one rule */
#define PREDICATE_SET_MAX   1024 /* values of one comparison */

/* Parsed or built once, evaluated many times; immutable then. */
struct predicate;
struct predicate *predicate_parse(struct bytes item, struct err *e) CHECKED; /* one CBOR item P */
void predicate_free(struct predicate *p);
/* Facts are looked up by binary search: sort them first. Of two with one name, either may be seen. */
void rule_facts_sort(struct rule_fact *facts, size_t facts_len);
const struct rule_fact *rule_fact_find(const struct rule_fact *facts, size_t facts_len, const char *name);
enum truth predicate_eval(const struct predicate *p, const struct rule_fact *facts, size_t facts_len);

/*
 * Building one node by node, for callers that hold their facts in an array: the field of a leaf is a place in it. Texts of values
 * are borrowed and must outlive the predicate. A predicate is one leaf, or one compound opened, filled and closed.
 */
enum predicate_op {
	PREDICATE_EQUAL,
	PREDICATE_NOT_EQUAL,
	PREDICATE_LESS,
	PREDICATE_LESS_OR_EQUAL,
	PREDICATE_GREATER,
	PREDICATE_GREATER_OR_EQUAL,
	PREDICATE_MISSING,
	PREDICATE_NOT_MISSING,
	PREDICATE_IN,
	PREDICATE_NOT_IN,
	PREDICATE_AND,
	PREDICATE_OR,
	PREDICATE_XOR,
	PREDICATE_SURROGATE,
	PREDICATE_TRUE,
	PREDICATE_FALSE,
	PREDICATE_OPS,
};
struct predicate *predicate_new(void);
/* op is AND, OR, XOR or SURROGATE; what is added before the close that belongs to it is its own, at least one. */
bool predicate_open(struct predicate *p, enum predicate_op op, struct err *e) CHECKED;
bool predicate_close(struct predicate *p, struct err *e) CHECKED;
/* op is none of those. One value for a comparison, one or more of one kind for a set, none for the others. */
bool predicate_leaf(struct predicate *p, enum predicate_op op, uint32_t place, const struct value *values,
		    size_t values_len, struct err *e) CHECKED;
/* It is whole: asked once before it is used. */
bool predicate_whole(const struct predicate *p, struct err *e) CHECKED;
/* places[i] is the fact at place i. Only for predicates that were built. */
enum truth predicate_eval_places(const struct predicate *p, const struct value *places);

/* To look at it: nodes in preorder, a node's subtree ends before `next`. */
struct predicate_node {
	enum predicate_op op;
	uint32_t next, place;
	const struct value *values;
	size_t values_len;
};
uint32_t predicate_len(const struct predicate *p);
struct predicate_node predicate_at(const struct predicate *p, uint32_t at);

#endif
