/*
 * The branch's HTTP API for its terminals, behind gate. Also the part of ctl.sock that is the same.
 *
 *   POST /v1/checks          a check (check.h): 200 the decision
 *   GET  /v1/decisions/{id}  a decision made before
 *   POST /v1/scans           a certificate's code (scans.h): 200 the verdict
 *   GET  /v1/scans/{id}      a verdict given before, and what became of its duty
 *   PUT  /v1/scanning        {"business","holder","for_s"}: what this terminal's scanner scans for, for so long (0 ends it)
 *   GET  /v1/stream          server-sent events of this terminal: "verdict" (as POST /v1/scans answers), "turned" (as /v1/duties)
 *   GET  /v1/certificates    ?holder= &kind= &purpose= [&holder_kind=]: a holder's certificates of one kind (lan_certificate.c), from central,
 *                            or out of the cache with "offline": true
 *   POST /v1/reports         {"request_id","subject","purpose","officer" [,"as_of","format"]}: an enterprise's credit report from
 *                            central (lan_report.c), HTML or PDF; never without central
 *   POST /v1/carbon/account  {"request_id","holder","purpose","officer"}: a customer's carbon account (lan_account.c), from central, never
 *                            without it; the same of the next two
 *   POST /v1/carbon/redemptions        {… "kind","quantity","reference"}: holds points for what they buy
 *   POST /v1/carbon/redemptions/{id}   {"request_id","officer","end" [,"quantity"]}: "post" (all, or less) or "void"
 *   GET  /v1/duties          what this terminal accepted on an old list: not looked at yet, or turned
 *   GET  /v1/status          what the branch holds and how it stands with central
 *   GET  /healthz            200 when it can answer checks, otherwise 503 with the reasons; open to all
 *   GET  /metrics            Prometheus; open to all, holds no personal data
 *
 * firmware/openapi.json describes it exactly. A failure is {"error": word of err_name, "message_zh", "message", "field"
 * where it is one's}: 400 input · 401 no, a wrong or a revoked credential · 404 · 405 with Allow · 409 a
 * request id used with another body · 403 the holder has not consented, or central refuses · 413 (http.h) · 415 a body that is no application/json · 500 the check
 * itself failed · 503 not enrolled, locked (tamper.c), still loading, or the journal cannot be written.
 *
 * An answer never leaves before its row is durable. The checks of one turn of the loop share one transaction,
 * in the order they came: a repeated request id of a terminal with the same body gets the stored answer, also
 * within one turn. When the commit fails all of the turn are answered 503 and nothing of it stands in the
 * journal. A decision with follow_up has a JOURNAL_FOLLOW_UP row in the same transaction.
 */
#ifndef FIRMWARE_LAN_H
#define FIRMWARE_LAN_H

#include "firmware/cache.h"
#include "firmware/clock.h"
#include "firmware/documents.h"
#include "firmware/lists.h"
#include "firmware/record.h"
#include "firmware/scanner.h"
#include "firmware/sync.h"
#include "firmware/terminal.h"
#include "protocol/base/http.h"

#define LAN_SOFTWARE "xinbian 0.1"

struct lan;

/* What the daemon knows and the API only shows. */
struct lan_around {
	char branch[NAME_MAX_LEN + 1]; /* "": not enrolled */
	struct sync_info sync;         /* zero before enrolment */
	uint64_t gate_restarts;
	int64_t cert_to_s;    /* when the branch's certificate ends */
	char gate_fault[120]; /* why nobody can connect, "" while they can */
	char locked[120];     /* why no check is answered, "" while they are */
	int64_t tampered_s;   /* 0: never since it was enrolled */
	bool has_board;
	char board_fault[160];      /* "" none */
	struct updates_info update; /* state UPDATE_NONE: no box with slots */
};

/* What an answer comes to, for lamps. */
enum lan_sign { LAN_PASS, LAN_CARE, LAN_STOP };

struct lan_config {
	struct loop *loop;
	struct db *db;
	struct record *record;
	struct terminals *terminals;
	const struct documents *documents;
	const struct clock *clock;
	const struct random *random;
	bool commit_each; /* one commit a check instead of one a turn: only to measure against */
	void (*around)(void *arg, struct lan_around *out);
	size_t (*lists)(void *arg, struct list_info out[LISTS_MAX]); /* as lists_info */
	void (*recorded)(void *arg);                                 /* rows were appended and committed */
	/* As sync_ask_bodies, sync_ask_inquiry and sync_ask_account, and forgetting all. */
	bool (*ask)(void *arg, struct body_query *q, sync_bodies_done *done, void *done_arg, struct err *e);
	bool (*inquire)(void *arg, const struct inquiry *q, sync_inquiry_done *done, void *done_arg, struct err *e);
	bool (*account)(void *arg, const struct account_query *q, sync_account_done *done, void *done_arg,
			struct err *e);
	void (*forget)(void *arg, const void *done_arg);
	struct cache *cache; /* NULL: none is kept */
	/* A check or a scan of this terminal was answered so; NULL: nobody looks. */
	void (*shown)(void *arg, const char *terminal, enum lan_sign sign);
	void *arg;
};
/* All borrowed. Until lan_ready it is loading and answers no checks. */
struct lan *lan_new(const struct lan_config *c);
void lan_ready(struct lan *l, const struct check_source *source);
/* Commits and answers what this turn has brought; what waits for central or a picture is let go of, unanswered. */
void lan_close(struct lan *l);
/* Call lan_close and close the HTTP servers first. */
void lan_free(struct lan *l);
/* Commits and answers what this turn has brought so far. */
void lan_finish(struct lan *l);

/* What terminals scan for is wiped. */
void lan_forget(struct lan *l);
/* A list of the catalogue is missing, damaged or older than it may be. */
bool lan_lists_old(struct lan *l);

/* How it does, for an image on trial. well: the database can be written and the lists are open. ready: it can answer checks, as /healthz
   says. why: the first thing that is not, or "". */
struct lan_well {
	bool well, ready;
	char why[96];
};
void lan_well(struct lan *l, struct lan_well *out);

/* A scanner on this box has read this. */
void lan_device_scan(struct lan *l, const struct scanner_config *config, struct bytes raw);
/* Shown in the status. */
void lan_scanners(struct lan *l, struct scanner *const *scanners, size_t len);

/* For http_listen; arg is the struct lan. */
void lan_handle(struct http_request *r, void *arg);

/* The same for a caller that has proven itself otherwise (ctl.sock). */
void lan_handle_as(struct lan *l, struct http_request *r, const char *terminal);
void lan_reply(struct lan *l, struct http_request *r, int status, const struct buf *json);
void lan_reply_error(struct lan *l, struct http_request *r, int status, const struct err *e);
/* 400, 401, … as the codes above. */
int lan_status_of(enum err_code code);
/* Whether the body says it is JSON; answers 415 when not. */
bool lan_is_json(struct lan *l, struct http_request *r);

/* Decisions made since the start, for the status to central. */
const uint64_t *lan_checks(const struct lan *l);

#endif
