/*
 * Batches: one file of one source for one period, loaded in parts, each part one transaction with the place the next one begins at; so a
 * load that was killed goes on where it was, and one that is not taken up again leaves nothing once another begins.
 *
 *   loading ─all bytes→ checking ─slices→ current ─the same period once more→ superseded
 *      │                       └→ held ─release, with a reason→ current
 *      └ another file for the period, or a file that is none: gone without a trace         held, loading ─discard→ discarded
 *
 * A period has at most one batch that counts (current): sending it again supersedes, never adds; the same file once more is no new batch.
 * Checking goes in slices of SLICE_ROWS: keys given twice (the first row counts), the index by subject, at last the judgement. Held for a
 * person is what looks wrong as a whole: labels that changed, far fewer rows than last time, numbers in another unit, content older than
 * the period it claims, a file that was cut, mostly rejects. Rows of a batch that is not current are nobody's data.
 */
#ifndef CENTRAL_INGEST_BATCH_H
#define CENTRAL_INGEST_BATCH_H

#include "central/ingest/intake.h"
#include "central/ingest/source.h"
#include "central/release/release.h"

#define BATCH_PART_MAX      4194304U /* bytes in one part; a turn of the loop, about 50 ms */
#define BATCH_PERIOD_MAX    10
#define BATCH_REJECTS_KEPT  50000 /* all are counted */
#define BATCH_REJECTS_BYTES 16777216
#define BATCH_SIZE_MAX      1099511627776U

/* Stored. */
enum batch_state { BATCH_LOADING = 1, BATCH_CHECKING, BATCH_HELD, BATCH_CURRENT, BATCH_SUPERSEDED, BATCH_DISCARDED };
const char *batch_state_name(enum batch_state s);
const char *batch_state_zh(enum batch_state s);

/* Bits, stored. */
enum batch_hold {
	BATCH_HOLD_DRIFT = 1,    /* labels are not the schema's */
	BATCH_HOLD_DROP = 2,     /* far fewer rows than the batch before */
	BATCH_HOLD_UNIT = 4,     /* a column some ten thousand times what it was */
	BATCH_HOLD_STALE = 8,    /* the newest day in it is before the period */
	BATCH_HOLD_CUT = 16,     /* the file ends in the middle of a row */
	BATCH_HOLD_REJECTS = 32, /* more rows rejected than accepted */
};
#define BATCH_HOLDS 6
const char *batch_hold_name(enum batch_hold h);
const char *batch_hold_zh(enum batch_hold h);
const char *batch_hold_en(enum batch_hold h); /* what happened, and what to do */

struct batch {
	int64_t id, source_version;
	char source[NAME_MAX_LEN + 1], period[BATCH_PERIOD_MAX + 1], as_of[11];
	enum batch_state state;
	char file[128];
	enum intake_format format;
	uint64_t size;
	uint8_t sha256[HASH_LEN];
	struct intake_state intake;
	int64_t duplicates; /* among intake.accepted, and rejected later */
	int64_t kept, kept_bytes, phase;
	unsigned held;
	char created_by[NAME_MAX_LEN + 1], decided_by[NAME_MAX_LEN + 1], decided_why[160];
	int64_t created_s, finished_s, decided_s;
};
int64_t batch_rows(const struct batch *b); /* that count */

struct batch_new {
	const char *source, *period, *file, *as_of; /* as_of NULL: the period's last day */
	enum intake_format format;
	enum encoding encoding;
	uint64_t size;
	uint8_t sha256[HASH_LEN];
};
/* *again: this file is in already, or its load goes on (state and intake.offset of the batch tell). */
bool batch_open(struct release_context *c, const struct batch_new *n, const char *operator, int64_t now_s,
		int64_t *id, bool *again, struct err *e) CHECKED;
/* Bytes from offset on. What is not used (the beginning of a row) comes again with the next part; a part of INTAKE_WINDOW_MIN bytes
   always gets on. ERR_CONFLICT when the load goes on elsewhere. ERR_INPUT: the file is none, and the batch is gone. */
bool batch_part(struct release_context *c, int64_t id, uint64_t offset, struct bytes part, int64_t now_s,
		struct err *e) CHECKED;
/* One slice; call it until the state is no longer checking. */
bool batch_check(struct release_context *c, int64_t id, int64_t now_s, struct err *e) CHECKED;
int64_t batch_phases(const struct batch *b, const struct schema *s);

/* By a person, with a reason; audited. */
bool batch_release(struct release_context *c, int64_t id, const char *why, const char *operator, int64_t now_s,
		   struct err *e) CHECKED;
bool batch_discard(struct release_context *c, int64_t id, const char *why, const char *operator, int64_t now_s,
		   struct err *e) CHECKED;

bool batch_load(struct release_context *c, int64_t id, struct batch *out, struct err *e) CHECKED;
/* Newest first; source "" all. The query is open meanwhile. */
bool batch_each(struct release_context *c, const char *source, size_t limit,
		void (*each)(void *arg, const struct batch *b), void *arg, struct err *e) CHECKED;
/* The batch that counts for the newest period up to `period` ("" any); ERR_MISSING. */
bool batch_current(struct release_context *c, const char *source, const char *period, struct batch *out,
		   struct err *e) CHECKED;

/* Rejected rows as CSV: where, what, why, and the row as it came, in the file's own encoding; nothing in it is taken for a formula. */
bool batch_rejects(struct release_context *c, int64_t id, struct buf *out, struct err *e) CHECKED;

/* In a transaction of the caller's. */
bool batch_save(struct release_context *c, const struct batch *b, struct err *e) CHECKED;
bool batch_judge(struct release_context *c, struct batch *b, const struct source *s, int64_t now_s,
		 struct err *e) CHECKED;

#endif
