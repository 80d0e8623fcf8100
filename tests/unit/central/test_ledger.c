/* The ledger on disk: killed at every write, refused by the disk at every write, tampered with, read by hledger. */
#include "central/ledger/export.h"
#include "central/ledger/ledger.h"
#include "central/ledger/verify.h"
#include "tests/support/killed.h"
#include "tests/support/book.h"
#include "tests/test.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW_S 1795500000 /* 2026-11-24 */

static char path[128];

static void setup(void)
{
	snprintf(path, sizeof(path), "%s/ledger.db", test_dir());
}

enum { ISSUER = 1, ANNA, BOB, SHOP, RETIRED };

static struct id128 account(unsigned n)
{
	return (struct id128){ 7, n };
}

/* Five accounts; false when the disk refuses. */
static bool accounts_make(struct ledger *l)
{
	static const uint8_t classes[] = { ACCOUNT_ISSUE, ACCOUNT_HOLD, ACCOUNT_HOLD, ACCOUNT_HOLD, ACCOUNT_RETIRE };
	struct ledger_account a[5] = { 0 };
	enum ledger_status status[5];
	for (unsigned i = 0; i < 5; i++) {
		a[i].id = account(i + 1);
		a[i].ledger = a[i].code = 1;
		a[i].class = classes[i];
		a[i].flags = classes[i] == ACCOUNT_HOLD ? ACCOUNT_NO_OVERDRAFT : 0;
		snprintf(a[i].name, sizeof(a[i].name), "账户 %u", i + 1);
	}
	return ledger_accounts(l, NOW_S, "alice", a, 5, status, NULL);
}

static struct ledger_transfer transfer(uint64_t id, uint8_t kind, unsigned from, unsigned to, int64_t amount,
				       uint64_t ref)
{
	struct ledger_transfer t = { .id = { 0, id }, .ref = { 0, ref }, .amount = amount, .kind = kind };
	if (from != 0) {
		t.debit = account(from);
		t.credit = account(to);
		t.ledger = t.code = 1;
	}
	return t;
}

/* One of each kind, over two batches. */
#define STORY 9
static void story(struct ledger_transfer t[STORY])
{
	t[0] = transfer(1, TRANSFER_SINGLE, ISSUER, ANNA, 1000, 0);
	t[1] = transfer(2, TRANSFER_SINGLE, ISSUER, BOB, 500, 0);
	t[2] = transfer(3, TRANSFER_PENDING, ANNA, SHOP, 300, 0);
	t[3] = transfer(4, TRANSFER_PENDING, BOB, SHOP, 200, 0);
	t[4] = transfer(5, TRANSFER_POST, 0, 0, 250, 3);
	t[5] = transfer(6, TRANSFER_VOID, 0, 0, 0, 4);
	t[6] = transfer(7, TRANSFER_SINGLE, SHOP, RETIRED, 50, 0);
	t[7] = transfer(8, TRANSFER_REVERSAL, 0, 0, 0, 7);
	t[8] = transfer(9, TRANSFER_PENDING, ANNA, BOB, 10, 0);
	t[8].timeout_s = 60;
	t[1].flags = TRANSFER_EFFECTIVE_GIVEN;
	t[1].effective_day = ledger_day_of(NOW_S) - 30;
}

static bool story_tell(struct ledger *l)
{
	struct ledger_transfer t[STORY];
	enum ledger_status status[STORY];
	story(t);
	if (!accounts_make(l) || !ledger_transfers(l, NOW_S + 1, "alice", t, 4, status, NULL) ||
	    !ledger_transfers(l, NOW_S + 2, "bob", t + 4, STORY - 4, status + 4, NULL))
		return false;
	for (size_t i = 0; i < STORY; i++)
		CU_ASSERT(status[i] == LEDGER_OK || status[i] == LEDGER_EXISTS);
	return true;
}

static bool verify(struct ledger_verdict *v)
{
	struct err e = { 0 };
	struct ledger_reader *r = ledger_reader_open(path, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	bool ok = ledger_verify(r, v, &e);
	if (!ok)
		printf("%s\n", e.text);
	ledger_reader_close(r);
	return ok && ledger_verdict_is_clean(v);
}

/* What it all comes to: the balances of the five, posted and pending. */
static void sums_of(struct ledger *l, struct ledger_sums out[5])
{
	for (unsigned i = 0; i < 5; i++)
		out[i] = core_account_find(ledger_core(l), account(i + 1)).sums;
}

/* --- killed --- */

static bool story_child(void)
{
	struct ledger *l = ledger_open(path, NULL);
	return l != NULL && story_tell(l);
}

static void killed_before_any_write_it_has_whole_batches_and_goes_on(void)
{
	struct ledger_sums want[5], got[5];
	static struct ledger_verdict v;
	unsigned killed = 0, rows_seen[STORY + 1] = { 0 };
	if (!killed_can())
		return;
	setup();
	struct ledger *l = book_must_open(path);
	CU_ASSERT_TRUE(story_tell(l));
	sums_of(l, want);
	ledger_close(l);
	for (unsigned n = 1;; n++) {
		setup();
		bool was_killed = killed_at(n, story_child);
		l = book_must_open(path);
		CU_ASSERT_TRUE(verify(&v));
		CU_ASSERT(v.rows == 0 || v.rows == 4 || v.rows == STORY);
		rows_seen[v.rows]++;
		CU_ASSERT_TRUE(story_tell(l)); /* sent again, it counts once */
		sums_of(l, got);
		CU_ASSERT_EQUAL(memcmp(want, got, sizeof(got)), 0);
		CU_ASSERT_EQUAL(core_rows_len(ledger_core(l)), STORY);
		ledger_close(l);
		if (!was_killed)
			break;
		killed++;
	}
	CU_ASSERT(killed > 30);
	CU_ASSERT(rows_seen[0] > 0 && rows_seen[4] > 0 && rows_seen[STORY] > 0);
}

/* --- a full disk --- */

static void limit_set(rlim_t bytes)
{
	struct rlimit r;
	getrlimit(RLIMIT_FSIZE, &r);
	r.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &r);
}

static void a_commit_that_fails_at_any_write_leaves_the_state_byte_identical(void)
{
	struct ledger_transfer t[64];
	enum ledger_status status[64];
	uint8_t before[HASH_LEN], after[HASH_LEN];
	char wal[140];
	struct stat st;
	static struct ledger_verdict v;
	unsigned failed = 0;
	bool ok = false;
	setup();
	struct ledger *l = book_must_open(path);
	CU_ASSERT_TRUE(story_tell(l));
	for (size_t i = 0; i < 64; i++)
		t[i] = transfer(100 + i, TRANSFER_SINGLE, ISSUER, ANNA, 1, 0);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	CU_ASSERT_EQUAL_FATAL(stat(wal, &st), 0);
	core_digest(ledger_core(l), before);
	void (*was)(int) = signal(SIGXFSZ, SIG_IGN);
	for (rlim_t room = 0; !ok && room < 65536; room += 256) {
		struct err e = { 0 };
		limit_set((rlim_t)st.st_size + room);
		/* The pending one of the story expires in each try: that, too, is taken back. */
		ok = ledger_transfers(l, NOW_S + 100, "alice", t, 64, status, &e);
		limit_set(RLIM_INFINITY);
		if (ok)
			break;
		failed++;
		CU_ASSERT(e.code == ERR_FULL || e.code == ERR_IO);
		core_digest(ledger_core(l), after);
		CU_ASSERT_EQUAL(memcmp(before, after, HASH_LEN), 0);
		CU_ASSERT_TRUE(verify(&v));
		CU_ASSERT_EQUAL(v.rows, STORY);
	}
	signal(SIGXFSZ, was);
	CU_ASSERT_TRUE(ok);
	CU_ASSERT(failed >= 30);
	CU_ASSERT_TRUE(verify(&v));
	CU_ASSERT_EQUAL(v.rows, STORY + 65);
	ledger_close(l);
}

/* --- tampered with --- */

static bool tamper(const char *sql)
{
	struct err e = { 0 };
	struct db *db = db_open(path, DB_WRITE, &e);
	bool ok = db != NULL && db_exec(db, sql, &e);
	db_close(db);
	return ok;
}

static void rows_can_only_be_inserted(void)
{
	setup();
	struct ledger *l = book_must_open(path);
	CU_ASSERT_TRUE(story_tell(l));
	ledger_close(l);
	CU_ASSERT_FALSE(tamper("UPDATE transfer SET amount = 1 WHERE seq = 1"));
	CU_ASSERT_FALSE(tamper("DELETE FROM transfer WHERE seq = 9"));
	CU_ASSERT_FALSE(tamper("UPDATE account SET flags = 0"));
	CU_ASSERT_FALSE(tamper("DELETE FROM account"));
	CU_ASSERT_FALSE(tamper("UPDATE batch SET operator = 'mallory'"));
	CU_ASSERT_FALSE(tamper("DELETE FROM batch WHERE no = 3"));
}

static void whatever_is_changed_behind_its_back_verify_says_so(void)
{
	static const struct {
		const char *sql;
		enum ledger_invariant broken; /* beside the chain */
	} cases[] = {
		{ "UPDATE transfer SET amount = 999 WHERE seq = 1", INVARIANT_CHAIN },
		{ "UPDATE transfer SET amount = 1 WHERE seq = 1", INVARIANT_LIMITS },
		{ "UPDATE transfer SET amount = 9000 WHERE seq = 7", INVARIANT_LIMITS },
		{ "UPDATE transfer SET amount = 301 WHERE seq = 5", INVARIANT_PENDING },
		{ "UPDATE transfer SET ref = 4 WHERE seq = 5", INVARIANT_PENDING },
		{ "UPDATE transfer SET ref = 1, debit = 1, credit = 2, released = 1000 WHERE seq = 6",
		  INVARIANT_ROWS },
		{ "UPDATE transfer SET amount = 49 WHERE seq = 8", INVARIANT_REVERSAL },
		{ "UPDATE transfer SET ref = 1 WHERE seq = 8", INVARIANT_REVERSAL },
		{ "UPDATE transfer SET id = (SELECT id FROM transfer WHERE seq = 1) WHERE seq = 2", INVARIANT_IDS },
		{ "UPDATE transfer SET debit = credit WHERE seq = 2", INVARIANT_ROWS },
		{ "UPDATE transfer SET debit = 77 WHERE seq = 2", INVARIANT_ROWS },
		{ "UPDATE transfer SET amount = -5 WHERE seq = 2", INVARIANT_ROWS },
		{ "UPDATE transfer SET prev_debit = 0 WHERE seq = 9", INVARIANT_ROWS },
		{ "UPDATE transfer SET data = zeroblob(16) WHERE seq = 9", INVARIANT_COUNT },
		{ "UPDATE transfer SET effective_day = 1 WHERE seq = 2", INVARIANT_CHAIN },
		{ "UPDATE transfer SET timeout_s = 59 WHERE seq = 9", INVARIANT_CHAIN },
		{ "UPDATE account SET flags = 1 WHERE no = 1", INVARIANT_LIMITS },
		{ "UPDATE account SET class = 7 WHERE no = 3", INVARIANT_ROWS },
		{ "UPDATE account SET name = 'x' WHERE no = 3", INVARIANT_CHAIN },
		{ "UPDATE batch SET time_s = 5 WHERE no = 3", INVARIANT_TIME },
		{ "UPDATE batch SET operator = 'mallory' WHERE no = 2", INVARIANT_CHAIN },
		{ "DELETE FROM transfer WHERE seq = 9", INVARIANT_CHAIN },
		{ "DELETE FROM transfer WHERE seq = 9; DELETE FROM batch WHERE no = 3", INVARIANT_CHAIN },
		{ "INSERT INTO transfer SELECT 10, x'00000000000000000000000000000063', data, 1, 0, 1, 1, 2, 5, 0, "
		  "0, 0,"
		  " 20000, 2, 9 FROM transfer WHERE seq = 1",
		  INVARIANT_CHAIN },
	};
	static const char triggers[] =
		"DROP TRIGGER transfer_stays; DROP TRIGGER transfer_remains;"
		"DROP TRIGGER account_stays; DROP TRIGGER batch_stays; DROP TRIGGER batch_remains;";
	static struct ledger_verdict v;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup();
		struct ledger *l = book_must_open(path);
		CU_ASSERT_TRUE(story_tell(l));
		ledger_close(l);
		CU_ASSERT_TRUE(verify(&v));
		CU_ASSERT_TRUE(tamper(triggers));
		CU_ASSERT_TRUE_FATAL(tamper(cases[i].sql));
		bool clean = verify(&v);
		bool same = cases[i].broken == INVARIANT_COUNT; /* zero and none are the same bytes */
		if (clean != same || (!same && (v.broken[INVARIANT_CHAIN] == 0 || v.broken[cases[i].broken] == 0)))
			printf("\n  not noticed as %s: %s", ledger_invariant_name(cases[i].broken), cases[i].sql);
		CU_ASSERT_EQUAL(clean, same);
		CU_ASSERT(same || (v.broken[INVARIANT_CHAIN] > 0 && v.broken[cases[i].broken] > 0));
	}
}

/* --- hledger --- */

/* "account","amount …" of its CSV against ours; how many lines. */
static unsigned hledger_compare(struct ledger_reader *r, FILE *csv)
{
	char line[256], name[EXPORT_ACCOUNT_MAX], ours[EXPORT_ACCOUNT_MAX];
	long long amount;
	unsigned lines = 0;
	while (fgets(line, sizeof(line), csv) != NULL) {
		if (sscanf(line, "\"%63[^\"]\",\"%lld", name, &amount) != 2)
			continue;
		lines++;
		for (uint32_t i = 1;; i++) {
			struct ledger_account a;
			struct ledger_sums s;
			const struct ledger_as_of all = { INT32_MAX, INT64_MAX };
			CU_ASSERT_TRUE_FATAL(ledger_reader_account(r, i, &a, NULL));
			ledger_export_account(&a, ours);
			if (strcmp(ours, name) != 0)
				continue;
			CU_ASSERT_TRUE(ledger_reader_balance(r, i, &all, &s, NULL));
			CU_ASSERT_EQUAL(s.debits_posted - s.credits_posted, amount);
			break;
		}
	}
	return lines;
}

static void hledger_comes_to_the_same_balances(void)
{
	char journal[160], command[400];
	struct ledger_transfer t[400];
	enum ledger_status status[400];
	uint64_t state = 5;
	unsigned nonzero = 0;
	if (access("/usr/bin/hledger", X_OK) != 0) {
		test_skip("hledger (make deps installs it)");
		return;
	}
	setup();
	struct ledger *l = book_must_open(path);
	CU_ASSERT_TRUE(story_tell(l));
	for (size_t i = 0; i < 400; i++) {
		state = state * 6364136223846793005U + 1442695040888963407U;
		unsigned from = 1 + (unsigned)(state >> 33) % 5, to = 1 + (unsigned)(state >> 43) % 5;
		t[i] = transfer(1000 + i, i % 7 == 6 ? TRANSFER_REVERSAL : TRANSFER_SINGLE, i % 7 == 6 ? 0 : from, to,
				(int64_t)(state >> 50) % 90 + 1, i % 7 == 6 ? 1000 + i - 3 : 0);
		if (i % 7 == 6)
			t[i].amount = 0;
	}
	CU_ASSERT_TRUE(ledger_transfers(l, NOW_S + 5, "alice", t, 400, status, NULL));
	struct ledger_reader *r = ledger_reader_open(path, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	snprintf(journal, sizeof(journal), "%s.journal", path);
	FILE *f = fopen(journal, "w");
	if (f == NULL)
		abort();
	CU_ASSERT_TRUE(ledger_export(r, 0, f, NULL));
	fclose(f);
	snprintf(command, sizeof(command), "LC_ALL=C.UTF-8 hledger -f %s balance --flat -N -O csv", journal);
	FILE *csv = popen(command, "r"); // NOLINT(cert-env33-c): our own words
	CU_ASSERT_PTR_NOT_NULL_FATAL(csv);
	unsigned lines = hledger_compare(r, csv);
	CU_ASSERT_EQUAL(pclose(csv), 0);
	for (unsigned i = 1; i <= 5; i++) {
		struct ledger_sums s = core_account_find(ledger_core(l), account(i)).sums;
		nonzero += s.debits_posted != s.credits_posted;
	}
	CU_ASSERT_EQUAL(lines, nonzero);
	CU_ASSERT(nonzero >= 3);
	ledger_reader_close(r);
	ledger_close(l);
}

/* --- batches --- */

static void a_batch_takes_8190_and_no_more(void)
{
	struct ledger_transfer *t = calloc(LEDGER_BATCH_MAX + 1, sizeof(*t));
	enum ledger_status *status = calloc(LEDGER_BATCH_MAX + 1, sizeof(*status));
	struct err e = { 0 };
	assert(t != NULL && status != NULL);
	setup();
	struct ledger *l = book_must_open(path);
	CU_ASSERT_TRUE(accounts_make(l));
	for (size_t i = 0; i <= LEDGER_BATCH_MAX; i++)
		t[i] = transfer(1 + i, TRANSFER_SINGLE, ISSUER, ANNA, 1, 0);
	CU_ASSERT_FALSE(ledger_transfers(l, NOW_S, "alice", t, LEDGER_BATCH_MAX + 1, status, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	CU_ASSERT_EQUAL(core_rows_len(ledger_core(l)), 0);
	CU_ASSERT_TRUE(ledger_transfers(l, NOW_S, "alice", t, LEDGER_BATCH_MAX, status, &e));
	CU_ASSERT_EQUAL(core_account_find(ledger_core(l), account(ANNA)).sums.credits_posted, LEDGER_BATCH_MAX);
	struct ledger_head head = ledger_head(l), again;
	CU_ASSERT_TRUE(ledger_transfers(l, NOW_S, "alice", t, LEDGER_BATCH_MAX, status, &e));
	for (size_t i = 0; i < LEDGER_BATCH_MAX; i++)
		CU_ASSERT_EQUAL(status[i], LEDGER_EXISTS);
	again = ledger_head(l); /* nothing new: no batch */
	CU_ASSERT_EQUAL(again.batches, head.batches);
	CU_ASSERT_EQUAL(memcmp(again.hash, head.hash, HASH_LEN), 0);
	ledger_close(l);
	free(t);
	free(status);
}

static CU_TestInfo tests[] = {
	{ "killed before any write it has whole batches and goes on",
	  killed_before_any_write_it_has_whole_batches_and_goes_on },
	{ "a commit that fails at any write leaves the state byte-identical",
	  a_commit_that_fails_at_any_write_leaves_the_state_byte_identical },
	{ "rows can only be inserted", rows_can_only_be_inserted },
	{ "whatever is changed behind its back, verify says so", whatever_is_changed_behind_its_back_verify_says_so },
	{ "hledger comes to the same balances", hledger_comes_to_the_same_balances },
	{ "a batch takes 8,190 and no more", a_batch_takes_8190_and_no_more },
	CU_TEST_INFO_NULL,
};
SUITE(ledger, NULL, NULL, tests);
