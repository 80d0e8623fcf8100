/* What verify's files share. */
#ifndef CENTRAL_LEDGER_VERIFY_INNER_H
#define CENTRAL_LEDGER_VERIFY_INNER_H

#include "central/ledger/verify.h"

struct seen_account {
	struct ledger_sums sums;
	uint32_t ledger; /* index into ledgers */
	uint32_t last;
	uint8_t class, flags;
};

/* Net posted of a class: issue debits − credits, the others credits − debits. */
struct seen_classes {
	int128 net[ACCOUNT_RETIRE + 1];
	int128 pending;
};

struct seen_ledger {
	uint32_t number;
	struct seen_classes now;
};

struct seen_day {
	uint32_t ledger; /* index */
	int32_t day;
	struct seen_classes delta;
};

struct walk {
	struct ledger_verdict *v;
	struct db *db;
	const char *path;              /* the ledger's */
	struct seen_account *accounts; /* owned; by number */
	struct seen_ledger *ledgers;   /* owned */
	size_t ledgers_len;
	struct seen_day *days; /* owned; sorted by ledger, day */
	size_t days_len, days_room;
	uint8_t *ended;    /* owned; by row: ended, reversed */
	int64_t *due;      /* owned; by row: when a pending one expires; 0 never */
	struct id128 *ids; /* owned */
	size_t ids_len;
	struct ledger_signed *heads; /* by position; NULL none */
	size_t heads_next;
};

/* Counts a look; a break is put into words once. False when it does not hold. */
bool walk_look(struct walk *w, enum ledger_invariant i, bool holds, const char *fmt, ...) PRINTF(4, 5);
/* One row behind those before it. False only when the file cannot be read. */
bool walk_row(struct walk *w, const struct ledger_row *r, int64_t time_s, struct err *e) CHECKED;
/* verify_heads.c: before the walk, behind each batch (with what there is up to it), behind the last. */
void heads_start(struct walk *w, struct ledger_signed *s);
void heads_look(struct walk *w, uint64_t accounts, uint64_t rows);
void heads_end(struct walk *w);
/* What can be said when all rows were seen. */
void walk_end(struct walk *w);

#endif
