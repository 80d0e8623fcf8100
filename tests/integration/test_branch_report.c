/* Credit reports asked for at a branch: a real broker, centrald and branchd, with the line up and down, a branch revoked, a box opened. */
#include "protocol/base/file.h"
#include "tests/support/department.h"
#include "tests/support/world.h"
#include "tests/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FACTS 600 /* a report of about a megabyte */

static struct world w;
static struct world_branch *quay, *pier;
static struct buf out;
static char code[19], board[160];

static bool says(const char *what)
{
	bool there = strstr(buf_str(&out), what) != NULL;
	if (!there)
		printf("\n    not said: %s\n%.600s", what, buf_str(&out));
	return there;
}

static void load(void)
{
	char path[160];
	struct buf file;
	buf_init(&file, 1 << 22);
	buf_add_str(&file, "统一社会信用代码,企业名称,处罚决定书文号,处罚决定日期,罚款金额,处罚程度\n");
	for (unsigned i = 0; i < FACTS; i++)
		buf_add_fmt(&file, "%s,样例<b>制造</b>有限公司,样例罚字第%u号,2026-10-%02u,%u,一般\n", code, i,
			    i % 28 + 1, i);
	snprintf(path, sizeof(path), "%s/penalty.csv", w.dir);
	CU_ASSERT_TRUE_FATAL(file_write(path, buf_bytes(&file), 0600, NULL));
	buf_clear(&file);
	CU_ASSERT_EQUAL(world_ctl(&w, "alice", &out, "source import central/sample/sources.json"), 0);
	CU_ASSERT_EQUAL(world_ctl(&w, "alice", &out, "report rules central/sample/credit-rules.json"), 0);
	CU_ASSERT_EQUAL(world_ctl(&w, "alice", &out, "batch load market-penalty %s --period 2026-10", path), 0);
	CU_ASSERT_TRUE(says("(current)"));
}

/* The branch is started again with a board whose tamper line a file moves. */
static void board_add(struct world_branch *b)
{
	char path[200], text[700];
	snprintf(board, sizeof(board), "%s/board", w.dir);
	CU_ASSERT_TRUE_FATAL(file_make_dir(board, NULL));
	snprintf(path, sizeof(path), "%s/board.conf", board);
	snprintf(text, sizeof(text),
		 "[board]\nbackend = simulated\nchip = %s\n[green]\nline = 0\n[amber]\nline = 1\n[red]\nline = 2\n"
		 "[tamper]\nline = 3\ndebounce_ms = 20\n[link]\nline = 4\n[heartbeat]\nline = 5\n[confirm]\nline = "
		 "6\n",
		 board);
	CU_ASSERT_TRUE_FATAL(file_write(path, bytes_of(text), 0600, NULL));
	world_branch_stop(b, SIGTERM);
	snprintf(text, sizeof(text), "%s/branch.ini", b->dir);
	FILE *ini = fopen(text, "ae");
	CU_ASSERT_PTR_NOT_NULL_FATAL(ini);
	if (ini != NULL) {
		fprintf(ini, "\n[board]\nfile = %s\n", path);
		fclose(ini);
	}
	world_branch_start(&w, b);
}

static void setup(void)
{
	buf_init(&out, 1U << 25);
	if (quay != NULL)
		return;
	department_uscc(7, code);
	world_open(&w);
	load();
	quay = world_branch_add(&w, "quay");
	pier = world_branch_add(&w, "pier");
	board_add(pier);
}

static void teardown(void)
{
	buf_clear(&out);
}

/* POST /v1/reports over HTTPS; the answer is in out. */
static int report(struct world_branch *b, const char *id, const char *more)
{
	char body[600];
	snprintf(body, sizeof(body),
		 "{\"request_id\":\"%s\",\"subject\":{\"kind\":\"uscc\",\"number\":\"%s\"},\"purpose\":\"贷款审查\","
		 "\"officer\":\"E1024\"%s}",
		 id, code, more);
	buf_reset(&out);
	return world_https(&w, b, "POST", "/v1/reports", body, &out);
}

/* Until it is that; central is there a moment after the broker. */
static int report_becomes(struct world_branch *b, const char *id, int status)
{
	int got = 0;
	for (int i = 0; i < 60 && (got = report(b, id, "")) != status; i++)
		usleep(250000);
	return got;
}

/* How often the officer's reads stand in the subject's log. */
static unsigned reads(const char *officer)
{
	unsigned n = 0;
	buf_reset(&out);
	CU_ASSERT_EQUAL(world_ctl(&w, "alice", &out, "subject reads %s", code), 0);
	for (const char *at = buf_str(&out); (at = strstr(at, officer)) != NULL; at++)
		n++;
	return n;
}

static void an_officer_gets_the_report_whole_over_https_and_central_names_him(void)
{
	CU_ASSERT_EQUAL_FATAL(report_becomes(quay, "r-1", 200), 200);
	CU_ASSERT_TRUE(out.len > 200000 && says("样例&lt;b&gt;制造&lt;/b&gt;有限公司") && says("branch quay / "));
	CU_ASSERT_TRUE(says("/ E1024 · 贷款审查 · 截至") && says("样例罚字第599号"));
	CU_ASSERT_PTR_NULL(strstr(buf_str(&out), code));
	CU_ASSERT_EQUAL(reads("/ E1024 · 贷款审查"), 1);
	buf_reset(&out);
	CU_ASSERT_EQUAL(world_ctl(&w, "alice", &out, "audit --limit 20"), 0);
	CU_ASSERT_TRUE(says("report.enterprise") && says("branch quay / "));
}

static void asked_again_it_is_the_same_and_logged_once_even_when_central_was_killed_between(void)
{
	uint8_t first[HASH_LEN], again[HASH_LEN];
	CU_ASSERT_EQUAL(report(quay, "r-2", ",\"as_of\":\"2026-10-31\""), 200);
	sha256(buf_bytes(&out), first);
	world_central_stop(&w, SIGKILL);
	world_central_start(&w);
	int status = 0;
	for (int i = 0; i < 60 && status != 200; i++) {
		status = report(quay, "r-2", ",\"as_of\":\"2026-10-31\"");
		usleep(100000);
	}
	CU_ASSERT_EQUAL(status, 200);
	sha256(buf_bytes(&out), again);
	CU_ASSERT_EQUAL(memcmp(first, again, HASH_LEN), 0);
	CU_ASSERT_EQUAL(reads("/ E1024 · 贷款审查"), 2); /* r-1 and r-2 */
	CU_ASSERT_EQUAL(report(quay, "r-2", ",\"as_of\":\"2026-10-30\""), 409);
	CU_ASSERT_EQUAL(report(quay, "r-3", ",\"as_of\":\"2099-01-01\""), 400);
	CU_ASSERT_TRUE(says("still to come"));
}

static void the_tool_writes_a_pdf_of_several_parts(void)
{
	char path[160];
	struct buf file;
	snprintf(path, sizeof(path), "%s/report.pdf", w.dir);
	if (access("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", R_OK) != 0) {
		test_skip("fonts-wqy-zenhei");
		return;
	}
	CU_ASSERT_EQUAL(world_branchctl(quay, &out, "report %s loan --officer E7 --out %s", code, path), 0);
	CU_ASSERT_TRUE(says("报告已写入 Report written"));
	buf_init(&file, 1U << 25);
	CU_ASSERT_TRUE(file_read(path, &file, NULL) && file.len > 500000 && memcmp(file.data, "%PDF", 4) == 0);
	buf_clear(&file);
	CU_ASSERT_EQUAL(reads("/ local / E7 · loan"), 1);
	CU_ASSERT_EQUAL(world_branchctl(quay, &out, "report %s loan --out %s", code, path), 2);
}

static void offline_it_says_what_it_cannot_do_and_guesses_nothing(void)
{
	world_broker_stop(&w, SIGTERM);
	int status = 0;
	for (int i = 0; i < 40 && status != 503; i++)
		status = report(quay, "r-4", "");
	CU_ASSERT_EQUAL(status, 503);
	CU_ASSERT_TRUE(says("信用报告只由中心出具，本机不存不猜") && says("same request_id"));
	CU_ASSERT_NOT_EQUAL(world_branchctl(quay, &out, "report %s loan --officer E8 --out %s/no.html", code, w.dir),
			    0);
	CU_ASSERT_TRUE(says("--request-id"));
	CU_ASSERT_EQUAL(reads("E8"), 0);
	world_broker_start(&w);
	CU_ASSERT_EQUAL(report_becomes(quay, "r-4", 200), 200);
}

static void a_box_that_was_opened_gets_none(void)
{
	char path[200];
	CU_ASSERT_EQUAL(report_becomes(pier, "p-1", 200), 200);
	snprintf(path, sizeof(path), "%s/inputs", board);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, "tamper 1\n", 9), 9);
	close(fd);
	CU_ASSERT_EQUAL(report_becomes(pier, "p-2", 503), 503);
	CU_ASSERT_TRUE(says("wiped its keys"));
}

static void a_branch_that_was_revoked_is_not_answered(void)
{
	unsigned before = reads("branch quay / ");
	CU_ASSERT_EQUAL(world_ctl(&w, "alice", &out, "branch revoke quay"), 0);
	CU_ASSERT_EQUAL(report(quay, "r-5", ""), 503);
	CU_ASSERT_TRUE(says("did not answer in time"));
	CU_ASSERT_EQUAL(reads("branch quay / "), before);
	world_close(&w);
	quay = pier = NULL;
}

static CU_TestInfo tests[] = {
	{ "an officer gets the report whole over HTTPS, and central names him",
	  an_officer_gets_the_report_whole_over_https_and_central_names_him },
	{ "asked again it is the same and logged once, even when central was killed between",
	  asked_again_it_is_the_same_and_logged_once_even_when_central_was_killed_between },
	{ "the tool writes a PDF of several parts", the_tool_writes_a_pdf_of_several_parts },
	{ "offline it says what it cannot do and guesses nothing",
	  offline_it_says_what_it_cannot_do_and_guesses_nothing },
	{ "a box that was opened gets none", a_box_that_was_opened_gets_none },
	{ "a branch that was revoked is not answered", a_branch_that_was_revoked_is_not_answered },
	CU_TEST_INFO_NULL,
};
SUITE(branch_report, setup, teardown, tests);
