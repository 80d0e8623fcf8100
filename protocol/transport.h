/*
 * What a sync core sends through: MQTT in the daemons (mqtt.h), a lossy line of its own in a test. Nothing is
 * promised: what was sent may be lost, come twice or late, so every core asks again. The core is told of the
 * line's coming and going and of each message by calls of its own.
 */
#ifndef PROTOCOL_TRANSPORT_H
#define PROTOCOL_TRANSPORT_H

#include "protocol/base/buf.h"

struct transport {
	void *arg;
	/* ERR_IO while the line is down, ERR_FULL while too much is on its way: try again on the next call of
	 * the core. */
	bool (*publish)(void *arg, const char *topic, struct bytes payload, bool retain, uint32_t expiry_s,
			struct err *e);
	bool (*subscribe)(void *arg, const char *filter, struct err *e);
	bool (*unsubscribe)(void *arg, const char *filter, struct err *e);
};

#endif
