/*
 * Lists' long steps. A worker makes the objects while the loop goes on; their rows are stored here, some in each turn. The request waits
 * for it with its file, which the worker sees as it stands.
 */
#include "central/centrald.h"
#include "central/release/list_plan.h"
#include "protocol/base/log.h"
#include "protocol/base/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_MS    1800000     /* fifteen million entries take under a minute here */
#define JOIN_MEMORY 2147483648U /* two deltas in a map, the joined one in a buffer that grows */

/* What a worker that was killed had half written: one list is at work at a time, and nobody else writes outside a turn. */
static void aside_drop(const struct central *central)
{
	struct err e = { 0 };
	if (!objects_sweep_aside(central->release.objects, &e))
		log_warn("what a worker left could not be removed", "why=\"%s\"", e.text);
}

/* --- a draft --- */

struct drafting {
	struct central *central;
	struct api_later *later;
	struct http_request *request; /* its body is the file */
	struct list_plan *plan;
	struct buf built; /* while its rows are stored */
	struct loop_timer *turn;
};

static void drafting_free(struct drafting *d)
{
	loop_timer_free(d->turn);
	list_plan_free(d->plan);
	buf_wipe(&d->built);
	free(d);
}

static void drafting_gone(void *arg)
{
	drafting_free(arg);
}

static void drafting_end(struct drafting *d, const struct err *why)
{
	api_release_finish(d->later, d->central, list_plan_id(d->plan), why);
	drafting_free(d);
}

static bool drafting_work(void *arg, struct buf *out, struct err *e)
{
	const struct drafting *d = arg;
	return list_plan_build(d->plan, http_body(d->request), out, e);
}

static void drafting_store(void *arg)
{
	struct drafting *d = arg;
	struct err e = { 0 };
	bool done = false;
	if (!list_plan_store(d->plan, buf_bytes(&d->built), &done, &e))
		drafting_end(d, &e);
	else if (done)
		drafting_end(d, NULL);
	else
		loop_timer_set(d->turn, 0);
}

static void drafting_done(void *arg, struct bytes out, const struct err *why)
{
	struct drafting *d = arg;
	if (why != NULL) {
		aside_drop(d->central);
		drafting_end(d, why);
		return;
	}
	buf_init(&d->built, out.len);
	buf_add(&d->built, out.data, out.len);
	drafting_store(d);
}

/* Takes the plan over. */
static bool drafting_start(struct api_call *call, struct list_plan *plan, const char *what, struct err *e)
{
	struct drafting *d = calloc(1, sizeof(*d));
	if (d == NULL)
		abort();
	*d = (struct drafting){ .central = call->central, .request = call->request, .plan = plan };
	d->turn = loop_timer_new(call->central->loop, drafting_store, d);
	const struct worker_job job = { .what = what,
					.work = drafting_work,
					.done = drafting_done,
					.arg = d,
					.out_max = LIST_BUILT_MAX,
					.memory_max = LIST_MEMORY_MAX,
					.limit_ms = LIMIT_MS };
	if (!workers_start(call->central->lists, &job, e)) {
		drafting_free(d);
		return false;
	}
	d->later = api_later(call, drafting_gone, d);
	return true;
}

bool api_list_import(struct api_call *call, const struct list_draft *draft, struct err *e)
{
	char what[96];
	struct list_plan *plan = list_plan_import(&call->central->release, draft, e);
	snprintf(what, sizeof(what), "import of list %s by %s", draft->name, draft->operator);
	return plan != NULL && drafting_start(call, plan, what, e);
}

bool api_list_rollback(struct api_call *call, const struct release *old, struct err *e)
{
	char what[96];
	struct list_plan *plan = list_plan_again(&call->central->release, old, call->operator, call->now_s, e);
	snprintf(what, sizeof(what), "rollback of list %s by %s", old->name, call->operator);
	return plan != NULL && drafting_start(call, plan, what, e);
}

/* --- a publication --- */

struct publishing {
	struct central *central;
	struct api_later *later;
	int64_t id, now_s;
	char operator[NAME_MAX_LEN + 1];
	struct list_joins joins;
};

static bool publishing_work(void *arg, struct buf *out, struct err *e)
{
	struct publishing *p = arg;
	return list_joins_make(p->central->release.objects, &p->joins, e) &&
	       buf_add(out, &p->joins, sizeof(p->joins));
}

static void publishing_done(void *arg, struct bytes out, const struct err *why)
{
	struct publishing *p = arg;
	struct err e = { 0 };
	if (why != NULL)
		aside_drop(p->central);
	bool ok = why == NULL && (out.len == sizeof(p->joins) || err_set(&e, ERR_IO, "the deltas were cut short"));
	if (ok) {
		memcpy(&p->joins, out.data, out.len);
		ok = release_publish_joined(&p->central->release, p->id, &p->joins, p->operator, p->now_s, &e);
	}
	if (ok)
		api_published(p->central, p->id, p->now_s);
	api_release_finish(p->later, p->central, p->id, ok ? NULL : why != NULL ? why : &e);
	free(p);
}

bool api_list_publish(struct api_call *call, int64_t id, const struct list_joins *j, struct err *e)
{
	char what[96];
	struct publishing *p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	*p = (struct publishing){ .central = call->central, .id = id, .now_s = call->now_s, .joins = *j };
	snprintf(p->operator, sizeof(p->operator), "%s", call->operator);
	snprintf(what, sizeof(what), "publication of release %lld by %s", (long long)id, call->operator);
	const struct worker_job job = { .what = what,
					.work = publishing_work,
					.done = publishing_done,
					.arg = p,
					.out_max = sizeof(p->joins),
					.memory_max = JOIN_MEMORY,
					.limit_ms = LIMIT_MS };
	if (!workers_start(call->central->lists, &job, e)) {
		free(p);
		return false;
	}
	p->later = api_later(call, free, p);
	return true;
}
