/*
 * The document "update-arm64" or "update-amd64": which image of the appliance is in force for boxes of this architecture. The image
 * itself, a squashfs, is an object that the document names by hash, so the head's signature reaches every byte of it. Versions
 * are whole numbers of their own, apart from the document's, and only rise: a branch never goes back. Fields: protocol/README.md,
 * "Update".
 */
#ifndef PROTOCOL_UPDATE_H
#define PROTOCOL_UPDATE_H

#include "protocol/object.h"

#define UPDATE_PREFIX   "update-"
#define UPDATE_ARCH_MAX 8

struct update {
	char arch[UPDATE_ARCH_MAX];
	uint64_t version; /* 1 … COUNTER_MAX */
	struct object_ref object;
	char *title_zh, *title_en; /* owned, as the rest */
	char *notes_zh, *notes_en; /* NULL: none */
};
/* ERR_INPUT names the field. On failure there is nothing to clear. */
bool update_parse(struct bytes document, struct update *u, struct err *e) CHECKED;
void update_clear(struct update *u);
/* Where a box stands with its update; names for logs and answers: "current", "waiting" … */
enum update_state {
	UPDATE_NONE,     /* no box with slots */
	UPDATE_CURRENT,  /* it runs what is in force, or nothing is */
	UPDATE_WAITING,  /* for the line, the lists, or another try */
	UPDATE_FETCHING, /* into the slot that is not running */
	UPDATE_CHECKING, /* the whole is read back */
	UPDATE_REBOOT,   /* asked for */
	UPDATE_TRIAL,    /* it runs the new image, which has yet to prove itself */
	UPDATE_REFUSED   /* what is in force is none for this box, as it is */
};
#define UPDATE_STATE_LAST UPDATE_REFUSED
const char *update_state_name(enum update_state s);
const char *update_state_zh(enum update_state s);

/* "arm64" and "amd64", as Debian names them; an image is built for one of them. */
bool update_arch_is_valid(const char *arch);
/* The architecture that a document of this name is for, borrowed from it; NULL: it is no update. */
const char *update_arch_of(const char *name);

#endif
