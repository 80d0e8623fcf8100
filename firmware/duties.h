/*
 * Certificates that were accepted on an old list of revoked ones (accept_with_duty): each is looked at again once the list has been
 * confirmed after the scan. What then turns out to be revoked, suspended or superseded has turned, and its teller is told; otherwise it
 * holds. Either way a JOURNAL_RECHECK row says so, in the transaction that closes the duty. Identities are sealed at rest.
 */
#ifndef FIRMWARE_DUTIES_H
#define FIRMWARE_DUTIES_H

#include "firmware/record.h"
#include "firmware/verify.h"

#define DUTIES_TURN      100 /* looked at in one transaction */
#define DUTIES_KEEP_DAYS RECORD_KEEP_DAYS

struct duties {
	struct db *db; /* borrowed, as the rest */
	struct record *record;
	const struct random *random;
	uint64_t open; /* not looked at yet */
};
bool duties_load(struct duties *d, struct db *db, struct record *record, const struct random *random,
		 struct err *e) CHECKED;

/* Inside the caller's transaction: this scan is to be looked at again. Count it with duties_added after the commit. */
bool duties_add(struct duties *d, const struct scan *s, const struct identifier *identity, struct err *e) CHECKED;

/* Looks at those that can be, at most DUTIES_TURN, in a transaction of its own. turned is called after the commit for each that turned. *left:
   there may be more. After a failure call record_reload. */
struct duty_turned {
	char terminal[NAME_MAX_LEN + 1];
	uint8_t id[SCAN_ID_LEN];
	enum scan_code code;
};
bool duties_run(struct duties *d, const struct check_source *source, int64_t now_s,
		void (*turned)(void *arg, const struct duty_turned *t), void *arg, uint64_t *closed,
		struct err *e) CHECKED;

/* What a scan's second look gave: 0 none yet, or no duty of this id. */
bool duties_code(struct duties *d, const uint8_t id[SCAN_ID_LEN], enum scan_code *code, struct err *e) CHECKED;
/* Open and turned ones of a terminal ("" all), newest first. */
bool duties_each(struct duties *d, const char *terminal, size_t limit,
		 void (*each)(void *arg, const struct duty_turned *t, int64_t opened_s), void *arg,
		 struct err *e) CHECKED;

#endif
