#include "protocol/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool file_fail(const char *what, const char *path, struct err *e)
{
	int no = errno;
	enum err_code code = ERR_IO;
	if (no == ENOSPC || no == EDQUOT || no == EFBIG)
		code = ERR_FULL;
	else if (no == ENOENT)
		code = ERR_MISSING;
	return err_set(e, code, "%s %.120s: %s", what, path, strerror(no));
}

static bool write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len < SSIZE_MAX ? len : SSIZE_MAX);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

bool file_read(const char *path, struct buf *out, struct err *e)
{
	bool ok = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return file_fail("open", path, e);
	uint8_t part[16384];
	for (;;) {
		ssize_t n = read(fd, part, sizeof(part));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			file_fail("read", path, e);
			goto out;
		}
		if (n == 0)
			break;
		if (!buf_add(out, part, (size_t)n)) {
			ok = buf_ok(out, path, e);
			goto out;
		}
	}
	ok = buf_ok(out, path, e);
out:
	close(fd);
	return ok;
}

static bool file_put_aside(const char *aside, struct bytes data, mode_t mode, struct err *e)
{
	int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return file_fail("create", aside, e);
	bool ok = (write_all(fd, data.data, data.len) && fchmod(fd, mode) == 0 && fsync(fd) == 0) ||
		  file_fail("write", aside, e);
	if (close(fd) != 0 && ok)
		ok = file_fail("write", aside, e);
	return ok;
}

bool file_write(const char *path, struct bytes data, mode_t mode, struct err *e)
{
	char aside[PATH_MAX];
	if ((size_t)snprintf(aside, sizeof(aside), "%s.tmp", path) >= sizeof(aside))
		return err_set(e, ERR_INPUT, "the path %.120s… is too long", path);
	if (file_put_aside(aside, data, mode, e) && file_rename(aside, path, e))
		return true;
	unlink(aside);
	return false;
}

bool file_sync_dir(const char *path, struct err *e)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);
	if (len >= sizeof(dir))
		return err_set(e, ERR_INPUT, "the path %.120s… is too long", path);
	memcpy(dir, path, len);
	dir[len] = 0;
	const char *name = slash == NULL ? "." : len == 0 ? "/" : dir;
	int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return file_fail("open", name, e);
	bool ok = fsync(fd) == 0 || file_fail("sync", name, e);
	close(fd);
	return ok;
}

bool file_rename(const char *from, const char *to, struct err *e)
{
	if (rename(from, to) != 0)
		return file_fail("rename to", to, e);
	return file_sync_dir(to, e);
}

bool file_remove(const char *path, struct err *e)
{
	return unlink(path) == 0 || errno == ENOENT || file_fail("remove", path, e);
}

bool file_make_dir(const char *path, struct err *e)
{
	char part[PATH_MAX];
	size_t len = strlen(path);
	if (len == 0 || len >= sizeof(part))
		return err_set(e, ERR_INPUT, "a directory's path must have 1 to %zu bytes", sizeof(part) - 1);
	memcpy(part, path, len + 1);
	for (size_t i = 1; i <= len; i++) {
		if (part[i] != '/' && part[i] != 0)
			continue;
		part[i] = 0;
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return file_fail("make directory", part, e);
		if (i < len)
			part[i] = '/';
	}
	struct stat st;
	if (stat(path, &st) != 0)
		return file_fail("look at", path, e);
	return S_ISDIR(st.st_mode) || err_set(e, ERR_IO, "%.120s is not a directory", path);
}

bool file_map(const char *path, struct file_map *map, struct err *e)
{
	*map = (struct file_map){ { NULL, 0 } };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return file_fail("open", path, e);
	bool ok = false;
	struct stat st;
	if (fstat(fd, &st) != 0) {
		file_fail("look at", path, e);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(e, ERR_IO, "%.120s is not a file", path);
		goto out;
	}
	if (st.st_size > 0) {
		void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (data == MAP_FAILED) {
			file_fail("map", path, e);
			goto out;
		}
		map->bytes = (struct bytes){ data, (size_t)st.st_size };
	}
	ok = true;
out:
	close(fd);
	return ok;
}

void file_unmap(struct file_map *map)
{
	if (map->bytes.len > 0) {
		union {
			const uint8_t *borrowed;
			void *mapped;
		} at = { .borrowed = map->bytes.data };
		munmap(at.mapped, map->bytes.len);
	}
	*map = (struct file_map){ { NULL, 0 } };
}

/* Some file systems cannot reserve blocks; there the zeros are written. */
static bool file_reserve(int fd, size_t size)
{
	static const uint8_t zeros[65536];
	while (fallocate(fd, 0, 0, (off_t)size) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != EOPNOTSUPP)
			return false;
		while (size > 0) {
			size_t part = size < sizeof(zeros) ? size : sizeof(zeros);
			if (!write_all(fd, zeros, part))
				return false;
			size -= part;
		}
		return true;
	}
	return true;
}

bool file_create(const char *path, size_t size, struct file_create *c, struct err *e)
{
	*c = (struct file_create){ .fd = -1, .size = size };
	size_t len = strlen(path);
	if (len >= sizeof(c->path))
		return err_set(e, ERR_INPUT, "the path %.120s… is longer than %zu bytes", path, sizeof(c->path) - 1);
	memcpy(c->path, path, len + 1);
	c->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (c->fd < 0)
		return file_fail("create", path, e);
	if (size == 0)
		return true;
	if (!file_reserve(c->fd, size)) {
		file_fail("reserve space for", path, e);
		goto out;
	}
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	if (data == MAP_FAILED) {
		file_fail("map", path, e);
		goto out;
	}
	c->data = data;
	return true;
out:
	file_create_abort(c);
	return false;
}

bool file_create_finish(struct file_create *c, struct err *e)
{
	if ((c->data != NULL && msync(c->data, c->size, MS_SYNC) != 0) || fsync(c->fd) != 0) {
		file_fail("write", c->path, e);
		file_create_abort(c);
		return false;
	}
	if (c->data != NULL)
		munmap(c->data, c->size);
	close(c->fd);
	c->data = NULL;
	c->fd = -1;
	return true;
}

void file_create_abort(struct file_create *c)
{
	if (c->fd < 0)
		return;
	if (c->data != NULL)
		munmap(c->data, c->size);
	close(c->fd);
	unlink(c->path);
	c->data = NULL;
	c->fd = -1;
}
