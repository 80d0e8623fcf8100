#include "firmware/state.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void a_directory_is_made_private_and_the_database_in_it(void)
{
	char dir[200], path[256];
	struct stat st;
	struct err e = { 0 };
	snprintf(dir, sizeof(dir), "%s/branch", test_dir());
	struct db *db = state_open(dir, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db);
	CU_ASSERT_EQUAL(stat(dir, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0700);
	snprintf(path, sizeof(path), "%s/branch.db", dir);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	db_close(db);
}

static void values_are_found_again_after_reopening_and_replaced(void)
{
	struct buf out;
	struct err e = { 0 };
	int64_t n = 0;
	const char *dir = test_dir();
	struct db *db = state_open(dir, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db);
	CU_ASSERT_TRUE(db_begin(db, &e));
	CU_ASSERT_TRUE(meta_put(db, "branch.name", bytes_of("old"), &e));
	CU_ASSERT_TRUE(meta_put(db, "branch.name", bytes_of("haidian"), &e));
	CU_ASSERT_TRUE(meta_put_int(db, "number", -1234567890123, &e));
	CU_ASSERT_TRUE(db_commit(db, &e));
	db_close(db);
	db = state_open(dir, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db);
	buf_init(&out, 32);
	CU_ASSERT_TRUE(meta_get(db, "branch.name", &out, &e));
	CU_ASSERT_STRING_EQUAL(buf_str(&out), "haidian");
	CU_ASSERT_TRUE(meta_get_int(db, "number", &n, &e));
	CU_ASSERT_EQUAL(n, -1234567890123);
	buf_clear(&out);
	db_close(db);
}

static void a_value_that_is_not_there_is_missing_and_one_too_long_is_full(void)
{
	struct buf out;
	struct err e = { 0 };
	int64_t n;
	struct db *db = state_open(test_dir(), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db);
	buf_init(&out, 3);
	CU_ASSERT_FALSE(meta_get(db, "nothing", &out, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_FALSE(meta_get_int(db, "nothing", &n, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_TRUE(meta_put(db, "long", bytes_of("four"), &e));
	CU_ASSERT_FALSE(meta_get(db, "long", &out, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	buf_clear(&out);
	db_close(db);
}

static CU_TestInfo tests[] = {
	{ "a directory is made private and the database in it", a_directory_is_made_private_and_the_database_in_it },
	{ "values are found again after reopening and replaced",
	  values_are_found_again_after_reopening_and_replaced },
	{ "a value that is not there is missing and one too long is full",
	  a_value_that_is_not_there_is_missing_and_one_too_long_is_full },
	CU_TEST_INFO_NULL,
};

SUITE(state, NULL, NULL, tests);
