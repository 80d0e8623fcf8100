#include "central/ingest/batch.h"
#include "central/ingest/rows.h"
#include "central/ingest/subject.h"
#include "tests/support/centre.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE "tax-revenue"

static struct centre centre;
static struct release_context *c;
static struct err e;

static const char catalogue[] =
	"{'type':'sources','sample':true,'departments':[{'code':'tax','zh':'样例税务部门','en':'sample tax'}],"
	"'categories':[{'code':'operation','zh':'企业生产经营','en':'production and operation'}],"
	"'indicators':[{'code':'revenue','category':'operation','zh':'营业收入','en':'revenue','schema':{'fields':["
	"{'name':'uscc','title':'统一社会信用代码','identifier':'uscc','subject':true},"
	"{'name':'month','title':'月份','type':'yearmonth','asOf':true},"
	"{'name':'revenue','title':'营业收入','type':'number','unit':'元','constraints':{'minimum':0}},"
	"{'name':'note','title':'备注'}],'primaryKey':['uscc','month']}}],"
	"'sources':[{'code':'tax-revenue','department':'tax','indicator':'revenue','cadence':'monthly','owner':'样例'"
	"}]}";

static bool import(const char *from, const char *to)
{
	char text[4096];
	struct source_changes changes;
	const char *at = from != NULL ? strstr(catalogue, from) : NULL;
	if (at != NULL)
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - catalogue), catalogue, to, at + strlen(from));
	else
		snprintf(text, sizeof(text), "%s", catalogue);
	for (char *p = text; *p != '\0'; p++)
		*p = *p == '\'' ? '"' : *p;
	return source_import(c->db, bytes_of(text), "alice", CENTRE_NOW_S, &changes, &e);
}

static void setup(void)
{
	centre_open(&centre);
	c = &centre.release;
	e = (struct err){ 0 };
	if (!import(NULL, NULL)) {
		printf("%s\n", e.text);
		abort();
	}
}

static void teardown(void)
{
	centre_close(&centre);
}

/* A made-up enterprise's code (GB 32100-2015). */
static void uscc(unsigned i, char out[19])
{
	static const char digits[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	static const int weights[] = { 1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28 };
	static const int org[] = { 3, 7, 9, 10, 5, 8, 4, 2 };
	int sum = 0;
	snprintf(out, 19, "91330802%08u00", i);
	for (int k = 0; k < 8; k++)
		sum += (int)(strchr(digits, out[8 + k]) - digits) * org[k];
	out[16] = "0123456789X"[(11 - sum % 11) % 11];
	sum = 0;
	for (int k = 0; k < 17; k++)
		sum += (int)(strchr(digits, out[k]) - digits) * weights[k];
	out[17] = digits[(31 - sum % 31) % 31];
}

/* n rows of enterprises from `first` on; the check character of an organisation's code X is no good in a USCC and is left out. */
static void file_make(struct buf *out, unsigned first, unsigned n, const char *month, const char *unit)
{
	char code[19];
	buf_init(out, 1U << 24);
	buf_add_str(out, "统一社会信用代码,月份,营业收入,备注\n");
	for (unsigned i = first; n > 0; i++) {
		uscc(i, code);
		buf_add_fmt(out, "%s,%s,%u%s,备注 %u\n", code, month, 1000 + i % 977, unit, i);
		n--;
	}
}

static struct batch_new new_of(const char *period, struct bytes file)
{
	struct batch_new n = { .source = SOURCE,
			       .period = period,
			       .file = "revenue.csv",
			       .format = INTAKE_CSV,
			       .encoding = ENCODING_AUTO,
			       .size = file.len };
	sha256(file, n.sha256);
	return n;
}

/* To its end, in parts of `part` bytes; 0 on failure. */
static int64_t load_parts(const struct batch_new *n, struct bytes file, size_t part)
{
	int64_t id = 0;
	bool again = false;
	struct batch b;
	e = (struct err){ 0 };
	if (!batch_open(c, n, "alice", CENTRE_NOW_S, &id, &again, &e) || !batch_load(c, id, &b, &e))
		return 0;
	while (b.state == BATCH_LOADING) {
		uint64_t at = b.intake.offset;
		size_t len = file.len - at < part ? file.len - at : part;
		if (!batch_part(c, id, at, (struct bytes){ file.data + at, len }, CENTRE_NOW_S, &e) ||
		    !batch_load(c, id, &b, &e))
			return 0;
	}
	while (b.state == BATCH_CHECKING) {
		if (!batch_check(c, id, CENTRE_NOW_S, &e) || !batch_load(c, id, &b, &e))
			return 0;
	}
	return id;
}

static int64_t load(const char *period, struct bytes file)
{
	struct batch_new n = new_of(period, file);
	return load_parts(&n, file, BATCH_PART_MAX);
}

static int64_t load_text(const char *period, const char *text)
{
	return load(period, bytes_of(text));
}

static struct batch batch_of(int64_t id)
{
	struct batch b = { 0 };
	CU_ASSERT_TRUE(batch_load(c, id, &b, &e));
	return b;
}

static int64_t load_made(const char *period, unsigned first, unsigned n, const char *month, const char *unit)
{
	struct buf file;
	file_make(&file, first, n, month, unit);
	int64_t id = load(period, buf_bytes(&file));
	buf_clear(&file);
	if (id == 0)
		printf("\n    %s", e.text);
	return id;
}

static void a_period_sent_again_supersedes_and_never_adds(void)
{
	int64_t first = load_made("2026-10", 1, 100, "2026-10", ""),
		second = load_made("2026-10", 1, 101, "2026-10", "");
	CU_ASSERT_EQUAL(batch_of(first).state, BATCH_SUPERSEDED);
	CU_ASSERT_EQUAL(batch_of(second).state, BATCH_CURRENT);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT SUM(accepted) FROM batch WHERE state = 4"), 101);
	int64_t other = load_made("2026-11", 1, 101, "2026-11", "");
	CU_ASSERT_EQUAL(batch_of(other).state, BATCH_CURRENT);
	CU_ASSERT_EQUAL(batch_of(second).state, BATCH_CURRENT);
}

static void the_same_file_again_is_no_new_batch(void)
{
	int64_t first = load_made("2026-10", 1, 100, "2026-10", ""),
		second = load_made("2026-10", 1, 100, "2026-10", "");
	CU_ASSERT_EQUAL(first, second);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch"), 1);
}

static void parts_of_any_size_give_the_same_rows(void)
{
	struct buf file;
	file_make(&file, 1, 9000, "2026-10", "");
	struct batch_new n = new_of("2026-10", buf_bytes(&file));
	int64_t whole = load_parts(&n, buf_bytes(&file), BATCH_PART_MAX);
	n.period = "2026-11";
	int64_t parts = load_parts(&n, buf_bytes(&file), INTAKE_WINDOW_MIN);
	CU_ASSERT_TRUE_FATAL(whole > 0 && parts > 0);
	struct batch a = batch_of(whole), b = batch_of(parts);
	CU_ASSERT_EQUAL(a.intake.accepted, 9000);
	CU_ASSERT_EQUAL(b.intake.accepted, 9000);
	CU_ASSERT_EQUAL(a.intake.row, b.intake.row);
	/* Every row is to be had, and is what was sent. */
	struct rows_keys keys;
	struct rows_record *r = malloc(sizeof(*r));
	struct buf memory;
	char want[19];
	buf_init(&memory, 1U << 22);
	rows_keys_make(c->vault_key, &keys);
	for (uint32_t row = 2; row <= 9001; row += 97) {
		CU_ASSERT_TRUE_FATAL(rows_load(c->db, &keys, parts, row, 4, &memory, r, &e));
		uscc(row - 1, want);
		CU_ASSERT_TRUE(bytes_equal(r->cells[0], bytes_of(want)));
		CU_ASSERT_TRUE(bytes_equal(r->cells[1], bytes_of("2026-10")));
	}
	CU_ASSERT_FALSE(rows_load(c->db, &keys, parts, 1, 4, &memory, r, &e));
	free(r);
	buf_clear(&memory);
	buf_clear(&file);
}

static void a_part_out_of_its_place_is_refused_with_the_place(void)
{
	struct bytes file = bytes_of("统一社会信用代码,月份,营业收入,备注\n");
	struct batch_new n = new_of("2026-10", file);
	int64_t id = 0;
	bool again = false;
	CU_ASSERT_TRUE_FATAL(batch_open(c, &n, "alice", CENTRE_NOW_S, &id, &again, &e));
	CU_ASSERT_FALSE(batch_part(c, id, 5, bytes_of("x"), CENTRE_NOW_S, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "goes on at 0"));
	CU_ASSERT_FALSE(batch_part(c, id, 0, (struct bytes){ file.data, file.len + 1 }, CENTRE_NOW_S, &e));
	CU_ASSERT_FALSE(batch_check(c, id, CENTRE_NOW_S, &e));
}

static void a_load_left_behind_is_taken_up_or_leaves_nothing(void)
{
	struct buf file;
	int64_t id = 0, same = 0;
	bool again = false;
	file_make(&file, 1, 9000, "2026-10", "");
	struct batch_new n = new_of("2026-10", buf_bytes(&file));
	CU_ASSERT_TRUE_FATAL(batch_open(c, &n, "alice", CENTRE_NOW_S, &id, &again, &e));
	CU_ASSERT_TRUE(batch_part(c, id, 0, (struct bytes){ file.data, INTAKE_WINDOW_MIN }, CENTRE_NOW_S, &e));
	uint64_t at = batch_of(id).intake.offset;
	CU_ASSERT_TRUE(at > 0 && at <= INTAKE_WINDOW_MIN &&
		       centre_count(&centre, "SELECT COUNT(*) FROM batch_block") > 0);
	CU_ASSERT_TRUE(batch_open(c, &n, "alice", CENTRE_NOW_S, &same, &again, &e));
	CU_ASSERT_TRUE(again && same == id && batch_of(id).intake.offset == at);
	CU_ASSERT_TRUE(load_text("2026-10", "统一社会信用代码,月份,营业收入\n") > 0);
	CU_ASSERT_FALSE(batch_load(c, id, &(struct batch){ 0 }, &e));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch_block"), 0);
	buf_clear(&file);
}

static void a_file_that_is_none_leaves_nothing_but_its_refusal(void)
{
	CU_ASSERT_EQUAL(load_text("2026-10", "name,phone\na,b\n"), 0);
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch"), 0);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE what = 'batch.refused'"), 1);
	CU_ASSERT_EQUAL(load_text("2026-13", "x"), 0);
	CU_ASSERT_EQUAL(load_text("2026-10-01", "x"), 0);
	CU_ASSERT_EQUAL(load_text("2026-10", ""), 0);
}

static void what_looks_wrong_as_a_whole_waits_for_a_person_with_a_reason(void)
{
	CU_ASSERT_EQUAL(batch_of(load_made("2026-09", 1, 100, "2026-09", "")).held, 0);
	int64_t few = load_made("2026-10", 1, 50, "2026-10", "");
	CU_ASSERT_EQUAL(batch_of(few).state, BATCH_HELD);
	CU_ASSERT_EQUAL(batch_of(few).held, BATCH_HOLD_DROP);
	CU_ASSERT_EQUAL(batch_of(load_made("2026-11", 1, 100, "2026-11", "万元")).held, BATCH_HOLD_UNIT);
	CU_ASSERT_EQUAL(batch_of(load_made("2026-11", 1, 100, "2026-08", "")).held, BATCH_HOLD_STALE);
	char one[19], text[400];
	uscc(1, one);
	snprintf(text, sizeof(text), "统一社会信用代码,营业收入,月份\n%s,5,2026-12\n", one);
	CU_ASSERT_EQUAL(batch_of(load_text("2026-12", text)).held & BATCH_HOLD_DRIFT, BATCH_HOLD_DRIFT);
	snprintf(text, sizeof(text), "统一社会信用代码,月份,营业收入,备注\n%s,2026-12,5,x\n1,\xe4", one);
	CU_ASSERT_EQUAL(batch_of(load_text("2026-12", text)).held & BATCH_HOLD_CUT, BATCH_HOLD_CUT);
	CU_ASSERT_FALSE(batch_release(c, few, "", "bob", CENTRE_NOW_S, &e));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch WHERE state = 4"), 1);
	CU_ASSERT_TRUE(batch_release(c, few, "部门确认只报规上企业", "bob", CENTRE_NOW_S, &e));
	CU_ASSERT_EQUAL(batch_of(few).state, BATCH_CURRENT);
	CU_ASSERT_STRING_EQUAL(batch_of(few).decided_by, "bob");
	CU_ASSERT_FALSE(batch_release(c, few, "again", "bob", CENTRE_NOW_S, &e));
	CU_ASSERT_FALSE(batch_discard(c, few, "no", "bob", CENTRE_NOW_S, &e));
}

static void an_empty_batch_is_never_released(void)
{
	int64_t id = load_text("2026-10", "统一社会信用代码,月份,营业收入,备注\n");
	CU_ASSERT_EQUAL(batch_of(id).state, BATCH_HELD);
	CU_ASSERT_FALSE(batch_release(c, id, "reason", "bob", CENTRE_NOW_S, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
}

static void a_discarded_batch_keeps_its_story_and_none_of_its_rows(void)
{
	load_made("2026-09", 1, 100, "2026-09", "");
	int64_t few = load_made("2026-10", 1, 50, "2026-10", "");
	char sql[96];
	snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM batch_block WHERE batch = %lld", (long long)few);
	CU_ASSERT_TRUE(centre_count(&centre, sql) > 0);
	CU_ASSERT_TRUE(batch_discard(c, few, "部门重报", "bob", CENTRE_NOW_S, &e));
	CU_ASSERT_EQUAL(batch_of(few).state, BATCH_DISCARDED);
	CU_ASSERT_EQUAL(centre_count(&centre, sql), 0);
}

static void of_a_key_given_twice_the_first_row_counts(void)
{
	char one[19], two[19], text[1024];
	uscc(1, one);
	uscc(2, two);
	int at = snprintf(text, sizeof(text), "统一社会信用代码,月份,营业收入,备注\n");
	at += snprintf(text + at, sizeof(text) - (size_t)at, "%s,2026-10,5,first\n%s,2026-10,6,\n", one, two);
	snprintf(text + at, sizeof(text) - (size_t)at, "%s,2026-09,5,\n%s,2026/10,７,second\n%s,2026-10,8,third\n",
		 one, one, one);
	int64_t id = load_text("2026-10", text);
	CU_ASSERT_TRUE_FATAL(id > 0);
	struct batch b = batch_of(id);
	struct buf out;
	CU_ASSERT_EQUAL(b.duplicates, 2);
	CU_ASSERT_EQUAL(batch_rows(&b), 3);
	buf_init(&out, 65536);
	CU_ASSERT_TRUE(batch_rejects(c, id, &out, &e));
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
		int64_t id = load(round == 0 ? "2026-10" : "2026-11", buf_bytes(&gb));
		CU_ASSERT_TRUE_FATAL(id > 0);
		CU_ASSERT_EQUAL(batch_of(id).held & BATCH_HOLD_REJECTS, BATCH_HOLD_REJECTS);
		buf_init(&out, 65536);
		CU_ASSERT_TRUE(batch_rejects(c, id, &out, &e));
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
	uscc(7, one);
	snprintf(text, sizeof(text),
		 "统一社会信用代码,月份,营业收入,备注\n%s,2026-10,5,SECRETNOTE\nBADCODE,2026-10,5,SECRETNOTE\n", one);
	CU_ASSERT_TRUE(load_text("2026-10", text) > 0);
	struct db_query *q =
		db_query(c->db,
			 "SELECT sealed FROM batch_block UNION ALL SELECT tags FROM batch_block"
			 " UNION ALL SELECT raw FROM batch_reject UNION ALL SELECT entries FROM batch_index"
			 " UNION ALL SELECT detail FROM audit",
			 &e);
	bool row = false;
	CU_ASSERT_PTR_NOT_NULL_FATAL(q);
	while (db_next(q, &row, &e) && row) {
		struct bytes v = db_bytes(q, 0);
		CU_ASSERT_PTR_NULL(memmem(v.data, v.len, "SECRETNOTE", 10));
		CU_ASSERT_PTR_NULL(memmem(v.data, v.len, one, 18));
	}
	db_finish(q);
}

static void a_changed_source_is_a_new_version_and_batches_keep_theirs(void)
{
	int64_t id = load_made("2026-10", 1, 20, "2026-10", "");
	CU_ASSERT_TRUE(import(NULL, NULL));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT MAX(version) FROM source"), 1);
	CU_ASSERT_TRUE(import("'minimum':0", "'minimum':1"));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT MAX(version) FROM source"), 2);
	CU_ASSERT_EQUAL(batch_of(id).source_version, 1);
	CU_ASSERT_FALSE(import("'indicator':'revenue'", "'indicator':'profit'"));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "source 1: indicator"));
	CU_ASSERT_FALSE(import("'type':'yearmonth'", "'type':'month'"));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT MAX(version) FROM source"), 2);
}

static struct identifier enterprise(unsigned i)
{
	struct identifier id;
	char code[19];
	uscc(i, code);
	CU_ASSERT_TRUE(identifier_parse(IDENTIFIER_USCC, code, 18, 0, &id, NULL, &e));
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
	CU_ASSERT_TRUE(subject_group(c, &id, &g, &e) &&
		       subject_read(c, &g, "loan review", "alice", CENTRE_NOW_S, see, &s, &more, &e) && !more);
	return s;
}

static void a_subject_is_found_across_periods_in_what_counts(void)
{
	load_made("2026-09", 1, 3000, "2026-09", "");
	load_made("2026-10", 1, 3000, "2026-10", "");
	load_made("2026-10", 1001, 2900, "2026-10", "");
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
	load_made("2026-09", 1, 100, "2026-09", "");
	load_made("2026-10", 1, 20, "2026-10", "");
	CU_ASSERT_STRING_EQUAL(seen_of(5).periods, "2026-09 ");
	uscc(5, one);
	snprintf(text, sizeof(text), "统一社会信用代码,月份,营业收入,备注\n%s,2026-08,1,\n%s,2026-08,2,\n", one, one);
	int64_t id = load_text("2026-08", text);
	CU_ASSERT_EQUAL(batch_of(id).duplicates, 1);
	CU_ASSERT_STRING_EQUAL(seen_of(5).periods, "2026-08 2026-09 ");
}

static void merged_subjects_are_read_as_one_and_taken_apart_again(void)
{
	struct identifier a = enterprise(1), b = enterprise(2), d = enterprise(3);
	load_made("2026-10", 1, 100, "2026-10", "");
	int64_t blocks = centre_count(&centre, "SELECT COUNT(*) FROM batch_block");
	CU_ASSERT_FALSE(subject_merge(c, &a, &b, "", "alice", CENTRE_NOW_S, &e));
	CU_ASSERT_TRUE(subject_merge(c, &a, &b, "same owner", "alice", CENTRE_NOW_S, &e));
	CU_ASSERT_TRUE(subject_merge(c, &b, &d, "same owner", "alice", CENTRE_NOW_S, &e));
	CU_ASSERT_FALSE(subject_merge(c, &d, &a, "again", "alice", CENTRE_NOW_S, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_EQUAL(seen_of(1).records, 3);
	CU_ASSERT_EQUAL(seen_of(3).records, 3);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch_block"), blocks);
	CU_ASSERT_FALSE(subject_unmerge(c, &a, "wrong", "bob", CENTRE_NOW_S, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_TRUE(subject_unmerge(c, &b, "wrong", "bob", CENTRE_NOW_S, &e));
	CU_ASSERT_EQUAL(seen_of(1).records, 2);
	CU_ASSERT_EQUAL(seen_of(2).records, 1);
	CU_ASSERT_TRUE(subject_merge(c, &b, &a, "right", "bob", CENTRE_NOW_S, &e));
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
	load_made("2026-10", 1, 20, "2026-10", "");
	(void)seen_of(1);
	CU_ASSERT_TRUE(subject_merge(c, &a, &b, "same", "alice", CENTRE_NOW_S, &e));
	(void)seen_of(1);
	CU_ASSERT_TRUE(subject_reads(c, &b, 10, count_read, &n, &e));
	CU_ASSERT_EQUAL(n, 1);
	n = 0;
	CU_ASSERT_TRUE(subject_reads(c, &a, 10, count_read, &n, &e));
	CU_ASSERT_EQUAL(n, 2);
	CU_ASSERT_TRUE(subject_group(c, &a, &g, &e));
	CU_ASSERT_FALSE(subject_read(c, &g, "", "alice", CENTRE_NOW_S, see, &s, &more, &e));
	CU_ASSERT_EQUAL(s.records, 0);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE what = 'subject.show'"), 2);
	/* Neither the log nor the aliases say who. */
	struct db_query *q = db_query(c->db, "SELECT sealed FROM subject UNION ALL SELECT subject FROM audit", &e);
	bool row = false;
	CU_ASSERT_PTR_NOT_NULL_FATAL(q);
	while (db_next(q, &row, &e) && row)
		CU_ASSERT_PTR_NULL(memmem(db_bytes(q, 0).data, db_bytes(q, 0).len, a.canonical, 18));
	db_finish(q);
}

static CU_TestInfo tests[] = {
	{ "a period sent again supersedes and never adds", a_period_sent_again_supersedes_and_never_adds },
	{ "the same file again is no new batch", the_same_file_again_is_no_new_batch },
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
	{ "a subject is found across periods in what counts", a_subject_is_found_across_periods_in_what_counts },
	{ "a held batch and a second row of a key are nobody's", a_held_batch_and_a_second_row_of_a_key_are_nobodys },
	{ "merged subjects are read as one and taken apart again",
	  merged_subjects_are_read_as_one_and_taken_apart_again },
	{ "every read is logged with its purpose and none goes without",
	  every_read_is_logged_with_its_purpose_and_none_goes_without },
	CU_TEST_INFO_NULL,
};

SUITE(ingest_batch, setup, teardown, tests);
