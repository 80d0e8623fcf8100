#include "protocol/base/meta.h"

#include <stdio.h>

bool meta_get(struct db *db, const char *key, struct buf *out, struct err *e)
{
	bool ok = false, row = false;
	struct db_query *q = db_query(db, "SELECT value FROM meta WHERE key = ?", e);
	if (q == NULL)
		return false;
	if (!db_bind_text(q, 1, key, e) || !db_next(q, &row, e))
		goto out;
	if (!row) {
		err_set(e, ERR_MISSING, "%s is not set", key);
		goto out;
	}
	struct bytes value = db_bytes(q, 0);
	buf_add(out, value.data, value.len);
	ok = buf_ok(out, key, e);
out:
	db_finish(q);
	return ok;
}

bool meta_put(struct db *db, const char *key, struct bytes value, struct err *e)
{
	return db_run(
		db, e,
		"INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
		"tb", key, value);
}

bool meta_get_int(struct db *db, const char *key, int64_t *out, struct err *e)
{
	return db_run_int(db, out, e, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?", "t", key);
}

bool meta_put_int(struct db *db, const char *key, int64_t value, struct err *e)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%lld", (long long)value);
	return meta_put(db, key, (struct bytes){ (const uint8_t *)text, (size_t)len }, e);
}
