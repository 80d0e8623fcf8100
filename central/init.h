/*
 * A new central's directory: CA, keys, certificates, central.ini, and the broker's two files, so that "mosquitto -c
 * DIR/mosquitto.conf" and "centrald -c DIR/central.ini" simply work as the user who made it. Everything is 0600; what is there is
 * never overwritten.
 *   ca.pem ca.key       the root that broker, central and branches descend from (ca.key: signer)
 *   head.key            signs heads (signer)
 *   seal.key            branches seal to it (centrald)        vault.key   personal data at rest (centrald), 64 hex digits
 *   broker.pem/.key     mosquitto and the enrolment port      central.pem/.key   centrald's client certificate, CN "central"
 */
#ifndef CENTRAL_INIT_H
#define CENTRAL_INIT_H

#include "protocol/base/err.h"

#include <stdint.h>

struct init_options {
	const char *dir;
	const char *host; /* the name or address under which branches reach broker and enrolment port */
	int broker_port, api_port;
	int department_port; /* 0: departments send nothing by HTTPS */
	int64_t valid_days;  /* of the CA and the two certificates; 0: 3650 */
	int64_t now_s;
};
/* ERR_CONFLICT when DIR holds a central already. */
bool init_run(const struct init_options *o, struct err *e) CHECKED;

#endif
