/*
 * TLS 1.2 over mbedTLS on non-blocking sockets, for gate alone. Certificate periods are judged by the trusted clock given
 * here, never the system's. The session's state is one connection: handshake, then read and write.
 */
#ifndef PROTOCOL_BASE_TLS_H
#define PROTOCOL_BASE_TLS_H

#include "protocol/base/buf.h"

struct tls_config;
struct tls;

struct tls_identity {
	struct bytes cert, key; /* DER; both empty: none */
	struct bytes ca;        /* the one CA the peer must descend from; empty: peer certificate not asked for */
	bool peer_required;     /* a server's clients must show one */
};

/* server: session tickets on. Copies what it is given. */
struct tls_config *tls_config_new(bool server, const struct tls_identity *id, struct err *e) CHECKED;
void tls_config_free(struct tls_config *c);
/* Seconds since 1970; 0 = unknown, then no period is judged (only a client before its first head). */
void tls_config_clock(struct tls_config *c, int64_t now_s);

/* name: what the server's certificate must say, a DNS name or an address (clients; NULL for servers). The descriptor stays
   the caller's. */
struct tls *tls_new(struct tls_config *c, int fd, const char *name, struct err *e) CHECKED;
void tls_free(struct tls *t);

enum tls_step { TLS_DONE, TLS_WANT_READ, TLS_WANT_WRITE, TLS_CLOSED, TLS_FAILED };
enum tls_step tls_handshake(struct tls *t, struct err *e);
/* TLS_DONE with *got > 0, or what to wait for. */
enum tls_step tls_read(struct tls *t, uint8_t *to, size_t size, size_t *got, struct err *e);
/* TLS_DONE with *put > 0; after TLS_WANT_WRITE the same bytes must come again, more may follow them. */
enum tls_step tls_write(struct tls *t, const uint8_t *from, size_t size, size_t *put, struct err *e);
/* Decrypted bytes that a readable descriptor would not announce. */
size_t tls_pending(const struct tls *t);
/* Says that nothing more will be written; reading goes on. */
enum tls_step tls_close(struct tls *t);
/* CN of the peer's verified certificate, "" without one. */
const char *tls_peer(const struct tls *t);

#endif
