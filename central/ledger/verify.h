/*
 * Every invariant of a ledger, looked at in its rows by code that shares no state with the core: each with how often it was looked at and
 * how often it did not hold. Read-only, over one snapshot, beside the running daemon.
 */
#ifndef CENTRAL_LEDGER_VERIFY_H
#define CENTRAL_LEDGER_VERIFY_H

#include "central/ledger/daily.h"
#include "central/ledger/reader.h"

enum ledger_invariant {
	INVARIANT_CHAIN, /* each batch's hash is that of its rows on the one before; rows without gap or rest */
	INVARIANT_TIME,  /* a batch is never known before the one before it */
	INVARIANT_ROWS, /* a row is well formed: two accounts of one ledger, an amount above 0, links to the rows before */
	INVARIANT_IDS,      /* an identifier is used once */
	INVARIANT_ZERO,     /* the balances of a ledger sum to zero, after each row */
	INVARIANT_LIMITS,   /* no account with a limit passes it, net of what is pending, after each row */
	INVARIANT_ISSUED,   /* issued = held + retired, as of each row known and as of each effective day */
	INVARIANT_PENDING,  /* a pending one ends once, in time, with at most what it held */
	INVARIANT_REVERSAL, /* what is corrected is corrected by a reversal that mirrors it, once */
	INVARIANT_REJECTED, /* a rejected batch leaves the state byte-identical (tried in memory on the state of this ledger) */
	INVARIANT_BALANCES, /* the core's balances, loaded as the daemon loads them, are those of the rows */
	INVARIANT_SIGNED,   /* each signed daily head is what the chain says at its position */
	INVARIANT_COUNT
};
const char *ledger_invariant_name(enum ledger_invariant i); /* "chain" */
const char *ledger_invariant_zh(enum ledger_invariant i);
const char *ledger_invariant_en(enum ledger_invariant i);

struct ledger_verdict {
	uint64_t looked[INVARIANT_COUNT], broken[INVARIANT_COUNT];
	char first[INVARIANT_COUNT][160]; /* the first break, in words */
	uint32_t accounts, rows;
	struct ledger_head head;
};
/* Daily heads from wherever they are kept: add is what dailies_each and dailies_read call. The same one twice counts once. */
struct ledger_signed {
	uint8_t point[POINT_LEN];
	struct daily_head *heads; /* owned; not yet believed of the chain */
	size_t len, room;
	size_t bad; /* not signed under the point, or no head at all */
	char why[160];
};
void ledger_signed_init(struct ledger_signed *s, const uint8_t point[POINT_LEN]);
void ledger_signed_clear(struct ledger_signed *s);
bool ledger_signed_add(void *arg, struct bytes message, struct err *e);

/* False only when the file cannot be read; that an invariant is broken stands in the verdict. With signed heads (sorted here), or NULL. */
bool ledger_verify_signed(struct ledger_reader *r, struct ledger_signed *s, struct ledger_verdict *v,
			  struct err *e) CHECKED;
bool ledger_verify(struct ledger_reader *r, struct ledger_verdict *v, struct err *e) CHECKED;
bool ledger_verdict_is_clean(const struct ledger_verdict *v);

#endif
