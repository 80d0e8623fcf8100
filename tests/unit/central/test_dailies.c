/* The ledger's signed daily heads: one a day, and what they find that the chain alone does not. */
#include "central/ledger/dailies.h"
#include "central/ledger/verify.h"
#include "protocol/base/file.h"
#include "tests/support/killed.h"
#include "tests/support/book.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW_S 1795500000 /* 2026-11-24 */
#define DAY_S 86400

static char path[128], file[140];
static uint8_t scalar[SCALAR_LEN], point[POINT_LEN];

static void setup(void)
{
	snprintf(path, sizeof(path), "%s/ledger.db", test_dir());
	snprintf(file, sizeof(file), "%s.heads", path);
	key_new(&random_system, scalar, point);
}

static struct id128 account(uint64_t n)
{
	return (struct id128){ 7, n };
}

/* Three accounts of one ledger, one of another. */
static bool accounts_make(struct ledger *l)
{
	const struct ledger_account a[] = { { account(1), 1, 1, ACCOUNT_ISSUE, 0, "" },
					    { account(2), 1, 1, ACCOUNT_HOLD, ACCOUNT_NO_OVERDRAFT, "" },
					    { account(3), 1, 1, ACCOUNT_RETIRE, 0, "" },
					    { account(4), 9, 1, ACCOUNT_HOLD, 0, "" } };
	enum ledger_status status[4];
	return ledger_accounts(l, NOW_S, "alice", a, 4, status, NULL);
}

static bool move(struct ledger *l, int64_t now_s, uint64_t id, uint8_t kind, unsigned from, unsigned to,
		 int64_t amount)
{
	const struct ledger_transfer t = { .id = { 0, id },
					   .debit = account(from),
					   .credit = account(to),
					   .amount = amount,
					   .ledger = 1,
					   .code = 1,
					   .kind = kind };
	enum ledger_status status;
	return ledger_transfers(l, now_s, "alice", &t, 1, &status, NULL) &&
	       (status == LEDGER_OK || status == LEDGER_EXISTS);
}

static bool story_tell(struct ledger *l, int64_t now_s)
{
	return accounts_make(l) && move(l, now_s, 1, TRANSFER_SINGLE, 1, 2, 1000) &&
	       move(l, now_s, 2, TRANSFER_SINGLE, 2, 3, 300) && move(l, now_s, 3, TRANSFER_PENDING, 2, 3, 50);
}

/* What the daemon does of a day. */
static bool day_sign(struct ledger *l, int64_t now_s, struct err *e)
{
	struct buf payload, message;
	bool ok = dailies_take(l, file, now_s, e);
	buf_init(&payload, DAILY_PAYLOAD_MAX);
	buf_init(&message, DAILY_MESSAGE_MAX);
	ok = ok && dailies_unsigned(l, &payload, e);
	if (ok && payload.len > 0)
		ok = daily_sign(buf_bytes(&payload), scalar, point, &random_system, &message, e) &&
		     dailies_put(l, buf_bytes(&message), point, e);
	ok = ok && dailies_write(l, file, e);
	buf_clear(&payload);
	buf_clear(&message);
	return ok;
}

static void must_sign(struct ledger *l, int64_t now_s)
{
	struct err e = { 0 };
	bool ok = day_sign(l, now_s, &e);
	if (!ok)
		printf("\n  %s", e.text);
	CU_ASSERT_TRUE_FATAL(ok);
}

/* With heads of the database (own) and of a file (NULL: none). */
static bool verify(struct ledger_verdict *v, bool own, const char *copy, const uint8_t key[POINT_LEN])
{
	struct ledger_signed s;
	struct buf lines;
	struct err e = { 0 };
	struct ledger_reader *r = ledger_reader_open(path, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	ledger_signed_init(&s, key);
	buf_init(&lines, DAILIES_FILE_MAX);
	bool ok = (!own || dailies_each(ledger_reader_db(r), ledger_signed_add, &s, &e)) &&
		  (copy == NULL ||
		   (file_read(copy, &lines, &e) && dailies_read(buf_bytes(&lines), ledger_signed_add, &s, &e))) &&
		  ledger_verify_signed(r, &s, v, &e);
	if (!ok)
		printf("\n  %s", e.text);
	CU_ASSERT_TRUE(ok);
	buf_clear(&lines);
	ledger_signed_clear(&s);
	ledger_reader_close(r);
	return ledger_verdict_is_clean(v);
}

static void file_copy(const char *from, const char *to)
{
	struct buf b;
	buf_init(&b, 1U << 24);
	CU_ASSERT_TRUE_FATAL(file_read(from, &b, NULL) && file_write(to, buf_bytes(&b), 0600, NULL));
	buf_clear(&b);
}

static bool only_signed_is_broken(const struct ledger_verdict *v)
{
	for (size_t i = 0; i < INVARIANT_COUNT; i++)
		if ((v->broken[i] > 0) != (i == INVARIANT_SIGNED))
			return false;
	return true;
}

/* --- one a day --- */

static void a_day_has_one_head_whatever_comes_after_and_whoever_restarts(void)
{
	static struct ledger_verdict v;
	struct buf first, again;
	buf_init(&first, DAILY_PAYLOAD_MAX);
	buf_init(&again, DAILY_PAYLOAD_MAX);
	setup();
	struct ledger *l = book_must_open(path);
	CU_ASSERT_TRUE(dailies_take(l, file, NOW_S, NULL)); /* nothing to sign */
	CU_ASSERT_TRUE(dailies_unsigned(l, &first, NULL) && first.len == 0);
	CU_ASSERT_TRUE(story_tell(l, NOW_S));
	CU_ASSERT_TRUE(dailies_take(l, file, NOW_S, NULL));
	CU_ASSERT_TRUE(dailies_unsigned(l, &first, NULL) && first.len > 0);
	CU_ASSERT_TRUE(move(l, NOW_S + 1, 4, TRANSFER_SINGLE, 1, 2, 7));
	ledger_close(l);
	l = book_must_open(path); /* before it was signed */
	CU_ASSERT_TRUE(dailies_take(l, file, NOW_S + 2, NULL));
	CU_ASSERT_TRUE(dailies_unsigned(l, &again, NULL));
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&first), buf_bytes(&again)));
	must_sign(l, NOW_S + 3);
	ledger_close(l);
	l = book_must_open(path); /* after */
	must_sign(l, NOW_S + 4);
	buf_reset(&again);
	CU_ASSERT_TRUE(dailies_unsigned(l, &again, NULL) && again.len == 0);
	must_sign(l, NOW_S + DAY_S);
	CU_ASSERT_TRUE(verify(&v, true, file, point));
	CU_ASSERT_EQUAL(v.looked[INVARIANT_SIGNED], 2); /* the copy's are the same */
	ledger_close(l);
	buf_clear(&first);
	buf_clear(&again);
}

static void a_head_says_where_the_chain_stood_and_what_each_ledger_came_to(void)
{
	static struct daily_head h;
	setup();
	struct ledger *l = book_must_open(path);
	CU_ASSERT_TRUE(story_tell(l, NOW_S));
	daily_fill(ledger_core(l), NOW_S, &h);
	CU_ASSERT_EQUAL(h.day, ledger_day_of(NOW_S));
	CU_ASSERT_EQUAL(h.accounts, 4);
	CU_ASSERT_EQUAL(h.rows, 3);
	CU_ASSERT_EQUAL_FATAL(h.sums_len, 2);
	CU_ASSERT_EQUAL(h.sums[0].ledger, 1);
	CU_ASSERT_EQUAL(h.sums[0].issued, 1000);
	CU_ASSERT_EQUAL(h.sums[0].held, 700);
	CU_ASSERT_EQUAL(h.sums[0].retired, 300);
	CU_ASSERT_EQUAL(h.sums[0].pending, 50);
	CU_ASSERT_EQUAL(h.sums[1].ledger, 9);
	ledger_close(l);
}

static void of_many_ledgers_the_lowest_numbers_are_summed(void)
{
	static struct ledger_account a[200];
	static enum ledger_status status[200];
	static struct ledger_verdict v;
	static struct daily_head h;
	setup();
	struct ledger *l = book_must_open(path);
	for (uint32_t i = 0; i < 200; i++)
		a[i] = (struct ledger_account){ account(i + 1), 1 + i * 77 % 199, 1, ACCOUNT_HOLD, 0, "" };
	CU_ASSERT_TRUE(ledger_accounts(l, NOW_S, "alice", a, 200, status, NULL));
	daily_fill(ledger_core(l), NOW_S, &h);
	CU_ASSERT_EQUAL(h.sums_len, DAILY_LEDGERS_MAX);
	for (size_t i = 0; i < h.sums_len; i++)
		CU_ASSERT_EQUAL(h.sums[i].ledger, i + 1);
	must_sign(l, NOW_S);
	CU_ASSERT_TRUE(verify(&v, true, NULL, point));
	ledger_close(l);
}

/* --- what is found --- */

static bool run_sql(const char *sql)
{
	struct err e = { 0 };
	struct db *db = db_open(path, DB_WRITE, &e);
	bool ok = db != NULL && db_exec(db, sql, &e);
	if (!ok)
		printf("\n  %s", e.text);
	db_close(db);
	return ok;
}

static void rows_hash(struct db *db, const struct ledger_batch *b, struct sha256_stream *s)
{
	bool of_accounts = b->kind == BATCH_ACCOUNTS, row = false;
	struct db_query *q = db_query(db,
				      of_accounts ? LEDGER_SELECT_ACCOUNTS "WHERE no >= ? AND no < ? ORDER BY no"
						  : LEDGER_SELECT_ROWS "WHERE seq >= ? AND seq < ? ORDER BY seq",
				      NULL);
	CU_ASSERT_TRUE_FATAL(q != NULL && db_bind_int(q, 1, (int64_t)b->first, NULL) &&
			     db_bind_int(q, 2, (int64_t)b->first + b->rows, NULL));
	while (db_next(q, &row, NULL) && row) {
		uint8_t bytes[ACCOUNT_LEN_MAX > ROW_LEN ? ACCOUNT_LEN_MAX : ROW_LEN];
		struct ledger_account a;
		struct ledger_row r;
		size_t len = ROW_LEN;
		if (of_accounts) {
			CU_ASSERT_TRUE(ledger_account_read(q, &a, NULL));
			len = ledger_account_encode(&a, bytes);
		} else {
			CU_ASSERT_TRUE(ledger_row_read(q, &r, NULL));
			ledger_row_encode(&r, bytes);
		}
		sha256_add(s, (struct bytes){ bytes, len });
	}
	db_finish(q);
}

/* Every hash computed anew, as whoever owns the machine can. */
static void chain_forge(void)
{
	struct db *db = db_open(path, DB_WRITE, NULL);
	uint8_t head[HASH_LEN] = { 0 };
	CU_ASSERT_PTR_NOT_NULL_FATAL(db);
	for (int64_t no = 1;; no++) {
		struct ledger_batch b;
		uint8_t stored[HASH_LEN];
		struct sha256_stream s;
		bool row = false;
		struct db_query *q = db_query(db, LEDGER_SELECT_BATCHES "WHERE no = ?", NULL);
		CU_ASSERT_TRUE_FATAL(q != NULL && db_bind_int(q, 1, no, NULL) && db_next(q, &row, NULL));
		if (row)
			CU_ASSERT_TRUE(ledger_batch_read(q, &b, stored, NULL));
		db_finish(q);
		if (!row)
			break;
		ledger_chain_start(&s, head, &b);
		rows_hash(db, &b, &s);
		sha256_finish(&s, head);
		CU_ASSERT_TRUE(db_run(db, NULL, "UPDATE batch SET hash = ? WHERE no = ?", "bi",
				      (struct bytes){ head, HASH_LEN }, no));
	}
	db_close(db);
}

/* sql: nothing contradicts itself after it. */
static void rewritten(const char *sql)
{
	static struct ledger_verdict v;
	struct err e = { 0 };
	char kept[160];
	setup();
	snprintf(kept, sizeof(kept), "%s.kept", file);
	struct ledger *l = book_must_open(path);
	CU_ASSERT_TRUE(story_tell(l, NOW_S));
	must_sign(l, NOW_S);
	CU_ASSERT_TRUE(move(l, NOW_S + DAY_S, 5, TRANSFER_SINGLE, 1, 2, 5));
	ledger_close(l);
	file_copy(file, kept);
	CU_ASSERT_TRUE(verify(&v, true, kept, point));
	CU_ASSERT_TRUE(run_sql("DROP TRIGGER transfer_stays; DROP TRIGGER batch_stays;") && run_sql(sql));
	CU_ASSERT_FALSE(verify(&v, false, NULL, point));
	CU_ASSERT(v.broken[INVARIANT_CHAIN] > 0);
	chain_forge();
	CU_ASSERT_TRUE(verify(&v, false, NULL, point)); /* the chain alone says nothing */
	CU_ASSERT_FALSE(verify(&v, true, NULL, point));
	CU_ASSERT_TRUE(only_signed_is_broken(&v));
	CU_ASSERT_PTR_NOT_NULL(strstr(v.first[INVARIANT_SIGNED], "2026-11-24"));
	/* The heads beside it removed too: the copy finds it. */
	CU_ASSERT_TRUE(run_sql("DROP TRIGGER daily_remains; DROP TRIGGER daily_signed_remains;"
			       "DELETE FROM daily; DELETE FROM daily_signed;"));
	CU_ASSERT_TRUE(verify(&v, true, NULL, point));
	CU_ASSERT_FALSE(verify(&v, true, kept, point));
	CU_ASSERT_TRUE(only_signed_is_broken(&v));
	l = book_must_open(path); /* and nothing more is signed over it */
	CU_ASSERT_FALSE(day_sign(l, NOW_S + 2 * DAY_S, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	ledger_close(l);
}

static void a_history_rewritten_with_all_its_hashes_is_found_by_any_head_signed_after_it(void)
{
	rewritten("UPDATE transfer SET amount = 200 WHERE seq = 2");          /* 300 of 1,000 spent become 200 */
	rewritten("UPDATE transfer SET effective_day = 20000 WHERE seq = 2"); /* no sum says so */
}

static void a_ledger_put_back_to_an_older_copy_is_found_and_signs_nothing(void)
{
	static struct ledger_verdict v;
	struct err e = { 0 };
	char older[160];
	setup();
	snprintf(older, sizeof(older), "%s.older", path);
	struct ledger *l = book_must_open(path);
	CU_ASSERT_TRUE(story_tell(l, NOW_S));
	must_sign(l, NOW_S);
	ledger_close(l); /* its WAL is in the file */
	file_copy(path, older);
	l = book_must_open(path);
	CU_ASSERT_TRUE(move(l, NOW_S + DAY_S, 5, TRANSFER_SINGLE, 1, 2, 5));
	must_sign(l, NOW_S + DAY_S);
	ledger_close(l);
	file_copy(older, path);
	CU_ASSERT_TRUE(verify(&v, true, NULL, point));
	CU_ASSERT_FALSE(verify(&v, true, file, point));
	CU_ASSERT_TRUE(only_signed_is_broken(&v));
	CU_ASSERT_PTR_NOT_NULL(strstr(v.first[INVARIANT_SIGNED], "older"));
	l = book_must_open(path);
	CU_ASSERT_FALSE(day_sign(l, NOW_S + 2 * DAY_S, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	/* It has gone on from the old state: still not the one that was signed. */
	CU_ASSERT_TRUE(move(l, NOW_S + 2 * DAY_S, 6, TRANSFER_SINGLE, 1, 2, 6));
	CU_ASSERT_FALSE(day_sign(l, NOW_S + 2 * DAY_S, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	ledger_close(l);
}

static void a_clock_that_goes_back_signs_nothing(void)
{
	struct err e = { 0 };
	setup();
	struct ledger *l = book_must_open(path);
	CU_ASSERT_TRUE(story_tell(l, NOW_S));
	CU_ASSERT_FALSE(day_sign(l, NOW_S - DAY_S, &e)); /* behind the newest batch */
	CU_ASSERT_EQUAL(e.code, ERR_STALE);
	must_sign(l, NOW_S + 3 * DAY_S);
	CU_ASSERT_FALSE(day_sign(l, NOW_S + DAY_S, &e)); /* behind the newest head */
	CU_ASSERT_EQUAL(e.code, ERR_STALE);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "went back"));
	must_sign(l, NOW_S + 3 * DAY_S);
	must_sign(l, NOW_S + 4 * DAY_S);
	ledger_close(l);
}

static void only_what_was_taken_and_is_signed_under_the_key_is_a_head(void)
{
	static struct ledger_verdict v;
	static struct daily_head h;
	struct err e = { 0 };
	uint8_t other_scalar[SCALAR_LEN], other[POINT_LEN];
	struct buf payload, message;
	key_new(&random_system, other_scalar, other);
	buf_init(&payload, DAILY_PAYLOAD_MAX);
	buf_init(&message, DAILY_MESSAGE_MAX);
	setup();
	struct ledger *l = book_must_open(path);
	CU_ASSERT_TRUE(story_tell(l, NOW_S));
	CU_ASSERT_TRUE(dailies_take(l, file, NOW_S, NULL));
	CU_ASSERT_TRUE(dailies_unsigned(l, &payload, NULL));
	CU_ASSERT_TRUE(daily_sign(buf_bytes(&payload), other_scalar, other, &random_system, &message, NULL));
	CU_ASSERT_FALSE(dailies_put(l, buf_bytes(&message), point, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_TRUE(daily_decode(buf_bytes(&payload), &h, NULL));
	h.rows++;
	buf_reset(&payload);
	buf_reset(&message);
	CU_ASSERT_TRUE(daily_encode(&h, &payload, NULL) &&
		       daily_sign(buf_bytes(&payload), scalar, point, &random_system, &message, NULL));
	CU_ASSERT_FALSE(dailies_put(l, buf_bytes(&message), point, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	must_sign(l, NOW_S);
	CU_ASSERT_TRUE(verify(&v, true, file, point));
	CU_ASSERT_FALSE(verify(&v, true, file, other));
	CU_ASSERT_TRUE(only_signed_is_broken(&v));
	ledger_close(l);
	buf_clear(&payload);
	buf_clear(&message);
}

static void each_number_of_a_head_is_held_against_the_chain(void)
{
	static struct ledger_verdict v;
	static struct daily_head right, wrong;
	static char other[160];
	setup();
	snprintf(other, sizeof(other), "%s.other", file);
	struct ledger *l = book_must_open(path);
	CU_ASSERT_TRUE(story_tell(l, NOW_S));
	daily_fill(ledger_core(l), NOW_S, &right);
	struct ledger_head head = ledger_head(l);
	right.batches = head.batches;
	for (size_t i = 0; i < HASH_LEN; i++) /* of a memcpy from it gcc's analyzer says it is not initialised */
		right.hash[i] = head.hash[i];
	for (int i = 0; i <= 10; i++) {
		struct buf payload, message, line;
		wrong = right;
		switch (i) {
		case 0: break;
		case 1: wrong.batches--; break;
		case 2: wrong.hash[31] ^= 1; break;
		case 3: wrong.accounts++; break;
		case 4: wrong.rows--; break;
		case 5: wrong.sums[0].issued++; break;
		case 6: wrong.sums[0].held++; break;
		case 7: wrong.sums[0].retired++; break;
		case 8: wrong.sums[0].pending++; break;
		case 9: wrong.sums_len--; break;
		default: wrong.sums[1].ledger++; break;
		}
		buf_init(&payload, DAILY_PAYLOAD_MAX);
		buf_init(&message, DAILY_MESSAGE_MAX);
		buf_init(&line, DAILIES_FILE_MAX);
		CU_ASSERT_TRUE(daily_encode(&wrong, &payload, NULL) &&
			       daily_sign(buf_bytes(&payload), scalar, point, &random_system, &message, NULL));
		base64_encode(buf_bytes(&message), &line);
		CU_ASSERT_TRUE(file_write(other, buf_bytes(&line), 0600, NULL));
		CU_ASSERT_EQUAL(verify(&v, false, other, point), i == 0);
		CU_ASSERT_EQUAL(v.looked[INVARIANT_SIGNED], 1);
		buf_clear(&payload);
		buf_clear(&message);
		buf_clear(&line);
	}
	ledger_close(l);
}

static void two_heads_of_a_day_are_a_fork_and_found(void)
{
	static struct ledger_verdict v;
	char first[160];
	setup();
	snprintf(first, sizeof(first), "%s.first", file);
	struct ledger *l = book_must_open(path);
	CU_ASSERT_TRUE(story_tell(l, NOW_S));
	must_sign(l, NOW_S);
	file_copy(file, first);
	/* Whoever has the key and removes the first. */
	CU_ASSERT_TRUE(run_sql("DROP TRIGGER daily_remains; DROP TRIGGER daily_signed_remains;"
			       "DELETE FROM daily; DELETE FROM daily_signed;"));
	CU_ASSERT_TRUE(file_remove(file, NULL));
	CU_ASSERT_TRUE(move(l, NOW_S + 5, 9, TRANSFER_SINGLE, 1, 2, 1));
	must_sign(l, NOW_S + 5);
	CU_ASSERT_TRUE(verify(&v, true, NULL, point));
	CU_ASSERT_FALSE(verify(&v, true, first, point));
	CU_ASSERT_TRUE(only_signed_is_broken(&v));
	ledger_close(l);
}

static void a_payload_is_refused_at_every_length_but_its_own(void)
{
	static struct daily_head h, back;
	struct buf payload;
	setup();
	struct ledger *l = book_must_open(path);
	CU_ASSERT_TRUE(story_tell(l, NOW_S));
	daily_fill(ledger_core(l), NOW_S, &h);
	h.batches = 2;
	buf_init(&payload, DAILY_PAYLOAD_MAX);
	CU_ASSERT_TRUE(daily_encode(&h, &payload, NULL));
	CU_ASSERT_TRUE(daily_decode(buf_bytes(&payload), &back, NULL) && daily_same(&h, &back));
	for (size_t len = 0; len < payload.len; len++)
		CU_ASSERT_FALSE(daily_decode((struct bytes){ payload.data, len }, &back, NULL));
	buf_add_u8(&payload, 0);
	CU_ASSERT_FALSE(daily_decode(buf_bytes(&payload), &back, NULL));
	h.day++; /* not the day of its time */
	buf_reset(&payload);
	CU_ASSERT_TRUE(daily_encode(&h, &payload, NULL));
	CU_ASSERT_FALSE(daily_decode(buf_bytes(&payload), &back, NULL));
	buf_clear(&payload);
	ledger_close(l);
}

/* --- killed --- */

static bool day_child(void)
{
	struct ledger *l = ledger_open(path, NULL);
	return l != NULL && story_tell(l, NOW_S) && day_sign(l, NOW_S, NULL);
}

static void killed_before_any_write_a_day_still_has_one_head(void)
{
	static struct ledger_verdict v;
	struct err e = { 0 };
	unsigned killed = 0;
	if (!killed_can())
		return;
	for (unsigned n = 1;; n++) {
		setup();
		bool was_killed = killed_at(n, day_child);
		bool was_written = access(file, F_OK) == 0;
		struct ledger *l = book_must_open(path);
		CU_ASSERT_TRUE(story_tell(l, NOW_S));
		bool ok = day_sign(l, NOW_S + 60, &e);
		if (!ok)
			printf("\n  write %u: %s", n, e.text);
		CU_ASSERT_TRUE(ok);
		CU_ASSERT_TRUE(verify(&v, true, file, point));
		CU_ASSERT_EQUAL(v.looked[INVARIANT_SIGNED], 1);
		CU_ASSERT(was_killed || was_written);
		ledger_close(l);
		if (!was_killed)
			break;
		killed++;
	}
	CU_ASSERT(killed > 40);
}

static CU_TestInfo tests[] = {
	{ "a day has one head, whatever comes after and whoever restarts",
	  a_day_has_one_head_whatever_comes_after_and_whoever_restarts },
	{ "a head says where the chain stood and what each ledger came to",
	  a_head_says_where_the_chain_stood_and_what_each_ledger_came_to },
	{ "of many ledgers the lowest numbers are summed", of_many_ledgers_the_lowest_numbers_are_summed },
	{ "a history rewritten with all its hashes is found by any head signed after it",
	  a_history_rewritten_with_all_its_hashes_is_found_by_any_head_signed_after_it },
	{ "a ledger put back to an older copy is found, and signs nothing",
	  a_ledger_put_back_to_an_older_copy_is_found_and_signs_nothing },
	{ "a clock that goes back signs nothing", a_clock_that_goes_back_signs_nothing },
	{ "only what was taken and is signed under the key is a head",
	  only_what_was_taken_and_is_signed_under_the_key_is_a_head },
	{ "each number of a head is held against the chain", each_number_of_a_head_is_held_against_the_chain },
	{ "two heads of a day are a fork, and found", two_heads_of_a_day_are_a_fork_and_found },
	{ "a payload is refused at every length but its own", a_payload_is_refused_at_every_length_but_its_own },
	{ "killed before any write, a day still has one head", killed_before_any_write_a_day_still_has_one_head },
	CU_TEST_INFO_NULL,
};
SUITE(dailies, NULL, NULL, tests);
