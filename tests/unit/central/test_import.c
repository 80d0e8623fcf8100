#include "central/release/import.h"
#include "protocol/base/buf.h"
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TODAY 20000 /* 2024-10-04 */

static struct buf seen; /* "kind canonical reason last_day\n" an entry, "! row field code\n" a reject */
static struct import_summary sum;
static struct err e;

static bool on_entry(void *arg, const struct import_entry *v, struct err *why)
{
	(void)arg, (void)why;
	return buf_add_fmt(&seen, "%s %s %u %u\n", identifier_kind_name(v->id.kind), v->id.canonical,
			   entry_reason(v->value), entry_last_day(v->value));
}

static bool on_reject(void *arg, const struct import_reject *v, struct err *why)
{
	(void)arg, (void)why;
	return buf_add_fmt(&seen, "! %llu %u %s\n", (unsigned long long)v->row, v->field, v->code);
}

static const struct import_sink sink = { on_entry, on_reject, NULL };

static bool run(struct bytes file, enum import_format format)
{
	buf_clear(&seen);
	buf_init(&seen, 1 << 24);
	e = (struct err){ 0 };
	return import_run(file, format, 9, TODAY, &sink, &sum, &e);
}

static void check_run(const char *file, const char *want)
{
	CU_ASSERT_TRUE(run(bytes_of(file), IMPORT_AUTO));
	CU_ASSERT_STRING_EQUAL(buf_str(&seen), want);
	if (strcmp(buf_str(&seen), want) != 0)
		printf("\n%s%s", buf_str(&seen), e.text);
}

static void teardown(void)
{
	buf_clear(&seen);
}

static void rows_of_our_own_format_become_entries(void)
{
	check_run("kind,number,name,reason,until,note\n"
		  "resident_id,11010519491231002x,\xe7\xa4\xba\xe4\xbe\x8b,3,2030-01-01,x\r\n"
		  "name,,\xe7\xa4\xba\xe4\xbe\x8b\xe5\x85\xac\xe5\x8f\xb8,,,\n"
		  "passport,e12345678,,1,,\n",
		  "resident_id 11010519491231002X 3 10958\n"
		  "name \xe7\xa4\xba\xe4\xbe\x8b\xe5\x85\xac\xe5\x8f\xb8 9 65535\n"
		  "passport E12345678 1 65535\n");
	CU_ASSERT_EQUAL(sum.format, IMPORT_CSV);
	CU_ASSERT_EQUAL(sum.rows, 3);
}

static void chinese_labels_and_kinds_are_understood_in_any_order(void)
{
	char file[256];
	snprintf(file, sizeof(file), "\xef\xbb\xbf证件号码,证件类型\n11010519491231002X,%s\n",
		 identifier_kind_zh(IDENTIFIER_RESIDENT_ID));
	check_run(file, "resident_id 11010519491231002X 9 65535\n");
}

static void each_bad_row_is_rejected_by_name_and_the_good_ones_kept(void)
{
	check_run("kind,number,reason,until\n"
		  "resident_id,110105194912310021,1,\n"
		  "resident_id,,1,\n"
		  "dragon,1,1,\n"
		  "passport,E12345678,256,\n"
		  "passport,E12345678,0,\n"
		  "passport,E12345678,1,2024-02-30\n"
		  "passport,E12345678,1\n"
		  "passport,E12345678,1,,\n"
		  ",,,\n"
		  "passport,\"E1,1,\n"
		  "passport,E\xff,1,\n"
		  "passport,E12345678,1,\n",
		  "! 2 2 constraint-error\n! 3 2 missing-cell\n! 4 1 constraint-error\n! 5 3 type-error\n"
		  "! 6 3 type-error\n! 7 4 type-error\n! 8 4 missing-cell\n! 9 5 extra-cell\n! 10 0 blank-row\n"
		  "! 11 0 source-error\n! 12 0 encoding-error\npassport E12345678 1 65535\n");
	CU_ASSERT_EQUAL(sum.rejects, 11);
	CU_ASSERT_EQUAL(sum.entries, 1);
}

static void a_file_without_our_columns_is_refused_with_what_was_expected(void)
{
	static const char *const files[] = {
		"", "a,b\n1,2\n", "kind\nname\n", "kind,number,number\n", "kind,,number\n", "\x89PNG\n"
	};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		CU_ASSERT_FALSE(run(bytes_of(files[i]), IMPORT_AUTO));
		CU_ASSERT_EQUAL(e.code, ERR_INPUT);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "row"));
	}
}

static void ofac_remarks_give_each_chinese_number_under_the_kind_it_proves_to_be(void)
{
	check_run(
		"1,\"SAMPLE ORG\",-0- ,\"X\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"a.k.a. 'SAMPLE ALIAS'; Unified "
		"Social "
		"Credit Code (USCC) 91330106MA27Y4U47R (China); Registration Number 123456 (China).\"\r\n"
		"2,\"PERSON, A\",\"individual\",\"X\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"DOB 1949; National ID No. "
		"11010519491231002X (China) expires 13 Aug 2030; alt. Passport G12345678 (China).\"\r\n"
		"3,\"OTHER\",-0- ,\"X\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"Passport A1234567 (Iran).\"\r\n\x1a",
		"uscc 91330106MA27Y4U47R 9 65535\nforeign_id 123456 9 65535\nname SAMPLE ORG 9 65535\n"
		"name SAMPLE ALIAS 9 65535\nresident_id 11010519491231002X 9 65535\npassport G12345678 9 65535\n");
	CU_ASSERT_EQUAL(sum.format, IMPORT_OFAC);
	CU_ASSERT_EQUAL(sum.ignored, 1);
	CU_ASSERT_EQUAL(sum.rejects, 0);
}

static struct bytes vector_map(const char *name)
{
	const char *path = test_vectors(name);
	struct stat st;
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return (struct bytes){ NULL, 0 };
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return (struct bytes){ p, (size_t)st.st_size };
}

/* Independent of the reader: the word before each "(China)" in the raw bytes, less hyphens. */
static void both_ofac_publications_give_every_number_that_stands_before_china(void)
{
	static const char *const files[] = { "ofac/sdn-older.csv", "ofac/sdn-newer.csv" };
	for (size_t f = 0; f < 2; f++) {
		struct bytes file = vector_map(files[f]);
		if (file.data == NULL)
			return;
		CU_ASSERT_TRUE(run(file, IMPORT_AUTO));
		CU_ASSERT_EQUAL(sum.format, IMPORT_OFAC);
		CU_ASSERT_EQUAL(sum.rejects, 0);
		const char *text = (const char *)file.data, *end = text + file.len;
		unsigned found = 0, missing = 0;
		for (const char *p = text; (p = memmem(p, (size_t)(end - p), " (China)", 8)) != NULL; p += 8) {
			const char *word = p;
			while (word > text && word[-1] != ' ')
				word--;
			char number[80], want[96];
			size_t n = 0;
			for (const char *c = word; c < p && n < sizeof(number) - 1; c++)
				if (*c != '-')
					number[n++] = *c;
			number[n] = 0;
			snprintf(want, sizeof(want), " %s 9 65535\n", number);
			found++;
			if (strstr(buf_str(&seen), want) == NULL) {
				missing++;
				printf("\nmissing: a number of %zu characters", n);
			}
		}
		CU_ASSERT_TRUE(found > 20);
		CU_ASSERT_EQUAL(missing, 0);
	}
}

static CU_TestInfo tests[] = {
	{ "rows of our own format become entries", rows_of_our_own_format_become_entries },
	{ "Chinese labels and kinds are understood in any order",
	  chinese_labels_and_kinds_are_understood_in_any_order },
	{ "each bad row is rejected by name and the good ones kept",
	  each_bad_row_is_rejected_by_name_and_the_good_ones_kept },
	{ "a file without our columns is refused with what was expected",
	  a_file_without_our_columns_is_refused_with_what_was_expected },
	{ "OFAC's remarks give each Chinese number under the kind it proves to be",
	  ofac_remarks_give_each_chinese_number_under_the_kind_it_proves_to_be },
	{ "both OFAC publications give every number that stands before (China)",
	  both_ofac_publications_give_every_number_that_stands_before_china },
	CU_TEST_INFO_NULL,
};

SUITE(import, NULL, teardown, tests);
