#include "central/csv.h"
#include "protocol/base/utf8.h"
#include "tests/test.h"

#include <string.h>

static struct csv csv;
static struct csv_row row;

static bool next_of(const char *text)
{
	csv_clear(&csv);
	csv_init(&csv, bytes_of(text));
	return csv_next(&csv, &row);
}

static void teardown(void)
{
	csv_clear(&csv);
}

static void check_field(size_t i, const char *want)
{
	CU_ASSERT_TRUE(i < row.fields_len && bytes_equal(row.fields[i], bytes_of(want)));
}

static void quotes_commas_and_doubled_quotes_are_undone(void)
{
	CU_ASSERT_TRUE(next_of("\"a,b\", \"say \"\"hi\"\"\" ,c\r\n"));
	CU_ASSERT_EQUAL(row.fault, CSV_OK);
	CU_ASSERT_EQUAL(row.fields_len, 3);
	check_field(0, "a,b");
	check_field(1, "say \"hi\"");
	check_field(2, "c");
	CU_ASSERT_FALSE(csv_next(&csv, &row));
}

static void a_quoted_line_break_belongs_to_the_field(void)
{
	CU_ASSERT_TRUE(next_of("\"a\nb\",c\nd,e"));
	check_field(0, "a\nb");
	CU_ASSERT_TRUE(csv_next(&csv, &row));
	CU_ASSERT_EQUAL(row.number, 2);
	check_field(1, "e");
}

static void an_open_quote_costs_one_line_and_not_the_file(void)
{
	CU_ASSERT_TRUE(next_of("\"open,b\nc,d\n"));
	CU_ASSERT_EQUAL(row.fault, CSV_QUOTE);
	CU_ASSERT_TRUE(bytes_equal(row.raw, bytes_of("\"open,b")));
	CU_ASSERT_TRUE(csv_next(&csv, &row));
	CU_ASSERT_EQUAL(row.fault, CSV_OK);
	check_field(0, "c");
}

static void text_behind_a_closing_quote_is_a_fault(void)
{
	CU_ASSERT_TRUE(next_of("\"a\"b,c\n"));
	CU_ASSERT_EQUAL(row.fault, CSV_QUOTE);
}

static void byte_order_mark_and_dos_end_of_file_are_dropped(void)
{
	CU_ASSERT_TRUE(next_of("\xef\xbb\xbf"
			       "a,b\r\n\x1a"));
	check_field(0, "a");
	check_field(1, "b");
	CU_ASSERT_FALSE(csv_next(&csv, &row));
}

static void blank_rows_and_bad_encodings_are_told_apart(void)
{
	CU_ASSERT_TRUE(next_of(" , ,\n"));
	CU_ASSERT_EQUAL(row.fault, CSV_BLANK);
	CU_ASSERT_TRUE(next_of("a,\xc4\xe3\n"));
	CU_ASSERT_EQUAL(row.fault, CSV_ENCODING);
	CU_ASSERT_TRUE(next_of("a,\xe4\xbd\xa0\n"));
	CU_ASSERT_EQUAL(row.fault, CSV_OK);
	CU_ASSERT_FALSE(utf8_is_valid((struct bytes){ (const uint8_t *)"a\0b", 3 }));
	CU_ASSERT_FALSE(utf8_is_valid(bytes_of("\xed\xa0\x80")));
	CU_ASSERT_FALSE(utf8_is_valid(bytes_of("\xf4\x90\x80\x80")));
	CU_ASSERT_FALSE(utf8_is_valid(bytes_of("\xe4\xbd")));
}

static void too_many_fields_and_too_long_rows_are_refused(void)
{
	static char text[2 * CSV_ROW_MAX];
	memset(text, ',', 100);
	strcpy(text + 100, "\nx,y\n");
	CU_ASSERT_TRUE(next_of(text));
	CU_ASSERT_EQUAL(row.fault, CSV_TOO_MANY);
	CU_ASSERT_TRUE(csv_next(&csv, &row));
	check_field(1, "y");
	memset(text, 'a', sizeof(text) - 1);
	CU_ASSERT_TRUE(next_of(text));
	CU_ASSERT_EQUAL(row.fault, CSV_TOO_LONG);
	text[0] = '"';
	text[sizeof(text) - 2] = '"';
	CU_ASSERT_TRUE(next_of(text));
	CU_ASSERT_EQUAL(row.fault, CSV_QUOTE);
}

static void every_cut_of_a_file_is_read_to_its_end(void)
{
	const char *text = "k,n\n\"a\"\"b\",\"c\nd\"\r\n , \n\"x";
	for (size_t n = 0; n <= strlen(text); n++) {
		csv_clear(&csv);
		csv_init(&csv, (struct bytes){ (const uint8_t *)text, n });
		unsigned rows = 0;
		while (csv_next(&csv, &row))
			rows++;
		CU_ASSERT_TRUE(rows <= 5);
		CU_ASSERT_EQUAL(rows == 0, n == 0);
	}
}

static void windows_hand_out_the_same_rows_as_the_whole_file(void)
{
	static const char text[] = "\xef\xbb\xbfk,n\r\n\"a\"\"b\",\"c\nd\"\r\n , \n\"e\"f\nlast,\"row\"\r\n\x1a";
	static const enum csv_fault faults[] = { CSV_OK, CSV_OK, CSV_BLANK, CSV_QUOTE, CSV_OK };
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		size_t rows = 0;
		csv_clear(&csv);
		csv_init_part(&csv, (struct bytes){ (const uint8_t *)text, n }, true, true);
		for (; csv_next(&csv, &row); rows++)
			CU_ASSERT_EQUAL(row.fault, faults[rows]);
		size_t at = csv.at;
		csv_init_part(&csv, (struct bytes){ (const uint8_t *)text + at, sizeof(text) - 1 - at }, at == 0,
			      false);
		for (; csv_next(&csv, &row); rows++)
			CU_ASSERT_EQUAL(row.fault, faults[rows]);
		CU_ASSERT_EQUAL(rows, 5);
		CU_ASSERT_EQUAL(row.number, 5);
		check_field(1, "row");
	}
}

static CU_TestInfo tests[] = {
	{ "quotes, commas and doubled quotes are undone", quotes_commas_and_doubled_quotes_are_undone },
	{ "a quoted line break belongs to the field", a_quoted_line_break_belongs_to_the_field },
	{ "an open quote costs one line and not the file", an_open_quote_costs_one_line_and_not_the_file },
	{ "text behind a closing quote is a fault", text_behind_a_closing_quote_is_a_fault },
	{ "byte order mark and DOS end of file are dropped", byte_order_mark_and_dos_end_of_file_are_dropped },
	{ "blank rows and bad encodings are told apart", blank_rows_and_bad_encodings_are_told_apart },
	{ "too many fields and too long rows are refused", too_many_fields_and_too_long_rows_are_refused },
	{ "every cut of a file is read to its end", every_cut_of_a_file_is_read_to_its_end },
	{ "windows hand out the same rows as the whole file", windows_hand_out_the_same_rows_as_the_whole_file },
	CU_TEST_INFO_NULL,
};

SUITE(csv, NULL, teardown, tests);
