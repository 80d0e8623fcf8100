/*
 * A city's carbon accounts: XINBIAN_BENCH_ACCOUNTS (1,400,000) subjects × 12 months, one activity a subject and month, reported in batches of 8,190 in
 * random order through central/carbon, as the API calls it: the holder's keyed hash, the standard's points, an account at the first
 * report, the ledger's batch on disk before the next. Then the year's last head is signed, the ledger is opened again, and everything
 * `ledger verify` looks at is looked at. Each step is a process of its own, so that its time and peak memory are its own. By hand: XINBIAN_BENCH_DIR says where.
 */
#include "central/carbon/check.h"
#include "central/ledger/dailies.h"
#include "central/ledger/verify.h"
#include "central/release/release.h"
#include "central/store/store.h"
#include "protocol/base/file.h"
#include "tests/bench/bench.h"

#include <ftw.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH   LEDGER_BATCH_MAX
#define MONTHS  12
#define FIRST_S 1767225600 /* 2026-01-01 08:00 in China */
#define MONTH_S 2592000
#define VAULT   "the vault key of a bench's central"

static size_t accounts;
static char dir[200], path[256], heads[256], key_path[256];
static struct release_context release;
static struct objects objects;

static void central_open(void)
{
	char where[256];
	struct err e = { 0 };
	snprintf(where, sizeof(where), "%s/objects", dir);
	release.db = store_open(dir, &e);
	bench_must(release.db != NULL && objects_open(&objects, where, &e), e.text);
	release.objects = &objects;
	release.vault_key = (const uint8_t *)VAULT;
	release.random = &random_system;
}

static void standard_publish(void)
{
	struct buf json;
	struct err e = { 0 };
	int64_t id = 0;
	buf_init(&json, 1U << 20);
	bench_must(file_read("central/sample/carbon.json", &json, &e) &&
			   document_draft_import(&release, "carbon", "carbon.json", buf_bytes(&json), "alice",
						 FIRST_S, &id, &e) &&
			   release_submit(&release, id, "alice", true, FIRST_S, &e) &&
			   release_approve(&release, id, "bob", FIRST_S, &e) &&
			   release_publish(&release, id, "bob", FIRST_S, &e),
		   e.text);
	buf_clear(&json);
}

/* --- load --- */

static const struct {
	const char *activity;
	int64_t most;
} activities[] = { { "green_payment", 1 },   { "online_bill", 1 },   { "paperless_account", 1 }, { "bus_ride", 1 },
		   { "bicycle_ride", 6000 }, { "recycling", 12000 }, { "home_solar", 500000 } };

static uint64_t seed = 42;

static void report_make(struct carbon_report *r, size_t subject, int month, int64_t now_s)
{
	size_t which = bench_random(&seed) % (sizeof(activities) / sizeof(activities[0]));
	int64_t most = activities[which].most;
	memset(r, 0, sizeof(*r));
	r->holder_kind = IDENTIFIER_RESIDENT_ID;
	snprintf(r->holder, sizeof(r->holder), "3308021990%08zu", subject);
	snprintf(r->activity, sizeof(r->activity), "%s", activities[which].activity);
	snprintf(r->reference, sizeof(r->reference), "SAMPLE-%02d-%08zu", month, subject);
	r->day = ledger_day_of(now_s) - (int32_t)(bench_random(&seed) % 28);
	r->quantity = most == 1 ? 1 : most / 2 + (int64_t)(bench_random(&seed) % (uint64_t)(most / 2));
}

/* Every subject once, in an order that is none. */
static uint32_t *order_make(void)
{
	uint32_t *order = malloc(accounts * sizeof(*order));
	bench_must(order != NULL, "memory");
	for (size_t i = 0; i < accounts; i++)
		order[i] = (uint32_t)i;
	for (size_t i = accounts; i > 1; i--) {
		size_t k = bench_random(&seed) % i;
		uint32_t was = order[i - 1];
		order[i - 1] = order[k];
		order[k] = was;
	}
	return order;
}

static double month_load(struct carbon *c, int month)
{
	static struct carbon_report reports[BATCH];
	static struct carbon_result results[BATCH];
	struct err e = { 0 };
	double spent = 0;
	uint32_t *order = order_make();
	c->now_s = FIRST_S + (int64_t)(month + 1) * MONTH_S;
	for (size_t at = 0; at < accounts;) {
		size_t n = 0;
		for (; n < BATCH && at < accounts; n++, at++)
			report_make(&reports[n], order[at], month, c->now_s);
		double start = bench_now_s();
		bench_must(carbon_report(c, reports, n, results, &e), e.text);
		spent += bench_now_s() - start;
		for (size_t i = 0; i < n; i++)
			bench_must(results[i].outcome == CARBON_CREDITED, results[i].why.text);
	}
	free(order);
	return spent;
}

static void year_sign(struct ledger *l, int64_t now_s)
{
	uint8_t scalar[SCALAR_LEN], point[POINT_LEN];
	struct buf payload, message;
	struct err e = { 0 };
	key_new(&random_system, scalar, point);
	buf_init(&payload, DAILY_PAYLOAD_MAX);
	buf_init(&message, DAILY_MESSAGE_MAX);
	double start = bench_now_s();
	bench_must(dailies_take(l, heads, now_s, &e) && dailies_unsigned(l, &payload, &e) &&
			   daily_sign(buf_bytes(&payload), scalar, point, &random_system, &message, &e) &&
			   dailies_put(l, buf_bytes(&message), point, &e) && dailies_write(l, heads, &e) &&
			   file_write(key_path, (struct bytes){ point, POINT_LEN }, 0600, &e),
		   e.text);
	printf("head of the day taken and signed in %.2f s\n", bench_now_s() - start);
	buf_clear(&payload);
	buf_clear(&message);
}

/* Seconds, without making the reports up. */
static double load_run(void)
{
	struct err e = { 0 };
	double spent = 0;
	central_open();
	standard_publish();
	struct carbon c = { &release, ledger_open(path, &e), path, "bench", FIRST_S };
	bench_must(c.ledger != NULL, e.text);
	for (int month = 0; month < MONTHS; month++) {
		double s = month_load(&c, month);
		printf("month %2d: %.1f s, %.0f reports/s\n", month + 1, s, (double)accounts / s);
		fflush(stdout);
		spent += s;
	}
	year_sign(c.ledger, c.now_s);
	ledger_close(c.ledger);
	db_close(release.db);
	return spent;
}

/* --- open, verify --- */

static double open_run(void)
{
	struct err e = { 0 };
	double start = bench_now_s();
	struct ledger *l = ledger_open(path, &e);
	bench_must(l != NULL, e.text);
	double spent = bench_now_s() - start;
	bench_must(ledger_passed_over(l)->code == ERR_NONE, ledger_passed_over(l)->text);
	ledger_close(l);
	return spent;
}

static void signed_load(struct ledger_signed *s)
{
	struct buf lines, point;
	struct err e = { 0 };
	buf_init(&lines, DAILIES_FILE_MAX);
	buf_init(&point, POINT_LEN);
	bench_must(file_read(key_path, &point, &e) && file_read(heads, &lines, &e), e.text);
	ledger_signed_init(s, point.data);
	bench_must(dailies_read(buf_bytes(&lines), ledger_signed_add, s, &e), e.text);
	buf_clear(&lines);
	buf_clear(&point);
}

static double verify_run_all(void)
{
	static struct ledger_verdict v;
	static struct carbon_verdict cv;
	struct ledger_signed s;
	struct err e = { 0 };
	central_open();
	signed_load(&s);
	double start = bench_now_s();
	struct ledger_reader *r = ledger_reader_open(path, &e);
	bench_must(r != NULL && ledger_verify_signed(r, &s, &v, &e), e.text);
	double ledger_s = bench_now_s() - start;
	bench_must(carbon_check(r, release.db, &cv, &e), e.text);
	double spent = bench_now_s() - start;
	for (size_t i = 0; i < INVARIANT_COUNT; i++)
		printf("  %-12s %12llu looked at, %llu broken\n", ledger_invariant_name((enum ledger_invariant)i),
		       (unsigned long long)v.looked[i], (unsigned long long)v.broken[i]);
	for (size_t i = 0; i < CARBON_INVARIANTS; i++)
		printf("  %-12s %12llu looked at, %llu broken\n", carbon_invariant_name((enum carbon_invariant)i),
		       (unsigned long long)cv.looked[i], (unsigned long long)cv.broken[i]);
	printf("ledger %.1f s, carbon %.1f s\n", ledger_s, spent - ledger_s);
	bench_must(ledger_verdict_is_clean(&v) && carbon_verdict_is_clean(&cv), "verify: something is broken");
	bench_must(v.rows == accounts * MONTHS && v.looked[INVARIANT_SIGNED] == 1 && cv.looked[CARBON_ONCE] == v.rows,
		   "verify: not everything was looked at");
	ledger_signed_clear(&s);
	ledger_reader_close(r);
	db_close(release.db);
	return spent;
}

/* --- each in a process of its own --- */

static double step(const char *name, double (*run)(void), double *peak_mb)
{
	int fds[2], status = 0;
	double spent = 0;
	struct rusage u;
	fflush(stdout);
	bench_must(pipe(fds) == 0, "pipe");
	pid_t pid = fork();
	bench_must(pid >= 0, "fork");
	if (pid == 0) {
		spent = run();
		fflush(stdout);
		_exit(write(fds[1], &spent, sizeof(spent)) == (ssize_t)sizeof(spent) ? 0 : 1);
	}
	close(fds[1]);
	ssize_t got = read(fds[0], &spent, sizeof(spent));
	close(fds[0]);
	bench_must(wait4(pid, &status, 0, &u) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
			   got == (ssize_t)sizeof(spent),
		   name);
	*peak_mb = (double)u.ru_maxrss * 1024 / 1e6;
	printf("%s: %.1f s, peak memory %.0f MB\n", name, spent, *peak_mb);
	return spent;
}

static int remove_one(const char *name, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(name);
}

int main(void)
{
	struct stat st;
	double load_mb, open_mb, verify_mb;
	accounts = bench_env("XINBIAN_BENCH_ACCOUNTS", 1400000);
	const char *where = getenv("XINBIAN_BENCH_DIR");
	snprintf(dir, sizeof(dir), "%.150s/xb-bench-XXXXXX", where != NULL ? where : "/var/tmp");
	bench_must(mkdtemp(dir) != NULL, "a scratch directory");
	snprintf(path, sizeof(path), "%s/ledger.db", dir);
	snprintf(heads, sizeof(heads), "%s/ledger.heads", dir);
	snprintf(key_path, sizeof(key_path), "%s/point", dir);
	printf("%zu subjects, %d months, %zu reports\n", accounts, MONTHS, accounts * MONTHS);
	double load = step("load", load_run, &load_mb);
	bench_must(stat(path, &st) == 0, path);
	double opening = step("open", open_run, &open_mb);
	double verify = step("verify", verify_run_all, &verify_mb);
	printf("ledger.db: %.0f MB, %.1f B a report\n", (double)st.st_size / 1e6,
	       (double)st.st_size / (double)(accounts * MONTHS));
	bench_row("carbon.reports", (double)(accounts * MONTHS) / load, "1/s", NULL, 0, false);
	bench_row("carbon.load", load, "s", NULL, 0, true);
	bench_row("carbon.load_peak", load_mb, "MB", NULL, 0, true);
	bench_row("carbon.open", opening, "s", NULL, 0, true);
	bench_row("carbon.open_peak", open_mb, "MB", NULL, 0, true);
	bench_row("carbon.verify", verify, "s", NULL, 0, true);
	bench_row("carbon.verify_peak", verify_mb, "MB", NULL, 0, true);
	bench_row("carbon.file", (double)st.st_size / 1e6, "MB", NULL, 0, true);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}
