/* The documents in force (rules, catalogue, issuers, kinds): stored as they came, parsed once. A new one that does not parse
 * is refused and counted; the old one stays. */
#ifndef FIRMWARE_DOCUMENTS_H
#define FIRMWARE_DOCUMENTS_H

#include "firmware/check.h"
#include "firmware/verify.h"
#include "protocol/base/db.h"

#define DOCUMENT_RULES     "rules"
#define DOCUMENT_CATALOGUE "catalogue"
#define DOCUMENT_ISSUERS   "issuers"
#define DOCUMENT_KINDS     "kinds"

struct documents;
struct documents *documents_open(struct db *db, struct err *e) CHECKED;
void documents_close(struct documents *d);
/* Borrowed until the next documents_apply. */
const struct check_policy *documents_policy(const struct documents *d);
const struct verify_policy *documents_verify_policy(const struct documents *d);
/* 0: none. */
uint64_t documents_version(const struct documents *d, const char *name);
/* The one held of this name, appended to out; ERR_MISSING. */
bool documents_read(const struct documents *d, const char *name, struct buf *out, struct err *e) CHECKED;
/* bytes have been proven against the head's entry. One transaction of its own. */
bool documents_apply(struct documents *d, const char *name, uint64_t version, struct bytes bytes,
		     struct err *e) CHECKED;
/* A believed head, issued then and not expired, names this version; of another than is held nothing changes. */
bool documents_confirm(struct documents *d, const char *name, uint64_t version, int64_t issued_s,
		       struct err *e) CHECKED;

#endif
