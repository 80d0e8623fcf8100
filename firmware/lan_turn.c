/*
 * Answers that need a journal row, a turn at a time. Invariant: between turns no transaction is open and the record in memory is that
 * of the database, or reload_due is set.
 */
#include "firmware/lan_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lan_pending_free(struct lan_pending *p)
{
	if (p->request != NULL)
		p->kind->free(p->request);
	buf_clear(&p->reply);
	free(p);
}

struct lan_pending *lan_pending_new(struct http_request *r, const struct lan_kind *kind)
{
	struct lan_pending *p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	p->http = r;
	p->kind = kind;
	p->came_s = lan_now_s();
	buf_init(&p->reply, LAN_REPLY_MAX);
	return p;
}

void lan_pending_name(struct lan_pending *p, const char *terminal, const char *request_id)
{
	snprintf(p->terminal, sizeof(p->terminal), "%s", terminal);
	snprintf(p->request_id, sizeof(p->request_id), "%s", request_id);
	if (p->http != NULL)
		sha256(http_body(p->http), p->hash);
}

void lan_pending_add(struct lan *l, struct lan_pending *p)
{
	*l->last = p;
	l->last = &p->next;
	loop_timer_set(l->turn, 0);
}

bool lan_pending_fail(struct lan_pending *p, int status, const struct err *e)
{
	p->status = status;
	p->error = *e;
	return true;
}

bool lan_lookup_record(struct lan *l, struct lan_pending *p, const struct scan_lookup *row, struct err *e)
{
	struct buf body;
	buf_init(&body, LAN_ROW_MAX);
	bool ok = true;
	if (!scan_lookup_encode(row, &body, e)) {
		lan_pending_fail(p, 500, e);
	} else {
		ok = record_append(l->c.record, lan_clock_s(l), JOURNAL_LOOKUP, buf_bytes(&body), NULL, e);
		p->decided = ok;
	}
	buf_clear(&body);
	return ok;
}

/* From the journal, this turn's rows included. ERR_MISSING: it is a new one. */
static bool pending_stored(struct lan *l, struct lan_pending *p, struct err *e)
{
	struct buf body;
	uint8_t hash[HASH_LEN];
	if (p->request_id[0] == '\0')
		return err_set(e, ERR_MISSING, "nobody asked for it by an id");
	buf_init(&body, JOURNAL_ROW_MAX);
	bool found = record_find_request(l->c.record, p->terminal, p->request_id, &body, hash, e);
	if (found && memcmp(hash, p->hash, HASH_LEN) != 0) {
		(void)err_set(e, ERR_CONFLICT, "request_id: used before with another body");
		lan_pending_fail(p, 409, e);
	} else if (found && !p->kind->show(l, p, buf_bytes(&body), e)) {
		lan_pending_fail(p, 500, e);
	}
	buf_clear(&body);
	return found;
}

/* False: the transaction is lost. A stored row that cannot be read is this request's misfortune alone. */
static bool pending_answer(struct lan *l, struct lan_pending *p, struct err *e)
{
	if (pending_stored(l, p, e))
		return true;
	if (e->code == ERR_MISSING && !lan_can_answer(l, e))
		return lan_pending_fail(p, 503, e); /* it was locked meanwhile */
	if (e->code == ERR_MISSING)
		return p->kind->decide(l, p, e);
	return e->code == ERR_INPUT && lan_pending_fail(p, 500, e);
}

static void pending_reply(struct lan *l, struct lan_pending *p)
{
	metrics_observe(&l->n.latency, lan_now_s() - p->came_s);
	l->n.conflicts += p->status == 409;
	l->n.repeats += p->status == 200 && !p->decided;
	p->kind->done(l, p);
	if (p->status == 200 && p->kind->sign != NULL && l->c.shown != NULL)
		l->c.shown(l->c.arg, p->terminal, p->kind->sign(p->outcome));
	if (p->http != NULL && p->status == 200 && p->content_type != NULL)
		lan_reply_as(l, p->http, p->content_type, &p->reply);
	else if (p->http != NULL && p->status == 200)
		lan_reply(l, p->http, 200, &p->reply);
	else if (p->http != NULL)
		lan_reply_error(l, p->http, p->status, &p->error);
	lan_pending_free(p);
}

static bool group_run(struct lan *l, struct lan_pending *group, struct err *e)
{
	if (l->reload_due && !record_reload(l->c.record, e))
		return false;
	l->reload_due = false;
	if (!db_begin(l->c.db, e))
		return false;
	for (struct lan_pending *p = group; p != NULL; p = p->next)
		if (!pending_answer(l, p, e))
			return false;
	return db_commit(l->c.db, e);
}

/* What was stored before can still be answered. */
static void group_lost(struct lan *l, struct lan_pending *group, const struct err *e)
{
	db_rollback(l->c.db);
	l->reload_due = !record_reload(l->c.record, NULL);
	l->n.commit_failures++;
	for (struct lan_pending *p = group; p != NULL; p = p->next) {
		struct err missing = { 0 };
		buf_reset(&p->reply);
		p->decided = false;
		if (!pending_stored(l, p, &missing))
			lan_pending_fail(p, 503, e);
	}
}

/* Answers and frees all of the group. */
static void group_commit(struct lan *l, struct lan_pending *group)
{
	struct err e = { 0 };
	uint64_t decided = 0;
	bool ok = group_run(l, group, &e);
	if (!ok)
		group_lost(l, group, &e);
	for (const struct lan_pending *p = group; p != NULL; p = p->next)
		decided += p->decided;
	if (!ok || decided > 0)
		lan_written(l, ok, &e);
	l->n.commits += decided > 0;
	l->n.commit_checks += decided;
	if (decided > l->n.commit_checks_max)
		l->n.commit_checks_max = decided;
	for (struct lan_pending *p = group, *next; p != NULL; p = next) {
		next = p->next;
		pending_reply(l, p);
	}
	if (decided > 0)
		l->c.recorded(l->c.arg);
}

void lan_finish(struct lan *l)
{
	struct lan_pending *group = l->first;
	l->first = NULL;
	l->last = &l->first;
	if (group == NULL)
		return;
	if (!l->c.commit_each) {
		group_commit(l, group);
		return;
	}
	for (struct lan_pending *p = group, *next; p != NULL; p = next) {
		next = p->next;
		p->next = NULL;
		group_commit(l, p);
	}
}
