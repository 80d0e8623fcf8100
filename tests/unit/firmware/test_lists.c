#include "firmware/lists.h"
#include "firmware/state.h"
#include "protocol/base/file.h"
#include "tests/support/child.h"
#include "tests/support/publisher.h"
#include "tests/test.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct branch {
	const char *dir;
	struct db *db;
	struct loop *loop;
	struct lists *lists;
	char fetched[200];
};
static struct vault vault; /* of the branch in hand */

static void open_lists(struct branch *b)
{
	b->db = state_open(b->dir, NULL);
	if (b->db == NULL)
		abort();
	if (!vault_open(&vault, b->dir, &random_system, NULL))
		abort();
	b->loop = loop_new();
	b->lists = lists_open(b->db, &vault, b->dir, b->loop, NULL);
	if (b->lists == NULL)
		abort();
}

static void shut(struct branch *b)
{
	lists_close(b->lists);
	loop_free(b->loop);
	db_close(b->db);
}

static void again(struct branch *b)
{
	shut(b);
	open_lists(b);
}

static struct branch fresh(const struct publisher *p)
{
	struct branch b = { .dir = test_dir() };
	open_lists(&b);
	snprintf(b.fetched, sizeof(b.fetched), "%s/fetched", b.dir);
	CU_ASSERT_TRUE_FATAL(lists_add_epoch(b.lists, p->epoch, 1, p->secret, NULL));
	return b;
}

static struct publisher published(size_t len, size_t editions, size_t change)
{
	struct publisher p;
	struct set first = set_new(len, 1);
	publisher_init(&p, "black-sample", 3);
	publisher_release(&p, &first);
	for (size_t i = 1; i < editions; i++)
		publisher_change(&p, change, 100 + i);
	set_free(&first);
	return p;
}

struct applied {
	bool done;
	struct err err;
};

static void applied_take(void *arg, const struct err *e)
{
	struct applied *o = arg;
	o->done = true;
	o->err = *e;
}

/* The fetched file lies there; waits for a child where there is one. */
static struct err apply_file(struct branch *b, const struct head_entry *entry, const struct index_edge *edge)
{
	struct applied o = { false, { 0 } };
	struct lists_step step = {
		.entry = entry, .edge = edge, .issued_s = 1000, .path = b->fetched, .done = applied_take, .arg = &o
	};
	for (int i = 0; i < 1000 && !lists_ready(b->lists, entry->name); i++)
		loop_once(b->loop, 10);
	lists_apply(b->lists, &step);
	for (int i = 0; i < 1000 && !o.done; i++)
		loop_once(b->loop, 10);
	CU_ASSERT_TRUE(o.done);
	return o.err;
}

static struct err apply_snapshot(struct branch *b, const struct publisher *p, uint64_t version)
{
	const struct head_entry *entry = publisher_entry(p, version);
	publisher_write(p, entry->object.hash, b->fetched);
	return apply_file(b, entry, NULL);
}

static struct err apply_delta(struct branch *b, const struct publisher *p, uint64_t from, uint64_t to)
{
	const struct index_edge *edge = publisher_edge(p, to, from, to);
	CU_ASSERT_PTR_NOT_NULL_FATAL(edge);
	publisher_write(p, edge->object.hash, b->fetched);
	return apply_file(b, publisher_entry(p, to), edge);
}

static bool head(struct branch *b, const struct head_entry *entry, int64_t issued_s)
{
	return db_begin(b->db, NULL) && lists_head(b->lists, entry, issued_s, NULL) && db_commit(b->db, NULL);
}

static struct list_info info(const struct branch *b)
{
	struct list_info all[LISTS_MAX];
	memset(all, 0, sizeof(all[0]));
	lists_info(b->lists, all);
	return all[0];
}

static bool proven(void *arg)
{
	static const uint8_t none[HASH_LEN];
	struct branch *b = arg;
	loop_once(b->loop, 5);
	return memcmp(info(b).hash, none, HASH_LEN) != 0;
}

static bool compacted(void *arg)
{
	struct branch *b = arg;
	loop_once(b->loop, 5);
	return info(b).layers == 0;
}

static bool faulted(void *arg)
{
	struct branch *b = arg;
	loop_once(b->loop, 5);
	return info(b).fault[0] != 0;
}

/* The branch answers for just this edition's content. */
static bool answers(const struct branch *b, const struct publisher *p, uint64_t version)
{
	const struct set *set = &p->editions[version - 1].set;
	const struct check_source *s = lists_source(b->lists);
	struct check_list state;
	uint32_t value;
	uint64_t seed = 77;
	if (s->list(s->arg, p->name, &state) != LOOKUP_NOT_LISTED || state.version != version || state.key == NULL)
		return false;
	for (size_t i = 0; i < set->len; i++)
		if (s->find(s->arg, p->name, set->entries[i].tag, &value) != LOOKUP_HIT ||
		    value != set->entries[i].value)
			return false;
	for (size_t e = 0; e < p->editions_len; e++)
		for (size_t i = 0; i < p->editions[e].set.len; i++) {
			uint64_t tag = p->editions[e].set.entries[i].tag;
			bool listed = set_find(set, tag) != UINT32_MAX;
			if (s->find(s->arg, p->name, tag, &value) != (listed ? LOOKUP_HIT : LOOKUP_NOT_LISTED))
				return false;
		}
	for (int i = 0; i < 1000; i++)
		if (s->find(s->arg, p->name, set_random(&seed), &value) != LOOKUP_NOT_LISTED)
			return false;
	return true;
}

static size_t files(const struct branch *b)
{
	char path[300];
	size_t n = 0;
	snprintf(path, sizeof(path), "%s/lists", b->dir);
	DIR *d = opendir(path);
	if (d == NULL)
		abort();
	// cppcheck-suppress readdirCalled ; there are no threads
	for (const struct dirent *f = readdir(d); f != NULL; f = readdir(d))
		if (f->d_name[0] != '.')
			n++;
	closedir(d);
	return n;
}

/* Changes the file of a hash in place: a bit, or its length. */
static void bend(const struct branch *b, const uint8_t hash[HASH_LEN], long at, bool truncate_it)
{
	char path[300], hex[2 * HASH_LEN + 1];
	hex_encode(hash, HASH_LEN, hex);
	snprintf(path, sizeof(path), "%s/lists/%s", b->dir, hex);
	if (truncate_it) {
		CU_ASSERT_EQUAL(truncate(path, at), 0);
		return;
	}
	FILE *f = fopen(path, "r+b");
	if (f == NULL)
		abort();
	fseek(f, at, SEEK_SET);
	int c = fgetc(f);
	fseek(f, at, SEEK_SET);
	fputc(c ^ 1, f);
	fclose(f);
}

static void a_snapshot_answers_exactly_its_content_also_after_reopening(void)
{
	struct publisher p = published(3000, 1, 0);
	struct branch b = fresh(&p);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	CU_ASSERT_TRUE(answers(&b, &p, 1));
	CU_ASSERT_EQUAL(memcmp(info(&b).hash, publisher_entry(&p, 1)->object.hash, HASH_LEN), 0);
	CU_ASSERT_EQUAL(info(&b).confirmed_s, 1000);
	CU_ASSERT_EQUAL(info(&b).count, 3001);
	CU_ASSERT_NOT_EQUAL(access(b.fetched, F_OK), 0); /* taken over, not copied */
	again(&b);
	CU_ASSERT_TRUE(answers(&b, &p, 1));
	CU_ASSERT_EQUAL(info(&b).confirmed_s, 1000);
	shut(&b);
	publisher_clear(&p);
}

static void a_list_that_is_not_held_is_not_covered(void)
{
	struct publisher p = published(10, 1, 0);
	struct branch b = fresh(&p);
	const struct check_source *s = lists_source(b.lists);
	struct check_list state;
	CU_ASSERT_EQUAL(s->list(s->arg, "other", &state), LOOKUP_NOT_COVERED);
	CU_ASSERT_TRUE(head(&b, publisher_entry(&p, 1), 50)); /* named by the head, not fetched yet */
	CU_ASSERT_EQUAL(s->list(s->arg, p.name, &state), LOOKUP_NOT_COVERED);
	CU_ASSERT_EQUAL(info(&b).confirmed_s, -1);
	shut(&b);
	publisher_clear(&p);
}

static void deltas_lead_to_a_content_that_is_then_proven_by_hash(void)
{
	struct publisher p = published(3000, 5, 30);
	struct branch b = fresh(&p);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	for (uint64_t v = 1; v < 5; v++) {
		CU_ASSERT_EQUAL(apply_delta(&b, &p, v, v + 1).code, ERR_NONE);
		CU_ASSERT_TRUE(answers(&b, &p, v + 1));
	}
	again(&b);
	CU_ASSERT_TRUE(answers(&b, &p, 5));
	CU_ASSERT_EQUAL(info(&b).layers, 4);
	CU_ASSERT_TRUE(head(&b, publisher_entry(&p, 5), 2000));
	CU_ASSERT_TRUE(wait_until(proven, &b, 5000));
	CU_ASSERT_EQUAL(memcmp(info(&b).hash, publisher_entry(&p, 5)->object.hash, HASH_LEN), 0);
	CU_ASSERT_EQUAL(info(&b).layers, 4);
	again(&b);
	CU_ASSERT_EQUAL(memcmp(info(&b).hash, publisher_entry(&p, 5)->object.hash, HASH_LEN), 0);
	shut(&b);
	publisher_clear(&p);
}

static void many_deltas_are_compacted_to_centrals_snapshot_byte_for_byte(void)
{
	struct publisher p = published(2000, 30, 10);
	struct branch b = fresh(&p);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	for (uint64_t v = 1; v < 30; v++)
		CU_ASSERT_EQUAL(apply_delta(&b, &p, v, v + 1).code, ERR_NONE);
	CU_ASSERT_TRUE(answers(&b, &p, 30));
	while (info(&b).layers >= LIST_LAYERS_MAX / 2)
		CU_ASSERT_TRUE_FATAL(wait_until(compacted, &b, 5000));
	CU_ASSERT_TRUE(head(&b, publisher_entry(&p, 30), 2000));
	CU_ASSERT_TRUE(wait_until(proven, &b, 5000));
	CU_ASSERT_EQUAL(memcmp(info(&b).hash, publisher_entry(&p, 30)->object.hash, HASH_LEN), 0);
	CU_ASSERT_TRUE(answers(&b, &p, 30));
	CU_ASSERT_EQUAL(files(&b), info(&b).layers + 1);
	again(&b);
	CU_ASSERT_TRUE(answers(&b, &p, 30));
	shut(&b);
	publisher_clear(&p);
}

static void a_large_list_is_proven_by_a_child_while_the_old_one_answers(void)
{
	struct publisher p = published(60000, 2, 6000);
	struct branch b = fresh(&p);
	struct applied o = { false, { 0 } };
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	const struct head_entry *entry = publisher_entry(&p, 2);
	struct head_entry forced = *entry;
	forced.forced_version = 2;
	publisher_write(&p, entry->object.hash, b.fetched);
	struct lists_step step = {
		.entry = &forced, .issued_s = -1, .path = b.fetched, .done = applied_take, .arg = &o
	};
	lists_apply(b.lists, &step);
	CU_ASSERT_FALSE(o.done);
	CU_ASSERT_FALSE(lists_ready(b.lists, p.name));
	CU_ASSERT_TRUE(answers(&b, &p, 1));
	while (!o.done)
		loop_once(b.loop, 10);
	CU_ASSERT_EQUAL(o.err.code, ERR_NONE);
	CU_ASSERT_TRUE(answers(&b, &p, 2));
	shut(&b);
	publisher_clear(&p);
}

static void closing_while_a_child_is_at_work_leaves_no_child(void)
{
	struct publisher p = published(60000, 1, 0);
	struct branch b = fresh(&p);
	struct applied o = { false, { 0 } };
	publisher_write(&p, publisher_entry(&p, 1)->object.hash, b.fetched);
	struct lists_step step = {
		.entry = publisher_entry(&p, 1), .path = b.fetched, .done = applied_take, .arg = &o
	};
	lists_apply(b.lists, &step);
	shut(&b);
	CU_ASSERT_FALSE(o.done);
	CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1);
	publisher_clear(&p);
}

/* What is refused leaves all as it was: in memory, in the rows, in the directory. */
static void refused(struct branch *b, const struct publisher *p, struct err got, enum err_code code, uint64_t version)
{
	CU_ASSERT_EQUAL(got.code, code);
	CU_ASSERT_TRUE(answers(b, p, version));
	CU_ASSERT_NOT_EQUAL(info(b).fault[0], 0);
	CU_ASSERT_EQUAL(access(b->fetched, F_OK), 0);
	again(b);
	CU_ASSERT_TRUE(answers(b, p, version));
}

static void a_delta_from_another_version_is_refused(void)
{
	struct publisher p = published(2000, 5, 10);
	struct branch b = fresh(&p);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	refused(&b, &p, apply_delta(&b, &p, 2, 3), ERR_CONFLICT, 1);
	/* Even when its edge lies about it. */
	struct index_edge edge = *publisher_edge(&p, 3, 2, 3);
	edge.from = 1;
	publisher_write(&p, edge.object.hash, b.fetched);
	refused(&b, &p, apply_file(&b, publisher_entry(&p, 3), &edge), ERR_CONFLICT, 1);
	shut(&b);
	publisher_clear(&p);
}

static void a_delta_that_leads_to_another_content_is_refused(void)
{
	struct publisher p = published(2000, 2, 10);
	struct branch b = fresh(&p);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	struct head_entry entry = *publisher_entry(&p, 2);
	struct index_edge edge = *publisher_edge(&p, 2, 1, 2);
	publisher_write(&p, edge.object.hash, b.fetched);
	edge.fingerprint_to[3] ^= 1;
	refused(&b, &p, apply_file(&b, &entry, &edge), ERR_CONFLICT, 1);
	edge.fingerprint_to[3] ^= 1;
	edge.count_to++;
	refused(&b, &p, apply_file(&b, &entry, &edge), ERR_CONFLICT, 1);
	edge.count_to--;
	entry.fingerprint[0] ^= 1; /* index and head do not agree */
	refused(&b, &p, apply_file(&b, &entry, &edge), ERR_CONFLICT, 1);
	shut(&b);
	publisher_clear(&p);
}

static void a_file_that_is_bent_or_cut_is_refused(void)
{
	struct publisher p = published(500, 2, 10);
	struct branch b = fresh(&p);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	const struct published_object *o = publisher_object(&p, publisher_edge(&p, 2, 1, 2)->object.hash);
	for (size_t i = 0; i < o->data.len; i += 37) {
		o->data.data[i] ^= 4;
		CU_ASSERT_EQUAL(apply_delta(&b, &p, 1, 2).code, ERR_INPUT);
		o->data.data[i] ^= 4;
	}
	struct err e = apply_delta(&b, &p, 1, 2);
	CU_ASSERT_EQUAL(e.code, ERR_NONE);
	o = publisher_object(&p, publisher_entry(&p, 2)->object.hash);
	for (size_t len = 0; len < o->data.len; len += 61) {
		CU_ASSERT_TRUE(file_write(b.fetched, (struct bytes){ o->data.data, len }, 0600, NULL));
		CU_ASSERT_EQUAL(apply_file(&b, publisher_entry(&p, 2), NULL).code, ERR_INPUT);
	}
	refused(&b, &p, apply_file(&b, publisher_entry(&p, 2), NULL), ERR_INPUT, 2);
	shut(&b);
	publisher_clear(&p);
}

static void a_whole_file_in_the_wrong_place_is_refused(void)
{
	struct publisher p = published(500, 2, 10), other;
	struct branch b = fresh(&p);
	struct set set = set_new(500, 9);
	publisher_init(&other, "black-other", 3);
	publisher_release(&other, &set);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	/* Another list's snapshot, with its hash in our entry. */
	struct head_entry entry = *publisher_entry(&p, 2);
	entry.object = publisher_entry(&other, 1)->object;
	publisher_write(&other, entry.object.hash, b.fetched);
	refused(&b, &p, apply_file(&b, &entry, NULL), ERR_INPUT, 1);
	/* An older version of our own. */
	entry.object = publisher_entry(&p, 1)->object;
	publisher_write(&p, entry.object.hash, b.fetched);
	refused(&b, &p, apply_file(&b, &entry, NULL), ERR_INPUT, 1);
	/* A delta as a snapshot. */
	entry.object = publisher_edge(&p, 2, 1, 2)->object;
	publisher_write(&p, entry.object.hash, b.fetched);
	refused(&b, &p, apply_file(&b, &entry, NULL), ERR_INPUT, 1);
	/* Bytes that are no segment at all. */
	entry.object = publisher_put(&p, bytes_of("no segment"))->ref;
	publisher_write(&p, entry.object.hash, b.fetched);
	refused(&b, &p, apply_file(&b, &entry, NULL), ERR_INPUT, 1);
	shut(&b);
	set_free(&set);
	publisher_clear(&p);
	publisher_clear(&other);
}

static void a_switch_after_which_a_canary_fails_is_undone(void)
{
	struct publisher p = published(2000, 2, 10);
	struct branch b = fresh(&p);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	struct head_entry entry = *publisher_entry(&p, 2);
	const struct index_edge *edge = publisher_edge(&p, 2, 1, 2);
	publisher_write(&p, edge->object.hash, b.fetched);
	entry.canary_hit = entry.canary_miss;
	refused(&b, &p, apply_file(&b, &entry, edge), ERR_CONFLICT, 1);
	entry = *publisher_entry(&p, 2);
	entry.canary_miss = entry.canary_hit;
	refused(&b, &p, apply_file(&b, &entry, edge), ERR_CONFLICT, 1);
	publisher_write(&p, entry.object.hash, b.fetched);
	refused(&b, &p, apply_file(&b, &entry, NULL), ERR_CONFLICT, 1);
	CU_ASSERT_EQUAL(apply_delta(&b, &p, 1, 2).code, ERR_NONE);
	CU_ASSERT_TRUE(answers(&b, &p, 2));
	shut(&b);
	publisher_clear(&p);
}

static void a_list_that_shrinks_or_changes_too_much_is_refused_unless_forced(void)
{
	struct publisher p = published(10000, 1, 0);
	struct branch b = fresh(&p);
	struct set most = set_new(10000, 1), other = set_new(10000, 5), grown = set_new(10600, 1);
	most.len = 9700; /* 3 % fewer */
	publisher_release(&p, &most);
	publisher_release(&p, &other);
	publisher_release(&p, &grown);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	CU_ASSERT_FALSE(lists_guard(b.lists, publisher_entry(&p, 2), NULL));
	refused(&b, &p, apply_delta(&b, &p, 1, 2), ERR_DENIED, 1);
	refused(&b, &p, apply_snapshot(&b, &p, 2), ERR_DENIED, 1);
	refused(&b, &p, apply_snapshot(&b, &p, 3), ERR_DENIED, 1);
	struct head_entry forced = *publisher_entry(&p, 2);
	forced.forced_version = 1; /* of what we have already */
	publisher_write(&p, forced.object.hash, b.fetched);
	refused(&b, &p, apply_file(&b, &forced, NULL), ERR_DENIED, 1);
	forced.forced_version = 2;
	CU_ASSERT_TRUE(lists_guard(b.lists, &forced, NULL));
	CU_ASSERT_EQUAL(apply_file(&b, &forced, NULL).code, ERR_NONE);
	CU_ASSERT_TRUE(answers(&b, &p, 2));
	shut(&b);
	set_free(&most);
	set_free(&other);
	set_free(&grown);
	publisher_clear(&p);
}

static void many_small_releases_that_a_branch_missed_are_believed(void)
{
	struct publisher p = published(1000, 1, 0);
	struct branch b = fresh(&p);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	for (size_t i = 1; i <= 30; i++) {
		struct set more = set_new(1000 + 100 * i, 1);
		publisher_release(&p, &more);
		set_free(&more);
	}
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 31).code, ERR_NONE);
	CU_ASSERT_TRUE(answers(&b, &p, 31));
	shut(&b);
	publisher_clear(&p);
}

static void an_empty_list_does_not_replace_a_full_one(void)
{
	struct publisher p = published(1000, 1, 0);
	struct branch b = fresh(&p);
	struct set none = set_new(0, 1);
	publisher_release(&p, &none);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	refused(&b, &p, apply_snapshot(&b, &p, 2), ERR_DENIED, 1);
	refused(&b, &p, apply_delta(&b, &p, 1, 2), ERR_DENIED, 1);
	shut(&b);
	set_free(&none);
	publisher_clear(&p);
}

static void several_steps_in_a_row_are_judged_from_where_they_started(void)
{
	struct publisher p = published(10000, 3, 1500);
	struct branch b = fresh(&p);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	/* To version 3 over 2, where 2 was forced and 3 was not. */
	struct head_entry goal = *publisher_entry(&p, 3);
	goal.forced_version = 2;
	const struct index_edge *edge = publisher_edge(&p, 3, 1, 2);
	publisher_write(&p, edge->object.hash, b.fetched);
	CU_ASSERT_EQUAL(apply_file(&b, &goal, edge).code, ERR_NONE);
	edge = publisher_edge(&p, 3, 2, 3);
	publisher_write(&p, edge->object.hash, b.fetched);
	CU_ASSERT_EQUAL(apply_file(&b, &goal, edge).code, ERR_NONE);
	CU_ASSERT_TRUE(answers(&b, &p, 3));
	shut(&b);
	publisher_clear(&p);
}

static void a_full_disk_leaves_the_old_version_and_works_again_with_room(void)
{
	struct publisher p = published(3000, 30, 10);
	struct branch b = fresh(&p);
	char pragma[64];
	int64_t pages = 0;
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	/* The database has no page left. Layers' rows need one sooner or later. */
	CU_ASSERT_TRUE(db_run_int(b.db, &pages, NULL, "PRAGMA page_count", ""));
	CU_ASSERT_TRUE(db_exec(b.db, "CREATE TABLE filler (x)", NULL));
	CU_ASSERT_TRUE(db_run_int(b.db, &pages, NULL, "PRAGMA page_count", ""));
	snprintf(pragma, sizeof(pragma), "PRAGMA max_page_count=%lld", (long long)pages);
	CU_ASSERT_TRUE(db_exec(b.db, pragma, NULL));
	uint64_t v = 1;
	struct err e = { 0 };
	CU_ASSERT_TRUE(db_exec(b.db,
			       "CREATE TRIGGER fill AFTER INSERT ON list_layer BEGIN"
			       " INSERT INTO filler VALUES (zeroblob(8192)); END",
			       NULL));
	for (; v < 8 && e.code == ERR_NONE; v++)
		e = apply_delta(&b, &p, v, v + 1);
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	v--;
	CU_ASSERT_TRUE(answers(&b, &p, v));
	publisher_write(&p, publisher_entry(&p, 30)->object.hash, b.fetched);
	CU_ASSERT_EQUAL(apply_file(&b, publisher_entry(&p, 30), NULL).code, ERR_FULL);
	refused(&b, &p, e, ERR_FULL, v);
	CU_ASSERT_TRUE(db_exec(b.db, "DROP TRIGGER fill", NULL));
	CU_ASSERT_EQUAL(apply_delta(&b, &p, v, v + 1).code, ERR_NONE);
	CU_ASSERT_TRUE(answers(&b, &p, v + 1));
	shut(&b);
	publisher_clear(&p);
}

static void a_full_disk_during_compaction_leaves_the_layers_in_force(void)
{
	struct publisher p = published(20000, 9, 10);
	struct branch b = fresh(&p);
	struct rlimit old, small;
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	for (uint64_t v = 1; v < 9; v++)
		CU_ASSERT_EQUAL(apply_delta(&b, &p, v, v + 1).code, ERR_NONE);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = 100000;
	setrlimit(RLIMIT_FSIZE, &small);
	CU_ASSERT_TRUE(wait_until(faulted, &b, 5000));
	setrlimit(RLIMIT_FSIZE, &old);
	CU_ASSERT_TRUE(answers(&b, &p, 9));
	CU_ASSERT_EQUAL(info(&b).layers, 8);
	CU_ASSERT_EQUAL(files(&b), 9);
	again(&b); /* tries again by itself */
	CU_ASSERT_TRUE(wait_until(compacted, &b, 5000));
	CU_ASSERT_TRUE(answers(&b, &p, 9));
	CU_ASSERT_EQUAL(files(&b), 1);
	shut(&b);
	publisher_clear(&p);
}

static void a_filter_without_room_goes_out_of_use_until_a_compaction_makes_one_that_has(void)
{
	struct publisher p = published(2000, 1, 0);
	struct branch b = fresh(&p);
	struct set more = set_new(60000, 5);
	p.forced_version = 2;
	publisher_release(&p, &more);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	CU_ASSERT_EQUAL(apply_delta(&b, &p, 1, 2).code, ERR_NONE);
	CU_ASSERT_TRUE(answers(&b, &p, 2));
	CU_ASSERT_TRUE(wait_until(compacted, &b, 5000)); /* for one delta alone */
	CU_ASSERT_TRUE(answers(&b, &p, 2));
	shut(&b);
	set_free(&more);
	publisher_clear(&p);
}

static void damaged(struct branch *b, const struct publisher *p)
{
	struct check_list state;
	uint32_t value, epoch;
	const struct check_source *s = lists_source(b->lists);
	CU_ASSERT_EQUAL(s->list(s->arg, p->name, &state), LOOKUP_ERROR);
	CU_ASSERT_EQUAL(s->find(s->arg, p->name, publisher_entry(p, 1)->canary_hit, &value), LOOKUP_ERROR);
	CU_ASSERT_EQUAL(lists_version(b->lists, p->name, &epoch), 0);
	CU_ASSERT_TRUE(info(b).damaged);
	CU_ASSERT_NOT_EQUAL(info(b).fault[0], 0);
	CU_ASSERT_EQUAL(apply_snapshot(b, p, 1).code, ERR_NONE);
	CU_ASSERT_TRUE(answers(b, p, 1));
	CU_ASSERT_EQUAL(files(b), 1);
}

static void a_damaged_file_answers_error_until_it_is_fetched_afresh(void)
{
	struct publisher p = published(1000, 1, 0);
	struct branch b = fresh(&p);
	const uint8_t *hash = publisher_entry(&p, 1)->object.hash;
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	bend(&b, hash, 5000, false);
	again(&b);
	damaged(&b, &p);
	bend(&b, hash, 4000, true);
	again(&b);
	damaged(&b, &p);
	bend(&b, hash, 0, true);
	again(&b);
	damaged(&b, &p);
	shut(&b);
	publisher_clear(&p);
}

static bool is_damaged(void *arg)
{
	struct branch *b = arg;
	loop_once(b->loop, 5);
	return info(b).damaged;
}

static void a_large_damaged_file_is_found_by_a_child(void)
{
	struct publisher p = published(600000, 1, 0);
	struct branch b = fresh(&p);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	bend(&b, publisher_entry(&p, 1)->object.hash, 3000000, false);
	again(&b);
	CU_ASSERT_FALSE(info(&b).damaged);
	CU_ASSERT_TRUE(wait_until(is_damaged, &b, 10000));
	damaged(&b, &p);
	shut(&b);
	publisher_clear(&p);
}

static void the_same_version_with_another_content_counts_as_damaged(void)
{
	struct publisher p = published(1000, 1, 0);
	struct branch b = fresh(&p);
	struct head_entry entry = *publisher_entry(&p, 1);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	entry.fingerprint[0] ^= 1;
	CU_ASSERT_TRUE(head(&b, &entry, 3000));
	damaged(&b, &p);
	shut(&b);
	publisher_clear(&p);
}

static void a_content_whose_hash_is_not_the_heads_counts_as_damaged(void)
{
	struct publisher p = published(1000, 2, 5);
	struct branch b = fresh(&p);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	CU_ASSERT_EQUAL(apply_delta(&b, &p, 1, 2).code, ERR_NONE);
	struct head_entry entry = *publisher_entry(&p, 2);
	entry.object.hash[5] ^= 1; /* count and fingerprint are right all the same */
	CU_ASSERT_TRUE(head(&b, &entry, 3000));
	CU_ASSERT_TRUE(wait_until(is_damaged, &b, 5000));
	CU_ASSERT_TRUE(head(&b, publisher_entry(&p, 2), 3000));
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 2).code, ERR_NONE);
	CU_ASSERT_TRUE(answers(&b, &p, 2));
	shut(&b);
	publisher_clear(&p);
}

static void new_canaries_that_fail_are_shown_and_the_list_goes_on(void)
{
	struct publisher p = published(1000, 1, 0);
	struct branch b = fresh(&p);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	struct head_entry entry = *publisher_entry(&p, 1);
	entry.canary_hit = entry.canary_miss;
	CU_ASSERT_TRUE(head(&b, &entry, 3000));
	CU_ASSERT_NOT_EQUAL(info(&b).fault[0], 0);
	CU_ASSERT_EQUAL(info(&b).confirmed_s, 1000);
	CU_ASSERT_TRUE(answers(&b, &p, 1));
	again(&b); /* the old ones are those looked up at opening */
	CU_ASSERT_TRUE(answers(&b, &p, 1));
	shut(&b);
	publisher_clear(&p);
}

static void a_head_confirms_only_the_version_it_names(void)
{
	struct publisher p = published(1000, 2, 5);
	struct branch b = fresh(&p);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	CU_ASSERT_TRUE(head(&b, publisher_entry(&p, 1), 3000));
	CU_ASSERT_EQUAL(info(&b).confirmed_s, 3000);
	CU_ASSERT_TRUE(head(&b, publisher_entry(&p, 1), -1)); /* expired */
	CU_ASSERT_EQUAL(info(&b).confirmed_s, 3000);
	CU_ASSERT_TRUE(head(&b, publisher_entry(&p, 2), 4000));
	CU_ASSERT_EQUAL(info(&b).confirmed_s, 3000);
	again(&b);
	CU_ASSERT_EQUAL(info(&b).confirmed_s, 3000);
	shut(&b);
	publisher_clear(&p);
}

static void a_list_is_asked_only_with_the_key_of_its_epoch(void)
{
	struct publisher p = published(1000, 1, 0), next;
	struct branch b = fresh(&p);
	struct check_list state;
	struct set set = set_new(1000, 3);
	publisher_init(&next, "black-sample", 4);
	publisher_release(&next, &set);
	publisher_release(&next, &set);
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	refused(&b, &p, apply_snapshot(&b, &next, 2), ERR_MISSING, 1);
	const struct check_source *s = lists_source(b.lists);
	CU_ASSERT_TRUE(lists_add_epoch(b.lists, 4, 1, next.secret, NULL));
	CU_ASSERT_TRUE(answers(&b, &p, 1));
	CU_ASSERT_EQUAL(apply_snapshot(&b, &next, 2).code, ERR_NONE);
	CU_ASSERT_TRUE(answers(&b, &next, 2));
	CU_ASSERT_EQUAL(s->list(s->arg, p.name, &state), LOOKUP_NOT_LISTED);
	CU_ASSERT_EQUAL(state.key->epoch, 4);
	CU_ASSERT_FALSE(lists_has_epoch(b.lists, 3)); /* wiped with the last list under it */
	again(&b);
	CU_ASSERT_FALSE(lists_has_epoch(b.lists, 3));
	CU_ASSERT_TRUE(answers(&b, &next, 2));
	CU_ASSERT_TRUE(db_exec(b.db, "DELETE FROM epoch_key", NULL));
	again(&b);
	s = lists_source(b.lists);
	CU_ASSERT_EQUAL(s->list(s->arg, p.name, &state), LOOKUP_ERROR);
	shut(&b);
	set_free(&set);
	publisher_clear(&p);
	publisher_clear(&next);
}

static bool secret_stands(const struct branch *b, struct bytes secret)
{
	bool row = false;
	struct db_query *q = db_query(b->db, "SELECT 1 FROM epoch_key WHERE secret = ?", NULL);
	CU_ASSERT_TRUE_FATAL(q != NULL && db_bind_bytes(q, 1, secret, NULL) && db_next(q, &row, NULL));
	db_finish(q);
	return row;
}

static void keys_stand_sealed_and_without_the_vault_no_list_answers(void)
{
	struct publisher p = published(1000, 1, 0);
	struct branch b = fresh(&p);
	struct check_list state;
	const struct bytes secret = { p.secret, sizeof(p.secret) };
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	CU_ASSERT_FALSE(secret_stands(&b, secret));
	/* one from before keys were sealed */
	CU_ASSERT_TRUE_FATAL(db_begin(b.db, NULL) &&
			     db_run(b.db, NULL, "UPDATE epoch_key SET secret = ?", "b", secret) &&
			     db_commit(b.db, NULL));
	again(&b);
	CU_ASSERT_TRUE(answers(&b, &p, 1));
	CU_ASSERT_FALSE(secret_stands(&b, secret));
	CU_ASSERT_TRUE(vault_wipe(&vault, NULL));
	lists_wipe(b.lists);
	const struct check_source *s = lists_source(b.lists);
	CU_ASSERT_EQUAL(s->list(s->arg, p.name, &state), LOOKUP_ERROR);
	CU_ASSERT_FALSE(lists_has_epoch(b.lists, 3));
	CU_ASSERT_FALSE(lists_add_epoch(b.lists, 3, 1, p.secret, NULL)); /* there is nothing to seal it under */
	again(&b);
	CU_ASSERT_FALSE(lists_has_epoch(b.lists, 3));
	CU_ASSERT_TRUE(vault_renew(&vault, NULL));
	CU_ASSERT_TRUE(lists_add_epoch(b.lists, 3, 1, p.secret, NULL));
	CU_ASSERT_TRUE(answers(&b, &p, 1));
	shut(&b);
	publisher_clear(&p);
}

static void what_no_row_names_is_removed_at_opening(void)
{
	struct publisher p = published(1000, 1, 0);
	struct branch b = fresh(&p);
	char path[300];
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	snprintf(path, sizeof(path), "%s/lists/compacted.tmp", b.dir);
	CU_ASSERT_TRUE(file_write(path, bytes_of("half"), 0600, NULL));
	snprintf(path, sizeof(path), "%s/lists/%064d", b.dir, 7);
	CU_ASSERT_TRUE(file_write(path, bytes_of("orphan"), 0600, NULL));
	CU_ASSERT_EQUAL(files(&b), 3);
	again(&b);
	CU_ASSERT_EQUAL(files(&b), 1);
	CU_ASSERT_TRUE(answers(&b, &p, 1));
	shut(&b);
	publisher_clear(&p);
}

/* Crashes */

/* In a child: goes round through all versions for ever, telling each one it has come to. */
static void apply_for_ever(const struct publisher *p, const char *dir, int told)
{
	struct branch b = { .dir = dir };
	uint32_t epoch;
	open_lists(&b);
	snprintf(b.fetched, sizeof(b.fetched), "%s/fetched", dir);
	for (;;) {
		uint64_t have = lists_version(b.lists, p->name, &epoch);
		uint64_t want = have == 0 || have == p->editions_len ? 1 : have + 1;
		struct err e = want == 1 ? apply_snapshot(&b, p, 1) : apply_delta(&b, p, have, want);
		if (e.code != ERR_NONE || write(told, &want, sizeof(want)) != sizeof(want))
			_exit(3);
		loop_once(b.loop, 0);
	}
}

static void killed_at_any_moment_it_is_at_the_old_version_or_the_new_one(void)
{
	struct publisher p = published(2000, 20, 20);
	for (size_t i = 0; i < p.editions_len; i++)
		p.editions[i].entry.forced_version = UINT32_MAX; /* going round is a large change */
	struct branch b = fresh(&p);
	uint64_t seed = 4, last = 1, steps = 0, span_us = 60000;
	CU_ASSERT_EQUAL(apply_snapshot(&b, &p, 1).code, ERR_NONE);
	/* On a busy machine the child may hardly get to run: then more of them, and longer. */
	for (int kill_at = 0; kill_at < 40 || (steps <= 20 && kill_at < 400); kill_at++) {
		int ends[2], status = 0;
		uint64_t told, epoch_version;
		uint32_t epoch;
		shut(&b);
		CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
		pid_t pid = fork();
		if (pid == 0)
			apply_for_ever(&p, b.dir, ends[1]);
		close(ends[1]);
		usleep((useconds_t)(5000 + set_random(&seed) % span_us));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		CU_ASSERT_TRUE(WIFSIGNALED(status)); /* no step failed */
		uint64_t before = steps;
		for (; read(ends[0], &told, sizeof(told)) == sizeof(told); steps++)
			last = told;
		if (steps == before && span_us < 900000)
			span_us *= 2;
		close(ends[0]);
		open_lists(&b);
		epoch_version = lists_version(b.lists, p.name, &epoch);
		CU_ASSERT_TRUE(epoch_version == last || epoch_version == (last == p.editions_len ? 1 : last + 1));
		last = epoch_version;
		CU_ASSERT_TRUE_FATAL(last > 0);
		CU_ASSERT_TRUE(answers(&b, &p, last));
		CU_ASSERT_EQUAL(files(&b), info(&b).layers + 1);
	}
	CU_ASSERT_TRUE(steps > 20);
	shut(&b);
	publisher_clear(&p);
}

static CU_TestInfo tests[] = {
	{ "a snapshot answers exactly its content, also after reopening",
	  a_snapshot_answers_exactly_its_content_also_after_reopening },
	{ "a list that is not held is not covered", a_list_that_is_not_held_is_not_covered },
	{ "deltas lead to a content that is then proven by hash",
	  deltas_lead_to_a_content_that_is_then_proven_by_hash },
	{ "many deltas are compacted to central's snapshot byte for byte",
	  many_deltas_are_compacted_to_centrals_snapshot_byte_for_byte },
	{ "a large list is proven by a child while the old one answers",
	  a_large_list_is_proven_by_a_child_while_the_old_one_answers },
	{ "closing while a child is at work leaves no child", closing_while_a_child_is_at_work_leaves_no_child },
	{ "a delta from another version is refused", a_delta_from_another_version_is_refused },
	{ "a delta that leads to another content is refused", a_delta_that_leads_to_another_content_is_refused },
	{ "a file that is bent or cut is refused", a_file_that_is_bent_or_cut_is_refused },
	{ "a whole file in the wrong place is refused", a_whole_file_in_the_wrong_place_is_refused },
	{ "a switch after which a canary fails is undone", a_switch_after_which_a_canary_fails_is_undone },
	{ "a list that shrinks or changes too much is refused unless forced",
	  a_list_that_shrinks_or_changes_too_much_is_refused_unless_forced },
	{ "many small releases that a branch missed are believed",
	  many_small_releases_that_a_branch_missed_are_believed },
	{ "an empty list does not replace a full one", an_empty_list_does_not_replace_a_full_one },
	{ "several steps in a row are judged from where they started",
	  several_steps_in_a_row_are_judged_from_where_they_started },
	{ "a full disk leaves the old version and works again with room",
	  a_full_disk_leaves_the_old_version_and_works_again_with_room },
	{ "a full disk during compaction leaves the layers in force",
	  a_full_disk_during_compaction_leaves_the_layers_in_force },
	{ "a filter without room goes out of use until a compaction makes one that has",
	  a_filter_without_room_goes_out_of_use_until_a_compaction_makes_one_that_has },
	{ "a damaged file answers error until it is fetched afresh",
	  a_damaged_file_answers_error_until_it_is_fetched_afresh },
	{ "a large damaged file is found by a child", a_large_damaged_file_is_found_by_a_child },
	{ "the same version with another content counts as damaged",
	  the_same_version_with_another_content_counts_as_damaged },
	{ "a content whose hash is not the head's counts as damaged",
	  a_content_whose_hash_is_not_the_heads_counts_as_damaged },
	{ "new canaries that fail are shown, and the list goes on",
	  new_canaries_that_fail_are_shown_and_the_list_goes_on },
	{ "a head confirms only the version it names", a_head_confirms_only_the_version_it_names },
	{ "a list is asked only with the key of its epoch", a_list_is_asked_only_with_the_key_of_its_epoch },
	{ "keys stand sealed, and without the vault no list answers",
	  keys_stand_sealed_and_without_the_vault_no_list_answers },
	{ "what no row names is removed at opening", what_no_row_names_is_removed_at_opening },
	{ "killed at any moment it is at the old version or the new one",
	  killed_at_any_moment_it_is_at_the_old_version_or_the_new_one },
	CU_TEST_INFO_NULL,
};

SUITE(branch_lists, NULL, NULL, tests);
