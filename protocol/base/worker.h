/*
 * Long work outside the loop: a worker is a child that does one piece of work, reports bytes or an error, and is gone. (Children
 * that stay are proc.h's.) A pool runs so many at a time; further jobs wait in order, and when too many wait the next is refused.
 *
 * There are two ways to say what the work is:
 *   work   the child is this process forked: it sees the memory as it stood, so nothing is copied or encoded, and reads and writes
 *          files of its own. It must not touch a database (SQLite's locks know nothing of forks), a loop or a descriptor of ours.
 *   role   this program again with argv[1] = role, which calls worker_main: an empty memory, which may open databases.
 * In both the child has no descriptor of the parent's but 0 to 2, runs at a lower priority, is the first to go when memory is short,
 * may take memory_max more, and dies with its parent. What it leaves when it is killed is the job's to bound: files aside at most.
 */
#ifndef PROTOCOL_BASE_WORKER_H
#define PROTOCOL_BASE_WORKER_H

#include "protocol/base/buf.h"
#include "protocol/base/loop.h"

struct workers;

struct workers_config {
	size_t running_max, waiting_max;
	void (*forget)(void *arg); /* in a forked child, first: wipes the keys it does not need; may be NULL */
	void *forget_arg;
};
struct worker_job {
	const char *what; /* for status and errors, such as "import of list black"; copied */
	bool (*work)(void *arg, struct buf *out, struct err *e); /* in the child; or NULL, and: */
	const char *role;                                        /* a literal */
	struct bytes input;                                      /* for role: copied */
	/* Once, in a later turn: out is borrowed, why NULL; or why not: the worker's own error, or ERR_IO when it came to no end. */
	void (*done)(void *arg, struct bytes out, const struct err *why);
	void *arg;
	size_t out_max;    /* bytes reported; more is a failure */
	size_t memory_max; /* bytes; 0: no bound. Not held under AddressSanitizer, which reserves terabytes */
	int64_t limit_ms;  /* from its start; then it is killed */
};

struct workers *workers_new(struct loop *l, const struct workers_config *c);
/* Kills those that run; each job not done yet is told (ERR_STALE). Not inside done. NULL is fine. */
void workers_free(struct workers *w);
/* Forks at once when there is room. ERR_FULL when too many wait, ERR_STALE when w is NULL since the
   program is ending. On failure done is not called. */
bool workers_start(struct workers *w, const struct worker_job *job, struct err *e) CHECKED;

struct worker_view {
	const char *what;
	int pid;            /* 0: waits */
	int64_t age_ms;     /* since it was started, or has waited */
	uint64_t done, all; /* as worker_progress said; all 0: it said nothing */
};
/* In the order in which they were given. NULL has none. */
void workers_each(const struct workers *w, void (*each)(void *arg, const struct worker_view *v), void *arg);
bool workers_are_idle(const struct workers *w);

/* In the child: how far it is. Costs a write; nothing happens outside a worker. */
void worker_progress(uint64_t done, uint64_t all);
/* main of a role. */
int worker_main(size_t out_max, bool (*work)(struct bytes input, struct buf *out, struct err *e));

#endif
