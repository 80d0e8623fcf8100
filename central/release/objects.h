/*
 * Central's objects on disk: DIR/objects/<hex> beside DIR/objects/<hex>.chunks, immutable, written aside and
 * renamed. What was put twice is stored once.
 */
#ifndef CENTRAL_RELEASE_OBJECTS_H
#define CENTRAL_RELEASE_OBJECTS_H

#include "protocol/base/file.h"
#include "protocol/object.h"

struct objects {
	char dir[200];
};
bool objects_open(struct objects *o, const char *dir, struct err *e) CHECKED;
bool objects_put(struct objects *o, struct bytes data, struct object_ref *ref, struct err *e) CHECKED;
/* A finished file (file_create_finish) taken over under its hash. */
bool objects_adopt(struct objects *o, const char *path, struct object_ref *ref, struct err *e) CHECKED;
bool objects_map(const struct objects *o, const uint8_t hash[HASH_LEN], struct file_map *map, struct err *e) CHECKED;
/* The chunk list (chunk -1) or one chunk, appended to out. ERR_MISSING. */
bool objects_chunk(const struct objects *o, const uint8_t hash[HASH_LEN], int64_t chunk, struct buf *out,
		   struct err *e) CHECKED;
/* Removes every object last written before older_than_s that keep does not want. */
bool objects_sweep(struct objects *o, int64_t older_than_s, bool (*keep)(void *arg, const uint8_t hash[HASH_LEN]),
		   void *arg, struct err *e) CHECKED;
/* Files that a killed process has left half written. Nobody is writing any. */
bool objects_sweep_aside(const struct objects *o, struct err *e) CHECKED;
bool objects_remove(struct objects *o, const uint8_t hash[HASH_LEN], struct err *e) CHECKED;

#endif
