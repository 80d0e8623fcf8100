#include "protocol/base/err.h"
#include "protocol/base/buf.h"
#include "tests/test.h"

static void wrapping_keeps_the_code_and_puts_the_context_first(void)
{
	struct err e = { 0 };
	CU_ASSERT_FALSE(err_set(&e, ERR_INPUT, "line %d", 3));
	CU_ASSERT_FALSE(err_wrap(&e, "reading %s", "a.conf"));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	CU_ASSERT_STRING_EQUAL(e.text, "reading a.conf: line 3");
}

static void a_buffer_past_its_maximum_stays_failed(void)
{
	struct buf b;
	struct err e = { 0 };
	buf_init(&b, 8);
	CU_ASSERT_TRUE(buf_add_str(&b, "12345"));
	CU_ASSERT_FALSE(buf_add_str(&b, "6789"));
	CU_ASSERT_FALSE(buf_add_str(&b, "6"));
	CU_ASSERT_FALSE(buf_ok(&b, "reply", &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	CU_ASSERT_STRING_EQUAL(buf_str(&b), "12345");
	buf_clear(&b);
}

static void each_code_has_a_word_that_leads_back_to_it_and_a_chinese_name(void)
{
	for (int code = ERR_NONE; code <= ERR_IO; code++) {
		CU_ASSERT_EQUAL(err_named(err_name((enum err_code)code)), (enum err_code)code);
		CU_ASSERT_TRUE((unsigned char)err_zh((enum err_code)code)[0] >= 0xe0);
	}
	CU_ASSERT_EQUAL(err_named("no such word"), ERR_IO);
}

static CU_TestInfo tests[] = {
	{ "wrapping keeps the code and puts the context first", wrapping_keeps_the_code_and_puts_the_context_first },
	{ "a buffer past its maximum stays failed", a_buffer_past_its_maximum_stays_failed },
	{ "each code has a word that leads back to it, and a Chinese name",
	  each_code_has_a_word_that_leads_back_to_it_and_a_chinese_name },
	CU_TEST_INFO_NULL,
};

SUITE(err, NULL, NULL, tests);
