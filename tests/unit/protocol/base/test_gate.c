/* gate as a child of this program, sandboxed as in the daemons, between real sockets. */
#include "protocol/base/gate.h"
#include "protocol/base/mqtt.h"
#include "protocol/base/tls.h"
#include "protocol/crypto.h"
#include "tests/support/broker.h"
#include "tests/support/child.h"
#include "tests/support/identity.h"
#include "tests/test.h"

#include <arpa/inet.h>
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NOW_S	 (IDENTITY_FROM_S + 1000000)
#define MUCH	 102400
#define DEADLINE 400

ROLE(gate, "test-gate", gate_main);

static struct err e;
static struct identity ca, other_ca, server_id, client_id, short_id, stranger_id;
static struct loop *loop;
static struct proc *proc;
static struct gate_config config;
static char dir[64];
static int service; /* what stands behind an inward port */
static struct {
	unsigned listening, connected, failed, sandbox, stopped;
	int port;
	char text[240], sandbox_text[240];
} seen;

static void on_started(void *arg)
{
	struct buf out;
	(void)arg;
	buf_init(&out, FRAME_MAX);
	CU_ASSERT_TRUE(gate_config_encode(&config, &out, &e) && proc_send(proc, GATE_CONFIG, buf_bytes(&out)));
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
		seen.listening++;
		seen.port = v.number != 0 ? (int)v.number : seen.port;
		break;
	case GATE_CONNECTED: seen.connected++; break;
	case GATE_FAILED:
		seen.failed++;
		snprintf(seen.text, sizeof(seen.text), "%s", v.text);
		break;
	case GATE_SANDBOX:
		seen.sandbox++;
		snprintf(seen.sandbox_text, sizeof(seen.sandbox_text), "%s", v.text);
		break;
	}
}

static void on_stopped(void *arg, const char *why)
{
	(void)arg;
	seen.stopped++;
	snprintf(seen.text, sizeof(seen.text), "%s", why);
}

static void make_identities(void)
{
	if (ca.cert.len > 0)
		return;
	identity_ca(&ca, "Test CA");
	identity_ca(&other_ca, "Other CA");
	identity_issue(&ca, &server_id, "central", PKI_SERVER, IDENTITY_FROM_S, IDENTITY_TO_S);
	identity_issue(&ca, &client_id, "b0001", PKI_CLIENT, IDENTITY_FROM_S, IDENTITY_TO_S);
	identity_issue(&ca, &short_id, "b0002", PKI_SERVER_CLIENT, NOW_S - 100, NOW_S + 100);
	identity_issue(&other_ca, &stranger_id, "b0001", PKI_SERVER_CLIENT, IDENTITY_FROM_S, IDENTITY_TO_S);
}

static void path_in(char *to, size_t size, const char *name)
{
	snprintf(to, size, "%s/%s", dir, name);
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

static void setup(void)
{
	make_identities();
	memset(&seen, 0, sizeof(seen));
	snprintf(dir, sizeof(dir), "%s", test_dir());
	loop = loop_new();
	proc = NULL;
	service = unix_listen("http");
	config = (struct gate_config){ .now_s = NOW_S, .deadline_ms = DEADLINE, .idle_ms = 5000 };
	snprintf(config.run_dir, sizeof(config.run_dir), "%s", dir);
}

static void teardown(void)
{
	proc_stop(proc);
	loop_free(loop);
	if (service >= 0)
		close(service);
}

static bool until(const unsigned *counter, unsigned at_least, int ms)
{
	int64_t end = loop_now_ms() + ms;
	while (*counter < at_least && loop_now_ms() < end)
		loop_once(loop, 10);
	return *counter >= at_least;
}

static struct gate_port *port_add(bool inward, const char *name, const struct identity *id, const struct identity *trusted)
{
	struct gate_port *p = &config.ports[config.ports_len++];
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

static void gate_start(void)
{
	static const struct proc_events events = { on_started, on_frame, on_stopped };
	static const struct proc_options options = { .backoff_min_ms = 20, .backoff_max_ms = 200 };
	proc = proc_start_with(loop, "test-gate", &options, &events, NULL);
	CU_ASSERT_TRUE_FATAL(until(&seen.sandbox, 1, 5000));
	CU_ASSERT_EQUAL(seen.listening, config.ports_len);
}

static int tcp(int port, bool server)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	int ret = server ? bind(fd, (struct sockaddr *)&in, sizeof(in)) : connect(fd, (struct sockaddr *)&in, sizeof(in));
	if ((ret != 0 && errno != EINPROGRESS) || (server && listen(fd, 16) != 0))
		abort();
	return fd;
}

static int unix_connect(const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	path_in(un.sun_path, sizeof(un.sun_path), name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0)
		abort();
	return fd;
}

static int accept_soon(int listener, int ms)
{
	int fd = -1;
	for (int64_t end = loop_now_ms() + ms; fd < 0 && loop_now_ms() < end; loop_once(loop, 5))
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return fd;
}

/* Our end of TLS, client or server. */
struct end {
	struct tls_config *config;
	struct tls *tls;
	int fd;
	enum tls_step step;
};

static struct end end_new(int fd, bool server, const struct identity *id, const struct identity *trusted)
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

static void end_free(struct end *c)
{
	tls_free(c->tls);
	tls_config_free(c->config);
	close(c->fd);
}

static void shake(struct end *c)
{
	for (int64_t stop = loop_now_ms() + 3000; loop_now_ms() < stop; loop_once(loop, 2)) {
		c->step = tls_handshake(c->tls, &e);
		if (c->step == TLS_DONE || c->step == TLS_FAILED)
			return;
	}
}

static struct end client(const struct identity *id)
{
	struct end c = end_new(tcp(seen.port, false), false, id, &ca);
	shake(&c);
	return c;
}

/* The first byte or the end: TLS_CLOSED or TLS_FAILED when gate cut it. */
static enum tls_step end_fate(struct end *c, int ms)
{
	uint8_t byte;
	size_t got;
	enum tls_step step = TLS_WANT_READ;
	for (int64_t stop = loop_now_ms() + ms; step == TLS_WANT_READ && loop_now_ms() < stop; loop_once(loop, 5))
		step = tls_read(c->tls, &byte, 1, &got, &e);
	return step;
}

/* MUCH bytes each way at once, compared. */
static void exchange(struct end *c, int plain)
{
	static uint8_t there[MUCH], back[MUCH], got_there[MUCH], got_back[MUCH];
	size_t sent = 0, got = 0, sent_back = 0, got_len = 0, n;
	random_system.fill(NULL, there, MUCH);
	random_system.fill(NULL, back, MUCH);
	for (int64_t stop = loop_now_ms() + 5000; (got < MUCH || got_len < MUCH) && loop_now_ms() < stop; loop_once(loop, 1)) {
		while (sent < MUCH && tls_write(c->tls, there + sent, MUCH - sent, &n, &e) == TLS_DONE)
			sent += n;
		while (got_len < MUCH && tls_read(c->tls, got_back + got_len, MUCH - got_len, &n, &e) == TLS_DONE)
			got_len += n;
		ssize_t m = sent_back < MUCH ? send(plain, back + sent_back, MUCH - sent_back, MSG_NOSIGNAL) : 0;
		sent_back += m > 0 ? (size_t)m : 0;
		m = got < MUCH ? recv(plain, got_there + got, MUCH - got, 0) : 0;
		got += m > 0 ? (size_t)m : 0;
	}
	CU_ASSERT_EQUAL(got, MUCH);
	CU_ASSERT_EQUAL(got_len, MUCH);
	CU_ASSERT_EQUAL(memcmp(there, got_there, MUCH), 0);
	CU_ASSERT_EQUAL(memcmp(back, got_back, MUCH), 0);
}

static void check_peer(int fd, const char *want)
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

static ssize_t recv_soon(int fd, void *to, size_t size, int ms)
{
	ssize_t n = -1;
	for (int64_t end = loop_now_ms() + ms; n < 0 && loop_now_ms() < end; loop_once(loop, 2)) {
		n = recv(fd, to, size, 0);
		if (n < 0 && errno != EAGAIN)
			return 0;
	}
	return n;
}

static void bytes_pass_inward_with_the_peers_name(void)
{
	char word[16];
	size_t n;
	port_add(true, "https", &server_id, &ca)->peer_required = true;
	gate_start();
	CU_ASSERT_PTR_NOT_NULL(strstr(seen.sandbox_text, "seccomp"));
	struct end c = client(&client_id);
	CU_ASSERT_EQUAL_FATAL(c.step, TLS_DONE);
	int fd = accept_soon(service, 2000);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	check_peer(fd, "b0001");
	exchange(&c, fd);
	CU_ASSERT_EQUAL(tls_close(c.tls), TLS_DONE); /* half: the answer still comes */
	CU_ASSERT_EQUAL(recv_soon(fd, word, sizeof(word), 2000), 0);
	CU_ASSERT_EQUAL(send(fd, "answer", 6, MSG_NOSIGNAL), 6);
	close(fd);
	for (int64_t end = loop_now_ms() + 2000; tls_pending(c.tls) < 5 && loop_now_ms() < end; loop_once(loop, 2))
		(void)tls_read(c.tls, (uint8_t *)word, 1, &n, &e);
	CU_ASSERT_EQUAL(tls_read(c.tls, (uint8_t *)word + 1, 5, &n, &e), TLS_DONE);
	CU_ASSERT_EQUAL(memcmp(word, "answer", 6), 0);
	CU_ASSERT_EQUAL(end_fate(&c, 2000), TLS_CLOSED);
	end_free(&c);
	CU_ASSERT_EQUAL(seen.failed, 0);
}

static void without_a_certificate_the_name_is_empty(void)
{
	port_add(true, "https", &server_id, &ca);
	gate_start();
	struct end c = client(NULL);
	int fd = accept_soon(service, 2000);
	CU_ASSERT_EQUAL(c.step, TLS_DONE);
	check_peer(fd, "");
	close(fd);
	end_free(&c);
}

/* Neither the client gets through nor does the service see anyone. */
static void check_refused(const struct identity *id, const char *why)
{
	unsigned before = seen.failed;
	struct end c = client(id);
	if (c.step == TLS_DONE) /* in TLS 1.2 a client may be done before its certificate is judged */
		c.step = end_fate(&c, 2000);
	CU_ASSERT_TRUE(c.step == TLS_FAILED || c.step == TLS_CLOSED);
	CU_ASSERT_TRUE(until(&seen.failed, before + 1, 2000));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen.text, why));
	CU_ASSERT_EQUAL(accept4(service, NULL, NULL, SOCK_CLOEXEC), -1);
	end_free(&c);
}

static void clients_of_no_good_certificate_are_refused(void)
{
	port_add(true, "https", &server_id, &ca)->peer_required = true;
	gate_start();
	check_refused(NULL, "shows no certificate");
	sleep_ms(1000); /* failures are told once a second */
	check_refused(&stranger_id, "not of our CA");
	struct end c = client(&short_id);
	int fd = accept_soon(service, 2000);
	CU_ASSERT_EQUAL(c.step, TLS_DONE);
	CU_ASSERT_TRUE(fd >= 0);
	end_free(&c);
	close(fd);
	sleep_ms(1000);
	gate_clock_send(proc, NOW_S + 101);
	check_refused(&short_id, "past its date");
}

static void a_stalled_handshake_is_cut(void)
{
	char byte;
	port_add(true, "https", &server_id, NULL);
	gate_start();
	int fd = tcp(seen.port, false);
	int64_t begin = loop_now_ms();
	loop_once(loop, 20);
	CU_ASSERT_EQUAL(send(fd, "\x16\x03\x01", 3, MSG_NOSIGNAL), 3); /* a handshake's beginning, then nothing */
	CU_ASSERT_EQUAL(recv_soon(fd, &byte, 1, 3000), 0);
	CU_ASSERT_TRUE(loop_now_ms() - begin >= DEADLINE - 20 && loop_now_ms() - begin < DEADLINE + 1000);
	close(fd);
	CU_ASSERT_TRUE(until(&seen.failed, 1, 1000));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen.text, "no handshake within"));
}

static void an_idle_connection_is_cut(void)
{
	config.idle_ms = 300;
	port_add(true, "https", &server_id, NULL);
	gate_start();
	struct end c = client(NULL);
	int fd = accept_soon(service, 2000);
	int64_t begin = loop_now_ms();
	CU_ASSERT_EQUAL(c.step, TLS_DONE);
	CU_ASSERT_NOT_EQUAL(end_fate(&c, 3000), TLS_WANT_READ);
	CU_ASSERT_TRUE(loop_now_ms() - begin >= 250 && loop_now_ms() - begin < 1500);
	CU_ASSERT_EQUAL(seen.failed, 0);
	end_free(&c);
	close(fd);
}

static void connections_are_bounded(void)
{
	char byte;
	config.conns_max = 2;
	port_add(true, "https", &server_id, NULL);
	gate_start();
	struct end a = client(NULL), b = client(NULL);
	CU_ASSERT_TRUE(a.step == TLS_DONE && b.step == TLS_DONE);
	int fd = tcp(seen.port, false);
	CU_ASSERT_EQUAL(recv_soon(fd, &byte, 1, 300), 0);
	close(fd);
	int at_service = accept_soon(service, 2000);
	end_free(&a);
	CU_ASSERT_EQUAL(recv_soon(at_service, &byte, 1, 2000), 0);
	close(at_service);
	loop_once(loop, 50);
	a = client(NULL);
	CU_ASSERT_EQUAL(a.step, TLS_DONE);
	end_free(&a);
	end_free(&b);
}

static long resident_kib(int pid)
{
	char path[64], line[128];
	long kib = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	}
	if (f != NULL)
		fclose(f);
	return kib;
}

static void a_slow_reader_costs_bounded_memory_and_loses_nothing(void)
{
	static uint8_t some[65536];
	uint64_t sent = 0, got = 0;
	size_t n;
	port_add(true, "https", &server_id, NULL);
	gate_start();
	struct end c = client(NULL);
	int fd = accept_soon(service, 2000);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	long before = resident_kib(proc_pid(proc));
	for (int quiet = 0; quiet < 20;) {
		ssize_t m = send(fd, some, sizeof(some), MSG_NOSIGNAL);
		quiet = m > 0 ? 0 : quiet + 1;
		sent += m > 0 ? (uint64_t)m : 0;
		if (m <= 0)
			loop_once(loop, 5);
	}
	CU_ASSERT_TRUE(sent > 100000 && sent < 16 << 20); /* the kernel's buffers, and gate's window */
	CU_ASSERT_TRUE(resident_kib(proc_pid(proc)) - before < 1024);
	close(fd);
	for (int64_t end = loop_now_ms() + 5000; loop_now_ms() < end; loop_once(loop, 1)) {
		enum tls_step step;
		while ((step = tls_read(c.tls, some, sizeof(some), &n, &e)) == TLS_DONE)
			got += n;
		if (step != TLS_WANT_READ)
			break;
	}
	CU_ASSERT_EQUAL(got, sent);
	end_free(&c);
}

static void a_missing_service_is_told(void)
{
	port_add(true, "https", &server_id, NULL);
	gate_start();
	close(service);
	service = -1;
	struct end c = client(NULL);
	CU_ASSERT_NOT_EQUAL(end_fate(&c, 2000), TLS_WANT_READ);
	CU_ASSERT_TRUE(until(&seen.failed, 1, 2000));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen.text, "the service behind gate"));
	end_free(&c);
}

/* Outward: a far server of ours. */

static int far_listen(struct gate_port *p)
{
	p->port = free_port();
	return tcp(p->port, true);
}

static void bytes_pass_outward(void)
{
	config.idle_ms = 150;
	struct gate_port *p = port_add(false, "mqtt", &client_id, &ca);
	int far = far_listen(p);
	gate_start();
	for (int i = 0; i < 2; i++) {
		int fd = unix_connect("mqtt");
		struct end s = end_new(accept_soon(far, 2000), true, &server_id, &ca);
		shake(&s);
		CU_ASSERT_EQUAL(s.step, TLS_DONE);
		CU_ASSERT_STRING_EQUAL(tls_peer(s.tls), "b0001");
		CU_ASSERT_EQUAL(end_fate(&s, 400), TLS_WANT_READ); /* silence outward is nobody's business */
		exchange(&s, fd);
		close(fd);
		CU_ASSERT_EQUAL(end_fate(&s, 2000), TLS_CLOSED);
		end_free(&s);
	}
	CU_ASSERT_TRUE(until(&seen.connected, 2, 1000));
	CU_ASSERT_EQUAL(seen.failed, 0);
	close(far);
}

/* The far side shows id; gate wants tls_name; the client is let down and the reason told. */
static void check_far(const struct identity *id, const char *tls_name, const char *why)
{
	char byte;
	struct gate_port *p = port_add(false, "mqtt", NULL, &ca);
	int far = far_listen(p);
	snprintf(p->tls_name, sizeof(p->tls_name), "%s", tls_name);
	gate_start();
	int fd = unix_connect("mqtt");
	struct end s = end_new(accept_soon(far, 2000), true, id, NULL);
	shake(&s);
	CU_ASSERT_EQUAL(recv_soon(fd, &byte, 1, 2000), 0);
	CU_ASSERT_TRUE(until(&seen.failed, 1, 1000));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen.text, why));
	CU_ASSERT_EQUAL(seen.connected, 0);
	end_free(&s);
	close(fd);
	close(far);
}

static void a_far_side_of_another_ca_is_refused(void)
{
	check_far(&stranger_id, "", "not of our CA");
}

static void a_far_side_of_another_name_is_refused(void)
{
	check_far(&server_id, "elsewhere.example", "of another name");
}

static void a_far_side_past_its_date_is_refused(void)
{
	config.now_s = NOW_S + 101;
	check_far(&short_id, "", "past its date");
}

static void a_far_side_that_says_nothing_is_left(void)
{
	char byte;
	int far = far_listen(port_add(false, "mqtt", NULL, &ca));
	gate_start();
	int fd = unix_connect("mqtt");
	CU_ASSERT_EQUAL(send(fd, "waits", 5, MSG_NOSIGNAL), 5);
	CU_ASSERT_EQUAL(recv_soon(fd, &byte, 1, DEADLINE + 1500), 0);
	CU_ASSERT_TRUE(until(&seen.failed, 1, 1000));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen.text, "no handshake within"));
	close(fd);
	close(far);
}

static unsigned descriptors(int pid)
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

static void a_line_that_died_with_bytes_unsent_is_let_go(void)
{
	static uint8_t some[65536];
	config.idle_ms = 500;
	int far = far_listen(port_add(false, "mqtt", NULL, &ca));
	gate_start();
	unsigned before = descriptors(proc_pid(proc));
	int fd = unix_connect("mqtt");
	struct end s = end_new(accept_soon(far, 2000), true, &server_id, NULL);
	shake(&s);
	CU_ASSERT_EQUAL(s.step, TLS_DONE);
	for (int quiet = 0; quiet < 20;) {
		quiet = send(fd, some, sizeof(some), MSG_NOSIGNAL) > 0 ? 0 : quiet + 1;
		loop_once(loop, 1);
	}
	CU_ASSERT_TRUE(descriptors(proc_pid(proc)) > before);
	close(fd); /* the far side neither reads nor leaves */
	for (int64_t end = loop_now_ms() + 3000; descriptors(proc_pid(proc)) > before && loop_now_ms() < end;)
		loop_once(loop, 20);
	CU_ASSERT_EQUAL(descriptors(proc_pid(proc)), before);
	end_free(&s);
	close(far);
}

static void a_far_side_not_reached_is_told_once_a_second(void)
{
	char byte;
	port_add(false, "mqtt", NULL, &ca)->port = free_port();
	snprintf(port_add(false, "enrol", NULL, &ca)->host, 30, "no-such-host.invalid");
	config.ports[1].port = 1;
	gate_start();
	for (int i = 0; i < 5; i++) {
		int fd = unix_connect("mqtt");
		CU_ASSERT_EQUAL(recv_soon(fd, &byte, 1, 2000), 0);
		close(fd);
	}
	CU_ASSERT_EQUAL(seen.failed, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(seen.text, "Connection refused"));
	int fd = unix_connect("enrol");
	CU_ASSERT_EQUAL(recv_soon(fd, &byte, 1, 3000), 0);
	CU_ASSERT_TRUE(until(&seen.failed, 2, 1000));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen.text, "no-such-host.invalid is not found"));
	close(fd);
}

static void a_gate_that_died_comes_back_and_serves_again(void)
{
	port_add(true, "https", &server_id, NULL)->port = free_port();
	int far = far_listen(port_add(false, "mqtt", NULL, &ca));
	gate_start();
	kill(proc_pid(proc), SIGKILL);
	CU_ASSERT_TRUE(until(&seen.stopped, 1, 2000) && until(&seen.sandbox, 2, 5000));
	CU_ASSERT_EQUAL(seen.listening, 4);
	struct end c = client(NULL);
	CU_ASSERT_EQUAL(c.step, TLS_DONE);
	end_free(&c);
	int fd = unix_connect("mqtt"), at_far = accept_soon(far, 2000);
	CU_ASSERT_TRUE(at_far >= 0);
	close(fd);
	close(at_far);
	close(far);
}

static void a_port_that_cannot_work_leaves_the_others_alone(void)
{
	port_add(true, "https", &server_id, NULL)->key = buf_bytes(&client_id.key);
	port_add(true, "other", &server_id, NULL);
	static const struct proc_events events = { on_started, on_frame, on_stopped };
	proc = proc_start_with(loop, "test-gate", NULL, &events, NULL);
	CU_ASSERT_TRUE_FATAL(until(&seen.sandbox, 1, 5000));
	CU_ASSERT_EQUAL(seen.listening, 1);
	CU_ASSERT_EQUAL(seen.failed, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(seen.text, "our private key"));
	struct end c = client(NULL);
	CU_ASSERT_EQUAL(c.step, TLS_DONE);
	end_free(&c);
}

static void a_listener_is_bound_once_its_address_is_free(void)
{
	int number = free_port(), taken = tcp(number, true);
	port_add(true, "https", &server_id, NULL)->port = number;
	static const struct proc_events events = { on_started, on_frame, on_stopped };
	proc = proc_start_with(loop, "test-gate", NULL, &events, NULL);
	CU_ASSERT_TRUE(until(&seen.failed, 1, 5000));
	CU_ASSERT_PTR_NOT_NULL(strstr(seen.text, "Address already in use"));
	close(taken);
	CU_ASSERT_TRUE(until(&seen.listening, 1, 3000));
	CU_ASSERT_EQUAL(seen.port, number);
}

/* libmosquitto → gate → TLS → mosquitto */

#define BROKER_LINES                                                                                                 \
	"listener %d 127.0.0.1\ncafile %%d/ca.crt\ncertfile %%d/server.crt\nkeyfile %%d/server.key\n"                   \
	"require_certificate true\nuse_identity_as_username true\n"

static unsigned ups, downs, messages;

static void mqtt_up(void *arg)
{
	(void)arg;
	ups++;
}

static void mqtt_down(void *arg, const char *why)
{
	(void)arg, (void)why;
	downs++;
}

static void mqtt_message(void *arg, const char *topic, struct bytes payload)
{
	(void)arg, (void)topic;
	messages += payload.len == 65536 ? 1 : 0;
}

static void mqtt_reaches_a_broker_through_gate_and_again_after_gate_died(void)
{
	static const struct mqtt_events events = { .up = mqtt_up, .down = mqtt_down, .message = mqtt_message };
	static uint8_t chunk[65536];
	struct broker broker;
	char lines[512];
	int number = free_port();
	snprintf(lines, sizeof(lines), BROKER_LINES, number);
	if (!broker_prepare(&broker, lines))
		return;
	struct identity now_server, now_client;
	identity_issue(&ca, &now_server, "broker", PKI_SERVER, IDENTITY_FROM_S, IDENTITY_TO_S);
	identity_issue(&ca, &now_client, "b0001", PKI_CLIENT, IDENTITY_FROM_S, IDENTITY_TO_S);
	identity_store(&ca, broker.dir, "ca");
	identity_store(&now_server, broker.dir, "server");
	broker_start(&broker, number);
	port_add(false, "mqtt", &now_client, &ca)->port = number;
	gate_start();
	ups = downs = messages = 0;
	struct mqtt_config c = { .client_id = "b0001", .socket_path = config.ports[0].socket, .backoff_min_ms = 50, .backoff_max_ms = 200 };
	struct mqtt *m = mqtt_new(loop, &c, &events, NULL, &e);
	for (unsigned round = 1; round <= 2; round++) {
		CU_ASSERT_TRUE(until(&ups, round, 8000));
		CU_ASSERT_TRUE(mqtt_subscribe(m, "t", &e));
		for (int i = 0; i < 10; i++)
			CU_ASSERT_TRUE(mqtt_publish(m, "t", (struct bytes){ chunk, sizeof(chunk) }, false, 0, NULL, &e));
		CU_ASSERT_TRUE(until(&messages, 10 * round, 8000));
		if (round == 1)
			kill(proc_pid(proc), SIGKILL);
	}
	CU_ASSERT_TRUE(downs >= 1);
	mqtt_free(m);
	broker_stop(&broker, SIGTERM);
	identity_clear(&now_server);
	identity_clear(&now_client);
}

static CU_TestInfo tests[] = {
	{ "bytes pass inward, with the peer's name", bytes_pass_inward_with_the_peers_name },
	{ "without a certificate the name is empty", without_a_certificate_the_name_is_empty },
	{ "clients of no good certificate are refused", clients_of_no_good_certificate_are_refused },
	{ "a stalled handshake is cut", a_stalled_handshake_is_cut },
	{ "an idle connection is cut", an_idle_connection_is_cut },
	{ "connections are bounded", connections_are_bounded },
	{ "a slow reader costs bounded memory and loses nothing", a_slow_reader_costs_bounded_memory_and_loses_nothing },
	{ "a missing service is told", a_missing_service_is_told },
	{ "bytes pass outward", bytes_pass_outward },
	{ "a far side of another CA is refused", a_far_side_of_another_ca_is_refused },
	{ "a far side of another name is refused", a_far_side_of_another_name_is_refused },
	{ "a far side past its date is refused", a_far_side_past_its_date_is_refused },
	{ "a far side that says nothing is left", a_far_side_that_says_nothing_is_left },
	{ "a line that died with bytes unsent is let go", a_line_that_died_with_bytes_unsent_is_let_go },
	{ "a far side not reached is told once a second", a_far_side_not_reached_is_told_once_a_second },
	{ "a gate that died comes back and serves again", a_gate_that_died_comes_back_and_serves_again },
	{ "a port that cannot work leaves the others alone", a_port_that_cannot_work_leaves_the_others_alone },
	{ "a listener is bound once its address is free", a_listener_is_bound_once_its_address_is_free },
	{ "MQTT reaches a broker through gate, and again after gate died",
	  mqtt_reaches_a_broker_through_gate_and_again_after_gate_died },
	CU_TEST_INFO_NULL,
};
SUITE(gate, setup, teardown, tests);
