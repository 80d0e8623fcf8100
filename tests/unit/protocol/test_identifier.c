#include "protocol/identifier.h"
#include "protocol/rule.h"
#include "tests/support/child.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t today;

static void setup(void)
{
	if (!day_parse(bytes_of("2026-11-25"), &today, NULL))
		abort();
}

static enum identifier_fault fault_of(enum identifier_kind kind, const char *text, struct identifier *id)
{
	struct err e = { 0 };
	enum identifier_fault fault = IDENTIFIER_FAULT_NONE;
	bool ok = identifier_parse(kind, text, strlen(text), today, id, &fault, &e);
	CU_ASSERT_EQUAL(ok, fault == IDENTIFIER_FAULT_NONE);
	if (!ok) {
		CU_ASSERT_EQUAL(e.code, ERR_INPUT);
		CU_ASSERT_EQUAL(id->canonical[0], '\0');
		/* The sentence never shows the number. */
		CU_ASSERT_TRUE(strlen(text) < 6 || strstr(e.text, text) == NULL);
	}
	return fault;
}

struct vector_kind {
	const char *name;
	enum identifier_kind kind;
};
static const struct vector_kind vector_kinds[] = {
	{ "ric18", IDENTIFIER_RESIDENT_ID },
	{ "ric15", IDENTIFIER_RESIDENT_ID },
	{ "hkmo_permit", IDENTIFIER_HKMO_RESIDENCE_PERMIT },
	{ "tw_permit", IDENTIFIER_TW_RESIDENCE_PERMIT },
	{ "pr18", IDENTIFIER_FOREIGNER_PR_18 },
	{ "pr15", IDENTIFIER_FOREIGNER_PR_15 },
	{ "uscc", IDENTIFIER_USCC },
	{ "org", IDENTIFIER_ORG_CODE },
	{ "cnaps", IDENTIFIER_CNAPS },
};

/* Whether what we find is what the vector's third column expects. */
static bool as_expected(enum identifier_fault fault, const struct identifier *id, const char *expect)
{
	if (strncmp(expect, "18=", 3) == 0)
		return fault == IDENTIFIER_FAULT_NONE && strcmp(id->canonical, expect + 3) == 0 &&
		       (id->warnings & IDENTIFIER_WARN_UPGRADED_15) != 0;
	if (strcmp(expect, "valid") == 0)
		return fault == IDENTIFIER_FAULT_NONE;
	if (strncmp(expect, "badcheck", 8) == 0)
		return fault == IDENTIFIER_FAULT_CHECK_DIGIT;
	if (strcmp(expect, "baddate") == 0)
		return fault == IDENTIFIER_FAULT_DATE;
	if (strcmp(expect, "badregion") ==
	    0) /* a warning, never a rejection; one of them has a wrong check digit, too */
		return fault == IDENTIFIER_FAULT_CHECK_DIGIT ||
		       (fault == IDENTIFIER_FAULT_NONE && (id->warnings & IDENTIFIER_WARN_UNKNOWN_REGION) != 0);
	if (strcmp(expect, "region_not_yet") == 0)
		return fault == IDENTIFIER_FAULT_NONE && (id->warnings & IDENTIFIER_WARN_REGION_NOT_YET) != 0;
	if (strcmp(expect, "region_retired") == 0)
		return fault == IDENTIFIER_FAULT_NONE && (id->warnings & IDENTIFIER_WARN_REGION_RETIRED) != 0;
	return strncmp(expect, "bad", 3) == 0 && fault != IDENTIFIER_FAULT_NONE;
}

static void public_vectors_get_the_verdict_they_state(void)
{
	const char *path = test_vectors("identifiers.tsv");
	if (path == NULL)
		return;
	FILE *f = fopen(path, "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	char line[512];
	size_t asked = 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		char kind[32], value[128], expect[64];
		if (sscanf(line, "%31[^\t]\t%127[^\t]\t%63[^\t\n]", kind, value, expect) != 3)
			continue;
		for (size_t i = 0; i < sizeof(vector_kinds) / sizeof(vector_kinds[0]); i++) {
			struct identifier id;
			if (strcmp(kind, vector_kinds[i].name) != 0)
				continue;
			asked++;
			bool fits = as_expected(fault_of(vector_kinds[i].kind, value, &id), &id, expect);
			if (!fits && strstr(line, "typo?") == NULL)
				printf("\n    %s", line);
			CU_ASSERT_TRUE(fits);
		}
	}
	fclose(f);
	CU_ASSERT_TRUE(asked >= 50);
}

struct expectation {
	enum identifier_kind kind;
	const char *text;
	enum identifier_fault fault;
	const char *canonical; /* of a valid one */
};
static void check_all(const struct expectation *x, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct identifier id;
		enum identifier_fault fault = fault_of(x[i].kind, x[i].text, &id);
		if (fault != x[i].fault ||
		    (fault == IDENTIFIER_FAULT_NONE && strcmp(id.canonical, x[i].canonical) != 0))
			printf("\n    %s: %s, %s\n", x[i].text, identifier_fault_name(fault), id.canonical);
		CU_ASSERT_EQUAL(fault, x[i].fault);
		if (fault == IDENTIFIER_FAULT_NONE)
			CU_ASSERT_STRING_EQUAL(id.canonical, x[i].canonical);
	}
}
#define CHECK_ALL(x) check_all(x, sizeof(x) / sizeof((x)[0]))
#define FAULT(f)     IDENTIFIER_FAULT_##f

static void each_rule_of_a_resident_id_has_its_own_fault(void)
{
	static const struct expectation cases[] = {
		{ IDENTIFIER_RESIDENT_ID, "", FAULT(EMPTY), "" },
		{ IDENTIFIER_RESIDENT_ID, "   ", FAULT(EMPTY), "" },
		{ IDENTIFIER_RESIDENT_ID, "11010519491231002", FAULT(LENGTH), "" },
		{ IDENTIFIER_RESIDENT_ID, "1101051949123100211", FAULT(LENGTH), "" },
		{ IDENTIFIER_RESIDENT_ID, "1101051949123100XX", FAULT(ALPHABET), "" },
		{ IDENTIFIER_RESIDENT_ID, "11010519491231002Y", FAULT(ALPHABET), "" },
		{ IDENTIFIER_RESIDENT_ID, "110105194912310O2X", FAULT(ALPHABET), "" },
		{ IDENTIFIER_RESIDENT_ID, "110105194902300022", FAULT(DATE), "" },
		{ IDENTIFIER_RESIDENT_ID, "110105209912310029", FAULT(FUTURE), "" },
		{ IDENTIFIER_RESIDENT_ID, "110105194912310021", FAULT(CHECK_DIGIT), "" },
		{ IDENTIFIER_RESIDENT_ID, "810000199408230021", FAULT(KIND), "" },
		{ IDENTIFIER_RESIDENT_ID, "11010519491231002X", FAULT(NONE), "11010519491231002X" },
	};
	CHECK_ALL(cases);
}

static void an_unknown_region_is_a_warning(void)
{
	struct identifier id;
	CU_ASSERT_EQUAL(fault_of(IDENTIFIER_RESIDENT_ID, "990426199112010074", &id), FAULT(NONE));
	CU_ASSERT_EQUAL(id.warnings, IDENTIFIER_WARN_UNKNOWN_REGION);
}

static void all_ways_of_writing_a_number_give_one_form(void)
{
	static const struct expectation cases[] = {
		{ IDENTIFIER_RESIDENT_ID, "11010519491231002x", FAULT(NONE), "11010519491231002X" },
		{ IDENTIFIER_RESIDENT_ID, " 110105 19491231 002X ", FAULT(NONE), "11010519491231002X" },
		{ IDENTIFIER_RESIDENT_ID, "１１０１０５１９４９１２３１００２ｘ", FAULT(NONE), "11010519491231002X" },
		{ IDENTIFIER_RESIDENT_ID, "110105　19491231　002X", FAULT(NONE), "11010519491231002X" },
		{ IDENTIFIER_ORG_CODE, "00359131-X", FAULT(NONE), "00359131X" },
		{ IDENTIFIER_ORG_CODE, "00359131x", FAULT(NONE), "00359131X" },
		{ IDENTIFIER_USCC, "9111 0000 6000 3734 1l", FAULT(NONE), "91110000600037341L" },
		{ IDENTIFIER_BANK_CARD, "4111 1111 1111 1111", FAULT(NONE), "4111111111111111" },
		{ IDENTIFIER_BANK_CARD, "4111-1111-1111-1112", FAULT(CHECK_DIGIT), "" },
		{ IDENTIFIER_HKMO_TRAVEL_PERMIT, "H1234567800", FAULT(NONE), "H12345678" },
		{ IDENTIFIER_HKMO_TRAVEL_PERMIT, "h12345678", FAULT(NONE), "H12345678" },
		{ IDENTIFIER_HKMO_TRAVEL_PERMIT, "K12345678", FAULT(PREFIX), "" },
		{ IDENTIFIER_TW_TRAVEL_PERMIT, "12345678", FAULT(NONE), "12345678" },
		{ IDENTIFIER_PASSPORT, "e12345678", FAULT(NONE), "E12345678" },
		{ IDENTIFIER_PASSPORT, "E1", FAULT(LENGTH), "" },
		{ IDENTIFIER_NAME, "  Zhang   San ", FAULT(NONE), "ZHANG SAN" },
		{ IDENTIFIER_NAME, "示例 甲", FAULT(NONE), "示例甲" },
		{ IDENTIFIER_FOREIGN_ID, "ab-12/34", FAULT(NONE), "AB1234" },
		{ IDENTIFIER_FOREIGN_ID, "a", FAULT(LENGTH), "" },
	};
	CHECK_ALL(cases);
}

/* The specimen of ICAO Doc 9303-4, appendix B. */
#define MRZ "L898902C36UTO7408122F1204159ZE184226B<<<<<10"

static void each_check_digit_of_a_machine_readable_passport_has_its_own_fault(void)
{
	static const struct {
		size_t at;
		char now;
		enum identifier_fault fault;
	} changes[] = {
		{ 9, '7', FAULT(CHECK_DIGIT) },      { 19, '3', FAULT(CHECK_BIRTH) },
		{ 27, '8', FAULT(CHECK_EXPIRY) },    { 42, '2', FAULT(CHECK_OPTIONAL) },
		{ 43, '1', FAULT(CHECK_COMPOSITE) }, { 20, 'Q', FAULT(SEX) },
	};
	struct identifier id;
	CU_ASSERT_EQUAL(fault_of(IDENTIFIER_PASSPORT, MRZ, &id), FAULT(NONE));
	CU_ASSERT_STRING_EQUAL(id.canonical, "L898902C3");
	CU_ASSERT_TRUE(id.birth_year == 1974 && id.birth_month == 8 && id.birth_day == 12 && id.sex == 'F');
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		char mrz[] = MRZ;
		mrz[changes[i].at] = changes[i].now;
		CU_ASSERT_EQUAL(fault_of(IDENTIFIER_PASSPORT, mrz, &id), changes[i].fault);
	}
	CU_ASSERT_EQUAL(fault_of(IDENTIFIER_PASSPORT, "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<" MRZ, &id),
			FAULT(NONE));
	CU_ASSERT_EQUAL(fault_of(IDENTIFIER_PASSPORT, "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<" MRZ, &id),
			FAULT(PREFIX));
}

static void what_is_shown_hides_the_middle(void)
{
	struct identifier id;
	char shown[96];
	CU_ASSERT_EQUAL(fault_of(IDENTIFIER_RESIDENT_ID, "11010519491231002X", &id), FAULT(NONE));
	identifier_mask(&id, shown, sizeof(shown));
	CU_ASSERT_STRING_EQUAL(shown, "110105********002X");
	CU_ASSERT_EQUAL(fault_of(IDENTIFIER_NAME, "示例甲", &id), FAULT(NONE));
	identifier_mask(&id, shown, sizeof(shown));
	CU_ASSERT_STRING_EQUAL(shown, "示**");
	for (size_t size = 1; size < 20; size++) {
		identifier_mask(&id, shown, size);
		CU_ASSERT_TRUE(strlen(shown) < size);
	}
	for (int kind = 1; kind <= IDENTIFIER_KIND_LAST; kind++) {
		enum identifier_kind back = 0;
		CU_ASSERT_TRUE(identifier_kind_of(identifier_kind_name((enum identifier_kind)kind), &back));
		CU_ASSERT_EQUAL((int)back, kind);
		CU_ASSERT_TRUE(identifier_kind_zh((enum identifier_kind)kind)[0] != '\0');
	}
	for (int fault = 1; fault <= IDENTIFIER_FAULT_LAST; fault++)
		CU_ASSERT_TRUE(identifier_fault_zh((enum identifier_fault)fault)[0] != '\0' &&
			       identifier_fault_name((enum identifier_fault)fault)[0] != '\0');
}

static void malformed_text_and_unknown_kinds_are_refused(void)
{
	struct identifier id;
	enum identifier_fault fault;
	struct err e;
	CU_ASSERT_FALSE(identifier_parse(IDENTIFIER_NAME, "a\0b", 3, 0, &id, &fault, &e));
	CU_ASSERT_EQUAL(fault, FAULT(ALPHABET));
	CU_ASSERT_FALSE(identifier_parse(IDENTIFIER_NAME, "\xff\xfe", 2, 0, &id, &fault, &e));
	CU_ASSERT_EQUAL(fault, FAULT(ALPHABET));
	CU_ASSERT_FALSE(identifier_parse((enum identifier_kind)99, "123", 3, 0, &id, &fault, &e));
	CU_ASSERT_EQUAL(fault, FAULT(KIND));
	char *big = malloc(100000);
	if (big == NULL)
		abort();
	memset(big, '1', 100000);
	for (int kind = 1; kind <= IDENTIFIER_KIND_LAST; kind++) {
		CU_ASSERT_FALSE(identifier_parse((enum identifier_kind)kind, big, 100000, 0, &id, &fault, &e));
		CU_ASSERT_EQUAL(fault, FAULT(LENGTH));
	}
	free(big);
}

/* Numbers in equal parts right, with one character changed, and with two neighbours exchanged. */
static uint64_t seed = 20261125;
static unsigned draw(unsigned below)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(seed >> 33) % below;
}

static char check_11_2(const char *s)
{
	unsigned sum = 0, weight = 1;
	for (int i = 16; i >= 0; i--) {
		weight = weight * 2 % 11;
		sum += (unsigned)(s[i] - '0') * weight;
	}
	return "10X98765432"[sum % 11];
}

static char check_31(const char *s)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	unsigned sum = 0, weight = 1;
	for (int i = 0; i < 17; i++) {
		sum += (unsigned)(strchr(alphabet, s[i]) - alphabet) * weight;
		weight = weight * 3 % 31;
	}
	return alphabet[(31 - sum % 31) % 31];
}

static char check_luhn(const char *s, int len)
{
	unsigned sum = 0;
	for (int i = len - 1, twice = 1; i >= 0; i--, twice = !twice) {
		unsigned d = (unsigned)(s[i] - '0') * (twice ? 2 : 1);
		sum += d > 9 ? d - 9 : d;
	}
	return (char)('0' + (10 - sum % 10) % 10);
}

static const char *number_make(enum identifier_kind kind, char *s)
{
	static const char *const regions[] = { "330802", "110105", "440308", "510107" };
	const char *region = regions[draw(4)];
	if (kind == IDENTIFIER_RESIDENT_ID) {
		snprintf(s, 20, "%s%04u%02u%02u%03u", region, 1985 + draw(40), 1 + draw(12), 1 + draw(31),
			 draw(1000));
		s[17] = check_11_2(s);
		s[18] = '\0';
	} else if (kind == IDENTIFIER_USCC) {
		snprintf(s, 20, "91%sMA%07u", region, draw(10000000));
		s[17] = check_31(s);
		s[18] = '\0';
	} else {
		snprintf(s, 20, "62220212%07u", draw(10000000));
		s[15] = check_luhn(s, 15);
		s[16] = '\0';
	}
	size_t len = strlen(s), at = draw((unsigned)len - 1);
	switch (draw(3)) {
	case 0: break;
	case 1: s[at] = (char)('0' + draw(10)); break;
	default: {
		char c = s[at];
		s[at] = s[at + 1];
		s[at + 1] = c;
	}
	}
	return s;
}

static void an_independent_library_gives_the_same_verdicts(void)
{
	enum { NUMBERS = 3000 };
	static const enum identifier_kind kinds[] = { IDENTIFIER_RESIDENT_ID, IDENTIFIER_USCC, IDENTIFIER_BANK_CARD };
	static char numbers[NUMBERS][20];
	char path[128];
	struct buf out;
	buf_init(&out, 1 << 20);
	snprintf(path, sizeof(path), "%s/numbers", test_dir());
	FILE *f = fopen(path, "we");
	if (f == NULL)
		abort();
	for (int i = 0; i < NUMBERS; i++)
		fprintf(f, "%s %s\n", identifier_kind_name(kinds[i % 3]), number_make(kinds[i % 3], numbers[i]));
	fclose(f);
	char command[200];
	snprintf(command, sizeof(command), "/usr/bin/python3 tests/tools/stdnum_verdicts.py <%s", path);
	if (child_run((const char *const[]){ "/bin/sh", "-c", command, NULL }, &out) != 0) {
		test_skip("python3-stdnum");
		buf_clear(&out);
		return;
	}
	const char *at = buf_str(&out);
	unsigned valid = 0, differ = 0;
	for (int i = 0; i < NUMBERS; i++) {
		struct identifier id;
		const char *end = strchr(at, '\n');
		CU_ASSERT_PTR_NOT_NULL_FATAL(end);
		bool theirs = strncmp(at, "valid", 5) == 0;
		/* A region they do not know is an error to them, to us a warning; one that was retired they may have dropped. */
		bool component = strncmp(at, "InvalidComponent", 16) == 0;
		enum identifier_fault fault = fault_of(kinds[i % 3], numbers[i], &id);
		bool ours = fault == FAULT(NONE);
		if (ours != theirs && !(component && ours && id.warnings != 0) && fault != FAULT(KIND) &&
		    fault != FAULT(FUTURE)) {
			printf("\n    %s: %s, they say %.*s", numbers[i], identifier_fault_name(fault),
			       (int)(end - at), at);
			differ++;
		}
		valid += ours;
		at = end + 1;
	}
	CU_ASSERT_EQUAL(differ, 0);
	CU_ASSERT_TRUE(valid > NUMBERS / 4 && valid < NUMBERS / 2 + NUMBERS / 4);
	buf_clear(&out);
}

static CU_TestInfo tests[] = {
	{ "public vectors get the verdict they state", public_vectors_get_the_verdict_they_state },
	{ "each rule of a resident ID has its own fault", each_rule_of_a_resident_id_has_its_own_fault },
	{ "an unknown region is a warning", an_unknown_region_is_a_warning },
	{ "all ways of writing a number give one form", all_ways_of_writing_a_number_give_one_form },
	{ "each check digit of a machine-readable passport has its own fault",
	  each_check_digit_of_a_machine_readable_passport_has_its_own_fault },
	{ "what is shown hides the middle", what_is_shown_hides_the_middle },
	{ "malformed text and unknown kinds are refused", malformed_text_and_unknown_kinds_are_refused },
	{ "an independent library gives the same verdicts", an_independent_library_gives_the_same_verdicts },
	CU_TEST_INFO_NULL,
};
SUITE(identifier, setup, NULL, tests);
