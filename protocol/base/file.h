/*
 * Files that survive a power cut: written aside ("NAME.tmp"), fsynced, renamed, the directory fsynced. A full disk
 * (ENOSPC, EDQUOT, EFBIG) is ERR_FULL, a file that is not there ERR_MISSING, anything else ERR_IO; the text names the path.
 */
#ifndef PROTOCOL_BASE_FILE_H
#define PROTOCOL_BASE_FILE_H

#include "protocol/base/buf.h"

#include <sys/types.h>

/* Reads the whole file into out (initialised by the caller; its max is the bound). */
bool file_read(const char *path, struct buf *out, struct err *e) CHECKED;
/* Replaces path as one step; on failure the old file is untouched and the one aside removed. */
bool file_write(const char *path, struct bytes data, mode_t mode, struct err *e) CHECKED;
/* Makes the renamed entry durable: fsync of the directory that holds path. */
bool file_sync_dir(const char *path, struct err *e) CHECKED;
/* rename + file_sync_dir. */
bool file_rename(const char *from, const char *to, struct err *e) CHECKED;
/* Removes it; a file that is not there is no failure. */
bool file_remove(const char *path, struct err *e) CHECKED;
/* The directory and its parents, mode 0700 where made. */
bool file_make_dir(const char *path, struct err *e) CHECKED;

/* A whole file mapped read-only. An empty file maps to len 0. */
struct file_map {
	struct bytes bytes;
};
bool file_map(const char *path, struct file_map *map, struct err *e) CHECKED;
void file_unmap(struct file_map *map);

/* A new file of exactly size bytes mapped for writing; blocks are reserved at once, so a full disk fails here and not
   with SIGBUS later. file_create_finish msyncs, fsyncs, unmaps; the caller renames. file_create_abort removes it. */
struct file_create {
	uint8_t *data;
	size_t size;
	int fd;
	char path[256];
};
bool file_create(const char *path, size_t size, struct file_create *c, struct err *e) CHECKED;
bool file_create_finish(struct file_create *c, struct err *e) CHECKED;
void file_create_abort(struct file_create *c);

#endif
