/*
 * One child at a time: DOWN (waiting for `again`) → RUNNING (pid, pidfd and pipe are set) → on exit, reaped, DOWN again.
 * Whatever is wrong with a child, it is killed, and everything else happens where its end is noticed: proc_reap.
 *
 * A ping goes out every ping_ms. `asked_ms` is when the oldest unanswered one went, 0 when none is. A parent that itself slept
 * through a tick judges nobody in that turn: the answer may be on its way.
 */
#include "protocol/base/proc.h"

#include "protocol/base/frame.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PING_MS        2000
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 30000
#define HEALTHY_MS     60000 /* after that long the back-off starts from its least again */
#define STOP_GRACE_MS  1000
#define FRAME_PING     0
#define FRAME_PONG     1
#define FRAME_FIRST    16

struct proc {
	struct loop *loop;
	char role[32];
	struct proc_options options;
	struct proc_events on;
	void *arg;

	pid_t pid; /* 0 while down */
	int pidfd;
	struct loop_fd *ended; /* pidfd turns readable */
	struct frame_pipe *pipe;
	char why[240]; /* we killed it, because */
	bool at_once;  /* the next start waits for no back-off */

	struct loop_timer *again, *tick;
	int64_t started_ms, asked_ms, ticked_ms;
	int backoff_ms;
	uint64_t starts;
	unsigned busy; /* callbacks running */
	bool dead;     /* freed inside one */
};

static void proc_kill(struct proc *p, const char *why)
{
	if (p->pid == 0 || p->why[0] != 0)
		return;
	snprintf(p->why, sizeof(p->why), "%s", why);
	kill(p->pid, SIGKILL);
}

static void proc_leave(struct proc *p)
{
	if (--p->busy == 0 && p->dead)
		free(p);
}

static void proc_frame(void *arg, uint8_t type, struct bytes payload)
{
	struct proc *p = arg;
	if (type == FRAME_PONG) {
		p->asked_ms = 0;
		return;
	}
	if (type < FRAME_FIRST) {
		proc_kill(p, "sent a frame of a type that is not its own");
		return;
	}
	p->busy++;
	if (p->on.frame != NULL && p->why[0] == 0)
		p->on.frame(p->arg, type, payload);
	proc_leave(p);
}

static void proc_broken(void *arg, const struct err *why)
{
	struct proc *p = arg;
	char text[260];
	if (why->code == ERR_MISSING)
		snprintf(text, sizeof(text), "closed its channel");
	else
		snprintf(text, sizeof(text), "sent what is no frame: %s", why->text);
	proc_kill(p, text);
}

/* Between fork and exec: system calls only. */
static _Noreturn void child_exec(const struct proc *p, int fd, pid_t parent)
{
	const char *exe = p->options.exe != NULL ? p->options.exe : "/proc/self/exe";
	char *argv[] = { program_invocation_short_name, (char *)(uintptr_t)p->role, NULL };
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(126);
	if (fd == CHANNEL_FD)
		fcntl(fd, F_SETFD, 0);
	else if (dup2(fd, CHANNEL_FD) < 0)
		_exit(126);
	if (close_range(CHANNEL_FD + 1, ~0U, 0) != 0)
		_exit(126);
	execv(exe, argv);
	_exit(127);
}

static void proc_ended(void *arg, unsigned what);

/* Forks; on failure nothing is left behind. */
static bool proc_fork(struct proc *p, struct err *e)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(e, ERR_IO, "could not be started: %s", strerror(errno));
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		child_exec(p, pair[1], parent);
	int error = errno;
	close(pair[1]);
	int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	if (pidfd < 0) {
		error = pid > 0 ? errno : error;
		close(pair[0]);
		if (pid > 0) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		return err_set(e, ERR_IO, "could not be started: %s", strerror(error));
	}
	p->pid = pid;
	p->pidfd = pidfd;
	p->pipe = frame_pipe_new(p->loop, pair[0], &(struct frame_events){ proc_frame, proc_broken }, p);
	p->ended = loop_fd_new(p->loop, pidfd, LOOP_READ, proc_ended, p);
	return true;
}

/* The caller holds busy. */
static void proc_down(struct proc *p, const char *why)
{
	if (p->started_ms != 0 && loop_now_ms() - p->started_ms >= HEALTHY_MS)
		p->backoff_ms = 0;
	p->started_ms = 0;
	if (p->at_once) {
		loop_timer_set(p->again, 0);
	} else {
		int next = p->backoff_ms == 0 ? p->options.backoff_min_ms : 2 * p->backoff_ms;
		p->backoff_ms = next < p->options.backoff_max_ms ? next : p->options.backoff_max_ms;
		loop_timer_set(p->again, p->backoff_ms);
	}
	p->at_once = false;
	if (p->on.stopped != NULL)
		p->on.stopped(p->arg, why);
}

static void proc_run(void *arg)
{
	struct proc *p = arg;
	struct err e;
	p->why[0] = 0;
	p->starts++;
	p->busy++;
	if (proc_fork(p, &e)) {
		p->started_ms = p->ticked_ms = loop_now_ms();
		p->asked_ms = 0;
		loop_timer_set(p->tick, p->options.ping_ms);
		if (p->on.started != NULL)
			p->on.started(p->arg);
	} else {
		proc_down(p, e.text);
	}
	proc_leave(p);
}

/* Drops what belonged to the child that is gone. */
static void proc_forget(struct proc *p)
{
	loop_fd_free(p->ended);
	p->ended = NULL;
	frame_pipe_free(p->pipe);
	p->pipe = NULL;
	close(p->pidfd);
	p->pidfd = -1;
	p->pid = 0;
	loop_timer_stop(p->tick);
}

static void proc_reap(struct proc *p)
{
	int status = 0;
	pid_t got = waitpid(p->pid, &status, WNOHANG);
	if (got == 0 || (got < 0 && errno == EINTR))
		return; /* the descriptor stays readable */
	p->busy++;
	frame_pipe_poll(p->pipe); /* its last words */
	if (!p->dead) {
		char why[240];
		if (WIFEXITED(status))
			snprintf(why, sizeof(why), "exited with status %d", WEXITSTATUS(status));
		else if (p->why[0] == 0 || WTERMSIG(status) != SIGKILL)
			snprintf(why, sizeof(why), "was ended by signal %d (%s)", WTERMSIG(status),
				 strsignal(WTERMSIG(status)));
		else
			snprintf(why, sizeof(why), "%s", p->why);
		proc_forget(p);
		proc_down(p, why);
	}
	proc_leave(p);
}

static void proc_ended(void *arg, unsigned what)
{
	(void)what;
	proc_reap(arg);
}

static void proc_tick(void *arg)
{
	struct proc *p = arg;
	int64_t now = loop_now_ms();
	bool slept = now - p->ticked_ms > 2 * (int64_t)p->options.ping_ms;
	p->ticked_ms = now;
	loop_timer_set(p->tick, p->options.ping_ms);
	if (p->asked_ms == 0) {
		p->asked_ms = now;
	} else if (!slept && now - p->asked_ms >= p->options.hang_ms) {
		char why[80];
		snprintf(why, sizeof(why), "did not answer for %lld ms", (long long)(now - p->asked_ms));
		proc_kill(p, why);
	}
	frame_pipe_send(p->pipe, FRAME_PING, (struct bytes){ 0 });
}

struct proc *proc_start_with(struct loop *l, const char *role, const struct proc_options *options,
			     const struct proc_events *on, void *arg)
{
	struct proc *p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	assert(strlen(role) < sizeof(p->role));
	*p = (struct proc){ .loop = l, .on = *on, .arg = arg, .pidfd = -1 };
	snprintf(p->role, sizeof(p->role), "%s", role);
	if (options != NULL)
		p->options = *options;
	struct proc_options *o = &p->options;
	o->ping_ms = o->ping_ms != 0 ? o->ping_ms : PING_MS;
	o->hang_ms = o->hang_ms != 0 ? o->hang_ms : PROC_HANG_MS;
	o->backoff_min_ms = o->backoff_min_ms != 0 ? o->backoff_min_ms : BACKOFF_MIN_MS;
	o->backoff_max_ms = o->backoff_max_ms != 0 ? o->backoff_max_ms : BACKOFF_MAX_MS;
	p->tick = loop_timer_new(l, proc_tick, p);
	p->again = loop_timer_new(l, proc_run, p);
	loop_timer_set(p->again, 0);
	return p;
}

struct proc *proc_start(struct loop *l, const char *role, const struct proc_events *on, void *arg)
{
	return proc_start_with(l, role, NULL, on, arg);
}

bool proc_send(struct proc *p, uint8_t type, struct bytes payload)
{
	assert(type >= FRAME_FIRST);
	return p->pid != 0 && p->why[0] == 0 && frame_pipe_send(p->pipe, type, payload);
}

void proc_restart(struct proc *p)
{
	if (p->pid == 0) {
		loop_timer_set(p->again, 0);
		return;
	}
	p->at_once = true;
	proc_kill(p, "is started afresh");
}

int proc_pid(const struct proc *p)
{
	return (int)p->pid;
}

uint64_t proc_restarts(const struct proc *p)
{
	return p->starts > 0 ? p->starts - 1 : 0;
}

void proc_stop(struct proc *p)
{
	if (p == NULL)
		return;
	if (p->pid != 0) {
		struct pollfd wait = { .fd = p->pidfd, .events = POLLIN };
		kill(p->pid, SIGTERM);
		if (poll(&wait, 1, STOP_GRACE_MS) <= 0)
			kill(p->pid, SIGKILL);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
		proc_forget(p);
	}
	loop_timer_free(p->again);
	loop_timer_free(p->tick);
	p->dead = true;
	if (p->busy == 0)
		free(p);
}

struct channel {
	struct frame_pipe *pipe;
	void (*frame)(void *arg, uint8_t type, struct bytes payload);
	void *arg;
};

static void channel_frame(void *arg, uint8_t type, struct bytes payload)
{
	struct channel *c = arg;
	if (type == FRAME_PING)
		frame_pipe_send(c->pipe, FRAME_PONG, (struct bytes){ 0 });
	else
		c->frame(c->arg, type, payload);
}

static void channel_broken(void *arg, const struct err *why)
{
	(void)arg;
	exit(why->code == ERR_INPUT ? 1 : 0);
}

struct channel *channel_open(struct loop *l, int fd, void (*frame)(void *arg, uint8_t type, struct bytes payload),
			     void *arg)
{
	struct channel *c = calloc(1, sizeof(*c));
	if (c == NULL)
		abort();
	c->frame = frame;
	c->arg = arg;
	c->pipe = frame_pipe_new(l, fd, &(struct frame_events){ channel_frame, channel_broken }, c);
	return c;
}

bool channel_send(struct channel *c, uint8_t type, struct bytes payload)
{
	assert(type >= FRAME_FIRST);
	return frame_pipe_send(c->pipe, type, payload);
}

void channel_close(struct channel *c)
{
	if (c == NULL)
		return;
	frame_pipe_free(c->pipe);
	free(c);
}
