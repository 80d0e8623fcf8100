/*
 * The update of an appliance with two root slots, by the document in force for its architecture (protocol/update.h). sync_image.c fetches the
 * image chunk by chunk straight into the slot that is not running; here is what is decided and what is written besides:
 *
 *   current ──document names a higher version──► waiting ─► fetching ─► checking ─► reboot ─► (boots) ─► trial ─► current
 *      ▲                                            │ other architecture, older, too large,                 │ tries run out
 *      └── the old slot boots, its hash remembered ─┴─ fell back here before: refused ◄───────────────────────┘
 *
 * Power may go at any write, and the boot record (slots.h) always leads to a whole image: the good slot is never written to; nothing is
 * being tried while the other one is; and a slot is tried only after the whole of it has been read back and has its hash.
 *
 * On trial, the image is good once the branch has been well for healthy_s: the database can be written, the lists are open, gate
 * listens, and, if it was ready to answer checks before the update (lan_well), it is again. It has to have heard central as well,
 * but only for UPDATES_OFFLINE times as long: with the line down for days a good image must not fall back, while one that cannot
 * reach the network at all mostly shows at gate. One that is not well within UPDATES_TRIAL times as long asks for a reboot, so
 * that its tries run out.
 */
#ifndef FIRMWARE_UPDATES_H
#define FIRMWARE_UPDATES_H

#include "firmware/slots.h"
#include "protocol/base/db.h"
#include "protocol/message.h"
#include "protocol/update.h"

#define UPDATES_PATH_MAX 128
#define UPDATES_OFFLINE  10 /* times healthy_s without a head: then being well is enough */
#define UPDATES_TRIAL    20 /* times healthy_s on trial without being well: then a reboot is asked for */

/* [update] of branch.ini. */
struct updates_config {
	char boot[UPDATES_PATH_MAX]; /* the boot record; "" there are no updates */
	char a[UPDATES_PATH_MAX], b[UPDATES_PATH_MAX];
	char running[UPDATES_PATH_MAX]; /* "a" or "b": what the initramfs has mounted */
	char image[UPDATES_PATH_MAX];   /* "version = 3" and "arch = arm64" of the running image */
	char reboot[UPDATES_PATH_MAX];  /* made when a reboot is wanted */
	int64_t healthy_s, tries;
};

struct updates;
/* Opens also what is broken: then no update is taken and the fault says why. db is borrowed. */
struct updates *updates_open(const struct updates_config *c, struct db *db, int64_t now_ms);
void updates_close(struct updates *u);

/* The name of the document that is for this box; "" when nobody knows what box this is. */
const char *updates_name(const struct updates *u);
/* The document of that name, as it is in force now, in this version of the document. One that does not parse is refused. */
void updates_document(struct updates *u, uint64_t document_version, struct bytes document);
uint64_t updates_document_version(const struct updates *u); /* 0: none yet */

/* The image to be fetched; NULL: none. */
const struct object_ref *updates_wanted(const struct updates *u);
/* From here on the other slot is written to: durably nothing is being tried. *path is that slot, borrowed. */
bool updates_begin(struct updates *u, const char **path, struct err *e) CHECKED;
/* Of `of` chunks so many are there. */
void updates_progress(struct updates *u, uint32_t got, uint32_t of);
/* All is written: reads it back, UPDATES_SLICE bytes a call. *done: it has its hash. ERR_DENIED: it has not. */
#define UPDATES_SLICE 1048576
bool updates_check(struct updates *u, bool *done, struct err *e) CHECKED;
/* Checked: the slot is to be tried, and a reboot is asked for. */
bool updates_install(struct updates *u, struct err *e) CHECKED;
/* Not now: e says why; NULL: something else comes first. Reading back begins anew. */
void updates_wait(struct updates *u, const struct err *e);

struct updates_health {
	bool well;    /* as lan_well, and gate listens */
	bool ready;   /* and it can answer checks */
	bool heard;   /* a head was believed since the start */
	char why[96]; /* it is not well, or not ready */
};
/* Once a second. */
void updates_tick(struct updates *u, const struct updates_health *h, int64_t now_ms);

struct updates_info {
	struct status_update status;
	uint32_t got, of; /* chunks, while fetching */
};
void updates_info(const struct updates *u, struct updates_info *out);

#endif
