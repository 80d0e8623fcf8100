/*
 * FINDING (a name) → CONNECTING → SHAKING → OPEN outward; SHAKING → OPEN inward. `timer` is the deadline of the first three and
 * watches for idleness in OPEN. A link ends once, in link_end, after which nothing touches it: ended may have freed it.
 *
 * OPEN: `in` goes from TLS to the Unix socket, `out` the other way. A stream that has ended and been delivered is shut on its far
 * side; when both are, the link is over. Once one has ended, nothing may stand still for `deadline_ms`, and with bytes unsent not
 * for `idle_ms`: a line that died would else hold its link for ever. An outward line with nothing to say may be silent.
 */
#include "protocol/base/gate_link.h"

#include "protocol/base/dns.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WINDOW          65536
#define ROUNDS_PER_TURN 4 /* then others get their turn */

struct stream {
	uint8_t *data;  /* WINDOW bytes, from OPEN on */
	size_t at, end; /* waiting: data[at … end) */
	bool ended;     /* the source said so */
	bool shut;      /* and the far side was told */
};

struct link {
	struct link_config config;
	enum { FINDING, CONNECTING, SHAKING, OPEN } state;
	bool inward;
	int tcp, local;
	struct loop_fd *tcp_watch, *local_watch;
	struct loop_timer *timer, *again;
	struct tls *tls;
	bool tls_wants_write;
	struct stream in, out;
	int64_t moved_ms; /* a byte last moved */

	const char *path; /* inward */
	const char *host, *tls_name;
	int port;
	struct dns_query *query;
	struct dns_address addresses[DNS_ADDRESSES_MAX];
	size_t addresses_len, next;
	int64_t deadline_ms; /* of FINDING and CONNECTING together */
};

/* How a client of the LAN leaves an open connection is nothing to tell. */
static void link_end(struct link *l, const struct err *why)
{
	if (l->inward && l->state == OPEN)
		why = NULL;
	loop_timer_stop(l->timer);
	loop_timer_stop(l->again);
	if (l->tcp_watch != NULL)
		loop_fd_set(l->tcp_watch, 0);
	if (l->local_watch != NULL)
		loop_fd_set(l->local_watch, 0);
	l->config.ended(l->config.arg, l, why);
}

static void end_errno(struct link *l, const char *what, int error)
{
	struct err e;
	err_set(&e, ERR_IO, "%s: %s", what, strerror(error));
	link_end(l, &e);
}

static void stream_free(struct stream *s)
{
	free(s->data);
	s->data = NULL;
}

void link_free(struct link *l)
{
	if (l == NULL)
		return;
	dns_cancel(l->query);
	loop_fd_free(l->tcp_watch);
	loop_fd_free(l->local_watch);
	loop_timer_free(l->timer);
	loop_timer_free(l->again);
	tls_free(l->tls);
	if (l->tcp >= 0)
		close(l->tcp);
	if (l->local >= 0)
		close(l->local);
	stream_free(&l->in);
	stream_free(&l->out);
	free(l);
}

/* Streams. The four movers return false when the link must end; *moved says whether a byte or an end went on. */

static size_t stream_room(const struct stream *s)
{
	return s->ended ? 0 : WINDOW - (s->end - s->at);
}

static uint8_t *stream_tail(struct stream *s, size_t *room)
{
	if (s->at == s->end)
		s->at = s->end = 0;
	if (s->end == WINDOW && s->at > 0) {
		memmove(s->data, s->data + s->at, s->end - s->at);
		s->end -= s->at;
		s->at = 0;
	}
	*room = WINDOW - s->end;
	return s->data + s->end;
}

static bool from_tls(struct link *l, bool *moved, struct err *e)
{
	while (stream_room(&l->in) > 0) {
		size_t room, got;
		uint8_t *to = stream_tail(&l->in, &room);
		enum tls_step step = tls_read(l->tls, to, room, &got, e);
		if (step == TLS_FAILED)
			return false;
		if (step == TLS_WANT_READ || step == TLS_WANT_WRITE)
			return true;
		*moved = true;
		l->in.end += got;
		l->in.ended = step == TLS_CLOSED;
	}
	return true;
}

static bool to_local(struct link *l, bool *moved, struct err *e)
{
	struct stream *s = &l->in;
	while (s->at < s->end) {
		ssize_t n = send(l->local, s->data + s->at, s->end - s->at, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || err_set(e, ERR_IO, "the local side: %s", strerror(errno));
		s->at += (size_t)n;
		*moved = true;
	}
	if (s->ended && !s->shut) {
		shutdown(l->local, SHUT_WR);
		s->shut = *moved = true;
	}
	return true;
}

static bool from_local(struct link *l, bool *moved, struct err *e)
{
	while (stream_room(&l->out) > 0) {
		size_t room;
		uint8_t *to = stream_tail(&l->out, &room);
		ssize_t n = recv(l->local, to, room, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || err_set(e, ERR_IO, "the local side: %s", strerror(errno));
		*moved = true;
		l->out.end += (size_t)n;
		l->out.ended = n == 0;
	}
	return true;
}

static bool to_tls(struct link *l, bool *moved, struct err *e)
{
	struct stream *s = &l->out;
	l->tls_wants_write = false;
	while (s->at < s->end) {
		size_t put;
		enum tls_step step = tls_write(l->tls, s->data + s->at, s->end - s->at, &put, e);
		if (step == TLS_FAILED || step == TLS_CLOSED)
			return false;
		l->tls_wants_write = step == TLS_WANT_WRITE;
		if (step != TLS_DONE)
			return true;
		s->at += put;
		*moved = true;
	}
	if (s->ended && !s->shut) {
		enum tls_step step = tls_close(l->tls);
		l->tls_wants_write = step == TLS_WANT_WRITE;
		if (step == TLS_WANT_WRITE)
			return true;
		shutdown(l->tcp, SHUT_WR);
		s->shut = *moved = true;
	}
	return true;
}

static void link_watch(struct link *l)
{
	unsigned tcp = (stream_room(&l->in) > 0 ? LOOP_READ : 0U) | (l->tls_wants_write ? LOOP_WRITE : 0U);
	unsigned local = (stream_room(&l->out) > 0 ? LOOP_READ : 0U) | (l->in.at < l->in.end ? LOOP_WRITE : 0U);
	loop_fd_set(l->tcp_watch, tcp);
	loop_fd_set(l->local_watch, local);
}

/* For how long nothing may move; 0: for ever. */
static int quiet_most(const struct link *l)
{
	if (l->in.ended || l->out.ended)
		return l->config.deadline_ms;
	return l->inward || l->out.at < l->out.end ? l->config.idle_ms : 0;
}

static void link_pump(void *arg)
{
	struct link *l = arg;
	struct err e = { 0 };
	bool moved = true;
	for (int round = 0; moved && round < ROUNDS_PER_TURN; round++) {
		moved = false;
		if (!from_tls(l, &moved, &e) || !to_local(l, &moved, &e) || !from_local(l, &moved, &e) ||
		    !to_tls(l, &moved, &e)) {
			link_end(l, &e);
			return;
		}
		if (moved)
			l->moved_ms = loop_now_ms();
	}
	if (l->in.shut && l->out.shut) {
		link_end(l, NULL);
		return;
	}
	if (moved)
		loop_timer_set(l->again, 0);
	int quiet_ms = quiet_most(l);
	if (quiet_ms > 0 && (l->in.ended || l->out.ended || !loop_timer_is_set(l->timer)))
		loop_timer_set(l->timer, quiet_ms);
	link_watch(l);
}

static void link_ready(void *arg, unsigned what)
{
	(void)what;
	link_pump(arg);
}

static void open_timer(struct link *l)
{
	int quiet_ms = quiet_most(l);
	int64_t left_ms = quiet_ms - (loop_now_ms() - l->moved_ms);
	if (quiet_ms > 0 && left_ms > 0) {
		loop_timer_set(l->timer, left_ms);
		return;
	}
	if (quiet_ms > 0)
		link_end(l, NULL);
}

static void stream_init(struct stream *s)
{
	s->data = malloc(WINDOW);
	if (s->data == NULL)
		abort();
}

static void link_open(struct link *l)
{
	stream_init(&l->in);
	stream_init(&l->out);
	l->state = OPEN;
	l->moved_ms = loop_now_ms();
	loop_timer_stop(l->timer);
	l->local_watch = loop_fd_new(l->config.loop, l->local, 0, link_ready, l);
	if (!l->inward && l->config.opened != NULL)
		l->config.opened(l->config.arg, l);
	link_pump(l);
}

/* Binds to an abstract address that carries the peer's name; an address taken by a process of the same number is stepped over. */
static int local_connect(const struct link *l)
{
	static uint64_t count;
	struct sockaddr_un from = { .sun_family = AF_UNIX }, to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	int bound = -1;
	for (int tries = 0; bound != 0 && tries < 8; tries++) {
		int n = snprintf(from.sun_path + 1, sizeof(from.sun_path) - 1, "xb-gate/%d.%llu/%s", (int)getpid(),
				 (unsigned long long)++count, tls_peer(l->tls));
		bound = bind(fd, (struct sockaddr *)&from,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n));
		if (bound != 0 && errno != EADDRINUSE)
			break;
	}
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", l->path);
	if (bound == 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void link_shake(struct link *l)
{
	struct err e = { 0 };
	switch (tls_handshake(l->tls, &e)) {
	case TLS_WANT_READ: loop_fd_set(l->tcp_watch, LOOP_READ); return;
	case TLS_WANT_WRITE: loop_fd_set(l->tcp_watch, LOOP_WRITE); return;
	case TLS_DONE: break;
	case TLS_CLOSED:
	case TLS_FAILED: link_end(l, &e); return;
	}
	if (l->inward) {
		l->local = local_connect(l);
		if (l->local < 0) {
			end_errno(l, "the service behind gate", errno);
			return;
		}
	}
	link_open(l);
}

static void link_connect_next(struct link *l);

static void connect_done(struct link *l)
{
	int error = 0;
	socklen_t len = sizeof(error);
	struct err e;
	if (getsockopt(l->tcp, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error != 0) {
		errno = error;
		link_connect_next(l);
		return;
	}
	l->tls = tls_new(l->config.tls, l->tcp, l->tls_name, &e);
	if (l->tls == NULL) {
		link_end(l, &e);
		return;
	}
	l->state = SHAKING;
	loop_timer_set(l->timer, l->config.deadline_ms);
	link_shake(l);
}

static void tcp_ready(void *arg, unsigned what)
{
	struct link *l = arg;
	(void)what;
	if (l->state == CONNECTING)
		connect_done(l);
	else if (l->state == SHAKING)
		link_shake(l);
	else
		link_pump(l);
}

static int tcp_connect(const struct dns_address *a)
{
	int one = 1, fd = socket(a->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)&a->addr, a->len) == 0 || errno == EINPROGRESS)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Each address has its share of the time that is left. errno says what became of the one before. */
static void link_connect_next(struct link *l)
{
	int error = errno;
	loop_fd_free(l->tcp_watch);
	l->tcp_watch = NULL;
	if (l->tcp >= 0)
		close(l->tcp);
	l->tcp = -1;
	while (l->tcp < 0 && l->next < l->addresses_len) {
		l->tcp = tcp_connect(&l->addresses[l->next++]);
		error = errno;
	}
	int64_t left_ms = l->deadline_ms - loop_now_ms();
	if (l->tcp < 0 || left_ms <= 0) {
		end_errno(l, "connecting", l->tcp < 0 ? error : ETIMEDOUT);
		return;
	}
	l->state = CONNECTING;
	loop_timer_set(l->timer, left_ms / (int64_t)(l->addresses_len - l->next + 1));
	l->tcp_watch = loop_fd_new(l->config.loop, l->tcp, LOOP_WRITE, tcp_ready, l);
}

static void link_found(void *arg, const struct dns_address *list, size_t len, const char *why)
{
	struct link *l = arg;
	l->query = NULL;
	if (len == 0) {
		struct err e;
		err_set(&e, ERR_IO, "%.100s is not found: %s", l->host, why);
		link_end(l, &e);
		return;
	}
	memcpy(l->addresses, list, len * sizeof(list[0]));
	l->addresses_len = len;
	link_connect_next(l);
}

static void link_timer(void *arg)
{
	struct link *l = arg;
	struct err e;
	switch (l->state) {
	case CONNECTING:
		errno = ETIMEDOUT;
		link_connect_next(l);
		return;
	case OPEN: open_timer(l); return;
	case FINDING: err_set(&e, ERR_IO, "%.100s is not found within %d ms", l->host, l->config.deadline_ms); break;
	case SHAKING: err_set(&e, ERR_IO, "no handshake within %d ms", l->config.deadline_ms); break;
	}
	link_end(l, &e);
}

static struct link *link_new(const struct link_config *c)
{
	struct link *l = calloc(1, sizeof(*l));
	if (l == NULL)
		abort();
	*l = (struct link){ .config = *c, .tcp = -1, .local = -1 };
	l->timer = loop_timer_new(c->loop, link_timer, l);
	l->again = loop_timer_new(c->loop, link_pump, l);
	loop_timer_set(l->timer, c->deadline_ms);
	return l;
}

struct link *link_inward(const struct link_config *c, int tcp, const char *path, struct err *e)
{
	int one = 1;
	struct link *l = link_new(c);
	l->inward = true;
	l->tcp = tcp;
	l->path = path;
	l->state = SHAKING;
	setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	l->tls = tls_new(c->tls, tcp, NULL, e);
	if (l->tls == NULL) {
		link_free(l);
		return NULL;
	}
	l->tcp_watch = loop_fd_new(c->loop, tcp, LOOP_READ, tcp_ready, l);
	return l;
}

struct link *link_outward(const struct link_config *c, int local, const char *host, int port, const char *tls_name)
{
	struct link *l = link_new(c);
	l->local = local;
	l->host = host;
	l->port = port;
	l->tls_name = tls_name;
	l->state = FINDING;
	l->deadline_ms = loop_now_ms() + c->deadline_ms;
	l->query = dns_find(c->loop, host, port, link_found, l);
	return l;
}
