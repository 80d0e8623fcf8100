#include "central/registry/revocation.h"

#include "central/registry/registry.h"
#include "protocol/base/meta.h"

#include <stdlib.h>
#include <string.h>

/* How often the registry changed what the list should say, and of which of these the published list speaks. */
#define KEY_CHANGED   "revocation.changed"
#define KEY_PUBLISHED "revocation.published"

static bool count_get(struct db *db, const char *key, int64_t *n, struct err *e)
{
	struct err why = { 0 };
	*n = 0;
	return meta_get_int(db, key, n, &why) || why.code == ERR_MISSING || err_set(e, why.code, "%s", why.text);
}

bool revocation_changed(struct db *db, struct err *e)
{
	int64_t n;
	return count_get(db, KEY_CHANGED, &n, e) && meta_put_int(db, KEY_CHANGED, n + 1, e);
}

bool revocation_key(struct release_context *c, int64_t now_s, struct tag_key *key, struct err *e)
{
	uint32_t epoch, iterations;
	uint8_t secret[32];
	if (!release_epoch_of(c, ECERT_LIST, now_s, &epoch, e) ||
	    !release_epoch_load(c, epoch, &iterations, secret, e))
		return false;
	tag_key_init(key, epoch, iterations, secret);
	explicit_bzero(secret, sizeof(secret));
	return true;
}

bool revocation_tag(struct release_context *c, const struct identifier *identity, int64_t now_s, uint64_t *tag,
		    struct err *e)
{
	struct tag_key key;
	if (!revocation_key(c, now_s, &key, e))
		return false;
	*tag = tag_of(&key, identity);
	tag_key_wipe(&key);
	return true;
}

/* All that is listed, sorted. Owned by the caller. */
static bool entries_load(struct db *db, struct entry **entries, size_t *len, struct err *e)
{
	int64_t count = 0;
	bool row = false, ok;
	if (!db_run_int(db, &count, e, "SELECT COUNT(*) FROM certificate WHERE status <> 0", ""))
		return false;
	if (count >= LIST_ENTRIES_MAX)
		return err_set(e, ERR_FULL, "more than %u certificates are not valid", LIST_ENTRIES_MAX);
	*entries = calloc((size_t)count + 1, sizeof(**entries));
	if (*entries == NULL)
		abort();
	struct db_query *q = db_query(db, "SELECT tag, status FROM certificate WHERE status <> 0", e);
	if (q == NULL)
		return false;
	*len = 0;
	while ((ok = db_next(q, &row, e)) && row && *len < (size_t)count)
		(*entries)[(*len)++] =
			(struct entry){ (uint64_t)db_int(q, 0), entry_value((uint8_t)db_int(q, 1), ENTRY_NO_END) };
	db_finish(q);
	entry_sort(*entries, *len);
	return ok;
}

static bool draft_make(struct release_context *c, int64_t now_s, int64_t *id, struct err *e)
{
	struct release r = { .kind = RELEASE_LIST, .created_s = now_s };
	struct draft_content content = { 0 };
	struct entry *entries = NULL;
	memcpy(r.name, ECERT_LIST, sizeof(ECERT_LIST));
	memcpy(r.source, "registry", sizeof("registry"));
	memcpy(r.created_by, "(registry)", sizeof("(registry)"));
	bool ok = release_epoch_of(c, ECERT_LIST, now_s, &r.epoch, e) &&
		  entries_load(c->db, &entries, &content.entries_len, e);
	content.entries = entries;
	ok = ok && list_draft_store(c, &r, &content, e);
	free(entries);
	*id = r.id;
	return ok;
}

/* Forced: the registry is what the list is made from, however much of it changes. */
static bool release_all(struct release_context *c, int64_t id, int64_t now_s, struct err *e)
{
	return release_submit(c, id, "(registry)", true, now_s, e) &&
	       release_approve(c, id, REGISTRY_OPERATOR, now_s, e) &&
	       release_publish(c, id, REGISTRY_OPERATOR, now_s, e);
}

bool revocation_publish(struct release_context *c, int64_t now_s, bool *published, struct err *e)
{
	struct release now;
	int64_t changed, done, id = 0;
	*published = false;
	if (!count_get(c->db, KEY_CHANGED, &changed, e) || !count_get(c->db, KEY_PUBLISHED, &done, e) ||
	    !release_current(c, ECERT_LIST, &now, e))
		return false;
	if (changed == done && now.version > 0)
		return true;
	if (!db_begin(c->db, e))
		return false;
	if (!draft_make(c, now_s, &id, e) || !db_commit(c->db, e)) {
		db_rollback(c->db);
		return false;
	}
	if (!release_all(c, id, now_s, e))
		return false;
	/* A crash before this publishes the same once more. */
	if (!db_begin(c->db, e))
		return false;
	if (!meta_put_int(c->db, KEY_PUBLISHED, changed, e) || !db_commit(c->db, e)) {
		db_rollback(c->db);
		return false;
	}
	*published = true;
	return true;
}
