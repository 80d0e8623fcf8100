/*
 * Children of a daemon, supervised. A child is this same program run again with a role ("branchd gate"), every other
 * descriptor closed, talking to its parent in bounded frames over a socket pair. A child that dies, breaks the framing or
 * does not answer a ping within PROC_HANG_MS is killed and started again, after a back-off that doubles from 100 ms to 30 s
 * and resets after a minute of health. The parent never waits for a child.
 * Frames are those of frame.h; types 0 and 1 are ping and pong, those below 16 are ours.
 */
#ifndef PROTOCOL_BASE_PROC_H
#define PROTOCOL_BASE_PROC_H

#include "protocol/base/buf.h"
#include "protocol/base/loop.h"

#define PROC_HANG_MS 10000

struct proc;
struct channel;

struct proc_events {
	void (*started)(void *arg); /* send the child its configuration here; called after every start */
	void (*frame)(void *arg, uint8_t type, struct bytes payload);
	void (*stopped)(void *arg, const char *why); /* it will be started again by itself */
};

/* role is argv[1] of the child. It is started in the loop's next turn, so never before this has returned. Any callback may
   stop or restart the proc. */
struct proc *proc_start(struct loop *l, const char *role, const struct proc_events *on, void *arg);

/* What a test wants otherwise; 0 and NULL: as above. */
struct proc_options {
	const char *exe; /* NULL: this program; outlives the proc */
	int ping_ms, hang_ms;
	int backoff_min_ms, backoff_max_ms;
};
struct proc *proc_start_with(struct loop *l, const char *role, const struct proc_options *options,
			     const struct proc_events *on, void *arg);
/* Queues a frame; false when the child is down or its queue holds more than 4 MiB. type ≥ 16. */
bool proc_send(struct proc *p, uint8_t type, struct bytes payload);
/* Kills it and starts it afresh at once, e.g. for a new configuration. */
void proc_restart(struct proc *p);
int proc_pid(const struct proc *p); /* 0 while down */
uint64_t proc_restarts(const struct proc *p);
/* SIGTERM, a second's grace, SIGKILL, reaped. NULL is fine. */
void proc_stop(struct proc *p);

/* The child's end, on descriptor CHANNEL_FD. Pings are answered inside. When the parent is gone the process exits with 0,
   when it sends what is no frame with 1. */
#define CHANNEL_FD 3
struct channel *channel_open(struct loop *l, int fd, void (*frame)(void *arg, uint8_t type, struct bytes payload),
			     void *arg);
bool channel_send(struct channel *c, uint8_t type, struct bytes payload);
void channel_close(struct channel *c);

#endif
