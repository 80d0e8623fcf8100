/* What was superseded is erased by rule, and a read of when it counted says so. */
#include "central/ingest/expire.h"
#include "central/ingest/subject.h"
#include "tests/support/department.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#define DAY_S 86400

static struct err err;
static size_t marked;

static void setup(void)
{
	department_open();
	err = (struct err){ 0 };
}

static void count(void *arg, const struct batch *b)
{
	(void)arg, (void)b;
	marked++;
}

/* To its end; how many batches were marked, -1 on failure. */
static int64_t expire(const struct expiry *x, int64_t now_s)
{
	bool more = true;
	marked = 0;
	err = (struct err){ 0 };
	while (more) {
		if (!batch_expire(department, x, "kept long enough", "alice", now_s, count, NULL, &more, &err))
			return -1;
	}
	return (int64_t)marked;
}

static const struct expiry by_rule = { .source = "" };

/* Two batches for one period, made at one time: the first is superseded. */
static int64_t superseded(const char *period)
{
	int64_t first = department_load_made(period, 1, 30, period, "");
	CU_ASSERT_TRUE_FATAL(first != 0 && department_load_made(period, 1, 31, period, "") != 0);
	CU_ASSERT_EQUAL(department_batch(first).state, BATCH_SUPERSEDED);
	return first;
}

static bool rule(const char *days)
{
	char member[64];
	snprintf(member, sizeof(member), "'cadence':'monthly','keep_days':%s", days);
	return department_import("'cadence':'monthly'", member);
}

static void nothing_each(void *arg, const struct subject_record *r)
{
	(void)r;
	++*(int *)arg;
}

static bool read_at(int64_t at_s, int *n)
{
	struct subject_group g;
	struct identifier id;
	char code[19];
	bool more = false;
	*n = 0;
	department_uscc(7, code);
	err = (struct err){ 0 };
	return identifier_parse(IDENTIFIER_USCC, code, 18, CENTRE_NOW_S / DAY_S, &id, NULL, &err) &&
	       subject_group_at(department, &id, at_s, &g, &err) &&
	       subject_records(department, &g, nothing_each, n, &more, &err);
}

static int64_t rows_of(int64_t id)
{
	char sql[200];
	snprintf(sql, sizeof(sql),
		 "SELECT (SELECT COUNT(*) FROM batch_block WHERE batch = %lld) + (SELECT COUNT(*) FROM batch_index "
		 "WHERE"
		 " batch = %lld) + (SELECT COUNT(*) FROM batch_reject WHERE batch = %lld)",
		 (long long)id, (long long)id, (long long)id);
	return centre_count(&centre, sql);
}

static void rows_go_once_the_rule_says_so_and_the_batch_says_when(void)
{
	int64_t first = superseded("2026-10"), now_s = CENTRE_NOW_S;
	CU_ASSERT_EQUAL(department_batch(first).superseded_s, CENTRE_NOW_S);
	CU_ASSERT_EQUAL(expire(&by_rule, now_s + 4000LL * DAY_S), 0); /* no rule */
	CU_ASSERT_TRUE_FATAL(rule("30"));
	CU_ASSERT_EQUAL(expire(&by_rule, now_s + 30 * DAY_S - 1), 0);
	CU_ASSERT_TRUE(rows_of(first) > 0);
	CU_ASSERT_EQUAL(expire(&by_rule, now_s + 30 * DAY_S), 1);
	CU_ASSERT_EQUAL(rows_of(first), 0);
	CU_ASSERT_EQUAL(department_batch(first).erased_s, now_s + 30 * DAY_S);
	CU_ASSERT_EQUAL(department_batch(first).state, BATCH_SUPERSEDED);
	CU_ASSERT_TRUE(rows_of(first + 1) > 0);
	CU_ASSERT_EQUAL(expire(&by_rule, now_s + 60 * DAY_S), 0);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE what = 'batch.expire' AND operator ="
					      " 'alice' AND detail LIKE 'batch 1, 30 rows: kept%'"),
			1);
}

static void a_read_as_of_then_is_an_error_and_of_later_or_now_is_not(void)
{
	int n = 0;
	int64_t id = department_load_made("2026-10", 1, 30, "2026-10", "");
	struct buf file;
	struct batch_new f;
	bool again = false;
	struct batch b;
	/* superseded ten days later */
	department_file(&file, 1, 31, "2026-10", "");
	f = department_new("2026-10", buf_bytes(&file));
	int64_t later_s = CENTRE_NOW_S + 10 * DAY_S, second = 0;
	CU_ASSERT_TRUE_FATAL(batch_open(department, &f, "alice", later_s, &second, &again, &err) &&
			     batch_part(department, second, 0, buf_bytes(&file), later_s, &err));
	for (b = department_batch(second); b.state == BATCH_CHECKING; b = department_batch(second))
		CU_ASSERT_TRUE_FATAL(batch_check(department, second, later_s, &err));
	buf_clear(&file);
	CU_ASSERT_EQUAL(department_batch(id).superseded_s, later_s);
	CU_ASSERT_TRUE(read_at(CENTRE_NOW_S + DAY_S, &n));
	CU_ASSERT_EQUAL(n, 1);
	CU_ASSERT_TRUE_FATAL(rule("1"));
	CU_ASSERT_EQUAL(expire(&by_rule, later_s + 2 * DAY_S), 1);
	CU_ASSERT_FALSE(read_at(CENTRE_NOW_S + DAY_S, &n));
	CU_ASSERT_EQUAL(err.code, ERR_STALE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "batch 1 of tax-revenue 2026-10 counted then"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "read as of 2026-12-04 or later"));
	CU_ASSERT_TRUE(read_at(CENTRE_NOW_S, &n)); /* before it counted */
	CU_ASSERT_EQUAL(n, 0);
	CU_ASSERT_TRUE(read_at(later_s + DAY_S, &n));
	CU_ASSERT_EQUAL(n, 1);
	CU_ASSERT_TRUE(read_at(INT64_MAX, &n));
	CU_ASSERT_EQUAL(n, 1);
	struct buf out;
	buf_init(&out, 65536);
	CU_ASSERT_FALSE(batch_rejects(department, id, &out, &err));
	CU_ASSERT_EQUAL(err.code, ERR_STALE);
	CU_ASSERT_TRUE(batch_rejects(department, second, &out, &err));
	buf_clear(&out);
}

static void a_source_without_a_rule_goes_by_the_operator_and_one_with_it_never(void)
{
	const struct expiry older = { .source = "tax-revenue", .older_days = 5 },
			    other = { .source = "no-such", .older_days = 5 },
			    look = { .source = "", .older_days = 5, .look = true };
	int64_t first = superseded("2026-10"), now_s = CENTRE_NOW_S + 6 * DAY_S;
	bool more = false;
	CU_ASSERT_EQUAL(expire(&other, now_s), 0);
	CU_ASSERT_EQUAL(expire(&look, now_s), 1);
	CU_ASSERT_TRUE(rows_of(first) > 0);
	CU_ASSERT_EQUAL(department_batch(first).erased_s, 0);
	CU_ASSERT_FALSE(batch_expire(department, &older, "", "alice", now_s, count, NULL, &more, &err));
	CU_ASSERT_EQUAL(err.code, ERR_INPUT);
	CU_ASSERT_TRUE_FATAL(rule("3650"));
	CU_ASSERT_EQUAL(expire(&older, now_s), 0);
	CU_ASSERT_TRUE_FATAL(department_import(NULL, NULL));
	CU_ASSERT_EQUAL(expire(&older, now_s), 1);
	CU_ASSERT_EQUAL(rows_of(first), 0);
}

static void what_is_under_objection_stays(void)
{
	int64_t first = superseded("2026-10");
	char sql[600];
	snprintf(sql, sizeof(sql),
		 "INSERT INTO objection (tag, masked, source, period, batch, row, key, field, why, hold, inputs, "
		 "rules,"
		 " state, opened_by, opened_s, due_day, withdraw, proposed_by, proposed_s, decided_by, decided_s,"
		 " decided_why) VALUES (1, '', 'tax-revenue', '2026-10', %lld, 2, x'', '', 'wrong', 0, '', 0, 1, "
		 "'bob',"
		 " 1, 1, 0, '', 0, '', 0, '')",
		 (long long)first);
	CU_ASSERT_TRUE_FATAL(rule("1") && db_exec(department->db, sql, &err));
	CU_ASSERT_EQUAL(expire(&by_rule, CENTRE_NOW_S + 9 * DAY_S), 0);
	CU_ASSERT_TRUE(rows_of(first) > 0);
	CU_ASSERT_TRUE_FATAL(db_exec(department->db, "UPDATE objection SET state = 4", &err));
	CU_ASSERT_EQUAL(expire(&by_rule, CENTRE_NOW_S + 9 * DAY_S), 1);
}

static void a_step_erases_a_bounded_part_and_the_next_goes_on(void)
{
	int64_t first = superseded("2026-10"), before = rows_of(first);
	bool more = false;
	CU_ASSERT_TRUE_FATAL(rule("1"));
	for (int i = 0; i < 5000; i++)
		CU_ASSERT_TRUE_FATAL(
			db_run(department->db, &err,
			       "INSERT INTO batch_reject (batch, row, faults, raw) VALUES (?, ?, x'', x'')", "ii",
			       first, (int64_t)100000 + i));
	CU_ASSERT_TRUE(batch_expire(department, &by_rule, "rule", "alice", CENTRE_NOW_S + 9 * DAY_S, count, NULL,
				    &more, &err));
	CU_ASSERT_TRUE(more);
	CU_ASSERT_TRUE(rows_of(first) > 2000 && rows_of(first) < before + 5000);
	CU_ASSERT_EQUAL(expire(&by_rule, CENTRE_NOW_S + 9 * DAY_S), 0); /* goes on, marks no more */
	CU_ASSERT_EQUAL(rows_of(first), 0);
}

static CU_TestInfo tests[] = {
	{ "rows go once the rule says so, and the batch says when",
	  rows_go_once_the_rule_says_so_and_the_batch_says_when },
	{ "a read as of then is an error, and of later or now is not",
	  a_read_as_of_then_is_an_error_and_of_later_or_now_is_not },
	{ "a source without a rule goes by the operator, and one with it never",
	  a_source_without_a_rule_goes_by_the_operator_and_one_with_it_never },
	{ "what is under objection stays", what_is_under_objection_stays },
	{ "a step erases a bounded part, and the next goes on", a_step_erases_a_bounded_part_and_the_next_goes_on },
	CU_TEST_INFO_NULL,
};

SUITE(expire, setup, department_close, tests);
