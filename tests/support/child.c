#include "tests/support/child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SILENT_MS 60000

void sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
	nanosleep(&t, NULL);
}

static void child_exec(const char *const *argv)
{
	const char *bin = getenv("XINBIAN_BIN");
	char path[512], **args = NULL;
	memcpy(&args, &argv, sizeof(args)); /* exec takes char *const[] and changes nothing */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	if (bin != NULL && strchr(argv[0], '/') == NULL) {
		snprintf(path, sizeof(path), "%s/%s", bin, argv[0]);
		execv(path, args);
	}
	execvp(argv[0], args);
	if (strcmp(argv[0], "mosquitto") == 0)
		execv("/usr/sbin/mosquitto", args);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

pid_t child_start(const char *const *argv, const char *log_path)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600),
	    none = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (log < 0 || none < 0)
		_exit(126);
	dup2(none, 0);
	dup2(log, 1);
	dup2(log, 2);
	child_exec(argv);
	return -1;
}

int child_stop(pid_t pid, int signo)
{
	int status = 0;
	if (pid <= 0 || kill(pid, signo) != 0)
		return -1;
	for (int i = 0; i < 1000; i++) {
		pid_t got = waitpid(pid, &status, WNOHANG);
		if (got == pid)
			return status;
		if (got < 0)
			return -1;
		sleep_ms(10);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return status;
}

bool child_is_running(pid_t pid)
{
	return pid > 0 && waitpid(pid, NULL, WNOHANG) == 0;
}

static void read_all(int fd, pid_t pid, int silent_ms, struct buf *out)
{
	char some[4096];
	for (int waited_ms = 0; waited_ms < silent_ms;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int n = poll(&p, 1, 100);
		if (n == 0)
			waited_ms += 100;
		if (n <= 0)
			continue;
		ssize_t got = read(fd, some, sizeof(some));
		if (got <= 0)
			return;
		buf_add(out, some, (size_t)got);
	}
	kill(pid, SIGKILL);
}

int child_run(const char *const *argv, struct buf *out)
{
	return child_run_for(argv, out, SILENT_MS);
}

int child_run_for(const char *const *argv, struct buf *out, int silent_ms)
{
	int fds[2], status = 0;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		child_exec(argv);
	}
	close(fds[1]);
	read_all(fds[0], pid, silent_ms, out);
	close(fds[0]);
	waitpid(pid, &status, 0);
	buf_str(out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int child_run_words(struct buf *out, const char *fmt, ...)
{
	char line[4096], *rest = NULL;
	const char *argv[64];
	size_t n = 0;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (char *word = strtok_r(line, " ", &rest); word != NULL && n < 63; word = strtok_r(NULL, " ", &rest))
		argv[n++] = word;
	argv[n] = NULL;
	return child_run(argv, out);
}

int free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		abort();
	close(fd);
	return ntohs(a.sin_port);
}

bool wait_until(bool (*holds)(void *arg), void *arg, int timeout_ms)
{
	for (int waited = 0; waited <= timeout_ms; waited += 20) {
		if (holds(arg))
			return true;
		sleep_ms(20);
	}
	return false;
}
