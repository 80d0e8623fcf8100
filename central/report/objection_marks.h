/*
 * What objections say of a subject's records, for whoever reads them: which facts are under objection, and what was corrected. A fact
 * is known again by source, period and its row's key, so that a file sent again for the period does not shake an objection off; where the
 * source has no key, by batch and row. A correction stands beside the row, which stays as it came: it holds as long as the row says what
 * was objected to, and once the department sends something else, that counts.
 */
#ifndef CENTRAL_REPORT_OBJECTION_MARKS_H
#define CENTRAL_REPORT_OBJECTION_MARKS_H

#include "central/ingest/rows.h"

#define OBJECTION_MARKS_MAX  1000 /* of one subject */
#define OBJECTION_KEY_LEN    16
#define OBJECTION_INPUTS_MAX 1024

/* Stored: a value never changes its meaning. */
enum objection_state {
	OBJECTION_OPEN = 1,
	OBJECTION_PROPOSED, /* one operator wants it upheld; another has to confirm */
	OBJECTION_UPHELD,
	OBJECTION_REJECTED
};
const char *objection_state_name(enum objection_state s); /* "open" … */
const char *objection_state_zh(enum objection_state s);

struct objection_mark {
	int64_t id, tag, batch, row, opened_s, due_day, decided_s;
	enum objection_state state; /* OBJECTION_OPEN or OBJECTION_UPHELD, as of the moment asked for */
	char source[NAME_MAX_LEN + 1], period[12], field[SCHEMA_NAME_MAX + 1];
	uint8_t key[OBJECTION_KEY_LEN];
	char inputs[OBJECTION_INPUTS_MAX + 1]; /* of scores that do without, with commas between */
	bool keyed, hold, withdraw;
	struct json *correction; /* {"field": {"was", "now"}}; NULL none */
};
struct objection_marks {
	struct objection_mark *all; /* by id */
	size_t len;
};
/* Of the subject's numbers, just before at_s (INT64_MAX: now); rejected ones are no marks. Release with objection_marks_clear, whatever
   this returns. */
bool objection_marks_load(struct db *db, const struct rows_keys *k, const int64_t *tags, size_t tags_len,
			  int64_t at_s, struct objection_marks *out, struct err *e) CHECKED;
void objection_marks_clear(struct objection_marks *m);

/* Where a fact stands. */
struct objection_place {
	struct db *db;
	const char *source, *period;
	int64_t batch, row, tag;
};
/* What holds of one record. */
struct objection_view {
	const struct objection_mark
		*marks[8]; /* the first so many; a correction that does not fit the row any more is none */
	size_t marks_len;
	bool held, withdrawn, corrected;
};
/* Corrected cells of the record point into m. */
bool objection_marks_apply(const struct objection_marks *m, const struct objection_place *at, const struct schema *s,
			   struct rows_record *record, struct objection_view *out, struct err *e) CHECKED;

/* What a correction is sealed with. */
size_t objection_aad(char out[48], int64_t id);

#endif
