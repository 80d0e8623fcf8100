#include "central/release/updates.h"

#include "central/alarm.h"
#include "central/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SQUASHFS_HEAD 96 /* its superblock, little-endian: magic(4) … major(2) at 28 … bytes_used(8) at 40 */
#define PATH_SIZE     360

/* The upload */

static void upload_path(const struct release_context *c, const char *arch, const char *operator, char out[PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "%s/upload-%s-%s", c->objects->dir, arch, operator);
}

static bool arch_check(const char *arch, struct err *e)
{
	return update_arch_is_valid(arch) || err_set(e, ERR_INPUT, "arch: '%.20s' is neither arm64 nor amd64", arch);
}

static bool piece_write(int fd, int64_t offset, struct bytes piece, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_set(e, ERR_IO, "the upload: %s", strerror(errno));
	if (st.st_size != offset)
		return err_set(e, ERR_CONFLICT, "the upload has %lld bytes, the piece begins at %lld: begin anew",
			       (long long)st.st_size, (long long)offset);
	ssize_t n = pwrite(fd, piece.data, piece.len, offset);
	if (n == (ssize_t)piece.len)
		return true;
	return n < 0 && errno != ENOSPC ? err_set(e, ERR_IO, "the upload: %s", strerror(errno))
					: err_set(e, ERR_FULL, "the disk is full");
}

bool updates_upload(struct release_context *c, const char *arch, const char *operator, int64_t offset,
		    struct bytes piece, struct err *e)
{
	char path[PATH_SIZE];
	if (!arch_check(arch, e))
		return false;
	if (piece.len == 0 || piece.len > UPDATE_PIECE_MAX)
		return err_set(e, ERR_INPUT, "a piece of %zu bytes; 1 to %u are taken", piece.len, UPDATE_PIECE_MAX);
	if (offset < 0 || (uint64_t)offset + piece.len > OBJECT_MAX)
		return err_set(e, ERR_FULL, "an image has at most %u bytes", OBJECT_MAX);
	upload_path(c, arch, operator, path);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (offset == 0 ? O_TRUNC : 0), 0600);
	if (fd < 0)
		return err_set(e, ERR_IO, "the upload: %s", strerror(errno));
	bool ok = piece_write(fd, offset, piece, e);
	close(fd);
	return ok;
}

/* The image */

static uint64_t little(const uint8_t *at, int bytes)
{
	uint64_t v = 0;
	while (bytes-- > 0)
		v = v << 8 | at[bytes];
	return v;
}

bool updates_image_check(struct bytes first, uint64_t size, struct err *e)
{
	if (first.len < SQUASHFS_HEAD || memcmp(first.data, "hsqs", 4) != 0 || little(first.data + 28, 2) != 4)
		return err_set(e, ERR_INPUT, "the file is no squashfs image");
	uint64_t used = little(first.data + 40, 8);
	if (used > size)
		return err_set(e, ERR_INPUT,
			       "the image was cut: it has %llu bytes and says that it needs %llu; copy it again",
			       (unsigned long long)size, (unsigned long long)used);
	return used >= SQUASHFS_HEAD || err_set(e, ERR_INPUT, "the file is no squashfs image: it uses no bytes");
}

static bool upload_check(const char *path, struct err *e)
{
	uint8_t head[SQUASHFS_HEAD];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_set(e, errno == ENOENT ? ERR_MISSING : ERR_IO, "the upload: %s", strerror(errno));
	ssize_t n = pread(fd, head, sizeof(head), 0);
	/* What is adopted is renamed, and must be on the disk before its row is. */
	bool ok = n >= 0 && fstat(fd, &st) == 0 && fsync(fd) == 0;
	if (!ok)
		err_set(e, ERR_IO, "the upload: %s", strerror(errno));
	close(fd);
	return ok && updates_image_check((struct bytes){ head, (size_t)n }, (uint64_t)st.st_size, e);
}

/* The draft */

static bool version_check(struct release_context *c, const struct update_draft *d, struct err *e)
{
	int64_t newest = 0;
	if (d->version == 0 || d->version > COUNTER_MAX)
		return err_set(e, ERR_INPUT, "version: expected a whole number from 1 on");
	if (!db_run_int(c->db, &newest, e,
			"SELECT COALESCE(MAX(u.version), 0) FROM update_image u JOIN release r ON r.id = u.release"
			" WHERE u.arch = ? AND r.state = 4",
			"t", d->arch))
		return false;
	return d->version > (uint64_t)newest ||
	       err_set(e, ERR_STALE,
		       "version %llu is not above version %lld, which is published for %s: branches never go back",
		       (unsigned long long)d->version, (long long)newest, d->arch);
}

static void put_zh_en(struct buf *out, const char *key, const char *zh, const char *en)
{
	cbor_put_text(out, key);
	cbor_put_map(out, 2);
	cbor_put_text(out, "en");
	cbor_put_text(out, en);
	cbor_put_text(out, "zh");
	cbor_put_text(out, zh);
}

static void put_hash(struct buf *out, const char *key, const uint8_t hash[HASH_LEN])
{
	char hex[2 * HASH_LEN + 1];
	hex_encode(hash, HASH_LEN, hex);
	cbor_put_text(out, key);
	cbor_put_text(out, hex);
}

/* In CBOR's order of keys: the shorter first. */
static void document_put(const struct update_draft *d, const struct object_ref *image, struct buf *out)
{
	char zh[48], en[48];
	snprintf(zh, sizeof(zh), "第 %llu 版", (unsigned long long)d->version);
	snprintf(en, sizeof(en), "version %llu", (unsigned long long)d->version);
	cbor_put_map(out, d->notes_zh != NULL ? 6 : 5);
	cbor_put_text(out, "arch");
	cbor_put_text(out, d->arch);
	cbor_put_text(out, "type");
	cbor_put_text(out, "update");
	if (d->notes_zh != NULL)
		put_zh_en(out, "notes", d->notes_zh, d->notes_en);
	put_zh_en(out, "title", d->title_zh != NULL ? d->title_zh : zh, d->title_en != NULL ? d->title_en : en);
	cbor_put_text(out, "object");
	cbor_put_map(out, 3);
	put_hash(out, "sha256", image->hash);
	cbor_put_text(out, "size_bytes");
	cbor_put_uint(out, image->size);
	put_hash(out, "chunks_sha256", image->chunks_hash);
	cbor_put_text(out, "version");
	cbor_put_uint(out, d->version);
}

static bool document_make(const struct update_draft *d, const struct object_ref *image, struct buf *out,
			  struct err *e)
{
	struct update u;
	document_put(d, image, out);
	if (!buf_ok(out, "document", e) || !update_parse(buf_bytes(out), &u, e))
		return false;
	update_clear(&u);
	return true;
}

static bool rows_insert(struct release_context *c, const struct update_draft *d, const struct object_ref *image,
			struct release *r, struct err *e)
{
	return release_document_insert(c, r, e) &&
	       db_run(c->db, e, "INSERT INTO update_image (release, arch, version, hash) VALUES (?, ?, ?, ?)", "itib",
		      r->id, d->arch, (int64_t)d->version, (struct bytes){ image->hash, HASH_LEN });
}

static bool draft_store(struct release_context *c, const struct update_draft *d, const struct object_ref *image,
			int64_t *id, struct err *e)
{
	struct release r = { .kind = RELEASE_DOCUMENT, .created_s = d->now_s };
	struct buf cbor;
	snprintf(r.name, sizeof(r.name), UPDATE_PREFIX "%s", d->arch);
	snprintf(r.source, sizeof(r.source), "%s", d->source);
	snprintf(r.created_by, sizeof(r.created_by), "%s", d->operator);
	buf_init(&cbor, DOCUMENT_MAX);
	bool ok = document_make(d, image, &cbor, e) && objects_put(c->objects, buf_bytes(&cbor), &r.content, e) &&
		  db_begin(c->db, e);
	if (ok) {
		ok = rows_insert(c, d, image, &r, e) && db_commit(c->db, e);
		if (!ok)
			db_rollback(c->db);
	}
	buf_clear(&cbor);
	*id = r.id;
	return ok;
}

bool updates_draft(struct release_context *c, const struct update_draft *d, int64_t *id, struct err *e)
{
	char path[PATH_SIZE];
	struct object_ref image;
	if (!arch_check(d->arch, e))
		return false;
	if ((d->notes_zh == NULL) != (d->notes_en == NULL))
		return err_set(e, ERR_INPUT, "notes: give them in Chinese and in English, or not at all");
	if ((d->title_zh == NULL) != (d->title_en == NULL))
		return err_set(e, ERR_INPUT, "title: give it in Chinese and in English, or not at all");
	upload_path(c, d->arch, d->operator, path);
	bool ok = upload_check(path, e) && version_check(c, d, e) && objects_adopt(c->objects, path, &image, e) &&
		  draft_store(c, d, &image, id, e);
	if (!ok)
		(void)!file_remove(path, NULL); /* the next upload begins anew in any case */
	return ok;
}

/* What branches say */

bool updates_status(struct db *db, const char *branch, const struct status_update *u, int64_t now_s, struct err *e)
{
	int64_t known = 0;
	char detail[200];
	if (u->state == UPDATE_NONE)
		return db_run(db, e, "DELETE FROM branch_update WHERE branch = ?", "t", branch);
	if (!db_run_int(db, &known, e, "SELECT COALESCE(MAX(failed), 0) FROM branch_update WHERE branch = ?", "t",
			branch) ||
	    !db_run(db, e,
		    "INSERT INTO branch_update (branch, state, slot, version, wanted, failed, fault) VALUES (?, ?, "
		    "?, ?, "
		    "?, ?, ?) ON CONFLICT (branch) DO UPDATE SET state = excluded.state, slot = excluded.slot,"
		    " version = excluded.version, wanted = excluded.wanted, failed = excluded.failed,"
		    " fault = excluded.fault",
		    "titiiit", branch, (int64_t)u->state, u->slot_b ? "b" : "a", (int64_t)u->version,
		    (int64_t)u->wanted, (int64_t)u->failed, u->fault))
		return false;
	if (u->failed == 0 || (uint64_t)known == u->failed)
		return true;
	snprintf(detail, sizeof(detail), "image version %llu did not prove itself; the box runs version %llu again",
		 (unsigned long long)u->failed, (unsigned long long)u->version);
	return alarm_raise(db, now_s, branch, "update.failed", detail, e);
}
