#include "protocol/base/gate.h"
#include "protocol/cbor.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static struct err e;
static struct buf out;

static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&out, FRAME_MAX);
}

static void teardown(void)
{
	buf_clear(&out);
}

static struct gate_config sample(void)
{
	return (struct gate_config){
		.now_s = 1767225600,
		.run_dir = "/run/xinbian",
		.deadline_ms = 1000,
		.idle_ms = 2000,
		.conns_max = 3,
		.ports = { { .inward = true,
			     .name = "https",
			     .host = "0.0.0.0",
			     .port = 0,
			     .socket = "/run/xinbian/http",
			     .cert = bytes_of("cert"),
			     .key = bytes_of("key"),
			     .ca = bytes_of("ca"),
			     .peer_required = true },
			   { .name = "mqtt",
			     .host = "central.example",
			     .port = 8883,
			     .socket = "/run/xinbian/mqtt",
			     .tls_name = "broker",
			     .ca = bytes_of("ca") } },
		.ports_len = 2,
	};
}

static void a_configuration_comes_back_as_it_went(void)
{
	struct gate_config c = sample(), d;
	CU_ASSERT_TRUE(gate_config_encode(&c, &out, &e));
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE_FATAL(gate_config_decode(buf_bytes(&out), &d, &e));
	CU_ASSERT_EQUAL(d.now_s, 1767225600);
	CU_ASSERT_STRING_EQUAL(d.run_dir, "/run/xinbian");
	CU_ASSERT_TRUE(d.deadline_ms == 1000 && d.idle_ms == 2000 && d.conns_max == 3 && d.ports_len == 2);
	CU_ASSERT_TRUE(d.ports[0].inward && d.ports[0].peer_required && !d.ports[1].inward &&
		       !d.ports[1].peer_required);
	CU_ASSERT_STRING_EQUAL(d.ports[0].name, "https");
	CU_ASSERT_STRING_EQUAL(d.ports[1].host, "central.example");
	CU_ASSERT_EQUAL(d.ports[1].port, 8883);
	CU_ASSERT_STRING_EQUAL(d.ports[1].socket, "/run/xinbian/mqtt");
	CU_ASSERT_STRING_EQUAL(d.ports[1].tls_name, "broker");
	CU_ASSERT_TRUE(bytes_equal(d.ports[0].key, bytes_of("key")));
	CU_ASSERT_TRUE(bytes_equal(d.ports[1].ca, bytes_of("ca")));
}

static void a_configuration_cut_short_or_with_more_behind_is_refused(void)
{
	struct gate_config c = sample(), d;
	CU_ASSERT_TRUE(gate_config_encode(&c, &out, &e));
	for (size_t n = 0; n < out.len; n++)
		CU_ASSERT_FALSE(gate_config_decode((struct bytes){ out.data, n }, &d, &e));
	buf_add_u8(&out, 0);
	CU_ASSERT_FALSE(gate_config_decode(buf_bytes(&out), &d, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
}

static void refused(const struct gate_config *c)
{
	struct gate_config d;
	buf_reset(&out);
	CU_ASSERT_TRUE(gate_config_encode(c, &out, &e));
	CU_ASSERT_FALSE(gate_config_decode(buf_bytes(&out), &d, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
}

static void a_port_that_makes_no_sense_is_refused(void)
{
	static const uint8_t big[5000];
	struct gate_config c = sample();
	c.ports[0].port = 65536;
	refused(&c);
	c = sample();
	c.ports[1].port = 0;
	refused(&c);
	c = sample();
	c.ports[1].host[0] = 0;
	refused(&c);
	c = sample();
	snprintf(c.ports[0].socket, sizeof(c.ports[0].socket), "relative");
	refused(&c);
	c = sample();
	c.ports[0].name[0] = 0;
	refused(&c);
	c = sample();
	c.ports[0].cert = (struct bytes){ big, sizeof(big) };
	refused(&c);
	c = sample();
	c.conns_max = HTTP_CONNS_MAX + 1;
	refused(&c);
}

static void an_event_comes_back_as_it_went(void)
{
	struct gate_event v = { GATE_LISTENING, "https", 8443, "text" }, w;
	CU_ASSERT_TRUE(gate_event_encode(&v, &out, &e));
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE_FATAL(gate_event_decode(buf_bytes(&out), &w, &e));
	CU_ASSERT_EQUAL(w.kind, GATE_LISTENING);
	CU_ASSERT_STRING_EQUAL(w.port_name, "https");
	CU_ASSERT_EQUAL(w.number, 8443);
	CU_ASSERT_STRING_EQUAL(w.text, "text");
	for (size_t n = 0; n < out.len; n++)
		CU_ASSERT_FALSE(gate_event_decode((struct bytes){ out.data, n }, &w, &e));
	out.data[1] = 0; /* the kind */
	CU_ASSERT_FALSE(gate_event_decode(buf_bytes(&out), &w, &e));
	out.data[1] = 5;
	CU_ASSERT_FALSE(gate_event_decode(buf_bytes(&out), &w, &e));
}

static void a_clock_is_eight_bytes(void)
{
	static const uint8_t be[] = { 0, 0, 0, 0, 0x69, 0x55, 0xb9, 0, 0 };
	int64_t now_s = 0;
	CU_ASSERT_TRUE(gate_clock_decode((struct bytes){ be, 8 }, &now_s, &e));
	CU_ASSERT_EQUAL(now_s, 1767225600);
	for (size_t n = 0; n < 8; n++)
		CU_ASSERT_FALSE(gate_clock_decode((struct bytes){ be, n }, &now_s, &e));
	CU_ASSERT_FALSE(gate_clock_decode((struct bytes){ be, 9 }, &now_s, &e));
}

static CU_TestInfo tests[] = {
	{ "a configuration comes back as it went", a_configuration_comes_back_as_it_went },
	{ "a configuration cut short or with more behind is refused",
	  a_configuration_cut_short_or_with_more_behind_is_refused },
	{ "a port that makes no sense is refused", a_port_that_makes_no_sense_is_refused },
	{ "an event comes back as it went", an_event_comes_back_as_it_went },
	{ "a clock is eight bytes", a_clock_is_eight_bytes },
	CU_TEST_INFO_NULL,
};
SUITE(gate_frames, setup, teardown, tests);
