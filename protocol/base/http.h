/*
 * HTTP/1.1 server on a Unix socket, over libevent's evhttp. What is past a bound is answered here (413, 431, 400) and
 * never reaches the handler. TLS is gate's business: it connects here once for each TLS connection, from a socket it has
 * bound to the abstract address "xb-gate/<n>/<name>", so the peer's certificate name travels in the address itself and
 * no header can forge it.
 */
#ifndef PROTOCOL_BASE_HTTP_H
#define PROTOCOL_BASE_HTTP_H

#include "protocol/base/buf.h"
#include "protocol/base/loop.h"

struct http_server;
struct http_request;

typedef void http_handler(struct http_request *r, void *arg);

struct http_config {
	const char *path; /* Unix socket; an old one is removed, mode 0600 */
	size_t body_max;  /* a longer body is answered 413 */
	int idle_timeout_s; /* without a byte from the client; how long a request may take, and how many connect, is gate's to bound */
};

/* Calls handler for each complete request of any method. NULL on failure. */
struct http_server *http_listen(struct loop *l, const struct http_config *c, http_handler *handler, void *arg,
				struct err *e) CHECKED;
/* Requests still unanswered are answered 503 first. */
void http_close(struct http_server *s);

/* Borrowed until the reply. */
const char *http_method(const struct http_request *r);                   /* "GET", "POST", … */
const char *http_path(const struct http_request *r);                     /* decoded, without the query; "/…" */
const char *http_query(const struct http_request *r, const char *key);   /* decoded, or NULL */
const char *http_header(const struct http_request *r, const char *name); /* or NULL */
struct bytes http_body(const struct http_request *r);
/* The client certificate's common name that gate saw, or "" without one. */
const char *http_peer(const struct http_request *r);

/* The same of a connection that gate made to a socket of our own: fd is the accepted end. */
void http_peer_read(int fd, char *out, size_t size);
/* The phrase behind a status. */
const char *http_reason(int status);

/* Sends the answer, now or in a later turn, exactly once for each request; the request is gone afterwards. Harmless
   when the client has left meanwhile. */
void http_reply(struct http_request *r, int status, const char *content_type, struct bytes body);
void http_reply_header(struct http_request *r, const char *name, const char *value); /* before http_reply */

/* An answer that goes on: started in place of http_reply, written to in pieces, ended. closed is called once when the client
   has left or the server closes (never after http_stream_end); the stream is gone then. No idle time-out holds for it. */
void http_stream_start(struct http_request *r, const char *content_type, void (*closed)(void *arg), void *arg);
/* False when the client reads too slowly and more than HTTP_STREAM_MAX bytes wait: it is cut off, and the stream is gone. */
bool http_stream_send(struct http_request *r, struct bytes piece) CHECKED;
void http_stream_end(struct http_request *r);

/* Blocking client for our own tools: one request over a Unix socket, at most timeout_ms. headers is "" or "Name: value\r\n…".
   body.data NULL sends none. The answer's body goes to out. */
bool http_call(const char *socket_path, const char *method, const char *path, const char *headers, struct bytes body,
	       int timeout_ms, int *status, struct buf *out, struct err *e) CHECKED;
/* Appends ?key=value, or &key=value behind another, the value percent-encoded. */
void http_query_add(struct buf *path, const char *key, const char *value);

#endif
