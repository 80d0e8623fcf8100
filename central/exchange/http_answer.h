/*
 * The answer to one HTTP/1.1 request (RFC 9112), out of the bytes that came so far: no socket, no clock. Interim answers (1xx) are passed
 * over. Bodies by length, in chunks, or to the end of the connection; what can be read in two ways is refused (section 6.3).
 */
#ifndef CENTRAL_EXCHANGE_HTTP_ANSWER_H
#define CENTRAL_EXCHANGE_HTTP_ANSWER_H

#include "protocol/base/buf.h"

struct http_answer {
	int status;
	char retry_after[40]; /* as it came; "" none */
	struct buf body;      /* owned; its maximum is the caller's */
};
void http_answer_init(struct http_answer *a, size_t body_max);
void http_answer_clear(struct http_answer *a);

enum http_answer_step { HTTP_ANSWER_MORE, HTTP_ANSWER_WHOLE, HTTP_ANSWER_BROKEN };
/* all: from the first byte on; ended: nothing follows. Broken says why. */
enum http_answer_step http_answer_read(struct bytes all, bool ended, struct http_answer *out, struct err *e);

/* Retry-After (RFC 9110, 10.2.3), seconds or a date, as seconds from now_s; 0 when there is none that can be read. At most a day. */
int64_t http_retry_after_s(const char *text, int64_t now_s);

#endif
