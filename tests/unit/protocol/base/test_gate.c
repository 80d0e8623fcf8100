#include "protocol/base/http.h"
#include "tests/support/child.h"
#include "tests/support/gate_rig.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct err e;

static void bytes_pass_inward_with_the_peers_name(void)
{
	char word[16];
	size_t n;
	rig_port(true, "https", &rig.server_id, &rig.ca)->peer_required = true;
	rig_start();
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.seen.sandbox_text, "seccomp"));
	struct end c = end_client(&rig.client_id);
	CU_ASSERT_EQUAL_FATAL(c.step, TLS_DONE);
	int fd = rig_accept(rig.service, 2000);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	rig_check_peer(fd, "b0001");
	end_exchange(&c, fd);
	CU_ASSERT_EQUAL(tls_close(c.tls), TLS_DONE); /* half: the answer still comes */
	CU_ASSERT_EQUAL(rig_recv(fd, word, sizeof(word), 2000), 0);
	CU_ASSERT_EQUAL(send(fd, "answer", 6, MSG_NOSIGNAL), 6);
	close(fd);
	for (int64_t end = loop_now_ms() + 2000; tls_pending(c.tls) < 5 && loop_now_ms() < end;
	     loop_once(rig.loop, 2))
		(void)tls_read(c.tls, (uint8_t *)word, 1, &n, &e);
	CU_ASSERT_EQUAL(tls_read(c.tls, (uint8_t *)word + 1, 5, &n, &e), TLS_DONE);
	CU_ASSERT_EQUAL(memcmp(word, "answer", 6), 0);
	CU_ASSERT_EQUAL(end_fate(&c, 2000), TLS_CLOSED);
	end_free(&c);
	CU_ASSERT_EQUAL(rig.seen.failed, 0);
}

static void without_a_certificate_the_name_is_empty(void)
{
	rig_port(true, "https", &rig.server_id, &rig.ca);
	rig_start();
	struct end c = end_client(NULL);
	int fd = rig_accept(rig.service, 2000);
	CU_ASSERT_EQUAL(c.step, TLS_DONE);
	rig_check_peer(fd, "");
	close(fd);
	end_free(&c);
}

/* Neither the client gets through nor does the service see anyone. */
static void check_refused(const struct identity *id, const char *why)
{
	unsigned before = rig.seen.failed;
	struct end c = end_client(id);
	if (c.step == TLS_DONE) /* in TLS 1.2 a client may be done before its certificate is judged */
		c.step = end_fate(&c, 2000);
	CU_ASSERT_TRUE(c.step == TLS_FAILED || c.step == TLS_CLOSED);
	CU_ASSERT_TRUE(rig_until(&rig.seen.failed, before + 1, 2000));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.seen.text, why));
	CU_ASSERT_EQUAL(accept4(rig.service, NULL, NULL, SOCK_CLOEXEC), -1);
	end_free(&c);
}

static void clients_of_no_good_certificate_are_refused(void)
{
	rig_port(true, "https", &rig.server_id, &rig.ca)->peer_required = true;
	rig_start();
	check_refused(NULL, "shows no certificate");
	sleep_ms(1000); /* failures are told once a second */
	check_refused(&rig.stranger_id, "not of our CA");
	struct end c = end_client(&rig.short_id);
	int fd = rig_accept(rig.service, 2000);
	CU_ASSERT_EQUAL(c.step, TLS_DONE);
	CU_ASSERT_TRUE(fd >= 0);
	end_free(&c);
	close(fd);
	sleep_ms(1000);
	gate_clock_send(rig.proc, RIG_NOW_S + 101);
	check_refused(&rig.short_id, "past its date");
}

static void a_stalled_handshake_is_cut(void)
{
	char byte;
	rig_port(true, "https", &rig.server_id, NULL);
	rig_start();
	int fd = rig_tcp(rig.seen.port, false);
	int64_t begin = loop_now_ms();
	loop_once(rig.loop, 20);
	CU_ASSERT_EQUAL(send(fd, "\x16\x03\x01", 3, MSG_NOSIGNAL), 3); /* a handshake's beginning, then nothing */
	CU_ASSERT_EQUAL(rig_recv(fd, &byte, 1, 3000), 0);
	CU_ASSERT_TRUE(loop_now_ms() - begin >= RIG_DEADLINE_MS - 20 &&
		       loop_now_ms() - begin < RIG_DEADLINE_MS + 1000);
	close(fd);
	CU_ASSERT_TRUE(rig_until(&rig.seen.failed, 1, 1000));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.seen.text, "no handshake within"));
}

static void an_idle_connection_is_cut(void)
{
	rig.config.idle_ms = 300;
	rig_port(true, "https", &rig.server_id, NULL);
	rig_start();
	struct end c = end_client(NULL);
	int fd = rig_accept(rig.service, 2000);
	int64_t begin = loop_now_ms();
	CU_ASSERT_EQUAL(c.step, TLS_DONE);
	CU_ASSERT_NOT_EQUAL(end_fate(&c, 3000), TLS_WANT_READ);
	CU_ASSERT_TRUE(loop_now_ms() - begin >= 250 && loop_now_ms() - begin < 1500);
	CU_ASSERT_EQUAL(rig.seen.failed, 0);
	end_free(&c);
	close(fd);
}

static void connections_are_bounded(void)
{
	char byte;
	rig.config.conns_max = 2;
	rig_port(true, "https", &rig.server_id, NULL);
	rig_start();
	struct end a = end_client(NULL), b = end_client(NULL);
	CU_ASSERT_TRUE(a.step == TLS_DONE && b.step == TLS_DONE);
	int fd = rig_tcp(rig.seen.port, false);
	CU_ASSERT_EQUAL(rig_recv(fd, &byte, 1, 300), 0);
	close(fd);
	int at_service = rig_accept(rig.service, 2000);
	end_free(&a);
	CU_ASSERT_EQUAL(rig_recv(at_service, &byte, 1, 2000), 0);
	close(at_service);
	loop_once(rig.loop, 50);
	a = end_client(NULL);
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
	rig_port(true, "https", &rig.server_id, NULL);
	rig_start();
	struct end c = end_client(NULL);
	int fd = rig_accept(rig.service, 2000);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	long before = resident_kib(proc_pid(rig.proc));
	for (int quiet = 0; quiet < 20;) {
		ssize_t m = send(fd, some, sizeof(some), MSG_NOSIGNAL);
		quiet = m > 0 ? 0 : quiet + 1;
		sent += m > 0 ? (uint64_t)m : 0;
		if (m <= 0)
			loop_once(rig.loop, 5);
	}
	CU_ASSERT_TRUE(sent > 100000 && sent < 16 << 20); /* the kernel's buffers, and gate's window */
	CU_ASSERT_TRUE(resident_kib(proc_pid(rig.proc)) - before < 1024);
	close(fd);
	for (int64_t end = loop_now_ms() + 5000; loop_now_ms() < end; loop_once(rig.loop, 1)) {
		enum tls_step step;
		while ((step = tls_read(c.tls, some, sizeof(some), &n, &e)) == TLS_DONE)
			got += n;
		if (step != TLS_WANT_READ)
			break;
	}
	CU_ASSERT_EQUAL(got, sent);
	end_free(&c);
}

/* Cut at every stage, by closing and by reset. */
static void clients_that_leave_anywhere_cost_nothing(void)
{
	rig_port(true, "https", &rig.server_id, &rig.ca);
	rig_start();
	unsigned before = rig_descriptors(proc_pid(rig.proc));
	for (int i = 0; i < 32; i++) {
		struct linger reset = { .l_onoff = i % 2, .l_linger = 0 };
		struct end c = end_new(rig_tcp(rig.seen.port, false), false, &rig.client_id, &rig.ca);
		for (int n = 0; n < i / 2; n++) {
			c.step = c.step == TLS_DONE ? TLS_DONE : tls_handshake(c.tls, &e);
			loop_once(rig.loop, 2);
		}
		int fd = accept4(rig.service, NULL, NULL, SOCK_CLOEXEC);
		setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		end_free(&c);
		if (fd >= 0)
			close(fd);
	}
	for (int64_t end = loop_now_ms() + 3000;
	     rig_descriptors(proc_pid(rig.proc)) > before && loop_now_ms() < end;) {
		int fd = accept4(rig.service, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			close(fd);
		loop_once(rig.loop, 20);
	}
	CU_ASSERT_EQUAL(rig_descriptors(proc_pid(rig.proc)), before);
	CU_ASSERT_EQUAL(rig.seen.stopped, 0);
}

static void answer_with_the_name(struct http_request *r, void *arg)
{
	(void)arg;
	http_reply(r, 200, "text/plain", bytes_of(http_peer(r)));
}

static void a_request_carries_the_clients_name_to_its_handler(void)
{
	static const char request[] = "GET /who HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	char answer[1024] = "";
	size_t len = 0, n;
	close(rig.service);
	rig.service = -1;
	struct gate_port *p = rig_port(true, "https", &rig.server_id, &rig.ca);
	struct http_config h = { .path = p->socket, .body_max = 1000, .idle_timeout_s = 10 };
	struct http_server *server = http_listen(rig.loop, &h, answer_with_the_name, NULL, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(server);
	rig_start();
	struct end c = end_client(&rig.client_id);
	CU_ASSERT_EQUAL(tls_write(c.tls, (const uint8_t *)request, sizeof(request) - 1, &n, &e), TLS_DONE);
	enum tls_step step = TLS_WANT_READ;
	for (int64_t end = loop_now_ms() + 2000;
	     step != TLS_CLOSED && len < sizeof(answer) - 1 && loop_now_ms() < end; loop_once(rig.loop, 2)) {
		step = tls_read(c.tls, (uint8_t *)answer + len, sizeof(answer) - 1 - len, &n, &e);
		len += n;
	}
	CU_ASSERT_EQUAL(step, TLS_CLOSED);
	CU_ASSERT_EQUAL(strncmp(answer, "HTTP/1.1 200", 12), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\r\n\r\nb0001"));
	end_free(&c);
	http_close(server);
}

static void a_missing_service_is_told(void)
{
	rig_port(true, "https", &rig.server_id, NULL);
	rig_start();
	close(rig.service);
	rig.service = -1;
	struct end c = end_client(NULL);
	CU_ASSERT_NOT_EQUAL(end_fate(&c, 2000), TLS_WANT_READ);
	CU_ASSERT_TRUE(rig_until(&rig.seen.failed, 1, 2000));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.seen.text, "the service behind gate"));
	end_free(&c);
}

static void a_port_that_cannot_work_leaves_the_others_alone(void)
{
	rig_port(true, "https", &rig.server_id, NULL)->key = buf_bytes(&rig.client_id.key);
	rig_port(true, "other", &rig.server_id, NULL);
	rig_launch();
	CU_ASSERT_TRUE_FATAL(rig_until(&rig.seen.sandbox, 1, 5000));
	CU_ASSERT_EQUAL(rig.seen.listening, 1);
	CU_ASSERT_EQUAL(rig.seen.failed, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.seen.text, "our private key"));
	struct end c = end_client(NULL);
	CU_ASSERT_EQUAL(c.step, TLS_DONE);
	end_free(&c);
}

static void a_listener_is_bound_once_its_address_is_free(void)
{
	int number = free_port(), taken = rig_tcp(number, true);
	rig_port(true, "https", &rig.server_id, NULL)->port = number;
	rig_launch();
	CU_ASSERT_TRUE(rig_until(&rig.seen.failed, 1, 5000));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.seen.text, "Address already in use"));
	close(taken);
	CU_ASSERT_TRUE(rig_until(&rig.seen.listening, 1, 3000));
	CU_ASSERT_EQUAL(rig.seen.port, number);
}

static CU_TestInfo tests[] = {
	{ "bytes pass inward, with the peer's name", bytes_pass_inward_with_the_peers_name },
	{ "without a certificate the name is empty", without_a_certificate_the_name_is_empty },
	{ "clients of no good certificate are refused", clients_of_no_good_certificate_are_refused },
	{ "a stalled handshake is cut", a_stalled_handshake_is_cut },
	{ "an idle connection is cut", an_idle_connection_is_cut },
	{ "connections are bounded", connections_are_bounded },
	{ "a slow reader costs bounded memory and loses nothing",
	  a_slow_reader_costs_bounded_memory_and_loses_nothing },
	{ "clients that leave anywhere cost nothing", clients_that_leave_anywhere_cost_nothing },
	{ "a request carries the client's name to its handler", a_request_carries_the_clients_name_to_its_handler },
	{ "a missing service is told", a_missing_service_is_told },
	{ "a port that cannot work leaves the others alone", a_port_that_cannot_work_leaves_the_others_alone },
	{ "a listener is bound once its address is free", a_listener_is_bound_once_its_address_is_free },
	CU_TEST_INFO_NULL,
};
SUITE(gate, rig_setup, rig_teardown, tests);
