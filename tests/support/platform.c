#include "tests/support/platform.h"

#include "protocol/base/tls.h"
#include "tests/support/child.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct session {
	struct platform *p;
	struct loop *loop;
	struct tls *tls;
	int64_t end_ms;
};

void platform_open(struct platform *p, const char *dir)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	*p = (struct platform){ 0 };
	identity_ca(&p->ca, "Platform CA");
	identity_issue(&p->ca, &p->server, "platform", PKI_SERVER, IDENTITY_FROM_S, IDENTITY_TO_S);
	identity_issue(&p->ca, &p->client, "central-of-a-city", PKI_CLIENT, IDENTITY_FROM_S, IDENTITY_TO_S);
	identity_store(&p->ca, dir, "ca");
	identity_store(&p->client, dir, "client");
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(p->listener, (struct sockaddr *)&in, sizeof(in)) != 0 || listen(p->listener, 16) != 0 ||
	    getsockname(p->listener, (struct sockaddr *)&in, &len) != 0)
		abort();
	p->port = ntohs(in.sin_port);
}

void platform_close(struct platform *p)
{
	close(p->listener);
	identity_clear(&p->ca);
	identity_clear(&p->server);
	identity_clear(&p->client);
}

static bool turn(const struct session *s)
{
	if (s->loop != NULL)
		loop_once(s->loop, 2);
	else
		sleep_ms(2);
	return loop_now_ms() < s->end_ms;
}

static bool is_whole(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n"), *length = strstr(request, "\r\nContent-Length: ");
	if (end == NULL)
		return false;
	return length == NULL || length > end || strlen(end + 4) == strtoul(length + 18, NULL, 10);
}

static bool request_read(struct session *s)
{
	char *to = s->p->request;
	size_t len = 0, got = 0;
	to[0] = '\0';
	do {
		while (tls_read(s->tls, (uint8_t *)to + len, sizeof(s->p->request) - 1 - len, &got, NULL) ==
		       TLS_DONE) {
			len += got;
			to[len] = '\0';
		}
		if (is_whole(to))
			return true;
	} while (turn(s));
	return false;
}

static void answer_write(struct session *s, const char *answer)
{
	size_t len = strlen(answer), at = 0, put = 0;
	do {
		while (at < len && tls_write(s->tls, (const uint8_t *)answer + at, len - at, &put, NULL) == TLS_DONE)
			at += put;
	} while (at < len && turn(s));
	tls_close(s->tls);
}

static bool served(struct session *s, const char *answer)
{
	enum tls_step step;
	do {
		step = tls_handshake(s->tls, NULL);
	} while (step != TLS_DONE && step != TLS_FAILED && turn(s));
	if (step != TLS_DONE)
		return false;
	snprintf(s->p->peer, sizeof(s->p->peer), "%s", tls_peer(s->tls));
	if (!request_read(s))
		return false;
	if (answer != NULL)
		answer_write(s, answer);
	return true;
}

bool platform_serve(struct platform *p, struct loop *l, const char *answer, int ms)
{
	struct session s = { .p = p, .loop = l, .end_ms = loop_now_ms() + ms };
	struct tls_identity id = { buf_bytes(&p->server.cert), buf_bytes(&p->server.key), buf_bytes(&p->ca.cert),
				   true };
	struct err e = { 0 };
	int fd;
	do {
		fd = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (fd < 0 && turn(&s));
	if (fd < 0)
		return false;
	struct tls_config *c = tls_config_new(true, &id, &e);
	s.tls = c != NULL ? tls_new(c, fd, NULL, &e) : NULL;
	bool ok = s.tls != NULL && served(&s, answer);
	tls_free(s.tls);
	tls_config_free(c);
	close(fd);
	return ok;
}
