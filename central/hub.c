/*
 * Order of opening: what answers is opened before what asks. The signer and gate come and go by themselves (proc.h); a line that
 * is down is told to the sync core and nothing else stops. Closing is the reverse: nobody is called back once its owner is gone.
 */
#include "central/hub.h"

#include "central/acl.h"
#include "central/alarm.h"
#include "central/api/report.h"
#include "central/branch/branches.h"
#include "central/branch/enrol_port.h"
#include "central/centrald.h"
#include "central/day_head.h"
#include "central/department/messages.h"
#include "central/department/port.h"
#include "central/exchange/port.h"
#include "central/green/library.h"
#include "central/ingest/message.h"
#include "central/ledger/ledger.h"
#include "central/registry/revocation.h"
#include "central/report/objections.h"
#include "central/score/models.h"
#include "central/signer/signer.h"
#include "central/store/store.h"
#include "central/sync/sync.h"
#include "central/work.h"
#include "protocol/base/gate.h"
#include "protocol/base/log.h"
#include "protocol/base/mqtt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REVOKE_MS       200 /* what is revoked within this goes out as one version */
#define REVOKE_RETRY_MS 5000
#define TICK_MS         60000 /* gate's clock; also: what the counters say is logged */
#define PATH_LEN        108

struct hub {
	char ledger_path[300];
	struct central central;
	struct hub_config *config;
	struct loop *loop;
	struct objects objects;
	struct proc *gate;
	struct mqtt *mqtt;
	struct api *api;
	struct enrol_port *enrol;
	struct department_port *departments;
	struct loop_timer *sync_timer, *tick, *revoke_timer;
	struct central_sync_info logged;
	char run_dir[PATH_LEN], exchange_dir[PATH_LEN], ctl_socket[PATH_LEN];
	struct hub_sockets sockets;
};

static int64_t wall_s(void)
{
	return time(NULL);
}

static struct instant instant_now(void)
{
	return (struct instant){ loop_now_ms(), wall_s() };
}

/* --- sync --- */

static void sync_soon(void *arg)
{
	struct hub *h = arg;
	loop_timer_set(h->sync_timer, 0);
}

static void on_sync_timer(void *arg)
{
	struct hub *h = arg;
	int64_t next = central_sync_run(h->central.sync, instant_now());
	if (next == INT64_MAX)
		return;
	int64_t wait = next - loop_now_ms();
	loop_timer_set(h->sync_timer, wait > 0 ? wait : 0);
}

static void on_head_signed(void *arg, struct bytes message, const struct err *why)
{
	struct hub *h = arg;
	if (message.data == NULL)
		log_warn("the head was not signed", "why=%s", why->text);
	central_sync_signed(h->central.sync, message, why, instant_now());
	sync_soon(h);
}

static bool head_sign_ask(void *arg, struct bytes payload, struct err *e)
{
	struct hub *h = arg;
	return signer_head(h->central.signer, payload, on_head_signed, h, e);
}

/* --- revoked certificates --- */

static void revoke_soon(void *arg)
{
	struct hub *h = arg;
	loop_timer_set(h->revoke_timer, REVOKE_MS);
}

static void on_revoke_timer(void *arg)
{
	struct hub *h = arg;
	struct err e = { 0 };
	bool published = false;
	if (!revocation_publish(&h->central.release, wall_s(), &published, &e)) {
		log_error("the list of revoked certificates was not published", "why=\"%s\"", e.text);
		loop_timer_set(h->revoke_timer, REVOKE_RETRY_MS);
		return;
	}
	if (published)
		central_sync_released(h->central.sync);
}

/* --- the line --- */

static bool line_publish(void *arg, const char *topic, struct bytes payload, bool retain, uint32_t expiry_s,
			 struct err *e)
{
	struct hub *h = arg;
	return mqtt_publish(h->mqtt, topic, payload, retain, expiry_s, NULL, e);
}

static bool line_subscribe(void *arg, const char *filter, struct err *e)
{
	struct hub *h = arg;
	return mqtt_subscribe(h->mqtt, filter, e);
}

static bool line_unsubscribe(void *arg, const char *filter, struct err *e)
{
	struct hub *h = arg;
	return mqtt_unsubscribe(h->mqtt, filter, e);
}

static void on_up(void *arg)
{
	struct hub *h = arg;
	struct err e = { 0 };
	log_info("the broker is reached", "port=%lld", (long long)h->config->broker_port);
	central_sync_up(h->central.sync, instant_now());
	if (!mqtt_subscribe(h->mqtt, DEPARTMENT_FILTER, &e))
		log_error("messages of departments are not heard", "why=\"%s\"", e.text);
	sync_soon(h);
}

static void on_down(void *arg, const char *why)
{
	struct hub *h = arg;
	log_warn("the broker is not reached", "why=%s", why);
	central_sync_down(h->central.sync, instant_now());
}

/* An answer that does not get out is made again when the department sends again. */
static bool message_of_department(struct hub *h, const char *topic, struct bytes payload)
{
	char to[DEPARTMENT_TOPIC_MAX];
	struct buf answer;
	struct err e = { 0 };
	buf_init(&answer, 131072);
	bool ours = department_message(&h->central.release, topic, payload, wall_s(), to, &answer);
	if (ours && !mqtt_publish(h->mqtt, to, buf_bytes(&answer), false, 0, NULL, &e))
		log_warn("a department was not answered", "topic=%s why=\"%s\"", to, e.text);
	buf_clear(&answer);
	return ours;
}

static void on_message(void *arg, const char *topic, struct bytes payload)
{
	struct hub *h = arg;
	if (message_of_department(h, topic, payload))
		return;
	central_sync_message(h->central.sync, topic, payload, instant_now());
	sync_soon(h);
}

static void on_published(void *arg, int mid, int reason)
{
	struct hub *h = arg;
	if (reason >= 0x80)
		log_error("the broker refused a publication: its access list is not ours", "mid=%d reason=%d", mid,
			  reason);
	sync_soon(h); /* there is room again */
}

/* --- children --- */

static void gate_configure(void *arg)
{
	struct hub *h = arg;
	struct gate_config g = { .now_s = wall_s() };
	struct buf payload;
	struct err e = { 0 };
	snprintf(g.run_dir, sizeof(g.run_dir), "%s", h->run_dir);
	hub_config_gate(h->config, &h->sockets, &g);
	buf_init(&payload, FRAME_MAX - 1);
	if (!gate_config_encode(&g, &payload, &e) || !proc_send(h->gate, GATE_CONFIG, buf_bytes(&payload)))
		log_error("gate was not configured", "why=%s", e.text);
	buf_wipe(&payload);
}

/* The line begins once gate listens for it; afterwards it comes back by itself. */
static void line_begin(struct hub *h)
{
	static const struct mqtt_events events = { on_up, on_down, on_message, on_published };
	const struct mqtt_config c = { .client_id = "central", .socket_path = h->sockets.mqtt };
	struct err e = { 0 };
	if (h->mqtt != NULL)
		return;
	h->mqtt = mqtt_new(h->loop, &c, &events, h, &e);
	if (h->mqtt == NULL)
		log_error("no line to the broker", "why=%s", e.text);
}

static void on_gate_frame(void *arg, uint8_t type, struct bytes payload)
{
	struct gate_event v;
	struct err e = { 0 };
	if (type != GATE_EVENT || !gate_event_decode(payload, &v, &e)) {
		log_warn("gate said something else", "type=%u why=%s", type, e.text);
		return;
	}
	switch (v.kind) {
	case GATE_LISTENING:
		log_info("gate listens", "port=%s number=%lld", v.port_name, (long long)v.number);
		if (strcmp(v.port_name, "mqtt") == 0)
			line_begin(arg);
		break;
	case GATE_CONNECTED: log_debug("gate connected", "port=%s", v.port_name); break;
	case GATE_FAILED: log_warn("gate", "port=%s why=%s", v.port_name, v.text); break;
	case GATE_SANDBOX: log_info("gate is sandboxed", "how=%s", v.text); break;
	}
}

static void on_gate_stopped(void *arg, const char *why)
{
	(void)arg;
	log_warn("gate stopped and is started again", "why=%s", why);
}

static void day_head_tick(struct hub *h)
{
	struct err e = { 0 };
	if (!day_head_run(h->central.day_head, wall_s(), &e)) /* which has raised the alarm */
		log_debug("the ledger's head of the day", "why=\"%s\"", e.text);
}

static void on_signer_ready(void *arg, const char *how)
{
	log_info("the signer is ready", "sandbox=%s", how);
	sync_soon(arg);
	day_head_tick(arg);
}

static void on_signer_stopped(void *arg, const char *why)
{
	(void)arg;
	log_warn("the signer stopped and is started again", "why=%s", why);
}

static void on_enrolled(void *arg, const char *branch)
{
	(void)arg;
	log_info("a branch was enrolled", "branch=%s", branch);
}

/* --- once a minute --- */

static void counters_log(struct hub *h)
{
	struct central_sync_info now, *was = &h->logged;
	central_sync_info(h->central.sync, &now);
	if (now.refused > was->refused)
		log_warn("messages of branches that may not speak", "new=%llu",
			 (unsigned long long)(now.refused - was->refused));
	if (now.malformed > was->malformed)
		log_warn("messages that nobody can read", "new=%llu",
			 (unsigned long long)(now.malformed - was->malformed));
	if (now.conflicts > was->conflicts)
		log_error("journals that contradict what is stored", "new=%llu",
			  (unsigned long long)(now.conflicts - was->conflicts));
	if (now.faults > was->faults)
		log_error("faults", "new=%llu last=%s", (unsigned long long)(now.faults - was->faults),
			  now.last_fault);
	*was = now;
}

/* Otherwise what is due expires with the next batch. */
static void ledger_tick(struct ledger *l)
{
	struct err e = { 0 };
	if (l != NULL && core_next_expiry(ledger_core(l)) <= wall_s() && !ledger_expire(l, wall_s(), &e))
		log_error("pending transfers were not expired", "why=\"%s\"", e.text);
	if (l != NULL && !ledger_snapshot_run(l, &e))
		log_warn("no snapshot of the ledger: the next start reads every row", "why=\"%s\"", e.text);
}

static void on_tick(void *arg)
{
	struct hub *h = arg;
	ledger_tick(h->central.ledger);
	day_head_tick(h);
	struct err e = { 0 };
	gate_clock_send(h->gate, wall_s());
	exchange_port_clock(h->central.exchange);
	counters_log(h);
	if (!message_close_days(&h->central.release, wall_s(), &e))
		log_error("days of messages are not closed", "why=\"%s\"", e.text);
	if (!objection_overdue(&h->central.release, wall_s(), &e))
		log_error("objections cannot be looked at", "why=%s", e.text);
	if (!green_watch(&h->central.release, wall_s(), &e))
		log_error("green ratings cannot be looked at", "why=%s", e.text);
	loop_timer_set(h->tick, TICK_MS);
}

/* --- open and close --- */

static void paths_set(struct hub *h)
{
	const char *dir = h->config->dir; /* hub_config_load has seen to it that these fit */
	snprintf(h->run_dir, PATH_LEN, "%.90s/run", dir);
	snprintf(h->exchange_dir, PATH_LEN, "%.90s/run/x", dir);
	snprintf(h->sockets.mqtt, PATH_LEN, "%.90s/run/mqtt.sock", dir);
	snprintf(h->sockets.enrol, PATH_LEN, "%.90s/run/enrol.sock", dir);
	snprintf(h->sockets.departments, PATH_LEN, "%.90s/run/in.sock", dir);
	snprintf(h->ctl_socket, PATH_LEN, "%.90s/ctl.sock", dir);
}

static bool store_ready(struct hub *h, struct err *e)
{
	char path[320];
	struct release_context *r = &h->central.release;
	snprintf(path, sizeof(path), "%s/objects", h->config->dir);
	r->db = store_open(h->config->dir, e);
	if (r->db == NULL || !objects_open(&h->objects, path, e) || !file_make_dir(h->run_dir, e))
		return false;
	r->objects = &h->objects;
	r->vault_key = h->config->vault_key;
	r->random = &random_system;
	h->central.dir = h->config->dir;
	if (!models_adopt(r, e))
		return false;
	/* A crash between a revocation and its access list is mended here. */
	return release_unfinished_drop(r, e) && acl_refresh(r->db, h->config->dir, e);
}

static bool enrol_ready(struct hub *h, struct err *e)
{
	struct enrol_port_config c = {
		.path = h->sockets.enrol,
		.db = h->central.release.db,
		.random = &random_system,
		.signer = h->central.signer,
		.ca = buf_bytes(&h->config->ca),
		.seal_key = h->config->seal_point,
		.broker_host = h->config->host,
		.broker_port = h->config->broker_port,
		.now_s = wall_s,
		.enrolled = on_enrolled,
		.arg = h,
	};
	h->enrol = enrol_port_open(h->loop, &c, e);
	return h->enrol != NULL;
}

static bool departments_ready(struct hub *h, struct err *e)
{
	const struct department_port_config c = { .path = h->sockets.departments,
						  .release = &h->central.release,
						  .now_s = wall_s };
	h->departments = department_port_open(h->loop, &c, e);
	return h->departments != NULL;
}

static bool exchange_ready(struct hub *h, struct err *e)
{
	struct exchange_port_config c = {
		.release = &h->central.release,
		.dir = h->config->dir,
		.run_dir = h->exchange_dir,
		.role = "gate",
		.now_s = wall_s,
	};
	h->central.exchange = exchange_port_open(h->loop, &c, e);
	return h->central.exchange != NULL;
}

/* Opened by the first who needs it, as by the API. */
static struct ledger *ledger_for_sync(void *arg, const char **path, struct err *e)
{
	struct hub *h = arg;
	snprintf(h->ledger_path, sizeof(h->ledger_path), "%.280s/ledger.db", h->config->dir);
	*path = h->ledger_path;
	if (h->central.ledger == NULL)
		h->central.ledger = ledger_open(h->ledger_path, e);
	return h->central.ledger;
}

static void sync_ready(struct hub *h)
{
	static const struct signer_events events = { on_signer_ready, on_signer_stopped };
	struct central_sync_config c = {
		.release = &h->central.release,
		.transport = { h, line_publish, line_subscribe, line_unsubscribe },
		.signer = { h, head_sign_ask },
		.reports = { &h->central, report_inquire },
		.wake = sync_soon,
		.wake_arg = h,
		.seal_scalar = h->config->seal_scalar,
		.seal_point = h->config->seal_point,
		.ledger = ledger_for_sync,
		.ledger_arg = h,
	};
	h->sync_timer = loop_timer_new(h->loop, on_sync_timer, h);
	h->tick = loop_timer_new(h->loop, on_tick, h);
	h->revoke_timer = loop_timer_new(h->loop, on_revoke_timer, h);
	h->central.revoked = revoke_soon;
	h->central.revoked_arg = h;
	loop_timer_set(h->revoke_timer, 0);
	h->central.sync = central_sync_new(&c);
	h->central.signer = signer_start(h->loop, "signer", h->config->dir, &events, h);
}

/* Before anybody is served, so that no request waits for it. A damaged one stops nothing else. */
static void ledger_ready(struct hub *h)
{
	char path[320];
	struct err e = { 0 }, other = { 0 };
	struct db *db = h->central.release.db;
	h->central.day_head = day_head_new(&h->central);
	snprintf(path, sizeof(path), "%.280s/ledger.db", h->config->dir);
	if (access(path, F_OK) != 0)
		return;
	int64_t start_ms = loop_now_ms();
	h->central.ledger = ledger_open(path, &e);
	if (h->central.ledger != NULL) {
		const struct err *why = ledger_passed_over(h->central.ledger);
		log_info("the ledger is open", "ms=%lld transfers=%u memory_bytes=%zu every_row=\"%s\"",
			 (long long)(loop_now_ms() - start_ms), core_rows_len(ledger_core(h->central.ledger)),
			 core_bytes(ledger_core(h->central.ledger)), why->text);
		return;
	}
	log_error("the ledger cannot be opened", "why=\"%s\"", e.text);
	if (db_begin(db, &other) &&
	    !(alarm_raise(db, wall_s(), "", "ledger.damaged", e.text, &other) && db_commit(db, &other)))
		db_rollback(db);
}

struct hub *hub_open(struct loop *l, struct hub_config *c, struct err *e)
{
	static const struct proc_events gate_events = { gate_configure, on_gate_frame, on_gate_stopped };
	struct hub *h = calloc(1, sizeof(*h));
	if (h == NULL)
		abort();
	h->config = c;
	h->loop = l;
	paths_set(h);
	work_open(&h->central, l, c);
	if (!store_ready(h, e))
		goto fail;
	ledger_ready(h);
	sync_ready(h);
	if (!exchange_ready(h, e))
		goto fail;
	h->api = api_open(l, &h->central, h->ctl_socket, e);
	if (h->api == NULL || !enrol_ready(h, e) || !departments_ready(h, e))
		goto fail;
	h->gate = proc_start(l, "gate", &gate_events, h);
	loop_timer_set(h->tick, TICK_MS);
	return h;
fail:
	hub_close(h);
	return NULL;
}

void hub_close(struct hub *h)
{
	if (h == NULL)
		return;
	work_close(&h->central);
	mqtt_free(h->mqtt);
	proc_stop(h->gate);
	enrol_port_close(h->enrol);
	department_port_close(h->departments);
	api_close(h->api);
	exchange_port_close(h->central.exchange);
	signer_stop(h->central.signer);
	central_sync_free(h->central.sync);
	loop_timer_free(h->sync_timer);
	loop_timer_free(h->tick);
	loop_timer_free(h->revoke_timer);
	day_head_free(h->central.day_head);
	ledger_close(h->central.ledger);
	db_close(h->central.release.db);
	free(h);
}
