/*
 * What is said to platforms and when: the outbox and the pulls (exchange.h) as requests, one under way for each platform. No socket and
 * no clock: requests leave by send, answers come back by exchange_line_answered, and time is a parameter.
 */
#ifndef CENTRAL_EXCHANGE_LINE_H
#define CENTRAL_EXCHANGE_LINE_H

#include "central/exchange/exchange.h"
#include "central/exchange/http_answer.h"

struct exchange_line;
struct exchange_line_config {
	struct release_context *release;
	void *arg;
	/* Whole request as it goes over the wire. False: it cannot leave now, which counts as no answer. The answer never comes before this
	   returns. */
	bool (*send)(void *arg, const char *name, struct bytes request, struct err *e);
};

struct exchange_line *exchange_line_new(const struct exchange_line_config *c);
void exchange_line_free(struct exchange_line *l); /* NULL is fine */
/* Sends what is due. Returns when to call again at the latest (seconds since 1970), EXCHANGE_NEVER_S when nothing waits. */
int64_t exchange_line_step(struct exchange_line *l, int64_t now_s);
/* answer NULL: there is none that can be read, and why says why. Call exchange_line_step afterwards. */
void exchange_line_answered(struct exchange_line *l, const char *name, const struct http_answer *answer,
			    const struct err *why, int64_t now_s);

#endif
