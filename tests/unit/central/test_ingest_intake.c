#include "central/ingest/intake.h"
#include "protocol/base/file.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TODAY 20760 /* 2026-11-03 */

/* What came of a file, as text: "2,3 missing-cell" a fault, "ok 2: a|b" a row. */
struct outcome {
	struct buf faults, rows;
	struct intake_state state;
	struct err e;
	bool ok;
};

static bool accept(void *arg, const struct intake_row *row, struct err *e)
{
	struct outcome *o = arg;
	(void)e;
	buf_add_fmt(&o->rows, "%u:", row->number);
	for (size_t i = 0; i < 3; i++)
		buf_add_fmt(&o->rows, "%.*s|", (int)row->cells[i].len, (const char *)row->cells[i].data);
	for (size_t i = 0; i < row->repairs_len; i++)
		buf_add_fmt(&o->rows, " %s", repair_name(row->repairs[i].repair));
	buf_add_str(&o->rows, "\n");
	return true;
}

static bool reject(void *arg, uint32_t number, const struct row_fault *faults, size_t len, struct bytes raw,
		   struct err *e)
{
	struct outcome *o = arg;
	(void)raw, (void)e;
	for (size_t i = 0; i < len; i++)
		buf_add_fmt(&o->faults, "%u,%u %s\n", number, faults[i].field, fault_code(faults[i].fault));
	return true;
}

static void outcome_clear(struct outcome *o)
{
	buf_clear(&o->faults);
	buf_clear(&o->rows);
}

/* The file in two windows, the first of `first` bytes. */
static void run_split(struct outcome *o, const struct schema *schema, enum intake_format format, struct bytes file,
		      size_t first)
{
	const struct intake_sink sink = { accept, reject, o };
	size_t used = 0;
	*o = (struct outcome){ 0 };
	buf_init(&o->faults, 1U << 20);
	buf_init(&o->rows, 1U << 20);
	intake_state_init(&o->state, ENCODING_AUTO);
	struct intake *in = intake_new(schema, format, TODAY);
	o->ok = first >= file.len ||
		intake_feed(in, &o->state, (struct bytes){ file.data, first }, false, &sink, &used, &o->e);
	intake_free(in);
	if (!o->ok)
		return;
	/* As after a kill: nothing but the stored state goes on. */
	struct buf stored;
	struct intake_state again;
	buf_init(&stored, 65536);
	intake_state_put(&o->state, &stored);
	o->ok = intake_state_parse(buf_bytes(&stored), &again, &o->e);
	buf_clear(&stored);
	in = intake_new(schema, format, TODAY);
	o->ok = o->ok && intake_feed(in, &again, (struct bytes){ file.data + used, file.len - used }, true, &sink,
				     &used, &o->e);
	o->state = again;
	intake_free(in);
	buf_add_str(&o->faults, "");
}

static void run(struct outcome *o, const struct schema *schema, enum intake_format format, struct bytes file)
{
	run_split(o, schema, format, file, SIZE_MAX);
}

static struct schema *schema_of(const char *json)
{
	char text[1024];
	snprintf(text, sizeof(text), "%s", json);
	for (char *p = text; *p != '\0'; p++)
		*p = *p == '\'' ? '"' : *p;
	return schema_parse_text(bytes_of(text), NULL);
}

#define THREE                                                                                                        \
	"{'fields':[{'name':'id','title':'编号','type':'integer','constraints':{'required':true}},"                \
	"{'name':'name','title':'名称'},{'name':'day','title':'日期','type':'date','asOf':true}],'primaryKey':'id'}"

static void drift_text(const struct intake_state *s, struct buf *out)
{
	for (size_t i = 0; i < s->drift_len; i++)
		buf_add_fmt(out, "%u %s\n", s->drift[i].field, fault_code(s->drift[i].fault));
}

static void expect(struct buf *got, const char *want)
{
	if (strcmp(buf_str(got), want) != 0)
		printf("\n    got:\n%s    want:\n%s", buf_str(got), want);
	CU_ASSERT_STRING_EQUAL(buf_str(got), want);
}

static void the_published_report_of_invalid_csv_is_ours(void)
{
	const char *path = test_vectors("csv/invalid.csv");
	struct outcome o;
	struct buf file, labels;
	if (path == NULL)
		return;
	buf_init(&file, 65536);
	buf_init(&labels, 4096);
	CU_ASSERT_TRUE_FATAL(file_read(path, &file, NULL));
	run(&o, NULL, INTAKE_CSV, buf_bytes(&file));
	CU_ASSERT_TRUE(o.ok);
	drift_text(&o.state, &labels);
	expect(&labels, "3 blank-label\n4 duplicate-label\n");
	expect(&o.faults, "2,3 missing-cell\n2,4 missing-cell\n3,3 missing-cell\n3,4 missing-cell\n4,0 blank-row\n"
			  "5,5 extra-cell\n");
	outcome_clear(&o);
	buf_clear(&file);
	buf_clear(&labels);
}

static void the_other_public_files_are_read_to_their_end(void)
{
	static const struct {
		const char *name, *faults;
		uint64_t accepted;
	} files[] = {
		{ "csv/blank-cells.csv", "", 5 },
		{ "csv/blank-headers.csv", "", 2 },
		{ "csv/blank-rows.csv", "4,0 blank-row\n", 2 },
		{ "csv/bom.csv", "", 2 },
		{ "csv/defective-rows.csv", "2,3 missing-cell\n3,4 extra-cell\n", 0 },
		{ "csv/doublequote.csv", "", 5 },
		{ "csv/duplicate-headers.csv", "", 2 },
		{ "csv/escaping.csv", "4,0 source-error\n", 2 },
		{ "csv/issue-1066-largecellsize.csv", "", 19 },
		{ "csv/latin1.csv", "3,0 encoding-error\n", 1 },
		{ "csv/leading-zeros.csv", "", 3 },
		{ "csv/schema-errors.csv", "5,4 extra-cell\n5,5 extra-cell\n5,6 extra-cell\n", 3 },
		{ "csv/structure-errors.csv", "4,0 blank-row\n5,4 extra-cell\n5,5 extra-cell\n5,6 extra-cell\n", 2 },
	};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct outcome o;
		struct buf file;
		const char *path = test_vectors(files[i].name);
		if (path == NULL)
			return;
		buf_init(&file, 1U << 20);
		CU_ASSERT_TRUE_FATAL(file_read(path, &file, NULL));
		run(&o, NULL, INTAKE_CSV, buf_bytes(&file));
		if (!o.ok || o.state.accepted != files[i].accepted ||
		    strcmp(buf_str(&o.faults), files[i].faults) != 0)
			printf("\n    %s: %llu accepted\n%s", files[i].name, (unsigned long long)o.state.accepted,
			       buf_str(&o.faults));
		CU_ASSERT_TRUE(o.ok);
		CU_ASSERT_EQUAL(o.state.accepted, files[i].accepted);
		CU_ASSERT_STRING_EQUAL(buf_str(&o.faults), files[i].faults);
		outcome_clear(&o);
		buf_clear(&file);
	}
}

#define SAMPLE                                                                                                          \
	"编号,名称,日期\r\n1,\"甲, \"\"乙\"\"\",2026-10-01\r\n2,丙,2026/10/31\r\n,丁,\r\nx,戊,2024/2/30\r\n" \
	"3,己,2026-10-02,,\r\n4,\"庚\"辛,\r\n ,,\r\n5,壬\r\n６,\"多\n行\",2099-01-01\r\n"
#define SAMPLE_ROWS                                                                                                  \
	"2:1|甲, \"乙\"|2026-10-01|\n3:2|丙|2026-10-31| date-form\n6:3|己|2026-10-02| trailing-separator\n"      \
	"10:6|多\n行|2099-01-01| full-width\n"
#define SAMPLE_FAULTS                                                                                                \
	"4,1 constraint-error\n5,1 type-error\n5,3 type-error\n7,0 source-error\n8,0 blank-row\n9,3 missing-cell\n"

static void rows_are_the_same_wherever_the_file_is_cut_into_windows(void)
{
	struct schema *s = schema_of(THREE);
	struct bytes file = bytes_of(SAMPLE);
	for (size_t n = 1; n <= file.len; n++) {
		struct outcome o;
		run_split(&o, s, INTAKE_CSV, file, n);
		CU_ASSERT_TRUE(o.ok);
		if (strcmp(buf_str(&o.rows), SAMPLE_ROWS) != 0 || strcmp(buf_str(&o.faults), SAMPLE_FAULTS) != 0) {
			printf("\n    cut at %zu\n%s%s", n, buf_str(&o.rows), buf_str(&o.faults));
			CU_FAIL("another result");
			outcome_clear(&o);
			break;
		}
		CU_ASSERT_EQUAL(o.state.drift_len, 0);
		CU_ASSERT_EQUAL(o.state.offset, file.len);
		outcome_clear(&o);
	}
	schema_free(s);
}

static void gb18030_gives_the_same_rows_as_utf_8(void)
{
	struct schema *s = schema_of(THREE);
	struct transcoder *t = transcoder_new();
	struct buf gb;
	struct outcome o;
	buf_init(&gb, 65536);
	CU_ASSERT_TRUE_FATAL(transcoder_gb18030(t, bytes_of(SAMPLE), &gb));
	run(&o, s, INTAKE_CSV, buf_bytes(&gb));
	CU_ASSERT_TRUE(o.ok);
	CU_ASSERT_EQUAL(o.state.encoding, ENCODING_GB18030);
	expect(&o.rows, SAMPLE_ROWS);
	expect(&o.faults, SAMPLE_FAULTS);
	outcome_clear(&o);
	buf_clear(&gb);
	transcoder_free(t);
	schema_free(s);
}

static void the_content_shows_its_own_date(void)
{
	struct schema *s = schema_of(THREE);
	struct outcome o;
	run(&o, s, INTAKE_CSV, bytes_of(SAMPLE));
	CU_ASSERT_EQUAL(o.state.content_from, 20727); /* 2026-10-01 */
	CU_ASSERT_EQUAL(o.state.content_to, 20757);   /* 2026-10-31; 2099 is after today */
	outcome_clear(&o);
	schema_free(s);
}

static void a_file_cut_in_a_character_is_noticed(void)
{
	static const char *const files[] = { "id,name,day\n1,a,\n2,\xe4\xb8", "id,name,day\n1,a,\n2,\"open",
					     "id,name,day\n1,a,\n2" };
	struct schema *s = schema_of(THREE);
	struct outcome o;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		run(&o, s, INTAKE_CSV, bytes_of(files[i]));
		CU_ASSERT_TRUE(o.ok && o.state.cut && o.state.accepted == 1 && o.state.rejected == 1);
		outcome_clear(&o);
	}
	run(&o, s, INTAKE_CSV, bytes_of("id,name,day\n1,a,\n2,b,"));
	CU_ASSERT_TRUE(o.ok && !o.state.cut && o.state.accepted == 2);
	outcome_clear(&o);
	schema_free(s);
}

static void labels_that_moved_or_changed_are_drift_and_without_a_key_nothing_is_read(void)
{
	static const struct {
		const char *file, *drift; /* NULL: refused */
	} rows[] = {
		{ "id,name,day\n1,a,\n", "" },
		{ "id,name,day,\n1,a,,\n", "" },
		{ "day,id,name\n,1,a\n", "1 incorrect-label\n2 incorrect-label\n3 incorrect-label\n" },
		{ "id,name\n1,a\n", "3 missing-label\n" },
		{ "id,name,day,phone\n1,a,,\n", "4 extra-label\n" },
		{ "id,other,day\n1,a,\n", "2 incorrect-label\n" },
		{ "id,name,day,id\n1,a,,\n", "4 duplicate-label\n" },
		{ "id,,day\n1,a,\n", "2 blank-label\n2 missing-label\n" },
		{ "编号,name,日期,名称\n1,a,,\n", "4 duplicate-label\n" },
		{ "name,day\na,\n", NULL },
		{ "\"id,name,day\n1,a,\n", NULL },
		{ "", NULL },
		{ "PK\3\4", NULL },
		{ "\xff\xfei", NULL },
	};
	struct schema *s = schema_of(THREE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome o;
		struct buf drift;
		buf_init(&drift, 4096);
		run(&o, s, INTAKE_CSV, bytes_of(rows[i].file));
		CU_ASSERT_EQUAL(o.ok, rows[i].drift != NULL);
		if (o.ok) {
			drift_text(&o.state, &drift);
			expect(&drift, rows[i].drift);
			CU_ASSERT_EQUAL(o.state.accepted, 1);
		}
		CU_ASSERT_TRUE(o.ok || (o.e.code == ERR_INPUT && o.e.text[0] != '\0'));
		outcome_clear(&o);
		buf_clear(&drift);
	}
	schema_free(s);
}

static void a_row_without_end_costs_itself_and_bounded_memory(void)
{
	struct schema *s = schema_of(THREE);
	size_t len = 3U * INTAKE_WINDOW_MIN;
	char *text = malloc(len + 64);
	if (text == NULL)
		abort();
	size_t at = (size_t)sprintf(text, "id,name,day\n1,");
	memset(text + at, 'x', len);
	size_t n = at + len + (size_t)sprintf(text + at + len, ",\n2,b,\n");
	struct outcome o;
	run_split(&o, s, INTAKE_CSV, (struct bytes){ (uint8_t *)text, n }, INTAKE_WINDOW_MIN + 100);
	CU_ASSERT_TRUE(o.ok);
	expect(&o.rows, "3:2|b||\n");
	expect(&o.faults, "2,0 source-error\n");
	outcome_clear(&o);
	free(text);
	schema_free(s);
}

static void ndjson_is_checked_as_csv_is(void)
{
	static const char lines[] =
		"\xef\xbb\xbf{\"id\": 1, \"name\": \"\\u7532\\ud83d\\ude00\\n\", \"day\": \"2026-10-01\"}\r\n"
		"{\"id\": \"２\", \"编号\": 3}\n{\"name\": null}\n{\"id\": 4, \"day\": null}\n\n"
		"{\"id\": 5, \"id\": 6}\n{\"id\": [7]}\n{\"id\": 8, \"x\": 1}\n[9]\n{\"id\":10.0}";
	static const char rows[] = "1:1|甲😀\n|2026-10-01|\n4:4|||\n10:10||| number-form\n";
	static const char faults[] = "2,0 extra-cell\n3,1 missing-cell\n5,0 blank-row\n6,0 source-error\n"
				     "7,0 source-error\n8,0 extra-cell\n9,0 source-error\n";
	struct schema *s = schema_of(THREE);
	for (size_t n = 1; n < sizeof(lines); n++) {
		struct outcome o;
		run_split(&o, s, INTAKE_NDJSON, bytes_of(lines), n);
		bool same = o.ok && strcmp(buf_str(&o.rows), rows) == 0 && strcmp(buf_str(&o.faults), faults) == 0;
		if (!same)
			printf("\n    cut at %zu: %s\n%s%s", n, o.e.text, buf_str(&o.rows), buf_str(&o.faults));
		CU_ASSERT_TRUE(same);
		outcome_clear(&o);
		if (!same)
			break;
	}
	schema_free(s);
}

static CU_TestInfo tests[] = {
	{ "the published report of invalid.csv is ours", the_published_report_of_invalid_csv_is_ours },
	{ "the other public files are read to their end", the_other_public_files_are_read_to_their_end },
	{ "rows are the same wherever the file is cut into windows",
	  rows_are_the_same_wherever_the_file_is_cut_into_windows },
	{ "GB18030 gives the same rows as UTF-8", gb18030_gives_the_same_rows_as_utf_8 },
	{ "the content shows its own date", the_content_shows_its_own_date },
	{ "a file cut in a character is noticed", a_file_cut_in_a_character_is_noticed },
	{ "labels that moved or changed are drift and without a key nothing is read",
	  labels_that_moved_or_changed_are_drift_and_without_a_key_nothing_is_read },
	{ "a row without end costs itself and bounded memory", a_row_without_end_costs_itself_and_bounded_memory },
	{ "NDJSON is checked as CSV is", ndjson_is_checked_as_csv_is },
	CU_TEST_INFO_NULL,
};

SUITE(ingest_intake, NULL, NULL, tests);
