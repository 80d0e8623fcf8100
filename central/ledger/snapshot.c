#include "central/ledger/snapshot.h"

#include "protocol/base/file.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char magic[16] = "xb/ledger-snap/1"; // NOLINT: 16 bytes without a NUL

#define ORDER 0x0102030405060708U /* of bytes in a word */

struct snapshot_head {
	char magic[16];
	uint64_t order, batches;
	uint8_t hash[HASH_LEN];
	int64_t time_s;
	uint64_t image_len;
	uint64_t unused[2];
	uint8_t digest[HASH_LEN];
};
_Static_assert(sizeof(struct snapshot_head) == 128, "its layout is in the file");

void snapshot_path(const char *ledger_path, char out[SNAPSHOT_PATH_MAX])
{
	snprintf(out, SNAPSHOT_PATH_MAX, "%.300s.snapshot", ledger_path);
}

/*
 * Four lanes over 8-byte words, since a cryptographic hash of some hundred megabytes would be most of an opening. Each step maps a lane one
 * to one, so one changed word is always noticed, any other damage but once in 2^64.
 */
static void checksum(const uint8_t *data, size_t len, uint64_t lanes[4])
{
	uint64_t word[4];
	for (size_t i = 0; i < 4; i++)
		lanes[i] = 0x9e3779b97f4a7c15U * (i + 1);
	for (size_t at = 0; at < len; at += sizeof(word)) {
		size_t n = len - at < sizeof(word) ? len - at : sizeof(word);
		memset(word, 0, sizeof(word));
		memcpy(word, data + at, n);
		for (size_t i = 0; i < 4; i++) {
			uint64_t x = (lanes[i] ^ word[i]) * 0xbf58476d1ce4e5b9U;
			lanes[i] = x << 29 | x >> 35;
		}
	}
}

static void digest_make(const struct snapshot_head *h, const uint8_t *image, size_t len, uint8_t out[HASH_LEN])
{
	struct sha256_stream s;
	uint64_t lanes[4];
	checksum(image, len, lanes);
	sha256_start(&s);
	sha256_add(&s, (struct bytes){ (const uint8_t *)h, offsetof(struct snapshot_head, digest) });
	sha256_add(&s, (struct bytes){ (const uint8_t *)lanes, sizeof(lanes) });
	sha256_finish(&s, out);
}

bool snapshot_write(const char *path, const struct ledger_core *c, const struct ledger_head *head, struct err *e)
{
	struct snapshot_head h = {
		.order = ORDER, .batches = head->batches, .time_s = head->time_s, .image_len = core_image_len(c)
	};
	struct file_create f;
	char aside[SNAPSHOT_PATH_MAX + 4];
	snprintf(aside, sizeof(aside), "%s.tmp", path);
	memcpy(h.magic, magic, sizeof(h.magic));
	memcpy(h.hash, head->hash, HASH_LEN);
	if (!file_create(aside, sizeof(h) + h.image_len, &f, e))
		return false;
	core_image_put(c, f.data + sizeof(h));
	digest_make(&h, f.data + sizeof(h), h.image_len, h.digest);
	memcpy(f.data, &h, sizeof(h));
	return file_create_finish(&f, e) && file_rename(aside, path, e);
}

/* The chain has its batch. */
static bool chain_has(struct db *db, const struct snapshot_head *h, struct err *e)
{
	struct db_query *q = db_query(db, "SELECT hash, time_s FROM batch WHERE no = ?", e);
	bool row = false;
	bool ok = q != NULL && db_bind_int(q, 1, (int64_t)h->batches, e) && db_next(q, &row, e);
	bool same = ok && row && bytes_equal(db_bytes(q, 0), (struct bytes){ h->hash, HASH_LEN }) &&
		    db_int(q, 1) == h->time_s;
	db_finish(q);
	return ok && (same || err_set(e, ERR_STALE, "the snapshot is of another history"));
}

/* Not more than the file has. */
static bool within(struct db *db, const struct ledger_core *c, struct err *e)
{
	int64_t accounts = 0, rows = 0;
	return db_run_int(db, &accounts, e, "SELECT COALESCE(MAX(no), 0) FROM account", "") &&
	       db_run_int(db, &rows, e, "SELECT COALESCE(MAX(seq), 0) FROM transfer", "") &&
	       ((core_accounts_len(c) <= accounts && core_rows_len(c) <= rows) ||
		err_set(e, ERR_STALE, "the snapshot has more than the ledger"));
}

static bool map_take(struct bytes in, struct db *db, struct ledger_core *c, struct ledger_head *head, struct err *e)
{
	struct snapshot_head h;
	uint8_t digest[HASH_LEN];
	if (in.len < sizeof(h))
		return err_set(e, ERR_IO, "the snapshot is damaged");
	memcpy(&h, in.data, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(h.magic)) != 0 || h.order != ORDER)
		return err_set(e, ERR_STALE, "the snapshot is another program's");
	if (h.image_len != in.len - sizeof(h))
		return err_set(e, ERR_IO, "the snapshot is damaged");
	if (!chain_has(db, &h, e))
		return false;
	struct bytes image = { in.data + sizeof(h), (size_t)h.image_len };
	digest_make(&h, image.data, image.len, digest);
	if (memcmp(digest, h.digest, HASH_LEN) != 0 || !core_image_take(c, image))
		return err_set(e, ERR_IO, "the snapshot is damaged");
	*head = (struct ledger_head){ .batches = h.batches, .time_s = h.time_s };
	memcpy(head->hash, h.hash, HASH_LEN);
	return within(db, c, e);
}

bool snapshot_read(const char *path, struct db *db, struct ledger_core *c, struct ledger_head *head, struct err *e)
{
	struct file_map map;
	if (!file_map(path, &map, e))
		return false;
	bool ok = map_take(map.bytes, db, c, head, e);
	file_unmap(&map);
	return ok;
}

/* --- */

static struct ledger_core *core_over(struct db *db)
{
	const struct core_source source = { ledger_source_row, ledger_source_named, db };
	return core_new(&source);
}

struct ledger_core *ledger_restore(struct db *db, const char *path, struct ledger_restored *how, struct err *e)
{
	char snapshot[SNAPSHOT_PATH_MAX];
	struct ledger_core *c = core_over(db);
	*how = (struct ledger_restored){ .saved = 0 };
	snapshot_path(path, snapshot);
	if (snapshot_read(snapshot, db, c, &how->head, &how->passed_over)) {
		how->saved = (uint64_t)core_rows_len(c) + core_accounts_len(c);
		if (ledger_load_rest(db, c, &how->head, &how->passed_over))
			return c;
		how->saved = 0;
	}
	core_free(c);
	c = core_over(db);
	if (ledger_load(db, c, &how->head, e))
		return c;
	core_free(c);
	return NULL;
}
