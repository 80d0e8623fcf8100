/*
 * POST /v1/enrol, and a department's, as gate hands them in: judged, signed by the signer, answered. Strangers reach this: small
 * bodies, few at a time, one sentence for every bad token, and nothing else is served here but /healthz.
 */
#ifndef CENTRAL_BRANCH_ENROL_PORT_H
#define CENTRAL_BRANCH_ENROL_PORT_H

#include "central/branch/enrol.h"
#include "central/signer/signer.h"
#include "protocol/base/http.h"

struct enrol_port;

struct enrol_port_config {
	const char *path; /* Unix socket that gate connects to */
	struct db *db;
	const struct random *random;
	struct signer *signer;
	struct bytes ca;         /* DER; borrowed */
	const uint8_t *seal_key; /* central's point */
	const char *broker_host; /* as branches reach it */
	int64_t broker_port;
	int64_t (*now_s)(void);
	void (*enrolled)(void *arg, const char *branch);
	void *arg;
};
/* NULL on failure. Copies the configuration. */
struct enrol_port *enrol_port_open(struct loop *l, const struct enrol_port_config *c, struct err *e) CHECKED;
/* NULL is fine. */
void enrol_port_close(struct enrol_port *p);

#endif
