#include "central/release/objects.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 300

static void path_of(const struct objects *o, const uint8_t hash[HASH_LEN], const char *suffix, char out[PATH_SIZE])
{
	char hex[2 * HASH_LEN + 1];
	hex_encode(hash, HASH_LEN, hex);
	snprintf(out, PATH_SIZE, "%s/%s%s", o->dir, hex, suffix);
}

bool objects_open(struct objects *o, const char *dir, struct err *e)
{
	int n = snprintf(o->dir, sizeof(o->dir), "%s/objects", dir);
	if (n < 0 || (size_t)n >= sizeof(o->dir))
		return err_set(e, ERR_INPUT, "the directory's path is longer than %zu bytes", sizeof(o->dir) - 9);
	return file_make_dir(o->dir, e);
}

/* The chunk list is written first: an object is there when its own file is. */
static bool list_write(const struct objects *o, struct bytes data, struct object_ref *ref, bool *there, struct err *e)
{
	struct buf list;
	char path[PATH_SIZE];
	if (data.len == 0 || data.len > OBJECT_MAX)
		return err_set(e, ERR_FULL, "an object of %zu bytes", data.len);
	buf_init(&list, (size_t)object_chunks(data.len) * HASH_LEN);
	object_refer(data, ref, &list);
	path_of(o, ref->hash, "", path);
	/* What nothing has named for long is named again soon: it is young again, for objects_sweep. */
	*there = utimensat(AT_FDCWD, path, NULL, 0) == 0;
	path_of(o, ref->hash, ".chunks", path);
	bool ok = *there || file_write(path, buf_bytes(&list), 0600, e);
	buf_clear(&list);
	return ok;
}

bool objects_put(struct objects *o, struct bytes data, struct object_ref *ref, struct err *e)
{
	char path[PATH_SIZE];
	bool there = false;
	if (!list_write(o, data, ref, &there, e))
		return false;
	path_of(o, ref->hash, "", path);
	return there || file_write(path, data, 0600, e);
}

bool objects_adopt(struct objects *o, const char *path, struct object_ref *ref, struct err *e)
{
	struct file_map map;
	char to[PATH_SIZE];
	bool there = false;
	if (!file_map(path, &map, e))
		return false;
	bool ok = list_write(o, map.bytes, ref, &there, e);
	file_unmap(&map);
	if (!ok)
		return false;
	path_of(o, ref->hash, "", to);
	return there ? file_remove(path, e) : file_rename(path, to, e);
}

bool objects_map(const struct objects *o, const uint8_t hash[HASH_LEN], struct file_map *map, struct err *e)
{
	char path[PATH_SIZE];
	path_of(o, hash, "", path);
	return file_map(path, map, e);
}

bool objects_chunk(const struct objects *o, const uint8_t hash[HASH_LEN], int64_t chunk, struct buf *out,
		   struct err *e)
{
	char path[PATH_SIZE];
	struct file_map map;
	path_of(o, hash, chunk < 0 ? ".chunks" : "", path);
	if (!file_map(path, &map, e))
		return false;
	bool ok = false;
	if (chunk < 0) {
		buf_add(out, map.bytes.data, map.bytes.len);
		ok = buf_ok(out, "chunk list", e);
	} else if (map.bytes.len == 0 || chunk >= object_chunks(map.bytes.len)) {
		err_set(e, ERR_MISSING, "the object has no chunk %lld", (long long)chunk);
	} else {
		buf_add(out, map.bytes.data + chunk * OBJECT_CHUNK,
			object_chunk_size(map.bytes.len, (uint32_t)chunk));
		ok = buf_ok(out, "chunk", e);
	}
	file_unmap(&map);
	return ok;
}

bool objects_remove(struct objects *o, const uint8_t hash[HASH_LEN], struct err *e)
{
	char path[PATH_SIZE];
	path_of(o, hash, "", path);
	if (!file_remove(path, e))
		return false;
	path_of(o, hash, ".chunks", path);
	return file_remove(path, e);
}

/* The hash that a file of ours is named by; a chunk list goes with its object. */
static bool sweep_name(const struct objects *o, const char *name, int64_t older_than_s, uint8_t hash[HASH_LEN])
{
	char path[PATH_SIZE];
	struct stat st;
	if (strlen(name) != (size_t)2 * HASH_LEN || !hex_decode(name, hash, HASH_LEN))
		return false;
	path_of(o, hash, "", path);
	return stat(path, &st) == 0 && st.st_mtim.tv_sec < older_than_s;
}

bool objects_sweep(struct objects *o, int64_t older_than_s, bool (*keep)(void *arg, const uint8_t hash[HASH_LEN]),
		   void *arg, struct err *e)
{
	DIR *dir = opendir(o->dir);
	bool ok = true;
	if (dir == NULL)
		return err_set(e, ERR_IO, "open %.120s: %s", o->dir, strerror(errno));
	while (ok) {
		// cppcheck-suppress readdirCalled ; one thread, and a stream of its own
		const struct dirent *at = readdir(dir); // NOLINT(concurrency-mt-unsafe)
		uint8_t hash[HASH_LEN];
		if (at == NULL)
			break;
		if (sweep_name(o, at->d_name, older_than_s, hash) && !keep(arg, hash))
			ok = objects_remove(o, hash, e);
	}
	closedir(dir);
	return ok;
}

bool objects_sweep_aside(const struct objects *o, struct err *e)
{
	DIR *dir = opendir(o->dir);
	bool ok = true;
	if (dir == NULL)
		return err_set(e, ERR_IO, "open %.120s: %s", o->dir, strerror(errno));
	while (ok) {
		char path[PATH_SIZE];
		// cppcheck-suppress readdirCalled ; one thread, and a stream of its own
		const struct dirent *at = readdir(dir); // NOLINT(concurrency-mt-unsafe)
		if (at == NULL)
			break;
		size_t len = strlen(at->d_name);
		if (len < 4 || strcmp(at->d_name + len - 4, ".tmp") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%.90s", o->dir, at->d_name);
		ok = file_remove(path, e);
	}
	closedir(dir);
	return ok;
}
