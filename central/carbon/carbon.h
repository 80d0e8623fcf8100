/*
 * Personal carbon accounts 个人碳账户, on the ledger (ledger 100, unit: one point). A subject is a keyed hash of his document; each has one account.
 *   earn    issued → subject     once for each real-world activity: the identifier is the activity's own (kind, day, reference), so
 *                                a second report of it, by whomever and of whatever content, is a repeat
 *   redeem  subject → redeemed   pending, then posted or voided; a pending one waits 30 days
 *   expire  subject → expired    what was earned longer ago than the rules say and neither spent nor expired; the oldest is spent first
 * Two subjects who are one person are merged by an alias (group.h): nothing moves, both accounts are asked as one, so sums are the same before and
 * after, and ending the alias restores what each has.
 */
#ifndef CENTRAL_CARBON_CARBON_H
#define CENTRAL_CARBON_CARBON_H

#include "central/carbon/rules.h"
#include "central/ledger/reader.h"
#include "central/registry/registry.h"

#define CARBON_LEDGER 100
/* Codes of its transfers, and of its accounts. An earn's data is hi: the standard's version, above it (from bit 32) the
   activity's mark (caps.h); lo: the quantity. */
enum carbon_transfer_code { CARBON_EARN = 1, CARBON_REDEEM, CARBON_EXPIRE };
enum carbon_account_code { CARBON_ISSUED = 10, CARBON_SUBJECT, CARBON_REDEEMED, CARBON_EXPIRED };

#define CARBON_REFERENCE_MAX 64
#define CARBON_GROUP_MAX     32 /* accounts of one person */
#define CARBON_WAIT_S        2592000

struct carbon {
	struct release_context *release; /* database, vault key, the published rules */
	struct ledger *ledger;
	const char *ledger_path; /* for reading beside it */
	const char *operator;
	int64_t now_s;
};

/* The published standard. ERR_MISSING before the first; release with free. */
struct carbon_rules *carbon_rules_current(struct carbon *c, struct err *e) CHECKED;
/* The one in force just before at_s. */
struct carbon_rules *carbon_rules_at(struct carbon *c, int64_t at_s, struct err *e) CHECKED;

struct carbon_report {
	enum identifier_kind holder_kind;
	char holder[PERSON_NAME_MAX + 1]; /* canonical */
	char activity[NAME_MAX_LEN + 1];
	char reference[CARBON_REFERENCE_MAX + 1]; /* the activity's own number, the same whoever reports it */
	int32_t day;                              /* it happened */
	int64_t quantity;
};
enum carbon_outcome { CARBON_CREDITED, CARBON_REPEATED, CARBON_REFUSED };
struct carbon_result {
	enum carbon_outcome outcome;
	int64_t points; /* credited */
	struct err why; /* refused */
};
/* At most LEDGER_BATCH_MAX; false: nothing was credited. */
bool carbon_report(struct carbon *c, const struct carbon_report *r, size_t n, struct carbon_result *out,
		   struct err *e) CHECKED;

struct carbon_standing {
	int64_t points;  /* free to redeem */
	int64_t pending; /* held by redemptions */
	size_t accounts; /* merged ones count */
	int64_t rules_version;
	struct carbon_level level; /* by points and pending */
};
/* Zero for whom nothing was reported. */
bool carbon_standing(struct carbon *c, enum identifier_kind kind, const char *holder, struct carbon_standing *out,
		     struct err *e) CHECKED;

/* request: the caller's, up to REQUEST_ID_MAX_LEN; the same again is a no-op. ERR_CONFLICT: other content, or not enough points. */
bool carbon_redeem(struct carbon *c, const char *request, enum identifier_kind kind, const char *holder,
		   int64_t points, struct err *e) CHECKED;
/* ERR_MISSING, or ERR_CONFLICT when it has ended otherwise. */
bool carbon_redeem_end(struct carbon *c, const char *request, bool post, struct err *e) CHECKED;

struct carbon_group; /* group.h */
struct carbon_hold_new {
	int64_t points, rules_version;
	uint32_t wait_s; /* then it lapses */
};
/* carbon_redeem of a person's accounts, for redemption.c. */
bool carbon_hold(struct carbon *c, const char *request, const struct carbon_group *g, const struct carbon_hold_new *h,
		 struct err *e) CHECKED;
enum carbon_state { CARBON_NONE, CARBON_PENDING, CARBON_POSTED, CARBON_VOIDED, CARBON_LAPSED, CARBON_REVERSED };
struct carbon_hold {
	enum carbon_state state;
	int64_t points, posted; /* held at first; taken for good, without what was reversed */
};
/* What the ledger calls the n-th transfer that holds its points. */
struct id128 carbon_hold_id(const char *request, size_t n);
bool carbon_hold_read(struct carbon *c, const char *request, struct carbon_hold *out, struct err *e) CHECKED;
/* Posts so many of its points and gives the rest back. ERR_CONFLICT when it has ended otherwise. */
bool carbon_hold_post(struct carbon *c, const char *request, int64_t points, struct err *e) CHECKED;

/* Of everybody, as of now. */
bool carbon_expire(struct carbon *c, uint64_t *accounts, int64_t *points, struct err *e) CHECKED;

/* holder's account counts as into's from now on. ERR_CONFLICT: merged already, or others are merged into him. */
bool carbon_merge(struct carbon *c, enum identifier_kind kind, const char *holder, enum identifier_kind into_kind,
		  const char *into, struct err *e) CHECKED;
bool carbon_unmerge(struct carbon *c, enum identifier_kind kind, const char *holder, struct err *e) CHECKED;

#endif
