#include "firmware/state.h"
#include "protocol/base/file.h"

#include <stdio.h>

/* Scripts are never changed once released: a change is one more script. */
static const char *const SCRIPTS[] = {
	/* 1: state, lists, documents, journal */
	META_TABLE
	/* A list: what is in force, and what the newest believed head said of it. */
	"CREATE TABLE list (name TEXT PRIMARY KEY, version INTEGER NOT NULL, count INTEGER NOT NULL,"
	" epoch INTEGER NOT NULL, fingerprint BLOB NOT NULL, hash BLOB NOT NULL, confirmed_s INTEGER NOT "
	"NULL,"
	" canary_hit INTEGER NOT NULL, canary_miss INTEGER NOT NULL) WITHOUT ROWID;"
	/* Its files: at 0 the base, above it the deltas, oldest first. */
	"CREATE TABLE list_layer (name TEXT NOT NULL REFERENCES list(name) ON DELETE CASCADE, place INTEGER "
	"NOT NULL,"
	" hash BLOB NOT NULL, size_bytes INTEGER NOT NULL, PRIMARY KEY (name, place)) WITHOUT ROWID;"
	"CREATE TABLE epoch_key (epoch INTEGER PRIMARY KEY, iterations INTEGER NOT NULL, secret BLOB NOT "
	"NULL);"
	"CREATE TABLE document (name TEXT PRIMARY KEY, version INTEGER NOT NULL, bytes BLOB NOT NULL) "
	"WITHOUT ROWID;"
	"CREATE TABLE journal (seq INTEGER PRIMARY KEY, time_s INTEGER NOT NULL, row BLOB NOT NULL,"
	" hash BLOB NOT NULL, decision BLOB, terminal TEXT, request_id TEXT, request_hash BLOB);"
	"CREATE UNIQUE INDEX journal_decision ON journal (decision) WHERE decision IS NOT NULL;"
	"CREATE UNIQUE INDEX journal_request ON journal (terminal, request_id) WHERE request_id IS NOT NULL;"
	/* One row. base: the row before the first kept one; acknowledged: what central has proven to hold. */
	"CREATE TABLE journal_state (only INTEGER PRIMARY KEY CHECK (only = 1), epoch BLOB NOT NULL, key "
	"BLOB NOT NULL,"
	" base_seq INTEGER NOT NULL, base_hash BLOB NOT NULL,"
	" acknowledged_seq INTEGER NOT NULL, acknowledged_hash BLOB NOT NULL);",
	/* 2: terminals. token_hash is empty for one that shows a certificate, and once it is revoked. */
	"CREATE TABLE terminal (name TEXT PRIMARY KEY, token_hash BLOB NOT NULL, by_certificate INTEGER NOT NULL,"
	" enabled INTEGER NOT NULL, added_s INTEGER NOT NULL, revoked_s INTEGER NOT NULL) WITHOUT ROWID;",
	/* 3: when a document was last said to be the one in force; -1 never */
	"ALTER TABLE document ADD COLUMN confirmed_s INTEGER NOT NULL DEFAULT -1;",
	/* 4: scans to be looked at again. code: enum scan_code of the second look, 0 none yet; identity is sealed. */
	"CREATE TABLE duty (scan BLOB PRIMARY KEY, terminal TEXT NOT NULL, opened_s INTEGER NOT NULL,"
	" identity BLOB NOT NULL, code INTEGER NOT NULL, closed_s INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX duty_open ON duty (opened_s) WHERE code = 0;",
	/* 5: certificates' bodies, sealed under the vault, as is `named`, the identity. ends_s: the certificate's end or the consent's,
	   whichever is first. */
	"CREATE TABLE body (id INTEGER PRIMARY KEY, holder BLOB NOT NULL, identity BLOB NOT NULL, named BLOB NOT "
	"NULL,"
	" type TEXT NOT NULL, purpose TEXT NOT NULL, ends_s INTEGER NOT NULL, fetched_s INTEGER NOT NULL,"
	" used_s INTEGER NOT NULL, sealed BLOB NOT NULL, UNIQUE (identity, purpose));"
	"CREATE INDEX body_holder ON body (holder, type, purpose);"
	"CREATE INDEX body_used ON body (used_s, id);"
	"CREATE INDEX body_ends ON body (ends_s);",
};

struct db *state_open(const char *dir, struct err *e)
{
	char path[512];
	if (snprintf(path, sizeof(path), "%s/branch.db", dir) >= (int)sizeof(path)) {
		err_set(e, ERR_INPUT, "the directory's name is too long: %.100s", dir);
		return NULL;
	}
	if (!file_make_dir(dir, e))
		return NULL;
	struct db *db = db_open(path, DB_WRITE, e);
	if (db == NULL)
		return NULL;
	if (db_migrate(db, SCRIPTS, sizeof(SCRIPTS) / sizeof(SCRIPTS[0]), e))
		return db;
	err_wrap(e, "%.100s", path);
	db_close(db);
	return NULL;
}
