/* What list_plan.c, list_build.c and list_files.c share; nobody else includes it. */
#ifndef CENTRAL_RELEASE_LIST_INNER_H
#define CENTRAL_RELEASE_LIST_INNER_H

#include "central/release/list_plan.h"

/* What a list is before a draft. */
struct list_base {
	struct release now; /* version 0: not published yet */
	struct tag_key key;
	uint64_t canary_hit, canary_miss;
};
/* Of the list and epoch that r names. Wipe key afterwards. */
bool list_base_load(struct release_context *c, const struct release *r, struct list_base *b, struct err *e) CHECKED;
/* Snapshot and delta as objects, and what they come to, into r. No database. */
bool list_files_make(struct objects *o, const struct list_base *b, struct release *r,
		     const struct draft_content *content, struct err *e) CHECKED;

struct list_plan {
	struct release_context *c;
	enum import_format format;
	enum draft_mode mode;
	uint8_t reason;
	struct release r; /* name, source, maker, epoch */
	struct list_base base;
	bool again; /* a rollback to: */
	struct release old;
	uint64_t old_canary;
	size_t stored, at; /* bytes of what was built, and where its rows go on; 0: not begun */
	uint64_t rejects_left, shown_left;
	bool in_parts;
};

/* The head of what build reports. Behind it, as CBOR, rejected rows [row, field, code, zh, en, sealed raw] and shown ones [tag, masked]. */
struct list_built {
	struct release r; /* what list_files_make and the import found */
	uint64_t rejects, shown;
};

#endif
