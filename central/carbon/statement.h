/*
 * A person's statement 对账单 as of a day: what the ledger had recorded by the end of it in China, over the accounts that were his then, by the
 * standard of then, so that the same question of a day that is over gives the same bytes ever after. Each row by the day it counts (earning: of
 * the activity; all else: when it was recorded); the rows' sum is checked against the ledger's own balance before anything is shown. As
 * HTML with two pictures inline (balance over time, earned by activity) and as CSV. Neither has his number, nor a script.
 */
#ifndef CENTRAL_CARBON_STATEMENT_H
#define CENTRAL_CARBON_STATEMENT_H

#include "central/carbon/redemption.h"

#define STATEMENT_ROWS_MAX   50000
#define STATEMENT_BOUGHT_MAX 2000
#define STATEMENT_BYTES      16777216U
#define STATEMENT_TEXT_MAX   512

enum statement_kind {
	STATEMENT_EARNED,
	STATEMENT_REDEEMED,
	STATEMENT_EXPIRED,
	STATEMENT_REVERSED, /* of either, to and fro */
	STATEMENT_KINDS
};
struct statement_row {
	uint32_t seq; /* the ledger's row */
	int32_t day;  /* it counts from */
	enum statement_kind kind;
	size_t what;      /* earned: index in activities; redeemed: in bought, bought_len unknown */
	int64_t points;   /* what it adds or, below 0, takes away */
	int64_t quantity; /* earned: of the activity */
	int64_t balance;  /* behind it */
	int64_t rules_version;
};
/* Earned, by activity. */
struct statement_activity {
	uint32_t mark; /* caps.h */
	char code[NAME_MAX_LEN + 1], zh[CARBON_WORD_MAX + 1],
		en[CARBON_WORD_MAX + 1]; /* "" what the standard has no longer */
	int64_t points, times;
};
struct statement {
	int32_t day;
	int64_t rules_version;
	size_t accounts;
	size_t len;
	struct statement_row *rows; /* owned; by day, then seq */
	size_t activities_len;
	struct statement_activity activities[CARBON_ACTIVITIES_MAX + 1]; /* those earned by, most points first */
	size_t bought_len;
	struct carbon_redemption *bought; /* owned; as each stood then, by the time it was made */
	struct statement_hold *holds;     /* owned; statement.c's */
	size_t holds_len;
	int64_t totals[STATEMENT_KINDS]; /* their sum is the balance */
	int64_t balance, pending;        /* pending: of the balance, held by redemptions */
	struct carbon_level level;
	int64_t expiring; /* points that expire next, if nothing is spent, and the day; 0 none */
	int32_t expires_day;
};
/* Allocated; release with statement_free. ERR_INPUT: a day to come; ERR_MISSING: no standard by then; ERR_IO when the rows do not add up
   to what the ledger says; ERR_FULL past STATEMENT_ROWS_MAX or STATEMENT_BOUGHT_MAX. */
struct statement *statement_load(struct carbon *c, enum identifier_kind kind, const char *holder, int32_t day,
				 struct err *e) CHECKED;
void statement_free(struct statement *s); /* NULL is fine */

/* What the account's points that expire next are, as of now; the oldest are spent first, held ones too. */
bool statement_expiring(struct carbon *c, const struct carbon_group *g, int64_t valid_days, int64_t *points,
			int32_t *day, struct err *e) CHECKED;

/* Appended to out. masked: the holder, for people; who and purpose stand on every page. */
struct statement_head {
	const char *masked, *who, *purpose;
};
bool statement_html(const struct statement *s, const struct statement_head *h, struct buf *out,
		    struct err *e) CHECKED;
bool statement_csv(const struct statement *s, struct buf *out, struct err *e) CHECKED;
/* statement_plot.c: one <svg> each, nothing with nothing to show. */
void statement_plot_balance(const struct statement *s, struct buf *out);
void statement_plot_activities(const struct statement *s, struct buf *out);
const char *statement_kind_zh(enum statement_kind k);
const char *statement_kind_en(enum statement_kind k);

#endif
