/*
 * The list of certificates that are not valid (ECERT_LIST), made from the registry and published at once: from registry row to list
 * nobody has to remember anything. It is published for the first time, empty, when centrald first starts, so that branches always hold it.
 * A change that a crash has cut off is published at the next start. Operators' imports into this list are refused.
 */
#ifndef CENTRAL_REGISTRY_REVOCATION_H
#define CENTRAL_REGISTRY_REVOCATION_H

#include "central/release/release.h"

/* Inside the caller's transaction: what the list should say has changed. */
bool revocation_changed(struct db *db, struct err *e) CHECKED;
/* Publishes a new version when something has changed since the last; *published says whether. Transactions of its own. */
bool revocation_publish(struct release_context *c, int64_t now_s, bool *published, struct err *e) CHECKED;
/* The tag a certificate is listed by, and its epoch. Inside a transaction, as it makes the epoch when there is none. */
bool revocation_tag(struct release_context *c, const struct identifier *identity, int64_t now_s, uint64_t *tag,
		    struct err *e) CHECKED;
/* The epoch's key, for holders' tags; wipe it. Inside a transaction, as above. */
bool revocation_key(struct release_context *c, int64_t now_s, struct tag_key *key, struct err *e) CHECKED;

#endif
