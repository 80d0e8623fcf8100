/* Opening from a snapshot gives what every row gives, and nothing that is not of this ledger, whole and of this program is used. */
#include "central/ledger/ledger.h"
#include "central/ledger/snapshot.h"
#include "central/ledger/verify.h"
#include "protocol/base/file.h"
#include "tests/support/killed.h"
#include "tests/support/book.h"
#include "tests/test.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW_S 1795500000

static char path[128], snapshot[SNAPSHOT_PATH_MAX];

static void setup(void)
{
	snprintf(path, sizeof(path), "%s/ledger.db", test_dir());
	snapshot_path(path, snapshot);
}

static struct id128 account(uint64_t n)
{
	return (struct id128){ n * 77, n };
}

static bool accounts_make(struct ledger *l, unsigned from, unsigned n)
{
	struct ledger_account a[64];
	enum ledger_status status[64];
	for (unsigned i = 0; i < n; i++)
		a[i] = (struct ledger_account){
			account(from + i), 1, 1, i == 0 && from == 1 ? ACCOUNT_ISSUE : ACCOUNT_HOLD, 0, ""
		};
	return ledger_accounts(l, NOW_S, "alice", a, n, status, NULL);
}

/* n transfers of every kind out of a stretch of identifiers; some expire, some fail. */
static bool batch_post(struct ledger *l, uint64_t first, unsigned n, int64_t now_s)
{
	struct ledger_transfer t[64];
	enum ledger_status status[64];
	for (unsigned i = 0; i < n; i++) {
		uint64_t id = first + i;
		t[i] = (struct ledger_transfer){ .id = { 0, id }, .kind = TRANSFER_SINGLE };
		if (id % 5 == 3 || id % 5 == 4) {
			t[i].kind = id % 5 == 3 ? TRANSFER_POST : TRANSFER_REVERSAL;
			t[i].ref.lo = id % 5 == 3 ? id - 1 : id - 4;
			continue;
		}
		t[i].debit = account(1 + id % 7);
		t[i].credit = account(2 + (id + 1) % 7);
		t[i].amount = (int64_t)(id % 90) + 1;
		t[i].ledger = t[i].code = 1;
		if (id % 5 == 2 || id % 11 == 0) {
			t[i].kind = TRANSFER_PENDING;
			t[i].timeout_s = id % 3 == 0 ? 0 : 40;
		}
	}
	return ledger_transfers(l, now_s, "alice", t, n, status, NULL);
}

struct state {
	uint8_t digest[HASH_LEN];
	uint64_t ids;
	struct ledger_head head;
	int64_t next_expiry;
};

static struct state state_of(struct ledger *l)
{
	struct state s = { .ids = core_ids_sum(ledger_core(l)), .head = ledger_head(l) };
	s.next_expiry = core_next_expiry(ledger_core(l));
	core_digest(ledger_core(l), s.digest);
	return s;
}

static bool state_same(const struct state *a, const struct state *b)
{
	return memcmp(a->digest, b->digest, HASH_LEN) == 0 && a->ids == b->ids &&
	       a->head.batches == b->head.batches && memcmp(a->head.hash, b->head.hash, HASH_LEN) == 0 &&
	       a->head.time_s == b->head.time_s;
}

/* Opened again: the same state, and whether the snapshot was used. */
static struct state reopened(bool used, enum err_code why)
{
	struct ledger *l = book_must_open(path);
	struct state s = state_of(l);
	CU_ASSERT_EQUAL(ledger_passed_over(l)->code, used ? ERR_NONE : why);
	if (used != (ledger_passed_over(l)->code == ERR_NONE))
		printf("\n  %s", ledger_passed_over(l)->text);
	ledger_close(l);
	return s;
}

static bool verify(struct ledger_verdict *v)
{
	struct err e = { 0 };
	struct ledger_reader *r = ledger_reader_open(path, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	bool ok = ledger_verify(r, v, &e);
	ledger_reader_close(r);
	return ok && ledger_verdict_is_clean(v);
}

static void book_make(struct ledger *l)
{
	CU_ASSERT_TRUE(accounts_make(l, 1, 20));
	for (unsigned i = 0; i < 20; i++)
		CU_ASSERT_TRUE(batch_post(l, 1 + i * 30, 30, NOW_S + i));
}

static void opening_from_a_snapshot_and_what_came_after_gives_what_every_row_gives(void)
{
	static struct ledger_verdict v;
	setup();
	struct ledger *l = book_must_open(path);
	book_make(l);
	CU_ASSERT_TRUE(ledger_snapshot(l, NULL));
	CU_ASSERT_EQUAL(ledger_unsaved(l), 0);
	struct state want = state_of(l);
	ledger_close(l);
	struct state got = reopened(true, ERR_NONE);
	CU_ASSERT_TRUE(state_same(&want, &got));
	CU_ASSERT_EQUAL(want.next_expiry, got.next_expiry);
	for (unsigned round = 0; round < 40; round++) { /* accounts, rows, expiries behind it */
		l = book_must_open(path);
		CU_ASSERT_EQUAL(ledger_passed_over(l)->code, ERR_NONE);
		CU_ASSERT_TRUE(accounts_make(l, 100 + round * 3, 3));
		CU_ASSERT_TRUE(batch_post(l, 1000 + round * 30, 29, NOW_S + 30 + round));
		want = state_of(l);
		ledger_close(l);
		got = reopened(true, ERR_NONE);
		CU_ASSERT_TRUE(state_same(&want, &got));
		if (round % 10 == 5) {
			l = book_must_open(path);
			CU_ASSERT_TRUE(ledger_snapshot(l, NULL));
			ledger_close(l);
		}
	}
	CU_ASSERT_TRUE(verify(&v));
	CU_ASSERT_TRUE(file_remove(snapshot, NULL));
	got = reopened(false, ERR_MISSING);
	CU_ASSERT_TRUE(state_same(&want, &got));
}

static void a_snapshot_damaged_anywhere_is_passed_over(void)
{
	struct buf whole;
	setup();
	struct ledger *l = book_must_open(path);
	book_make(l);
	CU_ASSERT_TRUE(ledger_snapshot(l, NULL));
	struct state want = state_of(l), got;
	ledger_close(l);
	buf_init(&whole, 1U << 24);
	CU_ASSERT_TRUE_FATAL(file_read(snapshot, &whole, NULL));
	unsigned tried = 0;
	for (size_t at = 0; at < whole.len; at += at < 400 ? 1 : 997, tried++) {
		whole.data[at] ^= 0x10;
		CU_ASSERT_TRUE(file_write(snapshot, buf_bytes(&whole), 0600, NULL));
		whole.data[at] ^= 0x10;
		l = book_must_open(path);
		got = state_of(l);
		CU_ASSERT(ledger_passed_over(l)->code == ERR_IO || ledger_passed_over(l)->code == ERR_STALE);
		CU_ASSERT_TRUE(state_same(&want, &got));
		ledger_close(l);
	}
	for (size_t len = 0; len < whole.len; len += len < 400 ? 13 : 4999, tried++) {
		CU_ASSERT_TRUE(file_write(snapshot, (struct bytes){ whole.data, len }, 0600, NULL));
		got = reopened(false, ERR_IO);
		CU_ASSERT_TRUE(state_same(&want, &got));
	}
	CU_ASSERT(tried > 400);
	CU_ASSERT_TRUE(file_write(snapshot, buf_bytes(&whole), 0600, NULL));
	got = reopened(true, ERR_NONE);
	CU_ASSERT_TRUE(state_same(&want, &got));
	buf_clear(&whole);
}

static void file_copy(const char *from, const char *to)
{
	struct buf b;
	buf_init(&b, 1U << 24);
	CU_ASSERT_TRUE_FATAL(file_read(from, &b, NULL) && file_write(to, buf_bytes(&b), 0600, NULL));
	buf_clear(&b);
}

static void a_snapshot_of_another_history_is_passed_over(void)
{
	char older[160], newer[SNAPSHOT_PATH_MAX + 8];
	setup();
	snprintf(older, sizeof(older), "%s.older", path);
	snprintf(newer, sizeof(newer), "%s.newer", snapshot);
	struct ledger *l = book_must_open(path);
	book_make(l);
	ledger_close(l);
	file_copy(path, older);
	l = book_must_open(path);
	CU_ASSERT_TRUE(batch_post(l, 5000, 20, NOW_S + 50));
	CU_ASSERT_TRUE(ledger_snapshot(l, NULL));
	ledger_close(l);
	file_copy(snapshot, newer);
	file_copy(older, path); /* put back, the snapshot is ahead of it */
	CU_ASSERT_TRUE(file_remove(snapshot, NULL));
	struct state want = reopened(false, ERR_MISSING);
	file_copy(newer, snapshot);
	struct state got = reopened(false, ERR_STALE);
	CU_ASSERT_TRUE(state_same(&want, &got));
	l = book_must_open(path); /* and goes on otherwise */
	CU_ASSERT_TRUE(batch_post(l, 6000, 20, NOW_S + 50));
	CU_ASSERT_TRUE(batch_post(l, 7000, 20, NOW_S + 51));
	want = state_of(l);
	ledger_close(l);
	file_copy(newer, snapshot);
	got = reopened(false, ERR_STALE);
	CU_ASSERT_TRUE(state_same(&want, &got));
}

/* Its checksum made right: only verify can tell. */
static void a_snapshot_that_lies_is_found_by_verify(void)
{
	static struct ledger_verdict v;
	setup();
	struct ledger *l = book_must_open(path);
	book_make(l);
	ledger_close(l);
	struct db *db = db_open(path, DB_READ, NULL);
	struct ledger_restored how;
	struct ledger_core *c = ledger_restore(db, path, &how, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	const struct ledger_transfer t = { .id = { 9, 9 },
					   .debit = account(1),
					   .credit = account(2),
					   .amount = 1000,
					   .ledger = 1,
					   .code = 1,
					   .kind = TRANSFER_SINGLE };
	enum ledger_status status;
	/* More to account 2 than any row says; what comes of it has one row more, so the ledger needs one more too. */
	CU_ASSERT_TRUE(core_transfers(c, NOW_S + 60, &t, 1, &status, NULL) && status == LEDGER_OK);
	core_commit(c);
	CU_ASSERT_TRUE(snapshot_write(snapshot, c, &how.head, NULL));
	core_free(c);
	db_close(db);
	struct state got = reopened(false, ERR_STALE); /* more rows than the ledger */
	l = book_must_open(path);
	struct state want = state_of(l);
	CU_ASSERT_TRUE(state_same(&want, &got));
	ledger_close(l);
	db = db_open(path, DB_READ, NULL);
	const struct core_source source = { ledger_source_row, ledger_source_named, db };
	c = core_new(&source);
	struct ledger_head head;
	CU_ASSERT_TRUE(ledger_load(db, c, &head, NULL));
	size_t len = core_image_len(c);
	uint8_t *image = malloc(len);
	assert(image != NULL);
	core_image_put(c, image);
	core_free(c);
	int64_t sums;
	size_t at = 32 + 64 + 16; /* of account 2: the head, account 1, its identifier */
	memcpy(&sums, image + at, sizeof(sums));
	sums += 1000;
	memcpy(image + at, &sums, sizeof(sums));
	c = core_new(&source);
	CU_ASSERT_TRUE(core_image_take(c, (struct bytes){ image, len }));
	CU_ASSERT_TRUE(snapshot_write(snapshot, c, &head, NULL));
	core_free(c);
	db_close(db);
	free(image);
	CU_ASSERT_FALSE(verify(&v));
	CU_ASSERT(v.broken[INVARIANT_BALANCES] > 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(v.first[INVARIANT_BALANCES], "snapshot"));
	CU_ASSERT_TRUE(file_remove(snapshot, NULL));
	CU_ASSERT_TRUE(verify(&v));
}

/* Whatever bytes: refused, or a state that can be asked without harm. */
static void an_image_of_any_bytes_does_no_harm(void)
{
	setup();
	struct ledger *l = book_must_open(path);
	book_make(l);
	size_t len = core_image_len(ledger_core(l));
	uint8_t *image = malloc(len);
	assert(image != NULL);
	core_image_put(ledger_core(l), image);
	uint64_t seed = 5;
	unsigned taken = 0, refused = 0;
	const struct core_source source = { ledger_source_row, ledger_source_named, ledger_db(l) };
	for (unsigned i = 0; i < 400; i++) {
		seed = seed * 6364136223846793005U + 1442695040888963407U;
		size_t at = i < 64 ? i : (size_t)(seed >> 20) % len;
		uint8_t was = image[at];
		image[at] = (uint8_t)(seed >> 50);
		struct ledger_core *c = core_new(&source);
		struct ledger_row row;
		if (core_image_take(c, (struct bytes){ image, len })) {
			taken++;
			for (uint64_t k = 1; k < 40; k++) {
				(void)core_account_find(c, account(k));
				CU_ASSERT_TRUE(core_transfer_find(c, (struct id128){ 0, k }, &row, NULL));
			}
		} else {
			refused++;
		}
		core_free(c);
		image[at] = was;
	}
	for (size_t cut = 0; cut < len; cut += 331) {
		struct ledger_core *c = core_new(&source);
		CU_ASSERT_FALSE(core_image_take(c, (struct bytes){ image, cut }));
		core_free(c);
	}
	CU_ASSERT(taken > 50 && refused > 20);
	free(image);
	ledger_close(l);
}

static void a_process_of_its_own_writes_it_while_the_ledger_goes_on(void)
{
	enum { N = 5000 };
	static struct ledger_account a[N];
	static enum ledger_status status[N];
	struct err e = { 0 };
	setup();
	struct ledger *l = book_must_open(path);
	book_make(l);
	for (unsigned k = 0; k * N < LEDGER_SNAPSHOT_ROWS; k++) {
		for (unsigned i = 0; i < N; i++)
			a[i] = (struct ledger_account){ account(1000 + k * N + i), 1, 1, ACCOUNT_HOLD, 0, "" };
		CU_ASSERT_TRUE(ledger_accounts(l, NOW_S, "alice", a, N, status, NULL));
	}
	CU_ASSERT_TRUE(ledger_unsaved(l) > LEDGER_SNAPSHOT_ROWS);
	CU_ASSERT_TRUE(ledger_snapshot_run(l, &e));
	CU_ASSERT_TRUE(batch_post(l, 9000, 40, NOW_S + 90)); /* meanwhile */
	for (int i = 0; i < 2000 && ledger_unsaved(l) > LEDGER_SNAPSHOT_ROWS; i++) {
		usleep(10000);
		CU_ASSERT_TRUE(ledger_snapshot_run(l, &e));
	}
	CU_ASSERT(ledger_unsaved(l) > 0 && ledger_unsaved(l) < 600 /* some expired */);
	struct state want = state_of(l);
	ledger_close(l);
	struct state got = reopened(true, ERR_NONE);
	CU_ASSERT_TRUE(state_same(&want, &got));
}

/* --- killed --- */

static bool snapshots_child(void)
{
	struct ledger *l = ledger_open(path, NULL);
	return l != NULL && accounts_make(l, 1, 20) && batch_post(l, 1, 30, NOW_S) && ledger_snapshot(l, NULL) &&
	       batch_post(l, 31, 30, NOW_S + 1) && ledger_snapshot(l, NULL) && batch_post(l, 61, 30, NOW_S + 2);
}

static void killed_before_any_write_it_opens_to_what_the_rows_say(void)
{
	static struct ledger_verdict v;
	unsigned killed = 0, used = 0;
	if (!killed_can())
		return;
	for (unsigned n = 1;; n++) {
		setup();
		bool was_killed = killed_at(n, snapshots_child);
		struct ledger *l = book_must_open(path);
		struct state got = state_of(l);
		used += ledger_passed_over(l)->code == ERR_NONE;
		CU_ASSERT(ledger_passed_over(l)->code == ERR_NONE || ledger_passed_over(l)->code == ERR_MISSING);
		CU_ASSERT_TRUE(verify(&v));
		ledger_close(l);
		CU_ASSERT_TRUE(file_remove(snapshot, NULL));
		struct state want = reopened(false, ERR_MISSING);
		CU_ASSERT_TRUE(state_same(&want, &got));
		if (!was_killed)
			break;
		killed++;
	}
	CU_ASSERT(killed > 40);
	CU_ASSERT(used > 10);
}

static CU_TestInfo tests[] = {
	{ "opening from a snapshot and what came after gives what every row gives",
	  opening_from_a_snapshot_and_what_came_after_gives_what_every_row_gives },
	{ "a snapshot damaged anywhere is passed over", a_snapshot_damaged_anywhere_is_passed_over },
	{ "a snapshot of another history is passed over", a_snapshot_of_another_history_is_passed_over },
	{ "a snapshot that lies is found by verify", a_snapshot_that_lies_is_found_by_verify },
	{ "an image of any bytes does no harm", an_image_of_any_bytes_does_no_harm },
	{ "a process of its own writes it while the ledger goes on",
	  a_process_of_its_own_writes_it_while_the_ledger_goes_on },
	{ "killed before any write, it opens to what the rows say",
	  killed_before_any_write_it_opens_to_what_the_rows_say },
	CU_TEST_INFO_NULL,
};
SUITE(snapshot, NULL, NULL, tests);
