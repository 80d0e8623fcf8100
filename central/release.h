/*
 * The release pipeline of lists and documents: draft → submitted → approved by someone else → published; a
 * rollback is a new version with the old content. A version is never changed once submitted. Time is a
 * parameter.
 *
 * A list that shrinks by more than 2 % or changes by more than 5 % (and by more than 100 entries), or becomes
 * empty, is refused at submission unless the operator forces it; the force then travels signed in the head
 * (forced_version). Publishing builds the snapshot, the deltas of doubling spans (plan.h) and the index, all
 * as objects, in one transaction of rows.
 */
#ifndef CENTRAL_RELEASE_H
#define CENTRAL_RELEASE_H

#include "central/import.h"
#include "central/objects.h"
#include "protocol/base/db.h"
#include "protocol/head.h"
#include "protocol/tag.h"

struct release_context {
	struct db *db;
	struct objects *objects;
	const uint8_t *vault_key; /* 32 bytes; epoch secrets are sealed under it at rest */
	const struct random *random;
};

enum release_state {
	RELEASE_DRAFT = 1,
	RELEASE_SUBMITTED,
	RELEASE_APPROVED,
	RELEASE_PUBLISHED,
	RELEASE_REJECTED
};
const char *release_state_name(enum release_state s); /* "draft" … */

/* Everything published, as the next head's entries (owned by h; sequence and times are the caller's to fill).
 */
bool release_head_fill(struct release_context *c, struct head *h, struct err *e) CHECKED;
/* Objects that branches may ask for: those of h, its lists' indexes and the deltas in them. */
bool release_object_known(struct release_context *c, const uint8_t hash[HASH_LEN], bool *known,
			  struct err *e) CHECKED;
/* The secret of an epoch (for tags here, for sealing to branches). ERR_MISSING. */
bool release_epoch_load(struct release_context *c, uint32_t epoch, uint32_t *iterations, uint8_t secret[32],
			struct err *e) CHECKED;

#endif
