#include "protocol/base/log.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What run writes to stderr, in a child. */
static const char *written(void (*run)(void))
{
	static char text[8192];
	int ends[2];
	fflush(stdout);
	if (pipe(ends) != 0)
		abort();
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		run();
		_exit(0);
	}
	close(ends[1]);
	size_t len = 0;
	for (ssize_t n; len < sizeof(text) - 1 && (n = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0;)
		len += (size_t)n;
	text[len] = '\0';
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return text;
}

static void say_all(void)
{
	log_init("tester", LOG_LEVEL_INFO);
	log_debug("hidden", "n=%d", 1);
	log_info("list applied", "list=%s version=%d", "black", 7);
	log_warn("careful", "n=%d", 1);
	log_error("broken", "why=%s", "no");
}

static void a_line_has_time_level_program_sentence_and_pairs(void)
{
	const char *text = written(say_all);
	CU_ASSERT_PTR_NULL(strstr(text, "hidden"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "Z info tester: list applied list=black version=7\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "Z warn tester: careful n=1\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "Z error tester: broken why=no\n"));
	CU_ASSERT_EQUAL(text[4], '-');
}

static void say_evil(void)
{
	char big[5000];
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_init("tester", LOG_LEVEL_DEBUG);
	log_info("evil", "v=%s", "a\n2026 error tester: forged\x1b[31m\r\x7f 名单");
	log_info(big, "v=%s", big);
}

static void nothing_in_a_value_starts_a_line_or_drives_a_terminal(void)
{
	const char *text = written(say_evil);
	size_t lines = 0;
	for (const char *c = text; *c != '\0'; c++) {
		lines += *c == '\n';
		CU_ASSERT_TRUE(*c == '\n' || (unsigned char)*c >= 0x20);
	}
	CU_ASSERT_EQUAL(lines, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "a\\x0a2026"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "名单"));
}

static CU_TestInfo tests[] = {
	{ "a line has time, level, program, sentence and pairs", a_line_has_time_level_program_sentence_and_pairs },
	{ "nothing in a value starts a line or drives a terminal",
	  nothing_in_a_value_starts_a_line_or_drives_a_terminal },
	CU_TEST_INFO_NULL,
};
SUITE(log, NULL, NULL, tests);
