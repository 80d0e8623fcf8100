#include "firmware/record.h"
#include "firmware/state.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#define DAY_S 86400

struct branch {
	const char *dir;
	struct db *db;
	struct record *record;
};
static struct vault vault; /* of the branch in hand */

static struct branch fresh(void)
{
	struct branch b = { .dir = test_dir() };
	b.db = state_open(b.dir, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b.db);
	CU_ASSERT_TRUE_FATAL(vault_open(&vault, b.dir, &random_system, NULL));
	b.record = record_open(b.db, &vault, &random_system, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b.record);
	return b;
}

static void shut(struct branch *b)
{
	record_close(b->record);
	db_close(b->db);
}

static void again(struct branch *b)
{
	shut(b);
	b->db = state_open(b->dir, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->db);
	CU_ASSERT_TRUE_FATAL(vault_open(&vault, b->dir, &random_system, NULL));
	b->record = record_open(b->db, &vault, &random_system, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->record);
}

static const uint8_t request_hash[HASH_LEN] = { 1, 2, 3 };

/* A decision's row in its caller's transaction; the body says n. */
static bool append_decision(struct branch *b, unsigned n, int64_t time_s, const char *request, struct err *e)
{
	const uint8_t id[DECISION_ID_LEN] = { (uint8_t)n, (uint8_t)(n >> 8), 9 };
	const struct record_name name = { id, "kiosk-1", request, request_hash };
	uint8_t body[5] = { 0x44, 0, 0, (uint8_t)(n >> 8), (uint8_t)n };
	return record_append(b->record, time_s, JOURNAL_DECISION, (struct bytes){ body, sizeof(body) }, &name, e);
}

static void append(struct branch *b, unsigned from, unsigned to, int64_t time_s)
{
	CU_ASSERT_TRUE_FATAL(db_begin(b->db, NULL));
	for (unsigned n = from; n <= to; n++) {
		char request[16];
		snprintf(request, sizeof(request), "r%u", n);
		CU_ASSERT_TRUE_FATAL(append_decision(b, n, time_s, request, NULL));
	}
	CU_ASSERT_TRUE_FATAL(db_commit(b->db, NULL));
}

/* What central would acknowledge after this batch's first n rows. */
static struct journal_ack ack_of(const struct journal_batch *b, size_t n)
{
	struct journal_ack a = { .seq = b->first + n - 1 };
	memcpy(a.epoch, b->epoch, sizeof(a.epoch));
	memcpy(a.hash, b->before, HASH_LEN);
	for (size_t i = 0; i < n; i++) {
		uint8_t next[HASH_LEN];
		journal_next_hash(a.hash, b->rows[i], next);
		memcpy(a.hash, next, HASH_LEN);
	}
	return a;
}

static struct journal_ack acknowledge(struct branch *b, size_t rows)
{
	struct journal_batch batch;
	struct buf memory;
	struct journal_ack a = { 0 };
	buf_init(&memory, RECORD_BATCH_BYTES);
	CU_ASSERT_TRUE_FATAL(record_batch(b->record, &batch, &memory, NULL));
	CU_ASSERT_TRUE_FATAL(batch.rows_len >= rows);
	a = ack_of(&batch, rows);
	CU_ASSERT_TRUE(record_acknowledge(b->record, &a, NULL));
	buf_clear(&memory);
	return a;
}

static struct record_info info(const struct branch *b)
{
	struct record_info i;
	record_info(b->record, &i);
	return i;
}

static void a_row_is_found_by_decision_and_by_request_also_after_reopening(void)
{
	struct branch b = fresh();
	struct buf out;
	uint8_t hash[HASH_LEN], id[DECISION_ID_LEN] = { 7, 0, 9 };
	struct err e = { 0 };
	append(&b, 1, 10, 1000);
	again(&b);
	buf_init(&out, JOURNAL_ROW_MAX);
	CU_ASSERT_TRUE_FATAL(record_find(b.record, JOURNAL_DECISION, id, &out, &e));
	CU_ASSERT_EQUAL(out.len, 5);
	CU_ASSERT_EQUAL(out.data[4], 7);
	buf_reset(&out);
	CU_ASSERT_TRUE_FATAL(record_find_request(b.record, "kiosk-1", "r3", &out, hash, &e));
	CU_ASSERT_EQUAL(out.data[4], 3);
	CU_ASSERT_EQUAL(memcmp(hash, request_hash, HASH_LEN), 0);
	CU_ASSERT_FALSE(record_find_request(b.record, "kiosk-2", "r3", &out, hash, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	id[2] = 8;
	CU_ASSERT_FALSE(record_find(b.record, JOURNAL_DECISION, id, &out, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	buf_clear(&out);
	shut(&b);
}

static void a_request_id_is_taken_once_by_a_terminal(void)
{
	struct branch b = fresh();
	struct err e = { 0 };
	append(&b, 1, 1, 1000);
	CU_ASSERT_TRUE_FATAL(db_begin(b.db, &e));
	CU_ASSERT_FALSE(append_decision(&b, 2, 1000, "r1", &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	db_rollback(b.db);
	CU_ASSERT_TRUE(record_reload(b.record, &e));
	CU_ASSERT_EQUAL(info(&b).last, 1);
	append(&b, 2, 2, 1000);
	CU_ASSERT_EQUAL(info(&b).last, 2);
	shut(&b);
}

static void rows_rolled_back_leave_no_gap_in_the_chain(void)
{
	struct branch b = fresh();
	uint64_t rows = 0;
	append(&b, 1, 3, 1000);
	CU_ASSERT_TRUE_FATAL(db_begin(b.db, NULL));
	CU_ASSERT_TRUE(append_decision(&b, 99, 1000, "x", NULL));
	db_rollback(b.db);
	CU_ASSERT_TRUE(record_reload(b.record, NULL));
	append(&b, 4, 5, 1000);
	CU_ASSERT_TRUE(record_verify(b.record, &rows, NULL));
	CU_ASSERT_EQUAL(rows, 5);
	shut(&b);
}

static void epoch_and_key_are_made_once_and_differ_between_databases(void)
{
	struct branch a = fresh(), b = fresh();
	uint8_t key[32];
	struct record_info before = info(&a);
	memcpy(key, record_key(a.record), sizeof(key));
	again(&a);
	CU_ASSERT_EQUAL(memcmp(before.epoch, info(&a).epoch, JOURNAL_EPOCH_LEN), 0);
	CU_ASSERT_EQUAL(memcmp(key, record_key(a.record), sizeof(key)), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(before.epoch, info(&b).epoch, JOURNAL_EPOCH_LEN), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(key, record_key(b.record), sizeof(key)), 0);
	shut(&a);
	shut(&b);
}

static bool holds(struct db *db, const char *table, struct bytes key)
{
	char sql[128];
	bool row = false;
	snprintf(sql, sizeof(sql), "SELECT 1 FROM %s WHERE key = ?", table);
	struct db_query *q = db_query(db, sql, NULL);
	CU_ASSERT_TRUE_FATAL(q != NULL && db_bind_bytes(q, 1, key, NULL) && db_next(q, &row, NULL));
	db_finish(q);
	return row;
}

static void the_key_stands_sealed_and_one_from_before_is_sealed_at_opening(void)
{
	struct branch b = fresh();
	uint8_t key[32];
	const struct bytes it = { key, sizeof(key) };
	memcpy(key, record_key(b.record), sizeof(key));
	CU_ASSERT_FALSE(holds(b.db, "journal_state", it));
	CU_ASSERT_TRUE_FATAL(db_begin(b.db, NULL) &&
			     db_run(b.db, NULL, "UPDATE journal_state SET key = ?", "b", it) &&
			     db_commit(b.db, NULL));
	again(&b);
	CU_ASSERT_EQUAL(memcmp(key, record_key(b.record), sizeof(key)), 0);
	CU_ASSERT_FALSE(holds(b.db, "journal_state", it));
	shut(&b);
}

static void without_the_vault_rows_are_read_and_uploaded_and_another_journal_begins_after_the_last(void)
{
	struct branch b = fresh();
	struct err e = { 0 };
	struct buf out;
	uint8_t key[32], id[DECISION_ID_LEN] = { 2, 0, 9 };
	append(&b, 1, 3, 1000);
	memcpy(key, record_key(b.record), sizeof(key));
	CU_ASSERT_TRUE(vault_wipe(&vault, NULL));
	record_forget_key(b.record);
	CU_ASSERT_FALSE(record_has_key(b.record));
	again(&b);
	CU_ASSERT_TRUE(vault.wiped);
	CU_ASSERT_FALSE(record_has_key(b.record));
	buf_init(&out, JOURNAL_ROW_MAX);
	CU_ASSERT_TRUE(record_find(b.record, JOURNAL_DECISION, id, &out, NULL));
	append(&b, 4, 4, 1000); /* what happened is still recorded */
	struct record_info before = info(&b);
	CU_ASSERT_TRUE(vault_renew(&vault, NULL));
	CU_ASSERT_FALSE(record_renew(b.record, &e));
	CU_ASSERT_EQUAL(e.code, ERR_STALE);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "4 rows"));
	acknowledge(&b, 4);
	CU_ASSERT_TRUE_FATAL(record_renew(b.record, &e));
	CU_ASSERT_TRUE(record_has_key(b.record));
	CU_ASSERT_NOT_EQUAL(memcmp(key, record_key(b.record), sizeof(key)), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(before.epoch, info(&b).epoch, JOURNAL_EPOCH_LEN), 0);
	CU_ASSERT_EQUAL(info(&b).last, 0);
	append(&b, 1, 2, 1000);
	again(&b);
	CU_ASSERT_TRUE(record_has_key(b.record));
	CU_ASSERT_EQUAL(info(&b).last, 2);
	buf_clear(&out);
	shut(&b);
}

static void a_batch_holds_what_fits_one_message_and_follows_the_acknowledged_row(void)
{
	struct branch b = fresh();
	static const uint8_t big[30000] = { 0x59, 0x75, 0x2d }; /* a byte string of 29,997 */
	struct journal_batch batch;
	struct buf memory, message;
	append(&b, 1, 450, 1000);
	acknowledge(&b, 200);
	CU_ASSERT_EQUAL(info(&b).acknowledged, 200);
	acknowledge(&b, 120); /* central may take a part */
	CU_ASSERT_EQUAL(info(&b).acknowledged, 320);
	again(&b);
	acknowledge(&b, 130);
	buf_init(&memory, RECORD_BATCH_BYTES);
	buf_init(&message, MQTT_PACKET_MAX);
	CU_ASSERT_TRUE(record_batch(b.record, &batch, &memory, NULL));
	CU_ASSERT_EQUAL(batch.rows_len, 0);
	CU_ASSERT_TRUE_FATAL(db_begin(b.db, NULL));
	for (int i = 0; i < 5; i++)
		CU_ASSERT_TRUE(record_append(b.record, 1, JOURNAL_EVENT, (struct bytes){ big, 30000 }, NULL, NULL));
	CU_ASSERT_TRUE_FATAL(db_commit(b.db, NULL));
	CU_ASSERT_TRUE(record_batch(b.record, &batch, &memory, NULL));
	CU_ASSERT_EQUAL(batch.rows_len, 2);
	CU_ASSERT_EQUAL(batch.first, 451);
	CU_ASSERT_TRUE(journal_batch_encode(&batch, &message, NULL));
	CU_ASSERT_TRUE(message.len < MQTT_PACKET_MAX);
	buf_clear(&memory);
	buf_clear(&message);
	shut(&b);
}

static void an_acknowledgement_that_proves_nothing_changes_nothing(void)
{
	struct branch b = fresh();
	struct journal_ack a;
	struct err e = { 0 };
	append(&b, 1, 10, 1000);
	a = acknowledge(&b, 5);
	CU_ASSERT_TRUE(record_acknowledge(b.record, &a, &e)); /* twice is harmless */
	a.hash[0] ^= 1;
	CU_ASSERT_FALSE(record_acknowledge(b.record, &a, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	a.hash[0] ^= 1;
	a.epoch[0] ^= 1;
	CU_ASSERT_FALSE(record_acknowledge(b.record, &a, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	a.epoch[0] ^= 1;
	a.seq = 11;
	CU_ASSERT_FALSE(record_acknowledge(b.record, &a, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_EQUAL(info(&b).acknowledged, 5);
	shut(&b);
}

static void a_late_acknowledgement_does_not_set_back_but_a_proven_rewind_does(void)
{
	struct branch b = fresh();
	struct journal_ack three, seven;
	append(&b, 1, 10, 1000);
	three = acknowledge(&b, 3);
	seven = acknowledge(&b, 4);
	CU_ASSERT_TRUE(record_acknowledge(b.record, &three, NULL));
	CU_ASSERT_EQUAL(info(&b).acknowledged, 7);
	CU_ASSERT_TRUE(record_rewind(b.record, &three, NULL));
	CU_ASSERT_EQUAL(info(&b).acknowledged, 3);
	CU_ASSERT_TRUE(record_acknowledge(b.record, &seven, NULL));
	CU_ASSERT_EQUAL(info(&b).acknowledged, 7);
	shut(&b);
}

static void only_acknowledged_rows_past_their_time_are_pruned_oldest_first(void)
{
	struct branch b = fresh();
	uint64_t removed = 0, rows = 0;
	int64_t late = 1000 + (int64_t)(RECORD_KEEP_DAYS + 1) * DAY_S;
	struct journal_ack one;
	append(&b, 1, 10, 1000);
	append(&b, 11, 12, late);
	append(&b, 13, 13, 1000); /* old, behind a newer one: stays, or the chain would break */
	one = acknowledge(&b, 1);
	acknowledge(&b, 6);
	CU_ASSERT_TRUE(record_prune(b.record, 2000, &removed, NULL));
	CU_ASSERT_EQUAL(removed, 0);
	CU_ASSERT_TRUE(record_prune(b.record, late, &removed, NULL));
	CU_ASSERT_EQUAL(removed, 7);
	CU_ASSERT_EQUAL(info(&b).first, 8);
	acknowledge(&b, 6);
	CU_ASSERT_TRUE(record_prune(b.record, late, &removed, NULL));
	CU_ASSERT_EQUAL(removed, 3);
	again(&b);
	CU_ASSERT_TRUE(record_verify(b.record, &rows, NULL));
	CU_ASSERT_EQUAL(rows, 3);
	CU_ASSERT_TRUE(record_acknowledge(b.record, &one, NULL)); /* of a row long gone */
	CU_ASSERT_FALSE(record_rewind(b.record, &one, NULL));
	CU_ASSERT_TRUE(record_prune(b.record, 2 * late, &removed, NULL));
	CU_ASSERT_EQUAL(removed, 3);
	append(&b, 14, 15, late); /* the chain goes on from rows that are gone */
	again(&b);
	CU_ASSERT_EQUAL(info(&b).last, 15);
	CU_ASSERT_TRUE(record_verify(b.record, &rows, NULL));
	CU_ASSERT_EQUAL(rows, 2);
	shut(&b);
}

static void verifying_names_a_row_that_was_changed_or_taken_out(void)
{
	struct branch b = fresh();
	uint64_t rows;
	struct err e = { 0 };
	append(&b, 1, 10, 1000);
	CU_ASSERT_TRUE(db_begin(b.db, NULL));
	CU_ASSERT_TRUE(db_exec(b.db, "UPDATE journal SET row = zeroblob(9) WHERE seq = 4", NULL));
	CU_ASSERT_FALSE(record_verify(b.record, &rows, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "row 4"));
	db_rollback(b.db);
	CU_ASSERT_TRUE(record_verify(b.record, &rows, &e));
	CU_ASSERT_TRUE(db_begin(b.db, NULL));
	CU_ASSERT_TRUE(db_exec(b.db, "DELETE FROM journal WHERE seq = 6", NULL));
	CU_ASSERT_FALSE(record_verify(b.record, &rows, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "row 6"));
	db_rollback(b.db);
	CU_ASSERT_TRUE(db_begin(b.db, NULL));
	CU_ASSERT_TRUE(db_exec(b.db, "DELETE FROM journal WHERE seq = 10", NULL));
	CU_ASSERT_FALSE(record_verify(b.record, &rows, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "row 10"));
	db_rollback(b.db);
	shut(&b);
}

static CU_TestInfo tests[] = {
	{ "a row is found by decision and by request, also after reopening",
	  a_row_is_found_by_decision_and_by_request_also_after_reopening },
	{ "a request id is taken once by a terminal", a_request_id_is_taken_once_by_a_terminal },
	{ "rows rolled back leave no gap in the chain", rows_rolled_back_leave_no_gap_in_the_chain },
	{ "epoch and key are made once and differ between databases",
	  epoch_and_key_are_made_once_and_differ_between_databases },
	{ "the key stands sealed, and one from before is sealed at opening",
	  the_key_stands_sealed_and_one_from_before_is_sealed_at_opening },
	{ "without the vault rows are read and uploaded, and another journal begins after the last",
	  without_the_vault_rows_are_read_and_uploaded_and_another_journal_begins_after_the_last },
	{ "a batch holds what fits one message and follows the acknowledged row",
	  a_batch_holds_what_fits_one_message_and_follows_the_acknowledged_row },
	{ "an acknowledgement that proves nothing changes nothing",
	  an_acknowledgement_that_proves_nothing_changes_nothing },
	{ "a late acknowledgement does not set back, but a proven rewind does",
	  a_late_acknowledgement_does_not_set_back_but_a_proven_rewind_does },
	{ "only acknowledged rows past their time are pruned, oldest first",
	  only_acknowledged_rows_past_their_time_are_pruned_oldest_first },
	{ "verifying names a row that was changed or taken out",
	  verifying_names_a_row_that_was_changed_or_taken_out },
	CU_TEST_INFO_NULL,
};

SUITE(record, NULL, NULL, tests);
