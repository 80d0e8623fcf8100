/*
 * Enrolment: a one-time token buys a certificate under the name the token was made for (protocol/message.h, "Enrolment").
 * begin judges the request, the signer signs, finish uses the token up in one transaction with what was bought: of two that
 * come at once one gets it. Whoever bought may fetch the same answer again with the same request, since an answer can be lost.
 */
#ifndef CENTRAL_BRANCH_ENROL_H
#define CENTRAL_BRANCH_ENROL_H

#include "central/branch/branches.h"

#define ENROL_BODY_MAX  16384U /* token, CSR, key and names are under 4 KiB */
#define ENROL_SANS_MAX  8
#define ENROL_CERT_S    (730LL * 86400) /* two years */
#define ENROL_EARLIER_S 3600            /* a branch's first clock may be behind */

struct enrolment {
	char branch[NAME_MAX_LEN + 1];
	uint8_t token_hash[HASH_LEN], request_hash[HASH_LEN];
	uint8_t seal_key[POINT_LEN];
	bool department; /* `branch` is a department's certificate: central/department/certificates.h */
	struct buf csr;  /* DER; owned */
	size_t sans_len;
	char sans[ENROL_SANS_MAX][64];
};
void enrolment_clear(struct enrolment *r);

/* cert: filled when this very request was answered before. ERR_INPUT; ERR_DENIED when the token is unknown, used up or expired,
   one sentence for all three; ERR_CONFLICT when the branch is revoked. */
bool enrol_begin(struct db *db, const struct random *random, struct bytes body, int64_t now_s, struct enrolment *r,
		 struct buf *cert, struct err *e) CHECKED;
/* ERR_DENIED when it asks for host, the name under which branches reach central: with that in its certificate a branch could play
   central to the others. A host on the loopback is a trial on one machine, where all share it. */
bool enrol_names_check(const struct enrolment *r, const char *host, struct err *e) CHECKED;
/* ERR_DENIED when somebody else was faster. */
bool enrol_finish(struct db *db, const struct enrolment *r, struct bytes cert, int64_t now_s, struct err *e) CHECKED;

struct enrol_answer {
	struct bytes cert, ca;              /* DER */
	const uint8_t *head_key, *seal_key; /* points */
	const char *broker_host;
	int64_t broker_port, now_s;
};
bool enrol_reply(const struct enrolment *r, const struct enrol_answer *a, struct buf *json, struct err *e) CHECKED;

/* At most ENROL_BURST at once and one every two seconds: signing is dear, and a stranger may ask. */
#define ENROL_BURST 30
struct enrol_limit {
	int64_t full_ms; /* when the bucket is full again */
};
bool enrol_limit_take(struct enrol_limit *l, int64_t now_ms);

#endif
