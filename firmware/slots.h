/*
 * The boot record of the appliance: which of the two root slots boots. Two checksummed sectors lie 4096 bytes apart; of the valid
 * ones the one with the higher sequence counts, and a write goes to the other one, then fsync: power cut at any instruction, the old
 * record or the new one is there. Stands alone (of the protocol only SHA-256), since a small static program in the initramfs
 * (slot.c) uses it before any root is mounted.
 *
 *   good a ──slots_try(b)──► good a, trying b, tries n ──slots_good──► good b
 *     ▲                         │ each boot: tries − 1, then b boots
 *     └──tries are 0 at a boot──┘ b's hash is remembered as one that fell back
 *
 * The slot that is good is never written to, and the other one only while nothing is being tried: see update.c.
 */
#ifndef FIRMWARE_SLOTS_H
#define FIRMWARE_SLOTS_H

#include "protocol/crypto.h"

#define SLOTS_SECTOR    512
#define SLOTS_APART     4096 /* a page: no write of one touches the other */
#define SLOTS_SIZE      (SLOTS_APART + SLOTS_SECTOR)
#define SLOTS_TRIES_MAX 100

enum slot { SLOT_NONE, SLOT_A, SLOT_B };
const char *slot_name(enum slot s); /* "a", "b"; "none" */
bool slot_of(const char *name, enum slot *out);
enum slot slot_other(enum slot s);

/* An image by what is said of it. */
struct slots_image {
	uint64_t version; /* 0: none */
	uint8_t hash[HASH_LEN];
};

struct slots {
	uint64_t sequence; /* of the record: one more a write */
	enum slot good;
	enum slot trying;          /* SLOT_NONE, or the other than good */
	uint8_t tries_left;        /* boots of it still to come; 0 when none is tried */
	struct slots_image tried;  /* what is being tried */
	struct slots_image failed; /* what last fell back */
};

/* --- the steps, pure --- */

/* What boots now by this record, and the record that must be durable before it does (the same when nothing changes: *changed). */
enum slot slots_boot(struct slots *s, bool *changed);
/* The other slot, which holds this image whole, is to be tried. */
void slots_try(struct slots *s, const struct slots_image *image, unsigned tries);
/* Nothing is being tried: before the other slot is written to. */
void slots_drop(struct slots *s);
/* What is being tried has proven itself. What had fallen back is forgotten: it was older, or is this very image. */
void slots_good(struct slots *s);

/* --- bytes --- */

void slots_encode(const struct slots *s, uint8_t sector[SLOTS_SECTOR]);
/* ERR_INPUT. */
bool slots_decode(const uint8_t sector[SLOTS_SECTOR], struct slots *s, struct err *e) CHECKED;

/* --- files and devices --- */

/* Read and write; ERR_MISSING, ERR_IO. create: a file that is not there is made, with room for both sectors. */
bool slots_open(const char *path, bool create, int *fd, struct err *e) CHECKED;
/* ERR_INPUT when neither sector is a record. */
bool slots_read(int fd, struct slots *s, struct err *e) CHECKED;
/* Durable when it returns; s->sequence becomes the new one's. After a failure the record on the disk is the old or the new one. */
bool slots_write(int fd, struct slots *s, struct err *e) CHECKED;

#endif
