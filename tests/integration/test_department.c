/* Departments that leave files by HTTPS at a real centrald, with certificates bought by tokens; curl is the department's program. */
#include "protocol/base/file.h"
#include "tests/support/department.h"
#include "tests/support/lone_central.h"
#include "tests/support/sender.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#define LONG_ROWS 200000U /* what waits to be freed is no measure, and each row takes its time */
#define RSS_KIB   1048576
#else
#define LONG_ROWS 2700000U /* 100 MB */
#define RSS_KIB   32768
#endif

static struct lone_central central;
static struct sender tax, statistics, nobody;
static struct buf out;
static char csv[160], ca[160];

static bool says(const char *what)
{
	bool there = strstr(buf_str(&out), what) != NULL;
	if (!there)
		printf("\n    not said: %s\n%s", what, buf_str(&out));
	return there;
}

static void sender_make(struct sender *s, const char *name)
{
	*s = (struct sender){ .ca = ca, .port = central.department_port };
	snprintf(s->dir, sizeof(s->dir), "%s", central.dir);
	snprintf(s->name, sizeof(s->name), "%s", name);
}

/* Once gate listens. */
static void sender_admit(struct sender *s, const char *code)
{
	struct json *j = lone_central_json(&central, "department token %s", code);
	const char *token = NULL;
	int status = 0;
	sender_make(s, code);
	CU_ASSERT_TRUE_FATAL(j != NULL && json_text(j, "token", 128, &token, NULL));
	for (int i = 0; i < 100 && (status = sender_enrol(s, central.enrol_port, token, &out)) == 0; i++)
		sleep_ms(50);
	CU_ASSERT_EQUAL_FATAL(status, 200);
	json_free(j);
}

static void setup(void)
{
	buf_init(&out, 1U << 24);
	if (central.pid != 0)
		return;
	lone_central_open(&central);
	snprintf(csv, sizeof(csv), "%s.csv", central.dir);
	snprintf(ca, sizeof(ca), "%s/ca.pem", central.dir);
	CU_ASSERT_EQUAL_FATAL(lone_central_ctl(&central, &out, "source import central/sample/sources.json"), 0);
	sender_admit(&tax, "tax");
	sender_admit(&statistics, "statistics");
	sender_make(&nobody, "");
}

static void teardown(void)
{
	buf_clear(&out);
}

/* n good rows of the sample's tax-revenue, then these. */
static void file_put(unsigned first, unsigned n, const char *more)
{
	FILE *f = fopen(csv, "w");
	char code[19];
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	if (f == NULL)
		return;
	fputs("统一社会信用代码,月份,营业收入,实缴税额,纳税信用等级\n", f);
	for (unsigned i = first; i < first + n; i++) {
		department_uscc(i, code);
		fprintf(f, "%s,2026-10,%u,%u,A\n", code, i % 1000 * 10, i % 1000);
	}
	fputs(more, f);
	CU_ASSERT_EQUAL_FATAL(fclose(f), 0);
}

static int64_t answered(const char *key)
{
	struct json *j = json_parse(buf_bytes(&out), NULL);
	int64_t v = -1;
	if (j == NULL || !json_int(j, key, 0, INT64_MAX, &v, NULL))
		printf("\n    no %s in %s", key, buf_str(&out));
	json_free(j);
	return v;
}

static int64_t batches_of(const char *source)
{
	struct json *j = lone_central_json(&central, "batch list --source %s", source);
	int64_t n = j != NULL ? (int64_t)json_len(json_get(j, "batches")) : -1;
	json_free(j);
	return n;
}

static void a_file_goes_in_and_its_report_and_rejects_come_back(void)
{
	char path[80];
	file_put(1, 500, "3.30801E+17,2026-10,5,5,A\n");
	CU_ASSERT_EQUAL(sender_upload(&tax, "tax-revenue", "2026-10", csv, NULL, &out), 200);
	CU_ASSERT_TRUE(says("\"state\":\"current\"") && says("\"accepted\":500") && says("\"rejected\":1") &&
		       says("\"created_by\":\"dept.tax.1\""));
	int64_t id = answered("id");
	CU_ASSERT_EQUAL(sender_upload(&tax, "tax-revenue", "2026-10", csv, NULL, &out), 200);
	CU_ASSERT_EQUAL(answered("id"), id);
	CU_ASSERT_EQUAL(batches_of("tax-revenue"), 1);
	snprintf(path, sizeof(path), "/v1/batches/%lld", (long long)id);
	CU_ASSERT_EQUAL(sender_ask(&tax, "GET", path, NULL, NULL, &out), 200);
	CU_ASSERT_TRUE(says("\"state\":\"current\""));
	CU_ASSERT_EQUAL(sender_ask(&statistics, "GET", path, NULL, NULL, &out), 404);
	CU_ASSERT_TRUE(says("\"message_zh\":\"没有找到\""));
	snprintf(path, sizeof(path), "/v1/batches/%lld/rejects", (long long)id);
	CU_ASSERT_EQUAL(sender_ask(&tax, "GET", path, NULL, NULL, &out), 200);
	CU_ASSERT_TRUE(says("\"502\",\"1\",\"type-error\""));
	CU_ASSERT_EQUAL(sender_ask(&statistics, "GET", path, NULL, NULL, &out), 404);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "audit"), 0);
	CU_ASSERT_TRUE(says("department tax, certificate dept.tax.1") && says("department.enrol") &&
		       says("batch.rejects"));
}

static void what_is_not_the_departments_or_not_whole_is_refused(void)
{
	static const struct {
		const char *path;
		int status;
		const char *words;
	} cases[] = {
		{ "/v1/sources/statistics-revenue/upload?period=2026-10&sha256=00", 403,
		  "no source of department tax" },
		{ "/v1/sources/no-such/upload?period=2026-10&sha256=00", 403, "no source of department tax" },
		{ "/v1/sources/tax-revenue/upload?sha256=00", 400, "period" },
		{ "/v1/sources/tax-revenue/upload?period=2026-13&sha256="
		  "0000000000000000000000000000000000000000000000000000000000000000",
		  400, "a month" },
		{ "/v1/sources/tax-revenue/upload?period=2026-10", 400, "sha256" },
		{ "/v1/sources/tax-revenue/upload?period=2026-10&sha256="
		  "0000000000000000000000000000000000000000000000000000000000000000",
		  400, "do not have this sha256" },
		{ "/v1/sources/tax-revenue/load", 404, "no such address" },
	};
	static const char *const chunked[] = { "-H", "Transfer-Encoding: chunked" };
	int64_t before = batches_of("tax-revenue");
	file_put(1, 400, "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(sender_ask(&tax, "POST", cases[i].path, csv, NULL, &out), cases[i].status);
		CU_ASSERT_TRUE(says(cases[i].words) && says("\"message_zh\""));
	}
	CU_ASSERT_EQUAL(sender_upload(&tax, "tax-revenue", "2026-10", csv, chunked, &out), 411);
	CU_ASSERT_EQUAL(sender_upload(&nobody, "tax-revenue", "2026-10", csv, NULL, &out), 0);
	CU_ASSERT_EQUAL(batches_of("tax-revenue"), before);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "department token no-such"), 1);
	CU_ASSERT_TRUE(says("source list"));
}

static void an_upload_that_is_cut_leaves_nothing(void)
{
	static const char *const slow[] = { "--limit-rate", "200k" };
	int64_t before = batches_of("tax-revenue");
	char url[400], cert[160], key[160];
	file_put(1, 100000, "");
	snprintf(url, sizeof(url),
		 "https://127.0.0.1:%d/v1/sources/tax-revenue/upload?period=2026-11&sha256="
		 "0000000000000000000000000000000000000000000000000000000000000000",
		 central.department_port);
	snprintf(cert, sizeof(cert), "%s/tax.pem", central.dir);
	snprintf(key, sizeof(key), "%s/tax.key", central.dir);
	const char *argv[] = { "curl",  "-sS",        "--cacert", ca,   "--cert", cert, "--key", key, slow[0],
			       slow[1], "--max-time", "3",        "-X", "POST",   "-T", csv,     url, NULL };
	CU_ASSERT_EQUAL(child_run(argv, &out), 28);
	for (int i = 0; i < 100 && batches_of("tax-revenue") != before; i++)
		sleep_ms(50);
	CU_ASSERT_EQUAL(batches_of("tax-revenue"), before);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "audit"), 0);
	CU_ASSERT_TRUE(says("batch.abandoned") && says("the line was cut at"));
}

static void centrald_killed_in_the_middle_leaves_nothing_and_the_file_goes_in_again(void)
{
	char url[400], cert[160], key[160], log[180];
	int64_t before = batches_of("tax-revenue");
	file_put(1, 100000, "");
	snprintf(url, sizeof(url),
		 "https://127.0.0.1:%d/v1/sources/tax-revenue/upload?period=2026-11&sha256="
		 "0000000000000000000000000000000000000000000000000000000000000000",
		 central.department_port);
	snprintf(cert, sizeof(cert), "%s/tax.pem", central.dir);
	snprintf(key, sizeof(key), "%s/tax.key", central.dir);
	snprintf(log, sizeof(log), "%s.curl.log", central.dir);
	const char *argv[] = { "/usr/bin/curl", "-sS", "--cacert", ca,     "--cert", cert, "--key", key,
			       "--limit-rate",  "1M",  "-X",       "POST", "-T",     csv,  url,     NULL };
	pid_t curl = child_start(argv, log);
	for (int i = 0; i < 200 && batches_of("tax-revenue") == before; i++)
		sleep_ms(20);
	CU_ASSERT_EQUAL(batches_of("tax-revenue"), before + 1);
	sleep_ms(1500);
	lone_central_stop(&central, SIGKILL);
	child_stop(curl, SIGTERM);
	lone_central_start(&central);
	CU_ASSERT_EQUAL(batches_of("tax-revenue"), before);
	int status = 0;
	for (int i = 0; i < 100 && status == 0; i++) {
		status = sender_upload(&tax, "tax-revenue", "2026-11", csv, NULL, &out);
		sleep_ms(status == 0 ? 50 : 0);
	}
	CU_ASSERT_EQUAL(status, 200);
	CU_ASSERT_TRUE(says("\"accepted\":100000"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "audit"), 0);
	CU_ASSERT_TRUE(says("centrald ended in the middle of it"));
}

static long peak_kib(void)
{
	char path[64], line[128];
	long kib = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)central.pid);
	FILE *f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	if (f != NULL)
		fclose(f);
	return kib;
}

static void a_long_file_goes_through_in_little_memory(void)
{
	file_put(1, LONG_ROWS, "");
	CU_ASSERT_EQUAL(sender_upload(&tax, "tax-revenue", "2026-09", csv, NULL, &out) / 100, 2);
	int64_t id = answered("id");
	for (int i = 0; i < 600 && strstr(buf_str(&out), "\"state\":\"checking\"") != NULL; i++) {
		sleep_ms(200);
		CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "--json batch show %lld", (long long)id), 0);
	}
	printf("\n    %u rows, peak %ld KiB ", LONG_ROWS, peak_kib());
	CU_ASSERT_TRUE(says("\"accepted\":") && peak_kib() < RSS_KIB);
}

static void a_revoked_certificate_sends_nothing_more_and_the_next_one_does(void)
{
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "department revoke dept.tax.1"), 0);
	file_put(1, 450, "");
	CU_ASSERT_EQUAL(sender_upload(&tax, "tax-revenue", "2026-10", csv, NULL, &out), 403);
	CU_ASSERT_TRUE(says("dept.tax.1 is revoked"));
	CU_ASSERT_EQUAL(sender_ask(&tax, "GET", "/v1/batches/1", NULL, NULL, &out), 403);
	sender_admit(&tax, "tax");
	CU_ASSERT_EQUAL(sender_upload(&tax, "tax-revenue", "2026-10", csv, NULL, &out), 200);
	CU_ASSERT_TRUE(says("dept.tax.2"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "department list"), 0);
	CU_ASSERT_TRUE(says("dept.tax.1 · 已吊销 revoked") && says("dept.tax.2 · 有效 enrolled"));
	lone_central_stop(&central, SIGTERM);
}

static CU_TestInfo tests[] = {
	{ "a file goes in, and its report and rejects come back",
	  a_file_goes_in_and_its_report_and_rejects_come_back },
	{ "what is not the department's, or not whole, is refused",
	  what_is_not_the_departments_or_not_whole_is_refused },
	{ "an upload that is cut leaves nothing", an_upload_that_is_cut_leaves_nothing },
	{ "centrald killed in the middle leaves nothing, and the file goes in again",
	  centrald_killed_in_the_middle_leaves_nothing_and_the_file_goes_in_again },
	{ "a long file goes through in little memory", a_long_file_goes_through_in_little_memory },
	{ "a revoked certificate sends nothing more, and the next one does",
	  a_revoked_certificate_sends_nothing_more_and_the_next_one_does },
	CU_TEST_INFO_NULL,
};

SUITE(department_programs, setup, teardown, tests);
