#include "protocol/fingerprint.h"
#include "tests/support/sets.h"
#include "tests/test.h"

#include <string.h>

static void adding_and_taking_away_commute_and_cancel(void)
{
	struct fingerprint a = { { 0, 0 } }, b = { { 0, 0 } };
	fingerprint_add(&a, 1, 2);
	fingerprint_add(&a, 3, 4);
	fingerprint_add(&b, 3, 4);
	fingerprint_add(&b, 9, 9);
	fingerprint_add(&b, 1, 2);
	CU_ASSERT_FALSE(fingerprint_equal(&a, &b));
	fingerprint_remove(&b, 9, 9);
	CU_ASSERT_TRUE(fingerprint_equal(&a, &b));
}

static void one_entry_more_less_or_different_shows_in_both_sums(void)
{
	struct fingerprint a = { { 0, 0 } }, b = { { 0, 0 } };
	fingerprint_add(&a, 5, 1);
	fingerprint_add(&b, 5, 2);
	CU_ASSERT_NOT_EQUAL(a.sum[0], b.sum[0]);
	CU_ASSERT_NOT_EQUAL(a.sum[1], b.sum[1]);
	b = (struct fingerprint){ { 0, 0 } };
	fingerprint_add(&b, 0, 0);
	CU_ASSERT_TRUE(b.sum[1] != 0);
}

static void the_bytes_are_those_of_the_specification(void)
{
	struct fingerprint f = { { 0, 0 } }, back;
	uint8_t out[FINGERPRINT_BYTES];
	static const uint8_t expected[FINGERPRINT_BYTES] = { 0x3b, 0xaa, 0xc9, 0xa4, 0xba, 0x4d, 0x1e, 0xc5,
							     0x42, 0xb4, 0x76, 0x40, 0x82, 0x61, 0x6a, 0xc6 };
	fingerprint_add(&f, 0x1111111111111111, 0x01ffff);
	fingerprint_encode(&f, out);
	CU_ASSERT_EQUAL(memcmp(out, expected, sizeof(out)), 0);
	fingerprint_decode(out, &back);
	CU_ASSERT_TRUE(fingerprint_equal(&f, &back));
}

static CU_TestInfo tests[] = {
	{ "adding and taking away commute and cancel", adding_and_taking_away_commute_and_cancel },
	{ "one entry more, less or different shows in both sums",
	  one_entry_more_less_or_different_shows_in_both_sums },
	{ "the bytes are those of the specification", the_bytes_are_those_of_the_specification },
	CU_TEST_INFO_NULL,
};

SUITE(fingerprint, NULL, NULL, tests);
