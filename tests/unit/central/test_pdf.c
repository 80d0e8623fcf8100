#include "central/report/pdf.h"
#include "tests/test.h"

#include <string.h>
#include <unistd.h>

static struct err err;
static struct buf out, again;

static void setup(void)
{
	err = (struct err){ 0 };
	buf_init(&out, 1U << 24);
	buf_init(&again, 1U << 24);
}

static void teardown(void)
{
	buf_clear(&out);
	buf_clear(&again);
}

static bool has_font(void)
{
	if (access(PDF_FONT, R_OK) == 0)
		return true;
	test_skip(PDF_FONT);
	return false;
}

static const struct pdf_pen pen = { 10, 0, 0, 0 };

static bool made(const char *text, struct buf *into)
{
	struct pdf *p = pdf_new(PDF_FONT, "T1", "2026-11-24", &err);
	if (p == NULL)
		return false;
	pdf_page(p);
	pdf_text(p, 50, 700, &pen, bytes_of(text), 0.3F);
	pdf_line(p, 50, 690, 100, &pen);
	bool ok = pdf_finish(p, into, &err);
	pdf_free(p);
	return ok;
}

static void the_same_calls_give_the_same_bytes(void)
{
	if (!has_font())
		return;
	CU_ASSERT_TRUE(made("企业综合信用报告 credit report", &out) &&
		       made("企业综合信用报告 credit report", &again));
	CU_ASSERT_TRUE(out.len > 10000 && bytes_equal(buf_bytes(&out), buf_bytes(&again)));
	CU_ASSERT_TRUE(memcmp(out.data, "%PDF-", 5) == 0 && memmem(out.data, out.len, "%%EOF", 5) != NULL);
	CU_ASSERT_PTR_NOT_NULL(memmem(out.data, out.len, "(D:20261124235959+08'00')", 25));
	buf_reset(&again);
	CU_ASSERT_TRUE(made("企业综合信用报告 credit reports", &again) &&
		       !bytes_equal(buf_bytes(&out), buf_bytes(&again)));
}

static void any_text_can_be_drawn(void)
{
	static const char *const texts[] = {
		"", "\x01\x7f\t", "\xf0\xa0\xae\xb7 beyond the plane", "cut \xe4\xbc", "\xff\xfe", "(\\)"
	};
	for (size_t i = 0; has_font() && i < sizeof(texts) / sizeof(texts[0]); i++) {
		buf_reset(&out);
		CU_ASSERT_TRUE(made(texts[i], &out));
	}
}

static void lines_break_between_chinese_and_after_spaces_and_not_before_a_stop(void)
{
	static const struct {
		const char *text;
		float width;
		size_t len;
	} cases[] = {
		{ "信用报告", 20.5F, 6 },   /* two of ten points each */
		{ "信用，报告", 20.5F, 3 }, /* the comma takes its neighbour along */
		{ "credit report", 40, 7 }, /* behind the space */
		{ "creditreport", 20, 4 },  /* nowhere to break: where it is full */
		{ "信", 1, 3 },             /* one at least */
		{ "信用", 100, 6 },
	};
	struct pdf *p = has_font() ? pdf_new(PDF_FONT, "T1", "2026-11-24", &err) : NULL;
	for (size_t i = 0; p != NULL && i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = pdf_fit(p, 10, cases[i].width, bytes_of(cases[i].text));
		if (n != cases[i].len)
			printf("\n    %s: %zu", cases[i].text, n);
		CU_ASSERT_EQUAL(n, cases[i].len);
	}
	pdf_free(p);
}

static void a_font_that_is_missing_or_none_is_said(void)
{
	CU_ASSERT_PTR_NULL(pdf_new("/nonexistent.ttc", "T", "2026-11-24", &err));
	CU_ASSERT_TRUE(err.code == ERR_MISSING && strstr(err.text, "fonts-wqy-zenhei") != NULL);
	CU_ASSERT_PTR_NULL(pdf_new("/proc/self/status", "T", "2026-11-24", &err));
	CU_ASSERT_EQUAL(err.code, ERR_IO);
}

static CU_TestInfo tests[] = {
	{ "the same calls give the same bytes", the_same_calls_give_the_same_bytes },
	{ "any text can be drawn", any_text_can_be_drawn },
	{ "lines break between Chinese and after spaces, and not before a stop",
	  lines_break_between_chinese_and_after_spaces_and_not_before_a_stop },
	{ "a font that is missing, or none, is said", a_font_that_is_missing_or_none_is_said },
	CU_TEST_INFO_NULL,
};

SUITE(pdf, setup, teardown, tests);
