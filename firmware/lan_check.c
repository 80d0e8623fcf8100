/*
 * Checks, a turn at a time. Invariant: between turns no transaction is open and the record in memory is that
 * of the database, or reload_due is set.
 */
#include "firmware/lan_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW_ROOM 64 /* what a journal row adds to its body */

static void pending_free(struct lan_pending *p)
{
	explicit_bzero(&p->request, sizeof(p->request));
	buf_clear(&p->reply);
	free(p);
}

static bool pending_parse(struct lan *l, struct lan_pending *p, const char *terminal, struct err *e)
{
	struct bytes body = http_body(p->http);
	struct lan_around around = { .branch = "" };
	if (!check_request_parse(body, &p->request, e))
		return false;
	snprintf(p->request.terminal, sizeof(p->request.terminal), "%s", terminal);
	sha256(body, p->hash);
	l->c.around(l->c.arg, &around);
	if (around.branch[0] == '\0')
		return err_set(e, ERR_IO, "this branch is not enrolled");
	return l->source != NULL || err_set(e, ERR_IO, "still loading");
}

void lan_check(struct lan *l, struct http_request *r, const char *terminal)
{
	struct err e = { 0 };
	struct lan_pending *p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	p->http = r;
	p->came_s = lan_now_s();
	buf_init(&p->reply, LAN_REPLY_MAX);
	if (!pending_parse(l, p, terminal, &e)) {
		lan_reply_error(l, r, e.code == ERR_IO ? 503 : lan_status_of(e.code), &e);
		pending_free(p);
		return;
	}
	*l->last = p;
	l->last = &p->next;
	loop_timer_set(l->turn, 0);
}

static bool pending_fail(struct lan_pending *p, int status, const struct err *e)
{
	p->status = status;
	p->error = *e;
	return true;
}

static void pending_show(struct lan *l, struct lan_pending *p, const struct decision *d)
{
	struct err e = { 0 };
	check_decision_json(d, documents_policy(l->c.documents), &p->reply);
	p->status = 200;
	if (!buf_ok(&p->reply, "decision", &e))
		pending_fail(p, 500, &e);
}

static bool follow_up_append(struct lan *l, const struct decision *d, struct err *e)
{
	struct buf body;
	buf_init(&body, 64);
	cbor_put_map(&body, 2);
	cbor_put_uint(&body, 1);
	cbor_put_bytes(&body, (struct bytes){ d->id, sizeof(d->id) });
	cbor_put_uint(&body, 2);
	cbor_put_text(&body, "verified_online");
	bool ok = record_append(l->c.record, d->time_s, JOURNAL_FOLLOW_UP, buf_bytes(&body), NULL, NULL, e);
	buf_clear(&body);
	return ok;
}

/* False: the transaction is lost. What is wrong with this decision alone fails it alone. */
static bool decision_append(struct lan *l, struct lan_pending *p, const struct decision *d, struct err *e)
{
	struct buf body;
	bool ok = true;
	buf_init(&body, JOURNAL_ROW_MAX - ROW_ROOM);
	if (!decision_encode(d, &body, e)) {
		pending_fail(p, 500, e);
		goto out;
	}
	ok = record_append(l->c.record, d->time_s, JOURNAL_DECISION, buf_bytes(&body), d, p->hash, e) &&
	     (!d->follow_up || follow_up_append(l, d, e));
	if (!ok)
		goto out;
	p->decided = true;
	p->outcome = d->outcome;
	p->follow_up = d->follow_up;
	pending_show(l, p, d);
out:
	buf_clear(&body);
	return ok;
}

static bool pending_decide(struct lan *l, struct lan_pending *p, struct err *e)
{
	struct buf sealed;
	const struct check_setting s = {
		.policy = documents_policy(l->c.documents),
		.source = l->source,
		.now_s = lan_clock_s(l),
		.clock_trusted = l->c.clock->trusted,
		.random = l->c.random,
		.journal_key = record_key(l->c.record),
	};
	buf_init(&sealed, CHECK_SEALED_MAX);
	bool ok = check_run(&s, &p->request, &l->decision, &sealed, e) ? decision_append(l, p, &l->decision, e)
								       : pending_fail(p, 500, e);
	buf_clear(&sealed);
	return ok;
}

/* From the journal, this turn's rows included. ERR_MISSING: it is a new one. */
static bool pending_stored(struct lan *l, struct lan_pending *p, struct err *e)
{
	struct buf body;
	uint8_t hash[HASH_LEN];
	buf_init(&body, JOURNAL_ROW_MAX);
	bool found = record_find_request(l->c.record, p->request.terminal, p->request.request_id, &body, hash, e);
	if (!found)
		goto out;
	if (memcmp(hash, p->hash, HASH_LEN) != 0) {
		err_set(e, ERR_CONFLICT, "request_id: used before with another body");
		pending_fail(p, 409, e);
	} else if (!decision_decode(buf_bytes(&body), &l->decision, e)) {
		pending_fail(p, 500, e);
	} else {
		pending_show(l, p, &l->decision);
	}
out:
	buf_clear(&body);
	return found;
}

/* False: the transaction is lost. A stored row that cannot be read is this request's misfortune alone. */
static bool pending_answer(struct lan *l, struct lan_pending *p, struct err *e)
{
	if (pending_stored(l, p, e))
		return true;
	if (e->code == ERR_MISSING)
		return pending_decide(l, p, e);
	return e->code == ERR_INPUT && pending_fail(p, 500, e);
}

static void pending_count(struct lan_counts *n, const struct lan_pending *p)
{
	n->conflicts += p->status == 409;
	n->repeats += p->status == 200 && !p->decided;
	if (!p->decided)
		return;
	n->checks++;
	n->outcomes[p->outcome]++;
	n->follow_ups += p->follow_up;
}

static void pending_reply(struct lan *l, struct lan_pending *p)
{
	metrics_observe(&l->n.latency, lan_now_s() - p->came_s);
	pending_count(&l->n, p);
	if (p->status == 200)
		lan_reply(l, p->http, 200, &p->reply);
	else
		lan_reply_error(l, p->http, p->status, &p->error);
	pending_free(p);
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
			pending_fail(p, 503, e);
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
