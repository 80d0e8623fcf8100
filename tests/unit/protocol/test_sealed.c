/* What is sealed between a branch and central opens for its receiver, its purpose and its branch, and for nothing else. */
#include "protocol/sealed.h"
#include "tests/test.h"

#include "protocol/cbor.h"

#include <string.h>

#define WHAT "xb/1/report-query/"

static uint8_t scalar[SCALAR_LEN], point[POINT_LEN], other_scalar[SCALAR_LEN], other_point[POINT_LEN];
static struct buf sealed, plain;

static void setup(void)
{
	key_new(&random_system, scalar, point);
	key_new(&random_system, other_scalar, other_point);
	buf_init(&sealed, 1024);
	buf_init(&plain, 1024);
	CU_ASSERT_TRUE_FATAL(
		sealed_put(point, &random_system, WHAT, "quay", bytes_of("whose, and what for"), &sealed, NULL));
}

static void teardown(void)
{
	buf_clear(&sealed);
	buf_clear(&plain);
}

static bool opens(const char *what, const char *branch, struct err *e)
{
	buf_clear(&plain);
	buf_init(&plain, 1024);
	return sealed_get(scalar, point, what, branch, buf_bytes(&sealed), &plain, e);
}

static void its_receiver_opens_it(void)
{
	CU_ASSERT_TRUE(opens(WHAT, "quay", NULL));
	CU_ASSERT_STRING_EQUAL(buf_str(&plain), "whose, and what for");
}

static void another_purpose_branch_or_receiver_does_not(void)
{
	struct err e = { 0 };
	CU_ASSERT_FALSE(opens("xb/1/report-reply/", "quay", &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_FALSE(opens(WHAT, "pier", &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_FALSE(sealed_get(other_scalar, other_point, WHAT, "quay", buf_bytes(&sealed), &plain, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
}

static void nothing_may_follow_it_or_be_missing(void)
{
	struct err e = { 0 };
	sealed.len--;
	CU_ASSERT_FALSE(opens(WHAT, "quay", &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	sealed.len++;
	cbor_put_uint(&sealed, 1);
	CU_ASSERT_FALSE(opens(WHAT, "quay", &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
}

static void what_does_not_fit_is_an_error(void)
{
	struct buf small;
	struct err e = { 0 };
	buf_init(&small, 40);
	CU_ASSERT_FALSE(sealed_put(point, &random_system, WHAT, "quay", bytes_of("x"), &small, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	buf_clear(&small);
}

static CU_TestInfo tests[] = {
	{ "its receiver opens it", its_receiver_opens_it },
	{ "another purpose, branch or receiver does not", another_purpose_branch_or_receiver_does_not },
	{ "nothing may follow it or be missing", nothing_may_follow_it_or_be_missing },
	{ "what does not fit is an error", what_does_not_fit_is_an_error },
	CU_TEST_INFO_NULL,
};
SUITE(sealed, setup, teardown, tests);
