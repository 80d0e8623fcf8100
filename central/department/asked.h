/*
 * The head of an HTTP/1.1 request (RFC 9112) whose body is streamed: request line, what of the query is asked for, and the few fields that
 * say how the body comes. The HTTP server in protocol/base gathers bodies in memory, which a department's file is too long for.
 */
#ifndef CENTRAL_DEPARTMENT_ASKED_H
#define CENTRAL_DEPARTMENT_ASKED_H

#include "protocol/base/buf.h"

#define ASKED_MAX       16384U /* longer ones are no request of ours */
#define ASKED_VALUE_MAX 255

struct asked {
	char method[8], path[128];
	char query[2048]; /* as it came, without the '?' */
	bool sized;       /* a Content-Length */
	uint64_t size;
	bool chunked; /* a Transfer-Encoding: not taken */
	bool expects; /* 100-continue */
};
/* *used: bytes of the head, the empty line included; 0: more is needed. ERR_INPUT; ERR_FULL past ASKED_MAX. */
bool asked_parse(struct bytes data, struct asked *out, size_t *used, struct err *e) CHECKED;
/* A member of the query, percent-decoded (RFC 3986); false when it is missing, too long, or decodes to a control character. */
bool asked_query(const struct asked *h, const char *key, char out[ASKED_VALUE_MAX + 1]) CHECKED;

#endif
