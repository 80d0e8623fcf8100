/*
 * An enterprise's credit report for an officer at a terminal: asked of central while the line is up, and never given otherwise, since nothing
 * of reports is kept here. The look-up's row stands in the journal before anything of the report is shown, refused ones too. A request
 * id asked again is the same question to central, which logs it once and gives the same report.
 */
#include "firmware/lan_inner.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW_TYPE "credit-report"
#define OFFLINE_503                                                                                                                         \
	"信用报告只由中心出具，本机不存不猜 · made at central alone, none is kept or guessed here: %.60s；请以同一 " \
	"request_id 重试 · try again with the same request_id"

struct lan_report {
	struct lan *lan;
	struct lan_pending *pending;
	struct lan_report *next; /* of those that wait for central */
	struct inquiry inquiry;
	struct scan_lookup row;
};

static bool report_decide(struct lan *l, struct lan_pending *p, struct err *e)
{
	const struct lan_report *k = p->request;
	return lan_lookup_record(l, p, &k->row, e);
}

static void report_done(struct lan *l, const struct lan_pending *p)
{
	l->n.reports += p->decided && p->status == 200;
}

static void report_free(void *request)
{
	explicit_bzero(request, sizeof(struct lan_report));
	free(request);
}

static const struct lan_kind report_kind = { report_decide, NULL, report_done, report_free, NULL };

/* Joins the turn: the report is in the reply, or why there is none. */
static void report_end(struct lan_report *k, int status, const char *source, const struct err *why)
{
	struct lan_pending *p = k->pending;
	snprintf(k->row.source, sizeof(k->row.source), "%s", source);
	k->row.result = why->code;
	k->row.given = status == 200;
	p->status = status;
	p->error = *why;
	lan_pending_add(k->lan, p);
}

/* Central has said no, or nothing could be asked. */
static void report_refused(struct lan_report *k, const struct err *why)
{
	struct err e = { 0 };
	switch (why->code) {
	case ERR_DENIED: report_end(k, 403, "central", why); return;
	case ERR_INPUT: report_end(k, 400, "central", why); return;
	case ERR_CONFLICT: report_end(k, 409, "central", why); return;
	case ERR_NONE:
	case ERR_STALE:
	case ERR_MISSING:
	case ERR_FULL:
	case ERR_IO: break;
	}
	(void)err_set(&e, ERR_IO, OFFLINE_503, why->text);
	report_end(k, 503, "none", &e);
}

static void on_report(void *arg, const struct sync_inquiry *r, const struct err *why)
{
	struct lan_report *k = arg;
	struct lan_pending *p = k->pending;
	const struct err none = { 0 };
	struct lan_report **at = &k->lan->reports;
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	if (r == NULL) {
		report_refused(k, why);
		return;
	}
	buf_clear(&p->reply);
	buf_init(&p->reply, INQUIRY_BYTES_MAX);
	buf_add(&p->reply, r->report.data, r->report.len);
	p->content_type = k->inquiry.format == INQUIRY_PDF ? "application/pdf" : "text/html; charset=utf-8";
	if (p->http != NULL)
		http_reply_header(p->http, "Report-Number", r->number);
	report_end(k, 200, "central", &none);
}

void lan_reports_end(struct lan *l)
{
	while (l->reports != NULL) {
		struct lan_report *k = l->reports;
		l->reports = k->next;
		l->c.forget(l->c.arg, k);
		lan_pending_free(k->pending);
	}
}

/* --- the request --- */

static bool subject_take(const struct json *j, struct lan_report *k, struct err *e)
{
	struct identifier id;
	if (!lan_number_take(j, "subject", &id, &k->row, e))
		return false;
	bool fits = id.kind == IDENTIFIER_USCC || id.kind == IDENTIFIER_ORG_CODE;
	k->inquiry.kind = id.kind;
	memcpy(k->inquiry.number, id.canonical, sizeof(k->inquiry.number));
	explicit_bzero(&id, sizeof(id));
	return fits || err_set(e, ERR_INPUT, "subject.kind: this report is of enterprises: uscc or org_code");
}

static bool options_take(const struct json *j, struct inquiry *q, struct err *e)
{
	const char *text = NULL;
	q->format = INQUIRY_HTML;
	q->day = INQUIRY_TODAY;
	if (json_get(j, "format") != NULL &&
	    (!json_text(j, "format", 8, &text, e) || !inquiry_format_of(text, &q->format)))
		return err_set(e, ERR_INPUT, "format: expected html or pdf");
	if (json_get(j, "as_of") == NULL)
		return true;
	return (json_text(j, "as_of", 10, &text, e) && day_parse(bytes_of(text), &q->day, e) && q->day >= 0) ||
	       err_set(e, ERR_INPUT, "as_of: expected a day such as 2026-01-31");
}

static bool report_parse(struct lan_report *k, const struct json *j, const char *terminal, struct err *e)
{
	struct inquiry *q = &k->inquiry;
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "the request is no JSON object");
	if (!json_only(j, "request_id subject purpose officer as_of format", e) ||
	    !lan_request_take(j, terminal, q->request, e) ||
	    !lan_word_take(j, "purpose", PURPOSE_MAX, q->purpose, e) ||
	    !lan_word_take(j, "officer", INQUIRY_OFFICER_MAX, q->officer, e) || !subject_take(j, k, e) ||
	    !options_take(j, q, e))
		return false;
	snprintf(q->terminal, sizeof(q->terminal), "%s", terminal);
	snprintf(k->row.terminal, sizeof(k->row.terminal), "%s", terminal);
	snprintf(k->row.type, sizeof(k->row.type), ROW_TYPE);
	snprintf(k->row.purpose, sizeof(k->row.purpose), "%s", q->purpose);
	return lan_can_answer(k->lan, e);
}

void lan_report(struct lan *l, struct http_request *r, const char *terminal)
{
	struct err e = { 0 };
	struct lan_pending *p = lan_pending_new(r, &report_kind);
	struct lan_report *k = calloc(1, sizeof(*k));
	if (k == NULL)
		abort();
	*k = (struct lan_report){ .lan = l, .pending = p };
	p->request = k;
	lan_pending_name(p, terminal, "");
	struct json *j = json_parse(http_body(r), &e);
	if (j == NULL || !report_parse(k, j, terminal, &e)) {
		lan_reply_error(l, r, e.code == ERR_IO ? 503 : lan_status_of(e.code), &e);
		lan_pending_free(p);
	} else if (l->c.inquire(l->c.arg, &k->inquiry, on_report, k, &e)) {
		k->next = l->reports;
		l->reports = k;
	} else {
		report_refused(k, &e);
	}
	json_free(j);
}
