/*
 * DIR/ledger.db.snapshot: the core's state behind one batch, so that opening reads only what came after. It is a cache and nothing more: the
 * rows are the ledger. It is used when it is whole (checksum), of this program and machine, and when its batch is in ledger.db with
 * the same chain hash; else it is passed over and every row is read. Written aside, synced, renamed.
 *   head, 128 bytes: magic, layout, batch number, chain hash, time, length ‖ SHA-256(head so far ‖ checksum of the image) ‖ image (core.h)
 * The checksum finds damage. It is none against whoever can write here: he could write ledger.db as well; `ledger verify` reads every row and
 * compares what comes of it with what comes of the snapshot.
 */
#ifndef CENTRAL_LEDGER_SNAPSHOT_H
#define CENTRAL_LEDGER_SNAPSHOT_H

#include "central/ledger/ledger.h"

#define SNAPSHOT_PATH_MAX 320
/* Of the ledger with this path. */
void snapshot_path(const char *ledger_path, char out[SNAPSHOT_PATH_MAX]);
bool snapshot_write(const char *path, const struct ledger_core *c, const struct ledger_head *head,
		    struct err *e) CHECKED;
/* Into an empty core; false: c is good for nothing but core_free. ERR_MISSING: there is none; ERR_STALE: of another program, or of another
   history than db's; ERR_IO: damaged. */
bool snapshot_read(const char *path, struct db *db, struct ledger_core *c, struct ledger_head *head,
		   struct err *e) CHECKED;

#endif
