#include "tests/support/killed.h"

#include "tests/test.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

bool killed_can(void)
{
#if defined(__x86_64__)
	return true;
#else
	test_skip("a way to count system calls on this processor");
	return false;
#endif
}

static bool is_write(long call)
{
	return call == SYS_pwrite64 || call == SYS_write || call == SYS_fdatasync || call == SYS_fsync ||
	       call == SYS_ftruncate || call == SYS_unlink || call == SYS_rename || call == SYS_msync ||
	       call == SYS_fallocate;
}

static long syscall_of(pid_t pid)
{
#if defined(__x86_64__)
	struct user_regs_struct regs;
	return ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0 ? (long)regs.orig_rax : -1;
#else
	(void)pid;
	return -1;
#endif
}

static void child_run(bool (*run)(void))
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	_exit(run() ? 0 : 1); /* the kernel closes what is open */
}

bool killed_at(unsigned n, bool (*run)(void))
{
	int status = 0;
	bool entering = true;
	pid_t pid = fork();
	if (pid == 0)
		child_run(run);
	waitpid(pid, &status, 0);
	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) != 0 || waitpid(pid, &status, 0) != pid)
			abort();
		if (WIFEXITED(status)) {
			CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
			return false;
		}
		if (entering && is_write(syscall_of(pid)) && n-- == 1)
			break;
		entering = !entering;
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return true;
}
