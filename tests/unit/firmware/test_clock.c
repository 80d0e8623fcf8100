#include "firmware/clock.h"
#include "firmware/state.h"
#include "tests/test.h"

static const char *dir;
static struct db *db;

static void fresh(void)
{
	dir = test_dir();
	db = state_open(dir, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db);
}

static struct clock loaded(int64_t monotonic_ms, int64_t system_s)
{
	struct clock c = { 0 };
	CU_ASSERT_TRUE_FATAL(clock_load(&c, db, monotonic_ms, system_s, NULL));
	return c;
}

static void before_the_first_head_the_systems_time_serves_untrusted_and_is_not_stored(void)
{
	fresh();
	struct clock c = loaded(1000, 5000);
	CU_ASSERT_FALSE(c.trusted);
	CU_ASSERT_EQUAL(clock_now_s(&c, 4000), 5003);
	CU_ASSERT_TRUE(clock_tick(&c, db, 1000000, NULL));
	c = loaded(0, 77);
	CU_ASSERT_FALSE(c.trusted);
	CU_ASSERT_EQUAL(clock_now_s(&c, 0), 77);
	db_close(db);
}

static void the_first_head_sets_the_clock_even_back(void)
{
	fresh();
	struct clock c = loaded(0, 4000000000);
	CU_ASSERT_TRUE(clock_head(&c, db, 1000000, 500, NULL));
	CU_ASSERT_TRUE(c.trusted);
	CU_ASSERT_EQUAL(clock_now_s(&c, 2500), 1000002);
	db_close(db);
}

static void a_head_moves_it_forward_and_never_back(void)
{
	fresh();
	struct clock c = loaded(0, 0);
	CU_ASSERT_TRUE(clock_head(&c, db, 1000, 0, NULL));
	CU_ASSERT_TRUE(clock_head(&c, db, 2000, 0, NULL));
	CU_ASSERT_EQUAL(clock_now_s(&c, 0), 2000);
	CU_ASSERT_TRUE(clock_head(&c, db, 1500, 60000, NULL));
	CU_ASSERT_EQUAL(clock_now_s(&c, 60000), 2060);
	CU_ASSERT_EQUAL(clock_now_s(&c, 0), 2000); /* not even for a monotonic clock that goes back */
	db_close(db);
}

static void a_system_clock_set_back_or_forward_changes_nothing_after_a_restart(void)
{
	fresh();
	struct clock c = loaded(0, 0);
	CU_ASSERT_TRUE(clock_head(&c, db, 1000000, 0, NULL));
	CU_ASSERT_TRUE(clock_tick(&c, db, 59000, NULL)); /* not yet */
	c = loaded(0, 1);
	CU_ASSERT_TRUE(c.trusted);
	CU_ASSERT_EQUAL(clock_now_s(&c, 0), 1000000);
	CU_ASSERT_TRUE(clock_tick(&c, db, 61000, NULL));
	db_close(db);
	db = state_open(dir, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db);
	c = loaded(123456789, 4000000000);
	CU_ASSERT_EQUAL(clock_now_s(&c, 123456789), 1000061);
	db_close(db);
}

static CU_TestInfo tests[] = {
	{ "before the first head the system's time serves, untrusted, and is not stored",
	  before_the_first_head_the_systems_time_serves_untrusted_and_is_not_stored },
	{ "the first head sets the clock, even back", the_first_head_sets_the_clock_even_back },
	{ "a head moves it forward and never back", a_head_moves_it_forward_and_never_back },
	{ "a system clock set back or forward changes nothing after a restart",
	  a_system_clock_set_back_or_forward_changes_nothing_after_a_restart },
	CU_TEST_INFO_NULL,
};

SUITE(clock, NULL, NULL, tests);
