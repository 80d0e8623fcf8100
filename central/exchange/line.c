#include "central/exchange/line.h"

#include "protocol/base/http.h"
#include "protocol/base/limits.h"
#include "protocol/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAULT_WAIT_S 60 /* after our own database said no */

/* A request under way. An operator may ask for another period meanwhile; its answer is nobody's then. */
struct slot {
	char name[NAME_MAX_LEN + 1]; /* who is to answer; "" free */
	char period[11], cursor[EXCHANGE_CURSOR_MAX + 1];
};
struct exchange_line {
	struct exchange_line_config config;
	struct slot open[EXCHANGES_MAX];
};

struct exchange_line *exchange_line_new(const struct exchange_line_config *c)
{
	struct exchange_line *l = calloc(1, sizeof(*l));
	if (l == NULL)
		abort();
	l->config = *c;
	return l;
}

void exchange_line_free(struct exchange_line *l)
{
	free(l);
}

static struct slot *slot_of(struct exchange_line *l, const char *name)
{
	for (size_t i = 0; i < EXCHANGES_MAX; i++)
		if (strcmp(l->open[i].name, name) == 0)
			return &l->open[i];
	return NULL;
}

/* --- requests --- */

static void head_put(struct buf *out, const char *method, const struct exchange_url *u, const char *path)
{
	buf_add_fmt(out, "%s %s HTTP/1.1\r\nHost: %s", method, path, u->host);
	if (u->port != 443)
		buf_add_fmt(out, ":%d", u->port);
	buf_add_str(out, "\r\nConnection: close\r\nAccept: application/x-ndjson\r\n");
}

/* Nothing is appended when nothing waits. */
static bool push_request(struct exchange_line *l, struct exchange *x, const struct exchange_url *u, struct buf *out,
			 struct err *e)
{
	char key[2 * HASH_LEN + 1];
	struct buf body;
	buf_init(&body, EXCHANGE_BODY_MAX);
	bool ok = exchange_batch(l->config.release, x, &body, key, e);
	if (ok && key[0] != '\0') {
		head_put(out, "POST", u, u->path);
		buf_add_fmt(out,
			    "Content-Type: application/x-ndjson\r\nIdempotency-Key: \"%s\"\r\nContent-Length: "
			    "%zu\r\n\r\n",
			    key, body.len);
		buf_add(out, body.data, body.len);
		ok = buf_ok(out, "the request", e);
	}
	buf_clear(&body);
	return ok;
}

static bool pull_request(const struct exchange *x, const struct exchange_url *u, struct buf *out, struct err *e)
{
	struct buf path;
	char limit[16];
	snprintf(limit, sizeof(limit), "%d", EXCHANGE_PAGE_ROWS);
	buf_init(&path, 2048);
	buf_add_str(&path, u->path);
	http_query_add(&path, "period", x->period);
	http_query_add(&path, "limit", limit);
	if (x->cursor[0] != '\0')
		http_query_add(&path, "cursor", x->cursor);
	bool ok = buf_ok(&path, "the request", e);
	if (ok) {
		head_put(out, "GET", u, buf_str(&path));
		buf_add_str(out, "\r\n");
		ok = buf_ok(out, "the request", e);
	}
	buf_clear(&path);
	return ok;
}

static bool request_make(struct exchange_line *l, struct exchange *x, struct buf *out, struct err *e)
{
	struct exchange_url u;
	if (!exchange_url_read(x->url, &u, e))
		return false;
	if (x->direction == EXCHANGE_PUSH)
		return push_request(l, x, &u, out, e);
	return x->period[0] == '\0' || pull_request(x, &u, out, e);
}

/* When it is to be looked at again. */
static int64_t platform_step(struct exchange_line *l, struct exchange *x, int64_t now_s)
{
	struct buf request;
	struct err e = { 0 };
	if (slot_of(l, x->name) != NULL)
		return EXCHANGE_NEVER_S;
	if (x->next_s > now_s)
		return x->next_s;
	buf_init(&request, EXCHANGE_BODY_MAX + HTTP_HEADERS_MAX);
	bool ok = request_make(l, x, &request, &e);
	int64_t again = EXCHANGE_NEVER_S;
	if (!ok) {
		log_error("nothing was exchanged", "platform=%s why=\"%s\"", x->name, e.text);
		again = now_s + FAULT_WAIT_S;
	} else if (request.len > 0) {
		struct slot *slot = slot_of(l, "");
		snprintf(slot->name, sizeof(slot->name), "%s", x->name);
		snprintf(slot->period, sizeof(slot->period), "%s", x->period);
		snprintf(slot->cursor, sizeof(slot->cursor), "%s", x->cursor);
		if (!l->config.send(l->config.arg, x->name, buf_bytes(&request), &e)) {
			exchange_line_answered(l, x->name, NULL, &e, now_s);
			again = now_s + 1;
		}
	}
	buf_wipe(&request);
	return again;
}

int64_t exchange_line_step(struct exchange_line *l, int64_t now_s)
{
	struct exchange *all = calloc(EXCHANGES_MAX, sizeof(*all));
	int64_t next = EXCHANGE_NEVER_S;
	struct err e = { 0 };
	size_t len = 0;
	if (all == NULL)
		abort();
	if (!exchange_all(l->config.release, all, &len, &e)) {
		log_error("nothing was exchanged", "why=\"%s\"", e.text);
		next = now_s + FAULT_WAIT_S;
		len = 0;
	}
	for (size_t i = 0; i < len; i++) {
		int64_t at = platform_step(l, &all[i], now_s);
		next = at < next ? at : next;
	}
	free(all);
	return next;
}

/* --- answers --- */

/* At the earliest when the platform said. */
static bool retry_put_off(struct exchange_line *l, struct exchange *x, const struct http_answer *a, int64_t now_s,
			  struct err *e)
{
	int64_t least = now_s + http_retry_after_s(a->retry_after, now_s);
	if (least <= now_s || x->next_s >= least || x->tries == 0)
		return true;
	x->next_s = least;
	return exchange_save(l->config.release, x, e);
}

static bool pull_failed(struct exchange_line *l, struct exchange *x, const char *why, int64_t now_s, struct err *e)
{
	if (x->period[0] == '\0') /* it ended, and said why */
		return true;
	snprintf(x->fault, sizeof(x->fault), "%.190s", why);
	x->tries++;
	x->next_s = x->tries < EXCHANGE_TRIES ? now_s + exchange_wait_s(l->config.release->random, x->tries)
					      : EXCHANGE_NEVER_S;
	return exchange_save(l->config.release, x, e);
}

static bool pull_answered(struct exchange_line *l, struct exchange *x, const struct http_answer *a, int64_t now_s,
			  struct err *e)
{
	char why[64];
	struct err bad = { 0 };
	if (a->status != 200) {
		snprintf(why, sizeof(why), "HTTP %d", a->status);
		return pull_failed(l, x, why, now_s, e);
	}
	return exchange_page(l->config.release, x, buf_bytes(&a->body), now_s, &bad) ||
	       pull_failed(l, x, bad.text, now_s, e);
}

static bool answer_take(struct exchange_line *l, struct exchange *x, const struct http_answer *a,
			const struct err *why, int64_t now_s, struct err *e)
{
	static const struct bytes nothing = { (const uint8_t *)"", 0 };
	struct release_context *c = l->config.release;
	if (x->direction == EXCHANGE_PULL)
		return a != NULL ? pull_answered(l, x, a, now_s, e) && retry_put_off(l, x, a, now_s, e)
				 : pull_failed(l, x, why->text, now_s, e);
	if (a != NULL)
		return exchange_batch_answered(c, x, a->status, buf_bytes(&a->body), now_s, e) &&
		       retry_put_off(l, x, a, now_s, e);
	snprintf(x->fault, sizeof(x->fault), "%.190s", why->text);
	return exchange_batch_answered(c, x, 0, nothing, now_s, e);
}

void exchange_line_answered(struct exchange_line *l, const char *name, const struct http_answer *answer,
			    const struct err *why, int64_t now_s)
{
	struct exchange *x = calloc(1, sizeof(*x));
	struct err e = { 0 };
	struct slot *slot = slot_of(l, name);
	if (x == NULL)
		abort();
	/* One that was ended meanwhile is not there any more. */
	bool there = exchange_load(l->config.release, name, x, &e);
	bool asked = slot != NULL && strcmp(slot->period, x->period) == 0 && strcmp(slot->cursor, x->cursor) == 0;
	if (slot != NULL)
		slot->name[0] = '\0';
	if (there && asked && !answer_take(l, x, answer, why, now_s, &e))
		log_error("an answer was not stored", "platform=%s why=\"%s\"", name, e.text);
	free(x);
}
