/*
 * Server-sent events (WHATWG HTML, section 9.2), a stream for each terminal's screens: what its scanner read, and what turned later.
 * The last STREAM_KEPT events of a terminal are kept in memory, and whoever comes back with Last-Event-ID gets what he missed of
 * them. Identifiers rise within a run of the program and begin with a word of that run, so another run's are not taken for ours.
 */
#ifndef FIRMWARE_STREAM_H
#define FIRMWARE_STREAM_H

#include "protocol/base/http.h"
#include "protocol/base/limits.h"
#include "protocol/crypto.h"

#define STREAM_KEPT      32
#define STREAM_READERS   4     /* of one terminal; the oldest goes when another comes */
#define STREAM_ALIVE_MS  15000 /* a comment, since gate ends what is idle for a minute */
#define STREAM_EVENT_MAX 32768U

struct streams;
struct streams *streams_new(struct loop *l, const struct random *random);
/* Open streams end. Close the HTTP servers first. */
void streams_free(struct streams *s);
/* The request becomes a stream of this terminal. ERR_FULL: more terminals than can be. */
bool streams_open(struct streams *s, struct http_request *r, const char *terminal, struct err *e) CHECKED;
/* event: "verdict", "turned"; data: JSON without line ends. */
void streams_publish(struct streams *s, const char *terminal, const char *event, struct bytes data);

#endif
