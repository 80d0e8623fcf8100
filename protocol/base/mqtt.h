/*
 * MQTT 5 client over libmosquitto, on a Unix socket behind which gate speaks TLS to the broker. Clean start, no session.
 * Driven from our loop, no thread. Connects by itself, again after a back-off with jitter (1 s doubling to 60 s); a CONNACK
 * that does not come within 10 s, or a silent line past the keep-alive, counts as down. Nothing is queued while down.
 */
#ifndef PROTOCOL_BASE_MQTT_H
#define PROTOCOL_BASE_MQTT_H

#include "protocol/base/buf.h"
#include "protocol/base/loop.h"

#define MQTT_UNACKED_MAX 64

struct mqtt;

struct mqtt_config {
	const char *client_id;
	const char *socket_path;
	int keepalive_s;                    /* 0: 20 */
	int backoff_min_ms, backoff_max_ms; /* 0: 1000, 60000 */
	int connack_ms;                     /* 0: 10000 */
};

struct mqtt_events {
	void (*up)(void *arg);                    /* CONNACK came: subscribe and publish from here on */
	void (*down)(void *arg, const char *why); /* after each attempt that failed too; it tries again by itself */
	void (*message)(void *arg, const char *topic, struct bytes payload);
	void (*published)(void *arg, int mid, int reason); /* PUBACK; reason ≥ 0x80 is a refusal (e.g. 0x87 ACL) */
};

/* What the config points to is copied. Connects in the loop's next turn. Any callback may free the client.
   A line that falls takes everything along that was not acknowledged; a refused subscription counts as down. */
struct mqtt *mqtt_new(struct loop *l, const struct mqtt_config *c, const struct mqtt_events *on, void *arg,
		      struct err *e) CHECKED;
void mqtt_free(struct mqtt *m);
bool mqtt_is_up(const struct mqtt *m);
/* QoS 1. expiry_s 0: none. ERR_IO while down, ERR_FULL with 64 publications not yet acknowledged. mid may be NULL. */
bool mqtt_publish(struct mqtt *m, const char *topic, struct bytes payload, bool retain, uint32_t expiry_s, int *mid,
		  struct err *e) CHECKED;
bool mqtt_subscribe(struct mqtt *m, const char *filter, struct err *e) CHECKED;
bool mqtt_unsubscribe(struct mqtt *m, const char *filter, struct err *e) CHECKED;

#endif
