/* Objections on rows of a made-up department: what is shown, held, corrected; who may; and scores that do without. */
#include "central/report/objections.h"
#include "central/score/scores.h"
#include "protocol/rule.h"
#include "tests/support/cards.h"
#include "tests/support/department.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW   CENTRE_NOW_S /* 2026-11-24, a Tuesday */
#define DAY_S 86400

static const char rules[] =
	"{\"type\":\"credit-rules\",\"title\":{\"zh\":\"样例\",\"en\":\"sample\"},\"sample\":true,\"objections\":{"
	"\"due_working_days\":5,\"holidays\":[\"2026-11-26\"],\"working_days\":[\"2026-11-28\"],\"holds\":[{"
	"\"indicator\":"
	"\"revenue\",\"field\":\"revenue\",\"inputs\":[\"age\",\"home\"]}]},\"facts\":[]}";
static struct identifier who;
static int64_t batch;

static struct identifier enterprise(unsigned i)
{
	struct identifier id;
	char code[19];
	department_uscc(i, code);
	CU_ASSERT_TRUE(identifier_parse(IDENTIFIER_USCC, code, 18, 0, &id, NULL, &department_err));
	return id;
}

static void setup(void)
{
	department_open();
	who = enterprise(3);
	batch = department_load_made("2026-10", 1, 20, "2026-10", "");
	if (!credit_rules_import(department, bytes_of(rules), "alice", NOW - 10, &department_err))
		printf("\n    %s", department_err.text);
}

/* The third enterprise's row is the fourth of the file. */
static int64_t object_at(const char *field, int64_t now_s)
{
	const struct objection_new n = { &who, batch, 4, field, "the figure is wrong", "alice" };
	int64_t id = 0;
	department_err = (struct err){ 0 };
	return objection_open(department, &n, now_s, &id, &department_err) ? id : 0;
}

static bool decide(int64_t id, bool upheld, const char *operator, const char * value)
{
	struct objection_decision d = { .id = id, .upheld = upheld, .why = "looked up", .operator= operator};
	enum objection_state state;
	if (value != NULL)
		d.changes[d.changes_len++] = (struct objection_change){ "revenue", value };
	department_err = (struct err){ 0 };
	return objection_decide(department, &d, NOW + 60, &state, &department_err);
}

struct seen {
	unsigned n;
	char revenue[32];
	size_t marks;
	bool held, corrected, withdrawn;
};

static void see(void *arg, const struct subject_record *r)
{
	struct seen *s = arg;
	s->n++;
	snprintf(s->revenue, sizeof(s->revenue), "%.*s", (int)r->record->cells[2].len,
		 (const char *)r->record->cells[2].data);
	s->marks = r->objections->marks_len;
	s->held = r->objections->held;
	s->corrected = r->objections->corrected;
	s->withdrawn = r->objections->withdrawn;
}

static struct seen seen_at(int64_t at_s)
{
	static struct subject_group g;
	struct seen s = { 0 };
	bool more = false;
	CU_ASSERT_TRUE(subject_group_at(department, &who, at_s, &g, &department_err) &&
		       subject_read(department, &g, "loan", "alice", NOW, see, &s, &more, &department_err));
	return s;
}

static void an_objection_is_shown_on_each_read_and_holds_what_the_rule_says(void)
{
	CU_ASSERT_EQUAL(seen_at(INT64_MAX).marks, 0);
	int64_t note = object_at("备注", NOW);
	CU_ASSERT_TRUE(note > 0 && seen_at(INT64_MAX).marks == 1 && !seen_at(INT64_MAX).held);
	int64_t id = object_at("revenue", NOW);
	CU_ASSERT_TRUE(id > 0 && seen_at(INT64_MAX).marks == 2 && seen_at(INT64_MAX).held);
	CU_ASSERT_EQUAL(object_at("revenue", NOW), 0);
	CU_ASSERT_EQUAL(department_err.code, ERR_CONFLICT);
	CU_ASSERT_EQUAL(object_at("uscc", NOW), 0);
	CU_ASSERT_EQUAL(object_at("nothing", NOW), 0);
	CU_ASSERT_TRUE(decide(id, false, "bob", NULL));
	CU_ASSERT_TRUE(seen_at(INT64_MAX).marks == 1 && !seen_at(INT64_MAX).held);
	CU_ASSERT_TRUE(seen_at(NOW + 30).held);
	CU_ASSERT_EQUAL(seen_at(NOW).marks, 0);
	CU_ASSERT_FALSE(decide(id, true, "bob", "5"));
	CU_ASSERT_EQUAL(department_err.code, ERR_CONFLICT);
}

static void only_a_row_of_the_subject_can_be_objected_to(void)
{
	const struct objection_new other = { &who, batch, 5, "", "not mine", "alice" };
	const struct objection_new silent = { &who, batch, 4, "", "", "alice" };
	int64_t id = 0;
	CU_ASSERT_FALSE(objection_open(department, &other, NOW, &id, &department_err));
	CU_ASSERT_EQUAL(department_err.code, ERR_MISSING);
	CU_ASSERT_FALSE(objection_open(department, &silent, NOW, &id, &department_err));
	CU_ASSERT_EQUAL(department_err.code, ERR_INPUT);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM objection"), 0);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM subject_read"), 1);
}

static void a_correction_takes_two_and_leaves_the_row_as_it_came(void)
{
	int64_t blocks = centre_count(&centre, "SELECT SUM(LENGTH(sealed)) FROM batch_block"),
		id = object_at("", NOW);
	CU_ASSERT_FALSE(decide(id, true, "alice", NULL));
	CU_ASSERT_FALSE(decide(id, true, "alice", "-5"));
	CU_ASSERT_EQUAL(department_err.code, ERR_INPUT);
	CU_ASSERT_TRUE(decide(id, true, "alice", "1,234"));
	CU_ASSERT_TRUE(seen_at(INT64_MAX).held && strcmp(seen_at(INT64_MAX).revenue, "1003") == 0);
	CU_ASSERT_FALSE(decide(id, true, "alice", NULL));
	CU_ASSERT_EQUAL(department_err.code, ERR_DENIED);
	CU_ASSERT_FALSE(decide(id, true, "bob", "99"));
	CU_ASSERT_TRUE(decide(id, false, "bob", NULL)); /* open again */
	CU_ASSERT_TRUE(decide(id, true, "bob", "2000") && decide(id, true, "alice", NULL));
	CU_ASSERT_STRING_EQUAL(seen_at(INT64_MAX).revenue, "2000");
	CU_ASSERT_TRUE(seen_at(INT64_MAX).corrected && !seen_at(INT64_MAX).held && seen_at(INT64_MAX).marks == 1);
	CU_ASSERT_STRING_EQUAL(seen_at(NOW + 60).revenue, "1003");
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT SUM(LENGTH(sealed)) FROM batch_block"), blocks);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE what LIKE 'objection.%'"), 5);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM objection WHERE CAST(correction AS TEXT) LIKE "
					      "'%2000%'"),
			0);
}

static void a_correction_outlives_the_same_file_and_yields_to_a_new_figure(void)
{
	struct buf file;
	char code[19];
	int64_t id = object_at("revenue", NOW);
	CU_ASSERT_TRUE(decide(id, true, "alice", "2000") && decide(id, true, "bob", NULL));
	CU_ASSERT_TRUE(department_load_made("2026-10", 2, 21, "2026-10", "") > batch);
	CU_ASSERT_STRING_EQUAL(seen_at(INT64_MAX).revenue, "2000");
	department_file(&file, 4, 18, "2026-10", "");
	department_uscc(3, code);
	buf_add_fmt(&file, "%s,2026-10,1555,\n", code);
	CU_ASSERT_TRUE(department_load("2026-10", buf_bytes(&file)) > 0);
	buf_clear(&file);
	CU_ASSERT_STRING_EQUAL(seen_at(INT64_MAX).revenue, "1555");
	CU_ASSERT_EQUAL(seen_at(INT64_MAX).marks, 0);
}

static void what_was_sent_again_meanwhile_is_what_a_correction_is_of(void)
{
	struct buf file;
	char code[19];
	int64_t id = object_at("revenue", NOW);
	department_file(&file, 4, 18, "2026-10", "");
	department_uscc(3, code);
	buf_add_fmt(&file, "%s,2026-10,1555,\n", code);
	CU_ASSERT_TRUE(department_load("2026-10", buf_bytes(&file)) > 0);
	buf_clear(&file);
	CU_ASSERT_TRUE(seen_at(INT64_MAX).held && strcmp(seen_at(INT64_MAX).revenue, "1555") == 0);
	CU_ASSERT_TRUE(decide(id, true, "alice", "2000") && decide(id, true, "bob", NULL));
	CU_ASSERT_STRING_EQUAL(seen_at(INT64_MAX).revenue, "2000");
}

static void a_fact_withdrawn_is_shown_as_such(void)
{
	struct objection_decision d = { object_at("", NOW), true, "of another firm", "alice", true, { { 0 } }, 0 };
	enum objection_state state = OBJECTION_OPEN;
	CU_ASSERT_TRUE(objection_decide(department, &d, NOW + 60, &state, &department_err) &&
		       state == OBJECTION_PROPOSED);
	CU_ASSERT_FALSE(seen_at(INT64_MAX).withdrawn);
	d.withdraw = false;
	d.operator= "bob";
	CU_ASSERT_TRUE(objection_decide(department, &d, NOW + 60, &state, &department_err) &&
		       state == OBJECTION_UPHELD);
	CU_ASSERT_TRUE(seen_at(INT64_MAX).withdrawn && seen_at(INT64_MAX).n == 1);
}

struct due {
	char day[11];
};

static void due_note(void *arg, const struct objection_row *r)
{
	struct due *d = arg;
	day_format(r->due_day, d->day);
}

static void due_days_are_working_days_and_overdue_ones_raise_an_alarm_once_a_day(void)
{
	struct due due = { "" };
	struct credit_rules builtin;
	int64_t day = 0, from = 0;
	CU_ASSERT_TRUE(object_at("", NOW) > 0);
	CU_ASSERT_TRUE(objection_each(department, false, 10, due_note, &due, &department_err));
	/* Wed 25, Fri 27, Sat 28 (worked), Mon 30, Tue 1; Thu 26 is off. */
	CU_ASSERT_STRING_EQUAL(due.day, "2026-12-01");
	CU_ASSERT_TRUE(credit_rules_load(department, 5, &builtin, NULL, &department_err));
	CU_ASSERT_TRUE(builtin.id == 0 && builtin.sample);
	CU_ASSERT_TRUE(day_parse(bytes_of("2026-11-24"), &from, NULL) &&
		       day_parse(bytes_of("2026-12-22"), &day, NULL));
	CU_ASSERT_EQUAL(credit_rules_due(&builtin, from), day);
	credit_rules_clear(&builtin);
	CU_ASSERT_TRUE(objection_overdue(department, NOW + 7 * DAY_S, &department_err));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM alarm"), 0);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_TRUE(objection_overdue(department, NOW + 8 * DAY_S + i, &department_err));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT times FROM alarm WHERE code = 'objection.overdue'"), 1);
	CU_ASSERT_TRUE(objection_overdue(department, NOW + 9 * DAY_S, &department_err));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT times FROM alarm WHERE code = 'objection.overdue'"), 2);
}

static char held[64], value[32], missing[200];

static void score_note(void *arg, const struct score_row *r)
{
	(void)arg;
	if (held[0] != '\0' || value[0] != '\0')
		return;
	snprintf(held, sizeof(held), "%s", r->held);
	snprintf(value, sizeof(value), "%s", r->value);
	snprintf(missing, sizeof(missing), "%s", strstr(r->result, "\"inputs\""));
}

static void score(const char *csv)
{
	struct scores_summary s;
	const struct scores_run r = { "enterprise", "alice", IDENTIFIER_USCC, 20000, NOW };
	held[0] = value[0] = '\0';
	department_err = (struct err){ 0 };
	CU_ASSERT_TRUE(scores_run(department, &r, bytes_of(csv), &s, &department_err));
	CU_ASSERT_TRUE(scores_each(department, IDENTIFIER_USCC, who.canonical, 1, score_note, NULL, &department_err));
}

static void a_score_does_without_an_input_under_objection_and_names_it(void)
{
	char hash[MODEL_HEX + 1], csv[200];
	struct scores_replay replay;
	const char *model =
		card_pmml("<DataField name='age' optype='continuous' dataType='integer'/>"
			  "<DataField name='size' optype='continuous' dataType='integer'/>",
			  "initialScore='100'",
			  "<MiningField name='age' missingValueReplacement='40'/><MiningField name='size'/>",
			  "<Characteristic name='age' reasonCode='AGE' baselineScore='9'><Attribute "
			  "partialScore='2'><SimplePredicate field='age' operator='lessThan' value='30'/>"
			  "</Attribute><Attribute partialScore='9'><True/></Attribute></Characteristic>");
	CU_ASSERT_TRUE_FATAL(card_crown(department, "enterprise", bytes_of(model), NOW, hash, &department_err));
	snprintf(csv, sizeof(csv), "subject,age,size\n%s,20,5\n", who.canonical);
	score(csv);
	CU_ASSERT_STRING_EQUAL(held, "");
	CU_ASSERT_STRING_EQUAL(value, "102");
	int64_t id = object_at("revenue", NOW);
	score(csv);
	CU_ASSERT_STRING_EQUAL(held, "age");
	CU_ASSERT_STRING_EQUAL(value, "109");
	CU_ASSERT_PTR_NOT_NULL(strstr(missing, "\"age\":\"missing_replaced\""));
	CU_ASSERT_TRUE(scores_replay(department, 0, 10, &replay, &department_err));
	CU_ASSERT_TRUE(replay.checked == 2 && replay.different == 0);
	CU_ASSERT_TRUE(decide(id, false, "bob", NULL));
	score(csv);
	CU_ASSERT_STRING_EQUAL(value, "102");
}

static void rules_that_cannot_be_understood_are_refused(void)
{
	static const char *const wrong[][2] = {
		{ "\"type\":\"credit-rules\"", "\"type\":\"rules\"" },
		{ "\"due_working_days\":5", "\"due_working_days\":0" },
		{ "2026-11-26", "2026-02-30" },
		{ "\"inputs\":[\"age\"", "\"inputs\":[\"a,b\"" },
		{ "\"facts\":[]", "\"facts\":[{\"indicator\":\"revenue\",\"nature\":\"odd\"}]" },
		{ "\"facts\":[]",
		  "\"facts\":[{\"indicator\":\"revenue\",\"nature\":\"positive\",\"field\":\"note\"}]" },
		{ "\"facts\":[]", "\"facts\":[],\"other\":1" },
	};
	char text[1024];
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *at = strstr(rules, wrong[i][0]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(at);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - rules), rules, wrong[i][1],
			 at + strlen(wrong[i][0]));
		CU_ASSERT_FALSE(credit_rules_import(department, bytes_of(text), "alice", NOW, &department_err));
		CU_ASSERT_EQUAL(department_err.code, ERR_INPUT);
	}
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM credit_rules"), 1);
}

static CU_TestInfo tests[] = {
	{ "an objection is shown on each read and holds what the rule says",
	  an_objection_is_shown_on_each_read_and_holds_what_the_rule_says },
	{ "only a row of the subject can be objected to", only_a_row_of_the_subject_can_be_objected_to },
	{ "a correction takes two and leaves the row as it came",
	  a_correction_takes_two_and_leaves_the_row_as_it_came },
	{ "a correction outlives the same file and yields to a new figure",
	  a_correction_outlives_the_same_file_and_yields_to_a_new_figure },
	{ "what was sent again meanwhile is what a correction is of",
	  what_was_sent_again_meanwhile_is_what_a_correction_is_of },
	{ "a fact withdrawn is shown as such", a_fact_withdrawn_is_shown_as_such },
	{ "due days are working days and overdue ones raise an alarm once a day",
	  due_days_are_working_days_and_overdue_ones_raise_an_alarm_once_a_day },
	{ "a score does without an input under objection and names it",
	  a_score_does_without_an_input_under_objection_and_names_it },
	{ "rules that cannot be understood are refused", rules_that_cannot_be_understood_are_refused },
	CU_TEST_INFO_NULL,
};

SUITE(objections, setup, department_close, tests);
