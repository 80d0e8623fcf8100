/*
 * Balances for the personal score: a push takes what every account holds at a watermark (a row of the ledger) and keeps it in central's own
 * database, where scores read it as one input of a person (carbon_pushed). Only balances that differ from the push before are written,
 * in one transaction; the same watermark again adds nothing. A balance is what the person holds, redemptions under way included, so the
 * balances of one push add up to what is held in the ledger at its watermark, which carbon_push_check proves from the rows.
 */
#ifndef CENTRAL_CARBON_PUSH_H
#define CENTRAL_CARBON_PUSH_H

#include "central/carbon/carbon.h"

struct carbon_push {
	int64_t watermark; /* row of the ledger; 0: nothing was ever pushed */
	int32_t day;       /* in China, of pushing */
	int64_t accounts, changed, points;
	int64_t pushed_s;
	bool again; /* that watermark was pushed before */
};
bool carbon_push_run(struct carbon *c, struct carbon_push *out, struct err *e) CHECKED;
/* The newest of that day or before; day INT32_MAX: the newest. */
bool carbon_push_at(struct db *central, int32_t day, struct carbon_push *out, struct err *e) CHECKED;

/* Of a person over his merged accounts: the boundary to scores. *points 0 for whom nothing was reported; ERR_MISSING: no push until that
   day. c needs neither ledger nor path. */
bool carbon_pushed(struct carbon *c, enum identifier_kind kind, const char *holder, int32_t day, int64_t *points,
		   struct carbon_push *of, struct err *e) CHECKED;

enum carbon_proof {
	CARBON_PROOF_PUSHED, /* each push: every account's balance at the watermark, and their sum */
	CARBON_PROOF_BOUGHT, /* each hold by the standard has its row, and says the same points and version */
	CARBON_PROOFS
};
const char *carbon_proof_name(enum carbon_proof p);
const char *carbon_proof_zh(enum carbon_proof p);
struct carbon_proven {
	uint64_t looked[CARBON_PROOFS], broken[CARBON_PROOFS];
	char first[CARBON_PROOFS][160];
};
/* From the rows, by code that shares nothing with what wrote them; read-only, beside the daemon. False only when a file cannot be read. */
bool carbon_push_check(struct ledger_reader *r, struct db *central, struct carbon_proven *out, struct err *e) CHECKED;

#endif
