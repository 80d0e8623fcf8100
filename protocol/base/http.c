/*
 * A request lives until its reply, though the connection may die before: then the reply goes nowhere. evhttp hands over one
 * request of a connection at a time, so at most one is open for each.
 */
#include "protocol/base/http.h"

#include "protocol/base/limits.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PEER_PREFIX "xb-gate/"
#define METHODS                                                                                                      \
	(EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |                   \
	 EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH)

struct http_request {
	struct http_server *server;
	struct evhttp_request *req; /* NULL once the client has left */
	char *path;                 /* decoded */
	struct evkeyvalq query;
	char peer[NAME_MAX_LEN * 2 + 1];
	struct http_request *next, *before;
	bool streaming;
	void (*closed)(void *arg); /* of a stream */
	void *closed_arg;
};

struct http_server {
	struct evhttp *http;
	http_handler *handler;
	void *arg;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct http_request *open;
};

static void request_free(struct http_request *r)
{
	if (r->before != NULL)
		r->before->next = r->next;
	else
		r->server->open = r->next;
	if (r->next != NULL)
		r->next->before = r->before;
	evhttp_clear_headers(&r->query);
	free(r->path);
	free(r);
}

static void client_left(struct evhttp_connection *conn, void *arg)
{
	struct http_request *r = arg;
	(void)conn;
	/* One that was not answered yet has been taken off its connection, and is ours now; any other goes with it. */
	if (evhttp_request_get_connection(r->req) == NULL)
		evhttp_request_free(r->req);
	r->req = NULL;
	if (!r->streaming)
		return;
	r->closed(r->closed_arg);
	request_free(r);
}

/* The name behind the second slash of the abstract address that gate has bound its end to. */
void http_peer_read(int fd, char *out, size_t size)
{
	struct sockaddr_un a = { 0 };
	socklen_t len = sizeof(a);
	out[0] = '\0';
	if (fd < 0 || getpeername(fd, (struct sockaddr *)&a, &len) != 0)
		return;
	size_t head = offsetof(struct sockaddr_un, sun_path) + 1;
	if (a.sun_family != AF_UNIX || len <= head || a.sun_path[0] != '\0')
		return;
	char text[sizeof(a.sun_path)];
	memcpy(text, a.sun_path + 1, len - head);
	text[len - head] = '\0';
	if (strncmp(text, PEER_PREFIX, strlen(PEER_PREFIX)) != 0)
		return;
	const char *name = strchr(text + strlen(PEER_PREFIX), '/');
	if (name != NULL && strlen(name + 1) < size)
		memcpy(out, name + 1, strlen(name + 1) + 1);
}

/* Every '%' starts an escape, and none is a NUL. */
static bool escapes_are_fine(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s != '%')
			continue;
		if (strspn(s + 1, "0123456789abcdefABCDEF") < 2 || (s[1] == '0' && s[2] == '0'))
			return false;
	}
	return true;
}

static bool target_read(struct http_request *r, const struct evhttp_uri *uri)
{
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
	const char *query = uri != NULL ? evhttp_uri_get_query(uri) : NULL;
	if (path == NULL || path[0] != '/' || !escapes_are_fine(path) || (query != NULL && !escapes_are_fine(query)))
		return false;
	r->path = evhttp_uridecode(path, 0, NULL);
	if (r->path == NULL)
		abort();
	return query == NULL || evhttp_parse_query_str(query, &r->query) == 0;
}

static void request_came(struct evhttp_request *req, void *arg)
{
	struct http_server *s = arg;
	struct http_request *r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	r->server = s;
	r->req = req;
	TAILQ_INIT(&r->query);
	r->next = s->open;
	if (s->open != NULL)
		s->open->before = r;
	s->open = r;
	struct evhttp_connection *conn = evhttp_request_get_connection(req);
	http_peer_read(bufferevent_getfd(evhttp_connection_get_bufferevent(conn)), r->peer, sizeof(r->peer));
	evhttp_connection_set_closecb(conn, client_left, r);
	struct evbuffer *body = evhttp_request_get_input_buffer(req);
	evbuffer_pullup(body, -1);
	if (!target_read(r, evhttp_request_get_evhttp_uri(req)))
		http_reply(r, 400, "text/plain; charset=utf-8", bytes_of("the request's address is malformed\n"));
	else
		s->handler(r, s->arg);
}

static int socket_listen(const char *path, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(a.sun_path)) {
		err_set(e, ERR_INPUT, "the socket's path is longer than %zu bytes: %.120s", sizeof(a.sun_path) - 1,
			path);
		return -1;
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		unlink(path);
		mode_t old = umask(0177);
		int bound = bind(fd, (struct sockaddr *)&a, sizeof(a));
		umask(old);
		if (bound == 0 && listen(fd, HTTP_CONNS_MAX) == 0)
			return fd;
	}
	err_set(e, ERR_IO, "cannot listen on %.120s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

struct http_server *http_listen(struct loop *l, const struct http_config *c, http_handler *handler, void *arg,
				struct err *e)
{
	int fd = socket_listen(c->path, e);
	if (fd < 0)
		return NULL;
	struct http_server *s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	s->http = evhttp_new(loop_base(l));
	if (s->http == NULL || evhttp_accept_socket_with_handle(s->http, fd) == NULL)
		abort();
	s->handler = handler;
	s->arg = arg;
	snprintf(s->path, sizeof(s->path), "%s", c->path);
	evhttp_set_max_body_size(s->http, (ev_ssize_t)c->body_max);
	evhttp_set_max_headers_size(s->http, HTTP_HEADERS_MAX);
	evhttp_set_allowed_methods(s->http, METHODS);
	evhttp_set_timeout(s->http, c->idle_timeout_s);
	evhttp_set_default_content_type(s->http, NULL);
	evhttp_set_gencb(s->http, request_came, s);
	return s;
}

void http_close(struct http_server *s)
{
	if (s == NULL)
		return;
	for (struct http_request *r = s->open, *next; r != NULL; r = next) {
		next = r->next;
		if (r->streaming) {
			r->closed(r->closed_arg);
			http_stream_end(r);
			continue;
		}
		http_reply(r, 503, "text/plain; charset=utf-8", bytes_of("closing\n"));
	}
	evhttp_free(s->http);
	unlink(s->path);
	free(s);
}

const char *http_method(const struct http_request *r)
{
	switch (r->req != NULL ? evhttp_request_get_command(r->req) : EVHTTP_REQ_GET) {
	case EVHTTP_REQ_GET: return "GET";
	case EVHTTP_REQ_POST: return "POST";
	case EVHTTP_REQ_HEAD: return "HEAD";
	case EVHTTP_REQ_PUT: return "PUT";
	case EVHTTP_REQ_DELETE: return "DELETE";
	case EVHTTP_REQ_OPTIONS: return "OPTIONS";
	case EVHTTP_REQ_TRACE: return "TRACE";
	case EVHTTP_REQ_CONNECT: return "CONNECT";
	case EVHTTP_REQ_PATCH: return "PATCH";
	}
	return "";
}

const char *http_path(const struct http_request *r)
{
	return r->path;
}

const char *http_query(const struct http_request *r, const char *key)
{
	return evhttp_find_header(&r->query, key);
}

const char *http_header(const struct http_request *r, const char *name)
{
	return r->req != NULL ? evhttp_find_header(evhttp_request_get_input_headers(r->req), name) : NULL;
}

struct bytes http_body(const struct http_request *r)
{
	if (r->req == NULL)
		return (struct bytes){ (const uint8_t *)"", 0 };
	struct evbuffer *body = evhttp_request_get_input_buffer(r->req);
	size_t len = evbuffer_get_length(body);
	/* One piece since request_came. */
	return len > 0 ? (struct bytes){ evbuffer_pullup(body, -1), len } : (struct bytes){ (const uint8_t *)"", 0 };
}

const char *http_peer(const struct http_request *r)
{
	return r->peer;
}

void http_reply_header(struct http_request *r, const char *name, const char *value)
{
	if (r->req != NULL)
		evhttp_add_header(evhttp_request_get_output_headers(r->req), name, value);
}

const char *http_reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} known[] = { { 200, "OK" },
		      { 201, "Created" },
		      { 202, "Accepted" },
		      { 204, "No Content" },
		      { 400, "Bad Request" },
		      { 401, "Unauthorized" },
		      { 403, "Forbidden" },
		      { 404, "Not Found" },
		      { 405, "Method Not Allowed" },
		      { 408, "Request Timeout" },
		      { 409, "Conflict" },
		      { 411, "Length Required" },
		      { 413, "Content Too Large" },
		      { 415, "Unsupported Media Type" },
		      { 422, "Unprocessable Content" },
		      { 429, "Too Many Requests" },
		      { 500, "Internal Server Error" },
		      { 503, "Service Unavailable" },
		      { 507, "Insufficient Storage" } };
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].status == status)
			return known[i].text;
	}
	return "Status";
}

void http_reply(struct http_request *r, int status, const char *content_type, struct bytes body)
{
	struct evhttp_request *req = r->req;
	if (req != NULL) {
		struct evbuffer *out = evbuffer_new();
		if (out == NULL || evbuffer_add(out, body.data, body.len) != 0)
			abort();
		if (content_type != NULL)
			http_reply_header(r, "Content-Type", content_type);
		evhttp_connection_set_closecb(evhttp_request_get_connection(req), NULL, NULL);
		evhttp_send_reply(req, status, http_reason(status), out);
		evbuffer_free(out);
	}
	request_free(r);
}

/* The client of our own tools */

void http_stream_start(struct http_request *r, const char *content_type, void (*closed)(void *arg), void *arg)
{
	http_reply_header(r, "Content-Type", content_type);
	r->streaming = true;
	r->closed = closed;
	r->closed_arg = arg;
	if (r->req == NULL)
		return;
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(r->req));
	evhttp_send_reply_start(r->req, 200, http_reason(200));
	bufferevent_set_timeouts(bev, NULL, NULL);
}

bool http_stream_send(struct http_request *r, struct bytes piece)
{
	if (r->req == NULL)
		return true; /* it left before the stream began; its end is told like any other's */
	struct evhttp_connection *conn = evhttp_request_get_connection(r->req);
	struct evbuffer *out = evbuffer_new();
	if (out == NULL || evbuffer_add(out, piece.data, piece.len) != 0)
		abort();
	evhttp_send_reply_chunk(r->req, out);
	evbuffer_free(out);
	if (evbuffer_get_length(bufferevent_get_output(evhttp_connection_get_bufferevent(conn))) <= HTTP_STREAM_MAX)
		return true;
	evhttp_connection_set_closecb(conn, NULL, NULL);
	evhttp_connection_free(conn);
	request_free(r);
	return false;
}

void http_stream_end(struct http_request *r)
{
	if (r->req != NULL) {
		evhttp_connection_set_closecb(evhttp_request_get_connection(r->req), NULL, NULL);
		evhttp_send_reply_end(r->req);
	}
	request_free(r);
}

struct call {
	int fd;
	int64_t deadline_ms;
};

static bool call_wait(const struct call *c, short events, struct err *e)
{
	for (;;) {
		int64_t left = c->deadline_ms - loop_now_ms();
		struct pollfd p = { .fd = c->fd, .events = events };
		int n = left > 0 ? poll(&p, 1, (int)left) : 0;
		if (n > 0)
			return true;
		if (n == 0)
			return err_set(e, ERR_IO, "no answer in time");
		if (errno != EINTR)
			return err_set(e, ERR_IO, "poll: %s", strerror(errno));
	}
}

static bool call_connect(struct call *c, const char *path, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(a.sun_path))
		return err_set(e, ERR_INPUT, "the socket's path is too long: %.120s", path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd >= 0 && connect(c->fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return true;
	enum err_code code = errno == ENOENT || errno == ECONNREFUSED ? ERR_MISSING : ERR_IO;
	err_set(e, code, "cannot reach %.120s: %s", path, strerror(errno));
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	return false;
}

static bool call_send(const struct call *c, struct bytes data, struct err *e)
{
	while (data.len > 0) {
		if (!call_wait(c, POLLOUT, e))
			return false;
		ssize_t n = send(c->fd, data.data, data.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		/* The server may have answered and closed before it read a body it does not want. */
		if (n < 0)
			return errno == EPIPE || errno == ECONNRESET ||
			       err_set(e, ERR_IO, "send: %s", strerror(errno));
		data.data += n;
		data.len -= (size_t)n;
	}
	return true;
}

static bool call_receive(const struct call *c, struct buf *all, struct err *e)
{
	for (;;) {
		uint8_t part[16384];
		if (!call_wait(c, POLLIN, e))
			return false;
		ssize_t n = recv(c->fd, part, sizeof(part), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ECONNRESET && all->len > 0)
			return true;
		if (n < 0)
			return err_set(e, ERR_IO, "receive: %s", strerror(errno));
		if (n == 0)
			return true;
		if (!buf_add(all, part, (size_t)n))
			return buf_ok(all, "answer", e);
	}
}

/* The connection closes behind the answer, so all there is was received; Content-Length tells whether it was cut. */
static bool answer_split(struct buf *all, int *status, struct buf *out, struct err *e)
{
	const char *text = buf_str(all), *end = strstr(text, "\r\n\r\n");
	if (all->len == 0)
		return err_set(e, ERR_IO,
			       "the connection was closed without an answer: see whether it was done, and do it "
			       "again if not");
	if (strncmp(text, "HTTP/1.", 7) != 0 || end == NULL)
		return err_set(e, ERR_INPUT, "the answer is no HTTP");
	*status = (int)strtol(text + 8, NULL, 10);
	size_t head = (size_t)(end - text) + 4;
	const char *length = strcasestr(text, "\r\nContent-Length:");
	if (length != NULL && length < end && strtoull(length + 17, NULL, 10) != all->len - head)
		return err_set(e, ERR_IO, "the answer was cut short");
	buf_add(out, all->data + head, all->len - head);
	return buf_ok(out, "answer", e);
}

bool http_call(const char *socket_path, const char *method, const char *path, const char *headers, struct bytes body,
	       int timeout_ms, int *status, struct buf *out, struct err *e)
{
	struct call c = { .fd = -1, .deadline_ms = loop_now_ms() + timeout_ms };
	struct buf head, all;
	bool ok = false;
	buf_init(&head, HTTP_HEADERS_MAX);
	buf_init(&all, out->max + HTTP_HEADERS_MAX);
	buf_add_fmt(&head, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s", method, path, headers);
	if (body.data != NULL)
		buf_add_fmt(&head, "Content-Length: %zu\r\n", body.len);
	buf_add_str(&head, "\r\n");
	if (!buf_ok(&head, "request", e) || !call_connect(&c, socket_path, e))
		goto out;
	ok = call_send(&c, buf_bytes(&head), e) && call_send(&c, body, e) && call_receive(&c, &all, e) &&
	     answer_split(&all, status, out, e);
out:
	if (c.fd >= 0)
		close(c.fd);
	buf_clear(&head);
	buf_clear(&all);
	return ok;
}

void http_query_add(struct buf *path, const char *key, const char *value)
{
	bool first = memchr(path->data, '?', path->len) == NULL;
	buf_add_fmt(path, "%c%s=", first ? '?' : '&', key);
	for (; *value != '\0'; value++) {
		unsigned char v = (unsigned char)*value;
		if ((v >= '0' && v <= '9') || (v >= 'A' && v <= 'Z') || (v >= 'a' && v <= 'z') || v == '.' ||
		    v == '-')
			buf_add_u8(path, v);
		else
			buf_add_fmt(path, "%%%02X", v);
	}
}
