/*
 * The way out to platforms: a gate of its own, apart from the branches' line, with one outward port for each platform, and one HTTP
 * request at a time through each port's Unix socket. centrald itself has no network. The gate runs only while there are platforms and is
 * started afresh when they change. What is said and when is exchange/line.h's.
 */
#ifndef CENTRAL_EXCHANGE_PORT_H
#define CENTRAL_EXCHANGE_PORT_H

#include "central/exchange/line.h"
#include "protocol/base/loop.h"

struct exchange_port;
struct exchange_port_config {
	struct release_context *release;
	const char *dir;     /* central's; relative files of platforms are found there */
	const char *run_dir; /* for the sockets alone; made when it is missing */
	const char *role;    /* gate's, argv[1] of this program */
	int64_t (*now_s)(void);
	int answer_ms; /* for a whole exchange of request and answer; 0: 60000 */
};

/* NULL on failure. c's members are borrowed for its whole life. */
struct exchange_port *exchange_port_open(struct loop *l, const struct exchange_port_config *c, struct err *e) CHECKED;
void exchange_port_close(struct exchange_port *p); /* NULL is fine */
/* Something is to be sent, or asked for. */
void exchange_port_due(struct exchange_port *p);
/* Platforms were added or ended. */
void exchange_port_changed(struct exchange_port *p);
void exchange_port_clock(struct exchange_port *p); /* each minute */

#endif
