/* The core's state, for its own files: core.c keeps it, core_judge.c decides. */
#ifndef CENTRAL_LEDGER_CORE_INNER_H
#define CENTRAL_LEDGER_CORE_INNER_H

#include "central/ledger/core.h"
#include "central/ledger/id_index.h"

/* 64 bytes, one a cache line. */
struct core_slot {
	struct id128 id;
	struct ledger_sums sums;
	uint32_t ledger, last;
	uint16_t code;
	uint8_t class, flags;
	uint32_t unused;
};

/* Of a row, by number: how a pending one ended, and whether an original was reversed. */
enum { STATE_ENDED = 3, STATE_REVERSED = 4 };

/* What a batch has changed, newest last. */
struct core_undo {
	bool is_state;
	uint8_t state;
	uint32_t number; /* of the account or the row */
	uint32_t last;
	struct ledger_sums sums;
};

struct core_expiry {
	int64_t time_s;
	uint32_t seq;
};

struct core_heap {
	struct core_expiry *at; /* owned; earliest first */
	size_t len, room;
};

#define LOCAL_SLOTS 32768U /* a power of two above twice the rows with identifiers of one batch */

struct ledger_core {
	struct core_source source;
	struct core_slot *accounts; /* owned; by number, 0 unused */
	uint32_t accounts_len, accounts_room;
	struct id_index *account_ids, *ids;
	uint8_t *states;              /* owned; by row number */
	uint32_t rows_len, rows_room; /* committed rows */
	int64_t last_s, batch_s;
	struct core_heap heap;
	/* the batch */
	struct ledger_row *rows; /* owned */
	size_t new_len, new_room;
	uint32_t local[LOCAL_SLOTS]; /* 1 + index into rows, by identifier */
	uint32_t created[LEDGER_BATCH_MAX];
	size_t created_len;
	struct core_undo *undo; /* owned */
	size_t undo_len, undo_room;
	struct core_expiry *popped; /* owned */
	size_t popped_len, popped_room;
};

/* The row with this identifier, committed or of the batch; seq 0 when there is none. */
bool core_find(struct ledger_core *c, struct id128 id, struct ledger_row *out, struct err *e) CHECKED;
uint32_t core_account_number(const struct ledger_core *c, struct id128 id);
uint8_t core_state(const struct ledger_core *c, uint32_t seq);
/* Appends a row and applies it. r has no number and no links to earlier rows yet. */
void core_append(struct ledger_core *c, struct ledger_row *r);

/* The verdict on one transfer; LEDGER_OK: *r is what to append. */
bool core_judge(struct ledger_core *c, const struct ledger_transfer *t, enum ledger_status *status,
		struct ledger_row *r, struct err *e) CHECKED;
enum ledger_status core_judge_account(const struct ledger_account *a);

#endif
