/*
 * Names to addresses without waiting, over libevent's evdns: numbers, the hosts file and the name servers of resolv.conf, both
 * read afresh for each query, for a branch's line may come up after gate has.
 */
#ifndef PROTOCOL_BASE_DNS_H
#define PROTOCOL_BASE_DNS_H

#include "protocol/base/loop.h"

#include <stddef.h>
#include <sys/socket.h>

#define DNS_ADDRESSES_MAX 8 /* of one name; further ones are left out */

struct dns_address {
	struct sockaddr_storage addr;
	socklen_t len;
};
struct dns_query;

/* found is called once, in a later turn and not after dns_cancel; len 0: none, why says it. The list is borrowed. */
typedef void dns_found(void *arg, const struct dns_address *list, size_t len, const char *why);
struct dns_query *dns_find(struct loop *l, const char *host, int port, dns_found *found, void *arg);
/* NULL is fine; not after found was called. */
void dns_cancel(struct dns_query *q);
/* Before a sandbox is entered: what libevent opens once. */
void dns_prepare(void);

#endif
