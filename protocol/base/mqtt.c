/*
 * DOWN (waiting for `again`) → CONNECTING (client and watch are set, CONNACK awaited) → UP → DOWN. A handle of the library lives
 * for one connection: it would else keep what was not acknowledged and send it on the next, without limit.
 *
 * What ends a connection is noted in `why` wherever it shows, often deep inside the library, and done in mqtt_settle, when no
 * call of the library is running. Connecting to a Unix socket waits for nothing as long as gate's backlog has room.
 */
#include "protocol/base/mqtt.h"

#include "protocol/base/limits.h"
#include "protocol/crypto.h"

#include <assert.h>
#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEPALIVE_S    20
#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 60000
#define CONNACK_MS     10000
#define TICK_MS        1000
#define RECEIVE_MAX    (FETCH_WINDOW + 4) /* unacknowledged publications from the broker */
#define REFUSED        0x80               /* the least reason code that says no, MQTT 5 section 2.4 */

struct mqtt {
	struct loop *loop;
	struct mqtt_config config;
	char client_id[64], socket_path[108];
	struct mqtt_events on;
	void *arg;

	enum { DOWN, CONNECTING, UP } state;
	struct mosquitto *client; /* NULL while DOWN */
	struct loop_fd *watch;    /* NULL while the library has no socket */
	struct loop_timer *again, *tick;
	char why[160]; /* not empty: this connection is over */
	int64_t since_ms;
	int backoff_ms;
	unsigned unacked;
	unsigned busy; /* calls running that may free it */
	bool dead;
};

static void mqtt_end(struct mqtt *m, const char *what, int code)
{
	if (m->why[0] != 0)
		return;
	if (code == MOSQ_ERR_ERRNO)
		snprintf(m->why, sizeof(m->why), "%s: %s", what, strerror(errno));
	else
		snprintf(m->why, sizeof(m->why), "%s: %s", what, mosquitto_strerror(code));
}

static void mqtt_ready(void *arg, unsigned what);

/* After every call of the library: it may have closed its socket, whose number must not be watched a moment longer. */
static void mqtt_watch(struct mqtt *m)
{
	int fd = m->client != NULL ? mosquitto_socket(m->client) : -1;
	if (fd < 0) {
		loop_fd_free(m->watch);
		m->watch = NULL;
		return;
	}
	unsigned what = LOOP_READ | (mosquitto_want_write(m->client) ? LOOP_WRITE : 0);
	if (m->watch == NULL)
		m->watch = loop_fd_new(m->loop, fd, what, mqtt_ready, m);
	else
		loop_fd_set(m->watch, what);
}

/* Anywhere between the least and the doubled back-off, so that a thousand branches do not return as one. */
static int backoff_next(struct mqtt *m)
{
	int most = m->backoff_ms == 0 ? 2 * m->config.backoff_min_ms : 2 * m->backoff_ms;
	m->backoff_ms = most < m->config.backoff_max_ms ? most : m->config.backoff_max_ms;
	uint32_t r;
	random_system.fill(random_system.arg, (uint8_t *)&r, sizeof(r));
	uint32_t span =
		(uint32_t)(m->backoff_ms > m->config.backoff_min_ms ? m->backoff_ms - m->config.backoff_min_ms : 0);
	return m->config.backoff_min_ms + (int)(r % (span + 1));
}

static void client_drop(struct mqtt *m)
{
	loop_fd_free(m->watch);
	m->watch = NULL;
	if (m->client != NULL)
		mosquitto_destroy(m->client);
	m->client = NULL;
	m->state = DOWN;
	m->unacked = 0;
}

static void mqtt_release(struct mqtt *m)
{
	client_drop(m);
	loop_timer_free(m->again);
	loop_timer_free(m->tick);
	free(m);
	mosquitto_lib_cleanup();
}

/* No call of the library is running: ends the connection if it is over, and frees m if that was asked for. */
static void mqtt_settle(struct mqtt *m)
{
	if (!m->dead && m->why[0] != 0) {
		char why[sizeof(m->why)];
		memcpy(why, m->why, sizeof(why));
		m->why[0] = 0;
		if (m->state == UP && loop_now_ms() - m->since_ms >= m->config.backoff_max_ms)
			m->backoff_ms = 0;
		client_drop(m);
		loop_timer_stop(m->tick);
		loop_timer_set(m->again, backoff_next(m));
		if (m->on.down != NULL)
			m->on.down(m->arg, why);
	}
	assert(m->busy > 0);
	m->busy--;
	if (m->dead)
		mqtt_release(m);
	else
		mqtt_watch(m);
}

/* The library's callbacks. */

static void on_connect(struct mosquitto *client, void *arg, int reason, int flags, const mosquitto_property *props)
{
	struct mqtt *m = arg;
	(void)client, (void)flags, (void)props;
	if (reason != 0) {
		snprintf(m->why, sizeof(m->why), "the broker refuses the connection: %s",
			 mosquitto_reason_string(reason));
		return;
	}
	m->state = UP;
	m->since_ms = loop_now_ms();
	if (!m->dead && m->on.up != NULL)
		m->on.up(m->arg);
}

static void on_disconnect(struct mosquitto *client, void *arg, int code, const mosquitto_property *props)
{
	(void)client, (void)props;
	struct mqtt *m = arg;
	if (m->why[0] == 0 && code >= REFUSED)
		snprintf(m->why, sizeof(m->why), "the broker ends the connection: %s", mosquitto_reason_string(code));
	mqtt_end(m, "the line fell", code);
}

static void on_message(struct mosquitto *client, void *arg, const struct mosquitto_message *msg,
		       const mosquitto_property *props)
{
	struct mqtt *m = arg;
	(void)client, (void)props;
	if (!m->dead && m->why[0] == 0 && m->on.message != NULL)
		m->on.message(m->arg, msg->topic, (struct bytes){ msg->payload, (size_t)msg->payloadlen });
}

static void on_publish(struct mosquitto *client, void *arg, int mid, int reason, const mosquitto_property *props)
{
	struct mqtt *m = arg;
	(void)client, (void)props;
	if (m->unacked > 0)
		m->unacked--;
	if (!m->dead && m->on.published != NULL)
		m->on.published(m->arg, mid, reason);
}

static void on_subscribe(struct mosquitto *client, void *arg, int mid, int len, const int *granted,
			 const mosquitto_property *props)
{
	struct mqtt *m = arg;
	(void)client, (void)mid, (void)props;
	for (int i = 0; i < len; i++) {
		if (granted[i] >= REFUSED && m->why[0] == 0)
			snprintf(m->why, sizeof(m->why), "the broker refuses a subscription: %s",
				 mosquitto_reason_string(granted[i]));
	}
}

/* Ours, from the loop. */

static void mqtt_ready(void *arg, unsigned what)
{
	struct mqtt *m = arg;
	m->busy++;
	int code = MOSQ_ERR_SUCCESS;
	if ((what & LOOP_READ) != 0)
		code = mosquitto_loop_read(m->client, 1);
	if (code == MOSQ_ERR_SUCCESS && (what & LOOP_WRITE) != 0 && m->why[0] == 0)
		code = mosquitto_loop_write(m->client, 1);
	if (code != MOSQ_ERR_SUCCESS)
		mqtt_end(m, "the line fell", code);
	mqtt_settle(m);
}

static void mqtt_tick(void *arg)
{
	struct mqtt *m = arg;
	m->busy++;
	loop_timer_set(m->tick, m->config.connack_ms < TICK_MS ? m->config.connack_ms : TICK_MS);
	int code = m->why[0] == 0 ? mosquitto_loop_misc(m->client) : MOSQ_ERR_SUCCESS;
	if (code != MOSQ_ERR_SUCCESS)
		mqtt_end(m, "the line fell", code);
	else if (m->state == CONNECTING && loop_now_ms() - m->since_ms >= m->config.connack_ms && m->why[0] == 0)
		snprintf(m->why, sizeof(m->why), "the broker did not answer within %d ms", m->config.connack_ms);
	mqtt_settle(m);
}

static int client_connect(struct mqtt *m)
{
	mosquitto_property *props = NULL;
	mosquitto_int_option(m->client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	mosquitto_int_option(m->client, MOSQ_OPT_RECEIVE_MAXIMUM, RECEIVE_MAX);
	mosquitto_connect_v5_callback_set(m->client, on_connect);
	mosquitto_disconnect_v5_callback_set(m->client, on_disconnect);
	mosquitto_message_v5_callback_set(m->client, on_message);
	mosquitto_publish_v5_callback_set(m->client, on_publish);
	mosquitto_subscribe_v5_callback_set(m->client, on_subscribe);
	int code = mosquitto_property_add_int32(&props, MQTT_PROP_MAXIMUM_PACKET_SIZE, MQTT_PACKET_MAX);
	if (code == MOSQ_ERR_SUCCESS)
		code = mosquitto_connect_bind_v5(m->client, m->socket_path, 0, m->config.keepalive_s, NULL, props);
	mosquitto_property_free_all(&props);
	return code;
}

static void mqtt_connect(void *arg)
{
	struct mqtt *m = arg;
	m->busy++;
	m->client = mosquitto_new(m->client_id, true, m);
	if (m->client == NULL)
		abort();
	m->state = CONNECTING;
	m->since_ms = loop_now_ms();
	int code = client_connect(m);
	if (code != MOSQ_ERR_SUCCESS)
		mqtt_end(m, "connecting", code);
	else
		loop_timer_set(m->tick, m->config.connack_ms < TICK_MS ? m->config.connack_ms : TICK_MS);
	mqtt_settle(m);
}

struct mqtt *mqtt_new(struct loop *l, const struct mqtt_config *c, const struct mqtt_events *on, void *arg,
		      struct err *e)
{
	if (strlen(c->client_id) >= sizeof(((struct mqtt *)0)->client_id) ||
	    strlen(c->socket_path) >= sizeof(((struct mqtt *)0)->socket_path)) {
		err_set(e, ERR_INPUT, "the client's id or its socket's path is too long");
		return NULL;
	}
	struct mqtt *m = calloc(1, sizeof(*m));
	if (m == NULL)
		abort();
	*m = (struct mqtt){ .loop = l, .config = *c, .on = *on, .arg = arg };
	snprintf(m->client_id, sizeof(m->client_id), "%s", c->client_id);
	snprintf(m->socket_path, sizeof(m->socket_path), "%s", c->socket_path);
	struct mqtt_config *o = &m->config;
	o->client_id = m->client_id;
	o->socket_path = m->socket_path;
	o->keepalive_s = o->keepalive_s != 0 ? o->keepalive_s : KEEPALIVE_S;
	o->backoff_min_ms = o->backoff_min_ms != 0 ? o->backoff_min_ms : BACKOFF_MIN_MS;
	o->backoff_max_ms = o->backoff_max_ms != 0 ? o->backoff_max_ms : BACKOFF_MAX_MS;
	o->connack_ms = o->connack_ms != 0 ? o->connack_ms : CONNACK_MS;
	mosquitto_lib_init();
	m->again = loop_timer_new(l, mqtt_connect, m);
	m->tick = loop_timer_new(l, mqtt_tick, m);
	loop_timer_set(m->again, 0);
	return m;
}

void mqtt_free(struct mqtt *m)
{
	if (m == NULL)
		return;
	m->dead = true;
	if (m->busy > 0)
		return;
	if (m->state == UP)
		mosquitto_disconnect(m->client);
	mqtt_release(m);
}

bool mqtt_is_up(const struct mqtt *m)
{
	return m->state == UP && m->why[0] == 0 && !m->dead;
}

/* What a request of ours came to. A line found dead is handled in the loop's next turn: the caller expects no callback now. */
static bool mqtt_asked(struct mqtt *m, const char *what, int code, struct err *e)
{
	mqtt_watch(m);
	switch (code) {
	case MOSQ_ERR_SUCCESS: return true;
	case MOSQ_ERR_INVAL:
	case MOSQ_ERR_MALFORMED_UTF8: return err_set(e, ERR_INPUT, "%s: %s", what, mosquitto_strerror(code));
	case MOSQ_ERR_PAYLOAD_SIZE:
	case MOSQ_ERR_OVERSIZE_PACKET: return err_set(e, ERR_FULL, "%s: %s", what, mosquitto_strerror(code));
	case MOSQ_ERR_QOS_NOT_SUPPORTED:
	case MOSQ_ERR_RETAIN_NOT_SUPPORTED: return err_set(e, ERR_DENIED, "%s: %s", what, mosquitto_strerror(code));
	default: break;
	}
	mqtt_end(m, what, code);
	loop_timer_set(m->tick, 0);
	return err_set(e, ERR_IO, "%s", m->why);
}

bool mqtt_publish(struct mqtt *m, const char *topic, struct bytes payload, bool retain, uint32_t expiry_s, int *mid,
		  struct err *e)
{
	if (!mqtt_is_up(m))
		return err_set(e, ERR_IO, "the broker is not connected");
	if (m->unacked >= MQTT_UNACKED_MAX)
		return err_set(e, ERR_FULL, "%d publications are not acknowledged yet", MQTT_UNACKED_MAX);
	if (payload.len > MQTT_PACKET_MAX)
		return err_set(e, ERR_FULL, "a message of %zu bytes (at most %u)", payload.len, MQTT_PACKET_MAX);
	mosquitto_property *props = NULL;
	if (expiry_s > 0 &&
	    mosquitto_property_add_int32(&props, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, expiry_s) != MOSQ_ERR_SUCCESS)
		abort();
	int code = mosquitto_publish_v5(m->client, mid, topic, (int)payload.len, payload.data, 1, retain, props);
	mosquitto_property_free_all(&props);
	if (!mqtt_asked(m, "publishing", code, e))
		return false;
	m->unacked++;
	return true;
}

bool mqtt_subscribe(struct mqtt *m, const char *filter, struct err *e)
{
	if (!mqtt_is_up(m))
		return err_set(e, ERR_IO, "the broker is not connected");
	return mqtt_asked(m, "subscribing", mosquitto_subscribe_v5(m->client, NULL, filter, 1, 0, NULL), e);
}

bool mqtt_unsubscribe(struct mqtt *m, const char *filter, struct err *e)
{
	if (!mqtt_is_up(m))
		return err_set(e, ERR_IO, "the broker is not connected");
	return mqtt_asked(m, "unsubscribing", mosquitto_unsubscribe_v5(m->client, NULL, filter, NULL), e);
}
