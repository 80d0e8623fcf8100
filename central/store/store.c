#include "central/store/store.h"

#include "central/store/tables.h"
#include "protocol/base/file.h"

#include <stdio.h>

/* One script a change, never edited once released. What SQLite alone understands stays out: PostgreSQL is where central goes next. */
static const char *const scripts[] = {
	/* 1: operators, audit, releases */
	META_TABLE
	"CREATE TABLE audit (id INTEGER PRIMARY KEY, time_s BIGINT NOT NULL, operator TEXT NOT NULL, what TEXT NOT "
	"NULL,"
	" subject TEXT NOT NULL, detail TEXT NOT NULL);"
	"CREATE TABLE operator (name TEXT PRIMARY KEY, token_hash BLOB NOT NULL, created_s BIGINT NOT NULL, "
	"revoked_s BIGINT);"
	"CREATE TABLE epoch (epoch INTEGER PRIMARY KEY, list TEXT NOT NULL, iterations INTEGER NOT NULL, secret BLOB "
	"NOT NULL,"
	" created_s BIGINT NOT NULL);"
	"CREATE TABLE release (id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind INTEGER NOT NULL, state INTEGER NOT "
	"NULL,"
	" base_version BIGINT NOT NULL, version BIGINT NOT NULL, epoch BIGINT NOT NULL, forced INTEGER NOT NULL "
	"DEFAULT 0,"
	" created_by TEXT NOT NULL, created_s BIGINT NOT NULL, submitted_by TEXT, submitted_s BIGINT,"
	" decided_by TEXT, decided_s BIGINT, published_by TEXT, published_s BIGINT, source TEXT NOT NULL,"
	" format INTEGER NOT NULL, rows_read BIGINT NOT NULL, entries BIGINT NOT NULL, rejects BIGINT NOT NULL,"
	" ignored BIGINT NOT NULL, duplicates BIGINT NOT NULL, count BIGINT NOT NULL, base_count BIGINT NOT NULL,"
	" added BIGINT NOT NULL, removed BIGINT NOT NULL, changed BIGINT NOT NULL, fingerprint BLOB NOT NULL,"
	" content BLOB NOT NULL, content_chunks BLOB NOT NULL, content_size BIGINT NOT NULL,"
	" delta BLOB, delta_chunks BLOB, delta_size BIGINT NOT NULL DEFAULT 0,"
	" index_hash BLOB, index_chunks BLOB, index_size BIGINT, canary_hit BIGINT, canary_miss BIGINT,"
	" dropped INTEGER NOT NULL DEFAULT 0,"
	" CHECK (state NOT IN (3, 4) OR (decided_by IS NOT NULL AND decided_by <> created_by AND decided_by <> "
	"submitted_by)));"
	"CREATE UNIQUE INDEX release_published ON release (name, version) WHERE state = 4;"
	"CREATE INDEX release_content ON release (content);"
	"CREATE INDEX release_index ON release (index_hash);"
	"CREATE INDEX release_delta ON release (delta);"
	"CREATE TABLE reject (release INTEGER NOT NULL REFERENCES release (id), row BIGINT NOT NULL, field INTEGER "
	"NOT NULL,"
	" code TEXT NOT NULL, zh TEXT NOT NULL, en TEXT NOT NULL, raw BLOB NOT NULL);"
	"CREATE INDEX reject_release ON reject (release);"
	"CREATE TABLE shown (release INTEGER NOT NULL REFERENCES release (id), tag BIGINT NOT NULL, masked TEXT NOT "
	"NULL,"
	" PRIMARY KEY (release, tag));"
	"CREATE INDEX shown_tag ON shown (tag);"
	"CREATE TABLE delta (name TEXT NOT NULL, from_version BIGINT NOT NULL, to_version BIGINT NOT NULL, hash BLOB "
	"NOT NULL,"
	" chunks BLOB NOT NULL, size BIGINT NOT NULL, count_to BIGINT NOT NULL, fingerprint_to BLOB NOT NULL,"
	" PRIMARY KEY (name, from_version, to_version));"
	"CREATE INDEX delta_hash ON delta (hash);",
	/* 2: branches, journals, alarms */
	tables_line,
	/* 3: issuers and certificates */
	tables_registry,
	/* 4: scans as columns */
	tables_uses,
	/* 5: consents and bodies */
	tables_holdings,
	/* 6: 0, or when its box was opened */
	"ALTER TABLE branch ADD COLUMN tampered_s BIGINT NOT NULL DEFAULT 0;",
	/* 7: images of the appliance */
	tables_updates,
	/* 8: models and scores */
	tables_scores,
	/* 9: sources and batches of departments */
	tables_ingest,
	/* 10: subjects of carbon accounts who are one person */
	tables_carbon,
	/* 11: exchange with other platforms */
	tables_exchange,
	/* 12: outcomes of scores */
	tables_outcomes,
	/* 13: rules of credit reports, objections */
	tables_objections,
	/* 14: reports that branches asked for */
	tables_report_requests,
	/* 15: inputs of scores made of facts */
	tables_score_facts,
	/* 16: departments that send by themselves */
	tables_department,
	/* 17: real-time messages of departments */
	tables_messages,
	/* 18: superseded batches are erased by rule */
	tables_retention,
	/* 19: green ratings and colour labels */
	tables_green,
	/* 20: redemptions and pushed balances of carbon accounts */
	tables_redemptions,
};

struct db *store_open(const char *dir, struct err *e)
{
	char path[300];
	if (!file_make_dir(dir, e))
		return NULL;
	snprintf(path, sizeof(path), "%.280s/central.db", dir);
	struct db *db = db_open(path, DB_WRITE, e);
	if (db == NULL)
		return NULL;
	if (db_migrate(db, scripts, sizeof(scripts) / sizeof(scripts[0]), e))
		return db;
	db_close(db);
	return NULL;
}

bool audit_add(struct db *db, int64_t time_s, const char *operator, const char * what, const char *subject,
	       const char *detail, struct err *e)
{
	return db_run(db, e, "INSERT INTO audit (time_s, operator, what, subject, detail) VALUES (?, ?, ?, ?, ?)",
		      "itttt", time_s, operator, what, subject, detail);
}
