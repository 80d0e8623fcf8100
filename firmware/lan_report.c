/*
 * An enterprise's credit report for an officer at a terminal: asked of central while the line is up, and never given otherwise, since nothing
 * of reports is kept here. The look-up's row stands in the journal before anything of the report is shown, refused ones too. A request
 * id asked again is the same question to central, which logs it once and gives the same report.
 */
#include "firmware/lan_inner.h"
#include "protocol/base/utf8.h"
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

static bool word_take(const struct json *j, const char *key, size_t max, char *out, struct err *e)
{
	const char *text = NULL;
	if (!json_text(j, key, max, &text, e))
		return false;
	if (text[0] == '\0' || !utf8_is_valid(bytes_of(text)))
		return err_set(e, ERR_INPUT, "%s: missing, or not UTF-8", key);
	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 127)
			return err_set(e, ERR_INPUT, "%s: a control character", key);
	snprintf(out, max + 1, "%s", text);
	return true;
}

static bool subject_take(const struct json *j, struct lan_report *k, struct err *e)
{
	const struct json *subject = json_get(j, "subject");
	const char *kind = NULL, *number = NULL;
	enum identifier_kind of = IDENTIFIER_USCC;
	struct identifier id;
	if (subject == NULL || !json_is_object(subject))
		return err_set(e, ERR_INPUT, "subject: expected an object with kind and number");
	if (!json_only(subject, "kind number", e) || !json_text(subject, "kind", NAME_MAX_LEN, &kind, e) ||
	    !json_text(subject, "number", PERSON_NAME_MAX, &number, e))
		return err_wrap(e, "subject");
	if (!identifier_kind_of(kind, &of) || (of != IDENTIFIER_USCC && of != IDENTIFIER_ORG_CODE))
		return err_set(e, ERR_INPUT, "subject.kind: this report is of enterprises: uscc or org_code");
	if (!identifier_parse(of, number, strlen(number), 0, &id, NULL, e))
		return err_wrap(e, "subject.number");
	k->inquiry.kind = of;
	memcpy(k->inquiry.number, id.canonical, sizeof(k->inquiry.number));
	snprintf(k->row.holder_kind, sizeof(k->row.holder_kind), "%s", identifier_kind_name(of));
	identifier_mask(&id, k->row.holder_masked, sizeof(k->row.holder_masked));
	explicit_bzero(&id, sizeof(id));
	return true;
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

/* Of the terminal's request id, so that the same request is the same question at central. */
static void request_name(struct inquiry *q, const char *terminal, const char *request_id)
{
	struct sha256_stream s;
	uint8_t hash[HASH_LEN];
	sha256_start(&s);
	sha256_add(&s, (struct bytes){ (const uint8_t *)terminal, strlen(terminal) + 1 });
	sha256_add(&s, bytes_of(request_id));
	sha256_finish(&s, hash);
	memcpy(q->request, hash, sizeof(q->request));
}

static bool report_parse(struct lan_report *k, const struct json *j, const char *terminal, struct err *e)
{
	struct inquiry *q = &k->inquiry;
	char request_id[REQUEST_ID_MAX_LEN + 1];
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "the request is no JSON object");
	if (!json_only(j, "request_id subject purpose officer as_of format", e) ||
	    !word_take(j, "request_id", REQUEST_ID_MAX_LEN, request_id, e) ||
	    !word_take(j, "purpose", PURPOSE_MAX, q->purpose, e) ||
	    !word_take(j, "officer", INQUIRY_OFFICER_MAX, q->officer, e) || !subject_take(j, k, e) ||
	    !options_take(j, q, e))
		return false;
	if (!request_id_is_valid(request_id))
		return err_set(e, ERR_INPUT, "request_id: 1 to %d of A-Z a-z 0-9 _ . : -", REQUEST_ID_MAX_LEN);
	request_name(q, terminal, request_id);
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
