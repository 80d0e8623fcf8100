#include "central/score/pmml.h"
#include "central/score/score.h"
#include "central/score/xml.h"
#include "protocol/base/file.h"
#include "tests/support/cards.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define D                                                                                                            \
	"<DataField name='n' optype='continuous' dataType='double'/><DataField name='t' optype='categorical' "       \
	"dataType='string'/>"
#define S             "<MiningField name='n'/><MiningField name='t'/>"
#define H             "useReasonCodes='false'"
#define IN(predicate) "<Characteristic><Attribute partialScore='1'>" predicate "</Attribute></Characteristic>"
#define OK            IN("<True/>")

static struct score score;

static struct card *file_card(const char *name)
{
	struct buf text;
	struct err e = { 0 };
	buf_init(&text, DOCUMENT_MAX);
	CU_ASSERT_TRUE_FATAL(file_read(name, &text, &e));
	struct card *c = pmml_read(buf_bytes(&text), &e);
	CU_ASSERT_STRING_EQUAL(e.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	buf_clear(&text);
	return c;
}

static void refused(const char *document, const char *words)
{
	struct err e = { 0 };
	struct card *c = pmml_read(bytes_of(document), &e);
	CU_ASSERT_PTR_NULL(c);
	card_free(c);
	if (strstr(e.text, words) == NULL)
		printf("\n    wanted '%s', got '%s'", words, e.text);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, words));
}

/* --- the published examples --- */

static struct bytes cell(char **rest)
{
	char *at = strsep(rest, "\t");
	return bytes_of(at != NULL ? at : "");
}

static void expected_row(const struct card *c, char *rest)
{
	struct value given[CARD_FIELDS_MAX] = { 0 };
	struct bytes in[3], want, reasons[2];
	char got[32] = "error";
	for (size_t i = 0; i < 3; i++) {
		char name[8];
		in[i] = cell(&rest);
		snprintf(name, sizeof(name), "input%zu", i + 1);
		uint32_t at = card_field_find(c, bytes_of(name));
		if (at != CARD_FIELDS_MAX)
			given[at] = score_input(&c->fields[at], in[i]);
	}
	want = cell(&rest);
	reasons[0] = cell(&rest);
	reasons[1] = cell(&rest);
	score_run(c, given, &score);
	if (score.fault == SCORE_OK)
		card_number_format(score.value, got);
	CU_ASSERT_TRUE(bytes_equal(bytes_of(got), want));
	for (size_t i = 0; i < 2; i++)
		CU_ASSERT_TRUE(bytes_equal(bytes_of(i < score.reasons_len ? score.reasons[i].code : ""), reasons[i]));
	CU_ASSERT_TRUE(score.reasons_len <= 2);
}

static void the_published_examples_score_as_published_errors_included(void)
{
	char line[256], path[300];
	const char *file = test_vectors("pmml/expected.tsv");
	FILE *f = file != NULL ? fopen(file, "re") : NULL;
	size_t rows = 0;
	if (f == NULL)
		return;
	CU_ASSERT_PTR_NOT_NULL(fgets(line, sizeof(line), f));
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		char *rest = line, *model = strsep(&rest, "\t");
		snprintf(path, sizeof(path), "pmml/%s.pmml", model);
		const char *found = test_vectors(path);
		CU_ASSERT_PTR_NOT_NULL_FATAL(found);
		struct card *c = file_card(found);
		expected_row(c, rest);
		card_free(c);
		rows++;
	}
	fclose(f);
	CU_ASSERT_EQUAL(rows, 12);
}

/* --- out and in again --- */

static void comes_back(const struct card *c)
{
	struct buf first, second;
	struct err e = { 0 };
	uint8_t a[HASH_LEN], b[HASH_LEN];
	buf_init(&first, DOCUMENT_MAX);
	buf_init(&second, DOCUMENT_MAX);
	CU_ASSERT_TRUE_FATAL(pmml_write(c, &first, &e));
	struct card *again = pmml_read(buf_bytes(&first), &e);
	if (again == NULL)
		printf("\n    %s\n%s", e.text, buf_str(&first));
	CU_ASSERT_PTR_NOT_NULL_FATAL(again);
	CU_ASSERT_TRUE(pmml_write(again, &second, &e));
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
	CU_ASSERT_TRUE(pmml_hash(c, a, &e) && pmml_hash(again, b, &e));
	CU_ASSERT_EQUAL(memcmp(a, b, HASH_LEN), 0);
	card_free(again);
	buf_clear(&first);
	buf_clear(&second);
}

static void what_is_written_reads_back_as_the_same_card(void)
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct card *c = card_random(seed);
		comes_back(c);
		if (seed % 10 == 0) { /* the same scores, not only the same text */
			struct buf text;
			struct value given[CARD_FIELDS_MAX];
			static struct score other;
			uint64_t state = seed;
			buf_init(&text, DOCUMENT_MAX);
			CU_ASSERT_TRUE(pmml_write(c, &text, NULL));
			struct card *again = pmml_read(buf_bytes(&text), NULL);
			CU_ASSERT_PTR_NOT_NULL_FATAL(again);
			for (int i = 0; i < 50; i++) {
				card_random_inputs(c, &state, given);
				score_run(c, given, &score);
				score_run(again, given, &other);
				CU_ASSERT_EQUAL(score.fault, other.fault);
				CU_ASSERT_EQUAL(memcmp(&score.value, &other.value, sizeof(double)), 0);
			}
			card_free(again);
			buf_clear(&text);
		}
		card_free(c);
	}
}

static void odd_texts_come_back_unharmed(void)
{
	struct card *c = card_of(
		D, H " modelName='a &lt;b> &amp; &quot;c&quot; &#10;d\t'", S,
		IN("<SimpleSetPredicate field='t' booleanOperator='isIn'><Array type='string'>plain \"two words\" "
		   "\"quote \\\" and \\\\\" \"&lt;&#13;&#10;tab\t\" \"\" 未知</Array></SimpleSetPredicate>"));
	struct predicate_node n = predicate_at(c->characteristics[0].attributes[0].when, 0);
	const char *want[] = { "plain", "two words", "quote \" and \\", "<\r\ntab\t", "", "未知" };
	CU_ASSERT_EQUAL_FATAL(n.values_len, 6);
	for (size_t i = 0; i < 6; i++)
		CU_ASSERT_TRUE(bytes_equal(n.values[i].text, bytes_of(want[i])));
	comes_back(c);
	card_free(c);
}

static void one_card_spelled_in_two_ways_has_one_hash(void)
{
	uint8_t a[HASH_LEN], b[HASH_LEN];
	struct card *x = card_of(D, H " initialScore='1.50'", S, OK);
	struct card *y =
		card_of(D, H " initialScore='15e-1' reasonCodeAlgorithm='pointsBelow' isScorable='true'",
			"<MiningField name='t' usageType='active'/><MiningField name='n' outliers='asIs'/>", OK);
	struct card *z = card_of(D, H " initialScore='1.51'", S, OK);
	CU_ASSERT_TRUE(pmml_hash(x, a, NULL) && pmml_hash(y, b, NULL));
	CU_ASSERT_EQUAL(memcmp(a, b, HASH_LEN), 0);
	CU_ASSERT_TRUE(pmml_hash(z, b, NULL));
	CU_ASSERT_NOT_EQUAL(memcmp(a, b, HASH_LEN), 0);
	card_free(x);
	card_free(y);
	card_free(z);
}

static void numbers_are_written_as_short_as_they_read_back(void)
{
	const struct {
		double v;
		const char *text;
	} rows[] = { { 0.1, "0.1" },      { 100, "100" },
		     { -0.0, "0" },       { 1.0 / 3, "0.3333333333333333" },
		     { 1e21, "1e+21" },   { 123456789.25, "123456789.25" },
		     { 5e-324, "5e-324" } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[32];
		card_number_format(rows[i].v, out);
		CU_ASSERT_STRING_EQUAL(out, rows[i].text);
	}
}

/* --- refusals --- */

static void what_is_not_supported_is_refused_by_name_and_line(void)
{
	const struct {
		const char *dictionary, *head, *schema, *body, *words;
	} rows[] = {
		{ D, H " color='red'", S, OK, "line 4: attribute 'color' of Scorecard is not supported" },
		{ D, "functionnname='x' " H, S, OK, "'functionnname'" },
		{ D, H " isScorable='false'", S, OK, "isScorable 'false' is not supported" },
		{ D, H " initialScore='12,5'", S, OK, "line 4: initialScore: '12,5' is no number" },
		{ D, H " initialScore='nan'", S, OK, "is no number" },
		{ D, H " initialScore='0x10'", S, OK, "is no number" },
		{ D, H " initialScore='1e999'", S, OK, "too large" },
		{ D, H " initialScore='-2e12'", S, OK, "initialScore is beyond 1e+12" },
		{ D, H, S, "<Characteristic><Attribute partialScore='1e300'><True/></Attribute></Characteristic>",
		  "attribute 1: partialScore is beyond 1e+12" },
		{ D "<TransformationDictionary/>", H, S, OK, "element 'TransformationDictionary' in DataDictionary" },
		{ "<DataField name='n' optype='continuous' dataType='date'/>", H, "", OK,
		  "dataType 'date' is not supported" },
		{ "<DataField name='n' dataType='double'/>", H, "", OK, "DataField needs the attribute 'optype'" },
		{ D "<DataField name='n' optype='continuous' dataType='double'/>", H, S, OK,
		  "there are two of this name" },
		{ "<DataField name='n' optype='continuous' dataType='double'><Interval closure='openOpen' "
		  "leftMargin='3' "
		  "rightMargin='3'/></DataField>",
		  H, "", OK, "an interval that holds no number" },
		{ D, H, S "<MiningField name='x'/>", OK, "line 5: field 'x' is not in the data dictionary" },
		{ D, H, S "<MiningField name='n'/>", OK, "in the mining schema twice" },
		{ D, H, "<MiningField name='n' outliers='asExtremeValues'/>", OK,
		  "outliers 'asExtremeValues' is not supported" },
		{ D, H, "<MiningField name='n' usageType='group'/>", OK, "usageType 'group' is not supported" },
		{ D, H, "<MiningField name='n' invalidValueTreatment='asValue'/>", OK, "go together" },
		{ D, H, "<MiningField name='n' missingValueReplacement='many'/>", OK, "'many' is no number" },
		{ D, H, S, "<Characteristic><Attribute><ComplexPartialScore/><True/></Attribute></Characteristic>",
		  "element 'ComplexPartialScore' in Attribute is not supported" },
		{ D, H, S, "<Characteristic><Attribute><True/></Attribute></Characteristic>",
		  "needs the attribute 'partialScore'" },
		{ D, H, S, "<Characteristic/>", "it has no attribute" },
		{ D, H, S, "", "the card has no characteristic" },
		{ D, H, S, IN(""), "Attribute needs a predicate" },
		{ D, H, S, IN("<True/><True/>"), "more than one predicate" },
		{ D, H, S, IN("<True/>text"), "text inside Attribute is not supported" },
		{ D, H, S, IN("<Sometimes/>"), "'Sometimes' is no predicate that is supported" },
		{ D, H, S, IN("<SimplePredicate field='q' operator='equal' value='1'/>"),
		  "'q' is not in the data dictionary" },
		{ D, H, S, IN("<SimplePredicate field='n' operator='like' value='1'/>"),
		  "operator 'like' is not supported" },
		{ D, H, S, IN("<SimplePredicate field='n' operator='equal'/>"), "needs the attribute 'value'" },
		{ D, H, S, IN("<SimplePredicate field='n' operator='equal' value='one'/>"),
		  "field 'n': 'one' is no number" },
		{ D, H, S, IN("<SimplePredicate field='t' operator='lessThan' value='a'/>"),
		  "compares numbers only" },
		{ D, H, "<MiningField name='n'/>", IN("<SimplePredicate field='t' operator='equal' value='a'/>"),
		  "field 't' is not active" },
		{ D, H, S, IN("<CompoundPredicate booleanOperator='and'/>"), "'and' is empty" },
		{ D, H, S, IN("<CompoundPredicate booleanOperator='nor'><True/></CompoundPredicate>"),
		  "'nor' is not supported" },
		{ D, H, S,
		  IN("<SimpleSetPredicate field='n' booleanOperator='isIn'><Array n='3' type='real'>1 2</Array>"
		     "</SimpleSetPredicate>"),
		  "n is '3', and there are 2 values" },
		{ D, H, S,
		  IN("<SimpleSetPredicate field='t' booleanOperator='isIn'><Array type='string'>\"open</Array>"
		     "</SimpleSetPredicate>"),
		  "not well formed" },
		{ D, H, S,
		  IN("<SimpleSetPredicate field='t' booleanOperator='isIn'><Array type='int'>1</Array>"
		     "</SimpleSetPredicate>"),
		  "an Array of int does not fit field 't'" },
		{ D, H, S, "<Extension extender='acme' name='x'/>" OK, "element 'Extension' in Characteristics" },
		{ D, H, S, "<Characteristic><Extension extender='acme' name='x' value='y'/></Characteristic>",
		  "the Extension of 'acme' in Characteristic is not supported" },
		{ D, H, S, "<Characteristic><Extension extender='xinbian' name='trend' value='up'/></Characteristic>",
		  "trend is increasing or decreasing" },
		{ D, "", S, OK, "reason codes are used, and neither it nor the card has a baselineScore" },
		{ D, "baselineScore='1'", S, OK, "neither it nor attribute 1 has a reasonCode" },
		{ D, H, S, "<Characteristic xmlns='urn:other'/>", "of the namespace 'urn:other' is not supported" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused(card_pmml(rows[i].dictionary, rows[i].head, rows[i].schema, rows[i].body), rows[i].words);
}

static void documents_that_are_no_pmml_are_refused(void)
{
	struct buf deep;
	refused("", "XML");
	refused("{}", "line 1: XML");
	refused("<PMML version='4.4'/>", "expected PMML in a namespace");
	refused("<PMML xmlns='http://www.dmg.org/PMML-3_2' version='3.2'/>", "expected PMML in a namespace");
	refused("<PMML xmlns='http://www.dmg.org/PMML-4_3' version='4.4'/>", "version '4.4' is not the namespace's");
	refused("<PMML xmlns='http://www.dmg.org/PMML-4_4' "
		"version='4.4'><Header/><DataDictionary/><TreeModel/></PMML>",
		"element 'TreeModel' in PMML is not supported");
	refused("<PMML xmlns='http://www.dmg.org/PMML-4_4' version='4.4'><Header/></PMML>",
		"PMML needs DataDictionary");
	refused("<!DOCTYPE PMML [<!ENTITY a 'aaaa'>]>\n<PMML/>", "line 1: a document type (DOCTYPE) is not taken");
	refused("<!DOCTYPE PMML SYSTEM 'file:///etc/passwd'><PMML/>", "DOCTYPE");
	buf_init(&deep, 4096);
	for (int i = 0; i <= XML_DEPTH_MAX; i++)
		buf_add_str(&deep, "<a>");
	refused(buf_str(&deep), "elements nest too deep");
	buf_clear(&deep);
}

static void a_document_cut_anywhere_is_refused(void)
{
	struct card *c = card_random(7);
	struct buf text;
	buf_init(&text, DOCUMENT_MAX);
	CU_ASSERT_TRUE_FATAL(pmml_write(c, &text, NULL));
	for (size_t i = 0; i + 2 < text.len; i++) {
		struct err e = { 0 };
		struct card *cut = pmml_read((struct bytes){ text.data, i }, &e);
		if (cut != NULL || e.text[0] == '\0')
			CU_FAIL("a part was taken for the whole");
		card_free(cut);
	}
	card_free(c);
	buf_clear(&text);
}

static CU_TestInfo tests[] = {
	{ "the published examples score as published, errors included",
	  the_published_examples_score_as_published_errors_included },
	{ "what is written reads back as the same card", what_is_written_reads_back_as_the_same_card },
	{ "odd texts come back unharmed", odd_texts_come_back_unharmed },
	{ "one card spelled in two ways has one hash", one_card_spelled_in_two_ways_has_one_hash },
	{ "numbers are written as short as they read back", numbers_are_written_as_short_as_they_read_back },
	{ "what is not supported is refused by name and line", what_is_not_supported_is_refused_by_name_and_line },
	{ "documents that are no PMML are refused", documents_that_are_no_pmml_are_refused },
	{ "a document cut anywhere is refused", a_document_cut_anywhere_is_refused },
	CU_TEST_INFO_NULL,
};
SUITE(score_pmml, NULL, NULL, tests);
