/*
 * gate as a child of the test program, sandboxed as in the daemons, and the sockets at both its ends. A test adds ports, starts gate
 * and then is its client, the service behind it, or the far side. Its waits keep the loop turning.
 */
#ifndef TESTS_SUPPORT_GATE_RIG_H
#define TESTS_SUPPORT_GATE_RIG_H

#include "protocol/base/gate.h"
#include "protocol/base/tls.h"
#include "tests/support/identity.h"

#include <sys/types.h>

#define RIG_NOW_S       (IDENTITY_FROM_S + 1000000)
#define RIG_MUCH        102400
#define RIG_DEADLINE_MS 400

struct gate_rig {
	struct identity ca, other_ca, server_id, client_id;
	struct identity short_id;    /* valid 100 s around RIG_NOW_S */
	struct identity stranger_id; /* of the other CA */
	struct loop *loop;
	struct proc *proc;
	struct gate_config config;
	char dir[64];
	int service; /* listens behind an inward port; -1: a test has closed it */
	struct {
		unsigned listening, connected, failed, sandbox, stopped;
		int port;
		char text[240], sandbox_text[240];
	} seen; /* gate's events */
};
extern struct gate_rig rig;

void rig_setup(void);
void rig_teardown(void);
/* NULL: none. The port listens on 127.0.0.1, or reaches "localhost". */
struct gate_port *rig_port(bool inward, const char *name, const struct identity *id, const struct identity *trusted);
void rig_launch(void);
/* and waits until every port listens */
void rig_start(void);
bool rig_until(const unsigned *counter, unsigned at_least, int ms);
unsigned rig_descriptors(int pid);

/* Non-blocking sockets; a listener with server. */
int rig_tcp(int port, bool server);
int rig_unix(const char *name);
int rig_accept(int listener, int ms); /* -1: nobody came */
ssize_t rig_recv(int fd, void *to, size_t size, int ms);
/* fd comes from gate and names the peer it saw. */
void rig_check_peer(int fd, const char *want);

/* Our end of TLS, client or server. */
struct end {
	struct tls_config *config;
	struct tls *tls;
	int fd;
	enum tls_step step;
};
struct end end_new(int fd, bool server, const struct identity *id, const struct identity *trusted);
void end_free(struct end *c);
void end_shake(struct end *c);
/* A client of the last inward port, shaken. */
struct end end_client(const struct identity *id);
/* The first byte or the end: TLS_CLOSED or TLS_FAILED when gate cut it. */
enum tls_step end_fate(struct end *c, int ms);
/* RIG_MUCH bytes each way at once, compared. */
void end_exchange(struct end *c, int plain);

#endif
