#include "central/branch/enrol_port.h"

#include "protocol/base/json.h"
#include "protocol/base/pki.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX     32768U
#define IDLE_TIMEOUT_S 30

/* One that the signer is at. */
struct waiting {
	struct enrol_port *port;
	struct http_request *request;
	struct enrolment enrolment;
	struct waiting *next;
};

struct enrol_port {
	struct enrol_port_config config;
	struct http_server *server;
	struct enrol_limit limit;
	struct waiting *waiting; /* owned */
};

static int status_of(enum err_code code)
{
	switch (code) {
	case ERR_INPUT: return 400;
	case ERR_DENIED: return 403;
	case ERR_MISSING: return 404;
	case ERR_STALE:
	case ERR_CONFLICT: return 409;
	case ERR_FULL: return 429;
	case ERR_NONE:
	case ERR_IO: break;
	}
	return 503;
}

static void reply_error(struct http_request *r, const struct err *e)
{
	struct buf out;
	buf_init(&out, ANSWER_MAX);
	struct json_out w = { &out, false };
	json_open(&w, NULL, '{');
	json_put_text(&w, "error", err_name(e->code));
	json_put_text(&w, "message_zh", err_zh(e->code));
	json_put_text(&w, "message", e->text);
	json_close(&w, '}');
	http_reply(r, status_of(e->code), "application/json", buf_bytes(&out));
	buf_clear(&out);
}

static void reply_certificate(struct enrol_port *p, struct http_request *r, const struct enrolment *enrolment,
			      struct bytes cert)
{
	struct buf out;
	struct err e = { 0 };
	struct enrol_answer a = {
		.cert = cert,
		.ca = p->config.ca,
		.head_key = signer_head_key(p->config.signer),
		.seal_key = p->config.seal_key,
		.broker_host = p->config.broker_host,
		.broker_port = p->config.broker_port,
		.now_s = p->config.now_s(),
	};
	buf_init(&out, ANSWER_MAX);
	bool ok = a.head_key != NULL || err_set(&e, ERR_IO, "the signer has not started yet");
	if (ok && enrol_reply(enrolment, &a, &out, &e))
		http_reply(r, 200, "application/json", buf_bytes(&out));
	else
		reply_error(r, &e);
	buf_clear(&out);
}

static void waiting_free(struct waiting *w)
{
	enrolment_clear(&w->enrolment);
	free(w);
}

static void waiting_unlink(struct waiting *w)
{
	for (struct waiting **at = &w->port->waiting; *at != NULL; at = &(*at)->next) {
		if (*at == w) {
			*at = w->next;
			return;
		}
	}
}

static void on_signed(void *arg, struct bytes cert, const struct err *why)
{
	struct waiting *w = arg;
	struct enrol_port *p = w->port;
	struct err e = { 0 };
	waiting_unlink(w);
	if (cert.data == NULL) {
		reply_error(w->request, why);
	} else if (!enrol_finish(p->config.db, &w->enrolment, cert, p->config.now_s(), &e)) {
		reply_error(w->request, &e);
	} else {
		reply_certificate(p, w->request, &w->enrolment, cert);
		p->config.enrolled(p->config.arg, w->enrolment.branch);
	}
	waiting_free(w);
}

static bool sign_ask(struct enrol_port *p, struct waiting *w, struct err *e)
{
	const char *sans[ENROL_SANS_MAX];
	int64_t now_s = p->config.now_s();
	for (size_t i = 0; i < w->enrolment.sans_len; i++)
		sans[i] = w->enrolment.sans[i];
	struct signer_request r = {
		.name = w->enrolment.branch,
		.csr = buf_bytes(&w->enrolment.csr),
		.sans = sans,
		.sans_len = w->enrolment.sans_len,
		.from_s = now_s - ENROL_EARLIER_S,
		.to_s = now_s + ENROL_CERT_S,
	};
	return signer_issue(p->config.signer, &r, on_signed, w, e);
}

static void enrol(struct enrol_port *p, struct http_request *request)
{
	struct err e = { 0 };
	struct buf cert;
	struct waiting *w = calloc(1, sizeof(*w));
	if (w == NULL)
		abort();
	w->port = p;
	w->request = request;
	buf_init(&cert, PKI_CERT_MAX);
	bool kept = false;
	bool ok = enrol_begin(p->config.db, p->config.random, http_body(request), p->config.now_s(), &w->enrolment,
			      &cert, &e) &&
		  enrol_names_check(&w->enrolment, p->config.broker_host, &e);
	if (ok && cert.len == 0)
		ok = kept = sign_ask(p, w, &e);
	if (kept) {
		w->next = p->waiting;
		p->waiting = w;
	} else if (ok) {
		reply_certificate(p, request, &w->enrolment, buf_bytes(&cert));
	} else {
		reply_error(request, &e);
	}
	buf_clear(&cert);
	if (!kept)
		waiting_free(w);
}

static void on_request(struct http_request *r, void *arg)
{
	struct enrol_port *p = arg;
	struct err e = { 0 };
	if (strcmp(http_path(r), "/healthz") == 0) {
		http_reply(r, 200, "text/plain", bytes_of("ok\n"));
	} else if (strcmp(http_path(r), "/v1/enrol") != 0) {
		err_set(&e, ERR_MISSING, "nothing here");
		reply_error(r, &e);
	} else if (strcmp(http_method(r), "POST") != 0) {
		err_set(&e, ERR_INPUT, "enrolment is a POST");
		reply_error(r, &e);
	} else if (!enrol_limit_take(&p->limit, loop_now_ms())) {
		err_set(&e, ERR_FULL, "too many enrolments at once: try again in a minute");
		reply_error(r, &e);
	} else {
		enrol(p, r);
	}
}

struct enrol_port *enrol_port_open(struct loop *l, const struct enrol_port_config *c, struct err *e)
{
	struct enrol_port *p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	p->config = *c;
	struct http_config http = { .path = c->path, .body_max = ENROL_BODY_MAX, .idle_timeout_s = IDLE_TIMEOUT_S };
	p->server = http_listen(l, &http, on_request, p, e);
	if (p->server != NULL)
		return p;
	free(p);
	return NULL;
}

void enrol_port_close(struct enrol_port *p)
{
	if (p == NULL)
		return;
	while (p->waiting != NULL) {
		struct waiting *w = p->waiting;
		p->waiting = w->next;
		signer_cancel(p->config.signer, w);
		waiting_free(w);
	}
	http_close(p->server); /* answers 503 to those that still wait */
	free(p);
}
