#include "protocol/kinds.h"
#include "protocol/base/limits.h"
#include "tests/support/documents.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLE                   "'title':{'zh':'题','en':'title'}"
#define NAME                    "'name':{'zh':'名','en':'name'}"
#define KIND(code, rest)        "{'code':'" code "'," NAME "," rest "}"
#define PLAIN(code)             KIND(code, "'holder':'none','holder_kinds':[]")
#define BUSINESS(code, accepts) "{'code':'" code "'," NAME ",'channel':'counter','accepts':[" accepts "]}"
#define DOCUMENT(kinds, businesses)                                                                                  \
	"{'type':'kinds'," TITLE ",'sample':true,'kinds':[" kinds "],'businesses':[" businesses "]}"

static struct kinds *kinds_of(const char *json, struct err *e)
{
	struct buf document = cbor_of(json, NULL);
	struct kinds *k = kinds_parse(buf_bytes(&document), e);
	buf_clear(&document);
	return k;
}

static void a_document_is_read_with_all_it_says(void)
{
	struct kinds *k = kinds_of(
		DOCUMENT("{'code':'B1'," NAME ",'group':{'zh':'组','en':'group'},'holder':'tag','holder_kinds':"
			 "['resident_id','passport'],'valid_months':120}," PLAIN("A1") "," KIND(
				 "hc1-v", "'holder':'masked',"
					  "'holder_kinds':['name']"),
			 BUSINESS("loan", "'B1','A1'") ",{'code':'account'," NAME ",'channel':'credit','accepts':[],"
						       "'replaces':{'zh':'纸','en':'paper'}}"),
		NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(k);
	CU_ASSERT_TRUE(k->sample && strcmp(k->title_zh, "题") == 0 && strcmp(k->title_en, "title") == 0);
	const struct kind *a = kinds_find(k, "A1"), *b = kinds_find(k, "B1"), *h = kinds_find(k, "hc1-v");
	CU_ASSERT_TRUE_FATAL(a != NULL && b != NULL && h != NULL);
	CU_ASSERT_TRUE(a->holder == KIND_HOLDER_NONE && a->holder_kinds == 0 && a->valid_months == 0 &&
		       a->group_zh == NULL);
	CU_ASSERT_TRUE(b->holder == KIND_HOLDER_TAG && b->valid_months == 120 && strcmp(b->group_en, "group") == 0);
	CU_ASSERT_EQUAL(b->holder_kinds, 1U << IDENTIFIER_RESIDENT_ID | 1U << IDENTIFIER_PASSPORT);
	CU_ASSERT_TRUE(h->holder == KIND_HOLDER_MASKED && h->holder_kinds == 1U << IDENTIFIER_NAME);
	const struct kind_business *loan = kinds_business(k, "loan"), *account = kinds_business(k, "account");
	CU_ASSERT_TRUE_FATAL(loan != NULL && account != NULL);
	CU_ASSERT_TRUE(kind_business_accepts(loan, a) && kind_business_accepts(loan, b) &&
		       !kind_business_accepts(loan, h));
	CU_ASSERT_TRUE(!loan->credit && loan->replaces_zh == NULL);
	CU_ASSERT_TRUE(account->credit && account->accepts_len == 0 && strcmp(account->replaces_zh, "纸") == 0);
	CU_ASSERT_EQUAL(kinds_accepting(k), 1);
	CU_ASSERT_TRUE(kinds_find(k, "B") == NULL && kinds_find(k, "") == NULL && kinds_business(k, "A1") == NULL);
	kinds_free(k);
}

static void an_empty_document_has_none(void)
{
	struct kinds *k = kinds_of(DOCUMENT("", ""), NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(k);
	CU_ASSERT_TRUE(kinds_find(k, "A") == NULL && kinds_business(k, "loan") == NULL && kinds_accepting(k) == 0);
	kinds_free(k);
}

static void a_document_is_refused_with_the_reason(void)
{
	static const struct {
		const char *json, *says;
	} bad[] = {
		{ "{}", "type is missing" },
		{ "{'type':'rules'," TITLE ",'sample':true,'kinds':[],'businesses':[]}", "'kinds' was expected" },
		{ "{'type':'kinds'," TITLE ",'sample':true,'kinds':[]}", "businesses is missing" },
		{ "{'type':'kinds'," TITLE ",'sample':true,'businesses':[]}", "kinds is missing" },
		{ "{'type':'kinds'," TITLE ",'sample':true,'kinds':[],'businesses':[],'more':1}",
		  "unknown field 'more'" },
		{ DOCUMENT(PLAIN("A") "," PLAIN("B") "," PLAIN("A"), ""), "kind 'A' stands there twice" },
		{ DOCUMENT(PLAIN("A b"), ""), "kind 1: code: 'A b' is none" },
		{ DOCUMENT(PLAIN(""), ""), "code" },
		{ DOCUMENT(PLAIN("000000000000000000000000000000000"), ""), "code" },
		{ DOCUMENT(KIND("A", "'holder':'photo','holder_kinds':[]"), ""), "holder: 'photo'" },
		{ DOCUMENT(KIND("A", "'holder':'tag','holder_kinds':[]"), ""), "holder_kinds" },
		{ DOCUMENT(KIND("A", "'holder':'none','holder_kinds':['uscc']"), ""), "holder_kinds" },
		{ DOCUMENT(KIND("A", "'holder':'tag','holder_kinds':['tax_id']"), ""), "'tax_id'" },
		{ DOCUMENT(KIND("A", "'holder':'tag','holder_kinds':['ecert']"), ""), "'ecert'" },
		{ DOCUMENT(KIND("A", "'holder':'tag','holder_kinds':['uscc','uscc']"), ""), "repeated 'uscc'" },
		{ DOCUMENT(KIND("A", "'holder':'none'"), ""), "holder_kinds is missing" },
		{ DOCUMENT(KIND("A", "'holder_kinds':[]"), ""), "holder is missing" },
		{ DOCUMENT(KIND("A", "'holder':'none','holder_kinds':[],'valid_months':0"), ""), "valid_months" },
		{ DOCUMENT(KIND("A", "'holder':'none','holder_kinds':[],'valid_months':1201"), ""), "valid_months" },
		{ DOCUMENT(KIND("A", "'holder':'none','holder_kinds':[],'colour':1"), ""), "unknown field 'colour'" },
		{ DOCUMENT(PLAIN("A"), BUSINESS("loan", "'B'")), "business 1: accepts: unknown or repeated 'B'" },
		{ DOCUMENT(PLAIN("A"), BUSINESS("loan", "'A','A'")), "repeated 'A'" },
		{ DOCUMENT(PLAIN("A"), BUSINESS("loan", "1")), "accepts" },
		{ DOCUMENT(PLAIN("A"), BUSINESS("Loan", "'A'")), "code: 'Loan' is none" },
		{ DOCUMENT(PLAIN("A"), BUSINESS("loan", "'A'") "," BUSINESS("loan", "")),
		  "business 'loan' stands there twice" },
		{ DOCUMENT("", "{'code':'loan'," NAME ",'channel':'post','accepts':[]}"), "channel: 'post'" },
		{ DOCUMENT("", "{'code':'loan'," NAME ",'channel':'credit'}"), "accepts is missing" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = { 0 };
		struct kinds *k = kinds_of(bad[i].json, &e);
		CU_ASSERT_PTR_NULL(k);
		CU_ASSERT_EQUAL(e.code, ERR_INPUT);
		if (strstr(e.text, bad[i].says) == NULL)
			printf("\n%s: %s\n", bad[i].json, e.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i].says));
		kinds_free(k);
	}
}

static void the_sample_says_that_it_is_one_and_has_what_it_should(void)
{
	struct buf document = sample_document("kinds");
	struct err e = { 0 };
	struct kinds *k = kinds_parse(buf_bytes(&document), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(k);
	CU_ASSERT_TRUE(k->sample);
	CU_ASSERT_EQUAL(k->kinds_len, 227);
	CU_ASSERT_EQUAL(k->businesses_len, 69);
	CU_ASSERT_EQUAL(kinds_accepting(k), 44);
	kinds_free(k);
	buf_clear(&document);
}

static bool parse(struct bytes data, struct err *e)
{
	struct kinds *k = kinds_parse(data, e);
	bool ok = k != NULL;
	kinds_free(k);
	return ok;
}

static void a_truncated_or_bent_document_never_harms(void)
{
	struct buf document = cbor_of(
		DOCUMENT(PLAIN("A1") "," KIND("B1", "'holder':'tag','holder_kinds':['uscc'],'valid_months':9"),
			 BUSINESS("loan", "'B1','A1'")),
		"kinds");
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&document), parse));
	for (size_t i = 0; i < document.len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct err e = { 0 };
			document.data[i] ^= (uint8_t)(1U << bit);
			CU_ASSERT_TRUE(parse(buf_bytes(&document), &e) || e.code == ERR_INPUT);
			document.data[i] ^= (uint8_t)(1U << bit);
		}
	buf_clear(&document);
}

static CU_TestInfo tests[] = {
	{ "a document is read with all it says", a_document_is_read_with_all_it_says },
	{ "an empty document has none", an_empty_document_has_none },
	{ "a document is refused with the reason", a_document_is_refused_with_the_reason },
	{ "the sample says that it is one, and has what it should",
	  the_sample_says_that_it_is_one_and_has_what_it_should },
	{ "a truncated or bent document never harms", a_truncated_or_bent_document_never_harms },
	CU_TEST_INFO_NULL,
};
SUITE(kinds, NULL, NULL, tests);
