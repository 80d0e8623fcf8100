/*
 * Colour labels as they are kept: rows that are only ever added, with the document's version, what was gathered and what came of it (label.h),
 * so that a later document, or a row corrected later, never changes a label that was given; it gives another. Asked again with nothing new, the
 * label that is there is the answer. Of one month the row computed last counts, also where it is none.
 */
#ifndef CENTRAL_GREEN_LABELS_H
#define CENTRAL_GREEN_LABELS_H

#include "central/green/label.h"

#define LABEL_OLD_MONTHS 12 /* a label older than this is none */

struct label_ask {
	const struct identifier *subject;
	int32_t month; /* the last one; 0: the last that is over */
	const char *purpose, *who;
};
struct label_kept {
	int64_t id;
	int32_t month;
	struct green_word word; /* code "": none could be given */
	int64_t version;        /* of the document */
	bool sample;            /* it was one */
	char document[GREEN_HASH_HEX + 1], computed_by[NAME_MAX_LEN + 1];
	int64_t computed_s;
};
/* Out of what is in force now. The read is logged first, with its purpose; the label is audited. *fresh: it is another than before.
   json (may be NULL): {"inputs", "result"}. ERR_MISSING without a document, ERR_INPUT for a month that is not over. */
bool labels_compute(struct release_context *c, const struct label_ask *q, int64_t now_s, struct label_kept *out,
		    struct buf *json, bool *fresh, struct err *e) CHECKED;

/* The label of the newest month that had one on that day, as known before known_s. *there; caller logs whose and what for. */
bool labels_find(struct release_context *c, const struct subject_group *g, int64_t day, int64_t known_s,
		 struct label_kept *out, bool *there, struct err *e) CHECKED;
/* All of them, oldest first; json as above. */
bool labels_each(struct release_context *c, const struct subject_group *g, int64_t known_s,
		 bool (*each)(void *arg, const struct label_kept *k, struct bytes json, struct err *e), void *arg,
		 struct err *e) CHECKED;
/* Some labels behind `after`, each once more from its own document and inputs; *after moves on, *n of them, 0 at the end. wrong: it comes out
   otherwise, or is damaged; why is a sentence. */
bool labels_verify(struct release_context *c, int64_t *after, uint64_t *n,
		   void (*wrong)(void *arg, int64_t id, const char *why), void *arg, struct err *e) CHECKED;

#endif
