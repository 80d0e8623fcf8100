#include "tests/support/gate_rig.h"

#include "protocol/crypto.h"
#include "tests/test.h"

#include <arpa/inet.h>
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

ROLE(gate, "test-gate", gate_main);

struct gate_rig rig;
static struct err e;

static void on_started(void *arg)
{
	struct buf out;
	(void)arg;
	buf_init(&out, FRAME_MAX);
	CU_ASSERT_TRUE(gate_config_encode(&rig.config, &out, &e) &&
		       proc_send(rig.proc, GATE_CONFIG, buf_bytes(&out)));
	buf_clear(&out);
}

static void on_frame(void *arg, uint8_t type, struct bytes payload)
{
	struct gate_event v;
	(void)arg;
	CU_ASSERT_EQUAL(type, GATE_EVENT);
	if (!gate_event_decode(payload, &v, &e)) {
		CU_FAIL("gate sent no event");
		return;
	}
	switch (v.kind) {
	case GATE_LISTENING:
		rig.seen.listening++;
		rig.seen.port = v.number != 0 ? (int)v.number : rig.seen.port;
		break;
	case GATE_CONNECTED: rig.seen.connected++; break;
	case GATE_FAILED:
		rig.seen.failed++;
		snprintf(rig.seen.text, sizeof(rig.seen.text), "%s", v.text);
		break;
	case GATE_SANDBOX:
		rig.seen.sandbox++;
		snprintf(rig.seen.sandbox_text, sizeof(rig.seen.sandbox_text), "%s", v.text);
		break;
	}
}

static void on_stopped(void *arg, const char *why)
{
	(void)arg;
	rig.seen.stopped++;
	snprintf(rig.seen.text, sizeof(rig.seen.text), "%s", why);
}

static void make_identities(void)
{
	if (rig.ca.cert.len > 0)
		return;
	identity_ca(&rig.ca, "Test CA");
	identity_ca(&rig.other_ca, "Other CA");
	identity_issue(&rig.ca, &rig.server_id, "central", PKI_SERVER, IDENTITY_FROM_S, IDENTITY_TO_S);
	identity_issue(&rig.ca, &rig.client_id, "b0001", PKI_CLIENT, IDENTITY_FROM_S, IDENTITY_TO_S);
	identity_issue(&rig.ca, &rig.short_id, "b0002", PKI_SERVER_CLIENT, RIG_NOW_S - 100, RIG_NOW_S + 100);
	identity_issue(&rig.other_ca, &rig.stranger_id, "b0001", PKI_SERVER_CLIENT, IDENTITY_FROM_S, IDENTITY_TO_S);
}

static void path_in(char *to, size_t size, const char *name)
{
	snprintf(to, size, "%s/%s", rig.dir, name);
}

static int unix_listen(const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	path_in(un.sun_path, sizeof(un.sun_path), name);
	unlink(un.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) != 0 || listen(fd, 64) != 0)
		abort();
	return fd;
}

void rig_setup(void)
{
	make_identities();
	memset(&rig.seen, 0, sizeof(rig.seen));
	snprintf(rig.dir, sizeof(rig.dir), "%s", test_dir());
	rig.loop = loop_new();
	rig.proc = NULL;
	rig.service = unix_listen("http");
	rig.config = (struct gate_config){ .now_s = RIG_NOW_S, .deadline_ms = RIG_DEADLINE_MS, .idle_ms = 5000 };
	snprintf(rig.config.run_dir, sizeof(rig.config.run_dir), "%s", rig.dir);
}

void rig_teardown(void)
{
	proc_stop(rig.proc);
	loop_free(rig.loop);
	if (rig.service >= 0)
		close(rig.service);
}

bool rig_until(const unsigned *counter, unsigned at_least, int ms)
{
	int64_t end = loop_now_ms() + ms;
	while (*counter < at_least && loop_now_ms() < end)
		loop_once(rig.loop, 10);
	return *counter >= at_least;
}

struct gate_port *rig_port(bool inward, const char *name, const struct identity *id, const struct identity *trusted)
{
	struct gate_port *p = &rig.config.ports[rig.config.ports_len++];
	*p = (struct gate_port){ .inward = inward };
	snprintf(p->name, sizeof(p->name), "%s", name);
	snprintf(p->host, sizeof(p->host), "%s", inward ? "127.0.0.1" : "localhost");
	path_in(p->socket, sizeof(p->socket), inward ? "http" : name);
	if (id != NULL) {
		p->cert = buf_bytes(&id->cert);
		p->key = buf_bytes(&id->key);
	}
	if (trusted != NULL)
		p->ca = buf_bytes(&trusted->cert);
	return p;
}

void rig_launch(void)
{
	static const struct proc_events events = { on_started, on_frame, on_stopped };
	static const struct proc_options options = { .backoff_min_ms = 20, .backoff_max_ms = 200 };
	rig.proc = proc_start_with(rig.loop, "test-gate", &options, &events, NULL);
}

void rig_start(void)
{
	rig_launch();
	CU_ASSERT_TRUE_FATAL(rig_until(&rig.seen.sandbox, 1, 5000));
	CU_ASSERT_EQUAL(rig.seen.listening, rig.config.ports_len);
}

int rig_tcp(int port, bool server)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	int ret = server ? bind(fd, (struct sockaddr *)&in, sizeof(in))
			 : connect(fd, (struct sockaddr *)&in, sizeof(in));
	if ((ret != 0 && errno != EINPROGRESS) || (server && listen(fd, 16) != 0))
		abort();
	return fd;
}

int rig_unix(const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	path_in(un.sun_path, sizeof(un.sun_path), name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0)
		abort();
	return fd;
}

int rig_accept(int listener, int ms)
{
	int fd = -1;
	for (int64_t end = loop_now_ms() + ms; fd < 0 && loop_now_ms() < end; loop_once(rig.loop, 5))
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return fd;
}

struct end end_new(int fd, bool server, const struct identity *id, const struct identity *trusted)
{
	struct tls_identity i = { .ca = trusted != NULL ? buf_bytes(&trusted->cert) : (struct bytes){ 0 } };
	if (id != NULL) {
		i.cert = buf_bytes(&id->cert);
		i.key = buf_bytes(&id->key);
	}
	struct end c = { .fd = fd, .step = TLS_WANT_READ };
	c.config = tls_config_new(server, &i, &e);
	assert(c.config != NULL);
	c.tls = tls_new(c.config, c.fd, server ? NULL : "localhost", &e);
	return c;
}

void end_free(struct end *c)
{
	tls_free(c->tls);
	tls_config_free(c->config);
	close(c->fd);
}

void end_shake(struct end *c)
{
	for (int64_t stop = loop_now_ms() + 3000; loop_now_ms() < stop; loop_once(rig.loop, 2)) {
		c->step = tls_handshake(c->tls, &e);
		if (c->step == TLS_DONE || c->step == TLS_FAILED)
			return;
	}
}

struct end end_client(const struct identity *id)
{
	struct end c = end_new(rig_tcp(rig.seen.port, false), false, id, &rig.ca);
	end_shake(&c);
	return c;
}

enum tls_step end_fate(struct end *c, int ms)
{
	uint8_t byte;
	size_t got;
	enum tls_step step = TLS_WANT_READ;
	for (int64_t stop = loop_now_ms() + ms; step == TLS_WANT_READ && loop_now_ms() < stop; loop_once(rig.loop, 5))
		step = tls_read(c->tls, &byte, 1, &got, &e);
	return step;
}

void end_exchange(struct end *c, int plain)
{
	static uint8_t there[RIG_MUCH], back[RIG_MUCH], got_there[RIG_MUCH], got_back[RIG_MUCH];
	size_t sent = 0, got = 0, sent_back = 0, got_len = 0, n;
	random_system.fill(NULL, there, RIG_MUCH);
	random_system.fill(NULL, back, RIG_MUCH);
	for (int64_t stop = loop_now_ms() + 5000; (got < RIG_MUCH || got_len < RIG_MUCH) && loop_now_ms() < stop;
	     loop_once(rig.loop, 1)) {
		while (sent < RIG_MUCH && tls_write(c->tls, there + sent, RIG_MUCH - sent, &n, &e) == TLS_DONE)
			sent += n;
		while (got_len < RIG_MUCH &&
		       tls_read(c->tls, got_back + got_len, RIG_MUCH - got_len, &n, &e) == TLS_DONE)
			got_len += n;
		ssize_t m =
			sent_back < RIG_MUCH ? send(plain, back + sent_back, RIG_MUCH - sent_back, MSG_NOSIGNAL) : 0;
		sent_back += m > 0 ? (size_t)m : 0;
		m = got < RIG_MUCH ? recv(plain, got_there + got, RIG_MUCH - got, 0) : 0;
		got += m > 0 ? (size_t)m : 0;
	}
	CU_ASSERT_EQUAL(got, RIG_MUCH);
	CU_ASSERT_EQUAL(got_len, RIG_MUCH);
	CU_ASSERT_EQUAL(memcmp(there, got_there, RIG_MUCH), 0);
	CU_ASSERT_EQUAL(memcmp(back, got_back, RIG_MUCH), 0);
}

void rig_check_peer(int fd, const char *want)
{
	struct sockaddr_un a;
	socklen_t len = sizeof(a);
	char text[110] = "";
	CU_ASSERT_EQUAL(getpeername(fd, (struct sockaddr *)&a, &len), 0);
	memcpy(text, a.sun_path + 1, len - sizeof(sa_family_t) - 1);
	CU_ASSERT_EQUAL(strncmp(text, "xb-gate/", 8), 0);
	const char *name = strchr(text + 8, '/');
	CU_ASSERT_STRING_EQUAL(name != NULL ? name + 1 : "?", want);
}

ssize_t rig_recv(int fd, void *to, size_t size, int ms)
{
	ssize_t n = -1;
	for (int64_t end = loop_now_ms() + ms; n < 0 && loop_now_ms() < end; loop_once(rig.loop, 2)) {
		n = recv(fd, to, size, 0);
		if (n < 0 && errno != EAGAIN)
			return 0;
	}
	return n;
}

unsigned rig_descriptors(int pid)
{
	char path[64];
	unsigned n = 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *d = opendir(path);
	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}
