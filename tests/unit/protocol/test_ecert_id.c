#include "protocol/ecert_id.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#define EXAMPLE "1.2.156.3005.2.11100000000013338W009.11330800002500000X.0000000001.001."

static struct err e;

static void setup(void)
{
	e = (struct err){ 0 };
}

static enum ecert_id_fault fault_of(const char *text)
{
	struct ecert_id id;
	enum ecert_id_fault fault = ECERT_ID_OK;
	bool ok = ecert_id_parse(bytes_of(text), &id, &fault, &e);
	CU_ASSERT_EQUAL(ok, fault == ECERT_ID_OK);
	return fault;
}

/* A sample of ours, with its check character, which is worked out here a second way. */
static char sample_check(const char *text)
{
	static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	unsigned p = 36;
	for (const char *at = text + strlen(ECERT_ID_OID); *at != '\0'; at++) {
		if (*at == '.')
			continue;
		p += (unsigned)(strchr(alphabet, *at) - alphabet);
		p = p > 36 ? p - 36 : p;
		p = p * 2 > 36 ? p * 2 - 37 : p * 2;
	}
	return alphabet[(1 + 36 - p) % 36];
}

static void sample_make(char out[ECERT_ID_MAX + 1])
{
	snprintf(out, ECERT_ID_MAX + 1, EXAMPLE "%c", sample_check(EXAMPLE));
}

static void an_identifier_comes_apart_and_together_again(void)
{
	char text[ECERT_ID_MAX + 1], again[ECERT_ID_MAX + 1];
	struct ecert_id id, made = { "11100000000013338W009", "11330800002500000X", "0000000001", "001", 0 };
	sample_make(text);
	CU_ASSERT_TRUE_FATAL(ecert_id_parse(bytes_of(text), &id, NULL, &e));
	CU_ASSERT_STRING_EQUAL(id.type, "11100000000013338W009");
	CU_ASSERT_STRING_EQUAL(id.issuer, "11330800002500000X");
	CU_ASSERT_STRING_EQUAL(id.serial, "0000000001");
	CU_ASSERT_STRING_EQUAL(id.version, "001");
	CU_ASSERT_TRUE_FATAL(ecert_id_compose(&made, again, &e));
	CU_ASSERT_STRING_EQUAL(again, text);
	CU_ASSERT_TRUE(made.check == id.check && ecert_id_check(&id) == id.check);
}

static bool parse(struct bytes data, struct err *why)
{
	struct ecert_id id;
	return ecert_id_parse(data, &id, NULL, why);
}

static void one_cut_or_longer_is_refused(void)
{
	char text[ECERT_ID_MAX + 1];
	sample_make(text);
	CU_ASSERT_TRUE(refuses_cut_and_longer(bytes_of(text), parse));
}

/* MOD 37,36 finds every single change and, of neighbours swapped, all that the standard promises: here, all. */
static void one_changed_character_or_two_swapped_are_found(void)
{
	static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char text[ECERT_ID_MAX + 1];
	sample_make(text);
	for (size_t i = strlen(ECERT_ID_OID); text[i] != '\0'; i++) {
		char was = text[i], next = text[i + 1];
		bool digits_only = i + 6 > strlen(text) && i + 2 < strlen(text);
		for (const char *other = alphabet; was != '.' && *other != '\0'; other++) {
			if (*other == was || (digits_only && *other > '9'))
				continue;
			text[i] = *other;
			CU_ASSERT_EQUAL(fault_of(text), ECERT_ID_BAD_CHECK);
		}
		text[i] = was;
		if (was == '.' || next == '.' || next == '\0' || was == next)
			continue;
		text[i] = next;
		text[i + 1] = was;
		CU_ASSERT_EQUAL(fault_of(text), ECERT_ID_BAD_CHECK);
		text[i] = was;
		text[i + 1] = next;
	}
	CU_ASSERT_EQUAL(fault_of(text), ECERT_ID_OK);
}

static void each_fault_is_named_without_the_identifier(void)
{
	static const struct {
		const char *text;
		enum ecert_id_fault fault;
	} wrong[] = {
		{ "", ECERT_ID_BAD_OID },
		{ "1.2.156.3005.2", ECERT_ID_BAD_OID },
		{ "1.2.156.3005.3.A.B.C.001.0", ECERT_ID_BAD_OID },
		{ " 1.2.156.3005.2.A.B.C.001.0", ECERT_ID_BAD_OID },
		{ "1.2.156.3005.2.", ECERT_ID_BAD_PARTS },
		{ "1.2.156.3005.2.A.B.C.001", ECERT_ID_BAD_PARTS },
		{ "1.2.156.3005.2.A.B.C.D.001.0", ECERT_ID_BAD_PARTS },
		{ "1.2.156.3005.2..B.C.001.0", ECERT_ID_BAD_PARTS },
		{ "1.2.156.3005.2.A.B.C.001.", ECERT_ID_BAD_PARTS },
		{ "1.2.156.3005.2.A.B.C.01.0", ECERT_ID_BAD_PARTS },
		{ "1.2.156.3005.2.A.B.C.0A1.0", ECERT_ID_BAD_PARTS },
		{ "1.2.156.3005.2.A.B.C.0001.0", ECERT_ID_BAD_PARTS },
		{ "1.2.156.3005.2.A.B.C.001.00", ECERT_ID_BAD_PARTS },
		{ "1.2.156.3005.2.a.B.C.001.0", ECERT_ID_BAD_PARTS },
		{ "1.2.156.3005.2.A.B C.D.001.0", ECERT_ID_BAD_PARTS },
		{ "1.2.156.3005.2.A.B.C.001.*", ECERT_ID_BAD_PARTS },
		{ "1.2.156.3005.2.A.B.\xe8\xaf\x81.001.0", ECERT_ID_BAD_PARTS },
		{ "1.2.156.3005.2.000000000000000000000000000000000.B.C.001.0", ECERT_ID_BAD_PARTS },
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		e = (struct err){ 0 };
		CU_ASSERT_EQUAL(fault_of(wrong[i].text), wrong[i].fault);
		CU_ASSERT_TRUE(e.code == ERR_INPUT && e.text[0] != '\0' && strstr(e.text, "3005") == NULL);
		CU_ASSERT_TRUE(strstr(e.text, ecert_id_fault_en(wrong[i].fault)) != NULL);
		CU_ASSERT_TRUE(ecert_id_fault_zh(wrong[i].fault)[0] != '\0');
	}
	struct ecert_id id;
	static const uint8_t nul[] = "1.2.156.3005.2.A\0.B.C.001.0";
	CU_ASSERT_FALSE(ecert_id_parse((struct bytes){ nul, sizeof(nul) - 1 }, &id, NULL, &e));
	CU_ASSERT_TRUE(id.type[0] == '\0' && id.check == '\0');
}

static void what_could_not_be_read_is_not_composed(void)
{
	char text[ECERT_ID_MAX + 1];
	struct ecert_id bad[] = { { "", "B", "C", "001", 0 },
				  { "A", "b", "C", "001", 0 },
				  { "A", "B", "C.D", "001", 0 },
				  { "A", "B", "C", "1", 0 },
				  { "A", "B", "C", "00A", 0 } };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CU_ASSERT_FALSE(ecert_id_compose(&bad[i], text, &e));
		CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	}
	struct ecert_id longest = { .version = "999" };
	memset(longest.type, 'Z', ECERT_PART_MAX);
	memset(longest.issuer, 'Z', ECERT_PART_MAX);
	memset(longest.serial, 'Z', ECERT_PART_MAX);
	CU_ASSERT_TRUE(ecert_id_compose(&longest, text, &e) && ecert_id_parse(bytes_of(text), &longest, NULL, &e));
}

/* "identifier <tab> valid, badcheck, badoid or badparts <tab> source" */
static void the_public_identifiers_are_as_stated(void)
{
	char line[512], text[512], expected[32];
	const char *path = test_vectors("ecert-identifiers.tsv");
	FILE *f = path != NULL ? fopen(path, "r") : NULL;
	unsigned rows = 0;
	if (path == NULL)
		return;
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		static const char *const names[] = { "valid", "badoid", "badparts", "badcheck" };
		if (sscanf(line, "%511[^\t]\t%31[^\t]", text, expected) != 2 || strcmp(text, "identifier") == 0)
			continue;
		CU_ASSERT_STRING_EQUAL(names[fault_of(text)], expected);
		rows++;
	}
	CU_ASSERT_TRUE(rows >= 13);
	fclose(f);
}

static CU_TestInfo tests[] = {
	{ "an identifier comes apart and together again", an_identifier_comes_apart_and_together_again },
	{ "one cut or longer is refused", one_cut_or_longer_is_refused },
	{ "one changed character or two swapped are found", one_changed_character_or_two_swapped_are_found },
	{ "each fault is named, without the identifier", each_fault_is_named_without_the_identifier },
	{ "what could not be read is not composed", what_could_not_be_read_is_not_composed },
	{ "the public identifiers are as stated", the_public_identifiers_are_as_stated },
	CU_TEST_INFO_NULL,
};
SUITE(ecert_id, setup, NULL, tests);
