/* Outcomes of stored scores, and a model's scores by month. */
#include "central/score/outcomes.h"
#include "tests/support/cards.h"
#include "tests/support/centre.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#define NOW    CENTRE_NOW_S /* 2026-11-24 */
#define FAMILY "personal"
#define ONE    "330802185001010013" /* nobody's */
#define OTHER  "11010519491231002X"

static struct centre centre;
static struct err err;
static struct outcomes_summary summary;
static char model[MODEL_HEX + 1];

static void score(const char *csv, int64_t at_s)
{
	struct scores_summary s;
	const struct scores_run r = { FAMILY, "alice", IDENTIFIER_RESIDENT_ID, 20000, at_s };
	CU_ASSERT_TRUE_FATAL(scores_run(&centre.release, &r, bytes_of(csv), &s, &err));
}

static void setup(void)
{
	centre_open(&centre);
	const char *text =
		card_pmml("<DataField name='age' optype='continuous' dataType='integer'/>", "initialScore='100'",
			  "<MiningField name='age' missingValueReplacement='40'/>",
			  "<Characteristic name='age' reasonCode='AGE' baselineScore='9'><Attribute partialScore='2'>"
			  "<SimplePredicate field='age' operator='lessThan' value='30'/></Attribute><Attribute "
			  "partialScore='9'><True/></Attribute></Characteristic>");
	CU_ASSERT_TRUE_FATAL(card_challenge(&centre.release, FAMILY, bytes_of(text), model, &err));
}

static void promote(void)
{
	struct buf text;
	buf_init(&text, DOCUMENT_MAX);
	CU_ASSERT_TRUE_FATAL(model_document(&centre.release, model, &text, &err));
	CU_ASSERT_TRUE_FATAL(card_crown(&centre.release, FAMILY, buf_bytes(&text), NOW, model, &err));
	buf_clear(&text);
}

static void teardown(void)
{
	centre_close(&centre);
}

static bool import(const char *csv)
{
	const struct outcomes_run r = { FAMILY, "alice", IDENTIFIER_RESIDENT_ID, NOW };
	return outcomes_import(&centre.release, &r, bytes_of(csv), &summary, &err);
}

static void rows_are(const char *want)
{
	char whole[MODEL_HEX + 1];
	int64_t last = 0;
	struct buf out;
	buf_init(&out, 65536);
	CU_ASSERT_TRUE(outcomes_csv(&centre.release, FAMILY, NULL, 0, &out, &last, whole, &err));
	CU_ASSERT_STRING_EQUAL(whole, model);
	CU_ASSERT_STRING_EQUAL(buf_str(&out), want);
	buf_reset(&out);
	int64_t end = last;
	CU_ASSERT_TRUE(outcomes_csv(&centre.release, FAMILY, model, end, &out, &last, whole, &err));
	CU_ASSERT_TRUE(out.len == 0 && last == end);
	buf_clear(&out);
}

static void an_outcome_stands_beside_the_score_of_its_month(void)
{
	promote();
	score("subject,age\n" ONE ",25\n" OTHER ",35\n", NOW);
	score("subject,age\n" ONE ",old\n", 1793491200 - 28800); /* 2026-11-01 00:00 in China */
	score("subject,age\n" ONE ",35\n", 1793491200 - 28801);
	rows_are("1,2026-11,102,\n2,2026-11,109,\n3,2026-11,,\n4,2026-10,109,\n");
	CU_ASSERT_TRUE(import("month,subject,outcome\n2026-11," ONE ",bad\n2026-10," OTHER ",good\n"));
	CU_ASSERT_TRUE(summary.rows == 2 && summary.goods == 1 && summary.bads == 1 && summary.unscored == 1);
	rows_are("1,2026-11,102,bad\n2,2026-11,109,\n3,2026-11,,bad\n4,2026-10,109,\n");
	CU_ASSERT_TRUE(import("subject,month,outcome\n" ONE ",2026-11,good\n" ONE ",2026-10,bad\n"));
	CU_ASSERT_EQUAL(summary.unscored, 0);
	rows_are("1,2026-11,102,good\n2,2026-11,109,\n3,2026-11,,good\n4,2026-10,109,bad\n");
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT count(*) FROM audit WHERE what = 'score.outcome'"), 2);
}

static void a_table_is_taken_whole_or_not_at_all(void)
{
	static const struct {
		const char *csv, *words;
	} bad[] = {
		{ "", "the table is empty" },
		{ "subject,month\n", "row 1: expected the columns" },
		{ "subject,month,outcome,age\n", "none of subject, month, outcome" },
		{ "subject,month,outcome\n" ONE ",2026-10,good\n" ONE ",2026-10,fair\n", "row 3: outcome" },
		{ "subject,month,outcome\n" ONE ",2026-10,good\n" ONE ",2026-13,good\n", "row 3: month: expected" },
		{ "subject,month,outcome\n" ONE ",2026-12,good\n", "row 2: month: it is still to come" },
		{ "subject,month,outcome\n" ONE ",2026-10-01,good\n", "row 2: month: expected" },
		{ "subject,month,outcome\n330802185001010014,2026-10,good\n", "row 2: subject" },
		{ "subject,month,outcome\n" ONE ",2026-10\n", "row 2: it is not well formed" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CU_ASSERT_FALSE(import(bad[i].csv));
		if (strstr(err.text, bad[i].words) == NULL)
			printf("\n    wanted '%s', got '%s'", bad[i].words, err.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, bad[i].words));
	}
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT count(*) FROM score_outcome"), 0);
	const struct outcomes_run r = { "nobody", "alice", IDENTIFIER_RESIDENT_ID, NOW };
	CU_ASSERT_FALSE(outcomes_import(&centre.release, &r, bytes_of("subject,month,outcome\n"), &summary, &err));
	CU_ASSERT_EQUAL(err.code, ERR_MISSING);
}

static void a_family_without_a_champion_wants_a_model_s_hash(void)
{
	struct buf out;
	char whole[MODEL_HEX + 1];
	int64_t last = 0;
	buf_init(&out, 65536);
	CU_ASSERT_FALSE(outcomes_csv(&centre.release, FAMILY, NULL, 0, &out, &last, whole, &err));
	CU_ASSERT_EQUAL(err.code, ERR_MISSING);
	CU_ASSERT_TRUE(outcomes_csv(&centre.release, FAMILY, model, 0, &out, &last, whole, &err));
	buf_clear(&out);
}

static CU_TestInfo tests[] = {
	{ "an outcome stands beside the score of its month", an_outcome_stands_beside_the_score_of_its_month },
	{ "a table is taken whole or not at all", a_table_is_taken_whole_or_not_at_all },
	{ "a family without a champion wants a model's hash", a_family_without_a_champion_wants_a_model_s_hash },
	CU_TEST_INFO_NULL,
};
SUITE(outcomes, setup, teardown, tests);
