/*
 * A job waits (pid 0), runs, and is finished where its end is noticed: job_ended. Whatever is wrong with a child, it is killed.
 * What comes through its pipe: heads, each a progress or, once and last, a result, behind which stands its text or bytes until the pipe
 * closes. Both ends are this same program, so heads are plain structs.
 */
#include "protocol/base/worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORT_FD 3
#define INPUT_FD  4
#define ABOVE_FD  10 /* where descriptors are put before they go to their places */
#define WHAT_MAX  96
#define READ_MAX  1048576U /* in one turn */
#define NICENESS  10

enum { SAYS_PROGRESS = 1, SAYS_RESULT };

struct head {
	uint64_t says, a, b; /* progress: done, all. Result: an err_code, the length of what follows */
};

struct job {
	struct workers *pool;
	struct worker_job is;
	char what[WHAT_MAX];
	int input, pidfd, pipe; /* -1: none */
	pid_t pid;              /* 0: waits */
	struct loop_fd *ended, *said;
	struct loop_timer *limit;
	int64_t since_ms;
	struct head head;
	size_t head_got;
	bool has_result;
	struct buf out;
	uint64_t done, all;
	char why[120]; /* we killed it, because */
	struct job *next;
};

struct workers {
	struct loop *loop;
	struct workers_config config;
	struct job *first; /* in the order given */
	size_t running, waiting;
	struct loop_timer *turn;
	unsigned busy; /* inside done */
};

/* --- the child --- */

static int report_fd = -1;

static void all_write(int fd, const void *data, size_t len)
{
	for (const uint8_t *at = data; len > 0;) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno != EINTR)
			_exit(1);
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
}

void worker_progress(uint64_t done, uint64_t all)
{
	const struct head h = { SAYS_PROGRESS, done, all };
	if (report_fd >= 0)
		all_write(report_fd, &h, sizeof(h));
}

static _Noreturn void result_say(bool ok, const struct buf *out, const struct err *e)
{
	struct bytes said = ok ? buf_bytes(out) : bytes_of(e->text);
	enum err_code code = e->code == ERR_NONE ? ERR_IO : e->code; /* a failure that says nothing */
	const struct head h = { SAYS_RESULT, ok ? ERR_NONE : code, said.len };
	all_write(report_fd, &h, sizeof(h));
	all_write(report_fd, said.data, said.len);
	_exit(0);
}

/* Of the process as it is plus so much. */
static void memory_bound(size_t more, bool is_forked)
{
#if !defined(__SANITIZE_ADDRESS__)
	char text[64] = "";
	unsigned long long pages = 0;
	int fd = is_forked && more > 0 ? open("/proc/self/statm", O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
		pages = strtoull(text, NULL, 10);
	if (fd >= 0)
		close(fd);
	rlim_t most = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + more;
	if (more > 0)
		setrlimit(RLIMIT_AS, &(struct rlimit){ most, most });
#else
	(void)more, (void)is_forked;
#endif
}

static void signals_default(void)
{
	static const int ours[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD };
	sigset_t none;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		signal(ours[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What cannot be had of this is done without. */
static void yield_to_others(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (write(fd, "800", 3) < 0)
			errno = 0;
		close(fd);
	}
	errno = 0;
	if (nice(NICENESS) == -1)
		errno = 0;
}

/* The report's end and the input to their places, all else closed. */
static void descriptors_settle(int report, int input)
{
	int high = fcntl(report, F_DUPFD, ABOVE_FD);
	int high_input = input >= 0 ? fcntl(input, F_DUPFD, ABOVE_FD) : -1;
	if (high < 0 || dup2(high, REPORT_FD) < 0 || (input >= 0 && dup2(high_input, INPUT_FD) < 0) ||
	    close_range(input >= 0 ? INPUT_FD + 1 : REPORT_FD + 1, ~0U, 0) != 0)
		_exit(126);
}

static _Noreturn void child_run(struct job *j, int report, pid_t parent)
{
	const struct workers_config *c = &j->pool->config;
	struct err e = { 0 };
	struct buf out;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(126);
	signals_default();
	descriptors_settle(report, j->input);
	yield_to_others();
	memory_bound(j->is.memory_max, j->is.work != NULL);
	if (j->is.work == NULL) {
		char *argv[] = { program_invocation_short_name, (char *)(uintptr_t)j->is.role, NULL };
		execv("/proc/self/exe", argv);
		_exit(127);
	}
	report_fd = REPORT_FD;
	if (c->forget != NULL)
		c->forget(c->forget_arg);
	buf_init(&out, j->is.out_max);
	bool ok = j->is.work(j->is.arg, &out, &e) && buf_ok(&out, "what the worker found", &e);
	result_say(ok, &out, &e);
}

int worker_main(size_t out_max, bool (*work)(struct bytes input, struct buf *out, struct err *e))
{
	struct err e = { 0 };
	struct buf out;
	struct stat st;
	void *data = MAP_FAILED;
	signal(SIGPIPE, SIG_IGN);
	report_fd = REPORT_FD;
	buf_init(&out, out_max);
	bool ok = fstat(INPUT_FD, &st) == 0 && st.st_size > 0;
	if (ok)
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, INPUT_FD, 0);
	if (data == MAP_FAILED)
		ok = err_set(&e, ERR_IO, "the worker has no input");
	ok = ok && work((struct bytes){ data, (size_t)st.st_size }, &out, &e) &&
	     buf_ok(&out, "what the worker found", &e);
	result_say(ok, &out, &e);
}

/* --- the parent --- */

static void job_kill(struct job *j, const char *why)
{
	if (j->why[0] != '\0')
		return;
	snprintf(j->why, sizeof(j->why), "%s", why);
	kill(j->pid, SIGKILL);
}

static void job_free(struct job *j)
{
	loop_fd_free(j->ended);
	loop_fd_free(j->said);
	loop_timer_free(j->limit);
	if (j->pidfd >= 0)
		close(j->pidfd);
	if (j->pipe >= 0)
		close(j->pipe);
	if (j->input >= 0)
		close(j->input);
	buf_wipe(&j->out);
	free(j);
}

static void job_unlink(struct workers *w, struct job *j)
{
	struct job **at = &w->first;
	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	*(j->pid != 0 ? &w->running : &w->waiting) -= 1;
}

/* Out of the pool, told, and gone. */
static void job_finish(struct workers *w, struct job *j, const struct err *why)
{
	job_unlink(w, j);
	w->busy++;
	j->is.done(j->is.arg, why == NULL ? buf_bytes(&j->out) : (struct bytes){ NULL, 0 }, why);
	w->busy--;
	job_free(j);
	if (w->waiting > 0)
		loop_timer_set(w->turn, 0);
}

/* A whole head, or part of what follows a result's. */
static bool piece_take(struct job *j, const uint8_t *data, size_t len)
{
	while (len > 0 && !j->has_result) {
		size_t n = sizeof(j->head) - j->head_got;
		n = n < len ? n : len;
		memcpy((uint8_t *)&j->head + j->head_got, data, n);
		j->head_got += n;
		data += n;
		len -= n;
		if (j->head_got < sizeof(j->head))
			return true;
		j->head_got = 0;
		if (j->head.says == SAYS_PROGRESS) {
			j->done = j->head.a;
			j->all = j->head.b;
		} else if (j->head.says == SAYS_RESULT) {
			j->has_result = true;
		} else {
			return false;
		}
	}
	return len == 0 || buf_add(&j->out, data, len);
}

/* True when there may be more at once. */
static bool pipe_read(struct job *j)
{
	uint8_t piece[65536];
	ssize_t n = read(j->pipe, piece, sizeof(piece));
	if (n < 0)
		return errno == EINTR;
	if (n == 0) {
		loop_fd_free(j->said);
		j->said = NULL;
		return false;
	}
	if (piece_take(j, piece, (size_t)n))
		return true;
	job_kill(j, "said more than it may, or what nobody understands");
	return false;
}

static void job_said(void *arg, unsigned what)
{
	struct job *j = arg;
	(void)what;
	for (size_t turns = READ_MAX / 65536; turns > 0 && j->why[0] == '\0' && pipe_read(j); turns--)
		;
}

static void end_judge(const struct job *j, int status, struct err *why)
{
	int signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	if (j->why[0] != '\0')
		err_set(why, ERR_IO, "%s: the worker %s", j->what, j->why);
	else if (signo == SIGKILL)
		err_set(why, ERR_IO,
			"%s: the worker was killed (signal 9), by somebody or by the system for want of memory: do "
			"it "
			"again",
			j->what);
	else if (signo == SIGABRT)
		err_set(why, ERR_IO, "%s: the worker ran out of memory, or met a fault of the program (signal 6)",
			j->what);
	else if (signo != 0)
		err_set(why, ERR_IO, "%s: the worker was ended by signal %d (%s): do it again", j->what, signo,
			strsignal(signo));
	else if (WEXITSTATUS(status) != 0 || !j->has_result || j->out.len != j->head.b)
		err_set(why, ERR_IO, "%s: the worker came to no end (status %d): do it again", j->what,
			WEXITSTATUS(status));
	else if (j->head.a != ERR_NONE)
		err_set(why, j->head.a <= ERR_IO ? (enum err_code)j->head.a : ERR_IO, "%.*s", (int)j->out.len,
			(const char *)j->out.data);
}

static void job_ended(void *arg, unsigned what)
{
	struct job *j = arg;
	struct err why = { 0 };
	int status = 0;
	(void)what;
	pid_t got = waitpid(j->pid, &status, WNOHANG);
	if (got == 0 || (got < 0 && errno == EINTR))
		return;                                              /* the descriptor stays readable */
	while (j->why[0] == '\0' && j->said != NULL && pipe_read(j)) /* its last words */
		;
	end_judge(j, status, &why);
	job_finish(j->pool, j, why.code != ERR_NONE ? &why : NULL);
}

static void job_late(void *arg)
{
	struct job *j = arg;
	char why[80];
	snprintf(why, sizeof(why), "was stopped: it took longer than %lld s", (long long)(j->is.limit_ms / 1000));
	job_kill(j, why);
}

static bool job_fork(struct job *j, struct err *e)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(e, ERR_IO, "%s: no worker could be started: %s", j->what, strerror(errno));
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		child_run(j, ends[1], parent);
	int error = errno;
	close(ends[1]);
	int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	if (pidfd < 0) {
		error = pid > 0 ? errno : error;
		close(ends[0]);
		if (pid > 0) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		return err_set(e, ERR_IO, "%s: no worker could be started: %s", j->what, strerror(error));
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	j->pid = pid;
	j->pidfd = pidfd;
	j->pipe = ends[0];
	return true;
}

static bool job_start(struct job *j, struct err *e)
{
	struct workers *w = j->pool;
	if (!job_fork(j, e))
		return false;
	w->waiting--;
	w->running++;
	j->since_ms = loop_now_ms();
	j->ended = loop_fd_new(w->loop, j->pidfd, LOOP_READ, job_ended, j);
	j->said = loop_fd_new(w->loop, j->pipe, LOOP_READ, job_said, j);
	j->limit = loop_timer_new(w->loop, job_late, j);
	loop_timer_set(j->limit, j->is.limit_ms);
	return true;
}

static struct job *next_waiting(struct workers *w)
{
	struct job *j = w->first;
	while (j != NULL && j->pid != 0)
		j = j->next;
	return j;
}

static void workers_turn(void *arg)
{
	struct workers *w = arg;
	struct err e = { 0 };
	for (struct job *j; w->running < w->config.running_max && (j = next_waiting(w)) != NULL;)
		if (!job_start(j, &e))
			job_finish(w, j, &e);
}

struct workers *workers_new(struct loop *l, const struct workers_config *c)
{
	struct workers *w = calloc(1, sizeof(*w));
	if (w == NULL)
		abort();
	w->loop = l;
	w->config = *c;
	w->turn = loop_timer_new(l, workers_turn, w);
	return w;
}

void workers_free(struct workers *w)
{
	if (w == NULL)
		return;
	assert(w->busy == 0);
	for (struct job *j = w->first; j != NULL; j = j->next)
		if (j->pid != 0)
			kill(j->pid, SIGKILL);
	while (w->first != NULL) {
		struct job *j = w->first;
		struct err why = { 0 };
		while (j->pid != 0 && waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
			;
		err_set(&why, ERR_STALE, "%s: the program is ending and has stopped it: do it again", j->what);
		job_finish(w, j, &why);
	}
	loop_timer_free(w->turn);
	free(w);
}

static bool input_store(struct job *j, struct bytes data, struct err *e)
{
	j->input = memfd_create("input", MFD_CLOEXEC);
	bool ok = j->input >= 0;
	while (ok && data.len > 0) {
		ssize_t n = write(j->input, data.data, data.len);
		ok = n > 0 || (n < 0 && errno == EINTR);
		data.data += n > 0 ? n : 0;
		data.len -= n > 0 ? (size_t)n : 0;
	}
	return ok || err_set(e, ERR_IO, "%s: its input cannot be kept: %s", j->what, strerror(errno));
}

bool workers_start(struct workers *w, const struct worker_job *job, struct err *e)
{
	assert((job->work != NULL) != (job->role != NULL));
	if (w == NULL)
		return err_set(e, ERR_STALE, "%.96s: the program is ending: do it again", job->what);
	if (w->waiting + w->running >= w->config.running_max + w->config.waiting_max)
		return err_set(e, ERR_FULL, "%.96s: %zu like it are at work or wait already: try again in a while",
			       job->what, w->waiting + w->running);
	struct job *j = calloc(1, sizeof(*j)), **at = &w->first;
	if (j == NULL)
		abort();
	*j = (struct job){ .pool = w, .is = *job, .input = -1, .pidfd = -1, .pipe = -1, .since_ms = loop_now_ms() };
	snprintf(j->what, sizeof(j->what), "%s", job->what);
	buf_init(&j->out, job->out_max > sizeof(struct err) ? job->out_max : sizeof(struct err));
	while (*at != NULL)
		at = &(*at)->next;
	*at = j;
	w->waiting++;
	bool ok = job->role == NULL || input_store(j, job->input, e);
	if (ok && w->running < w->config.running_max)
		ok = job_start(j, e);
	if (!ok) {
		job_unlink(w, j);
		job_free(j);
	}
	return ok;
}

void workers_each(const struct workers *w, void (*each)(void *arg, const struct worker_view *v), void *arg)
{
	for (const struct job *j = w != NULL ? w->first : NULL; j != NULL; j = j->next)
		each(arg,
		     &(struct worker_view){ j->what, (int)j->pid, loop_now_ms() - j->since_ms, j->done, j->all });
}

bool workers_are_idle(const struct workers *w)
{
	return w->first == NULL;
}
