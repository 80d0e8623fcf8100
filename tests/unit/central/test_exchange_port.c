/* The way to a platform through what it is made of: gate as a child, mutual TLS, and a platform that this test runs. */
#include "central/exchange/port.h"
#include "protocol/base/gate.h"
#include "tests/support/centre.h"
#include "tests/support/platform.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static struct centre centre;
static struct platform far;
static struct loop *loop;
static struct exchange_port *port;
static struct err err;
static int64_t ahead_s;

static int64_t clock_s(void)
{
	return (int64_t)time(NULL) + ahead_s;
}

static void setup(void)
{
	static char run_dir[100];
	centre_open(&centre);
	platform_open(&far, centre.dir);
	loop = loop_new();
	ahead_s = 0;
	snprintf(run_dir, sizeof(run_dir), "%s/run", centre.dir);
	const struct exchange_port_config c = { .release = &centre.release,
						.dir = centre.dir,
						.run_dir = run_dir,
						.role = "test-gate",
						.now_s = clock_s,
						.answer_ms = 1500 };
	port = exchange_port_open(loop, &c, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(port);
}

static void teardown(void)
{
	exchange_port_close(port);
	platform_close(&far);
	loop_free(loop);
	centre_close(&centre);
}

static void push_begin(const char *host)
{
	struct exchange x = { .name = "city",
			      .certificate = "client.crt",
			      .key = "client.key",
			      .ca = "ca.crt",
			      .direction = EXCHANGE_PUSH,
			      .kind = EXCHANGE_RELEASES };
	struct exchange_pushed pushed;
	snprintf(x.url, sizeof(x.url), "https://%s:%d/v1/in", host, far.port);
	centre_publish_list(&centre, 1, 10);
	CU_ASSERT_TRUE_FATAL(exchange_add(&centre.release, centre.dir, &x, "alice", clock_s(), &err));
	CU_ASSERT_TRUE_FATAL(exchange_push(&centre.release, centre.dir, "city", "alice", clock_s(), &pushed, &err));
	exchange_port_changed(port);
}

static void later(void)
{
	ahead_s += 3600;
	exchange_port_due(port);
}

static bool until(int64_t waiting, const char *fault)
{
	struct exchange_counts n = { -1, -1, -1 };
	struct exchange x = { 0 };
	for (int64_t end = loop_now_ms() + 8000; loop_now_ms() < end; loop_once(loop, 5)) {
		if (exchange_count(&centre.release, "city", &n, &err) && n.waiting == waiting &&
		    exchange_load(&centre.release, "city", &x, &err) && strstr(x.fault, fault) != NULL)
			return true;
	}
	printf("\n    waiting %lld fault '%s'", (long long)n.waiting, x.fault);
	return false;
}

static void a_batch_goes_over_mutual_tls_and_its_answer_counts(void)
{
	push_begin("localhost");
	CU_ASSERT_TRUE(platform_serve(&far, loop, "HTTP/1.1 204 No Content\r\n\r\n", 8000));
	CU_ASSERT_STRING_EQUAL(far.peer, "central-of-a-city");
	CU_ASSERT_PTR_NOT_NULL(strstr(far.request, "POST /v1/in HTTP/1.1\r\nHost: localhost:"));
	CU_ASSERT_TRUE(until(0, ""));
}

static void a_line_cut_after_the_request_is_followed_by_the_same_request(void)
{
	static char first[65536];
	push_begin("localhost");
	CU_ASSERT_TRUE(platform_serve(&far, loop, NULL, 8000));
	snprintf(first, sizeof(first), "%s", far.request);
	CU_ASSERT_TRUE(until(1, "left without an answer"));
	later();
	CU_ASSERT_TRUE(platform_serve(&far, loop, "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"key\":", 8000));
	CU_ASSERT_STRING_EQUAL(far.request, first);
	CU_ASSERT_TRUE(until(1, "in the middle of the answer"));
	later();
	CU_ASSERT_TRUE(
		platform_serve(&far, loop, "HTTP/1.1 103 X\r\n\r\nHTTP/1.1 204 No Content\r\nX: y\r\n\r\n", 8000));
	CU_ASSERT_STRING_EQUAL(far.request, first);
	CU_ASSERT_TRUE(until(0, ""));
}

static void a_platform_that_says_nothing_is_left_in_time(void)
{
	push_begin("localhost");
	CU_ASSERT_TRUE(until(1, "no answer in time")); /* its backlog takes the connection, and nobody shakes */
}

static void a_platform_of_another_ca_gets_nothing(void)
{
	struct identity other;
	identity_ca(&other, "Other CA");
	identity_store(&other, centre.dir, "ca"); /* what the operator trusts */
	push_begin("localhost");
	CU_ASSERT_FALSE(platform_serve(&far, loop, "HTTP/1.1 204 No Content\r\n\r\n", 3000));
	CU_ASSERT_TRUE(until(1, "not of our CA"));
	identity_clear(&other);
}

static void a_platform_that_is_not_there_is_said_to_be(void)
{
	push_begin("no-such-host.invalid");
	CU_ASSERT_TRUE(until(1, "no-such-host.invalid is not found"));
}

static void a_platform_ended_while_it_answers_is_let_go(void)
{
	push_begin("localhost");
	for (int i = 0; i < 50; i++)
		loop_once(loop, 10);
	CU_ASSERT_TRUE(exchange_end(&centre.release, "city", "alice", clock_s(), &err));
	exchange_port_changed(port);
	for (int i = 0; i < 10; i++)
		loop_once(loop, 5);
	CU_ASSERT_FALSE(exchange_load(&centre.release, "city", &(struct exchange){ 0 }, &err));
}

static CU_TestInfo tests[] = {
	{ "a batch goes over mutual TLS and its answer counts", a_batch_goes_over_mutual_tls_and_its_answer_counts },
	{ "a line cut after the request is followed by the same request",
	  a_line_cut_after_the_request_is_followed_by_the_same_request },
	{ "a platform that says nothing is left in time", a_platform_that_says_nothing_is_left_in_time },
	{ "a platform of another CA gets nothing", a_platform_of_another_ca_gets_nothing },
	{ "a platform that is not there is said to be", a_platform_that_is_not_there_is_said_to_be },
	{ "a platform ended while it answers is let go", a_platform_ended_while_it_answers_is_let_go },
	CU_TEST_INFO_NULL,
};
SUITE(exchange_port, setup, teardown, tests);
