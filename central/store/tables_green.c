#include "central/store/tables.h"

/* Never changed once released: a change is one more script. */
const char tables_green[] =
	/* Documents that something was judged by, kept for good. hash: lower-case hex of the SHA-256 of content, which is CBOR. */
	"CREATE TABLE green_document (hash TEXT PRIMARY KEY, name TEXT NOT NULL, version BIGINT NOT NULL, content "
	"BLOB "
	"NOT NULL);"
	/* Of whom there are ratings or readings. tag: rows_subject_tag. sealed: the identifier. */
	"CREATE TABLE green_subject (tag BIGINT PRIMARY KEY, kind INTEGER NOT NULL, masked TEXT NOT NULL, sealed "
	"BLOB "
	"NOT NULL);"
	/* Only ever added. project: '' the enterprise itself. ordinal, level: as the rules of that version had the grade. digest: of subject
	   and content. import: rows of one file have one number. */
	"CREATE TABLE green_rating (id INTEGER PRIMARY KEY, tag BIGINT NOT NULL REFERENCES green_subject (tag), "
	"project "
	"TEXT NOT NULL,"
	" rater TEXT NOT NULL, rank BIGINT NOT NULL, grade TEXT NOT NULL, ordinal BIGINT NOT NULL, level TEXT NOT "
	"NULL,"
	" level_zh TEXT NOT NULL, level_en TEXT NOT NULL, green INTEGER NOT NULL, sample INTEGER NOT NULL, from_day "
	"BIGINT NOT NULL, "
	"until_day "
	"BIGINT NOT NULL,"
	" reference TEXT NOT NULL, digest BLOB NOT NULL UNIQUE, rules BIGINT NOT NULL, import BIGINT NOT NULL,"
	" recorded_by TEXT NOT NULL, recorded_s BIGINT NOT NULL);"
	"CREATE INDEX green_rating_subject ON green_rating (tag, project);"
	"CREATE INDEX green_rating_import ON green_rating (import);"
	/* Of the rating with this digest, from this day on; the earliest counts. */
	"CREATE TABLE green_withdrawal (digest BLOB NOT NULL, day BIGINT NOT NULL, recorded_by TEXT NOT NULL, "
	"recorded_s "
	"BIGINT NOT NULL, PRIMARY KEY (digest, day));"
	/* conflict: hash of the ratings in it. choice: a rating's digest; zeros none. */
	"CREATE TABLE green_resolution (id INTEGER PRIMARY KEY, tag BIGINT NOT NULL, project TEXT NOT NULL, conflict "
	"BLOB NOT NULL,"
	" choice BLOB NOT NULL, why TEXT NOT NULL, resolved_by TEXT NOT NULL, resolved_s BIGINT NOT NULL);"
	"CREATE INDEX green_resolution_subject ON green_resolution (tag, project);"
	/* How a rating of our own was found, by which version. digest: of document and facts. sealed: JSON of both facts and result. */
	"CREATE TABLE green_own (rating BIGINT PRIMARY KEY REFERENCES green_rating (id), document TEXT NOT NULL "
	"REFERENCES green_document (hash), version BIGINT NOT NULL, digest BLOB NOT NULL, sealed BLOB NOT NULL);"
	/* The last day on which what ends soon was looked at. */
	"CREATE TABLE green_watch (day BIGINT NOT NULL);"
	/* The colour label of the months up to this one (since year 0); only ever added. label: '' none. digest: of document and inputs. sealed:
	   JSON of both inputs and result, which says why. */
	"CREATE TABLE carbon_label (id INTEGER PRIMARY KEY, tag BIGINT NOT NULL REFERENCES green_subject (tag), "
	"month "
	"BIGINT NOT NULL, label TEXT NOT NULL, label_zh TEXT NOT NULL, label_en TEXT NOT NULL, document TEXT NOT "
	"NULL REFERENCES green_document (hash), version BIGINT NOT NULL, sample INTEGER NOT NULL, digest BLOB NOT "
	"NULL, sealed BLOB NOT NULL,"
	" computed_by TEXT NOT NULL, computed_s BIGINT NOT NULL);"
	"CREATE INDEX carbon_label_subject ON carbon_label (tag, month);";
