#include "central/carbon/group.h"

#include "central/ingest/subject.h"
#include "central/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bytes hash_bytes(const uint8_t hash[HASH_LEN])
{
	return (struct bytes){ hash, HASH_LEN };
}

/* Of an alias, as of just before a time that is bound twice. */
#define STOOD "created_s < ? AND (ended_s = 0 OR ended_s >= ?)"

/* Into whom he was merged; *merged false: he stood for himself. */
static bool alias_find_at(struct carbon *c, const uint8_t holder[HASH_LEN], int64_t at_s, bool *merged,
			  uint8_t into[HASH_LEN], struct err *e)
{
	struct db_query *q =
		db_query(c->release->db, "SELECT target FROM carbon_alias WHERE holder = ? AND " STOOD, e);
	bool row = false;
	bool ok = q != NULL && db_bind_bytes(q, 1, hash_bytes(holder), e) && db_bind_int(q, 2, at_s, e) &&
		  db_bind_int(q, 3, at_s, e) && db_next(q, &row, e);
	*merged = ok && row && db_bytes(q, 0).len == HASH_LEN;
	if (*merged)
		memcpy(into, db_bytes(q, 0).data, HASH_LEN);
	db_finish(q);
	return ok;
}

static bool alias_find(struct carbon *c, const uint8_t holder[HASH_LEN], bool *merged, uint8_t into[HASH_LEN],
		       struct err *e)
{
	return alias_find_at(c, holder, INT64_MAX, merged, into, e);
}

static bool aliases_count(struct carbon *c, const uint8_t into[HASH_LEN], int64_t *n, struct err *e)
{
	return db_run_int(c->release->db, n, e, "SELECT COUNT(*) FROM carbon_alias WHERE target = ? AND ended_s = 0",
			  "b", hash_bytes(into));
}

/* Hashes found so far, each once. */
struct found {
	size_t len;
	uint8_t hashes[CARBON_GROUP_MAX][HASH_LEN];
};

static bool found_add(struct found *f, const uint8_t hash[HASH_LEN], struct err *e)
{
	for (size_t i = 0; i < f->len; i++)
		if (memcmp(f->hashes[i], hash, HASH_LEN) == 0)
			return true;
	if (f->len == CARBON_GROUP_MAX)
		return err_set(e, ERR_FULL, "at most %d subjects are one person", CARBON_GROUP_MAX);
	memcpy(f->hashes[f->len++], hash, HASH_LEN);
	return true;
}

/* Numbers that are one subject, by central/ingest/subject.h. */
static bool subjects_add(struct carbon *c, enum identifier_kind kind, const char *holder, int64_t at_s,
			 struct found *f, struct err *e)
{
	uint8_t hash[HASH_LEN];
	struct identifier id = { .kind = kind };
	struct subject_group *g = calloc(1, sizeof(*g));
	if (g == NULL)
		abort();
	snprintf(id.canonical, sizeof(id.canonical), "%s", holder);
	bool ok = subject_group_at(c->release, &id, at_s, g, e);
	for (size_t i = 0; ok && i < g->len; i++) {
		registry_holder_hash(c->release->vault_key, g->members[i].kind, g->members[i].canonical, hash);
		ok = found_add(f, hash, e);
	}
	explicit_bzero(g, sizeof(*g));
	explicit_bzero(&id, sizeof(id));
	free(g);
	return ok;
}

static bool merged_add(struct carbon *c, const uint8_t into[HASH_LEN], int64_t at_s, struct found *f, struct err *e)
{
	struct db_query *q = db_query(
		c->release->db, "SELECT holder FROM carbon_alias WHERE target = ? AND " STOOD " ORDER BY id", e);
	bool row = false;
	bool ok = q != NULL && db_bind_bytes(q, 1, hash_bytes(into), e) && db_bind_int(q, 2, at_s, e) &&
		  db_bind_int(q, 3, at_s, e);
	while (ok && (ok = db_next(q, &row, e)) && row)
		if (db_bytes(q, 0).len == HASH_LEN)
			ok = found_add(f, db_bytes(q, 0).data, e);
	db_finish(q);
	return ok;
}

static int hash_compare(const void *left, const void *right)
{
	return memcmp(left, right, HASH_LEN);
}

bool carbon_group_load(struct carbon *c, enum identifier_kind kind, const char *holder, struct carbon_group *g,
		       struct err *e)
{
	return carbon_group_at(c, kind, holder, INT64_MAX, g, e);
}

bool carbon_group_at(struct carbon *c, enum identifier_kind kind, const char *holder, int64_t at_s,
		     struct carbon_group *g, struct err *e)
{
	struct found f = { 0 };
	uint8_t into[HASH_LEN];
	bool merged = false, ok = subjects_add(c, kind, holder, at_s, &f, e);
	for (size_t i = 0; ok && i < f.len; i++)
		ok = alias_find_at(c, f.hashes[i], at_s, &merged, into, e) && (!merged || found_add(&f, into, e)) &&
		     merged_add(c, f.hashes[i], at_s, &f, e);
	/* Whichever of them was asked for, they are spent in the same order. */
	qsort(f.hashes, f.len, HASH_LEN, hash_compare);
	for (size_t i = 0; i < f.len; i++)
		g->accounts[i] = carbon_account(f.hashes[i]);
	g->len = f.len;
	return ok;
}

static bool merge_check(struct carbon *c, const uint8_t holder[HASH_LEN], const uint8_t into[HASH_LEN], struct err *e)
{
	bool merged = false;
	int64_t under = 0, group = 0;
	uint8_t other[HASH_LEN];
	if (memcmp(holder, into, HASH_LEN) == 0)
		return err_set(e, ERR_INPUT, "both are the same subject");
	if (!alias_find(c, holder, &merged, other, e) || !aliases_count(c, holder, &under, e) ||
	    !aliases_count(c, into, &group, e))
		return false;
	if (merged || under > 0)
		return err_set(e, ERR_CONFLICT,
			       "the subject is merged already, or others are merged into him: un-merge first");
	if (!alias_find(c, into, &merged, other, e))
		return false;
	if (merged)
		return err_set(e, ERR_CONFLICT, "into: he is merged himself; name the one he is merged into");
	return group + 1 < CARBON_GROUP_MAX ||
	       err_set(e, ERR_FULL, "at most %d subjects are one person", CARBON_GROUP_MAX);
}

static bool finish(struct carbon *c, bool ok, struct err *e)
{
	if (ok && db_commit(c->release->db, e))
		return true;
	db_rollback(c->release->db);
	return false;
}

static bool audit_subject(struct carbon *c, const char *what, const uint8_t holder[HASH_LEN], const uint8_t *into,
			  struct err *e)
{
	char from[33], to[33] = "";
	id128_format(carbon_account(holder), from);
	if (into != NULL)
		id128_format(carbon_account(into), to);
	return audit_add(c->release->db, c->now_s, c->operator, what, from, to, e);
}

bool carbon_merge(struct carbon *c, enum identifier_kind kind, const char *holder, enum identifier_kind into_kind,
		  const char *into, struct err *e)
{
	uint8_t from[HASH_LEN], to[HASH_LEN];
	registry_holder_hash(c->release->vault_key, kind, holder, from);
	registry_holder_hash(c->release->vault_key, into_kind, into, to);
	if (!merge_check(c, from, to, e) || !db_begin(c->release->db, e))
		return false;
	bool ok = db_run(c->release->db, e,
			 "INSERT INTO carbon_alias (holder, target, created_by, created_s, ended_by, ended_s)"
			 " VALUES (?, ?, ?, ?, '', 0)",
			 "bbti", hash_bytes(from), hash_bytes(to), c->operator, c->now_s) &&
		  audit_subject(c, "carbon.merge", from, to, e);
	return finish(c, ok, e);
}

bool carbon_unmerge(struct carbon *c, enum identifier_kind kind, const char *holder, struct err *e)
{
	uint8_t from[HASH_LEN];
	registry_holder_hash(c->release->vault_key, kind, holder, from);
	if (!db_begin(c->release->db, e))
		return false;
	bool ok = db_run(c->release->db, e,
			 "UPDATE carbon_alias SET ended_s = ?, ended_by = ? WHERE holder = ? AND ended_s = 0", "itb",
			 c->now_s, c->operator, hash_bytes(from));
	if (ok && db_changes(c->release->db) == 0)
		ok = err_set(e, ERR_MISSING, "the subject is not merged");
	return finish(c, ok && audit_subject(c, "carbon.unmerge", from, NULL, e), e);
}
