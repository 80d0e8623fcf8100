/*
 * Landlock comes first: it needs to open the paths, which seccomp then no longer allows everywhere. Its constants stand here, for
 * the C library's headers are older than the kernels we meet: rights unknown to a kernel are not asked of it.
 */
#include "protocol/base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FS_READ_FILE   (1ULL << 2)
#define FS_READ_DIR    (1ULL << 3)
#define FS_REMOVE_FILE (1ULL << 5)
#define FS_MAKE_SOCK   (1ULL << 9)
#define FS_ABI_1       ((1ULL << 13) - 1) /* execute … make symbolic links */
#define FS_REFER       (1ULL << 13)       /* ABI 2 */
#define FS_TRUNCATE    (1ULL << 14)       /* ABI 3 */
#define FS_IOCTL_DEV   (1ULL << 15)       /* ABI 5 */
#define NET_TCP        3ULL               /* bind and connect, ABI 4 */
#define SCOPE_ALL      3ULL               /* abstract Unix sockets and signals, ABI 6 */
#define CREATE_VERSION 1U
#define PATH_BENEATH   1

struct ruleset {
	uint64_t fs, net, scoped;
};

struct path_beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static bool path_allow(int rules, const char *path, uint64_t rights, bool must_be, struct err *e)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !must_be)
		return true;
	if (fd < 0)
		return err_set(e, errno == ENOENT ? ERR_MISSING : ERR_IO, "sandbox: %.120s: %s", path,
			       strerror(errno));
	struct stat st;
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rights &= FS_READ_FILE;
	struct path_beneath p = { .allowed = rights, .fd = fd };
	bool ok = syscall(SYS_landlock_add_rule, rules, PATH_BENEATH, &p, 0) == 0 ||
		  err_set(e, ERR_IO, "sandbox: %.120s: %s", path, strerror(errno));
	close(fd);
	return ok;
}

static int ruleset_new(enum sandbox_role role, long abi)
{
	struct ruleset r = { .fs = FS_ABI_1 };
	size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
	r.fs |= (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) | (abi >= 5 ? FS_IOCTL_DEV : 0);
	if (abi >= 4 && role == SANDBOX_SIGNER)
		r.net = NET_TCP;
	if (abi >= 6)
		r.scoped = SCOPE_ALL;
	return (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
}

/* *abi 0: this kernel has no Landlock. */
static bool landlock_enter(enum sandbox_role role, const char *const *read_write, size_t read_write_len,
			   const char *const *read_only, size_t read_only_len, long *abi, struct err *e)
{
	*abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	int rules = *abi > 0 ? ruleset_new(role, *abi) : -1;
	if (rules < 0) {
		*abi = 0;
		return true;
	}
	bool ok = true;
	for (size_t i = 0; ok && i < read_write_len; i++)
		ok = path_allow(rules, read_write[i], FS_MAKE_SOCK | FS_REMOVE_FILE, true, e);
	for (size_t i = 0; ok && i < read_only_len; i++)
		ok = path_allow(rules, read_only[i], FS_READ_FILE | FS_READ_DIR, false, e);
	if (ok && SANITIZED) /* looks itself up when it reports */
		ok = path_allow(rules, "/proc", FS_READ_FILE | FS_READ_DIR, false, e);
	if (ok && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
		*abi = 0;
	close(rules);
	return ok;
}

static const char *const common_calls[] = {
	"read",
	"write",
	"readv",
	"writev",
	"recvfrom",
	"sendto",
	"recvmsg",
	"sendmsg",
	"close",
	"fcntl",
	"fstat",
	"newfstatat",
	"lseek",
	"epoll_create1",
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"poll",
	"ppoll",
	"eventfd2",
	"timerfd_create",
	"timerfd_settime",
	"clock_gettime",
	"clock_nanosleep",
	"nanosleep",
	"gettimeofday",
	"time",
	"munmap",
	"mremap",
	"madvise",
	"brk",
	"getrandom",
	"futex",
	"getpid",
	"gettid",
	"getppid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"sigaltstack",
	"restart_syscall",
	"exit",
	"exit_group",
	NULL,
};
static const char *const gate_calls[] = {
	"connect",    "bind",       "listen",   "accept", "accept4", "getsockname", "getpeername",
	"getsockopt", "setsockopt", "shutdown", "open",   "openat",  "stat",        "statx",
	"unlink",     "unlinkat",   "uname",    "umask",  NULL,
};
static const char *const sanitizer_calls[] = {
	"mmap",
	"mprotect",
	"ptrace",
	"clone",
	"clone3",
	"wait4",
	"prctl",
	"arch_prctl",
	"openat",
	"open",
	"readlink",
	"readlinkat",
	"getdents",
	"getdents64",
	"sched_yield",
	"sched_getaffinity",
	"getrlimit",
	"setrlimit",
	"prlimit64",
	"rseq",
	"tgkill",
	"process_vm_readv",
	"access",
	"faccessat",
	"stat",
	"lstat",
	"uname",
	"sysinfo",
	"set_robust_list",
	"dup",
	"dup2",
	"pipe2",
	NULL,
};
/* Nothing here has a use for them, but whoever took it over would. The first two are the sanitizers' own. */
static const char *const kill_calls[] = {
	"ptrace",
	"process_vm_readv",
	"execve",
	"execveat",
	"process_vm_writev",
	"bpf",
	"mount",
	"init_module",
	"finit_module",
	"kexec_load",
	"kexec_file_load",
	"keyctl",
	"add_key",
	"userfaultfd",
	"perf_event_open",
	"pivot_root",
	"setns",
	"unshare",
	NULL,
};

/* Names this machine's architecture does not have are passed over. */
static int calls_add(scmp_filter_ctx filter, uint32_t action, const char *const *names)
{
	int ret = 0;
	for (; ret == 0 && *names != NULL; names++) {
		int number = seccomp_syscall_resolve_name(*names);
		if (number != __NR_SCMP_ERROR)
			ret = seccomp_rule_add(filter, action, number, 0);
		if (ret == -EDOM || ret == -EEXIST)
			ret = 0;
	}
	return ret;
}

/* The calls whose arguments decide: no memory is made executable, no signal goes to another process, no odd kind of socket. */
static int calls_add_bound(scmp_filter_ctx filter, enum sandbox_role role)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6 };
	int ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (ret == 0)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (ret == 0)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	for (size_t i = 0; ret == 0 && role == SANDBOX_GATE && i < sizeof(families) / sizeof(families[0]); i++)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0));
	return ret;
}

static bool seccomp_enter(enum sandbox_role role)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (filter == NULL)
		return false;
	int ret = calls_add(filter, SCMP_ACT_ALLOW, common_calls);
	if (ret == 0 && SANITIZED)
		ret = calls_add(filter, SCMP_ACT_ALLOW, sanitizer_calls);
	if (ret == 0 && role == SANDBOX_GATE)
		ret = calls_add(filter, SCMP_ACT_ALLOW, gate_calls);
	if (ret == 0)
		ret = calls_add_bound(filter, role);
	if (ret == 0)
		ret = calls_add(filter, SCMP_ACT_KILL_PROCESS, SANITIZED ? kill_calls + 2 : kill_calls);
	if (ret == 0)
		ret = seccomp_load(filter);
	seccomp_release(filter);
	return ret == 0;
}

bool sandbox_enter(enum sandbox_role role, const char *const *read_write, size_t read_write_len,
		   const char *const *read_only, size_t read_only_len, struct sandbox_report *how, struct err *e)
{
	long abi = 0;
	*how = (struct sandbox_report){ 0 };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set(e, ERR_IO, "sandbox: %s", strerror(errno));
	if (!landlock_enter(role, read_write, read_write_len, read_only, read_only_len, &abi, e))
		return false;
	how->landlock = abi > 0;
	how->seccomp = seccomp_enter(role);
	char landlock[40] = "no landlock in this kernel";
	if (abi > 0)
		snprintf(landlock, sizeof(landlock), "landlock abi %ld", abi);
	snprintf(how->text, sizeof(how->text), "%s, %s", landlock,
		 how->seccomp ? "seccomp" : "no seccomp in this kernel");
	return true;
}
