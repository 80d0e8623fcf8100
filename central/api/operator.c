#include "central/centrald.h"
#include "central/exchange/exchange.h"
#include "central/registry/registry.h"
#include "central/store/store.h"

#include <stdio.h>
#include <string.h>

#define TOKEN_BYTES 32

static bool operator_store(struct db *db, const char *name, const char *token, int64_t now_s, struct err *e)
{
	uint8_t hash[HASH_LEN];
	int64_t there = 0;
	sha256(bytes_of(token), hash);
	if (!db_run_int(db, &there, e, "SELECT COUNT(*) FROM operator WHERE name = ?", "t", name))
		return false;
	if (there > 0)
		return err_set(e, ERR_CONFLICT, "there is, or was, an operator %s: names are not used twice", name);
	return db_run(db, e, "INSERT INTO operator (name, token_hash, created_s) VALUES (?, ?, ?)", "tbi", name,
		      (struct bytes){ hash, HASH_LEN }, now_s) &&
	       audit_add(db, now_s, "(local)", "operator.add", name, "", e);
}

static bool in_transaction(struct db *db, bool begun, bool ok, struct err *e)
{
	if (begun && ok && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

static bool operator_add(struct api_call *call, struct err *e)
{
	struct db *db = call->central->release.db;
	const struct random *r = call->central->release.random;
	uint8_t secret[TOKEN_BYTES];
	char token[2 * TOKEN_BYTES + 1];
	const char *name = call->path_rest;
	if (strcmp(name, REGISTRY_OPERATOR) == 0)
		return err_set(e, ERR_INPUT, "%s approves what the registry releases: no operator is called so",
			       name);
	if (strcmp(name, EXCHANGE_OPERATOR) == 0)
		return err_set(e, ERR_INPUT, "%s lands what comes from other platforms: no operator is called so",
			       name);
	if (!name_is_valid(name))
		return err_set(e, ERR_INPUT, "an operator's name is made of a-z, 0-9, - and _, at most %d of them",
			       NAME_MAX_LEN);
	r->fill(r->arg, secret, sizeof(secret));
	hex_encode(secret, sizeof(secret), token);
	bool begun = db_begin(db, e);
	if (!in_transaction(db, begun, begun && operator_store(db, name, token, call->now_s, e), e))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, "name", name);
	json_put_text(&call->json, "token", token);
	json_close(&call->json, '}');
	return true;
}

static bool operator_revoke(struct api_call *call, struct err *e)
{
	struct db *db = call->central->release.db;
	bool begun = db_begin(db, e);
	bool ok = begun && db_run(db, e, "UPDATE operator SET revoked_s = ? WHERE name = ? AND revoked_s IS NULL",
				  "it", call->now_s, call->path_rest);
	if (ok && db_changes(db) == 0)
		ok = err_set(e, ERR_MISSING, "there is no operator %.40s, or it was revoked already",
			     call->path_rest);
	ok = ok && audit_add(db, call->now_s, "(local)", "operator.revoke", call->path_rest, "", e);
	if (!in_transaction(db, begun, ok, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, "name", call->path_rest);
	json_close(&call->json, '}');
	return true;
}

static bool operator_list(struct api_call *call, struct err *e)
{
	struct db_query *q =
		db_query(call->central->release.db,
			 "SELECT name, created_s, COALESCE(revoked_s, 0) FROM operator ORDER BY name", e);
	bool row = false, ok = false;
	if (q == NULL)
		return false;
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "operators", '[');
	while ((ok = db_next(q, &row, e)) && row) {
		json_open(&call->json, NULL, '{');
		json_put_text(&call->json, "name", db_text(q, 0));
		json_put_int(&call->json, "created_s", db_int(q, 1));
		json_put_int(&call->json, "revoked_s", db_int(q, 2));
		json_close(&call->json, '}');
	}
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	db_finish(q);
	return ok;
}

static bool audit_list(struct api_call *call, struct err *e)
{
	int64_t limit = 0;
	bool row = false, ok = false;
	if (!api_query_int(call, "limit", 1, 10000, 50, &limit, e))
		return false;
	struct db_query *q =
		db_query(call->central->release.db,
			 "SELECT time_s, operator, what, subject, detail FROM audit ORDER BY id DESC LIMIT ?", e);
	if (q == NULL)
		return false;
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "audit", '[');
	ok = db_bind_int(q, 1, limit, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		static const char *const keys[] = { "operator", "what", "subject", "detail" };
		json_open(&call->json, NULL, '{');
		json_put_int(&call->json, "time_s", db_int(q, 0));
		for (int i = 0; i < 4; i++)
			json_put_text(&call->json, keys[i], db_text(q, i + 1));
		json_close(&call->json, '}');
	}
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	db_finish(q);
	return ok;
}

const struct api_route api_operator_routes[] = {
	{ "GET", "/v1/operators", false, operator_list },
	{ "POST", "/v1/operators/%", false, operator_add },
	{ "DELETE", "/v1/operators/%", false, operator_revoke },
	{ "GET", "/v1/audit", false, audit_list },
	{ 0 },
};
