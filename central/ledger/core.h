/*
 * The ledger's rules, without files or clock: a batch, a time and the state give a status for each transfer, and rows to be appended.
 * The caller stores the rows and then commits, or rolls back, which leaves the state as it was to the byte. What has
 * been committed before is read back through a source, by number, only where a transfer refers to it or repeats it.
 *
 * Time: a batch is known from max(now, the last batch's time). Pending transfers whose time is up are expired before a batch's own transfers,
 * as rows of the same batch. Limits hold for what is recorded, whatever its effective day.
 * A linked chain succeeds as a whole or leaves nothing. One that was recorded before counts as succeeded, so a chain sent again answers
 * "exists" throughout (TigerBeetle fails it); what failed leaves no trace and may be sent again.
 */
#ifndef CENTRAL_LEDGER_CORE_H
#define CENTRAL_LEDGER_CORE_H

#include "central/ledger/row.h"
#include "central/ledger/status.h"

/* Reads a committed row. */
struct core_source {
	bool (*row)(void *arg, uint32_t seq, struct ledger_row *out, struct err *e);
	/* Whether the account's name, which the core does not keep, is this one. */
	bool (*named)(void *arg, uint32_t account, const char *name, bool *same, struct err *e);
	void *arg;
};

struct ledger_core;

struct ledger_core *core_new(const struct core_source *s);
void core_free(struct ledger_core *c);

/* Folds what is stored into the state, in order; rows that contradict the state: ERR_IO. */
bool core_replay_account(struct ledger_core *c, const struct ledger_account *a, struct err *e) CHECKED;
bool core_replay_row(struct ledger_core *c, const struct ledger_row *r, int64_t time_s, struct err *e) CHECKED;
void core_replay_time(struct ledger_core *c, int64_t time_s);

/* A batch of at most LEDGER_BATCH_MAX (asserted). False only when the source fails; then, too, roll back. */
bool core_accounts(struct ledger_core *c, int64_t now_s, const struct ledger_account *a, size_t n,
		   enum ledger_status *status, struct err *e) CHECKED;
/* n 0 only expires what is due. */
bool core_transfers(struct ledger_core *c, int64_t now_s, const struct ledger_transfer *t, size_t n,
		    enum ledger_status *status, struct err *e) CHECKED;
/* What the batch appends: accounts created (indices into the caller's array) or rows, and the time it is known from. */
size_t core_new_accounts(const struct ledger_core *c, const uint32_t **indices);
size_t core_new_rows(const struct ledger_core *c, const struct ledger_row **rows);
int64_t core_time(const struct ledger_core *c);
/* Exactly one of the two ends a batch. */
void core_commit(struct ledger_core *c);
void core_rollback(struct ledger_core *c);

/* An account as it is now; number 0 when there is none. */
struct core_account {
	uint32_t number;
	uint32_t ledger;
	uint16_t code;
	uint8_t class, flags;
	struct id128 id;
	struct ledger_sums sums;
	uint32_t last; /* its newest row */
};
struct core_account core_account_find(const struct ledger_core *c, struct id128 id);
struct core_account core_account_at(const struct ledger_core *c, uint32_t number);
uint32_t core_accounts_len(const struct ledger_core *c);
uint32_t core_rows_len(const struct ledger_core *c);
/* The number of a recorded transfer, 0 when there is none. */
bool core_transfer_find(struct ledger_core *c, struct id128 id, struct ledger_row *out, struct err *e) CHECKED;
enum pending_state { PENDING_OPEN, PENDING_POSTED, PENDING_VOIDED, PENDING_EXPIRED };
/* Of a pending row; of any other PENDING_OPEN means nothing. */
enum pending_state core_pending_state(const struct ledger_core *c, uint32_t seq);
bool core_is_reversed(const struct ledger_core *c, uint32_t seq);
/* When the first open pending transfer expires; INT64_MAX never. */
int64_t core_next_expiry(const struct ledger_core *c);
/* SHA-256 over all that decides future answers. */
void core_digest(const struct ledger_core *c, uint8_t out[HASH_LEN]);
/* The same whatever the order in which the indexes of identifiers were filled. */
uint64_t core_ids_sum(const struct ledger_core *c);
size_t core_bytes(const struct ledger_core *c);

/* The state between two batches as bytes of this machine's layout, a multiple of 8; into an empty core, which is good for nothing but core_free when
   the bytes contradict themselves (false). */
size_t core_image_len(const struct ledger_core *c);
void core_image_put(const struct ledger_core *c, uint8_t *out);
bool core_image_take(struct ledger_core *c, struct bytes in) CHECKED;

#endif
