#include "central/department/port.h"

#include "central/department/visitor.h"
#include "protocol/base/http.h"
#include "protocol/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SLOW_MS      30000
#define ANSWER_MS    20000
#define DRAIN_MS     5000
#define AGAIN_MS     5000 /* a check that failed */
#define READ_SIZE    65536
#define READS_A_TURN 4

static void visitor_free(struct visitor *v, const char *why)
{
	struct department_port *p = v->port;
	struct visitor **at = &p->visitors;
	while (*at != v)
		at = &(*at)->next;
	*at = v->next;
	p->visitors_len--;
	upload_clear(&v->upload, why, visitor_now_s(v));
	loop_fd_free(v->watch);
	loop_timer_free(v->timer);
	close(v->fd);
	buf_clear(&v->head);
	buf_clear(&v->out);
	free(v);
}

/* --- the connection --- */

static void body_take(struct visitor *v, struct bytes piece)
{
	struct err e = { 0 };
	v->moved += piece.len;
	if (!upload_bytes(&v->upload, piece, visitor_now_s(v), &e))
		visitor_refuse(v, &e);
	else if (v->upload.got == v->upload.size)
		visitor_check_wait(v, v->batch);
}

static void head_take(struct visitor *v, struct bytes piece)
{
	struct asked h;
	struct err e = { 0 };
	size_t used = 0;
	if (!buf_add(&v->head, piece.data, piece.len))
		err_set(&e, ERR_FULL, "the request's head is too long");
	if (e.code != ERR_NONE || !asked_parse(buf_bytes(&v->head), &h, &used, &e)) {
		visitor_refuse_as(v, 400, &e);
		return;
	}
	if (used == 0)
		return;
	if (!v->known) {
		struct department d;
		if (!department_may_send(v->port->config.release->db, v->department.name, &d, &e)) {
			visitor_refuse(v, &e);
			return;
		}
		v->department = v->upload.department = d;
		v->known = true;
	}
	visitor_route(v, &h);
	struct bytes rest = { v->head.data + used, v->head.len - used };
	if (v->state == BODY && rest.len > 0)
		body_take(v, rest);
}

static void line_ended(struct visitor *v)
{
	struct err e = { 0 };
	if (v->state != BODY) {
		visitor_free(v, "the line was cut");
		return;
	}
	err_set(&e, ERR_INPUT, "the line was cut at %llu of %llu bytes: nothing was kept, send it again",
		(unsigned long long)v->upload.got, (unsigned long long)v->upload.size);
	visitor_refuse_as(v, 400, &e);
}

static void visitor_read(struct visitor *v)
{
	static uint8_t piece[READ_SIZE];
	for (int i = 0; i < READS_A_TURN && v->state != CHECKING && v->state != ANSWERING; i++) {
		ssize_t n = recv(v->fd, piece, sizeof(piece), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			line_ended(v);
			return;
		}
		if (v->state == HEAD)
			head_take(v, (struct bytes){ piece, (size_t)n });
		else if (v->state == BODY)
			body_take(v, (struct bytes){ piece, (size_t)n });
	}
}

static void visitor_write(struct visitor *v)
{
	while (v->put < v->out.len) {
		ssize_t n = send(v->fd, v->out.data + v->put, v->out.len - v->put, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			visitor_free(v, NULL);
			return;
		}
		v->put += (size_t)n;
		v->moved += (uint64_t)n;
	}
	shutdown(v->fd, SHUT_WR);
	v->state = DRAINING;
	loop_timer_set(v->timer, DRAIN_MS);
	loop_fd_set(v->watch, LOOP_READ);
}

static void on_ready(void *arg, unsigned what)
{
	struct visitor *v = arg;
	(void)what;
	if (v->state == ANSWERING)
		visitor_write(v);
	else
		visitor_read(v);
}

static void on_late(void *arg)
{
	struct visitor *v = arg;
	struct err e = { 0 };
	if (v->state == CHECKING) {
		visitor_answer_batch(v, v->batch, true);
	} else if ((v->state == BODY && v->moved >= DEPARTMENT_SLOW_BYTES) ||
		   (v->state == ANSWERING && v->moved > 0)) {
		v->moved = 0;
		loop_timer_set(v->timer, v->port->config.slow_ms);
	} else if (v->state == HEAD || v->state == BODY) {
		err_set(&e, ERR_INPUT, "too slow: fewer than %u bytes in %lld s; nothing was kept",
			DEPARTMENT_SLOW_BYTES, (long long)v->port->config.slow_ms / 1000);
		visitor_refuse_as(v, 408, &e);
	} else {
		visitor_free(v, NULL);
	}
}

static void on_visitor(void *arg, unsigned what)
{
	struct department_port *p = arg;
	struct err e = { 0 };
	(void)what;
	int fd = accept4(p->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	struct visitor *v = calloc(1, sizeof(*v));
	if (v == NULL)
		abort();
	*v = (struct visitor){ .port = p, .fd = fd, .next = p->visitors };
	p->visitors = v;
	p->visitors_len++;
	http_peer_read(fd, v->department.name, sizeof(v->department.name));
	buf_init(&v->head, ASKED_MAX + READ_SIZE);
	buf_init(&v->out, DEPARTMENT_ANSWER_MAX);
	upload_init(&v->upload, p->config.release, &v->department);
	v->timer = loop_timer_new(p->loop, on_late, v);
	v->watch = loop_fd_new(p->loop, fd, LOOP_READ, on_ready, v);
	loop_timer_set(v->timer, p->config.slow_ms);
	if (p->visitors_len <= DEPARTMENT_VISITORS_MAX)
		return;
	err_set(&e, ERR_FULL, "too many connections: try again in a minute");
	visitor_refuse_as(v, 429, &e);
}

/* --- checking --- */

static void answer_checked(struct department_port *p)
{
	for (struct visitor *v = p->visitors; v != NULL; v = v->next) {
		struct batch b;
		struct err e = { 0 };
		if (v->state != CHECKING)
			continue;
		bool there = batch_load(p->config.release, v->batch, &b, &e);
		if (!there || b.state != BATCH_CHECKING)
			visitor_answer_batch(v, v->batch, false);
	}
}

/* A slice a turn, whoever waits for it. */
static void on_check(void *arg)
{
	struct department_port *p = arg;
	struct err e = { 0 };
	int64_t id = 0;
	if (!batch_unfinished(p->config.release, DEPARTMENT_PREFIX, BATCH_CHECKING, &id, &e) ||
	    (id != 0 && !batch_check(p->config.release, id, p->config.now_s(), &e))) {
		log_error("a department's batch was not checked", "batch=%lld why=\"%s\"", (long long)id, e.text);
		loop_timer_set(p->check, AGAIN_MS);
		return;
	}
	answer_checked(p);
	if (id != 0)
		loop_timer_set(p->check, 0);
}

/* --- open and close --- */

static bool port_listen(struct department_port *p, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	snprintf(p->path, sizeof(p->path), "%s", p->config.path);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", p->config.path);
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(p->path);
	mode_t old = umask(0177);
	bool ok = p->fd >= 0 && bind(p->fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
		  listen(p->fd, DEPARTMENT_VISITORS_MAX) == 0;
	umask(old);
	return ok || err_set(e, ERR_IO, "cannot listen on %.120s: %s", p->path, strerror(errno));
}

static bool leftovers_erase(struct department_port *p, struct err *e)
{
	int64_t id = 0;
	for (;;) {
		if (!batch_unfinished(p->config.release, DEPARTMENT_PREFIX, BATCH_LOADING, &id, e))
			return false;
		if (id == 0)
			return true;
		if (!batch_abandon(p->config.release, id, "centrald ended in the middle of it", p->config.now_s(), e))
			return false;
	}
}

struct department_port *department_port_open(struct loop *l, const struct department_port_config *c, struct err *e)
{
	struct department_port *p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	p->config = *c;
	p->config.slow_ms = c->slow_ms != 0 ? c->slow_ms : SLOW_MS;
	p->config.answer_ms = c->answer_ms != 0 ? c->answer_ms : ANSWER_MS;
	p->loop = l;
	p->fd = -1;
	p->check = loop_timer_new(l, on_check, p);
	loop_timer_set(p->check, 0);
	if (leftovers_erase(p, e) && port_listen(p, e)) {
		p->watch = loop_fd_new(l, p->fd, LOOP_READ, on_visitor, p);
		return p;
	}
	department_port_close(p);
	return NULL;
}

void department_port_close(struct department_port *p)
{
	if (p == NULL)
		return;
	for (struct visitor *v = p->visitors, *next; v != NULL; v = next) {
		next = v->next;
		visitor_free(v, "centrald ends");
	}
	loop_fd_free(p->watch);
	loop_timer_free(p->check);
	if (p->fd >= 0) {
		close(p->fd);
		unlink(p->path);
	}
	free(p);
}
