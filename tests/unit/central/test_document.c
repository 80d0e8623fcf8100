#include "central/release/document.h"
#include "central/release/import.h"
#include "protocol/cbor.h"
#include "tests/support/documents.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static bool refused(const char *json, const char *type, const char *says)
{
	struct buf out;
	struct err e = { 0 };
	buf_init(&out, DOCUMENT_MAX);
	bool ok = document_from_json(bytes_of(json), type, &out, &e);
	buf_clear(&out);
	if (!ok && strstr(e.text, says) == NULL)
		printf("\n%s: %s\n", json, e.text);
	return !ok && strstr(e.text, says) != NULL;
}

static void json_becomes_deterministic_cbor(void)
{
	static const uint8_t expected[] = {
		0xa4, 0x61, 'b',  0x01, 0x61, 'c', 0x82, 0xf5, 0x20, 0x62, 'a',  'a',
		0xf9, 0x3e, 0x00, 0x63, 'x',  'y', 'z',  0x63, 0xe8, 0xaf, 0x95,
	};
	struct buf one = cbor_of("{'xyz':'试','aa':1.5,'c':[true,-1],'b':1}", NULL);
	struct buf other = cbor_of(" { 'b' : 1.0, 'c': [ true , -1 ], 'aa' : 15e-1, 'xyz': '\\u8bd5' } ", NULL);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&one), (struct bytes){ expected, sizeof(expected) }));
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&one), buf_bytes(&other)));
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&one), NULL));
	buf_clear(&one);
	buf_clear(&other);
}

static void what_no_branch_could_read_is_refused_with_the_reason(void)
{
	CU_ASSERT_TRUE(refused("{", "rules", ""));
	CU_ASSERT_TRUE(refused("{\"type\":null}", "rules", "type: null"));
	CU_ASSERT_TRUE(refused("{\"type\":\"rules\",\"type\":\"rules\"}", "rules", ""));
	CU_ASSERT_TRUE(refused("{\"type\":\"catalogue\"}", "rules", "'rules' was expected"));
	CU_ASSERT_TRUE(refused("{\"type\":\"rules\"}", "catalogue", "'catalogue' was expected"));
	CU_ASSERT_TRUE(refused("{\"type\":\"rules\"}", "poem", "no document type 'poem'"));
	CU_ASSERT_TRUE(refused("[1,2]", "rules", ""));
	CU_ASSERT_TRUE(refused("[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", "rules", "nested deeper"));
}

static void a_document_too_large_is_refused(void)
{
	struct buf json, out;
	struct err e = { 0 };
	buf_init(&json, 4096);
	buf_add_str(&json, "[\"");
	for (int i = 0; i < 1000; i++)
		buf_add_str(&json, "x");
	buf_add_str(&json, "\"]");
	buf_init(&out, 100);
	CU_ASSERT_FALSE(document_from_json(buf_bytes(&json), NULL, &out, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	buf_clear(&json);
	buf_clear(&out);
}

static void the_samples_survive_the_way_there_and_back(void)
{
	static const char *const types[] = { "rules", "catalogue" };
	for (size_t i = 0; i < 2; i++) {
		struct buf json, again, document = sample_document(types[i]);
		buf_init(&json, 4 * DOCUMENT_MAX);
		buf_init(&again, DOCUMENT_MAX);
		CU_ASSERT_TRUE(cbor_check(buf_bytes(&document), NULL));
		CU_ASSERT_TRUE(document_to_json(buf_bytes(&document), &json, NULL));
		CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&json), "\n\t\"type\": "));
		CU_ASSERT_TRUE(document_from_json(buf_bytes(&json), types[i], &again, NULL));
		CU_ASSERT_TRUE(bytes_equal(buf_bytes(&document), buf_bytes(&again)));
		buf_clear(&json);
		buf_clear(&again);
		buf_clear(&document);
	}
}

static void json_is_shown_one_member_a_line(void)
{
	struct buf json, document = cbor_of("{'a':[],'b':{},'c':[1,{'d':'x,:[\\\"]'}]}", NULL);
	buf_init(&json, 4096);
	CU_ASSERT_TRUE(document_to_json(buf_bytes(&document), &json, NULL));
	CU_ASSERT_STRING_EQUAL(buf_str(&json), "{\n\t\"a\": [],\n\t\"b\": {},\n\t\"c\": [\n\t\t1,\n\t\t{\n\t\t\t"
					       "\"d\": \"x,:[\\\"]\"\n\t\t}\n\t]\n}\n");
	buf_clear(&json);
	buf_clear(&document);
}

static bool count_entry(void *arg, const struct import_entry *v, struct err *e)
{
	const struct catalogue_list *l = arg;
	CU_ASSERT_TRUE((l->covers & 1U << v->id.kind) != 0);
	CU_ASSERT_EQUAL(v->id.warnings, 0);
	CU_ASSERT_PTR_NOT_NULL(l->reason_zh[entry_reason(v->value)]);
	(void)e;
	return true;
}

static bool print_reject(void *arg, const struct import_reject *v, struct err *e)
{
	(void)arg, (void)e;
	printf("\nrow %u: %s\n", (unsigned)v->row, v->en);
	return true;
}

static void the_sample_list_is_taken_whole_and_covered_by_the_sample_catalogue(void)
{
	struct catalogue *c = sample_catalogue();
	const struct catalogue_list *l = catalogue_find(c, "black-fraud");
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	struct catalogue_list copy = *l;
	struct import_sink sink = { count_entry, print_reject, &copy };
	struct import_summary sum;
	struct err e = { 0 };
	struct buf csv = file_text("central/sample/black-fraud.csv");
	CU_ASSERT_TRUE(import_run(buf_bytes(&csv), IMPORT_AUTO, 1, 20000, &sink, &sum, &e));
	CU_ASSERT_EQUAL(sum.rejects, 0);
	CU_ASSERT_EQUAL(sum.entries, 60);
	buf_clear(&csv);
	catalogue_free(c);
}

static CU_TestInfo tests[] = {
	{ "JSON becomes deterministic CBOR", json_becomes_deterministic_cbor },
	{ "what no branch could read is refused with the reason",
	  what_no_branch_could_read_is_refused_with_the_reason },
	{ "a document too large is refused", a_document_too_large_is_refused },
	{ "the samples survive the way there and back", the_samples_survive_the_way_there_and_back },
	{ "JSON is shown one member a line", json_is_shown_one_member_a_line },
	{ "the sample list is taken whole and covered by the sample catalogue",
	  the_sample_list_is_taken_whole_and_covered_by_the_sample_catalogue },
	CU_TEST_INFO_NULL,
};
SUITE(document, NULL, NULL, tests);
