#include "protocol/catalogue.h"
#include "tests/support/documents.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLE "'title':{'zh':'题','en':'title'}"
#define LIST_OF(name, covers, businesses, roles, rest)                                                               \
	"{'name':'" name "'," TITLE ",'kind':'black','covers':" covers ",'businesses':" businesses ",'roles':" roles \
	"," rest "'max_age_s':3600}"
#define LIST(name)      LIST_OF(name, "['uscc']", "['*']", "['subject']", "")
#define DOCUMENT(lists) "{'type':'catalogue'," TITLE ",'sample':false,'lists':[" lists "]}"

static struct catalogue *catalogue_of(const char *json, struct err *e)
{
	struct buf document = cbor_of(json, NULL);
	struct catalogue *c = catalogue_parse(buf_bytes(&document), e);
	buf_clear(&document);
	return c;
}

static void a_list_is_read_with_all_it_says(void)
{
	struct catalogue *c = catalogue_of(
		DOCUMENT(LIST_OF("black-x", "['resident_id','name']", "['open_account','transfer']",
				 "['subject','counterparty']",
				 "'reasons':{'1':{'zh':'一','en':'one'},'255':{'zh':'末','en':'last'}},")),
		NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	const struct catalogue_list *l = catalogue_find(c, "black-x");
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	CU_ASSERT_FALSE(c->sample);
	CU_ASSERT_FALSE(l->white);
	CU_ASSERT_EQUAL(l->covers, 1U << IDENTIFIER_RESIDENT_ID | 1U << IDENTIFIER_NAME);
	CU_ASSERT_EQUAL(l->max_age_s, 3600);
	CU_ASSERT_STRING_EQUAL(l->title_zh, "题");
	CU_ASSERT_STRING_EQUAL(l->reason_en[1], "one");
	CU_ASSERT_STRING_EQUAL(l->reason_zh[255], "末");
	CU_ASSERT_PTR_NULL(l->reason_zh[2]);
	CU_ASSERT_PTR_NULL(catalogue_find(c, "black-y"));
	catalogue_free(c);
}

static void a_list_applies_to_its_businesses_and_roles_alone(void)
{
	struct catalogue *c = catalogue_of(
		DOCUMENT(LIST("every") "," LIST_OF("some", "['uscc']", "['open_account']", "['counterparty']", "")),
		NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	const struct catalogue_list *every = catalogue_find(c, "every"), *some = catalogue_find(c, "some");
	CU_ASSERT_TRUE(catalogue_list_applies(every, "anything", false));
	CU_ASSERT_FALSE(catalogue_list_applies(every, "anything", true));
	CU_ASSERT_TRUE(catalogue_list_applies(some, "open_account", true));
	CU_ASSERT_FALSE(catalogue_list_applies(some, "open_account", false));
	CU_ASSERT_FALSE(catalogue_list_applies(some, "open", true));
	catalogue_free(c);
}

static void a_catalogue_is_refused_with_the_reason(void)
{
	static const struct {
		const char *json, *says;
	} bad[] = {
		{ "{}", "type is missing" },
		{ "{'type':'rules'," TITLE ",'sample':false,'lists':[]}", "'catalogue' was expected" },
		{ DOCUMENT(LIST("a") "," LIST("a")), "list a stands there twice" },
		{ DOCUMENT(LIST("a/b")), "its name is none" },
		{ DOCUMENT(LIST_OF("a", "['tax_id']", "['*']", "['subject']", "")),
		  "list a: covers: unknown or repeated 'tax_id'" },
		{ DOCUMENT(LIST_OF("a", "['uscc','uscc']", "['*']", "['subject']", "")), "repeated 'uscc'" },
		{ DOCUMENT(LIST_OF("a", "[]", "['*']", "['subject']", "")), "covers is empty" },
		{ DOCUMENT(LIST_OF("a", "['uscc']", "[]", "['subject']", "")), "businesses is empty" },
		{ DOCUMENT(LIST_OF("a", "['uscc']", "['*','loan']", "['subject']", "")), "'loan'" },
		{ DOCUMENT(LIST_OF("a", "['uscc']", "['loan','*']", "['subject']", "")), "'*'" },
		{ DOCUMENT(LIST_OF("a", "['uscc']", "['Loan']", "['subject']", "")), "'Loan'" },
		{ DOCUMENT(LIST_OF("a", "['uscc']", "['*']", "[]", "")), "roles is empty" },
		{ DOCUMENT(LIST_OF("a", "['uscc']", "['*']", "['witness']", "")), "'witness'" },
		{ DOCUMENT(LIST_OF("a", "['uscc']", "['*']", "['subject','subject']", "")), "'subject'" },
		{ DOCUMENT(LIST_OF("a", "['uscc']", "['*']", "['subject']", "'owner':'x',")),
		  "unknown field 'owner'" },
		{ DOCUMENT(LIST_OF("a", "['uscc']", "['*']", "['subject']", "'reasons':{'0':{'zh':'a','en':'b'}},")),
		  "'0'" },
		{ DOCUMENT(
			  LIST_OF("a", "['uscc']", "['*']", "['subject']", "'reasons':{'256':{'zh':'a','en':'b'}},")),
		  "'256'" },
		{ DOCUMENT(LIST_OF("a", "['uscc']", "['*']", "['subject']", "'reasons':{'01':{'zh':'a','en':'b'}},")),
		  "'01'" },
		{ DOCUMENT("{'name':'a'," TITLE
			   ",'kind':'grey','covers':['uscc'],'businesses':['*'],'roles':['subject'],"
			   "'max_age_s':3600}"),
		  "unknown kind 'grey'" },
		{ DOCUMENT("{'name':'a'," TITLE
			   ",'kind':'black','covers':['uscc'],'businesses':['*'],'roles':['subject'],"
			   "'max_age_s':0}"),
		  "max_age_s" },
		{ DOCUMENT("{'name':'a'," TITLE
			   ",'kind':'black','covers':['uscc'],'businesses':['*'],'roles':['subject']}"),
		  "max_age_s is missing" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = { 0 };
		struct catalogue *c = catalogue_of(bad[i].json, &e);
		CU_ASSERT_PTR_NULL(c);
		if (strstr(e.text, bad[i].says) == NULL)
			printf("\n%s: %s\n", bad[i].json, e.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i].says));
		catalogue_free(c);
	}
}

static bool lists_parse(unsigned n)
{
	struct buf json;
	buf_init(&json, DOCUMENT_MAX);
	buf_add_str(&json, "{'type':'catalogue'," TITLE ",'sample':false,'lists':[");
	for (unsigned i = 0; i < n; i++)
		buf_add_fmt(&json,
			    "%s{'name':'l%u'," TITLE ",'kind':'black','covers':['uscc'],'businesses':['*'],"
			    "'roles':['subject','counterparty'],'max_age_s':3600}",
			    i > 0 ? "," : "", i);
	buf_add_str(&json, "]}");
	struct catalogue *c = catalogue_of(buf_str(&json), NULL);
	bool ok = c != NULL;
	catalogue_free(c);
	buf_clear(&json);
	return ok;
}

static void one_check_asks_a_bounded_number_of_questions(void)
{
	CU_ASSERT_TRUE(lists_parse(CATALOGUE_QUESTIONS_MAX / 2));
	CU_ASSERT_FALSE(lists_parse(CATALOGUE_QUESTIONS_MAX / 2 + 1));
	CU_ASSERT_FALSE(lists_parse(LISTS_MAX + 1));
}

static void a_truncated_or_bent_document_never_harms(void)
{
	struct buf document = sample_document("catalogue");
	size_t taken = 0, refused = 0;
	for (size_t len = 0; len < document.len; len++) {
		uint8_t *copy = malloc(len > 0 ? len : 1);
		if (copy == NULL)
			abort();
		memcpy(copy, document.data, len);
		struct catalogue *c = catalogue_parse((struct bytes){ copy, len }, NULL);
		taken += c != NULL;
		catalogue_free(c);
		free(copy);
	}
	CU_ASSERT_EQUAL(taken, 0);
	for (size_t bit = 0; bit < document.len * 8; bit++) {
		document.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		struct catalogue *c = catalogue_parse(buf_bytes(&document), NULL);
		refused += c == NULL;
		catalogue_free(c);
		document.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	CU_ASSERT(refused > document.len);
	buf_clear(&document);
}

static void the_sample_says_that_it_is_one(void)
{
	struct catalogue *c = sample_catalogue();
	CU_ASSERT_TRUE(c->sample);
	CU_ASSERT_PTR_NOT_NULL(catalogue_find(c, "sanctions"));
	for (size_t i = 0; i < c->lists_len; i++)
		CU_ASSERT_EQUAL(c->lists[i].max_age_s, 3 * 86400);
	catalogue_free(c);
}

static CU_TestInfo tests[] = {
	{ "a list is read with all it says", a_list_is_read_with_all_it_says },
	{ "a list applies to its businesses and roles alone", a_list_applies_to_its_businesses_and_roles_alone },
	{ "a catalogue is refused with the reason", a_catalogue_is_refused_with_the_reason },
	{ "one check asks a bounded number of questions", one_check_asks_a_bounded_number_of_questions },
	{ "a truncated or bent document never harms", a_truncated_or_bent_document_never_harms },
	{ "the sample says that it is one", the_sample_says_that_it_is_one },
	CU_TEST_INFO_NULL,
};
SUITE(catalogue, NULL, NULL, tests);
