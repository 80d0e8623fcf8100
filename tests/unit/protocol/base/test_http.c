#include "protocol/base/http.h"
#include "tests/test.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BODY_MAX 1000

/* The server under test runs in this thread's loop; clients are raw sockets that are written to and read in turns. */
struct world {
	struct loop *loop;
	struct http_server *server;
	struct http_request *held; /* GET /later */
	char path[128];
	unsigned handled;
};
static struct world w;

static void handle(struct http_request *r, void *arg)
{
	struct world *world = arg;
	struct buf out;
	world->handled++;
	if (strcmp(http_path(r), "/later") == 0) {
		world->held = r;
		return;
	}
	buf_init(&out, 4096);
	const char *q = http_query(r, "q");
	buf_add_fmt(&out, "%s %s q=%s peer=%s body=%zu", http_method(r), http_path(r), q != NULL ? q : "-",
		    http_peer(r), http_body(r).len);
	http_reply_header(r, "X-Test", "yes");
	http_reply(r, 200, "text/plain", buf_bytes(&out));
	buf_clear(&out);
}

static void setup(void)
{
	struct err e;
	w = (struct world){ .loop = loop_new() };
	snprintf(w.path, sizeof(w.path), "%s/http.sock", test_dir());
	struct http_config c = { .path = w.path, .body_max = BODY_MAX, .idle_timeout_s = 1 };
	w.server = http_listen(w.loop, &c, handle, &w, &e);
	if (w.server == NULL)
		abort();
}

static void teardown(void)
{
	http_close(w.server);
	loop_free(w.loop);
}

static int client(const char *bind_to)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind_to != NULL) {
		size_t len = strlen(bind_to);
		memcpy(a.sun_path + 1, bind_to, len);
		if (bind(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len)) !=
		    0)
			abort();
	}
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", w.path);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		abort();
	return fd;
}

static void send_text(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		abort();
}

/* Turns the loop until an answer that holds needle has come, or the server closed, or too long. */
static const char *answer(int fd, const char *needle)
{
	static char text[65536];
	size_t len = 0;
	for (int i = 0; i < 300; i++) {
		loop_once(w.loop, 10);
		ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, MSG_DONTWAIT);
		if (n == 0)
			break;
		if (n > 0)
			len += (size_t)n;
		text[len] = '\0';
		if (needle != NULL && strstr(text, needle) != NULL)
			break;
	}
	text[len] = '\0';
	return text;
}

static const char *one(const char *request, const char *needle)
{
	int fd = client(NULL);
	send_text(fd, request);
	const char *text = answer(fd, needle);
	close(fd);
	return text;
}

#define HAS(text, part) CU_ASSERT_PTR_NOT_NULL(strstr((text), (part)))

static void requests_reach_the_handler_decoded(void)
{
	const char *text = one("GET /a%20b?q=x%3dy HTTP/1.1\r\nHost: x\r\n\r\n", "body=0");
	HAS(text, "HTTP/1.1 200 OK");
	HAS(text, "X-Test: yes");
	HAS(text, "GET /a b q=x=y peer= body=0");
	HAS(one("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "body="), "POST /p q=- peer= body=3");
	HAS(one("DELETE /p HTTP/1.1\r\nHost: x\r\n\r\n", "body="), "DELETE /p");
	HAS(one("POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n", "body="),
	    "body=4");
}

static void a_malformed_address_is_refused_before_the_handler(void)
{
	unsigned before = w.handled;
	HAS(one("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "malformed"), " 400 ");
	HAS(one("GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n", "malformed"), " 400 ");
	HAS(one("GET /%4 HTTP/1.1\r\nHost: x\r\n\r\n", "malformed"), " 400 ");
	HAS(one("what is this\r\n\r\n", " 400 "), " 400 ");
	CU_ASSERT_EQUAL(w.handled, before);
}

static void bodies_and_headers_past_their_bound_are_refused(void)
{
	unsigned before = w.handled;
	char big[40000];
	HAS(one("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", " 413 "), " 413 ");
	HAS(one("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10485760\r\n\r\n", " 413 "), " 413 ");
	int n = snprintf(big, sizeof(big), "GET / HTTP/1.1\r\nHost: x\r\nX-Big: ");
	memset(big + n, 'a', 30000);
	snprintf(big + n + 30000, sizeof(big) - (size_t)n - 30000, "\r\n\r\n");
	HAS(one(big, " 400 "), " 400 ");
	n = snprintf(big, sizeof(big), "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n500\r\n");
	memset(big + n, 'a', 0x500);
	snprintf(big + n + 0x500, sizeof(big) - (size_t)n - 0x500, "\r\n0\r\n\r\n");
	HAS(one(big, " 413 "), " 413 ");
	CU_ASSERT_EQUAL(w.handled, before);
}

static void a_connection_serves_one_request_after_another(void)
{
	int fd = client(NULL);
	for (int i = 0; i < 3; i++) {
		send_text(fd, "GET /k HTTP/1.1\r\nHost: x\r\n\r\n");
		HAS(answer(fd, "body=0"), "GET /k");
	}
	send_text(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
	HAS(answer(fd, "GET /2"), "GET /1");
	close(fd);
}

static void an_answer_may_take_longer_than_a_silent_client_has(void)
{
	int fd = client(NULL);
	send_text(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	int64_t end = loop_now_ms() + 2500;
	while (loop_now_ms() < end)
		loop_once(w.loop, 20);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w.held);
	http_reply(w.held, 200, "text/plain", bytes_of("at last"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer(fd, "at last"), "at last"));
	close(fd);
}

static void an_answer_may_come_in_a_later_turn(void)
{
	int fd = client(NULL);
	send_text(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	for (int i = 0; i < 5; i++)
		loop_once(w.loop, 10);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w.held);
	http_reply(w.held, 503, "text/plain", bytes_of("late"));
	HAS(answer(fd, "late"), " 503 ");
	close(fd);
}

static void a_client_that_leaves_before_its_answer_is_harmless(void)
{
	for (int i = 0; i < 3; i++) {
		int fd = client(NULL);
		w.held = NULL;
		send_text(fd, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab");
		while (w.held == NULL)
			loop_once(w.loop, 10);
		close(fd);
		for (int turn = 0; turn < 5; turn++)
			loop_once(w.loop, 5);
		CU_ASSERT_TRUE(http_body(w.held).len == 2 || http_body(w.held).len == 0);
		http_reply(w.held, 200, "text/plain", bytes_of("nobody there"));
		loop_once(w.loop, 5);
	}
	HAS(one("GET /after HTTP/1.1\r\nHost: x\r\n\r\n", "body="), "GET /after");
}

static void the_peers_name_comes_from_its_address_alone(void)
{
	static const struct {
		const char *address, *name;
	} cases[] = { { "xb-gate/1/kiosk-7", "peer=kiosk-7 " },
		      { "xb-gate/2/", "peer= " },
		      { "other/3/kiosk-7", "peer= " } };
	for (size_t i = 0; i < 3; i++) {
		int fd = client(cases[i].address);
		send_text(fd, "GET / HTTP/1.1\r\nHost: x\r\nX-Peer: kiosk-9\r\n\r\n");
		HAS(answer(fd, "body="), cases[i].name);
		close(fd);
	}
}

static void a_silent_client_is_closed(void)
{
	int fd = client(NULL);
	send_text(fd, "GET / HT");
	const char *text = answer(fd, NULL);
	char byte;
	CU_ASSERT_PTR_NULL(strstr(text, "200"));
	CU_ASSERT_EQUAL(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close(fd);
}

struct call {
	int status;
	bool ok;
	struct buf out;
	struct err e;
	bool done;
};

static void *call_thread(void *arg)
{
	struct call *c = arg;
	c->ok = http_call(w.path, "POST", "/call?q=1", "X-A: b\r\n", bytes_of("hello"), 5000, &c->status, &c->out,
			  &c->e);
	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void our_own_client_calls_it(void)
{
	struct call c = { 0 };
	pthread_t thread;
	buf_init(&c.out, 1000);
	if (pthread_create(&thread, NULL, call_thread, &c) != 0)
		abort();
	while (!__atomic_load_n(&c.done, __ATOMIC_ACQUIRE))
		loop_once(w.loop, 10);
	pthread_join(thread, NULL);
	CU_ASSERT_TRUE(c.ok);
	CU_ASSERT_EQUAL(c.status, 200);
	CU_ASSERT_STRING_EQUAL(buf_str(&c.out), "POST /call q=1 peer= body=5");
	buf_clear(&c.out);
	struct err e;
	int status = 0;
	CU_ASSERT_FALSE(http_call("/nowhere/x.sock", "GET", "/", "", (struct bytes){ 0 }, 100, &status, &c.out, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
}

static CU_TestInfo tests[] = {
	{ "requests reach the handler decoded", requests_reach_the_handler_decoded },
	{ "a malformed address is refused before the handler", a_malformed_address_is_refused_before_the_handler },
	{ "bodies and headers past their bound are refused", bodies_and_headers_past_their_bound_are_refused },
	{ "a connection serves one request after another", a_connection_serves_one_request_after_another },
	{ "an answer may come in a later turn", an_answer_may_come_in_a_later_turn },
	{ "an answer may take longer than a silent client has", an_answer_may_take_longer_than_a_silent_client_has },
	{ "a client that leaves before its answer is harmless", a_client_that_leaves_before_its_answer_is_harmless },
	{ "the peer's name comes from its address alone", the_peers_name_comes_from_its_address_alone },
	{ "a silent client is closed", a_silent_client_is_closed },
	{ "our own client calls it", our_own_client_calls_it },
	CU_TEST_INFO_NULL,
};
SUITE(http, setup, teardown, tests);
