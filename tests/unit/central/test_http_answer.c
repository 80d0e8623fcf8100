#include "central/exchange/http_answer.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static struct http_answer answer;
static struct err err;

static void setup(void)
{
	http_answer_init(&answer, 64);
}

static void teardown(void)
{
	http_answer_clear(&answer);
}

static enum http_answer_step read_text(const char *text, bool ended)
{
	return http_answer_read(bytes_of(text), ended, &answer, &err);
}

static bool body_is(const char *want)
{
	return bytes_equal(buf_bytes(&answer.body), bytes_of(want));
}

/* Whole ones, with their status and body. to_end: only the connection's end ends them. */
static const struct whole {
	const char *text;
	int status;
	const char *body;
	bool to_end;
} whole[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", false },
	{ "HTTP/1.1 429 Too Many\r\nretry-after:  7 \r\ncontent-length: 0\r\n\r\n", 429, "", false },
	{ "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", 200,
	  "abc0123456789", false },
	{ "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204, "", false },
	{ "HTTP/1.0 503 Busy\r\n\r\nabc", 503, "abc", true },
};

static void an_answer_is_whole_at_its_last_byte_and_cut_before_it(void)
{
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		size_t len = strlen(whole[i].text);
		CU_ASSERT_EQUAL(read_text(whole[i].text, whole[i].to_end), HTTP_ANSWER_WHOLE);
		CU_ASSERT_EQUAL(answer.status, whole[i].status);
		CU_ASSERT_TRUE(body_is(whole[i].body));
		for (size_t n = 0; n < len && !whole[i].to_end; n++) {
			struct bytes part = { (const uint8_t *)whole[i].text, n };
			CU_ASSERT_EQUAL(http_answer_read(part, false, &answer, &err), HTTP_ANSWER_MORE);
			CU_ASSERT_EQUAL(http_answer_read(part, true, &answer, &err), HTTP_ANSWER_BROKEN);
			CU_ASSERT_EQUAL(err.code, ERR_IO);
		}
	}
}

static const char too_long[] = "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n"
			       "01234567890123456789012345678901234567890123456789012345678901234";

static void what_can_be_read_in_two_ways_is_refused(void)
{
	static const char *const bad[] = {
		"SSH-2.0-x\r\n\r\n",
		"HTTP/2.0 200 OK\r\n\r\n",
		"HTTP/1.1 2x0 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
		"HTTP/1.1 200 OK\r\n folded\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
		too_long,
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enum http_answer_step step = read_text(bad[i], true);
		if (step != HTTP_ANSWER_BROKEN)
			printf("\n    taken: %s", bad[i]);
		CU_ASSERT_EQUAL(step, HTTP_ANSWER_BROKEN);
		buf_clear(&answer.body);
		http_answer_init(&answer, 64);
	}
}

static void a_pause_is_asked_for_in_seconds_or_as_a_date(void)
{
	CU_ASSERT_EQUAL(http_retry_after_s("120", 0), 120);
	CU_ASSERT_EQUAL(http_retry_after_s("Fri, 31 Dec 1999 23:59:59 GMT", 946684799 - 90), 90);
	CU_ASSERT_EQUAL(http_retry_after_s("Fri, 31 Dec 1999 23:59:59 GMT", 946684800), 0);
	CU_ASSERT_EQUAL(http_retry_after_s("9999999", 0), 86400);
	CU_ASSERT_EQUAL(http_retry_after_s("soon", 0), 0);
	CU_ASSERT_EQUAL(http_retry_after_s("-5", 0), 0);
	CU_ASSERT_EQUAL(http_retry_after_s("", 0), 0);
	CU_ASSERT_EQUAL(read_text(whole[1].text, false), HTTP_ANSWER_WHOLE);
	CU_ASSERT_STRING_EQUAL(answer.retry_after, "7");
}

static CU_TestInfo tests[] = {
	{ "an answer is whole at its last byte and cut before it",
	  an_answer_is_whole_at_its_last_byte_and_cut_before_it },
	{ "what can be read in two ways is refused", what_can_be_read_in_two_ways_is_refused },
	{ "a pause is asked for in seconds or as a date", a_pause_is_asked_for_in_seconds_or_as_a_date },
	CU_TEST_INFO_NULL,
};
SUITE(http_answer, setup, teardown, tests);
