#include "central/store/tables.h"

/* Never changed once released: a change is one more script. */
const char tables_department[] =
	"CREATE TABLE department_certificate (name TEXT PRIMARY KEY, department TEXT NOT NULL, token_hash BLOB NOT "
	"NULL UNIQUE,"
	" made_s BIGINT NOT NULL, expires_s BIGINT NOT NULL, request BLOB, certificate BLOB, serial TEXT NOT NULL,"
	" enrolled_s BIGINT NOT NULL, revoked_s BIGINT NOT NULL);";

const char tables_messages[] =
	/* growing: 1 while the day goes on that a batch is made of messages on. */
	"ALTER TABLE batch ADD COLUMN growing INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX batch_growing ON batch (period) WHERE growing = 1;"
	/* What each message was answered with. */
	"CREATE TABLE batch_message (source TEXT NOT NULL, id TEXT NOT NULL, batch BIGINT NOT NULL REFERENCES batch "
	"(id),"
	" sender TEXT NOT NULL, hash BLOB NOT NULL, answer TEXT NOT NULL, time_s BIGINT NOT NULL, PRIMARY KEY "
	"(source, "
	"id));"
	/* Hashes of the keys of a batch that grows. */
	"CREATE TABLE batch_key (batch BIGINT NOT NULL REFERENCES batch (id), high BIGINT NOT NULL, low BIGINT NOT "
	"NULL, PRIMARY KEY (batch, high, low));";

const char tables_retention[] =
	/* 0: not (yet). */
	"ALTER TABLE batch ADD COLUMN superseded_s BIGINT NOT NULL DEFAULT 0;"
	"ALTER TABLE batch ADD COLUMN erased_s BIGINT NOT NULL DEFAULT 0;"
	"ALTER TABLE source ADD COLUMN keep_days BIGINT NOT NULL DEFAULT 0;"
	/* By what came next and counted, or was held in its place. */
	"UPDATE batch SET superseded_s = coalesce((SELECT min(CASE WHEN n.decided_s > n.finished_s THEN n.decided_s "
	"ELSE n.finished_s END)"
	" FROM batch n WHERE n.source = batch.source AND n.period = batch.period AND n.id > batch.id"
	" AND n.state IN (3, 4, 5)), finished_s) WHERE state = 5;";
