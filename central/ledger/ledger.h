/*
 * The ledger on disk, DIR/ledger.db: the core's rows in SQLite, a transaction a batch, committed before the answer. Rows are only ever
 * inserted (triggers refuse the rest), and each batch's rows, time and operator are hashed onto the batch before it (row.h). Opening
 * reads a snapshot and what came after it, or every row: balances and the identifiers' index are in memory, 64 bytes an account and about 15 a
 * transfer. Closing leaves a snapshot when much has come since the last.
 * One writer; readers open the file for themselves (reader.h).
 */
#ifndef CENTRAL_LEDGER_LEDGER_H
#define CENTRAL_LEDGER_LEDGER_H

#include "central/ledger/core.h"
#include "protocol/base/db.h"

struct ledger;

/* NULL on failure; ERR_IO when what is stored contradicts itself. */
struct ledger *ledger_open(const char *path, struct err *e) CHECKED;
void ledger_close(struct ledger *l); /* NULL is fine */

/* Creates accounts, or posts transfers, in batches of at most LEDGER_BATCH_MAX (ERR_INPUT): a status for each, durable on return. On failure nothing
   was recorded and nothing has changed. */
bool ledger_accounts(struct ledger *l, int64_t now_s, const char *operator, const struct ledger_account * a, size_t n,
		     enum ledger_status *status, struct err *e) CHECKED;
bool ledger_transfers(struct ledger *l, int64_t now_s, const char *operator, const struct ledger_transfer * t,
		      size_t n, enum ledger_status *status, struct err *e) CHECKED;
/* Pending transfers whose time is up are expired now instead of with the next batch. */
bool ledger_expire(struct ledger *l, int64_t now_s, struct err *e) CHECKED;

/* What is behind the newest snapshot (snapshot.h), in rows and accounts. */
uint64_t ledger_unsaved(const struct ledger *l);
/* A snapshot of now. */
bool ledger_snapshot(struct ledger *l, struct err *e) CHECKED;
/* The same in a process of its own, once LEDGER_SNAPSHOT_ROWS are behind the newest and none is being written; to be called now and then, also to
   collect it. False: the last one failed, and why. */
bool ledger_snapshot_run(struct ledger *l, struct err *e) CHECKED;
/* Why opening read every row; ERR_NONE when it did not. */
const struct err *ledger_passed_over(const struct ledger *l);

/* Everything that is read from memory. Borrowed. */
struct ledger_core *ledger_core(struct ledger *l);
/* For what stands beside the chain (dailies.h). Borrowed. */
struct db *ledger_db(struct ledger *l);
/* The newest link of the chain. */
struct ledger_head {
	uint64_t batches;
	uint8_t hash[HASH_LEN];
	int64_t time_s; /* 0 before the first */
};
struct ledger_head ledger_head(const struct ledger *l);

/* --- rows as they are stored, for whoever reads the file --- */

#define LEDGER_SELECT_ROWS                                                                                           \
	"SELECT id, data, amount, released, seq, debit, credit, ref, prev_debit, prev_credit, timeout_s,"            \
	" effective_day, code, kind, flags FROM transfer "
#define LEDGER_SELECT_ACCOUNTS "SELECT id, ledger, code, class, flags, name FROM account "
#define LEDGER_SELECT_BATCHES  "SELECT no, kind, first, rows, time_s, operator, hash FROM batch "
bool ledger_row_read(const struct db_query *q, struct ledger_row *out, struct err *e) CHECKED;
bool ledger_account_read(const struct db_query *q, struct ledger_account *out, struct err *e) CHECKED;
bool ledger_batch_read(const struct db_query *q, struct ledger_batch *out, uint8_t hash[HASH_LEN],
		       struct err *e) CHECKED;
/* A core's source over a database; arg is its struct db *. */
bool ledger_source_row(void *arg, uint32_t seq, struct ledger_row *out, struct err *e);
bool ledger_source_named(void *arg, uint32_t account, const char *name, bool *same, struct err *e);
/* Every stored account and row into an empty core, and the newest head; the chain is not computed again (verify.h does). */
bool ledger_load(struct db *db, struct ledger_core *c, struct ledger_head *head, struct err *e) CHECKED;
/* What stands behind *head, up to which the core is. */
bool ledger_load_rest(struct db *db, struct ledger_core *c, struct ledger_head *head, struct err *e) CHECKED;
/* A new core as the daemon gets it: from the snapshot of the ledger at path and what came after, or from every row. NULL on failure. Release with
   core_free. */
struct ledger_restored {
	struct ledger_head head;
	uint64_t saved;         /* rows and accounts that came from the snapshot */
	struct err passed_over; /* why it was; code ERR_NONE when it was used */
};
struct ledger_core *ledger_restore(struct db *db, const char *path, struct ledger_restored *how,
				   struct err *e) CHECKED;

#endif
