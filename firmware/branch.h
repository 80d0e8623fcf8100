/*
 * branchd's state: the modules of one branch tied together. branch.c opens and closes them and drives what is due by time,
 * line.c the way out (gate, MQTT, sync), ctl.c the local socket, branch_update.c the image it runs in, tamper.c a box that was opened. One loop, one database connection, one writer.
 *
 *   DIR/branch.ini            configuration        DIR/ctl.sock          branchctl speaks here
 *   DIR/branch.db             all state            DIR/run/https.sock    gate → the HTTP API
 *   DIR/lists, DIR/fetch      list files           DIR/run/mqtt.sock     MQTT → gate → the broker
 *   DIR/vault.key             keys, and what is kept of customers, are sealed under it (vault.h)
 *   DIR/lock                  one branchd a DIR    DIR/run/enrol.sock    branchctl → gate → central, while enrolling
 */
#ifndef FIRMWARE_BRANCH_H
#define FIRMWARE_BRANCH_H

#include "firmware/box.h"
#include "firmware/lan.h"
#include "firmware/membership.h"
#include "protocol/base/gate.h"
#include "protocol/base/mqtt.h"
#include "protocol/base/notify.h"

#define BRANCH_DIR "/var/lib/xinbian-branch"

struct branch_config {
	char dir[80];          /* where branch.ini lies; a socket's path must fit below it */
	char listen_host[256]; /* for terminals */
	int listen_port;
	bool commit_each;                             /* [journal] commit = request */
	int64_t cache_size_max;                       /* [cache] size_mb; bytes */
	bool log_debug;                               /* [log] level = debug */
	struct scanner_config scanners[SCANNERS_MAX]; /* [scanner-1] … */
	bool has_board;                               /* [board] file = */
	struct board_config board;
	struct updates_config update;          /* [update]; boot "": none */
	char board_terminal[NAME_MAX_LEN + 1]; /* [board] terminal: whose decisions its lamps show; "" everybody's */
};
/* Reads PATH; dir is the directory it lies in. */
bool branch_config_load(const char *path, struct branch_config *c, struct err *e) CHECKED;
/* "127.0.0.1:8443" or "[::1]:8443"; ERR_INPUT. */
bool branch_address(const char *text, char host[256], int *port, struct err *e) CHECKED;

/* What stands between the branch and the network. */
struct line {
	struct proc *gate;      /* NULL while there is nothing for it to do */
	struct sync *sync;      /* NULL until it is a member */
	struct mqtt *mqtt;      /* NULL until gate listens for it */
	struct loop_timer *due; /* of sync */
	int64_t gate_clock_s;   /* what gate was last told */
	bool gate_afresh;       /* it is being stopped by us */
	char gate_fault[120];
	int https_port; /* bound; 0: not now */
	/* An enrolment that is under way: */
	bool enrolling;
	char enrol_fault[120]; /* the last of gate's failures to reach central */
	char central_host[256];
	int central_port;
	struct membership_request request;
};

struct tamper {
	struct loop_timer *due;
	int64_t since_s; /* 0: nothing happened, or it is not in the journal yet */
	char fault[120];
};

struct branch {
	struct loop *loop; /* borrowed */
	struct branch_config config;
	struct notify *notify;
	int lock;
	char run_dir[90];
	struct db *db;
	struct clock clock;
	struct record *record;
	struct documents *documents;
	struct terminals *terminals;
	struct lists *lists; /* NULL while loading */
	struct lan *lan;
	struct http_server *https, *ctl;
	struct scanner *scanners[SCANNERS_MAX];
	size_t scanners_len;
	struct membership membership;
	struct vault vault;
	struct cache cache;
	struct line line;
	struct box *box;         /* NULL: none */
	struct updates *updates; /* NULL: no box with slots */
	struct loop_timer *update_due;
	struct tamper tamper;
	struct loop_timer *load, *minute, *clean;
	int64_t pruned_ms;
	bool failed; /* it could not load: the loop was stopped */
};

/* NULL when it cannot start. Everything else happens in the loop. */
struct branch *branch_open(struct loop *l, const struct branch_config *c, struct err *e) CHECKED;
/* Finishes the turn, commits, closes. */
void branch_close(struct branch *b);
int64_t branch_clock_s(const struct branch *b);
/* A body that central has set aside for this branch, or one to be erased; arg is the struct branch. */
bool branch_prefetched(void *arg, const struct prefetch_item *i, struct err *e) CHECKED;
/* line.c */
void line_open(struct line *line, struct branch *b);
void line_close(struct line *line);
/* Membership has been loaded: certificate, MQTT and sync by it, from now on. */
bool line_join(struct branch *b, struct err *e) CHECKED;
/* Gate afresh, with the ports that are wanted now. */
void line_gate(struct branch *b);
/* Gate learns the time when it moved by a minute or became trusted. */
void line_tick(struct branch *b);
void line_recorded(struct branch *b);
/* The journal is another: sync begins anew, gate stays. */
bool line_hello(struct branch *b, struct err *e) CHECKED;
/* As sync_ask_bodies, sync_ask_inquiry, sync_ask_account, and forgetting all. */
bool line_ask(struct branch *b, struct body_query *q, sync_bodies_done *done, void *arg, struct err *e) CHECKED;
bool line_account(struct branch *b, const struct account_query *q, sync_account_done *done, void *arg,
		  struct err *e) CHECKED;
bool line_inquire(struct branch *b, const struct inquiry *q, sync_inquiry_done *done, void *arg,
		  struct err *e) CHECKED;
void line_forget(struct branch *b, const void *arg);
/* Opens DIR/run/enrol.sock towards central; request is filled. */
bool line_enrol(struct branch *b, const char *host, int port, struct bytes ca_pem, struct err *e) CHECKED;
void line_enrol_end(struct branch *b);

/* branch_update.c: nothing without [update]. */
void update_open(struct branch *b);
void update_close(struct branch *b);

/* tamper.c */
bool tamper_open(struct branch *b, struct err *e) CHECKED;
void tamper_close(struct branch *b);
/* Its keys go, now; checks are refused from here on. */
void tamper_trip(struct branch *b);
/* Why the box answers no checks, "" when it may. */
void tamper_locked(const struct branch *b, char *out, size_t size);
/* ERR_CONFLICT while the box is open. */
bool tamper_may_enrol(const struct branch *b, struct err *e) CHECKED;
void tamper_enrolled(struct branch *b);

/* ctl.c: for http_listen; arg is the struct branch. */
void ctl_handle(struct http_request *r, void *arg);

#endif
