/* Runs every suite linked in, or those whose name contains argv[1]. Exit 1 when one fails or none ran. */
#include "protocol/base/proc.h"
#include "tests/test.h"

#include <CUnit/Basic.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern CU_SuiteInfo *const __start_suites[]; // NOLINT(bugprone-reserved-identifier): the linker's names
extern CU_SuiteInfo *const __stop_suites[];  // NOLINT(bugprone-reserved-identifier)

extern const struct test_role *const __start_roles[] __attribute__((weak)); // NOLINT(bugprone-reserved-identifier)
extern const struct test_role *const __stop_roles[] __attribute__((weak));  // NOLINT(bugprone-reserved-identifier)

static unsigned skipped;
static char dirs[2048][64]; /* one for most tests */
static size_t dirs_len;
static pid_t runner;

const char *test_vectors(const char *file)
{
	static char path[512];
	const char *root = getenv("XINBIAN_VECTORS");
	snprintf(path, sizeof(path), "%s/%s", root != NULL ? root : "../shared/vectors", file);
	if (access(path, R_OK) == 0)
		return path;
	test_skip(path);
	return NULL;
}

void test_skip(const char *why)
{
	skipped++;
	printf(" [skipped: %s is missing] ", why);
}

const char *test_dir(void)
{
	if (dirs_len == sizeof(dirs) / sizeof(dirs[0]))
		abort();
	char *dir = dirs[dirs_len++];
	const char *tmp = getenv("TMPDIR");
	snprintf(dir, sizeof(dirs[0]), "%s/xb-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
	return dir;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static void remove_dirs(void)
{
	if (getpid() != runner)
		return; /* a forked child of a test */
	for (size_t i = 0; i < dirs_len; i++)
		nftw(dirs[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A test's daemon runs this program again as its child, which has a socket or a pipe on CHANNEL_FD and so is told from a filter of suites. */
static const struct test_role *role_wanted(int argc, char **argv)
{
	struct stat st;
	if (argc != 2 || fstat(CHANNEL_FD, &st) != 0 || (!S_ISSOCK(st.st_mode) && !S_ISFIFO(st.st_mode)))
		return NULL;
	for (const struct test_role *const *r = __start_roles; r < __stop_roles; r++) {
		if (strcmp((*r)->name, argv[1]) == 0)
			return *r;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const struct test_role *role = role_wanted(argc, argv);
	if (role != NULL)
		return role->main();
	const char *only = argc > 1 ? argv[1] : "";
	runner = getpid();
	atexit(remove_dirs);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 2;
	for (CU_SuiteInfo *const *s = __start_suites; s < __stop_suites; s++) {
		CU_SuiteInfo one[] = { **s, CU_SUITE_INFO_NULL };
		if (strstr((*s)->pName, only) != NULL && CU_register_suites(one) != CUE_SUCCESS)
			return 2;
	}
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	unsigned run = CU_get_number_of_tests_run(), failed = CU_get_number_of_tests_failed();
	unsigned passed = run - failed > skipped ? run - failed - skipped : 0;
	printf("\n%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	CU_cleanup_registry();
	return failed > 0 || run == 0 ? 1 : 0;
}
