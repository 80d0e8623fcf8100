#include "protocol/base/json.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct json *parse(const char *text)
{
	struct err e = { 0 };
	struct json *j = json_parse(bytes_of(text), &e);
	if (j == NULL)
		CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	return j;
}

static void only_strict_json_is_read(void)
{
	static const char *const bad[] = {
		"",
		"{",
		"{}x",
		"{} {}",
		"{'a':1}",
		"{\"a\":1,}",
		"{\"a\":1,\"a\":2}",
		"{\"a\":01}",
		"{\"a\":+1}",
		"{\"a\":NaN}",
		"{\"a\":1e999}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\\ud800\"}",
		"[1,]",
		"{\"a\":99999999999999999999}",
		"\"text\"",
		"// c\n{}",
		"{\"a\":\"\\u0000\"}",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct json *j = parse(bad[i]);
		if (j != NULL)
			printf("\n    %s", bad[i]);
		CU_ASSERT_PTR_NULL(j);
		json_free(j);
	}
	char deep[201];
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	deep[200] = '\0';
	CU_ASSERT_PTR_NULL(parse(deep));
	CU_ASSERT_PTR_NULL(json_parse((struct bytes){ (const uint8_t *)"{}\0", 3 }, NULL));
}

static void every_cut_of_a_document_is_refused(void)
{
	const char *text = "{\"a\":[1,2.5,true,null,\"x\\u00e9\"],\"b\":{\"c\":\"d\"}}";
	for (size_t len = 0; len < strlen(text); len++)
		CU_ASSERT_PTR_NULL(json_parse((struct bytes){ (const uint8_t *)text, len }, NULL));
	struct json *j = parse(text);
	CU_ASSERT_PTR_NOT_NULL(j);
	json_free(j);
}

static void what_was_read_can_be_walked(void)
{
	struct json *j = parse("{\"b\":[1,-9223372036854775808,2.5,true,null,\"示例\"],\"a\":{}}");
	CU_ASSERT_PTR_NOT_NULL_FATAL(j);
	const char *key = NULL;
	CU_ASSERT_EQUAL(json_len(j), 2);
	CU_ASSERT_EQUAL(json_kind(json_member(j, 0, &key)), JSON_KIND_OBJECT);
	CU_ASSERT_STRING_EQUAL(key, "a");
	const struct json *b = json_get(j, "b");
	static const enum json_kind kinds[] = { JSON_KIND_INT,  JSON_KIND_INT,  JSON_KIND_REAL,
						JSON_KIND_BOOL, JSON_KIND_NULL, JSON_KIND_TEXT };
	CU_ASSERT_EQUAL_FATAL(json_len(b), 6);
	for (size_t i = 0; i < 6; i++)
		CU_ASSERT_EQUAL(json_kind(json_at(b, i)), kinds[i]);
	CU_ASSERT_EQUAL(json_int_value(json_at(b, 1)), INT64_MIN);
	CU_ASSERT_TRUE(json_double_value(json_at(b, 2)) == 2.5);
	CU_ASSERT_TRUE(bytes_equal(json_text_value(json_at(b, 5)), bytes_of("示例")));
	CU_ASSERT_PTR_NULL(json_get(j, "nothing"));
	json_free(j);
}

static void readers_name_the_field_from_the_top(void)
{
	struct json *j = parse("{\"subject\":{\"number\":17,\"name\":\"ab\",\"long\":\"12345\",\"n\":5,"
			       "\"list\":[{\"x\":1}]}}");
	const struct json *s = json_get(j, "subject");
	const char *text;
	int64_t n;
	bool b;
	struct err e = { 0 };
	CU_ASSERT_FALSE(json_text(s, "number", 10, &text, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "subject.number"));
	CU_ASSERT_FALSE(json_text(s, "name", 1, &text, &e));
	CU_ASSERT_FALSE(json_text(s, "long", 4, &text, &e));
	CU_ASSERT_TRUE(json_text(s, "long", 5, &text, &e));
	CU_ASSERT_FALSE(json_text(s, "missing", 5, &text, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "subject.missing"));
	CU_ASSERT_TRUE(json_text_opt(s, "missing", 5, &text, &e) && text == NULL);
	CU_ASSERT_FALSE(json_text_opt(s, "n", 5, &text, &e));
	CU_ASSERT_TRUE(json_int(s, "n", 5, 5, &n, &e) && n == 5);
	CU_ASSERT_FALSE(json_int(s, "n", 6, 9, &n, &e));
	CU_ASSERT_FALSE(json_bool(s, "n", &b, &e));
	CU_ASSERT_FALSE(json_only(s, "number name long n", &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "unknown field 'list'"));
	CU_ASSERT_FALSE(json_only(json_at(json_get(s, "list"), 0), "y xx", &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "subject.list[0]"));
	CU_ASSERT_TRUE(json_only(s, "number name long n list", &e));
	json_free(j);
}

static void what_is_written_can_be_read(void)
{
	struct buf out;
	struct json_out w = { .out = &out };
	const char *text = NULL;
	struct err e;
	buf_init(&out, 1000);
	json_open(&w, NULL, '{');
	json_put_text(&w, "quoted", "\"\\\n\t\x01/示");
	json_put_text_n(&w, "broken", (struct bytes){ (const uint8_t *)"a\xff\xc3z", 4 });
	json_open(&w, "list", '[');
	json_put_int(&w, NULL, INT64_MIN);
	json_put_real(&w, NULL, 0.1);
	json_put_bool(&w, NULL, false);
	json_put_null(&w, NULL);
	json_close(&w, ']');
	json_put_text(&w, "none", NULL);
	json_close(&w, '}');
	struct json *j = json_parse(buf_bytes(&out), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(j);
	CU_ASSERT_TRUE(json_text(j, "quoted", 100, &text, &e));
	CU_ASSERT_STRING_EQUAL(text, "\"\\\n\t\x01/示");
	CU_ASSERT_TRUE(json_text(j, "broken", 100, &text, &e));
	CU_ASSERT_STRING_EQUAL(text, "a\xef\xbf\xbd\xef\xbf\xbdz");
	CU_ASSERT_TRUE(json_double_value(json_at(json_get(j, "list"), 1)) == 0.1);
	json_free(j);
	buf_clear(&out);
}

static CU_TestInfo tests[] = {
	{ "only strict JSON is read", only_strict_json_is_read },
	{ "every cut of a document is refused", every_cut_of_a_document_is_refused },
	{ "what was read can be walked", what_was_read_can_be_walked },
	{ "readers name the field from the top", readers_name_the_field_from_the_top },
	{ "what is written can be read", what_is_written_can_be_read },
	CU_TEST_INFO_NULL,
};
SUITE(json, NULL, NULL, tests);
