#include "central/store/tables.h"

/* Never changed once released: a change is one more script. */
const char tables_scores[] =
	/* hash: lower-case hex of the SHA-256 of document, which is canonical PMML. */
	"CREATE TABLE model (hash TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL, sample INTEGER "
	"NOT "
	"NULL, faults BIGINT NOT NULL, document BLOB NOT NULL, imported_by TEXT NOT NULL, imported_s BIGINT NOT "
	"NULL);"
	/* What a model is in a family. role: 1 champion, 2 challenger, 3 retired. */
	"CREATE TABLE model_role (family TEXT NOT NULL, hash TEXT NOT NULL REFERENCES model (hash), role INTEGER NOT "
	"NULL, set_by TEXT NOT NULL, set_s BIGINT NOT NULL, PRIMARY KEY (family, hash));"
	"CREATE UNIQUE INDEX model_champion ON model_role (family) WHERE role = 1;"
	/* subject: registry_holder_hash. inputs: sealed JSON, {\"field\":\"text as given\"}. oldest_day: days since 1970. */
	"CREATE TABLE score_input (id INTEGER PRIMARY KEY, family TEXT NOT NULL, subject BLOB NOT NULL, masked TEXT "
	"NOT "
	"NULL, inputs BLOB NOT NULL, oldest_day BIGINT NOT NULL, scored_by TEXT NOT NULL, scored_s BIGINT NOT NULL);"
	"CREATE INDEX score_input_subject ON score_input (subject);"
	/* value: shortest decimal, \"\" when there is none; result: JSON with everything said of it. */
	"CREATE TABLE score (id INTEGER PRIMARY KEY, input BIGINT NOT NULL REFERENCES score_input (id), hash TEXT "
	"NOT NULL "
	"REFERENCES model (hash), role INTEGER NOT NULL, value TEXT NOT NULL, result TEXT NOT NULL, UNIQUE (input, "
	"hash));";

const char tables_outcomes[] =
	/* How a subject that was scored in a month turned out. subject: as in score_input. bad: 0 or 1. */
	"CREATE TABLE score_outcome (family TEXT NOT NULL, subject BLOB NOT NULL, month TEXT NOT NULL, bad INTEGER "
	"NOT "
	"NULL,"
	" set_by TEXT NOT NULL, set_s BIGINT NOT NULL, PRIMARY KEY (family, subject, month));";

const char tables_score_facts[] =
	/* \"\": they came as a table; otherwise the released mapping, its version and the day. */
	"ALTER TABLE score_input ADD COLUMN made_by TEXT NOT NULL DEFAULT '';";
