#include "tests/board/replay.h"

#include "protocol/base/buf.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC   0x6a736677736872ULL
#define SECTOR  512
#define FLUSH   1U
#define DISCARD 4U

static uint64_t u64_at(const uint8_t *data, size_t at)
{
	uint64_t v;
	memcpy(&v, data + at, sizeof(v));
	return le64toh(v);
}

static void entry_add(struct replay *r, const struct replay_entry *entry)
{
	if (r->len == r->max) {
		r->max = r->max == 0 ? 1024 : r->max * 2;
		r->entries = realloc(r->entries, r->max * sizeof(*r->entries));
		if (r->entries == NULL)
			abort();
	}
	r->entries[r->len++] = *entry;
}

/* The super block counts only now and then: entries are read until one has no form. */
static void entries_read(struct replay *r)
{
	uint8_t head[SECTOR];
	for (off_t at = SECTOR; pread(r->log, head, sizeof(head), at) == (ssize_t)sizeof(head);) {
		uint64_t flags = u64_at(head, 16), size = u64_at(head, 24), sectors = u64_at(head, 8);
		struct replay_entry entry = { .at = at + SECTOR,
					      .sector = u64_at(head, 0),
					      .sectors = sectors,
					      .is_flush = (flags & FLUSH) != 0,
					      .is_discard = (flags & DISCARD) != 0 };
		off_t data = entry.is_discard ? 0 : (off_t)(sectors * SECTOR);
		entry.end = entry.at + data;
		if ((flags == 0 && sectors == 0) || flags > 15 || size > (uint64_t)data)
			return;
		bool inside = entry.sector >= r->first && entry.sector + sectors <= r->first + r->count;
		if (inside || sectors == 0)
			entry_add(r, &entry);
		at = entry.end;
	}
}

bool replay_open(struct replay *r, const char *log, uint64_t first, uint64_t count, struct err *e)
{
	uint8_t super[SECTOR];
	*r = (struct replay){ .log = open(log, O_RDONLY | O_CLOEXEC), .first = first, .count = count };
	if (r->log < 0 || pread(r->log, super, sizeof(super), 0) != (ssize_t)sizeof(super) ||
	    u64_at(super, 0) != MAGIC || u64_at(super, 8) != 1)
		return err_set(e, ERR_INPUT, "%s is no log of writes", log);
	entries_read(r);
	return r->len > 0 || err_set(e, ERR_INPUT, "%s has no writes to the partition", log);
}

void replay_close(struct replay *r)
{
	if (r->log >= 0)
		close(r->log);
	free(r->entries);
	*r = (struct replay){ .log = -1 };
}

static bool entry_apply(const struct replay *r, const struct replay_entry *entry, int fd)
{
	uint8_t data[SECTOR * 128];
	off_t to = (off_t)((entry->sector - r->first) * SECTOR);
	for (uint64_t left = entry->is_discard ? 0 : entry->sectors * SECTOR, done = 0; left > 0;) {
		size_t n = left < sizeof(data) ? (size_t)left : sizeof(data);
		/* What a sparse log has at its very end may be missing: zeros. */
		ssize_t got = pread(r->log, data, n, entry->at + (off_t)done);
		if (got < 0)
			return false;
		memset(data + got, 0, n - (size_t)got);
		if (pwrite(fd, data, n, to + (off_t)done) != (ssize_t)n)
			return false;
		left -= n;
		done += n;
	}
	return true;
}

bool replay_apply(const struct replay *r, size_t upto, const char *image, unsigned (*chance)(void), struct err *e)
{
	size_t flushed = 0;
	for (size_t i = 0; i < upto; i++)
		if (r->entries[i].is_flush)
			flushed = i + 1;
	int fd = open(image, O_RDWR | O_CLOEXEC);
	bool ok = fd >= 0;
	for (size_t i = 0; ok && i < upto; i++)
		if (i < flushed || chance == NULL || chance() % 2 == 0)
			ok = entry_apply(r, &r->entries[i], fd);
	if (fd >= 0)
		close(fd);
	return ok || err_set(e, ERR_IO, "%s: %s", image, strerror(errno));
}
