/*
 * What points buy: a redemption of a kind of the standard (larger loan quota, discount, waiver, deduction, tree), pending until the bank
 * posts or voids it, or it lapses. Its row says what for; what became of it is read from the ledger alone, so that the two cannot differ.
 * The row is committed first, then the points are held: a row without a hold was never a redemption, and the same request begins again.
 */
#ifndef CENTRAL_CARBON_REDEMPTION_H
#define CENTRAL_CARBON_REDEMPTION_H

#include "central/carbon/group.h"

#define CARBON_BANK_MAX 64

struct carbon_purchase {
	char request[REQUEST_ID_MAX_LEN + 1]; /* the caller's; the same again is the same redemption */
	enum identifier_kind holder_kind;
	char holder[PERSON_NAME_MAX + 1]; /* canonical */
	char kind[NAME_MAX_LEN + 1];
	int64_t quantity; /* of the kind's unit */
	char bank[CARBON_BANK_MAX + 1];
	char reference[CARBON_REFERENCE_MAX + 1]; /* the bank's own: a loan's, an order's number; not "" */
};
struct carbon_redemption {
	char request[REQUEST_ID_MAX_LEN + 1], kind[NAME_MAX_LEN + 1], unit[17];
	char bank[CARBON_BANK_MAX + 1], reference[CARBON_REFERENCE_MAX + 1];
	int64_t quantity, points, per, price; /* asked for; price points a `per` */
	int64_t rules_version, made_s, expires_s;
	struct id128 account;
	bool partly;
	enum carbon_state state;
	int64_t posted_quantity, posted_points;
};
const char *carbon_state_name(enum carbon_state s); /* "pending" */
const char *carbon_state_zh(enum carbon_state s);

/* ERR_MISSING: no such kind today; ERR_INPUT: a quantity it does not have; ERR_FULL: the year's limit; ERR_CONFLICT: not enough points, or the
   request was used for another redemption. */
bool carbon_buy(struct carbon *c, const struct carbon_purchase *p, struct carbon_redemption *out,
		struct err *e) CHECKED;
/* bank: it must be this one's (ERR_MISSING otherwise); NULL: any. ERR_MISSING without a row. */
bool carbon_buy_find(struct carbon *c, const char *request, const char *bank, struct carbon_redemption *out,
		     struct err *e) CHECKED;
/* quantity 0: all of it; less only where the kind may be posted partly. The same again changes nothing; ERR_CONFLICT when it has ended
   otherwise. */
bool carbon_buy_post(struct carbon *c, const char *request, const char *bank, int64_t quantity,
		     struct carbon_redemption *out, struct err *e) CHECKED;
bool carbon_buy_void(struct carbon *c, const char *request, const char *bank, struct carbon_redemption *out,
		     struct err *e) CHECKED;
/* Of a person, newest first, at most `most`. Borrowed for the call. */
bool carbon_buy_each(struct carbon *c, const struct carbon_group *g, size_t most,
		     void (*each)(void *arg, const struct carbon_redemption *r), void *arg, struct err *e) CHECKED;
/* How much of a kind a person may still buy now, by its limits and his points; a multiple of its `per`. */
bool carbon_buy_left(struct carbon *c, const struct carbon_group *g, const struct carbon_kind *k, int64_t points,
		     int64_t *quantity, struct err *e) CHECKED;

#endif
