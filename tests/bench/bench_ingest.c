/*
 * Rows a second of a department's file with every check on: encoding, cells against the schema, enterprises' codes with their check
 * characters, keys given twice, records sealed, the index by subject; hashed first, in the parts and transactions of `centralctl batch
 * load`, to the moment it counts. Beside it sqlite3's own .import of the same file into a table without types, in a process of its own,
 * which checks nothing. By turns, on one disk (build/); medians, and the peak memory of either process.
 *
 * XINBIAN_BENCH_N (1,000,000) rows.
 */
#include "central/ingest/batch.h"
#include "central/store/store.h"
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 3
#define PART   2097152U
#define NOW_S  1795500000 /* 2026-11-24 */

static const char dir[] = "build/bench-ingest";
static const char csv[] = "build/bench-ingest/file.csv";
static size_t n;

static const char catalogue[] = "{\"type\":\"sources\",\"departments\":[{\"code\":\"d\",\"zh\":\"d\",\"en\":\"d\"}],"
				"\"categories\":[{\"code\":\"c\","
				"\"zh\":\"c\",\"en\":\"c\"}],\"indicators\":[{\"code\":\"i\",\"category\":\"c\","
				"\"zh\":\"i\",\"en\":\"i\",\"schema\":{"
				"\"fields\":[{\"name\":\"uscc\",\"identifier\":\"uscc\",\"subject\":true},{\"name\":"
				"\"name\",\"constraints\":{"
				"\"required\":true,\"maxLength\":60}},{\"name\":\"month\",\"type\":\"yearmonth\","
				"\"asOf\":true},{\"name\":\"founded\","
				"\"type\":\"date\",\"constraints\":{\"minimum\":\"1949-10-01\"}},{\"name\":"
				"\"revenue\",\"type\":\"number\",\"unit\":\"元\","
				"\"constraints\":{\"minimum\":0,\"maximum\":1e12}},{\"name\":\"tax\",\"type\":"
				"\"number\"},{\"name\":\"staff\",\"type\":"
				"\"integer\",\"constraints\":{\"minimum\":0,\"maximum\":1000000}},{\"name\":"
				"\"grade\",\"constraints\":{\"enum\":[\"A\","
				"\"B\",\"M\",\"C\",\"D\"]}}],\"primaryKey\":[\"uscc\",\"month\"]}}],\"sources\":[{"
				"\"code\":\"s\",\"department\":\"d\","
				"\"indicator\":\"i\",\"cadence\":\"monthly\",\"owner\":\"o\"}]}";

/* A made-up enterprise's code: GB 11714's and GB 32100's check characters. */
static void uscc(uint64_t i, char out[19])
{
	static const char digits[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	static const int weights[] = { 1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28 };
	static const int org[] = { 3, 7, 9, 10, 5, 8, 4, 2 };
	int sum = 0;
	snprintf(out, 19, "91330802%08u00", (unsigned)(i % 100000000));
	for (int k = 0; k < 8; k++)
		sum += (out[8 + k] - '0') * org[k];
	out[16] = "0123456789X"[(11 - sum % 11) % 11];
	sum = 0;
	for (int k = 0; k < 17; k++)
		sum += (int)(strchr(digits, out[k]) - digits) * weights[k];
	out[17] = digits[(31 - sum % 31) % 31];
}

static void file_make(void)
{
	char code[19];
	uint64_t seed = 7;
	FILE *f = fopen(csv, "w");
	bench_must(f != NULL, csv);
	fprintf(f, "uscc,name,month,founded,revenue,tax,staff,grade\n");
	for (size_t i = 0; i < n; i++) {
		uint64_t r = bench_random(&seed);
		uscc(i * 7919 % 100000000, code);
		fprintf(f, "%s,样例企业第%zu号有限公司,2026-10,20%02u-%02u-%02u,%u.%02u,%u.%u,%u,%c\n", code, i,
			(unsigned)(r % 26), (unsigned)(r >> 8) % 12 + 1, (unsigned)(r >> 16) % 28 + 1,
			(unsigned)(r >> 24) % 100000000, (unsigned)(r >> 20) % 100, (unsigned)(r >> 28) % 1000000,
			(unsigned)(r >> 12) % 10, (unsigned)(r >> 32) % 5000, "ABMCD"[(r >> 40) % 5]);
	}
	bench_must(fclose(f) == 0, csv);
}

static void piece_read(int fd, uint8_t *piece, size_t len, uint64_t at)
{
	bench_must(pread(fd, piece, len, (off_t)at) == (ssize_t)len, "reading");
}

static void load(void)
{
	static const uint8_t vault_key[32] = "the vault key of a bench";
	struct err e = { 0 };
	struct stat st;
	struct batch b;
	struct source_changes changes;
	struct sha256_stream hash;
	int64_t id = 0;
	bool again = false;
	uint8_t *piece = malloc(PART);
	int fd = open(csv, O_RDONLY);
	struct release_context c = { .db = store_open(dir, &e), .vault_key = vault_key, .random = &random_system };
	bench_must(c.db != NULL && piece != NULL && fd >= 0 && fstat(fd, &st) == 0 &&
			   source_import(c.db, bytes_of(catalogue), "o", NOW_S, &changes, &e),
		   e.text);
	struct batch_new new = { .source = "s",
				 .period = "2026-10",
				 .file = "file.csv",
				 .format = INTAKE_CSV,
				 .size = (uint64_t)st.st_size };
	size_t len = 0;
	sha256_start(&hash);
	for (uint64_t at = 0; at < new.size; at += len) {
		len = new.size - at < PART ? (size_t)(new.size - at) : PART;
		piece_read(fd, piece, len, at);
		sha256_add(&hash, (struct bytes){ piece, len });
	}
	sha256_finish(&hash, new.sha256);
	bench_must(batch_open(&c, &new, "o", NOW_S, &id, &again, &e) && batch_load(&c, id, &b, &e), e.text);
	while (b.state == BATCH_LOADING) {
		uint64_t at = b.intake.offset;
		len = new.size - at < PART ? (size_t)(new.size - at) : PART;
		piece_read(fd, piece, len, at);
		bench_must(batch_part(&c, id, at, (struct bytes){ piece, len }, NOW_S, &e) &&
				   batch_load(&c, id, &b, &e),
			   e.text);
	}
	while (b.state == BATCH_CHECKING)
		bench_must(batch_check(&c, id, NOW_S, &e) && batch_load(&c, id, &b, &e), e.text);
	if (b.state != BATCH_CURRENT || batch_rows(&b) != (int64_t)n) {
		fprintf(stderr, "bench: %s, %lld accepted, %llu rejected, held %u\n", batch_state_name(b.state),
			(long long)batch_rows(&b), (unsigned long long)b.intake.rejected, b.held);
		exit(1);
	}
	close(fd);
	free(piece);
	db_close(c.db);
}

static void import(void)
{
	execlp("sqlite3", "sqlite3", "build/bench-ingest/peer.db", ".mode csv",
	       "CREATE TABLE t (uscc, name, month, founded, revenue, tax, staff, grade)",
	       ".import --skip 1 build/bench-ingest/file.csv t", (char *)NULL);
	exit(127);
}

static void clear(void)
{
	static const char *const names[] = { "central.db", "central.db-wal", "central.db-shm", "peer.db",
					     "peer.db-journal" };
	char path[128];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
}

static double cpu_s(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec * 1e-6;
}

/* Rows a second of a process of its own; *peak: its memory in bytes; *cpu_us: what a row took of a processor. */
static double timed(void (*run)(void), double *peak, double *cpu_us)
{
	struct rusage use;
	int status = 0;
	double start = bench_now_s();
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		run();
		_exit(0);
	}
	bench_must(pid > 0 && wait4(pid, &status, 0, &use) == pid && status == 0, "a run");
	double rate = (double)n / (bench_now_s() - start);
	*peak = (double)use.ru_maxrss * 1024;
	*cpu_us = (cpu_s(&use.ru_utime) + cpu_s(&use.ru_stime)) / (double)n * 1e6;
	clear();
	return rate;
}

int main(void)
{
	double ours[ROUNDS], peer[ROUNDS], our_peak[ROUNDS], peer_peak[ROUNDS], our_cpu[ROUNDS], peer_cpu[ROUNDS];
	struct stat st;
	n = bench_env("XINBIAN_BENCH_N", 1000000);
	mkdir("build", 0700);
	mkdir(dir, 0700);
	clear();
	file_make();
	bench_must(stat(csv, &st) == 0, csv);
	printf("%zu rows, %.1f MB\n", n, (double)st.st_size / 1e6);
	for (int i = 0; i < ROUNDS; i++) {
		ours[i] = timed(load, &our_peak[i], &our_cpu[i]);
		peer[i] = timed(import, &peer_peak[i], &peer_cpu[i]);
	}
	bench_row("ingest.rows", bench_median(ours, ROUNDS), "1/s", "sqlite3 .import, untyped",
		  bench_median(peer, ROUNDS), false);
	bench_row("ingest.cpu", bench_median(our_cpu, ROUNDS), "us/row", "sqlite3 .import, untyped",
		  bench_median(peer_cpu, ROUNDS), true);
	bench_row("ingest.peak", bench_median(our_peak, ROUNDS), "B", "sqlite3 .import, untyped",
		  bench_median(peer_peak, ROUNDS), true);
	unlink(csv);
	rmdir(dir);
	return 0;
}
