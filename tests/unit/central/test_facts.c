/* Inputs of scores out of what a made-up tax department sent. */
#include "central/score/facts.h"
#include "central/report/objections.h"
#include "protocol/base/file.h"
#include "protocol/rule.h"
#include "tests/support/cards.h"
#include "tests/support/department.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW CENTRE_NOW_S /* 2026-11-24, 14 o'clock in China */

static char code[19], other[19];

static const char *model(void)
{
	return card_pmml(
		"<DataField name='revenue' optype='continuous' dataType='double'/>"
		"<DataField name='growth' optype='continuous' dataType='double'/>"
		"<DataField name='months' optype='continuous' dataType='integer'/>"
		"<DataField name='total' optype='continuous' dataType='double'/>"
		"<DataField name='least' optype='continuous' dataType='double'/>"
		"<DataField name='most' optype='continuous' dataType='double'/>"
		"<DataField name='noted' optype='categorical' dataType='boolean'/>",
		"useReasonCodes='false'",
		"<MiningField name='revenue'/><MiningField name='growth'/><MiningField name='months'/>"
		"<MiningField name='total'/><MiningField name='least'/><MiningField name='most'/>"
		"<MiningField name='noted'/>",
		"<Characteristic name='months'><Attribute partialScore='1'><SimplePredicate field='months' "
		"operator='isMissing'/></Attribute><Attribute partialScore='5'><SimplePredicate field='months' "
		"operator='greaterOrEqual' value='0'/></Attribute></Characteristic>");
}

static const char mapping[] =
	"{'type':'score-inputs','title':{'zh':'样例','en':'sample'},'sample':true,'inputs':["
	"{'input':'revenue','indicator':'revenue','take':'latest','field':'revenue','date':'month'},"
	"{'input':'growth','indicator':'revenue','take':'growth','field':'revenue','date':'month'},"
	"{'input':'months','sources':['tax-revenue'],'take':'count','date':'month','within_days':100,'absent':'0'},"
	"{'input':'total','indicator':'revenue','take':'sum','field':'revenue','date':'month'},"
	"{'input':'least','indicator':'revenue','take':'min','field':'revenue','date':'month'},"
	"{'input':'most','indicator':'revenue','take':'max','field':'revenue','date':'month'},"
	"{'input':'noted','indicator':'revenue','take':'any','date':'month','where':{'field':'note','in':['坏']},"
	"'absent':'false'}]}";

static const char *json_of(const char *text)
{
	static char out[4096];
	snprintf(out, sizeof(out), "%s", text);
	for (char *at = out; *at != '\0'; at++)
		if (*at == '\'')
			*at = '"';
	return out;
}

static void load(const char *period, const char *revenue, const char *note)
{
	char text[512];
	snprintf(text, sizeof(text), "统一社会信用代码,月份,营业收入,备注\n%s,%s,%s,%s\n", code, period, revenue,
		 note);
	CU_ASSERT_TRUE(department_load_text(period, text) > 0);
}

static void publish_json(const char *json)
{
	int64_t id = 0;
	CU_ASSERT_TRUE_FATAL(document_draft_import(department, "inputs-enterprise", "m.json", bytes_of(json), "alice",
						   NOW, &id, &department_err));
	CU_ASSERT_TRUE_FATAL(release_submit(department, id, "alice", false, NOW, &department_err) &&
			     release_approve(department, id, "bob", NOW, &department_err) &&
			     release_publish(department, id, "bob", NOW, &department_err));
}

static void publish(const char *text)
{
	publish_json(json_of(text));
}

static void setup(void)
{
	char hash[MODEL_HEX + 1];
	department_open();
	department_uscc(3, code);
	department_uscc(4, other);
	CU_ASSERT_TRUE_FATAL(card_crown(department, "enterprise", bytes_of(model()), NOW, hash, &department_err));
	load("2025-10", "100", "好");
	load("2026-09", "70", "坏");
	load("2026-10", "130", "好");
}

static int64_t held_points;

static bool points(void *arg, const struct identifier *subject, int64_t *out, struct err *e)
{
	(void)arg, (void)subject;
	*out = held_points;
	return held_points >= 0 || err_set(e, ERR_MISSING, "no standard");
}

static const struct facts_accounts accounts = { points, NULL };

static bool score(const char *number, const char *day)
{
	const struct scores_run r = { "enterprise", "alice", IDENTIFIER_USCC, SCORES_NO_DAY, NOW };
	struct scores_summary s;
	char csv[64];
	int64_t at = 0;
	snprintf(csv, sizeof(csv), "subject\n%s\n", number);
	department_err = (struct err){ 0 };
	CU_ASSERT_TRUE(day_parse(bytes_of(day), &at, NULL));
	return facts_score(department, &r, at, &accounts, bytes_of(csv), &s, &department_err);
}

/* The inputs stored last, as JSON. */
static const char *inputs(void)
{
	static char text[2048];
	struct buf plain;
	bool row = false;
	text[0] = '\0';
	struct db_query *q =
		db_query(department->db, "SELECT inputs, subject FROM score_input ORDER BY id DESC LIMIT 1", NULL);
	buf_init(&plain, 65536);
	CU_ASSERT_TRUE_FATAL(q != NULL && db_next(q, &row, NULL) && row);
	CU_ASSERT_TRUE(aead_open(department->vault_key, db_bytes(q, 1), db_bytes(q, 0), &plain, NULL));
	db_finish(q);
	snprintf(text, sizeof(text), "%s", buf_str(&plain));
	buf_clear(&plain);
	return text;
}

static char shown[400];

static void row_keep(void *arg, const struct score_row *r)
{
	char day[11];
	(void)arg;
	day_format(r->oldest_day, day);
	snprintf(shown, sizeof(shown), "%s|%s|%s|%s", r->value, day, r->held, r->made_by);
}

static const char *last_score(const char *number)
{
	shown[0] = '\0';
	CU_ASSERT_TRUE(scores_each(department, IDENTIFIER_USCC, number, 1, row_keep, NULL, &department_err));
	return shown;
}

static void facts_become_inputs_with_their_days(void)
{
	publish(mapping);
	CU_ASSERT_TRUE(score(code, "2026-11-24"));
	CU_ASSERT_STRING_EQUAL(inputs(), "{\"revenue\":\"130\",\"growth\":\"30\",\"months\":\"2\",\"total\":\"300\","
					 "\"least\":\"70\",\"most\":\"130\",\"noted\":\"true\"}");
	CU_ASSERT_STRING_EQUAL(last_score(code), "5|2025-10-31||inputs-enterprise/1 as of 2026-11-24");
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT count(*) FROM subject_read WHERE who = 'alice' AND purpose = "
					      "'评分 score enterprise'"),
			1);
	struct scores_replay replay;
	CU_ASSERT_TRUE(scores_replay(department, 0, 10, &replay, &department_err));
	CU_ASSERT_TRUE(replay.checked == 1 && replay.different == 0);
}

static void what_counted_then_counts_and_nothing_of_later(void)
{
	publish(mapping);
	CU_ASSERT_FALSE(score(code, "2026-11-23")); /* the files came a day later */
	CU_ASSERT_PTR_NOT_NULL(strstr(department_err.text, "no input at all"));
	CU_ASSERT_FALSE(score(code, "2026-11-25"));
	CU_ASSERT_PTR_NOT_NULL(strstr(department_err.text, "still to come"));
}

static void who_stands_in_no_file_has_what_is_absent_and_nothing_guessed(void)
{
	publish(mapping);
	CU_ASSERT_TRUE(score(other, "2026-11-24"));
	CU_ASSERT_STRING_EQUAL(inputs(), "{\"months\":\"0\",\"noted\":\"false\"}");
	CU_ASSERT_STRING_EQUAL(last_score(other), "5|2026-10-31||inputs-enterprise/1 as of 2026-11-24");
	/* A source that has sent nothing knows of nothing. */
	publish("{'type':'score-inputs','title':{'zh':'样例','en':'sample'},'sample':true,'inputs':[{'input':'months'"
		","
		"'sources':['tax-other'],'take':'count','absent':'0'}]}");
	CU_ASSERT_FALSE(score(other, "2026-11-24"));
	CU_ASSERT_PTR_NOT_NULL(strstr(department_err.text, "no input at all"));
}

static void an_input_that_a_fact_under_objection_is_part_of_is_left_out_and_named(void)
{
	struct identifier id;
	int64_t batch = centre_count(&centre, "SELECT id FROM batch WHERE period = '2026-09'"), objection = 0;
	static const char rules[] =
		"{'type':'credit-rules','title':{'zh':'样例','en':'sample'},'sample':true,'objections':{"
		"'due_working_days':5,'holidays':[],'working_days':[],'holds':[{'indicator':'revenue','inputs':[]}]},"
		"'facts':[]}";
	publish(mapping);
	CU_ASSERT_TRUE(identifier_parse(IDENTIFIER_USCC, code, 18, 0, &id, NULL, NULL));
	CU_ASSERT_TRUE_FATAL(
		credit_rules_import(department, bytes_of(json_of(rules)), "alice", NOW - 10, &department_err));
	const struct objection_new n = {
		.subject = &id, .batch = batch, .row = 2, .field = "", .why = "wrong", .operator= "alice" };
	CU_ASSERT_TRUE_FATAL(objection_open(department, &n, NOW, &objection, &department_err));
	CU_ASSERT_TRUE(score(code, "2026-11-24"));
	CU_ASSERT_STRING_EQUAL(inputs(), "{\"revenue\":\"130\",\"growth\":\"30\"}");
	CU_ASSERT_PTR_NOT_NULL(strstr(last_score(code), "|months,total,least,most,noted|"));
}

static void points_of_an_account_are_an_input_of_today_alone(void)
{
	publish("{'type':'score-inputs','title':{'zh':'样例','en':'sample'},'sample':true,'inputs':[{'input':'months'"
		","
		"'account':'carbon'}]}");
	held_points = 42;
	CU_ASSERT_TRUE(score(other, "2026-11-24"));
	CU_ASSERT_STRING_EQUAL(inputs(), "{\"months\":\"42\"}");
	CU_ASSERT_STRING_EQUAL(last_score(other), "5|2026-11-24||inputs-enterprise/1 as of 2026-11-24");
	CU_ASSERT_FALSE(score(other, "2026-11-23"));
	held_points = -1;
	CU_ASSERT_FALSE(score(other, "2026-11-24"));
	CU_ASSERT_PTR_NOT_NULL(strstr(department_err.text, "no standard"));
}

static void a_mapping_that_cannot_be_understood_is_refused_with_the_input_s_number(void)
{
	static const struct {
		const char *inputs, *says;
	} bad[] = {
		{ "", "inputs" },
		{ "{'input':'a','indicator':'revenue','take':'mean','field':'revenue'}", "input 1: take" },
		{ "{'input':'a','indicator':'revenue','take':'latest'}", "input 1: field: latest wants one" },
		{ "{'input':'a','indicator':'revenue','take':'count','field':'revenue'}", "count has none" },
		{ "{'input':'a','account':'bank'}", "expected carbon" },
		{ "{'input':'a','account':'carbon','take':'count'}", "take" },
		{ "{'input':'a','take':'count'}", "either indicator or sources" },
		{ "{'input':'a','indicator':'r','sources':['x'],'take':'count'}", "either indicator or sources" },
		{ "{'input':'a,b','indicator':'r','take':'count'}", "without quotes" },
		{ "{'input':'a','indicator':'r','take':'count','where':{'field':'x'}}", "either in or not_in" },
		{ "{'input':'a','indicator':'r','take':'count','within_days':0}", "within_days" },
		{ "{'input':'a','indicator':'r','take':'count'},{'input':'a','indicator':'r','take':'any'}",
		  "input 2: a is there already" },
		{ "{'input':'a','indicator':'r','take':'count','weight':2}", "weight" },
	};
	char text[1024];
	int64_t id = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text),
			 "{'type':'score-inputs','title':{'zh':'样','en':'s'},'sample':true,'inputs':[%s]}",
			 bad[i].inputs);
		CU_ASSERT_FALSE(document_draft_import(department, "inputs-enterprise", "m.json",
						      bytes_of(json_of(text)), "alice", NOW, &id, &department_err));
		CU_ASSERT_EQUAL(department_err.code, ERR_INPUT);
		if (strstr(department_err.text, bad[i].says) == NULL)
			printf("\n    %s", department_err.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(department_err.text, bad[i].says));
	}
	CU_ASSERT_FALSE(score(code, "2026-11-24"));
	CU_ASSERT_EQUAL(department_err.code, ERR_MISSING); /* none is published */
}

static void the_shipped_samples_are_understood_and_go_to_no_branch(void)
{
	static const char *const files[] = { "central/sample/enterprise-inputs.json",
					     "central/sample/personal-inputs.json" };
	struct head h = { 0 };
	for (size_t i = 0; i < 2; i++) {
		struct buf text;
		buf_init(&text, 65536);
		CU_ASSERT_TRUE_FATAL(file_read(files[i], &text, &department_err));
		publish_json(buf_str(&text));
		buf_clear(&text);
	}
	CU_ASSERT_TRUE_FATAL(release_head_fill(department, &h, &department_err));
	CU_ASSERT_PTR_NULL(head_find(&h, "inputs-enterprise"));
	head_clear(&h);
}

static CU_TestInfo tests[] = {
	{ "facts become inputs, with their days", facts_become_inputs_with_their_days },
	{ "what counted then counts, and nothing of later", what_counted_then_counts_and_nothing_of_later },
	{ "who stands in no file has what is absent, and nothing guessed",
	  who_stands_in_no_file_has_what_is_absent_and_nothing_guessed },
	{ "an input that a fact under objection is part of is left out and named",
	  an_input_that_a_fact_under_objection_is_part_of_is_left_out_and_named },
	{ "points of an account are an input, of today alone", points_of_an_account_are_an_input_of_today_alone },
	{ "a mapping that cannot be understood is refused with the input's number",
	  a_mapping_that_cannot_be_understood_is_refused_with_the_input_s_number },
	{ "the shipped samples are understood and go to no branch",
	  the_shipped_samples_are_understood_and_go_to_no_branch },
	CU_TEST_INFO_NULL,
};
SUITE(facts, setup, department_close, tests);
