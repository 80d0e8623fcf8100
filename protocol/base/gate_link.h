/*
 * One connection through gate: a TCP socket that speaks TLS on one side, a Unix socket on the other, and at most 64 KiB waiting
 * in each direction. Bytes are moved as they come, half-closed sides are passed on.
 */
#ifndef PROTOCOL_BASE_GATE_LINK_H
#define PROTOCOL_BASE_GATE_LINK_H

#include "protocol/base/loop.h"
#include "protocol/base/tls.h"

struct link;

struct link_config {
	struct loop *loop;
	struct tls_config *tls;
	int deadline_ms; /* for connecting, and again for the handshake */
	int idle_ms;     /* without a byte in either direction; outward only while bytes wait to be sent */
	/* Outward: the far side is reached. */
	void (*opened)(void *arg, struct link *l);
	/* Said once, at the end; free it here or later. why NULL: nothing to tell. */
	void (*ended)(void *arg, struct link *l, const struct err *why);
	void *arg;
};

/* Both take over the descriptor, set to non-blocking already, and call back in later turns only. The strings and the
   config outlive the link. NULL on failure, the descriptor closed.
   Inward: the TLS server's side; when the handshake is done, connects to the Unix socket path from the abstract address
   "xb-gate/<number>/<CN of the peer>". */
struct link *link_inward(const struct link_config *c, int tcp, const char *path, struct err *e) CHECKED;
/* Outward: looks host up and connects to its addresses in turn. */
struct link *link_outward(const struct link_config *c, int local, const char *host, int port, const char *tls_name);
void link_free(struct link *l);

#endif
