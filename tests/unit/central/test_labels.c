/* Colour labels out of what made-up departments sent, and as they are kept. Sums by hand stand beside each number. */
#include "central/green/labels.h"
#include "tests/support/department.h"
#include "tests/support/documents.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW CENTRE_NOW_S /* 2026-11-24 */
#define OCT (2026 * 12 + 9)

static char firm[19];

static bool catalogue_import(const char *path)
{
	struct source_changes changes;
	struct buf text = file_text(path);
	bool ok = source_import(department->db, buf_bytes(&text), "alice", NOW, &changes, &department_err);
	buf_clear(&text);
	return ok;
}

static void document_publish(const char *from, const char *to, int64_t now_s)
{
	int64_t id = 0;
	struct buf sample = file_text("central/sample/carbon-label.json"), text;
	const char *whole = buf_str(&sample), *at = strstr(whole, from);
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	buf_init(&text, 1U << 20);
	buf_add(&text, whole, (size_t)(at - whole));
	buf_add_str(&text, to);
	buf_add_str(&text, at + strlen(from));
	CU_ASSERT_TRUE_FATAL(document_draft_import(department, "carbon-label", "x", buf_bytes(&text), "alice", now_s,
						   &id, &department_err) &&
			     release_submit(department, id, "alice", false, now_s, &department_err) &&
			     release_approve(department, id, "bob", now_s, &department_err) &&
			     release_publish(department, id, "bob", now_s, &department_err));
	buf_clear(&text);
	buf_clear(&sample);
}

static void setup(void)
{
	department_open();
	department_uscc(3, firm);
	CU_ASSERT_TRUE_FATAL(catalogue_import("central/sample/energy-sources.json"));
	centre_publish_document(&centre, "carbon-label");
}

static int64_t load(const char *source, const char *period, const char *text)
{
	struct batch_new n = department_new(period, bytes_of(text));
	n.source = source;
	int64_t id = department_load_parts(&n, bytes_of(text), BATCH_PART_MAX);
	if (id == 0)
		printf("\n    %s", department_err.text);
	return id;
}

/* The twelve months to October 2026: 100,000 kWh each, less so much in the last. */
static int64_t meters_load(int less)
{
	char text[4096];
	size_t len =
		(size_t)snprintf(text, sizeof(text), "uscc,meter,carrier,unit,month,before,after,last,quantity\n");
	for (int m = 0; m < 12; m++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s,E1,electricity,kWh,%d-%02d,%d,%d,,\n",
					firm, m < 2 ? 2025 : 2026, m < 2 ? 11 + m : m - 1, m * 100000,
					(m + 1) * 100000 - (m == 11 ? less : 0));
	return load("power-energy-meter", "2026-10", text);
}

static int64_t output_load(void)
{
	char text[4096];
	size_t len = (size_t)snprintf(text, sizeof(text), "uscc,industry,unit,month,quantity\n");
	for (int m = 0; m < 12; m++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s,C17,万元,%d-%02d,700.5\n", firm,
					m < 2 ? 2025 : 2026, m < 2 ? 11 + m : m - 1);
	return load("statistics-output", "2026-10", text);
}

static struct label_kept kept;
static bool fresh;
static struct buf computed;

static bool compute(int32_t month, int64_t now_s)
{
	struct identifier id;
	const struct label_ask ask = { &id, month, "label", "alice" };
	CU_ASSERT_TRUE_FATAL(identifier_parse(IDENTIFIER_USCC, firm, 18, 0, &id, NULL, NULL));
	department_err = (struct err){ 0 };
	buf_clear(&computed);
	buf_init(&computed, 1U << 21);
	bool ok = labels_compute(department, &ask, now_s, &kept, &computed, &fresh, &department_err);
	return ok;
}

static const char *label_on(int64_t day, int64_t known_s)
{
	static char text[64];
	struct identifier id;
	struct label_kept k = { 0 };
	bool there = false;
	struct subject_group *g = calloc(1, sizeof(*g));
	CU_ASSERT_TRUE_FATAL(g != NULL && identifier_parse(IDENTIFIER_USCC, firm, 18, 0, &id, NULL, NULL));
	CU_ASSERT_TRUE(subject_group(department, &id, g, NULL) &&
		       labels_find(department, g, day, known_s, &k, &there, NULL));
	free(g);
	snprintf(text, sizeof(text), there ? "%s %lld" : "-", k.word.code, (long long)k.version);
	return text;
}

static const char *said(void)
{
	return buf_str(&computed);
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
		CU_ASSERT_TRUE_FATAL(labels_verify(department, &after, &n, wrong_count, NULL, &department_err));
		all += n;
	} while (n > 0);
	return all;
}

static void a_label_comes_out_of_what_departments_sent_and_is_kept_with_it(void)
{
	const int64_t today = green_day_of_s(NOW);
	CU_ASSERT_TRUE(meters_load(0) > 0 && output_load() > 0);
	CU_ASSERT_TRUE(compute(0, NOW) && fresh);
	/* 684,000,000 g / 8,406 = 81,370.4 g: 678 thousandths of the benchmark */
	CU_ASSERT_STRING_EQUAL(kept.word.code, "dark_green");
	CU_ASSERT(kept.month == OCT && kept.version == 1 && kept.sample);
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "\"intensity_grams\":81370"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "\"of_benchmark_thousandths\":678"));
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "\"from\":\"2025-11\",\"to\":\"2026-10\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "\"source\":\"power-energy-meter\""));
	CU_ASSERT_PTR_NULL(strstr(said(), firm));
	/* again is the same row */
	int64_t first = kept.id;
	CU_ASSERT_TRUE(compute(OCT, NOW + 60) && !fresh && kept.id == first);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM carbon_label"), 1);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE what = 'green.label'"), 1);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM subject_read WHERE purpose = 'label'"), 2);
	CU_ASSERT_STRING_EQUAL(label_on(today, INT64_MAX), "dark_green 1");
	CU_ASSERT_STRING_EQUAL(label_on(today, NOW), "-"); /* not known before */
	CU_ASSERT_STRING_EQUAL(label_on(today + 340, INT64_MAX), "dark_green 1");
	CU_ASSERT_STRING_EQUAL(label_on(today + 373, INT64_MAX),
			       "-"); /* December 2027: more than twelve months old */
	CU_ASSERT_EQUAL(verify(), 1);
	CU_ASSERT_EQUAL(wrongs, 0);
}

static void a_later_document_and_a_later_correction_give_another_label_and_leave_the_first(void)
{
	const int64_t today = green_day_of_s(NOW);
	CU_ASSERT_TRUE(meters_load(0) > 0 && output_load() > 0 && compute(0, NOW));
	struct buf first;
	buf_init(&first, 1U << 21);
	buf_add_str(&first, said());
	document_publish("\"grams\": 570", "\"grams\": 970", NOW + 10);
	CU_ASSERT_TRUE(compute(0, NOW + 20) && fresh);
	/* 1,164,000,000 / 8,406 = 138,472.5: 1,154 thousandths */
	CU_ASSERT_STRING_EQUAL(kept.word.code, "yellow");
	CU_ASSERT_EQUAL(kept.version, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "\"of_benchmark_thousandths\":1154"));
	CU_ASSERT_STRING_EQUAL(label_on(today, NOW + 20), "dark_green 1");
	CU_ASSERT_STRING_EQUAL(label_on(today, NOW + 21), "yellow 2");
	/* the department corrects October: 40,000 kWh less */
	CU_ASSERT_TRUE(meters_load(40000) > 0 && compute(0, NOW + 30) && fresh);
	/* 1,160,000 kWh × 970 = 1,125,200,000 / 8,406 = 133,856.8: 1,115 thousandths */
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "\"of_benchmark_thousandths\":1115"));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM carbon_label"), 3);
	CU_ASSERT_EQUAL(verify(), 3);
	CU_ASSERT_EQUAL(wrongs, 0);
	/* a row that was touched is found */
	CU_ASSERT_TRUE(db_exec(department->db, "UPDATE carbon_label SET label = 'dark_green' WHERE id = 2", NULL));
	(void)verify();
	CU_ASSERT_EQUAL(wrongs, 1);
	CU_ASSERT_TRUE(db_exec(department->db, "UPDATE carbon_label SET sealed = zeroblob(80) WHERE id = 3", NULL));
	(void)verify();
	CU_ASSERT_EQUAL(wrongs, 2);
	buf_clear(&first);
}

static void what_lacks_gives_no_label_and_takes_back_the_one_of_that_month(void)
{
	const int64_t today = green_day_of_s(NOW);
	CU_ASSERT_TRUE(meters_load(0) > 0 && compute(0, NOW) && fresh);
	CU_ASSERT_STRING_EQUAL(kept.word.code, "");
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "no-output"));
	CU_ASSERT_STRING_EQUAL(label_on(today, INT64_MAX), "-");
	CU_ASSERT_TRUE(output_load() > 0 && compute(0, NOW + 1));
	CU_ASSERT_STRING_EQUAL(label_on(today, INT64_MAX), "dark_green 1");
	/* October's counter runs backwards by what the department sends now */
	CU_ASSERT_TRUE(meters_load(100001) > 0 && compute(0, NOW + 2) && fresh);
	CU_ASSERT_PTR_NOT_NULL(strstr(said(), "\"code\":\"reset\""));
	CU_ASSERT_STRING_EQUAL(label_on(today, INT64_MAX), "-");
	CU_ASSERT_STRING_EQUAL(label_on(today, NOW + 2), "dark_green 1");
	CU_ASSERT_EQUAL(verify(), 3);
	CU_ASSERT_EQUAL(wrongs, 0);
}

static void rows_that_are_wrong_by_themselves_are_refused_where_they_come_in(void)
{
	static const char *const wrong[] = {
		"E1,electricity,kWh,2026-10,-5,10,,", /* below zero */
		"E1,electricity,,2026-10,0,10,,",     /* no unit */
		"E1,electricity,kWh,2026-13,0,10,,",  /* no month */
		",electricity,kWh,2026-10,0,10,,",    /* no meter */
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char row[200], text[600];
		snprintf(row, sizeof(row), "%s,%s\n", firm, wrong[i]);
		snprintf(text, sizeof(text),
			 "uscc,meter,carrier,unit,month,before,after,last,quantity\n%s%s,E%zu,electricity,kWh,2026-"
			 "10,0,10,,\n",
			 row, firm, i);
		int64_t id = load("power-energy-meter", "2026-10", text);
		CU_ASSERT_TRUE_FATAL(id > 0);
		const struct batch b = department_batch(id);
		CU_ASSERT_EQUAL(b.intake.rejected, 1);
		CU_ASSERT_EQUAL(b.intake.accepted, 1);
	}
	CU_ASSERT_FALSE(compute(OCT + 1, NOW)); /* November is not over */
	CU_ASSERT_EQUAL(department_err.code, ERR_INPUT);
}

static void labels_close(void)
{
	buf_wipe(&computed);
	buf_clear(&computed);
	department_close();
}

static CU_TestInfo kept_tests[] = {
	{ "a label comes out of what departments sent and is kept with it",
	  a_label_comes_out_of_what_departments_sent_and_is_kept_with_it },
	{ "a later document and a later correction give another label and leave the first",
	  a_later_document_and_a_later_correction_give_another_label_and_leave_the_first },
	{ "what lacks gives no label and takes back the one of that month",
	  what_lacks_gives_no_label_and_takes_back_the_one_of_that_month },
	{ "rows that are wrong by themselves are refused where they come in",
	  rows_that_are_wrong_by_themselves_are_refused_where_they_come_in },
	CU_TEST_INFO_NULL,
};
SUITE(labels, setup, labels_close, kept_tests);
