#include "central/release/document.h"
#include "protocol/base/file.h"
#include "tests/support/simulation.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define LIST   "black-sample"
#define MINUTE ((int64_t)60000)
#define HOUR   (60 * MINUTE)

static struct publisher published(const char *name, size_t len, size_t editions, size_t change)
{
	struct publisher p;
	struct set first = set_new(len, 1);
	publisher_init(&p, name, 3);
	publisher_release(&p, &first);
	for (size_t i = 1; i < editions; i++)
		publisher_change(&p, change, 100 + i);
	set_free(&first);
	return p;
}

static struct buf rules(void)
{
	static const char json[] =
		"{\"type\":\"rules\",\"title\":{\"zh\":\"\xe7\xa4\xba\xe4\xbe\x8b\",\"en\":\"sample\"},\"sample\":"
		"true,"
		"\"rules\":[{\"id\":\"one\",\"outcome\":\"refer\",\"code\":\"C\",\"from\":\"2026-01-01\","
		"\"basis\":{\"zh\":\"b\",\"en\":\"b\"},\"text\":{\"zh\":\"t\",\"en\":\"t\"},\"when\":{\"op\":"
		"\"true\"}}]}";
	struct buf cbor;
	buf_init(&cbor, 4096);
	if (!document_from_json(bytes_of(json), "rules", &cbor, NULL))
		abort();
	return cbor;
}

/* A branch that has caught up with one list. */
static void caught_up(struct sim *s, struct publisher *p, uint64_t seed)
{
	sim_init(s, test_dir(), seed);
	sim_add(s, p);
	sim_publish(s);
	sim_line(s, true);
	CU_ASSERT_TRUE_FATAL(sim_until(s, sim_is_current, 5 * MINUTE));
}

static void done(struct sim *s, struct publisher *p)
{
	sim_clear(s);
	publisher_clear(p);
}

/* The branch answers for just the content of this version. */
static bool answers(struct sim *s, const struct publisher *p, uint64_t version)
{
	const struct set *set = &p->editions[version - 1].set;
	const struct check_source *source = lists_source(s->lists);
	struct check_list state;
	uint32_t value;
	if (source->list(source->arg, p->name, &state) != LOOKUP_NOT_LISTED || state.version != version)
		return false;
	for (size_t i = 0; i < set->len; i++)
		if (source->find(source->arg, p->name, set->entries[i].tag, &value) != LOOKUP_HIT ||
		    value != set->entries[i].value)
			return false;
	for (size_t e = 0; e < p->editions_len; e += 7)
		for (size_t i = 0; i < p->editions[e].set.len; i++) {
			uint64_t tag = p->editions[e].set.entries[i].tag;
			if (set_find(set, tag) == UINT32_MAX &&
			    source->find(source->arg, p->name, tag, &value) != LOOKUP_NOT_LISTED)
				return false;
		}
	return true;
}

static void a_new_branch_fetches_documents_keys_and_lists_and_says_what_it_has(void)
{
	struct sim s;
	struct publisher p = published(LIST, 3000, 3, 20), q = published("white-sample", 500, 1, 0);
	struct buf doc = rules();
	sim_init(&s, test_dir(), 1);
	sim_add(&s, &p);
	sim_add(&s, &q);
	sim_document(&s, DOCUMENT_RULES, 4, buf_bytes(&doc));
	sim_publish(&s);
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, MINUTE));
	CU_ASSERT_TRUE(answers(&s, &p, 3));
	CU_ASSERT_TRUE(answers(&s, &q, 1));
	CU_ASSERT_PTR_NOT_NULL(documents_policy(s.documents_held)->rules);
	CU_ASSERT_EQUAL(sim_list(&s, LIST).confirmed_s, SIM_START_S + 1);
	CU_ASSERT_TRUE(s.clock.trusted);
	sim_run(&s, 10000);
	CU_ASSERT_EQUAL(s.status.lists_len, 2);
	CU_ASSERT_EQUAL(s.status.lists[0].version, 3);
	CU_ASSERT_EQUAL(memcmp(s.status.lists[0].hash, publisher_entry(&p, 3)->object.hash, HASH_LEN), 0);
	CU_ASSERT_EQUAL(memcmp(s.journal_key, record_key(s.record), 32), 0);
	sim_run(&s, 5 * MINUTE);
	CU_ASSERT_TRUE(sim_list(&s, LIST).confirmed_s >= SIM_START_S + 240);
	CU_ASSERT_EQUAL(sim_info(&s).faults, 0);
	buf_clear(&doc);
	publisher_clear(&q);
	done(&s, &p);
}

static bool list_is_here(struct sim *s)
{
	return sim_list(s, LIST).version > 0;
}

static void a_new_branch_has_its_documents_before_any_list(void)
{
	struct sim s;
	struct publisher p = published(LIST, 3000, 1, 0);
	struct buf doc = rules();
	sim_init(&s, test_dir(), 21);
	sim_add(&s, &p);
	sim_document(&s, DOCUMENT_RULES, 4, buf_bytes(&doc));
	sim_publish(&s);
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, list_is_here, MINUTE));
	CU_ASSERT_PTR_NOT_NULL(documents_policy(s.documents_held)->rules);
	buf_clear(&doc);
	done(&s, &p);
}

static bool chunk_is_here(struct sim *s)
{
	struct sync_info i;
	sync_info(s->sync, &i);
	return i.chunks > 1;
}

static void a_branch_that_ends_as_it_fetches_says_no_more_over_its_line(void)
{
	struct sim s;
	struct publisher p = published(LIST, 100000, 1, 0);
	sim_init(&s, test_dir(), 23);
	sim_add(&s, &p);
	sim_publish(&s);
	s.chunk_ms = 500;
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, chunk_is_here, MINUTE));
	CU_ASSERT_TRUE(s.filters_len > 2);
	sim_restart(&s, 0); /* its line goes down, then it ends: the line takes nothing meanwhile */
	CU_ASSERT_TRUE(sim_until(&s, list_is_here, HOUR));
	done(&s, &p);
}

static void a_head_with_a_bad_signature_is_refused_and_changes_nothing(void)
{
	struct sim s;
	struct publisher p = published(LIST, 1000, 1, 0);
	uint8_t other[SCALAR_LEN], point[POINT_LEN];
	caught_up(&s, &p, 2);
	s.silent = true;
	uint64_t sequence = sim_info(&s).head_sequence;
	publisher_change(&p, 10, 5);
	struct head h = sim_head(&s);
	key_new(&random_system, other, point);
	sim_send_head(&s, &h, other);
	sync_message(s.sync, TOPIC_HEAD, bytes_of("no head"), s.now_ms);
	sync_message(s.sync, TOPIC_HEAD, bytes_of(""), s.now_ms);
	sim_run(&s, MINUTE);
	CU_ASSERT_EQUAL(sim_info(&s).heads_refused, 3);
	CU_ASSERT_EQUAL(sim_info(&s).head_sequence, sequence);
	CU_ASSERT_TRUE(answers(&s, &p, 1));
	head_clear(&h);
	done(&s, &p);
}

static void an_older_head_is_refused_and_does_not_block_the_next(void)
{
	struct sim s;
	struct publisher p = published(LIST, 1000, 1, 0);
	caught_up(&s, &p, 3);
	s.silent = true;
	struct head old = sim_head(&s);
	publisher_change(&p, 10, 5);
	sim_publish(&s);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, MINUTE));
	sim_send_head(&s, &old, s.head_scalar);
	CU_ASSERT_EQUAL(sim_info(&s).heads_refused, 1);
	sim_run(&s, MINUTE);
	CU_ASSERT_TRUE(answers(&s, &p, 2));
	sim_restart(&s, 0); /* the sequence is remembered */
	sim_send_head(&s, &old, s.head_scalar);
	CU_ASSERT_EQUAL(sim_info(&s).heads_refused, 1);
	publisher_change(&p, 10, 6);
	sim_publish(&s);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, MINUTE));
	CU_ASSERT_TRUE(answers(&s, &p, 3));
	head_clear(&old);
	done(&s, &p);
}

static void the_same_head_again_is_harmless(void)
{
	struct sim s;
	struct publisher p = published(LIST, 1000, 1, 0);
	caught_up(&s, &p, 4);
	s.silent = true;
	struct head h = sim_head(&s);
	for (int i = 0; i < 5; i++)
		sim_send_head(&s, &h, s.head_scalar);
	uint64_t heads = sim_info(&s).heads;
	sim_send_head(&s, &h, s.head_scalar);
	CU_ASSERT_EQUAL(sim_info(&s).heads, heads);
	CU_ASSERT_EQUAL(sim_info(&s).heads_refused, 0);
	head_clear(&h);
	done(&s, &p);
}

static void an_expired_head_is_remembered_but_confirms_nothing(void)
{
	struct sim s;
	struct publisher p = published(LIST, 1000, 1, 0);
	caught_up(&s, &p, 5);
	s.silent = true;
	int64_t confirmed_s = sim_list(&s, LIST).confirmed_s;
	sim_run(&s, 2 * HOUR);
	struct head h = sim_head(&s);
	h.issued_s -= 90000;
	h.expires_s = h.issued_s + 3600;
	sim_send_head(&s, &h, s.head_scalar);
	CU_ASSERT_EQUAL(sim_info(&s).head_sequence, h.sequence);
	CU_ASSERT_EQUAL(sim_list(&s, LIST).confirmed_s, confirmed_s);
	CU_ASSERT_TRUE(clock_now_s(&s.clock, s.now_ms) >= SIM_START_S + 7200); /* did not go back either */
	sim_restart(&s, 0);
	h.sequence--; /* what came before the expired one is past too */
	sim_send_head(&s, &h, s.head_scalar);
	CU_ASSERT_EQUAL(sim_info(&s).heads_refused, 1);
	head_clear(&h);
	h = sim_head(&s);
	sim_send_head(&s, &h, s.head_scalar);
	CU_ASSERT_TRUE(sim_list(&s, LIST).confirmed_s > confirmed_s);
	head_clear(&h);
	done(&s, &p);
}

static void a_clock_set_back_or_forward_does_not_block_updates(void)
{
	struct sim s;
	struct publisher p = published(LIST, 1000, 1, 0);
	caught_up(&s, &p, 6);
	sim_run(&s, 10 * MINUTE);
	int64_t before_s = clock_now_s(&s.clock, s.now_ms);
	sim_restart(&s, 0);
	CU_ASSERT_TRUE(clock_now_s(&s.clock, s.now_ms) >= before_s - CLOCK_STORE_S);
	publisher_change(&p, 10, 5);
	sim_publish(&s);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, MINUTE));
	sim_restart(&s, 4000000000);
	publisher_change(&p, 10, 6);
	sim_publish(&s);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, MINUTE));
	CU_ASSERT_TRUE(sim_list(&s, LIST).confirmed_s >= before_s);
	CU_ASSERT_TRUE(clock_now_s(&s.clock, s.now_ms) < SIM_START_S + 100000);
	done(&s, &p);
}

static void an_update_comes_as_a_delta(void)
{
	struct sim s;
	struct publisher p = published(LIST, 20000, 1, 0);
	caught_up(&s, &p, 7);
	publisher_change(&p, 20, 5);
	sim_publish(&s);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, MINUTE));
	CU_ASSERT_EQUAL(sim_info(&s).deltas, 1);
	CU_ASSERT_EQUAL(sim_info(&s).snapshots, 1);
	CU_ASSERT_TRUE(answers(&s, &p, 2));
	done(&s, &p);
}

/* Publishes the newest release with an index of these edges. */
static void with_index(struct sim *s, struct publisher *p, const struct index_edge *edges, size_t edges_len)
{
	struct edition *ed = &p->editions[p->editions_len - 1];
	struct list_index x = ed->index;
	struct index_edge copy[4];
	struct buf out;
	memset(copy, 0, sizeof(copy));
	for (size_t i = 0; i < edges_len; i++)
		copy[i] = edges[i];
	x.edges = copy;
	x.edges_len = edges_len;
	buf_init(&out, DOCUMENT_MAX);
	CU_ASSERT_TRUE(list_index_encode(&x, &out, NULL));
	ed->entry.index = publisher_put(p, buf_bytes(&out))->ref;
	buf_clear(&out);
	sim_publish(s);
}

static void a_release_without_a_delta_comes_as_a_snapshot(void)
{
	struct sim s;
	struct publisher p = published(LIST, 5000, 1, 0);
	caught_up(&s, &p, 8);
	publisher_change(&p, 20, 5);
	with_index(&s, &p, NULL, 0);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, MINUTE));
	CU_ASSERT_EQUAL(sim_info(&s).snapshots, 2);
	CU_ASSERT_TRUE(answers(&s, &p, 2));
	done(&s, &p);
}

static void a_delta_that_gives_a_wrong_fingerprint_is_replaced_by_the_snapshot(void)
{
	struct sim s;
	struct publisher p = published(LIST, 5000, 1, 0);
	caught_up(&s, &p, 9);
	publisher_change(&p, 20, 5);
	struct index_edge edge = *publisher_edge(&p, 2, 1, 2);
	edge.fingerprint_to[0] ^= 1;
	with_index(&s, &p, &edge, 1);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, 2 * MINUTE));
	CU_ASSERT_EQUAL(sim_info(&s).deltas, 0);
	CU_ASSERT_EQUAL(sim_info(&s).snapshots, 2);
	CU_ASSERT_TRUE(sim_info(&s).faults > 0);
	CU_ASSERT_TRUE(answers(&s, &p, 2));
	/* Full downloads do not become a habit. */
	publisher_change(&p, 20, 6);
	sim_publish(&s);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, 2 * MINUTE));
	CU_ASSERT_EQUAL(sim_info(&s).deltas, 1);
	CU_ASSERT_EQUAL(sim_info(&s).snapshots, 2);
	done(&s, &p);
}

static void a_delta_from_another_version_is_replaced_by_the_snapshot(void)
{
	struct sim s;
	struct publisher p = published(LIST, 5000, 2, 20);
	caught_up(&s, &p, 10);
	publisher_change(&p, 20, 5);
	struct index_edge edge = *publisher_edge(&p, 3, 2, 3);
	edge.object = publisher_edge(&p, 2, 1, 2)->object;
	with_index(&s, &p, &edge, 1);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, 2 * MINUTE));
	CU_ASSERT_EQUAL(sim_info(&s).snapshots, 2);
	CU_ASSERT_TRUE(answers(&s, &p, 3));
	done(&s, &p);
}

static void a_delta_that_is_nowhere_to_be_had_is_replaced_by_the_snapshot(void)
{
	struct sim s;
	struct publisher p = published(LIST, 5000, 1, 0);
	caught_up(&s, &p, 11);
	publisher_change(&p, 20, 5);
	struct index_edge edge = *publisher_edge(&p, 2, 1, 2);
	edge.object.hash[0] ^= 1;
	with_index(&s, &p, &edge, 1);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, 10 * MINUTE));
	CU_ASSERT_EQUAL(sim_info(&s).snapshots, 2);
	done(&s, &p);
}

static void an_oversized_count_is_refused_before_anything_is_fetched(void)
{
	struct sim s;
	struct publisher p = published(LIST, 5000, 1, 0);
	caught_up(&s, &p, 12);
	s.silent = true;
	publisher_change(&p, 20, 5);
	for (int i = 0; i < 3; i++) {
		struct head h = sim_head(&s);
		uint64_t sent = s.chunks_sent;
		h.entries[0].index = h.entries[0].object; /* no way by deltas */
		if (i == 0)
			h.entries[0].count = LIST_ENTRIES_MAX;
		else if (i == 1)
			h.entries[0].count++;
		else
			h.entries[0].object.size = h.entries[0].index.size = OBJECT_MAX;
		sim_send_head(&s, &h, s.head_scalar);
		sim_run(&s, 5000);
		CU_ASSERT_EQUAL(s.chunks_sent, sent);
		CU_ASSERT_NOT_EQUAL(sim_list(&s, LIST).fault[0], 0);
		CU_ASSERT_TRUE(answers(&s, &p, 1));
		head_clear(&h);
	}
	done(&s, &p);
}

static void a_wrong_hash_keeps_the_old_version_and_is_shown(void)
{
	struct sim s;
	struct publisher p = published(LIST, 5000, 1, 0);
	caught_up(&s, &p, 13);
	publisher_change(&p, 20, 5);
	/* The head names version 1's snapshot as version 2's. */
	struct edition *ed = &p.editions[1];
	ed->entry.object = publisher_entry(&p, 1)->object;
	with_index(&s, &p, NULL, 0);
	sim_run(&s, 2 * MINUTE);
	CU_ASSERT_TRUE(answers(&s, &p, 1));
	CU_ASSERT_NOT_EQUAL(sim_list(&s, LIST).fault[0], 0);
	sim_run(&s, 5000);
	CU_ASSERT_EQUAL(s.status.lists[0].version, 1); /* reported is what answers */
	CU_ASSERT_NOT_EQUAL(s.status.lists[0].fault[0], 0);
	done(&s, &p);
}

static void a_bent_chunk_is_refused_and_fetched_again_alone(void)
{
	struct sim s;
	struct publisher p = published(LIST, 60000, 1, 0); /* 9 chunks */
	sim_init(&s, test_dir(), 14);
	sim_add(&s, &p);
	sim_publish(&s);
	const uint8_t *hash = publisher_entry(&p, 1)->object.hash;
	struct buf *three = sim_retained_chunk(&s, hash, 3), *five = sim_retained_chunk(&s, hash, 5);
	if (three == NULL || five == NULL)
		abort();
	three->data[1000] ^= 1;
	five->len -= 7;
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, 2 * MINUTE));
	CU_ASSERT_TRUE(sim_info(&s).chunks_refused >= 2 && sim_info(&s).chunks_refused <= 4);
	CU_ASSERT_TRUE(s.asked_chunks >= 2 && s.asked_chunks <= 4);
	CU_ASSERT_TRUE(answers(&s, &p, 1));
	done(&s, &p);
}

static void what_the_broker_does_not_keep_is_asked_of_central(void)
{
	struct sim s;
	struct publisher p = published(LIST, 60000, 1, 0);
	sim_init(&s, test_dir(), 15);
	s.no_retained = true;
	sim_add(&s, &p);
	sim_publish(&s);
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, MINUTE));
	CU_ASSERT_EQUAL(s.asked_chunks, 1 + object_chunks(publisher_entry(&p, 1)->object.size)); /* and the list */
	CU_ASSERT_TRUE(answers(&s, &p, 1));
	done(&s, &p);
}

static uint32_t fetched_chunks; /* how many a test waits for */

static bool some_chunks(struct sim *s)
{
	return sim_info(s).chunks >= fetched_chunks;
}

static void a_fetch_goes_on_where_a_restart_has_cut_it(void)
{
	struct sim s;
	struct publisher p = published(LIST, 120000, 1, 0); /* 16 chunks */
	sim_init(&s, test_dir(), 16);
	sim_add(&s, &p);
	sim_publish(&s);
	s.chunk_ms = 1000;
	sim_line(&s, true);
	fetched_chunks = 9;
	CU_ASSERT_TRUE(sim_until(&s, some_chunks, HOUR));
	sim_restart(&s, 0);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, HOUR));
	CU_ASSERT_TRUE(sim_info(&s).chunks <= 17 - 8);
	CU_ASSERT_TRUE(answers(&s, &p, 1));
	done(&s, &p);
}

static void a_part_that_was_spoiled_meanwhile_is_fetched_again(void)
{
	struct sim s;
	struct publisher p = published(LIST, 120000, 1, 0);
	char path[300], hex[2 * HASH_LEN + 1];
	sim_init(&s, test_dir(), 17);
	sim_add(&s, &p);
	sim_publish(&s);
	s.chunk_ms = 1000;
	sim_line(&s, true);
	fetched_chunks = 9;
	CU_ASSERT_TRUE(sim_until(&s, some_chunks, HOUR));
	sim_line(&s, false);
	hex_encode(publisher_entry(&p, 1)->object.hash, HASH_LEN, hex);
	snprintf(path, sizeof(path), "%s/fetch/%s.part", s.dir, hex);
	FILE *f = fopen(path, "r+b");
	if (f == NULL)
		abort();
	fseek(f, 70000, SEEK_SET);
	fputs("spoiled", f);
	fclose(f);
	sim_restart(&s, 0);
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, HOUR));
	CU_ASSERT_TRUE(answers(&s, &p, 1));
	done(&s, &p);
}

static void a_slow_line_is_not_choked_with_repetitions(void)
{
	struct sim s;
	struct publisher p = published(LIST, 120000, 1, 0);
	sim_init(&s, test_dir(), 18);
	sim_add(&s, &p);
	sim_publish(&s);
	s.chunk_ms = 20000; /* 3 KB/s */
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, 30 * MINUTE));
	CU_ASSERT_TRUE(s.chunks_sent <= 17 + 12);
	CU_ASSERT_TRUE(answers(&s, &p, 1));
	done(&s, &p);
}

static void a_line_that_breaks_again_and_again_gets_there_by_progress(void)
{
	struct sim s;
	struct publisher p = published(LIST, 120000, 1, 0);
	sim_init(&s, test_dir(), 19);
	sim_add(&s, &p);
	sim_publish(&s);
	s.chunk_ms = 5000;
	for (int i = 0; i < 40 && !sim_is_current(&s); i++) {
		sim_line(&s, true);
		sim_run(&s, 20000);
		sim_line(&s, false);
		sim_run(&s, 20000);
	}
	CU_ASSERT_TRUE(sim_is_current(&s));
	CU_ASSERT_TRUE(answers(&s, &p, 1));
	done(&s, &p);
}

static void after_200_releases_offline_it_ends_at_the_newest_by_the_cheaper_way(void)
{
	struct sim s;
	struct publisher p = published(LIST, 5000, 1, 0);
	caught_up(&s, &p, 20);
	sim_line(&s, false);
	for (uint64_t i = 0; i < 200; i++)
		publisher_change(&p, 3, 1000 + i);
	sim_run(&s, 48 * HOUR);
	sim_publish(&s);
	uint64_t chunks = sim_info(&s).chunks;
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, 10 * MINUTE));
	CU_ASSERT_TRUE(answers(&s, &p, 201));
	CU_ASSERT_TRUE(sim_info(&s).deltas > 1);
	CU_ASSERT_EQUAL(sim_info(&s).snapshots, 1);
	CU_ASSERT_TRUE(sim_info(&s).chunks - chunks < 20);
	CU_ASSERT_EQUAL(sim_info(&s).faults, 0);
	/* Where most has changed, the snapshot is the cheaper. */
	sim_line(&s, false);
	for (uint64_t i = 0; i < 50; i++)
		publisher_change(&p, 150, 2000 + i);
	sim_publish(&s);
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, 10 * MINUTE));
	CU_ASSERT_TRUE(answers(&s, &p, 251));
	CU_ASSERT_EQUAL(sim_info(&s).snapshots, 2);
	done(&s, &p);
}

static bool is_shown(struct sim *s)
{
	return sim_list(s, LIST).fault[0] != 0;
}

static void an_empty_list_is_refused_until_an_operator_has_forced_it(void)
{
	struct sim s;
	struct publisher p = published(LIST, 1000, 1, 0);
	struct set none = set_new(0, 1);
	caught_up(&s, &p, 21);
	publisher_release(&p, &none);
	sim_publish(&s);
	uint64_t sent = s.chunks_sent;
	CU_ASSERT_TRUE(sim_until(&s, is_shown, MINUTE));
	sim_run(&s, HOUR);
	CU_ASSERT_TRUE(answers(&s, &p, 1));
	CU_ASSERT_EQUAL(s.chunks_sent, sent); /* not fetched in vain over and over */
	p.editions[1].entry.forced_version = 2;
	sim_publish(&s);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, MINUTE));
	CU_ASSERT_TRUE(answers(&s, &p, 2));
	CU_ASSERT_EQUAL(sim_list(&s, LIST).fault[0], 0);
	set_free(&none);
	done(&s, &p);
}

static void a_damaged_list_is_fetched_afresh_though_its_version_is_the_newest(void)
{
	struct sim s;
	struct publisher p = published(LIST, 1000, 1, 0);
	char path[300], hex[2 * HASH_LEN + 1];
	caught_up(&s, &p, 22);
	hex_encode(publisher_entry(&p, 1)->object.hash, HASH_LEN, hex);
	snprintf(path, sizeof(path), "%s/lists/%s", s.dir, hex);
	FILE *f = fopen(path, "r+b");
	if (f == NULL)
		abort();
	fseek(f, 3000, SEEK_SET);
	fputs("bent", f);
	fclose(f);
	sim_restart(&s, 0);
	CU_ASSERT_TRUE(sim_list(&s, LIST).damaged);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, MINUTE));
	CU_ASSERT_TRUE(answers(&s, &p, 1));
	done(&s, &p);
}

static void a_key_that_was_wiped_is_asked_for_again_though_the_list_is_there(void)
{
	struct sim s;
	struct publisher p = published(LIST, 1000, 1, 0);
	caught_up(&s, &p, 24);
	lists_wipe(s.lists);
	CU_ASSERT_FALSE(answers(&s, &p, 1));
	sim_run(&s, MINUTE);
	CU_ASSERT_TRUE(answers(&s, &p, 1));
	CU_ASSERT_EQUAL(sim_info(&s).snapshots, 1); /* and only the key */
	done(&s, &p);
}

static void a_full_disk_keeps_the_old_version_and_the_next_try_succeeds(void)
{
	struct sim s;
	struct publisher p = published(LIST, 60000, 1, 0);
	struct rlimit old, small;
	caught_up(&s, &p, 23);
	struct set other = set_new(61000, 77);
	p.forced_version = 2;
	publisher_release(&p, &other);
	sim_publish(&s);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = 300000;
	setrlimit(RLIMIT_FSIZE, &small);
	CU_ASSERT_TRUE(sim_until(&s, is_shown, MINUTE));
	sim_run(&s, 10 * MINUTE);
	CU_ASSERT_TRUE(answers(&s, &p, 1));
	setrlimit(RLIMIT_FSIZE, &old);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, 30 * MINUTE));
	CU_ASSERT_TRUE(answers(&s, &p, 2));
	set_free(&other);
	done(&s, &p);
}

static void a_list_of_a_new_epoch_is_switched_to_once_its_key_is_here(void)
{
	struct sim s;
	struct publisher p = published(LIST, 1000, 1, 0), next;
	struct set set = set_new(1000, 4);
	caught_up(&s, &p, 24);
	publisher_init(&next, LIST, 4);
	publisher_release(&next, &set);
	publisher_release(&next, &set);
	s.publishers[0] = &next;
	s.no_keys = true;
	sim_publish(&s);
	sim_run(&s, 5 * MINUTE);
	CU_ASSERT_TRUE(answers(&s, &p, 1));
	CU_ASSERT_NOT_EQUAL(sim_list(&s, LIST).fault[0], 0);
	s.no_keys = false;
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, 30 * MINUTE));
	CU_ASSERT_TRUE(answers(&s, &next, 2));
	set_free(&set);
	publisher_clear(&next);
	done(&s, &p);
}

static void a_document_that_does_not_parse_leaves_the_old_one_and_the_lists_go_on(void)
{
	struct sim s;
	struct publisher p = published(LIST, 1000, 1, 0);
	struct buf doc = rules();
	sim_init(&s, test_dir(), 25);
	sim_add(&s, &p);
	sim_document(&s, DOCUMENT_RULES, 1, buf_bytes(&doc));
	sim_publish(&s);
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, MINUTE));
	sim_document(&s, DOCUMENT_RULES, 2, bytes_of("no rules"));
	publisher_change(&p, 10, 5);
	sim_publish(&s);
	sim_run(&s, MINUTE);
	CU_ASSERT_EQUAL(documents_version(s.documents_held, DOCUMENT_RULES), 1);
	CU_ASSERT_PTR_NOT_NULL(documents_policy(s.documents_held)->rules);
	CU_ASSERT_TRUE(sim_info(&s).faults > 0);
	CU_ASSERT_TRUE(answers(&s, &p, 2));
	sim_document(&s, DOCUMENT_RULES, 3, buf_bytes(&doc));
	sim_publish(&s);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, MINUTE));
	buf_clear(&doc);
	done(&s, &p);
}

/* The journal */

static void every_row_reaches_central_exactly_once_over_a_line_that_loses_and_doubles(void)
{
	struct sim s;
	struct publisher p = published(LIST, 100, 1, 0);
	sim_init(&s, test_dir(), 26);
	sim_add(&s, &p);
	s.lose = 30;
	s.twice = 30;
	s.delay_ms = 3000;
	sim_publish(&s);
	sim_line(&s, true);
	unsigned rows = 0;
	for (int i = 0; i < 60; i++) {
		unsigned n = (unsigned)(set_random(&s.seed) % 40);
		sim_record(&s, n);
		rows += n;
		sim_run(&s, (int64_t)(set_random(&s.seed) % 20000));
		if (i % 10 == 5)
			sim_restart(&s, 0);
		if (i % 7 == 3)
			sim_line(&s, false);
		if (i % 7 == 5)
			sim_line(&s, true);
	}
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_acknowledged, HOUR));
	CU_ASSERT_EQUAL(s.rows_len, rows);
	CU_ASSERT_TRUE(s.doubled > 0); /* it did come to that */
	done(&s, &p);
}

static void rows_that_central_has_lost_are_sent_again(void)
{
	struct sim s;
	struct publisher p = published(LIST, 100, 1, 0);
	caught_up(&s, &p, 27);
	sim_record(&s, 100);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_acknowledged, MINUTE));
	while (s.rows_len > 40)
		buf_clear(&s.rows[--s.rows_len].bytes); /* restored from an older copy */
	sim_record(&s, 10);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_acknowledged, 10 * MINUTE));
	sim_run(&s, MINUTE);
	CU_ASSERT_EQUAL(s.rows_len, 110);
	done(&s, &p);
}

static void a_journal_of_another_epoch_is_a_fault_that_is_shown(void)
{
	struct sim s;
	struct publisher p = published(LIST, 100, 1, 0);
	struct record_info info;
	caught_up(&s, &p, 28);
	sim_record(&s, 10);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_acknowledged, MINUTE));
	memset(s.epoch, 7, sizeof(s.epoch)); /* central knows this branch by another epoch */
	sim_record(&s, 10);
	sim_run(&s, 10 * MINUTE);
	CU_ASSERT_TRUE(s.conflicts >= 2 && s.conflicts < 30);
	CU_ASSERT_PTR_NOT_NULL(strstr(sim_info(&s).last_fault, "epoch"));
	record_info(s.record, &info);
	CU_ASSERT_EQUAL(info.acknowledged, 10);
	CU_ASSERT_EQUAL(info.last, 20);
	done(&s, &p);
}

static void what_is_reported_is_what_answers(void)
{
	struct sim s;
	struct publisher p = published(LIST, 20000, 1, 0);
	caught_up(&s, &p, 29);
	sim_run(&s, 10000);
	uint64_t statuses = s.statuses;
	s.chunk_ms = 20000;
	publisher_change(&p, 300, 5);
	sim_publish(&s);
	for (int i = 0; i < 20 && !sim_is_current(&s); i++) {
		CU_ASSERT_EQUAL(s.status.lists[0].version, 1);
		sim_run(&s, 1000);
	}
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, 10 * MINUTE));
	sim_run(&s, 10000);
	CU_ASSERT_EQUAL(s.status.lists[0].version, 2);
	CU_ASSERT_TRUE(s.statuses > statuses);
	done(&s, &p);
}

static void a_central_that_comes_back_after_the_branch_hears_what_it_has(void)
{
	struct sim s;
	struct publisher p = published(LIST, 1000, 1, 0);
	caught_up(&s, &p, 30);
	sim_run(&s, MINUTE);
	sim_line(&s, false);
	s.silent = s.deaf = true;
	sim_line(&s, true);
	sim_record(&s, 3);
	sim_run(&s, 30000);
	uint64_t statuses = s.statuses;
	s.silent = s.deaf = false;
	sim_publish(&s);
	sim_run(&s, 5000);
	CU_ASSERT_TRUE(s.statuses > statuses);
	CU_ASSERT_TRUE(s.status.hello);
	CU_ASSERT_EQUAL(s.status.journal_last, 3);
	done(&s, &p);
}

/* Everything at once, from many seeds. */

static void storm(uint64_t seed)
{
	struct sim s;
	struct publisher p = published(LIST, 9000, 1, 0), q = published("white-sample", 300, 1, 0);
	sim_init(&s, test_dir(), seed);
	sim_add(&s, &p);
	sim_add(&s, &q);
	s.lose = (unsigned)(set_random(&seed) % 40);
	s.twice = (unsigned)(set_random(&seed) % 40);
	s.bend = (unsigned)(set_random(&seed) % 30);
	s.delay_ms = (int64_t)(set_random(&seed) % 5000);
	s.no_retained = set_random(&seed) % 2 == 0;
	unsigned rows = 0;
	for (int i = 0; i < 12; i++) {
		uint64_t roll = set_random(&seed);
		publisher_change(roll % 2 == 0 ? &p : &q, 3, seed + 1);
		sim_publish(&s);
		sim_line(&s, roll % 3 != 0);
		sim_record(&s, (unsigned)(roll >> 8) % 20);
		rows += (unsigned)(roll >> 8) % 20;
		sim_run(&s, (int64_t)(roll >> 16) % (5 * MINUTE));
		if (roll % 5 == 0)
			sim_restart(&s, (int64_t)(roll >> 32));
		CU_ASSERT_TRUE(sim_list(&s, LIST).version == 0 || answers(&s, &p, sim_list(&s, LIST).version));
	}
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, sim_is_current, 6 * HOUR));
	CU_ASSERT_TRUE(sim_until(&s, sim_is_acknowledged, 6 * HOUR));
	CU_ASSERT_TRUE(answers(&s, &p, p.editions_len));
	CU_ASSERT_TRUE(answers(&s, &q, q.editions_len));
	CU_ASSERT_EQUAL(s.rows_len, rows);
	publisher_clear(&q);
	done(&s, &p);
}

static void it_ends_at_the_newest_over_any_line(void)
{
	for (uint64_t seed = 0; seed < 16; seed++)
		storm(seed * 1000);
}

static CU_TestInfo tests[] = {
	{ "a new branch fetches documents, keys and lists and says what it has",
	  a_new_branch_fetches_documents_keys_and_lists_and_says_what_it_has },
	{ "a new branch has its documents before any list", a_new_branch_has_its_documents_before_any_list },
	{ "a branch that ends as it fetches says no more over its line",
	  a_branch_that_ends_as_it_fetches_says_no_more_over_its_line },
	{ "a head with a bad signature is refused and changes nothing",
	  a_head_with_a_bad_signature_is_refused_and_changes_nothing },
	{ "an older head is refused and does not block the next",
	  an_older_head_is_refused_and_does_not_block_the_next },
	{ "the same head again is harmless", the_same_head_again_is_harmless },
	{ "an expired head is remembered but confirms nothing", an_expired_head_is_remembered_but_confirms_nothing },
	{ "a clock set back or forward does not block updates", a_clock_set_back_or_forward_does_not_block_updates },
	{ "an update comes as a delta", an_update_comes_as_a_delta },
	{ "a release without a delta comes as a snapshot", a_release_without_a_delta_comes_as_a_snapshot },
	{ "a delta that gives a wrong fingerprint is replaced by the snapshot",
	  a_delta_that_gives_a_wrong_fingerprint_is_replaced_by_the_snapshot },
	{ "a delta from another version is replaced by the snapshot",
	  a_delta_from_another_version_is_replaced_by_the_snapshot },
	{ "a delta that is nowhere to be had is replaced by the snapshot",
	  a_delta_that_is_nowhere_to_be_had_is_replaced_by_the_snapshot },
	{ "an oversized count is refused before anything is fetched",
	  an_oversized_count_is_refused_before_anything_is_fetched },
	{ "a wrong hash keeps the old version and is shown", a_wrong_hash_keeps_the_old_version_and_is_shown },
	{ "a bent chunk is refused and fetched again alone", a_bent_chunk_is_refused_and_fetched_again_alone },
	{ "what the broker does not keep is asked of central", what_the_broker_does_not_keep_is_asked_of_central },
	{ "a fetch goes on where a restart has cut it", a_fetch_goes_on_where_a_restart_has_cut_it },
	{ "a part that was spoiled meanwhile is fetched again", a_part_that_was_spoiled_meanwhile_is_fetched_again },
	{ "a slow line is not choked with repetitions", a_slow_line_is_not_choked_with_repetitions },
	{ "a line that breaks again and again gets there by progress",
	  a_line_that_breaks_again_and_again_gets_there_by_progress },
	{ "after 200 releases offline it ends at the newest by the cheaper way",
	  after_200_releases_offline_it_ends_at_the_newest_by_the_cheaper_way },
	{ "an empty list is refused until an operator has forced it",
	  an_empty_list_is_refused_until_an_operator_has_forced_it },
	{ "a damaged list is fetched afresh though its version is the newest",
	  a_damaged_list_is_fetched_afresh_though_its_version_is_the_newest },
	{ "a key that was wiped is asked for again though the list is there",
	  a_key_that_was_wiped_is_asked_for_again_though_the_list_is_there },
	{ "a full disk keeps the old version and the next try succeeds",
	  a_full_disk_keeps_the_old_version_and_the_next_try_succeeds },
	{ "a list of a new epoch is switched to once its key is here",
	  a_list_of_a_new_epoch_is_switched_to_once_its_key_is_here },
	{ "a document that does not parse leaves the old one, and the lists go on",
	  a_document_that_does_not_parse_leaves_the_old_one_and_the_lists_go_on },
	{ "every row reaches central exactly once over a line that loses and doubles",
	  every_row_reaches_central_exactly_once_over_a_line_that_loses_and_doubles },
	{ "rows that central has lost are sent again", rows_that_central_has_lost_are_sent_again },
	{ "a journal of another epoch is a fault that is shown",
	  a_journal_of_another_epoch_is_a_fault_that_is_shown },
	{ "what is reported is what answers", what_is_reported_is_what_answers },
	{ "a central that comes back after the branch hears what it has",
	  a_central_that_comes_back_after_the_branch_hears_what_it_has },
	{ "it ends at the newest over any line", it_ends_at_the_newest_over_any_line },
	CU_TEST_INFO_NULL,
};

SUITE(branch_sync, NULL, NULL, tests);
