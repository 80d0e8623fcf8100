#include "firmware/lists_state.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool list_store(struct lists *l, const struct list *list, struct err *e)
{
	uint8_t fingerprint[FINGERPRINT_BYTES];
	fingerprint_encode(&list->fingerprint, fingerprint);
	return db_run(l->db, e,
		      "INSERT INTO list (name, version, count, epoch, fingerprint, hash, confirmed_s, canary_hit,"
		      " canary_miss) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
		      " version = excluded.version, count = excluded.count, epoch = excluded.epoch,"
		      " fingerprint = excluded.fingerprint, hash = excluded.hash, confirmed_s = "
		      "excluded.confirmed_s,"
		      " canary_hit = excluded.canary_hit, canary_miss = excluded.canary_miss",
		      "tiiibbiii", list->name, (int64_t)list->version, (int64_t)list->count, (int64_t)list->epoch,
		      (struct bytes){ fingerprint, sizeof(fingerprint) }, (struct bytes){ list->hash, HASH_LEN },
		      list->confirmed_s, (int64_t)list->canary_hit, (int64_t)list->canary_miss);
}

bool list_store_layer(struct lists *l, const struct list *list, size_t place, const struct list_file *file,
		      struct err *e)
{
	return db_run(l->db, e, "INSERT INTO list_layer (name, place, hash, size_bytes) VALUES (?, ?, ?, ?)", "tibi",
		      list->name, (int64_t)place, (struct bytes){ file->hash, HASH_LEN },
		      (int64_t)file->map.bytes.len);
}

bool list_drop_layers(struct lists *l, const struct list *list, struct err *e)
{
	return db_run(l->db, e, "DELETE FROM list_layer WHERE name = ?", "t", list->name);
}

/* Opening */

static bool take_exact(struct bytes from, uint8_t *to, size_t len, struct err *e)
{
	if (from.len != len)
		return err_set(e, ERR_IO, "lists: a row is damaged");
	memcpy(to, from.data, len);
	return true;
}

static bool list_of_row(struct lists *l, const struct db_query *q, struct err *e)
{
	uint8_t fingerprint[FINGERPRINT_BYTES];
	struct list *list = lists_take(l, db_text(q, 0));
	if (list == NULL)
		return err_set(e, ERR_IO, "lists: more than %d rows", LISTS_MAX);
	if (!take_exact(db_bytes(q, 4), fingerprint, sizeof(fingerprint), e) ||
	    !take_exact(db_bytes(q, 5), list->hash, HASH_LEN, e))
		return false;
	fingerprint_decode(fingerprint, &list->fingerprint);
	list->version = (uint64_t)db_int(q, 1);
	list->count = (uint64_t)db_int(q, 2);
	list->epoch = (uint32_t)db_int(q, 3);
	list->confirmed_s = db_int(q, 6);
	list->canary_hit = (uint64_t)db_int(q, 7);
	list->canary_miss = (uint64_t)db_int(q, 8);
	list->start_version = list->version;
	list->start_count = list->count;
	return true;
}

/* The files of one list, mapped in order. */
static bool list_map_layers(struct lists *l, const struct list *list, struct list_view *v, struct err *e)
{
	bool ok = false, row = false;
	char path[LISTS_PATH_MAX];
	uint8_t hash[HASH_LEN];
	struct db_query *q = db_query(l->db, "SELECT hash FROM list_layer WHERE name = ? ORDER BY place", e);
	if (q == NULL)
		return false;
	if (!db_bind_text(q, 1, list->name, e))
		goto out;
	while ((ok = db_next(q, &row, e)) && row) {
		ok = take_exact(db_bytes(q, 0), hash, HASH_LEN, e);
		if (!ok)
			break;
		lists_path(l, hash, "", path);
		ok = list_view_map(v, path, hash, e);
		if (!ok)
			break;
	}
	if (ok && v->files_len == 0)
		ok = err_set(e, ERR_MISSING, "lists: %s has no file", list->name);
out:
	db_finish(q);
	return ok;
}

/* What the row says of the list and what the files say of themselves agree. */
static bool list_fits_files(const struct list *list, const struct list_view *v, struct err *e)
{
	const struct layers *layers = &v->layers;
	if (strcmp(layers->base.head.name, list->name) != 0 || layers->base.head.epoch != list->epoch ||
	    layers_version(layers) != list->version || layers_count(layers) != list->count)
		return err_set(e, ERR_CONFLICT, "lists: the files of %s are not those of version %llu", list->name,
			       (unsigned long long)list->version);
	return true;
}

static bool list_open(struct lists *l, struct list *list, struct err *e)
{
	struct list_view *v = list_view_new();
	if (!list_map_layers(l, list, v, e) || !list_fits_files(list, v, e) ||
	    !list_view_reserve(v, v->layers.base.head.entries, e)) {
		list_view_free(v);
		return false;
	}
	list_view_fill(v, &v->layers.base);
	for (size_t i = 0; i < v->layers.deltas_len; i++)
		list_view_fill(v, &v->layers.deltas[i]);
	list_view_use_filters(v);
	list->view = v;
	return list_canaries(v, list->canary_hit, list->canary_miss, e);
}

bool lists_load(struct lists *l, struct err *e)
{
	bool ok, row = false;
	struct db_query *q =
		db_query(l->db,
			 "SELECT name, version, count, epoch, fingerprint, hash, confirmed_s, canary_hit,"
			 " canary_miss FROM list ORDER BY name",
			 e);
	if (q == NULL)
		return false;
	while ((ok = db_next(q, &row, e)) && row) {
		ok = list_of_row(l, q, e);
		if (!ok)
			break;
	}
	db_finish(q);
	for (size_t i = 0; ok && i < l->len; i++) {
		struct err why = { 0 };
		if (!list_open(l, l->items[i], &why))
			lists_damage(l, l->items[i], why.text);
	}
	return ok;
}

/* Keys */

#define KEY_CONTEXT "lists/epoch-key/%u"

bool list_store_key(struct lists *l, uint32_t epoch, uint32_t iterations, const uint8_t secret[32], struct err *e)
{
	char what[48];
	struct buf sealed;
	buf_init(&sealed, 32 + AEAD_OVERHEAD);
	snprintf(what, sizeof(what), KEY_CONTEXT, epoch);
	bool ok = vault_seal_secret(l->vault, what, secret, &sealed, e) &&
		  db_run(l->db, e, "INSERT OR REPLACE INTO epoch_key (epoch, iterations, secret) VALUES (?, ?, ?)",
			 "iib", (int64_t)epoch, (int64_t)iterations, buf_bytes(&sealed));
	buf_clear(&sealed);
	return ok;
}

static void key_add(struct lists *l, uint32_t epoch, uint32_t iterations, const uint8_t secret[32])
{
	l->keys = reallocarray(l->keys, l->keys_len + 1, sizeof(void *));
	struct tag_key *key = malloc(sizeof(*key));
	if (l->keys == NULL || key == NULL)
		abort();
	tag_key_init(key, epoch, iterations, secret);
	l->keys[l->keys_len++] = key;
}

/* One that another vault's key sealed is of no use: sync asks for it again. */
static bool key_of_row(struct lists *l, const struct db_query *q, struct err *e)
{
	uint32_t epoch = (uint32_t)db_int(q, 0), iterations = (uint32_t)db_int(q, 1);
	uint8_t secret[VAULT_SECRET_LEN];
	char what[48];
	bool plain = false, ok = true;
	snprintf(what, sizeof(what), KEY_CONTEXT, epoch);
	if (!vault_unseal_secret(l->vault, what, db_bytes(q, 2), secret, &plain, NULL))
		return true;
	key_add(l, epoch, iterations, secret);
	if (plain)
		ok = list_store_key(l, epoch, iterations, secret, e);
	explicit_bzero(secret, sizeof(secret));
	return ok;
}

bool lists_load_keys(struct lists *l, struct err *e)
{
	bool ok, row = false;
	struct db_query *q = db_query(l->db, "SELECT epoch, iterations, secret FROM epoch_key ORDER BY epoch", e);
	if (q == NULL)
		return false;
	while ((ok = db_next(q, &row, e)) && row) {
		ok = key_of_row(l, q, e);
		if (!ok)
			break;
	}
	db_finish(q);
	return ok;
}

/* Leftovers */

static bool file_is_in_force(const struct lists *l, const char *name, bool *in_force, struct err *e)
{
	uint8_t hash[HASH_LEN];
	int64_t rows = 0;
	*in_force = false;
	if (!hex_decode(name, hash, HASH_LEN))
		return true;
	if (!db_run_int(l->db, &rows, e, "SELECT count(*) FROM list_layer WHERE hash = ?", "b",
			(struct bytes){ hash, HASH_LEN }))
		return false;
	*in_force = rows > 0;
	return true;
}

bool lists_sweep(struct lists *l, struct err *e)
{
	bool ok = true, in_force;
	char path[LISTS_PATH_MAX * 2];
	DIR *dir = opendir(l->dir);
	if (dir == NULL)
		return err_set(e, ERR_IO, "open %s: %s", l->dir, strerror(errno));
	// cppcheck-suppress readdirCalled ; there are no threads
	for (struct dirent *d = readdir(dir); ok && d != NULL; d = readdir(dir)) {
		if (d->d_name[0] == '.')
			continue;
		ok = file_is_in_force(l, d->d_name, &in_force, e);
		snprintf(path, sizeof(path), "%s/%s", l->dir, d->d_name);
		if (ok && !in_force)
			ok = file_remove(path, e);
	}
	closedir(dir);
	return ok;
}
