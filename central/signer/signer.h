/*
 * The signer: a child ("centrald signer") that alone holds the head key, the CA's key and the issuers' keys, and does four things
 * with them: signs heads whose sequence is above the last it signed, issues branches' certificates, signs e-certificates, and signs the
 * ledger's daily heads, one a day. An issuer's
 * key is made here and leaves sealed under a key derived from the head key (so head.key's backup is theirs too), bound to the issuer: the
 * parent keeps it and can do nothing with it. The signer reads DIR's keys when it starts, then
 * gives up files and sockets. Questions are asynchronous; while it is down they fail and the parent goes on.
 */
#ifndef CENTRAL_SIGNER_SIGNER_H
#define CENTRAL_SIGNER_SIGNER_H

#include "protocol/base/loop.h"
#include "protocol/base/proc.h"
#include "protocol/crypto.h"

struct signer;

struct signer_events {
	/* After every start. how: what of the sandbox the kernel has. */
	void (*ready)(void *arg, const char *how);
	void (*stopped)(void *arg, const char *why); /* proc starts it again */
};

/* role: the child's argv[1]; dir is copied. */
struct signer *signer_start(struct loop *l, const char *role, const char *dir, const struct signer_events *on,
			    void *arg);
void signer_stop(struct signer *s); /* open questions are dropped without an answer; NULL is fine */
bool signer_is_ready(const struct signer *s);
/* The public half of the head key, as the child told it; NULL before. */
const uint8_t *signer_head_key(const struct signer *s);
int signer_pid(const struct signer *s); /* for tests */

/* result.data NULL: why says why not. Called once a question, unless it is cancelled. */
typedef void signer_done(void *arg, struct bytes result, const struct err *why);

#define SIGNER_QUESTIONS_MAX 64
/* payload: head_encode's. Result: the COSE message. ERR_IO while the child is down, ERR_FULL with too many questions open. */
bool signer_head(struct signer *s, struct bytes payload, signer_done *done, void *arg, struct err *e) CHECKED;

struct signer_request {
	const char *name; /* a branch's */
	struct bytes csr; /* DER */
	const char *const *sans;
	size_t sans_len;
	int64_t from_s, to_s;
};
/* Result: the certificate, DER, good as server and client. */
bool signer_issue(struct signer *s, const struct signer_request *r, signer_done *done, void *arg,
		  struct err *e) CHECKED;
/* A new P-256 key for an e-certificates' issuer. Result: CBOR [point, sealed private half]. */
bool signer_issuer_key(struct signer *s, const char *issuer, signer_done *done, void *arg, struct err *e) CHECKED;
/* cwt: ecert_encode's, of this issuer. Result: the COSE message. ERR_DENIED when the key is another issuer's. */
struct signer_certificate {
	const char *issuer;
	struct bytes kid, sealed, cwt;
};
bool signer_certificate(struct signer *s, const struct signer_certificate *c, signer_done *done, void *arg,
			struct err *e) CHECKED;
/* payload: daily_encode's (central/ledger/daily.h). Result: the COSE message. ERR_STALE: a day or a position before the last signed; ERR_CONFLICT:
   another head of the same day. */
bool signer_daily(struct signer *s, struct bytes payload, signer_done *done, void *arg, struct err *e) CHECKED;
/* Whoever asked with this arg is gone. */
void signer_cancel(struct signer *s, const void *arg);

/* The child. Returns the exit status. */
int signer_main(void);

#endif
