#include "central/store/tables.h"

/* Never changed once released: a change is one more script. */
const char tables_line[] =
	/* certificate NULL: a token was made, nobody came yet. epoch: the journal's, as last heard of. */
	"CREATE TABLE branch (name TEXT PRIMARY KEY, certificate BLOB, seal_key BLOB, enrolled_s BIGINT NOT NULL,"
	" revoked_s BIGINT NOT NULL, last_seen_s BIGINT NOT NULL, epoch BLOB,"
	" software TEXT NOT NULL, clock_s BIGINT NOT NULL, head_sequence BIGINT NOT NULL,"
	" journal_first BIGINT NOT NULL, journal_last BIGINT NOT NULL, checks BIGINT NOT NULL,"
	" faults BIGINT NOT NULL, status_s BIGINT NOT NULL);"
	"CREATE TABLE branch_list (branch TEXT NOT NULL REFERENCES branch (name), list TEXT NOT NULL,"
	" version BIGINT NOT NULL, hash BLOB NOT NULL, count BIGINT NOT NULL, confirmed_s BIGINT NOT NULL,"
	" fault TEXT NOT NULL, PRIMARY KEY (branch, list));"
	/* request: SHA-256 of the enrolment that used it up; its holder may fetch its own certificate once more. */
	"CREATE TABLE enrol_token (hash BLOB PRIMARY KEY, branch TEXT NOT NULL REFERENCES branch (name),"
	" made_s BIGINT NOT NULL, expires_s BIGINT NOT NULL, used_s BIGINT NOT NULL, request BLOB);"
	/* One line of rows of one branch's database: everything up to seq is here, and hash proves it. */
	"CREATE TABLE journal_epoch (id INTEGER PRIMARY KEY, branch TEXT NOT NULL REFERENCES branch (name),"
	" epoch BLOB NOT NULL, seq BIGINT NOT NULL, hash BLOB NOT NULL, first_s BIGINT NOT NULL,"
	" last_s BIGINT NOT NULL, sealed_key BLOB, UNIQUE (branch, epoch));"
	"CREATE TABLE journal_row (epoch_id BIGINT NOT NULL REFERENCES journal_epoch (id), seq BIGINT NOT NULL,"
	" time_s BIGINT NOT NULL, kind INTEGER NOT NULL, hash BLOB NOT NULL, row BLOB NOT NULL,"
	" received_s BIGINT NOT NULL, PRIMARY KEY (epoch_id, seq));"
	/* Rows that nobody could read; they stand in journal_row too, with kind 0. */
	"CREATE TABLE journal_dead (epoch_id BIGINT NOT NULL, seq BIGINT NOT NULL, reason TEXT NOT NULL,"
	" PRIMARY KEY (epoch_id, seq), FOREIGN KEY (epoch_id, seq) REFERENCES journal_row (epoch_id, seq));"
	"CREATE TABLE decision (epoch_id BIGINT NOT NULL, seq BIGINT NOT NULL, id BLOB NOT NULL,"
	" branch TEXT NOT NULL, time_s BIGINT NOT NULL, terminal TEXT NOT NULL, business TEXT NOT NULL,"
	" outcome INTEGER NOT NULL, follow_up INTEGER NOT NULL, masked TEXT NOT NULL, reasons TEXT NOT NULL,"
	" PRIMARY KEY (epoch_id, seq), FOREIGN KEY (epoch_id, seq) REFERENCES journal_row (epoch_id, seq));"
	"CREATE INDEX decision_id ON decision (id);"
	"CREATE INDEX decision_time ON decision (time_s);"
	"CREATE INDEX decision_branch ON decision (branch, time_s);"
	"CREATE TABLE alarm (branch TEXT NOT NULL, code TEXT NOT NULL, first_s BIGINT NOT NULL,"
	" last_s BIGINT NOT NULL, times BIGINT NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (branch, code));";

const char tables_updates[] =
	/* What the document of a release names; hash: the image's. */
	"CREATE TABLE update_image (release INTEGER PRIMARY KEY REFERENCES release (id), arch TEXT NOT NULL,"
	" version BIGINT NOT NULL, hash BLOB NOT NULL);"
	"CREATE INDEX update_image_hash ON update_image (hash);"
	"CREATE TABLE branch_update (branch TEXT PRIMARY KEY REFERENCES branch (name), state INTEGER NOT NULL,"
	" slot TEXT NOT NULL, version BIGINT NOT NULL, wanted BIGINT NOT NULL, failed BIGINT NOT NULL,"
	" fault TEXT NOT NULL);";
const char tables_carbon[] =
	/* holder, target: registry_holder_hash. ended_s 0: in force. */
	"CREATE TABLE carbon_alias (id INTEGER PRIMARY KEY, holder BLOB NOT NULL, target BLOB NOT NULL,"
	" created_by TEXT NOT NULL, created_s BIGINT NOT NULL, ended_by TEXT NOT NULL, ended_s BIGINT NOT NULL);"
	"CREATE UNIQUE INDEX carbon_alias_holder ON carbon_alias (holder) WHERE ended_s = 0;"
	"CREATE INDEX carbon_alias_target ON carbon_alias (target);";

const char tables_redemptions[] =
	/* What points bought; what became of it stands in the ledger. account: the holder's. price: points a `per` of the unit. */
	"CREATE TABLE carbon_redemption (request TEXT PRIMARY KEY, account BLOB NOT NULL, kind TEXT NOT NULL, unit "
	"TEXT NOT NULL,"
	" quantity BIGINT NOT NULL, points BIGINT NOT NULL, per BIGINT NOT NULL, price BIGINT NOT NULL, partly "
	"INTEGER NOT NULL,"
	" bank TEXT NOT NULL, reference TEXT NOT NULL, rules_version BIGINT NOT NULL, made_by TEXT NOT NULL, made_s "
	"BIGINT NOT NULL,"
	" expires_s BIGINT NOT NULL);"
	"CREATE INDEX carbon_redemption_account ON carbon_redemption (account, made_s);"
	/* Balances as pushed: of each run which row of the ledger it stands on, and the balance of each account that differs from the run
	   before; the newest up to a run is what counts in it. */
	"CREATE TABLE carbon_push (id INTEGER PRIMARY KEY, watermark BIGINT NOT NULL UNIQUE, day INTEGER NOT NULL, "
	"accounts BIGINT NOT NULL,"
	" changed BIGINT NOT NULL, points BIGINT NOT NULL, pushed_by TEXT NOT NULL, pushed_s BIGINT NOT NULL);"
	"CREATE TABLE carbon_pushed (account BLOB NOT NULL, watermark BIGINT NOT NULL REFERENCES carbon_push "
	"(watermark),"
	" points BIGINT NOT NULL, PRIMARY KEY (account, watermark));"
	"CREATE INDEX carbon_pushed_run ON carbon_pushed (watermark);"
	/* Questions of branches about accounts, known again for some days; question: keyed. */
	"CREATE TABLE carbon_question (branch TEXT NOT NULL, request BLOB NOT NULL, question BLOB NOT NULL,"
	" asked_s BIGINT NOT NULL, PRIMARY KEY (branch, request));"
	"CREATE INDEX carbon_question_asked ON carbon_question (asked_s);";
