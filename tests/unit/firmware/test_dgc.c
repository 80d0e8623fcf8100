/* The public EU test data, all of it, through the real verifier. XINBIAN_DGC names another folder of the same form. */
#include "protocol/base/file.h"
#include "tests/support/dgc.h"
#include "tests/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SOURCES_MAX 64
#define PATH_MAX_   512

/* Cases that contradict the specification, which we keep to. */
static const struct {
	const char *file, *why;
} contradicting[] = {
	{ "common/2DCode_raw_CO20.json",
	  "algorithm and kid stand in the unprotected header alone; RFC 9052 section 3.1 has alg authenticated" },
};

struct source {
	char name[64];
	size_t cases, passed, contradicting, expectations;
};
static struct source sources[SOURCES_MAX];
static size_t sources_len;
static bool failed;

static struct source *source_of(const char *name)
{
	for (size_t i = 0; i < sources_len; i++)
		if (strcmp(sources[i].name, name) == 0)
			return &sources[i];
	if (sources_len == SOURCES_MAX)
		return &sources[SOURCES_MAX - 1];
	struct source *s = &sources[sources_len++];
	memset(s, 0, sizeof(*s));
	snprintf(s->name, sizeof(s->name), "%s", name);
	return s;
}

static const char *excuse(const char *file)
{
	for (size_t i = 0; i < sizeof(contradicting) / sizeof(contradicting[0]); i++)
		if (strcmp(contradicting[i].file, file) == 0)
			return contradicting[i].why;
	return NULL;
}

static void case_run(const char *path, const char *name)
{
	char first[64];
	struct buf text;
	struct dgc_result result = { 0 };
	struct err e = { 0 };
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(name, "/"), name);
	struct source *s = source_of(strchr(name, '/') != NULL ? first : ".");
	buf_init(&text, 4U << 20);
	struct json *j = file_read(path, &text, &e) ? json_parse(buf_bytes(&text), &e) : NULL;
	bool read = j != NULL && dgc_run(j, &result, &e);
	s->cases++;
	s->expectations += result.expected;
	if (read && result.met == result.expected) {
		s->passed++;
	} else if (read && excuse(name) != NULL) {
		s->contradicting++;
		printf("\n    %s contradicts the specification: %s", name, excuse(name));
	} else {
		failed = true;
		printf("\n    %s FAILED: %s", name, read ? result.failed : e.text);
	}
	json_free(j);
	buf_clear(&text);
}

static int name_compare(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* root/name and what lies below it. */
static void folder_run(const char *root, const char *name, unsigned depth)
{
	char path[PATH_MAX_], below[PATH_MAX_], whole[2 * PATH_MAX_];
	struct dirent **entries;
	struct stat st;
	snprintf(path, sizeof(path), "%.250s/%.250s", root, name);
	int n = scandir(path, &entries, NULL, name_compare);
	for (int i = 0; i < n; i++) {
		const char *entry = entries[i]->d_name;
		size_t len = strlen(entry);
		snprintf(below, sizeof(below), "%.250s%s%.250s", name, name[0] != '\0' ? "/" : "", entry);
		snprintf(whole, sizeof(whole), "%.500s/%.500s", root, below);
		if (entry[0] != '.' && stat(whole, &st) == 0) {
			if (S_ISDIR(st.st_mode) && depth < 6)
				folder_run(root, below, depth + 1);
			else if (S_ISREG(st.st_mode) && len > 5 && strcmp(entry + len - 5, ".json") == 0)
				case_run(whole, below);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static void table_print(void)
{
	struct source all = { "all", 0, 0, 0, 0 };
	printf("\n    %-10s %6s %6s %6s %14s %12s\n", "source", "cases", "passed", "failed", "contradicting",
	       "expectations");
	for (size_t i = 0; i <= sources_len; i++) {
		const struct source *s = i < sources_len ? &sources[i] : &all;
		printf("    %-10s %6zu %6zu %6zu %14zu %12zu\n", s->name, s->cases, s->passed,
		       s->cases - s->passed - s->contradicting, s->contradicting, s->expectations);
		all.cases += s->cases;
		all.passed += s->passed;
		all.contradicting += s->contradicting;
		all.expectations += s->expectations;
	}
	printf("    ");
}

static void every_case_of_the_public_test_data_comes_out_as_it_states(void)
{
	const char *folder = getenv("XINBIAN_DGC");
	if (folder == NULL || folder[0] == '\0')
		folder = test_vectors("dgc");
	if (folder == NULL)
		return;
	char root[PATH_MAX_];
	snprintf(root, sizeof(root), "%.500s", folder);
	folder_run(root, "", 0);
	table_print();
	CU_ASSERT_TRUE(sources_len > 0);
	CU_ASSERT_FALSE(failed);
}

static void no_more_than_five_cases_are_said_to_contradict(void)
{
	CU_ASSERT_TRUE(sizeof(contradicting) / sizeof(contradicting[0]) <= 5);
}

static CU_TestInfo tests[] = {
	{ "every case of the public test data comes out as it states",
	  every_case_of_the_public_test_data_comes_out_as_it_states },
	{ "no more than five cases are said to contradict", no_more_than_five_cases_are_said_to_contradict },
	CU_TEST_INFO_NULL,
};
SUITE(dgc, NULL, NULL, tests);
