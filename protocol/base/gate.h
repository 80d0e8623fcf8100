/*
 * gate: the only process that touches the network, and it holds no data. It moves bytes between TLS and Unix sockets:
 * inward, a TLS listener on a TCP port → the parent's HTTP socket; outward, a Unix socket → TLS to a named host (the broker,
 * or central's enrolment port). A child of branchd and of centrald alike, sandboxed, restarted by proc.
 *
 * The parent sends GATE_CONFIG once after each start (with the keys: they stand in gate's memory only) and GATE_CLOCK whenever
 * its trusted clock moved by a minute; gate answers with GATE_EVENT lines. Bounded windows of 64 KiB a direction, TCP_NODELAY,
 * 10 s for a handshake and for connecting, 60 s idle on inward connections, at most HTTP_CONNS_MAX of them. A listener that
 * cannot be bound is tried again each second. Failures of a port are told at most once a second.
 *
 * The sandbox is entered when the configuration is read and the listeners are bound, before the first connection: beside
 * run_dir (sockets alone) gate may read /etc and where resolv.conf may point, for names are looked up afresh each time.
 */
#ifndef PROTOCOL_BASE_GATE_H
#define PROTOCOL_BASE_GATE_H

#include "protocol/base/limits.h"
#include "protocol/base/proc.h"

#define GATE_PORTS_MAX 16 /* central's exchange has one for each platform */

struct gate_port {
	bool inward;
	char name[NAME_MAX_LEN + 1]; /* in events: "https", "mqtt", "enrol" */
	char host[256];              /* inward: address to listen on; outward: whom to reach */
	int port;                    /* inward 0: any, told in an event */
	char socket[108];            /* inward: connects to it; outward: listens on it */
	char tls_name[256];          /* outward: name the certificate must carry; "" = host */
	struct bytes cert, key, ca;  /* DER; see tls_identity */
	bool peer_required;
};

struct gate_config {
	int64_t now_s;     /* trusted clock, 0 = unknown */
	char run_dir[108]; /* the only directory gate may still reach; "": none */
	int deadline_ms;   /* for connecting, and again for a handshake; 0: 10000 */
	int idle_ms;       /* 0: 60000 */
	int conns_max;     /* inward, of a port; 0: HTTP_CONNS_MAX */
	struct gate_port ports[GATE_PORTS_MAX];
	size_t ports_len;
};

enum gate_frame { GATE_CONFIG = 16, GATE_CLOCK, GATE_EVENT };

struct gate_event {
	enum gate_event_kind { GATE_LISTENING = 1, GATE_CONNECTED, GATE_FAILED, GATE_SANDBOX } kind;
	char port_name[NAME_MAX_LEN + 1];
	int64_t number; /* GATE_LISTENING: the TCP port, 0 of a Unix socket; GATE_FAILED: failures not told since the last */
	char text[240]; /* GATE_FAILED, GATE_SANDBOX: why, how */
};

/* Encodings (CBOR) of the frames' payloads. The decoded config borrows from payload. */
bool gate_config_encode(const struct gate_config *c, struct buf *out, struct err *e) CHECKED;
bool gate_config_decode(struct bytes payload, struct gate_config *c, struct err *e) CHECKED;
bool gate_event_encode(const struct gate_event *v, struct buf *out, struct err *e) CHECKED;
bool gate_event_decode(struct bytes payload, struct gate_event *v, struct err *e) CHECKED;
void gate_clock_send(struct proc *p, int64_t now_s); /* u64 big-endian */
bool gate_clock_decode(struct bytes payload, int64_t *now_s, struct err *e) CHECKED;

/* The child: "branchd gate". Returns the exit status. */
int gate_main(void);

#endif
