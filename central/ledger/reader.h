/*
 * Reading DIR/ledger.db beside the daemon that writes it: a snapshot, opened read-only, so nothing here waits for the writer or holds it up.
 * Balances as of two days: by effective day (when it counts) and by time known (when it was recorded), each with bounds included.
 */
#ifndef CENTRAL_LEDGER_READER_H
#define CENTRAL_LEDGER_READER_H

#include "central/ledger/ledger.h"

struct ledger_reader;

/* ERR_MISSING when there is no ledger yet. NULL on failure. */
struct ledger_reader *ledger_reader_open(const char *path, struct err *e) CHECKED;
void ledger_reader_close(struct ledger_reader *r); /* NULL is fine */
struct db *ledger_reader_db(struct ledger_reader *r);
const char *ledger_reader_path(const struct ledger_reader *r);

struct ledger_as_of {
	int32_t effective_day; /* INT32_MAX: all */
	int64_t known_s;       /* INT64_MAX: all */
};
/* By number, or 0 when there is no such account. */
bool ledger_reader_find(struct ledger_reader *r, struct id128 id, uint32_t *number, struct ledger_account *out,
			struct err *e) CHECKED;
bool ledger_reader_account(struct ledger_reader *r, uint32_t number, struct ledger_account *out,
			   struct err *e) CHECKED;
/* The newest row known then; 0 when there was none. */
bool ledger_reader_known(struct ledger_reader *r, int64_t known_s, uint32_t *last, struct err *e) CHECKED;
/* Of one account, going back through its own rows only. */
bool ledger_reader_balance(struct ledger_reader *r, uint32_t number, const struct ledger_as_of *at,
			   struct ledger_sums *out, struct err *e) CHECKED;
/* Of all accounts, by number from 1: out has room for accounts + 1. One pass over the rows. */
bool ledger_reader_balances(struct ledger_reader *r, const struct ledger_as_of *at, struct ledger_sums *out,
			    uint32_t accounts, struct err *e) CHECKED;
bool ledger_reader_count(struct ledger_reader *r, uint32_t *accounts, uint32_t *rows, struct err *e) CHECKED;

/* Its rows, newest first, until each says false. */
bool ledger_reader_history(struct ledger_reader *r, uint32_t number,
			   bool (*each)(void *arg, const struct ledger_row *row, int64_t time_s), void *arg,
			   struct err *e) CHECKED;

#endif
