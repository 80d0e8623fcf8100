/* What lan.c, lan_check.c and lan_status.c share. */
#ifndef FIRMWARE_LAN_INNER_H
#define FIRMWARE_LAN_INNER_H

#include "firmware/lan.h"
#include "protocol/base/metrics.h"

#define LAN_REPLY_MAX 262144U /* a decision with 256 list answers and 64 reasons with wording is about 150 KiB */
#define LAN_STATUSES  16
#define LAN_PROBE_MS  5000  /* between two tries to write while the last write failed */
#define LAN_PROVEN_MS 60000 /* a write this long ago still proves that the database can be written */

/* A check that waits for the end of its turn. */
struct lan_pending {
	struct lan_pending *next;
	struct http_request *http;
	double came_s;
	struct check_request request;
	uint8_t hash[HASH_LEN]; /* of the body */
	bool decided;           /* anew, and not read from the journal */
	bool follow_up;
	enum outcome outcome;
	int status;
	struct err error; /* of a status that is not 200 */
	struct buf reply;
};

struct lan_counts {
	uint64_t checks; /* decided */
	uint64_t outcomes[OUTCOME_REFUSE + 1];
	uint64_t repeats, conflicts, follow_ups, unauthorised;
	uint64_t commits, commit_failures, commit_checks, commit_checks_max;
	struct {
		int status;
		uint64_t count;
	} statuses[LAN_STATUSES]; /* status 0: free */
	struct metrics_histogram latency;
};

struct lan {
	struct lan_config c;
	const struct check_source *source; /* NULL while loading */
	struct loop_timer *turn;
	struct lan_pending *first, **last;
	struct lan_counts n;
	bool reload_due; /* a transaction failed, and the record in memory was not read back yet */
	bool write_failed;
	char write_fault[120];
	int64_t written_ms, probed_ms; /* INT64_MIN: never */
	struct decision decision;      /* of the check being answered */
};

double lan_now_s(void); /* monotonic, with fractions */
int64_t lan_clock_s(const struct lan *l);
/* A write has succeeded, or e says why not. */
void lan_written(struct lan *l, bool ok, const struct err *e);
void lan_reply_text(struct lan *l, struct http_request *r, const struct buf *text); /* 200, of metrics */
void lan_check(struct lan *l, struct http_request *r, const char *terminal);
void lan_status(struct lan *l, struct http_request *r);
void lan_health(struct lan *l, struct http_request *r);
void lan_metrics(struct lan *l, struct http_request *r);

#endif
