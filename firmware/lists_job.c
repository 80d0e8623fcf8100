#include "firmware/lists_state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define REAP_MS 20

/* The child holds memory alone: a connection that the parent closes must not live on in it. */
static void child_leave_all(int keep)
{
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	if (keep > 3)
		close_range(3, (unsigned)keep - 1, 0);
	close_range((unsigned)keep + 1, ~0U, 0);
	if (nice(10) == -1)
		return; /* then it runs as fast as we do */
}

static void child_run(struct lists *l, void (*work)(struct lists *l, struct lists_result *r), int fd, pid_t parent)
{
	struct lists_result r;
	memset(&r, 0, sizeof(r)); /* padding too: it is written as bytes */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	child_leave_all(fd);
	work(l, &r);
	const uint8_t *at = (const uint8_t *)&r;
	for (size_t left = sizeof(r); left > 0;) {
		ssize_t n = write(fd, at, left);
		if (n < 0 && errno != EINTR)
			_exit(1);
		if (n > 0) {
			at += n;
			left -= (size_t)n;
		}
	}
	_exit(0);
}

static void job_wait(struct lists *l)
{
	while (l->job.leaving != 0 && waitpid(l->job.leaving, NULL, 0) < 0 && errno == EINTR)
		continue;
	l->job.leaving = 0;
}

static void job_reap(void *arg)
{
	struct lists *l = arg;
	if (l->job.leaving != 0 && waitpid(l->job.leaving, NULL, WNOHANG) == 0)
		loop_timer_set(l->job.reap, REAP_MS);
	else
		l->job.leaving = 0;
}

/* Not running any more; the process may still be there. */
static void job_clear(struct lists *l)
{
	struct lists_job *j = &l->job;
	loop_fd_free(j->ready);
	close(j->fd);
	job_wait(l);
	j->leaving = j->pid;
	j->pid = 0;
	if (j->reap == NULL)
		j->reap = loop_timer_new(l->loop, job_reap, l);
	loop_timer_set(j->reap, REAP_MS);
}

static void job_ready(void *arg, unsigned what)
{
	(void)what;
	struct lists *l = arg;
	struct lists_job *j = &l->job;
	ssize_t n = read(j->fd, (uint8_t *)&j->result + j->got, sizeof(j->result) - j->got);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0)
		j->got += (size_t)n;
	if (n > 0 && j->got < sizeof(j->result))
		return;
	job_clear(l);
	if (j->got < sizeof(j->result)) {
		memset(&j->result, 0, sizeof(j->result));
		err_set(&j->result.err, ERR_IO, "lists: the child at work came to no end");
	}
	struct lists_result result = j->result;
	j->done(l, &result);
}

static void job_fail(struct lists *l, const char *what, void (*done)(struct lists *l, const struct lists_result *r))
{
	struct lists_result r = { 0 };
	err_set(&r.err, ERR_IO, "lists: %s: %s", what, strerror(errno));
	done(l, &r);
}

void lists_job_start(struct lists *l, void (*work)(struct lists *l, struct lists_result *r),
		     void (*done)(struct lists *l, const struct lists_result *r))
{
	int ends[2];
	pid_t parent = getpid();
	if (pipe2(ends, O_CLOEXEC) != 0) {
		job_fail(l, "pipe", done);
		return;
	}
	pid_t pid = fork();
	if (pid == 0)
		child_run(l, work, ends[1], parent);
	if (pid < 0) {
		job_fail(l, "fork", done);
		close(ends[0]);
		close(ends[1]);
		return;
	}
	close(ends[1]);
	struct lists_job *j = &l->job;
	j->pid = pid;
	j->fd = ends[0];
	j->done = done;
	j->got = 0;
	j->ready = loop_fd_new(l->loop, ends[0], LOOP_READ, job_ready, l);
}

bool lists_job_is_running(const struct lists *l)
{
	return l->job.pid != 0;
}

void lists_job_kill(struct lists *l)
{
	if (l->job.pid != 0) {
		kill(l->job.pid, SIGKILL);
		job_clear(l);
	}
	job_wait(l);
	loop_timer_free(l->job.reap);
	l->job.reap = NULL;
}
