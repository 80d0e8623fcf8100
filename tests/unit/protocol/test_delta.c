#include "protocol/delta.h"
#include "protocol/segment_write.h"
#include "tests/support/sets.h"
#include "tests/test.h"

static struct made step(const struct entry *entries, uint32_t len, uint64_t from, uint64_t to)
{
	struct segment_head head = {
		.name = "test", .delta = true, .epoch = 7, .version = to, .from = from, .entries = len
	};
	struct buf out;
	buf_init(&out, 4096);
	CU_ASSERT_TRUE_FATAL(segment_build(&head, entries, &out, NULL));
	struct made m = made_from(buf_bytes(&out));
	buf_clear(&out);
	return m;
}

static enum err_code merging(const struct made *a, const struct made *b)
{
	struct err e = { 0 };
	struct buf out;
	buf_init(&out, 4096);
	bool ok = delta_merge(&a->segment, &b->segment, &out, &e);
	CU_ASSERT_TRUE(ok || out.len == 0);
	buf_clear(&out);
	return ok ? ERR_NONE : e.code;
}

static void a_changed_value_is_an_addition_and_a_removal(void)
{
	struct entry old[] = { { 1, 10 }, { 2, 20 }, { 3, 30 } }, new[] = { { 1, 10 }, { 2, 21 }, { 4, 40 } };
	struct made a = made_snapshot(&(struct set){ old, 3, 3 }, 4),
		    b = made_snapshot(&(struct set){ new, 3, 3 }, 6);
	static const struct entry expected[] = {
		{ 2, 21 }, { 2, 20 | ENTRY_REMOVED }, { 3, 30 | ENTRY_REMOVED }, { 4, 40 }
	};
	struct made direct = step(expected, 4, 4, 6);
	struct buf out;
	buf_init(&out, 4096);
	CU_ASSERT_TRUE(delta_build(&a.segment, &b.segment, &out, NULL));
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), direct.segment.bytes));
	buf_clear(&out);
	made_free(&a), made_free(&b), made_free(&direct);
}

static void a_delta_needs_two_snapshots_of_one_list_in_rising_order(void)
{
	struct entry one[] = { { 1, 10 } };
	struct made a = made_snapshot(&(struct set){ one, 1, 1 }, 1),
		    b = made_snapshot(&(struct set){ one, 1, 1 }, 2);
	struct err e = { 0 };
	struct buf out;
	buf_init(&out, 4096);
	CU_ASSERT_FALSE(delta_build(&b.segment, &a.segment, &out, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	struct segment other = b.segment;
	other.head.epoch++;
	CU_ASSERT_FALSE(delta_build(&a.segment, &other, &out, &e));
	other = b.segment;
	other.head.name[0] = 'x';
	CU_ASSERT_FALSE(delta_build(&a.segment, &other, &out, &e));
	CU_ASSERT_EQUAL(out.len, 0);
	CU_ASSERT_TRUE(delta_build(&a.segment, &b.segment, &out, &e));
	struct made delta = made_from(buf_bytes(&out));
	CU_ASSERT_EQUAL(delta.segment.head.entries, 0);
	CU_ASSERT_FALSE(delta_build(&a.segment, &delta.segment, &out, &e));
	CU_ASSERT_FALSE(delta_merge(&a.segment, &delta.segment, &out, &e));
	buf_clear(&out);
	made_free(&a), made_free(&b), made_free(&delta);
}

static void steps_that_do_not_meet_are_refused(void)
{
	struct made adds = step((struct entry[]){ { 1, 10 } }, 1, 1, 2);
	struct made removes = step((struct entry[]){ { 1, 10 | ENTRY_REMOVED } }, 1, 2, 3);
	struct made removes_other = step((struct entry[]){ { 1, 11 | ENTRY_REMOVED } }, 1, 2, 3);
	struct made adds_again = step((struct entry[]){ { 1, 12 } }, 1, 2, 3);
	struct made removes_again = step((struct entry[]){ { 1, 10 | ENTRY_REMOVED } }, 1, 3, 4);
	struct made later = step((struct entry[]){ { 1, 10 | ENTRY_REMOVED } }, 1, 3, 4);
	CU_ASSERT_EQUAL(merging(&adds, &removes), ERR_NONE);
	CU_ASSERT_EQUAL(merging(&adds, &removes_other), ERR_CONFLICT);
	CU_ASSERT_EQUAL(merging(&adds, &adds_again), ERR_CONFLICT);
	CU_ASSERT_EQUAL(merging(&removes, &removes_again), ERR_CONFLICT);
	CU_ASSERT_EQUAL(merging(&adds, &later), ERR_CONFLICT);
	CU_ASSERT_EQUAL(merging(&removes, &adds), ERR_CONFLICT);
	made_free(&adds), made_free(&removes), made_free(&removes_other);
	made_free(&adds_again), made_free(&removes_again), made_free(&later);
}

static void a_delta_that_does_not_fit_the_buffer_is_refused_as_full(void)
{
	struct set small = set_new(1, 1), large = set_new(5000, 2);
	struct made a = made_snapshot(&small, 1), b = made_snapshot(&large, 2);
	struct err e = { 0 };
	struct buf out;
	buf_init(&out, 4096);
	CU_ASSERT_FALSE(delta_build(&a.segment, &b.segment, &out, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	buf_clear(&out);
	made_free(&a), made_free(&b);
	set_free(&small), set_free(&large);
}

static CU_TestInfo tests[] = {
	{ "a changed value is an addition and a removal", a_changed_value_is_an_addition_and_a_removal },
	{ "a delta needs two snapshots of one list in rising order",
	  a_delta_needs_two_snapshots_of_one_list_in_rising_order },
	{ "steps that do not meet are refused", steps_that_do_not_meet_are_refused },
	{ "a delta that does not fit the buffer is refused as full",
	  a_delta_that_does_not_fit_the_buffer_is_refused_as_full },
	CU_TEST_INFO_NULL,
};

SUITE(delta, NULL, NULL, tests);
