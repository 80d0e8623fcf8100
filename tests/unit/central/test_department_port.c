/* The departments' port without TLS: a client that binds to the address gate would give it. */
#include "central/department/certificates.h"
#include "central/department/port.h"
#include "central/ingest/batch.h"
#include "tests/support/department.h"
#include "tests/test.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SLOW_MS 200
#define ZEROES  "0000000000000000000000000000000000000000000000000000000000000000"

static struct loop *loop;
static struct department_port *port;
static char path[108];
static struct err err;

static int64_t clock_s(void)
{
	return CENTRE_NOW_S;
}

static void port_open(void)
{
	const struct department_port_config c = {
		.path = path, .release = department, .now_s = clock_s, .slow_ms = SLOW_MS
	};
	port = department_port_open(loop, &c, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(port);
}

static void setup(void)
{
	department_open();
	loop = loop_new();
	snprintf(path, sizeof(path), "%s/in.sock", centre.dir);
	CU_ASSERT_TRUE_FATAL(db_exec(department->db,
				     "INSERT INTO department_certificate (name, department, token_hash, made_s,"
				     " expires_s, serial, enrolled_s, revoked_s) VALUES ('dept.tax.1', 'tax', x'00',"
				     " 1, 2, 'ab', 1, 0)",
				     &err));
	port_open();
}

static void teardown(void)
{
	department_port_close(port);
	loop_free(loop);
	department_close();
}

static int client(const char *name)
{
	static int count;
	struct sockaddr_un from = { .sun_family = AF_UNIX }, to = { .sun_family = AF_UNIX };
	int n = snprintf(from.sun_path + 1, sizeof(from.sun_path) - 1, "xb-gate/t%d.%d/%s", (int)getpid(), ++count,
			 name);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&from,
				   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)),
			      0);
	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	CU_ASSERT_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void turn(int ms)
{
	for (int64_t end = loop_now_ms() + ms; loop_now_ms() < end;)
		loop_once(loop, 5);
}

/* The answer's status, once it is whole; 0 when the line ended without one. */
static int answer(int fd, char *out, size_t size)
{
	size_t len = 0;
	for (int64_t end = loop_now_ms() + 5000; loop_now_ms() < end && len + 1 < size; loop_once(loop, 5)) {
		ssize_t n = recv(fd, out + len, size - 1 - len, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	out[len] = '\0';
	close(fd);
	int status = 0;
	return sscanf(out, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

static int upload_begun(const char *period, const char *size)
{
	char head[300];
	int fd = client("dept.tax.1");
	snprintf(head, sizeof(head),
		 "POST /v1/sources/tax-revenue/upload?period=%s&sha256=" ZEROES
		 " HTTP/1.1\r\nContent-Length: %s\r\n\r\n",
		 period, size);
	say(fd, head);
	return fd;
}

static void one_that_sends_no_head_or_too_slowly_is_told_so_and_nothing_stays(void)
{
	static char out[8192];
	int silent = client("dept.tax.1"), slow = upload_begun("2026-10", "1000000");
	turn(50);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch"), 1);
	for (int i = 0; i < 3 * SLOW_MS / 20; i++) { /* a byte now and then keeps nothing open */
		(void)!send(slow, "x", 1, MSG_NOSIGNAL);
		turn(20);
	}
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch"), 0);
	CU_ASSERT_EQUAL(answer(silent, out, sizeof(out)), 408);
	CU_ASSERT_EQUAL(answer(slow, out, sizeof(out)), 408);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "too slow"));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch"), 0);
}

static void so_many_uploads_go_at_once_and_one_a_period(void)
{
	static const char *const periods[] = { "2026-01", "2026-02", "2026-03", "2026-04" };
	static char out[8192];
	int fds[DEPARTMENT_UPLOADS_MAX];
	for (size_t i = 0; i < DEPARTMENT_UPLOADS_MAX; i++)
		fds[i] = upload_begun(periods[i], "1000");
	turn(20);
	CU_ASSERT_EQUAL(answer(upload_begun("2026-01", "1000"), out, sizeof(out)), 409);
	CU_ASSERT_EQUAL(answer(upload_begun("2026-05", "1000"), out, sizeof(out)), 429);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "\"message_zh\""));
	for (size_t i = 0; i < DEPARTMENT_UPLOADS_MAX; i++)
		close(fds[i]);
	turn(50);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch"), 0);
}

static void who_it_is_and_how_long_it_is_are_judged_before_a_byte_is_kept(void)
{
	static char out[8192];
	static const struct {
		const char *name, *size;
		int status;
	} cases[] = {
		{ "dept.tax.1", "17179869185", 413 },
		{ "dept.tax.1", "-5", 400 },
		{ "dept.tax.2", "10", 403 },
		{ "b1", "10", 403 },
		{ "central", "10", 403 },
		{ "", "10", 403 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char head[300];
		int fd = client(cases[i].name);
		snprintf(head, sizeof(head),
			 "POST /v1/sources/tax-revenue/upload?period=2026-10&sha256=" ZEROES
			 " HTTP/1.1\r\nContent-Length: %s\r\n\r\n",
			 cases[i].size);
		say(fd, head);
		CU_ASSERT_EQUAL(answer(fd, out, sizeof(out)), cases[i].status);
	}
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch"), 0);
}

static void what_an_earlier_run_left_is_erased_or_checked_to_its_end(void)
{
	struct buf file;
	struct batch_new n;
	int64_t loaded = 0, cut = 0;
	bool again = false;
	department_file(&file, 1, 30, "2026-10", "");
	department_port_close(port);
	n = department_new("2026-10", buf_bytes(&file));
	CU_ASSERT_TRUE_FATAL(batch_open(department, &n, "dept.tax.1", CENTRE_NOW_S, &loaded, &again, &err) &&
			     batch_part(department, loaded, 0, buf_bytes(&file), CENTRE_NOW_S, &err));
	n.period = "2026-09";
	CU_ASSERT_TRUE_FATAL(batch_open(department, &n, "dept.tax.1", CENTRE_NOW_S, &cut, &again, &err));
	port_open();
	turn(50);
	CU_ASSERT_EQUAL(department_batch(loaded).state, BATCH_CURRENT);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch"), 1);
	buf_clear(&file);
}

static CU_TestInfo tests[] = {
	{ "one that sends no head, or too slowly, is told so and nothing stays",
	  one_that_sends_no_head_or_too_slowly_is_told_so_and_nothing_stays },
	{ "so many uploads go at once, and one a period", so_many_uploads_go_at_once_and_one_a_period },
	{ "who it is and how long it is are judged before a byte is kept",
	  who_it_is_and_how_long_it_is_are_judged_before_a_byte_is_kept },
	{ "what an earlier run left is erased, or checked to its end",
	  what_an_earlier_run_left_is_erased_or_checked_to_its_end },
	CU_TEST_INFO_NULL,
};

SUITE(department_port, setup, teardown, tests);
