/* The core with a line of arrays, simulated time and a signer that can fail. */
#include "central/branch/branches.h"
#include "central/branch/journals.h"
#include "central/release/updates.h"
#include "protocol/tag.h"
#include "tests/support/centre.h"
#include "tests/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENT_MAX 4096

struct sent {
	char topic[TOPIC_MAX];
	uint8_t *data; /* owned */
	size_t len;
	bool retain;
	uint32_t expiry_s;
};

struct stage {
	struct centre centre;
	struct central_sync *sync;
	struct instant now;
	/* line */
	struct sent sent[SENT_MAX];
	size_t sent_len;
	unsigned room; /* publications that still fit, then ERR_FULL */
	unsigned subscribed;
	/* signer */
	bool signer_down, signer_mute;
	uint64_t sequences[2048]; /* every one it was asked to sign */
	size_t sequences_len;
	/* a branch */
	uint8_t seal_scalar[SCALAR_LEN], seal_point[POINT_LEN];
};

static struct stage *st;

static bool stage_publish(void *arg, const char *topic, struct bytes payload, bool retain, uint32_t expiry_s,
			  struct err *e)
{
	struct stage *s = arg;
	if (s->room == 0)
		return err_set(e, ERR_FULL, "too much is on its way");
	s->room--;
	CU_ASSERT_TRUE_FATAL(s->sent_len < SENT_MAX);
	struct sent *m = &s->sent[s->sent_len++];
	*m = (struct sent){ .len = payload.len, .retain = retain, .expiry_s = expiry_s };
	snprintf(m->topic, sizeof(m->topic), "%s", topic);
	m->data = malloc(payload.len + 1);
	if (m->data == NULL)
		abort();
	if (payload.len > 0)
		memcpy(m->data, payload.data, payload.len);
	return true;
}

static bool stage_subscribe(void *arg, const char *filter, struct err *e)
{
	struct stage *s = arg;
	(void)e;
	CU_ASSERT_STRING_EQUAL(filter, "xb/1/up/+/+");
	s->subscribed++;
	return true;
}

static bool stage_sign(void *arg, struct bytes payload, struct err *e)
{
	struct stage *s = arg;
	struct head h;
	struct buf message;
	if (s->signer_down)
		return err_set(e, ERR_IO, "the signer is not running");
	CU_ASSERT_TRUE_FATAL(head_decode(payload, &h, NULL));
	CU_ASSERT_TRUE_FATAL(s->sequences_len < 2048);
	s->sequences[s->sequences_len++] = h.sequence;
	if (!s->signer_mute) {
		buf_init(&message, COSE_MAX);
		CU_ASSERT_TRUE_FATAL(
			head_sign(&h, s->centre.head_scalar, s->centre.head_point, &random_system, &message, NULL));
		central_sync_signed(s->sync, buf_bytes(&message), NULL, s->now);
		buf_clear(&message);
	}
	head_clear(&h);
	return true;
}

static void sync_start(uint64_t push_size_max)
{
	struct central_sync_config c = {
		.release = &st->centre.release,
		.transport = { st, stage_publish, stage_subscribe, stage_subscribe },
		.signer = { st, stage_sign },
		.push_size_max = push_size_max,
		.seal_scalar = st->centre.seal_scalar,
		.seal_point = st->centre.seal_point,
	};
	st->sync = central_sync_new(&c);
}

static void stage_open(void)
{
	st = calloc(1, sizeof(*st));
	if (st == NULL)
		abort();
	st->now = (struct instant){ 1000, CENTRE_NOW_S };
	st->room = UINT32_MAX;
	centre_open(&st->centre);
	key_new(&random_system, st->seal_scalar, st->seal_point);
	centre_enrol(&st->centre, "b1", st->seal_point);
	sync_start(0);
}

static void sent_clear(void)
{
	for (size_t i = 0; i < st->sent_len; i++)
		free(st->sent[i].data);
	st->sent_len = 0;
}

static void stage_close(void)
{
	sent_clear();
	central_sync_free(st->sync);
	centre_close(&st->centre);
	free(st);
	st = NULL;
}

/* Lets the core run as it asks to, for so long. */
static void pass(int64_t ms)
{
	int64_t until = st->now.ms + ms, base_ms = st->now.ms, base_s = st->now.s;
	for (int64_t next = st->now.ms; next <= until;) {
		if (next > st->now.ms)
			st->now = (struct instant){ next, base_s + (next - base_ms) / 1000 };
		next = central_sync_run(st->sync, st->now);
		if (next <= st->now.ms)
			next = st->now.ms + 1;
	}
	st->now = (struct instant){ until, base_s + ms / 1000 };
}

static void message(const char *branch, const char *what, const struct buf *payload)
{
	char topic[TOPIC_MAX];
	topic_up(branch, what, topic);
	central_sync_message(st->sync, topic, buf_bytes(payload), st->now);
}

static size_t sent_count(const char *topic)
{
	size_t n = 0;
	for (size_t i = 0; i < st->sent_len; i++)
		n += strcmp(st->sent[i].topic, topic) == 0;
	return n;
}

static const struct sent *sent_last(const char *topic)
{
	for (size_t i = st->sent_len; i > 0; i--) {
		if (strcmp(st->sent[i - 1].topic, topic) == 0)
			return &st->sent[i - 1];
	}
	return NULL;
}

static struct head head_last(void)
{
	struct head h = { 0 };
	const struct sent *m = sent_last(TOPIC_HEAD);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	if (m == NULL)
		abort();
	CU_ASSERT_TRUE(m->retain);
	CU_ASSERT_TRUE_FATAL(head_open((struct bytes){ m->data, m->len }, st->centre.head_point, &h, NULL));
	return h;
}

static void assert_rising(void)
{
	for (size_t i = 1; i < st->sequences_len; i++)
		CU_ASSERT_TRUE(st->sequences[i] > st->sequences[i - 1]);
}

static struct central_sync_info info(void)
{
	struct central_sync_info i;
	central_sync_info(st->sync, &i);
	return i;
}

/* --- the head --- */

static void test_a_signed_head_goes_out_each_minute_under_a_rising_sequence(void)
{
	stage_open();
	centre_publish_document(&st->centre, "rules");
	pass(300000);
	CU_ASSERT_EQUAL(st->sent_len, 0); /* not before the line is up */
	central_sync_up(st->sync, st->now);
	pass(10 * 60000 + 100);
	CU_ASSERT_EQUAL(st->subscribed, 1);
	CU_ASSERT_EQUAL(sent_count(TOPIC_HEAD), 11);
	struct head h = head_last();
	CU_ASSERT_EQUAL(h.entries_len, 1);
	CU_ASSERT_EQUAL(h.issued_s, st->now.s);
	CU_ASSERT_EQUAL(h.expires_s, h.issued_s + CENTRAL_HEAD_S);
	head_clear(&h);
	assert_rising();
	stage_close();
}

static void test_a_release_changes_the_head_at_once(void)
{
	stage_open();
	centre_publish_document(&st->centre, "rules");
	central_sync_up(st->sync, st->now);
	pass(5000);
	sent_clear();
	centre_publish_document(&st->centre, "catalogue");
	central_sync_released(st->sync);
	pass(100);
	CU_ASSERT_EQUAL(sent_count(TOPIC_HEAD), 1);
	struct head h = head_last();
	CU_ASSERT_PTR_NOT_NULL(head_find(&h, "catalogue"));
	head_clear(&h);
	stage_close();
}

static void test_no_sequence_is_used_twice_whatever_becomes_of_signer_line_and_process(void)
{
	stage_open();
	centre_publish_document(&st->centre, "rules");
	for (unsigned round = 0; round < 12; round++) {
		st->signer_down = round % 4 == 1;
		st->signer_mute = round % 4 == 2;
		st->room = round % 3 == 0 ? 0 : UINT32_MAX;
		central_sync_up(st->sync, st->now);
		pass(25000);
		if (round % 2 == 1)
			central_sync_down(st->sync, st->now);
		central_sync_free(st->sync); /* the process dies … */
		centre_reopen(&st->centre);  /* … and another starts */
		st->now.s -= 3000;           /* with a clock that was set back */
		sync_start(0);
	}
	CU_ASSERT_TRUE(st->sequences_len > 10);
	assert_rising();
	stage_close();
}

static void test_a_database_restored_from_an_old_copy_does_not_fall_behind_the_branches(void)
{
	stage_open();
	centre_publish_document(&st->centre, "rules");
	central_sync_up(st->sync, st->now);
	pass(5000);
	struct db *db = st->centre.db;
	CU_ASSERT_TRUE(db_exec(db, "CREATE TABLE copy AS SELECT * FROM meta", NULL));
	pass(3600000);
	uint64_t before = st->sequences[st->sequences_len - 1];
	CU_ASSERT_TRUE(db_exec(db, "DELETE FROM meta; INSERT INTO meta SELECT * FROM copy", NULL));
	pass(120000);
	CU_ASSERT_TRUE(st->sequences[st->sequences_len - 1] > before);
	assert_rising();
	stage_close();
}

static void test_a_signer_that_is_down_is_asked_again_and_the_last_head_goes_out_meanwhile(void)
{
	stage_open();
	centre_publish_document(&st->centre, "rules");
	central_sync_up(st->sync, st->now);
	pass(5000);
	sent_clear();
	st->signer_down = true;
	central_sync_down(st->sync, st->now);
	central_sync_up(st->sync, st->now);
	pass(30000);
	CU_ASSERT_EQUAL(sent_count(TOPIC_HEAD), 1);
	CU_ASSERT_TRUE(info().faults > 0);
	st->signer_down = false;
	pass(5000);
	CU_ASSERT_EQUAL(sent_count(TOPIC_HEAD), 2);
	stage_close();
}

static void test_what_the_signer_says_about_another_question_is_not_published(void)
{
	stage_open();
	struct head other = { .sequence = 1, .issued_s = 1, .expires_s = 2 };
	struct buf forged;
	buf_init(&forged, COSE_MAX);
	CU_ASSERT_TRUE_FATAL(
		head_sign(&other, st->centre.head_scalar, st->centre.head_point, &random_system, &forged, NULL));
	st->signer_mute = true;
	central_sync_signed(st->sync, buf_bytes(&forged), NULL, st->now); /* nobody asked */
	central_sync_up(st->sync, st->now);
	pass(100);
	central_sync_signed(st->sync, buf_bytes(&forged), NULL, st->now);
	pass(1000);
	CU_ASSERT_EQUAL(sent_count(TOPIC_HEAD), 0);
	buf_clear(&forged);
	stage_close();
}

/* --- objects --- */

static bool object_sent(const uint8_t hash[HASH_LEN], int64_t chunk)
{
	char topic[OBJECT_TOPIC_MAX];
	object_topic(hash, chunk, topic);
	const struct sent *m = sent_last(topic);
	if (m == NULL)
		return false;
	CU_ASSERT_TRUE(m->retain && m->expiry_s > 0);
	return true;
}

/* Every chunk of it was sent and is what the reference says. */
static void assert_object_sent(const struct object_ref *ref)
{
	char topic[OBJECT_TOPIC_MAX];
	object_topic(ref->hash, -1, topic);
	const struct sent *list = sent_last(topic);
	CU_ASSERT_PTR_NOT_NULL_FATAL(list);
	if (list == NULL)
		abort();
	struct bytes list_bytes = { list->data, list->len };
	CU_ASSERT_TRUE(object_list_check(ref, list_bytes, NULL));
	for (uint32_t i = 0; i < object_chunks(ref->size); i++) {
		object_topic(ref->hash, i, topic);
		const struct sent *m = sent_last(topic);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		if (m == NULL)
			abort();
		CU_ASSERT_TRUE(object_chunk_check(ref, list_bytes, i, (struct bytes){ m->data, m->len }, NULL));
	}
}

static void test_what_the_head_needs_and_is_small_is_pushed_after_each_connection(void)
{
	stage_open();
	centre_publish_document(&st->centre, "rules");
	centre_publish_list(&st->centre, 0, 300);
	centre_publish_list(&st->centre, 100, 300);
	for (unsigned times = 0; times < 2; times++) {
		central_sync_up(st->sync, st->now);
		pass(30000);
		struct head h = head_last();
		for (size_t i = 0; i < h.entries_len; i++) {
			assert_object_sent(&h.entries[i].object);
			if (h.entries[i].kind == HEAD_LIST)
				assert_object_sent(&h.entries[i].index);
		}
		const struct head_entry *list = head_find(&h, "black-test");
		CU_ASSERT_PTR_NOT_NULL_FATAL(list);
		struct file_map map;
		struct list_index x;
		CU_ASSERT_TRUE_FATAL(objects_map(&st->centre.objects, list->index.hash, &map, NULL));
		CU_ASSERT_TRUE_FATAL(list_index_decode(map.bytes, &x, NULL));
		CU_ASSERT_TRUE(x.edges_len > 0);
		for (size_t i = 0; i < x.edges_len; i++)
			assert_object_sent(&x.edges[i].object);
		list_index_clear(&x);
		file_unmap(&map);
		head_clear(&h);
		sent_clear();
		central_sync_down(st->sync, st->now); /* the broker lost its memory */
	}
	stage_close();
}

static void test_what_was_pushed_is_said_again_before_it_expires(void)
{
	stage_open();
	centre_publish_document(&st->centre, "rules");
	central_sync_up(st->sync, st->now);
	pass(30000);
	struct head h = head_last();
	sent_clear();
	pass(3600000);
	CU_ASSERT_FALSE(object_sent(h.entries[0].object.hash, 0));
	pass(CENTRAL_PUSH_EVERY_MS);
	CU_ASSERT_TRUE(object_sent(h.entries[0].object.hash, 0));
	CU_ASSERT_TRUE(CENTRAL_PUSH_EVERY_MS / 1000 < CENTRAL_PUSH_EXPIRY_S);
	head_clear(&h);
	stage_close();
}

static struct reply ask(const char *branch, enum query_type type, const struct buf *body)
{
	struct query q = { .type = type, .body = buf_bytes(body) };
	struct reply r = { .status = ERR_IO };
	struct buf payload;
	char topic[TOPIC_MAX];
	random_system.fill(random_system.arg, q.id, sizeof(q.id));
	buf_init(&payload, 4096);
	CU_ASSERT_TRUE_FATAL(query_encode(&q, &payload, NULL));
	message(branch, "query", &payload);
	pass(100);
	topic_down(branch, "reply", topic);
	const struct sent *m = sent_last(topic);
	if (m != NULL) {
		CU_ASSERT_TRUE(reply_decode((struct bytes){ m->data, m->len }, &r, NULL));
		CU_ASSERT_FALSE(m->retain);
		CU_ASSERT_EQUAL(memcmp(r.id, q.id, sizeof(q.id)), 0);
	}
	buf_clear(&payload);
	return r;
}

static struct reply ask_object(const char *branch, const uint8_t hash[HASH_LEN], int64_t first, uint32_t n)
{
	struct buf body;
	buf_init(&body, 256);
	CU_ASSERT_TRUE_FATAL(query_object_encode(hash, first, n, &body, NULL));
	struct reply r = ask(branch, QUERY_OBJECT, &body);
	buf_clear(&body);
	return r;
}

static void test_a_large_object_goes_out_when_asked_for_and_not_at_once_again(void)
{
	stage_open();
	central_sync_free(st->sync);
	sync_start(1000); /* everything above is large here */
	centre_publish_document(&st->centre, "rules");
	central_sync_up(st->sync, st->now);
	pass(10000);
	struct head h = head_last();
	const uint8_t *hash = h.entries[0].object.hash;
	char topic[OBJECT_TOPIC_MAX];
	object_topic(hash, 0, topic);
	CU_ASSERT_TRUE(object_sent(hash, -1));
	CU_ASSERT_FALSE(object_sent(hash, 0));
	CU_ASSERT_EQUAL(ask_object("b1", hash, 0, FETCH_WINDOW).status, ERR_NONE);
	CU_ASSERT_EQUAL(sent_count(topic), 1);
	for (unsigned i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(ask_object("b1", hash, 0, 1).status, ERR_NONE);
	CU_ASSERT_EQUAL(sent_count(topic), 1);
	pass(CENTRAL_ASK_AGAIN_MS);
	CU_ASSERT_EQUAL(ask_object("b1", hash, 0, 1).status, ERR_NONE);
	CU_ASSERT_EQUAL(sent_count(topic), 2);
	assert_object_sent(&h.entries[0].object);
	CU_ASSERT_EQUAL(ask_object("b1", hash, 2000, 1).status, ERR_MISSING);
	head_clear(&h);
	stage_close();
}

#define IMAGE_SIZE 150000000

/* Uploaded, released; the object's reference. */
static struct object_ref image_publish(struct release_context *c)
{
	static uint8_t piece[UPDATE_PIECE_MAX];
	struct update_draft d = { .arch = "arm64", .version = 1, .source = "", .operator= "alice" };
	struct file_map map;
	struct update u;
	struct release r;
	int64_t id = 0;
	memset(piece, 0, sizeof(piece));
	memcpy(piece, "hsqs", 4);
	piece[28] = 4;
	piece[40] = 100;
	for (size_t at = 0; at < IMAGE_SIZE; at += sizeof(piece)) {
		size_t n = IMAGE_SIZE - at < sizeof(piece) ? IMAGE_SIZE - at : sizeof(piece);
		CU_ASSERT_TRUE_FATAL(
			updates_upload(c, "arm64", "alice", (int64_t)at, (struct bytes){ piece, n }, NULL));
		piece[5]++; /* no two pieces alike */
	}
	CU_ASSERT_TRUE_FATAL(updates_draft(c, &d, &id, NULL) && release_submit(c, id, "alice", false, 1, NULL) &&
			     release_approve(c, id, "bob", 1, NULL) && release_publish(c, id, "bob", 1, NULL) &&
			     release_load(c, id, &r, NULL));
	CU_ASSERT_TRUE_FATAL(objects_map(c->objects, r.content.hash, &map, NULL) &&
			     update_parse(map.bytes, &u, NULL));
	struct object_ref image = u.object;
	update_clear(&u);
	file_unmap(&map);
	return image;
}

static void test_an_image_of_150_mb_goes_out_when_asked_for_its_chunk_list_in_one_message(void)
{
	stage_open();
	central_sync_up(st->sync, st->now);
	struct object_ref image = image_publish(&st->centre.release);
	char topic[OBJECT_TOPIC_MAX];
	CU_ASSERT_EQUAL(image.size, IMAGE_SIZE);
	pass(10000);
	CU_ASSERT_FALSE(object_sent(image.hash, -1)); /* nobody has asked */
	CU_ASSERT_EQUAL(ask_object("b1", image.hash, -1, 1).status, ERR_NONE);
	object_topic(image.hash, -1, topic);
	const struct sent *list = sent_last(topic);
	CU_ASSERT_PTR_NOT_NULL_FATAL(list);
	if (list == NULL)
		abort();
	struct bytes bytes = { list->data, list->len };
	CU_ASSERT_TRUE(bytes.len > OBJECT_CHUNK && bytes.len + 4096 <= MQTT_PACKET_MAX);
	CU_ASSERT_TRUE(object_list_check(&image, bytes, NULL));
	uint32_t last = object_chunks(image.size) - 1;
	CU_ASSERT_EQUAL(ask_object("b1", image.hash, last, 1).status, ERR_NONE);
	object_topic(image.hash, last, topic);
	const struct sent *m = sent_last(topic);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	if (m == NULL)
		abort();
	CU_ASSERT_TRUE(object_chunk_check(&image, bytes, last, (struct bytes){ m->data, m->len }, NULL));
	stage_close();
}

static void test_what_is_not_published_is_given_to_nobody(void)
{
	stage_open();
	struct object_ref ref;
	CU_ASSERT_TRUE_FATAL(objects_put(&st->centre.objects, bytes_of("a draft, say"), &ref, NULL));
	central_sync_up(st->sync, st->now);
	pass(1000);
	CU_ASSERT_EQUAL(ask_object("b1", ref.hash, 0, 1).status, ERR_MISSING);
	CU_ASSERT_FALSE(object_sent(ref.hash, 0));
	ref.hash[0] ^= 1;
	CU_ASSERT_EQUAL(ask_object("b1", ref.hash, -1, 1).status, ERR_MISSING);
	stage_close();
}

/* --- keys --- */

static struct reply ask_epoch(const char *branch, uint32_t epoch)
{
	struct buf body;
	buf_init(&body, 16);
	cbor_put_uint(&body, epoch);
	struct reply r = ask(branch, QUERY_EPOCH_KEY, &body);
	buf_clear(&body);
	return r;
}

static void test_an_epoch_key_is_sealed_to_the_branch_that_asks(void)
{
	stage_open();
	centre_publish_list(&st->centre, 0, 50);
	central_sync_up(st->sync, st->now);
	pass(1000);
	struct head h = head_last();
	uint32_t epoch = h.entries[0].epoch, got = 0, iterations = 0;
	uint8_t secret[32], wanted[32];
	struct reply r = ask_epoch("b1", epoch);
	CU_ASSERT_EQUAL_FATAL(r.status, ERR_NONE);
	CU_ASSERT_TRUE(
		tag_key_unseal(r.body, "b1", st->seal_scalar, st->seal_point, &got, &iterations, secret, NULL));
	CU_ASSERT_TRUE(release_epoch_load(&st->centre.release, epoch, &iterations, wanted, NULL));
	CU_ASSERT_EQUAL(got, epoch);
	CU_ASSERT_EQUAL(memcmp(secret, wanted, 32), 0);
	CU_ASSERT_FALSE(
		tag_key_unseal(r.body, "b2", st->seal_scalar, st->seal_point, &got, &iterations, secret, NULL));
	CU_ASSERT_EQUAL(ask_epoch("b1", epoch + 99).status, ERR_MISSING);
	head_clear(&h);
	stage_close();
}

/* Row 1 of a journal: the box was opened while it had this seal point. */
static void tamper_send(const char *branch, const uint8_t point[POINT_LEN], uint8_t epoch)
{
	char hex[2 * POINT_LEN + 1];
	struct buf body, row, text;
	hex_encode(point, POINT_LEN, hex);
	const struct journal_event event = { bytes_of(JOURNAL_EVENT_TAMPER), bytes_of(hex) };
	struct journal_row r = { .seq = 1, .time_s = CENTRE_NOW_S - 60, .kind = JOURNAL_EVENT };
	struct journal_batch b = { .epoch = { epoch }, .first = 1, .rows_len = 1 };
	buf_init(&body, 512);
	buf_init(&row, JOURNAL_ROW_MAX);
	buf_init(&text, OBJECT_CHUNK);
	CU_ASSERT_TRUE_FATAL(journal_event_encode(&event, &body, NULL));
	r.body = buf_bytes(&body);
	CU_ASSERT_TRUE_FATAL(journal_row_encode(&r, &row, NULL));
	b.rows[0] = buf_bytes(&row);
	journal_start_hash(b.epoch, b.before);
	CU_ASSERT_TRUE_FATAL(journal_batch_encode(&b, &text, NULL));
	message(branch, "journal", &text);
	buf_clear(&body);
	buf_clear(&row);
	buf_clear(&text);
}

static void test_a_box_that_was_opened_is_given_no_keys_until_it_enrols_again(void)
{
	struct branch b;
	uint8_t scalar[SCALAR_LEN], old[POINT_LEN];
	stage_open();
	centre_publish_list(&st->centre, 0, 50);
	central_sync_up(st->sync, st->now);
	pass(1000);
	struct head h = head_last();
	uint32_t epoch = h.entries[0].epoch;
	head_clear(&h);
	CU_ASSERT_EQUAL(ask_epoch("b1", epoch).status, ERR_NONE);
	tamper_send("b1", st->seal_point, 1);
	CU_ASSERT_EQUAL(info().rows, 1);
	CU_ASSERT_EQUAL(centre_count(&st->centre, "SELECT count(*) FROM alarm WHERE code = 'board.tamper'"), 1);
	CU_ASSERT_TRUE(branches_find(st->centre.db, "b1", &b, NULL));
	CU_ASSERT_EQUAL(b.tampered_s, CENTRE_NOW_S - 60);
	CU_ASSERT_EQUAL(ask_epoch("b1", epoch).status, ERR_DENIED);
	/* Enrolled again, with a seal key of its own; what comes late speaks of the enrolment before. */
	memcpy(old, st->seal_point, POINT_LEN);
	key_new(&random_system, scalar, st->seal_point);
	CU_ASSERT_TRUE_FATAL(db_begin(st->centre.db, NULL) &&
			     db_run(st->centre.db, NULL,
				    "UPDATE branch SET seal_key = ?, tampered_s = 0 WHERE name = 'b1'", "b",
				    (struct bytes){ st->seal_point, POINT_LEN }) &&
			     db_commit(st->centre.db, NULL));
	CU_ASSERT_EQUAL(ask_epoch("b1", epoch).status, ERR_NONE);
	tamper_send("b1", old, 2);
	CU_ASSERT_EQUAL(info().rows, 2);
	CU_ASSERT_EQUAL(centre_count(&st->centre, "SELECT sum(times) FROM alarm WHERE code = 'board.tamper'"), 2);
	CU_ASSERT_EQUAL(ask_epoch("b1", epoch).status, ERR_NONE);
	stage_close();
}

/* --- who may speak --- */

static void status_make(struct status *s, struct buf *out, const uint8_t key[32])
{
	struct buf sealed;
	buf_init(&sealed, 512);
	if (key != NULL) {
		CU_ASSERT_TRUE_FATAL(seal_to(st->centre.seal_point, &random_system, bytes_of("xb/1/journal-key/b1"),
					     (struct bytes){ key, 32 }, &sealed, NULL));
		s->hello = true;
		s->journal_key = buf_bytes(&sealed);
	}
	CU_ASSERT_TRUE_FATAL(status_encode(s, out, NULL));
	buf_clear(&sealed);
}

static void batch_make(uint64_t first, unsigned rows, struct buf *out)
{
	static struct buf encoded[JOURNAL_BATCH];
	struct journal_batch b = { .epoch = { 1, 2, 3 }, .first = first, .rows_len = rows };
	const struct journal_event event = { bytes_of("test.event"), bytes_of("") };
	uint8_t hash[HASH_LEN];
	struct buf body;
	buf_init(&body, 256);
	CU_ASSERT_TRUE_FATAL(journal_event_encode(&event, &body, NULL));
	journal_start_hash(b.epoch, hash);
	for (uint64_t seq = 1; seq < first + rows; seq++) {
		struct journal_row r = { .seq = seq, .time_s = 1, .kind = JOURNAL_EVENT, .body = buf_bytes(&body) };
		struct buf one;
		buf_init(&one, 256);
		CU_ASSERT_TRUE_FATAL(journal_row_encode(&r, &one, NULL));
		if (seq == first)
			memcpy(b.before, hash, HASH_LEN);
		journal_next_hash(hash, buf_bytes(&one), hash);
		if (seq < first) {
			buf_clear(&one);
			continue;
		}
		encoded[seq - first] = one;
		b.rows[seq - first] = buf_bytes(&one);
	}
	CU_ASSERT_TRUE_FATAL(journal_batch_encode(&b, out, NULL));
	for (unsigned i = 0; i < rows; i++)
		buf_clear(&encoded[i]);
	buf_clear(&body);
}

static void test_a_branch_that_is_unknown_waiting_or_revoked_is_not_listened_to(void)
{
	static const char *const names[] = { "nobody", "waiting", "revoked", "central" };
	char token[BRANCH_TOKEN_LEN + 1];
	struct status status = { .journal_first = 1 };
	struct buf batch, query, hello;
	stage_open();
	CU_ASSERT_TRUE_FATAL(
		branches_token_new(st->centre.db, &random_system, "waiting", "alice", 1, 60, token, NULL));
	centre_enrol(&st->centre, "revoked", st->seal_point);
	CU_ASSERT_TRUE_FATAL(branches_revoke(st->centre.db, "revoked", "alice", 1, NULL));
	buf_init(&batch, OBJECT_CHUNK);
	buf_init(&query, 256);
	buf_init(&hello, 4096);
	batch_make(1, 3, &batch);
	status_make(&status, &hello, NULL);
	struct query q = { .type = QUERY_EPOCH_KEY, .body = bytes_of("\x01") };
	CU_ASSERT_TRUE_FATAL(query_encode(&q, &query, NULL));
	central_sync_up(st->sync, st->now);
	pass(1000);
	sent_clear();
	for (size_t i = 0; i < 4; i++) {
		message(names[i], "journal", &batch);
		message(names[i], "query", &query);
		message(names[i], "status", &hello);
	}
	pass(1000);
	CU_ASSERT_EQUAL(info().refused, 12);
	CU_ASSERT_EQUAL(st->sent_len, 0);
	CU_ASSERT_EQUAL(centre_count(&st->centre, "SELECT count(*) FROM journal_row"), 0);
	CU_ASSERT_EQUAL(centre_count(&st->centre, "SELECT count(*) FROM journal_epoch"), 0);
	CU_ASSERT_EQUAL(centre_count(&st->centre, "SELECT times FROM alarm WHERE code = 'branch.revoked_speaks'"), 1);
	/* Revoked while it speaks: from the next message on. */
	message("b1", "journal", &batch);
	CU_ASSERT_EQUAL(info().rows, 3);
	CU_ASSERT_TRUE_FATAL(branches_revoke(st->centre.db, "b1", "alice", 1, NULL));
	message("b1", "journal", &batch);
	CU_ASSERT_EQUAL(info().refused, 13);
	buf_clear(&batch);
	buf_clear(&query);
	buf_clear(&hello);
	stage_close();
}

static void test_what_nobody_can_read_is_counted_and_changes_nothing(void)
{
	struct buf batch, cut;
	stage_open();
	central_sync_up(st->sync, st->now);
	buf_init(&batch, OBJECT_CHUNK);
	buf_init(&cut, OBJECT_CHUNK);
	batch_make(1, 2, &batch);
	size_t sent = 0;
	for (size_t len = 0; len < batch.len; len++) {
		static const char *const whats[] = { "journal", "query", "status", "ack" };
		buf_reset(&cut);
		buf_add(&cut, batch.data, len);
		message("b1", whats[len % 4], &cut);
		sent++;
	}
	static const char *const topics[] = {
		"xb/1/up/b1",         "xb/1/up/+/journal", "xb/1/up/b1/journal/x",  "xb/1/up//journal",
		"xb/1/up/B1/journal", "xb/1/down/b1/ack",  "xb/1/up/b1'--/journal", ""
	};
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		central_sync_message(st->sync, topics[i], buf_bytes(&batch), st->now);
		sent++;
	}
	CU_ASSERT_EQUAL(info().malformed, sent);
	CU_ASSERT_EQUAL(info().faults, 0);
	CU_ASSERT_EQUAL(centre_count(&st->centre, "SELECT count(*) FROM journal_row"), 0);
	buf_clear(&batch);
	buf_clear(&cut);
	stage_close();
}

/* --- status --- */

static void test_central_knows_what_a_branch_says_it_really_has(void)
{
	static const uint8_t key[32] = "a journal key";
	struct status s = { .clock_s = 5, .head_sequence = 8, .journal_first = 7, .journal_last = 9, .checks = 3 };
	struct buf out;
	stage_open();
	memcpy(s.journal_epoch, "epoch of a test.", JOURNAL_EPOCH_LEN);
	snprintf(s.software, sizeof(s.software), "test 1");
	s.lists_len = 1;
	s.lists[0] = (struct status_list){
		.name = "black-test", .version = 4, .hash = { 9 }, .count = 300, .fault = "disk full"
	};
	buf_init(&out, 8192);
	status_make(&s, &out, key);
	message("b1", "status", &out);
	message("b1", "status", &out);
	CU_ASSERT_EQUAL(info().statuses, 2);
	CU_ASSERT_EQUAL(centre_count(&st->centre,
				     "SELECT count(*) FROM branch WHERE name = 'b1' AND software = 'test 1'"
				     " AND clock_s = 5 AND checks = 3 AND last_seen_s > 0"),
			1);
	CU_ASSERT_EQUAL(centre_count(&st->centre,
				     "SELECT count(*) FROM branch_list WHERE branch = 'b1' AND version = 4"
				     " AND list = 'black-test' AND count = 300 AND fault = 'disk full'"),
			1);
	CU_ASSERT_EQUAL(centre_count(&st->centre, "SELECT count(*) FROM journal_epoch WHERE sealed_key IS NOT NULL"),
			1);
	/* Rows 1 to 6 are gone there and never came. */
	CU_ASSERT_EQUAL(centre_count(&st->centre, "SELECT count(*) FROM alarm WHERE code = 'journal.lost'"), 1);
	s.lists[0].version = 5;
	buf_reset(&out);
	status_make(&s, &out, key);
	message("b1", "status", &out);
	CU_ASSERT_EQUAL(centre_count(&st->centre, "SELECT version FROM branch_list"), 5);
	buf_clear(&out);
	stage_close();
}

/* --- journals --- */

/* What the branch knows to be acknowledged; UINT64_MAX when nothing came. */
static uint64_t acked(void)
{
	struct journal_ack a;
	const struct sent *m = sent_last("xb/1/down/b1/ack");
	if (m == NULL)
		return UINT64_MAX;
	CU_ASSERT_TRUE_FATAL(journal_ack_decode((struct bytes){ m->data, m->len }, &a, NULL));
	return a.seq;
}

static void test_an_acknowledgement_is_said_again_when_asked_for(void)
{
	struct buf body, batch;
	uint8_t epoch[JOURNAL_EPOCH_LEN] = { 1, 2, 3 };
	stage_open();
	central_sync_up(st->sync, st->now);
	buf_init(&body, 64);
	buf_init(&batch, OBJECT_CHUNK);
	cbor_put_bytes(&body, (struct bytes){ epoch, sizeof(epoch) });
	CU_ASSERT_EQUAL(ask("b1", QUERY_ACK, &body).status, ERR_NONE);
	CU_ASSERT_EQUAL(acked(), 0);
	batch_make(1, 5, &batch);
	message("b1", "journal", &batch);
	pass(100);
	CU_ASSERT_EQUAL(acked(), 5);
	sent_clear();
	CU_ASSERT_EQUAL(ask("b1", QUERY_ACK, &body).status, ERR_NONE);
	CU_ASSERT_EQUAL(acked(), 5);
	buf_clear(&body);
	buf_clear(&batch);
	stage_close();
}

/* One in three is lost, one in four comes twice, one in five late; central dies now and then. */
static void test_over_a_lossy_line_each_row_arrives_exactly_once(void)
{
	enum { ROWS = 500 };
	struct buf batch, late;
	uint64_t known = 0, seed = 42;
	unsigned turns = 0;
	stage_open();
	central_sync_up(st->sync, st->now);
	buf_init(&batch, OBJECT_CHUNK);
	buf_init(&late, OBJECT_CHUNK);
	for (; known < ROWS && turns < 5000; turns++) {
		seed = seed * 6364136223846793005U + 1442695040888963407U;
		unsigned dice = (unsigned)(seed >> 33);
		uint64_t first = known + 1 + (dice % 7 == 0 ? dice % 40 : 0); /* now and then it leaves some out */
		unsigned rows = 1 + dice % 9;
		if (first > ROWS)
			first = ROWS;
		if (first + rows - 1 > ROWS)
			rows = (unsigned)(ROWS - first + 1);
		buf_reset(&batch);
		batch_make(first, rows, &batch);
		if (dice % 5 == 1 && late.len == 0)
			buf_add(&late, batch.data, batch.len);
		else if (dice % 3 != 0)
			message("b1", "journal", &batch);
		if (dice % 4 == 0)
			message("b1", "journal", &batch);
		if (dice % 11 == 0 && late.len > 0) {
			message("b1", "journal", &late);
			buf_reset(&late);
		}
		if (dice % 50 == 0) {
			central_sync_free(st->sync);
			centre_reopen(&st->centre);
			sync_start(0);
			central_sync_up(st->sync, st->now);
		}
		pass(50);
		if (dice % 3 != 1 && acked() != UINT64_MAX && acked() > known)
			known = acked();
		sent_clear();
	}
	CU_ASSERT_EQUAL(known, ROWS);
	CU_ASSERT_EQUAL(centre_count(&st->centre, "SELECT count(*) FROM journal_row"), ROWS);
	CU_ASSERT_EQUAL(centre_count(&st->centre, "SELECT count(*) FROM alarm"), 0);
	CU_ASSERT_EQUAL(info().conflicts, 0);
	buf_clear(&batch);
	buf_clear(&late);
	stage_close();
}

static void test_what_finds_the_line_full_goes_out_later_and_answers_go_first(void)
{
	struct buf batch;
	stage_open();
	centre_publish_document(&st->centre, "rules");
	centre_publish_list(&st->centre, 0, 300);
	st->room = 0;
	central_sync_up(st->sync, st->now);
	pass(1000);
	buf_init(&batch, OBJECT_CHUNK);
	batch_make(1, 5, &batch);
	message("b1", "journal", &batch);
	st->room = 1;
	pass(1000);
	CU_ASSERT_EQUAL(st->sent_len, 1);
	CU_ASSERT_EQUAL(acked(), 5);
	for (unsigned i = 0; i < 100; i++) {
		st->room = 1;
		pass(100);
	}
	struct head h = head_last();
	for (size_t i = 0; i < h.entries_len; i++)
		assert_object_sent(&h.entries[i].object);
	head_clear(&h);
	buf_clear(&batch);
	stage_close();
}

static void test_one_turn_publishes_a_bounded_number(void)
{
	struct buf batch;
	stage_open();
	central_sync_up(st->sync, st->now);
	pass(1000);
	sent_clear();
	buf_init(&batch, OBJECT_CHUNK);
	batch_make(1, 5, &batch);
	for (unsigned i = 0; i < 1000; i++)
		message("b1", "journal", &batch);
	central_sync_run(st->sync, st->now);
	CU_ASSERT_EQUAL(st->sent_len, CENTRAL_BURST);
	CU_ASSERT_TRUE(info().dropped > 0); /* the queue of answers is bounded too: branches ask again */
	pass(10000);
	CU_ASSERT_TRUE(st->sent_len < 300);
	buf_clear(&batch);
	stage_close();
}

static CU_TestInfo tests[] = {
	{ "a signed head goes out each minute under a rising sequence",
	  test_a_signed_head_goes_out_each_minute_under_a_rising_sequence },
	{ "a release changes the head at once", test_a_release_changes_the_head_at_once },
	{ "no sequence is used twice, whatever becomes of signer, line and process",
	  test_no_sequence_is_used_twice_whatever_becomes_of_signer_line_and_process },
	{ "a database restored from an old copy does not fall behind the branches",
	  test_a_database_restored_from_an_old_copy_does_not_fall_behind_the_branches },
	{ "a signer that is down is asked again, and the last head goes out meanwhile",
	  test_a_signer_that_is_down_is_asked_again_and_the_last_head_goes_out_meanwhile },
	{ "what the signer says about another question is not published",
	  test_what_the_signer_says_about_another_question_is_not_published },
	{ "what the head needs and is small is pushed after each connection",
	  test_what_the_head_needs_and_is_small_is_pushed_after_each_connection },
	{ "what was pushed is said again before it expires", test_what_was_pushed_is_said_again_before_it_expires },
	{ "a large object goes out when asked for, and not at once again",
	  test_a_large_object_goes_out_when_asked_for_and_not_at_once_again },
	{ "an image of 150 MB goes out when asked for, its chunk list in one message",
	  test_an_image_of_150_mb_goes_out_when_asked_for_its_chunk_list_in_one_message },
	{ "what is not published is given to nobody", test_what_is_not_published_is_given_to_nobody },
	{ "an epoch key is sealed to the branch that asks", test_an_epoch_key_is_sealed_to_the_branch_that_asks },
	{ "a box that was opened is given no keys until it enrols again",
	  test_a_box_that_was_opened_is_given_no_keys_until_it_enrols_again },
	{ "a branch that is unknown, waiting or revoked is not listened to",
	  test_a_branch_that_is_unknown_waiting_or_revoked_is_not_listened_to },
	{ "what nobody can read is counted and changes nothing",
	  test_what_nobody_can_read_is_counted_and_changes_nothing },
	{ "central knows what a branch says it really has", test_central_knows_what_a_branch_says_it_really_has },
	{ "an acknowledgement is said again when asked for", test_an_acknowledgement_is_said_again_when_asked_for },
	{ "over a lossy line each row arrives exactly once", test_over_a_lossy_line_each_row_arrives_exactly_once },
	{ "what finds the line full goes out later, and answers go first",
	  test_what_finds_the_line_full_goes_out_later_and_answers_go_first },
	{ "one turn publishes a bounded number", test_one_turn_publishes_a_bounded_number },
	CU_TEST_INFO_NULL,
};
SUITE(central_sync, NULL, NULL, tests);
