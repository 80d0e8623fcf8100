/*
 * What enrolment made of this box: a named branch of one central, with a certificate, central's keys and its broker.
 *
 * Enrolment, branch side: begin makes the keys and the request for a certificate, which the operator's tool carries to central
 * (POST /v1/enrol, protocol/message.h) over a line that gate pins to the CA the operator gave; finish proves the answer
 * against that CA and our key and stores all of it in one transaction. Keys made for an enrolment that is never finished
 * are gone with the process.
 */
#ifndef FIRMWARE_MEMBERSHIP_H
#define FIRMWARE_MEMBERSHIP_H

#include "firmware/sync.h"
#include "firmware/vault.h"
#include "protocol/base/pki.h"

struct membership {
	bool is_member;
	bool has_seal; /* false: the vault it was sealed under was wiped; what central seals to us can no longer be read */
	struct sync_identity sync;
	struct buf key, cert,
		ca;        /* DER; owned. The key is not sealed: a box whose vault was wiped can still say so */
	int64_t cert_to_s; /* the certificate's last second */
	char broker_host[256];
	int64_t broker_port;
};
/* No failure when the box is not enrolled: is_member is false then. */
bool membership_load(struct db *db, const struct vault *vault, struct membership *m, struct err *e) CHECKED;
void membership_clear(struct membership *m);

struct membership_request {
	uint8_t seal_scalar[SCALAR_LEN], seal_point[POINT_LEN];
	struct buf key, ca; /* DER */
	struct buf csr;     /* PEM, for central */
};
/* ca_pem: the one CA central's certificate must descend from. */
bool membership_begin(const struct random *r, struct bytes ca_pem, struct membership_request *q,
		      struct err *e) CHECKED;
void membership_request_clear(struct membership_request *q);
/*
 * ERR_INPUT: the answer is malformed. ERR_DENIED: its certificate is not ours, or not of the CA given. ERR_CONFLICT: this box
 * is another branch already. A box may enrol again under its name, e.g. before its certificate ends. A vault that was wiped has a new key then.
 */
bool membership_finish(struct db *db, struct vault *vault, const struct membership_request *q, struct bytes answer,
		       struct err *e) CHECKED;

#endif
