#include "firmware/terminal.h"
#include "protocol/head.h"

#include <stdlib.h>
#include <string.h>

struct terminal {
	struct terminal_info info;
	uint8_t hash[HASH_LEN]; /* of the token; zero, which nothing hashes to, when there is none */
};

struct terminals {
	struct db *db; /* borrowed */
	size_t len;
	struct terminal all[TERMINALS_MAX];
};

static bool terminal_read(const struct db_query *q, struct terminal *t, struct err *e)
{
	struct bytes hash = db_bytes(q, 1);
	const char *name = db_text(q, 0);
	*t = (struct terminal){ .info = { .by_certificate = db_int(q, 2) != 0,
					  .enabled = db_int(q, 3) != 0,
					  .added_s = db_int(q, 4),
					  .revoked_s = db_int(q, 5) } };
	if (!name_is_valid(name) || (hash.len != 0 && hash.len != HASH_LEN))
		return err_set(e, ERR_IO, "terminals: a row is damaged");
	memcpy(t->info.name, name, strlen(name) + 1);
	if (hash.len == HASH_LEN)
		memcpy(t->hash, hash.data, HASH_LEN);
	return true;
}

static bool terminals_load(struct terminals *t, struct err *e)
{
	bool ok = false, row = false;
	struct db_query *q = db_query(t->db,
				      "SELECT name, token_hash, by_certificate, enabled, added_s, revoked_s"
				      " FROM terminal ORDER BY name",
				      e);
	if (q == NULL)
		return false;
	t->len = 0;
	while ((ok = db_next(q, &row, e)) && row) {
		ok = t->len < TERMINALS_MAX ? terminal_read(q, &t->all[t->len], e)
					    : err_set(e, ERR_FULL, "more than %d terminals", TERMINALS_MAX);
		if (!ok)
			break;
		t->len++;
	}
	db_finish(q);
	return ok;
}

struct terminals *terminals_open(struct db *db, struct err *e)
{
	struct terminals *t = calloc(1, sizeof(*t));
	if (t == NULL)
		abort();
	t->db = db;
	if (terminals_load(t, e))
		return t;
	terminals_close(t);
	return NULL;
}

void terminals_close(struct terminals *t)
{
	free(t);
}

/* Where it stands, or where it would have to. */
static size_t terminal_place(const struct terminals *t, const char *name, bool *there)
{
	size_t low = 0, high = t->len;
	*there = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(t->all[middle].info.name, name);
		*there |= order == 0;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool terminal_store(struct db *db, const struct terminal *t, struct err *e)
{
	const struct terminal_info *i = &t->info;
	bool hashed = i->enabled && !i->by_certificate;
	struct bytes hash = { hashed ? t->hash : NULL, hashed ? HASH_LEN : 0 };
	if (!db_begin(db, e))
		return false;
	if (db_run(db, e,
		   "INSERT INTO terminal (name, token_hash, by_certificate, enabled, added_s, revoked_s)"
		   " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET token_hash = "
		   "excluded.token_hash,"
		   " by_certificate = excluded.by_certificate, enabled = excluded.enabled,"
		   " added_s = excluded.added_s, revoked_s = excluded.revoked_s",
		   "tbiiii", i->name, hash, (int64_t)i->by_certificate, (int64_t)i->enabled, i->added_s,
		   i->revoked_s) &&
	    db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

static void token_new(const struct random *r, struct terminal *t, char token[TERMINAL_TOKEN_LEN + 1])
{
	uint8_t secret[TERMINAL_TOKEN_LEN / 2];
	r->fill(r->arg, secret, sizeof(secret));
	hex_encode(secret, sizeof(secret), token);
	explicit_bzero(secret, sizeof(secret));
	sha256(bytes_of(token), t->hash);
}

static bool terminal_addable(const struct terminals *t, const char *name, size_t at, bool there, struct err *e)
{
	if (!name_is_valid(name) || strcmp(name, TERMINAL_LOCAL) == 0)
		return err_set(e, ERR_INPUT, "name: 1 to %d of a-z, 0-9, _ and -, and not \"%s\"", NAME_MAX_LEN,
			       TERMINAL_LOCAL);
	if (there && t->all[at].info.enabled)
		return err_set(e, ERR_CONFLICT, "there is a terminal %s already", name);
	if (!there && t->len == TERMINALS_MAX)
		return err_set(e, ERR_FULL, "there are %d terminals already", TERMINALS_MAX);
	return true;
}

bool terminal_add(struct terminals *t, const char *name, bool by_certificate, int64_t now_s, const struct random *r,
		  char token[TERMINAL_TOKEN_LEN + 1], struct err *e)
{
	bool there;
	size_t at = terminal_place(t, name, &there);
	struct terminal new = { .info = { .enabled = true, .by_certificate = by_certificate, .added_s = now_s } };
	token[0] = '\0';
	if (!terminal_addable(t, name, at, there, e))
		return false;
	memcpy(new.info.name, name, strlen(name) + 1);
	if (!by_certificate)
		token_new(r, &new, token);
	if (!terminal_store(t->db, &new, e)) {
		explicit_bzero(token, TERMINAL_TOKEN_LEN + 1);
		return err_wrap(e, "terminal %s", name);
	}
	if (!there)
		memmove(&t->all[at + 1], &t->all[at], (t->len++ - at) * sizeof(new));
	t->all[at] = new;
	return true;
}

bool terminal_revoke(struct terminals *t, const char *name, int64_t now_s, struct err *e)
{
	bool there;
	size_t at = terminal_place(t, name, &there);
	if (!there)
		return err_set(e, ERR_MISSING, "there is no such terminal");
	struct terminal new = t->all[at];
	if (!new.info.enabled)
		return true;
	new.info.enabled = false;
	new.info.revoked_s = now_s;
	memset(new.hash, 0, sizeof(new.hash));
	if (!terminal_store(t->db, &new, e))
		return err_wrap(e, "terminal %s", name);
	t->all[at] = new;
	return true;
}

const char *terminal_of_token(const struct terminals *t, const char *token)
{
	uint8_t hash[HASH_LEN];
	const char *name = NULL;
	sha256(bytes_of(token), hash);
	for (size_t i = 0; i < t->len; i++)
		if (bytes_same_secret(t->all[i].hash, hash, HASH_LEN))
			name = t->all[i].info.name;
	return name;
}

const char *terminal_of_certificate(const struct terminals *t, const char *common_name)
{
	bool there;
	size_t at = terminal_place(t, common_name, &there);
	if (!there || !t->all[at].info.enabled || !t->all[at].info.by_certificate)
		return NULL;
	return t->all[at].info.name;
}

size_t terminals_len(const struct terminals *t)
{
	return t->len;
}

const struct terminal_info *terminals_at(const struct terminals *t, size_t i)
{
	return &t->all[i].info;
}
