/*
 * The branch's vault key, DIR/vault.key: made once, kept in memory, and what secrets at rest are sealed under: the keys of the lists'
 * epochs, the box's own seal key, the journal's key, what is kept of customers. Wiping it leaves nothing of these readable, takes no
 * room on the disk, and is seen after a restart: that is what the tamper line is for.
 */
#ifndef FIRMWARE_VAULT_H
#define FIRMWARE_VAULT_H

#include "protocol/crypto.h"

struct vault {
	char path[256];
	const struct random *random; /* borrowed */
	bool has_key;
	bool wiped; /* the file says so */
	uint8_t key[32];
};
/* Reads the key, or makes it where there is no file. One that was wiped opens too, without a key. */
bool vault_open(struct vault *v, const char *dir, const struct random *random, struct err *e) CHECKED;
void vault_close(struct vault *v);
/* In memory, and written over in place: zeros, which stay. False when the disk did not take them; memory is wiped all the same. */
bool vault_wipe(struct vault *v, struct err *e) CHECKED;
/* A new key in the place of whatever is there. */
bool vault_renew(struct vault *v, struct err *e) CHECKED;

/* ERR_MISSING without a key. what says what is sealed: it opens as nothing else. Appended to out. */
bool vault_seal(const struct vault *v, const char *what, struct bytes plain, struct buf *out, struct err *e) CHECKED;
bool vault_unseal(const struct vault *v, const char *what, struct bytes sealed, struct buf *plain,
		  struct err *e) CHECKED;
/* A secret that stands in the database. One that stands there unsealed, from before secrets were sealed, is taken and *plain says so: seal
   it then. */
#define VAULT_SECRET_LEN 32
bool vault_seal_secret(const struct vault *v, const char *what, const uint8_t secret[VAULT_SECRET_LEN],
		       struct buf *out, struct err *e) CHECKED;
bool vault_unseal_secret(const struct vault *v, const char *what, struct bytes sealed,
			 uint8_t secret[VAULT_SECRET_LEN], bool *plain, struct err *e) CHECKED;
/* How something is found without being named. */
bool vault_tag(const struct vault *v, const char *what, const char *text, uint8_t out[HASH_LEN],
	       struct err *e) CHECKED;

#endif
