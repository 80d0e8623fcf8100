#include "central/ingest/cell.h"
#include "central/ingest/siphash.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#define TODAY 20760 /* 2026-11-03 */

static struct schema *schema_of(const char *json)
{
	char text[2048];
	struct err e = { 0 };
	snprintf(text, sizeof(text), "%s", json);
	for (char *p = text; *p != '\0'; p++)
		*p = *p == '\'' ? '"' : *p;
	struct schema *s = schema_parse_text(bytes_of(text), &e);
	if (s == NULL)
		printf("\n    %s", e.text);
	return s;
}

#define ALL                                                                                                          \
	"{'fields':[{'name':'n','type':'number','unit':'元'},{'name':'i','type':'integer','constraints':"           \
	"{'minimum':0,'maximum':1000000}},{'name':'d','type':'date'},{'name':'x','type':'date','excelDates':true},"  \
	"{'name':'m','type':'yearmonth'},{'name':'b','type':'boolean'},{'name':'r','identifier':'resident_id'},"     \
	"{'name':'u','identifier':'uscc'},{'name':'e','constraints':{'enum':['甲','乙']}},"                        \
	"{'name':'l','constraints':{'minLength':2,'maxLength':3}},{'name':'w','type':'number','unit':'万元'}]}"

static void each_cell_has_one_reading_or_a_reason(void)
{
	static const struct {
		const char *field, *given, *want; /* NULL: refused */
		unsigned what;                    /* repair, or fault */
	} rows[] = {
		{ "n", "12.50", "12.5", REPAIR_NONE },
		{ "n", "-0.00", "0", REPAIR_NONE },
		{ "n", "1,234,567.8", "1234567.8", REPAIR_GROUPED },
		{ "n", "1,23", NULL, FAULT_NUMBER },
		{ "n", "0,123", NULL, FAULT_NUMBER },
		{ "n", "1.5万元", "15000", REPAIR_UNIT },
		{ "n", "0.00015亿元", "15000", REPAIR_UNIT },
		{ "n", "１２.５", "12.5", REPAIR_WIDTH },
		{ "n", "3.30801E+17", NULL, FAULT_SCIENTIFIC },
		{ "n", "12abc", NULL, FAULT_NUMBER },
		{ "n", ".5", NULL, FAULT_NUMBER },
		{ "n", "99999999999999999999.01", "99999999999999999999.01", REPAIR_NONE },
		{ "n", "99999999999999999999999999999999999", NULL, FAULT_NUMBER },
		{ "w", "15000元", "1.5", REPAIR_UNIT },
		{ "w", "5元", "0.0005", REPAIR_UNIT },
		{ "w", "5", "5", REPAIR_NONE },
		{ "i", "7", "7", REPAIR_NONE },
		{ "i", "007", "7", REPAIR_NUMBER_FORM },
		{ "i", "5.0", "5", REPAIR_NUMBER_FORM },
		{ "i", "5.5", NULL, FAULT_INTEGER },
		{ "i", "5元", NULL, FAULT_INTEGER },
		{ "i", "-1", NULL, FAULT_MINIMUM },
		{ "i", "1000001", NULL, FAULT_MAXIMUM },
		{ "d", "2026-01-31", "2026-01-31", REPAIR_NONE },
		{ "d", "2026/1/3", "2026-01-03", REPAIR_DATE_FORM },
		{ "d", "2026.01.03", "2026-01-03", REPAIR_DATE_FORM },
		{ "d", "2026年1月3日", "2026-01-03", REPAIR_DATE_FORM },
		{ "d", "20260103", "2026-01-03", REPAIR_DATE_FORM },
		{ "d", "2026/1/3 0:00:00", "2026-01-03", REPAIR_DATE_FORM },
		{ "d", "2026/1/3 9:30", NULL, FAULT_DATE },
		{ "d", "2024/2/30", NULL, FAULT_NO_SUCH_DAY },
		{ "d", "2024/2/29", "2024-02-29", REPAIR_DATE_FORM },
		{ "d", "03/02/2026", NULL, FAULT_DAY_OR_MONTH },
		{ "d", "45992", NULL, FAULT_EXCEL_SERIAL },
		{ "d", "昨天", NULL, FAULT_DATE },
		{ "d", "２０２６-０１-０３", "2026-01-03", REPAIR_WIDTH },
		{ "x", "45992", "2025-12-01", REPAIR_EXCEL_DATE },
		{ "x", "12", NULL, FAULT_DATE },
		{ "m", "2026-10", "2026-10", REPAIR_NONE },
		{ "m", "202610", "2026-10", REPAIR_DATE_FORM },
		{ "m", "2026年10月", "2026-10", REPAIR_DATE_FORM },
		{ "m", "2026-13", NULL, FAULT_MONTH },
		{ "b", "是", "true", REPAIR_NONE },
		{ "b", "0", "false", REPAIR_NONE },
		{ "b", "maybe", NULL, FAULT_BOOLEAN },
		{ "r", "11010519491231002X", "11010519491231002X", REPAIR_NONE },
		{ "r", "11010519491231002x", "11010519491231002X", REPAIR_ID_FORM },
		{ "r", "１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X", REPAIR_WIDTH },
		{ "r", "110105491231002", "11010519491231002X", REPAIR_ID_15 },
		{ "r", "3.30801E+17", NULL, FAULT_SCIENTIFIC },
		{ "r", "110105194912310021", NULL, FAULT_IDENTIFIER + IDENTIFIER_FAULT_CHECK_DIGIT },
		{ "u", "9133", NULL, FAULT_IDENTIFIER + IDENTIFIER_FAULT_LENGTH },
		{ "e", "甲", "甲", REPAIR_NONE },
		{ "e", "丙", NULL, FAULT_ENUM },
		{ "l", "一", NULL, FAULT_MIN_LENGTH },
		{ "l", "一二三", "一二三", REPAIR_NONE },
		{ "l", "一二三四", NULL, FAULT_MAX_LENGTH },
	};
	struct schema *s = schema_of(ALL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cell c;
		const struct schema_field *f = &s->fields[schema_find(s, bytes_of(rows[i].field))];
		unsigned fault = cell_check(f, bytes_of(rows[i].given), TODAY, &c);
		bool ok = rows[i].want != NULL ? fault == FAULT_NONE && c.repair == rows[i].what &&
							 bytes_equal(c.text, bytes_of(rows[i].want))
					       : fault == rows[i].what;
		if (!ok)
			printf("\n    %s '%s': fault %u %s, repair %d", rows[i].field, rows[i].given, fault,
			       fault_en(fault), (int)c.repair);
		CU_ASSERT_TRUE(ok);
	}
	schema_free(s);
}

static void every_fault_has_a_name_and_a_sentence_in_both_languages(void)
{
	for (unsigned f = 1; f <= FAULT_LAST; f++) {
		bool known = f <= FAULT_INCORRECT_LABEL || f > FAULT_IDENTIFIER;
		CU_ASSERT_EQUAL(fault_code(f)[0] != '\0', known);
		CU_ASSERT_EQUAL(fault_zh(f)[0] != '\0', known);
		CU_ASSERT_EQUAL(fault_en(f)[0] != '\0', known);
	}
	for (unsigned r = 1; r <= REPAIR_LAST; r++)
		CU_ASSERT_TRUE(repair_name(r)[0] != '\0' && repair_zh(r)[0] != '\0');
}

static void a_schema_that_asks_for_more_than_is_checked_is_refused(void)
{
	static const char *const bad[] = {
		"[]",
		"{'fields':[]}",
		"{'fields':[{'name':'a','type':'geopoint'}]}",
		"{'fields':[{'name':'a','constraints':{'pattern':'x'}}]}",
		"{'fields':[{'name':'a'},{'name':'a'}]}",
		"{'fields':[{'name':'a'},{'name':'b','title':'a'}]}",
		"{'fields':[{'name':'a'}],'primaryKey':['b']}",
		"{'fields':[{'name':'a','subject':true}]}",
		"{'fields':[{'name':'a','asOf':true}]}",
		"{'fields':[{'name':'a','identifier':'shoe_size'}]}",
		"{'fields':[{'name':'a','unit':'元'}]}",
		"{'fields':[{'name':'a','type':'date','format':'%d/%m/%Y'}]}",
		"{'fields':[{'name':'a','type':'date','constraints':{'minimum':5}}]}",
		"{'fields':[{'name':'a'}],'foreignKeys':[]}",
	};
	struct err e = { 0 };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[256];
		snprintf(text, sizeof(text), "%s", bad[i]);
		for (char *p = text; *p != '\0'; p++)
			*p = *p == '\'' ? '"' : *p;
		struct schema *s = schema_parse_text(bytes_of(text), &e);
		if (s != NULL)
			printf("\n    taken: %s", bad[i]);
		CU_ASSERT_PTR_NULL(s);
		schema_free(s);
	}
}

/* The first of the reference code's vectors_sip128: key 00…0f, messages of 0 and 1 bytes. */
static void siphash_gives_the_published_values(void)
{
	uint8_t key[16];
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	struct siphash none = siphash_of(key, (struct bytes){ key, 0 }),
		       one = siphash_of(key, (struct bytes){ key, 1 });
	CU_ASSERT_EQUAL(none.high, 0xe6a825ba047f81a3U);
	CU_ASSERT_EQUAL(none.low, 0x930255c71472f66dU);
	CU_ASSERT_EQUAL(one.high, 0x44af996bd8c187daU);
	CU_ASSERT_EQUAL(one.low, 0x45fc229b11597634U);
}

static CU_TestInfo tests[] = {
	{ "each cell has one reading or a reason", each_cell_has_one_reading_or_a_reason },
	{ "every fault has a name and a sentence in both languages",
	  every_fault_has_a_name_and_a_sentence_in_both_languages },
	{ "a schema that asks for more than is checked is refused",
	  a_schema_that_asks_for_more_than_is_checked_is_refused },
	{ "SipHash gives the published values", siphash_gives_the_published_values },
	CU_TEST_INFO_NULL,
};

SUITE(ingest_cell, NULL, NULL, tests);
