#include "tests/support/lone_central.h"

#include "protocol/base/file.h"
#include "tests/test.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OUT_MAX 16777216U

void lone_central_start(struct lone_central *c)
{
	char ini[160], log[160], sock[160];
	snprintf(ini, sizeof(ini), "%s/central.ini", c->dir);
	snprintf(log, sizeof(log), "%s.daemon.log", c->dir);
	snprintf(sock, sizeof(sock), "%s/ctl.sock", c->dir);
	unlink(sock);
	c->pid = child_start((const char *const[]){ "centrald", "-c", ini, NULL }, log);
	for (int i = 0; i < 1000 && access(sock, F_OK) != 0; i++)
		sleep_ms(20);
}

void lone_central_stop(struct lone_central *c, int signo)
{
	child_stop(c->pid, signo);
}

void lone_central_open(struct lone_central *c)
{
	struct buf out;
	struct err e = { 0 };
	const char *token = NULL;
	buf_init(&out, OUT_MAX);
	snprintf(c->dir, sizeof(c->dir), "%s/central", test_dir());
	snprintf(c->token, sizeof(c->token), "%s.token", c->dir);
	c->broker_port = free_port();
	c->enrol_port = free_port();
	c->department_port = free_port();
	CU_ASSERT_EQUAL_FATAL(child_run_words(&out,
					      "centralctl -d %s init --host 127.0.0.1 --broker-port %d --api-port %d"
					      " --department-port %d",
					      c->dir, c->broker_port, c->enrol_port, c->department_port),
			      0);
	lone_central_start(c);
	buf_reset(&out);
	CU_ASSERT_EQUAL_FATAL(child_run_words(&out, "centralctl -d %s --json operator add alice", c->dir), 0);
	struct json *j = json_parse(buf_bytes(&out), &e);
	CU_ASSERT_TRUE_FATAL(j != NULL && json_text(j, "token", 128, &token, &e));
	CU_ASSERT_TRUE_FATAL(file_write(c->token, bytes_of(token), 0600, &e));
	json_free(j);
	buf_clear(&out);
}

int lone_central_ctl(struct lone_central *c, struct buf *out, const char *fmt, ...)
{
	char words[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	buf_reset(out);
	return child_run_words(out, "centralctl -d %s --token-file %s %s", c->dir, c->token, words);
}

struct json *lone_central_json(struct lone_central *c, const char *fmt, ...)
{
	char words[1024];
	struct buf out;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	buf_init(&out, OUT_MAX);
	int rc = lone_central_ctl(c, &out, "--json %s", words);
	const char *brace = strchr(buf_str(&out), '{');
	struct json *j = rc == 0 && brace != NULL ? json_parse(bytes_of(brace), NULL) : NULL;
	if (j == NULL)
		printf("\n    %s\n    %s", words, buf_str(&out));
	buf_clear(&out);
	return j;
}
