/*
 * Invariants: who approved is neither who made nor who submitted (the table's CHECK says it too); a published version is the
 * former one plus one (a unique index); what is published was complete on disk before its row.
 */
#include "central/release/release.h"

#include "central/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD_ENTRIES      100U
#define GUARD_SHRINK_PARTS 50U /* 2 % */
#define GUARD_CHANGE_PARTS 20U /* 5 % */

static const struct {
	const char *en, *zh;
} states[] = {
	[RELEASE_DRAFT] = { "draft", "草稿" },         [RELEASE_SUBMITTED] = { "submitted", "待审批" },
	[RELEASE_APPROVED] = { "approved", "已批准" }, [RELEASE_PUBLISHED] = { "published", "已发布" },
	[RELEASE_REJECTED] = { "rejected", "已驳回" },
};

const char *release_state_name(enum release_state s)
{
	return states[s].en;
}

const char *release_state_zh(enum release_state s)
{
	return states[s].zh;
}

const char *release_family_of(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);
	return strncmp(name, prefix, len) == 0 && name[len] != '\0' ? name + len : NULL;
}

bool release_guard(const struct release *r, char *why, size_t size)
{
	uint64_t changes = r->added + r->removed + r->changed;
	if (size > 0)
		why[0] = '\0';
	if (r->kind == RELEASE_CENTRAL && r->import.rejects > 0) {
		snprintf(why, size, "lint found %llu faults in the model", (unsigned long long)r->import.rejects);
		return true;
	}
	if (r->kind != RELEASE_LIST)
		return false;
	if (r->count <= 1) {
		snprintf(why, size, "the list would be empty");
		return true;
	}
	if (r->base_version == 0)
		return false;
	if (r->removed > r->added && r->removed - r->added > GUARD_ENTRIES &&
	    (r->removed - r->added) * GUARD_SHRINK_PARTS > r->base_count) {
		snprintf(why, size, "the list would shrink from %llu to %llu entries, by more than 2 %%",
			 (unsigned long long)r->base_count, (unsigned long long)r->count);
		return true;
	}
	if (changes > GUARD_ENTRIES && changes * GUARD_CHANGE_PARTS > r->base_count) {
		snprintf(why, size, "%llu of %llu entries would change, more than 5 %%", (unsigned long long)changes,
			 (unsigned long long)r->base_count);
		return true;
	}
	return false;
}

static bool state_expect(const struct release *r, enum release_state want, struct err *e)
{
	return r->state == want || err_set(e, ERR_CONFLICT, "release %lld is %s, not %s", (long long)r->id,
					   release_state_name(r->state), release_state_name(want));
}

/* The list has not moved on since the draft was made. */
static bool fresh_expect(struct release_context *c, const struct release *r, struct err *e)
{
	struct release now;
	if (!release_current(c, r->name, &now, e))
		return false;
	return now.version == r->base_version || err_set(e, ERR_CONFLICT,
							 "release %lld was made against version %llu of %s, which "
							 "now has version %llu: import it again",
							 (long long)r->id, (unsigned long long)r->base_version,
							 r->name, (unsigned long long)now.version);
}

static bool finish(struct release_context *c, bool ok, struct err *e)
{
	if (ok && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

static bool step_audit(struct release_context *c, const struct release *r, const char *operator, const char * what,
		       const char *detail, int64_t now_s, struct err *e)
{
	char subject[NAME_MAX_LEN + 32];
	snprintf(subject, sizeof(subject), "%s/%lld", r->name, (long long)r->id);
	return audit_add(c->db, now_s, operator, what, subject, detail, e);
}

bool release_submit(struct release_context *c, int64_t id, const char *operator, bool force, int64_t now_s,
		    struct err *e)
{
	struct release r;
	char why[160];
	if (!db_begin(c->db, e))
		return false;
	bool ok = release_load(c, id, &r, e) && state_expect(&r, RELEASE_DRAFT, e) && fresh_expect(c, &r, e);
	bool implausible = ok && release_guard(&r, why, sizeof(why));
	if (implausible && !force)
		ok = err_set(e, ERR_DENIED, "%s: look at it; if it is right, submit it with force", why);
	ok = ok && db_run(c->db, e,
			  "UPDATE release SET state = 2, submitted_by = ?, submitted_s = ?, forced = ? WHERE id = ?",
			  "tiii", operator, now_s, (int64_t)implausible, id);
	ok = ok && step_audit(c, &r, operator, "release.submit", implausible ? why : "", now_s, e);
	return finish(c, ok, e);
}

static bool decide(struct release_context *c, int64_t id, const char *operator, enum release_state to, int64_t now_s,
		   struct err *e)
{
	struct release r;
	if (!db_begin(c->db, e))
		return false;
	bool ok = release_load(c, id, &r, e) && state_expect(&r, RELEASE_SUBMITTED, e);
	if (ok && (strcmp(operator, r.created_by) == 0 || strcmp(operator, r.submitted_by) == 0))
		ok = err_set(e, ERR_DENIED,
			     "%s made or submitted release %lld: someone else must decide", operator,(long long) id);
	ok = ok && db_run(c->db, e, "UPDATE release SET state = ?, decided_by = ?, decided_s = ? WHERE id = ?",
			  "itii", (int64_t)to, operator, now_s, id);
	ok = ok &&
	     step_audit(c, &r, operator, to == RELEASE_APPROVED ? "release.approve" : "release.reject", "", now_s, e);
	return finish(c, ok, e);
}

bool release_approve(struct release_context *c, int64_t id, const char *operator, int64_t now_s, struct err *e)
{
	return decide(c, id, operator, RELEASE_APPROVED, now_s, e);
}

bool release_reject(struct release_context *c, int64_t id, const char *operator, int64_t now_s, struct err *e)
{
	return decide(c, id, operator, RELEASE_REJECTED, now_s, e);
}

/* What can't be published any more, and contents too old to roll back to. Their files go when the objects are swept. */
static bool contents_drop(struct release_context *c, const struct release *r, struct err *e)
{
	int64_t kept = r->kind == RELEASE_LIST && r->version > RELEASE_SNAPSHOTS_KEPT
			       ? (int64_t)r->version - RELEASE_SNAPSHOTS_KEPT
			       : 0;
	return db_run(c->db, e,
		      "UPDATE release SET dropped = 1 WHERE name = ? AND dropped = 0 AND state <> 4 AND id <> ? AND "
		      "version <= ?",
		      "tii", r->name, r->id, (int64_t)r->version) &&
	       db_run(c->db, e,
		      "UPDATE release SET dropped = 1 WHERE name = ? AND dropped = 0 AND state = 4 AND version <= ?",
		      "ti", r->name, kept);
}

static bool object_is_used(void *arg, const uint8_t hash[HASH_LEN])
{
	struct release_context *c = arg;
	int64_t n = 0;
	return !db_run_int(c->db, &n, NULL,
			   "SELECT (SELECT COUNT(*) FROM release WHERE content = ?1 AND dropped = 0)"
			   " + (SELECT COUNT(*) FROM release WHERE delta = ?1 AND dropped = 0 AND state <> 4)"
			   " + (SELECT COUNT(*) FROM release r WHERE index_hash = ?1 AND state = 4 AND version ="
			   " (SELECT MAX(m.version) FROM release m WHERE m.name = r.name AND m.state = 4))"
			   " + (SELECT COUNT(*) FROM delta WHERE hash = ?1)"
			   /* images that can still be published, and the one in force */
			   " + (SELECT COUNT(*) FROM update_image u JOIN release r ON r.id = u.release"
			   " WHERE u.hash = ?1 AND ((r.dropped = 0 AND r.state < 4) OR (r.state = 4 AND r.version ="
			   " (SELECT MAX(m.version) FROM release m WHERE m.name = r.name AND m.state = 4))))",
			   "b", (struct bytes){ hash, HASH_LEN }) ||
	       n > 0;
}

bool release_sweep(struct release_context *c, int64_t now_s, struct err *e)
{
	return objects_sweep(c->objects, now_s - RELEASE_GRACE_S, object_is_used, c, e);
}

/* What else publishing comes to. */
static bool publish_kind(struct release_context *c, const struct release *r, const char *operator, int64_t now_s,
			 struct err *e)
{
	if (r->kind == RELEASE_LIST)
		return list_publish(c, r, e);
	return release_family_of(r->name, RELEASE_MODEL) == NULL || r->kind != RELEASE_CENTRAL ||
	       model_publish(c, r, operator, now_s, e);
}

bool release_publish(struct release_context *c, int64_t id, const char *operator, int64_t now_s, struct err *e)
{
	struct release r;
	char detail[40];
	if (!db_begin(c->db, e))
		return false;
	bool ok = release_load(c, id, &r, e) && state_expect(&r, RELEASE_APPROVED, e) && fresh_expect(c, &r, e);
	ok = ok && publish_kind(c, &r, operator, now_s, e);
	snprintf(detail, sizeof(detail), "version %llu", (unsigned long long)r.version);
	ok = ok && db_run(c->db, e, "UPDATE release SET state = 4, published_by = ?, published_s = ? WHERE id = ?",
			  "tii", operator, now_s, id);
	ok = ok && contents_drop(c, &r, e) && step_audit(c, &r, operator, "release.publish", detail, now_s, e);
	return finish(c, ok, e);
}

bool release_object_known(struct release_context *c, const uint8_t hash[HASH_LEN], bool *known, struct err *e)
{
	struct bytes h = { hash, HASH_LEN };
	int64_t n = 0;
	if (!db_run_int(c->db, &n, e,
			"SELECT (SELECT COUNT(*) FROM release WHERE content = ?1 AND state = 4 AND dropped = 0 AND "
			"kind <> 3)"
			" + (SELECT COUNT(*) FROM release WHERE index_hash = ?1 AND state = 4)"
			" + (SELECT COUNT(*) FROM delta WHERE hash = ?1)"
			" + (SELECT COUNT(*) FROM update_image u JOIN release r ON r.id = u.release"
			" WHERE u.hash = ?1 AND r.state = 4)",
			"b", h))
		return false;
	*known = n > 0;
	return true;
}

static void ref_of(const struct db_query *q, int at, struct object_ref *ref)
{
	struct bytes hash = db_bytes(q, at), chunks = db_bytes(q, at + 1);
	if (hash.len == HASH_LEN)
		memcpy(ref->hash, hash.data, HASH_LEN);
	if (chunks.len == HASH_LEN)
		memcpy(ref->chunks_hash, chunks.data, HASH_LEN);
	ref->size = (uint64_t)db_int(q, at + 2);
}

static void head_entry_of(const struct db_query *q, struct head_entry *n)
{
	*n = (struct head_entry){ .kind = (enum head_kind)db_int(q, 1), .version = (uint64_t)db_int(q, 2) };
	snprintf(n->name, sizeof(n->name), "%s", db_text(q, 0));
	ref_of(q, 3, &n->object);
	if (n->kind != HEAD_LIST)
		return;
	ref_of(q, 6, &n->index);
	n->epoch = (uint32_t)db_int(q, 9);
	n->count = (uint64_t)db_int(q, 10);
	struct bytes fingerprint = db_bytes(q, 11);
	if (fingerprint.len == FINGERPRINT_BYTES)
		memcpy(n->fingerprint, fingerprint.data, FINGERPRINT_BYTES);
	n->canary_hit = (uint64_t)db_int(q, 12);
	n->canary_miss = (uint64_t)db_int(q, 13);
	n->forced_version = (uint64_t)db_int(q, 14);
}

bool release_head_fill(struct release_context *c, struct head *h, struct err *e)
{
	struct db_query *q =
		db_query(c->db,
			 "SELECT name, kind, version, content, content_chunks, content_size, "
			 "index_hash, index_chunks, index_size, epoch,"
			 " count, fingerprint, canary_hit, canary_miss,"
			 " (SELECT COALESCE(MAX(f.version), 0) FROM release f WHERE f.name = r.name AND "
			 "f.state = 4 AND f.forced = 1)"
			 " FROM release r WHERE state = 4 AND kind <> 3 AND version = (SELECT MAX(m.version) FROM "
			 "release m WHERE m.name = r.name AND m.state = 4)"
			 " ORDER BY name",
			 e);
	bool row = false, ok = false;
	if (q == NULL)
		return false;
	h->entries = calloc(HEAD_ENTRIES_MAX, sizeof(*h->entries));
	h->entries_len = 0;
	if (h->entries == NULL)
		abort();
	while ((ok = db_next(q, &row, e)) && row) {
		if (h->entries_len == HEAD_ENTRIES_MAX) {
			ok = err_set(e, ERR_FULL, "more than %d lists and documents are published", HEAD_ENTRIES_MAX);
			break;
		}
		head_entry_of(q, &h->entries[h->entries_len++]);
	}
	db_finish(q);
	if (!ok)
		head_clear(h);
	return ok;
}

static struct bytes epoch_context(uint32_t epoch, char text[32])
{
	snprintf(text, 32, "xb/1/vault/epoch/%u", epoch);
	return bytes_of(text);
}

bool release_epoch_load(struct release_context *c, uint32_t epoch, uint32_t *iterations, uint8_t secret[32],
			struct err *e)
{
	struct db_query *q = db_query(c->db, "SELECT iterations, secret FROM epoch WHERE epoch = ?", e);
	struct buf plain;
	char context[32];
	bool row = false, ok = false;
	if (q == NULL)
		return false;
	buf_init(&plain, 64);
	if (!db_bind_int(q, 1, epoch, e) || !db_next(q, &row, e))
		goto out;
	if (!row) {
		err_set(e, ERR_MISSING, "there is no epoch %u", epoch);
		goto out;
	}
	*iterations = (uint32_t)db_int(q, 0);
	if (!aead_open(c->vault_key, epoch_context(epoch, context), db_bytes(q, 1), &plain, e) || plain.len != 32)
		goto out;
	memcpy(secret, plain.data, 32);
	explicit_bzero(plain.data, plain.len);
	ok = true;
out:
	db_finish(q);
	buf_clear(&plain);
	return ok;
}

bool release_epoch_of(struct release_context *c, const char *list, int64_t now_s, uint32_t *epoch, struct err *e)
{
	int64_t n = 0;
	struct err missing;
	if (db_run_int(c->db, &n, &missing, "SELECT epoch FROM epoch WHERE list = ? ORDER BY epoch DESC LIMIT 1", "t",
		       list)) {
		*epoch = (uint32_t)n;
		return true;
	}
	if (missing.code != ERR_MISSING)
		return err_set(e, missing.code, "%s", missing.text);
	uint8_t secret[32];
	char context[32];
	struct buf sealed;
	if (!db_run_int(c->db, &n, e, "SELECT COALESCE(MAX(epoch), 0) + 1 FROM epoch", ""))
		return false;
	*epoch = (uint32_t)n;
	buf_init(&sealed, 128);
	c->random->fill(c->random->arg, secret, sizeof(secret));
	bool ok = aead_seal(c->vault_key, c->random, epoch_context(*epoch, context), (struct bytes){ secret, 32 },
			    &sealed, e) &&
		  db_run(c->db, e,
			 "INSERT INTO epoch (epoch, list, iterations, secret, created_s) VALUES (?, ?, 1, ?, ?)",
			 "itbi", n, list, buf_bytes(&sealed), now_s);
	explicit_bzero(secret, sizeof(secret));
	buf_clear(&sealed);
	return ok;
}
