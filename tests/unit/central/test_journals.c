#include "central/branch/journals.h"
#include "central/store/store.h"
#include "tests/test.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS_MAX 512

static const uint8_t epoch_one[JOURNAL_EPOCH_LEN] = "the first epoch";
static const uint8_t epoch_two[JOURNAL_EPOCH_LEN] = "another one, 16";

/* A branch's journal, encoded. */
struct source {
	uint8_t epoch[JOURNAL_EPOCH_LEN];
	size_t len;
	struct buf rows[ROWS_MAX];              /* row n is at n-1 */
	uint8_t hashes[ROWS_MAX + 1][HASH_LEN]; /* of row n at n; the start hash at 0 */
};

static void source_init(struct source *s, const uint8_t epoch[JOURNAL_EPOCH_LEN])
{
	*s = (struct source){ 0 };
	memcpy(s->epoch, epoch, JOURNAL_EPOCH_LEN);
	journal_start_hash(epoch, s->hashes[0]);
}

static void source_clear(struct source *s)
{
	for (size_t i = 0; i < s->len; i++)
		buf_clear(&s->rows[i]);
}

static void source_add_raw(struct source *s, struct bytes row)
{
	struct buf *b = &s->rows[s->len];
	buf_init(b, (size_t)JOURNAL_ROW_MAX * 2);
	buf_add(b, row.data, row.len);
	journal_next_hash(s->hashes[s->len], row, s->hashes[s->len + 1]);
	s->len++;
}

static void source_add(struct source *s, enum journal_kind kind, struct bytes body)
{
	struct buf row;
	struct journal_row r = {
		.seq = s->len + 1, .time_s = 1780000000 + (int64_t)s->len, .kind = kind, .body = body
	};
	buf_init(&row, JOURNAL_ROW_MAX);
	CU_ASSERT_TRUE_FATAL(journal_row_encode(&r, &row, NULL));
	source_add_raw(s, buf_bytes(&row));
	buf_clear(&row);
}

static void source_add_event(struct source *s, unsigned n)
{
	struct buf body;
	char text[32];
	buf_init(&body, 256);
	snprintf(text, sizeof(text), "event %u", n);
	cbor_put_map(&body, 2);
	cbor_put_uint(&body, 1);
	cbor_put_text(&body, "test");
	cbor_put_uint(&body, 2);
	cbor_put_text(&body, text);
	source_add(s, JOURNAL_EVENT, buf_bytes(&body));
	buf_clear(&body);
}

static struct journal_batch source_batch(const struct source *s, uint64_t first, size_t len)
{
	struct journal_batch b = { .first = first, .rows_len = len };
	memcpy(b.epoch, s->epoch, JOURNAL_EPOCH_LEN);
	memcpy(b.before, s->hashes[first - 1], HASH_LEN);
	for (size_t i = 0; i < len; i++)
		b.rows[i] = buf_bytes(&s->rows[first - 1 + i]);
	return b;
}

static struct db *central_open(const char *dir)
{
	struct db *db = store_open(dir, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db);
	CU_ASSERT_TRUE_FATAL(db_run(
		db, NULL,
		"INSERT INTO branch (name, enrolled_s, revoked_s, last_seen_s, software, clock_s, head_sequence,"
		" journal_first, journal_last, checks, faults, status_s)"
		" VALUES ('b1', 1, 0, 0, '', 0, 0, 0, 0, 0, 0, 0) ON CONFLICT (name) DO NOTHING",
		""));
	return db;
}

static int64_t count(struct db *db, const char *sql)
{
	int64_t n = -1;
	CU_ASSERT_TRUE(db_run_int(db, &n, NULL, sql, ""));
	return n;
}

static struct journals_result store(struct db *db, const struct journal_batch *b)
{
	struct journals_result r;
	struct err e = { 0 };
	CU_ASSERT_TRUE_FATAL(journals_store(db, "b1", b, 1790000000, &r, &e));
	return r;
}

struct scene {
	struct db *db;
	struct source source;
};

static struct scene scene_new(unsigned events)
{
	struct scene s = { .db = central_open(test_dir()) };
	source_init(&s.source, epoch_one);
	for (unsigned i = 0; i < events; i++)
		source_add_event(&s.source, i);
	return s;
}

static void scene_end(struct scene *s)
{
	source_clear(&s->source);
	db_close(s->db);
}

static void test_what_is_stored_is_acknowledged_by_its_hash(void)
{
	struct scene s = scene_new(30);
	struct journal_batch b = source_batch(&s.source, 1, 20);
	struct journals_result r = store(s.db, &b);
	CU_ASSERT_EQUAL(r.verdict, JOURNALS_STORED);
	CU_ASSERT_EQUAL(r.stored, 20);
	CU_ASSERT_EQUAL(r.ack.seq, 20);
	CU_ASSERT_EQUAL(memcmp(r.ack.hash, s.source.hashes[20], HASH_LEN), 0);
	CU_ASSERT_EQUAL(memcmp(r.ack.epoch, epoch_one, JOURNAL_EPOCH_LEN), 0);
	b = source_batch(&s.source, 21, 10);
	r = store(s.db, &b);
	CU_ASSERT_EQUAL(r.ack.seq, 30);
	CU_ASSERT_EQUAL(count(s.db, "SELECT count(*) FROM journal_row"), 30);
	struct journal_ack ack;
	CU_ASSERT_TRUE(journals_ack(s.db, "b1", epoch_one, &ack, NULL));
	CU_ASSERT_EQUAL(ack.seq, 30);
	CU_ASSERT_EQUAL(memcmp(ack.hash, s.source.hashes[30], HASH_LEN), 0);
	scene_end(&s);
}

static void test_a_batch_that_comes_again_is_stored_once_and_acknowledged_again(void)
{
	struct scene s = scene_new(30);
	struct journal_batch b = source_batch(&s.source, 1, 20), overlap = source_batch(&s.source, 11, 20);
	store(s.db, &b);
	struct journals_result r = store(s.db, &b);
	CU_ASSERT_EQUAL(r.verdict, JOURNALS_DUPLICATE);
	CU_ASSERT_EQUAL(r.ack.seq, 20);
	r = store(s.db, &overlap);
	CU_ASSERT_EQUAL(r.verdict, JOURNALS_STORED);
	CU_ASSERT_EQUAL(r.stored, 10);
	CU_ASSERT_EQUAL(r.ack.seq, 30);
	r = store(s.db, &b);
	CU_ASSERT_EQUAL(r.verdict, JOURNALS_DUPLICATE);
	CU_ASSERT_EQUAL(r.ack.seq, 30);
	CU_ASSERT_EQUAL(count(s.db, "SELECT count(*) FROM journal_row"), 30);
	CU_ASSERT_EQUAL(count(s.db, "SELECT count(*) FROM alarm"), 0);
	scene_end(&s);
}

static void test_behind_a_gap_nothing_is_stored_and_the_ack_says_where_to_go_on(void)
{
	struct scene s = scene_new(30);
	struct journal_batch b = source_batch(&s.source, 1, 5), late = source_batch(&s.source, 7, 5);
	store(s.db, &b);
	struct journals_result r = store(s.db, &late);
	CU_ASSERT_EQUAL(r.verdict, JOURNALS_GAP);
	CU_ASSERT_EQUAL(r.stored, 0);
	CU_ASSERT_EQUAL(r.ack.seq, 5);
	CU_ASSERT_EQUAL(memcmp(r.ack.hash, s.source.hashes[5], HASH_LEN), 0);
	CU_ASSERT_EQUAL(count(s.db, "SELECT count(*) FROM journal_row"), 5);
	scene_end(&s);
}

static void conflicts(struct db *db, const struct journal_batch *b, int64_t rows)
{
	struct journals_result r = store(db, b);
	CU_ASSERT_EQUAL(r.verdict, JOURNALS_CONFLICT);
	CU_ASSERT_EQUAL(r.stored, 0);
	CU_ASSERT_EQUAL(r.ack.seq, (uint64_t)rows);
	CU_ASSERT_EQUAL(count(db, "SELECT count(*) FROM journal_row"), rows);
}

static void test_what_contradicts_what_is_stored_is_refused_whole_and_raises_an_alarm(void)
{
	struct scene s = scene_new(20);
	struct source other;
	struct journal_batch b = source_batch(&s.source, 1, 10);
	store(s.db, &b);
	source_init(&other, epoch_one);
	for (unsigned i = 0; i < 20; i++)
		source_add_event(&other, i == 4 ? 99 : i);
	b = source_batch(&other, 1, 15); /* another row 5, with new rows behind */
	conflicts(s.db, &b, 10);
	b = source_batch(&other, 5, 1); /* the row alone */
	conflicts(s.db, &b, 10);
	b = source_batch(&other, 11, 5); /* the right place, another past */
	conflicts(s.db, &b, 10);
	CU_ASSERT_EQUAL(count(s.db, "SELECT times FROM alarm WHERE code = 'journal.conflict'"), 3);
	b = source_batch(&s.source, 11, 10);
	CU_ASSERT_EQUAL(store(s.db, &b).ack.seq, 20);
	source_clear(&other);
	scene_end(&s);
}

static void test_a_row_that_nobody_can_read_is_a_dead_letter_and_keeps_its_place(void)
{
	struct scene s = scene_new(3);
	source_add_raw(&s.source, bytes_of("not CBOR at all"));
	source_add(&s.source, JOURNAL_DECISION, bytes_of("\x01")); /* CBOR, and no decision */
	source_add_raw(&s.source, buf_bytes(&s.source.rows[0]));   /* calls itself row 1 */
	source_add_event(&s.source, 4);
	struct journal_batch b = source_batch(&s.source, 1, s.source.len);
	struct journals_result r = store(s.db, &b);
	CU_ASSERT_EQUAL(r.stored, 7);
	CU_ASSERT_EQUAL(r.dead, 3);
	CU_ASSERT_EQUAL(r.ack.seq, 7);
	CU_ASSERT_EQUAL(memcmp(r.ack.hash, s.source.hashes[7], HASH_LEN), 0);
	CU_ASSERT_EQUAL(count(s.db, "SELECT sum(seq) FROM journal_dead WHERE reason <> ''"), 4 + 5 + 6);
	CU_ASSERT_EQUAL(count(s.db, "SELECT count(*) FROM journal_row WHERE kind = 0"), 3);
	CU_ASSERT_EQUAL(store(s.db, &b).verdict, JOURNALS_DUPLICATE);
	scene_end(&s);
}

static void test_a_second_epoch_is_an_alarm_and_so_is_the_first_one_coming_back(void)
{
	struct scene s = scene_new(10);
	struct source clone;
	source_init(&clone, epoch_two);
	source_add_event(&clone, 1);
	struct journal_batch b = source_batch(&s.source, 1, 5), c = source_batch(&clone, 1, 1),
			     d = source_batch(&s.source, 6, 5);
	store(s.db, &b);
	CU_ASSERT_EQUAL(count(s.db, "SELECT count(*) FROM alarm"), 0);
	CU_ASSERT_EQUAL(store(s.db, &c).verdict, JOURNALS_STORED);
	CU_ASSERT_EQUAL(count(s.db, "SELECT count(*) FROM alarm WHERE code = 'journal.epoch_new'"), 1);
	CU_ASSERT_EQUAL(store(s.db, &d).ack.seq, 10);
	CU_ASSERT_EQUAL(count(s.db, "SELECT count(*) FROM alarm WHERE code = 'journal.epoch_back'"), 1);
	CU_ASSERT_EQUAL(count(s.db, "SELECT count(*) FROM journal_row"), 11);
	source_clear(&clone);
	scene_end(&s);
}

/* --- decisions --- */

static const uint8_t vault_key[32] = "vault key of a test, 32 bytes..";
static const uint8_t journal_key[32] = "journal key of a test, 32 bytes";

static void decision_body(struct buf *body, struct buf *sealed, uint8_t id)
{
	static struct decision d;
	d = (struct decision){ .id = { id }, .time_s = 1785000000, .outcome = OUTCOME_REFUSE, .follow_up = true };
	strcpy(d.request_id, "r1"); // NOLINT: fits
	strcpy(d.terminal, "kiosk-1");
	strcpy(d.business, "open_account");
	d.parties_len = 2;
	strcpy(d.parties[0].role, "subject");
	strcpy(d.parties[0].kind, "resident");
	strcpy(d.parties[0].masked, "110101********1234");
	strcpy(d.parties[1].role, "counterparty");
	strcpy(d.parties[1].kind, "name");
	strcpy(d.parties[1].masked, "王*");
	d.reasons_len = 2;
	strcpy(d.reasons[0].rule, "r-1");
	strcpy(d.reasons[0].code, "LISTED");
	d.reasons[0].outcome = OUTCOME_REFUSE;
	strcpy(d.reasons[1].rule, "r-2");
	strcpy(d.reasons[1].code, "STALE");
	d.reasons[1].outcome = OUTCOME_REFER;
	CU_ASSERT_TRUE_FATAL(aead_seal(journal_key, &random_system, (struct bytes){ d.id, DECISION_ID_LEN },
				       bytes_of("who it was"), sealed, NULL));
	d.sealed_subject = buf_bytes(sealed);
	CU_ASSERT_TRUE_FATAL(decision_encode(&d, body, NULL));
}

static void source_add_decision(struct source *s, uint8_t id)
{
	struct buf body, sealed;
	buf_init(&body, JOURNAL_ROW_MAX);
	buf_init(&sealed, 2048);
	decision_body(&body, &sealed, id);
	source_add(s, JOURNAL_DECISION, buf_bytes(&body));
	buf_clear(&body);
	buf_clear(&sealed);
}

static void test_a_decision_can_be_asked_for_by_its_columns(void)
{
	struct scene s = scene_new(1);
	source_add_decision(&s.source, 7);
	struct journal_batch b = source_batch(&s.source, 1, 2);
	CU_ASSERT_EQUAL(store(s.db, &b).dead, 0);
	CU_ASSERT_EQUAL(
		count(s.db, "SELECT count(*) FROM decision WHERE branch = 'b1' AND terminal = 'kiosk-1'"
			    " AND business = 'open_account' AND outcome = 4 AND follow_up = 1 AND time_s = 1785000000"
			    " AND masked = '110101********1234 / 王*' AND reasons = 'LISTED,STALE' AND seq = 2"),
		1);
	scene_end(&s);
}

static bool hello(struct db *db, const uint8_t key[32])
{
	bool ok = db_begin(db, NULL) &&
		  journals_hello(db, "b1", epoch_one, key, vault_key, &random_system, 1790000000, NULL) &&
		  db_commit(db, NULL);
	CU_ASSERT_TRUE(ok);
	return ok;
}

static void test_a_subject_is_unsealed_with_the_key_of_its_own_journal_and_no_other(void)
{
	struct scene s = scene_new(0);
	struct buf row, plain;
	int64_t epoch_id = 0;
	struct err e = { 0 };
	static struct decision d;
	struct journal_row r;
	const uint8_t id[DECISION_ID_LEN] = { 7 }, none[DECISION_ID_LEN] = { 8 };
	buf_init(&row, JOURNAL_ROW_MAX);
	buf_init(&plain, 4096);
	source_add_decision(&s.source, 7);
	struct journal_batch b = source_batch(&s.source, 1, 1);
	store(s.db, &b);
	CU_ASSERT_FALSE(journals_decision(s.db, none, NULL, &row, &epoch_id, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_TRUE_FATAL(journals_decision(s.db, id, NULL, &row, &epoch_id, &e));
	CU_ASSERT_TRUE_FATAL(journal_row_decode(buf_bytes(&row), &r, &e) && decision_decode(r.body, &d, &e));
	CU_ASSERT_FALSE(journals_unseal(s.db, epoch_id, &d, vault_key, &plain, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	hello(s.db, journal_key);
	CU_ASSERT_TRUE_FATAL(journals_unseal(s.db, epoch_id, &d, vault_key, &plain, &e));
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&plain), bytes_of("who it was")));
	CU_ASSERT_FALSE(journals_unseal(s.db, epoch_id, &d, journal_key, &plain, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	buf_clear(&row);
	buf_clear(&plain);
	scene_end(&s);
}

static void test_a_second_key_for_one_journal_is_an_alarm_and_the_first_is_kept(void)
{
	struct scene s = scene_new(0);
	hello(s.db, journal_key);
	hello(s.db, journal_key);
	CU_ASSERT_EQUAL(count(s.db, "SELECT count(*) FROM alarm"), 0);
	hello(s.db, vault_key);
	CU_ASSERT_EQUAL(count(s.db, "SELECT count(*) FROM alarm WHERE code = 'journal.key_changed'"), 1);
	scene_end(&s);
}

/* --- kill -9 --- */

/* Resends from what is committed until all is, in batches of odd sizes. */
static void upload(struct db *db, const struct source *s)
{
	struct journal_ack ack;
	CU_ASSERT_TRUE_FATAL(journals_ack(db, "b1", s->epoch, &ack, NULL));
	for (uint64_t next = ack.seq > 3 ? ack.seq - 2 : 1; next <= s->len;) {
		size_t len = 1 + (size_t)(next * 7 % 13);
		if (len > s->len - next + 1)
			len = s->len - next + 1;
		struct journal_batch b = source_batch(s, next, len);
		next = store(db, &b).ack.seq + 1;
	}
}

static void test_whenever_the_process_is_killed_each_row_is_there_exactly_once(void)
{
	static struct source s;
	const char *dir = test_dir();
	/* Each round the branch has a few rows more. */
	unsigned seed = 20260101, partial = 0;
	source_init(&s, epoch_one);
	for (unsigned i = 0; i < 300; i++)
		source_add_event(&s, i);
	db_close(central_open(dir));
	for (unsigned round = 0; round < 30; round++) {
		s.len = 10 * (round + 1);
		pid_t pid = fork();
		assert(pid >= 0);
		if (pid == 0) {
			struct db *db = central_open(dir);
			for (;;) /* again and again, until the kill */
				upload(db, &s);
		}
		seed = seed * 1103515245U + 12345U;
		usleep(500 + (seed >> 16) % 6000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		struct db *db = central_open(dir);
		struct journal_ack ack;
		CU_ASSERT_TRUE(journals_ack(db, "b1", epoch_one, &ack, NULL));
		CU_ASSERT_EQUAL(memcmp(ack.hash, s.hashes[ack.seq], HASH_LEN), 0);
		CU_ASSERT_EQUAL(count(db, "SELECT count(*) FROM journal_row"), (int64_t)ack.seq);
		partial += ack.seq < s.len;
		db_close(db);
	}
	CU_ASSERT_TRUE(partial > 0);
	struct db *db = central_open(dir);
	upload(db, &s);
	CU_ASSERT_EQUAL(count(db, "SELECT count(*) FROM journal_row"), 300);
	CU_ASSERT_EQUAL(count(db, "SELECT count(DISTINCT seq) FROM journal_row WHERE seq BETWEEN 1 AND 300"), 300);
	CU_ASSERT_EQUAL(count(db, "SELECT count(*) FROM alarm"), 0);
	db_close(db);
	source_clear(&s);
}

static CU_TestInfo tests[] = {
	{ "what is stored is acknowledged by its hash", test_what_is_stored_is_acknowledged_by_its_hash },
	{ "a batch that comes again is stored once and acknowledged again",
	  test_a_batch_that_comes_again_is_stored_once_and_acknowledged_again },
	{ "behind a gap nothing is stored and the ack says where to go on",
	  test_behind_a_gap_nothing_is_stored_and_the_ack_says_where_to_go_on },
	{ "what contradicts what is stored is refused whole and raises an alarm",
	  test_what_contradicts_what_is_stored_is_refused_whole_and_raises_an_alarm },
	{ "a row that nobody can read is a dead letter and keeps its place",
	  test_a_row_that_nobody_can_read_is_a_dead_letter_and_keeps_its_place },
	{ "a second epoch is an alarm, and so is the first one coming back",
	  test_a_second_epoch_is_an_alarm_and_so_is_the_first_one_coming_back },
	{ "a decision can be asked for by its columns", test_a_decision_can_be_asked_for_by_its_columns },
	{ "a subject is unsealed with the key of its own journal and no other",
	  test_a_subject_is_unsealed_with_the_key_of_its_own_journal_and_no_other },
	{ "a second key for one journal is an alarm and the first is kept",
	  test_a_second_key_for_one_journal_is_an_alarm_and_the_first_is_kept },
	{ "whenever the process is killed each row is there exactly once",
	  test_whenever_the_process_is_killed_each_row_is_there_exactly_once },
	CU_TEST_INFO_NULL,
};
SUITE(journals, NULL, NULL, tests);
