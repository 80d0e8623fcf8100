/*
 * A port is a listener with its links: inward on TCP, outward on a Unix socket. Nothing is accepted before the sandbox is entered.
 * Keys and certificates go from the frame straight into mbedTLS; the frame is wiped by its pipe.
 */
#include "protocol/base/gate.h"

#include "protocol/base/dns.h"
#include "protocol/base/gate_link.h"
#include "protocol/base/sandbox.h"
#include "protocol/base/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DEADLINE_MS     10000
#define IDLE_MS         60000
#define OUTWARD_CONNS   16 /* of a port: one client of ours, with room for those that are closing */
#define LISTEN_AGAIN_MS 1000
#define ACCEPT_AGAIN_MS 100 /* after running out of descriptors */
#define TELL_EACH_MS    1000
#define EVENT_MAX       1024
#define DESCRIPTORS     4096

struct gate;

struct port {
	struct gate *gate;
	struct gate_port config; /* its cert, key and ca are gone */
	struct tls_config *tls;
	int fd;
	struct loop_fd *watch;
	struct loop_timer *again; /* listen, or accept, later */
	size_t conns, conns_max;
	int64_t told_ms; /* a failure was told; 0: none */
	int64_t untold;
};

struct gate {
	struct loop *loop;
	struct channel *channel;
	struct gate_config config;
	bool configured;
	struct port ports[GATE_PORTS_MAX];
	int status;
};

static void tell(struct gate *g, const struct gate_event *v)
{
	struct buf out;
	buf_init(&out, EVENT_MAX);
	if (gate_event_encode(v, &out, NULL))
		channel_send(g->channel, GATE_EVENT, buf_bytes(&out));
	buf_clear(&out);
}

static void port_tell(struct port *p, enum gate_event_kind kind, int64_t number, const char *text)
{
	struct gate_event v = { .kind = kind, .number = number };
	snprintf(v.port_name, sizeof(v.port_name), "%s", p->config.name);
	snprintf(v.text, sizeof(v.text), "%s", text);
	tell(p->gate, &v);
}

static void port_failed(struct port *p, const struct err *why)
{
	int64_t now = loop_now_ms();
	if (p->told_ms != 0 && now - p->told_ms < TELL_EACH_MS) {
		p->untold++;
		return;
	}
	port_tell(p, GATE_FAILED, p->untold, why->text);
	p->told_ms = now;
	p->untold = 0;
}

static void port_opened(void *arg, struct link *l)
{
	struct port *p = arg;
	(void)l;
	port_tell(p, GATE_CONNECTED, 0, p->config.host);
}

static void port_link_ended(void *arg, struct link *l, const struct err *why)
{
	struct port *p = arg;
	p->conns--;
	if (why != NULL)
		port_failed(p, why);
	link_free(l);
}

static void port_take(struct port *p, int fd)
{
	const struct gate_config *g = &p->gate->config;
	struct link_config c = { .loop = p->gate->loop,
				 .tls = p->tls,
				 .deadline_ms = g->deadline_ms,
				 .idle_ms = g->idle_ms,
				 .opened = port_opened,
				 .ended = port_link_ended,
				 .arg = p };
	struct err e;
	if (p->conns >= p->conns_max) {
		close(fd);
		err_set(&e, ERR_FULL, "%zu connections are open", p->conns);
		port_failed(p, &e);
		return;
	}
	p->conns++;
	if (!p->config.inward) {
		link_outward(&c, fd, p->config.host, p->config.port, p->config.tls_name);
	} else if (link_inward(&c, fd, p->config.socket, &e) == NULL) {
		p->conns--;
		port_failed(p, &e);
	}
}

static void port_ready(void *arg, unsigned what)
{
	struct port *p = arg;
	(void)what;
	for (int i = 0; i < 16; i++) {
		int fd = accept4(p->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			port_take(p, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			loop_fd_set(p->watch, 0);
			loop_timer_set(p->again, ACCEPT_AGAIN_MS);
		}
		return;
	}
}

static bool tcp_address(const char *host, int port, struct sockaddr_storage *to, socklen_t *len, struct err *e)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	const char *number = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host[0] == 0 ? "::" : host;
	*to = (struct sockaddr_storage){ 0 };
	if (inet_pton(AF_INET, number, &in.sin_addr) == 1) {
		memcpy(to, &in, *len = sizeof(in));
		return true;
	}
	if (inet_pton(AF_INET6, number, &in6.sin6_addr) == 1) {
		memcpy(to, &in6, *len = sizeof(in6));
		return true;
	}
	return err_set(e, ERR_INPUT, "'%.100s' is no address to listen on", host);
}

static bool port_bind(struct port *p, struct err *e)
{
	struct sockaddr_storage to = { 0 };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(un);
	int one = 1;
	if (p->config.inward) {
		if (!tcp_address(p->config.host, p->config.port, &to, &len, e))
			return false;
	} else {
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", p->config.socket);
		memcpy(&to, &un, sizeof(un));
		unlink(un.sun_path);
	}
	p->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		return err_set(e, ERR_IO, "socket: %s", strerror(errno));
	if (p->config.inward)
		setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(p->fd, (const struct sockaddr *)&to, len) == 0 && listen(p->fd, SOMAXCONN) == 0)
		return true;
	err_set(e, ERR_IO, "listening on %.160s: %s", p->config.inward ? p->config.host : p->config.socket,
		strerror(errno));
	close(p->fd);
	p->fd = -1;
	return false;
}

static int64_t port_number(const struct port *p)
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	socklen_t len = sizeof(a);
	if (!p->config.inward || getsockname(p->fd, (struct sockaddr *)&a, &len) != 0)
		return 0;
	memcpy(&in, &a, sizeof(in));
	memcpy(&in6, &a, sizeof(in6));
	return ntohs(a.ss_family == AF_INET ? in.sin_port : in6.sin6_port);
}

static void port_listen(void *arg)
{
	struct port *p = arg;
	struct err e;
	if (p->fd >= 0) { /* descriptors may have come free */
		loop_fd_set(p->watch, LOOP_READ);
	} else if (port_bind(p, &e)) {
		p->watch = loop_fd_new(p->gate->loop, p->fd, LOOP_READ, port_ready, p);
		port_tell(p, GATE_LISTENING, port_number(p), "");
	} else {
		port_failed(p, &e);
		loop_timer_set(p->again, LISTEN_AGAIN_MS);
	}
}

/* A port that cannot work is told and left out; the others serve. */
static void port_start(struct gate *g, size_t i)
{
	struct port *p = &g->ports[i];
	struct gate_port *c = &g->config.ports[i];
	struct tls_identity id = { .cert = c->cert, .key = c->key, .ca = c->ca, .peer_required = c->peer_required };
	struct err e;
	*p = (struct port){ .gate = g, .config = *c, .fd = -1 };
	p->config.cert = p->config.key = p->config.ca = c->cert = c->key = c->ca = (struct bytes){ 0 };
	if (p->config.tls_name[0] == 0)
		snprintf(p->config.tls_name, sizeof(p->config.tls_name), "%s", p->config.host);
	p->conns_max = c->inward ? (size_t)g->config.conns_max : OUTWARD_CONNS;
	p->tls = tls_config_new(c->inward, &id, &e);
	if (p->tls == NULL) {
		port_failed(p, &e);
		return;
	}
	tls_config_clock(p->tls, g->config.now_s);
	p->again = loop_timer_new(g->loop, port_listen, p);
	port_listen(p);
}

static bool gate_sandbox(struct gate *g)
{
	/* Where the resolver's settings stand or what they may point to; libevent's randomness on an old C library. */
	static const char *const read_only[] = { "/etc", "/run/systemd/resolve", "/run/resolvconf",
						 "/run/NetworkManager", "/dev/urandom" };
	const char *run_dir = g->config.run_dir;
	struct sandbox_report how;
	struct gate_event v = { .kind = GATE_SANDBOX };
	struct err e;
	dns_prepare();
	bool ok = sandbox_enter(SANDBOX_GATE, &run_dir, run_dir[0] != 0 ? 1 : 0, read_only,
				sizeof(read_only) / sizeof(read_only[0]), &how, &e);
	v.kind = ok ? GATE_SANDBOX : GATE_FAILED;
	snprintf(v.text, sizeof(v.text), "%s", ok ? how.text : e.text);
	tell(g, &v);
	return ok;
}

static void gate_quit(struct gate *g)
{
	g->status = 1;
	loop_stop(g->loop);
}

static void gate_configure(struct gate *g, struct bytes payload)
{
	struct gate_event v = { .kind = GATE_FAILED };
	struct err e;
	if (g->configured || !gate_config_decode(payload, &g->config, &e)) {
		snprintf(v.text, sizeof(v.text), "%s", g->configured ? "configured twice" : e.text);
		tell(g, &v);
		gate_quit(g);
		return;
	}
	struct gate_config *c = &g->config;
	g->configured = true;
	c->deadline_ms = c->deadline_ms != 0 ? c->deadline_ms : DEADLINE_MS;
	c->idle_ms = c->idle_ms != 0 ? c->idle_ms : IDLE_MS;
	c->conns_max = c->conns_max != 0 ? c->conns_max : HTTP_CONNS_MAX;
	for (size_t i = 0; i < c->ports_len; i++)
		port_start(g, i);
	if (!gate_sandbox(g))
		gate_quit(g);
}

static void gate_clock(struct gate *g, struct bytes payload)
{
	struct err e;
	if (!gate_clock_decode(payload, &g->config.now_s, &e)) {
		gate_quit(g);
		return;
	}
	for (size_t i = 0; i < g->config.ports_len && g->configured; i++) {
		if (g->ports[i].tls != NULL)
			tls_config_clock(g->ports[i].tls, g->config.now_s);
	}
}

static void gate_told(void *arg, uint8_t type, struct bytes payload)
{
	struct gate *g = arg;
	if (type == GATE_CONFIG)
		gate_configure(g, payload);
	else if (type == GATE_CLOCK)
		gate_clock(g, payload);
	else
		gate_quit(g);
}

/* Two descriptors a connection and some. */
static void raise_descriptors(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= DESCRIPTORS)
		return;
	r.rlim_cur = r.rlim_max < DESCRIPTORS ? r.rlim_max : DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &r);
}

int gate_main(void)
{
	static struct gate g;
	umask(0077);
	raise_descriptors();
	g.loop = loop_new();
	g.channel = channel_open(g.loop, CHANNEL_FD, gate_told, &g);
	loop_run(g.loop);
	return g.status; /* what is still open goes with the process */
}
