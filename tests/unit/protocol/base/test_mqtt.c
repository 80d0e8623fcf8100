#include "protocol/base/limits.h"
#include "protocol/base/mqtt.h"
#include "tests/support/broker.h"
#include "tests/test.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct err e;
static struct loop *loop;
static struct broker broker;

/* What a client saw. */
struct seen {
	struct mqtt *mqtt;
	unsigned up, down, messages, published;
	int reason, mid;
	char topic[64], text[64], why[160];
	size_t len;
	const char *filter; /* subscribed to when up */
	enum { KEEP, FREE_AT_UP, FREE_AT_DOWN, FREE_AT_MESSAGE } then;
};
static struct seen one, two;

static void let_go(struct seen *s)
{
	mqtt_free(s->mqtt);
	s->mqtt = NULL;
}

static void on_up(void *arg)
{
	struct seen *s = arg;
	s->up++;
	if (s->filter != NULL)
		CU_ASSERT_TRUE(mqtt_subscribe(s->mqtt, s->filter, &e));
	if (s->then == FREE_AT_UP)
		let_go(s);
}

static void on_down(void *arg, const char *why)
{
	struct seen *s = arg;
	s->down++;
	snprintf(s->why, sizeof(s->why), "%s", why);
	if (s->then == FREE_AT_DOWN)
		let_go(s);
}

static void on_message(void *arg, const char *topic, struct bytes payload)
{
	struct seen *s = arg;
	s->messages++;
	s->len = payload.len;
	snprintf(s->topic, sizeof(s->topic), "%s", topic);
	snprintf(s->text, sizeof(s->text), "%.*s", (int)(payload.len < 60 ? payload.len : 60),
		 payload.len > 0 ? (const char *)payload.data : "");
	if (s->then == FREE_AT_MESSAGE)
		let_go(s);
}

static void on_published(void *arg, int mid, int reason)
{
	struct seen *s = arg;
	s->published++;
	s->mid = mid;
	s->reason = reason;
}

static void setup(void)
{
	e = (struct err){ 0 };
	memset(&one, 0, sizeof(one));
	memset(&two, 0, sizeof(two));
	memset(&broker, 0, sizeof(broker));
	loop = loop_new();
}

static void teardown(void)
{
	mqtt_free(one.mqtt);
	mqtt_free(two.mqtt);
	loop_free(loop);
	broker_stop(&broker, SIGKILL);
}

static void start(struct seen *s, const char *id, const char *filter)
{
	static const struct mqtt_events events = { on_up, on_down, on_message, on_published };
	struct mqtt_config c = { .client_id = id,
				 .socket_path = broker_path(&broker, "mqtt"),
				 .keepalive_s = 5,
				 .backoff_min_ms = 30,
				 .backoff_max_ms = 200,
				 .connack_ms = 300 };
	s->filter = filter;
	s->mqtt = mqtt_new(loop, &c, &events, s, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s->mqtt);
	CU_ASSERT_FALSE(mqtt_is_up(s->mqtt));
}

static bool until(const unsigned *counter, unsigned at_least, int ms)
{
	int64_t end = loop_now_ms() + ms;
	while (*counter < at_least && loop_now_ms() < end)
		loop_once(loop, 20);
	return *counter >= at_least;
}

static void pass(int ms)
{
	for (int64_t end = loop_now_ms() + ms; loop_now_ms() < end;)
		loop_once(loop, 20);
}

/* Client one is up, subscribed to what two would publish. */
static bool begin(const char *config)
{
	if (!broker_prepare(&broker, config))
		return false;
	broker_start(&broker, 0);
	start(&one, "one", "t/#");
	CU_ASSERT_TRUE_FATAL(until(&one.up, 1, 5000));
	CU_ASSERT_TRUE(mqtt_is_up(one.mqtt));
	pass(50);
	return true;
}

static bool publish(struct seen *s, const char *topic, const char *text)
{
	return mqtt_publish(s->mqtt, topic, bytes_of(text), false, 0, NULL, &e);
}

static void what_is_published_arrives_and_is_acknowledged(void)
{
	int mid = 0;
	if (!begin(NULL))
		return;
	CU_ASSERT_TRUE(mqtt_publish(one.mqtt, "t/a", bytes_of("hello"), false, 0, &mid, &e));
	CU_ASSERT_TRUE(until(&one.messages, 1, 5000) && until(&one.published, 1, 5000));
	CU_ASSERT_STRING_EQUAL(one.topic, "t/a");
	CU_ASSERT_STRING_EQUAL(one.text, "hello");
	CU_ASSERT_EQUAL(one.mid, mid);
	CU_ASSERT_EQUAL(one.reason, 0);
	CU_ASSERT_TRUE(publish(&one, "t/b", ""));
	CU_ASSERT_TRUE(until(&one.messages, 2, 5000));
	CU_ASSERT_EQUAL(one.len, 0);
	CU_ASSERT_TRUE(mqtt_unsubscribe(one.mqtt, "t/#", &e));
	CU_ASSERT_TRUE(publish(&one, "t/c", "unheard") && until(&one.published, 3, 5000));
	CU_ASSERT_EQUAL(one.messages, 2);
	CU_ASSERT_EQUAL(one.down, 0);
}

static void nothing_is_queued_while_down(void)
{
	if (!broker_prepare(&broker, NULL))
		return;
	start(&one, "one", "t/#");
	CU_ASSERT_TRUE(until(&one.down, 1, 5000));
	for (int i = 0; i < 1000; i++)
		CU_ASSERT_FALSE(publish(&one, "t/a", "early"));
	CU_ASSERT_EQUAL(e.code, ERR_IO);
	broker_start(&broker, 0);
	CU_ASSERT_TRUE(until(&one.up, 1, 5000));
	pass(300);
	CU_ASSERT_EQUAL(one.messages, 0);
	CU_ASSERT_TRUE(publish(&one, "t/a", "now") && until(&one.messages, 1, 5000));
	CU_ASSERT_STRING_EQUAL(one.text, "now");
}

static void unacknowledged_publications_are_bounded(void)
{
	if (!begin(NULL))
		return;
	kill(broker.pid, SIGSTOP);
	for (int i = 0; i < MQTT_UNACKED_MAX; i++)
		CU_ASSERT_TRUE(publish(&one, "t/a", "x"));
	CU_ASSERT_FALSE(publish(&one, "t/a", "x"));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	kill(broker.pid, SIGCONT);
	CU_ASSERT_TRUE(until(&one.published, MQTT_UNACKED_MAX, 5000));
	CU_ASSERT_TRUE(publish(&one, "t/a", "x"));
}

static void a_broker_killed_and_restarted_is_found_again_and_gets_nothing_old(void)
{
	if (!begin(NULL))
		return;
	kill(broker.pid, SIGSTOP);
	for (int i = 0; i < MQTT_UNACKED_MAX; i++)
		CU_ASSERT_TRUE(publish(&one, "t/old", "old"));
	kill(broker.pid, SIGKILL);
	broker_stop(&broker, SIGKILL);
	CU_ASSERT_TRUE(until(&one.down, 1, 5000));
	CU_ASSERT_FALSE(mqtt_is_up(one.mqtt));
	CU_ASSERT_TRUE(until(&one.down, 3, 5000)); /* it goes on trying */
	broker_start(&broker, 0);
	CU_ASSERT_TRUE(until(&one.up, 2, 5000));
	pass(300);
	CU_ASSERT_EQUAL(one.messages, 0);
	CU_ASSERT_EQUAL(one.published, 0);
	CU_ASSERT_TRUE(publish(&one, "t/new", "new") && until(&one.messages, 1, 5000));
	CU_ASSERT_STRING_EQUAL(one.text, "new");
}

static void a_line_that_says_nothing_is_cut_by_the_watchdog(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	broker.dir = test_dir();
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", broker_path(&broker, "mqtt"));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 16), 0);
	start(&one, "one", NULL);
	int64_t begin_ms = loop_now_ms();
	CU_ASSERT_TRUE(until(&one.down, 1, 5000));
	CU_ASSERT_PTR_NOT_NULL(strstr(one.why, "did not answer within 300 ms"));
	CU_ASSERT_TRUE(loop_now_ms() - begin_ms >= 300 && loop_now_ms() - begin_ms < 2000);
	CU_ASSERT_TRUE(until(&one.down, 2, 5000));
	CU_ASSERT_EQUAL(one.up, 0);
	close(fd);
}

/* A broker of fixed answers: to what comes first, then to what comes next. */
static void answer(const char *first, size_t first_len, const char *next, size_t next_len)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char heard[512];
	int said = 0, peer = -1;
	broker.dir = test_dir();
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", broker_path(&broker, "mqtt"));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 16), 0);
	start(&one, "one", "t/#");
	for (int i = 0; i < 200 && one.down == 0; i++) {
		if (peer < 0)
			peer = accept(fd, NULL, NULL);
		if (peer >= 0 && said < 2 && recv(peer, heard, sizeof(heard), MSG_DONTWAIT) > 0) {
			size_t len = said == 0 ? first_len : next_len;
			CU_ASSERT_EQUAL(send(peer, said == 0 ? first : next, len, MSG_NOSIGNAL), (ssize_t)len);
			said++;
		}
		loop_once(loop, 10);
	}
	CU_ASSERT_EQUAL(one.down, 1);
	close(fd);
	close(peer);
}

static void what_is_no_mqtt_counts_as_down(void)
{
	answer("HTTP/1.1 400 Bad Request\r\n\r\n", 28, "", 0);
	CU_ASSERT_EQUAL(one.up, 0);
}

static void a_refused_connection_says_why(void)
{
	answer("\x20\x03\x00\x87\x00", 5, "", 0);
	CU_ASSERT_EQUAL(one.up, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(one.why, "Not authorized"));
}

static void a_refused_subscription_counts_as_down(void)
{
	answer("\x20\x03\x00\x00\x00", 5, "\x90\x04\x00\x01\x00\x87", 6);
	CU_ASSERT_EQUAL(one.up, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(one.why, "refuses a subscription"));
}

static void a_broker_that_falls_silent_counts_as_down(void)
{
	if (!begin(NULL))
		return;
	kill(broker.pid, SIGSTOP);
	CU_ASSERT_TRUE(until(&one.down, 1, 14000)); /* two keep-alives of 5 s, the least the library takes */
	CU_ASSERT_FALSE(publish(&one, "t/a", "x"));
}

#define ACL "listener 0 %d/mqtt\nallow_anonymous true\nacl_file %d/acl\n"

static void a_refused_publication_is_told(void)
{
	if (!broker_prepare(&broker, ACL))
		return;
	FILE *acl = fopen(broker_path(&broker, "acl"), "w");
	assert(acl != NULL);
	fputs("topic readwrite t/#\ntopic deny no/#\n", acl);
	fclose(acl);
	broker_start(&broker, 0);
	start(&one, "one", "t/#");
	CU_ASSERT_TRUE_FATAL(until(&one.up, 1, 5000));
	CU_ASSERT_TRUE(publish(&one, "no/a", "x"));
	CU_ASSERT_TRUE(until(&one.published, 1, 5000));
	CU_ASSERT_EQUAL(one.reason, 0x87);
	CU_ASSERT_EQUAL(one.down, 0);
}

static void a_message_past_its_expiry_is_gone(void)
{
	if (!begin(NULL))
		return;
	CU_ASSERT_TRUE(mqtt_publish(one.mqtt, "r/short", bytes_of("short"), true, 1, NULL, &e));
	CU_ASSERT_TRUE(mqtt_publish(one.mqtt, "r/long", bytes_of("long"), true, 100, NULL, &e));
	CU_ASSERT_TRUE(until(&one.published, 2, 5000));
	pass(2100);
	start(&two, "two", "r/#");
	CU_ASSERT_TRUE(until(&two.messages, 1, 5000));
	pass(200);
	CU_ASSERT_EQUAL(two.messages, 1);
	CU_ASSERT_STRING_EQUAL(two.text, "long");
}

static void a_message_above_the_most_is_not_taken(void)
{
	if (!begin(NULL))
		return;
	static uint8_t big[MQTT_PACKET_MAX];
	CU_ASSERT_TRUE(mqtt_publish(one.mqtt, "t/big", (struct bytes){ big, sizeof(big) }, false, 0, NULL, &e));
	CU_ASSERT_TRUE(mqtt_publish(one.mqtt, "t/chunk", (struct bytes){ big, OBJECT_CHUNK }, false, 0, NULL, &e));
	CU_ASSERT_TRUE(until(&one.messages, 1, 5000));
	CU_ASSERT_EQUAL(one.len, OBJECT_CHUNK);
	CU_ASSERT_FALSE(mqtt_publish(one.mqtt, "t/big", (struct bytes){ big, sizeof(big) + 1 }, false, 0, NULL, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	CU_ASSERT_FALSE(publish(&one, "t/#", "a wildcard"));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	CU_ASSERT_TRUE(mqtt_is_up(one.mqtt));
}

static void a_client_may_be_freed_inside_any_callback(void)
{
	if (!begin(NULL))
		return;
	two.then = FREE_AT_UP;
	start(&two, "two", NULL);
	CU_ASSERT_TRUE(until(&two.up, 1, 5000));
	CU_ASSERT_PTR_NULL(two.mqtt);
	two = (struct seen){ .then = FREE_AT_MESSAGE };
	start(&two, "two", "t/#");
	CU_ASSERT_TRUE(until(&two.up, 1, 5000));
	pass(50);
	CU_ASSERT_TRUE(publish(&one, "t/a", "x") && until(&two.messages, 1, 5000));
	CU_ASSERT_PTR_NULL(two.mqtt);
	one.then = FREE_AT_DOWN;
	broker_stop(&broker, SIGKILL);
	CU_ASSERT_TRUE(until(&one.down, 1, 5000));
	CU_ASSERT_PTR_NULL(one.mqtt);
	pass(100);
	CU_ASSERT_EQUAL(one.down, 1);
}

static CU_TestInfo tests[] = {
	{ "what is published arrives and is acknowledged", what_is_published_arrives_and_is_acknowledged },
	{ "nothing is queued while down", nothing_is_queued_while_down },
	{ "unacknowledged publications are bounded", unacknowledged_publications_are_bounded },
	{ "a broker killed and restarted is found again and gets nothing old",
	  a_broker_killed_and_restarted_is_found_again_and_gets_nothing_old },
	{ "a line that says nothing is cut by the watchdog", a_line_that_says_nothing_is_cut_by_the_watchdog },
	{ "what is no MQTT counts as down", what_is_no_mqtt_counts_as_down },
	{ "a broker that falls silent counts as down", a_broker_that_falls_silent_counts_as_down },
	{ "a refused publication is told", a_refused_publication_is_told },
	{ "a refused connection says why", a_refused_connection_says_why },
	{ "a refused subscription counts as down", a_refused_subscription_counts_as_down },
	{ "a message past its expiry is gone", a_message_past_its_expiry_is_gone },
	{ "a message above the most is not taken", a_message_above_the_most_is_not_taken },
	{ "a client may be freed inside any callback", a_client_may_be_freed_inside_any_callback },
	CU_TEST_INFO_NULL,
};
SUITE(mqtt, setup, teardown, tests);
