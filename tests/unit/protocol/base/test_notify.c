#include "protocol/base/notify.h"
#include "tests/test.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct loop *loop;
static int manager = -1; /* the service manager's socket */
static char heard[64], address[90];

static void setup(void)
{
	loop = loop_new();
}

static void teardown(void)
{
	if (manager >= 0)
		close(manager);
	manager = -1;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	loop_free(loop);
}

static void listen_at(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", name);
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL_FATAL(bind(manager, (struct sockaddr *)&at,
				   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/'))),
			      0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void listen_somewhere(void)
{
	snprintf(address, sizeof(address), "%.80s/notify", test_dir());
	listen_at(address);
}

/* The next datagram, or "". */
static const char *hear(void)
{
	ssize_t n = recv(manager, heard, sizeof(heard) - 1, 0);
	heard[n > 0 ? n : 0] = '\0';
	return heard;
}

static void the_manager_hears_ready_and_stopping(void)
{
	listen_somewhere();
	struct notify *n = notify_new(loop);
	CU_ASSERT_STRING_EQUAL(hear(), "");
	notify_ready(n);
	CU_ASSERT_STRING_EQUAL(hear(), "READY=1");
	loop_once(loop, 20);
	CU_ASSERT_STRING_EQUAL(hear(), ""); /* not watched */
	notify_stopping(n);
	CU_ASSERT_STRING_EQUAL(hear(), "STOPPING=1");
	notify_free(n);
	notify_free(NULL);
}

static void the_watchdog_is_fed_by_the_loop_alone(void)
{
	char pid[16];
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	listen_somewhere();
	setenv("WATCHDOG_USEC", "90000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	struct notify *n = notify_new(loop);
	loop_once(loop, 60);
	CU_ASSERT_STRING_EQUAL(hear(), ""); /* nobody is watched before it serves */
	notify_ready(n);
	CU_ASSERT_STRING_EQUAL(hear(), "READY=1");
	CU_ASSERT_STRING_EQUAL(hear(), "WATCHDOG=1");
	usleep(60000);
	CU_ASSERT_STRING_EQUAL(hear(), "");
	loop_once(loop, 60);
	CU_ASSERT_STRING_EQUAL(hear(), "WATCHDOG=1");
	loop_once(loop, 60);
	CU_ASSERT_STRING_EQUAL(hear(), "WATCHDOG=1");
	notify_stopping(n);
	CU_ASSERT_STRING_EQUAL(hear(), "STOPPING=1");
	loop_once(loop, 60);
	CU_ASSERT_STRING_EQUAL(hear(), "");
	notify_free(n);
}

static void who_is_not_watched_sends_no_signs_of_life(void)
{
	static const char *const cases[][2] = {
		{ "0", NULL },   { "", NULL },  { "-1", NULL }, { "3000x", NULL }, { "99999999999999999999", NULL },
		{ "3000", "1" }, { "3000", "" }
	};
	listen_somewhere();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setenv("NOTIFY_SOCKET", address, 1);
		setenv("WATCHDOG_USEC", cases[i][0], 1);
		if (cases[i][1] != NULL)
			setenv("WATCHDOG_PID", cases[i][1], 1);
		struct notify *n = notify_new(loop);
		notify_ready(n);
		CU_ASSERT_STRING_EQUAL(hear(), "READY=1");
		loop_once(loop, 5);
		CU_ASSERT_STRING_EQUAL(hear(), "");
		notify_free(n);
	}
}

static void an_abstract_address_is_spoken_to(void)
{
	char name[60];
	snprintf(name, sizeof(name), "@xinbian-test-%d", (int)getpid());
	listen_at(name);
	struct notify *n = notify_new(loop);
	notify_ready(n);
	CU_ASSERT_STRING_EQUAL(hear(), "READY=1");
	notify_free(n);
}

static void no_child_inherits_the_manager(void)
{
	listen_somewhere();
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	struct notify *n = notify_new(loop);
	CU_ASSERT_PTR_NULL(getenv("NOTIFY_SOCKET"));
	CU_ASSERT_PTR_NULL(getenv("WATCHDOG_USEC"));
	CU_ASSERT_PTR_NULL(getenv("WATCHDOG_PID"));
	notify_free(n);
}

static void without_a_manager_nothing_happens(void)
{
	static const char *const names[] = {
		NULL, "", "@", "/", "relative", "vsock:2:1", "/there/is/no/such/socket"
	};
	char longest[200];
	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i <= sizeof(names) / sizeof(names[0]); i++) {
		const char *name = i < sizeof(names) / sizeof(names[0]) ? names[i] : longest;
		if (name != NULL)
			setenv("NOTIFY_SOCKET", name, 1);
		struct notify *n = notify_new(loop);
		notify_ready(n);
		notify_stopping(n);
		notify_free(n);
		CU_ASSERT_PTR_NULL(getenv("NOTIFY_SOCKET"));
	}
}

static CU_TestInfo tests[] = {
	{ "the manager hears that we serve and that we stop", the_manager_hears_ready_and_stopping },
	{ "the watchdog is fed by the loop alone", the_watchdog_is_fed_by_the_loop_alone },
	{ "who is not watched sends no signs of life", who_is_not_watched_sends_no_signs_of_life },
	{ "an abstract address is spoken to", an_abstract_address_is_spoken_to },
	{ "no child inherits the manager", no_child_inherits_the_manager },
	{ "without a manager nothing happens", without_a_manager_nothing_happens },
	CU_TEST_INFO_NULL,
};
SUITE(notify, setup, teardown, tests);
