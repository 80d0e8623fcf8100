#include "protocol/base/dns.h"
#include "tests/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static struct loop *loop;
static struct {
	unsigned found;
	size_t len;
	struct dns_address first;
} seen;

static void on_found(void *arg, const struct dns_address *list, size_t len, const char *why)
{
	(void)arg, (void)why;
	seen.found++;
	seen.len = len;
	if (len > 0)
		seen.first = list[0];
}

static void setup(void)
{
	memset(&seen, 0, sizeof(seen));
	loop = loop_new();
	dns_prepare();
}

static void teardown(void)
{
	for (int i = 0; i < 5; i++)
		loop_once(loop, 10); /* what was cancelled says its last word */
	loop_free(loop);
}

static void find(const char *host)
{
	CU_ASSERT_PTR_NOT_NULL(dns_find(loop, host, 8883, on_found, NULL));
	CU_ASSERT_EQUAL(seen.found, 0); /* in a later turn, however easy */
	for (int64_t end = loop_now_ms() + 3000; seen.found == 0 && loop_now_ms() < end;)
		loop_once(loop, 10);
	CU_ASSERT_EQUAL(seen.found, 1);
}

static void check_v4(const char *want)
{
	struct sockaddr_in in;
	char text[INET_ADDRSTRLEN] = "";
	memcpy(&in, &seen.first.addr, sizeof(in));
	CU_ASSERT_EQUAL(in.sin_family, AF_INET);
	CU_ASSERT_EQUAL(ntohs(in.sin_port), 8883);
	CU_ASSERT_PTR_NOT_NULL(inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text)));
	CU_ASSERT_STRING_EQUAL(text, want);
}

static void a_number_is_itself(void)
{
	find("192.0.2.7");
	CU_ASSERT_EQUAL(seen.len, 1);
	check_v4("192.0.2.7");
}

static void a_number_of_the_newer_kind_is_itself(void)
{
	struct sockaddr_in6 in6, want;
	find("2001:db8::7");
	CU_ASSERT_EQUAL(seen.len, 1);
	memcpy(&in6, &seen.first.addr, sizeof(in6));
	CU_ASSERT_EQUAL(inet_pton(AF_INET6, "2001:db8::7", &want.sin6_addr), 1);
	CU_ASSERT_EQUAL(in6.sin6_family, AF_INET6);
	CU_ASSERT_EQUAL(memcmp(&in6.sin6_addr, &want.sin6_addr, 16), 0);
}

static void the_hosts_file_is_read(void)
{
	find("localhost");
	CU_ASSERT_TRUE(seen.len >= 1);
}

static void a_cancelled_query_calls_nobody(void)
{
	dns_cancel(dns_find(loop, "127.0.0.1", 1, on_found, NULL));
	dns_cancel(dns_find(loop, "no-such-host.invalid", 1, on_found, NULL));
	dns_cancel(NULL);
	for (int i = 0; i < 10; i++)
		loop_once(loop, 10);
	CU_ASSERT_EQUAL(seen.found, 0);
}

static void queries_run_side_by_side(void)
{
	for (int i = 0; i < 20; i++)
		CU_ASSERT_PTR_NOT_NULL(dns_find(loop, "127.0.0.1", i + 1, on_found, NULL));
	for (int64_t end = loop_now_ms() + 3000; seen.found < 20 && loop_now_ms() < end;)
		loop_once(loop, 10);
	CU_ASSERT_EQUAL(seen.found, 20);
}

static CU_TestInfo tests[] = {
	{ "a number is itself", a_number_is_itself },
	{ "a number of the newer kind is itself", a_number_of_the_newer_kind_is_itself },
	{ "the hosts file is read", the_hosts_file_is_read },
	{ "a cancelled query calls nobody", a_cancelled_query_calls_nobody },
	{ "queries run side by side", queries_run_side_by_side },
	CU_TEST_INFO_NULL,
};
SUITE(dns, setup, teardown, tests);
