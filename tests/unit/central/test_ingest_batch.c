#include "central/ingest/batch.h"
#include "central/ingest/rows.h"
#include "tests/support/department.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void a_period_sent_again_supersedes_and_never_adds(void)
{
	int64_t first = department_load_made("2026-10", 1, 100, "2026-10", ""),
		second = department_load_made("2026-10", 1, 101, "2026-10", "");
	CU_ASSERT_EQUAL(department_batch(first).state, BATCH_SUPERSEDED);
	CU_ASSERT_EQUAL(department_batch(second).state, BATCH_CURRENT);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT SUM(accepted) FROM batch WHERE state = 4"), 101);
	int64_t other = department_load_made("2026-11", 1, 101, "2026-11", "");
	CU_ASSERT_EQUAL(department_batch(other).state, BATCH_CURRENT);
	CU_ASSERT_EQUAL(department_batch(second).state, BATCH_CURRENT);
}

static void the_same_file_again_is_no_new_batch(void)
{
	int64_t first = department_load_made("2026-10", 1, 100, "2026-10", ""),
		second = department_load_made("2026-10", 1, 100, "2026-10", "");
	CU_ASSERT_EQUAL(first, second);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch"), 1);
}

static void the_same_file_read_in_another_way_is_a_new_batch(void)
{
	struct buf file;
	department_file(&file, 1, 50, "2026-10", "");
	struct batch_new n = department_new("2026-10", buf_bytes(&file));
	int64_t first = department_load_parts(&n, buf_bytes(&file), BATCH_PART_MAX);
	n.encoding = ENCODING_UTF8;
	CU_ASSERT_EQUAL(department_load_parts(&n, buf_bytes(&file), BATCH_PART_MAX), first);
	n.encoding = ENCODING_GB18030;
	CU_ASSERT_EQUAL(department_load_parts(&n, buf_bytes(&file), BATCH_PART_MAX),
			0); /* its labels are none then */
	n.encoding = ENCODING_AUTO;
	n.as_of = "2026-10-15";
	int64_t claimed = department_load_parts(&n, buf_bytes(&file), BATCH_PART_MAX);
	CU_ASSERT_TRUE(claimed > first);
	CU_ASSERT_STRING_EQUAL(department_batch(claimed).as_of, "2026-10-15");
	CU_ASSERT_EQUAL(department_batch(first).state, BATCH_SUPERSEDED);
	buf_clear(&file);
}

static void parts_of_any_size_give_the_same_rows(void)
{
	struct buf file;
	department_file(&file, 1, 9000, "2026-10", "");
	struct batch_new n = department_new("2026-10", buf_bytes(&file));
	int64_t whole = department_load_parts(&n, buf_bytes(&file), BATCH_PART_MAX);
	n.period = "2026-11";
	int64_t parts = department_load_parts(&n, buf_bytes(&file), INTAKE_WINDOW_MIN);
	CU_ASSERT_TRUE_FATAL(whole > 0 && parts > 0);
	struct batch a = department_batch(whole), b = department_batch(parts);
	CU_ASSERT_EQUAL(a.intake.accepted, 9000);
	CU_ASSERT_EQUAL(b.intake.accepted, 9000);
	CU_ASSERT_EQUAL(a.intake.row, b.intake.row);
	/* Every row is to be had, and is what was sent. */
	struct rows_keys keys;
	struct rows_record *r = malloc(sizeof(*r));
	struct buf memory;
	char want[19];
	buf_init(&memory, 1U << 22);
	rows_keys_make(department->vault_key, &keys);
	for (uint32_t row = 2; row <= 9001; row += 97) {
		CU_ASSERT_TRUE_FATAL(rows_load(department->db, &keys, parts, row, 4, &memory, r, &department_err));
		department_uscc(row - 1, want);
		CU_ASSERT_TRUE(bytes_equal(r->cells[0], bytes_of(want)));
		CU_ASSERT_TRUE(bytes_equal(r->cells[1], bytes_of("2026-10")));
	}
	CU_ASSERT_FALSE(rows_load(department->db, &keys, parts, 1, 4, &memory, r, &department_err));
	free(r);
	buf_clear(&memory);
	buf_clear(&file);
}

static void a_part_out_of_its_place_is_refused_with_the_place(void)
{
	struct bytes file = bytes_of("统一社会信用代码,月份,营业收入,备注\n");
	struct batch_new n = department_new("2026-10", file);
	int64_t id = 0;
	bool again = false;
	CU_ASSERT_TRUE_FATAL(batch_open(department, &n, "alice", CENTRE_NOW_S, &id, &again, &department_err));
	CU_ASSERT_FALSE(batch_part(department, id, 5, bytes_of("x"), CENTRE_NOW_S, &department_err));
	CU_ASSERT_EQUAL(department_err.code, ERR_CONFLICT);
	CU_ASSERT_PTR_NOT_NULL(strstr(department_err.text, "goes on at 0"));
	CU_ASSERT_FALSE(batch_part(department, id, 0, (struct bytes){ file.data, file.len + 1 }, CENTRE_NOW_S,
				   &department_err));
	CU_ASSERT_FALSE(batch_check(department, id, CENTRE_NOW_S, &department_err));
}

static void a_load_left_behind_is_taken_up_or_leaves_nothing(void)
{
	struct buf file;
	int64_t id = 0, same = 0;
	bool again = false;
	department_file(&file, 1, 9000, "2026-10", "");
	struct batch_new n = department_new("2026-10", buf_bytes(&file));
	CU_ASSERT_TRUE_FATAL(batch_open(department, &n, "alice", CENTRE_NOW_S, &id, &again, &department_err));
	CU_ASSERT_TRUE(batch_part(department, id, 0, (struct bytes){ file.data, INTAKE_WINDOW_MIN }, CENTRE_NOW_S,
				  &department_err));
	uint64_t at = department_batch(id).intake.offset;
	CU_ASSERT_TRUE(at > 0 && at <= INTAKE_WINDOW_MIN &&
		       centre_count(&centre, "SELECT COUNT(*) FROM batch_block") > 0);
	CU_ASSERT_TRUE(batch_open(department, &n, "alice", CENTRE_NOW_S, &same, &again, &department_err));
	CU_ASSERT_TRUE(again && same == id && department_batch(id).intake.offset == at);
	CU_ASSERT_TRUE(department_load_text("2026-10", "统一社会信用代码,月份,营业收入\n") > 0);
	CU_ASSERT_FALSE(batch_load(department, id, &(struct batch){ 0 }, &department_err));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch_block"), 0);
	buf_clear(&file);
}

static void a_file_that_is_none_leaves_nothing_but_its_refusal(void)
{
	CU_ASSERT_EQUAL(department_load_text("2026-10", "name,phone\na,b\n"), 0);
	CU_ASSERT_EQUAL(department_err.code, ERR_INPUT);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch"), 0);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE what = 'batch.refused'"), 1);
	CU_ASSERT_EQUAL(department_load_text("2026-13", "x"), 0);
	CU_ASSERT_EQUAL(department_load_text("2026-10-01", "x"), 0);
	CU_ASSERT_EQUAL(department_load_text("2026-10", ""), 0);
}

static void what_looks_wrong_as_a_whole_waits_for_a_person_with_a_reason(void)
{
	CU_ASSERT_EQUAL(department_batch(department_load_made("2026-09", 1, 100, "2026-09", "")).held, 0);
	int64_t few = department_load_made("2026-10", 1, 50, "2026-10", "");
	CU_ASSERT_EQUAL(department_batch(few).state, BATCH_HELD);
	CU_ASSERT_EQUAL(department_batch(few).held, BATCH_HOLD_DROP);
	CU_ASSERT_EQUAL(department_batch(department_load_made("2026-11", 1, 100, "2026-11", "万元")).held,
			BATCH_HOLD_UNIT);
	CU_ASSERT_EQUAL(department_batch(department_load_made("2026-11", 1, 100, "2026-08", "")).held,
			BATCH_HOLD_STALE);
	char one[19], text[400];
	department_uscc(1, one);
	snprintf(text, sizeof(text), "统一社会信用代码,营业收入,月份\n%s,5,2026-12\n", one);
	CU_ASSERT_EQUAL(department_batch(department_load_text("2026-12", text)).held & BATCH_HOLD_DRIFT,
			BATCH_HOLD_DRIFT);
	snprintf(text, sizeof(text), "统一社会信用代码,月份,营业收入,备注\n%s,2026-12,5,x\n1,\xe4", one);
	CU_ASSERT_EQUAL(department_batch(department_load_text("2026-12", text)).held & BATCH_HOLD_CUT,
			BATCH_HOLD_CUT);
	CU_ASSERT_FALSE(batch_release(department, few, "", "bob", CENTRE_NOW_S, &department_err));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch WHERE state = 4"), 1);
	CU_ASSERT_TRUE(batch_release(department, few, "部门确认只报规上企业", "bob", CENTRE_NOW_S, &department_err));
	CU_ASSERT_EQUAL(department_batch(few).state, BATCH_CURRENT);
	CU_ASSERT_STRING_EQUAL(department_batch(few).decided_by, "bob");
	CU_ASSERT_FALSE(batch_release(department, few, "again", "bob", CENTRE_NOW_S, &department_err));
	CU_ASSERT_FALSE(batch_discard(department, few, "no", "bob", CENTRE_NOW_S, &department_err));
}

static void an_empty_batch_is_never_released(void)
{
	int64_t id = department_load_text("2026-10", "统一社会信用代码,月份,营业收入,备注\n");
	CU_ASSERT_EQUAL(department_batch(id).state, BATCH_HELD);
	CU_ASSERT_FALSE(batch_release(department, id, "reason", "bob", CENTRE_NOW_S, &department_err));
	CU_ASSERT_EQUAL(department_err.code, ERR_CONFLICT);
}

static void a_discarded_batch_keeps_its_story_and_none_of_its_rows(void)
{
	department_load_made("2026-09", 1, 100, "2026-09", "");
	int64_t few = department_load_made("2026-10", 1, 50, "2026-10", "");
	char sql[96];
	snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM batch_block WHERE batch = %lld", (long long)few);
	CU_ASSERT_TRUE(centre_count(&centre, sql) > 0);
	CU_ASSERT_TRUE(batch_discard(department, few, "部门重报", "bob", CENTRE_NOW_S, &department_err));
	CU_ASSERT_EQUAL(department_batch(few).state, BATCH_DISCARDED);
	CU_ASSERT_EQUAL(centre_count(&centre, sql), 0);
}

static void of_a_key_given_twice_the_first_row_counts(void)
{
	char one[19], two[19], text[1024];
	department_uscc(1, one);
	department_uscc(2, two);
	int at = snprintf(text, sizeof(text), "统一社会信用代码,月份,营业收入,备注\n");
	at += snprintf(text + at, sizeof(text) - (size_t)at, "%s,2026-10,5,first\n%s,2026-10,6,\n", one, two);
	snprintf(text + at, sizeof(text) - (size_t)at, "%s,2026-09,5,\n%s,2026/10,７,second\n%s,2026-10,8,third\n",
		 one, one, one);
	int64_t id = department_load_text("2026-10", text);
	CU_ASSERT_TRUE_FATAL(id > 0);
	struct batch b = department_batch(id);
	struct buf out;
	CU_ASSERT_EQUAL(b.duplicates, 2);
	CU_ASSERT_EQUAL(batch_rows(&b), 3);
	buf_init(&out, 65536);
	CU_ASSERT_TRUE(batch_rejects(department, id, &out, &department_err));
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "\"5\",\"\",\"primary-key\","));
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "\"2026/10\",\"７\",\"second\"\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "\"third\"\r\n"));
	CU_ASSERT_PTR_NULL(strstr(buf_str(&out), "\"first\"\r\n"));
	buf_clear(&out);
}

static void rejects_come_back_as_they_were_with_reasons_and_no_formula(void)
{
	static const char text[] = "统一社会信用代码,月份,营业收入,备注\n"
				   "3.30801E+17,2026-10,-5,\"=HYPERLINK(\"\"http://x\"\")\"\n"
				   "short,2026-10\n\"open,x,y,z\n＝1,2026-10,+5,@a\n";
	struct transcoder *t = transcoder_new();
	struct buf gb, out, back;
	buf_init(&gb, 65536);
	buf_init(&back, 65536);
	for (int round = 0; round < 2; round++) {
		buf_reset(&gb);
		if (round == 0)
			buf_add_str(&gb, text);
		else
			CU_ASSERT_TRUE(transcoder_gb18030(t, bytes_of(text), &gb));
		int64_t id = department_load(round == 0 ? "2026-10" : "2026-11", buf_bytes(&gb));
		CU_ASSERT_TRUE_FATAL(id > 0);
		CU_ASSERT_EQUAL(department_batch(id).held & BATCH_HOLD_REJECTS, BATCH_HOLD_REJECTS);
		buf_init(&out, 65536);
		CU_ASSERT_TRUE(batch_rejects(department, id, &out, &department_err));
		if (round == 1) {
			buf_reset(&back);
			CU_ASSERT_TRUE(transcoder_utf8(t, buf_bytes(&out), &back));
		}
		const char *got = round == 0 ? buf_str(&out) : buf_str(&back);
		CU_ASSERT_EQUAL(strncmp(got, "\xef\xbb\xbf", 3) == 0, round == 0);
		CU_ASSERT_PTR_NOT_NULL(
			strstr(got, "\"2\",\"1; 3\",\"type-error; constraint-error\",\"统一社会信用代码: "));
		CU_ASSERT_PTR_NOT_NULL(
			strstr(got, "\"3.30801E+17\",\"2026-10\",\"-5\",\"'=HYPERLINK(\"\"http://x\"\")\"\r\n"));
		CU_ASSERT_PTR_NOT_NULL(
			strstr(got, "\"3\",\"1; 3; 4\",\"constraint-error; missing-cell; missing-cell\""));
		CU_ASSERT_PTR_NOT_NULL(strstr(got, "\"4\",\"\",\"source-error\""));
		CU_ASSERT_PTR_NOT_NULL(strstr(got, "\"'＝1\",\"2026-10\",\"+5\",\"'@a\"\r\n"));
		buf_clear(&out);
	}
	buf_clear(&gb);
	buf_clear(&back);
	transcoder_free(t);
}

static void nothing_of_a_row_stands_in_the_clear(void)
{
	char one[19], text[256];
	department_uscc(7, one);
	snprintf(text, sizeof(text),
		 "统一社会信用代码,月份,营业收入,备注\n%s,2026-10,5,SECRETNOTE\nBADCODE,2026-10,5,SECRETNOTE\n", one);
	CU_ASSERT_TRUE(department_load_text("2026-10", text) > 0);
	struct db_query *q =
		db_query(department->db,
			 "SELECT sealed FROM batch_block UNION ALL SELECT tags FROM batch_block"
			 " UNION ALL SELECT raw FROM batch_reject UNION ALL SELECT entries FROM batch_index"
			 " UNION ALL SELECT detail FROM audit",
			 &department_err);
	bool row = false;
	CU_ASSERT_PTR_NOT_NULL_FATAL(q);
	while (db_next(q, &row, &department_err) && row) {
		struct bytes v = db_bytes(q, 0);
		CU_ASSERT_PTR_NULL(memmem(v.data, v.len, "SECRETNOTE", 10));
		CU_ASSERT_PTR_NULL(memmem(v.data, v.len, one, 18));
	}
	db_finish(q);
}

static void a_changed_source_is_a_new_version_and_batches_keep_theirs(void)
{
	int64_t id = department_load_made("2026-10", 1, 20, "2026-10", "");
	CU_ASSERT_TRUE(department_import(NULL, NULL));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT MAX(version) FROM source"), 1);
	CU_ASSERT_TRUE(department_import("'minimum':0", "'minimum':1"));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT MAX(version) FROM source"), 2);
	CU_ASSERT_EQUAL(department_batch(id).source_version, 1);
	CU_ASSERT_FALSE(department_import("'indicator':'revenue'", "'indicator':'profit'"));
	CU_ASSERT_PTR_NOT_NULL(strstr(department_err.text, "source 1: indicator"));
	CU_ASSERT_FALSE(department_import("'type':'yearmonth'", "'type':'month'"));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT MAX(version) FROM source"), 2);
}

static CU_TestInfo tests[] = {
	{ "a period sent again supersedes and never adds", a_period_sent_again_supersedes_and_never_adds },
	{ "the same file again is no new batch", the_same_file_again_is_no_new_batch },
	{ "the same file read in another way is a new batch", the_same_file_read_in_another_way_is_a_new_batch },
	{ "parts of any size give the same rows", parts_of_any_size_give_the_same_rows },
	{ "a part out of its place is refused with the place", a_part_out_of_its_place_is_refused_with_the_place },
	{ "a load left behind is taken up or leaves nothing", a_load_left_behind_is_taken_up_or_leaves_nothing },
	{ "a file that is none leaves nothing but its refusal", a_file_that_is_none_leaves_nothing_but_its_refusal },
	{ "what looks wrong as a whole waits for a person with a reason",
	  what_looks_wrong_as_a_whole_waits_for_a_person_with_a_reason },
	{ "an empty batch is never released", an_empty_batch_is_never_released },
	{ "a discarded batch keeps its story and none of its rows",
	  a_discarded_batch_keeps_its_story_and_none_of_its_rows },
	{ "of a key given twice the first row counts", of_a_key_given_twice_the_first_row_counts },
	{ "rejects come back as they were with reasons and no formula",
	  rejects_come_back_as_they_were_with_reasons_and_no_formula },
	{ "nothing of a row stands in the clear", nothing_of_a_row_stands_in_the_clear },
	{ "a changed source is a new version and batches keep theirs",
	  a_changed_source_is_a_new_version_and_batches_keep_theirs },
	CU_TEST_INFO_NULL,
};

SUITE(ingest_batch, department_open, department_close, tests);
