/*
 * centrald put together: one loop, the database, the signer and gate as children, the line to the broker, the enrolment port and
 * the operators' socket. Nothing here decides anything; it wires and logs.
 */
#ifndef CENTRAL_HUB_H
#define CENTRAL_HUB_H

#include "protocol/base/buf.h"
#include "protocol/base/loop.h"
#include "protocol/crypto.h"

/* DIR/central.ini and the keys beside it that centrald itself holds; see init.h. */
struct hub_config {
	char dir[200]; /* absolute: where the ini stands */
	char host[64], listen[64];
	char broker_connect[64]; /* "": host */
	int64_t enrol_port, broker_port;
	int64_t department_port;                                           /* 0: departments send nothing by HTTPS */
	struct buf ca, broker_cert, broker_key, central_cert, central_key; /* DER */
	uint8_t vault_key[32];
	uint8_t seal_scalar[SCALAR_LEN], seal_point[POINT_LEN];
};
bool hub_config_load(const char *ini_path, struct hub_config *c, struct err *e) CHECKED;
void hub_config_clear(struct hub_config *c);

/* Unix sockets between gate and what serves behind it. */
struct hub_sockets {
	char mqtt[108], enrol[108], departments[108];
};
struct gate_config;
/* Adds gate's ports: enrolment and, where there is one, departments inward; the broker outward. Keys are borrowed. */
void hub_config_gate(const struct hub_config *c, const struct hub_sockets *s, struct gate_config *g);

struct hub;
/* NULL on failure; c is borrowed for its whole life; in a worker's copy of the process its keys are wiped. The signer's and gate's roles are argv[1] of this same program. */
struct hub *hub_open(struct loop *l, struct hub_config *c, struct err *e) CHECKED;
void hub_close(struct hub *h); /* NULL is fine */

#endif
