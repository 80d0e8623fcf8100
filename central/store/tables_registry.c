#include "central/store/tables.h"

/* Never changed once released: a change is one more script. */
const char tables_registry[] =
	/* kinds: codes with commas between, or "*". serial: the last one given out. */
	"CREATE TABLE issuer (code TEXT NOT NULL, profile TEXT NOT NULL, name_zh TEXT NOT NULL, name_en TEXT NOT "
	"NULL,"
	" kinds TEXT NOT NULL, serial BIGINT NOT NULL, created_s BIGINT NOT NULL, PRIMARY KEY (code));"
	/* sealed: the private half under a key of the signer's; NULL for one that signs elsewhere. NULL times are open. */
	"CREATE TABLE issuer_key (id INTEGER PRIMARY KEY, issuer TEXT NOT NULL REFERENCES issuer (code), kid TEXT "
	"NOT NULL,"
	" alg TEXT NOT NULL, der BLOB NOT NULL, sealed BLOB, from_s BIGINT, to_s BIGINT, compromised_s BIGINT,"
	" created_s BIGINT NOT NULL, UNIQUE (issuer, kid));"
	/* sealed: holder, names and number; cose and file: sealed too. tag: of its identity under the list's epoch. */
	"CREATE TABLE certificate (id TEXT PRIMARY KEY, issuer TEXT NOT NULL REFERENCES issuer (code), kind TEXT NOT "
	"NULL,"
	" status INTEGER NOT NULL, status_reason TEXT NOT NULL, status_by TEXT NOT NULL, status_s BIGINT NOT NULL,"
	" reinstate_by TEXT NOT NULL, issued_s BIGINT NOT NULL, to_s BIGINT, tag BIGINT NOT NULL, identity TEXT NOT "
	"NULL,"
	" holder BLOB NOT NULL, sealed BLOB NOT NULL, cose BLOB NOT NULL, media_type TEXT NOT NULL, file BLOB,"
	" file_size BIGINT NOT NULL, request_id TEXT UNIQUE, request_hash BLOB, supersedes TEXT NOT NULL);"
	"CREATE INDEX certificate_holder ON certificate (holder, kind);"
	"CREATE INDEX certificate_status ON certificate (status) WHERE status <> 0;";

const char tables_uses[] =
	"CREATE TABLE scan (epoch_id BIGINT NOT NULL, seq BIGINT NOT NULL, id BLOB NOT NULL, branch TEXT NOT NULL,"
	" time_s BIGINT NOT NULL, terminal TEXT NOT NULL, source TEXT NOT NULL, business TEXT NOT NULL, code INTEGER "
	"NOT NULL,"
	" outcome INTEGER NOT NULL, profile INTEGER NOT NULL, type TEXT NOT NULL, issuer TEXT NOT NULL, masked TEXT "
	"NOT NULL,"
	" PRIMARY KEY (epoch_id, seq), FOREIGN KEY (epoch_id, seq) REFERENCES journal_row (epoch_id, seq));"
	"CREATE INDEX scan_time ON scan (time_s);"
	"CREATE TABLE scan_recheck (epoch_id BIGINT NOT NULL, seq BIGINT NOT NULL, id BLOB NOT NULL, branch TEXT NOT "
	"NULL,"
	" time_s BIGINT NOT NULL, code INTEGER NOT NULL, list_version BIGINT NOT NULL,"
	" PRIMARY KEY (epoch_id, seq), FOREIGN KEY (epoch_id, seq) REFERENCES journal_row (epoch_id, seq));"
	"CREATE INDEX scan_recheck_id ON scan_recheck (id);"
	"CREATE TABLE scan_lookup (epoch_id BIGINT NOT NULL, seq BIGINT NOT NULL, branch TEXT NOT NULL, time_s "
	"BIGINT NOT NULL,"
	" terminal TEXT NOT NULL, holder_kind TEXT NOT NULL, masked TEXT NOT NULL, type TEXT NOT NULL, purpose TEXT "
	"NOT NULL,"
	" source TEXT NOT NULL, result INTEGER NOT NULL, given BIGINT NOT NULL,"
	" PRIMARY KEY (epoch_id, seq), FOREIGN KEY (epoch_id, seq) REFERENCES journal_row (epoch_id, seq));";

const char tables_holdings[] =
	/* holder: registry_holder_hash. Sets are texts with commas between, or "*". to_s INT64_MAX: until withdrawn. */
	"CREATE TABLE consent (id INTEGER PRIMARY KEY, holder BLOB NOT NULL, kinds TEXT NOT NULL, purposes TEXT NOT "
	"NULL,"
	" branches TEXT NOT NULL, from_s BIGINT NOT NULL, to_s BIGINT NOT NULL, created_by TEXT NOT NULL,"
	" created_s BIGINT NOT NULL);"
	"CREATE INDEX consent_holder ON consent (holder);"
	/* kind: 1 put, until_s the booking's end; 2 erase. */
	"CREATE TABLE prefetch (branch TEXT NOT NULL, seq BIGINT NOT NULL, kind INTEGER NOT NULL, certificate TEXT "
	"NOT "
	"NULL REFERENCES certificate (id), purpose TEXT NOT NULL, until_s BIGINT NOT NULL, PRIMARY KEY (branch, "
	"seq));"
	"CREATE INDEX prefetch_certificate ON prefetch (certificate);"
	"CREATE TABLE body_access (id INTEGER PRIMARY KEY, time_s BIGINT NOT NULL, branch TEXT NOT NULL, terminal "
	"TEXT "
	"NOT NULL,"
	" holder BLOB NOT NULL, kind TEXT NOT NULL, purpose TEXT NOT NULL, result INTEGER NOT NULL, given BIGINT NOT "
	"NULL);"
	"CREATE INDEX body_access_holder ON body_access (holder);";
