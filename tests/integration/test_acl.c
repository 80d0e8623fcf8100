/* The broker as centralctl init configures it, a real mosquitto, against clients that want more than they may have. */
#include "central/acl.h"
#include "central/init.h"
#include "protocol/base/file.h"
#include "protocol/base/limits.h"
#include "protocol/base/loop.h"
#include "protocol/base/pki.h"
#include "protocol/crypto.h"
#include "tests/support/child.h"
#include "tests/test.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_MS 400 /* for what must not come */

static char dir[64];
static int port;
static pid_t broker;
static struct buf ca_cert, ca_key;

/* --- certificates --- */

static void path_in(const char *name, const char *suffix, char out[128])
{
	snprintf(out, 128, "%s/%s%s", dir, name, suffix);
}

static void pem_load(const char *name, const char *label, struct buf *der)
{
	char path[128];
	struct buf pem;
	buf_init(&pem, 8192);
	buf_init(der, PKI_CERT_MAX);
	path_in(name, "", path);
	if (!file_read(path, &pem, NULL) || !pki_from_pem(buf_bytes(&pem), label, der, NULL))
		abort();
	buf_clear(&pem);
}

static void pem_store(const char *name, const char *suffix, const char *label, const struct buf *der)
{
	char path[128];
	struct buf pem;
	buf_init(&pem, 8192);
	path_in(name, suffix, path);
	if (!pki_to_pem(buf_bytes(der), label, &pem, NULL) || !file_write(path, buf_bytes(&pem), 0600, NULL))
		abort();
	buf_clear(&pem);
}

/* DIR/FILE.pem and .key for CN; by our CA, or, foreign, by one of its own. */
static void issue(const char *file, const char *cn, bool foreign, int64_t from_s, int64_t to_s)
{
	struct buf key, cert, other_key, other_cert;
	buf_init(&key, PKI_KEY_MAX);
	buf_init(&cert, PKI_CERT_MAX);
	buf_init(&other_key, PKI_KEY_MAX);
	buf_init(&other_cert, PKI_CERT_MAX);
	bool ok = pki_key_new(&key, NULL) && pki_key_new(&other_key, NULL);
	struct pki_issue other = { .key = buf_bytes(&other_key),
				   .name = "Xinbian CA",
				   .use = PKI_CA,
				   .from_s = from_s,
				   .to_s = to_s,
				   .serial = { 1 } };
	ok = ok && pki_issue(&other, &other_cert, NULL);
	struct pki_issue p = {
		.ca_cert = buf_bytes(foreign ? &other_cert : &ca_cert),
		.ca_key = buf_bytes(foreign ? &other_key : &ca_key),
		.key = buf_bytes(&key),
		.name = cn,
		.use = PKI_SERVER_CLIENT,
		.from_s = from_s,
		.to_s = to_s,
		.serial = { 2 },
	};
	if (!ok || !pki_issue(&p, &cert, NULL))
		abort();
	pem_store(file, ".pem", "CERTIFICATE", &cert);
	pem_store(file, ".key", "EC PRIVATE KEY", &key);
	buf_clear(&key);
	buf_clear(&cert);
	buf_clear(&other_key);
	buf_clear(&other_cert);
}

/* --- the broker --- */

static void broker_run(void)
{
	char config[128], log[128];
	path_in("mosquitto.conf", "", config);
	path_in("mosquitto.log", "", log);
	const char *const argv[] = { "/usr/sbin/mosquitto", "-c", config, NULL };
	broker = child_start(argv, log);
}

static void setup(void)
{
	int64_t now_s = time(NULL);
	snprintf(dir, sizeof(dir), "%s", test_dir());
	port = free_port();
	struct init_options o = {
		.dir = dir, .host = "127.0.0.1", .broker_port = port, .api_port = 1, .now_s = now_s
	};
	if (!init_run(&o, NULL))
		abort();
	pem_load("ca.pem", "CERTIFICATE", &ca_cert);
	pem_load("ca.key", "EC PRIVATE KEY", &ca_key);
	issue("b1", "b1", false, now_s - 100, now_s + 10000);
	issue("b2", "b2", false, now_s - 100, now_s + 10000);
	issue("d1", "dept.tax.1", false, now_s - 100, now_s + 10000);
	issue("foreign", "b1", true, now_s - 100, now_s + 10000);
	issue("expired", "b1", false, now_s - 10000, now_s - 10);
	mosquitto_lib_init();
	broker_run();
}

static void teardown(void)
{
	child_stop(broker, SIGTERM);
	mosquitto_lib_cleanup();
	buf_clear(&ca_cert);
	buf_clear(&ca_key);
}

/* --- clients --- */

struct client {
	struct mosquitto *m;
	bool in;
	int published, reason; /* acknowledged so far; of the last one */
	size_t topics_len;
	char topics[32][96];
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
	if (c->topics_len < 32)
		snprintf(c->topics[c->topics_len++], sizeof(c->topics[0]), "%s", got->topic);
}

static void client_run(struct client *c, int ms)
{
	int64_t until = loop_now_ms() + ms;
	while (loop_now_ms() < until) {
		if (mosquitto_loop(c->m, 20, 1) != MOSQ_ERR_SUCCESS)
			sleep_ms(20);
	}
}

/* identity NULL: no certificate. Tries until it is in, at most ms. */
static void client_open(struct client *c, const char *identity, int ms)
{
	char ca[128], cert[128] = "", key[128] = "";
	*c = (struct client){ .m = mosquitto_new(NULL, true, c) };
	if (c->m == NULL)
		abort();
	path_in("ca.pem", "", ca);
	if (identity != NULL) {
		path_in(identity, ".pem", cert);
		path_in(identity, ".key", key);
	}
	mosquitto_int_option(c->m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	mosquitto_connect_v5_callback_set(c->m, on_connect);
	mosquitto_publish_v5_callback_set(c->m, on_publish);
	mosquitto_message_v5_callback_set(c->m, on_message);
	if (mosquitto_tls_set(c->m, ca, NULL, identity != NULL ? cert : NULL, identity != NULL ? key : NULL, NULL) !=
	    0)
		abort();
	for (int64_t until = loop_now_ms() + ms; !c->in && loop_now_ms() < until;) {
		if (mosquitto_connect(c->m, "127.0.0.1", port, 60) == MOSQ_ERR_SUCCESS)
			client_run(c, 200);
		else
			sleep_ms(20);
	}
}

static void client_close(struct client *c)
{
	mosquitto_destroy(c->m);
}

static void client_subscribe(struct client *c, const char *filter)
{
	CU_ASSERT_EQUAL(mosquitto_subscribe(c->m, NULL, filter, 1), MOSQ_ERR_SUCCESS);
}

/* The broker's answer: 0 and 0x10 (nobody listens) are yes, 0x87 is no. */
static int client_publish(struct client *c, const char *topic, bool retain)
{
	int before = c->published;
	CU_ASSERT_EQUAL(mosquitto_publish(c->m, NULL, topic, 1, "x", 1, retain), MOSQ_ERR_SUCCESS);
	for (int i = 0; i < 100 && c->published == before; i++)
		client_run(c, 20);
	CU_ASSERT_EQUAL(c->published, before + 1);
	return c->reason;
}

static bool client_has(const struct client *c, const char *topic)
{
	for (size_t i = 0; i < c->topics_len; i++) {
		if (strcmp(c->topics[i], topic) == 0)
			return true;
	}
	return false;
}

static void test_a_branch_hears_the_head_objects_and_its_own_down_and_nothing_else(void)
{
	struct client central, b1, b2;
	client_open(&central, "central", 5000);
	client_open(&b1, "b1", 5000);
	client_open(&b2, "b2", 5000);
	CU_ASSERT_TRUE_FATAL(central.in && b1.in && b2.in);
	static const char *const filters[] = { "#",         "xb/1/#", "xb/1/down/+/ack", "xb/1/down/b2/#",
					       "xb/1/up/#", "$SYS/#" };
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		client_subscribe(&b1, filters[i]);
	client_subscribe(&central, "xb/1/up/+/+");
	client_run(&b1, WAIT_MS);
	client_run(&central, 100);
	static const char *const said[] = { "xb/1/head", "xb/1/o/ab/0", "xb/1/down/b1/ack", "xb/1/down/b2/ack",
					    "xb/1/down/b2/reply" };
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		CU_ASSERT_TRUE(client_publish(&central, said[i], false) < 0x80);
	CU_ASSERT_TRUE(client_publish(&b2, "xb/1/up/b2/journal", false) < 0x80);
	client_run(&b1, WAIT_MS);
	client_run(&central, WAIT_MS);
	CU_ASSERT_TRUE(client_has(&b1, "xb/1/head") && client_has(&b1, "xb/1/o/ab/0") &&
		       client_has(&b1, "xb/1/down/b1/ack"));
	CU_ASSERT_FALSE(client_has(&b1, "xb/1/down/b2/ack"));
	CU_ASSERT_FALSE(client_has(&b1, "xb/1/down/b2/reply"));
	CU_ASSERT_FALSE(client_has(&b1, "xb/1/up/b2/journal"));
	for (size_t i = 0; i < b1.topics_len; i++)
		CU_ASSERT_NOT_EQUAL(strncmp(b1.topics[i], "$SYS", 4), 0);
	CU_ASSERT_TRUE(client_has(&central, "xb/1/up/b2/journal"));
	client_close(&central);
	client_close(&b1);
	client_close(&b2);
}

static void test_a_branch_writes_its_own_up_and_nothing_else(void)
{
	struct client central, b1;
	client_open(&central, "central", 5000);
	client_open(&b1, "b1", 5000);
	CU_ASSERT_TRUE_FATAL(central.in && b1.in);
	client_subscribe(&central, "xb/1/#");
	client_run(&central, WAIT_MS);
	static const char *const own[] = { "xb/1/up/b1/journal", "xb/1/up/b1/query", "xb/1/up/b1/status" };
	static const char *const others[] = { "xb/1/up/b2/journal",
					      "xb/1/up/b1/journal/x",
					      "xb/1/up/b1",
					      "xb/1/up/b11/journal",
					      "xb/1/head",
					      "xb/1/o/ab/0",
					      "xb/1/down/b1/ack",
					      "xb/1/down/b2/ack",
					      "anything" };
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		CU_ASSERT_TRUE(client_publish(&b1, own[i], false) < 0x80);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		CU_ASSERT_EQUAL(client_publish(&b1, others[i], false), MQTT_RC_NOT_AUTHORIZED);
		CU_ASSERT_EQUAL(client_publish(&b1, others[i], true), MQTT_RC_NOT_AUTHORIZED);
	}
	client_run(&central, WAIT_MS);
	CU_ASSERT_EQUAL(central.topics_len, 3);
	client_close(&central);
	client_close(&b1);
}

static void test_central_writes_no_branchs_up(void)
{
	struct client central;
	client_open(&central, "central", 5000);
	CU_ASSERT_TRUE_FATAL(central.in);
	CU_ASSERT_EQUAL(client_publish(&central, "xb/1/up/b1/journal", false), MQTT_RC_NOT_AUTHORIZED);
	client_close(&central);
}

static void test_without_a_sound_certificate_of_ours_nobody_gets_in(void)
{
	static const char *const identities[] = { NULL, "foreign", "expired", "broker" };
	struct client good;
	client_open(&good, "b1", 5000);
	CU_ASSERT_TRUE_FATAL(good.in); /* the broker is up, and one like these would do */
	client_close(&good);
	for (size_t i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
		struct client c;
		client_open(&c, identities[i], 1000);
		CU_ASSERT_FALSE(c.in);
		client_close(&c);
	}
}

static void test_a_message_larger_than_a_chunk_is_refused(void)
{
	struct client central;
	static char large[MQTT_PACKET_MAX + 1];
	client_open(&central, "central", 5000);
	CU_ASSERT_TRUE_FATAL(central.in);
	CU_ASSERT_EQUAL(mosquitto_publish(central.m, NULL, "xb/1/head", sizeof(large), large, 1, false),
			MOSQ_ERR_OVERSIZE_PACKET);
	CU_ASSERT_EQUAL(mosquitto_publish(central.m, NULL, "xb/1/o/ab/1", OBJECT_CHUNK, large, 1, false),
			MOSQ_ERR_SUCCESS);
	for (int i = 0; i < 50 && central.published == 0; i++)
		client_run(&central, 20);
	CU_ASSERT_EQUAL(central.published, 1);
	CU_ASSERT_TRUE(central.reason < 0x80);
	client_close(&central);
}

static void test_a_revoked_branch_is_denied_everything_once_the_list_is_read_anew(void)
{
	struct client central, b1, b2;
	client_open(&central, "central", 5000); /* the broker is up */
	CU_ASSERT_TRUE_FATAL(acl_store(dir, &(struct acl){ .revoked = bytes_of("b0\nb1\n") }, NULL));
	kill(broker, SIGHUP);
	sleep_ms(300);
	client_open(&b1, "b1", 5000);
	client_open(&b2, "b2", 5000);
	CU_ASSERT_TRUE_FATAL(central.in && b1.in && b2.in);
	client_subscribe(&b1, "xb/1/#");
	client_subscribe(&b2, "xb/1/#");
	client_run(&b1, 100);
	client_run(&b2, 100);
	CU_ASSERT_EQUAL(client_publish(&b1, "xb/1/up/b1/journal", false), MQTT_RC_NOT_AUTHORIZED);
	CU_ASSERT_TRUE(client_publish(&central, "xb/1/head", false) < 0x80);
	CU_ASSERT_TRUE(client_publish(&central, "xb/1/down/b1/ack", false) < 0x80);
	client_run(&b1, WAIT_MS);
	client_run(&b2, WAIT_MS);
	CU_ASSERT_EQUAL(b1.topics_len, 0);
	CU_ASSERT_TRUE(client_has(&b2, "xb/1/head"));
	CU_ASSERT_TRUE(client_publish(&b2, "xb/1/up/b2/journal", false) < 0x80);
	client_close(&central);
	client_close(&b1);
	client_close(&b2);
}

static void test_a_department_has_its_own_in_and_ack_and_nothing_of_a_branchs(void)
{
	static const char *const others[] = {
		"xb/1/up/dept.tax.1/status", "xb/1/up/b2/status", "xb/1/in/dept.tax.2/s/1",
		"xb/1/in/dept.tax.1/s",      "xb/1/head",         "xb/1/o/ab/0",
		"xb/1/ack/dept.tax.1/s/1",   "xb/1/down/b2/ack",  "anything"
	};
	struct client central, d1, b2;
	client_open(&central, "central", 5000);
	CU_ASSERT_TRUE_FATAL(acl_store(dir, &(struct acl){ .departments = bytes_of("dept.tax.1\n") }, NULL));
	kill(broker, SIGHUP);
	sleep_ms(300);
	client_open(&d1, "d1", 5000);
	client_open(&b2, "b2", 5000);
	CU_ASSERT_TRUE_FATAL(central.in && d1.in && b2.in);
	client_subscribe(&d1, "#");
	client_subscribe(&d1, "xb/1/head");
	client_subscribe(&d1, "xb/1/down/dept.tax.1/#");
	client_subscribe(&central, "xb/1/in/#");
	client_run(&d1, WAIT_MS);
	client_run(&central, 100);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CU_ASSERT_EQUAL(client_publish(&d1, others[i], false), MQTT_RC_NOT_AUTHORIZED);
	CU_ASSERT_EQUAL(client_publish(&b2, "xb/1/in/b2/s/1", false), MQTT_RC_NOT_AUTHORIZED);
	CU_ASSERT_EQUAL(client_publish(&b2, "xb/1/in/dept.tax.1/s/1", false), MQTT_RC_NOT_AUTHORIZED);
	CU_ASSERT_TRUE(client_publish(&d1, "xb/1/in/dept.tax.1/s/1", false) < 0x80);
	static const char *const said[] = { "xb/1/head", "xb/1/o/ab/0", "xb/1/down/dept.tax.1/ack",
					    "xb/1/ack/dept.tax.2/s/1", "xb/1/ack/dept.tax.1/s/1" };
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		CU_ASSERT_TRUE(client_publish(&central, said[i], false) < 0x80);
	client_run(&d1, WAIT_MS);
	client_run(&central, WAIT_MS);
	CU_ASSERT_EQUAL(d1.topics_len, 1);
	CU_ASSERT_TRUE(client_has(&d1, "xb/1/ack/dept.tax.1/s/1"));
	CU_ASSERT_TRUE(client_has(&central, "xb/1/in/dept.tax.1/s/1"));
	client_close(&central);
	client_close(&d1);
	client_close(&b2);
}

static CU_TestInfo tests[] = {
	{ "a branch hears the head, objects and its own down, and nothing else",
	  test_a_branch_hears_the_head_objects_and_its_own_down_and_nothing_else },
	{ "a branch writes its own up and nothing else", test_a_branch_writes_its_own_up_and_nothing_else },
	{ "central writes no branch's up", test_central_writes_no_branchs_up },
	{ "without a sound certificate of ours nobody gets in",
	  test_without_a_sound_certificate_of_ours_nobody_gets_in },
	{ "a message larger than a chunk is refused", test_a_message_larger_than_a_chunk_is_refused },
	{ "a revoked branch is denied everything once the list is read anew",
	  test_a_revoked_branch_is_denied_everything_once_the_list_is_read_anew },
	{ "a department has its own in and ack, and nothing of a branch's",
	  test_a_department_has_its_own_in_and_ack_and_nothing_of_a_branchs },
	CU_TEST_INFO_NULL,
};
SUITE(acl, setup, teardown, tests);
