/*
 * A customer's carbon account, asked of central by a branch (QUERY_ACCOUNT): what he has and may redeem, a redemption, and its posting or
 * voiding by the bank, for an officer at a terminal. Both travel sealed (sealed.h). `request` is made of the terminal's request id: the question
 * said again after a lost answer is the same question, logged once, and the same redemption.
 */
#ifndef PROTOCOL_ACCOUNT_H
#define PROTOCOL_ACCOUNT_H

#include "protocol/inquiry.h"

#define ACCOUNT_QUERY_CONTEXT "xb/1/account-query/" /* sealed.h */
#define ACCOUNT_REPLY_CONTEXT "xb/1/account-reply/"

/* What the holder consents to (consent add --kinds). */
#define ACCOUNT_CONSENT       "carbon-account"
#define ACCOUNT_REQUEST_LEN   INQUIRY_REQUEST_LEN
#define ACCOUNT_REFERENCE_MAX 64
#define ACCOUNT_WORD_MAX      96
#define ACCOUNT_UNIT_MAX      16
#define ACCOUNT_OFFERS_MAX    16
#define ACCOUNT_REDEMPTION    52 /* "br." and hexadecimal digits: what central calls a branch's redemption */

enum account_step { ACCOUNT_SHOW = 1, ACCOUNT_REDEEM, ACCOUNT_POST, ACCOUNT_VOID };
#define ACCOUNT_STEP_LAST ACCOUNT_VOID
const char *account_step_name(enum account_step s); /* "carbon-show": also the journal row's type */

struct account_query {
	uint8_t id[16]; /* equal to the query's */
	enum account_step step;
	enum identifier_kind holder_kind; /* show, redeem */
	char holder[PERSON_NAME_MAX + 1]; /* the same: canonical */
	char purpose[PURPOSE_MAX + 1];
	char terminal[NAME_MAX_LEN + 1], officer[INQUIRY_OFFICER_MAX + 1]; /* neither is "" */
	uint8_t request[ACCOUNT_REQUEST_LEN];
	char kind[NAME_MAX_LEN + 1];               /* redeem: of the standard */
	uint64_t quantity;                         /* redeem; post: so much of it, 0 all */
	char reference[ACCOUNT_REFERENCE_MAX + 1]; /* redeem: the bank's own */
	char redemption[ACCOUNT_REDEMPTION + 1];   /* post, void */
};
bool account_query_encode(const struct account_query *q, struct buf *out, struct err *e) CHECKED;
/* ERR_INPUT also when what the step needs is missing. */
bool account_query_decode(struct bytes data, struct account_query *q, struct err *e) CHECKED;

/* What points may buy today, and how much of it this person still can. */
struct account_offer {
	char kind[NAME_MAX_LEN + 1], zh[ACCOUNT_WORD_MAX + 1], en[ACCOUNT_WORD_MAX + 1], unit[ACCOUNT_UNIT_MAX + 1];
	uint64_t points, per; /* so many points for each `per` of the unit */
	uint64_t left;
};
struct account_answer {
	uint8_t id[16]; /* the query's */
	enum account_step step;
	uint64_t rules_version;
	/* show */
	uint64_t points, pending; /* free; held by redemptions */
	uint64_t accounts;
	uint64_t expiring;   /* of the free ones those that expire next, if nothing is spent; 0: none will */
	int64_t expires_day; /* on this day, since 1970 */
	char level_zh[ACCOUNT_WORD_MAX + 1], level_en[ACCOUNT_WORD_MAX + 1];
	size_t offers_len;
	struct account_offer offers[ACCOUNT_OFFERS_MAX];
	/* the others */
	char redemption[ACCOUNT_REDEMPTION + 1], state[NAME_MAX_LEN + 1], state_zh[ACCOUNT_WORD_MAX + 1];
	char kind[NAME_MAX_LEN + 1], unit[ACCOUNT_UNIT_MAX + 1], reference[ACCOUNT_REFERENCE_MAX + 1];
	uint64_t quantity, cost; /* cost: points */
	uint64_t posted_quantity, posted_points;
	int64_t made_s, expires_s;
};
bool account_answer_encode(const struct account_answer *a, struct buf *out, struct err *e) CHECKED;
bool account_answer_decode(struct bytes data, struct account_answer *a, struct err *e) CHECKED;

#endif
