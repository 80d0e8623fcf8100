/*
 * Certificates' bodies kept at the branch, so that they can be looked at with the line down: sealed under the vault, found by keyed
 * hashes, bounded in bytes (the least recently used goes first, since a customer who was here is likely to be here again this week),
 * and erased when the certificate ends, is revoked, superseded or suspended, or the holder's consent ends. Erased means overwritten
 * (secure_delete). Each is kept for the purpose the holder agreed to, and given out for no other.
 */
#ifndef FIRMWARE_CACHE_H
#define FIRMWARE_CACHE_H

#include "firmware/check.h"
#include "firmware/vault.h"
#include "protocol/base/db.h"
#include "protocol/body.h"

#define CACHE_SIZE_DEFAULT 67108864
#define CACHE_TURN         256 /* rows looked at in one call of cache_clean: about 1 ms */

struct cache {
	struct db *db; /* borrowed, as the rest */
	const struct vault *vault;
	int64_t size_max;
	uint64_t items, evicted, erased;
	int64_t size; /* bytes sealed */
	/* How far the list of revoked certificates has been asked about what is here. */
	uint64_t cleaned_version;
	int64_t cleaned_id;
};
bool cache_open(struct cache *c, struct db *db, const struct vault *vault, int64_t size_max, struct err *e) CHECKED;

struct cache_key {
	enum identifier_kind holder_kind;
	const char *holder; /* canonical */
	const char *type, *purpose;
};
/* Every call below that writes is a transaction of its own. */

/* One that takes the place of the same certificate's for the same purpose. identity: ecert_identity's canonical text. */
bool cache_put(struct cache *c, const struct cache_key *key, const char *identity, const struct body *body,
	       int64_t to_s, int64_t now_s, struct err *e) CHECKED;
/* Each that may still be given out at now_s, newest first, at most BODIES_MAX; they are used then. body is as it was put and borrows for
   the call. */
bool cache_each(struct cache *c, const struct cache_key *key, int64_t now_s,
		void (*each)(void *arg, const struct body *body, int64_t fetched_s), void *arg,
		struct err *e) CHECKED;
/* The holder's consent has ended, or central says he has none of these. */
bool cache_drop(struct cache *c, const struct cache_key *key, struct err *e) CHECKED;
/* One certificate, for every purpose. */
bool cache_erase(struct cache *c, const char *identity, struct err *e) CHECKED;
/* What has ended by now, and what the list of revoked certificates names. *more: call again soon. */
bool cache_clean(struct cache *c, const struct check_source *source, int64_t now_s, bool *more,
		 struct err *e) CHECKED;
/* Everything; what the disk keeps of it is overwritten. */
bool cache_wipe(struct cache *c, struct err *e) CHECKED;

#endif
