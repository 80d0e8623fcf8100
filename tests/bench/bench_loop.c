/*
 * How long central keeps others waiting while it works: a running centrald is asked for its status every 10 ms while the tool imports a
 * list of a million entries (XINBIAN_BENCH_N), publishes it, goes back, scores, replays, makes reports, loads a department's file and an
 * appliance's image. The longest wait in each stands beside how long the work took. A branch's acknowledgement waits for
 * the same loop. centrald and centralctl are those of $XINBIAN_BIN.
 */
#include "protocol/base/http.h"
#include "protocol/base/json.h"
#include "tests/bench/bench.h"
#include "tests/support/department.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVERY_US    10000
#define CALL_MS     600000
#define REJECTS     100000U
#define COMPANIES   20000U  /* scored */
#define MADE        1000U   /* of them, out of facts */
#define RECORDS     200000U /* of a department */
#define MONTHS      900U    /* of one enterprise, in its report */
#define IMAGE_BYTES 100000000U

static char dir[64], sock[96];
static const char *bin;
static pid_t central;

/* --- what is asked --- */

static struct json *ask(const char *path)
{
	struct buf out;
	struct err e = { 0 };
	int status = 0;
	buf_init(&out, 1U << 20);
	bench_must(http_call(sock, "GET", path, "", (struct bytes){ NULL, 0 }, CALL_MS, &status, &out, &e) &&
			   status == 200,
		   e.text);
	struct json *j = json_parse(buf_bytes(&out), &e);
	bench_must(j != NULL, e.text);
	buf_clear(&out);
	return j;
}

/* The id of the release made last. */
static unsigned newest(void)
{
	int64_t id = 0;
	struct json *j = ask("/v1/releases?limit=1");
	bench_must(json_int(json_at(json_get(j, "releases"), 0), "id", 1, UINT32_MAX, &id, NULL), "a release");
	json_free(j);
	return (unsigned)id;
}

static struct {
	pthread_t thread;
	atomic_bool stop;
	double longest_s;
} probe;

static void *probe_run(void *arg)
{
	while (!atomic_load(&probe.stop)) {
		double start = bench_now_s();
		json_free(ask("/v1/status"));
		double took = bench_now_s() - start;
		probe.longest_s = took > probe.longest_s ? took : probe.longest_s;
		usleep(EVERY_US);
	}
	return arg;
}

/* --- the tools --- */

static void PRINTF(1, 2) must(const char *fmt, ...)
{
	char words[600], line[900];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	snprintf(line, sizeof(line), "{ %s/centralctl -d %s/c %s; } >>%s/log 2>&1", bin, dir, words, dir);
	if (system(line) == 0)
		return;
	fprintf(stderr, "bench: %s failed; see %s/log\n", words, dir);
	if (central > 0)
		kill(central, SIGTERM);
	exit(1);
}

/* The command as alice, with the probe beside it. */
static void PRINTF(2, 3) measure(const char *name, const char *fmt, ...)
{
	char words[500], row[64];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	probe.longest_s = 0;
	atomic_store(&probe.stop, false);
	bench_must(pthread_create(&probe.thread, NULL, probe_run, NULL) == 0, "thread");
	double start = bench_now_s();
	must("--token-file %s/alice %s", dir, words);
	double took = bench_now_s() - start;
	atomic_store(&probe.stop, true);
	pthread_join(probe.thread, NULL);
	snprintf(row, sizeof(row), "loop.%s", name);
	bench_row(row, took * 1e3, "ms", NULL, 0, true);
	snprintf(row, sizeof(row), "loop.%s.wait", name);
	bench_row(row, probe.longest_s * 1e3, "ms", NULL, 0, true);
}

static void operator_add(const char *name)
{
	must("--json operator add %s >%s/%s.json && sed -n 's/.*\"token\":\"\\([^\"]*\\)\".*/\\1/p' %s/%s.json "
	     ">%s/%s",
	     name, dir, name, dir, name, dir, name);
}

/* The release made last, submitted and approved; its id. */
static unsigned approve(void)
{
	unsigned id = newest();
	must("--token-file %s/alice release submit %u --force", dir, id);
	must("--token-file %s/bob release approve %u", dir, id);
	return id;
}

static void publish(void)
{
	must("--token-file %s/alice release publish %u", dir, approve());
}

static void central_start(void)
{
	char ini[128], log[128], exe[256];
	snprintf(ini, sizeof(ini), "%s/c/central.ini", dir);
	snprintf(log, sizeof(log), "%s/daemon.log", dir);
	snprintf(exe, sizeof(exe), "%s/centrald", bin);
	central = fork();
	if (central == 0) {
		if (freopen(log, "a", stderr) == NULL)
			_exit(1);
		execl(exe, "centrald", "-c", ini, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000 && access(sock, F_OK) != 0; i++)
		usleep(10000);
}

/* --- files --- */

static FILE *file_new(const char *name)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	bench_must(f != NULL, path);
	return f;
}

static void list_make(const char *name, size_t first, size_t n)
{
	static const int weights[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
	FILE *f = file_new(name);
	fprintf(f, "kind,number,name,reason,until,note\n");
	for (size_t i = first; i < first + n; i++) {
		char id[24];
		int sum = 0;
		snprintf(id, sizeof(id), "%06zu%04zu%02zu%02zu%03zu", 330802 + i / 12000000 * 100,
			 1950 + i / 300000 % 40, 1 + i / 25000 % 12, 1 + i / 1000 % 25, i % 1000);
		for (int k = 0; k < 17; k++)
			sum += (id[k] - '0') * weights[k];
		fprintf(f, "resident_id,%s%c,,1,,\n", id, "10X98765432"[sum % 11]);
	}
	fclose(f);
}

static void companies_make(void)
{
	char code[19];
	FILE *f = file_new("scores.csv"), *made = file_new("subjects.csv");
	fprintf(f, "subject,public_rating,legal_rep_score,overdue_count,overdue_days_max,suspicious_accounts,tax_"
		   "rating,debt_evasion\n");
	fprintf(made, "subject\n");
	for (unsigned i = 0; i < COMPANIES; i++) {
		department_uscc(i, code);
		fprintf(f, "%s,A,%u,0,0,0,A,false\n", code, 600 + i % 300);
		if (i < MADE)
			fprintf(made, "%s\n", code);
	}
	fclose(f);
	fclose(made);
	f = file_new("tax.csv");
	fprintf(f, "统一社会信用代码,月份,营业收入,实缴税额,纳税信用等级\n");
	department_uscc(0, code);
	for (unsigned i = 0; i < MONTHS; i++)
		fprintf(f, "%s,%u-%02u,800000,24000,D\n", code, 1950 + i / 12, 1 + i % 12);
	for (unsigned i = 1; i < RECORDS; i++) {
		department_uscc(i, code);
		fprintf(f, "%s,2026-10,800000,24000,B\n", code);
	}
	fclose(f);
}

/* A squashfs by its first bytes; the rest is what it may. */
static void image_make(void)
{
	uint8_t block[65536] = "hsqs";
	uint64_t seed = 1;
	FILE *f = file_new("image");
	block[28] = 4;
	for (int i = 0; i < 4; i++)
		block[40 + i] = (uint8_t)(IMAGE_BYTES >> 8 * i);
	for (size_t at = 0; at < IMAGE_BYTES; at += sizeof(block)) {
		for (size_t i = 96; i < sizeof(block); i += 8)
			memcpy(block + i, &(uint64_t){ bench_random(&seed) }, 8);
		bench_must(fwrite(block, sizeof(block), 1, f) == 1, "image");
	}
	fclose(f);
}

/* --- the work --- */

static void rejects_run(void)
{
	FILE *f = file_new("bad.csv");
	fprintf(f, "kind,number,name,reason,until,note\nresident_id,11010519491231002X,,1,,\n");
	for (unsigned i = 0; i < REJECTS; i++)
		fprintf(f, "resident_id,%u,,1,,\n", i);
	fclose(f);
	measure("import_of_rejects", "list import grey %s/bad.csv", dir);
	measure("rejects_csv", "release rejects %u", newest());
}

static void lists_run(size_t n)
{
	list_make("list.csv", 0, n);
	measure("import", "list import black %s/list.csv", dir);
	measure("publish", "release publish %u", approve());
	for (unsigned v = 2; v <= 4; v++) {
		char name[16];
		snprintf(name, sizeof(name), "add%u.csv", v);
		list_make(name, n + v * n / 5, n / 5);
		must("--token-file %s/alice list import black %s/%s --mode add", dir, dir, name);
		if (v < 4)
			publish();
	}
	measure("diff", "release diff %u --limit 100000", newest());
	measure("publish_joined", "release publish %u", approve()); /* three spans: deltas are joined */
	measure("rollback", "release rollback black 1");
}

static void scores_run_all(void)
{
	must("--token-file %s/alice model import enterprise central/sample/enterprise-credit.pmml", dir);
	publish();
	must("--token-file %s/alice document import inputs-enterprise central/sample/enterprise-inputs.json", dir);
	publish();
	measure("score_run", "score run enterprise %s/scores.csv --date 2026-01-31", dir);
	measure("score_facts", "score run enterprise %s/subjects.csv --facts", dir);
	measure("score_export", "score export enterprise");
	measure("replay", "replay");
}

static void reports_run(void)
{
	char code[19];
	department_uscc(1, code);
	measure("report_pdf", "report enterprise %s loan --as-of 2026-11-01 --out %s/r.pdf", code, dir);
	department_uscc(0, code);
	measure("report_html_long", "report enterprise %s loan --as-of 2026-11-01 --out %s/l.html", code, dir);
	measure("report_pdf_long", "report enterprise %s loan --as-of 2026-11-01 --out %s/l.pdf", code, dir);
}

int main(void)
{
	char line[128];
	struct rusage use;
	bin = getenv("XINBIAN_BIN") != NULL ? getenv("XINBIAN_BIN") : "build/release";
	snprintf(dir, sizeof(dir), "%s/xb-loop-XXXXXX", getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	bench_must(mkdtemp(dir) != NULL, "directory");
	snprintf(sock, sizeof(sock), "%s/c/ctl.sock", dir);
	must("init --host localhost --broker-port 18883 --api-port 18443");
	central_start();
	operator_add("alice");
	operator_add("bob");
	measure("nothing", "status");
	rejects_run();
	must("--token-file %s/alice source import central/sample/sources.json", dir);
	must("--token-file %s/alice report rules central/sample/credit-rules.json", dir);
	companies_make();
	measure("batch_load", "batch load tax-revenue %s/tax.csv --period 2026-10", dir);
	scores_run_all();
	reports_run();
	image_make();
	measure("image_import", "update import %s/image --version 1 --arch arm64", dir);
	lists_run(bench_env("XINBIAN_BENCH_N", 1000000));
	kill(central, SIGTERM);
	bench_must(wait4(central, NULL, 0, &use) == central, "end");
	bench_row("loop.central_peak_memory", (double)use.ru_maxrss / 1024, "MiB", NULL, 0, true);
	snprintf(line, sizeof(line), "rm -rf %s", dir);
	return system(line);
}
