/*
 * A scan from request to row to answer. The answer is made of the row alone, so a repeated request and a look at an old scan get the
 * same bytes as the first time.
 *
 * A request's JSON (unknown fields are refused by name):
 *   { "request_id", "text": what the scanner read, or "image": base64 of a PNG or JPEG, "business": "open_account" (optional),
 *     "holder": { "kind", "number", "name" (optional), … as a check's subject } (optional) }
 */
#ifndef FIRMWARE_SCANS_H
#define FIRMWARE_SCANS_H

#include "firmware/verify.h"

struct scan_request {
	char request_id[REQUEST_ID_MAX_LEN + 1]; /* "" from a scanner */
	char terminal[NAME_MAX_LEN + 1];         /* set by the caller */
	char source[NAME_MAX_LEN + 1];           /* "text", "image", or a scanner's name */
	char business[NAME_MAX_LEN + 1];         /* "" not said */
	bool has_holder;
	struct check_party holder;
	struct buf text;  /* owned: as it was read */
	struct buf image; /* owned: bytes of a picture whose text is still to be found; empty otherwise */
};
/* Initialises both buffers; clear it whatever the outcome. ERR_INPUT names the field. */
bool scan_request_parse(struct bytes json, struct scan_request *r, struct err *e) CHECKED;
void scan_request_clear(struct scan_request *r);

/* Repairs the text, verifies what it says. */
void scan_run(const struct verify_setting *s, const struct scan_request *r, struct verdict *out);

/* The row of a verdict. out borrows from sealed, a buf the caller has initialised (SCAN_SEALED_MAX). */
struct scan_context {
	int64_t now_s;
	const struct random *random;
	const uint8_t *journal_key;
};
bool scan_fill(const struct verdict *v, const struct scan_request *r, const struct scan_context *c, struct scan *out,
	       struct buf *sealed, struct err *e) CHECKED;

/*
 * The answer, appended to out:
 *   { "scan_id" (hex), "request_id", "time", "terminal", "source", "business", what verify_words_json writes, "certificate" (verify.h; only
 *     when its signature holds), "duty": null or {"state": "open"|"kept"|"turned", "code", "text": {zh,en}} }
 * turned: what a later look gave; SCAN_ACCEPTED it holds, 0 none yet. Of another outcome than accept_with_duty it is not looked at.
 */
void scan_json(const struct scan *s, const uint8_t journal_key[32], enum scan_code turned, struct buf *out);

#endif
