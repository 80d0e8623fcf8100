/*
 * The registry of e-certificates: issued, superseded, suspended, reinstated, revoked; found by identifier or by holder. What is in a
 * certificate is sealed under the vault key at rest; a holder is found by a keyed hash. What is not valid goes out as the list
 * ECERT_LIST (revocation.h).
 *
 * Taking a certificate out of use is one operator's step and takes effect at once: too slow a revocation is the greater danger. Putting one
 * back is asked for by one and confirmed by another.
 */
#ifndef CENTRAL_REGISTRY_REGISTRY_H
#define CENTRAL_REGISTRY_REGISTRY_H

#include "central/release/release.h"
#include "protocol/body.h"
#include "protocol/kinds.h"

#define REGISTRY_OPERATOR "registry" /* approves the releases the registry makes; no operator may be called so */

struct registry_request {
	char request_id[REQUEST_ID_MAX_LEN + 1]; /* "" none */
	char issuer[ECERT_PART_MAX + 1], kind[ECERT_PART_MAX + 1];
	char number[ECERT_NUMBER_MAX + 1];
	enum identifier_kind holder_kind; /* 0: nobody's */
	char holder[PERSON_NAME_MAX + 1]; /* as given */
	char holder_name[PERSON_NAME_MAX + 1];
	int64_t from_s, to_s; /* ECERT_NO_END: 长期 */
	bool has_digest;
	uint8_t digest[HASH_LEN];
	char media_type[64];
	struct bytes file;                 /* borrowed; data NULL none */
	char supersedes[ECERT_ID_MAX + 1]; /* "" a first one */
};
/* ERR_INPUT names the field. */
bool registry_request_parse(struct bytes json, struct registry_request *r, struct buf *file, struct err *e) CHECKED;

/* A certificate about to be signed. */
struct registry_issue {
	struct registry_request request;
	struct ecert cert;
	uint8_t hash[HASH_LEN]; /* of the request */
	struct buf cwt;         /* owned */
	struct buf file;        /* owned: what request.file points into */
};
void registry_issue_clear(struct registry_issue *i);
/* Judges the request, takes the next serial (in a transaction of its own) and makes the claims. *id is set, and nothing else done, when
   this request was answered before. i->request is filled. */
bool registry_begin(struct release_context *c, struct registry_issue *i, int64_t now_s, char id[ECERT_ID_MAX + 1],
		    bool *again, struct err *e) CHECKED;
/* cose is the signed message: one transaction. */
bool registry_finish(struct release_context *c, const struct registry_issue *i, struct bytes cose,
		     const char *operator, int64_t now_s, struct err *e) CHECKED;

/* Steps, each one transaction, audited. ERR_MISSING, ERR_CONFLICT when the status does not allow it. */
bool registry_set(struct release_context *c, const char *id, enum ecert_status status, const char *reason,
		  const char *operator, int64_t now_s, struct err *e) CHECKED;
/* The first call asks, the second, by another operator, does it; *done says which it was. */
bool registry_reinstate(struct release_context *c, const char *id, const char *operator, int64_t now_s, bool *done,
			struct err *e) CHECKED;

struct registry_row {
	char id[ECERT_ID_MAX + 1];
	char issuer[ECERT_PART_MAX + 1], kind[ECERT_PART_MAX + 1];
	char identity[PERSON_NAME_MAX + 1]; /* ecert_identity's canonical text */
	enum ecert_status status;
	char status_reason[128], status_by[NAME_MAX_LEN + 1];
	int64_t status_s;
	char reinstate_by[NAME_MAX_LEN + 1]; /* who asked; "" nobody */
	int64_t issued_s, to_s;
	enum identifier_kind holder_kind;
	char holder[PERSON_NAME_MAX + 1]; /* canonical; unsealed */
	char holder_name[PERSON_NAME_MAX + 1], number[ECERT_NUMBER_MAX + 1];
	char media_type[64];
	uint64_t file_size;
};
/* cose and file (either may be NULL) are appended to. ERR_MISSING. */
bool registry_load(struct release_context *c, const char *id, struct registry_row *out, struct buf *cose,
		   struct buf *file, struct err *e) CHECKED;
/* All of a holder, or of one kind ("" any), newest first, at most limit. The query is open during each: load others afterwards. */
bool registry_each_of_holder(struct release_context *c, enum identifier_kind kind, const char *canonical,
			     const char *type, size_t limit, void (*each)(void *arg, const struct registry_row *row),
			     void *arg, struct err *e) CHECKED;
/* How holders are found: HMAC under a key of the vault's. */
void registry_holder_hash(const uint8_t vault_key[32], enum identifier_kind kind, const char *canonical,
			  uint8_t out[HASH_LEN]);

/* The kinds document in force; NULL with ERR_MISSING when none was published. */
struct kinds *registry_kinds(struct release_context *c, struct err *e) CHECKED;

#endif
