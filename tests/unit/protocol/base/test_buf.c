#include "protocol/base/buf.h"
#include "protocol/base/utf8.h"
#include "tests/test.h"

#include <string.h>

static void a_builder_looks_once_at_the_end(void)
{
	struct buf b;
	struct err e = { 0 };
	buf_init(&b, 10);
	CU_ASSERT_TRUE(buf_add_str(&b, "12345") && buf_add_u8(&b, '6') && buf_add_fmt(&b, "%d", 789));
	CU_ASSERT_STRING_EQUAL(buf_str(&b), "123456789");
	CU_ASSERT_TRUE(buf_ok(&b, "it", &e));
	CU_ASSERT_FALSE(buf_add_str(&b, "ab"));
	CU_ASSERT_FALSE(buf_add_u8(&b, 'a')); /* would fit, but what came before did not */
	CU_ASSERT_FALSE(buf_ok(&b, "it", &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	CU_ASSERT_EQUAL(b.len, 9);
	buf_reset(&b);
	CU_ASSERT_TRUE(buf_ok(&b, "it", &e) && b.len == 0);
	CU_ASSERT_PTR_NOT_NULL(buf_grow(&b, 10));
	CU_ASSERT_PTR_NULL(buf_grow(&b, 1));
	CU_ASSERT_PTR_NULL(buf_grow(&b, SIZE_MAX));
	buf_clear(&b);
	buf_init(&b, SIZE_MAX);
	CU_ASSERT_STRING_EQUAL(buf_str(&b), "");
	for (int i = 0; i < 100000; i++)
		buf_add_u8(&b, (uint8_t)i);
	CU_ASSERT_TRUE(b.len == 100000 && b.data[99999] == (uint8_t)99999);
	buf_clear(&b);
}

static void only_utf8_in_its_shortest_form_is_valid(void)
{
	static const char *const good[] = {
		"", "a", "\x7f", "é", "示例", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"
	};
	static const char *const bad[] = { "\x80",
					   "\xc3",
					   "\xc0\x80",
					   "\xc1\xbf",
					   "\xe0\x80\x80",
					   "\xed\xa0\x80",
					   "\xf0\x80\x80\x80",
					   "\xf4\x90\x80\x80",
					   "\xf5\x80\x80\x80",
					   "\xff",
					   "a\xc3z",
					   "\xe7\xa4" };
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CU_ASSERT_TRUE(utf8_is_valid(bytes_of(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_FALSE(utf8_is_valid(bytes_of(bad[i])));
}

static CU_TestInfo tests[] = {
	{ "a builder looks once at the end", a_builder_looks_once_at_the_end },
	{ "only UTF-8 in its shortest form is valid", only_utf8_in_its_shortest_form_is_valid },
	CU_TEST_INFO_NULL,
};
SUITE(buf, NULL, NULL, tests);
