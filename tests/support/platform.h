/* Another platform: a TLS server on a free port of 127.0.0.1 that lets nobody in without a certificate of its CA, reads one request a
   connection and answers with recorded bytes. */
#ifndef TESTS_SUPPORT_PLATFORM_H
#define TESTS_SUPPORT_PLATFORM_H

#include "protocol/base/loop.h"
#include "tests/support/identity.h"

struct platform {
	struct identity ca, server, client;
	int listener, port;
	char peer[65]; /* who came last */
	char request[65536];
};
/* Stores ca.crt, client.crt and client.key in dir. */
void platform_open(struct platform *p, const char *dir);
void platform_close(struct platform *p);
/* Waits for a connection at most ms, while the loop (NULL: none) turns. answer NULL: the connection is cut once the request was read.
   False when nobody came, or no whole request did. */
bool platform_serve(struct platform *p, struct loop *l, const char *answer, int ms);

#endif
