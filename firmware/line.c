/* The way out: gate, MQTT through it, and sync on top. Whatever of it fails comes back by itself; checks never wait for it. */
#include "firmware/branch.h"
#include "protocol/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GATE_CLOCK_S 60

/* Gate */

static int64_t gate_now_s(const struct branch *b)
{
	return b->clock.trusted ? branch_clock_s(b) : 0;
}

static struct gate_port *port_add(struct gate_config *c, const struct branch *b, const char *name)
{
	struct gate_port *p = &c->ports[c->ports_len++];
	snprintf(p->name, sizeof(p->name), "%s", name);
	snprintf(p->socket, sizeof(p->socket), "%s/%s.sock", b->run_dir, name);
	return p;
}

static void ports_fill(const struct branch *b, struct gate_config *c)
{
	const struct membership *m = &b->membership;
	if (m->is_member) {
		struct gate_port *in = port_add(c, b, "https"), *out = port_add(c, b, "mqtt");
		in->inward = true;
		snprintf(in->host, sizeof(in->host), "%s", b->config.listen_host);
		in->port = b->config.listen_port;
		snprintf(out->host, sizeof(out->host), "%s", m->broker_host);
		out->port = (int)m->broker_port;
		in->cert = out->cert = buf_bytes(&m->cert);
		in->key = out->key = buf_bytes(&m->key);
		in->ca = out->ca = buf_bytes(&m->ca);
	}
	if (b->line.enrolling) {
		struct gate_port *out = port_add(c, b, "enrol");
		snprintf(out->host, sizeof(out->host), "%s", b->line.central_host);
		out->port = b->line.central_port;
		out->ca = buf_bytes(&b->line.request.ca);
	}
}

static void gate_started(void *arg)
{
	struct branch *b = arg;
	struct gate_config c = { .now_s = gate_now_s(b) };
	struct buf out;
	struct err e = { 0 };
	snprintf(c.run_dir, sizeof(c.run_dir), "%s", b->run_dir);
	ports_fill(b, &c);
	buf_init(&out, FRAME_MAX);
	if (gate_config_encode(&c, &out, &e))
		proc_send(b->line.gate, GATE_CONFIG, buf_bytes(&out));
	else
		log_error("gate cannot be configured", "why=\"%s\"", e.text);
	b->line.gate_clock_s = c.now_s;
	buf_wipe(&out);
}

static void mqtt_start(struct branch *b);

static void gate_told(struct branch *b, const struct gate_event *v)
{
	struct line *line = &b->line;
	bool https = strcmp(v->port_name, "https") == 0;
	switch (v->kind) {
	case GATE_LISTENING:
		log_info("listening", "port=%s number=%lld", v->port_name, (long long)v->number);
		if (https) {
			line->https_port = (int)v->number;
			line->gate_fault[0] = '\0';
		} else if (strcmp(v->port_name, "mqtt") == 0) {
			mqtt_start(b);
		}
		break;
	case GATE_CONNECTED: log_debug("connected", "port=%s", v->port_name); break;
	case GATE_FAILED:
		log_warn("gate", "port=%s why=\"%s\"", v->port_name, v->text);
		/* With a port bound it is one connection that failed. */
		if (https && line->https_port == 0)
			snprintf(line->gate_fault, sizeof(line->gate_fault), "%.119s", v->text);
		if (strcmp(v->port_name, "enrol") == 0)
			snprintf(line->enrol_fault, sizeof(line->enrol_fault), "%.119s", v->text);
		break;
	case GATE_SANDBOX: log_info("gate is confined", "how=\"%s\"", v->text); break;
	}
}

static void gate_frame(void *arg, uint8_t type, struct bytes payload)
{
	struct branch *b = arg;
	struct gate_event v;
	struct err e = { 0 };
	if (type == GATE_EVENT && gate_event_decode(payload, &v, &e))
		gate_told(b, &v);
	else
		log_warn("gate said something unknown", "type=%u why=\"%s\"", type, e.text);
}

static void gate_stopped(void *arg, const char *why)
{
	struct branch *b = arg;
	bool ours = b->line.gate_afresh;
	b->line.gate_afresh = false;
	b->line.https_port = 0;
	if (ours)
		return;
	log_warn("gate has stopped and is started again", "why=\"%s\"", why);
	snprintf(b->line.gate_fault, sizeof(b->line.gate_fault), "%.119s", why);
}

void line_gate(struct branch *b)
{
	static const struct proc_events on = { gate_started, gate_frame, gate_stopped };
	b->line.gate_afresh = b->line.gate != NULL && proc_pid(b->line.gate) != 0;
	if (b->line.gate != NULL)
		proc_restart(b->line.gate);
	else
		b->line.gate = proc_start(b->loop, "gate", &on, b);
}

void line_tick(struct branch *b)
{
	int64_t now_s = gate_now_s(b);
	if (b->line.gate == NULL || (now_s < b->line.gate_clock_s + GATE_CLOCK_S && b->line.gate_clock_s > 0))
		return;
	if (now_s == 0)
		return;
	gate_clock_send(b->line.gate, now_s);
	b->line.gate_clock_s = now_s;
}

/* Sync and its transport */

static void sync_due(void *arg)
{
	struct branch *b = arg;
	int64_t now_ms = loop_now_ms(), next_ms = sync_run(b->line.sync, now_ms);
	if (next_ms != INT64_MAX)
		loop_timer_set(b->line.due, next_ms > now_ms ? next_ms - now_ms : 0);
	line_tick(b);
}

static void sync_wake(struct branch *b)
{
	loop_timer_set(b->line.due, 0);
}

static bool send_publish(void *arg, const char *topic, struct bytes payload, bool retain, uint32_t expiry_s,
			 struct err *e)
{
	const struct branch *b = arg;
	if (b->line.mqtt == NULL)
		return err_set(e, ERR_IO, "no line");
	return mqtt_publish(b->line.mqtt, topic, payload, retain, expiry_s, NULL, e);
}

static bool send_subscribe(void *arg, const char *filter, struct err *e)
{
	const struct branch *b = arg;
	if (b->line.mqtt == NULL)
		return err_set(e, ERR_IO, "no line");
	return mqtt_subscribe(b->line.mqtt, filter, e);
}

static bool send_unsubscribe(void *arg, const char *filter, struct err *e)
{
	const struct branch *b = arg;
	if (b->line.mqtt == NULL)
		return err_set(e, ERR_IO, "no line");
	return mqtt_unsubscribe(b->line.mqtt, filter, e);
}

static void mqtt_up(void *arg)
{
	struct branch *b = arg;
	log_info("connected to the broker", "host=%s port=%lld", b->membership.broker_host,
		 (long long)b->membership.broker_port);
	sync_up(b->line.sync, loop_now_ms());
	sync_wake(b);
}

static void mqtt_down(void *arg, const char *why)
{
	struct branch *b = arg;
	log_warn("no line to the broker, checks go on", "why=\"%s\"", why);
	sync_down(b->line.sync, loop_now_ms());
	sync_wake(b);
}

static void mqtt_message(void *arg, const char *topic, struct bytes payload)
{
	struct branch *b = arg;
	sync_message(b->line.sync, topic, payload, loop_now_ms());
	sync_wake(b);
}

static void mqtt_published(void *arg, int mid, int reason)
{
	(void)arg;
	if (reason >= 0x80)
		log_warn("the broker refused a publication", "mid=%d reason=0x%02x", mid, (unsigned)reason);
}

void line_recorded(struct branch *b)
{
	if (b->line.sync == NULL)
		return;
	sync_recorded(b->line.sync, loop_now_ms());
	sync_wake(b);
}

bool line_ask(struct branch *b, struct body_query *q, sync_bodies_done *done, void *arg, struct err *e)
{
	if (b->line.sync == NULL)
		return err_set(e, ERR_IO, "this branch is not enrolled");
	if (!sync_ask_bodies(b->line.sync, q, loop_now_ms(), done, arg, e))
		return false;
	sync_wake(b);
	return true;
}

bool line_inquire(struct branch *b, const struct inquiry *q, sync_inquiry_done *done, void *arg, struct err *e)
{
	if (b->line.sync == NULL)
		return err_set(e, ERR_IO, "this branch is not enrolled");
	if (!sync_ask_inquiry(b->line.sync, q, loop_now_ms(), done, arg, e))
		return false;
	sync_wake(b);
	return true;
}

bool line_account(struct branch *b, const struct account_query *q, sync_account_done *done, void *arg, struct err *e)
{
	if (b->line.sync == NULL)
		return err_set(e, ERR_IO, "this branch is not enrolled");
	if (!sync_ask_account(b->line.sync, q, loop_now_ms(), done, arg, e))
		return false;
	sync_wake(b);
	return true;
}

void line_forget(struct branch *b, const void *arg)
{
	if (b->line.sync == NULL)
		return;
	sync_forget_bodies(b->line.sync, arg);
	sync_forget_inquiry(b->line.sync, arg);
	sync_forget_account(b->line.sync, arg);
}

static void line_part(struct line *line)
{
	if (line->sync != NULL)
		sync_down(line->sync, loop_now_ms()); /* whoever waits for an answer is told */
	sync_free(line->sync);                        /* before the line it speaks over */
	line->sync = NULL;
	mqtt_free(line->mqtt);
	line->mqtt = NULL;
	if (line->due != NULL)
		loop_timer_stop(line->due);
}

/* Once gate listens for it, and at once: its own back-off may have grown while gate was away. */
static void mqtt_start(struct branch *b)
{
	static const struct mqtt_events on = { mqtt_up, mqtt_down, mqtt_message, mqtt_published };
	char socket[108];
	struct err e = { 0 };
	if (b->line.sync == NULL || (b->line.mqtt != NULL && mqtt_is_up(b->line.mqtt)))
		return;
	snprintf(socket, sizeof(socket), "%s/mqtt.sock", b->run_dir);
	const struct mqtt_config mqtt = { .client_id = b->membership.sync.branch, .socket_path = socket };
	mqtt_free(b->line.mqtt);
	b->line.mqtt = mqtt_new(b->loop, &mqtt, &on, b, &e);
	if (b->line.mqtt == NULL)
		log_error("no MQTT", "why=\"%s\"", e.text);
}

static bool sync_begin(struct branch *b, struct err *e)
{
	const struct sync_config sync = {
		.identity = b->membership.sync,
		.db = b->db,
		.dir = b->config.dir,
		.lists = b->lists,
		.documents = b->documents,
		.record = b->record,
		.clock = &b->clock,
		.random = &random_system,
		.transport = { b, send_publish, send_subscribe, send_unsubscribe },
		.checks = lan_checks(b->lan),
		.prefetched = branch_prefetched,
		.arg = b,
		.updates = b->updates,
	};
	b->line.sync = sync_new(&sync, e);
	if (b->line.sync == NULL)
		return false;
	sync_wake(b);
	return true;
}

bool line_join(struct branch *b, struct err *e)
{
	line_part(&b->line);
	line_gate(b);
	return sync_begin(b, e);
}

bool line_hello(struct branch *b, struct err *e)
{
	line_part(&b->line);
	if (!sync_begin(b, e))
		return false;
	mqtt_start(b);
	return true;
}

/* Enrolment */

bool line_enrol(struct branch *b, const char *host, int port, struct bytes ca_pem, struct err *e)
{
	line_enrol_end(b);
	if (strlen(host) >= sizeof(b->line.central_host))
		return err_set(e, ERR_INPUT, "host: too long");
	if (!membership_begin(&random_system, ca_pem, &b->line.request, e))
		return false;
	snprintf(b->line.central_host, sizeof(b->line.central_host), "%s", host);
	b->line.central_port = port;
	b->line.enrol_fault[0] = '\0';
	b->line.enrolling = true;
	line_gate(b);
	return true;
}

void line_enrol_end(struct branch *b)
{
	if (!b->line.enrolling)
		return;
	b->line.enrolling = false;
	membership_request_clear(&b->line.request);
}

void line_open(struct line *line, struct branch *b)
{
	line->due = loop_timer_new(b->loop, sync_due, b);
}

void line_close(struct line *line)
{
	line_part(line);
	proc_stop(line->gate);
	loop_timer_free(line->due);
	if (line->enrolling)
		membership_request_clear(&line->request);
}
