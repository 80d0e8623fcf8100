/*
 * Sources: what departments send. A catalogue file (JSON, an example in central/sample/sources.json) names departments, categories,
 * indicators with their schema, and sources: one indicator of one department, how often it comes and who answers for it. Importing it
 * makes a new version of each source that changed; batches keep the version they were read by. Sources the file does not name stay.
 */
#ifndef CENTRAL_INGEST_SOURCE_H
#define CENTRAL_INGEST_SOURCE_H

#include "central/ingest/schema.h"
#include "protocol/base/db.h"
#include "protocol/base/limits.h"

#define SOURCES_MAX     1024
#define SOURCE_TEXT_MAX 128

enum source_cadence { SOURCE_MONTHLY = 1, SOURCE_MESSAGE };
const char *source_cadence_name(enum source_cadence c);

struct source {
	char code[NAME_MAX_LEN + 1];
	int64_t version;
	char department[NAME_MAX_LEN + 1], department_zh[SOURCE_TEXT_MAX + 1], department_en[SOURCE_TEXT_MAX + 1];
	char category[NAME_MAX_LEN + 1], category_zh[SOURCE_TEXT_MAX + 1], category_en[SOURCE_TEXT_MAX + 1];
	char indicator[NAME_MAX_LEN + 1], indicator_zh[SOURCE_TEXT_MAX + 1], indicator_en[SOURCE_TEXT_MAX + 1];
	char owner[SOURCE_TEXT_MAX + 1];
	enum source_cadence cadence;
	int64_t drop_percent; /* a batch with so many fewer rows than the last one is held */
	int64_t due_day;      /* of the month: until then the month before may be missing */
	int64_t keep_days; /* the rows of a batch that was superseded may be erased so many days later; 0: they stay */
	bool sample;
	const char *schema; /* JSON text; borrowed */
};

struct source_changes {
	int64_t added, changed, same;
};
/* All of it or nothing, in one transaction. ERR_INPUT names what is wrong. */
bool source_import(struct db *db, struct bytes catalogue, const char *operator, int64_t now_s,
		   struct source_changes *out, struct err *e) CHECKED;

/* The newest version, or that one (version 0: newest). schema is parsed when not NULL; release it with schema_free. text (may be NULL)
   takes the schema as JSON, and out->schema points there. ERR_MISSING. */
bool source_load(struct db *db, const char *code, int64_t version, struct source *out, struct schema **schema,
		 struct buf *text, struct err *e) CHECKED;
/* The newest version of each, by code. The query is open meanwhile. */
bool source_each(struct db *db, void (*each)(void *arg, const struct source *s), void *arg, struct err *e) CHECKED;

#endif
