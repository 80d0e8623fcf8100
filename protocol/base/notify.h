/*
 * What a service manager is told of us (systemd's Type=notify and WatchdogSec=): that we serve, that the loop still turns,
 * that we are stopping. One datagram each to the socket named by $NOTIFY_SOCKET; without one nothing is sent, and one that
 * cannot be sent is lost: nothing here is worth a fault of the service.
 */
#ifndef PROTOCOL_BASE_NOTIFY_H
#define PROTOCOL_BASE_NOTIFY_H

#include "protocol/base/loop.h"

struct notify;

/* Takes what concerns it out of the environment, so that no child can speak for us. Call it before the first child is started. */
struct notify *notify_new(struct loop *l);
/* READY=1 and, when we are watched, from now on WATCHDOG=1 from the loop, three times within the time we are given. */
void notify_ready(struct notify *n);
/* STOPPING=1; no WATCHDOG=1 after it. */
void notify_stopping(struct notify *n);
void notify_free(struct notify *n); /* NULL is fine */

#endif
