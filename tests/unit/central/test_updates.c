#include "central/release/updates.h"
#include "central/branch/branches.h"
#include "central/release/document.h"
#include "central/store/store.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1795500000 /* 2026-11-24 */

static struct db *db;
static struct objects objects;
static struct release_context c;
static const uint8_t vault[32] = { 7 };
static char dir[64];

static void setup(void)
{
	struct err e;
	snprintf(dir, sizeof(dir), "%s", test_dir());
	db = store_open(dir, &e);
	if (db == NULL || !objects_open(&objects, dir, &e))
		abort();
	c = (struct release_context){ db, &objects, vault, &random_system };
}

static void teardown(void)
{
	db_close(db);
}

/* The superblock of a squashfs, and filling; used: what it says that it needs. */
static struct buf image_of(size_t size, uint64_t used, uint8_t fill)
{
	struct buf out;
	buf_init(&out, OBJECT_MAX);
	memset(buf_grow(&out, size), fill, size);
	memcpy(out.data, "hsqs", 4);
	out.data[28] = 4;
	out.data[29] = 0;
	for (int i = 0; i < 8; i++)
		out.data[40 + i] = (uint8_t)(used >> (8 * i));
	return out;
}

static void uploaded(const char *arch, struct bytes image)
{
	struct err e = { 0 };
	for (size_t at = 0; at < image.len;) {
		size_t n = image.len - at < 100000 ? image.len - at : 100000;
		struct bytes piece = { image.data + at, n };
		CU_ASSERT_TRUE_FATAL(updates_upload(&c, arch, "alice", (int64_t)at, piece, &e));
		at += n;
	}
}

static bool draft_of(const char *arch, uint64_t version, struct bytes image, int64_t *id, struct err *e)
{
	struct update_draft d = { .arch = arch,
				  .version = version,
				  .source = "root.squashfs",
				  .operator= "alice",
				  .notes_zh = "注",
				  .notes_en = "notes",
				  .now_s = NOW };
	uploaded(arch, image);
	return updates_draft(&c, &d, id, e);
}

static void publish(int64_t id)
{
	struct err e = { 0 };
	CU_ASSERT_TRUE_FATAL(release_submit(&c, id, "alice", false, NOW, &e) &&
			     release_approve(&c, id, "bob", NOW, &e) && release_publish(&c, id, "bob", NOW, &e));
}

static int64_t published(const char *arch, uint64_t version, struct bytes image)
{
	struct err e = { 0 };
	int64_t id = 0;
	bool ok = draft_of(arch, version, image, &id, &e);
	if (!ok)
		printf("\n    %s\n", e.text);
	CU_ASSERT_TRUE_FATAL(ok);
	publish(id);
	return id;
}

/* What the head names for this architecture. */
static struct update in_force(const char *name)
{
	struct head h = { 0 };
	struct file_map map;
	struct update u;
	CU_ASSERT_TRUE_FATAL(release_head_fill(&c, &h, NULL));
	const struct head_entry *n = head_find(&h, name);
	CU_ASSERT_TRUE_FATAL(n != NULL && n->kind == HEAD_DOCUMENT);
	CU_ASSERT_TRUE_FATAL(objects_map(&objects, n->object.hash, &map, NULL));
	CU_ASSERT_TRUE_FATAL(update_parse(map.bytes, &u, NULL));
	file_unmap(&map);
	head_clear(&h);
	return u;
}

static void an_image_goes_from_pieces_to_the_head_by_two_people(void)
{
	struct buf image = image_of(300000, 299000, 5);
	struct file_map map;
	struct err e = { 0 };
	bool known = true;
	int64_t id = 0;
	CU_ASSERT_TRUE_FATAL(draft_of("arm64", 3, buf_bytes(&image), &id, &e));
	uint8_t hash[HASH_LEN];
	sha256(buf_bytes(&image), hash);
	CU_ASSERT_TRUE(release_object_known(&c, hash, &known, NULL));
	CU_ASSERT_FALSE(known); /* no branch may have it before it is in force */
	CU_ASSERT_TRUE(release_submit(&c, id, "carol", false, NOW, &e));
	CU_ASSERT_FALSE(release_approve(&c, id, "alice", NOW, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_TRUE(release_approve(&c, id, "bob", NOW, &e) && release_publish(&c, id, "bob", NOW, &e));
	struct update u = in_force("update-arm64");
	CU_ASSERT_EQUAL(u.version, 3);
	CU_ASSERT_STRING_EQUAL(u.arch, "arm64");
	CU_ASSERT_STRING_EQUAL(u.notes_zh, "注");
	CU_ASSERT_EQUAL(u.object.size, image.len);
	CU_ASSERT_EQUAL(memcmp(u.object.hash, hash, HASH_LEN), 0);
	CU_ASSERT_TRUE(release_object_known(&c, hash, &known, NULL) && known);
	CU_ASSERT_TRUE_FATAL(objects_map(&objects, hash, &map, NULL));
	CU_ASSERT_TRUE(bytes_equal(map.bytes, buf_bytes(&image)));
	file_unmap(&map);
	struct buf list;
	buf_init(&list, OBJECT_LIST_MAX);
	CU_ASSERT_TRUE(objects_chunk(&objects, hash, -1, &list, NULL));
	CU_ASSERT_TRUE(object_list_check(&u.object, buf_bytes(&list), NULL));
	buf_clear(&list);
	update_clear(&u);
	buf_clear(&image);
}

static void what_is_no_whole_squashfs_is_refused(void)
{
	static const struct {
		size_t size;
		uint64_t used;
		const char *magic;
		uint8_t major;
		const char *says;
	} bad[] = {
		{ 5000, 5001, "hsqs", 4, "was cut" },     { 5000, UINT64_MAX, "hsqs", 4, "was cut" },
		{ 5000, 5000, "sqsh", 4, "no squashfs" }, { 5000, 5000, "hsqs", 3, "no squashfs" },
		{ 5000, 0, "hsqs", 4, "uses no bytes" },  { 96, 97, "hsqs", 4, "was cut" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf image = image_of(bad[i].size, bad[i].used, 1);
		struct err e = { 0 };
		int64_t id = 0;
		memcpy(image.data, bad[i].magic, 4);
		image.data[28] = bad[i].major;
		CU_ASSERT_FALSE(draft_of("arm64", 1, buf_bytes(&image), &id, &e));
		CU_ASSERT_EQUAL(e.code, ERR_INPUT);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i].says));
		buf_clear(&image);
	}
	struct buf image = image_of(200, 200, 1);
	for (size_t len = 0; len < 96; len++)
		CU_ASSERT_FALSE(updates_image_check((struct bytes){ image.data, len }, len, NULL));
	CU_ASSERT_TRUE(updates_image_check((struct bytes){ image.data, 96 }, 200, NULL));
	buf_clear(&image);
}

static void a_version_only_rises_and_each_architecture_has_its_own(void)
{
	struct buf image = image_of(70000, 70000, 5), other = image_of(70000, 70000, 6);
	struct err e = { 0 };
	int64_t id = 0;
	published("arm64", 3, buf_bytes(&image));
	CU_ASSERT_FALSE(draft_of("arm64", 3, buf_bytes(&other), &id, &e));
	CU_ASSERT_EQUAL(e.code, ERR_STALE);
	CU_ASSERT_FALSE(draft_of("arm64", 2, buf_bytes(&other), &id, &e));
	CU_ASSERT_FALSE(draft_of("arm64", 0, buf_bytes(&other), &id, &e));
	CU_ASSERT_FALSE(draft_of("arm64", COUNTER_MAX + 1, buf_bytes(&other), &id, &e));
	published("amd64", 1, buf_bytes(&other));
	/* Two drafts of one version: the second is made against what is no longer the newest. */
	int64_t first = 0, second = 0;
	CU_ASSERT_TRUE(draft_of("arm64", 4, buf_bytes(&other), &first, &e));
	CU_ASSERT_TRUE(draft_of("arm64", 4, buf_bytes(&image), &second, &e));
	publish(first);
	CU_ASSERT_FALSE(release_submit(&c, second, "alice", false, NOW, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	/* Back there is no way, and past the image there is none either. */
	CU_ASSERT_FALSE(release_rollback(&c, "update-arm64", 1, "alice", NOW, &id, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_FALSE(document_draft_import(&c, "update-arm64", "", bytes_of("{\"type\":\"update\"}"), "alice", NOW,
					      &id, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	/* The same image under a higher version is how one goes back. */
	published("arm64", 5, buf_bytes(&image));
	struct update u = in_force("update-arm64"), v = in_force("update-amd64");
	CU_ASSERT_EQUAL(u.version, 5);
	CU_ASSERT_EQUAL(v.version, 1);
	update_clear(&u);
	update_clear(&v);
	buf_clear(&image);
	buf_clear(&other);
}

static void an_upload_goes_piece_by_piece(void)
{
	struct bytes piece = bytes_of("0123456789");
	struct err e = { 0 };
	static uint8_t large[UPDATE_PIECE_MAX + 1];
	CU_ASSERT_TRUE(updates_upload(&c, "arm64", "alice", 0, piece, &e));
	CU_ASSERT_TRUE(updates_upload(&c, "arm64", "alice", 10, piece, &e));
	CU_ASSERT_FALSE(updates_upload(&c, "arm64", "alice", 10, piece, &e)); /* again */
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_FALSE(updates_upload(&c, "arm64", "alice", 30, piece, &e)); /* a gap */
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_FALSE(updates_upload(&c, "arm64", "bob", 20, piece, &e)); /* somebody else's */
	CU_ASSERT_FALSE(updates_upload(&c, "mips", "alice", 0, piece, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	CU_ASSERT_FALSE(updates_upload(&c, "arm64", "alice", 20, bytes_of(""), &e));
	CU_ASSERT_FALSE(updates_upload(&c, "arm64", "alice", 20, (struct bytes){ large, sizeof(large) }, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	CU_ASSERT_FALSE(updates_upload(&c, "arm64", "alice", OBJECT_MAX, piece, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	CU_ASSERT_FALSE(updates_upload(&c, "arm64", "alice", -1, piece, &e));
	CU_ASSERT_TRUE(updates_upload(&c, "arm64", "alice", 0, piece, &e)); /* anew */
	CU_ASSERT_TRUE(updates_upload(&c, "arm64", "alice", 10, piece, &e));
	struct update_draft d = { .arch = "amd64", .version = 1, .source = "", .operator= "alice", .now_s = NOW };
	int64_t id = 0;
	CU_ASSERT_FALSE(updates_draft(&c, &d, &id, &e)); /* nothing came for this one */
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
}

static bool is_there(struct bytes image)
{
	uint8_t hash[HASH_LEN];
	struct file_map map;
	sha256(image, hash);
	if (!objects_map(&objects, hash, &map, NULL))
		return false;
	file_unmap(&map);
	return true;
}

static void the_image_in_force_and_those_to_come_are_kept_and_others_swept(void)
{
	struct buf images[4];
	struct err e = { 0 };
	int64_t draft = 0, rejected = 0;
	for (uint8_t i = 0; i < 4; i++)
		images[i] = image_of(70000, 70000, i);
	published("arm64", 1, buf_bytes(&images[0]));
	published("arm64", 2, buf_bytes(&images[1]));
	CU_ASSERT_TRUE(draft_of("arm64", 3, buf_bytes(&images[2]), &draft, &e));
	CU_ASSERT_TRUE(draft_of("arm64", 4, buf_bytes(&images[3]), &rejected, &e));
	CU_ASSERT_TRUE(release_submit(&c, rejected, "alice", false, NOW, &e) &&
		       release_reject(&c, rejected, "bob", NOW, &e));
	CU_ASSERT_TRUE(release_sweep(&c, NOW, &e));
	for (int i = 0; i < 4; i++)
		CU_ASSERT_TRUE(is_there(buf_bytes(&images[i]))); /* not at once: a branch may be at it */
	CU_ASSERT_TRUE(release_sweep(&c, INT32_MAX, &e));
	CU_ASSERT_FALSE(is_there(buf_bytes(&images[0])));
	CU_ASSERT_TRUE(is_there(buf_bytes(&images[1])));
	CU_ASSERT_TRUE(is_there(buf_bytes(&images[2])));
	CU_ASSERT_FALSE(is_there(buf_bytes(&images[3])));
	publish(draft);
	CU_ASSERT_TRUE(release_sweep(&c, INT32_MAX, &e));
	CU_ASSERT_FALSE(is_there(buf_bytes(&images[1])));
	CU_ASSERT_TRUE(is_there(buf_bytes(&images[2])));
	for (int i = 0; i < 4; i++)
		buf_clear(&images[i]);
}

static int64_t count(const char *sql)
{
	int64_t n = 0;
	CU_ASSERT_TRUE(db_run_int(db, &n, NULL, sql, ""));
	return n;
}

static void report(uint64_t version, uint64_t failed, enum update_state state)
{
	static const struct status_vault v = { vault, &random_system };
	struct err e = { 0 };
	struct status s;
	memset(&s, 0, sizeof(s));
	s.journal_first = 1;
	s.update = (struct status_update){ .state = state, .version = version, .wanted = 4, .failed = failed };
	bool ok = branches_status(db, "quay", &s, NULL, &v, NOW, &e);
	if (!ok)
		printf("\n    %s\n", e.text);
	CU_ASSERT_TRUE(ok);
}

static void a_version_that_fell_back_at_a_branch_raises_an_alarm_once(void)
{
	char token[BRANCH_TOKEN_LEN + 1];
	CU_ASSERT_TRUE_FATAL(branches_token_new(db, &random_system, "quay", "alice", NOW, 3600, token, NULL));
	report(3, 0, UPDATE_TRIAL);
	CU_ASSERT_EQUAL(count("SELECT COUNT(*) FROM alarm"), 0);
	CU_ASSERT_EQUAL(count("SELECT version FROM branch_update WHERE branch = 'quay'"), 3);
	report(3, 4, UPDATE_REFUSED);
	report(3, 4, UPDATE_REFUSED);
	CU_ASSERT_EQUAL(count("SELECT times FROM alarm WHERE code = 'update.failed' AND branch = 'quay'"), 1);
	report(3, 5, UPDATE_REFUSED);
	CU_ASSERT_EQUAL(count("SELECT times FROM alarm WHERE code = 'update.failed' AND branch = 'quay'"), 2);
	report(0, 0, UPDATE_NONE);
	CU_ASSERT_EQUAL(count("SELECT COUNT(*) FROM branch_update"), 0);
}

static void an_update_is_proven_as_a_document(void)
{
	struct buf image = image_of(70000, 70000, 5), json;
	struct head h = { 0 };
	struct file_map map;
	published("arm64", 3, buf_bytes(&image));
	CU_ASSERT_TRUE_FATAL(release_head_fill(&c, &h, NULL));
	CU_ASSERT_TRUE_FATAL(objects_map(&objects, h.entries[0].object.hash, &map, NULL));
	CU_ASSERT_TRUE(document_check(map.bytes, "update", NULL));
	CU_ASSERT_FALSE(document_check(map.bytes, "rules", NULL));
	buf_init(&json, DOCUMENT_MAX);
	CU_ASSERT_TRUE(document_to_json(map.bytes, &json, NULL)); /* "release diff" shows it */
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&json), "\"version\": 3"));
	buf_clear(&json);
	file_unmap(&map);
	head_clear(&h);
	buf_clear(&image);
}

static CU_TestInfo tests[] = {
	{ "an image goes from pieces to the head by two people",
	  an_image_goes_from_pieces_to_the_head_by_two_people },
	{ "what is no whole squashfs is refused", what_is_no_whole_squashfs_is_refused },
	{ "a version only rises and each architecture has its own",
	  a_version_only_rises_and_each_architecture_has_its_own },
	{ "an upload goes piece by piece", an_upload_goes_piece_by_piece },
	{ "the image in force and those to come are kept and others swept",
	  the_image_in_force_and_those_to_come_are_kept_and_others_swept },
	{ "a version that fell back at a branch raises an alarm once",
	  a_version_that_fell_back_at_a_branch_raises_an_alarm_once },
	{ "an update is proven as a document", an_update_is_proven_as_a_document },
	CU_TEST_INFO_NULL,
};

SUITE(updates, setup, teardown, tests);
