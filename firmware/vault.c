#include "firmware/vault.h"

#include "protocol/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const uint8_t zeros[sizeof(((struct vault *)0)->key)];

/* What stands in the file. */
static bool key_read(struct vault *v, struct err *e)
{
	struct buf key;
	buf_init(&key, sizeof(v->key));
	bool ok = file_read(v->path, &key, e) &&
		  (key.len == sizeof(v->key) ||
		   err_set(e, ERR_INPUT,
			   "%zu bytes instead of %zu: restore it, or remove it and with it what is sealed", key.len,
			   sizeof(v->key)));
	if (ok)
		memcpy(v->key, key.data, sizeof(v->key));
	v->wiped = ok && bytes_same_secret(v->key, zeros, sizeof(zeros));
	v->has_key = ok && !v->wiped;
	buf_wipe(&key);
	return ok;
}

bool vault_renew(struct vault *v, struct err *e)
{
	v->random->fill(v->random->arg, v->key, sizeof(v->key));
	v->has_key = file_write(v->path, (struct bytes){ v->key, sizeof(v->key) }, 0600, e);
	v->wiped = v->wiped && !v->has_key;
	return v->has_key;
}

bool vault_open(struct vault *v, const char *dir, const struct random *random, struct err *e)
{
	struct err why = { 0 };
	memset(v, 0, sizeof(*v));
	v->random = random;
	if (snprintf(v->path, sizeof(v->path), "%s/vault.key", dir) >= (int)sizeof(v->path))
		return err_set(e, ERR_INPUT, "the directory's name is too long");
	return (access(v->path, F_OK) == 0 ? key_read(v, &why) : vault_renew(v, &why)) ||
	       err_set(e, why.code, "%.100s: %.120s", v->path, why.text);
}

void vault_close(struct vault *v)
{
	explicit_bzero(v, sizeof(*v));
}

/* In place: one sector, which is there already, however full the disk is. */
static bool file_zero(const char *path, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok = fd >= 0 && pwrite(fd, zeros, sizeof(zeros), 0) == (ssize_t)sizeof(zeros) &&
		  ftruncate(fd, sizeof(zeros)) == 0 && fsync(fd) == 0;
	if (!ok)
		(void)err_set(e, ERR_IO, "%.100s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

bool vault_wipe(struct vault *v, struct err *e)
{
	explicit_bzero(v->key, sizeof(v->key));
	v->has_key = false;
	v->wiped = true;
	return file_zero(v->path, e);
}

static bool key_check(const struct vault *v, struct err *e)
{
	return v->has_key || err_set(e, ERR_MISSING, "the vault has been wiped");
}

bool vault_seal(const struct vault *v, const char *what, struct bytes plain, struct buf *out, struct err *e)
{
	return key_check(v, e) && aead_seal(v->key, v->random, bytes_of(what), plain, out, e);
}

bool vault_unseal(const struct vault *v, const char *what, struct bytes sealed, struct buf *plain, struct err *e)
{
	return key_check(v, e) && aead_open(v->key, bytes_of(what), sealed, plain, e);
}

bool vault_seal_secret(const struct vault *v, const char *what, const uint8_t secret[VAULT_SECRET_LEN],
		       struct buf *out, struct err *e)
{
	return vault_seal(v, what, (struct bytes){ secret, VAULT_SECRET_LEN }, out, e);
}

bool vault_unseal_secret(const struct vault *v, const char *what, struct bytes sealed,
			 uint8_t secret[VAULT_SECRET_LEN], bool *plain, struct err *e)
{
	struct buf text;
	*plain = sealed.len == VAULT_SECRET_LEN && v->has_key;
	if (*plain) {
		memcpy(secret, sealed.data, VAULT_SECRET_LEN);
		return true;
	}
	buf_init(&text, VAULT_SECRET_LEN);
	bool ok = vault_unseal(v, what, sealed, &text, e) &&
		  (text.len == VAULT_SECRET_LEN || err_set(e, ERR_IO, "%s: a secret of %zu bytes", what, text.len));
	if (ok)
		memcpy(secret, text.data, VAULT_SECRET_LEN);
	buf_wipe(&text);
	return ok;
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
