#include "tests/support/cards.h"

#include "central/score/pmml.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#define SPACE "xmlns='http://www.dmg.org/PMML-4_4' version='4.4'"

const char *card_pmml(const char *dictionary, const char *head, const char *schema, const char *characteristics)
{
	static char text[262144];
	snprintf(text, sizeof(text),
		 "<PMML " SPACE
		 ">\n<Header/>\n<DataDictionary>%s</DataDictionary>\n<Scorecard functionName='regression' %s>\n"
		 "<MiningSchema>%s</MiningSchema>\n<Characteristics>%s</Characteristics>\n</Scorecard>\n</PMML>",
		 dictionary, head, schema, characteristics);
	return text;
}

struct card *card_of(const char *dictionary, const char *head, const char *schema, const char *characteristics)
{
	struct err e = { 0 };
	struct card *c = pmml_read(bytes_of(card_pmml(dictionary, head, schema, characteristics)), &e);
	if (c == NULL)
		printf("\n    %s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	return c;
}

uint64_t card_random_next(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15U;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return x ^ x >> 31;
}

static unsigned below(uint64_t *s, unsigned n)
{
	return (unsigned)(card_random_next(s) % n);
}

static const char *const names[] = { "n1", "n2", "i1", "t1", "t2", "b1" };
static const char *const texts[] = { "red", "green", "blue &amp; grey", "a b", "未知" };

/* A value of field f as XML text. Numbers lie on halves, so that bounds are met exactly. */
static const char *value_text(uint64_t *s, unsigned f)
{
	static char out[4][32];
	static unsigned at;
	char *v = out[at++ % 4];
	if (f < 2)
		snprintf(v, 32, "%g", (double)below(s, 24) / 2 - 4);
	else if (f == 2)
		snprintf(v, 32, "%u", below(s, 9));
	else if (f < 5)
		snprintf(v, 32, "%s", texts[below(s, 5)]);
	else
		snprintf(v, 32, "%s", below(s, 2) == 0 ? "true" : "false");
	return v;
}

static void simple_put(uint64_t *s, unsigned f, struct buf *b)
{
	static const char *const operators[] = { "equal",    "notEqual",    "isMissing",   "isNotMissing",
						 "lessThan", "lessOrEqual", "greaterThan", "greaterOrEqual" };
	unsigned op = below(s, f < 3 ? 8 : 4);
	buf_add_fmt(b, "<SimplePredicate field='%s' operator='%s'", names[f], operators[op]);
	if (op != 2 && op != 3)
		buf_add_fmt(b, " value='%s'", value_text(s, f));
	buf_add_str(b, "/>");
}

static void set_put(uint64_t *s, unsigned f, struct buf *b)
{
	bool text = f > 2;
	buf_add_fmt(b, "<SimpleSetPredicate field='%s' booleanOperator='%s'><Array type='%s'>", names[f],
		    below(s, 2) == 0 ? "isIn" : "isNotIn", text ? "string" : "real");
	for (unsigned i = 0; i <= below(s, 4); i++)
		buf_add_fmt(b, text ? " &quot;%s&quot;" : " %s", value_text(s, f));
	buf_add_str(b, "</Array></SimpleSetPredicate>");
}

/* several: each leaf asks about any field; otherwise about f. */
static void predicate_put(uint64_t *s, unsigned f, bool several, unsigned depth, struct buf *b)
{
	static const char *const compounds[] = { "and", "or", "xor", "surrogate" };
	unsigned kind = below(s, 10);
	if (several)
		f = below(s, 6);
	if (kind == 0 && depth > 0) {
		buf_add_str(b, below(s, 4) == 0 ? "<False/>" : "<True/>");
	} else if (kind < 4 && depth < 3) {
		buf_add_fmt(b, "<CompoundPredicate booleanOperator='%s'>", compounds[below(s, 4)]);
		for (unsigned i = 0; i < 2 + below(s, 2); i++)
			predicate_put(s, f, several, depth + 1, b);
		buf_add_str(b, "</CompoundPredicate>");
	} else if (kind < 6) {
		set_put(s, f, b);
	} else {
		simple_put(s, f, b);
	}
}

static void dictionary_put(uint64_t *s, struct buf *b)
{
	static const char *const types[] = { "double", "float", "integer", "string", "string", "boolean" };
	for (unsigned f = 0; f < 6; f++) {
		buf_add_fmt(b, "<DataField name='%s' optype='%s' dataType='%s'>", names[f],
			    f < 3 ? "continuous" : "categorical", types[f]);
		if (f < 3 && below(s, 2) == 0)
			buf_add_fmt(b,
				    "<Interval closure='%s' leftMargin='-2' rightMargin='3'/><Interval "
				    "closure='openOpen' "
				    "leftMargin='4'/>",
				    below(s, 2) == 0 ? "closedOpen" : "openClosed");
		if (f < 3 && below(s, 2) == 0)
			buf_add_str(b, "<Value value='5' property='missing'/><Value value='6' property='invalid'/>"
				       "<Value value='NA' property='missing'/>");
		for (unsigned i = 0; f > 2 && f < 5 && i < below(s, 5); i++)
			buf_add_fmt(b, "<Value value='%s' property='%s'/>", texts[i], i == 3 ? "missing" : "valid");
		buf_add_str(b, "</DataField>");
	}
}

static void schema_put(uint64_t *s, struct buf *b)
{
	static const char *const invalid[] = { "returnInvalid", "asIs", "asMissing", "asValue" };
	for (unsigned f = 0; f < 6; f++) {
		unsigned i = 1 + below(s, 12) % 3, missing = below(s, 12);
		if (below(s, 12) == 0)
			i = 0;
		buf_add_fmt(b, "<MiningField name='%s' invalidValueTreatment='%s'", names[f], invalid[i]);
		if (i == 3)
			buf_add_fmt(b, " invalidValueReplacement='%s'", value_text(s, f));
		if (missing < 3)
			buf_add_fmt(b, " missingValueTreatment='asMode' missingValueReplacement='%s'",
				    value_text(s, f));
		else if (missing == 3)
			buf_add_str(b, " missingValueTreatment='returnInvalid'");
		buf_add_str(b, "/>");
	}
}

static void characteristic_put(uint64_t *s, struct buf *b)
{
	unsigned f = below(s, 6);
	bool several = below(s, 4) == 0;
	buf_add_fmt(b, "<Characteristic name='c' reasonCode='R%u' baselineScore='%u.5'>", below(s, 4), below(s, 10));
	for (unsigned i = 0; i < 1 + below(s, 5); i++) {
		buf_add_fmt(b, "<Attribute partialScore='%d.%u'", (int)below(s, 40) - 20, below(s, 100));
		if (below(s, 4) == 0)
			buf_add_fmt(b, " reasonCode='R%u'", 4 + below(s, 2));
		buf_add_str(b, ">");
		predicate_put(s, f, several, 0, b);
		buf_add_str(b, "</Attribute>");
	}
	if (below(s, 4) != 0)
		buf_add_str(b, "<Attribute partialScore='0.1'><True/></Attribute>");
	buf_add_str(b, "</Characteristic>");
}

struct card *card_random(uint64_t seed)
{
	struct buf b;
	struct err e = { 0 };
	uint64_t s = seed;
	buf_init(&b, 262144);
	buf_add_str(&b, "<PMML " SPACE "><Header/><DataDictionary>");
	dictionary_put(&s, &b);
	buf_add_fmt(
		&b,
		"</DataDictionary><Scorecard functionName='regression' initialScore='0.3' reasonCodeAlgorithm='%s'>",
		below(&s, 2) == 0 ? "pointsAbove" : "pointsBelow");
	for (unsigned i = 0; i < below(&s, 3); i++) {
		buf_add_fmt(&b, "<Extension extender='xinbian' name='knockout' value='K%u'>", i);
		predicate_put(&s, 0, true, 0, &b);
		buf_add_str(&b, "</Extension>");
	}
	buf_add_str(&b, "<MiningSchema>");
	schema_put(&s, &b);
	buf_add_str(&b, "</MiningSchema><Characteristics>");
	for (unsigned i = 0; i < 1 + below(&s, 6); i++)
		characteristic_put(&s, &b);
	buf_add_str(&b, "</Characteristics></Scorecard></PMML>");
	struct card *c = pmml_read(buf_bytes(&b), &e);
	if (c == NULL)
		printf("\n    seed %llu: %s\n%s\n", (unsigned long long)seed, e.text, buf_str(&b));
	buf_clear(&b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	return c;
}

void card_random_inputs(const struct card *c, uint64_t *state, struct value *given)
{
	static const char *const odd[] = {
		"red", "green", "blue & grey", "a b", "未知", "unheard of", "NA", "", "12"
	};
	for (size_t i = 0; i < c->fields_len; i++) {
		unsigned kind = below(state, 8);
		bool number = i<3, text = i> 2 && i < 5;
		if (kind == 0)
			given[i] = (struct value){ .kind = VALUE_MISSING };
		else if (kind == 1 || (text && kind < 7))
			given[i] = score_input(&c->fields[i], bytes_of(odd[below(state, 9)]));
		else if (number)
			given[i] = (struct value){ .kind = VALUE_NUMBER, .number = (double)below(state, 48) / 4 - 5 };
		else
			given[i] = (struct value){ .kind = VALUE_BOOL, .boolean = kind % 2 == 0 };
	}
}

bool card_challenge(struct release_context *c, const char *family, struct bytes pmml, char hash[MODEL_HEX + 1],
		    struct err *e)
{
	int64_t id = 0;
	return model_import(c, family, pmml, true, "card.pmml", "alice", 0, hash, &id, e);
}

bool card_crown(struct release_context *c, const char *family, struct bytes pmml, int64_t now_s,
		char hash[MODEL_HEX + 1], struct err *e)
{
	int64_t id = 0;
	return model_import(c, family, pmml, true, "card.pmml", "alice", now_s, hash, &id, e) &&
	       release_submit(c, id, "alice", true, now_s, e) && release_approve(c, id, "bob", now_s, e) &&
	       release_publish(c, id, "bob", now_s, e);
}
