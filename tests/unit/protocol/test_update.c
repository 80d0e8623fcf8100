#include "protocol/update.h"
#include "tests/support/documents.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#define H32                   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OBJECT_OF(rest)       "'object':{'sha256':'" H32 "','chunks_sha256':'" H32 "'" rest "}"
#define OBJECT                OBJECT_OF(",'size_bytes':70000")
#define TITLE                 "'title':{'zh':'题','en':'title'}"
#define UPDATE(arch, n, rest) "{'type':'update','arch':'" arch "','version':" n "," rest "}"

static bool parse(const char *json, struct update *u, struct err *e)
{
	struct buf document = cbor_of(json, NULL);
	bool ok = update_parse(buf_bytes(&document), u, e);
	buf_clear(&document);
	return ok;
}

static void an_update_is_read_with_all_it_says(void)
{
	struct update u;
	CU_ASSERT_TRUE_FATAL(
		parse(UPDATE("arm64", "7", OBJECT "," TITLE ",'notes':{'zh':'注','en':'notes'}"), &u, NULL));
	CU_ASSERT_STRING_EQUAL(u.arch, "arm64");
	CU_ASSERT_EQUAL(u.version, 7);
	CU_ASSERT_EQUAL(u.object.size, 70000);
	CU_ASSERT_TRUE(u.object.hash[1] == 0x11 && u.object.chunks_hash[31] == 0xff);
	CU_ASSERT_STRING_EQUAL(u.title_zh, "题");
	CU_ASSERT_STRING_EQUAL(u.title_en, "title");
	CU_ASSERT_STRING_EQUAL(u.notes_zh, "注");
	CU_ASSERT_STRING_EQUAL(u.notes_en, "notes");
	update_clear(&u);
	CU_ASSERT_TRUE_FATAL(parse(UPDATE("amd64", "1", OBJECT "," TITLE), &u, NULL));
	CU_ASSERT_PTR_NULL(u.notes_zh);
	update_clear(&u);
}

static void an_update_is_refused_with_the_reason(void)
{
	static const struct {
		const char *json, *says;
	} bad[] = {
		{ "{}", "type is missing" },
		{ "{'type':'rules'}", "'update' was expected" },
		{ UPDATE("riscv64", "1", OBJECT "," TITLE), "neither arm64 nor amd64" },
		{ UPDATE("mips", "1", OBJECT "," TITLE), "neither arm64 nor amd64" },
		{ UPDATE("arm64", "0", OBJECT "," TITLE), "version is 0" },
		{ UPDATE("arm64", "-1", OBJECT "," TITLE), "version" },
		{ UPDATE("arm64", "'1'", OBJECT "," TITLE), "version" },
		{ "{'type':'update','arch':'arm64'," OBJECT "," TITLE "}", "version is missing" },
		{ UPDATE("arm64", "1", TITLE), "object is missing" },
		{ UPDATE("arm64", "1", OBJECT_OF("") "," TITLE), "size_bytes is missing" },
		{ UPDATE("arm64", "1", OBJECT_OF(",'size_bytes':0") "," TITLE), "size_bytes is 0" },
		{ UPDATE("arm64", "1", OBJECT_OF(",'size_bytes':201326593") "," TITLE), "size_bytes" },
		{ UPDATE("arm64", "1", OBJECT_OF(",'size_bytes':1,'more':1") "," TITLE), "unknown field 'more'" },
		{ UPDATE("arm64", "1", "'object':{'sha256':'00','chunks_sha256':'" H32 "','size_bytes':1}," TITLE),
		  "sha256: expected 64" },
		{ UPDATE("arm64", "1", OBJECT), "title is missing" },
		{ UPDATE("arm64", "1", OBJECT "," TITLE ",'notes':'x'"), "notes" },
		{ UPDATE("arm64", "1", OBJECT "," TITLE ",'more':1"), "unknown field 'more'" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct update u;
		struct err e = { 0 };
		CU_ASSERT_FALSE(parse(bad[i].json, &u, &e));
		CU_ASSERT_EQUAL(e.code, ERR_INPUT);
		if (strstr(e.text, bad[i].says) == NULL)
			printf("\n    %zu: %s\n", i, e.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i].says));
	}
}

static void an_update_cut_at_any_byte_is_refused(void)
{
	struct buf document = cbor_of(UPDATE("arm64", "7", OBJECT "," TITLE), NULL);
	struct update u;
	for (size_t len = 0; len < document.len; len++)
		CU_ASSERT_FALSE(update_parse((struct bytes){ document.data, len }, &u, NULL));
	buf_add_u8(&document, 0);
	CU_ASSERT_FALSE(update_parse(buf_bytes(&document), &u, NULL));
	buf_clear(&document);
}

static void a_name_says_which_boxes_an_update_is_for(void)
{
	CU_ASSERT_STRING_EQUAL(update_arch_of("update-arm64"), "arm64");
	CU_ASSERT_STRING_EQUAL(update_arch_of("update-amd64"), "amd64");
	CU_ASSERT_PTR_NULL(update_arch_of("update-arm"));
	CU_ASSERT_PTR_NULL(update_arch_of("update-"));
	CU_ASSERT_PTR_NULL(update_arch_of("update-arm64-2"));
	CU_ASSERT_PTR_NULL(update_arch_of("rules"));
}

static CU_TestInfo tests[] = {
	{ "an update is read with all it says", an_update_is_read_with_all_it_says },
	{ "an update is refused with the reason", an_update_is_refused_with_the_reason },
	{ "an update cut at any byte is refused", an_update_cut_at_any_byte_is_refused },
	{ "a name says which boxes an update is for", a_name_says_which_boxes_an_update_is_for },
	CU_TEST_INFO_NULL,
};

SUITE(update_document, NULL, NULL, tests);
