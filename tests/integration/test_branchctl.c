/* branchctl and branchd as people use them, before there is a central: words, exit codes, JSON. */
#include "protocol/base/file.h"
#include "protocol/base/json.h"
#include "tests/support/child.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDED_WELL 0

static char dir[80], log_path[96], ini[96];
static pid_t branchd;
static struct buf out;

static const char *start_words[4];

static bool answers(void *arg)
{
	struct buf quiet;
	(void)arg;
	buf_init(&quiet, 65536);
	bool ok = child_run_words(&quiet, "branchctl -d %s status", dir) == 0;
	buf_clear(&quiet);
	return ok;
}

static void start(void)
{
	start_words[0] = "branchd";
	start_words[1] = "-c";
	start_words[2] = ini;
	branchd = child_start(start_words, log_path);
	CU_ASSERT_TRUE_FATAL(wait_until(answers, NULL, 10000));
}

static int stop(int signo)
{
	int status = child_stop(branchd, signo);
	branchd = 0;
	return status;
}

/* branchctl with these words; its output is in out. */
static int ctl(const char *words)
{
	buf_reset(&out);
	return child_run_words(&out, "branchctl -d %s %s", dir, words);
}

static bool says(const char *part)
{
	return strstr(buf_str(&out), part) != NULL;
}

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%.60s/b", test_dir());
	snprintf(ini, sizeof(ini), "%s/branch.ini", dir);
	snprintf(log_path, sizeof(log_path), "%s.log", dir);
	buf_init(&out, 262144);
	CU_ASSERT_EQUAL_FATAL(ctl("init --listen 127.0.0.1:0"), 0);
}

static void teardown(void)
{
	if (branchd != 0)
		stop(SIGKILL);
	buf_clear(&out);
}

static void init_makes_a_private_directory_once(void)
{
	struct stat st;
	CU_ASSERT_EQUAL_FATAL(stat(dir, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0700);
	CU_ASSERT_EQUAL_FATAL(stat(ini, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
	CU_ASSERT_EQUAL(ctl("init --listen 127.0.0.1:0"), 1);
	CU_ASSERT_TRUE(says("已存在") && says("is there already"));
	CU_ASSERT_EQUAL(ctl("init --listen 8443"), 1);
}

static void wrong_words_are_2_and_show_the_usage(void)
{
	static const char *const wrong[] = { "",
					     "frob",
					     "init",
					     "status now",
					     "list",
					     "terminal add",
					     "terminal add a b",
					     "terminal add --colour",
					     "terminal revoke A/B",
					     "check",
					     "check --kind",
					     "check --kind name --fact x",
					     "decision show 12",
					     "enrol --central a:1",
					     "--colour status" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CU_ASSERT_EQUAL(ctl(wrong[i]), 2);
		CU_ASSERT_TRUE(says("usage"));
	}
}

static void without_branchd_it_says_so_and_still_verifies_the_journal(void)
{
	CU_ASSERT_EQUAL(ctl("status"), 1);
	CU_ASSERT_TRUE(says("branchd 未运行 is not running"));
	CU_ASSERT_EQUAL(ctl("journal verify"), 1);
	start();
	CU_ASSERT_EQUAL(ctl("journal verify"), 0);
	CU_ASSERT_TRUE(says("日志完整") && says("0 行 rows"));
	CU_ASSERT_EQUAL(stop(SIGTERM), ENDED_WELL);
	CU_ASSERT_EQUAL(ctl("journal verify"), 0);
	CU_ASSERT_EQUAL(ctl("status"), 1);
}

static void status_and_lists_are_text_or_json(void)
{
	start();
	CU_ASSERT_EQUAL(ctl("status"), 0);
	CU_ASSERT_TRUE(says("网点 Branch: 未注册 not enrolled"));
	CU_ASSERT_EQUAL(ctl("status --json"), 0);
	struct json *j = json_parse(buf_bytes(&out), NULL);
	CU_ASSERT_PTR_NOT_NULL(j);
	json_free(j);
	CU_ASSERT_EQUAL(ctl("list show"), 0);
	CU_ASSERT_EQUAL(ctl("list show black-fraud"), 1);
	CU_ASSERT_TRUE(says("there is no list black-fraud"));
	CU_ASSERT_EQUAL(
		ctl("check --kind resident_id --number 330802185001010013 --fact a=1 --fact b=true --fact c=x"), 1);
	CU_ASSERT_TRUE(says("this branch is not enrolled"));
	CU_ASSERT_EQUAL(ctl("check --json /nonexistent"), 1);
	CU_ASSERT_EQUAL(ctl("decision show 0123456789abcdef0123456789abcdef"), 1);
}

static void a_token_is_shown_once_and_terminals_outlive_branchd(void)
{
	start();
	CU_ASSERT_EQUAL(ctl("terminal add kiosk-1"), 0);
	CU_ASSERT_TRUE(says("令牌 Token"));
	CU_ASSERT_EQUAL(ctl("terminal add kiosk-1"), 1);
	CU_ASSERT_EQUAL(ctl("terminal add card --certificate"), 0);
	CU_ASSERT_TRUE(says("CN=card"));
	CU_ASSERT_EQUAL(ctl("terminal revoke kiosk-1"), 0);
	CU_ASSERT_EQUAL(ctl("terminal revoke nobody"), 1);
	/* Not even kill -9 takes away what was answered. */
	stop(SIGKILL);
	start();
	CU_ASSERT_EQUAL(ctl("terminal list"), 0);
	CU_ASSERT_TRUE(says("kiosk-1") && says("已撤销 revoked") && says("证书 certificate"));
	CU_ASSERT_FALSE(says("Token"));
}

static void a_second_branchd_and_a_wrong_configuration_end_with_a_sentence(void)
{
	start();
	buf_reset(&out);
	CU_ASSERT_EQUAL(child_run_words(&out, "branchd -c %s", ini), 1);
	CU_ASSERT_TRUE(says("another branchd is running"));
	CU_ASSERT_EQUAL(stop(SIGTERM), ENDED_WELL);
	CU_ASSERT_TRUE_FATAL(file_write(ini, bytes_of("[branch]\ncolour = red\n"), 0600, NULL));
	buf_reset(&out);
	CU_ASSERT_EQUAL(child_run_words(&out, "branchd -c %s", ini), 1);
	CU_ASSERT_TRUE(says("branch.ini:2") && says("colour"));
	buf_reset(&out);
	CU_ASSERT_EQUAL(child_run_words(&out, "branchd -c %s.not", ini), 1);
	buf_reset(&out);
	CU_ASSERT_EQUAL(child_run_words(&out, "branchd"), 2);
}

static void enrolment_with_nobody_there_says_why(void)
{
	char words[300], pem[120];
	start();
	snprintf(pem, sizeof(pem), "%s.pem", dir);
	CU_ASSERT_TRUE_FATAL(file_write(pem, bytes_of("no PEM"), 0600, NULL));
	snprintf(words, sizeof(words), "enrol --central 127.0.0.1:1 --ca %s --token t", pem);
	CU_ASSERT_EQUAL(ctl(words), 1);
	CU_ASSERT_TRUE(says("ca: "));
	snprintf(words, sizeof(words), "enrol --central 127.0.0.1:1 --ca /nonexistent --token t");
	CU_ASSERT_EQUAL(ctl(words), 1);
}

static CU_TestInfo tests[] = {
	{ "init makes a private directory, once", init_makes_a_private_directory_once },
	{ "wrong words are 2 and show the usage", wrong_words_are_2_and_show_the_usage },
	{ "without branchd it says so, and still verifies the journal",
	  without_branchd_it_says_so_and_still_verifies_the_journal },
	{ "status and lists are text or JSON", status_and_lists_are_text_or_json },
	{ "a token is shown once, and terminals outlive branchd",
	  a_token_is_shown_once_and_terminals_outlive_branchd },
	{ "a second branchd and a wrong configuration end with a sentence",
	  a_second_branchd_and_a_wrong_configuration_end_with_a_sentence },
	{ "enrolment with nobody there says why", enrolment_with_nobody_there_says_why },
	CU_TEST_INFO_NULL,
};
SUITE(branchctl, setup, teardown, tests);
