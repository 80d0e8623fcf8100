#include "central/ingest/subject.h"
#include "tests/support/department.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static struct identifier enterprise(unsigned i)
{
	struct identifier id;
	char code[19];
	department_uscc(i, code);
	CU_ASSERT_TRUE(identifier_parse(IDENTIFIER_USCC, code, 18, 0, &id, NULL, &department_err));
	return id;
}

struct seen {
	unsigned records, rows;
	char periods[64];
};

static void see(void *arg, const struct subject_record *r)
{
	struct seen *s = arg;
	s->records++;
	s->rows += r->record->row;
	strncat(s->periods, r->batch->period, sizeof(s->periods) - strlen(s->periods) - 1);
	strncat(s->periods, " ", sizeof(s->periods) - strlen(s->periods) - 1);
}

static struct seen seen_of(unsigned i)
{
	static struct subject_group g;
	struct identifier id = enterprise(i);
	struct seen s = { 0 };
	bool more = false;
	CU_ASSERT_TRUE(
		subject_group(department, &id, &g, &department_err) &&
		subject_read(department, &g, "loan review", "alice", CENTRE_NOW_S, see, &s, &more, &department_err) &&
		!more);
	return s;
}

static void a_subject_is_found_across_periods_in_what_counts(void)
{
	department_load_made("2026-09", 1, 3000, "2026-09", "");
	department_load_made("2026-10", 1, 3000, "2026-10", "");
	department_load_made("2026-10", 1001, 2900, "2026-10", "");
	CU_ASSERT_STRING_EQUAL(seen_of(2000).periods, "2026-09 2026-10 ");
	CU_ASSERT_STRING_EQUAL(seen_of(500).periods, "2026-09 ");
	CU_ASSERT_STRING_EQUAL(seen_of(3500).periods, "2026-10 ");
	CU_ASSERT_EQUAL(seen_of(9000).records, 0);
	for (unsigned i = 1001; i <= 3000; i += 61)
		CU_ASSERT_EQUAL(seen_of(i).rows, i + 1 + i - 1001 + 2);
}

static void a_held_batch_and_a_second_row_of_a_key_are_nobodys(void)
{
	char one[19], text[512];
	department_load_made("2026-09", 1, 100, "2026-09", "");
	department_load_made("2026-10", 1, 20, "2026-10", "");
	CU_ASSERT_STRING_EQUAL(seen_of(5).periods, "2026-09 ");
	department_uscc(5, one);
	snprintf(text, sizeof(text), "统一社会信用代码,月份,营业收入,备注\n%s,2026-08,1,\n%s,2026-08,2,\n", one, one);
	int64_t id = department_load_text("2026-08", text);
	CU_ASSERT_EQUAL(department_batch(id).duplicates, 1);
	CU_ASSERT_STRING_EQUAL(seen_of(5).periods, "2026-08 2026-09 ");
}

static void merged_subjects_are_read_as_one_and_taken_apart_again(void)
{
	struct identifier a = enterprise(1), b = enterprise(2), d = enterprise(3);
	department_load_made("2026-10", 1, 100, "2026-10", "");
	int64_t blocks = centre_count(&centre, "SELECT COUNT(*) FROM batch_block");
	CU_ASSERT_FALSE(subject_merge(department, &a, &b, "", "alice", CENTRE_NOW_S, &department_err));
	CU_ASSERT_TRUE(subject_merge(department, &a, &b, "same owner", "alice", CENTRE_NOW_S, &department_err));
	CU_ASSERT_TRUE(subject_merge(department, &b, &d, "same owner", "alice", CENTRE_NOW_S, &department_err));
	CU_ASSERT_FALSE(subject_merge(department, &d, &a, "again", "alice", CENTRE_NOW_S, &department_err));
	CU_ASSERT_EQUAL(department_err.code, ERR_CONFLICT);
	CU_ASSERT_EQUAL(seen_of(1).records, 3);
	CU_ASSERT_EQUAL(seen_of(3).records, 3);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch_block"), blocks);
	CU_ASSERT_FALSE(subject_unmerge(department, &a, "wrong", "bob", CENTRE_NOW_S, &department_err));
	CU_ASSERT_EQUAL(department_err.code, ERR_MISSING);
	CU_ASSERT_TRUE(subject_unmerge(department, &b, "wrong", "bob", CENTRE_NOW_S, &department_err));
	CU_ASSERT_EQUAL(seen_of(1).records, 2);
	CU_ASSERT_EQUAL(seen_of(2).records, 1);
	CU_ASSERT_TRUE(subject_merge(department, &b, &a, "right", "bob", CENTRE_NOW_S, &department_err));
	CU_ASSERT_EQUAL(seen_of(2).records, 3);
}

static void count_read(void *arg, int64_t time_s, const char *who, const char *purpose)
{
	unsigned *n = arg;
	*n += time_s == CENTRE_NOW_S && strcmp(who, "alice") == 0 && strcmp(purpose, "loan review") == 0;
}

static void every_read_is_logged_with_its_purpose_and_none_goes_without(void)
{
	static struct subject_group g;
	struct identifier a = enterprise(1), b = enterprise(2);
	struct seen s = { 0 };
	bool more = false;
	unsigned n = 0;
	department_load_made("2026-10", 1, 20, "2026-10", "");
	(void)seen_of(1);
	CU_ASSERT_TRUE(subject_merge(department, &a, &b, "same", "alice", CENTRE_NOW_S, &department_err));
	(void)seen_of(1);
	CU_ASSERT_TRUE(subject_reads(department, &b, 10, count_read, &n, &department_err));
	CU_ASSERT_EQUAL(n, 1);
	n = 0;
	CU_ASSERT_TRUE(subject_reads(department, &a, 10, count_read, &n, &department_err));
	CU_ASSERT_EQUAL(n, 2);
	CU_ASSERT_TRUE(subject_group(department, &a, &g, &department_err));
	CU_ASSERT_FALSE(subject_read(department, &g, "", "alice", CENTRE_NOW_S, see, &s, &more, &department_err));
	CU_ASSERT_EQUAL(s.records, 0);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE what = 'subject.show'"), 2);
	/* Neither the log nor the aliases say who. */
	struct db_query *q = db_query(
		department->db, "SELECT sealed FROM subject UNION ALL SELECT subject FROM audit", &department_err);
	bool row = false;
	CU_ASSERT_PTR_NOT_NULL_FATAL(q);
	while (db_next(q, &row, &department_err) && row)
		CU_ASSERT_PTR_NULL(memmem(db_bytes(q, 0).data, db_bytes(q, 0).len, a.canonical, 18));
	db_finish(q);
}

static CU_TestInfo tests[] = {
	{ "a subject is found across periods in what counts", a_subject_is_found_across_periods_in_what_counts },
	{ "a held batch and a second row of a key are nobody's", a_held_batch_and_a_second_row_of_a_key_are_nobodys },
	{ "merged subjects are read as one and taken apart again",
	  merged_subjects_are_read_as_one_and_taken_apart_again },
	{ "every read is logged with its purpose and none goes without",
	  every_read_is_logged_with_its_purpose_and_none_goes_without },
	CU_TEST_INFO_NULL,
};

SUITE(ingest_subject, department_open, department_close, tests);
