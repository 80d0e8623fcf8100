/* What both documents of this area are read with, and how a document that something was judged by is kept for good: published versions may be
   swept one day, what was computed by them must still be recomputable. Errors name the field. */
#ifndef CENTRAL_GREEN_PARTS_H
#define CENTRAL_GREEN_PARTS_H

#include "central/ingest/rows.h"
#include "central/release/release.h"
#include "protocol/base/json.h"

#define GREEN_WORD_MAX  96
#define GREEN_TITLE_MAX 320
#define GREEN_HASH_HEX  64

/* Code and wording of a level, label, rater or rule. */
struct green_word {
	char code[NAME_MAX_LEN + 1], zh[GREEN_WORD_MAX + 1], en[GREEN_WORD_MAX + 1];
};
bool green_word_take(const struct json *j, struct green_word *out, struct err *e) CHECKED;
/* Not empty, at most size - 1 bytes. */
bool green_text_take(const struct json *j, const char *key, char *out, size_t size, struct err *e) CHECKED;
/* An array of least to most objects; NULL and ERR_INPUT when it is none. */
const struct json *green_array(const struct json *j, const char *key, size_t least, size_t most,
			       struct err *e) CHECKED;
/* "type" is this one, "title" has both languages; *sample. */
bool green_head_take(const struct json *j, const char *type, bool *sample, struct err *e) CHECKED;
/* "2026-01" ↔ months since year 0. */
bool green_month_parse(const char *text, int32_t *month, struct err *e) CHECKED;
void green_month_format(int32_t month, char out[8]);
int32_t green_month_of_day(int64_t day);
int64_t green_month_end(int32_t month); /* its last day */

struct green_document {
	int64_t version;
	char hash[GREEN_HASH_HEX + 1];
	struct buf cbor; /* owned */
};
/* The published one; ERR_MISSING says how to publish it. Release with green_document_clear, whatever this returns. */
bool green_document_current(struct release_context *c, const char *name, struct green_document *out,
			    struct err *e) CHECKED;
/* One that was kept. ERR_MISSING, ERR_IO when it is damaged. */
bool green_document_load(struct release_context *c, const char *hash, struct green_document *out,
			 struct err *e) CHECKED;
/* In the caller's transaction; kept already is fine. */
bool green_document_keep(struct release_context *c, const char *name, const struct green_document *d,
			 struct err *e) CHECKED;
void green_document_clear(struct green_document *d);
struct json *green_document_json(struct bytes cbor, struct err *e) CHECKED;

/* An enterprise by its tag, with its number sealed, for listing; there already is fine. In the caller's transaction. */
bool green_subject_keep(struct release_context *c, const struct identifier *id, int64_t *tag, struct err *e) CHECKED;
/* What something was judged by, under the vault's key and bound to the row it belongs to. */
bool green_seal(struct release_context *c, const char *what, int64_t of, int64_t at, struct bytes plain,
		struct buf *out, struct err *e) CHECKED;
bool green_open(struct release_context *c, const char *what, int64_t of, int64_t at, struct bytes sealed,
		struct buf *out, struct err *e) CHECKED;

/* Ends the transaction: commits when ok. */
bool green_finish(struct release_context *c, bool ok, struct err *e) CHECKED;
/* The day in China. */
int64_t green_day_of_s(int64_t time_s);
/* The second after the day's last one there. */
int64_t green_day_end_s(int64_t day);

#endif
