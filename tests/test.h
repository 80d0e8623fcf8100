/*
 * A test file defines one suite with SUITE(); the linker gathers them, so no file lists them all.
 * A test's name is the rule it proves, as a sentence.
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <CUnit/CUnit.h>

#define SUITE(name, setup, teardown, tests)                                                                          \
	static CU_SuiteInfo suite_info_##name = { #name, NULL, NULL, setup, teardown, tests };                       \
	static CU_SuiteInfo *const suite_entry_##name __attribute__((used, section("suites"))) = &suite_info_##name

/* What this program does when a test starts it as a child with proc_start(l, "name", …): ROLE(name, "name", main);
   main is int main(void), with the channel on CHANNEL_FD. */
struct test_role {
	const char *name;
	int (*main)(void);
};
#define ROLE(id, name, main)                                                                                         \
	static const struct test_role id##_role = { name, main };                                                    \
	static const struct test_role *const id##_role_entry __attribute__((used, section("roles"))) = &id##_role

/* The path of a file in the shared test vectors, or NULL (and the test says it was skipped) where they are missing.
   The answer is a static buffer, overwritten by the next call. */
const char *test_vectors(const char *file);
/* Counts a test as skipped and prints why. */
void test_skip(const char *why);
/* A fresh directory under $TMPDIR, removed with all it holds when the runner ends. Static buffer. */
const char *test_dir(void);

#endif
