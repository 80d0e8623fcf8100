#include "protocol/filter.h"
#include "tests/support/sets.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct filter filter_of(uint64_t capacity)
{
	struct filter f;
	size_t size_bytes = filter_size(capacity);
	void *memory = aligned_alloc(FILTER_ALIGN, size_bytes);
	if (memory == NULL)
		abort();
	memset(memory, 0, size_bytes);
	filter_init(&f, memory, capacity);
	return f;
}

static void filter_free(struct filter *f)
{
	free(f->count);
}

static double wrong_yeses(const struct filter *f, uint64_t seed)
{
	size_t yes = 0;
	for (int i = 0; i < 1000000; i++)
		yes += filter_may_contain(f, set_random(&seed));
	return (double)yes / 1e6;
}

static void a_full_filter_knows_all_its_tags_and_is_wrong_for_less_than_half_a_percent(void)
{
	static const size_t lens[] = { 1, 1000, 200000 };
	for (size_t i = 0; i < 3; i++) {
		struct set set = set_new(lens[i], i);
		struct filter f = filter_of(set.len);
		size_t missing = 0;
		for (size_t j = 0; j < set.len; j++)
			CU_ASSERT_TRUE_FATAL(filter_add(&f, set.entries[j].tag, NULL));
		for (size_t j = 0; j < set.len; j++)
			missing += !filter_may_contain(&f, set.entries[j].tag);
		CU_ASSERT_EQUAL(missing, 0);
		CU_ASSERT_TRUE(wrong_yeses(&f, 12345) < 0.005);
		filter_free(&f);
		set_free(&set);
	}
}

static void both_ways_of_asking_answer_alike(void)
{
	struct filter f = filter_of(3000);
	uint64_t seed = 9;
	size_t differ = 0, yes = 0;
	for (int i = 0; i < 3000; i++)
		CU_ASSERT_TRUE_FATAL(filter_add(&f, set_random(&seed), NULL));
	seed = 9;
	for (int i = 0; i < 100000; i++) {
		uint64_t tag = set_random(&seed);
		differ += filter_may_contain(&f, tag) != filter_may_contain_plain(&f, tag);
		yes += filter_may_contain_plain(&f, tag);
	}
	CU_ASSERT_EQUAL(differ, 0);
	CU_ASSERT_TRUE(yes >= 3000 && yes < 4000);
	filter_free(&f);
}

static void ten_million_tags_take_at_most_1_6_bytes_each(void)
{
	CU_ASSERT_TRUE((double)filter_size(10000000) / 1e7 <= 1.6);
}

static void a_filter_refuses_to_be_filled_past_its_capacity(void)
{
	struct set set = set_new(1000, 1);
	struct made m = made_snapshot(&set, 1);
	struct filter f = filter_of(1500);
	struct err e = { 0 };
	uint64_t seed = 3;
	CU_ASSERT_TRUE(filter_add_segment(&f, &m.segment, NULL));
	CU_ASSERT_FALSE(filter_add_segment(&f, &m.segment, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	CU_ASSERT_EQUAL(*f.count, 1000);
	for (int i = 0; i < 500; i++)
		CU_ASSERT_TRUE(filter_add(&f, set_random(&seed), NULL));
	CU_ASSERT_FALSE(filter_add(&f, 1, &e));
	CU_ASSERT_TRUE(wrong_yeses(&f, 12345) < 0.005);
	filter_free(&f);
	made_free(&m);
	set_free(&set);
}

static void an_empty_filter_says_no(void)
{
	struct filter f = filter_of(0);
	CU_ASSERT_FALSE(filter_may_contain(&f, 0));
	CU_ASSERT_FALSE(filter_may_contain(&f, UINT64_MAX));
	CU_ASSERT_FALSE(filter_add(&f, 1, NULL));
	filter_free(&f);
}

static void a_child_fills_a_filter_for_its_parent(void)
{
	size_t size_bytes = filter_size(10);
	void *memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_TRUE_FATAL(memory != MAP_FAILED);
	struct filter f;
	filter_init(&f, memory, 10);
	pid_t child = fork();
	if (child == 0)
		_exit(filter_add(&f, 42, NULL) ? 0 : 1);
	int status = -1;
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_TRUE(filter_may_contain(&f, 42));
	CU_ASSERT_EQUAL(*f.count, 1);
	munmap(memory, size_bytes);
}

static CU_TestInfo tests[] = {
	{ "a full filter knows all its tags and is wrong for less than half a percent",
	  a_full_filter_knows_all_its_tags_and_is_wrong_for_less_than_half_a_percent },
	{ "both ways of asking answer alike", both_ways_of_asking_answer_alike },
	{ "ten million tags take at most 1.6 bytes each", ten_million_tags_take_at_most_1_6_bytes_each },
	{ "a filter refuses to be filled past its capacity", a_filter_refuses_to_be_filled_past_its_capacity },
	{ "an empty filter says no", an_empty_filter_says_no },
	{ "a child fills a filter for its parent", a_child_fills_a_filter_for_its_parent },
	CU_TEST_INFO_NULL,
};

SUITE(filter, NULL, NULL, tests);
