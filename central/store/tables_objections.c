#include "central/store/tables.h"

/* Never changed once released: a change is one more script. */
const char tables_objections[] =
	/* The newest counts. document: JSON, as imported. */
	"CREATE TABLE credit_rules (id INTEGER PRIMARY KEY, document TEXT NOT NULL, imported_by TEXT NOT NULL,"
	" imported_s BIGINT NOT NULL);"
	/* tag: rows_subject_tag. key: of the row, by which it is known again in a later file for the period; empty where the source has
	   none. field: \"\" the whole row. inputs: of scores that do without meanwhile, with commas between. rules: credit_rules, 0 built in.
	   state: enum objection_state. correction: sealed JSON, what was and what is. */
	"CREATE TABLE objection (id INTEGER PRIMARY KEY, tag BIGINT NOT NULL, masked TEXT NOT NULL, source TEXT NOT "
	"NULL,"
	" period TEXT NOT NULL, batch BIGINT NOT NULL REFERENCES batch (id), row BIGINT NOT NULL, key BLOB NOT NULL,"
	" field TEXT NOT NULL, why TEXT NOT NULL, hold INTEGER NOT NULL, inputs TEXT NOT NULL, rules BIGINT NOT NULL,"
	" state INTEGER NOT NULL, opened_by TEXT NOT NULL, opened_s BIGINT NOT NULL, due_day BIGINT NOT NULL,"
	" withdraw INTEGER NOT NULL, correction BLOB, proposed_by TEXT NOT NULL, proposed_s BIGINT NOT NULL,"
	" decided_by TEXT NOT NULL, decided_s BIGINT NOT NULL, decided_why TEXT NOT NULL,"
	" CHECK (state <> 3 OR proposed_by <> decided_by));"
	"CREATE INDEX objection_tag ON objection (tag);"
	"CREATE INDEX objection_open ON objection (due_day) WHERE state IN (1, 2);"
	/* What was left out of the inputs since it was under objection, with commas between. */
	"ALTER TABLE score_input ADD COLUMN held TEXT NOT NULL DEFAULT '';";

const char tables_report_requests[] =
	/* question: keyed hash of what was asked; day: as of which; number: of the report given last. */
	"CREATE TABLE report_request (branch TEXT NOT NULL, request BLOB NOT NULL, question BLOB NOT NULL,"
	" day BIGINT NOT NULL, number TEXT NOT NULL, made_s BIGINT NOT NULL, PRIMARY KEY (branch, request));";
