#include "central/release/list_plan.h"
#include "central/store/store.h"
#include "protocol/delta.h"
#include "protocol/layers.h"
#include "protocol/plan.h"
#include "tests/support/child.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW 1795500000 /* 2026-11-24 */

static struct db *db;
static struct objects objects;
static struct release_context c;
static const uint8_t vault[32] = { 7 };
static char dir[64];

static void open_all(void)
{
	struct err e;
	db = store_open(dir, &e);
	if (db == NULL || !objects_open(&objects, dir, &e))
		abort();
	c = (struct release_context){ db, &objects, vault, &random_system };
}

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%s", test_dir());
	open_all();
}

static void teardown(void)
{
	db_close(db);
}

/* n entries of made-up resident IDs from number first on. */
static void csv_make(struct buf *out, unsigned first, unsigned n, unsigned reason)
{
	static const int weights[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
	buf_init(out, 1 << 24);
	buf_add_str(out, "kind,number,name,reason,until,note\n");
	for (unsigned i = first; i < first + n; i++) {
		char id[24];
		snprintf(id, sizeof(id), "330802%04u%02u%02u%03u", 1950 + i / 300000, 1 + i / 25000 % 12,
			 1 + i / 1000 % 25, i % 1000);
		int sum = 0;
		for (int k = 0; k < 17; k++)
			sum += (id[k] - '0') * weights[k];
		buf_add_fmt(out, "resident_id,%s%c,,%u,,\n", id, "10X98765432"[sum % 11], reason);
	}
}

static int64_t draft(const char *list, enum draft_mode mode, unsigned first, unsigned n)
{
	struct list_draft d = { .name = list,
				.source = "test.csv",
				.operator= "alice",
				.format = IMPORT_AUTO,
				.mode = mode,
				.reason = 1,
				.now_s = NOW };
	struct buf csv;
	struct err e = { 0 };
	int64_t id = 0;
	csv_make(&csv, first, n, 1);
	CU_ASSERT_TRUE_FATAL(list_draft_import(&c, &d, buf_bytes(&csv), &id, &e));
	buf_clear(&csv);
	return id;
}

static void publish(int64_t id, bool force)
{
	struct err e = { 0 };
	bool ok = release_submit(&c, id, "alice", force, NOW, &e) && release_approve(&c, id, "bob", NOW, &e) &&
		  release_publish(&c, id, "bob", NOW, &e);
	if (!ok)
		printf("\n    %s\n", e.text);
	CU_ASSERT_TRUE_FATAL(ok);
}

static const struct head_entry *current(struct head *h, const char *name)
{
	struct err e;
	CU_ASSERT_TRUE_FATAL(release_head_fill(&c, h, &e));
	const struct head_entry *n = head_find(h, name);
	CU_ASSERT_PTR_NOT_NULL_FATAL(n);
	return n;
}

static struct segment map_segment(const uint8_t *hash, struct file_map *map)
{
	struct segment s;
	struct err e;
	if (!objects_map(&objects, hash, map, &e) || !segment_open(map->bytes, &s, &e) || !segment_check(&s, &e))
		abort();
	return s;
}

static void a_list_goes_from_file_to_head_by_two_people(void)
{
	struct err e;
	struct release r;
	int64_t id = draft("black", DRAFT_REPLACE, 0, 1000);
	CU_ASSERT_TRUE(release_load(&c, id, &r, &e));
	CU_ASSERT_EQUAL(r.import.entries, 1000);
	CU_ASSERT_EQUAL(r.count, 1001);
	CU_ASSERT_FALSE(release_approve(&c, id, "bob", NOW, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_TRUE(release_submit(&c, id, "carol", false, NOW, &e));
	CU_ASSERT_FALSE(release_approve(&c, id, "alice", NOW, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_FALSE(release_approve(&c, id, "carol", NOW, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_FALSE(release_publish(&c, id, "bob", NOW, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_TRUE(release_approve(&c, id, "bob", NOW, &e));
	CU_ASSERT_TRUE(release_publish(&c, id, "alice", NOW, &e));
	CU_ASSERT_FALSE(release_publish(&c, id, "alice", NOW, &e));

	struct head h = { .sequence = 1 };
	const struct head_entry *n = current(&h, "black");
	CU_ASSERT_EQUAL(n->version, 1);
	CU_ASSERT_EQUAL(n->count, 1001);
	struct file_map map;
	struct segment s = map_segment(n->object.hash, &map);
	uint32_t value;
	CU_ASSERT_TRUE(segment_find(&s, n->canary_hit, &value));
	CU_ASSERT_FALSE(segment_find(&s, n->canary_miss, &value));
	struct fingerprint f = { { 0, 0 } };
	uint8_t wire[FINGERPRINT_BYTES];
	fingerprint_apply(&f, &s);
	fingerprint_encode(&f, wire);
	CU_ASSERT_EQUAL(memcmp(wire, n->fingerprint, sizeof(wire)), 0);
	file_unmap(&map);
	bool known = false;
	CU_ASSERT_TRUE(release_object_known(&c, n->index.hash, &known, &e) && known);
	CU_ASSERT_TRUE(release_object_known(&c, vault, &known, &e) && !known);
	head_clear(&h);
}

static void the_database_itself_refuses_that_one_person_does_both(void)
{
	struct err e;
	int64_t id = draft("black", DRAFT_REPLACE, 0, 200);
	CU_ASSERT_TRUE(release_submit(&c, id, "alice", false, NOW, &e));
	CU_ASSERT_TRUE(db_begin(db, &e));
	CU_ASSERT_FALSE(db_run(db, &e, "UPDATE release SET state = 3, decided_by = 'alice' WHERE id = ?", "i", id));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_FALSE(db_run(db, &e, "UPDATE release SET state = 4 WHERE id = ?", "i", id));
	db_rollback(db);
}

static void an_implausible_change_needs_force_and_says_so_in_the_head(void)
{
	struct err e;
	struct head h = { 0 };
	publish(draft("black", DRAFT_REPLACE, 0, 10000), false);
	int64_t shrunk = draft("black", DRAFT_REPLACE, 0, 9700);
	CU_ASSERT_FALSE(release_submit(&c, shrunk, "alice", false, NOW, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "shrink"));
	CU_ASSERT_FALSE(release_submit(&c, draft("black", DRAFT_ADD, 20000, 600), "alice", false, NOW, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "change"));
	CU_ASSERT_EQUAL(current(&h, "black")->forced_version, 0);
	head_clear(&h);
	publish(shrunk, true);
	CU_ASSERT_EQUAL(current(&h, "black")->forced_version, 2);
	head_clear(&h);
	publish(draft("black", DRAFT_ADD, 30000, 300), false);
	CU_ASSERT_EQUAL(current(&h, "black")->forced_version, 2);
	head_clear(&h);
}

static void an_empty_source_imports_nothing(void)
{
	struct list_draft d = {
		.name = "black", .source = "x", .operator= "alice", .mode = DRAFT_REPLACE, .reason = 1, .now_s = NOW
	};
	struct err e;
	int64_t id = 0;
	CU_ASSERT_FALSE(list_draft_import(&c, &d, bytes_of("kind,number,name,reason,until,note\n"), &id, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	CU_ASSERT_FALSE(list_draft_import(&c, &d, bytes_of(""), &id, &e));
	CU_ASSERT_FALSE(list_draft_import(
		&c, &d, bytes_of("kind,number,name,reason,until,note\nresident_id,123,,1,,\n"), &id, &e));
	int64_t rows = -1;
	CU_ASSERT_TRUE(db_run_int(db, &rows, &e, "SELECT COUNT(*) FROM release", ""));
	CU_ASSERT_EQUAL(rows, 0);
}

static void a_draft_is_stale_once_the_list_has_moved_on(void)
{
	struct err e;
	publish(draft("black", DRAFT_REPLACE, 0, 5000), false);
	int64_t first = draft("black", DRAFT_ADD, 5000, 50), second = draft("black", DRAFT_ADD, 6000, 50);
	CU_ASSERT_TRUE(release_submit(&c, second, "alice", false, NOW, &e) &&
		       release_approve(&c, second, "bob", NOW, &e));
	publish(first, false);
	CU_ASSERT_FALSE(release_publish(&c, second, "bob", NOW, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "import it again"));
}

static void modes_add_and_remove_leave_the_rest_alone(void)
{
	struct release r;
	struct err e;
	publish(draft("black", DRAFT_REPLACE, 0, 3000), false);
	int64_t id = draft("black", DRAFT_ADD, 2990, 30);
	CU_ASSERT_TRUE(release_load(&c, id, &r, &e));
	CU_ASSERT_EQUAL(r.added, 20);
	CU_ASSERT_EQUAL(r.count, 3021);
	publish(id, false);
	id = draft("black", DRAFT_REMOVE, 3010, 100);
	CU_ASSERT_TRUE(release_load(&c, id, &r, &e));
	CU_ASSERT_EQUAL(r.removed, 10);
	CU_ASSERT_EQUAL(r.count, 3011);
}

static void a_rollback_is_a_new_version_with_the_old_content(void)
{
	struct err e;
	struct head h = { 0 };
	int64_t id = 0;
	publish(draft("black", DRAFT_REPLACE, 0, 4000), false);
	publish(draft("black", DRAFT_ADD, 4000, 100), false);
	CU_ASSERT_TRUE(release_rollback(&c, "black", 1, "alice", NOW, &id, &e));
	publish(id, true);
	const struct head_entry *n = current(&h, "black");
	CU_ASSERT_EQUAL(n->version, 3);
	CU_ASSERT_EQUAL(n->count, 4001);
	head_clear(&h);
	CU_ASSERT_FALSE(release_rollback(&c, "black", 9, "alice", NOW, &id, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
}

struct seen {
	unsigned added, removed, changed, shown;
};
static void change_count(void *arg, const struct release_change *v)
{
	struct seen *s = arg;
	s->added += v->kind == CHANGE_ADDED;
	s->removed += v->kind == CHANGE_REMOVED;
	s->changed += v->kind == CHANGE_CHANGED;
	s->shown += v->shown[0] != '\0' && strstr(v->shown, "****") != NULL;
}

static void the_diff_tells_what_would_change_masked(void)
{
	struct err e;
	struct seen s = { 0 };
	publish(draft("black", DRAFT_REPLACE, 0, 5000), false);
	struct list_draft d = { .name = "black", .source = "x", .operator= "alice", .mode = DRAFT_ADD, .now_s = NOW };
	struct buf csv;
	int64_t id = 0;
	csv_make(&csv, 4990, 20, 2);
	CU_ASSERT_TRUE(list_draft_import(&c, &d, buf_bytes(&csv), &id, &e));
	buf_clear(&csv);
	CU_ASSERT_TRUE(release_diff(&c, id, 1000, change_count, &s, &e));
	CU_ASSERT_TRUE(s.added == 10 && s.changed == 10 && s.removed == 0 && s.shown == 20);
	s = (struct seen){ 0 };
	CU_ASSERT_TRUE(release_diff(&c, draft("black", DRAFT_REMOVE, 0, 7), 1000, change_count, &s, &e));
	CU_ASSERT_TRUE(s.removed == 7 && s.shown == 7);
}

static void rejected_rows_come_back_with_their_reason(void)
{
	struct list_draft d = {
		.name = "black", .source = "x", .operator= "alice", .mode = DRAFT_REPLACE, .reason = 1, .now_s = NOW
	};
	struct err e;
	struct buf out;
	int64_t id = 0;
	const char *csv = "kind,number,name,reason,until,note\nresident_id,11010519491231002X,,1,,\nresident_id,"
			  "110105194912310021,,1,,\"a \"\"b\"\"\"\n";
	CU_ASSERT_TRUE(list_draft_import(&c, &d, bytes_of(csv), &id, &e));
	buf_init(&out, 100000);
	CU_ASSERT_TRUE(release_rejects_csv(&c, id, &out, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "3,2,"));
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "110105194912310021"));
	buf_clear(&out);
}

static int64_t count_of(const char *table)
{
	char sql[64];
	int64_t n = -1;
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
	CU_ASSERT_TRUE(db_run_int(db, &n, NULL, sql, ""));
	return n;
}

static void none(void *arg, const struct release *r)
{
	(void)r;
	++*(unsigned *)arg;
}

static unsigned drafts_seen(void)
{
	unsigned n = 0;
	CU_ASSERT_TRUE(release_each(&c, "", 100, none, &n, NULL));
	return n;
}

/* A file with so many rows that are no good, planned and built, and the first transaction of its rows stored. */
static struct list_plan *begun(struct buf *built, unsigned bad, bool *done)
{
	struct list_draft d = {
		.name = "black", .source = "x", .operator= "alice", .mode = DRAFT_REPLACE, .reason = 1, .now_s = NOW
	};
	struct buf csv;
	struct err e = { 0 };
	csv_make(&csv, 0, 500, 1);
	for (unsigned i = 0; i < bad; i++)
		buf_add_fmt(&csv, "resident_id,%u,,1,,\n", i);
	struct list_plan *p = list_plan_import(&c, &d, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	buf_init(built, LIST_BUILT_MAX);
	CU_ASSERT_TRUE_FATAL(list_plan_build(p, buf_bytes(&csv), built, &e));
	buf_clear(&csv);
	CU_ASSERT_TRUE_FATAL(list_plan_store(p, buf_bytes(built), done, &e));
	return p;
}

static void a_draft_with_many_rejected_rows_is_seen_once_it_is_whole(void)
{
	struct buf built;
	struct release r;
	struct err e = { 0 };
	bool done = true;
	unsigned steps = 1;
	struct list_plan *p = begun(&built, 3 * LIST_STORE_ROWS, &done);
	CU_ASSERT_FALSE(done);
	CU_ASSERT_EQUAL(drafts_seen(), 0);
	CU_ASSERT_FALSE(release_load(&c, list_plan_id(p), &r, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_EQUAL(count_of("audit"), 0);
	for (; !done; steps++)
		CU_ASSERT_TRUE_FATAL(list_plan_store(p, buf_bytes(&built), &done, &e));
	CU_ASSERT_EQUAL(steps, 4); /* the rows shown are a transaction of their own */
	CU_ASSERT_EQUAL(drafts_seen(), 1);
	CU_ASSERT_TRUE(release_load(&c, list_plan_id(p), &r, &e) && r.import.rejects == 3 * LIST_STORE_ROWS);
	CU_ASSERT_EQUAL(count_of("reject"), 3 * LIST_STORE_ROWS);
	CU_ASSERT_EQUAL(count_of("audit"), 1);
	CU_ASSERT_TRUE(release_unfinished_drop(&c, &e));
	CU_ASSERT_EQUAL(count_of("reject"), 3 * LIST_STORE_ROWS);
	publish(list_plan_id(p), false);
	list_plan_free(p);
	buf_clear(&built);
}

static void a_draft_that_a_crash_left_unfinished_is_gone_at_the_next_start(void)
{
	struct buf built;
	struct err e = { 0 };
	char aside[128];
	bool done = true;
	list_plan_free(begun(&built, 2 * LIST_STORE_ROWS, &done));
	buf_clear(&built);
	CU_ASSERT_FALSE(done);
	CU_ASSERT_TRUE(count_of("reject") > 0);
	snprintf(aside, sizeof(aside), "%s/objects/draft-77.tmp", dir);
	CU_ASSERT_TRUE(file_write(aside, bytes_of("half"), 0600, &e));
	CU_ASSERT_TRUE(release_unfinished_drop(&c, &e));
	CU_ASSERT_EQUAL(count_of("release"), 0);
	CU_ASSERT_EQUAL(count_of("reject"), 0);
	CU_ASSERT_NOT_EQUAL(access(aside, F_OK), 0);
	draft("black", DRAFT_REPLACE, 0, 500);
	CU_ASSERT_EQUAL(drafts_seen(), 1);
}

static void joins_made_before_the_list_moved_on_are_not_published(void)
{
	struct list_joins j;
	struct err e = { 0 };
	publish(draft("black", DRAFT_REPLACE, 0, 5000), false);
	int64_t first = draft("black", DRAFT_ADD, 5000, 50), second = draft("black", DRAFT_ADD, 6000, 50);
	CU_ASSERT_TRUE(release_submit(&c, second, "alice", false, NOW, &e) &&
		       release_approve(&c, second, "bob", NOW, &e));
	CU_ASSERT_TRUE(list_joins_plan(&c, second, &j, &e) && list_joins_make(&objects, &j, &e));
	publish(first, false);
	CU_ASSERT_FALSE(release_publish_joined(&c, second, &j, "bob", NOW, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_FALSE(list_joins_plan(&c, second, &j, &e));
}

/* Plays a branch: from the version it has by the index's deltas to the newest; the bytes must be the snapshot's. */
static void catch_up(const char *name, uint64_t have, const uint8_t have_hash[HASH_LEN])
{
	struct head h = { 0 };
	struct list_index x;
	struct file_map map, base_map;
	struct err e = { 0 };
	const struct head_entry *n = current(&h, name);
	CU_ASSERT_TRUE_FATAL(objects_map(&objects, n->index.hash, &map, &e));
	CU_ASSERT_TRUE_FATAL(list_index_decode(map.bytes, &x, &e));
	struct plan_edge *edges = calloc(x.edges_len + 1, sizeof(*edges));
	if (edges == NULL)
		abort();
	for (size_t i = 0; i < x.edges_len; i++)
		edges[i] = (struct plan_edge){ x.edges[i].from, x.edges[i].to, x.edges[i].object.size };
	struct plan p = plan_choose(edges, x.edges_len, have, n->version, UINT64_MAX);
	CU_ASSERT_EQUAL_FATAL(p.kind, PLAN_DELTAS);
	struct segment base = map_segment(have_hash, &base_map);
	struct layers l;
	struct file_map maps[PLAN_HOPS_MAX];
	CU_ASSERT_TRUE(layers_init(&l, &base, &e));
	for (size_t i = 0; i < p.edges_len; i++) {
		struct segment d = map_segment(x.edges[p.edges[i]].object.hash, &maps[i]);
		CU_ASSERT_TRUE(layers_check_delta(&l, &d, &e));
		CU_ASSERT_TRUE(layers_push(&l, &d, &e));
	}
	CU_ASSERT_EQUAL(layers_count(&l), n->count);
	struct fingerprint f;
	uint8_t wire[FINGERPRINT_BYTES];
	layers_fingerprint(&l, &f);
	fingerprint_encode(&f, wire);
	CU_ASSERT_EQUAL(memcmp(wire, n->fingerprint, sizeof(wire)), 0);
	for (size_t i = 0; i < p.edges_len; i++)
		file_unmap(&maps[i]);
	file_unmap(&base_map);
	file_unmap(&map);
	list_index_clear(&x);
	free(edges);
	head_clear(&h);
}

static void a_branch_any_number_of_versions_behind_catches_up_by_deltas(void)
{
	struct head h = { 0 };
	publish(draft("black", DRAFT_REPLACE, 0, 2000), false);
	uint8_t first[HASH_LEN];
	memcpy(first, current(&h, "black")->object.hash, HASH_LEN);
	head_clear(&h);
	for (unsigned i = 1; i <= 15; i++) {
		publish(draft("black", i % 3 == 0 ? DRAFT_REMOVE : DRAFT_ADD,
			      i % 3 == 0 ? 2000 + i * 10 - 10 : 2000 + i * 10, 10),
			false);
		if (i == 4 || i == 7 || i == 15)
			catch_up("black", 1, first);
	}
}

/* The first of the kinds that the number is valid as; foreign_id otherwise. */
static bool proves_to_be(char *kinds, const char *number, struct identifier *id)
{
	for (char *state = NULL, *one = strtok_r(kinds, ",", &state); one != NULL;
	     one = strtok_r(NULL, ",", &state)) {
		enum identifier_kind kind = 0;
		if (identifier_kind_of(one, &kind) &&
		    identifier_parse(kind, number, strlen(number), 0, id, NULL, NULL))
			return true;
	}
	return identifier_parse(IDENTIFIER_FOREIGN_ID, number, strlen(number), 0, id, NULL, NULL);
}

static void ofac_publish(const char *path, bool force)
{
	struct list_draft d = { .name = "sanctions",
				.source = "SDN.CSV",
				.operator= "alice",
				.format = IMPORT_AUTO,
				.mode = DRAFT_REPLACE,
				.reason = 1,
				.now_s = NOW };
	struct buf file;
	struct err e = { 0 };
	int64_t id = 0;
	buf_init(&file, 1 << 26);
	CU_ASSERT_TRUE_FATAL(file_read(path, &file, &e));
	CU_ASSERT_TRUE_FATAL(list_draft_import(&c, &d, buf_bytes(&file), &id, &e));
	buf_clear(&file);
	publish(id, force);
}

/* The numbers that another program finds in the published file are hit, and those that only the former one had are not. */
static void ofac_compare(const char *former, const char *published, unsigned *listed, unsigned *dropped)
{
	struct err e = { 0 };
	struct head h = { 0 };
	struct file_map map;
	const struct head_entry *n = current(&h, "sanctions");
	struct segment s = map_segment(n->object.hash, &map);
	struct tag_key key;
	uint8_t secret[32];
	uint32_t iterations = 0;
	struct buf out;
	CU_ASSERT_TRUE_FATAL(release_epoch_load(&c, n->epoch, &iterations, secret, &e));
	tag_key_init(&key, n->epoch, iterations, secret);
	buf_init(&out, 1 << 24);
	CU_ASSERT_EQUAL_FATAL(
		child_run_words(&out, "/usr/bin/python3 tests/tools/ofac_expected.py %s %s", former, published), 0);
	*listed = *dropped = 0;
	for (const char *at = buf_str(&out), *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		char line[300], what[16], kinds[64], number[200];
		struct identifier id;
		uint32_t value = 0;
		snprintf(line, sizeof(line), "%.*s", (int)(end - at), at);
		if (sscanf(line, "%15s %63s %199[^\n]", what, kinds, number) != 3 ||
		    !proves_to_be(kinds, number, &id))
			continue; /* not valid under our rules: the import rejects it, too */
		bool want = strcmp(what, "newer") == 0;
		if (segment_find(&s, tag_of(&key, &id), &value) != want) {
			printf("\n    %s", line);
			CU_FAIL("a number is not as the file says");
		}
		*listed += want;
		*dropped += !want;
	}
	tag_key_wipe(&key);
	buf_clear(&out);
	file_unmap(&map);
	head_clear(&h);
}

/* The newer publication drops no Chinese number of the older one, so the way back is tried as well. */
static void two_real_publications_end_on_the_newer_one(void)
{
	char older[512], newer[512];
	const char *path = test_vectors("ofac/sdn-older.csv");
	struct head h = { 0 };
	uint8_t first[HASH_LEN];
	unsigned listed = 0, dropped = 0;
	if (path == NULL)
		return;
	snprintf(older, sizeof(older), "%s", path);
	path = test_vectors("ofac/sdn-newer.csv");
	if (path == NULL)
		return;
	snprintf(newer, sizeof(newer), "%s", path);
	ofac_publish(older, false);
	memcpy(first, current(&h, "sanctions")->object.hash, HASH_LEN);
	head_clear(&h);
	ofac_publish(newer, true);
	catch_up("sanctions", 1, first);
	ofac_compare(older, newer, &listed, &dropped);
	CU_ASSERT_TRUE(listed > 100);
	ofac_publish(older, true);
	ofac_compare(newer, older, &listed, &dropped);
	CU_ASSERT_TRUE(listed > 40 && dropped > 50);
}

static unsigned object_files(void)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	CU_ASSERT_EQUAL(child_run_words(&out, "ls %s/objects", dir), 0);
	unsigned lines = 0;
	for (const char *at = buf_str(&out); (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	buf_clear(&out);
	return lines;
}

static void what_nothing_names_any_more_is_swept_and_the_rest_stays(void)
{
	struct err e = { 0 };
	int64_t id = 0;
	uint8_t first[HASH_LEN];
	struct head h = { 0 };
	publish(draft("black", DRAFT_REPLACE, 0, 3000), false);
	for (unsigned i = 0; i < 24; i++) {
		if (i == 10)
			memcpy(first, current(&h, "black")->object.hash, HASH_LEN);
		head_clear(&h);
		draft("black", DRAFT_ADD, 9000 + i, 1); /* never submitted */
		publish(draft("black", DRAFT_ADD, 3000 + i, 1), false);
	}
	int64_t waiting = draft("black", DRAFT_ADD, 5000, 5);
	unsigned before = object_files();
	CU_ASSERT_TRUE(release_sweep(&c, 0, &e)); /* all is younger than the grace */
	CU_ASSERT_EQUAL(object_files(), before);
	CU_ASSERT_TRUE(release_sweep(&c, INT32_MAX, &e));
	/* 17 contents, the deltas of 25 versions, one index, and each its chunk list. */
	CU_ASSERT_TRUE(object_files() < before && object_files() <= 2 * (17 + 2 * 25 + 1 + 1));
	CU_ASSERT_FALSE(release_rollback(&c, "black", 2, "alice", NOW, &id, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_TRUE(release_rollback(&c, "black", 12, "alice", NOW, &id, &e));
	catch_up("black", 11, first);
	publish(waiting, false);
}

static void a_crash_while_publishing_leaves_the_old_or_the_new_version(void)
{
	struct head h = { 0 };
	struct err e;
	publish(draft("black", DRAFT_REPLACE, 0, 20000), false);
	for (unsigned i = 0; i < 20; i++) {
		uint64_t before = current(&h, "black")->version;
		head_clear(&h);
		int64_t id = draft("black", DRAFT_ADD, 20000 + i * 10, 10);
		CU_ASSERT_TRUE(release_submit(&c, id, "alice", false, NOW, &e) &&
			       release_approve(&c, id, "bob", NOW, &e));
		db_close(db);
		pid_t pid = fork();
		if (pid == 0) {
			open_all();
			_exit(!release_publish(&c, id, "bob", NOW, &e));
		}
		usleep(i * 700);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		open_all();
		const struct head_entry *n = current(&h, "black");
		CU_ASSERT_TRUE(n->version == before || n->version == before + 1);
		struct file_map map;
		struct segment s = map_segment(n->object.hash, &map);
		CU_ASSERT_EQUAL(s.head.version, n->version);
		file_unmap(&map);
		bool published = n->version == before + 1;
		head_clear(&h);
		if (!published)
			CU_ASSERT_TRUE(release_publish(&c, id, "bob", NOW, &e));
	}
}

static CU_TestInfo tests[] = {
	{ "a list goes from file to head by two people", a_list_goes_from_file_to_head_by_two_people },
	{ "the database itself refuses that one person does both",
	  the_database_itself_refuses_that_one_person_does_both },
	{ "an implausible change needs force and says so in the head",
	  an_implausible_change_needs_force_and_says_so_in_the_head },
	{ "an empty source imports nothing", an_empty_source_imports_nothing },
	{ "a draft is stale once the list has moved on", a_draft_is_stale_once_the_list_has_moved_on },
	{ "modes add and remove leave the rest alone", modes_add_and_remove_leave_the_rest_alone },
	{ "a rollback is a new version with the old content", a_rollback_is_a_new_version_with_the_old_content },
	{ "the diff tells what would change, masked", the_diff_tells_what_would_change_masked },
	{ "rejected rows come back with their reason", rejected_rows_come_back_with_their_reason },
	{ "a branch any number of versions behind catches up by deltas",
	  a_branch_any_number_of_versions_behind_catches_up_by_deltas },
	{ "two real publications end on the newer one", two_real_publications_end_on_the_newer_one },
	{ "a draft with many rejected rows is seen once it is whole",
	  a_draft_with_many_rejected_rows_is_seen_once_it_is_whole },
	{ "a draft that a crash left unfinished is gone at the next start",
	  a_draft_that_a_crash_left_unfinished_is_gone_at_the_next_start },
	{ "joins made before the list moved on are not published",
	  joins_made_before_the_list_moved_on_are_not_published },
	{ "what nothing names any more is swept and the rest stays",
	  what_nothing_names_any_more_is_swept_and_the_rest_stays },
	{ "a crash while publishing leaves the old or the new version",
	  a_crash_while_publishing_leaves_the_old_or_the_new_version },
	CU_TEST_INFO_NULL,
};
SUITE(release, setup, teardown, tests);
