#include "central/release/document.h"
#include "firmware/documents.h"
#include "firmware/state.h"
#include "tests/test.h"

#include <string.h>

static const char *dir;
static struct db *db;

static struct documents *fresh(void)
{
	dir = test_dir();
	db = state_open(dir, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db);
	struct documents *d = documents_open(db, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	return d;
}

static void again(struct documents **d)
{
	documents_close(*d);
	db_close(db);
	db = state_open(dir, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db);
	*d = documents_open(db, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(*d);
}

static struct buf rules(const char *id)
{
	struct buf json, cbor;
	buf_init(&json, 4096);
	buf_init(&cbor, 4096);
	buf_add_fmt(&json,
		    "{\"type\":\"rules\",\"title\":{\"zh\":\"\xe7\xa4\xba\xe4\xbe\x8b\",\"en\":\"sample\"},"
		    "\"sample\":true,"
		    "\"rules\":[{\"id\":\"%s\",\"outcome\":\"refer\",\"code\":\"C\",\"from\":\"2026-01-01\","
		    "\"basis\":{\"zh\":\"b\",\"en\":\"b\"},\"text\":{\"zh\":\"t\",\"en\":\"t\"},\"when\":{"
		    "\"op\":\"true\"}}]}",
		    id);
	struct err e = { 0 };
	if (!document_from_json(buf_bytes(&json), "rules", &cbor, &e))
		CU_FAIL_FATAL("sample document");
	buf_clear(&json);
	return cbor;
}

static void there_is_no_policy_before_the_first_document(void)
{
	struct documents *d = fresh();
	CU_ASSERT_PTR_NULL(documents_policy(d)->rules);
	CU_ASSERT_PTR_NULL(documents_policy(d)->catalogue);
	CU_ASSERT_EQUAL(documents_version(d, DOCUMENT_RULES), 0);
	CU_ASSERT_EQUAL(documents_version(d, "other"), 0);
	documents_close(d);
	db_close(db);
}

static void a_document_is_in_force_at_once_and_after_reopening(void)
{
	struct documents *d = fresh();
	struct buf one = rules("one"), two = rules("two");
	CU_ASSERT_TRUE(documents_apply(d, DOCUMENT_RULES, 3, buf_bytes(&one), NULL));
	CU_ASSERT_PTR_NOT_NULL_FATAL(documents_policy(d)->rules);
	CU_ASSERT_STRING_EQUAL(documents_policy(d)->rules->rules[0].id, "one");
	CU_ASSERT_TRUE(documents_apply(d, DOCUMENT_RULES, 4, buf_bytes(&two), NULL));
	CU_ASSERT_STRING_EQUAL(documents_policy(d)->rules->rules[0].id, "two");
	again(&d);
	CU_ASSERT_EQUAL(documents_version(d, DOCUMENT_RULES), 4);
	CU_ASSERT_PTR_NOT_NULL_FATAL(documents_policy(d)->rules);
	CU_ASSERT_STRING_EQUAL(documents_policy(d)->rules->rules[0].id, "two");
	CU_ASSERT_EQUAL(documents_policy(d)->rules_version, 4);
	buf_clear(&one);
	buf_clear(&two);
	documents_close(d);
	db_close(db);
}

static void one_that_does_not_parse_is_refused_and_the_old_one_stays(void)
{
	struct documents *d = fresh();
	struct buf one = rules("one");
	struct err e = { 0 };
	CU_ASSERT_TRUE(documents_apply(d, DOCUMENT_RULES, 3, buf_bytes(&one), NULL));
	for (size_t len = 0; len < one.len; len++)
		CU_ASSERT_FALSE(documents_apply(d, DOCUMENT_RULES, 4, (struct bytes){ one.data, len }, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	CU_ASSERT_FALSE(documents_apply(d, DOCUMENT_CATALOGUE, 4, buf_bytes(&one), &e)); /* rules are no catalogue */
	CU_ASSERT_EQUAL(documents_version(d, DOCUMENT_RULES), 3);
	CU_ASSERT_EQUAL(documents_version(d, DOCUMENT_CATALOGUE), 0);
	again(&d);
	CU_ASSERT_EQUAL(documents_version(d, DOCUMENT_RULES), 3);
	buf_clear(&one);
	documents_close(d);
	db_close(db);
}

static void one_of_an_unknown_kind_is_kept_as_it_came(void)
{
	struct documents *d = fresh();
	static const uint8_t number[] = { 7 }, bad[] = { 0xff };
	CU_ASSERT_TRUE(documents_apply(d, "products", 9, (struct bytes){ number, 1 }, NULL));
	CU_ASSERT_FALSE(documents_apply(d, "products", 10, (struct bytes){ bad, 1 }, NULL));
	CU_ASSERT_FALSE(documents_apply(d, "no/name", 1, (struct bytes){ number, 1 }, NULL));
	again(&d);
	CU_ASSERT_EQUAL(documents_version(d, "products"), 9);
	documents_close(d);
	db_close(db);
}

static CU_TestInfo tests[] = {
	{ "there is no policy before the first document", there_is_no_policy_before_the_first_document },
	{ "a document is in force at once and after reopening", a_document_is_in_force_at_once_and_after_reopening },
	{ "one that does not parse is refused and the old one stays",
	  one_that_does_not_parse_is_refused_and_the_old_one_stays },
	{ "one of an unknown kind is kept as it came", one_of_an_unknown_kind_is_kept_as_it_came },
	CU_TEST_INFO_NULL,
};

SUITE(documents, NULL, NULL, tests);
