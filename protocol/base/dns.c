/*
 * A query has an evdns base of its own. It is freed by a timer of ours, never inside a callback of evdns, and only when evdns has
 * said its last word: after a cancel too it still calls back once.
 */
#include "protocol/base/dns.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dns_query {
	struct loop_timer *later;
	struct evdns_base *base;
	struct evdns_getaddrinfo_request *request; /* NULL once answered */
	dns_found *found;                          /* NULL: cancelled */
	void *arg;
	struct dns_address list[DNS_ADDRESSES_MAX];
	size_t len;
	char why[80];
	bool answered;
};

static void log_nothing(int is_warning, const char *text)
{
	(void)is_warning, (void)text;
}

void dns_prepare(void)
{
	evdns_set_log_fn(log_nothing);
	evutil_secure_rng_init();
}

static void query_end(void *arg)
{
	struct dns_query *q = arg;
	if (q->found != NULL)
		q->found(q->arg, q->list, q->len, q->why);
	if (q->base != NULL)
		evdns_base_free(q->base, 0);
	loop_timer_free(q->later);
	free(q);
}

static void query_answered(int code, struct evutil_addrinfo *answer, void *arg)
{
	struct dns_query *q = arg;
	for (const struct evutil_addrinfo *a = answer; a != NULL && q->len < DNS_ADDRESSES_MAX; a = a->ai_next) {
		struct dns_address *to = &q->list[q->len++];
		to->len = (socklen_t)a->ai_addrlen;
		memcpy(&to->addr, a->ai_addr, a->ai_addrlen);
	}
	if (answer != NULL)
		evutil_freeaddrinfo(answer);
	snprintf(q->why, sizeof(q->why), "%s",
		 code != 0     ? evutil_gai_strerror(code)
		 : q->len == 0 ? "no address"
			       : "");
	q->answered = true;
	loop_timer_set(q->later, 0);
}

struct dns_query *dns_find(struct loop *l, const char *host, int port, dns_found *found, void *arg)
{
	struct dns_query *q = calloc(1, sizeof(*q));
	if (q == NULL)
		abort();
	*q = (struct dns_query){ .found = found, .arg = arg };
	q->later = loop_timer_new(l, query_end, q);
	q->base = evdns_base_new(loop_base(l), EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (q->base == NULL)
		abort();
	/* With the hosts file. A file may be missing: then there are numbers and what the other says. */
	evdns_base_resolv_conf_parse(q->base, DNS_OPTIONS_ALL, "/etc/resolv.conf");
	char service[16];
	snprintf(service, sizeof(service), "%d", port);
	struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC,
					 .ai_socktype = SOCK_STREAM,
					 .ai_protocol = IPPROTO_TCP,
					 .ai_flags = EVUTIL_AI_NUMERICSERV };
	struct evdns_getaddrinfo_request *request =
		evdns_getaddrinfo(q->base, host, service, &hints, query_answered, q);
	q->request = q->answered ? NULL : request;
	return q;
}

void dns_cancel(struct dns_query *q)
{
	if (q == NULL)
		return;
	q->found = NULL;
	if (!q->answered && q->request != NULL)
		evdns_getaddrinfo_cancel(q->request);
}
