/*
 * The guarantee fund on the ledger, in fen: ledger 201 is money (each funded party's capital in a programme), ledger 200 is liability. A guarantee is
 * named by the caller; each step by a request of his, which counts once.
 *   commit      the amount is split by the programme's shares; refused above a party's capital × leverage, or the enterprise's cap
 *   release     liability ends without loss
 *   compensate  liability becomes loss: each party's part, the funded ones' out of their capital, which never goes below zero
 *   recover     of what was compensated, back to who bore it
 * A later step is split by what each party still has in it, so the parts add up to the fen whatever came before.
 */
#ifndef CENTRAL_FUND_GUARANTEE_H
#define CENTRAL_FUND_GUARANTEE_H

#include "central/fund/book.h"
#include "central/fund/guarantee_rules.h"
#include "central/release/release.h"

#define GUARANTEE_LIABILITY 200
#define GUARANTEE_MONEY     201

struct guarantee_desk {
	struct release_context *release; /* the published programmes */
	struct book book;
};

/* A party of the programme puts capital in. */
bool guarantee_capital(struct guarantee_desk *d, const char *request, const char *programme, const char *party,
		       int64_t fen, struct err *e) CHECKED;
/* enterprise: its unified social credit code, canonical. ERR_CONFLICT: a cap, leverage, or the name was used before. */
bool guarantee_commit(struct guarantee_desk *d, const char *name, const char *programme, const char *enterprise,
		      int64_t fen, struct err *e) CHECKED;
enum guarantee_step { GUARANTEE_RELEASE, GUARANTEE_COMPENSATE, GUARANTEE_RECOVER };
bool guarantee_step(struct guarantee_desk *d, enum guarantee_step step, const char *request, const char *name,
		    int64_t fen, struct err *e) CHECKED;

struct guarantee_standing {
	size_t len;
	int64_t committed[GUARANTEE_PARTIES_MAX],
		compensated[GUARANTEE_PARTIES_MAX]; /* parties in the document's order */
	int64_t committed_sum, compensated_sum;
};
/* ERR_MISSING when there is no such guarantee. */
bool guarantee_show(struct guarantee_desk *d, const char *name, struct guarantee_standing *out,
		    struct err *e) CHECKED;
/* Of a party in a programme: its capital left, and what it is liable for. */
void guarantee_party(struct guarantee_desk *d, const char *programme, const char *party, int64_t *capital,
		     int64_t *liable);

#endif
