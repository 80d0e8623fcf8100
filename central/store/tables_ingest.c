#include "central/store/tables.h"

/* Never changed once released: a change is one more script. */
const char tables_ingest[] =
	"CREATE TABLE source (code TEXT NOT NULL, version BIGINT NOT NULL, department TEXT NOT NULL, department_zh "
	"TEXT "
	"NOT NULL,"
	" department_en TEXT NOT NULL, category TEXT NOT NULL, category_zh TEXT NOT NULL, category_en TEXT NOT NULL,"
	" indicator TEXT NOT NULL, indicator_zh TEXT NOT NULL, indicator_en TEXT NOT NULL, owner TEXT NOT NULL,"
	" cadence INTEGER NOT NULL, drop_percent INTEGER NOT NULL, due_day INTEGER NOT NULL, sample INTEGER NOT NULL,"
	" schema TEXT NOT NULL, created_by TEXT NOT NULL, created_s BIGINT NOT NULL, PRIMARY KEY (code, version));"
	/* intake: intake_state as JSON. period: 2026-10. as_of: the claimed day. content_to: what the content shows; NULL nothing.
	   phase: slices of the finish that are done. held: bits of enum batch_hold. */
	"CREATE TABLE batch (id INTEGER PRIMARY KEY, source TEXT NOT NULL, source_version BIGINT NOT NULL, period "
	"TEXT "
	"NOT NULL,"
	" state INTEGER NOT NULL, file TEXT NOT NULL, format INTEGER NOT NULL, size BIGINT NOT NULL, sha256 BLOB NOT "
	"NULL,"
	" as_of TEXT NOT NULL, intake TEXT NOT NULL, accepted BIGINT NOT NULL, rejected BIGINT NOT NULL,"
	" duplicates BIGINT NOT NULL, kept BIGINT NOT NULL, kept_bytes BIGINT NOT NULL, content_to BIGINT,"
	" phase BIGINT NOT NULL, held BIGINT NOT NULL, created_by TEXT NOT NULL, created_s BIGINT NOT NULL,"
	" finished_s BIGINT NOT NULL, decided_by TEXT NOT NULL, decided_s BIGINT NOT NULL, decided_why TEXT NOT NULL,"
	" FOREIGN KEY (source, source_version) REFERENCES source (code, version));"
	/* One that counts for a period. */
	"CREATE UNIQUE INDEX batch_current ON batch (source, period) WHERE state = 4;"
	"CREATE INDEX batch_period ON batch (source, period);"
	/* Records sealed by the block. tags: of each record its row, its subject's tag, its key's hash. */
	"CREATE TABLE batch_block (batch BIGINT NOT NULL REFERENCES batch (id), first_row BIGINT NOT NULL, tags BLOB "
	"NOT "
	"NULL,"
	" sealed BLOB NOT NULL, PRIMARY KEY (batch, first_row));"
	/* Sorted (tag, row) by the block, to find a subject's records. */
	"CREATE TABLE batch_index (batch BIGINT NOT NULL REFERENCES batch (id), seq BIGINT NOT NULL, first_tag "
	"BIGINT "
	"NOT NULL,"
	" last_tag BIGINT NOT NULL, entries BLOB NOT NULL, PRIMARY KEY (batch, seq));"
	"CREATE INDEX batch_index_tag ON batch_index (batch, first_tag);"
	/* raw: the row as it came, sealed; empty for a key given twice, whose record stands in its block. */
	"CREATE TABLE batch_reject (batch BIGINT NOT NULL REFERENCES batch (id), row BIGINT NOT NULL, faults BLOB "
	"NOT "
	"NULL,"
	" raw BLOB NOT NULL, PRIMARY KEY (batch, row));"
	/* Subjects that stand for another, or are stood for; of all others nothing is kept but their records. tag: rows_subject_tag.
	   sealed: the identifier. */
	"CREATE TABLE subject (tag BIGINT PRIMARY KEY, kind INTEGER NOT NULL, sealed BLOB NOT NULL);"
	"CREATE TABLE subject_alias (id INTEGER PRIMARY KEY, alias BIGINT NOT NULL REFERENCES subject (tag), root "
	"BIGINT "
	"NOT NULL"
	" REFERENCES subject (tag), why TEXT NOT NULL, created_by TEXT NOT NULL, created_s BIGINT NOT NULL, ended_by "
	"TEXT, ended_s BIGINT);"
	"CREATE UNIQUE INDEX subject_alias_live ON subject_alias (alias) WHERE ended_s IS NULL;"
	"CREATE INDEX subject_alias_root ON subject_alias (root);"
	"CREATE TABLE subject_read (id INTEGER PRIMARY KEY, tag BIGINT NOT NULL, time_s BIGINT NOT NULL, who TEXT "
	"NOT "
	"NULL, purpose TEXT NOT NULL);"
	"CREATE INDEX subject_read_tag ON subject_read (tag);";
