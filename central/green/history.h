/*
 * An enterprise's place in the library and how it came to it: what it is as of a day, from which day on what held and why, every rating, withdrawal
 * and resolution behind it, and the same of its projects. Known is what was recorded before the end of that day, so a past day always reads the
 * same. Reading is logged first, with its purpose. Numbers are masked.
 */
#ifndef CENTRAL_GREEN_HISTORY_H
#define CENTRAL_GREEN_HISTORY_H

#include "central/green/labels.h"
#include "central/green/own.h"

#define GREEN_PROJECTS_MAX 200
#define GREEN_PAGE_MAX     16777216U

struct green_request {
	const struct identifier *subject;
	const char *purpose, *who;
	int64_t day;
};
struct green_found {
	int64_t rating;
	struct buf json; /* {"facts", "result"} */
};
struct green_history {
	char masked[96], as_of[11], who[NAME_MAX_LEN + 1], purpose[GREEN_WHY_MAX + 1];
	int64_t day;
	bool sample, more; /* by the rules in force; more projects than there is room for */
	struct subject_group group;
	size_t len;
	char projects[GREEN_PROJECTS_MAX + 1][GREEN_PROJECT_MAX + 1]; /* the first is "": the enterprise itself */
	struct green_facts *facts;                                    /* owned; one each */
	bool labelled;
	struct label_kept label; /* the enterprise's */
	size_t own_len;
	struct green_found *own; /* owned; how each rating of our own was found */
};
/* ERR_INPUT for a day to come, or without a purpose. Release with green_history_free. */
struct green_history *green_history(struct release_context *c, const struct green_request *q, int64_t now_s,
				    struct err *e) CHECKED;
void green_history_free(struct green_history *h);

/* Appended to out: JSON for programs; CSV, a line a span; a page for persons. */
bool green_history_json(const struct green_history *h, struct buf *out, struct err *e) CHECKED;
bool green_history_csv(const struct green_history *h, struct buf *out, struct err *e) CHECKED;
bool green_history_html(const struct green_history *h, struct buf *out, struct err *e) CHECKED;

/* Everybody as of a day, for who and what for; audited first. */
bool green_library_json(struct release_context *c, const char *purpose, const char *who, int64_t day, int64_t now_s,
			struct buf *out, struct err *e) CHECKED;
bool green_library_csv(struct release_context *c, const char *purpose, const char *who, int64_t day, int64_t now_s,
		       struct buf *out, struct err *e) CHECKED;

/* Members of an open object: the level that counts, on what basis, the ratings that contradict each other. */
void green_standing_json(struct json_out *w, const struct green_standing *s);

/* "2026-01-31"; "" for GREEN_NEVER. */
void green_day_put(int64_t day, char out[11]);

#endif
