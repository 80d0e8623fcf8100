/*
 * Transfers a second, each batch of 8,190 on disk before the next begins, over XINBIAN_BENCH_ACCOUNTS (1,000,000) accounts that may not be
 * overdrawn: between random ones, and out of one hot account; beside PostgreSQL 15 doing the same on the same disk in
 * the same run, as its manual advises for bulk: rows by COPY into an unlogged staging table, one set-based function a batch that looks
 * identifiers up, checks limits, inserts, and adds each account's sums once. Growth: the rate with
 * XINBIAN_BENCH_ROWS_MAX (10,000,000) transfers in the file over that with a million, by turns. Opening: from a snapshot, and by every row. By hand: XINBIAN_BENCH_DIR says where the files go.
 */
#include "central/ledger/ledger.h"
#include "central/ledger/snapshot.h"
#include "tests/bench/bench.h"
#include "tests/bench/postgres.h"

#include <ftw.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH         LEDGER_BATCH_MAX
#define ROUNDS        25 /* batches measured: 204,750 transfers */
#define GROWTH_ROUNDS 24 /* of four batches */
#define NOW_S         1795500000
#define MILLION       1000000U
#define FUNDS         1000000000000

static size_t accounts;
static uint64_t seed = 42, next_id = 1;
static struct ledger_transfer batch[BATCH];
static enum ledger_status status[BATCH];
static char dir[200];

static struct id128 account_id(size_t i)
{
	uint64_t s = 7 + i;
	return (struct id128){ bench_random(&s), i + 1 };
}

static struct id128 transfer_id(void)
{
	uint64_t s = next_id++;
	uint64_t hi = bench_random(&s);
	return (struct id128){ hi, bench_random(&s) };
}

/* from, to: account numbers, or SIZE_MAX for a random one. */
static void batch_make(size_t from)
{
	for (size_t i = 0; i < BATCH; i++) {
		size_t debit = from != SIZE_MAX ? from : bench_random(&seed) % accounts, credit;
		while ((credit = bench_random(&seed) % accounts) == debit)
			;
		batch[i] = (struct ledger_transfer){ .id = transfer_id(),
						     .debit = account_id(debit),
						     .credit = account_id(credit),
						     .amount = 1 + (int64_t)(bench_random(&seed) % 100),
						     .ledger = 1,
						     .code = 1,
						     .kind = TRANSFER_SINGLE };
	}
}

static void must_all(enum ledger_status want)
{
	for (size_t i = 0; i < BATCH; i++)
		bench_must(status[i] == want, ledger_status_name(status[i]));
}

static void accounts_make(struct ledger *l)
{
	static struct ledger_account a[BATCH];
	struct err e = { 0 };
	const struct ledger_account source = { .id = { 1, 0 }, .ledger = 1, .code = 9, .class = ACCOUNT_ISSUE };
	bench_must(ledger_accounts(l, NOW_S, "bench", &source, 1, status, &e), e.text);
	for (size_t at = 0; at < accounts;) {
		size_t n = 0;
		for (; n < BATCH && at < accounts; n++, at++)
			a[n] = (struct ledger_account){
				account_id(at), 1, 1, ACCOUNT_HOLD, ACCOUNT_NO_OVERDRAFT, ""
			};
		bench_must(ledger_accounts(l, NOW_S, "bench", a, n, status, &e), e.text);
	}
}

/* Every account is given something, so that limits are met and looked at. */
static void accounts_fund(struct ledger *l)
{
	struct err e = { 0 };
	for (size_t at = 0; at < accounts;) {
		size_t n = 0;
		for (; n < BATCH && at < accounts; n++, at++)
			batch[n] = (struct ledger_transfer){ .id = transfer_id(),
							     .debit = { 1, 0 },
							     .credit = account_id(at),
							     .amount = FUNDS,
							     .ledger = 1,
							     .code = 1,
							     .kind = TRANSFER_SINGLE };
		bench_must(ledger_transfers(l, NOW_S, "bench", batch, n, status, &e) && status[0] == LEDGER_OK,
			   e.text);
	}
}

/* Transfers a second over some batches; making them is not counted. */
static double rate(struct ledger *l, size_t batches, size_t from)
{
	double spent = 0;
	struct err e = { 0 };
	for (size_t i = 0; i < batches; i++) {
		batch_make(from);
		double start = bench_now_s();
		bench_must(ledger_transfers(l, NOW_S + (int64_t)i, "bench", batch, BATCH, status, &e), e.text);
		spent += bench_now_s() - start;
		must_all(LEDGER_OK);
	}
	return (double)(batches * BATCH) / spent;
}

static double repeated(struct ledger *l)
{
	struct err e = { 0 };
	double start = bench_now_s();
	bench_must(ledger_transfers(l, NOW_S, "bench", batch, BATCH, status, &e), e.text);
	double spent = bench_now_s() - start;
	must_all(LEDGER_EXISTS);
	return BATCH / spent;
}

static size_t resident_mib(void)
{
	size_t pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	bench_must(f != NULL && fscanf(f, "%*s %zu", &pages) == 1, "statm");
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE) >> 20;
}

/*
 * A large ledger and one of a million transfers by turns, a batch each: small, large, large, small, so that what else the machine does, and
 * whether it does more and more of it, meets both. Each four turns give one ratio; their median is the figure, their quartiles and the ratio
 * of all time spent say how far it can be trusted.
 */
static void growth(struct ledger *large, size_t rows_max)
{
	static double ratios[GROWTH_ROUNDS], turns[2][2 * GROWTH_ROUNDS];
	char path[256];
	double spent[2] = { 0, 0 };
	struct err e = { 0 };
	while (core_rows_len(ledger_core(large)) + 2 * GROWTH_ROUNDS * BATCH < rows_max)
		rate(large, ROUNDS, SIZE_MAX);
	snprintf(path, sizeof(path), "%s/small.db", dir);
	struct ledger *small = ledger_open(path, &e);
	bench_must(small != NULL, e.text);
	accounts_make(small);
	accounts_fund(small);
	for (size_t i = 0; i < GROWTH_ROUNDS; i++) {
		struct ledger *order[4] = { small, large, large, small };
		double four[2] = { 0, 0 };
		for (size_t k = 0; k < 4; k++) {
			double s = BATCH / rate(order[k], 1, SIZE_MAX);
			four[order[k] == large] += s;
			turns[order[k] == large][2 * i + k / 2] = s;
		}
		ratios[i] = four[0] / four[1];
		spent[0] += four[0];
		spent[1] += four[1];
	}
	uint32_t rows[2] = { core_rows_len(ledger_core(small)), core_rows_len(ledger_core(large)) };
	ledger_close(small);
	double median = bench_median(ratios, GROWTH_ROUNDS), low = ratios[GROWTH_ROUNDS / 4],
	       high = ratios[GROWTH_ROUNDS * 3 / 4];
	printf("at %.1f M transfers %.0f/s, at %.1f M %.0f/s (medians of %d batches); ratio of %d times four turns: "
	       "median %.2f, quartiles "
	       "%.2f to %.2f; of all time spent %.2f\n",
	       (double)rows[0] / 1e6, BATCH / bench_median(turns[0], 2 * GROWTH_ROUNDS), (double)rows[1] / 1e6,
	       BATCH / bench_median(turns[1], 2 * GROWTH_ROUNDS), 2 * GROWTH_ROUNDS, GROWTH_ROUNDS, median, low, high,
	       spent[0] / spent[1]);
	bench_row("ledger.growth", median, "x", NULL, 0, false);
	bench_row("ledger.growth_all", spent[0] / spent[1], "x", NULL, 0, false);
}

static double opened(struct ledger **l, const char *path, bool from_snapshot)
{
	struct err e = { 0 };
	double start = bench_now_s();
	*l = ledger_open(path, &e);
	bench_must(*l != NULL, e.text);
	double spent = bench_now_s() - start;
	bench_must((ledger_passed_over(*l)->code == ERR_NONE) == from_snapshot, "how it was opened");
	return spent;
}

/* By every row, by a snapshot with nothing behind it, and with as much behind it as a daemon leaves at worst when it is killed. */
static void reopen(struct ledger **l, const char *path)
{
	char snapshot[SNAPSHOT_PATH_MAX];
	struct stat st, image;
	struct err e = { 0 };
	snapshot_path(path, snapshot);
	double start = bench_now_s();
	bench_must(ledger_snapshot(*l, &e), e.text);
	double written = bench_now_s() - start;
	ledger_close(*l);
	bench_must(stat(path, &st) == 0 && stat(snapshot, &image) == 0, path);
	double quick = opened(l, path, true);
	rate(*l, LEDGER_SNAPSHOT_ROWS / BATCH, SIZE_MAX); /* not enough to write another on closing */
	uint32_t rows = core_rows_len(ledger_core(*l));
	int64_t behind = (int64_t)ledger_unsaved(*l);
	/* As when it is killed: the next one finds that snapshot. */
	struct ledger *other;
	double tail = opened(&other, path, true);
	ledger_close(other);
	ledger_close(*l);
	bench_must(unlink(snapshot) == 0, snapshot);
	double every = opened(l, path, false);
	printf("%u transfers: file %.1f B each; opened from its snapshot (%.0f MB, written in %.1f s) in %.2f s, "
	       "with %lld rows behind it in %.2f "
	       "s, by every row in %.1f s; state %.0f MB, resident %zu MiB\n",
	       rows, (double)st.st_size / rows, (double)image.st_size / 1e6, written, quick, (long long)behind, tail,
	       every, (double)core_bytes(ledger_core(*l)) / 1e6, resident_mib());
	bench_row("ledger.open", quick, "s", NULL, 0, true);
	bench_row("ledger.open_behind", tail, "s", NULL, 0, true);
	bench_row("ledger.open_every_row", every, "s", NULL, 0, true);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

int main(void)
{
	char path[256];
	struct err e = { 0 };
	double ours[2], theirs[2];
	size_t rows_max = bench_env("XINBIAN_BENCH_ROWS_MAX", 10 * MILLION);
	accounts = bench_env("XINBIAN_BENCH_ACCOUNTS", MILLION);
	const char *where = getenv("XINBIAN_BENCH_DIR");
	snprintf(dir, sizeof(dir), "%.150s/xb-bench-XXXXXX", where != NULL ? where : "/var/tmp");
	bench_must(mkdtemp(dir) != NULL, "a scratch directory");
	snprintf(path, sizeof(path), "%s/ledger.db", dir);
	struct ledger *l = ledger_open(path, &e);
	bench_must(l != NULL, e.text);
	double start = bench_now_s();
	accounts_make(l);
	accounts_fund(l);
	printf("%zu accounts made and given funds in %.1f s\n", accounts, bench_now_s() - start);
	ours[0] = rate(l, ROUNDS, SIZE_MAX);
	ours[1] = rate(l, ROUNDS, 0);
	printf("a batch sent again: %.0f/s\n", repeated(l));
	bool peer = postgres_run(dir, accounts, ROUNDS, &theirs[0], &theirs[1]);
	bench_row("ledger.random", ours[0], "1/s", peer ? "PostgreSQL 15" : NULL, theirs[0], false);
	bench_row("ledger.hot", ours[1], "1/s", peer ? "PostgreSQL 15" : NULL, theirs[1], false);
	growth(l, rows_max);
	reopen(&l, path);
	bench_row("ledger.bytes", (double)core_bytes(ledger_core(l)) / 1e6, "MB", NULL, 0, true);
	ledger_close(l);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}
