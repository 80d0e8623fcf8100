/* Checks: what a turn (lan_turn.c) does with one. */
#include "firmware/lan_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool check_parse(struct lan *l, struct lan_pending *p, const char *terminal, struct err *e)
{
	struct check_request *r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	p->request = r;
	if (!check_request_parse(http_body(p->http), r, e))
		return false;
	snprintf(r->terminal, sizeof(r->terminal), "%s", terminal);
	lan_pending_name(p, terminal, r->request_id);
	return lan_can_answer(l, e);
}

bool lan_can_answer(struct lan *l, struct err *e)
{
	struct lan_around around = { .branch = "" };
	l->c.around(l->c.arg, &around);
	if (around.branch[0] == '\0')
		return err_set(e, ERR_IO, "this branch is not enrolled");
	if (around.locked[0] != '\0')
		return err_set(e, ERR_IO, "%s", around.locked);
	return l->source != NULL || err_set(e, ERR_IO, "still loading");
}

static void check_free(void *request)
{
	explicit_bzero(request, sizeof(struct check_request));
	free(request);
}

static void decision_show(struct lan *l, struct lan_pending *p, const struct decision *d)
{
	struct err e = { 0 };
	check_decision_json(d, documents_policy(l->c.documents), &p->reply);
	p->status = 200;
	if (!buf_ok(&p->reply, "decision", &e))
		lan_pending_fail(p, 500, &e);
}

static bool check_show(struct lan *l, struct lan_pending *p, struct bytes body, struct err *e)
{
	if (!decision_decode(body, &l->decision, e))
		return false;
	p->outcome = l->decision.outcome;
	decision_show(l, p, &l->decision);
	return true;
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
	bool ok = record_append(l->c.record, d->time_s, JOURNAL_FOLLOW_UP, buf_bytes(&body), NULL, e);
	buf_clear(&body);
	return ok;
}

/* False: the transaction is lost. What is wrong with this decision alone fails it alone. */
static bool decision_append(struct lan *l, struct lan_pending *p, const struct decision *d, struct err *e)
{
	struct buf body;
	bool ok = true;
	buf_init(&body, LAN_ROW_MAX);
	if (!decision_encode(d, &body, e)) {
		lan_pending_fail(p, 500, e);
		goto out;
	}
	const struct record_name name = { d->id, d->terminal, d->request_id, p->hash };
	ok = record_append(l->c.record, d->time_s, JOURNAL_DECISION, buf_bytes(&body), &name, e) &&
	     (!d->follow_up || follow_up_append(l, d, e));
	if (!ok)
		goto out;
	p->decided = true;
	p->outcome = d->outcome;
	p->follow_up = d->follow_up;
	decision_show(l, p, d);
out:
	buf_clear(&body);
	return ok;
}

static bool check_decide(struct lan *l, struct lan_pending *p, struct err *e)
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
	bool ok = check_run(&s, p->request, &l->decision, &sealed, e) ? decision_append(l, p, &l->decision, e)
								      : lan_pending_fail(p, 500, e);
	buf_clear(&sealed);
	return ok;
}

static void check_done(struct lan *l, const struct lan_pending *p)
{
	if (!p->decided)
		return;
	l->n.checks++;
	l->n.outcomes[p->outcome]++;
	l->n.follow_ups += p->follow_up;
}

static enum lan_sign check_sign(unsigned outcome)
{
	return outcome == OUTCOME_PASS ? LAN_PASS : outcome == OUTCOME_REFUSE ? LAN_STOP : LAN_CARE;
}

void lan_check(struct lan *l, struct http_request *r, const char *terminal)
{
	static const struct lan_kind kind = { check_decide, check_show, check_done, check_free, check_sign };
	struct err e = { 0 };
	struct lan_pending *p = lan_pending_new(r, &kind);
	if (check_parse(l, p, terminal, &e)) {
		lan_pending_add(l, p);
		return;
	}
	lan_reply_error(l, r, e.code == ERR_IO ? 503 : lan_status_of(e.code), &e);
	lan_pending_free(p);
}
