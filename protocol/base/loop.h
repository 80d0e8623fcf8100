/*
 * One event loop a process, over libevent. Callbacks run one at a time, on the loop's own stack; a handle may be freed
 * inside its own callback. Times are milliseconds of the monotonic clock.
 */
#ifndef PROTOCOL_BASE_LOOP_H
#define PROTOCOL_BASE_LOOP_H

#include "protocol/base/err.h"

#include <stdint.h>

struct loop;
struct loop_fd;
struct loop_timer;
struct loop_signal;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop *loop_new(void);
void loop_free(struct loop *l);
/* Runs until loop_stop. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* Runs what is ready and waits at most wait_ms for something; for tests. */
void loop_once(struct loop *l, int wait_ms);
int64_t loop_now_ms(void);

/* Level-triggered. The descriptor stays the caller's. what is a set of LOOP_READ|LOOP_WRITE; 0 pauses. */
struct loop_fd *loop_fd_new(struct loop *l, int fd, unsigned what, void (*ready)(void *arg, unsigned what),
			    void *arg);
void loop_fd_set(struct loop_fd *f, unsigned what);
void loop_fd_free(struct loop_fd *f); /* NULL is fine, here and below */

/* Idle until set. after_ms 0 fires in the next turn. A timer fires once; set it again inside the callback to repeat. */
struct loop_timer *loop_timer_new(struct loop *l, void (*fire)(void *arg), void *arg);
void loop_timer_set(struct loop_timer *t, int64_t after_ms);
void loop_timer_stop(struct loop_timer *t);
bool loop_timer_is_set(const struct loop_timer *t);
void loop_timer_free(struct loop_timer *t);

/* Runs once when everything that is ready in this turn has been handled: the place for a commit that a turn's work shares. */
struct loop_timer *loop_after_turn_new(struct loop *l, void (*fire)(void *arg), void *arg);

struct loop_signal *loop_signal_new(struct loop *l, int signo, void (*fire)(void *arg), void *arg);
void loop_signal_free(struct loop_signal *s);

struct event_base;
/* For http.c and dns.c only. */
struct event_base *loop_base(struct loop *l);

#endif
