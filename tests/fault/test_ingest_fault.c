/*
 * A load of a department's file killed again and again. The process that loads is killed with SIGKILL at random instants, 50 times in all;
 * another takes the load up. What stands in the tables at the end is byte for byte what an undisturbed load leaves (nonces are fixed for
 * this), and after each kill the records there are as many as the batch says.
 */
#include "central/ingest/batch.h"
#include "central/store/store.h"
#include "protocol/base/file.h"
#include "tests/support/lone_central.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILLS   50
#define ROWS    24000
#define NOW_S   1795500000 /* 2026-11-24 */
#define TIME_S  240        /* for all of it */
#define MOST_US 400000
#define TAGS_OF 28

static const uint8_t vault_key[32] = "the vault key of a test central";

static void fixed(void *arg, uint8_t *out, size_t len)
{
	(void)arg;
	memset(out, 0x5a, len);
}
static const struct random nonces = { fixed, NULL };

static const char catalogue[] = "{\"type\":\"sources\",\"departments\":[{\"code\":\"d\",\"zh\":\"d\",\"en\":\"d\"}],"
				"\"categories\":[{\"code\":\"c\","
				"\"zh\":\"c\",\"en\":\"c\"}],\"indicators\":[{\"code\":\"i\",\"category\":\"c\","
				"\"zh\":\"i\",\"en\":\"i\",\"schema\":{"
				"\"fields\":[{\"name\":\"id\",\"identifier\":\"foreign_id\",\"subject\":true},{"
				"\"name\":\"day\",\"type\":\"date\","
				"\"asOf\":true},{\"name\":\"amount\",\"type\":\"number\"}],\"primaryKey\":\"id\"}}],"
				"\"sources\":[{\"code\":\"s\","
				"\"department\":\"d\",\"indicator\":\"i\",\"cadence\":\"monthly\",\"owner\":\"o\"}]}";

static void must(bool ok, const struct err *e)
{
	if (ok)
		return;
	fprintf(stderr, "%s\n", e->text);
	abort();
}

/* Good rows, rows to reject, keys given twice. */
static void file_make(struct buf *out)
{
	buf_init(out, 1U << 24);
	buf_add_str(out, "id,day,amount\n");
	for (unsigned i = 0; i < ROWS; i++) {
		if (i % 97 == 5)
			buf_add_fmt(out, "P%07u,2026-02-30,x\n", i);
		else
			buf_add_fmt(out, "P%07u,2026-10-%02u,%u.50\n", i % 101 == 7 ? i - 1 : i, i % 31 + 1, i);
	}
}

static struct release_context context(const char *dir, struct err *e)
{
	struct release_context c = { .db = store_open(dir, e), .vault_key = vault_key, .random = &nonces };
	must(c.db != NULL, e);
	return c;
}

static void load(const char *dir, struct bytes file)
{
	struct err e = { 0 };
	struct batch b;
	struct source_changes changes;
	int64_t id = 0;
	bool again = false;
	struct release_context c = context(dir, &e);
	struct batch_new n = {
		.source = "s", .period = "2026-10", .file = "f.csv", .format = INTAKE_CSV, .size = file.len
	};
	sha256(file, n.sha256);
	if (!source_load(c.db, "s", 0, &(struct source){ 0 }, NULL, NULL, NULL))
		must(source_import(c.db, bytes_of(catalogue), "o", NOW_S, &changes, &e), &e);
	must(batch_open(&c, &n, "o", NOW_S, &id, &again, &e) && batch_load(&c, id, &b, &e), &e);
	while (b.state == BATCH_LOADING) {
		uint64_t at = b.intake.offset;
		size_t len = file.len - at < INTAKE_WINDOW_MIN ? file.len - at : INTAKE_WINDOW_MIN;
		must(batch_part(&c, id, at, (struct bytes){ file.data + at, len }, NOW_S, &e) &&
			     batch_load(&c, id, &b, &e),
		     &e);
	}
	while (b.state == BATCH_CHECKING)
		must(batch_check(&c, id, NOW_S, &e) && batch_load(&c, id, &b, &e), &e);
	db_close(c.db);
}

static void table_hash(struct db *db, const char *sql, int columns, struct sha256_stream *s)
{
	struct err e = { 0 };
	bool row = false;
	struct db_query *q = db_query(db, sql, &e);
	must(q != NULL, &e);
	while (db_next(q, &row, &e) && row) {
		for (int i = 0; i < columns; i++) {
			struct bytes v = db_bytes(q, i);
			uint64_t len = v.len;
			sha256_add(s, (struct bytes){ (const uint8_t *)&len, sizeof(len) });
			sha256_add(s, v);
		}
	}
	db_finish(q);
}

static void tables_hash(const char *dir, uint8_t out[HASH_LEN])
{
	struct err e = { 0 };
	struct sha256_stream s;
	struct release_context c = context(dir, &e);
	sha256_start(&s);
	table_hash(c.db, "SELECT * FROM source ORDER BY code, version", 19, &s);
	table_hash(c.db, "SELECT * FROM batch ORDER BY id", 25, &s);
	table_hash(c.db, "SELECT * FROM batch_block ORDER BY batch, first_row", 4, &s);
	table_hash(c.db, "SELECT * FROM batch_index ORDER BY batch, seq", 5, &s);
	table_hash(c.db, "SELECT * FROM batch_reject ORDER BY batch, row", 4, &s);
	table_hash(c.db, "SELECT * FROM audit ORDER BY id", 6, &s);
	table_hash(c.db, "SELECT * FROM meta ORDER BY key", 2, &s);
	sha256_finish(&s, out);
	db_close(c.db);
}

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Whether the load came to its end within so many microseconds; it is killed otherwise. */
static bool load_for(const char *dir, struct bytes file, int64_t us)
{
	int status = 0;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		load(dir, file);
		_exit(0);
	}
	for (int64_t until = now_us() + us; now_us() < until;) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
			return true;
		}
		usleep(50);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	CU_ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return false;
}

/* As many records as the batch says, and none of a batch that is not there. */
static void nothing_is_half(const char *dir)
{
	struct err e = { 0 };
	int64_t wrong = 0;
	struct release_context c = context(dir, &e);
	must(db_run_int(
		     c.db, &wrong, &e,
		     "SELECT COUNT(*) FROM batch b WHERE b.accepted <> COALESCE((SELECT SUM(LENGTH(k.tags)) / ? FROM"
		     " batch_block k WHERE k.batch = b.id), 0)",
		     "i", (int64_t)TAGS_OF),
	     &e);
	CU_ASSERT_EQUAL(wrong, 0);
	must(db_run_int(c.db, &wrong, &e,
			"SELECT COUNT(*) FROM batch_block WHERE batch NOT IN (SELECT id FROM batch)", ""),
	     &e);
	CU_ASSERT_EQUAL(wrong, 0);
	db_close(c.db);
}

static void killed_fifty_times_a_load_leaves_what_an_undisturbed_one_leaves(void)
{
	struct buf file;
	char calm[64], dir[64];
	uint8_t want[HASH_LEN], got[HASH_LEN];
	unsigned kills = 0, loads = 0;
	int64_t end = now_us() + (int64_t)TIME_S * 1000000;
	file_make(&file);
	snprintf(calm, sizeof(calm), "%s", test_dir());
	int64_t took = now_us();
	CU_ASSERT_TRUE_FATAL(load_for(calm, buf_bytes(&file), (int64_t)TIME_S * 1000000));
	took = now_us() - took;
	took = took < MOST_US ? took : MOST_US; /* the first one was slow because of others, it may be */
	tables_hash(calm, want);
	srandom(20261124);
	while (kills < KILLS && now_us() < end) {
		snprintf(dir, sizeof(dir), "%s", test_dir());
		/* A load that is always killed early still gets on, a part at a time. */
		while (!load_for(dir, buf_bytes(&file), random() % (took * 2 / 3) + 1)) {
			kills++;
			nothing_is_half(dir);
			if (now_us() > end)
				break;
		}
		if (now_us() > end)
			break;
		loads++;
		tables_hash(dir, got);
		CU_ASSERT_TRUE(memcmp(want, got, HASH_LEN) == 0);
	}
	printf("\n    %u kills in %u loads of %lld ms\n", kills, loads, (long long)took / 1000);
	CU_ASSERT_TRUE(kills >= KILLS && loads > 0);
	buf_clear(&file);
}

/* --- the programs themselves --- */

static struct lone_central central;

/* Kills by turns the tool, and the tool and the daemon. */
static void kill_some(const char *path, int times)
{
	char log[160];
	const char *argv[] = { "centralctl", "-d", central.dir, "--token-file", central.token, "batch",
			       "load",       "s",  path,        "--period",     "2026-10",     NULL };
	snprintf(log, sizeof(log), "%s.tool.log", central.dir);
	for (int i = 0; i < times; i++) {
		pid_t tool = child_start(argv, log);
		sleep_ms(5 + (int)(random() % 150));
		if (i % 2 == 0)
			lone_central_stop(&central, SIGKILL);
		child_stop(tool, SIGKILL);
		if (i % 2 == 0)
			lone_central_start(&central);
	}
}

static void a_killed_centrald_or_centralctl_is_gone_on_with_by_the_same_command(void)
{
	struct buf file, out;
	struct err e = { 0 };
	char path[160], source[160];
	const char *state = NULL;
	int64_t accepted = 0, rejected = 0;
	lone_central_open(&central);
	file_make(&file);
	buf_init(&out, 1U << 20);
	snprintf(path, sizeof(path), "%s.csv", central.dir);
	snprintf(source, sizeof(source), "%s.json", central.dir);
	CU_ASSERT_TRUE_FATAL(file_write(path, buf_bytes(&file), 0600, &e) &&
			     file_write(source, bytes_of(catalogue), 0600, &e));
	CU_ASSERT_EQUAL_FATAL(lone_central_ctl(&central, &out, "source import %s", source), 0);
	kill_some(path, 8);
	struct json *j = lone_central_json(&central, "batch load s %s --period 2026-10", path);
	CU_ASSERT_TRUE(j != NULL && json_text(j, "state", 32, &state, &e) && strcmp(state, "current") == 0 &&
		       json_int(j, "accepted", 0, ROWS, &accepted, &e) &&
		       json_int(j, "rejected", 0, ROWS, &rejected, &e));
	CU_ASSERT_EQUAL(accepted + rejected, ROWS);
	json_free(j);
	lone_central_stop(&central, SIGTERM);
	buf_clear(&out);
	buf_clear(&file);
}

static CU_TestInfo tests[] = {
	{ "killed fifty times a load leaves what an undisturbed one leaves",
	  killed_fifty_times_a_load_leaves_what_an_undisturbed_one_leaves },
	{ "a killed centrald or centralctl is gone on with by the same command",
	  a_killed_centrald_or_centralctl_is_gone_on_with_by_the_same_command },
	CU_TEST_INFO_NULL,
};

SUITE(ingest_fault, NULL, NULL, tests);
