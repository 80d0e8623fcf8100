/*
 * A predicate is an array of nodes in preorder: a node's subtree ends at its `next`, so a compound's children
 * are its successors, each `next` apart. Names and texts borrow from the predicate's own copy of the CBOR.
 * Nothing changes after parsing, and evaluation allocates nothing.
 */
#include "protocol/predicate.h"
#include "protocol/fields.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const op_names[PREDICATE_OPS] = {
	"equal",   "not_equal",   "less", "less_or_equal", "greater", "greater_or_equal",
	"missing", "not_missing", "in",   "not_in",        "and",     "or",
	"xor",     "surrogate",   "true", "false",
};

enum key { KEY_OP, KEY_FIELD, KEY_VALUE, KEY_VALUES, KEY_OF, KEYS };
static const char *const key_names[KEYS] = { "op", "field", "value", "values", "of" };
#define BIT(key) (1U << (key))

struct node {
	enum predicate_op op;
	uint32_t next;
	uint32_t values, values_len; /* of a comparison (1) or a set */
	uint32_t place;              /* of one that was built */
	struct bytes field;          /* of one that was read */
};

struct predicate {
	uint8_t *item;
	struct node *nodes;
	struct value *values;
	uint32_t nodes_len, nodes_cap, values_len, values_cap;
	uint32_t open[PREDICATE_DEPTH_MAX], open_len; /* compounds not closed yet, while it is built */
};

void predicate_free(struct predicate *p)
{
	if (p == NULL)
		return;
	free(p->item);
	free(p->nodes);
	free(p->values);
	free(p);
}

/* Room for one more of size bytes. */
static void *grown(void *array, uint32_t len, uint32_t *cap, size_t size)
{
	if (len < *cap)
		return array;
	*cap = *cap == 0 ? 4 : *cap * 2;
	array = realloc(array, *cap * size);
	if (array == NULL)
		abort();
	return array;
}

static bool field_is_valid(struct bytes name)
{
	if (name.len == 0 || name.len >= sizeof((struct rule_fact){ 0 }.name))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] == 0 || strchr("abcdefghijklmnopqrstuvwxyz0123456789_-.", name.data[i]) == NULL)
			return false;
	return true;
}

static bool value_read(struct cbor *c, struct value *v, struct err *e)
{
	enum cbor_type type;
	*v = (struct value){ .kind = VALUE_MISSING };
	if (!cbor_peek(c, &type))
		return err_set(e, ERR_INPUT, "value is missing");
	if (type == CBOR_BOOL) {
		v->kind = VALUE_BOOL;
		return cbor_get_bool(c, &v->boolean, e);
	}
	if (type == CBOR_TEXT) {
		v->kind = VALUE_TEXT;
		return cbor_get_text(c, &v->text, e);
	}
	if (type != CBOR_UINT && type != CBOR_NINT && type != CBOR_REAL)
		return err_set(e, ERR_INPUT, "value is neither bool, number nor text");
	v->kind = VALUE_NUMBER;
	if (!cbor_get_real(c, &v->number, e))
		return false;
	return isfinite(v->number) || err_set(e, ERR_INPUT, "value is no finite number");
}

static bool value_add(struct predicate *p, struct node *n, struct cbor *c, struct err *e)
{
	struct value v;
	if (!value_read(c, &v, e))
		return false;
	if (n->values_len > 0 && p->values != NULL && p->values[n->values].kind != v.kind)
		return err_set(e, ERR_INPUT, "values are of different kinds");
	p->values = grown(p->values, p->values_len, &p->values_cap, sizeof(*p->values));
	p->values[p->values_len++] = v;
	n->values_len++;
	return true;
}

static bool one_value(struct predicate *p, struct node *n, struct bytes item, struct err *e)
{
	struct cbor c = cbor_over(item);
	if (!value_add(p, n, &c, e))
		return false;
	bool ordering = n->op >= PREDICATE_LESS && n->op <= PREDICATE_GREATER_OR_EQUAL;
	if (ordering && p->values[p->values_len - 1].kind != VALUE_NUMBER)
		return err_set(e, ERR_INPUT, "'%s' compares numbers only", op_names[n->op]);
	return true;
}

static bool many_values(struct predicate *p, struct node *n, struct bytes item, struct err *e)
{
	struct cbor c = cbor_over(item);
	size_t len;
	if (!cbor_get_array(&c, PREDICATE_NODES_MAX, &len, e))
		return err_wrap(e, "values");
	if (len == 0)
		return err_set(e, ERR_INPUT, "values is empty");
	for (; len > 0; len--)
		if (!value_add(p, n, &c, e))
			return false;
	return true;
}

/* Which fields the operator has; each is needed and no other may stand there. */
static unsigned keys_of(enum predicate_op op)
{
	switch (op) {
	case PREDICATE_MISSING:
	case PREDICATE_NOT_MISSING: return BIT(KEY_FIELD);
	case PREDICATE_IN:
	case PREDICATE_NOT_IN: return BIT(KEY_FIELD) | BIT(KEY_VALUES);
	case PREDICATE_AND:
	case PREDICATE_OR:
	case PREDICATE_XOR:
	case PREDICATE_SURROGATE: return BIT(KEY_OF);
	case PREDICATE_TRUE:
	case PREDICATE_FALSE:
	case PREDICATE_OPS: return 0;
	case PREDICATE_EQUAL:
	case PREDICATE_NOT_EQUAL:
	case PREDICATE_LESS:
	case PREDICATE_LESS_OR_EQUAL:
	case PREDICATE_GREATER:
	case PREDICATE_GREATER_OR_EQUAL: break;
	}
	return BIT(KEY_FIELD) | BIT(KEY_VALUE);
}

static bool node_head(struct bytes item, struct node *n, struct bytes values[KEYS], struct err *e)
{
	char name[32];
	if (!fields_read(item, key_names, KEYS, values, e) ||
	    !field_text(values[KEY_OP], "op", name, sizeof(name), e))
		return false;
	n->op = PREDICATE_EQUAL;
	while (n->op < PREDICATE_OPS && strcmp(name, op_names[n->op]) != 0)
		n->op++;
	if (n->op == PREDICATE_OPS)
		return err_set(e, ERR_INPUT, "unknown operator '%s'", name);
	for (unsigned k = KEY_FIELD; k < KEYS; k++)
		if ((values[k].data != NULL) != ((keys_of(n->op) & BIT(k)) != 0))
			return err_set(e, ERR_INPUT, "'%s' %s '%s'", name,
				       values[k].data != NULL ? "takes no" : "needs", key_names[k]);
	if (values[KEY_FIELD].data == NULL)
		return true;
	struct cbor c = cbor_over(values[KEY_FIELD]);
	if (!cbor_get_text(&c, &n->field, e))
		return err_wrap(e, "field");
	return field_is_valid(n->field) || err_set(e, ERR_INPUT, "field is no name of a fact");
}

static bool node_parse(struct predicate *p, struct bytes item, unsigned depth, struct err *e);

static bool children_parse(struct predicate *p, struct bytes of, unsigned depth, struct err *e)
{
	struct cbor c = cbor_over(of);
	size_t len;
	if (depth == PREDICATE_DEPTH_MAX)
		return err_set(e, ERR_INPUT, "predicates nest deeper than %d", PREDICATE_DEPTH_MAX);
	if (!cbor_get_array(&c, PREDICATE_NODES_MAX, &len, e))
		return err_wrap(e, "of");
	if (len == 0)
		return err_set(e, ERR_INPUT, "of is empty");
	for (; len > 0; len--) {
		struct bytes child;
		if (!cbor_get_item(&c, &child, e) || !node_parse(p, child, depth + 1, e))
			return false;
	}
	return true;
}

static bool node_parse(struct predicate *p, struct bytes item, unsigned depth, struct err *e)
{
	struct bytes values[KEYS];
	struct node n = { .values = p->values_len };
	if (p->nodes_len == PREDICATE_NODES_MAX)
		return err_set(e, ERR_FULL, "more than %d predicates in one rule", PREDICATE_NODES_MAX);
	if (!node_head(item, &n, values, e))
		return false;
	uint32_t at = p->nodes_len++;
	p->nodes = grown(p->nodes, at, &p->nodes_cap, sizeof(*p->nodes));
	if (values[KEY_VALUE].data != NULL && !one_value(p, &n, values[KEY_VALUE], e))
		return false;
	if (values[KEY_VALUES].data != NULL && !many_values(p, &n, values[KEY_VALUES], e))
		return false;
	if (values[KEY_OF].data != NULL && !children_parse(p, values[KEY_OF], depth, e))
		return false;
	n.next = p->nodes_len;
	p->nodes[at] = n;
	return true;
}

struct predicate *predicate_new(void)
{
	struct predicate *p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	return p;
}

struct predicate *predicate_parse(struct bytes item, struct err *e)
{
	if (!cbor_check(item, e))
		return NULL;
	struct predicate *p = predicate_new();
	p->item = malloc(item.len);
	if (p->item == NULL)
		abort();
	memcpy(p->item, item.data, item.len);
	if (node_parse(p, (struct bytes){ p->item, item.len }, 0, e))
		return p;
	predicate_free(p);
	return NULL;
}

static int fact_order(const void *a, const void *b)
{
	return strcmp(((const struct rule_fact *)a)->name, ((const struct rule_fact *)b)->name);
}

void rule_facts_sort(struct rule_fact *facts, size_t facts_len)
{
	if (facts_len > 1)
		qsort(facts, facts_len, sizeof(*facts), fact_order);
}

static const struct value *fact_value(const struct rule_fact *facts, size_t facts_len, struct bytes name)
{
	static const struct value missing = { .kind = VALUE_MISSING };
	size_t low = 0, high = facts_len;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *at = facts[middle].name;
		int order = strncmp((const char *)name.data, at, name.len);
		if (order == 0 && at[name.len] == '\0')
			return &facts[middle].value;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return &missing;
}

const struct rule_fact *rule_fact_find(const struct rule_fact *facts, size_t facts_len, const char *name)
{
	for (size_t i = 0; i < facts_len; i++)
		if (strcmp(facts[i].name, name) == 0)
			return &facts[i];
	return NULL;
}

static bool value_same(const struct value *a, const struct value *b)
{
	switch (a->kind) {
	case VALUE_BOOL: return a->boolean == b->boolean;
	case VALUE_NUMBER: return a->number >= b->number && a->number <= b->number;
	case VALUE_TEXT: return bytes_equal(a->text, b->text);
	case VALUE_MISSING: break;
	}
	return false;
}

static enum truth truth_of(bool b)
{
	return b ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum truth truth_not(enum truth t)
{
	return t == TRUTH_UNKNOWN ? t : truth_of(t == TRUTH_FALSE);
}

static enum truth node_in(const struct predicate *p, const struct node *n, const struct value *fact)
{
	if (fact->kind != p->values[n->values].kind)
		return TRUTH_UNKNOWN;
	for (uint32_t i = 0; i < n->values_len; i++)
		if (value_same(fact, &p->values[n->values + i]))
			return TRUTH_TRUE;
	return TRUTH_FALSE;
}

/* A leaf that looks at a value. */
static enum truth node_compare(const struct predicate *p, const struct node *n, const struct value *fact)
{
	const struct value *v = &p->values[n->values];
	if (fact->kind != v->kind)
		return TRUTH_UNKNOWN;
	switch (n->op) {
	case PREDICATE_EQUAL: return truth_of(value_same(fact, v));
	case PREDICATE_NOT_EQUAL: return truth_of(!value_same(fact, v));
	case PREDICATE_LESS: return truth_of(fact->number < v->number);
	case PREDICATE_LESS_OR_EQUAL: return truth_of(fact->number <= v->number);
	case PREDICATE_GREATER: return truth_of(fact->number > v->number);
	case PREDICATE_GREATER_OR_EQUAL: return truth_of(fact->number >= v->number);
	case PREDICATE_MISSING:
	case PREDICATE_NOT_MISSING:
	case PREDICATE_IN:
	case PREDICATE_NOT_IN:
	case PREDICATE_AND:
	case PREDICATE_OR:
	case PREDICATE_XOR:
	case PREDICATE_SURROGATE:
	case PREDICATE_TRUE:
	case PREDICATE_FALSE:
	case PREDICATE_OPS: break;
	}
	return TRUTH_UNKNOWN;
}

struct facts {
	const struct rule_fact *facts;
	size_t len;
	const struct value *places; /* or NULL */
};
static enum truth node_eval(const struct predicate *p, uint32_t at, const struct facts *f);

/* PMML's tables: and is false if any is, or is true if any is, both then unknown if any is; xor is unknown if
   any is, else odd; surrogate is the first that is known. */
static enum truth node_compound(const struct predicate *p, uint32_t at, const struct facts *f)
{
	const struct node *n = &p->nodes[at];
	bool unknown = false, odd = false;
	for (uint32_t i = at + 1; i < n->next; i = p->nodes[i].next) {
		enum truth t = node_eval(p, i, f);
		if ((n->op == PREDICATE_AND && t == TRUTH_FALSE) || (n->op == PREDICATE_OR && t == TRUTH_TRUE))
			return t;
		if (n->op == PREDICATE_SURROGATE && t != TRUTH_UNKNOWN)
			return t;
		unknown |= t == TRUTH_UNKNOWN;
		odd ^= t == TRUTH_TRUE;
	}
	if (unknown)
		return TRUTH_UNKNOWN;
	return truth_of(n->op == PREDICATE_XOR ? odd : n->op == PREDICATE_AND);
}

static enum truth node_eval(const struct predicate *p, uint32_t at, const struct facts *f)
{
	const struct node *n = &p->nodes[at];
	switch (n->op) {
	case PREDICATE_TRUE: return TRUTH_TRUE;
	case PREDICATE_FALSE: return TRUTH_FALSE;
	case PREDICATE_AND:
	case PREDICATE_OR:
	case PREDICATE_XOR:
	case PREDICATE_SURROGATE: return node_compound(p, at, f);
	case PREDICATE_MISSING:
	case PREDICATE_NOT_MISSING:
	case PREDICATE_IN:
	case PREDICATE_NOT_IN:
	case PREDICATE_EQUAL:
	case PREDICATE_NOT_EQUAL:
	case PREDICATE_LESS:
	case PREDICATE_LESS_OR_EQUAL:
	case PREDICATE_GREATER:
	case PREDICATE_GREATER_OR_EQUAL:
	case PREDICATE_OPS: break;
	}
	const struct value *fact = f->places != NULL ? &f->places[n->place] : fact_value(f->facts, f->len, n->field);
	if (n->op == PREDICATE_MISSING || n->op == PREDICATE_NOT_MISSING)
		return truth_of((fact->kind == VALUE_MISSING) == (n->op == PREDICATE_MISSING));
	if (n->op == PREDICATE_IN)
		return node_in(p, n, fact);
	if (n->op == PREDICATE_NOT_IN)
		return truth_not(node_in(p, n, fact));
	return node_compare(p, n, fact);
}

enum truth predicate_eval(const struct predicate *p, const struct rule_fact *facts, size_t facts_len)
{
	struct facts f = { facts, facts_len, NULL };
	return node_eval(p, 0, &f);
}

/* --- building --- */

static bool is_compound(enum predicate_op op)
{
	return op >= PREDICATE_AND && op <= PREDICATE_SURROGATE;
}

/* Nothing may stand behind the root. */
static bool node_push(struct predicate *p, struct node n, struct err *e)
{
	if (p->nodes_len == PREDICATE_NODES_MAX)
		return err_set(e, ERR_FULL, "more than %d predicates in one", PREDICATE_NODES_MAX);
	if (p->nodes_len > 0 && p->open_len == 0)
		return err_set(e, ERR_INPUT, "more than one predicate");
	p->nodes = grown(p->nodes, p->nodes_len, &p->nodes_cap, sizeof(*p->nodes));
	n.next = p->nodes_len + 1;
	p->nodes[p->nodes_len++] = n;
	return true;
}

bool predicate_open(struct predicate *p, enum predicate_op op, struct err *e)
{
	assert(is_compound(op));
	if (p->open_len == PREDICATE_DEPTH_MAX)
		return err_set(e, ERR_INPUT, "predicates nest deeper than %d", PREDICATE_DEPTH_MAX);
	if (!node_push(p, (struct node){ .op = op }, e))
		return false;
	p->open[p->open_len++] = p->nodes_len - 1;
	return true;
}

bool predicate_close(struct predicate *p, struct err *e)
{
	assert(p->open_len > 0);
	uint32_t at = p->open[--p->open_len];
	p->nodes[at].next = p->nodes_len;
	return p->nodes_len > at + 1 || err_set(e, ERR_INPUT, "'%s' is empty", op_names[p->nodes[at].op]);
}

bool predicate_leaf(struct predicate *p, enum predicate_op op, uint32_t place, const struct value *values,
		    size_t values_len, struct err *e)
{
	assert(!is_compound(op));
	unsigned keys = keys_of(op);
	bool ordering = op >= PREDICATE_LESS && op <= PREDICATE_GREATER_OR_EQUAL;
	struct node n = { .op = op, .place = place, .values = p->values_len, .values_len = (uint32_t)values_len };
	assert((keys & BIT(KEY_VALUE)) == 0 || values_len == 1);
	if ((keys & BIT(KEY_VALUES)) != 0 && (values_len == 0 || values_len > PREDICATE_SET_MAX))
		return err_set(e, ERR_INPUT, "a set has %d values at most, and one at least", PREDICATE_SET_MAX);
	for (size_t i = 0; i < values_len; i++) {
		if (values[i].kind != values[0].kind)
			return err_set(e, ERR_INPUT, "values are of different kinds");
		if (ordering && values[i].kind != VALUE_NUMBER)
			return err_set(e, ERR_INPUT, "'%s' compares numbers only", op_names[op]);
		p->values = grown(p->values, p->values_len, &p->values_cap, sizeof(*p->values));
		p->values[p->values_len++] = values[i];
	}
	return node_push(p, n, e);
}

bool predicate_whole(const struct predicate *p, struct err *e)
{
	return (p->nodes_len > 0 && p->open_len == 0) || err_set(e, ERR_INPUT, "the predicate is missing");
}

enum truth predicate_eval_places(const struct predicate *p, const struct value *places)
{
	struct facts f = { NULL, 0, places };
	return node_eval(p, 0, &f);
}

uint32_t predicate_len(const struct predicate *p)
{
	return p->nodes_len;
}

struct predicate_node predicate_at(const struct predicate *p, uint32_t at)
{
	const struct node *n = &p->nodes[at];
	const struct value *values = n->values_len > 0 ? &p->values[n->values] : NULL;
	return (struct predicate_node){ n->op, n->next, n->place, values, n->values_len };
}
