/* What a visitor asks for, and the answers. */
#include "central/department/visitor.h"

#include "central/ingest/batch_json.h"
#include "central/store/store.h"
#include "protocol/base/http.h"
#include "protocol/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int64_t visitor_now_s(const struct visitor *v)
{
	return v->port->config.now_s();
}

static void answer(struct visitor *v, int status, const char *type, struct bytes body)
{
	buf_reset(&v->out);
	buf_add_fmt(&v->out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		    status, http_reason(status), type, body.len);
	buf_add(&v->out, body.data, body.len);
	v->put = 0;
	v->state = ANSWERING;
	v->moved = 0;
	loop_timer_set(v->timer, v->port->config.slow_ms);
	loop_fd_set(v->watch, LOOP_WRITE);
}

void visitor_refuse_as(struct visitor *v, int status, const struct err *e)
{
	struct buf body;
	buf_init(&body, 4096);
	struct json_out w = { .out = &body };
	json_open(&w, NULL, '{');
	json_put_text(&w, "error", err_name(e->code));
	json_put_text(&w, "message_zh", err_zh(e->code));
	json_put_text(&w, "message", e->text);
	json_close(&w, '}');
	log_warn("a department was refused", "certificate=%s status=%d why=\"%s\"", v->department.name, status,
		 e->text);
	upload_clear(&v->upload, e->text, visitor_now_s(v));
	answer(v, status, "application/json", buf_bytes(&body));
	buf_clear(&body);
}

static int status_of(enum err_code code)
{
	switch (code) {
	case ERR_NONE: return 200;
	case ERR_INPUT: return 400;
	case ERR_DENIED: return 403;
	case ERR_MISSING: return 404;
	case ERR_CONFLICT:
	case ERR_STALE: return 409;
	case ERR_FULL: return 507;
	case ERR_IO: break;
	}
	return 500;
}

void visitor_refuse(struct visitor *v, const struct err *e)
{
	visitor_refuse_as(v, status_of(e->code), e);
}

void visitor_answer_batch(struct visitor *v, int64_t id, bool late)
{
	struct batch b;
	struct buf body;
	struct err e = { 0 };
	if (!batch_load(v->port->config.release, id, &b, &e)) {
		visitor_refuse(v, &e);
		return;
	}
	buf_init(&body, 262144);
	struct json_out w = { .out = &body };
	batch_json_put(&w, &b);
	answer(v, late ? 202 : 200, "application/json", buf_bytes(&body));
	buf_clear(&body);
}

/* --- what is asked for --- */

/* A department sees its own batches; of others it learns nothing. */
static bool batch_of(struct visitor *v, const char *text, struct batch *b, struct err *e)
{
	struct err why = { 0 };
	char *end = NULL;
	long long id = strtoll(text, &end, 10);
	bool number = text[0] >= '1' && text[0] <= '9' && *end == '\0';
	if (number && batch_load(v->port->config.release, id, b, &why) &&
	    department_owns(v->port->config.release->db, &v->department, b->source, &why))
		return true;
	return err_set(e, ERR_MISSING, "department %s has no batch of this number", v->department.code);
}

/* Persons' data in the clear: in the audit before it leaves. */
static void rejects_give(struct visitor *v, const struct batch *b)
{
	struct release_context *c = v->port->config.release;
	struct buf body;
	struct err e = { 0 };
	char detail[64];
	bool ok = db_begin(c->db, &e);
	snprintf(detail, sizeof(detail), "batch %lld, period %s", (long long)b->id, b->period);
	if (ok && (!audit_add(c->db, visitor_now_s(v), v->department.name, "batch.rejects", b->source, detail, &e) ||
		   !db_commit(c->db, &e))) {
		db_rollback(c->db);
		ok = false;
	}
	buf_init(&body, DEPARTMENT_ANSWER_MAX - 1024);
	if (ok && batch_rejects(c, b->id, &body, &e) && buf_ok(&body, "the answer", &e))
		answer(v, 200,
		       b->intake.encoding == ENCODING_GB18030 ? "text/csv; charset=gb18030"
							      : "text/csv; charset=utf-8",
		       buf_bytes(&body));
	else
		visitor_refuse(v, &e);
	buf_clear(&body);
}

static void get(struct visitor *v, const char *path)
{
	static const char prefix[] = "/v1/batches/", suffix[] = "/rejects";
	char rest[32];
	struct batch b;
	struct err e = { 0 };
	if (strncmp(path, prefix, sizeof(prefix) - 1) != 0) {
		err_set(&e, ERR_MISSING, "there is no such address");
		visitor_refuse(v, &e);
		return;
	}
	snprintf(rest, sizeof(rest), "%s", path + sizeof(prefix) - 1);
	char *slash = strchr(rest, '/');
	bool rejects = slash != NULL && strcmp(slash, suffix) == 0;
	if (rejects)
		*slash = '\0';
	if (!batch_of(v, rest, &b, &e))
		visitor_refuse(v, &e);
	else if (rejects)
		rejects_give(v, &b);
	else
		visitor_answer_batch(v, b.id, false);
}

/* --- an upload --- */

void visitor_check_wait(struct visitor *v, int64_t id)
{
	v->batch = id;
	v->state = CHECKING;
	loop_fd_set(v->watch, 0);
	loop_timer_set(v->timer, v->port->config.answer_ms);
	loop_timer_set(v->port->check, 0);
}

static bool room_for(struct visitor *v, struct err *e)
{
	size_t busy = 0;
	for (const struct visitor *o = v->port->visitors; o != NULL; o = o->next) {
		if (o == v || o->upload.batch == 0)
			continue;
		busy++;
		if (strcmp(o->upload.source, v->upload.source) == 0 &&
		    strcmp(o->upload.period, v->upload.period) == 0)
			return err_set(e, ERR_CONFLICT, "another upload of %s %s is under way: wait for its end",
				       v->upload.source, v->upload.period);
	}
	return busy < DEPARTMENT_UPLOADS_MAX ||
	       err_set(e, ERR_FULL, "%d uploads are under way: try again in a minute", DEPARTMENT_UPLOADS_MAX);
}

static void upload_start(struct visitor *v, const char *source, const struct asked *h)
{
	static const char go[] = "HTTP/1.1 100 Continue\r\n\r\n";
	char file[ASKED_VALUE_MAX + 1], as_of[ASKED_VALUE_MAX + 1];
	struct batch_new n;
	struct err e = { 0 };
	int64_t id = 0;
	bool wanted = false;
	if (!upload_read(&v->upload, source, h, &n, file, as_of, &e)) {
		visitor_refuse_as(v, e.code == ERR_FULL ? 413 : !h->sized ? 411 : status_of(e.code), &e);
		return;
	}
	if (!room_for(v, &e)) {
		visitor_refuse_as(v, e.code == ERR_FULL ? 429 : 409, &e);
		return;
	}
	if (!upload_begin(&v->upload, &n, visitor_now_s(v), &id, &wanted, &e)) {
		visitor_refuse(v, &e);
		return;
	}
	if (!wanted) {
		visitor_check_wait(v, id);
		return;
	}
	log_info("a department sends", "certificate=%s source=%s period=%s batch=%lld bytes=%llu", v->department.name,
		 v->upload.source, v->upload.period, (long long)id, (unsigned long long)v->upload.size);
	v->batch = id;
	v->state = BODY;
	v->moved = 0;
	loop_timer_set(v->timer, v->port->config.slow_ms);
	if (h->expects) /* into an empty socket */
		(void)!send(v->fd, go, sizeof(go) - 1, MSG_NOSIGNAL);
}

void visitor_route(struct visitor *v, const struct asked *h)
{
	static const char prefix[] = "/v1/sources/", suffix[] = "/upload";
	struct err e = { 0 };
	char source[sizeof(h->path)];
	if (strcmp(h->method, "GET") == 0) {
		get(v, h->path);
		return;
	}
	snprintf(source, sizeof(source), "%s", h->path);
	char *end = strrchr(source, '/');
	if (strncmp(h->path, prefix, sizeof(prefix) - 1) != 0 || strcmp(end, suffix) != 0 ||
	    end < source + sizeof(prefix)) {
		err_set(&e, ERR_MISSING, "there is no such address");
		visitor_refuse(v, &e);
		return;
	}
	if (strcmp(h->method, "POST") != 0 && strcmp(h->method, "PUT") != 0) {
		err_set(&e, ERR_INPUT, "a file comes by POST or PUT");
		visitor_refuse_as(v, 405, &e);
		return;
	}
	*end = '\0';
	upload_start(v, source + sizeof(prefix) - 1, h);
}
