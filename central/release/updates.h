/*
 * Images of the branches' appliance, released like documents: a squashfs comes in pieces, is looked at, becomes an object, and a draft
 * of the document "update-<arch>" names it; submitting, approving and publishing are release.h's. Refused is what no branch could
 * take: no squashfs or a shortened one, another architecture, a version that is not above the newest published. There is no rolling
 * back: branches never go back, so an older image is released again under a higher version.
 */
#ifndef CENTRAL_RELEASE_UPDATES_H
#define CENTRAL_RELEASE_UPDATES_H

#include "central/release/release.h"
#include "protocol/message.h"
#include "protocol/update.h"

#define UPDATE_PIECE_MAX 4194304U /* what centralctl sends at once, and central keeps in memory */

/* One upload an operator and architecture: offset 0 begins it anew, and each piece begins where the last one ended (ERR_CONFLICT). */
bool updates_upload(struct release_context *c, const char *arch, const char *operator, int64_t offset,
		    struct bytes piece, struct err *e) CHECKED;

struct update_draft {
	const char *arch, *source, *operator;
	uint64_t version;
	const char *title_zh, *title_en; /* NULL: made from the version */
	const char *notes_zh, *notes_en; /* both or none */
	int64_t now_s;
};
/* What was uploaded, as a draft. The upload is gone afterwards, also when it was refused. */
bool updates_draft(struct release_context *c, const struct update_draft *d, int64_t *id, struct err *e) CHECKED;

/* An image in the first bytes of a file of size bytes: a squashfs 4.0 that is whole. ERR_INPUT. */
bool updates_image_check(struct bytes first, uint64_t size, struct err *e) CHECKED;

/* What a branch said of its update; raises "update.failed" when a version has fallen back there. In the caller's transaction. */
bool updates_status(struct db *db, const char *branch, const struct status_update *u, int64_t now_s,
		    struct err *e) CHECKED;

#endif
