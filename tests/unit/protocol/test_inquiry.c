#include "protocol/inquiry.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static struct err e;
static struct buf out;
static uint8_t data[INQUIRY_PART];

static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&out, 1 << 20);
}

static void teardown(void)
{
	buf_clear(&out);
}

static struct inquiry sample(void)
{
	struct inquiry q = { .part = 3,
			     .kind = IDENTIFIER_USCC,
			     .number = "91330800MA2DH00A72",
			     .purpose = "贷款审查",
			     .day = 20780,
			     .format = INQUIRY_PDF,
			     .terminal = "teller-1",
			     .officer = "E1024" };
	bytes_fill(q.id, sizeof(q.id), 3);
	bytes_fill(q.request, sizeof(q.request), 9);
	return q;
}

static bool question_take(struct bytes bytes, struct err *why)
{
	struct inquiry q;
	return inquiry_decode(bytes, &q, why);
}

static bool part_take(struct bytes bytes, struct err *why)
{
	struct inquiry_part p;
	return inquiry_part_decode(bytes, &p, why);
}

static void a_question_comes_back_with_its_day_or_without(void)
{
	static const int64_t days[] = { 20780, 0, INQUIRY_TODAY };
	for (size_t i = 0; i < 3; i++) {
		struct inquiry q = sample(), back;
		q.day = days[i];
		buf_reset(&out);
		CU_ASSERT_TRUE_FATAL(inquiry_encode(&q, &out, &e) && cbor_check(buf_bytes(&out), &e));
		CU_ASSERT_TRUE_FATAL(inquiry_decode(buf_bytes(&out), &back, &e));
		CU_ASSERT_TRUE(back.day == q.day && back.part == 3 && back.format == INQUIRY_PDF &&
			       back.kind == IDENTIFIER_USCC);
		CU_ASSERT_TRUE(memcmp(back.id, q.id, 16) == 0 && memcmp(back.request, q.request, 16) == 0);
		CU_ASSERT_TRUE(strcmp(back.number, q.number) == 0 && strcmp(back.purpose, q.purpose) == 0 &&
			       strcmp(back.terminal, q.terminal) == 0 && strcmp(back.officer, q.officer) == 0);
	}
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), question_take));
}

static void a_question_that_leaves_something_out_is_refused(void)
{
	for (unsigned i = 0; i < 6; i++) {
		struct inquiry q = sample();
		if (i == 0)
			q.purpose[0] = '\0';
		if (i == 1)
			q.officer[0] = '\0';
		if (i == 2)
			q.terminal[0] = '\0';
		if (i == 3)
			q.format = (enum inquiry_format)0;
		if (i == 4)
			q.part = INQUIRY_PARTS_MAX;
		if (i == 5)
			q.day = -1;
		buf_reset(&out);
		CU_ASSERT_TRUE(inquiry_encode(&q, &out, &e));
		CU_ASSERT_FALSE(question_take(buf_bytes(&out), &e));
	}
}

static void a_part_is_as_long_as_its_place_says(void)
{
	struct inquiry_part p = { .size = INQUIRY_PART + 10,
				  .part = 1,
				  .number = "XB20261124-1",
				  .data = { data, 10 } },
			    back;
	CU_ASSERT_EQUAL(inquiry_part_len(p.size, 0), INQUIRY_PART);
	CU_ASSERT_EQUAL(inquiry_part_len(p.size, 1), 10);
	CU_ASSERT_EQUAL(inquiry_part_len(p.size, 2), 0);
	CU_ASSERT_EQUAL(inquiry_part_len(INQUIRY_PART, 1), 0);
	CU_ASSERT_EQUAL(inquiry_part_len(INQUIRY_BYTES_MAX + 1, 0), 0);
	CU_ASSERT_EQUAL(inquiry_part_len(UINT64_MAX, UINT64_MAX), 0);
	CU_ASSERT_TRUE_FATAL(inquiry_part_encode(&p, &out, &e));
	CU_ASSERT_TRUE_FATAL(inquiry_part_decode(buf_bytes(&out), &back, &e));
	CU_ASSERT_TRUE(back.size == p.size && back.part == 1 && bytes_equal(back.data, p.data) &&
		       strcmp(back.number, p.number) == 0);
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), part_take));
	p.data.len = 9;
	buf_reset(&out);
	CU_ASSERT_TRUE(inquiry_part_encode(&p, &out, &e));
	CU_ASSERT_FALSE(part_take(buf_bytes(&out), &e));
}

static CU_TestInfo tests[] = {
	{ "a question comes back, with its day or without", a_question_comes_back_with_its_day_or_without },
	{ "a question that leaves something out is refused", a_question_that_leaves_something_out_is_refused },
	{ "a part is as long as its place says", a_part_is_as_long_as_its_place_says },
	CU_TEST_INFO_NULL,
};
SUITE(inquiry, setup, teardown, tests);
