/* Random batches against the naive model, from a seed that is printed: every status, every balance now and as of two days, the state after
   being loaded again, and every invariant of verify. XINBIAN_LEDGER_SEQUENCES for more. */
#include "central/ledger/reader.h"
#include "central/ledger/verify.h"
#include "tests/support/ledger_model.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEQUENCES  500
#define OPERATIONS 500
#define BATCH_MOST 12
#define IDS        160 /* small enough that they meet again and again */

static uint64_t seed;

static uint64_t any(uint64_t below)
{
	uint64_t x = seed += 0x9e3779b97f4a7c15U;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return (x ^ x >> 31) % below;
}

/* --- committed rows in an array, in place of a file --- */

struct memory {
	struct ledger_row rows[MODEL_ROWS];
	size_t len;
};

static bool memory_row(void *arg, uint32_t seq, struct ledger_row *out, struct err *e)
{
	struct memory *m = arg;
	if (seq == 0 || seq > m->len)
		return err_set(e, ERR_IO, "the core asks for row %u of %zu", seq, m->len);
	*out = m->rows[seq - 1];
	return true;
}

static bool memory_named(void *arg, uint32_t account, const char *name, bool *same, struct err *e)
{
	(void)arg, (void)account, (void)e;
	*same = name[0] == '\0';
	return true;
}

static struct id128 account_id(uint64_t n)
{
	return (struct id128){ 0, 1000 + n };
}

static void accounts_make(struct ledger_model *m)
{
	for (size_t i = 0; i < MODEL_ACCOUNTS; i++) {
		struct ledger_account a = { .id = account_id(i), .ledger = i < 6 ? 1 : 2, .code = 1 };
		a.class = i == 0 || i == 6 ? ACCOUNT_ISSUE : i == 5 ? ACCOUNT_RETIRE : ACCOUNT_HOLD;
		a.flags = i == 2 || i == 3 ? ACCOUNT_NO_OVERDRAFT : i == 4 ? ACCOUNT_NO_OVERPAY : 0;
		m->accounts[m->accounts_len++] = a;
	}
}

static int64_t any_amount(void)
{
	static const int64_t odd[] = { 0, -1, 1, INT64_MAX, INT64_MAX / 2 };
	return any(40) == 0 ? odd[any(5)] : (int64_t)any(50) + 1;
}

static struct ledger_transfer any_transfer(void)
{
	struct ledger_transfer t = { .id = { 0, any(200) == 0 ? 0 : 1 + any(IDS) } };
	t.kind = (uint8_t)(any(100) == 0 ? any(8) : 1 + any(5));
	bool refers = t.kind == TRANSFER_POST || t.kind == TRANSFER_VOID || t.kind == TRANSFER_REVERSAL;
	if (refers ? any(8) == 0 : any(40) != 0) {
		t.debit = account_id(any(MODEL_ACCOUNTS + (any(20) == 0)));
		t.credit = account_id(any(MODEL_ACCOUNTS + (any(20) == 0)));
		t.ledger = t.debit.lo < 1006 ? 1 : 2;
		t.ledger += any(60) == 0;
	}
	if (refers ? any(40) != 0 : any(60) == 0)
		t.ref.lo = 1 + any(IDS);
	t.amount = refers && any(3) != 0 ? 0 : any_amount();
	t.timeout_s = t.kind == TRANSFER_PENDING ? (uint32_t)any(3) * 40 : any(60) == 0;
	t.code = (uint16_t)(any(4) == 0 ? any(3) : !refers);
	t.data.lo = any(8) == 0;
	t.flags = any(6) == 0 ? TRANSFER_LINKED : 0;
	if (any(4) == 0) {
		t.flags |= TRANSFER_EFFECTIVE_GIVEN;
		t.effective_day = (int32_t)any(5);
	}
	return t;
}

static void change_one(struct ledger_transfer *t)
{
	switch (any(7)) {
	case 0: t->credit = (struct id128){ 0, 0 }; break;
	case 1: t->ledger = t->ledger == 0 ? 1 : 0; break;
	case 2: t->ledger++; break;
	case 3: t->code++; break;
	case 4: t->effective_day++; break;
	default: t->amount = t->amount < 1000 ? t->amount + 1 : 1; break;
	}
}

/* Often one sent before, or nearly. */
static struct ledger_transfer next_transfer(struct ledger_transfer *sent, size_t *len)
{
	struct ledger_transfer t = any_transfer();
	if (*len > 0 && any(5) == 0) {
		t = sent[any(*len)];
		if (any(3) == 0)
			change_one(&t);
	}
	sent[(*len)++] = t;
	return t;
}

static bool sums_same(const struct ledger_core *c, const struct ledger_model *m)
{
	for (size_t i = 0; i < m->accounts_len; i++) {
		struct ledger_sums want = model_sums(m, account_id(i), INT64_MAX, INT32_MAX),
				   got = core_account_find(c, account_id(i)).sums;
		if (memcmp(&want, &got, sizeof(got)) != 0)
			return false;
	}
	return true;
}

/* The state as another core loads it from the rows. */
static bool loads_the_same(const struct ledger_core *c, const struct ledger_model *m, struct memory *rows,
			   const int64_t *times)
{
	const struct core_source source = { memory_row, memory_named, rows };
	struct ledger_core *again = core_new(&source);
	uint8_t a[HASH_LEN], b[HASH_LEN];
	bool ok = true;
	core_replay_time(again, 0);
	for (size_t i = 0; ok && i < m->accounts_len; i++)
		ok = core_replay_account(again, &m->accounts[i], NULL);
	for (size_t i = 0; ok && i < rows->len; i++)
		ok = core_replay_row(again, &rows->rows[i], times[i], NULL);
	core_digest(c, a);
	core_digest(again, b);
	core_free(again);
	return ok && memcmp(a, b, HASH_LEN) == 0;
}

static unsigned seen[LEDGER_STATUS_COUNT];

static bool batch_same(struct ledger_core *c, struct ledger_model *m, struct memory *rows, int64_t *times,
		       const struct ledger_transfer *t, size_t n, int64_t now_s)
{
	enum ledger_status want[BATCH_MOST], got[BATCH_MOST];
	const struct ledger_row *fresh;
	uint8_t before[HASH_LEN], after[HASH_LEN];
	bool thrown = any(10) == 0; /* as when the disk refuses */
	core_digest(c, before);
	if (thrown) {
		CU_ASSERT_TRUE(core_transfers(c, now_s, t, n, got, NULL));
		core_rollback(c);
		core_digest(c, after);
		if (memcmp(before, after, HASH_LEN) != 0)
			return false;
	}
	model_batch(m, now_s, t, n, want);
	CU_ASSERT_TRUE(core_transfers(c, now_s, t, n, got, NULL));
	size_t len = core_new_rows(c, &fresh);
	for (size_t i = 0; i < len; i++) {
		times[rows->len] = core_time(c);
		rows->rows[rows->len++] = fresh[i];
	}
	core_commit(c);
	core_digest(c, after);
	for (size_t i = 0; i < n; i++) {
		seen[want[i]]++;
		if (want[i] != got[i]) {
			printf("\n  %zu of %zu: expected %s, got %s", i, n, ledger_status_name(want[i]),
			       ledger_status_name(got[i]));
			return false;
		}
	}
	return len > 0 || memcmp(before, after, HASH_LEN) == 0;
}

static bool sequence_run(void)
{
	static struct ledger_model m;
	static struct memory rows;
	static int64_t times[MODEL_ROWS];
	static struct ledger_transfer sent[OPERATIONS + BATCH_MOST];
	const struct core_source source = { memory_row, memory_named, &rows };
	struct ledger_core *c = core_new(&source);
	enum ledger_status status[MODEL_ACCOUNTS];
	size_t sent_len = 0;
	int64_t now_s = 1;
	bool ok = true;
	rows.len = 0;
	model_init(&m);
	accounts_make(&m);
	CU_ASSERT_TRUE(core_accounts(c, 0, m.accounts, m.accounts_len, status, NULL));
	core_commit(c);
	for (size_t i = 0; i < m.accounts_len; i++)
		CU_ASSERT_TRUE(core_replay_account(c, &m.accounts[i], NULL));
	m.known_s = 0;
	while (ok && sent_len < OPERATIONS) {
		struct ledger_transfer t[BATCH_MOST];
		size_t n = any(BATCH_MOST) + (any(10) != 0);
		n = n > BATCH_MOST ? BATCH_MOST : n;
		for (size_t i = 0; i < n; i++)
			t[i] = next_transfer(sent, &sent_len);
		now_s += any(12) == 0 ? -5 : (int64_t)any(20);
		ok = batch_same(c, &m, &rows, times, t, n, now_s) && (any(8) != 0 || sums_same(c, &m));
	}
	ok = ok && sums_same(c, &m) && rows.len == m.len && loads_the_same(c, &m, &rows, times);
	core_free(c);
	return ok;
}

static size_t sequences(void)
{
	const char *n = getenv("XINBIAN_LEDGER_SEQUENCES");
	return n != NULL ? strtoull(n, NULL, 10) : SEQUENCES;
}

static void the_core_and_the_naive_model_agree(void)
{
	size_t n = sequences();
	unsigned kinds = 0;
	for (size_t i = 0; i < n; i++) {
		seed = i * 7919;
		if (sequence_run())
			continue;
		printf("\n  sequence %zu", i);
		CU_FAIL("they differ");
		break;
	}
	for (size_t i = 0; i < LEDGER_STATUS_COUNT; i++)
		kinds += seen[i] > 0;
	CU_ASSERT_EQUAL(kinds, LEDGER_STATUS_COUNT - 6); /* every one, but the five of accounts and a full book */
	CU_ASSERT(seen[LEDGER_OK] > n * 20);
}

/* --- on a file --- */

static void balances_as_of_are_same(struct ledger_reader *r, const struct ledger_model *m, int64_t known_s,
				    int32_t day)
{
	struct ledger_sums all[MODEL_ACCOUNTS + 1], one;
	const struct ledger_as_of at = { day, known_s };
	CU_ASSERT_TRUE(ledger_reader_balances(r, &at, all, MODEL_ACCOUNTS, NULL));
	for (uint32_t i = 0; i < MODEL_ACCOUNTS; i++) {
		struct ledger_sums want = model_sums(m, account_id(i), known_s, day);
		CU_ASSERT_TRUE(ledger_reader_balance(r, i + 1, &at, &one, NULL));
		CU_ASSERT_EQUAL(memcmp(&want, &all[i + 1], sizeof(want)), 0);
		CU_ASSERT_EQUAL(memcmp(&want, &one, sizeof(want)), 0);
	}
}

static uint64_t looked[INVARIANT_COUNT];

static void file_is_as_the_model(const char *path, const struct ledger_model *m, int64_t now_s, bool of_all_days)
{
	struct ledger_verdict v;
	struct err e = { 0 };
	struct ledger_reader *r = ledger_reader_open(path, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	for (int64_t known = 0; of_all_days && known <= now_s; known += now_s / 6 + 1)
		for (int32_t day = -1; day < 6; day += 2)
			balances_as_of_are_same(r, m, known, day);
	balances_as_of_are_same(r, m, INT64_MAX, INT32_MAX);
	CU_ASSERT_TRUE_FATAL(ledger_verify(r, &v, &e));
	CU_ASSERT_EQUAL(v.rows, m->len);
	for (size_t i = 0; i < INVARIANT_COUNT; i++) {
		looked[i] += v.looked[i];
		if (v.broken[i] > 0)
			printf("\n  %s: %s", ledger_invariant_name((enum ledger_invariant)i), v.first[i]);
	}
	CU_ASSERT_TRUE(ledger_verdict_is_clean(&v));
	ledger_reader_close(r);
}

/* In memory, when there is such a place: this is about what is stored and not about when. */
static const char *quick_dir(void)
{
	const char *was = getenv("TMPDIR");
	char kept[200];
	snprintf(kept, sizeof(kept), "%s", was != NULL ? was : "/tmp");
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	const char *dir = test_dir();
	setenv("TMPDIR", kept, 1);
	return dir;
}

static void book_remove(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".snapshot" };
	char name[160];
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
}

static void balances_as_of_any_day_and_every_invariant_hold_on_a_file(void)
{
	const char *dir = quick_dir();
	static struct ledger_model m;
	static struct ledger_transfer sent[OPERATIONS + BATCH_MOST];
	enum ledger_status want[BATCH_MOST], got[BATCH_MOST];
	for (size_t round = 0; round < sequences(); round++) {
		char path[128];
		size_t sent_len = 0;
		int64_t now_s = 1;
		seed = 77 + round * 7907;
		snprintf(path, sizeof(path), "%s/ledger.db", dir);
		book_remove(path);
		struct ledger *l = ledger_open(path, NULL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(l);
		model_init(&m);
		accounts_make(&m);
		CU_ASSERT_TRUE(ledger_accounts(l, 0, "alice", m.accounts, m.accounts_len, got, NULL));
		m.known_s = 0;
		while (sent_len < OPERATIONS) {
			struct ledger_transfer t[BATCH_MOST];
			size_t n = 1 + any(BATCH_MOST);
			for (size_t i = 0; i < n; i++)
				t[i] = next_transfer(sent, &sent_len);
			now_s += (int64_t)any(20);
			model_batch(&m, now_s, t, n, want);
			CU_ASSERT_TRUE(ledger_transfers(l, now_s, "alice", t, n, got, NULL));
			CU_ASSERT_EQUAL(memcmp(want, got, n * sizeof(*got)), 0);
		}
		if (round % 2 == 1) /* and the snapshot, with or without rows behind it */
			CU_ASSERT_TRUE(ledger_snapshot(l, NULL));
		file_is_as_the_model(path, &m, now_s, round < 6);
		ledger_close(l);
	}
	for (size_t i = 0; i < INVARIANT_COUNT; i++)
		CU_ASSERT(looked[i] > 0 || i == INVARIANT_SIGNED);
}

static CU_TestInfo tests[] = {
	{ "the core and the naive model agree", the_core_and_the_naive_model_agree },
	{ "balances as of any day and every invariant hold on a file",
	  balances_as_of_any_day_and_every_invariant_hold_on_a_file },
	CU_TEST_INFO_NULL,
};
SUITE(ledger_model, NULL, NULL, tests);
