/* What lan.c and the lan_*.c share. */
#ifndef FIRMWARE_LAN_INNER_H
#define FIRMWARE_LAN_INNER_H

#include "firmware/duties.h"
#include "firmware/lan.h"
#include "firmware/scan_image.h"
#include "firmware/stream.h"
#include "firmware/scans.h"
#include "protocol/base/metrics.h"

#define LAN_REPLY_MAX    262144U /* a decision with 256 list answers and 64 reasons with wording is about 150 KiB */
#define LAN_ROW_MAX      (JOURNAL_ROW_MAX - 64) /* of a row's body; the rest is what the journal adds */
#define LAN_CONTEXTS_MAX 64                     /* terminals that scan for somebody at this moment */
#define LAN_IMAGES_MAX   4                      /* pictures read at once: two cores, and checks come first */
#define LAN_STATUSES     16
#define LAN_PROBE_MS     5000  /* between two tries to write while the last write failed */
#define LAN_PROVEN_MS    60000 /* a write this long ago still proves that the database can be written */

/* What waits for the end of its turn: a check, a scan or a look-up. */
struct lan_pending {
	struct lan_pending *next;
	struct http_request *http; /* NULL: a scanner's */
	double came_s;
	const struct lan_kind *kind;
	void *request; /* owned; the kind's */
	char terminal[NAME_MAX_LEN + 1];
	char request_id[REQUEST_ID_MAX_LEN + 1]; /* "" none */
	uint8_t hash[HASH_LEN];                  /* of the body */
	bool decided;                            /* anew, and not read from the journal */
	bool follow_up;
	unsigned outcome, code; /* the kind's */
	int status;
	struct err error; /* of a status that is not 200 */
	struct buf reply;
	const char *content_type; /* of the reply; NULL: JSON */
};
struct lan_kind {
	/* Appends the rows and fills the reply. False: the transaction is lost; what is wrong with this one alone fails it alone. */
	bool (*decide)(struct lan *l, struct lan_pending *p, struct err *e);
	/* The reply from a stored row's body; NULL for a kind whose requests have no id here. */
	bool (*show)(struct lan *l, struct lan_pending *p, struct bytes body, struct err *e);
	/* After the commit, before the answer leaves. */
	void (*done)(struct lan *l, const struct lan_pending *p);
	void (*free)(void *request);
	/* Of an outcome; NULL: nothing is shown of this kind. */
	enum lan_sign (*sign)(unsigned outcome);
};
/* lan_turn.c */
struct lan_pending *lan_pending_new(struct http_request *r, const struct lan_kind *kind);
void lan_pending_free(struct lan_pending *p);
/* Whose it is, and what makes a repeated one the same: its id and its body. */
void lan_pending_name(struct lan_pending *p, const char *terminal, const char *request_id);
void lan_pending_add(struct lan *l, struct lan_pending *p);
bool lan_pending_fail(struct lan_pending *p, int status, const struct err *e); /* true */
/* decide of a look-up: its row is appended. */
bool lan_lookup_record(struct lan *l, struct lan_pending *p, const struct scan_lookup *row, struct err *e) CHECKED;

struct lan_counts {
	uint64_t scans[SCAN_CODE_LAST + 1], scan_outcomes[SCAN_REFUSE + 1], duties_closed, duties_turned,
		device_scans_lost, lookups_central, lookups_cache, lookups_none, reports;
	uint64_t accounts[ACCOUNT_STEP_LAST + 1]; /* answered by central, by step */
	uint64_t checks;                          /* decided */
	uint64_t outcomes[OUTCOME_REFUSE + 1];
	uint64_t repeats, conflicts, follow_ups, unauthorised;
	uint64_t commits, commit_failures, commit_checks, commit_checks_max;
	struct {
		int status;
		uint64_t count;
	} statuses[LAN_STATUSES]; /* status 0: free */
	struct metrics_histogram latency;
};

/* What a terminal's scanner scans for; in memory alone, for some minutes. */
struct lan_context {
	char terminal[NAME_MAX_LEN + 1]; /* "" free */
	char business[NAME_MAX_LEN + 1];
	bool has_holder;
	struct check_party holder;
	int64_t until_ms;
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
	struct duties duties;
	struct loop_timer *duty_timer;
	struct streams *streams;
	struct scanner *const *scanners; /* borrowed */
	size_t scanners_len;
	struct lan_context contexts[LAN_CONTEXTS_MAX];
	struct lan_image *images; /* being read; lan_scan.c */
	unsigned images_open;
	struct lan_lookup *lookups;   /* waiting for central; lan_certificate.c */
	struct lan_report *reports;   /* the same; lan_report.c */
	struct lan_account *accounts; /* the same; lan_account.c */
};

double lan_now_s(void); /* monotonic, with fractions */
int64_t lan_clock_s(const struct lan *l);
/* A write has succeeded, or e says why not. */
void lan_written(struct lan *l, bool ok, const struct err *e);
void lan_reply_text(struct lan *l, struct http_request *r, const struct buf *text); /* 200, of metrics */
/* 200, of a content for this request alone. */
void lan_reply_as(struct lan *l, struct http_request *r, const char *content_type, const struct buf *content);
void lan_check(struct lan *l, struct http_request *r, const char *terminal);
/* Enrolled, not locked, and loaded; ERR_IO says why not. */
bool lan_can_answer(struct lan *l, struct err *e) CHECKED;
/* lan_scan.c */
void lan_scan(struct lan *l, struct http_request *r, const char *terminal);
void lan_scan_show(struct lan *l, struct http_request *r, const char *id);
void lan_duties(struct lan *l, struct http_request *r, const char *terminal);
void lan_duty_timer(void *arg);
/* A scan that nobody waits for on HTTP; r is allocated and becomes the lan's. */
void lan_scan_add(struct lan *l, struct scan_request *r);
/* lan_certificate.c */
void lan_certificates(struct lan *l, struct http_request *r, const char *terminal);
/* Those that wait are let go of, unanswered. */
void lan_lookups_end(struct lan *l);
/* lan_ask.c: of a request to central. out: max + 1 bytes; neither empty, nor with control characters. */
bool lan_word_take(const struct json *j, const char *key, size_t max, char *out, struct err *e) CHECKED;
/* "request_id" of that terminal, so that the same request is the same question at central. */
bool lan_request_take(const struct json *j, const char *terminal, uint8_t request[INQUIRY_REQUEST_LEN],
		      struct err *e) CHECKED;
/* {"kind","number"}, and the row's words for it; of any kind but a name. */
bool lan_number_take(const struct json *j, const char *key, struct identifier *id, struct scan_lookup *row,
		     struct err *e) CHECKED;
/* lan_account.c: rest is the redemption that ends, or NULL. */
void lan_account(struct lan *l, struct http_request *r, const char *terminal, enum account_step step,
		 const char *rest);
void lan_accounts_end(struct lan *l);
/* lan_report.c */
void lan_report(struct lan *l, struct http_request *r, const char *terminal);
void lan_reports_end(struct lan *l);
/* lan_scanner.c */
void lan_scanning(struct lan *l, struct http_request *r, const char *terminal);
void lan_stream(struct lan *l, struct http_request *r, const char *terminal);
void lan_put_scanners(const struct lan *l, struct json_out *w);
/* Pictures being read are let go of, unanswered. */
void lan_images_end(struct lan *l);
/* lan_update.c */
void lan_put_update(struct json_out *w, const struct updates_info *i);
void lan_update_metrics(struct buf *out, const struct updates_info *i);
void lan_status(struct lan *l, struct http_request *r);
void lan_health(struct lan *l, struct http_request *r);
void lan_metrics(struct lan *l, struct http_request *r);

#endif
