#include "firmware/lists_state.h"

#include <string.h>

#define JOB_LIMIT_MS 3600000 /* the largest list there can be, on the slowest box */

static bool job_work(void *arg, struct buf *out, struct err *e)
{
	struct lists *l = arg;
	struct lists_result r;
	(void)e;
	memset(&r, 0, sizeof(r)); /* padding too: it is written as bytes */
	l->job.work(l, &r);
	return buf_add(out, &r, sizeof(r));
}

static void job_done(void *arg, struct bytes out, const struct err *why)
{
	struct lists *l = arg;
	struct lists_result r = { 0 };
	if (l->job.closing)
		return;
	if (why != NULL)
		r.err = *why;
	else if (out.len != sizeof(r))
		err_set(&r.err, ERR_IO, "lists: the child at work said something else");
	else
		memcpy(&r, out.data, sizeof(r));
	l->job.running = false;
	l->job.done(l, &r);
}

void lists_job_start(struct lists *l, void (*work)(struct lists *l, struct lists_result *r),
		     void (*done)(struct lists *l, const struct lists_result *r))
{
	const struct workers_config one = { .running_max = 1 };
	const struct worker_job job = { .what = "lists",
					.work = job_work,
					.done = job_done,
					.arg = l,
					.out_max = sizeof(struct lists_result),
					.limit_ms = JOB_LIMIT_MS };
	struct lists_result failed = { 0 };
	struct lists_job *j = &l->job;
	if (j->workers == NULL)
		j->workers = workers_new(l->loop, &one);
	j->work = work;
	j->done = done;
	j->running = workers_start(j->workers, &job, &failed.err);
	if (!j->running)
		done(l, &failed);
}

bool lists_job_is_running(const struct lists *l)
{
	return l->job.running;
}

void lists_job_kill(struct lists *l)
{
	l->job.closing = true;
	workers_free(l->job.workers);
	l->job = (struct lists_job){ 0 };
}
