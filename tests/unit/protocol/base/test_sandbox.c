#include "protocol/base/sandbox.h"
#include "tests/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *dir, *other_dir;
static struct sandbox_report report;

static void setup(void)
{
	dir = test_dir();
	other_dir = test_dir();
}

static int nothing(void)
{
	return 0;
}

static int bind_in(const char *where)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/socket", where);
	unlink(un.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof(un)) != 0)
		return errno;
	return listen(fd, 1) == 0 ? 0 : errno;
}

static int bind_in_run_dir_twice(void)
{
	return bind_in(dir) != 0 ? errno : bind_in(dir);
}

static int bind_elsewhere(void)
{
	return bind_in(other_dir);
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags, 0600);
	return fd >= 0 ? 0 : errno;
}

static int read_etc(void)
{
	return open_file("/etc/passwd", O_RDONLY);
}

static int read_usr(void)
{
	return open_file("/usr/bin/env", O_RDONLY);
}

static int write_run_dir(void)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/file", dir);
	return open_file(path, O_WRONLY | O_CREAT);
}

static int tcp_socket(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		return errno;
	return bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0 && listen(fd, 1) == 0 ? 0 : errno;
}

static int netlink_socket(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0) >= 0 ? 0 : errno;
}

static int abstract_bind(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	memcpy(un.sun_path, "\0xb-test/sandbox", 16);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0)
		return errno;
	return bind(fd, (struct sockaddr *)&un, sizeof(sa_family_t) + 16) == 0 ? 0 : errno;
}

static int kill_parent(void)
{
	return kill(getppid(), 0) == 0 ? 0 : errno;
}

static int run_program(void)
{
	execl("/bin/true", "true", NULL);
	return errno;
}

static int make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p != MAP_FAILED ? 0 : errno;
}

static int use_memory(void)
{
	char *p = malloc(8 << 20);
	if (p == NULL)
		return errno;
	memset(p, 1, 8 << 20);
	int ok = p[12345] == 1 ? 0 : 1;
	free(p);
	return ok;
}

/* A process of its own enters and tries; returns its wait status. It leaves by exit, as the daemons' children do. */
static int try(enum sandbox_role role, int (*act)(void))
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		static const char *const read_only[] = { "/etc", "/nonexistent" };
		struct err e;
		bool gate = role == SANDBOX_GATE;
		if (!sandbox_enter(role, &dir, gate ? 1 : 0, read_only, gate ? 2 : 0, &report, &e))
			_exit(200);
		if (!report.landlock || !report.seccomp)
			_exit(201);
		exit(act());
	}
	int status = -1;
	waitpid(pid, &status, 0);
	return status;
}

static bool kernel_has_both(void)
{
	int status = try(SANDBOX_GATE, nothing);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 201) {
		test_skip("Landlock or seccomp");
		return false;
	}
	CU_ASSERT_EQUAL(status, 0);
	return true;
}

static void check_exit(enum sandbox_role role, int (*act)(void), int want)
{
	int status = try(role, act);
	CU_ASSERT_TRUE(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), want);
}

static void check_killed(enum sandbox_role role, int (*act)(void))
{
	int status = try(role, act);
	CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void gate_keeps_its_sockets_and_settings(void)
{
	if (!kernel_has_both())
		return;
	check_exit(SANDBOX_GATE, bind_in_run_dir_twice, 0);
	check_exit(SANDBOX_GATE, tcp_socket, 0);
	check_exit(SANDBOX_GATE, abstract_bind, 0);
	check_exit(SANDBOX_GATE, read_etc, 0);
	check_exit(SANDBOX_GATE, use_memory, 0);
}

static void gate_reaches_nothing_else(void)
{
	if (!kernel_has_both())
		return;
	check_exit(SANDBOX_GATE, bind_elsewhere, EACCES);
	check_exit(SANDBOX_GATE, read_usr, EACCES);
	check_exit(SANDBOX_GATE, write_run_dir, EACCES);
	check_exit(SANDBOX_GATE, netlink_socket, EPERM);
	check_exit(SANDBOX_GATE, kill_parent, EPERM);
}

static void the_signer_has_no_sockets_and_no_files(void)
{
	if (!kernel_has_both())
		return;
	check_exit(SANDBOX_SIGNER, use_memory, 0);
	check_exit(SANDBOX_SIGNER, tcp_socket, EPERM);
	check_exit(SANDBOX_SIGNER, abstract_bind, EPERM);
	CU_ASSERT_NOT_EQUAL(try(SANDBOX_SIGNER, read_etc), 0);
	CU_ASSERT_NOT_EQUAL(try(SANDBOX_SIGNER, write_run_dir), 0);
}

static void running_a_program_kills(void)
{
	if (!kernel_has_both())
		return;
	check_killed(SANDBOX_GATE, run_program);
	check_killed(SANDBOX_SIGNER, run_program);
}

static void no_memory_turns_into_code(void)
{
#ifdef __SANITIZE_ADDRESS__
	test_skip("a build without a sanitizer");
	(void)make_code;
#else
	if (!kernel_has_both())
		return;
	check_exit(SANDBOX_GATE, make_code, EPERM);
	check_exit(SANDBOX_SIGNER, make_code, EPERM);
#endif
}

static void a_missing_run_dir_is_an_error(void)
{
	struct sandbox_report how;
	struct err e = { 0 };
	const char *nowhere = "/nonexistent/run";
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(sandbox_enter(SANDBOX_GATE, &nowhere, 1, NULL, 0, &how, &e) ? 0
		      : e.code == ERR_MISSING                                     ? 1
										  : 2);
	int status = -1;
	waitpid(pid, &status, 0);
	if (kernel_has_both())
		CU_ASSERT_EQUAL(WEXITSTATUS(status), 1);
}

static CU_TestInfo tests[] = {
	{ "gate keeps its sockets and settings", gate_keeps_its_sockets_and_settings },
	{ "gate reaches nothing else", gate_reaches_nothing_else },
	{ "the signer has no sockets and no files", the_signer_has_no_sockets_and_no_files },
	{ "running a program kills", running_a_program_kills },
	{ "no memory turns into code", no_memory_turns_into_code },
	{ "a missing run directory is an error", a_missing_run_dir_is_an_error },
	CU_TEST_INFO_NULL,
};
SUITE(sandbox, setup, NULL, tests);
