/* Ratings of our own of made-up enterprises and projects, by the sample's rules. */
#include "central/green/labels.h"
#include "central/green/own.h"
#include "central/report/objections.h"
#include "tests/support/department.h"
#include "tests/support/documents.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW CENTRE_NOW_S /* 2026-11-24 */

static char firm[19];
static struct own_rating own;
static struct buf computed;

/* --- rules --- */

static struct green_rules *sample(void)
{
	struct buf cbor = sample_document("green");
	struct green_rules *r = green_rules_decode(buf_bytes(&cbor), NULL);
	buf_clear(&cbor);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	return r;
}

static struct own_fact *fact(struct own_facts *f, const char *name)
{
	for (size_t i = 0; i < f->len; i++)
		if (strcmp(f->facts[i].name, name) == 0)
			return &f->facts[i];
	abort();
}

static void the_first_rule_that_is_true_decides_and_one_that_cannot_be_decided_ends_it(void)
{
	static const struct {
		const char *project, *exceeded, *label; /* "" missing */
		int projects;                           /* -1 missing */
		const char *level, *rule, *stuck;
	} cases[] = {
		{ "", "", "", -1, "", "", "emissions-exceeded" },
		{ "", "", "dark_green", 3, "", "", "emissions-exceeded" },
		{ "", "true", "", -1, "red", "emissions-exceeded", "" },
		{ "", "true", "dark_green", 3, "red", "emissions-exceeded", "" },
		{ "", "false", "", 3, "", "", "label-red" },
		{ "", "false", "red", -1, "red", "label-red", "" },
		{ "", "false", "yellow", -1, "yellow", "label-yellow", "" },
		{ "", "false", "dark_green", -1, "", "", "label-dark-projects" },
		{ "", "false", "dark_green", 0, "light_green", "label-green", "" },
		{ "", "false", "dark_green", 1, "dark_green", "label-dark-projects", "" },
		{ "", "false", "light_green", -1, "light_green", "label-green", "" },
		{ "", "false", "another", 1, "", "", "" }, /* no rule is true */
		{ "P-1", "", "dark_green", 1, "", "", "project-emissions" },
		{ "P-1", "true", "dark_green", 1, "red", "project-emissions", "" },
		{ "P-1", "false", "red", 1, "light_green", "project-approved", "" },
		{ "P-1", "false", "", 0, "", "", "" },
	};
	struct green_rules *r = sample();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct own_facts f;
		const struct green_rule *stuck = NULL;
		own_facts_init(&f, r, green_day_of_s(NOW), cases[i].project);
		snprintf(f.facts[f.len++].name, sizeof(f.facts[0].name), "label");
		struct own_fact *exceeded = fact(&f, "exceeded"), *label = fact(&f, "label"),
				*projects = fact(&f, "projects");
		exceeded->kind = cases[i].exceeded[0] != '\0' ? VALUE_BOOL : VALUE_MISSING;
		exceeded->boolean = strcmp(cases[i].exceeded, "true") == 0;
		label->kind = cases[i].label[0] != '\0' ? VALUE_TEXT : VALUE_MISSING;
		snprintf(label->text, sizeof(label->text), "%s", cases[i].label);
		projects->kind = cases[i].projects >= 0 ? VALUE_NUMBER : VALUE_MISSING;
		projects->number = cases[i].projects;
		const struct green_rule *rule = own_judge(r, &f, &stuck);
		CU_ASSERT_STRING_EQUAL(rule != NULL ? r->levels[rule->level].word.code : "", cases[i].level);
		CU_ASSERT_STRING_EQUAL(rule != NULL ? rule->word.code : "", cases[i].rule);
		CU_ASSERT_STRING_EQUAL(stuck != NULL ? stuck->word.code : "", cases[i].stuck);
	}
	green_rules_free(r);
}

/* --- out of rows --- */

static int64_t load(const char *source, const char *text)
{
	struct batch_new n = department_new("2026-10", bytes_of(text));
	n.source = source;
	int64_t id = department_load_parts(&n, bytes_of(text), BATCH_PART_MAX);
	if (id == 0)
		printf("\n    %s", department_err.text);
	CU_ASSERT_TRUE_FATAL(id > 0);
	return id;
}

static void catalogue_import(const char *path)
{
	struct source_changes changes;
	struct buf text = file_text(path);
	CU_ASSERT_TRUE_FATAL(
		source_import(department->db, buf_bytes(&text), "alice", NOW, &changes, &department_err));
	buf_clear(&text);
}

/* Two months; whether October's was above the limit. */
static int64_t emissions_load(const char *exceeded)
{
	char text[512];
	snprintf(text, sizeof(text),
		 "uscc,month,carbon_t,permit_t,exceeded\n%s,2026-09,10.5,20,false\n%s,2026-10,11.25,20,%s\n", firm,
		 firm, exceeded);
	return load("ecology-emissions", text);
}

/* Of each source of projects something must be there for a count to be known. */
static void projects_load(void)
{
	static const char *const sources[] = { "dev-reform-green-project", "ecology-green-project",
					       "forestry-green-project", "investment-green-project" };
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		char text[512], other[19];
		department_uscc(i == 0 ? 3 : 40 + (unsigned)i, other);
		snprintf(text, sizeof(text),
			 "uscc,project,title,investment,approved\n%s,P-%zu,样例项目,100,2026-10-%02zu\n", other,
			 i + 1, i + 1);
		(void)load(sources[i], text);
	}
}

/* Twelve months of 100,000 kWh and of 700.5 of output: dark green (test_labels.c). */
static void label_compute(void)
{
	char meters[4096], output[4096];
	struct identifier id;
	struct label_kept kept;
	bool fresh = false;
	size_t a = (size_t)snprintf(meters, sizeof(meters),
				    "uscc,meter,carrier,unit,month,before,after,last,quantity\n"),
	       b = (size_t)snprintf(output, sizeof(output), "uscc,industry,unit,month,quantity\n");
	for (int m = 0; m < 12; m++) {
		int year = m < 2 ? 2025 : 2026, month = m < 2 ? 11 + m : m - 1;
		a += (size_t)snprintf(meters + a, sizeof(meters) - a, "%s,E1,electricity,kWh,%d-%02d,,,,100000\n",
				      firm, year, month);
		b += (size_t)snprintf(output + b, sizeof(output) - b, "%s,c17,万元,%d-%02d,700.5\n", firm, year,
				      month);
	}
	(void)load("power-energy-meter", meters);
	(void)load("statistics-output", output);
	CU_ASSERT_TRUE_FATAL(identifier_parse(IDENTIFIER_USCC, firm, 18, 0, &id, NULL, NULL));
	const struct label_ask ask = { &id, 0, "label", "alice" };
	CU_ASSERT_TRUE_FATAL(labels_compute(department, &ask, NOW, &kept, NULL, &fresh, &department_err));
	CU_ASSERT_STRING_EQUAL(kept.word.code, "dark_green");
}

static void setup(void)
{
	department_open();
	department_uscc(3, firm);
	catalogue_import("central/sample/sources.json");
	catalogue_import("central/sample/energy-sources.json");
	centre_publish_document(&centre, "green");
	centre_publish_document(&centre, "carbon-label");
	buf_init(&computed, OWN_JSON_MAX);
}

static void teardown(void)
{
	buf_wipe(&computed);
	department_close();
}

static bool rate(const char *project, int64_t now_s)
{
	struct identifier id;
	const struct own_ask ask = { &id, project, "rate", "alice" };
	CU_ASSERT_TRUE_FATAL(identifier_parse(IDENTIFIER_USCC, firm, 18, 0, &id, NULL, NULL));
	department_err = (struct err){ 0 };
	buf_wipe(&computed);
	buf_init(&computed, OWN_JSON_MAX);
	bool ok = own_rate(department, &ask, now_s, &own, &computed, &department_err);
	if (!ok)
		printf("\n    %s", department_err.text);
	return ok;
}

static const char *said(void)
{
	return buf_str(&computed);
}

/* "red agreed", as known before known_s. */
static const char *is(const char *project, int64_t known_s)
{
	static char text[80];
	struct identifier id;
	struct green_standing s;
	struct green_facts *f = calloc(1, sizeof(*f));
	struct subject_group *g = calloc(1, sizeof(*g));
	CU_ASSERT_TRUE_FATAL(f != NULL && g != NULL &&
			     identifier_parse(IDENTIFIER_USCC, firm, 18, 0, &id, NULL, NULL));
	CU_ASSERT_TRUE(subject_group(department, &id, g, NULL) &&
		       green_facts_load(department, g, project, known_s, f, NULL));
	green_standing(f, green_day_of_s(NOW), &s);
	snprintf(text, sizeof(text), "%s %s%s", s.rating != NULL ? s.rating->level.word.code : "-",
		 green_basis_name(s.basis), s.own != NULL ? " own" : "");
	free(f);
	free(g);
	return text;
}

static size_t wrongs;

static void wrong_count(void *arg, int64_t id, const char *why)
{
	(void)arg, (void)id, (void)why;
	wrongs++;
}

static uint64_t verify(void)
{
	int64_t after = 0;
	uint64_t n = 0, all = 0;
	wrongs = 0;
	do {
		CU_ASSERT_TRUE_FATAL(own_verify(department, &after, &n, wrong_count, NULL, &department_err));
		all += n;
	} while (n > 0);
	return all;
}

static void a_rating_comes_out_of_rows_and_label_and_is_kept_with_its_reason(void)
{
	(void)emissions_load("false");
	CU_ASSERT_TRUE(rate("", NOW) && !own.rated && !own.fresh && !own.ended);
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "\"undecided\":{\"code\":\"label-red\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "\"missing\":[\"projects\",\"label\"]"));
	CU_ASSERT_STRING_EQUAL(is("", INT64_MAX), "- none");
	label_compute();
	projects_load();
	CU_ASSERT_TRUE(rate("", NOW) && own.rated && own.fresh);
	CU_ASSERT_STRING_EQUAL(own.level.code, "dark_green");
	CU_ASSERT_STRING_EQUAL(own.rule.code, "label-dark-projects");
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "\"name\":\"carbon_t\",\"number\":\"21.75\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "\"name\":\"projects\",\"number\":\"1\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "\"from\":\"ecology-emissions/"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "\"from\":\"label/1\""));
	CU_ASSERT_STRING_EQUAL(is("", INT64_MAX), "dark_green agreed");
	CU_ASSERT_STRING_EQUAL(is("", NOW), "- none");
	int64_t first = own.rating;
	CU_ASSERT_TRUE(rate("", NOW + 1) && own.rated && !own.fresh && own.rating == first);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM green_own"), 1);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT until_day - from_day FROM green_rating"), 365);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE what = 'green.rate'"), 1);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM subject_read WHERE purpose = 'rate'"), 3);
	CU_ASSERT_EQUAL(verify(), 1);
	CU_ASSERT_EQUAL(wrongs, 0);
}

static void third_parties_win_and_our_own_shows_where_it_differs(void)
{
	char text[400];
	struct green_import import;
	(void)emissions_load("true");
	CU_ASSERT_TRUE(rate("", NOW) && own.rated);
	CU_ASSERT_STRING_EQUAL(is("", INT64_MAX), "red agreed");
	snprintf(text, sizeof(text),
		 "rater,uscc,project,grade,from,until,reference,withdrawn\n"
		 "sample-agency-a,%s,,G1,2026-01-01,2026-12-31,R1,\n",
		 firm);
	CU_ASSERT_TRUE(green_import(department, INTAKE_CSV, bytes_of(text), "alice", NOW, &import, &department_err));
	CU_ASSERT_STRING_EQUAL(is("", INT64_MAX), "dark_green agreed own");
}

static void what_is_rated_again_on_one_day_counts_as_it_was_rated_last(void)
{
	(void)emissions_load("true");
	projects_load();
	label_compute();
	CU_ASSERT_TRUE(rate("", NOW) && own.rated);
	CU_ASSERT_STRING_EQUAL(is("", INT64_MAX), "red agreed");
	(void)emissions_load("false");
	CU_ASSERT_TRUE(rate("", NOW + 1) && own.fresh);
	CU_ASSERT_STRING_EQUAL(is("", INT64_MAX), "dark_green agreed");
	CU_ASSERT_STRING_EQUAL(is("", NOW + 1), "red agreed"); /* as it was known before */
	char text[512];
	snprintf(text, sizeof(text), "uscc,month,carbon_t,permit_t,exceeded\n%s,2026-10,11.25,20,true\n", firm);
	(void)load("ecology-emissions", text);
	CU_ASSERT_TRUE(rate("", NOW + 2) && own.fresh);
	CU_ASSERT_STRING_EQUAL(is("", INT64_MAX), "red agreed");
	CU_ASSERT_EQUAL(verify(), 3);
	CU_ASSERT_EQUAL(wrongs, 0);
	/* rows that were touched are found */
	CU_ASSERT_TRUE(db_exec(department->db, "UPDATE green_rating SET level = 'dark_green' WHERE id = 1", NULL));
	(void)verify();
	CU_ASSERT_EQUAL(wrongs, 1);
	CU_ASSERT_TRUE(db_exec(department->db, "UPDATE green_own SET sealed = zeroblob(90) WHERE rating = 2", NULL));
	(void)verify();
	CU_ASSERT_EQUAL(wrongs, 2);
}

static void where_no_rule_decides_any_more_the_rating_before_ends_today(void)
{
	static const char rules[] =
		"{\"type\":\"credit-rules\",\"title\":{\"zh\":\"样例\",\"en\":\"sample\"},\"sample\":true,"
		"\"objections\":{"
		"\"due_working_days\":5,\"holidays\":[],\"working_days\":[],\"holds\":[{\"indicator\":\"emissions\","
		"\"inputs\":[]}]},\"facts\":[]}";
	struct identifier id;
	int64_t batch = emissions_load("true"), objection = 0;
	CU_ASSERT_TRUE(rate("", NOW) && own.rated);
	CU_ASSERT_TRUE_FATAL(credit_rules_import(department, bytes_of(rules), "alice", NOW - 10, &department_err));
	CU_ASSERT_TRUE_FATAL(identifier_parse(IDENTIFIER_USCC, firm, 18, 0, &id, NULL, NULL));
	const struct objection_new n = {
		.subject = &id, .batch = batch, .row = 3, .field = "", .why = "wrong", .operator= "alice" };
	CU_ASSERT_TRUE_FATAL(objection_open(department, &n, NOW + 1, &objection, &department_err));
	CU_ASSERT_TRUE(rate("", NOW + 2) && !own.rated && own.ended);
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "\"name\":\"exceeded\",\"held\":true"));
	CU_ASSERT_STRING_EQUAL(is("", INT64_MAX), "- none");
	CU_ASSERT_STRING_EQUAL(is("", NOW + 2), "red agreed");
	CU_ASSERT_TRUE(rate("", NOW + 3) && !own.rated && !own.ended);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM green_withdrawal"), 1);
	/* rejected, the very same facts are a rating once more, on the same day */
	enum objection_state state;
	const struct objection_decision d = { .id = objection, .why = "it was so", .operator= "bob" };
	CU_ASSERT_TRUE_FATAL(objection_decide(department, &d, NOW + 4, &state, &department_err));
	CU_ASSERT_TRUE(rate("", NOW + 5) && own.rated && own.fresh);
	CU_ASSERT_STRING_EQUAL(is("", INT64_MAX), "red agreed");
	CU_ASSERT_EQUAL(verify(), 2);
	CU_ASSERT_EQUAL(wrongs, 0);
}

static void a_project_is_rated_by_its_own_rules_and_rows(void)
{
	(void)emissions_load("false");
	CU_ASSERT_TRUE(rate("P-1", NOW) && !own.rated);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(said(), "\"undecided\":{\"code\":\"project-approved\"")); /* no source has sent anything */
	projects_load();
	CU_ASSERT_TRUE(rate("P-1", NOW) && own.rated);
	CU_ASSERT_STRING_EQUAL(own.rule.code, "project-approved");
	CU_ASSERT_STRING_EQUAL(is("P-1", INT64_MAX), "light_green agreed");
	CU_ASSERT_STRING_EQUAL(is("", INT64_MAX), "- none");
	CU_ASSERT_TRUE(rate("P-2", NOW) && !own.rated); /* another's */
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "\"undecided\":null"));
	CU_ASSERT_EQUAL(verify(), 1);
	CU_ASSERT_EQUAL(wrongs, 0);
}

static void what_cannot_be_asked_is_refused(void)
{
	struct identifier id;
	struct own_ask ask = { &id, "P0123456789012345678901234567890123456789", "rate", "alice" };
	CU_ASSERT_TRUE_FATAL(identifier_parse(IDENTIFIER_USCC, firm, 18, 0, &id, NULL, NULL));
	CU_ASSERT_FALSE(own_rate(department, &ask, NOW, &own, NULL, &department_err));
	CU_ASSERT_EQUAL(department_err.code, ERR_INPUT);
	ask.project = "";
	ask.purpose = "";
	CU_ASSERT_FALSE(own_rate(department, &ask, NOW, &own, NULL, &department_err));
	CU_ASSERT_EQUAL(department_err.code, ERR_INPUT);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM green_rating"), 0);
}

static CU_TestInfo tests[] = {
	{ "the first rule that is true decides and one that cannot be decided ends it",
	  the_first_rule_that_is_true_decides_and_one_that_cannot_be_decided_ends_it },
	{ "a rating comes out of rows and label and is kept with its reason",
	  a_rating_comes_out_of_rows_and_label_and_is_kept_with_its_reason },
	{ "third parties win and our own shows where it differs",
	  third_parties_win_and_our_own_shows_where_it_differs },
	{ "what is rated again on one day counts as it was rated last",
	  what_is_rated_again_on_one_day_counts_as_it_was_rated_last },
	{ "where no rule decides any more the rating before ends today",
	  where_no_rule_decides_any_more_the_rating_before_ends_today },
	{ "a project is rated by its own rules and rows", a_project_is_rated_by_its_own_rules_and_rows },
	{ "what cannot be asked is refused", what_cannot_be_asked_is_refused },
	CU_TEST_INFO_NULL,
};
SUITE(own, setup, teardown, tests);
