#include "protocol/base/file.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], path[128];

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%s", test_dir());
	snprintf(path, sizeof(path), "%s/file", dir);
}

static void expect_content(const char *want)
{
	struct buf out;
	struct err e;
	buf_init(&out, 1000);
	CU_ASSERT_TRUE(file_read(path, &out, &e));
	CU_ASSERT_STRING_EQUAL(buf_str(&out), want);
	buf_clear(&out);
}

static bool exists(const char *suffix)
{
	char name[160];
	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return access(name, F_OK) == 0;
}

static void writing_replaces_the_whole_file_in_one_step(void)
{
	struct err e;
	struct stat st;
	CU_ASSERT_TRUE(file_write(path, bytes_of("old and longer"), 0600, &e));
	CU_ASSERT_TRUE(file_write(path, bytes_of("new"), 0640, &e));
	expect_content("new");
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0640);
	CU_ASSERT_FALSE(exists(".tmp"));
}

/* With a small limit on the size of files, as a disk that is full at that point. Returns the child's exit status. */
static int on_a_full_disk(int (*run)(void))
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		struct rlimit small = { 4096, 4096 };
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &small);
		_exit(run());
	}
	int status = -1;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int write_too_much(void)
{
	static uint8_t big[10000];
	struct err e = { 0 };
	return file_write(path, (struct bytes){ big, sizeof(big) }, 0600, &e) ? 1 : e.code == ERR_FULL ? 0 : 2;
}

static int create_too_much(void)
{
	struct file_create c;
	struct err e = { 0 };
	return file_create(path, 10000, &c, &e) ? 1 : e.code == ERR_FULL ? 0 : 2;
}

static void a_full_disk_leaves_the_old_file_and_nothing_beside_it(void)
{
	struct err e;
	CU_ASSERT_TRUE(file_write(path, bytes_of("old"), 0600, &e));
	CU_ASSERT_EQUAL(on_a_full_disk(write_too_much), 0);
	expect_content("old");
	CU_ASSERT_FALSE(exists(".tmp"));
	CU_ASSERT_TRUE(file_remove(path, &e));
	CU_ASSERT_EQUAL(on_a_full_disk(create_too_much), 0);
	CU_ASSERT_FALSE(exists(""));
}

static void reading_keeps_to_the_bound_and_names_what_is_missing(void)
{
	struct err e = { 0 };
	struct buf out;
	buf_init(&out, 3);
	CU_ASSERT_FALSE(file_read(path, &out, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, path));
	CU_ASSERT_TRUE(file_write(path, bytes_of("four"), 0600, &e));
	CU_ASSERT_FALSE(file_read(path, &out, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	buf_clear(&out);
	CU_ASSERT_TRUE(file_remove(path, &e) && file_remove(path, &e));
}

static void a_file_is_mapped_as_it_is_also_when_empty(void)
{
	struct file_map map;
	struct err e = { 0 };
	CU_ASSERT_FALSE(file_map(path, &map, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_TRUE(file_write(path, bytes_of(""), 0600, &e));
	CU_ASSERT_TRUE(file_map(path, &map, &e));
	CU_ASSERT_EQUAL(map.bytes.len, 0);
	file_unmap(&map);
	CU_ASSERT_TRUE(file_write(path, bytes_of("content"), 0600, &e));
	CU_ASSERT_TRUE(file_map(path, &map, &e));
	CU_ASSERT_TRUE(bytes_equal(map.bytes, bytes_of("content")));
	file_unmap(&map);
}

static void a_file_made_in_memory_is_there_when_finished_and_gone_when_aborted(void)
{
	struct file_create c;
	struct err e;
	CU_ASSERT_TRUE_FATAL(file_create(path, 5, &c, &e));
	memcpy(c.data, "12345", 5);
	CU_ASSERT_TRUE(file_create_finish(&c, &e));
	expect_content("12345");
	CU_ASSERT_TRUE_FATAL(file_create(path, 7, &c, &e));
	file_create_abort(&c);
	CU_ASSERT_FALSE(exists(""));
}

static void directories_are_made_with_their_parents_and_closed_to_others(void)
{
	char deep[200];
	struct stat st;
	struct err e;
	snprintf(deep, sizeof(deep), "%s/a/b/c", dir);
	CU_ASSERT_TRUE(file_make_dir(deep, &e) && file_make_dir(deep, &e));
	CU_ASSERT_EQUAL(stat(deep, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0700);
	CU_ASSERT_TRUE(file_write(path, bytes_of("x"), 0600, &e));
	snprintf(deep, sizeof(deep), "%s/below", path);
	CU_ASSERT_FALSE(file_make_dir(deep, &e));
	char to[160];
	snprintf(to, sizeof(to), "%s/renamed", dir);
	CU_ASSERT_TRUE(file_rename(path, to, &e));
	CU_ASSERT_FALSE(exists(""));
	CU_ASSERT_FALSE(file_rename(path, to, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
}

static CU_TestInfo tests[] = {
	{ "writing replaces the whole file in one step", writing_replaces_the_whole_file_in_one_step },
	{ "a full disk leaves the old file and nothing beside it",
	  a_full_disk_leaves_the_old_file_and_nothing_beside_it },
	{ "reading keeps to the bound and names what is missing",
	  reading_keeps_to_the_bound_and_names_what_is_missing },
	{ "a file is mapped as it is, also when empty", a_file_is_mapped_as_it_is_also_when_empty },
	{ "a file made in memory is there when finished and gone when aborted",
	  a_file_made_in_memory_is_there_when_finished_and_gone_when_aborted },
	{ "directories are made with their parents and closed to others",
	  directories_are_made_with_their_parents_and_closed_to_others },
	CU_TEST_INFO_NULL,
};
SUITE(file, setup, NULL, tests);
