/*
 * A person's statement 对账单: every row of his accounts, by the day it counts (earning: of the activity; all else: when it was recorded), with
 * totals that are checked against the ledger's own before anything is shown. As HTML with two pictures inline (balance over time, earned by
 * activity) and as CSV. Neither has his number, nor a script.
 */
#ifndef CENTRAL_CARBON_STATEMENT_H
#define CENTRAL_CARBON_STATEMENT_H

#include "central/carbon/group.h"

#define STATEMENT_ROWS_MAX 50000
#define STATEMENT_BYTES    33554432U

enum statement_kind {
	STATEMENT_EARNED,
	STATEMENT_REDEEMED,
	STATEMENT_EXPIRED,
	STATEMENT_REVERSED, /* of either, to and fro */
	STATEMENT_KINDS
};
struct statement_row {
	uint32_t seq;  /* the ledger's row */
	int32_t day;   /* it counts from */
	uint32_t mark; /* earned: the activity's (caps.h); 0 unknown */
	enum statement_kind kind;
	int64_t points;   /* what it adds or, below 0, takes away */
	int64_t quantity; /* earned: of the activity */
	int64_t balance;  /* behind it */
	uint32_t rules_version;
};
struct statement {
	size_t len, accounts;
	struct statement_row *rows;      /* owned; by day, then seq */
	int64_t totals[STATEMENT_KINDS]; /* their sum is the balance */
	int64_t balance, pending;        /* pending: of the balance, held by redemptions */
	int32_t day;                     /* made */
};
/* ERR_IO when the rows do not add up to what the ledger says; ERR_FULL past STATEMENT_ROWS_MAX. Release with statement_clear. */
bool statement_load(struct carbon *c, const struct carbon_group *g, struct statement *s, struct err *e) CHECKED;
void statement_clear(struct statement *s);

/* Points that expire within so many days if nothing is spent, account by account, the oldest spent first. */
bool statement_expiring(struct carbon *c, const struct carbon_group *g, int64_t valid_days, int64_t within_days,
			int64_t *points, struct err *e) CHECKED;

/* masked: the holder, for people. Appended to out. rules: for the activities' names. */
bool statement_html(const struct statement *s, const struct carbon_rules *rules, const char *masked, struct buf *out,
		    struct err *e) CHECKED;
bool statement_csv(const struct statement *s, const struct carbon_rules *rules, struct buf *out,
		   struct err *e) CHECKED;
/* Between the two files: names of a row. */
const char *statement_kind_zh(enum statement_kind k);
const char *statement_kind_en(enum statement_kind k);
const struct carbon_activity *statement_activity(const struct carbon_rules *rules, uint32_t mark);

#endif
