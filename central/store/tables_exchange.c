#include "central/store/tables.h"

/* Never changed once released: a change is one more script. */
const char tables_exchange[] =
	/* Kind and number of the subject, sealed as its inputs are; NULL in rows older than this script. */
	"ALTER TABLE score_input ADD COLUMN number BLOB;"
	/* direction: 1 push, 2 pull. kind, subject: enums of exchange.h. certificate, key, ca, subject_key: files. after: the last score that
	   is in exchange_out. batch: the one that is under way, 0 none. period, cursor: of the pull under way. */
	"CREATE TABLE exchange (name TEXT PRIMARY KEY, url TEXT NOT NULL, certificate TEXT NOT NULL, key TEXT NOT "
	"NULL,"
	" ca TEXT NOT NULL, direction INTEGER NOT NULL, kind INTEGER NOT NULL, what TEXT NOT NULL, subject INTEGER "
	"NOT NULL,"
	" subject_key TEXT NOT NULL, after BIGINT NOT NULL, batch_max BIGINT NOT NULL, batch BIGINT NOT NULL, "
	"batches "
	"BIGINT NOT NULL,"
	" tries BIGINT NOT NULL, next_s BIGINT NOT NULL, period TEXT NOT NULL, cursor TEXT NOT NULL, pages BIGINT "
	"NOT "
	"NULL,"
	" asked_by TEXT NOT NULL, ok_s BIGINT NOT NULL, fault TEXT NOT NULL, created_by TEXT NOT NULL, created_s "
	"BIGINT NOT NULL,"
	" ended_s BIGINT NOT NULL);"
	/* body: one line of JSON, \"\" once it was taken. state: enum exchange_state. */
	"CREATE TABLE exchange_out (id INTEGER PRIMARY KEY, exchange TEXT NOT NULL REFERENCES exchange (name), key "
	"TEXT NOT NULL,"
	" body TEXT NOT NULL, state INTEGER NOT NULL, batch BIGINT NOT NULL, tries BIGINT NOT NULL, fault TEXT NOT "
	"NULL,"
	" made_s BIGINT NOT NULL, done_s BIGINT NOT NULL, UNIQUE (exchange, key));"
	"CREATE INDEX exchange_out_state ON exchange_out (exchange, state, id);"
	/* Pages of the pull under way, sealed. */
	"CREATE TABLE exchange_page (exchange TEXT NOT NULL REFERENCES exchange (name), page BIGINT NOT NULL, sealed "
	"BLOB NOT NULL,"
	" PRIMARY KEY (exchange, page));";
