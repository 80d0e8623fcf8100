/*
 * The programmes of the credit guarantee fund 信保基金 as one published document, "guarantee": who bears how much of a loss, how far the fund may be
 * leveraged, how much one enterprise may have. JSON:
 *   {"type": "guarantee", "title": {"zh","en"}, "sample": bool, "programmes": [{"code", "zh", "en", "leverage": 10, "enterprise_cap": 500000000,
 *    "shares": [{"party": "fund", "bps": 4000, "funded": true}, …]}]}
 * Shares are basis points and sum to 10,000. A funded party puts capital in, and may be liable for at most capital × leverage; one that is not
 * bears its part itself. Amounts are fen.
 */
#ifndef CENTRAL_FUND_GUARANTEE_RULES_H
#define CENTRAL_FUND_GUARANTEE_RULES_H

#include "protocol/base/json.h"
#include "protocol/base/limits.h"

#define GUARANTEE_PARTIES_MAX    16
#define GUARANTEE_PROGRAMMES_MAX 64
#define GUARANTEE_FEN_MAX        100000000000000 /* a trillion yuan: times a leverage of 1,000 it stays in 64 bits */

struct guarantee_share {
	char party[NAME_MAX_LEN + 1];
	int64_t bps;
	bool funded;
};
struct guarantee_programme {
	char code[NAME_MAX_LEN + 1];
	int64_t leverage, enterprise_cap;
	size_t shares_len;
	struct guarantee_share shares[GUARANTEE_PARTIES_MAX];
};
struct guarantee_rules {
	size_t len;
	struct guarantee_programme programmes[GUARANTEE_PROGRAMMES_MAX];
};
/* Allocated; release with free. NULL on failure. */
struct guarantee_rules *guarantee_rules_decode(struct bytes cbor, struct err *e) CHECKED;
/* Borrowed; NULL and ERR_MISSING when there is none. */
const struct guarantee_programme *guarantee_programme_find(const struct guarantee_rules *r, const char *code,
							   struct err *e) CHECKED;

/* amount (0 to GUARANTEE_FEN_MAX) in whole fen by weights (each to GUARANTEE_FEN_MAX, some above 0): each part its share rounded down, what is left
   one fen each to the largest remainders, of equal ones to the first. The parts sum to the amount; none is above its weight when
   the amount is not above their sum. */
void guarantee_split(int64_t amount, const int64_t *weights, size_t n, int64_t *parts);

#endif
