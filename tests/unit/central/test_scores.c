/* Models and scores that last, in a real database. */
#include "central/score/scores.h"
#include "central/score/pmml.h"
#include "protocol/base/file.h"
#include "protocol/rule.h"
#include "tests/support/cards.h"
#include "tests/support/centre.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW     CENTRE_NOW_S /* 2026-11-24 */
#define FAMILY  "personal"
#define SOMEONE "330802185001010013" /* nobody's */

static struct centre centre;
static struct err err;
static char first[MODEL_HEX + 1], second[MODEL_HEX + 1];

static const char *model_text(const char *points)
{
	char body[800];
	snprintf(body, sizeof(body),
		 "<Characteristic name='age' reasonCode='AGE' baselineScore='9'><Attribute "
		 "partialScore='%s'><SimplePredicate "
		 "field='age' operator='lessThan' value='30'/></Attribute><Attribute "
		 "partialScore='9'><True/></Attribute>"
		 "</Characteristic><Characteristic name='home' reasonCode='HOME' baselineScore='3'><Attribute "
		 "partialScore='3'>"
		 "<SimplePredicate field='home' operator='equal' value='own'/></Attribute></Characteristic>",
		 points);
	return card_pmml("<DataField name='age' optype='continuous' dataType='integer'/>"
			 "<DataField name='home' optype='categorical' dataType='string'/>",
			 "initialScore='100'",
			 "<MiningField name='age' missingValueReplacement='40'/><MiningField name='home'/>", body);
}

static void setup(void)
{
	centre_open(&centre);
	err = (struct err){ 0 };
	CU_ASSERT_TRUE_FATAL(card_crown(&centre.release, FAMILY, bytes_of(model_text("2")), NOW, first, &err));
	CU_ASSERT_TRUE_FATAL(card_challenge(&centre.release, FAMILY, bytes_of(model_text("5.5")), second, &err));
}

static void teardown(void)
{
	centre_close(&centre);
}

static struct scores_summary summary;

static bool run(const char *csv, int64_t day)
{
	const struct scores_run r = { FAMILY, "alice", IDENTIFIER_RESIDENT_ID, day, NOW };
	return scores_run(&centre.release, &r, bytes_of(csv), &summary, &err);
}

static void refused(const char *csv, int64_t day, const char *words)
{
	int64_t before = centre_count(&centre, "SELECT count(*) FROM score_input");
	CU_ASSERT_FALSE(run(csv, day));
	if (strstr(err.text, words) == NULL)
		printf("\n    wanted '%s', got '%s'", words, err.text);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT count(*) FROM score_input"), before);
}

static char seen[4000];

static void note(void *arg, const struct score_row *r)
{
	char day[11];
	(void)arg;
	day_format(r->oldest_day, day);
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s %s %s %s %s\n", r->masked,
		 model_role_name(r->role), r->value, day, r->result);
}

static void champion_and_challengers_score_the_same_stored_inputs(void)
{
	CU_ASSERT_TRUE_FATAL(
		run("subject,age,home,age@date,@date\n" SOMEONE ",25,own,2026-03-01,2026-05-01\n", SCORES_NO_DAY));
	CU_ASSERT_EQUAL(summary.rows, 1);
	CU_ASSERT_EQUAL(summary.scores, 2);
	CU_ASSERT_EQUAL(summary.champion_valid, 1);
	seen[0] = '\0';
	CU_ASSERT_TRUE(scores_each(&centre.release, IDENTIFIER_RESIDENT_ID, SOMEONE, 10, note, NULL, &err));
	CU_ASSERT_STRING_EQUAL(seen, "330802********0013 champion 105 2026-03-01 "
				     "{\"why_zh\":\"\",\"why\":\"\",\"knockouts\":[],\"reasons\":[{\"code\":\"AGE\","
				     "\"difference\":\"7\"}],"
				     "\"points\":[\"2\",\"3\"],\"inputs\":{}}\n"
				     "330802********0013 challenger 108.5 2026-03-01 "
				     "{\"why_zh\":\"\",\"why\":\"\",\"knockouts\":[],\"reasons\":[{\"code\":\"AGE\","
				     "\"difference\":\"3.5\"}],"
				     "\"points\":[\"5.5\",\"3\"],\"inputs\":{}}\n");
}

static void a_score_without_a_value_is_kept_with_its_why(void)
{
	CU_ASSERT_TRUE_FATAL(run("subject,age,home\n" SOMEONE ",old,own\n", 20000));
	CU_ASSERT_EQUAL(summary.champion_invalid, 1);
	seen[0] = '\0';
	CU_ASSERT_TRUE(scores_each(&centre.release, IDENTIFIER_RESIDENT_ID, SOMEONE, 1, note, NULL, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen, "champion  2024-10-04"));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen, "\"why\":\"input 'age' is invalid\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen, "\"age\":\"invalid_refused\""));
}

static void neither_number_nor_inputs_are_on_disk_in_the_clear(void)
{
	char path[128];
	struct buf file;
	CU_ASSERT_TRUE_FATAL(run("subject,home\n" SOMEONE ",bridge-under-which\n", 20000));
	CU_ASSERT_TRUE(db_exec(centre.db, "PRAGMA wal_checkpoint(TRUNCATE)", &err));
	snprintf(path, sizeof(path), "%s/central.db", centre.dir);
	buf_init(&file, 1 << 26);
	CU_ASSERT_TRUE_FATAL(file_read(path, &file, &err));
	CU_ASSERT_PTR_NULL(memmem(file.data, file.len, SOMEONE, 18));
	CU_ASSERT_PTR_NULL(memmem(file.data, file.len, "bridge-under", 12));
	CU_ASSERT_PTR_NOT_NULL(memmem(file.data, file.len, "330802********0013", 18));
	buf_clear(&file);
}

static void a_table_is_scored_whole_or_not_at_all(void)
{
	refused("subject,age\n" SOMEONE ",25\n330802185001010014,25\n", 20000, "row 3: subject");
	refused("subject,age\n" SOMEONE ",25\n" SOMEONE "\n", 20000, "row 3: it is not well formed");
	refused("subject,aeg\n" SOMEONE ",25\n", 20000, "no model of personal has a field 'aeg'");
	refused("age\n25\n", 20000, "there is no column 'subject'");
	refused("subject,age,age\n" SOMEONE ",1,2\n", 20000, "two columns are 'age'");
	refused("subject,home@date\n" SOMEONE ",2026-01-01\n", 20000, "there is no such field beside it");
	refused("subject,age\n" SOMEONE ",25\n", SCORES_NO_DAY, "row 2: age: of which day is it?");
	refused("subject,age,@date\n" SOMEONE ",25,2026-02-30\n", SCORES_NO_DAY, "row 2: age");
	refused("subject,age,@date\n" SOMEONE ",25,2027-01-01\n", SCORES_NO_DAY, "age is of a day to come");
	refused("subject,age\n" SOMEONE ",\n", 20000, "there is no input at all");
	refused("", 20000, "the table is empty");
	struct scores_run r = { "nobody", "alice", IDENTIFIER_RESIDENT_ID, 20000, NOW };
	CU_ASSERT_FALSE(scores_run(&centre.release, &r, bytes_of("subject\n"), &summary, &err));
	CU_ASSERT_EQUAL(err.code, ERR_MISSING);
}

/* --- replay --- */

static void many(size_t rows)
{
	struct buf csv;
	buf_init(&csv, 1 << 20);
	buf_add_str(&csv, "subject,age,home\n");
	for (size_t i = 0; i < rows; i++)
		buf_add_fmt(&csv, SOMEONE ",%zu,%s\n", i % 90, i % 7 == 0 ? "rent" : i % 5 == 0 ? "" : "own");
	CU_ASSERT_TRUE_FATAL(run(buf_str(&csv), 20000));
	buf_clear(&csv);
}

static void every_score_is_recomputed_from_what_is_stored(void)
{
	struct scores_replay r;
	many(400);
	CU_ASSERT_TRUE(model_retire(&centre.release, FAMILY, second, "bob", NOW, &err));
	CU_ASSERT_TRUE(scores_replay(&centre.release, 0, 500, &r, &err)); /* in slices */
	CU_ASSERT_EQUAL(r.checked, 500);
	CU_ASSERT_EQUAL(r.different, 0);
	CU_ASSERT_TRUE(scores_replay(&centre.release, r.last, 500, &r, &err));
	CU_ASSERT_EQUAL(r.checked, 300);
	CU_ASSERT_EQUAL(r.different, 0);
	CU_ASSERT_TRUE(scores_replay(&centre.release, r.last, 500, &r, &err));
	CU_ASSERT_EQUAL(r.checked, 0);
}

static void a_model_that_comes_later_scores_what_is_stored_once(void)
{
	char third[MODEL_HEX + 1];
	struct scores_backfill b;
	struct scores_replay r;
	many(300);
	CU_ASSERT_TRUE(card_challenge(&centre.release, FAMILY, bytes_of(model_text("4")), third, &err));
	CU_ASSERT_TRUE(scores_backfill(&centre.release, FAMILY, third, 100, "alice", NOW, &b, &err));
	CU_ASSERT_EQUAL(b.scored, 200);
	CU_ASSERT_TRUE(scores_backfill(&centre.release, FAMILY, third, 0, "alice", NOW, &b, &err));
	CU_ASSERT_EQUAL(b.scored, 100); /* the others it has already */
	CU_ASSERT_TRUE(scores_backfill(&centre.release, FAMILY, third, 0, "alice", NOW, &b, &err));
	CU_ASSERT_EQUAL(b.scored, 0);
	CU_ASSERT_TRUE(scores_replay(&centre.release, 0, 5000, &r, &err));
	CU_ASSERT_EQUAL(r.checked, 900);
	CU_ASSERT_EQUAL(r.different, 0);
	CU_ASSERT_TRUE(model_retire(&centre.release, FAMILY, third, "bob", NOW, &err));
	CU_ASSERT_FALSE(scores_backfill(&centre.release, FAMILY, third, 0, "alice", NOW, &b, &err));
	CU_ASSERT_EQUAL(err.code, ERR_CONFLICT);
}

static void scores_are_given_as_a_table_in_slices(void)
{
	struct buf out;
	int64_t last = 0;
	buf_init(&out, 1 << 20);
	many(3);
	CU_ASSERT_TRUE(scores_csv(&centre.release, FAMILY, second, 2, &out, &last, &err));
	CU_ASSERT_EQUAL(last, 6);
	char want[400];
	snprintf(want, sizeof(want),
		 "4,2,330802********0013,%s,challenger,108.5,2024-10-04,%d\n6,3,330802********0013,%s,challenger,108."
		 "5,2024-10-04,%d\n",
		 second, NOW, second, NOW);
	CU_ASSERT_STRING_EQUAL(buf_str(&out), want);
	buf_reset(&out);
	CU_ASSERT_TRUE(scores_csv(&centre.release, FAMILY, NULL, 6, &out, &last, &err));
	CU_ASSERT_TRUE(last == 6 && out.len == 0);
	buf_clear(&out);
}

static void tampered(const char *sql, const char *words)
{
	struct scores_replay r;
	CU_ASSERT_TRUE(db_exec(centre.db, sql, &err));
	CU_ASSERT_TRUE(scores_replay(&centre.release, 0, 500, &r, &err));
	CU_ASSERT_TRUE(r.different > 0 && r.first_different > 0);
	if (strstr(r.first_what, words) == NULL)
		printf("\n    wanted '%s', got '%s'", words, r.first_what);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.first_what, words));
}

static void what_was_changed_behind_our_back_is_named(void)
{
	struct scores_replay r;
	many(20);
	tampered("UPDATE score SET value = '104' WHERE id = 3", "stored '104', now '105'");
	CU_ASSERT_TRUE(scores_replay(&centre.release, 0, 500, &r, &err));
	CU_ASSERT_EQUAL(r.different, 1);
	CU_ASSERT_EQUAL(r.first_different, 3);
	tampered("UPDATE score SET value = '105', result = replace(result, 'AGE', 'EGA') WHERE id = 3",
		 "for other reasons");
	tampered(
		"UPDATE score SET result = replace(result, 'EGA', 'AGE') WHERE id = 3;"
		"UPDATE score_input SET inputs = (SELECT inputs FROM score_input WHERE id = 5) || x'00' WHERE id = 4",
		"subject");
	CU_ASSERT_TRUE(db_exec(
		centre.db,
		"UPDATE score_input SET inputs = (SELECT inputs FROM score_input WHERE id = 5) WHERE id = 4", &err));
	tampered("UPDATE model SET document = document || x'20' WHERE imported_by = 'alice'",
		 "is not what its hash says");
}

/* --- models --- */

static char roles[1000];

static void role_note(void *arg, const struct model *m)
{
	(void)arg;
	snprintf(roles + strlen(roles), sizeof(roles) - strlen(roles), "%s:%s ",
		 strcmp(m->hash, first) == 0 ? "first" : "second", model_role_name(m->role));
}

static void expect_roles(const char *want)
{
	roles[0] = '\0';
	CU_ASSERT_TRUE(model_each(&centre.release, FAMILY, role_note, NULL, &err));
	CU_ASSERT_STRING_EQUAL(roles, want);
}

static int64_t draft_of(const char *text, const char *operator)
{
	char hash[MODEL_HEX + 1];
	int64_t id = 0;
	CU_ASSERT_TRUE_FATAL(model_import(&centre.release, FAMILY, bytes_of(text), false, "card.pmml", operator, NOW,
					  hash, &id, &err));
	return id;
}

static bool published(int64_t id)
{
	return release_submit(&centre.release, id, "alice", false, NOW, &err) &&
	       release_approve(&centre.release, id, "bob", NOW, &err) &&
	       release_publish(&centre.release, id, "bob", NOW, &err);
}

static void a_champion_takes_two_people_and_there_is_one(void)
{
	expect_roles("first:champion second:challenger ");
	int64_t id = draft_of(model_text("5.5"), "alice");
	CU_ASSERT_FALSE(release_publish(&centre.release, id, "bob", NOW, &err)); /* nobody has approved it */
	CU_ASSERT_TRUE(release_submit(&centre.release, id, "carol", false, NOW, &err));
	CU_ASSERT_FALSE(release_approve(&centre.release, id, "alice", NOW, &err));
	CU_ASSERT_EQUAL(err.code, ERR_DENIED);
	CU_ASSERT_FALSE(release_approve(&centre.release, id, "carol", NOW, &err));
	CU_ASSERT_FALSE(model_retire(&centre.release, FAMILY, first, "bob", NOW, &err));
	CU_ASSERT_EQUAL(err.code, ERR_CONFLICT);
	CU_ASSERT_TRUE(release_approve(&centre.release, id, "bob", NOW, &err));
	expect_roles("first:champion second:challenger ");
	CU_ASSERT_TRUE(release_publish(&centre.release, id, "alice", NOW, &err));
	expect_roles("second:champion first:challenger ");
	CU_ASSERT_TRUE(model_retire(&centre.release, FAMILY, first, "bob", NOW, &err));
	expect_roles("second:champion first:retired ");
	CU_ASSERT_FALSE(db_exec(centre.db, "UPDATE model_role SET role = 1", NULL)); /* nor by hand */
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT count(*) FROM audit WHERE what LIKE 'model.%'"), 6);
}

static void a_model_imported_again_has_the_release_that_is_under_way(void)
{
	int64_t id = draft_of(model_text("5.5"), "carol");
	CU_ASSERT_EQUAL(draft_of(model_text("5.50"), "alice"), id);
	CU_ASSERT_TRUE(published(id));
	CU_ASSERT_EQUAL(draft_of(model_text("5.5"), "alice"), id); /* in force */
	int64_t other = draft_of(model_text("2"), "alice");
	CU_ASSERT_TRUE(release_submit(&centre.release, other, "alice", false, NOW, &err));
	CU_ASSERT_TRUE(release_reject(&centre.release, other, "bob", NOW, &err));
	CU_ASSERT_NOT_EQUAL(draft_of(model_text("2"), "alice"), other); /* refused: it begins anew */
}

static void rolling_back_makes_an_older_model_champion_again_in_a_new_version(void)
{
	int64_t id = 0;
	struct release now;
	CU_ASSERT_TRUE_FATAL(published(draft_of(model_text("5.5"), "alice")));
	CU_ASSERT_TRUE(model_retire(&centre.release, FAMILY, first, "bob", NOW, &err));
	CU_ASSERT_TRUE_FATAL(release_rollback(&centre.release, RELEASE_MODEL FAMILY, 1, "alice", NOW, &id, &err));
	CU_ASSERT_TRUE(published(id));
	expect_roles("first:champion second:challenger ");
	CU_ASSERT_TRUE(release_current(&centre.release, RELEASE_MODEL FAMILY, &now, &err));
	CU_ASSERT_EQUAL(now.version, 3);
}

static void a_model_is_released_to_nobody_but_central(void)
{
	struct head h = { 0 };
	struct release now;
	bool known = true;
	int64_t id = 0;
	CU_ASSERT_TRUE(release_current(&centre.release, RELEASE_MODEL FAMILY, &now, &err));
	CU_ASSERT_EQUAL(now.kind, RELEASE_CENTRAL);
	CU_ASSERT_TRUE_FATAL(release_head_fill(&centre.release, &h, &err));
	CU_ASSERT_EQUAL(h.entries_len, 0);
	head_clear(&h);
	CU_ASSERT_TRUE(release_object_known(&centre.release, now.content.hash, &known, &err));
	CU_ASSERT_FALSE(known);
	CU_ASSERT_FALSE(document_draft_import(&centre.release, RELEASE_MODEL FAMILY, "x", bytes_of("{}"), "alice",
					      NOW, &id, &err));
	CU_ASSERT_EQUAL(err.code, ERR_DENIED);
}

static void a_champion_of_before_models_had_releases_is_version_1(void)
{
	struct release now;
	CU_ASSERT_TRUE_FATAL(db_exec(centre.db, "DELETE FROM release", &err));
	CU_ASSERT_TRUE(models_adopt(&centre.release, &err));
	CU_ASSERT_TRUE(models_adopt(&centre.release, &err)); /* as at each start */
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT count(*) FROM release"), 1);
	CU_ASSERT_TRUE_FATAL(release_current(&centre.release, RELEASE_MODEL FAMILY, &now, &err));
	CU_ASSERT_EQUAL(now.version, 1);
	CU_ASSERT_STRING_EQUAL(now.created_by, "alice");
	CU_ASSERT_STRING_EQUAL(now.decided_by, "bob");
	expect_roles("first:champion second:challenger ");
	CU_ASSERT_TRUE(published(draft_of(model_text("5.5"), "alice")));
	expect_roles("second:champion first:challenger ");
}

static void a_model_is_named_by_its_hash_and_never_changed(void)
{
	char again[MODEL_HEX + 1], prefix[9];
	int64_t id = 0;
	struct buf document;
	uint8_t hash[HASH_LEN];
	CU_ASSERT_TRUE(model_import(&centre.release, FAMILY, bytes_of(model_text("2.0")), false, "", "carol", NOW,
				    again, &id, &err));
	CU_ASSERT_STRING_EQUAL(again, first); /* spelled otherwise, the same card */
	expect_roles("first:champion second:challenger ");
	buf_init(&document, DOCUMENT_MAX);
	snprintf(prefix, sizeof(prefix), "%s", first);
	CU_ASSERT_TRUE_FATAL(model_document(&centre.release, prefix, &document, &err));
	sha256(buf_bytes(&document), hash);
	hex_encode(hash, HASH_LEN, again);
	CU_ASSERT_STRING_EQUAL(again, first);
	buf_clear(&document);
	CU_ASSERT_FALSE(model_document(&centre.release, "00000000", &document, &err));
	CU_ASSERT_EQUAL(err.code, ERR_MISSING);
	CU_ASSERT_FALSE(model_document(&centre.release, "12", &document, &err));
	CU_ASSERT_EQUAL(err.code, ERR_INPUT);
}

static void a_model_with_faults_is_imported_by_force_alone(void)
{
	char hash[MODEL_HEX + 1];
	int64_t id = 0;
	const char *gap =
		card_pmml("<DataField name='n' optype='continuous' dataType='double'/>", "useReasonCodes='false'",
			  "<MiningField name='n'/>",
			  "<Characteristic name='size'><Attribute partialScore='1'><SimplePredicate field='n' "
			  "operator='lessThan' value='3'/></Attribute></Characteristic>");
	CU_ASSERT_FALSE(
		model_import(&centre.release, "gap", bytes_of(gap), false, "", "alice", NOW, hash, &id, &err));
	CU_ASSERT_EQUAL(err.code, ERR_DENIED);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "gap, characteristic 1 size n [3, ∞)"));
	CU_ASSERT_TRUE(model_import(&centre.release, "gap", bytes_of(gap), true, "", "alice", NOW, hash, &id, &err));
	CU_ASSERT_FALSE(release_submit(&centre.release, id, "alice", false, NOW, &err)); /* nor submitted */
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "lint found 1 faults"));
	CU_ASSERT_TRUE(release_submit(&centre.release, id, "alice", true, NOW, &err));
	CU_ASSERT_FALSE(
		model_import(&centre.release, "gap", bytes_of("<PMML/>"), true, "", "alice", NOW, hash, &id, &err));
	CU_ASSERT_FALSE(
		model_import(&centre.release, "No Name", bytes_of(gap), true, "", "alice", NOW, hash, &id, &err));
}

static void the_shipped_samples_are_marked_and_have_no_faults(void)
{
	int64_t id = 0;
	static const char *const files[] = { "enterprise", "personal" };
	for (size_t i = 0; i < 2; i++) {
		char path[80], hash[MODEL_HEX + 1];
		struct buf text;
		snprintf(path, sizeof(path), "central/sample/%s-credit.pmml", files[i]);
		buf_init(&text, DOCUMENT_MAX);
		CU_ASSERT_TRUE_FATAL(file_read(path, &text, &err));
		CU_ASSERT_TRUE(model_import(&centre.release, files[i], buf_bytes(&text), false, "", "alice", NOW,
					    hash, &id, &err));
		struct card *c = model_card(&centre.release, hash, &err);
		CU_ASSERT_PTR_NOT_NULL_FATAL(c);
		CU_ASSERT_TRUE(c->sample && strstr(c->description, "样例") != NULL &&
			       strstr(c->name, "样例") != NULL);
		CU_ASSERT_TRUE(c->knockouts_len > 0);
		card_free(c);
		buf_clear(&text);
	}
}

static CU_TestInfo tests[] = {
	{ "champion and challengers score the same stored inputs",
	  champion_and_challengers_score_the_same_stored_inputs },
	{ "a score without a value is kept with its why", a_score_without_a_value_is_kept_with_its_why },
	{ "neither number nor inputs are on disk in the clear", neither_number_nor_inputs_are_on_disk_in_the_clear },
	{ "a table is scored whole or not at all", a_table_is_scored_whole_or_not_at_all },
	{ "every score is recomputed from what is stored", every_score_is_recomputed_from_what_is_stored },
	{ "a model that comes later scores what is stored, once",
	  a_model_that_comes_later_scores_what_is_stored_once },
	{ "scores are given as a table, in slices", scores_are_given_as_a_table_in_slices },
	{ "what was changed behind our back is named", what_was_changed_behind_our_back_is_named },
	{ "a model imported again has the release that is under way",
	  a_model_imported_again_has_the_release_that_is_under_way },
	{ "rolling back makes an older model champion again in a new version",
	  rolling_back_makes_an_older_model_champion_again_in_a_new_version },
	{ "a model is released to nobody but central", a_model_is_released_to_nobody_but_central },
	{ "a champion of before models had releases is version 1",
	  a_champion_of_before_models_had_releases_is_version_1 },
	{ "a champion takes two people, and there is one", a_champion_takes_two_people_and_there_is_one },
	{ "a model is named by its hash and never changed", a_model_is_named_by_its_hash_and_never_changed },
	{ "a model with faults is imported by force alone", a_model_with_faults_is_imported_by_force_alone },
	{ "the shipped samples are marked and have no faults", the_shipped_samples_are_marked_and_have_no_faults },
	CU_TEST_INFO_NULL,
};
SUITE(scores, setup, teardown, tests);
