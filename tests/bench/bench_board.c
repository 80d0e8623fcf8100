/*
 * The appliance on the emulated board beside branchd on this host, doing the same: boot to the first answer, memory with a list of
 * BENCH_ENTRIES (10 M), and bytes written to flash in a branch's day, modelled as DAY_CHECKS checks asked one at a time, DAY_UPDATES
 * updates of a list, and idleness for the rest. The host's boot is its daemon's start.
 */
#include "tests/bench/bench.h"
#include "tests/board/box.h"
#include "tests/test.h"

#include <signal.h>
#include <unistd.h>

#define DAY_CHECKS  1000
#define DAY_UPDATES 24
#define DAY_S       86400
#define IDLE_S      60
#define SETTLE_MS   36000 /* the kernel writes what is dirty after 30 s */
#define CHECKS      60
#define UPDATES     3
#define MORE        300
#define OUT_MAX     1048576U
#define SLOW_MS     1800000

struct side {
	const char *name;
	struct world *w; /* each has a central of its own: addresses differ */
	struct world_branch *branch;
	int64_t version; /* of LIST there, the newest */
	uint64_t (*written)(const struct side *s);
};

static uint64_t board_written(const struct side *s)
{
	(void)s;
	return vm_written(&box.vm);
}

/* write_bytes of proc(5): what the process caused to be sent to the disk. */
static uint64_t host_written(const struct side *s)
{
	char path[40], line[80];
	unsigned long long n = 0;
	snprintf(path, sizeof(path), "/proc/%d/io", (int)s->branch->pid);
	FILE *f = fopen(path, "re");
	bench_must(f != NULL, path);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "write_bytes: ", 13) == 0)
			n = strtoull(line + 13, NULL, 10);
	fclose(f);
	return n;
}

static void ask(const struct side *s, unsigned i)
{
	static unsigned asked;
	char id[40], number[20], outcome[16];
	snprintf(id, sizeof(id), "bench-%u", asked++);
	world_number(i, number);
	bench_must(world_check(s->w, s->branch, id, "resident_id", number, outcome) == 200, "a check");
}

static void publish(struct side *s, unsigned entries)
{
	char csv[160];
	snprintf(csv, sizeof(csv), "%s/list.csv", s->w->dir);
	world_csv(csv, 0, entries);
	s->version = world_publish(s->w, LIST, csv, "");
}

static void applied(const struct side *s, int timeout_ms)
{
	bench_must(world_wait_applied(s->w, s->branch, LIST, s->version, timeout_ms), "a list applied");
}

static void day_measure(struct side *s, double *out)
{
	double idle, checks, updates;
	publish(s, BOX_ENTRIES);
	applied(s, BOX_WAIT_MS);
	sleep_ms(SETTLE_MS);
	uint64_t before = s->written(s);
	sleep_ms(IDLE_S * 1000);
	idle = (double)(s->written(s) - before) / IDLE_S;
	before = s->written(s);
	double began_s = bench_now_s();
	for (unsigned i = 0; i < CHECKS; i++)
		ask(s, i);
	sleep_ms(SETTLE_MS);
	checks = ((double)(s->written(s) - before) - idle * (bench_now_s() - began_s)) / CHECKS;
	before = s->written(s);
	began_s = bench_now_s();
	for (unsigned i = 1; i <= UPDATES; i++) {
		publish(s, BOX_ENTRIES + i * MORE);
		applied(s, BOX_WAIT_MS);
	}
	sleep_ms(SETTLE_MS);
	updates = ((double)(s->written(s) - before) - idle * (bench_now_s() - began_s)) / UPDATES;
	*out = idle * DAY_S + checks * DAY_CHECKS + updates * DAY_UPDATES;
	printf("  %s: %.0f B/s idle, %.0f B a check, %.0f B an update of %d entries\n", s->name, idle, checks,
	       updates, MORE);
}

static double rss_of(const struct side *s)
{
	struct buf out;
	buf_init(&out, OUT_MAX);
	bench_must(world_https(s->w, s->branch, "GET", "/metrics", NULL, &out) == 200, "/metrics");
	const char *at = strstr(buf_str(&out), "\nprocess_resident_memory_bytes ");
	bench_must(at != NULL, "process_resident_memory_bytes");
	double bytes = strtod(strchr(at + 1, ' '), NULL);
	buf_clear(&out);
	return bytes;
}

static void list_write(const char *path, unsigned entries)
{
	FILE *f = fopen(path, "we");
	bench_must(f != NULL, path);
	fputs("kind,number,name,reason,until,note\n", f);
	for (unsigned i = 0; i < entries; i++) {
		char number[20];
		world_number(i, number);
		fprintf(f, "resident_id,%s,,1,,sample\n", number);
	}
	bench_must(fclose(f) == 0, path);
}

static void large_publish(struct side *s, const char *csv)
{
	char token[160];
	int64_t id = 0;
	struct buf out;
	snprintf(token, sizeof(token), "%s/alice.token", s->w->dir);
	buf_init(&out, OUT_MAX);
	double began_s = bench_now_s();
	const char *argv[] = { "centralctl", "-d",   s->w->central_dir, "--json", "--token-file",
			       token,        "list", "import",          LIST,     csv,
			       NULL };
	bench_must(child_run_for(argv, &out, SLOW_MS) == 0, buf_str(&out));
	struct json *draft = json_parse(buf_bytes(&out), NULL);
	bench_must(draft != NULL && json_int(draft, "id", 1, INT64_MAX, &id, NULL), buf_str(&out));
	json_free(draft);
	buf_clear(&out);
	s->version = world_release(s->w, id);
	double published_s = bench_now_s();
	applied(s, SLOW_MS);
	ask(s, 0);
	printf("  %s: imported in %.0f s, answers %.0f s after it was published\n", s->name, published_s - began_s,
	       bench_now_s() - published_s);
}

static void bench_board(void)
{
	static struct world here;
	unsigned entries = (unsigned)bench_env("BENCH_ENTRIES", 10000000);
	char csv[160];
	double board_day, host_day;
	if (!box_ready())
		return;
	struct side board = { "board", &box.w, box.branch, 0, board_written };
	day_measure(&board, &board_day);
	world_open(&here);
	struct side host = { "host", &here, world_branch_add(&here, "host"), 0, host_written };
	day_measure(&host, &host_day);

	snprintf(csv, sizeof(csv), "%s/large.csv", here.dir);
	list_write(csv, entries);
	large_publish(&board, csv);
	large_publish(&host, csv);
	unlink(csv);
	world_branch_stop(host.branch, SIGTERM);
	double began_s = bench_now_s();
	world_branch_start(&here, host.branch);
	ask(&host, 0);
	double host_s = bench_now_s() - began_s, host_rss = rss_of(&host);
	vm_cut(&box.vm);
	began_s = bench_now_s();
	vm_start(&box.vm);
	bench_must(box_wait_up(), "boot");
	ask(&board, 0);
	bench_row("board.boot_to_answer_s", bench_now_s() - began_s, "s", "the daemon here", host_s, true);
	ask(&board, entries - 1);
	bench_row("board.rss_bytes", rss_of(&board), "B", "the daemon here", host_rss, true);
	bench_row("board.flash_bytes_per_day", board_day, "B", "the daemon here", host_day, true);
	world_close(&here);
}

static CU_TestInfo tests[] = {
	{ "board", bench_board },
	CU_TEST_INFO_NULL,
};
SUITE(bench_board, NULL, NULL, tests);
