/* Real-time messages of departments through a real mosquitto as centralctl init configures it, to a real centrald. */
#include "protocol/base/file.h"
#include "protocol/base/loop.h"
#include "tests/support/department.h"
#include "tests/support/lone_central.h"
#include "tests/support/sender.h"
#include "tests/test.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char catalogue[] =
	"{\"type\":\"sources\",\"sample\":true,\"departments\":["
	"{\"code\":\"tax\",\"zh\":\"样例税务部门\",\"en\":\"sample tax\"},"
	"{\"code\":\"court\",\"zh\":\"样例法院\",\"en\":\"sample court\"}],"
	"\"categories\":[{\"code\":\"operation\",\"zh\":\"企业生产经营\",\"en\":\"production and operation\"}],"
	"\"indicators\":[{\"code\":\"arrears\",\"category\":\"operation\",\"zh\":\"欠税\",\"en\":\"arrears\","
	"\"schema\":{\"fields\":[{\"name\":\"uscc\",\"title\":\"统一社会信用代码\",\"identifier\":\"uscc\","
	"\"subject\":true},{\"name\":\"notice\",\"title\":\"通知书号\"},"
	"{\"name\":\"amount\",\"title\":\"金额\",\"type\":\"number\",\"unit\":\"元\"}],"
	"\"primaryKey\":[\"notice\"]}}],"
	"\"sources\":[{\"code\":\"tax-arrears\",\"department\":\"tax\",\"indicator\":\"arrears\","
	"\"cadence\":\"message\",\"owner\":\"样例\"},"
	"{\"code\":\"court-arrears\",\"department\":\"court\",\"indicator\":\"arrears\","
	"\"cadence\":\"message\",\"owner\":\"样例\"}]}";

static struct lone_central central;
static struct sender tax, court;
static pid_t broker;
static struct buf out;
static char ca[160];

/* --- clients --- */

struct client {
	struct mosquitto *m;
	bool in;
	int published, reason;
	char topic[192], payload[4096]; /* the last that came */
	int came;
};

static void on_connect(struct mosquitto *m, void *arg, int rc, int flags, const mosquitto_property *p)
{
	struct client *c = arg;
	(void)m, (void)flags, (void)p;
	c->in = rc == 0;
}

static void on_publish(struct mosquitto *m, void *arg, int mid, int reason, const mosquitto_property *p)
{
	struct client *c = arg;
	(void)m, (void)mid, (void)p;
	c->published++;
	c->reason = reason;
}

static void on_message(struct mosquitto *m, void *arg, const struct mosquitto_message *got,
		       const mosquitto_property *p)
{
	struct client *c = arg;
	(void)m, (void)p;
	snprintf(c->topic, sizeof(c->topic), "%s", got->topic);
	snprintf(c->payload, sizeof(c->payload), "%.*s", got->payloadlen, (const char *)got->payload);
	c->came++;
}

static void client_run(struct client *c, int ms)
{
	for (int64_t until = loop_now_ms() + ms; loop_now_ms() < until;) {
		if (mosquitto_loop(c->m, 20, 1) != MOSQ_ERR_SUCCESS)
			sleep_ms(20);
	}
}

static void client_open(struct client *c, const struct sender *s)
{
	char cert[160], key[160];
	*c = (struct client){ .m = mosquitto_new(NULL, true, c) };
	CU_ASSERT_PTR_NOT_NULL_FATAL(c->m);
	snprintf(cert, sizeof(cert), "%s/%s.pem", s->dir, s->name);
	snprintf(key, sizeof(key), "%s/%s.key", s->dir, s->name);
	mosquitto_int_option(c->m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	mosquitto_connect_v5_callback_set(c->m, on_connect);
	mosquitto_publish_v5_callback_set(c->m, on_publish);
	mosquitto_message_v5_callback_set(c->m, on_message);
	CU_ASSERT_EQUAL_FATAL(mosquitto_tls_set(c->m, ca, NULL, cert, key, NULL), MOSQ_ERR_SUCCESS);
	for (int i = 0; i < 50 && !c->in; i++) {
		if (mosquitto_connect(c->m, "127.0.0.1", central.broker_port, 60) == MOSQ_ERR_SUCCESS)
			client_run(c, 200);
		else
			sleep_ms(100);
	}
	CU_ASSERT_TRUE_FATAL(c->in);
}

/* The broker's answer: below 0x80 it is yes. */
static int client_publish(struct client *c, const char *topic, const char *payload)
{
	int before = c->published;
	CU_ASSERT_EQUAL(mosquitto_publish(c->m, NULL, topic, (int)strlen(payload), payload, 1, false),
			MOSQ_ERR_SUCCESS);
	for (int i = 0; i < 100 && c->published == before; i++)
		client_run(c, 20);
	return c->published > before ? c->reason : 0xff;
}

/* Sends it until an answer comes, as a department does; the answer is in payload. */
static bool client_send(struct client *c, const char *topic, const char *payload)
{
	for (int i = 0; i < 10; i++) {
		int before = c->came;
		CU_ASSERT_TRUE(client_publish(c, topic, payload) < 0x80);
		for (int n = 0; n < 25 && c->came == before; n++)
			client_run(c, 40);
		if (c->came > before)
			return true;
	}
	return false;
}

static bool answer_says(const struct client *c, const char *what)
{
	bool there = strstr(c->payload, what) != NULL;
	if (!there)
		printf("\n    not answered: %s\n    %s: %s\n", what, c->topic, c->payload);
	return there;
}

/* --- the system --- */

static void sender_admit(struct sender *s, const char *code)
{
	struct json *j = lone_central_json(&central, "department token %s", code);
	const char *token = NULL;
	int status = 0;
	*s = (struct sender){ .ca = ca, .port = central.department_port };
	snprintf(s->dir, sizeof(s->dir), "%s", central.dir);
	snprintf(s->name, sizeof(s->name), "%s", code);
	CU_ASSERT_TRUE_FATAL(j != NULL && json_text(j, "token", 128, &token, NULL));
	for (int i = 0; i < 100 && (status = sender_enrol(s, central.enrol_port, token, &out)) == 0; i++)
		sleep_ms(50);
	CU_ASSERT_EQUAL_FATAL(status, 200);
	json_free(j);
}

static void broker_run(void)
{
	char config[160], log[160];
	snprintf(config, sizeof(config), "%s/mosquitto.conf", central.dir);
	snprintf(log, sizeof(log), "%s.mosquitto.log", central.dir);
	const char *const argv[] = { "/usr/sbin/mosquitto", "-c", config, NULL };
	broker = child_start(argv, log);
}

static void setup(void)
{
	char path[160];
	buf_init(&out, 1U << 24);
	if (central.pid != 0)
		return;
	lone_central_open(&central);
	snprintf(ca, sizeof(ca), "%s/ca.pem", central.dir);
	snprintf(path, sizeof(path), "%s.sources.json", central.dir);
	CU_ASSERT_TRUE_FATAL(file_write(path, bytes_of(catalogue), 0600, NULL));
	CU_ASSERT_EQUAL_FATAL(lone_central_ctl(&central, &out, "source import %s", path), 0);
	sender_admit(&tax, "tax");
	sender_admit(&court, "court");
	mosquitto_lib_init();
	broker_run();
}

static void teardown(void)
{
	buf_clear(&out);
}

static void row_put(char *text, size_t size, unsigned i, const char *notice, const char *amount)
{
	char code[19];
	department_uscc(i, code);
	snprintf(text, size, "{\"uscc\":\"%s\",\"notice\":\"%s\",\"amount\":%s}\n", code, notice, amount);
}

static int64_t rows_of(void)
{
	struct json *j = lone_central_json(&central, "source show tax-arrears");
	int64_t n = -1;
	CU_ASSERT_TRUE(j != NULL && json_int(j, "rows", 0, 1000000, &n, NULL));
	json_free(j);
	return n;
}

static void messages_of_a_day_are_one_batch_that_grows_and_each_counts_once(void)
{
	struct client c;
	char rows[512], more[512], first[4096], code[19];
	client_open(&c, &tax);
	CU_ASSERT_EQUAL(mosquitto_subscribe(c.m, NULL, "xb/1/ack/dept.tax.1/#", 1), MOSQ_ERR_SUCCESS);
	client_run(&c, 300);
	row_put(rows, sizeof(rows), 7, "N1", "100");
	row_put(rows + strlen(rows), sizeof(rows) - strlen(rows), 8, "N2", "\"much\"");
	CU_ASSERT_TRUE_FATAL(client_send(&c, "xb/1/in/dept.tax.1/tax-arrears/m-1", rows));
	CU_ASSERT_STRING_EQUAL(c.topic, "xb/1/ack/dept.tax.1/tax-arrears/m-1");
	CU_ASSERT_TRUE(answer_says(&c, "\"accepted\":1,\"rejected\":1") &&
		       answer_says(&c, "\"row\":2,\"column\":\"amount\",\"code\":\"type-error\""));
	snprintf(first, sizeof(first), "%s", c.payload);
	CU_ASSERT_TRUE(client_send(&c, "xb/1/in/dept.tax.1/tax-arrears/m-1", rows));
	CU_ASSERT_STRING_EQUAL(c.payload, first);
	CU_ASSERT_EQUAL(rows_of(), 1);
	row_put(more, sizeof(more), 9, "N3", "5");
	row_put(more + strlen(more), sizeof(more) - strlen(more), 7, "N1", "200");
	CU_ASSERT_TRUE(client_send(&c, "xb/1/in/dept.tax.1/tax-arrears/m-2", more));
	CU_ASSERT_TRUE(answer_says(&c, "\"accepted\":1,\"rejected\":1") && answer_says(&c, "primary-key"));
	CU_ASSERT_EQUAL(rows_of(), 2);
	CU_ASSERT_TRUE(client_send(&c, "xb/1/in/dept.tax.1/tax-arrears/m-2", rows));
	CU_ASSERT_TRUE(answer_says(&c, "\"error\":\"conflict\"") && answer_says(&c, "\"message_zh\""));
	CU_ASSERT_EQUAL(rows_of(), 2);
	department_uscc(9, code);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "subject show %s 核对", code), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "notice=N3"));
	mosquitto_destroy(c.m);
}

static void after_centrald_was_killed_a_message_sent_again_still_counts_once(void)
{
	struct client c;
	char rows[512];
	client_open(&c, &tax);
	CU_ASSERT_EQUAL(mosquitto_subscribe(c.m, NULL, "xb/1/ack/dept.tax.1/#", 1), MOSQ_ERR_SUCCESS);
	row_put(rows, sizeof(rows), 20, "K1", "1");
	CU_ASSERT_TRUE(client_send(&c, "xb/1/in/dept.tax.1/tax-arrears/k-1", rows));
	int64_t before = rows_of();
	lone_central_stop(&central, SIGKILL);
	CU_ASSERT_TRUE(client_publish(&c, "xb/1/in/dept.tax.1/tax-arrears/k-1", rows) < 0x80);
	lone_central_start(&central);
	CU_ASSERT_TRUE(client_send(&c, "xb/1/in/dept.tax.1/tax-arrears/k-1", rows));
	CU_ASSERT_TRUE(answer_says(&c, "\"accepted\":1"));
	CU_ASSERT_EQUAL(rows_of(), before);
	mosquitto_destroy(c.m);
}

static void the_broker_gives_a_department_its_own_topics_and_nothing_else(void)
{
	static const char *const others[] = { "xb/1/in/dept.tax.1/tax-arrears/x",
					      "xb/1/in/dept.court.1/a",
					      "xb/1/up/dept.court.1/status",
					      "xb/1/up/b1/status",
					      "xb/1/ack/dept.court.1/s/x",
					      "xb/1/down/b1/ack",
					      "xb/1/head",
					      "anything" };
	struct client c;
	client_open(&c, &court);
	CU_ASSERT_EQUAL(mosquitto_subscribe(c.m, NULL, "#", 1), MOSQ_ERR_SUCCESS);
	CU_ASSERT_EQUAL(mosquitto_subscribe(c.m, NULL, "xb/1/head", 1), MOSQ_ERR_SUCCESS);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CU_ASSERT_EQUAL(client_publish(&c, others[i], "x"), MQTT_RC_NOT_AUTHORIZED);
	client_run(&c, 500);
	CU_ASSERT_EQUAL(c.came, 0); /* central's retained head among what does not come */
	CU_ASSERT_TRUE(client_send(&c, "xb/1/in/dept.court.1/tax-arrears/x", "{}"));
	CU_ASSERT_TRUE(answer_says(&c, "\"error\":\"denied\"") && answer_says(&c, "no source of department court"));
	mosquitto_destroy(c.m);
}

static void what_a_revoked_certificate_sends_does_not_count(void)
{
	struct client c;
	char rows[512];
	int64_t before = rows_of();
	client_open(&c, &tax);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "department revoke dept.tax.1"), 0);
	row_put(rows, sizeof(rows), 30, "R1", "1");
	(void)client_publish(&c, "xb/1/in/dept.tax.1/tax-arrears/r-1", rows);
	client_run(&c, 500);
	CU_ASSERT_EQUAL(rows_of(), before);
	kill(broker, SIGHUP);
	sleep_ms(300);
	mosquitto_destroy(c.m);
	client_open(&c, &tax);
	CU_ASSERT_EQUAL(client_publish(&c, "xb/1/in/dept.tax.1/tax-arrears/r-2", rows), MQTT_RC_NOT_AUTHORIZED);
	mosquitto_destroy(c.m);
	lone_central_stop(&central, SIGTERM);
	child_stop(broker, SIGTERM);
	mosquitto_lib_cleanup();
}

static CU_TestInfo tests[] = {
	{ "messages of a day are one batch that grows, and each counts once",
	  messages_of_a_day_are_one_batch_that_grows_and_each_counts_once },
	{ "after centrald was killed a message sent again still counts once",
	  after_centrald_was_killed_a_message_sent_again_still_counts_once },
	{ "the broker gives a department its own topics and nothing else",
	  the_broker_gives_a_department_its_own_topics_and_nothing_else },
	{ "what a revoked certificate sends does not count", what_a_revoked_certificate_sends_does_not_count },
	CU_TEST_INFO_NULL,
};

SUITE(department_messages, setup, teardown, tests);
