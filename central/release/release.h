/*
 * The release pipeline of lists, documents and what stays at central (models, and what maps facts to their inputs): draft → submitted → approved by someone else → published; a rollback is a
 * new version with old content. A version is never changed once submitted. Time and randomness are parameters.
 *
 * What a draft of a list holds is the snapshot of the version it would become, and the delta from the version it was made
 * against; if the list has moved on meanwhile the draft is stale and must be made again. A list that shrinks by more than
 * 2 % or changes by more than 5 % (and by more than 100 entries), or becomes empty, is refused at submission unless the
 * operator forces it; the force travels signed in the head (forced_version).
 *
 * Publishing makes the deltas of doubling spans by merging (plan.h), the index, and then one transaction of rows. The last
 * RELEASE_SNAPSHOTS_KEPT snapshots of a list are kept for rolling back.
 */
#ifndef CENTRAL_RELEASE_RELEASE_H
#define CENTRAL_RELEASE_RELEASE_H

#include "central/release/import.h"
#include "central/release/objects.h"
#include "protocol/base/db.h"
#include "protocol/head.h"
#include "protocol/tag.h"

#define RELEASE_SNAPSHOTS_KEPT 16
#define RELEASE_SHOWN_MAX      10000 /* entries of one draft whose masked numbers are kept for the diff */
#define RELEASE_GRACE_S                                                                                              \
	86400 /* before an object that nothing names is removed: a branch may still follow an older head */
#define RELEASE_EDGES_KEPT 4000 /* deltas in a list's index; older ones go */

struct release_context {
	struct db *db;
	struct objects *objects;
	const uint8_t *vault_key; /* 32 bytes; epoch secrets and rejected rows are sealed under it at rest */
	const struct random *random;
};

/* Lists and documents go to the branches in the head. What is of central alone never does, and no branch is given its content. */
enum release_kind { RELEASE_LIST = HEAD_LIST, RELEASE_DOCUMENT = HEAD_DOCUMENT, RELEASE_CENTRAL = 3 };
#define RELEASE_MODEL  "model-"  /* … and the family: a scorecard; content's hash is the model's (score/models.h) */
#define RELEASE_INPUTS "inputs-" /* … and the family: which facts are its inputs (score/facts.h) */
/* What stands behind the prefix of a name; NULL when it begins otherwise. */
const char *release_family_of(const char *name, const char *prefix);

enum release_state { RELEASE_DRAFT = 1, RELEASE_SUBMITTED, RELEASE_APPROVED, RELEASE_PUBLISHED, RELEASE_REJECTED };
const char *release_state_name(enum release_state s); /* "draft" … */
const char *release_state_zh(enum release_state s);

struct release {
	int64_t id;
	char name[NAME_MAX_LEN + 1];
	enum release_kind kind;
	enum release_state state;
	uint64_t base_version; /* published when the draft was made; 0 none */
	uint64_t version;      /* the one it becomes or became: base_version + 1 */
	uint32_t epoch;        /* lists */
	bool forced;
	char created_by[NAME_MAX_LEN + 1], submitted_by[NAME_MAX_LEN + 1], decided_by[NAME_MAX_LEN + 1],
		published_by[NAME_MAX_LEN + 1];
	int64_t created_s, submitted_s, decided_s, published_s; /* 0: not yet; decided: approved or rejected */
	char source[128];                                       /* file name, or "rollback to version n" */
	struct import_summary import; /* lists; of a model: rejects are the faults that lint found */
	uint64_t duplicates;          /* of entries: the same number twice */
	uint64_t count, base_count;   /* entries, the canary among them */
	uint64_t added, removed, changed;
	uint8_t fingerprint[FINGERPRINT_BYTES];
	struct object_ref content; /* snapshot or document */
	struct object_ref delta;   /* lists: from base_version; size 0: none (first version, or too large) */
};

bool release_load(struct release_context *c, int64_t id, struct release *out, struct err *e) CHECKED;
/* Newest first; name "" = of all. Calls each for at most limit. */
bool release_each(struct release_context *c, const char *name, size_t limit,
		  void (*each)(void *arg, const struct release *r), void *arg, struct err *e) CHECKED;

/* Steps. ERR_CONFLICT when the state does not allow it, ERR_DENIED when the person does not. */
bool release_submit(struct release_context *c, int64_t id, const char *operator, bool force, int64_t now_s,
		    struct err *e) CHECKED;
bool release_approve(struct release_context *c, int64_t id, const char *operator, int64_t now_s,
		     struct err *e) CHECKED;
bool release_reject(struct release_context *c, int64_t id, const char *operator, int64_t now_s,
		    struct err *e) CHECKED;
bool release_publish(struct release_context *c, int64_t id, const char *operator, int64_t now_s,
		     struct err *e) CHECKED;
/* A draft of a new version with the content of an old one. */
bool release_rollback(struct release_context *c, const char *name, uint64_t version, const char *operator,
		      int64_t now_s, int64_t *id, struct err *e) CHECKED;

/* Why submission would be refused without force; false and "" when it would not. */
bool release_guard(const struct release *r, char *why, size_t size);

/* Drafts of lists. replace: the file is the whole list; add and remove: it changes the published one. */
enum draft_mode { DRAFT_REPLACE = 1, DRAFT_ADD, DRAFT_REMOVE };
bool draft_mode_of(const char *name, enum draft_mode *m); /* "replace", "add", "remove" */
struct list_draft {
	const char *name, *source, *operator;
	enum import_format format;
	enum draft_mode mode;
	uint8_t reason; /* of entries whose file says none, 1 … 255 */
	int64_t now_s;
};
/* Of one number given twice the later row counts; the earlier one is counted as a duplicate. */
bool list_draft_import(struct release_context *c, const struct list_draft *d, struct bytes file, int64_t *id,
		       struct err *e) CHECKED;
/* Shared by import and rollback: entries sorted, tags unique, without the canary. */
struct draft_content {
	const struct entry *entries;
	size_t entries_len;
};
bool list_draft_store(struct release_context *c, struct release *r, const struct draft_content *content,
		      struct err *e) CHECKED;
/* Objects first, then rows inside the caller's transaction: deltas of all spans and the index for the release that becomes
   r->version. */
bool list_publish(struct release_context *c, const struct release *r, struct err *e) CHECKED;

/* Drafts of documents, from the operator's JSON. */
bool document_draft_import(struct release_context *c, const char *name, const char *source, struct bytes json,
			   const char *operator, int64_t now_s, int64_t *id, struct err *e) CHECKED;
/* central/score/models.c: the model becomes its family's champion. In the caller's transaction. */
bool model_publish(struct release_context *c, const struct release *r, const char *operator, int64_t now_s,
		   struct err *e) CHECKED;
/* The row of a document whose name, kind, content, source and maker r has; the rest is filled. In the caller's transaction. */
bool release_document_insert(struct release_context *c, struct release *r, struct err *e) CHECKED;
/* Inserts the row; r->id is set. In the caller's transaction. */
bool release_insert(struct release_context *c, struct release *r, struct err *e) CHECKED;
/* The newest published version of a name; version 0 and nothing else when there is none. */
bool release_current(struct release_context *c, const char *name, struct release *out, struct err *e) CHECKED;

/* Rejected rows of a draft as CSV with what was wrong, good to be mended and imported again. */
bool release_rejects_csv(struct release_context *c, int64_t id, struct buf *out, struct err *e) CHECKED;

/* The difference between a draft and the version it was made against: entries in tag order. shown is "" where the number is not
   kept (it never is, unmasked). */
struct release_change {
	enum { CHANGE_ADDED = 1, CHANGE_REMOVED, CHANGE_CHANGED } kind;
	uint64_t tag;
	uint32_t value, old_value;
	char shown[96];
};
bool release_diff(struct release_context *c, int64_t id, size_t limit,
		  void (*each)(void *arg, const struct release_change *v), void *arg, struct err *e) CHECKED;

/* Removes the objects that no release, delta or index in force names. The API does it now and then. */
bool release_sweep(struct release_context *c, int64_t now_s, struct err *e) CHECKED;

/* Everything published, as the next head's entries (owned by h; sequence and times are the caller's to fill). */
bool release_head_fill(struct release_context *c, struct head *h, struct err *e) CHECKED;
/* Objects that branches may ask for: contents, indexes and deltas of what is published. */
bool release_object_known(struct release_context *c, const uint8_t hash[HASH_LEN], bool *known,
			  struct err *e) CHECKED;
/* The secret of an epoch (for tags here, for sealing to branches). ERR_MISSING. */
bool release_epoch_load(struct release_context *c, uint32_t epoch, uint32_t *iterations, uint8_t secret[32],
			struct err *e) CHECKED;
/* The epoch of a list's tags, made when there is none. Inside a transaction. */
bool release_epoch_of(struct release_context *c, const char *list, int64_t now_s, uint32_t *epoch,
		      struct err *e) CHECKED;

#endif
