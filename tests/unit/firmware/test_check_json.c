#include "protocol/base/json.h"
#include "tests/support/checks.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static void a_request_is_refused_by_the_name_of_what_is_wrong(void)
{
#define SUBJECT "'subject':{'kind':'uscc','number':'1'}"
	static const struct {
		const char *json, *says;
	} bad[] = {
		{ "", "" },
		{ "[]", "no JSON object" },
		{ "{'business':'loan'," SUBJECT "}", "request_id" },
		{ "{'request_id':'','business':'loan'," SUBJECT "}", "request_id" },
		{ "{'request_id':'a#+/','business':'loan'," SUBJECT "}", "request_id" },
		{ "{'request_id':7,'business':'loan'," SUBJECT "}", "request_id" },
		{ "{'request_id':'r'," SUBJECT "}", "business" },
		{ "{'request_id':'r','business':\"loan'; drop table\"," SUBJECT "}", "" },
		{ "{'request_id':'r','business':'loan;'," SUBJECT "}", "business" },
		{ "{'request_id':'r','business':'loan'}", "subject: missing" },
		{ "{'request_id':'r','business':'loan','subject':7}", "subject: expected an object" },
		{ "{'request_id':'r','business':'loan'," SUBJECT ",'priority':1}", "unknown field 'priority'" },
		{ "{'request_id':'r','business':'loan'," SUBJECT "," SUBJECT "}", "" },
		{ "{'request_id':'r','business':'loan','subject':{'kind':'uscc'}}", "subject.number" },
		{ "{'request_id':'r','business':'loan','subject':{'kind':'uscc','number':17}}", "subject.number" },
		{ "{'request_id':'r','business':'loan','subject':{'kind':'visa','number':'1'}}", "subject.kind" },
		{ "{'request_id':'r','business':'loan','subject':{'kind':'uscc','number':'1','age':1}}", "age'" },
		{ "{'request_id':'r','business':'loan','subject':{'kind':'name','name':'a','number':'1'}}",
		  "subject.number" },
		{ "{'request_id':'r','business':'loan','subject':{'kind':'name'}}", "subject.name" },
		{ "{'request_id':'r','business':'loan','subject':{'kind':'uscc','number':'1','birth_date':'"
		  "1990-02-30'}}",
		  "subject.birth_date" },
		{ "{'request_id':'r','business':'loan'," SUBJECT ",'counterparty':null}", "counterparty" },
		{ "{'request_id':'r','business':'loan'," SUBJECT ",'facts':[]}", "facts" },
		{ "{'request_id':'r','business':'loan'," SUBJECT ",'facts':{'a':null}}", "facts.a" },
		{ "{'request_id':'r','business':'loan'," SUBJECT ",'facts':{'a':{}}}", "facts.a" },
		{ "{'request_id':'r','business':'loan'," SUBJECT ",'facts':{'A':1}}", "facts" },
		{ "{'request_id':'r','business':'loan'," SUBJECT ",'facts':{'list.sanctions':'hit'}}", "facts" },
		{ "{'request_id':'r','business':'loan'," SUBJECT ",'facts':{'age_years':40}}",
		  "age_years: reserved" },
		{ "{'request_id':'r','business':'loan'," SUBJECT ",'facts':{'any_list_hit':false}}",
		  "any_list_hit: reserved" },
		{ "{'request_id':'r','business':'loan'," SUBJECT ",'facts':{'clock_trusted':true}}",
		  "clock_trusted: reserved" },
		{ "{'request_id':'r','business':'loan'," SUBJECT ",'facts':{'identifier_status':1}}", "reserved" },
		{ "{'request_id':'r','business':'loan'," SUBJECT ",'facts':{'verified_online':'yes'}}",
		  "verified_online" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = { 0 };
		bool ok = request_of(bad[i].json, &e);
		if (ok || strstr(e.text, bad[i].says) == NULL)
			printf("\n%s: %s\n", bad[i].json, e.text);
		CU_ASSERT_FALSE(ok);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i].says));
		CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	}
}

static void sizes_and_encodings_of_a_request_are_bounded(void)
{
	struct buf json;
	struct err e = { 0 };
	buf_init(&json, 65536);
	buf_add_str(&json, "{'request_id':'r','business':'loan'," SUBJECT ",'facts':{");
	for (unsigned i = 0; i <= CHECK_FACTS_MAX; i++)
		buf_add_fmt(&json, "%s'f%u':1", i > 0 ? "," : "", i);
	buf_add_str(&json, "}}");
	CU_ASSERT_FALSE(request_of(buf_str(&json), &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "more than 32"));
	buf_reset(&json);
	buf_add_str(&json, "{'request_id':'r','business':'loan','subject':{'kind':'uscc','number':'");
	for (int i = 0; i <= PERSON_NAME_MAX; i++)
		buf_add_str(&json, "1");
	buf_add_str(&json, "'}}");
	CU_ASSERT_FALSE(request_of(buf_str(&json), &e));
	CU_ASSERT_FALSE(
		request_of("{'request_id':'r','business':'loan','subject':{'kind':'name','name':'\xff'}}", &e));
	CU_ASSERT_FALSE(
		request_of("{'request_id':'r','business':'loan','subject':{'kind':'name','name':'a\\u0000b'}}", &e));
	buf_clear(&json);
}

static struct json *answer(struct buf *out)
{
	buf_init(out, 65536);
	check_decision_json(&with.decision, &with.policy, out);
	CU_ASSERT_TRUE(buf_ok(out, "answer", NULL));
	struct json *j = json_parse(buf_bytes(out), NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(j);
	return j;
}

static void the_answer_says_what_was_decided_and_why(void)
{
	struct buf out;
	const char *text = NULL;
	checks_fresh();
	list_add("black-fraud", IDENTIFIER_RESIDENT_ID, ADULT, entry_value(2, 11000));
	CU_ASSERT_EQUAL(check(ASK("open_account", "resident_id", ADULT, ",'name':'示例甲'")), OUTCOME_REFUSE);
	struct json *j = answer(&out);
	CU_ASSERT_TRUE(json_text(j, "time", 64, &text, NULL) && strcmp(text, "2026-06-01T12:00:00+08:00") == 0);
	CU_ASSERT_TRUE(json_text(j, "outcome", 64, &text, NULL) && strcmp(text, "refuse") == 0);
	CU_ASSERT_TRUE(json_text(json_get(j, "outcome_text"), "zh", 64, &text, NULL) && strcmp(text, "拒绝") == 0);
	const struct json *reason = json_at(json_get(j, "reasons"), 0);
	CU_ASSERT_TRUE(json_text(reason, "rule", 64, &text, NULL) && strcmp(text, "fraud-listed-new-account") == 0);
	CU_ASSERT_TRUE(json_text(json_get(reason, "basis"), "zh", 300, &text, NULL) &&
		       strstr(text, "第三十一条") != NULL);
	const struct json *list = json_at(json_get(j, "lists"), 0);
	CU_ASSERT_TRUE(json_text(list, "result", 64, &text, NULL) && strcmp(text, "hit") == 0);
	CU_ASSERT_TRUE(json_text(list, "until", 64, &text, NULL) && strcmp(text, "2030-02-12") == 0);
	CU_ASSERT_TRUE(json_text(json_get(list, "reason_text"), "zh", 64, &text, NULL) &&
		       strcmp(text, "买卖、出租、出借账户") == 0);
	CU_ASSERT_TRUE(json_text(json_get(j, "subject"), "masked", 64, &text, NULL) &&
		       strcmp(text, "330802********0013") == 0);
	CU_ASSERT_PTR_NULL(strstr(buf_str(&out), ADULT));
	CU_ASSERT_PTR_NULL(strstr(buf_str(&out), "示例甲"));
	json_free(j);
	buf_clear(&out);
}

static void an_old_decision_keeps_its_reasons_when_the_rules_have_changed(void)
{
	struct buf out;
	const char *text = NULL;
	checks_fresh();
	list_add("black-fraud", IDENTIFIER_RESIDENT_ID, ADULT, entry_value(2, ENTRY_NO_END));
	(void)check(PLAIN);
	with.policy.rules_version = 9;
	with.policy.catalogue_version = 9;
	struct json *j = answer(&out);
	const struct json *reason = json_at(json_get(j, "reasons"), 0);
	CU_ASSERT_TRUE(json_text(reason, "code", 64, &text, NULL) && strcmp(text, "LISTED_FRAUD") == 0);
	CU_ASSERT_PTR_NULL(json_get(reason, "text"));
	CU_ASSERT_PTR_NULL(json_get(json_at(json_get(j, "lists"), 0), "reason_text"));
	json_free(j);
	buf_clear(&out);
}

static CU_TestInfo tests[] = {
	{ "a request is refused by the name of what is wrong", a_request_is_refused_by_the_name_of_what_is_wrong },
	{ "sizes and encodings of a request are bounded", sizes_and_encodings_of_a_request_are_bounded },
	{ "the answer says what was decided and why", the_answer_says_what_was_decided_and_why },
	{ "an old decision keeps its reasons when the rules have changed",
	  an_old_decision_keeps_its_reasons_when_the_rules_have_changed },
	CU_TEST_INFO_NULL,
};
SUITE(check_json, checks_setup, checks_teardown, tests);
