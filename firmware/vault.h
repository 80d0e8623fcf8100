/*
 * The branch's vault key, DIR/vault.key: made once, kept in memory, and what personal data at rest is sealed under. Wiping it leaves
 * nothing that was sealed readable: that is what the tamper line is for.
 */
#ifndef FIRMWARE_VAULT_H
#define FIRMWARE_VAULT_H

#include "protocol/crypto.h"

struct vault {
	char path[256];
	bool has_key;
	uint8_t key[32];
};
/* Reads the key, or makes it. */
bool vault_open(struct vault *v, const char *dir, const struct random *random, struct err *e) CHECKED;
void vault_close(struct vault *v);
/* Overwritten and removed, here and in memory; a new one is made by the next vault_open. */
bool vault_wipe(struct vault *v, struct err *e) CHECKED;

/* ERR_MISSING without a key. what says what is sealed: it opens as nothing else. Appended to out. */
bool vault_seal(const struct vault *v, const struct random *r, const char *what, struct bytes plain, struct buf *out,
		struct err *e) CHECKED;
bool vault_unseal(const struct vault *v, const char *what, struct bytes sealed, struct buf *plain,
		  struct err *e) CHECKED;
/* How something is found without being named. */
bool vault_tag(const struct vault *v, const char *what, const char *text, uint8_t out[HASH_LEN],
	       struct err *e) CHECKED;

#endif
