#include "protocol/tag.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <string.h>

static struct err e;
static uint8_t secret[32];
static struct buf out;

static void setup(void)
{
	e = (struct err){ 0 };
	bytes_fill(secret, sizeof(secret), 0);
	buf_init(&out, 1024);
}

static void teardown(void)
{
	buf_clear(&out);
}

static struct identifier named(enum identifier_kind kind, const char *canonical)
{
	struct identifier id = { .kind = kind };
	memcpy(id.canonical, canonical, strlen(canonical) + 1);
	return id;
}

/* The two values: python3's hmac.new(bytes(range(32)), …, "sha256") and hashlib.pbkdf2_hmac("sha256", …, 1000). */
static void a_tag_is_the_head_of_the_keyed_hash_over_kind_and_canonical_form(void)
{
	struct tag_key key;
	struct identifier id = named(IDENTIFIER_RESIDENT_ID, "330802185001010013");
	tag_key_init(&key, 7, 1, secret);
	CU_ASSERT_EQUAL(key.epoch, 7);
	CU_ASSERT_EQUAL(tag_of(&key, &id), 0xc902fbdca0e1ebc0U);
	tag_key_init(&key, 7, 1000, secret);
	CU_ASSERT_EQUAL(tag_of(&key, &id), 0x88e3bf9a80d2e48bU);
}

static void kind_key_iterations_and_number_each_change_the_tag(void)
{
	struct tag_key key, work, other;
	struct identifier id = named(IDENTIFIER_PASSPORT, "E12345678");
	struct identifier kind = named(IDENTIFIER_FOREIGN_ID, "E12345678"),
			  number = named(IDENTIFIER_PASSPORT, "E12345679");
	tag_key_init(&key, 1, 1, secret);
	tag_key_init(&work, 1, 2, secret);
	secret[31] ^= 1;
	tag_key_init(&other, 1, 1, secret);
	uint64_t tag = tag_of(&key, &id);
	CU_ASSERT_EQUAL(tag_of(&key, &id), tag);
	CU_ASSERT_NOT_EQUAL(tag_of(&key, &kind), tag);
	CU_ASSERT_NOT_EQUAL(tag_of(&key, &number), tag);
	CU_ASSERT_NOT_EQUAL(tag_of(&work, &id), tag);
	CU_ASSERT_NOT_EQUAL(tag_of(&other, &id), tag);
}

static void canaries_differ_by_list_and_number_and_from_every_identifier(void)
{
	struct tag_key key;
	tag_key_init(&key, 1, 1, secret);
	struct identifier id = named(IDENTIFIER_NAME, "black/1");
	CU_ASSERT_NOT_EQUAL(tag_canary(&key, "black", 1), tag_canary(&key, "black", 2));
	CU_ASSERT_NOT_EQUAL(tag_canary(&key, "black", 1), tag_canary(&key, "white", 1));
	CU_ASSERT_NOT_EQUAL(tag_canary(&key, "black", 1), tag_of(&key, &id));
}

static void the_longest_identifier_and_list_name_have_tags(void)
{
	struct tag_key key;
	struct identifier id = { .kind = IDENTIFIER_NAME };
	char list[NAME_MAX_LEN + 1] = { 0 };
	memset(id.canonical, 'a', sizeof(id.canonical) - 1);
	memset(list, 'a', NAME_MAX_LEN);
	tag_key_init(&key, 1, 2, secret);
	CU_ASSERT_NOT_EQUAL(tag_of(&key, &id), tag_canary(&key, list, UINT32_MAX));
}

static void a_wiped_key_holds_nothing(void)
{
	struct tag_key key, zero;
	memset(&zero, 0, sizeof(zero));
	tag_key_init(&key, 1, 1, secret);
	tag_key_wipe(&key);
	CU_ASSERT_EQUAL(memcmp(&key, &zero, sizeof(key)), 0);
}

struct branch {
	uint8_t scalar[SCALAR_LEN], point[POINT_LEN];
};

static bool unseal(const struct branch *b, struct bytes sealed, const char *name, uint32_t *epoch,
		   uint32_t *iterations)
{
	uint8_t got[32] = { 0 };
	return tag_key_unseal(sealed, name, b->scalar, b->point, epoch, iterations, got, &e) &&
	       memcmp(got, secret, sizeof(got)) == 0;
}

static void an_epoch_key_opens_for_its_branch_alone(void)
{
	struct branch a, b;
	uint32_t epoch = 0, iterations = 0;
	key_new(&random_system, a.scalar, a.point);
	key_new(&random_system, b.scalar, b.point);
	CU_ASSERT_TRUE_FATAL(
		tag_key_seal(0x01020304, 100000, secret, "quzhou-01", a.point, &random_system, &out, &e));
	CU_ASSERT_EQUAL(out.len, 40 + SEAL_OVERHEAD);
	CU_ASSERT_TRUE(unseal(&a, buf_bytes(&out), "quzhou-01", &epoch, &iterations));
	CU_ASSERT_EQUAL(epoch, 0x01020304);
	CU_ASSERT_EQUAL(iterations, 100000);
	CU_ASSERT_FALSE(unseal(&a, buf_bytes(&out), "quzhou-02", &epoch, &iterations));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_FALSE(unseal(&b, buf_bytes(&out), "quzhou-01", &epoch, &iterations));
	for (size_t len = 0; len < out.len; len++)
		CU_ASSERT_FALSE(unseal(&a, (struct bytes){ out.data, len }, "quzhou-01", &epoch, &iterations));
}

static void a_sealed_key_of_other_length_or_work_is_refused(void)
{
	struct branch a;
	uint8_t plain[41] = { 0 };
	uint32_t epoch = 0, iterations = 0;
	struct bytes context = bytes_of("xb/1/epoch/quzhou-01");
	key_new(&random_system, a.scalar, a.point);
	for (size_t len = 39; len <= 41; len++) {
		buf_reset(&out); /* 40 bytes: no iterations at all */
		CU_ASSERT_TRUE(seal_to(a.point, &random_system, context, (struct bytes){ plain, len }, &out, &e));
		CU_ASSERT_FALSE(unseal(&a, buf_bytes(&out), "quzhou-01", &epoch, &iterations));
	}
	memcpy(plain + 4, (const uint8_t[]){ 0, 1, 0x86, 0xa1 }, 4); /* 100,001 */
	buf_reset(&out);
	CU_ASSERT_TRUE(seal_to(a.point, &random_system, context, (struct bytes){ plain, 40 }, &out, &e));
	CU_ASSERT_FALSE(unseal(&a, buf_bytes(&out), "quzhou-01", &epoch, &iterations));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
}

static CU_TestInfo tests[] = {
	{ "a tag is the head of the keyed hash over kind and canonical form",
	  a_tag_is_the_head_of_the_keyed_hash_over_kind_and_canonical_form },
	{ "kind, key, iterations and number each change the tag",
	  kind_key_iterations_and_number_each_change_the_tag },
	{ "canaries differ by list and number and from every identifier",
	  canaries_differ_by_list_and_number_and_from_every_identifier },
	{ "the longest identifier and list name have tags", the_longest_identifier_and_list_name_have_tags },
	{ "a wiped key holds nothing", a_wiped_key_holds_nothing },
	{ "an epoch key opens for its branch alone", an_epoch_key_opens_for_its_branch_alone },
	{ "a sealed key of other length or work is refused", a_sealed_key_of_other_length_or_work_is_refused },
	CU_TEST_INFO_NULL,
};

SUITE(tag, setup, teardown, tests);
