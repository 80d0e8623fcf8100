/*
 * A disk's writes as QEMU's blklogwrites recorded them (the format of Linux's dm-log-writes: Documentation/admin-guide/
 * device-mapper/log-writes.rst), and the disk as a power cut may have left it: everything up to the last flush, and of what
 * came after it any part.
 */
#ifndef TESTS_BOARD_REPLAY_H
#define TESTS_BOARD_REPLAY_H

#include "protocol/base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct replay_entry {
	off_t at;  /* of its data in the log */
	off_t end; /* of the entry */
	uint64_t sector, sectors;
	bool is_flush; /* all before it is on the disk */
	bool is_discard;
};
struct replay {
	int log;
	uint64_t first, count; /* the partition, in sectors of 512 bytes */
	size_t len, max;
	struct replay_entry *entries; /* those of the partition, and flushes */
};

/* ERR_INPUT when it is no such log. */
bool replay_open(struct replay *r, const char *log, uint64_t first, uint64_t count, struct err *e) CHECKED;
void replay_close(struct replay *r);
/*
 * Entries 0 … upto-1 onto `image`, a copy of the partition as it was when the log began. Of those after the last flush each is left
 * out with chance 1/2 when chance is not NULL.
 */
bool replay_apply(const struct replay *r, size_t upto, const char *image, unsigned (*chance)(void),
		  struct err *e) CHECKED;

#endif
