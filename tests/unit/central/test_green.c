/* Green ratings of made-up enterprises. */
#include "central/green/library.h"
#include "protocol/rule.h"
#include "tests/support/department.h"
#include "tests/support/documents.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW CENTRE_NOW_S /* 2026-11-24 */

static const char labels[] = "rater,uscc,project,grade,from,until,reference,withdrawn\n";
static struct green_import import;
static struct green_facts facts;
static char firm[19], other[19];

static void setup(void)
{
	department_open();
	centre_publish_document(&centre, "green");
	department_uscc(3, firm);
	department_uscc(4, other);
}

static int64_t day(const char *text)
{
	int64_t d = 0;
	CU_ASSERT_TRUE_FATAL(day_parse(bytes_of(text), &d, NULL));
	return d;
}

/* Rows without their subject, the firm's: "rater,project,grade,from,until,reference,withdrawn", lines apart. */
static bool take(const char *who, const char *rows, int64_t now_s)
{
	char text[8192], rater[64];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s", labels);
	while (*rows != '\0') {
		size_t comma = strcspn(rows, ","), end = strcspn(rows, "\n");
		snprintf(rater, sizeof(rater), "%.*s", (int)comma, rows);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s,%s,%.*s\n", rater, who,
					(int)(end - comma - 1), rows + comma + 1);
		rows += end + (rows[end] == '\n');
	}
	department_err = (struct err){ 0 };
	return green_import(department, INTAKE_CSV, bytes_of(text), "alice", now_s, &import, &department_err);
}

static struct identifier id_of(const char *code)
{
	struct identifier id;
	CU_ASSERT_TRUE_FATAL(identifier_parse(IDENTIFIER_USCC, code, 18, 0, &id, NULL, NULL));
	return id;
}

static void facts_of(const char *code, const char *project, int64_t known_s)
{
	struct identifier id = id_of(code);
	struct subject_group *g = calloc(1, sizeof(*g));
	CU_ASSERT_PTR_NOT_NULL_FATAL(g);
	CU_ASSERT_TRUE(subject_group(department, &id, g, NULL) &&
		       green_facts_load(department, g, project, known_s, &facts, NULL));
	free(g);
}

static struct green_standing standing(const char *code, const char *as_of)
{
	struct green_standing s;
	facts_of(code, "", GREEN_NEVER);
	green_standing(&facts, day(as_of), &s);
	return s;
}

/* "light_green agreed", with " own" where our own differs. */
static const char *is(const char *code, const char *as_of)
{
	static char text[80];
	struct green_standing s = standing(code, as_of);
	snprintf(text, sizeof(text), "%s %s%s", s.rating != NULL ? s.rating->level.word.code : "-",
		 green_basis_name(s.basis), s.own != NULL ? " own" : "");
	return text;
}

static void key_of(const char *code, const char *as_of, char out[GREEN_KEY_HEX + 1])
{
	char hex[2 * HASH_LEN + 1];
	struct green_standing s = standing(code, as_of);
	hex_encode(s.key, HASH_LEN, hex);
	snprintf(out, GREEN_KEY_HEX + 1, "%s", hex);
}

static void a_row_that_is_wrong_comes_back_with_its_reason_and_the_others_count(void)
{
	static const struct {
		const char *row, *field, *code;
	} wrong[] = {
		{ "sample-agency-z,,G1,2026-01-01,2026-12-31,R1,", "rater", "constraint-error" },
		{ "sample-agency-a,,AAA,2026-01-01,2026-12-31,R1,", "grade", "constraint-error" },
		{ "sample-agency-a,,G1,2026-01-01,2025-12-31,R1,", "until", "constraint-error" },
		{ "sample-agency-a,,G1,2026-01-01,2206-12-31,R1,", "until", "constraint-error" },
		{ "sample-agency-a,,G1,2026-02-30,2026-12-31,R1,", "from", "type-error" },
		{ "sample-agency-a,,G1,03/02/2026,2026-12-31,R1,", "from", "type-error" },
		{ "sample-agency-a,,G1,2026-01-01,2026-12-31,,", "reference", "constraint-error" },
		{ "sample-agency-a,P0123456789012345678901234567890123456789,G1,2026-01-01,2026-12-31,R,", "project",
		  "constraint-error" },
		{ "sample-agency-a,,G1,2026-01-01,2026-12-31,R,,more", "", "extra-cell" },
		{ "sample-agency-a,,G1,2026-01-01", "until", "missing-cell" },
	};
	char rows[512];
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(rows, sizeof(rows), "%s\nsample-agency-a,,G2,2026-01-01,2026-12-31,R%zu,", wrong[i].row, i);
		CU_ASSERT_TRUE(take(firm, rows, NOW));
		CU_ASSERT(import.sheet.accepted == 1 && import.sheet.rejected == 1 && import.sheet.rejects_len >= 1);
		CU_ASSERT_STRING_EQUAL(import.sheet.rejects[0].field, wrong[i].field);
		CU_ASSERT_STRING_EQUAL(import.sheet.rejects[0].code, wrong[i].code);
		CU_ASSERT(import.sheet.rejects[0].row == 2 && import.sheet.rejects[0].zh[0] != '\0');
	}
	CU_ASSERT_TRUE(take("91330802MA0000103D", "sample-agency-a,,G1,2026-01-01,2026-12-31,R1,", NOW));
	CU_ASSERT(import.sheet.rejected == 1 && strcmp(import.sheet.rejects[0].field, "uscc") == 0);
}

static void a_file_that_cannot_be_read_leaves_nothing(void)
{
	CU_ASSERT_FALSE(green_import(department, INTAKE_CSV, bytes_of(""), "alice", NOW, &import, &department_err));
	CU_ASSERT_FALSE(
		green_import(department, INTAKE_CSV, bytes_of("a,b\n1,2\n"), "alice", NOW, &import, &department_err));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM green_rating"), 0);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE what = 'green.import'"), 0);
}

static void the_same_file_again_changes_nothing(void)
{
	static const char rows[] = "sample-agency-a,,G1,2026-01-01,2026-12-31,R1,\n"
				   "sample-agency-b,P-1,AA,2026-03-01,2027-02-28,R2,";
	CU_ASSERT_TRUE(take(firm, rows, NOW) && import.sheet.accepted == 2);
	CU_ASSERT_TRUE(take(firm, rows, NOW + 5) && import.sheet.repeated == 2 && import.sheet.accepted == 0);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM green_rating"), 2);
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-11-24"), "dark_green agreed");
	facts_of(firm, "P-1", GREEN_NEVER);
	CU_ASSERT(facts.ratings_len == 1 && strcmp(facts.ratings[0].rater, "sample-agency-b") == 0);
	/* NDJSON says the same */
	char line[400];
	snprintf(line, sizeof(line),
		 "{\"rater\":\"sample-agency-a\",\"uscc\":\"%s\",\"grade\":\"G1\",\"from\":\"2026-01-01\",\"until\":"
		 "\"2026-12-31\",\"reference\":\"R1\"}\n",
		 firm);
	CU_ASSERT_TRUE(
		green_import(department, INTAKE_NDJSON, bytes_of(line), "alice", NOW, &import, &department_err));
	CU_ASSERT(import.sheet.repeated == 1 && import.sheet.rejected == 0);
}

static void a_rating_counts_from_its_first_day_to_its_last(void)
{
	CU_ASSERT_TRUE(take(firm, "sample-agency-a,,G2,2026-03-01,2026-08-31,R1,", NOW));
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-02-28"), "- none");
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-03-01"), "light_green agreed");
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-08-31"), "light_green agreed");
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-09-01"), "- none");
}

static void a_later_rating_of_one_rater_replaces_the_earlier_for_good(void)
{
	CU_ASSERT_TRUE(take(firm,
			    "sample-agency-a,,G1,2026-01-01,2026-12-31,R1,\n"
			    "sample-agency-a,,G3,2026-05-01,2026-06-30,R2,",
			    NOW));
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-04-30"), "dark_green agreed");
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-05-01"), "yellow agreed");
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-07-01"), "- none");
}

static void a_rating_withdrawn_by_its_rater_counts_no_more(void)
{
	CU_ASSERT_TRUE(take(firm, "sample-agency-a,,G1,2026-01-01,2026-12-31,R1,", NOW));
	CU_ASSERT_TRUE(take(firm, "sample-agency-a,,G1,2026-01-01,2026-12-31,R1,2026-06-01", NOW + 1));
	CU_ASSERT_EQUAL(import.sheet.accepted, 1);
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-05-31"), "dark_green agreed");
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-06-01"), "- none");
	/* as it was known before */
	struct green_standing s;
	facts_of(firm, "", NOW + 1);
	green_standing(&facts, day("2026-06-01"), &s);
	CU_ASSERT_PTR_NOT_NULL(s.rating);
}

static void raters_that_disagree_are_a_conflict_which_precedence_decides_until_a_person_does(void)
{
	char key[GREEN_KEY_HEX + 1];
	CU_ASSERT_TRUE(take(firm,
			    "sample-agency-a,,G1,2026-01-01,2026-12-31,R1,\n"
			    "sample-agency-b,,B,2026-02-01,2026-12-31,R2,",
			    NOW));
	CU_ASSERT_EQUAL(import.conflicts, 1);
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-01-31"), "dark_green agreed");
	/* of one rank the less green */
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-11-24"), "yellow precedence");
	CU_ASSERT_TRUE(take(firm, "sample-bureau,,蓝,2026-02-01,2026-12-31,R3,", NOW));
	/* the lowest rank */
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-11-24"), "light_green precedence");
	struct green_standing s = standing(firm, "2026-11-24");
	CU_ASSERT_EQUAL(s.among_len, 3);
	key_of(firm, "2026-11-24", key);
	CU_ASSERT_FALSE(green_resolve(department, key, 99, "why", "bob", NOW, &department_err));
	CU_ASSERT_EQUAL(department_err.code, ERR_INPUT);
	CU_ASSERT_FALSE(green_resolve(department, key, 1, "", "bob", NOW, &department_err));
	CU_ASSERT_FALSE(green_resolve(department, "0123456789abcdef", 1, "why", "bob", NOW, &department_err));
	CU_ASSERT_EQUAL(department_err.code, ERR_MISSING);
	CU_ASSERT_TRUE(green_resolve(department, key, 1, "looked at the plant", "bob", NOW + 1, &department_err));
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-11-24"), "dark_green resolved");
	CU_ASSERT_STRING_EQUAL(standing(firm, "2026-11-24").resolution->why, "looked at the plant");
	CU_ASSERT_TRUE(green_resolve(department, key, 0, "none of them", "bob", NOW + 2, &department_err));
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-11-24"), "- none");
	/* another rating makes another conflict, which nobody has decided */
	CU_ASSERT_TRUE(take(firm, "sample-agency-b,,C,2026-03-01,2026-12-31,R4,", NOW + 3));
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-11-24"), "light_green precedence");
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE what = 'green.resolve'"), 2);
}

static void a_rater_that_contradicts_himself_is_a_conflict(void)
{
	CU_ASSERT_TRUE(take(firm,
			    "sample-agency-a,,G1,2026-01-01,2026-12-31,R1,\n"
			    "sample-agency-a,,G4,2026-01-01,2026-10-31,R2,",
			    NOW));
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-06-01"), "red precedence");
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-11-24"), "dark_green agreed");
	CU_ASSERT_EQUAL(import.conflicts, 0);
}

static void our_own_rating_counts_only_where_no_other_does_and_shows_where_it_differs(void)
{
	struct identifier id = id_of(firm);
	struct green_rating own = { .rater = GREEN_OWN,
				    .grade = "red",
				    .reference = "own",
				    .level = { { "red", "红", "red" }, false },
				    .ordinal = 3,
				    .from_day = day("2026-01-01"),
				    .until_day = day("2026-12-31"),
				    .withdrawn_day = GREEN_NEVER,
				    .recorded_by = "alice",
				    .recorded_s = NOW };
	bool fresh = false;
	CU_ASSERT_TRUE(db_begin(department->db, NULL) &&
		       green_record(department, &id, &own, 1, &fresh, &department_err) &&
		       db_commit(department->db, NULL) && fresh);
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-11-24"), "red agreed");
	CU_ASSERT_TRUE(take(firm, "sample-agency-a,,G1,2026-01-01,2026-06-30,R1,", NOW));
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-03-01"), "dark_green agreed own");
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-11-24"), "red agreed");
}

/* --- whatever the order --- */

struct said {
	struct buf text;
};

static void span_say(void *arg, const struct green_span *s)
{
	struct said *k = arg;
	char key[2 * HASH_LEN + 1];
	const struct green_standing *g = &s->standing;
	hex_encode(g->key, HASH_LEN, key);
	buf_add_fmt(&k->text, "%lld %s %s %s %s\n", (long long)s->from_day, green_basis_name(g->basis),
		    g->rating != NULL ? g->rating->reference : "-", g->conflict ? key : "",
		    g->own != NULL ? g->own->reference : "");
}

static bool entry_say(void *arg, const struct green_entry *entry, struct err *e)
{
	struct said *k = arg;
	(void)e;
	buf_add_fmt(&k->text, "%s/%s\n", entry->group->members[0].canonical, entry->project);
	green_spans(entry->facts, span_say, k);
	return true;
}

static char *library_say(void)
{
	struct said k;
	buf_init(&k.text, 1U << 20);
	CU_ASSERT_TRUE(green_each(department, 0, day("2026-11-24"), GREEN_NEVER, entry_say, &k, &department_err));
	char *out = strdup(buf_str(&k.text));
	if (out == NULL)
		abort();
	buf_clear(&k.text);
	return out;
}

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return *seed >> 33;
}

#define ROWS 60

/* Ratings of three enterprises and a project, many of which overlap, contradict each other or are withdrawn. */
static void row_make(unsigned i, char out[160])
{
	static const char *const raters[][2] = {
		{ "sample-agency-a", "G1" }, { "sample-agency-a", "G4" }, { "sample-agency-b", "AAA" },
		{ "sample-agency-b", "B" },  { "sample-bureau", "蓝" },   { "sample-bureau", "红" },
	};
	char code[19];
	uint64_t seed = i * 7919U + 5;
	unsigned rater = (unsigned)(next(&seed) % 6), month = (unsigned)(next(&seed) % 8) + 1,
		 len = (unsigned)(next(&seed) % 4), gone = (unsigned)(next(&seed) % 5);
	department_uscc(3 + (unsigned)(next(&seed) % 3), code);
	snprintf(out, 160, "%s,%s,%s,%s,2026-%02u-01,2026-%02u-28,R%u,%s\n", raters[rater][0], code,
		 next(&seed) % 4 == 0 ? "P-1" : "", raters[rater][1], month, month + len, i,
		 gone == 0 ? "2026-05-15" : "");
}

static void import_in_order(const unsigned *order, size_t parts)
{
	char text[16384], row[160];
	size_t at = 0;
	for (size_t p = 0; p < parts; p++) {
		size_t len = (size_t)snprintf(text, sizeof(text), "%s", labels), end = ROWS * (p + 1) / parts;
		for (; at < end; at++) {
			row_make(order[at], row);
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", row);
		}
		CU_ASSERT_TRUE_FATAL(green_import(department, INTAKE_CSV, bytes_of(text), "alice", NOW + (int64_t)p,
						  &import, &department_err));
		CU_ASSERT_EQUAL(import.sheet.rejected, 0);
	}
}

static void the_order_in_which_files_come_says_nothing(void)
{
	unsigned order[ROWS];
	uint64_t seed = 20261201;
	char *first = NULL;
	for (unsigned i = 0; i < ROWS; i++)
		order[i] = i;
	for (unsigned round = 0; round < 12; round++) {
		if (round > 0) {
			department_close();
			setup();
			for (unsigned i = ROWS - 1; i > 0; i--) {
				unsigned k = (unsigned)(next(&seed) % (i + 1)), t = order[i];
				order[i] = order[k];
				order[k] = t;
			}
		}
		import_in_order(order, round % 4 + 1);
		char *said = library_say();
		if (first == NULL) {
			first = said;
			CU_ASSERT_PTR_NOT_NULL(strstr(first, "precedence"));
			CU_ASSERT_PTR_NOT_NULL(strstr(first, "/P-1"));
			continue;
		}
		CU_ASSERT_STRING_EQUAL(said, first);
		free(said);
	}
	free(first);
}

/* --- others --- */

static void numbers_that_are_one_subject_have_one_standing(void)
{
	struct identifier a = id_of(firm), b = id_of(other);
	CU_ASSERT_TRUE(take(firm, "sample-agency-a,,G1,2026-01-01,2026-12-31,R1,", NOW));
	CU_ASSERT_TRUE(take(other, "sample-agency-b,,B,2026-01-01,2026-12-31,R2,", NOW));
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-11-24"), "dark_green agreed");
	CU_ASSERT_TRUE(subject_merge(department, &a, &b, "one firm", "alice", NOW, &department_err));
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-11-24"), "yellow precedence");
	CU_ASSERT_STRING_EQUAL(is(other, "2026-11-24"), "yellow precedence");
	char *said = library_say();
	CU_ASSERT_PTR_NOT_NULL(strstr(said, firm));
	CU_ASSERT_PTR_NULL(strstr(said, other));
	free(said);
	CU_ASSERT_TRUE(subject_unmerge(department, &b, "two firms", "alice", NOW, &department_err));
	CU_ASSERT_STRING_EQUAL(is(firm, "2026-11-24"), "dark_green agreed");
}

static void what_ends_soon_and_what_contradicts_raises_an_alarm_once_a_day(void)
{
	CU_ASSERT_TRUE(green_watch(department, NOW, &department_err));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM alarm"), 0);
	CU_ASSERT_TRUE(take(firm,
			    "sample-agency-a,,G1,2026-01-01,2026-12-31,R1,\n"
			    "sample-agency-b,,B,2026-02-01,2026-12-31,R2,",
			    NOW));
	CU_ASSERT_TRUE(take(other, "sample-agency-b,,A,2026-02-01,2027-12-31,R3,", NOW));
	CU_ASSERT_TRUE(green_watch(department, NOW, &department_err));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM alarm"), 0); /* it was looked at today */
	CU_ASSERT_TRUE(green_watch(department, NOW + 86400, &department_err) &&
		       green_watch(department, NOW + 86401, &department_err));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT times FROM alarm WHERE code = 'green.expiring'"), 1);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT times FROM alarm WHERE code = 'green.conflict'"), 1);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM alarm WHERE detail LIKE '1 %'"), 2);
}

static void rules_that_cannot_be_understood_are_refused_by_name(void)
{
	static const char *const wrong[][2] = {
		{ "\"level\": \"dark_green\"", "\"level\": \"darkest\"" },
		{ "\"code\": \"yellow\", \"zh\": \"黄\", \"en\": \"yellow\", \"green\": false",
		  "\"code\": \"red\", \"zh\": \"黄\", \"en\": \"yellow\", \"green\": false" },
		{ "\"green\": false", "\"green\": 0" },
		{ "\"sample-agency-b\"", "\"own\"" },
		{ "\"sample-agency-b\"", "\"sample-agency-a\"" },
		{ "\"field\": \"label\"", "\"field\": \"lable\"" },
		{ "\"take\": \"sum\"", "\"take\": \"mean\"" },
		{ "\"take\": \"count\"", "\"take\": \"count\", \"field\": \"x\"" },
		{ "\"warn_days\": 60", "\"warn_days\": 0" },
		{ "\"grade\": \"G2\"", "\"grade\": \"G1\"" },
		{ "\"op\": \"equal\"", "\"op\": \"equals\"" },
		{ "\"sample\": true", "\"sample\": true, \"other\": 1" },
		{ "\"name\": \"permit_t\"", "\"name\": \"carbon_t\"" },
	};
	struct buf sample = file_text("central/sample/green.json"), text;
	buf_init(&text, 1U << 20);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int64_t id = 0;
		const char *whole = buf_str(&sample), *at = strstr(whole, wrong[i][0]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(at);
		buf_reset(&text);
		buf_add(&text, whole, (size_t)(at - whole));
		buf_add_str(&text, wrong[i][1]);
		buf_add_str(&text, at + strlen(wrong[i][0]));
		department_err = (struct err){ 0 };
		CU_ASSERT_FALSE(document_draft_import(department, "green", "x", buf_bytes(&text), "alice", NOW, &id,
						      &department_err));
		CU_ASSERT_EQUAL(department_err.code, ERR_INPUT);
	}
	buf_clear(&text);
	buf_clear(&sample);
}

static CU_TestInfo tests[] = {
	{ "a row that is wrong comes back with its reason and the others count",
	  a_row_that_is_wrong_comes_back_with_its_reason_and_the_others_count },
	{ "a file that cannot be read leaves nothing", a_file_that_cannot_be_read_leaves_nothing },
	{ "the same file again changes nothing", the_same_file_again_changes_nothing },
	{ "a rating counts from its first day to its last", a_rating_counts_from_its_first_day_to_its_last },
	{ "a later rating of one rater replaces the earlier for good",
	  a_later_rating_of_one_rater_replaces_the_earlier_for_good },
	{ "a rating withdrawn by its rater counts no more", a_rating_withdrawn_by_its_rater_counts_no_more },
	{ "raters that disagree are a conflict which precedence decides until a person does",
	  raters_that_disagree_are_a_conflict_which_precedence_decides_until_a_person_does },
	{ "a rater that contradicts himself is a conflict", a_rater_that_contradicts_himself_is_a_conflict },
	{ "our own rating counts only where no other does and shows where it differs",
	  our_own_rating_counts_only_where_no_other_does_and_shows_where_it_differs },
	{ "the order in which files come says nothing", the_order_in_which_files_come_says_nothing },
	{ "numbers that are one subject have one standing", numbers_that_are_one_subject_have_one_standing },
	{ "what ends soon and what contradicts raises an alarm once a day",
	  what_ends_soon_and_what_contradicts_raises_an_alarm_once_a_day },
	{ "rules that cannot be understood are refused by name",
	  rules_that_cannot_be_understood_are_refused_by_name },
	CU_TEST_INFO_NULL,
};

SUITE(green, setup, department_close, tests);
