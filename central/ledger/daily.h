/*
 * A day's head of the ledger: where its chain stood, signed by central's signer once a day in China (COSE_Sign1, context
 * "xb/1/ledger-head"). Whoever keeps one elsewhere can show that nothing before it was rewritten since, by the owner of the machine neither: its
 * hashes can be computed anew, a head he has given away cannot. Payload, deterministic CBOR:
 *   [1, day, time, batches, hash, accounts, rows, [[ledger, issued, held, retired, pending], …]]
 * with the DAILY_LEDGERS_MAX ledgers of the lowest numbers; a sum that does not fit 64 bits is the nearest that does.
 */
#ifndef CENTRAL_LEDGER_DAILY_H
#define CENTRAL_LEDGER_DAILY_H

#include "central/ledger/core.h"
#include "protocol/cose.h"

#define DAILY_LEDGERS_MAX 64
#define DAILY_PAYLOAD_MAX 8192U
#define DAILY_MESSAGE_MAX 8448U

/* Sums of 64-bit amounts. */
__extension__ typedef __int128 int128;

struct daily_sums {
	uint32_t ledger;
	int64_t issued, held, retired; /* net, posted */
	int64_t pending;               /* held by pending transfers, counted once */
};

struct daily_head {
	int32_t day;    /* in China, since 1970-01-01 */
	int64_t time_s; /* when it was taken */
	uint64_t batches;
	uint8_t hash[HASH_LEN]; /* of that batch */
	uint32_t accounts, rows;
	size_t sums_len;
	struct daily_sums sums[DAILY_LEDGERS_MAX]; /* by ledger */
};

/* All but the position and its hash, from the state as it is now. */
void daily_fill(const struct ledger_core *c, int64_t now_s, struct daily_head *out);
int64_t daily_clamp(int128 sum);

bool daily_encode(const struct daily_head *h, struct buf *out, struct err *e) CHECKED;
bool daily_decode(struct bytes payload, struct daily_head *h, struct err *e) CHECKED;
bool daily_sign(struct bytes payload, const uint8_t scalar[SCALAR_LEN], const uint8_t point[POINT_LEN],
		const struct random *r, struct buf *out, struct err *e) CHECKED;
/* Signature first, then the payload. point NULL: not verified. */
bool daily_open(struct bytes message, const uint8_t *point, struct daily_head *h, struct err *e) CHECKED;
bool daily_same(const struct daily_head *a, const struct daily_head *b);

#endif
