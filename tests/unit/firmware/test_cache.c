/* The vault, and the certificates kept under it. */
#include "firmware/cache.h"
#include "firmware/state.h"
#include "protocol/base/file.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOLDER "330802185001010013" /* nobody's */
#define OTHER  "330802187001010020"
#define KIND   "11100000000013338W009"
#define NEVER  INT64_MAX

static struct vault vault;
static struct cache cache;
static struct db *db;
static char dir[200];
static struct tag_key key;
static uint64_t list_version;
static const char *listed; /* the identity the list names, or NULL; "*" all */

static void fresh(int64_t size_max)
{
	struct err e = { 0 };
	if (db != NULL)
		db_close(db);
	snprintf(dir, sizeof(dir), "%s/branch", test_dir());
	db = state_open(dir, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db);
	CU_ASSERT_TRUE_FATAL(vault_open(&vault, dir, &random_system, &e));
	CU_ASSERT_TRUE_FATAL(cache_open(&cache, db, &vault, size_max, &e));
	CU_ASSERT_TRUE_FATAL(cache_wipe(&cache, &e));
	cache.erased = cache.evicted = 0;
	list_version = 1;
	listed = NULL;
	tag_key_init(&key, 1, 1, (const uint8_t[32]){ 9 });
}

static void teardown(void)
{
	db_close(db);
	db = NULL;
	vault_close(&vault);
}

/* "issuer/id" as ecert_identity makes it; a ring of four. */
static const char *identity_of(unsigned n)
{
	static char ring[4][64];
	static unsigned next;
	char *out = ring[next++ % 4];
	snprintf(out, sizeof(ring[0]), "11330800002500000X/1.2.156.3005.2.%u", n);
	return out;
}

static const struct cache_key his = { IDENTIFIER_RESIDENT_ID, HOLDER, KIND, "loan" };

static bool put_for(const struct cache_key *k, unsigned n, size_t size, int64_t to_s, int64_t consent_to_s,
		    int64_t now_s)
{
	static uint8_t bytes[BODY_FILE_MAX];
	char cose[64];
	snprintf(cose, sizeof(cose), "signed message %u", n);
	memset(bytes, 'f', sizeof(bytes));
	const struct body b = { .cose = bytes_of(cose),
				.media_type = "image/png",
				.file = { bytes, size },
				.consent_to_s = consent_to_s };
	return cache_put(&cache, k, identity_of(n), &b, to_s, now_s, NULL);
}

static bool put(unsigned n)
{
	return put_for(&his, n, 100, NEVER, NEVER, 1000);
}

/* What is given out: the messages' last digits, newest first, as "21"; a static buffer. */
static char given[64];
static size_t given_file;
static void take(void *arg, const struct body *b, int64_t fetched_s)
{
	(void)arg, (void)fetched_s;
	size_t len = strlen(given);
	snprintf(given + len, sizeof(given) - len, "%c", b->cose.data[b->cose.len - 1]);
	given_file = b->file.len;
}

static const char *got(const struct cache_key *k, int64_t now_s)
{
	given[0] = '\0';
	CU_ASSERT_TRUE(cache_each(&cache, k, now_s, take, NULL, NULL));
	return given;
}

static void counts_hold(void)
{
	int64_t items = -1, size = -1;
	CU_ASSERT_TRUE(db_run_int(db, &items, NULL, "SELECT COUNT(*) FROM body", ""));
	CU_ASSERT_TRUE(db_run_int(db, &size, NULL, "SELECT COALESCE(SUM(LENGTH(sealed)), 0) FROM body", ""));
	CU_ASSERT_EQUAL((int64_t)cache.items, items);
	CU_ASSERT_EQUAL(cache.size, size);
}

static enum lookup_result list_state(void *arg, const char *name, struct check_list *out)
{
	(void)arg;
	CU_ASSERT_STRING_EQUAL(name, ECERT_LIST);
	*out = (struct check_list){ list_version, 1, &key };
	return LOOKUP_NOT_LISTED;
}

static unsigned looked;
static enum lookup_result list_find(void *arg, const char *name, uint64_t tag, uint32_t *value)
{
	struct identifier id;
	(void)arg, (void)name;
	looked++;
	*value = 1;
	if (listed == NULL)
		return LOOKUP_NOT_LISTED;
	if (strcmp(listed, "*") == 0)
		return LOOKUP_HIT;
	return identifier_parse(IDENTIFIER_ECERT, listed, strlen(listed), 0, &id, NULL, NULL) &&
			       tag_of(&key, &id) == tag
		       ? LOOKUP_HIT
		       : LOOKUP_NOT_LISTED;
}
static const struct check_source source = { NULL, list_state, list_find };

static bool clean(int64_t now_s)
{
	bool more = false;
	CU_ASSERT_TRUE(cache_clean(&cache, &source, now_s, &more, NULL));
	return more;
}

/* --- vault --- */

static void the_key_is_made_once_private_and_read_again(void)
{
	struct vault again;
	struct stat st;
	fresh(NEVER);
	CU_ASSERT_EQUAL(stat(vault.path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
	CU_ASSERT_EQUAL(st.st_size, 32);
	CU_ASSERT_TRUE(vault_open(&again, dir, &random_system, NULL));
	CU_ASSERT_EQUAL(memcmp(again.key, vault.key, 32), 0);
	vault_close(&again);
	CU_ASSERT_FALSE(again.has_key);
}

static void a_key_of_another_size_is_refused_with_what_to_do(void)
{
	struct vault bad;
	struct err e = { 0 };
	char path[256], other[240];
	snprintf(other, sizeof(other), "%s/bad", test_dir());
	CU_ASSERT_TRUE_FATAL(file_make_dir(other, NULL));
	snprintf(path, sizeof(path), "%s/vault.key", other);
	CU_ASSERT_TRUE_FATAL(file_write(path, bytes_of("short"), 0600, NULL));
	CU_ASSERT_FALSE(vault_open(&bad, other, &random_system, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "5 bytes instead of 32"));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "remove"));
	CU_ASSERT_FALSE(bad.has_key);
}

static bool file_is_zeros(const char *path)
{
	static const uint8_t zeros[32];
	struct buf held;
	buf_init(&held, 64);
	bool is =
		file_read(path, &held, NULL) && bytes_equal(buf_bytes(&held), (struct bytes){ zeros, sizeof(zeros) });
	buf_clear(&held);
	return is;
}

static void a_seal_opens_under_its_own_name_only_and_never_after_a_wipe(void)
{
	struct buf sealed, plain;
	struct err e = { 0 };
	fresh(NEVER);
	buf_init(&sealed, 256);
	buf_init(&plain, 256);
	CU_ASSERT_TRUE(vault_seal(&vault, "a", bytes_of("text"), &sealed, &e));
	CU_ASSERT_FALSE(vault_unseal(&vault, "b", buf_bytes(&sealed), &plain, NULL));
	CU_ASSERT_TRUE(vault_unseal(&vault, "a", buf_bytes(&sealed), &plain, &e));
	CU_ASSERT_STRING_EQUAL(buf_str(&plain), "text");
	CU_ASSERT_TRUE(vault_wipe(&vault, &e));
	CU_ASSERT_FALSE(vault.has_key);
	CU_ASSERT_TRUE(file_is_zeros(vault.path));
	CU_ASSERT_FALSE(vault_unseal(&vault, "a", buf_bytes(&sealed), &plain, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_FALSE(put(1));
	/* a restart finds it wiped, and makes no other by itself */
	CU_ASSERT_TRUE(vault_open(&vault, dir, &random_system, &e));
	CU_ASSERT_TRUE(vault.wiped && !vault.has_key);
	CU_ASSERT_FALSE(vault_seal(&vault, "a", bytes_of("text"), &sealed, NULL));
	CU_ASSERT_TRUE(vault_renew(&vault, &e));
	CU_ASSERT_TRUE(vault.has_key && !vault.wiped);
	CU_ASSERT_FALSE(vault_unseal(&vault, "a", buf_bytes(&sealed), &plain, NULL));
	CU_ASSERT_TRUE(vault_open(&vault, dir, &random_system, &e));
	CU_ASSERT_TRUE(vault.has_key && !vault.wiped);
	buf_clear(&sealed);
	buf_clear(&plain);
}

/* --- finding --- */

static void a_body_is_found_by_holder_kind_and_purpose_together(void)
{
	const struct cache_key others[] = {
		{ IDENTIFIER_RESIDENT_ID, OTHER, KIND, "loan" },
		{ IDENTIFIER_PASSPORT, HOLDER, KIND, "loan" },
		{ IDENTIFIER_RESIDENT_ID, HOLDER, "11100000000013338W011", "loan" },
		{ IDENTIFIER_RESIDENT_ID, HOLDER, KIND, "open_account" },
	};
	fresh(NEVER);
	CU_ASSERT_TRUE(put(1));
	CU_ASSERT_STRING_EQUAL(got(&his, 1001), "1");
	CU_ASSERT_EQUAL(given_file, 100);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CU_ASSERT_STRING_EQUAL(got(&others[i], 1001), "");
	counts_hold();
}

static void the_same_certificate_takes_its_own_place_for_a_purpose_and_stands_beside_it_for_another(void)
{
	const struct cache_key account = { IDENTIFIER_RESIDENT_ID, HOLDER, KIND, "open_account" };
	fresh(NEVER);
	CU_ASSERT_TRUE(put(1) && put(2) && put_for(&his, 1, 50, NEVER, NEVER, 1001));
	CU_ASSERT_EQUAL(cache.items, 2);
	CU_ASSERT_STRING_EQUAL(got(&his, 1002), "12"); /* newest first */
	CU_ASSERT_TRUE(put_for(&account, 1, 50, NEVER, NEVER, 1001));
	CU_ASSERT_EQUAL(cache.items, 3);
	counts_hold();
	CU_ASSERT_TRUE(cache_drop(&cache, &his, NULL));
	CU_ASSERT_STRING_EQUAL(got(&his, 1002), "");
	CU_ASSERT_STRING_EQUAL(got(&account, 1002), "1");
	CU_ASSERT_TRUE(put(1));
	CU_ASSERT_TRUE(cache_erase(&cache, identity_of(1), NULL)); /* for every purpose */
	CU_ASSERT_EQUAL(cache.items, 0);
	CU_ASSERT_EQUAL(cache.erased, 4);
	counts_hold();
}

/* --- bounds --- */

static void the_bound_in_bytes_holds_and_the_least_recently_used_goes_first(void)
{
	const struct cache_key account = { IDENTIFIER_RESIDENT_ID, HOLDER, KIND, "open_account" };
	fresh(4 * 10200);
	CU_ASSERT_TRUE(put_for(&account, 1, 10000, NEVER, NEVER, 1000));
	for (unsigned n = 2; n <= 4; n++)
		CU_ASSERT_TRUE(put_for(&his, n, 10000, NEVER, NEVER, 1000 + n));
	CU_ASSERT_EQUAL(cache.items, 4);
	CU_ASSERT_STRING_EQUAL(got(&account, 2000), "1"); /* used, so 2 is now the oldest */
	CU_ASSERT_TRUE(put_for(&his, 5, 10000, NEVER, NEVER, 2001));
	CU_ASSERT_TRUE(cache.size <= cache.size_max);
	CU_ASSERT_EQUAL(cache.evicted, 1);
	CU_ASSERT_STRING_EQUAL(got(&account, 2002), "1");
	CU_ASSERT_STRING_EQUAL(got(&his, 2002), "543");
	counts_hold();
	cache.size_max = 100; /* one that is larger than all the room there is does not stay */
	CU_ASSERT_TRUE(put(6));
	CU_ASSERT_EQUAL(cache.items, 0);
	counts_hold();
}

static void a_put_that_fails_changes_nothing(void)
{
	fresh(NEVER);
	CU_ASSERT_TRUE(put(1));
	CU_ASSERT_TRUE_FATAL(db_exec(
		db, "CREATE TEMP TRIGGER no BEFORE INSERT ON body BEGIN SELECT RAISE(ABORT, 'no'); END", NULL));
	CU_ASSERT_FALSE(put(1));
	CU_ASSERT_FALSE(put(2));
	counts_hold();
	CU_ASSERT_STRING_EQUAL(got(&his, 1001), "1");
	CU_ASSERT_TRUE_FATAL(db_exec(db, "DROP TRIGGER no", NULL));
}

/* --- ends --- */

static void the_certificates_end_or_the_consents_whichever_is_first_ends_it(void)
{
	fresh(NEVER);
	CU_ASSERT_TRUE(put_for(&his, 1, 10, 2000, NEVER, 1000));
	CU_ASSERT_TRUE(put_for(&his, 2, 10, NEVER, 3000, 1001));
	CU_ASSERT_TRUE(put_for(&his, 3, 10, 2500, 3000, 1002));
	CU_ASSERT_TRUE(put_for(&his, 4, 10, NEVER, NEVER, 1003));
	CU_ASSERT_STRING_EQUAL(got(&his, 1999), "4321");
	CU_ASSERT_STRING_EQUAL(got(&his, 2000), "432");
	CU_ASSERT_STRING_EQUAL(got(&his, 2500), "42");
	CU_ASSERT_EQUAL(cache.items, 4);
	CU_ASSERT_FALSE(clean(2500));
	CU_ASSERT_EQUAL(cache.items, 2);
	CU_ASSERT_FALSE(clean(NEVER - 1));
	CU_ASSERT_EQUAL(cache.items, 1);
	CU_ASSERT_EQUAL(cache.erased, 3);
	counts_hold();
}

static void what_the_list_names_is_erased_and_a_row_is_looked_at_once_a_version(void)
{
	fresh(NEVER);
	CU_ASSERT_TRUE(put(1) && put(2) && put(3));
	looked = 0;
	CU_ASSERT_FALSE(clean(1000));
	CU_ASSERT_EQUAL(looked, 3);
	CU_ASSERT_FALSE(clean(1000));
	CU_ASSERT_EQUAL(looked, 3);
	CU_ASSERT_TRUE(put(4));
	CU_ASSERT_FALSE(clean(1000));
	CU_ASSERT_EQUAL(looked, 4);
	listed = identity_of(2);
	list_version++;
	CU_ASSERT_FALSE(clean(1000));
	CU_ASSERT_EQUAL(looked, 8);
	CU_ASSERT_STRING_EQUAL(got(&his, 1001), "431");
	CU_ASSERT_EQUAL(cache.erased, 1);
	counts_hold();
}

static void many_rows_are_looked_at_a_turn_at_a_time(void)
{
	unsigned turns = 0;
	fresh(NEVER);
	for (unsigned n = 0; n < 2 * CACHE_TURN + 10; n++)
		CU_ASSERT_TRUE(put(n));
	listed = "*";
	while (clean(1000) && turns < 10)
		turns++;
	CU_ASSERT_EQUAL(turns, 2);
	CU_ASSERT_EQUAL(cache.items, 0);
	/* The same of those that end together. */
	listed = NULL;
	for (unsigned n = 0; n < 2 * CACHE_TURN + 10; n++)
		CU_ASSERT_TRUE(put_for(&his, n, 1, 2000, NEVER, 1000));
	list_version++;
	for (turns = 0; clean(2000) && turns < 10; turns++)
		;
	CU_ASSERT_EQUAL(cache.items, 0);
	counts_hold();
}

static void a_list_that_cannot_be_asked_erases_nothing(void)
{
	bool more = true;
	fresh(NEVER);
	CU_ASSERT_TRUE(put(1));
	CU_ASSERT_TRUE(cache_clean(&cache, NULL, 1000, &more, NULL));
	CU_ASSERT_FALSE(more);
	CU_ASSERT_EQUAL(cache.items, 1);
}

/* --- at rest --- */

static bool file_has(const char *name, struct bytes what)
{
	char path[256];
	struct buf all;
	buf_init(&all, 64U << 20);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	bool has = file_read(path, &all, NULL) && memmem(all.data, all.len, what.data, what.len) != NULL;
	buf_clear(&all);
	return has;
}

static void nothing_personal_stands_in_the_files_and_what_is_erased_is_overwritten(void)
{
	struct bytes sealed;
	uint8_t piece[32];
	fresh(NEVER);
	CU_ASSERT_TRUE(put_for(&his, 1, 30000, NEVER, NEVER, 1000));
	const char *files[] = { "branch.db", "branch.db-wal" };
	for (size_t i = 0; i < 2; i++) {
		CU_ASSERT_FALSE(file_has(files[i], bytes_of(HOLDER)));
		CU_ASSERT_FALSE(file_has(files[i], bytes_of("signed message")));
		CU_ASSERT_FALSE(file_has(files[i], bytes_of("fffffffffffffff")));
		CU_ASSERT_FALSE(file_has(files[i], bytes_of(identity_of(1))));
	}
	struct db_query *q = db_query(db, "SELECT sealed FROM body", NULL);
	bool row = false;
	CU_ASSERT_TRUE_FATAL(q != NULL && db_next(q, &row, NULL) && row);
	sealed = db_bytes(q, 0);
	memcpy(piece, sealed.data + sealed.len / 2, sizeof(piece));
	db_finish(q);
	CU_ASSERT_TRUE_FATAL(db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL));
	CU_ASSERT_TRUE(file_has("branch.db", (struct bytes){ piece, sizeof(piece) }));
	CU_ASSERT_TRUE(cache_erase(&cache, identity_of(1), NULL));
	CU_ASSERT_TRUE_FATAL(db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL));
	CU_ASSERT_FALSE(file_has("branch.db", (struct bytes){ piece, sizeof(piece) }));
}

static void a_damaged_row_and_one_of_another_key_are_not_given_out(void)
{
	fresh(NEVER);
	CU_ASSERT_TRUE(put(1) && put(2));
	CU_ASSERT_TRUE_FATAL(
		db_begin(db, NULL) &&
		db_run(db, NULL, "UPDATE body SET sealed = x'00' WHERE id = (SELECT MAX(id) FROM body)", "") &&
		db_commit(db, NULL));
	CU_ASSERT_STRING_EQUAL(got(&his, 1001), "1");
	CU_ASSERT_TRUE(vault_wipe(&vault, NULL) && vault_renew(&vault, NULL));
	CU_ASSERT_STRING_EQUAL(got(&his, 1001), "");
	CU_ASSERT_FALSE(clean(1000)); /* of no use to anybody */
	CU_ASSERT_EQUAL(cache.items, 0);
}

static CU_TestInfo tests[] = {
	{ "the vault's key is made once, private, and read again", the_key_is_made_once_private_and_read_again },
	{ "a key of another size is refused with what to do", a_key_of_another_size_is_refused_with_what_to_do },
	{ "a seal opens under its own name only, and never after a wipe",
	  a_seal_opens_under_its_own_name_only_and_never_after_a_wipe },
	{ "a body is found by holder, kind and purpose together",
	  a_body_is_found_by_holder_kind_and_purpose_together },
	{ "the same certificate takes its own place for a purpose and stands beside it for another",
	  the_same_certificate_takes_its_own_place_for_a_purpose_and_stands_beside_it_for_another },
	{ "the bound in bytes holds and the least recently used goes first",
	  the_bound_in_bytes_holds_and_the_least_recently_used_goes_first },
	{ "a put that fails changes nothing", a_put_that_fails_changes_nothing },
	{ "the certificate's end or the consent's, whichever is first, ends it",
	  the_certificates_end_or_the_consents_whichever_is_first_ends_it },
	{ "what the list names is erased, and a row is looked at once a version",
	  what_the_list_names_is_erased_and_a_row_is_looked_at_once_a_version },
	{ "many rows are looked at a turn at a time", many_rows_are_looked_at_a_turn_at_a_time },
	{ "a list that cannot be asked erases nothing", a_list_that_cannot_be_asked_erases_nothing },
	{ "nothing personal stands in the files, and what is erased is overwritten",
	  nothing_personal_stands_in_the_files_and_what_is_erased_is_overwritten },
	{ "a damaged row and one of another key are not given out",
	  a_damaged_row_and_one_of_another_key_are_not_given_out },
	CU_TEST_INFO_NULL,
};
SUITE(cache, NULL, teardown, tests);
