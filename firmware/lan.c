#include "firmware/lan_inner.h"
#include "protocol/base/json.h"
#include "protocol/base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define JSON_TYPE "application/json"

double lan_now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int64_t lan_clock_s(const struct lan *l)
{
	return clock_now_s(l->c.clock, loop_now_ms());
}

static void turn_over(void *arg)
{
	lan_finish(arg);
}

struct lan *lan_new(const struct lan_config *c)
{
	struct lan *l = calloc(1, sizeof(*l));
	if (l == NULL)
		abort();
	l->c = *c;
	l->last = &l->first;
	l->written_ms = l->probed_ms = INT64_MIN;
	l->turn = loop_after_turn_new(c->loop, turn_over, l);
	l->streams = streams_new(c->loop, c->random);
	l->duty_timer = loop_timer_new(c->loop, lan_duty_timer, l);
	return l;
}

void lan_ready(struct lan *l, const struct check_source *source)
{
	struct err e = { 0 };
	l->source = source;
	if (!duties_load(&l->duties, l->c.db, l->c.record, l->c.random, &e))
		log_error("duties are not known", "why=\"%s\"", e.text);
	if (l->duties.open > 0)
		loop_timer_set(l->duty_timer, 0);
}

void lan_close(struct lan *l)
{
	lan_finish(l);
	lan_images_end(l);
	lan_lookups_end(l);
	lan_reports_end(l);
	lan_accounts_end(l);
}

void lan_free(struct lan *l)
{
	if (l == NULL)
		return;
	lan_images_end(l);
	lan_lookups_end(l);
	lan_reports_end(l);
	lan_accounts_end(l);
	streams_free(l->streams);
	explicit_bzero(l->contexts, sizeof(l->contexts));
	assert(l->first == NULL);
	loop_timer_free(l->turn);
	loop_timer_free(l->duty_timer);
	free(l);
}

const uint64_t *lan_checks(const struct lan *l)
{
	return &l->n.checks;
}

/* Said in the log when it begins and when it ends, not for every answer. */
void lan_written(struct lan *l, bool ok, const struct err *e)
{
	if (ok && l->write_failed)
		log_info("the journal can be written again", "failed_commits=%llu",
			 (unsigned long long)l->n.commit_failures);
	if (!ok && !l->write_failed)
		log_error("the journal cannot be written, checks are answered 503", "why=\"%s\"", e->text);
	l->write_failed = !ok;
	if (ok)
		l->written_ms = loop_now_ms();
	else
		snprintf(l->write_fault, sizeof(l->write_fault), "%.119s", e->text);
}

/* Replies */

static void status_count(struct lan *l, int status)
{
	for (size_t i = 0; i < LAN_STATUSES; i++) {
		if (l->n.statuses[i].status != 0 && l->n.statuses[i].status != status)
			continue;
		l->n.statuses[i].status = status;
		l->n.statuses[i].count++;
		return;
	}
}

void lan_reply(struct lan *l, struct http_request *r, int status, const struct buf *json)
{
	status_count(l, status);
	http_reply_header(r, "Cache-Control", "no-store");
	http_reply(r, status, JSON_TYPE, buf_bytes(json));
}

void lan_reply_text(struct lan *l, struct http_request *r, const struct buf *text)
{
	status_count(l, 200);
	http_reply(r, 200, "text/plain; version=0.0.4; charset=utf-8", buf_bytes(text));
}

void lan_reply_as(struct lan *l, struct http_request *r, const char *content_type, const struct buf *content)
{
	status_count(l, 200);
	http_reply_header(r, "Cache-Control", "no-store");
	http_reply_header(r, "X-Content-Type-Options", "nosniff");
	http_reply(r, 200, content_type, buf_bytes(content));
}

int lan_status_of(enum err_code code)
{
	switch (code) {
	case ERR_INPUT: return 400;
	case ERR_DENIED: return 401;
	case ERR_MISSING: return 404;
	case ERR_STALE:
	case ERR_CONFLICT: return 409;
	case ERR_NONE:
	case ERR_FULL:
	case ERR_IO: break;
	}
	return 500;
}

/* "subject.number: missing" speaks of a field. */
static size_t field_len(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_.[]");
	return strncmp(text + len, ": ", 2) == 0 ? len : 0;
}

void lan_reply_error(struct lan *l, struct http_request *r, int status, const struct err *e)
{
	struct buf out;
	struct json_out w = { .out = &out };
	size_t field = status == 400 || status == 409 ? field_len(e->text) : 0;
	buf_init(&out, 4096);
	json_open(&w, NULL, '{');
	/* What is malformed in our own store is no fault of the caller's. */
	enum err_code code = status >= 500 && e->code == ERR_INPUT ? ERR_IO : e->code;
	json_put_text(&w, "error", err_name(code));
	json_put_text(&w, "message_zh", err_zh(code));
	json_put_text(&w, "message", e->text);
	if (field > 0)
		json_put_text_n(&w, "field", (struct bytes){ (const uint8_t *)e->text, field });
	json_close(&w, '}');
	lan_reply(l, r, status, &out);
	buf_clear(&out);
}

static void reply_not_found(struct lan *l, struct http_request *r)
{
	struct err e;
	err_set(&e, ERR_MISSING, "there is nothing here");
	lan_reply_error(l, r, 404, &e);
}

static void reply_method(struct lan *l, struct http_request *r, const char *allow)
{
	struct err e;
	err_set(&e, ERR_INPUT, "only %s is answered here", allow);
	http_reply_header(r, "Allow", allow);
	lan_reply_error(l, r, 405, &e);
}

static void reply_too_long(struct lan *l, struct http_request *r)
{
	struct err e;
	err_set(&e, ERR_FULL, "a body of more than %u bytes", HTTP_BODY_MAX);
	lan_reply_error(l, r, 413, &e);
}

bool lan_is_json(struct lan *l, struct http_request *r)
{
	struct err e;
	const char *type = http_header(r, "Content-Type");
	size_t len = strlen(JSON_TYPE);
	if (type != NULL && strncasecmp(type, JSON_TYPE, len) == 0) {
		const char *rest = type + len + strspn(type + len, " \t");
		if (*rest == '\0' || *rest == ';')
			return true;
	}
	err_set(&e, ERR_INPUT, "the Content-Type must be %s", JSON_TYPE);
	lan_reply_error(l, r, 415, &e);
	return false;
}

/* Who asks: a token when one is shown, otherwise the certificate that gate saw. */
static const char *terminal_of(const struct lan *l, const struct http_request *r)
{
	static const char scheme[] = "Bearer ";
	const char *shown = http_header(r, "Authorization");
	if (shown == NULL)
		return terminal_of_certificate(l->c.terminals, http_peer(r));
	if (strncasecmp(shown, scheme, sizeof(scheme) - 1) != 0)
		return NULL;
	return terminal_of_token(l->c.terminals, shown + sizeof(scheme) - 1);
}

static void reply_unauthorised(struct lan *l, struct http_request *r)
{
	struct err e;
	l->n.unauthorised++;
	err_set(&e, ERR_DENIED, "no, a wrong or a revoked credential");
	http_reply_header(r, "WWW-Authenticate", "Bearer");
	lan_reply_error(l, r, 401, &e);
}

/* Routes */

static void route_decision(struct lan *l, struct http_request *r, const char *terminal, const char *id)
{
	uint8_t raw[DECISION_ID_LEN];
	struct buf body, out;
	struct err e = { 0 };
	(void)terminal;
	if (strlen(id) != sizeof(raw) * 2 || !hex_decode(id, raw, sizeof(raw))) {
		err_set(&e, ERR_MISSING, "no such decision");
		lan_reply_error(l, r, 404, &e);
		return;
	}
	buf_init(&body, JOURNAL_ROW_MAX);
	buf_init(&out, LAN_REPLY_MAX);
	bool ok = record_find(l->c.record, JOURNAL_DECISION, raw, &body, &e) &&
		  decision_decode(buf_bytes(&body), &l->decision, &e);
	if (ok) {
		check_decision_json(&l->decision, documents_policy(l->c.documents), &out);
		ok = buf_ok(&out, "decision", &e);
	}
	if (ok)
		lan_reply(l, r, 200, &out);
	else
		lan_reply_error(l, r, e.code == ERR_MISSING ? 404 : 500, &e);
	buf_clear(&body);
	buf_clear(&out);
}

static void route_check(struct lan *l, struct http_request *r, const char *terminal, const char *rest)
{
	(void)rest;
	if (lan_is_json(l, r))
		lan_check(l, r, terminal);
}

static void route_scan(struct lan *l, struct http_request *r, const char *terminal, const char *rest)
{
	(void)rest;
	if (lan_is_json(l, r))
		lan_scan(l, r, terminal);
}

static void route_scan_show(struct lan *l, struct http_request *r, const char *terminal, const char *rest)
{
	(void)terminal;
	lan_scan_show(l, r, rest);
}

static void route_scanning(struct lan *l, struct http_request *r, const char *terminal, const char *rest)
{
	(void)rest;
	if (lan_is_json(l, r))
		lan_scanning(l, r, terminal);
}

static void route_stream(struct lan *l, struct http_request *r, const char *terminal, const char *rest)
{
	(void)rest;
	lan_stream(l, r, terminal);
}

static void route_certificates(struct lan *l, struct http_request *r, const char *terminal, const char *rest)
{
	(void)rest;
	lan_certificates(l, r, terminal);
}

static void route_report(struct lan *l, struct http_request *r, const char *terminal, const char *rest)
{
	(void)rest;
	if (lan_is_json(l, r))
		lan_report(l, r, terminal);
}

static void route_account(struct lan *l, struct http_request *r, const char *terminal, const char *rest)
{
	(void)rest;
	if (lan_is_json(l, r))
		lan_account(l, r, terminal, ACCOUNT_SHOW, NULL);
}

static void route_redeem(struct lan *l, struct http_request *r, const char *terminal, const char *rest)
{
	(void)rest;
	if (lan_is_json(l, r))
		lan_account(l, r, terminal, ACCOUNT_REDEEM, NULL);
}

/* Which of the two ends, the body says. */
static void route_redemption(struct lan *l, struct http_request *r, const char *terminal, const char *rest)
{
	if (lan_is_json(l, r))
		lan_account(l, r, terminal, ACCOUNT_POST, rest);
}

static void route_duties(struct lan *l, struct http_request *r, const char *terminal, const char *rest)
{
	(void)rest;
	lan_duties(l, r, terminal);
}

static void route_status(struct lan *l, struct http_request *r, const char *terminal, const char *rest)
{
	(void)terminal, (void)rest;
	lan_status(l, r);
}

static void route_health(struct lan *l, struct http_request *r, const char *terminal, const char *rest)
{
	(void)terminal, (void)rest;
	lan_health(l, r);
}

static void route_metrics(struct lan *l, struct http_request *r, const char *terminal, const char *rest)
{
	(void)terminal, (void)rest;
	lan_metrics(l, r);
}

struct route {
	const char *method, *path; /* a path that ends with '/' takes one more segment */
	bool open;                 /* no credential asked for */
	bool large;                /* takes a picture: HTTP_SCAN_MAX, not HTTP_BODY_MAX */
	void (*handle)(struct lan *l, struct http_request *r, const char *terminal, const char *rest);
};
static const struct route routes[] = {
	{ "POST", "/v1/checks", false, false, route_check },
	{ "GET", "/v1/decisions/", false, false, route_decision },
	{ "POST", "/v1/scans", false, true, route_scan },
	{ "GET", "/v1/scans/", false, false, route_scan_show },
	{ "PUT", "/v1/scanning", false, false, route_scanning },
	{ "GET", "/v1/stream", false, false, route_stream },
	{ "GET", "/v1/certificates", false, false, route_certificates },
	{ "POST", "/v1/reports", false, false, route_report },
	{ "POST", "/v1/carbon/account", false, false, route_account },
	{ "POST", "/v1/carbon/redemptions", false, false, route_redeem },
	{ "POST", "/v1/carbon/redemptions/", false, false, route_redemption },
	{ "GET", "/v1/duties", false, false, route_duties },
	{ "GET", "/v1/status", false, false, route_status },
	{ "GET", "/healthz", true, false, route_health },
	{ "GET", "/metrics", true, false, route_metrics },
};

static const char *route_match(const struct route *route, const char *path)
{
	size_t len = strlen(route->path);
	if (route->path[len - 1] != '/')
		return strcmp(path, route->path) == 0 ? "" : NULL;
	if (strncmp(path, route->path, len) != 0 || path[len] == '\0' || strchr(path + len, '/') != NULL)
		return NULL;
	return path + len;
}

static void route_run(struct lan *l, struct http_request *r, const struct route *route, const char *rest,
		      const char *as)
{
	const char *terminal = as != NULL ? as : "";
	if (strcmp(http_method(r), route->method) != 0) {
		reply_method(l, r, route->method);
		return;
	}
	if (http_body(r).len > HTTP_BODY_MAX && !route->large) {
		reply_too_long(l, r);
		return;
	}
	if (as == NULL && !route->open)
		terminal = terminal_of(l, r);
	if (terminal == NULL)
		reply_unauthorised(l, r);
	else
		route->handle(l, r, terminal, rest);
}

void lan_handle_as(struct lan *l, struct http_request *r, const char *terminal)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const char *rest = route_match(&routes[i], http_path(r));
		if (rest == NULL)
			continue;
		route_run(l, r, &routes[i], rest, terminal);
		return;
	}
	reply_not_found(l, r);
}

void lan_handle(struct http_request *r, void *arg)
{
	lan_handle_as(arg, r, NULL);
}
