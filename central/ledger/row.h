/*
 * What a ledger consists of, after TigerBeetle's data model: accounts, and transfers that debit one account and credit another by the
 * same whole number of the ledger's smallest unit. Nothing is ever changed: a row stands for ever, what was wrong is reversed by
 * another row. A row's canonical bytes (big-endian, fixed length) are what the chain hashes:
 *   H_n = SHA-256("xb/ledger/1" ‖ H_{n-1} ‖ number, 8 ‖ kind, 1 ‖ first row, 8 ‖ rows, 4 ‖ time, 8 ‖ operator's length, 1 ‖ operator
 *   ‖ the rows), one link a batch; H_0 is 32 zero bytes.
 */
#ifndef CENTRAL_LEDGER_ROW_H
#define CENTRAL_LEDGER_ROW_H

#include "protocol/base/limits.h"
#include "protocol/crypto.h"

/* A caller's 128-bit identifier; zero is none. */
struct id128 {
	uint64_t hi, lo;
};
static inline bool id128_same(struct id128 a, struct id128 b)
{
	return a.hi == b.hi && a.lo == b.lo;
}
static inline bool id128_is_zero(struct id128 a)
{
	return (a.hi | a.lo) == 0;
}
/* 1 to 32 hexadecimal digits, either case, leading zeros optional; or a UUID with its dashes. */
bool id128_parse(const char *text, struct id128 *out, struct err *e) CHECKED;
/* 32 lower-case digits. */
void id128_format(struct id128 id, char out[33]);
void id128_encode(struct id128 id, uint8_t out[16]);
struct id128 id128_decode(const uint8_t in[16]);

/* What an account is for: what its ledger has given out, what is with somebody, what has come back for good. At any time
   issued (debits − credits) = held (credits − debits) + retired (credits − debits). */
enum account_class { ACCOUNT_ISSUE = 1, ACCOUNT_HOLD, ACCOUNT_RETIRE };
enum account_flag {
	ACCOUNT_NO_OVERDRAFT = 1, /* debits, pending ones too, must not exceed posted credits */
	ACCOUNT_NO_OVERPAY = 2,   /* credits, pending ones too, must not exceed posted debits */
};
struct ledger_account {
	struct id128 id;
	uint32_t ledger;                /* which unit: accounts of two ledgers never meet in a transfer; not 0 */
	uint16_t code;                  /* the caller's: what kind of account */
	uint8_t class;                  /* enum account_class */
	uint8_t flags;                  /* enum account_flag */
	char name[LEDGER_NAME_MAX + 1]; /* for people; UTF-8 without control characters; may be "" */
};

enum transfer_kind {
	TRANSFER_SINGLE = 1,
	TRANSFER_PENDING,  /* holds the amount until it is posted, voided or expires */
	TRANSFER_POST,     /* of a pending one: all, or less, and the rest is released */
	TRANSFER_VOID,     /* of a pending one: all is released */
	TRANSFER_REVERSAL, /* of a single or posted one: the same amount back; once */
	TRANSFER_EXPIRE,   /* the ledger's own row: a pending one's time is up */
};
enum transfer_flag {
	TRANSFER_LINKED = 1,          /* succeeds or fails together with the next of its batch */
	TRANSFER_EFFECTIVE_GIVEN = 2, /* the effective day was the caller's, not the day of recording */
};

/* A transfer as a caller gives it. Zero in ledger, code, debit, credit, amount of a post, void or reversal means "as in the one referred to". */
struct ledger_transfer {
	struct id128 id, debit, credit;
	struct id128 ref;      /* post, void: the pending one; reversal: the original */
	struct id128 data;     /* the caller's */
	int64_t amount;        /* smallest units, above 0 */
	int32_t effective_day; /* since 1970-01-01; counts with TRANSFER_EFFECTIVE_GIVEN only */
	uint32_t timeout_s;    /* pending: expires then; 0 never */
	uint32_t ledger;
	uint16_t code;
	uint8_t kind, flags;
};

/* A transfer as it stands in the book. Accounts and transfers are known by their number there, from 1. */
struct ledger_row {
	struct id128 id; /* zero for TRANSFER_EXPIRE */
	struct id128 data;
	int64_t amount;   /* moved; of a void or an expiry what was held */
	int64_t released; /* post, void, expire: what the pending one held */
	uint32_t seq, debit, credit;
	uint32_t ref; /* the pending one or the original; 0 none */
	uint32_t prev_debit,
		prev_credit; /* the row before this one of the same account, whichever side it was on; 0 none */
	uint32_t timeout_s;
	int32_t effective_day;
	uint16_t code;
	uint8_t kind, flags;
};

#define ROW_LEN 88U
void ledger_row_encode(const struct ledger_row *r, uint8_t out[ROW_LEN]);
/* Appended: 24 bytes, the name's length, the name. */
#define ACCOUNT_LEN_MAX (26U + LEDGER_NAME_MAX)
size_t ledger_account_encode(const struct ledger_account *a, uint8_t out[ACCOUNT_LEN_MAX]);

enum batch_kind { BATCH_ACCOUNTS = 1, BATCH_TRANSFERS };
struct ledger_batch {
	uint64_t no;    /* from 1 */
	uint8_t kind;   /* enum batch_kind */
	uint64_t first; /* its first row's number */
	uint32_t rows;
	int64_t time_s; /* when it became known; never falls */
	char operator[NAME_MAX_LEN + 1];
};
/* Starts a link; the rows' bytes are added, then sha256_finish gives the next head. */
void ledger_chain_start(struct sha256_stream *s, const uint8_t head[HASH_LEN], const struct ledger_batch *b);

/* The day in China of a time. */
int32_t ledger_day_of(int64_t time_s);

/* Balances of one account. */
struct ledger_sums {
	int64_t debits_posted, debits_pending, credits_posted, credits_pending;
};
/* Adds what the row does to its debit account (or takes it back: sign −1), and the same for its credit account. */
void ledger_sums_debit(struct ledger_sums *s, const struct ledger_row *r, int sign);
void ledger_sums_credit(struct ledger_sums *s, const struct ledger_row *r, int sign);
/* The limits of its flags hold. */
bool ledger_sums_allowed(const struct ledger_sums *s, uint8_t flags);

#endif
