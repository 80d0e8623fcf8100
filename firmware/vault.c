#include "firmware/vault.h"

#include "protocol/base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool vault_open(struct vault *v, const char *dir, const struct random *random, struct err *e)
{
	struct buf key;
	struct err why = { 0 };
	memset(v, 0, sizeof(*v));
	if (snprintf(v->path, sizeof(v->path), "%s/vault.key", dir) >= (int)sizeof(v->path))
		return err_set(e, ERR_INPUT, "the directory's name is too long");
	buf_init(&key, sizeof(v->key));
	bool there = access(v->path, F_OK) == 0;
	bool ok = !there || file_read(v->path, &key, &why);
	if (ok && there && key.len != sizeof(v->key))
		ok = err_set(&why, ERR_INPUT,
			     "%zu bytes instead of %zu: restore it, or remove it and with it what is sealed", key.len,
			     sizeof(v->key));
	if (ok && there)
		memcpy(v->key, key.data, sizeof(v->key));
	if (key.data != NULL)
		explicit_bzero(key.data, key.cap);
	buf_clear(&key);
	if (ok && !there) {
		random->fill(random->arg, v->key, sizeof(v->key));
		ok = file_write(v->path, (struct bytes){ v->key, sizeof(v->key) }, 0600, &why);
	}
	v->has_key = ok;
	return ok || err_set(e, why.code, "%.100s: %.120s", v->path, why.text);
}

void vault_close(struct vault *v)
{
	explicit_bzero(v, sizeof(*v));
}

bool vault_wipe(struct vault *v, struct err *e)
{
	static const uint8_t zeros[32];
	char path[sizeof(v->path)];
	memcpy(path, v->path, sizeof(path));
	explicit_bzero(v->key, sizeof(v->key));
	v->has_key = false;
	/* Written over first: a copy that a disk keeps of the file is then of no use, as far as the disk does as it is told. */
	bool over = file_write(path, (struct bytes){ zeros, sizeof(zeros) }, 0600, e);
	if (unlink(path) != 0 && errno != ENOENT)
		return err_set(e, ERR_IO, "%.100s: %s", path, strerror(errno));
	return over;
}

static bool key_check(const struct vault *v, struct err *e)
{
	return v->has_key || err_set(e, ERR_MISSING, "the vault has been wiped");
}

bool vault_seal(const struct vault *v, const struct random *r, const char *what, struct bytes plain, struct buf *out,
		struct err *e)
{
	return key_check(v, e) && aead_seal(v->key, r, bytes_of(what), plain, out, e);
}

bool vault_unseal(const struct vault *v, const char *what, struct bytes sealed, struct buf *plain, struct err *e)
{
	return key_check(v, e) && aead_open(v->key, bytes_of(what), sealed, plain, e);
}

bool vault_tag(const struct vault *v, const char *what, const char *text, uint8_t out[HASH_LEN], struct err *e)
{
	uint8_t key[32];
	if (!key_check(v, e))
		return false;
	hmac_sha256((struct bytes){ v->key, sizeof(v->key) }, bytes_of(what), key);
	hmac_sha256((struct bytes){ key, sizeof(key) }, bytes_of(text), out);
	explicit_bzero(key, sizeof(key));
	return true;
}
