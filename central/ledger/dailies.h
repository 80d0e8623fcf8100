/*
 * Where a ledger's daily heads are: in ledger.db beside the chain, insert-only, and once more in a file of lines that can be copied elsewhere.
 *   taken    the payload of a day is stored first; from then on the day has that head and no other, whatever crashes
 *   signed   the signer's message over exactly that payload is stored
 *   written  the file of lines has it
 * A day is taken once. None is taken when the clock is behind a day that was, or when the chain does not have what the newest head says, in
 * ledger.db or in the file: then ledger.db was put back to an older state, or is another.
 */
#ifndef CENTRAL_LEDGER_DAILIES_H
#define CENTRAL_LEDGER_DAILIES_H

#include "central/ledger/daily.h"
#include "central/ledger/ledger.h"

#define DAILIES_FILE_MAX 67108864U /* a line has under 2 KiB: a century */

/* Today's head, unless it was taken or there is nothing to sign. file: of lines, may be missing. ERR_STALE: the clock went back; ERR_CONFLICT: the
   chain is not the one that was signed. */
bool dailies_take(struct ledger *l, const char *file, int64_t now_s, struct err *e) CHECKED;
/* The oldest that is taken and not signed; out stays empty when there is none. */
bool dailies_unsigned(struct ledger *l, struct buf *out, struct err *e) CHECKED;
/* ERR_DENIED when it is not signed under the point, or not what was taken. One that is there already is fine. */
bool dailies_put(struct ledger *l, struct bytes message, const uint8_t point[POINT_LEN], struct err *e) CHECKED;

/* Every signed one by day; a database without any, or older than they are, has none. */
bool dailies_each(struct db *db, bool (*each)(void *arg, struct bytes message, struct err *e), void *arg,
		  struct err *e) CHECKED;
/* The file of lines as ledger.db says, replaced as one step: "2026-11-24 BATCHES HASH BASE64" */
bool dailies_lines(struct db *db, struct buf *out, struct err *e) CHECKED;
bool dailies_write(struct ledger *l, const char *file, struct err *e) CHECKED;
/* Each message of such lines. ERR_INPUT names the line. */
bool dailies_read(struct bytes lines, bool (*each)(void *arg, struct bytes message, struct err *e), void *arg,
		  struct err *e) CHECKED;

#endif
