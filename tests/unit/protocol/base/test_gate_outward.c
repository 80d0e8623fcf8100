/* From a Unix socket through gate to a far server: ours, then a broker. */
#include "protocol/base/mqtt.h"
#include "tests/support/broker.h"
#include "tests/support/child.h"
#include "tests/support/gate_rig.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct err e;

static int far_listen(struct gate_port *p)
{
	p->port = free_port();
	return rig_tcp(p->port, true);
}

static void bytes_pass_outward(void)
{
	rig.config.idle_ms = 150;
	struct gate_port *p = rig_port(false, "mqtt", &rig.client_id, &rig.ca);
	int far = far_listen(p);
	rig_start();
	for (int i = 0; i < 2; i++) {
		int fd = rig_unix("mqtt");
		struct end s = end_new(rig_accept(far, 2000), true, &rig.server_id, &rig.ca);
		end_shake(&s);
		CU_ASSERT_EQUAL(s.step, TLS_DONE);
		CU_ASSERT_STRING_EQUAL(tls_peer(s.tls), "b0001");
		CU_ASSERT_EQUAL(end_fate(&s, 400), TLS_WANT_READ); /* silence outward is nobody's business */
		end_exchange(&s, fd);
		close(fd);
		CU_ASSERT_EQUAL(end_fate(&s, 2000), TLS_CLOSED);
		end_free(&s);
	}
	CU_ASSERT_TRUE(rig_until(&rig.seen.connected, 2, 1000));
	CU_ASSERT_EQUAL(rig.seen.failed, 0);
	close(far);
}

/* The far side shows id; gate wants tls_name; the client is let down and the reason told. */
static void check_far(const struct identity *id, const char *tls_name, const char *why)
{
	char byte;
	struct gate_port *p = rig_port(false, "mqtt", NULL, &rig.ca);
	int far = far_listen(p);
	snprintf(p->tls_name, sizeof(p->tls_name), "%s", tls_name);
	rig_start();
	int fd = rig_unix("mqtt");
	struct end s = end_new(rig_accept(far, 2000), true, id, NULL);
	end_shake(&s);
	CU_ASSERT_EQUAL(rig_recv(fd, &byte, 1, 2000), 0);
	CU_ASSERT_TRUE(rig_until(&rig.seen.failed, 1, 1000));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.seen.text, why));
	CU_ASSERT_EQUAL(rig.seen.connected, 0);
	end_free(&s);
	close(fd);
	close(far);
}

static void a_far_side_of_another_ca_is_refused(void)
{
	check_far(&rig.stranger_id, "", "not of our CA");
}

static void a_far_side_of_another_name_is_refused(void)
{
	check_far(&rig.server_id, "elsewhere.example", "of another name");
}

static void a_far_side_past_its_date_is_refused(void)
{
	rig.config.now_s = RIG_NOW_S + 101;
	check_far(&rig.short_id, "", "past its date");
}

static void a_far_side_that_says_nothing_is_left(void)
{
	char byte;
	int far = far_listen(rig_port(false, "mqtt", NULL, &rig.ca));
	rig_start();
	int fd = rig_unix("mqtt");
	CU_ASSERT_EQUAL(send(fd, "waits", 5, MSG_NOSIGNAL), 5);
	CU_ASSERT_EQUAL(rig_recv(fd, &byte, 1, RIG_DEADLINE_MS + 1500), 0);
	CU_ASSERT_TRUE(rig_until(&rig.seen.failed, 1, 1000));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.seen.text, "no handshake within"));
	close(fd);
	close(far);
}

static void a_line_that_died_with_bytes_unsent_is_let_go(void)
{
	static uint8_t some[65536];
	rig.config.idle_ms = 500;
	int far = far_listen(rig_port(false, "mqtt", NULL, &rig.ca));
	rig_start();
	unsigned before = rig_descriptors(proc_pid(rig.proc));
	int fd = rig_unix("mqtt");
	struct end s = end_new(rig_accept(far, 2000), true, &rig.server_id, NULL);
	end_shake(&s);
	CU_ASSERT_EQUAL(s.step, TLS_DONE);
	for (int quiet = 0; quiet < 20;) {
		quiet = send(fd, some, sizeof(some), MSG_NOSIGNAL) > 0 ? 0 : quiet + 1;
		loop_once(rig.loop, 1);
	}
	CU_ASSERT_TRUE(rig_descriptors(proc_pid(rig.proc)) > before);
	close(fd); /* the far side neither reads nor leaves */
	for (int64_t end = loop_now_ms() + 3000; rig_descriptors(proc_pid(rig.proc)) > before && loop_now_ms() < end;)
		loop_once(rig.loop, 20);
	CU_ASSERT_EQUAL(rig_descriptors(proc_pid(rig.proc)), before);
	end_free(&s);
	close(far);
}

static void a_far_side_not_reached_is_told_once_a_second(void)
{
	char byte;
	rig_port(false, "mqtt", NULL, &rig.ca)->port = free_port();
	snprintf(rig_port(false, "enrol", NULL, &rig.ca)->host, 30, "no-such-host.invalid");
	rig.config.ports[1].port = 1;
	rig_start();
	for (int i = 0; i < 5; i++) {
		int fd = rig_unix("mqtt");
		CU_ASSERT_EQUAL(rig_recv(fd, &byte, 1, 2000), 0);
		close(fd);
	}
	CU_ASSERT_EQUAL(rig.seen.failed, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.seen.text, "Connection refused"));
	int fd = rig_unix("enrol");
	CU_ASSERT_EQUAL(rig_recv(fd, &byte, 1, 3000), 0);
	CU_ASSERT_TRUE(rig_until(&rig.seen.failed, 2, 1000));
	CU_ASSERT_PTR_NOT_NULL(strstr(rig.seen.text, "no-such-host.invalid is not found"));
	close(fd);
}

static void a_gate_that_died_comes_back_and_serves_again(void)
{
	rig_port(true, "https", &rig.server_id, NULL)->port = free_port();
	int far = far_listen(rig_port(false, "mqtt", NULL, &rig.ca));
	rig_start();
	kill(proc_pid(rig.proc), SIGKILL);
	CU_ASSERT_TRUE(rig_until(&rig.seen.stopped, 1, 2000) && rig_until(&rig.seen.sandbox, 2, 5000));
	CU_ASSERT_EQUAL(rig.seen.listening, 4);
	struct end c = end_client(NULL);
	CU_ASSERT_EQUAL(c.step, TLS_DONE);
	end_free(&c);
	int fd = rig_unix("mqtt"), at_far = rig_accept(far, 2000);
	CU_ASSERT_TRUE(at_far >= 0);
	close(fd);
	close(at_far);
	close(far);
}

/* libmosquitto → gate → TLS → mosquitto */

#define BROKER_LINES                                                                                                 \
	"listener %d 127.0.0.1\ncafile %%d/ca.crt\ncertfile %%d/server.crt\nkeyfile %%d/server.key\n"                \
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
	identity_issue(&rig.ca, &now_server, "broker", PKI_SERVER, IDENTITY_FROM_S, IDENTITY_TO_S);
	identity_issue(&rig.ca, &now_client, "b0001", PKI_CLIENT, IDENTITY_FROM_S, IDENTITY_TO_S);
	identity_store(&rig.ca, broker.dir, "ca");
	identity_store(&now_server, broker.dir, "server");
	broker_start(&broker, number);
	rig_port(false, "mqtt", &now_client, &rig.ca)->port = number;
	rig_start();
	ups = downs = messages = 0;
	struct mqtt_config c = { .client_id = "b0001",
				 .socket_path = rig.config.ports[0].socket,
				 .backoff_min_ms = 50,
				 .backoff_max_ms = 200 };
	struct mqtt *m = mqtt_new(rig.loop, &c, &events, NULL, &e);
	for (unsigned round = 1; round <= 2; round++) {
		CU_ASSERT_TRUE(rig_until(&ups, round, 8000));
		CU_ASSERT_TRUE(mqtt_subscribe(m, "t", &e));
		for (int i = 0; i < 10; i++)
			CU_ASSERT_TRUE(
				mqtt_publish(m, "t", (struct bytes){ chunk, sizeof(chunk) }, false, 0, NULL, &e));
		CU_ASSERT_TRUE(rig_until(&messages, 10 * round, 8000));
		if (round == 1)
			kill(proc_pid(rig.proc), SIGKILL);
	}
	CU_ASSERT_TRUE(downs >= 1);
	mqtt_free(m);
	broker_stop(&broker, SIGTERM);
	identity_clear(&now_server);
	identity_clear(&now_client);
}

static CU_TestInfo tests[] = {
	{ "bytes pass outward", bytes_pass_outward },
	{ "a far side of another CA is refused", a_far_side_of_another_ca_is_refused },
	{ "a far side of another name is refused", a_far_side_of_another_name_is_refused },
	{ "a far side past its date is refused", a_far_side_past_its_date_is_refused },
	{ "a far side that says nothing is left", a_far_side_that_says_nothing_is_left },
	{ "a line that died with bytes unsent is let go", a_line_that_died_with_bytes_unsent_is_let_go },
	{ "a far side not reached is told once a second", a_far_side_not_reached_is_told_once_a_second },
	{ "a gate that died comes back and serves again", a_gate_that_died_comes_back_and_serves_again },
	{ "MQTT reaches a broker through gate, and again after gate died",
	  mqtt_reaches_a_broker_through_gate_and_again_after_gate_died },
	CU_TEST_INFO_NULL,
};
SUITE(gate_outward, rig_setup, rig_teardown, tests);
